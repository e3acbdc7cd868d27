/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a power-on does with each sector first.
 */
#include "closure_watch.h"

#include "sweep.h"

#include <stdlib.h>

static struct watch *watch_of(void *context)
{
    const struct vdevice *device = context;
    const struct sweep_world *world = device->hooks.context;

    return world->user;
}

static void add(struct watch_sets *sets, size_t index, bool is_erase)
{
    if (is_erase && !canon_set_has(&sets->read, index)) {
        canon_set_add(&sets->erased, index);
    } else if (!is_erase && !canon_set_has(&sets->erased, index)) {
        canon_set_add(&sets->read, index);
    }
}

static void watch_sector(struct watch *watch, size_t index, bool is_erase)
{
    add(&watch->all, index, is_erase);
    for (size_t i = 0; i < watch->reset_count; i++) {
        add(&watch->resets[i].sets, index, is_erase);
    }
}

void watch_op(void *context, const struct vflash_op *op)
{
    struct watch *watch = watch_of(context);

    watch_sector(watch, vflash_sector_index(watch->flash, op->addr), op->is_erase);
}

void watch_read(void *context, uint32_t addr, size_t size)
{
    struct watch *watch = watch_of(context);
    size_t first = vflash_sector_index(watch->flash, addr);
    size_t last = size == 0
                      ? first
                      : vflash_sector_index(watch->flash, addr + (uint32_t)size - 1);

    for (size_t i = first; i <= last; i++) {
        watch_sector(watch, i, false);
    }
}

void watch_card(void *context, const struct vcard_op *op)
{
    closure_card_see(watch_of(context)->card, op);
}

bool watch_reset(struct watch *watch, uint64_t key)
{
    const uint64_t *known = canon_table_find(watch->memory->known, key);

    if (known != NULL) {
        watch->is_joined = true;
        watch->joined = (size_t)*known;
        return true;
    }
    if (watch->reset_count < WATCH_RESETS_MAX) {
        watch->resets[watch->reset_count].key = key;
        watch->resets[watch->reset_count++].sets =
            (struct watch_sets){.is_over = false};
    }
    return false;
}

/* `sets`, and then what `later` does. */
static void go_on_with(struct watch_sets *sets, const struct watch_sets *later,
                       size_t sectors)
{
    for (size_t i = 0; i < sectors; i++) {
        if (canon_set_has(&later->erased, i)) {
            add(sets, i, true);
        } else if (canon_set_has(&later->read, i)) {
            add(sets, i, false);
        }
    }
    sets->is_over = later->is_over;
}

static void remember(struct watch_memory *memory, uint64_t key,
                     const struct watch_sets *sets)
{
    memory->sets = canon_room(memory->sets, memory->count, sizeof(*memory->sets));
    canon_table_put(memory->known, key, memory->count);
    memory->sets[memory->count++] = *sets;
}

void watch_end(struct watch *watch, bool is_over)
{
    struct watch_sets rest = {.is_over = is_over};

    if (watch->is_joined) {
        rest = watch->memory->sets[watch->joined];
    }
    go_on_with(&watch->all, &rest, watch->flash->sector_count);
    for (size_t i = 0; i < watch->reset_count; i++) {
        go_on_with(&watch->resets[i].sets, &rest, watch->flash->sector_count);
        remember(watch->memory, watch->resets[i].key, &watch->resets[i].sets);
    }
}

void watch_memory_open(struct watch_memory *memory)
{
    *memory = (struct watch_memory){.known = canon_table_make()};
}

void watch_memory_free(struct watch_memory *memory)
{
    canon_table_free(memory->known);
    free(memory->sets);
}
