/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole update over a link that fails: the tool's client and the device's server with
 * a link in memory between them that loses, doubles, swaps or delays one message, or
 * breaks after it, for every message of the update in turn. Expected outcomes are the
 * promises (docs/DESIGN.md): the update comes to its end (P3), whatever runs is whole
 * (P1), nothing outside the store changes before the package is verified (P2), what was
 * received is not sent again but for a chunk (P5), and no sector is erased twice (P10).
 * Time is virtual: a client that waits for what does not come is told so at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "memo.h"
#include "otter/bytes.h"
#include "otter/container.h"
#include "promises.h"
#include "remote.h"
#include "smp_bench.h"

#include <stdio.h>
#include <string.h>

enum {
    CHUNK = 200,
    OVERHEAD = 96, /* of a message besides its data: header, keys, hash */
    QUEUE = 16,
    LATE_BY = 5,
    AFTER_END = 1000000,
    SESSIONS_MAX = 4, /* of a client; each fault needs two */
    RETRIES = 4,
    FOLLOW_MAX = 12,
    SECTOR = 512,
    IMAGE_STATE = 0,
    RECEIPTS_MAX = 32768,
};

/* ---- the link ---- */

enum trouble {
    NO_TROUBLE,
    LOST,
    DOUBLED,      /* twice in a row */
    DOUBLED_LATE, /* once more, some messages later */
    DOUBLED_LAST, /* once more, when all is over */
    SWAPPED,      /* comes after the next one */
    LATE,         /* comes some messages later */
    BROKEN,       /* the link breaks after it; the client knows nothing any more */
    POWER_OFF,    /* power fails after it, and with it the link */
    TROUBLES,
};

static const char *const trouble_names[TROUBLES] = {
    "no trouble", "lost", "doubled", "doubled late", "doubled after the end",
    "swapped",    "late", "broken",  "power off"};

struct message {
    size_t size;
    uint8_t bytes[SMP_BENCH_MESSAGE];
};

struct link {
    struct smp_bench *bench;
    enum trouble trouble;
    uint32_t at;    /* message it happens to, counted over both directions */
    uint32_t count; /* messages so far */
    bool is_down;
    uint32_t breaks;
    struct message held; /* comes after `wait` more messages of its direction */
    uint32_t wait;       /* 0: none is held */
    bool is_held_for_device;
    struct message queue[QUEUE]; /* for the client */
    size_t queued;
    uint32_t package_bytes; /* of messages with parts of the package, to the device */
    uint32_t package_messages;
};

static void pass(struct link *link, bool is_for_device, const struct message *message);

static void deliver_to_device(struct link *link, const struct message *message)
{
    struct smp_bench *bench = link->bench;
    static struct message replies[SMP_BENCH_REPLIES];
    size_t count;

    smp_bench_exchange(bench, message->bytes, message->size);
    count = bench->reply_count;
    for (size_t i = 0; i < count; i++) {
        replies[i].size = bench->reply_sizes[i];
        memcpy(replies[i].bytes, bench->replies[i], replies[i].size);
    }
    for (size_t i = 0; i < count; i++) {
        pass(link, false, &replies[i]);
    }
}

static void deliver(struct link *link, bool is_for_device,
                    const struct message *message)
{
    if (is_for_device) {
        deliver_to_device(link, message);
    } else if (link->queued < QUEUE) {
        link->queue[link->queued++] = *message;
    }
}

static void hold(struct link *link, bool is_for_device, const struct message *message,
                 uint32_t wait)
{
    link->held = *message;
    link->is_held_for_device = is_for_device;
    link->wait = wait;
}

static void release(struct link *link)
{
    struct message message = link->held;

    link->wait = 0;
    deliver(link, link->is_held_for_device, &message);
}

static void make_trouble(struct link *link, bool is_for_device,
                         const struct message *message)
{
    if (link->trouble == SWAPPED || link->trouble == LATE) {
        hold(link, is_for_device, message, link->trouble == LATE ? LATE_BY : 1);
        return;
    }
    if (link->trouble == DOUBLED_LATE || link->trouble == DOUBLED_LAST) {
        hold(link, is_for_device, message,
             link->trouble == DOUBLED_LATE ? LATE_BY : AFTER_END);
    }
    if (link->trouble == BROKEN || link->trouble == POWER_OFF) {
        link->is_down = true;
        link->breaks++;
    }
    if (link->trouble != LOST) {
        deliver(link, is_for_device, message);
    }
    if (link->trouble == DOUBLED) {
        deliver(link, is_for_device, message);
    }
}

/* A message on its way, in either direction. */
static void pass(struct link *link, bool is_for_device, const struct message *message)
{
    uint32_t index = link->count++;

    if (index == link->at) {
        make_trouble(link, is_for_device, message);
        return;
    }
    deliver(link, is_for_device, message);
    if (link->wait > 0 && link->is_held_for_device == is_for_device &&
        --link->wait == 0) {
        release(link);
    }
}

enum { HEADER_GROUP = 5, HEADER_ID = 7 }; /* of an SMP header, low bytes */

/* An upload of the image group, or an offer of otter's. */
static bool carries_package(const uint8_t *data)
{
    return (data[HEADER_GROUP] == OTTER_SMP_GROUP_IMAGE && data[HEADER_ID] == 1) ||
           (data[HEADER_GROUP] == OTTER_SMP_GROUP_OTTER && data[HEADER_ID] == 0);
}

static bool link_send(void *context, const uint8_t *data, size_t size)
{
    struct link *link = context;
    struct message message = {.size = size};

    if (link->is_down) {
        return false;
    }
    assert_true(size <= sizeof(message.bytes));
    memcpy(message.bytes, data, size);
    if (carries_package(data)) {
        link->package_bytes += (uint32_t)size;
        link->package_messages++;
    }
    pass(link, true, &message);
    return true;
}

static size_t link_receive(void *context, uint8_t *data, size_t capacity,
                           int timeout_ms)
{
    struct link *link = context;

    (void)timeout_ms;
    if (link->is_down || link->queued == 0 || link->queue[0].size > capacity) {
        return 0;
    }
    size_t size = link->queue[0].size;

    memcpy(data, link->queue[0].bytes, size);
    link->queued--;
    memmove(&link->queue[0], &link->queue[1], link->queued * sizeof(link->queue[0]));
    return size;
}

/* ---- the client ---- */

/* A client that knows otter's own commands, and one that knows the standard's. */
enum client_kind { OWN_CLIENT, STOCK_CLIENT, CLIENT_KINDS };

struct session {
    struct remote remote;
    const struct sample_package *package;
    enum client_kind kind;
    uint32_t next;       /* offset at which the device wants to go on */
    uint32_t first_next; /* its first answer about that */
    bool has_answer;
};

static bool may_retry(enum otter_result result)
{
    return result == OTTER_E_BUSY;
}

static void go_to(struct session *session, uint32_t next)
{
    if (!session->has_answer) {
        session->first_next = next;
    }
    session->has_answer = true;
    session->next = next;
}

static enum otter_result send_part(struct session *session, bool is_offer, uint32_t off)
{
    static const uint8_t sha[REMOTE_HASH_SIZE] = {'t', 'h', 'i', 's', 'o', 'n', 'e'};
    uint32_t base = is_offer ? OTTER_IMAGE_HEADER_SIZE : 0;
    uint32_t length = (uint32_t)session->package->size;
    uint32_t next = 0;
    enum otter_result result = OTTER_E_BUSY;

    if (is_offer) {
        length = otter_load_le16(session->package->bytes + base + 6);
    }
    for (unsigned i = 0; i < RETRIES && may_retry(result); i++) {
        const struct remote_chunk chunk = {
            .off = off,
            .data = session->package->bytes + base + off,
            .size = length - off < CHUNK ? length - off : CHUNK,
            .len = length,
            .sha = sha,
        };

        result = is_offer ? remote_offer(&session->remote, &chunk, &next)
                          : remote_upload(&session->remote, &chunk, &next);
    }
    if (result == OTTER_OK) {
        go_to(session, next);
    }
    return result;
}

static enum otter_result offer(struct session *session)
{
    uint32_t end =
        OTTER_IMAGE_HEADER_SIZE +
        otter_load_le16(session->package->bytes + OTTER_IMAGE_HEADER_SIZE + 6);
    enum otter_result result = send_part(session, true, 0);

    while (result == OTTER_OK && session->next < end) {
        result = send_part(session, true, session->next - OTTER_IMAGE_HEADER_SIZE);
    }
    return result;
}

static enum otter_result upload(struct session *session)
{
    enum otter_result result = OTTER_OK;

    if (session->kind == STOCK_CLIENT) {
        result = send_part(session, false, 0); /* always begins like this */
    }
    while (result == OTTER_OK && session->next < session->package->size) {
        result = send_part(session, false, session->next);
    }
    return result;
}

/* By otter's own command, or as an image test: {"hash": ..., "confirm": false}. */
static enum otter_result request(struct session *session)
{
    const uint8_t *hash =
        session->package->bytes + session->package->size - OTTER_SHA256_SIZE;

    if (session->kind == OWN_CLIENT) {
        return remote_request(&session->remote, hash);
    }
    struct otter_cbor_map *body = smp_client_begin(&session->remote.client);

    otter_cbor_add_bytes(body, "hash", hash, OTTER_SHA256_SIZE);
    otter_cbor_add_bool(body, "confirm", false);
    return smp_client_call(
        &session->remote.client,
        (struct smp_target){OTTER_SMP_WRITE, OTTER_SMP_GROUP_IMAGE, IMAGE_STATE}, NULL,
        0, NULL);
}

/* The package runs, confirmed: what a request that comes too late should know. */
static bool is_confirmed(struct session *session)
{
    struct remote_outcome outcome = {.kind = OTTER_OUTCOME_NONE};

    return remote_outcome(&session->remote, &outcome) == OTTER_OK &&
           outcome.kind == OTTER_OUTCOME_CONFIRMED;
}

/* Everything, from the beginning; the device says what of it is there already. A
 * package that is requested already waits for its reset. */
static enum otter_result send_all(struct session *session)
{
    uint32_t buffer = 0;
    enum otter_result result = OTTER_OK;

    if (session->kind == OWN_CLIENT) {
        result = remote_buffer(&session->remote, &buffer);
        result = result == OTTER_OK ? offer(session) : result;
    }
    if (result == OTTER_OK) {
        result = upload(session);
    }
    if (result == OTTER_OK) {
        result = request(session);
        if (result != OTTER_OK && is_confirmed(session)) {
            return OTTER_OK;
        }
    }
    if (result == OTTER_OK || result == OTTER_E_LOCKED) {
        result = session->kind == OWN_CLIENT ? remote_begin(&session->remote)
                                             : remote_reset(&session->remote);
    }
    return result;
}

/* ---- a run ---- */

struct run {
    struct smp_bench bench;
    struct sample_package package;
    struct vflash_image before;
    struct link link;
    struct session session;
    struct promise_case promise;
    enum client_kind kind;
};

static struct promise_system system_of(const struct run *run,
                                       const struct sample_package *package)
{
    return (struct promise_system){.firmware = package->firmware,
                                   .firmware_size = SAMPLE_FIRMWARE_SIZE,
                                   .manager = run->bench.sample.manager,
                                   .manager_size = SAMPLE_MANAGER_SIZE,
                                   .counter = package->package.counter};
}

static void open_run(struct run *run, bool is_ab, enum client_kind kind)
{
    memset(run, 0, sizeof(*run));
    run->kind = kind;
    smp_bench_start(&run->bench, is_ab, NULL);
    memo_crypto(&run->bench.device.crypto);
    sample_next(&run->bench.sample, 2, &run->package);
    sample_build(&run->package);
    vdevice_power_off(&run->bench.device);
    vflash_save(&run->bench.device.flash, &run->before);
    run->promise =
        (struct promise_case){.device = &run->bench.device,
                              .map = &run->bench.sample.profile.map,
                              .before = &run->before,
                              .old = system_of(run, &run->bench.sample.first),
                              .new = system_of(run, &run->package),
                              .ends = OTTER_OUTCOME_CONFIRMED,
                              .erases_max = 1,
                              .power_limit = 10};
}

static void close_run(struct run *run)
{
    vflash_image_free(&run->before);
    smp_bench_stop(&run->bench);
}

static void power_on(struct run *run)
{
    assert_int_equal(vdevice_power_on(&run->bench.device,
                                      (struct vflash_fault){.kind = VFLASH_NONE}),
                     VDEVICE_STOPPED);
}

static void start_over(struct run *run, enum trouble trouble, uint32_t at)
{
    vdevice_power_off(&run->bench.device);
    vflash_restore(&run->bench.device.flash, &run->before);
    vflash_measure_reset(&run->bench.device.flash);
    memset(&run->link, 0, sizeof(run->link));
    run->link.bench = &run->bench;
    run->link.trouble = trouble;
    run->link.at = trouble == NO_TROUBLE ? UINT32_MAX : at;
    run->promise.cuts = 0;
    power_on(run);
}

static uint32_t received(const struct run *run)
{
    const struct vdevice *device = &run->bench.device;

    return device->program == OTTER_PROGRAM_MANAGER ? device->manager.receive.next
                                                    : device->agent.receive.next;
}

static void keeps(const struct run *run, const char *violation)
{
    if (violation != NULL) {
        fail_msg("%s; message %u %s", violation, (unsigned)run->link.at,
                 trouble_names[run->link.trouble]);
    }
}

/* What holds at any time. */
static void check_always(const struct run *run)
{
    keeps(run, promise_p1(&run->promise, VDEVICE_IDLE));
    keeps(run, promise_p2(&run->promise));
    keeps(run, promise_p7(&run->promise));
    keeps(run, promise_p8(&run->promise));
    keeps(run, promise_p10(&run->promise));
}

/* The link is back; after a cut, so is the device. */
static void mend(struct run *run)
{
    if (run->link.is_down && run->link.trouble == POWER_OFF) {
        vdevice_power_off(&run->bench.device);
        run->promise.cuts++;
        power_on(run);
    }
    run->link.is_down = false;
    run->link.queued = 0;
}

/* P5: what a new session is told first, with `accepted` bytes received before. */
static void check_resumed(const struct run *run, uint32_t accepted)
{
    const struct session *session = &run->session;
    uint32_t control_end =
        OTTER_IMAGE_HEADER_SIZE +
        otter_load_le16(run->package.bytes + OTTER_IMAGE_HEADER_SIZE + 6);

    if (!session->has_answer || accepted == 0) {
        return;
    }
    if (run->link.trouble == BROKEN) {
        assert_true(session->first_next >= accepted);
        return;
    }
    keeps(run, promise_p5(accepted, session->first_next, SECTOR, control_end));
}

static enum otter_result send_once(struct run *run)
{
    const struct smp_transport transport = {
        .context = &run->link, .send = link_send, .receive = link_receive};
    uint32_t accepted = received(run);

    memset(&run->session, 0, sizeof(run->session));
    run->session.package = &run->package;
    run->session.kind = run->kind;
    smp_client_init(&run->session.remote.client, &transport);
    enum otter_result result = send_all(&run->session);

    check_resumed(run, accepted);
    return result;
}

/* Asks what became of it; the device's time goes on between the questions. */
static bool follow(struct run *run)
{
    struct remote_outcome outcome = {.kind = OTTER_OUTCOME_NONE};

    for (unsigned i = 0; i < FOLLOW_MAX; i++) {
        if (vdevice_run(&run->bench.device) == VDEVICE_BROKEN) {
            return false;
        }
        if (remote_outcome(&run->session.remote, &outcome) == OTTER_OK &&
            outcome.kind == OTTER_OUTCOME_CONFIRMED) {
            return true;
        }
        mend(run);
    }
    return false;
}

/* A message of the update that is over comes once more: it undoes nothing and begins
 * nothing. */
static void haunt(struct run *run)
{
    struct vdevice *device = &run->bench.device;
    const struct otter_region *receipts =
        otter_map_find(&run->bench.sample.profile.map, OTTER_REGION_RECEIPTS);
    static uint8_t was[RECEIPTS_MAX];

    assert_true(receipts->size <= sizeof(was));
    memcpy(was, vflash_peek(&device->flash, receipts->addr, receipts->size),
           receipts->size);
    release(&run->link);
    assert_int_equal(vdevice_run(device), VDEVICE_STOPPED);
    keeps(run, promise_p1(&run->promise, VDEVICE_IDLE));
    keeps(run, promise_p3(&run->promise));
    keeps(run, promise_p7(&run->promise));
    keeps(run, promise_p8(&run->promise));
    if (memcmp(was, vflash_peek(&device->flash, receipts->addr, receipts->size),
               receipts->size) != 0) {
        fail_msg("message %u, once more at the end, has changed a receipt",
                 (unsigned)run->link.at);
    }
}

/* The reset that begins the installation is not sent again when its answer is lost: a
 * reset in the trial counts against the new system. */
static void check_resets(struct run *run)
{
    const struct otter_device *view = vdevice_view(&run->bench.device);

    if (run->link.trouble == LOST && run->kind == OWN_CLIENT) {
        assert_int_equal(view->journal.state.phase, OTTER_PHASE_TRIAL);
        assert_int_equal(view->journal.state.faults, 1);
    }
}

/* One update with its trouble, to its end. */
static void update(struct run *run)
{
    enum otter_result result = OTTER_E_LINK_TIMEOUT;

    for (unsigned i = 0; i < SESSIONS_MAX && result != OTTER_OK; i++) {
        result = send_once(run);
        if (result != OTTER_OK && !run->link.is_down) {
            fail_msg("message %u %s: refused with %04X", (unsigned)run->link.at,
                     trouble_names[run->link.trouble], (unsigned)otter_code(result));
        }
        mend(run);
        check_always(run);
    }
    assert_int_equal(result, OTTER_OK);
    check_resets(run);
    if (!follow(run)) {
        fail_msg("message %u %s: not confirmed", (unsigned)run->link.at,
                 trouble_names[run->link.trouble]);
    }
    check_always(run);
    keeps(run, promise_p3(&run->promise));
    keeps(run, promise_p4(&run->promise));
}

/* Messages with parts of the package that each trouble may cost. Power that fails costs
 * up to a sector besides. */
static const uint32_t parts_again[TROUBLES] = {
    [LOST] = 1,
    [SWAPPED] = 1,
    [LATE] = 1,
    [BROKEN] = 1,
    [POWER_OFF] = 1 + (SECTOR + CHUNK - 1) / CHUNK,
};

static void try_every_message(bool is_ab, enum client_kind kind, enum trouble trouble)
{
    static struct run run;
    uint32_t at = 0;

    open_run(&run, is_ab, kind);
    start_over(&run, NO_TROUBLE, 0);
    update(&run);
    uint32_t count = run.link.count;
    uint32_t bytes = run.link.package_bytes;

    assert_true(count > 20);
    for (at = 0; at < count; at++) {
        start_over(&run, trouble, at);
        update(&run);
        assert_true(run.link.count > at); /* it has happened */
        assert_true(trouble != DOUBLED_LAST || run.link.wait > 0);
        assert_true(run.link.breaks == (trouble == BROKEN || trouble == POWER_OFF));
        assert_true(run.link.package_bytes <=
                    bytes + parts_again[trouble] * (CHUNK + OVERHEAD));
        if (run.link.wait > 0) {
            haunt(&run);
        }
    }
    close_run(&run);
}

static void try_everything(enum trouble trouble)
{
    for (int kind = 0; kind < CLIENT_KINDS; kind++) {
        try_every_message(false, (enum client_kind)kind, trouble);
        try_every_message(true, (enum client_kind)kind, trouble);
    }
}

static void an_update_survives_the_loss_of_any_message(void **state)
{
    (void)state;
    try_everything(LOST);
}

static void an_update_survives_any_message_twice(void **state)
{
    (void)state;
    try_everything(DOUBLED);
    try_everything(DOUBLED_LATE);
}

static void an_update_survives_any_message_out_of_order(void **state)
{
    (void)state;
    try_everything(SWAPPED);
    try_everything(LATE);
}

static void a_message_that_comes_again_after_the_end_undoes_nothing(void **state)
{
    (void)state;
    try_everything(DOUBLED_LAST);
}

static void after_a_disconnect_at_any_message_a_new_client_goes_on(void **state)
{
    (void)state;
    try_everything(BROKEN);
}

static void after_a_power_cut_at_any_message_at_most_a_sector_is_sent_again(
    void **state)
{
    (void)state;
    try_everything(POWER_OFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_survives_the_loss_of_any_message),
        cmocka_unit_test(an_update_survives_any_message_twice),
        cmocka_unit_test(an_update_survives_any_message_out_of_order),
        cmocka_unit_test(a_message_that_comes_again_after_the_end_undoes_nothing),
        cmocka_unit_test(after_a_disconnect_at_any_message_a_new_client_goes_on),
        cmocka_unit_test(
            after_a_power_cut_at_any_message_at_most_a_sector_is_sent_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
