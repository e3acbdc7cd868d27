/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the tool's values to the encoder's (factory.h), and a check by the parser that
 * devices use.
 */
#include "package_write.h"

#include "crypto_bearssl.h"
#include "factory.h"
#include "otter/container.h"
#include "verbs.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

/* What the encoder takes; points into the package. */
struct parts {
    struct host_member members[OTTER_MEMBERS_MAX];
    struct host_extension extensions[PACKAGE_EXTENSIONS_MAX + 1]; /* and the wraps */
    struct host_signer signers[PACKAGE_SIGNATURES_MAX];
    struct package_ciphers ciphers;
    uint8_t scalars[PACKAGE_SIGNATURES_MAX * HOST_SIGN_SCALAR_SIZE];
    struct host_package package;
};

enum otter_result package_set_extension(struct package *package, uint16_t type,
                                        const void *data, size_t len)
{
    uint8_t place = 0;

    while (place < package->extension_count && package->extensions[place].type < type) {
        place++;
    }
    struct package_extension *extension = &package->extensions[place];

    if (len > sizeof(extension->data)) {
        return OTTER_E_CONTROL_TEXT;
    }
    if (place == package->extension_count || extension->type != type) {
        if (package->extension_count == PACKAGE_EXTENSIONS_MAX) {
            return OTTER_E_CONTROL_TLV;
        }
        memmove(extension + 1, extension,
                (size_t)(package->extension_count - place) * sizeof(*extension));
        package->extension_count++;
    }
    extension->type = type;
    extension->len = (uint16_t)len;
    memcpy(extension->data, data, len);
    return OTTER_OK;
}

static void fill_arrays(const struct package *package, struct parts *parts)
{
    for (uint8_t i = 0; i < package->member_count; i++) {
        const struct package_member *member = &package->members[i];

        parts->members[i] = (struct host_member){
            .role = member->role,
            .region = member->region,
            .flags = member->flags,
            .link_addr = member->link_addr,
            .depends = member->depends,
            .version = member->version,
            .coding = member->coding,
            .memory = member->memory,
            .image = {member->data, member->size},
            .stored = {member->stored, member->stored_size},
            .sha = member->data == NULL ? member->sha : NULL,
        };
    }
    for (uint8_t i = 0; i < package->extension_count; i++) {
        const struct package_extension *extension = &package->extensions[i];

        parts->extensions[i] =
            (struct host_extension){extension->type, extension->len, extension->data};
    }
    for (uint8_t i = 0; i < package->key_count; i++) {
        memcpy(parts->scalars + (size_t)i * HOST_SIGN_SCALAR_SIZE,
               package->keys[i].scalar, HOST_SIGN_SCALAR_SIZE);
    }
}

/* The encoder's way to a command. What went wrong has been said. */
static enum otter_result sign_with(const void *context,
                                   const uint8_t digest[OTTER_SHA256_SIZE],
                                   uint8_t signature[OTTER_P256_SIGNATURE_SIZE])
{
    return external_signer_sign(context, digest, signature) == TOOL_DONE
               ? OTTER_OK
               : OTTER_E_SIGNATURE_BAD;
}

/* In place of a command, to see first that all else is right. */
static enum otter_result sign_nothing(const void *context,
                                      const uint8_t digest[OTTER_SHA256_SIZE],
                                      uint8_t signature[OTTER_P256_SIGNATURE_SIZE])
{
    (void)context;
    (void)digest;
    memset(signature, 1, OTTER_P256_SIGNATURE_SIZE);
    return OTTER_OK;
}

static void fill_signers(const struct package *package, struct parts *parts)
{
    for (uint8_t i = 0; i < package->signer_count; i++) {
        parts->signers[i] =
            (struct host_signer){.context = &package->signers[i], .sign = sign_with};
        memcpy(parts->signers[i].key_id, package->signers[i].key.id, OTTER_KEY_ID_SIZE);
    }
    parts->package.signers = parts->signers;
    parts->package.signer_count = package->signer_count;
}

/* `parts` must not move afterwards; it holds private keys. */
static void fill_parts(const struct package *package, struct parts *parts)
{
    memset(parts, 0, sizeof(*parts));
    fill_arrays(package, parts);
    parts->package = (struct host_package){
        .version = package->version,
        .target = package->target,
        .hardware_min = package->hardware_min,
        .hardware_max = package->hardware_max,
        .is_id_made = !package->has_id,
        .counter = package->counter,
        .follows = package->follows,
        .boot_min = package->boot_min,
        .manager_min = package->manager_min,
        .members = parts->members,
        .member_count = package->member_count,
        .extensions = parts->extensions,
        .extension_count = package->extension_count,
    };
    fill_signers(package, parts);
    memcpy(parts->package.id, package->id, sizeof(package->id));
    if (package->key_count > 0) {
        parts->package.scalar = parts->scalars;
        parts->package.more_scalars = parts->scalars + HOST_SIGN_SCALAR_SIZE;
        parts->package.more_scalar_count = (uint8_t)(package->key_count - 1);
    }
}

static size_t control_size(const struct package *package)
{
    size_t size = OTTER_CONTROL_HEAD_SIZE +
                  (size_t)package->member_count * OTTER_CONTROL_MEMBER_SIZE +
                  ((size_t)package->key_count + package->signer_count) *
                      OTTER_CONTROL_SIGNATURE_SIZE;

    for (uint8_t i = 0; i < package->extension_count; i++) {
        size += 4U + package->extensions[i].len;
    }
    if (package->encryption != NULL) {
        size += package_wraps_size(package->encryption);
    }
    return size;
}

/* Every signature verifies by other code than made it. */
static int check_signatures(const struct package *package,
                            const struct otter_control *control,
                            const struct bytes *file)
{
    const uint8_t *inside = file->data + OTTER_IMAGE_HEADER_SIZE;
    const uint8_t *entry = inside + control->signed_size;
    uint8_t digest[OTTER_SHA256_SIZE];
    int status = TOOL_DONE;

    (void)SHA256(inside, control->signed_size, digest);
    for (uint8_t i = 0;
         i < package->key_count + package->signer_count && status == TOOL_DONE; i++) {
        const struct otter_key *key =
            i < package->key_count ? &package->keys[i].key
                                   : &package->signers[i - package->key_count].key;

        entry += OTTER_CONTROL_SIGNATURE_SIZE;
        status = key_check_signature(key, digest, entry - OTTER_P256_SIGNATURE_SIZE);
    }
    return status;
}

/* Reads it back with the parser that devices use; without the signatures if they are
 * not made yet. */
static int check_file(const struct package *package, const struct bytes *file,
                      bool is_signed)
{
    struct otter_source source = bytes_source(file);
    struct otter_control control;
    uint8_t hash[OTTER_SHA256_SIZE];
    enum otter_result result =
        otter_container_check(&source, &otter_crypto_bearssl, &control, hash, NULL);

    if (result != OTTER_OK) {
        return complain_code("the package", result, TOOL_FAILED);
    }
    return is_signed ? check_signatures(package, &control, file) : TOOL_DONE;
}

static int encode(const struct package *values, const struct host_package *package,
                  struct bytes *file, bool is_signed)
{
    size_t size = host_package_size(package);

    if (size > FILE_ANY_SIZE) {
        return complain("the package would be larger than 256 MiB");
    }
    *file = (struct bytes){.data = malloc(size), .size = size};
    if (file->data == NULL) {
        *file = (struct bytes){0};
        return complain("out of memory");
    }
    enum otter_result result =
        host_package_build(package, file->data, size, &file->size);
    int status = TOOL_FAILED;

    if (result == OTTER_OK) {
        status = check_file(values, file, is_signed);
    } else if (result != OTTER_E_SIGNATURE_BAD) { /* else the signer has complained */
        status = complain_code("the package", result, TOOL_FAILED);
    }
    if (status != TOOL_DONE) {
        bytes_free(file);
    }
    return status;
}

/* A security module is asked to sign only what devices would read. */
static int rehearse(const struct package *package, struct parts *parts)
{
    struct bytes file = {0};

    for (uint8_t i = 0; i < package->signer_count; i++) {
        parts->signers[i].sign = sign_nothing;
    }
    const int status = encode(package, &parts->package, &file, false);

    bytes_free(&file);
    for (uint8_t i = 0; i < package->signer_count; i++) {
        parts->signers[i].sign = sign_with;
    }
    return status;
}

/* The wraps come last. */
static int encrypt(const struct package *package, struct parts *parts)
{
    if (package->encryption == NULL) {
        return TOOL_DONE;
    }
    return package_encrypt(package->encryption, &parts->package, parts->members,
                           &parts->extensions[parts->package.extension_count++],
                           &parts->ciphers);
}

int package_build(const struct package *package, struct bytes *file)
{
    struct parts parts;

    *file = (struct bytes){0};
    if (package->key_count + package->signer_count > PACKAGE_SIGNATURES_MAX) {
        return complain("a package has at most %d signatures", PACKAGE_SIGNATURES_MAX);
    }
    if (control_size(package) > OTTER_CONTROL_MAX) {
        return complain(
            "the control packet would have %zu bytes; shorten the texts, or encrypt for "
            "fewer keys (limit %d)",
            control_size(package), OTTER_CONTROL_MAX);
    }
    fill_parts(package, &parts);
    int status = encrypt(package, &parts);

    if (status == TOOL_DONE && package->signer_count > 0) {
        status = rehearse(package, &parts);
    }

    if (status == TOOL_DONE) {
        status = encode(package, &parts.package, file, true);
    }
    package_ciphers_free(&parts.ciphers);
    OPENSSL_cleanse(parts.scalars, sizeof(parts.scalars));
    return status;
}
