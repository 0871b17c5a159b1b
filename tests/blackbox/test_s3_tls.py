# SPDX-License-Identifier: Apache-2.0
"""Whose certificates are trusted; stores behind TLS that do not get on, in their handshake or within a record; and TLS through a
proxy."""
import contextlib
import socket
import ssl
import threading
import time

import pytest

import rawsftp as s
from s3 import add, client, refused, s3config
from s3 import bucket, empty, rgw, tls  # noqa: F401  (fixtures)
from util import pattern, run, seconds

pytestmark = pytest.mark.ours
PACE = 0.05  # seconds between two bytes of what trickles
SIZE = 7
ANSWER = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {SIZE}\r\nX-Padding: {'x' * 8000}\r\n\r\n".encode()


class Store:
    """Answers that there is an object of that size, whatever it is asked. What it sends `where` ("handshake", "answer") it sends
    in part only, and then nothing, or a byte now and then."""

    def __init__(self, certificate, where=None, trickles=False):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        self.where, self.trickles = where, trickles
        self.slow, self.over = threading.Event(), threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def stop(self):
        self.over.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(seconds(30))
        self.listener.close()

    def _serve(self):
        while not self.over.is_set():
            with contextlib.suppress(OSError), self.listener.accept()[0] as link:
                self._answer(link)

    def _answer(self, link):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context.wrap_bio(incoming, outgoing, server_side=True)
        self._do(tls.do_handshake, link, incoming, outgoing, "handshake")
        self._do(lambda: tls.read(10_000), link, incoming, outgoing, "request")
        tls.write(ANSWER)
        self._send(link, outgoing.read(), "answer")

    def _do(self, step, link, incoming, outgoing, name):
        while True:
            try:
                step()
                return link.sendall(outgoing.read())
            except ssl.SSLWantReadError:
                self._send(link, outgoing.read(), name)
            data = link.recv(10_000)
            if not data:
                raise OSError("the client has gone")
            incoming.write(data)

    def _send(self, link, data, name):
        if name != self.where or not data:
            return link.sendall(data)
        link.sendall(data[:len(data) // 4])
        self.slow.set()
        for byte in data[len(data) // 4:]:
            if self.over.wait(PACE if self.trickles else seconds(60)):
                return None
            link.sendall(bytes([byte]))


@pytest.mark.parametrize("trickles", [False, True], ids=["stalls", "trickles"])
@pytest.mark.parametrize("where", ["handshake", "answer"])
def test_a_stop_does_not_wait_for_what_is_slow_within_a_record(make_server, rgw, tls, where, trickles):
    store = Store(tls.certificate, where, trickles)
    server = make_server(config={"plugins": {"storage": {"fs-s3": {"ca_file": str(tls.certificate), "connect_timeout": 100}}}})
    add(server, "alice", s3config(rgw, endpoint=f"https://127.0.0.1:{store.port}"))
    server.start()
    try:
        with s.transport(server, server.accounts["alice"]) as link:
            s.subsystem(link).send(s.STAT, s.string("/file"))
            assert store.slow.wait(seconds(20))
            start = time.monotonic()
            server.stop()
        assert time.monotonic() - start < seconds(8)
    finally:
        store.stop()
        server.stop()


class Tunnels:
    """A proxy that opens tunnels, all of them to one port, and keeps what it was asked for."""

    def __init__(self, port):
        self.port, self.asked = port, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                link, head = self.listener.accept()[0], b""
                while not head.endswith(b"\r\n\r\n"):
                    head += link.recv(1)
                self.asked.append(head.decode())
                link.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                store = socket.create_connection(("127.0.0.1", self.port))
                for source, sink in ((link, store), (store, link)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pass_on(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


def test_through_the_tunnel_of_a_proxy(make_server, rgw, work_dir):
    certificate, key = work_dir / "named.pem", work_dir / "named.key"
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=store",
         "-addext", "subjectAltName=DNS:store.example", "-keyout", key, "-out", certificate])
    store = Store(certificate)
    tunnels = Tunnels(store.port)
    server = make_server(config={"plugins": {"storage": {"fs-s3": {"ca_file": str(certificate), "attempts": 1}}}},
                         env={"https_proxy": f"http://me:word@{tunnels.address}"})
    add(server, "alice", s3config(rgw, endpoint="https://store.example:4443"))
    add(server, "other", s3config(rgw, endpoint="https://other.example"))
    server.start()
    try:
        with client(server) as sftp:
            assert sftp.stat("/file").size == SIZE
        assert [asked.split("\r\n")[0] for asked in tunnels.asked] == ["CONNECT store.example:4443 HTTP/1.1"]
        assert "\r\nProxy-Authorization: Basic bWU6d29yZA==\r\n" in tunnels.asked[0]
        with client(server, "other") as sftp:
            assert refused(sftp, s.STAT, s.string("/file")) == s.FAILURE  # the certificate is that of another name
        assert tunnels.asked[-1].startswith("CONNECT other.example:443 HTTP/1.1\r\n")
        assert "bWU6d29yZA" not in server.log_text()
    finally:
        server.stop()
        tunnels.listener.close()
        store.stop()


def test_without_certificates_of_its_own_those_of_the_system_count(make_server, rgw, tls, empty):
    data = pattern(300_000)
    trusting = make_server(env={"SSL_CERT_FILE": str(tls.certificate)})  # where OpenSSL looks for them
    wary = make_server()
    for server in (trusting, wary):
        add(server, "alice", s3config(rgw, endpoint=tls.url))
        server.start()
    try:
        with client(trusting) as sftp:
            sftp.write_file("/file", data)
            assert sftp.read_file("/file") == data
        assert empty.get("file") == data
        mark = wary.mark()
        with client(wary) as sftp:
            assert refused(sftp, s.STAT, s.string("/file")) == s.FAILURE
        told = wary.complaints(mark, 1)
        assert len(told) == 1, told
        for word in ("files", tls.url.removeprefix("https://"), "certificate verify failed"):
            assert word in told[0]["message"], told
    finally:
        trusting.stop()
        wary.stop()
