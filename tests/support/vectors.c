/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading vectors, watching reads.
 */
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void vector_load(const char *name, struct vector *vector)
{
    char path[1024];
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s", OTTER_TEST_VECTORS, name);
    file = fopen(path, "rb");
    vector->size = file == NULL ? 0 : fread(vector->data, 1, VECTOR_MAX, file);
    if (vector->size == 0 || vector->size == VECTOR_MAX) {
        (void)fprintf(stderr, "vectors: %s cannot be read, or is too large\n", path);
        abort();
    }
    (void)fclose(file);
}

static enum otter_result watched_read(const void *context, uint32_t off, void *data,
                                      size_t len)
{
    struct watched *watched = ((const struct watched *)context)->self;

    if (off > watched->size || len > watched->size - off) {
        (void)fprintf(stderr, "vectors: a read of %zu bytes at %u of %u\n", len, off,
                      watched->size);
        abort();
    }
    watched->reads++;
    if (watched->fail_at != 0 && watched->reads >= watched->fail_at) {
        return OTTER_E_FLASH_READ;
    }
    if (len > watched->longest) {
        watched->longest = (unsigned)len;
    }
    for (size_t i = 0; i < len && off + i < sizeof(watched->seen); i++) {
        watched->seen[off + i]++;
    }
    memcpy(data, watched->data + off, len);
    return OTTER_OK;
}

void watched_init(struct watched *watched, const uint8_t *data, size_t size)
{
    memset(watched, 0, sizeof(*watched));
    watched->data = data;
    watched->size = (uint32_t)size;
    watched->self = watched;
}

struct otter_source watched_source(struct watched *watched)
{
    return (struct otter_source){
        .context = watched, .size = watched->size, .read = watched_read};
}
