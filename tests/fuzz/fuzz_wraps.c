/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key wraps of any bytes: a valid control packet whose extensions are the input. What
 * opens holds wraps of a known form; the crypto port unwraps each or says why not, and
 * leaves the key alone if it does not.
 */
#include "crypto_bearssl.h"
#include "crypto_bearssl_keys.h"
#include "fuzz_source.h"
#include "otter/bytes.h"
#include "otter/control.h"

#include <stdlib.h>
#include <string.h>

enum {
    MEMBERS = 3,
    START = OTTER_CONTROL_HEAD_SIZE + MEMBERS * OTTER_CONTROL_MEMBER_SIZE,
    ROOM = OTTER_CONTROL_MAX - START,
};

static void need(int is_true)
{
    if (!is_true) {
        abort();
    }
}

/* Head and members of a package whose firmware is encrypted: docs/SPEC.md. */
static void put_packet(uint8_t *packet, const uint8_t *data, size_t size)
{
    uint32_t length = (uint32_t)(START + size);
    uint32_t file = OTTER_IMAGE_HEADER_SIZE + length + 1 + 40;

    memset(packet, 0, START);
    memcpy(packet, "OTTR", 4);
    otter_store_le16(packet + 4, 1);
    otter_store_le16(packet + 6, (uint16_t)length);
    otter_store_le32(packet + 8, 0x96F3B83D);
    otter_store_le16(packet + 16, OTTER_IMAGE_HEADER_SIZE);
    otter_store_le32(packet + 20, length + 1);
    otter_store_le32(packet + 40, file);
    packet[84] = MEMBERS;
    otter_store_le16(packet + 86, (uint16_t)size);
    for (uint8_t i = 0; i < MEMBERS; i++) {
        uint8_t *member =
            packet + OTTER_CONTROL_HEAD_SIZE + (size_t)i * OTTER_CONTROL_MEMBER_SIZE;

        member[0] = (uint8_t)(i + 1);
        member[3] = i == 0 ? OTTER_MEMBER_ENCRYPTED : OTTER_MEMBER_KEPT;
        otter_store_le32(member + 8, i == 0);
        otter_store_le32(member + 12, 1);
        member[24] = i == 0;
    }
    memcpy(packet + START, data, size);
}

/* Keys whose ids are those of the wrap, so that unwrapping is reached. */
static void try_unwrap(const struct otter_wrap *wrap)
{
    static const uint8_t untouched[OTTER_AES_KEY_SIZE] = {0x5A};
    struct otter_device_key own = {.kind = wrap->kind, .secret = {[31] = 7}};
    const struct otter_key_store store = {&own, 1};
    struct otter_crypto crypto;
    uint8_t key[OTTER_AES_KEY_SIZE] = {0x5A};

    memcpy(own.id, wrap->key_id, sizeof(own.id));
    otter_crypto_bearssl_keys(&crypto, &store);
    need(crypto.find_key(crypto.context, wrap->key_id, wrap->kind) == OTTER_OK);
    enum otter_result result = crypto.unwrap(crypto.context, wrap, key);

    need(result == OTTER_OK || result == OTTER_E_KEY_WRONG ||
         result == OTTER_E_WRAP_DAMAGED);
    need(result == OTTER_OK || memcmp(key, untouched, sizeof(key)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t packet[START + ROOM];
    struct fuzz_bytes bytes;
    struct otter_control control;

    if (size > ROOM) {
        return 0;
    }
    put_packet(packet, data, size);
    const struct otter_source source = fuzz_source(&bytes, packet, START + size);

    if (otter_control_open(&source, &control) != OTTER_OK) {
        return 0;
    }
    need(control.wrap_count > 0 && control.wrap_count <= 8);
    for (uint8_t i = 0; i < control.wrap_count; i++) {
        struct otter_wrap wrap;

        need(otter_control_wrap(&source, &control, i, &wrap) == OTTER_OK);
        try_unwrap(&wrap);
    }
    return 0;
}
