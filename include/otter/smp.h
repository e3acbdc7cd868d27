/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SMP door: the Simple Management Protocol (mcumgr) over a link of whole messages,
 * versions 1 and 2, groups OS, image and otter's own (64). Bytes, commands and the
 * table of image flags: docs/SPEC.md, "SMP door".
 *
 * The server decides, answers, then lets the receiver work: one bounded thing a call.
 */
#ifndef OTTER_SMP_H
#define OTTER_SMP_H

#include "otter/cbor.h"
#include "otter/device.h"
#include "otter/port/link.h"
#include "otter/receive.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of the longest request, header included; clients size their chunks from it. The
 * default is a whole Ethernet datagram: smpclient fills one over UDP, whatever it is
 * told. */
#ifndef OTTER_SMP_REQUEST
#define OTTER_SMP_REQUEST 1472
#endif

/* Bytes of the longest reply: room for four texts of 64 bytes. */
#ifndef OTTER_SMP_REPLY
#define OTTER_SMP_REPLY 512
#endif

OTTER_STATIC_ASSERT(OTTER_SMP_REQUEST >= 256 && OTTER_SMP_REQUEST <= 65535,
                    "OTTER_SMP_REQUEST is 256 to 65535");
OTTER_STATIC_ASSERT(OTTER_SMP_REPLY >= 384 && OTTER_SMP_REPLY <= 65535,
                    "OTTER_SMP_REPLY is 384 to 65535");

enum { OTTER_SMP_HEADER_SIZE = 8, OTTER_SMP_FIELDS = 6 };

enum otter_smp_op {
    OTTER_SMP_READ = 0,
    OTTER_SMP_READ_REPLY = 1,
    OTTER_SMP_WRITE = 2,
    OTTER_SMP_WRITE_REPLY = 3,
};

enum otter_smp_group {
    OTTER_SMP_GROUP_OS = 0,
    OTTER_SMP_GROUP_IMAGE = 1,
    OTTER_SMP_GROUP_OTTER = 64,
};

/* The numbers that SMP calls rc. */
enum otter_smp_rc {
    OTTER_SMP_RC_OK = 0,
    OTTER_SMP_RC_UNKNOWN = 1,
    OTTER_SMP_RC_NOMEM = 2,
    OTTER_SMP_RC_INVAL = 3,
    OTTER_SMP_RC_TIMEOUT = 4,
    OTTER_SMP_RC_NOENT = 5,
    OTTER_SMP_RC_BADSTATE = 6,
    OTTER_SMP_RC_MSGSIZE = 7,
    OTTER_SMP_RC_NOTSUP = 8,
    OTTER_SMP_RC_CORRUPT = 9,
    OTTER_SMP_RC_BUSY = 10,
    OTTER_SMP_RC_ACCESSDENIED = 11,
};

/* Commands of group 64. */
enum otter_smp_own {
    OTTER_SMP_OWN_OFFER = 0,
    OTTER_SMP_OWN_STATUS = 1,
    OTTER_SMP_OWN_OUTCOME = 2,
    OTTER_SMP_OWN_TRANSFER = 3,
    OTTER_SMP_OWN_CONFIRM = 4,
    OTTER_SMP_OWN_REQUEST = 5,
    OTTER_SMP_OWN_MANAGER = 6,
    OTTER_SMP_OWN_EVENTS = 7,
    OTTER_SMP_OWN_PRODUCT = 8,
    OTTER_SMP_OWN_NOTES = 9,
    OTTER_SMP_OWN_KEYS = 10,
};

/* What the program must do now; the reply has gone out. */
enum otter_wish {
    OTTER_WISH_NONE = 0,
    OTTER_WISH_RESET,
    OTTER_WISH_CONFIRM,
    OTTER_WISH_MANAGER,
};

/* The 8 bytes before each message's CBOR. */
struct otter_smp_header {
    uint8_t op;      /* enum otter_smp_op */
    uint8_t version; /* 0: SMP version 1, 1: version 2 */
    uint16_t len;    /* bytes after the header */
    uint16_t group;
    uint8_t seq;
    uint8_t id;
};

/* Parses a whole message of `size` bytes. 33-10 if it is shorter or longer than its
 * header says, 33-11 for a version or reserved bits not known. */
OTTER_MUST_CHECK enum otter_result otter_smp_parse(const uint8_t *message, size_t size,
                                                   struct otter_smp_header *header);

/* Writes a header. */
void otter_smp_put_header(uint8_t bytes[OTTER_SMP_HEADER_SIZE],
                          const struct otter_smp_header *header);

struct otter_smp_command; /* src/door/smp_inner.h */

struct otter_smp {
    struct otter_device *device;
    struct otter_receive *receive;
    const struct otter_link *link;
    const enum otter_result *why; /* of a manager, set after otter_smp_init(): why it
                                     runs, for the status; NULL: nothing to say */
    uint32_t last_ms; /* board's time of the last valid request; 0 before the first */
    bool has_heard;   /* there was one */

    /* Private. */
    uint8_t wish;            /* enum otter_wish */
    bool is_owed;            /* the reply waits until the receiver is not busy */
    bool wants_request;      /* upload with upgrade:true: request when it is complete */
    uint16_t offer_length;   /* of the control packet being offered, 0: none */
    struct otter_chunk rest; /* second part of a first offer; size 0: none */
    struct otter_smp_header header; /* of the request under way */
    const struct otter_smp_command *command;
    struct otter_cbor_item items[OTTER_SMP_FIELDS];
    uint8_t request[OTTER_SMP_REQUEST];
    uint8_t reply[OTTER_SMP_REPLY];
};

/* `link` may be NULL: nothing ever comes. All pointers stay in use. */
void otter_smp_init(struct otter_smp *smp, struct otter_device *device,
                    struct otter_receive *receive, const struct otter_link *link);

/* Does at most one bounded thing: while the receiver is busy one otter_receive_step();
 * else one message: decide, answer. True if it did something. */
bool otter_smp_poll(struct otter_smp *smp);

/* What the program must do now; told once. */
enum otter_wish otter_smp_take_wish(struct otter_smp *smp);

#ifdef __cplusplus
}
#endif

#endif
