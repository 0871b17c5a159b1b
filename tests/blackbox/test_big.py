# SPDX-License-Identifier: Apache-2.0
"""The sizes people really move: one file beyond 4 GiB with every client, and what resumes one there."""
import os
import shutil
import tempfile
from pathlib import Path

import pytest

import clients
from client_base import ssh_program
from util import SANITIZED, assert_same_content, pattern, side_by_side

pytestmark = pytest.mark.big
GIB, MIB = 1 << 30, 1 << 20
BIG = 256 * MIB if SANITIZED else 4 * GIB + 1


def make_big(path, size):
    """Mostly holes, with a distinct block every 32 MiB and at both sides of 2 and 4 GiB; returns nothing."""
    with open(path, "wb") as out:
        out.truncate(size)
        for offset in sorted({*range(0, size, 32 * MIB), *(edge + d for edge in (2 * GIB, 4 * GIB) for d in (-70_001, -1))}):
            if offset < size:
                out.seek(offset)
                out.write(pattern(min(65_537, size - offset), offset))


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A place for gigabytes. In memory if it has plenty: a disk makes who writes that much wait, which doubles the time."""
    memory = Path("/dev/shm")
    if os.access(memory, os.W_OK) and min(shutil.disk_usage(memory).free, available_memory()) > 3 * BIG:
        path = Path(tempfile.mkdtemp(prefix="sallyport-test-", dir=memory))
        path.chmod(0o755)
    else:
        path = tmp_path_factory.mktemp("room")
    yield path
    shutil.rmtree(path, ignore_errors=True)


def available_memory():
    with open("/proc/meminfo") as info:
        return next(int(line.split()[1]) << 10 for line in info if line.startswith("MemAvailable"))


@pytest.fixture(scope="module")
def server(make_server, room):
    instance = make_server()
    instance.add_account("alice", home=room / "home")
    instance.start()
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def big(room):
    """Made once, where it can be linked into the home."""
    if SANITIZED:
        print(f"sanitized build: {BIG} bytes instead of 4 GiB + 1")
    if shutil.disk_usage(room).free < 2 * BIG:
        pytest.skip(f"needs {2 * BIG >> 30} GiB of free disk")
    make_big(room / "big", BIG)
    return room / "big"


@pytest.fixture(params=clients.ALL, ids=lambda kind: kind.name)
def quick_client(request, server, alice, tmp_path):
    """The cheapest cipher where a client can be told: this is about offsets, and for two clients about minutes."""
    # asyncssh's own limit is off, for the reason that test_rekey.py gives.
    options = {clients.AsyncSsh: {"options": {"encryption_algs": ["aes128-ctr"], "rekey_bytes": 1 << 50}}}
    for kind in (clients.OpenSshScp, clients.Lftp, clients.Sshfs):
        options[kind] = {"ssh": ssh_program(tmp_path / "ssh", "Ciphers=aes128-gcm@openssh.com")}
    with request.param(server, alice, **options.get(request.param, {})) as instance:
        yield instance


def test_file_beyond_4_gib(quick_client, home, room, big):
    """Up and down at the same time, on a connection each."""
    def put():
        quick_client.put(big, "/up", timeout=300)
        assert_same_content(home / "up", big)

    def get():
        quick_client.get("/big", room / "down", timeout=300)
        assert_same_content(room / "down", big)
    os.link(big, home / "big")
    try:
        side_by_side(put, get)
    finally:
        (room / "down").unlink(missing_ok=True)


@pytest.mark.parametrize("have", [2 * GIB - MIB, 4 * GIB + 1], ids=["across-2-gib", "beyond-4-gib"])
@pytest.mark.parametrize("kind", [k for k in clients.ALL if hasattr(k, "resume_put")], ids=lambda kind: kind.name)
def test_resume(kind, have, server, alice, home, room):
    """The last 3 MiB of a large file, so it is a matter of seconds: only the right offsets give the right file."""
    for path in (room / "whole", room / "down", home / "up"):
        make_big(path, have + 3 * MIB)
        with open(path, "r+b") as out:
            out.seek(have - 1000)
            out.write(pattern(3 * MIB + 1000))
    os.truncate(room / "down", have)
    os.truncate(home / "up", have)
    os.link(room / "whole", home / "whole")
    with kind(server, alice) as client:
        client.resume_put(room / "whole", "/up")
        client.resume_get("/whole", room / "down")
    for path in (home / "up", room / "down"):
        assert_same_content(path, room / "whole")
        assert path.stat().st_blocks * 512 < GIB, "what was there already is a hole still: nothing was sent again"
