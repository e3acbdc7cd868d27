/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual flash: every rule of port/flash.h is enforced, and every fault does what
 * vflash.h says. Expected values follow from those two headers.
 */
#include "vflash.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { BASE = 0x10000000, SECTOR = 256, SECTORS = 8, WORD = 4, PAGE = 64 };
enum { LOW = BASE + SECTOR * SECTORS }; /* second area: erased value 0, words of 8 */

static const struct otter_flash_area areas[] = {
    {.addr = BASE,
     .sector_size = SECTOR,
     .sector_count = SECTORS,
     .word_size = WORD,
     .page_size = PAGE,
     .erased = 0xFF},
    {.addr = LOW,
     .sector_size = 512,
     .sector_count = 2,
     .word_size = 8,
     .page_size = 128,
     .erased = 0x00},
};

struct bench {
    struct vflash flash;
    struct otter_flash port;
    jmp_buf power;
    struct vflash_breach breach;
    int breaches;
    struct vflash_op op;
    int ops;
};

static void on_cut(void *context)
{
    struct bench *bench = context;

    longjmp(bench->power, 1);
}

static void on_breach(void *context, const struct vflash_breach *breach)
{
    struct bench *bench = context;

    bench->breach = *breach;
    bench->breaches++;
}

static void on_op(void *context, const struct vflash_op *op)
{
    struct bench *bench = context;

    bench->op = *op;
    bench->ops++;
}

static struct bench *bench_new(const struct vflash_config *config)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    assert_int_equal(vflash_create(&bench->flash, config), OTTER_OK);
    bench->flash.hooks = (struct vflash_hooks){
        .context = bench, .cut = on_cut, .on_breach = on_breach, .on_op = on_op};
    vflash_port(&bench->flash, &bench->port);
    return bench;
}

static struct vflash_config plain(void)
{
    return (struct vflash_config){.areas = areas, .area_count = 2};
}

static int setup(void **state)
{
    struct vflash_config config = plain();

    *state = bench_new(&config);
    return 0;
}

static int setup_ecc(void **state)
{
    struct vflash_config config = plain();

    config.is_ecc = true;
    *state = bench_new(&config);
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;

    vflash_destroy(&bench->flash);
    free(bench);
    return 0;
}

static enum otter_result program(struct bench *bench, uint32_t addr, const void *data,
                                 size_t size)
{
    return bench->port.program(bench->port.context, addr, data, size);
}

static enum otter_result erase(struct bench *bench, uint32_t addr)
{
    return bench->port.erase(bench->port.context, addr);
}

static enum otter_result read_at(struct bench *bench, uint32_t addr, void *data,
                                 size_t size)
{
    return bench->port.read(bench->port.context, addr, data, size);
}

static void assert_reads(struct bench *bench, uint32_t addr, const void *expected,
                         size_t size)
{
    uint8_t data[1024];

    assert_true(size <= sizeof(data));
    assert_int_equal(read_at(bench, addr, data, size), OTTER_OK);
    assert_memory_equal(data, expected, size);
}

static void assert_filled(struct bench *bench, uint32_t addr, uint8_t value,
                          size_t size)
{
    uint8_t expected[1024];

    memset(expected, value, sizeof(expected));
    assert_reads(bench, addr, expected, size);
}

/* Runs one operation under a fault; true if power was cut in it. */
static bool is_cut_in_program(struct bench *bench, struct vflash_fault fault,
                              uint32_t addr, const void *data, size_t size)
{
    vflash_power_on(&bench->flash, fault);
    if (setjmp(bench->power) != 0) {
        return true;
    }
    (void)!program(bench, addr, data, size);
    return false;
}

static bool is_cut_in_erase(struct bench *bench, struct vflash_fault fault,
                            uint32_t addr)
{
    vflash_power_on(&bench->flash, fault);
    if (setjmp(bench->power) != 0) {
        return true;
    }
    (void)!erase(bench, addr);
    return false;
}

static struct vflash_fault fault_of(enum vflash_fault_kind kind, uint32_t seed)
{
    return (struct vflash_fault){.at_op = 0, .kind = kind, .seed = seed};
}

/* --- memory --- */

static void a_new_flash_reads_erased_in_each_area(void **state)
{
    struct bench *bench = *state;

    assert_filled(bench, BASE, 0xFF, 1024);
    assert_filled(bench, LOW, 0x00, 1024);
    assert_int_equal(bench->port.area_count, 2);
    assert_ptr_equal(bench->port.areas, areas);
}

static void programmed_bytes_read_back_until_their_sector_is_erased(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(program(bench, BASE + 4, "abcdefgh", 8), OTTER_OK);
    assert_int_equal(program(bench, LOW + 8, "ijklmnop", 8), OTTER_OK);
    assert_reads(bench, BASE + 5, "bcdefgh\xFF", 8);
    assert_reads(bench, LOW + 7, "\0ijklmnop\0", 10);
    assert_int_equal(erase(bench, BASE), OTTER_OK);
    assert_filled(bench, BASE, 0xFF, SECTOR);
    assert_reads(bench, LOW + 8, "ijklmnop", 8);
    assert_int_equal(program(bench, BASE + 4, "xyzw", 4), OTTER_OK);
    assert_reads(bench, BASE + 4, "xyzw", 4);
    assert_int_equal(bench->breaches, 0);
}

static void a_read_may_span_two_areas_that_touch(void **state)
{
    struct bench *bench = *state;

    assert_reads(bench, LOW - 3, "\xFF\xFF\xFF\0\0\0", 6);
    vflash_kill_word(&bench->flash, BASE);
    assert_reads(bench, LOW - 3, "\xFF\xFF\xFF\0\0\0", 6);
    assert_int_equal(bench->breaches, 0);
}

/* --- rules --- */

static void each_breach_of_the_rules_is_refused_and_named(void **state)
{
    enum { PROGRAM, ERASE, READ };
    static const struct {
        int access;
        uint32_t addr;
        size_t size;
        enum vflash_breach_kind kind;
    } cases[] = {
        {PROGRAM, BASE - 4, 4, VFLASH_BREACH_BOUNDS},
        {PROGRAM, LOW + 1024, 8, VFLASH_BREACH_BOUNDS},
        {PROGRAM, LOW - 4, 8, VFLASH_BREACH_BOUNDS},
        {PROGRAM, LOW + 1016, 16, VFLASH_BREACH_BOUNDS},
        {PROGRAM, BASE, 0, VFLASH_BREACH_BOUNDS},
        {PROGRAM, BASE + 2, 4, VFLASH_BREACH_ALIGNMENT},
        {PROGRAM, BASE, 3, VFLASH_BREACH_ALIGNMENT},
        {PROGRAM, LOW + 4, 8, VFLASH_BREACH_ALIGNMENT},
        {PROGRAM, BASE, PAGE + 4, VFLASH_BREACH_PAGE},
        {PROGRAM, BASE + PAGE - 4, 8, VFLASH_BREACH_PAGE},
        {ERASE, BASE - SECTOR, 0, VFLASH_BREACH_BOUNDS},
        {ERASE, LOW + 1024, 0, VFLASH_BREACH_BOUNDS},
        {ERASE, BASE + 4, 0, VFLASH_BREACH_ALIGNMENT},
        {ERASE, LOW + 256, 0, VFLASH_BREACH_ALIGNMENT},
        {READ, BASE - 1, 1, VFLASH_BREACH_BOUNDS},
        {READ, LOW + 1023, 2, VFLASH_BREACH_BOUNDS},
        {READ, 0xFFFFFFFF, 2, VFLASH_BREACH_BOUNDS},
    };
    struct bench *bench = *state;
    uint64_t before = vflash_hash(&bench->flash);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static const enum otter_result failures[] = {
            OTTER_E_FLASH_PROGRAM, OTTER_E_FLASH_ERASE, OTTER_E_FLASH_READ};
        uint8_t data[2 * PAGE] = {0};
        enum otter_result result =
            cases[i].access == PROGRAM
                ? program(bench, cases[i].addr, data, cases[i].size)
            : cases[i].access == ERASE
                ? erase(bench, cases[i].addr)
                : read_at(bench, cases[i].addr, data, cases[i].size);

        assert_int_equal(result, failures[cases[i].access]);
        assert_int_equal(bench->breaches, i + 1);
        assert_int_equal(bench->breach.kind, cases[i].kind);
        assert_int_equal(bench->breach.addr, cases[i].addr);
    }
    assert_int_equal(bench->flash.op, 0);
    assert_true(vflash_hash(&bench->flash) == before);
}

static void a_word_programmed_twice_is_a_breach_even_with_erased_bytes(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(program(bench, BASE + 8, "\xFF\xFF\xFF\xFF", 4), OTTER_OK);
    assert_int_equal(program(bench, BASE, "aaaabbbbcccc", 12), OTTER_E_FLASH_PROGRAM);
    assert_int_equal(bench->breach.kind, VFLASH_BREACH_PROGRAMMED);
    assert_int_equal(bench->breach.addr, BASE + 8);
    assert_filled(bench, BASE, 0xFF, 12);
}

static void overprogramming_when_allowed_still_moves_no_bit_back(void **state)
{
    struct vflash_config config = plain();

    config.is_overprogram_allowed = true;
    struct bench *bench = bench_new(&config);

    (void)state;
    assert_int_equal(program(bench, BASE, "\xF0\xFF\xFF\xFF", 4), OTTER_OK);
    assert_int_equal(program(bench, BASE, "\x30\xFF\xFF\x00", 4), OTTER_OK);
    assert_reads(bench, BASE, "\x30\xFF\xFF\x00", 4);
    assert_int_equal(program(bench, BASE, "\x31\xFF\xFF\x00", 4),
                     OTTER_E_FLASH_PROGRAM);
    assert_int_equal(bench->breach.kind, VFLASH_BREACH_BITS);
    assert_int_equal(program(bench, LOW, "\x01\0\0\0\0\0\0\0", 8), OTTER_OK);
    assert_int_equal(program(bench, LOW, "\x03\0\0\0\0\0\0\0", 8), OTTER_OK);
    assert_int_equal(program(bench, LOW, "\x02\0\0\0\0\0\0\0", 8),
                     OTTER_E_FLASH_PROGRAM);
    assert_int_equal(bench->breaches, 2);
    vflash_destroy(&bench->flash);
    free(bench);
}

/* A program over a bit that flipped at rest is no defect of the caller: the bit stays.
 */
static void a_program_cannot_bring_a_flipped_bit_back(void **state)
{
    struct bench *bench = *state;

    vflash_flip(&bench->flash, BASE + 1, 3);
    assert_reads(bench, BASE, "\xFF\xF7\xFF\xFF", 4);
    assert_int_equal(program(bench, BASE, "\xFF\xFF\x00\xFF", 4), OTTER_OK);
    assert_reads(bench, BASE, "\xFF\xF7\x00\xFF", 4);
    vflash_flip(&bench->flash, BASE + 1, 3);
    assert_reads(bench, BASE, "\xFF\xFF\x00\xFF", 4);
    assert_int_equal(bench->breaches, 0);
}

/* The signal that ends a child which does `act` without hooks; 0 if none does. */
static int signal_of(void (*act)(struct bench *bench), struct bench *bench)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        /* cmocka would catch the abort. */
        (void)signal(SIGABRT, SIG_DFL);
        (void)!freopen("/dev/null", "w", stderr);
        bench->flash.hooks = (struct vflash_hooks){0};
        act(bench);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void act_rightly(struct bench *bench)
{
    (void)!program(bench, BASE, "abcd", 4);
}

static void act_wrongly(struct bench *bench)
{
    (void)!program(bench, BASE + 1, "abcd", 4);
}

static void act_into_a_cut(struct bench *bench)
{
    vflash_power_on(&bench->flash, fault_of(VFLASH_CUT_BEFORE, 0));
    (void)!erase(bench, BASE);
}

static void without_hooks_a_breach_or_a_cut_aborts(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(signal_of(act_rightly, bench), 0);
    assert_int_equal(signal_of(act_wrongly, bench), SIGABRT);
    assert_int_equal(signal_of(act_into_a_cut, bench), SIGABRT);
}

/* --- cuts --- */

static void a_cut_strikes_the_operation_it_names(void **state)
{
    struct bench *bench = *state;
    volatile int done = 0;

    vflash_power_on(&bench->flash,
                    (struct vflash_fault){.at_op = 2, .kind = VFLASH_CUT_BEFORE});
    if (setjmp(bench->power) == 0) {
        for (uint32_t i = 0; i < 4; i++) {
            assert_int_equal(program(bench, BASE + 4 * i, "abcd", 4), OTTER_OK);
            done++;
        }
        fail_msg("no cut");
    }
    assert_int_equal(done, 2);
    assert_int_equal(bench->flash.op, 3);
    assert_filled(bench, BASE + 8, 0xFF, 4);
    vflash_power_on(&bench->flash, (struct vflash_fault){0});
    assert_int_equal(bench->flash.op, 0);
    assert_int_equal(program(bench, BASE + 8, "abcd", 4), OTTER_OK);
    assert_int_equal(bench->flash.counts.program_ops, 3);
}

static void a_cut_before_leaves_nothing_and_a_cut_after_all(void **state)
{
    struct bench *bench = *state;
    uint64_t before = vflash_hash(&bench->flash);

    assert_true(
        is_cut_in_program(bench, fault_of(VFLASH_CUT_BEFORE, 0), BASE, "abcd", 4));
    assert_true(vflash_hash(&bench->flash) == before);
    assert_true(
        is_cut_in_program(bench, fault_of(VFLASH_CUT_AFTER, 0), BASE, "abcd", 4));
    assert_reads(bench, BASE, "abcd", 4);
    assert_int_equal(vflash_word_at(&bench->flash, BASE), VFLASH_WORD_PROGRAMMED);
    assert_true(is_cut_in_erase(bench, fault_of(VFLASH_CUT_BEFORE, 0), BASE));
    assert_reads(bench, BASE, "abcd", 4);
    assert_int_equal(vflash_erases(&bench->flash, BASE), 0);
    assert_true(is_cut_in_erase(bench, fault_of(VFLASH_CUT_AFTER, 0), BASE));
    assert_filled(bench, BASE, 0xFF, 4);
    assert_int_equal(vflash_word_at(&bench->flash, BASE), VFLASH_WORD_ERASED);
    assert_true(vflash_hash(&bench->flash) == before);
}

/* Bits that both agree on, or that come from either. */
static bool is_mixture(const uint8_t *bytes, const uint8_t *one, const uint8_t *two,
                       size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (((bytes[i] ^ one[i]) & (bytes[i] ^ two[i])) != 0) {
            return false;
        }
    }
    return true;
}

/* The four readings after a cut that tore the program of `words` words at BASE. */
static void check_torn_program(struct bench *bench, const uint8_t *data, uint32_t words,
                               uint32_t prefix, uint32_t outcome)
{
    static const uint8_t old[WORD] = {0xFF, 0xFF, 0xFF, 0xFF};
    const uint8_t *new = data + (size_t)prefix *WORD;
    uint32_t addr = BASE + prefix * WORD;
    uint8_t reads[4][WORD];

    assert_reads(bench, BASE, data, (size_t)prefix * WORD);
    if (prefix == words) {
        return;
    }
    assert_filled(bench, addr + WORD, 0xFF, (size_t)(words - prefix - 1) * WORD);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(read_at(bench, addr, reads[i], WORD), OTTER_OK);
        assert_true(is_mixture(reads[i], old, new, WORD));
    }
    assert_int_equal(vflash_word_at(&bench->flash, addr),
                     outcome < 3 ? VFLASH_WORD_TORN : VFLASH_WORD_UNSTABLE);
    assert_memory_equal(reads[1], reads[3], WORD);
    if (outcome == 0 || outcome == 3) {
        assert_memory_equal(reads[0], old, WORD);
    }
    if (outcome == 1 || outcome == 4) {
        assert_memory_equal(reads[0], new, WORD);
    }
    if (outcome == 3) {
        assert_memory_equal(reads[1], new, WORD);
    }
    if (outcome == 4) {
        assert_memory_equal(reads[1], reads[2], WORD);
    } else {
        assert_memory_equal(reads[0], reads[2], WORD);
    }
    if (outcome < 3) {
        assert_memory_equal(reads[0], reads[1], WORD);
    }
}

static void a_torn_program_reaches_every_prefix_and_every_outcome(void **state)
{
    static const uint8_t data[3 * WORD] = {0};
    struct bench *bench = *state;
    unsigned reached[4][VFLASH_TORN_PROGRAM_OUTCOMES] = {{0}};

    for (uint32_t seed = 0; seed < 4 * VFLASH_TORN_PROGRAM_OUTCOMES; seed++) {
        reached[seed % 4][seed / 4]++;
        assert_true(is_cut_in_program(bench, fault_of(VFLASH_TORN, seed), BASE, data,
                                      sizeof(data)));
        check_torn_program(bench, data, 3, seed % 4, seed / 4);
        assert_int_equal(erase(bench, BASE), OTTER_OK);
        assert_filled(bench, BASE, 0xFF, SECTOR);
        assert_int_equal(bench->flash.odd_count, 0);
    }
    for (size_t i = 0; i < 4 * (size_t)VFLASH_TORN_PROGRAM_OUTCOMES; i++) {
        assert_int_equal(
            reached[i / VFLASH_TORN_PROGRAM_OUTCOMES][i % VFLASH_TORN_PROGRAM_OUTCOMES],
            1);
    }
    assert_int_equal(bench->breaches, 0);
}

static void random_mixtures_differ_with_the_seed_and_repeat_with_it(void **state)
{
    static const uint8_t data[WORD] = {0};
    struct bench *bench = *state;
    uint64_t hashes[2][4];
    unsigned different = 0;

    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < 4; i++) {
            /* One word: seed % 2 is the prefix, seed / 2 % 5 == 2 a mixture. */
            struct vflash_fault fault = fault_of(VFLASH_TORN, 4 + 10 * i);

            assert_true(is_cut_in_program(bench, fault, BASE, data, WORD));
            hashes[pass][i] = vflash_hash(&bench->flash);
            assert_int_equal(erase(bench, BASE), OTTER_OK);
        }
    }
    for (size_t i = 0; i < 4; i++) {
        assert_true(hashes[0][i] == hashes[1][i]);
        different += hashes[0][i] != hashes[0][(i + 1) % 4];
    }
    assert_int_equal(different, 4);
}

static void a_torn_word_must_not_be_programmed_though_it_reads_blank(void **state)
{
    struct bench *bench = *state;

    assert_true(is_cut_in_program(bench, fault_of(VFLASH_TORN, 0), BASE, "abcd", 4));
    assert_filled(bench, BASE, 0xFF, 4);
    assert_int_equal(program(bench, BASE, "abcd", 4), OTTER_E_FLASH_PROGRAM);
    assert_int_equal(bench->breach.kind, VFLASH_BREACH_TORN);
    /* The same for a sector whose erase was cut, though all of it reads blank. */
    assert_true(is_cut_in_erase(bench, fault_of(VFLASH_TORN, 1), BASE));
    assert_filled(bench, BASE, 0xFF, SECTOR);
    assert_int_equal(program(bench, BASE + 64, "abcd", 4), OTTER_E_FLASH_PROGRAM);
    assert_int_equal(bench->breach.kind, VFLASH_BREACH_TORN);
    assert_int_equal(erase(bench, BASE), OTTER_OK);
    assert_int_equal(program(bench, BASE + 64, "abcd", 4), OTTER_OK);
}

/* What the first and the later readings of each half are after a torn erase. */
static void a_torn_erase_leaves_what_its_outcome_says(void **state)
{
    enum { OLD = 0x35, NEW = 0xFF, ZERO = 0x00, ANY = -1 };
    static const struct {
        int first[2]; /* of each half of the sector */
        int second[2];
        int third[2];
    } cases[VFLASH_TORN_ERASE_OUTCOMES] = {
        {{OLD, OLD}, {OLD, OLD}, {OLD, OLD}},
        {{NEW, NEW}, {NEW, NEW}, {NEW, NEW}},
        {{NEW, OLD}, {NEW, OLD}, {NEW, OLD}},
        {{OLD, NEW}, {OLD, NEW}, {OLD, NEW}},
        {{ANY, ANY}, {ANY, ANY}, {ANY, ANY}},
        {{ZERO, ZERO}, {ZERO, ZERO}, {ZERO, ZERO}},
        {{OLD, OLD}, {NEW, NEW}, {OLD, OLD}},
        {{OLD, OLD}, {ANY, ANY}, {ANY, ANY}},
    };
    struct bench *bench = *state;
    uint8_t page[PAGE];

    memset(page, OLD, sizeof(page));
    for (uint32_t seed = 0; seed < 3 * VFLASH_TORN_ERASE_OUTCOMES; seed++) {
        const int *expected[3] = {cases[seed % 8].first, cases[seed % 8].second,
                                  cases[seed % 8].third};
        uint8_t reads[3][SECTOR];

        assert_int_equal(erase(bench, BASE), OTTER_OK);
        for (uint32_t off = 0; off < SECTOR; off += PAGE) {
            assert_int_equal(program(bench, BASE + off, page, PAGE), OTTER_OK);
        }
        assert_true(is_cut_in_erase(bench, fault_of(VFLASH_TORN, seed), BASE));
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(read_at(bench, BASE, reads[i], SECTOR), OTTER_OK);
            for (size_t off = 0; off < SECTOR; off++) {
                int value = expected[i][off / (SECTOR / 2)];

                /* Bits move towards 1 only, whatever the mixture. */
                assert_true(value == ANY ? (reads[i][off] & OLD) == OLD
                                         : reads[i][off] == value);
            }
        }
        assert_memory_equal(reads[seed % 8 == 6 ? 0 : 1], reads[2], SECTOR);
        assert_true(seed % 8 != 4 || memcmp(reads[0], reads[0] + 128, 128) != 0);
        assert_filled(bench, BASE + SECTOR, 0xFF, SECTOR);
    }
}

static void on_ecc_flash_torn_words_fail_to_read_until_erased(void **state)
{
    struct bench *bench = *state;
    uint8_t data[SECTOR];

    for (uint32_t outcome = 1; outcome < VFLASH_TORN_PROGRAM_OUTCOMES; outcome++) {
        /* Two words, the first of them done. */
        assert_true(is_cut_in_program(bench, fault_of(VFLASH_TORN, 1 + 3 * outcome),
                                      BASE, "abcdefgh", 8));
        assert_reads(bench, BASE, "abcd", 4);
        assert_int_equal(read_at(bench, BASE + 7, data, 1), OTTER_E_FLASH_READ);
        assert_int_equal(read_at(bench, BASE, data, 8), OTTER_E_FLASH_READ);
        assert_int_equal(vflash_word_at(&bench->flash, BASE + 4), VFLASH_WORD_DEAD);
        assert_filled(bench, BASE + 8, 0xFF, 8);
        assert_int_equal(erase(bench, BASE), OTTER_OK);
        assert_filled(bench, BASE, 0xFF, SECTOR);
    }
    for (uint32_t seed = 0; seed < VFLASH_TORN_ERASE_OUTCOMES; seed++) {
        assert_true(is_cut_in_erase(bench, fault_of(VFLASH_TORN, seed), BASE));
        for (uint32_t off = 0; off < SECTOR; off += WORD) {
            assert_int_equal(read_at(bench, BASE + off, data, 1), OTTER_E_FLASH_READ);
        }
        assert_filled(bench, BASE + SECTOR, 0xFF, 8);
        assert_int_equal(erase(bench, BASE), OTTER_OK);
        assert_filled(bench, BASE, 0xFF, SECTOR);
    }
}

/* --- other faults --- */

static void a_failing_operation_reports_it_once_and_needs_an_erase(void **state)
{
    struct bench *bench = *state;

    vflash_power_on(&bench->flash, fault_of(VFLASH_FAIL, 1));
    assert_int_equal(program(bench, BASE, "abcdefgh", 8), OTTER_E_FLASH_PROGRAM);
    assert_reads(bench, BASE, "abcd\xFF\xFF\xFF\xFF", 8);
    assert_int_equal(program(bench, BASE + 8, "ijkl", 4), OTTER_OK);
    vflash_power_on(&bench->flash, fault_of(VFLASH_FAIL, 2));
    assert_int_equal(erase(bench, BASE), OTTER_E_FLASH_ERASE);
    assert_int_equal(vflash_word_at(&bench->flash, BASE), VFLASH_WORD_TORN);
    assert_int_equal(erase(bench, BASE), OTTER_OK);
    assert_int_equal(program(bench, BASE, "abcd", 4), OTTER_OK);
    assert_int_equal(bench->breaches, 0);
}

static void a_bad_sector_fails_for_ever_and_alone(void **state)
{
    struct bench *bench = *state;
    struct vflash_image image = {0};

    vflash_save(&bench->flash, &image);
    vflash_set_bad(&bench->flash, BASE + SECTOR + 7, true);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(erase(bench, BASE + SECTOR), OTTER_E_FLASH_ERASE);
    }
    vflash_restore(&bench->flash, &image);
    assert_int_equal(program(bench, BASE + SECTOR, "abcd", 4), OTTER_E_FLASH_PROGRAM);
    assert_int_equal(program(bench, BASE, "abcd", 4), OTTER_OK);
    assert_int_equal(erase(bench, BASE + 2 * SECTOR), OTTER_OK);
    vflash_set_bad(&bench->flash, BASE + SECTOR, false);
    assert_int_equal(erase(bench, BASE + SECTOR), OTTER_OK);
    assert_int_equal(program(bench, BASE + SECTOR, "abcd", 4), OTTER_OK);
    vflash_image_free(&image);
}

static void a_killed_word_cannot_be_read_until_its_sector_is_erased(void **state)
{
    struct bench *bench = *state;
    uint8_t data[8];

    vflash_kill_word(&bench->flash, BASE + 6);
    assert_int_equal(read_at(bench, BASE + 3, data, 1), OTTER_OK);
    assert_int_equal(read_at(bench, BASE + 3, data, 2), OTTER_E_FLASH_READ);
    assert_int_equal(read_at(bench, BASE + 8, data, 8), OTTER_OK);
    assert_int_equal(erase(bench, BASE), OTTER_OK);
    assert_filled(bench, BASE, 0xFF, 16);
}

/* --- counts, time, hooks --- */

static void wear_bytes_and_time_are_counted(void **state)
{
    struct bench *bench = *state;
    uint8_t data[16] = {0};

    assert_int_equal(program(bench, BASE, data, 16), OTTER_OK);
    assert_int_equal(erase(bench, BASE), OTTER_OK);
    assert_int_equal(erase(bench, BASE), OTTER_OK);
    assert_int_equal(erase(bench, LOW), OTTER_OK);
    assert_int_equal(read_at(bench, BASE, data, 10), OTTER_OK);
    assert_int_equal(bench->flash.counts.program_ops, 1);
    assert_int_equal(bench->flash.counts.programmed_bytes, 16);
    assert_int_equal(bench->flash.counts.erase_ops, 3);
    assert_int_equal(bench->flash.counts.read_bytes, 10);
    assert_int_equal(bench->flash.counts.time_ns, VFLASH_PROGRAM_NS +
                                                      16 * VFLASH_BYTE_NS +
                                                      3 * (uint64_t)VFLASH_ERASE_NS);
    assert_int_equal(vflash_erases(&bench->flash, BASE + 5), 2);
    assert_int_equal(vflash_erases(&bench->flash, BASE + SECTOR), 0);
    assert_int_equal(vflash_erases(&bench->flash, LOW + 511), 1);
    assert_int_equal(vflash_erases_max(&bench->flash, BASE, SECTOR * SECTORS + 512), 2);
    assert_int_equal(vflash_erases_max(&bench->flash, BASE + SECTOR, SECTOR), 0);
    vflash_measure_reset(&bench->flash);
    assert_int_equal(bench->flash.counts.time_ns, 0);
    assert_int_equal(vflash_erases(&bench->flash, BASE), 0);
}

static void each_operation_is_told_before_it_happens(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(program(bench, LOW + 8, "abcdefghijklmnop", 16), OTTER_OK);
    assert_int_equal(bench->op.index, 0);
    assert_false(bench->op.is_erase);
    assert_int_equal(bench->op.addr, LOW + 8);
    assert_int_equal(bench->op.size, 16);
    assert_int_equal(bench->op.word_count, 2);
    assert_true(
        is_cut_in_erase(bench, (struct vflash_fault){.kind = VFLASH_CUT_BEFORE}, LOW));
    assert_true(bench->op.is_erase);
    assert_int_equal(bench->op.addr, LOW);
    assert_int_equal(bench->op.size, 512);
    assert_int_equal(bench->ops, 2);
}

static void provisioned_bytes_are_sound_and_uncounted(void **state)
{
    struct bench *bench = *state;

    vflash_provision(&bench->flash, BASE + 3, "abc", 3);
    assert_reads(bench, BASE,
                 "\xFF\xFF\xFF"
                 "abc\xFF\xFF",
                 8);
    assert_memory_equal(vflash_peek(&bench->flash, BASE + 3, 3), "abc", 3);
    assert_int_equal(vflash_word_at(&bench->flash, BASE + 4), VFLASH_WORD_PROGRAMMED);
    assert_int_equal(vflash_word_at(&bench->flash, BASE + 8), VFLASH_WORD_ERASED);
    assert_int_equal(bench->flash.counts.program_ops, 0);
    vflash_provision(&bench->flash, BASE + 3, "\xFF\xFF\xFF", 3);
    assert_int_equal(program(bench, BASE, "abcdefgh", 8), OTTER_OK);
}

/* --- snapshots --- */

static void a_restored_state_is_the_saved_one_to_the_last_word(void **state)
{
    struct bench *bench = *state;
    struct vflash_image image = {0};
    uint8_t first[WORD];

    assert_int_equal(program(bench, BASE + SECTOR, "abcd", 4), OTTER_OK);
    assert_int_equal(erase(bench, LOW), OTTER_OK);
    /* An unstable word that has been read once: the next reading is the other one. */
    assert_true(
        is_cut_in_program(bench, fault_of(VFLASH_TORN, 6), BASE, "\0\0\0\0", 4));
    assert_int_equal(read_at(bench, BASE, first, WORD), OTTER_OK);
    vflash_save(&bench->flash, &image);
    uint64_t hash = vflash_hash(&bench->flash);
    struct vflash_counts counts = bench->flash.counts;

    /* A reading of an unstable word is a change of state, too. */
    assert_filled(bench, BASE, 0x00, WORD);
    assert_false(vflash_hash(&bench->flash) == hash);
    vflash_restore(&bench->flash, &image);
    for (int pass = 0; pass < 3; pass++) {
        assert_true(vflash_hash(&bench->flash) == hash);
        assert_true(
            vflash_is_same(&bench->flash, &image, BASE, SECTOR * SECTORS + 1024));
        assert_filled(bench, BASE, 0x00, WORD);
        assert_filled(bench, BASE, 0xFF, WORD);
        assert_int_equal(erase(bench, BASE), OTTER_OK);
        assert_int_equal(erase(bench, BASE + SECTOR), OTTER_OK);
        assert_int_equal(program(bench, LOW, "ijklmnop", 8), OTTER_OK);
        assert_false(vflash_hash(&bench->flash) == hash);
        assert_false(vflash_is_same(&bench->flash, &image, LOW, 512));
        assert_true(vflash_is_same(&bench->flash, &image, LOW + 512, 512));
        vflash_restore(&bench->flash, &image);
        assert_reads(bench, BASE + SECTOR, "abcd", 4);
        assert_filled(bench, LOW, 0, 512);
        vflash_restore(&bench->flash, &image);
        assert_int_equal(vflash_erases(&bench->flash, BASE), 0);
        assert_int_equal(vflash_erases(&bench->flash, LOW), 1);
        assert_memory_equal(&bench->flash.counts, &counts, sizeof(counts));
        assert_int_equal(bench->flash.odd_count, 1);
    }
    vflash_image_free(&image);
    assert_null(image.blobs);
}

static void an_image_brings_the_same_state_to_another_flash(void **state)
{
    struct vflash_config config = plain();
    struct bench *bench = *state;
    struct bench *other = bench_new(&config);
    struct vflash_image image = {0};

    assert_true(is_cut_in_erase(bench, fault_of(VFLASH_TORN, 7), LOW));
    assert_int_equal(program(other, BASE, "abcd", 4), OTTER_OK);
    vflash_save(&bench->flash, &image);
    vflash_restore(&other->flash, &image);
    assert_true(vflash_hash(&bench->flash) == vflash_hash(&other->flash));
    assert_int_equal(vflash_word_at(&other->flash, LOW), VFLASH_WORD_UNSTABLE);
    vflash_destroy(&other->flash);
    free(other);
    vflash_restore(&bench->flash, &image);
    vflash_image_free(&image);
}

static void the_hash_sees_contents_and_states_of_words_but_no_wear(void **state)
{
    struct bench *bench = *state;
    uint64_t blank = vflash_hash(&bench->flash);

    assert_int_equal(erase(bench, BASE), OTTER_OK);
    assert_true(vflash_hash(&bench->flash) == blank);
    /* Programmed with erased bytes: reads the same, may not be programmed again. */
    assert_int_equal(program(bench, BASE, "\xFF\xFF\xFF\xFF", 4), OTTER_OK);
    assert_false(vflash_hash(&bench->flash) == blank);
    assert_int_equal(erase(bench, BASE), OTTER_OK);
    assert_true(vflash_hash(&bench->flash) == blank);
    for (uint32_t i = 0; i < 8 * SECTOR; i++) {
        vflash_flip(&bench->flash, BASE + i / 8, i % 8);
        assert_false(vflash_hash(&bench->flash) == blank);
        assert_false(vflash_hash_sector(&bench->flash, BASE) ==
                     vflash_hash_sector(&bench->flash, BASE + SECTOR));
        vflash_flip(&bench->flash, BASE + i / 8, i % 8);
    }
    assert_true(vflash_hash(&bench->flash) == blank);
}

/* --- file and creation --- */

static void a_killed_process_leaves_its_complete_operations_in_the_file(void **state)
{
    char path[] = "/tmp/otter-vflash-XXXXXX";
    int file = mkstemp(path);
    struct vflash_config config = plain();
    int status = 0;

    (void)state;
    assert_true(file >= 0);
    (void)close(file);
    config.path = path;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        struct bench *bench = bench_new(&config);

        (void)!program(bench, BASE + SECTOR, "abcd", 4);
        (void)!program(bench, LOW, "ijklmnop", 8);
        (void)!program(bench, BASE, "gone", 4);
        (void)!erase(bench, BASE);
        (void)raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));

    struct bench *bench = bench_new(&config);

    assert_filled(bench, BASE, 0xFF, SECTOR);
    assert_reads(bench, BASE + SECTOR, "abcd\xFF", 5);
    assert_reads(bench, LOW, "ijklmnop\0", 9);
    assert_int_equal(program(bench, LOW, "ijklmnop", 8), OTTER_E_FLASH_PROGRAM);
    assert_int_equal(bench->breach.kind, VFLASH_BREACH_PROGRAMMED);
    assert_int_equal(program(bench, BASE, "abcd", 4), OTTER_OK);
    vflash_destroy(&bench->flash);
    free(bench);

    struct vflash flash;

    config.area_count = 1;
    assert_int_equal(vflash_create(&flash, &config), OTTER_E_FLASH_READ);
    assert_int_equal(unlink(path), 0);
    config.path = "/nonexistent/file";
    assert_int_equal(vflash_create(&flash, &config), OTTER_E_FLASH_READ);
}

static void areas_that_the_port_does_not_allow_are_refused(void **state)
{
    static const struct otter_flash_area good = {.addr = 0x1000,
                                                 .sector_size = 4096,
                                                 .sector_count = 2,
                                                 .word_size = 8,
                                                 .page_size = 256,
                                                 .erased = 0xFF};
    struct otter_flash_area cases[12];
    struct vflash flash;

    (void)state;
    for (size_t i = 0; i < 12; i++) {
        cases[i] = good;
    }
    cases[1].sector_size = 128;
    cases[2].sector_size = 262144;
    cases[3].sector_count = 0;
    cases[4].word_size = 3;
    cases[5].word_size = 64;
    cases[6].page_size = 4;
    cases[7].page_size = 384;
    cases[8].erased = 0x55;
    cases[9].addr = 0xFFFFF000;
    cases[10].page_size = 8192;
    cases[11].word_size = 0;
    for (size_t i = 0; i < 12; i++) {
        struct vflash_config config = {.areas = &cases[i], .area_count = 1};

        assert_int_equal(vflash_create(&flash, &config),
                         i == 0 ? OTTER_OK : OTTER_E_FLASH_BOUNDS);
        if (i == 0) {
            vflash_destroy(&flash);
        }
    }
    struct otter_flash_area near = good;

    near.addr = 0x2000;
    const struct otter_flash_area pair[2] = {good, near};
    struct vflash_config config = {.areas = pair, .area_count = 2};

    assert_int_equal(vflash_create(&flash, &config), OTTER_E_FLASH_BOUNDS);
    config.area_count = 0;
    assert_int_equal(vflash_create(&flash, &config), OTTER_E_FLASH_BOUNDS);
}

#define FRESH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(a_new_flash_reads_erased_in_each_area),
        FRESH(programmed_bytes_read_back_until_their_sector_is_erased),
        FRESH(a_read_may_span_two_areas_that_touch),
        FRESH(each_breach_of_the_rules_is_refused_and_named),
        FRESH(a_word_programmed_twice_is_a_breach_even_with_erased_bytes),
        cmocka_unit_test(overprogramming_when_allowed_still_moves_no_bit_back),
        FRESH(a_program_cannot_bring_a_flipped_bit_back),
        FRESH(without_hooks_a_breach_or_a_cut_aborts),
        FRESH(a_cut_strikes_the_operation_it_names),
        FRESH(a_cut_before_leaves_nothing_and_a_cut_after_all),
        FRESH(a_torn_program_reaches_every_prefix_and_every_outcome),
        FRESH(random_mixtures_differ_with_the_seed_and_repeat_with_it),
        FRESH(a_torn_word_must_not_be_programmed_though_it_reads_blank),
        FRESH(a_torn_erase_leaves_what_its_outcome_says),
        cmocka_unit_test_setup_teardown(
            on_ecc_flash_torn_words_fail_to_read_until_erased, setup_ecc, teardown),
        FRESH(a_failing_operation_reports_it_once_and_needs_an_erase),
        FRESH(a_bad_sector_fails_for_ever_and_alone),
        FRESH(a_killed_word_cannot_be_read_until_its_sector_is_erased),
        FRESH(wear_bytes_and_time_are_counted),
        FRESH(each_operation_is_told_before_it_happens),
        FRESH(provisioned_bytes_are_sound_and_uncounted),
        FRESH(a_restored_state_is_the_saved_one_to_the_last_word),
        FRESH(an_image_brings_the_same_state_to_another_flash),
        FRESH(the_hash_sees_contents_and_states_of_words_but_no_wear),
        cmocka_unit_test(a_killed_process_leaves_its_complete_operations_in_the_file),
        cmocka_unit_test(areas_that_the_port_does_not_allow_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
