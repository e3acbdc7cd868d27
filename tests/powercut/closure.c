/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The closure over states: runs each of them, and looks for the way out of each.
 */
#include "closure_inner.h"

#include <stdlib.h>

/* --- running a state --- */

bool closure_is_compared(const struct closure *closure, size_t index)
{
    size_t stride = closure->effort->canon_stride;

    return stride > 0 && index % stride == 0;
}

void closure_take_path(struct closure *closure, size_t index,
                       const struct sweep_cut *last)
{
    struct sweep_world *world = closure->world;
    size_t count = last == NULL ? 0 : 1;

    for (int64_t at = (int64_t)index; closure->nodes[at].parent != CLOSURE_NO_STATE;
         at = closure->nodes[at].parent) {
        count++;
    }
    world->cut_count = count < SWEEP_CUTS_MAX ? count : SWEEP_CUTS_MAX;
    if (last != NULL && count <= SWEEP_CUTS_MAX) {
        world->cuts[--count] = *last;
    }
    for (int64_t at = (int64_t)index; closure->nodes[at].parent != CLOSURE_NO_STATE;
         at = closure->nodes[at].parent) {
        if (--count < SWEEP_CUTS_MAX) {
            world->cuts[count] = closure->nodes[at].cut;
        }
    }
}

/* The promises about what has been written. */
static bool check_written(struct sweep_world *world)
{
    return !sweep_broke(world, promise_p2(&world->promise)) &&
           !sweep_broke(world, promise_p8(&world->promise)) &&
           !sweep_broke(world, promise_k26(&world->promise));
}

/* What was confirmed when a bit flipped stays so. */
static bool check_lasting(const struct closure *closure)
{
    struct sweep_world *world = closure->world;

    return !sweep_broke(world,
                        promise_k2(&world->promise, closure->damage.was_confirmed));
}

/* The same at rest, looked at on a copy: looking reads. */
static bool check_at_rest(struct closure *closure, const struct closure_node *node)
{
    bool is_good = check_written(closure->world) && check_lasting(closure);

    vflash_restore(closure_flash(closure), &node->image);
    closure_put_card(closure, node->card);
    return is_good;
}

/* True if this run would go on as an earlier one did, which has been seen to its end.
 */
static bool is_known_from_here(void *context)
{
    struct closure *closure = ((struct sweep_world *)context)->user;

    if (closure->joined != CLOSURE_NO_STATE || closure_asks(closure)) {
        return false;
    }
    uint64_t key = closure_reset_key(closure);
    const uint64_t *known = canon_table_find(closure->resets, key);

    if (known == NULL) {
        canon_table_put(closure->resets, key, closure->current);
    } else if (*known != closure->current) {
        closure->joined = (int64_t)*known;
    }
    return closure->joined != CLOSURE_NO_STATE &&
           !closure_is_compared(closure, closure->current);
}

/* The run of a state that has met another's is that one's from there on; what it has
 * written on the way is its own. */
static bool join(struct closure *closure, size_t index)
{
    struct sweep_world *world = closure->world;
    struct closure_node *node = &closure->nodes[index];
    const struct closure_node *joined = &closure->nodes[closure->joined];

    node->next = joined->next;
    node->is_over = joined->is_over;
    node->is_run = true;
    vdevice_power_off(&world->device);
    if (sweep_broke(world, world->resume_violation) || !check_written(world)) {
        return false;
    }
    closure_settle(closure);
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
    closure_bring_back(closure, &closure->nodes[index]);
    if (!check_at_rest(closure, &closure->nodes[index])) {
        return false;
    }
    closure->op = 0;
    closure->was_reading = false;
    closure->joined = CLOSURE_NO_STATE;
    world->device.hooks.on_reset = is_known_from_here;
    closure_hook(closure, closure_on_op, closure_on_card_op);
    enum vdevice_end end = sweep_power_on(world, &none);

    closure_hook(closure, NULL, NULL);
    world->device.hooks.on_reset = NULL;
    closure->result.power_ons++;
    if (end == VDEVICE_STOPPED && closure->joined != CLOSURE_NO_STATE &&
        !closure_is_compared(closure, index)) {
        return join(closure, index);
    }
    if (!sweep_check_running(world, end) || !check_lasting(closure)) {
        return false;
    }
    closure_cut_before(closure);
    bool is_over = promise_is_over(&world->promise);

    if (is_over && !sweep_check_end(world)) {
        return false;
    }
    vdevice_power_off(&world->device);
    int64_t next = closure_add(closure, (int64_t)index, none);

    closure->nodes[index].next = next;
    closure_settle(closure);
    closure->nodes[index].is_over = is_over;
    closure->nodes[index].is_run = true;
    return closure->joined == CLOSURE_NO_STATE ||
           ends_as(closure, index, closure->joined) ||
           !sweep_broke(world, "K27: a device acts otherwise after the same reset");
}

/* --- the end --- */

/* P3 over all states: whoever is only powered on often enough comes to the end. */
static bool check_ways_out(struct closure *closure)
{
    for (size_t i = 0; i < closure->result.states; i++) {
        int64_t at = (int64_t)i;
        int steps = 0;

        while (!closure->nodes[at].damage.is_hurt && !closure->nodes[at].is_over) {
            at = closure->nodes[at].next;
            if (++steps > 16 || at == CLOSURE_NO_STATE) {
                closure_take_path(closure, i, NULL);
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
    closure_hook(closure, learn, learn_card);
    (void)sweep_power_on(world, &none);
    closure_hook(closure, NULL, NULL);
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
    bool is_whole = !closure->nodes[index].damage.is_hurt;

    if (!run_state(closure, index)) {
        closure_take_path(closure, index, NULL);
        return false;
    }
    if (closure_is_compared(closure, index) && !closure_compare(closure, index)) {
        closure_take_path(closure, index, NULL);
        return false;
    }
    if (is_whole && (effort->faults & CLOSURE_BAD) != 0 &&
        !closure_spoil_all(closure, index)) {
        return false;
    }
    if (is_whole && (effort->faults & CLOSURE_FLIP) != 0) {
        closure_flip_all(closure, index);
    }
    return true;
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
    bool is_good = true;

    if (closure == NULL) {
        abort();
    }
    closure->world = world;
    closure->effort = effort;
    world->user = closure;
    canon_open(&closure->canon, &world->device.flash, &world->sample.profile.map);
    closure->canon.is_bad_in_part = vflash_bad_takes_part(&world->device.flash);
    open_card(closure);
    closure->seen = canon_table_make();
    closure->torn = canon_table_make();
    closure->resets = canon_table_make();
    watch_memory_open(&closure->watched);
    learn_all(closure);
    (void)closure_add(closure, CLOSURE_NO_STATE, none);
    closure_settle(closure);
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
    for (size_t i = 0; i < closure->flipped_count; i++) {
        vflash_image_free(&closure->flipped[i]);
    }
    free(closure->flipped);
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
