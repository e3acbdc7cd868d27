/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the files of the port check: one table of checks for each port, and how a
 * check says where it failed.
 */
#ifndef PORT_CHECK_INNER_H
#define PORT_CHECK_INNER_H

#include "port_check.h"

enum check_verdict { CHECK_PASSED, CHECK_FAILED, CHECK_SKIPPED };

/* A sentence that is true of a sound port, and how to find out. */
struct check_row {
    const char *sentence;
    enum check_verdict (*run)(struct port_check *check);
    bool needs_scratch; /* skipped without */
};

/* Ended by a row without a sentence. */
extern const struct check_row port_check_board[];
extern const struct check_row port_check_flash[];
extern const struct check_row port_check_crypto[];
extern const struct check_row port_check_files[];
extern const struct check_row port_check_link[];

/* Runs one row, prints its line and counts it. */
void port_check_row(struct port_check *check, const char *port,
                    const struct check_row *row);

/* Fails at a place; or for a number of something else. */
enum check_verdict port_check_fail(struct port_check *check, uint32_t addr);
enum check_verdict port_check_fail_number(struct port_check *check, uint32_t number,
                                          const char *unit);

static inline enum check_verdict port_check_verdict(bool is_good)
{
    return is_good ? CHECK_PASSED : CHECK_FAILED;
}

/* Milliseconds by the board's clock. */
uint32_t port_check_ms(const struct port_check *check);
void port_check_feed(const struct port_check *check);

/* --- files, for the resets --- */

/* Before a reset: makes a file and syncs it. True without files. After it: is the file
 * there, whole? It is removed. */
bool port_check_keep_file(struct port_check *check);
bool port_check_find_file(struct port_check *check);

/* --- flash, for the resets too --- */

/* The area that holds all of scratch, or NULL. */
const struct otter_flash_area *port_check_area(const struct port_check *check);

/* What a byte at `addr` is programmed to. */
uint8_t port_check_byte(uint32_t addr, uint8_t salt);

/* The most that one call of these checks programs. */
uint32_t port_check_page(const struct port_check *check);

/* Programs whole words as `salt` has them at `addr`, a page a call, from a buffer that
 * begins `shift` (0 or 1) bytes past an even address. */
bool port_check_program(struct port_check *check, uint32_t addr, uint32_t size,
                        uint8_t salt, unsigned shift);
bool port_check_erase(struct port_check *check, uint32_t addr);

/* True if the bytes are as `salt` has them, or erased; else `detail` is the first
 * other address. */
bool port_check_holds(struct port_check *check, uint32_t addr, uint32_t size,
                      uint8_t salt);
bool port_check_is_erased(struct port_check *check, uint32_t addr, uint32_t size);

#endif
