#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How well bandwidth limits are kept: bandwidth.py [SECONDS] [KB/S ...]. For each limit an account of its own, an upload and
a download by OpenSSH's sftp that should take SECONDS each (10). Exit code 1 when one is off by more than 5 %, less what
an empty visit takes."""
import json
import sys
import tempfile
import time
from pathlib import Path

import clients
from server import KeyRing, Sallyport

RATES = [10, 100, 1_000, 10_000, 100_000]


def timed(job):
    begun = time.monotonic()
    job()
    return time.monotonic() - begun


def measure(server, directory, rate, seconds):
    record = directory / f"{rate}.json"
    record.write_text(json.dumps({"upload_bandwidth": rate, "download_bandwidth": rate}))
    client = clients.OpenSshSftp(server, server.add_account(f"user{rate}", options=["--json", record]))
    file = directory / "file"
    with open(file, "wb") as out:
        out.truncate(int(rate * 1000 * seconds))
    visit = min(timed(lambda: client.batch("pwd")) for _ in range(3))
    worst = 0
    for direction, line in (("up", f"put {file} /f"), ("down", f"get /f {file}")):
        took = timed(lambda line=line: client.batch(line, timeout=10 * seconds + 60)) - visit
        error = took / seconds - 1
        worst = max(worst, abs(error))
        print(f"{rate:>7} KB/s {direction:>5}: {took:6.2f} s for {seconds:g} s, {error:+.1%}", flush=True)
    return worst


def main(words):
    seconds, rates = float(words[0]) if words else 10, [int(word) for word in words[1:]] or RATES
    with tempfile.TemporaryDirectory(prefix="sallyport-bandwidth-") as name:
        directory = Path(name)
        (directory / "keys").mkdir()
        server = Sallyport(directory / "server", KeyRing(directory / "keys"))
        server.start()
        worst = max(measure(server, directory, rate, seconds) for rate in rates)
        server.stop()
    return 1 if worst > 0.05 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
