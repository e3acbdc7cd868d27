/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual device: power, resets, jumps and time around the real programs.
 *
 * Two promises are watched at every jump and poll: no image runs that no trusted
 * receipt vouches for (P1), and the region of the running program and boot's are never
 * open for writing (K23). A breach ends the run with VDEVICE_BROKEN.
 */
#include "vdevice.h"

#include "otter/rebuild.h"

#include "crypto_bearssl.h"
#include "inflate_zlib.h"

#include <stdlib.h>
#include <string.h>

enum {
    POLL_MS = 1,           /* virtual time of one busy poll */
    IDLE_MS = 100,         /* virtual time that one idle poll lets pass */
    CONFIRM_POLLS = 5,     /* the example application confirms after so many */
    CRASH_POLLS = 3,       /* the crashing one faults after so many */
    MANAGER_SLACK_S = 5,   /* how much longer than its wait the manager may be idle */
    FEED_ATTEMPTS_MAX = 4, /* offsets that do not move before a feed gives up */
};

/* --- the board --- */

static uint32_t board_time_ms(void *context)
{
    const struct vdevice *device = context;

    return device->clock_ms;
}

static enum otter_reset_cause board_reset_cause(void *context)
{
    const struct vdevice *device = context;

    return device->cause;
}

static bool board_wants_manager(void *context)
{
    const struct vdevice *device = context;

    return device->wants_manager || device->manager_word;
}

static void board_request_manager(void *context, bool wanted)
{
    struct vdevice *device = context;

    device->manager_word = wanted;
}

static bool board_allows_update(void *context)
{
    const struct vdevice *device = context;

    return device->allows_update;
}

static void board_reset(void *context)
{
    struct vdevice *device = context;

    device->cause = OTTER_RESET_SOFTWARE;
    device->is_reset = true;
}

static void board_watchdog_start(void *context, uint32_t period_ms)
{
    struct vdevice *device = context;

    device->watchdog_ms = period_ms;
    device->fed_ms = device->clock_ms;
}

static void board_watchdog_feed(void *context)
{
    struct vdevice *device = context;

    device->fed_ms = device->clock_ms;
}

static void board_report(void *context, uint16_t code)
{
    struct vdevice *device = context;

    device->code = code;
    if (device->hooks.on_report != NULL) {
        device->hooks.on_report(device->hooks.context, device->program,
                                device->clock_ms, code);
    }
}

static const struct otter_board board_functions = {
    .time_ms = board_time_ms,
    .reset_cause = board_reset_cause,
    .wants_manager = board_wants_manager,
    .request_manager = board_request_manager,
    .allows_update = board_allows_update,
    .reset = board_reset,
    .watchdog_start = board_watchdog_start,
    .watchdog_feed = board_watchdog_feed,
    .report = board_report,
};

/* --- life --- */

static void cut_power(void *context)
{
    struct vdevice *device = context;

    longjmp(device->cut_point, 1);
}

/* RAM in which boot runs loaders, if the profile has some. */
static enum otter_result make_loader_memory(struct vdevice *device)
{
    const struct otter_region *region =
        otter_map_find(&device->profile->map, OTTER_REGION_LOADER);

    if (region == NULL) {
        return OTTER_OK;
    }
    device->loader = (struct otter_loader){.memory = calloc(1, region->size),
                                           .load = otter_boot_load};
    device->ports.loader = &device->loader;
    return device->loader.memory == NULL ? OTTER_E_TOO_LARGE : OTTER_OK;
}

enum otter_result vdevice_create(struct vdevice *device,
                                 const struct vdevice_config *config)
{
    const struct vflash_config flash = {
        .areas = config->profile->areas,
        .area_count = config->profile->area_count,
        .path = config->path,
        .is_ecc = config->is_ecc,
    };

    memset(device, 0, sizeof(*device));
    enum otter_result result = vflash_create(&device->flash, &flash);

    if (result != OTTER_OK) {
        return result;
    }
    device->profile = config->profile;
    device->hooks = config->hooks;
    device->link = config->link;
    device->allows_update = true;
    device->flash.hooks.context = device;
    device->flash.hooks.cut = cut_power;
    vflash_port(&device->flash, &device->port);
    device->board = board_functions;
    device->board.context = device;
    device->crypto = otter_crypto_bearssl;
    if (config->keys != NULL) {
        otter_crypto_bearssl_keys(&device->crypto, config->keys);
    }
    device->ports = (struct otter_ports){
        .flash = &device->port,
        .board = &device->board,
        .crypto = &device->crypto,
        .inflate = &otter_inflate_zlib,
        .table_addr = config->profile->table_addr,
        .table_size = config->profile->table_size,
    };
    return make_loader_memory(device);
}

void vdevice_set_card(struct vdevice *device, struct vcard *card,
                      const struct otter_files *files)
{
    device->card = card;
    device->ports.files = files;
    if (card != NULL) {
        card->hooks.context = device;
        card->hooks.cut = cut_power;
    }
}

void vdevice_set_folder(struct vdevice *device, struct folder_files *folder,
                        const struct otter_files *files)
{
    device->folder = folder;
    device->ports.files = files;
}

void vdevice_destroy(struct vdevice *device)
{
    free(device->loader.memory);
    vflash_destroy(&device->flash);
}

/* What a program had open on the card is gone. */
static void drop_files(struct vdevice *device)
{
    if (device->folder != NULL) {
        folder_files_close(device->folder);
    }
}

void vdevice_power_off(struct vdevice *device)
{
    if (device->card != NULL) {
        vcard_power_off(device->card, device->flash.fault.seed);
    }
    drop_files(device);
    if (device->loader.memory != NULL) { /* RAM forgets */
        memset(device->loader.memory, 0,
               otter_map_find(&device->profile->map, OTTER_REGION_LOADER)->size);
    }
    device->program = (enum otter_program)0;
    device->region = OTTER_REGION_NONE;
    device->manager_word = false;
    device->is_reset = false;
    device->watchdog_ms = 0;
}

bool vdevice_is_manager(const struct vdevice *device)
{
    return device->program == OTTER_PROGRAM_MANAGER ||
           device->program == OTTER_PROGRAM_LOADER;
}

struct otter_device *vdevice_view(struct vdevice *device)
{
    if (device->program == OTTER_PROGRAM_AGENT) {
        return &device->agent.device;
    }
    return vdevice_is_manager(device) ? &device->manager.device : NULL;
}

enum otter_result vdevice_inspect(struct vdevice *device, struct otter_device *view)
{
    enum otter_result result =
        otter_device_open(view, &device->ports, OTTER_PROGRAM_BOOT);

    if (result == OTTER_OK && view->journal.is_lost) {
        result = otter_rebuild(view);
    }
    return result;
}

/* --- what must hold --- */

static bool has_image(struct vdevice *device, const struct otter_member *member,
                      uint8_t region_id)
{
    const struct otter_crypto *crypto = device->ports.crypto;
    const struct otter_region *region =
        otter_map_find(&device->boot.device.table.map, region_id);
    struct otter_sha256 sha;
    uint8_t digest[OTTER_SHA256_SIZE];

    if (region == NULL || member->installed_size > region->size) {
        return false;
    }
    const uint8_t *bytes =
        region_id == OTTER_REGION_LOADER
            ? device->loader.memory
            : vflash_peek(&device->flash, region->addr, member->installed_size);

    crypto->sha256_init(crypto->context, &sha);
    crypto->sha256_update(crypto->context, &sha, bytes, member->installed_size);
    crypto->sha256_final(crypto->context, &sha, digest);
    return memcmp(digest, member->installed_sha, sizeof(digest)) == 0;
}

/* True if this copy of a receipt is signed by a trusted key, not below the counter, and
 * names what lies in `region` as its `role`. */
static bool copy_vouches(struct vdevice *device, uint8_t slot, uint8_t copy,
                         uint8_t role, uint8_t region)
{
    struct otter_device *view = &device->boot.device;
    const struct otter_state *state = &view->journal.state;
    struct otter_receipt receipt;
    struct otter_control control;

    if (otter_receipt_open(&view->io, slot, copy, &receipt) != OTTER_OK) {
        return false;
    }
    struct otter_source source = otter_span_source(&receipt.span, receipt.length);

    if (otter_control_open(&source, &control) != OTTER_OK ||
        otter_control_verify(&source, &control, view->table.keys, view->table.key_count,
                             state->key_mask, view->ports.crypto) != OTTER_OK ||
        control.counter < state->counter) {
        return false;
    }
    for (uint8_t i = 0; i < control.member_count; i++) {
        struct otter_member member;

        if (otter_control_member(&source, &control, i, &member) == OTTER_OK &&
            member.role == role && has_image(device, &member, region)) {
            return true;
        }
    }
    return false;
}

static bool is_vouched(struct vdevice *device, uint8_t role, uint8_t region)
{
    for (uint8_t slot = 0; slot < 2; slot++) {
        if (role == OTTER_ROLE_FIRMWARE &&
            otter_system_region(&device->boot.device, slot, role) != region) {
            continue;
        }
        for (uint8_t copy = 0; copy < (uint8_t)OTTER_RECEIPT_COPIES; copy++) {
            if (copy_vouches(device, slot, copy, role, region)) {
                return true;
            }
        }
    }
    return false;
}

static bool is_closed(const struct otter_device *view, uint8_t region)
{
    return (view->io.open_regions & (1U << region)) == 0 &&
           (view->io.open_regions & (1U << OTTER_REGION_BOOT)) == 0;
}

static void watch_regions(struct vdevice *device)
{
    const struct otter_device *view = vdevice_view(device);

    if (view != NULL && !is_closed(view, device->region)) {
        device->defect = "K23: the region of the running program is open for writing";
    }
}

/* --- running --- */

static void drain_events(struct vdevice *device, struct otter_device *view)
{
    struct otter_event event;
    uint32_t missed = 0;

    while (otter_events_take(&view->events, &event, &missed)) {
        if (device->hooks.on_event != NULL) {
            device->hooks.on_event(device->hooks.context,
                                   (enum otter_program)view->program, &event);
        }
    }
}

/* What each target of boot is. */
static const struct {
    uint8_t role;
    enum otter_program program;
} targets[] = {
    [OTTER_BOOT_TO_APPLICATION] = {OTTER_ROLE_FIRMWARE, OTTER_PROGRAM_AGENT},
    [OTTER_BOOT_TO_MANAGER] = {OTTER_ROLE_MANAGER, OTTER_PROGRAM_MANAGER},
    [OTTER_BOOT_TO_LOADER] = {OTTER_ROLE_LOADER, OTTER_PROGRAM_LOADER},
};

/* A manager on trial, or a loader, that the test wants to fail. */
static bool is_to_fail(const struct vdevice *device)
{
    if (device->program == OTTER_PROGRAM_LOADER) {
        return device->app_loader != VDEVICE_CONFIRM;
    }
    const struct otter_state *state = &device->boot.device.journal.state;

    return device->program == OTTER_PROGRAM_MANAGER &&
           device->app_manager != VDEVICE_CONFIRM &&
           state->phase == OTTER_PHASE_INSTALLING &&
           state->part == OTTER_PART_TRY_MANAGER;
}

static void open_manager(struct vdevice *device)
{
    enum otter_result result =
        device->program == OTTER_PROGRAM_LOADER
            ? otter_loader_open(&device->manager, &device->ports, device->link)
            : otter_manager_open(&device->manager, &device->ports, device->link);

    if (result != OTTER_OK) {
        device->code = otter_code(device->manager.result);
    }
}

/* Jumps to what boot chose. A program that cannot open its device still runs: its poll
 * says what it can do. */
static void jump(struct vdevice *device, const struct otter_boot_result *chosen)
{
    device->region = chosen->region;
    if (!is_vouched(device, targets[chosen->target].role, chosen->region)) {
        device->defect = "P1: an image was started that no trusted receipt vouches for";
        return;
    }
    device->polls = 0;
    device->is_idle = false;
    device->program = targets[chosen->target].program;
    device->is_stuck = is_to_fail(device);
    if (vdevice_is_manager(device)) {
        device->wants_manager = false;
        memset(&device->manager, 0, sizeof(device->manager));
    }
    if (device->is_stuck) {
        return;
    }
    if (vdevice_is_manager(device)) {
        open_manager(device);
    } else {
        if (device->hooks.on_start != NULL) {
            device->hooks.on_start(device->hooks.context);
        }
        if (otter_agent_open(&device->agent, &device->ports, device->link) !=
            OTTER_OK) {
            device->code = otter_code(OTTER_E_TABLE_LOST);
        }
    }
    watch_regions(device);
}

/* The processor begins anew, and what ran has gone. True if the run ends here. */
static bool begin(struct vdevice *device)
{
    bool is_reset = device->is_reset;

    device->is_reset = false;
    device->watchdog_ms = 0; /* a reset stops it */
    if (device->card != NULL) {
        vcard_reset(device->card, device->resets);
    }
    drop_files(device);
    return is_reset && device->hooks.idle == NULL && device->hooks.on_reset != NULL &&
           device->hooks.on_reset(device->hooks.context);
}

/* One start of the processor. False if boot found nothing to run. */
static bool start(struct vdevice *device)
{
    device->program = OTTER_PROGRAM_BOOT;
    struct otter_boot_result chosen = otter_boot_run(&device->boot, &device->ports);

    drain_events(device, &device->boot.device);
    device->code = chosen.code;
    if (chosen.target == OTTER_BOOT_TO_NOTHING) {
        return false;
    }
    jump(device, &chosen);
    return true;
}

static bool is_watchdog_due(const struct vdevice *device)
{
    return device->watchdog_ms != 0 &&
           device->clock_ms - device->fed_ms > device->watchdog_ms;
}

static void force_reset(struct vdevice *device, enum otter_reset_cause cause)
{
    device->cause = cause;
    device->is_reset = true;
}

/* One turn of the example application's main loop. */
static enum otter_poll run_application(struct vdevice *device)
{
    struct otter_agent *agent = &device->agent;
    bool is_trial = otter_agent_is_trial(agent);
    enum vdevice_app app = is_trial ? device->app : device->app_old;

    device->polls++;
    if (app == VDEVICE_HANG) {
        return OTTER_POLL_IDLE;
    }
    if (app == VDEVICE_CRASH && device->polls > CRASH_POLLS) {
        force_reset(device, OTTER_RESET_FAULT);
        return OTTER_POLL_RESET;
    }
    enum otter_poll poll = otter_agent_poll(agent);

    if (is_trial && app == VDEVICE_CONFIRM && poll != OTTER_POLL_RESET &&
        device->polls >= CONFIRM_POLLS) {
        if (otter_agent_confirm(agent) != OTTER_OK) {
            device->code = otter_code(OTTER_E_BUSY); /* tried again at the next turn */
            return poll;
        }
        return OTTER_POLL_BUSY; /* the agent may have something left to do */
    }
    return poll;
}

/* A manager that fails before it has begun. */
static enum otter_poll run_stuck(struct vdevice *device)
{
    enum vdevice_app app = device->program == OTTER_PROGRAM_LOADER
                               ? device->app_loader
                               : device->app_manager;

    if (app != VDEVICE_CRASH) {
        return OTTER_POLL_IDLE;
    }
    force_reset(device, OTTER_RESET_FAULT);
    return OTTER_POLL_RESET;
}

static enum otter_poll run_program(struct vdevice *device)
{
    if (device->is_stuck) {
        return run_stuck(device);
    }
    struct otter_device *view = vdevice_view(device);
    enum otter_poll poll = vdevice_is_manager(device)
                               ? otter_manager_poll(&device->manager)
                               : run_application(device);

    drain_events(device, view);
    watch_regions(device);
    return poll;
}

static bool is_hanging(const struct vdevice *device)
{
    return device->program == OTTER_PROGRAM_AGENT &&
           (otter_agent_is_trial(&device->agent) ? device->app : device->app_old) ==
               VDEVICE_HANG;
}

/* True if nothing will happen any more unless somebody acts. */
static bool is_settled(struct vdevice *device)
{
    if (device->is_stuck) {
        return device->watchdog_ms == 0;
    }
    if (is_hanging(device)) {
        return device->watchdog_ms == 0;
    }
    if (device->program == OTTER_PROGRAM_AGENT) {
        return !otter_agent_is_trial(&device->agent) &&
               device->app_old != VDEVICE_CRASH;
    }
    uint32_t wait_s = device->manager.device.table.policy.manager_wait_s;

    return device->clock_ms - device->idle_since > (wait_s + MANAGER_SLACK_S) * 1000U;
}

bool vdevice_stop_at_once(void *context, struct vdevice *device)
{
    (void)context;
    (void)device;
    return false;
}

/* Lets time pass for an idle program. False ends the run with `end`. */
static bool pass_time(struct vdevice *device, enum vdevice_end *end)
{
    if (!device->is_idle) {
        device->is_idle = true;
        device->idle_since = device->clock_ms;
    }
    if (device->hooks.idle != NULL) {
        *end = VDEVICE_STOPPED;
        return device->hooks.idle(device->hooks.context, device);
    }
    if (is_settled(device)) {
        *end = is_hanging(device) ? VDEVICE_HUNG : VDEVICE_IDLE;
        return false;
    }
    device->clock_ms += IDLE_MS;
    return true;
}

/* Runs the program that is there until it resets (true) or the run ends. */
static bool run_until_reset(struct vdevice *device, enum vdevice_end *end)
{
    while (device->defect == NULL) {
        enum otter_poll poll = run_program(device);

        if (poll == OTTER_POLL_RESET || device->is_reset) {
            return true;
        }
        if (poll == OTTER_POLL_BUSY) {
            device->is_idle = false;
            device->clock_ms += POLL_MS;
        } else if (!pass_time(device, end)) {
            return false;
        }
        if (is_watchdog_due(device)) {
            force_reset(device, OTTER_RESET_WATCHDOG);
            return true;
        }
    }
    return false;
}

static enum vdevice_end run(struct vdevice *device)
{
    enum vdevice_end end = VDEVICE_IDLE;

    device->resets = 0;
    for (;;) {
        if (device->is_reset || vdevice_view(device) == NULL) {
            if (begin(device)) {
                return VDEVICE_STOPPED;
            }
            if (!start(device)) {
                return VDEVICE_NOTHING;
            }
        }
        if (!run_until_reset(device, &end)) {
            return end;
        }
        device->is_reset = true;
        device->resets++;
        if (device->resets > VDEVICE_RESETS_MAX && device->hooks.idle == NULL) {
            return VDEVICE_STOPPED;
        }
    }
}

/* --- what may be cut --- */

struct feed {
    const uint8_t *package;
    size_t size;
    size_t chunk_size;
    enum otter_result *result;
};

static struct otter_receive *receiver(struct vdevice *device)
{
    return vdevice_is_manager(device) ? &device->manager.receive
                                      : &device->agent.receive;
}

/* Steps the receiver until it is not busy. */
static enum otter_result finish(struct vdevice *device, enum otter_result result)
{
    struct otter_receive *receive = receiver(device);

    while (result == OTTER_OK && otter_receive_is_busy(receive)) {
        result = otter_receive_step(receive);
        device->board.watchdog_feed(device);
        device->clock_ms += POLL_MS;
    }
    drain_events(device, vdevice_view(device));
    watch_regions(device);
    return result;
}

/* Offers the bytes from `off` and steps until they are taken. */
static enum otter_result offer(struct vdevice *device, const struct feed *feed,
                               struct otter_chunk *chunk)
{
    struct otter_receive *receive = receiver(device);
    size_t left = feed->size - chunk->off;

    chunk->data = feed->package + chunk->off;
    chunk->size = left < feed->chunk_size ? left : feed->chunk_size;
    enum otter_result result = finish(device, otter_receive_offer(receive, chunk));

    if (device->hooks.on_progress != NULL && result == OTTER_OK) {
        device->hooks.on_progress(device->hooks.context, receive->next,
                                  (uint32_t)feed->size);
    }
    return result;
}

static enum otter_result feed_all(struct vdevice *device, const struct feed *feed)
{
    const struct otter_crypto *crypto = device->ports.crypto;
    struct otter_receive *receive = receiver(device);
    struct otter_chunk chunk = {.total = (uint32_t)feed->size};
    struct otter_sha256 sha;
    uint8_t digest[OTTER_SHA256_SIZE];
    int attempts = 0;

    crypto->sha256_init(crypto->context, &sha);
    crypto->sha256_update(crypto->context, &sha, feed->package, feed->size);
    crypto->sha256_final(crypto->context, &sha, digest);
    memcpy(chunk.session, digest, sizeof(chunk.session));
    while (chunk.off < feed->size && attempts < FEED_ATTEMPTS_MAX) {
        enum otter_result result = offer(device, feed, &chunk);

        if (result == OTTER_E_RECEIVE_OFFSET) {
            attempts++; /* it goes on elsewhere: an earlier transfer */
            /* Whoever feeds the package of the running system wants it once more. */
            chunk.wants_restart = chunk.off == 0 && receive->next == feed->size &&
                                  !otter_receive_is_complete(receive);
        } else if (result != OTTER_OK) {
            return result;
        } else {
            attempts = 0;
            chunk.wants_restart = false;
        }
        chunk.off = chunk.wants_restart ? 0 : receive->next;
    }
    if (otter_receive_is_complete(receive)) {
        return OTTER_OK;
    }
    return attempts > 0 ? OTTER_E_RECEIVE_OFFSET : OTTER_E_PACKAGE_TRUNCATED;
}

static enum vdevice_end do_feed(struct vdevice *device, void *argument)
{
    const struct feed *feed = argument;

    *feed->result = feed_all(device, feed);
    return VDEVICE_IDLE;
}

static enum vdevice_end do_request(struct vdevice *device, void *argument)
{
    enum otter_result *result = argument;

    *result = finish(device, otter_receive_request(receiver(device)));
    return VDEVICE_IDLE;
}

struct installation {
    const char *path;
    enum otter_result *result;
};

static enum vdevice_end do_install(struct vdevice *device, void *argument)
{
    const struct installation *installation = argument;
    struct otter_card_door *door = &device->agent.card;

    *installation->result = otter_agent_install(&device->agent, installation->path);
    while (*installation->result == OTTER_OK && otter_card_door_is_busy(door) &&
           device->defect == NULL) {
        if (run_program(device) == OTTER_POLL_RESET) {
            return VDEVICE_IDLE;
        }
        device->clock_ms += POLL_MS;
        *installation->result = door->result;
    }
    return VDEVICE_IDLE;
}

static enum vdevice_end do_run(struct vdevice *device, void *argument)
{
    (void)argument;
    return run(device);
}

/* Calls `act` where a cut can end it. Nothing here may live across the jump. */
static enum vdevice_end guarded(struct vdevice *device,
                                enum vdevice_end (*act)(struct vdevice *device,
                                                        void *argument),
                                void *argument)
{
    if (setjmp(device->cut_point) != 0) {
        vdevice_power_off(device);
        return VDEVICE_CUT;
    }
    enum vdevice_end end = act(device, argument);

    return device->defect == NULL ? end : VDEVICE_BROKEN;
}

enum vdevice_end vdevice_power_on(struct vdevice *device, struct vflash_fault fault)
{
    vdevice_power_off(device);
    device->clock_ms = 0;
    device->fed_ms = 0;
    device->code = 0;
    device->cause = OTTER_RESET_POWER_ON;
    vflash_power_on(&device->flash, fault);
    if (device->card != NULL) {
        vcard_power_on(device->card, device->card_fault);
        device->card_fault = (struct vcard_fault){.kind = VCARD_NONE};
    }
    return guarded(device, do_run, NULL);
}

enum vdevice_end vdevice_run(struct vdevice *device)
{
    return guarded(device, do_run, NULL);
}

enum vdevice_end vdevice_reset(struct vdevice *device, enum otter_reset_cause cause)
{
    force_reset(device, cause);
    return guarded(device, do_run, NULL);
}

static bool stop_at_once(void *context, struct vdevice *device)
{
    (void)context;
    (void)device;
    return false;
}

enum vdevice_end vdevice_enter_manager(struct vdevice *device)
{
    bool (*idle)(void *context, struct vdevice *idle_one) = device->hooks.idle;

    device->hooks.idle = stop_at_once;
    device->wants_manager = true;
    enum vdevice_end end = vdevice_reset(device, OTTER_RESET_SOFTWARE);

    device->wants_manager = false;
    device->hooks.idle = idle;
    return end == VDEVICE_STOPPED ? VDEVICE_IDLE : end;
}

/* An agent that could not open its device serves nobody. */
static bool has_receiver(struct vdevice *device)
{
    return vdevice_view(device) != NULL && receiver(device)->device != NULL;
}

enum vdevice_end vdevice_feed(struct vdevice *device, const uint8_t *package,
                              size_t size, size_t chunk_size, enum otter_result *result)
{
    struct feed feed = {
        .package = package, .size = size, .chunk_size = chunk_size, .result = result};

    if (!has_receiver(device)) {
        *result = OTTER_E_BOOT_NOTHING;
        return VDEVICE_NOTHING;
    }
    return guarded(device, do_feed, &feed);
}

enum vdevice_end vdevice_request(struct vdevice *device, enum otter_result *result)
{
    if (!has_receiver(device)) {
        *result = OTTER_E_BOOT_NOTHING;
        return VDEVICE_NOTHING;
    }
    return guarded(device, do_request, result);
}

enum vdevice_end vdevice_install(struct vdevice *device, const char *path,
                                 enum otter_result *result)
{
    struct installation installation = {.path = path, .result = result};

    if (device->program != OTTER_PROGRAM_AGENT) {
        *result = OTTER_E_BOOT_NOTHING;
        return VDEVICE_NOTHING;
    }
    return guarded(device, do_install, &installation);
}
