/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy that every profile starts with: whoever reaches the link may send and
 * request a package (its signature decides what it is worth); confirming and erasing
 * are the application's own business.
 */
#ifndef OTTER_HOST_PROFILES_POLICY_H
#define OTTER_HOST_PROFILES_POLICY_H

#include "otter/table.h"

#define HOST_PROFILE_POLICY(ram, size)                                  \
    {                                                                   \
        .trial_deadline_s = 300, .trial_faults = 3, .trial_powers = 10, \
        .manager_wait_s = 30, .watchdog_s = 8,                          \
        .permissions =                                                  \
            {                                                           \
                [OTTER_COMMAND_RECEIVE] = OTTER_OPEN,                   \
                [OTTER_COMMAND_REQUEST] = OTTER_OPEN,                   \
                [OTTER_COMMAND_CONFIRM] = OTTER_NEVER,                  \
                [OTTER_COMMAND_ERASE] = OTTER_NEVER,                    \
                [OTTER_COMMAND_RESET] = OTTER_OPEN,                     \
                [OTTER_COMMAND_MANAGER] = OTTER_OPEN,                   \
                [OTTER_COMMAND_READ] = OTTER_OPEN,                      \
                [OTTER_COMMAND_UPGRADE] = OTTER_OPEN,                   \
            },                                                          \
        .ram_addr = (ram), .ram_size = (size)                           \
    }

#endif
