/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves a new port on its own hardware, before anything relies on it: what
 * include/otter/port/ promises and a program can find out is tried and told, one line
 * each. Compile this folder with the port and call from a program of its own (not from
 * boot, manager or application):
 *
 *     static struct port_check check = {
 *         .ports = &port_ports,
 *         .scratch_addr = OTTER_STAGING_ADDR,
 *         .scratch_size = 4 * OTTER_SECTOR_SIZE,
 *         .print = print_line,
 *     };
 *     port_check_resets(&check);    resets twice, and goes on where it was
 *     port_check_run(&check);
 *
 * A device with a card needs the card in it: files are made in its folder `otter`, and
 * removed.
 *
 * What it cannot try: power cuts, a card that is pulled out, reads of words that a cut
 * left half done, blackouts of interrupts and caches of other masters. docs/PORTING.md
 * says how to look at those.
 */
#ifndef PORT_CHECK_H
#define PORT_CHECK_H

#include "otter/config.h"
#include "otter/device.h"
#include "otter/port/link.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PORT_CHECK_LINE = 120 }; /* bytes of the longest line, with its end */

struct port_check {
    const struct otter_ports *ports; /* stays in use */
    const struct otter_link *link;   /* NULL: no link is tried */

    /* Flash that nobody needs: two or more whole sectors of one area; a second slot or
     * the store, before the device has its first system. Its content is lost; each of
     * its sectors is erased a dozen times. Addresses past the areas are tried in such a
     * way that a port that drops high bits of an address hits this region too. */
    uint32_t scratch_addr;
    uint32_t scratch_size;

    /* Worst times in ms that the product counts on; 0: not compared. */
    uint32_t program_ms_max; /* one call of program */
    uint32_t erase_ms_max;
    uint32_t verify_ms_max; /* one signature check */

    uint32_t watchdog_ms;  /* period for port_check_resets(); 0: 2,000 */
    uint32_t link_wait_ms; /* how long a peer's message is waited for */

    /* Takes one line, without a line end. */
    void *context;
    void (*print)(void *context, const char *line);

    /* Outcome, to be read. */
    uint16_t passed;
    uint16_t failed;
    uint16_t skipped;

    /* Inner parts. */
    uint32_t program_ms; /* longest so far */
    uint32_t erase_ms;
    bool has_clock;
    bool has_scratch;
    uint32_t detail; /* of the check that runs: an address or a time */
    const char *unit;
    uint8_t data[OTTER_PAGE_MAX + 1];
};

/* Tries everything that needs no reset, and prints a last line with the counts. The
 * link comes last: it waits for one message of a peer and sends it back as it came; the
 * peer compares. True if nothing failed. */
bool port_check_run(struct port_check *check);

enum port_check_resets {
    PORT_CHECK_RESETS_DONE = 0, /* all causes were told right */
    PORT_CHECK_RESETS_FAILED,   /* some were not; the lines tell which */
    PORT_CHECK_RESETS_WAITS,    /* of a virtual board alone: it resets now */
};

/* Two resets, to be called at each start until it returns: asks for the manager and
 * resets by software, starts the watchdog and lets it bite; looks each time whether the
 * cause and the word for the manager came through. Where it stands lies in the first
 * sector of scratch, so flash must be sound: port_check_run() tells. */
enum port_check_resets port_check_resets(struct port_check *check);

#ifdef __cplusplus
}
#endif

#endif
