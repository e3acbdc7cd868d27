/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CBOR: well-formed and not well-formed items are those of RFC 8949, appendices A and
 * F.1; messages were made with Python's cbor2.
 */
#include "otter/cbor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ITEM_MAX = 64, COUNT_OF_UINTS = 10 };

struct sample_item {
    const char *bytes;
    size_t size;
    uint8_t kind;
    uint64_t value;
};

#define ITEM(bytes, kind, value)              \
    {                                         \
        bytes, sizeof(bytes) - 1, kind, value \
    }

/* RFC 8949, appendix A. */
static const struct sample_item well_formed[] = {
    ITEM("\x00", OTTER_CBOR_UINT, 0),
    ITEM("\x0a", OTTER_CBOR_UINT, 10),
    ITEM("\x17", OTTER_CBOR_UINT, 23),
    ITEM("\x18\x18", OTTER_CBOR_UINT, 24),
    ITEM("\x18\x64", OTTER_CBOR_UINT, 100),
    ITEM("\x19\x03\xe8", OTTER_CBOR_UINT, 1000),
    ITEM("\x1a\x00\x0f\x42\x40", OTTER_CBOR_UINT, 1000000),
    ITEM("\x1b\x00\x00\x00\xe8\xd4\xa5\x10\x00", OTTER_CBOR_UINT, 1000000000000),
    ITEM("\x1b\xff\xff\xff\xff\xff\xff\xff\xff", OTTER_CBOR_UINT, UINT64_MAX),
    ITEM("\x1a\xff\xff\xff\xff", OTTER_CBOR_UINT, UINT32_MAX),
    ITEM("\x20", OTTER_CBOR_NEGATIVE, 0),
    ITEM("\x39\x03\xe7", OTTER_CBOR_NEGATIVE, 999),
    ITEM("\xf9\x3c\x00", OTTER_CBOR_OTHER, 0x3c00),
    ITEM("\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a", OTTER_CBOR_OTHER, 0x3ff199999999999a),
    ITEM("\xf4", OTTER_CBOR_BOOL, 0),
    ITEM("\xf5", OTTER_CBOR_BOOL, 1),
    ITEM("\xf6", OTTER_CBOR_NULL, 22),
    ITEM("\xf7", OTTER_CBOR_NULL, 23),
    ITEM("\xf8\xff", OTTER_CBOR_OTHER, 255),
    ITEM("\xc1\x1a\x51\x4b\x67\xb0", OTTER_CBOR_UINT, 1363896240),
    ITEM("\x40", OTTER_CBOR_BYTES, 0),
    ITEM("\x44\x01\x02\x03\x04", OTTER_CBOR_BYTES, 4),
    ITEM("\x64IETF", OTTER_CBOR_TEXT, 4),
    ITEM("\x5f\x42\x01\x02\x43\x03\x04\x05\xff", OTTER_CBOR_BYTES, 31),
    ITEM("\x7f\x65strea\x64ming\xff", OTTER_CBOR_TEXT, 31),
    ITEM("\x80", OTTER_CBOR_ARRAY, 0),
    ITEM("\x83\x01\x82\x02\x03\x82\x04\x05", OTTER_CBOR_ARRAY, 3),
    ITEM("\xa2\x61\x61\x01\x61\x62\x82\x02\x03", OTTER_CBOR_MAP, 2),
    ITEM("\x9f\xff", OTTER_CBOR_ARRAY, 0),
    ITEM("\x9f\x01\x82\x02\x03\x9f\x04\x05\xff\xff", OTTER_CBOR_ARRAY, 0),
    ITEM("\x83\x01\x9f\x02\x03\xff\x82\x04\x05", OTTER_CBOR_ARRAY, 3),
    ITEM("\xbf\x61\x61\x01\x61\x62\x9f\x02\x03\xff\xff", OTTER_CBOR_MAP, 0),
    ITEM("\xbf\x63\x46\x75\x6e\xf5\x63\x41\x6d\x74\x21\xff", OTTER_CBOR_MAP, 0),
    ITEM("\x82\x61\x61\xbf\x61\x62\x61\x63\xff", OTTER_CBOR_ARRAY, 2),
};

#define BAD(bytes)                     \
    {                                  \
        bytes, sizeof(bytes) - 1, 0, 0 \
    }

/* RFC 8949, appendix F.1. */
static const struct sample_item not_well_formed[] = {
    BAD("\x18"),
    BAD("\x19"),
    BAD("\x1a"),
    BAD("\x1b"),
    BAD("\x19\x01"),
    BAD("\x1a\x01\x02"),
    BAD("\x1b\x01\x02\x03\x04\x05\x06\x07"),
    BAD("\x38"),
    BAD("\x58"),
    BAD("\x78"),
    BAD("\x98"),
    BAD("\x9a\x01\xff\x00"),
    BAD("\xb8"),
    BAD("\xd8"),
    BAD("\xf8"),
    BAD("\xf9\x00"),
    BAD("\xfa\x00\x00"),
    BAD("\xfb\x00\x00\x00"),
    BAD("\x41"),
    BAD("\x61"),
    BAD("\x5a\xff\xff\xff\xff\x00"),
    BAD("\x5b\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03"),
    BAD("\x7a\xff\xff\xff\xff\x00"),
    BAD("\x7b\x7f\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03"),
    BAD("\x81"),
    BAD("\x81\x81\x81\x81\x81\x81\x81\x81\x81"),
    BAD("\x82\x00"),
    BAD("\xa1"),
    BAD("\xa2\x01\x02"),
    BAD("\xa1\x00"),
    BAD("\xa2\x00\x00\x00"),
    BAD("\xc0"),
    BAD("\x5f\x41\x00"),
    BAD("\x7f\x61\x00"),
    BAD("\x9f"),
    BAD("\x9f\x01\x02"),
    BAD("\xbf"),
    BAD("\xbf\x01\x02\x01\x02"),
    BAD("\x81\x9f"),
    BAD("\x9f\x80\x00"),
    BAD("\x9f\x9f\x9f\x9f\x9f\xff\xff\xff\xff"),
    BAD("\x9f\x81\x9f\x81\x9f\x9f\xff\xff\xff"),
    BAD("\x1c"),
    BAD("\x1d"),
    BAD("\x1e"),
    BAD("\x3c"),
    BAD("\x3d"),
    BAD("\x3e"),
    BAD("\x5c"),
    BAD("\x5d"),
    BAD("\x5e"),
    BAD("\x7c"),
    BAD("\x7d"),
    BAD("\x7e"),
    BAD("\x9c"),
    BAD("\x9d"),
    BAD("\x9e"),
    BAD("\xbc"),
    BAD("\xbd"),
    BAD("\xbe"),
    BAD("\xdc"),
    BAD("\xdd"),
    BAD("\xde"),
    BAD("\xfc"),
    BAD("\xfd"),
    BAD("\xfe"),
    BAD("\xf8\x00"),
    BAD("\xf8\x01"),
    BAD("\xf8\x18"),
    BAD("\xf8\x1f"),
    BAD("\x5f\x00\xff"),
    BAD("\x5f\x21\xff"),
    BAD("\x5f\x61\x00\xff"),
    BAD("\x5f\x80\xff"),
    BAD("\x5f\xa0\xff"),
    BAD("\x5f\xc0\x00\xff"),
    BAD("\x5f\xe0\xff"),
    BAD("\x7f\x41\x00\xff"),
    BAD("\x5f\x5f\x41\x00\xff\xff"),
    BAD("\x7f\x7f\x61\x00\xff\xff"),
    BAD("\xff"),
    BAD("\x81\xff"),
    BAD("\x82\x00\xff"),
    BAD("\xa1\xff"),
    BAD("\xa1\xff\x00"),
    BAD("\xa1\x00\xff"),
    BAD("\xa2\x00\x00\xff"),
    BAD("\x9f\x81\xff"),
    BAD("\x9f\x82\x9f\x81\x9f\x9f\xff\xff\xff\xff"),
    BAD("\xbf\x00\xff"),
    BAD("\xbf\x00\x00\x00\xff"),
    BAD("\x1f"),
    BAD("\x3f"),
    BAD("\xdf"),
};

/* Reads one whole item that is all there is. */
static enum otter_result read_whole(const struct sample_item *sample, uint8_t *bytes,
                                    struct otter_cbor_item *item)
{
    memcpy(bytes, sample->bytes, sample->size);
    struct otter_reader reader = otter_reader_of(bytes, sample->size);
    enum otter_result result = otter_cbor_read(&reader, bytes, item);

    if (result == OTTER_OK) {
        result = otter_cbor_skip(&reader, item);
    }
    if (result == OTTER_OK && !otter_reader_is_done(&reader)) {
        result = OTTER_E_SMP_CBOR;
    }
    return result;
}

static void items_of_rfc_8949_appendix_a_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(well_formed) / sizeof(well_formed[0]); i++) {
        uint8_t bytes[ITEM_MAX];
        struct otter_cbor_item item;

        assert_int_equal(read_whole(&well_formed[i], bytes, &item), OTTER_OK);
        assert_int_equal(item.kind, well_formed[i].kind);
        if (item.kind == OTTER_CBOR_UINT || item.kind == OTTER_CBOR_NEGATIVE ||
            item.kind == OTTER_CBOR_BOOL || item.kind == OTTER_CBOR_OTHER) {
            assert_true(item.value == well_formed[i].value);
        }
    }
}

static void every_shortened_item_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(well_formed) / sizeof(well_formed[0]); i++) {
        for (size_t size = 0; size < well_formed[i].size; size++) {
            struct sample_item shorter = well_formed[i];
            uint8_t bytes[ITEM_MAX];
            struct otter_cbor_item item;

            shorter.size = size;
            assert_int_equal(read_whole(&shorter, bytes, &item), OTTER_E_SMP_CBOR);
        }
    }
}

static void items_of_rfc_8949_appendix_f_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(not_well_formed) / sizeof(not_well_formed[0]); i++) {
        uint8_t bytes[ITEM_MAX];
        struct otter_cbor_item item;

        assert_int_equal(read_whole(&not_well_formed[i], bytes, &item),
                         OTTER_E_SMP_CBOR);
    }
}

static void parts_of_an_indefinite_string_are_joined(void **state)
{
    static const struct sample_item parts =
        ITEM("\x5f\x42\x01\x02\x43\x03\x04\x05\xff", OTTER_CBOR_BYTES, 0);
    uint8_t bytes[ITEM_MAX];
    struct otter_cbor_item item;

    (void)state;
    assert_int_equal(read_whole(&parts, bytes, &item), OTTER_OK);
    assert_int_equal(item.len, 5);
    assert_memory_equal(item.bytes, "\x01\x02\x03\x04\x05", 5);
}

static void nesting_is_limited(void **state)
{
    uint8_t bytes[ITEM_MAX];
    struct otter_cbor_item item;

    (void)state;
    for (size_t depth = 1; depth <= OTTER_CBOR_DEPTH + 2; depth++) {
        memset(bytes, 0x81, depth);
        bytes[depth] = 0x00;
        struct otter_reader reader = otter_reader_of(bytes, depth + 1);
        enum otter_result expected =
            depth <= OTTER_CBOR_DEPTH ? OTTER_OK : OTTER_E_SMP_CBOR;

        assert_int_equal(otter_cbor_read(&reader, bytes, &item), OTTER_OK);
        assert_int_equal(otter_cbor_skip(&reader, &item), expected);
    }
}

enum { KEY_OFF, KEY_DATA, KEY_FLAG, KEYS };

static const struct otter_cbor_field keys[KEYS] = {
    [KEY_OFF] = {"off", 1u << OTTER_CBOR_UINT, true},
    [KEY_DATA] = {"data", 1u << OTTER_CBOR_BYTES, false},
    [KEY_FLAG] = {"flag", 1u << OTTER_CBOR_BOOL | 1u << OTTER_CBOR_NULL, false},
};

struct sample_message {
    const char *bytes;
    size_t size;
    enum otter_result result;
};

#define MESSAGE(bytes, result)           \
    {                                    \
        bytes, sizeof(bytes) - 1, result \
    }

/* cbor2.dumps() of the value in the comment; the last ones are bent by hand. */
static const struct sample_message messages[] = {
    /* {"off": 1000} */
    MESSAGE("\xa1\x63off\x19\x03\xe8", OTTER_OK),
    /* {"off": 1000, "other": [1, {"a": b"x"}], "flag": None} */
    MESSAGE("\xa3\x63off\x19\x03\xe8\x65other\x82\x01\xa1\x61\x61\x41x\x64\x66lag\xf6",
            OTTER_OK),
    /* {"flag": True, "data": b"ab", "off": 0} */
    MESSAGE("\xa3\x64\x66lag\xf5\x64\x64\x61ta\x42\x61\x62\x63off\x00", OTTER_OK),
    /* {"flag": True} */
    MESSAGE("\xa1\x64\x66lag\xf5", OTTER_E_SMP_FIELD),
    /* {"off": "1"} */
    MESSAGE("\xa1\x63off\x61\x31", OTTER_E_SMP_FIELD),
    /* {"off": -1} */
    MESSAGE("\xa1\x63off\x20", OTTER_E_SMP_FIELD),
    /* {1: 2, "off": 3} */
    MESSAGE("\xa2\x01\x02\x63off\x03", OTTER_E_SMP_CBOR),
    /* [] */
    MESSAGE("\x80", OTTER_E_SMP_CBOR),
    /* {} */
    MESSAGE("\xa0", OTTER_E_SMP_FIELD),
    MESSAGE("", OTTER_E_SMP_FIELD),
    /* indefinite */
    MESSAGE("\xbf\x63off\x05\xff", OTTER_OK),
    /* off twice */
    MESSAGE("\xa2\x63off\x05\x63off\x05", OTTER_E_SMP_CBOR),
    /* a byte after the map */
    MESSAGE("\xa1\x63off\x05\x00", OTTER_E_SMP_CBOR),
    /* no value */
    MESSAGE("\xa1\x63off", OTTER_E_SMP_CBOR),
    /* break as a value */
    MESSAGE("\xbf\x63off\xff", OTTER_E_SMP_CBOR),
    /* a count of 2^64 - 1 pairs */
    MESSAGE("\xbb\xff\xff\xff\xff\xff\xff\xff\xff\x63off\x05", OTTER_E_SMP_CBOR),
};

static void messages_are_read_into_known_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        uint8_t bytes[ITEM_MAX];
        struct otter_cbor_item items[KEYS];

        memcpy(bytes, messages[i].bytes, messages[i].size);
        assert_int_equal(otter_cbor_message(bytes, messages[i].size, keys, KEYS, items),
                         messages[i].result);
    }
}

static void values_land_at_their_keys_whatever_their_order(void **state)
{
    uint8_t bytes[ITEM_MAX];
    struct otter_cbor_item items[KEYS];

    (void)state;
    memcpy(bytes, messages[2].bytes, messages[2].size);
    assert_int_equal(otter_cbor_message(bytes, messages[2].size, keys, KEYS, items),
                     OTTER_OK);
    assert_int_equal(items[KEY_OFF].kind, OTTER_CBOR_UINT);
    assert_int_equal(items[KEY_OFF].value, 0);
    assert_int_equal(items[KEY_FLAG].value, 1);
    assert_int_equal(items[KEY_DATA].len, 2);
    assert_memory_equal(items[KEY_DATA].bytes, "ab", 2);
}

static void numbers_are_written_with_the_shortest_head(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF_UINTS; i++) {
        uint8_t bytes[ITEM_MAX];
        struct otter_writer writer = otter_writer_of(bytes, sizeof(bytes));

        otter_cbor_put_uint(&writer, well_formed[i].value);
        assert_int_equal(writer.off, well_formed[i].size);
        assert_memory_equal(bytes, well_formed[i].bytes, writer.off);
    }
}

/* cbor2.dumps({"off": 1000, "r": "hi", "hash": bytes(3), "ok": True,
 *              "images": [{"slot": 0}]}) */
static const char whole[] =
    "\xa5\x63off\x19\x03\xe8\x61r\x62hi\x64hash\x43\x00\x00\x00\x62ok\xf5"
    "\x66images\x81\xa1\x64slot\x00";

static void put_whole(struct otter_writer *writer)
{
    struct otter_cbor_map map = otter_cbor_map_open(writer);

    otter_cbor_add_uint(&map, "off", 1000);
    otter_cbor_add_text(&map, "r", "hi");
    otter_cbor_add_bytes(&map, "hash", "\0\0", 3);
    otter_cbor_add_bool(&map, "ok", true);
    otter_cbor_key(&map, "images");
    otter_cbor_put_array(writer, 1);
    struct otter_cbor_map slot = otter_cbor_map_open(writer);

    otter_cbor_add_uint(&slot, "slot", 0);
    otter_cbor_map_close(&slot);
    otter_cbor_map_close(&map);
}

static void maps_are_written_as_cbor2_writes_them(void **state)
{
    uint8_t bytes[ITEM_MAX];
    struct otter_writer writer = otter_writer_of(bytes, sizeof(bytes));

    (void)state;
    put_whole(&writer);
    assert_false(writer.is_failed);
    assert_int_equal(writer.off, sizeof(whole) - 1);
    assert_memory_equal(bytes, whole, sizeof(whole) - 1);
}

static void a_map_that_does_not_fit_fails_at_every_size(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof(whole) - 1; size++) {
        uint8_t bytes[ITEM_MAX];
        struct otter_writer writer = otter_writer_of(bytes, size);

        memset(bytes, 0xEE, sizeof(bytes));
        put_whole(&writer);
        assert_true(writer.is_failed);
        assert_int_equal(bytes[size], 0xEE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_of_rfc_8949_appendix_a_are_read),
        cmocka_unit_test(every_shortened_item_is_refused),
        cmocka_unit_test(items_of_rfc_8949_appendix_f_are_refused),
        cmocka_unit_test(parts_of_an_indefinite_string_are_joined),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(messages_are_read_into_known_keys),
        cmocka_unit_test(values_land_at_their_keys_whatever_their_order),
        cmocka_unit_test(numbers_are_written_with_the_shortest_head),
        cmocka_unit_test(maps_are_written_as_cbor2_writes_them),
        cmocka_unit_test(a_map_that_does_not_fit_fails_at_every_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
