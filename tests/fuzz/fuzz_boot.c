/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot under attack: a device in the middle of an update, whose journal, receipts,
 * staging, slots, manager and table are overwritten; CRCs are made right if the input
 * says so. Then it is powered on, perhaps cut once, and runs until it has nothing left
 * to do; perhaps it is given a package after that.
 *
 * Whatever was written: it comes to rest; only images of its maker run, each whole and
 * in its place; boot's region is never written, a table only to mend it, a program's
 * region only in a phase and part that say so (K15, K23), and not at all if the device
 * was idle; no word is programmed twice, unless the attacker wrote it or the record
 * that says it is erased: then programming fails, or mixes bits, as real memories do.
 * If nothing but the journal was damaged, by chance and not by forgery, something runs
 * (P1, K2).
 *
 * Input: twin and base, behaviour, seals and package, cut (5 bytes), then edits. With
 * FUZZ_TRACE set in the environment, a replay tells what happens.
 */
#include "boot_edits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD_SIZE = 8, OPS_MAX = 20000 };

/* The input under work; callbacks need it. */
struct attack {
    struct boot_base *base;
    struct vdevice *device;
    uint8_t twin; /* its kind */
    bool is_ab;
    uint8_t package; /* 0: none, 1: the update's, 2: a newer one */
    struct vflash_fault fault;
    struct boot_damage damage;
    bool was_idle; /* no phase that lets a program's region be written */
    uint32_t ops;
    bool is_traced;
};

static struct attack attack;

static const char *twin_name(void)
{
    static const char *const names[BOOT_TWINS] = {"single", "A/B", "rich single",
                                                  "rich A/B"};

    return names[attack.twin];
}

static _Noreturn void breach(const char *what)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, "fuzz_boot: base \"%s\", %s: %s\n", attack.base->name,
                  twin_name(), what);
    abort();
}

/* ---- what may be written ---- */

static const struct otter_device *view_of(struct vdevice *device)
{
    return device->program == OTTER_PROGRAM_BOOT ? &device->boot.device
                                                 : vdevice_view(device);
}

static bool may_write_manager(const struct otter_device *view)
{
    const struct otter_state *state = &view->journal.state;

    /* No program writes the last part in the first phase; boot takes it for the first
     * one, which is as safe. */
    return view->program == OTTER_PROGRAM_BOOT &&
           ((state->phase == OTTER_PHASE_INSTALLING &&
             (state->part == OTTER_PART_WRITE_MANAGER ||
              state->part == OTTER_PART_TAKE_BACK ||
              state->part == OTTER_PART_RESTORE_MANAGER)) ||
            (state->phase == OTTER_PHASE_ROLLING_BACK &&
             state->part == OTTER_PART_RESTORE_MANAGER));
}

/* One system has taken the place of the other, which is damaged: out of any phase. */
static bool takes_back_after_damage(const struct otter_device *view)
{
    const struct otter_state *state = &view->journal.state;

    return state->part == OTTER_PART_TAKE_BACK &&
           (state->outcome.kind == OTTER_OUTCOME_DAMAGED ||
            state->outcome.kind == OTTER_OUTCOME_REBUILT);
}

static bool installs(const struct otter_device *view)
{
    const struct otter_state *state = &view->journal.state;

    return view->program == OTTER_PROGRAM_MANAGER &&
           state->phase == OTTER_PHASE_INSTALLING && state->part == OTTER_PART_WRITE;
}

static bool rolls_back(const struct otter_device *view)
{
    const struct otter_state *state = &view->journal.state;

    return view->program == OTTER_PROGRAM_BOOT &&
           state->phase == OTTER_PHASE_ROLLING_BACK &&
           state->part != OTTER_PART_RESTORE_MANAGER;
}

/* With two slots the other one is written: by the transfer what needs no decoding, else
 * by the installation. */
static bool may_write_slot(const struct otter_device *view, uint8_t id)
{
    const struct otter_state *state = &view->journal.state;
    bool is_a = id == OTTER_REGION_APPLICATION;
    bool receives =
        view->program != OTTER_PROGRAM_BOOT && state->phase == OTTER_PHASE_RECEIVING;

    if (attack.is_ab) {
        return (receives || installs(view)) && is_a == (state->current == 1);
    }
    return rolls_back(view) || installs(view);
}

/* A manager that makes the other system the current one erases its application if it is
 * not to run: it has failed, or never ran. */
static bool may_spoil(const struct otter_device *view, uint8_t id)
{
    const struct otter_state *state = &view->journal.state;
    uint8_t other = attack.is_ab && state->current == 0 ? OTTER_REGION_SLOT_B
                                                        : OTTER_REGION_APPLICATION;
    bool gives_up = (state->phase == OTTER_PHASE_TRIAL ||
                     state->phase == OTTER_PHASE_ROLLING_BACK) &&
                    (state->flags & OTTER_FLAG_NEW_MANAGER) != 0;
    bool adopts = attack.is_ab && !otter_phase_locks_store(state->phase);

    return view->program == OTTER_PROGRAM_MANAGER && id == other &&
           (gives_up || adopts);
}

/* Of resources and fonts both systems have the same one, also on an A/B device. The
 * transfer writes the one that is written in place, with the application closed (K13);
 * a forged record may say that a piece has come and nothing is closed. */
static bool may_write_shared(const struct otter_device *view)
{
    const struct otter_state *state = &view->journal.state;
    bool is_closed = (state->flags & OTTER_FLAG_CLOSED) != 0 || attack.damage.is_forged;
    bool receives = view->program == OTTER_PROGRAM_MANAGER && is_closed &&
                    state->phase == OTTER_PHASE_RECEIVING &&
                    state->part == OTTER_PART_MEMBERS;

    return receives || rolls_back(view) || installs(view);
}

/* A lost copy is made again, a new table written, and its second copy. Of two tables,
 * which rich twins have, the one of the system that any damage has left. */
static bool may_write_table(const struct otter_device *view)
{
    const struct otter_state *state = &view->journal.state;
    bool is_rich = (attack.twin & BOOT_RICH) != 0;
    bool is_damaged = (attack.damage.regions & (1U << OTTER_REGION_TABLE)) != 0 ||
                      (is_rich && attack.damage.regions != 0);
    bool is_new = state->phase == OTTER_PHASE_INSTALLING
                      ? state->part == OTTER_PART_TABLE && !attack.was_idle
                      : (state->flags & OTTER_FLAG_NEW_TABLE) != 0;

    return view->program != OTTER_PROGRAM_BOOT && (is_damaged || is_new);
}

static bool may_write(const struct otter_device *view, uint8_t id)
{
    switch ((enum otter_region_id)id) {
    case OTTER_REGION_JOURNAL:
        return true;
    case OTTER_REGION_RECEIPTS:
        return view->program != OTTER_PROGRAM_BOOT;
    case OTTER_REGION_STAGING:
        return view->program == OTTER_PROGRAM_MANAGER ||
               (view->program == OTTER_PROGRAM_AGENT &&
                view->journal.state.phase == OTTER_PHASE_RECEIVING);
    case OTTER_REGION_TABLE:
        return may_write_table(view);
    case OTTER_REGION_MANAGER:
        return (!attack.was_idle || takes_back_after_damage(view)) &&
               may_write_manager(view);
    case OTTER_REGION_APPLICATION:
    case OTTER_REGION_SLOT_B:
        return may_spoil(view, id) || (!attack.was_idle && may_write_slot(view, id));
    case OTTER_REGION_RESOURCES:
    case OTTER_REGION_FONT:
        return !attack.was_idle && may_write_shared(view);
    case OTTER_REGION_NONE:
    case OTTER_REGION_BOOT:
    case OTTER_REGION_PACKAGE_FILE:
    case OTTER_REGION_SAVED_FILE:
    case OTTER_REGION_TREE_FILE:
    case OTTER_REGION_ID_COUNT:
        break;
    }
    return false;
}

/* The region as the factory made it, whatever a table says now. */
static uint8_t region_at(uint32_t addr)
{
    const struct otter_map *map = &attack.base->world->sample.profile.map;

    for (uint8_t i = 0; i < map->count; i++) {
        if (addr - map->regions[i].addr < map->regions[i].size) {
            return map->regions[i].id;
        }
    }
    return OTTER_REGION_NONE;
}

static void trace_op(const struct otter_device *view, const struct vflash_op *op)
{
    const struct otter_state *state = &view->journal.state;

    (void)printf(
        "  %3u %s region %d at 0x%X, %u: program %d phase %d part %d member %d "
        "cursor %u erased %d current %d faults %d\n",
        op->index, op->is_erase ? "erase  " : "program", region_at(op->addr), op->addr,
        op->size, view->program, state->phase, state->part, state->member,
        state->cursor, state->erased, state->current, state->faults);
}

static void check_op(void *context, const struct vflash_op *op)
{
    struct vdevice *device = context;
    const struct otter_device *view = view_of(device);
    uint8_t id = region_at(op->addr);

    attack.ops++;
    if (attack.is_traced && view != NULL) {
        trace_op(view, op);
    }
    if (attack.ops > OPS_MAX) {
        breach("it writes without end");
    }
    if (view == NULL || !may_write(view, id)) {
        (void)fprintf(stderr, "program %d, region %d, phase %d, part %d\n",
                      (int)device->program, id,
                      view == NULL ? 0 : view->journal.state.phase,
                      view == NULL ? 0 : view->journal.state.part);
        breach("a region was written that must not be");
    }
}

/* Defects, but where the attacker's bytes deceived a sound program. */
static void check_breach(void *context, const struct vflash_breach *wrong)
{
    bool is_deceived =
        attack.damage.is_forged ||
        (attack.damage.regions & (1U << OTTER_REGION_JOURNAL)) != 0 ||
        (attack.damage.sectors >> boot_sector(attack.base, wrong->addr) & 1) != 0;

    (void)context;
    if (wrong->kind == VFLASH_BREACH_BOUNDS || wrong->kind == VFLASH_BREACH_ALIGNMENT ||
        wrong->kind == VFLASH_BREACH_PAGE || !is_deceived) {
        (void)fprintf(stderr, "breach %d at 0x%X, operation %u\n", wrong->kind,
                      wrong->addr, wrong->op);
        breach("a rule of the flash was broken");
    }
}

/* ---- what may run ---- */

static bool holds(uint8_t id, const uint8_t *image, size_t size)
{
    const struct otter_region *region = world_region(attack.base->world, id);

    return memcmp(vflash_peek(&attack.device->flash, region->addr, size), image,
                  size) == 0;
}

static bool holds_firmware(uint8_t id)
{
    const uint8_t *images[] = {attack.base->world->sample.first.firmware,
                               boot_world(attack.twin, false)->next.firmware,
                               boot_world(attack.twin, true)->next.firmware,
                               boot_newest(attack.twin)->firmware};

    for (size_t i = 0; i < sizeof(images) / sizeof(images[0]); i++) {
        if (holds(id, images[i], SAMPLE_FIRMWARE_SIZE)) {
            return true;
        }
    }
    return false;
}

/* This check knows nothing of receipts and signatures: it compares bytes. */
static void check_running(struct vdevice *device)
{
    const struct sample *sample = &attack.base->world->sample;
    const struct sample_package *carrier = &boot_world(attack.twin, true)->next;

    if (device->program == OTTER_PROGRAM_MANAGER &&
        (device->region != OTTER_REGION_MANAGER ||
         (!holds(OTTER_REGION_MANAGER, sample->manager, SAMPLE_MANAGER_SIZE) &&
          !holds(OTTER_REGION_MANAGER, carrier->manager, SAMPLE_MANAGER_SIZE)))) {
        breach("a manager runs that nobody signed");
    }
    if (device->program == OTTER_PROGRAM_AGENT &&
        ((device->region != OTTER_REGION_APPLICATION &&
          device->region != OTTER_REGION_SLOT_B) ||
         !holds_firmware(device->region))) {
        breach("an application runs that nobody signed");
    }
}

static void check_event(void *context, enum otter_program program,
                        const struct otter_event *event)
{
    (void)context;
    if (attack.is_traced) {
        (void)printf("  program %d event %d stage %d code %02d-%02d\n", program,
                     event->kind, event->stage, event->code / 256, event->code % 256);
    }
    if (event->kind == OTTER_EVENT_STARTED && program != OTTER_PROGRAM_BOOT) {
        check_running(attack.device);
    }
}

/* ---- the run ---- */

/* A trial whose attempts cannot be recorded is not made (K16): the manager waits its
 * time and lets boot look again, for as long as the journal takes no record. */
static bool is_waiting_for_journal(const struct vdevice *device)
{
    const struct otter_device *view = &device->manager.device;

    return device->program == OTTER_PROGRAM_MANAGER &&
           view->journal.state.phase == OTTER_PHASE_TRIAL &&
           !otter_state_has_unknown(&view->journal.state) &&
           (attack.damage.regions & (1U << OTTER_REGION_JOURNAL)) != 0 &&
           device->clock_ms / device->resets >=
               view->table.policy.manager_wait_s * 500U; /* others came before */
}

/* A new manager that does not start, and more. The application and the whole journal
 * are damaged: whatever boot runs is started in vain, and no attempt can be counted; or
 * none has to be, where a forged record calls that manager the one that was always
 * there. Or the journal is lost and takes no record: what is rebuilt is a trial, and
 * that manager says so in vain. Or a forged record has a critical extension: boot runs
 * the manager that stands, and does nothing else, until a program comes that knows it
 * (K6). */
static bool is_past_help(const struct vdevice *device)
{
    const struct otter_boot_facts *facts = &device->boot.facts;
    bool is_forged = attack.damage.is_forged;
    bool is_dead = (facts->cannot_record || is_forged) &&
                   facts->system[facts->current] == OTTER_VERDICT_BAD;
    bool is_lost = facts->cannot_record && facts->phase == OTTER_PHASE_TRIAL;
    bool is_unknown = is_forged && facts->has_unknown;

    return device->is_stuck &&
           (attack.damage.regions & (1U << OTTER_REGION_JOURNAL)) != 0 &&
           (is_dead || is_lost || is_unknown);
}

static unsigned damaged_journal_sectors(void)
{
    const struct otter_region *journal =
        world_region(attack.base->world, OTTER_REGION_JOURNAL);
    unsigned first = boot_sector(attack.base, journal->addr);
    unsigned last = boot_sector(attack.base, journal->addr + journal->size - 1);
    unsigned count = 0;

    for (unsigned i = first; i <= last; i++) {
        count += attack.damage.sectors >> i & 1;
    }
    return count;
}

/* Several sectors of the journal are damaged, and each reading finds another one: boot
 * could not make certain what it had read (K3), or saw no reason to, and the
 * application reads another state. Where it takes itself for the one on trial it hangs,
 * or resets at its deadline; boot has started no trial. */
static bool is_read_otherwise(const struct vdevice *device)
{
    return device->boot.facts.phase != OTTER_PHASE_TRIAL &&
           device->agent.device.journal.state.phase == OTTER_PHASE_TRIAL &&
           damaged_journal_sectors() >= 2;
}

static bool is_unstable(const struct vdevice *device, uint8_t id)
{
    const struct otter_region *region = world_region(attack.base->world, id);

    for (uint32_t off = 0; region != NULL && off < region->size; off++) {
        if (vflash_word_at(&device->flash, region->addr + off) ==
            VFLASH_WORD_UNSTABLE) {
            return true;
        }
    }
    return false;
}

/* A word of the system reads in turns as it should and otherwise, since its sector took
 * no erase: boot finds the system damaged, and the manager finds it whole and goes back
 * to it. The device takes packages all that time. */
static bool is_system_unstable(const struct vdevice *device)
{
    static const uint8_t ids[] = {OTTER_REGION_APPLICATION, OTTER_REGION_SLOT_B,
                                  OTTER_REGION_RESOURCES, OTTER_REGION_FONT};
    bool is_one = false;

    for (size_t i = 0; i < sizeof(ids); i++) {
        is_one |= is_unstable(device, ids[i]);
    }
    return is_one && device->program == OTTER_PROGRAM_MANAGER &&
           device->manager.has_application &&
           device->boot.facts.system[device->boot.facts.current] == OTTER_VERDICT_BAD;
}

/* A forged table allows more attempts than the virtual device makes resets. */
static bool is_patient(const struct vdevice *device)
{
    const struct otter_policy *policy = &device->boot.device.table.policy;

    return attack.damage.is_forged && policy->trial_faults >= VDEVICE_RESETS_MAX;
}

/* The same with forged records: the one that boot has read and acted on stands in a
 * sector that it had to erase, and what the application finds names the other system.
 * It opens the slot from which it runs, of which it knows by the journal alone. */
static bool is_taken_for_other(const struct vdevice *device)
{
    uint8_t current = device->agent.device.journal.state.current;

    return device->program == OTTER_PROGRAM_AGENT && attack.damage.is_forged &&
           (device->region == OTTER_REGION_SLOT_B) != (current == 1) &&
           damaged_journal_sectors() >= 2;
}

static void check_end(enum vdevice_end end)
{
    struct vdevice *device = attack.device;

    if (attack.is_traced) {
        (void)printf("end %d, program %d in region %d, code %02d-%02d\n", end,
                     device->program, device->region, device->code / 256,
                     device->code % 256);
    }
    switch (end) {
    case VDEVICE_IDLE:
        check_running(device);
        return;
    case VDEVICE_NOTHING:
    case VDEVICE_CUT:
        return;
    case VDEVICE_HUNG:
        if (is_read_otherwise(device)) {
            return;
        }
        breach("a trial hangs without a watchdog");
    case VDEVICE_STOPPED:
        if (is_waiting_for_journal(device) || is_past_help(device) ||
            is_read_otherwise(device) || is_patient(device) ||
            is_system_unstable(device)) {
            return;
        }
        breach("it resets without end");
    case VDEVICE_BROKEN:
        if (is_taken_for_other(device)) {
            return;
        }
        breach(device->defect);
    }
}

static bool is_idle_phase(struct vdevice *device)
{
    static struct otter_device view;
    enum otter_result result = vdevice_inspect(device, &view);
    uint8_t phase = view.journal.state.phase;

    return result != OTTER_OK || phase == OTTER_PHASE_CONFIRMED ||
           phase == OTTER_PHASE_RECEIVING || phase == OTTER_PHASE_COMPLETE ||
           phase == OTTER_PHASE_ROLLED_BACK;
}

static void check_alive(enum vdevice_end end)
{
    bool is_journal_alone =
        (attack.damage.regions & ~(1U << OTTER_REGION_JOURNAL)) == 0;

    if (end == VDEVICE_NOTHING && is_journal_alone && !attack.damage.is_forged &&
        attack.base->is_whole && attack.fault.kind == VFLASH_NONE) {
        breach("a lost journal alone leaves nothing that runs");
    }
}

static enum vdevice_end power_on(void)
{
    const struct vflash_fault none = {.kind = VFLASH_NONE};

    attack.was_idle = is_idle_phase(attack.device);
    enum vdevice_end end = vdevice_power_on(attack.device, attack.fault);

    check_end(end);
    if (end == VDEVICE_CUT) {
        /* What a torn word reads as, and so the phase, is open now. */
        attack.was_idle = false;
        attack.ops = 0;
        end = vdevice_power_on(attack.device, none);
        check_end(end);
    }
    check_alive(end);
    return end;
}

/* Any answer is right; what follows must keep the promises. */
static enum vdevice_end give(struct vdevice *device)
{
    const struct sample_package *package =
        attack.package == 1 ? &attack.base->world->next : boot_newest(attack.twin);
    enum otter_result result = OTTER_OK;
    enum vdevice_end end = boot_send(device, package, &result);

    if (end == VDEVICE_IDLE && result == OTTER_OK) {
        end = vdevice_request(device, &result);
    }
    return end == VDEVICE_IDLE ? vdevice_reset(device, OTTER_RESET_SOFTWARE) : end;
}

static void give_package(void)
{
    attack.was_idle = false;
    attack.ops = 0;
    enum vdevice_end end = give(attack.device);

    check_end(end);
    if (end == VDEVICE_CUT) {
        attack.ops = 0;
        check_end(vdevice_power_on(attack.device,
                                   (struct vflash_fault){.kind = VFLASH_NONE}));
    }
}

static void start(struct otter_reader *reader)
{
    static const enum vflash_fault_kind kinds[] = {
        VFLASH_NONE, VFLASH_NONE, VFLASH_NONE, VFLASH_CUT_BEFORE,
        VFLASH_NONE, VFLASH_TORN, VFLASH_FAIL, VFLASH_CUT_AFTER,
    };
    uint8_t twin = otter_reader_u8(reader);
    uint8_t behaviour = otter_reader_u8(reader);
    uint8_t seals = otter_reader_u8(reader);

    memset(&attack, 0, sizeof(attack));
    attack.is_ab = (twin & 1) != 0;
    attack.twin = (uint8_t)((attack.is_ab ? BOOT_AB : 0) |
                            ((behaviour >> 6 & 1) != 0 ? BOOT_RICH : 0));
    attack.base = boot_base_at(attack.twin, twin / 2);
    attack.device = &attack.base->world->device;
    attack.package = seals >> 3 & 3;
    attack.fault.kind = kinds[otter_reader_u8(reader) % 8];
    attack.fault.at_op = otter_reader_le16(reader) % 512;
    attack.fault.seed = otter_reader_le16(reader);

    struct vdevice *device = attack.device;

    vdevice_power_off(device);
    vflash_restore(&device->flash, &attack.base->image);
    device->defect = NULL;
    device->app = behaviour & 3;
    device->app_manager = behaviour >> 2 & 3;
    device->wants_manager = (behaviour >> 4 & 1) != 0;
    device->hooks.on_event = check_event;
    attack.is_traced = getenv("FUZZ_TRACE") != NULL;
    if (attack.is_traced) {
        (void)printf("base \"%s\", %s, package %d, fault %d at %u seed %u\n",
                     attack.base->name, twin_name(), attack.package, attack.fault.kind,
                     attack.fault.at_op, attack.fault.seed);
    }
    attack.damage = boot_edit(attack.base, attack.twin, seals, reader);
    device->flash.hooks.on_op = check_op;
    device->flash.hooks.on_breach = check_breach;
    device->flash.config.is_overprogram_allowed =
        attack.damage.regions != 0 && (behaviour >> 5 & 1) != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct otter_reader reader = otter_reader_of(data, size);

    if (size < HEAD_SIZE) {
        return 0;
    }
    start(&reader);
    enum vdevice_end end = power_on();

    /* A manager that hangs before it has begun takes nothing. */
    if (end == VDEVICE_IDLE && !attack.device->is_stuck &&
        (attack.package == 1 || attack.package == 2)) {
        give_package();
    }
    attack.device->flash.hooks.on_op = NULL;
    attack.device->flash.hooks.on_breach = NULL;
    boot_mend(attack.base);
    attack.device->hooks.on_event = NULL;
    return 0;
}
