/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SMP header: 8 bytes, big-endian. docs/SPEC.md, "SMP door".
 */
#include "otter/smp.h"

enum {
    FIRST_OFF = 0, /* reserved (3 bits), version (2), operation (3) */
    FLAGS_OFF = 1, /* not used by anybody: ignored */
    LEN_OFF = 2,
    GROUP_OFF = 4,
    SEQ_OFF = 6,
    ID_OFF = 7,
    OP_MASK = 0x07,
    VERSION_SHIFT = 3,
    VERSION_MASK = 0x03,
    RESERVED_MASK = 0xE0,
    VERSION_MAX = 1,
};

enum otter_result otter_smp_parse(const uint8_t *message, size_t size,
                                  struct otter_smp_header *header)
{
    if (size < OTTER_SMP_HEADER_SIZE) {
        return OTTER_E_SMP_FRAME;
    }
    struct otter_smp_header parsed = {
        .op = message[FIRST_OFF] & OP_MASK,
        .version = message[FIRST_OFF] >> VERSION_SHIFT & VERSION_MASK,
        .len = otter_load_be16(message + LEN_OFF),
        .group = otter_load_be16(message + GROUP_OFF),
        .seq = message[SEQ_OFF],
        .id = message[ID_OFF],
    };

    if (parsed.len != size - OTTER_SMP_HEADER_SIZE) {
        return OTTER_E_SMP_FRAME;
    }
    if ((message[FIRST_OFF] & RESERVED_MASK) != 0 || parsed.version > VERSION_MAX ||
        parsed.op > OTTER_SMP_WRITE_REPLY) {
        return OTTER_E_SMP_OPERATION;
    }
    *header = parsed;
    return OTTER_OK;
}

void otter_smp_put_header(uint8_t bytes[OTTER_SMP_HEADER_SIZE],
                          const struct otter_smp_header *header)
{
    bytes[FIRST_OFF] = (uint8_t)(header->version << VERSION_SHIFT | header->op);
    bytes[FLAGS_OFF] = 0;
    otter_store_be16(bytes + LEN_OFF, header->len);
    otter_store_be16(bytes + GROUP_OFF, header->group);
    bytes[SEQ_OFF] = header->seq;
    bytes[ID_OFF] = header->id;
}
