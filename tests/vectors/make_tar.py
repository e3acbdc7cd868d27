#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tar_vectors.h: archives of a tree of files, made by Python's tarfile, and what
is wrong in some of them. Nothing of the library is used."""
import io
import tarfile

FOLDER = "docs/" + "f" * 60
TREE = [
    ("a", None), ("a/b.txt", b"b\n"), ("a.txt", b"a" * 700), ("docs", None),
    (FOLDER, None), (FOLDER + "/" + "n" * 50, b"long"), ("empty", b""),
    ("\u00fcn\u00ef.txt", b"utf-8"),
]


def info(name, content, kind=None):
    entry = tarfile.TarInfo(name)
    entry.type = kind or (tarfile.DIRTYPE if content is None else tarfile.REGTYPE)
    entry.mode = 0o755 if content is None else 0o644
    entry.size = len(content or b"")
    return entry


def archive(entries, form=tarfile.USTAR_FORMAT):
    out = io.BytesIO()
    tar = tarfile.open(fileobj=out, mode="w", format=form, bufsize=512)
    for entry, content in entries:
        tar.addfile(entry, io.BytesIO(content or b""))
    for _ in range(2):
        out.write(bytes(512))
    return out.getvalue()


def tree(*entries):
    return archive([(info(name, content), content) for name, content in entries])


def odd(kind, name="x"):
    entry = info(name, b"", kind)
    entry.linkname = "a.txt" if kind in (tarfile.LNKTYPE, tarfile.SYMTYPE) else ""
    return archive([(entry, b"")])


VECTORS = [
    ("tree", tree(*TREE)),
    ("none", tree()),
    ("up", tree(("../x", b"1"))),
    ("up_inside", tree(("a", None), ("a/../../x", b"1"))),
    ("up_last", tree(("a", None), ("a/..", b"1"))),
    ("dot", tree(("./x", b"1"))),
    ("absolute", tree(("/x", b"1"))),
    ("hard_link", odd(tarfile.LNKTYPE)),
    ("soft_link", odd(tarfile.SYMTYPE)),
    ("device", odd(tarfile.CHRTYPE)),
    ("pipe", odd(tarfile.FIFOTYPE)),
    ("gnu", archive([(info("x", b"1"), b"1")], tarfile.GNU_FORMAT)),
    ("pax", archive([(info("x" * 120, b"1"), b"1")], tarfile.PAX_FORMAT)),
    ("twice", tree(("a", b"1"), ("a", b"2"))),
    ("backwards", tree(("b", b"1"), ("a", b"2"))),
    ("homeless", tree(("a/b", b"1"))),
    ("in_a_file", tree(("a", b"1"), ("a/b", b"2"))),
]


def show(name, data):
    # Zeros at the end of a line of the source are left to the array.
    lines, gap = [], 0
    print(f"\nstatic const uint8_t tar_{name}[{len(data)}] = {{")
    off = 0
    while off < len(data):
        part = data[off:off + 12]
        if any(part):
            lines.append(f"    [{off}] = " if gap else "    ")
            lines[-1] += ", ".join(f"0x{b:02X}" for b in part) + ","
            gap = 0
        else:
            gap += len(part)
        off += 12
    print("\n".join(lines) if lines else "    0,")
    print("};")


if __name__ == "__main__":
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/*\n * Archives of trees of files. Made by make_tar.py with Python's tarfile;\n"
          " * never changed.\n */")
    print("#ifndef OTTER_TAR_VECTORS_H\n#define OTTER_TAR_VECTORS_H\n\n"
          "#include <stdint.h>\n\n/* clang-format off */")
    for vector in VECTORS:
        show(*vector)
    print("/* clang-format on */\n\n#endif")
