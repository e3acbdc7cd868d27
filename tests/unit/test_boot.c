/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot: its decision for every value of the facts, and what it does on a virtual
 * device. Expected values: docs/SPEC.md, the contracts K9, K10, K15, K16, K18.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <string.h>

enum {
    ACTS_MAX = 32,
    FAULT_LIMIT = 3,
    POWER_LIMIT = 10,
    RESTORES_MAX = 3,
};

/* --- the decision alone --- */

/* What is true of the device, whatever the facts know yet. */
struct truth {
    bool system[2];
    bool manager;
    bool has_copy;     /* a saved copy is there to restore */
    bool is_copy_good; /* and verifies when it is written back */
    bool can_record;
    bool loader; /* the incoming package's loader verifies */
};

static enum otter_verdict verdict(bool is_good)
{
    return is_good ? OTTER_VERDICT_GOOD : OTTER_VERDICT_BAD;
}

static void simulate_restore(struct otter_boot_facts *facts, struct truth *truth)
{
    if (!truth->has_copy || !truth->can_record) {
        facts->cannot_restore = true;
        facts->cannot_record = facts->cannot_record || !truth->can_record;
        return;
    }
    facts->roll_backs++;
    facts->is_restored = true;
    truth->system[facts->current] = truth->is_copy_good;
    facts->system[facts->current] = OTTER_VERDICT_UNKNOWN;
}

/* Boot copies a manager. False if it cannot. */
static bool simulate_copy(struct otter_boot_facts *facts, const struct truth *truth)
{
    facts->cannot_record = facts->cannot_record || !truth->can_record;
    facts->cannot_copy = !truth->has_copy || !truth->can_record;
    return !facts->cannot_copy;
}

static void simulate_write_manager(struct otter_boot_facts *facts, struct truth *truth)
{
    if (simulate_copy(facts, truth)) {
        truth->manager = true;
        facts->manager = OTTER_VERDICT_UNKNOWN;
        facts->part = OTTER_PART_TRY_MANAGER;
        facts->faults = 0;
        facts->powers = 0;
    }
}

static void simulate_write_back(struct otter_boot_facts *facts,
                                const struct truth *truth)
{
    (void)simulate_copy(facts, truth);
    if (!facts->cannot_record) {
        facts->phase = OTTER_PHASE_CONFIRMED;
        facts->part = OTTER_PART_NONE;
        facts->manager = OTTER_VERDICT_UNKNOWN;
    }
}

/* Does an act as boot would. True if boot jumps. */
static bool simulate(struct otter_boot_facts *facts, struct truth *truth,
                     const struct otter_boot_decision *decision)
{
    bool writes =
        decision->act == OTTER_BOOT_SWITCH || decision->act == OTTER_BOOT_ROLL_BACK ||
        decision->act == OTTER_BOOT_TRY || decision->act == OTTER_BOOT_TRY_MANAGER ||
        decision->act == OTTER_BOOT_TAKE_BACK ||
        decision->act == OTTER_BOOT_BEGIN_RESTORE ||
        decision->act == OTTER_BOOT_RESTORE_AGAIN;

    if (writes && !truth->can_record) {
        facts->cannot_record = true;
        return false;
    }
    switch (decision->act) {
    case OTTER_BOOT_CHECK_SYSTEM:
        facts->system[decision->slot] = verdict(truth->system[decision->slot]);
        return false;
    case OTTER_BOOT_CHECK_MANAGER:
        facts->manager = verdict(truth->manager);
        return false;
    case OTTER_BOOT_CHECK_LOADER:
        facts->loader = verdict(truth->loader);
        return false;
    case OTTER_BOOT_SWITCH:
        facts->phase = OTTER_PHASE_ROLLED_BACK;
        facts->has_new_regions = false;
        facts->current = decision->slot;
        facts->roll_backs = 0;
        return false;
    case OTTER_BOOT_ROLL_BACK:
        facts->phase = OTTER_PHASE_ROLLING_BACK;
        facts->part = OTTER_PART_RESTORE;
        facts->roll_backs = 0;
        return false;
    case OTTER_BOOT_RESTORE:
        simulate_restore(facts, truth);
        return false;
    case OTTER_BOOT_WRITE_MANAGER:
        simulate_write_manager(facts, truth);
        return false;
    case OTTER_BOOT_TAKE_BACK:
        facts->part = OTTER_PART_TAKE_BACK;
        facts->cannot_copy = false;
        return false;
    case OTTER_BOOT_WRITE_BACK:
        simulate_write_back(facts, truth);
        return false;
    case OTTER_BOOT_BEGIN_RESTORE:
        facts->part = OTTER_PART_RESTORE_MANAGER;
        return false;
    case OTTER_BOOT_RESTORE_AGAIN:
        facts->part = OTTER_PART_RESTORE;
        return false;
    case OTTER_BOOT_RESTORE_MANAGER:
        facts->manager = OTTER_VERDICT_UNKNOWN;
        facts->is_manager_done = simulate_copy(facts, truth);
        truth->manager = truth->manager || facts->is_manager_done;
        return false;
    case OTTER_BOOT_RUN:
    case OTTER_BOOT_TRY:
    case OTTER_BOOT_TRY_MANAGER:
    case OTTER_BOOT_MANAGER:
    case OTTER_BOOT_LOADER:
    case OTTER_BOOT_NOTHING:
        break;
    }
    return true;
}

static bool is_over(const struct otter_boot_facts *facts)
{
    return facts->is_counted_reset ? facts->faults >= facts->fault_limit
                                   : facts->powers >= facts->power_limit;
}

/* Only copies of the old system are left: of its application, or of resources. */
static bool has_only_copies(const struct otter_boot_facts *facts)
{
    return !facts->is_ab || facts->has_new_regions;
}

/* True if K18 allows "nothing" here; the manager is damaged. */
static bool may_be_nothing(const struct otter_boot_facts *facts,
                           const struct truth *truth)
{
    bool current = truth->system[facts->current];
    bool other = truth->system[1 - facts->current];

    switch (facts->phase) {
    case OTTER_PHASE_TRIAL:
        return facts->cannot_record ||
               (facts->is_closed && (is_over(facts) || !other)) ||
               (!has_only_copies(facts) && !current && (is_over(facts) || !other));
    case OTTER_PHASE_ROLLING_BACK:
        /* The manager comes back before anything is given up. */
        if (facts->part == OTTER_PART_RESTORE_MANAGER && facts->has_new_manager &&
            !facts->cannot_copy && !facts->cannot_record) {
            return false;
        }
        return !has_only_copies(facts)
                   ? !current
                   : facts->is_on_card || /* it cannot read what was saved */
                         facts->cannot_restore || facts->cannot_record ||
                         facts->roll_backs >= RESTORES_MAX;
    case OTTER_PHASE_INSTALLING:
        if (has_only_copies(facts) && facts->part == OTTER_PART_WRITE) {
            return facts->cannot_record || facts->is_closed;
        }
        break;
    default:
        break;
    }
    return !current && (!other || facts->cannot_record || facts->is_given_up);
}

static void check_jump(const struct otter_boot_facts *facts, const struct truth *truth,
                       const struct otter_boot_decision *decision)
{
    switch (decision->act) {
    case OTTER_BOOT_TRY:
        assert_int_equal(facts->phase, OTTER_PHASE_TRIAL);
        assert_int_not_equal(decision->slot, facts->current);
        assert_false(is_over(facts));
        assert_true(truth->system[decision->slot]);
        break;
    case OTTER_BOOT_RUN:
        assert_int_equal(decision->slot, facts->current);
        assert_int_not_equal(facts->phase, OTTER_PHASE_TRIAL);
        assert_true(truth->system[decision->slot]);
        break;
    case OTTER_BOOT_TRY_MANAGER:
        assert_int_equal(facts->part, OTTER_PART_TRY_MANAGER);
        assert_false(is_over(facts));
        assert_true(truth->manager);
        break;
    case OTTER_BOOT_MANAGER:
        assert_true(truth->manager);
        break;
    case OTTER_BOOT_LOADER: /* to install, or to copy back from a card; nothing else */
        assert_true(truth->loader && facts->may_load && !facts->cannot_record);
        assert_true(facts->phase == OTTER_PHASE_REQUESTED ||
                    facts->phase == OTTER_PHASE_INSTALLING ||
                    (facts->phase == OTTER_PHASE_ROLLING_BACK && facts->is_on_card));
        assert_false(facts->phase == OTTER_PHASE_INSTALLING &&
                     facts->part == OTTER_PART_TRY_MANAGER);
        break;
    case OTTER_BOOT_NOTHING:
        assert_false(truth->manager);
        assert_int_equal(decision->code, 30 * 256 + 10);
        assert_true(may_be_nothing(facts, truth));
        break;
    case OTTER_BOOT_CHECK_SYSTEM:
    case OTTER_BOOT_CHECK_MANAGER:
    case OTTER_BOOT_CHECK_LOADER:
    case OTTER_BOOT_SWITCH:
    case OTTER_BOOT_ROLL_BACK:
    case OTTER_BOOT_RESTORE:
    case OTTER_BOOT_WRITE_MANAGER:
    case OTTER_BOOT_TAKE_BACK:
    case OTTER_BOOT_WRITE_BACK:
    case OTTER_BOOT_BEGIN_RESTORE:
    case OTTER_BOOT_RESTORE_MANAGER:
    case OTTER_BOOT_RESTORE_AGAIN:
        fail_msg("act %d is no jump", (int)decision->act);
    }
}

static void check_act(const struct otter_boot_facts *facts,
                      const struct otter_boot_decision *decision)
{
    bool copies = decision->act == OTTER_BOOT_RESTORE ||
                  (decision->act == OTTER_BOOT_ROLL_BACK && !facts->has_new_manager);

    assert_true(decision->slot <= 1);
    assert_false(copies && !has_only_copies(facts));
    assert_false(decision->act == OTTER_BOOT_CHECK_SYSTEM &&
                 facts->system[decision->slot] != OTTER_VERDICT_UNKNOWN);
    assert_false(decision->act == OTTER_BOOT_CHECK_MANAGER &&
                 facts->manager != OTTER_VERDICT_UNKNOWN);
    assert_false(decision->act == OTTER_BOOT_CHECK_LOADER &&
                 (facts->loader != OTTER_VERDICT_UNKNOWN || !facts->may_load));
    if (decision->act == OTTER_BOOT_SWITCH) {
        assert_int_equal(facts->system[decision->slot], OTTER_VERDICT_GOOD);
    }
}

/* Decides and acts until the jump. */
static void run_decisions(struct otter_boot_facts facts, struct truth truth)
{
    for (int i = 0; i < ACTS_MAX; i++) {
        struct otter_boot_decision decision = otter_boot_decide(&facts);

        check_act(&facts, &decision);
        if (simulate(&facts, &truth, &decision)) {
            check_jump(&facts, &truth, &decision);
            return;
        }
    }
    fail_msg("boot does not end");
}

static bool bit(uint32_t bits, unsigned index)
{
    return (bits >> index & 1U) != 0;
}

static struct otter_boot_facts facts_of(uint8_t phase, uint8_t part, uint32_t bits)
{
    return (struct otter_boot_facts){
        .phase = phase,
        .part = part,
        .current = bit(bits, 0),
        .is_ab = bit(bits, 1),
        .has_unknown = bit(bits, 2),
        .wants_manager = bit(bits, 3),
        .is_counted_reset = bit(bits, 4),
        .is_restored = bit(bits, 5),
        .cannot_restore = bit(bits, 6),
        .cannot_record = bit(bits, 7),
        .faults = bit(bits, 8) ? FAULT_LIMIT : FAULT_LIMIT - 1,
        .powers = bit(bits, 9) ? POWER_LIMIT : POWER_LIMIT - 1,
        .roll_backs = bit(bits, 10) ? RESTORES_MAX : 0,
        .is_given_up = bit(bits, 11),
        .has_new_regions = bit(bits, 12),
        .has_new_manager = bit(bits, 13),
        .fault_limit = FAULT_LIMIT,
        .power_limit = POWER_LIMIT,
    };
}

static struct truth truth_of(uint32_t bits, const struct otter_boot_facts *facts)
{
    return (struct truth){
        .system = {bit(bits, 0), bit(bits, 1)},
        .manager = bit(bits, 2),
        .has_copy = bit(bits, 3),
        .is_copy_good = bit(bits, 4),
        .can_record = bit(bits, 5) && !facts->cannot_record,
        .loader = bit(bits, 6),
    };
}

static void k10_every_value_of_the_facts_ends_in_something_that_verifies(void **state)
{
    static const uint8_t phases[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 255};
    static const uint8_t parts[] = {OTTER_PART_NONE,    OTTER_PART_CHECK,
                                    OTTER_PART_SAVE,    OTTER_PART_WRITE,
                                    OTTER_PART_RESTORE, OTTER_PART_RESTORED};

    (void)state;
    for (size_t p = 0; p < sizeof(phases); p++) {
        for (uint32_t bits = 0; bits < 1U << 13; bits++) {
            for (uint32_t i = 0; i < 64U * sizeof(parts); i++) {
                struct otter_boot_facts facts =
                    facts_of(phases[p], parts[i % sizeof(parts)], bits);
                struct truth truth = truth_of(i / sizeof(parts), &facts);

                run_decisions(facts, truth);
            }
        }
    }
}

/* The parts in which the manager is replaced or restored, and those around them. */
static void k15_every_part_of_replacing_the_manager_ends_in_something_that_verifies(
    void **state)
{
    static const uint8_t phases[] = {OTTER_PHASE_INSTALLING, OTTER_PHASE_TRIAL,
                                     OTTER_PHASE_ROLLING_BACK};
    static const uint8_t parts[] = {
        OTTER_PART_SAVE_MANAGER, OTTER_PART_WRITE_MANAGER,   OTTER_PART_TRY_MANAGER,
        OTTER_PART_TAKE_BACK,    OTTER_PART_RESTORE_MANAGER, OTTER_PART_RESTORE};

    (void)state;
    for (size_t p = 0; p < sizeof(phases); p++) {
        for (uint32_t bits = 0; bits < 1U << 14; bits++) {
            for (uint32_t i = 0; i < 64U * sizeof(parts); i++) {
                struct otter_boot_facts facts =
                    facts_of(phases[p], parts[i % sizeof(parts)], bits);
                struct truth truth = truth_of(i / sizeof(parts), &facts);

                run_decisions(facts, truth);
            }
        }
    }
}

/* A board that runs loaders, with a card and without. */
static void k15_a_loader_runs_to_install_and_changes_nothing_else(void **state)
{
    static const uint8_t phases[] = {OTTER_PHASE_CONFIRMED, OTTER_PHASE_COMPLETE,
                                     OTTER_PHASE_REQUESTED, OTTER_PHASE_INSTALLING,
                                     OTTER_PHASE_TRIAL,     OTTER_PHASE_ROLLING_BACK};
    static const uint8_t parts[] = {OTTER_PART_NONE,        OTTER_PART_CHECK,
                                    OTTER_PART_WRITE,       OTTER_PART_WRITE_MANAGER,
                                    OTTER_PART_TRY_MANAGER, OTTER_PART_RESTORE};

    (void)state;
    for (size_t p = 0; p < sizeof(phases); p++) {
        for (uint32_t bits = 0; bits < 1U << 12; bits++) {
            for (uint32_t i = 0; i < 256U * sizeof(parts); i++) {
                struct otter_boot_facts facts =
                    facts_of(phases[p], parts[i % sizeof(parts)], bits);
                struct truth truth = truth_of(i / sizeof(parts), &facts);

                facts.may_load = true;
                facts.is_on_card = bit(i / (uint32_t)sizeof(parts), 7);
                facts.is_ab = facts.is_ab && !facts.is_on_card;
                run_decisions(facts, truth);
            }
        }
    }
}

/* Also facts that are known already, in every combination. */
static void k10_no_verdict_that_is_known_changes_that(void **state)
{
    (void)state;
    for (uint8_t phase = 0; phase <= OTTER_PHASE_COUNT; phase++) {
        for (uint32_t bits = 0; bits < 1U << 13; bits++) {
            for (uint32_t known = 0; known < 8; known++) {
                struct otter_boot_facts facts = facts_of(phase, OTTER_PART_WRITE, bits);
                struct truth truth = truth_of(bits >> 3, &facts);

                for (unsigned slot = 0; slot < 2; slot++) {
                    if (bit(known, slot)) {
                        facts.system[slot] = verdict(truth.system[slot]);
                    }
                }
                if (bit(known, 2)) {
                    facts.manager = verdict(truth.manager);
                }
                run_decisions(facts, truth);
            }
        }
    }
}

/* A member was written in place: whatever else is true, no roll back begins, and a
 * system runs only if it verifies and the manager cannot do its work. */
static void k13_a_closed_application_is_left_to_the_manager(void **state)
{
    static const uint8_t parts[] = {OTTER_PART_NONE, OTTER_PART_MEMBERS,
                                    OTTER_PART_WRITE, OTTER_PART_TRY_MANAGER};

    (void)state;
    for (uint8_t phase = 0; phase <= OTTER_PHASE_COUNT; phase++) {
        for (uint32_t bits = 0; bits < 1U << 14; bits += 3) {
            for (uint32_t i = 0; i < 64U * sizeof(parts); i++) {
                struct otter_boot_facts facts =
                    facts_of(phase, parts[i % sizeof(parts)], bits);
                struct truth truth = truth_of(i / sizeof(parts), &facts);

                facts.is_closed = true;
                facts.manager = verdict(truth.manager);
                facts.system[0] = verdict(truth.system[0]);
                facts.system[1] = verdict(truth.system[1]);
                struct otter_boot_decision decision = otter_boot_decide(&facts);

                assert_int_not_equal(decision.act, OTTER_BOOT_ROLL_BACK);
                assert_true(decision.act != OTTER_BOOT_RUN ||
                            phase == OTTER_PHASE_ROLLING_BACK ||
                            (truth.system[decision.slot] &&
                             (!truth.manager || facts.cannot_record)));
                run_decisions(facts, truth);
            }
        }
    }
}

#define U OTTER_VERDICT_UNKNOWN
#define G OTTER_VERDICT_GOOD
#define B OTTER_VERDICT_BAD

/* The states and what a reset in them does. */
struct row {
    const char *name;
    struct otter_boot_facts facts; /* current is 0; limits are added */
    enum otter_boot_act act;
    uint8_t slot;
    uint16_t code;
};

static const struct row rows[] = {
    {"confirmed",
     {.phase = OTTER_PHASE_CONFIRMED, .system = {G, U}},
     OTTER_BOOT_RUN,
     0,
     0},
    {"receiving",
     {.phase = OTTER_PHASE_RECEIVING, .system = {G, U}},
     OTTER_BOOT_RUN,
     0,
     0},
    {"complete",
     {.phase = OTTER_PHASE_COMPLETE, .system = {G, U}},
     OTTER_BOOT_RUN,
     0,
     0},
    {"rolled back",
     {.phase = OTTER_PHASE_ROLLED_BACK, .system = {G, U}},
     OTTER_BOOT_RUN,
     0,
     0},
    {"nothing is checked that is not needed",
     {.phase = OTTER_PHASE_CONFIRMED},
     OTTER_BOOT_CHECK_SYSTEM,
     0,
     0},
    {"requested, on a board that runs loaders",
     {.phase = OTTER_PHASE_REQUESTED, .may_load = true},
     OTTER_BOOT_CHECK_LOADER,
     0,
     0},
    {"requested, and the package brings a loader",
     {.phase = OTTER_PHASE_REQUESTED, .may_load = true, .loader = G},
     OTTER_BOOT_LOADER,
     0,
     0},
    {"requested, and the manager is damaged, too",
     {.phase = OTTER_PHASE_REQUESTED, .may_load = true, .loader = G, .manager = B},
     OTTER_BOOT_LOADER,
     0,
     0},
    {"requested, and its loader is damaged",
     {.phase = OTTER_PHASE_REQUESTED, .may_load = true, .loader = B, .manager = G},
     OTTER_BOOT_MANAGER,
     0,
     0},
    {"requested, and a loader has crashed",
     {.phase = OTTER_PHASE_REQUESTED, .manager = G},
     OTTER_BOOT_MANAGER,
     0,
     0},
    {"requested, and the manager is wanted",
     {.phase = OTTER_PHASE_REQUESTED,
      .may_load = true,
      .loader = G,
      .manager = G,
      .wants_manager = true},
     OTTER_BOOT_MANAGER,
     0,
     0},
    {"the application is half written, with a loader",
     {.phase = OTTER_PHASE_INSTALLING,
      .part = OTTER_PART_WRITE,
      .may_load = true,
      .loader = G},
     OTTER_BOOT_LOADER,
     0,
     0},
    {"boot writes the manager, with a loader",
     {.phase = OTTER_PHASE_INSTALLING,
      .part = OTTER_PART_WRITE_MANAGER,
      .may_load = true,
      .loader = G},
     OTTER_BOOT_WRITE_MANAGER,
     0,
     0},
    {"a roll back from a card, with a loader",
     {.phase = OTTER_PHASE_ROLLING_BACK,
      .part = OTTER_PART_RESTORE,
      .is_on_card = true,
      .may_load = true,
      .loader = G},
     OTTER_BOOT_LOADER,
     0,
     0},
    {"a confirmed system needs no loader",
     {.phase = OTTER_PHASE_CONFIRMED, .system = {G, U}, .may_load = true, .loader = G},
     OTTER_BOOT_RUN,
     0,
     0},
    {"requested",
     {.phase = OTTER_PHASE_REQUESTED, .manager = G},
     OTTER_BOOT_MANAGER,
     0,
     0},
    {"requested, manager damaged",
     {.phase = OTTER_PHASE_REQUESTED, .manager = B, .system = {G, U}},
     OTTER_BOOT_RUN,
     0,
     30 * 256 + 12},
    {"installing",
     {.phase = OTTER_PHASE_INSTALLING, .part = OTTER_PART_WRITE, .manager = G},
     OTTER_BOOT_MANAGER,
     0,
     0},
    {"writing, manager damaged",
     {.phase = OTTER_PHASE_INSTALLING, .part = OTTER_PART_WRITE, .manager = B},
     OTTER_BOOT_ROLL_BACK,
     0,
     30 * 256 + 12},
    {"saving, manager damaged",
     {.phase = OTTER_PHASE_INSTALLING,
      .part = OTTER_PART_SAVE,
      .manager = B,
      .system = {G, U}},
     OTTER_BOOT_RUN,
     0,
     30 * 256 + 12},
    {"A/B: installing, manager damaged",
     {.phase = OTTER_PHASE_INSTALLING,
      .part = OTTER_PART_CHECK,
      .is_ab = true,
      .manager = B,
      .system = {G, U}},
     OTTER_BOOT_RUN,
     0,
     30 * 256 + 12},
    {"trial", {.phase = OTTER_PHASE_TRIAL, .system = {U, G}}, OTTER_BOOT_TRY, 1, 0},
    {"trial, last attempt after a fault",
     {.phase = OTTER_PHASE_TRIAL,
      .system = {U, G},
      .is_counted_reset = true,
      .faults = 2},
     OTTER_BOOT_TRY,
     1,
     0},
    {"trial, a fault too many",
     {.phase = OTTER_PHASE_TRIAL,
      .system = {U, G},
      .is_counted_reset = true,
      .faults = 3},
     OTTER_BOOT_ROLL_BACK,
     0,
     31 * 256 + 10},
    {"trial, faults do not count at power-on",
     {.phase = OTTER_PHASE_TRIAL, .system = {U, G}, .faults = 3},
     OTTER_BOOT_TRY,
     1,
     0},
    {"trial, a power-on too many",
     {.phase = OTTER_PHASE_TRIAL, .system = {U, G}, .powers = 10},
     OTTER_BOOT_ROLL_BACK,
     0,
     31 * 256 + 11},
    {"A/B: trial, a fault too many",
     {.phase = OTTER_PHASE_TRIAL,
      .is_ab = true,
      .system = {G, G},
      .is_counted_reset = true,
      .faults = 3},
     OTTER_BOOT_SWITCH,
     0,
     31 * 256 + 10},
    {"A/B: trial, a fault too many, the old system damaged",
     {.phase = OTTER_PHASE_TRIAL,
      .is_ab = true,
      .system = {B, G},
      .is_counted_reset = true,
      .faults = 3,
      .manager = G},
     OTTER_BOOT_MANAGER,
     0,
     31 * 256 + 13},
    {"trial, the new system damaged",
     {.phase = OTTER_PHASE_TRIAL, .system = {U, B}},
     OTTER_BOOT_ROLL_BACK,
     0,
     31 * 256 + 14},
    {"trial, the attempt cannot be sealed",
     {.phase = OTTER_PHASE_TRIAL,
      .system = {U, G},
      .cannot_record = true,
      .manager = G},
     OTTER_BOOT_MANAGER,
     0,
     27 * 256 + 11},
    {"rolling back",
     {.phase = OTTER_PHASE_ROLLING_BACK, .system = {G, U}},
     OTTER_BOOT_RESTORE,
     0,
     0},
    {"rolling back, the copy was written",
     {.phase = OTTER_PHASE_ROLLING_BACK, .is_restored = true, .system = {G, U}},
     OTTER_BOOT_SWITCH,
     0,
     0},
    {"rolling back, the copy was written and is wrong",
     {.phase = OTTER_PHASE_ROLLING_BACK,
      .is_restored = true,
      .roll_backs = 1,
      .system = {B, U}},
     OTTER_BOOT_RESTORE,
     0,
     0},
    {"rolling back, wrong three times",
     {.phase = OTTER_PHASE_ROLLING_BACK,
      .is_restored = true,
      .roll_backs = 3,
      .system = {B, U},
      .manager = G},
     OTTER_BOOT_MANAGER,
     0,
     31 * 256 + 13},
    {"rolling back, written three times, each time cut before the record",
     {.phase = OTTER_PHASE_ROLLING_BACK,
      .roll_backs = 3,
      .system = {G, U},
      .manager = G},
     OTTER_BOOT_SWITCH,
     0,
     0},
    {"rolling back, no copy",
     {.phase = OTTER_PHASE_ROLLING_BACK, .cannot_restore = true, .manager = G},
     OTTER_BOOT_MANAGER,
     0,
     31 * 256 + 13},
    {"rolling back is not put off by the button",
     {.phase = OTTER_PHASE_ROLLING_BACK, .wants_manager = true, .manager = G},
     OTTER_BOOT_RESTORE,
     0,
     0},
    {"button",
     {.phase = OTTER_PHASE_CONFIRMED, .wants_manager = true, .manager = G},
     OTTER_BOOT_MANAGER,
     0,
     0},
    {"button, manager damaged",
     {.phase = OTTER_PHASE_CONFIRMED,
      .wants_manager = true,
      .manager = B,
      .system = {G, U}},
     OTTER_BOOT_RUN,
     0,
     0},
    {"an extension that boot does not know",
     {.phase = OTTER_PHASE_CONFIRMED,
      .has_unknown = true,
      .manager = G,
      .system = {G, U}},
     OTTER_BOOT_MANAGER,
     0,
     27 * 256 + 14},
    {"application damaged, no other",
     {.phase = OTTER_PHASE_CONFIRMED, .system = {B, B}, .manager = G},
     OTTER_BOOT_MANAGER,
     0,
     30 * 256 + 11},
    {"A/B: application damaged",
     {.phase = OTTER_PHASE_CONFIRMED, .is_ab = true, .system = {B, G}},
     OTTER_BOOT_SWITCH,
     1,
     30 * 256 + 11},
    {"A/B: application damaged, the other one failed its trial",
     {.phase = OTTER_PHASE_CONFIRMED,
      .is_ab = true,
      .is_given_up = true,
      .system = {B, G},
      .manager = G},
     OTTER_BOOT_MANAGER,
     0,
     31 * 256 + 13},
    {"closed: the manager at once",
     {.phase = OTTER_PHASE_RECEIVING, .is_closed = true, .manager = G},
     OTTER_BOOT_MANAGER,
     0,
     30 * 256 + 15},
    {"closed, manager damaged: what is whole all the same",
     {.phase = OTTER_PHASE_RECEIVING,
      .is_closed = true,
      .manager = B,
      .system = {G, U}},
     OTTER_BOOT_RUN,
     0,
     0},
    {"closed, manager damaged, nothing is whole",
     {.phase = OTTER_PHASE_COMPLETE, .is_closed = true, .manager = B, .system = {B, B}},
     OTTER_BOOT_NOTHING,
     0,
     30 * 256 + 10},
    {"closed, complete on two slots: the new system is not run without its trial",
     {.phase = OTTER_PHASE_COMPLETE,
      .is_ab = true,
      .is_closed = true,
      .manager = G,
      .system = {B, G}},
     OTTER_BOOT_MANAGER,
     0,
     30 * 256 + 15},
    {"closed, installing: no roll back",
     {.phase = OTTER_PHASE_INSTALLING,
      .part = OTTER_PART_WRITE,
      .is_closed = true,
      .has_new_regions = true,
      .manager = B},
     OTTER_BOOT_NOTHING,
     0,
     30 * 256 + 10},
    {"closed, trial",
     {.phase = OTTER_PHASE_TRIAL, .is_closed = true, .system = {U, G}},
     OTTER_BOOT_TRY,
     1,
     0},
    {"closed, trial is over",
     {.phase = OTTER_PHASE_TRIAL,
      .is_closed = true,
      .has_new_regions = true,
      .is_counted_reset = true,
      .faults = 3,
      .manager = G},
     OTTER_BOOT_MANAGER,
     0,
     31 * 256 + 15},
    {"nothing verifies",
     {.phase = OTTER_PHASE_CONFIRMED, .system = {B, B}, .manager = B},
     OTTER_BOOT_NOTHING,
     0,
     30 * 256 + 10},
};

static void k10_each_state_and_what_a_reset_in_it_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct otter_boot_facts facts = rows[i].facts;

        facts.fault_limit = FAULT_LIMIT;
        facts.power_limit = POWER_LIMIT;
        struct otter_boot_decision decision = otter_boot_decide(&facts);

        if (decision.act != rows[i].act || decision.slot != rows[i].slot ||
            decision.code != rows[i].code) {
            fail_msg("%s: act %d slot %u code %u-%02u", rows[i].name, (int)decision.act,
                     decision.slot, (unsigned)decision.code >> 8, decision.code & 255U);
        }
    }
}

/* --- boot on a device --- */

static const bool kinds[] = {false, true}; /* single, A/B */

static void on_both(void (*test)(struct world *world))
{
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_small(kinds[i], false);

        test(world);
        world_drop(world);
    }
}

static void check_k9(struct world *world)
{
    for (int i = 0; i < 3; i++) {
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.flash.op, 0);
    }
    assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.flash.op, 0);
        assert_int_equal(world->device.watchdog_ms, 0);
    }
    world_back(world);
    assert_int_equal(world_update(world, VDEVICE_CRASH), VDEVICE_IDLE);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLED_BACK);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.flash.op, 0);
}

static void k9_a_boot_of_a_confirmed_or_rolled_back_system_writes_nothing(void **state)
{
    (void)state;
    on_both(check_k9);
}

/* Installs and stops as soon as the application on trial is idle. */
static void begin_trial(struct world *world)
{
    world->device.hooks.idle = vdevice_stop_at_once;
    world->device.app = VDEVICE_SILENT;
    assert_int_equal(world_power_on(world), VDEVICE_STOPPED);
    assert_int_equal(world_feed(world), OTTER_OK);
    assert_int_equal(world_request(world), OTTER_OK);
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE),
                     VDEVICE_STOPPED);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_TRIAL);
}

static void check_k16_causes(struct world *world)
{
    static const struct {
        enum otter_reset_cause cause;
        uint8_t faults, powers; /* that it adds */
    } causes[] = {
        {OTTER_RESET_POWER_ON, 0, 1}, {OTTER_RESET_BROWN_OUT, 0, 1},
        {OTTER_RESET_UNKNOWN, 0, 1},  {OTTER_RESET_SOFTWARE, 1, 0},
        {OTTER_RESET_WATCHDOG, 1, 0}, {OTTER_RESET_LOCKUP, 1, 0},
        {OTTER_RESET_FAULT, 1, 0},
    };

    begin_trial(world);
    world_mark(world);
    assert_int_equal(world_state(world).faults, 1); /* the installation's own reset */
    assert_int_equal(world_state(world).powers, 0);
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        world_back(world);
        assert_int_equal(world_power_on(world), VDEVICE_STOPPED);
        struct otter_state before = world_state(world);

        (void)vdevice_reset(&world->device, causes[i].cause);
        struct otter_state after = world_state(world);

        assert_int_equal(after.phase, OTTER_PHASE_TRIAL);
        assert_int_equal(after.faults, before.faults + causes[i].faults);
        assert_int_equal(after.powers, before.powers + causes[i].powers);
    }
}

static void k16_each_cause_of_a_reset_counts_as_a_fault_or_as_lost_power(void **state)
{
    (void)state;
    on_both(check_k16_causes);
}

static void check_k16_powers(struct world *world)
{
    uint8_t new_region;

    begin_trial(world);
    new_region = world->device.region;
    assert_true(world_holds(world, new_region, &world->next));
    for (uint8_t power = 1; power <= POWER_LIMIT; power++) {
        assert_int_equal(world_power_on(world), VDEVICE_STOPPED);
        assert_int_equal(world_state(world).powers, power);
        assert_int_equal(world->device.region, new_region);
    }
    assert_int_equal(world_power_on(world), VDEVICE_STOPPED);
    struct otter_state state = world_state(world);

    assert_int_equal(state.phase, OTTER_PHASE_ROLLED_BACK);
    assert_int_equal(state.outcome.kind, OTTER_OUTCOME_ROLLED_BACK);
    assert_int_equal(state.outcome.code, 31 * 256 + 11);
    assert_int_equal(state.counter, 1);
    assert_true(world_holds(world, world->device.region, &world->sample.first));
    assert_memory_equal(state.outcome.id, world->next.package.id,
                        sizeof(state.outcome.id));
}

static void k16_a_system_that_loses_power_eleven_times_goes_back(void **state)
{
    (void)state;
    on_both(check_k16_powers);
}

struct starts {
    int count; /* of the application */
};

static void count_starts(void *context, enum otter_program program,
                         const struct otter_event *event)
{
    struct starts *starts = context;

    if (program == OTTER_PROGRAM_AGENT && event->kind == OTTER_EVENT_STARTED) {
        starts->count++;
    }
}

static void check_k16_faults(struct world *world)
{
    static const enum vdevice_app apps[] = {VDEVICE_SILENT, VDEVICE_CRASH,
                                            VDEVICE_HANG};

    for (size_t i = 0; i < sizeof(apps) / sizeof(apps[0]); i++) {
        struct starts starts = {0};

        world_back(world);
        world_prepare(world);
        world->device.app = apps[i];
        world->device.hooks.on_event = count_starts;
        world->device.hooks.context = &starts;
        assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE),
                         VDEVICE_IDLE);
        world->device.hooks.on_event = NULL;
        /* A program that never polls tells no event: only the old system's start. */
        assert_int_equal(starts.count, FAULT_LIMIT + 1);
        assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLED_BACK);
        assert_int_equal(world_state(world).outcome.code, 31 * 256 + 10);
        assert_true(world_holds(world, world->device.region, &world->sample.first));
    }
}

static void k16_a_system_that_is_silent_crashes_or_hangs_is_tried_three_times(
    void **state)
{
    (void)state;
    on_both(check_k16_faults);
}

static void check_k16_watchdog(struct world *world)
{
    begin_trial(world);
    assert_int_equal(world->device.watchdog_ms, 8000);
    world->device.app = VDEVICE_CONFIRM;
    world->device.hooks.idle = NULL;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.watchdog_ms, 0);
}

static void k16_the_watchdog_runs_in_a_trial_and_only_there(void **state)
{
    (void)state;
    on_both(check_k16_watchdog);
}

static void check_k16_damaged(struct world *world)
{
    begin_trial(world);
    world_damage(world, world->device.region);
    assert_int_equal(world_power_on(world), VDEVICE_STOPPED);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLED_BACK);
    assert_int_equal(world_state(world).outcome.code, 31 * 256 + 14);
    assert_true(world_holds(world, world->device.region, &world->sample.first));
}

static void k16_a_system_that_is_damaged_in_its_trial_goes_back(void **state)
{
    (void)state;
    on_both(check_k16_damaged);
}

/* Cuts the device at later and later operations until its state is as wanted. */
static bool cut_until(struct world *world, uint8_t phase, uint8_t part,
                      uint8_t roll_backs)
{
    world_mark(world);
    for (uint32_t op = 0; op < 2000; op++) {
        const struct vflash_fault fault = {.at_op = op, .kind = VFLASH_CUT_AFTER};

        world_back(world);
        if (vdevice_power_on(&world->device, fault) != VDEVICE_CUT) {
            return false;
        }
        struct otter_state state = world_state(world);

        if (state.phase == phase && state.part == part &&
            state.roll_backs == roll_backs) {
            return true;
        }
    }
    return false;
}

static void k15_boot_rolls_back_by_itself_when_the_manager_is_damaged_while_writing(
    void **state)
{
    struct world *world = world_make_small(false, false);

    (void)state;
    world_prepare(world);
    assert_true(cut_until(world, OTTER_PHASE_INSTALLING, OTTER_PART_WRITE, 0));
    assert_int_equal(
        vdevice_power_on(&world->device,
                         (struct vflash_fault){.at_op = 30, .kind = VFLASH_CUT_AFTER}),
        VDEVICE_CUT);
    assert_int_equal(world_state(world).part, OTTER_PART_WRITE);
    assert_false(world_holds(world, OTTER_REGION_APPLICATION, &world->sample.first));
    world_damage(world, OTTER_REGION_MANAGER);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->sample.first));
    assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLED_BACK);
    assert_int_equal(world_state(world).outcome.code, 30 * 256 + 12);
    world_drop(world);
}

static void k15_a_damaged_manager_stops_no_application(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_small(kinds[i], false);

        world_prepare(world);
        assert_true(cut_until(world, OTTER_PHASE_INSTALLING, OTTER_PART_CHECK, 0));
        world_damage(world, OTTER_REGION_MANAGER);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
        assert_int_equal(world->device.code, 30 * 256 + 12);
        assert_true(world_holds(world, world->device.region, &world->sample.first));
        world_drop(world);
    }
}

static void k16_a_roll_back_that_is_cut_each_time_before_its_last_record_still_ends(
    void **state)
{
    struct world *world = world_make_small(false, false);

    (void)state;
    begin_trial(world);
    world->device.hooks.idle = NULL;
    for (int i = 0; i < POWER_LIMIT; i++) {
        world->device.hooks.idle = vdevice_stop_at_once;
        assert_int_equal(world_power_on(world), VDEVICE_STOPPED);
    }
    for (uint8_t i = 1; i <= RESTORES_MAX; i++) {
        assert_true(cut_until(world, OTTER_PHASE_ROLLING_BACK, OTTER_PART_RESTORE, i));
    }
    world->device.hooks.idle = NULL;
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->sample.first));
    assert_int_equal(world_state(world).phase, OTTER_PHASE_ROLLED_BACK);
    assert_int_equal(world_state(world).outcome.code, 31 * 256 + 11);
    world_drop(world);
}

/* The application and the manager are damaged: the loop of K18. */
static void check_k18(struct world *world)
{
    world_damage(world, OTTER_REGION_APPLICATION);
    world_damage(world, OTTER_REGION_MANAGER);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(world_power_on(world), VDEVICE_NOTHING);
        assert_int_equal(world->device.code, 30 * 256 + 10);
        assert_int_equal(world->device.flash.op, 0);
    }
}

static void k18_nothing_verifies_is_a_code_and_no_write(void **state)
{
    (void)state;
    on_both(check_k18);
}

/* The journal's flash fails in a trial. */
static void check_uncounted(struct world *world)
{
    begin_trial(world);
    world_set_journal_bad(world, WORLD_ALL_SECTORS);
    assert_int_equal(world_power_on(world), VDEVICE_STOPPED);
    assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
    assert_int_equal(world->device.code, 27 * 256 + 11);
}

static void k16_an_attempt_that_cannot_be_sealed_is_not_made(void **state)
{
    (void)state;
    on_both(check_uncounted);
}

/* The journal's flash fails when an installation is due: manager and boot must not send
 * each other back for ever. */
static void check_unserved(struct world *world)
{
    world_prepare(world);
    world_set_journal_bad(world, WORLD_ALL_SECTORS);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, world->device.region, &world->sample.first));
    assert_int_equal(world->device.code, 27 * 256 + 11);
}

static void k18_a_request_that_no_journal_serves_leaves_the_old_system_running(
    void **state)
{
    (void)state;
    on_both(check_unserved);
}

static void no_swap_again(struct world *world)
{
    bool is_ab = world_region(world, OTTER_REGION_SLOT_B) != NULL;

    begin_trial(world);
    if (is_ab) {
        world_damage(world, OTTER_REGION_APPLICATION); /* the old system */
    } else {
        const struct otter_region *staging = world_region(world, OTTER_REGION_STAGING);

        vflash_flip(&world->device.flash, /* its copy */
                    staging->addr + staging->size - 1000, 0);
    }
    for (int i = 0; i < POWER_LIMIT + 3; i++) {
        (void)world_power_on(world);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(world_power_on(world), VDEVICE_STOPPED);
        assert_int_equal(world->device.program, OTTER_PROGRAM_MANAGER);
        assert_int_equal(world_state(world).outcome.code, 31 * 256 + 13);
    }
}

static void k16_if_the_old_system_fails_too_the_manager_runs_and_nothing_swaps_again(
    void **state)
{
    (void)state;
    on_both(no_swap_again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k10_every_value_of_the_facts_ends_in_something_that_verifies),
        cmocka_unit_test(
            k15_every_part_of_replacing_the_manager_ends_in_something_that_verifies),
        cmocka_unit_test(k15_a_loader_runs_to_install_and_changes_nothing_else),
        cmocka_unit_test(k13_a_closed_application_is_left_to_the_manager),
        cmocka_unit_test(k10_no_verdict_that_is_known_changes_that),
        cmocka_unit_test(k10_each_state_and_what_a_reset_in_it_does),
        cmocka_unit_test(k9_a_boot_of_a_confirmed_or_rolled_back_system_writes_nothing),
        cmocka_unit_test(k16_each_cause_of_a_reset_counts_as_a_fault_or_as_lost_power),
        cmocka_unit_test(k16_a_system_that_loses_power_eleven_times_goes_back),
        cmocka_unit_test(
            k16_a_system_that_is_silent_crashes_or_hangs_is_tried_three_times),
        cmocka_unit_test(k16_the_watchdog_runs_in_a_trial_and_only_there),
        cmocka_unit_test(k16_a_system_that_is_damaged_in_its_trial_goes_back),
        cmocka_unit_test(
            k15_boot_rolls_back_by_itself_when_the_manager_is_damaged_while_writing),
        cmocka_unit_test(k15_a_damaged_manager_stops_no_application),
        cmocka_unit_test(
            k16_a_roll_back_that_is_cut_each_time_before_its_last_record_still_ends),
        cmocka_unit_test(
            k16_if_the_old_system_fails_too_the_manager_runs_and_nothing_swaps_again),
        cmocka_unit_test(k16_an_attempt_that_cannot_be_sealed_is_not_made),
        cmocka_unit_test(
            k18_a_request_that_no_journal_serves_leaves_the_old_system_running),
        cmocka_unit_test(k18_nothing_verifies_is_a_code_and_no_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
