#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes encrypted*.otter and encrypted.txt beside itself, and prints wrap_vectors.h.

Written from docs/SPEC.md, "Encrypted members" and "Key wraps", with python3-cryptography
(OpenSSL) for AES, key wrap, HKDF and ECDH: it shares no code with the library. Packages
are put together by make_package.py, which is as independent. Running it again changes
nothing.
"""
import pathlib
import struct
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

import make_package as mp

ENCRYPTED = 4
SECRET = mp.sha(b"otter test secret")
ROOT = mp.sha(b"otter test root")
# NIST CAVS 14.1, ECC CDH primitive, P-256, COUNT = 0: the device's key.
DEVICE = 0x7D7DC5F71EB29DDAF80D6214632EEAE03D9058AF1FB6D22ED80BADB62BC1A534
OTHER_DEVICE = 0x38F65D6DCE47676044D58CE5139582D568F64BB16098D179DBAB07741DD5CAF5


def hkdf(secret, info, length):
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=info).derive(secret)


def private(scalar):
    return ec.derive_private_key(scalar, ec.SECP256R1())


def point(key):
    numbers = key.public_key().public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def p256_id(key):
    return mp.sha(b"\x04" + point(key))[:8]


def root_id(root):
    return mp.sha(b"otter root key" + root)[:8]


def encrypt(key, index, data):
    start = bytes(11) + bytes([index]) + bytes(4)
    return Cipher(algorithms.AES(key), modes.CTR(start)).encryptor().update(data)


def entry(key_id, kind, data):
    return key_id + struct.pack("<BBH", kind, 0, len(data)) + data


def wrap_p256(recipient, scalar, content_key):
    ephemeral = private(scalar)
    shared = ephemeral.exchange(ec.ECDH(), recipient.public_key())
    key_id = p256_id(recipient)
    kek = hkdf(shared, b"otter key wrap" + key_id + point(ephemeral), 32)
    return entry(key_id, 1, point(ephemeral) + aes_key_wrap(kek, content_key))


def wrap_root(root, content_key):
    return entry(root_id(root), 2, aes_key_wrap(root, content_key))


def make_content_key(secret, members, header):
    text = b"".join(struct.pack("<II", i, len(m["data"])) + m["data"]
                    for i, m in enumerate(members) if m.get("flags", 0) == ENCRYPTED)
    return hkdf(secret, b"otter content key" + mp.sha(text + header), 16)


def make_scalar(secret, content_key, key_id):
    wide = int.from_bytes(hkdf(secret, b"otter ephemeral key" + content_key + key_id, 48), "big")
    return 1 + wide % (mp.N - 1)


def wraps_of(package, secret, roots, keys):
    """The extension, its content key and scalars. Lengths come first: the header has them."""
    length = 100 * len(keys) + 36 * len(roots)
    members = package["members"]
    stored = sum(len(m["data"]) for m in members if not m.get("flags", 0) & mp.KEPT)
    control = 96 + 96 * len(members) + len(package["extensions"]) + 4 + length + 76 * len(package["scalars"])
    header = mp.image_header(package, control + stored)
    key = make_content_key(secret, members, header)
    scalars = [make_scalar(secret, key, p256_id(private(k))) for k in keys]
    wraps = b"".join(wrap_p256(private(k), s, key) for k, s in zip(keys, scalars))
    wraps += b"".join(wrap_root(r, key) for r in roots)
    return wraps, key, scalars


def build(changes, roots=(), keys=(), edit=None, kind=0x8007, other=None):
    """A package whose members with the flag are encrypted; `edit` spoils the wraps, with
    `other` another key than the one that they hold encrypts."""
    package = {**mp.PLAIN, **changes}
    wraps, key, scalars = wraps_of(package, SECRET, roots, keys)
    members = []
    for i, member in enumerate(package["members"]):
        if member.get("flags", 0) & ENCRYPTED and not member.get("flags", 0) & mp.KEPT:
            member = {**member, "plain": member["data"], "data": encrypt(other or key, i, member["data"])}
        members.append(member)
    wraps = edit(wraps) if edit else wraps
    extension = mp.extension(kind, wraps) if wraps is not None else b""
    package = {**package, "members": members, "extensions": package["extensions"] + extension}
    return mp.build(package), key, scalars, wraps


def replaced(offset, data):
    return lambda wraps: wraps[:offset] + data + wraps[offset + len(data):]


SECRET_FIRMWARE = {**mp.FIRMWARE, "flags": ENCRYPTED}
SECRET_MANAGER = {**mp.MANAGER, "flags": ENCRYPTED}
ONE = {"members": [SECRET_FIRMWARE, mp.kept(mp.MANAGER), mp.kept(mp.TABLE)]}
TWO = {"members": [SECRET_FIRMWARE, SECRET_MANAGER, mp.TABLE]}
KEPT_ONE = {"members": [SECRET_FIRMWARE, {**mp.MANAGER, "flags": mp.KEPT | ENCRYPTED}, mp.kept(mp.TABLE)]}
BOTH = {"roots": [ROOT], "keys": [DEVICE]}

# name, code, why, arguments of build()
PACKAGES = [
    ("encrypted", "00-00", "one encrypted member, two recipients", (ONE,), BOTH),
    ("encrypted_two", "00-00", "two encrypted members, the table in clear", (TWO,), BOTH),
    ("encrypted_kept", "00-00", "a kept member that was encrypted", (KEPT_ONE,), BOTH),
    ("encrypted_only_kept", "00-00", "only a kept member was encrypted: no wraps",
     ({"members": [mp.FIRMWARE, *KEPT_ONE["members"][1:]]},), {"edit": lambda wraps: None}),
    ("encrypted_eight", "00-00", "the most wraps", (ONE,),
     {"roots": [mp.sha(bytes([i])) for i in range(8)]}),
    ("encrypted_nine", "24-10", "one more", (ONE,),
     {"roots": [mp.sha(bytes([i])) for i in range(9)]}),
    ("encrypted_no_wraps", "24-10", "an encrypted member and no key wrap", (ONE,),
     {**BOTH, "edit": lambda wraps: None}),
    ("encrypted_none", "24-10", "an empty list of key wraps", (ONE,),
     {**BOTH, "edit": lambda wraps: b""}),
    ("wraps_for_nothing", "24-10", "key wraps and no encrypted member", ({},), BOTH),
    ("wraps_not_critical", "24-10", "key wraps that a reader may pass over", (ONE,), {**BOTH, "kind": 7}),
    ("wrap_twice", "24-10", "a recipient twice", (ONE,), {"roots": [ROOT, ROOT]}),
    ("wrap_kind_0", "24-10", "a kind that is none", (ONE,), {**BOTH, "edit": replaced(8, b"\x00")}),
    ("wrap_kind_3", "24-10", "a kind of later versions", (ONE,), {**BOTH, "edit": replaced(8, b"\x03")}),
    ("wrap_reserved", "24-10", "a reserved byte that is not 0", (ONE,), {**BOTH, "edit": replaced(9, b"\x01")}),
    ("wrap_short", "24-10", "a length that is not its kind's", (ONE,), {**BOTH, "edit": replaced(10, b"\x57\x00")}),
    ("wrap_long", "24-10", "a length past the end", (ONE,), {**BOTH, "edit": lambda wraps: wraps[:-1]}),
    ("wrap_head", "24-10", "a wrap's head is cut", (ONE,), {**BOTH, "edit": lambda wraps: wraps + bytes(11)}),
    ("encrypted_other", "00-00", "a content key that is not the one wrapped: 24-17 to who opens it",
     (ONE,), {**BOTH, "other": bytes(16)}),
    ("encrypted_plain", "21-15", "the flag on a member that is not encrypted",
     (ONE,), {**BOTH, "same": True}),
]


def make(arguments, options):
    if options.pop("same", False):
        package, key, scalars, wraps = build(*arguments, **options)
        plain = mp.build({**mp.PLAIN, **ONE, "extensions": mp.extension(0x8007, wraps)})
        return plain
    return build(*arguments, **options)[0]


def c_bytes(name, data):
    rows = [data[i:i + 12] for i in range(0, len(data), 12)]
    text = "".join("    " + " ".join(f"0x{byte:02X}," for byte in row) + "\n" for row in rows)
    return f"static const uint8_t {name}[] = {{\n{text}}};\n\n"


def print_header():
    package, key, scalars, wraps = build(ONE, **BOTH)
    saved = mp.sha(b"otter test image")
    storage = mp.sha(b"otter test storage")
    out = ["/* SPDX-License-Identifier: Apache-2.0 */\n"
           "/*\n * Key wraps by another implementation: made by make_encrypted.py from docs/SPEC.md.\n */\n"
           "#ifndef OTTER_WRAP_VECTORS_H\n#define OTTER_WRAP_VECTORS_H\n\n"
           "#include <stdint.h>\n\n/* clang-format off */\n"]
    for name, data in (
            ("vector_secret", SECRET), ("vector_root", ROOT),
            ("vector_device_scalar", DEVICE.to_bytes(32, "big")),
            ("vector_device_point", point(private(DEVICE))),
            ("vector_other_scalar", OTHER_DEVICE.to_bytes(32, "big")),
            ("vector_device_id", p256_id(private(DEVICE))), ("vector_root_id", root_id(ROOT)),
            ("vector_content_key", key), ("vector_ephemeral", scalars[0].to_bytes(32, "big")),
            ("vector_wraps", wraps),
            ("vector_plain", mp.FIRMWARE["data"]), ("vector_cipher", encrypt(key, 0, mp.FIRMWARE["data"])),
            ("vector_cipher_7", encrypt(key, 7, mp.FIRMWARE["data"])),
            ("vector_storage_secret", storage), ("vector_storage_number", saved),
            ("vector_storage_key", hkdf(storage, b"otter saved copy" + saved, 16))):
        out.append(c_bytes(name, data))
    out.append("/* clang-format on */\n\n#endif\n")
    sys.stdout.write("".join(out))


def main():
    here = pathlib.Path(__file__).parent
    lines = ["# file, code, why; made by make_encrypted.py\n"]
    for name, code, why, arguments, options in PACKAGES:
        (here / f"{name}.otter").write_bytes(make(arguments, dict(options)))
        lines.append(f"{name}.otter {code} {why}\n")
    (here / "encrypted.txt").write_text("".join(lines), encoding="ascii")
    print_header()


if __name__ == "__main__":
    main()
