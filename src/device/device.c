/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a device: table, map, journal, and which regions the running program may
 * write. Writes nothing itself.
 */
#include "otter/device.h"

#include <string.h>

bool otter_device_is_ab(const struct otter_device *device)
{
    return otter_map_find(&device->table.map, OTTER_REGION_SLOT_B) != NULL;
}

bool otter_device_is_on_card(const struct otter_device *device)
{
    return otter_map_is_on_card(&device->table.map);
}

bool otter_device_is_manager(const struct otter_device *device)
{
    return device->program == OTTER_PROGRAM_MANAGER ||
           device->program == OTTER_PROGRAM_LOADER;
}

static uint8_t slot_region(const struct otter_device *device, uint8_t slot)
{
    return otter_device_is_ab(device) && slot == 1 ? OTTER_REGION_SLOT_B
                                                   : OTTER_REGION_APPLICATION;
}

uint8_t otter_device_free_slot(const struct otter_device *device)
{
    return slot_region(device, (uint8_t)(1 - device->journal.state.current));
}

uint8_t otter_system_region(const struct otter_device *device, uint8_t slot,
                            uint8_t role)
{
    switch (role) {
    case OTTER_ROLE_FIRMWARE:
        return slot_region(device, slot);
    case OTTER_ROLE_MANAGER:
        return OTTER_REGION_MANAGER;
    case OTTER_ROLE_TABLE:
        return OTTER_REGION_TABLE;
    case OTTER_ROLE_LOADER:
        return OTTER_REGION_LOADER;
    case OTTER_ROLE_RESOURCES:
        return OTTER_REGION_RESOURCES;
    case OTTER_ROLE_FONT:
        return OTTER_REGION_FONT;
    default:
        return OTTER_REGION_NONE;
    }
}

/* A slot that is neither running nor a way back. */
static bool has_free_slot(const struct otter_device *device)
{
    return otter_device_is_ab(device) &&
           device->journal.state.phase != OTTER_PHASE_TRIAL &&
           device->journal.state.phase != OTTER_PHASE_ROLLING_BACK;
}

/* Boot could not write the journal: which system it runs, and why, the agent can only
 * guess (K23). */
static bool is_guessing(const struct otter_device *device)
{
    return device->program == OTTER_PROGRAM_AGENT && device->journal.is_lost;
}

void otter_device_open_regions(struct otter_device *device)
{
    struct otter_io *io = &device->io;

    io->open_regions = 0;
    if (is_guessing(device)) {
        return;
    }
    otter_io_open(io, OTTER_REGION_JOURNAL);
    if (device->program == OTTER_PROGRAM_BOOT) {
        return; /* a roll back opens the application itself */
    }
    otter_io_open(io, OTTER_REGION_RECEIPTS);
    otter_io_open(io, OTTER_REGION_STAGING);
    if (has_free_slot(device)) {
        otter_io_open(io, otter_device_free_slot(device));
    }
    if ((device->journal.state.flags & OTTER_FLAG_NEW_TABLE) != 0) {
        otter_io_open(io, OTTER_REGION_TABLE);
    }
    if (device->program == OTTER_PROGRAM_AGENT) {
        return;
    }
    otter_io_open(io, OTTER_REGION_TABLE);
    otter_io_open(io, OTTER_REGION_RESOURCES);
    otter_io_open(io, OTTER_REGION_FONT);
    if (!otter_device_is_ab(device)) {
        otter_io_open(io, OTTER_REGION_APPLICATION);
    }
}

enum otter_result otter_device_store_is_free(const struct otter_device *device)
{
    const struct otter_state *state = &device->journal.state;
    bool is_locked = otter_phase_locks_store(state->phase);

    if (otter_state_has_unknown(state)) {
        return OTTER_E_JOURNAL_CRITICAL;
    }
    if (is_guessing(device) || (device->journal.is_lost && is_locked)) {
        return OTTER_E_JOURNAL_SECTORS;
    }
    return is_locked ? OTTER_E_LOCKED : OTTER_OK;
}

/* The hash of the table's content, as receipts name it. `bytes` is the valid copy. */
static void hash_table(struct otter_device *device, const uint8_t *bytes)
{
    const struct otter_crypto *crypto = device->ports.crypto;
    struct otter_sha256 sha;

    crypto->sha256_init(crypto->context, &sha);
    crypto->sha256_update(crypto->context, &sha, bytes + OTTER_TABLE_CONTENT_OFF,
                          (size_t)device->table.length - OTTER_TABLE_CONTENT_OFF);
    crypto->sha256_final(crypto->context, &sha, device->table_sha);
}

/* A function of its own, so that its kilobyte of stack is gone before anything else
 * runs. */
static enum otter_result read_table(struct otter_device *device)
{
    uint8_t bytes[OTTER_TABLE_MAX];
    enum otter_result result = otter_table_read(
        device->ports.flash, device->ports.table_addr, device->ports.table_size, bytes,
        &device->table, &device->table_damaged);

    if (result == OTTER_OK) {
        hash_table(device, bytes);
    }
    return result;
}

enum otter_result otter_device_open(struct otter_device *device,
                                    const struct otter_ports *ports,
                                    enum otter_program program)
{
    memset(device, 0, sizeof(*device));
    device->ports = *ports;
    device->program = (uint8_t)program;
    enum otter_result result = read_table(device);

    if (result != OTTER_OK) {
        return result;
    }
    result = otter_map_check(&device->table.map, ports->flash);
    if (result != OTTER_OK) {
        return result;
    }
    otter_io_init(&device->io, ports->flash, &device->table.map);
    otter_journal_open(&device->journal, &device->io, (uint8_t)program);
    (void)otter_device_choose_table(device);
    otter_device_open_regions(device);
    otter_device_event(device, OTTER_EVENT_STARTED, (uint8_t)program, 0, 0);
    return OTTER_OK;
}

void otter_device_event(struct otter_device *device, uint8_t kind, uint8_t stage,
                        uint8_t percent, uint16_t code)
{
    const struct otter_board *board = device->ports.board;
    struct otter_event event = {
        .time_ms = board->time_ms(board->context),
        .kind = kind,
        .stage = stage,
        .percent = percent,
        .code = code,
    };

    otter_events_add(&device->events, &event);
}

enum otter_result otter_device_record(struct otter_device *device,
                                      const struct otter_state *state,
                                      enum otter_firmness firmness)
{
    const struct otter_board *board = device->ports.board;
    enum otter_result result = otter_journal_put(&device->journal, state, firmness);

    while (result == OTTER_OK && otter_journal_is_busy(&device->journal)) {
        board->watchdog_feed(board->context);
        result = otter_journal_step(&device->journal);
    }
    return result;
}

bool otter_device_permits(const struct otter_device *device, enum otter_command command)
{
    uint8_t permission = device->table.policy.permissions[command];

    /* Only the application can know that it works. */
    if (command == OTTER_COMMAND_CONFIRM && device->program != OTTER_PROGRAM_AGENT) {
        return false;
    }

    return permission == OTTER_OPEN ||
           (permission == OTTER_ONLY_MANAGER && otter_device_is_manager(device));
}
