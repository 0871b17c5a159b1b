# SPDX-License-Identifier: Apache-2.0
"""File names that clients and servers get wrong: spaces, quotes, globs, UTF-8, leading dash, 255 bytes, not UTF-8."""
import os

import pytest

import clients
import rawsftp
from util import pattern

NAMES = ["with space", " leading and trailing ", "single'quote", 'double"quote', "back\\slash", "glob*[a]?", "-dash",
         ".dot", "tilde~", "$HOME", "semi;colon", "percent%41", "plus+and&", "héllo wörld", "日本語", "😀", "n" * 255,
         "é" * 127, "#hash", "new\nline", "tab\tand\x01control"]

# What a client itself cannot say, whatever the server does.
LINE_BASED = {"new\nline", "tab\tand\x01control"}
CANNOT = {
    "openssh-sftp": LINE_BASED,
    "lftp": LINE_BASED,
    "psftp": LINE_BASED,
    "curl": LINE_BASED,
    "rclone": LINE_BASED,
}


@pytest.mark.parametrize("kind", clients.ALL, ids=lambda kind: kind.name)
def test_odd_names(kind, server, alice, home, tmp_path):
    (home / "sub").mkdir()
    names = [name for name in NAMES if name not in CANNOT.get(kind.name, ())]
    with kind(server, alice) as client:
        for name in names:
            data = pattern(1000, name)
            (tmp_path / name).write_bytes(data)
            client.put(tmp_path / name, f"/sub/{name}")
            assert (home / "sub" / name).read_bytes() == data, f"put {name!r}"
            client.get(f"/sub/{name}", tmp_path / "down")
            assert (tmp_path / "down").read_bytes() == data, f"get {name!r}"
        if client.can("list"):
            assert client.list("/sub") == set(names)
        for name in names if client.can("rename") else []:
            client.rename(f"/sub/{name}", "/sub/plain")
            client.delete("/sub/plain")
    if kind.name != "openssh-scp":
        assert os.listdir(home / "sub") == []


BYTE_NAMES = [b"latin1-\xe9\xe8", b"\xff\xfe", b"\x80", b"bad-utf8-\xc3\x28", b"\xed\xa0\x80surrogate"]


def test_names_that_are_not_utf8_asyncssh(server, alice, home, tmp_path):
    client = clients.AsyncSsh(server, alice)
    (tmp_path / "up").write_bytes(b"data")
    for name in BYTE_NAMES:
        client.put(tmp_path / "up", b"/" + name)
    assert set(os.listdir(os.fsencode(home))) == set(BYTE_NAMES)
    assert client.list(b"/") == set(BYTE_NAMES)
    for name in BYTE_NAMES:
        client.get(b"/" + name, tmp_path / "down")
        client.rename(b"/" + name, b"/" + name + b"2")
        client.delete(b"/" + name + b"2")
    assert not list(home.iterdir())


def test_names_that_are_not_utf8_paramiko(server, alice, home):
    with clients.Paramiko(server, alice).sftp() as sftp:
        for name in BYTE_NAMES:
            with sftp.open(b"/" + name, "wb") as out:
                out.write(name)
            with sftp.open(b"/" + name, "rb") as data:
                assert data.read() == name
            sftp.mkdir(b"/dir-" + name)
            sftp.symlink(b"/" + name, b"/link-" + name)
    names = set(os.listdir(os.fsencode(home)))
    assert names == {prefix + name for name in BYTE_NAMES for prefix in (b"", b"dir-", b"link-")}


def test_name_too_long_and_unclean_paths(server, alice, home):
    (home / "a/b").mkdir(parents=True)
    with rawsftp.session(server, alice) as sftp:
        with pytest.raises(rawsftp.StatusError) as refused:
            sftp.write_file("/" + "n" * 256, b"")
        assert refused.value.code in (rawsftp.FAILURE, rawsftp.BAD_MESSAGE)
        sftp.write_file("//a///./b/../f", b"x")
        assert (home / "a/f").read_bytes() == b"x"
        with pytest.raises(rawsftp.StatusError):
            sftp.stat("/" + "d/" * 3000)
        assert sftp.read_file("a/f") == b"x"
