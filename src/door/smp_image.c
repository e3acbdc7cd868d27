/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMP group 1, image: the list of images with MCUboot's flags, upload, test and
 * confirm, erase, slot sizes. Slot 0 is the running system and slot 1 the other,
 * wherever they lie. docs/SPEC.md, "SMP door", has both tables.
 */
#include "smp_inner.h"

#include <string.h>

enum { SLOTS = 2 };

/* ---- decisions ---- */

#define RUNS_CONFIRMED                                             \
    {                                                              \
        .is_listed = true, .is_confirmed = true, .is_active = true \
    }
#define RUNS_ON_TRIAL                                        \
    {                                                        \
        .is_listed = true, .is_new = true, .is_active = true \
    }
#define STORED                            \
    {                                     \
        .is_listed = true, .is_new = true \
    }
#define STORED_PENDING                                        \
    {                                                         \
        .is_listed = true, .is_new = true, .is_pending = true \
    }
#define WAY_BACK                                \
    {                                           \
        .is_listed = true, .is_confirmed = true \
    }

static const struct smp_slot_flags flag_table[OTTER_PHASE_COUNT][SLOTS] = {
    [OTTER_PHASE_CONFIRMED] = {RUNS_CONFIRMED},
    [OTTER_PHASE_RECEIVING] = {RUNS_CONFIRMED},
    [OTTER_PHASE_COMPLETE] = {RUNS_CONFIRMED, STORED},
    [OTTER_PHASE_REQUESTED] = {RUNS_CONFIRMED, STORED_PENDING},
    [OTTER_PHASE_INSTALLING] = {RUNS_CONFIRMED, STORED_PENDING},
    [OTTER_PHASE_TRIAL] = {RUNS_ON_TRIAL, WAY_BACK},
    [OTTER_PHASE_ROLLING_BACK] = {RUNS_CONFIRMED},
    [OTTER_PHASE_ROLLED_BACK] = {RUNS_CONFIRMED},
};

struct smp_slot_flags smp_flags_of(uint8_t phase, uint8_t slot)
{
    if (phase >= OTTER_PHASE_COUNT || slot >= SLOTS) {
        return (struct smp_slot_flags){.is_listed = false};
    }
    return flag_table[phase][slot];
}

static struct smp_state_decision refused(enum otter_result reason)
{
    return (struct smp_state_decision){SMP_STATE_REFUSE, reason};
}

static struct smp_state_decision decided(enum smp_state_act what)
{
    return (struct smp_state_decision){(uint8_t)what, OTTER_OK};
}

static struct smp_state_decision decide_confirm(const struct smp_state_facts *facts)
{
    if (facts->phase != OTTER_PHASE_TRIAL) {
        return decided(SMP_STATE_NOTHING);
    }
    return facts->may_confirm ? decided(SMP_STATE_CONFIRM) : refused(OTTER_E_POLICY);
}

static struct smp_state_decision decide_request(const struct smp_state_facts *facts)
{
    if (facts->phase != OTTER_PHASE_COMPLETE && facts->phase != OTTER_PHASE_REQUESTED) {
        return refused(OTTER_E_LOCKED);
    }
    return facts->may_request ? decided(SMP_STATE_REQUEST) : refused(OTTER_E_POLICY);
}

struct smp_state_decision smp_state_decide(const struct smp_state_facts *facts)
{
    switch ((enum smp_named)facts->named) {
    case SMP_NAMED_NONE:
        return facts->wants_confirm ? decide_confirm(facts)
                                    : refused(OTTER_E_SMP_FIELD);
    case SMP_NAMED_RUNNING:
        return facts->wants_confirm ? decide_confirm(facts)
                                    : refused(OTTER_E_JOURNAL_TRANSITION);
    case SMP_NAMED_OTHER:
        return decide_request(facts);
    case SMP_NAMED_UNKNOWN:
        break;
    }
    return refused(OTTER_E_OTHER_PACKAGE);
}

/* ---- the list of images ---- */

static uint8_t phase_of(const struct otter_smp *smp)
{
    return smp->device->journal.state.phase;
}

uint8_t smp_receipt_slot(const struct otter_smp *smp,
                         const struct smp_slot_flags *flags)
{
    uint8_t current = smp->device->journal.state.current;

    return flags->is_new ? (uint8_t)(1 - current) : current;
}

bool smp_package_hash(const struct otter_smp *smp, uint8_t slot,
                      uint8_t hash[OTTER_SHA256_SIZE])
{
    struct otter_system system;

    if (otter_system_peek(smp->device, slot, &system) != OTTER_OK ||
        !system.receipt.has_hash) {
        return false;
    }
    memcpy(hash, system.receipt.hash, OTTER_SHA256_SIZE);
    return true;
}

static char *put_decimal(char *text, uint32_t number)
{
    char digits[10];
    size_t count = 0;

    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (count > 0) {
        *text++ = digits[--count];
    }
    return text;
}

const char *smp_version_text(const struct otter_version *version,
                             char text[SMP_VERSION_TEXT])
{
    char *end = put_decimal(text, version->major);

    *end++ = '.';
    end = put_decimal(end, version->minor);
    *end++ = '.';
    end = put_decimal(end, version->revision);
    if (version->build != 0) {
        *end++ = '.';
        end = put_decimal(end, version->build);
    }
    *end = '\0';
    return text;
}

/* False flags are left out: replies stay short, and clients take them for false. */
static void put_slot(struct otter_writer *writer, uint8_t slot,
                     const struct smp_slot_flags *flags,
                     const struct otter_system *system)
{
    struct otter_cbor_map map = otter_cbor_map_open(writer);
    char version[SMP_VERSION_TEXT];

    otter_cbor_add_uint(&map, "slot", slot);
    otter_cbor_add_text(&map, "version",
                        smp_version_text(&system->control.version, version));
    if (system->receipt.has_hash) {
        otter_cbor_add_bytes(&map, "hash", system->receipt.hash, OTTER_SHA256_SIZE);
    }
    if (flags->is_pending) {
        otter_cbor_add_bool(&map, "pending", true);
    }
    if (flags->is_confirmed) {
        otter_cbor_add_bool(&map, "confirmed", true);
    }
    if (flags->is_active) {
        otter_cbor_add_bool(&map, "active", true);
    }
    otter_cbor_map_close(&map);
}

/* A confirmation that is about to be done shows as done: the reply goes first. */
static struct smp_slot_flags flags_now(const struct otter_smp *smp, uint8_t slot)
{
    struct smp_slot_flags flags = smp_flags_of(phase_of(smp), slot);

    if (smp->wish == OTTER_WISH_CONFIRM) {
        flags.is_listed = slot == 0;
        flags.is_confirmed = true;
    }
    return flags;
}

static enum otter_result answer_state(struct otter_smp *smp, struct otter_cbor_map *map)
{
    struct otter_system systems[SLOTS];
    struct smp_slot_flags flags[SLOTS];
    uint8_t count = 0;

    for (uint8_t slot = 0; slot < (uint8_t)SLOTS; slot++) {
        flags[slot] = flags_now(smp, slot);
        if (flags[slot].is_listed &&
            otter_system_peek(smp->device, smp_receipt_slot(smp, &flags[slot]),
                              &systems[slot]) != OTTER_OK) {
            flags[slot].is_listed = false;
        }
        count = (uint8_t)(count + flags[slot].is_listed);
    }
    otter_cbor_key(map, "images");
    otter_cbor_put_array(map->writer, count);
    for (uint8_t slot = 0; slot < (uint8_t)SLOTS; slot++) {
        if (flags[slot].is_listed) {
            put_slot(map->writer, slot, &flags[slot], &systems[slot]);
        }
    }
    return OTTER_OK;
}

/* ---- state write ---- */

enum { STATE_HASH, STATE_CONFIRM };

static const struct otter_cbor_field state_fields[] = {
    [STATE_HASH] = {"hash", 1u << OTTER_CBOR_BYTES | 1u << OTTER_CBOR_NULL, false},
    [STATE_CONFIRM] = {"confirm", 1u << OTTER_CBOR_BOOL, false},
};

static enum smp_named named_of(const struct otter_smp *smp)
{
    static const enum smp_named names[SLOTS] = {SMP_NAMED_RUNNING, SMP_NAMED_OTHER};
    const struct otter_cbor_item *wanted = &smp->items[STATE_HASH];

    if (wanted->kind != OTTER_CBOR_BYTES) {
        return SMP_NAMED_NONE;
    }
    for (uint8_t slot = 0; slot < (uint8_t)SLOTS; slot++) {
        struct smp_slot_flags flags = smp_flags_of(phase_of(smp), slot);
        uint8_t hash[OTTER_SHA256_SIZE];

        if (flags.is_listed && wanted->len == sizeof(hash) &&
            smp_package_hash(smp, smp_receipt_slot(smp, &flags), hash) &&
            memcmp(hash, wanted->bytes, sizeof(hash)) == 0) {
            return names[slot];
        }
    }
    return SMP_NAMED_UNKNOWN;
}

static enum otter_result act_state(struct otter_smp *smp)
{
    struct smp_state_facts facts = {
        .phase = phase_of(smp),
        .named = (uint8_t)named_of(smp),
        .wants_confirm = smp->items[STATE_CONFIRM].value != 0,
        .may_request = otter_device_permits(smp->device, OTTER_COMMAND_REQUEST),
        .may_confirm = otter_device_permits(smp->device, OTTER_COMMAND_CONFIRM),
    };
    struct smp_state_decision decision = smp_state_decide(&facts);

    switch ((enum smp_state_act)decision.act) {
    case SMP_STATE_NOTHING:
        return OTTER_OK;
    case SMP_STATE_REQUEST:
        return smp_request(smp);
    case SMP_STATE_CONFIRM:
        smp->wish = OTTER_WISH_CONFIRM;
        return OTTER_OK;
    case SMP_STATE_REFUSE:
        break;
    }
    return decision.reason;
}

/* ---- upload ---- */

enum { UPLOAD_OFF, UPLOAD_DATA, UPLOAD_LEN, UPLOAD_SHA, UPLOAD_IMAGE, UPLOAD_UPGRADE };

static const struct otter_cbor_field upload_fields[] = {
    [UPLOAD_OFF] = {"off", 1u << OTTER_CBOR_UINT, true},
    [UPLOAD_DATA] = {"data", 1u << OTTER_CBOR_BYTES, false},
    [UPLOAD_LEN] = {"len", 1u << OTTER_CBOR_UINT, false},
    [UPLOAD_SHA] = {"sha", 1u << OTTER_CBOR_BYTES, false},
    [UPLOAD_IMAGE] = {"image", 1u << OTTER_CBOR_UINT, false},
    [UPLOAD_UPGRADE] = {"upgrade", 1u << OTTER_CBOR_BOOL, false},
};

_Static_assert(sizeof(upload_fields) / sizeof(upload_fields[0]) <= OTTER_SMP_FIELDS,
               "OTTER_SMP_FIELDS holds the fields of every command");

static enum otter_result chunk_of(const struct otter_smp *smp,
                                  struct otter_chunk *chunk)
{
    memset(chunk, 0, sizeof(*chunk));
    if (!smp_number(smp, UPLOAD_OFF, &chunk->off) ||
        !smp_number(smp, UPLOAD_LEN, &chunk->total) ||
        smp->items[UPLOAD_IMAGE].value != 0) {
        return OTTER_E_SMP_FIELD;
    }
    chunk->data = smp->items[UPLOAD_DATA].bytes;
    chunk->size = smp->items[UPLOAD_DATA].len;
    smp_session(smp, UPLOAD_SHA, chunk->session);
    return OTTER_OK;
}

/* The last chunk's reply waits for the package's verdict. */
static bool is_last(const struct otter_smp *smp, const struct otter_chunk *chunk)
{
    uint32_t length = chunk->off == 0 ? chunk->total : smp->receive->length;

    return length != 0 && chunk->off <= length && chunk->size == length - chunk->off;
}

static enum otter_result act_upload(struct otter_smp *smp)
{
    struct otter_chunk chunk;
    enum otter_result result = chunk_of(smp, &chunk);

    if (result != OTTER_OK) {
        return result;
    }
    bool was_last = is_last(smp, &chunk);

    result = otter_receive_offer(smp->receive, &chunk);
    if (chunk.off == 0 && (result == OTTER_OK || result == OTTER_E_RECEIVE_OFFSET)) {
        smp->wants_request = smp->items[UPLOAD_UPGRADE].value != 0 &&
                             otter_device_permits(smp->device, OTTER_COMMAND_UPGRADE);
    }
    if (result == OTTER_OK) {
        smp->is_owed = was_last;
    } else if (result == OTTER_E_RECEIVE_OFFSET) {
        /* Not an error: the reply says where to go on. */
        smp->is_owed = smp->wants_request && otter_receive_is_complete(smp->receive);
        result = OTTER_OK;
    }
    return result;
}

static enum otter_result answer_upload(struct otter_smp *smp,
                                       struct otter_cbor_map *map)
{
    otter_cbor_add_uint(map, "off", smp->receive->next);
    return OTTER_OK;
}

/* ---- erase, slots ---- */

enum { ERASE_SLOT };

static const struct otter_cbor_field erase_fields[] = {
    [ERASE_SLOT] = {"slot", 1u << OTTER_CBOR_UINT, false},
};

static enum otter_result act_erase(struct otter_smp *smp)
{
    if (smp_has(smp, ERASE_SLOT) && smp->items[ERASE_SLOT].value != 1) {
        return OTTER_E_SMP_FIELD;
    }
    enum otter_result result = otter_receive_forget(smp->receive);

    smp->wants_request = false;
    smp->is_owed = result == OTTER_OK;
    return result;
}

static uint32_t size_of_slot(const struct otter_smp *smp, uint8_t slot)
{
    bool is_ab = otter_device_is_ab(smp->device);
    uint8_t id = OTTER_REGION_APPLICATION;

    if (slot == 1) {
        id = is_ab ? OTTER_REGION_SLOT_B : OTTER_REGION_STAGING;
    }
    const struct otter_region *region = otter_map_find(&smp->device->table.map, id);

    return region == NULL ? 0 : region->size;
}

static enum otter_result answer_slots(struct otter_smp *smp, struct otter_cbor_map *map)
{
    otter_cbor_key(map, "images");
    otter_cbor_put_array(map->writer, 1);
    struct otter_cbor_map image = otter_cbor_map_open(map->writer);

    otter_cbor_add_uint(&image, "image", 0);
    otter_cbor_key(&image, "slots");
    otter_cbor_put_array(map->writer, SLOTS);
    for (uint8_t slot = 0; slot < (uint8_t)SLOTS; slot++) {
        struct otter_cbor_map entry = otter_cbor_map_open(map->writer);

        otter_cbor_add_uint(&entry, "slot", slot);
        otter_cbor_add_uint(&entry, "size", size_of_slot(smp, slot));
        if (slot == 1) {
            otter_cbor_add_uint(&entry, "upload_image_id", 0);
        }
        otter_cbor_map_close(&entry);
    }
    otter_cbor_map_close(&image);
    return OTTER_OK;
}

static const struct otter_smp_command commands[] = {
    {OTTER_SMP_GROUP_IMAGE, SMP_IMAGE_STATE, OTTER_SMP_READ, OTTER_COMMAND_READ, 0,
     NULL, NULL, answer_state},
    {OTTER_SMP_GROUP_IMAGE, SMP_IMAGE_STATE, OTTER_SMP_WRITE, SMP_NEEDS_NOTHING, 2,
     state_fields, act_state, answer_state},
    {OTTER_SMP_GROUP_IMAGE, SMP_IMAGE_UPLOAD, OTTER_SMP_WRITE, OTTER_COMMAND_RECEIVE, 6,
     upload_fields, act_upload, answer_upload},
    {OTTER_SMP_GROUP_IMAGE, SMP_IMAGE_ERASE, OTTER_SMP_WRITE, OTTER_COMMAND_ERASE, 1,
     erase_fields, act_erase, NULL},
    {OTTER_SMP_GROUP_IMAGE, SMP_IMAGE_SLOTS, OTTER_SMP_READ, OTTER_COMMAND_READ, 0,
     NULL, NULL, answer_slots},
};

const struct smp_commands smp_image_commands = {commands,
                                                sizeof(commands) / sizeof(commands[0])};
