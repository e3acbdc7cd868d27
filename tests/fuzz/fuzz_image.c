/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image files of any bytes. The first byte chooses the format and what is done next.
 */
#include "image.h"

#include <stdlib.h>

static void use(struct image *image)
{
    struct image_range span = image_span(image);
    struct image_range hit;
    struct bytes flat = {0};

    for (size_t i = 1; i < image->count; i++) {
        const struct image_segment *before = &image->segments[i - 1];

        if (image->segments[i].addr <= before->addr + (before->size - 1)) {
            abort();
        }
    }
    if (image_outside(image, span, &hit)) {
        abort();
    }
    if (span.last - span.first < 65536 && image_flatten(image, &flat)) {
        bytes_free(&flat);
    }
    span.first += (span.last - span.first) / 3;
    if (image_only(image, span)) {
        (void)image_rebase(image, 0x1000);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool (*const parse[])(const uint8_t *, size_t, struct image *) = {
        image_parse_hex, image_parse_elf, image_parse_bin};
    struct image image;

    if (size == 0) {
        return 0;
    }
    if (parse[data[0] % 3](data + 1, size - 1, &image)) {
        use(&image);
    } else if (image.count != 0 || image.message[0] == '\0') {
        abort();
    }
    image_free(&image);
    return 0;
}
