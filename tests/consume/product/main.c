/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program of a foreign project. On a port of its own, flash in RAM, it writes the
 * table of its map as a factory would, opens the device, and prints what otter found:
 * the map of custom_memory_map.h. Then it parses the packages that it is given and
 * prints their code, and what is in them. Exit status 1 if the device does not open.
 */
#include "otter/memory_map.h"
#include "otter/otter.h"

#include <stdio.h>
#include <string.h>

_Static_assert(OTTER_MEMBERS_MAX == 4, "product_config.h is not read");
_Static_assert(OTTER_EVENTS == 4, "product_config.h is not read");
_Static_assert(sizeof(((struct otter_events *)0)->ring) ==
                   OTTER_EVENTS * sizeof(struct otter_event),
               "the sizes of the headers are not those of product_config.h");
_Static_assert(OTTER_TABLE_ADDR == 0x08002000u, "custom_memory_map.h is not read");

enum { FLASH_SIZE = 0x10000, SECTOR_SIZE = 0x400, PACKAGE_MAX = 4096 };

static uint8_t memory[FLASH_SIZE];

/* --- the port --- */

static const struct otter_flash_area areas[] = {
    {
        .addr = OTTER_BOOT_ADDR,
        .sector_size = SECTOR_SIZE,
        .sector_count = FLASH_SIZE / SECTOR_SIZE,
        .word_size = 4,
        .page_size = 128,
        .erased = 0xFF,
    },
};

static enum otter_result flash_read(void *context, uint32_t addr, void *data,
                                    size_t size)
{
    const uint8_t *bytes = context;

    memcpy(data, bytes + (addr - OTTER_BOOT_ADDR), size);
    return OTTER_OK;
}

static enum otter_result flash_program(void *context, uint32_t addr, const void *data,
                                       size_t size)
{
    uint8_t *bytes = context;

    memcpy(bytes + (addr - OTTER_BOOT_ADDR), data, size);
    return OTTER_OK;
}

static enum otter_result flash_erase(void *context, uint32_t addr)
{
    uint8_t *bytes = context;

    memset(bytes + (addr - OTTER_BOOT_ADDR), 0xFF, SECTOR_SIZE);
    return OTTER_OK;
}

/* This program verifies nothing: it has no crypto. */
static void sha256_init(void *context, struct otter_sha256 *sha)
{
    (void)context;
    memset(sha, 0, sizeof(*sha));
}

static void sha256_update(void *context, struct otter_sha256 *sha, const void *data,
                          size_t size)
{
    (void)context;
    (void)sha;
    (void)data;
    (void)size;
}

static void sha256_final(void *context, struct otter_sha256 *sha,
                         uint8_t digest[OTTER_SHA256_SIZE])
{
    (void)context;
    (void)sha;
    memset(digest, 0, OTTER_SHA256_SIZE);
}

static uint32_t time_ms(void *context)
{
    (void)context;
    return 0;
}

static void feed(void *context)
{
    (void)context;
}

static const struct otter_flash flash = {
    .context = memory,
    .areas = areas,
    .area_count = 1,
    .read = flash_read,
    .program = flash_program,
    .erase = flash_erase,
};
static const struct otter_board board = {.time_ms = time_ms, .watchdog_feed = feed};
static const struct otter_crypto crypto = {
    .sha256_init = sha256_init,
    .sha256_update = sha256_update,
    .sha256_final = sha256_final,
};
static const struct otter_ports ports = {
    .flash = &flash,
    .board = &board,
    .crypto = &crypto,
    .table_addr = OTTER_TABLE_ADDR,
    .table_size = OTTER_TABLE_SIZE,
};

/* --- what it does --- */

static void print_code(enum otter_result result)
{
    uint16_t code = otter_code(result);

    printf("%02u-%02u", code >> 8, code & 0xFFU);
}

static enum otter_result write_table(void)
{
    static const struct otter_table table = {
        .sequence = 1, .target = 7, .map = OTTER_MEMORY_MAP};
    uint8_t bytes[OTTER_TABLE_MAX];
    size_t length = 0;
    enum otter_result result =
        otter_table_encode(&table, bytes, sizeof(bytes), &length);

    memset(memory, 0xFF, sizeof(memory));
    memcpy(memory + (OTTER_TABLE_ADDR - OTTER_BOOT_ADDR), bytes, length);
    return result;
}

static enum otter_result open_device(void)
{
    static struct otter_device device;
    enum otter_result result = write_table();

    if (result == OTTER_OK) {
        result = otter_device_open(&device, &ports, OTTER_PROGRAM_BOOT);
    }
    printf("device ");
    print_code(result);
    const struct otter_region *application =
        otter_map_find(&device.table.map, OTTER_REGION_APPLICATION);

    if (application != NULL) {
        printf(" application 0x%08x+0x%x", (unsigned)application->addr,
               (unsigned)application->size);
    }
    printf("\n");
    return result;
}

static enum otter_result package_read(const void *context, uint32_t off, void *data,
                                      size_t len)
{
    memcpy(data, (const uint8_t *)context + off, len);
    return OTTER_OK;
}

static void parse(const char *path)
{
    static uint8_t bytes[PACKAGE_MAX];
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        perror(path);
        return;
    }
    size_t size = fread(bytes, 1, sizeof(bytes), file);

    (void)fclose(file);
    if (size < OTTER_IMAGE_HEADER_SIZE) {
        printf("package too short\n");
        return;
    }
    struct otter_source source = {
        .context = bytes + OTTER_IMAGE_HEADER_SIZE,
        .size = (uint32_t)size - OTTER_IMAGE_HEADER_SIZE,
        .read = package_read,
    };
    struct otter_control control = {0};
    enum otter_result result = otter_control_open(&source, &control);

    printf("package ");
    print_code(result);
    if (result == OTTER_OK) {
        printf(" version %u.%u.%u+%u counter %u members %u signatures %u",
               control.version.major, control.version.minor, control.version.revision,
               (unsigned)control.version.build, (unsigned)control.counter,
               control.member_count, control.signature_count);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    enum otter_result result = open_device();

    for (int i = 1; i < argc; i++) {
        parse(argv[i]);
    }
    return result == OTTER_OK ? 0 : 1;
}
