/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual device from end to end: the real boot, manager and agent on every
 * profile and small twin. Expected outcomes are the promises of docs/DESIGN.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sample.h"

#include <stdlib.h>
#include <string.h>

static const struct vflash_fault no_fault = {.kind = VFLASH_NONE};

/* One product and one device of it; big, so on the heap. */
struct world {
    struct sample sample;
    struct vdevice device;
    struct sample_package next;
};

static struct world *make_world(const struct host_profile *profile)
{
    struct world *world = calloc(1, sizeof(*world));

    assert_non_null(world);
    sample_make(&world->sample, profile);
    sample_device(&world->sample, false, &world->device);
    sample_next(&world->sample, 2, &world->next);
    sample_build(&world->next);
    return world;
}

static void drop_world(struct world *world)
{
    vdevice_destroy(&world->device);
    free(world);
}

/* Calls `test` with every small twin and every named profile that takes a package from
 * a link. */
static void on_every_profile(void (*test)(struct world *world))
{
    struct host_profile profile;

    for (size_t i = 0; host_small_at(i) != NULL; i++) {
        host_profile_small(host_small_at(i), &profile);
        struct world *world = make_world(&profile);

        test(world);
        drop_world(world);
    }
    for (size_t i = 0; host_profile_at(i) != NULL; i++) {
        if (otter_map_is_on_card(&host_profile_at(i)->map)) {
            continue;
        }
        struct world *world = make_world(host_profile_at(i));

        test(world);
        drop_world(world);
    }
}

static const struct otter_state *state_of(struct world *world,
                                          struct otter_device *view)
{
    assert_int_equal(vdevice_inspect(&world->device, view), OTTER_OK);
    return &view->journal.state;
}

static uint8_t minor_of_current(struct world *world)
{
    struct otter_device view;
    struct otter_system system;
    const struct otter_state *state = state_of(world, &view);

    assert_int_equal(otter_system_open(&view, state->current, &system), OTTER_OK);
    return system.control.version.minor;
}

static void assert_outcome(struct world *world, uint8_t phase, uint8_t kind,
                           enum otter_result code)
{
    struct otter_device view;
    const struct otter_state *state = state_of(world, &view);

    assert_int_equal(state->phase, phase);
    assert_int_equal(state->outcome.kind, kind);
    assert_int_equal(state->outcome.code, otter_code(code));
}

/* Powers on, feeds the package, asks for it and resets. */
static enum vdevice_end update(struct world *world,
                               const struct sample_package *package,
                               enum vdevice_app app)
{
    struct vdevice *device = &world->device;
    enum otter_result result = OTTER_E_BUSY;

    device->app = app;
    assert_int_equal(vdevice_power_on(device, no_fault), VDEVICE_IDLE);
    assert_int_equal(vdevice_feed(device, package->bytes, package->size, 100, &result),
                     VDEVICE_IDLE);
    assert_int_equal(result, OTTER_OK);
    assert_int_equal(vdevice_request(device, &result), VDEVICE_IDLE);
    assert_int_equal(result, OTTER_OK);
    return vdevice_reset(device, OTTER_RESET_SOFTWARE);
}

static void check_new_device(struct world *world)
{
    assert_int_equal(vdevice_power_on(&world->device, no_fault), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_int_equal(world->device.region, OTTER_REGION_APPLICATION);
    assert_int_equal(world->device.flash.op, 0); /* K9 */
    assert_int_equal(minor_of_current(world), 1);
}

static void a_new_device_runs_its_first_system_and_writes_nothing(void **state)
{
    (void)state;
    on_every_profile(check_new_device);
}

static void check_confirmed_update(struct world *world)
{
    assert_int_equal(update(world, &world->next, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_outcome(world, OTTER_PHASE_CONFIRMED, OTTER_OUTCOME_CONFIRMED, OTTER_OK);
    assert_int_equal(minor_of_current(world), 2);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    sample_next(&world->sample, 3, &world->next);
    sample_build(&world->next);
    assert_int_equal(update(world, &world->next, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_int_equal(minor_of_current(world), 3);
}

static void an_update_is_installed_tried_and_confirmed_twice_in_a_row(void **state)
{
    (void)state;
    on_every_profile(check_confirmed_update);
}

static void check_silent(struct world *world)
{
    assert_int_equal(update(world, &world->next, VDEVICE_SILENT), VDEVICE_IDLE);
    assert_outcome(world, OTTER_PHASE_ROLLED_BACK, OTTER_OUTCOME_ROLLED_BACK,
                   OTTER_E_TRIAL_FAULTS); /* each deadline is a counted reset */
    assert_int_equal(minor_of_current(world), 1);
    assert_int_equal(update(world, &world->next, VDEVICE_CONFIRM), VDEVICE_IDLE);
    assert_int_equal(minor_of_current(world), 2); /* the same package, another day */
}

static void a_system_that_never_confirms_is_rolled_back(void **state)
{
    (void)state;
    on_every_profile(check_silent);
}

static void check_crash(struct world *world)
{
    assert_int_equal(update(world, &world->next, VDEVICE_CRASH), VDEVICE_IDLE);
    assert_outcome(world, OTTER_PHASE_ROLLED_BACK, OTTER_OUTCOME_ROLLED_BACK,
                   OTTER_E_TRIAL_FAULTS);
    assert_int_equal(minor_of_current(world), 1);
}

static void a_system_that_crashes_is_rolled_back(void **state)
{
    (void)state;
    on_every_profile(check_crash);
}

static void check_hang(struct world *world)
{
    assert_int_equal(update(world, &world->next, VDEVICE_HANG), VDEVICE_IDLE);
    assert_outcome(world, OTTER_PHASE_ROLLED_BACK, OTTER_OUTCOME_ROLLED_BACK,
                   OTTER_E_TRIAL_FAULTS);
    assert_int_equal(minor_of_current(world), 1);
}

static void a_system_that_hangs_is_rolled_back_by_the_watchdog(void **state)
{
    (void)state;
    on_every_profile(check_hang);
}

/* Cuts the whole update at some of its operations, then lets it go on: it must end
 * confirmed, with at most one lost trial in between. */
static void check_cuts(struct world *world)
{
    struct vflash_image start = {0};
    enum otter_result result = OTTER_E_BUSY;

    assert_int_equal(vdevice_power_on(&world->device, no_fault), VDEVICE_IDLE);
    vflash_save(&world->device.flash, &start);
    assert_int_equal(update(world, &world->next, VDEVICE_CONFIRM), VDEVICE_IDLE);
    uint32_t ops = world->device.flash.op;

    assert_true(ops > 10);
    for (uint32_t op = 0; op < ops; op += 11) {
        struct vdevice *device = &world->device;
        const struct vflash_fault fault = {
            .at_op = op, .kind = VFLASH_TORN, .seed = op};

        vflash_restore(&device->flash, &start);
        enum vdevice_end end = vdevice_power_on(device, fault);

        if (end == VDEVICE_IDLE) {
            end =
                vdevice_feed(device, world->next.bytes, world->next.size, 100, &result);
        }
        if (end == VDEVICE_IDLE) {
            end = vdevice_request(device, &result);
        }
        if (end == VDEVICE_IDLE) {
            end = vdevice_reset(device, OTTER_RESET_SOFTWARE);
        }
        assert_int_equal(end, VDEVICE_CUT);
        assert_int_equal(vdevice_power_on(device, no_fault), VDEVICE_IDLE);
        if (minor_of_current(world) == 1) {
            assert_int_equal(update(world, &world->next, VDEVICE_CONFIRM),
                             VDEVICE_IDLE);
        }
        assert_int_equal(minor_of_current(world), 2);
    }
    vflash_image_free(&start);
}

static void an_update_that_is_cut_goes_on_to_its_end(void **state)
{
    struct host_profile profile;

    (void)state;
    for (size_t i = 0; host_small_at(i) != NULL; i++) {
        host_profile_small(host_small_at(i), &profile);
        struct world *world = make_world(&profile);

        check_cuts(world);
        drop_world(world);
    }
}

/* A package that must be refused, and why. */
struct refusal {
    void (*change)(struct sample_package *package);
    enum otter_result code;
};

static void sign_with_another_key(struct sample_package *package)
{
    static uint8_t scalar[HOST_SIGN_SCALAR_SIZE];

    memset(scalar, 0x11, sizeof(scalar));
    package->package.scalar = scalar;
}

static void do_not_sign(struct sample_package *package)
{
    package->package.scalar = NULL;
}

static void name_another_target(struct sample_package *package)
{
    package->package.target++;
}

static void name_other_hardware(struct sample_package *package)
{
    package->package.hardware_min = SAMPLE_HARDWARE + 1;
}

static void lower_the_counter(struct sample_package *package)
{
    package->package.counter = 0;
}

static void link_elsewhere(struct sample_package *package)
{
    package->members[0].link_addr += 0x100000;
}

static void keep_another_manager(struct sample_package *package)
{
    package->members[1].image.size--;
}

static void check_refusals(struct world *world)
{
    static const struct refusal refusals[] = {
        {sign_with_another_key, OTTER_E_SIGNATURE_KEY},
        {do_not_sign, OTTER_E_SIGNATURE_NONE},
        {name_another_target, OTTER_E_TARGET},
        {name_other_hardware, OTTER_E_HARDWARE},
        {lower_the_counter, OTTER_E_COUNTER},
        {link_elsewhere, OTTER_E_LINK_ADDRESS},
        {keep_another_manager, OTTER_E_KEPT},
    };
    const struct otter_region *store = otter_map_find(
        &world->sample.profile.map,
        otter_map_find(&world->sample.profile.map, OTTER_REGION_SLOT_B) != NULL
            ? OTTER_REGION_SLOT_B
            : OTTER_REGION_STAGING);
    struct vflash_image start = {0};

    assert_int_equal(vdevice_power_on(&world->device, no_fault), VDEVICE_IDLE);
    vflash_save(&world->device.flash, &start);
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        enum otter_result result = OTTER_OK;

        vflash_restore(&world->device.flash, &start);
        assert_int_equal(vdevice_power_on(&world->device, no_fault), VDEVICE_IDLE);
        sample_next(&world->sample, 2, &world->next);
        refusals[i].change(&world->next);
        sample_build(&world->next);
        assert_int_equal(vdevice_feed(&world->device, world->next.bytes,
                                      world->next.size, 100, &result),
                         VDEVICE_IDLE);
        assert_int_equal(result, refusals[i].code);
        assert_true(
            vflash_is_same(&world->device.flash, &start, store->addr, store->size));
        assert_int_equal(vdevice_power_on(&world->device, no_fault), VDEVICE_IDLE);
        assert_int_equal(minor_of_current(world), 1);
    }
    vflash_image_free(&start);
}

static void what_does_not_fit_or_is_not_signed_is_refused_before_the_store_is_touched(
    void **state)
{
    (void)state;
    on_every_profile(check_refusals);
}

static void check_resume(struct world *world)
{
    struct vdevice *device = &world->device;
    enum otter_result result = OTTER_OK;

    assert_int_equal(vdevice_power_on(device, no_fault), VDEVICE_IDLE);
    assert_int_equal(
        vdevice_feed(device, world->next.bytes, world->next.size - 300, 100, &result),
        VDEVICE_IDLE); /* the peer is gone: the file is cut short */
    assert_int_not_equal(result, OTTER_OK);
    assert_int_equal(vdevice_power_on(device, no_fault), VDEVICE_IDLE);
    assert_int_equal(
        vdevice_feed(device, world->next.bytes, world->next.size, 100, &result),
        VDEVICE_IDLE);
    assert_int_equal(result, OTTER_OK);
}

static void a_transfer_that_ended_early_can_be_made_again(void **state)
{
    (void)state;
    on_every_profile(check_resume);
}

static void count_managers(void *context, enum otter_program program,
                           const struct otter_event *event)
{
    int *count = context;

    *count += program == OTTER_PROGRAM_MANAGER && event->kind == OTTER_EVENT_STARTED;
}

static void check_button(struct world *world)
{
    struct vdevice *device = &world->device;
    int count = 0;

    device->hooks.context = &count;
    device->hooks.on_event = count_managers;
    device->wants_manager = true;
    assert_int_equal(vdevice_power_on(device, no_fault), VDEVICE_IDLE);
    assert_int_equal(count, 1);
    assert_int_equal(device->program, OTTER_PROGRAM_AGENT);
    assert_true(device->clock_ms >= 30000); /* nobody sent anything: back after 30 s */
}

static void the_button_leads_to_the_manager_which_goes_back_when_nothing_comes(
    void **state)
{
    (void)state;
    on_every_profile(check_button);
}

static void an_image_that_nobody_vouches_for_never_runs(void **state)
{
    struct world *world = make_world(&host_profile_link);
    uint32_t addr =
        otter_map_find(&host_profile_link.map, OTTER_REGION_APPLICATION)->addr;

    (void)state;
    vflash_flip(&world->device.flash, addr + 100, 3);
    (void)vdevice_power_on(&world->device, no_fault);
    assert_null(world->device.defect);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_int_equal(world->device.code, otter_code(OTTER_E_BOOT_APPLICATION));
    drop_world(world);
}

static void an_empty_device_runs_nothing(void **state)
{
    struct vdevice device;
    const struct vdevice_config config = {.profile = &host_profile_link};

    (void)state;
    assert_int_equal(vdevice_create(&device, &config), OTTER_OK);
    assert_int_equal(vdevice_power_on(&device, no_fault), VDEVICE_NOTHING);
    assert_int_equal(device.code, otter_code(OTTER_E_TABLE_LOST));
    vdevice_destroy(&device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_device_runs_its_first_system_and_writes_nothing),
        cmocka_unit_test(an_update_is_installed_tried_and_confirmed_twice_in_a_row),
        cmocka_unit_test(a_system_that_never_confirms_is_rolled_back),
        cmocka_unit_test(a_system_that_crashes_is_rolled_back),
        cmocka_unit_test(a_system_that_hangs_is_rolled_back_by_the_watchdog),
        cmocka_unit_test(an_update_that_is_cut_goes_on_to_its_end),
        cmocka_unit_test(
            what_does_not_fit_or_is_not_signed_is_refused_before_the_store_is_touched),
        cmocka_unit_test(a_transfer_that_ended_early_can_be_made_again),
        cmocka_unit_test(
            the_button_leads_to_the_manager_which_goes_back_when_nothing_comes),
        cmocka_unit_test(an_image_that_nobody_vouches_for_never_runs),
        cmocka_unit_test(an_empty_device_runs_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
