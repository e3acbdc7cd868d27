/* SPDX-License-Identifier: Apache-2.0 */
/*
 * K27: a device acts on the canonical form of a state as on the state itself.
 */
#include "closure_inner.h"

#include "canon_hash.h"

struct trail {
    const struct otter_region *journal;
    uint32_t first; /* address of the sector in it that comes first */
    uint64_t hash;
    enum vdevice_end end;
    uint64_t end_key;
};

static void follow(void *context, const struct vflash_op *op)
{
    struct vdevice *device = context;
    struct trail *trail = ((struct sweep_world *)device->hooks.context)->user;
    uint32_t place = closure_seen_from(trail->journal, trail->first, op->addr);

    trail->hash = canon_mix(trail->hash, canon_mix(place, op->size + op->is_erase));
}

/* A dead file is looked for and removed, or is not there. */
static void follow_card(void *context, const struct vcard_op *op)
{
    if (closure_is_reading(op) || op->kind == VCARD_REMOVE) {
        return;
    }
    struct vdevice *device = context;
    struct trail *trail = ((struct sweep_world *)device->hooks.context)->user;

    trail->hash = canon_mix(trail->hash, op->kind);
    for (const char *c = op->path; c != NULL && *c != '\0'; c++) {
        trail->hash = canon_mix(trail->hash, (uint8_t)*c);
    }
}

static struct trail trail_from_here(struct closure *closure)
{
    struct sweep_world *world = closure->world;
    const struct sweep_cut none = {.kind = SWEEP_NONE};
    struct trail trail = {.journal = closure->canon.journal,
                          .first = canon_first(&closure->canon),
                          .hash = 1};

    world->user = &trail;
    closure_hook(closure, follow, follow_card);
    trail.end = sweep_power_on(world, &none);
    closure_hook(closure, NULL, NULL);
    world->user = closure;
    vdevice_power_off(&world->device);
    closure_find_dead(closure);
    trail.end_key = closure_key(closure);
    closure->result.power_ons++;
    return trail;
}

static bool is_same_trail(const struct trail *a, const struct trail *b)
{
    return a->hash == b->hash && a->end == b->end && a->end_key == b->end_key;
}

/* A bad sector goes where what it holds has gone. */
static void move_bad(struct closure *closure, uint32_t addr)
{
    struct closure_damage *damage = &closure->damage;

    if (damage->is_bad) {
        vflash_set_bad(closure_flash(closure), damage->bad_addr, false);
        vflash_set_bad(closure_flash(closure), addr, true);
        damage->bad_addr = addr;
    }
}

/* Flash and card together: what is dead depends on both. */
static void make_form(struct closure *closure, uint32_t offset)
{
    uint32_t bad = closure_bad_place(closure);
    uint64_t question;

    closure_look_around(closure);
    question = canon_question(&closure->canon);
    if (offset == 0) {
        canon_make(&closure->canon);
    } else {
        canon_shift_sequences(&closure->canon, offset);
    }
    if (closure->card != NULL) {
        closure_card_make(closure->card, question, offset);
    }
    move_bad(closure, bad);
    closure_look_around(closure);
}

bool closure_compare(struct closure *closure, size_t index)
{
    enum { SHIFT = 1000 };

    closure_bring_back(closure, &closure->nodes[index]);
    closure_look_around(closure);
    uint64_t raw_key = closure_key(closure);
    struct trail raw = trail_from_here(closure);

    closure_bring_back(closure, &closure->nodes[index]);
    make_form(closure, 0);
    closure_find_dead(closure);
    bool is_same_key = closure_key(closure) == raw_key;
    struct trail made = trail_from_here(closure);

    closure_bring_back(closure, &closure->nodes[index]);
    make_form(closure, SHIFT);
    struct trail shifted = trail_from_here(closure);

    closure->result.compared++;
    if (!is_same_key) {
        return !sweep_broke(closure->world, "K27: the canonical form is not its own");
    }
    if (!is_same_trail(&raw, &made)) {
        return !sweep_broke(closure->world,
                            "K27: the device acts otherwise on the canonical form");
    }
    return is_same_trail(&raw, &shifted) ||
           !sweep_broke(closure->world,
                        "K27: the device acts otherwise with other sequence numbers");
}
