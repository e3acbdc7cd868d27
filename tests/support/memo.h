/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BearSSL with remembered signature checks (K27): the same answers, given at once when
 * the question was asked before. tests/powercut proves that both lead to the same
 * flash.
 */
#ifndef OTTER_TEST_MEMO_H
#define OTTER_TEST_MEMO_H

#include "otter/port/crypto.h"

/* Makes a port on BearSSL remember. What it remembers is shared by all. */
void memo_crypto(struct otter_crypto *crypto);

#endif
