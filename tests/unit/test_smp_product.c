/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people read about the running system, and its keys, over SMP: replies against
 * messages put together by hand in Python from docs/SPEC.md, "SMP door", and RFC 8949.
 */
#include "otter/smp.h"
#include "smp_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct exchange {
    const char *name;
    const char *request;
    size_t request_size;
    const char *reply;
    size_t reply_size;
};

#define BYTES(text) text, sizeof(text) - 1

static const struct exchange with_texts[] = {
    {"product", BYTES("\x08\x00\x00\x01\x00\x40\x01\x08\xa0"),
     BYTES(
         "\x09\x00\x00\x4d\x00\x40\x01\x08\xa5\x66\x76\x65\x6e\x64\x6f\x72\x6a\x4c\x75\x74"
         "\x72\x61\x20\x4c\x61\x62\x73\x67\x70\x72\x6f\x64\x75\x63\x74\x67\x57\x65\x68\x72"
         "\x20\xc3\xb6\x64\x6e\x61\x6d\x65\x6b\x31\x2e\x30\x20\x22\x4f\x74\x74\x65\x72\x22"
         "\x65\x62\x75\x69\x6c\x64\x68\x30\x31\x32\x33\x61\x62\x63\x64\x67\x62\x61\x74\x74"
         "\x65\x72\x79\x18\x1e")},
    {"notes from the start", BYTES("\x08\x00\x00\x01\x00\x40\x02\x09\xa0"),
     BYTES(
         "\x09\x00\x00\x93\x00\x40\x02\x09\xa3\x63\x6f\x66\x66\x00\x63\x6c\x65\x6e\x18\xbc"
         "\x64\x64\x61\x74\x61\x58\x80\x46\x69\x72\x73\x74\x20\x6c\x69\x6e\x65\x0a\x6e\x6e"
         "\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e"
         "\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e"
         "\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e"
         "\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e"
         "\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e"
         "\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\x6e\xc3\xa9")},
    {"notes, second part",
     BYTES("\x08\x00\x00\x07\x00\x40\x03\x09\xa1\x63\x6f\x66\x66\x18\x80"),
     BYTES(
         "\x09\x00\x00\x50\x00\x40\x03\x09\xa3\x63\x6f\x66\x66\x18\x80\x63\x6c\x65\x6e\x18"
         "\xbc\x64\x64\x61\x74\x61\x58\x3c\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d"
         "\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d"
         "\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d"
         "\x6d\x6d\x6d\x6d\x6d\x6d\x6d\x6d")},
    {"notes, at their end",
     BYTES("\x08\x00\x00\x07\x00\x40\x04\x09\xa1\x63\x6f\x66\x66\x18\xbc"),
     BYTES(
         "\x09\x00\x00\x13\x00\x40\x04\x09\xa3\x63\x6f\x66\x66\x18\xbc\x63\x6c\x65\x6e\x18"
         "\xbc\x64\x64\x61\x74\x61\x40")},
    {"notes past their end",
     BYTES("\x08\x00\x00\x07\x00\x40\x05\x09\xa1\x63\x6f\x66\x66\x18\xbd"),
     BYTES("\x09\x00\x00\x05\x00\x40\x05\x09\xa1\x62\x72\x63\x03")},
    {"a write of what is only read", BYTES("\x0a\x00\x00\x01\x00\x40\x06\x08\xa0"),
     BYTES("\x0b\x00\x00\x05\x00\x40\x06\x08\xa1\x62\x72\x63\x08")},
};

static const struct exchange without_texts[] = {
    {"nothing to say", BYTES("\x08\x00\x00\x01\x00\x40\x01\x08\xa0"),
     BYTES("\x09\x00\x00\x01\x00\x40\x01\x08\xa0")},
    {"no notes", BYTES("\x08\x00\x00\x01\x00\x40\x02\x09\xa0"),
     BYTES(
         "\x09\x00\x00\x11\x00\x40\x02\x09\xa3\x63\x6f\x66\x66\x00\x63\x6c\x65\x6e\x00\x64"
         "\x64\x61\x74\x61\x40")},
};

static void exchange_all(struct smp_bench *bench, const struct exchange *rows,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        smp_bench_exchange(bench, (const uint8_t *)rows[i].request,
                           rows[i].request_size);
        if (bench->reply_count != 1 || bench->reply_sizes[0] != rows[i].reply_size ||
            memcmp(bench->replies[0], rows[i].reply, rows[i].reply_size) != 0) {
            fail_msg("%s", rows[i].name);
        }
    }
}

/* Gives the first system texts and makes the device anew. */
static void set_texts(struct smp_bench *bench, const struct host_extension *extensions,
                      uint8_t count)
{
    struct sample_package *first = &bench->sample.first;

    first->package.extensions = extensions;
    first->package.extension_count = count;
    sample_build(first);
    smp_bench_again(bench);
}

static void a_device_tells_what_its_package_says(void **state)
{
    static const uint8_t battery = 30;
    char notes[256];
    struct smp_bench bench;

    (void)state;
    (void)snprintf(notes, sizeof(notes), "First line\n%0115d\xC3\xA9%060d", 0, 0);
    memset(notes + 11, 'n', 115);
    memset(notes + 128, 'm', 60);
    const struct host_extension extensions[] = {
        {OTTER_EXTENSION_VENDOR, 10, "Lutra Labs"},
        {OTTER_EXTENSION_PRODUCT, 7, "Wehr \xC3\xB6"},
        {OTTER_EXTENSION_VERSION, 11, "1.0 \"Otter\""},
        {OTTER_EXTENSION_BUILD, 8, "0123abcd"},
        {OTTER_EXTENSION_NOTES, (uint16_t)strlen(notes), notes},
        {OTTER_EXTENSION_BATTERY, 1, &battery},
    };

    smp_bench_start(&bench, false, NULL);
    set_texts(&bench, extensions, sizeof(extensions) / sizeof(extensions[0]));
    exchange_all(&bench, with_texts, sizeof(with_texts) / sizeof(with_texts[0]));
    smp_bench_stop(&bench);
}

static void a_device_whose_package_says_nothing_says_nothing(void **state)
{
    struct smp_bench bench;

    (void)state;
    smp_bench_start(&bench, true, NULL);
    exchange_all(&bench, without_texts,
                 sizeof(without_texts) / sizeof(without_texts[0]));
    smp_bench_stop(&bench);
}

/* The longest texts fit the default reply, and the notes come whole in parts. */
static void the_longest_texts_fit(void **state)
{
    enum { LINE = 64, NOTES = 512, PARTS = 4, HEAD = OTTER_SMP_HEADER_SIZE };
    static const uint8_t ask_product[] = {8, 0, 0, 1, 0, 64, 0, 8, 0xA0};
    static const uint8_t battery = 100;
    char line[LINE];
    char notes[NOTES];
    size_t seen = 0;
    struct smp_bench bench;

    (void)state;
    memset(line, 'x', sizeof(line));
    for (size_t i = 0; i < sizeof(notes); i++) {
        notes[i] = (char)('a' + i % 23);
    }
    const struct host_extension extensions[] = {
        {OTTER_EXTENSION_VENDOR, LINE, line},  {OTTER_EXTENSION_PRODUCT, LINE, line},
        {OTTER_EXTENSION_VERSION, LINE, line}, {OTTER_EXTENSION_BUILD, LINE, line},
        {OTTER_EXTENSION_NOTES, NOTES, notes}, {OTTER_EXTENSION_BATTERY, 1, &battery},
    };

    smp_bench_start(&bench, false, NULL);
    set_texts(&bench, extensions, sizeof(extensions) / sizeof(extensions[0]));
    smp_bench_exchange(&bench, ask_product, sizeof(ask_product));
    assert_int_equal(bench.reply_count, 1);
    /* 8 + map head + keys (7 + 8 + 5 + 6 + 8) + 4 * (2 + 64) + 2 */
    assert_int_equal(bench.reply_sizes[0], 8 + 1 + 34 + 264 + 2);
    for (size_t part = 0; part < PARTS; part++) {
        uint8_t ask[] = {8,
                         0,
                         0,
                         8,
                         0,
                         64,
                         0,
                         9,
                         0xA1,
                         0x63,
                         'o',
                         'f',
                         'f',
                         0x19,
                         (uint8_t)(seen >> 8),
                         (uint8_t)seen};

        smp_bench_exchange(&bench, ask, sizeof(ask));
        assert_int_equal(bench.reply_count, 1);
        const uint8_t *data = bench.replies[0] + bench.reply_sizes[0] - 128;

        assert_memory_equal(data, notes + seen, 128);
        seen += 128;
    }
    assert_int_equal(seen, NOTES);
    smp_bench_stop(&bench);
}

/* Group 64, command 10. */
static const uint8_t ask_keys[] = {8, 0, 0, 1, 0, 64, 7, 10, 0xA0};

/* {"trusted": `trusted` bytes, "revoked": `revoked` bytes}; each at most 23. */
static size_t keys_reply(const uint8_t *trusted, size_t trusted_len,
                         const uint8_t *revoked, size_t revoked_len, uint8_t *reply)
{
    const size_t size = 1 + 8 + 1 + trusted_len + 8 + 1 + revoked_len;
    const uint8_t head[] = {9, 0, 0, (uint8_t)size, 0, 64, 7, 10, 0xA2};
    size_t at = sizeof(head);

    memcpy(reply, head, sizeof(head));
    memcpy(reply + at, "\x67trusted", 8);
    reply[at + 8] = (uint8_t)(0x40 + trusted_len);
    memcpy(reply + at + 9, trusted, trusted_len);
    at += 9 + trusted_len;
    memcpy(reply + at, "\x67revoked", 8);
    reply[at + 8] = (uint8_t)(0x40 + revoked_len);
    memcpy(reply + at + 9, revoked, revoked_len);
    return at + 9 + revoked_len;
}

static void assert_keys(struct smp_bench *bench, uint32_t key_mask,
                        const uint8_t *reply, size_t size)
{
    bench->device.agent.device.journal.state.key_mask = key_mask;
    smp_bench_exchange(bench, ask_keys, sizeof(ask_keys));
    assert_int_equal(bench->reply_count, 1);
    assert_int_equal(bench->reply_sizes[0], size);
    assert_memory_equal(bench->replies[0], reply, size);
}

static void k17_a_device_tells_which_keys_it_trusts_and_which_not_any_more(void **state)
{
    struct smp_bench bench;
    uint8_t ids[2 * OTTER_KEY_ID_SIZE];
    uint8_t reply[64];

    (void)state;
    smp_bench_start(&bench, false, NULL);
    sample_trust_second(&bench.sample);
    smp_bench_again(&bench);
    memcpy(ids, bench.sample.table.keys[0].id, OTTER_KEY_ID_SIZE);
    memcpy(ids + OTTER_KEY_ID_SIZE, bench.sample.table.keys[1].id, OTTER_KEY_ID_SIZE);
    assert_keys(&bench, 0xFFFFFFFF, reply, keys_reply(ids, sizeof(ids), ids, 0, reply));
    assert_keys(&bench, 0xFFFFFFFE, reply,
                keys_reply(ids + OTTER_KEY_ID_SIZE, OTTER_KEY_ID_SIZE, ids,
                           OTTER_KEY_ID_SIZE, reply));
    smp_bench_stop(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_tells_what_its_package_says),
        cmocka_unit_test(a_device_whose_package_says_nothing_says_nothing),
        cmocka_unit_test(the_longest_texts_fit),
        cmocka_unit_test(
            k17_a_device_tells_which_keys_it_trusts_and_which_not_any_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
