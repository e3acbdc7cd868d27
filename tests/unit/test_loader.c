/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loaders: a package brings its own installer, boot copies it to RAM, checks it there,
 * and runs it while the package is installed and, with a card, rolled back (K15, K21).
 * Whatever is wrong with it, the manager does its work.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host_coding.h"
#include "otter/bytes.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

enum { PROGRAMS = 8, LOADER_ADDR = 0x20002000, LOADER_SIZE = 0x400 };

/* How often each program has started, and what boot has said. */
struct watch {
    unsigned starts[PROGRAMS];
    uint16_t boot_code;
};

static void note(void *context, enum otter_program program,
                 const struct otter_event *event)
{
    struct watch *watch = context;

    watch->starts[program] += event->kind == OTTER_EVENT_STARTED;
    if (program == OTTER_PROGRAM_BOOT && event->kind == OTTER_EVENT_FAILED) {
        watch->boot_code = event->code;
    }
}

/* The store is a card, or staging. */
static struct world *make_device(bool is_on_card)
{
    const struct host_small small = {
        .word_size = 4, .page_size = 128, .sector_size = 512, .erased = 0xFF};
    struct host_profile profile;

    if (is_on_card) {
        return world_make_on_card(false, false);
    }
    host_profile_small(&small, &profile);
    profile.map.regions[profile.map.count++] = (struct otter_region){
        .id = OTTER_REGION_LOADER,
        .addr = LOADER_ADDR,
        .size = LOADER_SIZE,
        .exec = LOADER_ADDR,
    };
    return world_make(&profile, false);
}

/* The package as it is now goes where it comes from. */
static void build(struct world *world)
{
    sample_build(&world->next);
    if (world->card.capacity != 0) {
        vcard_provision(&world->card, WORLD_PATH, world->next.bytes,
                        (uint32_t)world->next.size);
    }
}

static struct world *make_loading(bool is_on_card, struct watch *watch)
{
    struct world *world = make_device(is_on_card);

    memset(watch, 0, sizeof(*watch));
    world->device.hooks.context = watch;
    world->device.hooks.on_event = note;
    sample_carry_loader(&world->sample, &world->next);
    build(world);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    return world;
}

/* Up to the request: the next run begins the installation. */
static enum otter_result ask(struct world *world)
{
    if (world->card.capacity != 0) {
        return world_install(world);
    }
    enum otter_result result = world_feed(world);

    return result == OTTER_OK ? world_request(world) : result;
}

static enum vdevice_end update(struct world *world)
{
    assert_int_equal(ask(world), OTTER_OK);
    return vdevice_reset(&world->device, OTTER_RESET_SOFTWARE);
}

static void check_confirmed(struct world *world)
{
    struct otter_state now = world_state(world);

    assert_int_equal(now.phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(now.outcome.kind, OTTER_OUTCOME_CONFIRMED);
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->next));
}

/* --- it works --- */

static void k15_the_loader_installs_and_the_manager_never_starts(void **state)
{
    (void)state;
    for (int on_card = 0; on_card < 2; on_card++) {
        struct watch watch;
        struct world *world = make_loading(on_card == 1, &watch);

        assert_int_equal(update(world), VDEVICE_IDLE);
        check_confirmed(world);
        assert_int_equal(watch.starts[OTTER_PROGRAM_LOADER], 1);
        assert_int_equal(watch.starts[OTTER_PROGRAM_MANAGER], 0);
        assert_true(world_is_untouched(world, OTTER_REGION_MANAGER));
        world_drop(world);
    }
}

static void k15_a_damaged_manager_does_not_stop_a_loader(void **state)
{
    (void)state;
    for (int on_card = 0; on_card < 2; on_card++) {
        struct watch watch;
        struct world *world = make_loading(on_card == 1, &watch);

        world_damage(world, OTTER_REGION_MANAGER);
        assert_int_equal(update(world), VDEVICE_IDLE);
        check_confirmed(world);
        world_drop(world);
    }
}

/* With a card boot cannot restore, so somebody must: the loader, unless the application
 * was ended by a fault, which might have been the loader's. */
static void k15_the_loader_rolls_back_from_the_card(void **state)
{
    static const struct {
        enum vdevice_app app;
        unsigned managers;
    } cases[] = {{VDEVICE_SILENT, 0}, {VDEVICE_CRASH, 1}, {VDEVICE_HANG, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct watch watch;
        struct world *world = make_loading(true, &watch);

        world->device.app = cases[i].app;
        assert_int_equal(update(world), VDEVICE_IDLE);
        assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLED_BACK);
        assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
        assert_int_equal(watch.starts[OTTER_PROGRAM_MANAGER], cases[i].managers);
        assert_int_equal(watch.starts[OTTER_PROGRAM_LOADER], 2 - cases[i].managers);
        world_drop(world);
    }
}

static void k15_what_follows_a_system_that_came_with_a_loader_needs_none(void **state)
{
    struct watch watch;
    struct world *world = make_loading(true, &watch);

    (void)state;
    assert_int_equal(update(world), VDEVICE_IDLE);
    sample_next(&world->sample, 3, &world->next);
    build(world);
    memset(&watch, 0, sizeof(watch));
    assert_int_equal(update(world), VDEVICE_IDLE);
    check_confirmed(world);
    assert_int_equal(watch.starts[OTTER_PROGRAM_LOADER], 0);
    assert_int_equal(watch.boot_code, 0);
    world_drop(world);
}

/* --- it fails --- */

static void k21_a_loader_that_crashes_or_hangs_leaves_it_to_the_manager(void **state)
{
    static const enum vdevice_app apps[] = {VDEVICE_CRASH, VDEVICE_HANG};

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct watch watch;
        struct world *world = make_loading(i / 2 == 1, &watch);

        world->device.app_loader = apps[i % 2];
        assert_int_equal(update(world), VDEVICE_IDLE);
        check_confirmed(world);
        assert_int_equal(watch.starts[OTTER_PROGRAM_MANAGER], 1);
        world_drop(world);
    }
}

/* Offset of the loader in the package's file: before the trailer. */
static uint32_t loader_off(const struct world *world)
{
    return (uint32_t)world->next.size - (uint32_t)OTTER_TRAILER_SIZE -
           (uint32_t)SAMPLE_LOADER_SIZE;
}

/* A bit anywhere in it flips after the request: it is not run, and the manager finds
 * the package damaged before anything is written. */
static void k21_a_loader_of_which_a_bit_flips_is_not_run(void **state)
{
    (void)state;
    for (uint32_t off = 0; off < (uint32_t)SAMPLE_LOADER_SIZE; off += 61) {
        struct watch watch;
        struct world *world = make_loading(true, &watch);

        assert_int_equal(ask(world), OTTER_OK);
        vcard_flip(&world->card, WORLD_PATH, loader_off(world) + off, off % 8);
        assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
        assert_int_equal(watch.starts[OTTER_PROGRAM_LOADER], 0);
        assert_int_equal(watch.boot_code, otter_code(OTTER_E_BOOT_LOADER));
        assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_FAILED);
        assert_int_equal(world_state(world).outcome.code,
                         otter_code(OTTER_E_CHECK_DAMAGED));
        assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
        world_drop(world);
    }
}

/* Both copies of the receipt are signed by a key that the device does not trust any
 * more by the time that boot looks. */
static void k21_a_loader_of_an_unsigned_receipt_is_not_run(void **state)
{
    struct watch watch;
    struct world *world = make_loading(true, &watch);
    uint32_t size = 0;

    (void)state;
    assert_int_equal(ask(world), OTTER_OK);
    uint8_t slot = (uint8_t)(1 - world_state(world).current);

    for (uint8_t copy = 0; copy < 2; copy++) {
        uint32_t addr = world_receipt_addr(world, slot, copy, &size);

        vflash_flip(&world->device.flash, addr + 32 + 44, 0); /* the target id */
    }
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_int_equal(watch.starts[OTTER_PROGRAM_LOADER], 0);
    assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
    world_drop(world);
}

static void k20_without_the_card_boot_starts_the_manager_which_waits(void **state)
{
    struct watch watch;
    struct world *world = make_loading(true, &watch);

    (void)state;
    assert_int_equal(ask(world), OTTER_OK);
    vcard_pull(&world->card, 0);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_int_equal(watch.starts[OTTER_PROGRAM_LOADER], 0);
    assert_int_equal(watch.starts[OTTER_PROGRAM_MANAGER], 1);
    assert_int_equal(watch.boot_code, otter_code(OTTER_E_BOOT_LOADER));
    assert_int_equal(world_state(world).outcome.code, otter_code(OTTER_E_CARD_NONE));
    assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
    world_drop(world);
}

/* A boot whose port names no RAM for loaders, though the table does. */
static void k15_a_boot_without_loaders_starts_the_manager(void **state)
{
    struct watch watch;
    struct world *world = make_loading(true, &watch);

    (void)state;
    world->device.ports.loader = NULL;
    assert_int_equal(update(world), VDEVICE_IDLE);
    check_confirmed(world);
    assert_int_equal(watch.starts[OTTER_PROGRAM_LOADER], 0);
    world_drop(world);
}

/* A table without a place for loaders, under a boot that could run some: nothing is
 * looked up. */
static unsigned load_count;

static enum otter_result count_load(struct otter_boot *boot)
{
    load_count++;
    return otter_boot_load(boot);
}

static void k15_a_table_without_their_region_starts_the_manager(void **state)
{
    static uint8_t memory[LOADER_SIZE];
    static const struct otter_loader loader = {.memory = memory, .load = count_load};
    struct world *world = world_make_small(false, false);

    (void)state;
    load_count = 0;
    world->device.ports.loader = &loader;
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    check_confirmed(world);
    assert_int_equal(load_count, 0);
    world_drop(world);
}

static void assert_left_to_the_manager(struct world *world, const struct watch *watch,
                                       enum otter_result why)
{
    assert_int_equal(watch->starts[OTTER_PROGRAM_LOADER], 0);
    assert_int_equal(watch->starts[OTTER_PROGRAM_MANAGER], 1);
    assert_int_equal(watch->boot_code, otter_code(OTTER_E_BOOT_LOADER));
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_FAILED);
    assert_int_equal(world_state(world).outcome.code, otter_code(why));
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
}

/* Address of the loader in staging: its bytes are nowhere else. */
static uint32_t loader_in_staging(struct world *world)
{
    const struct otter_region *staging = world_region(world, OTTER_REGION_STAGING);
    uint32_t off = 0;

    while (off < staging->size - (uint32_t)SAMPLE_LOADER_SIZE &&
           memcmp(vflash_peek(&world->device.flash, staging->addr + off,
                              SAMPLE_LOADER_SIZE),
                  world->next.loader, SAMPLE_LOADER_SIZE) != 0) {
        off += 4;
    }
    assert_true(off < staging->size - (uint32_t)SAMPLE_LOADER_SIZE);
    return staging->addr + off;
}

/* Neither its first nor its last bytes can be read, then the whole card. */
static void k21_a_loader_that_cannot_be_read_is_not_run(void **state)
{
    static const struct {
        bool is_on_card;
        uint32_t off;
        uint8_t percent; /* [09-XX]: of the firmware before it; 512 of 611 bytes */
    } cases[] = {{false, 0, 98}, {false, SAMPLE_LOADER_SIZE - 1, 83}, {true, 0, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct watch watch;
        struct world *world = make_loading(cases[i].is_on_card, &watch);

        assert_int_equal(ask(world), OTTER_OK);
        if (cases[i].is_on_card) {
            vcard_set_bad(&world->card, WORLD_PATH, true);
        } else {
            vflash_kill_word(&world->device.flash,
                             loader_in_staging(world) + cases[i].off);
        }
        assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE),
                         VDEVICE_IDLE);
        assert_left_to_the_manager(
            world, &watch,
            cases[i].is_on_card ? OTTER_E_CARD_READ
                                : otter_error_at(OTTER_E_CHECK_READ, cases[i].percent));
        world_drop(world);
    }
}

/* Without the storage key there is no way back from the update, so that no plan can be
 * made of it: boot leaves that to the manager, which says why (K26). */
static void k26_without_the_storage_key_no_loader_is_run(void **state)
{
    struct watch watch = {.boot_code = 0};
    struct world *world = make_device(false);

    (void)state;
    vdevice_destroy(&world->device);
    sample_encrypt_first(&world->sample);
    sample_device(&world->sample, false, &world->device);
    world->device.hooks.context = &watch;
    world->device.hooks.on_event = note;
    world_mark(world);
    sample_next(&world->sample, 2, &world->next);
    sample_carry_loader(&world->sample, &world->next);
    build(world);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(ask(world), OTTER_OK);
    world->sample.key_store.count = 1; /* the root alone */
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE), VDEVICE_IDLE);
    assert_left_to_the_manager(world, &watch, OTTER_E_STORAGE_KEY);
    world_drop(world);
}

/* A copy of a receipt that dies while boot looks the loader up. */
static struct {
    struct world *world;
    bool is_loading;
    uint32_t reads;
    uint32_t fail_at; /* counted from 1 */
} dying;

static enum otter_result load_watched(struct otter_boot *boot)
{
    dying.is_loading = true;
    enum otter_result result = otter_boot_load(boot);

    dying.is_loading = false;
    return result;
}

static void on_read(void *context, uint32_t addr, size_t size)
{
    const struct otter_region *receipts =
        world_region(dying.world, OTTER_REGION_RECEIPTS);

    (void)context;
    (void)size;
    if (dying.is_loading && addr >= receipts->addr &&
        addr - receipts->addr < receipts->size && ++dying.reads == dying.fail_at) {
        vflash_kill_word(&dying.world->device.flash, addr);
    }
}

/* Its other copy says the same: the loader runs, wherever the reading broke off. */
static void k1_a_copy_of_a_receipt_that_dies_does_not_stop_a_loader(void **state)
{
    struct watch watch;
    struct world *world = make_loading(false, &watch);

    (void)state;
    assert_int_equal(ask(world), OTTER_OK);
    vdevice_power_off(&world->device);
    world_mark(world);
    world->device.loader.load = load_watched;
    dying.world = world;
    dying.fail_at = 0;
    do {
        dying.fail_at++;
        dying.reads = 0;
        memset(&watch, 0, sizeof(watch));
        world_back(world);
        world->device.flash.hooks.on_read = on_read;
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        world->device.flash.hooks.on_read = NULL;
        check_confirmed(world);
        assert_int_equal(watch.starts[OTTER_PROGRAM_LOADER], 1);
    } while (dying.reads >= dying.fail_at);
    assert_true(dying.fail_at > 50);
    world_drop(world);
}

/* --- packages that are refused --- */

static void same(struct world *world, struct host_member *loader)
{
    (void)world;
    (void)loader;
}

static void linked_elsewhere(struct world *world, struct host_member *loader)
{
    (void)world;
    loader->link_addr++;
}

static void too_large(struct world *world, struct host_member *loader)
{
    static uint8_t large[LOADER_SIZE + 4];

    (void)world;
    loader->image = (struct host_image){large, sizeof(large)};
}

static void for_the_manager(struct world *world, struct host_member *loader)
{
    (void)world;
    loader->region = OTTER_REGION_MANAGER;
}

static void named_its_region(struct world *world, struct host_member *loader)
{
    (void)world;
    loader->region = OTTER_REGION_LOADER;
}

static void kept(struct world *world, struct host_member *loader)
{
    (void)world;
    loader->flags = OTTER_MEMBER_KEPT;
}

static void encrypted(struct world *world, struct host_member *loader)
{
    (void)loader;
    sample_encrypt(&world->sample, &world->next);
}

static void coded(struct world *world, struct host_member *loader)
{
    struct host_coded made;

    assert_true(host_code_heatshrink(&loader->image, 8, &made));
    memcpy(world->next.stored[3], made.data, made.size);
    loader->stored = (struct host_image){world->next.stored[3], made.size};
    loader->memory = made.memory;
    loader->coding = OTTER_CODING_HEATSHRINK;
    free(made.data);
}

static void twice(struct world *world, struct host_member *loader)
{
    loader[1] = loader[0];
    loader[1].region = OTTER_REGION_LOADER;
    world->next.package.member_count++;
}

static void bad_stack(struct world *world, struct host_member *loader)
{
    (void)loader;
    otter_store_le32(world->next.loader, 0x20004001);
}

static void bad_reset(struct world *world, struct host_member *loader)
{
    (void)loader;
    otter_store_le32(world->next.loader + 4,
                     world_region(world, OTTER_REGION_LOADER)->exec + 0x40);
}

static const struct {
    const char *name;
    void (*change)(struct world *world, struct host_member *loader);
    enum otter_result result;
} rows[] = {
    {"as it is", same, OTTER_OK},
    {"names its region", named_its_region, OTTER_OK},
    {"linked elsewhere", linked_elsewhere, OTTER_E_LINK_ADDRESS},
    {"too large", too_large, OTTER_E_TOO_LARGE},
    {"for the manager's region", for_the_manager, OTTER_E_LINK_ADDRESS},
    {"kept", kept, OTTER_E_STRATEGY},
    {"encrypted", encrypted, OTTER_E_CONTROL_FLAGS},
    {"coded", coded, OTTER_E_CONTROL_CODING},
    {"twice", twice, OTTER_E_CONTROL_DOUBLED},
    {"stack pointer outside RAM", bad_stack, OTTER_E_VECTORS},
    {"reset vector that is even", bad_reset, OTTER_E_VECTORS},
};

static void k13_each_reason_to_refuse_a_loader_has_its_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world *world = make_device(false);

        sample_carry_loader(&world->sample, &world->next);
        rows[i].change(world, &world->next.members[3]);
        sample_build(&world->next);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        enum otter_result result = world_feed(world);

        if (result != rows[i].result) {
            fail_msg("%s: %u-%02u", rows[i].name, (unsigned)otter_code(result) >> 8,
                     otter_code(result) & 255U);
        }
        world_drop(world);
    }
}

static void k13_a_device_without_the_region_refuses_a_loader(void **state)
{
    struct world *world = world_make_small(false, false);

    (void)state;
    world->next.members[3] =
        (struct host_member){.role = OTTER_ROLE_LOADER,
                             .link_addr = LOADER_ADDR,
                             .image = {world->next.loader, SAMPLE_LOADER_SIZE}};
    world->next.package.member_count = 4;
    sample_build(&world->next);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_feed(world), OTTER_E_REGION);
    world_drop(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k15_the_loader_installs_and_the_manager_never_starts),
        cmocka_unit_test(k15_a_damaged_manager_does_not_stop_a_loader),
        cmocka_unit_test(k15_the_loader_rolls_back_from_the_card),
        cmocka_unit_test(k15_what_follows_a_system_that_came_with_a_loader_needs_none),
        cmocka_unit_test(k21_a_loader_that_crashes_or_hangs_leaves_it_to_the_manager),
        cmocka_unit_test(k21_a_loader_of_which_a_bit_flips_is_not_run),
        cmocka_unit_test(k21_a_loader_of_an_unsigned_receipt_is_not_run),
        cmocka_unit_test(k20_without_the_card_boot_starts_the_manager_which_waits),
        cmocka_unit_test(k15_a_boot_without_loaders_starts_the_manager),
        cmocka_unit_test(k15_a_table_without_their_region_starts_the_manager),
        cmocka_unit_test(k21_a_loader_that_cannot_be_read_is_not_run),
        cmocka_unit_test(k26_without_the_storage_key_no_loader_is_run),
        cmocka_unit_test(k1_a_copy_of_a_receipt_that_dies_does_not_stop_a_loader),
        cmocka_unit_test(k13_each_reason_to_refuse_a_loader_has_its_code),
        cmocka_unit_test(k13_a_device_without_the_region_refuses_a_loader),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
