/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter install: a package onto a virtual device, through the receiver of every door,
 * until the device is idle. docs/man/otter-install.1.scd.
 */
#include "blame.h"
#include "files.h"
#include "help.h"
#include "names.h"
#include "options.h"
#include "verbs.h"
#include "virtual.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK_SIZE = 512 };

struct options {
    const char *directory;
    const char *file;
    const char *cut;
    enum vdevice_app app;
    bool is_json;
};

/* How an installation ended, for people and programs. */
struct ending {
    enum vdevice_end end;
    enum otter_result refusal;
    uint32_t operations; /* flash operations since power on */
    struct blame blame;  /* what its code is about */
};

const struct option install_options[] = {
    {"app", required_argument, NULL, 'a'},
    {"cut", required_argument, NULL, 'c'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int parse_options(int argc, char **argv, struct options *options)
{
    struct option_walk walk = {
        .verb = "install", .letters = "h", .options = install_options};
    int status = TOOL_DONE;

    for (int name; (name = option_next(&walk, argc, argv)) != OPTION_END;) {
        switch (name) {
        case 'a':
            status = virtual_parse_app(optarg, &options->app);
            break;
        case 'c':
            options->cut = optarg;
            break;
        case 'j':
            options->is_json = true;
            break;
        case 'h':
            (void)help_print("install");
            return -1;
        default:
            return TOOL_USAGE;
        }
        if (status != TOOL_DONE) {
            return status;
        }
    }
    if (argc - optind != 2) {
        return help_usage("install");
    }
    options->directory = argv[optind];
    options->file = argv[optind + 1];
    return TOOL_DONE;
}

static void show_progress(void *context, uint32_t done, uint32_t total)
{
    int *shown = context;
    int percent = total == 0 ? 100 : (int)((uint64_t)done * 100 / total);

    if (percent != *shown && isatty(STDERR_FILENO) != 0) {
        (void)fprintf(stderr, "\r%3d %%  %u of %u bytes%s", percent, done, total,
                      done == total ? "\n" : "");
        *shown = percent;
    }
}

/* Through the receiver of every door. */
static void feed(struct vdevice *device, const uint8_t *package, size_t size,
                 struct ending *ending)
{
    ending->end = vdevice_feed(device, package, size, CHUNK_SIZE, &ending->refusal);
    if (ending->end == VDEVICE_IDLE && ending->refusal == OTTER_E_NEEDS_MANAGER) {
        ending->end = vdevice_enter_manager(device);
        if (ending->end == VDEVICE_IDLE) {
            ending->end =
                vdevice_feed(device, package, size, CHUNK_SIZE, &ending->refusal);
        }
    }
    if (ending->end == VDEVICE_IDLE && ending->refusal == OTTER_OK) {
        ending->end = vdevice_request(device, &ending->refusal);
    }
    if (ending->end == VDEVICE_IDLE) {
        /* Also after a refusal: it may have to be noted yet. */
        ending->end = ending->refusal == OTTER_OK
                          ? vdevice_reset(device, OTTER_RESET_SOFTWARE)
                          : vdevice_run(device);
    }
}

/* The application installs from the card through its door, which resets by itself. */
static void ask(struct vdevice *device, const char *path, struct ending *ending)
{
    ending->end = vdevice_install(device, path, &ending->refusal);
    if (ending->end == VDEVICE_IDLE) {
        /* Also after a refusal: it may have to be noted yet. */
        ending->end = vdevice_run(device);
    }
}

static const struct otter_outcome *last_outcome(struct vdevice *device)
{
    return &vdevice_view(device)->journal.state.outcome;
}

/* Is the last update about the package? Of a file that is none there is no id. */
static bool is_about(const struct otter_outcome *outcome, const struct bytes *package)
{
    struct bytes inner = {0};
    struct otter_control control;

    if (package->size > OTTER_IMAGE_HEADER_SIZE) {
        inner.data = package->data + OTTER_IMAGE_HEADER_SIZE;
        inner.size = package->size - OTTER_IMAGE_HEADER_SIZE;
    }
    struct otter_source source = bytes_source(&inner);

    return otter_control_open(&source, &control) == OTTER_OK &&
           memcmp(outcome->id, control.package_id, sizeof(outcome->id)) == 0;
}

/* Without a whole application nobody can be asked: the manager looks for packages on
 * the card when it starts. If it stays without having tried this one, its code says
 * why. */
static void start_again(struct vdevice *device, const struct bytes *package,
                        struct ending *ending)
{
    const struct otter_outcome before = *last_outcome(device);

    ending->end = vdevice_reset(device, OTTER_RESET_SOFTWARE);
    if (ending->end != VDEVICE_IDLE || !vdevice_is_manager(device)) {
        return;
    }
    const struct otter_outcome *after = last_outcome(device);
    bool is_new = before.kind != after->kind || before.code != after->code ||
                  memcmp(before.id, after->id, sizeof(before.id)) != 0;

    if (!is_new || !is_about(after, package)) {
        ending->refusal = otter_result_of(device->code);
    }
}

/* The manager may take another package first, one that lay on the card: then there is
 * an application again, which is asked. */
static void install_copied(struct vdevice *device, const char *path,
                           const struct bytes *package, struct ending *ending)
{
    if (vdevice_is_manager(device)) {
        start_again(device, package, ending);
        if (ending->end != VDEVICE_IDLE || vdevice_is_manager(device) ||
            is_about(last_outcome(device), package)) {
            return;
        }
    }
    ask(device, path, ending);
}

/* Onto the card, from where the device takes it. What is refused goes again, and what
 * was there comes back. */
static int insert(struct virtual_device *folder, const struct options *options,
                  const struct bytes *package, struct ending *ending)
{
    struct vdevice *device = &folder->device;
    char path[OTTER_PATH_SIZE];

    /* It may just have ended what a cut had left. */
    virtual_settle_card(folder);
    int status =
        virtual_put_on_card(folder, options->file, package->data, package->size, path);

    if (status != TOOL_DONE) {
        return status;
    }
    install_copied(device, path, package, ending);
    if (ending->refusal != OTTER_OK) {
        virtual_take_from_card(folder, path);
    }
    return TOOL_DONE;
}

static int run_device(struct virtual_device *folder, const struct options *options,
                      const struct bytes *package, struct vflash_fault fault,
                      struct ending *ending)
{
    struct vdevice *device = &folder->device;
    int status = TOOL_DONE;

    ending->end = vdevice_power_on(device, fault);
    if (ending->end == VDEVICE_IDLE && virtual_is_on_card(device)) {
        status = insert(folder, options, package, ending);
    } else if (ending->end == VDEVICE_IDLE) {
        feed(device, package->data, package->size, ending);
    }
    ending->operations = device->flash.op;
    vdevice_power_off(device);
    return status;
}

/* What asks this process to end waits until it is decided which package stays on the
 * card: time is virtual, and soon over. */
static int install(struct virtual_device *folder, const struct options *options,
                   const struct bytes *package, struct vflash_fault fault,
                   struct ending *ending)
{
    sigset_t waiting;
    sigset_t before;

    (void)sigemptyset(&waiting);
    (void)sigaddset(&waiting, SIGHUP);
    (void)sigaddset(&waiting, SIGINT);
    (void)sigaddset(&waiting, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &waiting, &before);
    virtual_settle_card(folder);
    int status = run_device(folder, options, package, fault, ending);

    virtual_settle_card(folder);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}

/* Says on stderr how it ended and gives the exit status. */
static int judge(struct vdevice *device, const struct ending *ending, const char **word)
{
    struct otter_device view;
    char code[NAME_CODE_SIZE];

    *word = "failed";
    if (ending->end == VDEVICE_CUT) {
        *word = "power cut";
        (void)fprintf(stderr, "power cut at flash operation %u\n",
                      device->flash.fault.at_op);
        return TOOL_DONE;
    }
    if (ending->end == VDEVICE_BROKEN) {
        (void)fprintf(stderr, "otter: defect: %s\n", device->defect);
        return TOOL_FAILED;
    }
    if (ending->refusal != OTTER_OK) {
        *word = "refused";
        return virtual_refused(ending->refusal);
    }
    if (ending->end != VDEVICE_IDLE || vdevice_inspect(device, &view) != OTTER_OK) {
        (void)fprintf(stderr, "otter: the device does not run [%s] %s\n",
                      name_of_code(device->code, code), text_of_code(device->code));
        return TOOL_FAILED;
    }
    const struct otter_outcome *outcome = &view.journal.state.outcome;

    *word = name_of_outcome(outcome->kind);
    if (outcome->kind == OTTER_OUTCOME_CONFIRMED) {
        return TOOL_DONE;
    }
    (void)fprintf(stderr, "otter: %s [%s] %s\n       %s\n", *word,
                  name_of_code(outcome->code, code), text_of_code(outcome->code),
                  remedy_of_code(outcome->code));
    return outcome->kind == OTTER_OUTCOME_REFUSED ? TOOL_REFUSED : TOOL_FAILED;
}

/* Adds what the code is about, if that can be told. */
static void explain(struct virtual_device *device, const struct options *options,
                    struct bytes *package, struct ending *ending)
{
    struct otter_device view;
    struct package_file opened;
    uint16_t code = otter_code(ending->refusal);

    if (ending->refusal == OTTER_OK &&
        vdevice_inspect(&device->device, &view) == OTTER_OK) {
        code = view.journal.state.outcome.code;
    }
    package_file_take(options->file, *package, &opened);
    *package = (struct bytes){0};
    blame_find(device, &opened, code, &ending->blame);
    blame_print(&opened, &ending->blame);
    package_file_free(&opened);
}

static void print_json(struct vdevice *device, const struct ending *ending,
                       const char *word)
{
    char code[NAME_CODE_SIZE];
    json_t *printed = json_pack("{s:s, s:I, s:o}", "result", word, "flash_operations",
                                (json_int_t)ending->operations, "status",
                                virtual_describe(device, false));

    if (ending->refusal != OTTER_OK) {
        (void)json_object_set_new(
            printed, "code",
            json_string(name_of_code(otter_code(ending->refusal), code)));
    }
    blame_describe(&ending->blame, printed);
    (void)json_dumpf(printed, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)printf("\n");
    json_decref(printed);
}

static int run(const struct options *options, struct bytes *package)
{
    struct virtual_device device;
    struct vflash_fault fault = {.kind = VFLASH_NONE};
    struct ending ending = {.end = VDEVICE_IDLE};
    const char *word = NULL;
    int shown = -1;
    int status = virtual_open(&device, options->directory);

    if (status != TOOL_DONE) {
        return status;
    }
    if (options->cut != NULL) {
        status = virtual_parse_cut(options->cut, device.seed, &fault);
    }
    if (status == TOOL_DONE) {
        virtual_print_events(&device.device, options->is_json);
        device.device.hooks.context = &shown;
        device.device.hooks.on_progress = show_progress;
        device.device.app = options->app;
        status = install(&device, options, package, fault, &ending);
    }
    if (status == TOOL_DONE) {
        status = judge(&device.device, &ending, &word);
        if (status != TOOL_DONE && ending.end == VDEVICE_IDLE) {
            explain(&device, options, package, &ending);
        }
        if (options->is_json) {
            print_json(&device.device, &ending, word);
        } else {
            (void)printf("%s\n", word);
        }
    }
    virtual_close(&device);
    return status;
}

int verb_install(int argc, char **argv)
{
    struct options options = {.app = VDEVICE_CONFIRM};
    struct bytes package = {0};
    int status = parse_options(argc, argv, &options);

    if (status != TOOL_DONE) {
        return status < 0 ? TOOL_DONE : status;
    }
    status = file_read(options.file, FILE_ANY_SIZE, &package);
    if (status == TOOL_DONE) {
        status = run(&options, &package);
    }
    bytes_free(&package);
    return status;
}
