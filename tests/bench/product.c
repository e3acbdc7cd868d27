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

/* Makes the image start as a Cortex-M program of the region does. */
static void set_vectors(const struct bench_product *product, uint8_t region_id,
                        uint8_t *image)
{
    const struct otter_region *region =
        otter_map_find(&product->profile->map, region_id);
    const struct otter_policy *policy = &product->profile->policy;

    otter_store_le32(image, policy->ram_addr + policy->ram_size);
    otter_store_le32(image + 4, region->exec + 0x41);
}

/* Such an image that goes on with noise. */
static void fill_noise(const struct bench_product *product, uint8_t region_id,
                       uint32_t seed, uint8_t *image, size_t size)
{
    fill_data(seed, image, size);
    set_vectors(product, region_id, image);
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

/* What grows is left raw, as `otter pack` does. */
static void code_member(struct host_member *member, enum bench_form form,
                        struct host_coded *coded)
{
    enum { CHUNK_BITS = 12, ZLIB_BITS = 12, HEATSHRINK_BITS = 11 };
    bool is_coded = form == BENCH_ZLIB
                        ? host_code_zlib(&member->image, CHUNK_BITS, ZLIB_BITS, coded)
                        : host_code_heatshrink(&member->image, HEATSHRINK_BITS, coded);

    bench_need(is_coded, "a member cannot be coded");
    if (coded->size < member->image.size) {
        member->coding =
            form == BENCH_ZLIB ? OTTER_CODING_ZLIB : OTTER_CODING_HEATSHRINK;
        member->stored = (struct host_image){coded->data, coded->size};
        member->memory = coded->memory;
    }
}

static void encrypt_member(struct host_member *member, uint8_t index,
                           const uint8_t *content_key, struct host_coded *coded)
{
    coded->data = malloc(member->image.size);
    bench_need(coded->data != NULL, "no memory");
    memcpy(coded->data, member->image.data, member->image.size);
    host_encrypt(content_key, index, coded->data, member->image.size);
    member->flags |= OTTER_MEMBER_ENCRYPTED;
    member->stored = (struct host_image){coded->data, member->image.size};
}

static void wrap_key(const struct bench_product *product, const uint8_t *content_key,
                     struct bench_package *package)
{
    struct host_recipient root = {.kind = OTTER_WRAP_AES256};
    struct otter_wrap wrap;

    memcpy(root.root, product->keys[0].secret, sizeof(root.root));
    host_recipient_id(&root);
    bench_need(host_wrap(&root, NULL, content_key, &wrap) == OTTER_OK, "no wrap");
    package->wraps = (struct host_extension){
        .type = OTTER_EXTENSION_WRAPS | OTTER_EXTENSION_CRITICAL,
        .len = (uint16_t)host_wrap_put(&wrap, package->wrap),
        .data = package->wrap,
    };
}

/* Gives the members that the new package carries their form. */
static void form_members(const struct bench_product *product,
                         struct bench_package *package)
{
    const uint8_t content_key[OTTER_AES_KEY_SIZE] = {'b', 'e', 'n', 'c', 'h'};

    bool is_raw = product->form == BENCH_RAW || product->form == BENCH_LARGE;

    for (uint8_t i = 0; i < 5 && !is_raw; i++) {
        struct host_member *member = &package->members[i];

        if ((member->flags & OTTER_MEMBER_KEPT) != 0) {
            continue;
        }
        if (product->form == BENCH_ENCRYPTED) {
            encrypt_member(member, i, content_key, &package->coded[i]);
        } else {
            code_member(member, product->form, &package->coded[i]);
        }
    }
    if (product->form == BENCH_ENCRYPTED) {
        wrap_key(product, content_key, package);
    }
}

static void make_device_keys(struct bench_product *product)
{
    struct host_recipient root = {.kind = OTTER_WRAP_AES256};

    for (uint8_t i = 0; i < 2; i++) {
        product->keys[i].kind =
            i == 0 ? OTTER_DEVICE_KEY_ROOT : OTTER_DEVICE_KEY_STORAGE;
        memset(product->keys[i].secret, 0x11 + i, sizeof(product->keys[i].secret));
    }
    memcpy(root.root, product->keys[0].secret, sizeof(root.root));
    host_recipient_id(&root);
    memcpy(product->keys[0].id, root.id, sizeof(root.id));
    product->key_store = (struct otter_key_store){product->keys, 2};
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
    if (minor > 1) {
        form_members(product, package);
    }
    const struct host_package content = {
        .extensions = &package->wraps,
        .extension_count = package->wraps.len > 0,
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
                        const struct host_profile *profile, enum bench_form form)
{
    memset(product, 0, sizeof(*product));
    product->profile = profile;
    product->form = form;
    make_device_keys(product);
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
    fill_noise(product, OTTER_REGION_APPLICATION, 4, product->large_image,
               BENCH_LARGE_SIZE);
    product->is_real = load_micropython(product->new_image);
    if (!product->is_real) {
        fill_noise(product, OTTER_REGION_APPLICATION, 3, product->new_image,
                   BENCH_NEW_SIZE);
    } else if (link_addr(product, OTTER_REGION_APPLICATION) != 0) {
        /* It is linked for 0: where programs run elsewhere its vectors are not its own.
         */
        set_vectors(product, OTTER_REGION_APPLICATION, product->new_image);
    }
    build_package(product, 1, (struct host_image){product->old_image, BENCH_OLD_SIZE},
                  &product->first);
    product->next_image =
        form == BENCH_LARGE
            ? (struct host_image){product->large_image, BENCH_LARGE_SIZE}
            : (struct host_image){product->new_image, BENCH_NEW_SIZE};
    build_package(product, 2, product->next_image, &product->next);
}

void bench_product_free(struct bench_product *product)
{
    for (size_t i = 0; i < sizeof(product->next.coded) / sizeof(product->next.coded[0]);
         i++) {
        free(product->next.coded[i].data);
        product->next.coded[i].data = NULL;
    }
}

void bench_device_make(const struct bench_product *product, struct vdevice *device)
{
    const struct vdevice_config config = {
        .profile = product->profile,
        .keys = product->form == BENCH_ENCRYPTED ? &product->key_store : NULL,
    };
    const struct host_factory factory = {
        .package = {product->first.bytes, (uint32_t)product->first.size},
    };

    bench_need(vdevice_create(device, &config) == OTTER_OK, "no device");
    vflash_power_on(&device->flash, (struct vflash_fault){.kind = VFLASH_NONE});
    bench_need(host_factory_write(&factory, &device->port, &otter_crypto_bearssl) ==
                   OTTER_OK,
               "the factory failed");
}
