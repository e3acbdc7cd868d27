/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An installation in which one reading fails, at every reading in turn, and one whose
 * journal takes no more, at every record in turn: of coded, encrypted and many members.
 * Expected: the contracts K3, K5, K13, the promises P1 and P7, docs/ERRORS.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <stdio.h>
#include <string.h>

enum {
    STEPS_MAX = 100000,
    NUMBERS_MAX = 60, /* records of the longest of these installations, and more */
};

static const uint32_t highest = 0xFFFFFF00; /* sequence number: docs/SPEC.md */

static const struct product {
    const char *name;
    bool is_ab;
    bool carries_manager;
    bool carries_regions;
    enum otter_coding coding;
    bool is_encrypted;
    bool carries_table;
} products[] = {
    {"zlib with manager", false, true, false, OTTER_CODING_ZLIB, false, false},
    {"heatshrink with manager, A/B", true, true, false, OTTER_CODING_HEATSHRINK, false,
     false},
    {"resources and font", false, false, true, OTTER_CODING_RAW, false, false},
    {"coded resources and font, A/B", true, false, true, OTTER_CODING_ZLIB, false,
     false},
    {"encrypted with manager", false, true, false, OTTER_CODING_RAW, true, false},
    {"coded and encrypted, A/B", true, false, false, OTTER_CODING_ZLIB, true, false},
    {"flash table", false, false, false, OTTER_CODING_RAW, false, true},
};

enum { PRODUCTS = sizeof(products) / sizeof(products[0]) };

/* A device, and the package of that product. */
static struct world *make(const struct product *product)
{
    struct world *world = product->carries_regions
                              ? world_make_full(product->is_ab)
                              : world_make_small(product->is_ab, false);

    if (product->carries_manager) {
        sample_carry_manager(&world->sample, &world->next);
    }
    if (product->carries_table) {
        sample_rotate(&world->sample, &world->next);
    }
    if (product->coding != OTTER_CODING_RAW) {
        sample_code(&world->next, product->coding);
    }
    if (product->is_encrypted) {
        sample_encrypt(&world->sample, &world->next);
    }
    sample_build(&world->next);
    return world;
}

/* The package is there, requested, and the device is off. */
static struct world *make_requested(const struct product *product)
{
    struct world *world = make(product);

    world_prepare(world);
    vdevice_power_off(&world->device);
    world_mark(world);
    return world;
}

/* The device runs one of the two systems, or the manager, which says why. */
static void assert_runs(struct world *world, const char *name, uint32_t number,
                        bool must_be_application)
{
    enum vdevice_end end = world_power_on(world);
    bool has_application =
        world->device.program == OTTER_PROGRAM_AGENT &&
        (world_holds(world, world->device.region, &world->sample.first) ||
         world_holds(world, world->device.region, &world->next));
    bool has_manager =
        world->device.program == OTTER_PROGRAM_MANAGER && !must_be_application &&
        (world->device.code != 0 || world->device.manager.result != OTTER_OK);

    if (world->device.defect != NULL || end == VDEVICE_NOTHING ||
        (!has_application && !has_manager)) {
        fail_msg("%s, at %u: end %d, program %d, code %u-%02u", name, (unsigned)number,
                 (int)end, (int)world->device.program,
                 (unsigned)world->device.code >> 8, world->device.code & 255U);
    }
}

/* --- a reading fails --- */

static struct {
    struct world *world;
    uint32_t fail_at; /* this reading outside the journal, counted from 1 */
    uint32_t reads;
    uint32_t addr; /* of the word that died */
} reading;

static bool lies_in(uint32_t addr, uint8_t id)
{
    const struct otter_region *region = world_region(reading.world, id);

    return region != NULL && addr >= region->addr && addr - region->addr < region->size;
}

static void on_read(void *context, uint32_t addr, size_t size)
{
    (void)context;
    (void)size;
    if (lies_in(addr, OTTER_REGION_JOURNAL)) {
        return;
    }
    reading.reads++;
    if (reading.reads == reading.fail_at &&
        vflash_word_at(&reading.world->device.flash, addr) != VFLASH_WORD_ERASED) {
        reading.addr = addr;
        vflash_kill_word(&reading.world->device.flash, addr);
    }
}

static struct {
    struct otter_device device;
    struct otter_install install;
} engine;

/* As the manager runs the engine, until it ends. */
static enum otter_step run_engine(struct world *world)
{
    enum otter_step answer = OTTER_STEP_MORE;

    assert_int_equal(
        otter_device_open(&engine.device, &world->device.ports, OTTER_PROGRAM_MANAGER),
        OTTER_OK);
    assert_int_equal(otter_install_open(&engine.install, &engine.device), OTTER_OK);
    world->device.flash.hooks.on_read = on_read;
    for (int i = 0; answer == OTTER_STEP_MORE; i++) {
        assert_true(i < STEPS_MAX);
        answer = otter_install_step(&engine.install);
    }
    world->device.flash.hooks.on_read = NULL;
    return answer;
}

/* The answer of the engine with that reading failing; 0: none. */
static enum otter_step install(struct world *world, uint32_t fail_at)
{
    reading.world = world;
    reading.fail_at = fail_at;
    reading.reads = 0;
    reading.addr = 0;
    world_back(world);
    vflash_power_on(&world->device.flash, (struct vflash_fault){.kind = VFLASH_NONE});
    return run_engine(world);
}

static void check_reads(const struct product *product)
{
    struct world *world = make_requested(product);
    enum otter_step whole = install(world, 0);
    uint32_t reads = reading.reads;
    unsigned failures = 0;

    assert_int_equal(whole,
                     product->carries_manager ? OTTER_STEP_RESET : OTTER_STEP_DONE);
    assert_true(reads > 50);
    for (uint32_t at = 1; at <= reads; at++) {
        enum otter_step answer = install(world, at);

        if (answer == OTTER_STEP_FAILED) {
            struct otter_state state = world_state(world);

            assert_int_not_equal(otter_code(engine.install.result), 0);
            if (state.outcome.code != otter_code(engine.install.result)) {
                fail_msg("%s, reading %u: [%02u-%02u] is not recorded", product->name,
                         (unsigned)at, otter_code(engine.install.result) >> 8,
                         otter_code(engine.install.result) & 255U);
            }
            failures++;
        } else {
            assert_int_equal(answer, whole);
        }
        /* One that runs is whole, so the loss of what is not run stops nothing. */
        assert_runs(world, product->name, at,
                    lies_in(reading.addr, OTTER_REGION_STAGING));
    }
    assert_true(failures > 10);
    world_drop(world);
}

static void p7_a_reading_that_fails_anywhere_in_an_installation_has_a_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < PRODUCTS; i++) {
        check_reads(&products[i]);
    }
}

/* The engine has handed over to boot, which cannot read what lies there for it. */
static void k26_without_the_storage_key_boot_writes_no_manager(void **state)
{
    struct world *world = make_requested(&products[4]);

    (void)state;
    assert_true(products[4].is_encrypted && products[4].carries_manager);
    assert_int_equal(install(world, 0), OTTER_STEP_RESET);
    world->sample.key_store.count = 1; /* the root alone */
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
    assert_true(world_is_untouched(world, OTTER_REGION_MANAGER));
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_FAILED);
    assert_int_equal(world_state(world).outcome.code,
                     otter_code(OTTER_E_MANAGER_WRITE));
    world_drop(world);
}

/* A package that is refused changes nothing; nor does one that was taken although a
 * copy of what was read is gone (K13). */
static void check_transfer(const struct product *product)
{
    struct world *world = make(product);

    reading.world = world;
    reading.fail_at = 0;
    do {
        world_back(world);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        reading.fail_at++;
        reading.reads = 0;
        reading.addr = 0;
        world->device.flash.hooks.on_read = on_read;
        enum otter_result result = world_feed(world);

        world->device.flash.hooks.on_read = NULL;
        assert_true(result == OTTER_OK || otter_code(result) != 0);
        assert_true(world_is_untouched(world, OTTER_REGION_TABLE) ||
                    lies_in(reading.addr, OTTER_REGION_TABLE));
        assert_runs(world, product->name, reading.fail_at,
                    lies_in(reading.addr, OTTER_REGION_STAGING));
        assert_true(world->device.program == OTTER_PROGRAM_MANAGER ||
                    world_holds(world, world->device.region, &world->sample.first));
    } while (reading.reads >= reading.fail_at);
    assert_true(reading.fail_at > 50);
    world_drop(world);
}

static void p8_a_reading_that_fails_anywhere_in_a_transfer_costs_no_system(void **state)
{
    (void)state;
    for (size_t i = 0; i < PRODUCTS; i++) {
        check_transfer(&products[i]);
    }
}

/* --- the journal takes no more --- */

static void check_worn(struct world *world, const char *name, uint32_t numbers_left)
{
    static struct otter_device factory;

    world_back(world);
    struct otter_state state = world_state(world);

    assert_int_equal(
        otter_device_open(&factory, &world->device.ports, OTTER_PROGRAM_FACTORY),
        OTTER_OK);
    factory.journal.highest = highest - 2 - numbers_left; /* it uses two itself */
    assert_int_equal(otter_journal_write(&factory.journal, &state, OTTER_LASTING),
                     OTTER_OK);
    for (int i = 0; i < 2; i++) {
        assert_runs(world, name, numbers_left, false);
    }
}

static void k3_sequence_numbers_that_end_in_any_installation_leave_a_system_that_runs(
    void **state)
{
    (void)state;
    for (size_t i = 0; i < PRODUCTS; i++) {
        struct world *world = make_requested(&products[i]);

        for (uint32_t left = 0; left < NUMBERS_MAX; left++) {
            check_worn(world, products[i].name, left);
        }
        world_drop(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            p7_a_reading_that_fails_anywhere_in_an_installation_has_a_code),
        cmocka_unit_test(k26_without_the_storage_key_boot_writes_no_manager),
        cmocka_unit_test(
            p8_a_reading_that_fails_anywhere_in_a_transfer_costs_no_system),
        cmocka_unit_test(
            k3_sequence_numbers_that_end_in_any_installation_leave_a_system_that_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
