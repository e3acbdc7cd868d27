/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people read about a system: the texts and the least battery that its package
 * names. The same keys wherever the tool prints JSON: "vendor", "product",
 * "version_text", "build", "notes", "battery"; what a package does not give is left
 * out.
 */
#ifndef OTTER_TOOL_PRODUCT_H
#define OTTER_TOOL_PRODUCT_H

#include "otter/control.h"
#include "otter/source.h"

#include <jansson.h>

enum { PRODUCT_TEXTS = 5, PRODUCT_LINE_MAX = 64, PRODUCT_NOTES_MAX = 512 };

struct product_text {
    uint16_t type;       /* enum otter_extension */
    const char *key;     /* in JSON */
    const char *label;   /* for people */
    const char *smp_key; /* of a device's reply; NULL: not in it */
};

extern const struct product_text product_texts[PRODUCT_TEXTS];

/* Adds them to `object`. Codes of otter_control_extension(). */
OTTER_MUST_CHECK enum otter_result product_describe(const struct otter_source *source,
                                                    const struct otter_control *control,
                                                    json_t *object);

/* Prints what is there, a label of `width` columns before each. */
void product_print(const json_t *object, int width);

#endif
