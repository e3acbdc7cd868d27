/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SMP client: what it does when messages are lost, late, doubled or strange, and
 * whole transfers over a link that loses messages.
 */
#include "smp_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { MESSAGES_MAX = 8, MESSAGE_MAX = 64, ECHO = 0 };

/* A link whose replies are written down beforehand. */
struct script {
    const char *replies[MESSAGES_MAX]; /* NULL: nothing comes in time */
    size_t sizes[MESSAGES_MAX];
    size_t count;
    size_t told;
    uint8_t sent[MESSAGES_MAX][MESSAGE_MAX];
    size_t sent_sizes[MESSAGES_MAX];
    size_t sent_count;
};

static bool script_send(void *context, const uint8_t *data, size_t size)
{
    struct script *script = context;

    assert_true(script->sent_count < MESSAGES_MAX && size <= MESSAGE_MAX);
    memcpy(script->sent[script->sent_count], data, size);
    script->sent_sizes[script->sent_count++] = size;
    return true;
}

static size_t script_receive(void *context, uint8_t *data, size_t capacity,
                             int timeout_ms)
{
    struct script *script = context;

    (void)timeout_ms;
    if (script->told == script->count || script->replies[script->told] == NULL) {
        script->told += script->told < script->count;
        return 0;
    }
    size_t size = script->sizes[script->told];

    assert_true(size <= capacity);
    memcpy(data, script->replies[script->told++], size);
    return size;
}

static void add(struct script *script, const char *reply, size_t size)
{
    script->replies[script->count] = reply;
    script->sizes[script->count++] = size;
}

#define ADD(script, reply) add(script, reply, sizeof(reply) - 1)

/* Calls echo; seq is 0. */
static enum otter_result call_echo(struct smp_client *client, struct script *script,
                                   struct otter_cbor_item *item)
{
    static const struct otter_cbor_field fields[] = {
        {"r", 1u << OTTER_CBOR_TEXT, true}};
    const struct smp_transport transport = {
        .context = script, .send = script_send, .receive = script_receive};

    smp_client_init(client, &transport);
    otter_cbor_add_text(smp_client_begin(client), "d", "hi");
    return smp_client_call(
        client, (struct smp_target){OTTER_SMP_WRITE, OTTER_SMP_GROUP_OS, ECHO}, fields,
        1, item);
}

/* {"r": "hi"} by cbor2, after a header of version 1, write reply, group 0, id 0. */
#define GOOD "\x03\x00\x00\x06\x00\x00\x00\x00\xa1\x61r\x62hi"
#define LATE "\x03\x00\x00\x06\x00\x00\xff\x00\xa1\x61r\x62hi"

static void a_request_is_what_cbor2_makes(void **state)
{
    static const char wanted[] = "\x02\x00\x00\x06\x00\x00\x00\x00\xa1\x61\x64\x62hi";
    struct script script = {.count = 0};
    struct smp_client client;
    struct otter_cbor_item item;

    (void)state;
    ADD(&script, GOOD);
    assert_int_equal(call_echo(&client, &script, &item), OTTER_OK);
    assert_int_equal(item.len, 2);
    assert_memory_equal(item.bytes, "hi", 2);
    assert_int_equal(script.sent_sizes[0], sizeof(wanted) - 1);
    assert_memory_equal(script.sent[0], wanted, sizeof(wanted) - 1);
}

static void a_lost_message_is_sent_again_with_the_same_number(void **state)
{
    struct script script = {.count = 2}; /* two replies are lost */
    struct smp_client client;
    struct otter_cbor_item item;

    (void)state;
    ADD(&script, GOOD);
    assert_int_equal(call_echo(&client, &script, &item), OTTER_OK);
    assert_int_equal(script.sent_count, 3);
    assert_memory_equal(script.sent[0], script.sent[1], script.sent_sizes[0]);
    assert_memory_equal(script.sent[0], script.sent[2], script.sent_sizes[0]);
    assert_int_equal(client.resent, 2);
}

static void no_answer_at_all_is_a_timeout(void **state)
{
    struct script script = {.count = 0};
    struct smp_client client;
    struct otter_cbor_item item;

    (void)state;
    assert_int_equal(call_echo(&client, &script, &item), OTTER_E_LINK_TIMEOUT);
    assert_int_equal(script.sent_count, 4);
}

static void late_doubled_and_strange_messages_are_passed_over(void **state)
{
    struct script script = {.count = 0};
    struct smp_client client;
    struct otter_cbor_item item;

    (void)state;
    ADD(&script, LATE);
    ADD(&script, "x");
    ADD(&script, "\x02\x00\x00\x06\x00\x00\x00\x00\xa1\x61r\x62hi"); /* a request */
    ADD(&script, "\x03\x00\x00\x06\x00\x01\x00\x00\xa1\x61r\x62hi"); /* another group */
    ADD(&script,
        "\x03\x00\x00\x07\x00\x00\x00\x00\xa1\x61r\x62hi"); /* another length */
    ADD(&script, GOOD);
    assert_int_equal(call_echo(&client, &script, &item), OTTER_OK);
    assert_int_equal(client.ignored, 5);
    assert_int_equal(script.sent_count, 1);
}

struct answer {
    const char *body;
    size_t size;
    enum otter_result result;
    int rc, group;
};

#define ANSWER(body, result, rc, group)           \
    {                                             \
        body, sizeof(body) - 1, result, rc, group \
    }

/* cbor2.dumps() of the value in the comment. */
static const struct answer answers[] = {
    /* {"off": 5}, with "rc" of success, and with more than was asked for */
    ANSWER("\xa1\x63off\x05", OTTER_OK, 0, -1),
    ANSWER("\xa2\x62rc\x00\x63off\x05", OTTER_OK, 0, -1),
    ANSWER("\xa2\x63off\x05\x65match\xf5", OTTER_OK, 0, -1),
    /* {"rc": 8} and {"rc": 99} */
    ANSWER("\xa1\x62rc\x08", OTTER_E_SMP_COMMAND, 8, -1),
    ANSWER("\xa1\x62rc\x18\x63", OTTER_E_SMP_OPERATION, 99, -1),
    /* {"rc": 6, "rsn": "[25-13]"}, and texts that are no code of the table */
    ANSWER("\xa2\x62rc\x06\x63rsn\x67[25-13]", OTTER_E_LOCKED, 6, -1),
    ANSWER("\xa2\x62rc\x06\x63rsn\x67[99-99]", OTTER_E_JOURNAL_TRANSITION, 6, -1),
    ANSWER("\xa2\x62rc\x06\x63rsn\x67[25x13]", OTTER_E_JOURNAL_TRANSITION, 6, -1),
    ANSWER("\xa2\x62rc\x06\x63rsn\x60", OTTER_E_JOURNAL_TRANSITION, 6, -1),
    /* {"err": {"group": 1, "rc": 28}}, {"err": {"group": 64, "rc": 5900}} = [23-12] */
    ANSWER("\xa1\x63"
           "err\xa2\x65group\x01\x62rc\x18\x1c",
           OTTER_E_SMP_OPERATION, 28, 1),
    ANSWER("\xa1\x63"
           "err\xa2\x65group\x18\x40\x62rc\x19\x17\x0c",
           OTTER_E_COUNTER, 5900, 64),
    ANSWER("\xa1\x63"
           "err\xa1\x65group\x01",
           OTTER_E_SMP_FIELD, 0, -1),
    /* {}, {"off": "5"}, nothing, no map */
    ANSWER("\xa0", OTTER_E_SMP_FIELD, 0, -1),
    ANSWER("\xa1\x63off\x61\x35", OTTER_E_SMP_FIELD, 0, -1),
    ANSWER("", OTTER_E_SMP_FIELD, 0, -1),
    ANSWER("\x05", OTTER_E_SMP_CBOR, 0, -1),
};

static void answers_are_told_apart(void **state)
{
    static const struct otter_cbor_field fields[] = {
        {"off", 1u << OTTER_CBOR_UINT, true}};

    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        const struct smp_transport transport = {.context = NULL};
        struct smp_client client;
        struct otter_cbor_item item;
        uint8_t body[MESSAGE_MAX];

        smp_client_init(&client, &transport);
        memcpy(body, answers[i].body, answers[i].size);
        assert_int_equal(
            smp_client_read(&client, body, answers[i].size, fields, 1, &item),
            answers[i].result);
        assert_int_equal(client.rc, answers[i].rc);
        assert_int_equal(client.rc_group, answers[i].group);
        if (answers[i].result == OTTER_OK) {
            assert_int_equal(item.value, 5);
        }
    }
}

static void a_request_that_does_not_fit_is_not_sent(void **state)
{
    struct script script = {.count = 0};
    const struct smp_transport transport = {
        .context = &script, .send = script_send, .receive = script_receive};
    static const uint8_t big[SMP_CLIENT_MESSAGE_MAX];
    struct smp_client client;

    (void)state;
    smp_client_init(&client, &transport);
    otter_cbor_add_bytes(smp_client_begin(&client), "data", big, sizeof(big));
    assert_int_equal(smp_client_call(&client,
                                     (struct smp_target){OTTER_SMP_WRITE, 1, 1}, NULL,
                                     0, NULL),
                     OTTER_E_SMP_SPACE);
    assert_int_equal(script.sent_count, 0);
}

/* ---- with a device ---- */

static void a_transfer_ends_well_whatever_every_nth_message_lost(void **state)
{
    static const struct otter_cbor_field fields[] = {
        {"off", 1u << OTTER_CBOR_UINT, true}};

    (void)state;
    for (uint32_t lose = 3; lose < 9; lose++) {
        struct smp_bench bench;
        struct sample_package package;
        struct smp_client client;
        uint32_t off = 0;

        smp_bench_start(&bench, false, NULL);
        sample_next(&bench.sample, 2, &package);
        sample_build(&package);
        struct smp_transport transport = smp_bench_transport(&bench);

        smp_client_init(&client, &transport);
        client.timeout_ms = 0;
        bench.lose_every = lose;
        for (unsigned i = 0; off < package.size && i < 100; i++) {
            struct otter_cbor_map *body = smp_client_begin(&client);
            struct otter_cbor_item item;
            uint32_t size =
                (uint32_t)package.size - off < 200 ? (uint32_t)package.size - off : 200;

            otter_cbor_add_uint(body, "off", off);
            otter_cbor_add_bytes(body, "sha", "0123456789", 10);
            otter_cbor_add_bytes(body, "data", package.bytes + off, size);
            enum otter_result result = smp_client_call(
                &client, (struct smp_target){OTTER_SMP_WRITE, 1, 1}, fields, 1, &item);

            assert_true(result == OTTER_OK || result == OTTER_E_LINK_TIMEOUT);
            off = result == OTTER_OK ? (uint32_t)item.value : off;
        }
        assert_int_equal(off, package.size);
        assert_int_equal(vdevice_view(&bench.device)->journal.state.phase,
                         OTTER_PHASE_COMPLETE);
        smp_bench_stop(&bench);
    }
}

/* ---- UDP ---- */

struct address {
    const char *text;
    const char *host; /* NULL: refused */
    uint16_t port;
};

static const struct address addresses[] = {
    {"udp://localhost", "localhost", 1337},
    {"udp://localhost:2000", "localhost", 2000},
    {"10.0.0.1:5", "10.0.0.1", 5},
    {"udp://[::1]:77", "::1", 77},
    {"udp://[::1]", "::1", 1337},
    {"udp://host/", "host", 1337},
    {"udp://host:", NULL, 0},
    {"udp://host:x", NULL, 0},
    {"udp://host:70000", NULL, 0},
    {"udp://host:5/path", NULL, 0},
    {"udp://[::1", NULL, 0},
    {"udp://", NULL, 0},
    {"tcp://host", NULL, 0},
};

static void addresses_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        char host[HOST_UDP_HOST_MAX];
        uint16_t port = 0;
        bool is_good = host_udp_parse(addresses[i].text, host, &port);

        assert_int_equal(is_good, addresses[i].host != NULL);
        if (is_good) {
            assert_string_equal(host, addresses[i].host);
            assert_int_equal(port, addresses[i].port);
        }
    }
}

static void datagrams_go_both_ways_over_udp(void **state)
{
    struct host_udp server;
    struct smp_udp client;
    char address[32];
    uint8_t data[8];

    (void)state;
    assert_true(host_udp_listen(&server, "127.0.0.1:0"));
    (void)snprintf(address, sizeof(address), "udp://127.0.0.1:%u", server.port);
    assert_true(smp_udp_open(&client, address));
    struct smp_transport transport = smp_udp_transport(&client);

    assert_int_equal(server.link.receive(server.link.context, data, sizeof(data)), 0);
    assert_true(transport.send(transport.context, (const uint8_t *)"ask", 3));
    assert_true(host_udp_wait(&server, 1000));
    assert_int_equal(server.link.receive(server.link.context, data, sizeof(data)), 3);
    server.link.send(server.link.context, (const uint8_t *)"answer", 6);
    assert_int_equal(transport.receive(transport.context, data, sizeof(data), 1000), 6);
    assert_memory_equal(data, "answer", 6);
    /* Longer than the buffer: dropped, and said so. */
    assert_true(transport.send(transport.context, (const uint8_t *)"123456789", 9));
    assert_true(host_udp_wait(&server, 1000));
    assert_int_equal(server.link.receive(server.link.context, data, sizeof(data)), 9);
    assert_int_equal(transport.receive(transport.context, data, sizeof(data), 1), 0);
    smp_udp_close(&client);
    host_udp_close(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_what_cbor2_makes),
        cmocka_unit_test(a_lost_message_is_sent_again_with_the_same_number),
        cmocka_unit_test(no_answer_at_all_is_a_timeout),
        cmocka_unit_test(late_doubled_and_strange_messages_are_passed_over),
        cmocka_unit_test(answers_are_told_apart),
        cmocka_unit_test(a_request_that_does_not_fit_is_not_sent),
        cmocka_unit_test(a_transfer_ends_well_whatever_every_nth_message_lost),
        cmocka_unit_test(addresses_are_taken_apart),
        cmocka_unit_test(datagrams_go_both_ways_over_udp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
