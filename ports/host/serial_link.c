/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A console as a link: opening lines and sockets, bytes to messages and back.
 */
#include "serial_link.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

enum { SEND_WAIT_MS = 1000, BROKEN_WAIT_MS = 50 };

/* ---- addresses ---- */

static const struct {
    uint32_t baud;
    speed_t speed;
} speeds[] = {
    {9600, B9600},     {19200, B19200},   {38400, B38400},
    {57600, B57600},   {115200, B115200}, {230400, B230400},
    {460800, B460800}, {921600, B921600}, {1000000, B1000000},
};

/* The speed's index, or past the end. */
static size_t find_speed(uint32_t baud)
{
    size_t i = 0;

    while (i < sizeof(speeds) / sizeof(speeds[0]) && speeds[i].baud != baud) {
        i++;
    }
    return i;
}

static bool parse_baud(const char *text, uint32_t *baud)
{
    static const char name[] = "?baud=";
    char *end = NULL;

    if (strncmp(text, name, sizeof(name) - 1) != 0) {
        return false;
    }
    text += sizeof(name) - 1;
    unsigned long number = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || number > UINT32_MAX) {
        return false;
    }
    *baud = (uint32_t)number;
    return find_speed(*baud) < sizeof(speeds) / sizeof(speeds[0]);
}

bool host_serial_parse(const char *text, struct host_serial_address *address)
{
    static const struct {
        const char *scheme;
        enum host_serial_kind kind;
    } schemes[] = {
        {"serial://", HOST_SERIAL_LINE},
        {"unix://", HOST_SERIAL_UNIX},
        {"tcp://", HOST_SERIAL_TCP},
    };

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t scheme_len = strlen(schemes[i].scheme);

        if (strncmp(text, schemes[i].scheme, scheme_len) != 0) {
            continue;
        }
        const char *path = text + scheme_len;
        bool is_line = schemes[i].kind == HOST_SERIAL_LINE;
        size_t len = is_line ? strcspn(path, "?") : strlen(path);

        *address = (struct host_serial_address){.kind = schemes[i].kind,
                                                .baud = HOST_SERIAL_BAUD};
        if (len == 0 || len >= sizeof(address->path)) {
            return false;
        }
        memcpy(address->path, path, len);
        return path[len] == '\0' || parse_baud(path + len, &address->baud);
    }
    return false;
}

/* ---- opening ---- */

static int give_up(int fd)
{
    int reason = errno;

    (void)close(fd);
    errno = reason;
    return -1;
}

static int open_line(const struct host_serial_address *address)
{
    speed_t speed = speeds[find_speed(address->baud)].speed;
    struct termios settings;
    int fd = open(address->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0) {
        return -1;
    }
    if (tcgetattr(fd, &settings) != 0) {
        return give_up(fd);
    }
    cfmakeraw(&settings);
    settings.c_cflag |= (tcflag_t)(CLOCAL | CREAD);
    if (cfsetspeed(&settings, speed) != 0 || tcsetattr(fd, TCSANOW, &settings) != 0) {
        return give_up(fd);
    }
    return fd;
}

static int open_unix(const struct host_serial_address *address)
{
    struct sockaddr_un peer = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -1;
    }
    memcpy(peer.sun_path, address->path, strlen(address->path) + 1);
    if (connect(fd, (const struct sockaddr *)&peer, sizeof(peer)) != 0) {
        return give_up(fd);
    }
    return fd;
}

static int open_tcp(const struct host_serial_address *address)
{
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    struct addrinfo *found = NULL;
    char host[HOST_UDP_HOST_MAX];
    char service[8];
    uint16_t port = 0;
    int fd = -1;

    errno = EINVAL;
    if (!host_udp_parse(address->path, host, &port)) {
        return -1;
    }
    (void)snprintf(service, sizeof(service), "%u", (unsigned)port);
    if (getaddrinfo(host, service, &wanted, &found) != 0) {
        errno = EHOSTUNREACH;
        return -1;
    }
    for (const struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
            fd = give_up(fd);
        }
    }
    freeaddrinfo(found);
    return fd;
}

static bool open_again(struct host_serial *serial)
{
    static int (*const openers[])(const struct host_serial_address *address) = {
        [HOST_SERIAL_LINE] = open_line,
        [HOST_SERIAL_UNIX] = open_unix,
        [HOST_SERIAL_TCP] = open_tcp,
    };

    if (serial->fd < 0 && serial->address.path[0] != '\0') {
        serial->fd = openers[serial->address.kind](&serial->address);
    }
    if (serial->fd < 0) {
        return false;
    }
    (void)fcntl(serial->fd, F_SETFL, fcntl(serial->fd, F_GETFL) | O_NONBLOCK);
    return true;
}

/* What was read before belongs to a line that is no more. */
static void break_off(struct host_serial *serial)
{
    if (serial->fd >= 0) {
        (void)close(serial->fd);
        serial->fd = -1;
    }
    serial->waiting_off = 0;
    serial->waiting_size = 0;
    otter_serial_decoder_init(&serial->decoder, serial->message,
                              sizeof(serial->message));
}

/* ---- sending ---- */

/* A socket whose peer is gone must not end the process. */
static ssize_t write_some(int fd, const uint8_t *data, size_t size)
{
    ssize_t len = send(fd, data, size, MSG_NOSIGNAL);

    return len < 0 && errno == ENOTSOCK ? write(fd, data, size) : len;
}

static bool write_all(struct host_serial *serial, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t len = write_some(serial->fd, data, size);

        if (len > 0) {
            data += len;
            size -= (size_t)len;
            continue;
        }
        struct pollfd room = {.fd = serial->fd, .events = POLLOUT};

        if (len == 0 || (errno != EAGAIN && errno != EINTR) ||
            poll(&room, 1, SEND_WAIT_MS) <= 0) {
            return false;
        }
    }
    return true;
}

/* The empty line first ends whatever half a line stands on the console. */
static bool write_message(struct host_serial *serial, const uint8_t *data, size_t size)
{
    struct otter_serial_encoder encoder = otter_serial_encoder_of(data, size);
    uint8_t line[OTTER_SERIAL_LINE_MAX];
    bool is_done = write_all(serial, (const uint8_t *)"\n", 1);

    for (size_t len; is_done && (len = otter_serial_line(&encoder, line)) != 0;) {
        is_done = write_all(serial, line, len);
    }
    return is_done;
}

static bool transport_send(void *context, const uint8_t *data, size_t size)
{
    struct host_serial *serial = context;

    if (!open_again(serial) || !write_message(serial, data, size)) {
        break_off(serial); /* lost; the next message tries again */
    }
    return true;
}

static void link_send(void *context, const uint8_t *data, size_t size)
{
    (void)transport_send(context, data, size);
}

/* ---- receiving ---- */

/* Decodes what was read; the length of the message that became whole, or 0. */
static size_t decode(struct host_serial *serial)
{
    while (serial->waiting_off < serial->waiting_size) {
        if (otter_serial_take(&serial->decoder,
                              serial->waiting[serial->waiting_off++])) {
            return serial->decoder.size;
        }
    }
    return 0;
}

/* Reads more, if there is more within `timeout_ms`. */
static bool read_more(struct host_serial *serial, int timeout_ms)
{
    struct pollfd waiting = {.fd = serial->fd, .events = POLLIN};

    if (serial->fd < 0 || poll(&waiting, 1, timeout_ms) <= 0) {
        return false;
    }
    ssize_t len = read(serial->fd, serial->waiting, sizeof(serial->waiting));

    if (len <= 0) {
        if (len == 0 || (errno != EAGAIN && errno != EINTR)) {
            break_off(serial);
        }
        return false;
    }
    serial->waiting_off = 0;
    serial->waiting_size = (size_t)len;
    return true;
}

static size_t take(struct host_serial *serial, uint8_t *data, size_t capacity,
                   size_t size)
{
    if (size > capacity) {
        return capacity + 1;
    }
    memcpy(data, serial->message, size);
    return size;
}

/* Nothing will come over a broken line: the caller soon sends again, which opens it. */
static void pause_if_broken(const struct host_serial *serial, int timeout_ms)
{
    if (serial->fd < 0) {
        (void)poll(NULL, 0, timeout_ms < BROKEN_WAIT_MS ? timeout_ms : BROKEN_WAIT_MS);
    }
}

static size_t transport_receive(void *context, uint8_t *data, size_t capacity,
                                int timeout_ms)
{
    struct host_serial *serial = context;
    uint64_t end_ms = host_now_ms() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0);

    for (;;) {
        size_t size = decode(serial);
        uint64_t now_ms = host_now_ms();

        if (size != 0 && size <= capacity) {
            return take(serial, data, capacity, size);
        }
        if (size == 0 &&
            !read_more(serial, now_ms < end_ms ? (int)(end_ms - now_ms) : 0)) {
            pause_if_broken(serial, timeout_ms);
            return 0;
        }
    }
}

static size_t link_receive(void *context, uint8_t *data, size_t capacity)
{
    struct host_serial *serial = context;

    do {
        size_t size = decode(serial);

        if (size != 0) {
            return take(serial, data, capacity, size);
        }
    } while (read_more(serial, 0));
    return 0;
}

/* ---- the link ---- */

void host_serial_attach(struct host_serial *serial, int fd)
{
    memset(serial, 0, sizeof(*serial));
    serial->fd = -1;
    break_off(serial);
    serial->fd = fd;
    serial->link = (struct otter_link){
        .context = serial, .receive = link_receive, .send = link_send};
}

bool host_serial_open(struct host_serial *serial, const char *text)
{
    host_serial_attach(serial, -1);
    if (!host_serial_parse(text, &serial->address)) {
        fprintf(stderr,
                "otter: %s: not an address like serial:///dev/NAME?baud=115200, "
                "unix:///PATH or tcp://host:port\n",
                text);
        return false;
    }
    if (!open_again(serial)) {
        fprintf(stderr, "otter: %s: %s\n", text, strerror(errno));
        return false;
    }
    return true;
}

void host_serial_close(struct host_serial *serial)
{
    break_off(serial);
    serial->address.path[0] = '\0';
}

struct smp_transport host_serial_transport(struct host_serial *serial)
{
    return (struct smp_transport){
        .context = serial, .send = transport_send, .receive = transport_receive};
}
