/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The port check: which checks in which order, their lines, and the two resets.
 */
#include "port_check.h"

#include "check_inner.h"

#include <stddef.h>

/* --- lines --- */

struct line {
    char text[PORT_CHECK_LINE];
    size_t len;
};

static void add_text(struct line *line, const char *text)
{
    while (*text != '\0' && line->len < PORT_CHECK_LINE - 1U) {
        line->text[line->len++] = *text++;
    }
    line->text[line->len] = '\0';
}

static void add_number(struct line *line, uint32_t number)
{
    char digits[11];
    size_t at = sizeof(digits) - 1;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    add_text(line, digits + at);
}

static void add_hex(struct line *line, uint32_t number)
{
    char digits[11] = "0x00000000";

    for (size_t at = 9; at >= 2; at--) {
        digits[at] = "0123456789abcdef"[number % 16];
        number /= 16;
    }
    add_text(line, digits);
}

static void add_detail(struct line *line, const struct port_check *check)
{
    if (check->unit == NULL) {
        return;
    }
    add_text(line, check->unit[0] == '0' ? " (at " : " (");
    if (check->unit[0] == '0') {
        add_hex(line, check->detail);
    } else {
        add_number(line, check->detail);
        add_text(line, " ");
        add_text(line, check->unit);
    }
    add_text(line, ")");
}

/* A unit that says: an address. */
static const char address[] = "0x";

enum check_verdict port_check_fail(struct port_check *check, uint32_t addr)
{
    return port_check_fail_number(check, addr, address);
}

enum check_verdict port_check_fail_number(struct port_check *check, uint32_t number,
                                          const char *unit)
{
    check->detail = number;
    check->unit = unit;
    return CHECK_FAILED;
}

static void tell(struct port_check *check, const char *port, const char *sentence,
                 enum check_verdict verdict)
{
    static const char *const words[] = {
        [CHECK_PASSED] = "ok      ",
        [CHECK_FAILED] = "FAILED  ",
        [CHECK_SKIPPED] = "skipped ",
    };
    struct line line = {.len = 0};

    add_text(&line, words[verdict]);
    add_text(&line, port);
    add_text(&line, ": ");
    add_text(&line, sentence);
    add_detail(&line, check);
    check->print(check->context, line.text);
    check->passed = (uint16_t)(check->passed + (verdict == CHECK_PASSED));
    check->failed = (uint16_t)(check->failed + (verdict == CHECK_FAILED));
    check->skipped = (uint16_t)(check->skipped + (verdict == CHECK_SKIPPED));
}

/* --- time --- */

uint32_t port_check_ms(const struct port_check *check)
{
    const struct otter_board *board = check->ports->board;

    return board->time_ms(board->context);
}

void port_check_feed(const struct port_check *check)
{
    const struct otter_board *board = check->ports->board;

    board->watchdog_feed(board->context);
}

/* --- all checks --- */

void port_check_row(struct port_check *check, const char *port,
                    const struct check_row *row)
{
    check->unit = NULL;
    port_check_feed(check);
    enum check_verdict verdict =
        row->needs_scratch && !check->has_scratch ? CHECK_SKIPPED : row->run(check);

    tell(check, port, row->sentence, verdict);
}

static void run_table(struct port_check *check, const char *port,
                      const struct check_row *rows)
{
    for (const struct check_row *row = rows; row->sentence != NULL; row++) {
        port_check_row(check, port, row);
    }
}

bool port_check_run(struct port_check *check)
{
    struct line line = {.len = 0};

    check->passed = 0;
    check->failed = 0;
    check->skipped = 0;
    check->program_ms = 0;
    check->erase_ms = 0;
    check->has_clock = false;
    check->has_scratch = false;
    run_table(check, "board", port_check_board); /* first: it finds the clock */
    run_table(check, "flash", port_check_flash);
    run_table(check, "crypto", port_check_crypto);
    if (check->ports->files != NULL) { /* only a device with a card has any */
        run_table(check, "files", port_check_files);
    }
    run_table(check, "link", port_check_link);
    add_text(&line, "port check: ");
    add_number(&line, check->passed);
    add_text(&line, " passed, ");
    add_number(&line, check->failed);
    add_text(&line, " failed, ");
    add_number(&line, check->skipped);
    add_text(&line, " skipped");
    check->print(check->context, line.text);
    return check->failed == 0;
}

/* --- the resets --- */

/* In scratch's first sector, one after another: which resets were asked for, and by
 * their bytes whether all was well until then. */
enum { MARK_SOFTWARE = 0, MARK_WATCHDOG, MARK_GOOD = 0x47, MARK_BAD = 0x42 };

enum { WATCHDOG_MS = 2000, PATIENCE = 4 /* periods that a watchdog may take */ };

/* Long enough not to be there by chance; whole words of any flash. */
enum { MARK_SIZE = 32 };

static uint32_t mark_addr(const struct port_check *check, unsigned mark)
{
    return check->scratch_addr + mark * MARK_SIZE;
}

static bool has_mark(struct port_check *check, unsigned mark, uint8_t salt)
{
    return port_check_holds(check, mark_addr(check, mark), MARK_SIZE, salt);
}

static bool is_marked(struct port_check *check, unsigned mark)
{
    return has_mark(check, mark, MARK_GOOD) || has_mark(check, mark, MARK_BAD);
}

static bool leave_mark(struct port_check *check, unsigned mark, bool is_good)
{
    return port_check_program(check, mark_addr(check, mark), MARK_SIZE,
                              is_good ? MARK_GOOD : MARK_BAD, 0);
}

/* One line about this start. */
static bool expect(struct port_check *check, const char *sentence, bool is_true)
{
    check->unit = NULL;
    tell(check, "reset", sentence, port_check_verdict(is_true));
    return is_true;
}

static bool is_cause(const struct port_check *check, enum otter_reset_cause cause)
{
    const struct otter_board *board = check->ports->board;

    return board->reset_cause(board->context) == cause;
}

static bool is_manager_wanted(const struct port_check *check)
{
    const struct otter_board *board = check->ports->board;

    return board->wants_manager(board->context);
}

static enum port_check_resets begin_software(struct port_check *check)
{
    const struct otter_board *board = check->ports->board;

    if (!expect(check, "the place in flash is kept",
                port_check_erase(check, check->scratch_addr) &&
                    leave_mark(check, MARK_SOFTWARE, true))) {
        return PORT_CHECK_RESETS_FAILED;
    }
    if (!port_check_keep_file(check)) {
        (void)port_check_erase(check, check->scratch_addr);
        (void)expect(check, "a file can be made and synced", false);
        return PORT_CHECK_RESETS_FAILED;
    }
    board->request_manager(board->context, true);
    board->reset(board->context);
    return PORT_CHECK_RESETS_WAITS;
}

static enum port_check_resets begin_watchdog(struct port_check *check)
{
    const struct otter_board *board = check->ports->board;
    uint32_t period_ms = check->watchdog_ms != 0 ? check->watchdog_ms : WATCHDOG_MS;
    bool is_good = expect(check, "a reset that software asked for is told as such",
                          is_cause(check, OTTER_RESET_SOFTWARE));

    is_good &=
        expect(check, "the word for the manager survives it", is_manager_wanted(check));
    if (check->ports->files != NULL) {
        is_good &= expect(check, "a file that was synced survives it",
                          port_check_find_file(check));
    }
    board->request_manager(board->context, false);
    if (!leave_mark(check, MARK_WATCHDOG, is_good)) {
        return PORT_CHECK_RESETS_FAILED;
    }
    board->watchdog_start(board->context, period_ms);
    uint32_t start_ms = port_check_ms(check);

    while (port_check_ms(check) - start_ms < PATIENCE * period_ms) {
    }
    (void)port_check_erase(check, check->scratch_addr);
    (void)expect(check, "a watchdog that nobody feeds bites", false);
    return PORT_CHECK_RESETS_FAILED;
}

static enum port_check_resets end_resets(struct port_check *check)
{
    bool is_good = has_mark(check, MARK_WATCHDOG, MARK_GOOD);

    is_good &= expect(check, "the watchdog's reset is told as such",
                      is_cause(check, OTTER_RESET_WATCHDOG));
    is_good &= expect(check, "a word taken back is gone", !is_manager_wanted(check));
    is_good &= port_check_erase(check, check->scratch_addr);
    return is_good ? PORT_CHECK_RESETS_DONE : PORT_CHECK_RESETS_FAILED;
}

enum port_check_resets port_check_resets(struct port_check *check)
{
    if (port_check_area(check) == NULL) {
        return PORT_CHECK_RESETS_FAILED;
    }
    if (!is_marked(check, MARK_SOFTWARE)) {
        return begin_software(check);
    }
    if (!is_marked(check, MARK_WATCHDOG)) {
        return begin_watchdog(check);
    }
    return end_resets(check);
}
