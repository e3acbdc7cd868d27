/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving a package chunk by chunk, driven as a door drives it: offer, answer, step.
 * Expected values: the contracts K1, K5, K10, K11, K12, K22 and the promises P5, P6,
 * P8.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "otter/bytes.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512, CHUNK_SIZES = 300 };

static const uint8_t session_a[OTTER_SESSION_SIZE] = {'a'};
static const uint8_t session_b[OTTER_SESSION_SIZE] = {'b'};

static const bool kinds[] = {false, true}; /* single, A/B */

static struct world *make_running(bool is_ab)
{
    struct world *world = world_make_small(is_ab, false);

    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    return world;
}

static void on_both(void (*test)(struct world *world))
{
    for (size_t i = 0; i < 2; i++) {
        struct world *world = make_running(kinds[i]);

        test(world);
        world_drop(world);
    }
}

static void start_over(struct world *world)
{
    world_back(world);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
}

static struct otter_receive *receiver(struct world *world)
{
    return &world->device.agent.receive;
}

static struct otter_chunk chunk_at(const struct world *world, uint32_t off, size_t size)
{
    struct otter_chunk chunk = {
        .off = off, .data = world->next.bytes + off, .size = size};

    if (off + size > world->next.size) {
        chunk.size = world->next.size - off;
    }
    memcpy(chunk.session, session_a, sizeof(chunk.session));
    return chunk;
}

/* Steps until not busy. Each step does one flash operation at most (K22). */
static enum otter_result finish(struct world *world)
{
    enum otter_result first = OTTER_OK;

    for (int i = 0; otter_receive_is_busy(receiver(world)); i++) {
        uint32_t op = world->device.flash.op;
        enum otter_result result = otter_receive_step(receiver(world));

        assert_true(world->device.flash.op - op <= 1);
        assert_true(i < 100000);
        first = first == OTTER_OK ? result : first;
    }
    return first;
}

static enum otter_result give(struct world *world, const struct otter_chunk *chunk)
{
    uint32_t op = world->device.flash.op;
    enum otter_result result = otter_receive_offer(receiver(world), chunk);

    assert_int_equal(world->device.flash.op, op); /* an offer changes only RAM */
    return result == OTTER_OK ? finish(world) : result;
}

/* Gives everything from where the receiver stands. */
static enum otter_result give_rest(struct world *world, size_t chunk_size)
{
    while (receiver(world)->next < world->next.size) {
        struct otter_chunk chunk = chunk_at(world, receiver(world)->next, chunk_size);
        enum otter_result result = give(world, &chunk);

        if (result != OTTER_OK) {
            return result;
        }
    }
    return OTTER_OK;
}

static uint32_t member_off(const struct world *world)
{
    return (uint32_t)world->next.size - OTTER_TRAILER_SIZE - SAMPLE_FIRMWARE_SIZE;
}

/* Where the firmware lies in the store. */
static uint8_t store_region(const struct world *world)
{
    return world_region(world, OTTER_REGION_SLOT_B) != NULL ? OTTER_REGION_SLOT_B
                                                            : OTTER_REGION_STAGING;
}

static void assert_complete(struct world *world)
{
    struct otter_state state = world_state(world);
    const uint8_t *trailer = world->next.bytes + world->next.size - OTTER_SHA256_SIZE;
    struct otter_receipt receipt;

    assert_true(otter_receive_is_complete(receiver(world)));
    assert_int_equal(state.phase, OTTER_PHASE_COMPLETE);
    assert_true(world_holds(world, store_region(world), &world->next));
    for (uint8_t copy = 0; copy < OTTER_RECEIPT_COPIES; copy++) {
        assert_int_equal(
            otter_receipt_open(&world->device.agent.device.io, 1, copy, &receipt),
            OTTER_OK);
        assert_true(receipt.has_hash);
        assert_memory_equal(receipt.hash, trailer, OTTER_SHA256_SIZE);
    }
    assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
    assert_true(world_is_untouched(world, OTTER_REGION_MANAGER));
    assert_true(world_is_untouched(world, OTTER_REGION_TABLE));
}

/* --- chunks --- */

static void check_sizes(struct world *world)
{
    for (size_t size = 1; size <= CHUNK_SIZES; size++) {
        start_over(world);
        assert_int_equal(give_rest(world, size), OTTER_OK);
        assert_complete(world);
    }
    start_over(world);
    assert_int_equal(give_rest(world, world->next.size), OTTER_OK);
    assert_complete(world);
}

static void k22_chunks_of_every_size_make_the_same_store_one_operation_a_step(
    void **state)
{
    (void)state;
    on_both(check_sizes);
}

static void check_offsets(struct world *world)
{
    struct otter_chunk first = chunk_at(world, 0, 150);
    struct otter_chunk second = chunk_at(world, 150, 1200);
    uint32_t length = (uint32_t)world->next.size;

    assert_int_equal(give(world, &second), OTTER_E_RECEIVE_OFFSET); /* nothing begun */
    assert_int_equal(world->device.flash.op, 0);
    assert_int_equal(give(world, &first), OTTER_OK);
    assert_int_equal(give(world, &second), OTTER_OK);
    uint32_t op = world->device.flash.op;
    const uint32_t wrong[] = {0,    1,    150,    151,        1349,
                              1351, 2000, length, 0x7FFFFFFF, 0xFFFFFFFF};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct otter_chunk chunk = first;

        chunk.off = wrong[i];
        assert_int_equal(give(world, &chunk), OTTER_E_RECEIVE_OFFSET);
        assert_int_equal(receiver(world)->next, 1350);
    }
    struct otter_chunk over = chunk_at(world, 1350, length);

    over.size = length - 1350 + 1;
    assert_int_equal(give(world, &over), OTTER_E_RECEIVE_OVERRUN);
    over.size = SIZE_MAX;
    assert_int_equal(give(world, &over), OTTER_E_RECEIVE_OVERRUN);
    assert_int_equal(world->device.flash.op, op);
    struct otter_chunk none = chunk_at(world, 1350, 0);

    assert_int_equal(give(world, &none), OTTER_OK);
    assert_int_equal(receiver(world)->next, 1350);
    assert_int_equal(give_rest(world, 77), OTTER_OK);
    assert_complete(world);
    op = world->device.flash.op;
    over = first;
    over.off = length;
    assert_int_equal(give(world, &over), OTTER_E_RECEIVE_OVERRUN);
    over.off = 0;
    assert_int_equal(give(world, &over), OTTER_E_RECEIVE_OFFSET);
    assert_int_equal(world->device.flash.op, op);
    assert_complete(world);
}

static void p8_wrong_doubled_and_overlong_chunks_change_nothing(void **state)
{
    (void)state;
    on_both(check_offsets);
}

static void check_busy(struct world *world)
{
    struct otter_chunk first = chunk_at(world, 0, 100);

    assert_int_equal(otter_receive_offer(receiver(world), &first), OTTER_OK);
    assert_int_equal(otter_receive_offer(receiver(world), &first), OTTER_E_BUSY);
    assert_int_equal(otter_receive_forget(receiver(world)), OTTER_E_BUSY);
    assert_int_equal(finish(world), OTTER_OK);
    assert_int_equal(give_rest(world, 100), OTTER_OK);
    assert_complete(world);
}

static void k22_a_busy_receiver_says_so(void **state)
{
    (void)state;
    on_both(check_busy);
}

static void check_overlong_first(struct world *world)
{
    uint8_t bytes[SAMPLE_PACKAGE_MAX + 1] = {0};
    struct otter_chunk chunk = chunk_at(world, 0, world->next.size);

    memcpy(bytes, world->next.bytes, world->next.size);
    chunk.data = bytes;
    chunk.size = world->next.size + 1; /* its length is not known yet */
    assert_int_equal(give(world, &chunk), OTTER_E_RECEIVE_OVERRUN);
    assert_true(world_is_untouched(world, store_region(world)));
    chunk = chunk_at(world, 0, 100);
    chunk.total = (uint32_t)world->next.size + 1;
    memcpy(chunk.session, session_b, sizeof(chunk.session));
    assert_int_equal(give(world, &chunk), OTTER_OK);
    assert_int_equal(give_rest(world, 100), OTTER_E_PACKAGE_LENGTH);
    assert_true(world_is_untouched(world, store_region(world)));
}

static void p8_more_than_the_packages_length_is_refused_before_the_store(void **state)
{
    (void)state;
    on_both(check_overlong_first);
}

/* --- resuming --- */

static void check_drop(struct world *world)
{
    for (uint32_t stop = 100; stop < world->next.size; stop += 100) {
        start_over(world);
        while (receiver(world)->next < stop) {
            struct otter_chunk chunk = chunk_at(world, receiver(world)->next, 100);

            assert_int_equal(give(world, &chunk), OTTER_OK);
        }
        /* The link dropped: the remote begins again with the same package. */
        struct otter_chunk again = chunk_at(world, 0, 100);

        assert_int_equal(give(world, &again), OTTER_E_RECEIVE_OFFSET);
        assert_int_equal(receiver(world)->next, stop);
        assert_int_equal(give_rest(world, 100), OTTER_OK);
        assert_complete(world);
    }
}

static void p5_a_dropped_transfer_goes_on_at_the_next_chunk(void **state)
{
    (void)state;
    on_both(check_drop);
}

static void check_reset(struct world *world)
{
    for (uint32_t stop = 100; stop < world->next.size; stop += 100) {
        start_over(world);
        while (receiver(world)->next < stop) {
            struct otter_chunk chunk = chunk_at(world, receiver(world)->next, 100);

            assert_int_equal(give(world, &chunk), OTTER_OK);
        }
        assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE),
                         VDEVICE_IDLE);
        if (stop >= member_off(world)) {
            assert_true(receiver(world)->next <= stop);
            assert_true(stop - receiver(world)->next <= SECTOR);
        } else {
            assert_int_equal(receiver(world)->next, 0);
        }
        assert_int_equal(give_rest(world, 100), OTTER_OK);
        assert_complete(world);
    }
}

static void p5_after_a_reset_it_goes_on_at_most_one_sector_back(void **state)
{
    (void)state;
    on_both(check_reset);
}

/* What is taken at a cut, as far as the door was told. */
static void on_progress(void *context, uint32_t done, uint32_t total)
{
    uint32_t *taken = context;

    (void)total;
    *taken = done;
}

static void check_cuts(struct world *world)
{
    static const enum vflash_fault_kind faults[] = {VFLASH_CUT_BEFORE, VFLASH_CUT_AFTER,
                                                    VFLASH_TORN};
    struct vdevice *device = &world->device;
    uint32_t taken = 0;
    enum otter_result result = OTTER_OK;

    device->hooks.context = &taken;
    device->hooks.on_progress = on_progress;
    assert_int_equal(world_feed(world), OTTER_OK);
    uint32_t ops = device->flash.op;

    for (uint32_t i = 0; i < ops * 3; i++) {
        const struct vflash_fault fault = {
            .at_op = i / 3, .kind = faults[i % 3], .seed = i * 7};

        world_back(world);
        taken = 0;
        assert_int_equal(vdevice_power_on(device, fault), VDEVICE_IDLE);
        assert_int_equal(
            vdevice_feed(device, world->next.bytes, world->next.size, 50, &result),
            VDEVICE_CUT);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        if (world_state(world).part == OTTER_PART_MEMBERS) {
            assert_true(receiver(world)->next + SECTOR >= taken);
        }
        uint32_t next = receiver(world)->next;
        uint64_t erases = device->flash.counts.erase_ops;

        /* Boot may have sealed a torn tail of the journal, once; looking at the
         * transfer writes nothing. */
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(device->flash.op, 0);
        assert_int_equal(receiver(world)->next, next);
        assert_int_equal(
            vdevice_feed(device, world->next.bytes, world->next.size, 50, &result),
            VDEVICE_IDLE);
        assert_int_equal(result, OTTER_OK);
        assert_complete(world);
        assert_true(next == 0 || erases <= device->flash.counts.erase_ops);
    }
}

static void p5_after_any_cut_it_goes_on_at_most_one_sector_back(void **state)
{
    (void)state;
    on_both(check_cuts);
}

static void check_sessions(struct world *world)
{
    struct otter_chunk other = chunk_at(world, 0, 100);
    struct otter_chunk restart = chunk_at(world, 0, 100);

    memcpy(other.session, session_b, sizeof(other.session));
    restart.wants_restart = true;
    for (int i = 0; i < 3; i++) {
        const struct otter_chunk *begins[] = {&other, &restart, &other};

        while (receiver(world)->next < 1500) {
            struct otter_chunk chunk = chunk_at(world, receiver(world)->next, 100);

            memcpy(chunk.session, receiver(world)->session, sizeof(chunk.session));
            if (chunk.off == 0) {
                memcpy(chunk.session, session_a, sizeof(chunk.session));
            }
            assert_int_equal(give(world, &chunk), OTTER_OK);
        }
        if (i == 2) {
            memset(other.session, 0,
                   sizeof(other.session)); /* a remote without a hash */
        }
        assert_int_equal(give(world, begins[i]), OTTER_OK);
        assert_int_equal(receiver(world)->next, 100);
    }
    assert_int_equal(give_rest(world, 100), OTTER_OK);
    assert_complete(world);
    assert_int_equal(give(world, &restart), OTTER_OK); /* also a complete one */
    assert_int_equal(world_state(world).phase, OTTER_PHASE_RECEIVING);
    assert_int_equal(give_rest(world, 100), OTTER_OK);
    assert_complete(world);
}

static void p5_another_session_or_a_restart_begins_at_zero(void **state)
{
    (void)state;
    on_both(check_sessions);
}

/* Phases of a package whose transfer has ended, and whether the program answers a first
 * part that comes again with the end; else it begins a transfer. */
static const struct {
    uint8_t phase;
    uint8_t outcome;
    uint8_t program;
    bool is_finished;
} endings[] = {
    {OTTER_PHASE_COMPLETE, OTTER_OUTCOME_NONE, OTTER_PROGRAM_AGENT, true},
    {OTTER_PHASE_COMPLETE, OTTER_OUTCOME_NONE, OTTER_PROGRAM_MANAGER, true},
    {OTTER_PHASE_REQUESTED, OTTER_OUTCOME_NONE, OTTER_PROGRAM_AGENT, true},
    {OTTER_PHASE_REQUESTED, OTTER_OUTCOME_NONE, OTTER_PROGRAM_MANAGER, true},
    {OTTER_PHASE_INSTALLING, OTTER_OUTCOME_NONE, OTTER_PROGRAM_MANAGER, true},
    {OTTER_PHASE_TRIAL, OTTER_OUTCOME_NONE, OTTER_PROGRAM_AGENT, true},
    {OTTER_PHASE_ROLLED_BACK, OTTER_OUTCOME_ROLLED_BACK, OTTER_PROGRAM_AGENT, false},
    {OTTER_PHASE_CONFIRMED, OTTER_OUTCOME_FAILED, OTTER_PROGRAM_AGENT, false},
    {OTTER_PHASE_CONFIRMED, OTTER_OUTCOME_CONFIRMED, OTTER_PROGRAM_MANAGER, false},
};

static void check_endings(struct world *world)
{
    struct otter_chunk first = chunk_at(world, 0, 100);

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        struct otter_device *device = &world->device.agent.device;

        start_over(world);
        assert_int_equal(give_rest(world, 100), OTTER_OK);
        device->journal.state.phase = endings[i].phase;
        device->journal.state.outcome.kind = endings[i].outcome;
        device->program = endings[i].program;
        otter_receive_open(receiver(world), device);
        assert_int_equal(otter_receive_offer(receiver(world), &first),
                         endings[i].is_finished ? OTTER_E_RECEIVE_OFFSET : OTTER_OK);
        assert_true(otter_receive_is_busy(receiver(world)) != endings[i].is_finished);
        if (endings[i].is_finished) {
            assert_int_equal(receiver(world)->next, world->next.size);
        }
    }
}

/* A ghost of the transfer must not cost the other system its receipt; a restart is
 * wanted, so it may. */
static void check_end_of_update(struct world *world)
{
    struct otter_chunk first = chunk_at(world, 0, 100);

    start_over(world);
    assert_int_equal(give_rest(world, 100), OTTER_OK);
    assert_int_equal(world_request(world), OTTER_OK);
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(give(world, &first), OTTER_E_RECEIVE_OFFSET);
        assert_int_equal(receiver(world)->next, world->next.size);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    }
    assert_int_equal(otter_receive_forget(receiver(world)), OTTER_OK);
    assert_int_equal(finish(world), OTTER_OK);
    assert_int_equal(give(world, &first), OTTER_OK);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_RECEIVING);
    assert_int_equal(receiver(world)->next, 100);
}

static void p5_a_first_part_that_comes_again_after_the_end_begins_nothing(void **state)
{
    (void)state;
    on_both(check_endings);
    on_both(check_end_of_update);
}

/* --- refusals --- */

static uint8_t *flash_copy(const struct world *world, size_t *size)
{
    const struct otter_flash_area *area = &world->sample.profile.areas[0];
    uint8_t *copy;

    *size = (size_t)area->sector_size * area->sector_count;
    copy = malloc(*size);
    assert_non_null(copy);
    memcpy(copy, vflash_peek(&world->device.flash, area->addr, *size), *size);
    return copy;
}

static bool lies_in(uint32_t addr, uint32_t begin, uint32_t size)
{
    return addr >= begin && addr - begin < size;
}

/* P6, P8: every byte outside the journal and the incoming receipt is what it was. */
static void assert_only_journal_and_receipt(struct world *world, const uint8_t *before,
                                            size_t size)
{
    const struct otter_region *journal = world_region(world, OTTER_REGION_JOURNAL);
    uint32_t base = world->sample.profile.areas[0].addr;
    uint32_t receipt_size = 0;
    uint32_t receipt = world_receipt_addr(world, 1, 0, &receipt_size);
    const uint8_t *after = vflash_peek(&world->device.flash, base, size);

    for (uint32_t i = 0; i < size; i++) {
        if (!lies_in(base + i, journal->addr, journal->size) &&
            !lies_in(base + i, receipt, receipt_size) && before[i] != after[i]) {
            fail_msg("the byte at %08X changed", (unsigned)(base + i));
        }
    }
}

struct refusal {
    const char *name;
    void (*change)(struct sample_package *package); /* before it is built and signed */
    int flip_off;                                   /* in the file, 0: none */
    enum otter_result code;
};

static void other_key(struct sample_package *package)
{
    static const uint8_t scalar[HOST_SIGN_SCALAR_SIZE] = {[31] = 7};

    package->package.scalar = scalar;
}

static void not_signed(struct sample_package *package)
{
    package->package.scalar = NULL;
}

static void lower_counter(struct sample_package *package)
{
    package->package.counter = 0;
}

static void other_target(struct sample_package *package)
{
    package->package.target++;
}

static void missing_manager(struct sample_package *package)
{
    package->members[1].role = OTTER_ROLE_FONT;
}

enum { CONTROL = OTTER_IMAGE_HEADER_SIZE };

static const struct refusal refusals[] = {
    {"magic of the file", NULL, 1, OTTER_E_PACKAGE_MAGIC},
    {"reserved field of the header", NULL, 28, OTTER_E_PACKAGE_HEADER},
    {"magic of the control packet", NULL, CONTROL, OTTER_E_CONTROL_MAGIC},
    {"version of the control packet", NULL, CONTROL + 4, OTTER_E_CONTROL_VERSION},
    {"version of the system", NULL, 20, OTTER_E_CONTROL_HEADER},
    {"target, forged", NULL, CONTROL + 44, OTTER_E_SIGNATURE_BAD},
    {"firmware's hash, forged", NULL, CONTROL + 96 + 24, OTTER_E_CONTROL_MEMBER},
    {"another key", other_key, 0, OTTER_E_SIGNATURE_KEY},
    {"not signed", not_signed, 0, OTTER_E_SIGNATURE_NONE},
    {"older than the counter", lower_counter, 0, OTTER_E_COUNTER},
    {"another target", other_target, 0, OTTER_E_TARGET},
    {"no manager named", missing_manager, 0, OTTER_E_CONTROL_MISSING},
};

static enum otter_result give_until_refused(struct world *world)
{
    enum otter_result result = give_rest(world, 64);

    assert_int_equal(finish(world), OTTER_OK); /* it still notes why */
    return result;
}

static void assert_remembers(struct world *world, enum otter_result code)
{
    uint32_t op = world->device.flash.op;
    const uint32_t offs[] = {0, 64, 1000, 0xFFFFFFFF};

    for (size_t i = 0; i < 4; i++) {
        struct otter_chunk chunk = chunk_at(world, 0, 64);

        chunk.off = offs[i];
        assert_int_equal(give(world, &chunk), code);
        chunk.wants_restart = true;
        assert_int_equal(give(world, &chunk), code);
    }
    assert_int_equal(world->device.flash.op, op);
}

static void check_refusals(struct world *world)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const struct refusal *row = &refusals[i];
        size_t size = 0;

        sample_next(&world->sample, 2, &world->next);
        if (row->change != NULL) {
            row->change(&world->next);
        }
        sample_build(&world->next);
        if (row->flip_off != 0) {
            world->next.bytes[row->flip_off] ^= 0x40;
        }
        start_over(world);
        uint8_t *before = flash_copy(world, &size);
        enum otter_result result = give_until_refused(world);

        if (result != row->code) {
            fail_msg("%s: %u-%02u", row->name, (unsigned)otter_code(result) >> 8,
                     otter_code(result) & 255U);
        }
        assert_only_journal_and_receipt(world, before, size);
        free(before);
        if (world->device.flash.op != 0) { /* else it was never begun */
            assert_remembers(world, row->code);
            assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
            assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_REFUSED);
            assert_int_equal(world_state(world).outcome.code, otter_code(row->code));
        }
    }
}

static void k11_a_refusal_has_its_code_is_remembered_and_writes_no_store(void **state)
{
    (void)state;
    on_both(check_refusals);
}

static void check_other_after_refusal(struct world *world)
{
    world->next.bytes[CONTROL + 44] ^= 1;
    assert_int_equal(give_until_refused(world), OTTER_E_SIGNATURE_BAD);
    world->next.bytes[CONTROL + 44] ^= 1;
    struct otter_chunk chunk = chunk_at(world, 0, 100);

    memcpy(chunk.session, session_b, sizeof(chunk.session));
    assert_int_equal(give(world, &chunk), OTTER_OK);
    assert_int_equal(give_rest(world, 100), OTTER_OK);
    assert_complete(world);
    /* After a reset nothing is remembered. */
    start_over(world);
    world->next.bytes[CONTROL + 44] ^= 1;
    assert_int_equal(give_until_refused(world), OTTER_E_SIGNATURE_BAD);
    world->next.bytes[CONTROL + 44] ^= 1;
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE), VDEVICE_IDLE);
    assert_int_equal(give_rest(world, 100), OTTER_OK);
    assert_complete(world);
}

static void k11_another_package_or_a_reset_ends_a_refusal(void **state)
{
    (void)state;
    on_both(check_other_after_refusal);
}

static void check_flips(struct world *world)
{
    size_t size = 0;
    uint8_t *before;

    start_over(world);
    before = flash_copy(world, &size);
    for (uint32_t off = 0; off < world->next.size;
         off += off < member_off(world) ? 1 : 37) {
        uint8_t mask = (uint8_t)(1U << off % 8);

        start_over(world);
        world->next.bytes[off] ^= mask;
        enum otter_result result = give_until_refused(world);

        world->next.bytes[off] ^= mask;
        if (result == OTTER_OK && otter_receive_is_complete(receiver(world))) {
            fail_msg("a flip in byte %u is taken", (unsigned)off);
        }
        assert_true(world_is_untouched(world, OTTER_REGION_APPLICATION));
        if (off < member_off(world)) {
            assert_only_journal_and_receipt(world, before, size);
        }
        assert_int_equal(otter_receive_request(receiver(world)), OTTER_E_NOT_COMPLETE);
    }
    free(before);
}

static void p6_one_flipped_bit_in_any_byte_refuses_the_package(void **state)
{
    (void)state;
    on_both(check_flips);
}

static void check_bad_sector(struct world *world)
{
    uint32_t addr = world_region(world, store_region(world))->addr;

    vflash_set_bad(&world->device.flash, addr + SECTOR, true);
    assert_int_equal(give_until_refused(world), OTTER_E_FLASH_ERASE);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
    assert_int_equal(world_state(world).outcome.code, otter_code(OTTER_E_FLASH_ERASE));
    vflash_set_bad(&world->device.flash, addr + SECTOR, false);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(give_rest(world, 100), OTTER_OK);
    assert_complete(world);
}

static void p8_a_store_that_cannot_be_written_refuses_the_package(void **state)
{
    (void)state;
    on_both(check_bad_sector);
}

/* --- locks, wishes, policy --- */

struct lock {
    uint8_t phase;
    enum otter_result offer, forget, request;
};

static const struct lock locks[] = {
    {OTTER_PHASE_CONFIRMED, OTTER_OK, OTTER_OK, OTTER_E_NOT_COMPLETE},
    {OTTER_PHASE_ROLLED_BACK, OTTER_OK, OTTER_OK, OTTER_E_NOT_COMPLETE},
    {OTTER_PHASE_REQUESTED, OTTER_E_LOCKED, OTTER_E_LOCKED, OTTER_OK},
    {OTTER_PHASE_INSTALLING, OTTER_E_LOCKED, OTTER_E_LOCKED, OTTER_E_LOCKED},
    {OTTER_PHASE_TRIAL, OTTER_E_LOCKED, OTTER_E_LOCKED, OTTER_E_LOCKED},
    {OTTER_PHASE_ROLLING_BACK, OTTER_E_LOCKED, OTTER_E_LOCKED, OTTER_E_LOCKED},
};

static void check_locks(struct world *world)
{
    for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
        const struct lock *row = &locks[i];
        struct otter_chunk chunk = chunk_at(world, 0, 100);

        start_over(world);
        world->device.agent.device.journal.state.phase = row->phase;
        assert_int_equal(otter_receive_request(receiver(world)), row->request);
        assert_int_equal(otter_receive_forget(receiver(world)), row->forget);
        assert_int_equal(otter_receive_offer(receiver(world), &chunk), row->offer);
        chunk.wants_restart = true;
        if (row->offer == OTTER_E_LOCKED) {
            assert_int_equal(otter_receive_offer(receiver(world), &chunk), row->offer);
            assert_false(otter_receive_is_busy(receiver(world)));
        }
        assert_int_equal(world->device.flash.op, 0);
    }
}

static void k12_each_locking_phase_refuses_every_wish_before_touching_anything(
    void **state)
{
    (void)state;
    on_both(check_locks);
}

static void check_real_locks(struct world *world)
{
    assert_int_equal(give_rest(world, 100), OTTER_OK);
    assert_int_equal(otter_receive_request(receiver(world)), OTTER_OK);
    assert_int_equal(finish(world), OTTER_OK);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_REQUESTED);
    uint32_t op = world->device.flash.op;
    struct otter_chunk chunk = chunk_at(world, 0, 100);

    chunk.wants_restart = true;
    assert_int_equal(give(world, &chunk), OTTER_E_LOCKED);
    assert_int_equal(otter_receive_request(receiver(world)),
                     OTTER_OK); /* the same wish */
    assert_int_equal(otter_receive_forget(receiver(world)), OTTER_E_LOCKED);
    assert_int_equal(finish(world), OTTER_OK);
    assert_int_equal(world->device.flash.op, op);
}

static void k12_a_requested_package_is_locked(void **state)
{
    (void)state;
    on_both(check_real_locks);
}

/* Who wrote the receipt that is lost cannot be told, so nothing is said to be there. */
static void check_lost_while_requested(struct world *world)
{
    struct otter_chunk first = chunk_at(world, 0, 100);

    assert_int_equal(give_rest(world, 100), OTTER_OK);
    assert_int_equal(world_request(world), OTTER_OK);
    assert_int_equal(give(world, &first), OTTER_E_RECEIVE_OFFSET);
    for (uint8_t copy = 0; copy < OTTER_RECEIPT_COPIES; copy++) {
        uint32_t size = 0;

        vflash_flip(&world->device.flash,
                    world_receipt_addr(world, 1, copy, &size) + 60, 2);
    }
    assert_int_equal(give(world, &first), OTTER_E_LOCKED);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_REQUESTED);
}

static void k12_a_requested_package_whose_receipt_is_lost_stays_locked(void **state)
{
    (void)state;
    on_both(check_lost_while_requested);
}

/* An extension of the state, critical: docs/SPEC.md, "Journal record". */
static void check_unknown(struct world *world)
{
    static const uint8_t phases[] = {OTTER_PHASE_CONFIRMED, OTTER_PHASE_COMPLETE,
                                     OTTER_PHASE_REQUESTED};
    struct otter_state *now = &world->device.agent.device.journal.state;
    struct otter_chunk first = chunk_at(world, 0, 100);

    for (size_t i = 0; i < sizeof(phases); i++) {
        now->phase = phases[i];
        now->tlv[0] = 0xFE;
        now->tlv[1] = 0;
        now->tlv_size = 2;
        assert_int_equal(otter_receive_request(receiver(world)),
                         OTTER_E_JOURNAL_CRITICAL);
        assert_int_equal(otter_receive_forget(receiver(world)),
                         OTTER_E_JOURNAL_CRITICAL);
        assert_int_equal(otter_receive_offer(receiver(world), &first),
                         OTTER_E_JOURNAL_CRITICAL);
        assert_int_equal(world->device.flash.op, 0);
    }
}

static void k6_a_state_that_is_not_understood_takes_no_wish(void **state)
{
    (void)state;
    on_both(check_unknown);
}

static void check_request(struct world *world)
{
    assert_int_equal(otter_receive_request(receiver(world)), OTTER_E_NOT_COMPLETE);
    struct otter_chunk first = chunk_at(world, 0, 1500);

    assert_int_equal(give(world, &first), OTTER_OK);
    assert_int_equal(otter_receive_request(receiver(world)), OTTER_E_NOT_COMPLETE);
    assert_int_equal(give_rest(world, 100), OTTER_OK);
    /* Uploading alone requests nothing. */
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE), VDEVICE_IDLE);
    assert_complete(world);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
    assert_true(world_holds(world, OTTER_REGION_APPLICATION, &world->sample.first));
    assert_int_equal(otter_receive_request(receiver(world)), OTTER_OK);
    assert_int_equal(finish(world), OTTER_OK);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_REQUESTED);
}

static void k10_only_a_request_leads_from_complete_to_requested(void **state)
{
    (void)state;
    on_both(check_request);
}

static void check_forget(struct world *world)
{
    assert_int_equal(otter_receive_forget(receiver(world)), OTTER_OK);
    assert_int_equal(finish(world), OTTER_OK);
    assert_int_equal(world->device.flash.op, 0);
    for (int i = 0; i < 2; i++) {
        struct otter_chunk first = chunk_at(world, 0, 1500);

        assert_int_equal(give(world, &first), OTTER_OK);
        if (i == 1) {
            assert_int_equal(give_rest(world, 100), OTTER_OK);
            assert_complete(world);
        }
        assert_int_equal(otter_receive_forget(receiver(world)), OTTER_OK);
        assert_int_equal(finish(world), OTTER_OK);
        assert_int_equal(receiver(world)->next, 0);
        assert_false(otter_receive_is_complete(receiver(world)));
        assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
        assert_int_equal(otter_receive_request(receiver(world)), OTTER_E_NOT_COMPLETE);
    }
    assert_int_equal(give_rest(world, 100), OTTER_OK);
    assert_complete(world);
}

static void k10_a_forgotten_package_is_gone_and_can_be_sent_again(void **state)
{
    (void)state;
    on_both(check_forget);
}

static void check_policy(struct world *world)
{
    struct otter_chunk first = chunk_at(world, 0, 100);

    world->device.allows_update = false;
    assert_int_equal(give(world, &first), OTTER_E_POSTPONED);
    assert_int_equal(world->device.flash.op, 0);
    world->device.allows_update = true;
    assert_int_equal(give(world, &first), OTTER_OK);
    world->device.allows_update = false;
    assert_int_equal(give_rest(world, 100), OTTER_OK); /* what is begun goes on */
    uint32_t op = world->device.flash.op;

    assert_int_equal(otter_receive_request(receiver(world)), OTTER_E_POSTPONED);
    assert_int_equal(world->device.flash.op, op);
    assert_complete(world);
    world->device.allows_update = true;
    assert_int_equal(otter_receive_request(receiver(world)), OTTER_OK);
    assert_int_equal(finish(world), OTTER_OK);
}

static void p8_an_application_may_postpone_an_update(void **state)
{
    (void)state;
    on_both(check_policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            k22_chunks_of_every_size_make_the_same_store_one_operation_a_step),
        cmocka_unit_test(p8_wrong_doubled_and_overlong_chunks_change_nothing),
        cmocka_unit_test(k22_a_busy_receiver_says_so),
        cmocka_unit_test(p8_more_than_the_packages_length_is_refused_before_the_store),
        cmocka_unit_test(p5_a_dropped_transfer_goes_on_at_the_next_chunk),
        cmocka_unit_test(p5_after_a_reset_it_goes_on_at_most_one_sector_back),
        cmocka_unit_test(p5_after_any_cut_it_goes_on_at_most_one_sector_back),
        cmocka_unit_test(p5_another_session_or_a_restart_begins_at_zero),
        cmocka_unit_test(p5_a_first_part_that_comes_again_after_the_end_begins_nothing),
        cmocka_unit_test(k11_a_refusal_has_its_code_is_remembered_and_writes_no_store),
        cmocka_unit_test(k11_another_package_or_a_reset_ends_a_refusal),
        cmocka_unit_test(p6_one_flipped_bit_in_any_byte_refuses_the_package),
        cmocka_unit_test(p8_a_store_that_cannot_be_written_refuses_the_package),
        cmocka_unit_test(
            k12_each_locking_phase_refuses_every_wish_before_touching_anything),
        cmocka_unit_test(k12_a_requested_package_is_locked),
        cmocka_unit_test(k12_a_requested_package_whose_receipt_is_lost_stays_locked),
        cmocka_unit_test(k6_a_state_that_is_not_understood_takes_no_wish),
        cmocka_unit_test(k10_only_a_request_leads_from_complete_to_requested),
        cmocka_unit_test(k10_a_forgotten_package_is_gone_and_can_be_sent_again),
        cmocka_unit_test(p8_an_application_may_postpone_an_update),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
