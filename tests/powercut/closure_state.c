/* SPDX-License-Identifier: Apache-2.0 */
/*
 * States of the closure: their keys, what they are kept as, and what in them is dead.
 */
#include "closure_inner.h"

#include "canon_hash.h"

#include <stdlib.h>
#include <string.h>

struct vflash *closure_flash(const struct closure *closure)
{
    return &closure->world->device.flash;
}

/* --- the card --- */

/* NULL: the device has none. */
static struct closure_card_rest *save_card(const struct closure *closure)
{
    return closure->card == NULL ? NULL : closure_card_save(closure->card);
}

void closure_put_card(const struct closure *closure,
                      const struct closure_card_rest *rest)
{
    if (closure->card != NULL) {
        closure_card_restore(closure->card, rest);
    }
}

/* --- damage --- */

uint32_t closure_seen_from(const struct otter_region *journal, uint32_t first,
                           uint32_t addr)
{
    if (addr < journal->addr || addr - journal->addr >= journal->size) {
        return addr;
    }
    return journal->addr + (addr - first + journal->size) % journal->size;
}

uint32_t closure_bad_place(struct closure *closure)
{
    return closure_seen_from(closure->canon.journal, canon_first(&closure->canon),
                             closure->damage.bad_addr);
}

/* A hash of what is damaged, the flash being as it is now; 0: nothing is. */
static uint64_t damage_of(struct closure *closure)
{
    if (!closure->damage.is_hurt) {
        return 0;
    }
    if (closure->damage.is_bad) {
        return canon_mix(2, closure_bad_place(closure));
    }
    return canon_mix(3, (uint64_t)closure->damage.was_confirmed << 1 |
                            (uint64_t)closure->damage.is_uncut);
}

/* --- what is around --- */

/* A bit may flip yet: then more is read than a device reads that is whole. */
static bool may_flip(const struct closure *closure)
{
    return !closure->damage.is_hurt && closure->effort->is_exact_at_rest &&
           (closure->effort->faults & CLOSURE_FLIP) != 0;
}

void closure_look_around(struct closure *closure)
{
    uint64_t card = closure->card == NULL ? 0 : closure_card_hash(closure->card);

    closure->canon.bad = closure->damage.is_bad ? closure->damage.bad_addr
                         : may_flip(closure)    ? CANON_MAY_FLIP
                                                : CANON_NOT_BAD;
    closure->canon.around = canon_mix(card, damage_of(closure));
}

bool closure_asks(struct closure *closure)
{
    closure_look_around(closure);
    return canon_asks(&closure->canon);
}

void closure_hook(struct closure *closure,
                  void (*on_op)(void *context, const struct vflash_op *op),
                  void (*on_card_op)(void *context, const struct vcard_op *op))
{
    closure->world->device.flash.hooks.on_op = on_op;
    if (closure->card != NULL) {
        closure->card->card->hooks.on_op = on_card_op;
    }
}

/* --- nodes --- */

uint64_t closure_key(struct closure *closure)
{
    uint64_t key = canon_hash(&closure->canon);

    if (closure->card != NULL) {
        key = canon_mix(
            key, closure_card_form(closure->card, canon_question(&closure->canon)));
    }
    return canon_mix(key, damage_of(closure));
}

static struct closure_node *new_node(struct closure *closure)
{
    closure->nodes =
        canon_room(closure->nodes, closure->result.states, sizeof(*closure->nodes));
    struct closure_node *node = &closure->nodes[closure->result.states++];

    memset(node, 0, sizeof(*node));
    return node;
}

static void put_off(struct closure *closure, int64_t parent, struct sweep_cut cut)
{
    closure->pending =
        canon_room(closure->pending, closure->pending_count, sizeof(*closure->pending));
    struct closure_pending *pending = &closure->pending[closure->pending_count++];

    *pending = (struct closure_pending){
        .damage = closure->damage, .parent = parent, .cut = cut};
    vflash_save(closure_flash(closure), &pending->image);
    pending->card = save_card(closure);
}

int64_t closure_add(struct closure *closure, int64_t parent, struct sweep_cut cut)
{
    if (closure_asks(closure)) {
        put_off(closure, parent, cut);
        return CLOSURE_NO_STATE;
    }
    uint64_t key = closure_key(closure);
    const uint64_t *known = canon_table_find(closure->seen, key);

    if (known != NULL) {
        closure->nodes[*known].is_rested =
            closure->nodes[*known].is_rested || cut.kind == SWEEP_NONE;
        return (int64_t)*known;
    }
    size_t index = closure->result.states;
    struct closure_node *node = new_node(closure);

    canon_table_put(closure->seen, key, index);
    vflash_save(closure_flash(closure), &node->image);
    node->card = save_card(closure);
    node->parent = parent;
    node->cut = cut;
    node->next = CLOSURE_NO_STATE;
    node->is_rested = cut.kind == SWEEP_NONE;
    node->cuts = parent == CLOSURE_NO_STATE
                     ? 0
                     : closure->nodes[parent].cuts + (cut.kind == SWEEP_BEFORE ||
                                                      cut.kind == SWEEP_TORN ||
                                                      sweep_is_cut_at_once(&cut));
    node->damage = closure->damage;
    return (int64_t)index;
}

/* --- what is dead --- */

static void bring_image(struct closure *closure, const struct closure_damage *damage,
                        const struct vflash_image *image,
                        const struct closure_card_rest *card)
{
    struct sweep_world *world = closure->world;

    sweep_forget(world);
    vflash_restore(closure_flash(closure), image);
    closure_put_card(closure, card);
    world->promise.is_hurt = damage->is_hurt;
    if (damage->is_hurt && !damage->is_bad) {
        world->promise.is_flipped = true;
        world->promise.before = &closure->flipped[damage->flip];
    }
    closure->damage = *damage;
    if (damage->is_bad) {
        vflash_set_bad(closure_flash(closure), damage->bad_addr, true);
    }
}

void closure_bring_back(struct closure *closure, const struct closure_node *node)
{
    bring_image(closure, &node->damage, &node->image, node->card);
    closure->world->promise.cuts = node->cuts;
}

uint64_t closure_reset_key(struct closure *closure)
{
    const struct sweep_world *world = closure->world;
    const struct vdevice *device = &world->device;
    const struct otter_region *loader =
        otter_map_find(&device->profile->map, OTTER_REGION_LOADER);
    uint64_t key = closure_key(closure);
    uint64_t facts = (uint64_t)device->cause << 4 |
                     (uint64_t)device->manager_word << 3 |
                     (uint64_t)device->wants_manager << 2 |
                     (uint64_t)device->is_idle << 1 | (uint64_t)world->has_sent;

    if (device->loader.memory != NULL) {
        key = canon_mix_bytes(key, device->loader.memory, loader->size);
    }
    return canon_mix(key, facts);
}

static bool watch_start(void *context)
{
    struct watch *watch = ((struct sweep_world *)context)->user;
    struct closure *closure = watch->owner;

    return !closure_asks(closure) && watch_reset(watch, closure_reset_key(closure));
}

/* Watches a power-on from the flash as it is: what it erases before it reads it is
 * dead; and what it does not touch, if nothing is left to do after it. */
static void watch_dead(struct closure *closure)
{
    struct sweep_world *world = closure->world;
    struct vflash *flash = closure_flash(closure);
    struct vflash_image before = {0};
    struct closure_card_rest *card = save_card(closure);
    struct watch watch = {.owner = closure,
                          .flash = flash,
                          .card = closure->card,
                          .memory = &closure->watched};
    const struct sweep_cut none = {.kind = SWEEP_NONE};

    vflash_save(flash, &before);
    if (closure->card != NULL) {
        closure_card_watch(closure->card);
    }
    world->user = &watch;
    closure_hook(closure, watch_op, watch_card);
    flash->hooks.on_read = watch_read;
    world->device.hooks.on_reset = closure->card == NULL ? watch_start : NULL;
    (void)sweep_power_on(world, &none);
    closure_hook(closure, NULL, NULL);
    flash->hooks.on_read = NULL;
    world->device.hooks.on_reset = NULL;
    world->user = closure;
    closure->result.power_ons++;
    watch_end(&watch, !watch.is_joined && promise_is_over(&world->promise));
    for (size_t i = 0; watch.all.is_over && i < flash->sector_count; i++) {
        if (!canon_set_has(&watch.all.read, i)) {
            canon_set_add(&watch.all.erased, i);
        }
    }
    vdevice_power_off(&world->device);
    vflash_restore(flash, &before);
    vflash_image_free(&before);
    closure_put_card(closure, card);
    closure_card_drop(&card);
    closure_look_around(closure);
    canon_answer(&closure->canon, &watch.all.erased);
    if (closure->card != NULL) {
        closure_card_answer(closure->card, canon_question(&closure->canon));
    }
}

/* What a damaged device does depends on more than its log: nothing in it counts as
 * dead, nor in one that is to be damaged at rest. */
void closure_find_dead(struct closure *closure)
{
    const struct canon_set none = {{0}};

    if (!closure_asks(closure)) {
        return;
    }
    if (closure->damage.is_hurt || may_flip(closure)) {
        canon_answer(&closure->canon, &none);
    } else {
        watch_dead(closure);
    }
}

void closure_settle(struct closure *closure)
{
    for (size_t i = 0; i < closure->pending_count; i++) {
        struct closure_pending *pending = &closure->pending[i];

        bring_image(closure, &pending->damage, &pending->image, pending->card);
        closure_find_dead(closure);
        int64_t index = closure_add(closure, pending->parent, pending->cut);

        if (pending->cut.kind == SWEEP_NONE && pending->parent != CLOSURE_NO_STATE) {
            closure->nodes[pending->parent].next = index;
        }
        vflash_image_free(&pending->image);
        closure_card_drop(&pending->card);
    }
    closure->pending_count = 0;
}
