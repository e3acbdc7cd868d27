/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sample product for tests: a key, images with vector tables, the flash table, the
 * package of the first system and packages that follow it, for any profile.
 */
#ifndef OTTER_TEST_SAMPLE_H
#define OTTER_TEST_SAMPLE_H

#include "crypto_bearssl_keys.h"
#include "factory.h"
#include "host_wrap.h"
#include "profiles.h"
#include "tree.h"
#include "vdevice.h"

enum {
    SAMPLE_TARGET = 0x4F545401,
    SAMPLE_HARDWARE = 3,
    SAMPLE_FIRMWARE_SIZE = 1900, /* not a multiple of sectors, pages or words */
    SAMPLE_MANAGER_SIZE = 700,
    SAMPLE_RESOURCES_SIZE = 301,
    SAMPLE_FONT_SIZE = 702,
    SAMPLE_LOADER_SIZE = 611,
    SAMPLE_TREE_MAX = 8192, /* of an archive of files */
    SAMPLE_TREE_FILES = 8,
    SAMPLE_TREE_CONTENT = 600,
    SAMPLE_PACKAGE_MAX = 5120,           /* without a tree */
    SAMPLE_STORED_MAX = SAMPLE_TREE_MAX, /* of a coded or encrypted member */
};

/* A package that can be changed before it is built. */
struct sample_package {
    struct host_package package;
    struct host_member members[6];
    uint8_t firmware[SAMPLE_FIRMWARE_SIZE];
    uint8_t manager[SAMPLE_MANAGER_SIZE];     /* of sample_carry_manager() */
    uint8_t resources[SAMPLE_RESOURCES_SIZE]; /* of sample_carry_regions() */
    uint8_t font[SAMPLE_FONT_SIZE];
    uint8_t loader[SAMPLE_LOADER_SIZE];   /* of sample_carry_loader() */
    uint8_t stored[6][SAMPLE_STORED_MAX]; /* of sample_code(), sample_encrypt() */
    uint8_t content_key[OTTER_AES_KEY_SIZE];
    uint8_t wrap[HOST_WRAP_ENTRY_MAX];
    uint8_t revoked[OTTER_KEY_ID_SIZE]; /* of sample_revoke(), sample_rotate() */
    struct otter_table table;           /* of sample_rotate() */
    uint8_t table_bytes[OTTER_TABLE_MAX];
    struct host_extension extensions[3];
    struct tree_file files[SAMPLE_TREE_FILES]; /* of sample_carry_tree() */
    uint8_t contents[SAMPLE_TREE_CONTENT];
    struct tree tree;
    uint8_t archive[SAMPLE_TREE_MAX];
    uint32_t archive_size;
    uint8_t bytes[SAMPLE_PACKAGE_MAX + SAMPLE_TREE_MAX];
    size_t size;
};

struct sample {
    struct host_profile profile;
    uint8_t scalar[HOST_SIGN_SCALAR_SIZE]; /* signs; key 0 of the table */
    uint8_t second[HOST_SIGN_SCALAR_SIZE]; /* key 1 after sample_trust_second() */
    struct otter_table table;
    uint8_t table_bytes[OTTER_TABLE_MAX];
    size_t table_size;
    uint8_t manager[SAMPLE_MANAGER_SIZE];
    uint8_t boot[64];
    struct sample_package first;
    struct otter_device_key device_keys[2]; /* a root and a storage key */
    struct otter_key_store key_store;
};

/* Makes the product for `profile`; aborts on a failure. The struct must not move. */
void sample_make(struct sample *sample, const struct host_profile *profile);

/* Starts a package of version 1.`minor`.0 with counter `minor` that carries a firmware
 * of its own and keeps manager and table. Change it, then sample_build(). */
void sample_next(struct sample *sample, uint8_t minor, struct sample_package *package);

/* Makes the package carry a manager of its own, too. */
void sample_carry_manager(const struct sample *sample, struct sample_package *package);

/* Makes the package keep `image`, which has to stay, of that version. */
void sample_keep_manager(struct sample_package *package, const uint8_t *image,
                         uint16_t version);

/* Makes the package carry resources and a font of its own, too; the first system's
 * package is to be built again then. */
void sample_carry_regions(struct sample_package *package);

/* Makes the package carry a loader, too, for a device that has a region for it. */
void sample_carry_loader(const struct sample *sample, struct sample_package *package);
/* Makes the font that the package carries one that is written in place;
 * `is_compatible`: the package declares that the old system runs with it, too. Then
 * sample_build(). */
void sample_put_in_place(struct sample_package *package, bool is_compatible);
/* Makes the package carry a tree of files, too: of version 1 or 2, which have some
 * names in common. The first system's package is to be built again then. */
void sample_carry_tree(struct sample_package *package);

/* The same with other files, which stay in use. */
void sample_carry_files(struct sample_package *package, const struct tree *tree);

/* Codes what the package carries, which is made compressible for it: a few chunks of
 * zlib, or one stream of heatshrink. */
void sample_code(struct sample_package *package, enum otter_coding coding);

/* Makes what the package carries, but for a table, encrypted for the device's root.
 * After all other changes of its members; then sample_build(). */
void sample_encrypt(const struct sample *sample, struct sample_package *package);

/* Makes the first system an encrypted one. Before sample_device(). */
void sample_encrypt_first(struct sample *sample);

/* Makes the product trust a second key. Before sample_device() and sample_next(). */
void sample_trust_second(struct sample *sample);

/* Makes the package, which the second key signs, revoke the first; then sample_build().
 */
void sample_revoke(const struct sample *sample, struct sample_package *package);

/* Makes the package carry a flash table with the second key, too, which the device does
 * not know yet; both sign, and the first is revoked. Then sample_build(). */
void sample_rotate(const struct sample *sample, struct sample_package *package);

/* After a change of `package->table`: its bytes, as the package's member. */
void sample_encode_table(struct sample_package *package);

/* Builds the bytes of a package; aborts on a failure. */
void sample_build(struct sample_package *package);

/* Makes a device in memory with the first system, as the factory would; aborts on a
 * failure. `ecc`: its flash has ECC. */
void sample_device(const struct sample *sample, bool is_ecc, struct vdevice *device);

#endif
