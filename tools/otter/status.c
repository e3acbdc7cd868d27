/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter status: what a device does, over a link, or what a virtual device holds.
 * docs/man/otter-status.1.scd.
 */
#include "help.h"
#include "options.h"
#include "remote.h"
#include "verbs.h"
#include "virtual.h"

#include <stdio.h>

static int status_remote(const char *address, bool is_json)
{
    struct remote remote;
    int status = remote_check(address);

    if (status != TOOL_DONE) {
        return status;
    }
    if (!remote_open(&remote, address)) {
        return TOOL_FAILED;
    }
    enum otter_result result = remote_report(&remote, is_json);
    int exit_status = result == OTTER_OK ? TOOL_DONE : remote_complain(&remote, result);

    remote_close(&remote);
    return exit_status;
}

const struct option status_options[] = {
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

int verb_status(int argc, char **argv)
{
    struct option_walk walk = {
        .verb = "status", .letters = "h", .options = status_options};
    bool is_json = false;

    for (int name; (name = option_next(&walk, argc, argv)) != OPTION_END;) {
        if (name == 'h') {
            return help_print("status");
        }
        if (name == OPTION_BAD) {
            return TOOL_USAGE;
        }
        is_json = true;
    }
    if (argc - optind != 1) {
        return help_usage("status");
    }
    return remote_is_address(argv[optind]) ? status_remote(argv[optind], is_json)
                                           : status_directory(argv[optind], is_json);
}
