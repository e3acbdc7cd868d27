/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees that outlive their system: the note on the card that names folder and archive.
 * It is believed as far as a receipt would be: the archive must have the hash that it
 * names, and the folder is none of otter's own.
 */
#include "otter/left.h"

#include "card_inner.h"

#include <string.h>

static const char left_path[] = OTTER_CARD_FOLDER "/left";

enum { IS_ENCRYPTED = 1 }; /* in place of a pointer's sequence */

static enum otter_result named_tree(const struct otter_device *device,
                                    const struct otter_system *system,
                                    struct otter_member *member,
                                    char root[OTTER_PATH_SIZE])
{
    struct otter_source source =
        otter_span_source(&system->receipt.span, system->receipt.length);
    enum otter_result result =
        otter_system_in_region(device, system, OTTER_REGION_TREE, member);

    return result == OTTER_OK ? otter_control_root(&source, &system->control, root)
                              : result;
}

/* A card that does not answer is noted, as for every other file that is needed; so is
 * one that cannot close what it has read: it has not said that there is no note. */
static enum otter_result left_tree(struct otter_device *device,
                                   struct otter_member *member,
                                   char root[OTTER_PATH_SIZE])
{
    struct otter_pointer left;
    enum otter_result result = card_read_pointer(device, left_path, &left);

    if (result != OTTER_OK && result != OTTER_E_CARD_POINTER) {
        device->card->fault =
            result == OTTER_E_CARD_NONE ? OTTER_E_CARD_NONE : OTTER_E_CARD_READ;
        return device->card->fault;
    }
    if (result != OTTER_OK || left.sequence > (uint32_t)IS_ENCRYPTED ||
        otter_path_is_inside(left.path, OTTER_CARD_FOLDER)) {
        return OTTER_E_CONTROL_MISSING;
    }
    memset(member, 0, sizeof(*member));
    member->role = OTTER_ROLE_RESOURCES;
    member->region = OTTER_REGION_TREE;
    member->flags = left.sequence == IS_ENCRYPTED ? (uint8_t)OTTER_MEMBER_ENCRYPTED : 0;
    member->installed_size = left.file_length;
    memcpy(member->installed_sha, left.hash, sizeof(left.hash));
    memcpy(root, left.path, sizeof(left.path));
    return OTTER_OK;
}

enum otter_result otter_system_tree(struct otter_device *device,
                                    const struct otter_system *system,
                                    struct otter_member *member,
                                    char root[OTTER_PATH_SIZE])
{
    enum otter_result result = named_tree(device, system, member, root);

    return result == OTTER_E_CONTROL_MISSING &&
                   system->slot == device->journal.state.current && device->card != NULL
               ? left_tree(device, member, root)
               : result;
}

/* The system before the current one is still known, until the next package comes. What
 * else was in its place, a package that has failed, is none that had its files here. */
static bool find_former(const struct otter_device *device, struct otter_system *former)
{
    const struct otter_state *state = &device->journal.state;

    return state->phase == OTTER_PHASE_CONFIRMED &&
           state->outcome.kind == OTTER_OUTCOME_CONFIRMED &&
           otter_system_peek(device, (uint8_t)(1 - state->current), former) == OTTER_OK;
}

/* The archive is looked for, not at: whoever uses it hashes it. */
static enum otter_result has_archive(struct otter_device *device,
                                     const struct otter_member *member)
{
    enum otter_result result = otter_card_open_archive(
        device, OTTER_REGION_TREE_FILE, member->installed_sha, member->installed_size);

    otter_card_close(device);
    return result;
}

/* Order matters: the note is whole before any archive is removed. */
static bool write_note(struct otter_device *device, const struct otter_system *former,
                       struct otter_member *member, char root[OTTER_PATH_SIZE])
{
    uint8_t bytes[OTTER_POINTER_SIZE];
    struct otter_pointer left = {
        .sequence = (member->flags & OTTER_MEMBER_ENCRYPTED) != 0 ? IS_ENCRYPTED : 0,
        .file_length = member->installed_size,
    };

    memcpy(left.package_id, former->control.package_id, sizeof(left.package_id));
    memcpy(left.hash, member->installed_sha, sizeof(left.hash));
    memcpy(left.path, root, sizeof(left.path));
    otter_pointer_encode(&left, bytes);
    return card_write_bytes(otter_card_files(device), left_path, bytes) == OTTER_OK &&
           left_tree(device, member, root) == OTTER_OK;
}

static bool note_former(struct otter_device *device)
{
    struct otter_system former;
    struct otter_member member;
    char root[OTTER_PATH_SIZE];

    if (!find_former(device, &former) ||
        named_tree(device, &former, &member, root) != OTTER_OK) {
        return true; /* nobody has left anything */
    }
    enum otter_result result = has_archive(device, &member);

    return result == OTTER_E_CARD_TREE ||
           (result == OTTER_OK && write_note(device, &former, &member, root));
}

/* A name that is removed may come back after a cut; an empty file is no note. */
static void drop_note(const struct otter_device *device)
{
    const struct otter_files *files = otter_card_files(device);
    struct otter_pointer left;
    int file = 0;

    if (card_read_pointer(device, left_path, &left) == OTTER_OK &&
        files->open(files->context, left_path, OTTER_FILE_NEW, &file) == OTTER_OK) {
        (void)!files->close(files->context, file);
    }
    (void)!files->remove(files->context, left_path); /* it may not be there */
}

bool otter_left_settle(struct otter_device *device)
{
    struct otter_system current;
    struct otter_member member;
    char root[OTTER_PATH_SIZE];

    if (otter_system_peek(device, device->journal.state.current, &current) !=
        OTTER_OK) {
        return false;
    }
    enum otter_result result = named_tree(device, &current, &member, root);

    if (result == OTTER_OK) {
        drop_note(device);
        return true;
    }
    if (result != OTTER_E_CONTROL_MISSING) {
        return false;
    }
    result = left_tree(device, &member, root);
    return result == OTTER_E_CONTROL_MISSING ? note_former(device) : result == OTTER_OK;
}
