/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zlib chunks by zlib itself. Heatshrink: the longest match at every place is found
 * through chains of the places that begin with the same two bytes; every repeat costs
 * the same number of bits, so the cheapest way to the end is counted from the back.
 */
#include "host_coding.h"

#include "crypto_bearssl.h"
#include "inflate_zlib.h"
#include "otter/bytes.h"
#include "otter/stream.h"

#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST /* what is read is const */
#include <zlib.h>

/* --- zlib chunks --- */

enum { CHUNKS_HEAD = 4, CHUNK_LENGTH = 2, ZLIB_LEVEL = 9, ZLIB_MEMORY = 9 };

/* One chunk to `out`, which has room for the worst case. */
static size_t deflate_chunk(const uint8_t *data, size_t size, int window_bits,
                            uint8_t *out, size_t capacity)
{
    z_stream stream = {0};

    if (deflateInit2(&stream, ZLIB_LEVEL, Z_DEFLATED, window_bits, ZLIB_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        return 0;
    }
    stream.next_in = data;
    stream.avail_in = (uInt)size;
    stream.next_out = out;
    stream.avail_out = (uInt)capacity;
    int status = deflate(&stream, Z_FINISH);
    size_t made = capacity - stream.avail_out;

    (void)deflateEnd(&stream);
    return status == Z_STREAM_END ? made : 0;
}

static bool put_chunks(const struct host_image *image, uint32_t chunk, int window_bits,
                       size_t worst, struct host_coded *coded)
{
    for (uint32_t off = 0; off < image->size; off += chunk) {
        uint32_t left = image->size - off;
        uint8_t *length = coded->data + coded->size;
        size_t made = deflate_chunk(image->data + off, left < chunk ? left : chunk,
                                    window_bits, length + CHUNK_LENGTH, worst);

        if (made == 0) {
            return false;
        }
        otter_store_le16(length, (uint16_t)made);
        coded->size += (uint32_t)(CHUNK_LENGTH + made);
    }
    return true;
}

bool host_code_zlib(const struct host_image *image, uint8_t chunk_bits,
                    uint8_t window_bits, struct host_coded *coded)
{
    uint32_t chunk = 1U << chunk_bits;
    /* deflateBound() for any window, a little more. */
    size_t worst = chunk + (chunk >> 3) + (chunk >> 6) + 64;
    size_t count = ((size_t)image->size + chunk - 1) / chunk;

    *coded = (struct host_coded){.memory = OTTER_INFLATE_MEMORY + (1U << window_bits)};
    coded->data = malloc(CHUNKS_HEAD + count * (CHUNK_LENGTH + worst));
    if (coded->data == NULL) {
        return false;
    }
    coded->data[0] = chunk_bits;
    coded->data[1] = window_bits;
    otter_store_le16(coded->data + 2, 0);
    coded->size = CHUNKS_HEAD;
    if (!put_chunks(image, chunk, window_bits, worst, coded)) {
        free(coded->data);
        *coded = (struct host_coded){0};
        return false;
    }
    return true;
}

/* --- heatshrink --- */

enum {
    SHRINK_HEAD = 7,
    LITERAL_BITS = 9,
    LOOKAHEAD_MIN = 3,
    LOOKAHEAD_MAX = 8,
    PAIRS = 65536,
    CHAIN_MAX = 256, /* places looked at for one match */
};

/* What is known about each place of the image. */
struct shrinking {
    const struct host_image *image;
    uint8_t window_bits;
    uint8_t lookahead_bits;
    uint32_t *newest;   /* last place + 1 that begins with a pair of bytes */
    uint32_t *before;   /* the one + 1 before a place */
    uint32_t *distance; /* of the longest match */
    uint32_t *longest;
    uint32_t *length; /* of the match that is taken; 1: none */
    uint64_t *bits;   /* to the end */
};

static void drop(struct shrinking *work)
{
    free(work->newest);
    free(work->before);
    free(work->distance);
    free(work->longest);
    free(work->length);
    free(work->bits);
}

static bool prepare(struct shrinking *work)
{
    size_t places = (size_t)work->image->size + 1;

    work->newest = calloc(PAIRS, sizeof(*work->newest));
    work->before = calloc(places, sizeof(*work->before));
    work->distance = calloc(places, sizeof(*work->distance));
    work->longest = calloc(places, sizeof(*work->longest));
    work->length = calloc(places, sizeof(*work->length));
    work->bits = calloc(places, sizeof(*work->bits));
    return work->newest != NULL && work->before != NULL && work->distance != NULL &&
           work->longest != NULL && work->length != NULL && work->bits != NULL;
}

static uint32_t match(const struct host_image *image, uint32_t from, uint32_t at,
                      uint32_t max)
{
    uint32_t len = 0;

    while (len < max && image->data[from + len] == image->data[at + len]) {
        len++;
    }
    return len;
}

static void find_longest(struct shrinking *work, uint32_t at)
{
    const struct host_image *image = work->image;
    uint32_t left = image->size - at;
    uint32_t max = left < 1U << LOOKAHEAD_MAX ? left : 1U << LOOKAHEAD_MAX;
    uint32_t pair = (uint32_t)image->data[at] << 8 | image->data[at + 1];
    uint32_t place = work->newest[pair];

    for (int i = 0; i < CHAIN_MAX && place != 0 && work->longest[at] < max; i++) {
        uint32_t from = place - 1;

        if (at - from > 1U << work->window_bits) {
            break;
        }
        uint32_t len = match(image, from, at, max);

        if (len > work->longest[at]) {
            work->longest[at] = len;
            work->distance[at] = at - from;
        }
        place = work->before[from];
    }
    work->before[at] = work->newest[pair];
    work->newest[pair] = at + 1;
}

/* From the back: the cheapest way from each place to the end. */
static void choose(struct shrinking *work)
{
    uint32_t repeat_bits = 1U + work->window_bits + work->lookahead_bits;
    uint32_t max = 1U << work->lookahead_bits;

    for (uint32_t at = work->image->size; at-- > 0;) {
        uint32_t longest = work->longest[at] < max ? work->longest[at] : max;

        work->length[at] = 1;
        work->bits[at] = LITERAL_BITS + work->bits[at + 1];
        for (uint32_t len = 2; len <= longest; len++) {
            if (repeat_bits + work->bits[at + len] < work->bits[at]) {
                work->bits[at] = repeat_bits + work->bits[at + len];
                work->length[at] = len;
            }
        }
    }
}

/* Settles for the lookahead that costs least. */
static void choose_lookahead(struct shrinking *work)
{
    uint64_t least = UINT64_MAX;
    uint8_t best = LOOKAHEAD_MIN;

    for (uint8_t bits = LOOKAHEAD_MIN;
         bits <= LOOKAHEAD_MAX && bits < work->window_bits; bits++) {
        work->lookahead_bits = bits;
        choose(work);
        if (work->bits[0] < least) {
            least = work->bits[0];
            best = bits;
        }
    }
    work->lookahead_bits = best;
    choose(work);
}

/* Appends bits, the highest first, to zeros. */
static void put_bits(uint8_t *data, uint64_t *at, uint32_t value, uint8_t count)
{
    for (uint8_t i = count; i-- > 0; (*at)++) {
        data[*at / 8] |= (uint8_t)((value >> i & 1U) << (7 - *at % 8));
    }
}

static void put_tokens(const struct shrinking *work, uint8_t *data)
{
    uint64_t bit = 0;

    for (uint32_t at = 0; at < work->image->size; at += work->length[at]) {
        if (work->length[at] == 1) {
            put_bits(data, &bit, 0x100U | work->image->data[at], LITERAL_BITS);
        } else {
            put_bits(data, &bit, 0, 1);
            put_bits(data, &bit, work->distance[at] - 1, work->window_bits);
            put_bits(data, &bit, work->length[at] - 1, work->lookahead_bits);
        }
    }
}

bool host_code_heatshrink(const struct host_image *image, uint8_t window_bits,
                          struct host_coded *coded)
{
    struct shrinking work = {.image = image, .window_bits = window_bits};

    *coded = (struct host_coded){.memory = 1U << window_bits};
    if (prepare(&work)) {
        for (uint32_t at = 0; image->size - at > 1; at++) {
            find_longest(&work, at);
        }
        choose_lookahead(&work);
        coded->size = (uint32_t)(SHRINK_HEAD + (work.bits[0] + 7) / 8);
        coded->data = calloc(coded->size, 1);
    }
    if (coded->data == NULL) {
        *coded = (struct host_coded){0};
    } else {
        const uint8_t head[SHRINK_HEAD] = {
            'H', 'S', 'D', 'S', 1, window_bits, work.lookahead_bits};

        memcpy(coded->data, head, sizeof(head));
        put_tokens(&work, coded->data + SHRINK_HEAD);
    }
    drop(&work);
    return coded->data != NULL;
}

/* --- decoding --- */

enum { ARENA_MAX = 65536, PART = 4096 };

/* Reads on until the end; hashes. */
static enum otter_result read_all(struct otter_stream *stream, struct otter_sha256 *sha,
                                  uint8_t *out)
{
    const struct otter_crypto *crypto = &otter_crypto_bearssl;
    enum otter_result result = OTTER_OK;
    bool is_done = false;
    uint8_t part[PART];

    for (uint32_t off = 0; result == OTTER_OK && off < stream->size;) {
        uint32_t left = stream->size - off;
        uint32_t got = 0;

        result = otter_stream_read(
            stream, part, left < sizeof(part) ? left : (uint32_t)sizeof(part), &got);
        crypto->sha256_update(crypto->context, sha, part, got);
        if (out != NULL) {
            memcpy(out + off, part, got);
        }
        off += got;
    }
    while (result == OTTER_OK && !is_done) {
        result = otter_stream_end(stream, &is_done);
    }
    return result;
}

enum otter_result host_decode(const struct otter_source *source,
                              const struct otter_member *member, uint8_t *out)
{
    const struct otter_crypto *crypto = &otter_crypto_bearssl;
    struct otter_decoding decoding = {.inflate = &otter_inflate_zlib,
                                      .arena = malloc(ARENA_MAX)};
    struct otter_stream stream;
    struct otter_sha256 sha;
    uint8_t digest[OTTER_SHA256_SIZE];

    decoding.arena_size = decoding.arena == NULL ? 0 : ARENA_MAX;
    crypto->sha256_init(crypto->context, &sha);
    enum otter_result result = otter_stream_open(&stream, source, member, &decoding);

    if (result == OTTER_OK) {
        result = read_all(&stream, &sha, out);
    }
    free(decoding.arena);
    crypto->sha256_final(crypto->context, &sha, digest);
    if (result == OTTER_OK &&
        memcmp(digest, member->installed_sha, sizeof(digest)) != 0) {
        result = OTTER_E_CODING_HASH;
    }
    return result;
}
