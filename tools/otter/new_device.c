/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New devices: keys, flash table, images and the first system's package, and from there
 * to flash. Used by `otter factory` and `otter device new`.
 */
#include "new_device.h"

#include "crypto_bearssl.h"
#include "files.h"
#include "keys.h"
#include "package_read.h"
#include "package_write.h"
#include "say.h"
#include "verbs.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

void new_device_init(struct new_device *device)
{
    *device = (struct new_device){
        .target = 0x4F545401,
        .hardware = 1,
        .counter = 1,
        .version = {.major = 1},
    };
}

void new_device_free(struct new_device *device)
{
    free(device->boot_data);
    free(device->package);
    OPENSSL_cleanse(&device->keys, sizeof(device->keys));
    OPENSSL_cleanse(device->content_key, sizeof(device->content_key));
    device->boot_data = NULL;
    device->package = NULL;
}

static bool is_trusted(const struct otter_table *table, const struct otter_key *key)
{
    for (uint8_t i = 0; i < table->key_count; i++) {
        if (memcmp(table->keys[i].id, key->id, OTTER_KEY_ID_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

static int make_table(const struct new_device *device, const struct signing_key *signer,
                      struct otter_table *table)
{
    int status = TOOL_DONE;

    host_profile_table(device->profile, device->target, device->hardware, table);
    table->policy = device->policy;
    table->boot_version = 1;
    table->manager_version = 1;
    for (size_t i = 0; i < device->key_count && status == TOOL_DONE; i++) {
        struct otter_key key;

        status = key_load_public(device->key_paths[i], &key);
        if (status == TOOL_DONE && is_trusted(table, &key)) {
            status = complain_usage("--key %s: this key is given already; give it once",
                                    device->key_paths[i]);
        }
        if (status == TOOL_DONE) {
            table->keys[table->key_count++] = key;
        }
    }
    if (device->key_count == 0) {
        table->keys[table->key_count++] = signer->key;
    }
    if (status == TOOL_DONE && !is_trusted(table, &signer->key)) {
        return complain("%s: the signing key is not among the trusted keys (--key)",
                        device->sign_path != NULL ? device->sign_path
                                                  : device->signer.public_path);
    }
    return status;
}

/* Bytes of the first system's members. */
struct images {
    struct bytes table;
    struct bytes manager;
    struct bytes firmware;
    struct bytes resources; /* empty: none */
    struct bytes font;
};

static void add_data(struct package *package, uint8_t role, const struct bytes *bytes)
{
    if (bytes->size > 0) {
        package->members[package->member_count++] = (struct package_member){
            .role = role, .data = bytes->data, .size = (uint32_t)bytes->size};
    }
}

/* Everything but the flash table, which programs read that have no keys. */
static int encrypt_members(struct new_device *device, struct package *package,
                           struct package_encryption *encryption)
{
    int status = recipients_load(device->recipient_paths, device->recipient_count,
                                 encryption->recipients);

    encryption->count = (uint8_t)device->recipient_count;
    encryption->content_key = device->content_key;
    for (uint8_t i = 0; i < package->member_count; i++) {
        if (package->members[i].role != OTTER_ROLE_TABLE) {
            package->members[i].flags = OTTER_MEMBER_ENCRYPTED;
        }
    }
    package->encryption = encryption;
    device->is_encrypted = true;
    return status;
}

static int build_package(struct new_device *device, const struct signing_key *signer,
                         const struct images *images)
{
    const struct otter_map *map = &device->profile->map;
    struct bytes file = {0};
    struct package package = {
        .version = device->version,
        .target = device->target,
        .hardware_min = device->hardware,
        .hardware_max = device->hardware,
        .counter = device->counter,
        .members =
            {
                {.role = OTTER_ROLE_FIRMWARE,
                 .link_addr = otter_map_find(map, OTTER_REGION_APPLICATION)->exec,
                 .data = images->firmware.data,
                 .size = (uint32_t)images->firmware.size},
                {.role = OTTER_ROLE_MANAGER,
                 .link_addr = otter_map_find(map, OTTER_REGION_MANAGER)->exec,
                 .version = 1,
                 .data = images->manager.data,
                 .size = (uint32_t)images->manager.size},
                {.role = OTTER_ROLE_TABLE,
                 .data = images->table.data + OTTER_TABLE_CONTENT_OFF,
                 .size = (uint32_t)images->table.size - OTTER_TABLE_CONTENT_OFF},
            },
        .member_count = 3,
        .keys = signer,
        .key_count = device->signer.command == NULL,
        .signers = &device->signer,
        .signer_count = device->signer.command != NULL,
    };

    add_data(&package, OTTER_ROLE_RESOURCES, &images->resources);
    add_data(&package, OTTER_ROLE_FONT, &images->font);
    package.extension_count = device->texts.extension_count;
    memcpy(package.extensions, device->texts.extensions, sizeof(package.extensions));
    struct package_encryption encryption = {0};
    int status = device->recipient_count > 0
                     ? encrypt_members(device, &package, &encryption)
                     : TOOL_DONE;

    if (status == TOOL_DONE) {
        status = package_build(&package, &file);
    }
    OPENSSL_cleanse(&encryption, sizeof(encryption));

    device->package = file.data;
    device->package_size = file.size;
    return status;
}

/* Resources and fonts are taken as they are; without a file there are none. */
static int load_data(const struct new_device *device, const char *path,
                     uint8_t region_id, struct bytes *bytes)
{
    const struct otter_region *region =
        otter_map_find(&device->profile->map, region_id);

    if (path == NULL) {
        return TOOL_DONE;
    }
    if (region == NULL) {
        return complain("%s: the profile %s has no region for it", path,
                        device->profile->name);
    }
    int status = file_read(path, region->size, bytes);

    return status == TOOL_DONE && bytes->size == 0 ? complain("%s: is empty", path)
                                                   : status;
}

static int load_members(const struct new_device *device, struct images *images)
{
    int status = new_device_image(device, device->manager, OTTER_REGION_MANAGER,
                                  &images->manager);

    if (status == TOOL_DONE) {
        status = new_device_image(device, device->firmware, OTTER_REGION_APPLICATION,
                                  &images->firmware);
    }
    if (status == TOOL_DONE) {
        status = load_data(device, device->resources, OTTER_REGION_RESOURCES,
                           &images->resources);
    }
    return status == TOOL_DONE
               ? load_data(device, device->font, OTTER_REGION_FONT, &images->font)
               : status;
}

static int make_system(struct new_device *device, const struct signing_key *signer)
{
    struct otter_table table;
    uint8_t encoded[OTTER_TABLE_MAX];
    struct images images = {.table = {.data = encoded}};
    int status = make_table(device, signer, &table);

    if (status == TOOL_DONE) {
        enum otter_result result =
            otter_table_encode(&table, encoded, sizeof(encoded), &images.table.size);

        status = result == OTTER_OK ? TOOL_DONE
                                    : complain_code("flash table", result, TOOL_FAILED);
    }
    if (status == TOOL_DONE) {
        status = load_members(device, &images);
    }
    if (status == TOOL_DONE) {
        status = build_package(device, signer, &images);
    }
    bytes_free(&images.manager);
    bytes_free(&images.firmware);
    bytes_free(&images.resources);
    bytes_free(&images.font);
    return status;
}

static int load_boot(struct new_device *device)
{
    struct bytes boot = {0};
    int status = new_device_image(device, device->boot, OTTER_REGION_BOOT, &boot);

    device->boot_data = boot.data;
    device->boot_size = boot.size;
    return status;
}

/* A key's file, or a command that knows the key: then `signer` has its public half. */
static int load_signer(struct new_device *device, struct signing_key *signer)
{
    struct external_signer *outside = &device->signer;

    if ((device->sign_path == NULL) == (outside->command == NULL)) {
        return complain_usage("give --sign KEY.pem or --sign-with COMMAND: one of them "
                              "signs the first system");
    }
    if (outside->command == NULL) {
        return key_load_private(device->sign_path, signer);
    }
    if (outside->timeout_s == 0) {
        outside->timeout_s = SIGN_WITH_TIMEOUT_S;
    }
    const int status = external_signer_load(outside);

    *signer = (struct signing_key){.key = outside->key};
    return status;
}

/* A device with keys has one more that nobody else knows, for what it saves. */
static int make_storage_key(struct new_device *device)
{
    struct otter_device_key key = {.kind = OTTER_DEVICE_KEY_STORAGE};

    if (device->keys.store.count == 0) {
        return TOOL_DONE;
    }
    if (!device->has_saved_copies) {
        device->policy.saved_copies = OTTER_SAVED_ENCRYPTED;
    }
    if (RAND_priv_bytes(key.secret, (int)sizeof(key.secret)) != 1 ||
        !host_keys_add(&device->keys, &key)) {
        return complain("OpenSSL cannot make a key");
    }
    OPENSSL_cleanse(&key, sizeof(key));
    return TOOL_DONE;
}

static bool is_map_of(const struct host_profile *profile, const struct otter_map *map)
{
    bool is_same = profile->map.count == map->count;

    for (uint8_t i = 0; is_same && i < map->count; i++) {
        const struct otter_region *found =
            otter_map_find(&profile->map, map->regions[i].id);

        is_same = found != NULL && found->addr == map->regions[i].addr &&
                  found->size == map->regions[i].size;
    }
    return is_same;
}

/* A package of another profile is told from the regions in its flash table. A map that
 * is no profile's is judged when it is written. */
static int check_profile(const struct new_device *device,
                         const struct package_file *package)
{
    const struct host_profile *other;
    struct otter_table table;

    if (package_file_table(package, &table) != OTTER_OK ||
        is_map_of(device->profile, &table.map)) {
        return TOOL_DONE;
    }
    for (size_t i = 0; (other = host_profile_at(i)) != NULL; i++) {
        if (is_map_of(other, &table.map)) {
            return complain("%s: is made for devices of profile %s, not %s",
                            package->path, other->name, device->profile->name);
        }
    }
    return TOOL_DONE;
}

/* A finished package; one of the device's keys opens it if it is encrypted. */
static int read_package(struct new_device *device)
{
    struct package_file package;
    int status = package_file_read(device->package_path, &package);
    enum otter_result result = package.result;

    device->is_encrypted = result == OTTER_OK && package.control.wrap_count > 0;
    if (status == TOOL_DONE && device->is_encrypted) {
        result =
            package_content_key(&package, &device->keys.store, device->content_key);
    }
    if (status == TOOL_DONE && result != OTTER_OK) {
        status = complain_code(device->package_path, result, TOOL_FAILED);
    }
    if (status == TOOL_DONE) {
        status = check_profile(device, &package);
    }
    if (status == TOOL_DONE) {
        device->package = package.file.data;
        device->package_size = package.file.size;
        package.file = (struct bytes){0};
    }
    package_file_free(&package);
    return status;
}

int new_device_make(struct new_device *device)
{
    struct signing_key signer;

    if (device->profile == NULL) {
        return complain_usage("--profile is missing");
    }
    int status = load_boot(device);

    if (status == TOOL_DONE) {
        status = make_storage_key(device);
    }
    if (status != TOOL_DONE) {
        return status;
    }
    if (device->package_path != NULL) {
        return read_package(device);
    }
    status = load_signer(device, &signer);
    if (status == TOOL_DONE) {
        status = make_system(device, &signer);
        key_wipe(&signer);
    }
    return status;
}

int new_device_write(const struct new_device *device, const struct otter_flash *flash)
{
    const struct host_factory factory = {
        .boot = {device->boot_data, (uint32_t)device->boot_size},
        .package = {device->package, (uint32_t)device->package_size},
        .content_key = device->is_encrypted ? device->content_key : NULL,
    };
    enum otter_result result =
        host_factory_write(&factory, flash, &otter_crypto_bearssl);

    return result == OTTER_OK ? TOOL_DONE
                              : complain_code("factory", result, TOOL_FAILED);
}
