#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# setup.sh GROUP...: installs the Debian packages of the groups that are missing, and
# says which and why. Does nothing, and needs no rights, when none is.
set -euo pipefail

# group, package, what it is for
packages='
build    gcc                          compile library, tool and tests
build    g++                          read the headers as C++ in tests
build    libc6-dev                    headers of the C library
build    cmake                        configure the builds
build    ninja-build                  run the builds
build    pkg-config                   find the libraries below
build    patch                        known mistakes, put into copies of the code
build    clang-14                     second compiler; sanitizers and fuzzing
build    libclang-rt-14-dev           run-time of the sanitizers
build    libbearssl-dev               SHA-256 and ECDSA of the virtual device
build    libssl-dev                   keys and signatures of the tool
build    openssl                      keys and noise for tests and demo
build    libjansson-dev               JSON of the tool
build    zlib1g-dev                   compressed members of packages
build    libarchive-dev               archives of files in packages of the tool
build    libelf-dev                   ELF input of the tool
build    libyaml-dev                  recipes of the tool
build    python3                      independent look at JSON in tests
build    python3-jsonschema           schemas of the tool, held against its JSON
build    softhsm2                     a security module in software, for tests
build    opensc                       pkcs11-tool, which signs with it
build    scdoc                        manual pages, which are installed with the tool
build    libcmocka-dev                the test framework
build    libdeflate-dev               CRC-32 of the sweeps
build    gcc-arm-none-eabi            build Cortex-M images for demo and tests
build    libnewlib-arm-none-eabi      string.h for Cortex-M
build    firmware-microbit-micropython a real Cortex-M image as test input
docs     python3-cryptography         make the vectors of encryption again
device   gcc-arm-none-eabi            compile the device library for Cortex-M
device   libnewlib-arm-none-eabi      string.h for Cortex-M
lint     clang-format-14              layout of the code
lint     clang-tidy-14                static analysis
lint     cppcheck                     static analysis
coverage gcovr                        report of the coverage
size     dpkg-dev                     unpack the source package of BearSSL
board    qemu-system-arm              the emulated board
board    gcc-arm-none-eabi            compile its programs
board    libnewlib-arm-none-eabi      string.h for them
board    dpkg-dev                     unpack the source package of BearSSL
man      scdoc                        make the manual pages
'

if [ $# -eq 0 ]; then
    echo "usage: $0 GROUP...   groups: build docs device lint coverage size board man" >&2
    exit 2
fi

is_installed() {
    dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

missing=()
while read -r group package why; do
    case " $* " in
    *" $group "*) ;;
    *) continue ;;
    esac
    case " ${missing[*]:-} " in *" $package "*) continue ;; esac
    if ! command -v dpkg-query >/dev/null || ! is_installed "$package"; then
        printf 'setup: missing: %-30s (%s)\n' "$package" "$why"
        missing+=("$package")
    fi
done < <(grep . <<<"$packages")

if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "setup: this is no Debian system: install the above by hand; going on" >&2
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "setup: needs root or sudo for: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "setup: installing ${#missing[@]} packages with apt-get"
quiet=(-qq -o Dpkg::Use-Pty=0)
"${as_root[@]}" apt-get "${quiet[@]}" update
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get "${quiet[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null
echo "setup: done"
