# SPDX-License-Identifier: Apache-2.0
#
# The programs of a board: OTTER_BOARD names a folder below ports/. For now ast1030:
# boot.elf (QEMU's -kernel), boot.bin, manager.bin and application-*.bin, all made from
# the same src/, the port and BearSSL, whose source lies in OTTER_BEARSSL
# (scripts/fetch_bearssl_source.sh). port_check.elf, started in place of boot, tries the
# port.
#
# The preset names this file as CMAKE_PROJECT_INCLUDE, so it is read before the library
# is defined; what needs the library waits for the end of CMakeLists.txt.

set(OTTER_BOARD "" CACHE STRING "Folder below ports/ to build programs for")
set(OTTER_BEARSSL "${PROJECT_BINARY_DIR}/../bearssl/source" CACHE PATH "Source of BearSSL")
option(OTTER_BOARD_QEMU "The board is QEMU's: wait for its files, cut power on demand" ON)

# What SHA-256 and ECDSA verification can reach.
function(board_bearssl)
    if(NOT EXISTS ${OTTER_BEARSSL}/inc/bearssl.h)
        message(FATAL_ERROR "No BearSSL in ${OTTER_BEARSSL}: run scripts/fetch_bearssl_source.sh")
    endif()
    file(GLOB_RECURSE sources ${OTTER_BEARSSL}/src/codec/*.c ${OTTER_BEARSSL}/src/ec/*.c
         ${OTTER_BEARSSL}/src/hash/*.c ${OTTER_BEARSSL}/src/int/*.c)
    add_library(bearssl STATIC ${sources})
    target_include_directories(bearssl SYSTEM PUBLIC ${OTTER_BEARSSL}/inc)
    target_include_directories(bearssl PRIVATE ${OTTER_BEARSSL}/src)
    target_compile_options(bearssl PRIVATE -w)
endfunction()

# board_program(NAME IMAGE_ADDR IMAGE_SIZE DATA_ADDR DATA_SIZE main.c definitions...)
function(board_program name image image_size data data_size main)
    set(port ${PROJECT_SOURCE_DIR}/ports/${OTTER_BOARD})
    file(GLOB sources CONFIGURE_DEPENDS ${port}/*.c)
    list(FILTER sources EXCLUDE REGEX "_main\\.c$|/qemu(_none)?\\.c$")
    if(OTTER_BOARD_QEMU)
        list(APPEND sources ${port}/qemu.c)
    else()
        list(APPEND sources ${port}/qemu_none.c)
    endif()
    add_executable(${name} ${sources} ${port}/${main}
        ${PROJECT_SOURCE_DIR}/ports/common/crypto_bearssl.c)
    set_target_properties(${name} PROPERTIES SUFFIX .elf C_EXTENSIONS OFF)
    target_compile_options(${name} PRIVATE ${OTTER_WARNINGS})
    target_compile_definitions(${name} PRIVATE ${ARGN}
        OTTER_CUSTOM_MEMORY_MAP="${OTTER_BOARD}_memory_map.h")
    target_include_directories(${name} PRIVATE ${port} ${PROJECT_SOURCE_DIR}/ports/common)
    target_link_libraries(${name} PRIVATE otter bearssl)
    target_link_options(${name} PRIVATE -mcpu=${OTTER_CPU} -mthumb -nostartfiles
        --specs=nano.specs -Wl,--gc-sections -Wl,--build-id=none -Wl,--no-warn-rwx-segments
        -Wl,--defsym=IMAGE_ADDR=${image} -Wl,--defsym=IMAGE_SIZE=${image_size}
        -Wl,--defsym=DATA_ADDR=${data} -Wl,--defsym=DATA_SIZE=${data_size}
        -T ${port}/${OTTER_BOARD}.ld)
    set_target_properties(${name} PROPERTIES LINK_DEPENDS ${port}/${OTTER_BOARD}.ld)
    add_custom_command(TARGET ${name} POST_BUILD VERBATIM
        COMMAND arm-none-eabi-objcopy -O binary $<TARGET_FILE:${name}>
                ${PROJECT_BINARY_DIR}/${name}.bin)
endfunction()

# board_application(NAME VERSION TEMPER)
function(board_application name version temper)
    board_program(application-${name} 0x40000 0x20000 0x80000 0x3F000 application_main.c
        PORT_NAME="application" APPLICATION_VERSION="${version}"
        APPLICATION_TEMPER=TEMPER_${temper})
endfunction()

function(board_programs)
    board_bearssl()
    board_program(boot 0x0 0x10000 0x10000 0x10000 boot_main.c PORT_NAME="boot" PORT_IS_BOOT=1)
    board_program(port_check 0x0 0x10000 0x10000 0x10000 port_check_main.c
        PORT_NAME="port check" PORT_IS_BOOT=1)
    target_link_libraries(port_check PRIVATE otter_port_check)
    board_program(manager 0x20000 0x20000 0x80000 0x3F000 manager_main.c PORT_NAME="manager")
    board_application(1 1 GOOD)
    board_application(2 2 GOOD)
    board_application(silent 3-silent SILENT)
    board_application(crash 3-crash CRASH)
    board_application(hang 3-hang HANG)
    board_application(spoil 3-spoil SPOIL)
endfunction()

cmake_language(DEFER CALL board_programs)
