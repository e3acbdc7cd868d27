/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter completion: scripts that let bash, zsh and fish complete verbs, options and
 * their values, printed from the tables that parse the command line.
 * docs/man/otter-completion.1.scd.
 *
 * Facts: bash(1), "Programmable Completion"; zshcompsys(1); complete(1) of fish.
 */
#include "completion.h"

#include "help.h"
#include "say.h"
#include "verbs.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const struct completion_value completion_values[] = {
    {"output", COMPLETION_FILE, NULL},
    {"key", COMPLETION_FILE, NULL},
    {"public", COMPLETION_FILE, NULL},
    {"encrypt-to", COMPLETION_FILE, NULL},
    {"revoke", COMPLETION_FILE, NULL},
    {"table-keys", COMPLETION_FILE, NULL},
    {"table-from", COMPLETION_FILE, NULL},
    {"decrypt-with", COMPLETION_FILE, NULL},
    {"secret", COMPLETION_FILE, NULL},
    {"device-key", COMPLETION_FILE, NULL},
    {"keys-out", COMPLETION_FILE, NULL},
    {"sign", COMPLETION_FILE, NULL},
    {"follow", COMPLETION_FILE, NULL},
    {"map", COMPLETION_FILE, NULL},
    {"boot", COMPLETION_FILE, NULL},
    {"manager", COMPLETION_FILE, NULL},
    {"firmware", COMPLETION_FILE, NULL},
    {"resources", COMPLETION_FILE, NULL},
    {"font", COMPLETION_FILE, NULL},
    {"package", COMPLETION_FILE, NULL},
    {"package-out", COMPLETION_FILE, NULL},
    {"device", COMPLETION_FILE, NULL},
    {"profile", COMPLETION_WORDS, "link ab full sd"},
    {"app", COMPLETION_WORDS, "confirm silent crash hang"},
    {"app-old", COMPLETION_WORDS, "confirm silent crash hang"},
    {"policy", COMPLETION_WORDS,
     "trial-deadline= manager-wait= watchdog= trial-faults= trial-powers= receive= "
     "request= confirm= erase= reset= manager= read= upgrade= saved-copies="},
    {"member", COMPLETION_WORDS,
     "firmware= manager= table= loader= radio= resources= font= option-bytes="},
    {"sign-with", COMPLETION_TEXT, NULL},
    {"sign-timeout", COMPLETION_TEXT, NULL},
    {"coding", COMPLETION_WORDS, "auto raw zlib heatshrink"},
    {"coding-memory", COMPLETION_TEXT, NULL},
    {"version", COMPLETION_TEXT, NULL},
    {"counter", COMPLETION_TEXT, NULL},
    {"target", COMPLETION_TEXT, NULL},
    {"hardware", COMPLETION_TEXT, NULL},
    {"follows", COMPLETION_TEXT, NULL},
    {"boot-min", COMPLETION_TEXT, NULL},
    {"manager-min", COMPLETION_TEXT, NULL},
    {"only", COMPLETION_TEXT, NULL},
    {"rebase", COMPLETION_TEXT, NULL},
    {"link", COMPLETION_TEXT, NULL},
    {"variant", COMPLETION_TEXT, NULL},
    {"battery", COMPLETION_TEXT, NULL},
    {"vendor", COMPLETION_TEXT, NULL},
    {"product", COMPLETION_TEXT, NULL},
    {"version-text", COMPLETION_TEXT, NULL},
    {"build", COMPLETION_TEXT, NULL},
    {"notes", COMPLETION_TEXT, NULL},
    {"trial-deadline", COMPLETION_TEXT, NULL},
    {"seed", COMPLETION_TEXT, NULL},
    {"udp", COMPLETION_TEXT, NULL},
    {"serial", COMPLETION_FILE, NULL},
    {"cut", COMPLETION_TEXT, NULL},
    {"time-scale", COMPLETION_TEXT, NULL},
    {"seconds", COMPLETION_TEXT, NULL},
    {"timeout", COMPLETION_TEXT, NULL},
    {"chunk", COMPLETION_TEXT, NULL},
    {0},
};

/* --- walking the tables --- */

/* Options behind "help" are there for tests. */
static bool is_last(const struct option *option)
{
    return option->name == NULL || strcmp(option->name, "help") == 0;
}

/* All options of a verb, divided by spaces. */
static void print_options(const struct verb *verb)
{
    for (const struct option *option = verb->options;
         option != NULL && !is_last(option); option++) {
        (void)printf("%s--%s ", strcmp(option->name, "output") == 0 ? "-o " : "",
                     option->name);
    }
    (void)printf("--help");
}

static bool is_first_of_name(const struct verb *verb)
{
    return verb == verbs || strcmp(verb[-1].name, verb->name) != 0;
}

static void print_names(void)
{
    for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
        if (is_first_of_name(verb)) {
            (void)printf("%s ", verb->name);
        }
    }
    (void)printf("help");
}

static void print_actions(const char *name)
{
    const char *before = "";

    for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
        if (verb->action != NULL && strcmp(verb->name, name) == 0) {
            (void)printf("%s%s", before, verb->action);
            before = " ";
        }
    }
}

static void print_pages(void)
{
    const char *before = "";

    for (const struct help_page *page = help_pages; page->name != NULL; page++) {
        (void)printf("%s%s", before, page->name);
        before = " ";
    }
}

/* "--key|--public|-o": patterns of the options whose values are of that kind. */
static void print_patterns(enum completion_kind kind)
{
    const char *before = kind == COMPLETION_FILE ? "-o|" : "";

    for (const struct completion_value *value = completion_values;
         value->option != NULL; value++) {
        if (value->kind == kind) {
            (void)printf("%s--%s", before, value->option);
            before = "|";
        }
    }
}

/* --- bash and zsh: one function each, a case a verb --- */

/* How a shell takes a list of words. */
struct shell {
    const char *words_before, *words_behind;
    const char *files;
    const char *nothing;
};

static void print_values(const struct shell *shell)
{
    for (const struct completion_value *value = completion_values;
         value->option != NULL; value++) {
        if (value->kind == COMPLETION_WORDS) {
            (void)printf("    --%s) %s%s%s ;;\n", value->option, shell->words_before,
                         value->words, shell->words_behind);
        }
    }
    (void)printf("    ");
    print_patterns(COMPLETION_FILE);
    (void)printf(") %s ;;\n    ", shell->files);
    print_patterns(COMPLETION_TEXT);
    (void)printf(") %s ;;\n", shell->nothing);
}

static void print_verb(const struct verb *verb)
{
    (void)printf("    \"%s%s%s\") options=\"", verb->name,
                 verb->action == NULL ? "" : " ",
                 verb->action == NULL ? "" : verb->action);
    print_options(verb);
    (void)printf("\"");
    if (verb->operand == VERB_OPERAND_WORDS) {
        (void)printf(" offers=\"%s\"", verb->words);
    }
    (void)printf(" operand=%s ;;\n", verb->operand == VERB_OPERAND_FILE    ? "file"
                                     : verb->operand == VERB_OPERAND_WORDS ? "words"
                                                                           : "none");
}

static void print_verbs(void)
{
    for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
        if (verb->action != NULL && is_first_of_name(verb)) {
            (void)printf("    \"%s\") options=--help offers=\"", verb->name);
            print_actions(verb->name);
            (void)printf("\" operand=words ;;\n");
        }
        print_verb(verb);
    }
    (void)printf("    \"help\") options= offers=\"");
    print_pages();
    (void)printf("\" operand=words ;;\n"
                 "    \"\") options=\"--help --version\" offers=\"");
    print_names();
    (void)printf("\" operand=words ;;\n");
}

/* "device new" is known by both words. */
static void print_verbs_with_actions(void)
{
    const char *before = "";

    for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
        if (verb->action != NULL && is_first_of_name(verb)) {
            (void)printf("%s%s", before, verb->name);
            before = "|";
        }
    }
}

static void print_bash(void)
{
    static const struct shell shell = {"COMPREPLY=($(compgen -W \"",
                                       "\" -- \"$current\")); return",
                                       "_otter_files \"$current\"; return", "return"};

    (void)fputs("# bash completion of otter; made by: otter completion bash\n"
                "_otter_files() {\n"
                "    compopt -o filenames 2>/dev/null\n"
                "    mapfile -t COMPREPLY < <(compgen -f -- \"$1\")\n"
                "}\n\n"
                "_otter() {\n"
                "    local current=${COMP_WORDS[COMP_CWORD]}\n"
                "    local before=${COMP_WORDS[COMP_CWORD-1]}\n"
                "    local verb= options= offers= operand=none\n"
                "    COMPREPLY=()\n"
                "    [ \"$COMP_CWORD\" -lt 2 ] || verb=${COMP_WORDS[1]}\n"
                "    case \"$verb\" in\n    ",
                stdout);
    print_verbs_with_actions();
    (void)fputs(") [ \"$COMP_CWORD\" -lt 3 ] || verb=\"$verb ${COMP_WORDS[2]}\" ;;\n"
                "    esac\n"
                "    [ -z \"$verb\" ] || case \"$before\" in\n",
                stdout);
    print_values(&shell);
    (void)fputs("    esac\n    case \"$verb\" in\n", stdout);
    print_verbs();
    (void)fputs(
        "    esac\n"
        "    case \"$current\" in\n"
        "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$current\")); return ;;\n"
        "    esac\n"
        "    case \"$operand\" in\n"
        "    words) COMPREPLY=($(compgen -W \"$offers\" -- \"$current\")) ;;\n"
        "    file) _otter_files \"$current\" ;;\n"
        "    esac\n"
        "}\n"
        "complete -F _otter otter\n",
        stdout);
}

static void print_zsh(void)
{
    static const struct shell shell = {"compadd -- ", "; return", "_files; return",
                                       "return"};

    (void)fputs("#compdef otter\n"
                "# zsh completion of otter; made by: otter completion zsh\n"
                "_otter() {\n"
                "    local before=${words[CURRENT-1]} verb= options= operand=none\n"
                "    local offers=\n"
                "    (( CURRENT < 3 )) || verb=${words[2]}\n"
                "    case \"$verb\" in\n    ",
                stdout);
    print_verbs_with_actions();
    (void)fputs(") (( CURRENT < 4 )) || verb=\"$verb ${words[3]}\" ;;\n"
                "    esac\n"
                "    [ -z \"$verb\" ] || case \"$before\" in\n",
                stdout);
    print_values(&shell);
    (void)fputs("    esac\n    case \"$verb\" in\n", stdout);
    print_verbs();
    (void)fputs("    esac\n"
                "    case \"$PREFIX\" in\n"
                "    -*) compadd -- ${=options}; return ;;\n"
                "    esac\n"
                "    case \"$operand\" in\n"
                "    words) compadd -- ${=offers} ;;\n"
                "    file) _files ;;\n"
                "    esac\n"
                "}\n"
                "_otter \"$@\"\n",
                stdout);
}

/* --- fish: a line an option --- */

static const struct completion_value *find_value(const char *option)
{
    const struct completion_value *value = completion_values;

    while (value->option != NULL && strcmp(value->option, option) != 0) {
        value++;
    }
    return value;
}

static void print_condition(const struct verb *verb)
{
    (void)printf("complete -c otter -n '__fish_seen_subcommand_from %s", verb->name);
    if (verb->action != NULL) {
        (void)printf("; and __fish_seen_subcommand_from %s", verb->action);
    }
    (void)printf("'");
}

static void print_fish_option(const struct verb *verb, const struct option *option)
{
    const struct completion_value *value = find_value(option->name);

    print_condition(verb);
    (void)printf(" -l %s", option->name);
    if (strcmp(option->name, "output") == 0) {
        (void)printf(" -s o");
    }
    if (option->has_arg == no_argument) {
        (void)printf("\n");
    } else if (value->kind == COMPLETION_FILE) {
        (void)printf(" -r -F\n");
    } else if (value->kind == COMPLETION_WORDS) {
        (void)printf(" -x -a '%s'\n", value->words);
    } else {
        (void)printf(" -x\n");
    }
}

/* Between single quotes fish knows two escapes. */
static void print_quoted(const char *text)
{
    (void)putchar('\'');
    for (; *text != '\0'; text++) {
        (void)printf(*text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
    }
    (void)putchar('\'');
}

static void print_fish_verb(const struct verb *verb)
{
    if (is_first_of_name(verb)) {
        (void)printf("complete -c otter -n __fish_use_subcommand -a %s -d ",
                     verb->name);
        print_quoted(help_find(verb->name)->summary);
        (void)printf("\n");
    }
    if (is_first_of_name(verb) && verb->action != NULL) {
        (void)printf("complete -c otter -n '__fish_seen_subcommand_from %s; and not "
                     "__fish_seen_subcommand_from ",
                     verb->name);
        print_actions(verb->name);
        (void)printf("' -a '");
        print_actions(verb->name);
        (void)printf("'\n");
    }
    for (const struct option *option = verb->options;
         option != NULL && !is_last(option); option++) {
        print_fish_option(verb, option);
    }
    if (verb->operand == VERB_OPERAND_FILE) {
        print_condition(verb);
        (void)printf(" -F\n");
    } else if (verb->operand == VERB_OPERAND_WORDS) {
        print_condition(verb);
        (void)printf(" -a '%s'\n", verb->words);
    }
}

static void print_fish(void)
{
    (void)fputs(
        "# fish completion of otter; made by: otter completion fish\n"
        "complete -c otter -f\n"
        "complete -c otter -n __fish_use_subcommand -l version\n"
        "complete -c otter -n __fish_use_subcommand -a help -d 'explain a verb'\n"
        "complete -c otter -l help\n"
        "complete -c otter -n '__fish_seen_subcommand_from help' -a '",
        stdout);
    print_pages();
    (void)printf("'\n");
    for (const struct verb *verb = verbs; verb->name != NULL; verb++) {
        print_fish_verb(verb);
    }
}

/* --- the verb --- */

int verb_completion(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        return help_print("completion");
    }
    for (size_t i = 0; argc == 2 && i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (strcmp(argv[1], shells[i].name) == 0) {
            shells[i].print();
            return TOOL_DONE;
        }
    }
    return complain_usage("completion takes bash, zsh or fish");
}
