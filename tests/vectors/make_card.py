#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes card_vectors.h: a pointer file of format version 1, written by hand from
docs/SPEC.md, "Card". Nothing of the library is used."""
import struct
import zlib

NAME = b"update/release-1.2/next.otter"


def pointer(name=NAME, sequence=0x01020304, version=1):
    head = b"OTTP" + struct.pack("<HHII", version, len(name), sequence, 0x00ABCDEF)
    head += bytes(range(0x10, 0x20)) + bytes(range(0x80, 0xA0))
    head += name + bytes(128 - len(name))
    assert len(head) == 192
    return head + struct.pack("<I", zlib.crc32(head))


def show(name, data):
    lines = [", ".join(f"0x{b:02X}" for b in data[i:i + 12])
             for i in range(0, len(data), 12)]
    body = ",\n    ".join(lines)
    print(f"\nstatic const uint8_t {name}[{len(data)}] = {{\n    {body},\n}};")


if __name__ == "__main__":
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/*\n * Frozen version 1 bytes of a pointer file. Made by make_card.py from "
          "docs/SPEC.md;\n * never changed.\n */")
    print("#ifndef OTTER_CARD_VECTORS_H\n#define OTTER_CARD_VECTORS_H\n\n"
          "#include <stdint.h>\n\n/* clang-format off */")
    show("vector_pointer", pointer())
    show("vector_pointer_longest", pointer(b"a" * 127))
    print("/* clang-format on */\n\n#endif")
