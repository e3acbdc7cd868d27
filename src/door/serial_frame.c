/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMP over a console, both directions, a byte or a line at a time. The decoder follows
 * a line by a small table of states; a packet goes on over several lines and is judged
 * at the end of the one that makes it whole.
 */
#include "otter/serial_frame.h"

#include <string.h>

enum {
    MARK_FIRST_1 = 0x06,
    MARK_FIRST_2 = 0x09,
    MARK_NEXT_1 = 0x04,
    MARK_NEXT_2 = 0x14,
    LINE_END = '\n',
    LINE_RETURN = '\r',
    LENGTH_SIZE = 2,
    CRC_SIZE = 2,
    LINE_BYTES = 93, /* of a packet in one line: 124 characters */
    NO_DIGIT = 64,
};

enum state {
    STATE_START = 0, /* a line begins */
    STATE_FIRST,     /* 06 was seen */
    STATE_NEXT,      /* 04 was seen */
    STATE_DIGITS,    /* base64 of a packet */
    STATE_TEXT,      /* other text, up to its end */
};

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

uint16_t otter_crc16(uint16_t crc, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++) {
        /* The polynomial 0x1021, eight bits at once. */
        uint16_t mixed = (uint16_t)((crc >> 8) ^ bytes[i]);

        mixed = (uint16_t)(mixed ^ (mixed >> 4));
        crc = (uint16_t)((uint32_t)crc << 8 ^ (uint32_t)mixed << 12 ^
                         (uint32_t)mixed << 5 ^ mixed);
    }
    return crc;
}

/* ---- decoder ---- */

void otter_serial_decoder_init(struct otter_serial_decoder *decoder, uint8_t *buffer,
                               size_t capacity)
{
    memset(decoder, 0, sizeof(*decoder));
    decoder->buffer = buffer;
    decoder->capacity = capacity;
}

static uint8_t digit_of(uint8_t byte)
{
    if (byte >= 'A' && byte <= 'Z') {
        return (uint8_t)(byte - 'A');
    }
    if (byte >= 'a' && byte <= 'z') {
        return (uint8_t)(byte - 'a' + 26);
    }
    if (byte >= '0' && byte <= '9') {
        return (uint8_t)(byte - '0' + 52);
    }
    return byte == '+' ? 62 : byte == '/' ? 63 : NO_DIGIT;
}

static void drop(struct otter_serial_decoder *decoder)
{
    decoder->dropped += decoder->is_open;
    decoder->is_open = false;
}

static void begin(struct otter_serial_decoder *decoder)
{
    drop(decoder);
    decoder->is_open = true;
    decoder->quarter = 0;
    decoder->padding = 0;
    decoder->bits = 0;
    decoder->taken = 0;
    decoder->length = 0;
    decoder->crc = 0;
    decoder->wanted = 0;
}

/* A byte of the packet. One that the packet has no room for drops it. */
static void put(struct otter_serial_decoder *decoder, uint8_t byte)
{
    uint32_t at = decoder->taken;

    decoder->taken = at + 1;
    if (at < LENGTH_SIZE) {
        decoder->length = (uint16_t)((uint32_t)decoder->length << 8 | byte);
        return;
    }
    at -= LENGTH_SIZE;
    if (decoder->length <= CRC_SIZE ||
        (size_t)decoder->length - CRC_SIZE > decoder->capacity ||
        at >= decoder->length) {
        drop(decoder);
    } else if (at < (uint32_t)decoder->length - CRC_SIZE) {
        decoder->buffer[at] = byte;
        decoder->crc = otter_crc16(decoder->crc, &byte, 1);
    } else {
        decoder->wanted = (uint16_t)((uint32_t)decoder->wanted << 8 | byte);
    }
}

/* Four digits are three bytes; each '=' at the end is one byte less. */
static void put_group(struct otter_serial_decoder *decoder)
{
    for (uint8_t i = 0; i + decoder->padding < 3 && decoder->is_open; i++) {
        put(decoder, (uint8_t)(decoder->bits >> (16 - 8 * i)));
    }
    decoder->quarter = 0;
    decoder->bits = 0;
}

static void take_digit(struct otter_serial_decoder *decoder, uint8_t byte)
{
    bool is_padding = byte == '=';
    uint8_t digit = is_padding ? 0 : digit_of(byte);
    bool is_late = decoder->padding > 0 && (!is_padding || decoder->quarter == 0);

    if (digit == NO_DIGIT || is_late || (is_padding && decoder->quarter < 2)) {
        drop(decoder);
        return;
    }
    decoder->padding = (uint8_t)(decoder->padding + is_padding);
    decoder->bits = decoder->bits << 6 | digit;
    decoder->quarter++;
    if (decoder->quarter == 4) {
        put_group(decoder);
    }
}

/* The line is over: the packet is a message, or goes on in the next line, or is none.
 */
static bool end_line(struct otter_serial_decoder *decoder)
{
    uint32_t whole = (uint32_t)decoder->length + LENGTH_SIZE;

    if (!decoder->is_open || decoder->taken < whole || decoder->taken < LENGTH_SIZE) {
        return false;
    }
    if (decoder->quarter != 0 || decoder->length <= CRC_SIZE ||
        decoder->crc != decoder->wanted) {
        drop(decoder);
        return false;
    }
    decoder->is_open = false;
    decoder->size = (size_t)decoder->length - CRC_SIZE;
    return true;
}

/* The state after the first bytes of a line. */
static enum state start_line(struct otter_serial_decoder *decoder, uint8_t byte)
{
    switch ((enum state)decoder->state) {
    case STATE_START:
        return byte == MARK_FIRST_1  ? STATE_FIRST
               : byte == MARK_NEXT_1 ? STATE_NEXT
                                     : STATE_TEXT;
    case STATE_FIRST:
        if (byte == MARK_FIRST_2) {
            begin(decoder);
            return STATE_DIGITS;
        }
        return STATE_TEXT;
    case STATE_NEXT:
        return byte == MARK_NEXT_2 && decoder->is_open ? STATE_DIGITS : STATE_TEXT;
    case STATE_DIGITS:
    case STATE_TEXT:
        break;
    }
    return STATE_TEXT;
}

bool otter_serial_take(struct otter_serial_decoder *decoder, uint8_t byte)
{
    if (byte == LINE_RETURN) {
        return false;
    }
    if (byte == LINE_END) {
        bool has_digits = decoder->state == STATE_DIGITS;

        decoder->state = STATE_START;
        return has_digits && end_line(decoder);
    }
    if (decoder->state != STATE_DIGITS) {
        decoder->state = (uint8_t)start_line(decoder, byte);
    } else if (decoder->is_open) {
        take_digit(decoder, byte);
    }
    return false;
}

/* ---- encoder ---- */

struct otter_serial_encoder otter_serial_encoder_of(const uint8_t *message, size_t size)
{
    return (struct otter_serial_encoder){
        .message = message, .size = size, .crc = otter_crc16(0, message, size)};
}

/* Byte `off` of the packet. */
static uint8_t packet_at(const struct otter_serial_encoder *encoder, size_t off)
{
    size_t length = encoder->size + CRC_SIZE;

    if (off < LENGTH_SIZE) {
        return (uint8_t)(off == 0 ? length >> 8 : length);
    }
    off -= LENGTH_SIZE;
    if (off < encoder->size) {
        return encoder->message[off];
    }
    return (uint8_t)(off == encoder->size ? encoder->crc >> 8 : encoder->crc);
}

/* Up to three bytes of the packet as four characters. */
static void put_digits(struct otter_serial_encoder *encoder, size_t count,
                       uint8_t text[4])
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 3; i++) {
        bits = bits << 8 | (i < count ? packet_at(encoder, encoder->off + i) : 0U);
    }
    for (size_t i = 0; i < 4; i++) {
        uint8_t digit = (uint8_t)(bits >> (18 - 6 * i) & 63U);

        text[i] = i <= count ? (uint8_t)digits[digit] : (uint8_t)'=';
    }
    encoder->off += count;
}

size_t otter_serial_line(struct otter_serial_encoder *encoder,
                         uint8_t line[OTTER_SERIAL_LINE_MAX])
{
    size_t end = encoder->size + OTTER_SERIAL_OVERHEAD;
    size_t left = end - encoder->off;
    size_t len = 2;

    if (left == 0) {
        return 0;
    }
    if (left > LINE_BYTES) {
        left = LINE_BYTES;
    }
    line[0] = encoder->off == 0 ? MARK_FIRST_1 : MARK_NEXT_1;
    line[1] = encoder->off == 0 ? MARK_FIRST_2 : MARK_NEXT_2;
    while (left > 0) {
        size_t count = left < 3 ? left : 3;

        put_digits(encoder, count, line + len);
        len += 4;
        left -= count;
    }
    line[len] = LINE_END;
    return len + 1;
}
