/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server: a run of messages, each after its length (2 bytes, big-endian), into a
 * virtual device with an open policy. The header's length is corrected, so that the
 * commands are reached. Whatever comes, the device keeps its promises and goes on to
 * answer.
 */
#include "smp_bench.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t all_open[16] = {
    OTTER_OPEN, OTTER_OPEN, OTTER_OPEN, OTTER_OPEN,
    OTTER_OPEN, OTTER_OPEN, OTTER_OPEN, OTTER_OPEN,
};

static struct smp_bench bench;
static bool is_started;

/* A device that an input has changed is made anew, so that each input starts alike. */
static void start(void)
{
    if (is_started && bench.device.flash.op == 0 &&
        bench.device.program == OTTER_PROGRAM_AGENT) {
        return;
    }
    if (is_started) {
        smp_bench_stop(&bench);
    }
    smp_bench_start(&bench, false, all_open);
    bench.device.flash.op = 0;
    is_started = true;
}

static void assert_alive(void)
{
    static const uint8_t echo[] = {
        OTTER_SMP_WRITE, 0, 0, 5, 0, 0, 1, 0, 0xA1, 0x61, 'd', 0x61, 'x'};

    smp_bench_exchange(&bench, echo, sizeof(echo));
    if (bench.reply_count != 1) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct otter_reader reader = otter_reader_of(data, size);

    start();
    while (otter_reader_left(&reader) > 2) {
        uint8_t message[SMP_BENCH_MESSAGE];
        const uint8_t *head = otter_reader_bytes(&reader, 2);
        size_t len = otter_load_be16(head);
        size_t left = otter_reader_left(&reader);

        len = len < left ? len : left;
        len = len < sizeof(message) ? len : sizeof(message);
        memcpy(message, otter_reader_bytes(&reader, len), len);
        if (len >= OTTER_SMP_HEADER_SIZE) {
            otter_store_be16(message + 2, (uint16_t)(len - OTTER_SMP_HEADER_SIZE));
        }
        if (len > 0) {
            smp_bench_exchange(&bench, message, len);
        }
        if (bench.reply_count > 1) {
            abort();
        }
    }
    assert_alive();
    return 0;
}
