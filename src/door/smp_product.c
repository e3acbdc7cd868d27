/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMP group 64, what people read about the running system: vendor, product, version,
 * build, least battery, and release notes in parts. The texts come from the receipt and
 * are never longer than docs/SPEC.md, "Control packet", allows.
 */
#include "smp_inner.h"

#include "otter/utf8.h"

enum { LINE_MAX_SIZE = 64, NOTES_PART = 128 };

/* A system's control packet where it lies. */
struct product {
    struct otter_system system;
    struct otter_source source;
};

static enum otter_result open_product(const struct otter_smp *smp,
                                      struct product *product)
{
    struct smp_slot_flags flags = smp_flags_of(smp->device->journal.state.phase, 0);
    enum otter_result result =
        otter_system_peek(smp->device, smp_receipt_slot(smp, &flags), &product->system);

    if (result == OTTER_OK) {
        product->source = otter_span_source(&product->system.receipt.span,
                                            product->system.receipt.length);
    }
    return result;
}

/* What flash gives is not trusted to be what was checked when it came. */
static enum otter_result put_line(const struct product *product,
                                  struct otter_cbor_map *map, const char *key,
                                  uint16_t type)
{
    uint8_t text[LINE_MAX_SIZE];
    size_t len = 0;
    enum otter_result result = otter_control_extension(
        &product->source, &product->system.control, type, text, sizeof(text), &len);

    if (result == OTTER_OK && len > 0 && otter_utf8_is_valid(text, len)) {
        otter_cbor_key(map, key);
        otter_cbor_put_text_of(map->writer, text, len);
    }
    return result;
}

static enum otter_result put_battery(const struct product *product,
                                     struct otter_cbor_map *map)
{
    uint8_t percent = 0;
    size_t len = 0;
    enum otter_result result =
        otter_control_extension(&product->source, &product->system.control,
                                OTTER_EXTENSION_BATTERY, &percent, 1, &len);

    if (result == OTTER_OK && len > 0) {
        otter_cbor_add_uint(map, "battery", percent);
    }
    return result;
}

enum otter_result smp_answer_product(struct otter_smp *smp, struct otter_cbor_map *map)
{
    static const struct {
        const char *key;
        uint16_t type;
    } lines[] = {
        {"vendor", OTTER_EXTENSION_VENDOR},
        {"product", OTTER_EXTENSION_PRODUCT},
        {"name", OTTER_EXTENSION_VERSION},
        {"build", OTTER_EXTENSION_BUILD},
    };
    struct product product;
    enum otter_result result = open_product(smp, &product);

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]) && result == OTTER_OK;
         i++) {
        result = put_line(&product, map, lines[i].key, lines[i].type);
    }
    return result == OTTER_OK ? put_battery(&product, map) : result;
}

enum { NOTES_OFF };

const struct otter_cbor_field smp_notes_fields[SMP_NOTES_FIELDS] = {
    [NOTES_OFF] = {"off", 1u << OTTER_CBOR_UINT, false},
};

enum otter_result smp_answer_notes(struct otter_smp *smp, struct otter_cbor_map *map)
{
    uint8_t part[NOTES_PART];
    struct product product;
    uint32_t wanted = 0;
    uint32_t off = 0;
    size_t len = 0;

    if (smp_has(smp, NOTES_OFF) && !smp_number(smp, NOTES_OFF, &wanted)) {
        return OTTER_E_SMP_FIELD;
    }
    enum otter_result result = open_product(smp, &product);

    if (result == OTTER_OK) {
        result = otter_control_extension_find(&product.source, &product.system.control,
                                              OTTER_EXTENSION_NOTES, &off, &len);
    }
    if (result != OTTER_OK) {
        return result;
    }
    if (wanted > len) {
        return OTTER_E_SMP_FIELD;
    }
    size_t size = len - wanted < sizeof(part) ? len - wanted : sizeof(part);

    if (size > 0) {
        result = product.source.read(product.source.context, off + wanted, part, size);
    }
    if (result == OTTER_OK) {
        otter_cbor_add_uint(map, "off", wanted);
        otter_cbor_add_uint(map, "len", len);
        otter_cbor_add_bytes(map, "data", part, size);
    }
    return result;
}
