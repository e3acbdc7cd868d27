/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table with open addressing. Keys are hashes already; key 0 is stored as 1.
 */
#include "canon.h"

#include <stdio.h>
#include <stdlib.h>

struct entry {
    uint64_t key; /* 0: free */
    uint64_t value;
};

struct canon_table {
    struct entry *entries;
    size_t size; /* a power of two */
    size_t count;
};

enum { FIRST_SIZE = 1024 };

static struct entry *alloc_entries(size_t size)
{
    struct entry *entries = calloc(size, sizeof(*entries));

    if (entries == NULL) {
        (void)fprintf(stderr, "canon: out of memory\n");
        abort();
    }
    return entries;
}

void *canon_room(void *items, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0) {
        return items;
    }
    void *moved = realloc(items, (count == 0 ? 1 : 2 * count) * size);

    if (moved == NULL) {
        abort();
    }
    return moved;
}

struct canon_table *canon_table_make(void)
{
    struct canon_table *table = calloc(1, sizeof(*table));

    if (table == NULL) {
        abort();
    }
    table->entries = alloc_entries(FIRST_SIZE);
    table->size = FIRST_SIZE;
    return table;
}

void canon_table_free(struct canon_table *table)
{
    if (table != NULL) {
        free(table->entries);
        free(table);
    }
}

static struct entry *place_of(const struct canon_table *table, uint64_t key)
{
    size_t at = (size_t)(key ^ key >> 32) & (table->size - 1);

    while (table->entries[at].key != 0 && table->entries[at].key != key) {
        at = (at + 1) & (table->size - 1);
    }
    return &table->entries[at];
}

static void grow(struct canon_table *table)
{
    struct canon_table bigger = {.entries = alloc_entries(2 * table->size),
                                 .size = 2 * table->size,
                                 .count = table->count};

    for (size_t i = 0; i < table->size; i++) {
        if (table->entries[i].key != 0) {
            *place_of(&bigger, table->entries[i].key) = table->entries[i];
        }
    }
    free(table->entries);
    *table = bigger;
}

const uint64_t *canon_table_find(const struct canon_table *table, uint64_t key)
{
    const struct entry *entry = place_of(table, key == 0 ? 1 : key);

    return entry->key == 0 ? NULL : &entry->value;
}

void canon_table_put(struct canon_table *table, uint64_t key, uint64_t value)
{
    key = key == 0 ? 1 : key;
    struct entry *entry = place_of(table, key);

    if (entry->key == 0) {
        if (2 * (table->count + 1) > table->size) {
            grow(table);
            entry = place_of(table, key);
        }
        table->count++;
    }
    *entry = (struct entry){.key = key, .value = value};
}
