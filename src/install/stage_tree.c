/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of files: stage 36 puts the archive of the new tree aside, as a file of the
 * card that is written, synced and hashed before anything of the old system changes;
 * stage 15 brings its files into their folder (tree.c). The archive of the old tree
 * lies there since that was installed: it is the way back, and nothing touches it until
 * the new system is confirmed.
 */
#include "stages.h"

#include "otter/left.h"

#include <string.h>

#if OTTER_TREES

enum aside_substep {
    ASIDE_FIND = 0, /* is it there already? */
    ASIDE_HASH,
    ASIDE_WRITE,
    ASIDE_CHECK, /* did it arrive? */
    ASIDE_FIND_OLD,
    ASIDE_HASH_OLD,
};

enum files_substep {
    FILES_BEGIN = 0,
    FILES_WORK,
};

static enum otter_step more_or_fail(struct otter_install *install,
                                    enum otter_result result)
{
    return result == OTTER_OK ? OTTER_STEP_MORE : otter_stage_fail(install, result);
}

/* ---- the archive aside ---- */

/* Hashes the archive of `member`, which is open as `region`. */
static enum otter_result start_hash(struct otter_install *install, uint8_t region,
                                    uint8_t substep)
{
    enum otter_result result = otter_plan_tree_cipher(
        install->device, &install->current, &install->save_cipher);

    otter_hashing_start(install->device, &install->hashing, region, 0,
                        install->current.installed_size);
    install->hashing.cipher = &install->save_cipher;
    install->substep = substep;
    return result;
}

static enum otter_result begin_aside(struct otter_install *install)
{
    enum otter_result result = otter_stage_open_store(install);

    otter_saving_open_archive(&install->saving, install->device, &install->stream,
                              install->current.installed_sha, &install->save_cipher);
    install->substep = ASIDE_WRITE;
    return result;
}

/* Size of what the current system's archive has to be, or of one that an earlier system
 * has left; 0 if there is none. */
static uint32_t size_of_old(const struct otter_install *install)
{
    struct otter_device *device = install->device;
    struct otter_system old;
    struct otter_member member;
    char root[OTTER_PATH_SIZE];

    return otter_system_peek(device, device->journal.state.current, &old) == OTTER_OK &&
                   otter_system_tree(device, &old, &member, root) == OTTER_OK
               ? member.installed_size
               : 0;
}

static enum otter_step find_archive(struct otter_install *install)
{
    enum otter_step found = otter_stage_find_member(install, OTTER_STRATEGIES_TREE);

    if (found != OTTER_STEP_MORE) {
        return found;
    }
    /* Written and read back, then the old one is read. */
    install->worked = 0;
    install->work =
        2 * (uint64_t)install->current.installed_size + size_of_old(install);
    enum otter_result result = start_hash(install, OTTER_REGION_SAVED_FILE, ASIDE_HASH);

    if (result == OTTER_OK) {
        result = otter_card_open_archive(install->device, OTTER_REGION_SAVED_FILE,
                                         install->current.installed_sha,
                                         install->current.installed_size);
    }
    return more_or_fail(install,
                        result == OTTER_E_CARD_TREE ? begin_aside(install) : result);
}

/* One that lies there already, since a cut or because the old system has the same, is
 * good enough if it is whole. */
static enum otter_step hash_archive(struct otter_install *install)
{
    bool is_done = false;
    bool matches = false;
    enum otter_result result =
        otter_stage_hash(install, install->current.installed_sha, &is_done, &matches);

    otter_stage_progress(install, install->substep == ASIDE_HASH
                                      ? 2 * (uint64_t)install->hashing.done
                                      : (uint64_t)install->current.installed_size +
                                            install->hashing.done);
    if (result == OTTER_OK && is_done && !matches) {
        result =
            install->substep == ASIDE_HASH ? begin_aside(install) : OTTER_E_CARD_WRITE;
    } else if (is_done) {
        install->substep = ASIDE_FIND_OLD;
    }
    return more_or_fail(install, result);
}

static enum otter_step write_archive(struct otter_install *install)
{
    bool is_done = false;
    enum otter_result result = otter_saving_step(&install->saving, &is_done);

    otter_stage_progress(install, install->saving.cursor);
    if (is_done) {
        result = start_hash(install, OTTER_REGION_SAVED_FILE, ASIDE_CHECK);
    }
    return more_or_fail(install, result);
}

/* Files that were put on the card by other hands have no archive: they have no way
 * back, which is told, and no reason to refuse the new ones. */
static enum otter_step lack_old(struct otter_install *install)
{
    otter_device_event(install->device, OTTER_EVENT_FAILED,
                       otter_stages[install->stage].code, 0,
                       otter_code(OTTER_E_CARD_TREE));
    return OTTER_STEP_DONE;
}

/* Opens the archive of what the current system has, or has found on the card: `current`
 * is that member. 21-17 if it has none, 36-20 if the card has none. */
static enum otter_result find_old_archive(struct otter_install *install)
{
    struct otter_device *device = install->device;
    char root[OTTER_PATH_SIZE];
    enum otter_result result =
        otter_system_peek(device, device->journal.state.current, &install->old);

    install->has_old = false;
    install->worked = 2 * (uint64_t)install->current.installed_size; /* the new one */
    if (result == OTTER_OK) {
        result = otter_system_tree(device, &install->old, &install->current, root);
    }
    if (result == OTTER_OK) {
        result = start_hash(install, OTTER_REGION_TREE_FILE, ASIDE_HASH_OLD);
    }
    return result == OTTER_OK ? otter_card_open_archive(device, OTTER_REGION_TREE_FILE,
                                                        install->current.installed_sha,
                                                        install->current.installed_size)
                              : result;
}

static enum otter_step find_old(struct otter_install *install)
{
    enum otter_result result = find_old_archive(install);

    if (result == OTTER_OK || otter_card_fault(install->device) != OTTER_OK) {
        return more_or_fail(install, result);
    }
    return result == OTTER_E_CONTROL_MISSING ? OTTER_STEP_DONE : lack_old(install);
}

static enum otter_step hash_old(struct otter_install *install)
{
    bool is_done = false;
    bool matches = false;
    enum otter_result result =
        otter_stage_hash(install, install->current.installed_sha, &is_done, &matches);

    otter_stage_progress(install, install->hashing.done);
    if (result != OTTER_OK || !is_done) {
        return more_or_fail(install, result);
    }
    install->has_old_archive = matches;
    return matches ? OTTER_STEP_DONE : lack_old(install);
}

enum otter_step otter_stage_aside(struct otter_install *install)
{
    switch ((enum aside_substep)install->substep) {
    case ASIDE_FIND:
        return find_archive(install);
    case ASIDE_HASH:
    case ASIDE_CHECK:
        return hash_archive(install);
    case ASIDE_WRITE:
        return write_archive(install);
    case ASIDE_FIND_OLD:
        return find_old(install);
    case ASIDE_HASH_OLD:
        break;
    }
    return hash_old(install);
}

/* ---- the files ---- */

/* Finds the tree that is to go. Without it nothing is removed, and nothing is lost but
 * tidiness; a card that does not answer is waited for. */
static enum otter_result open_old_tree(struct otter_install *install)
{
    struct otter_device *device = install->device;
    struct otter_member member;

    install->has_old = false;
    install->tree.other.is_there = false;
    if (!install->has_old_archive ||
        otter_system_peek(device, device->journal.state.current, &install->old) !=
            OTTER_OK ||
        otter_tree_open_side(device, &install->old, OTTER_REGION_TREE_FILE,
                             &install->tree.other, &member) == OTTER_OK) {
        return OTTER_OK;
    }
    return otter_card_fault(device);
}

/* Finds both trees: what is to come, and what is to go. That its archive is whole has
 * been found out while it was put aside. */
static enum otter_result open_trees(struct otter_install *install)
{
    struct otter_member member;
    enum otter_result result =
        otter_tree_open_side(install->device, &install->incoming,
                             OTTER_REGION_SAVED_FILE, &install->tree.target, &member);

    return result == OTTER_OK ? open_old_tree(install) : result;
}

static enum otter_step begin_files(struct otter_install *install)
{
    struct otter_device *device = install->device;
    enum otter_step found = otter_stage_find_member(install, OTTER_STRATEGIES_TREE);
    bool is_under_way = otter_stage_writes(install, OTTER_STRATEGY_TREE);

    if (found != OTTER_STEP_MORE) {
        return found;
    }
    enum otter_result result = open_trees(install);

    if (result == OTTER_OK && !is_under_way) {
        result = otter_stage_put(install, OTTER_PART_WRITE, OTTER_SEALED);
    }
    otter_tree_open(&install->tree, device,
                    is_under_way ? device->journal.state.cursor : 0);
    install->work =
        2 * otter_stage_sum(install, OTTER_STRATEGIES_UNPACKED, install->plan.count);
    install->worked =
        2 * otter_stage_sum(install, OTTER_STRATEGIES_REGION, install->plan.count);
    install->substep = FILES_WORK;
    return more_or_fail(install, result);
}

/* Files that do not read back are written once more, all of them (K5). */
static enum otter_step repeat_files(struct otter_install *install)
{
    if (install->region_repeats > 0) {
        return otter_stage_fail_at(install, OTTER_E_UNPACK);
    }
    install->region_repeats++;
    otter_tree_open(&install->tree, install->device, 0);
    return more_or_fail(install,
                        otter_stage_put(install, OTTER_PART_WRITE, OTTER_SEALED));
}

enum otter_step otter_stage_files(struct otter_install *install)
{
    bool is_done = false;

    if (install->substep == FILES_BEGIN) {
        return begin_files(install);
    }
    enum otter_result result = otter_tree_step(&install->tree, &is_done);

    otter_stage_progress(install, otter_tree_done(&install->tree));
    if (result == OTTER_E_UNPACK) {
        return repeat_files(install);
    }
    /* A card says by its own codes what is wrong with it. */
    return result == OTTER_OK && is_done ? OTTER_STEP_DONE
                                         : more_or_fail(install, result);
}

#endif
