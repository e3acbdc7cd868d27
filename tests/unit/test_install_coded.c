/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coded members from the plan to the region: where they lie, what is found out before
 * the first write, and what a failure leaves. Expected values: the contracts K5, K13,
 * K14, K15, K24, the promise P2 and the codes of docs/ERRORS.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto_bearssl.h"
#include "otter/bytes.h"
#include "world.h"

#include <string.h>

static const bool kinds[] = {false, true}; /* single, A/B */
static const enum otter_coding codings[] = {OTTER_CODING_ZLIB, OTTER_CODING_HEATSHRINK};

enum {
    CASES = 4, /* each kind with each coding */
    TO_THE_END = 255,
};

/* Case `index`: a device, and `next` coded but not built. */
static struct world *make_coded(size_t index)
{
    struct world *world = world_make_small(kinds[index / 2], false);

    sample_code(&world->next, codings[index % 2]);
    return world;
}

static void assert_end(struct world *world, uint8_t phase, uint8_t kind, uint16_t code)
{
    struct otter_state state = world_state(world);

    assert_int_equal(state.phase, phase);
    assert_int_equal(state.outcome.kind, kind);
    assert_int_equal(state.outcome.code, code);
}

/* ---- the plan ---- */

static struct otter_device view;

static enum otter_result plan_next(struct world *world, enum otter_program program,
                                   struct otter_plan *plan)
{
    struct otter_control control;

    sample_build(&world->next);
    const struct host_image inner = {world->next.bytes + OTTER_IMAGE_HEADER_SIZE,
                                     (uint32_t)world->next.size -
                                         OTTER_IMAGE_HEADER_SIZE};
    struct otter_source source = host_image_source(&inner);

    assert_int_equal(vdevice_inspect(&world->device, &view), OTTER_OK);
    view.program = (uint8_t)program;
    assert_int_equal(otter_control_open(&source, &control), OTTER_OK);
    return otter_plan_make(&view, &source, &control, plan);
}

static void k13_a_coding_or_memory_that_the_device_lacks_is_refused_first(void **state)
{
    static const struct {
        uint8_t coding;
        uint32_t memory;
        enum otter_result code;
    } wants[] = {
        {OTTER_CODING_ZLIB, OTTER_CODING_MEMORY, OTTER_OK},
        {OTTER_CODING_HEATSHRINK, OTTER_CODING_MEMORY, OTTER_OK},
        {OTTER_CODING_ZLIB, OTTER_CODING_MEMORY + 1, OTTER_E_CODING_MEMORY},
        {OTTER_CODING_HEATSHRINK, UINT32_MAX, OTTER_E_CODING_MEMORY},
        {3, 0, OTTER_E_CONTROL_CODING},
        {31, 0, OTTER_E_CONTROL_CODING},
        {32, 0, OTTER_E_CONTROL_CODING},
        {255, UINT32_MAX, OTTER_E_CONTROL_CODING},
    };
    struct world *world = make_coded(0);
    struct otter_plan plan;

    (void)state;
    for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
        world->next.members[0].coding = wants[i].coding;
        world->next.members[0].memory = wants[i].memory;
        assert_int_equal(plan_next(world, OTTER_PROGRAM_AGENT, &plan), wants[i].code);
        assert_int_equal(plan_next(world, OTTER_PROGRAM_MANAGER, &plan), wants[i].code);
        /* Boot outlives the codings that it was compiled with (K6). */
        assert_int_equal(plan_next(world, OTTER_PROGRAM_BOOT, &plan), OTTER_OK);
    }
    world_drop(world);
}

static void k14_a_coded_firmware_lies_in_staging_not_in_the_slot(void **state)
{
    struct otter_plan plan;

    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct world *world = make_coded(i);
        bool is_ab = kinds[i / 2];

        assert_int_equal(plan_next(world, OTTER_PROGRAM_AGENT, &plan), OTTER_OK);
        assert_int_equal(plan.members[0].strategy,
                         is_ab ? OTTER_STRATEGY_INTO_SLOT : OTTER_STRATEGY_SAVED_COPY);
        assert_int_equal(plan.members[0].store_region, OTTER_REGION_STAGING);
        assert_int_equal(plan.members[0].store_off, 0);
        assert_int_equal(plan.members[0].target_region,
                         is_ab ? OTTER_REGION_SLOT_B : OTTER_REGION_APPLICATION);
        assert_int_equal(plan.members[0].save_size, is_ab ? 0 : SAMPLE_FIRMWARE_SIZE);
        world_drop(world);
    }
}

static void k14_a_coded_firmware_that_staging_cannot_hold_is_refused(void **state)
{
    struct world *world = make_coded(2);
    const struct otter_region *staging = world_region(world, OTTER_REGION_STAGING);
    static const uint8_t stored[SAMPLE_PACKAGE_MAX] = {0};
    struct otter_plan plan;

    (void)state;
    /* Nothing is decoded here, so that the stored bytes may be anything. */
    world->next.members[0].stored =
        (struct host_image){stored, SAMPLE_PACKAGE_MAX - 1000};
    assert_true(SAMPLE_PACKAGE_MAX - 1000 <= staging->size);
    assert_int_equal(plan_next(world, OTTER_PROGRAM_AGENT, &plan), OTTER_OK);

    struct otter_region *smaller = NULL;
    for (uint8_t i = 0; i < view.table.map.count; i++) {
        if (view.table.map.regions[i].id == OTTER_REGION_STAGING) {
            smaller = &view.table.map.regions[i];
        }
    }
    assert_non_null(smaller);
    smaller->size = 3584; /* seven sectors, and the member needs nine */
    struct otter_control control;
    const struct host_image inner = {world->next.bytes + OTTER_IMAGE_HEADER_SIZE,
                                     (uint32_t)world->next.size -
                                         OTTER_IMAGE_HEADER_SIZE};
    struct otter_source source = host_image_source(&inner);

    assert_int_equal(otter_control_open(&source, &control), OTTER_OK);
    assert_int_equal(otter_plan_make(&view, &source, &control, &plan),
                     OTTER_E_NO_SPACE);
    world_drop(world);
}

static void k15_a_coded_manager_has_a_place_for_what_boot_copies(void **state)
{
    struct otter_plan plan;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_small(kinds[i], false);

        sample_carry_manager(&world->sample, &world->next);
        assert_int_equal(plan_next(world, OTTER_PROGRAM_BOOT, &plan), OTTER_OK);
        assert_int_equal(plan.members[1].raw_off, plan.members[1].store_off);
        sample_code(&world->next, OTTER_CODING_ZLIB);
        assert_int_equal(plan_next(world, OTTER_PROGRAM_BOOT, &plan), OTTER_OK);
        const struct otter_placement *manager = &plan.members[1];

        assert_true(manager->raw_off >= manager->store_off + 1);
        assert_true(manager->raw_off + SAMPLE_MANAGER_SIZE <= manager->save_off);
        assert_int_equal(manager->raw_off % 512, 0);
        world_drop(world);
    }
}

/* ---- the update ---- */

static void a_coded_firmware_is_installed_as_it_was_before_coding(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct world *world = make_coded(i);

        sample_build(&world->next);
        assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        assert_end(world, OTTER_PHASE_CONFIRMED, OTTER_OUTCOME_CONFIRMED, 0);
        assert_true(world_holds(world, world->device.region, &world->next));
        assert_int_equal(world->device.region,
                         kinds[i / 2] ? OTTER_REGION_SLOT_B : OTTER_REGION_APPLICATION);
        world_drop(world);
    }
}

static void k15_a_coded_manager_is_replaced_by_boot(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct world *world = world_make_small(kinds[i / 2], false);

        sample_carry_manager(&world->sample, &world->next);
        sample_code(&world->next, codings[i % 2]);
        sample_build(&world->next);
        assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        assert_end(world, OTTER_PHASE_CONFIRMED, OTTER_OUTCOME_CONFIRMED, 0);
        assert_memory_equal(vflash_peek(&world->device.flash,
                                        world_region(world, OTTER_REGION_MANAGER)->addr,
                                        SAMPLE_MANAGER_SIZE),
                            world->next.manager, SAMPLE_MANAGER_SIZE);
        world_drop(world);
    }
}

/* ---- what decodes wrongly ---- */

static void content_of_another_hash(struct sample_package *package)
{
    package->firmware[1000] ^= 1;
}

static void one_byte_less(struct sample_package *package)
{
    package->members[0].stored.size--;
}

static void one_byte_more(struct sample_package *package)
{
    package->members[0].stored.size++;
    package->stored[0][package->members[0].stored.size - 1] = 0;
}

static void another_head(struct sample_package *package)
{
    package->stored[0][1] ^= 0x80;
}

static void less_memory_than_it_needs(struct sample_package *package)
{
    package->members[0].memory--;
}

static void larger_when_installed(struct sample_package *package)
{
    package->members[0].image.size = SAMPLE_FIRMWARE_SIZE - 1;
}

static void p2_what_decodes_wrongly_is_found_before_the_first_write(void **state)
{
    static const struct {
        void (*change)(struct sample_package *package);
        uint16_t code[2]; /* zlib, heatshrink */
    } wrongs[] = {
        {content_of_another_hash, {35 * 256 + 16, 35 * 256 + 16}},
        {one_byte_less, {35 * 256 + 12, 35 * 256 + 12}},
        {one_byte_more, {35 * 256 + 13, 35 * 256 + 13}},
        {another_head, {35 * 256 + 11, 35 * 256 + 11}},
        {less_memory_than_it_needs, {35 * 256 + 15, 35 * 256 + 15}},
        {larger_when_installed, {35 * 256 + 14, 35 * 256 + 13}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]) * CASES; i++) {
        size_t index = i % CASES;
        struct world *world = make_coded(index);

        wrongs[i / CASES].change(&world->next);
        sample_build(&world->next);
        assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        assert_end(world, OTTER_PHASE_CONFIRMED, OTTER_OUTCOME_FAILED,
                   wrongs[i / CASES].code[index % 2]);
        assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
        assert_true(world_is_untouched(world, OTTER_REGION_SLOT_B));
        assert_true(world_is_untouched(world, OTTER_REGION_MANAGER));
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        world_drop(world);
    }
}

/* Nobody but the engine can read the vectors of what is coded. */
static void k14_vectors_of_a_coded_program_are_checked_before_the_first_write(
    void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct world *world = world_make_small(kinds[i / 2], false);

        otter_store_le32(world->next.firmware + 4, 0x40); /* no Thumb bit */
        sample_code(&world->next, codings[i % 2]);
        sample_build(&world->next);
        assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        assert_end(world, OTTER_PHASE_CONFIRMED, OTTER_OUTCOME_FAILED, 23 * 256 + 17);
        assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
        assert_true(world_is_untouched(world, OTTER_REGION_SLOT_B));
        world_drop(world);
    }
}

static void k14_a_coded_program_without_room_for_vectors_is_refused(void **state)
{
    static const uint8_t tiny[7] = {0, 0x40, 0, 0x20, 0x41};
    static const uint8_t stored[] = {9,    9,    0,    0,    15,   0,    0x18,
                                     0xD3, 0x63, 0x70, 0x60, 0x50, 0x70, 0x64,
                                     0x60, 0x00, 0x00, 0x02, 0xCA, 0x00, 0xA2};
    struct world *world = world_make_small(false, false);

    (void)state;
    world->next.members[0].image = (struct host_image){tiny, sizeof(tiny)};
    world->next.members[0].stored = (struct host_image){stored, sizeof(stored)};
    world->next.members[0].coding = OTTER_CODING_ZLIB;
    world->next.members[0].memory = OTTER_CODING_MEMORY;
    sample_build(&world->next);
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_end(world, OTTER_PHASE_CONFIRMED, OTTER_OUTCOME_FAILED, 23 * 256 + 17);
    assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
    world_drop(world);
}

/* ---- input that gives no bytes ---- */

enum {
    CHUNK = 512,
    EMPTY_BLOCKS = 260, /* 1,300 bytes: more than two steps decode */
};

/* RFC 1951, 3.2.4: a block that is stored as it is. */
static uint8_t *put_block(uint8_t *out, const uint8_t *bytes, uint16_t len,
                          bool is_last)
{
    out[0] = is_last ? 1 : 0;
    otter_store_le16(out + 1, len);
    otter_store_le16(out + 3, (uint16_t)~len);
    if (len > 0) {
        memcpy(out + 5, bytes, len);
    }
    return out + 5 + len;
}

static uint8_t *put_empty_blocks(uint8_t *out, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        out = put_block(out, NULL, 0, false);
    }
    return out;
}

/* RFC 1950, 8.2. */
static uint32_t adler_of(const uint8_t *bytes, uint32_t len)
{
    uint32_t a = 1;
    uint32_t b = 0;

    for (uint32_t i = 0; i < len; i++) {
        a = (a + bytes[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

/* docs/SPEC.md, "zlib": chunks of 512 bytes, each after its length. The first one
 * begins, the last one ends with blocks of nothing. */
static uint32_t code_with_empty_blocks(const uint8_t *bytes, uint32_t size,
                                       uint8_t *out)
{
    const uint8_t head[] = {9, 9, 0, 0};
    uint8_t *at = out + sizeof(head);

    memcpy(out, head, sizeof(head));
    for (uint32_t off = 0; off < size; off += CHUNK) {
        uint16_t len = (uint16_t)(size - off < CHUNK ? size - off : CHUNK);
        uint8_t *end = at + 2;

        *end++ = 0x18; /* a window of 512 bytes: RFC 1950, 2.2 */
        *end++ = 0xD3;
        end = put_empty_blocks(end, off == 0 ? EMPTY_BLOCKS : 0);
        end = put_block(end, bytes + off, len, false);
        end = put_empty_blocks(end, len < CHUNK ? EMPTY_BLOCKS : 0);
        end = put_block(end, NULL, 0, true);
        uint32_t adler = adler_of(bytes + off, len);

        for (int shift = 24; shift >= 0; shift -= 8) {
            *end++ = (uint8_t)(adler >> shift);
        }
        otter_store_le16(at, (uint16_t)(end - at - 2));
        at = end;
    }
    return (uint32_t)(at - out);
}

static void k22_input_that_gives_no_bytes_is_read_in_steps(void **state)
{
    static uint8_t stored[SAMPLE_FIRMWARE_SIZE + 2 * 5 * EMPTY_BLOCKS + 100];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_small(kinds[i], false);
        uint32_t size =
            code_with_empty_blocks(world->next.firmware, SAMPLE_FIRMWARE_SIZE, stored);

        assert_true(size <= sizeof(stored));
        world->next.members[0].stored = (struct host_image){stored, size};
        world->next.members[0].coding = OTTER_CODING_ZLIB;
        world->next.members[0].memory = OTTER_CODING_MEMORY;
        sample_build(&world->next);
        assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        assert_end(world, OTTER_PHASE_CONFIRMED, OTTER_OUTCOME_CONFIRMED, 0);
        assert_true(world_holds(world, world->device.region, &world->next));
        world_drop(world);
    }
}

/* ---- the slot does not hold what was written ---- */

struct engine {
    struct otter_device device;
    struct otter_install install;
};

static struct engine engine;

static struct world *open_engine(size_t index)
{
    struct world *world = make_coded(index);

    sample_build(&world->next);
    world_prepare(world);
    vdevice_power_off(&world->device);
    vflash_power_on(&world->device.flash, (struct vflash_fault){.kind = VFLASH_NONE});
    assert_int_equal(
        otter_device_open(&engine.device, &world->device.ports, OTTER_PROGRAM_MANAGER),
        OTTER_OK);
    assert_int_equal(otter_install_open(&engine.install, &engine.device), OTTER_OK);
    return world;
}

/* Steps until the stage `code` begins; never more than one flash operation each. */
static enum otter_step step_to(struct world *world, uint8_t code)
{
    enum otter_step answer = OTTER_STEP_MORE;
    const char *name;

    for (int i = 0; i < 100000 && answer == OTTER_STEP_MORE &&
                    otter_install_stage(&engine.install, &name) != code;
         i++) {
        uint32_t op = world->device.flash.op;

        answer = otter_install_step(&engine.install);
        assert_true(world->device.flash.op - op <= 1);
    }
    return answer;
}

static void k5_a_slot_that_does_not_validate_is_decoded_into_once_more(void **state)
{
    (void)state;
    for (size_t i = 2; i < CASES; i++) {
        struct world *world = open_engine(i);

        assert_int_equal(step_to(world, 11), OTTER_STEP_MORE);
        world_damage(world, OTTER_REGION_SLOT_B);
        assert_int_equal(step_to(world, 10), OTTER_STEP_MORE);
        assert_int_equal(step_to(world, TO_THE_END), OTTER_STEP_DONE);
        assert_true(world_holds(world, OTTER_REGION_SLOT_B, &world->next));
        assert_int_equal(world_state(world).phase, OTTER_PHASE_TRIAL);
        world_drop(world);
    }
}

static void k13_a_slot_that_never_validates_leaves_the_old_system(void **state)
{
    struct world *world = open_engine(2);

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(step_to(world, 11), OTTER_STEP_MORE);
        world_damage(world, OTTER_REGION_SLOT_B);
        (void)step_to(world, i == 0 ? 10 : TO_THE_END);
    }
    assert_int_equal(otter_code(engine.install.result) / 256, 11);
    /* Nothing is brought back: nothing of the old system was written. */
    assert_end(world, OTTER_PHASE_CONFIRMED, OTTER_OUTCOME_FAILED,
               otter_code(engine.install.result));
    assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(world_holds(world, world->device.region, &world->sample.first));
    world_drop(world);
}

/* The store changes after stage 9 has read it. */
static void k5_a_store_that_goes_bad_while_it_is_decoded_ends_the_update(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct world *world = open_engine(i);

        assert_int_equal(step_to(world, 10), OTTER_STEP_MORE);
        vflash_flip(&world->device.flash,
                    world_region(world, OTTER_REGION_STAGING)->addr + 700, 0);
        assert_int_equal(step_to(world, TO_THE_END), OTTER_STEP_FAILED);
        uint8_t stage = (uint8_t)(otter_code(engine.install.result) / 256);

        assert_true(stage == 10 || stage == 11);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_true(world_holds(world, world->device.region, &world->sample.first));
        world_drop(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k13_a_coding_or_memory_that_the_device_lacks_is_refused_first),
        cmocka_unit_test(k14_a_coded_firmware_lies_in_staging_not_in_the_slot),
        cmocka_unit_test(k14_a_coded_firmware_that_staging_cannot_hold_is_refused),
        cmocka_unit_test(k15_a_coded_manager_has_a_place_for_what_boot_copies),
        cmocka_unit_test(a_coded_firmware_is_installed_as_it_was_before_coding),
        cmocka_unit_test(k15_a_coded_manager_is_replaced_by_boot),
        cmocka_unit_test(p2_what_decodes_wrongly_is_found_before_the_first_write),
        cmocka_unit_test(
            k14_vectors_of_a_coded_program_are_checked_before_the_first_write),
        cmocka_unit_test(k14_a_coded_program_without_room_for_vectors_is_refused),
        cmocka_unit_test(k22_input_that_gives_no_bytes_is_read_in_steps),
        cmocka_unit_test(k5_a_slot_that_does_not_validate_is_decoded_into_once_more),
        cmocka_unit_test(k13_a_slot_that_never_validates_leaves_the_old_system),
        cmocka_unit_test(k5_a_store_that_goes_bad_while_it_is_decoded_ends_the_update),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
