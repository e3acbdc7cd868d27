/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states that one cut of an update leaves.
 */
#include "moments.h"

#include <string.h>

/* Seeds of torn operations: a program's outcome for prefixes at its begin, middle and
 * end, and every kind of torn erase (vflash.h explains the numbers). */
static const uint32_t torn_seeds[] = {0, 1, 2, 5, 9, 38, 71, 104, 133, 166, 199};

_Static_assert(sizeof(torn_seeds) / sizeof(torn_seeds[0]) == CUTS_TORN_WAYS,
               "a row of the sweep has one run for each");

struct sweep_cut cuts_at(uint32_t op, uint32_t index, uint32_t salt)
{
    struct sweep_cut cut = {.op = op, .kind = SWEEP_TORN};

    if (index == 0) {
        cut.kind = SWEEP_BEFORE;
    } else if (index == 1) {
        cut.kind = SWEEP_AFTER;
    } else {
        cut.seed = torn_seeds[index - 2] + (salt % 7) * 1000003U;
    }
    return cut;
}

static struct vflash *flash_of(const struct moments *moments)
{
    return &moments->world->device.flash;
}

static void take(struct moments *moments, struct sweep_cut cut)
{
    struct moment *moment = &moments->taken[moments->count++];

    moment->cut = cut;
    moment->accepted = moments->world->accepted;
    vflash_save(flash_of(moments), &moment->image);
}

/* Every torn outcome of an operation that differs from those before it. */
static void tear(struct moments *moments, const struct vflash_op *op)
{
    struct vflash *flash = flash_of(moments);
    uint64_t hashes[CUTS_KINDS];
    size_t met = 0;

    vflash_save(flash, &moments->now);
    for (uint32_t kind = 2; kind < CUTS_KINDS; kind++) {
        struct sweep_cut cut = cuts_at(op->index, kind, op->index);
        bool is_new = true;

        if ((kind + op->index) % moments->effort->torn_stride != 0) {
            continue;
        }
        vflash_tear(flash, op, cut.seed);
        flash->sectors[vflash_sector_index(flash, op->addr)].erases += op->is_erase;
        hashes[met] = vflash_hash(flash);
        for (size_t i = 0; i < met; i++) {
            is_new = is_new && hashes[i] != hashes[met];
        }
        moments->cuts++;
        if (is_new) {
            take(moments, cut);
            met++;
        }
        vflash_restore(flash, &moments->now);
    }
}

static void on_op(void *context, const struct vflash_op *op)
{
    struct vdevice *device = context;
    struct moments *moments = ((struct sweep_world *)device->hooks.context)->user;
    uint32_t stride = moments->effort->stride;
    bool is_wanted = op->index % stride == 0;
    bool is_after = op->index > 0 && (op->index - 1) % stride == 0;

    moments->ops = op->index + 1;
    if (op->index < moments->from || moments->is_full) {
        return;
    }
    if (MOMENTS_MAX - moments->count < CUTS_KINDS) {
        moments->is_full = true;
        return;
    }
    moments->next = op->index + 1;
    if (is_wanted || is_after) {
        moments->cuts += (uint64_t)is_wanted + is_after;
        take(moments, cuts_at(op->index, 0, 0));
    }
    if (is_wanted) {
        tear(moments, op);
    }
}

static void drop(struct moments *moments)
{
    for (size_t i = 0; i < moments->count; i++) {
        vflash_image_free(&moments->taken[i].image);
    }
    moments->count = 0;
}

void moments_open(struct moments *moments, struct sweep_world *world,
                  const struct cuts_effort *effort)
{
    memset(moments, 0, sizeof(*moments));
    moments->world = world;
    moments->effort = effort;
    moments->ops = 1;
}

bool moments_take(struct moments *moments)
{
    const struct sweep_cut none = {.kind = SWEEP_NONE};
    struct sweep_world *world = moments->world;

    drop(moments);
    moments->from = moments->next;
    if (moments->from >= moments->ops) {
        return false;
    }
    sweep_start_over(world);
    world->user = moments;
    moments->is_full = false;
    flash_of(moments)->hooks.on_op = on_op;
    (void)sweep_power_on(world, &none);
    flash_of(moments)->hooks.on_op = NULL;
    world->user = NULL;
    if (moments->is_full) {
        return true;
    }
    moments->next = moments->ops;
    if (moments->effort->stride == 1) {
        moments->cuts++;
        take(moments, cuts_at(moments->ops - 1, 1, 0));
    }
    return true;
}

void moments_close(struct moments *moments)
{
    drop(moments);
    vflash_image_free(&moments->now);
}
