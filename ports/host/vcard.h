/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual card: a tree of files in memory that behaves as a FAT card does, with
 * every fault of the fault model on demand.
 *
 * Takes a capacity; gives operations on files, snapshots and a hash. Operations return
 * 0 or more, or a negative number of errno.h, as the file systems below a port do; a
 * port on top makes results of them. Many may live in one process. Not for use from two
 * threads at once.
 *
 * What is on the card and what is only said to be. A change is visible at once, and
 * certain when it is synced. A sync or close of a file makes sure of that file's bytes
 * and size, and of every directory entry changed so far: made, renamed, removed. Until
 * then each change may or may not survive a cut, by itself and in any order. That is
 * what FAT promises and no more: its allocation table, its entries and its data lie in
 * sectors of their own, written when a cache has to, and nothing ties them together.
 * FatFs's application note, "Critical section", lists what an interruption leaves: a
 * file written to is spoilt, or as it was before, or there without content; a new one
 * is gone; and, where entries change, two of them share their data or a file is lost.
 * A rename writes the new entry and then removes the old one (FatFs, f_rename), so that
 * old, new, both or, if they share a sector that is torn, neither may be there.
 *
 * Names: parts joined by '/', none at the front; the letters A to Z equal a to z.
 *
 * Operations are counted from 0 at vcard_power_on(); the fault given there strikes one
 * of them.
 */
#ifndef OTTER_HOST_VCARD_H
#define OTTER_HOST_VCARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    VCARD_PATH_MAX = 128, /* with the zero at its end */
    VCARD_NODES_MAX = 48,
    VCARD_FILES_MAX = 8,     /* open at a time */
    VCARD_CHANGES_MAX = 128, /* unsynced; the oldest then reach the card */
    VCARD_SECTOR = 512,      /* bytes that reach the card together */
    VCARD_CLUSTER = 512,     /* unit in which files take space */
};

enum vcard_fault_kind {
    VCARD_NONE,
    VCARD_CUT_BEFORE, /* power fails before anything is done */
    VCARD_CUT_AFTER,  /* power fails when the operation has returned */
    VCARD_TORN,       /* power fails in its middle */
    VCARD_FAIL,       /* it reports -EIO, half done */
    VCARD_FULL,       /* from it on, no space is left */
    VCARD_PULL,       /* the card is pulled out before it */
};

/*
 * The fault of one power-on. At a cut and a pull, `seed` picks what becomes of the n
 * changes that are not synced (card->change_count, the operation's own included after
 * CUT_AFTER). With rest = seed / VCARD_CUT_OUTCOMES, seed % VCARD_CUT_OUTCOMES is
 *   0 none is on the card   1 all are
 *   2 the first rest % (n + 1) are, and the next is torn in way rest / (n + 1)
 *   3 all entries and sizes are, but no data: bytes written are garbage
 *   4 each is there, or not, or torn, at random
 *
 * TORN, of an operation that changes something: its own change is torn in way
 * rest % VCARD_TORN_WAYS and the others are as above with rest / VCARD_TORN_WAYS. A
 * torn sync or close is a cut before it: outcome 2 is the one to look at.
 *
 * Ways in which a change is torn, modulo VCARD_TORN_WAYS:
 *   write     0 whole first sectors are there, the size is the old one
 *             1 whole first sectors are there, then garbage to the new size
 *             2 garbage to the new size   3 its bytes are there up to the old size
 *   create    0, 2 no entry   1, 3 an empty file
 *   truncate  0 as before   1 empty   2 garbage of the size before   3 no entry
 *   rename    0 old name   1 new name   2 both, sharing their data   3 neither
 *   remove    0 as before   1, 3 gone   2 garbage of the size before
 *   mkdir     0, 2 no entry   1, 3 an empty directory
 * Where two names share their data, changing one makes garbage of the other.
 *
 * FAIL: a write has done its first seed % (size + 1) bytes; a reading gives garbage;
 * any other operation was done if the seed is odd, though it says it was not. (A sync
 * or close that failed has made sure of nothing.)
 */
struct vcard_fault {
    uint32_t at_op;
    enum vcard_fault_kind kind;
    uint32_t seed;
};

enum { VCARD_CUT_OUTCOMES = 5, VCARD_TORN_WAYS = 4 };

enum vcard_op_kind {
    VCARD_OPEN,
    VCARD_READ,
    VCARD_WRITE,
    VCARD_SYNC,
    VCARD_CLOSE,
    VCARD_RENAME,
    VCARD_REMOVE,
    VCARD_MKDIR,
    VCARD_LIST,
    VCARD_STAT,
    VCARD_OP_COUNT,
};

enum vcard_mode {
    VCARD_MODE_READ,  /* the file must be there */
    VCARD_MODE_WRITE, /* it is made if it is not there; reading is possible, too */
    VCARD_MODE_NEW,   /* as WRITE, and it is empty */
};

/* One operation, as told to on_op just before it happens. */
struct vcard_op {
    uint32_t index; /* since power on */
    enum vcard_op_kind kind;
    const char *path;     /* as given, or of the open file; NULL: none */
    enum vcard_mode mode; /* of VCARD_OPEN */
};

/* What callers may hook in. All pointers may be NULL. */
struct vcard_hooks {
    void *context;

    /* Power fails. Must not return: the test longjmps. If it is NULL or returns, the
     * process aborts. The card then waits for vcard_power_on(). */
    void (*cut)(void *context);

    /* Each operation, before anything is done, for traces and sweeps. */
    void (*on_op)(void *context, const struct vcard_op *op);
};

struct vcard_blob; /* bytes that trees and images share; inner */

/* Inner parts; not for callers. */
struct vcard_node {
    uint32_t id;   /* 0: free; stays the same under a new name */
    uint32_t link; /* nodes with the same one share their data; 0: none */
    bool is_directory;
    bool is_bad;
    char path[VCARD_PATH_MAX];
    struct vcard_blob *content; /* of a file */
};

struct vcard_tree {
    struct vcard_node nodes[VCARD_NODES_MAX];
};

enum vcard_change_kind {
    VCARD_CHANGE_CREATE,
    VCARD_CHANGE_MKDIR,
    VCARD_CHANGE_WRITE,
    VCARD_CHANGE_TRUNCATE,
    VCARD_CHANGE_RENAME,
    VCARD_CHANGE_REMOVE,
};

struct vcard_change { /* a change that is not synced */
    enum vcard_change_kind kind;
    uint32_t id;
    uint32_t off;              /* of a write */
    struct vcard_blob *data;   /* of a write */
    char path[VCARD_PATH_MAX]; /* of create and mkdir; the new one of rename */
};

struct vcard_file { /* an open file */
    uint32_t id;    /* 0: closed */
    bool is_writable;
};

/* A card; vcard_init() makes it. */
struct vcard {
    /* May be read and, where it makes sense, set by callers at any time. */
    struct vcard_hooks hooks;
    struct vcard_fault fault;
    uint32_t op;       /* operations since power on */
    uint32_t capacity; /* bytes that all files together may take, in whole clusters */
    uint64_t written_bytes; /* since vcard_init() */

    struct vcard_tree live;   /* as operations see it */
    struct vcard_tree synced; /* what is certain to be on the card */
    struct vcard_change changes[VCARD_CHANGES_MAX];
    size_t change_count;
    size_t own_changes; /* of them, those of the operation under way; they come last */
    struct vcard_file files[VCARD_FILES_MAX];
    uint32_t next_id;
    bool is_on;
    bool is_out;  /* pulled out; a power-on does not put it back */
    bool is_full; /* until the next power-on */
};

/* The state of a card as a value: both trees and the changes between them. Starts as
 * {0}. Contents are shared with the card, so many images cost little. */
struct vcard_image {
    struct vcard_tree live;
    struct vcard_tree synced;
    struct vcard_change changes[VCARD_CHANGES_MAX];
    size_t change_count;
    uint32_t next_id;
};

/* Makes an empty card that is in its slot, without power. */
void vcard_init(struct vcard *card, uint32_t capacity);
void vcard_destroy(struct vcard *card);

/* Switches power on: operations count from 0 and `fault` waits for its turn. No file is
 * open. Aborts if power is on. */
void vcard_power_on(struct vcard *card, struct vcard_fault fault);

/* Takes power away between two operations, as when the rest of the device is cut;
 * `seed` as in struct vcard_fault. Nothing if power is off. */
void vcard_power_off(struct vcard *card, uint32_t seed);

/* The processor resets between two operations: what its file system has not synced
 * fares as at a cut, no file is open any more. Operations are counted on. */
void vcard_reset(struct vcard *card, uint32_t seed);

/* Pulls the card out between two operations: unsynced changes fare as at a cut, open
 * files are closed, every operation returns -ENODEV until the card is put back. */
void vcard_pull(struct vcard *card, uint32_t seed);
void vcard_put_back(struct vcard *card);

/* ---- operations; each counts as one, those that are refused, too ---- */

/* Opens a file; its number, for the calls below. -ENOENT, -EISDIR, -EBUSY (open for
 * writing elsewhere), -EMFILE, -ENOSPC, -EINVAL (no name). */
int vcard_open(struct vcard *card, const char *path, enum vcard_mode mode);

/* Reads up to `size` bytes at `off`; how many, 0 at the end. -EBADF, -EIO. */
int vcard_read(struct vcard *card, int file, uint32_t off, void *data, uint32_t size);

/* Writes at `off`, at most the file's size; how many: fewer than `size` if the card is
 * full, -ENOSPC if none fit. -EBADF, -EINVAL, -EIO. */
int vcard_write(struct vcard *card, int file, uint32_t off, const void *data,
                uint32_t size);

/* Makes sure of a file and of all entries; with VCARD_ALL of everything. -EBADF. */
int vcard_sync(struct vcard *card, int file);

/* Syncs and closes a file. It is closed also if the sync fails. -EBADF. */
int vcard_close(struct vcard *card, int file);

enum { VCARD_ALL = -1 };

/* -ENOENT, -EEXIST (never replaces), -EBUSY (open), -EINVAL (into itself). */
int vcard_rename(struct vcard *card, const char *from, const char *to);

/* A file, or an empty directory. -ENOENT, -EBUSY (open), -ENOTEMPTY. */
int vcard_remove(struct vcard *card, const char *path);

/* -ENOENT (no parent), -EEXIST, -ENOSPC, -EINVAL. */
int vcard_mkdir(struct vcard *card, const char *path);

struct vcard_entry {
    char path[VCARD_PATH_MAX]; /* from the root */
    bool is_directory;
    uint32_t size;
};

/* Entry `index` of a directory ("": the root): 1, or 0 past the last one. The order
 * stays the same until an entry of the directory changes. -ENOENT. */
int vcard_list(struct vcard *card, const char *path, uint32_t index,
               struct vcard_entry *entry);

/* What is under a name. -ENOENT. */
int vcard_stat(struct vcard *card, const char *path, struct vcard_entry *entry);

/* ---- what tests do; uncounted, power may be off ---- */

/* Puts a file, or with NULL a directory, as a computer would; directories above it are
 * made. */
void vcard_provision(struct vcard *card, const char *path, const void *data,
                     uint32_t size);

/* A file's bytes as operations would see them, until the next change; NULL: none. */
const uint8_t *vcard_peek(const struct vcard *card, const char *path, uint32_t *size);

/* True if something has that name. */
bool vcard_has(const struct vcard *card, const char *path);

/* Flips a bit of a file at rest. */
void vcard_flip(struct vcard *card, const char *path, uint32_t off, unsigned bit);

/* Reading and writing the file report -EIO until is_bad is false. */
void vcard_set_bad(struct vcard *card, const char *path, bool is_bad);

/* Bytes that are free, in whole clusters. */
uint32_t vcard_free_bytes(const struct vcard *card);

/* Saves the state into `image`, whose former state is dropped. */
void vcard_save(const struct vcard *card, struct vcard_image *image);

/* Brings a saved state back. Power, fault, hooks and capacity stay; files are closed.
 */
void vcard_restore(struct vcard *card, const struct vcard_image *image);
void vcard_image_free(struct vcard_image *image);

/* 64-bit hash of names and contents, as seen and as synced; their order and the way
 * there take no part. */
uint64_t vcard_hash(const struct vcard *card);

#ifdef __cplusplus
}
#endif

#endif
