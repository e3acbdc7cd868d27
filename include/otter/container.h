/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The .otter file: an MCUboot image whose payload is a control packet and the
 * members it carries, in order, and whose trailer is one SHA-256 entry. Byte layout:
 * docs/SPEC.md, "Package file". Pure functions.
 */
#ifndef OTTER_CONTAINER_H
#define OTTER_CONTAINER_H

#include "otter/control.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { OTTER_TRAILER_SIZE = 40 };

/* The fields of an image header that otter reads. */
struct otter_image_header {
    uint32_t payload_size;
    struct otter_version version;
};

/* Parses the 32 bytes that start a package. 20-10 for another magic, 20-11 for a
 * header size other than 32, protected entries, flags, a load address or a non-zero
 * reserved word. */
OTTER_MUST_CHECK enum otter_result otter_image_header_parse(
    const uint8_t bytes[OTTER_IMAGE_HEADER_SIZE], struct otter_image_header *header);

/* Parses the 40 bytes that end a package and gives the hash they hold. 20-14. */
OTTER_MUST_CHECK enum otter_result otter_trailer_parse(
    const uint8_t bytes[OTTER_TRAILER_SIZE], uint8_t hash[OTTER_SHA256_SIZE]);

/* Checks a whole package file in `source`: header, control packet, lengths, trailer,
 * every carried member's hash and the package's hash; not the signatures. For the
 * host's tool and for doors that have the whole file. `member_index` (may be NULL)
 * names the damaged member on 20-16. */
OTTER_MUST_CHECK enum otter_result otter_container_check(
    const struct otter_source *source, const struct otter_crypto *crypto,
    struct otter_control *control, uint8_t hash[OTTER_SHA256_SIZE],
    uint8_t *member_index);

#ifdef __cplusplus
}
#endif

#endif
