/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the SMP server: the table of commands, the pure decisions, the map from
 * results to what the client reads. Private to src/door, and to tests.
 */
#ifndef OTTER_SMP_INNER_H
#define OTTER_SMP_INNER_H

#include "otter/smp.h"

enum { SMP_NEEDS_NOTHING = 0xFF };

/* Command ids of mcumgr's groups. */
enum {
    SMP_OS_ECHO = 0,
    SMP_OS_RESET = 5,
    SMP_OS_PARAMETERS = 6,
    SMP_OS_BOOTLOADER = 8,
    SMP_IMAGE_STATE = 0,
    SMP_IMAGE_UPLOAD = 1,
    SMP_IMAGE_ERASE = 5,
    SMP_IMAGE_SLOTS = 6,
};

/* Decides and acts; OTTER_OK: now answer, or later if smp->is_owed was set. */
typedef enum otter_result smp_act_fn(struct otter_smp *smp);

/* Writes the reply's entries. */
typedef enum otter_result smp_answer_fn(struct otter_smp *smp,
                                        struct otter_cbor_map *map);

struct otter_smp_command {
    uint16_t group;
    uint8_t id;
    uint8_t op;    /* READ or WRITE */
    uint8_t needs; /* enum otter_command that policy must allow, or SMP_NEEDS_NOTHING */
    uint8_t field_count;
    const struct otter_cbor_field *fields;
    smp_act_fn *act;       /* may be NULL */
    smp_answer_fn *answer; /* may be NULL: an empty map */
};

struct smp_commands {
    const struct otter_smp_command *commands;
    size_t count;
};

/* One table a group. */
extern const struct smp_commands smp_os_commands;
extern const struct smp_commands smp_image_commands;
extern const struct smp_commands smp_otter_commands;

/* NULL if no command has that group, id and op. */
const struct otter_smp_command *smp_find(uint16_t group, uint8_t id, uint8_t op);

/* ---- smp_product.c ---- */

/* What people read about the running system; its notes from an offset on. */
enum { SMP_NOTES_FIELDS = 1 };

extern const struct otter_cbor_field smp_notes_fields[SMP_NOTES_FIELDS];

enum otter_result smp_answer_product(struct otter_smp *smp, struct otter_cbor_map *map);
enum otter_result smp_answer_notes(struct otter_smp *smp, struct otter_cbor_map *map);

/* ---- smp_reply.c ---- */

/* What a client is told about a result. Without a group version 2 says {"rc": rc}, too.
 */
struct smp_error {
    uint8_t rc;     /* version 1, and version 2 without a group */
    uint16_t group; /* version 2 */
    uint16_t group_rc;
};

/* Pure. `group` and `id` are those of the request. */
struct smp_error smp_error_of(enum otter_result result, uint16_t group, uint8_t id);

enum { SMP_CODE_TEXT = 8 };

/* "23-12" of a public code. */
const char *smp_code_text(uint16_t code, char text[SMP_CODE_TEXT]);

/* Sends the reply to the request under way: its answer, or `result`. */
void smp_reply(struct otter_smp *smp, enum otter_result result);

/* ---- smp_image.c ---- */

/* What one slot of the image list says. */
struct smp_slot_flags {
    bool is_listed;
    bool is_new; /* the system of the slot that the journal does not call current */
    bool is_pending;
    bool is_confirmed;
    bool is_active;
};

/* Pure: slot 0 is the running system, slot 1 the other. */
struct smp_slot_flags smp_flags_of(uint8_t phase, uint8_t slot);

/* Which system a state write names. */
enum smp_named {
    SMP_NAMED_NONE = 0, /* no hash */
    SMP_NAMED_RUNNING,
    SMP_NAMED_OTHER, /* the one in slot 1 */
    SMP_NAMED_UNKNOWN,
};

enum smp_state_act {
    SMP_STATE_NOTHING = 0, /* it is so already */
    SMP_STATE_REQUEST,
    SMP_STATE_CONFIRM,
    SMP_STATE_REFUSE,
};

struct smp_state_decision {
    uint8_t act;              /* enum smp_state_act */
    enum otter_result reason; /* of REFUSE */
};

struct smp_state_facts {
    uint8_t phase;
    uint8_t named; /* enum smp_named */
    bool wants_confirm;
    bool may_request;
    bool may_confirm;
};

/* Pure: what a state write does. */
struct smp_state_decision smp_state_decide(const struct smp_state_facts *facts);

/* ---- shared by the groups ---- */

bool smp_has(const struct otter_smp *smp, size_t field);

/* The number in a field that was there; false if it has more than 32 bits. */
bool smp_number(const struct otter_smp *smp, size_t field, uint32_t *number);

/* The first bytes of the remote's hash in a field; zeros if it is not there. */
void smp_session(const struct otter_smp *smp, size_t field,
                 uint8_t session[OTTER_SESSION_SIZE]);

/* Requests the stored package; the reply is owed until the journal has it. */
OTTER_MUST_CHECK enum otter_result smp_request(struct otter_smp *smp);

/* The hash of the package in receipt slot `slot`; false if none can be read. */
bool smp_package_hash(const struct otter_smp *smp, uint8_t slot,
                      uint8_t hash[OTTER_SHA256_SIZE]);

/* The receipt slot of what the image list shows as `slot`. */
uint8_t smp_receipt_slot(const struct otter_smp *smp,
                         const struct smp_slot_flags *flags);

enum { SMP_VERSION_TEXT = 26 };

/* "1.2.3", or "1.2.3.4" with a build number. */
const char *smp_version_text(const struct otter_version *version,
                             char text[SMP_VERSION_TEXT]);

#endif
