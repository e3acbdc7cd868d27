/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter inspect --device DIR: opens the device as its programs do and asks the
 * library's own plan; nothing is computed twice, so it cannot disagree with the device.
 */
#include "inspect_plan.h"

#include "blame.h"
#include "names.h"
#include "otter/plan.h"
#include "say.h"
#include "virtual.h"

#include <stdio.h>
#include <stdlib.h>

static const char *strategy_name(uint8_t strategy)
{
    static const char *const strategies[] = {
        [OTTER_STRATEGY_KEPT] = "kept",
        [OTTER_STRATEGY_OTHER_SLOT] = "other slot",
        [OTTER_STRATEGY_SAVED_COPY] = "saved copy",
        [OTTER_STRATEGY_BY_BOOT] = "by boot",
        [OTTER_STRATEGY_INTO_SLOT] = "into slot",
        [OTTER_STRATEGY_REGION] = "region",
        [OTTER_STRATEGY_TABLE] = "table copy",
        [OTTER_STRATEGY_LOADER] = "from RAM",
        [OTTER_STRATEGY_IN_PLACE] = "in place",
        [OTTER_STRATEGY_TREE] = "archive",
    };

    bool is_known = strategy < sizeof(strategies) / sizeof(strategies[0]) &&
                    strategies[strategy] != NULL;

    return is_known ? strategies[strategy] : "?";
}

/* Of what is written in place there is no copy (K13). */
static void describe_way_back(const struct otter_member *member, json_t *described)
{
    bool is_declared = (member->flags & OTTER_MEMBER_COMPATIBLE) != 0;

    if ((member->flags & OTTER_MEMBER_IN_PLACE) != 0) {
        (void)json_object_set_new(
            described, "way_back",
            json_string(is_declared ? "the old system runs with it" : "one-way"));
    }
}

/* A system that is damaged, or that does not run any more, is none to go back to: the
 * manager then saves nothing (K13). */
static bool has_way_back(struct otter_device *view, const struct otter_source *source,
                         const struct otter_control *control,
                         const struct otter_plan *plan)
{
    const struct otter_state *state = &view->journal.state;
    struct otter_system old;
    bool is_whole = (state->flags & OTTER_FLAG_CLOSED) == 0 &&
                    otter_system_open(view, state->current, &old) == OTTER_OK &&
                    otter_system_check(view, &old, OTTER_ROLE_FIRMWARE) == OTTER_OK;

    for (uint8_t i = 0; i < plan->count && is_whole; i++) {
        const struct otter_placement *placement = &plan->members[i];
        struct otter_member member;

        is_whole =
            otter_control_member(source, control, i, &member) == OTTER_OK &&
            (member.flags & (OTTER_MEMBER_IN_PLACE | OTTER_MEMBER_COMPATIBLE)) !=
                OTTER_MEMBER_IN_PLACE &&
            (placement->save_size == 0 ||
             otter_system_check_regions(
                 view, &old, otter_region_flag(placement->target_region)) == OTTER_OK);
    }
    return is_whole;
}

static json_t *describe_placement(const struct otter_member *member,
                                  const struct otter_placement *placement,
                                  bool is_saved)
{
    json_t *described = json_pack("{s:s, s:s}", "role", name_of_role(member->role),
                                  "strategy", strategy_name(placement->strategy));

    if (placement->strategy == OTTER_STRATEGY_KEPT) {
        return described;
    }
    (void)json_object_update_new(
        described, json_pack("{s:s, s:I, s:s}", "stored_in",
                             name_of_region(placement->store_region), "stored_at",
                             (json_int_t)placement->store_off, "target",
                             name_of_region(placement->target_region)));
    if (placement->save_size > 0 && is_saved) {
        (void)json_object_update_new(
            described, json_pack("{s:s, s:I, s:I}", "saved_in",
                                 name_of_region(placement->save_region), "saved_at",
                                 (json_int_t)placement->save_off, "saved_size",
                                 (json_int_t)placement->save_size));
    }
    describe_way_back(member, described);
    return described;
}

static json_t *describe_refusal(enum otter_result result, const struct blame *blame)
{
    char code[NAME_CODE_SIZE];
    json_t *described =
        json_pack("{s:s, s:s}", "code", name_of_code(otter_code(result), code), "text",
                  text_of_code(otter_code(result)));

    blame_describe(blame, described);
    return described;
}

static json_t *describe_plan(struct otter_device *view,
                             const struct otter_source *source,
                             const struct otter_control *control,
                             const struct otter_plan *plan)
{
    const struct otter_region *staging =
        otter_map_find(&view->table.map, OTTER_REGION_STAGING);
    bool is_saved = has_way_back(view, source, control, plan);
    json_t *members = json_array();

    for (uint8_t i = 0; i < plan->count; i++) {
        struct otter_member member;

        if (otter_control_member(source, control, i, &member) == OTTER_OK) {
            (void)json_array_append_new(
                members, describe_placement(&member, &plan->members[i], is_saved));
        }
    }
    return json_pack("{s:o, s:b, s:I, s:I}", "members", members, "has_way_back",
                     is_saved, "staging_used", (json_int_t)plan->staging_used,
                     "staging_size", (json_int_t)(staging == NULL ? 0 : staging->size));
}

static json_t *ask(struct virtual_device *device, const struct package_file *package)
{
    struct otter_source source = package_file_inner(package);
    struct otter_device *view = calloc(1, sizeof(*view));
    struct otter_card card;
    struct otter_plan plan;
    struct blame blame = {.has_member = false};
    json_t *described = NULL;

    if (view == NULL) {
        return NULL;
    }
    enum otter_result result = vdevice_inspect(&device->device, view);
    const bool is_open = result == OTTER_OK;

    if (result == OTTER_OK && otter_phase_locks_store(view->journal.state.phase)) {
        result = OTTER_E_LOCKED;
    }
    if (result == OTTER_OK) {
        result = otter_control_verify(&source, &package->control, view->table.keys,
                                      view->table.key_count,
                                      view->journal.state.key_mask, view->ports.crypto);
    }
    otter_card_attach(view, &card);
    view->program = OTTER_PROGRAM_MANAGER; /* boot does not judge codings */
    if (result == OTTER_OK) {
        result = otter_plan_make(view, &source, &package->control, &plan);
    }
    if (result == OTTER_OK && package->control.wrap_count > 0) {
        struct otter_wrap wrap;

        result = otter_control_find_wrap(&source, &package->control, view->ports.crypto,
                                         &wrap);
    }
    if (result == OTTER_OK) {
        result = blame_kept(view, &source, &package->control, &blame.member);
    }
    if (is_open && (result == OTTER_E_KEPT || result == OTTER_E_CARD_TREE)) {
        blame.has_member =
            blame_member(view, &source, &package->control, &blame.member);
    }
    described = result == OTTER_OK
                    ? describe_plan(view, &source, &package->control, &plan)
                    : describe_refusal(result, &blame);
    free(view);
    return described;
}

json_t *inspect_plan(const struct package_file *package, const char *path)
{
    struct virtual_device *device = calloc(1, sizeof(*device));
    json_t *plan = NULL;

    if (device == NULL) {
        return NULL;
    }
    if (virtual_open(device, path) == TOOL_DONE) {
        plan = ask(device, package);
        virtual_close(device);
    }
    free(device);
    return plan;
}

static void print_placement(const json_t *member)
{
    say("plan       %s: %s", json_string_value(json_object_get(member, "role")),
        json_string_value(json_object_get(member, "strategy")));
    if (json_object_get(member, "target") != NULL) {
        say(", stored in %s at 0x%llX, installed in %s",
            json_string_value(json_object_get(member, "stored_in")),
            (unsigned long long)json_integer_value(
                json_object_get(member, "stored_at")),
            json_string_value(json_object_get(member, "target")));
    }
    if (json_object_get(member, "saved_size") != NULL) {
        say(", %lld bytes saved in %s at 0x%llX",
            (long long)json_integer_value(json_object_get(member, "saved_size")),
            json_string_value(json_object_get(member, "saved_in")),
            (unsigned long long)json_integer_value(
                json_object_get(member, "saved_at")));
    }
    if (json_object_get(member, "way_back") != NULL) {
        say(", %s", json_string_value(json_object_get(member, "way_back")));
    }
    say("\n");
}

static void print_refusal(const struct package_file *package, const json_t *plan)
{
    const struct otter_source source = package_file_inner(package);
    const json_t *member = json_object_get(plan, "member");
    char text[BLAME_MEMBER_SIZE];

    say("plan       refused: [%s] %s", json_string_value(json_object_get(plan, "code")),
        json_string_value(json_object_get(plan, "text")));
    if (member != NULL) {
        say(": %s", blame_member_text(&source, &package->control,
                                      (uint8_t)json_integer_value(member), text));
    }
    say("\n");
}

void inspect_plan_print(const struct package_file *package, const json_t *plan)
{
    const json_t *members = json_object_get(plan, "members");

    if (members == NULL) {
        print_refusal(package, plan);
        return;
    }
    for (size_t i = 0; i < json_array_size(members); i++) {
        print_placement(json_array_get(members, i));
    }
    if (!json_is_true(json_object_get(plan, "has_way_back"))) {
        say("plan       no way back: if the new system fails, the manager stays\n");
    }
    if (json_integer_value(json_object_get(plan, "staging_size")) == 0) {
        return;
    }
    say("plan       staging: %lld of %lld bytes\n",
        (long long)json_integer_value(json_object_get(plan, "staging_used")),
        (long long)json_integer_value(json_object_get(plan, "staging_size")));
}
