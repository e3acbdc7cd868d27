/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device as one of its programs sees it: ports, flash table, flash and journal in
 * one struct, and the systems that its receipts vouch for.
 */
#ifndef OTTER_DEVICE_H
#define OTTER_DEVICE_H

#include "otter/card.h"
#include "otter/cipher.h"
#include "otter/control.h"
#include "otter/events.h"
#include "otter/io.h"
#include "otter/journal.h"
#include "otter/port/board.h"
#include "otter/port/crypto.h"
#include "otter/port/flash.h"
#include "otter/port/inflate.h"
#include "otter/receipt.h"
#include "otter/table.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What an integrator hands to a program. All pointers stay in use. */
struct otter_ports {
    const struct otter_flash *flash;
    const struct otter_board *board;
    const struct otter_crypto *crypto;
    const struct otter_inflate *inflate; /* of the manager with OTTER_ZLIB; else NULL */
    const struct otter_files *files; /* of agent and manager with a card, and of a boot
                                        that takes loaders from one; else NULL */
    const struct otter_loader *loader; /* of boot on a board that runs loaders (boot.h);
                                          else NULL */
    uint32_t table_addr;               /* OTTER_TABLE_ADDR of memory_map.h */
    uint32_t table_size;
};

struct otter_device {
    struct otter_ports ports;
    uint8_t program;          /* enum otter_program */
    struct otter_table table; /* of the current system, if it is to be found */
    uint8_t table_sha[OTTER_SHA256_SIZE]; /* of the table's installed bytes */
    uint8_t table_damaged;                /* bit i: half i has no copy of the newest */
    uint8_t table_failed; /* bit i: place i could not be written since power-on */
    struct otter_io io;
    struct otter_journal journal;
    struct otter_events events;
    struct otter_card *card;      /* of agent and manager; of boot while it loads */
    uint8_t page[OTTER_PAGE_MAX]; /* work space of whoever steps */
};

/* A system whose receipt is signed by a trusted key and not below the counter. */
struct otter_system {
    uint8_t slot; /* receipt slot */
    uint8_t copy; /* the copy that vouches */
    struct otter_receipt receipt;
    struct otter_control control;
};

/* A hash over a span of flash, STEP_BYTES at a time. */
struct otter_hashing {
    struct otter_span span;
    const struct otter_cipher *cipher; /* of the span; set after start; NULL: none */
    uint32_t size;
    uint32_t done;
    struct otter_sha256 sha;
};

/* Opens the device for `program`: reads the table, checks the map, replays the
 * journal, opens the regions that the program may write. Writes nothing. Codes 28-xx.
 * A lost journal is no failure: see journal.is_lost and otter_rebuild(). Once
 * per power-on. */
OTTER_MUST_CHECK enum otter_result otter_device_open(struct otter_device *device,
                                                     const struct otter_ports *ports,
                                                     enum otter_program program);

/* Makes the flash table that the receipt of slot `slot` names the device's (K8): one of
 * those in its region or, while an update is not quite done, the one in the store.
 * False if there is none, or no receipt: then nothing changes. */
bool otter_device_use_table(struct otter_device *device, uint8_t slot);

/* The same for the current system; called again when that has changed. */
bool otter_device_choose_table(struct otter_device *device);

/* Finds a whole flash table whose content has that hash and size. 23-18 if there is
 * none. `table` and `content` are written only on success. */
OTTER_MUST_CHECK enum otter_result otter_table_find(
    const struct otter_device *device, const uint8_t sha[OTTER_SHA256_SIZE],
    uint32_t size, struct otter_table *table, struct otter_span *content);

/* The same for the device's own table, from which place `place` of the table's region
 * is to be written (again): what lies there is no source, even if it reads right. */
OTTER_MUST_CHECK enum otter_result otter_table_find_twin(
    const struct otter_device *device, uint8_t place, struct otter_table *table,
    struct otter_span *content);

/* The flash table that the receipt of `system` names: the device's own, or another
 * whole one, which is then in `room`. 21-17, 23-18. `table` is written only on success.
 */
OTTER_MUST_CHECK enum otter_result otter_table_of(const struct otter_device *device,
                                                  const struct otter_system *system,
                                                  struct otter_table *room,
                                                  const struct otter_table **table);

/* True if each half of the table's region has a whole copy of the device's table. */
bool otter_table_is_twice(const struct otter_device *device);

/* Finds the place where a table may be written: in the half that has no copy of the
 * device's, if there is one; not over a copy; not where writing has failed; else what
 * is worth least. False if there is none. */
bool otter_table_spare(const struct otter_device *device, uint8_t *place);

/* True if another table than the current system's may lie there, and the update that
 * brought it is over: whoever runs sees to it that there are two copies. */
bool otter_table_is_split(const struct otter_device *device);

/* Notes that there are two copies, or that no more can be done about it. One record;
 * none if there is nothing to note. */
OTTER_MUST_CHECK enum otter_result otter_table_settle(struct otter_device *device);

/* Checks a new flash table at `content`, `member` of a package: its form (28-11,
 * 28-12); that target, hardware, boot program, RAM and regions are the device's, and
 * keys that stay have kept their places (28-17). */
OTTER_MUST_CHECK enum otter_result otter_table_check_new(
    const struct otter_device *device, const struct otter_span *content,
    const struct otter_member *member, struct otter_table *table);

/* The trusted keys, bit i = key i of `table`, once the system of the control packet is
 * confirmed with that table (K17): all of them but those that it revokes, and those
 * that are revoked already. An id that the table does not have revokes nothing. Read
 * errors pass; `key_mask` is then not written. */
OTTER_MUST_CHECK enum otter_result otter_keys_after(const struct otter_device *device,
                                                    const struct otter_source *source,
                                                    const struct otter_control *control,
                                                    const struct otter_table *table,
                                                    uint32_t *key_mask);

/* The same for a whole system and the table that its receipt names. 23-18 if that is
 * not to be found. */
OTTER_MUST_CHECK enum otter_result otter_keys_of(const struct otter_device *device,
                                                 const struct otter_system *system,
                                                 uint32_t *key_mask);

/* Checks that a package with that table leaves a trusted key (22-16), and that one of
 * those signed it (22-15). One signature check. */
OTTER_MUST_CHECK enum otter_result otter_keys_check(const struct otter_device *device,
                                                    const struct otter_source *source,
                                                    const struct otter_control *control,
                                                    const struct otter_table *table);

/* The same before the transfer, if the package revokes anything. Of a package that
 * brings a table of its own only that a key that it does not revoke has signed it. */
OTTER_MUST_CHECK enum otter_result otter_keys_check_early(
    const struct otter_device *device, const struct otter_source *source,
    const struct otter_control *control);

/* Opens the system of receipt slot `slot`: either copy, its form, its signature, its
 * counter against the journal's, its table against the device's. 29-10, 21-xx, 22-xx,
 * 23-12, 23-18. One signature check, two if the first copy is damaged. */
OTTER_MUST_CHECK enum otter_result otter_system_open(struct otter_device *device,
                                                     uint8_t slot,
                                                     struct otter_system *system);

/* Reads one copy of a receipt, or the first that is whole: form only, no signature and
 * no counter. For what boot has verified already, and for display. 29-11, 21-xx. */
OTTER_MUST_CHECK enum otter_result otter_system_read(const struct otter_device *device,
                                                     uint8_t slot, uint8_t copy,
                                                     struct otter_system *system);
OTTER_MUST_CHECK enum otter_result otter_system_peek(const struct otter_device *device,
                                                     uint8_t slot,
                                                     struct otter_system *system);

/* The member of `role`. 21-17 if there is none. */
OTTER_MUST_CHECK enum otter_result otter_system_member(
    const struct otter_system *system, uint8_t role, struct otter_member *member,
    uint8_t *index);

/* True if the system counts as encrypted: it names an encrypted member (K26). */
OTTER_MUST_CHECK enum otter_result otter_system_is_encrypted(
    const struct otter_system *system, bool *is_encrypted);

/* The region of its own that `role` has in the system in `slot`: on an A/B device the
 * slot's for firmware. NONE for a role that has none. */
uint8_t otter_system_region(const struct otter_device *device, uint8_t slot,
                            uint8_t role);

/* The regions of resources and fonts are shared by both systems of a device: which one
 * they belong to is told by the journal's flags. The flag of such a region; 0 for any
 * other one. */
uint8_t otter_region_flag(uint8_t region);

/* The region in which the member of the system in `slot` is installed. */
uint8_t otter_member_region(const struct otter_device *device, uint8_t slot,
                            const struct otter_member *member);

/* The member that the system has in `region`. 21-17 if there is none. */
OTTER_MUST_CHECK enum otter_result otter_system_in_region(
    const struct otter_device *device, const struct otter_system *system,
    uint8_t region, struct otter_member *member);

/* Compares the shared regions whose flags are in `flags` with the receipt: OTTER_OK or
 * 30-13; one in which the system has nothing is passed over. Hashes them whole, feeding
 * the watchdog. */
OTTER_MUST_CHECK enum otter_result otter_system_check_regions(
    struct otter_device *device, const struct otter_system *system, uint8_t flags);

/* Compares the installed bytes of `role` with the receipt. OTTER_OK, 30-11 or 30-12;
 * a read error counts as a mismatch. Hashes the whole member, feeding the watchdog. */
OTTER_MUST_CHECK enum otter_result otter_system_check(struct otter_device *device,
                                                      const struct otter_system *system,
                                                      uint8_t role);

/* True if the copy that `system` was read from does not read whole any more: it was
 * damaged since, and its twin may know more. One pass over the copy. */
bool otter_system_is_stale(const struct otter_device *device,
                           const struct otter_system *system);

/* Opens the system of `slot` and checks what it has as `role`, and in the shared
 * regions that `flags` name (0: none); once more with the other copy of the receipt if
 * the first one is damaged between the two. Results of the open and of the checks. At
 * most two of each. */
OTTER_MUST_CHECK enum otter_result otter_system_verify(struct otter_device *device,
                                                       uint8_t slot, uint8_t role,
                                                       uint8_t flags,
                                                       struct otter_system *system);

/* Stack pointer and reset vector: how an image begins. */
enum { OTTER_VECTORS_SIZE = 8 };

/* Checks that the stack pointer in the first word at `off` of `region` lies in RAM and
 * that the reset vector in the second lies in the image of `size` bytes as it runs in
 * `runs_in`. 23-17. */
OTTER_MUST_CHECK enum otter_result otter_vectors_check(
    const struct otter_device *device, uint8_t region, uint32_t off,
    const struct otter_region *runs_in, uint32_t size);

/* The same for what was read of an image before: there are as many bytes, whatever its
 * size. */
OTTER_MUST_CHECK enum otter_result otter_vectors_judge(
    const struct otter_device *device, const uint8_t vectors[OTTER_VECTORS_SIZE],
    const struct otter_region *runs_in, uint32_t size);

/* Opens for writing what the program may write in the journal's phase: nothing, if an
 * agent finds the journal lost. Called again when the current system has changed. */
void otter_device_open_regions(struct otter_device *device);

/* May a package be taken, requested or forgotten? 27-14 while the state holds more than
 * this program understands (K6), 25-13 while the store is locked (K12); 27-11 where a
 * lost journal, which boot could not write again, would never free it. */
OTTER_MUST_CHECK enum otter_result otter_device_store_is_free(
    const struct otter_device *device);

/* The region of the firmware slot that is not running, or the staging region's
 * owner: OTTER_REGION_SLOT_B or _APPLICATION on an A/B device. */
bool otter_device_is_ab(const struct otter_device *device);
uint8_t otter_device_free_slot(const struct otter_device *device);

/* True if the running program is the manager, in flash or as a loader in RAM. */
bool otter_device_is_manager(const struct otter_device *device);

/* True if packages and saved copies are files on a card. */
bool otter_device_is_on_card(const struct otter_device *device);

/* Starts and goes on with a hash; `is_done` after the last byte. Read errors pass. */
void otter_hashing_start(struct otter_device *device, struct otter_hashing *hashing,
                         uint8_t region, uint32_t off, uint32_t size);
OTTER_MUST_CHECK enum otter_result otter_hashing_step(struct otter_device *device,
                                                      struct otter_hashing *hashing,
                                                      bool *is_done);
void otter_hashing_final(struct otter_device *device, struct otter_hashing *hashing,
                         uint8_t digest[OTTER_SHA256_SIZE]);

/* Hashes a whole span at once, feeding the watchdog, through its cipher if that is not
 * NULL. Read errors pass. */
OTTER_MUST_CHECK enum otter_result otter_hash_matches(
    struct otter_device *device, const struct otter_span *span,
    const struct otter_cipher *cipher, uint32_t size,
    const uint8_t wanted[OTTER_SHA256_SIZE], bool *matches);

/* Writes a whole record at once, feeding the watchdog between flash operations. */
OTTER_MUST_CHECK enum otter_result otter_device_record(struct otter_device *device,
                                                       const struct otter_state *state,
                                                       enum otter_firmness firmness);

/* Adds an event with the board's time. */
void otter_device_event(struct otter_device *device, uint8_t kind, uint8_t stage,
                        uint8_t percent, uint16_t code);

/* True if `command` is allowed to a remote in the running program. */
bool otter_device_permits(const struct otter_device *device,
                          enum otter_command command);

#ifdef __cplusplus
}
#endif

#endif
