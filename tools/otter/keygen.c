/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter keygen: a new P-256 key, or a symmetric root, in PEM files.
 * docs/man/otter-keygen.1.scd.
 */
#include "device_keys.h"
#include "help.h"
#include "keys.h"
#include "names.h"
#include "options.h"
#include "verbs.h"

#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>

struct options {
    const char *private_path;
    const char *public_path; /* NULL: not written */
    bool is_root;
};

const struct option keygen_options[] = {
    {"output", required_argument, NULL, 'o'},
    {"public", required_argument, NULL, 'p'},
    {"root", no_argument, NULL, 'r'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* Status below 0: nothing is left to do. */
static int parse_options(int argc, char **argv, struct options *options)
{
    struct option_walk walk = {
        .verb = "keygen", .letters = "o:h", .options = keygen_options};

    for (int name; (name = option_next(&walk, argc, argv)) != OPTION_END;) {
        switch (name) {
        case 'o':
            options->private_path = optarg;
            break;
        case 'p':
            options->public_path = optarg;
            break;
        case 'r':
            options->is_root = true;
            break;
        case 'h':
            (void)help_print("keygen");
            return -1;
        default:
            return TOOL_USAGE;
        }
    }
    if (optind != argc) {
        return complain_usage("keygen takes no argument \"%s\"; "
                              "name the file with -o",
                              argv[optind]);
    }
    if (options->is_root && options->public_path != NULL) {
        return complain_usage(
            "a root has no public half: --root goes without --public");
    }
    return TOOL_DONE;
}

static bool is_stdout(const char *path)
{
    return strcmp(path, "-") == 0;
}

/* Nothing is written when one of the files exists. */
static int check_free(const char *path)
{
    if (path == NULL || is_stdout(path) || access(path, F_OK) != 0) {
        return TOOL_DONE;
    }
    return complain("%s exists already: it is not overwritten; "
                    "choose another name or remove it",
                    path);
}

static int write_keys(const struct options *options, const struct bytes *private_pem,
                      const struct bytes *public_pem)
{
    int status =
        file_write_secret(options->private_path, private_pem->data, private_pem->size);

    if (status == TOOL_DONE && options->public_path != NULL) {
        status = file_write(options->public_path, public_pem->data, public_pem->size);
    }
    return status;
}

/* Standard output may carry the key itself. */
static void print_id(const struct options *options, const uint8_t *key_id)
{
    char id[2 * OTTER_KEY_ID_SIZE + 1];
    const bool is_piped =
        is_stdout(options->private_path) ||
        (options->public_path != NULL && is_stdout(options->public_path));

    (void)fprintf(is_piped ? stderr : stdout, "key id %s\n",
                  hex_of(key_id, OTTER_KEY_ID_SIZE, id));
}

static int generate_root(const struct options *options)
{
    struct bytes pem = {0};
    uint8_t id[OTTER_KEY_ID_SIZE];
    int status = root_key_generate(&pem, id);

    if (status == TOOL_DONE) {
        status = file_write_secret(options->private_path, pem.data, pem.size);
    }
    if (status == TOOL_DONE) {
        print_id(options, id);
    }
    if (pem.data != NULL) {
        OPENSSL_cleanse(pem.data, pem.size);
    }
    bytes_free(&pem);
    return status;
}

static int generate(const struct options *options)
{
    struct bytes private_pem = {0};
    struct bytes public_pem = {0};
    struct signing_key key;
    int status = key_generate(&private_pem, &public_pem, &key);

    if (status == TOOL_DONE) {
        status = write_keys(options, &private_pem, &public_pem);
    }
    if (status == TOOL_DONE) {
        print_id(options, key.key.id);
    }
    key_wipe(&key);
    if (private_pem.data != NULL) {
        OPENSSL_cleanse(private_pem.data, private_pem.size);
    }
    bytes_free(&private_pem);
    bytes_free(&public_pem);
    return status;
}

int verb_keygen(int argc, char **argv)
{
    struct options options = {.private_path = "key.pem"};
    int status = parse_options(argc, argv, &options);

    if (status == TOOL_DONE) {
        status = check_free(options.private_path);
    }
    if (status == TOOL_DONE) {
        status = check_free(options.public_path);
    }
    if (status != TOOL_DONE) {
        return status < 0 ? TOOL_DONE : status;
    }
    return options.is_root ? generate_root(&options) : generate(&options);
}
