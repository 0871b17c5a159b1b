# SPDX-License-Identifier: Apache-2.0
"""Files in S3 with little memory for them: whoever needs some gets it from whoever can do without, and in turn."""
import time

import pytest

import rawsftp as s
from s3 import MIB, PART, PUT, add, client, s3config
from s3 import bucket, empty, rgw  # noqa: F401  (fixtures)
from util import pattern, seconds

pytestmark = pytest.mark.ours
BLOCK = 128 * 1024


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
