/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtual device in words: its events while it runs, its description when it is off.
 * The description is made once, as JSON; people read the same values.
 */
#include "otter/kept.h"

#include "names.h"
#include "product.h"
#include "say.h"
#include "virtual.h"

#include <stdio.h>
#include <string.h>

enum { LABEL = 15 }; /* columns */

/* --- events --- */

static void print_time(FILE *out, uint32_t time_ms, enum otter_program program)
{
    (void)fprintf(out, "%8u.%03u  %-8s ", time_ms / 1000, time_ms % 1000,
                  name_of_program((uint8_t)program));
}

static void print_event(FILE *out, enum otter_program program,
                        const struct otter_event *event)
{
    char code[NAME_CODE_SIZE];

    if (event->kind == OTTER_EVENT_STAGE && event->stage == 0) {
        return; /* the step into the trial has no number; its phase is told */
    }
    print_time(out, event->time_ms, program);
    switch ((enum otter_event_kind)event->kind) {
    case OTTER_EVENT_STARTED:
        (void)fprintf(out, "started");
        break;
    case OTTER_EVENT_PHASE:
        (void)fprintf(out, "phase: %s", name_of_phase(event->stage));
        break;
    case OTTER_EVENT_STAGE:
        (void)fprintf(out, "stage %u: %s %u %%", event->stage,
                      name_of_stage(event->stage), event->percent);
        break;
    case OTTER_EVENT_RECEIVING:
        (void)fprintf(out, "receiving %u %%", event->percent);
        break;
    case OTTER_EVENT_REFUSED:
        (void)fprintf(out, "refused");
        break;
    case OTTER_EVENT_FAILED:
        (void)fprintf(out, "failed");
        break;
    case OTTER_EVENT_REPAIRED:
        (void)fprintf(out, "repaired");
        break;
    }
    if (event->code != 0) {
        (void)fprintf(out, " [%s] %s", name_of_code(event->code, code),
                      text_of_code(event->code));
    }
    (void)fprintf(out, "\n");
    (void)fflush(out);
}

/* Boot's reasons; those of the manager are events as well. */
static void print_report(FILE *out, enum otter_program program, uint32_t time_ms,
                         uint16_t number)
{
    char code[NAME_CODE_SIZE];

    if (program == OTTER_PROGRAM_BOOT) {
        print_time(out, time_ms, program);
        (void)fprintf(out, "says [%s] %s\n", name_of_code(number, code),
                      text_of_code(number));
        (void)fflush(out);
    }
}

static void event_to_stdout(void *context, enum otter_program program,
                            const struct otter_event *event)
{
    (void)context;
    print_event(stdout, program, event);
}

static void event_to_stderr(void *context, enum otter_program program,
                            const struct otter_event *event)
{
    (void)context;
    print_event(stderr, program, event);
}

static void report_to_stdout(void *context, enum otter_program program,
                             uint32_t time_ms, uint16_t number)
{
    (void)context;
    print_report(stdout, program, time_ms, number);
}

static void report_to_stderr(void *context, enum otter_program program,
                             uint32_t time_ms, uint16_t number)
{
    (void)context;
    print_report(stderr, program, time_ms, number);
}

void virtual_print_events(struct vdevice *device, bool to_stderr)
{
    device->hooks.on_event = to_stderr ? event_to_stderr : event_to_stdout;
    device->hooks.on_report = to_stderr ? report_to_stderr : report_to_stdout;
}

/* --- the description --- */

static json_t *describe_member(const struct otter_member *member)
{
    char sha[2 * OTTER_SHA256_SIZE + 1];

    return json_pack("{s:s, s:I, s:s}", "role", name_of_role(member->role), "size",
                     (json_int_t)member->installed_size, "sha256",
                     hex_of(member->installed_sha, OTTER_SHA256_SIZE, sha));
}

static json_t *describe_members(const struct otter_system *system)
{
    struct otter_source source =
        otter_span_source(&system->receipt.span, system->receipt.length);
    json_t *members = json_array();

    for (uint8_t i = 0; i < system->control.member_count; i++) {
        struct otter_member member;

        if (otter_control_member(&source, &system->control, i, &member) == OTTER_OK) {
            (void)json_array_append_new(members, describe_member(&member));
        }
    }
    return members;
}

enum otter_result virtual_compare(struct otter_device *view,
                                  const struct otter_member *member)
{
    struct otter_hashing hashing;
    bool has_content = false;
    bool is_done = false;
    enum otter_result result = otter_kept_open(view, member, &hashing, &has_content);

    while (result == OTTER_OK && has_content && !is_done) {
        result = otter_kept_step(view, member, &hashing, &is_done);
    }
    return result;
}

/* Resources, fonts and files that are not what the receipt says: a member that was
 * written in place outlives a roll back. */
static json_t *list_changed(struct otter_device *view,
                            const struct otter_system *system)
{
    struct otter_source source =
        otter_span_source(&system->receipt.span, system->receipt.length);
    json_t *changed = json_array();

    for (uint8_t i = 0; i < system->control.member_count; i++) {
        struct otter_member member;
        enum otter_result result =
            otter_control_member(&source, &system->control, i, &member);

        if (result == OTTER_OK) {
            result = virtual_compare(view, &member);
        }
        if (result == OTTER_E_KEPT || result == OTTER_E_CARD_TREE) {
            (void)json_array_append_new(changed,
                                        json_string(member.region == OTTER_REGION_TREE
                                                        ? "files"
                                                        : name_of_role(member.role)));
        }
    }
    otter_card_close(view);
    return changed;
}

static void describe_changed(struct otter_device *view,
                             const struct otter_system *system, json_t *described)
{
    json_t *changed = list_changed(view, system);

    if (json_array_size(changed) > 0 &&
        json_is_true(json_object_get(described, "installed"))) {
        (void)json_object_set(described, "changed", changed);
    }
    json_decref(changed);
}

/* A system that its receipt vouches for, or why there is none. */
static json_t *describe_system(struct otter_device *view, uint8_t slot)
{
    struct otter_system system;
    char version[NAME_VERSION_SIZE];
    char code[NAME_CODE_SIZE];
    char hash[2 * OTTER_SHA256_SIZE + 1] = "";
    char id[2 * OTTER_PACKAGE_ID_SIZE + 1];
    enum otter_result result = otter_system_open(view, slot, &system);

    if (result != OTTER_OK) {
        return json_pack("{s:i, s:s, s:s}", "slot", slot, "code",
                         name_of_code(otter_code(result), code), "text",
                         text_of_code(otter_code(result)));
    }
    if (system.receipt.has_hash) {
        (void)hex_of(system.receipt.hash, OTTER_SHA256_SIZE, hash);
    }
    json_t *described = json_pack(
        "{s:i, s:b, s:s, s:I, s:s, s:s, s:s, s:o}", "slot", slot, "installed",
        otter_system_check(view, &system, OTTER_ROLE_FIRMWARE) == OTTER_OK, "version",
        name_of_version(&system.control.version, version), "counter",
        (json_int_t)system.control.counter, "package_id",
        hex_of(system.control.package_id, OTTER_PACKAGE_ID_SIZE, id), "hash", hash,
        "region", name_of_region(otter_system_region(view, slot, OTTER_ROLE_FIRMWARE)),
        "members", describe_members(&system));
    const struct otter_source source =
        otter_span_source(&system.receipt.span, system.receipt.length);

    describe_changed(view, &system, described);
    if (product_describe(&source, &system.control, described) != OTTER_OK) {
        (void)json_object_set_new(described, "is_cut_short", json_true());
    }
    return described;
}

static json_t *describe_outcome(const struct otter_outcome *outcome)
{
    char code[NAME_CODE_SIZE];
    char id[2 * sizeof(outcome->id) + 1];
    json_t *described =
        json_pack("{s:s, s:s}", "kind", name_of_outcome(outcome->kind), "package_id",
                  hex_of(outcome->id, sizeof(outcome->id), id));

    if (outcome->code != 0) {
        json_t *why = json_pack(
            "{s:s, s:s, s:s}", "code", name_of_code(outcome->code, code), "text",
            text_of_code(outcome->code), "remedy", remedy_of_code(outcome->code));

        (void)json_object_update_new(described, why);
    }
    return described;
}

/* The most erases of one sector that the virtual flash saw are not kept; the journal
 * keeps the sum per region. */
static json_t *describe_map(const struct otter_device *view)
{
    json_t *map = json_array();

    for (uint8_t i = 0; i < view->table.map.count; i++) {
        const struct otter_region *region = &view->table.map.regions[i];
        uint32_t erases =
            region->id < OTTER_REGION_ID_COUNT ? view->io.erases[region->id] : 0;

        (void)json_array_append_new(
            map, json_pack("{s:s, s:i, s:I, s:I, s:I, s:b, s:I}", "name",
                           name_of_region(region->id), "id", region->id, "addr",
                           (json_int_t)region->addr, "size", (json_int_t)region->size,
                           "exec", (json_int_t)region->exec, "window",
                           (region->flags & OTTER_REGION_WINDOW) != 0, "erases",
                           (json_int_t)erases));
    }
    return map;
}

/* Those of the table, and which of them a package has revoked. */
static json_t *describe_keys(const struct otter_device *view)
{
    json_t *keys = json_array();

    for (uint8_t i = 0; i < view->table.key_count; i++) {
        char id[2 * OTTER_KEY_ID_SIZE + 1];

        (void)json_array_append_new(
            keys, json_pack("{s:s, s:b}", "id",
                            hex_of(view->table.keys[i].id, OTTER_KEY_ID_SIZE, id),
                            "trusted", (view->journal.state.key_mask >> i & 1U) != 0));
    }
    return keys;
}

static void describe_fully(const struct otter_device *view, json_t *described)
{
    const struct otter_policy *policy = &view->table.policy;

    (void)json_object_set_new(described, "map", describe_map(view));
    (void)json_object_set_new(described, "ram",
                              json_pack("{s:I, s:I}", "addr",
                                        (json_int_t)policy->ram_addr, "size",
                                        (json_int_t)policy->ram_size));
    (void)json_object_set_new(
        described, "policy",
        json_pack("{s:i, s:i, s:i, s:i, s:i}", "trial_deadline_s",
                  policy->trial_deadline_s, "trial_faults", policy->trial_faults,
                  "trial_powers", policy->trial_powers, "manager_wait_s",
                  policy->manager_wait_s, "watchdog_s", policy->watchdog_s));
}

static json_t *describe_state(struct vdevice *device, struct otter_device *view)
{
    const struct otter_state *state = &view->journal.state;

    return json_pack(
        "{s:s, s:I, s:i, s:s, s:I, s:b, s:i, s:i, s:i, s:b, s:o, s:o, s:o}", "profile",
        device->profile->name, "target", (json_int_t)view->table.target, "hardware",
        view->table.hardware, "phase", name_of_phase(state->phase), "counter",
        (json_int_t)state->counter, "trial", state->phase == OTTER_PHASE_TRIAL,
        "faults", state->faults, "powers", state->powers, "damaged_tables",
        view->table_damaged, "journal_lost", view->journal.is_lost, "system",
        describe_system(view, state->current), "other_system",
        describe_system(view, (uint8_t)(1 - state->current)), "outcome",
        describe_outcome(&state->outcome));
}

/* The files of one folder of the card, which follow `prefix` in their names. */
static void list_files(const struct otter_files *files, const char *folder,
                       json_t *listed)
{
    struct otter_file_entry entry;

    for (uint32_t i = 0; files->list(files->context, folder, i, &entry) == OTTER_OK;
         i++) {
        char path[2 * OTTER_PATH_SIZE];

        if (entry.is_folder) {
            continue;
        }
        (void)snprintf(path, sizeof(path), "%s%s%s", folder,
                       folder[0] == '\0' ? "" : "/", entry.name);
        (void)json_array_append_new(listed, json_pack("{s:s, s:I}", "path", path,
                                                      "size", (json_int_t)entry.size));
    }
}

/* What otter and its users put on the card: files in the root, "update" and "otter". */
static json_t *describe_card(const struct otter_files *files)
{
    uint32_t room = 0;
    bool has_card = files->free_bytes(files->context, &room) == OTTER_OK;
    json_t *listed = json_array();

    if (has_card) {
        list_files(files, "", listed);
        list_files(files, "otter", listed);
        list_files(files, "update", listed);
    }
    return json_pack("{s:b, s:o}", "present", has_card, "files", listed);
}

json_t *virtual_describe(struct vdevice *device, bool is_full)
{
    struct otter_device view;
    struct otter_card card;
    char code[NAME_CODE_SIZE];
    enum otter_result result = vdevice_inspect(device, &view);

    if (result != OTTER_OK && result != OTTER_E_BOOT_NOTHING) {
        return json_pack("{s:s, s:s, s:s}", "profile", device->profile->name, "code",
                         name_of_code(otter_code(result), code), "text",
                         text_of_code(otter_code(result)));
    }
    otter_card_attach(&view, &card);
    json_t *described = describe_state(device, &view);

    (void)json_object_set_new(described, "keys", describe_keys(&view));
    if (otter_device_is_ab(&view)) {
        (void)json_object_set_new(
            described, "free_slot",
            json_string(name_of_region(otter_device_free_slot(&view))));
    }
    if (device->ports.files != NULL) {
        (void)json_object_set_new(described, "card",
                                  describe_card(device->ports.files));
    }
    if (is_full) {
        describe_fully(&view, described);
    }
    return described;
}

/* --- for people --- */

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

static json_int_t number_at(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void print_changed(const json_t *changed)
{
    size_t index;
    const json_t *name;

    json_array_foreach(changed, index, name)
    {
        say("%s%s", index == 0 ? ", not as installed: " : ", ",
            json_string_value(name));
    }
}

static void print_system(const char *title, const json_t *system)
{
    if (json_object_get(system, "code") != NULL) {
        say("%-14s none: [%s] %s\n", title, text_at(system, "code"),
            text_at(system, "text"));
        return;
    }
    bool is_installed = json_is_true(json_object_get(system, "installed"));

    say("%-14s version %s, counter %lld, package %.16s, %s%s", title,
        text_at(system, "version"), number_at(system, "counter"),
        text_at(system, "package_id"),
        is_installed ? "in " : "its receipt only: not in ", text_at(system, "region"));
    print_changed(json_object_get(system, "changed"));
    say("\n");
    product_print(system, LABEL);
}

static void print_keys(const json_t *keys)
{
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);

        say("%-14s %s, %s\n", "key", text_at(key, "id"),
            json_is_true(json_object_get(key, "trusted")) ? "trusted" : "revoked");
    }
}

static void print_outcome(const json_t *outcome)
{
    say("%-14s %s", "last update", text_at(outcome, "kind"));
    if (json_object_get(outcome, "code") != NULL) {
        say(" [%s] %s\n%-14s %s", text_at(outcome, "code"), text_at(outcome, "text"),
            "", text_at(outcome, "remedy"));
    }
    say("\n");
}

static void print_card(const json_t *card)
{
    const json_t *files = json_object_get(card, "files");
    size_t index;
    const json_t *file;

    say("%-14s %s\n", "card",
        !json_is_true(json_object_get(card, "present")) ? "none"
        : json_array_size(files) == 0                   ? "empty"
                                                        : "present");
    json_array_foreach(files, index, file)
    {
        say("%-14s %s, %lld bytes\n", "", text_at(file, "path"),
            number_at(file, "size"));
    }
}

static void print_map(const json_t *map)
{
    size_t index;
    const json_t *region;

    say("\n%-12s %-10s  %-10s  %-10s  %s\n", "region", "address", "size", "exec",
        "erases");
    json_array_foreach(map, index, region)
    {
        say("%-12s 0x%08llX  0x%08llX  0x%08llX  %lld\n", text_at(region, "name"),
            (unsigned long long)number_at(region, "addr"),
            (unsigned long long)number_at(region, "size"),
            (unsigned long long)number_at(region, "exec"), number_at(region, "erases"));
    }
}

void virtual_print(const json_t *description)
{
    say("%-14s %s\n", "profile", text_at(description, "profile"));
    if (json_object_get(description, "phase") == NULL) {
        say("%-14s [%s] %s\n", "damaged", text_at(description, "code"),
            text_at(description, "text"));
        return;
    }
    say("%-14s 0x%08llX, revision %lld\n", "target",
        (unsigned long long)number_at(description, "target"),
        number_at(description, "hardware"));
    say("%-14s %s\n", "phase", text_at(description, "phase"));
    say("%-14s %lld\n", "counter", number_at(description, "counter"));
    print_keys(json_object_get(description, "keys"));
    print_system("system", json_object_get(description, "system"));
    print_system("other system", json_object_get(description, "other_system"));
    if (json_object_get(description, "free_slot") != NULL) {
        say("%-14s %s\n", "free slot", text_at(description, "free_slot"));
    }
    print_outcome(json_object_get(description, "outcome"));
    if (json_object_get(description, "card") != NULL) {
        print_card(json_object_get(description, "card"));
    }
    if (json_object_get(description, "map") != NULL) {
        print_map(json_object_get(description, "map"));
    }
}

int virtual_refused(enum otter_result result)
{
    char code[NAME_CODE_SIZE];
    uint16_t number = otter_code(result);

    (void)fprintf(stderr, "otter: refused [%s] %s\n       %s\n",
                  name_of_code(number, code), text_of_code(number),
                  remedy_of_code(number));
    return TOOL_REFUSED;
}

static void show(struct vdevice *device, bool is_json)
{
    json_t *described = virtual_describe(device, false);

    if (is_json) {
        (void)json_dumpf(described, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        say("\n");
    } else {
        virtual_print(described);
    }
    json_decref(described);
}

int status_directory(const char *path, bool is_json)
{
    struct virtual_device device;
    int status = virtual_open(&device, path);

    if (status != TOOL_DONE) {
        return status;
    }
    show(&device.device, is_json);
    virtual_close(&device);
    return TOOL_DONE;
}

/* Powers the device on with an application that confirms itself. */
static int confirm(struct vdevice *device)
{
    struct otter_device view;

    if (vdevice_inspect(device, &view) != OTTER_OK ||
        view.journal.state.phase != OTTER_PHASE_TRIAL) {
        (void)fprintf(stderr, "otter: no system is on trial\n");
        return TOOL_DONE;
    }
    device->app = VDEVICE_CONFIRM;
    (void)vdevice_power_on(device, (struct vflash_fault){.kind = VFLASH_NONE});
    vdevice_power_off(device);
    if (vdevice_inspect(device, &view) != OTTER_OK ||
        view.journal.state.outcome.kind != OTTER_OUTCOME_CONFIRMED) {
        (void)fprintf(stderr, "otter: the system on trial was not confirmed\n");
        return TOOL_FAILED;
    }
    return TOOL_DONE;
}

int confirm_directory(const char *path, bool is_json)
{
    struct virtual_device device;
    int status = virtual_open(&device, path);

    if (status != TOOL_DONE) {
        return status;
    }
    status = confirm(&device.device);
    show(&device.device, is_json);
    virtual_close(&device);
    return status;
}
