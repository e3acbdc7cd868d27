#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes flash_vectors.h, the frozen version 1 bytes of record, table and receipt.

Written from docs/SPEC.md alone, with the Python standard library; it shares no code
with the library. Usage: make_flash.py > flash_vectors.h. The result must never change
(K6): a new version gets vectors of its own.
"""
import struct
import zlib


def crc(data):
    return struct.pack("<I", zlib.crc32(data))


def record(tlv=b"", reserved=bytes(4)):
    data = b"OJ" + bytes([1, 3])               # version, writer: manager
    data += struct.pack("<I", 0x01020304)      # sequence of the sector
    data += bytes([5, 6, 1, 1, 2, 3, 4, 7])    # phase ... attempts to roll back
    data += struct.pack("<III", 0x00012000, 42, 0x80000005)  # cursor, counter, keys
    data += struct.pack("<H", 31 * 256 + 10)   # outcome: code 31-10
    data += bytes([2, len(tlv)])               # outcome: rolled back; extensions
    data += bytes(range(0xA0, 0xA8))           # outcome: package id
    data += bytes(range(0x50, 0x58))           # session
    data += struct.pack("<8I", *[i * 0x1000 + i for i in range(1, 9)])
    data += tlv.ljust(40, b"\0")
    data += reserved
    assert len(data) == 124
    return data + crc(data)


def newer(sequence, tlv):
    """What a newer manager writes on the sample device as the factory left it."""
    data = b"OJ" + bytes([1, 3]) + struct.pack("<I", sequence)
    data += bytes([1, 0, 0, 0, 0, 0, 0, 0])    # confirmed, receipt slot 0
    data += struct.pack("<III", 0, 1, 0xFFFFFFFF)  # cursor, counter, keys
    data += bytes([0, 0, 0, len(tlv)]) + bytes(16 + 32)
    data += tlv.ljust(40, b"\0") + bytes(4)
    assert len(data) == 124
    return data + crc(data)


def table():
    regions = [(1, 0, 0x1FF00000, 0x10000, 0x1FF00000),
               (2, 0, 0x10000000, 0x2000, 0),
               (6, 1, 0x10040000, 0x80000, 0x08000000)]
    keys = [(bytes(range(1, 9)), bytes(range(0x10, 0x50))),
            (bytes(range(9, 17)), bytes(range(0x80, 0xC0)))]
    extensions = struct.pack("<HH", 0x0123, 3) + b"abc"
    content = struct.pack("<IHBB", 0x4F545401, 7, len(regions), len(keys))
    content += struct.pack("<HBBHH", 300, 3, 10, 30, 8)
    content += bytes([2, 2, 0, 0, 1, 2, 2, 2]) + bytes(8)  # permissions
    content += struct.pack("<IIHHH", 0x20000000, 0x4000, 0x0102, 0x0304,
                           len(extensions))
    content += bytes(18)
    for region_id, flags, addr, size, execute in regions:
        content += struct.pack("<BBHIII", region_id, flags, 0, addr, size, execute)
    for key_id, point in keys:
        content += key_id + point
    content += extensions
    head = b"OTFT" + struct.pack("<HHI", 1, 16 + len(content), 0x11223344)
    return head + crc(head + content) + content


CONTROL = bytes((i * 7 + 3) & 0xFF for i in range(300))
HASH = bytes(range(0xC0, 0xE0))


def receipt_head():
    head = b"OTRC" + struct.pack("<HH", 1, len(CONTROL)) + crc(CONTROL) + bytes(16)
    return head + crc(head)


def receipt_hash():
    unit = b"OTRH" + HASH + bytes(24)
    return unit + crc(unit)


# Extensions of newer programs: (type, bytes). Bit 7 of a type: critical.
PLAIN = [
    [],
    [(0x05, b"")],
    [(0x7F, bytes(range(1, 39)))],
    [(0x05, b"\1\2\3"), (0x11, b""), (0x09, bytes(range(0x60, 0x7F)))],
    [(0x00, b"\0\0"), (0x00, b"\xff"), (0x01, b"\x80\x80")],
]
CRITICAL = [
    [(0x80, b"")],
    [(0x05, b"\xee"), (0x85, b"\1\2")],
    [(0xFF, bytes(range(0x40, 0x66)))],
]


def extensions_of(pairs):
    tlv = b"".join(bytes([kind, len(data)]) + data for kind, data in pairs)
    assert len(tlv) <= 40
    return tlv


def show_newer(name, sets):
    """Two records for each set: of the sector before the newest, and of the newest."""
    print(f"\nstatic const uint8_t {name}[{len(sets)}][2][128] = {{")
    for pairs in sets:
        print("    {")
        for sequence in (0x100, 0x101):
            data = newer(sequence, extensions_of(pairs))
            lines = [", ".join(f"0x{b:02X}" for b in data[i:i + 12])
                     for i in range(0, len(data), 12)]
            print("        {" + ",\n         ".join(lines) + "},")
        print("    },")
    print("};")


def show(name, data):
    lines = [", ".join(f"0x{b:02X}" for b in data[i:i + 12])
             for i in range(0, len(data), 12)]
    body = ",\n    ".join(lines)
    print(f"\nstatic const uint8_t {name}[{len(data)}] = {{\n    {body},\n}};")


VECTORS = {
    "vector_record": record(),
    # Extensions of newer programs: type 5, 3 bytes; type 0x11, none; type 9, 31 bytes.
    "vector_record_extended": record(bytes([5, 3, 1, 2, 3, 0x11, 0, 9, 31])
                                     + bytes(range(0x60, 0x7F))),
    "vector_record_critical": record(bytes([5, 1, 0xEE, 0x85, 2, 1, 2])),
    # Erases of regions 9 and 10, then an extension of a newer program.
    "vector_record_erases": record(bytes([1, 8]) + struct.pack("<2I", 0x9009, 0xA00A)
                                   + bytes([5, 3, 1, 2, 3])),
    # "Reserved, not checked": bytes that a newer program may use.
    "vector_record_reserved": record(reserved=bytes([0, 2, 3, 4])),
    "vector_table": table(),
    "vector_receipt_control": CONTROL,
    "vector_receipt_head": receipt_head(),
    "vector_receipt_hash": receipt_hash(),
}

if __name__ == "__main__":
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/*\n * Frozen version 1 bytes of record, table and receipt. Made by "
          "make_flash.py from\n * docs/SPEC.md; never changed.\n */")
    print("#ifndef OTTER_FLASH_VECTORS_H\n#define OTTER_FLASH_VECTORS_H\n\n"
          "#include <stdint.h>\n\n/* clang-format off */")
    for vector_name, vector in VECTORS.items():
        show(vector_name, vector)
    show_newer("vector_newer_plain", PLAIN)
    show_newer("vector_newer_critical", CRITICAL)
    print("/* clang-format on */\n\n#endif")
