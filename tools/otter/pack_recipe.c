/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter pack RECIPE. docs/man/otter-recipe.5.scd.
 */
#include "pack_recipe.h"

#include "pack_revoke.h"
#include "verbs.h"

#include <stdlib.h>
#include <string.h>

/* Texts made here are freed with the recipe. */
static char *keep(struct pack_recipe *recipe, char *text)
{
    if (text == NULL || recipe->made_count == PACK_RECIPE_MADE) {
        free(text);
        return NULL;
    }
    recipe->made[recipe->made_count++] = text;
    return text;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static char *place_of(struct pack_recipe *recipe, const struct recipe_value *value)
{
    char *text = NULL;

    if (asprintf(&text, "%s:%zu:%zu: ", recipe->path, value->line, value->column) < 0) {
        text = NULL;
    }
    return keep(recipe, text);
}

static int fault(const struct pack_recipe *recipe, const struct recipe_value *value,
                 const char *what, const char *text)
{
    return complain_usage("%s:%zu:%zu: %s%s", recipe->path, value->line, value->column,
                          what, text);
}

/* A path as it is named from here: relative ones lie beside the recipe. */
static char *path_of(struct pack_recipe *recipe, const char *text, const char *before)
{
    const size_t folder = (size_t)(base_name(recipe->path) - recipe->path);
    const int len = text[0] == '/' ? 0 : (int)folder;
    char *path = NULL;

    if (asprintf(&path, "%s%.*s%s", before, len, recipe->path, text) < 0) {
        path = NULL;
    }
    return keep(recipe, path);
}

/* --- looking things up --- */

static bool is_of(const struct recipe_value *value, const char *key)
{
    return strcmp(value->key->name, key) == 0;
}

/* A field of the mapping that value `at` begins; NULL if it is not given. */
static const struct recipe_value *field_of(const struct recipe *recipe, size_t at,
                                           const char *name)
{
    const struct recipe_value *head = &recipe->values[at];

    for (size_t i = at + 1; i < recipe->count; i++) {
        const struct recipe_value *value = &recipe->values[i];

        if (value->field == NULL || value->text == NULL || value->item != head->item ||
            value->key != head->key) {
            return NULL;
        }
        if (strcmp(value->field->name, name) == 0) {
            return value;
        }
    }
    return NULL;
}

/* Where the mapping of that name begins, of list `key`; recipe->count if there is none.
 * What has no name goes by its role. */
static size_t find_named(const struct recipe *recipe, const char *key, const char *name)
{
    for (size_t i = 0; i < recipe->count; i++) {
        if (!is_of(&recipe->values[i], key) || recipe->values[i].text != NULL) {
            continue;
        }
        const struct recipe_value *own = field_of(recipe, i, "name");

        if (own == NULL) {
            own = field_of(recipe, i, "role");
        }
        if (own != NULL && strcmp(own->text, name) == 0) {
            return i;
        }
    }
    return recipe->count;
}

/* --- names --- */

static int check_mapping(const struct pack_recipe *recipe, size_t at)
{
    static const struct {
        const char *key, *first, *second;
        const char *message;
    } needs[] = {
        {"members", "role", "file", "a member needs role and file"},
        {"variants", "name", "members", "a variant needs name and members"},
        {"sign-with", "command", "public", "a signer needs command and public"},
    };
    const struct recipe *read = &recipe->recipe;
    const struct recipe_value *head = &read->values[at];
    const struct recipe_value *name = field_of(read, at, "name");

    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        if (is_of(head, needs[i].key) &&
            (field_of(read, at, needs[i].first) == NULL ||
             field_of(read, at, needs[i].second) == NULL)) {
            return fault(recipe, head, needs[i].message, "");
        }
    }
    name = name != NULL ? name : field_of(read, at, "role");
    if (name != NULL && find_named(read, head->key->name, name->text) != at) {
        return fault(
            recipe, name,
            "there is one of that name already; give each a name: ", name->text);
    }
    return TOOL_DONE;
}

/* Of two values that mean the same one is too many; `value` is the second kind. */
static int check_single(const struct pack_recipe *recipe,
                        const struct recipe_value *value, const char *other)
{
    for (size_t i = 0; i < recipe->recipe.count; i++) {
        const struct recipe_value *at = &recipe->recipe.values[i];
        const struct recipe_key *key = at->field != NULL ? at->field : at->key;

        if (at->text != NULL && strcmp(key->name, other) == 0 &&
            (at->field != NULL) == (value->field != NULL) && at->item == value->item) {
            return fault(recipe, value, "this is given already by ", other);
        }
    }
    return TOOL_DONE;
}

/* Every mapping is whole and every member of every variant is there, whichever variant
 * is made. */
static int check_names(const struct pack_recipe *recipe)
{
    const struct recipe *read = &recipe->recipe;
    int status = TOOL_DONE;

    for (size_t i = 0; i < read->count && status == TOOL_DONE; i++) {
        const struct recipe_value *value = &read->values[i];

        const struct recipe_key *key = value->field != NULL ? value->field : value->key;

        if (value->text == NULL) {
            status = check_mapping(recipe, i);
        } else if (strcmp(key->name, "notes-file") == 0) {
            status = check_single(recipe, value, "notes");
        } else if (value->field != NULL && value->field->shape == RECIPE_LIST &&
                   find_named(read, "members", value->text) == read->count) {
            status =
                fault(recipe, value, "there is no member of that name: ", value->text);
        }
    }
    return status;
}

static bool has_variants(const struct recipe *recipe)
{
    for (size_t i = 0; i < recipe->count; i++) {
        if (is_of(&recipe->values[i], "variants")) {
            return true;
        }
    }
    return false;
}

static void print_variants(const struct recipe *recipe)
{
    const char *before = "";

    for (size_t i = 0; i < recipe->count; i++) {
        if (is_of(&recipe->values[i], "variants") && recipe->values[i].text == NULL) {
            const char *name = field_of(recipe, i, "name")->text;

            (void)fputs(before, stderr);
            print_text(stderr, (const uint8_t *)name, strlen(name), " ");
            before = ", ";
        }
    }
    (void)fputc('\n', stderr);
}

/* Finds where the variant begins; the count of values: the recipe has none. */
static int choose(const struct pack_recipe *recipe, size_t *at)
{
    const struct recipe *read = &recipe->recipe;

    *at = read->count;
    if (recipe->variant == NULL && !has_variants(read)) {
        return TOOL_DONE;
    }
    if (recipe->variant != NULL) {
        *at = find_named(read, "variants", recipe->variant);
    }
    if (*at < read->count) {
        return TOOL_DONE;
    }
    if (!has_variants(read)) {
        return complain_usage("%s has no variants; leave --variant out", recipe->path);
    }
    (void)complain_usage(recipe->variant == NULL
                             ? "%s has variants; choose one with --variant:"
                             : "%s has no such variant; it has these:",
                         recipe->path);
    print_variants(read);
    return TOOL_USAGE;
}

/* --- what goes to the options --- */

/* "notes-file: F" is --notes @F, "keys" are --key. */
static int take_text(struct pack_recipe *recipe, struct pack *pack,
                     const struct recipe_value *value, const struct recipe_key *key)
{
    static const struct {
        const char *key;
        const char *option;
        const char *before; /* the text */
    } others[] = {{"notes-file", "notes", "@"}, {"keys", "key", ""}};
    const char *option = key->name;
    const char *before = "";

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strcmp(key->name, others[i].key) == 0) {
            option = others[i].option;
            before = others[i].before;
        }
    }
    /* What --notes would take for the name of a file is a text here. */
    if (strcmp(key->name, "notes") == 0 && value->text[0] == '@') {
        return fault(recipe, value, "notes that begin with @ need notes-file", "");
    }
    bool is_path = key->is_path && !(strcmp(key->name, "revoke") == 0 &&
                                     pack_revoke_is_id(value->text));
    char *text = is_path ? path_of(recipe, value->text, before) : value->text;
    char *place = place_of(recipe, value);

    return text == NULL || place == NULL ? complain("out of memory")
                                         : pack_take(pack, option, text, place);
}

static bool is_given_by(const struct recipe *recipe, size_t variant, const char *name)
{
    const bool is_notes = strncmp(name, "notes", 5) == 0;

    return variant < recipe->count &&
           (field_of(recipe, variant, name) != NULL ||
            (is_notes && (field_of(recipe, variant, "notes") != NULL ||
                          field_of(recipe, variant, "notes-file") != NULL)));
}

/* The recipe's own texts, but those that the variant has others for. */
static int take_texts(struct pack_recipe *recipe, struct pack *pack, size_t variant)
{
    const struct recipe *read = &recipe->recipe;
    int status = TOOL_DONE;

    for (size_t i = 0; i < read->count && status == TOOL_DONE; i++) {
        const struct recipe_value *value = &read->values[i];

        if (value->key->shape != RECIPE_MAPS && !is_of(value, "recipe") &&
            !is_given_by(read, variant, value->key->name)) {
            status = take_text(recipe, pack, value, value->key);
        }
        if (i > variant && value->field != NULL && value->text != NULL &&
            value->key == read->values[variant].key &&
            value->item == read->values[variant].item &&
            value->field->shape == RECIPE_TEXT &&
            strcmp(value->field->name, "name") != 0) {
            status = take_text(recipe, pack, value, value->field);
        }
    }
    return status;
}

/* "ROLE=FILE,region=..." as --member takes it, from the mapping at `at`. */
static int take_member(struct pack_recipe *recipe, struct pack *pack, size_t at)
{
    const struct recipe *read = &recipe->recipe;
    const struct recipe_value *file = field_of(read, at, "file");
    char *path = path_of(recipe, file->text, "");
    char *text = NULL;
    FILE *out = NULL;
    size_t len = 0;

    if (path != NULL && strchr(path, ',') != NULL) {
        return fault(recipe, file, "a comma in a file's name: ", path);
    }
    out = path == NULL ? NULL : open_memstream(&text, &len);
    if (out == NULL) {
        return complain("out of memory");
    }
    (void)fprintf(out, "%s=%s", field_of(read, at, "role")->text, path);
    for (const struct recipe_key *field = read->values[at].key->fields;
         field->name != NULL; field++) {
        const struct recipe_value *value = field_of(read, at, field->name);

        if (value != NULL && value != file && strcmp(field->name, "role") != 0 &&
            strcmp(field->name, "name") != 0) {
            (void)fprintf(out, ",%s=%s", field->name, value->text);
        }
    }
    const bool is_whole = fclose(out) == 0;

    text = keep(recipe, text);
    char *place = place_of(recipe, &read->values[at]);

    return !is_whole || text == NULL || place == NULL
               ? complain("out of memory")
               : pack_take(pack, "member", text, place);
}

static int take_signer(struct pack_recipe *recipe, struct pack *pack, size_t at)
{
    const struct recipe_value *command = field_of(&recipe->recipe, at, "command");
    const struct recipe_value *key = field_of(&recipe->recipe, at, "public");
    char *path = path_of(recipe, key->text, "");
    char *place = place_of(recipe, command);

    if (path == NULL || place == NULL) {
        return complain("out of memory");
    }
    const int status = pack_take(pack, "sign-with", command->text, place);

    return status == TOOL_DONE ? pack_take(pack, "public", path, place) : status;
}

static bool is_chosen(const struct recipe *recipe, size_t variant, size_t member)
{
    for (size_t i = variant + 1; i < recipe->count; i++) {
        const struct recipe_value *value = &recipe->values[i];

        if (value->key == recipe->values[variant].key &&
            value->item == recipe->values[variant].item && value->field != NULL &&
            value->field->shape == RECIPE_LIST &&
            find_named(recipe, "members", value->text) == member) {
            return true;
        }
    }
    return variant >= recipe->count;
}

static int take_all(struct pack_recipe *recipe, struct pack *pack)
{
    const struct recipe *read = &recipe->recipe;
    size_t variant = 0;
    int status = check_names(recipe);

    if (status == TOOL_DONE) {
        status = choose(recipe, &variant);
    }
    if (status == TOOL_DONE) {
        status = take_texts(recipe, pack, variant);
    }
    for (size_t i = 0; i < read->count && status == TOOL_DONE; i++) {
        if (is_of(&read->values[i], "members") && read->values[i].text == NULL &&
            is_chosen(read, variant, i)) {
            status = take_member(recipe, pack, i);
        }
        if (is_of(&read->values[i], "sign-with") && read->values[i].text == NULL) {
            status = take_signer(recipe, pack, i);
        }
    }
    return status;
}

int pack_recipe_take(struct pack_recipe *recipe, struct pack *pack)
{
    struct bytes yaml = {0};
    int status = file_read(recipe->path, RECIPE_SIZE_MAX, &yaml);

    if (status == TOOL_DONE && !recipe_parse(yaml.data, yaml.size, &recipe->recipe)) {
        status = complain_usage("%s:%zu:%zu: %s", recipe->path, recipe->recipe.line,
                                recipe->recipe.column, recipe->recipe.message);
    }
    bytes_free(&yaml);
    return status == TOOL_DONE ? take_all(recipe, pack) : status;
}

void pack_recipe_free(struct pack_recipe *recipe)
{
    recipe_free(&recipe->recipe);
    for (size_t i = 0; i < recipe->made_count; i++) {
        free(recipe->made[i]);
    }
    recipe->made_count = 0;
}
