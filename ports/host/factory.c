/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packages in memory and factory content. Byte layouts: docs/SPEC.md, "Package file",
 * "Control packet", "Receipts". The first system's package is all that a factory
 * needs: it carries table, manager and firmware, and its control packet is the first
 * receipt.
 */
#include "factory.h"

#include "crypto_bearssl.h"
#include "host_coding.h"
#include "host_wrap.h"
#include "otter/bytes.h"
#include "otter/container.h"
#include "otter/crc32.h"
#include "otter/journal.h"
#include "otter/receipt.h"

#include <stdlib.h>
#include <string.h>

static void sha256(const void *data, size_t size, uint8_t digest[OTTER_SHA256_SIZE])
{
    const struct otter_crypto *crypto = &otter_crypto_bearssl;
    struct otter_sha256 sha;

    crypto->sha256_init(crypto->context, &sha);
    crypto->sha256_update(crypto->context, &sha, data, size);
    crypto->sha256_final(crypto->context, &sha, digest);
}

static enum otter_result image_read(const void *context, uint32_t off, void *data,
                                    size_t len)
{
    const struct host_image *image = context;

    memcpy(data, image->data + off, len);
    return OTTER_OK;
}

struct otter_source host_image_source(const struct host_image *image)
{
    return (struct otter_source){
        .context = image, .size = image->size, .read = image_read};
}

/* --- keys --- */

void host_key_id(struct otter_key *key)
{
    uint8_t point[1 + OTTER_P256_KEY_SIZE] = {4};
    uint8_t digest[OTTER_SHA256_SIZE];

    memcpy(point + 1, key->point, OTTER_P256_KEY_SIZE);
    sha256(point, sizeof(point), digest);
    memcpy(key->id, digest, OTTER_KEY_ID_SIZE);
}

enum otter_result host_key_of(const uint8_t scalar[HOST_SIGN_SCALAR_SIZE],
                              struct otter_key *key)
{
    enum otter_result result = host_sign_public(scalar, key->point);

    if (result == OTTER_OK) {
        host_key_id(key);
    }
    return result;
}

/* --- packages --- */

static const uint32_t image_magic = 0x96F3B83D;

enum {
    TRAILER_MAGIC = 0x6907,
    ENTRY_SHA256 = 0x10,
    PACKAGE_ID_OFF = 52,
    EXTENSION_HEAD = 4
};

/* Lengths that several parts of a package name. */
struct layout {
    size_t extensions_size;
    size_t signed_size;
    uint8_t signature_count;
    size_t control_size;
    size_t file_size;
};

static void put_version(struct otter_writer *writer,
                        const struct otter_version *version)
{
    otter_writer_u8(writer, version->major);
    otter_writer_u8(writer, version->minor);
    otter_writer_le16(writer, version->revision);
    otter_writer_le32(writer, version->build);
}

static void put_image_header(struct otter_writer *writer,
                             const struct host_package *package, uint32_t payload_size)
{
    otter_writer_le32(writer, image_magic);
    otter_writer_le32(writer, 0);
    otter_writer_le16(writer, OTTER_IMAGE_HEADER_SIZE);
    otter_writer_le16(writer, 0);
    otter_writer_le32(writer, payload_size);
    otter_writer_le32(writer, 0);
    put_version(writer, &package->version);
    otter_writer_le32(writer, 0);
}

static bool is_kept(const struct host_member *member)
{
    return (member->flags & OTTER_MEMBER_KEPT) != 0;
}

/* What the file holds of a member. */
static struct host_image stored_of(const struct host_member *member)
{
    static const struct host_image none;

    return is_kept(member)               ? none
           : member->stored.data != NULL ? member->stored
                                         : member->image;
}

static void put_member(struct otter_writer *writer, const struct host_member *member)
{
    const struct host_image stored = stored_of(member);
    uint8_t stored_digest[OTTER_SHA256_SIZE] = {0};
    uint8_t digest[OTTER_SHA256_SIZE];

    if (is_kept(member) && member->sha != NULL) {
        memcpy(digest, member->sha, sizeof(digest));
    } else {
        sha256(member->image.data, member->image.size, digest);
    }
    if (!is_kept(member)) {
        sha256(stored.data, stored.size, stored_digest);
    }
    otter_writer_u8(writer, member->role);
    otter_writer_u8(writer, member->region);
    otter_writer_u8(writer, member->coding);
    otter_writer_u8(writer, member->flags);
    otter_writer_le32(writer, member->link_addr);
    otter_writer_le32(writer, stored.size);
    otter_writer_le32(writer, member->image.size);
    otter_writer_le32(writer, member->memory);
    otter_writer_le32(writer, member->depends);
    otter_writer_bytes(writer, stored_digest, sizeof(stored_digest));
    otter_writer_bytes(writer, digest, sizeof(digest));
    otter_writer_le16(writer, member->version);
    otter_writer_fill(writer, 0, 6);
}

static struct layout lay_out(const struct host_package *package)
{
    struct layout layout = {0};

    for (uint8_t i = 0; i < package->extension_count; i++) {
        layout.extensions_size += (size_t)EXTENSION_HEAD + package->extensions[i].len;
    }
    layout.signature_count = package->signer_count;
    if (package->scalar != NULL) {
        layout.signature_count =
            (uint8_t)(layout.signature_count + 1 + package->more_scalar_count);
    }
    layout.signed_size = OTTER_CONTROL_HEAD_SIZE +
                         (size_t)package->member_count * OTTER_CONTROL_MEMBER_SIZE +
                         layout.extensions_size;
    layout.control_size = layout.signed_size +
                          (size_t)layout.signature_count * OTTER_CONTROL_SIGNATURE_SIZE;
    layout.file_size =
        OTTER_IMAGE_HEADER_SIZE + layout.control_size + OTTER_TRAILER_SIZE;
    for (uint8_t i = 0; i < package->member_count; i++) {
        layout.file_size += stored_of(&package->members[i]).size;
    }
    return layout;
}

static void put_control_head(struct otter_writer *writer,
                             const struct host_package *package,
                             const struct layout *layout, uint32_t payload_size)
{
    otter_writer_bytes(writer, "OTTR", 4);
    otter_writer_le16(writer, 1);
    otter_writer_le16(writer, (uint16_t)layout->control_size);
    put_image_header(writer, package, payload_size);
    otter_writer_le32(writer, (uint32_t)layout->file_size);
    otter_writer_le32(writer, package->target);
    otter_writer_le16(writer, package->hardware_min);
    otter_writer_le16(writer, package->hardware_max);
    if (package->is_id_made) {
        otter_writer_fill(writer, 0, OTTER_PACKAGE_ID_SIZE);
    } else {
        otter_writer_bytes(writer, package->id, OTTER_PACKAGE_ID_SIZE);
    }
    otter_writer_le32(writer, package->counter);
    put_version(writer, &package->follows);
    otter_writer_le16(writer, package->boot_min);
    otter_writer_le16(writer, package->manager_min);
    otter_writer_u8(writer, package->member_count);
    otter_writer_u8(writer, layout->signature_count);
    otter_writer_le16(writer, (uint16_t)layout->extensions_size);
    otter_writer_fill(writer, 0, 8);
}

static void put_extensions(struct otter_writer *writer,
                           const struct host_package *package)
{
    for (uint8_t i = 0; i < package->extension_count; i++) {
        const struct host_extension *extension = &package->extensions[i];

        otter_writer_le16(writer, extension->type);
        otter_writer_le16(writer, extension->len);
        otter_writer_bytes(writer, extension->data, extension->len);
    }
}

/* Puts one signature over the first `size` bytes of `control`. */
static void put_signature(struct otter_writer *writer, const uint8_t *key_id,
                          const uint8_t *signature)
{
    otter_writer_bytes(writer, key_id, OTTER_KEY_ID_SIZE);
    otter_writer_u8(writer, 1);
    otter_writer_u8(writer, 0);
    otter_writer_le16(writer, OTTER_P256_SIGNATURE_SIZE);
    otter_writer_bytes(writer, signature, OTTER_P256_SIGNATURE_SIZE);
}

static enum otter_result sign_by_scalar(struct otter_writer *writer,
                                        const uint8_t *scalar, const uint8_t *digest)
{
    struct otter_key key;
    uint8_t signature[OTTER_P256_SIGNATURE_SIZE];
    enum otter_result result = host_key_of(scalar, &key);

    if (result == OTTER_OK) {
        result = host_sign_p256(scalar, digest, signature);
    }
    if (result == OTTER_OK) {
        put_signature(writer, key.id, signature);
    }
    return result;
}

static enum otter_result sign_elsewhere(struct otter_writer *writer,
                                        const struct host_signer *signer,
                                        const uint8_t *digest)
{
    uint8_t signature[OTTER_P256_SIGNATURE_SIZE];
    enum otter_result result = signer->sign(signer->context, digest, signature);

    if (result == OTTER_OK) {
        put_signature(writer, signer->key_id, signature);
    }
    return result;
}

static enum otter_result put_signatures(struct otter_writer *writer,
                                        const uint8_t *control,
                                        const struct host_package *package,
                                        const struct layout *layout)
{
    const size_t scalar_count = (size_t)layout->signature_count - package->signer_count;
    uint8_t digest[OTTER_SHA256_SIZE];
    enum otter_result result = OTTER_OK;

    sha256(control, layout->signed_size, digest);
    for (size_t i = 0; i < scalar_count && result == OTTER_OK; i++) {
        const uint8_t *scalar =
            i == 0 ? package->scalar
                   : package->more_scalars + (i - 1) * HOST_SIGN_SCALAR_SIZE;

        result = sign_by_scalar(writer, scalar, digest);
    }
    for (size_t i = 0; i < package->signer_count && result == OTTER_OK; i++) {
        result = sign_elsewhere(writer, &package->signers[i], digest);
    }
    return result;
}

/* Header and control packet. */
static enum otter_result put_control(struct otter_writer *writer,
                                     const struct host_package *package,
                                     const struct layout *layout)
{
    uint32_t payload_size =
        (uint32_t)(layout->file_size - OTTER_IMAGE_HEADER_SIZE - OTTER_TRAILER_SIZE);
    uint8_t *control = writer->data + OTTER_IMAGE_HEADER_SIZE;
    uint8_t digest[OTTER_SHA256_SIZE];

    put_image_header(writer, package, payload_size);
    put_control_head(writer, package, layout, payload_size);
    for (uint8_t i = 0; i < package->member_count; i++) {
        put_member(writer, &package->members[i]);
    }
    put_extensions(writer, package);
    if (writer->is_failed) {
        return OTTER_E_PACKAGE_LENGTH;
    }
    if (package->is_id_made) {
        sha256(control, layout->signed_size, digest);
        memcpy(control + PACKAGE_ID_OFF, digest, OTTER_PACKAGE_ID_SIZE);
    }
    return put_signatures(writer, control, package, layout);
}

static void put_trailer(struct otter_writer *writer)
{
    uint8_t hash[OTTER_SHA256_SIZE];

    sha256(writer->data, writer->off, hash);
    otter_writer_le16(writer, TRAILER_MAGIC);
    otter_writer_le16(writer, OTTER_TRAILER_SIZE);
    otter_writer_le16(writer, ENTRY_SHA256);
    otter_writer_le16(writer, OTTER_SHA256_SIZE);
    otter_writer_bytes(writer, hash, sizeof(hash));
}

size_t host_package_size(const struct host_package *package)
{
    return lay_out(package).file_size;
}

static uint32_t payload_size_of(const struct layout *layout)
{
    return (uint32_t)(layout->file_size - OTTER_IMAGE_HEADER_SIZE - OTTER_TRAILER_SIZE);
}

void host_package_header(const struct host_package *package,
                         uint8_t header[OTTER_IMAGE_HEADER_SIZE])
{
    struct otter_writer writer = otter_writer_of(header, OTTER_IMAGE_HEADER_SIZE);
    const struct layout layout = lay_out(package);

    put_image_header(&writer, package, payload_size_of(&layout));
}

enum otter_result host_package_build(const struct host_package *package, uint8_t *out,
                                     size_t capacity, size_t *size)
{
    struct otter_writer writer = otter_writer_of(out, capacity);
    const struct layout layout = lay_out(package);
    enum otter_result result = put_control(&writer, package, &layout);

    if (result != OTTER_OK) {
        return result;
    }
    for (uint8_t i = 0; i < package->member_count; i++) {
        const struct host_image stored = stored_of(&package->members[i]);

        if (stored.size > 0) {
            otter_writer_bytes(&writer, stored.data, stored.size);
        }
    }
    if (!writer.is_failed) {
        put_trailer(&writer);
    }
    *size = writer.off;
    return writer.is_failed ? OTTER_E_PACKAGE_LENGTH : OTTER_OK;
}

/* --- the factory --- */

/* Everything that writing a device needs. */
struct work {
    const struct host_factory *factory;
    struct otter_source source; /* the package's control packet */
    struct otter_control control;
    uint8_t hash[OTTER_SHA256_SIZE];
    struct otter_table table;
    struct host_image control_image;
    uint8_t table_bytes[OTTER_TABLE_MAX];
    struct host_image table_image;
    struct otter_io io;
};

/* Writes `data` at `off`, padded with the erased value to whole words. */
static enum otter_result write_bytes(struct otter_io *io, uint8_t region, uint32_t off,
                                     const uint8_t *data, uint32_t size)
{
    uint32_t word = otter_io_word_size(io, region);
    uint8_t part[OTTER_PAGE_MAX];

    for (uint32_t at = 0; at < size;) {
        uint32_t len = size - at < sizeof(part) ? size - at : (uint32_t)sizeof(part);
        size_t done = 0;

        memset(part, otter_io_erased(io, region), sizeof(part));
        memcpy(part, data + at, len);
        len = (len + word - 1) / word * word;
        enum otter_result result =
            otter_io_program(io, region, off + at, part, len, &done);

        if (result != OTTER_OK) {
            return result;
        }
        at += (uint32_t)done;
    }
    return OTTER_OK;
}

static enum otter_result write_image(struct work *work, uint8_t region,
                                     const struct host_image *image)
{
    const struct otter_region *found = otter_map_find(&work->table.map, region);

    if (found == NULL) {
        return OTTER_E_REGION;
    }
    if (image->size > found->size) {
        return OTTER_E_TOO_LARGE;
    }
    return write_bytes(&work->io, region, 0, image->data, image->size);
}

/* The bytes of the carried member `index`. */
static enum otter_result member_image(const struct work *work, uint8_t index,
                                      struct host_image *image)
{
    struct otter_member member;
    uint32_t off = 0;
    enum otter_result result =
        otter_control_member(&work->source, &work->control, index, &member);

    if (result == OTTER_OK) {
        result = otter_control_member_off(&work->source, &work->control, index, &off);
    }
    if (result != OTTER_OK) {
        return result;
    }
    if ((member.flags & OTTER_MEMBER_KEPT) != 0) {
        return OTTER_E_KEPT;
    }
    *image = (struct host_image){work->factory->package.data + off, member.stored_size};
    return OTTER_OK;
}

/* The table as it stands on flash: its head, then the member's content. */
static enum otter_result read_table(struct work *work, const struct host_image *content)
{
    struct otter_writer writer = otter_writer_of(work->table_bytes, OTTER_TABLE_MAX);
    size_t length = OTTER_TABLE_CONTENT_OFF + (size_t)content->size;

    otter_writer_bytes(&writer, "OTFT", 4);
    otter_writer_le16(&writer, 1);
    otter_writer_le16(&writer, (uint16_t)length);
    otter_writer_le32(&writer, 1);
    otter_writer_le32(&writer,
                      otter_crc32(otter_crc32(0, work->table_bytes, writer.off),
                                  content->data, content->size));
    otter_writer_bytes(&writer, content->data, content->size);
    if (writer.is_failed) {
        return OTTER_E_TABLE_FORM;
    }
    work->table_image = (struct host_image){work->table_bytes, (uint32_t)length};
    return otter_table_decode(work->table_bytes, length, &work->table);
}

static enum otter_result find_table(struct work *work)
{
    for (uint8_t i = 0; i < work->control.member_count; i++) {
        struct otter_member member;
        struct host_image content;
        enum otter_result result =
            otter_control_member(&work->source, &work->control, i, &member);

        if (result == OTTER_OK && member.role == OTTER_ROLE_TABLE) {
            result = member_image(work, i, &content);
            return result == OTTER_OK ? read_table(work, &content) : result;
        }
        if (result != OTTER_OK) {
            return result;
        }
    }
    return OTTER_E_CONTROL_MISSING;
}

static enum otter_result write_table(struct work *work)
{
    const struct otter_region *region =
        otter_map_find(&work->table.map, OTTER_REGION_TABLE);
    enum otter_result result =
        write_image(work, OTTER_REGION_TABLE, &work->table_image);

    if (result != OTTER_OK) {
        return result;
    }
    return write_bytes(&work->io, OTTER_REGION_TABLE, region->size / 2,
                       work->table_image.data, work->table_image.size);
}

static uint8_t region_of(const struct otter_member *member)
{
    static const uint8_t regions[] = {
        [OTTER_ROLE_FIRMWARE] = OTTER_REGION_APPLICATION,
        [OTTER_ROLE_MANAGER] = OTTER_REGION_MANAGER,
        [OTTER_ROLE_RESOURCES] = OTTER_REGION_RESOURCES,
        [OTTER_ROLE_FONT] = OTTER_REGION_FONT,
    };

    if (member->region != OTTER_REGION_NONE || member->role >= sizeof(regions)) {
        return member->region;
    }
    return regions[member->role];
}

/* A new device gets what the stored bytes decode to. */
static enum otter_result write_decoded(struct work *work,
                                       const struct otter_member *member,
                                       const struct host_image *stored)
{
    struct otter_source source = host_image_source(stored);
    uint8_t *content = malloc(member->installed_size);
    const struct host_image image = {content, member->installed_size};
    enum otter_result result =
        content == NULL ? OTTER_E_TOO_LARGE : host_decode(&source, member, content);

    if (result == OTTER_OK) {
        result = write_image(work, region_of(member), &image);
    }
    free(content);
    return result;
}

static enum otter_result write_member(struct work *work, uint8_t index,
                                      const struct otter_member *member,
                                      const struct host_image *stored)
{
    enum otter_result result = OTTER_E_DECRYPTED_HASH;
    uint8_t *plain = NULL;

    if ((member->flags & OTTER_MEMBER_ENCRYPTED) == 0) {
        return write_decoded(work, member, stored);
    }
    plain = malloc(stored->size);
    if (plain != NULL && work->factory->content_key != NULL) {
        const struct host_image decrypted = {plain, stored->size};

        memcpy(plain, stored->data, stored->size);
        host_encrypt(work->factory->content_key, index, plain, stored->size);
        result = write_decoded(work, member, &decrypted);
    }
    free(plain);
    /* Of raw bytes the hash tells that the key was a wrong one. */
    if (result == OTTER_E_CODING_HASH && member->coding == OTTER_CODING_RAW) {
        result = OTTER_E_DECRYPTED_HASH;
    }
    return result;
}

static enum otter_result write_members(struct work *work)
{
    for (uint8_t i = 0; i < work->control.member_count; i++) {
        struct otter_member member;
        struct host_image image;
        enum otter_result result =
            otter_control_member(&work->source, &work->control, i, &member);

        if (result == OTTER_OK) {
            result = member_image(work, i, &image);
        }
        /* Files are no part of the flash: whoever fills the card puts them there. */
        if (result == OTTER_OK && member.role != OTTER_ROLE_TABLE &&
            member.region != OTTER_REGION_TREE) {
            result = write_member(work, i, &member, &image);
        }
        if (result != OTTER_OK) {
            return result;
        }
    }
    return OTTER_OK;
}

static enum otter_result write_receipt(struct work *work, uint8_t copy)
{
    const struct host_image *control = &work->control_image;
    uint8_t head[OTTER_RECEIPT_HEAD_SIZE];
    uint8_t unit[OTTER_RECEIPT_HASH_SIZE];
    uint32_t off = 0;
    uint32_t size = 0;
    enum otter_result result = otter_receipt_place(&work->io, 0, copy, &off, &size);

    if (result != OTTER_OK) {
        return result;
    }
    otter_receipt_head((uint16_t)control->size,
                       otter_crc32(0, control->data, control->size), head);
    otter_receipt_hash_unit(work->hash, unit);
    result = write_bytes(&work->io, OTTER_REGION_RECEIPTS,
                         off + OTTER_RECEIPT_HEAD_SIZE, control->data, control->size);
    if (result == OTTER_OK) {
        result = write_bytes(&work->io, OTTER_REGION_RECEIPTS, off, head, sizeof(head));
    }
    if (result != OTTER_OK) {
        return result;
    }
    return write_bytes(&work->io, OTTER_REGION_RECEIPTS, off + OTTER_RECEIPT_HASH_OFF,
                       unit, sizeof(unit));
}

/* The first state: confirmed, all keys of the table trusted, in two sectors (K2). */
static enum otter_result write_journal(struct work *work)
{
    struct otter_journal journal;
    struct otter_state state;

    memset(work->io.erases, 0, sizeof(work->io.erases));
    memset(&state, 0, sizeof(state));
    state.phase = OTTER_PHASE_CONFIRMED;
    state.counter = work->control.counter;
    state.key_mask = UINT32_MAX;
    otter_journal_open(&journal, &work->io, OTTER_PROGRAM_FACTORY);
    return otter_journal_write(&journal, &state, OTTER_LASTING);
}

static enum otter_result open_package(struct work *work,
                                      const struct otter_crypto *crypto)
{
    const struct host_image *package = &work->factory->package;
    struct otter_source file = host_image_source(package);
    uint8_t index = 0;
    enum otter_result result =
        otter_container_check(&file, crypto, &work->control, work->hash, &index);

    if (result != OTTER_OK) {
        return result;
    }
    work->control_image = (struct host_image){package->data + OTTER_IMAGE_HEADER_SIZE,
                                              work->control.length};
    work->source = host_image_source(&work->control_image);
    return find_table(work);
}

enum otter_result host_factory_write(const struct host_factory *factory,
                                     const struct otter_flash *flash,
                                     const struct otter_crypto *crypto)
{
    struct work work;

    memset(&work, 0, sizeof(work));
    work.factory = factory;
    enum otter_result result = open_package(&work, crypto);

    if (result == OTTER_OK) {
        result = otter_map_check(&work.table.map, flash);
    }
    if (result != OTTER_OK) {
        return result;
    }
    otter_io_init(&work.io, flash, &work.table.map);
    for (uint8_t id = OTTER_REGION_BOOT; id < (uint8_t)OTTER_REGION_ID_COUNT; id++) {
        otter_io_open(&work.io, id);
    }
    result = write_image(&work, OTTER_REGION_BOOT, &factory->boot);
    if (result == OTTER_OK) {
        result = write_table(&work);
    }
    for (uint8_t copy = 0; copy < OTTER_RECEIPT_COPIES && result == OTTER_OK; copy++) {
        result = write_receipt(&work, copy);
    }
    if (result == OTTER_OK) {
        result = write_members(&work);
    }
    return result == OTTER_OK ? write_journal(&work) : result;
}
