# SPDX-License-Identifier: Apache-2.0
"""Hostile SFTP bytes and dying clients: the right status or a closed channel, everything released, others unharmed."""
import os
import random
import re
import signal
import struct
import subprocess

import pytest

import clients
import rawsftp as s
from rawsftp import string, u32, u64
from util import pattern, seconds, wait_for, write_pattern


@pytest.fixture(autouse=True)
def unharmed(server, alice, home):
    """After every test: nothing left open, and a good client works. File descriptors are the count that leaks first."""
    with s.session(server, alice) as sftp:
        sftp.write_file("/warm-up", b"x")
    before = settled(server)
    yield
    assert server.alive()
    wait_for(lambda: f"descriptors back to {before}, now {server.fd_count()}: {open_files(server)}",
             lambda: server.fd_count() <= before)
    with s.session(server, alice) as sftp:
        sftp.write_file("/good", b"still fine")
        assert sftp.read_file("/good") == b"still fine"


def settled(server):
    """The descriptor count once the connections of earlier tests are gone."""
    wait_for("no open connections", lambda: not any("/homes/" in name for name in open_files(server)))
    counts = [server.fd_count()]

    def steady():
        counts.append(server.fd_count())
        return len(counts) > 20 and len(set(counts[-20:])) == 1
    wait_for("a steady number of descriptors", steady)
    return counts[-1]


def open_files(server):
    found = []
    for fd in os.listdir(f"/proc/{server.pid}/fd"):
        try:
            found.append(os.readlink(f"/proc/{server.pid}/fd/{fd}"))
        except FileNotFoundError:
            pass
    return found


def closes(sftp):
    """The server ends the channel (after at most some status replies)."""
    with pytest.raises(s.Closed):
        for _ in range(100):
            sftp.receive_packet()


def packet(kind, body, length=None):
    data = bytes([kind]) + body
    return u32(len(data) if length is None else length) + data


@pytest.mark.parametrize("length", [0, 0xffffffff, 0x7fffffff, 1 << 20], ids=hex)
@pytest.mark.parametrize("after_init", [True, False], ids=["after-init", "before-init"])
def test_impossible_length(server, alice, length, after_init):
    with s.session(server, alice, init=after_init) as sftp:
        sftp.send_raw(u32(length) + b"\x05" * 16)
        closes(sftp)


@pytest.mark.parametrize("kind", [s.OPEN, s.CLOSE, s.READ, s.STAT, s.EXTENDED])
def test_packet_of_one_byte(server, alice, kind):
    """A type without even an id: nothing to answer to."""
    with s.session(server, alice) as sftp:
        sftp.send_raw(u32(1) + bytes([kind]))
        closes(sftp)


@pytest.mark.parametrize("kind", [0, 21, 99, 101, 105, 150, 199, 201, 255])
def test_unknown_type(server, alice, kind):
    with s.session(server, alice) as sftp:
        assert sftp.status(kind, string("x")) == s.OP_UNSUPPORTED
        assert sftp.name(s.REALPATH, ".") == b"/"


REQUESTS = {"open": s.OPEN, "close": s.CLOSE, "read": s.READ, "write": s.WRITE, "lstat": s.LSTAT, "fstat": s.FSTAT,
            "setstat": s.SETSTAT, "fsetstat": s.FSETSTAT, "opendir": s.OPENDIR, "readdir": s.READDIR, "remove": s.REMOVE,
            "mkdir": s.MKDIR, "rmdir": s.RMDIR, "realpath": s.REALPATH, "stat": s.STAT, "rename": s.RENAME,
            "readlink": s.READLINK, "symlink": s.SYMLINK, "extended": s.EXTENDED}


@pytest.mark.parametrize("kind", REQUESTS.values(), ids=REQUESTS.keys())
def test_truncated_request(server, alice, kind):
    """No fields, half a length, a string longer than its packet: BAD_MESSAGE, and the channel goes on."""
    with s.session(server, alice) as sftp:
        for body in (b"", b"\0\0", u32(5) + b"abc", u32(0xffffffff) + b"abc", u32(0x7fffffff), u32(1 << 20) + b"x" * 50):
            assert sftp.status(kind, body) == s.BAD_MESSAGE, body
        assert sftp.name(s.REALPATH, ".") == b"/"


def test_request_cut_after_each_field(server, alice, home):
    whole = {s.OPEN: string("/f") + u32(s.F_READ) + u32(0), s.READ: string("h") + u64(0) + u32(1),
             s.WRITE: string("h") + u64(0) + string("data"), s.SETSTAT: string("/f") + u32(15) + b"\0" * 28,
             s.RENAME: string("/a") + string("/b"), s.SYMLINK: string("/a") + string("/b"),
             s.EXTENDED: string("posix-rename@openssh.com") + string("/a") + string("/b")}
    with s.session(server, alice) as sftp:
        for kind, body in whole.items():
            for cut in range(len(body)):
                assert sftp.status(kind, body[:cut]) in (s.BAD_MESSAGE, s.OP_UNSUPPORTED), (kind, cut)
    assert {p.name for p in home.iterdir()} == {"warm-up"}


def test_attributes_that_promise_more_than_they_hold(server, alice):
    with s.session(server, alice) as sftp:
        for flags in (s.A_SIZE, s.A_UIDGID, s.A_PERMISSIONS, s.A_TIMES, 0xf):
            assert sftp.status(s.SETSTAT, string("/warm-up"), u32(flags)) == s.BAD_MESSAGE
        endless = u32(s.A_EXTENDED) + u32(0xffffffff) + string("a") + string("b")
        assert sftp.status(s.SETSTAT, string("/warm-up"), endless) == s.BAD_MESSAGE


def test_paths_with_nul(server, alice, home):
    (home / "a").write_text("x")
    with s.session(server, alice) as sftp:
        for kind in (s.STAT, s.OPENDIR, s.REMOVE, s.READLINK, s.REALPATH):
            assert sftp.status(kind, string(b"/a\0b")) != s.OK, kind
        assert sftp.status(s.OPEN, string(b"/a\0.txt"), u32(s.F_WRITE | s.F_CREAT), u32(0)) != s.OK
    assert (home / "a").read_text() == "x"


def test_numbers_at_their_limits(server, alice, home):
    with s.session(server, alice) as sftp:
        handle = sftp.open("/f", s.F_READ | s.F_WRITE | s.F_CREAT)
        sftp.write(handle, 0, b"data")
        for offset in ((1 << 63) - 1, 1 << 63, (1 << 64) - 1):
            assert sftp.status(s.READ, string(handle), u64(offset), u32(32768)) in (s.EOF, s.FAILURE)
            assert sftp.status(s.WRITE, string(handle), u64(offset), string(b"xx")) == s.FAILURE
        assert sftp.read(handle, 0, 0xffffffff) == b"data"
        assert sftp.status(s.SETSTAT, string("/f"), u32(s.A_SIZE) + u64((1 << 64) - 1)) == s.FAILURE
        assert sftp.fstat(handle).size == 4


def test_init_twice(server, alice):
    """Not allowed by the draft: a status or the end of the channel, not a second life."""
    with s.session(server, alice) as sftp:
        sftp.send_raw(packet(s.INIT, u32(3)))
        try:
            kind, _ = sftp.receive_packet()
            assert kind in (s.STATUS, s.VERSION)
        except s.Closed:
            pass


def test_request_before_init(server, alice):
    with s.session(server, alice, init=False) as sftp:
        sftp.send_raw(packet(s.STAT, u32(7) + string("/")))
        try:
            kind, payload = sftp.receive_packet()
            assert kind == s.STATUS and struct.unpack(">I", payload[4:8])[0] != s.OK
        except s.Closed:
            pass


@pytest.mark.parametrize("version", [0, 1, 2, 3, 4, 6, 0xffffffff])
def test_every_client_version_gets_three_or_less(server, alice, version):
    with s.session(server, alice, init=False) as sftp:
        sftp.send_raw(packet(s.INIT, u32(version)))
        try:
            kind, payload = sftp.receive_packet()
            assert kind == s.VERSION and struct.unpack(">I", payload[:4])[0] <= 3
        except s.Closed:
            assert version < 3


@pytest.mark.parametrize("seed", range(8))
def test_garbage(server, alice, seed):
    rng = random.Random(seed)
    with s.session(server, alice, init=seed % 2 == 0) as sftp:
        try:
            for _ in range(20):
                sftp.send_raw(rng.randbytes(rng.randrange(1, 20_000)))
        except s.Closed:
            pass
        closes(sftp)


@pytest.mark.parametrize("seed", range(6))
def test_framed_garbage(server, alice, seed):
    """Right frames, known types, random bodies: each is answered once and the channel lives."""
    rng = random.Random(seed)
    with s.session(server, alice) as sftp:
        for _ in range(300):
            kind = rng.choice(list(REQUESTS.values()))
            body = rng.choice([string(rng.randbytes(rng.randrange(20))), b""]) + rng.randbytes(rng.randrange(40))
            answer, _ = sftp.receive(sftp.send(kind, body))
            assert answer in (s.STATUS, s.HANDLE, s.DATA, s.NAME, s.ATTRS, s.EXTENDED_REPLY)


@pytest.mark.parametrize("cut", [1, 4, 5, 9, 40, 20_000])
def test_half_a_packet_then_close(server, alice, cut):
    with s.session(server, alice) as sftp:
        handle = sftp.open("/f", s.F_WRITE | s.F_CREAT)
        whole = packet(s.WRITE, u32(9) + string(handle) + u64(0) + string(pattern(30_000)))
        sftp.send_raw(whole[:cut])
        sftp.channel.close()


def test_handles_left_open_are_released(server, alice, home):
    (home / "f").write_text("x")
    with s.session(server, alice) as sftp:
        for _ in range(100):
            sftp.open("/f", s.F_READ)
            sftp.call(s.OPENDIR, string("/"), wanted=s.HANDLE)
        assert server.fd_count() > 150


def test_client_that_never_reads_answers(server, alice, home):
    """Requests for 256 MiB whose answers nobody takes: the server must stop working ahead, not store them."""
    (home / "f").write_bytes(pattern(1 << 20))
    with s.session(server, alice) as sftp:
        handle = sftp.open("/f", s.F_READ)
        before = resident(server)
        sftp.channel.settimeout(1)
        for _ in range(1024):
            try:
                sftp.send(s.READ, string(handle), u64(0), u32(255 * 1024))
            except s.Closed:
                break  # our own send window is full: the server stopped taking requests
        assert resident(server) - before < 64 << 10, "KiB grown"


def resident(server):
    with open(f"/proc/{server.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


@pytest.mark.parametrize("direction", ["upload", "download"])
def test_client_killed_in_mid_transfer(server, alice, home, tmp_path, direction):
    write_pattern(tmp_path / "up" if direction == "upload" else home / "f", 64 << 20)
    mark = server.mark()
    client = clients.OpenSshSftp(server, alice)
    line = f'put "{tmp_path}/up" /f' if direction == "upload" else f'get /f "{tmp_path}/down"'
    argv = ["sftp", "-l", "100000", *client.ssh_options(), "-P", str(server.port), "-b", "-", f"{alice.name}@127.0.0.1"]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=server.env(), start_new_session=True)
    try:
        process.stdin.write(line.encode() + b"\n")
        process.stdin.flush()
        grown = home / "f" if direction == "upload" else tmp_path / "down"
        wait_for("data flows", lambda: grown.exists() and grown.stat().st_size > 2 << 20, 20)
        assert grown.stat().st_size < 64 << 20
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(seconds(10))
        process.stdin.close()
    wait_for("the file is closed", lambda: not any(name.startswith(str(home / "f")) for name in open_files(server)))
    with s.session(server, alice) as sftp:  # what was written before its line is all there was to say
        sftp.call(s.MKDIR, string("/after"), u32(0))
    server.complaints(mark, 1)
    server.wait_log(lambda l: l["sender"] == "Mkdir", start=mark)
    told = server.complaints(mark, 1)
    assert [l["level"] for l in told] == ["warn"], told
    assert re.fullmatch(f'{direction} "{re.escape(str(home))}/f" interrupted after [1-9][0-9]* bytes', told[0]["message"])
