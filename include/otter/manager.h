/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manager: the OTA manager of the device. Installs what is requested; else waits
 * for an update over the link and goes back to the application when none comes in
 * time; rewrites damaged copies of table and receipts. On a device whose store is a
 * card it also rolls back, waits for the card when that is gone, and takes a package
 * from it by itself when there is no whole application.
 *
 *     otter_manager_open(&manager, &ports, &link);
 *     while (otter_manager_poll(&manager) != OTTER_POLL_RESET) {}
 */
#ifndef OTTER_MANAGER_H
#define OTTER_MANAGER_H

#include "otter/agent.h"
#include "otter/card_search.h"
#include "otter/install.h"
#include "otter/repair.h"
#include "otter/restore.h"

#ifdef __cplusplus
extern "C" {
#endif

/* While it receives. */
struct otter_manager_doors {
    struct otter_in_place in_place;
#if OTTER_CARD_SEARCH
    struct otter_card_door card; /* of a device with a card and no application */
    struct otter_card_search search;
#endif
};

struct otter_manager {
    struct otter_device device;
    struct otter_card card_files;
    struct otter_receive receive;
    struct otter_smp smp;
    union {
        struct otter_install install;
        struct otter_restore restore; /* of a device with a card */
        struct otter_manager_doors doors;
    };
    uint8_t mode;         /* enum manager_mode in manager.c */
    bool has_application; /* there is one to go back to */
    bool is_leaving;      /* it goes back soon: a download failed */
    uint8_t repair;       /* next copy to look at: receipts 0-3, table 4-5 */
    bool is_repairing;
    bool cannot_install; /* the engine did not open */
    uint32_t waiting_since_ms;
    uint32_t card_since_ms;   /* when it was looked for last */
    uint8_t card_failures;    /* to read it, since it was put in */
    bool is_without_card;     /* the work waits for it */
    uint8_t searching;        /* enum manager_search in manager_search.c */
    bool has_asked;           /* for the card, since power-on; */
    bool has_searched;        /* on it, since it is there; */
    bool is_card_new;         /* and whether it was put in since power-on */
    uint8_t tidied;           /* files of earlier updates */
    enum otter_result result; /* why it runs, or what failed last */
    struct otter_rewriting rewriting;
};

/* Opens the device as the manager. `link` may be NULL. On failure (28-xx) poll only
 * feeds the watchdog. Checks whether there is an application: as long as a boot. */
OTTER_MUST_CHECK enum otter_result otter_manager_open(struct otter_manager *manager,
                                                      const struct otter_ports *ports,
                                                      const struct otter_link *link);

/* The same in a loader: this program linked for the region "loader", which boot has put
 * there to install the package that brought it (K15). */
OTTER_MUST_CHECK enum otter_result otter_loader_open(struct otter_manager *manager,
                                                     const struct otter_ports *ports,
                                                     const struct otter_link *link);

/* One bounded step. RESET: it has asked the board for a reset. */
enum otter_poll otter_manager_poll(struct otter_manager *manager);

#ifdef __cplusplus
}
#endif

#endif
