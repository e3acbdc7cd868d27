/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's half: a hostile device's messages, each after its length (2 bytes,
 * big-endian), as the answers to one of the tool's requests. The input's first byte
 * chooses the request, and whether headers are made those of a reply, so that bodies
 * are reached. Whatever comes, the call ends, and its texts are bounded and plain.
 */
#include "remote.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REQUESTS = 9, FIX_HEADERS = 0x80, MESSAGE_MAX = SMP_CLIENT_MESSAGE_MAX + 16 };

struct peer {
    struct otter_reader reader; /* messages to come */
    bool fixes_headers;
    uint8_t asked[OTTER_SMP_HEADER_SIZE];
};

static void require(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

static bool take_request(void *context, const uint8_t *data, size_t size)
{
    struct peer *peer = context;
    struct otter_smp_header header;

    require(size <= SMP_CLIENT_MESSAGE_MAX);
    require(otter_smp_parse(data, size, &header) == OTTER_OK);
    memcpy(peer->asked, data, sizeof(peer->asked));
    return true;
}

/* The header that a reply to the last request has. */
static void fix_header(const struct peer *peer, uint8_t *message, size_t len)
{
    struct otter_smp_header header;

    if (len < OTTER_SMP_HEADER_SIZE) {
        return;
    }
    memcpy(message, peer->asked, OTTER_SMP_HEADER_SIZE);
    otter_store_be16(message + 2, (uint16_t)(len - OTTER_SMP_HEADER_SIZE));
    message[0]++;
    require(otter_smp_parse(message, len, &header) == OTTER_OK);
}

static size_t give_reply(void *context, uint8_t *data, size_t capacity, int timeout_ms)
{
    struct peer *peer = context;
    uint8_t message[MESSAGE_MAX];

    (void)timeout_ms;
    if (otter_reader_left(&peer->reader) < 2) {
        return 0;
    }
    size_t len = otter_load_be16(otter_reader_bytes(&peer->reader, 2));
    size_t left = otter_reader_left(&peer->reader);

    len = len < left ? len : left;
    len = len < sizeof(message) ? len : sizeof(message);
    memcpy(message, otter_reader_bytes(&peer->reader, len), len);
    if (peer->fixes_headers) {
        fix_header(peer, message, len);
    }
    memcpy(data, message, len < capacity ? len : capacity);
    return len;
}

static void check_text(const char text[REMOTE_TEXT_MAX])
{
    size_t len = strnlen(text, REMOTE_TEXT_MAX);

    require(len < REMOTE_TEXT_MAX);
    for (size_t i = 0; i < len; i++) {
        require(text[i] >= ' ' && text[i] <= '~');
    }
}

static void ask_status(struct remote *remote)
{
    struct remote_status status;

    if (remote_status(remote, &status) == OTTER_OK) {
        check_text(status.phase);
        check_text(status.code);
        check_text(status.program);
        check_text(status.slot);
        check_text(status.version);
    }
}

static void ask_outcome(struct remote *remote)
{
    struct remote_outcome outcome;

    if (remote_outcome(remote, &outcome) == OTTER_OK) {
        check_text(outcome.code);
    }
}

static void ask_product(struct remote *remote)
{
    json_t *described = json_object();

    if (remote_product(remote, described) == OTTER_OK) {
        const char *notes = json_string_value(json_object_get(described, "notes"));

        require(notes == NULL || strlen(notes) <= 512);
    }
    json_decref(described);
}

static void ask(struct remote *remote, uint8_t request)
{
    static const uint8_t bytes[REMOTE_HASH_SIZE] = {1};
    const struct remote_chunk chunk = {
        .data = bytes, .size = sizeof(bytes), .len = 4096, .sha = bytes};
    uint32_t number = 0;

    switch (request) {
    case 0:
        ask_status(remote);
        break;
    case 1:
        ask_outcome(remote);
        break;
    case 2:
        (void)!remote_buffer(remote, &number);
        break;
    case 3:
        (void)!remote_offer(remote, &chunk, &number);
        break;
    case 4:
        (void)!remote_upload(remote, &chunk, &number);
        break;
    case 5:
        (void)!remote_request(remote, bytes);
        break;
    case 6:
        (void)!remote_confirm(remote);
        break;
    case 7:
        ask_product(remote);
        break;
    default:
        (void)!remote_restart(remote);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct remote remote;
    struct peer peer = {.fixes_headers = true};
    const struct smp_transport transport = {
        .context = &peer, .send = take_request, .receive = give_reply};

    if (size == 0) {
        return 0;
    }
    peer.reader = otter_reader_of(data + 1, size - 1);
    peer.fixes_headers = (data[0] & FIX_HEADERS) != 0;
    smp_client_init(&remote.client, &transport);
    ask(&remote, data[0] % REQUESTS);
    return 0;
}
