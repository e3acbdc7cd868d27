/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual device: the real boot, manager and agent on a virtual flash, a virtual
 * clock and a virtual board. The application is the built-in example; how the system
 * on trial behaves is chosen. Many may live in one process.
 *
 *     vdevice_create(&device, &config);
 *     vdevice_power_on(&device, fault);          runs until nothing is left to do
 *     vdevice_feed(&device, package, size, 512, &result);
 *     vdevice_request(&device, &result);
 *     vdevice_reset(&device, OTTER_RESET_SOFTWARE);   installs, tries, confirms
 *
 * Time is virtual: a program that is idle lets it jump, so that a deadline of minutes
 * passes in milliseconds. With an idle hook the caller makes the time.
 */
#ifndef OTTER_HOST_VDEVICE_H
#define OTTER_HOST_VDEVICE_H

#include "crypto_bearssl_keys.h"
#include "folder_files.h"
#include "otter/agent.h"
#include "otter/boot.h"
#include "otter/manager.h"
#include "profiles.h"
#include "vcard.h"
#include "vflash.h"

#include <setjmp.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How an application behaves. */
enum vdevice_app {
    VDEVICE_CONFIRM = 0, /* works, and confirms itself */
    VDEVICE_SILENT,      /* works, but never confirms */
    VDEVICE_CRASH,       /* faults soon after its start */
    VDEVICE_HANG,        /* never polls */
};

/* Why a run ended. */
enum vdevice_end {
    VDEVICE_IDLE = 0, /* nothing is left to do; `program` waits */
    VDEVICE_CUT,      /* power failed at a flash operation; the device is off */
    VDEVICE_NOTHING,  /* boot found nothing that verifies: see `code` */
    VDEVICE_HUNG,     /* the application hangs and no watchdog runs */
    VDEVICE_STOPPED,  /* the idle hook said so, or too many resets */
    VDEVICE_BROKEN,   /* a promise was broken: see `defect` */
};

struct vdevice;

struct vdevice_hooks {
    void *context;

    /* An event of `program`'s ring. */
    void (*on_event)(void *context, enum otter_program program,
                     const struct otter_event *event);

    /* `program` gives a code to the board's sink. */
    void (*on_report)(void *context, enum otter_program program, uint32_t time_ms,
                      uint16_t code);

    /* Boot has jumped to the application, which has not begun yet. */
    void (*on_start)(void *context);

    /* The processor is about to start again, power having stayed on. True ends the run:
     * VDEVICE_STOPPED. Not called where `idle` is set. */
    bool (*on_reset)(void *context);

    /* `done` of `total` bytes of a fed package are taken. */
    void (*on_progress)(void *context, uint32_t done, uint32_t total);

    /* The running program has nothing to do: wait, set clock_ms. False ends the run.
     * NULL: virtual time jumps, and an idle device ends the run. */
    bool (*idle)(void *context, struct vdevice *device);
};

struct vdevice_config {
    const struct host_profile *profile; /* stays in use */
    const char *path;                   /* of the flash file, or NULL: in memory */
    bool is_ecc;
    const struct otter_key_store *keys; /* stays in use; NULL: it cannot decrypt */
    const struct otter_link *link;      /* stays in use; may be NULL */
    struct vdevice_hooks hooks;
};

enum { VDEVICE_RESETS_MAX = 64 }; /* in one run, then it is STOPPED */

struct vdevice {
    /* May be set between runs. */
    enum vdevice_app app;         /* of a system on trial */
    enum vdevice_app app_old;     /* of any other; VDEVICE_CONFIRM: it works */
    enum vdevice_app app_manager; /* of a manager that was just replaced, until it has
                                     started: CONFIRM starts, others fail */
    enum vdevice_app app_loader; /* of a package's loader: CONFIRM works, others fail */
    bool wants_manager; /* the button is pressed; the manager's start releases it */
    bool allows_update;
    const struct otter_link *link;
    struct vdevice_hooks hooks;
    struct vcard *card;            /* virtual card, or */
    struct folder_files *folder;   /* folder, or neither */
    struct vcard_fault card_fault; /* strikes in the next power-on, then is none */

    /* May be read. */
    const struct host_profile *profile;
    struct vflash flash;
    enum otter_program program; /* that runs, 0: the device is off */
    uint8_t region;             /* that it runs from */
    uint16_t code;              /* last one that boot reported */
    uint32_t resets;            /* since the run began */
    uint32_t clock_ms;          /* since power on */
    const char *defect;         /* broken promise, or NULL */
    struct otter_boot boot;
    struct otter_agent agent;
    struct otter_manager manager;

    /* Private. */
    struct otter_flash port;
    struct otter_board board;
    struct otter_crypto crypto;
    struct otter_loader loader;
    struct otter_ports ports;
    enum otter_reset_cause cause;
    bool manager_word;
    bool is_reset; /* the board was told to reset */
    bool is_stuck; /* the running manager does not start */
    uint32_t watchdog_ms;
    uint32_t fed_ms;
    uint32_t polls;      /* of the running program */
    uint32_t idle_since; /* clock of the manager's first idle poll in a row */
    bool is_idle;
    jmp_buf cut_point;
};

/* Makes a device that is off. Codes of vflash_create(). */
OTTER_MUST_CHECK enum otter_result vdevice_create(struct vdevice *device,
                                                  const struct vdevice_config *config);
void vdevice_destroy(struct vdevice *device);

/* Gives a device that is off a card; all stay in use. A virtual one shares the device's
 * power. */
void vdevice_set_card(struct vdevice *device, struct vcard *card,
                      const struct otter_files *files);
void vdevice_set_folder(struct vdevice *device, struct folder_files *folder,
                        const struct otter_files *files);

/* An idle hook: the device stops when it has nothing to do; its time stands still. */
bool vdevice_stop_at_once(void *context, struct vdevice *device);

/* Switches power on and runs until idle. `fault` strikes one flash operation. */
enum vdevice_end vdevice_power_on(struct vdevice *device, struct vflash_fault fault);

/* Goes on running. */
enum vdevice_end vdevice_run(struct vdevice *device);

/* Resets the processor, power staying on, and runs until idle. */
enum vdevice_end vdevice_reset(struct vdevice *device, enum otter_reset_cause cause);

/* Asks for the manager: a reset, and it runs until it waits for the first time. */
enum vdevice_end vdevice_enter_manager(struct vdevice *device);

/* Takes power away between two operations. */
void vdevice_power_off(struct vdevice *device);

/* Gives a package to the running program in chunks, through the receiver of every
 * door, from where an earlier transfer of it ended. `result` is the program's answer:
 * OTTER_OK when it is complete, or why it was refused. IDLE, CUT or BROKEN. */
enum vdevice_end vdevice_feed(struct vdevice *device, const uint8_t *package,
                              size_t size, size_t chunk_size,
                              enum otter_result *result);

/* Asks the running program to install what is stored. IDLE or CUT. */
enum vdevice_end vdevice_request(struct vdevice *device, enum otter_result *result);

/* Asks the application to update from the file `path` on the card, and runs it until it
 * resets into the installation, which the next run begins; `result` tells why not.
 * IDLE, CUT or BROKEN; NOTHING if no application runs. */
enum vdevice_end vdevice_install(struct vdevice *device, const char *path,
                                 enum otter_result *result);

/* True if the manager runs, from flash or as a loader from RAM. */
bool vdevice_is_manager(const struct vdevice *device);

/* The device as the running program sees it; NULL when it is off. */
struct otter_device *vdevice_view(struct vdevice *device);

/* Opens an otter_device as boot would see it, without running anything. */
OTTER_MUST_CHECK enum otter_result vdevice_inspect(struct vdevice *device,
                                                   struct otter_device *view);

#ifdef __cplusplus
}
#endif

#endif
