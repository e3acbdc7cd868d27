/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing whole files on POSIX.
 */
#include "files.h"

#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_FIRST = 65536, SECRET_MODE = 0600, NEW_MODE = 0666 };

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    bytes->data = NULL;
    bytes->size = 0;
}

static enum otter_result read_bytes(const void *context, uint32_t off, void *data,
                                    size_t len)
{
    const struct bytes *bytes = context;

    if (off > bytes->size || len > bytes->size - off) {
        return OTTER_E_PACKAGE_TRUNCATED;
    }
    if (len > 0) {
        memcpy(data, bytes->data + off, len);
    }
    return OTTER_OK;
}

struct otter_source bytes_source(const struct bytes *bytes)
{
    return (struct otter_source){
        .context = bytes, .size = (uint32_t)bytes->size, .read = read_bytes};
}

/* --- reading --- */

static bool grow(struct bytes *bytes, size_t *capacity)
{
    size_t wanted = *capacity == 0 ? READ_FIRST : *capacity * 2;
    uint8_t *data = realloc(bytes->data, wanted);

    if (data == NULL) {
        return false;
    }
    bytes->data = data;
    *capacity = wanted;
    return true;
}

/* Reads to the end; errno says why it failed. Stops one byte above the limit. */
static bool read_all(int file, size_t limit, struct bytes *bytes)
{
    size_t capacity = 0;

    while (bytes->size <= limit) {
        if (bytes->size == capacity && !grow(bytes, &capacity)) {
            return false;
        }
        ssize_t len = read(file, bytes->data + bytes->size, capacity - bytes->size);

        if (len == 0) {
            return true;
        }
        if (len > 0) {
            bytes->size += (size_t)len;
        } else if (errno != EINTR) {
            return false;
        }
    }
    errno = EFBIG;
    return false;
}

int file_read(const char *path, size_t limit, struct bytes *bytes)
{
    const bool is_stdin = strcmp(path, "-") == 0;
    const int file = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    int status = TOOL_DONE;

    *bytes = (struct bytes){0};
    if (file < 0 || !read_all(file, limit, bytes)) {
        status = complain("%s cannot be read: %s", is_stdin ? "standard input" : path,
                          strerror(errno));
        bytes_free(bytes);
    }
    if (file >= 0 && !is_stdin) {
        (void)close(file);
    }
    return status;
}

/* --- writing --- */

static bool write_all(int file, const void *data, size_t size)
{
    const uint8_t *next = data;

    while (size > 0) {
        ssize_t len = write(file, next, size);

        if (len > 0) {
            next += len;
            size -= (size_t)len;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* Writes, syncs and closes. errno says why it failed. */
static bool write_and_close(int file, const void *data, size_t size, bool is_synced)
{
    bool is_done = write_all(file, data, size) && (!is_synced || fsync(file) == 0);
    const int reason = errno;

    is_done = close(file) == 0 && is_done;
    if (!is_done && reason != 0) {
        errno = reason;
    }
    return is_done;
}

/* Under a name beside the last one, so that the rename stays in one file system. */
static bool replace(const char *path, const void *data, size_t size)
{
    const size_t len = strlen(path) + sizeof(".XXXXXX");
    char *aside = malloc(len);
    int file = -1;
    bool is_done = false;

    if (aside == NULL) {
        return false;
    }
    (void)snprintf(aside, len, "%s.XXXXXX", path);
    file = mkstemp(aside);
    if (file >= 0) {
        const mode_t mask = umask(0);

        (void)umask(mask);
        is_done = fchmod(file, NEW_MODE & ~mask) == 0;
        is_done = write_and_close(file, data, size, true) && is_done &&
                  rename(aside, path) == 0;
        if (!is_done) {
            const int reason = errno;

            (void)unlink(aside);
            errno = reason;
        }
    }
    free(aside);
    return is_done;
}

static bool write_straight(const char *path, const void *data, size_t size)
{
    const int file = open(path, O_WRONLY | O_CLOEXEC);

    return file >= 0 && write_and_close(file, data, size, false);
}

int file_write(const char *path, const void *data, size_t size)
{
    struct stat found;
    char *real = NULL;
    bool is_done = false;

    errno = 0;
    if (strcmp(path, "-") == 0) {
        is_done = fwrite(data, 1, size, stdout) == size && fflush(stdout) == 0;
        return is_done
                   ? TOOL_DONE
                   : complain("standard output cannot be written: %s", strerror(errno));
    }
    if (stat(path, &found) != 0) {
        is_done = replace(path, data, size);
    } else if (!S_ISREG(found.st_mode)) {
        is_done = write_straight(path, data, size);
    } else {
        /* A link stays a link: what it names is replaced. */
        real = realpath(path, NULL);
        is_done = real != NULL && replace(real, data, size);
        free(real);
    }
    return is_done ? TOOL_DONE
                   : complain("%s cannot be written: %s", path, strerror(errno));
}

int file_write_secret(const char *path, const void *data, size_t size)
{
    if (strcmp(path, "-") == 0) {
        return file_write(path, data, size);
    }
    const int file =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, SECRET_MODE);

    if (file < 0 && errno == EEXIST) {
        return complain("%s exists already: it is not overwritten; "
                        "choose another name or remove it",
                        path);
    }
    if (file < 0 || !write_and_close(file, data, size, true)) {
        const int reason = errno;

        if (file >= 0) {
            (void)unlink(path);
        }
        return complain("%s cannot be written: %s", path, strerror(reason));
    }
    return TOOL_DONE;
}

bool parse_number(const char *text, uint64_t max, uint64_t *number)
{
    const bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = is_hex ? text + 2 : text;
    const char *allowed = is_hex ? "0123456789abcdefABCDEF" : "0123456789";

    if (digits[0] == '\0' || digits[strspn(digits, allowed)] != '\0') {
        return false;
    }
    errno = 0;
    const unsigned long long value = strtoull(digits, NULL, is_hex ? 16 : 10);

    if (errno != 0 || value > max) {
        return false;
    }
    *number = value;
    return true;
}
