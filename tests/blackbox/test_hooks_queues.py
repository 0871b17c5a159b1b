# SPDX-License-Identifier: Apache-2.0
"""Queues of events: who waits for whom, what is told when things go wrong, and what is dropped."""
import socket
import time

import pytest

import hooks
import rawsftp as s
from hooks import program, run  # noqa: F401
from test_hooks_actions import put, sftp_of
from util import wait_for

pytestmark = pytest.mark.ours


def test_a_service_that_never_answers_holds_up_no_command(run, tmp_path):
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/n"
        command = program(tmp_path, "action", f"echo \"$3\" >> {tmp_path}/told\n[ \"${{3##*/}}\" != bad ] || exit 7")
        server = run(["alice"], sftpd={"actions": {"execute_on": ["upload"], "command": str(command), "http_notification_url": url}},
                     plugins={"notifier": {"actions": {"http_seconds": 60, "http_retries": 0}}})
        alice, names = server.accounts["alice"], ["a", "bad", "b", "c", "d"]
        begun = time.monotonic()
        with s.transport(server, alice) as link:
            for name in names:
                put(sftp_of(link), f"/{name}", b"1")
        told = wait_for("all commands", lambda: (tmp_path / "told").exists() and (tmp_path / "told").read_text().count("\n") == 5
                        and (tmp_path / "told").read_text().split())
        assert told == [f"{alice.home}/{name}" for name in names], "in their order"
        wait_for("those that have ended are gone", lambda: not hooks.children(server.pid))
        server.wait_log(lambda line: line.get("sender") == "events" and "exit code 7" in line["message"])
        assert time.monotonic() - begun < 50, "the request has a minute"


def test_what_goes_wrong_with_both_is_told_of_both(run, tmp_path):
    with hooks.service() as service:
        service.answers["/n"] = lambda _: (404, "")
        server = run(["alice"], sftpd={"actions": {"execute_on": ["upload"], "http_notification_url": service.url + "/n",
                                                   "command": str(program(tmp_path, "action", "exit 7"))}})
        with s.transport(server, server.accounts["alice"]) as link:
            put(sftp_of(link), "/f", b"1")
        for what in ("exit code 7", "the service answers 404"):
            server.wait_log(lambda line, what=what: line.get("sender") == "events" and what in line["message"])
