# SPDX-License-Identifier: Apache-2.0
#
# What runs on the development machine: the virtual device, the tool, tests, fuzzing.
include(GNUInstallDirs)
find_package(PkgConfig REQUIRED)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(LIBARCHIVE REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(LIBELF REQUIRED IMPORTED_TARGET libelf)
pkg_check_modules(LIBYAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET libcrypto>=3)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
find_path(BEARSSL_INCLUDE bearssl.h REQUIRED)
find_library(BEARSSL_LIBRARY bearssl REQUIRED)

# --- the virtual device ------------------------------------------------------------
otter_sources(host_sources ports/host)
list(FILTER host_sources EXCLUDE REGEX "/main\\.c$")
list(APPEND host_sources ${PROJECT_SOURCE_DIR}/ports/common/crypto_bearssl.c
     ${PROJECT_SOURCE_DIR}/ports/common/crypto_bearssl_keys.c
     ${PROJECT_SOURCE_DIR}/ports/common/inflate_zlib.c)
if(NOT OTTER_CONFIG)
    otter_define(otter OTTER_ZLIB=1) # virtual devices take every coding
endif()
otter_library(otter_host "${host_sources}")
otter_include(otter_host PUBLIC ports/host ports/common)
add_library(otter::host ALIAS otter_host)
set_target_properties(otter_host PROPERTIES EXPORT_NAME host)
target_compile_definitions(otter_host PRIVATE _GNU_SOURCE)
target_include_directories(otter_host SYSTEM PUBLIC $<BUILD_INTERFACE:${BEARSSL_INCLUDE}>)
otter_link(otter_host otter $<BUILD_INTERFACE:${BEARSSL_LIBRARY}>
           $<INSTALL_INTERFACE:bearssl> $<BUILD_INTERFACE:PkgConfig::ZLIB>
           $<INSTALL_INTERFACE:z>)

# --- the tool ------------------------------------------------------------------------
# All but main.c is a library, so that tests can link a verb's parts.
otter_sources(tool_sources tools/otter)
set(tool_main ${PROJECT_SOURCE_DIR}/tools/otter/main.c)
list(REMOVE_ITEM tool_sources ${tool_main})

# Help and manual pages are one text: docs/man/otter-x.1.scd.
file(GLOB man_pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/*.scd)
set(help_script ${PROJECT_SOURCE_DIR}/scripts/help_of_man.awk)
set(help_source ${PROJECT_BINARY_DIR}/help_pages.c)
add_custom_command(OUTPUT ${help_source} DEPENDS ${help_script} ${man_pages} VERBATIM
    COMMAND sh -c "awk -f \"$@\" >${help_source}.new && mv ${help_source}.new ${help_source}"
            _ ${help_script} ${man_pages})
list(APPEND tool_sources ${help_source})
otter_library(otter_verbs "${tool_sources}")
otter_include(otter_verbs PUBLIC tools/otter)
otter_define(otter_verbs _GNU_SOURCE OTTER_VERSION="${PROJECT_VERSION}")
otter_link(otter_verbs otter_host otter PkgConfig::OPENSSL PkgConfig::JANSSON
           PkgConfig::LIBARCHIVE PkgConfig::LIBELF PkgConfig::LIBYAML)

# --- what tests share ----------------------------------------------------------------
otter_sources(support_sources tests/support)
otter_library(test_support "${support_sources}")
otter_include(test_support PUBLIC tests/support)
otter_define(test_support _GNU_SOURCE
             OTTER_TEST_VECTORS="${PROJECT_SOURCE_DIR}/tests/vectors")
otter_link(test_support otter_host otter PkgConfig::OPENSSL)

if(OTTER_FUZZ)
    include(cmake/fuzz.cmake)
    return()
endif()

if(EXISTS ${tool_main})
    otter_program(otter_tool tools ${tool_main} otter_verbs)
    set_target_properties(otter_tool PROPERTIES OUTPUT_NAME otter)
    install(TARGETS otter_tool DESTINATION ${CMAKE_INSTALL_BINDIR})

    install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/json
            DESTINATION ${CMAKE_INSTALL_DATADIR}/otter)

    # Completion of shells, printed by the tool itself.
    set(completions "")
    foreach(shell bash zsh fish)
        set(out ${PROJECT_BINARY_DIR}/completion/otter.${shell})
        add_custom_command(OUTPUT ${out} DEPENDS otter_tool VERBATIM
            COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/completion
            COMMAND sh -c "exec \"$1\" completion \"$2\" >\"$3\""
                    _ $<TARGET_FILE:otter_tool> ${shell} ${out})
        list(APPEND completions ${out})
    endforeach()
    add_custom_target(completion ALL DEPENDS ${completions})
    set(folder ${PROJECT_BINARY_DIR}/completion)
    install(FILES ${folder}/otter.bash RENAME otter
            DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
    install(FILES ${folder}/otter.zsh RENAME _otter
            DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
    install(FILES ${folder}/otter.fish
            DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()

# Examples are linked here too: with the port that does nothing, so that both stay true,
# and with the one of processes, so that they run (tests/e2e/examples.sh). Bare-metal
# ones cannot be.
otter_sources(template_sources ports/template)
otter_sources(posix_sources ports/posix)
file(GLOB example_mains CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*/main.c)
list(FILTER example_mains EXCLUDE REGEX "/examples/cortex-m")
foreach(source ${example_mains})
    get_filename_component(folder ${source} DIRECTORY)
    get_filename_component(name ${folder} NAME)
    otter_program(otter_example_${name} examples "${source};${template_sources}" otter)
    target_include_directories(otter_example_${name} PRIVATE
        ${PROJECT_SOURCE_DIR}/ports/template)
    otter_program(otter_posix_${name} examples/posix "${source};${posix_sources}"
                  otter_host otter)
    set_target_properties(otter_posix_${name} PROPERTIES OUTPUT_NAME ${name})
    target_include_directories(otter_posix_${name} PRIVATE
        ${PROJECT_SOURCE_DIR}/ports/posix)
endforeach()

# Manual pages, where scdoc is installed (scripts/setup.sh man): docs/man/otter-x.1.scd
find_program(SCDOC scdoc)
if(SCDOC AND man_pages)
    set(made "")
    foreach(page ${man_pages})
        get_filename_component(name ${page} NAME_WLE)
        set(out ${PROJECT_BINARY_DIR}/man/${name})
        add_custom_command(OUTPUT ${out} DEPENDS ${page} VERBATIM
            COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/man
            COMMAND sh -c "exec \"$1\" <\"$2\" >\"$3\"" _ ${SCDOC} ${page} ${out})
        list(APPEND made ${out})
        string(REGEX MATCH "[0-9]$" man_section ${name})
        install(FILES ${out} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${man_section})
    endforeach()
    add_custom_target(man ALL DEPENDS ${made})
endif()

if(OTTER_TESTS)
    enable_testing()
    include(cmake/tests.cmake)
endif()
