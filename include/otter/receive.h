/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving a package: from chunks of the .otter file, in order, to a verified package
 * in the store. Shared by every door. The control packet is collected in the incoming
 * receipt slot and verified before the store is touched (K11); every sector of the
 * store is erased just before it is filled; the durable position advances sector by
 * sector (K5), so a transfer goes on after a cut at most one sector back (P5). A member
 * that is written in place has its region for a store: it comes last, by the manager
 * only, and what is stored is verified before its first sector is erased (K13).
 *
 * A door first asks (decide), answers its peer, then steps until not busy (act):
 *   otter_receive_offer() -> answer -> otter_receive_step() ...
 */
#ifndef OTTER_RECEIVE_H
#define OTTER_RECEIVE_H

#include "otter/container.h"
#include "otter/device.h"
#include "otter/plan.h"
#include "otter/repair.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One part of the package file, as a door got it. */
struct otter_chunk {
    uint32_t off;        /* offset in the file */
    const uint8_t *data; /* stays valid until the receiver is not busy any more */
    size_t size;
    uint32_t total;                      /* length of the file; 0 if not told */
    uint8_t session[OTTER_SESSION_SIZE]; /* first bytes of the remote's hash; zero if
                                            none */
    bool wants_restart;                  /* at offset 0: forget what was received */
    bool is_on_card; /* the whole file is open as the region PACKAGE_FILE: its members
                        stay there, and `next` passes over them */
};

/* What it takes to decrypt a member in place; of the manager, which hands it over. */
struct otter_in_place {
    bool has_key;
    uint8_t content_key[OTTER_AES_KEY_SIZE];
    struct otter_cipher cipher; /* of the member under way; closed if it is clear */
};

struct otter_receive {
    struct otter_device *device;
    struct otter_in_place *in_place; /* set after opening; NULL: it cannot decrypt */
    uint32_t next;   /* offset of the next byte that is wanted; what a door answers */
    uint32_t length; /* of the whole file; 0 until the control packet is verified */
    enum otter_result
        refusal; /* why this package was refused; OTTER_OK if it was not */
    enum otter_result refused; /* and the last one that was, until reset (K11) */
    uint8_t refused_session[OTTER_SESSION_SIZE];

    /* Private. */
    uint8_t step;       /* enum otter_receive_step in src/door/receive_steps.h */
    uint8_t step_after; /* the key was unwrapped */
    uint8_t member;
    uint8_t slot;        /* incoming receipt slot */
    uint8_t percent;     /* last one told as an event */
    const uint8_t *data; /* rest of the accepted chunk */
    size_t left;
    uint32_t total;   /* file length as the door was told, 0 if not */
    uint32_t filled;  /* bytes waiting in device->page */
    uint32_t flushed; /* of them programmed */
    uint32_t cursor;  /* bytes of the control packet or member that are programmed */
    uint32_t off;     /* of the first receipt copy, in its region */
    uint32_t size;    /* of it */
    uint8_t copy;     /* receipt copy under way */
    bool has_twin;    /* the receipt that is overwritten has both copies */
    bool is_spoiled;  /* a cut touched the receipt's package hash */
    bool is_closed;   /* "application closed" stands for this package (K13) */
    uint16_t control_length;
    uint32_t crc; /* of the control packet so far */
    uint8_t session[OTTER_SESSION_SIZE];
    uint8_t head_size; /* bytes in head */
    uint8_t head[OTTER_IMAGE_HEADER_SIZE];
    uint8_t trailer_size; /* bytes in trailer */
    uint8_t trailer[OTTER_TRAILER_SIZE];
    uint8_t hash[OTTER_SHA256_SIZE]; /* that the trailer names */
    struct otter_span span;          /* of the incoming control packet */
    struct otter_control control;
    struct otter_member current; /* member under way */
    struct otter_plan plan;
    struct otter_sector sector;       /* of the store, under way */
    struct otter_rewriting rewriting; /* of a receipt's copy */
    struct otter_hashing hashing;     /* of the member under way */
    struct otter_sha256 package_sha;
};

/* Picks up where the journal stands. Verifies an unfinished transfer's receipt again;
 * if that fails the transfer starts at 0. Writes nothing. */
void otter_receive_open(struct otter_receive *receive, struct otter_device *device);

/* Decides about a chunk; changes only RAM. OTTER_OK: taken, now step. 25-10: not the
 * next part; answer `next`. Any other code: refused, nothing else happens: 25-13 store
 * locked, 29-10 the current receipt cannot be read, 25-11 more than the length, 25-18
 * still busy, 23-23 not allowed now, 27-14 the journal holds what this program does not
 * understand (also for the two below), or the code of an earlier refusal of the same
 * package (K11). A chunk at offset 0 of another session (or with wants_restart) starts
 * over, 36-18 if the device installs from its card and the package is not there; of the
 * same one it gets 25-10, also when its package is requested, being installed, on
 * trial, or (answered by the agent) runs confirmed: `next` is the file's length then.
 */
OTTER_MUST_CHECK enum otter_result otter_receive_offer(struct otter_receive *receive,
                                                       const struct otter_chunk *chunk);

/* True while an accepted chunk is not wholly on flash and checked. */
bool otter_receive_is_busy(const struct otter_receive *receive);

/* Goes on by at most one flash operation, STEP_BYTES of hashing, or the signature
 * check. Failures refuse the package: see `refusal`; the same code is returned once. */
OTTER_MUST_CHECK enum otter_result otter_receive_step(struct otter_receive *receive);

/* True when a whole verified package lies in the store. */
bool otter_receive_is_complete(const struct otter_receive *receive);

/* Forgets a package that is being received or complete, and which one brought the
 * system that runs; 25-13 if the store is locked. Erases nothing (the next transfer
 * does). Not while busy. */
OTTER_MUST_CHECK enum otter_result otter_receive_forget(struct otter_receive *receive);

/* Asks for the installation of the complete package: one sealed record. 25-15 if there
 * is none, 23-23 if the application does not allow it now, 25-13 if one is under way
 * (OTTER_OK if that is the same wish again, still only requested). */
OTTER_MUST_CHECK enum otter_result otter_receive_request(struct otter_receive *receive);

/* The same of a device that has no whole application: the record says, too, that it is
 * closed, so nothing is saved and there is no way back (K13). The manager's. */
OTTER_MUST_CHECK enum otter_result otter_receive_request_closed(
    struct otter_receive *receive);

#ifdef __cplusplus
}
#endif

#endif
