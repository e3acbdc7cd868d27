/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtual device with the sample product, whose SMP door hangs on a link in memory:
 * what is sent is answered before the call returns. Also a client's transport.
 */
#ifndef OTTER_TEST_SMP_BENCH_H
#define OTTER_TEST_SMP_BENCH_H

#include "sample.h"
#include "smp_client.h"

enum { SMP_BENCH_MESSAGE = 1600, SMP_BENCH_REPLIES = 8 };

struct smp_bench {
    struct sample sample;
    struct vdevice device;
    struct otter_link link;
    uint8_t waiting[SMP_BENCH_MESSAGE]; /* for the device */
    size_t waiting_size;
    uint8_t replies[SMP_BENCH_REPLIES][SMP_BENCH_MESSAGE];
    size_t reply_sizes[SMP_BENCH_REPLIES];
    size_t reply_count;  /* since the last exchange began */
    size_t taken;        /* of them, by the transport */
    uint32_t lose_every; /* transport: every nth message is lost; 0: none */
    uint32_t messages;
};

/* Makes and starts the device; `permissions` may be NULL: the profile's own. The bench
 * must not move. */
void smp_bench_start(struct smp_bench *bench, bool is_ab,
                     const uint8_t permissions[16]);

/* Makes and starts the device anew from the bench's sample, which a test may change. */
void smp_bench_again(struct smp_bench *bench);
void smp_bench_stop(struct smp_bench *bench);

/* Gives one message to the device and runs it until it has nothing to do. */
void smp_bench_exchange(struct smp_bench *bench, const uint8_t *message, size_t size);

/* The running program's server. */
struct otter_smp *smp_bench_server(struct smp_bench *bench);

/* A transport that leads to the device. */
struct smp_transport smp_bench_transport(struct smp_bench *bench);

#endif
