/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cut leaves at each operation of a run.
 */
#include "closure_inner.h"

#include "canon_hash.h"

/* Ways of tearing: see vflash.h. */
enum { FIRST_UNSTABLE_PROGRAM = 3, FIRST_UNSTABLE_ERASE = 6 };

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
    const struct sweep_cut cut = {.op = closure->op, .kind = SWEEP_TORN, .seed = seed};

    vflash_tear(closure_flash(closure), op, seed);
    if (closure->card != NULL) {
        closure_card_hold(closure->card);
        closure_card_cut(closure->card, seed);
    }
    closure->result.transitions++;
    (void)closure_add(closure, (int64_t)closure->current, cut);
    vflash_restore(closure_flash(closure), &closure->moment);
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
    uint32_t place = closure_seen_from(journal, canon_first(&closure->canon), op->addr);
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
    (void)closure_add(closure, (int64_t)closure->current, cut);
}

void closure_cut_before(struct closure *closure)
{
    uint32_t seeds[CLOSURE_CARD_SEEDS_MAX];

    if (closure->damage.is_uncut) {
        return;
    }
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

bool closure_is_met(struct closure *closure, const struct vflash_op *op, uint64_t facts)
{
    uint64_t key =
        canon_mix(closure_key(closure), canon_mix(op_key(closure, op), facts));

    if (canon_table_find(closure->torn, key) != NULL) {
        return true;
    }
    canon_table_put(closure->torn, key, 1);
    return false;
}

static void tear_op(struct closure *closure, const struct vflash_op *op)
{
    if ((closure->effort->faults & (CLOSURE_TORN | CLOSURE_UNSTABLE)) == 0 ||
        closure->damage.is_hurt ||
        (!closure_asks(closure) && closure_is_met(closure, op, 0))) {
        return;
    }
    vflash_save(closure_flash(closure), &closure->moment);
    if (op->is_erase) {
        tear_erase(closure, op);
    } else {
        tear_program(closure, op);
    }
}

void closure_on_op(void *context, const struct vflash_op *op)
{
    struct vdevice *device = context;
    struct closure *closure = ((struct sweep_world *)device->hooks.context)->user;

    if (!closure->was_reading) {
        closure_cut_before(closure);
    }
    tear_op(closure, op);
    closure->was_reading = false;
    closure->op++;
}

bool closure_is_reading(const struct vcard_op *op)
{
    return op->kind == VCARD_READ || op->kind == VCARD_STAT || op->kind == VCARD_LIST ||
           (op->kind == VCARD_OPEN && op->mode == VCARD_MODE_READ);
}

/* What an operation of the card leaves half done is what a cut before the next one
 * leaves of it. */
void closure_on_card_op(void *context, const struct vcard_op *op)
{
    struct vdevice *device = context;
    struct closure *closure = ((struct sweep_world *)device->hooks.context)->user;

    if (!closure->was_reading) {
        closure_cut_before(closure);
    }
    closure->was_reading = closure_is_reading(op);
    closure->op++;
}
