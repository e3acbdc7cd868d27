/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The product that the bench updates: one of the real profiles with images of a real
 * size. Everything but the new image follows from fixed seeds.
 */
#ifndef OTTER_BENCH_PRODUCT_H
#define OTTER_BENCH_PRODUCT_H

#include "factory.h"
#include "profiles.h"
#include "vdevice.h"

enum {
    BENCH_OLD_SIZE = 240000,
    BENCH_NEW_SIZE = 243852, /* of Debian's MicroPython image for the micro:bit */
    BENCH_MANAGER_SIZE = 40000,
    BENCH_RESOURCES_SIZE = 300000, /* where the profile has regions for them */
    BENCH_FONT_SIZE = 1024 * 1024,
    BENCH_PACKAGE_MAX = 2 * 1024 * 1024,
};

struct bench_package {
    struct host_member members[5];
    uint8_t resources[BENCH_RESOURCES_SIZE];
    uint8_t font[BENCH_FONT_SIZE];
    uint8_t bytes[BENCH_PACKAGE_MAX];
    size_t size;
};

struct bench_product {
    const struct host_profile *profile;
    bool has_regions; /* the packages carry resources and a font */
    bool is_real;     /* the new image is the one of the Debian package */
    uint8_t scalar[HOST_SIGN_SCALAR_SIZE];
    struct otter_table table;
    uint8_t table_bytes[OTTER_TABLE_MAX];
    size_t table_size;
    uint8_t old_image[BENCH_OLD_SIZE];
    uint8_t new_image[BENCH_NEW_SIZE];
    uint8_t manager[BENCH_MANAGER_SIZE];
    struct bench_package first, next;
};

/* Makes the product; aborts on a failure. The struct must not move. */
void bench_product_make(struct bench_product *product,
                        const struct host_profile *profile);

/* Makes a device in memory with the first system, off; aborts on a failure. */
void bench_device_make(const struct bench_product *product, struct vdevice *device);

/* Ends the process with a message if `is_good` is false. */
void bench_need(bool is_good, const char *what);

#endif
