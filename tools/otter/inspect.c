/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter inspect: everything that a package file names. The description is made once,
 * as JSON; the text for people is printed from it. docs/man/otter-inspect.1.scd.
 */
#include "help.h"
#include "inspect_plan.h"
#include "names.h"
#include "options.h"
#include "package_encrypt.h"
#include "package_read.h"
#include "product.h"
#include "tree_archive.h"
#include "verbs.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { LABEL = 11 };

struct options {
    const char *path;
    const char *device; /* directory, or NULL */
    struct key_ring ring;
    struct device_ring own; /* to decrypt with */
    bool is_json;
};

const struct option inspect_options[] = {
    {"key", required_argument, NULL, 'k' | OPTION_REPEATED},
    {"device", required_argument, NULL, 'd'},
    {"decrypt-with", required_argument, NULL, 'w' | OPTION_REPEATED},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int parse_options(int argc, char **argv, struct options *options)
{
    struct option_walk walk = {
        .verb = "inspect", .letters = "k:h", .options = inspect_options};
    int status = TOOL_DONE;

    for (int name; (name = option_next(&walk, argc, argv)) != OPTION_END;) {
        switch (name) {
        case 'k':
            status = key_ring_add(&options->ring, optarg);
            break;
        case 'd':
            options->device = optarg;
            break;
        case 'w':
            status = device_ring_add(&options->own, optarg);
            break;
        case 'j':
            options->is_json = true;
            break;
        case 'h':
            (void)help_print("inspect");
            return -1;
        default:
            return TOOL_USAGE;
        }
        if (status != TOOL_DONE) {
            return status;
        }
    }
    if (argc - optind != 1) {
        return complain_usage("inspect takes one package file; "
                              "see otter inspect --help");
    }
    options->path = argv[optind];
    return TOOL_DONE;
}

/* --- the description --- */

static json_t *json_hex(const uint8_t *bytes, size_t size)
{
    char text[2 * OTTER_SHA256_SIZE + 1];

    return json_string(hex_of(bytes, size, text));
}

static json_t *json_version(const struct otter_version *version)
{
    char text[NAME_VERSION_SIZE];

    return json_string(name_of_version(version, text));
}

static json_t *json_depends(uint32_t depends)
{
    json_t *list = json_array();

    for (int i = 0; i < 32; i++) {
        if ((depends >> i & 1U) != 0) {
            (void)json_array_append_new(list, json_integer(i));
        }
    }
    return list;
}

static json_t *json_flags(uint8_t flags)
{
    json_t *list = json_array();

    if ((flags & OTTER_MEMBER_KEPT) != 0) {
        (void)json_array_append_new(list, json_string("kept"));
    }
    if ((flags & OTTER_MEMBER_IN_PLACE) != 0) {
        (void)json_array_append_new(list, json_string("in place"));
    }
    if ((flags & OTTER_MEMBER_COMPATIBLE) != 0) {
        (void)json_array_append_new(list, json_string("compatible"));
    }
    if ((flags & OTTER_MEMBER_ENCRYPTED) != 0) {
        (void)json_array_append_new(list, json_string("encrypted"));
    }
    return list;
}

/* What is left of the installed size. */
static double ratio_of(const struct otter_member *member)
{
    return (double)member->stored_size / (double)member->installed_size;
}

/* `off` is where its bytes lie in the package file. */
static json_t *json_member(const struct otter_member *member, uint32_t off)
{
    const bool is_kept = (member->flags & OTTER_MEMBER_KEPT) != 0;

    return json_pack(
        "{s:s, s:i, s:s, s:i, s:s, s:i, s:o, s:I, s:o, s:I, s:I, s:o, s:I, s:o, s:i, s:o, "
        "s:o}",
        "role", name_of_role(member->role), "role_number", (int)member->role, "region",
        member->region == 0 ? "own" : name_of_region(member->region), "region_number",
        (int)member->region, "coding", name_of_coding(member->coding), "coding_number",
        (int)member->coding, "flags", json_flags(member->flags), "link_address",
        (json_int_t)member->link_addr, "offset",
        is_kept ? json_null() : json_integer(off), "stored_size",
        (json_int_t)member->stored_size, "installed_size",
        (json_int_t)member->installed_size, "ratio",
        is_kept ? json_null() : json_real(ratio_of(member)), "memory",
        (json_int_t)member->memory, "depends", json_depends(member->depends),
        "program_version", (int)member->version, "stored_sha256",
        is_kept ? json_null() : json_hex(member->stored_sha, OTTER_SHA256_SIZE),
        "installed_sha256", json_hex(member->installed_sha, OTTER_SHA256_SIZE));
}

static enum otter_result add_members(const struct package_file *package,
                                     json_t *described)
{
    const struct otter_source inner = package_file_inner(package);
    json_t *list = json_array();
    enum otter_result result = OTTER_OK;

    for (uint8_t i = 0; result == OTTER_OK && i < package->control.member_count; i++) {
        struct otter_member member;
        uint32_t off = 0;

        result = otter_control_member(&inner, &package->control, i, &member);
        if (result == OTTER_OK) {
            result = otter_control_member_off(&inner, &package->control, i, &off);
        }
        if (result == OTTER_OK) {
            (void)json_array_append_new(list, json_member(&member, off));
        }
    }
    (void)json_object_set_new(described, "members", list);
    return result;
}

static json_t *json_files(const struct bytes *archive, uint8_t root_len)
{
    json_t *list = json_array();
    struct otter_tar tar;

    otter_tar_open(&tar, (uint32_t)archive->size, root_len);
    while (tree_archive_next(archive, &tar)) {
        (void)json_array_append_new(list,
                                    json_pack("{s:s, s:b, s:I}", "name", tar.entry.name,
                                              "is_folder", (int)tar.entry.is_folder,
                                              "size", (json_int_t)tar.entry.size));
    }
    return list;
}

/* The files on the card; their list if they are carried and could be opened. */
static enum otter_result add_files(const struct package_file *package,
                                   json_t *described)
{
    const struct otter_source inner = package_file_inner(package);
    char root[OTTER_PATH_SIZE];
    enum otter_result result = otter_control_root(&inner, &package->control, root);

    if (result == OTTER_E_CONTROL_ROOT) {
        return OTTER_OK;
    }
    if (result == OTTER_OK) {
        (void)json_object_set_new(
            described, "files",
            json_pack("{s:s, s:o}", "root", root, "entries",
                      package->tree.data == NULL
                          ? json_null()
                          : json_files(&package->tree, (uint8_t)strlen(root))));
    }
    return result;
}

static const char *state_of(const struct package_signature *signature,
                            const struct key_ring *ring)
{
    if (ring->count == 0) {
        return "not checked";
    }
    if (!signature->is_known) {
        return "unknown key";
    }
    return signature->is_good ? "verified" : "wrong";
}

static void add_signatures(const struct package_file *package,
                           const struct key_ring *ring, json_t *described)
{
    json_t *list = json_array();

    for (uint8_t i = 0; i < package->control.signature_count; i++) {
        const struct package_signature signature =
            package_file_signature(package, i, ring);

        (void)json_array_append_new(
            list,
            json_pack("{s:o, s:s, s:s}", "key_id",
                      json_hex(signature.key_id, sizeof(signature.key_id)), "algorithm",
                      "ECDSA P-256 SHA-256", "state", state_of(&signature, ring)));
    }
    (void)json_object_set_new(described, "signatures", list);
}

static const char *name_of_wrap(uint8_t kind)
{
    return kind == OTTER_WRAP_ECIES_P256 ? "ECIES P-256" : "AES-256 key wrap";
}

/* For whom the content key is wrapped. */
static enum otter_result add_recipients(const struct package_file *package,
                                        json_t *described)
{
    const struct otter_source inner = package_file_inner(package);
    json_t *list = json_array();
    enum otter_result result = OTTER_OK;

    for (uint8_t i = 0; result == OTTER_OK && i < package->control.wrap_count; i++) {
        struct otter_wrap wrap;

        result = otter_control_wrap(&inner, &package->control, i, &wrap);
        if (result == OTTER_OK) {
            (void)json_array_append_new(
                list, json_pack("{s:o, s:s}", "key_id",
                                json_hex(wrap.key_id, sizeof(wrap.key_id)), "kind",
                                name_of_wrap(wrap.kind)));
        }
    }
    (void)json_object_set_new(described, "recipients", list);
    return result;
}

/* The keys that it takes the trust from. */
static enum otter_result add_revoked(const struct package_file *package,
                                     json_t *described)
{
    const struct otter_source inner = package_file_inner(package);
    json_t *list = json_array();
    enum otter_result result = OTTER_OK;

    for (uint8_t i = 0; result == OTTER_OK && i < package->control.revoke_count; i++) {
        uint8_t id[OTTER_KEY_ID_SIZE];

        result = otter_control_revoked(&inner, &package->control, i, id);
        if (result == OTTER_OK) {
            (void)json_array_append_new(list, json_hex(id, sizeof(id)));
        }
    }
    (void)json_object_set_new(described, "revokes", list);
    return result;
}

static json_t *json_head(const struct package_file *package)
{
    const struct otter_control *control = &package->control;

    return json_pack(
        "{s:I, s:i, s:i, s:o, s:I, s:i, s:i, s:I, s:o, s:i, s:i, s:o, s:o}",
        "file_length", (json_int_t)control->file_length, "control_length",
        (int)control->length, "signed_length", (int)control->signed_size, "version",
        json_version(&control->version), "target", (json_int_t)control->target,
        "hardware_min", (int)control->hardware_min, "hardware_max",
        (int)control->hardware_max, "counter", (json_int_t)control->counter, "follows",
        json_version(&control->follows), "boot_min", (int)control->boot_min,
        "manager_min", (int)control->manager_min, "package_id",
        json_hex(control->package_id, sizeof(control->package_id)), "sha256",
        package->has_hash ? json_hex(package->hash, sizeof(package->hash))
                          : json_null());
}

/* {"is_whole": true} and so on; a fault with all that is known of it. */
static json_t *json_verdict(const struct package_file *package, const char *name,
                            enum otter_result result)
{
    json_t *verdict = json_pack("{s:b}", name, result == OTTER_OK);

    if (result != OTTER_OK) {
        package_describe_refusal(package, result, verdict);
    }
    return verdict;
}

/* What can be read of the package; "check" says whether it is whole. */
static json_t *describe(const struct package_file *package, const struct key_ring *ring)
{
    json_t *described = package->has_control ? json_head(package) : json_object();

    if (package->has_control) {
        const struct otter_source inner = package_file_inner(package);

        if (product_describe(&inner, &package->control, described) != OTTER_OK ||
            add_members(package, described) != OTTER_OK ||
            add_files(package, described) != OTTER_OK ||
            add_recipients(package, described) != OTTER_OK ||
            add_revoked(package, described) != OTTER_OK) {
            (void)json_object_set_new(described, "is_cut_short", json_true());
        }
        add_signatures(package, ring, described);
    }
    (void)json_object_set_new(described, "check",
                              json_verdict(package, "is_whole", package->result));
    return described;
}

/* --- for people --- */

static json_int_t number_in(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static const char *string_in(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "-";
}

static void print_head(const json_t *described)
{
    say("version    %s\n", string_in(described, "version"));
    say("length     %lld bytes\n", (long long)number_in(described, "file_length"));
    say("target     0x%08llX\n", (long long)number_in(described, "target"));
    say("hardware   %lld to %lld\n", (long long)number_in(described, "hardware_min"),
        (long long)number_in(described, "hardware_max"));
    say("counter    %lld\n", (long long)number_in(described, "counter"));
    say("follows    %s or newer\n", string_in(described, "follows"));
    say("needs      boot %lld, manager %lld\n",
        (long long)number_in(described, "boot_min"),
        (long long)number_in(described, "manager_min"));
    say("id         %s\n", string_in(described, "package_id"));
    say("hash       %s\n", string_in(described, "sha256"));
}

static void print_list(const char *label, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);

        say("%s", i == 0 ? label : ", ");
        if (json_is_integer(item)) {
            say("%lld", (long long)json_integer_value(item));
        } else {
            say("%s", json_string_value(item));
        }
    }
}

static void print_member(size_t index, const json_t *member)
{
    say("member %-3zu %s (role %lld), region %s (%lld), coding %s (%lld)", index,
        string_in(member, "role"), (long long)number_in(member, "role_number"),
        string_in(member, "region"), (long long)number_in(member, "region_number"),
        string_in(member, "coding"), (long long)number_in(member, "coding_number"));
    print_list(", ", json_object_get(member, "flags"));
    print_list(", after member ", json_object_get(member, "depends"));
    say("\n           installed %lld bytes %s\n",
        (long long)number_in(member, "installed_size"),
        string_in(member, "installed_sha256"));
    if (json_is_integer(json_object_get(member, "offset"))) {
        say("           stored    %lld bytes %s\n           %.1f %%, at offset "
            "%lld",
            (long long)number_in(member, "stored_size"),
            string_in(member, "stored_sha256"),
            json_real_value(json_object_get(member, "ratio")) * 100,
            (long long)number_in(member, "offset"));
    } else {
        say("           not in the file%s",
            number_in(member, "role_number") == OTTER_ROLE_FIRMWARE
                ? ": no device installs a package that keeps its firmware"
                : "");
    }
    say(", linked for 0x%08llX, version %lld, needs %lld bytes of RAM\n",
        (long long)number_in(member, "link_address"),
        (long long)number_in(member, "program_version"),
        (long long)number_in(member, "memory"));
}

static void print_files(const json_t *files)
{
    const json_t *entries = json_object_get(files, "entries");
    size_t folders = 0;

    for (size_t i = 0; i < json_array_size(entries); i++) {
        folders +=
            json_is_true(json_object_get(json_array_get(entries, i), "is_folder"));
    }
    say("files      in %s", string_in(files, "root"));
    if (json_is_array(entries)) {
        const size_t count = json_array_size(entries) - folders;

        say(": %zu file%s, %zu folder%s", count, count == 1 ? "" : "s", folders,
            folders == 1 ? "" : "s");
    }
    say("\n");
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);

        if (json_is_true(json_object_get(entry, "is_folder"))) {
            say("           %s/\n", string_in(entry, "name"));
        } else {
            say("           %s, %lld bytes\n", string_in(entry, "name"),
                (long long)number_in(entry, "size"));
        }
    }
}

static void print_encryption(const json_t *described)
{
    const json_t *recipients = json_object_get(described, "recipients");
    const json_t *content = json_object_get(described, "content");

    for (size_t i = 0; i < json_array_size(recipients); i++) {
        const json_t *recipient = json_array_get(recipients, i);

        say("encrypted  for key %s, %s\n", string_in(recipient, "key_id"),
            string_in(recipient, "kind"));
    }
    if (content != NULL) {
        const bool is_good = json_is_true(json_object_get(content, "is_verified"));

        say("content    %s%s%s\n", is_good ? "verified" : "",
            is_good ? "" : string_in(content, "code"), is_good ? "" : ": not verified");
    }
}

static void print_description(const json_t *described)
{
    const json_t *members = json_object_get(described, "members");
    const json_t *signatures = json_object_get(described, "signatures");
    const json_t *revokes = json_object_get(described, "revokes");

    print_head(described);
    product_print(described, LABEL);
    for (size_t i = 0; i < json_array_size(members); i++) {
        print_member(i, json_array_get(members, i));
    }
    if (json_object_get(described, "files") != NULL) {
        print_files(json_object_get(described, "files"));
    }
    print_encryption(described);
    for (size_t i = 0; i < json_array_size(signatures); i++) {
        const json_t *signature = json_array_get(signatures, i);

        say("signature  %s by key %s: %s\n", string_in(signature, "algorithm"),
            string_in(signature, "key_id"), string_in(signature, "state"));
    }
    if (json_array_size(signatures) == 0) {
        say("signature  none\n");
    }
    for (size_t i = 0; i < json_array_size(revokes); i++) {
        say("revokes    key %s\n", json_string_value(json_array_get(revokes, i)));
    }
}

static void print_report(const struct options *options,
                         const struct package_file *package, const json_t *described)
{
    if (options->is_json) {
        (void)json_dumpf(described, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        say("\n");
    } else if (package->has_control) {
        print_description(described);
        if (json_object_get(described, "plan") != NULL) {
            inspect_plan_print(package, json_object_get(described, "plan"));
        }
    }
}

static int report(const struct options *options, struct package_file *package)
{
    const bool is_whole = package->result == OTTER_OK;
    const bool is_opened = options->own.count > 0 && is_whole;
    /* Before the description, which lists the files of a tree that was opened. */
    const enum otter_result content =
        is_opened ? package_check_content(package, &options->own) : OTTER_OK;
    json_t *described = describe(package, &options->ring);

    if (options->device != NULL && is_whole) {
        json_t *plan = inspect_plan(package, options->device);

        if (plan == NULL) {
            json_decref(described);
            return TOOL_FAILED;
        }
        (void)json_object_set_new(described, "plan", plan);
    }
    if (is_opened) {
        (void)json_object_set_new(described, "content",
                                  json_verdict(package, "is_verified", content));
    }
    print_report(options, package, described);
    json_decref(described);
    if (is_whole) {
        return content == OTTER_OK ? TOOL_DONE : TOOL_UNVERIFIED;
    }
    (void)fflush(stdout);
    return options->is_json ? TOOL_UNVERIFIED
                            : package_file_refuse(package, package->result);
}

int verb_inspect(int argc, char **argv)
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
