/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the state's rules: the whole of docs/SPEC.md, "Who writes what", written out
 * here by hand, against every program, phase and change.
 */
#include "otter/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { PROGRAMS = 8, PHASES = 10 }; /* some beyond those that exist */

/* Row: from; column: to. A letter for each program that may: b boot, m manager and
 * loader, a agent. A dot stands for nobody. */
static const char *const spec[PHASES][PHASES] = {
    /*                  -    conf  recv  compl requ  inst trial rolling rolled - */
    /* nothing      */ {".", ".", ".", ".", ".", ".", ".", ".", "b", "."},
    /* confirmed    */ {".", "ma", "ma", ".", ".", ".", ".", ".", "b", "."},
    /* receiving    */ {".", "ma", "ma", "ma", ".", ".", ".", ".", "b", "."},
    /* complete     */ {".", "ma", "ma", ".", "ma", ".", ".", ".", "b", "."},
    /* requested    */ {".", "m", ".", ".", ".", "m", ".", ".", "b", "."},
    /* installing   */ {".", "mb", ".", ".", ".", "mb", "m", "mb", "b", "."},
    /* trial        */ {".", "m", ".", ".", ".", ".", "b", "b", "b", "."},
    /* rolling back */ {".", "m", ".", ".", ".", ".", ".", "mb", "b", "."},
    /* rolled back  */ {".", ".", "ma", ".", ".", ".", ".", ".", "mab", "."},
    /* unknown      */ {".", ".", ".", ".", ".", ".", ".", ".", "b", "."},
};

static const char letters[PROGRAMS] = {
    [OTTER_PROGRAM_BOOT] = 'b',
    [OTTER_PROGRAM_MANAGER] = 'm',
    [OTTER_PROGRAM_LOADER] = 'm',
    [OTTER_PROGRAM_AGENT] = 'a',
};

static bool is_in_spec(uint8_t from, uint8_t to, uint8_t program)
{
    return program == OTTER_PROGRAM_FACTORY ||
           (letters[program] != 0 && strchr(spec[from][to], letters[program]) != NULL);
}

static struct otter_state state_of(uint8_t phase)
{
    struct otter_state state;

    memset(&state, 0, sizeof(state));
    state.phase = phase;
    state.current = 1;
    state.counter = 5;
    state.key_mask = 7;
    return state;
}

static void k7_who_may_lead_what_into_what_is_the_table_of_spec(void **state)
{
    (void)state;
    for (uint8_t program = 0; program < PROGRAMS; program++) {
        for (uint8_t from = 0; from < PHASES; from++) {
            for (uint8_t to = 0; to < PHASES; to++) {
                struct otter_state before = state_of(from);
                struct otter_state after = state_of(to);

                after.cursor = 4096; /* a change in any case */
                assert_int_equal(otter_state_may_change(&before, &after, program),
                                 is_in_spec(from, to, program));
            }
        }
    }
}

static void k3_every_program_may_repeat_a_state(void **state)
{
    (void)state;
    for (uint8_t program = 0; program < PROGRAMS; program++) {
        for (uint8_t phase = 0; phase < PHASES; phase++) {
            struct otter_state before = state_of(phase);
            struct otter_state after = before;

            after.last_writer = program;
            assert_true(otter_state_may_change(&before, &after, program));
        }
    }
}

/* "The application is closed": the manager's alone, but for the ends of the systems
 * that it is about. */
static void k13_only_the_manager_closes_and_opens_the_application(void **state)
{
    (void)state;
    for (uint8_t program = OTTER_PROGRAM_BOOT; program < PROGRAMS; program++) {
        for (uint8_t flag = 0; flag <= OTTER_FLAG_CLOSED; flag += OTTER_FLAG_CLOSED) {
            for (uint8_t from = 0; from < PHASES; from++) {
                for (uint8_t to = 0; to < PHASES; to++) {
                    struct otter_state before = state_of(from);
                    struct otter_state after = state_of(to);
                    bool is_end = (program == OTTER_PROGRAM_AGENT && from == 6 &&
                                   to == 1 && after.current != before.current) ||
                                  (program == OTTER_PROGRAM_BOOT && to == 8);
                    bool is_manager = program == OTTER_PROGRAM_MANAGER ||
                                      program == OTTER_PROGRAM_LOADER;

                    before.flags = flag;
                    after.flags = OTTER_FLAG_CLOSED - flag;
                    assert_int_equal(otter_state_may_change(&before, &after, program),
                                     is_end ||
                                         (is_manager && is_in_spec(from, to, program)));
                }
            }
        }
    }
}

/* What a change does to slot, counter and keys. */
static const struct change {
    uint8_t current;
    uint32_t counter;
    uint32_t key_mask;
    bool is_confirm; /* allowed to a confirm */
    bool is_switch;  /* allowed to boot's end of a roll back */
} changes[] = {
    {0, 5, 7, true, true},   {0, 6, 7, true, false},   {0, 4, 7, false, false},
    {0, 5, 3, true, false},  {0, 9, 15, false, false}, {1, 6, 7, false, false},
    {1, 4, 7, false, false}, {1, 5, 3, false, false},  {0, 0, 7, false, false},
};

static void k17_only_confirm_and_roll_back_change_the_system_and_none_takes_trust_back(
    void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        for (uint8_t program = OTTER_PROGRAM_BOOT; program < PROGRAMS; program++) {
            for (uint8_t from = 0; from < PHASES; from++) {
                for (uint8_t to = 0; to < PHASES; to++) {
                    struct otter_state before = state_of(from);
                    struct otter_state after = state_of(to);
                    bool is_confirm = program == OTTER_PROGRAM_AGENT &&
                                      from == OTTER_PHASE_TRIAL &&
                                      to == OTTER_PHASE_CONFIRMED;
                    bool is_switch =
                        program == OTTER_PROGRAM_BOOT && to == OTTER_PHASE_ROLLED_BACK;

                    after.current = changes[i].current;
                    after.counter = changes[i].counter;
                    after.key_mask = changes[i].key_mask;
                    assert_int_equal(otter_state_may_change(&before, &after, program),
                                     (is_confirm && changes[i].is_confirm) ||
                                         (is_switch && changes[i].is_switch));
                }
            }
        }
    }
}

/* The system that takes the place of a damaged one may have to take its manager back.
 */
static void k17_boot_alone_switches_and_takes_the_manager_back(void **state)
{
    struct otter_state before = state_of(OTTER_PHASE_CONFIRMED);
    struct otter_state after = state_of(OTTER_PHASE_INSTALLING);
    struct otter_state other;

    (void)state;
    after.current = (uint8_t)(1 - before.current);
    after.part = OTTER_PART_TAKE_BACK;
    after.outcome.kind = OTTER_OUTCOME_DAMAGED;
    for (uint8_t program = OTTER_PROGRAM_BOOT; program < PROGRAMS; program++) {
        assert_int_equal(otter_state_may_change(&before, &after, program),
                         program == OTTER_PROGRAM_BOOT);
    }
    other = after;
    other.part = OTTER_PART_WRITE_MANAGER;
    assert_false(otter_state_may_change(&before, &other, OTTER_PROGRAM_BOOT));
    other = after;
    other.outcome.kind = OTTER_OUTCOME_FAILED;
    assert_false(otter_state_may_change(&before, &other, OTTER_PROGRAM_BOOT));
    other = after;
    other.counter++;
    assert_false(otter_state_may_change(&before, &other, OTTER_PROGRAM_BOOT));
    other = after;
    other.key_mask ^= 1;
    assert_false(otter_state_may_change(&before, &other, OTTER_PROGRAM_BOOT));
}

static void k12_the_store_is_locked_from_the_request_to_the_end_of_a_roll_back(
    void **state)
{
    static const bool locks[PHASES] = {[OTTER_PHASE_REQUESTED] = true,
                                       [OTTER_PHASE_INSTALLING] = true,
                                       [OTTER_PHASE_TRIAL] = true,
                                       [OTTER_PHASE_ROLLING_BACK] = true};

    (void)state;
    for (uint8_t phase = 0; phase < PHASES; phase++) {
        assert_int_equal(otter_phase_locks_store(phase), locks[phase]);
    }
}

static void two_states_are_equal_if_every_field_is_but_the_writer(void **state)
{
    struct otter_state one = state_of(OTTER_PHASE_TRIAL);
    struct otter_state other;

    (void)state;
    one.tlv_size = 6;
    one.tlv[5] = 9;
    for (size_t i = 0; i < sizeof(one); i++) {
        other = one;
        ((uint8_t *)&other)[i] ^= 0x40;
        bool is_writer = i == offsetof(struct otter_state, last_writer);
        bool is_behind_tlv = i >= offsetof(struct otter_state, tlv) + one.tlv_size;
        size_t outcome = i - offsetof(struct otter_state, outcome);
        bool is_padding = i >= offsetof(struct otter_state, outcome) &&
                          outcome > offsetof(struct otter_outcome, kind) &&
                          outcome < offsetof(struct otter_outcome, code);
        bool is_outcome_end = i >= offsetof(struct otter_state, outcome) +
                                       offsetof(struct otter_outcome, id) + 8 &&
                              i < offsetof(struct otter_state, session);

        if (is_padding || is_outcome_end) {
            continue; /* between members */
        }
        assert_int_equal(otter_state_equal(&one, &other), is_writer || is_behind_tlv);
    }
}

static void k6_a_critical_extension_is_found_wherever_it_stands(void **state)
{
    static const struct {
        uint8_t size;
        uint8_t tlv[12];
        bool is_found;
    } cases[] = {
        {0, {0}, false},
        {2, {0x7F, 0}, false},
        {2, {0x80, 0}, true},
        {5, {1, 3, 0x80, 0x80, 0x80}, false}, /* bytes, not types */
        {7, {1, 3, 0x80, 0x80, 0x80, 0xFF, 0}, true},
        {12, {1, 0, 2, 1, 9, 3, 0, 4, 0, 0x84, 1, 0}, true},
        {2, {1, 0, 0x80, 0}, false}, /* behind the end */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct otter_state subject = state_of(OTTER_PHASE_CONFIRMED);

        subject.tlv_size = cases[i].size;
        memcpy(subject.tlv, cases[i].tlv, sizeof(cases[i].tlv));
        assert_int_equal(otter_state_has_unknown(&subject), cases[i].is_found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k7_who_may_lead_what_into_what_is_the_table_of_spec),
        cmocka_unit_test(k13_only_the_manager_closes_and_opens_the_application),
        cmocka_unit_test(k3_every_program_may_repeat_a_state),
        cmocka_unit_test(
            k17_only_confirm_and_roll_back_change_the_system_and_none_takes_trust_back),
        cmocka_unit_test(k17_boot_alone_switches_and_takes_the_manager_back),
        cmocka_unit_test(
            k12_the_store_is_locked_from_the_request_to_the_end_of_a_roll_back),
        cmocka_unit_test(two_states_are_equal_if_every_field_is_but_the_writer),
        cmocka_unit_test(k6_a_critical_extension_is_found_wherever_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
