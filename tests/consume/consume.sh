#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# consume.sh WAY: a foreign project uses otter, all from scratch in a temporary folder.
#   subdirectory  its CMakeLists.txt takes in otter's source
#   installed     otter is installed with the project's sizes; the project finds it with
#                 find_package(), and a bare compiler with pkg-config; each installed
#                 header compiles alone as C11 and C++17, and C++ finds every function
#   device        the same for a Cortex-M4: the program is linked, not run
#   host          the libraries of this build, BUILD, are installed; a program finds the
#                 virtual device with pkg-config
# Environment: OTTER_TOP, CC, and of `host` BUILD and CFLAGS as it was built with.
set -euo pipefail
here=$OTTER_TOP/tests/consume
vectors=$OTTER_TOP/tests/vectors
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -R "$here/product" "$folder/product"
cd "$folder"
unset DESTDIR PKG_CONFIG_PATH PKG_CONFIG_LIBDIR

fail() {
    echo "not ok: $*" >&2
    exit 1
}

# Runs a command; what it says is shown if it fails.
quietly() {
    "$@" >log 2>&1 || { cat log >&2; fail "$*"; }
}

# The numbers are those of tests/vectors/make_package.py (PLAIN), the map the product's
# own; eight members are too many for product_config.h, not for the default.
check_product() { # PROGRAM
    cat >expected <<'END'
device 00-00 application 0x08008000+0x2800
package 00-00 version 1.2.3+4 counter 7 members 3 signatures 1
package 21-14
END
    "$1" "$vectors/plain.otter" "$vectors/eight_members.otter" >seen || fail "$1 failed"
    diff -u expected seen || fail "$1 does not see what it should"
    echo "ok: $1"
}

configure() { # SOURCE BUILD OPTIONS...
    local source=$1 to=$2
    shift 2
    quietly cmake -G Ninja -S "$source" -B "$to" -DCMAKE_C_COMPILER="$CC" "$@"
}

# The device library alone asks for no package of the host and builds nothing else.
check_alone() { # BUILD "WHAT IT MAKES "
    if grep -E '^(PKG_CONFIG|BEARSSL|JANSSON|LIBARCHIVE|LIBELF|LIBYAML|OPENSSL|ZLIB|CMOCKA|SCDOC)' \
        "$1/CMakeCache.txt"; then
        fail "otter looked for packages of the host"
    fi
    local made
    made=$(ninja -C "$1" -t commands all | sed -nE 's/.* (qc|-o) ([^ ]+)( .*)?$/\2/p' |
        grep -v '\.o$' | sort | tr '\n' ' ')
    [ "$made" = "$2" ] || fail "built is $made, not $2"
}

by_subdirectory() {
    configure product build -DOTTER_SOURCE="$OTTER_TOP"
    check_alone build "otter/libotter.a product "
    quietly cmake --build build
    check_product build/product
    quietly cmake --install build --prefix prefix
    if [ -n "$(find prefix -type f 2>/dev/null)" ]; then
        fail "a subproject installs: $(find prefix -type f | head -n 3)"
    fi
}

# Each header alone, then all of them with the address of every function they declare.
check_headers() { # INCLUDE-FOLDER LIBRARY FLAGS...
    local include=$1 library=$2 header
    shift 2
    (cd "$include" && find otter -name '*.h' ! -name project_config.h | sort) >headers
    [ "$(wc -l <headers)" -gt 20 ] || fail "only $(wc -l <headers) headers in $include"
    while read -r header; do
        echo "#include \"$header\"" >alone.c
        cp alone.c alone.cpp
        quietly "$CC" -std=c11 "${strict[@]}" "$@" -c -o alone.o alone.c
        quietly g++ -std=c++17 "${strict[@]}" "$@" -c -o alone.o alone.cpp
    done <headers
    echo "ok: $(wc -l <headers) headers compile alone as C11 and C++17"
    sed 's/.*/#include "&"/' headers >all.c
    quietly gcc -std=c11 "$@" -aux-info prototypes -c -o alone.o all.c
    # Functions of ours that are declared, not defined, in a header.
    sed -nE 's|^/\* [^ ]*/otter/[^ ]*:[0-9]+:NC \*/ extern .*[ *](otter_[a-z0-9_]+) \(.*|\1|p' \
        prototypes | sort -u >functions
    [ "$(wc -l <functions)" -gt 100 ] || fail "only $(wc -l <functions) functions found"
    {
        cat all.c
        echo "typedef void (*function)(); extern const function all[]; const function all[] = {"
        sed 's/.*/(function)\&&,/' functions
        echo '}; int main() { return all[0] == nullptr; }'
    } >all.cpp
    quietly g++ -std=c++17 "$@" -o all all.cpp "$library"
    echo "ok: C++ finds $(wc -l <functions) functions"
}

installed() {
    configure "$OTTER_TOP" otter -DOTTER_HOST=OFF -DOTTER_INSTALL=ON \
        -DOTTER_CONFIG="$folder/product/product_config.h" -DCMAKE_INSTALL_LIBDIR=lib
    check_alone otter "libotter.a "
    quietly cmake --build otter
    quietly cmake --install otter --prefix "$folder/first"
    mv first prefix # it can be moved
    rm -rf otter
    configure product build -DCMAKE_PREFIX_PATH="$folder/prefix"
    quietly cmake --build build
    check_product build/product
    if (configure product other -DCMAKE_PREFIX_PATH="$folder/nowhere") 2>/dev/null; then
        fail "otter was found elsewhere"
    fi

    local -a flags
    read -r -a flags <<<"$(PKG_CONFIG_PATH=$folder/prefix/lib/pkgconfig pkg-config --cflags otter |
        sed 's/\\"/"/g')"
    read -r -a libraries <<<"$(PKG_CONFIG_PATH=$folder/prefix/lib/pkgconfig pkg-config --libs otter)"
    quietly "$CC" -std=c11 -Iproduct/map "${flags[@]}" -o by_pkg_config product/main.c "${libraries[@]}"
    check_product ./by_pkg_config
    check_headers prefix/include prefix/lib/libotter.a "${flags[@]}"
}

device() {
    local toolchain=$OTTER_TOP/cmake/arm-none-eabi.cmake
    quietly cmake -G Ninja -S "$OTTER_TOP" -B otter -DCMAKE_TOOLCHAIN_FILE="$toolchain" \
        -DOTTER_CPU=cortex-m4 -DOTTER_CONFIG="$folder/product/product_config.h"
    quietly cmake --build otter --target otter
    quietly cmake --install otter --prefix "$folder/prefix" --component otter_libraries
    quietly cmake -G Ninja -S product -B build -DCMAKE_TOOLCHAIN_FILE="$toolchain" \
        -DOTTER_CPU=cortex-m4 -DCMAKE_EXE_LINKER_FLAGS=--specs=nosys.specs \
        -DCMAKE_PREFIX_PATH="$folder/prefix"
    quietly cmake --build build
    arm-none-eabi-nm build/product | grep ' T otter_device_open$' >log ||
        fail "the program for Cortex-M4 has no otter in it"
    echo "ok: the program for Cortex-M4"
}

host() {
    quietly cmake --install "$BUILD" --prefix "$folder/prefix" --component otter_libraries
    local pc
    pc=$(dirname "$(find prefix -name otter-host.pc)")
    local -a flags sanitizers
    read -r -a flags <<<"$(PKG_CONFIG_PATH=$folder/$pc pkg-config --cflags --libs otter-host)"
    read -r -a sanitizers <<<"${CFLAGS:-}"
    quietly "$CC" -std=c11 "${sanitizers[@]}" -o host product/host.c "${flags[@]}"
    echo "nothing runs 28-10" >expected # the flash table is lost
    ./host >seen || fail "the program on the virtual device failed"
    diff -u expected seen || fail "the virtual device does not do what it should"
    echo "ok: the virtual device in a foreign program"
}

strict=(-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror)
case "${1:-}" in
subdirectory) by_subdirectory ;;
installed | device | host) "$1" ;;
*) fail "usage: consume.sh subdirectory|installed|device|host" ;;
esac
