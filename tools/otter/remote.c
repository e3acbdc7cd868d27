/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device at the other end of an SMP link: requests and the fields of their replies.
 * docs/SPEC.md, "SMP door".
 */
#include "remote.h"

#include "files.h"
#include "names.h"
#include "product.h"
#include "verbs.h"

#include <stdio.h>
#include <string.h>

enum {
    OS_RESET = 5,
    OS_PARAMETERS = 6,
    IMAGE_STATE = 0,
    IMAGE_UPLOAD = 1,
    SHORT_ATTEMPTS = 2,
    BEGIN_ATTEMPTS = 4,
    LABEL = 10, /* columns */
};

bool remote_is_address(const char *text)
{
    static const char *const schemes[] = {"udp://", "serial://", "unix://", "tcp://"};

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (strncmp(text, schemes[i], strlen(schemes[i])) == 0) {
            return true;
        }
    }
    return false;
}

int remote_check(const char *address)
{
    struct host_serial_address serial;
    char host[HOST_UDP_HOST_MAX];
    uint16_t port = 0;

    if (strncmp(address, "udp://", 6) == 0) {
        return host_udp_parse(address, host, &port)
                   ? TOOL_DONE
                   : complain_usage("%s: not an address like udp://HOST:PORT", address);
    }
    bool is_good =
        host_serial_parse(address, &serial) &&
        (serial.kind != HOST_SERIAL_TCP || host_udp_parse(serial.path, host, &port));

    return is_good ? TOOL_DONE
                   : complain_usage("%s: not an address like "
                                    "serial:///dev/NAME?baud=115200, unix:///PATH or "
                                    "tcp://HOST:PORT",
                                    address);
}

bool remote_open(struct remote *remote, const char *address)
{
    struct smp_transport transport;

    remote->address = address;
    remote->is_serial = strncmp(address, "udp://", 6) != 0;
    if (remote->is_serial) {
        if (!host_serial_open(&remote->serial, address)) {
            return false;
        }
        transport = host_serial_transport(&remote->serial);
    } else {
        if (!smp_udp_open(&remote->udp, address)) {
            return false;
        }
        transport = smp_udp_transport(&remote->udp);
    }
    smp_client_init(&remote->client, &transport);
    return true;
}

void remote_close(struct remote *remote)
{
    if (remote->is_serial) {
        host_serial_close(&remote->serial);
    } else {
        smp_udp_close(&remote->udp);
    }
}

/* Texts from the device are bounded, and shown only if they are plain ASCII. */
static void take_text(const struct otter_cbor_item *item, char text[REMOTE_TEXT_MAX])
{
    size_t len = item->len < REMOTE_TEXT_MAX - 1 ? item->len : REMOTE_TEXT_MAX - 1;

    for (size_t i = 0; i < len; i++) {
        text[i] =
            item->bytes[i] >= ' ' && item->bytes[i] <= '~' ? (char)item->bytes[i] : '?';
    }
    text[len] = '\0';
}

static uint32_t take_number(const struct otter_cbor_item *item)
{
    return item->value > UINT32_MAX ? UINT32_MAX : (uint32_t)item->value;
}

enum otter_result remote_buffer(struct remote *remote, uint32_t *size)
{
    static const struct otter_cbor_field fields[] = {
        {"buf_size", 1u << OTTER_CBOR_UINT, true},
    };
    struct otter_cbor_item items[1];

    (void)smp_client_begin(&remote->client);
    enum otter_result result = smp_client_call(
        &remote->client,
        (struct smp_target){OTTER_SMP_READ, OTTER_SMP_GROUP_OS, OS_PARAMETERS}, fields,
        1, items);

    if (result == OTTER_OK) {
        *size = take_number(&items[0]);
    }
    return result;
}

static enum otter_result call_own(struct remote *remote, uint8_t op,
                                  enum otter_smp_own id,
                                  const struct otter_cbor_field *fields, size_t count,
                                  struct otter_cbor_item *items)
{
    return smp_client_call(&remote->client,
                           (struct smp_target){op, OTTER_SMP_GROUP_OTTER, (uint8_t)id},
                           fields, count, items);
}

enum {
    STATUS_PHASE,
    STATUS_CODE,
    STATUS_PERCENT,
    STATUS_OFF,
    STATUS_LEN,
    STATUS_PROGRAM,
    STATUS_SLOT,
    STATUS_VERSION,
    STATUS_LEFT,
    STATUS_FIELDS,
};

static const struct otter_cbor_field status_fields[STATUS_FIELDS] = {
    [STATUS_PHASE] = {"phase", 1u << OTTER_CBOR_TEXT, true},
    [STATUS_CODE] = {"code", 1u << OTTER_CBOR_TEXT, true},
    [STATUS_PERCENT] = {"percent", 1u << OTTER_CBOR_UINT, true},
    [STATUS_OFF] = {"off", 1u << OTTER_CBOR_UINT, true},
    [STATUS_LEN] = {"len", 1u << OTTER_CBOR_UINT, true},
    [STATUS_PROGRAM] = {"program", 1u << OTTER_CBOR_TEXT, true},
    [STATUS_SLOT] = {"slot", 1u << OTTER_CBOR_TEXT, true},
    [STATUS_VERSION] = {"version", 1u << OTTER_CBOR_TEXT, true},
    [STATUS_LEFT] = {"left_s", 1u << OTTER_CBOR_UINT, true},
};

enum otter_result remote_status(struct remote *remote, struct remote_status *status)
{
    struct otter_cbor_item items[STATUS_FIELDS];

    (void)smp_client_begin(&remote->client);
    enum otter_result result = call_own(remote, OTTER_SMP_READ, OTTER_SMP_OWN_STATUS,
                                        status_fields, STATUS_FIELDS, items);

    if (result != OTTER_OK) {
        return result;
    }
    take_text(&items[STATUS_PHASE], status->phase);
    take_text(&items[STATUS_CODE], status->code);
    take_text(&items[STATUS_PROGRAM], status->program);
    take_text(&items[STATUS_SLOT], status->slot);
    take_text(&items[STATUS_VERSION], status->version);
    status->percent = take_number(&items[STATUS_PERCENT]);
    status->off = take_number(&items[STATUS_OFF]);
    status->len = take_number(&items[STATUS_LEN]);
    status->left_s = take_number(&items[STATUS_LEFT]);
    return OTTER_OK;
}

enum { OUTCOME_KIND, OUTCOME_CODE, OUTCOME_ID, OUTCOME_FIELDS };

static const struct otter_cbor_field outcome_fields[OUTCOME_FIELDS] = {
    [OUTCOME_KIND] = {"kind", 1u << OTTER_CBOR_UINT, true},
    [OUTCOME_CODE] = {"code", 1u << OTTER_CBOR_TEXT, true},
    [OUTCOME_ID] = {"id", 1u << OTTER_CBOR_BYTES, true},
};

enum otter_result remote_outcome(struct remote *remote, struct remote_outcome *outcome)
{
    struct otter_cbor_item items[OUTCOME_FIELDS];

    memset(outcome, 0, sizeof(*outcome));
    (void)smp_client_begin(&remote->client);
    enum otter_result result = call_own(remote, OTTER_SMP_READ, OTTER_SMP_OWN_OUTCOME,
                                        outcome_fields, OUTCOME_FIELDS, items);

    if (result != OTTER_OK) {
        return result;
    }
    outcome->kind = take_number(&items[OUTCOME_KIND]);
    take_text(&items[OUTCOME_CODE], outcome->code);
    memcpy(outcome->id, items[OUTCOME_ID].bytes,
           items[OUTCOME_ID].len < REMOTE_ID_SIZE ? items[OUTCOME_ID].len
                                                  : REMOTE_ID_SIZE);
    return OTTER_OK;
}

enum otter_result remote_restart(struct remote *remote)
{
    struct otter_cbor_map *body = smp_client_begin(&remote->client);

    otter_cbor_add_bool(body, "restart", true);
    return call_own(remote, OTTER_SMP_WRITE, OTTER_SMP_OWN_TRANSFER, NULL, 0, NULL);
}

static void put_chunk(struct otter_cbor_map *body, const struct remote_chunk *chunk)
{
    otter_cbor_add_uint(body, "off", chunk->off);
    if (chunk->off == 0) {
        otter_cbor_add_uint(body, "len", chunk->len);
        otter_cbor_add_bytes(body, "sha", chunk->sha, REMOTE_HASH_SIZE);
    }
    otter_cbor_add_bytes(body, "data", chunk->data, chunk->size);
}

enum otter_result remote_offer(struct remote *remote, const struct remote_chunk *chunk,
                               uint32_t *next)
{
    static const struct otter_cbor_field fields[] = {
        {"next", 1u << OTTER_CBOR_UINT, true},
    };
    struct otter_cbor_item items[1];

    put_chunk(smp_client_begin(&remote->client), chunk);
    enum otter_result result =
        call_own(remote, OTTER_SMP_WRITE, OTTER_SMP_OWN_OFFER, fields, 1, items);

    if (result == OTTER_OK) {
        *next = take_number(&items[0]);
    }
    return result;
}

enum otter_result remote_upload(struct remote *remote, const struct remote_chunk *chunk,
                                uint32_t *next)
{
    static const struct otter_cbor_field fields[] = {
        {"off", 1u << OTTER_CBOR_UINT, true},
    };
    struct otter_cbor_item items[1];

    put_chunk(smp_client_begin(&remote->client), chunk);
    enum otter_result result = smp_client_call(
        &remote->client,
        (struct smp_target){OTTER_SMP_WRITE, OTTER_SMP_GROUP_IMAGE, IMAGE_UPLOAD},
        fields, 1, items);

    if (result == OTTER_OK) {
        *next = take_number(&items[0]);
    }
    return result;
}

enum otter_result remote_request(struct remote *remote,
                                 const uint8_t hash[REMOTE_HASH_SIZE])
{
    struct otter_cbor_map *body = smp_client_begin(&remote->client);

    otter_cbor_add_bytes(body, "hash", hash, REMOTE_HASH_SIZE);
    enum otter_result result =
        call_own(remote, OTTER_SMP_WRITE, OTTER_SMP_OWN_REQUEST, NULL, 0, NULL);

    if (result != OTTER_E_SMP_COMMAND) {
        return result;
    }
    body = smp_client_begin(&remote->client);
    otter_cbor_add_bytes(body, "hash", hash, REMOTE_HASH_SIZE);
    otter_cbor_add_bool(body, "confirm", false);
    return smp_client_call(
        &remote->client,
        (struct smp_target){OTTER_SMP_WRITE, OTTER_SMP_GROUP_IMAGE, IMAGE_STATE}, NULL,
        0, NULL);
}

enum otter_result remote_confirm(struct remote *remote)
{
    (void)smp_client_begin(&remote->client);
    return call_own(remote, OTTER_SMP_WRITE, OTTER_SMP_OWN_CONFIRM, NULL, 0, NULL);
}

/* A lost reply is no failure: the device may be resetting already. */
enum otter_result remote_reset(struct remote *remote)
{
    int attempts = remote->client.attempts;

    remote->client.attempts = SHORT_ATTEMPTS;
    (void)smp_client_begin(&remote->client);
    enum otter_result result = smp_client_call(
        &remote->client,
        (struct smp_target){OTTER_SMP_WRITE, OTTER_SMP_GROUP_OS, OS_RESET}, NULL, 0,
        NULL);

    remote->client.attempts = attempts;
    return result == OTTER_E_LINK_TIMEOUT ? OTTER_OK : result;
}

enum otter_result remote_enter_manager(struct remote *remote)
{
    int attempts = remote->client.attempts;

    remote->client.attempts = SHORT_ATTEMPTS;
    (void)smp_client_begin(&remote->client);
    enum otter_result result =
        call_own(remote, OTTER_SMP_WRITE, OTTER_SMP_OWN_MANAGER, NULL, 0, NULL);

    remote->client.attempts = attempts;
    return result == OTTER_E_LINK_TIMEOUT ? OTTER_OK : result;
}

/* One reset that is not sent again: what a second one hits may be the trial. */
static enum otter_result reset_once(struct remote *remote)
{
    int attempts = remote->client.attempts;

    remote->client.attempts = 1;
    (void)smp_client_begin(&remote->client);
    enum otter_result result = smp_client_call(
        &remote->client,
        (struct smp_target){OTTER_SMP_WRITE, OTTER_SMP_GROUP_OS, OS_RESET}, NULL, 0,
        NULL);

    remote->client.attempts = attempts;
    return result;
}

/* A manager begins by itself; in any other phase it has begun. */
static bool waits_for_reset(const struct remote_status *status)
{
    return strcmp(status->phase, "requested") == 0 &&
           strcmp(status->program, "manager") != 0;
}

enum otter_result remote_begin(struct remote *remote)
{
    enum otter_result result = OTTER_E_LINK_TIMEOUT;

    for (int i = 0; i < BEGIN_ATTEMPTS && result == OTTER_E_LINK_TIMEOUT; i++) {
        struct remote_status status;
        enum otter_result told = remote_status(remote, &status);

        if (told == OTTER_E_SMP_COMMAND || told == OTTER_E_POLICY) {
            return remote_reset(remote); /* it does not tell */
        }
        if (told == OTTER_OK && !waits_for_reset(&status)) {
            return OTTER_OK;
        }
        if (told == OTTER_OK) {
            result = reset_once(remote);
        } else if (told != OTTER_E_LINK_TIMEOUT) {
            return told;
        }
    }
    return result;
}

int remote_complain(const struct remote *remote, enum otter_result result)
{
    const struct smp_client *client = &remote->client;

    if (result == OTTER_E_LINK_TIMEOUT) {
        (void)complain("%s: no answer", remote->address);
        return TOOL_TIMEOUT;
    }
    if (result == OTTER_E_SMP_OPERATION && client->rc != 0) {
        (void)complain("%s: the device answered rc %d of group %d", remote->address,
                       client->rc, client->rc_group);
        return TOOL_REFUSED;
    }
    if (client->rc == 0) {
        return complain_code(remote->address, result, TOOL_FAILED);
    }
    return complain_code(remote->address, result, TOOL_REFUSED);
}

static json_t *outcome_json(const struct remote_outcome *outcome)
{
    char id[2 * REMOTE_ID_SIZE + 1];

    return json_pack("{s:s, s:s, s:s}", "kind", name_of_outcome((uint8_t)outcome->kind),
                     "code", outcome->code, "id",
                     hex_of(outcome->id, REMOTE_ID_SIZE, id));
}

static void print_json(const struct remote_status *status,
                       const struct remote_outcome *outcome, json_t *product)
{
    json_t *all = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o}", "phase", status->phase,
        "program", status->program, "version", status->version, "free_slot",
        status->slot, "code", status->code, "percent", (json_int_t)status->percent,
        "received", (json_int_t)status->off, "length", (json_int_t)status->len,
        "trial_left_s", (json_int_t)status->left_s, "outcome", outcome_json(outcome));

    (void)json_object_update(all, product);
    (void)json_dumpf(all, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)putchar('\n');
    json_decref(all);
}

static void print_keys(const json_t *keys)
{
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);

        (void)printf(
            "key       %s, %s\n", json_string_value(json_object_get(key, "id")),
            json_is_true(json_object_get(key, "trusted")) ? "trusted" : "revoked");
    }
}

enum otter_result remote_result_of(const char *text)
{
    char *end = NULL;
    unsigned long xx = strtoul(text, &end, 10);

    if (end == text || *end != '-') {
        return OTTER_OK;
    }
    unsigned long yy = strtoul(end + 1, &end, 10);

    if (*end != '\0' || xx > 99 || yy > UINT8_MAX) {
        return OTTER_OK;
    }
    return otter_result_of((uint16_t)(xx * 256 + yy));
}

/* A code that this tool does not know is printed as it is. */
static void print_code(const char *code)
{
    const struct otter_error *row =
        otter_error_find(otter_code(remote_result_of(code)));

    if (row == NULL) {
        (void)printf("says      [%s]\n", code);
        return;
    }
    (void)printf("says      [%s] %s\n", code, row->text);
    (void)printf("          %s\n", row->remedy);
}

static void print_people(const struct remote_status *status,
                         const struct remote_outcome *outcome, const json_t *product)
{
    (void)printf("system    %s\n", status->version);
    product_print(product, LABEL);
    (void)printf("phase     %s\n", status->phase);
    (void)printf("program   %s\n", status->program);
    if (status->slot[0] != '\0') {
        (void)printf("free slot %s\n", status->slot);
    }
    if (status->len != 0) {
        (void)printf("received  %u of %u bytes (%u %%)\n", (unsigned)status->off,
                     (unsigned)status->len, (unsigned)status->percent);
    }
    if (status->code[0] != '\0') {
        print_code(status->code);
    }
    if (status->left_s != 0) {
        (void)printf("trial     %u s left to confirm\n", (unsigned)status->left_s);
    }
    print_keys(json_object_get(product, "keys"));
    if (outcome->kind != OTTER_OUTCOME_NONE) {
        (void)printf("outcome   %s", name_of_outcome((uint8_t)outcome->kind));
        (void)printf(outcome->code[0] != '\0' ? " [%s]\n" : "%s\n", outcome->code);
    }
}

enum otter_result remote_report(struct remote *remote, bool is_json)
{
    json_t *product = json_object();
    struct remote_status status;
    struct remote_outcome outcome;
    enum otter_result result = remote_status(remote, &status);

    if (result == OTTER_OK) {
        result = remote_outcome(remote, &outcome);
    }
    if (result == OTTER_OK) {
        result = remote_product(remote, product);
    }
    if (result == OTTER_OK && is_json) {
        print_json(&status, &outcome, product);
    } else if (result == OTTER_OK) {
        print_people(&status, &outcome, product);
    }
    json_decref(product);
    return result;
}
