/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control packet. Vectors and expected values: tests/vectors/make_package.py, an
 * encoder of its own made from docs/SPEC.md; the key: RFC 6979, A.2.5.
 */
#include "crypto_bearssl.h"
#include "otter/bytes.h"
#include "otter/container.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

enum { CONTROL_OFF = OTTER_IMAGE_HEADER_SIZE, MEMBER = 96, LENGTH = 6 };

/* A control packet out of a package vector. */
struct packet {
    uint8_t data[VECTOR_MAX];
    size_t size;
    struct watched watched;
    struct otter_source source;
};

static void packet_load(struct packet *packet, const char *name)
{
    struct vector vector;

    vector_load(name, &vector);
    memcpy(packet->data, vector.data + CONTROL_OFF, vector.size - CONTROL_OFF);
    packet->size = otter_load_le16(packet->data + LENGTH);
    watched_init(&packet->watched, packet->data, packet->size);
    packet->source = watched_source(&packet->watched);
}

static enum otter_result packet_open(struct packet *packet,
                                     struct otter_control *control)
{
    watched_init(&packet->watched, packet->data, packet->size);
    packet->source = watched_source(&packet->watched);
    return otter_control_open(&packet->source, control);
}

/* The vector `name` with one field changed. */
static enum otter_result open_changed(const char *name, size_t off, const void *bytes,
                                      size_t len)
{
    struct packet packet;
    struct otter_control control;

    packet_load(&packet, name);
    memcpy(packet.data + off, bytes, len);
    return packet_open(&packet, &control);
}

/* RFC 6979, A.2.5: Ux and Uy. */
static const struct otter_key test_key = {
    .id = {0}, /* set by trusted_key() */
    .point = {0x60, 0xFE, 0xD4, 0xBA, 0x25, 0x5A, 0x9D, 0x31, 0xC9, 0x61, 0xEB,
              0x74, 0xC6, 0x35, 0x6D, 0x68, 0xC0, 0x49, 0xB8, 0x92, 0x3B, 0x61,
              0xFA, 0x6C, 0xE6, 0x69, 0x62, 0x2E, 0x60, 0xF2, 0x9F, 0xB6, 0x79,
              0x03, 0xFE, 0x10, 0x08, 0xB8, 0xBC, 0x99, 0xA4, 0x1A, 0xE9, 0xE9,
              0x56, 0x28, 0xBC, 0x64, 0xF2, 0xF1, 0xB2, 0x0C, 0x2D, 0x7E, 0x9F,
              0x51, 0x77, 0xA3, 0xC2, 0x94, 0xD4, 0x46, 0x22, 0x99},
};

static struct otter_key trusted_key(void)
{
    const struct otter_crypto *crypto = &otter_crypto_bearssl;
    struct otter_key key = test_key;
    struct otter_sha256 sha;
    uint8_t digest[OTTER_SHA256_SIZE];
    const uint8_t uncompressed = 4;

    crypto->sha256_init(crypto->context, &sha);
    crypto->sha256_update(crypto->context, &sha, &uncompressed, 1);
    crypto->sha256_update(crypto->context, &sha, key.point, sizeof(key.point));
    crypto->sha256_final(crypto->context, &sha, digest);
    memcpy(key.id, digest, sizeof(key.id));
    return key;
}

static enum otter_result verify(struct packet *packet, const struct otter_key *keys,
                                uint8_t count, uint32_t mask)
{
    struct otter_control control;
    enum otter_result result = packet_open(packet, &control);

    return result != OTTER_OK
               ? result
               : otter_control_verify(&packet->source, &control, keys, count, mask,
                                      &otter_crypto_bearssl);
}

/* ---- values ---- */

static void the_head_gives_every_field_of_the_format(void **state)
{
    struct packet packet;
    struct otter_control control;

    (void)state;
    packet_load(&packet, "full.otter");
    assert_int_equal(packet_open(&packet, &control), OTTER_OK);
    assert_int_equal(control.length, packet.size);
    assert_int_equal(control.signed_size,
                     packet.size - 2 * OTTER_CONTROL_SIGNATURE_SIZE);
    assert_int_equal(control.version.major, 255);
    assert_int_equal(control.version.minor, 254);
    assert_int_equal(control.version.revision, 65533);
    assert_int_equal(control.version.build, 4294967292U);
    assert_int_equal(control.follows.major, 1);
    assert_int_equal(control.follows.minor, 2);
    assert_int_equal(control.follows.revision, 3);
    assert_int_equal(control.follows.build, 4);
    assert_int_equal(control.file_length, 32 + packet.size + 300 + 200 + 180 + 40);
    assert_int_equal(control.target, 0xFEDCBA98);
    assert_int_equal(control.hardware_min, 0x1234);
    assert_int_equal(control.hardware_max, 0x5678);
    assert_int_equal(control.counter, 0x89ABCDEF);
    assert_int_equal(control.boot_min, 0x1357);
    assert_int_equal(control.manager_min, 0x2468);
    assert_int_equal(control.member_count, 4);
    assert_int_equal(control.signature_count, 2);
    for (uint8_t i = 0; i < OTTER_PACKAGE_ID_SIZE; i++) {
        assert_int_equal(control.package_id[i], i);
    }
}

static void members_come_with_their_places_in_the_file(void **state)
{
    static const struct {
        uint8_t role, region, flags;
        uint32_t link_addr, stored, installed, depends;
    } expected[] = {
        {OTTER_ROLE_FIRMWARE, 6, 0, 0x10060000, 300, 300, 0},
        {OTTER_ROLE_MANAGER, 0, 0, 0x10020000, 200, 200, 1},
        {OTTER_ROLE_TABLE, 0, 0, 0, 180, 180, 3},
        {OTTER_ROLE_FONT, 0, OTTER_MEMBER_KEPT, 0, 0, 77, 0},
    };
    struct packet packet;
    struct otter_control control;
    struct otter_member member;
    uint32_t off = 0;

    (void)state;
    packet_load(&packet, "full.otter");
    assert_int_equal(packet_open(&packet, &control), OTTER_OK);
    uint32_t place = OTTER_IMAGE_HEADER_SIZE + (uint32_t)packet.size;

    for (uint8_t i = 0; i < 4; i++) {
        assert_int_equal(otter_control_member(&packet.source, &control, i, &member),
                         OTTER_OK);
        assert_int_equal(member.role, expected[i].role);
        assert_int_equal(member.region, expected[i].region);
        assert_int_equal(member.flags, expected[i].flags);
        assert_int_equal(member.link_addr, expected[i].link_addr);
        assert_int_equal(member.stored_size, expected[i].stored);
        assert_int_equal(member.installed_size, expected[i].installed);
        assert_int_equal(member.depends, expected[i].depends);
        assert_int_equal(otter_control_member_off(&packet.source, &control, i, &off),
                         OTTER_OK);
        assert_int_equal(off, place);
        place += expected[i].stored;
    }
    assert_int_equal(otter_control_member_off(&packet.source, &control, 4, &off),
                     OTTER_OK);
    assert_int_equal(off, control.file_length - OTTER_TRAILER_SIZE);
    assert_int_equal(otter_control_member(&packet.source, &control, 4, &member),
                     OTTER_E_CONTROL_COUNT);
}

static void extensions_are_found_by_their_type(void **state)
{
    static const struct {
        uint16_t type;
        const char *text;
    } expected[] = {
        {OTTER_EXTENSION_VENDOR, "Lutra Labs"},
        {OTTER_EXTENSION_PRODUCT, "Weir gauge \xE2\x80\x94 \xC3\xA9t\xC3\xA9"},
        {OTTER_EXTENSION_VERSION, "1.2.3-rc1"},
        {OTTER_EXTENSION_BUILD, "0123abcd"},
        {OTTER_EXTENSION_NOTES, "First line\nSecond\tline: \xE2\x9C\x93\n"},
        {OTTER_EXTENSION_BATTERY, "\x23"},
        {0x77, ""},
    };
    struct packet packet;
    struct otter_control control;
    char text[64];
    size_t len = 0;

    (void)state;
    packet_load(&packet, "full.otter");
    assert_int_equal(packet_open(&packet, &control), OTTER_OK);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_int_equal(otter_control_extension(&packet.source, &control,
                                                 expected[i].type, text, sizeof(text),
                                                 &len),
                         OTTER_OK);
        assert_int_equal(len, strlen(expected[i].text));
        assert_memory_equal(text, expected[i].text, len);
    }
    assert_int_equal(otter_control_extension(&packet.source, &control,
                                             OTTER_EXTENSION_VENDOR, text,
                                             strlen("Lutra Labs") - 1, &len),
                     OTTER_E_CONTROL_TEXT);
}

static void versions_are_ordered_by_major_minor_revision_build(void **state)
{
    static const struct otter_version rising[] = {
        {0, 0, 0, 0}, {0, 0, 0, 1},   {0, 0, 1, 0},     {0, 1, 0, 0},
        {1, 0, 0, 0}, {1, 0, 0, 9},   {1, 0, 65535, 0}, {1, 255, 0, 4294967295U},
        {2, 0, 0, 0}, {255, 0, 0, 0},
    };
    const size_t count = sizeof(rising) / sizeof(rising[0]);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            int order = otter_version_compare(&rising[i], &rising[j]);

            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
}

static void the_length_is_taken_only_from_a_head_of_this_format(void **state)
{
    static const struct {
        const char *head; /* 8 bytes */
        enum otter_result result;
    } cases[] = {
        {"OTTR\x01\x00\x60\x00", OTTER_OK},
        {"OTTR\x01\x00\x00\x08", OTTER_OK},
        {"OTTR\x01\x00\x5F\x00", OTTER_E_CONTROL_LENGTH},
        {"OTTR\x01\x00\x01\x08", OTTER_E_CONTROL_LENGTH},
        {"OTTR\x01\x00\xFF\xFF", OTTER_E_CONTROL_LENGTH},
        {"OTTR\x01\x00\x00\x00", OTTER_E_CONTROL_LENGTH},
        {"OTTR\x00\x00\x60\x00", OTTER_E_CONTROL_VERSION},
        {"OTTR\x02\x00\x60\x00", OTTER_E_CONTROL_VERSION},
        {"OTTR\x01\x01\x60\x00", OTTER_E_CONTROL_VERSION},
        {"OTTS\x01\x00\x60\x00", OTTER_E_CONTROL_MAGIC},
        {"ottr\x01\x00\x60\x00", OTTER_E_CONTROL_MAGIC},
    };
    uint8_t head[8];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint16_t length = 1;

        memcpy(head, cases[i].head, sizeof(head));
        assert_int_equal(otter_control_length(head, &length), cases[i].result);
        assert_int_equal(length,
                         cases[i].result == OTTER_OK ? otter_load_le16(head + 6) : 1);
    }
}

/* ---- bad forms ---- */

static void every_field_at_a_bad_value_has_its_code(void **state)
{
    /* Offsets: docs/SPEC.md. Members of plain.otter: firmware carried, two kept. */
    enum { FIRST = 96, SECOND = 192, SIGNATURE = 384 };
    static const struct {
        size_t off;
        const char *bytes;
        size_t len;
        enum otter_result result;
    } cases[] = {
        {0, "X", 1, OTTER_E_CONTROL_MAGIC},
        {4, "\x02", 1, OTTER_E_CONTROL_VERSION},
        {6, "\x5F\x00", 2, OTTER_E_CONTROL_LENGTH},
        {6, "\x01\x08", 2, OTTER_E_CONTROL_LENGTH},
        {8, "\x3C", 1, OTTER_E_PACKAGE_HEADER},
        {12, "\x01", 1, OTTER_E_PACKAGE_HEADER},
        {16, "\x21", 1, OTTER_E_PACKAGE_HEADER},
        {18, "\x01", 1, OTTER_E_PACKAGE_HEADER},
        {20, "\x00", 1, OTTER_E_PACKAGE_LENGTH},
        {24, "\x10", 1, OTTER_E_PACKAGE_HEADER},
        {36, "\x01", 1, OTTER_E_PACKAGE_HEADER},
        {40, "\x00\x00\x00\x00", 4, OTTER_E_PACKAGE_LENGTH},
        {40, "\x47\x00\x00\x00", 4, OTTER_E_PACKAGE_LENGTH},
        {40, "\xFF\xFF\xFF\xFF", 4, OTTER_E_PACKAGE_LENGTH},
        {84, "\x00", 1, OTTER_E_CONTROL_COUNT},
        {84, "\x09", 1, OTTER_E_CONTROL_COUNT},
        {84, "\xFF", 1, OTTER_E_CONTROL_COUNT},
        {84, "\x04", 1, OTTER_E_CONTROL_LENGTH},
        {85, "\x05", 1, OTTER_E_SIGNATURE_FORM},
        {85, "\xFF", 1, OTTER_E_SIGNATURE_FORM},
        {85, "\x00", 1, OTTER_E_CONTROL_LENGTH},
        {86, "\xFF\xFF", 2, OTTER_E_CONTROL_LENGTH},
        {86, "\x01\x00", 2, OTTER_E_CONTROL_LENGTH},
        {88, "\x01", 1, OTTER_E_CONTROL_RESERVED},
        {95, "\x80", 1, OTTER_E_CONTROL_RESERVED},
        {FIRST + 0, "\x00", 1, OTTER_E_CONTROL_MEMBER},
        {FIRST + 0, "\x05", 1, OTTER_E_CONTROL_MISSING},
        {FIRST + 3, "\x10", 1, OTTER_E_CONTROL_FLAGS},
        {FIRST + 3, "\x08", 1, OTTER_E_CONTROL_MEMBER}, /* of what is in place */
        {FIRST + 3, "\x0A", 1, OTTER_OK},
        {FIRST + 3, "\x04", 1, OTTER_E_CONTROL_MEMBER}, /* its hashes are the same */
        {FIRST + 3, "\x01", 1, OTTER_E_CONTROL_MEMBER},
        {FIRST + 3, "\x02", 1, OTTER_OK},
        {FIRST + 8, "\x00\x00\x00\x00", 4, OTTER_E_CONTROL_MEMBER},
        {FIRST + 8, "\x2D", 1, OTTER_E_CONTROL_MEMBER},
        {FIRST + 12, "\x2D", 1, OTTER_E_CONTROL_MEMBER},
        {FIRST + 20, "\x01", 1, OTTER_E_CONTROL_MEMBER},
        {FIRST + 20, "\x00\x00\x00\x80", 4, OTTER_E_CONTROL_MEMBER},
        {FIRST + 24, "\x00\x00", 2, OTTER_E_CONTROL_MEMBER},
        {FIRST + 90, "\x01", 1, OTTER_E_CONTROL_RESERVED},
        {FIRST + 95, "\x01", 1, OTTER_E_CONTROL_RESERVED},
        {SECOND + 0, "\x01", 1, OTTER_E_CONTROL_DOUBLED},
        {SECOND + 2, "\x01", 1, OTTER_E_CONTROL_MEMBER},
        {SECOND + 3, "\x03", 1, OTTER_E_CONTROL_MEMBER},
        {SECOND + 3, "\x05", 1, OTTER_OK},
        {SECOND + 8, "\x01", 1, OTTER_E_CONTROL_MEMBER},
        {SECOND + 12, "\x00\x00\x00\x00", 4, OTTER_E_CONTROL_MEMBER},
        {SECOND + 20, "\x01", 1, OTTER_OK},
        {SECOND + 20, "\x02", 1, OTTER_E_CONTROL_MEMBER},
        {SECOND + 24, "\x01", 1, OTTER_E_CONTROL_MEMBER},
        {SIGNATURE + 8, "\x02", 1, OTTER_E_SIGNATURE_FORM},
        {SIGNATURE + 8, "\x00", 1, OTTER_E_SIGNATURE_FORM},
        {SIGNATURE + 9, "\x01", 1, OTTER_E_SIGNATURE_FORM},
        {SIGNATURE + 10, "\x3F\x00", 2, OTTER_E_SIGNATURE_FORM},
        {SIGNATURE + 10, "\xFF\xFF", 2, OTTER_E_SIGNATURE_FORM},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum otter_result result =
            open_changed("plain.otter", cases[i].off, cases[i].bytes, cases[i].len);

        if (result != cases[i].result) {
            fail_msg("offset %zu, case %zu: code %04X, expected %04X", cases[i].off, i,
                     otter_code(result), otter_code(cases[i].result));
        }
    }
}

static void a_packet_cut_at_any_byte_is_refused(void **state)
{
    struct packet packet;
    struct otter_control control;

    (void)state;
    packet_load(&packet, "full.otter");
    size_t whole = packet.size;

    for (packet.size = 0; packet.size < whole; packet.size++) {
        assert_int_equal(packet_open(&packet, &control), OTTER_E_CONTROL_LENGTH);
    }
}

static void what_follows_a_packet_is_not_looked_at(void **state)
{
    struct packet packet;
    struct otter_control control;

    (void)state;
    packet_load(&packet, "plain.otter");
    size_t end = packet.size;

    packet.size = end + 100;
    assert_int_equal(packet_open(&packet, &control), OTTER_OK);
    assert_int_equal(control.length, end);
    for (size_t i = end; i < packet.size; i++) {
        assert_int_equal(packet.watched.seen[i], 0);
    }
}

static void a_refused_packet_leaves_the_result_untouched(void **state)
{
    struct packet packet;
    struct otter_control control;
    struct otter_control before;

    (void)state;
    memset(&control, 0x5A, sizeof(control));
    before = control;
    packet_load(&packet, "cut_character.otter");
    assert_int_equal(packet_open(&packet, &control), OTTER_E_CONTROL_TEXT);
    assert_memory_equal(&control, &before, sizeof(control));
}

static void bytes_are_read_at_most_three_times_and_96_at_once(void **state)
{
    static const char *const names[] = {"full.otter", "eight_members.otter",
                                        "control_2048.otter", "notes_512.otter"};
    struct packet packet;
    struct otter_control control;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        packet_load(&packet, names[i]);
        assert_int_equal(packet_open(&packet, &control), OTTER_OK);
        assert_in_range(packet.watched.longest, 1, 96);
        for (size_t at = 0; at < packet.size; at++) {
            assert_in_range(packet.watched.seen[at], 0, 3);
        }
    }
}

static void a_read_error_passes_through(void **state)
{
    struct packet packet;
    struct otter_control control;
    const struct otter_key key = trusted_key();

    (void)state;
    packet_load(&packet, "full.otter");
    assert_int_equal(packet_open(&packet, &control), OTTER_OK);
    unsigned reads = packet.watched.reads;

    for (unsigned at = 1; at <= reads; at++) {
        watched_init(&packet.watched, packet.data, packet.size);
        packet.watched.fail_at = at;
        assert_int_equal(otter_control_open(&packet.source, &control),
                         OTTER_E_FLASH_READ);
    }
    assert_int_equal(packet_open(&packet, &control), OTTER_OK);
    watched_init(&packet.watched, packet.data, packet.size);
    assert_int_equal(otter_control_verify(&packet.source, &control, &key, 1, 1,
                                          &otter_crypto_bearssl),
                     OTTER_OK);
    reads = packet.watched.reads;
    for (unsigned at = 1; at <= reads; at++) {
        watched_init(&packet.watched, packet.data, packet.size);
        packet.watched.fail_at = at;
        assert_int_equal(otter_control_verify(&packet.source, &control, &key, 1, 1,
                                              &otter_crypto_bearssl),
                         OTTER_E_FLASH_READ);
    }
}

/* The notes are the last of several extensions: heads are read, then their text. */
static void a_read_error_on_the_way_to_an_extension_passes_through(void **state)
{
    struct packet packet;
    struct otter_control control;
    char text[64];
    size_t len = 0;

    (void)state;
    packet_load(&packet, "full.otter");
    assert_int_equal(packet_open(&packet, &control), OTTER_OK);
    watched_init(&packet.watched, packet.data, packet.size);
    assert_int_equal(otter_control_extension(&packet.source, &control,
                                             OTTER_EXTENSION_NOTES, text, sizeof(text),
                                             &len),
                     OTTER_OK);
    unsigned reads = packet.watched.reads;

    assert_true(reads > 2);
    for (unsigned at = 1; at <= reads; at++) {
        watched_init(&packet.watched, packet.data, packet.size);
        packet.watched.fail_at = at;
        assert_int_equal(otter_control_extension(&packet.source, &control,
                                                 OTTER_EXTENSION_NOTES, text,
                                                 sizeof(text), &len),
                         OTTER_E_FLASH_READ);
    }
}

/* ---- texts ---- */

/* Opens the vector with the longest notes, all of them the letter a but `count` bytes
 * from `off`. */
static enum otter_result open_notes(size_t off, size_t count, uint8_t byte)
{
    struct packet packet;
    struct otter_control control;
    uint32_t at = 0;

    packet_load(&packet, "notes_512.otter");
    assert_int_equal(packet_open(&packet, &control), OTTER_OK);
    /* the only extension */
    at = (uint32_t)control.extensions_off + 4;
    assert_int_equal(control.extensions_size, 4 + 512);
    memset(packet.data + at, 'a', 512);
    memset(packet.data + at + off, byte, count);
    return packet_open(&packet, &control);
}

/* Unicode 15, table 3-7: a byte of 80 to BF continues a character and begins none. */
static void texts_are_checked_across_the_ends_of_their_parts_of_64_bytes(void **state)
{
    static const struct {
        size_t off, count;
        uint8_t byte;
        enum otter_result result;
    } cases[] = {
        {0, 0, 0, OTTER_OK},                  /* ASCII at every end */
        {63, 1, '\n', OTTER_OK},              /* notes have lines */
        {60, 4, 0x80, OTTER_E_CONTROL_TEXT},  /* four before the end, no begin */
        {62, 2, 0x80, OTTER_E_CONTROL_TEXT},  /* two after ASCII */
        {63, 1, 0xC3, OTTER_E_CONTROL_TEXT},  /* a begin, and ASCII follows */
        {64, 1, 0x80, OTTER_E_CONTROL_TEXT},  /* none before the end */
        {511, 1, 0xC3, OTTER_E_CONTROL_TEXT}, /* a begin, and nothing follows */
        {0, 512, 0xBF, OTTER_E_CONTROL_TEXT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(open_notes(cases[i].off, cases[i].count, cases[i].byte),
                         cases[i].result);
    }
}

static void a_text_of_one_line_has_no_line_feed_and_no_tab(void **state)
{
    struct packet packet;
    struct otter_control control;
    const char breaks[] = {'\n', '\t'};

    (void)state;
    for (size_t i = 0; i < sizeof(breaks); i++) {
        packet_load(&packet, "text_64.otter");
        assert_int_equal(packet_open(&packet, &control), OTTER_OK);
        packet.data[control.extensions_off + 4 + 30] = (uint8_t)breaks[i];
        assert_int_equal(packet_open(&packet, &control), OTTER_E_CONTROL_TEXT);
    }
}

static void extensions_that_must_be_understood_or_are_malformed_have_their_codes(
    void **state)
{
    static const struct {
        const char *name;
        enum otter_result result;
    } cases[] = {
        {"critical_extension.otter", OTTER_E_CONTROL_CRITICAL},
        {"doubled_extension.otter", OTTER_E_CONTROL_TLV},
        {"cut_extension.otter", OTTER_E_CONTROL_TLV},
        {"long_extension.otter", OTTER_E_CONTROL_TLV},
        {"battery_101.otter", OTTER_E_CONTROL_TLV},
        {"battery_2.otter", OTTER_E_CONTROL_TLV},
    };
    struct packet packet;
    struct otter_control control;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        packet_load(&packet, cases[i].name);
        assert_int_equal(packet_open(&packet, &control), cases[i].result);
    }
}

/* ---- signatures ---- */

static void one_signature_by_a_trusted_key_is_enough(void **state)
{
    static const struct {
        const char *name;
        enum otter_result result;
    } cases[] = {
        {"plain.otter", OTTER_OK},
        {"full.otter", OTTER_OK}, /* the second of two */
        {"four_signatures.otter", OTTER_OK},
        {"control_2048.otter", OTTER_OK},
        {"other_key.otter", OTTER_E_SIGNATURE_KEY},
        {"unsigned.otter", OTTER_E_SIGNATURE_NONE},
    };
    struct packet packet;
    const struct otter_key key = trusted_key();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        packet_load(&packet, cases[i].name);
        assert_int_equal(verify(&packet, &key, 1, 1), cases[i].result);
    }
}

static void the_strongest_reason_is_given(void **state)
{
    struct packet packet;
    struct otter_key keys[2];

    (void)state;
    keys[1] = trusted_key();
    keys[0] = keys[1];
    keys[0].id[0] ^= 1;
    packet_load(&packet, "full.otter");
    assert_int_equal(verify(&packet, keys, 2, 3), OTTER_OK);
    assert_int_equal(verify(&packet, keys, 2, 2), OTTER_OK);
    assert_int_equal(verify(&packet, keys, 2, 1), OTTER_E_SIGNATURE_REVOKED);
    assert_int_equal(verify(&packet, keys, 2, 0), OTTER_E_SIGNATURE_REVOKED);
    assert_int_equal(verify(&packet, keys, 1, 3), OTTER_E_SIGNATURE_KEY);
    assert_int_equal(verify(&packet, keys, 0, 3), OTTER_E_SIGNATURE_KEY);

    /* The first signature is by this id, but not by this key; the other key is revoked.
     */
    memcpy(keys[0].id,
           packet.data + packet.size - (size_t)2 * OTTER_CONTROL_SIGNATURE_SIZE,
           OTTER_KEY_ID_SIZE);
    assert_int_equal(verify(&packet, keys, 2, 1), OTTER_E_SIGNATURE_BAD);
    assert_int_equal(verify(&packet, keys, 2, 3), OTTER_OK);
}

/* A key that has failed once is not tried again, whatever the packet says: a check is
 * the longest step that a device does (K22). */
static void two_signatures_of_one_key_cost_one_check(void **state)
{
    struct packet packet;
    const struct otter_key key = trusted_key();

    (void)state;
    packet_load(&packet, "full.otter");
    uint8_t *last = packet.data + packet.size - OTTER_CONTROL_SIGNATURE_SIZE;

    memcpy(last - OTTER_CONTROL_SIGNATURE_SIZE, last, OTTER_CONTROL_SIGNATURE_SIZE);
    assert_int_equal(verify(&packet, &key, 1, 1), OTTER_OK);
    last[-1] ^= 1; /* the first of the two is wrong, so the second counts no more */
    assert_int_equal(verify(&packet, &key, 1, 1), OTTER_E_SIGNATURE_BAD);
}

/* P6: changed in any bit. */
static void every_flipped_bit_fails_by_its_form_or_its_signature(void **state)
{
    struct packet packet;
    const struct otter_key key = trusted_key();

    (void)state;
    packet_load(&packet, "plain.otter");
    size_t signed_size = packet.size - OTTER_CONTROL_SIGNATURE_SIZE;

    for (size_t bit = 0; bit < packet.size * 8; bit++) {
        packet.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        enum otter_result result = verify(&packet, &key, 1, 1);
        uint8_t stage = (uint8_t)(otter_code(result) >> 8);

        if (bit / 8 >= signed_size + OTTER_KEY_ID_SIZE + 4) {
            assert_int_equal(result, OTTER_E_SIGNATURE_BAD);
        } else if (bit / 8 >= signed_size + OTTER_KEY_ID_SIZE) {
            assert_int_equal(result, OTTER_E_SIGNATURE_FORM);
        } else if (bit / 8 >= signed_size) {
            assert_int_equal(result, OTTER_E_SIGNATURE_KEY);
        } else {
            assert_in_range(stage, 20, 22);
            assert_true(stage != 22 || result == OTTER_E_SIGNATURE_BAD ||
                        result == OTTER_E_SIGNATURE_FORM);
        }
        packet.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_int_equal(verify(&packet, &key, 1, 1), OTTER_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_gives_every_field_of_the_format),
        cmocka_unit_test(members_come_with_their_places_in_the_file),
        cmocka_unit_test(extensions_are_found_by_their_type),
        cmocka_unit_test(versions_are_ordered_by_major_minor_revision_build),
        cmocka_unit_test(the_length_is_taken_only_from_a_head_of_this_format),
        cmocka_unit_test(every_field_at_a_bad_value_has_its_code),
        cmocka_unit_test(a_packet_cut_at_any_byte_is_refused),
        cmocka_unit_test(what_follows_a_packet_is_not_looked_at),
        cmocka_unit_test(a_refused_packet_leaves_the_result_untouched),
        cmocka_unit_test(bytes_are_read_at_most_three_times_and_96_at_once),
        cmocka_unit_test(a_read_error_passes_through),
        cmocka_unit_test(a_read_error_on_the_way_to_an_extension_passes_through),
        cmocka_unit_test(texts_are_checked_across_the_ends_of_their_parts_of_64_bytes),
        cmocka_unit_test(a_text_of_one_line_has_no_line_feed_and_no_tab),
        cmocka_unit_test(
            extensions_that_must_be_understood_or_are_malformed_have_their_codes),
        cmocka_unit_test(one_signature_by_a_trusted_key_is_enough),
        cmocka_unit_test(the_strongest_reason_is_given),
        cmocka_unit_test(two_signatures_of_one_key_cost_one_check),
        cmocka_unit_test(every_flipped_bit_fails_by_its_form_or_its_signature),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
