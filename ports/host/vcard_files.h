/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files port on a virtual card.
 */
#ifndef OTTER_HOST_VCARD_FILES_H
#define OTTER_HOST_VCARD_FILES_H

#include "otter/port/files.h"
#include "vcard.h"

/* Fills `files`; both stay in use. */
void vcard_files(struct vcard *card, struct otter_files *files);

#endif
