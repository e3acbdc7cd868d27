/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot: collect the facts, decide, act, until there is somewhere to jump. Every act
 * changes a fact, so the loop ends; its bound is checked all the same.
 */
#include "otter/boot.h"

#include "otter/rebuild.h"

#include "boot_inner.h"

#include <string.h>

enum {
    /* Checks of two systems and the manager, a roll back tried three times, each
     * verified, a switch, a jump: never more than this many acts. */
    ACTS_MAX = 32,
};

void boot_feed(const struct otter_boot *boot)
{
    const struct otter_board *board = boot->device.ports.board;

    board->watchdog_feed(board->context);
}

void boot_load_state(struct otter_boot *boot)
{
    const struct otter_state *state = &boot->device.journal.state;
    struct otter_boot_facts *facts = &boot->facts;

    facts->phase = state->phase;
    facts->part = state->part;
    facts->current = state->current;
    facts->faults = state->faults;
    facts->powers = state->powers;
    facts->roll_backs = state->roll_backs;
    facts->has_new_manager = (state->flags & OTTER_FLAG_NEW_MANAGER) != 0;
    facts->has_new_regions = (state->flags & OTTER_FLAG_NEW_REGIONS) != 0;
    facts->is_closed = (state->flags & OTTER_FLAG_CLOSED) != 0;
    facts->has_unknown = otter_state_has_unknown(state);
    facts->is_given_up = otter_state_is_given_up(state);
}

/* A loader that crashes or hangs is not run again in this power-on (K21): the manager
 * does its work. */
static bool may_load(const struct otter_boot *boot)
{
    const struct otter_board *board = boot->device.ports.board;

    return boot->device.ports.loader != NULL &&
           otter_map_find(&boot->device.table.map, OTTER_REGION_LOADER) != NULL &&
           board->reset_cause(board->context) <= OTTER_RESET_SOFTWARE;
}

static void collect_facts(struct otter_boot *boot)
{
    const struct otter_board *board = boot->device.ports.board;
    const struct otter_policy *policy = &boot->device.table.policy;
    struct otter_boot_facts *facts = &boot->facts;

    memset(facts, 0, sizeof(*facts));
    boot_load_state(boot);
    facts->is_ab = otter_device_is_ab(&boot->device);
    facts->is_on_card = otter_device_is_on_card(&boot->device);
    facts->is_rebuilt = boot->device.journal.is_lost;
    facts->wants_manager = board->wants_manager(board->context);
    facts->is_counted_reset =
        board->reset_cause(board->context) >= OTTER_RESET_SOFTWARE;
    facts->may_load = may_load(boot);
    facts->fault_limit = policy->trial_faults;
    facts->power_limit = policy->trial_powers;
}

/* Resources and fonts are hashed only if there is doubt whose they are (K1): those that
 * an update has replaced, of the system before it; all of them, of a system that nobody
 * expects to run. */
static uint8_t doubtful_regions(const struct otter_boot *boot, uint8_t slot)
{
    if (boot->facts.is_rebuilt) {
        return OTTER_FLAG_NEW_REGIONS;
    }
    if (slot == boot->facts.current) {
        return boot->device.journal.state.flags;
    }
    return boot->facts.phase == OTTER_PHASE_TRIAL ? 0 : OTTER_FLAG_NEW_REGIONS;
}

/* Is the manager that the system in `slot` names the one that is installed? */
static bool has_own_manager(struct otter_boot *boot, uint8_t slot)
{
    return otter_system_verify(&boot->device, slot, OTTER_ROLE_MANAGER, 0,
                               &boot->system) == OTTER_OK;
}

/* Either system's receipt vouches for the manager. */
static enum otter_verdict check_manager(struct otter_boot *boot)
{
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t slot =
            i == 0 ? boot->facts.current : (uint8_t)(1 - boot->facts.current);

        if (has_own_manager(boot, slot)) {
            return OTTER_VERDICT_GOOD;
        }
    }
    return OTTER_VERDICT_BAD;
}

/* Does the system at hand, that of `slot`, serve in the place of the current one, which
 * is damaged? The next package overwrites the receipt of that one, which may alone
 * vouch for the manager that stands: so its own must be there, or its copy. Without any
 * manager whatever runs is better than nothing. */
static bool may_replace(struct otter_boot *boot, uint8_t slot)
{
    bool is_fit = otter_state_has_former(&boot->device.journal.state) &&
                  (has_own_manager(boot, slot) || boot_has_saved_manager(boot, slot));

    return is_fit || check_manager(boot) == OTTER_VERDICT_BAD;
}

static enum otter_verdict check_system(struct otter_boot *boot, uint8_t slot)
{
    bool is_expected =
        slot == boot->facts.current || boot->facts.phase == OTTER_PHASE_TRIAL;
    bool is_good =
        otter_system_verify(&boot->device, slot, OTTER_ROLE_FIRMWARE,
                            doubtful_regions(boot, slot), &boot->system) == OTTER_OK &&
        (is_expected || may_replace(boot, slot));

    return is_good ? OTTER_VERDICT_GOOD : OTTER_VERDICT_BAD;
}

/* Writes a record; one that cannot be written becomes a fact. */
void boot_record(struct otter_boot *boot, const struct otter_state *state,
                 enum otter_firmness firmness)
{
    enum otter_result result = otter_device_record(&boot->device, state, firmness);

    if (result != OTTER_OK) {
        boot->facts.cannot_record = true;
        otter_device_event(&boot->device, OTTER_EVENT_FAILED, OTTER_PROGRAM_BOOT, 0,
                           otter_code(result));
    }
    boot_load_state(boot);
}

/* Most packages bring none. */
static enum otter_verdict check_loader(struct otter_boot *boot)
{
    enum otter_result result = boot->device.ports.loader->load(boot);

    if (result != OTTER_OK && result != OTTER_E_CONTROL_MISSING) {
        otter_device_event(&boot->device, OTTER_EVENT_FAILED, OTTER_PROGRAM_BOOT, 0,
                           otter_code(OTTER_E_BOOT_LOADER));
    }
    return result == OTTER_OK ? OTTER_VERDICT_GOOD : OTTER_VERDICT_BAD;
}

static void start_watchdog(const struct otter_boot *boot)
{
    const struct otter_board *board = boot->device.ports.board;

    board->watchdog_start(board->context,
                          (uint32_t)boot->device.table.policy.watchdog_s * 1000U);
}

/* The attempt stands before the jump (K16); the watchdog runs before it, too. */
static void start_trial(struct otter_boot *boot)
{
    struct otter_state state = boot->device.journal.state;

    if (boot->facts.is_counted_reset) {
        state.faults++;
    } else {
        state.powers++;
    }
    boot_record(boot, &state, OTTER_SEALED);
    if (!boot->facts.cannot_record) {
        start_watchdog(boot);
    }
}

void boot_take_outcome(struct otter_boot *boot, struct otter_state *state, uint8_t kind,
                       uint16_t code)
{
    struct otter_system system;

    state->outcome.kind = kind;
    state->outcome.code = code;
    memset(state->outcome.id, 0, sizeof(state->outcome.id));
    if (otter_system_peek(&boot->device, (uint8_t)(1 - boot->facts.current), &system) ==
        OTTER_OK) {
        memcpy(state->outcome.id, system.control.package_id, sizeof(state->outcome.id));
    }
}

void boot_clear_work(struct otter_state *state)
{
    otter_state_begin(state, OTTER_PART_NONE);
    state->faults = 0;
    state->powers = 0;
}

void boot_settle_manager(struct otter_boot *boot, struct otter_state *state,
                         uint8_t slot)
{
    if ((state->flags & OTTER_FLAG_NEW_MANAGER) != 0 && has_own_manager(boot, slot)) {
        state->flags = (uint8_t)(state->flags & ~OTTER_FLAG_NEW_MANAGER);
    }
}

/* Of a system that takes the place of a damaged one the manager comes back first. */
static void replace_damaged(struct otter_boot *boot, struct otter_state *state,
                            uint8_t slot)
{
    if (!has_own_manager(boot, slot)) {
        state->phase = OTTER_PHASE_INSTALLING;
        state->part = OTTER_PART_TAKE_BACK;
        state->flags |= OTTER_FLAG_NEW_MANAGER;
    }
}

/* `slot` is the current system from now on, confirmed. */
static void switch_to(struct otter_boot *boot, uint8_t slot, uint16_t code)
{
    struct otter_state state = boot->device.journal.state;
    bool is_roll_back =
        state.phase == OTTER_PHASE_TRIAL || state.phase == OTTER_PHASE_ROLLING_BACK;

    if (state.phase == OTTER_PHASE_TRIAL) {
        boot_take_outcome(boot, &state, OTTER_OUTCOME_ROLLED_BACK, code);
    } else if (!is_roll_back) {
        boot_take_outcome(boot, &state, OTTER_OUTCOME_DAMAGED, code);
    }
    boot_clear_work(&state);
    boot_settle_manager(boot, &state, slot);
    state.flags = (uint8_t)(state.flags & ~OTTER_FLAGS_OVER);
    state.phase = OTTER_PHASE_ROLLED_BACK;
    state.current = slot;
    state.roll_backs = 0;
    if (!is_roll_back) {
        replace_damaged(boot, &state, slot);
    }
    otter_device_event(&boot->device, OTTER_EVENT_PHASE, state.phase, 0,
                       state.outcome.code);
    boot_record(boot, &state, OTTER_LASTING);
    (void)otter_device_choose_table(&boot->device);
}

static void begin_roll_back(struct otter_boot *boot, uint16_t code)
{
    struct otter_state state = boot->device.journal.state;

    boot_take_outcome(boot, &state, OTTER_OUTCOME_ROLLED_BACK, code);
    boot_clear_work(&state);
    state.phase = OTTER_PHASE_ROLLING_BACK;
    state.part = OTTER_PART_RESTORE;
    state.roll_backs = 0;
    otter_device_event(&boot->device, OTTER_EVENT_PHASE, OTTER_PHASE_ROLLING_BACK, 0,
                       code);
    boot_record(boot, &state, OTTER_LASTING);
}

static struct otter_boot_result jump_to(const struct otter_boot *boot,
                                        enum otter_boot_target target, uint8_t id,
                                        uint16_t code)
{
    const struct otter_region *region = otter_map_find(&boot->device.table.map, id);
    struct otter_boot_result result = {.target = target, .region = id, .code = code};

    if (region != NULL) {
        result.addr = region->addr;
        result.exec = region->exec;
    }
    return result;
}

static struct otter_boot_result run(const struct otter_boot *boot, uint8_t slot,
                                    uint16_t code)
{
    return jump_to(boot, OTTER_BOOT_TO_APPLICATION,
                   otter_system_region(&boot->device, slot, OTTER_ROLE_FIRMWARE), code);
}

/* The newest record may be lost or come back: the programs that follow would each see
 * their own truth. One of the two readings is made the truth here (K3). */
static void seal(struct otter_boot *boot)
{
    struct otter_state state = boot->device.journal.state;

    boot_record(boot, &state, OTTER_SEALED);
}

/* Manager or loader is to install: then its journal must take a record, or it would
 * only come back here, for ever. */
static bool may_work(struct otter_boot *boot)
{
    bool has_to_install = boot->facts.phase == OTTER_PHASE_REQUESTED ||
                          boot->facts.phase == OTTER_PHASE_INSTALLING;

    if (!has_to_install || boot->facts.cannot_record) {
        return true;
    }
    seal(boot);
    return !boot->facts.cannot_record;
}

static struct otter_boot_result leave_for(const struct otter_boot *boot,
                                          const struct otter_boot_decision *decision)
{
    static const struct {
        enum otter_boot_target target;
        uint8_t region;
    } places[] = {
        [OTTER_BOOT_TRY_MANAGER] = {OTTER_BOOT_TO_MANAGER, OTTER_REGION_MANAGER},
        [OTTER_BOOT_MANAGER] = {OTTER_BOOT_TO_MANAGER, OTTER_REGION_MANAGER},
        [OTTER_BOOT_LOADER] = {OTTER_BOOT_TO_LOADER, OTTER_REGION_LOADER},
        [OTTER_BOOT_NOTHING] = {OTTER_BOOT_TO_NOTHING, OTTER_REGION_NONE},
    };

    return decision->act == OTTER_BOOT_RUN || decision->act == OTTER_BOOT_TRY
               ? run(boot, decision->slot, decision->code)
               : jump_to(boot, places[decision->act].target,
                         places[decision->act].region, decision->code);
}

/* What goes before the jump. False if it cannot be done: boot decides again. */
static bool prepare(struct otter_boot *boot, enum otter_boot_act act)
{
    if (act == OTTER_BOOT_TRY || act == OTTER_BOOT_TRY_MANAGER) {
        start_trial(boot);
        return !boot->facts.cannot_record;
    }
    if ((act == OTTER_BOOT_MANAGER || act == OTTER_BOOT_LOADER) && !may_work(boot)) {
        return false;
    }
    if (act == OTTER_BOOT_LOADER) {
        start_watchdog(boot);
    }
    return true;
}

/* Does one act. True if it is time to jump. */
static bool act(struct otter_boot *boot, const struct otter_boot_decision *decision,
                struct otter_boot_result *result)
{
    switch (decision->act) {
    case OTTER_BOOT_CHECK_SYSTEM:
        boot->facts.system[decision->slot] = check_system(boot, decision->slot);
        return false;
    case OTTER_BOOT_CHECK_MANAGER:
        boot->facts.manager = check_manager(boot);
        return false;
    case OTTER_BOOT_CHECK_LOADER:
        boot->facts.loader = check_loader(boot);
        return false;
    case OTTER_BOOT_SWITCH:
        switch_to(boot, decision->slot, decision->code);
        return false;
    case OTTER_BOOT_ROLL_BACK:
        begin_roll_back(boot, decision->code);
        return false;
    case OTTER_BOOT_RESTORE:
    case OTTER_BOOT_WRITE_MANAGER:
    case OTTER_BOOT_TAKE_BACK:
    case OTTER_BOOT_WRITE_BACK:
    case OTTER_BOOT_BEGIN_RESTORE:
    case OTTER_BOOT_RESTORE_MANAGER:
    case OTTER_BOOT_RESTORE_AGAIN:
        boot_copy_act(boot, decision);
        return false;
    case OTTER_BOOT_RUN:
    case OTTER_BOOT_TRY:
    case OTTER_BOOT_TRY_MANAGER:
    case OTTER_BOOT_MANAGER:
    case OTTER_BOOT_LOADER:
    case OTTER_BOOT_NOTHING:
        break;
    }
    if (!prepare(boot, decision->act)) {
        return false;
    }
    *result = leave_for(boot, decision);
    return true;
}

/* A lost journal is rebuilt and written again, so that every program sees the same
 * state (K2). */
static void rebuild(struct otter_boot *boot)
{
    enum otter_result result = otter_rebuild(&boot->device);
    struct otter_state state = boot->device.journal.state;

    if (result != OTTER_OK) {
        return; /* no system is proved: nothing worth a record */
    }
    if (otter_device_record(&boot->device, &state, OTTER_LASTING) != OTTER_OK) {
        boot->facts.cannot_record = true;
    }
}

static struct otter_boot_result decide_and_act(struct otter_boot *boot)
{
    struct otter_boot_result result = {0};

    for (int i = 0; i < ACTS_MAX; i++) {
        struct otter_boot_decision decision = otter_boot_decide(&boot->facts);

        boot_feed(boot);
        if (act(boot, &decision, &result)) {
            return result;
        }
    }
    return jump_to(boot, OTTER_BOOT_TO_NOTHING, OTTER_REGION_NONE,
                   otter_code(OTTER_E_BOOT_NOTHING));
}

struct otter_boot_result otter_boot_run(struct otter_boot *boot,
                                        const struct otter_ports *ports)
{
    enum otter_result opened =
        otter_device_open(&boot->device, ports, OTTER_PROGRAM_BOOT);

    if (opened != OTTER_OK) {
        struct otter_boot_result result = {.target = OTTER_BOOT_TO_NOTHING,
                                           .code = otter_code(opened)};

        ports->board->report(ports->board->context, result.code);
        return result;
    }
    collect_facts(boot);
    if (boot->device.journal.is_lost) {
        rebuild(boot);
        boot_load_state(boot);
    } else if (!boot->device.journal.is_sealed) {
        seal(boot);
    }
    struct otter_boot_result result = decide_and_act(boot);

    if (result.code != 0) {
        ports->board->report(ports->board->context, result.code);
    }
    return result;
}
