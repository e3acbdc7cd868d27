# SPDX-License-Identifier: Apache-2.0
#
# Bare-metal Arm. The preset gives the processor in OTTER_CPU, for instance cortex-m4.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES OTTER_CPU)

set(CMAKE_C_FLAGS_INIT
    "-mcpu=${OTTER_CPU} -mthumb -Os -g -ffreestanding -ffunction-sections -fdata-sections -fstack-usage -fcallgraph-info=su")
