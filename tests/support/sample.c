/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sample product: everything follows from fixed seeds, so each run makes the same
 * bytes.
 */
#include "sample.h"

#include "crypto_bearssl.h"
#include "host_coding.h"
#include "otter/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void need(enum otter_result result, const char *what)
{
    if (result != OTTER_OK) {
        (void)fprintf(stderr, "sample: %s: %02X\n", what, otter_code(result));
        abort();
    }
}

static void fill_noise(uint32_t seed, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525U + 1013904223U; /* Numerical Recipes' generator */
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

/* An image that starts as a Cortex-M program does and goes on with noise. */
static void fill_image(const struct sample *sample, uint8_t region_id, uint32_t seed,
                       uint8_t *image, size_t size)
{
    const struct otter_region *region = otter_map_find(&sample->profile.map, region_id);
    const struct otter_policy *policy = &sample->profile.policy;

    fill_noise(seed, image, size);
    otter_store_le32(image, policy->ram_addr + policy->ram_size);
    otter_store_le32(image + 4, region->exec + 0x41);
}

static uint32_t link_addr(const struct sample *sample, uint8_t region_id)
{
    return otter_map_find(&sample->profile.map, region_id)->exec;
}

static void start_package(struct sample *sample, uint8_t minor, uint8_t flags,
                          struct sample_package *package)
{
    memset(package, 0, sizeof(*package));
    fill_image(sample, OTTER_REGION_APPLICATION, minor, package->firmware,
               SAMPLE_FIRMWARE_SIZE);
    package->members[0] = (struct host_member){
        .role = OTTER_ROLE_FIRMWARE,
        .link_addr = link_addr(sample, OTTER_REGION_APPLICATION),
        .image = {package->firmware, SAMPLE_FIRMWARE_SIZE},
    };
    package->members[1] = (struct host_member){
        .role = OTTER_ROLE_MANAGER,
        .flags = flags,
        .link_addr = link_addr(sample, OTTER_REGION_MANAGER),
        .image = {sample->manager, SAMPLE_MANAGER_SIZE},
    };
    package->members[2] = (struct host_member){
        .role = OTTER_ROLE_TABLE,
        .flags = flags,
        .image = {sample->table_bytes + OTTER_TABLE_CONTENT_OFF,
                  (uint32_t)sample->table_size - OTTER_TABLE_CONTENT_OFF},
    };
    package->package = (struct host_package){
        .version = {.major = 1, .minor = minor},
        .target = SAMPLE_TARGET,
        .hardware_min = 1,
        .hardware_max = 9,
        .id = {'s', 'a', 'm', 'p', 'l', 'e', minor},
        .counter = minor,
        .members = package->members,
        .member_count = 3,
        .scalar = sample->scalar,
    };
}

void sample_build(struct sample_package *package)
{
    need(host_package_build(&package->package, package->bytes, sizeof(package->bytes),
                            &package->size),
         "package");
}

/* A key of the sample's device: 32 bytes that follow from its number. */
static void make_device_key(struct otter_device_key *key, uint8_t kind)
{
    memset(key, 0, sizeof(*key));
    key->kind = kind;
    for (unsigned i = 0; i < OTTER_DEVICE_SECRET_SIZE; i++) {
        key->secret[i] = (uint8_t)(kind * 37U + i * 11U);
    }
}

static struct host_recipient root_of(const struct sample *sample)
{
    struct host_recipient root = {.kind = OTTER_WRAP_AES256};

    memcpy(root.root, sample->device_keys[0].secret, sizeof(root.root));
    host_recipient_id(&root);
    return root;
}

static void make_device_keys(struct sample *sample)
{
    make_device_key(&sample->device_keys[0], OTTER_DEVICE_KEY_ROOT);
    make_device_key(&sample->device_keys[1], OTTER_DEVICE_KEY_STORAGE);
    const struct host_recipient root = root_of(sample);

    memcpy(sample->device_keys[0].id, root.id, sizeof(root.id));
    sample->key_store = (struct otter_key_store){sample->device_keys, 2};
}

/* Encrypts what member `index` carries, coded before or not. */
static void encrypt_member(struct sample_package *package, uint8_t index)
{
    struct host_member *member = &package->members[index];
    struct host_image plain =
        member->stored.data != NULL ? member->stored : member->image;

    if ((member->flags & OTTER_MEMBER_KEPT) != 0 || member->role == OTTER_ROLE_TABLE) {
        return;
    }
    need(plain.size <= SAMPLE_STORED_MAX ? OTTER_OK : OTTER_E_NO_SPACE, "stored bytes");
    memmove(package->stored[index], plain.data, plain.size);
    host_encrypt(package->content_key, index, package->stored[index], plain.size);
    member->flags |= OTTER_MEMBER_ENCRYPTED;
    member->stored = (struct host_image){package->stored[index], plain.size};
}

static void add_extension(struct sample_package *package, uint16_t type,
                          const void *data, size_t len)
{
    package->extensions[package->package.extension_count++] =
        (struct host_extension){.type = (uint16_t)(type | OTTER_EXTENSION_CRITICAL),
                                .len = (uint16_t)len,
                                .data = data};
    package->package.extensions = package->extensions;
}

/* The content key follows from counter and members: no two packages share it. */
void sample_encrypt(const struct sample *sample, struct sample_package *package)
{
    const struct host_recipient root = root_of(sample);
    struct otter_wrap wrap;

    memset(package->content_key, 0, sizeof(package->content_key));
    for (unsigned i = 0; i < OTTER_AES_KEY_SIZE; i++) {
        package->content_key[i] = (uint8_t)(0xC0U + package->package.counter * 17 +
                                            package->members[1].flags * 5 + i * 13);
    }
    for (uint8_t i = 0; i < package->package.member_count; i++) {
        encrypt_member(package, i);
    }
    need(host_wrap(&root, NULL, package->content_key, &wrap), "wrap");
    add_extension(package, OTTER_EXTENSION_WRAPS, package->wrap,
                  host_wrap_put(&wrap, package->wrap));
}

void sample_revoke(const struct sample *sample, struct sample_package *package)
{
    memcpy(package->revoked, sample->table.keys[0].id, sizeof(package->revoked));
    package->package.scalar = sample->second;
    add_extension(package, OTTER_EXTENSION_REVOKES, package->revoked,
                  sizeof(package->revoked));
}

static void encode_table(struct sample *sample)
{
    need(otter_table_encode(&sample->table, sample->table_bytes,
                            sizeof(sample->table_bytes), &sample->table_size),
         "table");
}

void sample_encode_table(struct sample_package *package)
{
    size_t size = 0;

    need(otter_table_encode(&package->table, package->table_bytes,
                            sizeof(package->table_bytes), &size),
         "new table");
    package->members[2].flags = 0;
    package->members[2].image =
        (struct host_image){package->table_bytes + OTTER_TABLE_CONTENT_OFF,
                            (uint32_t)size - OTTER_TABLE_CONTENT_OFF};
}

void sample_rotate(const struct sample *sample, struct sample_package *package)
{
    sample_revoke(sample, package);
    package->package.scalar = sample->scalar;
    package->package.more_scalars = sample->second;
    package->package.more_scalar_count = 1;
    package->table = sample->table;
    package->table.key_count = 2;
    need(host_key_of(sample->second, &package->table.keys[1]), "second key");
    sample_encode_table(package);
}

void sample_trust_second(struct sample *sample)
{
    sample->table.key_count = 2;
    need(host_key_of(sample->second, &sample->table.keys[1]), "second key");
    encode_table(sample);
    sample->first.members[2].image.size =
        (uint32_t)sample->table_size - OTTER_TABLE_CONTENT_OFF;
    sample_build(&sample->first);
}

void sample_make(struct sample *sample, const struct host_profile *profile)
{
    memset(sample, 0, sizeof(*sample));
    sample->profile = *profile;
    memset(sample->scalar, 0x5A, sizeof(sample->scalar));
    memset(sample->second, 0x6B, sizeof(sample->second));
    memset(sample->boot, 0xB0, sizeof(sample->boot));
    make_device_keys(sample);
    host_profile_table(profile, SAMPLE_TARGET, SAMPLE_HARDWARE, &sample->table);
    sample->table.key_count = 1;
    sample->table.manager_version = 1;
    sample->table.policy.saved_copies = OTTER_SAVED_ENCRYPTED;
    need(host_key_of(sample->scalar, &sample->table.keys[0]), "key");
    encode_table(sample);
    fill_image(sample, OTTER_REGION_MANAGER, 1000, sample->manager,
               SAMPLE_MANAGER_SIZE);
    start_package(sample, 1, 0, &sample->first);
    sample_build(&sample->first);
}

void sample_next(struct sample *sample, uint8_t minor, struct sample_package *package)
{
    start_package(sample, minor, OTTER_MEMBER_KEPT, package);
    /* A kept member stays one that came encrypted. */
    package->members[1].flags |=
        sample->first.members[1].flags & OTTER_MEMBER_ENCRYPTED;
}

void sample_carry_manager(const struct sample *sample, struct sample_package *package)
{
    fill_image(sample, OTTER_REGION_MANAGER, 2000, package->manager,
               SAMPLE_MANAGER_SIZE);
    package->members[1].flags = 0;
    package->members[1].version = 2;
    package->members[1].image =
        (struct host_image){package->manager, SAMPLE_MANAGER_SIZE};
}

void sample_keep_manager(struct sample_package *package, const uint8_t *image,
                         uint16_t version)
{
    package->members[1].image.data = image;
    package->members[1].version = version;
}

void sample_carry_loader(const struct sample *sample, struct sample_package *package)
{
    fill_image(sample, OTTER_REGION_LOADER, 5000, package->loader, SAMPLE_LOADER_SIZE);
    package->members[package->package.member_count++] = (struct host_member){
        .role = OTTER_ROLE_LOADER,
        .link_addr = link_addr(sample, OTTER_REGION_LOADER),
        .image = {package->loader, SAMPLE_LOADER_SIZE},
    };
}

void sample_carry_regions(struct sample_package *package)
{
    struct host_member *members = package->members + package->package.member_count;
    uint32_t seed = 3000U + package->package.version.minor;

    fill_noise(seed, package->resources, sizeof(package->resources));
    fill_noise(seed + 1000, package->font, sizeof(package->font));
    members[0] =
        (struct host_member){.role = OTTER_ROLE_RESOURCES,
                             .image = {package->resources, SAMPLE_RESOURCES_SIZE}};
    members[1] = (struct host_member){.role = OTTER_ROLE_FONT,
                                      .image = {package->font, SAMPLE_FONT_SIZE}};
    package->package.member_count = (uint8_t)(package->package.member_count + 2);
}

void sample_put_in_place(struct sample_package *package, bool is_compatible)
{
    struct host_member *font = &package->members[package->package.member_count - 1];

    font->flags |= OTTER_MEMBER_IN_PLACE;
    if (is_compatible) {
        font->flags |= OTTER_MEMBER_COMPATIBLE;
    }
}

void sample_carry_files(struct sample_package *package, const struct tree *tree)
{
    struct host_member *member = &package->members[package->package.member_count++];

    package->tree = *tree;
    package->archive_size = tree_archive(tree, package->archive, SAMPLE_TREE_MAX);
    need(package->archive_size > 0 ? OTTER_OK : OTTER_E_NO_SPACE, "archive");
    *member = (struct host_member){.role = OTTER_ROLE_RESOURCES,
                                   .region = OTTER_REGION_TREE,
                                   .image = {package->archive, package->archive_size}};
    add_extension(package, OTTER_EXTENSION_ROOT, TREE_ROOT, strlen(TREE_ROOT));
}

void sample_carry_tree(struct sample_package *package)
{
    uint8_t minor = package->package.version.minor;
    bool is_old = minor == 1;
    const uint8_t *noise = package->contents;
    const struct tree_file files[] = {
        {"a", NULL, 0},
        {"a/both", noise + minor, is_old ? 301 : 402},
        {is_old ? "a/old" : "a/new", noise + 5, 130},
        {"a.same", (const uint8_t *)"the same in both", 16},
        {is_old ? "b" : "c", NULL, 0},
        {is_old ? "b/empty" : "c/empty", noise, 0},
        {"d", is_old ? NULL : noise, is_old ? 0 : 77}, /* a folder, then a file */
        {"e", noise + 9, 90},
    };
    enum { COUNT = sizeof(files) / sizeof(files[0]) };
    const struct tree tree = {package->files, COUNT};

    OTTER_STATIC_ASSERT(sizeof(files) <= sizeof(package->files), "room for the files");
    fill_noise(5000U + minor, package->contents, sizeof(package->contents));
    memcpy(package->files, files, sizeof(files));
    sample_carry_files(package, &tree);
}

/* Every second part repeats the one before it. */
static void make_compressible(uint8_t *image, uint32_t size)
{
    enum { PART = 32 };

    for (uint32_t off = PART; off + PART <= size; off += 2U * PART) {
        memcpy(image + off, image + off - PART, PART);
    }
}

static void code_member(struct host_member *member, enum otter_coding coding,
                        uint8_t stored[SAMPLE_STORED_MAX])
{
    struct host_coded coded;
    bool is_coded = coding == OTTER_CODING_ZLIB
                        ? host_code_zlib(&member->image, 9, 9, &coded)
                        : host_code_heatshrink(&member->image, 8, &coded);

    if (!is_coded || coded.size > SAMPLE_STORED_MAX) {
        (void)fprintf(stderr, "sample: a member cannot be coded\n");
        abort();
    }
    memcpy(stored, coded.data, coded.size);
    member->stored = (struct host_image){stored, coded.size};
    member->memory = coded.memory;
    member->coding = (uint8_t)coding;
    free(coded.data);
}

void sample_code(struct sample_package *package, enum otter_coding coding)
{
    make_compressible(package->firmware, SAMPLE_FIRMWARE_SIZE);
    make_compressible(package->manager, SAMPLE_MANAGER_SIZE);
    make_compressible(package->resources, SAMPLE_RESOURCES_SIZE);
    make_compressible(package->font, SAMPLE_FONT_SIZE);
    for (uint8_t i = 0; i < package->package.member_count; i++) {
        if ((package->members[i].flags & OTTER_MEMBER_KEPT) == 0) {
            code_member(&package->members[i], coding, package->stored[i]);
        }
    }
}

void sample_encrypt_first(struct sample *sample)
{
    sample_encrypt(sample, &sample->first);
    sample_build(&sample->first);
}

void sample_device(const struct sample *sample, bool is_ecc, struct vdevice *device)
{
    const struct vdevice_config config = {
        .profile = &sample->profile, .is_ecc = is_ecc, .keys = &sample->key_store};
    const struct host_factory factory = {
        .boot = {sample->boot, sizeof(sample->boot)},
        .package = {sample->first.bytes, (uint32_t)sample->first.size},
        .content_key = sample->first.content_key,
    };

    need(vdevice_create(device, &config), "device");
    vflash_power_on(&device->flash, (struct vflash_fault){.kind = VFLASH_NONE});
    need(host_factory_write(&factory, &device->port, &otter_crypto_bearssl), "factory");
    vflash_measure_reset(&device->flash);
}
