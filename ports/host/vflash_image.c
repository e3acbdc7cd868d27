/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots and hashes of the virtual flash. A saved sector is a blob, counted by its
 * users: images, and the live sector as long as it has not changed. Saving makes blobs
 * of changed sectors only; restoring copies only those sectors whose blob is another.
 */
#include "vflash_inner.h"

#include <stdlib.h>
#include <string.h>

struct vflash_blob {
    size_t users;
    uint64_t hash;
    uint32_t odd_count;
    bool has_hash;
    bool has_later;
    uint8_t bytes[]; /* content, states of words, later if has_later */
};

static void drop(struct vflash_blob *blob)
{
    if (blob != NULL && --blob->users == 0) {
        free(blob);
    }
}

void vflash_touch(struct vflash *flash, struct vflash_sector *sector)
{
    flash->version++;
    drop(sector->blob);
    sector->blob = NULL;
    sector->has_hash = false;
}

static struct vflash_place place_of(const struct vflash *flash,
                                    const struct vflash_bank *bank, size_t number)
{
    struct vflash_place place;

    (void)vflash_find(
        flash, bank->area->addr + (uint32_t)number * bank->area->sector_size, &place);
    return place;
}

/* Later readings matter only where a word is odd; elsewhere they are leftovers. */
static bool needs_later(const struct vflash *flash, const struct vflash_place *place)
{
    return place->sector->odd_count != 0 && flash->later != NULL;
}

static struct vflash_blob *blob_of(const struct vflash *flash,
                                   const struct vflash_place *place)
{
    size_t size = place->bank->area->sector_size;
    bool has_later = needs_later(flash, place);
    struct vflash_blob *blob =
        vflash_alloc(sizeof(*blob) + size + place->word_count + (has_later ? size : 0));

    blob->users = 1; /* the live sector */
    blob->hash = place->sector->hash;
    blob->has_hash = place->sector->has_hash;
    blob->odd_count = place->sector->odd_count;
    blob->has_later = has_later;
    memcpy(blob->bytes, flash->content + place->off, size);
    memcpy(blob->bytes + size, flash->words + place->word, place->word_count);
    if (has_later) {
        memcpy(blob->bytes + size + place->word_count, flash->later + place->off, size);
    }
    return blob;
}

void vflash_save(struct vflash *flash, struct vflash_image *image)
{
    vflash_image_free(image);
    image->sector_count = flash->sector_count;
    image->blobs = vflash_alloc(flash->sector_count * sizeof(struct vflash_blob *));
    image->erases = vflash_alloc(flash->sector_count * sizeof(image->erases[0]));
    image->counts = flash->counts;
    for (size_t i = 0; i < flash->config.area_count; i++) {
        const struct vflash_bank *bank = &flash->banks[i];

        for (size_t j = 0; j < bank->area->sector_count; j++) {
            size_t index = bank->first_sector + j;
            struct vflash_sector *sector = &flash->sectors[index];

            if (sector->blob == NULL) {
                struct vflash_place place = place_of(flash, bank, j);

                sector->blob = blob_of(flash, &place);
            }
            sector->blob->users++;
            image->blobs[index] = sector->blob;
            image->erases[index] = sector->erases;
        }
    }
}

static void restore_sector(struct vflash *flash, const struct vflash_place *place,
                           struct vflash_blob *blob)
{
    size_t size = place->bank->area->sector_size;

    if (blob->has_later && flash->later == NULL) {
        flash->later = vflash_alloc(flash->size);
    }
    memcpy(flash->content + place->off, blob->bytes, size);
    memcpy(flash->words + place->word, blob->bytes + size, place->word_count);
    if (blob->has_later) {
        memcpy(flash->later + place->off, blob->bytes + size + place->word_count, size);
    }
    flash->odd_count += blob->odd_count;
    flash->odd_count -= place->sector->odd_count;
    place->sector->odd_count = blob->odd_count;
    vflash_touch(flash, place->sector);
    place->sector->blob = blob;
    place->sector->hash = blob->hash;
    place->sector->has_hash = blob->has_hash;
    blob->users++;
    vflash_file_write(flash, place->off, size);
}

void vflash_restore(struct vflash *flash, const struct vflash_image *image)
{
    if (image->sector_count != flash->sector_count) {
        vflash_stop("an image of other areas, or none");
    }
    flash->counts = image->counts;
    for (size_t i = 0; i < flash->config.area_count; i++) {
        const struct vflash_bank *bank = &flash->banks[i];

        for (size_t j = 0; j < bank->area->sector_count; j++) {
            size_t index = bank->first_sector + j;

            flash->sectors[index].erases = image->erases[index];
            if (flash->sectors[index].blob != image->blobs[index]) {
                struct vflash_place place = place_of(flash, bank, j);

                restore_sector(flash, &place, image->blobs[index]);
            }
        }
    }
}

void vflash_image_free(struct vflash_image *image)
{
    for (size_t i = 0; i < image->sector_count; i++) {
        drop(image->blobs[i]);
    }
    free(image->blobs);
    free(image->erases);
    memset(image, 0, sizeof(*image));
}

/* --- hashes --- */

/* One step of the hash; the shift brings high bits down, which a product does not. */
static uint64_t hash_part(uint64_t hash, const uint8_t *bytes)
{
    uint64_t part;

    memcpy(&part, bytes, sizeof(part));
    hash = (hash ^ part) * 0x9E3779B97F4A7C15U;
    return hash ^ hash >> 29;
}

/* Eight bytes at a time, in four lanes side by side as long as there are enough. */
static uint64_t hash_bytes(uint64_t hash, const uint8_t *bytes, size_t size)
{
    enum { PART = 8, LANES = 4 };
    uint64_t lanes[LANES] = {hash, hash + 1, hash + 2, hash + 3};
    size_t off = 0;

    for (; size - off >= (size_t)LANES * PART; off += (size_t)LANES * PART) {
        for (size_t i = 0; i < LANES; i++) {
            lanes[i] = hash_part(lanes[i], bytes + off + i * PART);
        }
    }
    for (size_t i = 0; off > 0 && i < LANES; i++) {
        hash = (hash ^ lanes[i]) * 0x9E3779B97F4A7C15U;
        hash ^= hash >> 29;
    }
    for (; size - off >= (size_t)PART; off += PART) {
        hash = hash_part(hash, bytes + off);
    }
    for (; off < size; off++) {
        hash = (hash ^ bytes[off]) * 0x00000100000001B3U;
    }
    return hash ^ hash >> 32;
}

static uint64_t hash_of(const struct vflash *flash, const struct vflash_place *place)
{
    size_t size = place->bank->area->sector_size;
    size_t word_size = place->bank->area->word_size;
    const uint8_t *words = flash->words + place->word;
    uint64_t hash = hash_bytes(0xCBF29CE484222325U, flash->content + place->off, size);

    hash = hash_bytes(hash, words, place->word_count);
    for (size_t i = 0; needs_later(flash, place) && i < place->word_count; i++) {
        if ((words[i] & (VFLASH_FLAG_ALTERNATING | VFLASH_FLAG_FADING)) != 0) {
            hash =
                hash_bytes(hash, flash->later + place->off + i * word_size, word_size);
        }
    }
    return hash;
}

uint64_t vflash_hash_place(struct vflash *flash, const struct vflash_place *place)
{
    struct vflash_sector *sector = place->sector;

    if (!sector->has_hash) {
        sector->hash = hash_of(flash, place);
        sector->has_hash = true;
        if (sector->blob != NULL) {
            sector->blob->hash = sector->hash;
            sector->blob->has_hash = true;
        }
    }
    return sector->hash;
}

uint64_t vflash_hash(struct vflash *flash)
{
    uint64_t hash = 0xCBF29CE484222325U;

    for (size_t i = 0; i < flash->config.area_count; i++) {
        const struct vflash_bank *bank = &flash->banks[i];

        for (size_t j = 0; j < bank->area->sector_count; j++) {
            struct vflash_place place = place_of(flash, bank, j);

            hash = (hash ^ vflash_hash_place(flash, &place)) * 0x9E3779B97F4A7C15U;
            hash ^= hash >> 29;
        }
    }
    return hash;
}

uint64_t vflash_hash_sector(struct vflash *flash, uint32_t addr)
{
    struct vflash_place place;

    if (!vflash_find(flash, addr, &place)) {
        vflash_stop("an image or address of other areas");
    }
    return vflash_hash_place(flash, &place);
}

/* --- comparing --- */

static bool is_sector_same(const struct vflash *flash, const struct vflash_place *place,
                           const struct vflash_blob *blob)
{
    size_t size = place->bank->area->sector_size;

    return place->sector->blob == blob ||
           (memcmp(flash->content + place->off, blob->bytes, size) == 0 &&
            memcmp(flash->words + place->word, blob->bytes + size, place->word_count) ==
                0);
}

bool vflash_is_same(const struct vflash *flash, const struct vflash_image *image,
                    uint32_t addr, uint32_t size)
{
    if (image->sector_count != flash->sector_count) {
        return false;
    }
    for (uint32_t done = 0; done < size;) {
        struct vflash_place place;

        if (!vflash_find(flash, addr + done, &place)) {
            return false;
        }
        if (!is_sector_same(flash, &place, image->blobs[place.index])) {
            return false;
        }
        done += place.bank->area->sector_size;
    }
    return true;
}
