/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two flash tables at once (K8). A package's is written beside the two copies of the
 * old one; the receipt of the system that is to run names the one that counts. Until
 * the update is over the new one lies in the store, too, at its begin, so that no
 * single damage takes one of them; after the confirm whoever runs writes its second
 * copy.
 */
#include "otter/device.h"

#include <string.h>

enum {
    PLACE_STORE = OTTER_TABLE_PLACES, /* after those of the table's region */
    NO_PLACE,
    BOTH_HALVES = 3,
};

static bool has_place(const struct otter_device *device, uint8_t place)
{
    return otter_table_has_place(device->ports.flash, device->ports.table_addr,
                                 device->ports.table_size, place);
}

static void hash_content(const struct otter_device *device, const uint8_t *bytes,
                         size_t length, uint8_t digest[OTTER_SHA256_SIZE])
{
    const struct otter_crypto *crypto = device->ports.crypto;
    struct otter_sha256 sha;

    crypto->sha256_init(crypto->context, &sha);
    crypto->sha256_update(crypto->context, &sha, bytes + OTTER_TABLE_CONTENT_OFF,
                          length - OTTER_TABLE_CONTENT_OFF);
    crypto->sha256_final(crypto->context, &sha, digest);
}

static struct otter_span content_at(const struct otter_device *device, uint8_t place)
{
    struct otter_span span = {.io = &device->io, .region = OTTER_REGION_STAGING};

    if (place != PLACE_STORE) {
        span.region = OTTER_REGION_TABLE;
        span.off = otter_table_place_off(device->ports.table_size, place) +
                   OTTER_TABLE_CONTENT_OFF;
    }
    return span;
}

/* Content from the store, as a table. Its sequence follows that of the one read last.
 */
static enum otter_result read_content(const struct otter_device *device,
                                      const struct otter_span *content, uint32_t size,
                                      uint8_t *bytes, size_t *length)
{
    if (size > OTTER_TABLE_MAX - OTTER_TABLE_CONTENT_OFF ||
        size < OTTER_TABLE_HEAD_SIZE - OTTER_TABLE_CONTENT_OFF) {
        return OTTER_E_TABLE_FORM;
    }
    *length = (size_t)size + OTTER_TABLE_CONTENT_OFF;
    enum otter_result result = otter_io_read(content->io, content->region, content->off,
                                             bytes + OTTER_TABLE_CONTENT_OFF, size);

    if (result == OTTER_OK) {
        otter_table_wrap(bytes, size, device->table.sequence + 1);
    }
    return result;
}

static enum otter_result read_place(const struct otter_device *device, uint8_t place,
                                    uint32_t size, uint8_t *bytes, size_t *length)
{
    const struct otter_span content = content_at(device, place);

    return place == PLACE_STORE
               ? read_content(device, &content, size, bytes, length)
               : otter_table_read_place(device->ports.flash, device->ports.table_addr,
                                        device->ports.table_size, place, bytes, length);
}

/* As otter_table_find(), but not in place `but`; NO_PLACE: anywhere. */
static enum otter_result find_but(const struct otter_device *device, uint8_t but,
                                  const uint8_t sha[OTTER_SHA256_SIZE], uint32_t size,
                                  struct otter_table *table, struct otter_span *content)
{
    /* Only while an update is not quite done does the store still hold its table. */
    bool has_store = (device->journal.state.flags & OTTER_FLAG_NEW_TABLE) != 0;
    uint8_t bytes[OTTER_TABLE_MAX];
    uint8_t digest[OTTER_SHA256_SIZE];
    size_t length = 0;

    for (uint8_t place = 0; place <= (uint8_t)PLACE_STORE; place++) {
        if (place == but ||
            !(place == PLACE_STORE ? has_store : has_place(device, place)) ||
            read_place(device, place, size, bytes, &length) != OTTER_OK) {
            continue;
        }
        hash_content(device, bytes, length, digest);
        if (memcmp(digest, sha, sizeof(digest)) == 0 &&
            otter_table_decode(bytes, length, table) == OTTER_OK) {
            *content = content_at(device, place);
            return OTTER_OK;
        }
    }
    return OTTER_E_KEPT;
}

enum otter_result otter_table_find(const struct otter_device *device,
                                   const uint8_t sha[OTTER_SHA256_SIZE], uint32_t size,
                                   struct otter_table *table,
                                   struct otter_span *content)
{
    return find_but(device, NO_PLACE, sha, size, table, content);
}

enum otter_result otter_table_find_twin(const struct otter_device *device,
                                        uint8_t place, struct otter_table *table,
                                        struct otter_span *content)
{
    uint32_t size = (uint32_t)device->table.length - OTTER_TABLE_CONTENT_OFF;

    return find_but(device, place, device->table_sha, size, table, content);
}

/* What a place is worth: 0 if it holds no whole table, else its sequence; `is_own` if
 * it is the device's. */
static uint32_t worth_of(const struct otter_device *device, uint8_t place, bool *is_own)
{
    uint8_t bytes[OTTER_TABLE_MAX];
    uint8_t digest[OTTER_SHA256_SIZE];
    struct otter_table table;
    size_t length = 0;

    *is_own = false;
    if (read_place(device, place, 0, bytes, &length) != OTTER_OK ||
        otter_table_decode(bytes, length, &table) != OTTER_OK) {
        return 0;
    }
    hash_content(device, bytes, length, digest);
    *is_own = memcmp(digest, device->table_sha, sizeof(digest)) == 0;
    return table.sequence;
}

/* The place where the second copy is being written, or was when the power went. */
static uint8_t begun_place(const struct otter_device *device)
{
    uint8_t begun = device->journal.state.member; /* 0: none */

    return otter_table_is_split(device) && begun > 0 && has_place(device, begun - 1)
               ? (uint8_t)(begun - 1)
               : (uint8_t)NO_PLACE;
}

/* Halves of the region with a whole copy of the device's table in another place than
 * `but`: bits 0 and 1. */
static uint8_t halves_but(const struct otter_device *device, uint8_t but)
{
    uint8_t halves = 0;

    for (uint8_t place = 0; place < (uint8_t)OTTER_TABLE_PLACES; place++) {
        bool is_own = false;

        if (place != but && has_place(device, place)) {
            (void)worth_of(device, place, &is_own);
        }
        halves |= (uint8_t)((is_own ? 1U : 0U) << place / 2);
    }
    return halves;
}

/* A copy that a cut has touched is none, even if it reads right (K5); but for the last
 * one that there is: then `begun` is NO_PLACE. */
static uint8_t halves_with_copy(const struct otter_device *device, uint8_t *begun)
{
    *begun = begun_place(device);
    uint8_t halves = halves_but(device, *begun);

    if (halves == 0 && *begun != NO_PLACE) {
        *begun = NO_PLACE;
        halves = halves_but(device, NO_PLACE);
    }
    return halves;
}

static uint8_t halves_whole(const struct otter_device *device)
{
    uint8_t begun;

    return halves_with_copy(device, &begun);
}

bool otter_table_is_twice(const struct otter_device *device)
{
    return halves_whole(device) == BOTH_HALVES;
}

bool otter_table_spare(const struct otter_device *device, uint8_t *place)
{
    uint8_t begun;
    uint8_t halves = halves_with_copy(device, &begun);
    uint32_t least = UINT32_MAX;
    bool is_found = false;

    if (begun != NO_PLACE && (device->table_failed >> begun & 1U) == 0) {
        *place = begun; /* redone */
        return true;
    }
    for (uint8_t i = 0; i < (uint8_t)OTTER_TABLE_PLACES; i++) {
        bool is_own = false;

        /* The copies of one table are never in the same half. */
        if (!has_place(device, i) || (device->table_failed >> i & 1U) != 0 ||
            (halves != BOTH_HALVES && (halves >> i / 2 & 1U) != 0)) {
            continue;
        }
        uint32_t worth = worth_of(device, i, &is_own);

        if (!is_own && (!is_found || worth < least)) {
            least = worth;
            *place = i;
            is_found = true;
        }
    }
    return is_found;
}

/* ---- the one that counts ---- */

/* The table that the receipt in `slot` names, as its member. */
static bool is_named(const struct otter_device *device, uint8_t slot,
                     struct otter_member *member)
{
    struct otter_system system;
    uint8_t index;

    return otter_system_peek(device, slot, &system) == OTTER_OK &&
           otter_system_member(&system, OTTER_ROLE_TABLE, member, &index) == OTTER_OK;
}

static bool is_in_use(const struct otter_device *device,
                      const struct otter_member *member)
{
    return memcmp(member->installed_sha, device->table_sha, OTTER_SHA256_SIZE) == 0;
}

enum otter_result otter_table_of(const struct otter_device *device,
                                 const struct otter_system *system,
                                 struct otter_table *room,
                                 const struct otter_table **table)
{
    struct otter_member member;
    struct otter_span content;
    uint8_t index;
    enum otter_result result =
        otter_system_member(system, OTTER_ROLE_TABLE, &member, &index);
    bool is_own = result == OTTER_OK && is_in_use(device, &member);

    if (result == OTTER_OK && !is_own) {
        result = otter_table_find(device, member.installed_sha, member.installed_size,
                                  room, &content);
    }
    if (result == OTTER_OK) {
        *table = is_own ? &device->table : room;
    }
    return result;
}

bool otter_device_use_table(struct otter_device *device, uint8_t slot)
{
    struct otter_member member;
    struct otter_span content;

    if (!is_named(device, slot, &member)) {
        return false;
    }
    if (is_in_use(device, &member)) {
        return true;
    }
    if (otter_table_find(device, member.installed_sha, member.installed_size,
                         &device->table, &content) != OTTER_OK) {
        return false;
    }
    memcpy(device->table_sha, member.installed_sha, OTTER_SHA256_SIZE);
    device->table_damaged = (uint8_t)(BOTH_HALVES & ~halves_whole(device));
    return true;
}

bool otter_device_choose_table(struct otter_device *device)
{
    return otter_device_use_table(device, device->journal.state.current);
}

/* ---- two copies of one again ---- */

bool otter_table_is_split(const struct otter_device *device)
{
    const struct otter_state *state = &device->journal.state;

    return (state->flags & OTTER_FLAG_NEW_TABLE) != 0 &&
           (state->phase == OTTER_PHASE_CONFIRMED ||
            state->phase == OTTER_PHASE_ROLLED_BACK) &&
           !otter_state_has_unknown(state);
}

enum otter_result otter_table_settle(struct otter_device *device)
{
    struct otter_state state = device->journal.state;

    if (!otter_table_is_split(device) || !otter_device_choose_table(device)) {
        return OTTER_OK;
    }
    state.flags = (uint8_t)(state.flags & ~OTTER_FLAG_NEW_TABLE);
    state.erased = 0;
    state.member = 0;
    device->table_damaged = 0;
    enum otter_result result = otter_device_record(device, &state, OTTER_SEALED);

    otter_device_open_regions(device);
    return result;
}

/* ---- a new one ---- */

static bool is_same_region(const struct otter_region *a, const struct otter_region *b)
{
    return a->id == b->id && a->flags == b->flags && a->addr == b->addr &&
           a->size == b->size && a->exec == b->exec;
}

/* A key that stays keeps its place: the bits of the journal's trusted keys mean the
 * same keys with either table, whichever of them is left. */
static bool keeps_places(const struct otter_table *a, const struct otter_table *b)
{
    for (uint8_t i = 0; i < a->key_count; i++) {
        for (uint8_t j = 0; j < b->key_count; j++) {
            if (i != j &&
                memcmp(a->keys[i].id, b->keys[j].id, OTTER_KEY_ID_SIZE) == 0) {
                return false;
            }
        }
    }
    return true;
}

/* What is of the hardware, and what boot and both systems rely on. */
static bool is_same_device(const struct otter_table *a, const struct otter_table *b)
{
    bool is_same = a->target == b->target && a->hardware == b->hardware &&
                   a->boot_version == b->boot_version &&
                   a->policy.ram_addr == b->policy.ram_addr &&
                   a->policy.ram_size == b->policy.ram_size &&
                   a->map.count == b->map.count;

    for (uint8_t i = 0; i < a->map.count && is_same; i++) {
        is_same = is_same_region(&a->map.regions[i], &b->map.regions[i]);
    }
    return is_same;
}

/* Without an attempt no later update could pass its trial. */
static bool has_trials(const struct otter_policy *policy)
{
    return policy->trial_faults > 0 && policy->trial_powers > 0 &&
           policy->trial_deadline_s > 0 && policy->watchdog_s > 0;
}

enum otter_result otter_table_check_new(const struct otter_device *device,
                                        const struct otter_span *content,
                                        const struct otter_member *member,
                                        struct otter_table *table)
{
    uint8_t bytes[OTTER_TABLE_MAX];
    size_t length = 0;
    enum otter_result result =
        read_content(device, content, member->installed_size, bytes, &length);

    if (result == OTTER_OK) {
        result = otter_table_decode(bytes, length, table);
    }
    if (result == OTTER_OK && !has_trials(&table->policy)) {
        result = OTTER_E_TABLE_FORM;
    }
    if (result == OTTER_OK && device->table.sequence == UINT32_MAX) {
        result = OTTER_E_TABLE_FORM; /* no higher number is left */
    }
    if (result == OTTER_OK && !(is_same_device(table, &device->table) &&
                                keeps_places(table, &device->table))) {
        result = OTTER_E_TABLE_OTHER;
    }
    return result;
}
