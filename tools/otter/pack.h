/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of `otter pack`: members from image files, the device's map that they are
 * checked against, and what a previous package leaves to be kept. Functions print what
 * went wrong to stderr and return the tool's exit status.
 */
#ifndef OTTER_TOOL_PACK_H
#define OTTER_TOOL_PACK_H

#include "files.h"
#include "image.h"
#include "otter/map.h"
#include "package_write.h"

#include <stdbool.h>

/* The map that `otter factory --json` prints: regions, the RAM for stacks, and what the
 * device's manager decodes. */
struct pack_map {
    struct otter_region regions[OTTER_REGIONS_MAX];
    uint8_t count;
    uint32_t ram_addr;
    uint32_t ram_size;
    bool has_codings;
    uint32_t codings; /* bit i: enum otter_coding i */
    uint32_t coding_memory;
};

int pack_map_read(const char *path, struct pack_map *map);

/* The region of that id, or NULL. */
const struct otter_region *pack_map_find(const struct pack_map *map, uint8_t id);

/* What is known about the codings of the device that a package is for. */
struct pack_target {
    bool is_known;
    bool is_ab;
    uint32_t codings; /* bit i: enum otter_coding i */
    uint32_t memory;  /* bytes of RAM to decode in */
};

enum { PACK_CODING_COUNT = 3, PACK_CODING_AUTO = 255 };

/* A member as the command line gives it. */
struct pack_member {
    uint8_t role;
    uint8_t region;   /* 0: the role's own */
    uint16_t version; /* of the program */
    const char *path;
    const char *place; /* in a recipe, for complaints; or NULL */
    const char *root;  /* of a tree of files: its folder on the card; or NULL */
    bool has_only, has_rebase, has_link;
    bool has_encrypt; /* it says whether it is to be encrypted: */
    bool is_encrypted;
    uint8_t in_place; /* 0, or flags: OTTER_MEMBER_IN_PLACE, also with _COMPATIBLE */
    struct image_range only;
    uint32_t rebase;
    uint32_t link_addr;
    bool has_coding;
    uint8_t coding;    /* wanted: enum otter_coding or PACK_CODING_AUTO */
    struct bytes data; /* after pack_member_load() */

    /* After pack_member_code(). */
    uint8_t made;        /* enum otter_coding */
    struct bytes stored; /* empty if raw */
    uint32_t memory;
};

/* Region that a role has of its own; 0 if it has none. */
uint8_t pack_region_of(uint8_t role, uint8_t region);

/* Reads "ROLE=FILE[,region=ID][,link=ADDR][,only=RANGE][,rebase=ADDR][,coding=NAME]"
 * and so on, or "resources=FOLDER,root=NAME"; cuts `text` into pieces that stay in
 * use. */
int pack_member_parse(char *text, struct pack_member *member);

/* Reads the member's file, or the files of its folder, into `data` and finds its link
 * address. `map` may be NULL;
 * else the image is checked against it. */
int pack_member_load(struct pack_member *member, const struct pack_map *map);

/* The coding called `text`, or "auto"; false if there is none. */
bool pack_coding_parse(const char *text, uint8_t *coding);

/* Codes `data` of a loaded member as it wants; "auto": the smallest form that the
 * target takes, raw among them. */
int pack_member_code(struct pack_member *member, const struct pack_target *target);

/* Puts the image where the region's programs run, and checks place and vectors. */
int pack_map_place(const struct pack_map *map, const struct otter_region *region,
                   struct pack_member *member, struct image *image);
int pack_map_check_vectors(const struct pack_map *map,
                           const struct pack_member *member);

/* True for what a processor starts: a vector table at its beginning. */
bool pack_is_program(uint8_t role);

#endif
