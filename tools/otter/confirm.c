/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter confirm: confirms the system on trial, over a link where the device's policy
 * lets a remote do that, or on a virtual device. docs/man/otter-confirm.1.scd.
 */
#include "help.h"
#include "options.h"
#include "remote.h"
#include "verbs.h"
#include "virtual.h"

#include <stdio.h>

static int confirm_remote(const char *address, bool is_json)
{
    struct remote remote;
    int status = remote_check(address);

    if (status != TOOL_DONE) {
        return status;
    }
    if (!remote_open(&remote, address)) {
        return TOOL_FAILED;
    }
    enum otter_result result = remote_confirm(&remote);

    if (result == OTTER_OK) {
        result = remote_report(&remote, is_json);
    }
    int exit_status = result == OTTER_OK ? TOOL_DONE : remote_complain(&remote, result);

    remote_close(&remote);
    return exit_status;
}

const struct option confirm_options[] = {
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

int verb_confirm(int argc, char **argv)
{
    struct option_walk walk = {
        .verb = "confirm", .letters = "h", .options = confirm_options};
    bool is_json = false;

    for (int name; (name = option_next(&walk, argc, argv)) != OPTION_END;) {
        if (name == 'h') {
            return help_print("confirm");
        }
        if (name == OPTION_BAD) {
            return TOOL_USAGE;
        }
        is_json = true;
    }
    if (argc - optind != 1) {
        return help_usage("confirm");
    }
    return remote_is_address(argv[optind]) ? confirm_remote(argv[optind], is_json)
                                           : confirm_directory(argv[optind], is_json);
}
