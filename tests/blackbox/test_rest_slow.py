# SPDX-License-Identifier: Apache-2.0
"""REST API: clients that are never silent and never done. The service is the one with faults, which gives them 3 seconds
where the real one gives 60."""
import contextlib
import select
import socket
import ssl
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest

from test_rest_auth import certificate
from test_rest_faults import FAULTY, answers
from rest import Rest
from util import seconds

pytestmark = pytest.mark.ours
TIME = 3
PACE = 0.1  # between two bytes


@pytest.fixture(scope="module", params=["http", "https"])
def server(request, make_server):
    tls = {"certificate_file": "cert.pem", "certificate_key_file": "key.pem"} if request.param == "https" else {}
    instance = make_server(config={"httpd": {"bind_port": -1, **tls}, "plugins": {"paths": [str(FAULTY)]}})
    certificate(instance.config_dir, "box")
    instance.start()
    yield instance
    instance.stop()


@contextlib.contextmanager
def client(server):
    parts = urllib.parse.urlsplit(server.rest_url)
    with contextlib.ExitStack() as stack:
        link = stack.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=seconds(30)))
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=server.config_dir / "cert.pem")
            link = stack.enter_context(context.wrap_socket(link, server_hostname="127.0.0.1"))
        yield link


def trickle(link, before, byte, begun):
    """Seconds since `begun` until the server ends the connection, which must be without an answer."""
    try:
        link.sendall(before)
        while time.monotonic() - begun < seconds(20):
            if select.select([link], [], [], PACE)[0]:
                assert link.recv(1000) == b""
                break
            link.sendall(byte)
    except (ssl.SSLError, OSError) as problem:
        assert not isinstance(problem, TimeoutError)
    return time.monotonic() - begun


ENDLESS = {  # what comes at once, and what comes slowly
    "line": (b"GET /", b"x"),
    "header": (b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\nX-Long: ", b"x"),
    "body": (b"POST /api/v1/test/body HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", b" "),
    "chunks": (b"POST /api/v1/test/body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
}


def test_requests_that_do_not_end(server):
    def one(what):
        begun = time.monotonic()
        with client(server) as link:
            return trickle(link, *what, begun)
    with ThreadPoolExecutor() as all_at_once:
        took = dict(zip(ENDLESS, all_at_once.map(one, ENDLESS.values())))
    assert all(TIME - 0.5 < each < seconds(20) for each in took.values()), took
    assert answers(Rest(server.rest_url, trust=server.config_dir / "cert.pem"))


def test_header_and_body_share_the_time(server):
    """A body does not start the clock anew."""
    with client(server) as link:
        begun = time.monotonic()
        with contextlib.suppress(OSError):  # on a slow machine this is too long already
            for byte in b"POST /api/v1/test/body HTTP/1.1\r\nContent-Length: 100000\r\nHost: x":  # most of the time
                link.sendall(bytes([byte]))
                select.select([link], [], [], (TIME - 0.5) / 70)
        trickle(link, b"\r\n\r\n", b" ", begun)
        assert time.monotonic() - begun < TIME + 2 + (seconds(5) - 5)


def test_an_answer_that_is_not_taken(server):
    mark, taken = server.mark(), 0
    with client(server) as link:
        link.sendall(b"GET /api/v1/test/large HTTP/1.1\r\nHost: x\r\n\r\n")
        deadline = time.monotonic() + seconds(20)
        while not [line for line in server.log_lines(mark) if "test/large" in line.get("uri", "")] and time.monotonic() < deadline:
            taken += len(link.recv(1000))
            select.select([], [], [], PACE)
        line = server.wait_log(lambda l: "test/large" in l.get("uri", ""), start=mark)
        assert 1000 * (TIME - 0.5) < line["elapsed_ms"] < 1000 * seconds(20)
        with contextlib.suppress(ssl.SSLError, OSError):
            while data := link.recv(1048576):
                taken += len(data)
    assert 0 < taken < 64 * 1024 * 1024
    assert answers(Rest(server.rest_url, trust=server.config_dir / "cert.pem"))


@pytest.mark.parametrize("server", ["https"], indirect=True)
def test_a_handshake_that_does_not_end(server):
    parts = urllib.parse.urlsplit(server.rest_url)
    begun = time.monotonic()
    with socket.create_connection((parts.hostname, parts.port), timeout=seconds(30)) as link:
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # of 512 bytes
        assert TIME - 0.5 < trickle(link, hello, b"\0", begun) < seconds(20)
    assert answers(Rest(server.rest_url, trust=server.config_dir / "cert.pem"))
