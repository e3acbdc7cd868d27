#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# otter errors: one code, all codes, and what is no code. Also the tool's own help.
set -euo pipefail
. "$(dirname "$0")/lib_check.bash"

check "a code is explained" 0 "[20-15] The package's hash does not match" \
    "$OTTER" errors 20-15
check "a remedy is given" 0 "Get the file again" "$OTTER" errors "[20-15]"
check "a percentage finds its range" 0 "[10-00 to 10-100] Writing flash failed" \
    "$OTTER" errors 10-57
check "JSON names stage and text" 0 '"text": "Writing flash failed"' \
    "$OTTER" errors 10-57 --json
check "an unknown code fails" 1 "no code 99-01" "$OTTER" errors 99-01
check "what is no code is a usage error" 2 "write it as XX-YY" "$OTTER" errors hello
check "an unknown option is a usage error" 2 "option --loud is not known" \
    "$OTTER" errors --loud
check "all codes are listed" 0 "[33-10]" "$OTTER" errors
check "the page in docs is the table" 0 "same" \
    bash -c 'diff <("$OTTER" errors --markdown) "$OTTER_TOP/docs/ERRORS.md" && echo same'

check "no verb is a usage error" 2 "usage: otter VERB" "$OTTER"
check "an unknown verb is a usage error" 2 'no verb "updat"' "$OTTER" updat
check "help lists the verbs" 0 "explain codes" "$OTTER" help
check "help explains a verb" 0 "usage: otter errors" "$OTTER" help errors
check "the version is printed" 0 "otter 0." "$OTTER" --version
check "a full disk is noticed" 1 "standard output cannot be written" \
    bash -c '"$OTTER" errors > /dev/full'
for verb in keygen factory pack inspect verify device send install status confirm errors; do
    check "$verb knows --help" 0 "otter $verb" "$OTTER" "$verb" --help
done
