/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual flash: port/flash.h on the host, with the rules of NOR memory enforced
 * and with every fault of the fault model on demand.
 *
 * Takes a list of areas; gives a flash port, counters of wear and time, snapshots and
 * a hash. Many may live in one process. Not for use from two threads at once.
 *
 * Rules. A breach is a defect of the caller, never a fault: it is printed and the
 * process aborts, unless on_breach is set. A word is programmed once between two
 * erases, also with erased bytes, and never after an operation that a cut or a failure
 * left half done in it, even if it reads blank (K4).
 *
 * Operations. Programs and erases are counted from 0 at vflash_power_on(); the fault
 * given there strikes one of them.
 */
#ifndef OTTER_HOST_VFLASH_H
#define OTTER_HOST_VFLASH_H

#include "otter/error.h"
#include "otter/port/flash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum vflash_fault_kind {
    VFLASH_NONE,
    VFLASH_CUT_BEFORE, /* power fails before anything is done */
    VFLASH_CUT_AFTER,  /* power fails when the operation is complete */
    VFLASH_TORN,       /* power fails in its middle */
    VFLASH_FAIL,       /* its middle is reached, then the memory reports failure */
};

/*
 * The fault of one power-on. With TORN and FAIL, `seed` picks what the memory holds:
 *
 * Program of n words: the first seed % (n + 1) words are done. With
 * detail = seed / (n + 1), the next word is detail % VFLASH_TORN_PROGRAM_OUTCOMES:
 *   0 old   1 new   2 random mixture   3 unstable: old, new, old, new ... per read
 *   4 unstable: new at the first read, a random mixture ever after
 * On ECC flash that word cannot be read in any of these but 0.
 *
 * Erase, seed % VFLASH_TORN_ERASE_OUTCOMES:
 *   0 all old   1 all erased   2 first half erased   3 second half erased
 *   4 each word old, erased, or a random mixture   5 all bits programmed
 *   6 unstable: old, erased, old ... per read
 *   7 unstable: old at the first read, a random mixture ever after
 * On ECC flash no word of the sector can be read in any of these.
 *
 * The rest of the seed feeds the mixtures. The seeds below n + 1 times 5, or below 8,
 * therefore reach every prefix and outcome once.
 */
struct vflash_fault {
    uint32_t at_op;
    enum vflash_fault_kind kind;
    uint32_t seed;
};

enum { VFLASH_TORN_PROGRAM_OUTCOMES = 5, VFLASH_TORN_ERASE_OUTCOMES = 8 };

/* One program or erase, as told to on_op just before it happens. */
struct vflash_op {
    uint32_t index; /* since power on */
    bool is_erase;
    uint32_t addr;
    uint32_t size; /* bytes of the program, or of the sector */
    uint32_t word_count;
    const uint8_t *data; /* of a program, valid during the call; NULL of an erase */
};

enum vflash_breach_kind {
    VFLASH_BREACH_BOUNDS,     /* outside the areas, or size 0 of a program */
    VFLASH_BREACH_ALIGNMENT,  /* not whole words, or not a sector's first address */
    VFLASH_BREACH_PAGE,       /* a program across a page's end */
    VFLASH_BREACH_PROGRAMMED, /* a word programmed twice between two erases */
    VFLASH_BREACH_TORN,       /* a word programmed after a half done operation */
    VFLASH_BREACH_BITS,       /* a programmed bit moved back to the erased value */
    VFLASH_BREACH_COUNT,
};

struct vflash_breach {
    enum vflash_breach_kind kind;
    uint32_t addr; /* of the access, or of the first wrong word */
    size_t size;   /* of the access */
    uint32_t op;   /* operations since power on */
};

/* What callers may hook in. All pointers may be NULL. */
struct vflash_hooks {
    void *context;

    /* Power fails. Must not return: the test longjmps, a process exits. If it is NULL
     * or returns, the process aborts. The flash then waits for vflash_power_on(). */
    void (*cut)(void *context);

    /* A breach of the rules. May return; the access is then not done and reports
     * failure by its code. NULL prints and aborts. */
    void (*on_breach)(void *context, const struct vflash_breach *breach);

    /* Each operation, before anything is done, for traces and sweeps. */
    void (*on_op)(void *context, const struct vflash_op *op);

    /* Each reading, before it is done. */
    void (*on_read)(void *context, uint32_t addr, size_t size);
};

/* Simulated times in nanoseconds. All 0 in a config selects the defaults, which are
 * near the typical figures of a serial NOR chip (W25Q128JV: 0.4 ms for a page of 256
 * bytes, 45 ms for a 4 KiB sector). */
struct vflash_timing {
    uint64_t program_ns; /* per program call */
    uint64_t byte_ns;    /* per byte programmed */
    uint64_t erase_ns;   /* per sector */
};

enum { VFLASH_PROGRAM_NS = 30000, VFLASH_BYTE_NS = 1450, VFLASH_ERASE_NS = 45000000 };

struct vflash_config {
    const struct otter_flash_area *areas; /* stays in use */
    size_t area_count;                    /* 1 to VFLASH_AREAS_MAX */

    /* A file that holds the areas one after another, or NULL. Made with the erased
     * value if it is not there. Written at every operation, so a killed process keeps
     * all that were complete. It keeps contents only: after vflash_create() a word
     * counts as programmed if it is not erased; nothing is torn, unstable or bad. */
    const char *path;

    bool is_ecc;                 /* torn words fail to read until erased */
    bool is_overprogram_allowed; /* words may be programmed again, towards programmed */
    struct vflash_timing timing;
};

enum { VFLASH_AREAS_MAX = 16 };

/* Measurements since creation or vflash_measure_reset(). */
struct vflash_counts {
    uint64_t program_ops;
    uint64_t programmed_bytes;
    uint64_t erase_ops;
    uint64_t read_bytes;
    uint64_t time_ns; /* simulated time of all programs and erases */
};

/* Inner parts; not for callers. */
struct vflash_bank { /* an area, and where it lies in the arrays below */
    const struct otter_flash_area *area;
    uint32_t size;
    size_t base;
    size_t first_sector;
    size_t first_word;
};

struct vflash_sector {
    struct vflash_blob *blob; /* saved content, same as the live one; or NULL */
    uint64_t hash;            /* of the live content, if has_hash */
    uint32_t erases;
    uint32_t odd_count; /* words that are unstable or cannot be read */
    bool has_hash;
    bool is_bad;
};

struct vflash {
    /* May be read and, where it makes sense, set by callers at any time. */
    struct vflash_hooks hooks;
    struct vflash_fault fault;
    uint32_t op; /* operations since power on */
    struct vflash_counts counts;
    uint32_t bad_seed; /* of what an operation leaves in a bad sector; 0: each time
                          another one */

    struct vflash_config config;
    struct vflash_bank banks[VFLASH_AREAS_MAX];
    size_t size; /* bytes of all areas */
    size_t word_count;
    size_t sector_count;
    uint8_t *content;
    uint8_t *later; /* second readings of unstable words; same size as content */
    uint8_t *words; /* flags of each word */
    struct vflash_sector *sectors;
    size_t odd_count;
    uint64_t version; /* another one after each change */
    int file;
};

/* The state of a flash as a value: contents, torn and unstable words, wear, counts.
 * Starts as {0}. Sectors of the same content are shared between images and the flash
 * that they came from, so many images of one run cost little. */
struct vflash_image {
    struct vflash_blob **blobs;
    uint32_t *erases;
    size_t sector_count;
    struct vflash_counts counts;
};

/* Makes an erased flash, or opens its file. OTTER_E_FLASH_BOUNDS if port/flash.h does
 * not allow the areas; OTTER_E_FLASH_READ if the file cannot be opened or has another
 * size; the struct then needs no vflash_destroy(). Aborts without memory. */
OTTER_MUST_CHECK enum otter_result vflash_create(struct vflash *flash,
                                                 const struct vflash_config *config);

/* Frees memory and closes the file, which stays. Images stay valid. */
void vflash_destroy(struct vflash *flash);

/* The port of `flash`; both must stay where they are as long as it is used. */
void vflash_port(struct vflash *flash, struct otter_flash *out);

/* Switches power on: operations count from 0 and `fault` waits for its turn. */
void vflash_power_on(struct vflash *flash, struct vflash_fault fault);

/* Faults at rest. Addresses outside the areas abort. */
void vflash_flip(struct vflash *flash, uint32_t addr, unsigned bit); /* bit 0 to 7 */
void vflash_kill_word(struct vflash *flash,
                      uint32_t addr); /* unreadable until erased */

/* The sector that holds `addr` reports failure of every program and erase, and holds
 * garbage afterwards; for ever, also after vflash_restore(), until is_bad is false. */
void vflash_set_bad(struct vflash *flash, uint32_t addr, bool is_bad);

/* Puts bytes as a factory would: no rules, no counts, any alignment. Words that are
 * touched are programmed if they are not erased afterwards, and sound. */
void vflash_provision(struct vflash *flash, uint32_t addr, const void *data,
                      size_t size);

/* True if an erase that fails for `bad_seed` takes one part of the sector and leaves
 * another. */
bool vflash_bad_takes_part(const struct vflash *flash);

/* Leaves `op` half done as a TORN fault with `seed` would, without counting it or
 * cutting power: for harnesses that look at many outcomes of one operation. */
void vflash_tear(struct vflash *flash, const struct vflash_op *op, uint32_t seed);

/* The bytes at `addr`, inside areas that touch, as they would read first; uncounted. */
const uint8_t *vflash_peek(const struct vflash *flash, uint32_t addr, size_t size);

enum vflash_word {
    VFLASH_WORD_ERASED,     /* may be programmed */
    VFLASH_WORD_PROGRAMMED, /* whole, at the last erase or program */
    VFLASH_WORD_TORN,       /* left half done; reads the same each time */
    VFLASH_WORD_UNSTABLE,   /* may read differently next time */
    VFLASH_WORD_DEAD,       /* cannot be read */
};

/* The state of the word that holds `addr`; what a device cannot know. */
enum vflash_word vflash_word_at(const struct vflash *flash, uint32_t addr);

/* Number of the sector that holds `addr`, counted over all areas from 0. */
size_t vflash_sector_index(const struct vflash *flash, uint32_t addr);

/* Bytes of the sector that holds `addr`. */
uint32_t vflash_sector_size(const struct vflash *flash, uint32_t addr);

/* Erases of the sector that holds `addr`, since creation or reset. */
uint32_t vflash_erases(const struct vflash *flash, uint32_t addr);

/* The largest number of erases of one sector in a span of whole sectors. */
uint32_t vflash_erases_max(const struct vflash *flash, uint32_t addr, uint32_t size);

/* Sets all counts, times and erases of sectors to 0. */
void vflash_measure_reset(struct vflash *flash);

/* Saves the state into `image`, whose former state is dropped. Takes time for the
 * sectors that changed since the last save or restore. */
void vflash_save(struct vflash *flash, struct vflash_image *image);

/* Brings a saved state back. The image may be of another flash with the same areas.
 * Hooks, fault, op and bad sectors stay as they are. */
void vflash_restore(struct vflash *flash, const struct vflash_image *image);

/* Frees what an image holds; it is {0} again. */
void vflash_image_free(struct vflash_image *image);

/* 64-bit hash of contents and states of words; wear, counts and time take no part.
 * Cached per sector. */
uint64_t vflash_hash(struct vflash *flash);
uint64_t vflash_hash_sector(struct vflash *flash, uint32_t addr);

/* True if a span of whole sectors is as `image` has it, states of words included. */
bool vflash_is_same(const struct vflash *flash, const struct vflash_image *image,
                    uint32_t addr, uint32_t size);

#ifdef __cplusplus
}
#endif

#endif
