/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of recipes, on libyaml's events: no aliases, anchors, tags or second
 * documents, no key twice, nothing that the schema does not name, and every text with
 * its line and column. The schema bounds the depth, RECIPE_SIZE_MAX and
 * RECIPE_VALUES_MAX the rest.
 *
 * Facts: YAML 1.1 as libyaml reads it.
 */
#include "recipe.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* --- the schema --- */

static const struct recipe_key member_fields[] = {
    {.name = "role"},   {.name = "name"},     {.name = "file", .is_path = true},
    {.name = "region"}, {.name = "version"},  {.name = "link"},
    {.name = "only"},   {.name = "rebase"},   {.name = "root"},
    {.name = "coding"}, {.name = "in-place"}, {0},
};

static const struct recipe_key variant_fields[] = {
    {.name = "name"},
    {.name = "members", .shape = RECIPE_LIST},
    {.name = "version"},
    {.name = "version-text"},
    {.name = "build"},
    {.name = "notes"},
    {.name = "notes-file", .is_path = true},
    {0},
};

static const struct recipe_key signer_fields[] = {
    {.name = "command"},
    {.name = "public", .is_path = true},
    {0},
};

const struct recipe_key recipe_keys[] = {
    {.name = "recipe"},
    {.name = "vendor"},
    {.name = "product"},
    {.name = "version"},
    {.name = "version-text"},
    {.name = "build"},
    {.name = "notes"},
    {.name = "notes-file", .is_path = true},
    {.name = "battery"},
    {.name = "target"},
    {.name = "hardware"},
    {.name = "counter"},
    {.name = "follows"},
    {.name = "boot-min"},
    {.name = "manager-min"},
    {.name = "follow", .is_path = true},
    {.name = "map", .is_path = true},
    {.name = "coding"},
    {.name = "coding-memory"},
    {.name = "keys", .shape = RECIPE_LIST, .is_path = true},
    {.name = "table-keys", .shape = RECIPE_LIST, .is_path = true},
    {.name = "table-from", .is_path = true},
    {.name = "revoke", .shape = RECIPE_LIST, .is_path = true}, /* or ids */
    {.name = "sign-with", .shape = RECIPE_MAPS, .fields = signer_fields},
    {.name = "members", .shape = RECIPE_MAPS, .fields = member_fields},
    {.name = "variants", .shape = RECIPE_MAPS, .fields = variant_fields},
    {0},
};

static const struct recipe_key *find_key(const struct recipe_key *keys,
                                         const char *name)
{
    while (keys->name != NULL && strcmp(keys->name, name) != 0) {
        keys++;
    }
    return keys->name != NULL ? keys : NULL;
}

/* --- events --- */

struct reading {
    yaml_parser_t parser;
    yaml_event_t event; /* the one that is looked at */
    bool has_event;
    struct recipe *recipe;
};

__attribute__((format(printf, 3, 4))) static bool fault_at(struct reading *reading,
                                                           yaml_mark_t mark,
                                                           const char *format, ...)
{
    va_list values;

    reading->recipe->line = mark.line + 1;
    reading->recipe->column = mark.column + 1;
    va_start(values, format);
    (void)vsnprintf(reading->recipe->message, sizeof(reading->recipe->message), format,
                    values);
    va_end(values);
    return false;
}

/* YAML's own complaint. */
static bool fault_of_yaml(struct reading *reading)
{
    const yaml_parser_t *parser = &reading->parser;
    const char *problem = parser->problem != NULL ? parser->problem : "no YAML";

    if (parser->error == YAML_READER_ERROR) {
        return fault_at(reading, parser->mark, "%s", problem);
    }
    return fault_at(reading, parser->problem_mark, "%s", problem);
}

static bool has_ornament(const yaml_event_t *event)
{
    switch ((int)event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor != NULL ||
               event->data.sequence_start.tag != NULL;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor != NULL ||
               event->data.mapping_start.tag != NULL;
    default:
        return event->type == YAML_ALIAS_EVENT;
    }
}

/* Goes on to the next event. */
static bool next(struct reading *reading)
{
    if (reading->has_event) {
        yaml_event_delete(&reading->event);
        reading->has_event = false;
    }
    if (yaml_parser_parse(&reading->parser, &reading->event) == 0) {
        return fault_of_yaml(reading);
    }
    reading->has_event = true;
    return !has_ornament(&reading->event) ||
           fault_at(reading, reading->event.start_mark,
                    "anchors, aliases and tags are not used in recipes");
}

static const char *kind_of_event(const yaml_event_t *event)
{
    switch ((int)event->type) {
    case YAML_SCALAR_EVENT:
        return "a text";
    case YAML_SEQUENCE_START_EVENT:
        return "a list";
    case YAML_MAPPING_START_EVENT:
        return "a mapping";
    default:
        return "nothing";
    }
}

static bool expect(struct reading *reading, yaml_event_type_t type, const char *what,
                   const char *kind)
{
    return reading->event.type == type ||
           fault_at(reading, reading->event.start_mark, "%s is %s, not %s", what, kind,
                    kind_of_event(&reading->event));
}

/* A text is what stands there: "" and ~ without quotes are no text. */
static bool check_text(struct reading *reading, const char *what)
{
    const yaml_event_t *event = &reading->event;

    if (!expect(reading, YAML_SCALAR_EVENT, what, "a text")) {
        return false;
    }
    const char *text = (const char *)event->data.scalar.value;
    const size_t len = event->data.scalar.length;

    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
        (len == 0 || strcmp(text, "~") == 0 || strcmp(text, "null") == 0)) {
        return fault_at(reading, event->start_mark, "%s has no value", what);
    }
    if (strlen(text) != len) {
        return fault_at(reading, event->start_mark, "%s holds a NUL", what);
    }
    return len <= RECIPE_TEXT_MAX ||
           fault_at(reading, event->start_mark, "%s is too long (limit %d bytes)", what,
                    RECIPE_TEXT_MAX);
}

/* --- values --- */

static bool add_value(struct reading *reading, struct recipe_value value, bool has_text)
{
    struct recipe *recipe = reading->recipe;

    if (recipe->count == RECIPE_VALUES_MAX) {
        return fault_at(reading, reading->event.start_mark,
                        "a recipe has at most %d values", RECIPE_VALUES_MAX);
    }
    if (has_text) {
        value.text = strdup((const char *)reading->event.data.scalar.value);
        if (value.text == NULL) {
            return fault_at(reading, reading->event.start_mark, "out of memory");
        }
    }
    value.line = reading->event.start_mark.line + 1;
    value.column = reading->event.start_mark.column + 1;
    recipe->values[recipe->count++] = value;
    return true;
}

/* The value of a key that is a text or a list of texts; the event is its first. In a
 * list without a mapping around it the item counts; in a mapping it is the mapping's.
 */
static bool take_texts(struct reading *reading, const struct recipe_key *key,
                       struct recipe_value value)
{
    if (key->shape == RECIPE_TEXT) {
        return check_text(reading, key->name) && add_value(reading, value, true);
    }
    if (!expect(reading, YAML_SEQUENCE_START_EVENT, key->name, "a list")) {
        return false;
    }
    while (next(reading)) {
        if (reading->event.type == YAML_SEQUENCE_END_EVENT) {
            return true;
        }
        if (!check_text(reading, key->name) || !add_value(reading, value, true)) {
            return false;
        }
        value.item += value.field == NULL;
    }
    return false;
}

/* The key that the event is, of `keys`; each once. */
static const struct recipe_key *take_key(struct reading *reading,
                                         const struct recipe_key *keys, uint32_t *seen)
{
    if (!check_text(reading, "a key")) {
        return NULL;
    }
    const char *name = (const char *)reading->event.data.scalar.value;
    const struct recipe_key *key = find_key(keys, name);

    if (key == NULL) {
        (void)fault_at(reading, reading->event.start_mark,
                       "there is no key \"%.64s\" here; see otter help recipe", name);
        return NULL;
    }
    const uint32_t bit = 1U << (unsigned)(key - keys);

    if ((*seen & bit) != 0) {
        (void)fault_at(reading, reading->event.start_mark, "%s comes twice", key->name);
        return NULL;
    }
    *seen |= bit;
    return key;
}

/* One mapping of a list; the event is its start. */
static bool take_fields(struct reading *reading, const struct recipe_key *key,
                        size_t item)
{
    struct recipe_value value = {.key = key, .item = item};
    uint32_t seen = 0;

    if (!expect(reading, YAML_MAPPING_START_EVENT, key->name, "a list of mappings") ||
        !add_value(reading, value, false)) {
        return false;
    }
    while (next(reading)) {
        if (reading->event.type == YAML_MAPPING_END_EVENT) {
            return true;
        }
        value.field = take_key(reading, key->fields, &seen);
        if (value.field == NULL || !next(reading) ||
            !take_texts(reading, value.field, value)) {
            return false;
        }
    }
    return false;
}

static bool take_maps(struct reading *reading, const struct recipe_key *key)
{
    if (!expect(reading, YAML_SEQUENCE_START_EVENT, key->name, "a list")) {
        return false;
    }
    for (size_t item = 0; next(reading); item++) {
        if (reading->event.type == YAML_SEQUENCE_END_EVENT) {
            return true;
        }
        if (!take_fields(reading, key, item)) {
            return false;
        }
    }
    return false;
}

static bool take_recipe(struct reading *reading)
{
    uint32_t seen = 0;

    if (!expect(reading, YAML_MAPPING_START_EVENT, "a recipe", "a mapping")) {
        return false;
    }
    while (next(reading)) {
        if (reading->event.type == YAML_MAPPING_END_EVENT) {
            return true;
        }
        const struct recipe_key *key = take_key(reading, recipe_keys, &seen);

        if (key == NULL || !next(reading)) {
            return false;
        }
        if (!(key->shape == RECIPE_MAPS
                  ? take_maps(reading, key)
                  : take_texts(reading, key, (struct recipe_value){.key = key}))) {
            return false;
        }
    }
    return false;
}

/* The stream: one document, and nothing after it. */
static bool take_stream(struct reading *reading)
{
    /* The stream's start, then the document's. */
    bool is_good = next(reading);

    is_good = is_good && next(reading);
    if (!is_good) {
        return false;
    }
    if (reading->event.type != YAML_DOCUMENT_START_EVENT) {
        return fault_at(reading, reading->event.start_mark, "the recipe is empty");
    }
    is_good = next(reading) && take_recipe(reading);
    is_good = is_good && next(reading); /* the document's end */
    is_good = is_good && next(reading);
    if (!is_good) {
        return false;
    }
    return reading->event.type == YAML_STREAM_END_EVENT ||
           fault_at(reading, reading->event.start_mark,
                    "a recipe is one document; there is a second one");
}

/* Which recipes this program understands is said in each. */
static bool check_format(struct reading *reading)
{
    const struct recipe *recipe = reading->recipe;
    const yaml_mark_t start = {0};

    for (size_t i = 0; i < recipe->count; i++) {
        const struct recipe_value *value = &recipe->values[i];

        if (strcmp(value->key->name, "recipe") == 0) {
            const yaml_mark_t mark = {.line = value->line - 1,
                                      .column = value->column - 1};

            return strcmp(value->text, "1") == 0 ||
                   fault_at(reading, mark,
                            "recipes of format %.16s are not known, only 1",
                            value->text);
        }
    }
    return fault_at(reading, start, "\"recipe: 1\" is missing");
}

bool recipe_parse(const uint8_t *data, size_t size, struct recipe *recipe)
{
    struct reading reading = {.recipe = recipe};
    const yaml_mark_t start = {0};

    *recipe = (struct recipe){0};
    if (size > RECIPE_SIZE_MAX) {
        return fault_at(&reading, start, "a recipe has at most %d bytes",
                        RECIPE_SIZE_MAX);
    }
    if (yaml_parser_initialize(&reading.parser) == 0) {
        return fault_at(&reading, start, "out of memory");
    }
    yaml_parser_set_input_string(&reading.parser, data, size);
    const bool is_done = take_stream(&reading) && check_format(&reading);

    if (reading.has_event) {
        yaml_event_delete(&reading.event);
    }
    yaml_parser_delete(&reading.parser);
    return is_done;
}

void recipe_free(struct recipe *recipe)
{
    for (size_t i = 0; i < recipe->count; i++) {
        free(recipe->values[i].text);
    }
    recipe->count = 0;
}
