/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damage, once in the life of a device: a sector that goes bad, a bit that flips.
 */
#include "closure_inner.h"

#include <stdlib.h>

/* --- a sector that goes bad --- */

static void spoil(void *context, const struct vflash_op *op)
{
    struct vdevice *device = context;
    struct closure *closure = ((struct sweep_world *)device->hooks.context)->user;

    if (op->index == closure->world->spoil_op) {
        vflash_set_bad(closure_flash(closure), op->addr, true);
        closure->world->spoil_addr = canon_sector(&closure->canon, op->addr);
    }
}

/* The sector of operation `op` of this state's run goes bad at it; what follows is a
 * state of its own. */
static bool spoil_at(struct closure *closure, size_t index, uint32_t op)
{
    struct sweep_world *world = closure->world;
    const struct sweep_cut cut = {.op = op, .kind = SWEEP_BAD};

    closure_bring_back(closure, &closure->nodes[index]);
    world->promise.is_hurt = true;
    world->spoil_op = op;
    closure_hook(closure, spoil, NULL);
    enum vdevice_end end = sweep_power_on(world, &cut);

    closure_hook(closure, NULL, NULL);
    closure->result.power_ons++;
    closure->result.transitions++;
    if (!sweep_check_running(world, end)) {
        closure_take_path(closure, index, &cut);
        return false;
    }
    vdevice_power_off(&world->device);
    closure->damage = (struct closure_damage){
        .is_hurt = true, .is_bad = true, .bad_addr = world->spoil_addr};
    (void)closure_add(closure, (int64_t)index, cut);
    closure_settle(closure);
    return true;
}

/* Operations of this state's run on which no sector has gone bad yet. */
struct survey {
    struct closure *closure;
    size_t index; /* of the state */
    uint32_t *ops;
    size_t count;
};

/* Power fails before the operation, and its sector is bad when it comes back. False if
 * that has been met before. */
static bool spoil_and_cut(struct closure *closure, size_t index,
                          const struct vflash_op *op, uint64_t facts)
{
    const struct closure_damage whole = {0};
    const struct sweep_cut cut = {.op = op->index, .kind = SWEEP_BAD, .seed = 1};

    closure->damage =
        (struct closure_damage){.is_hurt = true,
                                .is_bad = true,
                                .bad_addr = canon_sector(&closure->canon, op->addr)};
    closure_look_around(closure);
    bool is_new = !closure_is_met(closure, op, facts);

    if (is_new) {
        closure->result.transitions++;
        (void)closure_add(closure, (int64_t)index, cut);
    }
    closure->damage = whole;
    return is_new;
}

static void note_op(void *context, const struct vflash_op *op)
{
    const struct vdevice *device = context;
    const struct sweep_world *world = device->hooks.context;
    struct survey *survey = world->user;
    uint64_t facts = (uint64_t)device->program << 8 | (uint64_t)device->cause << 1 |
                     (uint64_t)world->has_sent;

    if (!spoil_and_cut(survey->closure, survey->index, op, facts)) {
        return;
    }
    survey->ops = canon_room(survey->ops, survey->count, sizeof(*survey->ops));
    survey->ops[survey->count++] = op->index;
}

bool closure_spoil_all(struct closure *closure, size_t index)
{
    struct sweep_world *world = closure->world;
    const struct sweep_cut none = {.kind = SWEEP_NONE};
    struct survey survey = {.closure = closure, .index = index};
    bool is_good = true;

    closure->current = index;
    closure_bring_back(closure, &closure->nodes[index]);
    world->user = &survey;
    closure_hook(closure, note_op, NULL);
    (void)sweep_power_on(world, &none);
    closure_hook(closure, NULL, NULL);
    world->user = closure;
    closure->result.power_ons++;
    vdevice_power_off(&world->device);
    closure_settle(closure);
    for (size_t i = 0; i < survey.count && is_good; i++) {
        is_good = spoil_at(closure, index, survey.ops[i]);
    }
    free(survey.ops);
    return is_good;
}

/* --- a bit that flips --- */

/* The flash as it is now is kept: what must not change from here on. */
static size_t keep_flipped(struct closure *closure)
{
    size_t count = closure->flipped_count++;

    closure->flipped = canon_room(closure->flipped, count, sizeof(*closure->flipped));
    closure->flipped[count] = (struct vflash_image){0};
    vflash_save(closure_flash(closure), &closure->flipped[count]);
    return count;
}

/* A bit of the byte at `addr` flips while the device is off: a state of its own. A
 * confirm that a cut has ended may be lost; one that was done may not. */
static void flip_at(struct closure *closure, size_t index, uint32_t addr)
{
    const struct closure_node *node = &closure->nodes[index];
    const struct sweep_cut cut = {.op = addr, .kind = SWEEP_FLIP, .seed = addr % 8};
    size_t states = closure->result.states;
    size_t stride = closure->effort->flip_cut_stride;
    struct closure_damage damage = {
        .is_hurt = true, .is_uncut = stride == 0 || closure->flips % stride != 0};

    closure_bring_back(closure, node);
    damage.was_confirmed =
        node->is_rested && promise_is_confirmed(&closure->world->promise);
    vflash_restore(closure_flash(closure), &node->image); /* to look is to read */
    vflash_flip(closure_flash(closure), cut.op, cut.seed);
    damage.flip = keep_flipped(closure);
    closure->damage = damage;
    closure->result.transitions++;
    closure->flips++;
    (void)closure_add(closure, (int64_t)index, cut);
    closure_settle(closure);
    if (closure->result.states == states) {
        closure->flipped_count--;
        vflash_image_free(&closure->flipped[closure->flipped_count]);
    }
}

/* Where bits flip: in byte 9 of each record of the journal, and of each quarter of any
 * other sector, unless it is erased. */
static void flip_sector(struct closure *closure, size_t index, uint32_t addr,
                        const struct otter_flash_area *area)
{
    const struct otter_region *journal = closure->canon.journal;
    bool is_log = addr >= journal->addr && addr - journal->addr < journal->size;
    uint32_t step = is_log ? (uint32_t)OTTER_RECORD_SIZE : area->sector_size / 4;

    for (uint32_t off = 0; off < area->sector_size; off += step) {
        if (closure->places++ % closure->effort->flip_stride != 0) {
            continue;
        }
        vflash_restore(closure_flash(closure), &closure->nodes[index].image);
        if (vflash_word_at(closure_flash(closure), addr + off + 9) !=
            VFLASH_WORD_ERASED) {
            flip_at(closure, index, addr + off + 9);
        }
    }
}

void closure_flip_all(struct closure *closure, size_t index)
{
    const struct otter_region *boot =
        otter_map_find(closure->world->promise.map, OTTER_REGION_BOOT);
    const struct host_profile *profile = &closure->world->sample.profile;

    for (size_t i = 0; i < profile->area_count; i++) {
        const struct otter_flash_area *area = &profile->areas[i];

        for (uint32_t j = 0; j < area->sector_count; j++) {
            uint32_t addr = area->addr + j * area->sector_size;
            bool is_boot = addr >= boot->addr && addr - boot->addr < boot->size;

            if (!is_boot) {
                flip_sector(closure, index, addr, area);
            }
        }
    }
}
