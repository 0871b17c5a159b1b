# SPDX-License-Identifier: Apache-2.0
"""A real S3 server (Ceph's RADOS gateway) for tests, and a proxy before it that remembers request lines and breaks
connections on demand."""
import contextlib
import http.client
import re
import socket
import struct
import subprocess
import threading
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

from util import die_with_parent, require, wait_for

NEEDED = ("radosgw", "radosgw-admin", "ceph-mon", "ceph-osd", "monmaptool", "setpriv", "curl")
ACCESS_KEY, SECRET = "TESTKEY", "TESTSECRET0123456789"
REQUEST_LINE = re.compile(rb"^(GET|PUT|HEAD|POST|DELETE) (\S+) HTTP/1\.1\r\n", re.MULTILINE)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Rgw:
    def __init__(self, directory):
        require(*NEEDED)
        # On a busy machine its parts now and then miss each other at the start.
        if not any(self._start(Path(f"{directory}{attempt}")) for attempt in range(3)):
            pytest.fail(f"the S3 server does not start: {(self.directory / 'start.txt').read_text()[-4000:]}")
        self.url = f"http://127.0.0.1:{self.port}"
        self.s3 = boto3.client("s3", endpoint_url=self.url, region_name="default", aws_access_key_id=ACCESS_KEY,
                                    aws_secret_access_key=SECRET)

    def _start(self, directory):
        self.directory = directory
        self.directory.mkdir()
        self.port = free_port()
        script = Path(__file__).with_name("start-rgw.sh")
        with open(self.directory / "start.txt", "wb") as log:
            self.process = subprocess.Popen([script, self.directory, str(self.port), str(free_port())], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        try:
            wait_for("the S3 server", lambda: (directory / "ready").exists() or self.process.poll() is not None, timeout=180)
        except AssertionError:
            self.stop()
        return self.process.poll() is None

    def stop(self):
        self.process.kill()  # and what it started
        self.process.wait()

    def bucket(self, name):
        self.s3.create_bucket(Bucket=name)
        return Bucket(self.s3, name)


class Bucket:
    def __init__(self, s3, name):
        self.s3, self.name = s3, name

    def put(self, key, data=b""):
        self.s3.put_object(Bucket=self.name, Key=key, Body=data)

    def put_all(self, keys, data):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda key: self.put(key, data), keys))

    def put_quickly(self, keys):
        """Empty objects, without signatures: the bucket is open to everybody meanwhile."""
        host = urllib.parse.urlsplit(self.s3.meta.endpoint_url).netloc
        self.s3.put_bucket_acl(Bucket=self.name, ACL="public-read-write")

        def work(some):
            with contextlib.closing(http.client.HTTPConnection(host)) as connection:
                for key in some:
                    connection.request("PUT", f"/{self.name}/{urllib.parse.quote(key)}", b"", {"x-amz-acl": "bucket-owner-full-control"})
                    answer = connection.getresponse()
                    assert (answer.status, answer.read()) == (200, b""), (key, answer.status)
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(work, (keys[first::16] for first in range(16))))
        self.s3.put_bucket_acl(Bucket=self.name, ACL="private")

    def get(self, key):
        return self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()

    def head(self, key):
        return self.s3.head_object(Bucket=self.name, Key=key)

    def keys(self, prefix=""):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]

    def sizes(self, prefix=""):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [entry["Size"] for page in pages for entry in page.get("Contents", ())]

    def unfinished(self):
        return self.s3.list_multipart_uploads(Bucket=self.name).get("Uploads", [])

    def remove(self, keys):
        """One by one: a request for many is XML, which holds not every key."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda key: self.s3.delete_object(Bucket=self.name, Key=key), keys))

    def clear(self):
        while keys := self.keys()[:1000]:
            self.s3.delete_objects(Bucket=self.name, Delete={"Objects": [{"Key": key} for key in keys]})


class Proxy:
    """Passes connections on to a server. `faults` holds what is done to the next ones: None, or (direction, bytes,
    how): after so many bytes "up" or "down" the connection is "cut" (reset), or a 503 is "answered". "cut off" is for "down":
    of the first chunked answer only the head and so many bytes arrive, then the connection ends as if that were all."""
    SLOW_DOWN = (b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: 42\r\nConnection: close\r\n\r\n"
                 b"<Error><Code>SlowDown</Code></Error>      ")

    def __init__(self, target_port, tls=None):
        self.target_port = target_port
        self.tls = tls  # an ssl.SSLContext: clients speak TLS
        self.requests = []  # (method, target)
        self.faults = []
        self.open = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.listener.close()

    def drop(self):
        """Ends all connections, so that the next requests need new ones."""
        with self.lock:
            for end in self.open:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self.open.clear()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.tls:
                try:
                    client = self.tls.wrap_socket(client, server_side=True)
                except OSError:  # the client does not like our certificate
                    continue
            with self.lock:
                fault = self.faults.pop(0) if self.faults else None
            server = socket.create_connection(("127.0.0.1", self.target_port))
            with self.lock:
                self.open += [client, server]
            state = {"up": 0, "down": 0}
            for source, sink, direction in ((client, server, "up"), (server, client, "down")):
                threading.Thread(target=self._pump, args=(source, sink, direction, fault, client, server, state),
                                 daemon=True).start()

    def _pump(self, source, sink, direction, fault, client, server, state):
        try:
            while data := source.recv(65536):
                if direction == "up":
                    with self.lock:
                        self.requests += [(m[1].decode(), m[2].decode()) for m in REQUEST_LINE.finditer(data)]
                state[direction] += len(data)
                if fault and fault[2] == "cut off":
                    head, mark, body = data.partition(b"\r\n\r\n")
                    if direction == "down" and mark and b"transfer-encoding: chunked" in head.lower():
                        sink.sendall(head + mark + body[:fault[1]])
                        break
                elif fault and fault[0] == direction and state[direction] > fault[1]:
                    if fault[2] == "answered":
                        client.sendall(self.SLOW_DOWN)
                        client.shutdown(socket.SHUT_WR)
                        server.close()
                        while client.recv(65536):
                            pass
                    else:
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    client.close()
                    server.close()
                    return
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
