# SPDX-License-Identifier: Apache-2.0
"""Many clients of the REST API at a fixed rate, and a trivial server that answers them as ours did: what such clients
cost a machine by themselves. Each is a process with one thread, so that they weigh as little as Python allows.

    http_load.py load PORT CLIENTS RATE     until standard input ends; prints a line when connected and one with figures
    http_load.py serve FILE                 FILE: JSON, path -> body; prints its port, runs until standard input ends
"""
import json
import selectors
import socket
import subprocess
import sys
import time
import urllib.request

PATHS = ["/api/v1/" + path for path in ("version", "connection", "user?limit=10", "quota_scan", "providerstatus", "user?username=bulk")]
END_OF_HEAD = b"\r\n\r\n"


class Client:
    """One keep-alive connection with a request under way or not."""

    def __init__(self, port, number):
        self.link = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.step, self.sent_at, self.got = number, None, b""

    def ask(self):
        path = PATHS[self.step % len(PATHS)]
        self.step += 1
        self.sent_at, self.got = time.monotonic(), b""
        self.link.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\n\r\n".encode())

    def read(self):
        """None while the answer is not whole, else whether it is a good one."""
        part = self.link.recv(1 << 18)
        self.got += part
        head, mark, body = self.got.partition(END_OF_HEAD)
        if part and not mark:
            return None
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), -1)
        if part and len(body) < length:
            return None
        self.sent_at = None
        return bool(part) and head.startswith(b"HTTP/1.1 200 ") and len(body) == length

    def renew(self, port):
        """Servers end a connection after so many requests."""
        self.link.close()
        self.link = socket.create_connection(("127.0.0.1", port), timeout=10)


def load(port, count, rate):
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ)
    clients = [Client(port, number) for number in range(count)]
    for client in clients:
        selector.register(client.link, selectors.EVENT_READ, client)
    print("ready", flush=True)
    requests, errors, late, times, gap = 0, 0, 0, [], count / rate
    start = time.monotonic()
    due = [start + gap * number / count for number in range(count)]
    turn = 0
    while True:
        now = time.monotonic()
        while due[turn] <= now:
            if clients[turn].sent_at is None:
                clients[turn].ask()
            else:
                late += 1  # the answer to its last request is still missing: this turn is lost
            due[turn] += gap
            turn = (turn + 1) % count
        for key, _ in selector.select(max(0, due[turn] - time.monotonic())):
            client = key.data
            if client is None:
                wall_s = time.monotonic() - start
                times.sort()
                print(json.dumps({"requests": requests, "errors": errors, "late": late, "per_second": requests / wall_s,
                                  "p50_ms": times[len(times) // 2] * 1e3, "p99_ms": times[len(times) * 99 // 100] * 1e3}))
                return
            asked = client.sent_at
            good = client.read()
            if good is None:
                continue
            if good is False:  # nothing was asked, or nothing came: the server had ended the connection meanwhile
                errors += asked is not None and client.got != b""
                selector.unregister(client.link)
                client.renew(port)
                selector.register(client.link, selectors.EVENT_READ, client)
                continue
            requests += 1
            times.append(time.monotonic() - asked)


def serve(file):
    with open(file, encoding="utf-8") as source:
        answers = {path.encode(): (f"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
                                   f"{body}").encode() for path, body in json.load(source).items()}
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ)
    selector.register(listener, selectors.EVENT_READ)
    print(listener.getsockname()[1], flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj is sys.stdin:
                return
            if key.fileobj is listener:
                link, _ = listener.accept()
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(link, selectors.EVENT_READ)
                continue
            request = key.fileobj.recv(65536)  # clients send each in one piece
            if request:
                key.fileobj.sendall(answers[request.split(b" ", 2)[1]])
            else:
                selector.unregister(key.fileobj)
                key.fileobj.close()


class Helper:
    """One of the two as a process of its own."""

    def __init__(self, *words):
        self.process = subprocess.Popen([sys.executable, __file__, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, start_new_session=True)
        self.first_line = self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def end(self):
        """Its last words."""
        self.process.stdin.close()
        last = self.process.stdout.read()
        self.process.wait(10)
        return last

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self.process.stdout.close()


def bodies_of(port):
    """What the server answers, for the other one to repeat."""
    bodies = {}
    for path in PATHS:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            bodies[path] = answer.read().decode()
    return bodies


if __name__ == "__main__":
    if sys.argv[1] == "load":
        load(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
    else:
        serve(sys.argv[2])
