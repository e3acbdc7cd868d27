/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the card door asks of the content of a package. Private to src/door.
 */
#ifndef OTTER_CARD_JUDGE_H
#define OTTER_CARD_JUDGE_H

#include "otter/device.h"
#include "otter/plan.h"

/* Bytes of the card that the update takes: the copies of what it replaces, unless they
 * are not saved, and archives of trees with their files. 36-21 if files would be
 * unpacked over the package, which lies at `path`. */
OTTER_MUST_CHECK enum otter_result card_judge_needs(const struct otter_source *source,
                                                    const struct otter_control *control,
                                                    const struct otter_plan *plan,
                                                    const char *path, bool is_saved,
                                                    uint64_t *needs);

/* If something of the package is encrypted: the device has a key for it. 24-11, 24-13,
 * 24-15. */
OTTER_MUST_CHECK enum otter_result card_judge_wraps(
    const struct otter_device *device, const struct otter_source *source,
    const struct otter_control *control);

/* Of the package that is open as PACKAGE_FILE, whose hashes are right: programs that
 * are neither coded nor encrypted can run, and a trusted key is left. One signature
 * check at most. 22-15, 22-16, 23-17. */
OTTER_MUST_CHECK enum otter_result card_judge_content(
    struct otter_device *device, const struct otter_source *source,
    const struct otter_control *control);

#endif
