/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter verify: checks a package as a device with those keys, that target, hardware
 * and counter would. docs/man/otter-verify.1.scd.
 */
#include "help.h"
#include "names.h"
#include "options.h"
#include "package_encrypt.h"
#include "package_read.h"
#include "verbs.h"

#include <jansson.h>
#include <stdio.h>

/* A number that may be given. */
struct wanted {
    bool is_given;
    uint64_t number;
};

struct options {
    const char *path;
    struct key_ring ring;
    struct device_ring own; /* to decrypt with */
    struct wanted target;
    struct wanted hardware;
    struct wanted counter;
    bool is_json;
};

static int take_number(const char *option, uint64_t max, struct wanted *wanted)
{
    wanted->is_given = parse_number(optarg, max, &wanted->number);
    return wanted->is_given
               ? TOOL_DONE
               : complain_usage("verify: --%s \"%s\" is not a number up to %llu",
                                option, optarg, (unsigned long long)max);
}

static int take_option(int name, struct options *options)
{
    switch (name) {
    case 'k':
        return key_ring_add(&options->ring, optarg);
    case 'd':
        return device_ring_add(&options->own, optarg);
    case 't':
        return take_number("target", UINT32_MAX, &options->target);
    case 'w':
        return take_number("hardware", UINT16_MAX, &options->hardware);
    case 'c':
        return take_number("counter", UINT32_MAX, &options->counter);
    case 'j':
        options->is_json = true;
        return TOOL_DONE;
    case 'h':
        (void)help_print("verify");
        return -1;
    default:
        return TOOL_USAGE;
    }
}

const struct option verify_options[] = {
    {"key", required_argument, NULL, 'k' | OPTION_REPEATED},
    {"target", required_argument, NULL, 't'},
    {"hardware", required_argument, NULL, 'w'},
    {"counter", required_argument, NULL, 'c'},
    {"decrypt-with", required_argument, NULL, 'd' | OPTION_REPEATED},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int parse_options(int argc, char **argv, struct options *options)
{
    struct option_walk walk = {
        .verb = "verify", .letters = "k:h", .options = verify_options};

    for (int name; (name = option_next(&walk, argc, argv)) != OPTION_END;) {
        const int status = take_option(name, options);

        if (status != TOOL_DONE) {
            return status;
        }
    }
    if (argc - optind != 1) {
        return complain_usage("verify takes one package file; "
                              "see otter verify --help");
    }
    if (options->ring.count == 0) {
        return complain_usage("verify needs a key: add --key PUB.pem");
    }
    options->path = argv[optind];
    return TOOL_DONE;
}

/* No device installs a package that keeps the firmware: a trial needs one of its own.
 */
static bool keeps_firmware(const struct package_file *package)
{
    const struct otter_source inner = package_file_inner(package);
    struct otter_member member;
    uint8_t index = 0;

    return otter_control_find(&inner, &package->control, OTTER_ROLE_FIRMWARE, &member,
                              &index) == OTTER_OK &&
           (member.flags & OTTER_MEMBER_KEPT) != 0;
}

/* In the order of a device: form and hashes, signature, then whether it fits, then what
 * is encrypted. */
static enum otter_result judge(const struct options *options,
                               struct package_file *package)
{
    const struct otter_control *control = &package->control;
    enum otter_result result = package->result;

    if (result == OTTER_OK) {
        result = package_file_verify(package, &options->ring);
    }
    if (result != OTTER_OK) {
        return result;
    }
    if (options->target.is_given && control->target != options->target.number) {
        return OTTER_E_TARGET;
    }
    if (options->hardware.is_given &&
        (options->hardware.number < control->hardware_min ||
         options->hardware.number > control->hardware_max)) {
        return OTTER_E_HARDWARE;
    }
    if (options->counter.is_given && control->counter < options->counter.number) {
        return OTTER_E_COUNTER;
    }
    if (keeps_firmware(package)) {
        return OTTER_E_STRATEGY;
    }
    return options->own.count == 0 ? OTTER_OK
                                   : package_check_content(package, &options->own);
}

static void print_json(const struct package_file *package, enum otter_result result)
{
    json_t *printed = json_pack("{s:b}", "verified", result == OTTER_OK ? 1 : 0);
    char version[NAME_VERSION_SIZE];
    char hash[2 * OTTER_SHA256_SIZE + 1];

    if (result == OTTER_OK) {
        (void)json_object_update_new(
            printed, json_pack("{s:s, s:I, s:I, s:s}", "version",
                               name_of_version(&package->control.version, version),
                               "target", (json_int_t)package->control.target, "counter",
                               (json_int_t)package->control.counter, "sha256",
                               hex_of(package->hash, sizeof(package->hash), hash)));
    } else {
        package_describe_refusal(package, result, printed);
    }
    (void)json_dumpf(printed, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)printf("\n");
    json_decref(printed);
}

static int report(const struct options *options, struct package_file *package)
{
    const enum otter_result result = judge(options, package);
    char version[NAME_VERSION_SIZE];

    if (options->is_json) {
        print_json(package, result);
        return result == OTTER_OK ? TOOL_DONE : TOOL_UNVERIFIED;
    }
    if (result != OTTER_OK) {
        const int status = package_file_refuse(package, result);

        if (result == OTTER_E_STRATEGY) {
            (void)fputs("       It keeps the firmware; pack it again with its "
                        "firmware in it\n",
                        stderr);
        }
        return status;
    }
    (void)printf("verified: version %s, target 0x%08X, counter %u\n",
                 name_of_version(&package->control.version, version),
                 package->control.target, package->control.counter);
    return TOOL_DONE;
}

int verb_verify(int argc, char **argv)
{
    struct options options = {.path = NULL};
    struct package_file package;
    int status = parse_options(argc, argv, &options);

    if (status == TOOL_DONE) {
        status = package_file_read(options.path, &package);
    }
    if (status == TOOL_DONE) {
        status = report(&options, &package);
        package_file_free(&package);
    }
    device_ring_wipe(&options.own);
    return status < 0 ? TOOL_DONE : status;
}
