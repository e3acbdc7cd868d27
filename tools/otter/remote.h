/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device at the other end of an SMP link, as the verbs ask it: one function a
 * command. What went wrong is a result; remote_complain() says it to a person.
 */
#ifndef OTTER_TOOL_REMOTE_H
#define OTTER_TOOL_REMOTE_H

#include "serial_link.h"
#include "smp_client.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct remote {
    const char *address;
    bool is_serial; /* serial, not udp, leads to the device */
    struct smp_udp udp;
    struct host_serial serial;
    struct smp_client client;
};

enum { REMOTE_TEXT_MAX = 32, REMOTE_HASH_SIZE = 32, REMOTE_ID_SIZE = 8 };

struct remote_status {
    char phase[REMOTE_TEXT_MAX];
    char code[REMOTE_TEXT_MAX]; /* "23-12" of a refused package, or empty */
    char program[REMOTE_TEXT_MAX];
    char slot[REMOTE_TEXT_MAX]; /* free slot of an A/B device, or empty */
    char version[REMOTE_TEXT_MAX];
    uint32_t percent, off, len, left_s;
};

struct remote_outcome {
    uint32_t kind; /* enum otter_outcome_kind */
    char code[REMOTE_TEXT_MAX];
    uint8_t id[REMOTE_ID_SIZE];
};

/* A part of a package, or of its control packet. */
struct remote_chunk {
    uint32_t off;
    const uint8_t *data;
    size_t size;
    uint32_t len;       /* of the whole */
    const uint8_t *sha; /* SHA-256 of the package file */
};

/* True for what is written like an address, not like a directory. */
bool remote_is_address(const char *text);

/* TOOL_USAGE, with a message, for an address that is not whole. */
int remote_check(const char *address);

/* Opens the link; false with a message. */
bool remote_open(struct remote *remote, const char *address);
void remote_close(struct remote *remote);

/* Bytes of the longest message that the device takes. 33-14 if it does not tell. */
OTTER_MUST_CHECK enum otter_result remote_buffer(struct remote *remote, uint32_t *size);

OTTER_MUST_CHECK enum otter_result remote_status(struct remote *remote,
                                                 struct remote_status *status);
OTTER_MUST_CHECK enum otter_result remote_outcome(struct remote *remote,
                                                  struct remote_outcome *outcome);

/* Forgets a transfer; the device goes on at 0. */
OTTER_MUST_CHECK enum otter_result remote_restart(struct remote *remote);

/* Sends a part; `next` is the offset in the package file at which to go on. */
OTTER_MUST_CHECK enum otter_result remote_offer(struct remote *remote,
                                                const struct remote_chunk *chunk,
                                                uint32_t *next);
OTTER_MUST_CHECK enum otter_result remote_upload(struct remote *remote,
                                                 const struct remote_chunk *chunk,
                                                 uint32_t *next);

/* Asks for the installation of the stored package with that hash: by group 64, or by
 * an image test where the device does not know it. */
OTTER_MUST_CHECK enum otter_result remote_request(struct remote *remote,
                                                  const uint8_t hash[REMOTE_HASH_SIZE]);

OTTER_MUST_CHECK enum otter_result remote_confirm(struct remote *remote);
OTTER_MUST_CHECK enum otter_result remote_reset(struct remote *remote);

/* Asks for the manager, which a reset starts. A lost reply is no failure. */
OTTER_MUST_CHECK enum otter_result remote_enter_manager(struct remote *remote);

/* Has a requested package installed: asks for a reset if the status says that one is
 * needed, and again only if it still does. 25-17 if that cannot be found out. A device
 * that tells no status is reset as by remote_reset(). */
OTTER_MUST_CHECK enum otter_result remote_begin(struct remote *remote);

/* The result that "23-12" stands for; OTTER_OK if it is no code. */
enum otter_result remote_result_of(const char *text);

/* Says on stderr what `result` of the last call means; gives the exit status. */
int remote_complain(const struct remote *remote, enum otter_result result);

/* Adds what people read about the running system, as product.h names it, and the keys
 * that the device trusts or does not trust any more. */
OTTER_MUST_CHECK enum otter_result remote_product(struct remote *remote,
                                                  json_t *described);

/* Asks for status, outcome and product, and prints them for people, or as JSON. */
OTTER_MUST_CHECK enum otter_result remote_report(struct remote *remote, bool is_json);

#endif
