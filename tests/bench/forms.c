/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One update for each profile and form, without a cut. The time of a card is not in the
 * figures: on a device that has one they are those of its flash.
 */
#include "forms.h"

#include "measure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PROFILES_MAX = 4, NS_PER_MS = 1000000 };

static const char *const form_names[BENCH_FORMS] = {
    [BENCH_RAW] = "raw",          [BENCH_HEATSHRINK] = "heatshrink",
    [BENCH_ZLIB] = "zlib",        [BENCH_ENCRYPTED] = "encrypted",
    [BENCH_LARGE] = "raw, large",
};

static const char *const region_names[OTTER_REGION_ID_COUNT] = {
    [OTTER_REGION_RECEIPTS] = "receipts",
    [OTTER_REGION_JOURNAL] = "journal",
    [OTTER_REGION_APPLICATION] = "application (slot A)",
    [OTTER_REGION_SLOT_B] = "slot B",
    [OTTER_REGION_STAGING] = "staging",
    [OTTER_REGION_RESOURCES] = "resources",
    [OTTER_REGION_FONT] = "font",
};

struct forms {
    size_t count; /* of profiles */
    const struct host_profile *profiles[PROFILES_MAX];
    struct bench_figures figures[PROFILES_MAX][BENCH_FORMS];
};

/* With two slots what does not lie where it runs goes to staging, which may be small.
 * What does not fit is left out: such a device refuses it [23-20]. */
static bool fits(const struct bench_product *product)
{
    const struct host_image *stored = &product->next.members[0].stored;
    const struct otter_map *map = &product->profile->map;

    if (product->next_image.size >
        otter_map_find(map, OTTER_REGION_APPLICATION)->size) {
        return false;
    }
    return otter_map_find(map, OTTER_REGION_SLOT_B) == NULL || stored->data == NULL ||
           stored->size <= otter_map_find(map, OTTER_REGION_STAGING)->size;
}

static double install_ms(const struct bench_figures *f)
{
    return (double)(f->parts[BENCH_INSTALL].ns + f->parts[BENCH_AFTER].ns) / NS_PER_MS;
}

static double must_ms(const struct bench_figures *f)
{
    return (double)f->must_ns / NS_PER_MS;
}

/* An update costs at most 15 percent more than what it must write. Where the way back
 * is a file there is less flash to write, and the journal's fixed part, a sector for
 * each power-on, weighs more: there it holds for an application of usual size. */
static void check_ratio(const struct bench_product *product,
                        const struct bench_figures *f)
{
    static const double limit = 1.15;

    bool is_free =
        otter_map_is_on_card(&product->profile->map) && product->form != BENCH_LARGE;

    bench_need(f->must_ns == 0 || is_free || install_ms(f) <= limit * must_ms(f),
               "an update takes more than 1.15 of what it must write");
}

static struct forms *measure_all(void)
{
    struct forms *forms = calloc(1, sizeof(*forms));
    struct bench_product *product = malloc(sizeof(*product));

    bench_need(forms != NULL && product != NULL, "no memory");
    for (size_t i = 0; i < PROFILES_MAX && host_profile_at(i) != NULL; i++) {
        forms->profiles[i] = host_profile_at(i);
        for (int form = 0; form < BENCH_FORMS; form++) {
            bench_product_make(product, forms->profiles[i], (enum bench_form)form);
            if (fits(product)) {
                bench_measure_once(product, &forms->figures[i][form]);
                check_ratio(product, &forms->figures[i][form]);
            }
            bench_product_free(product);
        }
        forms->count++;
    }
    free(product);
    return forms;
}

/* That a large image does not fit into a small device needs no row. */
static void print_row(const char *profile, enum bench_form form,
                      const struct bench_figures *f)
{
    if (f->package_size == 0 && form != BENCH_LARGE) {
        (void)printf("| `%s` | %s | does not fit | | | | |\n", profile,
                     form_names[form]);
    }
    if (f->package_size == 0) {
        return;
    }
    (void)printf("| `%s` | %s | %" PRIu32 " | %" PRIu32 " | %.0f | %.0f |", profile,
                 form_names[form], f->package_size, f->memory, install_ms(f),
                 must_ms(f));
    if (f->must_ns == 0) {
        (void)printf(" nothing to write |\n");
    } else {
        (void)printf(" %.2f |\n", install_ms(f) / must_ms(f));
    }
}

static void print_wear(const struct forms *forms)
{
    (void)printf("| erases of an update, raw |");
    for (size_t i = 0; i < forms->count; i++) {
        (void)printf(" `%s` |", forms->profiles[i]->name);
    }
    (void)printf("\n|---|");
    for (size_t i = 0; i < forms->count; i++) {
        (void)printf("---:|");
    }
    (void)printf("\n");
    for (int id = 0; id < OTTER_REGION_ID_COUNT; id++) {
        if (region_names[id] == NULL) {
            continue;
        }
        (void)printf("| %s |", region_names[id]);
        for (size_t i = 0; i < forms->count; i++) {
            (void)printf(" %" PRIu64 " |",
                         forms->figures[i][BENCH_RAW].region_erases[id]);
        }
        (void)printf("\n");
    }
}

void bench_forms_print(void)
{
    struct forms *forms = measure_all();

    (void)printf("| profile | package | bytes | RAM to decode in | flash time after "
                 "reception, ms | what must be written then, once, ms | ratio |\n"
                 "|---|---|---:|---:|---:|---:|---:|\n");
    for (size_t i = 0; i < forms->count; i++) {
        for (int form = 0; form < BENCH_FORMS; form++) {
            print_row(forms->profiles[i]->name, (enum bench_form)form,
                      &forms->figures[i][form]);
        }
    }
    (void)printf("\n");
    print_wear(forms);
    free(forms);
}

static void print_form_json(const struct bench_figures *f, const char *before)
{
    (void)printf("%s{\"package_bytes\": %" PRIu32 ", \"memory\": %" PRIu32
                 ", \"install_ms\": %.0f, \"must_ms\": %.0f, \"erases\": {",
                 before, f->package_size, f->memory, install_ms(f), must_ms(f));
    before = "";
    for (int id = 0; id < OTTER_REGION_ID_COUNT; id++) {
        if (region_names[id] != NULL) {
            (void)printf("%s\"%s\": %" PRIu64, before, region_names[id],
                         f->region_erases[id]);
            before = ", ";
        }
    }
    (void)printf("}}");
}

void bench_forms_print_json(void)
{
    struct forms *forms = measure_all();

    (void)printf("{");
    for (size_t i = 0; i < forms->count; i++) {
        (void)printf("%s\n  \"%s\": {", i == 0 ? "" : ",", forms->profiles[i]->name);
        for (int form = 0; form < BENCH_FORMS; form++) {
            (void)printf("%s\n    \"%s\": ", form == 0 ? "" : ",", form_names[form]);
            print_form_json(&forms->figures[i][form], "");
        }
        (void)printf("\n  }");
    }
    (void)printf("\n}");
    free(forms);
}
