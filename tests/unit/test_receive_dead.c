/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A journal that dies in the middle of a transfer: the receiver refuses with its code
 * and comes to rest, so that the link is answered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

enum { STEPS_MAX = 100, PART = 200 };

static void kill_journal(struct world *world)
{
    world_set_journal_bad(world, WORLD_ALL_SECTORS);
}

/* Steps until the receiver rests; the last code that was not OK. */
static enum otter_result rest(struct otter_receive *receive)
{
    enum otter_result last = OTTER_OK;

    for (int i = 0; otter_receive_is_busy(receive); i++) {
        assert_true(i < STEPS_MAX);
        enum otter_result result = otter_receive_step(receive);

        last = result == OTTER_OK ? last : result;
    }
    return last;
}

/* Feeds the package; after four parts of it the journal ends by `strike`. */
static enum otter_result feed_until(void (*strike)(struct world *world))
{
    struct world *world = world_make_small(false, false);
    struct otter_receive *receive = &world->device.agent.receive;
    enum otter_result last = OTTER_OK;

    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    for (size_t off = 0; off < world->next.size && last == OTTER_OK; off += PART) {
        size_t left = world->next.size - off;
        struct otter_chunk chunk = {.off = (uint32_t)off,
                                    .data = world->next.bytes + off,
                                    .size = left < PART ? left : PART};

        if (off == (size_t)4 * PART) {
            strike(world);
        }
        assert_int_equal(otter_receive_offer(receive, &chunk), OTTER_OK);
        last = rest(receive);
    }
    assert_int_equal(receive->refusal, last);
    assert_int_equal(receive->next, 0);
    world_drop(world);
    return last;
}

static void p8_a_journal_that_dies_in_a_transfer_is_a_code_and_an_end(void **state)
{
    (void)state;
    assert_int_equal(feed_until(kill_journal), OTTER_E_JOURNAL_SECTORS);
}

/* The last sequence number: docs/SPEC.md, "Journal". */
static void use_up_numbers(struct world *world)
{
    world->device.agent.device.journal.highest = 0xFFFFFF00;
}

static void k3_sequence_numbers_that_end_in_a_transfer_are_a_code_and_an_end(
    void **state)
{
    (void)state;
    assert_int_equal(feed_until(use_up_numbers), OTTER_E_JOURNAL_EXHAUSTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p8_a_journal_that_dies_in_a_transfer_is_a_code_and_an_end),
        cmocka_unit_test(
            k3_sequence_numbers_that_end_in_a_transfer_are_a_code_and_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
