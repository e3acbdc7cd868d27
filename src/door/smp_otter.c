/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMP group 64, otter's own: the control packet before everything else, status and
 * outcome, resume or restart, confirm, request, the manager, events. docs/SPEC.md,
 * "SMP door".
 */
#include "smp_inner.h"

#include <string.h>

static const char *const phase_names[OTTER_PHASE_COUNT] = {
    [OTTER_PHASE_CONFIRMED] = "confirmed",
    [OTTER_PHASE_RECEIVING] = "receiving",
    [OTTER_PHASE_COMPLETE] = "complete",
    [OTTER_PHASE_REQUESTED] = "requested",
    [OTTER_PHASE_INSTALLING] = "installing",
    [OTTER_PHASE_TRIAL] = "trial",
    [OTTER_PHASE_ROLLING_BACK] = "rolling back",
    [OTTER_PHASE_ROLLED_BACK] = "rolled back",
};

static const char *const program_names[] = {
    [OTTER_PROGRAM_FACTORY] = "factory", [OTTER_PROGRAM_BOOT] = "boot",
    [OTTER_PROGRAM_MANAGER] = "manager", [OTTER_PROGRAM_LOADER] = "loader",
    [OTTER_PROGRAM_AGENT] = "agent",
};

/* The name at `index`, or an empty text. */
static const char *name_at(const char *const *names, size_t count, uint8_t index)
{
    return index < count && names[index] != NULL ? names[index] : "";
}

/* ---- offer: the control packet first ---- */

enum { OFFER_OFF, OFFER_DATA, OFFER_LEN, OFFER_SHA };

static const struct otter_cbor_field offer_fields[] = {
    [OFFER_OFF] = {"off", 1u << OTTER_CBOR_UINT, true},
    [OFFER_DATA] = {"data", 1u << OTTER_CBOR_BYTES, true},
    [OFFER_LEN] = {"len", 1u << OTTER_CBOR_UINT, false},
    [OFFER_SHA] = {"sha", 1u << OTTER_CBOR_BYTES, false},
};

enum { HEADER_OFF = 8, FIRST_OFFER_MIN = HEADER_OFF + OTTER_IMAGE_HEADER_SIZE };

/* The first part of a control packet holds the package's image header, which comes
 * before it in the file: the receiver gets the header, then what was offered. */
static enum otter_result offer_first(struct otter_smp *smp, struct otter_chunk *chunk)
{
    uint16_t length = 0;
    uint32_t told = 0;

    if (chunk->size < FIRST_OFFER_MIN || !smp_has(smp, OFFER_LEN) ||
        !smp_number(smp, OFFER_LEN, &told)) {
        return OTTER_E_SMP_FIELD;
    }
    enum otter_result result = otter_control_length(chunk->data, &length);

    if (result != OTTER_OK) {
        return result;
    }
    if (told != length || chunk->size > length) {
        return OTTER_E_CONTROL_LENGTH;
    }
    smp_session(smp, OFFER_SHA, chunk->session);
    struct otter_chunk header = *chunk;

    header.off = 0;
    header.data = chunk->data + HEADER_OFF;
    header.size = OTTER_IMAGE_HEADER_SIZE;
    result = otter_receive_offer(smp->receive, &header);
    if (result == OTTER_OK) {
        smp->offer_length = length;
        smp->rest = *chunk;
        smp->rest.off = OTTER_IMAGE_HEADER_SIZE;
    }
    return result;
}

static enum otter_result offer_later(struct otter_smp *smp,
                                     const struct otter_chunk *chunk)
{
    uint32_t off = chunk->off - OTTER_IMAGE_HEADER_SIZE;

    if (smp->offer_length == 0) {
        return OTTER_E_RECEIVE_OFFSET;
    }
    if (off > smp->offer_length || chunk->size > smp->offer_length - off) {
        return OTTER_E_RECEIVE_OVERRUN;
    }
    return otter_receive_offer(smp->receive, chunk);
}

/* Every reply is owed: it tells what became of the part. */
static enum otter_result act_offer(struct otter_smp *smp)
{
    struct otter_chunk chunk = {.data = smp->items[OFFER_DATA].bytes,
                                .size = smp->items[OFFER_DATA].len};

    if (!smp_number(smp, OFFER_OFF, &chunk.off) ||
        chunk.off > UINT32_MAX - OTTER_IMAGE_HEADER_SIZE) {
        return OTTER_E_SMP_FIELD;
    }
    bool is_first = chunk.off == 0;

    chunk.off += OTTER_IMAGE_HEADER_SIZE;
    enum otter_result result =
        is_first ? offer_first(smp, &chunk) : offer_later(smp, &chunk);

    if (is_first) {
        smp->wants_request = false;
    }
    smp->is_owed = result == OTTER_OK;
    return result == OTTER_E_RECEIVE_OFFSET ? OTTER_OK : result;
}

static enum otter_result answer_offer(struct otter_smp *smp, struct otter_cbor_map *map)
{
    uint32_t next = smp->receive->next;

    otter_cbor_add_uint(map, "off",
                        next > OTTER_IMAGE_HEADER_SIZE ? next - OTTER_IMAGE_HEADER_SIZE
                                                       : 0);
    otter_cbor_add_uint(map, "next", next);
    return OTTER_OK;
}

/* ---- status, outcome ---- */

enum { MS_PER_S = 1000 };

/* "23-12", or nothing. */
static void put_code(struct otter_cbor_map *map, const char *key, uint16_t code)
{
    char text[SMP_CODE_TEXT];

    otter_cbor_add_text(map, key, code == 0 ? "" : smp_code_text(code, text));
}

static uint8_t percent_of(const struct otter_receive *receive)
{
    if (receive->length == 0) {
        return 0;
    }
    return (uint8_t)((uint64_t)receive->next * 100 / receive->length);
}

/* Seconds that a trial has left, counted from the processor's start; 0: no trial, or
 * its deadline has passed. */
static uint32_t trial_left_s(const struct otter_device *device)
{
    const struct otter_board *board = device->ports.board;
    uint32_t running_s = board->time_ms(board->context) / MS_PER_S;
    uint32_t limit_s = device->table.policy.trial_deadline_s;

    if (device->journal.state.phase != OTTER_PHASE_TRIAL || running_s >= limit_s) {
        return 0;
    }
    return limit_s - running_s;
}

static const char *free_slot_name(const struct otter_device *device)
{
    if (!otter_device_is_ab(device)) {
        return "";
    }
    return otter_device_free_slot(device) == OTTER_REGION_SLOT_B ? "B" : "A";
}

static void put_version(const struct otter_smp *smp, struct otter_cbor_map *map)
{
    struct smp_slot_flags flags = smp_flags_of(smp->device->journal.state.phase, 0);
    struct otter_system system;
    char text[SMP_VERSION_TEXT];

    if (otter_system_peek(smp->device, smp_receipt_slot(smp, &flags), &system) !=
        OTTER_OK) {
        otter_cbor_add_text(map, "version", "");
        return;
    }
    otter_cbor_add_text(map, "version",
                        smp_version_text(&system.control.version, text));
}

/* Why a package was refused; else why the application does not run. */
static uint16_t status_code(const struct otter_smp *smp)
{
    const struct otter_state *state = &smp->device->journal.state;
    bool is_closed =
        (state->flags & OTTER_FLAG_CLOSED) != 0 && state->phase != OTTER_PHASE_TRIAL;

    if (smp->receive->refusal != OTTER_OK) {
        return otter_code(smp->receive->refusal);
    }
    if (is_closed) {
        return otter_code(OTTER_E_BOOT_CLOSED);
    }
    return smp->why == NULL ? 0 : otter_code(*smp->why);
}

static enum otter_result answer_status(struct otter_smp *smp,
                                       struct otter_cbor_map *map)
{
    const struct otter_device *device = smp->device;
    const struct otter_state *state = &device->journal.state;

    otter_cbor_add_text(map, "phase",
                        name_at(phase_names, OTTER_PHASE_COUNT, state->phase));
    otter_cbor_add_uint(map, "part", state->part);
    put_code(map, "code", status_code(smp));
    otter_cbor_add_uint(map, "percent", percent_of(smp->receive));
    otter_cbor_add_uint(map, "off", smp->receive->next);
    otter_cbor_add_uint(map, "len", smp->receive->length);
    otter_cbor_add_text(map, "program",
                        name_at(program_names,
                                sizeof(program_names) / sizeof(program_names[0]),
                                device->program));
    otter_cbor_add_text(map, "slot", free_slot_name(device));
    put_version(smp, map);
    otter_cbor_add_uint(map, "left_s", trial_left_s(device));
    return OTTER_OK;
}

static enum otter_result answer_outcome(struct otter_smp *smp,
                                        struct otter_cbor_map *map)
{
    const struct otter_outcome *outcome = &smp->device->journal.state.outcome;

    otter_cbor_add_uint(map, "kind", outcome->kind);
    put_code(map, "code", outcome->code);
    otter_cbor_add_bytes(map, "id", outcome->id, sizeof(outcome->id));
    return OTTER_OK;
}

/* ---- transfer: resume or restart ---- */

enum { TRANSFER_RESTART };

static const struct otter_cbor_field transfer_fields[] = {
    [TRANSFER_RESTART] = {"restart", 1u << OTTER_CBOR_BOOL, true},
};

static enum otter_result act_transfer(struct otter_smp *smp)
{
    if (smp->items[TRANSFER_RESTART].value == 0) {
        return OTTER_OK;
    }
    enum otter_result result = otter_receive_forget(smp->receive);

    smp->wants_request = false;
    smp->is_owed = result == OTTER_OK;
    return result;
}

static enum otter_result answer_transfer(struct otter_smp *smp,
                                         struct otter_cbor_map *map)
{
    otter_cbor_add_uint(map, "off", smp->receive->next);
    otter_cbor_add_uint(map, "len", smp->receive->length);
    return OTTER_OK;
}

/* ---- wishes ---- */

static enum otter_result act_confirm(struct otter_smp *smp)
{
    if (smp->device->journal.state.phase == OTTER_PHASE_TRIAL) {
        smp->wish = OTTER_WISH_CONFIRM;
    }
    return OTTER_OK;
}

enum { REQUEST_HASH };

static const struct otter_cbor_field request_fields[] = {
    [REQUEST_HASH] = {"hash", 1u << OTTER_CBOR_BYTES, false},
};

static enum otter_result act_request(struct otter_smp *smp)
{
    const struct otter_cbor_item *wanted = &smp->items[REQUEST_HASH];
    uint8_t phase = smp->device->journal.state.phase;
    bool has_stored = phase == OTTER_PHASE_COMPLETE || phase == OTTER_PHASE_REQUESTED;
    uint8_t hash[OTTER_SHA256_SIZE];

    if (wanted->kind != 0 && has_stored &&
        (wanted->len != sizeof(hash) ||
         !smp_package_hash(smp, (uint8_t)(1 - smp->device->journal.state.current),
                           hash) ||
         memcmp(hash, wanted->bytes, sizeof(hash)) != 0)) {
        return OTTER_E_OTHER_PACKAGE;
    }
    return smp_request(smp);
}

static enum otter_result act_manager(struct otter_smp *smp)
{
    if (smp->device->program != OTTER_PROGRAM_MANAGER) {
        smp->wish = OTTER_WISH_MANAGER;
    }
    return OTTER_OK;
}

/* ---- events: the newest, without taking them ---- */

enum { EVENTS_MAX = 16 };

static enum otter_result answer_events(struct otter_smp *smp,
                                       struct otter_cbor_map *map)
{
    const struct otter_events *events = &smp->device->events;
    uint32_t count = events->written;

    if (count > OTTER_EVENTS) {
        count = OTTER_EVENTS;
    }
    if (count > EVENTS_MAX) {
        count = EVENTS_MAX;
    }
    otter_cbor_key(map, "events");
    otter_cbor_put_array(map->writer, (uint8_t)count);
    for (uint32_t i = events->written - count; i != events->written; i++) {
        const struct otter_event *event = &events->ring[i % OTTER_EVENTS];

        otter_cbor_put_array(map->writer, 5);
        otter_cbor_put_uint(map->writer, event->time_ms);
        otter_cbor_put_uint(map->writer, event->kind);
        otter_cbor_put_uint(map->writer, event->stage);
        otter_cbor_put_uint(map->writer, event->percent);
        otter_cbor_put_uint(map->writer, event->code);
    }
    return OTTER_OK;
}

/* ---- keys: the ids of those that are trusted, and of those that are not any more ----
 */

static void add_keys(const struct otter_device *device, struct otter_cbor_map *map,
                     const char *name, bool is_trusted)
{
    uint8_t ids[OTTER_KEYS_MAX * OTTER_KEY_ID_SIZE];
    size_t len = 0;

    for (uint8_t i = 0; i < device->table.key_count; i++) {
        if (((device->journal.state.key_mask >> i & 1U) != 0) == is_trusted) {
            memcpy(ids + len, device->table.keys[i].id, OTTER_KEY_ID_SIZE);
            len += OTTER_KEY_ID_SIZE;
        }
    }
    otter_cbor_add_bytes(map, name, ids, len);
}

static enum otter_result answer_keys(struct otter_smp *smp, struct otter_cbor_map *map)
{
    add_keys(smp->device, map, "trusted", true);
    add_keys(smp->device, map, "revoked", false);
    return OTTER_OK;
}

#define OWN(id, op, needs, count, fields, act, answer)                   \
    {                                                                    \
        OTTER_SMP_GROUP_OTTER, id, op, needs, count, fields, act, answer \
    }

static const struct otter_smp_command commands[] = {
    OWN(OTTER_SMP_OWN_OFFER, OTTER_SMP_WRITE, OTTER_COMMAND_RECEIVE, 4, offer_fields,
        act_offer, answer_offer),
    OWN(OTTER_SMP_OWN_STATUS, OTTER_SMP_READ, OTTER_COMMAND_READ, 0, NULL, NULL,
        answer_status),
    OWN(OTTER_SMP_OWN_OUTCOME, OTTER_SMP_READ, OTTER_COMMAND_READ, 0, NULL, NULL,
        answer_outcome),
    OWN(OTTER_SMP_OWN_TRANSFER, OTTER_SMP_WRITE, OTTER_COMMAND_RECEIVE, 1,
        transfer_fields, act_transfer, answer_transfer),
    OWN(OTTER_SMP_OWN_CONFIRM, OTTER_SMP_WRITE, OTTER_COMMAND_CONFIRM, 0, NULL,
        act_confirm, NULL),
    OWN(OTTER_SMP_OWN_REQUEST, OTTER_SMP_WRITE, OTTER_COMMAND_REQUEST, 1,
        request_fields, act_request, NULL),
    OWN(OTTER_SMP_OWN_MANAGER, OTTER_SMP_WRITE, OTTER_COMMAND_MANAGER, 0, NULL,
        act_manager, NULL),
    OWN(OTTER_SMP_OWN_EVENTS, OTTER_SMP_READ, OTTER_COMMAND_READ, 0, NULL, NULL,
        answer_events),
    OWN(OTTER_SMP_OWN_PRODUCT, OTTER_SMP_READ, OTTER_COMMAND_READ, 0, NULL, NULL,
        smp_answer_product),
    OWN(OTTER_SMP_OWN_NOTES, OTTER_SMP_READ, OTTER_COMMAND_READ, SMP_NOTES_FIELDS,
        smp_notes_fields, NULL, smp_answer_notes),
    OWN(OTTER_SMP_OWN_KEYS, OTTER_SMP_READ, OTTER_COMMAND_READ, 0, NULL, NULL,
        answer_keys),
};

const struct smp_commands smp_otter_commands = {commands,
                                                sizeof(commands) / sizeof(commands[0])};
