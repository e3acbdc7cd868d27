/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UART5, a 16550 with registers four bytes apart. Facts: "PC16550D Universal
 * Asynchronous Receiver/Transmitter with FIFOs", registers; QEMU: FIFO control 0xC1
 * makes an interrupt at 14 bytes, and changing bit 0 empties the FIFO.
 */
#include "uart.h"

#include "qemu.h"
#include "registers.h"

enum {
    UART_DATA = 0x00,
    UART_INTERRUPTS = 0x04,
    UART_FIFO = 0x08,
    UART_LINE = 0x0C,
    UART_STATUS = 0x14,
    FIFO_ON = 0xC1,
    LINE_8N1 = 0x03,
    INTERRUPT_RECEIVED = 0x01,
    STATUS_RECEIVED = 0x01,
    STATUS_CAN_SEND = 0x20,
    RING_SIZE = 4096, /* a power of two; two whole messages */
    SPIN_MAX = 200000 /* polls of the status for one byte: some milliseconds */
};

static struct {
    uint8_t bytes[RING_SIZE];
    volatile uint32_t put;   /* by the interrupt */
    volatile uint32_t taken; /* by the program */
    volatile bool is_full;   /* the interrupt is off */
} ring;

static volatile uint32_t *reg(uint32_t off)
{
    return &REG32(UART5_BASE + off);
}

void uart_init(void)
{
    *reg(UART_INTERRUPTS) = 0;
    *reg(UART_LINE) = LINE_8N1;
    *reg(UART_FIFO) = FIFO_ON;
    ring.put = 0;
    ring.taken = 0;
    ring.is_full = false;
    *reg(UART_INTERRUPTS) = INTERRUPT_RECEIVED;
    REG32(NVIC_ENABLE) = 1u << UART5_IRQ;
}

void uart_stop(void)
{
    *reg(UART_INTERRUPTS) = 0;
    REG32(NVIC_DISABLE) = 1u << UART5_IRQ;
    REG32(NVIC_UNPEND) = 1u << UART5_IRQ;
}

void uart_interrupt(void)
{
    while ((*reg(UART_STATUS) & STATUS_RECEIVED) != 0) {
        if (ring.put - ring.taken == RING_SIZE) {
            *reg(UART_INTERRUPTS) = 0;
            ring.is_full = true;
            return;
        }
        ring.bytes[ring.put % RING_SIZE] = (uint8_t)*reg(UART_DATA);
        ring.put += !qemu_loses_byte();
    }
}

bool uart_has_byte(void)
{
    return ring.put != ring.taken;
}

bool uart_take(uint8_t *byte)
{
    if (!uart_has_byte()) {
        return false;
    }
    *byte = ring.bytes[ring.taken % RING_SIZE];
    ring.taken++;
    if (ring.is_full) {
        ring.is_full = false;
        *reg(UART_INTERRUPTS) = INTERRUPT_RECEIVED;
    }
    return true;
}

/* The ring takes it. */
void uart_pause(void)
{
}

void uart_put(const void *bytes, size_t size)
{
    const uint8_t *from = bytes;

    for (size_t i = 0; i < size; i++) {
        uint32_t spins = 0;

        while ((*reg(UART_STATUS) & STATUS_CAN_SEND) == 0) {
            if (++spins == SPIN_MAX) {
                return;
            }
        }
        *reg(UART_DATA) = from[i];
    }
}
