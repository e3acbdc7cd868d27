/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter device: makes, runs, cuts and describes virtual devices that are directories.
 * docs/man/otter-device.1.scd.
 */
#include "device_new.h"
#include "help.h"
#include "host_pty.h"
#include "names.h"
#include "options.h"
#include "say.h"
#include "udp_link.h"
#include "verbs.h"
#include "virtual.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int bad_usage(void)
{
    return help_usage("device");
}

/* --- run --- */

enum {
    WAIT_MS = 20,       /* real time between looks at the clock */
    LEAP_MAX_MS = 1000, /* device time that may pass between two polls: less than any
                           watchdog's period */
};

struct run_options {
    const char *directory;
    const char *udp;
    const char *serial;
    const char *cut;
    enum vdevice_app app;
    enum vdevice_app app_old;
    bool has_button;
    unsigned long time_scale;
    unsigned long seconds; /* 0: no limit */
};

/* Real time for a device that serves a link. */
struct run_clock {
    struct timespec start;
    uint64_t last_ms; /* real time at the last leap, since start */
    uint64_t end_ms;  /* 0: no limit */
    unsigned long scale;
    int fd; /* of the link */
};

static volatile sig_atomic_t is_ended;

static void end_run(int number)
{
    (void)number;
    is_ended = 1;
}

static uint64_t elapsed_ms(const struct run_clock *clock)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ms = (int64_t)(now.tv_sec - clock->start.tv_sec) * 1000 +
                 (now.tv_nsec - clock->start.tv_nsec) / 1000000;

    return (uint64_t)ms;
}

/* Waits for a message, for a while, and lets the device's time pass. */
static bool wait_for_message(void *context, struct vdevice *device)
{
    struct run_clock *clock = context;
    struct pollfd waited = {.fd = clock->fd, .events = POLLIN};
    int wait_ms = clock->scale >= LEAP_MAX_MS ? 1 : (int)(LEAP_MAX_MS / clock->scale);

    if (is_ended != 0) {
        return false;
    }
    (void)poll(&waited, 1, wait_ms < WAIT_MS ? wait_ms : WAIT_MS);
    uint64_t now_ms = elapsed_ms(clock);
    uint64_t leap = (now_ms - clock->last_ms) * clock->scale;

    clock->last_ms = now_ms;
    device->clock_ms += (uint32_t)(leap < LEAP_MAX_MS ? leap : LEAP_MAX_MS);
    return is_ended == 0 && (clock->end_ms == 0 || now_ms < clock->end_ms);
}

static bool read_number(const char *text, unsigned long least, unsigned long most,
                        unsigned long *number)
{
    char *end = NULL;

    errno = 0;
    *number = strtoul(text, &end, 0);
    if (end == text || *end != '\0' || text[0] == '-' || errno != 0 ||
        *number < least || *number > most) {
        (void)complain("\"%s\" is not a number from %lu to %lu", text, least, most);
        return false;
    }
    return true;
}

static int take_run_option(int name, struct run_options *options)
{
    switch (name) {
    case 'u':
        options->udp = optarg;
        return TOOL_DONE;
    case 'l':
        options->serial = optarg;
        return TOOL_DONE;
    case 'a':
        return virtual_parse_app(optarg, &options->app);
    case 'o':
        return virtual_parse_app(optarg, &options->app_old);
    case 'b':
        options->has_button = true;
        return TOOL_DONE;
    case 'c':
        options->cut = optarg;
        return TOOL_DONE;
    case 't':
        return read_number(optarg, 1, 100000, &options->time_scale) ? TOOL_DONE
                                                                    : TOOL_USAGE;
    case 's':
        return read_number(optarg, 1, 1000000, &options->seconds) ? TOOL_DONE
                                                                  : TOOL_USAGE;
    default:
        return TOOL_USAGE;
    }
}

const struct option device_run_options[] = {
    {"udp", required_argument, NULL, 'u'},
    {"serial", required_argument, NULL, 'l'},
    {"app", required_argument, NULL, 'a'},
    {"app-old", required_argument, NULL, 'o'},
    {"button", no_argument, NULL, 'b'},
    {"cut", required_argument, NULL, 'c'},
    {"time-scale", required_argument, NULL, 't'},
    {"seconds", required_argument, NULL, 's'},
    {NULL, 0, NULL, 0},
};

static int parse_run(int argc, char **argv, struct run_options *options)
{
    struct option_walk walk = {
        .verb = "device", .letters = "", .options = device_run_options};

    for (int name; (name = option_next(&walk, argc, argv)) != OPTION_END;) {
        int status = take_run_option(name, options);

        if (status != TOOL_DONE) {
            return status;
        }
    }
    if (argc - optind != 1) {
        return bad_usage();
    }
    if (options->udp != NULL && options->serial != NULL) {
        return complain_usage("device run serves --udp or --serial, not both");
    }
    options->directory = argv[optind];
    return TOOL_DONE;
}

/* What the end of a run means for the caller. */
static int report_end(const struct vdevice *device, enum vdevice_end end)
{
    char code[NAME_CODE_SIZE];

    switch (end) {
    case VDEVICE_CUT:
        (void)printf("power cut at flash operation %u\n", device->flash.fault.at_op);
        return TOOL_DONE;
    case VDEVICE_NOTHING:
        (void)printf("nothing runs [%s] %s\n", name_of_code(device->code, code),
                     text_of_code(device->code));
        return TOOL_FAILED;
    case VDEVICE_BROKEN:
        (void)printf("defect: %s\n", device->defect);
        return TOOL_FAILED;
    case VDEVICE_HUNG:
        (void)printf("the application hangs\n");
        return TOOL_FAILED;
    case VDEVICE_IDLE:
    case VDEVICE_STOPPED:
        break;
    }
    (void)printf("power off after %u flash operations\n", device->flash.op);
    return TOOL_DONE;
}

static int power_on(struct virtual_device *device, const struct run_options *options)
{
    struct vflash_fault fault = {.kind = VFLASH_NONE};
    int status = TOOL_DONE;

    if (options->cut != NULL) {
        status = virtual_parse_cut(options->cut, device->seed, &fault);
    }
    if (status != TOOL_DONE) {
        return status;
    }
    device->device.app = options->app;
    device->device.app_old = options->app_old;
    device->device.wants_manager = options->has_button;
    virtual_print_events(&device->device, false);
    virtual_settle_card(device);
    status = report_end(&device->device, vdevice_power_on(&device->device, fault));
    vdevice_power_off(&device->device);
    virtual_settle_card(device);
    return status;
}

/* Serves a link, of which `fd` tells when a message is there, until a signal, a cut or
 * the end of its time. */
static int serve(struct virtual_device *device, const struct run_options *options,
                 const struct otter_link *link, int fd)
{
    const struct sigaction action = {.sa_handler = end_run};
    struct run_clock clock = {
        .scale = options->time_scale,
        .end_ms = (uint64_t)options->seconds * 1000,
        .fd = fd,
    };

    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)clock_gettime(CLOCK_MONOTONIC, &clock.start);
    device->device.link = link;
    device->device.hooks.context = &clock;
    device->device.hooks.idle = wait_for_message;
    (void)fflush(stdout);
    int status = power_on(device, options);

    device->device.link = NULL; /* they end with this function */
    device->device.hooks = (struct vdevice_hooks){0};
    return status;
}

static int serve_udp(struct virtual_device *device, const struct run_options *options)
{
    struct host_udp udp;
    char host[HOST_UDP_HOST_MAX];
    uint16_t port = 0;

    if (!host_udp_parse(options->udp, host, &port) ||
        !host_udp_listen(&udp, options->udp)) {
        (void)complain("%s: cannot listen there", options->udp);
        return TOOL_FAILED;
    }
    (void)printf(strchr(host, ':') != NULL ? "listening on udp://[%s]:%u\n"
                                           : "listening on udp://%s:%u\n",
                 host, udp.port);
    int status = serve(device, options, &udp.link, udp.socket);

    host_udp_close(&udp);
    return status;
}

/* As a board with a serial console. */
static int serve_serial(struct virtual_device *device,
                        const struct run_options *options)
{
    struct host_pty pty;

    if (!host_pty_open(&pty, options->serial)) {
        return TOOL_FAILED;
    }
    (void)printf("listening on serial://%s\n", options->serial);
    int status = serve(device, options, &pty.serial.link, pty.serial.fd);

    host_pty_close(&pty);
    return status;
}

static int device_run(int argc, char **argv)
{
    struct run_options options = {.time_scale = 1};
    struct virtual_device device;
    int status = parse_run(argc, argv, &options);

    if (status == TOOL_DONE) {
        status = virtual_open(&device, options.directory);
    }
    if (status != TOOL_DONE) {
        return status;
    }
    status = options.udp != NULL      ? serve_udp(&device, &options)
             : options.serial != NULL ? serve_serial(&device, &options)
                                      : power_on(&device, &options);
    virtual_close(&device);
    return status;
}

/* --- cut and info --- */

static int device_cut(int argc, char **argv)
{
    return argc == 2 && argv[1][0] != '-' ? virtual_kill(argv[1]) : bad_usage();
}

const struct option device_info_options[] = {
    {"json", no_argument, NULL, 'j'},
    {NULL, 0, NULL, 0},
};

static int device_info(int argc, char **argv)
{
    struct option_walk walk = {
        .verb = "device", .letters = "", .options = device_info_options};
    bool is_json = false;
    struct virtual_device device;

    for (int name; (name = option_next(&walk, argc, argv)) != OPTION_END;) {
        if (name == OPTION_BAD) {
            return TOOL_USAGE;
        }
        is_json = true;
    }
    if (argc - optind != 1) {
        return bad_usage();
    }
    int status = virtual_open(&device, argv[optind]);

    if (status != TOOL_DONE) {
        return status;
    }
    json_t *described = virtual_describe(&device.device, true);

    if (is_json) {
        (void)json_dumpf(described, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        (void)printf("\n");
    } else {
        virtual_print(described);
    }
    json_decref(described);
    virtual_close(&device);
    return TOOL_DONE;
}

/* --- the verb --- */

int verb_device(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } actions[] = {
        {"new", device_new},
        {"run", device_run},
        {"cut", device_cut},
        {"info", device_info},
    };

    const char *last = argv[argc - 1];

    if (argc >= 2 && (strcmp(last, "--help") == 0 || strcmp(last, "-h") == 0)) {
        return help_print("device");
    }
    for (size_t i = 0; argc >= 2 && i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(argv[1], actions[i].name) == 0) {
            return actions[i].run(argc - 1, argv + 1);
        }
    }
    return bad_usage();
}
