/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a package keeps, compared with what the device has (K8): the hash that the
 * receipt of the current system and the package name, over the region or the archive.
 */
#include "otter/kept.h"

#include "otter/plan.h"

#include <string.h>

static uint8_t region_of(const struct otter_device *device,
                         const struct otter_member *member)
{
    return otter_member_region(device, device->journal.state.current, member);
}

#if OTTER_TREES

static enum otter_result hash_archive(struct otter_device *device,
                                      const struct otter_member *member,
                                      struct otter_hashing *hashing, bool *is_done)
{
    struct otter_cipher cipher = {.crypto = NULL};
    enum otter_result result = otter_plan_tree_cipher(device, member, &cipher);

    hashing->cipher = &cipher;
    if (result == OTTER_OK) {
        result = otter_hashing_step(device, hashing, is_done);
    }
    hashing->cipher = NULL;
    otter_cipher_close(&cipher);
    return result;
}

#else

static enum otter_result hash_archive(struct otter_device *device,
                                      const struct otter_member *member,
                                      struct otter_hashing *hashing, bool *is_done)
{
    (void)member;
    return otter_hashing_step(device, hashing, is_done);
}

#endif

enum otter_result otter_kept_open(struct otter_device *device,
                                  const struct otter_member *member,
                                  struct otter_hashing *hashing, bool *has_content)
{
    uint8_t region = region_of(device, member);
    bool is_tree = region == OTTER_REGION_TREE;

    *has_content = is_tree || otter_region_flag(region) != 0;
    if (!*has_content) {
        return OTTER_OK;
    }
    otter_hashing_start(device, hashing, is_tree ? OTTER_REGION_TREE_FILE : region, 0,
                        member->installed_size);
    return is_tree
               ? otter_card_open_archive(device, OTTER_REGION_TREE_FILE,
                                         member->installed_sha, member->installed_size)
               : OTTER_OK;
}

enum otter_result otter_kept_step(struct otter_device *device,
                                  const struct otter_member *member,
                                  struct otter_hashing *hashing, bool *is_done)
{
    bool is_tree = hashing->span.region == OTTER_REGION_TREE_FILE;
    uint8_t digest[OTTER_SHA256_SIZE];
    enum otter_result result = is_tree ? hash_archive(device, member, hashing, is_done)
                                       : otter_hashing_step(device, hashing, is_done);

    if (result != OTTER_OK || !*is_done) {
        return result;
    }
    otter_hashing_final(device, hashing, digest);
    if (memcmp(digest, member->installed_sha, sizeof(digest)) == 0) {
        return OTTER_OK;
    }
    return is_tree ? OTTER_E_CARD_TREE : OTTER_E_KEPT;
}
