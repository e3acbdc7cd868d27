/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams of coded members: what they decode to, from any offset on, in bounded steps,
 * and what is refused. Vectors, contents and codes: tests/vectors/make_coded.py, made
 * from docs/SPEC.md with Python's zlib. Streams of a real product, with their published
 * digests, if the environment names a folder that has them (OTTER_SAMPLES).
 */
#include "digest.h"
#include "inflate_zlib.h"
#include "otter/stream.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

enum {
    STORED_MAX = 32768,
    CONTENT_MAX = 32768,
    STEPS_MAX = 1000000,
    HEX = 2 * OTTER_SHA256_SIZE,
};

/* A row of coded.txt. */
struct coded {
    char name[64];
    struct otter_member member;
    const uint8_t *stored;
    bool is_good;
    uint16_t code;
};

static uint8_t vectors[STORED_MAX];
static struct coded rows[128];
static size_t row_count;
static struct otter_decoding decoding;
static uint64_t arena[OTTER_CODING_MEMORY / 8];

static void load_file(const char *path, void *data, size_t max, size_t *size)
{
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    *size = fread(data, 1, max, file);
    assert_true(*size > 0 && *size < max);
    (void)fclose(file);
}

static void read_hex(const char *text, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const char pair[3] = {text[2 * i], text[2 * i + 1], '\0'};

        bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
}

static void read_row(const char *line, struct coded *row)
{
    char end[HEX + 1];
    unsigned coding;
    unsigned off;
    unsigned stored_size;
    unsigned size;
    unsigned memory;

    assert_int_equal(sscanf(line, "%63s %u %u %u %u %u %64s", row->name, &coding, &off,
                            &stored_size, &size, &memory, end),
                     7);
    row->member = (struct otter_member){.coding = (uint8_t)coding,
                                        .stored_size = stored_size,
                                        .installed_size = size,
                                        .memory = memory};
    row->stored = vectors + off;
    row->is_good = strlen(end) == HEX;
    if (row->is_good) {
        read_hex(end, row->member.installed_sha, OTTER_SHA256_SIZE);
    } else {
        row->code = (uint16_t)(atoi(end) * 256 + atoi(strchr(end, '-') + 1));
    }
}

static int load_rows(void **state)
{
    static char text[STORED_MAX];
    size_t size;

    (void)state;
    load_file(OTTER_TEST_VECTORS "/coded.bin", vectors, sizeof(vectors), &size);
    load_file(OTTER_TEST_VECTORS "/coded.txt", text, sizeof(text) - 1, &size);
    text[size] = '\0';
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        assert_true(row_count < sizeof(rows) / sizeof(rows[0]));
        read_row(line, &rows[row_count++]);
    }
    decoding.inflate = &otter_inflate_zlib;
    decoding.arena = arena;
    decoding.arena_size = sizeof(arena);
    return 0;
}

/* ---- decoding ---- */

/* Reads from `off` to the end in pieces of `piece`, then asks for the end. */
static enum otter_result read_on(struct otter_stream *stream, uint32_t off,
                                 uint32_t piece, uint8_t *out)
{
    enum otter_result result = OTTER_OK;
    uint32_t steps = 0;
    bool is_done = false;

    otter_stream_seek(stream, off);
    while (result == OTTER_OK && off < stream->size) {
        uint32_t left = stream->size - off;
        uint32_t got = 0;

        result =
            otter_stream_read(stream, out + off, left < piece ? left : piece, &got);
        off += got;
        assert_true(got <= piece && got <= OTTER_STEP_BYTES && steps++ < STEPS_MAX);
    }
    while (result == OTTER_OK && !is_done) {
        result = otter_stream_end(stream, &is_done);
        assert_true(steps++ < STEPS_MAX);
    }
    return result;
}

/* Decodes stored bytes that lie in a block of just their size, so that a read past
 * their end is seen. */
static enum otter_result decode(const struct otter_member *member,
                                const uint8_t *stored, uint32_t size, uint32_t piece,
                                uint8_t *out)
{
    struct watched *watched = malloc(sizeof(*watched));
    uint8_t *copy = malloc(size + (size == 0));
    struct otter_stream stream;

    assert_true(watched != NULL && copy != NULL);
    memcpy(copy, stored, size);
    watched_init(watched, copy, size);
    struct otter_source source = watched_source(watched);
    enum otter_result result = otter_stream_open(&stream, &source, member, &decoding);

    if (result == OTTER_OK) {
        result = read_on(&stream, 0, piece, out);
    }
    free(copy);
    free(watched);
    return result;
}

static bool is_content(const struct otter_member *member, const uint8_t *content)
{
    uint8_t digest[OTTER_SHA256_SIZE];

    digest_of(content, member->installed_size, digest);
    return memcmp(digest, member->installed_sha, sizeof(digest)) == 0;
}

static void every_good_vector_decodes_in_pieces_of_any_size(void **state)
{
    static const uint32_t pieces[] = {1, 7, 64, 300, OTTER_STEP_BYTES, 4096};
    static uint8_t out[CONTENT_MAX];
    unsigned count = 0;

    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        const struct coded *row = &rows[i];

        for (size_t k = 0; row->is_good && k < sizeof(pieces) / sizeof(pieces[0]);
             k++) {
            memset(out, 0xA5, sizeof(out));
            enum otter_result result = decode(&row->member, row->stored,
                                              row->member.stored_size, pieces[k], out);

            if (result != OTTER_OK || !is_content(&row->member, out)) {
                fail_msg("%s: %x, pieces of %u", row->name, otter_code(result),
                         pieces[k]);
            }
            assert_int_equal(out[row->member.installed_size], 0xA5);
            count++;
        }
    }
    assert_true(count >= 20 * sizeof(pieces) / sizeof(pieces[0]));
}

static void every_bad_vector_gives_the_code_that_its_generator_names(void **state)
{
    static uint8_t out[CONTENT_MAX];
    unsigned count = 0;

    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        const struct coded *row = &rows[i];

        if (row->is_good) {
            continue;
        }
        uint16_t code = otter_code(
            decode(&row->member, row->stored, row->member.stored_size, 64, out));

        if (code != row->code) {
            fail_msg("%s: %u-%u, expected %u-%u", row->name, code / 256U, code % 256U,
                     row->code / 256U, row->code % 256U);
        }
        count++;
    }
    assert_true(count >= 30);
}

static bool is_of_codings(enum otter_result result)
{
    return otter_code(result) / 256 == 35;
}

static void p8_a_member_cut_at_any_byte_is_refused(void **state)
{
    static uint8_t out[CONTENT_MAX];

    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        const struct coded *row = &rows[i];

        for (uint32_t size = 0; row->is_good && size < row->member.stored_size;
             size++) {
            enum otter_result result =
                decode(&row->member, row->stored, size, 512, out);

            if (!is_of_codings(result)) {
                fail_msg("%s cut at %u: %x", row->name, size, otter_code(result));
            }
        }
    }
}

/* Whatever a flipped bit makes of a stream: a code, or as many bytes as were wanted. In
 * a head it makes another head: a code, or other bytes. */
static void p8_every_flipped_bit_ends_in_a_code_or_in_other_content(void **state)
{
    static uint8_t stored[STORED_MAX];
    static uint8_t out[CONTENT_MAX];
    unsigned heads = 0;

    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        const struct coded *row = &rows[i];
        uint32_t head = row->member.coding == OTTER_CODING_ZLIB ? 4 : 7;

        for (uint32_t bit = 0; row->is_good && bit < 8 * row->member.stored_size;
             bit++) {
            memcpy(stored, row->stored, row->member.stored_size);
            stored[bit / 8] ^= (uint8_t)(1U << bit % 8);
            enum otter_result result = decode(
                &row->member, stored, row->member.stored_size, OTTER_STEP_BYTES, out);

            assert_true(result == OTTER_OK || is_of_codings(result));
            heads += bit / 8 < head && result != OTTER_OK;
        }
    }
    assert_true(heads > 500);
}

/* ---- from anywhere, in bounded steps ---- */

static const struct coded *find_row(const char *name)
{
    for (size_t i = 0; i < row_count; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return &rows[i];
        }
    }
    fail_msg("%s is not in coded.txt", name);
    return NULL;
}

static void a_stream_goes_to_any_offset_forth_and_back(void **state)
{
    static const char *const names[] = {"zlib_text", "zlib_4k_chunks",
                                        "heatshrink_text_8_4", "zlib_whole_chunks"};
    static uint8_t whole[CONTENT_MAX];
    static uint8_t out[CONTENT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct coded *row = find_row(names[i]);
        uint32_t size = row->member.installed_size;
        struct otter_source source;
        struct otter_stream stream;
        struct watched watched;

        assert_int_equal(
            decode(&row->member, row->stored, row->member.stored_size, 512, whole),
            OTTER_OK);
        watched_init(&watched, row->stored, row->member.stored_size);
        source = watched_source(&watched);
        assert_int_equal(otter_stream_open(&stream, &source, &row->member, &decoding),
                         OTTER_OK);
        for (uint32_t k = 0; k <= 200; k++) {
            uint32_t off = k * 7919 % (size + 1); /* jumps about, the end included */

            memset(out, 0, sizeof(out));
            assert_int_equal(read_on(&stream, off, 100, out), OTTER_OK);
            assert_memory_equal(out + off, whole + off, size - off);
        }
    }
}

static void k22_a_step_reads_and_decodes_no_more_than_a_few_parts(void **state)
{
    static uint8_t out[OTTER_STEP_BYTES];

    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        const struct coded *row = &rows[i];
        struct otter_stream stream;
        struct watched watched;

        if (!row->is_good) {
            continue;
        }
        watched_init(&watched, row->stored, row->member.stored_size);
        struct otter_source source = watched_source(&watched);

        assert_int_equal(otter_stream_open(&stream, &source, &row->member, &decoding),
                         OTTER_OK);
        otter_stream_seek(&stream, row->member.installed_size - 1);
        for (uint32_t got = 0; got == 0;) {
            watched.reads = 0;
            assert_int_equal(otter_stream_read(&stream, out, 1, &got), OTTER_OK);
            assert_true(watched.longest <= 64);
            assert_true(watched.reads * 64 <= 4 * OTTER_STEP_BYTES);
        }
    }
}

static void a_zlib_member_of_many_chunks_is_passed_over_without_decoding(void **state)
{
    const struct coded *row = find_row("zlib_zeros");
    uint8_t out[16];
    uint32_t got = 0;
    struct otter_stream stream;
    struct watched watched;

    (void)state;
    watched_init(&watched, row->stored, row->member.stored_size);
    struct otter_source source = watched_source(&watched);

    assert_int_equal(otter_stream_open(&stream, &source, &row->member, &decoding),
                     OTTER_OK);
    otter_stream_seek(&stream, 1536);
    while (got == 0) {
        assert_int_equal(otter_stream_read(&stream, out, sizeof(out), &got), OTTER_OK);
    }
    /* The first chunk: its length was read, its bytes were not. */
    assert_int_equal(watched.seen[4], 1);
    assert_int_equal(watched.seen[6], 0);
    assert_int_equal(watched.seen[9], 0);
}

static void raw_bytes_are_there_at_once_and_need_no_memory(void **state)
{
    const struct otter_member member = {.coding = OTTER_CODING_RAW,
                                        .installed_size = 256};
    uint8_t bytes[256];
    uint8_t out[256] = {0};
    uint32_t got = 0;
    bool is_done = false;
    struct otter_stream stream;
    struct watched watched;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)i;
    }
    watched_init(&watched, bytes, sizeof(bytes));
    struct otter_source source = watched_source(&watched);

    assert_int_equal(otter_stream_open(&stream, &source, &member, NULL), OTTER_OK);
    assert_int_equal(watched.reads, 0);
    otter_stream_seek(&stream, 100);
    assert_int_equal(otter_stream_read(&stream, out, 156, &got), OTTER_OK);
    assert_int_equal(got, 156);
    assert_memory_equal(out, bytes + 100, 156);
    assert_int_equal(watched.reads, 1);
    assert_int_equal(otter_stream_end(&stream, &is_done), OTTER_OK);
    assert_true(is_done);
}

/* ---- what cannot be opened ---- */

static void k24_a_coding_needs_its_decoder_and_its_memory(void **state)
{
    static uint8_t out[CONTENT_MAX];
    const struct coded *row = find_row("zlib_text");
    struct otter_member member = row->member;

    (void)state;
    for (unsigned coding = 3; coding <= 255; coding++) {
        member.coding = (uint8_t)coding;
        assert_int_equal(decode(&member, row->stored, member.stored_size, 64, out),
                         OTTER_E_CONTROL_CODING);
    }
    member = row->member;
    member.memory = OTTER_CODING_MEMORY;
    assert_int_equal(decode(&member, row->stored, member.stored_size, 64, out),
                     OTTER_OK);
    member.memory = OTTER_CODING_MEMORY + 1;
    assert_int_equal(decode(&member, row->stored, member.stored_size, 64, out),
                     OTTER_E_CODING_MEMORY);
    decoding.inflate = NULL;
    assert_int_equal(
        decode(&row->member, row->stored, row->member.stored_size, 64, out),
        OTTER_E_CONTROL_CODING);
    decoding.inflate = &otter_inflate_zlib;
}

static void a_store_that_cannot_be_read_says_so(void **state)
{
    static const char *const names[] = {"zlib_text", "heatshrink_text_8_4"};
    static uint8_t out[CONTENT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct coded *row = find_row(names[i]);
        unsigned failed = 0;

        for (unsigned at = 1;; at++) {
            struct otter_stream stream;
            struct watched watched;

            watched_init(&watched, row->stored, row->member.stored_size);
            watched.fail_at = at;
            struct otter_source source = watched_source(&watched);
            enum otter_result result =
                otter_stream_open(&stream, &source, &row->member, &decoding);

            if (result == OTTER_OK) {
                result = read_on(&stream, 0, 64, out);
            }
            if (result == OTTER_OK) {
                break;
            }
            assert_int_equal(result, OTTER_E_FLASH_READ);
            failed++;
        }
        assert_true(failed > 5);
    }
}

/* The port takes no other memory than SPEC says, and says so if it gets less. */
static void k24_inflate_needs_what_the_format_declares_and_no_more(void **state)
{
    static uint64_t room[(OTTER_INFLATE_MEMORY + 32768) / 8];
    static const uint8_t stream[] = {
        0x78, 0x9C, 0x4B, 0x04, 0x00,
        0x00, 0x62, 0x00, 0x62}; /* "a", RFC 1950 by Python */
    const struct otter_inflate *inflate = &otter_inflate_zlib;

    (void)state;
    assert_int_equal(inflate->begin(inflate->context, room, 64, 9),
                     OTTER_E_CODING_DECLARED);
    for (uint8_t bits = 9; bits <= 15; bits++) {
        size_t size = OTTER_INFLATE_MEMORY + ((size_t)1 << bits);
        uint8_t out[2];
        struct otter_inflate_work work = {.in = stream,
                                          .in_left = sizeof(stream),
                                          .out = out,
                                          .out_left = sizeof(out)};

        memset(room, 0xEE, sizeof(room));
        assert_int_equal(inflate->begin(inflate->context, room, size, bits), OTTER_OK);
        enum otter_result result = inflate->run(inflate->context, room, &work);

        /* The stream says that it wants a window of 32 KiB. */
        assert_int_equal(result, bits == 15 ? OTTER_OK : OTTER_E_CODING_DATA);
        for (size_t i = size; i < sizeof(room); i++) {
            assert_int_equal(((const uint8_t *)room)[i], 0xEE);
        }
    }
}

/* ---- real streams ---- */

enum { TAR_BLOCK = 512, TAR_NAME = 100, TAR_SIZE = 124, TAR_TYPE = 156 };

static bool load_sample(const char *name, size_t head, uint8_t *data, size_t *size)
{
    const char *folder = getenv("OTTER_SAMPLES");
    char path[1024];

    if (folder == NULL) {
        return false;
    }
    (void)snprintf(path, sizeof(path), "%s/flipper/%s", folder, name);
    load_file(path, data + head, STORED_MAX - head, size);
    *size += head;
    return true;
}

static void assert_md5(const uint8_t *data, size_t size, const char *wanted)
{
    uint8_t digest[16];
    uint8_t bytes[16];
    unsigned len = 0;

    read_hex(wanted, bytes, sizeof(bytes));
    assert_int_equal(EVP_Digest(data, size, digest, &len, EVP_md5(), NULL), 1);
    assert_memory_equal(digest, bytes, sizeof(bytes));
}

static void assert_entry(const uint8_t *tar, size_t size, const char *name,
                         const char *md5)
{
    for (size_t off = 0; off + TAR_BLOCK <= size && tar[off] != 0;) {
        const char *entry = (const char *)tar + off;
        size_t length = strtoul(entry + TAR_SIZE, NULL, 8);

        if (strncmp(entry, name, TAR_NAME) == 0) {
            assert_md5(tar + off + TAR_BLOCK, length, md5);
            return;
        }
        off += TAR_BLOCK + (length + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
    }
    fail_msg("%s is not in the archive", name);
}

static void a_real_archive_decodes_to_files_with_their_published_digests(void **state)
{
    static const struct {
        const char *name;
        const char *md5;
    } files[] = {
        {"file1.txt", "64295676ceed5cce2d0dcac402e4bda4"},
        {"file2.txt", "188f67f297eedd7bf3d6a4d3c2fc31c4"},
        {"dir/file3.txt", "34d98ad8135ffe502dba374690136d16"},
        {"dir/big_file.txt", "ee169c1e1791a4d319dbfaefaa850e98"},
        {"dir/nested_dir/file4.txt", "e099fcb2aaa0672375eaedc549247ee6"},
    };
    static uint8_t stored[STORED_MAX];
    static uint8_t out[CONTENT_MAX];
    struct otter_member member = {
        .coding = OTTER_CODING_HEATSHRINK, .installed_size = 20480, .memory = 8192};
    size_t size = 0;

    (void)state;
    if (!load_sample("test.ths", 0, stored, &size)) {
        skip();
    }
    assert_int_equal(size, 5985);
    assert_int_equal(decode(&member, stored, (uint32_t)size, 512, out), OTTER_OK);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        assert_entry(out, member.installed_size, files[i].name, files[i].md5);
    }
}

static void real_streams_without_a_head_decode_behind_ours(void **state)
{
    static const uint8_t head9[] = {'H', 'S', 'D', 'S', 1, 9, 4};
    static const uint8_t head8[] = {'H', 'S', 'D', 'S', 1, 8, 4};
    static uint8_t stored[STORED_MAX];
    static uint8_t wanted[STORED_MAX];
    static uint8_t out[CONTENT_MAX];
    struct otter_member member = {
        .coding = OTTER_CODING_HEATSHRINK, .installed_size = 5475, .memory = 512};
    size_t size = 0;
    size_t wanted_size = 0;

    (void)state;
    if (!load_sample("hsstream.in.bin", sizeof(head9), stored, &size)) {
        skip();
    }
    memcpy(stored, head9, sizeof(head9));
    assert_int_equal(decode(&member, stored, (uint32_t)size, 512, out), OTTER_OK);
    assert_md5(out, 5475, "a370e88ba94274f4aa128d41d2b671c9");

    /* Four bytes of its own before the stream; ours takes their place, and 3 more. */
    assert_true(load_sample("compressed.bin", sizeof(head8) - 4, stored, &size));
    assert_true(load_sample("uncompressed.bin", 0, wanted, &wanted_size));
    memcpy(stored, head8, sizeof(head8));
    member.installed_size = (uint32_t)wanted_size;
    assert_int_equal(decode(&member, stored, (uint32_t)size, 512, out), OTTER_OK);
    assert_memory_equal(out, wanted, wanted_size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_good_vector_decodes_in_pieces_of_any_size),
        cmocka_unit_test(every_bad_vector_gives_the_code_that_its_generator_names),
        cmocka_unit_test(p8_a_member_cut_at_any_byte_is_refused),
        cmocka_unit_test(p8_every_flipped_bit_ends_in_a_code_or_in_other_content),
        cmocka_unit_test(a_stream_goes_to_any_offset_forth_and_back),
        cmocka_unit_test(k22_a_step_reads_and_decodes_no_more_than_a_few_parts),
        cmocka_unit_test(a_zlib_member_of_many_chunks_is_passed_over_without_decoding),
        cmocka_unit_test(raw_bytes_are_there_at_once_and_need_no_memory),
        cmocka_unit_test(k24_a_coding_needs_its_decoder_and_its_memory),
        cmocka_unit_test(a_store_that_cannot_be_read_says_so),
        cmocka_unit_test(k24_inflate_needs_what_the_format_declares_and_no_more),
        cmocka_unit_test(a_real_archive_decodes_to_files_with_their_published_digests),
        cmocka_unit_test(real_streams_without_a_head_decode_behind_ours),
    };

    return cmocka_run_group_tests(tests, load_rows, NULL);
}
