/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a device whose journal cannot be read (K2).
 */
#ifndef OTTER_REBUILD_H
#define OTTER_REBUILD_H

#include "otter/device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Finds the newest state that receipts and installed images can prove, for a lost
 * journal (K2), and makes it the journal's state in RAM; docs/SPEC.md has the rule.
 * 30-10 if nothing verifies. Hashes every installed firmware, resources, fonts, the
 * manager and its saved copy: as long as some boots. */
OTTER_MUST_CHECK enum otter_result otter_rebuild(struct otter_device *device);

#ifdef __cplusplus
}
#endif

#endif
