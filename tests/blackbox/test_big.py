# SPDX-License-Identifier: Apache-2.0
"""The sizes people really move: one file beyond 4 GiB, and trees of ten thousand files, compared by content."""
import hashlib
import os
import shutil

import pytest

import clients
from util import SANITIZED, make_tree, pattern, sha256, tree

pytestmark = pytest.mark.big
GIB = 1 << 30
BIG = 256 << 20 if SANITIZED else 4 * GIB + 1


def make_big(path, size):
    """Mostly holes, with a distinct block every 32 MiB and at both sides of 2 and 4 GiB; returns nothing."""
    with open(path, "wb") as out:
        out.truncate(size)
        for offset in sorted({*range(0, size, 32 << 20), *(edge + d for edge in (2 * GIB, 4 * GIB) for d in (-70_001, -1))}):
            if offset < size:
                out.seek(offset)
                out.write(pattern(min(65_537, size - offset), offset))


def test_file_beyond_4_gib(server, alice, home, tmp_path):
    if SANITIZED:
        print(f"sanitized build: {BIG} bytes instead of 4 GiB + 1")
    if shutil.disk_usage(tmp_path).free < 4 * BIG:
        pytest.skip(f"needs {4 * BIG >> 30} GiB of free disk")
    client = clients.OpenSshSftp(server, alice)
    make_big(tmp_path / "up", BIG)
    want = sha256(tmp_path / "up")
    client.batch(f'put "{tmp_path}/up" /big', timeout=300)
    assert (home / "big").stat().st_size == BIG
    assert sha256(home / "big") == want
    (tmp_path / "up").unlink()
    client.batch(f'get /big "{tmp_path}/down"', timeout=300)
    assert (tmp_path / "down").stat().st_size == BIG
    assert sha256(tmp_path / "down") == want
    (tmp_path / "down").unlink()


@pytest.fixture(scope="module")
def ten_thousand(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree") / "up"
    make_tree(root, 100, 100)
    return root, tree(root)


@pytest.mark.parametrize("kind", [clients.OpenSshSftp, clients.Lftp, clients.Rclone], ids=lambda kind: kind.name)
def test_tree_of_10000_files(kind, server, alice, home, tmp_path, ten_thousand):
    root, want = ten_thousand
    assert len([v for v in want.values() if v != "dir"]) == 10_000
    client = kind(server, alice)
    client.put_tree(root, "/up", timeout=300)
    assert tree(home / "up") == want
    client.get_tree("/up", tmp_path / "down", timeout=300)
    assert tree(tmp_path / "down") == want


def test_listing_of_a_large_directory_in_bounded_memory(server, alice, home):
    """100,000 names must not live in the server at once: its memory may not grow by more than a few MiB."""
    (home / "many").mkdir()
    for index in range(100_000):
        os.close(os.open(home / f"many/{index:06}-{'n' * 60}", os.O_CREAT | os.O_WRONLY))
    client = clients.OpenSshSftp(server, alice)
    client.batch("ls -1 /")
    before = peak_memory(server.pid)
    names = client.batch("ls -1f /many", timeout=180).splitlines()
    found = hashlib.sha256("\n".join(sorted(n.rsplit("/", 1)[1] for n in names if n.startswith("/many/"))).encode())
    want = hashlib.sha256("\n".join(sorted(os.listdir(home / "many"))).encode())
    assert found.hexdigest() == want.hexdigest()
    if not SANITIZED and server.kind == "sallyport":
        assert peak_memory(server.pid) - before < 16 << 10, "KiB of peak memory added by the listing"


def peak_memory(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
