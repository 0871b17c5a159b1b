# SPDX-License-Identifier: Apache-2.0
"""sshfs with every upload_mode: programs see the file that they are writing, though it has no name yet."""
import os
import subprocess

import pytest

from client_libraries import Sshfs
from s3 import add, s3config
from s3 import bucket, empty, rgw  # noqa: F401  (fixtures)
from util import wait_for

pytestmark = pytest.mark.ours
OLD, NEW = b"old content " * 1000, b"NEW CONTENT! " * 20000
TIME = 1_500_000_000


@pytest.fixture(scope="module", params=[0, 1, 2])
def mode(request):
    return request.param


@pytest.fixture(scope="module", params=["counted", "not counted"])
def mounted(make_server, mode, request):
    instance = make_server(config={"sftpd": {"upload_mode": mode},
                                   "data_provider": {"track_quota": 1 if request.param == "counted" else 0}})
    instance.add_account("alice")
    instance.start()
    try:
        with Sshfs(instance, instance.accounts["alice"]) as client:
            yield client
    finally:
        instance.stop()


@pytest.fixture
def home(mounted):
    home = mounted.account.home
    for name in os.listdir(mounted.mount):  # by the mount, which remembers
        os.remove(mounted.mount / name)
    return home


@pytest.fixture
def new(tmp_path):
    file = tmp_path / "new"
    file.write_bytes(NEW)
    file.chmod(0o640)
    os.utime(file, (TIME, TIME))
    return file


def do(mounted, command, **words):
    done = subprocess.run(["sh", "-ec", command], cwd=mounted.mount, env={**os.environ, **words}, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def arrives(path, content):
    """sshfs does not wait for the answer to CLOSE."""
    wait_for(f"{path.name} to be whole and alone", lambda: path.exists() and path.read_bytes() == content and
             not [entry for entry in path.parent.iterdir() if entry.name.startswith(".sftpgo-upload.")])


@pytest.mark.parametrize("existed", [False, True])
def test_cp(mounted, home, new, existed):
    if existed:
        (home / "f").write_bytes(OLD)
    do(mounted, 'cp "$NEW" f', NEW=str(new))
    arrives(home / "f", NEW)


@pytest.mark.parametrize("existed", [False, True])
def test_cp_p(mounted, home, new, existed):
    if existed:
        (home / "f").write_bytes(OLD)
    do(mounted, 'cp -p "$NEW" f', NEW=str(new))
    arrives(home / "f", NEW)
    there = (home / "f").stat()
    assert (there.st_mode & 0o777, int(there.st_mtime)) == (0o640, TIME)


def test_append_and_change(mounted, home):
    do(mounted, "echo one > f; echo two >> f; printf X | dd of=f bs=1 seek=1 conv=notrunc")
    arrives(home / "f", b"oXe\ntwo\n")


def test_save_by_rename(mounted, home):
    (home / "f").write_bytes(OLD)
    for number in range(100):
        (mounted.mount / "f.new").write_bytes(b"%d" % number)
        os.rename(mounted.mount / "f.new", mounted.mount / "f")
    arrives(home / "f", b"99")


def test_what_is_being_written_can_be_looked_at(mounted, home):
    do(mounted, "exec 3> f; printf 12345 >&3; chmod 600 f; touch -d @%d f; test -f f; stat -c %%a,%%Y f > look; exec 3>&-" % TIME)
    arrives(home / "f", b"12345")
    arrives(home / "look", b"600,%d\n" % TIME)


@pytest.fixture
def on_a_store(make_server, rgw, bucket):
    server = make_server(config={"plugins": {"storage": {"fs-s3": {"mtime_in_metadata": "stat"}}}})
    add(server, "alice", s3config(rgw))
    server.start()
    yield server
    server.stop()


def test_cp_p_to_a_store(on_a_store, empty, new):
    server = on_a_store
    with Sshfs(server, server.accounts["alice"]) as mounted:
        do(mounted, 'cp -p "$NEW" f; echo old > g; sed -i s/old/new/ g', NEW=str(new))
        wait_for("the objects", lambda: {"f", "g"} <= set(empty.keys()) and empty.get("g") == b"new\n")
        assert empty.get("f") == NEW
        wait_for("its time", lambda: int(os.stat(mounted.mount / "f").st_mtime) == TIME)  # the mount remembers for a moment
        do(mounted, 'echo other > f; cp -p "$NEW" f', NEW=str(new))
        wait_for("the other object", lambda: empty.get("f") == NEW)
        wait_for("its time", lambda: int(os.stat(mounted.mount / "f").st_mtime) == TIME)
