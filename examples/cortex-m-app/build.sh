#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Builds the example program: build.sh OUT.elf ADDR VERSION. ADDR is where it runs.
set -eu
if [ $# -ne 3 ]; then
    echo "usage: $0 OUT.elf ADDR VERSION" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
exec arm-none-eabi-gcc -mcpu=cortex-m0 -mthumb -Os -std=c11 -ffreestanding -nostdlib \
    -fno-builtin -Wall -Wextra -Werror -DAPP_VERSION="$3" \
    -Wl,--defsym=APP_ADDR="$2" -Wl,--build-id=none -T "$here/app.ld" \
    "$here/main.c" -o "$1"
