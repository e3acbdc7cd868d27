# SPDX-License-Identifier: Apache-2.0
#
# The programs of a board: OTTER_BOARD names a folder below ports/, ast1030 or microbit:
# boot.elf (QEMU's -kernel), boot.bin, manager.bin and application-*.bin, all made from
# the same src/, the port, ports/boards and BearSSL, whose source lies in OTTER_BEARSSL
# (scripts/fetch_bearssl_source.sh). port_check.elf, started in place of boot, tries the
# port.
#
# The preset names this file as CMAKE_PROJECT_INCLUDE, so it is read before the library
# is defined; what needs the library waits for the end of CMakeLists.txt.

set(OTTER_BOARD "" CACHE STRING "Folder below ports/ to build programs for")
set(OTTER_BEARSSL "${PROJECT_BINARY_DIR}/../bearssl/source" CACHE PATH "Source of BearSSL")
option(OTTER_BOARD_QEMU "The board is QEMU's: wait for its files, cut power on demand" ON)
option(OTTER_BOARD_BENCH "Programs of make bench-board: they tell how long they were busy" OFF)

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

# board_program(NAME main.c "DEFSYM=VALUE;..." definitions...)
function(board_program name main places)
    set(port ${PROJECT_SOURCE_DIR}/ports/${OTTER_BOARD})
    set(shared ${PROJECT_SOURCE_DIR}/ports/boards ${PROJECT_SOURCE_DIR}/ports/common)
    file(GLOB sources CONFIGURE_DEPENDS ${port}/*.c ${PROJECT_SOURCE_DIR}/ports/boards/*.c)
    list(FILTER sources EXCLUDE REGEX "_(main|bench)\\.c$|/qemu(_none)?\\.c$")
    if(OTTER_BOARD_QEMU)
        list(APPEND sources ${port}/qemu.c)
    else()
        list(APPEND sources ${port}/qemu_none.c)
    endif()
    add_executable(${name} ${sources} ${port}/${main})
    set_target_properties(${name} PROPERTIES SUFFIX .elf C_EXTENSIONS OFF)
    target_compile_options(${name} PRIVATE ${OTTER_WARNINGS})
    target_compile_definitions(${name} PRIVATE ${ARGN}
        OTTER_CUSTOM_MEMORY_MAP="${OTTER_BOARD}_memory_map.h")
    if(OTTER_BOARD_BENCH)
        target_compile_definitions(${name} PRIVATE CONSOLE_TELLS_BUSY=1)
    endif()
    target_include_directories(${name} PRIVATE ${port} ${shared})
    target_link_libraries(${name} PRIVATE otter)
    list(TRANSFORM places PREPEND -Wl,--defsym=)
    target_link_options(${name} PRIVATE -mcpu=${OTTER_CPU} -mthumb -nostartfiles
        --specs=nano.specs -Wl,--gc-sections -Wl,--build-id=none -Wl,--no-warn-rwx-segments
        ${places} -T ${port}/${OTTER_BOARD}.ld)
    set_target_properties(${name} PROPERTIES LINK_DEPENDS ${port}/${OTTER_BOARD}.ld)
    add_custom_command(TARGET ${name} POST_BUILD VERBATIM
        COMMAND arm-none-eabi-objcopy -O binary $<TARGET_FILE:${name}>
                ${PROJECT_BINARY_DIR}/${name}.bin)
endfunction()

# board_crypto(NAME): the program has the crypto port of its own
function(board_crypto name)
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/ports/common/crypto_bearssl.c)
    target_link_libraries(${name} PRIVATE bearssl)
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/ports/common)
endfunction()

# ast1030_program(NAME main.c IMAGE_ADDR IMAGE_SIZE DATA_ADDR DATA_SIZE definitions...)
function(ast1030_program name main image image_size data data_size)
    board_program(${name} ${main} "IMAGE_ADDR=${image};IMAGE_SIZE=${image_size};\
DATA_ADDR=${data};DATA_SIZE=${data_size}" ${ARGN})
    board_crypto(${name})
endfunction()

# ast1030_application(NAME VERSION TEMPER)
function(ast1030_application name version temper)
    ast1030_program(application-${name} application_main.c 0x40000 0x20000 0x80000 0x3F000
        PORT_NAME="application" APPLICATION_VERSION="${version}"
        APPLICATION_TEMPER=TEMPER_${temper})
endfunction()

function(programs_ast1030)
    ast1030_program(boot boot_main.c 0x0 0x10000 0x10000 0x10000
        PORT_NAME="boot" PORT_IS_BOOT=1 PORT_LOADER=&port_loader)
    if(OTTER_BOARD_BENCH)
        ast1030_program(boot-unsigned boot_main.c 0x0 0x10000 0x10000 0x10000
            PORT_NAME="boot" PORT_IS_BOOT=1 PORT_LOADER=&port_loader)
        target_sources(boot-unsigned PRIVATE
            ${PROJECT_SOURCE_DIR}/ports/ast1030/verify_bench.c)
        target_link_options(boot-unsigned PRIVATE -Wl,--wrap=br_ecdsa_i31_vrfy_raw)
    endif()
    ast1030_program(port_check port_check_main.c 0x0 0x10000 0x10000 0x10000
        PORT_NAME="port check" PORT_IS_BOOT=1)
    target_link_libraries(port_check PRIVATE otter_port_check)
    ast1030_program(manager manager_main.c 0x20000 0x20000 0x80000 0x3F000
        PORT_NAME="manager")
    ast1030_program(loader manager_main.c 0x60000 0x20000 0x80000 0x3F000
        PORT_NAME="loader" PORT_IS_LOADER=1 PORT_OPEN=otter_loader_open)
    ast1030_application(1 1 GOOD)
    ast1030_application(2 2 GOOD)
    ast1030_application(silent 3-silent SILENT)
    ast1030_application(crash 3-crash CRASH)
    ast1030_application(hang 3-hang HANG)
    ast1030_application(spoil 3-spoil SPOIL)
endfunction()

# microbit_program(NAME main.c IMAGE_ADDR IMAGE_SIZE definitions...)
function(microbit_program name main image image_size)
    board_program(${name} ${main} "IMAGE_ADDR=${image};IMAGE_SIZE=${image_size}" ${ARGN})
endfunction()

# Boot is never replaced, so the others call its crypto, whose functions microbit.ld
# lists behind the vector table.
function(programs_microbit)
    microbit_program(boot boot_main.c 0x0 0xB000 PORT_NAME="boot" PORT_NUMBER=0
        OTTER_BEARSSL_I15=1)
    board_crypto(boot)
    microbit_program(port_check port_check_main.c 0x0 0xB000 PORT_NAME="port check"
        PORT_NUMBER=0 OTTER_BEARSSL_I15=1)
    board_crypto(port_check)
    target_link_libraries(port_check PRIVATE otter_port_check)
    microbit_program(manager manager_main.c 0x10800 0xE000 PORT_NAME="manager"
        PORT_NUMBER=1)
    microbit_program(application-1 application_main.c 0x1E800 0xB000
        PORT_NAME="application" PORT_NUMBER=2 APPLICATION_VERSION="1")
    microbit_program(application-2 application_main.c 0x1E800 0xB000
        PORT_NAME="application" PORT_NUMBER=2 APPLICATION_VERSION="2")
    foreach(name manager application-1 application-2)
        target_link_options(${name} PRIVATE -Wl,--defsym=otter_crypto_bearssl=0x40)
    endforeach()
endfunction()

function(board_programs)
    board_bearssl()
    cmake_language(CALL programs_${OTTER_BOARD})
endfunction()

cmake_language(DEFER CALL board_programs)
