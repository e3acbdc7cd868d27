# SPDX-License-Identifier: Apache-2.0
#
# tests/fuzz/fuzz_<name>.c: one libFuzzer program each, together with <name>_*.c beside
# it; its kept inputs lie in tests/fuzz/corpus/<name>/. scripts/fuzz.sh runs them.
if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "The fuzz targets need clang (preset fuzz)")
endif()
file(GLOB fuzz_targets CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/fuzz/fuzz_*.c)
foreach(source ${fuzz_targets})
    get_filename_component(name ${source} NAME_WE)
    string(REGEX REPLACE "^fuzz_" "" short ${name})
    file(GLOB parts CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/fuzz/${short}_*.c)
    otter_program(${name} fuzz "${source};${parts}" test_support otter_verbs otter_host
                  otter)
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
    target_compile_options(${name} PRIVATE -Wno-missing-prototypes)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endforeach()

# The virtual device is no subject of fuzzing, and a CRC has nothing to find; both take
# most of the time. They go without coverage, so that libFuzzer follows the rest.
file(GLOB fuzz_virtual CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/ports/host/v*.c)
set_source_files_properties(${fuzz_virtual} PROPERTIES COMPILE_OPTIONS
    "-O2;-fno-sanitize=fuzzer-no-link,undefined,address")
set_source_files_properties(${PROJECT_SOURCE_DIR}/src/base/crc32.c PROPERTIES
    COMPILE_OPTIONS "-O2;-fno-sanitize=fuzzer-no-link")
