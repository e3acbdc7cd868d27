#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""coverage_gate.py REPORT TABLE: prints the lines and branches of each file that tests
reach, from a JSON report of gcovr; fails if a gated file has an unreached one that the
table does not list, or if the table lists one that is reached.

A row of the table is: | `file` | `function` | `source line` | reason |
A row stands for the branches of its source line, and for the unreached lines below it up
to the next one that is reached. Vertical bars in a source line are written \\|.

One branch needs no row: the one of a switch that is taken when no case is. The compiler
makes it although the cases name every value of the enum.
"""
import json
import re
import sys

GATED = re.compile(
    r"src/(install/|boot/|package/|store/|flash/journal\.c$|door/receive[a-z_]*\.c$)"
)
ROW = re.compile(r"^\| `(src/[^`]+)` \| `(\w+)` \| `(.+?)` \| (.+) \|$")


def read_table(path):
    """The rows as (file, function, source line)."""
    rows = {}
    with open(path, encoding="utf-8") as text:
        for line in text:
            found = ROW.match(line.rstrip("\n"))
            if found:
                file, function, source, reason = found.groups()
                rows[file, function, source.replace("\\|", "|")] = reason
    return rows


def function_at(functions, line):
    """The name of the function that holds the line."""
    name = ""
    for function in sorted(functions, key=lambda one: one["lineno"]):
        if function["lineno"] <= line:
            name = function["name"]
    return name


def code_lines(file):
    """The lines that gcovr counts."""
    return [line for line in file["lines"] if not line.get("gcovr/noncode")]


def missed_branches(line, source):
    missed = [i for i, one in enumerate(line["branches"]) if one["count"] == 0]
    if source.startswith("switch (") and missed == [len(line["branches"]) - 1]:
        return 0
    return len(missed)


def unreached(file):
    """Yields (line number, function, source line) of what a row must stand for."""
    with open(file["file"], encoding="utf-8") as text:
        sources = [line.strip() for line in text]
    is_explained = False
    for line in sorted(code_lines(file), key=lambda one: one["line_number"]):
        number = line["line_number"]
        source = sources[number - 1]
        if line["count"] == 0:
            if not is_explained:
                yield number, function_at(file["functions"], number), source
            is_explained = True
            continue
        is_explained = missed_branches(line, source) > 0
        if is_explained:
            yield number, function_at(file["functions"], number), source


def count(file):
    lines = code_lines(file)
    branches = [one for line in lines for one in line["branches"]]
    return (
        sum(line["count"] > 0 for line in lines),
        len(lines),
        sum(one["count"] > 0 for one in branches),
        len(branches),
    )


def print_counts(name, counts, mark=""):
    lines, all_lines, branches, all_branches = counts
    print(
        f"{name:36} {lines:6} of {all_lines:5} {100 * lines / max(all_lines, 1):6.1f} %"
        f" {branches:6} of {all_branches:5} {100 * branches / max(all_branches, 1):6.1f} %"
        f" {mark}"
    )


def main(report, table):
    with open(report, encoding="utf-8") as text:
        files = sorted(json.load(text)["files"], key=lambda one: one["file"])
    rows = read_table(table)
    used = set()
    failed = False

    print(f"{'':36} {'lines':>22} {'branches':>24}")
    for file in files:
        is_gated = GATED.match(file["file"]) is not None
        print_counts(file["file"], count(file), "gated" if is_gated else "")
    print_counts("all", [sum(column) for column in zip(*map(count, files))])
    gated = [file for file in files if GATED.match(file["file"])]
    print_counts("gated", [sum(column) for column in zip(*map(count, gated))])
    for file in gated:
        for number, function, source in unreached(file):
            key = (file["file"], function, source)
            if key in rows:
                used.add(key)
                continue
            failed = True
            print(f"coverage: {file['file']}:{number}: {function}(): not reached: {source}")
    for file, function, source in sorted(set(rows) - used):
        failed = True
        print(f"coverage: {table} lists what is reached, or gone: {file}, {function}(): {source}")
    if failed:
        return 1
    print(f"coverage: ok, {len(used)} rows of {table} explain what is not reached")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
