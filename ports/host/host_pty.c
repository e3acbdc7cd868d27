/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device's side of a serial line: POSIX pseudo-terminals. Facts: POSIX.1-2017,
 * posix_openpt(), grantpt(), unlockpt(), ptsname().
 */
#include "host_pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static bool complain(const char *path)
{
    (void)fprintf(stderr, "otter: %s: %s\n", path, strerror(errno));
    return false;
}

/* Bytes as they are, both ways: no echo, no line that waits for its end. */
static bool make_raw(int line)
{
    struct termios settings;

    if (tcgetattr(line, &settings) != 0) {
        return false;
    }
    cfmakeraw(&settings);
    return tcsetattr(line, TCSANOW, &settings) == 0;
}

static bool replace_link(const char *target, const char *path)
{
    struct stat info;

    if (lstat(path, &info) == 0 && S_ISLNK(info.st_mode)) {
        (void)unlink(path);
    }
    return symlink(target, path) == 0;
}

bool host_pty_open(struct host_pty *pty, const char *path)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY);

    pty->path = NULL;
    pty->line = -1;
    host_serial_attach(&pty->serial, fd);
    if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0) {
        return complain(path);
    }
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    const char *name = ptsname(fd);

    if (name == NULL || (pty->line = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0 ||
        !make_raw(pty->line) || !replace_link(name, path)) {
        bool is_open = complain(path);

        host_pty_close(pty);
        return is_open;
    }
    pty->path = path;
    return true;
}

void host_pty_close(struct host_pty *pty)
{
    if (pty->path != NULL) {
        (void)unlink(pty->path);
        pty->path = NULL;
    }
    if (pty->line >= 0) {
        (void)close(pty->line);
        pty->line = -1;
    }
    host_serial_close(&pty->serial);
}
