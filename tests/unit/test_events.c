/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the ring of events. Expected values follow from otter/events.h: the oldest
 * event first, and a count of those that gave way.
 */
#include "otter/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void add(struct otter_events *events, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct otter_event event = {.time_ms = first + i,
                                    .kind = OTTER_EVENT_STAGE,
                                    .stage = 10,
                                    .percent = (uint8_t)((first + i) % 101),
                                    .code = (uint16_t)(first + i)};

        otter_events_add(events, &event);
    }
}

static void take(struct otter_events *events, uint32_t expected,
                 uint32_t expected_missed)
{
    struct otter_event event;
    uint32_t missed = 77;

    assert_true(otter_events_take(events, &event, &missed));
    assert_int_equal(missed, expected_missed);
    assert_int_equal(event.time_ms, expected);
    assert_int_equal(event.kind, OTTER_EVENT_STAGE);
    assert_int_equal(event.stage, 10);
    assert_int_equal(event.percent, expected % 101);
    assert_int_equal(event.code, (uint16_t)expected);
}

static void is_empty(struct otter_events *events)
{
    struct otter_event event;
    uint32_t missed = 77;

    assert_false(otter_events_take(events, &event, &missed));
    assert_int_equal(missed, 0);
}

static void an_empty_ring_gives_nothing(void **state)
{
    struct otter_events events = {.written = 0};

    (void)state;
    is_empty(&events);
    is_empty(&events);
}

static void events_come_out_in_their_order_once(void **state)
{
    struct otter_events events = {.written = 0};

    (void)state;
    for (uint32_t count = 1; count <= OTTER_EVENTS; count++) {
        add(&events, 100 * count, count);
        for (uint32_t i = 0; i < count; i++) {
            take(&events, 100 * count + i, 0);
        }
        is_empty(&events);
    }
}

static void old_events_give_way_and_are_counted_once(void **state)
{
    static const uint32_t extras[] = {
        1, 2, OTTER_EVENTS - 1, OTTER_EVENTS, OTTER_EVENTS + 1, 5 * OTTER_EVENTS + 3};

    (void)state;
    for (size_t i = 0; i < sizeof(extras) / sizeof(extras[0]); i++) {
        struct otter_events events = {.written = 0};

        add(&events, 0, OTTER_EVENTS + extras[i]);
        take(&events, extras[i], extras[i]);
        for (uint32_t k = 1; k < OTTER_EVENTS; k++) {
            take(&events, extras[i] + k, 0);
        }
        is_empty(&events);
    }
}

static void an_event_added_between_two_takes_takes_the_place_of_the_oldest(void **state)
{
    struct otter_events events = {.written = 0};

    (void)state;
    add(&events, 0, OTTER_EVENTS);
    take(&events, 0, 0);
    add(&events, OTTER_EVENTS, 2); /* one place is free, so one event gives way */
    take(&events, 2, 1);
}

static void counts_that_pass_the_largest_number_lose_nothing(void **state)
{
    struct otter_events events = {.written = UINT32_MAX - 2, .read = UINT32_MAX - 2};

    (void)state;
    add(&events, 0, OTTER_EVENTS);
    for (uint32_t i = 0; i < OTTER_EVENTS; i++) {
        take(&events, i, 0);
    }
    events = (struct otter_events){.written = UINT32_MAX - 2, .read = UINT32_MAX - 2};
    add(&events, 0, OTTER_EVENTS + 5);
    take(&events, 5, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_ring_gives_nothing),
        cmocka_unit_test(events_come_out_in_their_order_once),
        cmocka_unit_test(old_events_give_way_and_are_counted_once),
        cmocka_unit_test(
            an_event_added_between_two_takes_takes_the_place_of_the_oldest),
        cmocka_unit_test(counts_that_pass_the_largest_number_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
