/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows are the codings as `otter pack` makes them, for devices with little and with
 * more RAM. Everything that is printed has been decoded again.
 */
#include "codings.h"

#include "crypto_bearssl.h"
#include "host_coding.h"
#include "product.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name;
    uint8_t coding;
    uint8_t window;
} rows[] = {
    {"raw", OTTER_CODING_RAW, 0},
    {"heatshrink", OTTER_CODING_HEATSHRINK, 8},
    {"heatshrink", OTTER_CODING_HEATSHRINK, 11},
    {"heatshrink", OTTER_CODING_HEATSHRINK, 13},
    {"zlib, chunks of 4 KiB", OTTER_CODING_ZLIB, 9},
    {"zlib, chunks of 4 KiB", OTTER_CODING_ZLIB, 12},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]), CHUNK_BITS = 12 };

static void check(const struct host_image *image, uint8_t coding,
                  const struct host_coded *coded)
{
    const struct otter_crypto *crypto = &otter_crypto_bearssl;
    const struct host_image stored = {coded->data, coded->size};
    const struct otter_source source = host_image_source(&stored);
    struct otter_member member = {
        .coding = coding, .installed_size = image->size, .memory = coded->memory};
    struct otter_sha256 sha;

    crypto->sha256_init(crypto->context, &sha);
    crypto->sha256_update(crypto->context, &sha, image->data, image->size);
    crypto->sha256_final(crypto->context, &sha, member.installed_sha);
    bench_need(host_decode(&source, &member, NULL) == OTTER_OK,
               "a coded image does not decode");
}

/* Size and memory of row `index`. */
static struct host_coded measure(const struct host_image *image, size_t index)
{
    struct host_coded coded = {.size = image->size};
    uint8_t coding = rows[index].coding;
    bool is_coded = coding == OTTER_CODING_RAW ||
                    (coding == OTTER_CODING_ZLIB
                         ? host_code_zlib(image, CHUNK_BITS, rows[index].window, &coded)
                         : host_code_heatshrink(image, rows[index].window, &coded));

    bench_need(is_coded, "an image cannot be coded");
    if (coding != OTTER_CODING_RAW) {
        check(image, coding, &coded);
    }
    free(coded.data);
    coded.data = NULL;
    return coded;
}

void bench_codings_print(const struct host_image *image)
{
    (void)printf("| coding of the image | stored, bytes | of raw | RAM to decode in |\n"
                 "|---|---:|---:|---:|\n");
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const struct host_coded coded = measure(image, i);

        (void)printf("| %s | %" PRIu32 " | %.1f %% | %" PRIu32 " |\n", rows[i].name,
                     coded.size, 100.0 * coded.size / image->size, coded.memory);
    }
}

void bench_codings_print_json(const struct host_image *image)
{
    (void)printf("[");
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const struct host_coded coded = measure(image, i);

        (void)printf("%s\n  {\"name\": \"%s\", \"stored\": %" PRIu32
                     ", \"memory\": %" PRIu32 "}",
                     i == 0 ? "" : ",", rows[i].name, coded.size, coded.memory);
    }
    (void)printf("\n]");
}
