#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Code, static RAM and stack of the device library on Cortex-M0+ and M4 with -Os:
#   1. per module: text, data, bss of its objects, before unused functions go
#   2. the largest stack frames, from -fstack-usage
#   3. per program of tests/size, linked with --gc-sections, without and with BearSSL, and
#      with keys for encrypted packages: text, static RAM and the worst stack
#      (scripts/stack.awk)
#   4. the limits of boot (K24): 2 KiB of static RAM, 4 KiB of stack, no texts of codes.
#      Status 1 beyond one.
# A program of tests/size has `int entry(void)` and is compiled with OTTER_SIZE_CRYPTO
# as 0 (no crypto port: it brings stubs), 1 (ports/common/crypto_bearssl.c is linked) or
# 2 (crypto_bearssl_keys.c, too: encrypted packages; boot takes the storage key alone).
set -euo pipefail
shopt -s inherit_errexit
. "$(dirname "$0")/files.sh"

presets=(cortex-m0plus cortex-m4)
static_max=2048
stack_max=4096
failed=0

# What a program calls; the deepest of them is its stack.
roots_of() {
    case $1 in
    boot | boot_loader) echo otter_boot_run ;;
    manager) echo otter_manager_open otter_manager_poll ;;
    agent) echo otter_agent_open otter_agent_poll otter_agent_confirm ;;
    esac
}

sum_sizes() { # objects...
    arm-none-eabi-size "$@" | awk 'NR > 1 {t += $1; d += $2; b += $3}
        END {printf "%8d %6d %6d\n", t, d, b}'
}

modules() {
    local preset=$1 objects=$build/$1/CMakeFiles/otter.dir/src module found
    echo
    echo "$preset: modules        text   data    bss"
    for module in "$objects"/*/; do
        mapfile -t found < <(find "$module" -name '*.obj')
        if [ ${#found[@]} -eq 0 ]; then continue; fi
        printf '  %-16s %s\n' "$(basename "$module")" "$(sum_sizes "${found[@]}")"
    done
    for module in "$objects"/*.obj; do
        if [ ! -f "$module" ]; then continue; fi
        printf '  %-16s %s\n' "$(basename "$module" .c.obj)" "$(sum_sizes "$module")"
    done
    mapfile -t found < <(find "$objects" -name '*.obj')
    printf '  %-16s %s\n' total "$(sum_sizes "${found[@]}")"
}

frames() {
    echo
    echo "$1: largest stack frames in bytes"
    find "$build/$1/CMakeFiles/otter.dir" -name '*.su' -exec cat {} + |
        sed -E 's|^([^:]*/)?([^:/]+):[0-9]+:[0-9]+:|\2\t|' | sort -t "$(printf '\t')" -k3,3nr |
        awk -F '\t' 'NR <= 10 {printf "  %6d  %s (%s)%s\n", $3, $2, $1, $4 == "static" ? "" : " " $4}'
}

compile() { # preset, out, source, options...
    local preset=$1 out=$2 source=$3
    shift 3
    arm-none-eabi-gcc -mcpu="$preset" -mthumb -Os -g -std=c11 -ffunction-sections \
        -fdata-sections -fcallgraph-info=su "$@" -c "$source" -o "$out"
}

bearssl() { # preset
    local preset=$1 to=$build/bearssl/$1 source=$build/bearssl/source file
    scripts/fetch_bearssl_source.sh
    mkdir -p "$to"
    if [ ! -f "$to/libbearssl.a" ] || [ ! -f "$to/ec_p256_m31.ci" ] || [ ! -f "$to/hkdf.ci" ]; then
        # What SHA-256, ECDSA verification and decryption can reach.
        while read -r file; do
            compile "$preset" "$to/$(basename "$file" .c).o" "$file" -w -I "$source/inc" -I "$source/src"
        done < <(find "$source"/src/codec "$source"/src/ec "$source"/src/hash "$source"/src/int \
            "$source"/src/kdf "$source"/src/mac "$source"/src/symcipher -name '*.c' ! -name '*_pwr8*' ! -name '*_x86ni*' ! -name '*_sse2*')
        arm-none-eabi-ar rcs "$to/libbearssl.a" "$to"/*.o
    fi
    compile "$preset" "$to/crypto_bearssl.obj" ports/common/crypto_bearssl.c -Iinclude -Iports/common -I "$source/inc"
    compile "$preset" "$to/crypto_bearssl_keys.obj" ports/common/crypto_bearssl_keys.c -Iinclude \
        -Iports/common -I "$source/inc"
    mkdir -p "$to/i15"
    compile "$preset" "$to/i15/crypto_bearssl.obj" ports/common/crypto_bearssl.c -DOTTER_BEARSSL_I15=1 \
        -Iinclude -Iports/common -I "$source/inc"
}

# stack PRESET NAME CRYPTO [FOLDER]: the deepest path, "BYTES root: ...". The crypto port's
# graph is looked for in FOLDER.
stack() {
    local preset=$1 name=$2 crypto=$3 folder=${4:-} graphs
    mapfile -t graphs < <(find "$build/$preset/CMakeFiles/otter.dir" -name '*.ci')
    if [ "$crypto" -ge 1 ]; then
        mapfile -t -O ${#graphs[@]} graphs < <(find "$build/bearssl/$preset" -maxdepth 1 -name '*.ci' \
            ! -name 'crypto_bearssl*')
        graphs+=("$build/bearssl/$preset/${folder}crypto_bearssl.ci")
    fi
    if [ "$crypto" -eq 2 ]; then graphs+=("$build/bearssl/$preset/crypto_bearssl_keys.ci"); fi
    awk -v roots="$(roots_of "$name")" -f scripts/stack.awk "${graphs[@]}" | sort -nr | head -n 1
}

# text, static RAM and stack of every program, one a line, into $rows
measure() { # preset
    local preset=$1 name crypto bin object path
    bearssl "$preset"
    mkdir -p "$build/$preset/size"
    for name in boot boot_loader manager agent; do
        for crypto in 0 1 2; do
            bin=$build/$preset/size/$name-$crypto.elf
            object=$build/$preset/size/$name-$crypto.o
            compile "$preset" "$object" "tests/size/$name.c" -Wall -Wextra -Wno-unused-const-variable \
                -DOTTER_SIZE_CRYPTO=$crypto -Iinclude -Iports/common
            arm-none-eabi-gcc -mcpu="$preset" -mthumb -nostartfiles --specs=nosys.specs \
                -Wl,--gc-sections -Wl,-e,entry -o "$bin" "$object" \
                "$build/bearssl/$preset/crypto_bearssl.obj" \
                "$build/bearssl/$preset/crypto_bearssl_keys.obj" "$build/$preset/libotter.a" \
                "$build/bearssl/$preset/libbearssl.a"
            path=$(stack "$preset" "$name" "$crypto")
            arm-none-eabi-size "$bin" | awk -v preset="$preset" -v name="$name" -v crypto="$crypto" \
                -v stack="${path%% *}" 'NR == 2 {print preset, name, crypto, $1, $2 + $3, stack}'
            echo "path $preset $name $crypto ${path#* }"
        done
    done
}

table() {
    awk '
        $1 == "path" {next}
        {key = $1 SUBSEP $2 SUBSEP $3; text[key] = $4; ram[key] = $5; stack[key] = $6}
        function row(title, preset, a, b, i, cells, t, r, s, ka, kb) {
            cells = ""
            for (i = 0; i < 3; i++) {
                ka = preset SUBSEP a SUBSEP i
                kb = preset SUBSEP b SUBSEP i
                t = text[ka] + (b == "" ? 0 : text[kb])
                r = ram[ka]; if (b != "" && ram[kb] > r) { r = ram[kb] }
                s = stack[ka]; if (b != "" && stack[kb] > s) { s = stack[kb] }
                cells = cells sprintf(" %d | %d | %d |", t, r, s)
            }
            print "| " preset " | " title " |" cells
        }
        END {
            print "| processor | program | text | static RAM | stack | text with BearSSL | static RAM | stack |" \
                " and with encryption | static RAM | stack |"
            print "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
            for (p = 1; p <= 2; p++) {
                preset = p == 1 ? "cortex-m0plus" : "cortex-m4"
                row("boot", preset, "boot", "")
                row("boot with loaders from a card", preset, "boot_loader", "")
                row("manager + SMP", preset, "manager", "")
                row("boot + manager + SMP", preset, "boot", "manager")
                row("agent + SMP", preset, "agent", "")
            }
        }' <<<"$rows"
}

gate() { # what, value, limit
    if [ "$2" -gt "$3" ]; then
        echo "size: $1 is $2 bytes, more than $3 (K24)" >&2
        failed=1
    fi
}

gates() {
    local preset name crypto text ram stack bin
    while read -r preset name crypto text ram stack; do
        case $name in boot*) ;; *) continue ;; esac
        gate "$preset: static RAM of $name" "$ram" $static_max
        gate "$preset: stack of $name" "$stack" $stack_max
        bin=$build/$preset/size/$name-$crypto.elf
        if arm-none-eabi-nm "$bin" | grep -qE ' (rows|otter_error_find|otter_error_row)$'; then
            echo "size: $preset: boot links the texts of the codes" >&2
            failed=1
        fi
    done < <(grep -v '^path' <<<"$rows")
}

for preset in "${presets[@]}"; do modules "$preset"; done
for preset in "${presets[@]}"; do frames "$preset"; done
rows=$(for preset in "${presets[@]}"; do measure "$preset"; done)
echo
echo "worst stack of each program, and how it comes about"
awk '$1 == "path" {line = "  " $2 ", " $3 ($4 == 0 ? ":" : $4 == 1 ? " + BearSSL:" : " + BearSSL, encryption:")
    for (i = 6; i <= NF; i++) { line = line " " $i }
    print line}' <<<"$rows"
echo "  with -DOTTER_BEARSSL_I15=1 boot takes $(stack cortex-m0plus boot 1 i15/ | cut -d ' ' -f 1)" \
    "bytes on cortex-m0plus: more than the limit, so the limit is i31's"
echo
echo "Bytes; boot, manager and agent never run at once, so RAM and stack are not added."
echo
table
gates
exit "$failed"
