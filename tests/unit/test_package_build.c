/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The encoder of packages, host_package_build(), against the packages that
 * tests/vectors/make_package.py made on its own from docs/SPEC.md: the same values
 * give the same bytes.
 */
#include "digest.h"
#include "factory.h"
#include "otter/container.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { EXTENSIONS = 8, SIGNATURES = 4 };

/* The private key of RFC 6979, A.2.5: the trusted key of the vectors. */
static const uint8_t trusted_scalar[HOST_SIGN_SCALAR_SIZE] = {
    0xC9, 0xAF, 0xA9, 0xD8, 0x45, 0xBA, 0x75, 0x16, 0x6B, 0x5C, 0x21,
    0x57, 0x67, 0xB1, 0xD6, 0x93, 0x4E, 0x50, 0xC3, 0xDB, 0x36, 0xE8,
    0x9B, 0x12, 0x7B, 0x8A, 0x62, 0x2B, 0x12, 0x0F, 0x67, 0x21};

/* The other key's scalar is the SHA-256 of this. */
static const char other_key_name[] = "otter test key 2";

/* A vector's values, as the encoder takes them. */
struct values {
    struct vector vector;
    struct host_image inner;
    struct otter_source source; /* of the control packet */
    struct otter_control control;
    struct otter_member read[OTTER_MEMBERS_MAX];
    struct host_member members[OTTER_MEMBERS_MAX];
    struct host_extension extensions[EXTENSIONS];
    uint8_t scalars[SIGNATURES][HOST_SIGN_SCALAR_SIZE];
    struct host_package package;
};

static void take_members(struct values *values)
{
    for (uint8_t i = 0; i < values->control.member_count; i++) {
        struct otter_member *read = &values->read[i];
        struct host_member *member = &values->members[i];
        uint32_t off = 0;

        assert_int_equal(
            otter_control_member(&values->source, &values->control, i, read), OTTER_OK);
        assert_int_equal(
            otter_control_member_off(&values->source, &values->control, i, &off),
            OTTER_OK);
        *member = (struct host_member){.role = read->role,
                                       .region = read->region,
                                       .flags = read->flags,
                                       .link_addr = read->link_addr,
                                       .depends = read->depends};
        member->image =
            (struct host_image){values->vector.data + off, read->installed_size};
        if ((read->flags & OTTER_MEMBER_KEPT) != 0) {
            member->image.data = NULL;
            member->sha = read->installed_sha;
        }
    }
}

static void take_extensions(struct values *values)
{
    const uint8_t *at = values->inner.data + values->control.extensions_off;
    const uint8_t *end = at + values->control.extensions_size;
    uint8_t count = 0;

    while (at < end) {
        struct host_extension *extension = &values->extensions[count++];

        assert_true(count <= EXTENSIONS);
        extension->type = (uint16_t)(at[0] | at[1] << 8);
        extension->len = (uint16_t)(at[2] | at[3] << 8);
        extension->data = at + 4;
        at += 4 + extension->len;
    }
    values->package.extension_count = count;
}

/* The signers, in order, by their key ids. */
static void take_signers(struct values *values)
{
    struct otter_key key;

    assert_int_equal(host_key_of(trusted_scalar, &key), OTTER_OK);
    for (uint8_t i = 0; i < values->control.signature_count; i++) {
        const uint8_t *id = values->inner.data + values->control.signed_size +
                            (size_t)i * OTTER_CONTROL_SIGNATURE_SIZE;

        digest_of(other_key_name, strlen(other_key_name), values->scalars[i]);
        if (memcmp(id, key.id, sizeof(key.id)) == 0) {
            memcpy(values->scalars[i], trusted_scalar, sizeof(trusted_scalar));
        }
    }
    if (values->control.signature_count > 0) {
        values->package.scalar = values->scalars[0];
        values->package.more_scalars = values->scalars[1];
        values->package.more_scalar_count =
            (uint8_t)(values->control.signature_count - 1);
    }
}

static void take_values(struct values *values, const char *name)
{
    struct otter_control *control = &values->control;

    memset(values, 0, sizeof(*values));
    vector_load(name, &values->vector);
    values->inner =
        (struct host_image){values->vector.data + OTTER_IMAGE_HEADER_SIZE,
                            (uint32_t)values->vector.size - OTTER_IMAGE_HEADER_SIZE};
    values->source = host_image_source(&values->inner);
    assert_int_equal(otter_control_open(&values->source, control), OTTER_OK);
    values->package = (struct host_package){
        .version = control->version,
        .target = control->target,
        .hardware_min = control->hardware_min,
        .hardware_max = control->hardware_max,
        .counter = control->counter,
        .follows = control->follows,
        .boot_min = control->boot_min,
        .manager_min = control->manager_min,
        .members = values->members,
        .member_count = control->member_count,
        .extensions = values->extensions,
    };
    memcpy(values->package.id, control->package_id, OTTER_PACKAGE_ID_SIZE);
    take_members(values);
    take_extensions(values);
    take_signers(values);
}

static void check_same(const struct values *values, const char *name)
{
    uint8_t built[VECTOR_MAX];
    size_t size = 0;

    assert_int_equal(host_package_build(&values->package, built, sizeof(built), &size),
                     OTTER_OK);
    if (size != values->vector.size || memcmp(built, values->vector.data, size) != 0) {
        fail_msg("%s is built differently", name);
    }
    assert_int_equal(size, host_package_size(&values->package));
}

static const char *const names[] = {
    "plain.otter",           "full.otter",
    "unsigned.otter",        "other_key.otter",
    "four_signatures.otter", "eight_members.otter",
    "unknown_role.otter",    "unknown_extension.otter",
    "critical_vendor.otter", "text_64.otter",
    "notes_512.otter",       "notes_4_bytes.otter",
    "empty_text.otter",      "battery_100.otter",
    "control_2048.otter",
};

static void the_same_values_give_the_same_bytes_as_the_generator(void **state)
{
    struct values values;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        take_values(&values, names[i]);
        check_same(&values, names[i]);
    }
}

static void the_id_is_made_from_the_content_that_is_signed(void **state)
{
    struct values values;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], "full.otter") == 0) {
            continue; /* has a chosen id */
        }
        take_values(&values, names[i]);
        values.package.is_id_made = true;
        memset(values.package.id, 0xEE, OTTER_PACKAGE_ID_SIZE); /* must not count */
        check_same(&values, names[i]);
    }
}

static void a_kept_member_is_the_same_by_its_hash_and_by_its_bytes(void **state)
{
    struct values values;
    uint8_t by_hash[VECTOR_MAX];
    uint8_t by_bytes[VECTOR_MAX];
    size_t first = 0;
    size_t second = 0;

    (void)state;
    take_values(&values, "full.otter");
    values.members[1].flags = OTTER_MEMBER_KEPT;
    assert_int_equal(
        host_package_build(&values.package, by_bytes, sizeof(by_bytes), &first),
        OTTER_OK);
    values.members[1].image.data = NULL;
    values.members[1].sha = values.read[1].installed_sha;
    assert_int_equal(
        host_package_build(&values.package, by_hash, sizeof(by_hash), &second),
        OTTER_OK);
    assert_int_equal(first, second);
    assert_memory_equal(by_hash, by_bytes, first);
}

static void every_buffer_that_is_too_small_is_refused(void **state)
{
    struct values values;
    uint8_t built[VECTOR_MAX];
    size_t size = 0;

    (void)state;
    take_values(&values, "unsigned.otter");
    for (size_t room = 0; room < values.vector.size; room++) {
        memset(built, 0xAA, sizeof(built));
        assert_int_equal(host_package_build(&values.package, built, room, &size),
                         OTTER_E_PACKAGE_LENGTH);
        assert_int_equal(built[room], 0xAA);
    }
}

static void a_scalar_that_is_none_is_refused_in_any_place(void **state)
{
    struct values values;
    uint8_t built[VECTOR_MAX];
    size_t size = 0;

    (void)state;
    for (size_t i = 0; i < SIGNATURES; i++) {
        take_values(&values, "four_signatures.otter");
        memset(values.scalars[i], 0, HOST_SIGN_SCALAR_SIZE);
        assert_int_equal(
            host_package_build(&values.package, built, sizeof(built), &size),
            OTTER_E_SIGNATURE_FORM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_values_give_the_same_bytes_as_the_generator),
        cmocka_unit_test(the_id_is_made_from_the_content_that_is_signed),
        cmocka_unit_test(a_kept_member_is_the_same_by_its_hash_and_by_its_bytes),
        cmocka_unit_test(every_buffer_that_is_too_small_is_refused),
        cmocka_unit_test(a_scalar_that_is_none_is_refused_in_any_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
