/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control packet: from bytes in a source to values; docs/SPEC.md, "Control
 * packet". Rejects, never repairs; reads a piece at a time.
 */
#include "otter/control.h"

#include "otter/bytes.h"
#include "otter/container.h"
#include "otter/utf8.h"

#include <string.h>

enum {
    CONTROL_MAGIC = 0x5254544F, /* "OTTR" */
    CONTROL_FORMAT = 1,

    HEAD_MAGIC = 0,
    HEAD_FORMAT = 4,
    HEAD_LENGTH = 6,
    HEAD_IMAGE_HEADER = 8,
    HEAD_FILE_LENGTH = 40,
    HEAD_TARGET = 44,
    HEAD_HARDWARE_MIN = 48,
    HEAD_HARDWARE_MAX = 50,
    HEAD_PACKAGE_ID = 52,
    HEAD_COUNTER = 68,
    HEAD_FOLLOWS = 72,
    HEAD_BOOT_MIN = 80,
    HEAD_MANAGER_MIN = 82,
    HEAD_MEMBERS = 84,
    HEAD_SIGNATURES = 85,
    HEAD_EXTENSIONS = 86,
    HEAD_RESERVED = 88,

    MEMBER_ROLE = 0,
    MEMBER_REGION = 1,
    MEMBER_CODING = 2,
    MEMBER_FLAGS = 3,
    MEMBER_LINK = 4,
    MEMBER_STORED_SIZE = 8,
    MEMBER_INSTALLED_SIZE = 12,
    MEMBER_MEMORY = 16,
    MEMBER_DEPENDS = 20,
    MEMBER_STORED_SHA = 24,
    MEMBER_INSTALLED_SHA = 56,
    MEMBER_RESERVED = 88,

    SIGNATURE_ALGORITHM = 8,
    SIGNATURE_RESERVED = 9,
    SIGNATURE_LENGTH = 10,
    SIGNATURE_BYTES = 12,
    ALGORITHM_P256 = 1,

    SIGNATURES_MAX = 4,
    TEXT_MAX = 64,
    NOTES_MAX = 512,
};

int otter_version_compare(const struct otter_version *a, const struct otter_version *b)
{
    const uint32_t pairs[4][2] = {{a->major, b->major},
                                  {a->minor, b->minor},
                                  {a->revision, b->revision},
                                  {a->build, b->build}};

    for (size_t i = 0; i < 4; i++) {
        if (pairs[i][0] != pairs[i][1]) {
            return pairs[i][0] < pairs[i][1] ? -1 : 1;
        }
    }
    return 0;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

enum otter_result otter_control_length(const uint8_t head[8], uint16_t *length)
{
    if (otter_load_le32(head + HEAD_MAGIC) != CONTROL_MAGIC) {
        return OTTER_E_CONTROL_MAGIC;
    }
    if (otter_load_le16(head + HEAD_FORMAT) != CONTROL_FORMAT) {
        return OTTER_E_CONTROL_VERSION;
    }
    uint16_t value = otter_load_le16(head + HEAD_LENGTH);

    if (value < OTTER_CONTROL_HEAD_SIZE || value > OTTER_CONTROL_MAX) {
        return OTTER_E_CONTROL_LENGTH;
    }
    *length = value;
    return OTTER_OK;
}

static void load_version(const uint8_t *bytes, struct otter_version *version)
{
    version->major = bytes[0];
    version->minor = bytes[1];
    version->revision = otter_load_le16(bytes + 2);
    version->build = otter_load_le32(bytes + 4);
}

static void decode_head(const uint8_t *head, struct otter_control *control)
{
    memcpy(control->image_header, head + HEAD_IMAGE_HEADER, OTTER_IMAGE_HEADER_SIZE);
    control->file_length = otter_load_le32(head + HEAD_FILE_LENGTH);
    control->target = otter_load_le32(head + HEAD_TARGET);
    control->hardware_min = otter_load_le16(head + HEAD_HARDWARE_MIN);
    control->hardware_max = otter_load_le16(head + HEAD_HARDWARE_MAX);
    memcpy(control->package_id, head + HEAD_PACKAGE_ID, OTTER_PACKAGE_ID_SIZE);
    control->counter = otter_load_le32(head + HEAD_COUNTER);
    load_version(head + HEAD_FOLLOWS, &control->follows);
    control->boot_min = otter_load_le16(head + HEAD_BOOT_MIN);
    control->manager_min = otter_load_le16(head + HEAD_MANAGER_MIN);
    control->member_count = head[HEAD_MEMBERS];
    control->signature_count = head[HEAD_SIGNATURES];
    control->extensions_size = otter_load_le16(head + HEAD_EXTENSIONS);
}

/* The parts fill the length exactly. */
static enum otter_result lay_out(struct otter_control *control)
{
    if (control->member_count == 0 || control->member_count > OTTER_MEMBERS_MAX) {
        return OTTER_E_CONTROL_COUNT;
    }
    if (control->signature_count > SIGNATURES_MAX) {
        return OTTER_E_SIGNATURE_FORM;
    }
    uint32_t members_end = OTTER_CONTROL_HEAD_SIZE +
                           (uint32_t)control->member_count * OTTER_CONTROL_MEMBER_SIZE;
    uint32_t signed_size = members_end + control->extensions_size;
    uint32_t end =
        signed_size + (uint32_t)control->signature_count * OTTER_CONTROL_SIGNATURE_SIZE;

    if (end != control->length) {
        return OTTER_E_CONTROL_LENGTH;
    }
    control->extensions_off = (uint16_t)members_end;
    control->signed_size = (uint16_t)signed_size;
    return OTTER_OK;
}

static enum otter_result check_image_header(struct otter_control *control)
{
    struct otter_image_header header;
    enum otter_result result = otter_image_header_parse(control->image_header, &header);

    if (result != OTTER_OK) {
        return OTTER_E_PACKAGE_HEADER;
    }
    uint32_t around = OTTER_IMAGE_HEADER_SIZE + OTTER_TRAILER_SIZE;

    if (control->file_length < around ||
        header.payload_size != control->file_length - around) {
        return OTTER_E_PACKAGE_LENGTH;
    }
    control->version = header.version;
    return OTTER_OK;
}

static enum otter_result read_head(const struct otter_source *source,
                                   struct otter_control *control)
{
    uint8_t head[OTTER_CONTROL_HEAD_SIZE];

    if (source->size < sizeof(head)) {
        return OTTER_E_CONTROL_LENGTH;
    }
    enum otter_result result = source->read(source->context, 0, head, sizeof(head));

    if (result == OTTER_OK) {
        result = otter_control_length(head, &control->length);
    }
    if (result != OTTER_OK) {
        return result;
    }
    if (control->length > source->size) {
        return OTTER_E_CONTROL_LENGTH;
    }
    if (!is_zero(head + HEAD_RESERVED, 8)) {
        return OTTER_E_CONTROL_RESERVED;
    }
    decode_head(head, control);
    result = lay_out(control);
    return result == OTTER_OK ? check_image_header(control) : result;
}

/* ---- members ---- */

static enum otter_result read_member(const struct otter_source *source, uint8_t index,
                                     uint8_t bytes[OTTER_CONTROL_MEMBER_SIZE])
{
    uint32_t off =
        OTTER_CONTROL_HEAD_SIZE + (uint32_t)index * OTTER_CONTROL_MEMBER_SIZE;

    return source->read(source->context, off, bytes, OTTER_CONTROL_MEMBER_SIZE);
}

static void decode_member(const uint8_t *bytes, struct otter_member *member)
{
    member->role = bytes[MEMBER_ROLE];
    member->region = bytes[MEMBER_REGION];
    member->coding = bytes[MEMBER_CODING];
    member->flags = bytes[MEMBER_FLAGS];
    member->link_addr = otter_load_le32(bytes + MEMBER_LINK);
    member->stored_size = otter_load_le32(bytes + MEMBER_STORED_SIZE);
    member->installed_size = otter_load_le32(bytes + MEMBER_INSTALLED_SIZE);
    member->memory = otter_load_le32(bytes + MEMBER_MEMORY);
    member->depends = otter_load_le32(bytes + MEMBER_DEPENDS);
    memcpy(member->stored_sha, bytes + MEMBER_STORED_SHA, OTTER_SHA256_SIZE);
    memcpy(member->installed_sha, bytes + MEMBER_INSTALLED_SHA, OTTER_SHA256_SIZE);
}

static bool is_kept_form(const struct otter_member *member)
{
    return member->flags == OTTER_MEMBER_KEPT && member->stored_size == 0 &&
           member->coding == OTTER_CODING_RAW &&
           is_zero(member->stored_sha, OTTER_SHA256_SIZE);
}

static bool is_raw_form(const struct otter_member *member)
{
    return member->stored_size == member->installed_size &&
           memcmp(member->stored_sha, member->installed_sha, OTTER_SHA256_SIZE) == 0;
}

static enum otter_result check_member(const struct otter_member *member, uint8_t index)
{
    const uint8_t known_flags = OTTER_MEMBER_KEPT | OTTER_MEMBER_IN_PLACE;

    if ((member->flags & ~known_flags) != 0) {
        return OTTER_E_CONTROL_FLAGS;
    }
    if (member->role == 0 || member->installed_size == 0 ||
        (member->depends >> index) != 0) {
        return OTTER_E_CONTROL_MEMBER;
    }
    if ((member->flags & OTTER_MEMBER_KEPT) != 0) {
        return is_kept_form(member) ? OTTER_OK : OTTER_E_CONTROL_MEMBER;
    }
    if (member->stored_size == 0 ||
        (member->coding == OTTER_CODING_RAW && !is_raw_form(member))) {
        return OTTER_E_CONTROL_MEMBER;
    }
    return OTTER_OK;
}

static enum otter_result check_doubled(const struct otter_source *source, uint8_t index,
                                       const struct otter_member *member)
{
    uint8_t bytes[OTTER_CONTROL_MEMBER_SIZE];

    for (uint8_t i = 0; i < index; i++) {
        enum otter_result result = read_member(source, i, bytes);

        if (result != OTTER_OK) {
            return result;
        }
        if (bytes[MEMBER_ROLE] == member->role &&
            bytes[MEMBER_REGION] == member->region) {
            return OTTER_E_CONTROL_DOUBLED;
        }
    }
    return OTTER_OK;
}

static enum otter_result check_members(const struct otter_source *source,
                                       const struct otter_control *control)
{
    const uint32_t wanted =
        1U << OTTER_ROLE_FIRMWARE | 1U << OTTER_ROLE_MANAGER | 1U << OTTER_ROLE_TABLE;
    uint32_t seen = 0;
    uint8_t bytes[OTTER_CONTROL_MEMBER_SIZE];
    struct otter_member member;

    for (uint8_t i = 0; i < control->member_count; i++) {
        enum otter_result result = read_member(source, i, bytes);

        if (result != OTTER_OK) {
            return result;
        }
        if (!is_zero(bytes + MEMBER_RESERVED, 8)) {
            return OTTER_E_CONTROL_RESERVED;
        }
        decode_member(bytes, &member);
        result = check_member(&member, i);
        if (result == OTTER_OK) {
            result = check_doubled(source, i, &member);
        }
        if (result != OTTER_OK) {
            return result;
        }
        seen |= member.role < 32 ? 1U << member.role : 0;
    }
    return (seen & wanted) == wanted ? OTTER_OK : OTTER_E_CONTROL_MISSING;
}

enum otter_result otter_control_member(const struct otter_source *source,
                                       const struct otter_control *control,
                                       uint8_t index, struct otter_member *member)
{
    uint8_t bytes[OTTER_CONTROL_MEMBER_SIZE];

    if (index >= control->member_count) {
        return OTTER_E_CONTROL_COUNT;
    }
    enum otter_result result = read_member(source, index, bytes);

    if (result == OTTER_OK) {
        decode_member(bytes, member);
    }
    return result;
}

enum otter_result otter_control_member_off(const struct otter_source *source,
                                           const struct otter_control *control,
                                           uint8_t index, uint32_t *off)
{
    uint32_t sum = OTTER_IMAGE_HEADER_SIZE + (uint32_t)control->length;
    struct otter_member member;

    for (uint8_t i = 0; i < index; i++) {
        enum otter_result result = otter_control_member(source, control, i, &member);

        if (result != OTTER_OK) {
            return result;
        }
        if (member.stored_size > UINT32_MAX - sum) {
            return OTTER_E_PACKAGE_LENGTH;
        }
        sum += member.stored_size;
    }
    *off = sum;
    return OTTER_OK;
}

/* ---- extensions ---- */

/* What an extension may hold; row 0 stands for every type not known here. */
static const struct {
    uint16_t type;
    uint16_t max;
    bool is_text;
} extensions[] = {
    {0, UINT16_MAX, false},
    {OTTER_EXTENSION_VENDOR, TEXT_MAX, true},
    {OTTER_EXTENSION_PRODUCT, TEXT_MAX, true},
    {OTTER_EXTENSION_VERSION, TEXT_MAX, true},
    {OTTER_EXTENSION_BUILD, TEXT_MAX, true},
    {OTTER_EXTENSION_NOTES, NOTES_MAX, true},
    {OTTER_EXTENSION_BATTERY, 1, false},
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

/* Continuation bytes of a character that a part of a text ends in the middle of. */
static size_t split_tail(const uint8_t *text, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
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

/* A text is checked in parts that end between characters. */
static enum otter_result check_text(const struct otter_source *source, uint32_t off,
                                    uint16_t len)
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
        if (!otter_utf8_is_valid(part, size)) {
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

static enum otter_result check_extension(const struct otter_source *source,
                                         uint16_t type, uint32_t off, uint16_t len)
{
    uint16_t bare = type & (uint16_t)~OTTER_EXTENSION_CRITICAL;
    size_t row = find_extension(bare);

    if (row == 0) {
        return bare == type ? OTTER_OK : OTTER_E_CONTROL_CRITICAL;
    }
    if (bare == OTTER_EXTENSION_BATTERY) {
        return check_battery(source, off, len);
    }
    return len > extensions[row].max ? OTTER_E_CONTROL_TEXT
                                     : check_text(source, off, len);
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

static enum otter_result check_extensions(const struct otter_source *source,
                                          const struct otter_control *control)
{
    uint32_t end = (uint32_t)control->extensions_off + control->extensions_size;
    uint32_t seen = 0; /* bit i: row i of the table */
    struct extension extension = {0};

    for (uint32_t off = control->extensions_off; off < end;
         off = extension.data_off + extension.len) {
        enum otter_result result = read_extension(source, control, off, &extension);

        if (result == OTTER_OK) {
            result = check_extension(source, extension.type, extension.data_off,
                                     extension.len);
        }
        if (result != OTTER_OK) {
            return result;
        }
        size_t row =
            find_extension(extension.type & (uint16_t)~OTTER_EXTENSION_CRITICAL);

        if (row != 0 && (seen & (1U << row)) != 0) {
            return OTTER_E_CONTROL_TLV;
        }
        seen |= 1U << row;
    }
    return OTTER_OK;
}

enum otter_result otter_control_extension(const struct otter_source *source,
                                          const struct otter_control *control,
                                          uint16_t type, void *data, size_t capacity,
                                          size_t *len)
{
    uint32_t end = (uint32_t)control->extensions_off + control->extensions_size;
    struct extension extension = {0};

    *len = 0;
    for (uint32_t off = control->extensions_off; off < end;
         off = extension.data_off + extension.len) {
        enum otter_result result = read_extension(source, control, off, &extension);

        if (result != OTTER_OK) {
            return result;
        }
        if ((extension.type & (uint16_t)~OTTER_EXTENSION_CRITICAL) != type) {
            continue;
        }
        if (extension.len > capacity) {
            return OTTER_E_CONTROL_TEXT;
        }
        *len = extension.len;
        return source->read(source->context, extension.data_off, data, extension.len);
    }
    return OTTER_OK;
}

/* ---- signatures ---- */

static enum otter_result read_signature(const struct otter_source *source,
                                        const struct otter_control *control,
                                        uint8_t index,
                                        uint8_t bytes[OTTER_CONTROL_SIGNATURE_SIZE])
{
    uint32_t off =
        control->signed_size + (uint32_t)index * OTTER_CONTROL_SIGNATURE_SIZE;

    return source->read(source->context, off, bytes, OTTER_CONTROL_SIGNATURE_SIZE);
}

static enum otter_result check_signatures(const struct otter_source *source,
                                          const struct otter_control *control)
{
    uint8_t bytes[OTTER_CONTROL_SIGNATURE_SIZE];

    for (uint8_t i = 0; i < control->signature_count; i++) {
        enum otter_result result = read_signature(source, control, i, bytes);

        if (result != OTTER_OK) {
            return result;
        }
        if (bytes[SIGNATURE_ALGORITHM] != ALGORITHM_P256 ||
            bytes[SIGNATURE_RESERVED] != 0 ||
            otter_load_le16(bytes + SIGNATURE_LENGTH) != OTTER_P256_SIGNATURE_SIZE) {
            return OTTER_E_SIGNATURE_FORM;
        }
    }
    return OTTER_OK;
}

static enum otter_result hash_signed(const struct otter_source *source,
                                     const struct otter_control *control,
                                     const struct otter_crypto *crypto,
                                     uint8_t digest[OTTER_SHA256_SIZE])
{
    struct otter_sha256 sha;
    uint8_t part[64];

    crypto->sha256_init(crypto->context, &sha);
    for (uint32_t off = 0; off < control->signed_size; off += (uint32_t)sizeof(part)) {
        size_t len = control->signed_size - off < sizeof(part)
                         ? control->signed_size - off
                         : sizeof(part);
        enum otter_result result = source->read(source->context, off, part, len);

        if (result != OTTER_OK) {
            return result;
        }
        crypto->sha256_update(crypto->context, &sha, part, len);
    }
    crypto->sha256_final(crypto->context, &sha, digest);
    return OTTER_OK;
}

/* Index of the key with that id, or `count`. */
static uint8_t find_key(const struct otter_key *keys, uint8_t count, const uint8_t *id)
{
    uint8_t i = 0;

    while (i < count && memcmp(keys[i].id, id, OTTER_KEY_ID_SIZE) != 0) {
        i++;
    }
    return i;
}

/* The stronger of two reasons why no signature counts. */
static enum otter_result stronger(enum otter_result a, enum otter_result b)
{
    static const enum otter_result order[] = {
        OTTER_E_SIGNATURE_BAD, OTTER_E_SIGNATURE_REVOKED, OTTER_E_SIGNATURE_KEY,
        OTTER_E_SIGNATURE_NONE};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (a == order[i] || b == order[i]) {
            return order[i];
        }
    }
    return a;
}

enum otter_result otter_control_verify(const struct otter_source *source,
                                       const struct otter_control *control,
                                       const struct otter_key *keys, uint8_t key_count,
                                       uint32_t key_mask,
                                       const struct otter_crypto *crypto)
{
    enum otter_result reason = OTTER_E_SIGNATURE_NONE;
    uint8_t digest[OTTER_SHA256_SIZE];
    uint8_t bytes[OTTER_CONTROL_SIGNATURE_SIZE];
    enum otter_result result = hash_signed(source, control, crypto, digest);

    for (uint8_t i = 0; result == OTTER_OK && i < control->signature_count; i++) {
        result = read_signature(source, control, i, bytes);
        if (result != OTTER_OK) {
            break;
        }
        uint8_t key = find_key(keys, key_count, bytes);

        if (key == key_count) {
            reason = stronger(reason, OTTER_E_SIGNATURE_KEY);
        } else if ((key_mask & (1UL << key)) == 0) {
            reason = stronger(reason, OTTER_E_SIGNATURE_REVOKED);
        } else if (crypto->verify_p256(crypto->context, keys[key].point, digest,
                                       bytes + SIGNATURE_BYTES) == OTTER_OK) {
            return OTTER_OK;
        } else {
            reason = stronger(reason, OTTER_E_SIGNATURE_BAD);
        }
    }
    return result == OTTER_OK ? reason : result;
}

/* ---- the whole ---- */

enum otter_result otter_control_open(const struct otter_source *source,
                                     struct otter_control *control)
{
    struct otter_control opened;
    enum otter_result result;

    memset(&opened, 0, sizeof(opened));
    result = read_head(source, &opened);
    if (result == OTTER_OK) {
        result = check_members(source, &opened);
    }
    if (result == OTTER_OK) {
        result = check_extensions(source, &opened);
    }
    if (result == OTTER_OK) {
        result = check_signatures(source, &opened);
    }
    if (result == OTTER_OK) {
        *control = opened;
    }
    return result;
}
