# SPDX-License-Identifier: Apache-2.0
"""REST API: live connections, what they move, and ending them."""
import time

import pytest

import rawsftp as s
from rest import Rest
from util import seconds, wait_for

pytestmark = pytest.mark.ours


@pytest.fixture(scope="module")
def server(make_server):
    instance = make_server(config={"httpd": {"bind_port": -1}})
    instance.add_account("alice")
    instance.add_account("bob")
    instance.start()
    instance.api = Rest(instance.rest_url)
    yield instance
    instance.stop()


def only(server):
    connections = server.api.get("connection").json
    assert len(connections) == 1, connections
    return connections[0]


def none_left(server):
    wait_for("no connection to be listed", lambda: server.api.get("connection").json == [])


def gone(link):
    wait_for("the client to see the end", lambda: not link.is_active())


def test_what_is_told_of_a_connection(server):
    none_left(server)
    with s.transport(server, server.accounts["alice"]) as link:
        assert server.api.get("connection").json == [], "without a channel it is not listed"
        sftp = s.subsystem(link)
        shown = only(server)
        assert (shown["username"], shown["protocol"], shown["ssh_command"]) == ("alice", "SFTP", "")
        assert shown["client_version"].startswith("SSH-2.0-paramiko") and len(shown["connection_id"]) == 64
        assert shown["remote_address"] == "127.0.0.1:%d" % link.sock.getsockname()[1]
        assert abs(shown["connection_time"] / 1000 - time.time()) < seconds(30) and shown["active_transfers"] == []
        (storage,) = [plugin for plugin in server.api.get("plugins").json if plugin["name"] == "fs-local"]
        assert {"random-write", "symlinks", "statvfs"} <= set(storage["provides"][0]["capabilities"]), "once it is in use"
        handle = sftp.open("/up", s.F_WRITE | s.F_CREAT)
        sftp.write(handle, 0, b"x" * 1234)
        (transfer,) = only(server)["active_transfers"]
        assert (transfer["operation_type"], transfer["path"], transfer["size"]) == ("upload", "/up", 1234)
        sftp.close(handle)
        handle = sftp.open("/up", s.F_READ)
        sftp.read(handle, 0, 1000)
        (transfer,) = only(server)["active_transfers"]
        assert (transfer["operation_type"], transfer["path"], transfer["size"]) == ("download", "/up", 1000)
        sftp.close(handle)
        assert only(server)["active_transfers"] == []
    none_left(server)


def test_a_connection_is_closed(server):
    none_left(server)
    home = server.accounts["alice"].home
    with s.transport(server, server.accounts["alice"]) as link, s.session(server, server.accounts["bob"]) as other:
        sftp = s.subsystem(link)
        handle = sftp.open("/lost", s.F_WRITE | s.F_CREAT)
        sftp.write(handle, 0, b"x" * 10)
        shown = next(each for each in server.api.get("connection").json if each["username"] == "alice")
        mark = server.mark()
        assert server.api.delete("connection/" + shown["connection_id"]).said == (200, "", "Connection closed")
        gone(link)
        server.wait_log(lambda line: "interrupted" in line.get("message", ""), start=mark)
        wait_for("its entry to go", lambda: server.api.delete("connection/" + shown["connection_id"]).status == 404)
        assert other.stat("/").permissions and (home / "lost").read_bytes() == b"x" * 10
    none_left(server)


def test_all_of_an_account_are_closed(server):
    none_left(server)
    with s.transport(server, server.accounts["alice"]) as one, s.transport(server, server.accounts["alice"]) as two, \
            s.session(server, server.accounts["bob"]) as other:
        for link in (one, two):
            s.subsystem(link)
        assert server.api.delete("connection?username=alice").said == (200, "", "2 connections closed")
        gone(one)
        gone(two)
        assert other.stat("/").permissions
        assert only(server)["username"] == "bob"
    assert server.api.delete("connection?username=alice").said == (200, "", "0 connections closed")
    assert server.api.delete("connection").status == 400
    none_left(server)


def test_scp_is_listed_as_such(make_server, server):
    other = make_server(config={"httpd": {"bind_port": -1}, "sftpd": {"enabled_ssh_commands": ["scp"]}})
    other.add_account("alice")
    other.start()
    other.api = Rest(other.rest_url)
    try:
        with s.transport(other, other.accounts["alice"]) as link:
            channel = link.open_session()
            channel.settimeout(seconds(20))
            channel.exec_command("scp -t /f")
            assert channel.recv(1) == b"\0"
            channel.sendall(b"C0644 100 f\n")
            assert channel.recv(1) == b"\0"
            channel.sendall(b"x" * 60)
            wait_for("its bytes", lambda: [each["size"] for each in only(other)["active_transfers"]] == [60])
            assert (only(other)["protocol"], only(other)["ssh_command"]) == ("SCP", "scp -t /f")
    finally:
        other.stop()
