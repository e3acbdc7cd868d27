/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of the tool, one function in one file each. A verb gets its own name as
 * argv[0], prints results to stdout and complaints to stderr, and returns the exit
 * status. Every verb knows --help.
 */
#ifndef OTTER_TOOL_VERBS_H
#define OTTER_TOOL_VERBS_H

#include <getopt.h>
#include <stddef.h>

/* Exit statuses of the tool. */
enum tool_status {
    TOOL_DONE = 0,
    TOOL_FAILED = 1,
    TOOL_USAGE = 2,
    TOOL_UNVERIFIED = 3, /* refused by verification */
    TOOL_REFUSED = 4,    /* refused by the device */
    TOOL_TIMEOUT = 5,
};

/* What the arguments besides options are. */
enum verb_operand {
    VERB_OPERAND_NONE,
    VERB_OPERAND_FILE, /* or a folder, or an address */
    VERB_OPERAND_WORDS,
};

/* Parsing, help and shell completion read the same tables. Of a verb with actions each
 * action has a row; all of them run the verb. */
struct verb {
    const char *name;
    const char *action;           /* "new" of "device new"; or NULL */
    const struct option *options; /* NULL: none; rows behind "help" are for tests */
    enum verb_operand operand;
    const char *words; /* VERB_OPERAND_WORDS: divided by spaces */
    int (*run)(int argc, char **argv);
};

extern const struct verb verbs[]; /* ends with a NULL name */

extern const struct option keygen_options[];
extern const struct option key_show_options[];
extern const struct option key_id_options[];
extern const struct option key_public_options[];
extern const struct option factory_options[];
extern const struct option pack_options[];
extern const struct option inspect_options[];
extern const struct option verify_options[];
extern const struct option device_new_options[];
extern const struct option device_run_options[];
extern const struct option device_info_options[];
extern const struct option send_options[];
extern const struct option install_options[];
extern const struct option status_options[];
extern const struct option confirm_options[];
extern const struct option errors_options[];

int verb_completion(int argc, char **argv);
int verb_key(int argc, char **argv);
int verb_keygen(int argc, char **argv);
int verb_factory(int argc, char **argv);
int verb_pack(int argc, char **argv);
int verb_inspect(int argc, char **argv);
int verb_verify(int argc, char **argv);
int verb_device(int argc, char **argv);
int verb_send(int argc, char **argv);
int verb_install(int argc, char **argv);
int verb_status(int argc, char **argv);
int verb_confirm(int argc, char **argv);
int verb_errors(int argc, char **argv);

#endif
