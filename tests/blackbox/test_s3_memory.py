# SPDX-License-Identifier: Apache-2.0
"""Files in S3 need bounded memory, however large they are; a listing as well. Where there is little, whoever needs some gets it
from whoever can do without, and in turn."""
import re
import threading
import time
from pathlib import Path

import pytest

import rawsftp as s
from s3 import MIB, PART, PUT, add, client, openssh, s3config
from s3 import bucket, empty, rgw  # noqa: F401  (fixtures)
from s3proxy import Fault, S3Proxy
from util import SANITIZED, pattern, seconds, sha256, write_pattern

pytestmark = pytest.mark.ours
BLOCK = 128 * 1024
KEYS = 20_000


class Growth:
    """How much more memory the server had at its most than at the beginning."""

    def __init__(self, server):
        self.file = Path(f"/proc/{server.pid}/smaps_rollup")
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def now(self):
        return int(re.search(r"Pss: +(\d+)", self.file.read_text())[1]) * 1024

    def _watch(self):
        while not self.over.wait(0.01):
            self.most = max(self.most, self.now())

    def __enter__(self):
        self.before = self.most = self.now()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.bytes = self.most - self.before
        print(f"the server has grown by {self.bytes / MIB:.1f} MiB")


def make(make_server, rgw, memory_mib):
    settings = {"part_size_mib": 5, "download_chunk_mib": 1, "max_memory_mib": memory_mib}
    instance = make_server(config={"plugins": {"storage": {"fs-s3": settings}}})
    add(instance, "alice", s3config(rgw))
    instance.start()
    return instance


def test_uploads_side_by_side_come_to_their_end(make_server, rgw, empty):
    """More than have room for a part each, in turn, so that none of them has sent its first part when memory is out."""
    server, size = make(make_server, rgw, 256), PART + 2 * BLOCK
    data = pattern(size)
    with client(server) as sftp:
        sftp.channel.settimeout(seconds(60))
        handles = [sftp.open(f"/{number}", PUT) for number in range(20)]
        start = time.monotonic()
        for at in range(0, size, BLOCK):
            for request in [sftp.send(s.WRITE, s.string(handle), s.u64(at), s.string(data[at:at + BLOCK])) for handle in handles]:
                sftp.expect(request, s.STATUS)
        for handle in handles:
            sftp.close(handle)
        assert time.monotonic() - start < seconds(25), "nobody waits for memory until the patience ends"
    assert all(empty.get(str(number)) == data for number in range(20))


def test_downloads_that_pause_leave_memory_for_others(make_server, rgw, empty):
    server, data = make(make_server, rgw, 64), pattern(12 * MIB)
    empty.put("file", data)
    with client(server) as sftp:
        sftp.channel.settimeout(seconds(60))
        paused = [sftp.open("/file", s.F_READ) for _ in range(8)]
        for handle in paused:
            for at in range(0, 4 * MIB, BLOCK):
                assert sftp.read(handle, at, BLOCK) == data[at:at + BLOCK]
        start = time.monotonic()
        with client(server) as other:
            other.write_file("/new", data)
            assert other.read_file("/new") == data
        assert time.monotonic() - start < seconds(20)
        for handle in paused:
            assert sftp.read(handle, 4 * MIB, BLOCK) == data[4 * MIB:4 * MIB + BLOCK]
    assert empty.get("new") == data


def test_a_transfer_needs_bounded_memory(make_server, rgw, empty, tmp_path):
    """With the settings that are usual."""
    server, size = make_server(), (64 if SANITIZED else 256) * MIB
    add(server, "alice", s3config(rgw))
    server.start()
    digest = write_pattern(tmp_path / "up", size)
    (tmp_path / "first").write_bytes(pattern(MIB))
    try:
        openssh(server, tmp_path, "put first", "get first back")  # what is needed once
        with Growth(server) as upload:
            openssh(server, tmp_path, "put up large")
        assert empty.head("large")["ContentLength"] == size
        with Growth(server) as download:
            openssh(server, tmp_path, "get large down")
        assert sha256(tmp_path / "down") == digest
        assert SANITIZED or max(upload.bytes, download.bytes) < 64 * MIB, (upload.bytes, download.bytes)
    finally:
        server.stop()


def more(sftp, handle):
    """The names of one answer to READDIR; none at the end."""
    try:
        fields = sftp.call(s.READDIR, s.string(handle), wanted=s.NAME)
    except s.StatusError as end:
        assert end.code == s.EOF
        return []
    return [(fields.string().decode(), fields.string(), fields.attrs())[0] for _ in range(fields.u32())]


def test_a_long_listing_streams_in_bounded_memory(make_server, rgw):
    server, door, go_on = make_server(), S3Proxy(rgw.port), threading.Event()
    add(server, "alice", s3config(rgw, endpoint=door.url, bucket="long"))
    server.start()
    # Names so long that it would be seen if they were kept.
    names = [f"{number:05} {'x' * 800}" for number in range(KEYS)]
    rgw.bucket("long").put_quickly([f"many/{name}" for name in names])
    try:
        with client(server) as sftp:
            sftp.channel.settimeout(seconds(60))
            door.decide = lambda request: Fault("down", 0, "hold", go_on) if "continuation-token" in request.query else None
            handle = sftp.call(s.OPENDIR, s.string("/many"), wanted=s.HANDLE).string()
            found = more(sftp, handle)
            assert found, "the first come when no page but the first has"
            go_on.set()
            while len(found) < KEYS / 5:
                found += more(sftp, handle)
            with Growth(server) as growth:
                while some := more(sftp, handle):
                    found += some
            sftp.close(handle)
        assert found == names
        assert SANITIZED or growth.bytes < 8 * MIB, growth.bytes
    finally:
        go_on.set()
        server.stop()
        door.stop()
