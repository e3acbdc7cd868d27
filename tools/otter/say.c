/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to people. Facts: otter/error.h for codes, the Unicode standard for the
 * characters that would change how a terminal shows a text.
 */
#include "say.h"

#include "names.h"
#include "otter/utf8.h"
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
    (void)fputs(complaint_place, stderr);
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

/* Bytes of the character that begins the text; 0 if it may not be shown as it is. */
static size_t character_size(const uint8_t *text, size_t len)
{
    for (size_t size = 1; size <= 4 && size <= len; size++) {
        if (otter_utf8_is_valid(text, size)) {
            return size;
        }
    }
    return 0;
}

/* Characters that turn the direction of a line, break it or are not seen. */
static bool is_deceiving(const uint8_t *text, size_t size)
{
    static const struct {
        uint32_t first;
        uint32_t last;
    } ranges[] = {
        {0x061C, 0x061C}, {0x200B, 0x200F}, {0x2028, 0x202E},
        {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xE0000, 0xE007F},
    };
    uint32_t point = size == 1 ? text[0] : text[0] & (0x7FU >> size);

    for (size_t i = 1; i < size; i++) {
        point = point << 6 | (text[i] & 0x3FU);
    }
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (point >= ranges[i].first && point <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

void print_text(FILE *out, const uint8_t *text, size_t len, const char *line_feed)
{
    size_t size = 0;

    for (size_t i = 0; i < len; i += size) {
        size = character_size(text + i, len - i);
        if (text[i] == '\n') {
            (void)fputs(line_feed, out);
        } else if (text[i] == '\t') {
            (void)fputc(' ', out);
        } else if (size > 0 && !is_deceiving(text + i, size)) {
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
