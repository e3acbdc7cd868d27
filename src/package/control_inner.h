/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the files that parse a control packet: control.c reads head and members,
 * control_extensions.c and control_signatures.c the rest. They take an otter_control
 * whose offsets and sizes have been checked against each other.
 */
#ifndef OTTER_CONTROL_INNER_H
#define OTTER_CONTROL_INNER_H

#include "otter/control.h"

/* Every extension: its bounds, that it is known if it is critical, its content, and
 * that no known type comes twice; notes where the key wraps are. 21-18, 21-19, 21-20,
 * 24-10. */
OTTER_MUST_CHECK enum otter_result otter_control_check_extensions(
    const struct otter_source *source, struct otter_control *control);

/* The form of every key wrap in the `len` bytes at `off`; notes how many and where they
 * are. 24-10. */
OTTER_MUST_CHECK enum otter_result otter_control_take_wraps(
    const struct otter_source *source, struct otter_control *control, uint32_t off,
    uint16_t len);

/* There are key wraps if, and only if, the file holds an encrypted member. 24-10. */
OTTER_MUST_CHECK enum otter_result otter_control_check_wraps(
    const struct otter_source *source, const struct otter_control *control);

/* The folder of a tree is named if, and only if, the packet has one, and the name is
 * good. 21-25. */
OTTER_MUST_CHECK enum otter_result otter_control_check_root(
    const struct otter_source *source, const struct otter_control *control,
    bool has_tree);

/* The form of every signature's entry. 22-13. */
OTTER_MUST_CHECK enum otter_result otter_control_check_signatures(
    const struct otter_source *source, const struct otter_control *control);

#endif
