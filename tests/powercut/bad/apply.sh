#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# apply.sh PROGRAM PATCH TOP FOLDER FILE...: copies FILE... of the tree TOP to FOLDER,
# under their paths, and applies PATCH there with PROGRAM. Fails, and says which patch
# it is, if it does not apply.
set -eu
program=$1 patch=$2 top=$3 folder=$4
shift 4

rm -rf "$folder"
for file in "$@"; do
    mkdir -p "$folder/$(dirname "$file")"
    cp "$top/$file" "$folder/$file"
done
if ! "$program" -p1 -s --no-backup-if-mismatch -d "$folder" < "$patch"; then
    rm -rf "$folder"
    echo "$patch does not apply: the code it spoils has changed; make it anew" >&2
    exit 1
fi
