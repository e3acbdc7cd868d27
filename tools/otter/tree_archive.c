/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives of trees: libarchive writes them, the device's own code judges them.
 */
#include "tree_archive.h"

#include "text.h"
#include "verbs.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fts.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

enum { NAME_SIZE = 100, MAGIC = 257, PREFIX = 345, PREFIX_SIZE = 155 };

/* ---- judging ---- */

/* What an entry's header has for its name; empty if it is no header of a tar. */
static void read_name(const uint8_t *block, char name[TREE_NAME_SIZE])
{
    const char *text = (const char *)block;

    if (memcmp(text + MAGIC, "ustar", 5) == 0) {
        (void)snprintf(name, TREE_NAME_SIZE, "%.*s%s%.*s", PREFIX_SIZE, text + PREFIX,
                       text[PREFIX] == '\0' ? "" : "/", NAME_SIZE, text);
    }
}

enum otter_result tree_archive_check(const struct bytes *archive, uint8_t root_len,
                                     struct tree_fault *fault)
{
    struct otter_tar_check check;

    *fault = (struct tree_fault){0};
    if (archive->size > UINT32_MAX) {
        return OTTER_E_TAR_SIZE;
    }
    otter_tar_check_open(&check, (uint32_t)archive->size, root_len);
    enum otter_result result =
        otter_tar_check_take(&check, archive->data, archive->size);

    fault->off = check.off - check.filled;
    if (result != OTTER_OK) {
        read_name(check.block, fault->name);
    }
    return result == OTTER_OK ? otter_tar_check_end(&check) : result;
}

bool tree_archive_next(const struct bytes *archive, struct otter_tar *tar)
{
    return tar->next < archive->size &&
           otter_tar_take(tar, archive->data + tar->next) == OTTER_OK &&
           !otter_tar_is_at_end(tar);
}

int tree_complain(const char *subject, enum otter_result result,
                  const struct tree_fault *fault, int status)
{
    char *place = NULL;

    if (asprintf(&place, "%s: %s%sat byte %u", subject, fault->name,
                 fault->name[0] == '\0' ? "" : ", ", fault->off) < 0) {
        return complain_code(subject, result, status);
    }
    (void)complain_code(place, result, status);
    if (result == OTTER_E_TAR_NAME && strncmp(fault->name, "./", 2) == 0) {
        (void)fprintf(stderr,
                      "       No name may begin with \"./\": name the files to tar as "
                      "\"*\" in their folder, not the folder as \".\"\n");
    }
    free(place);
    return status;
}

/* ---- names that a card takes for the same, or that deceive a reader ---- */

struct folded {
    wchar_t text[OTTER_PATH_SIZE]; /* in large letters */
    char name[OTTER_PATH_SIZE];
};

/* As FAT does, letter by letter, in Unicode whatever the environment's language is. */
static void fold(const char *name, locale_t utf8, struct folded *folded)
{
    locale_t before = uselocale(utf8);

    (void)snprintf(folded->name, sizeof(folded->name), "%s", name);
    if (mbstowcs(folded->text, name, OTTER_PATH_SIZE) == (size_t)-1) {
        folded->text[0] = L'\0';
    }
    (void)uselocale(before);
    for (size_t i = 0; folded->text[i] != L'\0'; i++) {
        folded->text[i] = (wchar_t)towupper_l((wint_t)folded->text[i], utf8);
    }
}

static int by_folded(const void *a, const void *b)
{
    const struct folded *left = a;
    const struct folded *right = b;

    return wcscmp(left->text, right->text);
}

/* All names of an archive that was checked. */
static size_t fold_all(const struct bytes *archive, uint8_t root_len, locale_t utf8,
                       struct folded *all)
{
    struct otter_tar tar;
    size_t count = 0;

    otter_tar_open(&tar, (uint32_t)archive->size, root_len);
    while (tree_archive_next(archive, &tar)) {
        fold(tar.entry.name, utf8, &all[count++]);
    }
    return count;
}

static int check_twins(const char *path, const struct bytes *archive, uint8_t root_len)
{
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    /* Each entry has a block of its own, at least. */
    struct folded *all = calloc(archive->size / OTTER_TAR_BLOCK, sizeof(*all));
    size_t count = 0;
    int status = TOOL_DONE;

    if (utf8 == (locale_t)0 || all == NULL) {
        status = complain("%s: out of memory", path);
    } else {
        count = fold_all(archive, root_len, utf8, all);
        qsort(all, count, sizeof(*all), by_folded);
    }
    for (size_t i = 1; i < count && status == TOOL_DONE; i++) {
        if (by_folded(&all[i - 1], &all[i]) == 0) {
            status = complain(
                "%s: %s and %s: a card takes them for the same name, since FAT "
                "ignores the size of letters; rename one",
                path, all[i - 1].name, all[i].name);
        }
    }
    free(all);
    if (utf8 != (locale_t)0) {
        freelocale(utf8);
    }
    return status;
}

static int check_letters(const char *path, const struct bytes *archive,
                         uint8_t root_len)
{
    struct otter_tar tar;
    uint32_t point = 0;

    otter_tar_open(&tar, (uint32_t)archive->size, root_len);
    while (tree_archive_next(archive, &tar)) {
        const char *name = tar.entry.name;

        if (text_find_deceiving(name, strlen(name), &point)) {
            return complain("%s: %s: U+%04X in this name is not seen, or turns the "
                            "direction of what stands beside it; rename the file",
                            path, name, (unsigned)point);
        }
    }
    return TOOL_DONE;
}

static int check_names(const char *path, const struct bytes *archive, uint8_t root_len)
{
    int status = check_letters(path, archive, root_len);

    return status == TOOL_DONE ? check_twins(path, archive, root_len) : status;
}

static int judge(const char *path, const struct bytes *archive, uint8_t root_len)
{
    struct tree_fault fault;
    enum otter_result result = tree_archive_check(archive, root_len, &fault);

    return result == OTTER_OK ? check_names(path, archive, root_len)
                              : tree_complain(path, result, &fault, TOOL_FAILED);
}

int tree_archive_read(const char *path, uint8_t root_len, struct bytes *archive)
{
    int status = file_read(path, FILE_ANY_SIZE, archive);

    return status == TOOL_DONE ? judge(path, archive, root_len) : status;
}

/* ---- making ---- */

static bool read_time(time_t *time_s)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    uint64_t number = 0;
    bool is_good = text == NULL || parse_number(text, 077777777777ULL, &number);

    *time_s = (time_t)number;
    return is_good;
}

/* Names with what is inside them, folder by folder: the order of archives. */
static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int put(struct archive *writer, struct archive_entry *entry, const char *path,
               const struct bytes *content)
{
    if (archive_write_header(writer, entry) != ARCHIVE_OK) {
        return archive_errno(writer) == ENAMETOOLONG
                   ? complain_code(path, OTTER_E_TAR_LONG, TOOL_FAILED)
                   : complain("%s: %s", path, archive_error_string(writer));
    }
    if (content->size > 0 && archive_write_data(writer, content->data, content->size) !=
                                 (la_ssize_t)content->size) {
        return complain("%s: %s", path, archive_error_string(writer));
    }
    return TOOL_DONE;
}

/* A file or folder; its name goes on behind the `skipped` bytes of the tree's own. */
static int put_entry(struct archive *writer, const FTSENT *found, size_t skipped,
                     time_t time_s)
{
    bool is_folder = found->fts_info == FTS_D;
    struct bytes content = {0};
    int status =
        is_folder ? TOOL_DONE : file_read(found->fts_accpath, FILE_ANY_SIZE, &content);
    struct archive_entry *entry = archive_entry_new();

    if (entry == NULL) {
        status = complain("out of memory");
    }
    if (status == TOOL_DONE) {
        archive_entry_set_pathname(entry, found->fts_path + skipped);
        archive_entry_set_filetype(entry, is_folder ? AE_IFDIR : AE_IFREG);
        archive_entry_set_perm(entry, is_folder ? 0755 : 0644);
        archive_entry_set_mtime(entry, time_s, 0);
        archive_entry_set_size(entry, (la_int64_t)content.size);
        status = put(writer, entry, found->fts_path, &content);
    }
    archive_entry_free(entry);
    bytes_free(&content);
    return status;
}

static int put_found(struct archive *writer, const FTSENT *found, size_t skipped,
                     time_t time_s)
{
    switch (found->fts_info) {
    case FTS_D:
    case FTS_F:
        return put_entry(writer, found, skipped, time_s);
    case FTS_DP:
        return TOOL_DONE; /* a folder for the second time */
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        return complain("%s: %s", found->fts_path, strerror(found->fts_errno));
    default:
        return complain_code(found->fts_path, OTTER_E_TAR_TYPE, TOOL_FAILED);
    }
}

/* All that is in the folder, which is no entry itself. */
static int put_all(struct archive *writer, const char *folder, time_t time_s)
{
    char *root = strdup(folder);
    char *roots[] = {root, NULL};
    FTS *walk =
        root == NULL
            ? NULL
            : fts_open(roots, FTS_COMFOLLOW | FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    int status = walk == NULL ? complain("%s: %s", folder, strerror(errno)) : TOOL_DONE;
    size_t skipped = strlen(folder) + (folder[strlen(folder) - 1] != '/');

    while (status == TOOL_DONE) {
        errno = 0;
        const FTSENT *found = fts_read(walk);

        if (found == NULL) {
            status =
                errno == 0 ? TOOL_DONE : complain("%s: %s", folder, strerror(errno));
            break;
        }
        if (found->fts_level > FTS_ROOTLEVEL || found->fts_info != FTS_D) {
            status = put_found(writer, found, skipped, time_s);
        }
    }
    if (walk != NULL) {
        (void)fts_close(walk);
    }
    free(root);
    return status;
}

/* Its last block is its end: nothing is filled up to the size of a tape's. */
static struct archive *open_writer(FILE *out)
{
    struct archive *writer = archive_write_new();

    if (writer != NULL && (archive_write_set_format_ustar(writer) != ARCHIVE_OK ||
                           archive_write_set_bytes_per_block(writer, 0) != ARCHIVE_OK ||
                           archive_write_open_FILE(writer, out) != ARCHIVE_OK)) {
        (void)archive_write_free(writer);
        writer = NULL;
    }
    return writer;
}

static int make(const char *folder, time_t time_s, struct bytes *archive)
{
    char *data = NULL;
    FILE *out = open_memstream(&data, &archive->size);
    struct archive *writer = out == NULL ? NULL : open_writer(out);
    int status = writer == NULL ? complain("out of memory") : TOOL_DONE;

    if (status == TOOL_DONE) {
        status = put_all(writer, folder, time_s);
    }
    if (writer != NULL && archive_write_close(writer) != ARCHIVE_OK &&
        status == TOOL_DONE) {
        status = complain("%s: %s", folder, archive_error_string(writer));
    }
    (void)archive_write_free(writer);
    if (out != NULL && fclose(out) != 0 && status == TOOL_DONE) {
        status = complain("out of memory");
    }
    archive->data = (uint8_t *)data;
    return status;
}

int tree_archive_make(const char *folder, uint8_t root_len, struct bytes *archive)
{
    time_t time_s = 0;

    *archive = (struct bytes){0};
    if (!read_time(&time_s)) {
        return complain("SOURCE_DATE_EPOCH is not a number of seconds");
    }
    int status = make(folder, time_s, archive);

    return status == TOOL_DONE ? judge(folder, archive, root_len) : status;
}
