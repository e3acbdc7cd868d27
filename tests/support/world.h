/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtual device with the sample product and the package that follows, as most tests
 * of the core need it. Signature checks are remembered, so that thousands of power-ons
 * take seconds. Whatever cannot go wrong in a sound tree aborts.
 */
#ifndef OTTER_TEST_WORLD_H
#define OTTER_TEST_WORLD_H

#include "sample.h"
#include "vcard_files.h"
#include "vdevice.h"

#include <stdbool.h>
#include <stdint.h>

struct world {
    struct sample sample;
    struct vdevice device;
    struct sample_package next; /* version 1.2.0, built */
    struct vflash_image start;  /* the factory's device, or world_mark()'s */
    struct vcard card;          /* of world_make_on_card() */
    struct otter_files files;
    struct vcard_image start_card;
};

#define WORLD_PATH "update/next.otter" /* of `next` on the card */
enum { WORLD_CARD_SIZE = 65536 };

/* A device of `profile` that is off; on the heap. */
struct world *world_make(const struct host_profile *profile, bool is_ecc);

/* The same with an encrypted first system that has resources and a font; `next` has
 * them, too, but is not encrypted yet. */
struct world *world_make_encrypted(const struct host_profile *profile, bool is_ecc);

/* A small device: words of 4 bytes, pages of 128, sectors of 512. */
struct world *world_make_small(bool is_ab, bool is_ecc);

/* The same without ECC; the first system and the package have resources and a font. */
struct world *world_make_full(bool is_ab);

/* A small device whose store is a card, on which `next` lies; or the profile "sd". */
struct world *world_make_on_card(bool is_ecc, bool has_regions);
struct world *world_make_sd(void);

/* A small device with a card; both systems have a tree of files (sample_carry_tree()).
 */
struct world *world_make_with_files(void);

/* `next`, built anew, takes its place on the card. */
void world_rebuild(struct world *world);

/* True if the card has the files of the first system, or of `next`, and no other's. */
bool world_has_files(const struct world *world, bool of_next);

/* The same without ECC; the device trusts two keys, and the package, which the second
 * one signs, revokes the first (K17). */
struct world *world_make_revoking(bool is_ab);

void world_drop(struct world *world);

/* Remembers the flash as it is, and brings it back to a device that is off. */
void world_mark(struct world *world);
void world_back(struct world *world);

enum vdevice_end world_power_on(struct world *world);

/* Powers on with the button pressed: the manager runs, and is idle. */
void world_enter_manager(struct world *world);

/* The same, then off, with the button let go. False if boot ran no manager. */
bool world_starts_manager(struct world *world);

/* Starts a package as sample_next() does, for any device with the first system's
 * security counter: it follows everything. */
void world_next(struct world *world, uint8_t minor, struct sample_package *package);

/* Feeds `next` to the running program; its answer. */
enum otter_result world_feed(struct world *world);
enum otter_result world_request(struct world *world);

/* Powers on, feeds `next` and requests it; the device runs still. */
void world_prepare(struct world *world);

/* The same, then powers off and marks: where the sweep of an update begins. */
void world_mark_update(struct world *world);

/* As marked, then powered on with one fault at operation `op`, then off. True if that
 * was a cut. */
bool world_fault_at(struct world *world, enum vflash_fault_kind kind, uint32_t op);

/* world_fault_at() with a cut after the operation. */
bool world_cut_at(struct world *world, uint32_t op);

/* As marked, then cut after the first operation that leaves a state which `is_there`
 * accepts; then off. */
typedef bool world_state_fn(const struct otter_state *state);
void world_cut_until(struct world *world, world_state_fn *is_there);
world_state_fn world_is_trial;

/* Feeds any package to the program that runs, requests it and resets. True if it is
 * taken and its application runs then, confirmed. */
bool world_takes(struct world *world, const struct sample_package *package);

/* From now on the application of `next` crashes whatever the journal says, and every
 * other one confirms itself. */
void world_let_next_crash(struct world *world);

/* Asks the running application to install `next` from the card, and runs it until it
 * resets; its answer. */
enum otter_result world_install(struct world *world);

/* Prepares and resets: the installation and what follows. */
enum vdevice_end world_update(struct world *world, enum vdevice_app app);

/* The state as boot would see it now; a lost journal is rebuilt in RAM. */
struct otter_state world_state(struct world *world);

const struct otter_region *world_region(const struct world *world, uint8_t id);

/* True if the region is as it was marked. */
bool world_is_untouched(const struct world *world, uint8_t id);

/* True if `region` holds the firmware of `package`. */
bool world_holds(const struct world *world, uint8_t id,
                 const struct sample_package *package);

/* True if the application of `package` is what runs. */
bool world_runs(const struct world *world, const struct sample_package *package);

/* True if the region of the manager holds `image`. */
bool world_has_manager(const struct world *world, const uint8_t *image);

/* The region is as an erase leaves it. */
void world_erase(struct world *world, uint8_t id);

/* The journal's sectors whose bits are set take no erase and no program any more; the
 * others do. For devices with sectors of one size. */
void world_set_journal_bad(struct world *world, uint32_t sectors);

enum { WORLD_ALL_SECTORS = 0x7FFFFFFF };

/* Flips a bit in the middle of what is installed in `id`. */
void world_damage(struct world *world, uint8_t id);

/* A bit in each copy of the slot's receipt, or in one of them. */
void world_damage_receipts(struct world *world, uint8_t slot);
void world_damage_receipt(struct world *world, uint8_t slot, uint8_t copy);

/* Address of copy `copy` of receipt `slot`, and of the sectors that belong to it. */
uint32_t world_receipt_addr(struct world *world, uint8_t slot, uint8_t copy,
                            uint32_t *size);

#endif
