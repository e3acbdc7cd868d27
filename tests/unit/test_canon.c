/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical form of a device's flash (K27). That a device acts alike on both forms
 * is what the closure compares (tests/powercut/closure_compare.c); here: what the form
 * keeps and what it drops.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "canon.h"
#include "world.h"

struct bench {
    struct world *world;
    struct canon canon;
};

static int set_up(void **state)
{
    struct bench *bench = test_calloc(1, sizeof(*bench));

    bench->world = world_make_small(false, false);
    canon_open(&bench->canon, &bench->world->device.flash,
               &bench->world->sample.profile.map);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    canon_close(&bench->canon);
    world_drop(bench->world);
    test_free(bench);
    return 0;
}

static uint32_t addr_of(const struct bench *bench, uint8_t region)
{
    return world_region(bench->world, region)->addr;
}

static void k27_the_hash_is_that_of_the_form_which_is_its_own_form(void **state)
{
    struct bench *bench = *state;
    uint64_t hash = canon_hash(&bench->canon);

    canon_make(&bench->canon);
    assert_true(canon_hash(&bench->canon) == hash);
    canon_make(&bench->canon);
    assert_true(canon_hash(&bench->canon) == hash);
    assert_int_equal(world_power_on(bench->world), VDEVICE_IDLE);
    assert_int_equal(bench->world->device.program, OTTER_PROGRAM_AGENT);
}

static void k27_sequence_numbers_do_not_tell_states_apart(void **state)
{
    struct bench *bench = *state;
    uint64_t hash = canon_hash(&bench->canon);

    canon_shift_sequences(&bench->canon, 77);
    assert_true(canon_hash(&bench->canon) == hash);
}

static void k27_a_bit_of_an_image_a_receipt_or_the_table_does(void **state)
{
    static const uint8_t regions[] = {OTTER_REGION_APPLICATION, OTTER_REGION_MANAGER,
                                      OTTER_REGION_RECEIPTS, OTTER_REGION_TABLE};
    struct bench *bench = *state;
    uint64_t hash = canon_hash(&bench->canon);

    for (size_t i = 0; i < sizeof(regions); i++) {
        world_back(bench->world);
        vflash_flip(&bench->world->device.flash, addr_of(bench, regions[i]) + 5, 1);
        assert_true(canon_hash(&bench->canon) != hash);
    }
    world_back(bench->world);
    assert_true(canon_hash(&bench->canon) == hash);
}

enum { NEW = 2, IN_TURN = 6 }; /* seeds of one word: vflash.h */

/* A word of the store that a cut left, and that reads as nothing that belongs there. */
static void tear_store(struct bench *bench, uint8_t byte, uint32_t seed)
{
    uint8_t data[4] = {byte, byte, byte, byte};
    const struct vflash_op op = {.addr = addr_of(bench, OTTER_REGION_STAGING),
                                 .size = sizeof(data),
                                 .word_count = 1,
                                 .data = data};

    world_back(bench->world);
    vflash_tear(&bench->world->device.flash, &op, seed);
}

static void k27_what_a_cut_left_is_garbage_whatever_its_bytes(void **state)
{
    struct bench *bench = *state;
    uint64_t hash;

    tear_store(bench, 0x11, NEW);
    hash = canon_hash(&bench->canon);
    tear_store(bench, 0x22, NEW);
    assert_true(canon_hash(&bench->canon) == hash);
    tear_store(bench, 0x22, IN_TURN); /* but one that reads in turn is another thing */
    assert_true(canon_hash(&bench->canon) != hash);
}

/* What a cut leaves so is its own form, and not that of other bytes. */
static void assert_stays(struct bench *bench, uint32_t seed)
{
    uint64_t hash;

    tear_store(bench, 0x11, seed);
    hash = canon_hash(&bench->canon);
    canon_make(&bench->canon);
    assert_true(canon_hash(&bench->canon) == hash);
    tear_store(bench, 0x22, seed);
    assert_true(canon_hash(&bench->canon) != hash);
}

/* A device may read some of it more often than the rest. */
static void k27_what_reads_in_turn_stays_as_it_is(void **state)
{
    assert_stays(*state, IN_TURN);
}

/* An erase of it may fail in any way, and leave any part. */
static void k27_what_a_bad_sector_holds_stays_as_it_is(void **state)
{
    struct bench *bench = *state;

    bench->canon.bad = addr_of(bench, OTTER_REGION_STAGING);
    assert_stays(bench, NEW);
}

static void k27_what_is_known_to_belong_there_is_no_garbage(void **state)
{
    struct bench *bench = *state;
    uint32_t addr = addr_of(bench, OTTER_REGION_STAGING);
    uint64_t garbage;

    tear_store(bench, 0x11, NEW);
    garbage = canon_hash(&bench->canon);
    canon_close(&bench->canon);
    canon_open(&bench->canon, &bench->world->device.flash,
               &bench->world->sample.profile.map);
    world_back(bench->world);
    vflash_provision(&bench->world->device.flash, addr, "\x11\x11\x11\x11", 4);
    canon_learn(&bench->canon, addr);
    tear_store(bench, 0x11, NEW);
    assert_true(canon_hash(&bench->canon) != garbage);
}

static void k27_a_dead_sector_is_not_looked_at(void **state)
{
    struct bench *bench = *state;
    struct vflash *flash = &bench->world->device.flash;
    uint32_t addr = addr_of(bench, OTTER_REGION_STAGING);
    struct canon_set dead = {{0}};
    uint64_t hash;

    assert_true(canon_asks(&bench->canon));
    canon_set_add(&dead, vflash_sector_index(flash, addr));
    canon_answer(&bench->canon, &dead);
    assert_false(canon_asks(&bench->canon));
    hash = canon_hash(&bench->canon);
    vflash_provision(flash, addr, "left over", 9);
    assert_true(canon_hash(&bench->canon) == hash);
    vflash_provision(flash, addr + 512, "left over", 9); /* the next sector is alive */
    assert_true(canon_hash(&bench->canon) != hash);
}

static void k27_looking_does_not_read(void **state)
{
    struct bench *bench = *state;
    struct vflash *flash = &bench->world->device.flash;
    uint64_t reads = flash->counts.read_bytes;
    uint64_t raw = vflash_hash(flash);

    (void)canon_hash(&bench->canon);
    assert_true(flash->counts.read_bytes == reads);
    assert_true(vflash_hash(flash) == raw);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(k27_the_hash_is_that_of_the_form_which_is_its_own_form),
        TEST(k27_sequence_numbers_do_not_tell_states_apart),
        TEST(k27_a_bit_of_an_image_a_receipt_or_the_table_does),
        TEST(k27_what_a_cut_left_is_garbage_whatever_its_bytes),
        TEST(k27_what_reads_in_turn_stays_as_it_is),
        TEST(k27_what_a_bad_sector_holds_stays_as_it_is),
        TEST(k27_what_is_known_to_belong_there_is_no_garbage),
        TEST(k27_a_dead_sector_is_not_looked_at),
        TEST(k27_looking_does_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
