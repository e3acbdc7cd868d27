/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device's code is about, where package and device are both at hand: codes name
 * neither members nor files.
 */
#ifndef OTTER_TOOL_BLAME_H
#define OTTER_TOOL_BLAME_H

#include "package_read.h"
#include "virtual.h"

#include <jansson.h>

struct blame {
    bool has_member;
    uint8_t member;              /* its index in the package */
    char entry[OTTER_PATH_SIZE]; /* what is in the way on the card; or empty */
};

/* Compares what the package keeps with what the device has, as the doors do before a
 * transfer (K8): 23-18, 36-20 or what the card answers; `index` is then the member.
 * Closes the card. */
enum otter_result blame_kept(struct otter_device *view,
                             const struct otter_source *source,
                             const struct otter_control *control, uint8_t *index);

/* Finds the member for 23-18 or 36-20: one that the current system's receipt does not
 * name as the package does, or else what blame_kept() finds. False if there is none. */
bool blame_member(struct otter_device *view, const struct otter_source *source,
                  const struct otter_control *control, uint8_t *index);

/* Finds what the code is about, of a device that is powered off: on 23-18 and 36-20 the
 * member that it has not, on 15-xx what stands where a file or folder of a tree
 * belongs. Nothing of other codes, or if it cannot be told any more. */
void blame_find(struct virtual_device *device, const struct package_file *package,
                uint16_t code, struct blame *blame);

/* "member 4 (font)": for people; `text` has room for BLAME_MEMBER_SIZE. */
enum { BLAME_MEMBER_SIZE = 40 };
const char *blame_member_text(const struct otter_source *source,
                              const struct otter_control *control, uint8_t index,
                              char text[BLAME_MEMBER_SIZE]);

/* A line on stderr, behind the remedy; nothing if nothing was found. */
void blame_print(const struct package_file *package, const struct blame *blame);

/* Adds "member" and "entry", each if it was found. */
void blame_describe(const struct blame *blame, json_t *described);

#endif
