/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of a scenario with cuts, and the promises as checks. Each check's text names
 * the promise that it holds up (docs/DESIGN.md).
 */
#include "sweep.h"

#include "memo.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 200, ATTEMPTS_MAX = 4 };

const struct sweep_scenario sweep_scenarios[] = {
    {.name = "confirm",
     .app = VDEVICE_CONFIRM,
     .ends = OTTER_OUTCOME_CONFIRMED,
     .erases_max = 1},
    {.name = "crash",
     .app = VDEVICE_CRASH,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "silent",
     .app = VDEVICE_SILENT,
     .is_like_crash = true,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "hang",
     .app = VDEVICE_HANG,
     .is_like_crash = true,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "forged",
     .is_forged = true,
     .ends = OTTER_OUTCOME_REFUSED,
     .erases_max = 0},
    {.name = "damaged",
     .is_damaged = true,
     .ends = OTTER_OUTCOME_REFUSED,
     .erases_max = 1},
    {.name = "manager",
     .has_manager = true,
     .ends = OTTER_OUTCOME_CONFIRMED,
     .erases_max = 1},
    {.name = "manager-crash",
     .has_manager = true,
     .app = VDEVICE_CRASH,
     .ends = OTTER_OUTCOME_ROLLED_BACK,
     .erases_max = 2},
    {.name = "manager-stuck",
     .has_manager = true,
     .app_manager = VDEVICE_CRASH,
     .ends = OTTER_OUTCOME_FAILED,
     .erases_max = 2},
};
const size_t sweep_scenario_count =
    sizeof(sweep_scenarios) / sizeof(sweep_scenarios[0]);

/* --- the world --- */

void sweep_open(struct sweep_world *world, const struct host_profile *profile,
                const struct sweep_scenario *scenario, bool is_ecc, bool has_memo)
{
    memset(world, 0, sizeof(*world));
    world->scenario = scenario;
    world->is_ecc = is_ecc;
    world->has_memo = has_memo;
    sample_make(&world->sample, profile);
    sample_device(&world->sample, is_ecc, &world->device);
    world->device.app = scenario->app;
    if (has_memo) {
        world->device.ports.crypto = memo_crypto();
    }
    sample_next(&world->sample, 2, &world->next);
    if (scenario->has_manager) {
        world->device.app_manager = scenario->app_manager;
        sample_carry_manager(&world->sample, &world->next);
    }
    sample_build(&world->next);
    if (scenario->is_forged) {
        world->next.bytes[OTTER_IMAGE_HEADER_SIZE + 44] ^= 1; /* the target id */
    }
    if (scenario->is_damaged) {
        world->next.bytes[world->next.size - OTTER_TRAILER_SIZE - 1] ^= 1;
    }
    vflash_save(&world->device.flash, &world->initial);
}

void sweep_close(struct sweep_world *world)
{
    vflash_image_free(&world->initial);
    vdevice_destroy(&world->device);
}

/* --- the promises --- */

static const struct otter_region *region_of(const struct sweep_world *world, uint8_t id)
{
    return otter_map_find(&world->sample.profile.map, id);
}

static bool is_untouched(const struct sweep_world *world, uint8_t id)
{
    const struct otter_region *region = region_of(world, id);

    return region == NULL || vflash_is_same(&world->device.flash, &world->initial,
                                            region->addr, region->size);
}

static bool holds(const struct sweep_world *world, uint8_t id,
                  const struct sample_package *package)
{
    const struct otter_region *region = region_of(world, id);

    return memcmp(vflash_peek(&world->device.flash, region->addr, SAMPLE_FIRMWARE_SIZE),
                  package->firmware, SAMPLE_FIRMWARE_SIZE) == 0;
}

/* P1: after a power-on without a fault the old system or the new one runs, whole. */
static const char *check_p1(const struct sweep_world *world, enum vdevice_end end)
{
    const struct vdevice *device = &world->device;

    if (device->defect != NULL) {
        return device->defect;
    }
    if (end != VDEVICE_IDLE || device->program != OTTER_PROGRAM_AGENT) {
        return "P1: no application runs";
    }
    if (!holds(world, device->region, &world->sample.first) &&
        !holds(world, device->region, &world->next)) {
        return "P1: the application that runs is neither old nor new";
    }
    return NULL;
}

/* P2: what runs now is not touched before the whole package is verified; boot, table
 * and manager never are. */
static const char *check_p2(struct sweep_world *world)
{
    struct otter_device view;
    const struct otter_state *state = &view.journal.state;

    if (!is_untouched(world, OTTER_REGION_BOOT) ||
        !is_untouched(world, OTTER_REGION_TABLE) ||
        (!world->scenario->has_manager && !is_untouched(world, OTTER_REGION_MANAGER))) {
        return "P2: boot, table or manager was changed";
    }
    if (vdevice_inspect(&world->device, &view) != OTTER_OK) {
        return "P1: neither system verifies";
    }
    bool is_early = state->phase == OTTER_PHASE_RECEIVING ||
                    state->phase == OTTER_PHASE_COMPLETE ||
                    state->phase == OTTER_PHASE_REQUESTED ||
                    state->outcome.kind == OTTER_OUTCOME_REFUSED;

    if (is_early && (!is_untouched(world, OTTER_REGION_APPLICATION) ||
                     !is_untouched(world, OTTER_REGION_MANAGER))) {
        return "P2: the application was changed before the package was verified";
    }
    return NULL;
}

/* P10: erases of one sector outside journal and receipts. */
static const char *check_p10(const struct sweep_world *world)
{
    static const uint8_t stores[] = {OTTER_REGION_APPLICATION, OTTER_REGION_SLOT_B,
                                     OTTER_REGION_STAGING};
    uint32_t limit = world->scenario->erases_max + (uint32_t)world->cut_count;

    for (size_t i = 0; i < sizeof(stores); i++) {
        const struct otter_region *region = region_of(world, stores[i]);

        if (region != NULL && vflash_erases_max(&world->device.flash, region->addr,
                                                region->size) > limit) {
            return "P10: a sector was erased too often";
        }
    }
    return NULL;
}

/* K15: the manager is the old or the new one, as the systems say. */
static bool has_right_manager(const struct sweep_world *world, bool is_new)
{
    const uint8_t *wanted = is_new && world->scenario->has_manager
                                ? world->next.manager
                                : world->sample.manager;

    return memcmp(vflash_peek(&world->device.flash,
                              region_of(world, OTTER_REGION_MANAGER)->addr,
                              SAMPLE_MANAGER_SIZE),
                  wanted, SAMPLE_MANAGER_SIZE) == 0;
}

/* P7, P3, P4, P6: how it ended is what the scenario says, and the record tells it. */
static const char *check_end(struct sweep_world *world)
{
    bool is_new = world->scenario->ends == OTTER_OUTCOME_CONFIRMED;
    struct otter_device view;
    const struct otter_state *state = &view.journal.state;

    if (vdevice_inspect(&world->device, &view) != OTTER_OK) {
        return "P1: neither system verifies";
    }
    if (state->outcome.kind != world->scenario->ends) {
        return "P7: the outcome record does not tell how it ended";
    }
    if ((state->outcome.code == 0) != is_new) {
        return "P7: the outcome's code does not fit";
    }
    if (!holds(world, world->device.region,
               is_new ? &world->next : &world->sample.first)) {
        return "P3: the update did not come to its end";
    }
    if (!has_right_manager(world, is_new)) {
        return "K15: the manager is not the one of the system that runs";
    }
    if (is_new && state->counter != world->next.package.counter) {
        return "K17: the security counter was not raised";
    }
    return NULL;
}

/* --- a run --- */

static bool is_over(struct sweep_world *world)
{
    struct otter_device view;
    const struct otter_state *state = &view.journal.state;

    return vdevice_inspect(&world->device, &view) == OTTER_OK &&
           (state->phase == OTTER_PHASE_CONFIRMED ||
            state->phase == OTTER_PHASE_ROLLED_BACK) &&
           state->outcome.kind != OTTER_OUTCOME_NONE;
}

/* Sends, requests, installs, tries: whatever is still to be done. */
static enum vdevice_end go_on(struct sweep_world *world, enum vdevice_end end)
{
    struct vdevice *device = &world->device;
    enum otter_result result = OTTER_OK;

    if (end != VDEVICE_IDLE || is_over(world)) {
        return end;
    }
    end = vdevice_feed(device, world->next.bytes, world->next.size, CHUNK, &result);
    if (end == VDEVICE_IDLE && result != OTTER_OK) {
        return vdevice_run(device); /* it still notes why it refused */
    }
    if (end != VDEVICE_IDLE) {
        return end;
    }
    end = vdevice_request(device, &result);
    if (end != VDEVICE_IDLE || result != OTTER_OK) {
        return end;
    }
    return vdevice_reset(device, OTTER_RESET_SOFTWARE);
}

static enum vdevice_end power_on(struct sweep_world *world, struct vflash_fault fault)
{
    world->power_ons++;
    enum vdevice_end end = vdevice_power_on(&world->device, fault);

    return go_on(world, end);
}

static bool broke(struct sweep_world *world, const char *violation)
{
    world->violation = violation;
    return violation != NULL;
}

/* Power on without a fault, again and again, until the update has come to its end. */
static bool finish(struct sweep_world *world)
{
    const struct vflash_fault none = {.kind = VFLASH_NONE};

    for (int i = 0; i < ATTEMPTS_MAX; i++) {
        enum vdevice_end end = power_on(world, none);

        if (broke(world, check_p1(world, end)) || broke(world, check_p2(world))) {
            return false;
        }
        if (is_over(world)) {
            return !broke(world, check_end(world)) && !broke(world, check_p10(world));
        }
    }
    return !broke(world, "P3: the update does not come to its end");
}

bool sweep_run(struct sweep_world *world, const struct sweep_cut *cuts, size_t count)
{
    world->cut_count = count;
    memcpy(world->cuts, cuts, count * sizeof(*cuts));
    world->violation = NULL;
    world->device.defect = NULL;
    vdevice_power_off(&world->device);
    vflash_restore(&world->device.flash, &world->initial);
    for (size_t i = 0; i < count; i++) {
        const struct vflash_fault fault = {
            .at_op = cuts[i].op, .kind = cuts[i].kind, .seed = cuts[i].seed};
        enum vdevice_end end = power_on(world, fault);

        if (end == VDEVICE_CUT) {
            /* To look is to read, and an unstable word reads differently the next time:
             * half of the runs do not look. */
            bool looks = (cuts[i].op + cuts[i].seed) % 2 == 0;

            if (looks && broke(world, check_p2(world))) {
                return false;
            }
        } else if (broke(world, check_p1(world, end))) {
            return false;
        }
    }
    return finish(world);
}

uint32_t sweep_count_ops(struct sweep_world *world)
{
    const struct vflash_fault none = {.kind = VFLASH_NONE};

    vdevice_power_off(&world->device);
    vflash_restore(&world->device.flash, &world->initial);
    world->cut_count = 0;
    (void)power_on(world, none);
    return world->device.flash.op;
}

uint32_t sweep_recovery_ops(const struct sweep_world *world)
{
    return world->device.flash.op;
}

void sweep_replay_id(const struct sweep_world *world, char *out, size_t size)
{
    static const char *const kinds[] = {
        [VFLASH_NONE] = "none",       [VFLASH_CUT_BEFORE] = "before",
        [VFLASH_CUT_AFTER] = "after", [VFLASH_TORN] = "torn",
        [VFLASH_FAIL] = "fail",
    };
    int len = snprintf(out, size, "%s%s:%s", world->sample.profile.name,
                       world->is_ecc ? "+ecc" : "", world->scenario->name);

    for (size_t i = 0; i < world->cut_count && len > 0 && (size_t)len < size; i++) {
        len += snprintf(out + len, size - (size_t)len, ":%" PRIu32 "/%s/%" PRIu32,
                        world->cuts[i].op, kinds[world->cuts[i].kind],
                        world->cuts[i].seed);
    }
}
