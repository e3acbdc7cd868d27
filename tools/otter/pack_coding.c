/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The coding of a member that is being packed: the one that is asked for, or the
 * smallest that the target's manager takes. What it takes comes from the map or from
 * --coding-memory.
 */
#include "host_coding.h"
#include "names.h"
#include "otter/stream.h"
#include "pack.h"
#include "verbs.h"

#include <stdlib.h>
#include <string.h>

enum {
    ZLIB_CHUNK_BITS = 12, /* the format's customary size; smaller windows follow it */
    ZLIB_WINDOW_MIN = 9,
    SHRINK_WINDOW_MIN = 6,
    SHRINK_WINDOW_MAX = 15,
    SHRINK_WINDOWS = 3, /* sizes that are tried, from the largest down */

    /* What a target has of which nothing is known: the default of otter/config.h. */
    USUAL_ZLIB_MEMORY = OTTER_INFLATE_MEMORY + (1 << ZLIB_CHUNK_BITS),
    USUAL_SHRINK_MEMORY = 2048,
};

bool pack_coding_parse(const char *text, uint8_t *coding)
{
    if (strcmp(text, "auto") == 0) {
        *coding = PACK_CODING_AUTO;
        return true;
    }
    for (uint8_t i = 0; i < (uint8_t)PACK_CODING_COUNT; i++) {
        if (strcmp(text, name_of_coding(i)) == 0) {
            *coding = i;
            return true;
        }
    }
    return false;
}

/* Keeps the smaller one, or the first of two that are equal. */
static void keep_smaller(struct host_coded *best, struct host_coded *other)
{
    if (other->data == NULL || (best->data != NULL && best->size <= other->size)) {
        free(other->data);
        return;
    }
    free(best->data);
    *best = *other;
}

static struct host_coded code_zlib(const struct host_image *image, uint32_t memory)
{
    struct host_coded coded = {0};
    uint8_t window = ZLIB_CHUNK_BITS;

    while (window >= ZLIB_WINDOW_MIN &&
           (uint32_t)OTTER_INFLATE_MEMORY + (1U << window) > memory) {
        window--;
    }
    if (window >= ZLIB_WINDOW_MIN) {
        (void)host_code_zlib(image, ZLIB_CHUNK_BITS, window, &coded);
    }
    return coded;
}

/* A window beyond the image is of no use, and its distances cost bits. */
static struct host_coded code_heatshrink(const struct host_image *image,
                                         uint32_t memory)
{
    struct host_coded best = {0};
    uint8_t window = SHRINK_WINDOW_MAX;

    while (window >= SHRINK_WINDOW_MIN &&
           (1U << window > memory ||
            (window > SHRINK_WINDOW_MIN && 1U << (window - 1) >= image->size))) {
        window--;
    }
    for (int i = 0; i < SHRINK_WINDOWS && window >= SHRINK_WINDOW_MIN; i++, window--) {
        struct host_coded coded;

        (void)host_code_heatshrink(image, window, &coded);
        keep_smaller(&best, &coded);
    }
    return best;
}

static struct host_coded code_with(uint8_t coding, const struct host_image *image,
                                   const struct pack_target *target)
{
    bool is_zlib = coding == OTTER_CODING_ZLIB;
    uint32_t usual = is_zlib ? USUAL_ZLIB_MEMORY : USUAL_SHRINK_MEMORY;
    uint32_t memory = target->is_known ? target->memory : usual;

    return is_zlib ? code_zlib(image, memory) : code_heatshrink(image, memory);
}

static bool takes(const struct pack_target *target, uint8_t coding)
{
    return (target->codings >> coding & 1U) != 0;
}

static void take_coded(struct pack_member *member, uint8_t coding,
                       const struct host_coded *coded)
{
    member->stored = (struct bytes){.data = coded->data, .size = coded->size};
    member->memory = coded->memory;
    member->made = coding;
}

/* What would cost the device more than it saves: boot takes raw loaders and managers
 * only, so that
 * a coded one needs its room twice; and a raw firmware of a device with two slots is
 * received where it runs. */
static bool is_better_raw(const struct pack_member *member,
                          const struct pack_target *target)
{
    return member->role == OTTER_ROLE_MANAGER || member->role == OTTER_ROLE_TABLE ||
           member->role == OTTER_ROLE_LOADER ||
           (member->role == OTTER_ROLE_FIRMWARE && target->is_ab);
}

static void code_smallest(struct pack_member *member, const struct host_image *image,
                          const struct pack_target *target)
{
    struct host_coded best = {0};
    uint8_t best_coding = OTTER_CODING_RAW;

    if (!target->is_known || is_better_raw(member, target)) {
        return;
    }
    for (uint8_t coding = OTTER_CODING_RAW + 1; coding < (uint8_t)PACK_CODING_COUNT;
         coding++) {
        struct host_coded coded = {0};

        if (takes(target, coding)) {
            coded = code_with(coding, image, target);
        }
        if (coded.data != NULL && coded.size < image->size &&
            (best.data == NULL || coded.size < best.size)) {
            best_coding = coding;
        }
        keep_smaller(&best, &coded);
    }
    if (best_coding != OTTER_CODING_RAW) {
        take_coded(member, best_coding, &best);
    } else {
        free(best.data);
    }
}

static int code_as_asked(struct pack_member *member, const struct host_image *image,
                         const struct pack_target *target)
{
    if (target->is_known && !takes(target, member->coding)) {
        return complain("%s: the target does not take %s", member->path,
                        name_of_coding(member->coding));
    }
    const struct host_coded coded = code_with(member->coding, image, target);

    if (coded.data == NULL) {
        return complain("%s: the target has no memory for %s: %u bytes", member->path,
                        name_of_coding(member->coding), target->memory);
    }
    take_coded(member, member->coding, &coded);
    return TOOL_DONE;
}

int pack_member_code(struct pack_member *member, const struct pack_target *target)
{
    const struct host_image image = {member->data.data, (uint32_t)member->data.size};

    member->made = OTTER_CODING_RAW;
    if (member->in_place != 0) {
        return member->coding == OTTER_CODING_RAW || member->coding == PACK_CODING_AUTO
                   ? TOOL_DONE
                   : complain_code(member->path, OTTER_E_CODING_IN_PLACE, TOOL_FAILED);
    }
    if (member->coding == OTTER_CODING_RAW || image.size == 0) {
        return TOOL_DONE;
    }
    if (member->coding != PACK_CODING_AUTO) {
        return code_as_asked(member, &image, target);
    }
    code_smallest(member, &image, target);
    return TOOL_DONE;
}
