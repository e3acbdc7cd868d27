#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Makes the image vectors next to it with the Arm binutils: one program at two places,
# as ELF, Intel HEX and binary. Its data runs in RAM and is stored behind the code
# (p_vaddr and p_paddr differ), with a gap between. At 0x18000 objcopy writes HEX
# records of type 02 and 03, at 0x10060000 of type 04 and 05.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/tiny.s" <<'END'
    .section .vectors, "ax"
    .word 0x20004000
    .word start + 1
    .fill 37, 1, 0x11
    .thumb
    .balign 2
    .global start
start:
    b start
    .section .data, "aw"
    .ascii "data in RAM, stored in flash"
    .byte 0
END

make() {
    cat >"$work/tiny.ld" <<END
ENTRY(start)
SECTIONS {
    .vectors $2 : { *(.vectors) }
    .data 0x20000000 : AT($2 + 0x80) { *(.data) }
    /DISCARD/ : { *(.ARM.attributes) }
}
END
    arm-none-eabi-as -mcpu=cortex-m0 -mthumb "$work/tiny.s" -o "$work/tiny.o"
    arm-none-eabi-ld -n --no-warn-rwx-segments -T "$work/tiny.ld" "$work/tiny.o" -o "$1.elf" ||
        arm-none-eabi-ld -n -T "$work/tiny.ld" "$work/tiny.o" -o "$1.elf"
    arm-none-eabi-strip "$1.elf"
    arm-none-eabi-objcopy -O ihex "$1.elf" "$1.hex"
    arm-none-eabi-objcopy -O binary --gap-fill 0xFF "$1.elf" "$1.bin"
}

make low 0x00018000
make high 0x10060000
