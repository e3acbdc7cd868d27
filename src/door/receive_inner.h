/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of receiving share. Private to src/door.
 */
#ifndef OTTER_RECEIVE_INNER_H
#define OTTER_RECEIVE_INNER_H

#include "receive_steps.h"

/* Writes the record of `part`; the position counts in the members only. */
OTTER_MUST_CHECK enum otter_result receive_put(struct otter_receive *receive,
                                               enum otter_part part, bool is_erased,
                                               enum otter_firmness firmness);

/* The incoming control packet on flash. */
struct otter_source receive_control_source(const struct otter_receive *receive);

/* Moves up to `wanted` bytes of the chunk to `to`; answers how many. */
size_t receive_take(struct otter_receive *receive, uint8_t *to, size_t wanted);

/* Programs the next part of the waiting page at `off`; pads its last word. True in
 * `is_done` when the whole page stands. */
OTTER_MUST_CHECK enum otter_result receive_flush(struct otter_receive *receive,
                                                 uint8_t region, uint32_t off,
                                                 bool *is_done);

/* True at a member in place while it is not sealed that the application is closed: what
 * is stored is verified first. */
bool receive_has_to_close(const struct otter_receive *receive);

/* True if the member under way is written in place and encrypted, and its key is not
 * there: then the next step gets it, and `after` is the one after that. */
bool receive_needs_key(struct otter_receive *receive, enum otter_receive_step after);

/* The cipher of the member under way between store and file; NULL or closed if what
 * lies in the store is what comes in the file. */
const struct otter_cipher *receive_cipher(const struct otter_receive *receive);

/* Opens that cipher for the member under way, if it has one and the key is there. */
void receive_open_cipher(struct otter_receive *receive);

/* Wipes what the members in place were decrypted with. */
void receive_drop_key(struct otter_receive *receive);

/* Takes from `state` what a package that is complete makes open again. */
OTTER_MUST_CHECK enum otter_result receive_reopen(const struct otter_receive *receive,
                                                  struct otter_state *state);

/* Form, signature, lengths and plan of the control packet at `receive->span`. */
OTTER_MUST_CHECK enum otter_result receive_check_control(struct otter_receive *receive);

/* The steps: one bounded piece of work each; sets the next step. */
typedef enum otter_result receive_fn(struct otter_receive *receive);
receive_fn receive_do_begin;
receive_fn receive_do_twin;
receive_fn receive_do_erase_receipt;
receive_fn receive_do_header;
receive_fn receive_do_control;
receive_fn receive_do_flush_control;
receive_fn receive_do_check;
receive_fn receive_do_keys;
receive_fn receive_do_kept;
receive_fn receive_do_hash_kept;
receive_fn receive_do_head;
receive_fn receive_do_begin_copy;
receive_fn receive_do_copy;
receive_fn receive_do_member;
receive_fn receive_do_erase_sector;
receive_fn receive_do_fill;
receive_fn receive_do_flush;
receive_fn receive_do_unwrap;
receive_fn receive_do_close;
receive_fn receive_do_trailer;
receive_fn receive_do_verify_head;
receive_fn receive_do_verify_member;
receive_fn receive_do_table;
receive_fn receive_do_mend;
receive_fn receive_do_mending;
receive_fn receive_do_begin_hash;
receive_fn receive_do_hash_units;
receive_fn receive_do_finish;

#endif
