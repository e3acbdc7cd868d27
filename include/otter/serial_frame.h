/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMP over a console: messages as lines of text between other text, as mcumgr's serial
 * transport has them. For a byte pipe below struct otter_link; pure functions, no
 * hardware. Format: SMP over console, Zephyr's "mcumgr" documentation.
 *
 *     packet  = length (16 bits, big-endian; message and CRC), message,
 *               CRC-16/XMODEM of the message (big-endian)
 *     lines   = 06 09 BASE64 0A, then 04 14 BASE64 0A ... until the packet is whole
 *
 * Other text, CR included, is passed over. A packet that is broken in any way is
 * dropped whole: the link loses it, as links do.
 */
#ifndef OTTER_SERIAL_FRAME_H
#define OTTER_SERIAL_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    OTTER_SERIAL_LINE_MAX = 127, /* longest line that is sent, its ends included */
    OTTER_SERIAL_OVERHEAD = 4,   /* bytes of a packet besides the message */
};

/* CRC-16/XMODEM of `size` bytes after those that gave `crc`; start with 0. */
uint16_t otter_crc16(uint16_t crc, const void *data, size_t size);

/* ---- from bytes to messages ---- */

struct otter_serial_decoder {
    uint8_t *buffer;  /* the caller's; holds the message */
    size_t capacity;  /* longest message */
    size_t size;      /* of the message, after otter_serial_take() said true */
    uint32_t dropped; /* packets that began and never became a message */

    /* Private. */
    uint8_t state;   /* enum in serial_frame.c */
    uint8_t quarter; /* base64 characters of a group of four so far, 0 to 3 */
    uint8_t padding; /* '=' seen */
    bool is_open;    /* a packet has begun */
    uint32_t bits;   /* of those characters */
    uint32_t taken;  /* bytes of the packet so far */
    uint16_t length; /* as its first two bytes tell */
    uint16_t crc;    /* of the message so far */
    uint16_t wanted; /* CRC that the packet tells */
};

/* `buffer` stays in use. */
void otter_serial_decoder_init(struct otter_serial_decoder *decoder, uint8_t *buffer,
                               size_t capacity);

/* Takes one byte. True if it ended a whole and sound message: `size` bytes stand in the
 * buffer, until the next call. */
bool otter_serial_take(struct otter_serial_decoder *decoder, uint8_t byte);

/* ---- from messages to lines ---- */

struct otter_serial_encoder {
    const uint8_t *message; /* the caller's */
    size_t size;
    size_t off;   /* next byte of the packet */
    uint16_t crc; /* of the message */
};

/* Begins a message of at most 65,533 bytes, which stays in use. */
struct otter_serial_encoder otter_serial_encoder_of(const uint8_t *message,
                                                    size_t size);

/* Puts the next line and returns its length; 0 when the packet is whole. */
size_t otter_serial_line(struct otter_serial_encoder *encoder,
                         uint8_t line[OTTER_SERIAL_LINE_MAX]);

#ifdef __cplusplus
}
#endif

#endif
