/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device without a whole application looks for on its card: packages in the
 * folder OTTER_CARD_UPDATE (card.h), one file after the other. First the package of the
 * system that the device has, wherever it stands in the folder; then any other one that
 * is not older. A search proposes, by what a file says of itself; the card door judges.
 *
 *     otter_card_search_open() -> otter_card_search_step() until it answers 36-11
 */
#ifndef OTTER_CARD_SEARCH_H
#define OTTER_CARD_SEARCH_H

#include "otter/card_door.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct otter_card_search {
    struct otter_device *device;
    enum otter_result
        why; /* why nothing was taken, below; 36-11: no package was seen */
    char path[OTTER_PATH_SIZE]; /* of what was found */

    /* Private. */
    uint8_t index;   /* of the next entry */
    uint8_t weight;  /* of `why` */
    bool is_for_any; /* the second time through the folder */
    bool is_asked_for;
};

/* Starts. `is_asked_for`: a person has put the card in, so that no package is passed
 * over for what became of it before, nor for its age. */
void otter_card_search_open(struct otter_card_search *search,
                            struct otter_device *device, bool is_asked_for);

/* Looks at the next entry of the folder: reads the beginning of one file at most, with
 * `door`, which is not busy, as work space. `is_found`: `path` is to be given to the
 * door. 36-11 at the end, 36-10 without a card. Writes nothing. */
OTTER_MUST_CHECK enum otter_result otter_card_search_step(
    struct otter_card_search *search, struct otter_card_door *door, bool *is_found);

/* Notes why the door refused what was found last. `why` keeps what became of the
 * present system's own package; else of another one, the last of several; else an age,
 * 36-22.
 */
void otter_card_search_note(struct otter_card_search *search, enum otter_result why);

#ifdef __cplusplus
}
#endif

#endif
