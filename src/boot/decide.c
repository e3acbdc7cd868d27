/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot's decision: pure, total, small enough to be read whole. Verdicts that cost time
 * are asked for only when they matter: an UNKNOWN one becomes the act that finds it
 * out, and boot decides again.
 *
 * Every path ends in a system that verifies, else in the manager if that verifies,
 * else in "nothing" (K18).
 */
#include "otter/boot.h"

/* To go back something must be copied: the application over the new one, or resources
 * and fonts, which an A/B device has only once. */
static bool needs_copy(const struct otter_boot_facts *facts)
{
    return !facts->is_ab || facts->has_new_regions;
}

static struct otter_boot_decision decision(enum otter_boot_act act, uint8_t slot,
                                           enum otter_result why)
{
    return (struct otter_boot_decision){
        .act = act, .slot = slot, .code = otter_code(why)};
}

/* The manager is the last resort but one. */
static struct otter_boot_decision manager(const struct otter_boot_facts *facts,
                                          enum otter_result why)
{
    switch (facts->manager) {
    case OTTER_VERDICT_UNKNOWN:
        return decision(OTTER_BOOT_CHECK_MANAGER, 0, why);
    case OTTER_VERDICT_GOOD:
        return decision(OTTER_BOOT_MANAGER, 0, why);
    case OTTER_VERDICT_BAD:
        break;
    }
    return decision(OTTER_BOOT_NOTHING, 0, OTTER_E_BOOT_NOTHING);
}

/* Who installs, and copies back from a card: the loader that the package brings, on a
 * board that runs one, else the manager. A loader that stands and is verified does not
 * need the manager. */
static bool asks_for_loader(const struct otter_boot_facts *facts)
{
    return facts->may_load && !facts->cannot_record &&
           facts->loader != OTTER_VERDICT_BAD;
}

static struct otter_boot_decision loader(const struct otter_boot_facts *facts)
{
    return decision(facts->loader == OTTER_VERDICT_GOOD ? OTTER_BOOT_LOADER
                                                        : OTTER_BOOT_CHECK_LOADER,
                    0, OTTER_OK);
}

/* Runs the current system; if it is damaged, the other one if that verifies. */
static struct otter_boot_decision run_current(const struct otter_boot_facts *facts,
                                              enum otter_result why)
{
    uint8_t other = (uint8_t)(1 - facts->current);

    switch (facts->system[facts->current]) {
    case OTTER_VERDICT_UNKNOWN:
        return decision(OTTER_BOOT_CHECK_SYSTEM, facts->current, why);
    case OTTER_VERDICT_GOOD:
        return decision(OTTER_BOOT_RUN, facts->current, why);
    case OTTER_VERDICT_BAD:
        break;
    }
    if (facts->is_given_up) {
        return manager(facts, OTTER_E_BOOT_APPLICATION); /* nothing swaps again */
    }
    switch (facts->system[other]) {
    case OTTER_VERDICT_UNKNOWN:
        return decision(OTTER_BOOT_CHECK_SYSTEM, other, why);
    case OTTER_VERDICT_GOOD:
        /* Without a record the other program would take itself for the free slot. */
        return facts->cannot_record
                   ? manager(facts, OTTER_E_BOOT_APPLICATION)
                   : decision(OTTER_BOOT_SWITCH, other, OTTER_E_BOOT_APPLICATION);
    case OTTER_VERDICT_BAD:
        break;
    }
    return manager(facts, OTTER_E_BOOT_APPLICATION);
}

/* The manager if it verifies; else the application, so that a damaged manager alone
 * stops nothing. Without a journal the manager could not do its work either. */
static struct otter_boot_decision prefer_manager(const struct otter_boot_facts *facts)
{
    if (facts->cannot_record) {
        return run_current(facts, OTTER_E_JOURNAL_SECTORS);
    }
    if (asks_for_loader(facts)) {
        return loader(facts);
    }
    return facts->manager == OTTER_VERDICT_BAD
               ? run_current(facts, OTTER_E_BOOT_MANAGER)
               : manager(facts, OTTER_OK);
}

/* The old application stands: then the old manager comes back, too, then the record. */
static struct otter_boot_decision finish_roll_back(const struct otter_boot_facts *facts)
{
    if (facts->cannot_record) {
        return decision(OTTER_BOOT_RUN, facts->current, OTTER_E_JOURNAL_SECTORS);
    }
    if (!facts->has_new_manager || facts->is_manager_done || facts->cannot_copy) {
        return decision(OTTER_BOOT_SWITCH, facts->current, OTTER_OK);
    }
    return facts->part == OTTER_PART_RESTORE_MANAGER
               ? decision(OTTER_BOOT_RESTORE_MANAGER, facts->current, OTTER_OK)
               : decision(OTTER_BOOT_BEGIN_RESTORE, facts->current, OTTER_OK);
}

/* The old system does not verify. If it had been whole before, it is written once more;
 * the manager is the last resort, so its own restore is finished before it runs, and
 * begun if the one that is there is damaged. */
static struct otter_boot_decision lose_system(const struct otter_boot_facts *facts)
{
    bool is_at_manager = facts->part == OTTER_PART_RESTORE_MANAGER;
    bool is_written = is_at_manager || facts->part == OTTER_PART_RESTORED;

    if (facts->cannot_record) {
        return manager(facts, OTTER_E_ROLL_BACK);
    }
    if (is_written && needs_copy(facts) && !facts->cannot_restore &&
        facts->roll_backs < OTTER_ROLL_BACK_LIMIT) {
        return decision(OTTER_BOOT_RESTORE_AGAIN, facts->current, OTTER_OK);
    }
    if (facts->has_new_manager && !facts->is_manager_done && !facts->cannot_copy) {
        if (is_at_manager) {
            return decision(OTTER_BOOT_RESTORE_MANAGER, facts->current, OTTER_OK);
        }
        if (facts->manager == OTTER_VERDICT_BAD) {
            return decision(OTTER_BOOT_BEGIN_RESTORE, facts->current, OTTER_OK);
        }
    }
    return manager(facts, OTTER_E_ROLL_BACK);
}

/* Brings the saved copies back, then the old system runs. A copy that this run did not
 * finish writing is never taken for whole (K5), but for the last one: it is counted
 * when it stands, and nothing is written after it; and when the roll back has come to
 * the manager, the application was whole before that was sealed. */
static struct otter_boot_decision roll_back(const struct otter_boot_facts *facts)
{
    bool is_last = facts->roll_backs >= OTTER_ROLL_BACK_LIMIT ||
                   facts->part == OTTER_PART_RESTORE_MANAGER ||
                   facts->part == OTTER_PART_RESTORED;

    if (!needs_copy(facts) || facts->is_restored || is_last) {
        switch (facts->system[facts->current]) {
        case OTTER_VERDICT_UNKNOWN:
            return decision(OTTER_BOOT_CHECK_SYSTEM, facts->current, OTTER_OK);
        case OTTER_VERDICT_GOOD:
            return finish_roll_back(facts);
        case OTTER_VERDICT_BAD:
            break;
        }
    }
    if (!needs_copy(facts) || facts->cannot_restore || is_last) {
        return lose_system(facts);
    }
    if (!facts->is_on_card) {
        return decision(OTTER_BOOT_RESTORE, facts->current, OTTER_OK);
    }
    /* Boot copies no files to flash: the manager does. */
    return asks_for_loader(facts) ? loader(facts) : manager(facts, OTTER_OK);
}

/* The trial is over: the old system stands ready in the other slot, or what is not
 * there any more is written back from its copies. */
static struct otter_boot_decision end_trial(const struct otter_boot_facts *facts,
                                            enum otter_result why)
{
    if (facts->cannot_record) {
        return manager(facts, OTTER_E_JOURNAL_SECTORS);
    }
    if (facts->is_closed) {
        return manager(facts, OTTER_E_ONE_WAY);
    }
    if (needs_copy(facts) || facts->has_new_manager) {
        return decision(OTTER_BOOT_ROLL_BACK, facts->current, why);
    }
    switch (facts->system[facts->current]) {
    case OTTER_VERDICT_UNKNOWN:
        return decision(OTTER_BOOT_CHECK_SYSTEM, facts->current, why);
    case OTTER_VERDICT_GOOD:
        return decision(OTTER_BOOT_SWITCH, facts->current, why);
    case OTTER_VERDICT_BAD:
        break;
    }
    return manager(facts, OTTER_E_ROLL_BACK);
}

static struct otter_boot_decision try_new(const struct otter_boot_facts *facts)
{
    uint8_t slot = (uint8_t)(1 - facts->current);

    if (facts->is_counted_reset && facts->faults >= facts->fault_limit) {
        return end_trial(facts, OTTER_E_TRIAL_FAULTS);
    }
    if (!facts->is_counted_reset && facts->powers >= facts->power_limit) {
        return end_trial(facts, OTTER_E_TRIAL_POWER);
    }
    switch (facts->system[slot]) {
    case OTTER_VERDICT_UNKNOWN:
        return decision(OTTER_BOOT_CHECK_SYSTEM, slot, OTTER_OK);
    case OTTER_VERDICT_BAD:
        return end_trial(facts, OTTER_E_TRIAL_DAMAGED);
    case OTTER_VERDICT_GOOD:
        break;
    }
    /* An attempt that cannot be sealed is none (K16). */
    return facts->cannot_record ? end_trial(facts, OTTER_E_JOURNAL_SECTORS)
                                : decision(OTTER_BOOT_TRY, slot, OTTER_OK);
}

/* The new manager has not started yet. */
static struct otter_boot_decision try_manager(const struct otter_boot_facts *facts)
{
    bool is_over = facts->is_counted_reset ? facts->faults >= facts->fault_limit
                                           : facts->powers >= facts->power_limit;

    if (is_over) {
        return decision(OTTER_BOOT_TAKE_BACK, 0, OTTER_E_MANAGER_START);
    }
    switch (facts->manager) {
    case OTTER_VERDICT_UNKNOWN:
        return decision(OTTER_BOOT_CHECK_MANAGER, 0, OTTER_OK);
    case OTTER_VERDICT_GOOD:
        return decision(OTTER_BOOT_TRY_MANAGER, 0, OTTER_OK);
    case OTTER_VERDICT_BAD:
        break;
    }
    return decision(OTTER_BOOT_TAKE_BACK, 0, OTTER_E_MANAGER_WRITE);
}

/* Parts in which boot writes the manager's region: what it holds is not asked. */
static bool writes_manager(uint8_t part)
{
    return part == OTTER_PART_WRITE_MANAGER || part == OTTER_PART_TAKE_BACK ||
           part == OTTER_PART_RESTORE_MANAGER;
}

/* The old application is whole all that time, so it runs if nothing can be recorded. */
static struct otter_boot_decision replace_manager(const struct otter_boot_facts *facts)
{
    if (facts->cannot_record) {
        return run_current(facts, OTTER_E_JOURNAL_SECTORS);
    }
    if (facts->part == OTTER_PART_TRY_MANAGER) {
        return try_manager(facts);
    }
    if (facts->part == OTTER_PART_TAKE_BACK) {
        return decision(OTTER_BOOT_WRITE_BACK, 0, OTTER_OK);
    }
    return facts->cannot_copy ? decision(OTTER_BOOT_TAKE_BACK, 0, OTTER_E_MANAGER_WRITE)
                              : decision(OTTER_BOOT_WRITE_MANAGER, 0, OTTER_OK);
}

/* The application may be half written: the manager goes on; if it is damaged, boot
 * brings the old one back. */
static struct otter_boot_decision go_on_installing(const struct otter_boot_facts *facts)
{
    if (writes_manager(facts->part) || facts->part == OTTER_PART_TRY_MANAGER) {
        return replace_manager(facts);
    }
    if (!needs_copy(facts) || facts->part != OTTER_PART_WRITE) {
        return prefer_manager(facts);
    }
    if (asks_for_loader(facts)) {
        return loader(facts);
    }
    if (facts->manager != OTTER_VERDICT_BAD) {
        return manager(facts, OTTER_OK);
    }
    return facts->cannot_record || facts->is_closed
               ? manager(facts, OTTER_E_JOURNAL_SECTORS)
               : decision(OTTER_BOOT_ROLL_BACK, facts->current, OTTER_E_BOOT_MANAGER);
}

/* No update is under way that has anything to run. */
static struct otter_boot_decision idle(const struct otter_boot_facts *facts)
{
    if (facts->manager != OTTER_VERDICT_BAD && facts->is_given_up) {
        /* No system is run but one that a new package brings. */
        return manager(facts, OTTER_E_ROLL_BACK);
    }
    if (facts->manager != OTTER_VERDICT_BAD && facts->is_closed) {
        return manager(facts, OTTER_E_BOOT_CLOSED);
    }
    return run_current(facts,
                       facts->has_new_manager ? OTTER_E_MANAGER_OTHER : OTTER_OK);
}

struct otter_boot_decision otter_boot_decide(const struct otter_boot_facts *facts)
{
    /* A roll back, or the replacing of the manager, is finished first: a manager that
     * is on trial is started with its attempt counted, or not at all. */
    bool is_free =
        facts->phase != OTTER_PHASE_ROLLING_BACK &&
        !(facts->phase == OTTER_PHASE_INSTALLING &&
          (writes_manager(facts->part) || facts->part == OTTER_PART_TRY_MANAGER));
    bool is_asked_for = facts->has_unknown || (facts->wants_manager && is_free);

    if (is_asked_for && facts->manager != OTTER_VERDICT_BAD) {
        return manager(facts, facts->has_unknown ? OTTER_E_JOURNAL_CRITICAL : OTTER_OK);
    }
    switch (facts->phase) {
    case OTTER_PHASE_REQUESTED:
        return prefer_manager(facts);
    case OTTER_PHASE_INSTALLING:
        return go_on_installing(facts);
    case OTTER_PHASE_TRIAL:
        return try_new(facts);
    case OTTER_PHASE_ROLLING_BACK:
        return roll_back(facts);
    default:
        return idle(facts);
    }
}
