/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of receiving, in their order. Private to src/door.
 */
#ifndef OTTER_RECEIVE_STEPS_H
#define OTTER_RECEIVE_STEPS_H

#include "otter/receive.h"

enum otter_receive_step {
    RECEIVE_IDLE = 0,
    /* the incoming receipt */
    RECEIVE_BEGIN,         /* seal that the transfer begins */
    RECEIVE_TWIN,          /* write the second copy of what will be overwritten */
    RECEIVE_ERASE_RECEIPT, /* erase the first copy's sectors */
    RECEIVE_HEADER,        /* take the 32 bytes of the image header (waits for data) */
    RECEIVE_CONTROL,       /* take the control packet (waits for data) */
    RECEIVE_FLUSH_CONTROL, /* program what is waiting of it */
    RECEIVE_CHECK,         /* form, signature, plan */
    RECEIVE_KEYS,          /* does it leave a trusted key? */
    RECEIVE_KEPT,          /* go to the next member that is kept */
    RECEIVE_HASH_KEPT,     /* is it the one that the device has? */
    RECEIVE_HEAD,          /* program the first copy's head */
    RECEIVE_BEGIN_COPY,    /* seal that the second copy begins */
    RECEIVE_COPY,          /* write it */
    /* the members */
    RECEIVE_MEMBER,       /* go to the next member that is carried */
    RECEIVE_ERASE_SECTOR, /* erase the next sector of the store (waits for data) */
    RECEIVE_FILL,         /* take bytes for it (waits for data) */
    RECEIVE_FLUSH,        /* program what is waiting */
    RECEIVE_UNWRAP,       /* get the key of members in place */
    RECEIVE_CLOSE,   /* before what is in place: seal that the application is closed */
    RECEIVE_TRAILER, /* take the trailer (waits for data) */
    /* everything is there */
    RECEIVE_VERIFY_HEAD,   /* hash header and control packet */
    RECEIVE_VERIFY_MEMBER, /* hash each member again, from flash */
    RECEIVE_TABLE,         /* a new flash table: does it fit? */
    RECEIVE_MEND,          /* after a cut in the next steps: rewrite a copy first */
    RECEIVE_MENDING,
    RECEIVE_BEGIN_HASH, /* seal that the package hash is due */
    RECEIVE_HASH_UNITS, /* program it into either copy */
    RECEIVE_FINISH,     /* seal that the package is complete */
    RECEIVE_COMPLETE,
    RECEIVE_STEP_COUNT,
};

/* Does one step; the receiver is not waiting for data and the journal is not busy. */
OTTER_MUST_CHECK enum otter_result otter_receive_do(struct otter_receive *receive);

/* Opens the incoming receipt of an unfinished transfer and goes to the journal's
 * position; whatever is wrong makes the transfer start again at 0. */
void otter_receive_resume(struct otter_receive *receive);

#endif
