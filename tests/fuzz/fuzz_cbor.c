/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CBOR reader: any bytes as a run of items, and as a message of known keys.
 */
#include "otter/cbor.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct otter_cbor_field fields[] = {
    {"off", 1u << OTTER_CBOR_UINT, true},
    {"data", 1u << OTTER_CBOR_BYTES | 1u << OTTER_CBOR_NULL, false},
    {"text", 1u << OTTER_CBOR_TEXT, false},
    {"map", 1u << OTTER_CBOR_MAP | 1u << OTTER_CBOR_ARRAY, false},
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

/* Every byte that an item names can be read. */
static void touch(const struct otter_cbor_item *item)
{
    uint8_t *copy = malloc(item->len + 1);

    if (copy != NULL && item->bytes != NULL) {
        memcpy(copy, item->bytes, item->len);
    }
    free(copy);
}

static void read_items(uint8_t *bytes, size_t size)
{
    struct otter_reader reader = otter_reader_of(bytes, size);
    struct otter_cbor_item item;

    while (otter_cbor_read(&reader, bytes, &item) == OTTER_OK) {
        touch(&item);
    }
}

static void read_message(uint8_t *bytes, size_t size)
{
    struct otter_cbor_item items[FIELDS];

    if (otter_cbor_message(bytes, size, fields, FIELDS, items) != OTTER_OK) {
        return;
    }
    for (size_t i = 0; i < FIELDS; i++) {
        touch(&items[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size + 1);

    if (bytes == NULL) {
        return 0;
    }
    memcpy(bytes, data, size);
    read_items(bytes, size);
    memcpy(bytes, data, size);
    read_message(bytes, size);
    free(bytes);
    return 0;
}
