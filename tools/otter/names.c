/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of numbers. Tables by number; what is not in them is "?".
 */
#include "names.h"

#include <stdio.h>

#define NAME_AT(table, index)                                                       \
    ((size_t)(index) < sizeof(table) / sizeof((table)[0]) && (table)[index] != NULL \
         ? (table)[index]                                                           \
         : "?")

static const char *const phases[] = {
    [OTTER_PHASE_CONFIRMED] = "confirmed",
    [OTTER_PHASE_RECEIVING] = "receiving",
    [OTTER_PHASE_COMPLETE] = "complete",
    [OTTER_PHASE_REQUESTED] = "requested",
    [OTTER_PHASE_INSTALLING] = "installing",
    [OTTER_PHASE_TRIAL] = "trial",
    [OTTER_PHASE_ROLLING_BACK] = "rolling back",
    [OTTER_PHASE_ROLLED_BACK] = "rolled back",
};

static const char *const programs[] = {
    [OTTER_PROGRAM_FACTORY] = "factory", [OTTER_PROGRAM_BOOT] = "boot",
    [OTTER_PROGRAM_MANAGER] = "manager", [OTTER_PROGRAM_LOADER] = "loader",
    [OTTER_PROGRAM_AGENT] = "agent",
};

static const char *const roles[] = {
    [OTTER_ROLE_FIRMWARE] = "firmware", [OTTER_ROLE_MANAGER] = "manager",
    [OTTER_ROLE_TABLE] = "table",       [OTTER_ROLE_LOADER] = "loader",
    [OTTER_ROLE_RADIO] = "radio",       [OTTER_ROLE_RESOURCES] = "resources",
    [OTTER_ROLE_FONT] = "font",         [OTTER_ROLE_OPTION_BYTES] = "option bytes",
};

static const char *const codings[] = {
    [OTTER_CODING_RAW] = "raw",
    [OTTER_CODING_ZLIB] = "zlib",
    [OTTER_CODING_HEATSHRINK] = "heatshrink",
};

static const char *const regions[] = {
    [OTTER_REGION_BOOT] = "boot",           [OTTER_REGION_TABLE] = "table",
    [OTTER_REGION_RECEIPTS] = "receipts",   [OTTER_REGION_JOURNAL] = "journal",
    [OTTER_REGION_MANAGER] = "manager",     [OTTER_REGION_APPLICATION] = "application",
    [OTTER_REGION_SLOT_B] = "slot B",       [OTTER_REGION_STAGING] = "staging",
    [OTTER_REGION_RESOURCES] = "resources", [OTTER_REGION_FONT] = "font",
    [OTTER_REGION_LOADER] = "loader",
};

static const char *const outcomes[] = {
    [OTTER_OUTCOME_NONE] = "none",
    [OTTER_OUTCOME_CONFIRMED] = "confirmed",
    [OTTER_OUTCOME_ROLLED_BACK] = "rolled back",
    [OTTER_OUTCOME_REFUSED] = "refused",
    [OTTER_OUTCOME_FAILED] = "failed",
    [OTTER_OUTCOME_DAMAGED] = "damaged",
    [OTTER_OUTCOME_REBUILT] = "rebuilt",
};

static const char *const stages[] = {
    [1] = "loading the package",
    [9] = "checking the firmware",
    [10] = "writing flash",
    [11] = "validating flash",
    [15] = "unpacking resources, fonts and files",
    [32] = "saving the old system",
    [34] = "replacing the manager",
    [36] = "putting the new files aside",
    [37] = "replacing the flash table",
};

const char *name_of_phase(uint8_t phase)
{
    return NAME_AT(phases, phase);
}

const char *name_of_program(uint8_t program)
{
    return NAME_AT(programs, program);
}

const char *name_of_role(uint8_t role)
{
    return NAME_AT(roles, role);
}

const char *name_of_coding(uint8_t coding)
{
    return NAME_AT(codings, coding);
}

const char *name_of_region(uint8_t region)
{
    if (region == OTTER_REGION_PACKAGE_FILE || region == OTTER_REGION_SAVED_FILE) {
        return "card";
    }
    if (region == OTTER_REGION_TREE) {
        return "files on the card";
    }
    return NAME_AT(regions, region);
}

const char *name_of_outcome(uint8_t kind)
{
    return NAME_AT(outcomes, kind);
}

const char *name_of_stage(uint8_t stage)
{
    return NAME_AT(stages, stage);
}

const char *name_of_code(uint16_t code, char text[NAME_CODE_SIZE])
{
    (void)snprintf(text, NAME_CODE_SIZE, "%02u-%02u", (unsigned)code >> 8,
                   (unsigned)code & 0xFFU);
    return text;
}

const char *name_of_version(const struct otter_version *version,
                            char text[NAME_VERSION_SIZE])
{
    (void)snprintf(text, NAME_VERSION_SIZE, "%u.%u.%u+%u", version->major,
                   version->minor, version->revision, version->build);
    return text;
}

const char *text_of_code(uint16_t code)
{
    const struct otter_error *error = otter_error_find(code);

    return error != NULL ? error->text : "Unknown code";
}

const char *remedy_of_code(uint16_t code)
{
    const struct otter_error *error = otter_error_find(code);

    return error != NULL ? error->remedy : "Use a newer otter to read it";
}

const char *hex_of(const uint8_t *bytes, size_t size, char *text)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15U];
    }
    text[2 * size] = '\0';
    return text;
}
