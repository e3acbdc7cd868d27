/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The card door: takes a package that lies on the card as a file. It checks all of it
 * before anything is written: container, control packet, signature, plan, room for the
 * copy of the old system, a key for what is encrypted, every member's hash, the
 * package's hash, that a program can run (if it is neither coded nor encrypted), that
 * trusted keys are left. Then the pointer files are written, which tells whether the
 * card can be; the control packet goes through the receiver of every door into the
 * incoming receipt, and the installation is requested (K10: this door asks by itself).
 *
 *     otter_card_door_begin() -> otter_card_door_step() until not busy -> result
 */
#ifndef OTTER_CARD_DOOR_H
#define OTTER_CARD_DOOR_H

#include "otter/receive.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { OTTER_CARD_DOOR_CHUNK = 128 };

struct otter_card_door {
    struct otter_device *device;
    struct otter_receive *receive;
    enum otter_result result; /* why the last package was refused; OTTER_OK if it was
                                 not */
    bool is_requested;        /* the board is to be reset */
    bool is_last_resort;      /* set after opening: no whole application is there, so
                                 nothing is saved, and the request closes it (K13) */
    uint8_t percent;          /* of the check */

    /* Private. */
    uint8_t step;
    bool is_fed;       /* the receiver has taken the beginning */
    uint8_t index;     /* of the pointer under way */
    uint8_t member;    /* under way, */
    uint32_t cursor;   /* next byte of the file, */
    uint32_t end;      /* and where the member ends */
    uint32_t head_end; /* end of the control packet in the file */
    uint64_t needs;    /* bytes of the card that the update takes */
    struct otter_span span;
    struct otter_control control;
    struct otter_member current;
    struct otter_hashing hashing; /* of the member under way */
    struct otter_sha256 package_sha;
    uint8_t hash[OTTER_SHA256_SIZE]; /* that the trailer names */
    uint8_t chunk[OTTER_CARD_DOOR_CHUNK];
    char path[OTTER_PATH_SIZE];
};

/* Opens the door. `receive` is the program's receiver, shared with other doors. */
void otter_card_door_open(struct otter_card_door *door, struct otter_device *device,
                          struct otter_receive *receive);

/* Begins with the package in the file `path`; changes only RAM. OTTER_OK: now step. Any
 * other code: refused: 36-10 without a card, 36-15 for a name that leaves the card,
 * 25-13 store locked (K12), 25-18 busy, 23-23 not allowed now, 27-14. The program polls
 * no other door until this one is not busy. */
OTTER_MUST_CHECK enum otter_result otter_card_door_begin(struct otter_card_door *door,
                                                         const char *path);

/* Reads the beginning of the file `path`, to `control`, with neither signature nor hash
 * looked at. The door is not busy, before and after. Codes of a package that is
 * malformed, 36-xx. */
OTTER_MUST_CHECK enum otter_result otter_card_door_look(struct otter_card_door *door,
                                                        const char *path);

/* The same; and is it a package that this device can install, as far as that can be
 * said without its signature and its content? 21-xx, 23-xx. */
OTTER_MUST_CHECK enum otter_result otter_card_door_may_take(
    struct otter_card_door *door, const char *path);

bool otter_card_door_is_busy(const struct otter_card_door *door);

/* Goes on by STEP_BYTES of hashing, one signature check, one flash operation or one
 * small file. A failure ends it: see `result`; the same code is returned once. */
OTTER_MUST_CHECK enum otter_result otter_card_door_step(struct otter_card_door *door);

#ifdef __cplusplus
}
#endif

#endif
