/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members that are written in place (K13): over their region while the manager receives
 * them. From the first byte on the device stays in the manager until a system is whole
 * again, unless the package declares that the old one runs with the member, too.
 * Expected values: the contracts K5, K12, K13, docs/SPEC.md, "In place", and the
 * sample.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest.h"
#include "world.h"

#include <string.h>

enum { SECTOR = 512, CHUNK = 200, MANAGER = 1, RESOURCES = 3, FONT = 4 };

static const bool kinds[] = {false, true}; /* single, A/B */

/* A device with resources and a font, whose next package has its font in place. */
static struct world *make(bool is_ab, bool is_compatible)
{
    struct world *world = world_make_full(is_ab);

    sample_put_in_place(&world->next, is_compatible);
    sample_build(&world->next);
    return world;
}

static void on_both(void (*test)(struct world *world), bool is_compatible)
{
    for (size_t i = 0; i < 2; i++) {
        struct world *world = make(kinds[i], is_compatible);

        test(world);
        world_drop(world);
    }
}

static bool has(struct world *world, uint8_t id, const uint8_t *bytes, uint32_t size)
{
    return memcmp(
               vflash_peek(&world->device.flash, world_region(world, id)->addr, size),
               bytes, size) == 0;
}

static bool has_font(struct world *world, const struct sample_package *package)
{
    return has(world, OTTER_REGION_FONT, package->font, SAMPLE_FONT_SIZE);
}

/* The device runs that package's system, but for the font. */
static bool runs(struct world *world, const struct sample_package *package)
{
    return world->device.program == OTTER_PROGRAM_AGENT &&
           world_holds(world, world->device.region, package) &&
           has(world, OTTER_REGION_RESOURCES, package->resources,
               SAMPLE_RESOURCES_SIZE);
}

static bool is_closed(struct world *world)
{
    return (world_state(world).flags & OTTER_FLAG_CLOSED) != 0;
}

static void assert_in_manager(struct world *world, enum otter_result why)
{
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_int_equal(world->device.code, otter_code(why));
}

static void assert_outcome(struct world *world, uint8_t kind, enum otter_result why)
{
    assert_int_equal(world_state(world).outcome.kind, kind);
    assert_int_equal(world_state(world).outcome.code, otter_code(why));
}

static void reset(struct world *world)
{
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE), VDEVICE_IDLE);
}

static void settle(struct otter_receive *receive)
{
    while (otter_receive_is_busy(receive)) {
        assert_int_equal(otter_receive_step(receive), OTTER_OK);
    }
}

/* Feeds the first `size` bytes of the package alone to the manager, then stops. */
static void feed_part(struct world *world, size_t size)
{
    struct otter_receive *receive = &world->device.manager.receive;
    struct otter_chunk chunk = {.total = (uint32_t)world->next.size};
    uint8_t digest[OTTER_SHA256_SIZE];

    digest_of(world->next.bytes, world->next.size, digest);
    memcpy(chunk.session, digest, sizeof(chunk.session));
    while (chunk.off < size) {
        size_t left = size - chunk.off;

        chunk.data = world->next.bytes + chunk.off;
        chunk.size = left < CHUNK ? left : CHUNK;
        assert_int_equal(otter_receive_offer(receive, &chunk), OTTER_OK);
        settle(receive);
        chunk.off = receive->next;
    }
}

/* Where the font begins in the file: it is the last member. */
static size_t font_off(const struct world *world)
{
    return world->next.size - OTTER_TRAILER_SIZE - SAMPLE_FONT_SIZE;
}

/* Another package than `next`, from its maker. */
static enum otter_result feed_other(struct world *world, struct sample_package *other)
{
    enum otter_result result = OTTER_OK;

    sample_build(other);
    assert_int_equal(
        vdevice_feed(&world->device, other->bytes, other->size, CHUNK, &result),
        VDEVICE_IDLE);
    return result;
}

/* --- the way of an update --- */

static void check_update(struct world *world)
{
    world_enter_manager(world);
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_true(has_font(world, &world->next));
    assert_true(world_is_untouched(world, OTTER_REGION_RESOURCES));
    assert_int_equal(world_request(world), OTTER_OK);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_true(runs(world, &world->next));
    assert_true(has_font(world, &world->next));
    assert_outcome(world, OTTER_OUTCOME_CONFIRMED, OTTER_OK);
    assert_int_equal(world_state(world).flags, 0);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(runs(world, &world->next));
}

static void k13_the_manager_writes_a_font_in_place_while_it_receives(void **state)
{
    (void)state;
    on_both(check_update, false);
    on_both(check_update, true);
}

/* Undisturbed, P10: each of its sectors is erased once, and nothing of it is staged. */
static void p10_a_member_in_place_is_written_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = make(kinds[i], false);
        const struct otter_region *font = world_region(world, OTTER_REGION_FONT);

        world_enter_manager(world);
        vflash_measure_reset(&world->device.flash);
        assert_int_equal(world_feed(world), OTTER_OK);
        assert_int_equal(
            vflash_erases_max(&world->device.flash, font->addr, font->size), 1);
        world_drop(world);
    }
}

static void check_agent(struct world *world)
{
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_feed(world), OTTER_E_NEEDS_MANAGER);
    assert_true(world_is_untouched(world, OTTER_REGION_STAGING));
    assert_true(world_is_untouched(world, OTTER_REGION_FONT));
    assert_false(is_closed(world));
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(runs(world, &world->sample.first));
    assert_true(has_font(world, &world->sample.first));
}

static void k13_the_agent_says_that_it_needs_the_manager(void **state)
{
    (void)state;
    on_both(check_agent, false);
    on_both(check_agent, true);
}

/* What the manager has received of it, stored members, is not the agent's to forget. */
static void check_agent_between(struct world *world)
{
    world_enter_manager(world);
    feed_part(world, font_off(world));
    assert_false(is_closed(world));
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(runs(world, &world->sample.first));
    uint32_t ops = world->device.flash.op;

    assert_int_equal(world_feed(world), OTTER_E_NEEDS_MANAGER);
    assert_int_equal(world->device.flash.op, ops);
    world_enter_manager(world);
    assert_int_equal(world->device.manager.receive.next, font_off(world));
    assert_int_equal(world_feed(world), OTTER_OK);
}

static void p5_a_transfer_to_the_manager_waits_for_the_manager(void **state)
{
    (void)state;
    on_both(check_agent_between, false);
}

/* --- cuts --- */

static void check_cut(struct world *world)
{
    world_enter_manager(world);
    feed_part(world, font_off(world) + SECTOR + 100);
    assert_true(is_closed(world));
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_in_manager(world, OTTER_E_BOOT_CLOSED);
    assert_int_equal(world->device.manager.result, OTTER_E_BOOT_CLOSED);
    assert_int_equal(world->device.manager.receive.next, font_off(world) + SECTOR);
    assert_int_equal(world_feed(world), OTTER_OK);
    /* Complete, and requested by nobody yet. */
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_in_manager(world, OTTER_E_BOOT_CLOSED);
    assert_int_equal(world_request(world), OTTER_OK);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_true(runs(world, &world->next));
    assert_true(has_font(world, &world->next));
}

static void p5_after_a_cut_the_manager_goes_on_at_most_one_sector_back(void **state)
{
    (void)state;
    on_both(check_cut, false);
}

/* Before the first byte of it the application may run on. */
static void check_before(struct world *world)
{
    world_enter_manager(world);
    feed_part(world, font_off(world));
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_true(runs(world, &world->sample.first));
    assert_true(has_font(world, &world->sample.first));
}

static void p2_until_its_first_byte_the_old_system_stands(void **state)
{
    (void)state;
    on_both(check_before, false);
}

/* A stored member that does not match is found before anything is written in place. */
static void check_stored(struct world *world)
{
    world->next.bytes[font_off(world) - 1] ^= 1; /* of the resources */
    world_enter_manager(world);
    assert_int_equal(world_feed(world), OTTER_E_MEMBER_HASH);
    assert_false(is_closed(world));
    assert_true(world_is_untouched(world, OTTER_REGION_FONT));
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_true(runs(world, &world->sample.first));
}

static void k13_stored_members_are_verified_before_the_first_byte(void **state)
{
    (void)state;
    on_both(check_stored, false);
}

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

/* Writes a journal sector with three records of a state, so that it is sealed; or, if
 * `is_torn`, with two, and it counts at every second reading alone. */
static void put_sector(struct world *world, const struct otter_state *state,
                       bool is_torn)
{
    enum { OLD_NEW_OLD = 3 }; /* see vflash.h */
    static struct otter_device view;
    const struct otter_flash_area *area = &world->sample.profile.areas[0];
    uint32_t words = OTTER_RECORD_SIZE / area->word_size;
    uint8_t sector[SECTOR];
    uint8_t record[OTTER_RECORD_SIZE];

    assert_int_equal(vdevice_inspect(&world->device, &view), OTTER_OK);
    otter_record_encode(state, view.io.erases + 1, view.journal.highest + 1,
                        OTTER_PROGRAM_MANAGER, record);
    memset(sector, area->erased, sizeof(sector));
    memcpy(sector, record, sizeof(record));
    uint32_t addr = world_region(world, OTTER_REGION_JOURNAL)->addr +
                    free_sector(&view.journal) * SECTOR;
    const struct vflash_op op = {.addr = addr + OTTER_RECORD_SIZE,
                                 .size = OTTER_RECORD_SIZE,
                                 .word_count = words,
                                 .data = record};

    for (uint32_t i = 1; !is_torn && i < 3; i++) {
        memcpy(sector + (size_t)i * OTTER_RECORD_SIZE, record, sizeof(record));
    }
    vflash_provision(&world->device.flash, addr, sector, sizeof(sector));
    if (is_torn) {
        vflash_tear(&world->device.flash, &op, words - 1 + OLD_NEW_OLD * (words + 1));
    }
}

/* All is received, and the application closed; then, at every second reading, the
 * package is complete and the application open. */
static void tear_complete(struct world *world)
{
    const struct otter_state complete = world_state(world);
    struct otter_state before = complete;

    assert_int_equal(complete.phase, OTTER_PHASE_COMPLETE);
    before.phase = OTTER_PHASE_RECEIVING;
    before.part = OTTER_PART_HASH;
    before.member = 2;
    before.flags = OTTER_FLAG_CLOSED | OTTER_FLAG_NEW_FONT;
    put_sector(world, &before, false);
    put_sector(world, &complete, true);
}

/* Boot reads that the application is closed, the manager that it is open: without a
 * record that says so for certain they would send each other on for ever. */
static void k3_a_manager_that_reads_complete_makes_it_certain(void **state)
{
    struct world *world = make(false, true);

    (void)state;
    world_enter_manager(world);
    assert_int_equal(world_feed(world), OTTER_OK);
    vdevice_power_off(&world->device);
    tear_complete(world);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(runs(world, &world->sample.first));
    assert_true(has_font(world, &world->next));
    assert_int_equal(world_request(world), OTTER_OK);
    reset(world);
    assert_true(runs(world, &world->next));
    world_drop(world);
}

/* --- broken off --- */

static void break_off(struct world *world)
{
    world_enter_manager(world);
    feed_part(world, font_off(world) + CHUNK);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_in_manager(world, OTTER_E_BOOT_CLOSED);
}

static void check_damaged(struct world *world)
{
    world->next.bytes[font_off(world) + 1] ^= 1;
    world_enter_manager(world);
    assert_int_equal(world_feed(world), OTTER_E_MEMBER_HASH);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_outcome(world, OTTER_OUTCOME_REFUSED, OTTER_E_MEMBER_HASH);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_in_manager(world, OTTER_E_BOOT_CLOSED);
    world->next.bytes[font_off(world) + 1] ^= 1;
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_int_equal(world_request(world), OTTER_OK);
    reset(world);
    assert_true(runs(world, &world->next));
    assert_true(has_font(world, &world->next));
}

static void k13_a_wrong_hash_keeps_the_manager_which_takes_it_again(void **state)
{
    (void)state;
    on_both(check_damaged, false);
    on_both(check_damaged, true);
}

static void check_keeping(struct world *world)
{
    static struct sample_package other;

    break_off(world);
    sample_next(&world->sample, 3, &other);
    sample_carry_regions(&other);
    other.members[FONT].flags = OTTER_MEMBER_KEPT;
    other.members[FONT].image.data = world->sample.first.font;
    assert_int_equal(feed_other(world, &other), OTTER_E_KEPT);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_in_manager(world, OTTER_E_BOOT_CLOSED);
}

static void k13_what_was_begun_in_place_is_not_kept(void **state)
{
    (void)state;
    on_both(check_keeping, false);
}

static void check_staged(struct world *world)
{
    static struct sample_package other;
    enum otter_result result = OTTER_OK;

    break_off(world);
    sample_next(&world->sample, 3, &other);
    sample_carry_regions(&other);
    assert_int_equal(feed_other(world, &other), OTTER_OK);
    assert_int_equal(vdevice_request(&world->device, &result), VDEVICE_IDLE);
    assert_int_equal(result, OTTER_OK);
    reset(world);
    assert_true(runs(world, &other));
    assert_true(has_font(world, &other));
    assert_int_equal(world_state(world).flags, 0);
}

static void k13_another_package_with_the_member_brings_a_system_back(void **state)
{
    (void)state;
    on_both(check_staged, false);
}

static void check_manager_member(struct world *world)
{
    static struct sample_package other;

    break_off(world);
    sample_next(&world->sample, 3, &other);
    sample_carry_manager(&world->sample, &other);
    sample_carry_regions(&other);
    assert_int_equal(feed_other(world, &other), OTTER_E_MANAGER_ALONE);
}

static void k15_no_manager_is_replaced_while_the_application_is_closed(void **state)
{
    (void)state;
    on_both(check_manager_member, false);
}

/* The whole journal is lost, and with it that the application is closed: what is half
 * written belongs to no system all the same, also after the manager's own records. */
static void check_lost_journal(struct world *world)
{
    const struct otter_region *journal = world_region(world, OTTER_REGION_JOURNAL);

    world->next.package.counter = 1; /* the old system's: that does not close it */
    sample_build(&world->next);
    break_off(world);
    vdevice_power_off(&world->device);
    for (uint32_t off = 0; off < journal->size; off += 128) {
        vflash_flip(&world->device.flash, journal->addr + off, 1);
    }
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    world->next.bytes[OTTER_IMAGE_HEADER_SIZE + 44] ^= 1;
    assert_int_equal(world_feed(world), OTTER_E_SIGNATURE_BAD);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    world->next.bytes[OTTER_IMAGE_HEADER_SIZE + 44] ^= 1;
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_int_equal(world_request(world), OTTER_OK);
    reset(world);
    assert_true(runs(world, &world->next));
    assert_true(has_font(world, &world->next));
}

static void k2_a_lost_journal_does_not_open_the_application(void **state)
{
    (void)state;
    on_both(check_lost_journal, false);
}

/* --- failed trials --- */

static void fail_trial(struct world *world)
{
    world->device.app = VDEVICE_CRASH;
    world_enter_manager(world);
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_int_equal(world_request(world), OTTER_OK);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
}

static void check_one_way(struct world *world)
{
    static struct sample_package other;
    enum otter_result result = OTTER_OK;

    fail_trial(world);
    assert_in_manager(world, OTTER_E_ONE_WAY);
    assert_outcome(world, OTTER_OUTCOME_FAILED, OTTER_E_ONE_WAY);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_in_manager(world, OTTER_E_BOOT_CLOSED);
    world->device.app = VDEVICE_CONFIRM;
    sample_next(&world->sample, 3, &other);
    sample_carry_regions(&other);
    sample_put_in_place(&other, false);
    assert_int_equal(feed_other(world, &other), OTTER_OK);
    assert_int_equal(vdevice_request(&world->device, &result), VDEVICE_IDLE);
    assert_int_equal(result, OTTER_OK);
    reset(world);
    assert_true(runs(world, &other));
    assert_true(has_font(world, &other));
    assert_int_equal(world_state(world).flags, 0);
}

static void k13_a_failed_trial_with_no_way_back_ends_in_the_manager(void **state)
{
    (void)state;
    on_both(check_one_way, false);
}

static void check_declared(struct world *world)
{
    fail_trial(world);
    assert_true(runs(world, &world->sample.first));
    assert_true(has_font(world, &world->next));
    assert_outcome(world, OTTER_OUTCOME_ROLLED_BACK, OTTER_E_TRIAL_FAULTS);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(runs(world, &world->sample.first));
}

static void k13_declared_compatible_the_old_system_comes_back(void **state)
{
    (void)state;
    on_both(check_declared, true);
}

/* The font of the update stays, so the old receipt does not describe it any more. Known
 * from the control packet, that is said before anything of the store is erased (K8). */
static void check_declared_then_kept(struct world *world)
{
    const struct otter_region *staging = world_region(world, OTTER_REGION_STAGING);
    static struct sample_package other;
    enum otter_result result = OTTER_OK;

    fail_trial(world);
    world->device.app = VDEVICE_CONFIRM;
    sample_next(&world->sample, 3, &other);
    sample_carry_regions(&other);
    other.members[FONT].flags = OTTER_MEMBER_KEPT;
    other.members[FONT].image.data = world->sample.first.font;
    vflash_measure_reset(&world->device.flash);
    assert_int_equal(feed_other(world, &other), OTTER_E_KEPT);
    assert_int_equal(
        vflash_erases_max(&world->device.flash, staging->addr, staging->size), 0);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_outcome(world, OTTER_OUTCOME_REFUSED, OTTER_E_KEPT);
    assert_true(runs(world, &world->sample.first));
    other.members[FONT].flags = 0;
    other.members[FONT].image.data = other.font;
    assert_int_equal(feed_other(world, &other), OTTER_OK);
    assert_int_equal(vdevice_request(&world->device, &result), VDEVICE_IDLE);
    assert_int_equal(result, OTTER_OK);
    reset(world);
    assert_true(runs(world, &other));
    assert_true(has_font(world, &other));
}

static void k8_what_a_declared_member_has_replaced_is_not_kept(void **state)
{
    (void)state;
    on_both(check_declared_then_kept, true);
}

/* A package may bring the manager that runs, as the first one does: it is not replaced,
 * so it may come while the application is closed (K15). */
static void check_everything(struct world *world)
{
    static struct sample_package other;
    enum otter_result result = OTTER_OK;

    fail_trial(world);
    assert_in_manager(world, OTTER_E_ONE_WAY);
    world->device.app = VDEVICE_CONFIRM;
    sample_next(&world->sample, 3, &other);
    sample_carry_regions(&other);
    other.members[MANAGER].flags = 0;
    other.members[MANAGER].version = 1;
    assert_int_equal(feed_other(world, &other), OTTER_OK);
    assert_int_equal(vdevice_request(&world->device, &result), VDEVICE_IDLE);
    assert_int_equal(result, OTTER_OK);
    reset(world);
    assert_true(runs(world, &other));
    assert_true(has_font(world, &other));
    assert_int_equal(world_state(world).flags, 0);
    assert_true(world_is_untouched(world, OTTER_REGION_MANAGER));
}

static void k15_a_package_with_everything_ends_the_closed_state(void **state)
{
    (void)state;
    on_both(check_everything, false);
}

/* Complete and not requested, the old system runs with a member that it is declared
 * compatible with; half of that member is nobody's. */
static void check_declared_between(struct world *world)
{
    break_off(world);
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_false(is_closed(world));
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_true(runs(world, &world->sample.first));
    assert_true(has_font(world, &world->next));
    assert_int_equal(world_request(world), OTTER_OK);
    reset(world);
    assert_true(runs(world, &world->next));
}

static void k13_declared_compatible_it_runs_until_the_request(void **state)
{
    (void)state;
    on_both(check_declared_between, true);
}

/* --- encrypted --- */

/* Its region holds what it decrypts to, and nothing of that lies anywhere else. */
static void check_encrypted(struct world *world)
{
    sample_encrypt(&world->sample, &world->next);
    sample_build(&world->next);
    world_enter_manager(world);
    feed_part(world, font_off(world) + SECTOR + 100);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_in_manager(world, OTTER_E_BOOT_CLOSED);
    assert_int_equal(world->device.manager.receive.next, font_off(world) + SECTOR);
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_true(has_font(world, &world->next));
    assert_false(world->device.manager.doors.in_place.has_key); /* wiped */
    assert_int_equal(world_request(world), OTTER_OK);
    reset(world);
    assert_true(runs(world, &world->next));
    assert_true(has_font(world, &world->next));
}

static void k26_an_encrypted_member_is_decrypted_into_its_place(void **state)
{
    (void)state;
    on_both(check_encrypted, false);
}

/* Its last byte has come, and the reset leaves the rest to verify: the key is asked for
 * again. */
static void check_verified_later(struct world *world)
{
    sample_encrypt(&world->sample, &world->next);
    sample_build(&world->next);
    world_enter_manager(world);
    feed_part(world, font_off(world) + SAMPLE_FONT_SIZE);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_true(has_font(world, &world->next));
}

static void k26_after_a_reset_it_is_verified_with_the_key(void **state)
{
    (void)state;
    on_both(check_verified_later, false);
}

/* A key that the device has and that does not unwrap closes nothing. */
static void check_wrong_key(struct world *world)
{
    sample_encrypt(&world->sample, &world->next);
    world->next.wrap[12] ^= 1;
    sample_build(&world->next);
    world_enter_manager(world);
    assert_int_equal(world_feed(world), OTTER_E_KEY_WRONG);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_true(runs(world, &world->sample.first));
    assert_true(world_is_untouched(world, OTTER_REGION_FONT));
}

static void k13_without_the_content_key_nothing_is_closed(void **state)
{
    (void)state;
    on_both(check_wrong_key, false);
}

/* Its maker hashed another content: found at the end, told, and mended by a package. */
static void check_wrong_content(struct world *world)
{
    sample_encrypt(&world->sample, &world->next);
    world->next.font[5] ^= 1;
    sample_build(&world->next);
    world->next.font[5] ^= 1;
    world_enter_manager(world);
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_int_equal(world_request(world), OTTER_OK);
    reset(world);
    assert_in_manager(world, OTTER_E_BOOT_CLOSED);
    assert_outcome(world, OTTER_OUTCOME_FAILED, OTTER_E_DECRYPTED_HASH);
    sample_build(&world->next);
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_int_equal(world_request(world), OTTER_OK);
    reset(world);
    assert_true(runs(world, &world->next));
    assert_true(has_font(world, &world->next));
}

static void k13_what_decrypts_to_other_content_keeps_the_manager(void **state)
{
    (void)state;
    on_both(check_wrong_content, false);
}

/* Only what is staged is encrypted: the content key is unwrapped all the same before
 * anything is closed, and what is in place is written as it comes. */
static void check_clear(struct world *world)
{
    sample_encrypt(&world->sample, &world->next);
    world->next.members[FONT].flags &= (uint8_t)~OTTER_MEMBER_ENCRYPTED;
    world->next.members[FONT].stored = (struct host_image){NULL, 0};
    sample_build(&world->next);
    world_enter_manager(world);
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_true(has_font(world, &world->next));
    assert_int_equal(world_request(world), OTTER_OK);
    reset(world);
    assert_true(runs(world, &world->next));
    assert_true(has_font(world, &world->next));
}

static void k26_a_clear_member_beside_encrypted_ones_is_written_as_it_comes(
    void **state)
{
    (void)state;
    on_both(check_clear, false);
}

/* The device loses the key, or its right to use it, when the stored members are there.
 */
static void check_key_that_goes(struct world *world)
{
    static const enum otter_result codes[] = {OTTER_E_KEY_MISSING, OTTER_E_KEY_REVOKED};
    struct otter_device_key *own = &world->sample.device_keys[0];

    sample_encrypt(&world->sample, &world->next);
    sample_build(&world->next);
    for (size_t i = 0; i < 2; i++) {
        world_back(world);
        world_enter_manager(world);
        feed_part(world, font_off(world));
        own->id[0] ^= i == 0;
        own->is_revoked = i == 1;
        assert_int_equal(world_feed(world), codes[i]);
        assert_false(is_closed(world));
        assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
        assert_true(runs(world, &world->sample.first));
        assert_true(world_is_untouched(world, OTTER_REGION_FONT));
        own->id[0] ^= i == 0;
        own->is_revoked = false;
    }
}

static void k13_a_key_that_goes_before_the_first_byte_closes_nothing(void **state)
{
    (void)state;
    on_both(check_key_that_goes, false);
}

/* A receiver that was given no room for a content key decrypts nothing; it takes what
 * is clear. */
static void check_without_room(struct world *world)
{
    world_enter_manager(world);
    world->device.manager.receive.in_place = NULL;
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_true(has_font(world, &world->next));
    world_back(world);
    sample_encrypt(&world->sample, &world->next);
    sample_build(&world->next);
    world_enter_manager(world);
    world->device.manager.receive.in_place = NULL;
    assert_int_equal(world_feed(world), OTTER_E_CANNOT_DECRYPT);
    assert_false(is_closed(world));
    assert_true(world_is_untouched(world, OTTER_REGION_FONT));
}

static void k26_a_receiver_without_room_for_a_key_takes_what_is_clear(void **state)
{
    (void)state;
    on_both(check_without_room, false);
}

/* --- more than one --- */

/* In the second of them the transfer goes on there, and the first is not written again:
 * that the application is closed stands for both. */
static void check_second(struct world *world)
{
    const struct otter_region *resources = world_region(world, OTTER_REGION_RESOURCES);

    world->next.members[RESOURCES].flags |= OTTER_MEMBER_IN_PLACE;
    sample_build(&world->next);
    world_enter_manager(world);
    feed_part(world, font_off(world) + SECTOR + 100);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_in_manager(world, OTTER_E_BOOT_CLOSED);
    assert_int_equal(world->device.manager.receive.next, font_off(world) + SECTOR);
    vflash_measure_reset(&world->device.flash);
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_int_equal(
        vflash_erases_max(&world->device.flash, resources->addr, resources->size), 0);
    assert_int_equal(world_request(world), OTTER_OK);
    reset(world);
    assert_true(runs(world, &world->next));
    assert_true(has_font(world, &world->next));
    assert_int_equal(world_state(world).flags, 0);
}

static void p5_after_a_cut_in_the_second_member_in_place_the_first_stands(void **state)
{
    (void)state;
    on_both(check_second, false);
}

/* --- damage --- */

/* Between the request and the installation: the manager stays until a package comes
 * that brings the member. */
static void check_flip(struct world *world)
{
    world_enter_manager(world);
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_int_equal(world_request(world), OTTER_OK);
    world_damage(world, OTTER_REGION_FONT);
    reset(world);
    assert_in_manager(world, OTTER_E_BOOT_CLOSED);
    assert_outcome(world, OTTER_OUTCOME_FAILED, OTTER_E_CHECK_DAMAGED);
    assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_int_equal(world_request(world), OTTER_OK);
    reset(world);
    assert_true(runs(world, &world->next));
    assert_true(has_font(world, &world->next));
}

static void k13_a_member_in_place_that_is_damaged_later_keeps_the_manager(void **state)
{
    (void)state;
    on_both(check_flip, false);
}

/* The copy of the receipt that the receiver reads dies, wherever after the last byte of
 * the members. */
static struct {
    struct world *world;
    uint32_t reads;
    uint32_t fail_at; /* counted from 1 */
} dying;

static void on_read(void *context, uint32_t addr, size_t size)
{
    const struct otter_region *receipts =
        world_region(dying.world, OTTER_REGION_RECEIPTS);

    (void)context;
    (void)size;
    if (addr >= receipts->addr && addr - receipts->addr < receipts->size &&
        ++dying.reads == dying.fail_at &&
        vflash_word_at(&dying.world->device.flash, addr) != VFLASH_WORD_ERASED) {
        vflash_kill_word(&dying.world->device.flash, addr);
    }
}

/* At the package hash both copies are under way: one that has died is not made from the
 * other, and the transfer begins once more. */
static void send_again(struct world *world)
{
    bool has_hash_part = world_state(world).part == OTTER_PART_HASH;
    enum otter_result result = world_feed(world);

    if (result != OTTER_OK) {
        assert_true(has_hash_part);
        assert_int_equal(result, OTTER_E_RECEIPT_COPY);
        assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
        assert_in_manager(world, OTTER_E_BOOT_CLOSED);
        assert_int_equal(world_feed(world), OTTER_OK);
    }
}

static void check_dying(struct world *world, unsigned *refusals)
{
    world_back(world);
    world_enter_manager(world);
    feed_part(world, font_off(world) + SAMPLE_FONT_SIZE);
    dying.reads = 0;
    world->device.flash.hooks.on_read = on_read;
    enum otter_result result = world_feed(world);

    world->device.flash.hooks.on_read = NULL;
    *refusals += result != OTTER_OK;
    assert_true(is_closed(world));
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_in_manager(world, OTTER_E_BOOT_CLOSED);
    if (world_state(world).phase != OTTER_PHASE_COMPLETE) {
        send_again(world);
    }
    assert_int_equal(world_request(world), OTTER_OK);
    reset(world);
    assert_true(runs(world, &world->next));
    assert_true(has_font(world, &world->next));
}

static void k13_a_receipt_that_dies_at_the_end_keeps_the_manager_which_takes_it_again(
    void **state)
{
    struct world *world = make(false, false);
    unsigned refusals = 0;

    (void)state;
    dying.world = world;
    dying.fail_at = 0;
    do {
        dying.fail_at++;
        check_dying(world, &refusals);
    } while (dying.reads >= dying.fail_at);
    assert_in_range(refusals, 5, dying.fail_at - 1);
    world_drop(world);
}

/* --- what is refused --- */

static void assert_refused(struct world *world, enum otter_result why)
{
    sample_build(&world->next);
    world_enter_manager(world);
    assert_int_equal(world_feed(world), why);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_is_untouched(world, OTTER_REGION_FONT));
}

static void check_refusals(struct world *world)
{
    struct host_member *members = world->next.members;
    struct host_member resources = members[3];
    struct host_member font = members[FONT];

    members[3] = font;
    members[FONT] = resources;
    assert_refused(world, OTTER_E_CONTROL_ORDER);
    members[3] = resources;
    members[FONT] = font;

    members[FONT].depends = 1; /* the firmware is installed later */
    assert_refused(world, OTTER_E_STRATEGY);
    members[FONT].depends = 0;

    members[FONT].flags = OTTER_MEMBER_COMPATIBLE;
    assert_refused(world, OTTER_E_CONTROL_MEMBER);
    members[FONT] = font;

    sample_carry_manager(&world->sample, &world->next);
    assert_refused(world, OTTER_E_IN_PLACE_MANAGER);
}

static void p6_what_cannot_be_written_in_place_is_refused_by_code(void **state)
{
    (void)state;
    on_both(check_refusals, false);
}

static void check_firmware(struct world *world)
{
    for (size_t i = 0; i < 5; i++) {
        if ((world->next.members[i].flags & OTTER_MEMBER_KEPT) == 0) {
            world->next.members[i].flags |= OTTER_MEMBER_IN_PLACE;
        }
    }
    assert_refused(world, OTTER_E_IN_PLACE_ROLE);
}

static void p6_a_firmware_is_not_written_in_place(void **state)
{
    (void)state;
    on_both(check_firmware, false);
}

static void check_coded(struct world *world)
{
    sample_code(&world->next, OTTER_CODING_HEATSHRINK);
    assert_refused(world, OTTER_E_CODING_IN_PLACE);
}

static void p6_a_coded_member_is_not_written_in_place(void **state)
{
    (void)state;
    on_both(check_coded, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k13_the_manager_writes_a_font_in_place_while_it_receives),
        cmocka_unit_test(p10_a_member_in_place_is_written_once),
        cmocka_unit_test(k13_the_agent_says_that_it_needs_the_manager),
        cmocka_unit_test(p5_a_transfer_to_the_manager_waits_for_the_manager),
        cmocka_unit_test(p5_after_a_cut_the_manager_goes_on_at_most_one_sector_back),
        cmocka_unit_test(p2_until_its_first_byte_the_old_system_stands),
        cmocka_unit_test(k13_stored_members_are_verified_before_the_first_byte),
        cmocka_unit_test(k3_a_manager_that_reads_complete_makes_it_certain),
        cmocka_unit_test(k13_a_wrong_hash_keeps_the_manager_which_takes_it_again),
        cmocka_unit_test(k13_what_was_begun_in_place_is_not_kept),
        cmocka_unit_test(k13_another_package_with_the_member_brings_a_system_back),
        cmocka_unit_test(k15_no_manager_is_replaced_while_the_application_is_closed),
        cmocka_unit_test(k2_a_lost_journal_does_not_open_the_application),
        cmocka_unit_test(k13_a_failed_trial_with_no_way_back_ends_in_the_manager),
        cmocka_unit_test(k13_declared_compatible_the_old_system_comes_back),
        cmocka_unit_test(k8_what_a_declared_member_has_replaced_is_not_kept),
        cmocka_unit_test(k15_a_package_with_everything_ends_the_closed_state),
        cmocka_unit_test(k13_declared_compatible_it_runs_until_the_request),
        cmocka_unit_test(k26_an_encrypted_member_is_decrypted_into_its_place),
        cmocka_unit_test(k26_after_a_reset_it_is_verified_with_the_key),
        cmocka_unit_test(k13_without_the_content_key_nothing_is_closed),
        cmocka_unit_test(k13_what_decrypts_to_other_content_keeps_the_manager),
        cmocka_unit_test(
            k26_a_clear_member_beside_encrypted_ones_is_written_as_it_comes),
        cmocka_unit_test(k13_a_key_that_goes_before_the_first_byte_closes_nothing),
        cmocka_unit_test(k26_a_receiver_without_room_for_a_key_takes_what_is_clear),
        cmocka_unit_test(p5_after_a_cut_in_the_second_member_in_place_the_first_stands),
        cmocka_unit_test(k13_a_member_in_place_that_is_damaged_later_keeps_the_manager),
        cmocka_unit_test(
            k13_a_receipt_that_dies_at_the_end_keeps_the_manager_which_takes_it_again),
        cmocka_unit_test(p6_what_cannot_be_written_in_place_is_refused_by_code),
        cmocka_unit_test(p6_a_firmware_is_not_written_in_place),
        cmocka_unit_test(p6_a_coded_member_is_not_written_in_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
