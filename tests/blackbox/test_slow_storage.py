# SPDX-License-Identifier: Apache-2.0
"""A storage that sleeps in every call slows only its own users: at login, at work, when its clients die, at the stop.

One I/O thread serves everybody, so that one blocking call on it would show. `quick` has an ordinary directory; `slow` has
the test plugin fs-slow and more sessions than any storage has workers. What a sleeping call holds up would wait DELAY.
"""
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko
import pytest

import clients
import rawsftp as s
from rest import Rest
from server import binary
from util import SANITIZED, pattern, seconds, sha256, wait_for, write_pattern

PLUGIN = Path(os.environ.get("SALLYPORT_TEST_PLUGINS") or binary().parent.parent / "test-plugins").resolve() / "fs-slow.so"
DELAY = 2  # seconds, also where everything else is slow: the stop has its own limits
SLOW_CLIENTS = 20
NAMES = {f"entry {n}" for n in range(300)}  # more than one READDIR
LARGE = (32 if SANITIZED else 256) << 20  # what no login, and no start of a client, is long beside
NOT_SLOWED = 3  # times as long as alone, at most: a machine has other things to do, but a server that waits takes ten times as long
MOUNTS = 256  # under way, of one user; more than the places of one address before the login


@pytest.fixture
def server(make_server):
    if not PLUGIN.exists():
        pytest.fail(f"no slow storage to test with: {PLUGIN} does not exist (set SALLYPORT_TEST_PLUGINS)")
    instance = make_server(config={"sftpd": {"io_threads": 1},
                                   "plugins": {"paths": [str(PLUGIN)], "storage": {"fs-slow": {"delay_ms": int(DELAY * 1000)}}}})
    record = instance.directory / "slow.json"
    record.write_text(json.dumps({"filesystem": {"provider": "fs-slow"}}))
    instance.add_account("slow", options=["--json", record])
    instance.add_account("quick")
    instance.start()
    yield instance
    instance.stop()


@pytest.fixture
def stuck(make_server):
    """Servers with a storage whose calls take a minute, which is longer than any test waits."""
    made = []

    def make(config=None, record=None):
        if not PLUGIN.exists():
            pytest.fail(f"no slow storage to test with: {PLUGIN} does not exist (set SALLYPORT_TEST_PLUGINS)")
        server = make_server(config={**(config or {}),
                                     "plugins": {"paths": [str(PLUGIN)], "storage": {"fs-slow": {"delay_ms": 60_000}}}})
        made.append(server)
        options = server.directory / "slow.json"
        options.write_text(json.dumps({"filesystem": {"provider": "fs-slow"}, **(record or {})}))
        server.add_account("slow", options=["--json", options])
        server.add_account("quick")
        server.start()
        return server
    yield make
    for server in made:
        server.kill()


def test_a_call_that_never_returns_does_not_hold_the_process(stuck):
    """The second stop signal is patient for some seconds only, whatever a plugin does."""
    stuck = stuck()
    account = stuck.accounts["slow"]
    client = subprocess.Popen(["sftp", *clients.OpenSshSftp(stuck, account).ssh_options(), "-P", str(stuck.port), "-b", "-",
                               f"{account.name}@127.0.0.1"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env=stuck.env())
    try:
        stuck.wait_log(lambda line: "logged in" in str(line.get("message", "")))
        for said in ("stopping: ", "stopping now"):
            stuck.process.send_signal(signal.SIGTERM)
            stuck.wait_log(lambda line, said=said: str(line.get("message", "")).startswith(said))
        stuck.ended(1, timeout=10)
        assert "does not return" in stuck.log_text()
    finally:
        client.kill()
        client.communicate()


def begin_login(server, account):
    """The client's end of a connection whose login is under way."""
    link = paramiko.Transport(socket.create_connection(("127.0.0.1", server.port), timeout=seconds(20)))
    link.banner_timeout = link.auth_timeout = link.handshake_timeout = seconds(120)
    link.start_client(timeout=seconds(120))
    link.auth_publickey(account.name, paramiko.Ed25519Key.from_private_key_file(str(account.keys[0])), threading.Event())
    return link


def let_in(server):
    """How many logins of slow were found right."""
    return sum(str(line.get("message", "")).startswith('user "slow" logged in') for line in server.log_lines())


def refused(server, why):
    return sum(why in str(line) for line in server.log_lines())


def works(server, account):
    with s.session(server, account) as sftp:
        return sftp.name(s.REALPATH, ".") == b"/"


@pytest.fixture
def large(tmp_path):
    """large(server) puts and gets a large file as quick; it gives the time that took."""
    want = write_pattern(tmp_path / "large-up", LARGE)

    def transfer(server):
        client = clients.OpenSshSftp(server, server.accounts["quick"])
        begun = time.monotonic()
        client.batch(f"put {tmp_path}/large-up /large", f"get /large {tmp_path}/large-down")
        took = time.monotonic() - begun
        assert sha256(tmp_path / "large-down") == want
        return took
    return transfer


def assert_speed_stays(large, server, alone, busy):
    """The best of a few tries counts: others on this machine may slow one of them, what sleeps in the server slows all."""
    beside = []
    for _ in range(3):
        beside.append(large(server))
        assert busy(), "the slow ones were not at it all the time"
        if beside[-1] <= NOT_SLOWED * alone:
            return
    raise AssertionError(f"{LARGE >> 20} MiB up and down: alone {alone:.2f} s, beside the slow ones {[f'{t:.2f}' for t in beside]} s")


def test_a_transfer_keeps_its_speed_beside_logins_that_wait(stuck, large):
    server = stuck({"sftpd": {"io_threads": 1, "login_grace_time": 3600}})
    alone = min(large(server) for _ in range(3))
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(8) as several:
        links = list(several.map(lambda _: begin_login(server, server.accounts["slow"]), range(SLOW_CLIENTS)))
        for link in links:
            stack.callback(link.close)
        wait_for(lambda: f"let in: {let_in(server)}", lambda: let_in(server) == SLOW_CLIENTS, 60)
        assert_speed_stays(large, server, alone, lambda: all(link.is_active() and not link.is_authenticated() for link in links))


def test_logins_that_wait_for_a_stuck_storage_take_nothing_from_others(stuck):
    """Neither while their clients are there nor when they have left; and there is an end to what one user heaps up."""
    server = stuck({"sftpd": {"login_grace_time": 3600}})
    before = server.fd_count()
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(8) as several:
        for link in several.map(lambda _: begin_login(server, server.accounts["slow"]), range(MOUNTS)):
            stack.callback(link.close)
        wait_for(lambda: f"let in: {let_in(server)}", lambda: let_in(server) == MOUNTS, 60)
        assert server.fd_count() >= before + MOUNTS
        assert works(server, server.accounts["quick"])
        begun = time.monotonic()
        one_more = begin_login(server, server.accounts["slow"])
        wait_for("the one too many is turned away", lambda: not one_more.is_active())
        assert refused(server, f"the storage of the user does not answer: {MOUNTS} logins wait for it already") == 1
    wait_for(lambda: f"descriptors: {before} before, {server.fd_count()} now", lambda: server.fd_count() < before + 10)
    assert works(server, server.accounts["quick"])
    with contextlib.closing(begin_login(server, server.accounts["slow"])):
        wait_for("they still count as mounts", lambda: refused(server, "logins wait for it already") == 2)
    assert time.monotonic() - begun < 45, "the storage may have answered meanwhile"


def test_max_sessions_counts_nobody_who_has_left(stuck):
    server = stuck(record={"max_sessions": 1})
    before = server.fd_count()
    for n in (1, 2, 3):
        link = begin_login(server, server.accounts["slow"])
        try:
            wait_for(lambda: f"login {n}: {server.log_lines()[-3:]}", lambda: let_in(server) == n)
            if n == 3:
                with contextlib.closing(begin_login(server, server.accounts["slow"])):
                    wait_for("a second one at a time", lambda: refused(server, "as many sessions as max_sessions allows: 1") == 1)
        finally:
            link.close()
        wait_for("it has left", lambda: server.fd_count() <= before + 1)


def test_login_grace_includes_the_mount(stuck):
    server = stuck({"sftpd": {"login_grace_time": 3}})
    begun = time.monotonic()
    link = begin_login(server, server.accounts["slow"])
    wait_for("it is let in", lambda: let_in(server) == 1)
    wait_for("its time is over", lambda: not link.is_active(), 15)
    assert 2.5 < time.monotonic() - begun < seconds(10)


def test_a_login_that_waits_is_ended_on_request(stuck):
    server = stuck({"httpd": {"bind_port": -1}})
    api = Rest(server.rest_url)
    link = begin_login(server, server.accounts["slow"])
    known = server.wait_log(lambda line: str(line.get("message", "")).startswith('user "slow" logged in'))["connection_id"]
    assert api.delete(f"connection/{known}").status == 200
    wait_for("it is ended", lambda: not link.is_active())
    assert api.delete(f"connection/{known}").status == 404


@pytest.fixture
def quick(server, tmp_path):
    """quick() is one whole visit, login, upload and download; it gives the time that took."""
    client = clients.OpenSshSftp(server, server.accounts["quick"])
    content = pattern(4 << 20)
    up, down = tmp_path / "quick-up", tmp_path / "quick-down"
    up.write_bytes(content)

    def visit():
        begun = time.monotonic()
        client.batch(f"put {up} /f", f"get /f {down}")
        took = time.monotonic() - begun
        assert down.read_bytes() == content
        down.unlink()
        return took
    assert visit() < DELAY, "too slow by itself to tell anything"
    return visit


class SlowClients:
    """SLOW_CLIENTS of OpenSSH's sftp at once; a third each lists, uploads, downloads."""

    def __init__(self, server, directory):
        self.server, self.account, self.directory = server, server.accounts["slow"], directory
        self.processes = []
        (self.account.home / "list").mkdir()
        for name in NAMES:
            (self.account.home / "list" / name).touch()

    def start(self, rounds=1):
        client = clients.OpenSshSftp(self.server, self.account)
        argv = ["sftp", *client.ssh_options(), "-P", str(self.server.port), "-b", "-", f"{self.account.name}@127.0.0.1"]
        for n in range(SLOW_CLIENTS):
            (self.directory / f"up{n}").write_bytes(pattern(100_000, n))
            (self.account.home / f"down{n}").write_bytes(pattern(100_000, -n))
            line = ["ls -1 /list", f"put {self.directory}/up{n} /up{n}", f"get /down{n} {self.directory}/down{n}"][n % 3]
            process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                       env=self.server.env(), start_new_session=True)
            self.processes.append(process)
            process.stdin.write((line + "\n") * rounds)
            process.stdin.close()
            process.stdin = None
        return self

    def running(self):
        return sum(process.poll() is None for process in self.processes)

    def accepted(self):
        """How many logins were found right; their mounts come after that."""
        return sum(str(line.get("message", "")).startswith('user "slow" logged in') for line in self.server.log_lines())

    def held(self):
        """What the server has open below slow's home."""
        found = []
        for fd in os.listdir(f"/proc/{self.server.pid}/fd"):
            try:
                found.append(os.readlink(f"/proc/{self.server.pid}/fd/{fd}"))
            except FileNotFoundError:
                pass
        return [name for name in found if name.startswith(str(self.account.home))]

    def mounted(self):
        return self.held().count(str(self.account.home))

    def wait_accepted(self):
        wait_for(lambda: f"accepted: {self.accepted()}", lambda: self.accepted() == SLOW_CLIENTS, 30)

    def wait_mounted(self):
        wait_for(lambda: f"mounted: {self.mounted()}", lambda: self.mounted() == SLOW_CLIENTS, 30)

    def kill(self):
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        for process in self.processes:
            process.communicate(timeout=seconds(10))

    def check_results(self):
        for n, process in enumerate(self.processes):
            said, _ = process.communicate(timeout=seconds(60))
            assert process.returncode == 0, said
            if n % 3 == 0:
                assert {line.removeprefix("/list/") for line in said.splitlines() if not line.startswith("sftp>")} == NAMES
            elif n % 3 == 1:
                assert (self.account.home / f"up{n}").read_bytes() == pattern(100_000, n)
            else:
                assert (self.directory / f"down{n}").read_bytes() == pattern(100_000, -n)


@pytest.fixture
def slow(server, tmp_path):
    crowd = SlowClients(server, tmp_path)
    yield crowd
    crowd.kill()


def visits_during(busy, quick):
    """The times of quick's visits, one after the other for as long as the slow ones are busy."""
    took, end = [], time.monotonic() + seconds(60)
    assert busy()
    while busy():
        took.append(quick())
        assert took[-1] < DELAY, f"a visit waited for a sleeping call: {took}"
        assert time.monotonic() < end, "the slow ones are busy for longer than they should be"
    return took


def assert_not_slowed(beside, alone):
    """At least one visit began and ended meanwhile, and most noticed no sleeping call. They are short: how fast data flows
    beside the slow ones is for larger transfers to tell."""
    shown = f"alone {[f'{t:.2f}' for t in alone]}, beside {[f'{t:.2f}' for t in beside]}"
    assert len(beside) > 1, shown
    assert statistics.median(beside) <= 1.5 * statistics.median(alone) + seconds(0.3), shown


def test_slow_logins_and_slow_work(slow, quick):
    alone = [quick() for _ in range(5)]
    begun = time.monotonic()
    slow.start().wait_accepted()
    assert_not_slowed(visits_during(lambda: slow.mounted() < SLOW_CLIENTS, quick), alone)
    assert_not_slowed(visits_during(lambda: slow.running() == SLOW_CLIENTS, quick), alone)
    assert time.monotonic() - begun >= 4 * DELAY, "a mount, an open, some work, a close: was the storage slow at all?"
    slow.check_results()


def test_a_transfer_keeps_its_speed_beside_slow_work(server, slow, large):
    alone = min(large(server) for _ in range(3))
    slow.start(rounds=100).wait_mounted()
    assert_speed_stays(large, server, alone, lambda: slow.running() == SLOW_CLIENTS)


def test_slow_clients_that_die(slow, quick):
    alone = [quick() for _ in range(5)]
    slow.start().wait_mounted()
    assert slow.running() == SLOW_CLIENTS
    slow.kill()
    assert_not_slowed(visits_during(slow.mounted, quick), alone)
    assert not slow.held()


@pytest.mark.parametrize("phase", ["login", "work", "unmount"])
def test_stop_while_the_storage_sleeps(server, slow, phase):
    """A clean end within the usual deadline: calls under way are awaited, the clients' wishes are not."""
    slow.start()
    if phase == "login":
        slow.wait_accepted()
        assert slow.mounted() < SLOW_CLIENTS
    else:
        slow.wait_mounted()
    assert slow.running() == SLOW_CLIENTS
    if phase == "unmount":
        slow.kill()
        assert slow.mounted()
    server.stop()
    wait_for("the clients notice", lambda: not slow.running())
