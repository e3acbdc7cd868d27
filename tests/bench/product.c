/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images and packages of the bench. The new image is MicroPython for the micro:bit as
 * Debian's package firmware-microbit-micropython installs it, without its bytes outside
 * flash; where that is not installed, noise of the same size.
 */
#include "product.h"

#include "crypto_bearssl.h"
#include "image.h"
#include "otter/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MICROPYTHON "/usr/share/firmware-microbit-micropython/firmware.hex"

enum {
    BENCH_TARGET = 0x42454E43,
    FLASH_LAST = 0x3FFFF, /* of the micro:bit's processor; its UICR lies outside */
};

void bench_need(bool is_good, const char *what)
{
    if (!is_good) {
        (void)fprintf(stderr, "bench: %s\n", what);
        exit(1);
    }
}

static void fill_data(uint32_t seed, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525U + 1013904223U; /* Numerical Recipes' generator */
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

/* An image that starts as a Cortex-M program does and goes on with noise. */
static void fill_noise(const struct bench_product *product, uint8_t region_id,
                       uint32_t seed, uint8_t *image, size_t size)
{
    const struct otter_region *region =
        otter_map_find(&product->profile->map, region_id);
    const struct otter_policy *policy = &product->profile->policy;

    fill_data(seed, image, size);
    otter_store_le32(image, policy->ram_addr + policy->ram_size);
    otter_store_le32(image + 4, region->exec + 0x41);
}

/* False if the package is not installed, or is another version of it. */
static bool load_micropython(uint8_t *image)
{
    struct image parsed = {0};
    struct bytes flat = {0};

    if (access(MICROPYTHON, R_OK) != 0 || image_read(MICROPYTHON, &parsed) != 0) {
        return false;
    }
    bool is_good =
        image_only(&parsed, (struct image_range){.first = 0, .last = FLASH_LAST}) &&
        image_flatten(&parsed, &flat) && flat.size == BENCH_NEW_SIZE;

    if (is_good) {
        memcpy(image, flat.data, BENCH_NEW_SIZE);
    }
    bytes_free(&flat);
    image_free(&parsed);
    return is_good;
}

static uint32_t link_addr(const struct bench_product *product, uint8_t region_id)
{
    return otter_map_find(&product->profile->map, region_id)->exec;
}

static void build_package(const struct bench_product *product, uint8_t minor,
                          struct host_image firmware, struct bench_package *package)
{
    const uint8_t flags = minor == 1 ? 0 : OTTER_MEMBER_KEPT;

    package->members[0] = (struct host_member){
        .role = OTTER_ROLE_FIRMWARE,
        .link_addr = link_addr(product, OTTER_REGION_APPLICATION),
        .image = firmware,
    };
    package->members[1] = (struct host_member){
        .role = OTTER_ROLE_MANAGER,
        .flags = flags,
        .link_addr = link_addr(product, OTTER_REGION_MANAGER),
        .image = {product->manager, BENCH_MANAGER_SIZE},
    };
    package->members[2] = (struct host_member){
        .role = OTTER_ROLE_TABLE,
        .flags = flags,
        .image = {product->table_bytes + OTTER_TABLE_CONTENT_OFF,
                  (uint32_t)product->table_size - OTTER_TABLE_CONTENT_OFF},
    };
    fill_data(10U + minor, package->resources, sizeof(package->resources));
    fill_data(20U + minor, package->font, sizeof(package->font));
    package->members[3] =
        (struct host_member){.role = OTTER_ROLE_RESOURCES,
                             .image = {package->resources, BENCH_RESOURCES_SIZE}};
    package->members[4] = (struct host_member){
        .role = OTTER_ROLE_FONT, .image = {package->font, BENCH_FONT_SIZE}};
    const struct host_package content = {
        .version = {.major = 1, .minor = minor},
        .target = BENCH_TARGET,
        .hardware_max = 1,
        .is_id_made = true,
        .counter = minor,
        .members = package->members,
        .member_count = product->has_regions ? 5 : 3,
        .scalar = product->scalar,
    };

    bench_need(host_package_build(&content, package->bytes, sizeof(package->bytes),
                                  &package->size) == OTTER_OK,
               "the package cannot be built");
}

void bench_product_make(struct bench_product *product,
                        const struct host_profile *profile)
{
    memset(product, 0, sizeof(*product));
    product->profile = profile;
    product->has_regions = otter_map_find(&profile->map, OTTER_REGION_FONT) != NULL;
    memset(product->scalar, 0x5A, sizeof(product->scalar));
    host_profile_table(profile, BENCH_TARGET, 1, &product->table);
    product->table.key_count = 1;
    bench_need(host_key_of(product->scalar, &product->table.keys[0]) == OTTER_OK,
               "the key cannot be made");
    bench_need(otter_table_encode(&product->table, product->table_bytes,
                                  sizeof(product->table_bytes),
                                  &product->table_size) == OTTER_OK,
               "the table cannot be made");
    fill_noise(product, OTTER_REGION_MANAGER, 1, product->manager, BENCH_MANAGER_SIZE);
    fill_noise(product, OTTER_REGION_APPLICATION, 2, product->old_image,
               BENCH_OLD_SIZE);
    product->is_real = load_micropython(product->new_image);
    if (!product->is_real) {
        fill_noise(product, OTTER_REGION_APPLICATION, 3, product->new_image,
                   BENCH_NEW_SIZE);
    }
    build_package(product, 1, (struct host_image){product->old_image, BENCH_OLD_SIZE},
                  &product->first);
    build_package(product, 2, (struct host_image){product->new_image, BENCH_NEW_SIZE},
                  &product->next);
}

void bench_device_make(const struct bench_product *product, struct vdevice *device)
{
    const struct vdevice_config config = {.profile = product->profile};
    const struct host_factory factory = {
        .package = {product->first.bytes, (uint32_t)product->first.size},
    };

    bench_need(vdevice_create(device, &config) == OTTER_OK, "no device");
    vflash_power_on(&device->flash, (struct vflash_fault){.kind = VFLASH_NONE});
    bench_need(host_factory_write(&factory, &device->port, &otter_crypto_bearssl) ==
                   OTTER_OK,
               "the factory failed");
}
