# SPDX-License-Identifier: Apache-2.0
"""Every listed client does everything it can do; contents are compared on the server's disk and back at the client."""
import os
import stat

import pytest

import clients
from util import make_tree, pattern, require, tree

SIZES = [0, 1, 32767, 32768, 32769, (8 << 20) + 3]


@pytest.fixture(params=clients.ALL, ids=lambda kind: kind.name)
def client(request, server, alice):
    with request.param(server, alice) as instance:
        yield instance


def needs(client, verb):
    if not client.can(verb):
        pytest.skip(f"{client.name} has no {verb}")


def test_put_and_get_of_all_sizes(client, home, tmp_path):
    for size in SIZES:
        data = pattern(size, client.name)
        (tmp_path / "up").write_bytes(data)
        client.put(tmp_path / "up", f"/file{size}")
        assert (home / f"file{size}").read_bytes() == data, f"put of {size} bytes"
        client.get(f"/file{size}", tmp_path / f"down{size}")
        assert (tmp_path / f"down{size}").read_bytes() == data, f"get of {size} bytes"


def test_put_replaces_a_longer_file(client, home, tmp_path):
    (home / "f").write_bytes(pattern(100_000))
    (tmp_path / "up").write_bytes(b"short")
    client.put(tmp_path / "up", "/f")
    assert (home / "f").read_bytes() == b"short"


def test_list(client, home):
    needs(client, "list")
    names = {"a", ".hidden", "with space", "dir"}
    for name in names - {"dir"}:
        (home / name).write_text("x")
    (home / "dir").mkdir()
    (home / "dir/inner").write_text("x")
    assert client.list("/") == names
    assert client.list("/dir") == {"inner"}


def test_rename(client, home):
    needs(client, "rename")
    (home / "old").write_text("content")
    (home / "sub").mkdir()
    client.rename("/old", "/sub/new")
    assert tree(home).keys() == {b"sub", b"sub/new"}
    assert (home / "sub/new").read_text() == "content"


def test_mkdir_and_rmdir(client, home):
    needs(client, "mkdir")
    client.mkdir("/one")
    client.mkdir("/one/two")
    assert (home / "one/two").is_dir()
    client.rmdir("/one/two")
    client.rmdir("/one")
    assert not list(home.iterdir())


def test_chmod(client, home):
    needs(client, "chmod")
    (home / "f").write_text("x")
    (home / "d").mkdir()
    client.chmod("/f", 0o640)
    client.chmod("/d", 0o710)
    assert stat.S_IMODE((home / "f").stat().st_mode) == 0o640
    assert stat.S_IMODE((home / "d").stat().st_mode) == 0o710


def test_symlink(client, home):
    needs(client, "symlink")
    (home / "target").write_text("through the link")
    client.symlink("target", "/link")
    assert (home / "link").is_symlink()
    assert (home / "link").read_text() == "through the link"


def test_symlink_with_absolute_target_is_virtual(client, home, tmp_path):
    """A target that starts with / means the client's root: it must work through the server and name no server path."""
    needs(client, "symlink")
    (home / "sub").mkdir()
    (home / "sub/target").write_text("content")
    client.symlink("/sub/target", "/link")
    client.get("/link", tmp_path / "got")
    assert (tmp_path / "got").read_text() == "content"


def test_resumed_put(client, home, tmp_path):
    needs(client, "resume_put")
    data = pattern(3_000_000)
    (tmp_path / "up").write_bytes(data)
    (home / "f").write_bytes(data[:1_234_567])
    os.utime(home / "f")
    client.resume_put(tmp_path / "up", "/f")
    assert (home / "f").read_bytes() == data


def test_resumed_get(client, home, tmp_path):
    needs(client, "resume_get")
    data = pattern(3_000_000)
    (home / "f").write_bytes(data)
    (tmp_path / "down").write_bytes(data[:1_234_567])
    client.resume_get("/f", tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == data


def test_delete(client, home):
    needs(client, "delete")
    (home / "f").write_text("x")
    (home / "keep").write_text("x")
    client.delete("/f")
    assert tree(home).keys() == {b"keep"}


def test_tree(client, home, tmp_path):
    needs(client, "put_tree")
    make_tree(tmp_path / "up", 8, 12)
    client.put_tree(tmp_path / "up", "/up")
    assert tree(home / "up") == tree(tmp_path / "up")
    client.get_tree("/up", tmp_path / "down")
    assert tree(tmp_path / "down") == tree(tmp_path / "up")


@pytest.mark.parametrize("kind", [k for k in clients.ALL if k.passwords], ids=lambda kind: kind.name)
def test_password_login(kind, server, alice, home, tmp_path):
    (home / "f").write_text("by password")
    with kind(server, alice, login="password") as client:
        client.get("/f", tmp_path / "got")
    assert (tmp_path / "got").read_text() == "by password"


def test_openssh_password_login(server, alice, home):
    require("sshpass")
    client = clients.OpenSshSftp(server, alice, login="password")
    argv = ["sshpass", "-e", "sftp", *client.ssh_options(), "-P", server.port, f"{alice.name}@127.0.0.1"]
    client.run(argv, input="mkdir made\n", env={"SSHPASS": alice.password})
    assert (home / "made").is_dir()
