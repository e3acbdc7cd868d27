# SPDX-License-Identifier: Apache-2.0
#
# Helpers that let a folder be empty: a library without sources becomes an INTERFACE
# library, and its properties follow.

set(OTTER_WARNINGS
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wcast-align -Wcast-qual
    -Wswitch-enum -Wvla -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef
    -Wdouble-promotion -Wformat=2)
if(OTTER_WERROR)
    list(APPEND OTTER_WARNINGS -Werror)
endif()

# All C files below the folders, as OUT.
function(otter_sources out)
    set(found "")
    foreach(folder ${ARGN})
        file(GLOB_RECURSE files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.c)
        list(APPEND found ${files})
    endforeach()
    set(${out} "${found}" PARENT_SCOPE)
endfunction()

function(otter_library name sources)
    if(sources)
        add_library(${name} STATIC ${sources})
        target_compile_options(${name} PRIVATE ${OTTER_WARNINGS})
    else()
        add_library(${name} INTERFACE)
    endif()
endfunction()

# The scope that this library can have: INTERFACE if it has no sources.
function(otter_scope out name wanted)
    get_target_property(type ${name} TYPE)
    if(type STREQUAL "INTERFACE_LIBRARY")
        set(wanted INTERFACE)
    endif()
    set(${out} ${wanted} PARENT_SCOPE)
endfunction()

function(otter_include name wanted)
    otter_scope(scope ${name} ${wanted})
    foreach(folder ${ARGN})
        target_include_directories(${name} ${scope}
            $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/${folder}>)
    endforeach()
endfunction()

function(otter_define name)
    otter_scope(scope ${name} PUBLIC)
    target_compile_definitions(${name} ${scope} ${ARGN})
endfunction()

function(otter_link name)
    otter_scope(scope ${name} PUBLIC)
    target_link_libraries(${name} ${scope} ${ARGN})
endfunction()

# A program of ours in build/<preset>/<folder>.
function(otter_program name folder sources)
    add_executable(${name} ${sources})
    target_compile_options(${name} PRIVATE ${OTTER_WARNINGS})
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
    target_link_libraries(${name} PRIVATE ${ARGN})
    set_target_properties(${name} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${folder})
endfunction()
