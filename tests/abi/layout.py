#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the ABI's layout, as a freshly built printer tells it, with the golden text, and finds what layout.inc lacks.

  layout.py PRINTER GOLDEN INCLUDE_DIR            exit 1 and a diff when something moved, changed or is not listed
  layout.py PRINTER GOLDEN INCLUDE_DIR --accept   write the golden text anew (after raising the draft number)
"""
import difflib
import re
import subprocess
import sys
from pathlib import Path


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.DOTALL)


def members_of(body):
    for declaration in filter(str.strip, body.split(";")):
        pointer = re.search(r"\(\s*SP_CALL\s*\*\s*(\w+)\s*\)", declaration)
        if pointer:
            yield pointer.group(1)
            continue
        for part in declaration.split(","):
            yield re.search(r"(\w+)\s*(\[[^\]]*\])?\s*$", part).group(1)


def declared(include_dir):
    """Everything the headers declare, in the words of layout.inc's printer: structs, their members, numbers."""
    for header in sorted(Path(include_dir).rglob("*.h")):
        text = without_comments(header.read_text(encoding="utf-8"))
        for name, body in re.findall(r"typedef struct (\w+)\s*\{(.*?)\}\s*\1\s*;", text, re.DOTALL):
            yield f"struct {name}"
            yield from (f"member {name}.{member}" for member in members_of(body))
        for name in re.findall(r"^#define (SP_\w+)[ \t]+\(?(?:0x)?[0-9a-fA-F]+u?\)?[ \t]*$", text, re.MULTILINE):
            yield f"number {name}"
        for name in re.findall(r'^#define (SP_\w+)[ \t]+"', text, re.MULTILINE):
            yield f"text {name}"


def main():
    printer, golden, include_dir, *rest = sys.argv[1:]
    printed = subprocess.run([printer], check=True, capture_output=True, text=True).stdout
    listed = {" ".join(line.split()[:2]) for line in printed.splitlines()}
    missing = [entry for entry in declared(include_dir) if entry not in listed]
    for entry in missing:
        print(f"layout.inc does not list {entry}")
    if rest == ["--accept"]:
        Path(golden).write_text(printed, encoding="utf-8")
        return 1 if missing else 0
    wanted = Path(golden).read_text(encoding="utf-8")
    diff = list(difflib.unified_diff(wanted.splitlines(), printed.splitlines(), golden, "as built", lineterm="", n=0))
    print("\n".join(diff))
    return 1 if diff or missing else 0


if __name__ == "__main__":
    sys.exit(main())
