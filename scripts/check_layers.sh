#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Includes point one way. Two tables, to be edited when a module or a header is added:
# which headers belong to a module, and which modules a module may include.
#
#   base < package < codec < flash < device < store < door | install | boot < top
#
# Siblings (door, install, boot) never include each other.
set -euo pipefail
. "$(dirname "$0")/files.sh"

# module: its public headers, include/otter/<name>.h
declare -A headers=(
    [base]="error config bytes crc32 utf8 events source path"
    [package]="control container tar"
    [codec]="stream"
    [flash]="map memory_map io table journal receipt state"
    [device]="device repair cipher card left"
    [store]="plan store copying saving kept rebuild"
    [door]="receive card_door card_search smp cbor serial_frame"
    [install]="install restore tree"
    [boot]="boot"
    [top]="agent manager otter"
)

# module: modules that it may include besides itself
declare -A allowed=(
    [base]=""
    [package]="base"
    [codec]="base package"
    [flash]="base package"
    [device]="base package flash"
    [store]="base package flash codec device"
    [door]="base package flash codec store device"
    [install]="base package flash codec store device"
    [boot]="base package flash codec store device"
    [top]="base package flash codec store device door install boot"
)

# port header: modules that may include it; "any" of them, or those listed
declare -A ports=(
    [flash]="flash device"
    [crypto]="any"
    [board]="device door install boot top"
    [link]="device door top"
    [inflate]="codec device"
    [files]="device store door install"
)

# file:include that no rule covers: the headers with which a product overrides defaults
overrides="
    include/otter/config.h:OTTER_CONFIG
    include/otter/memory_map.h:OTTER_CUSTOM_MEMORY_MAP
    include/otter/memory_map.h:custom_memory_map.h
"

declare -A module_of
for module in "${!headers[@]}"; do
    for name in ${headers[$module]}; do module_of[$name]=$module; done
done

failed=0
complain() {
    echo "layers: $1: $2" >&2
    failed=1
}

has() { case " $1 " in *" $2 "*) return 0 ;; *) return 1 ;; esac; }

module_of_file() {
    local path=$1 name
    case "$path" in
    include/otter/port/*) echo port ;;
    include/otter/*.h)
        name=$(basename "$path" .h)
        echo "${module_of[$name]:-unknown}"
        ;;
    src/*/*) path=${path#src/} && echo "${path%%/*}" ;;
    src/*) echo top ;;
    esac
}

# check FILE MODULE INCLUDED
check() {
    local file=$1 module=$2 included=$3 name target
    if has "${overrides//$'\n'/ }" "$file:$included"; then return; fi
    case "$included" in
    string.h | stdint.h | stddef.h | stdbool.h | limits.h) ;;
    otter/port/*)
        name=$(basename "$included" .h)
        [ "$module" != port ] || complain "$file" "a port includes $included"
        if [ "${ports[$name]:-}" != any ] && ! has "${ports[$name]:-}" "$module"; then
            complain "$file" "$module may not include $included"
        fi
        ;;
    otter/*)
        name=$(basename "$included" .h)
        target=${module_of[$name]:-}
        if [ -z "$target" ]; then
            complain "$file" "$included belongs to no module: add it to scripts/check_layers.sh"
        elif [ "$module" = port ]; then
            [ "$target" = base ] || complain "$file" "a port includes $included"
        elif [ "$target" != "$module" ] && ! has "${allowed[$module]}" "$target"; then
            complain "$file" "$module may not include $included ($target)"
        fi
        ;;
    */*)
        target=${included%%/*}
        if [ "$target" != "$module" ]; then
            complain "$file" "$included is private to $target"
        fi
        ;;
    *)
        if [ ! -f "$(dirname "$file")/$included" ]; then
            complain "$file" "$included is neither a header of ours nor freestanding"
        fi
        ;;
    esac
}

count=0
while read -r file; do
    module=$(module_of_file "$file")
    if [ "$module" = unknown ] || { [ "$module" != port ] && [ -z "${headers[$module]+x}" ]; }; then
        complain "$file" "belongs to no module: add it to scripts/check_layers.sh"
        continue
    fi
    while read -r included; do
        check "$file" "$module" "$included"
        count=$((count + 1))
    done < <(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]?([^>"]+)[>"]?.*/\1/p' "$file")
done < <(tree_files 'src/*.c' 'src/*.h' 'include/otter/*.h')

if [ "$failed" -ne 0 ]; then exit 1; fi
echo "layers: ok ($count includes)"
