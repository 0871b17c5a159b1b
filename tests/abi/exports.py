#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that every built plugin exports sp_plugin_v1 and nothing else.

  exports.py DIRECTORY...    bad-symbol, which is wrong on purpose, is left out
"""
import subprocess
import sys
from pathlib import Path

plugins = [path for folder in sys.argv[1:] for path in sorted(Path(folder).glob("*.so")) if path.stem != "bad-symbol"]
failed = 0
for plugin in plugins:
    output = subprocess.run(["nm", "-D", "--defined-only", plugin], check=True, capture_output=True, text=True).stdout
    # The version node itself is listed as an absolute symbol by some linkers.
    symbols = {line.split()[-1].partition("@")[0] for line in output.splitlines() if line.split()[-2] != "A"}
    if symbols != {"sp_plugin_v1"}:
        failed += 1
        print(f"{plugin} exports {', '.join(sorted(symbols)) or 'nothing'}; wanted exactly sp_plugin_v1")
print(f"{len(plugins)} plugins, {failed} failed")
sys.exit(1 if failed or not plugins else 0)
