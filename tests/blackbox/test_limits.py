# SPDX-License-Identifier: Apache-2.0
"""Limits that keep one client from taking what belongs to all: time, places before login, memory, and receive windows
that are wide for those who upload and for nobody else."""
import asyncio
import contextlib
import os
import re
import socket
import threading
import time

import asyncssh
import paramiko
import pytest

import rawsftp as s
from util import SANITIZED, pattern, seconds, wait_for

MIB = 1 << 20
PLACES = 200  # before login, of one address


# -- time

@pytest.fixture
def patient_and_not(make_server):
    """Two servers: one ends sessions that are idle for a minute, which is the least that can be said; one never does."""
    servers = []
    try:
        for minutes in (1, 0):
            servers.append(make_server(config={"sftpd": {"idle_timeout": minutes}}))
            servers[-1].add_account("alice")
            servers[-1].start()
        yield servers
    finally:
        for each in servers:
            each.stop()


def test_idle_timeout(patient_and_not):
    """Neither an open file nor keepalives are a use; one request now and then is."""
    server, patient = patient_and_not
    account = server.accounts["alice"]
    start = time.monotonic()
    with s.transport(server, account) as idle, s.transport(server, account) as only_alive, \
            s.session(server, account) as active, s.transport(patient, patient.accounts["alice"]) as never:
        for link in (idle, only_alive, never):
            s.subsystem(link).open("/f", s.F_WRITE | s.F_CREAT)
        only_alive.set_keepalive(1)

        def ended():
            active.stat("/f")
            return not idle.is_active() and not only_alive.is_active()
        wait_for("the idle sessions end", ended, 75)
        assert time.monotonic() - start >= 60
        assert active.read_file("/f") == b""
        assert s.subsystem(never).name(s.REALPATH, ".") == b"/"


# -- places before login

def silent(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=seconds(10))


def greeted(sock):
    """Whether the server talks to this connection; otherwise it has closed it."""
    try:
        return sock.recv(8) == b"SSH-2.0-"
    except ConnectionResetError:
        return False


def still_open(sock):
    sock.setblocking(False)
    try:
        while data := sock.recv(4096):
            pass  # the rest of the greeting
        return data != b""
    except BlockingIOError:
        return True


def works(server, account, **options):
    with s.transport(server, account, **options) as link:
        return s.subsystem(link).name(s.REALPATH, ".") == b"/"


def test_places_of_an_address_before_login(server, alice):
    before = server.fd_count()
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(silent(server)) for _ in range(PLACES + 50)]
        assert [greeted(sock) for sock in crowd] == [True] * PLACES + [False] * 50
        with pytest.raises((paramiko.SSHException, EOFError, OSError)):
            works(server, alice)
        assert works(server, alice, source="127.0.0.2")
        assert all(still_open(sock) for sock in crowd[:PLACES])
        crowd[0].close()
        wait_for("a place is free again", lambda: gets_in(server, alice))

    wait_for("all are gone", lambda: server.fd_count() <= before)
    with contextlib.ExitStack() as stack:
        again = [stack.enter_context(silent(server)) for _ in range(PLACES - 1)]
        assert all([greeted(sock) for sock in again])
        for _ in range(3):  # who has logged in takes no place: the last one is there for the next
            assert stack.enter_context(s.session(server, alice)).name(s.REALPATH, ".") == b"/"


def gets_in(server, account):
    try:
        return works(server, account)
    except (paramiko.SSHException, EOFError, OSError):
        return False


# -- memory

class Flood:
    """Asks to read for ever and never reads its socket. polite: only as far as the window goes that the server gave."""

    def __init__(self, link, sftp, handle, polite):
        self.link, self.packets, self.over = link, 0, threading.Event()
        body = bytes([s.READ]) + s.u32(7) + s.string(handle) + s.u64(0) + s.u32(255 * 1024)
        requests = (s.u32(len(body)) + body) * 500
        self.message = paramiko.Message()
        self.message.add_byte(bytes([94]))  # SSH_MSG_CHANNEL_DATA
        self.message.add_int(sftp.channel.remote_chanid)
        self.message.add_string(requests)
        self.most = sftp.channel.out_window_size // len(requests) if polite else 200 * MIB // len(requests)
        link.packetizer.read_message = self.read_nothing
        self.sender = threading.Thread(target=self.send, daemon=True)
        self.sender.start()

    def read_nothing(self):
        self.over.wait()
        raise EOFError

    def send(self):
        with contextlib.suppress(EOFError, OSError, paramiko.SSHException):
            while self.packets < self.most and not self.over.is_set():
                self.link._send_user_message(self.message)
                self.packets += 1

    def stop(self):
        self.over.set()
        self.link.close()
        self.sender.join(seconds(10))
        assert not self.sender.is_alive()


def resident(server):
    with open(f"/proc/{server.pid}/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmRSS"))


def opened(server, path):
    links = [f"/proc/{server.pid}/fd/{fd}" for fd in os.listdir(f"/proc/{server.pid}/fd")]
    return sum(os.path.lexists(link) and os.readlink(link) == str(path) for link in links)


@pytest.mark.parametrize("polite", [True, False], ids=["within-the-window", "beyond-the-window"])
@pytest.mark.parametrize("window", [2 * MIB, 1 << 31], ids=["small-replies-window", "huge-replies-window"])
def test_flood_of_a_client_that_never_reads(server, alice, home, polite, window):
    """With a huge window for replies only the full socket tells the server to stop; otherwise the window does."""
    (home / "f").write_bytes(pattern(MIB))
    (home / "small").write_bytes(b"small")
    with s.session(server, alice) as other, s.transport(server, alice, default_window_size=window) as link:
        sftp = s.subsystem(link)
        handle = sftp.open("/f", s.F_READ)
        sftp.read(handle, 0, 255 * 1024)
        before, most, served, slowest = resident(server), 0, 0, 0
        flood = Flood(link, sftp, handle, polite)
        try:
            sent, changed = 0, time.monotonic()
            while (now := time.monotonic()) - changed < seconds(2):  # until nothing more is taken, however it ends
                if flood.packets != sent:
                    sent, changed = flood.packets, now
                most = max(most, resident(server) - before)
                assert other.read_file("/small") == b"small"
                served, slowest = served + 1, max(slowest, time.monotonic() - now)
            assert sent > 10 and served > 10 and slowest < seconds(5), f"{sent} packets; {served} files, {slowest:.1f} s at most"
            if not SANITIZED:
                assert most < 64 * MIB, f"grown by {most / MIB:.0f} MiB in {sent} packets of 500 requests"
        finally:
            flood.stop()
        wait_for("the file is closed", lambda: opened(server, home / "f") == 0)
        assert works(server, alice)


def most_resident(server):
    """The most that it ever was."""
    with open(f"/proc/{server.pid}/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) << 10


async def flood_of_requests(server, account, count):
    """The shortest of channel requests, which want no answer. All are encrypted before the first is sent, since libssh
    takes them in faster than Python makes them. Returns a name that the server tells afterwards."""
    async with asyncssh.connect("127.0.0.1", server.port, username=account.name, client_keys=[str(account.keys[0])],
                                known_hosts=None, config=None, agent_path=None,
                                encryption_algs=["aes128-gcm@openssh.com"]) as link:
        channel = (await link.create_session(asyncssh.SSHClientSession, subsystem="sftp", encoding=None))[0]
        payload = bytes([98]) + s.u32(channel._send_chan) + s.string("") + b"\0"  # SSH_MSG_CHANNEL_REQUEST
        padding = 4 + -(link._send_enchdrlen + len(payload) + 4) % link._send_blocksize
        packet, packets = bytes([padding]) + payload + bytes(padding), []
        for _ in range(count):
            packets += link._send_encryption.encrypt_packet(link._send_seq, s.u32(len(packet)), packet)
            link._send_seq += 1
        link._transport.write(b"".join(packets))
        async with link.start_sftp_client() as sftp:
            return await sftp.realpath(".")


@pytest.mark.parametrize("fast", [True, False], ids=["fast-socket", "plain-socket"])
def test_flood_of_requests_that_want_no_answer(make_server, fast):
    """libssh keeps each until it is asked for it, without an end. Nobody else waits for them either."""
    server = make_server(config={"sftpd": {"fast_socket": fast, "io_threads": 1}})
    account = server.add_account("alice")
    server.start()
    try:
        with s.session(server, account) as other:
            other.write_file("/small", b"small")
            before, told, slowest = most_resident(server), [], 0
            flood = threading.Thread(target=lambda: told.append(asyncio.run(flood_of_requests(server, account, 200_000))))
            flood.start()
            while flood.is_alive():
                begun = time.monotonic()
                assert other.read_file("/small") == b"small"
                slowest = max(slowest, time.monotonic() - begun)
            assert told == ["/"] and slowest < seconds(2), f"{told}; {slowest:.1f} s for a small file"
            if not SANITIZED:
                grown = most_resident(server) - before
                assert grown < 8 * MIB, f"grown by {grown / MIB:.0f} MiB"
    finally:
        server.stop()


# -- receive windows

def upload(sftp, path, size=24 * MIB):
    """Many WRITEs at once; returns when all are answered."""
    handle = sftp.open(path, s.F_WRITE | s.F_CREAT)
    block = pattern(32 * 1024)
    requests = [sftp.send(s.WRITE, s.string(handle), s.u64(offset), s.string(block)) for offset in range(0, size, len(block))]
    for request in requests:
        sftp.expect(request, s.STATUS)
    return handle


def test_window_grows_for_an_upload(server, alice, home):
    """2 MiB per round trip are slow on a long line: who uploads may have 8 MiB on the way, who does not may not."""
    with s.transport(server, alice) as link:
        quiet, busy = s.subsystem(link), s.subsystem(link)
        assert busy.channel.out_window_size <= 2 * MIB
        upload(busy, "/up")
        wait_for(lambda: f"a wide window, not {busy.channel.out_window_size}",
                 lambda: 6 * MIB <= busy.channel.out_window_size <= 8 * MIB)
        assert quiet.read(quiet.open("/up", s.F_READ), 0, 100_000)
        assert quiet.channel.out_window_size <= 2 * MIB


def test_windows_of_one_connection_are_limited(server, alice, home):
    """Windows are memory: not all channels of a connection get wide ones."""
    with s.transport(server, alice) as link:
        channels = [s.subsystem(link) for _ in range(8)]
        for number, sftp in enumerate(channels):
            upload(sftp, f"/up{number}", 12 * MIB)
        windows = [sftp.channel.out_window_size for sftp in channels]
        assert 3 * 6 * MIB < sum(windows) <= 4 * 8 * MIB + 4 * 2 * MIB, windows
