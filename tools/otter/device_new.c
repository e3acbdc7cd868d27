/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New devices: from options to keys, flash table, images and the first system's
 * package, and from there to flash. Used by `otter factory` and `otter device new`.
 */
#include "device_new.h"

#include "crypto_bearssl.h"
#include "device_keys.h"
#include "files.h"
#include "image.h"
#include "keys.h"
#include "options.h"
#include "otter/bytes.h"
#include "package_read.h"
#include "package_write.h"
#include "verbs.h"
#include "version.h"
#include "virtual.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPEC_MAX = 4096 };

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

/* --- options --- */

static int parse_permission(const char *name, const char *value, uint8_t *permission)
{
    static const char *const names[] = {[OTTER_NEVER] = "never",
                                        [OTTER_ONLY_MANAGER] = "manager",
                                        [OTTER_OPEN] = "open"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(value, names[i]) == 0) {
            *permission = (uint8_t)i;
            return TOOL_DONE;
        }
    }
    return complain_usage("--policy %s takes never, manager or open, not \"%s\"", name,
                          value);
}

static const char *const commands[] = {
    [OTTER_COMMAND_RECEIVE] = "receive", [OTTER_COMMAND_REQUEST] = "request",
    [OTTER_COMMAND_CONFIRM] = "confirm", [OTTER_COMMAND_ERASE] = "erase",
    [OTTER_COMMAND_RESET] = "reset",     [OTTER_COMMAND_MANAGER] = "manager",
    [OTTER_COMMAND_READ] = "read",       [OTTER_COMMAND_UPGRADE] = "upgrade",
};

/* Where a number of the policy goes. */
static bool set_policy_number(struct otter_policy *policy, const char *name,
                              uint64_t number)
{
    struct {
        const char *name;
        uint16_t *value;
    } words[] = {
        {"trial-deadline", &policy->trial_deadline_s},
        {"manager-wait", &policy->manager_wait_s},
        {"watchdog", &policy->watchdog_s},
    };
    struct {
        const char *name;
        uint8_t *value;
    } bytes[] = {
        {"trial-faults", &policy->trial_faults},
        {"trial-powers", &policy->trial_powers},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(name, words[i].name) == 0 && number <= UINT16_MAX) {
            *words[i].value = (uint16_t)number;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
        if (strcmp(name, bytes[i].name) == 0 && number <= UINT8_MAX) {
            *bytes[i].value = (uint8_t)number;
            return true;
        }
    }
    return false;
}

static int take_saved_copies(struct new_device *device, const char *value)
{
    static const char *const names[] = {[OTTER_SAVED_NEVER] = "never",
                                        [OTTER_SAVED_ENCRYPTED] = "encrypted",
                                        [OTTER_SAVED_CLEAR] = "clear"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(value, names[i]) == 0) {
            device->policy.saved_copies = (uint8_t)i;
            device->has_saved_copies = true;
            return TOOL_DONE;
        }
    }
    return complain_usage(
        "--policy saved-copies takes never, encrypted or clear, not \"%s\"", value);
}

static int take_policy(struct new_device *device, const char *text)
{
    const char *equals = strchr(text, '=');
    char name[32];
    uint64_t number = 0;

    if (device->profile == NULL) {
        return complain_usage("--profile comes before --policy");
    }
    if (equals == NULL || (size_t)(equals - text) >= sizeof(name)) {
        return complain_usage("--policy takes NAME=VALUE, not \"%s\"", text);
    }
    (void)snprintf(name, sizeof(name), "%.*s", (int)(equals - text), text);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(name, commands[i]) == 0) {
            return parse_permission(name, equals + 1, &device->policy.permissions[i]);
        }
    }
    if (strcmp(name, "saved-copies") == 0) {
        return take_saved_copies(device, equals + 1);
    }
    if (!parse_number(equals + 1, UINT16_MAX, &number) || number == 0 ||
        !set_policy_number(&device->policy, name, number)) {
        return complain_usage("--policy does not take \"%s\"", text);
    }
    return TOOL_DONE;
}

static int take_profile(struct new_device *device, const char *name)
{
    device->profile = host_profile_find(name);
    if (device->profile == NULL) {
        return complain_usage("--profile takes link, ab, full or sd, not \"%s\"", name);
    }
    device->policy = device->profile->policy;
    return TOOL_DONE;
}

static int take_number(const char *option, const char *text, uint64_t max,
                       uint64_t *number)
{
    return parse_number(text, max, number)
               ? TOOL_DONE
               : complain_usage("--%s takes a number up to %llu, not \"%s\"", option,
                                (unsigned long long)max, text);
}

static int take_key(struct new_device *device, const char *path)
{
    if (device->key_count == OTTER_KEYS_MAX) {
        return complain_usage("at most %d keys", OTTER_KEYS_MAX);
    }
    device->key_paths[device->key_count++] = path;
    return TOOL_DONE;
}

static int take_deadline(struct new_device *device, const char *value)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "trial-deadline=%s", value);
    return take_policy(device, text);
}

static int take_signer(struct new_device *device, int name, const char *value)
{
    struct external_signer *signer = &device->signer;
    uint64_t number = 0;
    int status = TOOL_DONE;

    if (name == NEW_DEVICE_SIGN_WITH) {
        signer->command = value;
    } else if (name == NEW_DEVICE_PUBLIC) {
        signer->public_path = value;
    } else if (name == NEW_DEVICE_SIGN_TIMEOUT) {
        status = take_number("sign-timeout", value, SIGN_WITH_TIMEOUT_MAX_S, &number);
        signer->timeout_s = (unsigned)number;
    } else {
        status = TOOL_USAGE;
    }
    return status;
}

static int take_device_key(struct new_device *device, const char *path)
{
    struct otter_device_key key;
    int status = device_key_load(path, &key);

    /* One place is the storage key's. */
    if (status == TOOL_DONE && (device->keys.store.count + 1 >= HOST_KEYS_MAX ||
                                !host_keys_add(&device->keys, &key))) {
        status = complain_usage("at most %d device keys", HOST_KEYS_MAX - 1);
    }
    OPENSSL_cleanse(&key, sizeof(key));
    return status;
}

static int take_recipient(struct new_device *device, const char *path)
{
    if (device->recipient_count == HOST_WRAPS_MAX) {
        return complain_usage("a package is encrypted for at most %d keys",
                              HOST_WRAPS_MAX);
    }
    device->recipient_paths[device->recipient_count++] = path;
    return TOOL_DONE;
}

/* What people read about the first system, and whom its package is for. */
static int take_package(struct new_device *device, int name, const char *value)
{
    static const char *const names[] = {
        [OTTER_EXTENSION_VENDOR] = "vendor",
        [OTTER_EXTENSION_PRODUCT] = "product",
        [OTTER_EXTENSION_VERSION] = "version-text",
        [OTTER_EXTENSION_BUILD] = "build",
        [OTTER_EXTENSION_NOTES] = "notes",
    };
    int type = name - NEW_DEVICE_TEXT;

    if (name == NEW_DEVICE_ENCRYPT_TO) {
        return take_recipient(device, value);
    }
    return name == NEW_DEVICE_BATTERY
               ? package_take_battery(&device->texts, value)
               : package_take_text(&device->texts, names[type], (uint16_t)type, value);
}

int new_device_take(struct new_device *device, int name, const char *value)
{
    uint64_t number = 0;
    int status = TOOL_DONE;

    if (name >= NEW_DEVICE_ENCRYPT_TO) {
        return take_package(device, name, value);
    }

    switch (name) {
    case NEW_DEVICE_PROFILE:
        return take_profile(device, value);
    case NEW_DEVICE_KEY:
        return take_key(device, value);
    case NEW_DEVICE_SIGN:
        device->sign_path = value;
        return TOOL_DONE;
    case NEW_DEVICE_TARGET:
        status = take_number("target", value, UINT32_MAX, &number);
        device->target = (uint32_t)number;
        return status;
    case NEW_DEVICE_HARDWARE:
        status = take_number("hardware", value, UINT16_MAX, &number);
        device->hardware = (uint16_t)number;
        return status;
    case NEW_DEVICE_COUNTER:
        status = take_number("counter", value, UINT32_MAX, &number);
        device->counter = (uint32_t)number;
        return status;
    case NEW_DEVICE_VERSION:
        return parse_version(value, &device->version)
                   ? TOOL_DONE
                   : complain_usage("--version takes 1.2.3 or 1.2.3+4, not \"%s\"",
                                    value);
    case NEW_DEVICE_BOOT:
        device->boot = value;
        return TOOL_DONE;
    case NEW_DEVICE_MANAGER:
        device->manager = value;
        return TOOL_DONE;
    case NEW_DEVICE_FIRMWARE:
        device->firmware = value;
        return TOOL_DONE;
    case NEW_DEVICE_RESOURCES:
        device->resources = value;
        return TOOL_DONE;
    case NEW_DEVICE_FONT:
        device->font = value;
        return TOOL_DONE;
    case NEW_DEVICE_POLICY:
        return take_policy(device, value);
    case NEW_DEVICE_DEADLINE:
        return take_deadline(device, value);
    case NEW_DEVICE_DEVICE_KEY:
        return take_device_key(device, value);
    default:
        return take_signer(device, name, value);
    }
}

/* --- images --- */

/* One ",NAME=VALUE" of an image's spec. */
static int adjust(struct image *image, const char *path, char *option)
{
    struct image_range range;
    uint64_t addr = 0;

    if (strncmp(option, "only=", 5) == 0 && image_parse_range(option + 5, &range)) {
        return image_only(image, range) ? TOOL_DONE
                                        : complain("%s: %s", path, image->message);
    }
    if (strncmp(option, "rebase=", 7) == 0 &&
        parse_number(option + 7, UINT32_MAX, &addr)) {
        return image_rebase(image, (uint32_t)addr)
                   ? TOOL_DONE
                   : complain("%s: %s", path, image->message);
    }
    return complain_usage("%s: \"%s\" is neither only=RANGE nor rebase=ADDRESS", path,
                          option);
}

/* The image must begin where programs of the region run, and fit it. */
static int check_place(struct image *image, const char *path,
                       const struct otter_region *region)
{
    struct image_range room = {region->exec, region->exec + (region->size - 1)};
    struct image_range hit = {0, 0};

    if (!image->has_addr && !image_rebase(image, region->exec)) {
        return complain("%s: %s", path, image->message);
    }
    if (image_outside(image, room, &hit)) {
        return complain(
            "%s: 0x%08X-0x%08X lies outside the region (0x%08X-0x%08X); see only= "
            "and rebase=",
            path, hit.first, hit.last, room.first, room.last);
    }
    if (image_span(image).first != room.first) {
        return complain("%s: begins at 0x%08X, not at the region's 0x%08X; see rebase=",
                        path, image_span(image).first, room.first);
    }
    return TOOL_DONE;
}

/* What stands for a program that is not given: a vector table, then zeros. */
static int make_placeholder(const struct new_device *device,
                            const struct otter_region *region, struct bytes *bytes)
{
    bytes->data = calloc(1, NEW_DEVICE_IMAGE_NONE);
    if (bytes->data == NULL) {
        return complain("out of memory");
    }
    bytes->size = NEW_DEVICE_IMAGE_NONE;
    otter_store_le32(bytes->data, device->policy.ram_addr + device->policy.ram_size);
    otter_store_le32(bytes->data + 4, region->exec + 0x21);
    return TOOL_DONE;
}

/* Reads FILE[,only=RANGE][,rebase=ADDRESS] for a region. */
static int load_image(const struct new_device *device, const char *spec,
                      uint8_t region_id, struct bytes *bytes)
{
    const struct otter_region *region =
        otter_map_find(&device->profile->map, region_id);
    char text[SPEC_MAX];
    struct image image = {0};
    char *rest = NULL;

    if (spec == NULL) {
        return make_placeholder(device, region, bytes);
    }
    if (strlen(spec) >= sizeof(text)) {
        return complain_usage("%s: the name is too long", spec);
    }
    (void)snprintf(text, sizeof(text), "%s", spec);
    char *path = strtok_r(text, ",", &rest);
    int status = path != NULL ? image_read(path, &image)
                              : complain_usage("an image has no name");

    if (status != TOOL_DONE) {
        return status;
    }
    for (char *option;
         status == TOOL_DONE && (option = strtok_r(NULL, ",", &rest)) != NULL;) {
        status = adjust(&image, path, option);
    }
    if (status == TOOL_DONE) {
        status = check_place(&image, path, region);
    }
    if (status == TOOL_DONE && !image_flatten(&image, bytes)) {
        status = complain("%s: %s", path, image.message);
    }
    image_free(&image);
    return status;
}

/* --- the first system --- */

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
        status =
            key_load_public(device->key_paths[i], &table->keys[table->key_count++]);
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
    int status = TOOL_DONE;

    for (size_t i = 0; i < device->recipient_count && status == TOOL_DONE; i++) {
        status = recipient_load(device->recipient_paths[i], &encryption->recipients[i]);
    }
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
    int status =
        load_image(device, device->manager, OTTER_REGION_MANAGER, &images->manager);

    if (status == TOOL_DONE) {
        status = load_image(device, device->firmware, OTTER_REGION_APPLICATION,
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
    int status = load_image(device, device->boot, OTTER_REGION_BOOT, &boot);

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

/* --- otter device new --- */

struct new_options {
    const char *directory;
    uint64_t seed;
};

const struct option device_new_options[] = {
    NEW_DEVICE_OPTIONS,
    {"package", required_argument, NULL, 'p'},
    {"seed", required_argument, NULL, 's'},
    {NULL, 0, NULL, 0},
};

static int parse_new(int argc, char **argv, struct new_device *device,
                     struct new_options *options)
{
    struct option_walk walk = {
        .verb = "device", .letters = "", .options = device_new_options};

    for (int name; (name = option_next(&walk, argc, argv)) != OPTION_END;) {
        int status = TOOL_DONE;

        if (name == OPTION_BAD) {
            status = TOOL_USAGE;
        } else if (name == 'p') {
            device->package_path = optarg;
        } else if (name == 's') {
            status = take_number("seed", optarg, UINT32_MAX, &options->seed);
        } else {
            status = new_device_take(device, name, optarg);
        }
        if (status != TOOL_DONE) {
            return status;
        }
    }
    if (argc - optind != 1) {
        return complain_usage(
            "device new takes one directory; see otter device --help");
    }
    options->directory = argv[optind];
    return TOOL_DONE;
}

/* A device for which no key was named gets one of its own; its public half is for
 * whoever packs. */
static int make_device_key(struct new_device *device, struct bytes *public_pem)
{
    struct otter_device_key own = {.kind = OTTER_DEVICE_KEY_P256};
    struct bytes private_pem = {0};
    struct signing_key pair;

    if (device->keys.store.count > 0) {
        return TOOL_DONE;
    }
    int status = key_generate(&private_pem, public_pem, &pair);

    if (status == TOOL_DONE) {
        memcpy(own.id, pair.key.id, sizeof(own.id));
        memcpy(own.secret, pair.scalar, sizeof(own.secret));
        (void)host_keys_add(&device->keys, &own);
        OPENSSL_cleanse(private_pem.data, private_pem.size);
    }
    bytes_free(&private_pem);
    key_wipe(&pair);
    OPENSSL_cleanse(&own, sizeof(own));
    return status;
}

static int write_public(const char *directory, const struct bytes *pem)
{
    char name[PATH_MAX];

    if (pem->size == 0) {
        return TOOL_DONE;
    }
    int len = snprintf(name, sizeof(name), "%s/device.pub", directory);

    return len > 0 && (size_t)len < sizeof(name)
               ? file_write(name, pem->data, pem->size)
               : complain("%s: the path is too long", directory);
}

int device_new(int argc, char **argv)
{
    struct new_options options = {.seed = 1};
    struct new_device made;
    struct virtual_device device;

    new_device_init(&made);
    struct bytes public_pem = {0};
    int status = parse_new(argc, argv, &made, &options);

    if (status == TOOL_DONE) {
        status = make_device_key(&made, &public_pem);
    }
    if (status == TOOL_DONE) {
        status = new_device_make(&made);
    }
    if (status == TOOL_DONE) {
        status = virtual_create(&device, options.directory, made.profile,
                                (uint32_t)options.seed, &made.keys.store);
        if (status == TOOL_DONE) {
            vflash_power_on(&device.device.flash,
                            (struct vflash_fault){.kind = VFLASH_NONE});
            status = new_device_write(&made, &device.device.port);
            virtual_close(&device);
        }
        if (status == TOOL_DONE) {
            status = write_public(options.directory, &public_pem);
        }
    }
    bytes_free(&public_pem);
    new_device_free(&made);
    return status;
}
