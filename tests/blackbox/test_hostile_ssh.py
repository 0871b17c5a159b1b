# SPDX-License-Identifier: Apache-2.0
"""Hostile or odd SSH: bytes before and during the handshake, bad signatures, too many tries, requests we refuse."""
import os
import random
import socket
import time

import paramiko
import pytest

import rawsftp as s
from util import seconds, wait_for


@pytest.fixture(autouse=True)
def unharmed(server, alice, home):
    yield
    assert server.alive()
    with s.session(server, alice) as sftp:
        sftp.write_file("/good", b"still fine")


def talk(server, *parts, timeout=15):
    """Sends bytes on a fresh connection and returns everything up to the server's close, which must come."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds(timeout)) as sock:
        got = b""
        try:
            for part in parts:
                sock.sendall(part)
            while data := sock.recv(65536):
                got += data
        except (ConnectionResetError, BrokenPipeError):
            pass
        return got


@pytest.mark.parametrize("hello", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"SSH-1.5-old\r\n", b"SSH-9.9-new\r\n", b"\0" * 64,
                                   b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500, b"SSH-2.0-" + b"x" * 100_000])
def test_wrong_banner(server, hello):
    assert talk(server, hello + b"\r\n")[:8] in (b"", b"SSH-2.0-")


@pytest.mark.parametrize("seed", range(6))
def test_garbage_after_banner(server, seed):
    talk(server, b"SSH-2.0-Garbage\r\n", random.Random(seed).randbytes(5000))


@pytest.mark.parametrize("length", [0, 1, 0x7fffffff, 0xffffffff, 1 << 20])
def test_impossible_packet_length_after_banner(server, length):
    talk(server, b"SSH-2.0-Lengths\r\n", length.to_bytes(4, "big") + bytes(1 << 12))


def test_connect_and_leave(server):
    """Port scanners: connections that end at once, before and after a banner."""
    before = server.fd_count()
    for n in range(100):
        with socket.create_connection(("127.0.0.1", server.port), timeout=seconds(10)) as sock:
            if n % 2:
                sock.sendall(b"SSH-2.0-Scanner\r\n")
    wait_for("all descriptors are released", lambda: server.fd_count() <= before + 1)


class BadSigner(paramiko.Ed25519Key):
    """The right key with a wrong signature."""

    def sign_ssh_data(self, data, algorithm=None):
        good = super().sign_ssh_data(data, algorithm) if algorithm else super().sign_ssh_data(data)
        raw = bytearray(good.asbytes())
        raw[-1] ^= 0xff
        return paramiko.Message(bytes(raw))


def test_bad_signature_is_answered_in_time(server, alice):
    start = time.monotonic()
    with s.transport(server, alice, login=False) as link:
        with pytest.raises((paramiko.SSHException, EOFError)):
            link.auth_publickey(alice.name, BadSigner.from_private_key_file(os.fspath(alice.keys[0])))
        assert not link.is_authenticated()
    assert time.monotonic() - start < seconds(8)


def end_of(link, timeout):
    """Waits until the server has ended a paramiko transport."""
    wait_for("the server ends the connection", lambda: not link.is_active(), timeout)


def userauth_publickey(user, algorithm, blob):
    """A question whether a key would do (RFC 4252 section 7)."""
    request = paramiko.Message()
    request.add_byte(bytes([50]))
    for text in (user, "ssh-connection", "publickey"):
        request.add_string(text)
    request.add_boolean(False)
    request.add_string(algorithm)
    request.add_string(blob)
    return request


def service_request(name):
    request = paramiko.Message()
    request.add_byte(bytes([5]))
    request.add_string(name)
    return request


def test_key_of_unknown_kind_is_answered_in_time(server, alice):
    """Somebody whose first key is of a kind we do not know must not wait for the login grace."""
    with s.transport(server, alice, login=False) as link:
        link._send_user_message(service_request("ssh-userauth"))
        blob = paramiko.Message()
        blob.add_string("ssh-ed448")
        blob.add_string(bytes(57))
        link._send_user_message(userauth_publickey(alice.name, "ssh-ed448", blob.asbytes()))
        end_of(link, 8)


def test_endless_service_requests_end(server, alice):
    with s.transport(server, alice, login=False) as link:
        try:
            for _ in range(2000):
                link._send_user_message(service_request("ssh-userauth"))
        except (OSError, EOFError, paramiko.SSHException):
            pass
        end_of(link, 8)


def test_unknown_service_is_refused(server, alice):
    with s.transport(server, alice, login=False) as link:
        link._send_user_message(service_request("ssh-connection"))
        end_of(link, 8)


def test_too_many_tries_disconnect(make_server):
    server = make_server(config={"sftpd": {"max_auth_tries": 3}})
    try:
        account = server.add_account("alice")
        server.start()
        with s.transport(server, account, login=False) as link:
            tries = 0
            while link.is_active() and tries < 20:
                tries += 1
                with pytest.raises((paramiko.SSHException, EOFError, OSError)):
                    link.auth_password(account.name, f"wrong {tries}")
            assert tries in (3, 4), f"disconnected after {tries} tries"
            wait_for("the connection is closed", lambda: not link.is_active())
        with s.session(server, account) as sftp:
            assert sftp.name(s.REALPATH, ".") == b"/"
    finally:
        server.stop()


# -- channel and global requests that this server refuses; the connection stays

def channel_request(link, name, *fields):
    """Sends a channel request that wants a reply on a new session channel; True when it was accepted."""
    channel = link.open_session(timeout=seconds(10))
    message = paramiko.Message()
    message.add_byte(bytes([98]))  # SSH_MSG_CHANNEL_REQUEST
    message.add_int(channel.remote_chanid)
    message.add_string(name)
    message.add_boolean(True)
    for field in fields:
        message.add_int(field) if isinstance(field, int) else message.add_string(field)
    channel._event_pending()
    link._send_user_message(message)
    try:
        channel._wait_for_event()
        return True
    except (paramiko.SSHException, EOFError):
        return False
    finally:
        channel.close()


REFUSED = {
    "pty": ("pty-req", "xterm", 80, 24, 0, 0, ""),
    "shell": ("shell",),
    "env": ("env", "LD_PRELOAD", "/tmp/x.so"),
    "exec": ("exec", "uname -a"),
    "exec-empty": ("exec", ""),
    "exec-unbalanced": ("exec", 'scp -t "x'),
    "subsystem": ("subsystem", "netconf"),
    "agent": ("auth-agent-req@openssh.com",),
    "unknown": ("no-such-request@example.com", "data"),
}


@pytest.mark.parametrize("request_fields", REFUSED.values(), ids=REFUSED.keys())
def test_channel_request_is_refused(server, alice, request_fields):
    with s.transport(server, alice) as link:
        assert channel_request(link, *request_fields) is False
        assert s.subsystem(link).name(s.REALPATH, ".") == b"/"


@pytest.mark.parametrize("kind", ["direct-tcpip", "x11", "forwarded-tcpip", "no-such-channel"])
def test_channel_kind_is_refused(server, alice, kind):
    with s.transport(server, alice) as link:
        with pytest.raises(paramiko.ChannelException):
            link.open_channel(kind, ("127.0.0.1", 22), ("127.0.0.1", 12345), timeout=seconds(10))
        assert s.subsystem(link).name(s.REALPATH, ".") == b"/"


def test_port_forwarding_is_refused(server, alice):
    with s.transport(server, alice) as link:
        with pytest.raises(paramiko.SSHException):
            link.request_port_forward("127.0.0.1", 0)
        assert link.global_request("no-such-request@example.com", wait=True) is None
        assert s.subsystem(link).name(s.REALPATH, ".") == b"/"


def test_nothing_works_before_login(server, alice):
    with s.transport(server, alice, login=False) as link:
        with pytest.raises((paramiko.SSHException, EOFError)):
            link.open_session(timeout=seconds(10))


def test_sftp_channel_limit_is_a_refusal(server, alice):
    """More channels than one session may have: the next one is refused, the others work."""
    with s.transport(server, alice) as link:
        channels = []
        with pytest.raises((paramiko.SSHException, EOFError)):
            while len(channels) < 200:
                channels.append(s.subsystem(link))
        assert 4 <= len(channels) < 200
        assert all(sftp.name(s.REALPATH, ".") == b"/" for sftp in channels)
