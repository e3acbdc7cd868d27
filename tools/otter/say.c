/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to people. Facts: otter/error.h for codes; text.h for the characters that
 * would change how a terminal shows a text.
 */
#include "say.h"

#include "names.h"
#include "text.h"
#include "verbs.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH = 30 };

static bool has_colour(void)
{
    const char *no_color = getenv("NO_COLOR");

    return isatty(STDERR_FILENO) != 0 && (no_color == NULL || no_color[0] == '\0');
}

static const char *complaint_place = "";

void complain_at(const char *place)
{
    complaint_place = place == NULL ? "" : place;
}

static void print_prefix(void)
{
    (void)fputs(has_colour() ? "\033[1;31motter:\033[0m " : "otter: ", stderr);
    print_text(stderr, (const uint8_t *)complaint_place, strlen(complaint_place),
               "\\x0A");
}

/* A text of which parts come from outside. */
__attribute__((format(printf, 2, 0))) static void print_safely(FILE *out,
                                                               const char *format,
                                                               const char *line_feed,
                                                               va_list values)
{
    char *text = NULL;
    int len = vasprintf(&text, format, values);

    if (len >= 0) {
        print_text(out, (const uint8_t *)text, (size_t)len, line_feed);
        free(text);
    }
}

void say(const char *format, ...)
{
    va_list values;

    va_start(values, format);
    print_safely(stdout, format, "\n", values);
    va_end(values);
}

int complain(const char *format, ...)
{
    va_list values;

    print_prefix();
    va_start(values, format);
    print_safely(stderr, format, "\\x0A", values);
    va_end(values);
    (void)fputc('\n', stderr);
    return TOOL_FAILED;
}

int complain_usage(const char *format, ...)
{
    va_list values;

    print_prefix();
    va_start(values, format);
    print_safely(stderr, format, "\\x0A", values);
    va_end(values);
    (void)fputc('\n', stderr);
    return TOOL_USAGE;
}

int complain_code(const char *subject, enum otter_result result, int status)
{
    const uint16_t code = otter_code(result);
    char name[NAME_CODE_SIZE];

    (void)complain("%s: [%s] %s", subject, name_of_code(code, name),
                   text_of_code(code));
    (void)fprintf(stderr, "       %s\n", remedy_of_code(code));
    return status;
}

/* --- texts from outside --- */

void print_text(FILE *out, const uint8_t *text, size_t len, const char *line_feed)
{
    uint32_t point = 0;
    size_t size = 0;

    for (size_t i = 0; i < len; i += size) {
        size = text_character(text + i, len - i, &point);
        if (text[i] == '\n') {
            (void)fputs(line_feed, out);
        } else if (text[i] == '\t') {
            (void)fputc(' ', out);
        } else if (size > 0 && !text_is_deceiving(point)) {
            (void)fwrite(text + i, 1, size, out);
        } else {
            size = size > 0 ? size : 1;
            for (size_t k = 0; k < size; k++) {
                (void)fprintf(out, "\\x%02X", text[i + k]);
            }
        }
    }
}

/* --- progress --- */

void progress_begin(struct progress *progress, const char *what)
{
    progress->what = what;
    progress->shown = -1;
    progress->is_shown = isatty(STDERR_FILENO) != 0;
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total)
{
    const uint64_t inside = done < total ? done : total;
    const int percent = total == 0 ? 100 : (int)((double)inside * 100 / (double)total);
    const int filled = percent * BAR_WIDTH / 100;
    char bar[BAR_WIDTH + 1];

    if (!progress->is_shown || percent == progress->shown) {
        return;
    }
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', (size_t)filled);
    bar[BAR_WIDTH] = '\0';
    (void)fprintf(stderr, "\r%s [%s] %3d %%", progress->what, bar, percent);
    (void)fflush(stderr);
    progress->shown = percent;
}

void progress_end(struct progress *progress)
{
    if (progress->is_shown && progress->shown >= 0) {
        (void)fputc('\n', stderr);
    }
    progress->is_shown = false;
}
