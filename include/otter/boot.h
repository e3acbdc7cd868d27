/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot: the first program, never replaced. It decides from a snapshot what runs, acts,
 * and says where to jump. A confirmed boot writes nothing (K9).
 */
#ifndef OTTER_BOOT_H
#define OTTER_BOOT_H

#include "otter/copying.h"
#include "otter/device.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A verdict that boot has not needed yet, or has. */
enum otter_verdict {
    OTTER_VERDICT_UNKNOWN = 0,
    OTTER_VERDICT_GOOD,
    OTTER_VERDICT_BAD,
};

/* Everything the decision depends on. */
struct otter_boot_facts {
    uint8_t phase; /* enum otter_phase */
    uint8_t part;
    uint8_t current;
    bool is_ab;
    bool is_on_card;  /* saved copies are files on a card */
    bool has_unknown; /* the journal holds a critical extension not known here */
    bool is_rebuilt;  /* the journal was lost */
    bool wants_manager;
    bool is_counted_reset;  /* the last reset counts as a failure */
    uint8_t faults, powers; /* attempts so far */
    uint8_t fault_limit, power_limit;
    uint8_t roll_backs;   /* completed ones that did not verify */
    bool is_restored;     /* the saved copy was written back in this run */
    bool cannot_restore;  /* there is no whole saved copy, or it cannot be written */
    bool has_new_manager; /* the incoming system has another manager (K15) */
    bool
        has_new_regions; /* resources or a font are not the current system's any more */
    bool is_closed;      /* there is no way back (K13) */
    bool is_manager_done; /* boot finished writing the manager in this run */
    bool cannot_copy;     /* the manager's copy is not whole, or cannot be written */
    bool cannot_record;   /* the journal cannot be written */
    bool is_given_up;     /* the other system failed its trial for good (K16) */
    enum otter_verdict system[2]; /* receipt and firmware of each slot, and what else
                                     may be another system's */
    enum otter_verdict manager;
    bool may_load; /* the board runs loaders, and it was no program's fault that the
                      processor started again */
    enum otter_verdict loader; /* of the incoming package; it stands in RAM */
};

enum otter_boot_act {
    OTTER_BOOT_CHECK_SYSTEM, /* find out system[slot], then decide again */
    OTTER_BOOT_CHECK_MANAGER,
    OTTER_BOOT_RUN,    /* jump to the system of `slot` */
    OTTER_BOOT_TRY,    /* seal an attempt, then jump to it */
    OTTER_BOOT_SWITCH, /* record that `slot` is the current system, then decide again */
    OTTER_BOOT_ROLL_BACK,     /* record that the roll back begins, then decide again */
    OTTER_BOOT_RESTORE,       /* copy the saved images back, then decide again */
    OTTER_BOOT_WRITE_MANAGER, /* copy the new manager to its place, decide again */
    OTTER_BOOT_TRY_MANAGER,   /* seal an attempt, then jump to the new manager */
    OTTER_BOOT_TAKE_BACK,     /* record that the old manager comes back */
    OTTER_BOOT_WRITE_BACK,    /* copy it back; the installation has failed */
    OTTER_BOOT_BEGIN_RESTORE, /* record that the roll back comes to the manager */
    OTTER_BOOT_RESTORE_MANAGER, /* copy the old manager back, then decide again */
    OTTER_BOOT_RESTORE_AGAIN,   /* record that it comes to the application again */
    OTTER_BOOT_MANAGER,         /* jump to the manager */
    OTTER_BOOT_CHECK_LOADER,    /* copy the package's loader to RAM, hash it there */
    OTTER_BOOT_LOADER,          /* start the watchdog, jump to the loader */
    OTTER_BOOT_NOTHING,         /* nothing verifies (K18) */
};

struct otter_boot_decision {
    enum otter_boot_act act;
    uint8_t slot;
    uint16_t code; /* why, if not the ordinary way */
};

/* Pure. Total: answers for every value of the facts. */
struct otter_boot_decision otter_boot_decide(const struct otter_boot_facts *facts);

enum otter_boot_target {
    OTTER_BOOT_TO_APPLICATION = 1,
    OTTER_BOOT_TO_MANAGER,
    OTTER_BOOT_TO_LOADER,  /* it stands in RAM already */
    OTTER_BOOT_TO_NOTHING, /* stay: report `code`, feed the watchdog, try again after a
                              while */
};

/* Where to jump. */
struct otter_boot_result {
    enum otter_boot_target target;
    uint8_t region; /* the region whose vector table is to be loaded */
    uint32_t addr;  /* at which it lies, and */
    uint32_t exec;  /* at which it runs */
    uint16_t code;  /* why the manager or nothing runs; 0 if nothing is wrong */
};

struct otter_boot {
    struct otter_device device;
    struct otter_system system;
    struct otter_boot_facts facts;
    struct otter_copying copying;
    struct otter_cipher cipher; /* of what is copied */
};

/* A board that runs loaders names this in the ports of its boot, beside the region
 * "loader" of its flash table. Other boots leave it out, and hold no code for it. */
struct otter_loader {
    uint8_t *memory; /* where boot writes that region */
    enum otter_result (*load)(struct otter_boot *boot); /* otter_boot_load */
};

/* Copies the loader of the incoming package to RAM and checks it there: signature of
 * the receipt that names it, SHA-256, stack pointer and reset vector. 21-17 if there is
 * none; else its reason. Reads the whole loader, feeding the watchdog. */
OTTER_MUST_CHECK enum otter_result otter_boot_load(struct otter_boot *boot);

/* Runs boot: opens the device, decides and acts until it knows where to jump. Returns
 * in any case. Long only when it rolls back (one copy of the application, of resources
 * and fonts). The board's
 * watchdog is fed, and started for a trial. */
struct otter_boot_result otter_boot_run(struct otter_boot *boot,
                                        const struct otter_ports *ports);

#ifdef __cplusplus
}
#endif

#endif
