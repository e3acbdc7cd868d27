/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the size programs hand to the library: a flash in the address space, a board
 * that does nothing, and crypto that is nothing (OTTER_SIZE_CRYPTO 0), BearSSL (1), or
 * BearSSL with the device's keys, for encrypted packages (2), so that the difference of
 * two programs is what they cost. Each function is as
 * small as a port can be; what a real one adds is the board's own.
 */
#ifndef OTTER_SIZE_PORTS_H
#define OTTER_SIZE_PORTS_H

#include "otter/device.h"
#include "otter/memory_map.h"
#include "otter/port/link.h"

#if OTTER_SIZE_CRYPTO == 2
#include "crypto_bearssl_keys.h"
#define SIZE_CRYPTO (&size_keys)
#elif OTTER_SIZE_CRYPTO
#include "crypto_bearssl.h"
#define SIZE_CRYPTO (&otter_crypto_bearssl)
#else
#define SIZE_CRYPTO (&size_crypto)
#endif

#include <string.h>

#if OTTER_SIZE_CRYPTO == 2
static const struct otter_device_key size_device_keys[2] = {
    {.kind = OTTER_DEVICE_KEY_P256},
    {.kind = OTTER_DEVICE_KEY_STORAGE},
};
static const struct otter_key_store size_store = {size_device_keys, 2};
static struct otter_crypto size_keys;

#ifdef OTTER_SIZE_IS_BOOT
static inline void size_init(void)
{
    otter_crypto_bearssl_storage(&size_keys, &size_store);
}
#else
static inline void size_init(void)
{
    otter_crypto_bearssl_keys(&size_keys, &size_store);
}
#endif
#else
static inline void size_init(void)
{
}
#endif

static inline enum otter_result size_read(void *context, uint32_t addr, void *data,
                                          size_t size)
{
    (void)context;
    memcpy(data, (const void *)(uintptr_t)addr, size);
    return OTTER_OK;
}

static inline enum otter_result size_program(void *context, uint32_t addr,
                                             const void *data, size_t size)
{
    (void)context;
    (void)addr;
    (void)data;
    (void)size;
    return OTTER_OK;
}

static inline enum otter_result size_erase(void *context, uint32_t addr)
{
    (void)context;
    (void)addr;
    return OTTER_OK;
}

static inline uint32_t size_time_ms(void *context)
{
    (void)context;
    return 0;
}

static inline enum otter_reset_cause size_reset_cause(void *context)
{
    (void)context;
    return OTTER_RESET_UNKNOWN;
}

static inline bool size_no(void *context)
{
    (void)context;
    return false;
}

static inline void size_request_manager(void *context, bool wanted)
{
    (void)context;
    (void)wanted;
}

static inline void size_nothing(void *context)
{
    (void)context;
}

static inline void size_watchdog_start(void *context, uint32_t period_ms)
{
    (void)context;
    (void)period_ms;
}

static inline void size_report(void *context, uint16_t code)
{
    (void)context;
    (void)code;
}

static inline void size_sha256_init(void *context, struct otter_sha256 *sha)
{
    (void)context;
    (void)sha;
}

static inline void size_sha256_update(void *context, struct otter_sha256 *sha,
                                      const void *data, size_t size)
{
    (void)context;
    (void)sha;
    (void)data;
    (void)size;
}

static inline void size_sha256_final(void *context, struct otter_sha256 *sha,
                                     uint8_t digest[OTTER_SHA256_SIZE])
{
    (void)context;
    (void)sha;
    digest[0] = 0;
}

static inline enum otter_result size_verify_p256(
    void *context, const uint8_t key[OTTER_P256_KEY_SIZE],
    const uint8_t digest[OTTER_SHA256_SIZE],
    const uint8_t signature[OTTER_P256_SIGNATURE_SIZE])
{
    (void)context;
    (void)key;
    (void)digest;
    (void)signature;
    return OTTER_E_SIGNATURE_BAD;
}

static inline size_t size_receive(void *context, uint8_t *data, size_t capacity)
{
    (void)context;
    (void)data;
    (void)capacity;
    return 0;
}

static inline void size_send(void *context, const uint8_t *data, size_t size)
{
    (void)context;
    (void)data;
    (void)size;
}

static const struct otter_flash_area size_areas[] = {{
    .addr = OTTER_TABLE_ADDR,
    .sector_size = 0x1000,
    .sector_count = 1024,
    .word_size = 1,
    .page_size = 256,
    .erased = 0xFF,
}};

static const struct otter_flash size_flash = {
    .areas = size_areas,
    .area_count = 1,
    .read = size_read,
    .program = size_program,
    .erase = size_erase,
};

static const struct otter_board size_board = {
    .time_ms = size_time_ms,
    .reset_cause = size_reset_cause,
    .wants_manager = size_no,
    .request_manager = size_request_manager,
    .allows_update = size_no,
    .reset = size_nothing,
    .watchdog_start = size_watchdog_start,
    .watchdog_feed = size_nothing,
    .report = size_report,
};

static const struct otter_crypto size_crypto __attribute__((unused)) = {
    .sha256_init = size_sha256_init,
    .sha256_update = size_sha256_update,
    .sha256_final = size_sha256_final,
    .verify_p256 = size_verify_p256,
};

static const struct otter_link size_link __attribute__((unused)) = {
    .receive = size_receive,
    .send = size_send,
};

static const struct otter_ports size_ports = {
    .flash = &size_flash,
    .board = &size_board,
    .crypto = SIZE_CRYPTO,
    .table_addr = OTTER_TABLE_ADDR,
    .table_size = OTTER_TABLE_SIZE,
};

#endif
