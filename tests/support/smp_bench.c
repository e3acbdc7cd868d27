/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link in memory: one message waits for the device, a few replies for the test.
 */
#include "smp_bench.h"

#include <stdlib.h>
#include <string.h>

static size_t bench_receive(void *context, uint8_t *data, size_t capacity)
{
    struct smp_bench *bench = context;
    size_t size = bench->waiting_size;

    bench->waiting_size = 0;
    if (size > capacity) {
        return capacity + 1;
    }
    memcpy(data, bench->waiting, size);
    return size;
}

static void bench_send(void *context, const uint8_t *data, size_t size)
{
    struct smp_bench *bench = context;

    if (bench->reply_count == SMP_BENCH_REPLIES || size > SMP_BENCH_MESSAGE) {
        abort(); /* the server sends one reply for a request */
    }
    memcpy(bench->replies[bench->reply_count], data, size);
    bench->reply_sizes[bench->reply_count++] = size;
}

void smp_bench_start(struct smp_bench *bench, bool is_ab, const uint8_t permissions[16])
{
    static const struct host_small kinds[] = {
        {.is_ab = false,
         .word_size = 4,
         .page_size = 128,
         .sector_size = 512,
         .erased = 0xFF},
        {.is_ab = true,
         .word_size = 4,
         .page_size = 128,
         .sector_size = 512,
         .erased = 0xFF},
    };
    struct host_profile profile;

    memset(bench, 0, sizeof(*bench));
    host_profile_small(&kinds[is_ab ? 1 : 0], &profile);
    if (permissions != NULL) {
        memcpy(profile.policy.permissions, permissions,
               sizeof(profile.policy.permissions));
    }
    bench->link = (struct otter_link){
        .context = bench, .receive = bench_receive, .send = bench_send};
    sample_make(&bench->sample, &profile);
    smp_bench_again(bench);
}

void smp_bench_again(struct smp_bench *bench)
{
    vdevice_destroy(&bench->device);
    sample_device(&bench->sample, false, &bench->device);
    bench->device.link = &bench->link;
    bench->device.hooks.idle = vdevice_stop_at_once;
    (void)vdevice_power_on(&bench->device, (struct vflash_fault){.kind = VFLASH_NONE});
}

void smp_bench_stop(struct smp_bench *bench)
{
    vdevice_destroy(&bench->device);
}

void smp_bench_exchange(struct smp_bench *bench, const uint8_t *message, size_t size)
{
    bench->reply_count = 0;
    bench->taken = 0;
    memcpy(bench->waiting, message, size);
    bench->waiting_size = size;
    if (vdevice_run(&bench->device) == VDEVICE_BROKEN) {
        abort();
    }
}

struct otter_smp *smp_bench_server(struct smp_bench *bench)
{
    return vdevice_is_manager(&bench->device) ? &bench->device.manager.smp
                                              : &bench->device.agent.smp;
}

static bool is_lost(struct smp_bench *bench)
{
    bench->messages++;
    return bench->lose_every != 0 && bench->messages % bench->lose_every == 0;
}

static bool transport_send(void *context, const uint8_t *data, size_t size)
{
    struct smp_bench *bench = context;

    if (size > SMP_BENCH_MESSAGE) {
        return true;
    }
    if (is_lost(bench)) {
        bench->reply_count = 0;
        return true;
    }
    smp_bench_exchange(bench, data, size);
    return true;
}

static size_t transport_receive(void *context, uint8_t *data, size_t capacity,
                                int timeout_ms)
{
    struct smp_bench *bench = context;

    (void)timeout_ms;
    if (bench->taken == bench->reply_count ||
        bench->reply_sizes[bench->taken] > capacity || is_lost(bench)) {
        return 0;
    }
    size_t size = bench->reply_sizes[bench->taken];

    memcpy(data, bench->replies[bench->taken++], size);
    return size;
}

struct smp_transport smp_bench_transport(struct smp_bench *bench)
{
    return (struct smp_transport){
        .context = bench, .send = transport_send, .receive = transport_receive};
}
