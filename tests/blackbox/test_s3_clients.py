# SPDX-License-Identifier: Apache-2.0
"""Every listed client does with files in S3 what a store allows, and is told of the rest. What was stored is looked at in the
bucket itself."""
import asyncssh
import pytest

import clients
from s3 import MIB, PART, add, s3config
from s3 import bucket, empty, rgw  # noqa: F401  (fixtures)
from util import make_tree, pattern, tree, wait_for

pytestmark = pytest.mark.ours
SIZES = [0, 32769, PART + 3]
REFUSED = (AssertionError, OSError, asyncssh.SFTPError)  # each has its own way to say so


@pytest.fixture(scope="module")
def server(make_server, rgw, bucket):
    # Some clients set times whether asked to or not, and a store keeps none.
    instance = make_server(config={"sftpd": {"setstat_mode": 1}, "plugins": {"storage": {"fs-s3": {"part_size_mib": 5}}}})
    add(instance, "alice", s3config(rgw))
    instance.start()
    yield instance
    instance.stop()


@pytest.fixture(params=clients.ALL, ids=lambda kind: kind.name)
def client(request, server):
    with request.param(server, server.accounts["alice"]) as instance:
        yield instance


def needs(client, verb):
    if not client.can(verb):
        pytest.skip(f"{client.name} has no {verb}")


def test_put_and_get(client, empty, tmp_path):
    needs(client, "put")
    for size in SIZES:
        data = pattern(size, client.name)
        (tmp_path / "up").write_bytes(data)
        client.put(tmp_path / "up", f"/file{size}")
        # sshfs does not wait for the answer to CLOSE, before which nothing is stored.
        wait_for("the object", lambda: f"file{size}" in empty.keys())
        assert empty.get(f"file{size}") == data, f"put of {size} bytes"
        client.get(f"/file{size}", tmp_path / f"down{size}")
        assert (tmp_path / f"down{size}").read_bytes() == data, f"get of {size} bytes"
    assert empty.unfinished() == []
    (tmp_path / "up").write_bytes(b"short")
    client.put(tmp_path / "up", f"/file{SIZES[-1]}")
    wait_for("the other object", lambda: empty.get(f"file{SIZES[-1]}") == b"short")


def test_names(client, empty):
    needs(client, "list")
    names = {"a", ".hidden", "with space", "dir"}
    empty.put_all([*(names - {"dir"}), "dir/inner"], b"content")
    assert client.list("/") == names
    assert client.list("/dir") == {"inner"}
    client.rename("/a", "/dir/b")
    assert empty.keys() == [".hidden", "dir/b", "dir/inner", "with space"]
    client.delete("/dir/b")
    client.mkdir("/one")
    client.mkdir("/one/two")
    assert client.list("/one") == {"two"}
    client.rmdir("/one/two")
    client.rmdir("/one")
    assert empty.keys() == [".hidden", "dir/inner", "with space"]


def test_resumed_get(client, empty, tmp_path):
    needs(client, "resume_get")
    data = pattern(3 * MIB)
    empty.put("f", data)
    (tmp_path / "down").write_bytes(data[:1_234_567])
    client.resume_get("/f", tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == data


def test_resumed_put_is_refused(client, empty, tmp_path):
    needs(client, "resume_put")
    data = pattern(300_000)
    (tmp_path / "up").write_bytes(data)
    empty.put("f", data[:100_000])
    if client.name == "psftp":  # which asks how much the open file has, and begins again
        client.resume_put(tmp_path / "up", "/f")
        assert empty.get("f") == data
        return
    with pytest.raises(REFUSED):
        client.resume_put(tmp_path / "up", "/f")
    assert empty.get("f") == data[:100_000]


def test_tree(client, empty, tmp_path):
    needs(client, "put_tree")
    make_tree(tmp_path / "up", 3, 4)
    client.put_tree(tmp_path / "up", "/up")
    stored = {key.removeprefix("up/").encode() for key in empty.keys("up/") if not key.endswith("/")}
    assert stored == {name for name, digest in tree(tmp_path / "up").items() if digest != "dir"}
    client.get_tree("/up", tmp_path / "down")
    assert tree(tmp_path / "down") == tree(tmp_path / "up")
