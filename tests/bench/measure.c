/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The measuring runs. Bytes, erases and time are taken from the virtual flash's trace,
 * one operation at a time, and booked by the part of the update that does it.
 */
#include "measure.h"

#include "vcard_files.h"

#include <stdlib.h>
#include <string.h>

enum {
    TRANSFER_CUTS = 48, /* evenly over the operations of each part */
    INSTALL_CUTS = 48,
    DROPS = 16,
};

#define CARD_PATH "new.otter"

struct meter {
    struct bench_tally parts[BENCH_PARTS];
    uint64_t region_erases[OTTER_REGION_ID_COUNT];
    bool is_requested;
    uint32_t taken; /* bytes that the device has acknowledged */
};

static const struct vflash_fault no_fault = {.kind = VFLASH_NONE};
static const enum vflash_fault_kind cut_kinds[] = {VFLASH_CUT_BEFORE, VFLASH_CUT_AFTER,
                                                   VFLASH_TORN};

/* --- booking --- */

static bool is_state(const struct vdevice *device, uint32_t addr)
{
    static const uint8_t ids[] = {OTTER_REGION_JOURNAL, OTTER_REGION_RECEIPTS};

    for (size_t i = 0; i < sizeof(ids); i++) {
        const struct otter_region *region =
            otter_map_find(&device->profile->map, ids[i]);

        if (addr >= region->addr && addr - region->addr < region->size) {
            return true;
        }
    }
    return false;
}

static void count_erase(const struct vdevice *device, uint32_t addr,
                        struct meter *meter)
{
    const struct otter_map *map = &device->profile->map;

    for (uint8_t i = 0; i < map->count; i++) {
        const struct otter_region *region = &map->regions[i];

        if (addr >= region->addr && addr - region->addr < region->size) {
            meter->region_erases[region->id]++;
        }
    }
}

static enum bench_part part_of(struct vdevice *device, const struct meter *meter)
{
    if (!meter->is_requested) {
        return BENCH_RECEIVE;
    }
    const struct otter_device *view = vdevice_view(device);
    uint8_t phase = view == NULL ? device->boot.device.journal.state.phase
                                 : view->journal.state.phase;

    return device->program == OTTER_PROGRAM_MANAGER || phase == OTTER_PHASE_COMPLETE ||
                   phase == OTTER_PHASE_REQUESTED || phase == OTTER_PHASE_INSTALLING
               ? BENCH_INSTALL
               : BENCH_AFTER;
}

static void book(void *context, const struct vflash_op *op)
{
    struct vdevice *device = context;
    struct meter *meter = device->hooks.context;
    struct bench_tally *tally = &meter->parts[part_of(device, meter)];

    if (op->is_erase) {
        *(is_state(device, op->addr) ? &tally->state_erases : &tally->payload_erases) +=
            1;
        tally->ns += VFLASH_ERASE_NS;
        count_erase(device, op->addr, meter);
    } else {
        *(is_state(device, op->addr) ? &tally->state_bytes : &tally->payload_bytes) +=
            op->size;
        tally->ns += VFLASH_PROGRAM_NS + (uint64_t)op->size * VFLASH_BYTE_NS;
    }
}

static void note_progress(void *context, uint32_t done, uint32_t total)
{
    struct meter *meter = context;

    (void)total;
    meter->taken = done;
}

static void add(struct bench_tally *sum, const struct bench_tally *tally)
{
    sum->payload_bytes += tally->payload_bytes;
    sum->payload_erases += tally->payload_erases;
    sum->state_bytes += tally->state_bytes;
    sum->state_erases += tally->state_erases;
    sum->ns += tally->ns;
}

/* Most erases of one sector in the regions of state, or in all others. */
static uint32_t erases_max(const struct vdevice *device, bool of_state)
{
    const struct otter_map *map = &device->profile->map;
    uint32_t most = 0;

    for (uint8_t i = 0; i < map->count; i++) {
        const struct otter_region *region = &map->regions[i];

        /* A loader's region is RAM. */
        if (region->id != OTTER_REGION_LOADER &&
            is_state(device, region->addr) == of_state) {
            uint32_t count =
                vflash_erases_max(&device->flash, region->addr, region->size);

            most = count > most ? count : most;
        }
    }
    return most;
}

/* --- runs --- */

struct world {
    const struct bench_product *product;
    struct vdevice device;
    struct vflash_image factory;
    struct meter meter;
    struct vcard card; /* of a device that installs from one */
    struct otter_files files;
};

static void put_on_card(struct world *world)
{
    enum { CARD_SIZE = 4 * 1024 * 1024 };
    const struct bench_package *next = &world->product->next;

    if (otter_map_is_on_card(&world->device.profile->map)) {
        vcard_init(&world->card, CARD_SIZE);
        vcard_files(&world->card, &world->files);
        vdevice_set_card(&world->device, &world->card, &world->files);
        vcard_provision(&world->card, CARD_PATH, next->bytes, (uint32_t)next->size);
    }
}

static void open_world(struct world *world, const struct bench_product *product)
{
    memset(world, 0, sizeof(*world));
    world->product = product;
    bench_device_make(product, &world->device);
    put_on_card(world);
    world->device.flash.hooks.on_op = book;
    world->device.hooks.context = &world->meter;
    world->device.hooks.on_progress = note_progress;
    vflash_save(&world->device.flash, &world->factory);
}

static void close_world(struct world *world)
{
    vflash_image_free(&world->factory);
    vcard_destroy(&world->card);
    vdevice_destroy(&world->device);
}

/* The device as the factory left it, running its application. */
static void start(struct world *world, enum vdevice_app app)
{
    vflash_restore(&world->device.flash, &world->factory);
    world->device.app = app;
    bench_need(vdevice_power_on(&world->device, no_fault) == VDEVICE_IDLE,
               "the first system does not run");
    vflash_measure_reset(&world->device.flash);
    memset(&world->meter, 0, sizeof(world->meter));
}

/* Lets `kind` strike the operation that is `ahead` from now. */
static void arm(struct world *world, uint32_t ahead, enum vflash_fault_kind kind)
{
    struct vflash *flash = &world->device.flash;

    flash->fault =
        (struct vflash_fault){.at_op = flash->op + ahead, .kind = kind, .seed = ahead};
}

static enum vdevice_end transfer(struct world *world)
{
    const struct bench_package *next = &world->product->next;
    enum otter_result result = OTTER_OK;

    if (world->device.card != NULL) {
        return VDEVICE_IDLE; /* it is there */
    }
    enum vdevice_end end =
        vdevice_feed(&world->device, next->bytes, next->size, BENCH_CHUNK, &result);

    bench_need(end == VDEVICE_CUT || result == OTTER_OK, "the package was refused");
    return end;
}

static enum vdevice_end install(struct world *world)
{
    enum otter_result result = OTTER_OK;

    if (world->device.card != NULL) {
        bench_need(vdevice_install(&world->device, CARD_PATH, &result) ==
                           VDEVICE_IDLE &&
                       result == OTTER_OK,
                   "the package on the card was refused");
        world->meter.is_requested = true;
        return vdevice_run(&world->device);
    }
    world->meter.is_requested = true;
    enum vdevice_end end = vdevice_request(&world->device, &result);

    if (end == VDEVICE_CUT) {
        return end;
    }
    bench_need(result == OTTER_OK, "the installation was refused");
    return vdevice_reset(&world->device, OTTER_RESET_SOFTWARE);
}

static void need_outcome(struct world *world, enum otter_outcome_kind kind)
{
    struct otter_device *view = vdevice_view(&world->device);

    bench_need(view != NULL && view->journal.state.outcome.kind == kind,
               "the update did not end as it must");
}

/* --- figures --- */

struct ops {
    uint32_t receive;
    uint32_t install; /* and all after it */
};

static struct ops measure_clean(struct world *world, struct bench_figures *figures)
{
    struct ops ops;
    uint32_t begin;

    start(world, VDEVICE_CONFIRM);
    begin = world->device.flash.op;
    bench_need(transfer(world) == VDEVICE_IDLE, "the transfer failed");
    ops.receive = world->device.flash.op - begin;
    begin = world->device.flash.op;
    bench_need(install(world) == VDEVICE_IDLE, "the installation failed");
    ops.install = world->device.flash.op - begin;
    need_outcome(world, OTTER_OUTCOME_CONFIRMED);
    memcpy(figures->parts, world->meter.parts, sizeof(figures->parts));
    memcpy(figures->region_erases, world->meter.region_erases,
           sizeof(figures->region_erases));
    for (int i = 0; i < BENCH_PARTS; i++) {
        add(&figures->all, &figures->parts[i]);
    }
    figures->erases_max = erases_max(&world->device, false);
    figures->state_erases_max = erases_max(&world->device, true);
    return ops;
}

static void measure_roll_back(struct world *world, struct bench_figures *figures)
{
    start(world, VDEVICE_CRASH);
    bench_need(transfer(world) == VDEVICE_IDLE, "the transfer failed");
    bench_need(install(world) == VDEVICE_IDLE, "the roll back failed");
    need_outcome(world, OTTER_OUTCOME_ROLLED_BACK);
    figures->roll_back = world->meter.parts[BENCH_AFTER];
    figures->roll_back_erases_max = erases_max(&world->device, false);
}

/* Cuts the transfer; what the device acknowledged and wants again is sent again. */
static void measure_transfer_cuts(struct world *world, uint32_t ops,
                                  struct bench_figures *figures)
{
    for (uint32_t i = 0; i < TRANSFER_CUTS; i++) {
        start(world, VDEVICE_CONFIRM);
        arm(world, (uint32_t)((uint64_t)ops * i / TRANSFER_CUTS),
            cut_kinds[i % (sizeof(cut_kinds) / sizeof(cut_kinds[0]))]);
        bench_need(transfer(world) == VDEVICE_CUT, "no cut in the transfer");
        uint32_t taken = world->meter.taken;

        bench_need(vdevice_power_on(&world->device, no_fault) == VDEVICE_IDLE,
                   "no start after a cut");
        uint32_t next = world->device.agent.receive.next;

        figures->cuts++;
        if (taken > next && taken - next > figures->cut_resent) {
            figures->cut_resent = taken - next;
        }
        bench_need(transfer(world) == VDEVICE_IDLE, "no transfer after a cut");
    }
}

static void measure_install_cuts(struct world *world, uint32_t ops,
                                 struct bench_figures *figures)
{
    for (uint32_t i = 0; i < INSTALL_CUTS; i++) {
        start(world, VDEVICE_CONFIRM);
        bench_need(transfer(world) == VDEVICE_IDLE, "the transfer failed");
        arm(world, (uint32_t)((uint64_t)ops * i / INSTALL_CUTS),
            cut_kinds[i % (sizeof(cut_kinds) / sizeof(cut_kinds[0]))]);
        bench_need(install(world) == VDEVICE_CUT, "no cut in the installation");
        bench_need(vdevice_power_on(&world->device, no_fault) == VDEVICE_IDLE,
                   "no start after a cut");
        const struct otter_device *view = vdevice_view(&world->device);

        if (view->journal.state.phase == OTTER_PHASE_COMPLETE) {
            bench_need(install(world) == VDEVICE_IDLE, "no installation after a cut");
        }
        need_outcome(world, OTTER_OUTCOME_CONFIRMED);
        uint32_t most = erases_max(&world->device, false);

        figures->cuts++;
        if (most > figures->cut_erases_max) {
            figures->cut_erases_max = most;
        }
    }
}

/* --- link drops --- */

/* Sends one chunk of the package and lets the device take it. */
static enum otter_result send(struct world *world, uint32_t off, uint32_t *sent)
{
    const struct bench_package *package = &world->product->next;
    struct otter_receive *receive = &world->device.agent.receive;
    struct otter_chunk chunk = {.off = off,
                                .data = package->bytes + off,
                                .size = package->size - off,
                                .total = (uint32_t)package->size,
                                .session = {'b', 'e', 'n', 'c', 'h'}};

    chunk.size = chunk.size < BENCH_CHUNK ? chunk.size : BENCH_CHUNK;
    *sent += (uint32_t)chunk.size;
    enum otter_result result = otter_receive_offer(receive, &chunk);

    while (result == OTTER_OK && otter_receive_is_busy(receive)) {
        result = otter_receive_step(receive);
    }
    return result;
}

/* Loses the message to the device, or its answer, once `at` bytes are taken. The remote
 * then begins again at offset 0, as stock clients do, and is told where to go on. */
static uint32_t send_with_drop(struct world *world, uint32_t at, bool is_answer_lost)
{
    const struct otter_receive *receive = &world->device.agent.receive;
    uint32_t size = (uint32_t)world->product->next.size;
    bool is_dropped = false;
    uint32_t sent = 0;

    start(world, VDEVICE_CONFIRM);
    while (receive->next < size) {
        if (!is_dropped && receive->next >= at) {
            is_dropped = true;
            if (is_answer_lost) {
                bench_need(send(world, receive->next, &sent) == OTTER_OK, "no chunk");
            } else {
                sent += BENCH_CHUNK;
            }
            bench_need(send(world, 0, &sent) == OTTER_E_RECEIVE_OFFSET,
                       "the transfer does not resume");
        }
        bench_need(receive->next >= size ||
                       send(world, receive->next, &sent) == OTTER_OK,
                   "a chunk was refused");
    }
    bench_need(otter_receive_is_complete(receive), "the transfer did not end");
    return sent - size;
}

static void measure_drops(struct world *world, struct bench_figures *figures)
{
    uint32_t size = (uint32_t)world->product->next.size;

    for (uint32_t i = 0; i < 2 * DROPS; i++) {
        uint32_t at = size / (DROPS + 1) * (i / 2 + 1);
        uint32_t again = send_with_drop(world, at, i % 2 == 1);

        if (again > figures->drop_resent) {
            figures->drop_resent = again;
        }
    }
}

/* The time to erase and program `size` bytes of a region once. */
static uint64_t bare_time(const struct bench_product *product, uint8_t region_id,
                          uint32_t size)
{
    const struct otter_flash flash = {.areas = product->profile->areas,
                                      .area_count = product->profile->area_count};
    const struct otter_flash_area *area = otter_flash_area_at(
        &flash, otter_map_find(&product->profile->map, region_id)->addr);
    uint64_t sectors = (size + area->sector_size - 1) / area->sector_size;
    uint64_t pages = (size + area->page_size - 1) / area->page_size;

    return sectors * VFLASH_ERASE_NS + pages * VFLASH_PROGRAM_NS +
           (uint64_t)size * VFLASH_BYTE_NS;
}

/* The time to erase and program once what the plan writes after reception: what is
 * installed where the old system lies, and the saved copy of that. */
static uint64_t must_time(const struct bench_product *product, uint64_t bare_ns)
{
    const struct host_member *firmware = &product->next.members[0];

    if (otter_map_find(&product->profile->map, OTTER_REGION_SLOT_B) != NULL) {
        /* Received where it runs, unless it is coded or encrypted. */
        return firmware->stored.data == NULL ? 0 : bare_ns;
    }
    if (otter_map_is_on_card(&product->profile->map)) {
        return bare_ns; /* the copy is a file */
    }
    uint64_t saved = bare_time(product, OTTER_REGION_STAGING, BENCH_OLD_SIZE);

    if (product->has_regions) {
        saved += bare_time(product, OTTER_REGION_STAGING, BENCH_RESOURCES_SIZE) +
                 bare_time(product, OTTER_REGION_STAGING, BENCH_FONT_SIZE);
    }
    return bare_ns + saved;
}

/* The sector of the store that is filled while receiving. */
static uint32_t store_sector(const struct bench_product *product)
{
    const struct host_profile *profile = product->profile;
    const struct otter_region *staging =
        otter_map_find(&profile->map, OTTER_REGION_STAGING);
    const struct otter_flash flash = {.areas = profile->areas,
                                      .area_count = profile->area_count};

    return otter_flash_area_at(&flash, staging->addr)->sector_size;
}

/* What follows from the product alone. */
static void fill_sizes(const struct bench_product *product,
                       struct bench_figures *figures)
{
    memset(figures, 0, sizeof(*figures));
    figures->image_size = product->next_image.size;
    figures->package_size = (uint32_t)product->next.size;
    for (size_t i = 0; i < sizeof(product->next.members) / sizeof(struct host_member);
         i++) {
        uint32_t memory = product->next.members[i].memory;

        figures->memory = memory > figures->memory ? memory : figures->memory;
    }
    figures->bare_ns =
        bare_time(product, OTTER_REGION_APPLICATION, product->next_image.size);
    if (product->has_regions) {
        figures->image_size += BENCH_RESOURCES_SIZE + BENCH_FONT_SIZE;
        figures->bare_ns +=
            bare_time(product, OTTER_REGION_RESOURCES, BENCH_RESOURCES_SIZE) +
            bare_time(product, OTTER_REGION_FONT, BENCH_FONT_SIZE);
    }
    figures->must_ns = must_time(product, figures->bare_ns);
}

void bench_measure_once(const struct bench_product *product,
                        struct bench_figures *figures)
{
    struct world *world = malloc(sizeof(*world));

    bench_need(world != NULL, "no memory");
    fill_sizes(product, figures);
    open_world(world, product);
    (void)measure_clean(world, figures);
    close_world(world);
    free(world);
}

void bench_measure(const struct bench_product *product, struct bench_figures *figures)
{
    struct world *world = malloc(sizeof(*world));

    bench_need(world != NULL, "no memory");
    fill_sizes(product, figures);
    figures->sector_size = store_sector(product);
    open_world(world, product);
    struct ops ops = measure_clean(world, figures);

    measure_roll_back(world, figures);
    measure_drops(world, figures);
    measure_transfer_cuts(world, ops.receive, figures);
    measure_install_cuts(world, ops.install, figures);
    close_world(world);
    free(world);
}
