#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles every public header on its own, strictly.

  headers.py COMPILER STANDARD INCLUDE_DIR    STANDARD: c11, c17, c++11, c++17, c++20
C headers must pass everywhere; the C++ sugar (*.hpp) is C++20.
"""
import subprocess
import sys
from pathlib import Path

compiler, standard, include_dir = sys.argv[1:]
endings = {".h", ".hpp"} if standard == "c++20" else {".h"}
headers = sorted(path.relative_to(include_dir) for path in Path(include_dir).rglob("*") if path.suffix in endings)
failed = 0
for header in headers:
    command = [compiler, "-x", "c++" if "++" in standard else "c", f"-std={standard}", "-Wall", "-Wextra", "-pedantic",
               "-Werror", "-fsyntax-only", f"-I{include_dir}", "-"]
    # Twice: the guard must hold. The declaration keeps the unit from being empty.
    source = f"#include <{header}>\n#include <{header}>\nint main(void) {{ return 0; }}\n"
    result = subprocess.run(command, input=source, capture_output=True, text=True)
    if result.returncode != 0:
        failed += 1
        print(f"{header} as {standard}:\n{result.stderr}")
print(f"{len(headers)} headers as {standard}, {failed} failed")
sys.exit(1 if failed or not headers else 0)
