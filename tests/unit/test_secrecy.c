/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The search for secrets finds what it is to find, and nothing else.
 */
#include "secrecy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SECRET_SIZE = 500, PLACE_SIZE = 4000 };

static void fill(uint8_t *bytes, size_t size, uint32_t seed)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525U + 1013904223U; /* Numerical Recipes' generator */
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

static struct secrecy *secrecy_of(const uint8_t *bytes, size_t size)
{
    struct secrecy *secrecy = calloc(1, sizeof(*secrecy));

    assert_non_null(secrecy);
    secrecy_add(secrecy, bytes, size);
    return secrecy;
}

static void k26_any_run_of_16_bytes_is_found_anywhere(void **state)
{
    uint8_t secret[SECRET_SIZE];
    uint8_t place[PLACE_SIZE];

    (void)state;
    fill(secret, sizeof(secret), 1);
    struct secrecy *secrecy = secrecy_of(secret, sizeof(secret));

    for (size_t i = 1; i + SECRECY_RUN < sizeof(secret); i++) {
        size_t to = 1 + (i * 7) % (sizeof(place) - SECRECY_RUN - 2);
        size_t at = 0;

        fill(place, sizeof(place), 2);
        assert_false(secrecy_finds(secrecy, place, sizeof(place), &at));
        memcpy(place + to, secret + i, SECRECY_RUN);
        place[to - 1] = secret[i - 1] ^ 1; /* no byte more by chance */
        place[to + SECRECY_RUN] = secret[i + SECRECY_RUN] ^ 1;
        assert_true(secrecy_finds(secrecy, place, sizeof(place), &at));
        assert_int_equal(at, to);
        place[to + i % SECRECY_RUN] ^= 1;
        assert_false(secrecy_finds(secrecy, place, sizeof(place), &at));
    }
    free(secrecy);
}

static void a_run_of_few_values_is_no_secret(void **state)
{
    uint8_t secret[SECRECY_RUN] = {1, 2, 3, 4, 5, 6};
    size_t at = 0;

    (void)state;
    struct secrecy *secrecy = secrecy_of(secret, sizeof(secret));

    assert_false(secrecy_finds(secrecy, secret, sizeof(secret), &at));
    secret[15] = 7; /* with zero, eight values */
    secrecy_add(secrecy, secret, sizeof(secret));
    assert_true(secrecy_finds(secrecy, secret, sizeof(secret), &at));
    free(secrecy);
}

static void less_than_a_run_is_nothing(void **state)
{
    uint8_t secret[SECRECY_RUN];
    size_t at = 0;

    (void)state;
    fill(secret, sizeof(secret), 3);
    struct secrecy *secrecy = secrecy_of(secret, sizeof(secret));

    for (size_t size = 0; size < SECRECY_RUN; size++) {
        assert_false(secrecy_finds(secrecy, secret, size, &at));
    }
    free(secrecy);
}

/* In any place of a flash, across the end of a sector, too; also where a search has
 * been before, and again when it is gone. */
static void k26_a_run_is_found_in_any_place_of_a_flash(void **state)
{
    enum { SECTOR = 512, SECTORS = 4, ADDR = 0x1000, SIZE = SECTOR * SECTORS };
    const struct otter_flash_area area = {.addr = ADDR,
                                          .sector_size = SECTOR,
                                          .sector_count = SECTORS,
                                          .word_size = 4,
                                          .page_size = 256,
                                          .erased = 0xFF};
    struct vflash flash;
    uint8_t secret[SECRECY_RUN];
    uint8_t other[SECRECY_RUN];

    (void)state;
    fill(secret, sizeof(secret), 1);
    fill(other, sizeof(other), 2);
    struct secrecy *secrecy = secrecy_of(secret, sizeof(secret));

    assert_int_equal(
        vflash_create(&flash, &(struct vflash_config){.areas = &area, .area_count = 1}),
        OTTER_OK);
    for (uint32_t off = 0; off + SECRECY_RUN <= (uint32_t)SIZE; off++) {
        assert_false(secrecy_finds_in_flash(secrecy, &flash, ADDR, SIZE));
        vflash_provision(&flash, ADDR + off, secret, sizeof(secret));
        assert_true(secrecy_finds_in_flash(secrecy, &flash, ADDR, SIZE));
        vflash_provision(&flash, ADDR + off, other, sizeof(other));
    }
    vflash_destroy(&flash);
    free(secrecy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k26_any_run_of_16_bytes_is_found_anywhere),
        cmocka_unit_test(a_run_of_few_values_is_no_secret),
        cmocka_unit_test(less_than_a_run_is_nothing),
        cmocka_unit_test(k26_a_run_is_found_in_any_place_of_a_flash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
