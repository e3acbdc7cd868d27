/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device at the other end of a link says about its system: texts, release notes
 * in parts, and keys. docs/SPEC.md, "SMP door". Lengths are the tool's own limits,
 * whatever the device says.
 */
#include "names.h"
#include "product.h"
#include "remote.h"

#include <string.h>

enum { ROUNDS_MAX = 64 }; /* parts of notes, from whatever device */

static enum otter_result read_own(struct remote *remote, enum otter_smp_own id,
                                  const struct otter_cbor_field *fields, size_t count,
                                  struct otter_cbor_item *items)
{
    return smp_client_call(
        &remote->client,
        (struct smp_target){OTTER_SMP_READ, OTTER_SMP_GROUP_OTTER, (uint8_t)id}, fields,
        count, items);
}

/* A text that is no UTF-8 is left out. */
static void put_text(json_t *described, const char *key, const void *text, size_t len)
{
    if (len > 0) {
        (void)json_object_set_new(described, key, json_stringn(text, len));
    }
}

static enum otter_result ask_lines(struct remote *remote, json_t *described)
{
    struct otter_cbor_field fields[PRODUCT_TEXTS];
    struct otter_cbor_item items[PRODUCT_TEXTS];
    size_t count = 0;

    for (size_t i = 0; i < PRODUCT_TEXTS; i++) {
        if (product_texts[i].smp_key != NULL) {
            fields[count++] = (struct otter_cbor_field){product_texts[i].smp_key,
                                                        1u << OTTER_CBOR_TEXT, false};
        }
    }
    fields[count++] =
        (struct otter_cbor_field){"battery", 1u << OTTER_CBOR_UINT, false};
    (void)smp_client_begin(&remote->client);
    enum otter_result result =
        read_own(remote, OTTER_SMP_OWN_PRODUCT, fields, count, items);

    if (result != OTTER_OK) {
        return result;
    }
    for (size_t i = 0; i < PRODUCT_TEXTS; i++) {
        if (product_texts[i].smp_key != NULL && items[i].kind != 0 &&
            items[i].len <= PRODUCT_LINE_MAX) {
            put_text(described, product_texts[i].key, items[i].bytes, items[i].len);
        }
    }
    if (items[count - 1].kind != 0 && items[count - 1].value <= 100) {
        (void)json_object_set_new(described, "battery",
                                  json_integer((json_int_t)items[count - 1].value));
    }
    return OTTER_OK;
}

/* One part; `is_last`: there is no more. */
static enum otter_result ask_part(struct remote *remote, uint8_t *notes, size_t *len,
                                  bool *is_last)
{
    static const struct otter_cbor_field fields[] = {
        {"len", 1u << OTTER_CBOR_UINT, true},
        {"data", 1u << OTTER_CBOR_BYTES, true},
    };
    struct otter_cbor_item items[2];

    otter_cbor_add_uint(smp_client_begin(&remote->client), "off", *len);
    enum otter_result result = read_own(remote, OTTER_SMP_OWN_NOTES, fields, 2, items);

    if (result != OTTER_OK) {
        return result;
    }
    if (items[1].len > PRODUCT_NOTES_MAX - *len) {
        return OTTER_E_SMP_FIELD;
    }
    if (items[1].len > 0) {
        memcpy(notes + *len, items[1].bytes, items[1].len);
    }
    *len += items[1].len;
    *is_last = items[1].len == 0 || *len >= items[0].value;
    return OTTER_OK;
}

static enum otter_result ask_notes(struct remote *remote, json_t *described)
{
    uint8_t notes[PRODUCT_NOTES_MAX];
    size_t len = 0;
    bool is_last = false;
    enum otter_result result = OTTER_OK;

    for (int i = 0; i < ROUNDS_MAX && result == OTTER_OK && !is_last; i++) {
        result = ask_part(remote, notes, &len, &is_last);
    }
    if (result == OTTER_OK) {
        put_text(described, "notes", notes, len);
    }
    return result;
}

static void put_ids(json_t *keys, const struct otter_cbor_item *ids, bool is_trusted)
{
    for (size_t off = 0; ids->kind != 0 && ids->len - off >= OTTER_KEY_ID_SIZE;
         off += OTTER_KEY_ID_SIZE) {
        char id[2 * OTTER_KEY_ID_SIZE + 1];

        (void)json_array_append_new(
            keys, json_pack("{s:s, s:b}", "id",
                            hex_of(ids->bytes + off, OTTER_KEY_ID_SIZE, id), "trusted",
                            is_trusted));
    }
}

static enum otter_result ask_keys(struct remote *remote, json_t *described)
{
    static const struct otter_cbor_field fields[] = {
        {"trusted", 1u << OTTER_CBOR_BYTES, true},
        {"revoked", 1u << OTTER_CBOR_BYTES, true},
    };
    struct otter_cbor_item items[2];

    (void)smp_client_begin(&remote->client);
    enum otter_result result = read_own(remote, OTTER_SMP_OWN_KEYS, fields, 2, items);

    if (result == OTTER_OK) {
        json_t *keys = json_array();

        put_ids(keys, &items[0], true);
        put_ids(keys, &items[1], false);
        (void)json_object_set_new(described, "keys", keys);
    }
    return result;
}

enum otter_result remote_product(struct remote *remote, json_t *described)
{
    enum otter_result result = ask_lines(remote, described);

    if (result == OTTER_OK) {
        result = ask_notes(remote, described);
    }
    if (result == OTTER_OK) {
        result = ask_keys(remote, described);
    }
    /* An older program does not know the question. */
    return result == OTTER_E_SMP_COMMAND ? OTTER_OK : result;
}
