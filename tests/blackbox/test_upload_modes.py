# SPDX-License-Identifier: Apache-2.0
"""upload_mode: where an upload is until it is whole, what is left of one that fails, and what a killed server leaves.

SALLYPORT_TEST_KILLS sets how often the server is killed (default 25)."""
import os
import random
import threading

import paramiko
import pytest

import rawsftp as s
from util import wait_for

pytestmark = pytest.mark.ours
TEMPORARY = ".sftpgo-upload."
OLD, NEW = b"old content " * 1000, b"NEW CONTENT! " * 2000
KILLS = int(os.environ.get("SALLYPORT_TEST_KILLS", "25"))


@pytest.fixture(scope="module", params=[0, 1, 2])
def mode(request):
    return request.param


@pytest.fixture(scope="module")
def moded(make_server, mode):
    instance = make_server(config={"sftpd": {"upload_mode": mode}})
    instance.add_account("alice")
    instance.start()
    yield instance
    instance.stop()


@pytest.fixture
def home(moded):
    home = moded.accounts["alice"].home
    for entry in home.iterdir():
        entry.unlink()
    return home


@pytest.fixture
def link(moded, home):
    with s.transport(moded, moded.accounts["alice"]) as transport:
        yield transport


@pytest.fixture
def sftp(link):
    with paramiko.SFTPClient.from_transport(link) as client:
        yield client


def temporaries(home):
    return [entry for entry in home.iterdir() if entry.name.startswith(TEMPORARY)]


def test_until_the_end_the_old_file_is_there(sftp, home, mode):
    target = home / "f"
    target.write_bytes(OLD)
    target.chmod(0o666)
    with sftp.open("/f", "wb") as file:
        file.write(NEW)
        file.stat()  # the write has been answered
        if mode == 0:
            assert target.read_bytes() == NEW and not temporaries(home)
        else:
            assert target.read_bytes() == OLD
            assert [len(entry.name) for entry in temporaries(home)] == [len(TEMPORARY) + 20 + len(".f")]
            with sftp.open("/f", "rb") as other:
                assert other.read() == OLD
    assert target.read_bytes() == NEW and not temporaries(home)
    assert target.stat().st_mode & 0o777 == 0o666, "as if it had been written over"


def test_a_new_file_gets_its_name_at_the_end(sftp, home, mode):
    with sftp.open("/f", "wb") as file:
        file.write(NEW)
        file.stat()
        assert (home / "f").exists() == (mode == 0)
        file.chmod(0o600)
    assert (home / "f").read_bytes() == NEW and not temporaries(home)
    assert (home / "f").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("existed", [False, True])
def test_a_lost_connection(moded, home, mode, existed):
    target = home / "f"
    if existed:
        target.write_bytes(OLD)
    mark = moded.mark()
    with s.transport(moded, moded.accounts["alice"]) as link:
        file = paramiko.SFTPClient.from_transport(link).open("/f", "wb")
        file.write(NEW)
        file.stat()
        link.sock.close()
        moded.wait_log(lambda line: "interrupted" in line.get("message", ""), start=mark)
    wait_for("the temporary file to be gone", lambda: not temporaries(home))
    if mode == 1:
        assert target.read_bytes() == OLD if existed else not target.exists()
    else:
        assert target.read_bytes() == NEW, "what has arrived is kept, to be continued"


@pytest.mark.parametrize("existed", [False, True])
@pytest.mark.parametrize("mode", [2], indirect=True)
def test_a_part_replaces_nothing_that_came_meanwhile(moded, home, mode, existed):
    target = home / "f"
    if existed:
        target.write_bytes(OLD)
    mark = moded.mark()
    with s.transport(moded, moded.accounts["alice"]) as link:
        file = paramiko.SFTPClient.from_transport(link).open("/f", "wb")
        file.write(NEW[:100])
        file.stat()
        with s.session(moded, moded.accounts["alice"]) as again:
            again.write_file("/f", NEW)
        link.sock.close()
        moded.wait_log(lambda line: "another file by now" in line.get("message", ""), start=mark)
    wait_for("the temporary file to be gone", lambda: not temporaries(home))
    assert target.read_bytes() == NEW


def test_its_session_sees_an_upload_without_a_name(moded, home, link, mode):
    raw = s.subsystem(link)
    handle = raw.open("/f", s.F_WRITE | s.F_CREAT | s.F_TRUNC)
    raw.write(handle, 0, b"12345")
    raw.setstat("/f", s.Attrs(permissions=0o600))
    raw.setstat("/f", s.Attrs(size=3))
    for attrs in (raw.stat("/f"), raw.lstat("/f")):
        assert (attrs.size, attrs.permissions & 0o777) == (3, 0o600)
    with s.session(moded, moded.accounts["alice"]) as other:
        if mode != 0:
            with pytest.raises(s.StatusError) as refusal:
                other.stat("/f")
            assert refusal.value.code == s.NO_SUCH_FILE
    raw.close(handle)
    assert (home / "f").read_bytes() == b"123" and (home / "f").stat().st_mode & 0o777 == 0o600
    raw.call(s.REMOVE, s.string("/f"))
    with pytest.raises(s.StatusError) as refusal:
        raw.stat("/f")
    assert refusal.value.code == s.NO_SUCH_FILE


def test_resume(sftp, home, mode):
    target = home / "f"
    target.write_bytes(OLD)
    with sftp.open("/f", "ab") as file:
        file.write(NEW)
        file.stat()
        assert target.read_bytes() == (OLD if mode == 1 else OLD + NEW)
    assert target.read_bytes() == OLD + NEW and not temporaries(home)


def test_changing_the_middle(sftp, home):
    (home / "f").write_bytes(OLD)
    with sftp.open("/f", "r+b") as file:
        file.seek(5)
        file.write(b"XYZ")
        file.seek(0)
        assert file.read(12) == b"old cXYZent "
    assert (home / "f").read_bytes() == OLD[:5] + b"XYZ" + OLD[8:] and not temporaries(home)


def test_a_link_leads_to_the_file_that_is_replaced(sftp, home):
    (home / "f").write_bytes(OLD)
    (home / "link").symlink_to("f")
    with sftp.open("/link", "wb") as file:
        file.write(NEW)
    assert (home / "link").is_symlink() and (home / "f").read_bytes() == NEW and not temporaries(home)


def test_what_cannot_be_opened_leaves_nothing(sftp, home, link):
    (home / "f").write_bytes(OLD)
    raw = s.subsystem(link)
    for path, flags, code in (("/f", s.F_EXCL, s.FAILURE), ("/none/f", 0, s.NO_SUCH_FILE)):
        with pytest.raises(s.StatusError) as refusal:
            raw.open(path, s.F_WRITE | s.F_CREAT | flags)
        assert refusal.value.code == code
    (home / ("n" * 255)).write_bytes(OLD)
    with sftp.open("/" + "n" * 255, "wb") as file:
        file.write(NEW)
    assert (home / ("n" * 255)).read_bytes() == NEW and not temporaries(home)


def block(file, version):
    return b"%d %d;" % (file, version) * 20000


def whole(file, data):
    version = int(data.split(b";", 1)[0].split()[1])
    return data == block(file, version)


@pytest.mark.parametrize("mode", [1], indirect=True)
def test_a_killed_server_leaves_the_old_file_or_the_new_one(make_server, mode):
    files, kills = 4, KILLS
    server = make_server(config={"sftpd": {"upload_mode": mode}})
    account = server.add_account("alice")
    for number in range(files):
        (account.home / str(number)).write_bytes(block(number, 0))
    chance = random.Random(kills)
    begun = 0

    def overwrite(number, started):
        nonlocal begun
        try:
            with s.transport(server, account) as link, paramiko.SFTPClient.from_transport(link) as client:
                for version in range(1, 1000):
                    with client.open(f"/{number}", "wb") as file:
                        file.set_pipelined(True)
                        file.write(block(number, version))
                        begun += 1
                        started.set()
        except (OSError, EOFError, paramiko.SSHException):
            pass  # the server was killed
        finally:
            started.set()

    for _ in range(kills):
        server.start()
        events = [threading.Event() for _ in range(files)]
        threads = [threading.Thread(target=overwrite, args=(number, event)) for number, event in enumerate(events)]
        for thread in threads:
            thread.start()
        for event in events:
            assert event.wait(30)
        # When it dies is chance, from the first file's middle to some files later.
        threads[0].join(chance.random() * 0.1)
        server.kill()
        for thread in threads:
            thread.join()
        for number in range(files):
            assert whole(number, (account.home / str(number)).read_bytes()), f"file {number} is neither old nor new"
    assert begun > kills
    assert temporaries(account.home), "no kill has hit an upload: the test shows nothing"
