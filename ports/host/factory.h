/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a factory does to a device, on the host: a system's package in memory, and the
 * flash content that a programmer writes into a new device from it.
 */
#ifndef OTTER_HOST_FACTORY_H
#define OTTER_HOST_FACTORY_H

#include "host_sign.h"
#include "otter/control.h"
#include "otter/port/flash.h"
#include "otter/table.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct host_image {
    const uint8_t *data;
    uint32_t size;
};

/* A member of a package that is being built. A kept one is given by its bytes, too, or
 * by its size (image.size) and hash alone. */
struct host_member {
    uint8_t role;
    uint8_t region;
    uint8_t flags;
    uint32_t link_addr;
    uint32_t depends;
    uint16_t version; /* of the program */
    struct host_image image;
    struct host_image stored; /* bytes in the file; no data: those of the image */
    uint8_t coding;     /* enum otter_coding: how the stored bytes hold the image */
    uint32_t memory;    /* RAM that the coding needs */
    const uint8_t *sha; /* kept: SHA-256 of the installed bytes; NULL: of the image */
};

/* An extension of the control packet; they are written in the order given. */
struct host_extension {
    uint16_t type; /* with the critical bit */
    uint16_t len;
    const void *data;
};

/* Signs elsewhere: a security module, for instance. Any failure ends the build. */
struct host_signer {
    uint8_t key_id[OTTER_KEY_ID_SIZE];
    const void *context;
    enum otter_result (*sign)(const void *context,
                              const uint8_t digest[OTTER_SHA256_SIZE],
                              uint8_t signature[OTTER_P256_SIGNATURE_SIZE]);
};

/* A package to build, signed with scalars (host_sign.h) and by signers. */
struct host_package {
    struct otter_version version;
    uint32_t target;
    uint16_t hardware_min, hardware_max;
    bool is_id_made; /* the id is made from the content, and `id` is not used */
    uint8_t id[OTTER_PACKAGE_ID_SIZE];
    uint32_t counter;
    struct otter_version follows;
    uint16_t boot_min, manager_min;
    const struct host_member *members;
    uint8_t member_count;
    const struct host_extension *extensions;
    uint8_t extension_count;
    const uint8_t *scalar;       /* HOST_SIGN_SCALAR_SIZE bytes; NULL: not signed */
    const uint8_t *more_scalars; /* further ones, one after the other */
    const struct host_signer *signers; /* their signatures stand behind the others */
    uint8_t more_scalar_count;
    uint8_t signer_count;
};

/* Length of the file that host_package_build() makes. */
size_t host_package_size(const struct host_package *package);

/* The image header with which that file begins. */
void host_package_header(const struct host_package *package,
                         uint8_t header[OTTER_IMAGE_HEADER_SIZE]);

/* Builds the .otter file into `out`; its length is `size`. The id made from the content
 * is the first bytes of SHA-256 over all that is signed, with the id's place zero.
 * 20-12 if it does not fit, 22-13 for a scalar that is none. Checks no limits of the
 * format: otter_container_check() does. */
OTTER_MUST_CHECK enum otter_result host_package_build(
    const struct host_package *package, uint8_t *out, size_t capacity, size_t *size);

/* The key that belongs to `scalar`, as a table lists it. 22-13. */
OTTER_MUST_CHECK enum otter_result host_key_of(
    const uint8_t scalar[HOST_SIGN_SCALAR_SIZE], struct otter_key *key);

/* Fills a key's id from its point. */
void host_key_id(struct otter_key *key);

struct host_factory {
    struct host_image boot;     /* boot program; may be empty on a virtual device */
    struct host_image package;  /* .otter of the first system; carries every member */
    const uint8_t *content_key; /* of its encrypted members; NULL: none is */
};

/* Writes a new device: boot, both table copies, the receipt of slot 0, every member
 * and a first journal of a confirmed system. `flash` is all erased. Files, which lie on
 * a card, are passed over. The map is the one
 * of the package's table member, which is raw and not encrypted. 21-17 if firmware,
 * manager or table is missing or not carried; 23-19 if something is larger than its
 * region; 24-17 if the content key decrypts to something else; codes of the parsers and
 * of coded members. */
OTTER_MUST_CHECK enum otter_result host_factory_write(
    const struct host_factory *factory, const struct otter_flash *flash,
    const struct otter_crypto *crypto);

/* A source over bytes in memory; `image` stays in use. */
struct otter_source host_image_source(const struct host_image *image);

#ifdef __cplusplus
}
#endif

#endif
