# SPDX-License-Identifier: Apache-2.0
#
# tests/unit/test_*.c: one program each. tests/powercut/*.c: one program, run with
# --memo, --real, --card and --closure where OTTER_SWEEPS is "full" (the release preset), with
# --quick where it is "quick" (sanitizers), and, labelled "long", with --long.
# tests/e2e/*.sh: scripts that find the tool in $OTTER and the tree in $OTTER_TOP.
# tests/bench/*.c: the program `bench`, not a test.
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
set(test_libraries test_support otter_verbs otter_host otter_port_check otter
    PkgConfig::CMOCKA)

file(GLOB unit_tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/unit/test_*.c)
foreach(source ${unit_tests})
    get_filename_component(name ${source} NAME_WE)
    otter_program(${name} tests ${source} ${test_libraries})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endforeach()

otter_sources(powercut_sources tests/powercut)
if(powercut_sources)
    pkg_check_modules(LIBDEFLATE REQUIRED IMPORTED_TARGET libdeflate)
    set(powercut_link -Wl,--wrap=otter_crc32 PkgConfig::LIBDEFLATE)
    otter_program(powercut tests "${powercut_sources}" ${test_libraries}
                  ${powercut_link})
    target_include_directories(powercut PRIVATE ${PROJECT_SOURCE_DIR}/src)
endif()
if(OTTER_SWEEPS STREQUAL "quick")
    add_test(NAME powercut_quick COMMAND powercut --quick)
    set_tests_properties(powercut_quick PROPERTIES TIMEOUT 900 COST 1000 LABELS sweep)
elseif(OTTER_SWEEPS STREQUAL "full")
    include(cmake/bad.cmake)
    foreach(sweep memo real card closure)
        add_test(NAME powercut_${sweep} COMMAND powercut --${sweep})
        set_tests_properties(powercut_${sweep} PROPERTIES
            TIMEOUT 900 COST 1000 LABELS sweep)
    endforeach()
    set_tests_properties(powercut_closure PROPERTIES PROCESSORS 2)
    add_test(NAME powercut_long COMMAND powercut --long)
    set_tests_properties(powercut_long PROPERTIES TIMEOUT 3600 LABELS long)
endif()

# What end-to-end scripts hold a device's folder against.
otter_program(check_promises tests tests/promises/main.c ${test_libraries})

file(GLOB e2e_scripts CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/e2e/*.sh)
if(TARGET otter_tool)
    foreach(script ${e2e_scripts})
        get_filename_component(name ${script} NAME_WE)
        add_test(NAME e2e_${name} COMMAND bash ${script})
        set_tests_properties(e2e_${name} PROPERTIES TIMEOUT 300 LABELS e2e
            ENVIRONMENT "OTTER=$<TARGET_FILE:otter_tool>;OTTER_TOP=${PROJECT_SOURCE_DIR};CHECK_PROMISES=$<TARGET_FILE:check_promises>")
    endforeach()
endif()

# Those that take longest begin first; a new build folder does not know them yet.
set_tests_properties(test_sudden_damage PROPERTIES COST 100)
if(TARGET otter_tool)
    set_tests_properties(e2e_send PROPERTIES COST 200)
    set_tests_properties(e2e_json PROPERTIES COST 50)
endif()

otter_sources(bench_sources tests/bench)
if(bench_sources)
    otter_program(bench tests "${bench_sources}" test_support otter_verbs otter_host
                  otter)
    target_include_directories(bench PRIVATE ${PROJECT_SOURCE_DIR}/src)
endif()

# What others link is built without instrumentation.
if(NOT OTTER_SWEEPS STREQUAL "quick")
    include(cmake/consume.cmake)
endif()
