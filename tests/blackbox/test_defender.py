# SPDX-License-Identifier: Apache-2.0
"""Defender: who fails too many password logins is refused for a time. The PROXY header lets one machine be many clients."""
import re

import paramiko
import pytest

import rawsftp as s
from util import wait_for

pytestmark = pytest.mark.ours


@pytest.fixture(scope="module")
def guarded(make_server):
    server = make_server(config={
        "sftpd": {"proxy_protocol": 1},
        "defender": {"enabled": True, "max_failures": 5, "max_failures_per_user": 3, "ban_time": 3600,
                     "allowed": ["198.51.100.0/24"], "denied": ["203.0.113.0/24"]}})
    server.add_account("alice")
    server.add_account("bob")
    server.start()
    yield server
    server.stop()


def header(client):
    family, own = ("TCP6", "2001:db8::1") if ":" in client else ("TCP4", "192.0.2.1")
    return f"PROXY {family} {client} {own} 4711 22\r\n".encode()


def connection(server, client):
    return s.transport(server, None, login=False, ahead=header(client))


def login(server, client, user, password="correct horse"):
    """Whether a password opens the door; None when there is no door."""
    try:
        with connection(server, client) as link:
            try:
                link.auth_password(user, password, fallback=False)
                return True
            except paramiko.AuthenticationException:
                return False
    except (paramiko.SSHException, EOFError, OSError):
        return None


def test_off_by_default(make_server):
    server = make_server()
    assert "  defender.enabled = false" in server.cli("check-config", "--print", check=False).stdout


def test_one_name_is_refused_and_nobody_else(guarded):
    """A broken script behind a NAT, say."""
    for _ in range(20):
        assert login(guarded, "192.0.2.10", "alice", "wrong") is False
    mark = guarded.mark()
    assert login(guarded, "192.0.2.10", "alice") is False
    line = guarded.wait_log(lambda l: l["sender"] == "connection_failed" and "refused for" in l["error"], start=mark)
    assert (line["client_ip"], line["username"], line["login_type"]) == ("192.0.2.10", "alice", "password")
    assert login(guarded, "192.0.2.10", "bob")
    assert login(guarded, "192.0.2.11", "alice")
    with s.transport(guarded, guarded.accounts["alice"], ahead=header("192.0.2.10")) as link:
        assert link.is_authenticated(), "keys are not guessed"


@pytest.mark.parametrize("clients, neighbour", [(["192.0.2.20"] * 5, "192.0.2.21"),
                                                ([f"2001:db8::{n}" for n in range(1, 6)], "2001:db8:0:1::1")], ids=["four", "six"])
def test_address_is_refused(guarded, clients, neighbour):
    mark = guarded.mark()
    for number, client in enumerate(clients):
        assert login(guarded, client, f"guess{number}", "wrong") is False
    guarded.wait_log(lambda l: l["sender"] == "defender" and l["level"] == "warn", start=mark)
    mark = guarded.mark()
    assert login(guarded, clients[0], "bob") is None
    # The last guess may have its line only now.
    line = guarded.wait_log(lambda l: l["sender"] == "connection_failed" and not l["username"], start=mark)
    assert line["client_ip"] == clients[0]
    assert re.search(r'"sender":"connection_failed","client_ip":"[^"]+","username":"","login_type":"password","error"',
                     guarded.log_text()[mark:])
    assert login(guarded, neighbour, "bob")


def test_several_attempts_on_one_connection(guarded):
    with connection(guarded, "192.0.2.30") as link:
        for number in range(5):
            with pytest.raises(paramiko.AuthenticationException):
                link.auth_password(f"guess{number}", "wrong", fallback=False)
    assert login(guarded, "192.0.2.30", "bob") is None


def test_lists(guarded):
    for number in range(8):
        assert login(guarded, "198.51.100.7", f"guess{number}", "wrong") is False
    assert login(guarded, "198.51.100.7", "bob")
    mark = guarded.mark()
    assert login(guarded, "203.0.113.7", "bob") is None
    line = guarded.wait_log(lambda l: l["sender"] == "connection_failed" and l["client_ip"] == "203.0.113.7", start=mark)
    assert line["login_type"] == "no_auth_tryed"


def test_a_ban_ends(make_server):
    server = make_server(config={"defender": {"enabled": True, "max_failures": 1, "ban_time": 2, "allowed": []}})
    try:
        server.add_account("alice")
        server.start()

        def attempt(password):
            try:
                with s.transport(server, None, login=False) as link:
                    link.auth_password("alice", password, fallback=False)
                    return True
            except paramiko.AuthenticationException:
                return False
            except (paramiko.SSHException, EOFError, OSError):
                return None
        assert attempt("wrong") is False
        assert attempt("correct horse") is None
        wait_for("the ban is over", lambda: attempt("correct horse"))
    finally:
        server.stop()
