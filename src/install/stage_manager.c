/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replacing the manager (K15): a phase of its own, while the old application stands
 * and can run. The manager that runs saves itself, the copy is verified, then "boot
 * writes the manager" stands in two sectors of the journal and boot takes over; the
 * new manager goes on with the installation. Its old copy stays until confirm. What is
 * encrypted in the store, or belongs to an encrypted system, lies in staging under the
 * key that boot has, too (K26).
 *
 * What lies coded in the store is decoded to a place of its own first: boot copies.
 */
#include "stages.h"

enum manager_substep {
    MANAGER_BEGIN = 0,
    MANAGER_HASH_RUNNING, /* is it the package's already? */
    MANAGER_FIND_OLD,
    MANAGER_HASH_APPLICATION, /* is there a whole application to fall back to? */
    MANAGER_OPEN_RAW,         /* is it coded? Seal that it is decoded for boot */
    MANAGER_RAW,
    MANAGER_HASH_RAW,
    MANAGER_OPEN_SAVE,
    MANAGER_SAVE,
    MANAGER_HASH_COPY,
    MANAGER_HAND_OVER, /* two sectors of the journal say that boot writes it */
    MANAGER_RESET,
};

static const struct otter_placement *placement_of(const struct otter_install *install)
{
    return &install->plan.members[install->member];
}

static enum otter_step more_or_fail(struct otter_install *install,
                                    enum otter_result result)
{
    return result == OTTER_OK ? OTTER_STEP_MORE
                              : otter_stage_fail(install, OTTER_E_MANAGER_SAVE);
}

static enum otter_step begin(struct otter_install *install)
{
    uint8_t part = install->device->journal.state.part;

    enum otter_step found = otter_stage_find_member(install, OTTER_STRATEGIES_BOOT);

    if (found != OTTER_STEP_MORE) {
        return found;
    }
    if (part == OTTER_PART_TABLE || part == OTTER_PART_SAVE ||
        part == OTTER_PART_WRITE) {
        return OTTER_STEP_DONE; /* a later stage has begun before */
    }
    otter_hashing_start(install->device, &install->hashing, OTTER_REGION_MANAGER, 0,
                        install->current.installed_size);
    install->substep = MANAGER_HASH_RUNNING;
    return OTTER_STEP_MORE;
}

static enum otter_step check_running(struct otter_install *install)
{
    bool is_done = false;
    bool matches = false;
    enum otter_result result =
        otter_stage_hash(install, install->current.installed_sha, &is_done, &matches);

    if (is_done && matches) {
        return OTTER_STEP_DONE;
    }
    if (is_done) {
        install->substep = MANAGER_FIND_OLD;
    }
    return more_or_fail(install, result);
}

/* Loads the member of the old system of that role into `current`. */
static enum otter_result load_old(struct otter_install *install, uint8_t role)
{
    uint8_t index;

    return otter_system_member(&install->old, role, &install->current, &index);
}

static enum otter_step find_old(struct otter_install *install)
{
    struct otter_device *device = install->device;
    uint8_t slot = device->journal.state.current;

    if (otter_system_open(device, slot, &install->old) != OTTER_OK ||
        load_old(install, OTTER_ROLE_FIRMWARE) != OTTER_OK) {
        return otter_stage_fail(install, OTTER_E_MANAGER_ALONE);
    }
    otter_hashing_start(device, &install->hashing,
                        otter_system_region(device, slot, OTTER_ROLE_FIRMWARE), 0,
                        install->current.installed_size);
    install->substep = MANAGER_HASH_APPLICATION;
    return OTTER_STEP_MORE;
}

static enum otter_step check_application(struct otter_install *install)
{
    bool is_done = false;
    bool matches = false;
    enum otter_result result =
        otter_stage_hash(install, install->current.installed_sha, &is_done, &matches);

    if (result != OTTER_OK || (is_done && !matches)) {
        return otter_stage_fail(install, OTTER_E_MANAGER_ALONE);
    }
    if (is_done) {
        install->substep = MANAGER_OPEN_RAW;
    }
    return OTTER_STEP_MORE;
}

/* ---- raw for boot ---- */

/* Boot opens no packages: what came encrypted is left for it under the storage key. */
static enum otter_result open_raw_cipher(struct otter_install *install)
{
    otter_cipher_close(&install->save_cipher);
    return (install->current.flags & OTTER_MEMBER_ENCRYPTED) == 0
               ? OTTER_OK
               : otter_cipher_open_stored(&install->save_cipher,
                                          install->device->ports.crypto,
                                          install->current.installed_sha);
}

/* Saving begins when this is done, so a cut in that leaves nothing to do here. */
static enum otter_step open_raw(struct otter_install *install)
{
    struct otter_device *device = install->device;
    const struct otter_placement *placement = placement_of(install);
    uint8_t part = device->journal.state.part;
    enum otter_step found = otter_stage_find_member(install, OTTER_STRATEGIES_BOOT);

    install->substep = MANAGER_OPEN_SAVE;
    if (found != OTTER_STEP_MORE || placement->raw_off == placement->store_off ||
        part == OTTER_PART_SAVE_MANAGER) {
        return found;
    }
    enum otter_result result = otter_stage_open_store(install);

    if (result == OTTER_OK) {
        result = open_raw_cipher(install);
    }
    if (result == OTTER_OK && part != OTTER_PART_RAW_MANAGER) {
        result = otter_stage_put(install, OTTER_PART_RAW_MANAGER, OTTER_SEALED);
    }
    install->copying = (struct otter_copying){
        .device = device,
        .stream = &install->stream,
        .to_region = OTTER_REGION_STAGING,
        .to_off = placement->raw_off,
        .to_cipher = &install->save_cipher,
        .size = install->current.installed_size,
    };
    otter_copying_open(&install->copying);
    install->substep = MANAGER_RAW;
    return more_or_fail(install, result);
}

/* Copies on; then hashes what was copied, through the cipher that it lies under. */
static enum otter_step copy_then_hash(struct otter_install *install,
                                      enum manager_substep hash)
{
    bool is_done = false;
    enum otter_result result = otter_copying_step(&install->copying, &is_done);

    install->percent =
        otter_stage_percent(install->copying.cursor, install->copying.size);
    if (is_done) {
        otter_hashing_start(install->device, &install->hashing, OTTER_REGION_STAGING,
                            install->copying.to_off, install->copying.size);
        install->hashing.cipher = &install->save_cipher;
        install->substep = (uint8_t)hash;
    }
    return more_or_fail(install, result);
}

/* ---- saving ---- */

static enum otter_step open_save(struct otter_install *install)
{
    const struct otter_placement *placement = placement_of(install);
    enum otter_result result = load_old(install, OTTER_ROLE_MANAGER);

    if (result == OTTER_OK) {
        result = otter_plan_saved_cipher(install->device, &install->old,
                                         &install->current, &install->save_cipher);
    }
    if (result == OTTER_OK &&
        install->device->journal.state.part != OTTER_PART_SAVE_MANAGER) {
        result = otter_stage_put(install, OTTER_PART_SAVE_MANAGER, OTTER_SEALED);
    }
    install->copying = (struct otter_copying){
        .device = install->device,
        .from_region = OTTER_REGION_MANAGER,
        .to_region = OTTER_REGION_STAGING,
        .to_off = placement->save_off,
        .to_cipher = &install->save_cipher,
        .size = placement->save_size,
    };
    otter_copying_open(&install->copying);
    install->substep = MANAGER_SAVE;
    return more_or_fail(install, result);
}

static enum otter_step check_copy(struct otter_install *install,
                                  enum manager_substep next)
{
    bool is_done = false;
    bool matches = false;
    enum otter_result result =
        otter_stage_hash(install, install->current.installed_sha, &is_done, &matches);

    if (result == OTTER_OK && is_done && !matches) {
        result = OTTER_E_FLASH_VERIFY;
    }
    if (is_done) {
        install->substep = (uint8_t)next;
    }
    return more_or_fail(install, result);
}

/* From here on the manager's region belongs to no system for a while. */
static enum otter_step hand_over(struct otter_install *install)
{
    struct otter_state state = install->device->journal.state;

    otter_state_begin(&state, OTTER_PART_WRITE_MANAGER);
    state.member = install->member;
    state.flags |= OTTER_FLAG_NEW_MANAGER;
    return more_or_fail(
        install, otter_journal_put(&install->device->journal, &state, OTTER_LASTING));
}

enum otter_step otter_stage_manager(struct otter_install *install)
{
    switch ((enum manager_substep)install->substep) {
    case MANAGER_BEGIN:
        return begin(install);
    case MANAGER_HASH_RUNNING:
        return check_running(install);
    case MANAGER_FIND_OLD:
        return find_old(install);
    case MANAGER_HASH_APPLICATION:
        return check_application(install);
    case MANAGER_OPEN_RAW:
        return open_raw(install);
    case MANAGER_RAW:
        return copy_then_hash(install, MANAGER_HASH_RAW);
    case MANAGER_HASH_RAW:
        return check_copy(install, MANAGER_OPEN_SAVE);
    case MANAGER_OPEN_SAVE:
        return open_save(install);
    case MANAGER_SAVE:
        return copy_then_hash(install, MANAGER_HASH_COPY);
    case MANAGER_HASH_COPY:
        return check_copy(install, MANAGER_HAND_OVER);
    case MANAGER_HAND_OVER:
        install->substep = MANAGER_RESET;
        return hand_over(install);
    case MANAGER_RESET:
        break;
    }
    return OTTER_STEP_RESET;
}
