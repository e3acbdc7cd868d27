/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of SMP, whatever the transport. Version 1 is spoken: its errors
 * have room for a text, in which an otter device tells the public code; errors of
 * version 2 are understood, too.
 */
#include "smp_client.h"

#include <string.h>

enum { DEFAULT_TIMEOUT_MS = 1000, DEFAULT_ATTEMPTS = 4 };

void smp_client_init(struct smp_client *client, const struct smp_transport *transport)
{
    memset(client, 0, sizeof(*client));
    client->transport = *transport;
    client->timeout_ms = DEFAULT_TIMEOUT_MS;
    client->attempts = DEFAULT_ATTEMPTS;
    client->rc_group = -1;
}

struct otter_cbor_map *smp_client_begin(struct smp_client *client)
{
    client->writer = otter_writer_of(client->request + OTTER_SMP_HEADER_SIZE,
                                     sizeof(client->request) - OTTER_SMP_HEADER_SIZE);
    client->body = otter_cbor_map_open(&client->writer);
    return &client->body;
}

/* ---- replies ---- */

enum { FIELD_RC, FIELD_ERR, FIELD_RSN, ERROR_FIELDS };
enum { ERR_GROUP, ERR_RC, ERR_FIELDS };

static const struct otter_cbor_field error_fields[ERROR_FIELDS] = {
    [FIELD_RC] = {"rc", 1u << OTTER_CBOR_UINT, false},
    [FIELD_ERR] = {"err", 1u << OTTER_CBOR_MAP, false},
    [FIELD_RSN] = {"rsn", 1u << OTTER_CBOR_TEXT, false},
};

static const struct otter_cbor_field err_fields[ERR_FIELDS] = {
    [ERR_GROUP] = {"group", 1u << OTTER_CBOR_UINT, true},
    [ERR_RC] = {"rc", 1u << OTTER_CBOR_UINT, true},
};

/* "[23-12]" at the start of a reason: a code of the table. */
static enum otter_result result_of_reason(const struct otter_cbor_item *reason)
{
    unsigned parts[2] = {0, 0};
    size_t part = 0;

    if (reason->len < 7 || reason->len > 8 || reason->bytes[0] != '[') {
        return OTTER_OK;
    }
    for (size_t i = 1; i < reason->len - 1; i++) {
        uint8_t byte = reason->bytes[i];

        if (byte == '-' && part == 0) {
            part = 1;
        } else if (byte >= '0' && byte <= '9') {
            parts[part] = parts[part] * 10 + (unsigned)(byte - '0');
        } else {
            return OTTER_OK;
        }
    }
    if (parts[0] > 99 || parts[1] > UINT8_MAX) {
        return OTTER_OK;
    }
    uint16_t code = (uint16_t)(parts[0] * 256 + parts[1]);

    return otter_error_find(code) == NULL ? OTTER_OK : otter_result_of(code);
}

static const struct {
    int rc;
    enum otter_result result;
} plain_results[] = {
    {OTTER_SMP_RC_INVAL, OTTER_E_SMP_FIELD},
    {OTTER_SMP_RC_BADSTATE, OTTER_E_JOURNAL_TRANSITION},
    {OTTER_SMP_RC_MSGSIZE, OTTER_E_SMP_SPACE},
    {OTTER_SMP_RC_NOTSUP, OTTER_E_SMP_COMMAND},
    {OTTER_SMP_RC_CORRUPT, OTTER_E_PACKAGE_HASH},
    {OTTER_SMP_RC_BUSY, OTTER_E_BUSY},
    {OTTER_SMP_RC_ACCESSDENIED, OTTER_E_POLICY},
    {0, OTTER_E_SMP_OPERATION}, /* any other */
};

static enum otter_result result_of_rc(int rc)
{
    size_t i = 0;

    while (plain_results[i].rc != rc && plain_results[i].rc != 0) {
        i++;
    }
    return plain_results[i].result;
}

static int rc_of(const struct otter_cbor_item *item)
{
    return item->value > UINT16_MAX ? UINT16_MAX : (int)item->value;
}

/* {"err": {"group": g, "rc": n}} */
static enum otter_result read_err(struct smp_client *client,
                                  const struct otter_cbor_item *err)
{
    uint8_t content[64];
    struct otter_cbor_item items[ERR_FIELDS];

    if (err->len > sizeof(content)) {
        return OTTER_E_SMP_CBOR;
    }
    memcpy(content, err->bytes, err->len);
    struct otter_reader reader = otter_reader_of(content, err->len);
    enum otter_result result =
        otter_cbor_fields(&reader, content, err, err_fields, ERR_FIELDS, items);

    if (result != OTTER_OK) {
        return result;
    }
    client->rc_group = rc_of(&items[ERR_GROUP]);
    client->rc = rc_of(&items[ERR_RC]);
    if (client->rc_group == OTTER_SMP_GROUP_OTTER &&
        otter_error_find((uint16_t)client->rc) != NULL) {
        return otter_result_of((uint16_t)client->rc);
    }
    return client->rc == 0 ? OTTER_OK : OTTER_E_SMP_OPERATION;
}

static enum otter_result read_error(struct smp_client *client,
                                    const struct otter_cbor_item items[ERROR_FIELDS])
{
    client->rc = 0;
    client->rc_group = -1;
    if (items[FIELD_ERR].kind != 0) {
        return read_err(client, &items[FIELD_ERR]);
    }
    client->rc = rc_of(&items[FIELD_RC]);
    if (client->rc == 0) {
        return OTTER_OK;
    }
    enum otter_result told = result_of_reason(&items[FIELD_RSN]);

    return told != OTTER_OK ? told : result_of_rc(client->rc);
}

enum otter_result smp_client_read(struct smp_client *client, uint8_t *data, size_t size,
                                  const struct otter_cbor_field *fields, size_t count,
                                  struct otter_cbor_item *items)
{
    struct otter_cbor_field all[ERROR_FIELDS + SMP_CLIENT_FIELDS_MAX];
    struct otter_cbor_item found[ERROR_FIELDS + SMP_CLIENT_FIELDS_MAX];

    if (count > SMP_CLIENT_FIELDS_MAX) {
        return OTTER_E_SMP_FIELD;
    }
    memcpy(all, error_fields, sizeof(error_fields));
    for (size_t i = 0; i < count; i++) {
        all[ERROR_FIELDS + i] = fields[i];
        all[ERROR_FIELDS + i].is_required = false;
    }
    if (count != 0) {
        memset(items, 0, count * sizeof(*items));
    }
    enum otter_result result =
        otter_cbor_message(data, size, all, ERROR_FIELDS + count, found);

    if (result == OTTER_OK) {
        result = read_error(client, found);
    }
    for (size_t i = 0; i < count && result == OTTER_OK; i++) {
        items[i] = found[ERROR_FIELDS + i];
        if (fields[i].is_required && items[i].kind == 0) {
            result = OTTER_E_SMP_FIELD;
        }
    }
    return result;
}

/* ---- the call ---- */

static bool is_reply(const struct otter_smp_header *asked,
                     const struct otter_smp_header *got)
{
    return got->op == asked->op + 1 && got->group == asked->group &&
           got->id == asked->id && got->seq == asked->seq;
}

/* Waits for the reply to `asked`; its length, or 0. Late replies to earlier requests,
 * second copies and whatever else arrives are passed over. */
static size_t await(struct smp_client *client, const struct otter_smp_header *asked)
{
    struct smp_transport *transport = &client->transport;
    uint64_t end_ms = host_now_ms() + (uint64_t)client->timeout_ms;
    uint64_t now_ms = host_now_ms();

    do {
        size_t size = transport->receive(transport->context, client->reply,
                                         sizeof(client->reply), (int)(end_ms - now_ms));
        struct otter_smp_header header;

        if (size == 0) {
            return 0;
        }
        if (size <= sizeof(client->reply) &&
            otter_smp_parse(client->reply, size, &header) == OTTER_OK &&
            is_reply(asked, &header)) {
            return size;
        }
        client->ignored++;
        now_ms = host_now_ms();
    } while (now_ms < end_ms);
    return 0;
}

enum otter_result smp_client_call(struct smp_client *client, struct smp_target target,
                                  const struct otter_cbor_field *fields, size_t count,
                                  struct otter_cbor_item *items)
{
    struct smp_transport *transport = &client->transport;

    otter_cbor_map_close(&client->body);
    if (client->writer.is_failed) {
        return OTTER_E_SMP_SPACE;
    }
    size_t size = OTTER_SMP_HEADER_SIZE + client->writer.off;
    struct otter_smp_header header = {.op = target.op,
                                      .len = (uint16_t)client->writer.off,
                                      .group = target.group,
                                      .seq = client->seq++,
                                      .id = target.id};

    otter_smp_put_header(client->request, &header);
    for (int attempt = 0; attempt < client->attempts; attempt++) {
        if (!transport->send(transport->context, client->request, size)) {
            return OTTER_E_LINK_TIMEOUT;
        }
        client->resent += attempt > 0;
        size_t len = await(client, &header);

        if (len != 0) {
            return smp_client_read(client, client->reply + OTTER_SMP_HEADER_SIZE,
                                   len - OTTER_SMP_HEADER_SIZE, fields, count, items);
        }
    }
    return OTTER_E_LINK_TIMEOUT;
}
