/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent: otter inside the application. It composes device, receiver and SMP door,
 * and adds what only the running application can do: confirm.
 */
#include "otter/agent.h"

#include "otter/rebuild.h"

#include <string.h>

/* Boot has started the application although an update is requested: it may have read
 * the newest record otherwise. Said once more, the request is certain (K3); the next
 * boot runs the manager. */
static void seal_request(struct otter_device *device)
{
    struct otter_state state = device->journal.state;

    if (state.phase != OTTER_PHASE_REQUESTED || otter_state_has_unknown(&state)) {
        return;
    }
    enum otter_result result = otter_device_record(device, &state, OTTER_SEALED);

    if (result != OTTER_OK) {
        otter_device_event(device, OTTER_EVENT_FAILED, OTTER_PHASE_REQUESTED, 0,
                           otter_code(result));
    }
}

enum otter_result otter_agent_open(struct otter_agent *agent,
                                   const struct otter_ports *ports,
                                   const struct otter_link *link)
{
    memset(agent, 0, sizeof(*agent));
    agent->device.ports = *ports; /* poll feeds the watchdog even if opening fails */
    agent->started_ms = ports->board->time_ms(ports->board->context);
    enum otter_result result =
        otter_device_open(&agent->device, ports, OTTER_PROGRAM_AGENT);

    otter_card_attach(&agent->device, &agent->card_files);
    if (result != OTTER_OK) {
        return result;
    }
    if (agent->device.journal.is_lost) {
        result = otter_rebuild(&agent->device);
        if (result != OTTER_OK) {
            return result;
        }
    } else {
        seal_request(&agent->device);
    }
    otter_receive_open(&agent->receive, &agent->device);
    otter_smp_init(&agent->smp, &agent->device, &agent->receive, link);
    otter_card_door_open(&agent->card, &agent->device, &agent->receive);
    agent->is_ready = true;
    return OTTER_OK;
}

bool otter_agent_is_trial(const struct otter_agent *agent)
{
    /* A state that this program had to guess is nothing to confirm: boot may have
     * started another system. */
    return agent->is_ready && !agent->device.journal.is_lost &&
           agent->device.journal.state.phase == OTTER_PHASE_TRIAL;
}

static enum otter_poll reset(struct otter_agent *agent)
{
    const struct otter_board *board = agent->device.ports.board;

    board->reset(board->context);
    return OTTER_POLL_RESET;
}

static bool is_past_deadline(const struct otter_agent *agent)
{
    const struct otter_board *board = agent->device.ports.board;
    uint32_t deadline_ms =
        (uint32_t)agent->device.table.policy.trial_deadline_s * 1000U;

    return otter_agent_is_trial(agent) &&
           board->time_ms(board->context) - agent->started_ms >= deadline_ms;
}

enum otter_poll otter_agent_enter_manager(struct otter_agent *agent)
{
    const struct otter_board *board = agent->device.ports.board;

    board->request_manager(board->context, true);
    return reset(agent);
}

/* ---- the flash table ---- */

static void note_failure(struct otter_agent *agent, enum otter_result result)
{
    if (result != OTTER_OK) {
        otter_device_event(&agent->device, OTTER_EVENT_FAILED, OTTER_PROGRAM_AGENT, 0,
                           otter_code(result));
    }
}

/* A sector that fails is noted, too: it is not tried again at every start. */
static void end_mending(struct otter_agent *agent, enum otter_result result)
{
    note_failure(agent, result);
    agent->is_mending = false;
    agent->is_mended = true;
    note_failure(agent, otter_table_settle(&agent->device));
}

static enum otter_result begin_mending(struct otter_agent *agent)
{
    struct otter_device *device = &agent->device;
    enum otter_result result = OTTER_OK;
    uint8_t place = 0;

    if (otter_device_choose_table(device) && !otter_table_is_twice(device) &&
        otter_table_spare(device, &place)) {
        result = otter_rewriting_own(&agent->rewriting, device, place);
        agent->is_mending = result == OTTER_OK;
    }
    return result;
}

/* After an update that has brought a table there is one copy of it only, beside the
 * store (K8). At most one flash operation, or a record. False if there is nothing to
 * do.
 */
static bool mend(struct otter_agent *agent)
{
    enum otter_result result = OTTER_OK;
    bool is_done = false;

    if (agent->is_mending) {
        result = otter_rewriting_step(&agent->rewriting, &is_done);
        if (otter_rewriting_finds_other(&agent->rewriting, result)) {
            note_failure(agent, result);
            agent->is_mending = false; /* begun again there */
        } else if (result != OTTER_OK || is_done) {
            end_mending(agent, result);
        }
        return true;
    }
    if (agent->is_mended || agent->device.journal.is_lost ||
        !otter_table_is_split(&agent->device)) {
        return false;
    }
    result = begin_mending(agent);
    if (!agent->is_mending) {
        end_mending(agent, result);
    }
    return true;
}

/* What the door wants done after its answer went out. */
static enum otter_poll grant(struct otter_agent *agent, enum otter_wish wish)
{
    switch (wish) {
    case OTTER_WISH_NONE:
        break;
    case OTTER_WISH_RESET:
        return reset(agent);
    case OTTER_WISH_CONFIRM:
        /* A failure is told as an event; the trial goes on. */
        (void)!otter_agent_confirm(agent);
        break;
    case OTTER_WISH_MANAGER:
        return otter_agent_enter_manager(agent);
    }
    return OTTER_POLL_BUSY;
}

/* The card door works; messages wait in the link meanwhile. */
static enum otter_poll poll_card(struct otter_agent *agent)
{
    /* A failure is told as an event and stays in `card.result`. */
    (void)!otter_card_door_step(&agent->card);
    return agent->card.is_requested ? reset(agent) : OTTER_POLL_BUSY;
}

/* When no update is under way nothing of one is left on the card. True: it went on. */
static bool tidy(struct otter_agent *agent)
{
    uint8_t phase = agent->device.journal.state.phase;
    bool is_over = phase == OTTER_PHASE_CONFIRMED || phase == OTTER_PHASE_ROLLED_BACK;

    return is_over && !agent->device.journal.is_lost &&
           otter_device_is_on_card(&agent->device) &&
           otter_card_tidy(&agent->device, &agent->tidied);
}

enum otter_result otter_agent_install(struct otter_agent *agent, const char *path)
{
    return agent->is_ready ? otter_card_door_begin(&agent->card, path) : OTTER_E_BUSY;
}

enum otter_poll otter_agent_poll(struct otter_agent *agent)
{
    const struct otter_board *board = agent->device.ports.board;

    board->watchdog_feed(board->context);
    if (!agent->is_ready) {
        return OTTER_POLL_IDLE;
    }
    if (is_past_deadline(agent)) {
        otter_device_event(&agent->device, OTTER_EVENT_FAILED, OTTER_PROGRAM_AGENT, 0,
                           otter_code(OTTER_E_TRIAL_DEADLINE));
        return reset(agent);
    }
    if (mend(agent)) {
        return OTTER_POLL_BUSY; /* before a package can take the store's place */
    }
    if (otter_card_door_is_busy(&agent->card)) {
        /* What an earlier update left may take the room that this one needs. */
        return tidy(agent) ? OTTER_POLL_BUSY : poll_card(agent);
    }
    bool is_busy = otter_smp_poll(&agent->smp);
    enum otter_wish wish = otter_smp_take_wish(&agent->smp);

    if (wish != OTTER_WISH_NONE) {
        return grant(agent, wish);
    }
    return is_busy || tidy(agent) ? OTTER_POLL_BUSY : OTTER_POLL_IDLE;
}

/* The record that makes the new system the current one, once and for all: confirmed,
 * counter and key set in one (K17). */
static void make_confirmed(const struct otter_control *control, uint32_t key_mask,
                           struct otter_state *state)
{
    state->key_mask = key_mask;
    state->phase = OTTER_PHASE_CONFIRMED;
    state->part = OTTER_PART_NONE;
    state->current = (uint8_t)(1 - state->current);
    state->faults = 0;
    state->powers = 0;
    state->flags = (uint8_t)(state->flags & ~OTTER_FLAG_NEW_SYSTEM);
    if (control->counter > state->counter) {
        state->counter = control->counter;
    }
    state->outcome.kind = OTTER_OUTCOME_CONFIRMED;
    state->outcome.code = 0;
    memcpy(state->outcome.id, control->package_id, sizeof(state->outcome.id));
    /* The session stays: a first part that comes late begins nothing. */
}

enum otter_result otter_agent_confirm(struct otter_agent *agent)
{
    struct otter_device *device = &agent->device;
    struct otter_state state = device->journal.state;
    struct otter_system system;
    uint32_t key_mask = 0;

    if (!otter_agent_is_trial(agent)) {
        return OTTER_OK;
    }
    enum otter_result result =
        otter_system_peek(device, (uint8_t)(1 - state.current), &system);

    if (result == OTTER_OK) {
        result = otter_keys_of(device, &system, &key_mask);
    }
    if (result != OTTER_OK) {
        return result;
    }
    make_confirmed(&system.control, key_mask, &state);
    result = otter_device_record(device, &state, OTTER_LASTING);
    otter_device_event(device,
                       result == OTTER_OK ? OTTER_EVENT_PHASE : OTTER_EVENT_FAILED,
                       OTTER_PHASE_CONFIRMED, 0, otter_code(result));
    if (result != OTTER_OK) {
        return result;
    }
    (void)otter_device_choose_table(device);
    otter_device_open_regions(device);
    agent->is_mended = false;
    otter_receive_open(&agent->receive, device);
    agent->tidied = 0;
    return OTTER_OK;
}

void otter_agent_outcome(const struct otter_agent *agent, struct otter_outcome *outcome)
{
    *outcome = agent->device.journal.state.outcome;
}
