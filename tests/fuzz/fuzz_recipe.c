/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of recipes: whatever comes, either a list of bounded texts that the schema
 * knows, or a fault with its place.
 */
#include "recipe.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static struct recipe recipe;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (recipe_parse(data, size, &recipe)) {
        require(recipe.count > 0 && recipe.message[0] == '\0');
    } else {
        require(recipe.line > 0 && recipe.column > 0 && recipe.message[0] != '\0');
    }
    require(recipe.count <= RECIPE_VALUES_MAX);
    for (size_t i = 0; i < recipe.count; i++) {
        const struct recipe_value *value = &recipe.values[i];

        require(value->line > 0 && value->column > 0 && value->key->name != NULL);
        require(value->text == NULL || strlen(value->text) <= RECIPE_TEXT_MAX);
        require((value->field == NULL) == (value->key->shape != RECIPE_MAPS) ||
                value->text == NULL);
    }
    recipe_free(&recipe);
    return 0;
}
