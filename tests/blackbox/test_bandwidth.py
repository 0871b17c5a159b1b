# SPDX-License-Identifier: Apache-2.0
"""upload_bandwidth and download_bandwidth: KB/s of all that a user moves in one direction. Measured with tolerance for a
busy machine; bandwidth.py measures exactly, and for longer."""
import json
import multiprocessing
import os
import statistics
import threading
import time

import pytest

import clients
import rawsftp as s
from util import SANITIZED, pattern, seconds, side_by_side, wait_for

pytestmark = pytest.mark.ours
KB = 1000
SECONDS = 2  # what a measured transfer should take
PROGRAMS = [client for client in clients.ALL if client is not clients.Sshfs and client is not clients.OpenSshScp]
names = {}


@pytest.fixture
def limited(server):
    """limited(upload, download) is a new account with these limits, in KB/s."""
    def make(upload=0, download=0):
        name = f"user{len(names)}"
        names[name] = record = server.directory / f"{name}.json"
        record.write_text(json.dumps({"upload_bandwidth": upload, "download_bandwidth": download}))
        return server.add_account(name, options=["--json", record])
    return make


def timed(job):
    begun = time.monotonic()
    job()
    return time.monotonic() - begun


def timed_side_by_side(*jobs):
    """How long each of them took, in a process of its own."""
    took = multiprocessing.get_context("fork").Array("d", len(jobs))

    def run(n):
        took[n] = timed(jobs[n])
    side_by_side(*(lambda n=n: run(n) for n in range(len(jobs))))
    return list(took)


def assert_took(took, wanted, most):
    """A limit that is off by a factor fails; logging in and a busy machine are forgiven."""
    assert took > 0.85 * wanted, f"{took:.2f} s instead of {wanted:.2f} s"
    assert SANITIZED or took < most, f"{took:.2f} s instead of {wanted:.2f} s"


@pytest.mark.parametrize("rate", [100, 1_000, 10_000, 100_000])
def test_rates(server, limited, tmp_path, rate):
    """Both directions at once: each has a limit of its own."""
    account, size = limited(rate, rate), rate * KB * SECONDS
    content = pattern(size) if size < 30_000_000 else os.urandom(1 << 20) * (size >> 20)
    (tmp_path / "up").write_bytes(content)
    (account.home / "there").write_bytes(content)
    client = clients.OpenSshSftp(server, account)
    for took in timed_side_by_side(lambda: client.put(tmp_path / "up", "/up"), lambda: client.get("/there", tmp_path / "down")):
        wanted = len(content) / rate / KB
        # The fastest is close to what a busy machine can do at all.
        assert_took(took, wanted, 1.3 * wanted + 1 if rate < 100_000 else 6 * wanted)
    assert (account.home / "up").read_bytes() == content
    assert (tmp_path / "down").read_bytes() == content


def test_every_client(server, limited, tmp_path):
    """Each client with an account of its own, all at once: sizes of requests and pipelines differ."""
    rate = 500
    content = pattern(rate * KB * SECONDS)
    (tmp_path / "up").write_bytes(content)
    jobs = []
    for kind in PROGRAMS:
        account = limited(rate, rate)
        (account.home / "there").write_bytes(content)
        client = kind(server, account)
        jobs += [lambda client=client: client.put(tmp_path / "up", "/up"),
                 lambda client=client, kind=kind: client.get("/there", tmp_path / f"{kind.__name__}")]
    for n, took in enumerate(timed_side_by_side(*jobs)):
        assert took > 0.85 * SECONDS, (PROGRAMS[n // 2], took)
        assert SANITIZED or took < 1.3 * SECONDS + 4, (PROGRAMS[n // 2], took)
    for kind in PROGRAMS:
        assert (tmp_path / kind.__name__).read_bytes() == content


class Upload:
    """Keeps `ahead` WRITEs of `size` bytes under way; written counts the bytes that were acknowledged."""

    def __init__(self, sftp, path, size, ahead):
        self.sftp, self.size, self.ahead, self.written = sftp, size, ahead, 0
        self.handle = sftp.open(path, s.F_WRITE | s.F_CREAT)
        self.data = bytes(size)

    def run(self, until):
        sent = []
        while time.monotonic() < until:
            while len(sent) < self.ahead:
                sent.append(self.sftp.send(s.WRITE, s.string(self.handle), s.u64(0), s.string(self.data)))
            self.sftp.expect(sent.pop(0), s.STATUS)
            self.written += self.size


def test_two_uploads_share_fairly(server, limited):
    """Two connections, one with requests of 4 KB and one with 200 KB: the same for each, and together the limit."""
    account, rate = limited(upload=1_000), 1_000 * KB
    with s.session(server, account) as one, s.session(server, account) as other:
        small, large = Upload(one, "/small", 4_000, 64), Upload(other, "/large", 200_000, 8)
        end = time.monotonic() + 3
        thread = threading.Thread(target=lambda: small.run(end), daemon=True)
        thread.start()
        large.run(end)
        thread.join(seconds(30))
        shares = small.written / 3 / rate, large.written / 3 / rate
    assert 0.6 < sum(shares) < 1.25, shares
    assert min(shares) > 0.3, shares


def test_a_limited_user_slows_no_other(server, alice, limited, tmp_path):
    account = limited(upload=100, download=100)
    (tmp_path / "f").write_bytes(pattern(4 << 20))
    client = clients.OpenSshSftp(server, alice)

    def visit():
        return timed(lambda: client.batch(f"put {tmp_path}/f /f", f"get /f {tmp_path}/back"))
    alone = [visit() for _ in range(5)]
    with s.session(server, account) as slow:
        upload = Upload(slow, "/f", 32_000, 64)
        end = time.monotonic() + 1.5
        thread = threading.Thread(target=lambda: upload.run(end), daemon=True)
        thread.start()
        wait_for("the limited upload is under way", lambda: upload.written)
        beside = [visit() for _ in range(5)]
        thread.join(seconds(30))
    assert statistics.median(beside) < 1.5 * statistics.median(alone) + seconds(0.3), (alone, beside)


def test_requests_that_move_nothing_do_not_wait(server, limited):
    """Twenty seconds of WRITEs wait in the channel; of what concerns another file nothing does."""
    account = limited(upload=100)
    (account.home / "other").write_bytes(b"data")
    with s.session(server, account) as sftp:
        handle = sftp.open("/f", s.F_WRITE | s.F_CREAT)
        for n in range(60):
            sftp.send(s.WRITE, s.string(handle), s.u64(n * 32_000), s.string(bytes(32_000)))
        took = timed(lambda: (sftp.stat("/other"), sftp.entries("/"), sftp.read_file("/other"), sftp.name(s.REALPATH, ".")))
        assert took < seconds(2)
        assert (account.home / "f").stat().st_size < 60 * 32_000 / 2


def test_waiting_takes_little_memory_and_the_window_closes(server, limited):
    """A client that sends as fast as it may is stopped by its window."""
    account = limited(upload=100)

    def resident():
        return next(int(line.split()[1]) for line in open(f"/proc/{server.pid}/status") if line.startswith("VmRSS:")) * 1024
    with s.session(server, account) as sftp:
        before, sent = resident(), 0
        sftp.channel.settimeout(seconds(1))
        handle = sftp.open("/f", s.F_WRITE | s.F_CREAT)
        with pytest.raises(s.Closed):  # no room in the window within a second
            while sent < 64 << 20:
                sftp.send(s.WRITE, s.string(handle), s.u64(sent), s.string(bytes(32_000)))
                sent += 32_000
        assert sent < 6 << 20
        if not SANITIZED:
            assert resident() - before < 16 << 20
    wait_for("the lost upload ends", lambda: not [f for f in os.listdir(f"/proc/{server.pid}/fd") if opened(server, f, account)])


def opened(server, fd, account):
    try:
        return os.readlink(f"/proc/{server.pid}/fd/{fd}") == str(account.home / "f")
    except FileNotFoundError:
        return False


def test_small_files_cost_what_they_hold(server, limited, tmp_path):
    """Reads of 32 KB and more of files of 1 KB, each followed by one behind the end."""
    account = limited(download=200)
    for n in range(100):
        (account.home / f"f{n}").write_bytes(pattern(1000, n))
    client = clients.OpenSshSftp(server, account)
    took = timed(lambda: client.batch(f"get /f* {tmp_path}/"))
    assert 0.2 < took < 0.5 * 1.3 + seconds(2)


def test_stop_while_a_transfer_waits(make_server):
    """As with any transfer: it gets drain_timeout, not the minutes it would need."""
    server = make_server(config={"sftpd": {"drain_timeout": 1}})
    record = server.directory / "slow.json"
    record.write_text(json.dumps({"upload_bandwidth": 10}))
    account = server.add_account("slow", options=["--json", record])
    server.start()
    with s.session(server, account) as sftp:
        handle = sftp.open("/f", s.F_WRITE | s.F_CREAT)
        for n in range(40):
            sftp.send(s.WRITE, s.string(handle), s.u64(n * 32_000), s.string(bytes(32_000)))
        assert timed(server.stop) < seconds(8)
