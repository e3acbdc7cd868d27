/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: a row of the table is a package, made and signed, and the code that a
 * device answers before it is transferred. Expected values: the contracts K6, K8, K13,
 * K14 and the texts of otter/error.h.
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

static void on_both(void (*test)(struct world *world))
{
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_small(kinds[i], false);

        test(world);
        world_drop(world);
    }
}

/* Reading number `fail_at`, counted from 1, of the control packet or of the flash
 * fails; 0: none. */
static struct {
    struct world *world;
    const struct host_image *control;
    uint32_t reads;
    uint32_t fail_at;
} reading;

static enum otter_result read_control(const void *context, uint32_t off, void *data,
                                      size_t len)
{
    (void)context;
    memcpy(data, reading.control->data + off, len);
    return ++reading.reads == reading.fail_at ? OTTER_E_FLASH_READ : OTTER_OK;
}

static void on_read(void *context, uint32_t addr, size_t size)
{
    (void)context;
    (void)size;
    if (++reading.reads == reading.fail_at &&
        vflash_word_at(&reading.world->device.flash, addr) != VFLASH_WORD_ERASED) {
        vflash_kill_word(&reading.world->device.flash, addr);
    }
}

/* The plan for `next` as an agent makes it whose device `change` has prepared. */
static enum otter_result plan_with(struct world *world,
                                   void (*change)(struct otter_device *view),
                                   uint32_t fail_at, struct otter_plan *plan)
{
    static struct otter_device view;
    const struct host_image control = {world->next.bytes + OTTER_IMAGE_HEADER_SIZE,
                                       (uint32_t)world->next.size -
                                           OTTER_IMAGE_HEADER_SIZE};
    const struct otter_source source = {.size = control.size, .read = read_control};
    struct otter_control parsed;

    reading.world = world;
    reading.control = &control;
    reading.fail_at = 0;
    assert_int_equal(vdevice_inspect(&world->device, &view), OTTER_OK);
    view.program = OTTER_PROGRAM_AGENT; /* boot does not judge codings */
    if (change != NULL) {
        change(&view);
    }
    uint32_t op = world->device.flash.op;
    enum otter_result result = otter_control_open(&source, &parsed);

    reading.reads = 0;
    reading.fail_at = fail_at;
    if (result == OTTER_OK) {
        world->device.flash.hooks.on_read = on_read;
        result = otter_plan_make(&view, &source, &parsed, plan);
        world->device.flash.hooks.on_read = NULL;
    }
    assert_int_equal(world->device.flash.op, op); /* pure */
    return result;
}

static enum otter_result plan_next(struct world *world, struct otter_plan *plan)
{
    return plan_with(world, NULL, 0, plan);
}

/* --- refusals --- */

enum where { BOTH, SINGLE, AB };

struct row {
    const char *name;
    enum where where;
    void (*change)(struct sample_package *package);
    enum otter_result code;
};

static void same(struct sample_package *package)
{
    (void)package;
}

static void target(struct sample_package *package)
{
    package->package.target ^= 1;
}

static void hardware_too_new(struct sample_package *package)
{
    package->package.hardware_max = SAMPLE_HARDWARE - 1;
}

static void hardware_too_old(struct sample_package *package)
{
    package->package.hardware_min = SAMPLE_HARDWARE + 1;
}

static void hardware_just_so(struct sample_package *package)
{
    package->package.hardware_min = SAMPLE_HARDWARE;
    package->package.hardware_max = SAMPLE_HARDWARE;
}

static void counter_below(struct sample_package *package)
{
    package->package.counter = 0;
}

static void counter_equal(struct sample_package *package)
{
    package->package.counter = 1;
}

static void follows_a_newer_one(struct sample_package *package)
{
    package->package.follows = (struct otter_version){1, 1, 0, 1};
}

static void follows_the_installed_one(struct sample_package *package)
{
    package->package.follows = (struct otter_version){1, 1, 0, 0};
}

static void needs_newer_boot(struct sample_package *package)
{
    package->package.boot_min = 1;
}

static void needs_newer_manager(struct sample_package *package)
{
    package->package.manager_min = 2; /* the sample's is 1 */
}

static void linked_elsewhere(struct sample_package *package)
{
    package->members[0].link_addr += 0x100;
}

static void named_another_region(struct sample_package *package)
{
    package->members[0].region = OTTER_REGION_STAGING;
}

static void named_the_running_slot(struct sample_package *package)
{
    package->members[0].region = OTTER_REGION_APPLICATION;
}

static void named_the_free_slot(struct sample_package *package)
{
    package->members[0].region = OTTER_REGION_SLOT_B;
}

static void named_no_region_of_the_device(struct sample_package *package)
{
    package->members[0].region = 77;
}

static const uint8_t wrong_sha[OTTER_SHA256_SIZE] = {1};

static void keeps_another_manager(struct sample_package *package)
{
    package->members[1].sha = wrong_sha;
}

static void keeps_another_table(struct sample_package *package)
{
    package->members[2].sha = wrong_sha;
}

static void keeps_a_shorter_manager(struct sample_package *package)
{
    package->members[1].image.size--;
}

static void keeps_what_is_not_there(struct sample_package *package)
{
    package->members[3] = package->members[1];
    package->members[3].role = OTTER_ROLE_FONT;
    package->package.member_count = 4;
}

static void keeps_the_firmware(struct sample_package *package)
{
    package->members[0].flags = OTTER_MEMBER_KEPT;
}

static void carries_a_manager(struct sample_package *package)
{
    package->members[1].flags = 0;
    package->members[1].version = 1;
}

static void carries_an_older_manager(struct sample_package *package)
{
    package->members[1].flags = 0;
    package->members[1].version = 0;
}

static void carries_a_table(struct sample_package *package)
{
    package->members[2].flags = 0;
}

static void carries_a_table_elsewhere(struct sample_package *package)
{
    package->members[2].flags = 0;
    package->members[2].region = OTTER_REGION_STAGING;
}

static void carries_a_large_table(struct sample_package *package)
{
    package->members[2].flags = 0;
    package->members[2].image =
        (struct host_image){package->firmware, 513 - OTTER_TABLE_CONTENT_OFF};
}

/* As large as the format allows, and one byte more. */
static void carries_the_largest_table(struct sample_package *package)
{
    package->members[2].flags = 0;
    package->members[2].image = (struct host_image){
        package->firmware, OTTER_TABLE_MAX - OTTER_TABLE_CONTENT_OFF + 1};
}

static void carries_a_table_that_names_its_region(struct sample_package *package)
{
    package->members[2].flags = 0;
    package->members[2].region = OTTER_REGION_TABLE;
}

static void links_the_manager_elsewhere(struct sample_package *package)
{
    carries_a_manager(package);
    package->members[1].link_addr += 0x100;
}

/* What is saved lies at the end of staging in the order of the regions, whatever the
 * order of the members. */
static void carries_the_manager_first(struct sample_package *package)
{
    struct host_member firmware = package->members[0];

    carries_a_manager(package);
    package->members[0] = package->members[1];
    package->members[1] = firmware;
}

static void carries_a_radio(struct sample_package *package)
{
    package->members[3] = package->members[0];
    package->members[3].role = OTTER_ROLE_RADIO;
    package->members[3].image.size = 100;
    package->package.member_count = 4;
}

static void in_place(struct sample_package *package)
{
    package->members[0].flags = OTTER_MEMBER_IN_PLACE;
}

static uint8_t big[4096];

static void carries_data(struct sample_package *package)
{
    sample_carry_regions(package);
}

static void names_the_other_ones_region(struct sample_package *package)
{
    sample_carry_regions(package);
    package->members[3].image.size = 700; /* the font's region takes it, */
    package->members[4].image.size = 300; /* and the resources' region that */
    package->members[3].region = OTTER_REGION_FONT;
    package->members[4].region = OTTER_REGION_RESOURCES;
}

static void two_for_one_region(struct sample_package *package)
{
    sample_carry_regions(package);
    package->members[3].region = OTTER_REGION_FONT;
}

static void data_for_the_application(struct sample_package *package)
{
    sample_carry_regions(package);
    package->members[3].region = OTTER_REGION_APPLICATION;
}

static void data_for_no_region(struct sample_package *package)
{
    sample_carry_regions(package);
    package->members[4].region = 77;
}

static void font_in_place(struct sample_package *package)
{
    sample_carry_regions(package);
    package->members[4].flags = OTTER_MEMBER_IN_PLACE;
}

static void font_too_large(struct sample_package *package)
{
    sample_carry_regions(package);
    package->members[4].image = (struct host_image){big, 1025};
}

/* Member 0 goes to the end, behind the font that it is to wait for. */
static void program_waits_for_a_font(struct sample_package *package)
{
    struct host_member firmware = package->members[0];

    package->members[0] = package->members[1];
    package->members[1] = package->members[2];
    package->package.member_count = 2;
    sample_carry_regions(package);
    package->members[4] = firmware;
    package->members[4].depends = 1U << 3;
    package->package.member_count = 5;
}

static void font_waits_for_the_firmware(struct sample_package *package)
{
    sample_carry_regions(package);
    package->members[4].depends = 1U << 0 | 1U << 3;
}

static void larger_than_the_region(struct sample_package *package)
{
    package->members[0].image = (struct host_image){big, 2049};
}

static const struct row rows[] = {
    {"as it is", BOTH, same, OTTER_OK},
    {"target", BOTH, target, OTTER_E_TARGET},
    {"older hardware only", BOTH, hardware_too_new, OTTER_E_HARDWARE},
    {"newer hardware only", BOTH, hardware_too_old, OTTER_E_HARDWARE},
    {"this hardware only", BOTH, hardware_just_so, OTTER_OK},
    {"counter below", BOTH, counter_below, OTTER_E_COUNTER},
    {"counter equal", BOTH, counter_equal, OTTER_OK},
    {"follows a newer one", BOTH, follows_a_newer_one, OTTER_E_FOLLOWS},
    {"follows this one", BOTH, follows_the_installed_one, OTTER_OK},
    {"boot too old", BOTH, needs_newer_boot, OTTER_E_BOOT_TOO_OLD},
    {"manager too old", BOTH, needs_newer_manager, OTTER_E_MANAGER_TOO_OLD},
    {"linked elsewhere", BOTH, linked_elsewhere, OTTER_E_LINK_ADDRESS},
    {"named another region", BOTH, named_another_region, OTTER_E_LINK_ADDRESS},
    {"named the application", SINGLE, named_the_running_slot, OTTER_OK},
    {"named the running slot", AB, named_the_running_slot, OTTER_E_LINK_ADDRESS},
    {"named the free slot", AB, named_the_free_slot, OTTER_OK},
    {"named slot B where there is none", SINGLE, named_the_free_slot, OTTER_E_REGION},
    {"no such region", BOTH, named_no_region_of_the_device, OTTER_E_REGION},
    {"keeps another manager", BOTH, keeps_another_manager, OTTER_E_KEPT},
    {"keeps another table", BOTH, keeps_another_table, OTTER_E_KEPT},
    {"keeps a shorter manager", BOTH, keeps_a_shorter_manager, OTTER_E_KEPT},
    {"keeps a font", BOTH, keeps_what_is_not_there, OTTER_E_KEPT},
    /* It would have no way back of its own: the running one is the new one. */
    {"keeps the firmware", BOTH, keeps_the_firmware, OTTER_E_STRATEGY},
    {"carries a manager", BOTH, carries_a_manager, OTTER_OK},
    {"carries an older manager", BOTH, carries_an_older_manager, OTTER_E_MANAGER_OLDER},
    {"carries a table", BOTH, carries_a_table, OTTER_OK},
    {"carries a table for the application", BOTH, carries_a_table_elsewhere,
     OTTER_E_STRATEGY},
    {"carries a table larger than its place", BOTH, carries_a_large_table,
     OTTER_E_TOO_LARGE},
    {"carries a table larger than any", BOTH, carries_the_largest_table,
     OTTER_E_TOO_LARGE},
    {"a table for its region", BOTH, carries_a_table_that_names_its_region, OTTER_OK},
    {"a manager linked elsewhere", BOTH, links_the_manager_elsewhere,
     OTTER_E_LINK_ADDRESS},
    {"the manager first", BOTH, carries_the_manager_first, OTTER_OK},
    {"carries a radio", BOTH, carries_a_radio, OTTER_E_STRATEGY},
    {"a firmware in place", BOTH, in_place, OTTER_E_IN_PLACE_ROLE},
    {"too large", BOTH, larger_than_the_region, OTTER_E_TOO_LARGE},
    {"resources and font", BOTH, carries_data, OTTER_OK},
    {"each in the other's", BOTH, names_the_other_ones_region, OTTER_OK},
    {"two for one region", BOTH, two_for_one_region, OTTER_E_CONTROL_DOUBLED},
    {"over the application", BOTH, data_for_the_application, OTTER_E_STRATEGY},
    {"a font for no region", BOTH, data_for_no_region, OTTER_E_REGION},
    {"a font in place", BOTH, font_in_place, OTTER_OK},
    {"a font too large", BOTH, font_too_large, OTTER_E_TOO_LARGE},
    {"a program waits", BOTH, program_waits_for_a_font, OTTER_E_STRATEGY},
    {"a font waits", BOTH, font_waits_for_the_firmware, OTTER_OK},
};

static void check_rows(struct world *world)
{
    bool is_ab = world_region(world, OTTER_REGION_SLOT_B) != NULL;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct otter_plan plan;

        if ((row->where == SINGLE && is_ab) || (row->where == AB && !is_ab)) {
            continue;
        }
        sample_next(&world->sample, 2, &world->next);
        row->change(&world->next);
        sample_build(&world->next);
        enum otter_result result = plan_next(world, &plan);

        if (result != row->code) {
            fail_msg("%s: %u-%02u", row->name, (unsigned)otter_code(result) >> 8,
                     otter_code(result) & 255U);
        }
    }
}

static void k13_each_reason_to_refuse_has_its_code_before_the_transfer(void **state)
{
    (void)state;
    on_both(check_rows);
}

/* A coding that no packer makes: the byte is put into the built file. */
static void check_coding(struct world *world)
{
    struct otter_plan plan;

    world->next.bytes[OTTER_IMAGE_HEADER_SIZE + 96 + 2] = 9;
    assert_int_equal(plan_next(world, &plan), OTTER_E_CONTROL_CODING);
}

static void k13_an_unknown_coding_is_refused(void **state)
{
    (void)state;
    on_both(check_coding);
}

/* The same of a table, which is never coded; nor is it encrypted. */
static void check_table_form(struct world *world)
{
    static uint8_t other[OTTER_TABLE_MAX] = {1};
    struct host_member *table = &world->next.members[2];
    struct otter_plan plan;

    table->flags = 0;
    sample_build(&world->next);
    world->next
        .bytes[OTTER_IMAGE_HEADER_SIZE + 96 + 2 * OTTER_CONTROL_MEMBER_SIZE + 2] =
        OTTER_CODING_HEATSHRINK;
    assert_int_equal(plan_next(world, &plan), OTTER_E_CONTROL_CODING);
    sample_encrypt(&world->sample, &world->next);
    table->flags = OTTER_MEMBER_ENCRYPTED;
    table->stored = (struct host_image){other, table->image.size};
    sample_build(&world->next);
    assert_int_equal(plan_next(world, &plan), OTTER_E_CONTROL_FLAGS);
}

static void k13_a_table_is_neither_coded_nor_encrypted(void **state)
{
    (void)state;
    on_both(check_table_form);
}

/* ---- what depends on the device ---- */

static void saves_in_clear(struct otter_device *view)
{
    view->table.policy.saved_copies = OTTER_SAVED_CLEAR;
}

static void saves_nothing(struct otter_device *view)
{
    view->table.policy.saved_copies = OTTER_SAVED_NEVER;
}

static void is_closed(struct otter_device *view)
{
    view->journal.state.flags |= OTTER_FLAG_CLOSED;
}

/* What the manager decrypts for boot needs the storage key, and a policy that uses it.
 */
static void check_raw(struct world *world)
{
    struct otter_plan plan;

    sample_carry_manager(&world->sample, &world->next);
    sample_encrypt(&world->sample, &world->next);
    sample_build(&world->next);
    assert_int_equal(plan_with(world, NULL, 0, &plan), OTTER_OK);
    assert_int_equal(plan_with(world, saves_in_clear, 0, &plan), OTTER_E_STORAGE_KEY);
    assert_int_equal(plan_with(world, saves_nothing, 0, &plan), OTTER_E_STORAGE_KEY);
}

static void k26_an_encrypted_manager_needs_the_storage_key(void **state)
{
    (void)state;
    on_both(check_raw);
}

/* The archive of encrypted files stays on the card: under the storage key, in clear if
 * the policy says so, or not at all. */
static void k26_encrypted_files_are_left_as_the_policy_says(void **state)
{
    struct world *world = world_make_with_files();
    struct otter_plan plan;

    (void)state;
    sample_encrypt(&world->sample, &world->next);
    sample_build(&world->next);
    assert_int_equal(plan_with(world, NULL, 0, &plan), OTTER_OK);
    assert_int_equal(plan_with(world, saves_in_clear, 0, &plan), OTTER_OK);
    assert_int_equal(plan_with(world, saves_nothing, 0, &plan), OTTER_E_STORAGE_KEY);
    world->device.crypto = otter_crypto_bearssl; /* without keys */
    assert_int_equal(plan_with(world, NULL, 0, &plan), OTTER_E_CANNOT_DECRYPT);
    world_drop(world);
}

/* Only the manager that runs may come while the application is closed. */
static void check_manager_while_closed(struct world *world)
{
    struct otter_plan plan;

    carries_a_manager(&world->next);
    sample_build(&world->next);
    assert_int_equal(plan_with(world, is_closed, 0, &plan), OTTER_OK);
    world->next.members[1].image.size -= 4;
    sample_build(&world->next);
    assert_int_equal(plan_with(world, is_closed, 0, &plan), OTTER_E_MANAGER_ALONE);
    sample_carry_manager(&world->sample, &world->next);
    sample_build(&world->next);
    assert_int_equal(plan_with(world, is_closed, 0, &plan), OTTER_E_MANAGER_ALONE);
}

static void k15_a_closed_device_takes_no_other_manager(void **state)
{
    (void)state;
    on_both(check_manager_while_closed);
}

/* Both copies of the current receipt are lost: what needs a way back is refused. */
static void check_without_current(struct world *world)
{
    struct host_member table;
    struct otter_plan plan;
    uint32_t size = 0;

    for (uint8_t copy = 0; copy < 2; copy++) {
        vflash_flip(&world->device.flash,
                    world_receipt_addr(world, 0, copy, &size) + 60, 2);
    }
    carries_a_manager(&world->next);
    carries_a_table(&world->next);
    sample_build(&world->next);
    assert_int_equal(plan_next(world, &plan), OTTER_E_STRATEGY);
    table = world->next.members[2];
    world->next.members[2] = world->next.members[1];
    world->next.members[1] = table;
    sample_build(&world->next);
    assert_int_equal(plan_next(world, &plan), OTTER_E_STRATEGY);
}

static void k15_without_a_current_system_neither_manager_nor_table_is_replaced(
    void **state)
{
    (void)state;
    on_both(check_without_current);
}

/* A kept member is the one of the same role. */
static void k8_resources_are_not_kept_as_what_is_a_font(void **state)
{
    struct world *world = world_make_full(false);
    struct otter_plan plan;

    (void)state;
    world->next.members[4] = world->sample.first.members[4];
    world->next.members[4].flags = OTTER_MEMBER_KEPT;
    sample_build(&world->next);
    assert_int_equal(plan_next(world, &plan), OTTER_OK);
    world->next.members[4].role = OTTER_ROLE_RESOURCES;
    world->next.members[4].region = OTTER_REGION_FONT;
    sample_build(&world->next);
    assert_int_equal(plan_next(world, &plan), OTTER_E_KEPT);
    world_drop(world);
}

/* On a device with a card nothing is received, and there is no staging for a table. */
static void k13_a_device_with_a_card_takes_nothing_in_place_and_no_table(void **state)
{
    struct world *world = world_make_on_card(false, true);
    struct otter_plan plan;

    (void)state;
    sample_put_in_place(&world->next, false);
    sample_build(&world->next);
    assert_int_equal(plan_next(world, &plan), OTTER_E_STRATEGY);
    sample_next(&world->sample, 2, &world->next);
    carries_a_table(&world->next);
    sample_build(&world->next);
    assert_int_equal(plan_next(world, &plan), OTTER_E_STRATEGY);
    world_drop(world);
    world = world_make_with_files();
    world->next
        .bytes[OTTER_IMAGE_HEADER_SIZE + 96 + 3 * OTTER_CONTROL_MEMBER_SIZE + 2] = 9;
    assert_int_equal(plan_next(world, &plan), OTTER_E_CONTROL_CODING);
    world_drop(world);
}

/* ---- readings that fail ---- */

/* The plan is the same, or there is none, with a code; never another one. */
static void check_readings(struct world *world, void (*change)(struct otter_device *))
{
    static struct otter_plan plain;
    unsigned failures = 0;
    uint32_t at = 0;

    sample_build(&world->next);
    memset(&plain, 0, sizeof(plain));
    enum otter_result whole = plan_with(world, change, 0, &plain);

    assert_int_equal(whole, OTTER_OK);
    do {
        static struct otter_plan plan;

        at++;
        world_back(world);
        memset(&plan, 0, sizeof(plan));
        enum otter_result result = plan_with(world, change, at, &plan);

        if (result == OTTER_OK) {
            assert_memory_equal(&plan, &plain, sizeof(plan));
        } else {
            assert_int_not_equal(otter_code(result), 0);
            failures++;
        }
    } while (reading.reads >= at);
    assert_in_range(failures, 5, at);
    world_drop(world);
}

static void p7_a_reading_that_fails_makes_no_other_plan(void **state)
{
    struct world *world = world_make_full(true);

    (void)state;
    check_readings(world, NULL);
    world = world_make_small(false, false);
    carries_a_manager(&world->next);
    check_readings(world, is_closed);
    world = world_make_with_files();
    sample_next(&world->sample, 2, &world->next);
    sample_carry_files(&world->next, &world->sample.first.tree);
    world->next.members[3].flags = OTTER_MEMBER_KEPT;
    check_readings(world, NULL);
}

static void check_encrypted(struct world *world)
{
    struct otter_plan plan;

    sample_encrypt(&world->sample, &world->next);
    sample_build(&world->next);
    assert_int_equal(plan_next(world, &plan), OTTER_OK);
    world->device.crypto = otter_crypto_bearssl; /* without keys */
    assert_int_equal(plan_next(world, &plan), OTTER_E_CANNOT_DECRYPT);
}

static void k26_a_device_that_cannot_decrypt_refuses_encrypted_members(void **state)
{
    (void)state;
    on_both(check_encrypted);
}

/* --- the plan itself --- */

static void k13_a_single_application_is_staged_and_the_old_one_saved_at_the_end(
    void **state)
{
    struct world *world = world_make_small(false, false);
    uint32_t staging = world_region(world, OTTER_REGION_STAGING)->size;
    struct otter_plan plan;

    (void)state;
    assert_int_equal(plan_next(world, &plan), OTTER_OK);
    assert_int_equal(plan.count, 3);
    assert_int_equal(plan.members[0].strategy, OTTER_STRATEGY_SAVED_COPY);
    assert_int_equal(plan.members[0].store_region, OTTER_REGION_STAGING);
    assert_int_equal(plan.members[0].store_off, 0);
    assert_int_equal(plan.members[0].target_region, OTTER_REGION_APPLICATION);
    assert_int_equal(plan.members[0].save_size, SAMPLE_FIRMWARE_SIZE);
    /* 1,900 bytes in sectors of 512: the last four */
    assert_int_equal(plan.members[0].save_off, staging - 2048);
    assert_int_equal(plan.staging_used, 4096);
    assert_int_equal(plan.members[1].strategy, OTTER_STRATEGY_KEPT);
    assert_int_equal(plan.members[2].strategy, OTTER_STRATEGY_KEPT);
    world_drop(world);
}

static void k14_on_two_slots_the_free_one_is_the_store(void **state)
{
    struct world *world = world_make_small(true, false);
    struct otter_plan plan;

    (void)state;
    assert_int_equal(plan_next(world, &plan), OTTER_OK);
    assert_int_equal(plan.members[0].strategy, OTTER_STRATEGY_OTHER_SLOT);
    assert_int_equal(plan.members[0].store_region, OTTER_REGION_SLOT_B);
    assert_int_equal(plan.members[0].target_region, OTTER_REGION_SLOT_B);
    assert_int_equal(plan.members[0].store_off, 0);
    assert_int_equal(plan.staging_used, 0);
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    sample_next(&world->sample, 3, &world->next);
    sample_build(&world->next);
    assert_int_equal(plan_next(world, &plan), OTTER_OK);
    assert_int_equal(plan.members[0].target_region, OTTER_REGION_APPLICATION);
    world_drop(world);
}

static void check_saved(struct world *world)
{
    /* 1,900 bytes of application in sectors of 512: four; 700 of manager: two. */
    bool is_ab = world_region(world, OTTER_REGION_SLOT_B) != NULL;
    uint32_t staging = world_region(world, OTTER_REGION_STAGING)->size;
    static struct otter_device view;
    static struct otter_system system;
    uint32_t off = 0;
    struct otter_member member;

    assert_int_equal(vdevice_inspect(&world->device, &view), OTTER_OK);
    assert_int_equal(otter_system_open(&view, 0, &system), OTTER_OK);
    assert_int_equal(
        otter_plan_saved(&view, &system, OTTER_REGION_MANAGER, &off, &member),
        OTTER_OK);
    assert_int_equal(member.installed_size, SAMPLE_MANAGER_SIZE);
    if (is_ab) {
        assert_int_equal(off,
                         staging - 1024); /* the application's way back is its slot */
        return;
    }
    assert_int_equal(off, staging - 2048 - 1024);
    assert_int_equal(
        otter_plan_saved(&view, &system, OTTER_REGION_APPLICATION, &off, &member),
        OTTER_OK);
    assert_int_equal(off, staging - 2048);
    assert_int_equal(member.installed_size, SAMPLE_FIRMWARE_SIZE);
}

static void k15_saved_copies_lie_at_the_end_whatever_the_package_is(void **state)
{
    (void)state;
    on_both(check_saved);
}

/* A profile with `count` sectors of staging. */
static void profile_with_staging(struct host_profile *profile, uint32_t count)
{
    const struct host_small small = {.is_ab = false,
                                     .word_size = 4,
                                     .page_size = 128,
                                     .sector_size = 512,
                                     .erased = 0xFF};

    host_profile_small(&small, profile);
    for (uint8_t i = 0; i < profile->map.count; i++) {
        if (profile->map.regions[i].id == OTTER_REGION_STAGING) {
            profile->map.regions[i].size = count * 512;
        }
    }
}

static void k13_package_and_saved_copy_fit_or_are_refused_for_space(void **state)
{
    (void)state;
    /* 1,900 bytes are four sectors, twice. */
    for (uint32_t count = 3; count <= 9; count++) {
        struct host_profile profile;
        struct otter_plan plan;

        profile_with_staging(&profile, count);
        struct world *world = world_make(&profile, false);

        assert_int_equal(plan_next(world, &plan),
                         count < 8 ? OTTER_E_NO_SPACE : OTTER_OK);
        world_drop(world);
    }
}

/* Two sectors, and exactly the staging of an A/B device that has just so much: there is
 * no room for the copy of the manager that is replaced. Without staging there is none
 * for anything. */
static void k13_two_slots_with_little_staging_replace_no_manager(void **state)
{
    const struct host_small small = {.is_ab = true,
                                     .word_size = 4,
                                     .page_size = 128,
                                     .sector_size = 512,
                                     .erased = 0xFF};

    (void)state;
    for (uint32_t count = 0; count <= 4; count++) {
        struct host_profile profile;
        struct otter_plan plan;
        uint8_t staging = 0;

        host_profile_small(&small, &profile);
        while (profile.map.regions[staging].id != OTTER_REGION_STAGING) {
            staging++;
        }
        profile.map.regions[staging].size = count * 512;
        if (count == 0) {
            profile.map.regions[staging] = profile.map.regions[--profile.map.count];
        }
        struct world *world = world_make(&profile, false);

        assert_int_equal(plan_next(world, &plan), OTTER_OK);
        sample_carry_manager(&world->sample, &world->next);
        if (count == 2) {
            world->next.members[1].image = (struct host_image){big, 2 * 512};
        } else if (count == 3) {
            world->next.members[1].image.size = 512;
        }
        sample_build(&world->next);
        assert_int_equal(plan_next(world, &plan),
                         count < 3 ? OTTER_E_NO_SPACE : OTTER_OK);
        world_drop(world);
    }
}

/* The old application is larger than all of staging, the new one is not. */
static void k13_a_copy_larger_than_staging_is_refused_for_space(void **state)
{
    struct host_profile profile;
    struct otter_plan plan;

    (void)state;
    profile_with_staging(&profile, 3);
    struct world *world = world_make(&profile, false);

    world->next.members[0].image.size = 512;
    sample_build(&world->next);
    assert_int_equal(plan_next(world, &plan), OTTER_E_NO_SPACE);
    world_drop(world);
}

static void k13_a_package_without_space_is_refused_before_the_store(void **state)
{
    struct host_profile profile;

    (void)state;
    profile_with_staging(&profile, 7);
    struct world *world = world_make(&profile, false);

    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_feed(world), OTTER_E_NO_SPACE);
    assert_true(world_is_untouched(world, OTTER_REGION_STAGING));
    world_drop(world);
}

/* --- A/B without a window: each slot has an address of its own --- */

static struct world *make_without_window(void)
{
    const struct host_small small = {.is_ab = true,
                                     .word_size = 4,
                                     .page_size = 128,
                                     .sector_size = 512,
                                     .erased = 0xFF};
    struct host_profile profile;

    host_profile_small(&small, &profile);
    for (uint8_t i = 0; i < profile.map.count; i++) {
        profile.map.regions[i].flags = 0;
        profile.map.regions[i].exec = profile.map.regions[i].addr;
    }
    return world_make(&profile, false);
}

/* Links the package's firmware for the slot `id`. */
static void link_for(struct world *world, uint8_t minor, uint8_t id)
{
    uint32_t exec = world_region(world, id)->exec;

    sample_next(&world->sample, minor, &world->next);
    world->next.members[0].link_addr = exec;
    otter_store_le32(world->next.firmware + 4, exec + 0x41);
    sample_build(&world->next);
}

static void k14_without_a_window_only_the_free_slots_image_is_taken(void **state)
{
    struct world *world = make_without_window();
    uint8_t free_slot = OTTER_REGION_SLOT_B;
    uint8_t running = OTTER_REGION_APPLICATION;

    (void)state;
    for (uint8_t minor = 2; minor < 6; minor++) {
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.region, running);
        assert_int_equal(otter_device_free_slot(vdevice_view(&world->device)),
                         free_slot);
        world_mark(world);
        link_for(world, minor, running);
        assert_int_equal(world_feed(world), OTTER_E_LINK_ADDRESS);
        assert_true(world_is_untouched(world, free_slot));
        assert_true(world_is_untouched(world, running));
        link_for(world, minor, free_slot);
        assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        assert_int_equal(world->device.region, free_slot);
        assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
        free_slot = running;
        running = world->device.region;
    }
    world_drop(world);
}

/* The link address lies; the vectors do not. */
static void k14_vectors_of_the_other_slot_are_refused(void **state)
{
    struct world *world = make_without_window();
    uint32_t exec = world_region(world, OTTER_REGION_APPLICATION)->exec;

    (void)state;
    link_for(world, 2, OTTER_REGION_SLOT_B);
    otter_store_le32(world->next.firmware + 4, exec + 0x41);
    sample_build(&world->next);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_feed(world), OTTER_E_VECTORS);
    world_drop(world);
}

struct vectors {
    const char *name;
    uint32_t stack, reset; /* relative to the RAM, to the region's exec address */
    bool is_good;
};

static const struct vectors vectors[] = {
    {"full stack", 0x4000, 0x41, true},
    {"small stack", 1, 0x41, true},
    {"stack at the RAM's begin", 0, 0x41, false},
    {"stack past the RAM", 0x4001, 0x41, false},
    {"stack below the RAM", 0xFFFFFFF0, 0x41, false},
    {"reset without the Thumb bit", 0x4000, 0x40, false},
    {"reset in the last byte", 0x4000, SAMPLE_FIRMWARE_SIZE - 1, true},
    {"reset past the image", 0x4000, SAMPLE_FIRMWARE_SIZE + 1, false},
};

static void check_vectors(struct world *world)
{
    const struct otter_policy *policy = &world->sample.profile.policy;

    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        uint32_t exec = world_region(world, OTTER_REGION_APPLICATION)->exec;

        world_back(world);
        sample_next(&world->sample, 2, &world->next);
        otter_store_le32(world->next.firmware, policy->ram_addr + vectors[i].stack);
        otter_store_le32(world->next.firmware + 4, exec + vectors[i].reset);
        sample_build(&world->next);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        enum otter_result result = world_feed(world);

        if (result != (vectors[i].is_good ? OTTER_OK : OTTER_E_VECTORS)) {
            fail_msg("%s", vectors[i].name);
        }
    }
}

static void k14_stack_pointer_and_reset_vector_lie_in_their_memory(void **state)
{
    (void)state;
    on_both(check_vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k13_each_reason_to_refuse_has_its_code_before_the_transfer),
        cmocka_unit_test(k13_an_unknown_coding_is_refused),
        cmocka_unit_test(k26_a_device_that_cannot_decrypt_refuses_encrypted_members),
        cmocka_unit_test(
            k13_a_single_application_is_staged_and_the_old_one_saved_at_the_end),
        cmocka_unit_test(k14_on_two_slots_the_free_one_is_the_store),
        cmocka_unit_test(k15_saved_copies_lie_at_the_end_whatever_the_package_is),
        cmocka_unit_test(k13_package_and_saved_copy_fit_or_are_refused_for_space),
        cmocka_unit_test(k13_a_table_is_neither_coded_nor_encrypted),
        cmocka_unit_test(k26_an_encrypted_manager_needs_the_storage_key),
        cmocka_unit_test(k26_encrypted_files_are_left_as_the_policy_says),
        cmocka_unit_test(k15_a_closed_device_takes_no_other_manager),
        cmocka_unit_test(
            k15_without_a_current_system_neither_manager_nor_table_is_replaced),
        cmocka_unit_test(k8_resources_are_not_kept_as_what_is_a_font),
        cmocka_unit_test(k13_a_device_with_a_card_takes_nothing_in_place_and_no_table),
        cmocka_unit_test(p7_a_reading_that_fails_makes_no_other_plan),
        cmocka_unit_test(k13_two_slots_with_little_staging_replace_no_manager),
        cmocka_unit_test(k13_a_copy_larger_than_staging_is_refused_for_space),
        cmocka_unit_test(k13_a_package_without_space_is_refused_before_the_store),
        cmocka_unit_test(k14_without_a_window_only_the_free_slots_image_is_taken),
        cmocka_unit_test(k14_vectors_of_the_other_slot_are_refused),
        cmocka_unit_test(k14_stack_pointer_and_reset_vector_lie_in_their_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
