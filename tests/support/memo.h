/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BearSSL with remembered signature checks (K27): the same answers, given at once when
 * the question was asked before. tests/powercut proves that both lead to the same
 * flash.
 */
#ifndef OTTER_TEST_MEMO_H
#define OTTER_TEST_MEMO_H

#include "otter/port/crypto.h"

/* Lives for ever; shared by all who ask. */
const struct otter_crypto *memo_crypto(void);

#endif
