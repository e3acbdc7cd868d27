/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing the saved copies back from a card. The same order as boot's: every copy is
 * compared with the old receipt, then each is written to its region, sector by sector,
 * with the journal's cursor; then "restored" is sealed, counted, and boot looks at what
 * stands (K5: only then).
 */
#include "otter/restore.h"

#include "otter/plan.h"

#include <string.h>

enum restore_step {
    RESTORE_OPEN = 0, /* the old receipt */
    RESTORE_FIND,     /* for each region: open its copy */
    RESTORE_HASH,     /* is it whole? */
    RESTORE_SEAL,     /* for each region: seal that it is written */
    RESTORE_COPY,
    RESTORE_FILES,
    RESTORE_END, /* seal that all are */
    RESTORE_WAIT,
};

/* In the order of restoring; the place here is the record's `member`, as boot's. */
static const uint8_t regions[] = {
    OTTER_REGION_APPLICATION,
    OTTER_REGION_RESOURCES,
    OTTER_REGION_FONT,
    OTTER_REGION_TREE,
};

enum { REGION_COUNT = sizeof(regions) / sizeof(regions[0]) };

void otter_restore_open(struct otter_restore *restore, struct otter_device *device)
{
    const struct otter_state *state = &device->journal.state;

    memset(restore, 0, sizeof(*restore));
    restore->device = device;
    restore->first = state->member;
    restore->cursor = state->cursor;
    restore->index = state->member;
}

/* A card that cannot be written is waited for, too: it may be changed, or emptied. */
static bool waits_for_card(const struct otter_restore *restore,
                           enum otter_result result)
{
    return otter_card_fault(restore->device) != OTTER_OK || otter_card_may_mend(result);
}

bool otter_restore_is_unwritable(enum otter_result result)
{
    return result == OTTER_E_CARD_FULL || result == OTTER_E_CARD_WRITE;
}

static enum otter_step fail(struct otter_restore *restore, enum otter_result result)
{
    restore->result = result;
    return waits_for_card(restore, result) ? OTTER_STEP_CARD : OTTER_STEP_FAILED;
}

static enum otter_step more_or_fail(struct otter_restore *restore,
                                    enum otter_result result)
{
    return result == OTTER_OK ? OTTER_STEP_MORE : fail(restore, result);
}

static bool is_replaced(const struct otter_restore *restore, uint8_t region)
{
    uint8_t flag = region == OTTER_REGION_TREE ? (uint8_t)OTTER_FLAG_NEW_TREE
                                               : otter_region_flag(region);

    if (region == OTTER_REGION_TREE && restore->files != OTTER_OK) {
        return false; /* they stay as they are */
    }
    return region == OTTER_REGION_APPLICATION ||
           (restore->device->journal.state.flags & flag) != 0;
}

/* Goes to the next region that was replaced. False: there is none. */
static bool find_region(struct otter_restore *restore)
{
    while (restore->index < REGION_COUNT &&
           !is_replaced(restore, regions[restore->index])) {
        restore->index++;
    }
    return restore->index < REGION_COUNT;
}

/* Opens the copy of the region under way. */
static enum otter_result open_copy(struct otter_restore *restore)
{
    uint8_t region = regions[restore->index];
    enum otter_result result = otter_system_in_region(restore->device, &restore->old,
                                                      region, &restore->current);

    if (result == OTTER_OK) {
        result = otter_plan_saved_cipher(restore->device, &restore->old,
                                         &restore->current, &restore->cipher);
    }
    return result == OTTER_OK ? otter_card_open_saved(restore->device, region,
                                                      restore->current.installed_size)
                              : result;
}

/* ---- files ---- */

/* Files that do not come back close no application that is whole: it is told, also by
 * the outcome, and the old system runs with the files that are there. */
static void lose_files(struct otter_restore *restore, enum otter_result why)
{
    otter_device_event(restore->device, OTTER_EVENT_FAILED, OTTER_PROGRAM_MANAGER, 0,
                       otter_code(why));
    restore->files = why;
    restore->tree.target.is_there = false;
}

/* Opens the archive of the old tree; `target.is_there` is false if there is none. A
 * card that has the copy of the application, but not this, will not get it by being
 * waited for: nothing is taken away for what cannot come (K20). */
static enum otter_result open_archive(struct otter_restore *restore)
{
    enum otter_result result =
        otter_tree_open_side(restore->device, &restore->old, OTTER_REGION_SAVED_FILE,
                             &restore->tree.target, &restore->current);

    if (result != OTTER_E_CARD_TREE) {
        return result;
    }
    lose_files(restore, result);
    return OTTER_OK;
}

/* Opens that of the new one, which says what is to go. Nothing is lost without it but
 * tidiness. */
static enum otter_result open_new_archive(struct otter_restore *restore)
{
    struct otter_device *device = restore->device;
    struct otter_system new;
    struct otter_member member;

    restore->tree.other.is_there = false;
    if (otter_system_peek(device, (uint8_t)(1 - device->journal.state.current), &new) !=
            OTTER_OK ||
        otter_tree_open_side(device, &new, OTTER_REGION_TREE_FILE, &restore->tree.other,
                             &member) == OTTER_OK) {
        return OTTER_OK;
    }
    return otter_card_fault(device);
}

static enum otter_step begin_files(struct otter_restore *restore, uint32_t cursor)
{
    enum otter_result result = open_archive(restore);

    if (result == OTTER_OK && restore->files != OTTER_OK) {
        return OTTER_STEP_MORE; /* it was there a moment ago */
    }
    if (result == OTTER_OK) {
        result = open_new_archive(restore);
    }
    otter_tree_open(&restore->tree, restore->device, cursor);
    restore->step = RESTORE_FILES;
    return more_or_fail(restore, result);
}

static enum otter_step repeat_files(struct otter_restore *restore)
{
    struct otter_state state = restore->device->journal.state;

    restore->repeats++;
    state.cursor = 0;
    otter_tree_open(&restore->tree, restore->device, 0);
    return more_or_fail(
        restore, otter_journal_put(&restore->device->journal, &state, OTTER_SEALED));
}

/* What cannot be brought back because somebody has put something else there, or because
 * the card could not be written again and again, closes no application that is whole:
 * it is told, and the old system runs (K20). A card that is gone is waited for. */
static enum otter_step restore_files(struct otter_restore *restore)
{
    bool is_done = false;
    enum otter_result result = otter_tree_step(&restore->tree, &is_done);
    bool is_left = restore->leaves_files && otter_restore_is_unwritable(result);
    bool is_hopeless =
        result != OTTER_OK && (is_left || !waits_for_card(restore, result));

    if (result == OTTER_E_UNPACK && restore->repeats == 0) {
        return repeat_files(restore);
    }
    if (is_hopeless) {
        lose_files(restore, result);
        result = OTTER_OK;
    }
    if (is_done || is_hopeless) {
        restore->index++;
        restore->step = RESTORE_SEAL;
    }
    return more_or_fail(restore, result);
}

/* ---- all of it ---- */

static enum otter_step open(struct otter_restore *restore)
{
    struct otter_device *device = restore->device;
    enum otter_result result =
        otter_system_open(device, device->journal.state.current, &restore->old);

    restore->step = RESTORE_FIND;
    return more_or_fail(restore, result);
}

static enum otter_step find(struct otter_restore *restore)
{
    if (!find_region(restore)) {
        restore->index = restore->first;
        restore->step = RESTORE_SEAL;
        return OTTER_STEP_MORE;
    }
    bool is_tree = regions[restore->index] == OTTER_REGION_TREE;
    enum otter_result result = is_tree ? open_archive(restore) : open_copy(restore);

    if (is_tree && !restore->tree.target.is_there) {
        restore->index++; /* nothing is to come back */
        return more_or_fail(restore, result);
    }
    otter_hashing_start(restore->device, &restore->hashing, OTTER_REGION_SAVED_FILE, 0,
                        restore->current.installed_size);
    restore->hashing.cipher = is_tree ? &restore->tree.target.cipher : &restore->cipher;
    restore->step = RESTORE_HASH;
    return more_or_fail(restore, result);
}

static enum otter_step hash(struct otter_restore *restore)
{
    uint8_t digest[OTTER_SHA256_SIZE];
    bool is_done = false;
    enum otter_result result =
        otter_hashing_step(restore->device, &restore->hashing, &is_done);

    if (result != OTTER_OK || !is_done) {
        return more_or_fail(restore, result);
    }
    otter_hashing_final(restore->device, &restore->hashing, digest);
    bool is_tree = regions[restore->index] == OTTER_REGION_TREE;
    bool matches = memcmp(digest, restore->current.installed_sha, sizeof(digest)) == 0;

    restore->index++;
    restore->step = RESTORE_FIND;
    if (is_tree && !matches) {
        lose_files(restore, OTTER_E_CARD_TREE);
    }
    return is_tree || matches ? OTTER_STEP_MORE : fail(restore, OTTER_E_CARD_SAVED);
}

static enum otter_step seal(struct otter_restore *restore)
{
    struct otter_device *device = restore->device;
    struct otter_state state = device->journal.state;

    if (!find_region(restore)) {
        restore->step = RESTORE_END;
        return OTTER_STEP_MORE;
    }
    bool is_tree = regions[restore->index] == OTTER_REGION_TREE;
    enum otter_result result = is_tree ? OTTER_OK : open_copy(restore);

    if (result != OTTER_OK) {
        return fail(restore, result);
    }
    state.member = restore->index;
    state.cursor = restore->index == restore->first ? restore->cursor : 0;
    result = otter_journal_put(&device->journal, &state, OTTER_SEALED);
    if (is_tree) {
        return result == OTTER_OK ? begin_files(restore, state.cursor)
                                  : fail(restore, result);
    }
    restore->copying = (struct otter_copying){
        .device = device,
        .from_region = OTTER_REGION_SAVED_FILE,
        .from_cipher = &restore->cipher,
        .to_region = regions[restore->index],
        .size = restore->current.installed_size,
    };
    otter_copying_open(&restore->copying);
    restore->step = RESTORE_COPY;
    return more_or_fail(restore, result);
}

static enum otter_step copy(struct otter_restore *restore)
{
    bool is_done = false;
    enum otter_result result = otter_copying_step(&restore->copying, &is_done);

    if (is_done) {
        restore->index++;
        restore->step = RESTORE_SEAL;
    }
    return more_or_fail(restore, result);
}

static enum otter_step end(struct otter_restore *restore)
{
    struct otter_state state = restore->device->journal.state;

    otter_state_begin(&state, OTTER_PART_RESTORED);
    state.roll_backs++;
    if (restore->files != OTTER_OK) {
        state.outcome.code = otter_code(restore->files);
    }
    restore->step = RESTORE_WAIT;
    return more_or_fail(
        restore, otter_journal_put(&restore->device->journal, &state, OTTER_SEALED));
}

enum otter_step otter_restore_step(struct otter_restore *restore)
{
    if (otter_journal_is_busy(&restore->device->journal)) {
        return more_or_fail(restore, otter_journal_step(&restore->device->journal));
    }
    switch ((enum restore_step)restore->step) {
    case RESTORE_OPEN:
        return open(restore);
    case RESTORE_FIND:
        return find(restore);
    case RESTORE_HASH:
        return hash(restore);
    case RESTORE_SEAL:
        return seal(restore);
    case RESTORE_COPY:
        return copy(restore);
    case RESTORE_FILES:
        return restore_files(restore);
    case RESTORE_END:
        return end(restore);
    case RESTORE_WAIT:
        break;
    }
    return OTTER_STEP_DONE;
}
