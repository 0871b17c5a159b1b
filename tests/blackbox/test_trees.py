# SPDX-License-Identifier: Apache-2.0
"""Trees of ten thousand files with every client, compared by content, and one directory of a hundred thousand."""
import hashlib
import os

import pytest

import clients
from util import SANITIZED, make_tree, side_by_side, tree

pytestmark = pytest.mark.big


@pytest.fixture(scope="module")
def ten_thousand(alice):
    """Made in alice's home, from which one process fetches it while another sends it."""
    root = alice.home / "source"
    make_tree(root, 100, 100)
    content = tree(root)
    assert len([v for v in content.values() if v != "dir"]) == 10_000
    return root, content


@pytest.mark.parametrize("kind", clients.ALL, ids=lambda kind: kind.name)
def test_tree_of_10000_files(kind, server, alice, tmp_path, ten_thousand):
    root, want = ten_thousand

    def put():
        client.put_tree(root, f"/from {kind.name}", timeout=300)
        assert tree(alice.home / f"from {kind.name}") == want

    def get():
        client.get_tree("/source", tmp_path / "down", timeout=300)
        assert tree(tmp_path / "down") == want
    with kind(server, alice) as client:
        side_by_side(put, get)


def test_listing_of_a_large_directory_in_bounded_memory(server, alice, home):
    """100,000 names must not live in the server at once: its memory may not grow by more than a few MiB."""
    (home / "many").mkdir()
    for index in range(100_000):
        os.close(os.open(home / f"many/{index:06}-{'n' * 60}", os.O_CREAT | os.O_WRONLY))
    client = clients.OpenSshSftp(server, alice)
    client.batch("ls -1 /")
    with open(f"/proc/{server.pid}/clear_refs", "w") as peak:
        peak.write("5")  # trees before may have left a peak that would hide this one
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
