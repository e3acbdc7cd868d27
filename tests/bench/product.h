/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The product that the bench updates: one of the real profiles with images of a real
 * size. Everything but the new image follows from fixed seeds.
 */
#ifndef OTTER_BENCH_PRODUCT_H
#define OTTER_BENCH_PRODUCT_H

#include "factory.h"
#include "host_coding.h"
#include "host_wrap.h"
#include "profiles.h"
#include "vdevice.h"

enum {
    BENCH_OLD_SIZE = 240000,
    BENCH_NEW_SIZE = 243852,   /* of Debian's MicroPython image for the micro:bit */
    BENCH_LARGE_SIZE = 800000, /* nearly all that `sd` has for its application */
    BENCH_MANAGER_SIZE = 40000,
    BENCH_RESOURCES_SIZE = 300000, /* where the profile has regions for them */
    BENCH_FONT_SIZE = 1024 * 1024,
    BENCH_PACKAGE_MAX = 3 * 1024 * 1024,
};

/* How the new package holds what it carries, where that is smaller. */
enum bench_form {
    BENCH_RAW,
    BENCH_HEATSHRINK,
    BENCH_ZLIB,
    BENCH_ENCRYPTED,
    BENCH_LARGE, /* raw, with an image of BENCH_LARGE_SIZE */
    BENCH_FORMS
};

struct bench_package {
    struct host_member members[5];
    struct host_coded coded[5];
    struct host_extension wraps;
    uint8_t wrap[HOST_WRAP_ENTRY_MAX];
    uint8_t resources[BENCH_RESOURCES_SIZE];
    uint8_t font[BENCH_FONT_SIZE];
    uint8_t bytes[BENCH_PACKAGE_MAX];
    size_t size;
};

struct bench_product {
    const struct host_profile *profile;
    enum bench_form form;
    bool has_regions; /* the packages carry resources and a font */
    bool is_real;     /* the new image is the one of the Debian package */
    uint8_t scalar[HOST_SIGN_SCALAR_SIZE];
    struct otter_table table;
    uint8_t table_bytes[OTTER_TABLE_MAX];
    size_t table_size;
    uint8_t old_image[BENCH_OLD_SIZE];
    uint8_t new_image[BENCH_NEW_SIZE];
    uint8_t large_image[BENCH_LARGE_SIZE];
    struct host_image next_image; /* one of these two */
    uint8_t manager[BENCH_MANAGER_SIZE];
    struct otter_device_key keys[2]; /* of the device: a root and a storage key */
    struct otter_key_store key_store;
    struct bench_package first, next;
};

/* Makes the product; aborts on a failure. The struct must not move. */
void bench_product_make(struct bench_product *product,
                        const struct host_profile *profile, enum bench_form form);
void bench_product_free(struct bench_product *product);

/* Makes a device in memory with the first system, off; aborts on a failure. */
void bench_device_make(const struct bench_product *product, struct vdevice *device);

/* Ends the process with a message if `is_good` is false. */
void bench_need(bool is_good, const char *what);

#endif
