/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of the tool, one function in one file each. A verb gets its own name as
 * argv[0], prints results to stdout and complaints to stderr, and returns the exit
 * status. Every verb knows --help.
 */
#ifndef OTTER_TOOL_VERBS_H
#define OTTER_TOOL_VERBS_H

/* Exit statuses of the tool. */
enum tool_status {
    TOOL_DONE = 0,
    TOOL_FAILED = 1,
    TOOL_USAGE = 2,
    TOOL_UNVERIFIED = 3, /* refused by verification */
    TOOL_REFUSED = 4,    /* refused by the device */
    TOOL_TIMEOUT = 5,
};

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
