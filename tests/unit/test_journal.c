/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the journal on the virtual flash: what a cut, a lost sector or a flipped bit
 * at any place leaves of the state. A state is told from another by its cursor, which
 * rises by one from put to put; what may be found after a cut follows from contracts K2
 * to K4. Every breach of the memory's rules (a word programmed twice) aborts the test.
 */
#include "otter/bytes.h"
#include "otter/crc32.h"
#include "otter/journal.h"

#include "flash_bench.h"

#include "../vectors/flash_vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { JOURNAL = OTTER_REGION_JOURNAL, ACTS_MAX = 24, REPLAYS = 4 };

static const struct vflash_fault no_fault = {.kind = VFLASH_NONE};

/* --- a device that does nothing but write its journal --- */

struct act {
    enum otter_firmness firmness;
    bool is_restart; /* power on before it */
};

/* Several power-ons; enough writes in some to fill sectors of four records. */
static const struct act acts[] = {
    {OTTER_NOTED, true},   {OTTER_SEALED, false},  {OTTER_LASTING, true},
    {OTTER_NOTED, false},  {OTTER_NOTED, true},    {OTTER_NOTED, true},
    {OTTER_SEALED, true},  {OTTER_LASTING, false}, {OTTER_LASTING, false},
    {OTTER_SEALED, false}, {OTTER_NOTED, false},   {OTTER_NOTED, false},
    {OTTER_LASTING, true}, {OTTER_NOTED, true},    {OTTER_SEALED, true},
};
enum { ACTS = sizeof(acts) / sizeof(acts[0]) };

struct run {
    struct bench *bench;
    struct otter_journal journal;
    uint32_t done;    /* cursor of the last put that was reported done */
    uint32_t pending; /* of the put under way, or done */
    uint32_t lasting; /* of the last lasting put that was reported done */
    struct otter_state state;
    uint32_t stands;    /* of what was acted on last, or done; */
    uint32_t may_stand; /* and of the put after it */
    bool is_bad;        /* a sector is */
};

static void open_journal(struct run *run, struct vflash_fault fault)
{
    bench_start(run->bench, fault, JOURNAL);
    otter_journal_open(&run->journal, &run->bench->io, OTTER_PROGRAM_FACTORY);
}

static struct otter_state first_state(void)
{
    struct otter_state state;

    memset(&state, 0, sizeof(state));
    state.phase = OTTER_PHASE_CONFIRMED;
    state.counter = 7;
    state.tlv_size = 5;
    memcpy(state.tlv, "\x05\x03xyz", 5);
    return state;
}

static uint32_t next_cursor(const struct run *run)
{
    return (run->done > run->pending ? run->done : run->pending) + 1;
}

static enum otter_result put(struct run *run, enum otter_firmness firmness)
{
    run->state = run->journal.state;
    run->state.cursor = next_cursor(run);
    run->pending = run->state.cursor;
    enum otter_result result =
        otter_journal_write(&run->journal, &run->state, firmness);

    if (result == OTTER_OK) {
        run->done = run->pending;
        run->lasting = firmness == OTTER_LASTING ? run->done : run->lasting;
    }
    return result;
}

/* A flash with the first state on it, and the run that goes on from there. */
static void begin(struct run *run, const struct bench_shape *shape)
{
    struct otter_state state = first_state();

    memset(run, 0, sizeof(*run));
    run->bench = bench_new(shape, JOURNAL);
    open_journal(run, no_fault);
    assert_true(run->journal.is_lost);
    assert_int_equal(otter_journal_write(&run->journal, &state, OTTER_LASTING),
                     OTTER_OK);
}

static void put_once(struct run *run, enum otter_firmness firmness)
{
    assert_int_equal(put(run, firmness), OTTER_OK);
}

static void perform(struct run *run, enum otter_firmness firmness)
{
    (void)firmness;
    for (size_t i = 0; i < ACTS; i++) {
        if (acts[i].is_restart) {
            uint32_t op = run->bench->flash.op;

            open_journal(run, run->bench->flash.fault);
            run->bench->flash.op = op; /* one count over all power-ons */
        }
        assert_int_equal(put(run, acts[i].firmness), OTTER_OK);
    }
}

/* True if `act` came to its end before the power was cut. */
static bool is_uncut(struct run *run, void (*act)(struct run *, enum otter_firmness),
                     enum otter_firmness firmness)
{
    if (setjmp(run->bench->power) != 0) {
        return false;
    }
    act(run, firmness);
    return true;
}

/* Where a failure is, for the message. */
struct place {
    const struct bench_shape *shape;
    struct vflash_fault faults[2];
};

static void explain(const struct place *place, const char *what, uint32_t found)
{
    fail_msg("%s, found %u: sectors %u x %u word %u page %u erased %02X ecc %d; first "
             "cut op %u kind %d seed %u; second op %u kind %d seed %u",
             what, found, place->shape->sectors, place->shape->sector_size,
             place->shape->word_size, place->shape->page_size, place->shape->erased,
             place->shape->is_ecc, place->faults[0].at_op, (int)place->faults[0].kind,
             place->faults[0].seed, place->faults[1].at_op, (int)place->faults[1].kind,
             place->faults[1].seed);
}

/* Replays as often as boot, manager and agent may before one of them writes. */
static void check_replays(struct run *run, const struct place *place,
                          const uint32_t *allowed, size_t count)
{
    for (int i = 0; i < REPLAYS; i++) {
        bool is_allowed = false;

        open_journal(run, no_fault);
        for (size_t k = 0; k < count; k++) {
            is_allowed = is_allowed || run->journal.state.cursor == allowed[k];
        }
        if (run->journal.is_lost) {
            explain(place, "lost", 0);
        }
        if (!is_allowed || run->journal.state.counter != 7 ||
            run->journal.state.phase != OTTER_PHASE_CONFIRMED ||
            run->journal.state.tlv_size != 5 ||
            memcmp(run->journal.state.tlv, "\x05\x03xyz", 5) != 0) {
            explain(place, "neither before nor after", run->journal.state.cursor);
        }
    }
}

/* --- faults at rest --- */

/* What is lost never takes a lasting state along. */
static void check_lasting(struct run *run, const struct place *place, const char *what)
{
    open_journal(run, no_fault);
    if (run->journal.is_lost || run->journal.state.cursor < run->lasting) {
        explain(place, what, run->journal.state.cursor);
    }
}

static void lose_sector(struct run *run, uint32_t sector, uint8_t value)
{
    static const uint8_t garbage_size = 128;
    uint8_t garbage[128];
    uint32_t size = run->bench->areas[0].sector_size;

    for (size_t i = 0; i < garbage_size; i++) {
        garbage[i] = value == 0xFF || value == 0 ? value : (uint8_t)(value * (i + 3));
    }
    for (uint32_t off = 0; off < size; off += garbage_size) {
        vflash_provision(&run->bench->flash, BENCH_BASE + sector * size + off, garbage,
                         garbage_size);
    }
}

static void check_losses(struct run *run, const struct place *place,
                         struct vflash_image *image)
{
    static const uint8_t values[] = {0xFF, 0x00, 0x5A};
    uint32_t size = run->bench->areas[0].sector_size;

    for (uint32_t sector = 0; sector < place->shape->sectors; sector++) {
        for (size_t i = 0; i < sizeof(values); i++) {
            vflash_restore(&run->bench->flash, image);
            lose_sector(run, sector, values[i]);
            check_lasting(run, place, "lasting state lost with a sector");
        }
    }
    for (uint32_t off = 0; off < size * place->shape->sectors;
         off += OTTER_RECORD_SIZE) {
        if (*vflash_peek(&run->bench->flash, BENCH_BASE + off, 1) != 'O') {
            continue;
        }
        vflash_restore(&run->bench->flash, image);
        vflash_flip(&run->bench->flash, BENCH_BASE + off + 17, off / 128 % 8);
        check_lasting(run, place, "lasting state lost with a flipped bit");
    }
    vflash_restore(&run->bench->flash, image);
}

/* --- cuts --- */

/* Torn outcomes tried at each operation. */
enum { SEEDS = 10, SEEDS_OF_TWO_CUTS = 5 };

static uint32_t seed_at(const struct place *place, uint32_t index, uint32_t words)
{
    /* Outcomes 0 to 4 of the last word, and of the first one and one in between: a
     * record that differs from a whole one in one unstable word is the worst. */
    uint32_t prefix = index % 2 == 0 ? words - 1 : (index * 7) % words;

    return place->shape->is_ecc ? prefix + (words + 1) * (1 + index)
                                : prefix + (words + 1) * (index / 2 + 5 * index);
}

static uint32_t words_of(const struct place *place)
{
    uint32_t size = place->shape->page_size < OTTER_RECORD_SIZE
                        ? place->shape->page_size
                        : OTTER_RECORD_SIZE;

    return size / place->shape->word_size;
}

static struct vflash_fault fault_of(const struct place *place, uint32_t op,
                                    uint32_t index)
{
    struct vflash_fault fault = {.at_op = op, .kind = VFLASH_CUT_BEFORE};

    if (index == 1) {
        fault.kind = VFLASH_CUT_AFTER;
    } else if (index >= 2) {
        fault.kind = VFLASH_TORN;
        fault.seed = seed_at(place, index - 2, words_of(place));
    }
    return fault;
}

/* Cuts the first write after the recovery at every operation. */
static void cut_again(struct run *run, struct place *place, struct vflash_image *image,
                      bool also_losses, enum otter_firmness firmness)
{
    struct run first = *run;
    struct vflash_image second = {0};
    bool is_complete = false;

    for (uint32_t op = 0; !is_complete; op++) {
        /* From 1: a cut before an operation is one after the operation before it. */
        for (uint32_t i = op == 0 ? 0 : 1; i < 2 + SEEDS_OF_TWO_CUTS; i++) {
            uint32_t base = 0;

            place->faults[1] = fault_of(place, op, i);
            *run = first;
            vflash_restore(&run->bench->flash, image);
            open_journal(run, place->faults[1]);
            base = run->journal.state.cursor;
            is_complete = is_uncut(run, put_once, firmness);
            uint32_t allowed[3] = {first.done, first.pending, first.pending + 1};

            if (run->done > first.pending) {
                allowed[0] = allowed[1] = run->done;
            } else if (run->journal.is_ours) {
                allowed[0] = allowed[1] = base; /* a new sector says so for ever */
            }
            if (also_losses) {
                vflash_save(&run->bench->flash, &second);
                check_losses(run, place, &second);
            }
            check_replays(run, place, allowed, 3);
            if (is_complete) {
                break;
            }
        }
    }
    vflash_image_free(&second);
}

enum { WITH_LOSSES = 1, WITH_SECOND_CUT = 2 };

/* Cuts the whole run at every operation; then what `depth` says. */
static void sweep(const struct bench_shape *shape, unsigned depth)
{
    struct run run;
    struct place place = {.shape = shape};
    struct vflash_image start = {0};
    struct vflash_image cut = {0};

    begin(&run, shape);
    struct run first = run;
    uint32_t seeds = (depth & WITH_SECOND_CUT) != 0 ? SEEDS_OF_TWO_CUTS : SEEDS;

    vflash_save(&run.bench->flash, &start);
    vflash_power_on(&run.bench->flash, no_fault);
    perform(&run, OTTER_NOTED);
    uint32_t ops = run.bench->flash.op;

    assert_true(ops > 2 * ACTS);
    for (uint32_t op = 0; op < ops; op++) {
        for (uint32_t i = op == 0 ? 0 : 1; i < 2 + seeds; i++) {
            run = first;
            place.faults[0] = fault_of(&place, op, i);
            place.faults[1] = no_fault;
            vflash_restore(&run.bench->flash, &start);
            vflash_power_on(&run.bench->flash, place.faults[0]);
            assert_false(is_uncut(&run, perform, OTTER_NOTED));
            uint32_t allowed[2] = {run.done, run.pending};

            vflash_save(&run.bench->flash, &cut);
            check_replays(&run, &place, allowed, 2);
            vflash_restore(&run.bench->flash, &cut);
            if ((depth & WITH_LOSSES) != 0) {
                check_losses(&run, &place, &cut);
            }
            if ((depth & WITH_SECOND_CUT) != 0) {
                cut_again(&run, &place, &cut, (depth & WITH_LOSSES) != 0 && i % 3 == 2,
                          i % 2 == 0 ? OTTER_SEALED : OTTER_LASTING);
            }
        }
    }
    vflash_image_free(&start);
    vflash_image_free(&cut);
    bench_free(first.bench);
}

static void k3_a_cut_anywhere_leaves_the_state_before_or_after(void **state)
{
    static const struct bench_shape shapes[] = {
        {512, 4, 1, 256, 0xFF, false, 0},  {1024, 5, 4, 64, 0xFF, false, 0},
        {4096, 4, 8, 256, 0xFF, false, 0}, {512, 6, 16, 128, 0x00, false, 0},
        {2048, 4, 32, 32, 0xFF, false, 0}, {4096, 6, 1, 256, 0x00, false, 0},
        {512, 4, 8, 64, 0xFF, true, 0},    {1024, 4, 16, 256, 0x00, true, 0},
        {384, 4, 4, 128, 0xFF, false, 0},  {512, 3, 8, 256, 0xFF, false, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        sweep(&shapes[i], 0);
    }
}

static void k3_a_second_cut_anywhere_in_the_first_write_afterwards_is_no_worse(
    void **state)
{
    static const struct bench_shape shapes[] = {
        {512, 4, 1, 256, 0xFF, false, 0},
        {1024, 4, 8, 128, 0xFF, false, 0},
        {512, 5, 32, 64, 0x00, false, 0},
        {512, 4, 8, 128, 0xFF, true, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        sweep(&shapes[i], WITH_SECOND_CUT);
    }
}

static void k2_a_lasting_state_survives_a_lost_sector_or_a_flipped_bit_after_two_cuts(
    void **state)
{
    static const struct bench_shape shapes[] = {
        {512, 4, 16, 256, 0xFF, false, 0},
        {512, 4, 8, 128, 0xFF, true, 0},
    };

    (void)state;
    sweep(&(struct bench_shape){1024, 5, 1, 256, 0xFF, false, 0}, WITH_LOSSES);
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        sweep(&shapes[i], WITH_LOSSES | WITH_SECOND_CUT);
    }
}

/* What every power-on begins with: boot seals what is not sealed. */
static void seal_as_boot(struct run *run)
{
    open_journal(run, no_fault);
    if (!run->journal.is_sealed) {
        struct otter_state found = run->journal.state;

        assert_int_equal(otter_journal_write(&run->journal, &found, OTTER_SEALED),
                         OTTER_OK);
    }
}

/* True if the log says one thing now and another the next time. */
static bool is_in_doubt(struct run *run)
{
    struct vflash_image image = {0};

    vflash_save(&run->bench->flash, &image);
    open_journal(run, no_fault);
    uint32_t now = run->journal.state.cursor;

    open_journal(run, no_fault);
    vflash_restore(&run->bench->flash, &image);
    vflash_image_free(&image);
    return run->journal.state.cursor != now;
}

/* One lasting write with the fault in it, then a power-on: what that finds does not go
 * back with any one sector, though boot does not know that it should last. But for a
 * record that was being programmed and is in doubt since: boot seals what it read, in
 * one sector (docs/RELIABILITY.md, "Not covered"). */
static bool check_cut_of_lasting(const struct run *first, const struct place *place,
                                 const struct vflash_image *start)
{
    struct run run = *first;
    struct vflash_image sealed = {0};

    vflash_restore(&run.bench->flash, start);
    vflash_power_on(&run.bench->flash, place->faults[0]);
    bool is_complete = is_uncut(&run, put_once, OTTER_LASTING);

    if (!is_in_doubt(&run)) {
        seal_as_boot(&run);
        run.lasting = run.journal.state.cursor;
        vflash_save(&run.bench->flash, &sealed);
        check_losses(&run, place, &sealed);
        vflash_image_free(&sealed);
    }
    return is_complete;
}

static void check_cuts_of_lasting(const struct bench_shape *shape, bool is_ours)
{
    struct place place = {.shape = shape};
    struct vflash_image start = {0};
    struct run first;
    bool is_complete = false;

    begin(&first, shape);
    if (!is_ours) {
        open_journal(&first, no_fault);
    }
    vflash_save(&first.bench->flash, &start);
    for (uint32_t op = 0; !is_complete; op++) {
        for (uint32_t i = 0; i < 2 + SEEDS && !is_complete; i++) {
            place.faults[0] = fault_of(&place, op, i);
            is_complete = check_cut_of_lasting(&first, &place, &start);
        }
    }
    vflash_image_free(&start);
    bench_free(first.bench);
}

static void k2_what_a_cut_leaves_of_a_lasting_write_stands_in_two_sectors(void **state)
{
    static const struct bench_shape shapes[] = {
        {512, 4, 1, 256, 0xFF, false, 0},
        {1024, 5, 8, 64, 0xFF, true, 0},
        {512, 4, 32, 32, 0x00, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        check_cuts_of_lasting(&shapes[i], true);
        check_cuts_of_lasting(&shapes[i], false);
    }
}

/* A record of word-long operations whose last word stays in doubt: the reading that
 * counts comes when the device reads for the `phase`-th time. */
static void k3_cuts_that_leave_readings_in_turn_never_add_up_to_a_loss(void **state)
{
    static const struct bench_shape shape = {512, 4, 32, 256, 0xFF, false, 0};
    static const uint32_t outcomes[] = {3, 4};
    struct run run;

    (void)state;
    for (uint32_t choice = 0; choice < 2 * 6 * 3; choice++) {
        uint32_t at_op = 1 + choice / 6; /* of the first write */
        uint32_t outcome = outcomes[choice % 2];
        uint32_t replays = choice / 2 % 3; /* before the one that writes */
        struct place place = {.shape = &shape};

        begin(&run, &shape);
        assert_int_equal(put(&run, OTTER_LASTING), OTTER_OK);
        place.faults[0] = (struct vflash_fault){
            .at_op = at_op % 4, .kind = VFLASH_TORN, .seed = 3 + 5 * outcome};
        for (int cut = 0; cut < 12; cut++) {
            for (uint32_t i = 0; i <= replays; i++) {
                open_journal(&run, place.faults[0]);
                if (run.journal.is_lost || run.journal.state.cursor < run.lasting) {
                    explain(&place, "lost by cuts alone", (uint32_t)cut);
                }
            }
            (void)is_uncut(&run, put_once, OTTER_NOTED);
        }
        bench_free(run.bench);
    }
}

/* --- lives with a cut in almost every power-on --- */

static uint32_t next_random(uint32_t *random)
{
    *random = *random * 1664525U + 1013904223U; /* Numerical Recipes' generator */
    return *random >> 8;
}

/* What a cut leaves comes and goes as often as not, and most of a program is done. */
static struct vflash_fault random_fault(const struct bench_shape *shape,
                                        uint32_t *random)
{
    uint32_t words = OTTER_RECORD_SIZE / shape->word_size;
    uint32_t done = next_random(random) % 3 != 0 ? words - 1 : next_random(random);
    uint32_t way = next_random(random) % 3 != 0 ? 3 + next_random(random) % 2
                                                : next_random(random) % 3;
    struct vflash_fault fault = {.at_op = next_random(random) % 8,
                                 .kind = VFLASH_TORN,
                                 .seed = done % words + (words + 1) * way};

    if (next_random(random) % 4 == 0) {
        fault.seed = 6 + next_random(random) % 2; /* for an erase: in turn, or once */
    } else if (next_random(random) % 4 == 0) {
        fault.kind = VFLASH_NONE;
    }
    return fault;
}

/* Boot seals what it finds, if need be, before anybody acts on it; the program finds
 * the same, and goes on. From then on nothing older is found, nor what was pending. */
static void act(struct run *run, enum otter_firmness firmness)
{
    if (!run->journal.is_sealed) {
        struct otter_state same = run->journal.state;

        assert_int_equal(otter_journal_write(&run->journal, &same, OTTER_SEALED),
                         OTTER_OK);
    }
    run->stands = run->journal.state.cursor;
    run->may_stand = run->stands;
    otter_journal_open(&run->journal, &run->bench->io, OTTER_PROGRAM_FACTORY);
    assert_int_equal(run->journal.state.cursor, run->stands);
    for (uint32_t puts = run->pending % 3; puts > 0; puts--) {
        run->may_stand = next_cursor(run);
        assert_int_equal(put(run, firmness), OTTER_OK);
        run->stands = run->done;
    }
}

/* What was reported as lasting outlives any one sector. */
static void check_one_loss(struct run *run, const struct place *place, uint32_t *random)
{
    struct vflash_image image = {0};

    vflash_save(&run->bench->flash, &image);
    lose_sector(run, next_random(random) % place->shape->sectors,
                (uint8_t)next_random(random));
    check_lasting(run, place, "lasting state lost with a sector");
    vflash_restore(&run->bench->flash, &image);
    vflash_image_free(&image);
}

/* In every other life a sector goes bad at some time, and keeps what it holds, or some
 * of it; in the others one is lost now and then, on trial. */
static void hurt(struct run *run, const struct place *place, uint32_t *random,
                 bool goes_bad)
{
    uint32_t sector = next_random(random) % place->shape->sectors;

    if (!goes_bad) {
        check_one_loss(run, place, random);
    } else if (!run->is_bad) {
        run->is_bad = true;
        run->bench->flash.bad_seed = next_random(random) % 9;
        vflash_set_bad(&run->bench->flash,
                       BENCH_BASE + sector * place->shape->sector_size, true);
    }
}

static void k3_what_was_acted_on_never_goes_back(void **state)
{
    static const struct bench_shape shapes[] = {{1024, 4, 8, 256, 0xFF, false, 0},
                                                {1024, 8, 8, 256, 0xFF, false, 0},
                                                {512, 5, 32, 256, 0x00, false, 0}};
    uint32_t random = 1;

    (void)state;
    for (uint32_t life = 0; life < 600; life++) {
        const struct bench_shape *shape = &shapes[life % 3];
        struct place place = {.shape = shape};
        struct run run;

        begin(&run, shape);
        for (uint32_t n = 0; n < 40; n++) {
            if (next_random(&random) % 16 == 0) {
                hurt(&run, &place, &random, life % 2 == 0);
            }
            place.faults[0] = random_fault(shape, &random);
            open_journal(&run, place.faults[0]);
            uint32_t found = run.journal.state.cursor;

            if (run.journal.is_lost ||
                (found != run.stands && found != run.may_stand)) {
                explain(&place, "what was acted on went back", life * 100 + n);
            }
            (void)is_uncut(&run, act, (enum otter_firmness)(next_random(&random) % 3));
        }
        bench_free(run.bench);
    }
}

/* --- which sectors are erased --- */

struct watch {
    struct run *run;
    bool is_erased[BENCH_JOURNAL_SECTORS_MAX]; /* in this power-on */
    uint32_t sector_size;
};

/* Sequence of a sector as it stands on flash: the highest one of its valid records, if
 * there are three or more; else 0. Written without the journal's own code. */
static uint32_t sequence_of(const struct vflash *flash, uint32_t addr, uint32_t size)
{
    uint32_t count = 0;
    uint32_t sequence = 0;

    for (uint32_t off = 0; off + 128 <= size; off += 128) {
        const uint8_t *record = vflash_peek(flash, addr + off, 128);

        if (record[0] == 'O' && record[1] == 'J' &&
            otter_crc32(0, record, 124) == otter_load_le32(record + 124)) {
            count++;
            sequence = otter_load_le32(record + 4);
        }
    }
    return count >= 3 ? sequence : 0;
}

static void watch_op(void *context, const struct vflash_op *op)
{
    struct watch *watch = context;
    const struct vflash *flash = &watch->run->bench->flash;
    uint32_t sectors = watch->run->bench->areas[0].sector_count;
    uint32_t sector = (op->addr - BENCH_BASE) / watch->sector_size;
    uint32_t newer = 0;

    if (!op->is_erase) {
        assert_true(watch->is_erased[sector]);
        return;
    }
    watch->is_erased[sector] = true;
    uint32_t own = sequence_of(flash, op->addr, watch->sector_size);

    for (uint32_t i = 0; i < sectors; i++) {
        newer += sequence_of(flash, BENCH_BASE + i * watch->sector_size,
                             watch->sector_size) > own;
    }
    assert_true(own == 0 || newer >= 2);
}

static void find_erases(const struct run *run, const struct bench_shape *shape,
                        uint32_t erases[BENCH_JOURNAL_SECTORS_MAX])
{
    for (uint32_t i = 0; i < shape->sectors; i++) {
        erases[i] =
            vflash_erases(&run->bench->flash, BENCH_BASE + i * shape->sector_size);
    }
}

/* All sectors wear alike: none waits while others are erased twice more. */
static void check_wear(const struct run *run, const struct bench_shape *shape,
                       const uint32_t first[BENCH_JOURNAL_SECTORS_MAX])
{
    uint32_t erases[BENCH_JOURNAL_SECTORS_MAX] = {0};
    uint32_t least = UINT32_MAX;
    uint32_t most = 0;

    find_erases(run, shape, erases);
    for (uint32_t i = 0; i < shape->sectors; i++) {
        uint32_t since = erases[i] - first[i];

        least = since < least ? since : least;
        most = since > most ? since : most;
    }
    assert_true(least > 10);
    assert_true(most - least <= 1);
}

static void
k2_k4_only_sectors_erased_in_this_power_on_are_written_and_never_the_two_newest(
    void **state)
{
    static const struct bench_shape shapes[] = {{512, 4, 4, 256, 0xFF, false, 0},
                                                {2048, 6, 8, 256, 0x00, false, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct run run;
        struct watch watch = {.run = &run, .sector_size = shapes[i].sector_size};
        uint32_t first[BENCH_JOURNAL_SECTORS_MAX] = {0}; /* erases before first use */

        begin(&run, &shapes[i]);
        run.bench->flash.hooks.context = &watch;
        run.bench->flash.hooks.on_op = watch_op;
        for (uint32_t n = 0; n < 200; n++) {
            if (n * n % 7 < 4) {
                open_journal(&run, no_fault);
                memset(watch.is_erased, 0, sizeof(watch.is_erased));
            }
            assert_int_equal(put(&run, (enum otter_firmness)(n * 5 % 3)), OTTER_OK);
            if (n == 50) { /* all sectors are in use */
                find_erases(&run, &shapes[i], first);
            }
        }
        check_wear(&run, &shapes[i], first);
        bench_free(run.bench);
    }
}

static const struct bench_shape usual = {1024, 4, 8, 256, 0xFF, false, 0};

static void k9_opening_the_journal_writes_nothing(void **state)
{
    struct run run;

    (void)state;
    begin(&run, &usual);
    vflash_measure_reset(&run.bench->flash);
    open_journal(&run, no_fault);
    open_journal(&run, no_fault);
    assert_int_equal(run.bench->flash.counts.erase_ops, 0);
    assert_int_equal(run.bench->flash.counts.program_ops, 0);
    bench_free(run.bench);
}

static void a_step_does_at_most_one_operation(void **state)
{
    struct run run;

    (void)state;
    begin(&run, &usual);
    open_journal(&run, no_fault);
    struct otter_state next = run.journal.state;

    next.cursor = 99;
    assert_int_equal(otter_journal_put(&run.journal, &next, OTTER_LASTING), OTTER_OK);
    assert_int_equal(run.bench->flash.op, 0);
    while (otter_journal_is_busy(&run.journal)) {
        uint32_t before = run.bench->flash.op;

        assert_int_equal(otter_journal_put(&run.journal, &next, OTTER_NOTED),
                         OTTER_E_BUSY);
        assert_int_equal(otter_journal_step(&run.journal), OTTER_OK);
        assert_true(run.bench->flash.op - before <= 1);
    }
    uint32_t ops = run.bench->flash.op;

    assert_int_equal(otter_journal_step(&run.journal), OTTER_OK);
    assert_int_equal(run.bench->flash.op, ops);
    open_journal(&run, no_fault);
    assert_int_equal(run.journal.state.cursor, 99);
    bench_free(run.bench);
}

/* --- bad sectors --- */

static void k2_one_bad_sector_of_four_stops_nothing(void **state)
{
    (void)state;
    for (uint32_t bad = 0; bad < 4; bad++) {
        for (uint32_t when = 0; when < ACTS; when++) {
            struct run run;

            begin(&run, &usual);
            for (uint32_t n = 0; n < 2 * ACTS; n++) {
                if (n == when) {
                    vflash_set_bad(&run.bench->flash, BENCH_BASE + bad * 1024, true);
                }
                if (acts[n % ACTS].is_restart) {
                    open_journal(&run, no_fault);
                }
                assert_int_equal(put(&run, acts[n % ACTS].firmness), OTTER_OK);
                assert_int_equal(run.journal.state.cursor, run.done);
            }
            open_journal(&run, no_fault);
            assert_false(run.journal.is_lost);
            assert_int_equal(run.journal.state.cursor, run.done);
            bench_free(run.bench);
        }
    }
}

static void k2_two_bad_sectors_of_four_end_in_a_code_and_keep_the_state(void **state)
{
    (void)state;
    for (uint32_t pair = 0; pair < 16; pair++) {
        struct run run;
        uint32_t refused = 0;

        if (pair / 4 == pair % 4) {
            continue;
        }
        begin(&run, &usual);
        vflash_set_bad(&run.bench->flash, BENCH_BASE + pair / 4 * 1024, true);
        vflash_set_bad(&run.bench->flash, BENCH_BASE + pair % 4 * 1024, true);
        for (uint32_t n = 0; n < 2 * ACTS; n++) {
            uint32_t older = run.lasting;

            open_journal(&run, no_fault);
            assert_false(run.journal.is_lost);
            assert_true(run.journal.state.cursor >= older);
            enum otter_result result = put(&run, acts[n % ACTS].firmness);

            assert_true(result == OTTER_OK || result == OTTER_E_JOURNAL_SECTORS);
            assert_false(otter_journal_is_busy(&run.journal));
            refused += result != OTTER_OK;
        }
        assert_true(refused > 0);
        bench_free(run.bench);
    }
}

/* Takes the opening of a sector, and refuses every word behind it. */
static enum otter_result (*plain_program)(void *context, uint32_t addr,
                                          const void *data, size_t size);

static enum otter_result short_program(void *context, uint32_t addr, const void *data,
                                       size_t size)
{
    if ((addr - BENCH_BASE) % 1024 >= 256) {
        return OTTER_E_FLASH_PROGRAM;
    }
    return plain_program(context, addr, data, size);
}

static void a_memory_that_takes_the_opening_alone_ends_in_a_code(void **state)
{
    struct run run;

    (void)state;
    begin(&run, &usual);
    plain_program = run.bench->port.program;
    run.bench->port.program = short_program;
    open_journal(&run, no_fault);
    assert_int_equal(put(&run, OTTER_NOTED), OTTER_E_JOURNAL_SECTORS);
    run.bench->port.program = plain_program;
    open_journal(&run, no_fault);
    assert_false(run.journal.is_lost);
    assert_int_equal(run.journal.state.cursor, 0);
    bench_free(run.bench);
}

static void sectors_too_small_for_an_opening_and_a_record_end_in_a_code(void **state)
{
    static const struct bench_shape shape = {256, 8, 8, 256, 0xFF, false, 0};
    struct run run = {.done = 0};
    struct otter_state first = first_state();

    (void)state;
    run.bench = bench_new(&shape, JOURNAL);
    open_journal(&run, no_fault);
    assert_int_equal(otter_journal_write(&run.journal, &first, OTTER_NOTED),
                     OTTER_E_JOURNAL_SECTORS);
    assert_int_equal(run.bench->flash.op, 0);
    bench_free(run.bench);
}

static void k4_a_failed_program_moves_on_and_the_state_stands(void **state)
{
    (void)state;
    for (uint32_t op = 0; op < 12; op++) {
        for (uint32_t seed = 0; seed < 17 * 5; seed++) {
            struct run run;

            begin(&run, &usual);
            open_journal(&run, (struct vflash_fault){
                                   .at_op = op, .kind = VFLASH_FAIL, .seed = seed});
            assert_int_equal(put(&run, OTTER_NOTED), OTTER_OK);
            assert_int_equal(put(&run, OTTER_LASTING), OTTER_OK);
            for (int i = 0; i < REPLAYS; i++) {
                open_journal(&run, no_fault);
                assert_int_equal(run.journal.state.cursor, run.done);
            }
            bench_free(run.bench);
        }
    }
}

/* Does what it is told but says that it failed, in the small sectors only. */

static enum otter_result doubtful_program(void *context, uint32_t addr,
                                          const void *data, size_t size)
{
    enum otter_result result = plain_program(context, addr, data, size);

    return addr - BENCH_BASE >= 2 * 1024 ? result : OTTER_E_FLASH_PROGRAM;
}

static void k3_after_a_write_was_given_up_nothing_is_added_below_what_it_left(
    void **state)
{
    static const struct bench_shape shape = {1024, 2, 8, 256, 0xFF, false, 2};
    struct run run;

    (void)state;
    begin(&run, &shape);
    do { /* until the two large sectors hold the newest records */
        open_journal(&run, no_fault);
        assert_int_equal(put(&run, OTTER_NOTED), OTTER_OK);
    } while (run.journal.newest != 3);
    for (int i = 0; i < 7; i++) { /* more than a small sector holds */
        assert_int_equal(put(&run, OTTER_NOTED), OTTER_OK);
    }
    assert_int_equal(run.journal.newest, 3);
    plain_program = run.bench->port.program;
    run.bench->port.program = doubtful_program;
    assert_int_equal(put(&run, OTTER_LASTING), OTTER_E_JOURNAL_SECTORS);
    assert_int_equal(put(&run, OTTER_SEALED), OTTER_E_JOURNAL_SECTORS);
    run.bench->port.program = plain_program;
    open_journal(&run, no_fault);
    assert_true(run.journal.state.cursor >= run.done);
    assert_int_equal(put(&run, OTTER_SEALED), OTTER_OK);
    open_journal(&run, no_fault);
    assert_int_equal(run.journal.state.cursor, run.done);
    bench_free(run.bench);
}

/* --- sequence, extensions, rules --- */

/* The first records of a sector, all alike. */
static void provision_records(struct run *run, uint32_t sector,
                              const struct otter_state *state, uint32_t sequence,
                              uint32_t count)
{
    uint32_t erases[OTTER_ERASE_COUNTS] = {0};
    uint8_t record[OTTER_RECORD_SIZE];

    otter_record_encode(state, erases, sequence, OTTER_PROGRAM_FACTORY, record);
    for (uint32_t i = 0; i < count; i++) {
        vflash_provision(&run->bench->flash, BENCH_BASE + sector * 1024 + i * 128,
                         record, sizeof(record));
    }
}

static void provision_sector(struct run *run, uint32_t sector, uint32_t sequence)
{
    struct otter_state first = first_state();

    provision_records(run, sector, &first, sequence, 3);
}

static void k3_used_up_sequence_numbers_are_a_code_and_never_wrap(void **state)
{
    static const struct {
        uint32_t sequence;
        enum otter_result result;
    } cases[] = {
        {0xFFFFFEFF, OTTER_OK},
        {0xFFFFFF00, OTTER_E_JOURNAL_EXHAUSTED},
        {0xFFFFFFFF, OTTER_E_JOURNAL_EXHAUSTED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct run run = {.bench = bench_new(&usual, JOURNAL)};

        provision_sector(&run, 2, cases[i].sequence);
        open_journal(&run, no_fault);
        assert_false(run.journal.is_lost);
        assert_int_equal(put(&run, OTTER_LASTING), cases[i].result);
        open_journal(&run, no_fault);
        assert_int_equal(run.journal.state.cursor, run.done);
        bench_free(run.bench);
    }
    assert_int_equal(otter_code(OTTER_E_JOURNAL_EXHAUSTED), 27 * 256 + 12);
}

static void k3_a_number_seen_in_a_sector_that_does_not_count_is_not_used_again(
    void **state)
{
    struct run run = {.bench = bench_new(&usual, JOURNAL)};
    struct otter_state lone = first_state();

    (void)state;
    provision_sector(&run, 0, 10);
    lone.cursor = 1234; /* one record does not make its sector count */
    provision_records(&run, 3, &lone, 500, 1);
    open_journal(&run, no_fault);
    assert_int_equal(run.journal.state.cursor, 0);
    assert_int_equal(put(&run, OTTER_NOTED), OTTER_OK);
    assert_int_equal(
        otter_load_le32(vflash_peek(&run.bench->flash, BENCH_BASE + 1024 + 4, 4)), 501);
    bench_free(run.bench);
}

/* A cut in an erase left it so: it reads as nothing at one power-on, and counts at
 * another. */
static void tear_erase_of(struct run *run, uint32_t sector)
{
    enum { READS_IN_TURN = 6 };
    const struct vflash_op op = {
        .addr = BENCH_BASE + sector * 1024, .size = 1024, .is_erase = true};

    vflash_tear(&run->bench->flash, &op, READS_IN_TURN);
}

/* A sector with an old state, which comes and goes, does neither after a new one was
 * written; `is_bad`: its erase fails, and leaves what was there. */
static void check_hidden(bool is_bad)
{
    enum { HIDDEN = 3, OLD = 1234, KEEPS_ALL = 8 };
    struct run run = {.bench = bench_new(&usual, JOURNAL)};
    struct otter_state old = first_state();

    provision_sector(&run, 0, 10);
    provision_sector(&run, 1, 11);
    old.cursor = OLD;
    provision_records(&run, HIDDEN, &old, 14, 2);
    tear_erase_of(&run, HIDDEN);
    open_journal(&run, no_fault);
    assert_int_equal(run.journal.state.cursor, OLD); /* it does come and go */
    open_journal(&run, no_fault);
    assert_int_equal(run.journal.state.cursor, 0);
    run.bench->flash.bad_seed = KEEPS_ALL;
    vflash_set_bad(&run.bench->flash, BENCH_BASE + HIDDEN * 1024, is_bad);
    assert_int_equal(put(&run, OTTER_SEALED), OTTER_OK);
    for (int i = 0; i < REPLAYS; i++) {
        open_journal(&run, no_fault);
        assert_int_equal(run.journal.state.cursor, run.done);
    }
    bench_free(run.bench);
}

static void k3_a_sector_that_read_as_nothing_does_not_come_back_as_the_newest(
    void **state)
{
    (void)state;
    check_hidden(false);
}

static void k3_nor_does_one_that_cannot_be_erased(void **state)
{
    (void)state;
    check_hidden(true);
}

static void records_of_two_sequences_in_one_sector_are_not_added_up(void **state)
{
    struct run run = {.bench = bench_new(&usual, JOURNAL)};
    struct otter_state other = first_state();
    uint32_t erases[OTTER_ERASE_COUNTS] = {0};
    uint8_t record[OTTER_RECORD_SIZE];

    (void)state;
    provision_sector(&run, 0, 10);
    other.cursor = 1234;
    for (uint32_t i = 0; i < 2; i++) {
        otter_record_encode(&other, erases, 20 + i, OTTER_PROGRAM_AGENT, record);
        vflash_provision(&run.bench->flash, BENCH_BASE + 1024 + i * 128, record,
                         sizeof(record));
    }
    open_journal(&run, no_fault);
    assert_int_equal(run.journal.state.cursor, 0);
    bench_free(run.bench);
}

static void k6_extensions_go_through_every_write_verbatim(void **state)
{
    static const uint8_t *const records[] = {vector_record_extended,
                                             vector_record_critical};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct run run = {.bench = bench_new(&usual, JOURNAL)};
        struct otter_state found;
        uint32_t erases[OTTER_ERASE_COUNTS];
        uint32_t sequence;

        assert_true(otter_record_decode(records[i], &found, erases, &sequence));
        for (uint32_t k = 0; k < 3; k++) {
            vflash_provision(&run.bench->flash, BENCH_BASE + k * 128, records[i],
                             OTTER_RECORD_SIZE);
        }
        for (int k = 0; k < 6; k++) {
            open_journal(&run, no_fault);
            assert_int_equal(put(&run, (enum otter_firmness)(k % 3)), OTTER_OK);
        }
        open_journal(&run, no_fault);
        assert_int_equal(run.journal.state.tlv_size, found.tlv_size);
        assert_memory_equal(run.journal.state.tlv, found.tlv, found.tlv_size);
        assert_int_equal(otter_state_has_unknown(&run.journal.state), i == 1);
        bench_free(run.bench);
    }
}

static void k7_a_wrong_program_or_a_wrong_change_is_refused_and_changes_nothing(
    void **state)
{
    struct run run;

    (void)state;
    begin(&run, &usual);
    bench_start(run.bench, no_fault, JOURNAL);
    otter_journal_open(&run.journal, &run.bench->io, OTTER_PROGRAM_AGENT);
    struct otter_state next = run.journal.state;

    next.phase = OTTER_PHASE_TRIAL;
    assert_int_equal(otter_journal_put(&run.journal, &next, OTTER_SEALED),
                     OTTER_E_JOURNAL_TRANSITION);
    assert_int_equal(run.journal.state.phase, OTTER_PHASE_CONFIRMED);
    assert_false(otter_journal_is_busy(&run.journal));
    next.phase = OTTER_PHASE_RECEIVING;
    assert_int_equal(otter_journal_write(&run.journal, &next, OTTER_SEALED), OTTER_OK);
    bench_start(run.bench, no_fault, JOURNAL);
    otter_journal_open(&run.journal, &run.bench->io, OTTER_PROGRAM_BOOT);
    assert_int_equal(run.journal.state.phase, OTTER_PHASE_RECEIVING);
    assert_int_equal(run.journal.state.last_writer, OTTER_PROGRAM_AGENT);
    next = run.journal.state;
    next.phase = OTTER_PHASE_COMPLETE;
    assert_int_equal(otter_journal_write(&run.journal, &next, OTTER_NOTED),
                     OTTER_E_JOURNAL_TRANSITION);
    assert_int_equal(run.bench->flash.op, 0);
    bench_free(run.bench);
}

static void the_erase_counts_come_back_with_the_state(void **state)
{
    struct run run;

    (void)state;
    begin(&run, &usual);
    open_journal(&run, no_fault);
    run.bench->io.erases[OTTER_REGION_STAGING] = 1000;
    run.bench->io.erases[OTTER_REGION_BOOT] = 3;
    assert_int_equal(put(&run, OTTER_SEALED), OTTER_OK);
    uint32_t journal_erases = run.bench->io.erases[JOURNAL];

    open_journal(&run, no_fault);
    assert_int_equal(run.bench->io.erases[OTTER_REGION_STAGING], 1000);
    assert_int_equal(run.bench->io.erases[OTTER_REGION_BOOT], 3);
    assert_int_equal(run.bench->io.erases[JOURNAL], journal_erases);
    assert_true(journal_erases >= 3); /* two of the first state, one of this */
    bench_free(run.bench);
}

static void a_journal_of_more_sectors_than_are_used_works_in_the_first(void **state)
{
    static const struct bench_shape shape = {512, 40, 8, 256, 0xFF, false, 0};
    struct run run;

    (void)state;
    begin(&run, &shape);
    for (int i = 0; i < 80; i++) {
        open_journal(&run, no_fault);
        assert_int_equal(run.journal.state.cursor, run.done);
        assert_int_equal(put(&run, OTTER_SEALED), OTTER_OK);
    }
    assert_int_equal(run.journal.sector_count, OTTER_JOURNAL_SECTORS_MAX);
    assert_int_equal(
        vflash_erases_max(&run.bench->flash, BENCH_BASE + 32 * 512, 8 * 512), 0);
    bench_free(run.bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k3_a_cut_anywhere_leaves_the_state_before_or_after),
        cmocka_unit_test(
            k3_a_second_cut_anywhere_in_the_first_write_afterwards_is_no_worse),
        cmocka_unit_test(
            k2_a_lasting_state_survives_a_lost_sector_or_a_flipped_bit_after_two_cuts),
        cmocka_unit_test(k2_what_a_cut_leaves_of_a_lasting_write_stands_in_two_sectors),
        cmocka_unit_test(k3_cuts_that_leave_readings_in_turn_never_add_up_to_a_loss),
        cmocka_unit_test(
            k2_k4_only_sectors_erased_in_this_power_on_are_written_and_never_the_two_newest),
        cmocka_unit_test(k9_opening_the_journal_writes_nothing),
        cmocka_unit_test(a_step_does_at_most_one_operation),
        cmocka_unit_test(k2_one_bad_sector_of_four_stops_nothing),
        cmocka_unit_test(k2_two_bad_sectors_of_four_end_in_a_code_and_keep_the_state),
        cmocka_unit_test(a_memory_that_takes_the_opening_alone_ends_in_a_code),
        cmocka_unit_test(sectors_too_small_for_an_opening_and_a_record_end_in_a_code),
        cmocka_unit_test(k4_a_failed_program_moves_on_and_the_state_stands),
        cmocka_unit_test(
            k3_after_a_write_was_given_up_nothing_is_added_below_what_it_left),
        cmocka_unit_test(k3_used_up_sequence_numbers_are_a_code_and_never_wrap),
        cmocka_unit_test(
            k3_a_number_seen_in_a_sector_that_does_not_count_is_not_used_again),
        cmocka_unit_test(k3_what_was_acted_on_never_goes_back),
        cmocka_unit_test(
            k3_a_sector_that_read_as_nothing_does_not_come_back_as_the_newest),
        cmocka_unit_test(k3_nor_does_one_that_cannot_be_erased),
        cmocka_unit_test(records_of_two_sequences_in_one_sector_are_not_added_up),
        cmocka_unit_test(k6_extensions_go_through_every_write_verbatim),
        cmocka_unit_test(
            k7_a_wrong_program_or_a_wrong_change_is_refused_and_changes_nothing),
        cmocka_unit_test(the_erase_counts_come_back_with_the_state),
        cmocka_unit_test(a_journal_of_more_sectors_than_are_used_works_in_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
