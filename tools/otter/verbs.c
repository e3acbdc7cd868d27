/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of verbs, in the order in which help shows them.
 */
#include "verbs.h"

const struct verb verbs[] = {
    {"keygen", NULL, keygen_options, VERB_OPERAND_NONE, NULL, verb_keygen},
    {"key", "show", key_show_options, VERB_OPERAND_FILE, NULL, verb_key},
    {"key", "id", key_id_options, VERB_OPERAND_FILE, NULL, verb_key},
    {"key", "public", key_public_options, VERB_OPERAND_FILE, NULL, verb_key},
    {"factory", NULL, factory_options, VERB_OPERAND_NONE, NULL, verb_factory},
    {"pack", NULL, pack_options, VERB_OPERAND_FILE, NULL, verb_pack},
    {"inspect", NULL, inspect_options, VERB_OPERAND_FILE, NULL, verb_inspect},
    {"verify", NULL, verify_options, VERB_OPERAND_FILE, NULL, verb_verify},
    {"device", "new", device_new_options, VERB_OPERAND_FILE, NULL, verb_device},
    {"device", "run", device_run_options, VERB_OPERAND_FILE, NULL, verb_device},
    {"device", "cut", NULL, VERB_OPERAND_FILE, NULL, verb_device},
    {"device", "info", device_info_options, VERB_OPERAND_FILE, NULL, verb_device},
    {"send", NULL, send_options, VERB_OPERAND_FILE, NULL, verb_send},
    {"install", NULL, install_options, VERB_OPERAND_FILE, NULL, verb_install},
    {"status", NULL, status_options, VERB_OPERAND_FILE, NULL, verb_status},
    {"confirm", NULL, confirm_options, VERB_OPERAND_FILE, NULL, verb_confirm},
    {"errors", NULL, errors_options, VERB_OPERAND_NONE, NULL, verb_errors},
    {"completion", NULL, NULL, VERB_OPERAND_WORDS, "bash zsh fish", verb_completion},
    {0},
};
