/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving, at its edges: a transfer that is picked up from a journal or a receipt
 * that does not fit it, lengths that do not add up, memories with pages smaller than a
 * receipt's head, and questions asked at the wrong time. Expected values: the contracts
 * K5, K11, K22, the promises P5 and P8, and docs/SPEC.md for the offsets of fields.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "digest.h"
#include "host_sign.h"
#include "otter/bytes.h"
#include "world.h"

#include <string.h>

enum {
    CONTROL = OTTER_IMAGE_HEADER_SIZE, /* of the control packet in the file */
    PAYLOAD_SIZE = 12,                 /* in the image header */
    HEADER_COPY = 8,                   /* in the control packet */
    FILE_LENGTH = 40,
    KEY_ID_AND_HEAD = 12, /* of a signature, before its bytes */
};

static const bool kinds[] = {false, true}; /* single, A/B */

static void on_both(void (*test)(struct world *world))
{
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_make_small(kinds[i], false);

        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        test(world);
        world_drop(world);
    }
}

static struct otter_receive *receiver(struct world *world)
{
    return &world->device.agent.receive;
}

static struct otter_chunk chunk_at(const struct world *world, uint32_t off, size_t size)
{
    struct otter_chunk chunk = {
        .off = off, .data = world->next.bytes + off, .size = size, .session = {'a'}};

    return chunk;
}

/* Steps until nothing is left to do. */
static enum otter_result finish(struct world *world)
{
    enum otter_result first = OTTER_OK;

    while (otter_receive_is_busy(receiver(world))) {
        enum otter_result result = otter_receive_step(receiver(world));

        first = first == OTTER_OK ? result : first;
    }
    return first;
}

/* Offers the bytes from `next` to `end` and takes them. */
static enum otter_result give_to(struct world *world, size_t end)
{
    uint32_t next = receiver(world)->next;
    struct otter_chunk chunk = chunk_at(world, next, end - next);
    enum otter_result result = otter_receive_offer(receiver(world), &chunk);

    return result == OTTER_OK ? finish(world) : result;
}

/* Puts a state into the journal that no program would put there. */
static void write_state(struct world *world, const struct otter_state *state)
{
    static struct otter_device factory;

    assert_int_equal(
        otter_device_open(&factory, &world->device.ports, OTTER_PROGRAM_FACTORY),
        OTTER_OK);
    assert_int_equal(otter_journal_write(&factory.journal, state, OTTER_LASTING),
                     OTTER_OK);
}

static void reset(struct world *world)
{
    assert_int_equal(vdevice_reset(&world->device, OTTER_RESET_SOFTWARE), VDEVICE_IDLE);
    assert_int_equal(world->device.program, OTTER_PROGRAM_AGENT);
}

/* The transfer starts at 0, of whatever session, and comes to its end. */
static void assert_starts_over(struct world *world)
{
    assert_int_equal(receiver(world)->next, 0);
    assert_int_equal(receiver(world)->length, 0);
    assert_false(otter_receive_is_busy(receiver(world)));
    assert_false(otter_receive_is_complete(receiver(world)));
    assert_int_equal(give_to(world, world->next.size), OTTER_OK);
    assert_true(otter_receive_is_complete(receiver(world)));
}

/* --- picking up --- */

static const struct {
    const char *name;
    uint8_t part;
    uint8_t member;
    uint32_t key_mask;
} misfits[] = {
    {"one member too many", OTTER_PART_MEMBERS, 4, 1},
    {"a member far out", OTTER_PART_MEMBERS, 255, 1},
    {"the receipt is not whole yet", OTTER_PART_RECEIPT, 0, 1},
    {"its second copy is not", OTTER_PART_RECEIPT_COPY, 0, 1},
    {"a part of another phase", OTTER_PART_WRITE, 0, 1},
    {"the key is revoked", OTTER_PART_MEMBERS, 0, 2},
    {"the key is revoked, at the end", OTTER_PART_HASH, 2, 2},
};

static void check_misfits(struct world *world)
{
    for (size_t i = 0; i < sizeof(misfits) / sizeof(misfits[0]); i++) {
        world_back(world);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        assert_int_equal(give_to(world, world->next.size / 2), OTTER_OK);
        struct otter_state found = world_state(world);
        struct otter_state state = found;

        assert_int_equal(found.phase, OTTER_PHASE_RECEIVING);
        state.part = misfits[i].part;
        state.member = misfits[i].member;
        state.key_mask = misfits[i].key_mask;
        write_state(world, &state);
        static struct otter_device view;
        struct otter_receive receive;

        assert_int_equal(vdevice_inspect(&world->device, &view), OTTER_OK);
        otter_receive_open(&receive, &view);
        if (receive.next != 0 || receive.length != 0 ||
            otter_receive_is_busy(&receive)) {
            fail_msg("%s: goes on at %u", misfits[i].name, (unsigned)receive.next);
        }
        found.key_mask = 1;
        write_state(world, &found);
        reset(world);
        assert_true(receiver(world)->next > 0);
    }
}

static void p8_a_journal_that_does_not_fit_the_receipt_starts_the_transfer_again(
    void **state)
{
    (void)state;
    on_both(check_misfits);
}

/* Flips a bit of the control packet in both copies of the incoming receipt. */
static void damage_receipt(struct world *world)
{
    for (uint8_t copy = 0; copy < OTTER_RECEIPT_COPIES; copy++) {
        uint32_t size = 0;

        vflash_flip(&world->device.flash,
                    world_receipt_addr(world, 1, copy, &size) + 60, 2);
    }
}

static void check_lost_receipt(struct world *world)
{
    assert_int_equal(give_to(world, world->next.size / 2), OTTER_OK);
    damage_receipt(world);
    reset(world);
    assert_starts_over(world);
    damage_receipt(world);
    reset(world);
    assert_starts_over(world); /* it was complete, and is not any more */
}

static void p5_a_transfer_whose_receipt_is_lost_starts_again(void **state)
{
    (void)state;
    on_both(check_lost_receipt);
}

/* --- lengths and hashes --- */

/* Adds `more` to the length that header and control packet name, and signs it. */
static void lengthen(struct world *world, uint32_t more)
{
    uint8_t *header = world->next.bytes;
    uint8_t *control = header + CONTROL;
    uint32_t signed_size =
        (uint32_t)otter_load_le16(control + 6) - OTTER_CONTROL_SIGNATURE_SIZE;
    uint8_t digest[OTTER_SHA256_SIZE];

    otter_store_le32(header + PAYLOAD_SIZE,
                     otter_load_le32(header + PAYLOAD_SIZE) + more);
    memcpy(control + HEADER_COPY, header, OTTER_IMAGE_HEADER_SIZE);
    otter_store_le32(control + FILE_LENGTH,
                     otter_load_le32(control + FILE_LENGTH) + more);
    digest_of(control, signed_size, digest);
    assert_int_equal(host_sign_p256(world->sample.scalar, digest,
                                    control + signed_size + KEY_ID_AND_HEAD),
                     OTTER_OK);
}

static void check_lengths(struct world *world)
{
    lengthen(world, 4);
    assert_int_equal(give_to(world, world->next.size), OTTER_E_PACKAGE_LENGTH);
    assert_int_equal(finish(world), OTTER_OK);
    assert_int_equal(world_state(world).outcome.code,
                     otter_code(OTTER_E_PACKAGE_LENGTH));
}

static void k11_a_length_that_its_members_do_not_add_up_to_is_refused(void **state)
{
    (void)state;
    on_both(check_lengths);
}

/* What comes after the control packet: the last byte of the members and the trailer. */
static const struct {
    uint32_t from_end;
    enum otter_result code;
} ways[] = {
    {OTTER_TRAILER_SIZE + 1, OTTER_E_MEMBER_HASH},
    {OTTER_TRAILER_SIZE, OTTER_E_PACKAGE_TRAILER},
    {1, OTTER_E_PACKAGE_HASH},
};

static void check_damaged(struct world *world)
{
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        uint8_t *byte = world->next.bytes + world->next.size - ways[i].from_end;

        world_back(world);
        assert_int_equal(world_power_on(world), VDEVICE_IDLE);
        *byte ^= 1;
        assert_int_equal(give_to(world, world->next.size), ways[i].code);
        assert_int_equal(finish(world), OTTER_OK);
        assert_int_equal(world_state(world).outcome.code, otter_code(ways[i].code));
        *byte ^= 1;
        /* The control packet was right, so the same session may try again. */
        assert_starts_over(world);
    }
}

static void k11_a_package_that_was_damaged_on_the_way_may_be_sent_again(void **state)
{
    (void)state;
    on_both(check_damaged);
}

/* --- at the wrong time --- */

static void check_idle(struct world *world)
{
    struct otter_chunk empty = chunk_at(world, 0, 0);
    uint32_t op = world->device.flash.op;

    assert_int_equal(otter_receive_offer(receiver(world), &empty),
                     OTTER_E_RECEIVE_OFFSET);
    assert_int_equal(otter_receive_step(receiver(world)), OTTER_OK);
    assert_false(otter_receive_is_complete(receiver(world)));
    assert_int_equal(world->device.flash.op, op);
    assert_int_equal(world_state(world).phase, OTTER_PHASE_CONFIRMED);
}

static void p8_an_empty_chunk_and_a_step_without_one_do_nothing(void **state)
{
    (void)state;
    on_both(check_idle);
}

/* After every step: what says that it is complete stands on flash. */
static void check_complete(struct world *world)
{
    struct otter_chunk chunk = chunk_at(world, 0, world->next.size);

    assert_int_equal(otter_receive_offer(receiver(world), &chunk), OTTER_OK);
    while (otter_receive_is_busy(receiver(world))) {
        assert_false(otter_receive_is_complete(receiver(world)));
        assert_int_equal(otter_receive_request(receiver(world)), OTTER_E_NOT_COMPLETE);
        assert_int_equal(otter_receive_step(receiver(world)), OTTER_OK);
    }
    assert_true(otter_receive_is_complete(receiver(world)));
    assert_int_equal(world_state(world).phase, OTTER_PHASE_COMPLETE);
}

static void k10_a_package_is_complete_when_its_record_stands(void **state)
{
    (void)state;
    on_both(check_complete);
}

/* --- odd memories --- */

static void check_small_receipts(struct world *world)
{
    struct otter_map *map = &world->device.agent.device.table.map;
    struct otter_chunk chunk = chunk_at(world, 0, 200);

    for (uint8_t i = 0; i < map->count; i++) {
        if (map->regions[i].id == OTTER_REGION_RECEIPTS) {
            map->regions[i].size = 4 * 512; /* four copies of one sector each */
        }
    }
    assert_int_equal(otter_receive_offer(receiver(world), &chunk),
                     OTTER_E_RECEIPT_LOST);
    assert_int_equal(world->device.flash.op, 0);
}

static void p8_a_map_without_room_for_receipts_takes_no_package(void **state)
{
    (void)state;
    on_both(check_small_receipts);
}

static void k22_pages_smaller_than_a_receipts_head_take_more_steps(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct host_small small = {.is_ab = kinds[i],
                                         .word_size = 4,
                                         .page_size = 16,
                                         .sector_size = 512,
                                         .erased = 0xFF};
        struct host_profile profile;

        host_profile_small(&small, &profile);
        struct world *world = world_make(&profile, false);

        assert_int_equal(world_update(world, VDEVICE_CONFIRM), VDEVICE_IDLE);
        assert_true(world_holds(world, world->device.region, &world->next));
        world_drop(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            p8_a_journal_that_does_not_fit_the_receipt_starts_the_transfer_again),
        cmocka_unit_test(p5_a_transfer_whose_receipt_is_lost_starts_again),
        cmocka_unit_test(k11_a_length_that_its_members_do_not_add_up_to_is_refused),
        cmocka_unit_test(k11_a_package_that_was_damaged_on_the_way_may_be_sent_again),
        cmocka_unit_test(p8_an_empty_chunk_and_a_step_without_one_do_nothing),
        cmocka_unit_test(k10_a_package_is_complete_when_its_record_stands),
        cmocka_unit_test(p8_a_map_without_room_for_receipts_takes_no_package),
        cmocka_unit_test(k22_pages_smaller_than_a_receipts_head_take_more_steps),
    };

    return cmocka_run_group_tests_name("receive, edges", tests, NULL, NULL);
}
