/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMP replies: what a client is told about each result, in either version, and the
 * message around it. The numbers are mcumgr's: rc of SMP itself, and of its image
 * group; in otter's group version 2 tells the public code.
 */
#include "smp_inner.h"

#include <string.h>

/* rc of the image group. */
enum {
    IMAGE_UNKNOWN = 1,
    IMAGE_NO_IMAGE = 3,
    IMAGE_INVALID_TLV = 5,
    IMAGE_HASH_NOT_FOUND = 8,
    IMAGE_READ_FAILED = 11,
    IMAGE_WRITE_FAILED = 12,
    IMAGE_ERASE_FAILED = 13,
    IMAGE_INVALID_OFFSET = 20,
    IMAGE_INVALID_LENGTH = 21,
    IMAGE_INVALID_HEADER = 22,
    IMAGE_INVALID_MAGIC = 23,
    IMAGE_INVALID_HASH = 24,
    IMAGE_INVALID_ADDRESS = 25,
    IMAGE_CURRENT_IS_NEWER = 27,
    IMAGE_ALREADY_PENDING = 28,
    IMAGE_INVALID_VECTORS = 29,
    IMAGE_TOO_LARGE = 30,
    IMAGE_OVERRUN = 31,
    IMAGE_CONFIRM_DENIED = 32,
    IMAGE_TEST_ACTIVE_DENIED = 33,
    PLAIN = 0, /* the fault is none of a group's: version 2 says {"rc": rc} too */
};

struct error_row {
    enum otter_result result;
    uint8_t rc;
    uint8_t image_rc;
};

static const struct error_row rows[] = {
    {OTTER_E_PACKAGE_MAGIC, OTTER_SMP_RC_INVAL, IMAGE_INVALID_MAGIC},
    {OTTER_E_PACKAGE_HEADER, OTTER_SMP_RC_INVAL, IMAGE_INVALID_HEADER},
    {OTTER_E_PACKAGE_LENGTH, OTTER_SMP_RC_INVAL, IMAGE_INVALID_LENGTH},
    {OTTER_E_PACKAGE_TRUNCATED, OTTER_SMP_RC_INVAL, IMAGE_INVALID_LENGTH},
    {OTTER_E_PACKAGE_TRAILER, OTTER_SMP_RC_CORRUPT, IMAGE_INVALID_TLV},
    {OTTER_E_PACKAGE_HASH, OTTER_SMP_RC_CORRUPT, IMAGE_INVALID_HASH},
    {OTTER_E_MEMBER_HASH, OTTER_SMP_RC_CORRUPT, IMAGE_INVALID_HASH},
    {OTTER_E_SIGNATURE_NONE, OTTER_SMP_RC_ACCESSDENIED, IMAGE_INVALID_HASH},
    {OTTER_E_SIGNATURE_KEY, OTTER_SMP_RC_ACCESSDENIED, IMAGE_INVALID_HASH},
    {OTTER_E_SIGNATURE_BAD, OTTER_SMP_RC_ACCESSDENIED, IMAGE_INVALID_HASH},
    {OTTER_E_SIGNATURE_REVOKED, OTTER_SMP_RC_ACCESSDENIED, IMAGE_INVALID_HASH},
    {OTTER_E_COUNTER, OTTER_SMP_RC_BADSTATE, IMAGE_CURRENT_IS_NEWER},
    {OTTER_E_LINK_ADDRESS, OTTER_SMP_RC_INVAL, IMAGE_INVALID_ADDRESS},
    {OTTER_E_VECTORS, OTTER_SMP_RC_INVAL, IMAGE_INVALID_VECTORS},
    {OTTER_E_TOO_LARGE, OTTER_SMP_RC_NOMEM, IMAGE_TOO_LARGE},
    {OTTER_E_NO_SPACE, OTTER_SMP_RC_NOMEM, IMAGE_TOO_LARGE},
    {OTTER_E_POSTPONED, OTTER_SMP_RC_BUSY, PLAIN},
    {OTTER_E_RECEIVE_OFFSET, OTTER_SMP_RC_INVAL, IMAGE_INVALID_OFFSET},
    {OTTER_E_RECEIVE_OVERRUN, OTTER_SMP_RC_INVAL, IMAGE_OVERRUN},
    {OTTER_E_LOCKED, OTTER_SMP_RC_BADSTATE, IMAGE_ALREADY_PENDING},
    {OTTER_E_POLICY, OTTER_SMP_RC_ACCESSDENIED, PLAIN},
    {OTTER_E_NOT_COMPLETE, OTTER_SMP_RC_BADSTATE, IMAGE_NO_IMAGE},
    {OTTER_E_OTHER_PACKAGE, OTTER_SMP_RC_NOENT, IMAGE_HASH_NOT_FOUND},
    {OTTER_E_BUSY, OTTER_SMP_RC_BUSY, PLAIN},
    {OTTER_E_FLASH_READ, OTTER_SMP_RC_UNKNOWN, IMAGE_READ_FAILED},
    {OTTER_E_FLASH_PROGRAM, OTTER_SMP_RC_UNKNOWN, IMAGE_WRITE_FAILED},
    {OTTER_E_FLASH_ERASE, OTTER_SMP_RC_UNKNOWN, IMAGE_ERASE_FAILED},
    {OTTER_E_FLASH_VERIFY, OTTER_SMP_RC_UNKNOWN, IMAGE_WRITE_FAILED},
    {OTTER_E_JOURNAL_TRANSITION, OTTER_SMP_RC_BADSTATE, IMAGE_TEST_ACTIVE_DENIED},
    {OTTER_E_SMP_CBOR, OTTER_SMP_RC_INVAL, PLAIN},
    {OTTER_E_SMP_FIELD, OTTER_SMP_RC_INVAL, PLAIN},
    {OTTER_E_SMP_COMMAND, OTTER_SMP_RC_NOTSUP, PLAIN},
    {OTTER_E_SMP_SPACE, OTTER_SMP_RC_MSGSIZE, PLAIN},
};

enum { STAGE_CONTROL = 21, STAGE_FIT = 23, CODE_STAGE = 256 };

/* Results without a row: by their stage. */
static struct error_row row_by_stage(enum otter_result result)
{
    struct error_row row = {result, OTTER_SMP_RC_UNKNOWN, IMAGE_UNKNOWN};
    unsigned stage = otter_code(result) / CODE_STAGE;

    if (stage == STAGE_CONTROL) {
        row.rc = OTTER_SMP_RC_INVAL;
        row.image_rc = IMAGE_INVALID_HEADER;
    } else if (stage == STAGE_FIT) {
        row.rc = OTTER_SMP_RC_INVAL;
    }
    return row;
}

static struct error_row row_of(enum otter_result result)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].result == result) {
            return rows[i];
        }
    }
    return row_by_stage(result);
}

struct smp_error smp_error_of(enum otter_result result, uint16_t group, uint8_t id)
{
    struct error_row row = row_of(result);
    struct smp_error error = {.rc = row.rc};
    bool is_state = group == OTTER_SMP_GROUP_IMAGE && id == SMP_IMAGE_STATE;

    if (result == OTTER_E_POLICY && is_state) {
        row.image_rc = IMAGE_CONFIRM_DENIED;
    }
    if (row.image_rc == PLAIN || group == OTTER_SMP_GROUP_OS) {
        return error;
    }
    error.group = group;
    error.group_rc = group == OTTER_SMP_GROUP_OTTER ? otter_code(result) : row.image_rc;
    return error;
}

const char *smp_code_text(uint16_t code, char text[SMP_CODE_TEXT])
{
    unsigned xx = code / CODE_STAGE;
    unsigned yy = code % CODE_STAGE;
    size_t len = 0;

    text[len++] = (char)('0' + xx / 10 % 10);
    text[len++] = (char)('0' + xx % 10);
    text[len++] = '-';
    if (yy >= 100) {
        text[len++] = (char)('0' + yy / 100);
    }
    text[len++] = (char)('0' + yy / 10 % 10);
    text[len++] = (char)('0' + yy % 10);
    text[len] = '\0';
    return text;
}

/* Version 1 has room for a text: the public code, "[23-12]". */
static void put_reason(struct otter_cbor_map *map, enum otter_result result)
{
    char text[SMP_CODE_TEXT + 2] = "[";
    size_t len = 1;

    (void)smp_code_text(otter_code(result), text + 1);
    while (len < SMP_CODE_TEXT && text[len] != '\0') {
        len++;
    }
    text[len] = ']';
    text[len + 1] = '\0';
    otter_cbor_add_text(map, "rsn", text);
}

static void put_error(const struct otter_smp *smp, struct otter_cbor_map *map,
                      enum otter_result result)
{
    struct smp_error error = smp_error_of(result, smp->header.group, smp->header.id);

    if (smp->header.version == 0) {
        otter_cbor_add_uint(map, "rc", error.rc);
        put_reason(map, result);
        return;
    }
    if (error.group == 0) {
        otter_cbor_add_uint(map, "rc", error.rc);
        return;
    }
    otter_cbor_key(map, "err");
    struct otter_cbor_map inner = otter_cbor_map_open(map->writer);

    otter_cbor_add_uint(&inner, "group", error.group);
    otter_cbor_add_uint(&inner, "rc", error.group_rc);
    otter_cbor_map_close(&inner);
}

/* Writes the CBOR of a reply; false if it does not fit. */
static enum otter_result put_body(struct otter_smp *smp, struct otter_writer *writer,
                                  enum otter_result result)
{
    struct otter_cbor_map map = otter_cbor_map_open(writer);

    if (result != OTTER_OK) {
        put_error(smp, &map, result);
    } else if (smp->command != NULL && smp->command->answer != NULL) {
        result = smp->command->answer(smp, &map);
        if (result != OTTER_OK) {
            return result;
        }
    }
    otter_cbor_map_close(&map);
    return writer->is_failed ? OTTER_E_SMP_SPACE : OTTER_OK;
}

void smp_reply(struct otter_smp *smp, enum otter_result result)
{
    uint8_t *body = smp->reply + OTTER_SMP_HEADER_SIZE;
    size_t room = sizeof(smp->reply) - OTTER_SMP_HEADER_SIZE;
    struct otter_writer writer = otter_writer_of(body, room);
    enum otter_result put = put_body(smp, &writer, result);
    struct otter_smp_header header = smp->header;

    smp->is_owed = false;
    if (put != OTTER_OK) {
        writer = otter_writer_of(body, room);
        (void)!put_body(smp, &writer, put); /* an error's map always fits */
    }
    header.op = (uint8_t)(header.op + 1);
    header.len = (uint16_t)writer.off;
    otter_smp_put_header(smp->reply, &header);
    smp->link->send(smp->link->context, smp->reply, OTTER_SMP_HEADER_SIZE + writer.off);
}
