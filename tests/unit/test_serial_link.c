/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of ports/host/serial_link.h: addresses, a client and a device at the two ends
 * of a stream, lines that break.
 */
#include "serial_link.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static void addresses_are_taken_apart(void **state)
{
    static const struct {
        const char *text;
        bool is_good;
        enum host_serial_kind kind;
        const char *path;
        uint32_t baud;
    } cases[] = {
        {"serial:///dev/ttyACM0", true, HOST_SERIAL_LINE, "/dev/ttyACM0", 115200},
        {"serial:///dev/ttyS1?baud=9600", true, HOST_SERIAL_LINE, "/dev/ttyS1", 9600},
        {"serial://ttyS1?baud=1000000", true, HOST_SERIAL_LINE, "ttyS1", 1000000},
        {"unix:///run/a?b.sock", true, HOST_SERIAL_UNIX, "/run/a?b.sock", 115200},
        {"tcp://localhost:4000", true, HOST_SERIAL_TCP, "localhost:4000", 115200},
        {.text = "serial://"},
        {.text = "serial:///dev/ttyS1?baud=9601"},
        {.text = "serial:///dev/ttyS1?baud="},
        {.text = "serial:///dev/ttyS1?baud=-9600"},
        {.text = "serial:///dev/ttyS1?baud=9600x"},
        {.text = "serial:///dev/ttyS1?speed=9600"},
        {.text = "udp://localhost"},
        {.text = "/dev/ttyS1"},
        {.text = ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct host_serial_address address;

        assert_int_equal(host_serial_parse(cases[i].text, &address), cases[i].is_good);
        if (cases[i].is_good) {
            assert_int_equal(address.kind, cases[i].kind);
            assert_string_equal(address.path, cases[i].path);
            assert_int_equal(address.baud, cases[i].baud);
        }
    }
}

static void a_path_that_is_too_long_is_no_address(void **state)
{
    char text[HOST_SERIAL_PATH_MAX + 8] = "unix://";
    struct host_serial_address address;
    size_t scheme_len = strlen(text);

    (void)state;
    memset(text + scheme_len, 'a', HOST_SERIAL_PATH_MAX);
    text[scheme_len + HOST_SERIAL_PATH_MAX] = '\0';
    assert_false(host_serial_parse(text, &address));
    text[scheme_len + HOST_SERIAL_PATH_MAX - 1] = '\0';
    assert_true(host_serial_parse(text, &address));
}

static void messages_go_both_ways_between_text(void **state)
{
    struct host_serial device;
    struct host_serial client;
    uint8_t data[8];
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    host_serial_attach(&device, ends[0]);
    host_serial_attach(&client, ends[1]);
    struct smp_transport transport = host_serial_transport(&client);

    assert_int_equal(device.link.receive(device.link.context, data, sizeof(data)), 0);
    assert_int_equal(write(ends[1], "half a line", 11), 11);
    assert_true(transport.send(transport.context, (const uint8_t *)"ask", 3));
    assert_int_equal(device.link.receive(device.link.context, data, sizeof(data)), 3);
    assert_memory_equal(data, "ask", 3);
    assert_int_equal(write(ends[0], "boot: a line\n", 13), 13);
    device.link.send(device.link.context, (const uint8_t *)"answer", 6);
    device.link.send(device.link.context, (const uint8_t *)"again", 5);
    assert_int_equal(transport.receive(transport.context, data, sizeof(data), 1000), 6);
    assert_memory_equal(data, "answer", 6);
    assert_int_equal(transport.receive(transport.context, data, sizeof(data), 1000), 5);
    assert_int_equal(transport.receive(transport.context, data, sizeof(data), 1), 0);
    host_serial_close(&client);
    host_serial_close(&device);
}

static void a_message_longer_than_the_buffer_is_dropped_and_said_so(void **state)
{
    struct host_serial device;
    struct host_serial client;
    uint8_t data[8];
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    host_serial_attach(&device, ends[0]);
    host_serial_attach(&client, ends[1]);
    struct smp_transport transport = host_serial_transport(&client);

    assert_true(transport.send(transport.context, (const uint8_t *)"123456789", 9));
    assert_int_equal(device.link.receive(device.link.context, data, sizeof(data)), 9);
    device.link.send(device.link.context, (const uint8_t *)"123456789", 9);
    device.link.send(device.link.context, (const uint8_t *)"short", 5);
    assert_int_equal(transport.receive(transport.context, data, sizeof(data), 1000), 5);
    host_serial_close(&client);
    host_serial_close(&device);
}

/* ---- a socket with a name ---- */

struct server {
    char folder[32];
    char path[64];
    char address[80];
    int fd;
};

static void listen_again(struct server *server)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};

    (void)unlink(server->path);
    (void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", server->path);
    server->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(server->fd >= 0);
    assert_int_equal(bind(server->fd, (const struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(server->fd, 1), 0);
}

static void start_server(struct server *server)
{
    (void)snprintf(server->folder, sizeof(server->folder), "/tmp/otter-XXXXXX");
    assert_non_null(mkdtemp(server->folder));
    (void)snprintf(server->path, sizeof(server->path), "%s/s", server->folder);
    (void)snprintf(server->address, sizeof(server->address), "unix://%s", server->path);
    listen_again(server);
}

static void end_server(struct server *server)
{
    (void)close(server->fd);
    (void)unlink(server->path);
    (void)rmdir(server->folder);
}

static void a_board_that_lost_power_is_found_again(void **state)
{
    struct server server = {.fd = -1};
    struct host_serial client;
    struct host_serial device;
    uint8_t data[8];

    (void)state;
    start_server(&server);
    assert_true(host_serial_open(&client, server.address));
    struct smp_transport transport = host_serial_transport(&client);

    host_serial_attach(&device, accept(server.fd, NULL, NULL));
    /* The beginning of a message, and no more of it. */
    assert_int_equal(write(device.fd,
                           "\x06\x09"
                           "AAhh",
                           6),
                     6);
    host_serial_close(&device);
    (void)close(server.fd);
    assert_int_equal(transport.receive(transport.context, data, sizeof(data), 1000), 0);
    /* Off: messages are lost, nothing fails. */
    assert_true(transport.send(transport.context, (const uint8_t *)"lost", 4));
    assert_int_equal(transport.receive(transport.context, data, sizeof(data), 1), 0);
    /* On again. */
    listen_again(&server);
    assert_true(transport.send(transport.context, (const uint8_t *)"ask", 3));
    host_serial_attach(&device, accept(server.fd, NULL, NULL));
    assert_int_equal(device.link.receive(device.link.context, data, sizeof(data)), 3);
    device.link.send(device.link.context, (const uint8_t *)"yes", 3);
    assert_int_equal(transport.receive(transport.context, data, sizeof(data), 1000), 3);
    assert_memory_equal(data, "yes", 3);
    host_serial_close(&device);
    host_serial_close(&client);
    end_server(&server);
}

static void a_board_behind_a_port_is_reached(void **state)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t size = sizeof(name);
    struct host_serial client;
    struct host_serial device;
    char address[48];
    uint8_t data[8];
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (const struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    (void)snprintf(address, sizeof(address), "tcp://127.0.0.1:%u",
                   (unsigned)ntohs(name.sin_port));
    assert_true(host_serial_open(&client, address));
    struct smp_transport transport = host_serial_transport(&client);

    host_serial_attach(&device, accept(fd, NULL, NULL));
    device.link.send(device.link.context, (const uint8_t *)"hello", 5);
    assert_int_equal(transport.receive(transport.context, data, sizeof(data), 1000), 5);
    assert_memory_equal(data, "hello", 5);
    host_serial_close(&device);
    host_serial_close(&client);
    (void)close(fd);
}

static void what_is_not_there_cannot_be_opened(void **state)
{
    struct host_serial client;

    (void)state;
    assert_false(host_serial_open(&client, "unix:///no/such/socket"));
    assert_false(host_serial_open(&client, "serial:///dev/null")); /* no line */
    assert_false(host_serial_open(&client, "serial:///no/such/line"));
    assert_false(host_serial_open(&client, "udp://localhost"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_taken_apart),
        cmocka_unit_test(a_path_that_is_too_long_is_no_address),
        cmocka_unit_test(messages_go_both_ways_between_text),
        cmocka_unit_test(a_message_longer_than_the_buffer_is_dropped_and_said_so),
        cmocka_unit_test(a_board_that_lost_power_is_found_again),
        cmocka_unit_test(a_board_behind_a_port_is_reached),
        cmocka_unit_test(what_is_not_there_cannot_be_opened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
