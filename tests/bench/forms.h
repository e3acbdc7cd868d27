/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same update in every form that a package can have, on every real profile: its
 * size, the RAM to decode in, flash time after reception over what must be written
 * then, and the erases of each region.
 */
#ifndef OTTER_BENCH_FORMS_H
#define OTTER_BENCH_FORMS_H

/* Two tables; ends the process if an update does not end as it must. */
void bench_forms_print(void);

/* The same as a JSON object. */
void bench_forms_print_json(void);

#endif
