/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each coding makes of the bench's new image, and what RAM it costs.
 */
#ifndef OTTER_BENCH_CODINGS_H
#define OTTER_BENCH_CODINGS_H

#include "factory.h"

/* A Markdown table, or a JSON list without its name. Aborts if an image does not
 * decode.
 */
void bench_codings_print(const struct host_image *image);
void bench_codings_print_json(const struct host_image *image);

#endif
