/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter pack: makes a package from images and keys. docs/man/otter-pack.1.scd. The same
 * arguments and files always give the same bytes, but for an encrypted package without
 * --reproducible. Here are its options; pack_make.c makes the package.
 */
#include "help.h"
#include "options.h"
#include "pack_inner.h"
#include "package_text.h"
#include "verbs.h"
#include "version.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* Names of long options; the letters of texts are found in `texts`. */
enum option_name {
    OPTION_KEY = 256,
    OPTION_VERSION,
    OPTION_COUNTER,
    OPTION_FOLLOW,
    OPTION_MAP,
    OPTION_TARGET,
    OPTION_HARDWARE,
    OPTION_FOLLOWS,
    OPTION_BOOT_MIN,
    OPTION_MANAGER_MIN,
    OPTION_FIRMWARE,
    OPTION_ONLY,
    OPTION_REBASE,
    OPTION_LINK,
    OPTION_MEMBER,
    OPTION_BATTERY,
    OPTION_VARIANT,
    OPTION_SIGN_WITH,
    OPTION_PUBLIC,
    OPTION_SIGN_TIMEOUT,
    OPTION_ENCRYPT_TO,
    OPTION_REPRODUCIBLE,
    OPTION_SECRET,
    OPTION_CODING,
    OPTION_CODING_MEMORY,
    OPTION_REVOKE,
    OPTION_TABLE_KEYS,
    OPTION_TABLE_FROM,
    OPTION_TEXT, /* + enum otter_extension */
};

/* --- numbers --- */

static int take_number(const char *name, const char *value, uint64_t max,
                       uint64_t *number)
{
    return parse_number(value, max, number)
               ? TOOL_DONE
               : complain_usage("--%s takes a number up to %llu, not \"%s\"", name,
                                (unsigned long long)max, value);
}

/* "MIN-MAX", or one revision. */
static int take_hardware(struct pack *pack, const char *value)
{
    char text[32];
    uint64_t first = 0;
    uint64_t last = 0;

    if (strlen(value) < sizeof(text)) {
        memcpy(text, value, strlen(value) + 1);
        char *dash = strchr(text, '-');

        if (dash != NULL) {
            *dash = '\0';
        }
        if (parse_number(text, UINT16_MAX, &first) &&
            parse_number(dash == NULL ? text : dash + 1, UINT16_MAX, &last) &&
            first <= last) {
            pack->package.hardware_min = (uint16_t)first;
            pack->package.hardware_max = (uint16_t)last;
            pack->has_hardware = true;
            return TOOL_DONE;
        }
    }
    return complain_usage(
        "--hardware takes MIN-MAX or one number, up to 65535, not \"%s\"", value);
}

static int take_version(const char *name, const char *value,
                        struct otter_version *version)
{
    return parse_version(value, version)
               ? TOOL_DONE
               : complain_usage("--%s takes 1.2.3 or 1.2.3+4, not \"%s\"", name, value);
}

static int take_range(struct pack *pack, const char *value)
{
    pack->firmware.has_only = image_parse_range(value, &pack->firmware.only);
    return pack->firmware.has_only
               ? TOOL_DONE
               : complain_usage("--only takes ADDR-ADDR or ADDR+SIZE, not \"%s\"",
                                value);
}

/* --- options --- */

static int take_key(struct pack *pack, const char *path)
{
    if (pack->key_count == PACKAGE_SIGNATURES_MAX) {
        return complain_usage("a package takes at most %d keys",
                              PACKAGE_SIGNATURES_MAX);
    }
    pack->key_paths[pack->key_count++] = path;
    return TOOL_DONE;
}

static int take_signer(struct pack *pack, const char *command)
{
    if (pack->signer_count == PACKAGE_SIGNATURES_MAX) {
        return complain_usage("a package takes at most %d signatures",
                              PACKAGE_SIGNATURES_MAX);
    }
    if (pack->public_count < pack->signer_count) {
        return complain_usage("--sign-with needs its --public before the next one");
    }
    pack->signers[pack->signer_count++].command = command;
    return TOOL_DONE;
}

/* Public keys belong to commands in their order. */
static int take_public(struct pack *pack, const char *path)
{
    if (pack->public_count == pack->signer_count) {
        return complain_usage("--public belongs to the --sign-with before it");
    }
    pack->signers[pack->public_count++].public_path = path;
    return TOOL_DONE;
}

static int take_sign_timeout(struct pack *pack, const char *value)
{
    uint64_t number = 0;
    int status = take_number("sign-timeout", value, SIGN_WITH_TIMEOUT_MAX_S, &number);

    pack->sign_time_s = (unsigned)number;
    return status;
}

static int take_sign_with(struct pack *pack, int name, const char *value)
{
    if (name == OPTION_SIGN_TIMEOUT) {
        return take_sign_timeout(pack, value);
    }
    return name == OPTION_SIGN_WITH ? take_signer(pack, value)
                                    : take_public(pack, value);
}

static int take_recipient(struct pack *pack, const char *path)
{
    if (pack->recipient_count == HOST_WRAPS_MAX) {
        return complain_usage("a package is encrypted for at most %d keys",
                              HOST_WRAPS_MAX);
    }
    pack->recipient_paths[pack->recipient_count++] = path;
    return TOOL_DONE;
}

/* Which keys devices are to trust. */
static int take_trust(struct pack *pack, int name, const char *value)
{
    if (name == OPTION_TABLE_FROM) {
        pack->table.from = value;
        return TOOL_DONE;
    }
    return name == OPTION_REVOKE ? pack_revoke_add(&pack->revokes, value)
                                 : pack_table_add_key(&pack->table, value);
}

static int take_member(struct pack *pack, char *text)
{
    if (pack->member_count == OTTER_MEMBERS_MAX) {
        return complain_usage("a package has at most %d members", OTTER_MEMBERS_MAX);
    }
    return pack_member_parse(text, &pack->members[pack->member_count++]);
}

/* Options whose values are numbers of the control packet. */
static int take_control_number(struct pack *pack, int name, const char *value)
{
    struct package *package = &pack->package;
    uint64_t number = 0;
    int status = TOOL_USAGE;

    if (name == OPTION_COUNTER) {
        status = take_number("counter", value, UINT32_MAX, &number);
        package->counter = (uint32_t)number;
        pack->has_counter = true;
    } else if (name == OPTION_TARGET) {
        status = take_number("target", value, UINT32_MAX, &number);
        package->target = (uint32_t)number;
        pack->has_target = true;
    } else if (name == OPTION_BOOT_MIN) {
        status = take_number("boot-min", value, UINT16_MAX, &number);
        package->boot_min = (uint16_t)number;
    } else if (name == OPTION_MANAGER_MIN) {
        status = take_number("manager-min", value, UINT16_MAX, &number);
        package->manager_min = (uint16_t)number;
    } else if (name == OPTION_REBASE) {
        status = take_number("rebase", value, UINT32_MAX, &number);
        pack->firmware.rebase = (uint32_t)number;
        pack->firmware.has_rebase = true;
    } else if (name == OPTION_CODING_MEMORY) {
        status = take_number("coding-memory", value, UINT32_MAX, &number);
        pack->coding_memory = (uint32_t)number;
        pack->has_coding_memory = true;
    } else if (name == OPTION_LINK) {
        status = take_number("link", value, UINT32_MAX, &number);
        pack->firmware.link_addr = (uint32_t)number;
        pack->firmware.has_link = true;
    }
    return status;
}

static int take_option(struct pack *pack, int name, const char *long_name, char *value)
{
    switch (name) {
    case 'o':
        pack->output = value;
        return TOOL_DONE;
    case OPTION_KEY:
        return take_key(pack, value);
    case OPTION_VERSION:
        pack->has_version = true;
        return take_version("version", value, &pack->package.version);
    case OPTION_FOLLOWS:
        return take_version("follows", value, &pack->package.follows);
    case OPTION_FOLLOW:
        pack->follow = value;
        return TOOL_DONE;
    case OPTION_MAP:
        pack->map_path = value;
        return TOOL_DONE;
    case OPTION_HARDWARE:
        return take_hardware(pack, value);
    case OPTION_FIRMWARE:
        pack->firmware.path = value;
        return TOOL_DONE;
    case OPTION_ONLY:
        return take_range(pack, value);
    case OPTION_MEMBER:
        return take_member(pack, value);
    case OPTION_BATTERY:
        return package_take_battery(&pack->package, value);
    case OPTION_SIGN_WITH:
    case OPTION_PUBLIC:
    case OPTION_SIGN_TIMEOUT:
        return take_sign_with(pack, name, value);
    case OPTION_VARIANT:
        pack->recipe.variant = value;
        return TOOL_DONE;
    case OPTION_ENCRYPT_TO:
        return take_recipient(pack, value);
    case OPTION_REPRODUCIBLE:
        pack->is_reproducible = true;
        return TOOL_DONE;
    case OPTION_SECRET:
        pack->secret_path = value;
        return TOOL_DONE;
    case OPTION_REVOKE:
    case OPTION_TABLE_KEYS:
    case OPTION_TABLE_FROM:
        return take_trust(pack, name, value);
    case OPTION_CODING:
        return pack_coding_parse(value, &pack->coding)
                   ? TOOL_DONE
                   : complain_usage("--coding takes auto, raw, zlib or heatshrink, "
                                    "not \"%s\"",
                                    value);
    default:
        return name > OPTION_TEXT
                   ? package_take_text(&pack->package, long_name,
                                       (uint16_t)(name - OPTION_TEXT), value)
                   : take_control_number(pack, name, value);
    }
}

const struct option pack_options[] = {
    {"output", required_argument, NULL, 'o'},
    {"key", required_argument, NULL, OPTION_KEY | OPTION_REPEATED},
    {"version", required_argument, NULL, OPTION_VERSION},
    {"counter", required_argument, NULL, OPTION_COUNTER},
    {"follow", required_argument, NULL, OPTION_FOLLOW},
    {"map", required_argument, NULL, OPTION_MAP},
    {"target", required_argument, NULL, OPTION_TARGET},
    {"hardware", required_argument, NULL, OPTION_HARDWARE},
    {"follows", required_argument, NULL, OPTION_FOLLOWS},
    {"boot-min", required_argument, NULL, OPTION_BOOT_MIN},
    {"manager-min", required_argument, NULL, OPTION_MANAGER_MIN},
    {"firmware", required_argument, NULL, OPTION_FIRMWARE},
    {"only", required_argument, NULL, OPTION_ONLY},
    {"rebase", required_argument, NULL, OPTION_REBASE},
    {"link", required_argument, NULL, OPTION_LINK},
    {"member", required_argument, NULL, OPTION_MEMBER | OPTION_REPEATED},
    {"sign-with", required_argument, NULL, OPTION_SIGN_WITH | OPTION_REPEATED},
    {"public", required_argument, NULL, OPTION_PUBLIC | OPTION_REPEATED},
    {"sign-timeout", required_argument, NULL, OPTION_SIGN_TIMEOUT},
    {"variant", required_argument, NULL, OPTION_VARIANT},
    {"encrypt-to", required_argument, NULL, OPTION_ENCRYPT_TO | OPTION_REPEATED},
    {"reproducible", no_argument, NULL, OPTION_REPRODUCIBLE},
    {"secret", required_argument, NULL, OPTION_SECRET},
    {"revoke", required_argument, NULL, OPTION_REVOKE | OPTION_REPEATED},
    {"table-keys", required_argument, NULL, OPTION_TABLE_KEYS | OPTION_REPEATED},
    {"table-from", required_argument, NULL, OPTION_TABLE_FROM},
    {"battery", required_argument, NULL, OPTION_BATTERY},
    {"coding", required_argument, NULL, OPTION_CODING},
    {"coding-memory", required_argument, NULL, OPTION_CODING_MEMORY},
    {"vendor", required_argument, NULL, OPTION_TEXT + OTTER_EXTENSION_VENDOR},
    {"product", required_argument, NULL, OPTION_TEXT + OTTER_EXTENSION_PRODUCT},
    {"version-text", required_argument, NULL, OPTION_TEXT + OTTER_EXTENSION_VERSION},
    {"build", required_argument, NULL, OPTION_TEXT + OTTER_EXTENSION_BUILD},
    {"notes", required_argument, NULL, OPTION_TEXT + OTTER_EXTENSION_NOTES},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

int pack_take(struct pack *pack, const char *name, char *value, const char *place)
{
    const struct option *option = pack_options;
    int status = TOOL_USAGE;

    while (option->name != NULL && strcmp(option->name, name) != 0) {
        option++;
    }
    complain_at(place);
    if (option->name != NULL) {
        status = take_option(pack, option_name(option), option->name, value);
    }
    if (status == TOOL_DONE && option_name(option) == OPTION_MEMBER) {
        pack->members[pack->member_count - 1].place = place;
    }
    complain_at(NULL);
    return status;
}

/* True for what may stand beside a recipe: what is no part of the release. */
static bool is_beside_recipe(int name)
{
    return name == 'o' || name == OPTION_KEY || name == OPTION_VARIANT ||
           name == OPTION_SIGN_WITH || name == OPTION_PUBLIC ||
           name == OPTION_SIGN_TIMEOUT || name == OPTION_ENCRYPT_TO ||
           name == OPTION_REPRODUCIBLE || name == OPTION_SECRET;
}

/* Without recipients nothing is encrypted, and what is random must be meant to be. */
static int check_encryption(const struct pack *pack)
{
    bool is_asked_for = false;

    for (size_t i = 0; i < pack->member_count; i++) {
        is_asked_for = is_asked_for || pack->members[i].is_encrypted;
    }
    if (is_asked_for && pack->recipient_count == 0) {
        return complain_usage("encrypt=yes needs a key: add --encrypt-to KEY");
    }
    if (pack->recipient_count > 0 && pack->is_reproducible &&
        pack->secret_path == NULL) {
        return complain_usage("--reproducible with --encrypt-to needs --secret ROOT, "
                              "from which the keys are made");
    }
    if (pack->secret_path != NULL && !pack->is_reproducible) {
        return complain_usage("--secret belongs to --reproducible");
    }
    return TOOL_DONE;
}

static bool has_firmware(const struct pack *pack)
{
    bool is_given = pack->firmware.path != NULL;

    for (size_t i = 0; i < pack->member_count; i++) {
        is_given = is_given || pack->members[i].role == OTTER_ROLE_FIRMWARE;
    }
    return is_given;
}

/* What is asked for must be whole before a file is opened. */
static int check_options(const struct pack *pack)
{
    if (pack->output == NULL || !pack->has_version || !pack->has_counter) {
        return complain_usage(
            "pack needs -o, --version and --counter; see otter pack --help");
    }
    if (pack->follow == NULL && !(pack->has_target && pack->has_hardware)) {
        return complain_usage(
            "pack needs --target and --hardware, or --follow, whose package "
            "gives them");
    }
    if (pack->firmware.path == NULL &&
        (pack->firmware.has_only || pack->firmware.has_rebase ||
         pack->firmware.has_link)) {
        return complain_usage(
            "--only, --rebase and --link belong to --firmware; a --member has "
            "its own: ,only= and so on");
    }
    if (!has_firmware(pack)) {
        return complain_usage(
            "pack needs the firmware, also if it stays the same: no device installs a "
            "package that keeps it; %s",
            pack->recipe.path != NULL ? "add the member of role firmware"
                                      : "add --firmware FILE");
    }
    if (pack->firmware.path != NULL && pack->member_count == OTTER_MEMBERS_MAX) {
        return complain_usage("a package has at most %d members", OTTER_MEMBERS_MAX);
    }
    return check_encryption(pack);
}

static int parse_options(int argc, char **argv, struct pack *pack)
{
    struct option_walk walk = {
        .verb = "pack", .letters = "o:h", .options = pack_options};

    for (int name; (name = option_next(&walk, argc, argv)) != OPTION_END;) {
        if (name == 'h') {
            (void)help_print("pack");
            return -1;
        }
        int status = name == OPTION_BAD
                         ? TOOL_USAGE
                         : take_option(pack, name, walk.row->name, optarg);

        if (status != TOOL_DONE) {
            return status;
        }
        if (!is_beside_recipe(name)) {
            pack->beside = walk.row->name;
        }
    }
    if (argc - optind > 1) {
        return complain_usage("pack takes one recipe; name images with --firmware or "
                              "--member");
    }
    pack->recipe.path = argv[optind];
    return TOOL_DONE;
}

/* A recipe stands for all options but those that are no part of a release. */
static int read_recipe(struct pack *pack)
{
    if (pack->recipe.path == NULL) {
        return pack->recipe.variant == NULL
                   ? TOOL_DONE
                   : complain_usage("--variant belongs to a recipe");
    }
    if (pack->beside != NULL) {
        return complain_usage("--%s cannot stand beside a recipe: write it into %s",
                              pack->beside, pack->recipe.path);
    }
    return pack_recipe_take(&pack->recipe, pack);
}

static void clean_up(struct pack *pack)
{
    bytes_free(&pack->firmware.data);
    bytes_free(&pack->firmware.stored);
    for (size_t i = 0; i < pack->member_count; i++) {
        bytes_free(&pack->members[i].data);
        bytes_free(&pack->members[i].stored);
    }
    for (size_t i = 0; i < PACKAGE_SIGNATURES_MAX; i++) {
        key_wipe(&pack->keys[i]);
    }
    pack_recipe_free(&pack->recipe);
    OPENSSL_cleanse(&pack->encryption, sizeof(pack->encryption));
}

/* What a run holds is large, for a recipe above all. */
int verb_pack(int argc, char **argv)
{
    struct pack *pack = calloc(1, sizeof(*pack));

    if (pack == NULL) {
        return complain("out of memory");
    }
    pack->firmware.role = OTTER_ROLE_FIRMWARE;
    pack->coding = PACK_CODING_AUTO;
    int status = parse_options(argc, argv, pack);

    if (status == TOOL_DONE) {
        status = read_recipe(pack);
    }
    if (status == TOOL_DONE) {
        status = check_options(pack);
    }
    if (status == TOOL_DONE) {
        status = pack_make(pack);
    }
    clean_up(pack);
    free(pack);
    return status < 0 ? TOOL_DONE : status;
}
