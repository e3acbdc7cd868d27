/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: walks the table of stages, one bounded step at a time, and writes how it
 * ends. Before anything of the old system is changed a failure leaves the old system
 * as it is; after that it asks boot to bring it back.
 */
#include "otter/install.h"

#include "stages.h"

#include <string.h>

uint8_t otter_stage_percent(uint32_t done, uint32_t size)
{
    return size == 0 ? 100 : (uint8_t)((uint64_t)done * 100 / size);
}

uint64_t otter_stage_sum(const struct otter_install *install, uint16_t strategies,
                         uint8_t end)
{
    struct otter_source source = otter_span_source(&install->incoming.receipt.span,
                                                   install->incoming.receipt.length);
    struct otter_member member;
    uint64_t sum = 0;

    for (uint8_t i = 0; i < end; i++) {
        if ((strategies >> install->plan.members[i].strategy & 1U) != 0 &&
            otter_control_member(&source, &install->incoming.control, i, &member) ==
                OTTER_OK) {
            sum += member.installed_size;
        }
    }
    return sum;
}

void otter_stage_progress(struct otter_install *install, uint64_t done)
{
    uint64_t all = install->worked + done;
    uint8_t percent = all >= install->work ? 100 : (uint8_t)(all * 100 / install->work);

    install->percent = percent > install->percent ? percent : install->percent;
}

enum otter_step otter_stage_fail(struct otter_install *install,
                                 enum otter_result result)
{
    install->result = result;
    return OTTER_STEP_FAILED;
}

enum otter_step otter_stage_find_member(struct otter_install *install,
                                        uint16_t strategies)
{
    struct otter_source source = otter_span_source(&install->incoming.receipt.span,
                                                   install->incoming.receipt.length);

    for (; install->member < install->plan.count; install->member++) {
        if ((strategies >> install->plan.members[install->member].strategy & 1U) != 0) {
            enum otter_result result =
                otter_control_member(&source, &install->incoming.control,
                                     install->member, &install->current);

            return result == OTTER_OK ? OTTER_STEP_MORE
                                      : otter_stage_fail(install, result);
        }
    }
    return OTTER_STEP_DONE;
}

/* The cipher of the stored bytes of the member under way; closed if they are clear. */
static void open_cipher(struct otter_install *install)
{
    uint8_t nonce[OTTER_AES_NONCE_SIZE];

    otter_cipher_close(&install->store_cipher);
    if ((install->current.flags & OTTER_MEMBER_ENCRYPTED) != 0) {
        otter_control_nonce(install->member, nonce);
        otter_cipher_open(&install->store_cipher, install->device->ports.crypto,
                          install->content_key, nonce);
    }
}

enum otter_result otter_stage_open_store(struct otter_install *install)
{
    const struct otter_placement *placement = &install->plan.members[install->member];

    open_cipher(install);
    install->stored = (struct otter_ciphered){
        .span = {.io = &install->device->io,
                 .region = placement->store_region,
                 .off = placement->store_off},
        .cipher = &install->store_cipher,
    };
    struct otter_source source =
        otter_ciphered_source(&install->stored, install->current.stored_size);

    return otter_stream_open(&install->stream, &source, &install->current,
                             &install->decoding);
}

enum otter_result otter_stage_hash(struct otter_install *install, const uint8_t *wanted,
                                   bool *is_done, bool *matches)
{
    uint8_t digest[OTTER_SHA256_SIZE];
    enum otter_result result =
        otter_hashing_step(install->device, &install->hashing, is_done);

    if (result == OTTER_OK && *is_done) {
        otter_hashing_final(install->device, &install->hashing, digest);
        *matches = memcmp(digest, wanted, sizeof(digest)) == 0;
    }
    return result;
}

enum otter_result otter_stage_put(struct otter_install *install, enum otter_part part,
                                  enum otter_firmness firmness)
{
    struct otter_state state = install->device->journal.state;

    otter_state_begin(&state, part);
    state.member = install->member;
    return otter_journal_put(&install->device->journal, &state, firmness);
}

uint8_t otter_install_stage(const struct otter_install *install, const char **name)
{
    *name = otter_stages[install->stage].name;
    return otter_stages[install->stage].code;
}

static void tell_stage(const struct otter_install *install)
{
    otter_device_event(install->device, OTTER_EVENT_STAGE,
                       otter_stages[install->stage].code, install->percent, 0);
}

enum otter_result otter_install_open(struct otter_install *install,
                                     struct otter_device *device)
{
    struct otter_state state = device->journal.state;

    memset(install, 0, sizeof(*install));
    install->device = device;
    install->decoding.inflate = device->ports.inflate;
    install->decoding.arena = install->arena;
    install->decoding.arena_size = OTTER_CODING_MEMORY;
    if (state.phase == OTTER_PHASE_INSTALLING &&
        (state.part == OTTER_PART_WRITE_MANAGER ||
         state.part == OTTER_PART_TAKE_BACK)) {
        return OTTER_E_JOURNAL_TRANSITION; /* boot's work */
    }
    if (state.phase == OTTER_PHASE_INSTALLING) {
        tell_stage(install);
        if (state.part == OTTER_PART_TRY_MANAGER) {
            /* This is the new manager, and it has started. */
            state.part = OTTER_PART_CHECK;
            state.cursor = 0;
            state.faults = 0;
            state.powers = 0;
        }
        /* Seals what may be an unsealed tail before anything is written (K3). */
        return otter_journal_put(&device->journal, &state, OTTER_SEALED);
    }
    if (state.phase != OTTER_PHASE_REQUESTED) {
        return OTTER_E_JOURNAL_TRANSITION;
    }
    state.phase = OTTER_PHASE_INSTALLING;
    otter_state_begin(&state, OTTER_PART_CHECK);
    state.roll_backs = 0;
    tell_stage(install);
    return otter_journal_put(&device->journal, &state, OTTER_SEALED);
}

/* Writes the record that ends the installation and answers `end` when it stands. */
static enum otter_step end_with(struct otter_install *install,
                                const struct otter_state *state,
                                enum otter_firmness firmness, enum otter_step end)
{
    enum otter_result result =
        otter_journal_put(&install->device->journal, state, firmness);

    install->is_ending = true;
    install->end = end;
    otter_wipe(install->content_key, sizeof(install->content_key));
    otter_cipher_close(&install->store_cipher);
    otter_cipher_close(&install->save_cipher);
    if (result != OTTER_OK) {
        install->result = result;
        return OTTER_STEP_FAILED;
    }
    otter_device_event(install->device, OTTER_EVENT_PHASE, state->phase, 0,
                       otter_code(install->result));
    return OTTER_STEP_MORE;
}

static enum otter_step end_in_trial(struct otter_install *install)
{
    struct otter_state state = install->device->journal.state;

    state.phase = OTTER_PHASE_TRIAL;
    otter_state_begin(&state, OTTER_PART_NONE);
    state.faults = 0;
    state.powers = 0;
    state.roll_backs = 0;
    return end_with(install, &state, OTTER_SEALED, OTTER_STEP_DONE);
}

/* The old system stands as it did, or boot is asked to bring it back. If a member was
 * written in place there is none: the manager keeps the device (K13). */
static struct otter_state failed_state(const struct otter_device *device,
                                       const uint8_t *id, enum otter_result why)
{
    struct otter_state state = device->journal.state;
    /* A free slot that was written into is nothing of the old system's. */
    bool is_written =
        state.part == OTTER_PART_WRITE &&
        (!otter_device_is_ab(device) || (state.flags & OTTER_FLAG_NEW_REGIONS) != 0);
    bool is_touched = (state.flags & OTTER_FLAG_CLOSED) == 0 &&
                      (is_written || (state.flags & OTTER_FLAG_NEW_MANAGER) != 0);

    state.outcome.kind = is_touched ? OTTER_OUTCOME_ROLLED_BACK : OTTER_OUTCOME_FAILED;
    state.outcome.code = otter_code(why);
    memcpy(state.outcome.id, id, sizeof(state.outcome.id));
    state.phase = is_touched ? OTTER_PHASE_ROLLING_BACK : OTTER_PHASE_CONFIRMED;
    otter_state_begin(&state, !is_touched  ? OTTER_PART_NONE
                              : is_written ? OTTER_PART_RESTORE
                                           : OTTER_PART_RESTORE_MANAGER);
    return state;
}

static enum otter_step end_in_failure(struct otter_install *install)
{
    struct otter_state state = failed_state(
        install->device, install->incoming.control.package_id, install->result);

    otter_device_event(install->device, OTTER_EVENT_FAILED,
                       otter_stages[install->stage].code, install->percent,
                       otter_code(install->result));
    return end_with(install, &state, OTTER_LASTING, OTTER_STEP_FAILED);
}

enum otter_result otter_install_abort(struct otter_device *device,
                                      enum otter_result why)
{
    static const uint8_t none[OTTER_PACKAGE_ID_SIZE] = {0};
    struct otter_system incoming;
    bool has_id =
        otter_system_peek(device, (uint8_t)(1 - device->journal.state.current),
                          &incoming) == OTTER_OK;
    struct otter_state state =
        failed_state(device, has_id ? incoming.control.package_id : none, why);

    otter_device_event(device, OTTER_EVENT_FAILED, otter_stages[0].code, 0,
                       otter_code(why));
    return otter_device_record(device, &state, OTTER_LASTING);
}

/* Goes to the next stage that applies; false when the table is at its end. */
static bool next_stage(struct otter_install *install)
{
    uint8_t code = otter_stages[install->stage].code;

    do {
        install->stage++;
    } while (otter_stages[install->stage].step != NULL &&
             !otter_stages[install->stage].applies(install));
    install->substep = 0;
    install->member = 0;
    if (otter_stages[install->stage].code != code) {
        install->percent = 0; /* else it goes on with the same one */
        tell_stage(install);
    }
    return otter_stages[install->stage].step != NULL;
}

static enum otter_step step_journal(struct otter_install *install)
{
    enum otter_result result = otter_journal_step(&install->device->journal);

    if (result == OTTER_OK) {
        return OTTER_STEP_MORE;
    }
    install->result = result;
    /* Without a journal nothing can be recorded, so nothing more is done. */
    return OTTER_STEP_FAILED;
}

enum otter_step otter_install_step(struct otter_install *install)
{
    uint8_t percent = install->percent;

    if (otter_journal_is_busy(&install->device->journal)) {
        return step_journal(install);
    }
    if (install->is_ending) {
        return install->end;
    }
    enum otter_step step = otter_stages[install->stage].step(install);

    if (install->percent != percent && step != OTTER_STEP_FAILED) {
        tell_stage(install);
    }
    switch (step) {
    case OTTER_STEP_FAILED:
        if (otter_card_fault(install->device) != OTTER_OK) {
            install->result = otter_card_fault(install->device);
            return OTTER_STEP_CARD;
        }
        return end_in_failure(install);
    case OTTER_STEP_CARD: /* no stage answers so */
    case OTTER_STEP_DONE:
        return next_stage(install) ? OTTER_STEP_MORE : end_in_trial(install);
    case OTTER_STEP_RESET:
        return OTTER_STEP_RESET;
    case OTTER_STEP_MORE:
        break;
    }
    return OTTER_STEP_MORE;
}
