/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flash table as bytes: docs/SPEC.md, "Flash table".
 */
#include "otter/table.h"

#include "otter/bytes.h"
#include "otter/crc32.h"

#include <string.h>

enum {
    TABLE_MAGIC = 0x5446544F, /* "OTFT" */
    TABLE_VERSION = 1,

    OFF_MAGIC = 0,
    OFF_VERSION = 4,
    OFF_LENGTH = 6,
    OFF_SEQUENCE = 8,
    OFF_CRC = 12,
    OFF_CONTENT = OTTER_TABLE_CONTENT_OFF,
    OFF_TARGET = 16,
    OFF_HARDWARE = 20,
    OFF_REGIONS = 22,
    OFF_KEYS = 23,
    OFF_DEADLINE = 24,
    OFF_FAULTS = 26,
    OFF_POWERS = 27,
    OFF_MANAGER_WAIT = 28,
    OFF_WATCHDOG = 30,
    OFF_PERMISSIONS = 32,
    OFF_RAM_ADDR = 48,
    OFF_RAM_SIZE = 52,
    OFF_BOOT_VERSION = 56,
    OFF_MANAGER_VERSION = 58,
    OFF_EXTENSIONS = 60, /* size of the extensions after the keys */
    OFF_RESERVED = 62,   /* 18 bytes */

    REGION_SIZE = 16,
    KEY_SIZE = OTTER_KEY_ID_SIZE + OTTER_P256_KEY_SIZE,
    EXTENSION_CRITICAL = 0x8000,
    EXTENSION_HEAD = 4,
    EXTENSION_SAVED = 1, /* saved copies of encrypted systems: one byte */
};

_Static_assert(OFF_RESERVED + 18 == OTTER_TABLE_HEAD_SIZE,
               "the head's size is part of the format");

static bool is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static uint32_t table_crc(const uint8_t *bytes, size_t length)
{
    uint32_t crc = otter_crc32(0, bytes, OFF_CRC);

    return otter_crc32(crc, bytes + OFF_CONTENT, length - OFF_CONTENT);
}

static bool is_known(uint16_t type, size_t len)
{
    return (type & (uint16_t)~EXTENSION_CRITICAL) == EXTENSION_SAVED && len == 1;
}

/* Extensions are {type (2), length (2), bytes}; a critical one that is not known makes
 * the table one for a newer program. */
static enum otter_result check_extensions(const uint8_t *bytes, size_t size)
{
    size_t off = 0;

    while (size - off >= 4) {
        size_t len = otter_load_le16(bytes + off + 2);

        if (len > size - off - 4) {
            return OTTER_E_TABLE_FORM;
        }
        uint16_t type = otter_load_le16(bytes + off);

        if ((type & EXTENSION_CRITICAL) != 0 && !is_known(type, len)) {
            return OTTER_E_TABLE_VERSION;
        }
        off += EXTENSION_HEAD + len;
    }
    return off == size ? OTTER_OK : OTTER_E_TABLE_FORM;
}

/* Their form has been checked. A value of newer programs is the safe one. */
static void decode_extensions(const uint8_t *bytes, size_t size,
                              struct otter_policy *policy)
{
    for (size_t off = 0; off < size;) {
        size_t len = otter_load_le16(bytes + off + 2);
        uint8_t value = len == 1 ? bytes[off + EXTENSION_HEAD] : 0;

        if (is_known(otter_load_le16(bytes + off), len)) {
            policy->saved_copies =
                value > OTTER_SAVED_CLEAR ? OTTER_SAVED_NEVER : value;
        }
        off += EXTENSION_HEAD + len;
    }
}

static bool has_plain_regions(const uint8_t *regions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_zero(regions + i * REGION_SIZE + 2, 2)) { /* reserved */
            return false;
        }
    }
    return true;
}

static enum otter_result check_form(const uint8_t *bytes, size_t size)
{
    if (size < OTTER_TABLE_HEAD_SIZE ||
        otter_load_le32(bytes + OFF_MAGIC) != TABLE_MAGIC) {
        return OTTER_E_TABLE_FORM;
    }
    size_t length = otter_load_le16(bytes + OFF_LENGTH);

    if (length < OTTER_TABLE_HEAD_SIZE || length > size || length > OTTER_TABLE_MAX ||
        otter_load_le32(bytes + OFF_CRC) != table_crc(bytes, length)) {
        return OTTER_E_TABLE_FORM;
    }
    if (otter_load_le16(bytes + OFF_VERSION) != TABLE_VERSION) {
        return OTTER_E_TABLE_VERSION;
    }
    size_t extensions = otter_load_le16(bytes + OFF_EXTENSIONS);
    size_t wanted = OTTER_TABLE_HEAD_SIZE + (size_t)bytes[OFF_REGIONS] * REGION_SIZE +
                    (size_t)bytes[OFF_KEYS] * KEY_SIZE + extensions;

    if (wanted != length || bytes[OFF_REGIONS] > OTTER_REGIONS_MAX ||
        bytes[OFF_KEYS] > OTTER_KEYS_MAX || !is_zero(bytes + OFF_RESERVED, 18) ||
        !has_plain_regions(bytes + OTTER_TABLE_HEAD_SIZE, bytes[OFF_REGIONS])) {
        return OTTER_E_TABLE_FORM;
    }
    return check_extensions(bytes + length - extensions, extensions);
}

static void decode_head(const uint8_t *bytes, struct otter_table *table)
{
    struct otter_policy *policy = &table->policy;

    table->length = otter_load_le16(bytes + OFF_LENGTH);
    table->sequence = otter_load_le32(bytes + OFF_SEQUENCE);
    table->target = otter_load_le32(bytes + OFF_TARGET);
    table->hardware = otter_load_le16(bytes + OFF_HARDWARE);
    table->map.count = bytes[OFF_REGIONS];
    table->key_count = bytes[OFF_KEYS];
    table->boot_version = otter_load_le16(bytes + OFF_BOOT_VERSION);
    table->manager_version = otter_load_le16(bytes + OFF_MANAGER_VERSION);
    policy->trial_deadline_s = otter_load_le16(bytes + OFF_DEADLINE);
    policy->trial_faults = bytes[OFF_FAULTS];
    policy->trial_powers = bytes[OFF_POWERS];
    policy->manager_wait_s = otter_load_le16(bytes + OFF_MANAGER_WAIT);
    policy->watchdog_s = otter_load_le16(bytes + OFF_WATCHDOG);
    memcpy(policy->permissions, bytes + OFF_PERMISSIONS, sizeof(policy->permissions));
    policy->ram_addr = otter_load_le32(bytes + OFF_RAM_ADDR);
    policy->ram_size = otter_load_le32(bytes + OFF_RAM_SIZE);
}

static void decode_region(const uint8_t *bytes, struct otter_region *region)
{
    region->id = bytes[0];
    region->flags = bytes[1];
    region->addr = otter_load_le32(bytes + 4);
    region->size = otter_load_le32(bytes + 8);
    region->exec = otter_load_le32(bytes + 12);
}

enum otter_result otter_table_decode(const uint8_t *bytes, size_t size,
                                     struct otter_table *table)
{
    enum otter_result result = check_form(bytes, size);

    if (result != OTTER_OK) {
        return result;
    }
    size_t extensions = otter_load_le16(bytes + OFF_EXTENSIONS);

    memset(table, 0, sizeof(*table));
    decode_head(bytes, table);
    bytes += OTTER_TABLE_HEAD_SIZE;
    for (uint8_t i = 0; i < table->map.count; i++, bytes += REGION_SIZE) {
        decode_region(bytes, &table->map.regions[i]);
    }
    for (uint8_t i = 0; i < table->key_count; i++, bytes += KEY_SIZE) {
        memcpy(table->keys[i].id, bytes, OTTER_KEY_ID_SIZE);
        memcpy(table->keys[i].point, bytes + OTTER_KEY_ID_SIZE, OTTER_P256_KEY_SIZE);
    }
    decode_extensions(bytes, extensions, &table->policy);
    return OTTER_OK;
}

static void encode_head(const struct otter_table *table, uint8_t *bytes)
{
    const struct otter_policy *policy = &table->policy;

    otter_store_le32(bytes + OFF_MAGIC, TABLE_MAGIC);
    otter_store_le16(bytes + OFF_VERSION, TABLE_VERSION);
    otter_store_le32(bytes + OFF_SEQUENCE, table->sequence);
    otter_store_le32(bytes + OFF_TARGET, table->target);
    otter_store_le16(bytes + OFF_HARDWARE, table->hardware);
    bytes[OFF_REGIONS] = table->map.count;
    bytes[OFF_KEYS] = table->key_count;
    otter_store_le16(bytes + OFF_BOOT_VERSION, table->boot_version);
    otter_store_le16(bytes + OFF_MANAGER_VERSION, table->manager_version);
    otter_store_le16(bytes + OFF_DEADLINE, policy->trial_deadline_s);
    bytes[OFF_FAULTS] = policy->trial_faults;
    bytes[OFF_POWERS] = policy->trial_powers;
    otter_store_le16(bytes + OFF_MANAGER_WAIT, policy->manager_wait_s);
    otter_store_le16(bytes + OFF_WATCHDOG, policy->watchdog_s);
    memcpy(bytes + OFF_PERMISSIONS, policy->permissions, sizeof(policy->permissions));
    otter_store_le32(bytes + OFF_RAM_ADDR, policy->ram_addr);
    otter_store_le32(bytes + OFF_RAM_SIZE, policy->ram_size);
}

static void encode_region(const struct otter_region *region, uint8_t *bytes)
{
    bytes[0] = region->id;
    bytes[1] = region->flags;
    otter_store_le32(bytes + 4, region->addr);
    otter_store_le32(bytes + 8, region->size);
    otter_store_le32(bytes + 12, region->exec);
}

/* What is not said takes no room: tables without it stay as they were. */
static size_t extensions_size(const struct otter_table *table)
{
    return table->policy.saved_copies == OTTER_SAVED_NEVER ? 0 : EXTENSION_HEAD + 1;
}

static void encode_extensions(const struct otter_table *table, uint8_t *bytes)
{
    if (extensions_size(table) > 0) {
        otter_store_le16(bytes, EXTENSION_SAVED);
        otter_store_le16(bytes + 2, 1);
        bytes[EXTENSION_HEAD] = table->policy.saved_copies;
    }
}

enum otter_result otter_table_encode(const struct otter_table *table, uint8_t *bytes,
                                     size_t capacity, size_t *length)
{
    size_t size = OTTER_TABLE_HEAD_SIZE + (size_t)table->map.count * REGION_SIZE +
                  (size_t)table->key_count * KEY_SIZE + extensions_size(table);

    if (table->map.count > OTTER_REGIONS_MAX || table->key_count > OTTER_KEYS_MAX ||
        size > capacity || size > OTTER_TABLE_MAX) {
        return OTTER_E_TABLE_FORM;
    }
    memset(bytes, 0, size);
    encode_head(table, bytes);
    otter_store_le16(bytes + OFF_LENGTH, (uint16_t)size);
    otter_store_le16(bytes + OFF_EXTENSIONS, (uint16_t)extensions_size(table));
    uint8_t *next = bytes + OTTER_TABLE_HEAD_SIZE;

    for (uint8_t i = 0; i < table->map.count; i++, next += REGION_SIZE) {
        encode_region(&table->map.regions[i], next);
    }
    for (uint8_t i = 0; i < table->key_count; i++, next += KEY_SIZE) {
        memcpy(next, table->keys[i].id, OTTER_KEY_ID_SIZE);
        memcpy(next + OTTER_KEY_ID_SIZE, table->keys[i].point, OTTER_P256_KEY_SIZE);
    }
    encode_extensions(table, next);
    otter_store_le32(bytes + OFF_CRC, table_crc(bytes, size));
    *length = size;
    return OTTER_OK;
}

void otter_table_wrap(uint8_t *bytes, size_t size, uint32_t sequence)
{
    size_t length = OFF_CONTENT + size;

    otter_store_le32(bytes + OFF_MAGIC, TABLE_MAGIC);
    otter_store_le16(bytes + OFF_VERSION, TABLE_VERSION);
    otter_store_le16(bytes + OFF_LENGTH, (uint16_t)length);
    otter_store_le32(bytes + OFF_SEQUENCE, sequence);
    otter_store_le32(bytes + OFF_CRC, table_crc(bytes, length));
}

uint32_t otter_table_place_off(uint32_t size, uint8_t place)
{
    return place * (size / OTTER_TABLE_PLACES);
}

uint8_t otter_table_place_at(uint32_t size, uint32_t off)
{
    return (uint8_t)(off / (size / OTTER_TABLE_PLACES));
}

static bool has_quarters(const struct otter_flash *flash, uint32_t addr, uint32_t size)
{
    for (uint8_t place = 1; place < (uint8_t)OTTER_TABLE_PLACES; place++) {
        uint32_t at = addr + otter_table_place_off(size, place);
        const struct otter_flash_area *area = otter_flash_area_at(flash, at);

        if (area == NULL || (at - area->addr) % area->sector_size != 0) {
            return false;
        }
    }
    return true;
}

bool otter_table_has_place(const struct otter_flash *flash, uint32_t addr,
                           uint32_t size, uint8_t place)
{
    return place < OTTER_TABLE_PLACES &&
           (place % 2 == 0 || has_quarters(flash, addr, size));
}

uint32_t otter_table_place_size(const struct otter_flash *flash, uint32_t addr,
                                uint32_t size)
{
    return has_quarters(flash, addr, size) ? size / OTTER_TABLE_PLACES : size / 2;
}

enum otter_result otter_table_read_place(const struct otter_flash *flash, uint32_t addr,
                                         uint32_t size, uint8_t place, uint8_t *bytes,
                                         size_t *length)
{
    uint32_t max = otter_table_place_size(flash, addr, size);
    uint32_t at = addr + otter_table_place_off(size, place);
    enum otter_result result =
        flash->read(flash->context, at, bytes, OTTER_TABLE_HEAD_SIZE);

    if (result != OTTER_OK) {
        return result;
    }
    /* Only what the table says it has: a read past it may meet words that are no
     * part of it and cannot be read. */
    *length = otter_load_le16(bytes + OFF_LENGTH);
    if (*length < OTTER_TABLE_HEAD_SIZE || *length > OTTER_TABLE_MAX || *length > max) {
        return OTTER_E_TABLE_FORM;
    }
    return flash->read(flash->context, at, bytes, *length);
}

/* What the places hold. */
struct survey {
    uint32_t sequences[OTTER_TABLE_PLACES];
    uint8_t valid; /* bits of places */
    bool has_other_version;
};

static enum otter_result decode_place(const struct otter_flash *flash, uint32_t addr,
                                      uint32_t size, uint8_t place, uint8_t *scratch,
                                      struct otter_table *table)
{
    size_t length = 0;
    enum otter_result result =
        otter_table_read_place(flash, addr, size, place, scratch, &length);

    return result != OTTER_OK ? result : otter_table_decode(scratch, length, table);
}

static void look(const struct otter_flash *flash, uint32_t addr, uint32_t size,
                 uint8_t *scratch, struct otter_table *table, struct survey *survey)
{
    memset(survey, 0, sizeof(*survey));
    for (uint8_t place = 0; place < (uint8_t)OTTER_TABLE_PLACES; place++) {
        if (!otter_table_has_place(flash, addr, size, place)) {
            continue;
        }
        enum otter_result result =
            decode_place(flash, addr, size, place, scratch, table);

        survey->has_other_version =
            survey->has_other_version || result == OTTER_E_TABLE_VERSION;
        if (result == OTTER_OK) {
            survey->sequences[place] = table->sequence;
            survey->valid |= (uint8_t)(1U << place);
        }
    }
}

/* A place with the highest sequence; OTTER_TABLE_PLACES: none is left. */
static uint8_t newest_of(const struct survey *survey)
{
    uint8_t newest = OTTER_TABLE_PLACES;

    for (uint8_t place = 0; place < (uint8_t)OTTER_TABLE_PLACES; place++) {
        if ((survey->valid >> place & 1U) != 0 &&
            (newest == OTTER_TABLE_PLACES ||
             survey->sequences[place] > survey->sequences[newest])) {
            newest = place;
        }
    }
    return newest;
}

/* Halves without a copy of that one. */
static uint8_t damage_of(const struct survey *survey, uint8_t newest)
{
    uint8_t halves = 0;

    for (uint8_t place = 0; place < (uint8_t)OTTER_TABLE_PLACES; place++) {
        if ((survey->valid >> place & 1U) != 0 &&
            survey->sequences[place] == survey->sequences[newest]) {
            halves |= (uint8_t)(1U << place / 2);
        }
    }
    return (uint8_t)(3U & ~halves);
}

enum otter_result otter_table_read(const struct otter_flash *flash, uint32_t addr,
                                   uint32_t size, uint8_t *scratch,
                                   struct otter_table *table, uint8_t *damaged)
{
    struct survey survey;

    look(flash, addr, size, scratch, table, &survey);
    for (uint8_t place = newest_of(&survey); place < (uint8_t)OTTER_TABLE_PLACES;
         place = newest_of(&survey)) {
        if (decode_place(flash, addr, size, place, scratch, table) == OTTER_OK) {
            *damaged = damage_of(&survey, place);
            return OTTER_OK;
        }
        /* It was whole a moment ago and is not any more: then another one is. */
        survey.valid &= (uint8_t) ~(1U << place);
    }
    *damaged = 3;
    return survey.has_other_version ? OTTER_E_TABLE_VERSION : OTTER_E_TABLE_LOST;
}
