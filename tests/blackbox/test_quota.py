# SPDX-License-Identifier: Apache-2.0
"""Quotas: refused in time, and counters that equal what is on the disk, whatever happened to it."""
import json
import random
import sqlite3
import threading

import paramiko
import pytest

import rawsftp as s
from util import on_disk, wait_for

pytestmark = pytest.mark.ours
LIMIT = 100_000


def add(server, name, **fields):
    record = server.directory / f"{name}.json"
    record.write_text(json.dumps(fields))
    return server.add_account(name, options=["--json", record])


def counters(server, name):
    with sqlite3.connect(f"file:{server.config_dir / 'sallyport.db'}?mode=ro", uri=True) as database:
        return database.execute("SELECT used_quota_size, used_quota_files FROM users WHERE username = ?", (name,)).fetchone()


def counted(server, name, *roots):
    wait_for(lambda: f"counters {counters(server, name)} to be {on_disk(*roots)}", lambda: counters(server, name) == on_disk(*roots))


@pytest.fixture(scope="module", params=[0, 1, 2], ids=["in place", "atomic", "atomic, resumable"])
def server(make_server, request):
    instance = make_server(config={"sftpd": {"upload_mode": request.param}, "data_provider": {"track_quota": 1}})
    instance.mode = request.param
    add(instance, "sized", quota_size=LIMIT)
    add(instance, "numbered", quota_files=3)
    add(instance, "free")
    add(instance, "busy", quota_size=50_000_000)
    instance.start()
    yield instance
    instance.stop()


def client(server, name):
    return s.session(server, server.accounts[name])


def put(sftp, path, size, flags=s.F_WRITE | s.F_CREAT | s.F_TRUNC):
    sftp.write_file(path, b"x" * size, flags)


@pytest.mark.parametrize("name", ["free", "busy"])
def test_every_change_is_counted(server, name):
    home = server.accounts[name].home
    with client(server, name) as sftp:
        put(sftp, "/a", 1000)
        counted(server, name, home)
        put(sftp, "/a", 300)  # overwritten by less
        put(sftp, "/b", 5000)
        put(sftp, "/empty", 0)
        counted(server, name, home)
        handle = sftp.open("/b", s.F_WRITE)  # changed in the middle, and beyond its end
        sftp.write(handle, 100, b"y" * 10)
        sftp.write(handle, 6000, b"z")
        sftp.close(handle)
        counted(server, name, home)
        handle = sftp.open("/a", s.F_WRITE | s.F_APPEND)
        sftp.write(handle, 0, b"behind")
        sftp.close(handle)
        sftp.setstat("/b", s.Attrs(size=50))
        sftp.setstat("/a", s.Attrs(size=4000))
        assert sftp.status(s.SETSTAT, s.string("/none"), s.Attrs(size=77).encode()) == s.NO_SUCH_FILE
        counted(server, name, home)
        sftp.extended("posix-rename@openssh.com", s.string("/a"), s.string("/b"))
        counted(server, name, home)
        sftp.call(s.SYMLINK, s.string("b"), s.string("/link"))
        sftp.call(s.REMOVE, s.string("/link"))
        if name == "free":  # with a limit there are none
            sftp.extended("hardlink@openssh.com", s.string("/b"), s.string("/second"))
        else:
            assert "hardlink@openssh.com" not in sftp.extensions
            put(sftp, "/second", 9)
        counted(server, name, home)
        sftp.call(s.MKDIR, s.string("/d"), s.Attrs().encode())
        sftp.call(s.RENAME, s.string("/second"), s.string("/d/second"))
        put(sftp, "/d/c", 77)
        sftp.call(s.RENAME, s.string("/d"), s.string("/e"))
        counted(server, name, home)
        source, target = sftp.open("/b", s.F_READ), sftp.open("/e/copy", s.F_WRITE | s.F_CREAT)
        sftp.extended("copy-data", s.string(source), s.u64(0), s.u64(0), s.string(target), s.u64(10))
        sftp.close(source)
        sftp.close(target)
        counted(server, name, home)
        for path in ("/b", "/empty", "/e/second", "/e/c", "/e/copy"):
            sftp.call(s.REMOVE, s.string(path))
        sftp.call(s.RMDIR, s.string("/e"))
    counted(server, name, home)
    assert counters(server, name) == (0, 0)


def test_a_file_that_is_open_is_renamed_removed_and_replaced(server):
    home = server.accounts["free"].home
    with client(server, "free") as sftp:
        for fate in ("renamed", "removed", "replaced"):
            handle = sftp.open("/open", s.F_WRITE | s.F_CREAT | s.F_TRUNC)
            sftp.write(handle, 0, b"x" * 100)
            put(sftp, "/other", 30)
            if server.mode == 0:
                if fate == "renamed":
                    sftp.call(s.RENAME, s.string("/open"), s.string("/elsewhere"))
                elif fate == "removed":
                    sftp.call(s.REMOVE, s.string("/open"))
                else:
                    sftp.extended("posix-rename@openssh.com", s.string("/other"), s.string("/open"))
            sftp.write(handle, 100, b"y" * 50)
            sftp.close(handle)
            counted(server, "free", home)
        for entry in list(home.iterdir()):
            sftp.call(s.REMOVE, s.string(entry.name))
    counted(server, "free", home)


def test_the_write_that_would_exceed_fails(server):
    home = server.accounts["sized"].home
    with client(server, "sized") as sftp:
        put(sftp, "/kept", 60_000)
        handle = sftp.open("/f", s.F_WRITE | s.F_CREAT | s.F_TRUNC)
        sftp.write(handle, 0, b"x" * 30_000)
        with pytest.raises(s.StatusError) as refusal:
            sftp.write(handle, 30_000, b"x" * 10_001)
        assert refusal.value.code == s.FAILURE and "quota" in refusal.value.text
        with pytest.raises(s.StatusError):
            sftp.close(handle)
        assert (home / "f").exists() == (server.mode != 1)
        counted(server, "sized", home)
        if (home / "f").exists():
            sftp.call(s.REMOVE, s.string("/f"))
        put(sftp, "/f", 40_000)  # to the last byte
        with pytest.raises(s.StatusError):
            put(sftp, "/g", 0)
        for path, flags in (("/kept", s.F_WRITE), ("/new", s.F_WRITE | s.F_CREAT)):
            with pytest.raises(s.StatusError):
                sftp.open(path, flags)
        with pytest.raises(s.StatusError):
            sftp.setstat("/kept", s.Attrs(size=60_001))
        with pytest.raises(s.StatusError):
            sftp.extended("hardlink@openssh.com", s.string("/f"), s.string("/g"))
        assert sorted(entry.name for entry in home.iterdir()) == ["f", "kept"]
        sftp.call(s.REMOVE, s.string("/f"))
        put(sftp, "/f", 1)
        source, target = sftp.open("/kept", s.F_READ), sftp.open("/copy", s.F_WRITE | s.F_CREAT)
        with pytest.raises(s.StatusError):
            sftp.extended("copy-data", s.string(source), s.u64(0), s.u64(0), s.string(target), s.u64(0))
        with pytest.raises(s.StatusError):
            sftp.close(target)
        for entry in list(home.iterdir()):
            sftp.call(s.REMOVE, s.string(entry.name))
    counted(server, "sized", home)


def refused(sftp, path, arrives, size):
    handle = sftp.open(path, s.F_WRITE | s.F_CREAT | s.F_TRUNC)
    sftp.write(handle, 0, b"y" * arrives)
    for request in ((s.WRITE, s.string(handle), s.u64(arrives), s.string(b"y" * size)), (s.CLOSE, s.string(handle))):
        with pytest.raises(s.StatusError):
            sftp.call(*request)


def test_what_a_refused_upload_leaves(server):
    home = server.accounts["sized"].home
    with client(server, "sized") as sftp:
        put(sftp, "/kept", 60_000)
        put(sftp, "/f", 30_000)
        mark = server.mark()
        refused(sftp, "/f", 30_000 - 1, 30_000)
        refused(sftp, "/nothing", 0, 60_000)
        assert (home / "f").stat().st_size == 30_000 - (server.mode == 0) and not (home / "nothing").exists()
        counted(server, "sized", home)
        for name in ("f", "kept"):
            sftp.call(s.REMOVE, s.string(f"/{name}"))
    counted(server, "sized", home)
    said = [f'upload "{home}/{name}" failed: the quota of {LIMIT} bytes is used up' for name in ("f", "nothing")]
    wait_for("the lines", lambda: [line["message"] for line in server.log_lines(mark) if "upload" in str(line.get("message"))] == said)


def test_overwriting_needs_room_for_what_is_added_only(server):
    home = server.accounts["sized"].home
    with client(server, "sized") as sftp:
        put(sftp, "/f", 70_000)
        put(sftp, "/f", 99_999)
        put(sftp, "/f", 10)
        put(sftp, "/g", 90_000)
        sftp.call(s.REMOVE, s.string("/f"))
        sftp.call(s.REMOVE, s.string("/g"))
    counted(server, "sized", home)


def test_what_is_on_its_way_is_no_file_for_clients(server):
    """Renaming, removing or growing a temporary would get past the counters."""
    home = server.accounts["sized"].home
    name = "/.sftpgo-upload.0123456789abcdefghij.f"
    with client(server, "sized") as sftp:
        put(sftp, "/f", 10)
        (home / name[1:]).write_bytes(b"left by a kill")
        for attempt in (lambda: put(sftp, name, 5), lambda: sftp.setstat(name, s.Attrs(size=0)),
                        lambda: sftp.call(s.RENAME, s.string(name), s.string("/g")),
                        lambda: sftp.extended("posix-rename@openssh.com", s.string("/f"), s.string(name))):
            with pytest.raises(s.StatusError) as refusal:
                attempt()
            assert refusal.value.code == s.PERMISSION_DENIED
        sftp.call(s.REMOVE, s.string(name))
        sftp.call(s.REMOVE, s.string("/f"))
    counted(server, "sized", home)


def test_uploads_side_by_side_to_one_name_leave_no_room_for_more(server):
    home = server.accounts["sized"].home
    with client(server, "sized") as sftp:
        put(sftp, "/f", 60_000)
        handles = [sftp.open("/f", s.F_WRITE | s.F_CREAT | s.F_TRUNC) for _ in range(3)]
        kept = 0
        for number, handle in enumerate(handles):
            try:
                sftp.write(handle, 0, b"x" * 60_000)
                sftp.close(handle)
                sftp.call(s.RENAME, s.string("/f"), s.string(f"/{number}"))
                kept += 1
            except s.StatusError:
                pass
        assert on_disk(home)[0] <= LIMIT and kept <= 1
        for entry in list(home.iterdir()):
            sftp.call(s.REMOVE, s.string(entry.name))
    counted(server, "sized", home)


def test_links_lead_to_one_counter(server):
    home = server.accounts["sized"].home
    with client(server, "sized") as sftp:
        put(sftp, "/f", 1000)
        sftp.call(s.SYMLINK, s.string("f"), s.string("/l"))
        handle = sftp.open("/f", s.F_WRITE)
        sftp.write(handle, 1000, b"x" * 500)
        sftp.setstat("/l", s.Attrs(size=100))
        sftp.close(handle)
        counted(server, "sized", home)
        for name in ("/l", "/f"):
            sftp.call(s.REMOVE, s.string(name))
    counted(server, "sized", home)


def test_the_number_of_files(server):
    home = server.accounts["numbered"].home
    with client(server, "numbered") as sftp:
        for name in "abc":
            put(sftp, f"/{name}", 10)
        for path in ("/d", "/e"):
            with pytest.raises(s.StatusError) as refusal:
                put(sftp, path, 1)
            assert refusal.value.code == s.FAILURE
        put(sftp, "/a", 1_000_000)  # no new file, no limit of bytes
        sftp.call(s.REMOVE, s.string("/b"))
        put(sftp, "/d", 1)
        for name in "acd":
            sftp.call(s.REMOVE, s.string(f"/{name}"))
    counted(server, "numbered", home)


def test_several_sessions_share_one_limit(server):
    account, granted = server.accounts["sized"], []

    def upload(number):
        with client(server, "sized") as sftp:
            try:
                put(sftp, f"/{number}", 40_000)
                granted.append(number)
            except s.StatusError:
                pass

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) <= 2  # side by side they may also use up the room together, and all fail
    counted(server, "sized", account.home)
    assert on_disk(account.home)[0] <= LIMIT
    with client(server, "sized") as sftp:
        for entry in list(account.home.iterdir()):
            sftp.call(s.REMOVE, s.string(entry.name))
        put(sftp, "/f", LIMIT)  # nothing is held any more
        sftp.call(s.REMOVE, s.string("/f"))


def test_two_hundred_uploads_at_once(server):
    """Overwrites, appends, removals, failures and lost connections by 20 sessions in the same 30 names."""
    account, errors = server.accounts["busy"], []

    def work(number):
        chance = random.Random(number)
        try:
            for _ in range(2):
                with s.transport(server, account) as link:
                    sftp = s.subsystem(link)
                    for _ in range(5):
                        step(sftp, f"/{chance.randrange(30)}", chance)
                    handle = sftp.open(f"/{chance.randrange(30)}", s.F_WRITE | s.F_CREAT | s.F_TRUNC)
                    sftp.write(handle, 0, b"l" * chance.randrange(5000))
                    link.sock.close()
        except Exception as error:  # noqa: BLE001 - a thread's failure is the test's
            errors.append(error)

    def step(sftp, path, chance):
        try:
            kind = chance.randrange(5)
            if kind == 0:
                sftp.call(s.REMOVE, s.string(path))
            elif kind == 1:
                sftp.extended("posix-rename@openssh.com", s.string(path), s.string(f"/{chance.randrange(30)}"))
            else:
                flags = s.F_WRITE | s.F_CREAT | (s.F_TRUNC if kind < 4 else s.F_APPEND)
                put(sftp, path, chance.randrange(100_000), flags)
        except s.StatusError:
            pass  # no such file; replaced while it was open

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    wait_for("interrupted uploads to end", lambda: not any(entry.name.startswith(".sftpgo") for entry in account.home.iterdir()))
    counted(server, "busy", account.home)
    assert on_disk(account.home)[1] > 0


def test_counters_survive_a_stop(server):
    account = server.accounts["free"]
    with client(server, "free") as sftp:
        put(sftp, "/last", 12_345)
    server.stop()
    assert counters(server, "free") == on_disk(account.home)
    server.start()


@pytest.mark.parametrize("track", [0, 2])
def test_who_is_counted(make_server, track):
    server = make_server(config={"data_provider": {"track_quota": track}})
    add(server, "limited", quota_size=10)
    add(server, "free")
    server.start()
    try:
        with client(server, "limited") as sftp:
            if track == 0:
                put(sftp, "/f", 11)
            else:
                with pytest.raises(s.StatusError):
                    put(sftp, "/f", 11)
        with client(server, "free") as sftp:
            put(sftp, "/f", 11)
    finally:
        server.stop()
    assert counters(server, "free") == (0, 0)
    assert counters(server, "limited") == ((0, 0) if track == 0 else on_disk(server.accounts["limited"].home))
    assert (track == 0) == any("is not enforced" in line.get("message", "") for line in server.log_lines())


def test_virtual_folders_count(make_server):
    server = make_server(config={"data_provider": {"track_quota": 1}})
    shared = server.directory / "shared"
    shared.mkdir()
    account = add(server, "fred", quota_size=1000, virtual_folders=[{"virtual_path": "/v", "mapped_path": str(shared)}])
    server.start()
    try:
        with client(server, "fred") as sftp:
            put(sftp, "/v/f", 700)
            put(sftp, "/f", 200)
            counted(server, "fred", account.home, shared)
            with pytest.raises(s.StatusError):
                put(sftp, "/v/g", 101)
    finally:
        server.stop()


def test_a_scan_mends_the_counters(make_server):
    server = make_server()
    shared = server.directory / "shared"
    shared.mkdir()
    account = add(server, "ada", virtual_folders=[{"virtual_path": "/v", "mapped_path": str(shared)}])
    for path, size in ((account.home / "f", 10), (account.home / "d/e/g", 200), (shared / "h", 3000), (account.home / "v/hidden", 7),
                       (account.home / ".sftpgo-upload.0123456789abcdefghij.f", 9)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    (account.home / "link").symlink_to("f")
    with sqlite3.connect(server.config_dir / "sallyport.db") as database:
        database.execute("UPDATE users SET used_quota_size = -5, used_quota_files = 99")
    assert "3 files with 3210 bytes" in server.cli("user", "scan-quota", "ada").stdout
    assert counters(server, "ada") == (3210, 3)
