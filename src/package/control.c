/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control packet: from bytes in a source to values; docs/SPEC.md, "Control
 * packet". Rejects, never repairs; reads a piece at a time.
 */
#include "otter/control.h"

#include "control_inner.h"
#include "otter/bytes.h"
#include "otter/container.h"

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
    MEMBER_VERSION = 88,
    MEMBER_RESERVED = 90,

    SIGNATURES_MAX = 4,
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
    member->version = otter_load_le16(bytes + MEMBER_VERSION);
    memcpy(member->stored_sha, bytes + MEMBER_STORED_SHA, OTTER_SHA256_SIZE);
    memcpy(member->installed_sha, bytes + MEMBER_INSTALLED_SHA, OTTER_SHA256_SIZE);
}

static bool is_kept_form(const struct otter_member *member)
{
    const uint8_t others = (uint8_t) ~(OTTER_MEMBER_KEPT | OTTER_MEMBER_ENCRYPTED);

    return (member->flags & others) == 0 && member->stored_size == 0 &&
           member->coding == OTTER_CODING_RAW &&
           is_zero(member->stored_sha, OTTER_SHA256_SIZE);
}

/* As many bytes as are installed, and the same ones if they are not encrypted. */
static bool is_raw_form(const struct otter_member *member)
{
    bool is_same =
        memcmp(member->stored_sha, member->installed_sha, OTTER_SHA256_SIZE) == 0;

    return member->stored_size == member->installed_size &&
           is_same == ((member->flags & OTTER_MEMBER_ENCRYPTED) == 0);
}

static enum otter_result check_member(const struct otter_member *member, uint8_t index)
{
    const uint8_t known_flags = OTTER_MEMBER_KEPT | OTTER_MEMBER_IN_PLACE |
                                OTTER_MEMBER_ENCRYPTED | OTTER_MEMBER_COMPATIBLE;
    bool is_declared = (member->flags & OTTER_MEMBER_COMPATIBLE) != 0;

    if ((member->flags & ~known_flags) != 0) {
        return OTTER_E_CONTROL_FLAGS;
    }
    bool is_tree = member->region == OTTER_REGION_TREE;

    if (member->role == 0 || member->installed_size == 0 ||
        (member->depends >> index) != 0 ||
        (is_declared && (member->flags & OTTER_MEMBER_IN_PLACE) == 0) ||
        (is_tree && member->role != OTTER_ROLE_RESOURCES)) {
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

/* What the members before one were: no two have the same role and region. */
struct seen_members {
    uint8_t role[OTTER_MEMBERS_MAX];
    uint8_t region[OTTER_MEMBERS_MAX];
    uint32_t roles; /* bit i: a member of role i */
    bool has_in_place;
};

/* What is written in place comes last, when everything else is there (K13). */
static bool is_out_of_order(struct seen_members *seen,
                            const struct otter_member *member)
{
    bool is_in_place = (member->flags & OTTER_MEMBER_IN_PLACE) != 0;

    seen->has_in_place = seen->has_in_place || is_in_place;
    return seen->has_in_place && !is_in_place &&
           (member->flags & OTTER_MEMBER_KEPT) == 0;
}

bool otter_role_is_program(uint8_t role)
{
    return role == OTTER_ROLE_FIRMWARE || role == OTTER_ROLE_MANAGER ||
           role == OTTER_ROLE_LOADER;
}

static bool is_doubled(struct seen_members *seen, uint8_t index,
                       const struct otter_member *member)
{
    /* A system has one of each of these, wherever it lies. */
    bool is_single =
        otter_role_is_program(member->role) || member->role == OTTER_ROLE_TABLE;

    for (uint8_t i = 0; i < index; i++) {
        if (seen->role[i] == member->role &&
            (is_single || seen->region[i] == member->region)) {
            return true;
        }
    }
    seen->role[index] = member->role;
    seen->region[index] = member->region;
    seen->roles |= member->role < 32 ? 1U << member->role : 0;
    return false;
}

static enum otter_result check_members(const struct otter_source *source,
                                       const struct otter_control *control,
                                       bool *has_tree)
{
    const uint32_t wanted =
        1U << OTTER_ROLE_FIRMWARE | 1U << OTTER_ROLE_MANAGER | 1U << OTTER_ROLE_TABLE;
    struct seen_members seen;
    struct otter_member member;
    uint8_t bytes[OTTER_CONTROL_MEMBER_SIZE];

    memset(&seen, 0, sizeof(seen));
    for (uint8_t i = 0; i < control->member_count; i++) {
        enum otter_result result = read_member(source, i, bytes);

        if (result != OTTER_OK) {
            return result;
        }
        if (!is_zero(bytes + MEMBER_RESERVED, 6)) {
            return OTTER_E_CONTROL_RESERVED;
        }
        decode_member(bytes, &member);
        result = check_member(&member, i);
        if (result != OTTER_OK) {
            return result;
        }
        if (is_doubled(&seen, i, &member)) {
            return OTTER_E_CONTROL_DOUBLED;
        }
        if (is_out_of_order(&seen, &member)) {
            return OTTER_E_CONTROL_ORDER;
        }
        *has_tree = *has_tree || member.region == OTTER_REGION_TREE;
    }
    return (seen.roles & wanted) == wanted ? OTTER_OK : OTTER_E_CONTROL_MISSING;
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

enum otter_result otter_control_find(const struct otter_source *source,
                                     const struct otter_control *control, uint8_t role,
                                     struct otter_member *member, uint8_t *index)
{
    for (uint8_t i = 0; i < control->member_count; i++) {
        enum otter_result result = otter_control_member(source, control, i, member);

        if (result != OTTER_OK) {
            return result;
        }
        if (member->role == role) {
            *index = i;
            return OTTER_OK;
        }
    }
    return OTTER_E_CONTROL_MISSING;
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

enum otter_result otter_control_open(const struct otter_source *source,
                                     struct otter_control *control)
{
    struct otter_control opened;
    bool has_tree = false;
    enum otter_result result;

    memset(&opened, 0, sizeof(opened));
    result = read_head(source, &opened);
    if (result == OTTER_OK) {
        result = check_members(source, &opened, &has_tree);
    }
    if (result == OTTER_OK) {
        result = otter_control_check_extensions(source, &opened);
    }
    if (result == OTTER_OK) {
        result = otter_control_check_wraps(source, &opened);
    }
    if (result == OTTER_OK) {
        result = otter_control_check_root(source, &opened, has_tree);
    }
    if (result == OTTER_OK) {
        result = otter_control_check_signatures(source, &opened);
    }
    if (result == OTTER_OK) {
        *control = opened;
    }
    return result;
}
