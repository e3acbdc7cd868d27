/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stages 1 and 9: the package's receipt is opened, verified and planned again, its
 * content key is unwrapped, every stored member is hashed again, and what is encrypted
 * or coded is decrypted and decoded once, all of it, before anything of it is written
 * (P2); a tree of files is walked through, too. Resources and fonts that the package
 * keeps are hashed, too: nobody else looks at these (K1). They only read.
 */
#include "stages.h"

#include "otter/kept.h"

#include <string.h>

enum package_substep {
    PACKAGE_OPEN = 0,
    PACKAGE_UNWRAP,
};

enum check_substep {
    CHECK_BEGIN = 0,
    CHECK_STORED,  /* the bytes as they are stored */
    CHECK_KEPT,    /* what is there, of a member that is kept */
    CHECK_CONTENT, /* what they decode to */
    CHECK_END,     /* is that all of them? */
};

/* As long as a signature check, so it is a step of its own (K22). */
static enum otter_step unwrap_key(struct otter_install *install)
{
    const struct otter_crypto *crypto = install->device->ports.crypto;
    struct otter_source source = otter_span_source(&install->incoming.receipt.span,
                                                   install->incoming.receipt.length);
    struct otter_wrap wrap;
    enum otter_result result =
        otter_control_find_wrap(&source, &install->incoming.control, crypto, &wrap);

    if (result == OTTER_OK) {
        result = crypto->unwrap(crypto->context, &wrap, install->content_key);
    }
    return result == OTTER_OK ? OTTER_STEP_DONE : otter_stage_fail(install, result);
}

static enum otter_step open_package(struct otter_install *install)
{
    struct otter_device *device = install->device;
    uint8_t slot = (uint8_t)(1 - device->journal.state.current);
    enum otter_result result = otter_system_open(device, slot, &install->incoming);

    if (result == OTTER_OK && !install->incoming.receipt.has_hash) {
        result = OTTER_E_NOT_COMPLETE;
    }
    if (result == OTTER_OK) {
        struct otter_source source = otter_span_source(
            &install->incoming.receipt.span, install->incoming.receipt.length);

        result = otter_plan_make(device, &source, &install->incoming.control,
                                 &install->plan);
    }
    if (result != OTTER_OK) {
        return otter_stage_fail(install, result);
    }
    install->substep = PACKAGE_UNWRAP;
    return install->incoming.control.wrap_count == 0 ? OTTER_STEP_DONE
                                                     : OTTER_STEP_MORE;
}

enum otter_step otter_stage_package(struct otter_install *install)
{
    return install->substep == PACKAGE_OPEN ? open_package(install)
                                            : unwrap_key(install);
}

/* Errors of stage 9 say how far it came: [09-00] to [09-98] reading, [09-99] damage. */
static enum otter_step fail_reading(struct otter_install *install)
{
    uint8_t percent = install->percent > 98 ? 98 : install->percent;

    return percent == 0
               ? otter_stage_fail(install, OTTER_E_CHECK_OPEN)
               : otter_stage_fail(install, otter_error_at(OTTER_E_CHECK_READ, percent));
}

static bool is_encrypted(const struct otter_install *install)
{
    return (install->current.flags & OTTER_MEMBER_ENCRYPTED) != 0;
}

static bool is_tree(const struct otter_install *install)
{
    return otter_stage_placement(install)->strategy == OTTER_STRATEGY_TREE;
}

static bool is_kept(const struct otter_install *install)
{
    return otter_stage_placement(install)->strategy == OTTER_STRATEGY_KEPT;
}

/* It is installed already: kept, or written in place. */
static bool is_there(const struct otter_install *install)
{
    return is_kept(install) ||
           otter_stage_placement(install)->strategy == OTTER_STRATEGY_IN_PLACE;
}

/* Its stored bytes are what is installed, as they are. */
static bool is_plain(const struct otter_install *install)
{
    return is_there(install) || (install->current.coding == OTTER_CODING_RAW &&
                                 !is_encrypted(install) && !is_tree(install));
}

/* Of other members the stored bytes are read first, then what they open to. */
static void tell_percent(struct otter_install *install, uint32_t done)
{
    const struct otter_member *member = &install->current;

    install->percent = otter_stage_percent(
        done, is_plain(install) ? install->hashing.size
                                : member->stored_size + member->installed_size);
}

static enum otter_step next_member(struct otter_install *install)
{
    install->member++;
    install->substep = CHECK_BEGIN;
    return OTTER_STEP_MORE;
}

/* Starts the hash of the member under way where it is stored; of one that was written
 * in place where it is installed. */
static void open_hash(struct otter_install *install)
{
    const struct otter_placement *placement = otter_stage_placement(install);

    otter_hashing_start(install->device, &install->hashing,
                        is_there(install) ? placement->target_region
                                          : placement->store_region,
                        is_there(install) ? 0 : placement->store_off,
                        is_there(install) ? install->current.installed_size
                                          : install->current.stored_size);
    install->substep = CHECK_STORED;
}

/* Nobody else looks at what is kept: boot has the programs alone (K1). */
static enum otter_step open_kept(struct otter_install *install)
{
    bool has_content = false;
    enum otter_result result = otter_kept_open(install->device, &install->current,
                                               &install->hashing, &has_content);

    if (result != OTTER_OK) {
        return otter_stage_fail(install, result);
    }
    install->substep = CHECK_KEPT;
    return has_content ? OTTER_STEP_MORE : next_member(install);
}

static enum otter_step begin_check(struct otter_install *install)
{
    enum otter_step found = otter_stage_find_member(install, OTTER_STRATEGIES_ALL);

    if (found != OTTER_STEP_MORE) {
        return found;
    }
    if (is_kept(install)) {
        return open_kept(install);
    }
    open_hash(install);
    return OTTER_STEP_MORE;
}

/* ---- what is encrypted or coded ---- */

/* Reading errors of the store keep their codes; what is wrong with the coding has its
 * own. What was decrypted with a wrong key is no coding at all. */
static enum otter_step fail_decoding(struct otter_install *install,
                                     enum otter_result result)
{
    if (result == OTTER_E_FLASH_READ) {
        return fail_reading(install);
    }
    return otter_stage_fail(install,
                            is_encrypted(install) ? OTTER_E_DECRYPTED_HASH : result);
}

/* Every entry of a tree is looked at before any of them is unpacked (P2). */
static enum otter_step begin_tree(struct otter_install *install)
{
    struct otter_source source = otter_span_source(&install->incoming.receipt.span,
                                                   install->incoming.receipt.length);
    char root[OTTER_PATH_SIZE];
    enum otter_result result =
        otter_control_root(&source, &install->incoming.control, root);

    if (result != OTTER_OK) {
        return otter_stage_fail(install, result);
    }
    otter_tar_check_open(&install->tar, install->current.installed_size,
                         (uint8_t)otter_path_length(root));
    return OTTER_STEP_MORE;
}

static enum otter_step begin_content(struct otter_install *install)
{
    enum otter_result result = otter_stage_open_store(install);

    if (result != OTTER_OK) {
        return fail_decoding(install, result);
    }
    /* The bytes come from the stream: only the hash is used. */
    otter_hashing_start(install->device, &install->hashing, OTTER_REGION_NONE, 0,
                        install->current.installed_size);
    install->filled = 0;
    install->content_fault = OTTER_OK;
    install->substep = CHECK_CONTENT;
    return is_tree(install) ? begin_tree(install) : OTTER_STEP_MORE;
}

/* What the receiver checks of a program that it can read. */
static enum otter_result check_vectors(const struct otter_install *install)
{
    const struct otter_device *device = install->device;
    const struct otter_placement *placement = otter_stage_placement(install);

    if (!otter_role_is_program(install->current.role) || install->hashing.done > 0) {
        return OTTER_OK;
    }
    return otter_vectors_judge(
        device, device->page,
        otter_map_find(&device->table.map, placement->target_region),
        install->current.installed_size);
}

/* Looks at the next `len` bytes, which are in the page. */
static enum otter_result check_page(struct otter_install *install, uint32_t len)
{
    return is_tree(install)
               ? otter_tar_check_take(&install->tar, install->device->page, len)
               : check_vectors(install);
}

/* Decodes into the page; a full one, or the last, is hashed. */
static enum otter_step check_content(struct otter_install *install)
{
    struct otter_device *device = install->device;
    const struct otter_crypto *crypto = device->ports.crypto;
    struct otter_hashing *hashing = &install->hashing;
    uint32_t left = hashing->size - hashing->done;
    uint32_t room = left < sizeof(device->page) ? left : (uint32_t)sizeof(device->page);
    uint32_t got = 0;
    enum otter_result result = otter_stream_read(
        &install->stream, device->page + install->filled, room - install->filled, &got);

    install->filled += got;
    if (result == OTTER_OK && install->filled == room) {
        /* Told at the end: what is no content of the package is no program either. */
        if (install->content_fault == OTTER_OK) {
            install->content_fault = check_page(install, room);
        }
        crypto->sha256_update(crypto->context, &hashing->sha, device->page, room);
        hashing->done += room;
        install->filled = 0;
        install->substep = hashing->done == hashing->size ? CHECK_END : CHECK_CONTENT;
    }
    tell_percent(install, install->current.stored_size + hashing->done);
    return result == OTTER_OK ? OTTER_STEP_MORE : fail_decoding(install, result);
}

static enum otter_step check_end(struct otter_install *install)
{
    uint8_t digest[OTTER_SHA256_SIZE];
    bool is_done = false;
    enum otter_result result = otter_stream_end(&install->stream, &is_done);

    if (result != OTTER_OK) {
        return fail_decoding(install, result);
    }
    if (!is_done) {
        return OTTER_STEP_MORE;
    }
    otter_hashing_final(install->device, &install->hashing, digest);
    if (memcmp(digest, install->current.installed_sha, sizeof(digest)) != 0) {
        return fail_decoding(install, OTTER_E_CODING_HASH);
    }
    result = install->content_fault;
    if (result == OTTER_OK && is_tree(install)) {
        result = otter_tar_check_end(&install->tar);
    }
    return result == OTTER_OK ? next_member(install)
                              : otter_stage_fail(install, result);
}

/* ---- the whole ---- */

static enum otter_step check_stored(struct otter_install *install)
{
    uint8_t digest[OTTER_SHA256_SIZE];
    bool is_done = false;
    enum otter_result result =
        otter_hashing_step(install->device, &install->hashing, &is_done);

    if (result != OTTER_OK) {
        return fail_reading(install);
    }
    tell_percent(install, install->hashing.done);
    if (!is_done) {
        return OTTER_STEP_MORE;
    }
    otter_hashing_final(install->device, &install->hashing, digest);
    if (memcmp(digest,
               is_there(install) ? install->current.installed_sha
                                 : install->current.stored_sha,
               sizeof(digest)) != 0) {
        return otter_stage_fail(install, is_there(install) && is_encrypted(install)
                                             ? OTTER_E_DECRYPTED_HASH
                                             : OTTER_E_CHECK_DAMAGED);
    }
    return is_plain(install) ? next_member(install) : begin_content(install);
}

static enum otter_step check_kept(struct otter_install *install)
{
    bool is_done = false;
    enum otter_result result = otter_kept_step(install->device, &install->current,
                                               &install->hashing, &is_done);

    if (result == OTTER_E_KEPT || result == OTTER_E_CARD_TREE) {
        return otter_stage_fail(install, result);
    }
    if (result != OTTER_OK) {
        return fail_reading(install);
    }
    tell_percent(install, install->hashing.done);
    return is_done ? next_member(install) : OTTER_STEP_MORE;
}

enum otter_step otter_stage_check(struct otter_install *install)
{
    switch ((enum check_substep)install->substep) {
    case CHECK_BEGIN:
        return begin_check(install);
    case CHECK_STORED:
        return check_stored(install);
    case CHECK_KEPT:
        return check_kept(install);
    case CHECK_CONTENT:
        return check_content(install);
    case CHECK_END:
        break;
    }
    return check_end(install);
}
