/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console's words: numbers, codes, events.
 */
#include "console.h"

#include "otter/state.h"
#include "port.h"
#include "uart.h"

#include <string.h>

#ifndef CONSOLE_TELLS_BUSY
#define CONSOLE_TELLS_BUSY 0
#endif

enum { PERCENT_STEP = 50 }; /* of progress that is worth a line */

void console_text(const char *text)
{
    uart_put(text, strlen(text));
}

void console_number(uint32_t number)
{
    char digits[10];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    uart_put(digits + at, sizeof(digits) - at);
}

void console_hex(uint32_t number)
{
    static const char names[] = "0123456789abcdef";
    char digits[8];

    for (size_t i = 0; i < sizeof(digits); i++) {
        digits[i] = names[number >> (28 - 4 * i) & 15U];
    }
    uart_put(digits, sizeof(digits));
}

static void two_digits(uint32_t number)
{
    if (number < 10) {
        console_text("0");
    }
    console_number(number);
}

void console_code(uint16_t code)
{
    console_text("[");
    two_digits(code >> 8);
    console_text("-");
    two_digits(code & 0xFFU);
    console_text("]");
}

/* The name at `index`, or "?". */
static const char *name_at(const char *const *names, size_t count, size_t index)
{
    return index < count && names[index] != NULL ? names[index] : "?";
}

static const char *name_of_kind(uint8_t kind)
{
    static const char *const names[] = {
        [OTTER_EVENT_STARTED] = "started",   [OTTER_EVENT_PHASE] = "phase ",
        [OTTER_EVENT_STAGE] = "stage ",      [OTTER_EVENT_RECEIVING] = "receiving ",
        [OTTER_EVENT_REFUSED] = "refused",   [OTTER_EVENT_FAILED] = "failed",
        [OTTER_EVENT_REPAIRED] = "repaired",
    };

    return name_at(names, sizeof(names) / sizeof(names[0]), kind);
}

static const char *name_of_phase(uint8_t phase)
{
    static const char *const names[] = {
        [OTTER_PHASE_CONFIRMED] = "confirmed",
        [OTTER_PHASE_RECEIVING] = "receiving",
        [OTTER_PHASE_COMPLETE] = "complete",
        [OTTER_PHASE_REQUESTED] = "requested",
        [OTTER_PHASE_INSTALLING] = "installing",
        [OTTER_PHASE_TRIAL] = "trial",
        [OTTER_PHASE_ROLLING_BACK] = "rolling back",
        [OTTER_PHASE_ROLLED_BACK] = "rolled back",
    };

    return name_at(names, sizeof(names) / sizeof(names[0]), phase);
}

static bool has_percent(const struct otter_event *event)
{
    return event->kind == OTTER_EVENT_RECEIVING || event->kind == OTTER_EVENT_STAGE;
}

#if CONSOLE_TELLS_BUSY /* make bench-board */
static void print_busy(void)
{
    console_text(" busy ");
    console_number(port_busy_us());
}
#else
static void print_busy(void)
{
}
#endif

static void print(const struct otter_event *event, const char *program)
{
    console_text(program);
    console_text(": ");
    console_text(name_of_kind(event->kind));
    if (event->kind == OTTER_EVENT_PHASE) {
        console_text(name_of_phase(event->stage));
    }
    if (event->kind == OTTER_EVENT_STAGE) {
        console_number(event->stage);
        console_text(" ");
    }
    if (has_percent(event)) {
        console_number(event->percent);
        console_text(" %");
    }
    if (event->code != 0) {
        console_text(" ");
        console_code(event->code);
    }
    print_busy();
    console_text("\n");
}

/* Of progress only some; the step into a trial has no number, its phase is told. */
static bool is_worth_a_line(const struct otter_event *event)
{
    if (event->kind == OTTER_EVENT_STAGE && event->stage == 0) {
        return false;
    }
    return !has_percent(event) || event->percent % PERCENT_STEP == 0;
}

void console_events(struct otter_events *events, const char *program)
{
    struct otter_event event;
    uint32_t missed = 0;

    while (otter_events_take(events, &event, &missed)) {
        if (is_worth_a_line(&event)) {
            print(&event, program);
        }
    }
}
