#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves that every row of tests/rows.md names tests that exist.

A row is `| name | what | tests |`. Tests are `test_file.py::test_name` (below tests/) or `Suite.Name` (GoogleTest),
separated by commas; or `none: REASON`. Prints one line per offence and exits with 1
when there is any.

  check_rows.py [ROOT]      check a tree (default: the one this script lies in)
  check_rows.py --self-test show that each rule finds what it forbids
"""
import re
import sys
import tempfile
from pathlib import Path

ROW = re.compile(r"^\| *`([^`]+)` *\|([^|]*)\|(.*)\|$")
GTEST = re.compile(r"^TEST(?:_F|_P)?\((\w+), *(\w+)\)", re.MULTILINE)
PYTEST = re.compile(r"^(?:    )?(?:async )?def (test_\w+)\(", re.MULTILINE)  # of a class too


def existing_tests(root):
    found = set()
    for folder in ("host", "plugins", "tests"):
        for file in (root / folder).rglob("*"):
            if file.suffix in (".cpp", ".h"):
                found |= {f"{suite}.{name}" for suite, name in GTEST.findall(file.read_text(errors="replace"))}
            elif file.name.startswith("test_") and file.suffix == ".py":
                found |= {f"{file.name}::{name}" for name in PYTEST.findall(file.read_text(errors="replace"))}
    return found


def offences(root):
    known, seen = existing_tests(root), set()
    for number, line in enumerate((root / "tests/rows.md").read_text().splitlines(), 1):
        row = ROW.match(line)
        if not row:
            if line.startswith("| `"):
                yield f"tests/rows.md:{number}: not three columns: {line}"
            continue
        name, _, tests = (part.strip() for part in row.groups())
        if name in seen:
            yield f"tests/rows.md:{number}: a second row {name}"
        seen.add(name)
        kind, colon, rest = tests.partition(": ")
        if colon and kind == "none":
            if not rest.strip():
                yield f"tests/rows.md:{number}: {name}: why none?"
            continue
        named = [test.strip(" `") for test in tests.split(",") if test.strip()]
        if not named:
            yield f"tests/rows.md:{number}: {name}: no test"
        for test in named:
            if test not in known:
                yield f"tests/rows.md:{number}: {name}: there is no test {test}"
    if not seen:
        yield "tests/rows.md: no rows"


def self_test():
    def wrong(table):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "tests/blackbox").mkdir(parents=True)
            (root / "tests/blackbox/test_a.py").write_text("def test_one(x):\n    pass\n")
            (root / "tests/a_test.cpp").write_text("TEST_F(Suite, Two) {\n}\n")
            (root / "tests/rows.md").write_text(table)
            return list(offences(root))
    assert not wrong("| `r` | w | `test_a.py::test_one`, `Suite.Two` |\n| `t` | w | none: because |\n")
    for table in ("", "| `r` | w | |\n", "| `r` | w | `test_a.py::test_two` |\n", "| `r` | w | `Suite.One` |\n", "| `r` | w | `Suite.Two` |\n| `s` | w |\n",
                  "| `r` | w | none: |\n", "| `r` | w | `Suite.Two` |\n| `r` | w | `Suite.Two` |\n"):
        assert len(wrong(table)) == 1, table
    print("each rule bites")


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    problems = list(offences(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]))
    print("\n".join(problems) or "every row has its test")
    sys.exit(1 if problems else 0)
