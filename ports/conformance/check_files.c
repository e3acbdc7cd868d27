/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of the files port (otter/port/files.h) on a real card, in the folder `otter`:
 * what otter asks of files, names and folders, with files of some KB that are removed
 * at the end. That what was synced outlives a reset is tried with the resets; that it
 * outlives lost power, and that a card may be pulled out, a person has to try.
 */
#include "check_inner.h"

#include <stddef.h>
#include <string.h>

#define FOLDER  "otter"
#define FIRST   FOLDER "/check.0"
#define SECOND  FOLDER "/check.1"
#define RENAMED FOLDER "/check.2"
#define KEPT    FOLDER "/check.3"

enum {
    SIZE = 3001, /* no multiple of anything */
    STEP = 97,   /* the same */
    SALT_FIRST = 0x21,
    SALT_SECOND = 0x53,
    ENTRIES_MAX = 1000, /* in a folder of a card that ends */
};

static const struct otter_files *files_of(const struct port_check *check)
{
    return check->ports->files;
}

/* As strcmp() of a library that boards need not have. */
static bool is_same(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* The result of a call that fails a check. */
static enum check_verdict fail(struct port_check *check, enum otter_result result)
{
    return port_check_fail_number(check, otter_code(result),
                                  "is the code, 256 XX + YY");
}

static enum check_verdict expect(struct port_check *check, enum otter_result result,
                                 enum otter_result wanted)
{
    return result == wanted ? CHECK_PASSED : fail(check, result);
}

/* Bytes from `off` on as `salt` has them. */
static void fill(struct port_check *check, uint32_t off, uint32_t size, uint8_t salt)
{
    for (uint32_t i = 0; i < size; i++) {
        check->data[i] = port_check_byte(off + i, salt);
    }
}

/* Writes the file's next bytes up to `end`, in pieces of odd sizes. */
static enum otter_result write_to(struct port_check *check, int file, uint32_t from,
                                  uint32_t end, uint8_t salt)
{
    const struct otter_files *files = files_of(check);
    enum otter_result result = OTTER_OK;

    for (uint32_t size = 1; from < end && result == OTTER_OK; size = size % STEP + 8) {
        uint32_t len = size < end - from ? size : end - from;

        port_check_feed(check);
        fill(check, from, len, salt);
        result = files->write(files->context, file, from, check->data, len);
        from += len;
    }
    return result;
}

/* Reads an open file in pieces, from its end to its start; a buffer has a byte too many
 * at either end, which stay as they are. */
static enum check_verdict compare(struct port_check *check, int file, uint32_t size,
                                  uint8_t salt)
{
    enum { MARK = 0xC5 };
    const struct otter_files *files = files_of(check);
    uint32_t told = 0;
    enum otter_result result = files->size(files->context, file, &told);

    if (result != OTTER_OK || told != size) {
        return result != OTTER_OK ? fail(check, result)
                                  : port_check_fail_number(check, told, "bytes");
    }
    for (uint32_t end = size; end > 0;) {
        uint32_t len = end < STEP ? end : STEP;

        end -= len;
        port_check_feed(check);
        memset(check->data, MARK, STEP + 2);
        result = files->read(files->context, file, end, check->data + 1, len);
        if (result != OTTER_OK) {
            return fail(check, result);
        }
        if (check->data[0] != MARK || check->data[len + 1] != MARK) {
            return port_check_fail_number(check, end, "is the offset");
        }
        for (uint32_t i = 0; i < len; i++) {
            if (check->data[i + 1] != port_check_byte(end + i, salt)) {
                return port_check_fail_number(check, end + i, "is the offset");
            }
        }
    }
    return CHECK_PASSED;
}

/* Makes a file and closes it. */
static enum otter_result make(struct port_check *check, const char *path, uint32_t size,
                              uint8_t salt)
{
    const struct otter_files *files = files_of(check);
    int file = 0;
    enum otter_result result = files->open(files->context, path, OTTER_FILE_NEW, &file);

    if (result != OTTER_OK) {
        return result;
    }
    result = write_to(check, file, 0, size, salt);
    enum otter_result closed = files->close(files->context, file);

    return result != OTTER_OK ? result : closed;
}

static enum check_verdict read_back(struct port_check *check, const char *path,
                                    uint32_t size, uint8_t salt)
{
    const struct otter_files *files = files_of(check);
    int file = 0;
    enum otter_result result =
        files->open(files->context, path, OTTER_FILE_READ, &file);

    if (result != OTTER_OK) {
        return fail(check, result);
    }
    enum check_verdict verdict = compare(check, file, size, salt);

    result = files->close(files->context, file);
    return verdict == CHECK_PASSED ? expect(check, result, OTTER_OK) : verdict;
}

static enum otter_result look_for(struct port_check *check, const char *path)
{
    const struct otter_files *files = files_of(check);
    int file = 0;
    enum otter_result result =
        files->open(files->context, path, OTTER_FILE_READ, &file);

    if (result == OTTER_OK) {
        result = files->close(files->context, file);
    }
    return result;
}

/* --- the checks, in their order --- */

static enum check_verdict check_folder(struct port_check *check)
{
    static const char *const leftovers[] = {FIRST, SECOND, RENAMED, KEPT};
    const struct otter_files *files = files_of(check);
    enum otter_result result = files->make_folder(files->context, FOLDER);

    for (size_t i = 0; i < sizeof(leftovers) / sizeof(leftovers[0]); i++) {
        (void)!files->remove(files->context, leftovers[i]);
    }
    return result != OTTER_OK
               ? fail(check, result)
               : expect(check, files->make_folder(files->context, FOLDER), OTTER_OK);
}

static enum check_verdict check_missing(struct port_check *check)
{
    const struct otter_files *files = files_of(check);
    enum check_verdict verdict =
        expect(check, look_for(check, FIRST), OTTER_E_CARD_NOT_FOUND);

    return verdict == CHECK_PASSED ? expect(check, files->remove(files->context, FIRST),
                                            OTTER_E_CARD_NOT_FOUND)
                                   : verdict;
}

static enum check_verdict check_content(struct port_check *check)
{
    enum otter_result result = make(check, FIRST, SIZE, SALT_FIRST);

    return result == OTTER_OK ? read_back(check, FIRST, SIZE, SALT_FIRST)
                              : fail(check, result);
}

static enum check_verdict check_new(struct port_check *check)
{
    enum otter_result result = make(check, FIRST, 0, 0);
    enum check_verdict verdict =
        result == OTTER_OK ? read_back(check, FIRST, 0, 0) : fail(check, result);

    return verdict == CHECK_PASSED ? check_content(check) : verdict;
}

/* One is read while the other grows, and both are whole afterwards. */
static enum check_verdict check_two(struct port_check *check)
{
    const struct otter_files *files = files_of(check);
    int from = 0;
    int to = 0;
    enum otter_result result =
        files->open(files->context, FIRST, OTTER_FILE_READ, &from);
    enum check_verdict verdict = CHECK_PASSED;

    if (result != OTTER_OK) {
        return fail(check, result);
    }
    result = files->open(files->context, SECOND, OTTER_FILE_NEW, &to);
    if (result == OTTER_OK) {
        for (uint32_t at = 0;
             at < SIZE && result == OTTER_OK && verdict == CHECK_PASSED;
             at += SIZE / 4 + 1) {
            uint32_t end = at + SIZE / 4 + 1 < SIZE ? at + SIZE / 4 + 1 : SIZE;

            result = write_to(check, to, at, end, SALT_SECOND);
            verdict = compare(check, from, SIZE, SALT_FIRST);
        }
        enum otter_result closed = files->close(files->context, to);

        result = result == OTTER_OK ? closed : result;
    }
    enum otter_result closed = files->close(files->context, from);

    result = result == OTTER_OK ? closed : result;
    if (result != OTTER_OK || verdict != CHECK_PASSED) {
        return result != OTTER_OK ? fail(check, result) : verdict;
    }
    return read_back(check, SECOND, SIZE, SALT_SECOND);
}

static enum check_verdict check_rename(struct port_check *check)
{
    const struct otter_files *files = files_of(check);
    enum otter_result result = files->rename(files->context, SECOND, RENAMED);

    if (result != OTTER_OK) {
        return fail(check, result);
    }
    enum check_verdict verdict =
        expect(check, look_for(check, SECOND), OTTER_E_CARD_NOT_FOUND);

    return verdict == CHECK_PASSED ? read_back(check, RENAMED, SIZE, SALT_SECOND)
                                   : verdict;
}

/* How often an entry is listed, and the bytes of the last one; -1 on a failure. */
static int32_t count_entries(struct port_check *check, const char *folder,
                             const char *name, bool is_folder, uint32_t *size)
{
    const struct otter_files *files = files_of(check);
    struct otter_file_entry entry;
    int32_t count = 0;

    for (uint32_t i = 0; i < ENTRIES_MAX; i++) {
        enum otter_result result = files->list(files->context, folder, i, &entry);

        port_check_feed(check);
        if (result != OTTER_OK) {
            return result == OTTER_E_CARD_NOT_FOUND ? count : -1;
        }
        if (is_same(entry.name, name) && entry.is_folder == is_folder) {
            *size = entry.size;
            count++;
        }
    }
    return -1;
}

static enum check_verdict check_list(struct port_check *check)
{
    uint32_t size = 0;

    if (count_entries(check, FOLDER, "check.0", false, &size) != 1 || size != SIZE ||
        count_entries(check, FOLDER, "check.2", false, &size) != 1 || size != SIZE) {
        return port_check_fail_number(check, size, "bytes, or not listed once");
    }
    return port_check_verdict(count_entries(check, FOLDER, "check.1", false, &size) ==
                                  0 &&
                              count_entries(check, "", FOLDER, true, &size) == 1);
}

static enum check_verdict check_long_name(struct port_check *check)
{
    const struct otter_files *files = files_of(check);
    char path[OTTER_PATH_SIZE];

    memset(path, 'n', OTTER_PATH_MAX);
    memcpy(path, FOLDER "/", sizeof(FOLDER));
    path[OTTER_PATH_MAX] = '\0';
    enum otter_result result = make(check, path, STEP, SALT_FIRST);

    if (result != OTTER_OK) {
        return fail(check, result);
    }
    enum check_verdict verdict = read_back(check, path, STEP, SALT_FIRST);

    result = files->remove(files->context, path);
    return verdict == CHECK_PASSED ? expect(check, result, OTTER_OK) : verdict;
}

/* What is written does not make more of it. */
static enum check_verdict check_free(struct port_check *check)
{
    const struct otter_files *files = files_of(check);
    uint32_t before = 0;
    uint32_t after = 0;
    enum otter_result result = files->free_bytes(files->context, &before);

    if (result == OTTER_OK) {
        result = make(check, SECOND, SIZE, SALT_SECOND);
    }
    if (result == OTTER_OK) {
        result = files->free_bytes(files->context, &after);
    }
    if (result != OTTER_OK) {
        return fail(check, result);
    }
    return after <= before ? CHECK_PASSED
                           : port_check_fail_number(check, after, "bytes are free");
}

static enum check_verdict check_remove(struct port_check *check)
{
    static const char *const made[] = {FIRST, SECOND, RENAMED};
    const struct otter_files *files = files_of(check);

    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        enum otter_result result = files->remove(files->context, made[i]);

        if (result != OTTER_OK) {
            return fail(check, result);
        }
        result = look_for(check, made[i]);
        if (result != OTTER_E_CARD_NOT_FOUND) {
            return fail(check, result);
        }
    }
    return CHECK_PASSED;
}

const struct check_row port_check_files[] = {
    {"a folder can be made, also where it is", check_folder, false},
    {"a file that is not there is told as such", check_missing, false},
    {"a file holds what was written, from any offset on", check_content, false},
    {"a new file is empty, whatever had its name", check_new, false},
    {"one file is read while another is written", check_two, false},
    {"a file takes another name, and the old one is gone", check_rename, false},
    {"each entry of a folder is listed once", check_list, false},
    {"a name may have 127 bytes", check_long_name, false},
    {"a file takes free bytes, if any are counted", check_free, false},
    {"a removed file is gone", check_remove, false},
    {NULL, NULL, false},
};

/* --- across a reset --- */

bool port_check_keep_file(struct port_check *check)
{
    const struct otter_files *files = files_of(check);
    int file = 0;

    if (files == NULL) {
        return true;
    }
    /* Synced, and left open: the reset comes before it could be closed. */
    return files->make_folder(files->context, FOLDER) == OTTER_OK &&
           files->open(files->context, KEPT, OTTER_FILE_NEW, &file) == OTTER_OK &&
           write_to(check, file, 0, SIZE, SALT_FIRST) == OTTER_OK &&
           files->sync(files->context, file) == OTTER_OK;
}

bool port_check_find_file(struct port_check *check)
{
    const struct otter_files *files = files_of(check);

    return read_back(check, KEPT, SIZE, SALT_FIRST) == CHECK_PASSED &&
           files->remove(files->context, KEPT) == OTTER_OK;
}
