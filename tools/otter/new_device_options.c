/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options that say what a new device is to have.
 */
#include "new_device.h"

#include "device_keys.h"
#include "say.h"
#include "verbs.h"
#include "version.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

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

int new_device_number(const char *option, const char *text, uint64_t max,
                      uint64_t *value)
{
    return parse_number(text, max, value)
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
        status =
            new_device_number("sign-timeout", value, SIGN_WITH_TIMEOUT_MAX_S, &number);
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
        status = new_device_number("target", value, UINT32_MAX, &number);
        device->target = (uint32_t)number;
        return status;
    case NEW_DEVICE_HARDWARE:
        status = new_device_number("hardware", value, UINT16_MAX, &number);
        device->hardware = (uint16_t)number;
        return status;
    case NEW_DEVICE_COUNTER:
        status = new_device_number("counter", value, UINT32_MAX, &number);
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
