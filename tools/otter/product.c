/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts of packages as JSON, and from there to people.
 */
#include "product.h"

#include "say.h"

#include <string.h>

enum { LINE_SIZE = 80 };

const struct product_text product_texts[PRODUCT_TEXTS] = {
    {OTTER_EXTENSION_VENDOR, "vendor", "vendor", "vendor"},
    {OTTER_EXTENSION_PRODUCT, "product", "product", "product"},
    {OTTER_EXTENSION_VERSION, "version_text", "called", "name"},
    {OTTER_EXTENSION_BUILD, "build", "build", "build"},
    {OTTER_EXTENSION_NOTES, "notes", "notes", NULL},
};

enum otter_result product_describe(const struct otter_source *source,
                                   const struct otter_control *control, json_t *object)
{
    char text[PRODUCT_NOTES_MAX];
    uint8_t percent = 0;
    size_t len = 0;
    enum otter_result result = OTTER_OK;

    for (size_t i = 0; result == OTTER_OK && i < PRODUCT_TEXTS; i++) {
        result = otter_control_extension(source, control, product_texts[i].type, text,
                                         sizeof(text), &len);
        if (result == OTTER_OK && len > 0) {
            (void)json_object_set_new(object, product_texts[i].key,
                                      json_stringn(text, len));
        }
    }
    if (result == OTTER_OK) {
        result = otter_control_extension(source, control, OTTER_EXTENSION_BATTERY,
                                         &percent, 1, &len);
    }
    if (result == OTTER_OK && len > 0) {
        (void)json_object_set_new(object, "battery", json_integer(percent));
    }
    return result;
}

void product_print(const json_t *object, int width)
{
    char line_feed[LINE_SIZE];

    (void)snprintf(line_feed, sizeof(line_feed), "\n%*s", width, "");
    for (size_t i = 0; i < PRODUCT_TEXTS; i++) {
        const json_t *text = json_object_get(object, product_texts[i].key);

        if (text != NULL) {
            (void)printf("%-*s", width, product_texts[i].label);
            print_text(stdout, (const uint8_t *)json_string_value(text),
                       json_string_length(text), line_feed);
            (void)printf("\n");
        }
    }
    if (json_object_get(object, "battery") != NULL) {
        (void)printf("%-*s%lld %% or more\n", width, "battery",
                     (long long)json_integer_value(json_object_get(object, "battery")));
    }
}
