# SPDX-License-Identifier: Apache-2.0
"""Files in a real S3 server: what clients see, and what is in the bucket afterwards."""
import random
import sqlite3
import stat

import pytest

import rawsftp as s
from s3 import CONTROL_NAMES, MIB, ODD_NAMES, PART, PUT, client, listing, openssh, refused
from s3 import bucket, empty, proxy, rgw, server, tls  # noqa: F401  (fixtures)
from util import pattern, wait_for

pytestmark = pytest.mark.ours


def test_openssh_puts_lists_renames_and_removes(server, empty, tmp_path):
    data = pattern(100_000)
    (tmp_path / "local").write_bytes(data)
    done = openssh(server, tmp_path, "mkdir dir", "put local dir/one", "ls -l dir", "rename dir/one dir/two", "get dir/two back", "rm dir/two",
                   "rmdir dir", "ls -la")
    assert "one" in done.stdout and "100000" in done.stdout
    assert (tmp_path / "back").read_bytes() == data
    assert empty.keys() == []


def test_odd_names_come_back_as_they_are(server, empty):
    with client(server) as sftp:
        for i, name in enumerate(ODD_NAMES):
            sftp.call(s.MKDIR, s.string(f"/{name}"), s.Attrs().encode())
            sftp.write_file(f"/{name}/{name}", pattern(i, i))
        assert sorted(listing(sftp, "/")) == sorted(ODD_NAMES)
        for i, name in enumerate(ODD_NAMES):
            assert list(listing(sftp, f"/{name}")) == [name]
            assert sftp.stat(f"/{name}/{name}").size == i
            sftp.call(s.RENAME, s.string(f"/{name}/{name}"), s.string(f"/{name}/{name} 2"))
            assert sftp.read_file(f"/{name}/{name} 2") == pattern(i, i)
    assert sorted(empty.keys()) == sorted(key for name in ODD_NAMES for key in (f"{name}/", f"{name}/{name} 2"))


def test_names_that_xml_cannot_hold(server, empty, tmp_path):
    """The store repeats them, as they are, in its answers to listings within them and to uploads in parts."""
    large = pattern(PART + 10)
    with client(server) as sftp:
        for i, name in enumerate(CONTROL_NAMES):
            sftp.call(s.MKDIR, s.string(f"/{name}"), s.Attrs().encode())
            sftp.write_file(f"/{name}/{name}", pattern(i, i))
        assert sorted(listing(sftp, "/")) == sorted(CONTROL_NAMES)
        for i, name in enumerate(CONTROL_NAMES):
            assert list(listing(sftp, f"/{name}")) == [name]
            sftp.write_file(f"/{name}/{name} large", large if i % 4 == 0 else b"small")
            sftp.call(s.RENAME, s.string(f"/{name}/{name}"), s.string(f"/{name}/{name} 2"))
            sftp.call(s.RENAME, s.string(f"/{name}"), s.string(f"/{name} moved"))
            assert listing(sftp, f"/{name} moved")[f"{name} 2"].size == i
            assert sftp.read_file(f"/{name} moved/{name} 2") == pattern(i, i)
            assert sftp.read_file(f"/{name} moved/{name} large") == (large if i % 4 == 0 else b"small")
            for file in (f"{name} 2", f"{name} large"):
                sftp.call(s.REMOVE, s.string(f"/{name} moved/{file}"))
            sftp.call(s.RMDIR, s.string(f"/{name} moved"))
        assert listing(sftp, "/") == {}
    assert empty.keys() == []


def test_a_listing_goes_on_behind_a_control_character(server, empty):
    names = [f"{number:04}\x01" for number in range(2002)]
    empty.put_quickly([f"dir\x0b/{name}" for name in names])
    with client(server) as sftp:
        assert sorted(listing(sftp, "/dir\x0b")) == names
    empty.remove([f"dir\x0b/{name}" for name in names])


def test_large_files_go_in_parts_and_are_read_anywhere(server, empty):
    data = pattern(3 * PART + 12345)
    with client(server) as sftp:
        sftp.write_file("/large.txt", data)
        info = empty.head("large.txt")
        assert info["ETag"].endswith('-4"') and info["ContentType"] == "text/plain"
        assert empty.get("large.txt") == data
        assert empty.unfinished() == []
        handle = sftp.open("/large.txt", s.F_READ)
        choose = random.Random(3)
        for _ in range(40):
            offset, length = choose.randrange(len(data)), choose.randrange(1, 40_000)
            assert sftp.read(handle, offset, length) == data[offset:offset + length]
        with pytest.raises(s.StatusError) as end:
            sftp.read(handle, len(data), 10)
        assert end.value.code == s.EOF
        sftp.close(handle)
        assert sftp.read_file("/large.txt") == data


def test_an_object_replaced_while_it_is_read_is_no_mixture(server, empty):
    with client(server) as sftp:
        empty.put("file", pattern(3 * MIB, 1))
        handle = sftp.open("/file", s.F_READ)
        assert sftp.read(handle, 0, 1000) == pattern(3 * MIB, 1)[:1000]
        empty.put("file", pattern(3 * MIB, 2))
        assert refused(sftp, s.READ, s.string(handle), s.u64(2 * MIB), s.u32(1000)) == s.FAILURE


def test_requests_that_overtake_each_other_are_put_in_order(server, empty):
    data = pattern(300_000)
    steps = [(at, data[at:at + 10_000]) for at in range(0, len(data), 10_000)]
    with client(server) as sftp:
        handle = sftp.open("/shuffled", PUT)
        random.Random(5).shuffle(steps)
        for request in [sftp.send(s.WRITE, s.string(handle), s.u64(at), s.string(part)) for at, part in steps]:
            sftp.expect(request, s.STATUS)
        sftp.close(handle)
        assert empty.get("shuffled") == data
        handle = sftp.open("/gap", PUT)
        sftp.write(handle, 10, b"behind a gap")
        assert refused(sftp, s.CLOSE, s.string(handle)) == s.FAILURE
        assert "gap" not in empty.keys()


def test_who_wants_a_new_file_replaces_none(server, empty):
    with client(server) as sftp:
        handle = sftp.open("/new", PUT | s.F_EXCL)
        sftp.write(handle, 0, b"mine")
        empty.put("new", b"another's")
        assert refused(sftp, s.CLOSE, s.string(handle)) == s.FAILURE
        assert empty.get("new") == b"another's"
        assert refused(sftp, s.OPEN, s.string("/new"), s.u32(PUT | s.F_EXCL), s.Attrs().encode()) == s.FAILURE
        handle = sftp.open("/other", PUT | s.F_EXCL)
        sftp.write(handle, 0, b"mine")
        sftp.close(handle)
        assert empty.get("other") == b"mine"


def test_an_upload_cut_off_leaves_what_was_there(server, empty):
    with client(server) as sftp:
        sftp.write_file("/kept", b"old")
    for size in (1000, 2 * PART + 1000):
        mark = server.mark()
        with client(server) as sftp:
            for path in ("/kept", "/fresh"):
                handle = sftp.open(path, PUT)
                for at in range(0, size, 200_000):
                    sftp.write(handle, at, pattern(min(200_000, size - at)))
        wait_for("both uploads to be given up", lambda: sum("interrupted" in str(line.get("message")) for line in server.log_lines(mark)) == 2)
        assert empty.get("kept") == b"old"
        assert empty.keys() == ["kept"]
        assert empty.unfinished() == []


def test_directories(server, empty):
    empty.put("implied/deep/file", b"x")
    empty.put("odd//key", b"x")
    with client(server) as sftp:
        for path in ("/implied", "/implied/deep"):
            assert stat.S_ISDIR(sftp.stat(path).permissions)
        assert sorted(listing(sftp, "/")) == ["implied", "odd"]
        assert listing(sftp, "/odd") == {}, "no path leads to a key with an empty name"
        assert refused(sftp, s.OPENDIR, s.string("/none")) == s.NO_SUCH_FILE
        assert refused(sftp, s.STAT, s.string("/impl")) == s.NO_SUCH_FILE
        assert refused(sftp, s.MKDIR, s.string("/implied"), s.Attrs().encode()) == s.FAILURE
        assert refused(sftp, s.RMDIR, s.string("/implied")) == s.FAILURE
        assert refused(sftp, s.REMOVE, s.string("/implied")) == s.FAILURE
        assert refused(sftp, s.REMOVE, s.string("/none")) == s.NO_SUCH_FILE
        with pytest.raises(s.StatusError):
            sftp.open("/implied", PUT)
        sftp.call(s.MKDIR, s.string("/made"), s.Attrs().encode())
        assert listing(sftp, "/made") == {}
        sftp.call(s.RMDIR, s.string("/made"))
    assert empty.keys() == ["implied/deep/file", "odd//key"]


def test_a_name_is_a_file_or_a_directory(server, empty):
    empty.put("file", b"x")
    empty.put("dir/file", b"x")
    with client(server) as sftp:
        for path in ("/file/below", "/dir/file/below"):
            for _ in range(2):
                assert refused(sftp, s.OPEN, s.string(path), s.u32(PUT), s.Attrs().encode()) in (s.FAILURE, s.NO_SUCH_FILE)
            assert refused(sftp, s.MKDIR, s.string(path), s.Attrs().encode()) in (s.FAILURE, s.NO_SUCH_FILE)
            assert refused(sftp, s.RENAME, s.string("/dir"), s.string("/file/dir")) in (s.FAILURE, s.NO_SUCH_FILE)
        assert empty.keys() == ["dir/file", "file"]
        sftp.write_file("/file-too", b"x")
        empty.put("file/below", b"x")  # somebody else's doing
        assert sorted(listing(sftp, "/")) == ["dir", "file", "file-too"]
        assert stat.S_ISREG(listing(sftp, "/")["file"].permissions)


def test_a_listing_goes_on_behind_any_name(server, empty):
    """A page ends after 1,000 keys: with so many names of each kind, behind one of it, too."""
    names = {f"{name.replace('/', '')} {number:03}" for name in ODD_NAMES for number in range(190)}
    empty.put_all([f"odd/{name}" for name in names] + [f"odd/{name}/deep" for name in names if name.endswith("5")], b"12")
    with client(server) as sftp:
        found = listing(sftp, "/odd")
        assert set(found) == names
        assert all(stat.S_ISREG(attrs.permissions) for attrs in found.values())


def test_a_long_listing_is_whole(server, empty):
    names = {f"file{i:05}" for i in range(1234)}
    empty.put_all([f"many/{name}" for name in names], b"12")
    with client(server) as sftp:
        found = listing(sftp, "/many")
        assert set(found) == names
        assert {attrs.size for attrs in found.values()} == {2}


def test_renames(server, empty):
    with client(server) as sftp:
        sftp.write_file("/a", b"first")
        sftp.write_file("/b", b"second")
        assert refused(sftp, s.RENAME, s.string("/a"), s.string("/b")) == s.FAILURE
        sftp.extended("posix-rename@openssh.com", s.string("/a"), s.string("/b"))
        assert (empty.keys(), empty.get("b")) == (["b"], b"first")
        for i in range(15):
            empty.put(f"tree/{i % 3}/{i}", bytes([i]))
        sftp.call(s.RENAME, s.string("/tree"), s.string("/moved"))
        assert {key: empty.get(key) for key in empty.keys("moved/")} == {f"moved/{i % 3}/{i}": bytes([i]) for i in range(15)}
        assert empty.keys("tree/") == []
        assert refused(sftp, s.RENAME, s.string("/moved"), s.string("/moved/in")) == s.FAILURE
        for i in range(21):
            empty.put(f"big/{i}")
        assert refused(sftp, s.RENAME, s.string("/big"), s.string("/bigger")) == s.OP_UNSUPPORTED
        assert (len(empty.keys("big/")), empty.keys("bigger/")) == (21, [])


def test_a_renamed_object_keeps_its_class_and_type(server, empty):
    with client(server, "cold") as sftp:
        sftp.write_file("/a.json", b"{}")
        sftp.call(s.RENAME, s.string("/a.json"), s.string("/b.bin"))
    info = empty.head("cold/b.bin")
    assert (info["StorageClass"], info["ContentType"]) == ("STANDARD_IA", "application/json")


def test_what_a_store_cannot_do(server, empty):
    with client(server) as sftp:
        sftp.write_file("/file", b"content")
        sftp.setstat("/file", s.Attrs(permissions=0o600))
        sftp.setstat("/file", s.Attrs(uid=1, gid=1))
        assert refused(sftp, s.SETSTAT, s.string("/file"), s.Attrs(atime=1, mtime=1).encode()) == s.OP_UNSUPPORTED
        assert refused(sftp, s.SETSTAT, s.string("/file"), s.Attrs(size=3).encode()) == s.OP_UNSUPPORTED
        assert refused(sftp, s.SYMLINK, s.string("file"), s.string("/link")) == s.OP_UNSUPPORTED
        for flags in (s.F_WRITE | s.F_APPEND, s.F_WRITE | s.F_CREAT | s.F_APPEND, s.F_READ | s.F_WRITE):
            assert refused(sftp, s.OPEN, s.string("/file"), s.u32(flags), s.Attrs().encode()) == s.OP_UNSUPPORTED
        handle = sftp.open("/file", s.F_WRITE)  # to be replaced, which is seen with the first write
        assert refused(sftp, s.WRITE, s.string(handle), s.u64(7), s.string(b" and more")) == s.OP_UNSUPPORTED
        assert refused(sftp, s.CLOSE, s.string(handle)) == s.OP_UNSUPPORTED
        assert refused(sftp, s.OPEN, s.string("/file"), s.u32(PUT | s.F_EXCL), s.Attrs().encode()) == s.FAILURE
        assert sftp.read_file("/file") == b"content"


def test_a_file_written_in_place_is_replaced(server, empty):
    empty.put("file", b"old content")
    with client(server) as sftp:
        handle = sftp.open("/file", s.F_WRITE | s.F_CREAT)
        sftp.write(handle, 0, b"new content, longer")
        assert empty.get("file") == b"old content"
        sftp.close(handle)
        assert empty.get("file") == b"new content, longer"
        handle = sftp.open("/file", s.F_WRITE)
        sftp.write(handle, 0, b"short")
        assert refused(sftp, s.CLOSE, s.string(handle)) == s.OP_UNSUPPORTED
        assert empty.get("file") == b"new content, longer"
        handle = sftp.open("/file", s.F_WRITE)
        sftp.write(handle, 0, b"short")
        sftp.call(s.FSETSTAT, s.string(handle), s.Attrs(size=5).encode())
        sftp.close(handle)
        assert empty.get("file") == b"short"


def counters(server, name):
    with sqlite3.connect(f"file:{server.config_dir / 'sallyport.db'}?mode=ro", uri=True) as database:
        return database.execute("SELECT used_quota_size, used_quota_files FROM users WHERE username = ?", (name,)).fetchone()


def counted(server, bucket):
    stored = [size for key, size in zip(bucket.keys("counted/"), bucket.sizes("counted/")) if not key.endswith("/")]
    wanted = (sum(stored), len(stored))
    wait_for(lambda: f"counters {counters(server, 'counted')} to be {wanted}", lambda: counters(server, "counted") == wanted)


def test_quota_follows_what_is_stored(server, empty):
    with client(server, "counted") as sftp:
        sftp.write_file("/a", b"x" * 10_000)
        counted(server, empty)
        sftp.write_file("/a", b"x" * 3_000)  # replaced by less
        sftp.write_file("/b", b"x" * 20_000)
        counted(server, empty)
        handle = sftp.open("/b", PUT)  # nothing changes before the end
        sftp.write(handle, 0, b"y" * 100)
        counted(server, empty)
        sftp.close(handle)
        counted(server, empty)
        with pytest.raises(s.StatusError):
            sftp.write_file("/toolarge", b"x" * 60_000)
        assert "counted/toolarge" not in empty.keys()
        sftp.extended("posix-rename@openssh.com", s.string("/a"), s.string("/b"))
        counted(server, empty)
        with client(server, "counted") as lost:
            lost.write(lost.open("/lost", PUT), 0, b"z" * 1000)
            lost.write(lost.open("/b", PUT), 0, b"z" * 1000)
        for name in ("c", "d", "e", "f"):
            sftp.write_file(f"/{name}", b"1")
        assert refused(sftp, s.OPEN, s.string("/g"), s.u32(PUT), s.Attrs().encode()) == s.FAILURE
        counted(server, empty)
        for name in "bcdef":
            sftp.call(s.REMOVE, s.string(f"/{name}"))
    counted(server, empty)
    assert counters(server, "counted") == (0, 0)
