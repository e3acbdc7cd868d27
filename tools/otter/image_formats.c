/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers of .bin, Intel HEX and ELF. They reject, never repair: a checksum, a
 * length or an end record that is wrong refuses the file.
 */
#include "image.h"
#include "image_inner.h"

#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

/* ---- .bin ---- */

bool image_parse_bin(const uint8_t *data, size_t size, struct image *image)
{
    *image = (struct image){0};
    if (size == 0) {
        return image_fail(image, "is empty");
    }
    if (size > IMAGE_FLAT_MAX) {
        return image_fail(image, "is larger than %d MiB",
                          IMAGE_FLAT_MAX / (1024 * 1024));
    }
    return image_add(image, 0, data, (uint32_t)size) || image_discard(image);
}

/* ---- Intel HEX ---- */

enum {
    RECORD_DATA = 0,
    RECORD_END = 1,
    RECORD_SEGMENT = 2,       /* base address, in units of 16 bytes */
    RECORD_START_SEGMENT = 3, /* where a program starts: nothing to store */
    RECORD_LINEAR = 4,        /* upper 16 bits of the address */
    RECORD_START_LINEAR = 5,
    RECORD_TYPE_COUNT,

    RECORD_OVERHEAD = 5, /* length, offset (2), type, checksum */
    RECORD_MAX = 255 + RECORD_OVERHEAD,
};

struct hex_reader {
    struct image *image;
    unsigned line;
    uint32_t base;
    bool is_segmented; /* the base is a segment's: offsets stay in its 64 KiB */
    bool is_ended;
};

static int hex_digit(uint8_t character)
{
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    if (character >= 'A' && character <= 'F') {
        return character - 'A' + 10;
    }
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

/* The bytes of a line after its colon; their count, or -1. */
static int hex_line(const uint8_t *text, size_t len, uint8_t record[RECORD_MAX])
{
    if (len % 2 != 0 || len / 2 > RECORD_MAX) {
        return -1;
    }
    for (size_t i = 0; i < len / 2; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);

        if (high < 0 || low < 0) {
            return -1;
        }
        record[i] = (uint8_t)(high * 16 + low);
    }
    return (int)(len / 2);
}

static bool add_record(struct hex_reader *reader, uint32_t offset, const uint8_t *data,
                       uint32_t size)
{
    if (reader->is_segmented && size > 0x10000U - offset) {
        return image_fail(reader->image, "line %u: the record leaves its segment",
                          reader->line);
    }
    if (offset > UINT32_MAX - reader->base) {
        return image_fail(reader->image,
                          "line %u: the record goes past the last address",
                          reader->line);
    }
    return image_add(reader->image, reader->base + offset, data, size);
}

static bool take_record(struct hex_reader *reader, const uint8_t *record)
{
    static const int sizes[RECORD_TYPE_COUNT] = {-1, 0, 2, 4, 2, 4}; /* -1: any */
    uint8_t size = record[0];
    uint8_t type = record[3];
    const uint8_t *data = record + 4;

    if (type >= RECORD_TYPE_COUNT) {
        return image_fail(reader->image, "line %u: unknown record type %u",
                          reader->line, type);
    }
    if (sizes[type] >= 0 && sizes[type] != size) {
        return image_fail(reader->image, "line %u: a record of type %u has %u bytes",
                          reader->line, type, size);
    }
    if (type == RECORD_DATA) {
        return add_record(reader, (uint32_t)record[1] << 8 | record[2], data, size);
    }
    if (type == RECORD_SEGMENT || type == RECORD_LINEAR) {
        uint32_t number = (uint32_t)data[0] << 8 | data[1];

        reader->is_segmented = type == RECORD_SEGMENT;
        reader->base = number << (type == RECORD_SEGMENT ? 4 : 16);
    }
    reader->is_ended = type == RECORD_END;
    return true;
}

static bool take_line(struct hex_reader *reader, const uint8_t *text, size_t len)
{
    uint8_t record[RECORD_MAX];
    uint8_t sum = 0;

    if (len == 0) {
        return true;
    }
    if (reader->is_ended) {
        return image_fail(reader->image, "line %u: text after the end record",
                          reader->line);
    }
    int count = text[0] == ':' ? hex_line(text + 1, len - 1, record) : -1;

    if (count < RECORD_OVERHEAD) {
        return image_fail(reader->image, "line %u: is no Intel HEX record",
                          reader->line);
    }
    if (count != record[0] + RECORD_OVERHEAD) {
        return image_fail(reader->image, "line %u: the record's length is wrong",
                          reader->line);
    }
    for (int i = 0; i < count; i++) {
        sum = (uint8_t)(sum + record[i]);
    }
    if (sum != 0) {
        return image_fail(reader->image, "line %u: the checksum is wrong",
                          reader->line);
    }
    return take_record(reader, record);
}

/* Length of the line at `text` without its line feed and white space at its end. */
static size_t line_size(const uint8_t *text, size_t size, size_t *next)
{
    const uint8_t *feed = memchr(text, '\n', size);
    size_t len = feed == NULL ? size : (size_t)(feed - text);

    *next = feed == NULL ? size : len + 1;
    while (len > 0 &&
           (text[len - 1] == '\r' || text[len - 1] == ' ' || text[len - 1] == '\t')) {
        len--;
    }
    return len;
}

bool image_parse_hex(const uint8_t *data, size_t size, struct image *image)
{
    struct hex_reader reader = {.image = image};
    size_t next = 0;

    *image = (struct image){.has_addr = true};
    for (size_t off = 0; off < size; off += next) {
        size_t len = line_size(data + off, size - off, &next);

        reader.line++;
        if (!take_line(&reader, data + off, len)) {
            return image_discard(image);
        }
    }
    if (!reader.is_ended) {
        (void)image_fail(image, "has no end record");
        return image_discard(image);
    }
    return image_arrange(image) || image_discard(image);
}

/* ---- ELF ---- */

static bool add_program_header(struct image *image, const GElf_Phdr *header,
                               const uint8_t *data, size_t size)
{
    if (header->p_type != PT_LOAD || header->p_filesz == 0) {
        return true;
    }
    if (header->p_offset > size || header->p_filesz > size - header->p_offset ||
        header->p_filesz > IMAGE_FLAT_MAX) {
        return image_fail(image, "a segment lies outside the file");
    }
    if (header->p_paddr > UINT32_MAX) {
        return image_fail(image, "a segment's address is above 32 bits");
    }
    return image_add(image, (uint32_t)header->p_paddr, data + header->p_offset,
                     (uint32_t)header->p_filesz);
}

static bool add_program_headers(struct image *image, Elf *elf, const uint8_t *data,
                                size_t size)
{
    size_t count = 0;

    if (elf == NULL || elf_kind(elf) != ELF_K_ELF || elf_getphdrnum(elf, &count) != 0) {
        return image_fail(image, "is no ELF file that can be read");
    }
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;

        if (gelf_getphdr(elf, (int)i, &header) == NULL) {
            return image_fail(image, "is no ELF file that can be read");
        }
        if (!add_program_header(image, &header, data, size)) {
            return false;
        }
    }
    return true;
}

bool image_parse_elf(const uint8_t *data, size_t size, struct image *image)
{
    *image = (struct image){.has_addr = true};
    (void)elf_version(EV_CURRENT);
    char *copy = malloc(size == 0 ? 1 : size); /* libelf may write into it */

    if (copy == NULL) {
        return image_fail(image, "out of memory");
    }
    memcpy(copy, data, size);
    Elf *elf = elf_memory(copy, size);
    bool is_read = add_program_headers(image, elf, data, size) && image_arrange(image);

    (void)elf_end(elf);
    free(copy);
    return is_read || image_discard(image);
}
