/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The closure over states.
 */
#include "closure.h"

#include "canon.h"
#include "canon_hash.h"
#include "closure_card.h"
#include "closure_watch.h"

#include <stdlib.h>
#include <string.h>

enum {
    NO_STATE = -1,
    FIRST_UNSTABLE_PROGRAM = 3, /* ways of tearing: see vflash.h */
    FIRST_UNSTABLE_ERASE = 6,
};

/* A state, and how it was reached first. */
struct node {
    struct vflash_image image;      /* dropped when it has been run */
    struct closure_card_rest *card; /* and this; NULL: the device has none */
    int64_t parent;
    struct sweep_cut cut; /* what led here from the parent */
    int64_t next;         /* state in which a power-on without a fault ends */
    uint32_t cuts;        /* on the way here */
    uint32_t bad_addr;    /* sector that is bad, if is_bad */
    bool is_bad;
    bool is_hurt; /* a sector is bad, or a bit has flipped */
    bool is_over; /* and `next` is where the update has come to its end */
    bool is_run;
};

/* A state of which it is not known yet what in it is dead. */
struct pending {
    struct vflash_image image;
    struct closure_card_rest *card;
    struct node like;
    int64_t parent;
    struct sweep_cut cut;
};

struct closure {
    struct sweep_world *world;
    const struct closure_effort *effort;
    struct closure_result result;
    struct canon canon;
    struct closure_card *card; /* NULL: the device has none */
    struct canon_table *seen;  /* canonical hash -> index of node */
    struct canon_table *torn;  /* operations that have been torn */
    struct watch_memory watched;
    struct canon_table *resets; /* devices about to start again -> index of node */
    struct node *nodes;
    size_t capacity;
    size_t current;             /* node that is being run */
    int64_t joined;             /* node whose run this one has met at a reset */
    struct vflash_image moment; /* the flash before the operation at hand */
    struct node damaged;        /* what of the device is, now */
    uint32_t op;                /* which that is, of flash and card since power on */
    bool was_reading;           /* the one before it changed nothing */
    size_t flips;               /* places looked at */
    struct pending *pending;
    size_t pending_count;
    size_t pending_capacity;
};

static struct vflash *flash_of(const struct closure *closure)
{
    return &closure->world->device.flash;
}

/* --- the card --- */

/* NULL: the device has none. */
static struct closure_card_rest *save_card(const struct closure *closure)
{
    return closure->card == NULL ? NULL : closure_card_save(closure->card);
}

static void restore_card(const struct closure *closure,
                         const struct closure_card_rest *rest)
{
    if (closure->card != NULL) {
        closure_card_restore(closure->card, rest);
    }
}

/* Where the bad sector lies; the log goes round, so in it as seen from its begin. */
static uint32_t bad_place(struct closure *closure, uint32_t addr)
{
    const struct otter_region *journal = closure->canon.journal;
    uint32_t first = canon_first(&closure->canon);

    if (addr < journal->addr || addr - journal->addr >= journal->size) {
        return addr;
    }
    return journal->addr + (addr - first + journal->size) % journal->size;
}

/* A hash of what is damaged, the flash being as it is now; 0: nothing is. */
static uint64_t damage_of(struct closure *closure, const struct node *like)
{
    if (!like->is_hurt) {
        return 0;
    }
    return canon_mix(2, like->is_bad ? bad_place(closure, like->bad_addr) : 1);
}

/* What of the flash is dead depends on the card, and on what is damaged, too. */
static void look_around(struct closure *closure)
{
    uint64_t card = closure->card == NULL ? 0 : closure_card_hash(closure->card);

    closure->canon.around = canon_mix(card, damage_of(closure, &closure->damaged));
}

/* True if it is not known what is dead in the flash as it is now. */
static bool is_open_question(struct closure *closure)
{
    look_around(closure);
    return canon_asks(&closure->canon);
}

/* Sets what is called at each operation; NULL: nothing. */
static void hook(struct closure *closure,
                 void (*on_op)(void *context, const struct vflash_op *op),
                 void (*on_card_op)(void *context, const struct vcard_op *op))
{
    closure->world->device.flash.hooks.on_op = on_op;
    if (closure->card != NULL) {
        closure->card->card->hooks.on_op = on_card_op;
    }
}

/* --- nodes --- */

/* The key of the state of the flash now, the card having been looked at. Devices with
 * and without damage are apart. */
static uint64_t key_now(struct closure *closure, const struct node *like)
{
    uint64_t key = canon_hash(&closure->canon);

    if (closure->card != NULL) {
        key = canon_mix(
            key, closure_card_form(closure->card, canon_question(&closure->canon)));
    }

    return canon_mix(key, damage_of(closure, like));
}

static struct node *new_node(struct closure *closure)
{
    if (closure->result.states == closure->capacity) {
        closure->capacity = closure->capacity == 0 ? 1024 : 2 * closure->capacity;
        closure->nodes =
            realloc(closure->nodes, closure->capacity * sizeof(*closure->nodes));
        if (closure->nodes == NULL) {
            abort();
        }
    }
    struct node *node = &closure->nodes[closure->result.states++];

    memset(node, 0, sizeof(*node));
    return node;
}

static void put_off(struct closure *closure, const struct node *like, int64_t parent,
                    struct sweep_cut cut)
{
    if (closure->pending_count == closure->pending_capacity) {
        closure->pending_capacity = 2 * closure->pending_capacity + 64;
        closure->pending = realloc(closure->pending, closure->pending_capacity *
                                                         sizeof(*closure->pending));
        if (closure->pending == NULL) {
            abort();
        }
    }
    struct pending *pending = &closure->pending[closure->pending_count++];

    *pending = (struct pending){.like = *like, .parent = parent, .cut = cut};
    vflash_save(flash_of(closure), &pending->image);
    pending->card = save_card(closure);
}

/* The node of the state of the flash now, new or known. `like` says what is damaged. In
 * the middle of a run a state may have to wait: see settle_pending(). */
static int64_t add_state(struct closure *closure, const struct node *like,
                         int64_t parent, struct sweep_cut cut)
{
    if (is_open_question(closure)) {
        put_off(closure, like, parent, cut);
        return NO_STATE;
    }
    uint64_t key = key_now(closure, like);
    const uint64_t *known = canon_table_find(closure->seen, key);

    if (known != NULL) {
        return (int64_t)*known;
    }
    bool is_bad = like->is_bad;
    bool is_hurt = like->is_hurt;
    uint32_t bad_addr = like->bad_addr;
    size_t index = closure->result.states;
    struct node *node = new_node(closure); /* `like` may have moved */

    canon_table_put(closure->seen, key, index);
    vflash_save(flash_of(closure), &node->image);
    node->card = save_card(closure);
    node->parent = parent;
    node->cut = cut;
    node->next = NO_STATE;
    node->cuts = parent == NO_STATE
                     ? 0
                     : closure->nodes[parent].cuts + (cut.kind == SWEEP_BEFORE ||
                                                      cut.kind == SWEEP_TORN ||
                                                      sweep_is_cut_at_once(&cut));
    node->is_bad = is_bad;
    node->is_hurt = is_hurt;
    node->bad_addr = bad_addr;
    return (int64_t)index;
}

/* --- what a cut leaves --- */

/* Prefixes of a torn program that are looked at: none, one word, half, all but one. */
static size_t prefixes_of(uint32_t count, uint32_t prefixes[4])
{
    const uint32_t wanted[] = {0, 1, count / 2, count - 1};
    size_t found = 0;

    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        bool is_new = wanted[i] < count;

        for (size_t j = 0; j < found; j++) {
            is_new = is_new && prefixes[j] != wanted[i];
        }
        if (is_new) {
            prefixes[found++] = wanted[i];
        }
    }
    return found;
}

/* Tears the operation one way, takes the state, and brings the moment back. */
static void tear(struct closure *closure, const struct vflash_op *op, uint32_t seed)
{
    const struct node *node = &closure->nodes[closure->current];
    const struct sweep_cut cut = {.op = closure->op, .kind = SWEEP_TORN, .seed = seed};

    vflash_tear(flash_of(closure), op, seed);
    if (closure->card != NULL) {
        closure_card_hold(closure->card);
        closure_card_cut(closure->card, seed);
    }
    closure->result.transitions++;
    (void)add_state(closure, node, (int64_t)closure->current, cut);
    vflash_restore(flash_of(closure), &closure->moment);
    if (closure->card != NULL) {
        closure_card_go_on(closure->card);
    }
}

static bool is_wanted(struct closure *closure, bool is_unstable)
{
    unsigned faults = closure->effort->faults;

    if (!is_unstable) {
        return (faults & CLOSURE_TORN) != 0;
    }
    return (faults & CLOSURE_UNSTABLE) != 0 &&
           canon_unstable(&closure->canon) < closure->effort->unstable_max;
}

/* From the first state every prefix is tried, from others four. */
static void tear_program(struct closure *closure, const struct vflash_op *op)
{
    uint32_t prefixes[4] = {0};
    uint32_t count = op->word_count;
    bool is_first = closure->current == 0;
    size_t found = is_first ? count : prefixes_of(count, prefixes);

    for (size_t i = 0; i < found; i++) {
        uint32_t prefix = is_first ? (uint32_t)i : prefixes[i];

        for (uint32_t way = 0; way < VFLASH_TORN_PROGRAM_OUTCOMES; way++) {
            if (is_wanted(closure, way >= FIRST_UNSTABLE_PROGRAM)) {
                tear(closure, op, prefix + way * (count + 1));
            }
        }
    }
}

static void tear_erase(struct closure *closure, const struct vflash_op *op)
{
    for (uint32_t way = 0; way < VFLASH_TORN_ERASE_OUTCOMES; way++) {
        if (is_wanted(closure, way >= FIRST_UNSTABLE_ERASE)) {
            tear(closure, op, way);
        }
    }
}

/* Bytes of a record that its canonical form replaces: sequence, erase counts, CRC. */
static bool is_form_only(uint32_t off)
{
    return (off >= 4 && off < 8) || (off >= 48 && off < 80) || off >= 124;
}

/* Of what goes into the log from `off` on, all that its form leaves as it is. */
static uint64_t mix_records(uint64_t key, const struct vflash_op *op, uint32_t off)
{
    uint8_t bytes[OTTER_RECORD_SIZE];
    uint32_t size = 0;

    for (uint32_t done = 0; done < op->size; done += size) {
        size = op->size - done < sizeof(bytes) ? op->size - done : sizeof(bytes);
        for (uint32_t i = 0; i < size; i++) {
            bytes[i] = is_form_only((off + done + i) % OTTER_RECORD_SIZE)
                           ? 0
                           : op->data[done + i];
        }
        key = canon_mix_bytes(key, bytes, size);
    }
    return key;
}

/* What an operation does, in canonical form. */
static uint64_t op_key(struct closure *closure, const struct vflash_op *op)
{
    const struct otter_region *journal = closure->canon.journal;
    bool is_log = op->addr >= journal->addr && op->addr - journal->addr < journal->size;
    uint32_t first = is_log ? canon_first(&closure->canon) : 0;
    uint32_t place =
        is_log ? (op->addr - first + journal->size) % journal->size : op->addr;
    uint64_t key = canon_mix(place, op->size);

    if (op->is_erase) {
        return key;
    }
    return is_log ? mix_records(key, op, op->addr - journal->addr)
                  : canon_mix_bytes(key, op->data, op->size);
}

static void take_cut(struct closure *closure, uint32_t seed)
{
    const struct sweep_cut cut = {
        .op = closure->op, .kind = SWEEP_BEFORE, .seed = seed};

    closure->result.transitions++;
    (void)add_state(closure, &closure->nodes[closure->current],
                    (int64_t)closure->current, cut);
}

/* Before the operation at hand; if there is none, after the last one. */
static void cut_before(struct closure *closure)
{
    uint32_t seeds[CLOSURE_CARD_SEEDS_MAX];

    if (closure->card == NULL) {
        take_cut(closure, 0);
        return;
    }
    size_t count = closure_card_seeds(closure->card, seeds);

    closure_card_hold(closure->card);
    for (size_t i = 0; i < count; i++) {
        closure_card_cut(closure->card, seeds[i]);
        take_cut(closure, seeds[i]);
        closure_card_go_on(closure->card);
    }
}

/* True if this operation on this flash has been met before; `facts`: what else tells
 * operations apart. */
static bool is_met(struct closure *closure, const struct vflash_op *op, uint64_t facts)
{
    uint64_t key = canon_mix(key_now(closure, &closure->nodes[closure->current]),
                             canon_mix(op_key(closure, op), facts));

    if (canon_table_find(closure->torn, key) != NULL) {
        return true;
    }
    canon_table_put(closure->torn, key, 1);
    return false;
}

static void tear_op(struct closure *closure, const struct vflash_op *op)
{
    if ((closure->effort->faults & (CLOSURE_TORN | CLOSURE_UNSTABLE)) == 0 ||
        closure->nodes[closure->current].is_hurt ||
        (!is_open_question(closure) && is_met(closure, op, 0))) {
        return;
    }
    vflash_save(flash_of(closure), &closure->moment);
    if (op->is_erase) {
        tear_erase(closure, op);
    } else {
        tear_program(closure, op);
    }
}

static void on_op(void *context, const struct vflash_op *op)
{
    struct vdevice *device = context;
    struct closure *closure = ((struct sweep_world *)device->hooks.context)->user;

    if (!closure->was_reading) {
        cut_before(closure);
    }
    tear_op(closure, op);
    closure->was_reading = false;
    closure->op++;
}

static bool is_reading(const struct vcard_op *op)
{
    return op->kind == VCARD_READ || op->kind == VCARD_STAT || op->kind == VCARD_LIST ||
           (op->kind == VCARD_OPEN && op->mode == VCARD_MODE_READ);
}

/* What an operation of the card leaves half done is what a cut before the next one
 * leaves of it. */
static void on_card_op(void *context, const struct vcard_op *op)
{
    struct vdevice *device = context;
    struct closure *closure = ((struct sweep_world *)device->hooks.context)->user;

    if (!closure->was_reading) {
        cut_before(closure);
    }
    closure->was_reading = is_reading(op);
    closure->op++;
}

/* --- what is dead --- */

static void bring_image(struct closure *closure, const struct node *like,
                        const struct vflash_image *image,
                        const struct closure_card_rest *card)
{
    struct sweep_world *world = closure->world;

    sweep_start_over(world);
    vflash_restore(flash_of(closure), image);
    restore_card(closure, card);
    world->promise.is_hurt = like->is_hurt;
    closure->damaged = *like;
    if (like->is_bad) {
        vflash_set_bad(flash_of(closure), like->bad_addr, true);
    }
}

static void bring_back(struct closure *closure, const struct node *node)
{
    bring_image(closure, node, &node->image, node->card);
    closure->world->promise.cuts = node->cuts;
}

/* All that what a device does after a reset depends on. */
static uint64_t reset_key(struct closure *closure, const struct node *like)
{
    const struct sweep_world *world = closure->world;
    const struct vdevice *device = &world->device;
    const struct otter_region *loader =
        otter_map_find(&device->profile->map, OTTER_REGION_LOADER);
    uint64_t key = key_now(closure, like);
    uint64_t facts = (uint64_t)device->cause << 4 |
                     (uint64_t)device->manager_word << 3 |
                     (uint64_t)device->wants_manager << 2 |
                     (uint64_t)device->is_idle << 1 | (uint64_t)world->has_sent;

    if (device->loader.memory != NULL) {
        key = canon_mix_bytes(key, device->loader.memory, loader->size);
    }
    return canon_mix(canon_mix(key, damage_of(closure, &closure->damaged)), facts);
}

static bool watch_start(void *context)
{
    struct watch *watch = ((struct sweep_world *)context)->user;
    struct closure *closure = watch->owner;
    const struct node whole = {0};

    return !is_open_question(closure) && watch_reset(watch, reset_key(closure, &whole));
}

/* Watches a power-on from the flash as it is: what it erases before it reads it is
 * dead; and what it does not touch, if nothing is left to do after it. */
static void watch_dead(struct closure *closure)
{
    struct sweep_world *world = closure->world;
    struct vflash *flash = flash_of(closure);
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
    hook(closure, watch_op, watch_card);
    flash->hooks.on_read = watch_read;
    world->device.hooks.on_reset = closure->card == NULL ? watch_start : NULL;
    (void)sweep_power_on(world, &none);
    hook(closure, NULL, NULL);
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
    restore_card(closure, card);
    closure_card_drop(&card);
    look_around(closure);
    canon_answer(&closure->canon, &watch.all.erased);
    if (closure->card != NULL) {
        closure_card_answer(closure->card, canon_question(&closure->canon));
    }
}

/* Answers the question that is open. What a damaged device does depends on more than
 * its log: nothing in it counts as dead. */
static void find_dead(struct closure *closure)
{
    const struct canon_set none = {{0}};

    if (closure->damaged.is_hurt) {
        canon_answer(&closure->canon, &none);
    } else {
        watch_dead(closure);
    }
}

/* Adds the states that had to wait. */
static void settle_pending(struct closure *closure)
{
    for (size_t i = 0; i < closure->pending_count; i++) {
        struct pending *pending = &closure->pending[i];

        bring_image(closure, &pending->like, &pending->image, pending->card);
        if (is_open_question(closure)) {
            find_dead(closure);
        }
        int64_t index =
            add_state(closure, &pending->like, pending->parent, pending->cut);

        if (pending->cut.kind == SWEEP_NONE && pending->parent != NO_STATE) {
            closure->nodes[pending->parent].next = index;
        }
        vflash_image_free(&pending->image);
        closure_card_drop(&pending->card);
    }
    closure->pending_count = 0;
}

/* --- running a state --- */

/* Every so often a state is run to its end, and in canonical form, too. */
static bool is_compared(const struct closure *closure, size_t index)
{
    size_t stride = closure->effort->canon_stride;

    return stride > 0 && index % stride == 0;
}

/* Takes the path to `node` over as the world's run, for the replay id. */
static void take_path(struct closure *closure, size_t index,
                      const struct sweep_cut *last)
{
    struct sweep_world *world = closure->world;
    size_t count = last == NULL ? 0 : 1;

    for (int64_t at = (int64_t)index; closure->nodes[at].parent != NO_STATE;
         at = closure->nodes[at].parent) {
        count++;
    }
    world->cut_count = count < SWEEP_CUTS_MAX ? count : SWEEP_CUTS_MAX;
    if (last != NULL && count <= SWEEP_CUTS_MAX) {
        world->cuts[--count] = *last;
    }
    for (int64_t at = (int64_t)index; closure->nodes[at].parent != NO_STATE;
         at = closure->nodes[at].parent) {
        if (--count < SWEEP_CUTS_MAX) {
            world->cuts[count] = closure->nodes[at].cut;
        }
    }
}

/* The promises that hold at rest, looked at on a copy: looking reads. */
static bool check_at_rest(struct closure *closure, const struct node *node)
{
    struct sweep_world *world = closure->world;
    bool is_good = !sweep_broke(world, promise_p2(&world->promise)) &&
                   !sweep_broke(world, promise_p8(&world->promise)) &&
                   !sweep_broke(world, promise_k26(&world->promise));

    vflash_restore(flash_of(closure), &node->image);
    restore_card(closure, node->card);
    return is_good;
}

/* True if this run would go on as an earlier one did, which has been seen to its end.
 */
static bool is_known_from_here(void *context)
{
    struct closure *closure = ((struct sweep_world *)context)->user;

    if (closure->joined != NO_STATE || is_open_question(closure)) {
        return false;
    }
    uint64_t key = reset_key(closure, &closure->nodes[closure->current]);
    const uint64_t *known = canon_table_find(closure->resets, key);

    if (known == NULL) {
        canon_table_put(closure->resets, key, closure->current);
    } else if (*known != closure->current) {
        closure->joined = (int64_t)*known;
    }
    return closure->joined != NO_STATE && !is_compared(closure, closure->current);
}

/* The run of a state that has met another's is that one's from there on; what it has
 * written on the way is its own. */
static bool join(struct closure *closure, size_t index)
{
    struct sweep_world *world = closure->world;
    struct node *node = &closure->nodes[index];
    const struct node *joined = &closure->nodes[closure->joined];

    node->next = joined->next;
    node->is_over = joined->is_over;
    node->is_run = true;
    vdevice_power_off(&world->device);
    if (sweep_broke(world, world->resume_violation) ||
        sweep_broke(world, promise_p2(&world->promise)) ||
        sweep_broke(world, promise_p8(&world->promise)) ||
        sweep_broke(world, promise_k26(&world->promise))) {
        return false;
    }
    settle_pending(closure);
    return true;
}

static bool ends_as(const struct closure *closure, size_t index, int64_t other)
{
    return closure->nodes[index].next == closure->nodes[other].next &&
           closure->nodes[index].is_over == closure->nodes[other].is_over;
}

/* Powers on without a fault and takes every state that a cut would leave. */
static bool run_state(struct closure *closure, size_t index)
{
    struct sweep_world *world = closure->world;
    const struct sweep_cut none = {.kind = SWEEP_NONE};

    closure->current = index;
    bring_back(closure, &closure->nodes[index]);
    if (!check_at_rest(closure, &closure->nodes[index])) {
        return false;
    }
    closure->op = 0;
    closure->was_reading = false;
    closure->joined = NO_STATE;
    world->device.hooks.on_reset = is_known_from_here;
    hook(closure, on_op, on_card_op);
    enum vdevice_end end = sweep_power_on(world, &none);

    hook(closure, NULL, NULL);
    world->device.hooks.on_reset = NULL;
    closure->result.power_ons++;
    if (end == VDEVICE_STOPPED && closure->joined != NO_STATE &&
        !is_compared(closure, index)) {
        return join(closure, index);
    }
    if (!sweep_check_running(world, end)) {
        return false;
    }
    cut_before(closure);
    bool is_over = promise_is_over(&world->promise);

    if (is_over && !world->promise.is_hurt && !sweep_check_end(world)) {
        return false;
    }
    vdevice_power_off(&world->device);
    int64_t next = add_state(closure, &closure->nodes[index], (int64_t)index, none);

    closure->nodes[index].next = next;
    settle_pending(closure);
    closure->nodes[index].is_over = is_over;
    closure->nodes[index].is_run = true;
    return closure->joined == NO_STATE || ends_as(closure, index, closure->joined) ||
           !sweep_broke(world, "K27: a device acts otherwise after the same reset");
}

/* --- damage: once in the life of a device --- */

static void spoil(void *context, const struct vflash_op *op)
{
    struct vdevice *device = context;
    struct closure *closure = ((struct sweep_world *)device->hooks.context)->user;

    if (op->index == closure->world->spoil_op) {
        vflash_set_bad(flash_of(closure), op->addr, true);
        closure->world->spoil_addr = canon_sector(&closure->canon, op->addr);
    }
}

/* The sector of operation `op` of this state's run goes bad at it; what follows is a
 * state of its own. */
static bool spoil_at(struct closure *closure, size_t index, uint32_t op)
{
    struct sweep_world *world = closure->world;
    const struct sweep_cut cut = {.op = op, .kind = SWEEP_BAD};
    struct node like = {.is_hurt = true, .is_bad = true};

    bring_back(closure, &closure->nodes[index]);
    world->promise.is_hurt = true;
    world->spoil_op = op;
    hook(closure, spoil, NULL);
    enum vdevice_end end = sweep_power_on(world, &cut);

    hook(closure, NULL, NULL);
    closure->result.power_ons++;
    closure->result.transitions++;
    if (!sweep_check_running(world, end)) {
        take_path(closure, index, &cut);
        return false;
    }
    vdevice_power_off(&world->device);
    like.bad_addr = world->spoil_addr;
    closure->damaged = like;
    (void)add_state(closure, &like, (int64_t)index, cut);
    settle_pending(closure);
    return true;
}

/* Operations of this state's run on which no sector has gone bad yet. */
struct survey {
    struct closure *closure;
    size_t index; /* of the state */
    uint32_t *ops;
    size_t count;
    size_t capacity;
};

/* Power fails before the operation, and its sector is bad when it comes back. */
static void spoil_and_cut(struct closure *closure, size_t index,
                          const struct vflash_op *op)
{
    const struct node whole = {0};
    const struct node like = {.is_hurt = true,
                              .is_bad = true,
                              .bad_addr = canon_sector(&closure->canon, op->addr)};
    const struct sweep_cut cut = {.op = op->index, .kind = SWEEP_BAD, .seed = 1};

    closure->damaged = like;
    closure->result.transitions++;
    (void)add_state(closure, &like, (int64_t)index, cut);
    closure->damaged = whole;
}

static void note_op(void *context, const struct vflash_op *op)
{
    const struct vdevice *device = context;
    const struct sweep_world *world = device->hooks.context;
    struct survey *survey = world->user;
    uint64_t facts = (uint64_t)device->program << 8 | (uint64_t)device->cause << 1 |
                     (uint64_t)world->has_sent;

    if (is_met(survey->closure, op, facts)) {
        return;
    }
    spoil_and_cut(survey->closure, survey->index, op);
    if (survey->count == survey->capacity) {
        survey->capacity = survey->capacity == 0 ? 64 : 2 * survey->capacity;
        survey->ops = realloc(survey->ops, survey->capacity * sizeof(uint32_t));
        if (survey->ops == NULL) {
            abort();
        }
    }
    survey->ops[survey->count++] = op->index;
}

static bool spoil_all(struct closure *closure, size_t index)
{
    struct sweep_world *world = closure->world;
    const struct sweep_cut none = {.kind = SWEEP_NONE};
    struct survey survey = {.closure = closure, .index = index};
    bool is_good = true;

    closure->current = index;
    bring_back(closure, &closure->nodes[index]);
    world->user = &survey;
    hook(closure, note_op, NULL);
    (void)sweep_power_on(world, &none);
    hook(closure, NULL, NULL);
    world->user = closure;
    closure->result.power_ons++;
    vdevice_power_off(&world->device);
    settle_pending(closure);
    for (size_t i = 0; i < survey.count && is_good; i++) {
        is_good = spoil_at(closure, index, survey.ops[i]);
    }
    free(survey.ops);
    return is_good;
}

/* A bit in the middle of `addr`'s piece flips while the device is off. */
static bool flip_at(struct closure *closure, size_t index, uint32_t addr)
{
    struct sweep_world *world = closure->world;
    const struct sweep_cut none = {.kind = SWEEP_NONE};
    const struct sweep_cut cut = {.op = addr, .kind = SWEEP_FLIP, .seed = addr % 8};

    struct vflash_image flipped = {0};

    bring_back(closure, &closure->nodes[index]);
    /* A confirm that a cut has ended may be lost; one that was done may not. */
    bool was_confirmed = closure->nodes[index].cut.kind == SWEEP_NONE &&
                         promise_is_confirmed(&world->promise);

    vflash_flip(flash_of(closure), cut.op, cut.seed);
    vflash_save(flash_of(closure), &flipped);
    bool is_good = !sweep_broke(world, promise_k2(&world->promise, was_confirmed));

    vflash_restore(flash_of(closure), &flipped); /* to look is to read */
    world->promise.is_hurt = true;
    world->promise.before = &flipped; /* what must not change now */
    closure->result.transitions++;
    for (int i = 0; i < 2 && is_good; i++) { /* what it does, and that it lasts */
        enum vdevice_end end = sweep_power_on(world, &none);

        closure->result.power_ons++;
        is_good = sweep_check_running(world, end) &&
                  !sweep_broke(world, promise_k2(&world->promise, was_confirmed));
    }
    world->promise.before = &world->initial;
    vflash_image_free(&flipped);
    if (!is_good) {
        take_path(closure, index, &cut);
    }
    return is_good;
}

/* Where bits flip: in the begin, the middle and the last programmed piece of a sector,
 * and in every record of the journal. */
static bool flip_sector(struct closure *closure, size_t index, uint32_t addr,
                        const struct otter_flash_area *area)
{
    const struct otter_region *journal = closure->canon.journal;
    bool is_log = addr >= journal->addr && addr - journal->addr < journal->size;
    uint32_t step = is_log ? (uint32_t)OTTER_RECORD_SIZE : area->sector_size / 4;

    for (uint32_t off = 0; off < area->sector_size; off += step) {
        const struct node *node = &closure->nodes[index];

        if (closure->flips++ % closure->effort->flip_stride != 0) {
            continue;
        }
        vflash_restore(flash_of(closure), &node->image);
        if (vflash_word_at(flash_of(closure), addr + off + 9) != VFLASH_WORD_ERASED &&
            !flip_at(closure, index, addr + off + 9)) {
            return false;
        }
    }
    return true;
}

static bool flip_all(struct closure *closure, size_t index)
{
    const struct otter_region *boot =
        otter_map_find(closure->world->promise.map, OTTER_REGION_BOOT);
    const struct host_profile *profile = &closure->world->sample.profile;

    for (size_t i = 0; i < profile->area_count; i++) {
        const struct otter_flash_area *area = &profile->areas[i];

        for (uint32_t j = 0; j < area->sector_count; j++) {
            uint32_t addr = area->addr + j * area->sector_size;
            bool is_boot = addr >= boot->addr && addr - boot->addr < boot->size;

            if (!is_boot && !flip_sector(closure, index, addr, area)) {
                return false;
            }
        }
    }
    return true;
}

/* --- K27: the canonical form acts as the raw one --- */

struct trail {
    const struct otter_region *journal;
    uint32_t first; /* offset in it of the sector that comes first */
    uint64_t hash;
    enum vdevice_end end;
    uint64_t end_key;
};

static void follow(void *context, const struct vflash_op *op)
{
    struct vdevice *device = context;
    struct trail *trail = ((struct sweep_world *)device->hooks.context)->user;
    const struct otter_region *journal = trail->journal;
    uint32_t place = op->addr;

    if (place >= journal->addr && place - journal->addr < journal->size) {
        place = (place - journal->addr + journal->size - trail->first) % journal->size;
    }
    trail->hash = canon_mix(trail->hash, canon_mix(place, op->size + op->is_erase));
}

/* A dead file is looked for and removed, or is not there. */
static void follow_card(void *context, const struct vcard_op *op)
{
    if (is_reading(op) || op->kind == VCARD_REMOVE) {
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
    const struct otter_region *journal = closure->canon.journal;
    struct trail trail = {.journal = journal,
                          .first = canon_first(&closure->canon) - journal->addr,
                          .hash = 1};

    world->user = &trail;
    hook(closure, follow, follow_card);
    trail.end = sweep_power_on(world, &none);
    hook(closure, NULL, NULL);
    world->user = closure;
    vdevice_power_off(&world->device);
    if (is_open_question(closure)) {
        find_dead(closure);
    }
    trail.end_key = key_now(closure, &closure->damaged);
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
    struct node *damaged = &closure->damaged;

    if (damaged->is_bad) {
        vflash_set_bad(flash_of(closure), damaged->bad_addr, false);
        vflash_set_bad(flash_of(closure), addr, true);
        damaged->bad_addr = addr;
    }
}

/* Flash and card together: what is dead depends on both. */
static void make_form(struct closure *closure, uint32_t offset)
{
    uint32_t bad = bad_place(closure, closure->damaged.bad_addr);
    uint64_t question;

    look_around(closure);
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
}

static bool compare_forms(struct closure *closure, size_t index)
{
    enum { SHIFT = 1000 };

    bring_back(closure, &closure->nodes[index]);
    look_around(closure);
    uint64_t raw_key = key_now(closure, &closure->damaged);
    struct trail raw = trail_from_here(closure);

    bring_back(closure, &closure->nodes[index]);
    make_form(closure, 0);
    if (is_open_question(closure)) {
        find_dead(closure);
    }
    bool is_same_key = key_now(closure, &closure->damaged) == raw_key;
    struct trail made = trail_from_here(closure);

    bring_back(closure, &closure->nodes[index]);
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

/* --- the end --- */

/* P3 over all states: whoever is only powered on often enough comes to the end. */
static bool check_ways_out(struct closure *closure)
{
    for (size_t i = 0; i < closure->result.states; i++) {
        int64_t at = (int64_t)i;
        int steps = 0;

        while (!closure->nodes[at].is_hurt && !closure->nodes[at].is_over) {
            at = closure->nodes[at].next;
            if (++steps > 16 || at == NO_STATE) {
                take_path(closure, i, NULL);
                return !sweep_broke(closure->world,
                                    "P3: the update does not come to its end");
            }
        }
    }
    return true;
}

/* The first run teaches what an update puts where. */
static void learn(void *context, const struct vflash_op *op)
{
    struct vdevice *device = context;
    struct closure *closure = ((struct sweep_world *)device->hooks.context)->user;

    if (closure->world->spoil_addr != 0) {
        canon_learn(&closure->canon, closure->world->spoil_addr);
    }
    closure->world->spoil_addr = op->addr;
}

static void learn_card(void *context, const struct vcard_op *op)
{
    struct vdevice *device = context;
    struct closure *closure = ((struct sweep_world *)device->hooks.context)->user;

    (void)op;
    closure_card_learn(closure->card);
}

static void learn_all(struct closure *closure)
{
    struct sweep_world *world = closure->world;
    const struct sweep_cut none = {.kind = SWEEP_NONE};
    const struct host_profile *profile = &world->sample.profile;

    sweep_start_over(world);
    world->spoil_addr = 0;
    hook(closure, learn, learn_card);
    (void)sweep_power_on(world, &none);
    hook(closure, NULL, NULL);
    if (closure->card != NULL) {
        closure_card_learn(closure->card);
    }
    for (size_t i = 0; i < profile->area_count; i++) {
        for (uint32_t j = 0; j < profile->areas[i].sector_count; j++) {
            canon_learn(&closure->canon,
                        profile->areas[i].addr + j * profile->areas[i].sector_size);
        }
    }
    sweep_start_over(world);
}

static bool go_through(struct closure *closure, size_t index)
{
    const struct closure_effort *effort = closure->effort;
    bool is_whole = !closure->nodes[index].is_hurt;

    if (!run_state(closure, index)) {
        take_path(closure, index, NULL);
        return false;
    }
    if (is_compared(closure, index) && !compare_forms(closure, index)) {
        take_path(closure, index, NULL);
        return false;
    }
    if (is_whole && (effort->faults & CLOSURE_BAD) != 0 && !spoil_all(closure, index)) {
        return false;
    }
    return !is_whole || (effort->faults & CLOSURE_FLIP) == 0 ||
           flip_all(closure, index);
}

static void open_card(struct closure *closure)
{
    if (closure->world->is_on_card) {
        closure->card = calloc(1, sizeof(*closure->card));
        if (closure->card == NULL) {
            abort();
        }
        closure_card_open(closure->card, &closure->world->card);
    }
}

static void close_card(struct closure *closure)
{
    if (closure->card != NULL) {
        closure_card_close(closure->card);
        free(closure->card);
    }
}

struct closure_result closure_run(struct sweep_world *world,
                                  const struct closure_effort *effort)
{
    struct closure *closure = calloc(1, sizeof(*closure));
    const struct sweep_cut none = {.kind = SWEEP_NONE};
    const struct node whole = {0};
    bool is_good = true;

    if (closure == NULL) {
        abort();
    }
    closure->world = world;
    closure->effort = effort;
    world->user = closure;
    canon_open(&closure->canon, &world->device.flash, &world->sample.profile.map);
    open_card(closure);
    closure->seen = canon_table_make();
    closure->torn = canon_table_make();
    closure->resets = canon_table_make();
    learn_all(closure);
    (void)add_state(closure, &whole, NO_STATE, none);
    settle_pending(closure);
    size_t index = 0;

    for (; index < closure->result.states && is_good; index++) {
        if (effort->states_max != 0 && index >= effort->states_max) {
            break;
        }
        is_good = go_through(closure, index);
        vflash_image_free(&closure->nodes[index].image);
        closure_card_drop(&closure->nodes[index].card);
    }
    closure->result.is_closed = is_good && index == closure->result.states;
    closure->result.is_good =
        is_good && (!closure->result.is_closed || check_ways_out(closure));
    for (size_t i = index; i < closure->result.states; i++) {
        vflash_image_free(&closure->nodes[i].image);
        closure_card_drop(&closure->nodes[i].card);
    }
    vflash_image_free(&closure->moment);
    free(closure->nodes);
    free(closure->pending);
    canon_table_free(closure->seen);
    canon_table_free(closure->torn);
    canon_table_free(closure->resets);
    watch_memory_free(&closure->watched);
    canon_close(&closure->canon);
    close_card(closure);
    struct closure_result result = closure->result;

    free(closure);
    world->user = NULL;
    return result;
}
