#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What many clients of the REST API cost those of SFTP: rest_load.py [SECONDS] [CLIENTS] [PAUSE] [RATIO]. SFTP uploads and
downloads run for SECONDS (30) alone and for SECONDS beside CLIENTS (50), in turns; each of these waits PAUSE seconds (0.05)
between two requests, one in eight of which changes an account. Printed are requests, errors and the ratio of speeds. The
clients need processors too: quote figures of an idle machine that has some to spare; bench/README.md says how to tell what
they cost from what the server costs. Exit code 1 when a request failed, 2 when the median ratio is below RATIO (0)."""
import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import clients
from rest import Rest
from server import KeyRing, Sallyport

FILE_BYTES = 64 * 1024 * 1024
ROUNDS = 3  # alone and beside take turns: other load on the machine then falls on both
CHANGE = "user/{id}"
REQUESTS = ["version", "connection", "user?limit=10", "/metrics", "quota_scan", "providerstatus", "user?username=alice", CHANGE]


class Load:
    def __init__(self, url, count, pause_s):
        self.pause_s = pause_s
        self.rest, self.ending, self.lock = Rest(url), threading.Event(), threading.Lock()
        self.id = self.rest.user("changed")["id"]
        self.requests, self.errors, self.times = 0, 0, []
        self.threads = [threading.Thread(target=self.work, args=(number,)) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def work(self, number):
        connection = self.rest.connect()
        step = number
        while not self.ending.wait(self.pause_s):
            begun = time.monotonic()
            try:
                good = self.ask(connection, REQUESTS[step % len(REQUESTS)], step)
            except (OSError, ValueError):
                good = False
                connection.close()
            with self.lock:
                self.requests += 1
                self.errors += not good
                self.times.append(time.monotonic() - begun)
            step += 1
        connection.close()

    def ask(self, connection, path, step):
        """One request; whether it was answered as it should be."""
        method, body = ("PUT", json.dumps({"max_sessions": step % 100})) if path == CHANGE else ("GET", None)
        path = path.format(id=self.id)
        connection.request(method, path if path.startswith("/") else "/api/v1/" + path, body)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status == 200 and (path == "/metrics" and b"\nsftpgo_http_req_total " in text or json.loads(text) is not None)

    def end(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()


def speed(client, file, seconds):
    """Bytes per second, up and down, over whole transfers."""
    moved, begun = 0, time.monotonic()
    while time.monotonic() - begun < seconds:
        client.batch(f"put {file} /f", timeout=600)
        client.batch(f"get /f {file}", timeout=600)
        moved += 2 * FILE_BYTES
    return moved / (time.monotonic() - begun)


def main(words):
    seconds, count = (float(words[0]) if words else 30), (int(words[1]) if len(words) > 1 else 50)
    pause_s, least = (float(words[2]) if len(words) > 2 else 0.05), (float(words[3]) if len(words) > 3 else 0)
    with tempfile.TemporaryDirectory(prefix="sallyport-rest-load-") as name:
        directory = Path(name)
        (directory / "keys").mkdir()
        server = Sallyport(directory / "server", KeyRing(directory / "keys"), config={"httpd": {"bind_port": -1}})
        client = clients.OpenSshSftp(server, server.add_account("alice"))
        file = directory / "file"
        with open(file, "wb") as out:
            out.truncate(FILE_BYTES)
        server.start()
        Rest(server.rest_url).add(server, "changed")
        ratios, requests, errors, times = [], 0, 0, []
        for _ in range(ROUNDS):
            alone = speed(client, file, seconds / ROUNDS)
            load = Load(server.rest_url, count, pause_s)
            beside = speed(client, file, seconds / ROUNDS)
            load.end()
            ratios.append(beside / alone)
            requests, errors, times = requests + load.requests, errors + load.errors, times + load.times
            print(f"alone {alone / 1e6:7.1f} MB/s, beside {count} clients {beside / 1e6:7.1f} MB/s, ratio {ratios[-1]:.3f}", flush=True)
        server.stop()
        times.sort()
        print(f"{requests} requests, {errors} errors; median {statistics.median(times) * 1e3:.1f} ms, 99 % within "
              f"{times[len(times) * 99 // 100] * 1e3:.1f} ms; median ratio of speeds {statistics.median(ratios):.3f}")
    return 1 if errors else 2 if statistics.median(ratios) < least else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
