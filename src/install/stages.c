/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stages of an update, in the order in which a device performs them: the table of
 * contents of this folder. Codes are public: users quote "[09-99]" from the screen.
 * Never renumber; a new stage takes its place in the order with its own code.
 */
#include "stages.h"

static bool always(const struct otter_install *install)
{
    (void)install;
    return true;
}

static bool has_strategy(const struct otter_install *install, uint8_t strategy)
{
    for (uint8_t i = 0; i < install->plan.count; i++) {
        if (install->plan.members[i].strategy == strategy) {
            return true;
        }
    }
    return false;
}

/* Something is copied over the application, so the old one must be kept. */
static bool replaces_application(const struct otter_install *install)
{
    return has_strategy(install, OTTER_STRATEGY_SAVED_COPY);
}

static bool replaces_regions(const struct otter_install *install)
{
    return has_strategy(install, OTTER_STRATEGY_REGION);
}

static bool replaces_tree(const struct otter_install *install)
{
    return has_strategy(install, OTTER_STRATEGY_TREE);
}

static bool replaces(const struct otter_install *install)
{
    return replaces_application(install) || replaces_regions(install) ||
           replaces_tree(install);
}

static bool writes_application(const struct otter_install *install)
{
    return replaces_application(install) ||
           has_strategy(install, OTTER_STRATEGY_INTO_SLOT);
}

static bool replaces_manager(const struct otter_install *install)
{
    return has_strategy(install, OTTER_STRATEGY_BY_BOOT);
}

static bool replaces_table(const struct otter_install *install)
{
    return has_strategy(install, OTTER_STRATEGY_TABLE);
}

const struct otter_stage otter_stages[] = {
    /* code  name                          needed when  step */
    {1, "Loading the package", always, otter_stage_package},
    {9, "Checking the firmware", always, otter_stage_check},
    {34, "Replacing the manager", replaces_manager, otter_stage_manager},
    {37, "Replacing the flash table", replaces_table, otter_stage_table},
#if OTTER_TREES
    {36, "Putting the new files aside", replaces_tree, otter_stage_aside},
#endif
    {32, "Saving the old system", replaces, otter_stage_save},
    /* Everything above leaves the old system alone; everything below may change it. */
    {10, "Writing flash", writes_application, otter_stage_write},
    {11, "Validating flash", always, otter_stage_validate},
    {15, "Unpacking resources and fonts", replaces_regions, otter_stage_regions},
#if OTTER_TREES
    {15, "Unpacking files", replaces_tree, otter_stage_files},
#endif
    {0, "", always, NULL},
};
