/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The systems of a device: which receipts may be trusted, and whether what is
 * installed is what they say (K1). "Verifies" always includes the security counter
 * and the trusted keys (K17).
 */
#include "otter/device.h"

#include "otter/bytes.h"

#include <string.h>

enum { HASH_PART = 128 };

void otter_hashing_start(struct otter_device *device, struct otter_hashing *hashing,
                         uint8_t region, uint32_t off, uint32_t size)
{
    const struct otter_crypto *crypto = device->ports.crypto;

    hashing->span =
        (struct otter_span){.io = &device->io, .region = region, .off = off};
    hashing->cipher = NULL;
    hashing->size = size;
    hashing->done = 0;
    crypto->sha256_init(crypto->context, &hashing->sha);
}

enum otter_result otter_hashing_step(struct otter_device *device,
                                     struct otter_hashing *hashing, bool *is_done)
{
    const struct otter_crypto *crypto = device->ports.crypto;
    uint8_t part[HASH_PART];

    for (uint32_t step = 0; step < OTTER_STEP_BYTES && hashing->done < hashing->size;) {
        uint32_t left = hashing->size - hashing->done;
        uint32_t len = left < sizeof(part) ? left : (uint32_t)sizeof(part);
        enum otter_result result =
            otter_io_read(hashing->span.io, hashing->span.region,
                          hashing->span.off + hashing->done, part, len);

        if (result != OTTER_OK) {
            return result;
        }
        otter_cipher_apply(hashing->cipher, hashing->done, part, len);
        crypto->sha256_update(crypto->context, &hashing->sha, part, len);
        hashing->done += len;
        step += len;
    }
    *is_done = hashing->done == hashing->size;
    return OTTER_OK;
}

void otter_hashing_final(struct otter_device *device, struct otter_hashing *hashing,
                         uint8_t digest[OTTER_SHA256_SIZE])
{
    const struct otter_crypto *crypto = device->ports.crypto;

    crypto->sha256_final(crypto->context, &hashing->sha, digest);
}

enum otter_result otter_hash_matches(struct otter_device *device,
                                     const struct otter_span *span,
                                     const struct otter_cipher *cipher, uint32_t size,
                                     const uint8_t wanted[OTTER_SHA256_SIZE],
                                     bool *matches)
{
    const struct otter_board *board = device->ports.board;
    struct otter_hashing hashing;
    uint8_t digest[OTTER_SHA256_SIZE];
    bool is_done = false;

    otter_hashing_start(device, &hashing, span->region, span->off, size);
    hashing.cipher = cipher;
    while (!is_done) {
        enum otter_result result = otter_hashing_step(device, &hashing, &is_done);

        if (result != OTTER_OK) {
            return result;
        }
        board->watchdog_feed(board->context);
    }
    otter_hashing_final(device, &hashing, digest);
    *matches = memcmp(digest, wanted, sizeof(digest)) == 0;
    return OTTER_OK;
}

enum otter_result otter_system_read(const struct otter_device *device, uint8_t slot,
                                    uint8_t copy, struct otter_system *system)
{
    enum otter_result result =
        otter_receipt_open(&device->io, slot, copy, &system->receipt);

    if (result != OTTER_OK) {
        return result;
    }
    system->slot = slot;
    system->copy = copy;
    struct otter_source source =
        otter_span_source(&system->receipt.span, system->receipt.length);

    return otter_control_open(&source, &system->control);
}

enum otter_result otter_system_peek(const struct otter_device *device, uint8_t slot,
                                    struct otter_system *system)
{
    enum otter_result result = otter_system_read(device, slot, 0, system);

    return result == OTTER_OK ? OTTER_OK : otter_system_read(device, slot, 1, system);
}

enum otter_result otter_system_member(const struct otter_system *system, uint8_t role,
                                      struct otter_member *member, uint8_t *index)
{
    struct otter_source source =
        otter_span_source(&system->receipt.span, system->receipt.length);

    return otter_control_find(&source, &system->control, role, member, index);
}

static const struct {
    uint8_t region;
    uint8_t flag;
} shared_regions[] = {
    {OTTER_REGION_RESOURCES, OTTER_FLAG_NEW_RESOURCES},
    {OTTER_REGION_FONT, OTTER_FLAG_NEW_FONT},
};

enum { SHARED_COUNT = sizeof(shared_regions) / sizeof(shared_regions[0]) };

uint8_t otter_region_flag(uint8_t region)
{
    for (size_t i = 0; i < SHARED_COUNT; i++) {
        if (shared_regions[i].region == region) {
            return shared_regions[i].flag;
        }
    }
    return 0;
}

uint8_t otter_member_region(const struct otter_device *device, uint8_t slot,
                            const struct otter_member *member)
{
    bool names_one =
        member->region != OTTER_REGION_NONE && member->role != OTTER_ROLE_FIRMWARE;

    return names_one ? member->region : otter_system_region(device, slot, member->role);
}

enum otter_result otter_system_in_region(const struct otter_device *device,
                                         const struct otter_system *system,
                                         uint8_t region, struct otter_member *member)
{
    struct otter_source source =
        otter_span_source(&system->receipt.span, system->receipt.length);

    for (uint8_t i = 0; i < system->control.member_count; i++) {
        enum otter_result result =
            otter_control_member(&source, &system->control, i, member);

        if (result != OTTER_OK) {
            return result;
        }
        if (otter_member_region(device, system->slot, member) == region) {
            return OTTER_OK;
        }
    }
    return OTTER_E_CONTROL_MISSING;
}

enum otter_result otter_system_is_encrypted(const struct otter_system *system,
                                            bool *is_encrypted)
{
    struct otter_source source =
        otter_span_source(&system->receipt.span, system->receipt.length);
    struct otter_member member;

    *is_encrypted = false;
    for (uint8_t i = 0; i < system->control.member_count && !*is_encrypted; i++) {
        enum otter_result result =
            otter_control_member(&source, &system->control, i, &member);

        if (result != OTTER_OK) {
            return result;
        }
        *is_encrypted = (member.flags & OTTER_MEMBER_ENCRYPTED) != 0;
    }
    return OTTER_OK;
}

/* The system of an update under way may bring a table of its own, which lies in the
 * store at first: see has_table(). */
static bool brings_table(const struct otter_device *device,
                         const struct otter_system *system,
                         const struct otter_member *member)
{
    const struct otter_state *state = &device->journal.state;

    return system->slot != state->current && otter_phase_locks_store(state->phase) &&
           (member->flags & OTTER_MEMBER_KEPT) == 0;
}

/* A table that is not the one the receipt names does not fit the system (K8). */
static enum otter_result check_table(const struct otter_device *device,
                                     const struct otter_system *system)
{
    struct otter_member member;
    uint8_t index;
    enum otter_result result =
        otter_system_member(system, OTTER_ROLE_TABLE, &member, &index);

    if (result != OTTER_OK) {
        return result;
    }
    return memcmp(member.installed_sha, device->table_sha, OTTER_SHA256_SIZE) == 0 ||
                   brings_table(device, system, &member)
               ? OTTER_OK
               : OTTER_E_KEPT;
}

static enum otter_result open_copy(struct otter_device *device, uint8_t slot,
                                   uint8_t copy, struct otter_system *system)
{
    const struct otter_state *state = &device->journal.state;
    enum otter_result result = otter_system_read(device, slot, copy, system);

    if (result != OTTER_OK) {
        return result;
    }
    struct otter_source source =
        otter_span_source(&system->receipt.span, system->receipt.length);

    result = otter_control_verify(&source, &system->control, device->table.keys,
                                  device->table.key_count, state->key_mask,
                                  device->ports.crypto);
    if (result != OTTER_OK) {
        return result;
    }
    if (system->control.counter < state->counter) {
        return OTTER_E_COUNTER;
    }
    if (system->control.target != device->table.target) {
        return OTTER_E_TARGET;
    }
    return check_table(device, system);
}

/* The package hash proves nothing, so it may come from either copy. */
static void borrow_hash(const struct otter_device *device, struct otter_system *system)
{
    struct otter_receipt other;

    for (uint8_t copy = 0;
         copy < (uint8_t)OTTER_RECEIPT_COPIES && !system->receipt.has_hash; copy++) {
        if (otter_receipt_open(&device->io, system->slot, copy, &other) == OTTER_OK &&
            other.has_hash) {
            system->receipt.has_hash = true;
            memcpy(system->receipt.hash, other.hash, sizeof(other.hash));
        }
    }
}

enum otter_result otter_system_open(struct otter_device *device, uint8_t slot,
                                    struct otter_system *system)
{
    enum otter_result first = open_copy(device, slot, 0, system);

    if (first != OTTER_OK) {
        enum otter_result second = open_copy(device, slot, 1, system);

        if (first == OTTER_E_KEPT && second != OTTER_OK && second != first) {
            return open_copy(device, slot, 0, system); /* it may be enough */
        }
        if (second != OTTER_OK) {
            return first == OTTER_E_RECEIPT_COPY && second == first
                       ? OTTER_E_RECEIPT_LOST
                   : first == OTTER_E_RECEIPT_COPY ? second
                                                   : first;
        }
    }
    borrow_hash(device, system);
    return OTTER_OK;
}

enum otter_result otter_vectors_judge(const struct otter_device *device,
                                      const uint8_t vectors[OTTER_VECTORS_SIZE],
                                      const struct otter_region *runs_in, uint32_t size)
{
    const struct otter_policy *policy = &device->table.policy;
    uint32_t stack = otter_load_le32(vectors);
    uint32_t reset = otter_load_le32(vectors + 4);

    if (size < OTTER_VECTORS_SIZE) {
        return OTTER_E_VECTORS;
    }
    /* A full stack begins one past the RAM's end. */
    if (stack <= policy->ram_addr || stack - policy->ram_addr > policy->ram_size) {
        return OTTER_E_VECTORS;
    }
    if ((reset & 1U) == 0 || reset < runs_in->exec || reset - runs_in->exec >= size) {
        return OTTER_E_VECTORS;
    }
    return OTTER_OK;
}

enum otter_result otter_vectors_check(const struct otter_device *device,
                                      uint8_t region_id, uint32_t off,
                                      const struct otter_region *runs_in, uint32_t size)
{
    uint8_t vectors[OTTER_VECTORS_SIZE];

    if (size < sizeof(vectors)) {
        return OTTER_E_VECTORS;
    }
    enum otter_result result =
        otter_io_read(&device->io, region_id, off, vectors, sizeof(vectors));

    if (result != OTTER_OK) { /* of a card it is no fault of the image */
        return region_id == OTTER_REGION_PACKAGE_FILE ? result : OTTER_E_VECTORS;
    }
    return otter_vectors_judge(device, vectors, runs_in, size);
}

enum otter_result otter_system_check(struct otter_device *device,
                                     const struct otter_system *system, uint8_t role)
{
    enum otter_result mismatch =
        role == OTTER_ROLE_MANAGER ? OTTER_E_BOOT_MANAGER : OTTER_E_BOOT_APPLICATION;
    uint8_t id = otter_system_region(device, system->slot, role);
    const struct otter_region *region = otter_map_find(&device->table.map, id);
    struct otter_member member;
    uint8_t index;
    bool matches = false;

    if (region == NULL ||
        otter_system_member(system, role, &member, &index) != OTTER_OK) {
        return mismatch;
    }
    const struct otter_span span = {.io = &device->io, .region = id};

    if (member.installed_size > region->size ||
        otter_hash_matches(device, &span, NULL, member.installed_size,
                           member.installed_sha, &matches) != OTTER_OK ||
        !matches) {
        return mismatch;
    }
    return otter_vectors_check(device, id, 0, region, member.installed_size);
}

static enum otter_result check_shared(struct otter_device *device,
                                      const struct otter_system *system, uint8_t id)
{
    struct otter_member member;
    bool matches = false;
    enum otter_result result = otter_system_in_region(device, system, id, &member);

    if (result == OTTER_E_CONTROL_MISSING) {
        return OTTER_OK;
    }
    const struct otter_span span = {.io = &device->io, .region = id};

    if (result != OTTER_OK ||
        otter_hash_matches(device, &span, NULL, member.installed_size,
                           member.installed_sha, &matches) != OTTER_OK ||
        !matches) {
        return OTTER_E_BOOT_RESOURCES;
    }
    return OTTER_OK;
}

enum otter_result otter_system_check_regions(struct otter_device *device,
                                             const struct otter_system *system,
                                             uint8_t flags)
{
    enum otter_result result = OTTER_OK;

    for (size_t i = 0; i < SHARED_COUNT && result == OTTER_OK; i++) {
        if ((flags & shared_regions[i].flag) != 0) {
            result = check_shared(device, system, shared_regions[i].region);
        }
    }
    return result;
}

bool otter_system_is_stale(const struct otter_device *device,
                           const struct otter_system *system)
{
    struct otter_receipt receipt;

    return otter_receipt_open(&device->io, system->slot, system->copy, &receipt) !=
           OTTER_OK;
}

/* What runs has its table, the device's or one that the device can find (K8). */
static enum otter_result has_table(const struct otter_device *device,
                                   const struct otter_system *system)
{
    const struct otter_table *table;
    struct otter_table room;

    return otter_table_of(device, system, &room, &table);
}

/* Of two tables with the same regions one may be left alone: it is enough for a
 * manager, which can bring the device another one. Nor has that of a package whose
 * manager alone has stayed, or of one that names it, to be there. */
static bool is_enough(const struct otter_device *device, uint8_t role,
                      enum otter_result result)
{
    return result == OTTER_OK ||
           (result == OTTER_E_KEPT && role == OTTER_ROLE_MANAGER &&
            (device->journal.state.flags &
             (OTTER_FLAG_NEW_TABLE | OTTER_FLAG_NEW_MANAGER)) != 0);
}

enum otter_result otter_system_verify(struct otter_device *device, uint8_t slot,
                                      uint8_t role, uint8_t flags,
                                      struct otter_system *system)
{
    enum otter_result result = OTTER_OK;

    for (uint8_t i = 0; i < (uint8_t)OTTER_RECEIPT_COPIES; i++) {
        result = otter_system_open(device, slot, system);
        if (!is_enough(device, role, result)) {
            return result;
        }
        result = role == OTTER_ROLE_MANAGER ? OTTER_OK : has_table(device, system);
        if (result == OTTER_OK) {
            result = otter_system_check(device, system, role);
        }
        if (result == OTTER_OK) {
            result = otter_system_check_regions(device, system, flags);
        }
        if (result == OTTER_OK || !otter_system_is_stale(device, system)) {
            return result;
        }
    }
    return result;
}
