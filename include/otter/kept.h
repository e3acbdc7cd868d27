/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a package keeps, compared with what the device has (K8): resources and fonts
 * with their region, a tree of files with its archive on the card. The plan compares
 * receipts alone; what lies there may be another one: a member that was written in
 * place and outlived a roll back, a card of another device, a bit that has flipped.
 * Programs are boot's to look at. The doors ask before a transfer, stage 9 once more.
 */
#ifndef OTTER_KEPT_H
#define OTTER_KEPT_H

#include "otter/device.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Starts to compare `member`, which the plan has found to be kept. `has_content` is
 * false if there is nothing to compare: a program, a table. 36-20 if the card has not
 * the archive, 36-10, 36-13 what else it answers. Only reads. */
OTTER_MUST_CHECK enum otter_result otter_kept_open(struct otter_device *device,
                                                   const struct otter_member *member,
                                                   struct otter_hashing *hashing,
                                                   bool *has_content);

/* Goes on by STEP_BYTES, and derives the key of an archive that came encrypted anew for
 * them, so that nobody has to hold it; `is_done` after the last one. 23-18 if a region
 * holds something else, 36-20 if the archive is damaged, 24-16; read errors pass. */
OTTER_MUST_CHECK enum otter_result otter_kept_step(struct otter_device *device,
                                                   const struct otter_member *member,
                                                   struct otter_hashing *hashing,
                                                   bool *is_done);

#ifdef __cplusplus
}
#endif

#endif
