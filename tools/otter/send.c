/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter send: a package to a device over SMP. The control packet goes first, so that a
 * package that does not fit is refused before its transfer; then the file, from where
 * an earlier transfer ended; then the request, and the way until the device has
 * confirmed the new system or gone back. docs/man/otter-send.1.scd.
 */
#include "files.h"
#include "help.h"
#include "names.h"
#include "options.h"
#include "otter/container.h"
#include "remote.h"
#include "verbs.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    MESSAGE_MAX = 1472, /* one UDP datagram without fragments */
    OVERHEAD = 96,      /* of a message besides its data: header, keys, hash */
    CHUNK_MIN = 64,
    TIMEOUT_S = 60, /* without any progress */
    RETRY_MS = 250,
    FOLLOW_MS = 250,
    BAR_WIDTH = 30,
    BAR_MS = 100,
    CONTROL_FIRST_MIN = 40, /* first part of a control packet: its head, up to here */
};

struct options {
    const char *address;
    const char *file;
    bool wants_restart;
    bool no_request;
    bool no_reset;
    bool offer_only;
    bool wants_end; /* --wait */
    bool is_json;
    uint64_t timeout_s;
    uint64_t chunk; /* 0: what the device takes */
    struct smp_faults faults;
};

struct sending {
    struct options options;
    struct remote remote;
    struct bytes file;
    uint8_t sha[OTTER_SHA256_SIZE];
    uint8_t hash[OTTER_SHA256_SIZE]; /* package hash, as its trailer tells */
    struct otter_control control;
    uint32_t chunk;   /* bytes of a chunk */
    uint32_t next;    /* offset at which the device wants to go on */
    uint32_t start;   /* offset at which this transfer began */
    bool was_there;   /* the device had the whole file already */
    uint32_t resumes; /* times that the device asked for another position */
    uint64_t start_ms;
    uint64_t progress_ms; /* time of the last progress */
    uint64_t bar_ms;
    const char *ending; /* for JSON */
    char code[REMOTE_TEXT_MAX];
};

static void wait_ms(unsigned ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000,
                                   .tv_nsec = (long)(ms % 1000) * 1000000};

    (void)nanosleep(&pause, NULL);
}

/* ---- the package ---- */

static int open_package(struct sending *sending)
{
    struct bytes *file = &sending->file;
    int status = file_read(sending->options.file, FILE_ANY_SIZE, file);

    if (status != TOOL_DONE) {
        return status;
    }
    struct otter_image_header header;
    enum otter_result result = OTTER_E_PACKAGE_TRUNCATED;

    if (file->size >= OTTER_IMAGE_HEADER_SIZE + OTTER_TRAILER_SIZE) {
        result = otter_image_header_parse(file->data, &header);
    }
    if (result == OTTER_OK) {
        const struct bytes control = {.data = file->data + OTTER_IMAGE_HEADER_SIZE,
                                      .size = file->size - OTTER_IMAGE_HEADER_SIZE};
        struct otter_source source = bytes_source(&control);

        result = otter_control_open(&source, &sending->control);
    }
    if (result == OTTER_OK && sending->control.file_length != file->size) {
        result = OTTER_E_PACKAGE_LENGTH;
    }
    if (result == OTTER_OK) {
        result = otter_trailer_parse(file->data + file->size - OTTER_TRAILER_SIZE,
                                     sending->hash);
    }
    if (result != OTTER_OK) {
        return complain_code(sending->options.file, result, TOOL_UNVERIFIED);
    }
    if (EVP_Digest(file->data, file->size, sending->sha, NULL, EVP_sha256(), NULL) !=
        1) {
        return complain("%s: cannot be hashed", sending->options.file);
    }
    return TOOL_DONE;
}

/* ---- progress ---- */

static void clear_bar(const struct sending *sending)
{
    if (sending->bar_ms != 0) {
        (void)fprintf(stderr, "\r\033[K");
    }
}

static void show_bar(struct sending *sending)
{
    uint64_t now_ms = host_now_ms();
    uint32_t size = (uint32_t)sending->file.size;
    unsigned percent = (unsigned)((uint64_t)sending->next * 100 / size);
    uint64_t spent_ms = now_ms - sending->start_ms + 1;
    uint64_t moved =
        sending->next > sending->start ? sending->next - sending->start : 0;

    if (sending->options.is_json || isatty(STDERR_FILENO) == 0 ||
        (now_ms - sending->bar_ms < BAR_MS && sending->next < size)) {
        return;
    }
    sending->bar_ms = now_ms;
    (void)fprintf(stderr, "\r[");
    for (unsigned i = 0; i < BAR_WIDTH; i++) {
        (void)fputc(i * 100 < percent * BAR_WIDTH ? '#' : '.', stderr);
    }
    (void)fprintf(stderr, "] %3u %%  %5.1f KiB/s", percent,
                  (double)moved * 1000 / 1024 / (double)spent_ms);
}

static void go_to(struct sending *sending, uint32_t expected, uint32_t next)
{
    if (next > sending->next) {
        sending->progress_ms = host_now_ms();
    }
    if (next != expected) {
        sending->resumes++;
    }
    sending->next = next;
    show_bar(sending);
}

/* After a lost message or a busy device: try again, until there was no progress for too
 * long. True: try again. */
static bool may_retry(const struct sending *sending, enum otter_result result)
{
    uint64_t limit_ms = sending->options.timeout_s * 1000;

    if (result != OTTER_OK && result != OTTER_E_LINK_TIMEOUT &&
        result != OTTER_E_BUSY) {
        return false;
    }
    if (host_now_ms() - sending->progress_ms >= limit_ms) {
        return false;
    }
    wait_ms(RETRY_MS);
    return true;
}

/* ---- transfer ---- */

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static enum otter_result choose_chunk(struct sending *sending)
{
    uint32_t buffer = 0;
    enum otter_result result;

    do {
        result = remote_buffer(&sending->remote, &buffer);
    } while (result != OTTER_OK && may_retry(sending, result));
    if (result == OTTER_E_SMP_COMMAND) {
        buffer = 0;
    } else if (result != OTTER_OK) {
        return result;
    }
    buffer = least(buffer, MESSAGE_MAX);
    sending->chunk = buffer > OVERHEAD + CHUNK_MIN ? buffer - OVERHEAD : CHUNK_MIN;
    if (sending->options.chunk != 0) {
        sending->chunk = least(sending->chunk, (uint32_t)sending->options.chunk);
    }
    return OTTER_OK;
}

static enum otter_result restart(struct sending *sending)
{
    enum otter_result result;

    do {
        result = remote_restart(&sending->remote);
    } while (result != OTTER_OK && may_retry(sending, result));
    return result == OTTER_E_SMP_COMMAND ? OTTER_OK : result;
}

/* Sends the control packet. 33-14: the device does not know the command. */
static enum otter_result offer(struct sending *sending)
{
    uint32_t length = sending->control.length;
    uint32_t end = OTTER_IMAGE_HEADER_SIZE + length;
    uint32_t off = 0;

    for (;;) {
        uint32_t size = off == 0 && sending->chunk < CONTROL_FIRST_MIN
                            ? CONTROL_FIRST_MIN
                            : sending->chunk;
        struct remote_chunk chunk = {
            .off = off,
            .data = sending->file.data + OTTER_IMAGE_HEADER_SIZE + off,
            .size = least(size, length - off),
            .len = length,
            .sha = sending->sha,
        };
        uint32_t next = 0;
        enum otter_result result = remote_offer(&sending->remote, &chunk, &next);

        if (result != OTTER_OK) {
            if (!may_retry(sending, result)) {
                return result;
            }
            continue;
        }
        go_to(sending, next, next);
        if (next >= end) {
            return OTTER_OK;
        }
        if (next <= OTTER_IMAGE_HEADER_SIZE + off && !may_retry(sending, OTTER_OK)) {
            return OTTER_E_LINK_TIMEOUT;
        }
        off = next < OTTER_IMAGE_HEADER_SIZE ? 0 : next - OTTER_IMAGE_HEADER_SIZE;
    }
}

/* Sends the file from where the device wants it. The device's answer is followed
 * wherever it leads: after a reset at most one sector back, or to the start. */
static enum otter_result upload(struct sending *sending)
{
    uint32_t length = (uint32_t)sending->file.size;

    while (sending->next < length) {
        struct remote_chunk chunk = {
            .off = sending->next,
            .data = sending->file.data + sending->next,
            .size = least(sending->chunk, length - sending->next),
            .len = length,
            .sha = sending->sha,
        };
        uint32_t next = 0;
        enum otter_result result = remote_upload(&sending->remote, &chunk, &next);

        if (result == OTTER_OK && next > length) {
            return OTTER_E_RECEIVE_OVERRUN;
        }
        if (result != OTTER_OK || next == sending->next) {
            if (!may_retry(sending, result)) {
                return result == OTTER_OK ? OTTER_E_LINK_TIMEOUT : result;
            }
            continue;
        }
        go_to(sending, chunk.off + (uint32_t)chunk.size, next);
    }
    return OTTER_OK;
}

static bool is_manager(struct sending *sending)
{
    struct remote_status status;

    return remote_status(&sending->remote, &status) == OTTER_OK &&
           strcmp(status.program, "manager") == 0;
}

/* The application's agent has said that the package is the manager's. It may come
 * back before the package is there, and say so again. */
static enum otter_result reach_manager(struct sending *sending)
{
    enum otter_result result = remote_enter_manager(&sending->remote);

    if (result != OTTER_OK) {
        return result;
    }
    while (!is_manager(sending)) {
        if (!may_retry(sending, OTTER_OK)) {
            return OTTER_E_LINK_TIMEOUT;
        }
    }
    return OTTER_OK;
}

/* The control packet, then the file. */
static enum otter_result deliver(struct sending *sending)
{
    enum otter_result result = offer(sending);

    if (result == OTTER_E_SMP_COMMAND) {
        result = OTTER_OK; /* a device without group 64 */
    }
    sending->start = sending->next;
    sending->was_there = sending->next >= sending->file.size;
    sending->start_ms = host_now_ms();
    if (result == OTTER_OK && !sending->options.offer_only) {
        result = upload(sending);
    }
    return result;
}

static enum otter_result transfer(struct sending *sending)
{
    enum otter_result result = choose_chunk(sending);

    if (result == OTTER_OK && sending->options.wants_restart) {
        result = restart(sending);
    }
    if (result == OTTER_OK) {
        result = deliver(sending);
    }
    while (result == OTTER_E_NEEDS_MANAGER && !sending->options.offer_only) {
        result = reach_manager(sending);
        if (result == OTTER_OK) {
            result = deliver(sending);
        }
    }
    clear_bar(sending);
    return result;
}

/* ---- request, and the end ---- */

static bool is_one_of(const char *text, const char *const *words)
{
    while (*words != NULL && strcmp(text, *words) != 0) {
        words++;
    }
    return *words != NULL;
}

static bool is_idle_phase(const char *phase)
{
    static const char *const idle[] = {"confirmed", "rolled back", "receiving",
                                       "complete", NULL};

    return is_one_of(phase, idle);
}

/* The request is not taken, but perhaps for the reason that it was: its reply was lost,
 * or an earlier send ended after it. Is this package on its way, or does it run? */
static bool is_under_way(struct sending *sending)
{
    struct remote_status status;
    struct remote_outcome outcome;

    if (remote_status(&sending->remote, &status) != OTTER_OK ||
        remote_outcome(&sending->remote, &outcome) != OTTER_OK) {
        return false;
    }
    return !is_idle_phase(status.phase) ||
           (outcome.kind != OTTER_OUTCOME_NONE &&
            memcmp(outcome.id, sending->control.package_id, REMOTE_ID_SIZE) == 0);
}

/* The reset that begins the installation. */
static enum otter_result begin(struct sending *sending)
{
    enum otter_result result;

    do {
        result = remote_begin(&sending->remote);
    } while (result != OTTER_OK && may_retry(sending, result));
    return result == OTTER_E_POLICY ? OTTER_OK : result;
}

static enum otter_result request(struct sending *sending)
{
    bool begins_itself = is_manager(sending); /* and is silent while it installs */
    bool was_lost = false;
    enum otter_result result;

    sending->progress_ms = host_now_ms();
    do {
        result = remote_request(&sending->remote, sending->hash);
        was_lost = was_lost || result == OTTER_E_LINK_TIMEOUT;
    } while (result != OTTER_OK && may_retry(sending, result));
    if (result != OTTER_OK && (was_lost || sending->was_there) &&
        is_under_way(sending)) {
        return OTTER_OK;
    }
    return result != OTTER_OK || begins_itself || sending->options.no_reset
               ? result
               : begin(sending);
}

static int ended(struct sending *sending, const struct remote_outcome *outcome)
{
    if (outcome->kind == OTTER_OUTCOME_CONFIRMED) {
        sending->ending = "confirmed";
        return TOOL_DONE;
    }
    memcpy(sending->code, outcome->code, sizeof(sending->code));
    sending->ending =
        outcome->kind == OTTER_OUTCOME_ROLLED_BACK ? "rolled back" : "failed";
    enum otter_result reason = remote_result_of(outcome->code);

    if (reason != OTTER_OK) {
        (void)complain_code(sending->options.address, reason, TOOL_REFUSED);
    }
    (void)complain("%s: the update ended: %s", sending->options.address,
                   name_of_outcome((uint8_t)outcome->kind));
    return TOOL_REFUSED;
}

/* Follows the device until it is idle again. It may be silent while it installs. */
static int follow(struct sending *sending)
{
    char last[REMOTE_TEXT_MAX] = "";

    sending->progress_ms = host_now_ms();
    while (host_now_ms() - sending->progress_ms < sending->options.timeout_s * 1000) {
        struct remote_status status;
        struct remote_outcome outcome;

        wait_ms(FOLLOW_MS);
        enum otter_result result = remote_status(&sending->remote, &status);

        if (result == OTTER_OK) {
            result = remote_outcome(&sending->remote, &outcome);
        }
        if (result != OTTER_OK) {
            continue;
        }
        if (strcmp(last, status.phase) != 0) {
            memcpy(last, status.phase, sizeof(last));
            sending->progress_ms = host_now_ms();
            if (!sending->options.is_json) {
                (void)printf("%s\n", status.phase);
            }
        }
        if (status.left_s != 0) {
            sending->progress_ms = host_now_ms(); /* the device itself ends the trial */
        }
        if (is_idle_phase(status.phase) && outcome.kind != OTTER_OUTCOME_NONE &&
            memcmp(outcome.id, sending->control.package_id, REMOTE_ID_SIZE) == 0) {
            return ended(sending, &outcome);
        }
    }
    sending->ending = "timeout";
    (void)complain("%s: the device did not finish in time", sending->options.address);
    return TOOL_TIMEOUT;
}

static int failed(struct sending *sending, enum otter_result result)
{
    char code[NAME_CODE_SIZE];
    int status = remote_complain(&sending->remote, result);

    sending->ending = status == TOOL_TIMEOUT ? "timeout" : "refused";
    if (status == TOOL_REFUSED) {
        (void)snprintf(sending->code, sizeof(sending->code), "%s",
                       name_of_code(otter_code(result), code));
    }
    return status;
}

static int run(struct sending *sending)
{
    const struct options *options = &sending->options;
    enum otter_result result = transfer(sending);

    if (result != OTTER_OK) {
        return failed(sending, result);
    }
    sending->ending = options->offer_only ? "offered" : "stored";
    if (options->offer_only || options->no_request) {
        return TOOL_DONE;
    }
    result = request(sending);
    if (result != OTTER_OK) {
        return failed(sending, result);
    }
    sending->ending = "requested";
    return options->wants_end ? follow(sending) : TOOL_DONE;
}

static void report(const struct sending *sending, int status)
{
    double seconds = (double)(host_now_ms() - sending->start_ms) / 1000;

    if (!sending->options.is_json) {
        if (status == TOOL_DONE) {
            (void)printf(
                "%s: %s (%zu bytes from offset %u, %u resumed, %u sent again)\n",
                sending->options.file, sending->ending, sending->file.size,
                (unsigned)sending->start, (unsigned)sending->resumes,
                (unsigned)sending->remote.client.resent);
        }
        return;
    }
    json_t *all = json_pack(
        "{s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:f}", "result", sending->ending, "code",
        sending->code, "status", status, "bytes", (json_int_t)sending->file.size,
        "from", (json_int_t)sending->start, "resumed", (json_int_t)sending->resumes,
        "sent_again", (json_int_t)sending->remote.client.resent, "seconds", seconds);

    (void)json_dumpf(all, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)putchar('\n');
    json_decref(all);
}

/* ---- options ---- */

enum { OPTION_DROP = 1000, OPTION_TWICE, OPTION_SWAP, OPTION_CUT, OPTION_CUT_MS };

static bool take_number(const char *text, uint64_t max, uint32_t *number)
{
    uint64_t wide = 0;

    if (!parse_number(text, max, &wide)) {
        return false;
    }
    *number = (uint32_t)wide;
    return true;
}

/* Options with a number; false if it is none. */
static bool take_value(int name, struct options *options)
{
    struct smp_faults *faults = &options->faults;

    switch (name) {
    case 't':
        return parse_number(optarg, 86400, &options->timeout_s);
    case 'c':
        return parse_number(optarg, MESSAGE_MAX, &options->chunk) &&
               options->chunk != 0;
    case OPTION_DROP:
        return take_number(optarg, UINT32_MAX, &faults->drop);
    case OPTION_TWICE:
        return take_number(optarg, UINT32_MAX, &faults->twice);
    case OPTION_SWAP:
        return take_number(optarg, UINT32_MAX, &faults->swap);
    case OPTION_CUT:
        return take_number(optarg, UINT32_MAX, &faults->cut_bytes);
    case OPTION_CUT_MS:
        return take_number(optarg, 3600000, &faults->cut_ms);
    default:
        return false;
    }
}

static bool take_flag(int name, struct options *options)
{
    bool *flags[] = {
        ['w' - 'a'] = &options->wants_end,  ['r' - 'a'] = &options->wants_restart,
        ['n' - 'a'] = &options->no_request, ['s' - 'a'] = &options->no_reset,
        ['o' - 'a'] = &options->offer_only, ['j' - 'a'] = &options->is_json};
    int index = name - 'a';

    if (index < 0 || (size_t)index >= sizeof(flags) / sizeof(flags[0]) ||
        flags[index] == NULL) {
        return false;
    }
    *flags[index] = true;
    return true;
}

const struct option send_options[] = {
    {"wait", no_argument, NULL, 'w'},
    {"restart", no_argument, NULL, 'r'},
    {"no-request", no_argument, NULL, 'n'},
    {"no-reset", no_argument, NULL, 's'},
    {"offer-only", no_argument, NULL, 'o'},
    {"json", no_argument, NULL, 'j'},
    {"timeout", required_argument, NULL, 't'},
    {"chunk", required_argument, NULL, 'c'},
    {"help", no_argument, NULL, 'h'},
    /* Faults of the link, for tests: docs/TESTING.md. */
    {"link-drop", required_argument, NULL, OPTION_DROP},
    {"link-twice", required_argument, NULL, OPTION_TWICE},
    {"link-swap", required_argument, NULL, OPTION_SWAP},
    {"link-cut", required_argument, NULL, OPTION_CUT},
    {"link-cut-ms", required_argument, NULL, OPTION_CUT_MS},
    {NULL, 0, NULL, 0},
};

static int parse_options(int argc, char **argv, struct options *options)
{
    struct option_walk walk = {.verb = "send", .letters = "h", .options = send_options};

    for (int name; (name = option_next(&walk, argc, argv)) != OPTION_END;) {
        if (name == 'h') {
            (void)help_print("send");
            return -1;
        }
        if (name == OPTION_BAD) {
            return TOOL_USAGE;
        }
        if (!take_flag(name, options) && !take_value(name, options)) {
            return help_usage("send");
        }
    }
    if (argc - optind != 2 || !remote_is_address(argv[optind])) {
        return help_usage("send");
    }
    options->address = argv[optind];
    options->file = argv[optind + 1];
    return remote_check(options->address);
}

int verb_send(int argc, char **argv)
{
    struct sending sending = {.ending = "failed"};
    int status;

    sending.options.timeout_s = TIMEOUT_S;
    sending.options.faults.cut_ms = 5000;
    status = parse_options(argc, argv, &sending.options);
    if (status != TOOL_DONE) {
        return status < 0 ? TOOL_DONE : status;
    }
    status = open_package(&sending);
    if (status == TOOL_DONE && !remote_open(&sending.remote, sending.options.address)) {
        status = TOOL_FAILED;
    }
    if (status == TOOL_DONE) {
        sending.remote.udp.faults = sending.options.faults;
        sending.start_ms = host_now_ms();
        sending.progress_ms = sending.start_ms;
        status = run(&sending);
        report(&sending, status);
        remote_close(&sending.remote);
    }
    bytes_free(&sending.file);
    return status;
}
