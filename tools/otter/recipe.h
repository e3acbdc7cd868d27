/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recipes: what a release is made of, as YAML (docs/man/otter-recipe.5.scd). The reader
 * turns a recipe into a list of texts, each with its place, and refuses all that the
 * schema does not know; what the texts mean is said by whoever takes them.
 */
#ifndef OTTER_TOOL_RECIPE_H
#define OTTER_TOOL_RECIPE_H

#include "files.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    RECIPE_SIZE_MAX = 65536,
    RECIPE_VALUES_MAX = 512,
    RECIPE_TEXT_MAX = 4096,
    RECIPE_MESSAGE_SIZE = 160,
};

/* What may stand behind a key. Nothing nests deeper than a list in a list's mapping. */
enum recipe_shape {
    RECIPE_TEXT, /* one text */
    RECIPE_LIST, /* a list of texts */
    RECIPE_MAPS, /* a list of mappings; their values are texts or lists of texts */
};

struct recipe_key {
    const char *name;
    enum recipe_shape shape;
    bool is_path;                    /* texts are paths, relative to the recipe */
    const struct recipe_key *fields; /* RECIPE_MAPS: keys of each mapping */
};

/* Keys of a recipe, and of the mappings in its lists; each ends with a NULL name. */
extern const struct recipe_key recipe_keys[];

/* One text of a recipe. A list gives one of them an item; a mapping in a list gives one
 * without a field and text, for its place, then those of its fields. */
struct recipe_value {
    const struct recipe_key *key;
    const struct recipe_key *field; /* NULL: not in a mapping */
    size_t item;                    /* of a list, from 0 */
    char *text;                     /* UTF-8 without NUL; NULL: begins a mapping */
    size_t line, column;            /* from 1 */
};

struct recipe {
    struct recipe_value values[RECIPE_VALUES_MAX]; /* in the order of the file */
    size_t count;
    size_t line, column; /* of a fault */
    char message[RECIPE_MESSAGE_SIZE];
};

/* Reads a recipe; false with place and message if it is none. Free it either way. */
bool recipe_parse(const uint8_t *data, size_t size, struct recipe *recipe);
void recipe_free(struct recipe *recipe);

#endif
