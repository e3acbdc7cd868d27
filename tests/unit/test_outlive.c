/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats outlive programs (K6): the programs of this tree on a journal in which a
 * newer program has left extensions that they do not know and that are not critical.
 * Every record that boot, manager and agent write is looked at, byte by byte, through
 * whole updates, roll backs, cuts and losses. The first records come from
 * tests/vectors/make_flash.py. test_outlive_critical.c has the critical ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "digest.h"
#include "outlive_bench.h"

enum { PLAIN_SETS = sizeof(vector_newer_plain) / sizeof(vector_newer_plain[0]) };

static const struct vflash_fault no_fault = {.kind = VFLASH_NONE};

/* --- the bytes alone --- */

/* The bytes of version 1, as they were when it was frozen: a changed generator, or a
 * changed header, shows here even if the code has changed with it. The digests are
 * Python's hashlib's. (A CRC would not do: most of these bytes end in their own, and
 * its value over those is the same whatever they are.) */
static const struct {
    const char *name;
    const uint8_t *bytes;
    size_t size;
    const char *sha256;
} frozen[] = {
    {"record", vector_record, sizeof(vector_record),
     "A8E500D9EE2DB676F3915161E7395AA163EAED34F4D8E7214B76694E5730D004"},
    {"record_extended", vector_record_extended, sizeof(vector_record_extended),
     "14094EC1345309EDFD74AF2409F5F368D3E13CB0725FEFF8DB2E5E4660111AB4"},
    {"record_critical", vector_record_critical, sizeof(vector_record_critical),
     "350B28504CFE7F4534F8C0E2476390A9777E4018CAAA390CBBD99D326F4940CB"},
    {"record_erases", vector_record_erases, sizeof(vector_record_erases),
     "CE6F47600539CAE1B7B61F5E2E04F547E5C926168AA3060347ED04FFC9238151"},
    {"record_reserved", vector_record_reserved, sizeof(vector_record_reserved),
     "3A6A9606791002D5A378790B11CBBC13A3FC39DFE074841FB1C27F7D8DDB3314"},
    {"table", vector_table, sizeof(vector_table),
     "334E0409173C31C2DAB04F1C046E108C756E1DC96C10A9644DBCEEBC1A0B60F3"},
    {"receipt_control", vector_receipt_control, sizeof(vector_receipt_control),
     "04773F8726C81CAFCFA1A09A82664B98B00D2021031A1715BCA1154F2DAD3472"},
    {"receipt_head", vector_receipt_head, sizeof(vector_receipt_head),
     "786AC707867A0BE391BE35023D7BCB5BFDD2C7A7542E526650453D1817716714"},
    {"receipt_hash", vector_receipt_hash, sizeof(vector_receipt_hash),
     "A84977E16951F3ABBB6CB0FD096734C5FCE997DEE5A9CB3B4D9D55655AB5D7F9"},
    {"newer_plain", &vector_newer_plain[0][0][0], sizeof(vector_newer_plain),
     "D0D899E774E889C2C8FE3238465F6A40C0D84BF26BB9BACA0B1B01FD154849A7"},
    {"newer_critical", &vector_newer_critical[0][0][0], sizeof(vector_newer_critical),
     "AEA1B5898AF3C723F4D6A48F4C254CAC740D8640FFB469D56854DFE81BA5C4A4"},
};

static void sha256_in_hex(const uint8_t *bytes, size_t size,
                          char hex[2 * OTTER_SHA256_SIZE + 1])
{
    uint8_t digest[OTTER_SHA256_SIZE];

    digest_of(bytes, size, digest);
    for (size_t i = 0; i < sizeof(digest); i++) {
        (void)snprintf(hex + 2 * i, 3, "%02X", digest[i]);
    }
}

static void k6_the_frozen_vectors_are_what_they_were(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(frozen) / sizeof(frozen[0]); i++) {
        char found[2 * OTTER_SHA256_SIZE + 1];

        sha256_in_hex(frozen[i].bytes, frozen[i].size, found);
        if (strcmp(found, frozen[i].sha256) != 0) {
            fail_msg("%s: %s", frozen[i].name, found);
        }
    }
}

static void check_round_trip(const uint8_t record[BENCH_RECORD])
{
    struct otter_state found;
    uint32_t erases[OTTER_ERASE_COUNTS];
    uint32_t sequence = 0;
    uint8_t again[BENCH_RECORD];

    assert_true(otter_record_decode(record, &found, erases, &sequence));
    otter_record_encode(&found, erases, sequence, found.last_writer, again);
    assert_memory_equal(again, record, BENCH_RECORD);
}

static void k6_a_newer_programs_records_decode_and_encode_to_the_same_bytes(
    void **state)
{
    (void)state;
    for (size_t i = 0; i < PLAIN_SETS * 2; i++) {
        check_round_trip(vector_newer_plain[i / 2][i % 2]);
    }
    for (size_t i = 0; i < 2 * sizeof(vector_newer_critical) / (2 * BENCH_RECORD);
         i++) {
        check_round_trip(vector_newer_critical[i / 2][i % 2]);
    }
}

/* A newer program that uses the reserved bytes is read, but they are not kept: facts
 * that are to last go into extensions. */
static void k6_reserved_bytes_are_read_over_and_not_kept(void **state)
{
    struct otter_state found;
    uint32_t erases[OTTER_ERASE_COUNTS];
    uint32_t sequence = 0;
    uint8_t again[BENCH_RECORD];

    (void)state;
    assert_true(otter_record_decode(vector_record_reserved, &found, erases, &sequence));
    otter_record_encode(&found, erases, sequence, found.last_writer, again);
    assert_memory_equal(again, vector_record, BENCH_RECORD);
}

/* --- whole updates --- */

struct scenario {
    const char *name;
    bool carries_manager;
    enum vdevice_app app;         /* of the new system */
    enum vdevice_app app_manager; /* of the new manager */
    uint8_t kind;                 /* of the outcome */
};

static const struct scenario scenarios[] = {
    {"confirm", false, VDEVICE_CONFIRM, VDEVICE_CONFIRM, OTTER_OUTCOME_CONFIRMED},
    {"crash", false, VDEVICE_CRASH, VDEVICE_CONFIRM, OTTER_OUTCOME_ROLLED_BACK},
    {"hang", false, VDEVICE_HANG, VDEVICE_CONFIRM, OTTER_OUTCOME_ROLLED_BACK},
    {"silent", false, VDEVICE_SILENT, VDEVICE_CONFIRM, OTTER_OUTCOME_ROLLED_BACK},
    {"manager", true, VDEVICE_CONFIRM, VDEVICE_CONFIRM, OTTER_OUTCOME_CONFIRMED},
    {"manager, crash", true, VDEVICE_CRASH, VDEVICE_CONFIRM, OTTER_OUTCOME_ROLLED_BACK},
    {"manager fails", true, VDEVICE_CONFIRM, VDEVICE_CRASH, OTTER_OUTCOME_FAILED},
};

enum { SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]) };

/* A device that is off, its journal a newer manager's, and the scenario's package. */
static struct world *make_newer(bool is_ab, const struct scenario *scenario, size_t set)
{
    struct world *world = world_make_small(is_ab, false);
    struct extensions wanted = extensions_of(vector_newer_plain[set][1]);

    if (scenario->carries_manager) {
        sample_carry_manager(&world->sample, &world->next);
        sample_build(&world->next);
    }
    world->device.app = scenario->app;
    world->device.app_manager = scenario->app_manager;
    put_newer(world, vector_newer_plain[set]);
    world_mark(world);
    watch_start(world, &wanted);
    return world;
}

static void assert_kept(struct world *world, const char *name, uint32_t op)
{
    struct otter_state state = world_state(world);

    if (watch.wrong != 0 || !state_has(&state, &watch.wanted)) {
        fail_msg("%s, operation %u: the extensions are not what they were", name,
                 (unsigned)op);
    }
}

/* The newer manager's record says of the factory's device what its own record says. */
static void k6_the_devices_that_a_newer_manager_left_are_the_factorys(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_small(i == 1, false);
        struct otter_state factory = world_state(world);

        put_newer(world, vector_newer_plain[0]);
        struct otter_state newer = world_state(world);

        assert_true(otter_state_equal(&factory, &newer));
        assert_int_equal(newer.last_writer, OTTER_PROGRAM_MANAGER);
        world_drop(world);
    }
}

static void k6_a_confirmed_boot_on_a_newer_journal_is_quiet(void **state)
{
    (void)state;
    for (size_t i = 0; i < PLAIN_SETS * 2; i++) {
        struct world *world = make_newer(i % 2 == 1, &scenarios[0], i / 2);

        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        assert_int_equal(world->device.code, 0);
        assert_int_equal(world->device.flash.op, 0);
        assert_true(
            state_has(&world->device.agent.device.journal.state, &watch.wanted));
        world_drop(world);
    }
}

/* Old boot x new manager x old agent: each of the three must have written. */
static void k6_every_record_of_boot_manager_and_agent_keeps_the_extensions(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCENARIOS * PLAIN_SETS * 2; i++) {
        const struct scenario *scenario = &scenarios[i / 2 % SCENARIOS];
        struct world *world = make_newer(i % 2 == 1, scenario, i / 2 / SCENARIOS);

        assert_int_equal(run_update(world, no_fault), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        assert_kept(world, scenario->name, 0);
        assert_int_equal(world_state(world).outcome.kind, scenario->kind);
        assert_true(watch.records[OTTER_PROGRAM_BOOT] > 0);
        assert_true(watch.records[OTTER_PROGRAM_MANAGER] > 0);
        assert_true(watch.records[OTTER_PROGRAM_AGENT] > 0);
        world_drop(world);
    }
}

/* Carries the update on after a cut, sending what is missing. */
static void go_on(struct world *world)
{
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    if (world_state(world).outcome.kind == OTTER_OUTCOME_NONE) {
        assert_int_equal(world_feed(world), OTTER_OK);
        assert_int_equal(world_request(world), OTTER_OK);
        assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE),
                         VDEVICE_IDLE);
    }
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
}

/* Cuts the scenario at every operation. Its length in operations. */
static uint32_t cut_everywhere(struct world *world, const struct scenario *scenario,
                               enum vflash_fault_kind kind)
{
    for (uint32_t op = 0;; op++) {
        const struct vflash_fault fault = {.at_op = op, .kind = kind, .seed = op * 7};

        world_back(world);
        if (run_update(world, fault) != VDEVICE_CUT) {
            return op;
        }
        assert_kept(world, scenario->name, op);
        go_on(world);
        assert_kept(world, scenario->name, op);
    }
}

static void k6_a_cut_at_any_operation_loses_no_extension(void **state)
{
    static const enum vflash_fault_kind kinds[] = {VFLASH_CUT_AFTER, VFLASH_TORN};
    const size_t set = 3; /* three extensions of 3, 0 and 31 bytes */

    (void)state;
    for (size_t i = 0; i < SCENARIOS * 4; i++) {
        const struct scenario *scenario = &scenarios[i / 4];
        struct world *world = make_newer(i % 2 == 1, scenario, set);

        assert_true(cut_everywhere(world, scenario, kinds[i / 2 % 2]) > 100);
        world_drop(world);
    }
}

/* --- a transfer, a refusal, mending --- */

static void k6_a_resumed_a_refused_and_a_forgotten_transfer_keep_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < PLAIN_SETS * 2; i++) {
        struct world *world = make_newer(i % 2 == 1, &scenarios[0], i / 2);
        struct otter_receive *receive = &world->device.agent.receive;
        enum otter_result result = OTTER_OK;

        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(vdevice_feed(&world->device, world->next.bytes,
                                      world->next.size - 900, 200, &result),
                         VDEVICE_IDLE);
        assert_kept(world, "half a package", 0);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        world->next.bytes[world->next.size - 500] ^= 1;
        assert_int_not_equal(world_feed(world), OTTER_OK);
        assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE); /* its record */
        assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_REFUSED);
        assert_kept(world, "a refused package", 0);
        world->next.bytes[world->next.size - 500] ^= 1;
        assert_int_equal(world_feed(world), OTTER_OK);
        assert_int_equal(otter_receive_forget(receive), OTTER_OK);
        while (otter_receive_is_busy(receive)) {
            assert_int_equal(otter_receive_step(receive), OTTER_OK);
        }
        assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
        assert_kept(world, "a forgotten package", 0);
        assert_true(watch.records[OTTER_PROGRAM_AGENT] > 10);
        world_drop(world);
    }
}

/* The manager seals before and after each erase while it mends a copy. */
static void k6_mending_a_receipt_keeps_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < PLAIN_SETS * 2; i++) {
        struct world *world = make_newer(i % 2 == 1, &scenarios[0], i / 2);
        uint32_t size = 0;

        vflash_flip(&world->device.flash, world_receipt_addr(world, 0, 1, &size) + 100,
                    2);
        world->device.wants_manager = true;
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_true(world_is_untouched(world, OTTER_REGION_RECEIPTS)); /* as before */
        assert_true(watch.records[OTTER_PROGRAM_MANAGER] > 0);
        assert_kept(world, "mending", 0);
        world_drop(world);
    }
}

/* --- losses of the journal --- */

static uint32_t newest_sector(struct world *world)
{
    static struct otter_device view;

    assert_int_equal(vdevice_inspect(&world->device, &view), OTTER_OK);
    return world_region(world, OTTER_REGION_JOURNAL)->addr +
           (uint32_t)view.journal.newest * BENCH_SECTOR;
}

/* After a cut at any operation the newest sector is lost on top of it: an older record
 * tells the state, and it has them, too. */
static void k6_the_sector_before_the_newest_has_them_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = make_newer(i == 1, &scenarios[1], 2);

        for (uint32_t op = 0;; op++) {
            const struct vflash_fault fault = {.at_op = op, .kind = VFLASH_CUT_AFTER};

            world_back(world);
            if (run_update(world, fault) != VDEVICE_CUT) {
                assert_true(op > 100);
                break;
            }
            erase_sectors(world, newest_sector(world), BENCH_SECTOR);
            assert_int_equal(world_power_on(world), VDEVICE_IDLE);
            assert_kept(world, "newest sector lost", op);
        }
        world_drop(world);
    }
}

/* A journal of which nothing can be read has no extensions either. Nothing that must
 * outlive its loss may stand in them alone: boot rebuilds the state from the receipts.
 */
static void k6_extensions_go_with_a_journal_that_is_lost_as_a_whole(void **state)
{
    static const struct extensions none = {0};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = make_newer(i == 1, &scenarios[0], 2);
        const struct otter_region *journal = world_region(world, OTTER_REGION_JOURNAL);

        erase_sectors(world, journal->addr, journal->size);
        watch_start(world, &none);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        assert_kept(world, "rebuilt", 0);
        assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_REBUILT);
        assert_true(watch.records[OTTER_PROGRAM_BOOT] > 0);
        world_drop(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k6_the_frozen_vectors_are_what_they_were),
        cmocka_unit_test(
            k6_a_newer_programs_records_decode_and_encode_to_the_same_bytes),
        cmocka_unit_test(k6_reserved_bytes_are_read_over_and_not_kept),
        cmocka_unit_test(k6_the_devices_that_a_newer_manager_left_are_the_factorys),
        cmocka_unit_test(k6_a_confirmed_boot_on_a_newer_journal_is_quiet),
        cmocka_unit_test(
            k6_every_record_of_boot_manager_and_agent_keeps_the_extensions),
        cmocka_unit_test(k6_a_cut_at_any_operation_loses_no_extension),
        cmocka_unit_test(k6_a_resumed_a_refused_and_a_forgotten_transfer_keep_them),
        cmocka_unit_test(k6_mending_a_receipt_keeps_them),
        cmocka_unit_test(k6_the_sector_before_the_newest_has_them_too),
        cmocka_unit_test(k6_extensions_go_with_a_journal_that_is_lost_as_a_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
