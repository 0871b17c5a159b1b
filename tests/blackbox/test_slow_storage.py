# SPDX-License-Identifier: Apache-2.0
"""A storage that sleeps in every call slows only its own users: at login, at work, when its clients die, at the stop.

One I/O thread serves everybody, so that one blocking call on it would show. `quick` has an ordinary directory; `slow` has
the test plugin fs-slow and more sessions than any storage has workers. What a sleeping call holds up would wait DELAY.
"""
import json
import os
import signal
import statistics
import subprocess
import time
from pathlib import Path

import pytest

import clients
from server import binary
from util import pattern, seconds, wait_for

PLUGIN = Path(os.environ.get("SALLYPORT_TEST_PLUGINS") or binary().parent.parent / "test-plugins").resolve() / "fs-slow.so"
DELAY = 2  # seconds, also where everything else is slow: the stop has its own limits
SLOW_CLIENTS = 20
NAMES = {f"entry {n}" for n in range(300)}  # more than one READDIR


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


def test_a_call_that_never_returns_does_not_hold_the_process(make_server):
    """The second stop signal is patient for some seconds only, whatever a plugin does."""
    minute = 60 * 1000
    stuck = make_server(config={"plugins": {"paths": [str(PLUGIN)], "storage": {"fs-slow": {"delay_ms": minute}}}})
    record = stuck.directory / "slow.json"
    record.write_text(json.dumps({"filesystem": {"provider": "fs-slow"}}))
    account = stuck.add_account("slow", options=["--json", record])
    stuck.start()
    client = subprocess.Popen(["sftp", *clients.OpenSshSftp(stuck, account).ssh_options(), "-P", str(stuck.port), "-b", "-",
                               f"{account.name}@127.0.0.1"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env=stuck.env())
    try:
        stuck.wait_log(lambda line: "logged in" in str(line.get("message", "")))
        for said in ("stopping: ", "stopping now"):
            stuck.process.send_signal(signal.SIGTERM)
            stuck.wait_log(lambda line, said=said: str(line.get("message", "")).startswith(said))
        assert stuck.process.wait(seconds(10)) == 1
        assert "does not return" in stuck.log_text()
    finally:
        client.kill()
        client.communicate()
        if stuck.process.poll() is None:
            stuck.process.kill()


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

    def start(self):
        client = clients.OpenSshSftp(self.server, self.account)
        argv = ["sftp", *client.ssh_options(), "-P", str(self.server.port), "-b", "-", f"{self.account.name}@127.0.0.1"]
        for n in range(SLOW_CLIENTS):
            (self.directory / f"up{n}").write_bytes(pattern(100_000, n))
            (self.account.home / f"down{n}").write_bytes(pattern(100_000, -n))
            line = ["ls -1 /list", f"put {self.directory}/up{n} /up{n}", f"get /down{n} {self.directory}/down{n}"][n % 3]
            process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                       env=self.server.env(), start_new_session=True)
            self.processes.append(process)
            process.stdin.write(line + "\n")
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
    """At least one visit began and ended meanwhile, and most noticed nothing."""
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
