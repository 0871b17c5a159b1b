# SPDX-License-Identifier: Apache-2.0
"""Sessions with many short requests get a thread of their own, as long as they send them and the storage is quick.

One I/O group serves everybody, so that there are more sessions than such threads."""
import contextlib
import json
import os
import threading
import time
from pathlib import Path

import pytest

import rawsftp as s
from rest import Rest
from server import binary
from util import pattern, seconds, wait_for

ALONE, BACK = "served by a thread of its own", "serves others as well"
OWN_THREADS = 4  # host/core/limits.h, kOwnThreads
ROUND = 200      # requests sent at a time
PLUGIN = Path(os.environ.get("SALLYPORT_TEST_PLUGINS") or binary().parent.parent / "test-plugins").resolve() / "fs-slow.so"


@pytest.fixture
def server(make_server):
    instance = make_server(config={"sftpd": {"io_threads": 1},
                                   "httpd": {"bind_port": -1},
                                   "plugins": {"paths": [str(PLUGIN)], "storage": {
                                       "fs-slow": {"delay_ms": 20},
                                       "fs-fault": {"wraps": "fs-local", "faults": ["mkdir:1:delay=500ms", "mkdir:2:delay=600s"]}}}})
    for storage in ("slow", "fault"):
        record = instance.directory / f"{storage}.json"
        record.write_text(json.dumps({"filesystem": {"provider": f"fs-{storage}"}}))
        instance.add_account(storage, options=["--json", record])
    instance.add_account("quick")
    instance.start()
    yield instance
    instance.stop()


def said(server, text):
    return sum(text in str(line.get("message", "")) for line in server.log_lines())


def ask_much(sftp, requests=ROUND):
    """Looks for the home, all requests under way at once."""
    for request in [sftp.send(s.STAT, s.string("/")) for _ in range(requests)]:
        sftp.expect(request, s.ATTRS)


def own_threads(server):
    return sum(name.startswith("own-") for name in server.threads())


def move_small_files(sftp, prefix, count=100):
    content = pattern(700)
    for n in range(count):
        handle = sftp.open(f"/{prefix}-{n}", s.F_WRITE | s.F_CREAT)
        write = sftp.send(s.WRITE, s.string(handle), s.u64(0), s.string(content))
        close = sftp.send(s.CLOSE, s.string(handle))
        sftp.expect(write, s.STATUS)
        sftp.expect(close, s.STATUS)
    for n in range(count):
        handle = sftp.open(f"/{prefix}-{n}", s.F_READ)
        assert sftp.read(handle, 0, 32768) == content
        sftp.close(handle)
        sftp.call(s.REMOVE, s.string(f"/{prefix}-{n}"))


def test_a_busy_session_gets_one_and_gives_it_back(server):
    with s.session(server, server.accounts["quick"]) as sftp:
        ask_much(sftp, 10)
        assert said(server, ALONE) == 0
        ask_much(sftp)
        wait_for("the change of threads", lambda: said(server, ALONE) == 1)
        move_small_files(sftp, "a")
        wait_for("the change of threads", lambda: said(server, BACK) == 1)  # some time after its last request
        move_small_files(sftp, "b")  # and there again
    assert list(server.accounts["quick"].home.iterdir()) == []


def test_those_without_one_are_served_too(server):
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(s.session(server, server.accounts["quick"])) for _ in range(OWN_THREADS + 2)]
        for sftp in sessions:
            ask_much(sftp)
        wait_for("the change of threads", lambda: said(server, ALONE) >= OWN_THREADS)
        assert own_threads(server) == OWN_THREADS
        workers = [threading.Thread(target=move_small_files, args=(sftp, f"s{n}")) for n, sftp in enumerate(sessions)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(seconds(60))
        assert not any(worker.is_alive() for worker in workers)
        assert own_threads(server) == OWN_THREADS
    assert list(server.accounts["quick"].home.iterdir()) == []


def test_a_client_that_leaves_gives_it_back(server):
    for _ in range(OWN_THREADS + 2):
        with s.session(server, server.accounts["quick"]) as sftp:
            ask_much(sftp)
            handle = sftp.open("/left", s.F_WRITE | s.F_CREAT)
            for _ in range(ROUND):
                sftp.send(s.WRITE, s.string(handle), s.u64(0), s.string(b"x"))
    with s.session(server, server.accounts["quick"]) as sftp:
        already = said(server, ALONE)
        ask_much(sftp)
        wait_for("the change of threads", lambda: said(server, ALONE) > already)


def test_a_large_file_is_moved_by_a_thread_for_that(server):
    with s.session(server, server.accounts["quick"]) as sftp:
        ask_much(sftp)
        wait_for("the change of threads", lambda: said(server, ALONE) == 1)
        handle = sftp.open("/big", s.F_WRITE | s.F_CREAT)
        piece = pattern(32768)
        writes = [sftp.send(s.WRITE, s.string(handle), s.u64(n * len(piece)), s.string(piece)) for n in range(1000)]
        for write in writes:
            sftp.expect(write, s.STATUS)
        sftp.close(handle)
        wait_for("the change of threads", lambda: said(server, BACK) == 1)
    assert (server.accounts["quick"].home / "big").read_bytes() == piece * 1000


def test_a_slow_storage_never_has_one(server):
    with s.session(server, server.accounts["slow"]) as sftp:
        ask_much(sftp)
        assert said(server, ALONE) == 0


def test_one_that_becomes_slow_loses_it(server):
    with s.session(server, server.accounts["fault"]) as sftp:
        ask_much(sftp)
        wait_for("the change of threads", lambda: said(server, ALONE) == 1)
        sftp.call(s.MKDIR, s.string("/d"), s.Attrs().encode())
        wait_for("the change of threads", lambda: said(server, BACK) == 1)
        ask_much(sftp)
        assert said(server, ALONE) == 1, "so soon after a slow call"


def test_a_call_that_hangs_there_can_be_given_up(server):
    api = Rest(server.rest_url)
    with s.session(server, server.accounts["fault"]) as first:
        first.call(s.MKDIR, s.string("/first"), s.Attrs().encode())
    with s.transport(server, server.accounts["fault"]) as link:
        sftp = s.subsystem(link)
        ask_much(sftp)
        wait_for("the change of threads", lambda: said(server, ALONE) >= 1)
        sftp.send(s.MKDIR, s.string("/hangs"), s.Attrs().encode())
        (connection,) = wait_for("one session to be left", lambda: len(found := api.get("connection").json) == 1 and found)
        assert api.delete(f"connection/{connection['connection_id']}").status == 200
        wait_for("the client to see the end", lambda: not link.is_active())


def test_a_stop_ends_such_sessions(server):
    with s.session(server, server.accounts["quick"]) as sftp:
        ask_much(sftp)
        wait_for("the change of threads", lambda: said(server, ALONE) == 1)
        begun = time.monotonic()
        server.stop()
        assert time.monotonic() - begun < seconds(5)
        with pytest.raises(s.Closed):
            ask_much(sftp)


def test_a_stop_ends_a_call_that_hangs_there(server):
    with s.session(server, server.accounts["fault"]) as sftp:
        sftp.call(s.MKDIR, s.string("/first"), s.Attrs().encode())
        wait_for("its slow call to be forgotten", lambda: ask_much(sftp) or said(server, ALONE) == 1)
        sftp.send(s.MKDIR, s.string("/hangs"), s.Attrs().encode())
        wait_for("the thread to wait for it", lambda: "poll" not in (server.waits_in("own-0") or "poll"))
        server.stop()  # as cleanly as any
