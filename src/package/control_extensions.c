/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extensions of a control packet: what people read, and what later versions add;
 * docs/SPEC.md, "Control packet".
 */
#include "control_inner.h"

#include "otter/bytes.h"
#include "otter/utf8.h"

#include <stdbool.h>

enum {
    TEXT_MAX = 64,
    NOTES_MAX = 512,
};

/* What an extension may hold; row 0 stands for every type not known here. */
static const struct {
    uint16_t type;
    uint16_t max;
} extensions[] = {
    {0, UINT16_MAX},
    {OTTER_EXTENSION_VENDOR, TEXT_MAX},
    {OTTER_EXTENSION_PRODUCT, TEXT_MAX},
    {OTTER_EXTENSION_VERSION, TEXT_MAX},
    {OTTER_EXTENSION_BUILD, TEXT_MAX},
    {OTTER_EXTENSION_NOTES, NOTES_MAX},
    {OTTER_EXTENSION_BATTERY, 1},
    {OTTER_EXTENSION_WRAPS, UINT16_MAX},
    {OTTER_EXTENSION_REVOKES, OTTER_REVOKES_MAX *OTTER_KEY_ID_SIZE},
    {OTTER_EXTENSION_ROOT, OTTER_PATH_MAX},
};

static size_t find_extension(uint16_t type)
{
    for (size_t i = 1; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
        if (extensions[i].type == type) {
            return i;
        }
    }
    return 0;
}

/* Continuation bytes of a character that a part of a text, of 64 bytes, ends in the
 * middle of. */
static size_t split_tail(const uint8_t *text, size_t len)
{
    for (size_t back = 1; back <= 3; back++) {
        uint8_t byte = text[len - back];

        if (byte >= 0xC0) {
            size_t wanted = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;

            return wanted > back ? back : 0;
        }
        if (byte < 0x80) {
            return 0;
        }
    }
    return 0;
}

/* Only release notes may have several lines, or tabs. */
static bool is_one_line(const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n' || text[i] == '\t') {
            return false;
        }
    }
    return true;
}

/* A text is checked in parts that end between characters. */
static enum otter_result check_text(const struct otter_source *source, uint16_t type,
                                    uint32_t off, uint16_t len)
{
    uint8_t part[TEXT_MAX];

    for (uint32_t done = 0; done < len;) {
        size_t size = len - done < sizeof(part) ? len - done : sizeof(part);
        enum otter_result result =
            source->read(source->context, off + done, part, size);

        if (result != OTTER_OK) {
            return result;
        }
        if (done + size < len) {
            size -= split_tail(part, size);
        }
        if (!otter_utf8_is_valid(part, size) ||
            (type != OTTER_EXTENSION_NOTES && !is_one_line(part, size))) {
            return OTTER_E_CONTROL_TEXT;
        }
        done += (uint32_t)size;
    }
    return OTTER_OK;
}

static enum otter_result check_battery(const struct otter_source *source, uint32_t off,
                                       uint16_t len)
{
    uint8_t percent = 0;

    if (len != 1) {
        return OTTER_E_CONTROL_TLV;
    }
    enum otter_result result = source->read(source->context, off, &percent, 1);

    return result == OTTER_OK && percent > 100 ? OTTER_E_CONTROL_TLV : result;
}

/* A reader that passed them over would take ciphertext for an image, so they are
 * always critical. */
static enum otter_result check_wraps(const struct otter_source *source,
                                     struct otter_control *control, uint16_t type,
                                     uint32_t off, uint16_t len)
{
    return (type & OTTER_EXTENSION_CRITICAL) == 0
               ? OTTER_E_WRAP_FORM
               : otter_control_take_wraps(source, control, off, len);
}

/* A reader that passed these over would go on trusting the keys. */
static enum otter_result take_revokes(struct otter_control *control, uint16_t type,
                                      uint32_t off, uint16_t len)
{
    bool is_form = len > 0 && len % OTTER_KEY_ID_SIZE == 0 &&
                   len <= OTTER_REVOKES_MAX * OTTER_KEY_ID_SIZE;

    if ((type & OTTER_EXTENSION_CRITICAL) == 0 || !is_form) {
        return OTTER_E_CONTROL_TLV;
    }
    control->revokes_off = (uint16_t)off;
    control->revoke_count = (uint8_t)(len / OTTER_KEY_ID_SIZE);
    return OTTER_OK;
}

enum otter_result otter_control_revoked(const struct otter_source *source,
                                        const struct otter_control *control,
                                        uint8_t index, uint8_t id[OTTER_KEY_ID_SIZE])
{
    if (index >= control->revoke_count) {
        return OTTER_E_CONTROL_COUNT;
    }
    return source->read(source->context,
                        control->revokes_off + (uint32_t)index * OTTER_KEY_ID_SIZE, id,
                        OTTER_KEY_ID_SIZE);
}

static enum otter_result check_extension(const struct otter_source *source,
                                         struct otter_control *control, uint16_t type,
                                         uint32_t off, uint16_t len)
{
    uint16_t bare = type & (uint16_t)~OTTER_EXTENSION_CRITICAL;
    size_t row = find_extension(bare);

    if (row == 0) {
        return bare == type ? OTTER_OK : OTTER_E_CONTROL_CRITICAL;
    }
    if (bare == OTTER_EXTENSION_BATTERY) {
        return check_battery(source, off, len);
    }
    if (bare == OTTER_EXTENSION_WRAPS) {
        return check_wraps(source, control, type, off, len);
    }
    if (bare == OTTER_EXTENSION_REVOKES) {
        return take_revokes(control, type, off, len);
    }
    if (bare == OTTER_EXTENSION_ROOT) {
        return OTTER_OK; /* otter_control_check_root() */
    }
    return len > extensions[row].max ? OTTER_E_CONTROL_TEXT
                                     : check_text(source, bare, off, len);
}

/* A step through the extensions: the one at `off`, and where the next begins. */
struct extension {
    uint16_t type; /* with the critical bit */
    uint16_t len;
    uint32_t data_off;
};

static enum otter_result read_extension(const struct otter_source *source,
                                        const struct otter_control *control,
                                        uint32_t off, struct extension *extension)
{
    uint32_t end = (uint32_t)control->extensions_off + control->extensions_size;
    uint8_t head[4];

    if (end - off < sizeof(head)) {
        return OTTER_E_CONTROL_TLV;
    }
    enum otter_result result = source->read(source->context, off, head, sizeof(head));

    if (result != OTTER_OK) {
        return result;
    }
    extension->type = otter_load_le16(head);
    extension->len = otter_load_le16(head + 2);
    extension->data_off = off + (uint32_t)sizeof(head);
    return extension->len > end - extension->data_off ? OTTER_E_CONTROL_TLV : OTTER_OK;
}

enum otter_result otter_control_check_extensions(const struct otter_source *source,
                                                 struct otter_control *control)
{
    uint32_t end = (uint32_t)control->extensions_off + control->extensions_size;
    uint32_t seen = 0; /* bit i: row i of the table */
    struct extension extension = {0};

    for (uint32_t off = control->extensions_off; off < end;
         off = extension.data_off + extension.len) {
        enum otter_result result = read_extension(source, control, off, &extension);

        if (result != OTTER_OK) {
            return result;
        }
        size_t row =
            find_extension(extension.type & (uint16_t)~OTTER_EXTENSION_CRITICAL);

        if (row != 0 && (seen & (1U << row)) != 0) {
            return OTTER_E_CONTROL_TLV;
        }
        seen |= 1U << row;
        result = check_extension(source, control, extension.type, extension.data_off,
                                 extension.len);
        if (result != OTTER_OK) {
            return result;
        }
    }
    return OTTER_OK;
}

enum otter_result otter_control_extension_find(const struct otter_source *source,
                                               const struct otter_control *control,
                                               uint16_t type, uint32_t *off,
                                               size_t *len)
{
    uint32_t end = (uint32_t)control->extensions_off + control->extensions_size;
    struct extension extension = {0};

    *off = 0;
    *len = 0;
    for (uint32_t at = control->extensions_off; at < end;
         at = extension.data_off + extension.len) {
        enum otter_result result = read_extension(source, control, at, &extension);

        if (result != OTTER_OK) {
            return result;
        }
        if ((extension.type & (uint16_t)~OTTER_EXTENSION_CRITICAL) == type) {
            *off = extension.data_off;
            *len = extension.len;
            return OTTER_OK;
        }
    }
    return OTTER_OK;
}

enum otter_result otter_control_extension(const struct otter_source *source,
                                          const struct otter_control *control,
                                          uint16_t type, void *data, size_t capacity,
                                          size_t *len)
{
    uint32_t off = 0;
    enum otter_result result =
        otter_control_extension_find(source, control, type, &off, len);

    if (result != OTTER_OK || *len == 0) {
        return result;
    }
    if (*len > capacity) {
        *len = 0;
        return OTTER_E_CONTROL_TEXT;
    }
    return source->read(source->context, off, data, *len);
}

enum otter_result otter_control_root(const struct otter_source *source,
                                     const struct otter_control *control,
                                     char root[OTTER_PATH_SIZE])
{
    size_t len = 0;
    enum otter_result result = otter_control_extension(
        source, control, OTTER_EXTENSION_ROOT, root, OTTER_PATH_MAX, &len);

    root[len] = '\0';
    if (result == OTTER_E_CONTROL_TEXT) {
        return OTTER_E_CONTROL_ROOT;
    }
    return result == OTTER_OK && len == 0 ? OTTER_E_CONTROL_ROOT : result;
}

#if OTTER_TREES

/* What otter keeps on the card itself is no place for a package's files. */
static bool is_good_root(const char *root, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (root[i] == '\0') {
            return false;
        }
    }
    return otter_path_is_for_files(root) &&
           !otter_path_is_inside(root, OTTER_CARD_FOLDER);
}

enum otter_result otter_control_check_root(const struct otter_source *source,
                                           const struct otter_control *control,
                                           bool has_tree)
{
    char root[OTTER_PATH_SIZE];
    uint32_t off = 0;
    size_t len = 0;
    enum otter_result result =
        otter_control_extension_find(source, control, OTTER_EXTENSION_ROOT, &off, &len);

    if (result != OTTER_OK || (off == 0 && !has_tree)) {
        return result;
    }
    result =
        has_tree ? otter_control_root(source, control, root) : OTTER_E_CONTROL_ROOT;
    return result == OTTER_OK && !is_good_root(root, len) ? OTTER_E_CONTROL_ROOT
                                                          : result;
}

#else

enum otter_result otter_control_check_root(const struct otter_source *source,
                                           const struct otter_control *control,
                                           bool has_tree)
{
    (void)source;
    (void)control;
    return has_tree ? OTTER_E_CONTROL_ROOT : OTTER_OK;
}

#endif
