# SPDX-License-Identifier: Apache-2.0
"""Queues of events: who waits for whom, what is told when things go wrong, and what is dropped."""
import socket

import pytest

import hooks
import rawsftp as s
from hooks import program, run  # noqa: F401
from programs import git, needs_views, rsync
from rest import Rest
from test_hooks_actions import put, recorder, sftp_of, wait_runs
from util import seconds, wait_for

pytestmark = pytest.mark.ours


def test_a_service_that_never_answers_holds_up_no_command(run, tmp_path):
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/n"
        command = program(tmp_path, "action", f"echo \"$3\" >> {tmp_path}/told\n[ \"${{3##*/}}\" != bad ] || exit 7")
        server = run(["alice"], sftpd={"actions": {"execute_on": ["upload"], "command": str(command), "http_notification_url": url}},
                     plugins={"notifier": {"actions": {"http_seconds": 60, "http_retries": 0}}})
        alice, names = server.accounts["alice"], ["a", "bad", "b", "c", "d"]
        with s.transport(server, alice) as link:
            for name in names:
                put(sftp_of(link), f"/{name}", b"1")
        told = wait_for("all commands", lambda: (tmp_path / "told").exists() and (tmp_path / "told").read_text().count("\n") == 5
                        and (tmp_path / "told").read_text().split())
        assert told == [f"{alice.home}/{name}" for name in names], "in their order"
        wait_for("those that have ended are gone", lambda: not hooks.children(server.pid))
        server.wait_log(lambda line: line.get("sender") == "events" and "exit code 7" in line["message"])
        peer, _ = silent.accept()
        with peer:
            assert peer.recv(65536).startswith(b"GET /n?action=upload&")
            with pytest.raises(BlockingIOError):  # neither the end nor a further request
                peer.recv(1, socket.MSG_DONTWAIT)
            with pytest.raises(BlockingIOError):
                silent.setblocking(False)
                silent.accept()


def test_what_goes_wrong_with_both_is_told_of_both(run, tmp_path):
    with hooks.service() as service:
        service.answers["/n"] = lambda _: (404, "")
        server = run(["alice"], sftpd={"actions": {"execute_on": ["upload"], "http_notification_url": service.url + "/n",
                                                   "command": str(program(tmp_path, "action", "exit 7"))}})
        with s.transport(server, server.accounts["alice"]) as link:
            put(sftp_of(link), "/f", b"1")
        for what in ("exit code 7", "the service answers 404"):
            server.wait_log(lambda line, what=what: line.get("sender") == "events" and what in line["message"])


def test_what_there_is_no_room_for_is_dropped_and_counted(run, tmp_path):
    """One user has 2500 places, and takes none from the others. What is told first is repeated for five minutes, which is
    longer than a program may run."""
    with hooks.service() as service:
        service.answers["/n"] = lambda _: (500, "")
        server = run(["alice", "bob"], httpd={"bind_port": -1},
                     sftpd={"actions": {"execute_on": ["rename"], "http_notification_url": service.url + "/n"}},
                     plugins={"notifier": {"actions": {"http_retries": 5, "retry_milliseconds": 10000}}})
        for name, times in (("alice", 2600), ("bob", 1)):
            account = server.accounts[name]
            (account.home / "0").touch()
            with s.transport(server, account) as link:
                sftp = sftp_of(link)
                for n in range(times):
                    sftp.rename(f"/{n % 2}", f"/{(n + 1) % 2}")
        wait_for("both are told", lambda: {asked.query["username"] for asked in service.asked} == {"alice", "bob"})
        metrics = Rest(server.rest_url).call("GET", "/metrics").text.splitlines()
        assert "sallyport_events_dropped_total 100" in metrics
        server.wait_log(lambda line: "events were dropped: notifiers do not keep up with them" in str(line.get("message")))
        server.stop()
        assert "2501 events were dropped: the server stops" in server.log_text()


@needs_views
def test_git_and_rsync_are_commands(run, tmp_path):
    server = run(["alice"], sftpd={"enabled_ssh_commands": ["*"],
                                   "actions": {"execute_on": ["ssh_cmd", "upload", "download"], "command": str(recorder(tmp_path))}})
    alice = server.accounts["alice"]
    git(server, None, "init", "-q", "--bare", alice.home / "r.git")
    (tmp_path / "f").write_text("x")
    git(server, alice, "ls-remote", "alice@127.0.0.1:r.git")
    told = wait_runs(tmp_path, 1)
    rsync(server, alice, "-a", tmp_path / "f", "alice@127.0.0.1:/f")
    assert rsync(server, alice, "-a", "alice@127.0.0.1:/none", tmp_path, check=False).returncode != 0
    rsync(server, alice, "-a", "alice@127.0.0.1:/f", tmp_path / "back")
    told = wait_runs(tmp_path, 3)
    assert [arguments for arguments, _ in told] == [["ssh_cmd", "alice", f"{alice.home}/{path}", "", name] for path, name in
                                                   (("r.git", "git-upload-pack"), ("f", "rsync"), ("f", "rsync"))]


@pytest.mark.parametrize("way", ["scp -t /up", "scp -f /down"])
def test_transfers_of_scp_that_fail(run, tmp_path, way):
    server = run(["alice"], sftpd={"enabled_ssh_commands": ["scp"], "actions": {
        "execute_on": ["upload", "download", "upload-failed", "download-failed"], "command": str(recorder(tmp_path))}})
    alice, up = server.accounts["alice"], " -t " in way
    (alice.home / "down").write_bytes(bytes(50_000_000))
    with s.transport(server, alice) as link:
        channel = link.open_session()
        channel.settimeout(seconds(20))
        channel.exec_command(way)
        if up:
            assert channel.recv(1) == b"\0"
            channel.sendall(b"C0644 1000 up\n")
            assert channel.recv(1) == b"\0"
            channel.sendall(b"not all of it")
            wait_for("it has begun", (alice.home / "up").exists)
        else:
            channel.sendall(b"\0")
            assert channel.recv(1) == b"C"
            channel.sendall(b"\0")
            assert channel.recv(1)
    (arguments, _), = wait_runs(tmp_path, 1)
    assert arguments == ["upload-failed" if up else "download-failed", "alice", f"{alice.home}/{'up' if up else 'down'}", "", ""]
