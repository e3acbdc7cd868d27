/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any 128 bytes as a journal record. The first byte of the input says whether magic,
 * version and CRC are made right first. What decodes is within its bounds, encodes to
 * a record of the same state; only bytes that mean nothing may differ (K6).
 */
#include "otter/bytes.h"
#include "otter/crc32.h"
#include "otter/journal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OFF_TLV = 80, OFF_FLAGS = 120, OFF_CRC = 124 };

static void require(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

static void seal(uint8_t record[OTTER_RECORD_SIZE])
{
    memcpy(record, "OJ\1", 3);
    otter_store_le32(record + OFF_CRC, otter_crc32(0, record, OFF_CRC));
}

/* Erase counts that no program writes so: all of them 0, or twice. Their bytes may go;
 * what they say may not change. */
static bool has_odd_counts(const uint8_t record[OTTER_RECORD_SIZE])
{
    enum { HEAD = 2, SIZE = 8 };
    static const uint8_t head[HEAD] = {1, SIZE};
    static const uint8_t none[SIZE] = {0};
    const uint8_t *tlv = record + OFF_TLV;

    return memcmp(tlv, head, HEAD) == 0 && (memcmp(tlv + HEAD, none, SIZE) == 0 ||
                                            memcmp(tlv + HEAD + SIZE, head, HEAD) == 0);
}

static void check(const uint8_t record[OTTER_RECORD_SIZE],
                  const struct otter_state *state,
                  const uint32_t erases[OTTER_ERASE_COUNTS], uint32_t sequence)
{
    uint8_t again[OTTER_RECORD_SIZE];
    struct otter_state same;
    uint32_t same_erases[OTTER_ERASE_COUNTS];
    uint32_t same_sequence = 0;

    require(state->phase > 0 && state->phase < OTTER_PHASE_COUNT);
    require(state->current <= 1 && state->tlv_size <= OTTER_TLV_MAX);
    otter_record_encode(state, erases, sequence, state->last_writer, again);
    require(has_odd_counts(record) ||
            memcmp(record, again, OFF_TLV + state->tlv_size) == 0);
    require(record[OFF_FLAGS] == again[OFF_FLAGS]);
    require(otter_record_decode(again, &same, same_erases, &same_sequence));
    require(otter_state_equal(state, &same) && sequence == same_sequence);
    require(memcmp(erases, same_erases, sizeof(same_erases)) == 0);
    (void)otter_state_has_unknown(state);
    for (uint8_t program = 0; program < 8; program++) {
        require(otter_state_may_change(state, &same, program));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t record[OTTER_RECORD_SIZE] = {0};
    struct otter_state state;
    uint32_t erases[OTTER_ERASE_COUNTS];
    uint32_t sequence = 0;

    if (size == 0) {
        return 0;
    }
    memcpy(record, data + 1, size - 1 < sizeof(record) ? size - 1 : sizeof(record));
    if ((data[0] & 1) != 0) {
        seal(record);
    }
    if (otter_record_decode(record, &state, erases, &sequence)) {
        check(record, &state, erases, sequence);
    }
    return 0;
}
