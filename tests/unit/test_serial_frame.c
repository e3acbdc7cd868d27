/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of otter/serial_frame.h. The sums are of the CRC catalogue (CRC-16/XMODEM,
 * check value 31C3); the lines were made with Python's base64 and binascii.crc_hqx.
 */
#include "otter/serial_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MESSAGE_MAX = 400, TEXT_MAX = 1024 };

struct console {
    struct otter_serial_decoder decoder;
    uint8_t buffer[MESSAGE_MAX];
};

static void open_console(struct console *console, size_t capacity)
{
    assert_in_range(capacity, 1, MESSAGE_MAX);
    otter_serial_decoder_init(&console->decoder, console->buffer, capacity);
}

/* Gives a text to the decoder; the number of messages that came out. */
static unsigned feed(struct console *console, const char *text, size_t size)
{
    unsigned messages = 0;

    for (size_t i = 0; i < size; i++) {
        messages += otter_serial_take(&console->decoder, (uint8_t)text[i]);
    }
    return messages;
}

static unsigned feed_text(struct console *console, const char *text)
{
    return feed(console, text, strlen(text));
}

static void fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(i * 7 + 3);
    }
}

static size_t encode(const uint8_t *message, size_t size, char text[TEXT_MAX])
{
    struct otter_serial_encoder encoder = otter_serial_encoder_of(message, size);
    uint8_t line[OTTER_SERIAL_LINE_MAX];
    size_t len = 0;

    for (size_t part; (part = otter_serial_line(&encoder, line)) != 0;) {
        assert_in_range(part, 1, OTTER_SERIAL_LINE_MAX);
        assert_in_range(len + part, 1, TEXT_MAX);
        memcpy(text + len, line, part);
        len += part;
    }
    return len;
}

/* 89 bytes fill one line to its end, 90 begin a second one. */
#define LONG_LINE                                                              \
    "\x06\x09"                                                                 \
    "AFsDChEYHyYtNDtCSVBXXmVsc3qBiI+WnaSrsrnAx87V3OPq8fj/Bg0UGyIpMDc+RUxTWmFo" \
    "b3Z9hIuSmaCnrrW8w8rR2N/m7fT7AgkQFx4lLDM6QUhPVl1kaz77\n"
#define TWO_LINES                                                              \
    "\x06\x09"                                                                 \
    "AFwDChEYHyYtNDtCSVBXXmVsc3qBiI+WnaSrsrnAx87V3OPq8fj/Bg0UGyIpMDc+RUxTWmFo" \
    "b3Z9hIuSmaCnrrW8w8rR2N/m7fT7AgkQFx4lLDM6QUhPVl1ka3Jy\n"                   \
    "\x04\x14"                                                                 \
    "SA==\n"

static const struct {
    const char *message; /* NULL: `size` bytes of fill() */
    size_t size;
    const char *text;
} cases[] = {
    {"A", 1,
     "\x06\x09"
     "AANBWOU=\n"},
    {"ab", 2,
     "\x06\x09"
     "AARhYnT/\n"},
    {"\0\0\0\1\0\0\x42\0\xA0", 9,
     "\x06\x09"
     "AAsAAAABAABCAKCDhw==\n"},
    {"123456789", 9,
     "\x06\x09"
     "AAsxMjM0NTY3ODkxww==\n"},
    {NULL, 89, LONG_LINE},
    {NULL, 90, TWO_LINES},
};

static const uint8_t *message_of(size_t index, uint8_t bytes[MESSAGE_MAX])
{
    if (cases[index].message != NULL) {
        return (const uint8_t *)cases[index].message;
    }
    fill(bytes, cases[index].size);
    return bytes;
}

static void the_sum_is_that_of_the_catalogue(void **state)
{
    (void)state;
    assert_int_equal(otter_crc16(0, "123456789", 9), 0x31C3);
    assert_int_equal(otter_crc16(0, "", 0), 0);
    assert_int_equal(otter_crc16(otter_crc16(0, "1234", 4), "56789", 5), 0x31C3);
}

static void a_message_becomes_the_lines_that_others_make(void **state)
{
    char text[TEXT_MAX];
    uint8_t bytes[MESSAGE_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = encode(message_of(i, bytes), cases[i].size, text);

        assert_int_equal(len, strlen(cases[i].text));
        assert_memory_equal(text, cases[i].text, len);
    }
}

static void those_lines_become_the_message(void **state)
{
    struct console console;
    uint8_t bytes[MESSAGE_MAX];

    (void)state;
    open_console(&console, MESSAGE_MAX);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint8_t *message = message_of(i, bytes);

        assert_int_equal(feed_text(&console, cases[i].text), 1);
        assert_int_equal(console.decoder.size, cases[i].size);
        assert_memory_equal(console.buffer, message, cases[i].size);
    }
    assert_int_equal(console.decoder.dropped, 0);
}

static void every_length_comes_back(void **state)
{
    struct console console;
    uint8_t message[MESSAGE_MAX];
    char text[TEXT_MAX];

    (void)state;
    fill(message, sizeof(message));
    open_console(&console, MESSAGE_MAX);
    for (size_t size = 1; size <= MESSAGE_MAX; size++) {
        size_t len = encode(message, size, text);

        assert_int_equal(feed(&console, text, len), 1);
        assert_int_equal(console.decoder.size, size);
        assert_memory_equal(console.buffer, message, size);
    }
}

/* What else stands on a console, and other ways to cut lines: the message of `text`
 * still is "123456789". */
static const char *const friendly[] = {
    "boot: application\n\x06\x09"
    "AAsxMjM0NTY3ODkxww==\n",
    "\r\n\n\x06\x09"
    "AAsxMjM0NTY3ODkxww==\r\n",
    "\x06\x09"
    "AAsxMjM0NTY3\nboot: a line between\n\x04\x14"
    "ODkxww==\n",
    "\x06\x09"
    "AAsxMjM0NTY3O\n\x04\x14"
    "DkxwwA=\n"
    "\x06\x09"
    "AAsxMjM0NTY3ODkxww==\n",
    "\x06\x09"
    "AAsx\n\x04\x14"
    "MjM0\n\x04\x14"
    "NTY3\n\x04\x14"
    "ODkx\n\x04\x14"
    "ww==\n",
    "\x06\x09"
    "AFsDChEYHyYt\n\x06\x09"
    "AAsxMjM0NTY3ODkxww==\n",
    "\x06\x06\n\x04\x04\n\x06\x09"
    "AAsxMjM0NTY3ODkxww==\n",
};

static void other_text_and_short_lines_do_not_matter(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(friendly) / sizeof(friendly[0]); i++) {
        struct console console;

        open_console(&console, MESSAGE_MAX);
        assert_int_equal(feed_text(&console, friendly[i]), 1);
        assert_int_equal(console.decoder.size, 9);
        assert_memory_equal(console.buffer, "123456789", 9);
    }
}

/* None of these is a message; a sound one after it is. */
static const char *const hostile[] = {
    "\x06\x09"
    "AAsxMjM0NTY3ODkxwA==\n", /* another sum */
    "\x06\x09"
    "AAsxMjM0NTY3ODgxww==\n", /* another byte */
    "\x06\x09"
    "AAwxMjM0NTY3ODkxww==\n", /* one byte too few */
    "\x06\x09"
    "AAoxMjM0NTY3ODkxww==\n", /* one too many */
    "\x06\x09"
    "AAsxMjM0NTY3ODkxww==AAAA\n", /* goes on after its end */
    "\x06\x09"
    "AAsxMjM0NTY3ODkxww=="
    "====\n",
    "\x06\x09"
    "AAsxMjM0NTY3ODkxw===\n", /* three '=' */
    "\x06\x09"
    "AAsx=jM0NTY3ODkxww==\n", /* '=' inside */
    "\x06\x09"
    "AAsx MjM0NTY3ODkxww==\n", /* no digit */
    "\x06\x09"
    "AAsxMjM0NTY3ODkxww=\n", /* half a group */
    "\x06\x09"
    "AAIAAA==\n", /* length of the sum alone */
    "\x06\x09"
    "AAAA\n", /* length 0 */
    "\x06\x09"
    "AAEA\n", /* length 1 */
    "\x06\x09"
    "//8xMjM0\n", /* longer than the buffer */
    "\x06\x09\n", /* nothing */
    "\x06\x09"
    "AA==\n", /* not even a length */
    "\x04\x14"
    "AAsxMjM0NTY3ODkxww==\n", /* no first line */
    "x\x06\x09"
    "AAsxMjM0NTY3ODkxww==\n", /* not at a line's start */
};

static void a_broken_packet_is_no_message_and_the_next_one_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        struct console console;

        open_console(&console, MESSAGE_MAX);
        assert_int_equal(feed_text(&console, hostile[i]), 0);
        assert_int_equal(feed_text(&console, "\x06\x09"
                                             "AAsxMjM0NTY3ODkxww==\n"),
                         1);
        assert_memory_equal(console.buffer, "123456789", 9);
    }
}

static void what_was_dropped_is_counted(void **state)
{
    struct console console;

    (void)state;
    open_console(&console, MESSAGE_MAX);
    assert_int_equal(feed_text(&console, hostile[0]), 0);
    assert_int_equal(feed_text(&console, hostile[7]), 0);
    assert_int_equal(console.decoder.dropped, 2);
    assert_int_equal(feed_text(&console, "only text\n"), 0);
    assert_int_equal(console.decoder.dropped, 2);
}

static void a_message_of_the_capacity_fits_and_a_longer_one_does_not(void **state)
{
    struct console console;
    uint8_t message[MESSAGE_MAX];
    char text[TEXT_MAX];

    (void)state;
    fill(message, sizeof(message));
    open_console(&console, 90);
    memset(console.buffer + 90, 0xEE, sizeof(console.buffer) - 90);
    assert_int_equal(feed(&console, text, encode(message, 90, text)), 1);
    assert_int_equal(feed(&console, text, encode(message, 91, text)), 0);
    assert_int_equal(console.buffer[90], 0xEE);
    assert_int_equal(console.decoder.dropped, 1);
}

static void one_lost_byte_loses_one_message(void **state)
{
    char text[TEXT_MAX];
    uint8_t message[MESSAGE_MAX];

    (void)state;
    fill(message, sizeof(message));
    size_t len = encode(message, 200, text);

    for (size_t lost = 0; lost < len; lost++) {
        struct console console;

        open_console(&console, MESSAGE_MAX);
        unsigned messages = feed(&console, text, lost) +
                            feed(&console, text + lost + 1, len - lost - 1);

        /* The last line's end is missed only by the line that follows. */
        assert_int_equal(messages, 0);
        messages = feed_text(&console, "\n") + feed(&console, text, len);
        assert_int_equal(messages, lost == len - 1 ? 2 : 1);
        assert_memory_equal(console.buffer, message, 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sum_is_that_of_the_catalogue),
        cmocka_unit_test(a_message_becomes_the_lines_that_others_make),
        cmocka_unit_test(those_lines_become_the_message),
        cmocka_unit_test(every_length_comes_back),
        cmocka_unit_test(other_text_and_short_lines_do_not_matter),
        cmocka_unit_test(a_broken_packet_is_no_message_and_the_next_one_is),
        cmocka_unit_test(what_was_dropped_is_counted),
        cmocka_unit_test(a_message_of_the_capacity_fits_and_a_longer_one_does_not),
        cmocka_unit_test(one_lost_byte_loses_one_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
