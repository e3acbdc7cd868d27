/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flash table: regions, trusted keys and policy of a device, in two copies (K8).
 * Boot finds it at the address that memory_map.h gives; everything else follows from
 * it. Bytes: docs/SPEC.md, "Flash table".
 */
#ifndef OTTER_TABLE_H
#define OTTER_TABLE_H

#include "otter/control.h"
#include "otter/map.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    OTTER_TABLE_HEAD_SIZE = 80,
    OTTER_TABLE_CONTENT_OFF = 16, /* the member "table": from here to the table's end */
    OTTER_TABLE_MAX = 1024,
};

/* What a remote may ask for. Part of the format: index of the policy bytes. */
enum otter_command {
    OTTER_COMMAND_RECEIVE = 0, /* offer, upload */
    OTTER_COMMAND_REQUEST = 1, /* ask for the installation */
    OTTER_COMMAND_CONFIRM = 2,
    OTTER_COMMAND_ERASE = 3, /* forget a stored package */
    OTTER_COMMAND_RESET = 4,
    OTTER_COMMAND_MANAGER = 5, /* go to the manager */
    OTTER_COMMAND_READ = 6,    /* state, outcome, versions */
    OTTER_COMMAND_UPGRADE = 7, /* upload with upgrade:true also requests */
    OTTER_COMMAND_COUNT,
};

enum otter_permission {
    OTTER_NEVER = 0,
    OTTER_ONLY_MANAGER = 1,
    OTTER_OPEN = 2,
};

/* What becomes of the copies that are saved of an encrypted system (K26). */
enum otter_saved_copies {
    OTTER_SAVED_NEVER = 0,     /* none is made: such a system is not replaced */
    OTTER_SAVED_ENCRYPTED = 1, /* under the storage key, which boot's port has, too */
    OTTER_SAVED_CLEAR = 2,     /* in clear */
};

struct otter_policy {
    uint16_t trial_deadline_s; /* running time until a trial must be confirmed */
    uint8_t trial_faults;      /* N: attempts after counted resets */
    uint8_t trial_powers;      /* M: attempts after lost power */
    uint16_t
        manager_wait_s;  /* the manager goes back after that time without a transfer */
    uint16_t watchdog_s; /* watchdog period of a trial */
    uint8_t permissions[16]; /* enum otter_permission by enum otter_command */
    uint32_t ram_addr;       /* a program's stack pointer lies in this RAM (K14) */
    uint32_t ram_size;
    uint8_t saved_copies; /* enum otter_saved_copies */
};

struct otter_table {
    uint32_t sequence;
    uint32_t target;
    uint16_t hardware;        /* revision */
    uint16_t boot_version;    /* of the boot program, as the factory wrote it (K6) */
    uint16_t manager_version; /* of the manager of this system (K6) */
    struct otter_policy policy;
    struct otter_map map;
    struct otter_key keys[OTTER_KEYS_MAX];
    uint8_t key_count;
    uint16_t length; /* bytes of the encoded table */
};

/* Decodes a table from `size` bytes. 28-11, 28-12. `table` is written only on success.
 */
OTTER_MUST_CHECK enum otter_result otter_table_decode(const uint8_t *bytes, size_t size,
                                                      struct otter_table *table);

/* Encodes a table into `bytes` and gives its length. 28-12 if it does not fit. Host
 * and factory. */
OTTER_MUST_CHECK enum otter_result otter_table_encode(const struct otter_table *table,
                                                      uint8_t *bytes, size_t capacity,
                                                      size_t *length);

/* Writes the head before a table's content, `size` bytes that stand from
 * OTTER_TABLE_CONTENT_OFF of `bytes` on. At most OTTER_TABLE_MAX with the head. */
void otter_table_wrap(uint8_t *bytes, size_t size, uint32_t sequence);

/* A table's region of `size` bytes at `addr` has four places, at its quarters, if each
 * begins with a sector; else two, at its halves: 0 and 2. */
enum { OTTER_TABLE_PLACES = 4 };

/* Where place `place` begins in a region of `size` bytes, and which place begins at
 * `off`. */
uint32_t otter_table_place_off(uint32_t size, uint8_t place);
uint8_t otter_table_place_at(uint32_t size, uint32_t off);

/* True if the region has place `place`. */
bool otter_table_has_place(const struct otter_flash *flash, uint32_t addr,
                           uint32_t size, uint8_t place);

/* Bytes of each place. */
uint32_t otter_table_place_size(const struct otter_flash *flash, uint32_t addr,
                                uint32_t size);

/* Reads the bytes of the table at a place that the region has, as far as its length
 * field says. 28-12 if that cannot be; nothing else is checked. `bytes` holds
 * OTTER_TABLE_MAX. */
OTTER_MUST_CHECK enum otter_result otter_table_read_place(
    const struct otter_flash *flash, uint32_t addr, uint32_t size, uint8_t place,
    uint8_t *bytes, size_t *length);

/* Reads the newest valid table of the region. `damaged` tells in which half no copy of
 * it is (bits 0 and 1). 28-10 if there is none, else its own reason. Needs no map;
 * `scratch` holds OTTER_TABLE_MAX bytes, the table's in the end. */
OTTER_MUST_CHECK enum otter_result otter_table_read(const struct otter_flash *flash,
                                                    uint32_t addr, uint32_t size,
                                                    uint8_t *scratch,
                                                    struct otter_table *table,
                                                    uint8_t *damaged);

#ifdef __cplusplus
}
#endif

#endif
