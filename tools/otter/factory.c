/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter factory: the content of a new device as one file for a programmer, and a
 * listing of what lies where. docs/man/otter-factory.1.scd.
 *
 * Facts: Intel Hexadecimal Object File Format Specification, revision A (1988).
 */
#include "files.h"
#include "help.h"
#include "names.h"
#include "new_device.h"
#include "options.h"
#include "verbs.h"
#include "vflash.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEX_ROW = 16,      /* data bytes of a line */
    HEX_LINE_MAX = 48, /* characters of a line */
    BIN_MAX = 64 * 1024 * 1024,
    TEXT_START = 65536,
};

struct options {
    const char *output;
    const char *package_out;
    const char *keys_out;
    bool is_json;
    bool is_help;
};

const struct option factory_options[] = {
    NEW_DEVICE_OPTIONS,
    {"output", required_argument, NULL, 'o'},
    {"package-out", required_argument, NULL, 'p'},
    {"keys-out", required_argument, NULL, 'k'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int parse_options(int argc, char **argv, struct new_device *device,
                         struct options *options)
{
    struct option_walk walk = {
        .verb = "factory", .letters = "o:h", .options = factory_options};

    for (int name; (name = option_next(&walk, argc, argv)) != OPTION_END;) {
        int status = TOOL_DONE;

        if (name == OPTION_BAD) {
            status = TOOL_USAGE;
        } else if (name == 'o') {
            options->output = optarg;
        } else if (name == 'p') {
            options->package_out = optarg;
        } else if (name == 'k') {
            options->keys_out = optarg;
        } else if (name == 'j') {
            options->is_json = true;
        } else if (name == 'h') {
            options->is_help = true;
        } else {
            status = new_device_take(device, name, optarg);
        }
        if (status != TOOL_DONE) {
            return status;
        }
    }
    if (!options->is_help && (argc != optind || options->output == NULL)) {
        (void)help_usage("factory");
        return TOOL_USAGE;
    }
    if (!options->is_help &&
        (device->keys.store.count > 0) != (options->keys_out != NULL)) {
        return complain_usage(
            "--device-key and --keys-out belong together: keys are no "
            "part of the flash content");
    }
    return TOOL_DONE;
}

/* What goes where only the crypto port of the new device can read it. */
static int write_keys(const struct new_device *device, const char *path)
{
    uint8_t file[HOST_KEYS_SIZE_MAX];
    size_t size = host_keys_encode(&device->keys.store, file);
    int status = file_write_secret(path, file, size);

    OPENSSL_cleanse(file, sizeof(file));
    return status;
}

/* --- what is used --- */

static bool is_used(const struct vflash *flash, uint32_t addr, uint32_t size)
{
    uint8_t erased = otter_flash_area_at(
                         &(struct otter_flash){.areas = flash->config.areas,
                                               .area_count = flash->config.area_count},
                         addr)
                         ->erased;
    const uint8_t *bytes = vflash_peek(flash, addr, size);

    for (uint32_t i = 0; i < size; i++) {
        if (bytes[i] != erased) {
            return true;
        }
    }
    return false;
}

/* Bytes from a region's start to its last used row. */
static uint32_t used_size(const struct vflash *flash, const struct otter_region *region)
{
    if (region->id == OTTER_REGION_LOADER) {
        return 0; /* RAM */
    }
    for (uint32_t size = region->size; size >= HEX_ROW; size -= HEX_ROW) {
        if (is_used(flash, region->addr + size - HEX_ROW, HEX_ROW)) {
            return size;
        }
    }
    return 0;
}

/* --- Intel HEX --- */

static bool put_text(struct bytes *text, size_t *room, const char *line)
{
    size_t len = strlen(line);

    if (text->size + len > *room) {
        uint8_t *grown = realloc(text->data, *room * 2);

        if (grown == NULL) {
            return false;
        }
        text->data = grown;
        *room *= 2;
    }
    memcpy(text->data + text->size, line, len);
    text->size += len;
    return true;
}

/* One record: ":" count, address, type, data, checksum (two's complement of the sum).
 */
static void format_record(uint8_t type, uint16_t addr, const uint8_t *data, size_t size,
                          char line[HEX_LINE_MAX])
{
    uint8_t sum = (uint8_t)(size + type + (addr >> 8) + (addr & 0xFFU));
    int at = snprintf(line, HEX_LINE_MAX, ":%02X%04X%02X", (unsigned)size, addr, type);

    for (size_t i = 0; i < size; i++) {
        sum = (uint8_t)(sum + data[i]);
        at += snprintf(line + at, (size_t)(HEX_LINE_MAX - at), "%02X", data[i]);
    }
    (void)snprintf(line + at, (size_t)(HEX_LINE_MAX - at), "%02X\n",
                   (unsigned)(-sum) & 0xFFU);
}

static bool put_area(const struct vflash *flash, const struct otter_flash_area *area,
                     struct bytes *text, size_t *room)
{
    uint32_t size = area->sector_size * area->sector_count;
    uint32_t upper = UINT32_MAX;
    char line[HEX_LINE_MAX];

    for (uint32_t off = 0; off < size; off += HEX_ROW) {
        uint32_t addr = area->addr + off;

        if (!is_used(flash, addr, HEX_ROW)) {
            continue;
        }
        if (addr >> 16 != upper) {
            upper = addr >> 16;
            const uint8_t bytes[2] = {(uint8_t)(upper >> 8), (uint8_t)upper};

            format_record(4, 0, bytes, sizeof(bytes), line);
            if (!put_text(text, room, line)) {
                return false;
            }
        }
        format_record(0, (uint16_t)addr, vflash_peek(flash, addr, HEX_ROW), HEX_ROW,
                      line);
        if (!put_text(text, room, line)) {
            return false;
        }
    }
    return true;
}

static int write_hex(const char *path, const struct vflash *flash)
{
    size_t room = TEXT_START;
    struct bytes text = {.data = malloc(room)};
    bool is_done = text.data != NULL;

    for (size_t i = 0; is_done && i < flash->config.area_count; i++) {
        is_done = put_area(flash, &flash->config.areas[i], &text, &room);
    }
    is_done = is_done && put_text(&text, &room, ":00000001FF\n");
    int status =
        is_done ? file_write(path, text.data, text.size) : complain("out of memory");

    bytes_free(&text);
    return status;
}

/* --- one binary --- */

static int write_bin(const char *path, const struct vflash *flash,
                     const struct otter_map *map)
{
    uint32_t first = UINT32_MAX;
    uint32_t end = 0;

    for (uint8_t i = 0; i < map->count; i++) {
        const struct otter_region *region = &map->regions[i];
        uint32_t used = used_size(flash, region);

        if (used != 0) {
            first = region->addr < first ? region->addr : first;
            end = region->addr + used > end ? region->addr + used : end;
        }
    }
    if (end - first > BIN_MAX) {
        return complain("%s: the content spreads over 0x%08X-0x%08X; write a .hex file",
                        path, first, end - 1);
    }
    uint8_t *content = malloc(end - first);

    if (content == NULL) {
        return complain("out of memory");
    }
    memset(content, flash->config.areas[0].erased, end - first);
    for (uint8_t i = 0; i < map->count; i++) {
        const struct otter_region *region = &map->regions[i];
        uint32_t used = used_size(flash, region);

        if (used != 0) {
            memcpy(content + (region->addr - first),
                   vflash_peek(flash, region->addr, used), used);
        }
    }
    int status = file_write(path, content, end - first);

    free(content);
    return status;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);

    return len > end_len && strcmp(text + len - end_len, end) == 0;
}

static int write_output(const char *path, const struct vflash *flash,
                        const struct otter_map *map)
{
    if (ends_with(path, ".hex")) {
        return write_hex(path, flash);
    }
    if (ends_with(path, ".bin")) {
        return write_bin(path, flash, map);
    }
    return complain_usage("-o takes a name that ends in .hex or .bin, not \"%s\"",
                          path);
}

/* --- the listing --- */

static json_t *list_regions(const struct vflash *flash, const struct otter_map *map)
{
    json_t *regions = json_array();

    for (uint8_t i = 0; i < map->count; i++) {
        const struct otter_region *region = &map->regions[i];

        (void)json_array_append_new(
            regions,
            json_pack("{s:s, s:i, s:I, s:I, s:I, s:I}", "name",
                      name_of_region(region->id), "id", region->id, "addr",
                      (json_int_t)region->addr, "size", (json_int_t)region->size,
                      "exec", (json_int_t)region->exec, "used",
                      (json_int_t)used_size(flash, region)));
    }
    return regions;
}

static json_t *list_codings(uint32_t codings)
{
    json_t *names = json_array();

    for (uint8_t coding = 0; coding < 32; coding++) {
        if ((codings >> coding & 1U) != 0) {
            (void)json_array_append_new(names, json_string(name_of_coding(coding)));
        }
    }
    return names;
}

static void print_json(const struct new_device *device, const struct vflash *flash)
{
    char version[NAME_VERSION_SIZE];
    json_t *listing = json_pack(
        "{s:s, s:I, s:i, s:s, s:I, s:o, s:{s:I, s:I}, s:o, s:I}", "profile",
        device->profile->name, "target", (json_int_t)device->target, "hardware",
        device->hardware, "version", name_of_version(&device->version, version),
        "counter", (json_int_t)device->counter, "regions",
        list_regions(flash, &device->profile->map), "ram", "addr",
        (json_int_t)device->policy.ram_addr, "size",
        (json_int_t)device->policy.ram_size, "codings",
        list_codings(device->profile->codings), "coding_memory",
        (json_int_t)device->profile->coding_memory);

    (void)json_dumpf(listing, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)printf("\n");
    json_decref(listing);
}

static void print_text_listing(const struct new_device *device,
                               const struct vflash *flash)
{
    const struct otter_map *map = &device->profile->map;

    (void)printf("%-12s %-10s  %-10s  %-10s  %s\n", "region", "address", "size", "exec",
                 "used");
    for (uint8_t i = 0; i < map->count; i++) {
        const struct otter_region *region = &map->regions[i];

        (void)printf("%-12s 0x%08X  0x%08X  0x%08X  %u\n", name_of_region(region->id),
                     region->addr, region->size, region->exec,
                     used_size(flash, region));
    }
}

static int write_all(const struct new_device *device, const struct options *options)
{
    const struct vflash_config config = {
        .areas = device->profile->areas,
        .area_count = device->profile->area_count,
    };
    struct vflash flash;
    struct otter_flash port;

    if (vflash_create(&flash, &config) != OTTER_OK) {
        return complain("the profile's flash cannot be made");
    }
    vflash_port(&flash, &port);
    vflash_power_on(&flash, (struct vflash_fault){.kind = VFLASH_NONE});
    int status = new_device_write(device, &port);

    if (status == TOOL_DONE) {
        status = write_output(options->output, &flash, &device->profile->map);
    }
    if (status == TOOL_DONE && options->package_out != NULL) {
        status =
            file_write(options->package_out, device->package, device->package_size);
    }
    if (status == TOOL_DONE && options->keys_out != NULL) {
        status = write_keys(device, options->keys_out);
    }
    if (status == TOOL_DONE && options->is_json) {
        print_json(device, &flash);
    } else if (status == TOOL_DONE) {
        print_text_listing(device, &flash);
    }
    vflash_destroy(&flash);
    return status;
}

int verb_factory(int argc, char **argv)
{
    struct options options = {0};
    struct new_device device;

    new_device_init(&device);
    int status = parse_options(argc, argv, &device, &options);

    if (status == TOOL_DONE && options.is_help) {
        return help_print("factory");
    }
    if (status == TOOL_DONE) {
        status = new_device_make(&device);
    }
    if (status == TOOL_DONE) {
        status = write_all(&device, &options);
    }
    new_device_free(&device);
    return status;
}
