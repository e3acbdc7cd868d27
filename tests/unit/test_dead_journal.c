/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a device is silent whose journal takes no record any more: in simulated
 * time, with the longest times of a NOR flash's data sheet for an erase and a program.
 * While boot or the receiver looks for a sector no message is taken; the answer to the
 * first one is out before. Expected: each sector is tried once in a power-on and
 * program, by its erase, its opening and four slots in a row at the most; what comes
 * later is refused at once with 27-11 (otter/error.h), and a system runs (P1).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <string.h>

enum {
    ERASE_MS = 400,
    PROGRAM_MS = 3,
    OPENING = 2, /* records */
    SLOTS = 4,   /* that fail in a row, of a sector */
    ROUND_PER_MS = ERASE_MS + (OPENING + SLOTS) * PROGRAM_MS, /* of a sector */
    POLL_MS = 200, /* what the virtual device counts for its steps, at most */
    PART = 200,
    CODE_SECTORS = 27 * 256 + 11,
};

enum death {
    NO_ERASE,   /* no sector can be erased */
    NO_PROGRAM, /* they can, and take nothing */
    NO_THIRD,   /* they take two records, and no third one */
    DEATHS,
};

/* Flash between device and memory, which takes its time. */
static struct slow_flash {
    struct world *world;
    const struct otter_flash *inner;
    struct otter_region journal;
    uint32_t sector_size;
    enum death death;
    bool is_dead;
} slow;

static bool is_journal(uint32_t addr)
{
    return slow.is_dead && addr >= slow.journal.addr &&
           addr - slow.journal.addr < slow.journal.size;
}

static enum otter_result slow_read(void *context, uint32_t addr, void *data,
                                   size_t size)
{
    (void)context;
    return slow.inner->read(slow.inner->context, addr, data, size);
}

static enum otter_result slow_program(void *context, uint32_t addr, const void *data,
                                      size_t size)
{
    uint32_t in_sector = (addr - slow.journal.addr) % slow.sector_size;

    (void)context;
    slow.world->device.clock_ms += PROGRAM_MS;
    if (is_journal(addr) &&
        (slow.death != NO_THIRD || in_sector >= OPENING * OTTER_RECORD_SIZE)) {
        return OTTER_E_FLASH_PROGRAM;
    }
    return slow.inner->program(slow.inner->context, addr, data, size);
}

static enum otter_result slow_erase(void *context, uint32_t addr)
{
    (void)context;
    slow.world->device.clock_ms += ERASE_MS;
    return is_journal(addr) && slow.death == NO_ERASE
               ? OTTER_E_FLASH_ERASE
               : slow.inner->erase(slow.inner->context, addr);
}

/* A device of `profile` on that flash, which is whole so far. */
static struct world *make(const struct host_profile *profile, enum death death)
{
    static struct otter_flash flash;
    struct world *world = world_make(profile, false);

    slow = (struct slow_flash){.world = world,
                               .inner = world->device.ports.flash,
                               .journal = *world_region(world, OTTER_REGION_JOURNAL),
                               .sector_size = profile->areas[0].sector_size,
                               .death = death};
    flash = *slow.inner;
    flash.read = slow_read;
    flash.program = slow_program;
    flash.erase = slow_erase;
    world->device.ports.flash = &flash;
    return world;
}

static uint32_t round_ms(void)
{
    return slow.journal.size / slow.sector_size * ROUND_PER_MS;
}

/* Offers the first part of a transfer and steps until the receiver rests; how long that
 * takes. The step's result is `*last`. */
static uint32_t offer_ms(struct world *world, uint8_t session, enum otter_result *last)
{
    struct otter_receive *receive = &world->device.agent.receive;
    uint32_t begin_ms = world->device.clock_ms;
    struct otter_chunk chunk = {
        .data = world->next.bytes, .size = PART, .session = {session}};

    *last = otter_receive_offer(receive, &chunk);
    while (otter_receive_is_busy(receive)) {
        enum otter_result result = otter_receive_step(receive);

        *last = result == OTTER_OK ? *last : result;
    }
    return world->device.clock_ms - begin_ms;
}

static const struct host_profile *const profiles[] = {&host_profile_link,
                                                      &host_profile_ab};

/* The first message that needs a record makes the agent look at each sector once. */
static void p7_a_dead_journal_silences_the_agent_for_one_round(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * DEATHS; i++) {
        struct world *world = make(profiles[i % 2], (enum death)(i / 2));
        enum otter_result result = OTTER_OK;

        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        slow.is_dead = true;
        uint32_t first_ms = offer_ms(world, 1, &result);

        assert_int_equal(otter_code(result), CODE_SECTORS);
        assert_in_range(first_ms, ERASE_MS, round_ms());
        for (uint8_t session = 2; session < 9; session++) {
            assert_int_equal(offer_ms(world, session, &result), 0);
            assert_int_equal(otter_code(result), CODE_SECTORS);
        }
        world_drop(world);
    }
}

/* Boot looks once, for what must be recorded before it may jump, and then runs what
 * needs no record; so does that, as it says the request once more. The link is served
 * after that. */
static void p1_a_dead_journal_delays_the_start_by_two_rounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * DEATHS; i++) {
        struct world *world = make(profiles[i % 2], (enum death)(i / 2));

        world_prepare(world); /* the manager would have to record that it begins */
        vdevice_power_off(&world->device);
        slow.is_dead = true;
        for (int start = 0; start < 3; start++) {
            assert_int_equal(world_power_on(world), VDEVICE_IDLE);
            assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
            assert_true(world_holds(world, world->device.region, &world->sample.first));
            assert_in_range(world->device.clock_ms, ERASE_MS, 2 * round_ms() + POLL_MS);
            vdevice_power_off(&world->device);
        }
        world_drop(world);
    }
}

/* An idle device with a sealed journal writes nothing, so it does not notice (K9). */
static void k9_an_idle_start_does_not_look_at_a_dead_journal(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * DEATHS; i++) {
        struct world *world = make(profiles[i % 2], (enum death)(i / 2));

        slow.is_dead = true;
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        assert_in_range(world->device.clock_ms, 0, POLL_MS);
        world_drop(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p7_a_dead_journal_silences_the_agent_for_one_round),
        cmocka_unit_test(p1_a_dead_journal_delays_the_start_by_two_rounds),
        cmocka_unit_test(k9_an_idle_start_does_not_look_at_a_dead_journal),
    };

    return cmocka_run_group_tests_name("dead journal", tests, NULL, NULL);
}
