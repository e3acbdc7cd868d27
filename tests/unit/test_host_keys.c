/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key store's file of a virtual device: docs/SPEC.md, "Key store".
 */
#include "host_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 3, SIZE = 8 + COUNT * 44 + 4 };

static size_t make(struct host_keys *keys, uint8_t *file)
{
    memset(keys, 0, sizeof(*keys));
    for (int i = 0; i < COUNT; i++) {
        struct otter_device_key key = {.kind = (uint8_t)(i + 1), .is_revoked = i == 1};

        memset(key.id, 0x10 + i, sizeof(key.id));
        memset(key.secret, 0x20 + i, sizeof(key.secret));
        assert_true(host_keys_add(keys, &key));
    }
    return host_keys_encode(&keys->store, file);
}

static void a_store_reads_as_it_was_written(void **state)
{
    struct host_keys keys;
    struct host_keys read;
    uint8_t file[HOST_KEYS_SIZE_MAX];

    (void)state;
    assert_int_equal(make(&keys, file), SIZE);
    assert_memory_equal(file, "OTKS\x01\x00\x03\x00\x01\x00\x00\x00\x10", 13);
    assert_int_equal(file[8 + 44 + 1], 1); /* the second one is revoked */
    assert_true(host_keys_decode(file, SIZE, &read));
    assert_int_equal(read.store.count, COUNT);
    assert_memory_equal(read.keys, keys.keys, sizeof(keys.keys));
}

static void any_flipped_bit_and_any_other_length_is_refused(void **state)
{
    struct host_keys keys;
    uint8_t file[HOST_KEYS_SIZE_MAX];

    (void)state;
    (void)make(&keys, file);
    for (size_t bit = 0; bit < 8U * SIZE; bit++) {
        file[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(host_keys_decode(file, SIZE, &keys));
        file[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t size = 0; size < HOST_KEYS_SIZE_MAX; size++) {
        assert_int_equal(host_keys_decode(file, size, &keys), size == SIZE);
    }
}

static void a_full_store_takes_no_more(void **state)
{
    const struct otter_device_key key = {.kind = OTTER_DEVICE_KEY_ROOT};
    struct host_keys keys;
    uint8_t file[HOST_KEYS_SIZE_MAX];

    (void)state;
    memset(&keys, 0, sizeof(keys));
    for (int i = 0; i < HOST_KEYS_MAX; i++) {
        assert_true(host_keys_add(&keys, &key));
    }
    assert_false(host_keys_add(&keys, &key));
    assert_int_equal(host_keys_encode(&keys.store, file), HOST_KEYS_SIZE_MAX);
    assert_true(host_keys_decode(file, HOST_KEYS_SIZE_MAX, &keys));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_reads_as_it_was_written),
        cmocka_unit_test(any_flipped_bit_and_any_other_length_is_refused),
        cmocka_unit_test(a_full_store_takes_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
