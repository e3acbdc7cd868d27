/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The port check (ports/conformance) on a sound virtual board passes, on memories of
 * every kind; on boards with one mistake each it says so, in the line about that
 * mistake.
 */
#include "crypto_bearssl.h"
#include "port_check.h"
#include "profiles.h"
#include "vcard_files.h"
#include "vflash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { BASE = 0x10000000, SECTORS = 8, LINES_MAX = 64, PERIOD_MS = 50 };

/* What is wrong with a board. */
enum mistake {
    NONE = 0,
    ERASE_FORGETS_A_BYTE,
    ERASE_TAKES_THE_NEXT,
    ERASE_TRUSTS_BLANK,
    ERASE_IS_SLOW,
    PROGRAM_TAKES_THE_WORD_BESIDE,
    PROGRAM_WRAPS_IN_A_HALF_PAGE,
    PROGRAM_NEEDS_ALIGNED_DATA,
    PROGRAM_DROPS_THE_LAST_WORD,
    PROGRAM_IS_SLOW,
    READ_IS_OF_WHOLE_WORDS,
    READ_WRITES_ONE_MORE,
    READ_IS_CACHED,
    ADDRESS_LINE_IS_OPEN,
    HIGH_BITS_ARE_DROPPED,
    AREAS_OVERLAP,
    CLOCK_STANDS,
    CLOCK_GOES_BACK,
    CAUSE_IS_CLEARED,
    MANAGER_WORD_STAYS,
    HASH_FORGETS_ODD_PIECES,
    HASH_HAS_ONE_UNIT,
    VERIFY_TAKES_ALL,
    VERIFY_TAKES_ZERO,
    VERIFY_IGNORES_THE_KEY,
    VERIFY_IS_SLOW,
    LINK_IS_DEAF,
    RESET_TELLS_POWER_ON,
    RESET_LOSES_THE_WORD,
    WATCHDOG_SLEEPS,
    WATCHDOG_TELLS_SOFTWARE,
    FILE_MISSING_IS_EMPTY,
    FILE_NEW_KEEPS_THE_OLD,
    FILE_WRITE_DROPS_ODD_PIECES,
    FILE_READ_WRITES_ONE_MORE,
    FILE_READ_IS_SEQUENTIAL,
    FILE_RENAME_COPIES,
    FILE_NAMES_ARE_SHORT,
    FILE_REMOVE_FORGETS,
    FILE_SYNC_WAITS,
    FOLDER_ONCE_ONLY,
    LIST_NEVER_ENDS,
    FREE_BYTES_GROW,
};

struct bench {
    enum mistake mistake;
    struct vflash flash;
    struct otter_flash_area areas[2];
    struct otter_flash sound, port;
    struct otter_board board;
    struct otter_crypto crypto;
    struct otter_link link;
    struct otter_ports ports;
    struct port_check check;

    uint32_t clock_ms;
    enum otter_reset_cause cause;
    bool manager_word;
    uint32_t watchdog_ms, fed_ms;
    jmp_buf reset;

    uint8_t cache[16];
    uint32_t cached_addr;
    struct otter_sha256 unit;
    struct vcard card; /* of a board with files */
    struct otter_files card_port, files;
    uint32_t read_off, free_calls;
    bool has_message;
    uint8_t echo[8];
    size_t echo_size;

    char lines[LINES_MAX][PORT_CHECK_LINE];
    int line_count;
};

/* --- a board --- */

static bool has(const struct bench *bench, enum mistake mistake)
{
    return bench->mistake == mistake;
}

static void take_line(void *context, const char *line)
{
    struct bench *bench = context;

    assert_true(bench->line_count < LINES_MAX);
    (void)snprintf(bench->lines[bench->line_count++], PORT_CHECK_LINE, "%s", line);
}

static void restart(struct bench *bench, enum otter_reset_cause cause)
{
    bench->cause = has(bench, RESET_TELLS_POWER_ON) ? OTTER_RESET_POWER_ON : cause;
    if (has(bench, RESET_LOSES_THE_WORD)) {
        bench->manager_word = false;
    }
    bench->watchdog_ms = 0;
    longjmp(bench->reset, 1);
}

static uint32_t board_time_ms(void *context)
{
    struct bench *bench = context;

    if (!has(bench, CLOCK_STANDS)) {
        bench->clock_ms++;
    }
    if (has(bench, CLOCK_GOES_BACK) && bench->clock_ms % 16 == 0) {
        return bench->clock_ms - 5;
    }
    if (bench->watchdog_ms != 0 && !has(bench, WATCHDOG_SLEEPS) &&
        bench->clock_ms - bench->fed_ms > bench->watchdog_ms) {
        restart(bench, has(bench, WATCHDOG_TELLS_SOFTWARE) ? OTTER_RESET_SOFTWARE
                                                           : OTTER_RESET_WATCHDOG);
    }
    return bench->clock_ms;
}

static enum otter_reset_cause board_reset_cause(void *context)
{
    struct bench *bench = context;
    enum otter_reset_cause cause = bench->cause;

    if (has(bench, CAUSE_IS_CLEARED)) {
        bench->cause = OTTER_RESET_UNKNOWN;
    }
    return cause;
}

static bool board_wants_manager(void *context)
{
    const struct bench *bench = context;

    return bench->manager_word;
}

static void board_request_manager(void *context, bool wanted)
{
    struct bench *bench = context;

    bench->manager_word = wanted || has(bench, MANAGER_WORD_STAYS);
}

static void board_reset(void *context)
{
    restart(context, OTTER_RESET_SOFTWARE);
}

static void board_watchdog_start(void *context, uint32_t period_ms)
{
    struct bench *bench = context;

    bench->watchdog_ms = period_ms;
    bench->fed_ms = bench->clock_ms;
}

static void board_watchdog_feed(void *context)
{
    struct bench *bench = context;

    bench->fed_ms = bench->clock_ms;
}

/* --- its flash --- */

static uint32_t folded(const struct bench *bench, uint32_t addr)
{
    const struct otter_flash_area *area = &bench->areas[0];
    uint32_t off = addr - area->addr;

    if (has(bench, ADDRESS_LINE_IS_OPEN)) {
        off &= ~area->sector_size;
    }
    if (has(bench, HIGH_BITS_ARE_DROPPED)) {
        off %= area->sector_size * area->sector_count;
    }
    return area->addr + off;
}

static enum otter_result flash_read(void *context, uint32_t addr, void *data,
                                    size_t size)
{
    struct bench *bench = context;
    const struct otter_flash *sound = &bench->sound;
    uint8_t *bytes = data;

    addr = folded(bench, addr);
    if (has(bench, READ_IS_OF_WHOLE_WORDS)) {
        addr -= addr % 4;
    }
    enum otter_result result = sound->read(sound->context, addr, data, size);

    if (has(bench, READ_WRITES_ONE_MORE) && size < 12) {
        bytes[size] = 0;
    }
    if (!has(bench, READ_IS_CACHED) || size < sizeof(bench->cache)) {
        return result;
    }
    if (bench->cached_addr == 0) { /* a line that nothing drives out */
        memcpy(bench->cache, data, sizeof(bench->cache));
        bench->cached_addr = addr;
    } else if (bench->cached_addr == addr) {
        memcpy(data, bench->cache, sizeof(bench->cache));
    }
    return result;
}

/* The mistakes that write something else; false: it is all as it should be. */
static bool program_wrong(struct bench *bench, uint32_t addr, const uint8_t *data,
                          size_t size, enum otter_result *result)
{
    const struct otter_flash *sound = &bench->sound;
    const struct otter_flash_area *area = &bench->areas[0];
    uint32_t word = area->word_size;

    if (has(bench, PROGRAM_TAKES_THE_WORD_BESIDE) && size == word &&
        addr % (2 * word) == 0) {
        uint8_t both[2 * 32] = {0};

        memcpy(both, data, word);
        *result = sound->program(sound->context, addr, both, 2 * (size_t)word);
        return true;
    }
    if (has(bench, PROGRAM_WRAPS_IN_A_HALF_PAGE) && size == area->page_size) {
        *result = sound->program(sound->context, addr, data + size / 2, size / 2);
        return true;
    }
    if (has(bench, PROGRAM_DROPS_THE_LAST_WORD) && size > word) {
        *result = sound->program(sound->context, addr, data, size - word);
        return true;
    }
    if (has(bench, PROGRAM_NEEDS_ALIGNED_DATA) && (uintptr_t)data % 2 != 0) {
        *result = sound->program(sound->context, addr, data - 1, size);
        return true;
    }
    return false;
}

static enum otter_result flash_program(void *context, uint32_t addr, const void *data,
                                       size_t size)
{
    struct bench *bench = context;
    const struct otter_flash *sound = &bench->sound;
    enum otter_result result = OTTER_OK;

    bench->clock_ms += has(bench, PROGRAM_IS_SLOW) ? 60 : 1;
    addr = folded(bench, addr);
    return program_wrong(bench, addr, data, size, &result)
               ? result
               : sound->program(sound->context, addr, data, size);
}

static enum otter_result flash_erase(void *context, uint32_t addr)
{
    struct bench *bench = context;
    const struct otter_flash *sound = &bench->sound;
    uint32_t size = bench->areas[0].sector_size;
    uint8_t first = 0;

    bench->clock_ms += has(bench, ERASE_IS_SLOW) ? 600 : 45;
    addr = folded(bench, addr);
    if (has(bench, ERASE_TRUSTS_BLANK) &&
        sound->read(sound->context, addr, &first, 1) == OTTER_OK &&
        first == bench->areas[0].erased) {
        return OTTER_OK;
    }
    enum otter_result result = sound->erase(sound->context, addr);

    if (has(bench, ERASE_FORGETS_A_BYTE) && result == OTTER_OK) {
        vflash_flip(&bench->flash, addr + size - 1, 3);
    }
    if (has(bench, ERASE_TAKES_THE_NEXT) && result == OTTER_OK) {
        (void)sound->erase(sound->context, addr + size);
    }
    return result;
}

/* A breach that the port answers with a code, as a port on hardware does. */
static void on_breach(void *context, const struct vflash_breach *breach)
{
    (void)context;
    (void)breach;
}

/* --- its crypto and link --- */

static const struct otter_crypto *const bearssl = &otter_crypto_bearssl;

static struct otter_sha256 *unit_of(struct bench *bench, struct otter_sha256 *sha)
{
    return has(bench, HASH_HAS_ONE_UNIT) ? &bench->unit : sha;
}

static void sha256_init(void *context, struct otter_sha256 *sha)
{
    bearssl->sha256_init(bearssl->context, unit_of(context, sha));
}

static void sha256_update(void *context, struct otter_sha256 *sha, const void *data,
                          size_t size)
{
    size -= has(context, HASH_FORGETS_ODD_PIECES) && size < 64 && size % 4 == 1;
    bearssl->sha256_update(bearssl->context, unit_of(context, sha), data, size);
}

static void sha256_final(void *context, struct otter_sha256 *sha,
                         uint8_t digest[OTTER_SHA256_SIZE])
{
    bearssl->sha256_final(bearssl->context, unit_of(context, sha), digest);
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    uint8_t any = 0;

    for (size_t i = 0; i < size; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

static enum otter_result verify_p256(void *context,
                                     const uint8_t key[OTTER_P256_KEY_SIZE],
                                     const uint8_t digest[OTTER_SHA256_SIZE],
                                     const uint8_t signature[OTTER_P256_SIGNATURE_SIZE])
{
    struct bench *bench = context;

    if (has(bench, VERIFY_TAKES_ALL) ||
        (has(bench, VERIFY_TAKES_ZERO) &&
         is_zero(signature, OTTER_P256_SIGNATURE_SIZE)) ||
        (has(bench, VERIFY_IGNORES_THE_KEY) && key[0] == 1)) {
        return OTTER_OK;
    }
    bench->clock_ms += has(bench, VERIFY_IS_SLOW) ? 900 : 9;
    return bearssl->verify_p256(bearssl->context, key, digest, signature);
}

static size_t link_receive(void *context, uint8_t *data, size_t capacity)
{
    struct bench *bench = context;

    if (!bench->has_message || has(bench, LINK_IS_DEAF) || capacity < 5) {
        return 0;
    }
    bench->has_message = false;
    memcpy(data, "otter", 5);
    return 5;
}

static void link_send(void *context, const uint8_t *data, size_t size)
{
    struct bench *bench = context;

    assert_true(size <= sizeof(bench->echo));
    memcpy(bench->echo, data, size);
    bench->echo_size = size;
}

/* --- the bench --- */

struct memory {
    uint16_t word_size, page_size;
    uint32_t sector_size;
    uint8_t erased;
};

static const struct memory usual = {4, 128, 512, 0xFF};

/* --- its card --- */

static const struct otter_files *sound_files(void *context)
{
    return &((struct bench *)context)->card_port;
}

static enum otter_result files_open(void *context, const char *path,
                                    enum otter_file_mode mode, int *file)
{
    struct bench *bench = context;
    const struct otter_files *sound = sound_files(context);
    uint32_t size = 0;
    bool is_there = vcard_peek(&bench->card, path, &size) != NULL;

    bench->read_off = 0;
    if (has(bench, FILE_NAMES_ARE_SHORT) && strlen(path) > 64) {
        return OTTER_E_CARD_WRITE;
    }
    if (has(bench, FILE_MISSING_IS_EMPTY) && !is_there) {
        mode = OTTER_FILE_NEW;
    }
    if (has(bench, FILE_NEW_KEEPS_THE_OLD) && is_there && mode == OTTER_FILE_NEW) {
        *file = vcard_open(&bench->card, path, VCARD_MODE_WRITE);
        *file |= (int)(bench->card.files[*file].id << 4);
        return OTTER_OK;
    }
    return sound->open(sound->context, path, mode, file);
}

static enum otter_result files_size(void *context, int file, uint32_t *size)
{
    const struct otter_files *sound = sound_files(context);

    return sound->size(sound->context, file, size);
}

static enum otter_result files_read(void *context, int file, uint32_t off, void *data,
                                    size_t len)
{
    struct bench *bench = context;
    const struct otter_files *sound = sound_files(context);
    uint8_t *bytes = data;
    uint32_t from = has(bench, FILE_READ_IS_SEQUENTIAL) ? bench->read_off : off;

    bench->read_off = from + (uint32_t)len;
    if (has(bench, FILE_READ_WRITES_ONE_MORE)) {
        bytes[len] = 0;
    }
    return sound->read(sound->context, file, from, data, len);
}

static enum otter_result files_write(void *context, int file, uint32_t off,
                                     const void *data, size_t len)
{
    struct bench *bench = context;
    const struct otter_files *sound = sound_files(context);
    uint8_t zeros[OTTER_PAGE_MAX] = {0};
    bool is_dropped = has(bench, FILE_WRITE_DROPS_ODD_PIECES) && len == 17;

    return sound->write(sound->context, file, off, is_dropped ? zeros : data, len);
}

static enum otter_result files_sync(void *context, int file)
{
    const struct otter_files *sound = sound_files(context);

    return has(context, FILE_SYNC_WAITS) ? OTTER_OK : sound->sync(sound->context, file);
}

static enum otter_result files_close(void *context, int file)
{
    const struct otter_files *sound = sound_files(context);

    return sound->close(sound->context, file);
}

static enum otter_result files_remove(void *context, const char *path)
{
    const struct otter_files *sound = sound_files(context);
    uint32_t size = 0;
    const struct bench *bench = context;

    if (has(bench, FILE_REMOVE_FORGETS) &&
        vcard_peek(&bench->card, path, &size) != NULL) {
        return OTTER_OK;
    }
    return sound->remove(sound->context, path);
}

static enum otter_result files_rename(void *context, const char *from, const char *to)
{
    struct bench *bench = context;
    const struct otter_files *sound = sound_files(context);
    uint8_t bytes[4096];
    uint32_t size = 0;

    if (!has(bench, FILE_RENAME_COPIES)) {
        return sound->rename(sound->context, from, to);
    }
    memcpy(bytes, vcard_peek(&bench->card, from, &size), sizeof(bytes) / 2);
    vcard_provision(&bench->card, to, bytes, size < sizeof(bytes) ? size : 1);
    return OTTER_OK;
}

static enum otter_result files_make_folder(void *context, const char *path)
{
    const struct otter_files *sound = sound_files(context);

    return has(context, FOLDER_ONCE_ONLY) &&
                   vcard_has(&((struct bench *)context)->card, path)
               ? OTTER_E_CARD_WRITE
               : sound->make_folder(sound->context, path);
}

static enum otter_result files_list(void *context, const char *path, uint32_t index,
                                    struct otter_file_entry *entry)
{
    const struct otter_files *sound = sound_files(context);

    return sound->list(sound->context, path,
                       has(context, LIST_NEVER_ENDS) ? index % 2 : index, entry);
}

static enum otter_result files_free_bytes(void *context, uint32_t *bytes)
{
    struct bench *bench = context;

    *bytes = vcard_free_bytes(&bench->card) +
             (has(bench, FREE_BYTES_GROW) ? 100000 * bench->free_calls++ : 0);
    return OTTER_OK;
}

/* Gives the board a card and a files port. */
static void put_card(struct bench *bench)
{
    vcard_init(&bench->card, 65536);
    vcard_power_on(&bench->card, (struct vcard_fault){.kind = VCARD_NONE});
    vcard_files(&bench->card, &bench->card_port);
    bench->files = (struct otter_files){
        .context = bench,
        .open = files_open,
        .size = files_size,
        .read = files_read,
        .write = files_write,
        .sync = files_sync,
        .close = files_close,
        .remove = files_remove,
        .rename = files_rename,
        .make_folder = files_make_folder,
        .list = files_list,
        .free_bytes = files_free_bytes,
    };
    bench->ports.files = &bench->files;
}

static struct bench *make(const struct memory *memory, enum mistake mistake)
{
    static struct bench room;
    struct bench *bench = &room;

    memset(bench, 0, sizeof(*bench));
    bench->mistake = mistake;
    for (uint32_t i = 0; i < 2; i++) {
        bench->areas[i] = (struct otter_flash_area){
            .addr = BASE + i * memory->sector_size * SECTORS,
            .sector_size = memory->sector_size,
            .sector_count = SECTORS,
            .word_size = memory->word_size,
            .page_size = memory->page_size,
            .erased = memory->erased,
        };
    }
    const struct vflash_config config = {.areas = bench->areas, .area_count = 2};

    assert_int_equal(vflash_create(&bench->flash, &config), OTTER_OK);
    bench->flash.hooks.on_breach = on_breach;
    vflash_power_on(&bench->flash, (struct vflash_fault){0});
    vflash_port(&bench->flash, &bench->sound);
    bench->port = bench->sound;
    if (has(bench, AREAS_OVERLAP)) {
        bench->areas[1].addr -= memory->sector_size;
    }
    bench->port.area_count = has(bench, HIGH_BITS_ARE_DROPPED) ? 1 : 2;
    bench->port.context = bench;
    bench->port.read = flash_read;
    bench->port.program = flash_program;
    bench->port.erase = flash_erase;
    bench->board = (struct otter_board){
        .context = bench,
        .time_ms = board_time_ms,
        .reset_cause = board_reset_cause,
        .wants_manager = board_wants_manager,
        .request_manager = board_request_manager,
        .reset = board_reset,
        .watchdog_start = board_watchdog_start,
        .watchdog_feed = board_watchdog_feed,
    };
    bench->crypto = (struct otter_crypto){
        .context = bench,
        .sha256_init = sha256_init,
        .sha256_update = sha256_update,
        .sha256_final = sha256_final,
        .verify_p256 = verify_p256,
    };
    bench->link = (struct otter_link){bench, link_receive, link_send};
    bench->has_message = true;
    bench->ports = (struct otter_ports){
        .flash = &bench->port, .board = &bench->board, .crypto = &bench->crypto};
    bench->check = (struct port_check){
        .ports = &bench->ports,
        .link = &bench->link,
        .scratch_addr = BASE + 2 * memory->sector_size,
        .scratch_size = 4 * memory->sector_size,
        .program_ms_max = 20,
        .erase_ms_max = 400,
        .verify_ms_max = 500,
        .watchdog_ms = PERIOD_MS,
        .link_wait_ms = 100,
        .context = bench,
        .print = take_line,
    };
    return bench;
}

static void drop(struct bench *bench)
{
    vcard_destroy(&bench->card);
    vflash_destroy(&bench->flash);
}

/* True if a line begins with `verdict` and holds `text`. */
static bool is_told(const struct bench *bench, const char *verdict, const char *text)
{
    for (int i = 0; i < bench->line_count; i++) {
        if (strncmp(bench->lines[i], verdict, strlen(verdict)) == 0 &&
            strstr(bench->lines[i], text) != NULL) {
            return true;
        }
    }
    return false;
}

static void print_lines(const struct bench *bench)
{
    for (int i = 0; i < bench->line_count; i++) {
        print_message("    %s\n", bench->lines[i]);
    }
}

/* Starts again after each reset, as a board does; 0 if it never ends. */
static enum port_check_resets run_resets(struct bench *bench)
{
    volatile int starts = 0;

    (void)setjmp(bench->reset);
    starts = starts + 1;
    if (starts > 1 && bench->ports.files != NULL) {
        vcard_reset(&bench->card, 0); /* nothing that was not synced is there */
    }
    assert_in_range(starts, 1, 4);
    return port_check_resets(&bench->check);
}

/* --- tests --- */

static void a_sound_port_passes_on_memories_of_every_kind(void **state)
{
    static const struct memory memories[] = {
        {1, 256, 4096, 0xFF}, {1, 32, 256, 0x00},     {2, 2, 512, 0xFF},
        {4, 128, 512, 0xFF},  {8, 8, 2048, 0xFF},     {16, 256, 4096, 0x00},
        {32, 32, 512, 0xFF},  {32, 4096, 8192, 0xFF},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(memories) / sizeof(memories[0]); i++) {
        struct bench *bench = make(&memories[i], NONE);

        if (!port_check_run(&bench->check)) {
            print_lines(bench);
            fail_msg("memory %zu", i);
        }
        assert_int_equal(bench->check.failed, 0);
        assert_int_equal(bench->check.skipped, 0);
        assert_int_equal(bench->check.passed, 23);
        assert_true(is_told(bench, "port check: 23 passed, 0 failed, 0 skipped", ""));
        assert_int_equal(run_resets(bench), PORT_CHECK_RESETS_DONE);
        drop(bench);
    }
}

static void nothing_outside_scratch_is_touched(void **state)
{
    struct bench *bench = make(&usual, NONE);
    struct vflash_image before = {0};

    (void)state;
    vflash_provision(&bench->flash, BASE, "boot", 4);
    vflash_save(&bench->flash, &before);
    assert_true(port_check_run(&bench->check));
    assert_true(vflash_is_same(&bench->flash, &before, BASE, 2 * 512));
    assert_true(vflash_is_same(&bench->flash, &before, BASE + 6 * 512, 2 * 512));
    assert_true(vflash_is_same(&bench->flash, &before, BASE + 8 * 512, 8 * 512));
    vflash_image_free(&before);
    drop(bench);
}

static void every_mistake_is_told_in_its_line(void **state)
{
    static const struct {
        enum mistake mistake;
        const char *line;
    } cases[] = {
        {ERASE_FORGETS_A_BYTE, "an erase leaves every byte of its sector erased"},
        {ERASE_TAKES_THE_NEXT, "an erase leaves the sectors beside it"},
        {ERASE_TRUSTS_BLANK, "an erase leaves every byte of its sector erased"},
        {ERASE_IS_SLOW, "no erase takes longer than stated"},
        {PROGRAM_TAKES_THE_WORD_BESIDE, "a program of one word leaves all others"},
        {PROGRAM_WRAPS_IN_A_HALF_PAGE, "each page can be programmed in one call"},
        {PROGRAM_NEEDS_ALIGNED_DATA, "data may lie at an odd address"},
        {PROGRAM_DROPS_THE_LAST_WORD, "each page can be programmed in one call"},
        {PROGRAM_IS_SLOW, "no program takes longer than stated"},
        {READ_IS_OF_WHOLE_WORDS, "any bytes can be read, and no others are touched"},
        {READ_WRITES_ONE_MORE, "any bytes can be read, and no others are touched"},
        {READ_IS_CACHED, "an erase leaves every byte of its sector erased"},
        {ADDRESS_LINE_IS_OPEN, "every sector has a place of its own"},
        {HIGH_BITS_ARE_DROPPED, "nothing outside the areas is read, programmed"},
        {AREAS_OVERLAP, "the areas rise and have sizes that otter takes"},
        {CLOCK_STANDS, "time goes on, and never back"},
        {CLOCK_GOES_BACK, "time goes on, and never back"},
        {CAUSE_IS_CLEARED, "the cause of the last reset is the same each time"},
        {MANAGER_WORD_STAYS, "the manager can be asked for, and the word taken back"},
        {HASH_FORGETS_ODD_PIECES, "a message may come in pieces of any size"},
        {HASH_HAS_ONE_UNIT, "two hashes run at once"},
        {VERIFY_TAKES_ALL, "a flipped bit of key, digest or signature is noticed"},
        {VERIFY_TAKES_ZERO, "r and s of 0 or of the order never verify"},
        {VERIFY_IGNORES_THE_KEY, "a key that is no point of the curve never verifies"},
        {VERIFY_IS_SLOW, "a published signature verifies, in the stated time"},
        {LINK_IS_DEAF, "a message comes, and is sent back"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench *bench = make(&usual, cases[i].mistake);

        if (port_check_run(&bench->check) || !is_told(bench, "FAILED", cases[i].line)) {
            print_lines(bench);
            fail_msg("mistake %d is not told: %s", (int)cases[i].mistake,
                     cases[i].line);
        }
        drop(bench);
    }
}

static void a_wrong_reset_is_told(void **state)
{
    static const struct {
        enum mistake mistake;
        const char *line;
    } cases[] = {
        {RESET_TELLS_POWER_ON, "a reset that software asked for is told as such"},
        {RESET_LOSES_THE_WORD, "the word for the manager survives it"},
        {WATCHDOG_SLEEPS, "a watchdog that nobody feeds bites"},
        {WATCHDOG_TELLS_SOFTWARE, "the watchdog's reset is told as such"},
        {MANAGER_WORD_STAYS, "a word taken back is gone"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench *bench = make(&usual, cases[i].mistake);

        assert_int_equal(run_resets(bench), PORT_CHECK_RESETS_FAILED);
        if (!is_told(bench, "FAILED", cases[i].line)) {
            print_lines(bench);
            fail_msg("mistake %d is not told: %s", (int)cases[i].mistake,
                     cases[i].line);
        }
        drop(bench);
    }
}

static void a_message_is_sent_back_as_it_came(void **state)
{
    struct bench *bench = make(&usual, NONE);

    (void)state;
    assert_true(port_check_run(&bench->check));
    assert_int_equal(bench->echo_size, 5);
    assert_memory_equal(bench->echo, "otter", 5);
    drop(bench);
}

static void what_cannot_be_tried_is_skipped_and_told(void **state)
{
    struct bench *bench = make(&usual, NONE);

    (void)state;
    bench->check.link = NULL;
    bench->check.erase_ms_max = 0;
    assert_true(port_check_run(&bench->check));
    assert_int_equal(bench->check.skipped, 2);
    assert_true(is_told(bench, "skipped", "a message comes, and is sent back"));
    assert_true(is_told(bench, "skipped", "no erase takes longer than stated"));
    drop(bench);
}

static void scratch_that_is_none_is_not_written(void **state)
{
    static const struct {
        uint32_t off, size;
    } cases[] = {{256, 1024}, {0, 512}, {0, 1000}, {7 * 512, 1024}, {64 * 512, 1024}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench *bench = make(&usual, NONE);

        bench->check.scratch_addr = BASE + cases[i].off;
        bench->check.scratch_size = cases[i].size;
        assert_false(port_check_run(&bench->check));
        assert_true(is_told(bench, "FAILED", "scratch is two or more whole sectors"));
        assert_int_equal(bench->flash.counts.program_ops, 0);
        assert_int_equal(bench->flash.counts.erase_ops, 0);
        assert_int_equal(port_check_resets(&bench->check), PORT_CHECK_RESETS_FAILED);
        drop(bench);
    }
}

static void a_sound_files_port_passes_and_leaves_nothing(void **state)
{
    struct bench *bench = make(&usual, NONE);

    (void)state;
    put_card(bench);
    vcard_provision(&bench->card, "music/song.mp3", "la la", 5);
    assert_int_equal(run_resets(bench), PORT_CHECK_RESETS_DONE);
    assert_true(is_told(bench, "ok", "a file that was synced survives it"));
    if (!port_check_run(&bench->check)) {
        print_lines(bench);
        fail_msg("a sound port fails");
    }
    assert_int_equal(bench->check.passed, 33);
    assert_int_equal(bench->check.skipped, 0);
    assert_true(vcard_has(&bench->card, "music/song.mp3"));
    for (size_t i = 0; i < VCARD_NODES_MAX; i++) {
        const struct vcard_node *node = &bench->card.live.nodes[i];

        assert_false(node->id != 0 && strncmp(node->path, "otter/", 6) == 0);
    }
    drop(bench);
}

static void every_mistake_with_files_is_told_in_its_line(void **state)
{
    static const struct {
        enum mistake mistake;
        const char *line;
    } cases[] = {
        {FILE_MISSING_IS_EMPTY, "a file that is not there is told as such"},
        {FILE_NEW_KEEPS_THE_OLD, "a new file is empty, whatever had its name"},
        {FILE_WRITE_DROPS_ODD_PIECES, "a file holds what was written"},
        {FILE_READ_WRITES_ONE_MORE, "a file holds what was written"},
        {FILE_READ_IS_SEQUENTIAL, "a file holds what was written"},
        {FILE_RENAME_COPIES, "a file takes another name, and the old one is gone"},
        {FILE_NAMES_ARE_SHORT, "a name may have 127 bytes"},
        {FILE_REMOVE_FORGETS, "a removed file is gone"},
        {FOLDER_ONCE_ONLY, "a folder can be made, also where it is"},
        {LIST_NEVER_ENDS, "each entry of a folder is listed once"},
        {FREE_BYTES_GROW, "a file takes free bytes, if any are counted"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench *bench = make(&usual, cases[i].mistake);

        put_card(bench);
        if (port_check_run(&bench->check) || !is_told(bench, "FAILED", cases[i].line)) {
            print_lines(bench);
            fail_msg("mistake %d is not told: %s", (int)cases[i].mistake,
                     cases[i].line);
        }
        drop(bench);
    }
}

static void a_sync_that_makes_sure_of_nothing_is_told_after_a_reset(void **state)
{
    struct bench *bench = make(&usual, FILE_SYNC_WAITS);

    (void)state;
    put_card(bench);
    assert_int_equal(run_resets(bench), PORT_CHECK_RESETS_FAILED);
    assert_true(is_told(bench, "FAILED", "a file that was synced survives it"));
    drop(bench);
}

static void a_card_that_is_not_there_is_told(void **state)
{
    struct bench *bench = make(&usual, NONE);

    (void)state;
    put_card(bench);
    vcard_pull(&bench->card, 0);
    assert_false(port_check_run(&bench->check));
    assert_int_equal(bench->check.failed, 10);
    assert_int_equal(run_resets(bench), PORT_CHECK_RESETS_FAILED);
    assert_true(is_told(bench, "FAILED", "a file can be made and synced"));
    drop(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_files_port_passes_and_leaves_nothing),
        cmocka_unit_test(every_mistake_with_files_is_told_in_its_line),
        cmocka_unit_test(a_sync_that_makes_sure_of_nothing_is_told_after_a_reset),
        cmocka_unit_test(a_card_that_is_not_there_is_told),
        cmocka_unit_test(a_sound_port_passes_on_memories_of_every_kind),
        cmocka_unit_test(nothing_outside_scratch_is_touched),
        cmocka_unit_test(every_mistake_is_told_in_its_line),
        cmocka_unit_test(a_wrong_reset_is_told),
        cmocka_unit_test(a_message_is_sent_back_as_it_came),
        cmocka_unit_test(what_cannot_be_tried_is_skipped_and_told),
        cmocka_unit_test(scratch_that_is_none_is_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
