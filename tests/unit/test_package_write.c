/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer of packages. Expected files: those in tests/vectors, made by an encoder of
 * its own (make_package.py): for the same content both give the same bytes, signatures
 * included (K26, RFC 6979).
 */
#include "keys.h"
#include "package_write.h"
#include "vectors.h"
#include "verbs.h"

#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* RFC 6979, A.2.5: x. */
static const uint8_t test_scalar[HOST_SIGN_SCALAR_SIZE] = {
    0xC9, 0xAF, 0xA9, 0xD8, 0x45, 0xBA, 0x75, 0x16, 0x6B, 0x5C, 0x21,
    0x57, 0x67, 0xB1, 0xD6, 0x93, 0x4E, 0x50, 0xC3, 0xDB, 0x36, 0xE8,
    0x9B, 0x12, 0x7B, 0x8A, 0x62, 0x2B, 0x12, 0x0F, 0x67, 0x21};

static struct signing_key key_of(const uint8_t scalar[HOST_SIGN_SCALAR_SIZE])
{
    struct signing_key key = {0};
    uint8_t point[1 + OTTER_P256_KEY_SIZE] = {4};
    uint8_t digest[SHA256_DIGEST_LENGTH];

    memcpy(key.scalar, scalar, sizeof(key.scalar));
    assert_int_equal(host_sign_public(scalar, key.key.point), OTTER_OK);
    memcpy(point + 1, key.key.point, sizeof(key.key.point));
    SHA256(point, sizeof(point), digest);
    memcpy(key.key.id, digest, sizeof(key.key.id));
    return key;
}

static struct signing_key other_key(void)
{
    uint8_t scalar[SHA256_DIGEST_LENGTH];
    static const char text[] = "otter test key 2";

    SHA256((const uint8_t *)text, strlen(text), scalar);
    return key_of(scalar);
}

/* The generator's content(): SHA-256 of "NAME NUMBER", as often as needed. */
static void fill(const char *name, uint8_t *data, size_t size)
{
    for (size_t done = 0; done < size; done += SHA256_DIGEST_LENGTH) {
        uint8_t digest[SHA256_DIGEST_LENGTH];
        char text[32];
        int len = snprintf(text, sizeof(text), "%s %zu", name, done / sizeof(digest));

        SHA256((const uint8_t *)text, (size_t)len, digest);
        memcpy(data + done, digest,
               size - done < sizeof(digest) ? size - done : sizeof(digest));
    }
}

/* Bytes of the members that the vectors are made of. */
struct contents {
    uint8_t firmware[300];
    uint8_t manager[200];
    uint8_t table[180];
    uint8_t font[77];
};

static void fill_contents(struct contents *contents)
{
    fill("firmware", contents->firmware, sizeof(contents->firmware));
    fill("manager", contents->manager, sizeof(contents->manager));
    fill("table", contents->table, sizeof(contents->table));
    fill("font", contents->font, sizeof(contents->font));
}

/* plain.otter, not yet signed. */
static struct package plain_package(const struct contents *contents)
{
    return (struct package){
        .version = {1, 2, 3, 4},
        .target = 0x4F545401,
        .hardware_min = 1,
        .hardware_max = 3,
        .counter = 7,
        .follows = {1, 0, 0, 0},
        .boot_min = 1,
        .manager_min = 2,
        .members = {{.role = OTTER_ROLE_FIRMWARE,
                     .link_addr = 0x10060000,
                     .data = contents->firmware,
                     .size = 300},
                    {.role = OTTER_ROLE_MANAGER,
                     .flags = OTTER_MEMBER_KEPT,
                     .link_addr = 0x10020000,
                     .data = contents->manager,
                     .size = 200},
                    {.role = OTTER_ROLE_TABLE,
                     .flags = OTTER_MEMBER_KEPT,
                     .data = contents->table,
                     .size = 180}},
        .member_count = 3,
    };
}

static struct package full_package(const struct contents *contents)
{
    struct package package = plain_package(contents);

    package.version = (struct otter_version){255, 254, 65533, 4294967292U};
    package.target = 0xFEDCBA98;
    package.hardware_min = 0x1234;
    package.hardware_max = 0x5678;
    package.counter = 0x89ABCDEF;
    package.follows = (struct otter_version){1, 2, 3, 4};
    package.boot_min = 0x1357;
    package.manager_min = 0x2468;
    package.has_id = true;
    for (uint8_t i = 0; i < OTTER_PACKAGE_ID_SIZE; i++) {
        package.id[i] = i;
    }
    package.members[0].region = 6;
    package.members[1].flags = 0;
    package.members[1].depends = 1;
    package.members[2].flags = 0;
    package.members[2].depends = 3;
    package.members[3] = (struct package_member){.role = OTTER_ROLE_FONT,
                                                 .flags = OTTER_MEMBER_KEPT,
                                                 .data = contents->font,
                                                 .size = 77};
    package.member_count = 4;
    return package;
}

static void assert_vector(const struct package *package, const char *name)
{
    struct vector vector;
    struct bytes file = {0};

    vector_load(name, &vector);
    assert_int_equal(package_build(package, &file), TOOL_DONE);
    assert_int_equal(file.size, vector.size);
    assert_memory_equal(file.data, vector.data, vector.size);
    bytes_free(&file);
}

static void k26_the_same_content_and_key_give_the_same_bytes(void **state)
{
    struct contents contents;
    const struct signing_key key = key_of(test_scalar);
    const struct signing_key other = other_key();

    (void)state;
    fill_contents(&contents);
    struct package package = plain_package(&contents);

    assert_vector(&package, "unsigned.otter");
    package.keys = &key;
    package.key_count = 1;
    assert_vector(&package, "plain.otter");
    assert_vector(&package, "plain.otter");
    package.keys = &other;
    assert_vector(&package, "other_key.otter");
}

static void every_field_is_written_where_the_format_has_it(void **state)
{
    static const struct {
        uint16_t type;
        const char *text;
    } texts[] = {
        /* Set out of order: written by type. */
        {OTTER_EXTENSION_NOTES, "First line\nSecond\tline: \xE2\x9C\x93\n"},
        {OTTER_EXTENSION_VENDOR, "to be replaced"},
        {OTTER_EXTENSION_BATTERY, "\x23"},
        {OTTER_EXTENSION_PRODUCT, "Weir gauge \xE2\x80\x94 \xC3\xA9t\xC3\xA9"},
        {OTTER_EXTENSION_BUILD, "0123abcd"},
        {OTTER_EXTENSION_VERSION, "1.2.3-rc1"},
        {OTTER_EXTENSION_VENDOR, "Lutra Labs"},
    };
    struct contents contents;
    const struct signing_key keys[] = {other_key(), key_of(test_scalar)};

    (void)state;
    fill_contents(&contents);
    struct package package = full_package(&contents);

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(package_set_extension(&package, texts[i].type, texts[i].text,
                                               strlen(texts[i].text)),
                         OTTER_OK);
    }
    package.keys = keys;
    package.key_count = 2;
    assert_vector(&package, "full.otter");
}

static void a_kept_member_may_be_given_by_its_hash(void **state)
{
    struct contents contents;
    const struct signing_key key = key_of(test_scalar);

    (void)state;
    fill_contents(&contents);
    struct package package = plain_package(&contents);

    for (uint8_t i = 1; i < 3; i++) {
        SHA256(package.members[i].data, package.members[i].size,
               package.members[i].sha);
        package.members[i].data = NULL;
    }
    package.keys = &key;
    package.key_count = 1;
    assert_vector(&package, "plain.otter");
}

static void what_no_device_would_take_is_not_written(void **state)
{
    struct contents contents;
    struct package package;
    struct bytes file = {0};
    char text[PACKAGE_EXTENSION_SIZE_MAX + 1];

    (void)state;
    memset(text, 'n', sizeof(text));
    fill_contents(&contents);

    package = plain_package(&contents);
    package.members[1].role = OTTER_ROLE_FIRMWARE; /* doubled, and no manager */
    assert_int_equal(package_build(&package, &file), TOOL_FAILED);

    package = plain_package(&contents);
    package.member_count = 2; /* no table */
    assert_int_equal(package_build(&package, &file), TOOL_FAILED);

    package = plain_package(&contents);
    package.members[0].size = 0;
    assert_int_equal(package_build(&package, &file), TOOL_FAILED);

    package = plain_package(&contents);
    assert_int_equal(package_set_extension(&package, OTTER_EXTENSION_VENDOR, text, 65),
                     OTTER_OK); /* its limit is the format's, not the writer's */
    assert_int_equal(package_build(&package, &file), TOOL_FAILED);

    package = plain_package(&contents);
    for (uint16_t type = 0x100; type < 0x103; type++) {
        assert_int_equal(package_set_extension(&package, type, text, 512), OTTER_OK);
    }
    assert_int_equal(package_build(&package, &file), TOOL_DONE); /* 1,932 bytes */
    bytes_free(&file);
    assert_int_equal(package_set_extension(&package, 0x103, text, 200), OTTER_OK);
    assert_int_equal(package_build(&package, &file), TOOL_FAILED);
    assert_null(file.data);

    assert_int_equal(
        package_set_extension(&package, OTTER_EXTENSION_NOTES, text, sizeof(text)),
        OTTER_E_CONTROL_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k26_the_same_content_and_key_give_the_same_bytes),
        cmocka_unit_test(every_field_is_written_where_the_format_has_it),
        cmocka_unit_test(a_kept_member_may_be_given_by_its_hash),
        cmocka_unit_test(what_no_device_would_take_is_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
