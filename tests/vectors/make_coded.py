#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes coded.bin and coded.txt beside itself: coded members, good and bad. A row of the
text: name, coding, offset and length of the stored bytes in coded.bin, installed size,
memory that the entry declares, and the SHA-256 of the content or the code.

Written from docs/SPEC.md, "Codings", alone, with the Python standard library; it shares
no code with the library. Running it again changes nothing.
"""
import hashlib
import pathlib
import struct
import zlib

ZLIB, HEATSHRINK = 1, 2
ZLIB_MEMORY = 7680


def noise(name, size):
    return b"".join(hashlib.sha256(f"{name} {i}".encode()).digest()
                    for i in range(size // 32 + 1))[:size]


def text(size):
    words = [w.encode() for w in "otter river weir bank holt fish stone water".split()]
    order = noise("words", size)
    return b" ".join(words[b % len(words)] for b in order)[:size]


# --- zlib chunks ---------------------------------------------------------------------
def stream(data, window):
    made = zlib.compressobj(9, zlib.DEFLATED, window)
    return made.compress(data) + made.flush()


def chunked(data, bits=9, window=9, chunk=stream):
    out = struct.pack("<BBH", bits, window, 0)
    for off in range(0, len(data), 1 << bits):
        part = chunk(data[off:off + (1 << bits)], window)
        out += struct.pack("<H", len(part)) + part
    return out


# --- heatshrink ----------------------------------------------------------------------
def bits_of(tokens, window, lookahead):
    out = ""
    for token in tokens:
        if isinstance(token, int):
            out += f"1{token:08b}"
        else:
            distance, length = token
            out += f"0{distance - 1:0{window}b}{length - 1:0{lookahead}b}"
    return out


def shrunk(tokens, window, lookahead, tail=""):
    bits = bits_of(tokens, window, lookahead) + tail
    bits += "0" * (-len(bits) % 8)
    return b"HSDS" + bytes([1, window, lookahead]) + \
        bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


def tokens_of(data, window, lookahead):
    """Greedy, by looking at every place of the window."""
    at, tokens = 0, []
    while at < len(data):
        best = (0, 0)
        for distance in range(1, min(at, 1 << window) + 1):
            length = 0
            while length < 1 << lookahead and at + length < len(data) and \
                    data[at + length] == data[at + length - distance]:
                length += 1
            if length > best[1]:
                best = (distance, length)
        if best[1] > 1:
            tokens.append(best)
            at += best[1]
        else:
            tokens.append(data[at])
            at += 1
    return tokens


def expand(tokens, window):
    out = bytearray()
    for token in tokens:
        if isinstance(token, int):
            out.append(token)
            continue
        for _ in range(token[1]):
            at = len(out) - token[0]
            out.append(out[at] if at >= 0 else 0)
    return bytes(out)


GOOD, BAD = [], []


def good(name, coding, stored, content, memory):
    GOOD.append((name, coding, stored, content, memory))


def bad(name, coding, stored, size, memory, code):
    BAD.append((name, coding, stored, size, memory, code))


def make_good():
    for name, data in (("one_byte", b"o"), ("text", text(1300)), ("noise", noise("n", 700)),
                       ("zeros", bytes(1600)), ("whole_chunks", text(1024))):
        good(f"zlib_{name}", ZLIB, chunked(data), data, ZLIB_MEMORY + 512)
        for window, lookahead in ((8, 4), (4, 3), (11, 6)):
            good(f"heatshrink_{name}_{window}_{lookahead}", HEATSHRINK,
                 shrunk(tokens_of(data, window, lookahead), window, lookahead), data, 1 << window)
    data = text(6000)
    good("zlib_4k_chunks", ZLIB, chunked(data, 12, 12), data, ZLIB_MEMORY + 4096)
    good("zlib_small_window", ZLIB, chunked(data, 12, 9), data, ZLIB_MEMORY + 512)
    good("zlib_declared_larger", ZLIB,
         chunked(data, 11, 12, lambda part, _: stream(part, 9)), data, ZLIB_MEMORY + 4096)
    tokens = [(5, 3), 0x41, (256, 16), (1, 16), (17, 1)]
    good("heatshrink_before_the_first_byte", HEATSHRINK, shrunk(tokens, 8, 4),
         expand(tokens, 8), 256)
    tokens = [7, (1, 8), (16, 8), (9, 8)]
    good("heatshrink_smallest", HEATSHRINK, shrunk(tokens, 4, 3), expand(tokens, 4), 16)
    tokens = [7, (1, 1 << 9), (1 << 11, 1 << 9), 8, (1, 1)]
    good("heatshrink_widest_numbers", HEATSHRINK, shrunk(tokens, 11, 10), expand(tokens, 11), 2048)


def make_bad():
    data = text(1300)
    memory = ZLIB_MEMORY + 512
    whole = chunked(data)
    first = struct.unpack_from("<H", whole, 4)[0]

    for name, head in (("chunk_8", (8, 9, 0)), ("chunk_16", (16, 9, 0)), ("window_8", (9, 8, 0)),
                       ("window_16", (9, 16, 0)), ("reserved_low", (9, 9, 1)),
                       ("reserved_high", (9, 9, 0x8000))):
        bad(f"zlib_head_{name}", ZLIB, struct.pack("<BBH", *head) + whole[4:], 1300, memory, "35-11")
    bad("zlib_undeclared", ZLIB, whole, 1300, memory - 1, "35-15")
    bad("zlib_length_0", ZLIB, whole[:4] + bytes(2) + whole[6:], 1300, memory, "35-14")
    bad("zlib_length_less", ZLIB, whole[:4] + struct.pack("<H", first - 1) + whole[6:], 1300,
        memory, "35-14")
    bad("zlib_length_more", ZLIB, whole[:4] + struct.pack("<H", first + 1) + whole[6:], 1300,
        memory, "35-14")
    bad("zlib_length_beyond", ZLIB, whole[:4] + struct.pack("<H", 65535) + whole[6:], 1300, memory,
        "35-12")
    bad("zlib_goes_on", ZLIB, whole + b"\0", 1300, memory, "35-13")
    bad("zlib_chunk_more", ZLIB, whole + whole[4:6 + first], 1300, memory, "35-13")
    bad("zlib_chunk_missing", ZLIB, whole[:6 + first], 1300, memory, "35-12")
    bad("zlib_chunk_of_less", ZLIB, chunked(data, chunk=lambda p, w: stream(p[:-1], w)), 1300,
        memory, "35-14")
    bad("zlib_chunk_of_more", ZLIB, chunked(data, chunk=lambda p, w: stream(p + b"x", w)), 1300,
        memory, "35-14")
    bad("zlib_wide_window", ZLIB,
        chunked(data, chunk=lambda p, w: stream(p, 15)), 1300, memory, "35-14")
    bad("zlib_raw_deflate", ZLIB,
        chunked(data, chunk=lambda p, w: stream(p, w)[2:-4]), 1300, memory, "35-14")
    bad("zlib_checksum", ZLIB, whole[:5 + first] + bytes([whole[5 + first] ^ 1]) + whole[6 + first:],
        1300, memory, "35-14")
    bad("zlib_dictionary", ZLIB,
        chunked(data, chunk=lambda p, w: b"\x18\xbb" + bytes(4) + stream(p, w)[2:]), 1300, memory,
        "35-14")

    tokens = tokens_of(data, 8, 4)
    whole = shrunk(tokens, 8, 4)
    for name, at, value in (("magic", 0, 0x49), ("version_0", 4, 0), ("version_2", 4, 2),
                            ("window_3", 5, 3), ("window_16", 5, 16), ("lookahead_2", 6, 2),
                            ("lookahead_8", 6, 8), ("lookahead_255", 6, 255)):
        bad(f"heatshrink_{name}", HEATSHRINK, whole[:at] + bytes([value]) + whole[at + 1:], 1300,
            8192, "35-11")
    bad("heatshrink_undeclared", HEATSHRINK, whole, 1300, 255, "35-15")
    bad("heatshrink_goes_on", HEATSHRINK, whole + b"\0", 1300, 256, "35-13")
    bad("heatshrink_token_more", HEATSHRINK, shrunk(tokens + [0x41], 8, 4), 1300, 256, "35-13")
    bad("heatshrink_filled_with_a_one", HEATSHRINK, shrunk([1, 2], 8, 4, "01"), 2, 256, "35-13")
    bad("heatshrink_run_beyond", HEATSHRINK, shrunk([1, (1, 16)], 8, 4), 16, 256, "35-13")
    bad("heatshrink_short", HEATSHRINK, whole[:-1], 1300, 256, "35-12")
    bad("heatshrink_empty", HEATSHRINK, whole[:7], 1300, 256, "35-12")


def main():
    make_good()
    make_bad()
    stored, rows = b"", []
    for name, coding, member, content, memory in GOOD:
        rows.append(f"{name} {coding} {len(stored)} {len(member)} {len(content)} {memory} "
                    f"{hashlib.sha256(content).hexdigest()}")
        stored += member
    for name, coding, member, size, memory, code in BAD:
        rows.append(f"{name} {coding} {len(stored)} {len(member)} {size} {memory} {code}")
        stored += member
    folder = pathlib.Path(__file__).parent
    (folder / "coded.bin").write_bytes(stored)
    (folder / "coded.txt").write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
