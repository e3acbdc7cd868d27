/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the command that signs, with a limit of time and of output, and looks at what it
 * gives.
 *
 * Facts: POSIX (fork, process groups, terminals), RFC 3279 2.2.3 (DER of a signature).
 */
#include "sign_with.h"

#include "keys.h"
#include "names.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    OUTPUT_MAX = 512, /* more than any signature */
    PAUSE_MS = 10,
    STATUS_NO_COMMAND = 127,
};

/* A command that runs. */
struct running {
    pid_t pid;
    int to, from;    /* its standard input and output; -1: closed */
    int terminal;    /* -1: it was not given one */
    uint64_t end_ms; /* of its time */
    uint8_t output[OUTPUT_MAX];
    size_t len;
};

static uint64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void close_end(int *end)
{
    if (*end >= 0) {
        (void)close(*end);
        *end = -1;
    }
}

/* --- start and end --- */

/* The command has a process group of its own, so that its time can end for all that it
 * starts; so that it may ask for a PIN, this group has the terminal for that time, if
 * it was ours. */
static void open_terminal(struct running *running)
{
    running->terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (running->terminal >= 0 && tcgetpgrp(running->terminal) != getpgrp()) {
        close_end(&running->terminal);
    }
}

/* Whoever takes it is in the background for a moment. */
static void take_terminal(const struct running *running)
{
    if (running->terminal >= 0) {
        void (*before)(int) = signal(SIGTTOU, SIG_IGN);

        (void)tcsetpgrp(running->terminal, getpgrp());
        (void)signal(SIGTTOU, before);
    }
}

/* In the child; does not return. */
static void exec_command(const struct external_signer *signer, const uint8_t *digest,
                         const struct running *running, int in, int out)
{
    char hex[2 * OTTER_SHA256_SIZE + 1];

    (void)setpgid(0, 0);
    take_terminal(running);
    (void)signal(SIGPIPE, SIG_DFL);
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        setenv("OTTER_DIGEST", hex_of(digest, OTTER_SHA256_SIZE, hex), 1) != 0 ||
        setenv("OTTER_KEY_ID", hex_of(signer->key.id, OTTER_KEY_ID_SIZE, hex), 1) !=
            0) {
        _exit(STATUS_NO_COMMAND);
    }
    (void)execl("/bin/sh", "sh", "-c", signer->command, (char *)NULL);
    _exit(STATUS_NO_COMMAND);
}

static bool start(const struct external_signer *signer, const uint8_t *digest,
                  struct running *running)
{
    int in[2] = {-1, -1};
    int out[2] = {-1, -1};

    open_terminal(running);
    if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0) {
        running->pid = fork();
    }
    if (running->pid == 0) {
        exec_command(signer, digest, running, in[0], out[1]);
    }
    close_end(&in[0]);
    close_end(&out[1]);
    running->to = in[1];
    running->from = out[0];
    if (running->pid < 0) {
        close_end(&running->to);
        close_end(&running->from);
        close_end(&running->terminal);
        return false;
    }
    (void)setpgid(running->pid, running->pid);
    running->end_ms = now_ms() + (uint64_t)signer->timeout_s * 1000;
    return true;
}

/* --- while it runs --- */

/* Reads to the end of the output; false: there was no time, or too much output. */
static bool read_output(struct running *running)
{
    struct pollfd waited = {.fd = running->from, .events = POLLIN};

    for (;;) {
        const uint64_t now = now_ms();

        if (now >= running->end_ms || running->len == OUTPUT_MAX) {
            return false;
        }
        if (poll(&waited, 1, (int)(running->end_ms - now)) <= 0) {
            continue;
        }
        const ssize_t len = read(running->from, running->output + running->len,
                                 OUTPUT_MAX - running->len);

        if (len == 0) {
            return true;
        }
        if (len > 0) {
            running->len += (size_t)len;
        } else if (errno != EINTR) {
            return false;
        }
    }
}

/* Waits for the end; false: its time is over. */
static bool wait_for_end(const struct running *running, int *wait_status)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};

    while (waitpid(running->pid, wait_status, WNOHANG) == 0) {
        if (now_ms() >= running->end_ms) {
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

static int judge_end(const char *command, int wait_status)
{
    if (WIFSIGNALED(wait_status)) {
        return complain("--sign-with: the command was ended by signal %d: %s",
                        WTERMSIG(wait_status), command);
    }
    if (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status) != 0) {
        return complain("--sign-with: the command failed with status %d: %s",
                        WEXITSTATUS(wait_status), command);
    }
    return TOOL_DONE;
}

static int run(const struct external_signer *signer, const uint8_t *digest,
               struct running *running)
{
    int wait_status = 0;

    if (!start(signer, digest, running)) {
        return complain("--sign-with: the command cannot be started: %s",
                        strerror(errno));
    }
    /* A command may leave its input alone. */
    (void)!write(running->to, digest, OTTER_SHA256_SIZE);
    close_end(&running->to);
    const bool is_read = read_output(running);
    const bool is_ended = is_read && wait_for_end(running, &wait_status);

    if (!is_ended) {
        (void)kill(-running->pid, SIGKILL);
        (void)waitpid(running->pid, &wait_status, 0);
    }
    take_terminal(running);
    close_end(&running->terminal);
    close_end(&running->from);
    if (is_ended) {
        return judge_end(signer->command, wait_status);
    }
    return running->len == OUTPUT_MAX
               ? complain("--sign-with: the command gives more than a signature: %s",
                          signer->command)
               : complain("--sign-with: the command did not end within %u s: %s",
                          signer->timeout_s, signer->command);
}

/* --- what it gave --- */

/* The output may be read in two ways; the key says which one is meant. */
static int take_signature(const struct external_signer *signer, const uint8_t *digest,
                          const struct running *running, uint8_t *signature)
{
    uint8_t read[OTTER_P256_SIGNATURE_SIZE];
    const bool is_der = key_signature_of_der(running->output, running->len, read);
    char id[2 * OTTER_KEY_ID_SIZE + 1];

    if (running->len != sizeof(read) && !is_der) {
        return complain("--sign-with: the command gave %zu bytes, which are no "
                        "signature: neither r and s (64 bytes) nor DER: %s",
                        running->len, signer->command);
    }
    if (!is_der || !key_has_signed(&signer->key, digest, read)) {
        memcpy(read, running->output, running->len == sizeof(read) ? sizeof(read) : 0);
    }
    if (!key_has_signed(&signer->key, digest, read)) {
        return complain("--sign-with: the signature is not by the key %s of %s: %s",
                        hex_of(signer->key.id, OTTER_KEY_ID_SIZE, id),
                        signer->public_path, signer->command);
    }
    memcpy(signature, read, sizeof(read));
    return TOOL_DONE;
}

int external_signer_load(struct external_signer *signer)
{
    if (signer->public_path == NULL) {
        return complain_usage(
            "--sign-with needs --public: the key's public half, which "
            "checks the signature");
    }
    return key_load_public(signer->public_path, &signer->key);
}

int external_signer_sign(const struct external_signer *signer,
                         const uint8_t digest[OTTER_SHA256_SIZE],
                         uint8_t signature[OTTER_P256_SIGNATURE_SIZE])
{
    struct running running = {.pid = -1, .to = -1, .from = -1, .terminal = -1};
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    const int status = run(signer, digest, &running);

    (void)signal(SIGPIPE, before);
    return status == TOOL_DONE ? take_signature(signer, digest, &running, signature)
                               : status;
}
