/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flash tables that packages bring (K8): keys that are added and revoked in one
 * package, which tables are refused, and which one counts at what time. Expected
 * values: docs/SPEC.md, "Flash table" and "Keys over time".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <stdlib.h>
#include <string.h>

static const uint32_t all_keys = 0xFFFFFFFF;
static const uint32_t first_revoked = 0xFFFFFFFE;

static void on_both(void (*check)(struct world *world))
{
    for (int is_ab = 0; is_ab < 2; is_ab++) {
        struct world *world = world_make_small(is_ab != 0, false);

        sample_rotate(&world->sample, &world->next);
        sample_build(&world->next);
        check(world);
        world_drop(world);
    }
}

/* In which quarters of its region a table with that content is. */
static unsigned places_of(const struct world *world, const struct host_image *content)
{
    const struct otter_region *region = world_region(world, OTTER_REGION_TABLE);
    unsigned places = 0;

    for (uint32_t i = 0; i < 4; i++) {
        const uint8_t *bytes =
            vflash_peek(&world->device.flash, region->addr + i * (region->size / 4),
                        OTTER_TABLE_CONTENT_OFF + content->size);

        if (memcmp(bytes + OTTER_TABLE_CONTENT_OFF, content->data, content->size) ==
            0) {
            places |= 1U << i;
        }
    }
    return places;
}

static unsigned old_places(const struct world *world)
{
    return places_of(world, &world->sample.first.members[2].image);
}

static unsigned new_places(const struct world *world)
{
    return places_of(world, &world->next.members[2].image);
}

/* ---- what counts when ---- */

static void check_trial(struct world *world)
{
    world->device.app = VDEVICE_SILENT;
    world_prepare(world);
    assert_int_equal(new_places(world), 0);
    world->device.hooks.idle = vdevice_stop_at_once;
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE),
                     VDEVICE_STOPPED);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_TRIAL);
    assert_int_equal(world_state(world).key_mask, all_keys);
    assert_int_equal(old_places(world), 5); /* the factory's, at the halves */
    assert_int_equal(new_places(world), 2);
    world->device.hooks.idle = NULL;
}

static void k8_until_the_confirm_both_copies_of_the_old_table_stay(void **state)
{
    (void)state;
    on_both(check_trial);
}

static enum otter_result offer_third(struct world *world, const uint8_t *scalar)
{
    static struct sample_package next;
    static struct host_image table;

    table = world->next.members[2].image;
    sample_next(&world->sample, 3, &next);
    next.members[2].image = table;
    next.package.scalar = scalar;
    sample_build(&next);
    memcpy(world->next.bytes, next.bytes, next.size);
    world->next.size = next.size;
    return world_feed(world);
}

static void check_confirmed(struct world *world)
{
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
    assert_int_equal(world_state(world).key_mask, first_revoked);
    assert_int_equal(world_state(world).flags, 0);
    assert_int_equal(new_places(world), 10); /* one in each half */
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.flash.op, 0); /* K9 */
    assert_int_equal(offer_third(world, world->sample.scalar),
                     OTTER_E_SIGNATURE_REVOKED);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE); /* the refusal */
    assert_int_equal(offer_third(world, world->sample.second), OTTER_OK);
}

static void k8_after_the_confirm_the_new_table_is_there_twice(void **state)
{
    (void)state;
    on_both(check_confirmed);
}

static void check_rolled_back(struct world *world)
{
    assert_int_equal(world_update(world, VDEVICE_CRASH), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_ROLLED_BACK);
    assert_int_equal(world_state(world).flags, 0);
    assert_int_equal(world_state(world).key_mask, all_keys);
    assert_int_equal(old_places(world), 5);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.flash.op, 0);
    assert_true(world_holds(world, world->device.region, &world->sample.first));
    /* The same once more: what the first attempt has left is in nobody's way. */
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_int_equal(world_state(world).key_mask, first_revoked);
}

static void k8_a_roll_back_leaves_the_old_table_and_its_keys(void **state)
{
    (void)state;
    on_both(check_rolled_back);
}

/* A change back: what was there first is brought again, to the places of the oldest. */
static void check_second_change(struct world *world)
{
    struct sample_package *third = calloc(1, sizeof(*third));

    assert_non_null(third);
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    sample_next(&world->sample, 3, third);
    third->table = world->next.table;
    third->table.policy.trial_deadline_s++;
    sample_encode_table(third);
    third->package.scalar = world->sample.second;
    sample_build(third);
    memcpy(world->next.bytes, third->bytes, third->size);
    world->next.size = third->size;
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
    assert_int_equal(places_of(world, &third->members[2].image), 5);
    assert_int_equal(world_state(world).key_mask, first_revoked); /* it stays so */
    assert_int_equal(world->device.agent.device.table.policy.trial_deadline_s,
                     world->sample.table.policy.trial_deadline_s + 1);
    free(third);
}

static void k8_the_next_table_takes_the_places_of_the_oldest(void **state)
{
    (void)state;
    on_both(check_second_change);
}

/* ---- one damage ---- */

static void flip_place(struct world *world, uint32_t place)
{
    const struct otter_region *region = world_region(world, OTTER_REGION_TABLE);

    vdevice_power_off(&world->device);
    vflash_flip(&world->device.flash, region->addr + place * (region->size / 4) + 100,
                3);
}

static void check_damaged_in_trial(struct world *world)
{
    for (uint32_t place = 0; place < 4; place++) {
        check_trial(world);
        flip_place(world, place);
        world->device.app = place % 2 == 0 ? VDEVICE_CRASH : VDEVICE_CONFIRM;
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        assert_true(world_holds(world, world->device.region,
                                place % 2 == 0 ? &world->sample.first : &world->next));
        assert_int_equal(world_state(world).flags, 0);
        world_back(world);
    }
}

static void k8_one_damaged_table_in_a_trial_costs_nothing(void **state)
{
    (void)state;
    on_both(check_damaged_in_trial);
}

static void spoil_place(struct world *world, uint32_t place)
{
    const struct otter_region *region = world_region(world, OTTER_REGION_TABLE);

    vflash_set_bad(&world->device.flash, region->addr + place * (region->size / 4),
                   true);
}

/* The old table is in places 0 and 2. A bad place costs the other spare one, and
 * afterwards the other one of its half: there are two copies again. */
static void check_bad_sector(struct world *world)
{
    for (uint32_t place = 1; place < 4; place += 2) {
        world_back(world);
        world_prepare(world);
        spoil_place(world, place);
        world->device.app = VDEVICE_CONFIRM;
        assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE),
                         VDEVICE_IDLE);
        assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
        assert_int_equal(world_state(world).flags, 0);
        assert_true(world_holds(world, world->device.region, &world->next));
        assert_int_equal(new_places(world), place == 1 ? 9 : 6);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.flash.op, 0); /* K9 */
        vdevice_power_off(&world->device);
        vflash_set_bad(&world->device.flash,
                       world_region(world, OTTER_REGION_TABLE)->addr +
                           place * (world_region(world, OTTER_REGION_TABLE)->size / 4),
                       false);
    }
}

static void k8_a_place_that_fails_costs_the_other_one(void **state)
{
    (void)state;
    on_both(check_bad_sector);
}

/* Both spare places have a bad sector. */
static void check_two_bad_sectors(struct world *world)
{
    world_prepare(world);
    spoil_place(world, 1);
    spoil_place(world, 3);
    world->device.app = VDEVICE_CONFIRM;
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_FAILED);
    assert_int_equal(world_state(world).outcome.code, otter_code(OTTER_E_TABLE_WRITE));
    assert_int_equal(world_state(world).flags, 0);
    assert_int_equal(old_places(world), 5);
    assert_true(world_holds(world, world->device.region, &world->sample.first));
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.flash.op, 0); /* it is not tried again (K9) */
}

static void k8_places_that_fail_end_the_installation_before_it_changes_anything(
    void **state)
{
    (void)state;
    on_both(check_two_bad_sectors);
}

/* A device whose package waits for the engine at stage 37, where `place` is noted. */
static void stop_at_table(struct world *world, uint8_t place)
{
    static struct otter_device factory;

    world_prepare(world);
    struct otter_state state = world_state(world);

    vdevice_power_off(&world->device);
    state.phase = OTTER_PHASE_INSTALLING;
    otter_state_begin(&state, OTTER_PART_TABLE);
    state.member = place;
    state.flags = OTTER_FLAG_NEW_TABLE;
    assert_int_equal(
        otter_device_open(&factory, &world->device.ports, OTTER_PROGRAM_FACTORY),
        OTTER_OK);
    assert_int_equal(otter_journal_write(&factory.journal, &state, OTTER_LASTING),
                     OTTER_OK);
}

/* The one that was noted is taken again, but there are four. */
static void check_noted_place(struct world *world)
{
    for (uint8_t place = 3; place < 5; place++) {
        world_back(world);
        world->device.app = VDEVICE_SILENT;
        stop_at_table(world, place);
        world->device.hooks.idle = vdevice_stop_at_once;
        assert_int_equal(world_power_on(world), VDEVICE_STOPPED);
        world->device.hooks.idle = NULL;
        assert_int_equal(world_state(world).phase, OTTER_PHASE_TRIAL);
        assert_int_equal(old_places(world), 5);
        assert_int_equal(new_places(world), place == 3 ? 8 : 2);
    }
}

static void k5_a_place_that_was_noted_is_written_again_if_it_is_one(void **state)
{
    (void)state;
    on_both(check_noted_place);
}

/* The last operation on the table's region, by the application. */
static struct vflash_op last;

static void note_last(void *context, const struct vflash_op *op)
{
    const struct vdevice *device = context;

    if (device->program == OTTER_PROGRAM_AGENT &&
        otter_map_find(&device->agent.device.table.map, OTTER_REGION_TABLE)->addr <=
            op->addr &&
        op->addr <
            otter_map_find(&device->agent.device.table.map, OTTER_REGION_RECEIPTS)
                ->addr) {
        last = *op;
    }
}

static void check_words(const struct world *world, unsigned places)
{
    const struct otter_region *region = world_region(world, OTTER_REGION_TABLE);
    uint32_t size = OTTER_TABLE_CONTENT_OFF + world->next.members[2].image.size;

    for (uint32_t i = 0; i < 4; i++) {
        uint32_t addr = region->addr + i * (region->size / 4);

        for (uint32_t off = 0; (places >> i & 1U) != 0 && off < size; off++) {
            assert_int_equal(vflash_word_at(&world->device.flash, addr + off),
                             VFLASH_WORD_PROGRAMMED);
        }
    }
}

/* The last word of the second copy is torn in every way, so that the copy may read
 * right, now or each second time. */
static void touch_second_copy(struct world *world, unsigned places)
{
    const struct vflash_fault none = {.kind = VFLASH_NONE};

    world_mark(world);
    world->device.app = VDEVICE_CONFIRM;
    last = (struct vflash_op){0};
    world->device.flash.hooks.on_op = note_last;
    assert_int_equal(vdevice_power_on(&world->device, none), VDEVICE_IDLE);
    world->device.flash.hooks.on_op = NULL;
    assert_true(last.word_count > 0 && !last.is_erase);
    for (uint32_t detail = 0; detail < VFLASH_TORN_PROGRAM_OUTCOMES; detail++) {
        const struct vflash_fault torn = {
            .at_op = last.index,
            .kind = VFLASH_TORN,
            .seed = last.word_count - 1 + detail * (last.word_count + 1),
        };

        world_back(world);
        assert_int_equal(vdevice_power_on(&world->device, torn), VDEVICE_CUT);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world_state(world).flags, 0);
        assert_int_equal(new_places(world), places);
        check_words(world, places);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.flash.op, 0); /* K9 */
    }
}

static void check_touched(struct world *world)
{
    world_prepare(world);
    vdevice_power_off(&world->device);
    touch_second_copy(world, 10);
}

static void k5_a_second_copy_that_a_cut_has_touched_is_written_again(void **state)
{
    (void)state;
    on_both(check_touched);
}

/* The first place takes nothing, so the first copy is in the second half: the one that
 * was touched comes first in the region, and is not to be written from itself. */
static void check_touched_first(struct world *world)
{
    world_prepare(world);
    spoil_place(world, 1);
    vdevice_power_off(&world->device);
    touch_second_copy(world, 9);
}

static void k8_a_second_copy_is_never_written_from_itself(void **state)
{
    (void)state;
    on_both(check_touched_first);
}

/* The table that was just written reads wrong, and so does the store by then. */
static void check_gone(struct world *world)
{
    static struct otter_device device;
    static struct otter_install install;
    const struct otter_region *staging = world_region(world, OTTER_REGION_STAGING);
    enum otter_step answer = OTTER_STEP_MORE;
    bool is_gone = false;

    world_prepare(world);
    vdevice_power_off(&world->device);
    vflash_power_on(&world->device.flash, (struct vflash_fault){.kind = VFLASH_NONE});
    assert_int_equal(
        otter_device_open(&device, &world->device.ports, OTTER_PROGRAM_MANAGER),
        OTTER_OK);
    assert_int_equal(otter_install_open(&install, &device), OTTER_OK);
    for (int i = 0; i < 100000 && answer == OTTER_STEP_MORE; i++) {
        answer = otter_install_step(&install);
        if (!is_gone && new_places(world) != 0) {
            const struct otter_region *region = world_region(world, OTTER_REGION_TABLE);

            is_gone = true;
            vflash_flip(&world->device.flash, region->addr + region->size / 4 + 100, 3);
            vflash_flip(&world->device.flash, staging->addr + 60, 3);
        }
    }
    assert_true(is_gone);
    assert_int_equal(answer, OTTER_STEP_FAILED);
    assert_int_equal(install.result, OTTER_E_TABLE_WRITE);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(world_state(world).outcome.code, otter_code(OTTER_E_TABLE_WRITE));
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_true(world_holds(world, world->device.region, &world->sample.first));
    assert_int_equal(old_places(world), 5);
    assert_int_equal(world_state(world).key_mask, all_keys);
}

static void k8_a_table_that_is_nowhere_whole_ends_the_installation(void **state)
{
    (void)state;
    on_both(check_gone);
}

/* ---- what is refused ---- */

struct refusal {
    const char *name;
    void (*change)(struct world *world);
    enum otter_result code;
};

static void other_target(struct world *world)
{
    world->next.table.target++;
}

static void other_hardware(struct world *world)
{
    world->next.table.hardware++;
}

static void other_region(struct world *world)
{
    world->next.table.map.regions[0].size += 512;
}

static void fewer_regions(struct world *world)
{
    world->next.table.map.count--;
}

static void other_ram(struct world *world)
{
    world->next.table.policy.ram_addr += 4;
}

static void moved_key(struct world *world)
{
    struct otter_table *table = &world->next.table;

    table->keys[1] = table->keys[0];
    table->keys[0] = world->sample.table.keys[0];
    table->keys[0].id[0] ^= 1;
}

static void wrong_id(struct world *world)
{
    world->next.table.keys[1].id[0] ^= 1;
}

static void doubled_key(struct world *world)
{
    world->next.table.keys[1] = world->next.table.keys[0];
}

static void no_attempts(struct world *world)
{
    world->next.table.policy.trial_faults = 0;
}

static void check_refusals(struct world *world)
{
    static const struct refusal rows[] = {
        {"target", other_target, OTTER_E_TABLE_OTHER},
        {"hardware", other_hardware, OTTER_E_TABLE_OTHER},
        {"a region", other_region, OTTER_E_TABLE_OTHER},
        {"fewer regions", fewer_regions, OTTER_E_TABLE_OTHER},
        {"RAM", other_ram, OTTER_E_TABLE_OTHER},
        {"a key in another place", moved_key, OTTER_E_TABLE_OTHER},
        {"an id that is not its key's", wrong_id, OTTER_E_TABLE_FORM},
        {"a key twice", doubled_key, OTTER_E_TABLE_OTHER},
        {"no attempts in a trial", no_attempts, OTTER_E_TABLE_FORM},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct otter_table table = world->next.table;

        rows[i].change(world);
        sample_encode_table(&world->next);
        sample_build(&world->next);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        enum otter_result result = world_feed(world);

        if (result != rows[i].code) {
            fail_msg("%s: [%02u-%02u]", rows[i].name, otter_code(result) >> 8,
                     otter_code(result) & 255U);
        }
        assert_true(world_is_untouched(world, OTTER_REGION_TABLE));
        world->next.table = table;
        world_back(world);
    }
}

static void k8_a_table_that_is_not_the_devices_own_with_other_keys_is_refused(
    void **state)
{
    (void)state;
    on_both(check_refusals);
}

/* The members behind it are not looked at any more. */
static void k8_a_table_is_refused_whatever_follows_it(void **state)
{
    (void)state;
    for (int is_ab = 0; is_ab < 2; is_ab++) {
        struct world *world = world_make_full(is_ab != 0);

        sample_rotate(&world->sample, &world->next);
        other_hardware(world);
        sample_encode_table(&world->next);
        sample_build(&world->next);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world_feed(world), OTTER_E_TABLE_OTHER);
        assert_true(world_is_untouched(world, OTTER_REGION_TABLE));
        assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
        assert_true(world_is_untouched(world, OTTER_REGION_FONT));
        world_drop(world);
    }
}

static void check_signers(struct world *world)
{
    /* By the old key alone, which goes: known before the transfer. */
    world->next.package.more_scalar_count = 0;
    sample_build(&world->next);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_feed(world), OTTER_E_SIGNATURE_OWN);
    assert_true(world_is_untouched(world, OTTER_REGION_STAGING));
    world_back(world);
    /* Nothing is revoked, but the signer is not in the new table. */
    world->next.package.extension_count = 0;
    world->next.table.keys[0] = world->next.table.keys[1];
    world->next.table.key_count = 1;
    sample_encode_table(&world->next);
    sample_build(&world->next);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_feed(world), OTTER_E_SIGNATURE_OWN);
    world_back(world);
    /* No key at all. */
    world->next.table.key_count = 0;
    sample_encode_table(&world->next);
    sample_build(&world->next);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_feed(world), OTTER_E_KEY_LAST);
}

static void k17_a_key_of_the_new_table_must_have_signed(void **state)
{
    (void)state;
    on_both(check_signers);
}

/* Halves of one sector each: there is no place beside the copies. */
static void k8_a_region_of_two_sectors_takes_no_other_table(void **state)
{
    const struct host_profile *full = host_profile_find("ast1030");

    (void)state;
    assert_non_null(full);
    struct world *world = world_make(full, false);

    sample_rotate(&world->sample, &world->next);
    sample_build(&world->next);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_feed(world), OTTER_E_TABLE_ROOM);
    world_drop(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k8_until_the_confirm_both_copies_of_the_old_table_stay),
        cmocka_unit_test(k8_after_the_confirm_the_new_table_is_there_twice),
        cmocka_unit_test(k8_a_roll_back_leaves_the_old_table_and_its_keys),
        cmocka_unit_test(k8_the_next_table_takes_the_places_of_the_oldest),
        cmocka_unit_test(k8_one_damaged_table_in_a_trial_costs_nothing),
        cmocka_unit_test(k8_a_place_that_fails_costs_the_other_one),
        cmocka_unit_test(
            k8_places_that_fail_end_the_installation_before_it_changes_anything),
        cmocka_unit_test(k5_a_place_that_was_noted_is_written_again_if_it_is_one),
        cmocka_unit_test(k5_a_second_copy_that_a_cut_has_touched_is_written_again),
        cmocka_unit_test(k8_a_second_copy_is_never_written_from_itself),
        cmocka_unit_test(k8_a_table_that_is_nowhere_whole_ends_the_installation),
        cmocka_unit_test(
            k8_a_table_that_is_not_the_devices_own_with_other_keys_is_refused),
        cmocka_unit_test(k8_a_table_is_refused_whatever_follows_it),
        cmocka_unit_test(k17_a_key_of_the_new_table_must_have_signed),
        cmocka_unit_test(k8_a_region_of_two_sectors_takes_no_other_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
