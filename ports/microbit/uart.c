/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The UART by its registers. It holds six received bytes, and the processor stands
 * still while flash works, so the receiver is on only while the program waits for a
 * message: from its end on RTS holds the peer (flow control is on, its pins are the
 * product's choice; QEMU stops reading). What the peer sends while the program works,
 * or is reset at it, waits on the peer's side.
 *
 * Facts: "nRF51 Series Reference Manual", UART.
 */
#include "uart.h"

#include "qemu.h"
#include "registers.h"

enum {
    START_RECEIVER = 0x000,
    STOP_RECEIVER = 0x004,
    START_SENDER = 0x008,
    EVENT_RECEIVED = 0x108,
    EVENT_SENT = 0x11C,
    ENABLE = 0x500,
    SENDER_PIN = 0x50C,
    RECEIVER_PIN = 0x514,
    RECEIVED = 0x518,
    SEND = 0x51C,
    BAUD_RATE = 0x524,
    CONFIG = 0x56C,

    ENABLED = 4,
    P24 = 24, /* to the board's USB chip */
    P25 = 25,
    BAUD_115200 = 0x01D7E000,
    FLOW_CONTROL = 1,
    SPIN_MAX = 200000 /* polls for one byte: some milliseconds */
};

static volatile uint32_t *reg(uint32_t off)
{
    return &REG32(UART_BASE + off);
}

static bool is_receiving;

static void receive(bool is_wanted)
{
    if (is_receiving == is_wanted) {
        return;
    }
    is_receiving = is_wanted;
    *reg(is_wanted ? START_RECEIVER : STOP_RECEIVER) = 1;
    qemu_wake();
}

void uart_init(void)
{
    *reg(SENDER_PIN) = P24;
    *reg(RECEIVER_PIN) = P25;
    *reg(BAUD_RATE) = BAUD_115200;
    *reg(CONFIG) = FLOW_CONTROL;
    *reg(ENABLE) = ENABLED;
    *reg(START_SENDER) = 1;
}

bool uart_has_byte(void)
{
    receive(true);
    return *reg(EVENT_RECEIVED) != 0;
}

void uart_pause(void)
{
    receive(false);
}

bool uart_take(uint8_t *byte)
{
    if (!uart_has_byte()) {
        return false;
    }
    *reg(EVENT_RECEIVED) = 0;
    *byte = (uint8_t)*reg(RECEIVED);
    return true;
}

void uart_put(const void *bytes, size_t size)
{
    const uint8_t *from = bytes;

    for (size_t i = 0; i < size; i++) {
        uint32_t spins = 0;

        *reg(EVENT_SENT) = 0;
        *reg(SEND) = from[i];
        while (*reg(EVENT_SENT) == 0) {
            if (++spins == SPIN_MAX) {
                return;
            }
        }
    }
}
