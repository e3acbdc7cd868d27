/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CBOR for SMP messages: reads items from a buffer, writes them into another. Facts:
 * RFC 8949, sections 3 (heads, indefinite lengths) and 4.2.1 (shortest heads).
 */
#include "otter/cbor.h"

#include <string.h>

enum {
    MAJOR_UINT = 0,
    MAJOR_NEGATIVE = 1,
    MAJOR_BYTES = 2,
    MAJOR_TEXT = 3,
    MAJOR_ARRAY = 4,
    MAJOR_MAP = 5,
    MAJOR_TAG = 6,
    MAJOR_SIMPLE = 7,
    INFO_1_BYTE = 24,
    INFO_8_BYTES = 27,
    INFO_INDEFINITE = 31,
    SIMPLE_FALSE = 20,
    SIMPLE_TRUE = 21,
    SIMPLE_NULL = 22,
    SIMPLE_UNDEFINED = 23,
    MAP_SMALL_MAX = 23,
    TEXT_MAX = 255, /* bytes of a text of ours */
};

/* The first byte of an item and the number that follows it. */
struct head {
    uint8_t major;
    uint8_t info;
    uint64_t value;
};

static bool read_head(struct otter_reader *reader, struct head *head)
{
    uint8_t first = otter_reader_u8(reader);

    head->major = first >> 5;
    head->info = first & 0x1F;
    head->value = head->info;
    if (head->info >= INFO_1_BYTE && head->info <= INFO_8_BYTES) {
        size_t len = (size_t)1 << (head->info - INFO_1_BYTE);

        head->value = 0;
        for (size_t i = 0; i < len; i++) {
            head->value = head->value << 8 | otter_reader_u8(reader);
        }
    }
    bool is_reserved = head->info > INFO_8_BYTES && head->info < INFO_INDEFINITE;

    return !reader->is_failed && !is_reserved;
}

/* A string's bytes; parts of an indefinite one are moved together, if `data` is given.
 */
static enum otter_result read_string(struct otter_reader *reader, uint8_t *data,
                                     const struct head *head,
                                     struct otter_cbor_item *item)
{
    if (head->info != INFO_INDEFINITE) {
        if (head->value > otter_reader_left(reader)) {
            return OTTER_E_SMP_CBOR;
        }
        item->len = (size_t)head->value;
        item->bytes = otter_reader_bytes(reader, item->len);
        return OTTER_OK;
    }
    uint8_t *joined = data == NULL ? NULL : data + reader->off;

    item->bytes = joined;
    item->len = 0;
    for (;;) {
        struct head part;

        if (!read_head(reader, &part)) {
            return OTTER_E_SMP_CBOR;
        }
        if (part.major == MAJOR_SIMPLE && part.info == INFO_INDEFINITE) {
            return OTTER_OK;
        }
        if (part.major != head->major || part.info == INFO_INDEFINITE ||
            part.value > otter_reader_left(reader)) {
            return OTTER_E_SMP_CBOR;
        }
        const uint8_t *bytes = otter_reader_bytes(reader, (size_t)part.value);

        if (joined != NULL) {
            memmove(joined + item->len, bytes, (size_t)part.value);
        }
        item->len += (size_t)part.value;
    }
}

static enum otter_result read_simple(const struct head *head,
                                     struct otter_cbor_item *item)
{
    item->kind = OTTER_CBOR_OTHER;
    if (head->info == INFO_INDEFINITE) {
        item->kind = OTTER_CBOR_BREAK;
    } else if (head->info == SIMPLE_FALSE || head->info == SIMPLE_TRUE) {
        item->kind = OTTER_CBOR_BOOL;
        item->value = head->info == SIMPLE_TRUE;
    } else if (head->info == SIMPLE_NULL || head->info == SIMPLE_UNDEFINED) {
        item->kind = OTTER_CBOR_NULL;
    } else if (head->info == INFO_1_BYTE && head->value < 32) {
        return OTTER_E_SMP_CBOR; /* RFC 8949, 3.3: not well-formed */
    }
    return OTTER_OK;
}

/* Arrays and maps: a count that cannot fit into what is left is refused at once. */
static enum otter_result read_group(const struct otter_reader *reader,
                                    const struct head *head,
                                    struct otter_cbor_item *item)
{
    size_t room = otter_reader_left(reader);

    item->kind = head->major == MAJOR_MAP ? OTTER_CBOR_MAP : OTTER_CBOR_ARRAY;
    item->is_indefinite = head->info == INFO_INDEFINITE;
    item->value = item->is_indefinite ? 0 : head->value;
    if (head->major == MAJOR_MAP) {
        room /= 2;
    }
    return item->value > room ? OTTER_E_SMP_CBOR : OTTER_OK;
}

enum otter_result otter_cbor_read(struct otter_reader *reader, uint8_t *data,
                                  struct otter_cbor_item *item)
{
    struct head head;

    memset(item, 0, sizeof(*item));
    do {
        if (!read_head(reader, &head)) {
            return OTTER_E_SMP_CBOR;
        }
        if (head.info == INFO_INDEFINITE &&
            (head.major <= MAJOR_NEGATIVE || head.major == MAJOR_TAG)) {
            return OTTER_E_SMP_CBOR;
        }
    } while (head.major == MAJOR_TAG);
    item->value = head.value;
    switch (head.major) {
    case MAJOR_UINT:
        item->kind = OTTER_CBOR_UINT;
        return OTTER_OK;
    case MAJOR_NEGATIVE:
        item->kind = OTTER_CBOR_NEGATIVE;
        return OTTER_OK;
    case MAJOR_BYTES:
    case MAJOR_TEXT:
        item->kind = head.major == MAJOR_TEXT ? OTTER_CBOR_TEXT : OTTER_CBOR_BYTES;
        return read_string(reader, data, &head, item);
    case MAJOR_ARRAY:
    case MAJOR_MAP:
        return read_group(reader, &head, item);
    default:
        return read_simple(&head, item);
    }
}

/* An array or map that is being passed over. */
struct level {
    uint64_t left; /* items that are still to come */
    bool is_indefinite;
    bool is_map;
    bool is_odd; /* indefinite map: a key has come without its value */
};

static struct level level_of(const struct otter_cbor_item *item)
{
    struct level level = {.is_indefinite = item->is_indefinite,
                          .is_map = item->kind == OTTER_CBOR_MAP,
                          .left = item->value};

    if (level.is_map) {
        level.left *= 2;
    }
    return level;
}

static bool is_group(const struct otter_cbor_item *item)
{
    return item->kind == OTTER_CBOR_ARRAY || item->kind == OTTER_CBOR_MAP;
}

enum otter_result otter_cbor_skip(struct otter_reader *reader,
                                  const struct otter_cbor_item *item)
{
    struct level levels[OTTER_CBOR_DEPTH];
    size_t depth = 0;

    if (!is_group(item)) {
        return item->kind == OTTER_CBOR_BREAK ? OTTER_E_SMP_CBOR : OTTER_OK;
    }
    levels[depth++] = level_of(item);
    while (depth > 0) {
        struct level *level = &levels[depth - 1];
        struct otter_cbor_item inner;

        if (!level->is_indefinite && level->left == 0) {
            depth--;
            continue;
        }
        if (otter_cbor_read(reader, NULL, &inner) != OTTER_OK) {
            return OTTER_E_SMP_CBOR;
        }
        if (inner.kind == OTTER_CBOR_BREAK) {
            if (!level->is_indefinite || level->is_odd) {
                return OTTER_E_SMP_CBOR;
            }
            depth--;
            continue;
        }
        level->left -= level->is_indefinite ? 0 : 1;
        level->is_odd = level->is_map && !level->is_odd;
        if (is_group(&inner)) {
            if (depth == OTTER_CBOR_DEPTH) {
                return OTTER_E_SMP_CBOR;
            }
            levels[depth++] = level_of(&inner);
        }
    }
    return OTTER_OK;
}

static bool is_key(const char *key, const struct otter_cbor_item *item)
{
    for (size_t i = 0; i < item->len; i++) {
        if (key[i] == '\0' || (uint8_t)key[i] != item->bytes[i]) {
            return false;
        }
    }
    return key[item->len] == '\0';
}

static size_t find_key(const struct otter_cbor_field *fields, size_t count,
                       const struct otter_cbor_item *key)
{
    for (size_t i = 0; i < count; i++) {
        if (is_key(fields[i].key, key)) {
            return i;
        }
    }
    return count;
}

/* Reads the value that follows a key. Of an array or map the content's place is kept.
 */
static enum otter_result read_value(struct otter_reader *reader, uint8_t *data,
                                    struct otter_cbor_item *item)
{
    enum otter_result result = otter_cbor_read(reader, data, item);
    size_t start = reader->off;

    if (result == OTTER_OK) {
        result = otter_cbor_skip(reader, item);
    }
    if (result == OTTER_OK && is_group(item)) {
        item->bytes = reader->data + start;
        item->len = reader->off - start;
    }
    return result;
}

static enum otter_result keep_value(const struct otter_cbor_field *field,
                                    const struct otter_cbor_item *value,
                                    struct otter_cbor_item *item)
{
    if (item->kind != 0) {
        return OTTER_E_SMP_CBOR;
    }
    if ((field->kinds & 1u << value->kind) == 0) {
        return OTTER_E_SMP_FIELD;
    }
    *item = *value;
    return OTTER_OK;
}

enum otter_result otter_cbor_fields(struct otter_reader *reader, uint8_t *data,
                                    const struct otter_cbor_item *map,
                                    const struct otter_cbor_field *fields, size_t count,
                                    struct otter_cbor_item *items)
{
    enum otter_result kept = OTTER_OK;

    memset(items, 0, count * sizeof(*items));
    if (map->kind != OTTER_CBOR_MAP) {
        return OTTER_E_SMP_CBOR;
    }
    for (uint64_t i = 0; map->is_indefinite || i < map->value; i++) {
        struct otter_cbor_item key;
        struct otter_cbor_item value;
        enum otter_result result = otter_cbor_read(reader, data, &key);

        if (result == OTTER_OK && map->is_indefinite && key.kind == OTTER_CBOR_BREAK) {
            break;
        }
        if (result != OTTER_OK || key.kind != OTTER_CBOR_TEXT ||
            read_value(reader, data, &value) != OTTER_OK) {
            return OTTER_E_SMP_CBOR;
        }
        size_t field = find_key(fields, count, &key);

        result = field < count ? keep_value(&fields[field], &value, &items[field])
                               : OTTER_OK;
        if (kept == OTTER_OK) {
            kept = result;
        }
    }
    for (size_t i = 0; i < count && kept == OTTER_OK; i++) {
        if (fields[i].is_required && items[i].kind == 0) {
            kept = OTTER_E_SMP_FIELD;
        }
    }
    return kept;
}

enum otter_result otter_cbor_message(uint8_t *data, size_t size,
                                     const struct otter_cbor_field *fields,
                                     size_t count, struct otter_cbor_item *items)
{
    struct otter_reader reader = otter_reader_of(data, size);
    struct otter_cbor_item map = {.kind = OTTER_CBOR_MAP};

    if (size != 0 && otter_cbor_read(&reader, data, &map) != OTTER_OK) {
        return OTTER_E_SMP_CBOR;
    }
    enum otter_result result =
        otter_cbor_fields(&reader, data, &map, fields, count, items);

    if (result == OTTER_OK && !otter_reader_is_done(&reader)) {
        return OTTER_E_SMP_CBOR;
    }
    return result;
}

/* ---- writing ---- */

static void put_head(struct otter_writer *writer, uint8_t major, uint64_t value)
{
    uint8_t head[9];
    uint8_t log = 0; /* the number takes 1 << log bytes */

    if (value < INFO_1_BYTE) {
        otter_writer_u8(writer, (uint8_t)(major << 5 | (uint8_t)value));
        return;
    }
    while (log < 3 && value >> (8u << log) != 0) {
        log++;
    }
    size_t len = (size_t)1 << log;

    head[0] = (uint8_t)(major << 5 | (INFO_1_BYTE + log));
    for (size_t i = 0; i < len; i++) {
        head[len - i] = (uint8_t)(value >> 8 * i);
    }
    otter_writer_bytes(writer, head, len + 1);
}

void otter_cbor_put_uint(struct otter_writer *writer, uint64_t value)
{
    put_head(writer, MAJOR_UINT, value);
}

void otter_cbor_put_bool(struct otter_writer *writer, bool value)
{
    put_head(writer, MAJOR_SIMPLE, value ? SIMPLE_TRUE : SIMPLE_FALSE);
}

void otter_cbor_put_null(struct otter_writer *writer)
{
    put_head(writer, MAJOR_SIMPLE, SIMPLE_NULL);
}

void otter_cbor_put_bytes(struct otter_writer *writer, const void *bytes, size_t len)
{
    put_head(writer, MAJOR_BYTES, len);
    otter_writer_bytes(writer, bytes, len);
}

void otter_cbor_put_text_of(struct otter_writer *writer, const void *text, size_t len)
{
    put_head(writer, MAJOR_TEXT, len);
    otter_writer_bytes(writer, text, len);
}

void otter_cbor_put_text(struct otter_writer *writer, const char *text)
{
    size_t len = 0;

    while (len < TEXT_MAX && text[len] != '\0') {
        len++;
    }
    otter_cbor_put_text_of(writer, text, len);
}

void otter_cbor_put_array(struct otter_writer *writer, uint8_t count)
{
    put_head(writer, MAJOR_ARRAY, count);
}

struct otter_cbor_map otter_cbor_map_open(struct otter_writer *writer)
{
    struct otter_cbor_map map = {.writer = writer, .off = writer->off};

    put_head(writer, MAJOR_MAP, 0);
    return map;
}

void otter_cbor_map_close(struct otter_cbor_map *map)
{
    if (map->count > MAP_SMALL_MAX) {
        map->writer->is_failed = true;
    }
    if (!map->writer->is_failed) {
        map->writer->data[map->off] = (uint8_t)(MAJOR_MAP << 5 | map->count);
    }
}

void otter_cbor_key(struct otter_cbor_map *map, const char *key)
{
    otter_cbor_put_text(map->writer, key);
    map->count++;
}

void otter_cbor_add_uint(struct otter_cbor_map *map, const char *key, uint64_t value)
{
    otter_cbor_key(map, key);
    otter_cbor_put_uint(map->writer, value);
}

void otter_cbor_add_bool(struct otter_cbor_map *map, const char *key, bool value)
{
    otter_cbor_key(map, key);
    otter_cbor_put_bool(map->writer, value);
}

void otter_cbor_add_text(struct otter_cbor_map *map, const char *key, const char *text)
{
    otter_cbor_key(map, key);
    otter_cbor_put_text(map->writer, text);
}

void otter_cbor_add_bytes(struct otter_cbor_map *map, const char *key,
                          const void *bytes, size_t len)
{
    otter_cbor_key(map, key);
    otter_cbor_put_bytes(map->writer, bytes, len);
}
