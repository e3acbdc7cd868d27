#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes *.otter and packages.txt beside itself: packages, good and bad, and their codes.

Written from docs/SPEC.md alone, with the Python standard library; it shares no code
with the library. Signs with ECDSA P-256 and RFC 6979 (curve: SP 800-186, 3.2.1.3) and
checks itself against RFC 6979, A.2.5, whose key is the trusted one. Running it again
changes nothing.
"""
import hashlib
import hmac
import pathlib
import struct

# --- ECDSA P-256 ---------------------------------------------------------------------
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    if a == b:
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(scalar, point):
    total = None
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point = add(point, point)
        scalar >>= 1
    return total


def nonces(scalar, digest):
    """RFC 6979, section 3.2, for SHA-256 and a group of 256 bits."""
    seed = scalar.to_bytes(32, "big") + (int.from_bytes(digest, "big") % N).to_bytes(32, "big")
    key, value = bytes(32), b"\x01" * 32
    for mark in (b"\x00", b"\x01"):
        key = hmac.digest(key, value + mark + seed, "sha256")
        value = hmac.digest(key, value, "sha256")
    while True:
        value = hmac.digest(key, value, "sha256")
        if 0 < int.from_bytes(value, "big") < N:
            yield int.from_bytes(value, "big")
        key = hmac.digest(key, value + b"\x00", "sha256")
        value = hmac.digest(key, value, "sha256")


def sign(scalar, data):
    digest = hashlib.sha256(data).digest()
    for nonce in nonces(scalar, digest):
        r = multiply(nonce, G)[0] % N
        s = pow(nonce, -1, N) * (int.from_bytes(digest, "big") + r * scalar) % N
        if r and s:
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def public(scalar):
    return b"".join(number.to_bytes(32, "big") for number in multiply(scalar, G))


TRUSTED = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
OTHER = int.from_bytes(hashlib.sha256(b"otter test key 2").digest(), "big")


def check_signer():
    made = sign(TRUSTED, b"sample").hex().upper()
    assert made == ("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
                    "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8")


# --- the format: docs/SPEC.md --------------------------------------------------------
KEPT = 1


def sha(data):
    return hashlib.sha256(data).digest()


def version(numbers):
    return struct.pack("<BBHI", *numbers)


def image_header(package, payload_size):
    return struct.pack("<IIHHII", 0x96F3B83D, 0, 32, 0, payload_size, 0) + \
        version(package["version"]) + bytes(4)


def member_entry(member):
    kept = member.get("flags", 0) & KEPT
    stored, plain = member["data"], member.get("plain", member["data"])
    entry = struct.pack("<BBBBIIIII", member["role"], member.get("region", 0),
                        member.get("coding", 0), member.get("flags", 0), member.get("link", 0),
                        0 if kept else len(stored), len(plain), 0, member.get("depends", 0))
    return entry + (bytes(32) if kept else sha(stored)) + sha(plain) + bytes(8)


def signature_entry(scalar, data):
    key_id = sha(b"\x04" + public(scalar))[:8]
    return key_id + struct.pack("<BBH", 1, 0, 64) + sign(scalar, data)


def build(package):
    members, scalars = package["members"], package["scalars"]
    extensions = package["extensions"]
    stored = b"".join(m["data"] for m in members if not m.get("flags", 0) & KEPT)
    length = 96 + 96 * len(members) + len(extensions) + 76 * len(scalars)
    header = image_header(package, length + len(stored))

    def signed(package_id):
        head = b"OTTR" + struct.pack("<HH", 1, length) + header
        head += struct.pack("<IIHH", 32 + length + len(stored) + 40, package["target"],
                            *package["hardware"])
        head += package_id + struct.pack("<I", package["counter"]) + version(package["follows"])
        head += struct.pack("<HHBBH", package["boot_min"], package["manager_min"],
                            len(members), len(scalars), len(extensions)) + bytes(8)
        return head + b"".join(map(member_entry, members)) + extensions

    control = signed(package["id"] or sha(signed(bytes(16)))[:16])
    control += b"".join([signature_entry(scalar, control) for scalar in scalars])
    assert len(control) == length
    body = header + control + stored
    return body + struct.pack("<HHHH", 0x6907, 40, 0x10, 32) + sha(body)


# --- the packages --------------------------------------------------------------------
def image(name, size):
    return b"".join(sha(f"{name} {i}".encode()) for i in range(size // 32 + 1))[:size]


def extension(kind, data, length=None):
    return struct.pack("<HH", kind, len(data) if length is None else length) + data


def kept(member):
    return {**member, "flags": KEPT}


FIRMWARE = {"role": 1, "link": 0x10060000, "data": image("firmware", 300)}
MANAGER = {"role": 2, "link": 0x10020000, "data": image("manager", 200)}
TABLE = {"role": 3, "data": image("table", 180)}
FONT = {"role": 7, "data": b"x"}
SYSTEM = [FIRMWARE, kept(MANAGER), kept(TABLE)]
PLAIN = {"version": (1, 2, 3, 4), "target": 0x4F545401, "hardware": (1, 3), "id": None,
         "counter": 7, "follows": (1, 0, 0, 0), "boot_min": 1, "manager_min": 2,
         "members": SYSTEM, "extensions": b"", "scalars": [TRUSTED]}
TEXTS = (extension(1, b"Lutra Labs") + extension(2, "Weir gauge \u2014 \u00E9t\u00E9".encode()) +
         extension(3, b"1.2.3-rc1") + extension(4, b"0123abcd") +
         extension(5, "First line\nSecond\tline: \u2713\n".encode()) + extension(6, b"\x23"))
FULL = {**PLAIN, "version": (255, 254, 65533, 0xFFFFFFFC), "target": 0xFEDCBA98,
        "hardware": (0x1234, 0x5678), "id": bytes(range(16)), "counter": 0x89ABCDEF,
        "follows": (1, 2, 3, 4), "boot_min": 0x1357, "manager_min": 0x2468,
        "members": [{**FIRMWARE, "region": 6}, {**MANAGER, "depends": 1}, {**TABLE, "depends": 3},
                    kept({"role": 7, "data": image("font", 77)})],
        "extensions": TEXTS, "scalars": [OTHER, TRUSTED]}


def more(member):
    return {"members": SYSTEM + [member]}


def resources(count):
    return {"members": SYSTEM + [kept({"role": 6, "region": i, "data": b"r"}) for i in range(count)]}


def text(kind, data, length=None):
    return {"extensions": extension(kind, data, length)}


KEY_ID = sha(b"\x04" + public(OTHER))[:8]
# name, code, why, what differs from PLAIN
PACKAGES = [
    ("plain", "00-00", "one carried member, two kept ones, one signature", {}),
    ("full", "00-00", "every field in use, two signatures", FULL),
    ("unsigned", "00-00", "no signature", {"scalars": []}),
    ("other_key", "00-00", "a key that nobody trusts", {"scalars": [OTHER]}),
    ("four_signatures", "00-00", "the most signatures", {"scalars": [OTHER] * 3 + [TRUSTED]}),
    ("five_signatures", "22-13", "too many signatures", {"scalars": [OTHER] * 4 + [TRUSTED]}),
    ("eight_members", "00-00", "the most members", resources(5)),
    ("nine_members", "21-14", "too many members", resources(6)),
    ("no_members", "21-14", "no member", {"members": []}),
    ("doubled", "21-16", "two members of one role and region", more({"role": 2, "data": b"m"})),
    ("two_regions", "21-16", "two firmwares, two regions", more({"role": 1, "region": 7, "data": b"b"})),
    ("no_firmware", "21-17", "no firmware", {"members": SYSTEM[1:]}),
    ("no_manager", "21-17", "no manager", {"members": [SYSTEM[0], SYSTEM[2]]}),
    ("no_table", "21-17", "no table", {"members": SYSTEM[:2]}),
    ("unknown_role", "00-00", "a role of later versions", more(kept({**FONT, "role": 200}))),
    ("unknown_coding", "00-00", "a coding of later versions: devices refuse it, not readers",
     more({**FONT, "coding": 9})),
    ("unknown_flag", "21-22", "a flag of later versions", more({**FONT, "flags": 16})),
    ("in_place", "00-00", "a font in place, with which the old system runs, behind a kept one",
     {"members": [FIRMWARE, kept(MANAGER), {**FONT, "flags": 10}, kept(TABLE)]}),
    ("in_place_first", "21-24", "a member that is stored behind one in place",
     {"members": [kept(MANAGER), kept(TABLE), {**FONT, "flags": 2}, FIRMWARE]}),
    ("in_place_kept", "21-15", "a kept member in place", more({**FONT, "flags": 3})),
    ("compatible_alone", "21-15", "a declaration about what is not in place",
     more({**FONT, "flags": 8})),
    ("empty_member", "21-15", "a member of 0 bytes", more({**FONT, "data": b""})),
    ("depends_on_itself", "21-15", "a dependency on itself", more({**FONT, "depends": 8})),
    ("unknown_extension", "00-00", "an extension of later versions",
     {"extensions": extension(0x123, b"anything") + TEXTS}),
    ("critical_extension", "21-19", "one that must be understood", text(0x8123, b"anything")),
    ("critical_vendor", "00-00", "a known one that must be understood", text(0x8001, b"vendor")),
    ("doubled_extension", "21-18", "a type twice",
     {"extensions": extension(1, b"a") + extension(0x8001, b"b")}),
    ("cut_extension", "21-18", "an extension's head is cut", {"extensions": b"\x01\x00\x01"}),
    ("long_extension", "21-18", "an extension goes on after its end", text(0x100, b"1234", 5)),
    ("text_64", "00-00", "the longest text", text(1, b"v" * 64)),
    ("text_65", "21-20", "a longer one", text(1, b"v" * 65)),
    ("notes_512", "00-00", "the longest notes, characters of 3 bytes on every boundary",
     text(5, ("a" + "\u20AC" * 170 + "z").encode())),
    ("notes_513", "21-20", "longer ones", text(5, b"n" * 513)),
    ("notes_4_bytes", "00-00", "characters of 2 and 4 bytes across the ends of parts",
     text(5, ("n" * 63 + "\u00E9" + "n" * 60 + "\U0001F9A6" * 30 + "n" * 5 +
              "\U0001F9A6" * 32).encode())),
    ("empty_text", "00-00", "a text of no bytes", text(1, b"")),
    ("cut_character", "21-20", "a text that ends inside a character", text(2, b"ab\xE2\x82")),
    ("overlong", "21-20", "a character in overlong form", text(2, b"\xC0\xAF")),
    ("notes_bad_at_64", "21-20", "half a character before a part's end, then text",
     text(5, b"n" * 62 + b"\xE2\x82" + b"n" * 40)),
    ("escape", "21-20", "a control character", text(4, b"\x1B[2J")),
    ("line_feed", "21-20", "two lines where one is meant", text(1, b"a\nb")),
    ("battery_100", "00-00", "the largest percentage", text(6, b"\x64")),
    ("battery_101", "21-18", "a larger one", text(6, b"\x65")),
    ("battery_2", "21-18", "two bytes", text(6, b"dd")),
    ("revokes_one", "00-00", "a key that is revoked", text(0x8008, KEY_ID)),
    ("revokes_most", "00-00", "the most keys that are revoked", text(0x8008, bytes(range(256)))),
    ("revokes_more", "21-18", "more keys that are revoked", text(0x8008, bytes(33 * 8))),
    ("revokes_none", "21-18", "no key that is revoked", text(0x8008, b"")),
    ("revokes_part", "21-18", "a part of a key's id", text(0x8008, KEY_ID + b"x")),
    ("revokes_not_critical", "21-18", "a reader might pass over what is revoked", text(8, KEY_ID)),
    ("revokes_twice", "21-18", "two lists of keys",
     {"extensions": extension(0x8008, KEY_ID) * 2}),
    ("control_2048", "00-00", "the longest control packet", text(0x100, bytes(1584))),
    ("control_2049", "21-12", "a longer one", text(0x100, bytes(1585))),
]


def main():
    check_signer()
    here = pathlib.Path(__file__).parent
    lines = ["# file, code, why; made by make_package.py\n"]
    for name, code, why, changes in PACKAGES:
        (here / f"{name}.otter").write_bytes(build({**PLAIN, **changes}))
        lines.append(f"{name}.otter {code} {why}\n")
    (here / "packages.txt").write_text("".join(lines), encoding="ascii")


if __name__ == "__main__":
    main()
