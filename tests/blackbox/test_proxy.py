# SPDX-License-Identifier: Apache-2.0
"""PROXY protocol: the client's address comes in a header before SSH. Hand-made headers of every form, and HAProxy."""
import contextlib
import ipaddress
import json
import shutil
import socket
import struct
import subprocess
import time

import paramiko
import pytest

import rawsftp as s
from util import die_with_parent, require, seconds, wait_for

pytestmark = pytest.mark.ours
PLACES = 200  # before login, of one address
CLIENT, CLIENT6 = "192.0.2.33", "2001:db8::33"


def v1(client=CLIENT, port=4711):
    family, own = ("TCP6", "2001:db8::1") if ":" in client else ("TCP4", "203.0.113.1")
    return f"PROXY {family} {client} {own} {port} 22\r\n".encode()


def v2(client=CLIENT, port=4711, command=1, tlvs=b""):
    address = ipaddress.ip_address(client)
    block = address.packed + bytes(len(address.packed)) + struct.pack(">HH", port, 22) + tlvs
    return binary(command, 0x21 if address.version == 6 else 0x11, block)


def binary(command, family, block, version=2):
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack(">BBH", version << 4 | command, family, len(block)) + block


@pytest.fixture(scope="module")
def proxied(make_server):
    """proxied(mode, allowed=...): a server for each kind of configuration, with an account for a single address."""
    servers = {}

    def get(mode, allowed=()):
        if (mode, allowed) not in servers:
            server = make_server(config={"sftpd": {"proxy_protocol": mode, "proxy_allowed": list(allowed)}})
            servers[mode, allowed] = server
            server.add_account("alice")
            record = server.directory / "record.json"
            record.write_text(json.dumps({"filters": {"allowed_ip": [f"{CLIENT}/32", f"{CLIENT6}/128", "127.0.0.5/32"]}}))
            server.add_account("only", options=["--json", record])
            server.start()
        return servers[mode, allowed]
    yield get
    for server in servers.values():
        server.stop()


def seen_address(server, ahead=b"", **options):
    """Logs in; the address that the log then has for this client, without its port."""
    mark = server.mark()
    with s.transport(server, server.accounts["alice"], ahead=ahead, **options) as link:
        assert s.subsystem(link).name(s.REALPATH, ".") == b"/"
    line = server.wait_log(lambda l: "logged in with" in l.get("message", ""), start=mark)
    address = line["message"].split("remote address ")[1].split(", ")[0]
    return address.rsplit(":", 1)[0].strip("[]")


def raw(server, data=b"", source="127.0.0.1"):
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=seconds(10), source_address=(source, 0))
    sock.sendall(data)
    return sock


def answer(sock):
    """The start of what the server says; nothing when it closes the connection."""
    try:
        return sock.recv(8)
    except ConnectionResetError:
        return b""


def failure(server, mark):
    return server.wait_log(lambda l: l["sender"] == "connection_failed", start=mark)


GOOD = {"v1": (v1(), CLIENT), "v1-six": (v1(CLIENT6), CLIENT6), "v2": (v2(), CLIENT), "v2-six": (v2(CLIENT6), CLIENT6),
        "v2-tlvs": (v2(tlvs=b"\x03\0\4abcd\x05\0\2id" * 100), CLIENT), "v2-mapped": (v2(f"::ffff:{CLIENT}"), CLIENT),
        "unknown": (b"PROXY UNKNOWN\r\n", "127.0.0.1"), "unknown-long": (b"PROXY UNKNOWN 1.2.3.4 b c d\r\n", "127.0.0.1"),
        "local": (binary(0, 0, b""), "127.0.0.1"), "local-with-address": (v2(command=0), "127.0.0.1"),
        "unix": (binary(1, 0x31, bytes(216)), "127.0.0.1")}


@pytest.mark.parametrize("mode, allowed", [(1, ()), (2, ()), (1, ("127.0.0.1",)), (2, ("10.0.0.0/8", "127.0.0.0/29"))])
@pytest.mark.parametrize("header, client", GOOD.values(), ids=GOOD)
def test_header_names_the_client(proxied, mode, allowed, header, client):
    assert seen_address(proxied(mode, allowed), header) == client


@pytest.mark.parametrize("header", [v1(), v2()], ids=["v1", "v2"])
def test_header_in_any_pieces(proxied, header):
    """Byte by byte, and in one piece with what follows it, of which nothing may get lost."""
    server = proxied(2)
    with raw(server) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in header:
            sock.sendall(bytes([byte]))
        sock.sendall(b"SSH-2.0-")
        assert answer(sock) == b"SSH-2.0-"

    class Together:
        """A socket whose first bytes go out behind the header, in the same segment."""

        def __init__(self, sock):
            self.sock, self.ahead = sock, header

        def __getattr__(self, name):
            return getattr(self.sock, name)

        def send(self, data):
            self.sock.sendall(self.ahead + data)
            self.ahead = b""
            return len(data)

    with raw(server) as sock, contextlib.closing(paramiko.Transport(Together(sock))) as link:
        link.start_client(timeout=seconds(30))
        link.auth_password("alice", server.accounts["alice"].password)
        assert s.subsystem(link).name(s.REALPATH, ".") == b"/"


@pytest.mark.parametrize("make", [v1, v2])
@pytest.mark.parametrize("client, welcome", [(CLIENT, True), (CLIENT6, True), ("192.0.2.34", False), ("2001:db8::34", False)])
def test_filters_see_the_client(proxied, make, client, welcome):
    server = proxied(2)
    mark = server.mark()
    with s.transport(server, None, login=False, ahead=make(client)) as link:
        if welcome:
            link.auth_password("only", server.accounts["only"].password)
        else:
            with pytest.raises(paramiko.AuthenticationException):
                link.auth_password("only", server.accounts["only"].password, fallback=False)
            assert failure(server, mark)["client_ip"] == client


def test_optional_header(proxied):
    server = proxied(1)
    assert seen_address(server) == "127.0.0.1"


def test_nothing_is_said_before_the_first_bytes(proxied):
    server = proxied(1)
    with raw(server) as silent, raw(server) as speaking:
        speaking.sendall(b"S")
        assert answer(speaking) == b"SSH-2.0-"
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.recv(1)


@pytest.mark.parametrize("allowed", [(), ("127.0.0.1",)])
def test_required_header_that_is_missing(proxied, allowed):
    server = proxied(2, allowed)
    mark = server.mark()
    with raw(server, b"SSH-2.0-client\r\n") as sock:
        assert answer(sock) == b""
    line = failure(server, mark)
    assert (line["client_ip"], line["login_type"]) == ("127.0.0.1", "no_auth_tryed") and "proxy_protocol" in line["error"]


def test_header_from_elsewhere_is_ignored(proxied):
    server = proxied(1, ("127.0.0.1",))
    for header in (v1(), v2(), b""):
        assert seen_address(server, header, source="127.0.0.9") == "127.0.0.9"


def test_connection_from_elsewhere_is_refused(proxied):
    server = proxied(2, ("127.0.0.1",))
    for header in (v1(), v2(), b""):
        mark = server.mark()
        with raw(server, header, source="127.0.0.9") as sock:
            assert answer(sock) == b""
        line = failure(server, mark)
        assert line["client_ip"] == "127.0.0.9" and "proxy_allowed" in line["error"]


BAD = {"v1-word": b"PROXIES\r\n", "v1-family": b"PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n", "v1-port": b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
       "v1-endless": b"PROXY UNKNOWN " + b"x" * 100_000, "v1-lf": b"PROXY UNKNOWN\n", "v2-signature": b"\r\n\r\n\0\r\nQUITE",
       "v2-version": binary(1, 0x11, bytes(12), version=1), "v2-command": binary(2, 0x11, bytes(12)),
       "v2-short": binary(1, 0x11, bytes(11)), "v2-long": binary(1, 0x11, bytes(65535))}


@pytest.mark.parametrize("mode", [1, 2])
@pytest.mark.parametrize("header", BAD.values(), ids=BAD)
def test_malformed_header(proxied, mode, header):
    server = proxied(mode)
    mark = server.mark()
    with raw(server) as sock:
        with contextlib.suppress(ConnectionError):
            sock.sendall(header)
        assert answer(sock) == b""
    line = failure(server, mark)
    assert line["error"].startswith("Can't read the PROXY header: ") and line["login_type"] == "no_auth_tryed"


def test_switched_off_it_is_no_protocol(proxied):
    """The header is no SSH, and above all its address is not believed."""
    server = proxied(0)
    mark = server.mark()
    with raw(server, v1()) as sock:
        while answer(sock):
            pass
    assert failure(server, mark)["client_ip"] == "127.0.0.1"


def cpu_seconds(server):
    with open(f"/proc/{server.pid}/stat") as stat:
        words = stat.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / 100


def test_half_a_header_is_bounded_and_costs_nothing(make_server):
    server = make_server(config={"sftpd": {"proxy_protocol": 2, "login_grace_time": 2}})
    try:
        server.add_account("alice")
        server.start()
        start, used = time.monotonic(), cpu_seconds(server)
        with raw(server, v1()[:20]) as half, raw(server, v2()[:20]) as other, raw(server) as silent, raw(server, v1()) as later:
            assert answer(later) == b"SSH-2.0-"
            for sock in (half, other, silent):
                assert answer(sock) == b""
            assert 1.5 < time.monotonic() - start < seconds(10)
            assert cpu_seconds(server) - used < 0.5
            while answer(later):
                pass  # header and login together
            assert time.monotonic() - start < seconds(10)
        def late():
            return [l["error"] for l in server.log_lines() if l["sender"] == "connection_failed"].count("login did not happen in time")
        wait_for(lambda: f"{late()} lines about late logins", lambda: late() >= 4)
        assert late() == 4
    finally:
        server.stop()


def test_stop_while_headers_are_awaited(make_server):
    server = make_server(config={"sftpd": {"proxy_protocol": 1}})
    server.initialise()
    server.start()
    with raw(server) as silent, raw(server, v1()[:10]) as half, raw(server, v1()) as ready:
        assert answer(ready) == b"SSH-2.0-"
        start = time.monotonic()
        server.stop()
        assert time.monotonic() - start < seconds(5)
        assert answer(silent) == answer(half) == b""


# -- places

def test_clients_of_one_proxy_do_not_share_its_places(proxied):
    server = proxied(2, ("127.0.0.1",))
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(raw(server, v2(f"198.51.100.{n}"))) for n in range(1, 251)]
        assert [answer(sock) for sock in crowd] == [b"SSH-2.0-"] * 250
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(raw(server, v2("198.51.100.1"))) for _ in range(PLACES + 20)]
        assert sum(answer(sock) == b"" for sock in crowd) >= 20
        assert seen_address(server, v2("198.51.100.2")) == "198.51.100.2"


def test_places_before_the_header(proxied):
    """Whoever may be anybody gets as many as before a login; a proxy that is listed may have more."""
    for allowed, count, welcome in (((), PLACES + 10, False), (("127.0.0.1",), PLACES + 100, True)):
        server = proxied(2, allowed)
        with contextlib.ExitStack() as stack:
            for _ in range(count):
                stack.enter_context(raw(server))
            with raw(server, v1()) as last:
                assert answer(last) == (b"SSH-2.0-" if welcome else b"")
            assert seen_address(server, v1(), source="127.0.0.1" if welcome else "127.0.0.2") == CLIENT
        wait_for("the places are free again", lambda: greeted(server))


def greeted(server):
    with raw(server, v1()) as sock:
        return answer(sock) == b"SSH-2.0-"


# -- the real one

HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


@pytest.fixture
def haproxy(tmp_path):
    """haproxy(server, options): HAProxy before the server; gives its port. The listening socket is made here, so that
    any free port will do."""
    require("haproxy")
    with contextlib.ExitStack() as stack:
        def start(server, options):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            config = tmp_path / "haproxy.cfg"
            config.write_text(f"""
defaults
    mode tcp
    timeout connect 10s
    timeout client 60s
    timeout server 60s
frontend clients
    bind fd@{listener.fileno()}
    unique-id-format %ci:%cp-%rt
    default_backend sallyport
backend sallyport
    server one 127.0.0.1:{server.port} {options}
""")
            process = subprocess.Popen([HAPROXY, "-db", "-f", config], pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return listener.getsockname()[1]
        yield start


KINDS = {"v1": "send-proxy", "v2": "send-proxy-v2", "v2-tlvs": "send-proxy-v2 proxy-v2-options unique-id,crc32c",
         "v2-checked": "send-proxy-v2 check check-send-proxy inter 100ms"}


@pytest.mark.parametrize("mode", [1, 2])
@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_haproxy(proxied, haproxy, mode, options):
    """The log and the account's filter see the real client's address."""
    server = proxied(mode, ("127.0.0.1",))
    port = haproxy(server, options)
    if "check" in options:
        mark = server.mark()
        for _ in range(2):  # health checks come as LOCAL
            line = failure(server, mark)
            mark += server.log_text()[mark:].index("\n") + 1
            assert line["client_ip"] == "127.0.0.1" and "PROXY" not in line["error"], line
    assert seen_address(server, port=port, source="127.0.0.5") == "127.0.0.5"
    with s.transport(server, None, login=False, port=port, source="127.0.0.5") as link:
        link.auth_password("only", server.accounts["only"].password)
    mark = server.mark()
    with s.transport(server, None, login=False, port=port, source="127.0.0.6") as link:
        with pytest.raises(paramiko.AuthenticationException):
            link.auth_password("only", server.accounts["only"].password, fallback=False)
    line = server.wait_log(lambda l: l["sender"] == "connection_failed" and l["username"] == "only", start=mark)
    assert line["client_ip"] == "127.0.0.6"
