# SPDX-License-Identifier: Apache-2.0
#
# tests/fuzz/fuzz_<name>.c: one libFuzzer program each, with its kept inputs in
# tests/fuzz/corpus/<name>/. scripts/fuzz.sh runs them.
if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "The fuzz targets need clang (preset fuzz)")
endif()
file(GLOB fuzz_targets CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/fuzz/fuzz_*.c)
foreach(source ${fuzz_targets})
    get_filename_component(name ${source} NAME_WE)
    otter_program(${name} fuzz ${source} test_support otter_verbs otter_host otter)
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
    target_compile_options(${name} PRIVATE -Wno-missing-prototypes)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endforeach()
