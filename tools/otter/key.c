/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter key: which key a file holds, so that it can be found in packages and on
 * devices, and its public half. docs/man/otter-key.1.scd.
 */
#include "help.h"
#include "keys.h"
#include "names.h"
#include "options.h"
#include "verbs.h"

#include <jansson.h>
#include <string.h>

enum { COORDINATE = OTTER_P256_KEY_SIZE / 2 };

const struct option key_show_options[] = {
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

const struct option key_id_options[] = {
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

const struct option key_public_options[] = {
    {"output", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* Takes the options of an action, of which there is one at most; below 0: nothing is
 * left to do. */
static int parse_options(int argc, char **argv, const struct option *options,
                         const char **output, bool *is_json)
{
    struct option_walk walk = {.verb = "key",
                               .letters = options == key_public_options ? "o:h" : "h",
                               .options = options};

    for (int name; (name = option_next(&walk, argc, argv)) != OPTION_END;) {
        switch (name) {
        case 'j':
            *is_json = true;
            break;
        case 'o':
            *output = optarg;
            break;
        case 'h':
            (void)help_print("key");
            return -1;
        default:
            return TOOL_USAGE;
        }
    }
    return optind < argc
               ? TOOL_DONE
               : complain_usage("key %s needs a key's file; see otter key --help",
                                argv[0]);
}

/* --- show --- */

static json_t *describe(const char *path, const struct otter_key *key, bool is_private)
{
    char id[2 * OTTER_KEY_ID_SIZE + 1];
    char x[2 * COORDINATE + 1];
    char y[2 * COORDINATE + 1];

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "file", path, "id",
                     hex_of(key->id, OTTER_KEY_ID_SIZE, id), "kind",
                     is_private ? "private" : "public", "curve", "P-256", "x",
                     hex_of(key->point, COORDINATE, x), "y",
                     hex_of(key->point + COORDINATE, COORDINATE, y));
}

static const char *text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void print_key(const json_t *key)
{
    (void)printf("file  ");
    print_text(stdout, (const uint8_t *)text_at(key, "file"),
               strlen(text_at(key, "file")), " ");
    (void)printf("\nid    %s\nkind  %s, %s\nx     %s\ny     %s\n", text_at(key, "id"),
                 text_at(key, "kind"), text_at(key, "curve"), text_at(key, "x"),
                 text_at(key, "y"));
}

static int describe_all(int count, char **paths, json_t *list)
{
    int status = TOOL_DONE;

    for (int i = 0; i < count && status == TOOL_DONE; i++) {
        struct otter_key key;
        bool is_private = false;

        status = key_load_any(paths[i], &key, &is_private);
        if (status == TOOL_DONE &&
            json_array_append_new(list, describe(paths[i], &key, is_private)) != 0) {
            status = complain_usage("a file's name is not UTF-8");
        }
    }
    return status;
}

static int key_show(int argc, char **argv)
{
    const char *output = NULL;
    bool is_json = false;
    int status = parse_options(argc, argv, key_show_options, &output, &is_json);

    if (status != TOOL_DONE) {
        return status < 0 ? TOOL_DONE : status;
    }
    json_t *list = json_array();

    status = describe_all(argc - optind, argv + optind, list);
    if (status == TOOL_DONE && is_json) {
        (void)json_dumpf(list, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        (void)printf("\n");
    }
    for (size_t i = 0; status == TOOL_DONE && !is_json && i < json_array_size(list);
         i++) {
        (void)printf("%s", i == 0 ? "" : "\n");
        print_key(json_array_get(list, i));
    }
    json_decref(list);
    return status;
}

/* --- id and public --- */

static int key_id(int argc, char **argv)
{
    const char *output = NULL;
    bool is_json = false;
    int status = parse_options(argc, argv, key_id_options, &output, &is_json);

    if (status != TOOL_DONE) {
        return status < 0 ? TOOL_DONE : status;
    }
    for (int i = optind; i < argc && status == TOOL_DONE; i++) {
        struct otter_key key;
        char id[2 * OTTER_KEY_ID_SIZE + 1];

        status = key_load_public(argv[i], &key);
        if (status == TOOL_DONE) {
            (void)printf("%s\n", hex_of(key.id, OTTER_KEY_ID_SIZE, id));
        }
    }
    return status;
}

static int key_public(int argc, char **argv)
{
    const char *output = "-";
    bool is_json = false;
    struct otter_key key;
    struct bytes pem = {0};
    int status = parse_options(argc, argv, key_public_options, &output, &is_json);

    if (status != TOOL_DONE) {
        return status < 0 ? TOOL_DONE : status;
    }
    if (argc - optind != 1) {
        return complain_usage("key public takes one file; see otter key --help");
    }
    status = key_load_public(argv[optind], &key);
    if (status == TOOL_DONE) {
        status = key_public_pem(&key, &pem);
    }
    if (status == TOOL_DONE) {
        status = file_write(output, pem.data, pem.size);
    }
    bytes_free(&pem);
    return status;
}

/* --- the verb --- */

int verb_key(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } actions[] = {{"show", key_show}, {"id", key_id}, {"public", key_public}};

    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        return help_print("key");
    }
    for (size_t i = 0; argc >= 2 && i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(argv[1], actions[i].name) == 0) {
            return actions[i].run(argc - 1, argv + 1);
        }
    }
    return help_usage("key");
}
