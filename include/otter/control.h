/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control packet: the signed head of a package, and the receipt of an installed
 * system. Byte layout: docs/SPEC.md, "Control packet". Read through a source, one
 * member at a time; nothing here writes or keeps more than its arguments.
 */
#ifndef OTTER_CONTROL_H
#define OTTER_CONTROL_H

#include "otter/config.h"
#include "otter/error.h"
#include "otter/path.h"
#include "otter/port/crypto.h"
#include "otter/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    OTTER_IMAGE_HEADER_SIZE = 32,
    OTTER_CONTROL_HEAD_SIZE = 96,
    OTTER_CONTROL_MEMBER_SIZE = 96,
    OTTER_CONTROL_SIGNATURE_SIZE = 76, /* one ECDSA P-256 entry */
    OTTER_REVOKES_MAX = 32,            /* keys that one packet may revoke */
    OTTER_PACKAGE_ID_SIZE = 16,
};

/* What a member is for. Numbers are part of the format. */
enum otter_role {
    OTTER_ROLE_FIRMWARE = 1,
    OTTER_ROLE_MANAGER = 2,
    OTTER_ROLE_TABLE = 3,
    OTTER_ROLE_LOADER = 4,
    OTTER_ROLE_RADIO = 5,
    OTTER_ROLE_RESOURCES = 6,
    OTTER_ROLE_FONT = 7,
    OTTER_ROLE_OPTION_BYTES = 8,
};

/* True for what a processor runs: firmware, manager, loader. */
bool otter_role_is_program(uint8_t role);

/* How a member's stored bytes become its installed bytes. */
enum otter_coding {
    OTTER_CODING_RAW = 0,
    OTTER_CODING_ZLIB = 1,       /* independent chunks of RFC 1950 */
    OTTER_CODING_HEATSHRINK = 2, /* one stream with its head */
};

/* Stands for the region of a member that is a tree of files, in the folder of the card
 * that the control packet names. */
enum { OTTER_REGION_TREE = 0xE0 };

enum {
    OTTER_MEMBER_KEPT = 1,       /* on the device already; not in the file */
    OTTER_MEMBER_IN_PLACE = 2,   /* written over its region while it is received */
    OTTER_MEMBER_ENCRYPTED = 4,  /* its stored bytes are; kept: they were */
    OTTER_MEMBER_COMPATIBLE = 8, /* in place: the old system runs with it, too */
};

/* Types of extensions; bit 15 marks one that must be understood. */
enum otter_extension {
    OTTER_EXTENSION_VENDOR = 1,
    OTTER_EXTENSION_PRODUCT = 2,
    OTTER_EXTENSION_VERSION = 3,
    OTTER_EXTENSION_BUILD = 4,
    OTTER_EXTENSION_NOTES = 5,
    OTTER_EXTENSION_BATTERY = 6, /* one byte, percent */
    OTTER_EXTENSION_WRAPS = 7,   /* key wraps; always critical */
    OTTER_EXTENSION_REVOKES = 8, /* key ids, 8 bytes each; always critical */
    OTTER_EXTENSION_ROOT = 9,    /* name of the folder of a tree of files */
    OTTER_EXTENSION_CRITICAL = 0x8000,
};

/* Ordered by major, minor, revision, build. */
struct otter_version {
    uint8_t major;
    uint8_t minor;
    uint16_t revision;
    uint32_t build;
};

struct otter_member {
    uint8_t role;   /* enum otter_role, or one not known here */
    uint8_t region; /* enum otter_region_id; 0: the role's own region */
    uint8_t coding; /* enum otter_coding, or one not known here */
    uint8_t flags;
    uint32_t link_addr;      /* programs: address the image is linked for */
    uint32_t stored_size;    /* bytes in the package; 0 if kept */
    uint32_t installed_size; /* bytes on the device */
    uint32_t memory;         /* RAM that its coding needs, in bytes */
    uint32_t depends;        /* bit i: member i must be installed before */
    uint16_t version;        /* programs: their own version; managers: K6 */
    uint8_t stored_sha[OTTER_SHA256_SIZE];
    uint8_t installed_sha[OTTER_SHA256_SIZE];
};

struct otter_control {
    uint16_t length;      /* whole control packet, signatures included */
    uint16_t signed_size; /* bytes that the signatures cover: all before them */
    uint8_t image_header[OTTER_IMAGE_HEADER_SIZE];
    struct otter_version version; /* of the system; from the image header */
    uint32_t file_length;         /* whole package file, header and trailer included */
    uint32_t target;
    uint16_t hardware_min;
    uint16_t hardware_max;
    uint8_t package_id[OTTER_PACKAGE_ID_SIZE];
    uint32_t counter;             /* security counter */
    struct otter_version follows; /* oldest system that may be updated with it */
    uint16_t boot_min;            /* oldest boot program version */
    uint16_t manager_min;         /* oldest manager program version */
    uint8_t member_count;
    uint8_t signature_count;
    uint16_t extensions_off;
    uint16_t extensions_size;
    uint8_t wrap_count;   /* key wraps; 0: no member of the file is encrypted */
    uint16_t wraps_off;   /* of the first of them */
    uint8_t revoke_count; /* keys that it revokes */
    uint16_t revokes_off; /* of the id of the first of them */
};

/* A key that the device trusts. */
struct otter_key {
    uint8_t id[OTTER_KEY_ID_SIZE]; /* first bytes of SHA-256(04 || X || Y) */
    uint8_t point[OTTER_P256_KEY_SIZE];
};

/* Below 0, 0 or above 0 as `a` is older than, equal to or newer than `b`. */
int otter_version_compare(const struct otter_version *a, const struct otter_version *b);

/* Reads the length of the control packet from its first 8 bytes, checking magic,
 * format and 2 KB limit. Codes 21-10, 21-11, 21-12. */
OTTER_MUST_CHECK enum otter_result otter_control_length(const uint8_t head[8],
                                                        uint16_t *length);

/* Checks the whole form of the control packet at the start of `source` (which may be
 * longer): head, embedded image header, every member, extension and signature entry;
 * not the signatures' truth. Codes 21-xx, 20-11 (embedded image header), 22-13, 24-10;
 * read errors pass through. `control` is written only on success. Reads each byte at
 * most three times, but key wraps once for each that follows, too; 96 at a time. */
OTTER_MUST_CHECK enum otter_result otter_control_open(const struct otter_source *source,
                                                      struct otter_control *control);

/* Reads member `index` < member_count of an opened control packet. */
OTTER_MUST_CHECK enum otter_result otter_control_member(
    const struct otter_source *source, const struct otter_control *control,
    uint8_t index, struct otter_member *member);

/* The first member of `role`; there is one firmware, one manager and one flash table in
 * each package. `index` is its place. 21-17 if there is none; read errors pass through.
 */
OTTER_MUST_CHECK enum otter_result otter_control_find(
    const struct otter_source *source, const struct otter_control *control,
    uint8_t role, struct otter_member *member, uint8_t *index);

/* Offset of member `index`'s stored bytes in the package file. `index` may be
 * member_count: the offset of the trailer. */
OTTER_MUST_CHECK enum otter_result otter_control_member_off(
    const struct otter_source *source, const struct otter_control *control,
    uint8_t index, uint32_t *off);

/* Finds the first extension of `type` (without the critical bit): where its content
 * lies in `source`, and its length; `len` is 0 if there is none. */
OTTER_MUST_CHECK enum otter_result otter_control_extension_find(
    const struct otter_source *source, const struct otter_control *control,
    uint16_t type, uint32_t *off, size_t *len);

/* Copies the text or data of the first extension of `type` (without the critical bit)
 * to `data` and its length to `len`; `len` is 0 if there is none. Longer ones than
 * `capacity` give OTTER_E_CONTROL_TEXT. */
OTTER_MUST_CHECK enum otter_result otter_control_extension(
    const struct otter_source *source, const struct otter_control *control,
    uint16_t type, void *data, size_t capacity, size_t *len);

/* Reads the name of the folder of the card in which the package's tree of files lies. A
 * packet has it if, and only if, it names a member in OTTER_REGION_TREE; else 21-25. */
OTTER_MUST_CHECK enum otter_result otter_control_root(
    const struct otter_source *source, const struct otter_control *control,
    char root[OTTER_PATH_SIZE]);

/* Reads key wrap `index` < wrap_count of an opened control packet. */
OTTER_MUST_CHECK enum otter_result otter_control_wrap(
    const struct otter_source *source, const struct otter_control *control,
    uint8_t index, struct otter_wrap *wrap);

/* Finds the first wrap whose key the device has. 24-15 if the device cannot decrypt;
 * else, if it has no such key, the stronger reason: 24-13 a key that is revoked, 24-11
 * none at all. Asks for each key, unwraps nothing. */
OTTER_MUST_CHECK enum otter_result otter_control_find_wrap(
    const struct otter_source *source, const struct otter_control *control,
    const struct otter_crypto *crypto, struct otter_wrap *wrap);

/* The nonce of member `index`'s stored bytes under the content key (K26). */
void otter_control_nonce(uint8_t index, uint8_t nonce[OTTER_AES_NONCE_SIZE]);

/* Reads the id of key `index` < revoke_count that an opened control packet revokes. */
OTTER_MUST_CHECK enum otter_result otter_control_revoked(
    const struct otter_source *source, const struct otter_control *control,
    uint8_t index, uint8_t id[OTTER_KEY_ID_SIZE]);

/* True in `has` if at least one signature names a key that the packet does not revoke.
 * Signatures are not checked. */
OTTER_MUST_CHECK enum otter_result otter_control_outlives(
    const struct otter_source *source, const struct otter_control *control, bool *has);

/* OTTER_OK if at least one signature is by a key of `keys` whose bit in `key_mask` is
 * set (bit i: keys[i]) and verifies. Else, the strongest reason seen: 22-12 wrong
 * signature by a trusted key, 22-14 only by revoked keys, 22-11 only by unknown keys,
 * 22-10 none at all. One hash of the control packet, then at most one curve operation
 * per trusted key: its first entry counts. */
OTTER_MUST_CHECK enum otter_result otter_control_verify(
    const struct otter_source *source, const struct otter_control *control,
    const struct otter_key *keys, uint8_t key_count, uint32_t key_mask,
    const struct otter_crypto *crypto);

#ifdef __cplusplus
}
#endif

#endif
