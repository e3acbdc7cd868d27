/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request whose record reads differently from one program to the next: boot does not
 * see it and starts the application, the agent sees it. Without a word of the agent's
 * the next power-on would be the same, for ever.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

enum { SECTOR = 512, WAY_OLD_NEW_OLD = 3 }; /* see vflash.h */

/* A journal sector that may be erased. */
static uint32_t free_sector(const struct otter_journal *journal)
{
    int sector = 0;

    while (sector == journal->newest || sector == journal->kept[0] ||
           sector == journal->kept[1]) {
        sector++;
    }
    return (uint32_t)sector;
}

/* Puts the request into a journal sector of its own: one record stands; the second,
 * with which the sector counts, counts at every second reading. */
static void tear_request(struct world *world)
{
    static struct otter_device view;
    const struct otter_flash_area *area = &world->sample.profile.areas[0];
    uint32_t words = OTTER_RECORD_SIZE / area->word_size;
    uint8_t sector[SECTOR];
    uint8_t record[OTTER_RECORD_SIZE];

    assert_int_equal(vdevice_inspect(&world->device, &view), OTTER_OK);
    assert_int_equal(area->sector_size, SECTOR);
    struct otter_state state = view.journal.state;

    assert_int_equal(state.phase, OTTER_PHASE_COMPLETE);
    state.phase = OTTER_PHASE_REQUESTED;
    otter_record_encode(&state, view.io.erases + 1, view.journal.highest + 1,
                        OTTER_PROGRAM_AGENT, record);
    memset(sector, area->erased, sizeof(sector));
    memcpy(sector, record, sizeof(record));
    uint32_t addr = world_region(world, OTTER_REGION_JOURNAL)->addr +
                    free_sector(&view.journal) * SECTOR;
    const struct vflash_op op = {.addr = addr + OTTER_RECORD_SIZE,
                                 .size = OTTER_RECORD_SIZE,
                                 .word_count = words,
                                 .data = record};

    vflash_provision(&world->device.flash, addr, sector, sizeof(sector));
    vflash_tear(&world->device.flash, &op, words - 1 + WAY_OLD_NEW_OLD * (words + 1));
}

static void k3_a_request_that_only_the_agent_reads_comes_to_its_end(void **state)
{
    struct world *world = world_make_small(false, false);

    (void)state;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_feed(world), OTTER_OK);
    vdevice_power_off(&world->device);
    tear_request(world);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    const struct otter_device *view = vdevice_view(&world->device);

    assert_int_equal(view->program, OTTER_PROGRAM_AGENT);
    assert_int_equal(view->journal.state.phase, OTTER_PHASE_REQUESTED);
    vdevice_power_off(&world->device);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    vdevice_power_off(&world->device);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->next));
    world_drop(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k3_a_request_that_only_the_agent_reads_comes_to_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
