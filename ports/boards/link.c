/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link port: SMP messages on the console, framed as otter/serial_frame.h has it.
 */
#include "otter/serial_frame.h"
#include "otter/smp.h"
#include "port.h"
#include "uart.h"

#include <string.h>

static struct {
    struct otter_serial_decoder decoder;
    uint8_t message[OTTER_SMP_REQUEST];
} received;

static size_t link_receive(void *context, uint8_t *data, size_t capacity)
{
    struct otter_serial_decoder *decoder = &received.decoder;
    uint8_t byte;

    (void)context;
    if (decoder->buffer == NULL) {
        otter_serial_decoder_init(decoder, received.message, sizeof(received.message));
    }
    while (uart_take(&byte)) {
        if (!otter_serial_take(decoder, byte)) {
            continue;
        }
        uart_pause();
        if (decoder->size > capacity) {
            return capacity + 1;
        }
        memcpy(data, received.message, decoder->size);
        return decoder->size;
    }
    return 0;
}

static void link_send(void *context, const uint8_t *data, size_t size)
{
    struct otter_serial_encoder encoder = otter_serial_encoder_of(data, size);
    uint8_t line[OTTER_SERIAL_LINE_MAX];

    (void)context;
    for (size_t len; (len = otter_serial_line(&encoder, line)) != 0;) {
        uart_put(line, len);
    }
}

const struct otter_link port_link = {
    .context = NULL,
    .receive = link_receive,
    .send = link_send,
};
