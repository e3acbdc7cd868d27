/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stages of an update as people see them: each has a name in the tool, and its
 * percentage rises with the bytes that are done. Expected values: stage 15 and 36 write
 * what they install and read it back, so half of the way is written (docs/SPEC.md).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "install/stages.h"
#include "names.h"
#include "world.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { STAGES = 100, STAGES_MAX = 12, FILES = 15, ASIDE = 36 };

static void every_stage_has_a_name_in_the_tool(void **state)
{
    size_t count = 0;

    (void)state;
    for (; otter_stages[count].step != NULL; count++) {
        const char *name = name_of_stage(otter_stages[count].code);

        assert_string_not_equal(name, "?");
        assert_true(islower((unsigned char)name[0]) != 0);
        assert_true(strlen(otter_stages[count].name) > 0);
    }
    assert_in_range(count, 8, STAGES);
}

/* A plan with one member, by what is done with it: docs/SPEC.md, "Staging", "Card". */
static const struct {
    enum otter_strategy strategy;
    uint8_t codes[STAGES_MAX]; /* in the order of execution; 0 ends them */
} rows[] = {
    {OTTER_STRATEGY_KEPT, {1, 9, 11}},
    {OTTER_STRATEGY_OTHER_SLOT, {1, 9, 11}},
    {OTTER_STRATEGY_SAVED_COPY, {1, 9, 32, 10, 11}},
    {OTTER_STRATEGY_BY_BOOT, {1, 9, 34, 11}},
    {OTTER_STRATEGY_REGION, {1, 9, 32, 11, 15}},
    {OTTER_STRATEGY_INTO_SLOT, {1, 9, 10, 11}},
    {OTTER_STRATEGY_TABLE, {1, 9, 37, 11}},
    {OTTER_STRATEGY_LOADER, {1, 9, 11}},
    {OTTER_STRATEGY_IN_PLACE, {1, 9, 11}},
    {OTTER_STRATEGY_TREE, {1, 9, 36, 32, 11, 15}},
};

static void p2_each_kind_of_member_passes_its_stages_in_their_order(void **state)
{
    static struct otter_install install;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t codes[STAGES_MAX] = {0};
        size_t count = 0;

        install.plan.count = 1;
        install.plan.members[0].strategy = (uint8_t)rows[i].strategy;
        for (size_t k = 0; otter_stages[k].step != NULL; k++) {
            if (otter_stages[k].applies(&install)) {
                assert_true(count < STAGES_MAX);
                codes[count++] = otter_stages[k].code;
            }
        }
        assert_memory_equal(codes, rows[i].codes, sizeof(codes));
    }
}

/* What the events of a power-on have told of each stage. */
static struct {
    bool was_told[STAGES];
    uint8_t last[STAGES];
    uint8_t jump[STAGES];     /* the widest between two of them */
    uint32_t falls;           /* events with less than the one before */
    const struct vcard *card; /* whose operations are counted, or NULL */
    uint32_t end;             /* operations before 100 was told of stage 36 */
    uint32_t late;            /* operations from there to the next stage */
} seen;

static void on_event(void *context, enum otter_program program,
                     const struct otter_event *event)
{
    (void)context;
    (void)program;
    if (seen.card != NULL && seen.last[ASIDE] == 100 && seen.late == 0) {
        seen.late = seen.card->op - seen.end;
    }
    if (event->kind != OTTER_EVENT_STAGE ||
        (event->stage != FILES && event->stage != ASIDE)) {
        return;
    }
    uint8_t *last = &seen.last[event->stage];
    uint8_t *jump = &seen.jump[event->stage];

    seen.falls += event->percent < *last;
    if (seen.was_told[event->stage] && event->percent > *last + *jump) {
        *jump = (uint8_t)(event->percent - *last);
    }
    *last = event->percent;
    if (seen.card != NULL && event->stage == ASIDE && event->percent == 100) {
        seen.end = seen.card->op;
    }
    seen.was_told[event->stage] = true;
}

/* Resources, a font and files in one package, in an update from a card. */
static struct world *start(void)
{
    struct world *world = world_make_with_files();

    sample_carry_regions(&world->next);
    world_rebuild(world);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_OK);
    memset(&seen, 0, sizeof(seen));
    world->device.hooks.on_event = on_event;
    return world;
}

static void the_percentage_of_what_is_unpacked_rises_with_its_bytes(void **state)
{
    struct world *world = start();

    (void)state;
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
    assert_int_equal(seen.last[FILES], 100);
    assert_int_equal(seen.last[ASIDE], 100);
    assert_int_equal(seen.falls, 0);
    /* A step is a page of 128 bytes, or a header, of some 16 KiB. */
    assert_in_range(seen.jump[FILES], 1, 12);
    assert_in_range(seen.jump[ASIDE], 1, 12);
    world_drop(world);
}

/* The files that an earlier system has left count as those of the present one: at 100
 * their archive has been read, too. */
static void the_percentage_rises_with_files_that_were_left_too(void **state)
{
    static struct sample_package bare;
    struct world *world = world_make_with_files();

    (void)state;
    sample_next(&world->sample, 2, &bare);
    sample_build(&bare);
    vcard_provision(&world->card, WORLD_PATH, bare.bytes, (uint32_t)bare.size);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_OK);
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_true(vcard_has(&world->card, "otter/left"));
    sample_next(&world->sample, 3, &world->next);
    sample_carry_tree(&world->next);
    world_rebuild(world);
    assert_int_equal(world_power_on(world), VDEVICE_IDLE);
    assert_int_equal(world_install(world), OTTER_OK);
    memset(&seen, 0, sizeof(seen));
    seen.card = &world->card;
    world->device.hooks.on_event = on_event;
    assert_int_equal(vdevice_run(&world->device), VDEVICE_IDLE);
    assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
    assert_int_equal(seen.last[ASIDE], 100);
    assert_int_equal(seen.falls, 0);
    assert_in_range(seen.late, 1, 10);
    world_drop(world);
}

/* Power goes where files are unpacked: it begins with what stands. */
static void after_a_cut_it_begins_where_the_work_goes_on(void **state)
{
    struct world *world = start();
    const struct vflash_fault none = {.kind = VFLASH_NONE};
    uint32_t cuts = 0;

    (void)state;
    vdevice_power_off(&world->device);
    world_mark(world);
    for (uint32_t op = 0; cuts == 0 || seen.was_told[FILES]; op += 3) {
        const struct vflash_fault fault = {.at_op = op, .kind = VFLASH_CUT_AFTER};

        world_back(world);
        memset(&seen, 0, sizeof(seen));
        if (vdevice_power_on(&world->device, fault) != VDEVICE_CUT) {
            break;
        }
        if (!seen.was_told[FILES]) {
            continue;
        }
        cuts++;
        memset(&seen, 0, sizeof(seen));
        assert_int_equal(vdevice_power_on(&world->device, none), VDEVICE_IDLE);
        assert_int_equal(world_state(world).outcome.kind, OTTER_OUTCOME_CONFIRMED);
        assert_int_equal(seen.falls, 0);
        assert_true(!seen.was_told[FILES] || seen.last[FILES] == 100);
    }
    assert_in_range(cuts, 3, 100);
    world_drop(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stage_has_a_name_in_the_tool),
        cmocka_unit_test(p2_each_kind_of_member_passes_its_stages_in_their_order),
        cmocka_unit_test(the_percentage_of_what_is_unpacked_rises_with_its_bytes),
        cmocka_unit_test(the_percentage_rises_with_files_that_were_left_too),
        cmocka_unit_test(after_a_cut_it_begins_where_the_work_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
