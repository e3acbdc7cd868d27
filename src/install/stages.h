/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stages of an installation. Private to src/install.
 */
#ifndef OTTER_STAGES_H
#define OTTER_STAGES_H

#include "otter/install.h"

/* One bounded step of a stage. `substep` is 0 when the stage begins; DONE ends the
 * stage, FAILED ends the installation with `result`. The journal is not busy. */
typedef enum otter_step otter_stage_fn(struct otter_install *install);

struct otter_stage {
    uint8_t code; /* public: XX of [XX-YY]; never renumbered */
    const char *name;
    bool (*applies)(const struct otter_install *install);
    otter_stage_fn *step;
};

/* In the order of execution; ends with a row without a step. */
extern const struct otter_stage otter_stages[];

/* The rows' functions, by file. */
otter_stage_fn otter_stage_package; /* stage_check.c */
otter_stage_fn otter_stage_check;
otter_stage_fn otter_stage_manager; /* stage_manager.c */
otter_stage_fn otter_stage_table;   /* stage_table.c */
otter_stage_fn otter_stage_save;    /* stage_write.c */
otter_stage_fn otter_stage_write;
otter_stage_fn otter_stage_validate;
otter_stage_fn otter_stage_regions; /* stage_regions.c */
otter_stage_fn otter_stage_aside;   /* stage_tree.c */
otter_stage_fn otter_stage_files;

/* Sets `result` and answers FAILED. */
enum otter_step otter_stage_fail(struct otter_install *install,
                                 enum otter_result result);

/* Goes to the next member from `install->member` on whose strategy is in
 * `strategies` (bit: enum otter_strategy). MORE: `current` is that member; DONE: none
 * is left; FAILED: its entry cannot be read. */
enum otter_step otter_stage_find_member(struct otter_install *install,
                                        uint16_t strategies);

enum {
    OTTER_STRATEGIES_SLOT = 1 << OTTER_STRATEGY_OTHER_SLOT,
    OTTER_STRATEGIES_SAVED = 1 << OTTER_STRATEGY_SAVED_COPY,
    OTTER_STRATEGIES_BOOT = 1 << OTTER_STRATEGY_BY_BOOT,
    OTTER_STRATEGIES_KEPT = 1 << OTTER_STRATEGY_KEPT,
    OTTER_STRATEGIES_REGION = 1 << OTTER_STRATEGY_REGION,
    OTTER_STRATEGIES_INTO = 1 << OTTER_STRATEGY_INTO_SLOT,
    OTTER_STRATEGIES_TABLE = 1 << OTTER_STRATEGY_TABLE,
    OTTER_STRATEGIES_LOADER = 1 << OTTER_STRATEGY_LOADER,
    OTTER_STRATEGIES_PLACE = 1 << OTTER_STRATEGY_IN_PLACE,
    OTTER_STRATEGIES_TREE = 1 << OTTER_STRATEGY_TREE,
    OTTER_STRATEGIES_UNPACKED = OTTER_STRATEGIES_REGION | OTTER_STRATEGIES_TREE,
    OTTER_STRATEGIES_WRITTEN = OTTER_STRATEGIES_SAVED | OTTER_STRATEGIES_INTO,
    OTTER_STRATEGIES_ALL =
        OTTER_STRATEGIES_KEPT | OTTER_STRATEGIES_SLOT | OTTER_STRATEGIES_WRITTEN |
        OTTER_STRATEGIES_BOOT | OTTER_STRATEGIES_REGION | OTTER_STRATEGIES_TABLE |
        OTTER_STRATEGIES_LOADER | OTTER_STRATEGIES_PLACE | OTTER_STRATEGIES_TREE,
};

/* Opens `stream` on the stored bytes of the member under way, which is `current`. */
OTTER_MUST_CHECK enum otter_result otter_stage_open_store(
    struct otter_install *install);

/* Hashes on; at the end `matches` tells whether the digest is `wanted`. */
OTTER_MUST_CHECK enum otter_result otter_stage_hash(struct otter_install *install,
                                                    const uint8_t *wanted,
                                                    bool *is_done, bool *matches);

/* The placement of the member under way. */
const struct otter_placement *otter_stage_placement(
    const struct otter_install *install);

/* True if the journal's writing, which has begun, stands at a member of that strategy.
 */
bool otter_stage_writes(const struct otter_install *install, uint8_t strategy);

/* Opens the copying of the member under way from the store to its region, from the
 * journal's cursor on; or from the start, which is sealed, if it `begins`. */
OTTER_MUST_CHECK enum otter_result otter_stage_open_write(struct otter_install *install,
                                                          bool begins);

/* FAILED with `base` and the stage's percentage. */
enum otter_step otter_stage_fail_at(struct otter_install *install,
                                    enum otter_result base);

/* Seals that the stage works at `part`, from its start. */
OTTER_MUST_CHECK enum otter_result otter_stage_put(struct otter_install *install,
                                                   enum otter_part part,
                                                   enum otter_firmness firmness);

/* Of a stage of several members and passes: bytes that are installed of all members
 * before number `end`, of the plan at most all, whose strategy is in `strategies`. An
 * entry that cannot be read counts for nothing. */
uint64_t otter_stage_sum(const struct otter_install *install, uint16_t strategies,
                         uint8_t end);

/* `percent` of such a stage: `work` bytes are to be done, `worked` and `done` are. */
void otter_stage_progress(struct otter_install *install, uint64_t done);

/* Percentage of `done` in `size`; 100 for nothing to do. */
uint8_t otter_stage_percent(uint32_t done, uint32_t size);

#endif
