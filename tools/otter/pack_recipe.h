/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a recipe to what the command line would say: each text goes to the option of
 * that name, so that both mean the same.
 */
#ifndef OTTER_TOOL_PACK_RECIPE_H
#define OTTER_TOOL_PACK_RECIPE_H

#include "recipe.h"

struct pack;

/* For a value at most a path, a text and a place are made. */
enum { PACK_RECIPE_MADE = 3 * RECIPE_VALUES_MAX };

/* A recipe and the texts made from it, which stay in use while a package is made. */
struct pack_recipe {
    const char *path;
    const char *variant; /* NULL: none is asked for */
    struct recipe recipe;
    char *made[PACK_RECIPE_MADE];
    size_t made_count;
};

/* Reads the recipe and takes all of it; prints what is wrong with its place and returns
 * the tool's exit status. */
int pack_recipe_take(struct pack_recipe *recipe, struct pack *pack);
void pack_recipe_free(struct pack_recipe *recipe);

/* Of pack.c: takes the option `name` of the command line. `place`, "FILE:LINE:COLUMN:
 * ", stands before whatever is wrong with it, now and later. */
int pack_take(struct pack *pack, const char *name, char *value, const char *place);

#endif
