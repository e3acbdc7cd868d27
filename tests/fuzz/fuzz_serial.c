/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Console lines as they come: the decoder takes any bytes, never writes past its
 * buffer, and gives no message that is longer than it. What follows noise and a line's
 * end is still found.
 */
#include "otter/serial_frame.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY = 96 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(struct otter_serial_decoder *decoder, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (otter_serial_take(decoder, data[i]) && decoder->size > decoder->capacity) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* The message 'a' in a packet of its own: length 3, 'a', CRC 0x7C87. */
    static const uint8_t good[] = "\n\x06\x09"
                                  "AANhfIc=\n";
    uint8_t *buffer =
        malloc(CAPACITY); /* of its own, so that the sanitizer guards it */
    struct otter_serial_decoder decoder;
    bool is_found = false;

    if (buffer == NULL) {
        return 0;
    }
    otter_serial_decoder_init(&decoder, buffer, CAPACITY);
    feed(&decoder, data, size);
    for (size_t i = 0; i < sizeof(good) - 1; i++) {
        is_found = otter_serial_take(&decoder, good[i]) || is_found;
    }
    if (!is_found || decoder.size != 1 || buffer[0] != 'a') {
        abort();
    }
    free(buffer);
    return 0;
}
