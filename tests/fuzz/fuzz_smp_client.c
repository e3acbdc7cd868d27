/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's half: any bytes as a reply, read for the fields of a status.
 */
#include "smp_client.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct otter_cbor_field fields[] = {
    {"phase", 1u << OTTER_CBOR_TEXT, true},
    {"off", 1u << OTTER_CBOR_UINT, true},
    {"id", 1u << OTTER_CBOR_BYTES, false},
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct smp_transport transport = {.context = NULL};
    static struct smp_client client;
    struct otter_smp_header header;
    struct otter_cbor_item items[FIELDS];
    uint8_t *bytes = malloc(size + 1);

    if (bytes == NULL) {
        return 0;
    }
    memcpy(bytes, data, size);
    smp_client_init(&client, &transport);
    if (otter_smp_parse(bytes, size, &header) == OTTER_OK &&
        smp_client_read(&client, bytes + OTTER_SMP_HEADER_SIZE, header.len, fields,
                        FIELDS, items) == OTTER_OK &&
        (items[0].kind != OTTER_CBOR_TEXT || items[0].len > size)) {
        abort();
    }
    free(bytes);
    return 0;
}
