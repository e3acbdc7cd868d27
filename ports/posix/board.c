/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The board port: processes that execute one another. The environment is the memory
 * that survives a reset, though no loss of power: killing the process is one.
 */
#include "otter/port/board.h"

#include "crypto_bearssl.h"
#include "inflate_zlib.h"
#include "otter/bytes.h"
#include "otter/memory_map.h"
#include "port.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 16, HEAD_SIZE_AT = 8, SPEED_MAX = 1000, SLICE_MS = 20 };

/* Variables of the environment; only their digits change, also in a handler. */
static char cause_text[] = "OTTER_BOARD_CAUSE=0";
static char manager_text[] = "OTTER_BOARD_MANAGER=0";
static char watchdog_text[] = "OTTER_BOARD_WATCHDOG=00000000"; /* ms of the machine */
static char boot_path[PATH_MAX];
static enum otter_reset_cause cause; /* of this run */
static uint32_t speed = 1;

/* The number at the end of a variable, in `digits` digits. */
static void set_number(char *text, size_t size, int digits, uint32_t number)
{
    for (char *at = text + size - 2; digits > 0; digits--, at--) {
        *at = (char)('0' + number % 10);
        number /= 10;
    }
}

static uint32_t number_of(const char *name)
{
    const char *text = getenv(name);

    return text != NULL ? (uint32_t)strtoul(text, NULL, 10) : 0;
}

/* --- time --- */

static uint64_t machine_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint32_t board_time_ms(void *context)
{
    (void)context;
    return (uint32_t)(machine_ms() * speed);
}

static uint32_t real_ms(uint32_t ms)
{
    return ms / speed > 0 ? ms / speed : 1;
}

/* --- resets --- */

static uint32_t watchdog_ms; /* of the machine; 0: it does not run */

static void set_watchdog(uint32_t ms)
{
    watchdog_ms = ms;
    set_number(watchdog_text, sizeof(watchdog_text), 8, ms);
}

static void arm(uint32_t ms)
{
    const struct itimerval timer = {
        .it_value = {.tv_sec = ms / 1000, .tv_usec = 1000L * (long)(ms % 1000)}};

    (void)setitimer(ITIMER_REAL, &timer, NULL);
}

static _Noreturn void reset(enum otter_reset_cause why)
{
    static char name[] = "boot";
    char *const arguments[] = {name, NULL};

    arm(0); /* a reset stops the watchdog */
    set_watchdog(0);
    set_number(cause_text, sizeof(cause_text), 1, (uint32_t)why);
    (void)execv(boot_path, arguments);
    _exit(EXIT_FAILURE);
}

static void on_signal(int number)
{
    reset(number == SIGALRM ? OTTER_RESET_WATCHDOG : OTTER_RESET_FAULT);
}

static enum otter_reset_cause board_reset_cause(void *context)
{
    (void)context;
    return cause;
}

static bool board_wants_manager(void *context)
{
    (void)context;
    return manager_text[sizeof(manager_text) - 2] == '1';
}

static void board_request_manager(void *context, bool wanted)
{
    (void)context;
    set_number(manager_text, sizeof(manager_text), 1, wanted);
}

static bool board_allows_update(void *context)
{
    (void)context;
    return true;
}

static void board_reset(void *context)
{
    (void)context;
    reset(OTTER_RESET_SOFTWARE);
}

static void board_watchdog_start(void *context, uint32_t period_ms)
{
    (void)context;
    set_watchdog(real_ms(period_ms));
    arm(watchdog_ms);
}

static void board_watchdog_feed(void *context)
{
    (void)context;
    if (watchdog_ms != 0) {
        arm(watchdog_ms);
    }
}

static void board_report(void *context, uint16_t code)
{
    (void)context;
    (void)fprintf(stderr, "board: [%02u-%02u]\n", (unsigned)code >> 8, code & 0xFFU);
}

const struct otter_board port_board = {
    .time_ms = board_time_ms,
    .reset_cause = board_reset_cause,
    .wants_manager = board_wants_manager,
    .request_manager = board_request_manager,
    .allows_update = board_allows_update,
    .reset = board_reset,
    .watchdog_start = board_watchdog_start,
    .watchdog_feed = board_watchdog_feed,
    .report = board_report,
};

const struct otter_ports port_ports = {
    .flash = &port_flash,
    .board = &port_board,
    .crypto = &otter_crypto_bearssl,
    .inflate = &otter_inflate_zlib,
    .table_addr = OTTER_TABLE_ADDR,
    .table_size = OTTER_TABLE_SIZE,
};

/* --- programs --- */

static void catch_signals(void)
{
    static const int numbers[] = {SIGALRM, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t none;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        (void)sigaction(numbers[i], &action, NULL);
    }
    (void)sigemptyset(&none); /* the handler of the former program blocked its signal */
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Boot's own file, which the first process of the board is. */
static void find_boot(void)
{
    const char *known = getenv("OTTER_BOARD_BOOT");

    if (known == NULL) {
        ssize_t len = readlink("/proc/self/exe", boot_path, sizeof(boot_path) - 1);

        boot_path[len > 0 ? len : 0] = '\0';
        (void)setenv("OTTER_BOARD_BOOT", boot_path, 1);
    } else {
        (void)snprintf(boot_path, sizeof(boot_path), "%s", known);
    }
}

void port_init(void)
{
    uint32_t wanted = number_of("OTTER_BOARD_SPEED");

    speed = wanted >= 1 && wanted <= SPEED_MAX ? wanted : 1;
    cause = (enum otter_reset_cause)number_of("OTTER_BOARD_CAUSE");
    set_number(manager_text, sizeof(manager_text), 1,
               number_of("OTTER_BOARD_MANAGER") == 1);
    set_number(cause_text, sizeof(cause_text), 1, (uint32_t)cause);
    set_watchdog(number_of("OTTER_BOARD_WATCHDOG"));
    (void)putenv(cause_text);
    (void)putenv(manager_text);
    (void)putenv(watchdog_text);
    find_boot();
    catch_signals();
    port_open_flash();
}

/* A copy in memory of the executable behind an image's head; -1 if there is none. */
static int load(const struct otter_boot_result *chosen)
{
    enum { PIECE = 4096 };
    uint8_t bytes[PIECE];
    uint32_t addr = chosen->addr + HEAD;

    if (port_flash.read(NULL, chosen->addr, bytes, HEAD) != OTTER_OK) {
        return -1;
    }
    uint32_t left = otter_load_le32(bytes + HEAD_SIZE_AT);
    int file = memfd_create("program", MFD_CLOEXEC);

    while (file >= 0 && left > 0) {
        uint32_t len = left < PIECE ? left : PIECE;

        if (port_flash.read(NULL, addr, bytes, len) != OTTER_OK ||
            write(file, bytes, len) != (ssize_t)len) {
            (void)close(file);
            return -1;
        }
        addr += len;
        left -= len;
    }
    return file;
}

/* Returns only if the image is no program of this machine. */
void port_start(const struct otter_boot_result *chosen)
{
    static char manager_name[] = "manager";
    static char application_name[] = "application";
    char *const arguments[] = {
        chosen->target == OTTER_BOOT_TO_MANAGER ? manager_name : application_name,
        NULL};
    int file = load(chosen);

    if (file >= 0) {
        (void)fexecve(file, arguments, environ);
        (void)close(file);
    }
    (void)fputs("board: what lies there is no program of this machine\n", stderr);
}

void port_wait(uint32_t ms)
{
    uint64_t end_ms = machine_ms() + real_ms(ms);

    for (;;) {
        uint64_t now_ms = machine_ms();

        board_watchdog_feed(NULL);
        if (now_ms >= end_ms) {
            return;
        }
        uint64_t left_ms = end_ms - now_ms;
        const struct timespec slice = {
            .tv_nsec = 1000000L * (long)(left_ms < SLICE_MS ? left_ms : SLICE_MS)};

        (void)nanosleep(&slice, NULL);
    }
}
