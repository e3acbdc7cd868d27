/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done with an image after it was read: cut, moved, compared with a region,
 * laid out flat. image_formats.c reads the files.
 */
#include "image.h"

#include "image_inner.h"
#include "verbs.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool image_fail(struct image *image, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    /* clang-tidy 14 does not see va_start() in any but its first file. */
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
    (void)vsnprintf(image->message, sizeof(image->message), format, values);
    va_end(values);
    return false;
}

static void free_segments(struct image *image)
{
    for (size_t i = 0; i < image->count; i++) {
        free(image->segments[i].data);
    }
    free(image->segments);
    image->segments = NULL;
    image->count = 0;
}

void image_free(struct image *image)
{
    free_segments(image);
    *image = (struct image){0};
}

bool image_discard(struct image *image)
{
    free_segments(image);
    return false;
}

static uint64_t end_of(const struct image_segment *segment)
{
    return (uint64_t)segment->addr + segment->size;
}

/* Appends to the last segment if the bytes follow it. */
static bool extend_last(struct image *image, uint32_t addr, const uint8_t *data,
                        uint32_t size)
{
    struct image_segment *last = &image->segments[image->count - 1];
    uint8_t *grown = realloc(last->data, (size_t)last->size + size);

    (void)addr;
    if (grown == NULL) {
        return image_fail(image, "out of memory");
    }
    memcpy(grown + last->size, data, size);
    last->data = grown;
    last->size += size;
    return true;
}

bool image_add(struct image *image, uint32_t addr, const uint8_t *data, uint32_t size)
{
    if (size == 0) {
        return true;
    }
    if ((uint64_t)addr + size > UINT64_C(1) << 32) {
        return image_fail(image, "data at 0x%08" PRIX32 " goes past the last address",
                          addr);
    }
    if (image->count > 0 && end_of(&image->segments[image->count - 1]) == addr) {
        return extend_last(image, addr, data, size);
    }
    struct image_segment *grown =
        realloc(image->segments, (image->count + 1) * sizeof(*image->segments));

    if (grown == NULL) {
        return image_fail(image, "out of memory");
    }
    image->segments = grown;
    struct image_segment *segment = &grown[image->count];

    *segment = (struct image_segment){.addr = addr, .size = size, .data = malloc(size)};
    if (segment->data == NULL) {
        return image_fail(image, "out of memory");
    }
    memcpy(segment->data, data, size);
    image->count++;
    return true;
}

static int compare_segments(const void *a, const void *b)
{
    const struct image_segment *left = a;
    const struct image_segment *right = b;

    return left->addr < right->addr ? -1 : left->addr > right->addr ? 1 : 0;
}

bool image_arrange(struct image *image)
{
    struct image unordered = *image;
    bool is_good = true;

    if (image->count == 0) {
        return image_fail(image, "holds no data");
    }
    qsort(unordered.segments, unordered.count, sizeof(*unordered.segments),
          compare_segments);
    image->segments = NULL;
    image->count = 0;
    for (size_t i = 0; i < unordered.count && is_good; i++) {
        const struct image_segment *segment = &unordered.segments[i];

        if (i > 0 && segment->addr < end_of(&unordered.segments[i - 1])) {
            is_good = image_fail(image, "gives the byte at 0x%08" PRIX32 " twice",
                                 segment->addr);
        } else {
            is_good = image_add(image, segment->addr, segment->data, segment->size);
        }
    }
    free_segments(&unordered);
    return is_good;
}

struct image_range image_span(const struct image *image)
{
    const struct image_segment *last = &image->segments[image->count - 1];

    return (struct image_range){image->segments[0].addr, last->addr + (last->size - 1)};
}

bool image_only(struct image *image, struct image_range range)
{
    struct image kept = {.has_addr = image->has_addr};

    for (size_t i = 0; i < image->count; i++) {
        const struct image_segment *segment = &image->segments[i];
        uint32_t last = segment->addr + (segment->size - 1);
        uint32_t from = segment->addr > range.first ? segment->addr : range.first;
        uint32_t to = last < range.last ? last : range.last;

        if (from <= to &&
            !image_add(&kept, from, segment->data + (from - segment->addr),
                       to - from + 1)) {
            free_segments(&kept);
            free_segments(image);
            return image_fail(image, "out of memory");
        }
    }
    free_segments(image);
    *image = kept;
    if (image->count == 0) {
        return image_fail(image, "has nothing in 0x%08" PRIX32 "-0x%08" PRIX32,
                          range.first, range.last);
    }
    return true;
}

bool image_rebase(struct image *image, uint32_t addr)
{
    struct image_range span = image_span(image);

    if (span.last - span.first > UINT32_MAX - addr) {
        (void)image_fail(image, "does not fit at 0x%08" PRIX32, addr);
        return image_discard(image);
    }
    for (size_t i = 0; i < image->count; i++) {
        image->segments[i].addr = image->segments[i].addr - span.first + addr;
    }
    image->has_addr = true;
    return true;
}

bool image_outside(const struct image *image, struct image_range range,
                   struct image_range *hit)
{
    for (size_t i = 0; i < image->count; i++) {
        const struct image_segment *segment = &image->segments[i];
        uint32_t last = segment->addr + (segment->size - 1);

        if (segment->addr < range.first) {
            *hit = (struct image_range){segment->addr,
                                        last < range.first ? last : range.first - 1};
            return true;
        }
        if (last > range.last) {
            *hit = (struct image_range){
                segment->addr > range.last ? segment->addr : range.last + 1, last};
            return true;
        }
    }
    return false;
}

bool image_flatten(struct image *image, struct bytes *flat)
{
    struct image_range span = image_span(image);

    if (span.last - span.first >= IMAGE_FLAT_MAX) {
        return image_fail(image,
                          "goes from 0x%08" PRIX32 " to 0x%08" PRIX32
                          ", more than %d MiB; take a part of it with only=",
                          span.first, span.last, IMAGE_FLAT_MAX / (1024 * 1024));
    }
    flat->size = (size_t)(span.last - span.first) + 1;
    flat->data = malloc(flat->size);
    if (flat->data == NULL) {
        flat->size = 0;
        return image_fail(image, "out of memory");
    }
    memset(flat->data, IMAGE_FILLER, flat->size);
    for (size_t i = 0; i < image->count; i++) {
        const struct image_segment *segment = &image->segments[i];

        memcpy(flat->data + (segment->addr - span.first), segment->data, segment->size);
    }
    return true;
}

bool image_parse_range(const char *text, struct image_range *range)
{
    char copy[64];
    size_t len = strlen(text);
    uint64_t first = 0;
    uint64_t second = 0;

    if (len >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text, len + 1);
    char *mark = strpbrk(copy, "-+");

    if (mark == NULL) {
        return false;
    }
    bool is_size = *mark == '+';

    *mark = '\0';
    if (!parse_number(copy, UINT32_MAX, &first) ||
        !parse_number(mark + 1, UINT64_C(1) << 32, &second)) {
        return false;
    }
    if (is_size) {
        second += first - 1; /* a size of 0 leaves last below first, or wraps */
    }
    if (second < first || second > UINT32_MAX) {
        return false;
    }
    *range = (struct image_range){(uint32_t)first, (uint32_t)second};
    return true;
}

static bool ends_in(const char *name, const char *ending)
{
    size_t len = strlen(name);
    size_t ending_len = strlen(ending);

    return len > ending_len && strcasecmp(name + len - ending_len, ending) == 0;
}

bool image_parse(const char *name, const uint8_t *data, size_t size,
                 struct image *image)
{
    if (size >= 4 && memcmp(data,
                            "\x7F"
                            "ELF",
                            4) == 0) {
        return image_parse_elf(data, size, image);
    }
    if (ends_in(name, ".hex") || ends_in(name, ".ihex")) {
        return image_parse_hex(data, size, image);
    }
    return image_parse_bin(data, size, image);
}

int image_read(const char *path, struct image *image)
{
    struct bytes file = {0};
    int status = file_read(path, FILE_ANY_SIZE, &file);

    *image = (struct image){0};
    if (status != TOOL_DONE) {
        return status;
    }
    if (!image_parse(path, file.data, file.size, image)) {
        status = complain("%s: %s", path, image->message);
    }
    bytes_free(&file);
    return status;
}
