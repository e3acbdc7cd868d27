/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one kind of work that boot can finish by itself (K15): copying a verified, raw
 * image from staging to its region. What the old system had comes from its saved
 * copies, vouched for by the old receipt: application, resources, font, manager; the
 * new manager from the package, vouched for by the new one. What must not lie there in
 * clear does so under the device's storage key (K26); `cipher` of the boot struct is
 * that of the image at hand.
 */
#include "boot_inner.h"

#include "otter/plan.h"

#include <string.h>

/* An image in staging, and where it belongs. */
struct image {
    uint8_t region;
    uint32_t off; /* in staging */
    uint32_t size;
    uint8_t sha[OTTER_SHA256_SIZE];
    bool is_encrypted; /* under the device's storage key */
};

/* The cipher of the boot struct becomes the image's own. */
static bool open_cipher(struct otter_boot *boot, const struct image *image)
{
    otter_cipher_close(&boot->cipher);
    return !image->is_encrypted ||
           otter_cipher_open_stored(&boot->cipher, boot->device.ports.crypto,
                                    image->sha) == OTTER_OK;
}

static bool is_whole(struct otter_boot *boot, const struct image *image)
{
    const struct otter_span span = {
        .io = &boot->device.io, .region = OTTER_REGION_STAGING, .off = image->off};
    bool matches = false;

    if (!open_cipher(boot, image)) {
        return false;
    }
    return otter_hash_matches(&boot->device, &span, &boot->cipher, image->size,
                              image->sha, &matches) == OTTER_OK &&
           matches;
}

static bool is_in_place(struct otter_boot *boot, const struct image *image)
{
    const struct otter_span span = {.io = &boot->device.io, .region = image->region};
    bool matches = false;

    return otter_hash_matches(&boot->device, &span, NULL, image->size, image->sha,
                              &matches) == OTTER_OK &&
           matches;
}

static bool look_up_saved(struct otter_boot *boot, uint8_t slot, uint8_t region,
                          struct image *image)
{
    struct otter_device *device = &boot->device;
    struct otter_member member;

    if (otter_system_open(device, slot, &boot->system) != OTTER_OK ||
        otter_plan_saved(device, &boot->system, region, &image->off, &member) !=
            OTTER_OK) {
        return false;
    }
    image->region = region;
    image->size = member.installed_size;
    memcpy(image->sha, member.installed_sha, sizeof(image->sha));
    enum otter_result result =
        otter_plan_saved_cipher(device, &boot->system, &member, &boot->cipher);

    image->is_encrypted = boot->cipher.crypto != NULL;
    return result == OTTER_OK;
}

/* The copy that was saved of what the old system has in `region`. What was read counts
 * if the receipt reads whole afterwards, too; else its other copy is asked. */
static bool find_saved_of(struct otter_boot *boot, uint8_t slot, uint8_t region,
                          struct image *image)
{
    bool is_found = look_up_saved(boot, slot, region, image);

    if (otter_system_is_stale(&boot->device, &boot->system)) {
        is_found = look_up_saved(boot, slot, region, image);
    }
    return is_found && is_whole(boot, image);
}

static bool find_saved(struct otter_boot *boot, uint8_t region, struct image *image)
{
    return find_saved_of(boot, boot->device.journal.state.current, region, image);
}

bool boot_has_saved_manager(struct otter_boot *boot, uint8_t slot)
{
    struct image image;

    return find_saved_of(boot, slot, OTTER_REGION_MANAGER, &image);
}

static bool look_up_new_manager(struct otter_boot *boot, struct image *image)
{
    struct otter_device *device = &boot->device;
    struct otter_member member;
    struct otter_plan plan;
    uint8_t index;

    if (otter_system_open(device, (uint8_t)(1 - device->journal.state.current),
                          &boot->system) != OTTER_OK ||
        otter_system_member(&boot->system, OTTER_ROLE_MANAGER, &member, &index) !=
            OTTER_OK) {
        return false;
    }
    struct otter_source source =
        otter_span_source(&boot->system.receipt.span, boot->system.receipt.length);

    if (otter_plan_make(device, &source, &boot->system.control, &plan) != OTTER_OK ||
        plan.members[index].strategy != OTTER_STRATEGY_BY_BOOT) {
        return false;
    }
    image->is_encrypted = (member.flags & OTTER_MEMBER_ENCRYPTED) != 0;
    image->region = OTTER_REGION_MANAGER;
    image->off = plan.members[index].raw_off;
    image->size = member.installed_size;
    memcpy(image->sha, member.installed_sha, sizeof(image->sha));
    return true;
}

/* The new manager where the package's store has it. */
static bool find_new_manager(struct otter_boot *boot, struct image *image)
{
    bool is_found = look_up_new_manager(boot, image);

    if (otter_system_is_stale(&boot->device, &boot->system)) {
        is_found = look_up_new_manager(boot, image);
    }
    return is_found && is_whole(boot, image);
}

/* Copies sector by sector from where the journal stands. */
static enum otter_result copy_steps(struct otter_boot *boot)
{
    bool is_done = false;

    otter_copying_open(&boot->copying);
    while (!is_done) {
        enum otter_result result = otter_copying_step(&boot->copying, &is_done);

        if (result != OTTER_OK) {
            return result;
        }
        boot_feed(boot);
    }
    return OTTER_OK;
}

/* Seals the journal's state at `cursor` of `member`, then copies the image to its
 * region, which is open for just that long. False and an event if it cannot be done. */
static bool copy(struct otter_boot *boot, const struct image *image, uint8_t member,
                 uint32_t cursor)
{
    struct otter_device *device = &boot->device;
    struct otter_state state = device->journal.state;

    state.member = member;
    state.cursor = cursor;
    boot_record(boot, &state,
                OTTER_SEALED); /* what may be an unsealed tail, too (K3) */
    if (boot->facts.cannot_record || !open_cipher(boot, image)) {
        return false;
    }
    boot->copying = (struct otter_copying){
        .device = device,
        .from_region = OTTER_REGION_STAGING,
        .from_off = image->off,
        .from_cipher = &boot->cipher,
        .to_region = image->region,
        .size = image->size,
    };
    otter_io_open(&device->io, image->region);
    enum otter_result result = copy_steps(boot);

    otter_io_close(&device->io, image->region);
    otter_cipher_close(&boot->cipher);
    if (result != OTTER_OK) {
        otter_device_event(device, OTTER_EVENT_FAILED, OTTER_PROGRAM_BOOT, 0,
                           otter_code(result));
    }
    return result == OTTER_OK;
}

/* Goes on where the journal stands. */
static bool go_on(struct otter_boot *boot, const struct image *image)
{
    const struct otter_state *now = &boot->device.journal.state;

    return copy(boot, image, now->member, now->cursor);
}

/* The manager from its copy: flash that has failed once may work the next time, and
 * nothing will try it again later. */
static bool bring_back(struct otter_boot *boot, const struct image *image)
{
    return go_on(boot, image) || (!boot->facts.cannot_record && go_on(boot, image));
}

/* ---- application, resources, font ---- */

/* In the order of restoring; the place here is the record's `member`. */
static const uint8_t restored[] = {
    OTTER_REGION_APPLICATION,
    OTTER_REGION_RESOURCES,
    OTTER_REGION_FONT,
};

enum { RESTORED_COUNT = sizeof(restored) / sizeof(restored[0]) };

/* The update has written there, or may have. */
static bool is_replaced(const struct otter_boot *boot, uint8_t region)
{
    return region == OTTER_REGION_APPLICATION
               ? !otter_device_is_ab(&boot->device)
               : (boot->device.journal.state.flags & otter_region_flag(region)) != 0;
}

/* Finds the copies from `first` on; all of them are whole: none is written while
 * another is missing, because only all of them together are a system. */
static bool find_copies(struct otter_boot *boot, uint8_t first,
                        struct image images[RESTORED_COUNT])
{
    for (uint8_t i = first; i < (uint8_t)RESTORED_COUNT; i++) {
        if (is_replaced(boot, restored[i]) &&
            !find_saved(boot, restored[i], &images[i])) {
            return false;
        }
    }
    return true;
}

static bool restore_all(struct otter_boot *boot, uint8_t first, uint32_t cursor)
{
    struct image images[RESTORED_COUNT] = {{0}};

    if (!find_copies(boot, first, images)) {
        return false;
    }
    for (uint8_t i = first; i < (uint8_t)RESTORED_COUNT; i++) {
        if (is_replaced(boot, restored[i]) &&
            !copy(boot, &images[i], i, i == first ? cursor : 0)) {
            return false;
        }
    }
    return true;
}

/* A restore that is finished is counted, so that one that never verifies ends. */
static void restore(struct otter_boot *boot)
{
    struct otter_state *now = &boot->device.journal.state;
    /* What stands and does not verify is written again, all of it. */
    uint8_t first = boot->facts.is_restored ? 0 : now->member;
    uint32_t cursor = boot->facts.is_restored ? 0 : now->cursor;

    if (!restore_all(boot, first, cursor)) {
        boot->facts.cannot_restore = true;
        return;
    }
    struct otter_state state = *now;

    state.roll_backs++;
    boot_record(boot, &state, OTTER_SEALED);
    boot->facts.is_restored = true;
    boot->facts.system[boot->facts.current] = OTTER_VERDICT_UNKNOWN;
}

/* ---- the manager ---- */

/* Writes the new manager; when it stands and verifies, it is to be tried. */
static void write_manager(struct otter_boot *boot)
{
    struct otter_state state;
    struct image image;

    if (!find_new_manager(boot, &image) || !go_on(boot, &image) ||
        !is_in_place(boot, &image)) {
        boot->facts.cannot_copy = true;
        return;
    }
    state = boot->device.journal.state;
    boot_clear_work(&state);
    state.part = OTTER_PART_TRY_MANAGER;
    boot->facts.manager = OTTER_VERDICT_UNKNOWN;
    boot_record(boot, &state, OTTER_SEALED);
}

static void take_back(struct otter_boot *boot, uint16_t code)
{
    struct otter_state state = boot->device.journal.state;

    boot_take_outcome(boot, &state, OTTER_OUTCOME_FAILED, code);
    boot_clear_work(&state);
    state.part = OTTER_PART_TAKE_BACK;
    boot->facts.cannot_copy = false;
    otter_device_event(&boot->device, OTTER_EVENT_FAILED, OTTER_PROGRAM_BOOT, 0, code);
    boot_record(boot, &state, OTTER_LASTING);
}

/* The installation has failed and the application was not touched. It runs on, even if
 * the old manager cannot be brought back. */
static void write_back(struct otter_boot *boot)
{
    struct otter_state state;
    struct image image;

    if (!find_saved(boot, OTTER_REGION_MANAGER, &image) || !bring_back(boot, &image)) {
        boot->facts.cannot_copy = true;
    }
    if (boot->facts.cannot_record) {
        return;
    }
    state = boot->device.journal.state;
    boot_clear_work(&state);
    boot_settle_manager(boot, &state, state.current);
    if ((state.flags & OTTER_FLAG_NEW_MANAGER) != 0 &&
        state.outcome.kind == OTTER_OUTCOME_FAILED) {
        state.outcome.code = otter_code(OTTER_E_MANAGER_OTHER);
    }
    state.phase = OTTER_PHASE_CONFIRMED;
    boot->facts.manager = OTTER_VERDICT_UNKNOWN;
    boot_record(boot, &state, OTTER_LASTING);
}

static void begin_part(struct otter_boot *boot, enum otter_part part)
{
    struct otter_state state = boot->device.journal.state;

    otter_state_begin(&state, part);
    boot_record(boot, &state, OTTER_SEALED);
}

static void restore_manager(struct otter_boot *boot)
{
    struct image image;

    boot->facts.manager = OTTER_VERDICT_UNKNOWN;
    if (find_saved(boot, OTTER_REGION_MANAGER, &image) && bring_back(boot, &image)) {
        boot->facts.is_manager_done = true;
    } else {
        boot->facts.cannot_copy = true;
    }
}

void boot_copy_act(struct otter_boot *boot, const struct otter_boot_decision *decision)
{
    switch ((int)decision->act) {
    case OTTER_BOOT_RESTORE:
        restore(boot);
        break;
    case OTTER_BOOT_WRITE_MANAGER:
        write_manager(boot);
        break;
    case OTTER_BOOT_TAKE_BACK:
        take_back(boot, decision->code);
        break;
    case OTTER_BOOT_WRITE_BACK:
        write_back(boot);
        break;
    case OTTER_BOOT_BEGIN_RESTORE:
        begin_part(boot, OTTER_PART_RESTORE_MANAGER);
        break;
    case OTTER_BOOT_RESTORE_AGAIN:
        begin_part(boot, OTTER_PART_RESTORE);
        break;
    case OTTER_BOOT_RESTORE_MANAGER:
        restore_manager(boot);
        break;
    }
}
