/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key wraps and encrypted members in control packets and package files. Packages and
 * their codes: tests/vectors/make_encrypted.py, an encoder of its own made from
 * docs/SPEC.md.
 */
#include "../vectors/wrap_vectors.h"
#include "crypto_bearssl.h"
#include "host_wrap.h"
#include "otter/bytes.h"
#include "otter/container.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { P256_ENTRY = 100, ROOT_ENTRY = 36, ENTRY_HEAD = 12 };

static enum otter_result check(const struct vector *vector,
                               struct otter_control *control)
{
    struct watched watched;
    uint8_t hash[OTTER_SHA256_SIZE];

    watched_init(&watched, vector->data, vector->size);
    struct otter_source source = watched_source(&watched);

    return otter_container_check(&source, &otter_crypto_bearssl, control, hash, NULL);
}

static void every_vector_gives_the_code_that_its_generator_names(void **state)
{
    struct vector list;
    unsigned count = 0;

    (void)state;
    vector_load("encrypted.txt", &list);
    list.data[list.size] = '\0';
    for (char *line = strtok((char *)list.data, "\n"); line != NULL;
         line = strtok(NULL, "\n")) {
        struct vector vector;
        struct otter_control control;
        char name[64];
        unsigned stage = 0;
        unsigned detail = 0;

        if (line[0] == '#') {
            continue;
        }
        assert_int_equal(sscanf(line, "%63s %2u-%2u", name, &stage, &detail), 3);
        vector_load(name, &vector);
        uint16_t code = otter_code(check(&vector, &control));

        if (code != stage * 256 + detail) {
            fail_msg("%s: %u-%u, expected %u-%u", name, code / 256U, code % 256U, stage,
                     detail);
        }
        count++;
    }
    assert_int_equal(count, 19);
}

/* A vector's control packet alone. */
struct packet {
    struct vector vector;
    struct watched watched;
    struct otter_source source;
    struct otter_control control;
};

static enum otter_result packet_open(struct packet *packet)
{
    const uint8_t *start = packet->vector.data + OTTER_IMAGE_HEADER_SIZE;

    watched_init(&packet->watched, start, otter_load_le16(start + 6));
    packet->source = watched_source(&packet->watched);
    return otter_control_open(&packet->source, &packet->control);
}

static void the_wraps_are_found_one_by_one(void **state)
{
    struct packet packet;
    struct otter_wrap wrap;

    (void)state;
    vector_load("encrypted.otter", &packet.vector);
    assert_int_equal(packet_open(&packet), OTTER_OK);
    assert_int_equal(packet.control.wrap_count, 2);
    assert_int_equal(otter_control_wrap(&packet.source, &packet.control, 0, &wrap),
                     OTTER_OK);
    assert_int_equal(wrap.kind, OTTER_WRAP_ECIES_P256);
    assert_int_equal(wrap.size, P256_ENTRY - ENTRY_HEAD);
    assert_memory_equal(wrap.key_id, vector_device_id, OTTER_KEY_ID_SIZE);
    assert_memory_equal(wrap.bytes, vector_wraps + ENTRY_HEAD, wrap.size);
    assert_int_equal(otter_control_wrap(&packet.source, &packet.control, 1, &wrap),
                     OTTER_OK);
    assert_int_equal(wrap.kind, OTTER_WRAP_AES256);
    assert_int_equal(wrap.size, ROOT_ENTRY - ENTRY_HEAD);
    assert_memory_equal(wrap.key_id, vector_root_id, OTTER_KEY_ID_SIZE);
    assert_memory_equal(wrap.bytes, vector_wraps + P256_ENTRY + ENTRY_HEAD, wrap.size);
    assert_int_equal(otter_control_wrap(&packet.source, &packet.control, 2, &wrap),
                     OTTER_E_WRAP_FORM);
}

static void the_stored_bytes_are_the_ciphertext_of_the_installed_ones(void **state)
{
    struct packet packet;
    struct otter_member member;
    uint32_t off = 0;

    (void)state;
    vector_load("encrypted.otter", &packet.vector);
    assert_int_equal(packet_open(&packet), OTTER_OK);
    assert_int_equal(otter_control_member(&packet.source, &packet.control, 0, &member),
                     OTTER_OK);
    assert_int_equal(member.flags, OTTER_MEMBER_ENCRYPTED);
    assert_int_equal(otter_control_member_off(&packet.source, &packet.control, 0, &off),
                     OTTER_OK);
    host_encrypt(vector_content_key, 0, packet.vector.data + off, member.stored_size);
    assert_memory_equal(packet.vector.data + off, vector_plain, member.stored_size);
}

/* Every bit from the extension's head to the last wrap: the packet does not open, or
 * says something else; its signature is not looked at here. */
static void every_flipped_bit_of_the_wraps_has_a_code_or_another_meaning(void **state)
{
    struct packet packet;
    unsigned refused = 0;

    (void)state;
    vector_load("encrypted.otter", &packet.vector);
    assert_int_equal(packet_open(&packet), OTTER_OK);
    size_t first = OTTER_IMAGE_HEADER_SIZE + (size_t)packet.control.extensions_off;
    size_t end = first + packet.control.extensions_size;

    for (size_t bit = 8 * first; bit < 8 * end; bit++) {
        packet.vector.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        enum otter_result result = packet_open(&packet);

        assert_true(result == OTTER_OK || result == OTTER_E_WRAP_FORM ||
                    result == OTTER_E_CONTROL_TLV || result == OTTER_E_CONTROL_TEXT ||
                    result == OTTER_E_CONTROL_CRITICAL);
        if (result == OTTER_OK) {
            /* In a key id or in wrapped bytes: form alone cannot tell. */
            assert_int_equal(packet.control.wrap_count, 2);
        }
        refused += result != OTTER_OK;
        packet.vector.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    /* Heads: the extension's 32 bits, and kind, reserved and length of both wraps. */
    assert_int_equal(refused, 32 + 2 * 32);
}

/* The extension shortened to each length, the rest of the packet moved up. */
static void wraps_cut_at_any_byte_are_refused(void **state)
{
    struct packet packet;

    (void)state;
    vector_load("encrypted.otter", &packet.vector);
    assert_int_equal(packet_open(&packet), OTTER_OK);
    size_t data = OTTER_IMAGE_HEADER_SIZE + (size_t)packet.control.wraps_off;
    uint16_t length = packet.control.length;
    uint16_t size = packet.control.extensions_size;

    for (uint16_t cut = 1; cut <= size - 4; cut++) {
        struct packet shorter = packet;
        uint8_t *control = shorter.vector.data + OTTER_IMAGE_HEADER_SIZE;
        size_t kept = (size_t)size - 4 - cut;

        memmove(shorter.vector.data + data + kept, packet.vector.data + data + size - 4,
                OTTER_CONTROL_SIGNATURE_SIZE);
        otter_store_le16(shorter.vector.data + data - 2, (uint16_t)kept);
        otter_store_le16(control + 86, (uint16_t)(size - cut));
        otter_store_le16(control + 6, (uint16_t)(length - cut));
        enum otter_result expected = kept == P256_ENTRY ? OTTER_OK : OTTER_E_WRAP_FORM;

        assert_int_equal(packet_open(&shorter), expected);
    }
}

static void a_read_error_in_the_wraps_passes(void **state)
{
    struct packet packet;

    (void)state;
    vector_load("encrypted.otter", &packet.vector);
    assert_int_equal(packet_open(&packet), OTTER_OK);
    unsigned reads = packet.watched.reads;

    for (unsigned at = 1; at <= reads; at++) {
        struct otter_control control;

        packet.watched.reads = 0;
        packet.watched.fail_at = at;
        assert_int_equal(otter_control_open(&packet.source, &control),
                         OTTER_E_FLASH_READ);
    }
}

/* A device's keys, as find_key() of its port answers for each of the two wraps. */
struct key_ring {
    enum otter_result answers[2];
    unsigned asked;
};

static enum otter_result find_key(void *context, const uint8_t id[OTTER_KEY_ID_SIZE],
                                  uint8_t kind)
{
    struct key_ring *ring = context;

    (void)id;
    (void)kind;
    assert_true(ring->asked < 2);
    return ring->answers[ring->asked++];
}

static enum otter_result unwrap(void *context, const struct otter_wrap *wrap,
                                uint8_t key[OTTER_AES_KEY_SIZE])
{
    (void)context;
    (void)wrap;
    (void)key;
    fail_msg("looking for a wrap unwraps nothing");
    return OTTER_E_KEY_WRONG;
}

static void k26_the_first_wrap_whose_key_may_be_used_is_taken(void **state)
{
    static const struct {
        enum otter_result answers[2];
        enum otter_result code;
        uint8_t kind; /* of the wrap that is taken */
        unsigned asked;
    } cases[] = {
        {{OTTER_OK, OTTER_E_KEY_MISSING}, OTTER_OK, OTTER_WRAP_ECIES_P256, 1},
        {{OTTER_E_KEY_MISSING, OTTER_OK}, OTTER_OK, OTTER_WRAP_AES256, 2},
        {{OTTER_E_KEY_REVOKED, OTTER_OK}, OTTER_OK, OTTER_WRAP_AES256, 2},
        {{OTTER_E_KEY_MISSING, OTTER_E_KEY_MISSING}, OTTER_E_KEY_MISSING, 0, 2},
        /* One that was revoked says more than one that is for another device. */
        {{OTTER_E_KEY_REVOKED, OTTER_E_KEY_MISSING}, OTTER_E_KEY_REVOKED, 0, 2},
        {{OTTER_E_KEY_MISSING, OTTER_E_KEY_REVOKED}, OTTER_E_KEY_REVOKED, 0, 2},
    };
    struct packet packet;

    (void)state;
    vector_load("encrypted.otter", &packet.vector);
    assert_int_equal(packet_open(&packet), OTTER_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct key_ring ring = {{cases[i].answers[0], cases[i].answers[1]}, 0};
        struct otter_crypto crypto = {
            .context = &ring, .find_key = find_key, .unwrap = unwrap};
        struct otter_wrap wrap;

        assert_int_equal(
            otter_control_find_wrap(&packet.source, &packet.control, &crypto, &wrap),
            cases[i].code);
        assert_int_equal(ring.asked, cases[i].asked);
        if (cases[i].code == OTTER_OK) {
            assert_int_equal(wrap.kind, cases[i].kind);
        }
    }
}

static void a_port_that_unwraps_nothing_has_no_wrap(void **state)
{
    struct key_ring ring = {{OTTER_OK, OTTER_OK}, 0};
    struct otter_crypto crypto = {.context = &ring, .find_key = find_key};
    struct packet packet;
    struct otter_wrap wrap;

    (void)state;
    vector_load("encrypted.otter", &packet.vector);
    assert_int_equal(packet_open(&packet), OTTER_OK);
    assert_int_equal(
        otter_control_find_wrap(&packet.source, &packet.control, &crypto, &wrap),
        OTTER_E_CANNOT_DECRYPT);
    assert_int_equal(ring.asked, 0);
}

static void a_read_error_ends_the_search_for_a_wrap(void **state)
{
    struct key_ring ring = {{OTTER_E_KEY_MISSING, OTTER_OK}, 0};
    struct otter_crypto crypto = {
        .context = &ring, .find_key = find_key, .unwrap = unwrap};
    struct packet packet;
    struct otter_wrap wrap;

    (void)state;
    vector_load("encrypted.otter", &packet.vector);
    assert_int_equal(packet_open(&packet), OTTER_OK);
    packet.watched.reads = 0;
    assert_int_equal(
        otter_control_find_wrap(&packet.source, &packet.control, &crypto, &wrap),
        OTTER_OK);
    unsigned reads = packet.watched.reads;

    assert_true(reads > 0);
    for (unsigned at = 1; at <= reads; at++) {
        ring.asked = 0;
        packet.watched.reads = 0;
        packet.watched.fail_at = at;
        assert_int_equal(
            otter_control_find_wrap(&packet.source, &packet.control, &crypto, &wrap),
            OTTER_E_FLASH_READ);
    }
}

static void the_nonce_is_the_members_index(void **state)
{
    uint8_t nonce[OTTER_AES_NONCE_SIZE];
    const uint8_t expected[OTTER_AES_NONCE_SIZE] = {[11] = 5};

    (void)state;
    otter_control_nonce(5, nonce);
    assert_memory_equal(nonce, expected, sizeof(nonce));
}

/* --reproducible: the values of encrypted.otter give its content key. */
static void k26_the_content_key_follows_from_secret_header_and_contents(void **state)
{
    const struct host_member members[] = {
        {.flags = OTTER_MEMBER_ENCRYPTED,
         .image = {vector_plain, sizeof(vector_plain)},
         .stored = {vector_plain, sizeof(vector_plain)}},
        {.flags = OTTER_MEMBER_KEPT},
        {.flags = OTTER_MEMBER_KEPT},
    };
    const struct host_extension extension = {.type = OTTER_EXTENSION_WRAPS |
                                                     OTTER_EXTENSION_CRITICAL,
                                             .len = sizeof(vector_wraps)};
    struct host_package package = {.version = {1, 2, 3, 4},
                                   .members = members,
                                   .member_count = 3,
                                   .extensions = &extension,
                                   .extension_count = 1,
                                   .scalar = vector_secret};
    uint8_t key[OTTER_AES_KEY_SIZE];

    (void)state;
    host_content_key(vector_secret, sizeof(vector_secret), &package, key);
    assert_memory_equal(key, vector_content_key, sizeof(key));
    package.version.build++;
    host_content_key(vector_secret, sizeof(vector_secret), &package, key);
    assert_memory_not_equal(key, vector_content_key, sizeof(key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_gives_the_code_that_its_generator_names),
        cmocka_unit_test(the_wraps_are_found_one_by_one),
        cmocka_unit_test(the_stored_bytes_are_the_ciphertext_of_the_installed_ones),
        cmocka_unit_test(every_flipped_bit_of_the_wraps_has_a_code_or_another_meaning),
        cmocka_unit_test(wraps_cut_at_any_byte_are_refused),
        cmocka_unit_test(a_read_error_in_the_wraps_passes),
        cmocka_unit_test(k26_the_first_wrap_whose_key_may_be_used_is_taken),
        cmocka_unit_test(a_port_that_unwraps_nothing_has_no_wrap),
        cmocka_unit_test(a_read_error_ends_the_search_for_a_wrap),
        cmocka_unit_test(the_nonce_is_the_members_index),
        cmocka_unit_test(k26_the_content_key_follows_from_secret_header_and_contents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
