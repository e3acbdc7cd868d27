/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SMP server: its decisions as tables, its replies against messages made with
 * Python's cbor2, and whole transfers into the virtual device. Numbers and flags are
 * mcumgr's and MCUboot's, as docs/SPEC.md, "SMP door", quotes them.
 */
#include "door/smp_inner.h"
#include "smp_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { HEADER = OTTER_SMP_HEADER_SIZE, V1 = 0, V2 = 1, CHUNK = 300, MESSAGE_MAX = 600 };

static const uint8_t all_open[16] = {
    OTTER_OPEN, OTTER_OPEN, OTTER_OPEN, OTTER_OPEN,
    OTTER_OPEN, OTTER_OPEN, OTTER_OPEN, OTTER_OPEN,
};

/* ---- decisions ---- */

struct flag_row {
    uint8_t phase;
    const char *slots[2]; /* - not listed, n new, p pending, c confirmed, a active */
};

/* docs/SPEC.md, "SMP door", flags; MCUboot's states of a two-slot device. */
static const struct flag_row flag_rows[] = {
    {OTTER_PHASE_CONFIRMED, {"ca", "-"}},
    {OTTER_PHASE_RECEIVING, {"ca", "-"}},
    {OTTER_PHASE_COMPLETE, {"ca", "n"}},
    {OTTER_PHASE_REQUESTED, {"ca", "np"}},
    {OTTER_PHASE_INSTALLING, {"ca", "np"}},
    {OTTER_PHASE_TRIAL, {"na", "c"}},
    {OTTER_PHASE_ROLLING_BACK, {"ca", "-"}},
    {OTTER_PHASE_ROLLED_BACK, {"ca", "-"}},
    {0, {"-", "-"}},
    {OTTER_PHASE_COUNT, {"-", "-"}},
    {255, {"-", "-"}},
};

static void each_phase_shows_its_flags(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(flag_rows) / sizeof(flag_rows[0]); i++) {
        for (uint8_t slot = 0; slot < 2; slot++) {
            const char *wanted = flag_rows[i].slots[slot];
            struct smp_slot_flags flags = smp_flags_of(flag_rows[i].phase, slot);

            assert_int_equal(flags.is_listed, wanted[0] != '-');
            assert_int_equal(flags.is_new, strchr(wanted, 'n') != NULL);
            assert_int_equal(flags.is_pending, strchr(wanted, 'p') != NULL);
            assert_int_equal(flags.is_confirmed, strchr(wanted, 'c') != NULL);
            assert_int_equal(flags.is_active, strchr(wanted, 'a') != NULL);
        }
    }
    assert_false(smp_flags_of(OTTER_PHASE_TRIAL, 2).is_listed);
}

struct state_row {
    uint8_t phase, named;
    bool wants_confirm, may;
    uint8_t act;
    enum otter_result reason;
};

static const struct state_row state_rows[] = {
    /* the stored package is named: test and confirm both request it */
    {OTTER_PHASE_COMPLETE, SMP_NAMED_OTHER, false, true, SMP_STATE_REQUEST, OTTER_OK},
    {OTTER_PHASE_COMPLETE, SMP_NAMED_OTHER, true, true, SMP_STATE_REQUEST, OTTER_OK},
    {OTTER_PHASE_REQUESTED, SMP_NAMED_OTHER, false, true, SMP_STATE_REQUEST, OTTER_OK},
    {OTTER_PHASE_COMPLETE, SMP_NAMED_OTHER, false, false, SMP_STATE_REFUSE,
     OTTER_E_POLICY},
    {OTTER_PHASE_INSTALLING, SMP_NAMED_OTHER, false, true, SMP_STATE_REFUSE,
     OTTER_E_LOCKED},
    /* the way back is named */
    {OTTER_PHASE_TRIAL, SMP_NAMED_OTHER, false, true, SMP_STATE_REFUSE, OTTER_E_LOCKED},
    {OTTER_PHASE_TRIAL, SMP_NAMED_OTHER, true, true, SMP_STATE_REFUSE, OTTER_E_LOCKED},
    /* the running system, or no hash */
    {OTTER_PHASE_TRIAL, SMP_NAMED_NONE, true, true, SMP_STATE_CONFIRM, OTTER_OK},
    {OTTER_PHASE_TRIAL, SMP_NAMED_RUNNING, true, true, SMP_STATE_CONFIRM, OTTER_OK},
    {OTTER_PHASE_TRIAL, SMP_NAMED_NONE, true, false, SMP_STATE_REFUSE, OTTER_E_POLICY},
    {OTTER_PHASE_TRIAL, SMP_NAMED_RUNNING, true, false, SMP_STATE_REFUSE,
     OTTER_E_POLICY},
    {OTTER_PHASE_CONFIRMED, SMP_NAMED_NONE, true, false, SMP_STATE_NOTHING, OTTER_OK},
    {OTTER_PHASE_CONFIRMED, SMP_NAMED_RUNNING, true, false, SMP_STATE_NOTHING,
     OTTER_OK},
    {OTTER_PHASE_COMPLETE, SMP_NAMED_NONE, true, true, SMP_STATE_NOTHING, OTTER_OK},
    {OTTER_PHASE_CONFIRMED, SMP_NAMED_RUNNING, false, true, SMP_STATE_REFUSE,
     OTTER_E_JOURNAL_TRANSITION},
    {OTTER_PHASE_TRIAL, SMP_NAMED_NONE, false, true, SMP_STATE_REFUSE,
     OTTER_E_SMP_FIELD},
    {OTTER_PHASE_COMPLETE, SMP_NAMED_UNKNOWN, true, true, SMP_STATE_REFUSE,
     OTTER_E_OTHER_PACKAGE},
    {OTTER_PHASE_COMPLETE, 77, true, true, SMP_STATE_REFUSE, OTTER_E_OTHER_PACKAGE},
};

static void a_state_write_does_what_its_hash_phase_and_policy_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(state_rows) / sizeof(state_rows[0]); i++) {
        const struct state_row *row = &state_rows[i];
        const struct smp_state_facts facts = {.phase = row->phase,
                                              .named = row->named,
                                              .wants_confirm = row->wants_confirm,
                                              .may_request = row->may,
                                              .may_confirm = row->may};
        struct smp_state_decision decision = smp_state_decide(&facts);

        assert_int_equal(decision.act, row->act);
        assert_int_equal(decision.reason, row->reason);
    }
}

struct error_row {
    enum otter_result result;
    uint16_t group;
    uint8_t id;
    struct smp_error error;
};

/* rc: mcumgr's MGMT_ERR_*; group 1: its image group's codes; group 64: XX * 256 + YY.
 */
static const struct error_row error_rows[] = {
    {OTTER_E_PACKAGE_MAGIC, 1, 1, {3, 1, 23}},
    {OTTER_E_MEMBER_HASH, 1, 1, {9, 1, 24}},
    {OTTER_E_COUNTER, 1, 1, {6, 1, 27}},
    {OTTER_E_LOCKED, 1, 1, {6, 1, 28}},
    {OTTER_E_TOO_LARGE, 1, 1, {2, 1, 30}},
    {OTTER_E_RECEIVE_OVERRUN, 1, 1, {3, 1, 31}},
    {OTTER_E_POLICY, 1, 0, {11, 1, 32}},
    {OTTER_E_POLICY, 1, 1, {11, 0, 0}},
    {OTTER_E_POLICY, 0, 5, {11, 0, 0}},
    {OTTER_E_JOURNAL_TRANSITION, 1, 0, {6, 1, 33}},
    {OTTER_E_OTHER_PACKAGE, 1, 0, {5, 1, 8}},
    {OTTER_E_SMP_COMMAND, 9, 9, {8, 0, 0}},
    {OTTER_E_SMP_CBOR, 1, 1, {3, 0, 0}},
    {OTTER_E_TARGET, 1, 1, {3, 1, 1}},
    {OTTER_E_TARGET, 64, 0, {3, 64, 23 * 256 + 10}},
    {OTTER_E_CONTROL_MAGIC, 1, 1, {3, 1, 22}},
    {OTTER_E_BOOT_NOTHING, 1, 1, {1, 1, 1}},
};

static void each_result_has_its_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(error_rows) / sizeof(error_rows[0]); i++) {
        const struct error_row *row = &error_rows[i];
        struct smp_error error = smp_error_of(row->result, row->group, row->id);

        assert_int_equal(error.rc, row->error.rc);
        assert_int_equal(error.group, row->error.group);
        assert_int_equal(error.group_rc, row->error.group_rc);
    }
}

static void every_result_of_the_table_has_an_error_in_both_versions(void **state)
{
    const struct otter_error *row;

    (void)state;
    for (size_t i = 0; (row = otter_error_row(i)) != NULL; i++) {
        enum otter_result result =
            otter_result_of((uint16_t)(row->stage * 256 + row->first));
        struct smp_error error = smp_error_of(result, 1, 1);

        assert_int_not_equal(error.rc, 0);
        assert_int_equal(error.group == 0, error.group_rc == 0);
    }
}

/* ---- messages ---- */

struct exchange {
    const char *name;
    const char *request;
    size_t request_size;
    const char *reply;
    size_t reply_size;
};

#define BYTES(text) text, sizeof(text) - 1

/* Made with cbor2.dumps() and struct.pack() from the values that mcumgr documents. */
static const struct exchange exchanges[] = {
    {"echo, version 1",
     BYTES("\x02\x00\x00\x09\x00\x00\x07\x00\xa1\x61\x64\x65\x6f\x74\x74\x65\x72"),
     BYTES("\x03\x00\x00\x09\x00\x00\x07\x00\xa1\x61\x72\x65\x6f\x74\x74\x65\x72")},
    {"echo, version 2",
     BYTES("\x0a\x00\x00\x09\x00\x00\xff\x00\xa1\x61\x64\x65\x6f\x74\x74\x65\x72"),
     BYTES("\x0b\x00\x00\x09\x00\x00\xff\x00\xa1\x61\x72\x65\x6f\x74\x74\x65\x72")},
    {"echo read", BYTES("\x08\x00\x00\x04\x00\x00\x01\x00\xa1\x61\x64\x60"),
     BYTES("\x09\x00\x00\x04\x00\x00\x01\x00\xa1\x61\x72\x60")},
    {"parameters", BYTES("\x08\x00\x00\x01\x00\x00\x02\x06\xa0"),
     BYTES(
         "\x09\x00\x00\x18\x00\x00\x02\x06\xa2\x68\x62\x75\x66\x5f\x73\x69\x7a\x65\x19\x05"
         "\xc0\x69\x62\x75\x66\x5f\x63\x6f\x75\x6e\x74\x01")},
    {"parameters without a body", BYTES("\x00\x00\x00\x00\x00\x00\x02\x06"),
     BYTES(
         "\x01\x00\x00\x18\x00\x00\x02\x06\xa2\x68\x62\x75\x66\x5f\x73\x69\x7a\x65\x19\x05"
         "\xc0\x69\x62\x75\x66\x5f\x63\x6f\x75\x6e\x74\x01")},
    {"bootloader", BYTES("\x08\x00\x00\x01\x00\x00\x03\x08\xa0"),
     BYTES(
         "\x09\x00\x00\x14\x00\x00\x03\x08\xa1\x6a\x62\x6f\x6f\x74\x6c\x6f\x61\x64\x65\x72"
         "\x67\x4d\x43\x55\x62\x6f\x6f\x74")},
    {"bootloader mode",
     BYTES(
         "\x08\x00\x00\x0c\x00\x00\x04\x08\xa1\x65\x71\x75\x65\x72\x79\x64\x6d\x6f\x64\x65"),
     BYTES("\x09\x00\x00\x07\x00\x00\x04\x08\xa1\x64\x6d\x6f\x64\x65\x03")},
    {"bootloader, another query",
     BYTES("\x08\x00\x00\x09\x00\x00\x04\x08\xa1\x65\x71\x75\x65\x72\x79\x61\x78"),
     BYTES("\x09\x00\x00\x05\x00\x00\x04\x08\xa1\x62\x72\x63\x08")},
    {"unknown command, version 1", BYTES("\x00\x00\x00\x01\x00\x00\x05\x02\xa0"),
     BYTES(
         "\x01\x00\x00\x11\x00\x00\x05\x02\xa2\x62\x72\x63\x08\x63\x72\x73\x6e\x67\x5b\x33"
         "\x33\x2d\x31\x34\x5d")},
    {"unknown command, version 2", BYTES("\x08\x00\x00\x01\x00\x00\x05\x02\xa0"),
     BYTES("\x09\x00\x00\x05\x00\x00\x05\x02\xa1\x62\x72\x63\x08")},
    {"unknown group", BYTES("\x0a\x00\x00\x01\x00\x08\x06\x00\xa0"),
     BYTES("\x0b\x00\x00\x05\x00\x08\x06\x00\xa1\x62\x72\x63\x08")},
    {"write of a read command", BYTES("\x0a\x00\x00\x01\x00\x00\x06\x06\xa0"),
     BYTES("\x0b\x00\x00\x05\x00\x00\x06\x06\xa1\x62\x72\x63\x08")},
    {"echo without d, version 1", BYTES("\x02\x00\x00\x01\x00\x00\x08\x00\xa0"),
     BYTES(
         "\x03\x00\x00\x11\x00\x00\x08\x00\xa2\x62\x72\x63\x03\x63\x72\x73\x6e\x67\x5b\x33"
         "\x33\x2d\x31\x33\x5d")},
    {"echo without d, version 2", BYTES("\x0a\x00\x00\x01\x00\x00\x08\x00\xa0"),
     BYTES("\x0b\x00\x00\x05\x00\x00\x08\x00\xa1\x62\x72\x63\x03")},
    {"upload without off",
     BYTES("\x0a\x00\x00\x08\x00\x01\x09\x01\xa1\x64\x64\x61\x74\x61\x41\x78"),
     BYTES("\x0b\x00\x00\x05\x00\x01\x09\x01\xa1\x62\x72\x63\x03")},
    {"upload in the middle of nothing",
     BYTES(
         "\x0a\x00\x00\x0d\x00\x01\x0a\x01\xa2\x63\x6f\x66\x66\x05\x64\x64\x61\x74\x61\x41"
         "\x78"),
     BYTES("\x0b\x00\x00\x06\x00\x01\x0a\x01\xa1\x63\x6f\x66\x66\x00")},
    {"upload of image 1",
     BYTES(
         "\x0a\x00\x00\x14\x00\x01\x0a\x01\xa3\x63\x6f\x66\x66\x00\x64\x64\x61\x74\x61\x41"
         "\x78\x65\x69\x6d\x61\x67\x65\x01"),
     BYTES("\x0b\x00\x00\x05\x00\x01\x0a\x01\xa1\x62\x72\x63\x03")},
    {"upload of what is no package, version 1",
     BYTES(
         "\x02\x00\x00\x53\x00\x01\x0b\x01\xa3\x63\x6f\x66\x66\x00\x63\x6c\x65\x6e\x18\x40"
         "\x64\x64\x61\x74\x61\x58\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
         "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
         "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
         "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
     BYTES(
         "\x03\x00\x00\x11\x00\x01\x0b\x01\xa2\x62\x72\x63\x03\x63\x72\x73\x6e\x67\x5b\x32"
         "\x30\x2d\x31\x30\x5d")},
    {"upload of what is no package, version 2",
     BYTES(
         "\x0a\x00\x00\x53\x00\x01\x0b\x01\xa3\x63\x6f\x66\x66\x00\x63\x6c\x65\x6e\x18\x40"
         "\x64\x64\x61\x74\x61\x58\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
         "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
         "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
         "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
     BYTES(
         "\x0b\x00\x00\x11\x00\x01\x0b\x01\xa1\x63\x65\x72\x72\xa2\x65\x67\x72\x6f\x75\x70"
         "\x01\x62\x72\x63\x17")},
    {"erase, which policy forbids", BYTES("\x0a\x00\x00\x01\x00\x01\x0c\x05\xa0"),
     BYTES("\x0b\x00\x00\x05\x00\x01\x0c\x05\xa1\x62\x72\x63\x0b")},
    {"confirm of a confirmed system by another hash",
     BYTES(
         "\x0a\x00\x00\x31\x00\x01\x0d\x00\xa2\x64\x68\x61\x73\x68\x58\x20\x00\x00\x00\x00"
         "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
         "\x00\x00\x00\x00\x00\x00\x00\x00\x67\x63\x6f\x6e\x66\x69\x72\x6d\xf5"),
     BYTES(
         "\x0b\x00\x00\x11\x00\x01\x0d\x00\xa1\x63\x65\x72\x72\xa2\x65\x67\x72\x6f\x75\x70"
         "\x01\x62\x72\x63\x08")},
    {"test of nothing",
     BYTES(
         "\x0a\x00\x00\x10\x00\x01\x0d\x00\xa2\x64\x68\x61\x73\x68\xf6\x67\x63\x6f\x6e\x66"
         "\x69\x72\x6d\xf4"),
     BYTES("\x0b\x00\x00\x05\x00\x01\x0d\x00\xa1\x62\x72\x63\x03")},
    {"otter's confirm, which policy forbids",
     BYTES("\x0a\x00\x00\x01\x00\x40\x0f\x04\xa0"),
     BYTES("\x0b\x00\x00\x05\x00\x40\x0f\x04\xa1\x62\x72\x63\x0b")},
    {"otter's request without a package", BYTES("\x0a\x00\x00\x01\x00\x40\x10\x05\xa0"),
     BYTES(
         "\x0b\x00\x00\x14\x00\x40\x10\x05\xa1\x63\x65\x72\x72\xa2\x65\x67\x72\x6f\x75\x70"
         "\x18\x40\x62\x72\x63\x19\x19\x0f")},
    {"otter's outcome", BYTES("\x08\x00\x00\x01\x00\x40\x11\x02\xa0"),
     BYTES(
         "\x09\x00\x00\x19\x00\x40\x11\x02\xa3\x64\x6b\x69\x6e\x64\x00\x64\x63\x6f\x64\x65"
         "\x60\x62\x69\x64\x48\x00\x00\x00\x00\x00\x00\x00\x00")},
};

static void replies_are_what_clients_expect(void **state)
{
    struct smp_bench bench;

    (void)state;
    smp_bench_start(&bench, false, NULL);
    for (size_t i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++) {
        const struct exchange *at = &exchanges[i];

        smp_bench_exchange(&bench, (const uint8_t *)at->request, at->request_size);
        if (bench.reply_count != 1 || bench.reply_sizes[0] != at->reply_size ||
            memcmp(bench.replies[0], at->reply, at->reply_size) != 0) {
            fail_msg("%s", at->name);
        }
    }
    smp_bench_stop(&bench);
}

/* The server still answers. */
static void assert_alive(struct smp_bench *bench)
{
    smp_bench_exchange(bench, (const uint8_t *)exchanges[0].request,
                       exchanges[0].request_size);
    assert_int_equal(bench->reply_count, 1);
    assert_memory_equal(bench->replies[0], exchanges[0].reply, exchanges[0].reply_size);
}

static uint8_t phase_of(struct smp_bench *bench)
{
    return vdevice_view(&bench->device)->journal.state.phase;
}

static void messages_cut_off_anywhere_get_no_reply(void **state)
{
    struct smp_bench bench;

    (void)state;
    smp_bench_start(&bench, false, all_open);
    for (size_t i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++) {
        for (size_t size = 1; size < exchanges[i].request_size; size++) {
            smp_bench_exchange(&bench, (const uint8_t *)exchanges[i].request, size);
            assert_int_equal(bench.reply_count, 0);
        }
    }
    assert_int_equal(phase_of(&bench), OTTER_PHASE_CONFIRMED);
    assert_alive(&bench);
    smp_bench_stop(&bench);
}

/* The code of the last refusal. */
static void note_refusal(void *context, enum otter_program program,
                         const struct otter_event *event)
{
    (void)program;
    if (event->kind == OTTER_EVENT_REFUSED) {
        *(uint16_t *)context = event->code;
    }
}

static void a_message_not_as_long_as_its_header_says_is_dropped_with_its_code(
    void **state)
{
    static const struct {
        uint16_t said; /* bytes of the body, of which there is one */
        size_t size;   /* of the message */
        uint16_t code;
    } cases[] = {
        {1, HEADER + 1, 0},
        {0, HEADER + 1, 33 * 256 + 10},
        {2, HEADER + 1, 33 * 256 + 10},
        {UINT16_MAX, HEADER + 1, 33 * 256 + 10},
        {1, HEADER, 33 * 256 + 10},
        {0, HEADER - 1, 33 * 256 + 10},
        {0, 1, 33 * 256 + 10},
    };
    struct smp_bench bench;

    (void)state;
    smp_bench_start(&bench, false, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t message[HEADER + 1] = {V2 << 3, 0, 0, 0, 0, 0, 2, 6, 0xA0};
        uint16_t code = 0;

        otter_store_be16(message + 2, cases[i].said);
        bench.device.hooks.context = &code;
        bench.device.hooks.on_event = note_refusal;
        smp_bench_exchange(&bench, message, cases[i].size);
        bench.device.hooks.on_event = NULL;
        assert_int_equal(code, cases[i].code);
        assert_int_equal(bench.reply_count, code == 0);
    }
    assert_alive(&bench);
    smp_bench_stop(&bench);
}

static void bodies_cut_off_anywhere_get_an_error(void **state)
{
    struct smp_bench bench;

    (void)state;
    smp_bench_start(&bench, false, NULL);
    for (size_t i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++) {
        /* A body of no bytes counts as an empty map. */
        for (size_t size = HEADER + 1; size < exchanges[i].request_size; size++) {
            uint8_t message[MESSAGE_MAX];

            memcpy(message, exchanges[i].request, size);
            otter_store_be16(message + 2, (uint16_t)(size - HEADER));
            smp_bench_exchange(&bench, message, size);
            assert_int_equal(bench.reply_count, 1);
            assert_true(memmem(bench.replies[0] + HEADER, 16, "\x62rc", 3) != NULL);
        }
    }
    assert_alive(&bench);
    smp_bench_stop(&bench);
}

static void no_flipped_header_bit_harms(void **state)
{
    struct smp_bench bench;

    (void)state;
    smp_bench_start(&bench, false, NULL);
    for (size_t i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++) {
        for (size_t bit = 0; bit < (size_t)HEADER * 8; bit++) {
            uint8_t message[MESSAGE_MAX];

            memcpy(message, exchanges[i].request, exchanges[i].request_size);
            message[bit / 8] ^= (uint8_t)(1u << bit % 8);
            smp_bench_exchange(&bench, message, exchanges[i].request_size);
            assert_true(bench.reply_count <= 1);
            /* Length, reserved bits, or an operation that is no request. */
            bool is_unusable = (bit >= 16 && bit < 32) || (bit >= 4 && bit < 8) ||
                               bit == 0 || bit == 2;

            if (is_unusable) {
                assert_int_equal(bench.reply_count, 0);
            }
        }
    }
    assert_alive(&bench);
    smp_bench_stop(&bench);
}

static void a_message_that_is_too_long_is_dropped(void **state)
{
    struct smp_bench bench;
    uint8_t message[OTTER_SMP_REQUEST + 1] = {OTTER_SMP_WRITE};

    (void)state;
    smp_bench_start(&bench, false, NULL);
    otter_store_be16(message + 2, sizeof(message) - HEADER);
    smp_bench_exchange(&bench, message, sizeof(message));
    assert_int_equal(bench.reply_count, 0);
    assert_alive(&bench);
    smp_bench_stop(&bench);
}

static void the_longest_message_is_taken_and_an_echo_too_long_for_the_reply_refused(
    void **state)
{
    struct smp_bench bench;
    uint8_t message[OTTER_SMP_REQUEST];
    struct otter_writer writer =
        otter_writer_of(message + HEADER, sizeof(message) - HEADER);
    struct otter_cbor_map map = otter_cbor_map_open(&writer);
    const struct otter_smp_header header = {
        .op = OTTER_SMP_WRITE, .version = V2, .len = sizeof(message) - HEADER};
    char text[OTTER_SMP_REQUEST] = "";

    (void)state;
    memset(text, 'x', sizeof(text));
    otter_cbor_key(&map, "d");
    otter_cbor_put_text_of(&writer, text, sizeof(message) - HEADER - 6);
    otter_cbor_map_close(&map);
    assert_false(writer.is_failed);
    assert_int_equal(writer.off, sizeof(message) - HEADER);
    otter_smp_put_header(message, &header);
    smp_bench_start(&bench, false, NULL);
    smp_bench_exchange(&bench, message, sizeof(message));
    assert_int_equal(bench.reply_count, 1);
    assert_memory_equal(bench.replies[0] + HEADER, "\xa1\x62rc\x07", 5);
    smp_bench_stop(&bench);
}

/* ---- transfers ---- */

static struct smp_client client_of(struct smp_bench *bench)
{
    struct smp_transport transport = smp_bench_transport(bench);
    struct smp_client client;

    smp_client_init(&client, &transport);
    client.timeout_ms = 0;
    return client;
}

struct part {
    uint32_t off;
    size_t size;
    uint32_t len;
    const char *sha; /* NULL: none */
    bool wants_upgrade;
};

/* One upload request; `next` is the reply's off. */
static enum otter_result upload(struct smp_client *client, const uint8_t *file,
                                const struct part *part, uint32_t *next)
{
    static const struct otter_cbor_field fields[] = {
        {"off", 1u << OTTER_CBOR_UINT, true}};
    struct otter_cbor_item items[1];
    struct otter_cbor_map *body = smp_client_begin(client);

    otter_cbor_add_uint(body, "off", part->off);
    otter_cbor_add_bytes(body, "data", file + part->off, part->size);
    if (part->len != 0) {
        otter_cbor_add_uint(body, "len", part->len);
    }
    if (part->sha != NULL) {
        otter_cbor_add_bytes(body, "sha", part->sha, strlen(part->sha));
    }
    if (part->wants_upgrade) {
        otter_cbor_add_bool(body, "upgrade", true);
    }
    enum otter_result result = smp_client_call(
        client,
        (struct smp_target){OTTER_SMP_WRITE, OTTER_SMP_GROUP_IMAGE, SMP_IMAGE_UPLOAD},
        fields, 1, items);

    if (result == OTTER_OK) {
        *next = (uint32_t)items[0].value;
    }
    return result;
}

/* Uploads a file as a stock client does, until `end`, each chunk `times` times. */
static enum otter_result upload_until(struct smp_client *client, const uint8_t *file,
                                      struct part part, uint32_t end, unsigned times)
{
    enum otter_result result = OTTER_OK;
    uint32_t length = part.len;

    while (part.off < end && result == OTTER_OK) {
        uint32_t next = 0;

        part.len = part.off == 0 ? length : 0;
        part.size = end - part.off < CHUNK ? end - part.off : CHUNK;
        for (unsigned i = 0; i < times; i++) {
            result = upload(client, file, &part, &next);
        }
        part.off = next;
    }
    return result;
}

static enum otter_result upload_all(struct smp_client *client,
                                    const struct sample_package *package,
                                    unsigned times)
{
    const struct part start = {.len = (uint32_t)package->size,
                               .sha = "0123456789abcdef"};

    return upload_until(client, package->bytes, start, (uint32_t)package->size, times);
}

static enum otter_result call(struct smp_client *client, uint8_t op, uint16_t group,
                              uint8_t id)
{
    (void)smp_client_begin(client);
    return smp_client_call(client, (struct smp_target){op, group, id}, NULL, 0, NULL);
}

static enum otter_result write_state(struct smp_client *client, const uint8_t *hash,
                                     bool confirm)
{
    struct otter_cbor_map *body = smp_client_begin(client);

    if (hash != NULL) {
        otter_cbor_add_bytes(body, "hash", hash, OTTER_SHA256_SIZE);
    }
    otter_cbor_add_bool(body, "confirm", confirm);
    return smp_client_call(
        client,
        (struct smp_target){OTTER_SMP_WRITE, OTTER_SMP_GROUP_IMAGE, SMP_IMAGE_STATE},
        NULL, 0, NULL);
}

static const uint8_t *hash_of(const struct sample_package *package)
{
    return package->bytes + package->size - OTTER_SHA256_SIZE;
}

static void make_next(struct smp_bench *bench, uint8_t minor,
                      struct sample_package *package)
{
    sample_next(&bench->sample, minor, package);
    if (otter_map_find(&bench->sample.profile.map, OTTER_REGION_SLOT_B) != NULL) {
        const struct otter_region *slot =
            otter_map_find(&bench->sample.profile.map, OTTER_REGION_SLOT_B);

        package->members[0].link_addr = slot->exec;
        otter_store_le32(package->firmware + 4, slot->exec + 0x41);
    }
    sample_build(package);
}

static void a_stock_client_uploads_tests_and_resets(void **state)
{
    (void)state;
    for (int is_ab = 0; is_ab < 2; is_ab++) {
        struct smp_bench bench;
        struct sample_package package;

        smp_bench_start(&bench, is_ab != 0, NULL);
        struct smp_client client = client_of(&bench);

        make_next(&bench, 2, &package);
        assert_int_equal(upload_all(&client, &package, 1), OTTER_OK);
        assert_int_equal(phase_of(&bench), OTTER_PHASE_COMPLETE);
        assert_int_equal(write_state(&client, hash_of(&package), false), OTTER_OK);
        assert_int_equal(phase_of(&bench), OTTER_PHASE_REQUESTED);
        assert_int_equal(
            call(&client, OTTER_SMP_WRITE, OTTER_SMP_GROUP_OS, SMP_OS_RESET), OTTER_OK);
        assert_int_equal(phase_of(&bench), OTTER_PHASE_TRIAL);
        bench.device.hooks.idle = NULL; /* time goes on: the application confirms */
        (void)vdevice_run(&bench.device);
        assert_int_equal(phase_of(&bench), OTTER_PHASE_CONFIRMED);
        assert_int_equal(vdevice_view(&bench.device)->journal.state.outcome.kind,
                         OTTER_OUTCOME_CONFIRMED);
        assert_int_equal(vdevice_view(&bench.device)->journal.state.outcome.id[6], 2);
        smp_bench_stop(&bench);
    }
}

static void doubled_requests_change_nothing(void **state)
{
    struct smp_bench bench;
    struct sample_package package;

    (void)state;
    smp_bench_start(&bench, false, NULL);
    struct smp_client client = client_of(&bench);

    make_next(&bench, 2, &package);
    assert_int_equal(upload_all(&client, &package, 3), OTTER_OK);
    assert_int_equal(phase_of(&bench), OTTER_PHASE_COMPLETE);
    assert_int_equal(write_state(&client, hash_of(&package), true), OTTER_OK);
    assert_int_equal(write_state(&client, hash_of(&package), true), OTTER_OK);
    assert_int_equal(phase_of(&bench), OTTER_PHASE_REQUESTED);
    smp_bench_stop(&bench);
}

static void an_upload_goes_on_where_it_stopped(void **state)
{
    struct smp_bench bench;
    struct sample_package package;
    uint32_t next = 0;

    (void)state;
    smp_bench_start(&bench, false, NULL);
    struct smp_client client = client_of(&bench);

    make_next(&bench, 2, &package);
    struct part part = {.len = (uint32_t)package.size, .sha = "0123456789abcdef"};

    assert_int_equal(upload_until(&client, package.bytes, part, 1500, 1), OTTER_OK);
    /* The same hash: go on. A wrong offset: no error, but where to go on. */
    part.size = CHUNK;
    assert_int_equal(upload(&client, package.bytes, &part, &next), OTTER_OK);
    assert_int_equal(next, 1500);
    part.off = 77;
    assert_int_equal(upload(&client, package.bytes, &part, &next), OTTER_OK);
    assert_int_equal(next, 1500);
    /* After a reset at most one sector is lost. */
    (void)vdevice_reset(&bench.device, OTTER_RESET_SOFTWARE);
    part.off = 0;
    assert_int_equal(upload(&client, package.bytes, &part, &next), OTTER_OK);
    assert_in_range(next, 1500 - 512, 1500);
    part.off = next;
    assert_int_equal(
        upload_until(&client, package.bytes, part, (uint32_t)package.size, 1),
        OTTER_OK);
    assert_int_equal(phase_of(&bench), OTTER_PHASE_COMPLETE);
    smp_bench_stop(&bench);
}

static void another_hash_starts_over(void **state)
{
    struct smp_bench bench;
    struct sample_package package;
    uint32_t next = 0;

    (void)state;
    smp_bench_start(&bench, false, NULL);
    struct smp_client client = client_of(&bench);

    make_next(&bench, 2, &package);
    struct part part = {.len = (uint32_t)package.size, .sha = "0123456789abcdef"};

    assert_int_equal(upload_until(&client, package.bytes, part, 1500, 1), OTTER_OK);
    part.sha = "another hash";
    part.size = CHUNK;
    assert_int_equal(upload(&client, package.bytes, &part, &next), OTTER_OK);
    assert_int_equal(next, CHUNK);
    smp_bench_stop(&bench);
}

static void the_last_reply_tells_that_the_package_is_damaged(void **state)
{
    struct smp_bench bench;
    struct sample_package package;

    (void)state;
    smp_bench_start(&bench, false, NULL);
    struct smp_client client = client_of(&bench);

    make_next(&bench, 2, &package);
    package.bytes[package.size - OTTER_TRAILER_SIZE - 1] ^= 1;
    assert_int_equal(upload_all(&client, &package, 1), OTTER_E_MEMBER_HASH);
    /* It is remembered: the next chunk, and the start with the same hash, hear it too.
     */
    struct part part = {.off = 900, .size = CHUNK};
    uint32_t next = 0;

    assert_int_equal(upload(&client, package.bytes, &part, &next), OTTER_E_MEMBER_HASH);
    assert_int_equal(upload_all(&client, &package, 1), OTTER_E_MEMBER_HASH);
    assert_int_equal(phase_of(&bench), OTTER_PHASE_CONFIRMED);
    smp_bench_stop(&bench);
}

static void a_package_for_another_target_is_refused_before_its_members(void **state)
{
    struct smp_bench bench;
    struct sample_package package;

    (void)state;
    smp_bench_start(&bench, false, NULL);
    struct smp_client client = client_of(&bench);

    sample_next(&bench.sample, 2, &package);
    package.package.target++;
    sample_build(&package);
    assert_int_equal(upload_all(&client, &package, 1), OTTER_E_TARGET);
    assert_int_equal(client.rc, OTTER_SMP_RC_INVAL);
    smp_bench_stop(&bench);
}

static void a_locked_store_takes_nothing(void **state)
{
    struct smp_bench bench;
    struct sample_package package;

    (void)state;
    smp_bench_start(&bench, false, all_open);
    struct smp_client client = client_of(&bench);

    make_next(&bench, 2, &package);
    assert_int_equal(upload_all(&client, &package, 1), OTTER_OK);
    assert_int_equal(write_state(&client, hash_of(&package), false), OTTER_OK);
    const struct part other = {.len = (uint32_t)package.size, .sha = "another one's"};
    uint32_t op = bench.device.flash.op;

    /* What has arrived is told so, as a finished upload. */
    assert_int_equal(upload_all(&client, &package, 1), OTTER_OK);
    assert_int_equal(
        upload_until(&client, package.bytes, other, (uint32_t)package.size, 1),
        OTTER_E_LOCKED);
    assert_int_equal(client.rc, OTTER_SMP_RC_BADSTATE);
    assert_int_equal(bench.device.flash.op, op);
    assert_int_equal(
        call(&client, OTTER_SMP_WRITE, OTTER_SMP_GROUP_IMAGE, SMP_IMAGE_ERASE),
        OTTER_E_LOCKED);
    assert_int_equal(phase_of(&bench), OTTER_PHASE_REQUESTED);
    smp_bench_stop(&bench);
}

static void erase_forgets_the_package_where_policy_allows(void **state)
{
    struct smp_bench bench;
    struct sample_package package;

    (void)state;
    smp_bench_start(&bench, false, all_open);
    struct smp_client client = client_of(&bench);

    make_next(&bench, 2, &package);
    assert_int_equal(upload_all(&client, &package, 1), OTTER_OK);
    assert_int_equal(
        call(&client, OTTER_SMP_WRITE, OTTER_SMP_GROUP_IMAGE, SMP_IMAGE_ERASE),
        OTTER_OK);
    assert_int_equal(phase_of(&bench), OTTER_PHASE_CONFIRMED);
    assert_int_equal(write_state(&client, hash_of(&package), false),
                     OTTER_E_OTHER_PACKAGE);
    smp_bench_stop(&bench);
}

static void upload_with_upgrade_requests_where_policy_allows(void **state)
{
    (void)state;
    for (int may = 0; may < 2; may++) {
        struct smp_bench bench;
        struct sample_package package;
        uint8_t permissions[16];

        memcpy(permissions, all_open, sizeof(permissions));
        permissions[OTTER_COMMAND_UPGRADE] = may ? OTTER_OPEN : OTTER_NEVER;
        smp_bench_start(&bench, false, permissions);
        struct smp_client client = client_of(&bench);

        make_next(&bench, 2, &package);
        const struct part start = {
            .len = (uint32_t)package.size, .sha = "0123456789", .wants_upgrade = true};

        assert_int_equal(
            upload_until(&client, package.bytes, start, (uint32_t)package.size, 1),
            OTTER_OK);
        assert_int_equal(phase_of(&bench),
                         may ? OTTER_PHASE_REQUESTED : OTTER_PHASE_COMPLETE);
        smp_bench_stop(&bench);
    }
}

static void a_trial_is_confirmed_by_a_remote_only_where_policy_allows(void **state)
{
    (void)state;
    for (int may = 0; may < 2; may++) {
        struct smp_bench bench;
        struct sample_package package;

        smp_bench_start(&bench, false, may ? all_open : NULL);
        struct smp_client client = client_of(&bench);

        bench.device.app = VDEVICE_SILENT;
        make_next(&bench, 2, &package);
        assert_int_equal(upload_all(&client, &package, 1), OTTER_OK);
        assert_int_equal(write_state(&client, hash_of(&package), true), OTTER_OK);
        assert_int_equal(
            call(&client, OTTER_SMP_WRITE, OTTER_SMP_GROUP_OS, SMP_OS_RESET), OTTER_OK);
        assert_int_equal(phase_of(&bench), OTTER_PHASE_TRIAL);
        assert_int_equal(write_state(&client, NULL, true),
                         may ? OTTER_OK : OTTER_E_POLICY);
        assert_int_equal(phase_of(&bench),
                         may ? OTTER_PHASE_CONFIRMED : OTTER_PHASE_TRIAL);
        smp_bench_stop(&bench);
    }
}

/* ---- group 64 ---- */

struct offered {
    uint32_t off, next;
};

static enum otter_result offer(struct smp_client *client, const uint8_t *file,
                               uint32_t off, size_t size, struct offered *offered)
{
    static const struct otter_cbor_field fields[] = {
        {"off", 1u << OTTER_CBOR_UINT, true}, {"next", 1u << OTTER_CBOR_UINT, true}};
    struct otter_cbor_item items[2];
    struct otter_cbor_map *body = smp_client_begin(client);

    otter_cbor_add_uint(body, "off", off);
    otter_cbor_add_bytes(body, "data", file + 32 + off, size);
    otter_cbor_add_uint(body, "len", otter_load_le16(file + 32 + 6));
    otter_cbor_add_bytes(body, "sha", "0123456789abcdef", 16);
    enum otter_result result =
        smp_client_call(client,
                        (struct smp_target){OTTER_SMP_WRITE, OTTER_SMP_GROUP_OTTER,
                                            OTTER_SMP_OWN_OFFER},
                        fields, 2, items);

    if (result == OTTER_OK) {
        *offered = (struct offered){(uint32_t)items[0].value, (uint32_t)items[1].value};
    }
    return result;
}

static void a_control_packet_is_taken_alone_and_the_file_goes_on_after_it(void **state)
{
    struct smp_bench bench;
    struct sample_package package;
    struct offered offered = {0, 0};

    (void)state;
    smp_bench_start(&bench, false, NULL);
    struct smp_client client = client_of(&bench);

    make_next(&bench, 2, &package);
    uint16_t length = otter_load_le16(package.bytes + 32 + 6);

    while (offered.off < length) {
        size_t size = length - offered.off < 100 ? length - offered.off : 100;

        assert_int_equal(offer(&client, package.bytes, offered.off, size, &offered),
                         OTTER_OK);
        assert_int_equal(offered.next, offered.off + 32);
    }
    assert_int_equal(phase_of(&bench), OTTER_PHASE_RECEIVING);
    const struct part rest = {.off = offered.next, .sha = "0123456789abcdef"};

    assert_int_equal(
        upload_until(&client, package.bytes, rest, (uint32_t)package.size, 1),
        OTTER_OK);
    assert_int_equal(phase_of(&bench), OTTER_PHASE_COMPLETE);
    /* Offered again: nothing to send any more. */
    assert_int_equal(offer(&client, package.bytes, 0, 100, &offered), OTTER_OK);
    assert_int_equal(offered.next, package.size);
    smp_bench_stop(&bench);
}

static void an_offer_that_does_not_fit_is_refused_at_its_end(void **state)
{
    struct smp_bench bench;
    struct sample_package package;
    struct offered offered;

    (void)state;
    smp_bench_start(&bench, false, NULL);
    struct smp_client client = client_of(&bench);

    sample_next(&bench.sample, 2, &package);
    package.package.counter = 0;
    sample_build(&package);
    uint16_t length = otter_load_le16(package.bytes + 32 + 6);

    assert_int_equal(offer(&client, package.bytes, 0, length, &offered),
                     OTTER_E_COUNTER);
    assert_int_equal(offer(&client, package.bytes, 0, 39, &offered), OTTER_E_SMP_FIELD);
    assert_int_equal(offer(&client, package.bytes, 0, (size_t)length + 1, &offered),
                     OTTER_E_CONTROL_LENGTH);
    assert_int_equal(phase_of(&bench), OTTER_PHASE_CONFIRMED);
    smp_bench_stop(&bench);
}

static void restart_begins_again_at_the_first_byte(void **state)
{
    struct smp_bench bench;
    struct sample_package package;
    uint32_t next = 1;

    (void)state;
    smp_bench_start(&bench, false, NULL);
    struct smp_client client = client_of(&bench);

    make_next(&bench, 2, &package);
    struct part part = {.len = (uint32_t)package.size, .sha = "0123456789abcdef"};

    assert_int_equal(upload_until(&client, package.bytes, part, 1500, 1), OTTER_OK);
    otter_cbor_add_bool(smp_client_begin(&client), "restart", true);
    assert_int_equal(
        smp_client_call(&client,
                        (struct smp_target){OTTER_SMP_WRITE, OTTER_SMP_GROUP_OTTER,
                                            OTTER_SMP_OWN_TRANSFER},
                        NULL, 0, NULL),
        OTTER_OK);
    part.off = 1500;
    part.size = 1;
    assert_int_equal(upload(&client, package.bytes, &part, &next), OTTER_OK);
    assert_int_equal(next, 0);
    smp_bench_stop(&bench);
}

static void a_request_of_another_hash_is_refused(void **state)
{
    struct smp_bench bench;
    struct sample_package package;
    const uint8_t other[OTTER_SHA256_SIZE] = {1};

    (void)state;
    smp_bench_start(&bench, false, NULL);
    struct smp_client client = client_of(&bench);

    make_next(&bench, 2, &package);
    assert_int_equal(upload_all(&client, &package, 1), OTTER_OK);
    otter_cbor_add_bytes(smp_client_begin(&client), "hash", other, sizeof(other));
    assert_int_equal(
        smp_client_call(&client,
                        (struct smp_target){OTTER_SMP_WRITE, OTTER_SMP_GROUP_OTTER,
                                            OTTER_SMP_OWN_REQUEST},
                        NULL, 0, NULL),
        OTTER_E_OTHER_PACKAGE);
    assert_int_equal(
        call(&client, OTTER_SMP_WRITE, OTTER_SMP_GROUP_OTTER, OTTER_SMP_OWN_REQUEST),
        OTTER_OK);
    assert_int_equal(phase_of(&bench), OTTER_PHASE_REQUESTED);
    smp_bench_stop(&bench);
}

static void the_manager_serves_the_same_door(void **state)
{
    struct smp_bench bench;

    (void)state;
    smp_bench_start(&bench, false, NULL);
    struct smp_client client = client_of(&bench);

    assert_int_equal(bench.device.program, OTTER_PROGRAM_AGENT);
    assert_int_equal(
        call(&client, OTTER_SMP_WRITE, OTTER_SMP_GROUP_OTTER, OTTER_SMP_OWN_MANAGER),
        OTTER_OK);
    assert_int_equal(bench.device.program, OTTER_PROGRAM_MANAGER);
    assert_alive(&bench);
    smp_bench_stop(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_phase_shows_its_flags),
        cmocka_unit_test(a_state_write_does_what_its_hash_phase_and_policy_say),
        cmocka_unit_test(each_result_has_its_numbers),
        cmocka_unit_test(every_result_of_the_table_has_an_error_in_both_versions),
        cmocka_unit_test(replies_are_what_clients_expect),
        cmocka_unit_test(messages_cut_off_anywhere_get_no_reply),
        cmocka_unit_test(
            a_message_not_as_long_as_its_header_says_is_dropped_with_its_code),
        cmocka_unit_test(bodies_cut_off_anywhere_get_an_error),
        cmocka_unit_test(no_flipped_header_bit_harms),
        cmocka_unit_test(a_message_that_is_too_long_is_dropped),
        cmocka_unit_test(
            the_longest_message_is_taken_and_an_echo_too_long_for_the_reply_refused),
        cmocka_unit_test(a_stock_client_uploads_tests_and_resets),
        cmocka_unit_test(doubled_requests_change_nothing),
        cmocka_unit_test(an_upload_goes_on_where_it_stopped),
        cmocka_unit_test(another_hash_starts_over),
        cmocka_unit_test(the_last_reply_tells_that_the_package_is_damaged),
        cmocka_unit_test(a_package_for_another_target_is_refused_before_its_members),
        cmocka_unit_test(a_locked_store_takes_nothing),
        cmocka_unit_test(erase_forgets_the_package_where_policy_allows),
        cmocka_unit_test(upload_with_upgrade_requests_where_policy_allows),
        cmocka_unit_test(a_trial_is_confirmed_by_a_remote_only_where_policy_allows),
        cmocka_unit_test(a_control_packet_is_taken_alone_and_the_file_goes_on_after_it),
        cmocka_unit_test(an_offer_that_does_not_fit_is_refused_at_its_end),
        cmocka_unit_test(restart_begins_again_at_the_first_byte),
        cmocka_unit_test(a_request_of_another_hash_is_refused),
        cmocka_unit_test(the_manager_serves_the_same_door),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
