/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ustar archives: headers at named offsets, and the rules that make one archive of a
 * tree the only one: names in order, each behind its folder's. Owners, times and modes
 * are not looked at. docs/SPEC.md, "Trees of files".
 */
#include "otter/tar.h"

#include <string.h>

#if OTTER_TREES

enum {
    NAME = 0,
    NAME_SIZE = 100,
    SIZE = 124,
    SIZE_SIZE = 12,
    CHECKSUM = 148,
    CHECKSUM_SIZE = 8,
    TYPE = 156,
    LINK = 157,
    MAGIC = 257,
    MAGIC_SIZE = 8,
    PREFIX = 345,
    PREFIX_SIZE = 155,
    END_BLOCKS = 2,
};

static const char magic[MAGIC_SIZE] = {'u', 's', 't', 'a', 'r', '\0', '0', '0'};

/* Octal digits, at least one; then spaces or zeros to the field's end. */
static bool read_octal(const uint8_t *field, size_t size, uint64_t *number)
{
    size_t len = 0;

    *number = 0;
    for (; len < size && field[len] >= '0' && field[len] <= '7'; len++) {
        *number = *number * 8 + (uint64_t)(field[len] - '0');
    }
    for (size_t i = len; i < size; i++) {
        if (field[i] != '\0' && field[i] != ' ') {
            return false;
        }
    }
    return len > 0;
}

/* Six digits, a zero and a space: all writers do it so, and then every bit counts. */
static enum otter_result check_sum(const uint8_t *block)
{
    uint32_t sum = 0;
    uint64_t wanted = 0;

    for (size_t i = 0; i < OTTER_TAR_BLOCK; i++) {
        bool is_own = i >= CHECKSUM && i < CHECKSUM + CHECKSUM_SIZE;

        sum += is_own ? (uint32_t)' ' : block[i];
    }
    if (!read_octal(block + CHECKSUM, 6, &wanted) || block[CHECKSUM + 5] < '0' ||
        block[CHECKSUM + 6] != '\0' || block[CHECKSUM + 7] != ' ' || wanted != sum) {
        return OTTER_E_TAR_CHECKSUM;
    }
    return OTTER_OK;
}

static size_t field_len(const uint8_t *field, size_t size)
{
    size_t len = 0;

    while (len < size && field[len] != '\0') {
        len++;
    }
    return len;
}

/* The prefix, a '/', and the name, if there is a prefix. */
static enum otter_result read_name(const uint8_t *block, uint8_t root_len,
                                   struct otter_tar_entry *entry)
{
    size_t prefix = field_len(block + PREFIX, PREFIX_SIZE);
    size_t name = field_len(block + NAME, NAME_SIZE);
    size_t begin = prefix == 0 ? 0 : prefix + 1;

    if (entry->is_folder && name > 0 && block[NAME + name - 1] == '/') {
        name--;
    }
    if (name == 0) {
        return OTTER_E_TAR_NAME;
    }
    if (begin + name + root_len + 1 > OTTER_PATH_MAX) {
        return OTTER_E_TAR_LONG;
    }
    memcpy(entry->name, block + PREFIX, prefix);
    if (prefix > 0) {
        entry->name[prefix] = '/';
    }
    memcpy(entry->name + begin, block + NAME, name);
    entry->name[begin + name] = '\0';
    return otter_path_is_for_files(entry->name) ? OTTER_OK : OTTER_E_TAR_NAME;
}

enum otter_result otter_tar_header(const uint8_t block[OTTER_TAR_BLOCK],
                                   uint8_t root_len, struct otter_tar_entry *entry)
{
    struct otter_tar_entry read = {.is_folder = block[TYPE] == '5'};
    uint64_t size = 0;

    if (memcmp(block + MAGIC, magic, MAGIC_SIZE) != 0) {
        return OTTER_E_TAR_FORMAT;
    }
    enum otter_result result = check_sum(block);

    if (result != OTTER_OK) {
        return result;
    }
    if ((block[TYPE] != '0' && !read.is_folder) || block[LINK] != '\0') {
        return OTTER_E_TAR_TYPE;
    }
    if (!read_octal(block + SIZE, SIZE_SIZE, &size)) {
        return OTTER_E_TAR_NUMBER;
    }
    if (size > UINT32_MAX || (read.is_folder && size != 0)) {
        return OTTER_E_TAR_SIZE;
    }
    read.size = (uint32_t)size;
    result = read_name(block, root_len, &read);
    if (result == OTTER_OK) {
        *entry = read;
    }
    return result;
}

/* ---- the order ---- */

static int rank(char c)
{
    return c == '\0' ? 0 : c == '/' ? 1 : (uint8_t)c + 1;
}

int otter_tar_compare(const char *a, const char *b)
{
    size_t i = 0;

    while (a[i] != '\0' && a[i] == b[i]) {
        i++;
    }
    return rank(a[i]) - rank(b[i]);
}

/* The folder in which an entry lies is the entry before it, or one in which that one
 * lies: all of these stand in the archive already. */
static bool has_folder(const struct otter_tar *tar, const struct otter_tar_entry *entry)
{
    const char *before = tar->entry.name;
    size_t len = 0; /* of the folder's name */

    for (size_t i = 0; entry->name[i] != '\0'; i++) {
        len = entry->name[i] == '/' ? i : len;
    }
    if (len == 0) {
        return true;
    }
    if (!tar->has_entry || memcmp(before, entry->name, len) != 0) {
        return false;
    }
    return before[len] == '/' || (before[len] == '\0' && tar->entry.is_folder);
}

static bool is_zero(const uint8_t *block)
{
    uint8_t all = 0;

    for (size_t i = 0; i < OTTER_TAR_BLOCK; i++) {
        all |= block[i];
    }
    return all == 0;
}

void otter_tar_open(struct otter_tar *tar, uint32_t size, uint8_t root_len)
{
    memset(tar, 0, sizeof(*tar));
    tar->size = size;
    tar->root_len = root_len;
}

bool otter_tar_is_at_end(const struct otter_tar *tar)
{
    return tar->end_count > 0;
}

/* Where the content ends, its last block filled up. */
static enum otter_result lay_out(struct otter_tar *tar,
                                 const struct otter_tar_entry *entry)
{
    uint32_t left = tar->size - tar->next; /* the header's block is inside */
    uint32_t fill = (OTTER_TAR_BLOCK - entry->size % OTTER_TAR_BLOCK) % OTTER_TAR_BLOCK;

    left -= OTTER_TAR_BLOCK;
    if (entry->size > left || fill > left - entry->size) {
        return OTTER_E_TAR_SIZE;
    }
    tar->content = tar->next + OTTER_TAR_BLOCK;
    tar->next = tar->content + entry->size + fill;
    return OTTER_OK;
}

enum otter_result otter_tar_take(struct otter_tar *tar,
                                 const uint8_t block[OTTER_TAR_BLOCK])
{
    struct otter_tar_entry entry;

    if (tar->next > tar->size || tar->size - tar->next < OTTER_TAR_BLOCK) {
        return OTTER_E_TAR_END;
    }
    if (is_zero(block)) {
        tar->end_count = tar->end_count == 0 ? 1 : (uint8_t)END_BLOCKS;
        tar->next += OTTER_TAR_BLOCK;
        return OTTER_OK;
    }
    if (tar->end_count > 0) {
        return OTTER_E_TAR_END;
    }
    enum otter_result result = otter_tar_header(block, tar->root_len, &entry);

    if (result != OTTER_OK) {
        return result;
    }
    if (tar->has_entry && otter_tar_compare(tar->entry.name, entry.name) >= 0) {
        return OTTER_E_TAR_ORDER;
    }
    if (!has_folder(tar, &entry)) {
        return OTTER_E_TAR_FOLDER;
    }
    result = lay_out(tar, &entry);
    tar->entry = entry;
    tar->has_entry = true;
    return result;
}

/* ---- a whole archive ---- */

void otter_tar_check_open(struct otter_tar_check *check, uint32_t size,
                          uint8_t root_len)
{
    memset(check, 0, sizeof(*check));
    otter_tar_open(&check->tar, size, root_len);
}

enum otter_result otter_tar_check_take(struct otter_tar_check *check,
                                       const uint8_t *data, size_t len)
{
    while (len > 0) {
        bool is_content = check->off < check->tar.next && check->filled == 0;
        uint32_t room =
            is_content ? check->tar.next - check->off : OTTER_TAR_BLOCK - check->filled;
        uint32_t part = len < room ? (uint32_t)len : room;

        if (!is_content) {
            memcpy(check->block + check->filled, data, part);
            check->filled += part;
        }
        check->off += part;
        data += part;
        len -= part;
        if (check->filled == OTTER_TAR_BLOCK) {
            enum otter_result result = otter_tar_take(&check->tar, check->block);

            if (result != OTTER_OK) {
                return result;
            }
            check->filled = 0;
        }
    }
    return OTTER_OK;
}

enum otter_result otter_tar_check_end(const struct otter_tar_check *check)
{
    return check->tar.end_count == END_BLOCKS && check->off == check->tar.size &&
                   check->filled == 0
               ? OTTER_OK
               : OTTER_E_TAR_END;
}

#else

void otter_tar_check_open(struct otter_tar_check *check, uint32_t size,
                          uint8_t root_len)
{
    (void)size;
    (void)root_len;
    check->off = 0;
}

enum otter_result otter_tar_check_take(struct otter_tar_check *check,
                                       const uint8_t *data, size_t len)
{
    (void)check;
    (void)data;
    (void)len;
    return OTTER_E_STRATEGY;
}

enum otter_result otter_tar_check_end(const struct otter_tar_check *check)
{
    (void)check;
    return OTTER_E_STRATEGY;
}

#endif
