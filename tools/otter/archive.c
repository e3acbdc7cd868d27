/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives of trees: written as GNU tar writes them with --format=ustar --sort=name
 * --owner=0 --group=0 --numeric-owner, byte by byte (tests/e2e/files.sh compares). What
 * is written is read back with the device's own code.
 */
#include "archive.h"

#include "verbs.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum {
    NAME_SIZE = 100,
    PREFIX = 345,
    PREFIX_SIZE = 155,
    END_BLOCKS = 2,
};

/* Names from the root; those of folders end in '/'. */
struct names {
    char **list;
    size_t count;
    size_t capacity;
};

struct making {
    const char *folder;
    uint8_t root_len;
    uint64_t time_s;
    struct names names;
    FILE *out;
};

/* ---- names ---- */

/* Takes a name that is on the heap. */
static int add_name(struct names *names, char *name)
{
    if (name != NULL && names->count == names->capacity) {
        size_t capacity = names->capacity * 2 + 16;
        char **list = realloc(names->list, capacity * sizeof(*list));

        if (list != NULL) {
            names->list = list;
            names->capacity = capacity;
        }
    }
    if (name == NULL || names->count == names->capacity) {
        free(name);
        return complain("out of memory");
    }
    names->list[names->count++] = name;
    return TOOL_DONE;
}

static void free_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->list[i]);
    }
    free(names->list);
}

static bool is_folder(const char *name)
{
    size_t len = strlen(name);

    return len == 0 || name[len - 1] == '/';
}

/* A folder's '/' at the end stands before whatever lies in it. */
static int by_name(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return otter_tar_compare(*left, *right);
}

static char *join(const char *folder, const char *name, const char *end)
{
    char *path = NULL;

    return asprintf(&path, "%s%s%s", folder, name, end) < 0 ? NULL : path;
}

static int is_named(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int check_twins(const char *path, struct dirent *const *entries, int count)
{
    for (int i = 0; i < count; i++) {
        for (int j = i + 1; j < count; j++) {
            if (strcasecmp(entries[i]->d_name, entries[j]->d_name) == 0) {
                return complain("%s%s and %s: a card takes them for the same name",
                                path, entries[i]->d_name, entries[j]->d_name);
            }
        }
    }
    return TOOL_DONE;
}

/* Adds what `path` names, `name` in the folder `inside`. */
static int add_entry(struct making *making, const char *path, const char *inside,
                     const char *name)
{
    struct stat about;

    if (lstat(path, &about) != 0) {
        return complain("%s: %s", path, strerror(errno));
    }
    if (!S_ISDIR(about.st_mode) && !S_ISREG(about.st_mode)) {
        return complain_code(path, OTTER_E_TAR_TYPE, TOOL_FAILED);
    }
    return add_name(&making->names,
                    join(inside, name, S_ISDIR(about.st_mode) ? "/" : ""));
}

/* Adds what lies in the folder `inside`. */
static int list_folder(struct making *making, const char *inside)
{
    struct dirent **entries = NULL;
    char *root = join(making->folder, "/", inside);
    int count = root == NULL ? -1 : scandir(root, &entries, is_named, alphasort);
    int status = count < 0 ? complain("%s: %s", making->folder, strerror(errno))
                           : check_twins(root, entries, count);

    for (int i = 0; i < count; i++) {
        char *path = join(root, entries[i]->d_name, "");

        if (status == TOOL_DONE) {
            status = path == NULL ? complain("out of memory")
                                  : add_entry(making, path, inside, entries[i]->d_name);
        }
        free(path);
        free(entries[i]);
    }
    free(entries);
    free(root);
    return status;
}

/* All names, in order. Folders that are found lie behind those that are looked into. */
static int list_all(struct making *making)
{
    struct names *names = &making->names;
    int status = list_folder(making, "");

    for (size_t i = 0; status == TOOL_DONE && i < names->count; i++) {
        if (is_folder(names->list[i])) {
            status = list_folder(making, names->list[i]);
        }
    }
    if (status == TOOL_DONE && names->count > 0) {
        qsort(names->list, names->count, sizeof(*names->list), by_name);
    }
    return status;
}

/* ---- headers ---- */

static bool read_time(uint64_t *time_s)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");

    *time_s = 0;
    return text == NULL || parse_number(text, 077777777777ULL, time_s);
}

/* Where the name is split in two; 0: it fits undivided. SIZE_MAX: it does not fit. */
static size_t split_of(const char *name)
{
    size_t len = strlen(name);

    if (len <= NAME_SIZE) {
        return 0;
    }
    for (size_t i = PREFIX_SIZE < len ? PREFIX_SIZE : len - 1; i > 0; i--) {
        /* A folder's '/' at the end is no place to split. */
        if (name[i] == '/' && i + 1 < len && len - i - 1 <= NAME_SIZE) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* A field has no zero of its own at its end. */
static void put_text(uint8_t *field, const char *text)
{
    for (size_t i = 0; text[i] != '\0'; i++) {
        field[i] = (uint8_t)text[i];
    }
}

static void put_octal(uint8_t *field, int digits, uint64_t number)
{
    for (int i = digits - 1; i >= 0; i--) {
        field[i] = (uint8_t)('0' + (number & 7U));
        number >>= 3;
    }
}

/* False if the name is too long. */
static bool make_header(const struct making *making, const char *name, uint64_t size,
                        uint8_t block[OTTER_TAR_BLOCK])
{
    size_t split = split_of(name);
    unsigned sum = 0;

    if (split == SIZE_MAX) {
        return false;
    }
    memset(block, 0, OTTER_TAR_BLOCK);
    put_text(block, name + (split == 0 ? 0 : split + 1));
    for (size_t i = 0; i < split; i++) {
        block[PREFIX + i] = (uint8_t)name[i];
    }
    put_octal(block + 100, 7, is_folder(name) ? 0755 : 0644);
    put_octal(block + 108, 7, 0);
    put_octal(block + 116, 7, 0);
    put_octal(block + 124, 11, size);
    put_octal(block + 136, 11, making->time_s);
    put_text(block + 148, "        ");
    put_text(block + 156, is_folder(name) ? "5" : "0");
    put_text(block + 257, "ustar");
    put_text(block + 263, "00");
    put_octal(block + 329, 7, 0);
    put_octal(block + 337, 7, 0);
    for (size_t i = 0; i < OTTER_TAR_BLOCK; i++) {
        sum += block[i];
    }
    put_octal(block + 148, 6, sum);
    block[154] = 0;
    return true;
}

/* ---- the archive ---- */

static int put(struct making *making, const char *path, const char *name,
               const struct bytes *content)
{
    static const uint8_t zeros[OTTER_TAR_BLOCK];
    uint8_t block[OTTER_TAR_BLOCK];
    struct otter_tar_entry entry;
    size_t rest = content->size % OTTER_TAR_BLOCK;
    enum otter_result result = OTTER_E_TAR_LONG;

    if (make_header(making, name, content->size, block)) {
        result = otter_tar_header(block, making->root_len, &entry);
    }
    if (result != OTTER_OK) {
        return complain_code(path, result, TOOL_FAILED);
    }
    (void)fwrite(block, 1, sizeof(block), making->out);
    if (content->size > 0) {
        (void)fwrite(content->data, 1, content->size, making->out);
    }
    (void)fwrite(zeros, 1, rest == 0 ? 0 : OTTER_TAR_BLOCK - rest, making->out);
    return TOOL_DONE;
}

static int put_entry(struct making *making, const char *name)
{
    struct bytes content = {0};
    char *path = join(making->folder, "/", name);
    int status = path == NULL      ? complain("out of memory")
                 : is_folder(name) ? TOOL_DONE
                                   : file_read(path, FILE_ANY_SIZE, &content);

    if (status == TOOL_DONE) {
        status = put(making, path, name, &content);
    }
    bytes_free(&content);
    free(path);
    return status;
}

static int put_all(struct making *making, struct bytes *archive)
{
    static const uint8_t end[END_BLOCKS * OTTER_TAR_BLOCK];
    char *data = NULL;
    int status = TOOL_DONE;

    making->out = open_memstream(&data, &archive->size);
    if (making->out == NULL) {
        return complain("out of memory");
    }
    for (size_t i = 0; i < making->names.count && status == TOOL_DONE; i++) {
        status = put_entry(making, making->names.list[i]);
    }
    (void)fwrite(end, 1, sizeof(end), making->out);
    if (fclose(making->out) != 0 && status == TOOL_DONE) {
        status = complain("out of memory");
    }
    archive->data = (uint8_t *)data;
    return status;
}

int archive_make(const char *folder, uint8_t root_len, struct bytes *archive)
{
    struct making making = {.folder = folder, .root_len = root_len};

    if (!read_time(&making.time_s)) {
        return complain("SOURCE_DATE_EPOCH is not a number of seconds");
    }
    int status = list_all(&making);

    if (status == TOOL_DONE) {
        status = put_all(&making, archive);
    }
    if (status == TOOL_DONE) {
        enum otter_result result = archive_check(archive, root_len, NULL);

        status =
            result == OTTER_OK ? TOOL_DONE : complain_code(folder, result, TOOL_FAILED);
    }
    if (status != TOOL_DONE) {
        bytes_free(archive);
    }
    free_names(&making.names);
    return status;
}

enum otter_result archive_check(const struct bytes *archive, uint8_t root_len,
                                struct otter_tar_entry *entry)
{
    struct otter_tar_check check;

    if (archive->size > UINT32_MAX) {
        return OTTER_E_TAR_SIZE;
    }
    otter_tar_check_open(&check, (uint32_t)archive->size, root_len);
    enum otter_result result =
        otter_tar_check_take(&check, archive->data, archive->size);

    if (entry != NULL) {
        *entry = check.tar.entry;
    }
    return result == OTTER_OK ? otter_tar_check_end(&check) : result;
}

bool archive_next(const struct bytes *archive, struct otter_tar *tar)
{
    return tar->next < archive->size &&
           otter_tar_take(tar, archive->data + tar->next) == OTTER_OK &&
           !otter_tar_is_at_end(tar);
}
