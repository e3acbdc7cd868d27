# SPDX-License-Identifier: Apache-2.0
#
# tests/consume: foreign projects that use otter, each from scratch.
foreach(way subdirectory installed device host)
    add_test(NAME consume_${way}
        COMMAND bash ${PROJECT_SOURCE_DIR}/tests/consume/consume.sh ${way})
    set_tests_properties(consume_${way} PROPERTIES TIMEOUT 600 ENVIRONMENT
        "OTTER_TOP=${PROJECT_SOURCE_DIR};BUILD=${PROJECT_BINARY_DIR};CC=${CMAKE_C_COMPILER};CFLAGS=${CMAKE_C_FLAGS}")
endforeach()
