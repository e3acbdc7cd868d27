/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMP group 0, OS: echo, reset, buffer sizes, and what stock clients ask to find out
 * how updates work here. docs/SPEC.md, "SMP door".
 */
#include "smp_inner.h"

/* mcumgr's bootloader modes. A device with two slots behaves like direct-XIP with
 * revert; one with a saved copy like a swap without scratch: in both the client
 * uploads, asks for a test and resets, and an unconfirmed system goes back. */
enum { MODE_SWAP_WITHOUT_SCRATCH = 3, MODE_DIRECT_XIP_REVERT = 5 };

static const struct otter_cbor_field echo_fields[] = {
    {"d", 1u << OTTER_CBOR_TEXT, true},
};

static enum otter_result answer_echo(struct otter_smp *smp, struct otter_cbor_map *map)
{
    otter_cbor_key(map, "r");
    otter_cbor_put_text_of(map->writer, smp->items[0].bytes, smp->items[0].len);
    return OTTER_OK;
}

static enum otter_result act_reset(struct otter_smp *smp)
{
    smp->wish = OTTER_WISH_RESET;
    return OTTER_OK;
}

static enum otter_result answer_parameters(struct otter_smp *smp,
                                           struct otter_cbor_map *map)
{
    otter_cbor_add_uint(map, "buf_size", sizeof(smp->request));
    otter_cbor_add_uint(map, "buf_count", 1);
    return OTTER_OK;
}

static const struct otter_cbor_field bootloader_fields[] = {
    {"query", 1u << OTTER_CBOR_TEXT, false},
};

static bool is_mode_query(const struct otter_cbor_item *item)
{
    static const char mode[] = {'m', 'o', 'd', 'e'};

    if (item->len != sizeof(mode)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(mode); i++) {
        if (item->bytes[i] != (uint8_t)mode[i]) {
            return false;
        }
    }
    return true;
}

static enum otter_result act_bootloader(struct otter_smp *smp)
{
    if (smp_has(smp, 0) && !is_mode_query(&smp->items[0])) {
        return OTTER_E_SMP_COMMAND;
    }
    return OTTER_OK;
}

static enum otter_result answer_bootloader(struct otter_smp *smp,
                                           struct otter_cbor_map *map)
{
    if (!smp_has(smp, 0)) {
        otter_cbor_add_text(map, "bootloader", "MCUboot");
        return OTTER_OK;
    }
    otter_cbor_add_uint(map, "mode",
                        otter_device_is_ab(smp->device) ? MODE_DIRECT_XIP_REVERT
                                                        : MODE_SWAP_WITHOUT_SCRATCH);
    return OTTER_OK;
}

static const struct otter_smp_command commands[] = {
    {OTTER_SMP_GROUP_OS, SMP_OS_ECHO, OTTER_SMP_READ, SMP_NEEDS_NOTHING, 1, echo_fields,
     NULL, answer_echo},
    {OTTER_SMP_GROUP_OS, SMP_OS_ECHO, OTTER_SMP_WRITE, SMP_NEEDS_NOTHING, 1,
     echo_fields, NULL, answer_echo},
    {OTTER_SMP_GROUP_OS, SMP_OS_RESET, OTTER_SMP_WRITE, OTTER_COMMAND_RESET, 0, NULL,
     act_reset, NULL},
    {OTTER_SMP_GROUP_OS, SMP_OS_PARAMETERS, OTTER_SMP_READ, SMP_NEEDS_NOTHING, 0, NULL,
     NULL, answer_parameters},
    {OTTER_SMP_GROUP_OS, SMP_OS_BOOTLOADER, OTTER_SMP_READ, SMP_NEEDS_NOTHING, 1,
     bootloader_fields, act_bootloader, answer_bootloader},
};

const struct smp_commands smp_os_commands = {commands,
                                             sizeof(commands) / sizeof(commands[0])};
