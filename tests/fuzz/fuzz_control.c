/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control packet of any bytes: opened, walked through, verified. What was opened
 * can be read without a fault, and its parts lie inside it.
 */
#include "crypto_bearssl.h"
#include "fuzz_source.h"
#include "otter/control.h"

#include <stdlib.h>
#include <string.h>

static void need(int is_true)
{
    if (!is_true) {
        abort();
    }
}

static void walk(const struct otter_source *source, const struct otter_control *control)
{
    static const uint16_t types[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 0x100, 0x7FFF};
    struct otter_member member;
    uint8_t text[512];
    size_t len = 0;
    uint32_t off = 0;
    uint32_t before = 0;

    for (uint8_t i = 0; i < control->member_count; i++) {
        need(otter_control_member(source, control, i, &member) == OTTER_OK);
        need(member.installed_size > 0);
        if (otter_control_member_off(source, control, i, &off) == OTTER_OK) {
            need(off >= before);
            before = off;
        }
    }
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        enum otter_result result = otter_control_extension(source, control, types[i],
                                                           text, sizeof(text), &len);

        need(result == OTTER_OK || result == OTTER_E_CONTROL_TEXT);
    }
    for (uint8_t i = 0; i < control->wrap_count; i++) {
        struct otter_wrap wrap;

        need(otter_control_wrap(source, control, i, &wrap) == OTTER_OK);
        need(wrap.size > 0 && wrap.size <= sizeof(wrap.bytes));
    }
    need(control->revoke_count <= OTTER_REVOKES_MAX);
    for (uint8_t i = 0; i < control->revoke_count; i++) {
        uint8_t id[OTTER_KEY_ID_SIZE];

        need(otter_control_revoked(source, control, i, id) == OTTER_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct otter_key keys[2];
    struct fuzz_bytes bytes;
    struct otter_control control;
    const struct otter_source source = fuzz_source(&bytes, data, size);

    if (otter_control_open(&source, &control) != OTTER_OK) {
        return 0;
    }
    need(control.length <= size && control.signed_size <= control.length);
    need(control.member_count <= OTTER_MEMBERS_MAX && control.member_count >= 3);
    walk(&source, &control);

    enum otter_result result =
        otter_control_verify(&source, &control, keys, 2, 1, &otter_crypto_bearssl);

    need(result != OTTER_OK); /* the keys are no points of the curve */
    return 0;
}
