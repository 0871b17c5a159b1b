# SPDX-License-Identifier: Apache-2.0
"""SFTP v3 request by request: what each one does and the exact status of each refusal (filexfer-02, OpenSSH PROTOCOL)."""
import os
import stat
import time

import pytest

import rawsftp as s
from rawsftp import Attrs, StatusError, string, u32, u64
from util import pattern

ours = pytest.mark.ours


@pytest.fixture
def sftp(server, alice, home):
    with s.session(server, alice) as session:
        yield session


def refused(code, call, *args):
    with pytest.raises(StatusError) as error:
        call(*args)
    assert error.value.code == code, f"{error.value}, wanted {code}"


# -- version

def test_version_and_extensions(sftp):
    assert sftp.version == 3
    wanted = {"posix-rename@openssh.com": "1", "statvfs@openssh.com": "2", "fstatvfs@openssh.com": "2",
              "hardlink@openssh.com": "1", "fsync@openssh.com": "1", "lsetstat@openssh.com": "1",
              "limits@openssh.com": "1", "expand-path@openssh.com": "1", "copy-data": "1", "home-directory": "1",
              "users-groups-by-id@openssh.com": "1"}
    missing = {k: v for k, v in wanted.items() if sftp.extensions.get(k) != v}
    assert not missing, f"not offered: {missing}; offered: {sftp.extensions}"


# -- OPEN, READ, WRITE, CLOSE

def test_write_read_close(sftp, home):
    data = pattern(100_000)
    sftp.write_file("/f", data)
    assert (home / "f").read_bytes() == data
    assert sftp.read_file("/f") == data


def test_read_at_and_beyond_the_end(sftp, home):
    (home / "f").write_bytes(b"0123456789")
    handle = sftp.open("/f", s.F_READ)
    assert sftp.read(handle, 8, 100) == b"89"
    refused(s.EOF, sftp.read, handle, 10, 1)
    refused(s.EOF, sftp.read, handle, 1 << 40, 32768)
    assert sftp.read(handle, 0, 4) == b"0123"
    sftp.close(handle)


def test_open_of_what_does_not_exist(sftp):
    refused(s.NO_SUCH_FILE, sftp.open, "/none", s.F_READ)
    refused(s.NO_SUCH_FILE, sftp.open, "/none/f", s.F_WRITE | s.F_CREAT)
    refused(s.NO_SUCH_FILE, sftp.open, "/none", s.F_WRITE)
    refused(s.NO_SUCH_FILE, sftp.open, "/none", s.F_READ | s.F_WRITE)


def test_open_exclusive(sftp, home):
    handle = sftp.open("/f", s.F_WRITE | s.F_CREAT | s.F_EXCL)
    sftp.write(handle, 0, b"kept")
    sftp.close(handle)
    refused(s.FAILURE, sftp.open, "/f", s.F_WRITE | s.F_CREAT | s.F_EXCL)
    (home / "dangling").symlink_to("nowhere")
    refused(s.FAILURE, sftp.open, "/dangling", s.F_WRITE | s.F_CREAT | s.F_EXCL)
    assert (home / "f").read_bytes() == b"kept" and not (home / "nowhere").exists()


def test_open_truncates_only_when_asked(sftp, home):
    (home / "f").write_bytes(b"0123456789")
    handle = sftp.open("/f", s.F_WRITE | s.F_CREAT)
    sftp.write(handle, 2, b"xx")
    sftp.close(handle)
    assert (home / "f").read_bytes() == b"01xx456789"
    sftp.close(sftp.open("/f", s.F_WRITE | s.F_CREAT | s.F_TRUNC))
    assert (home / "f").read_bytes() == b""


def test_open_append_ignores_offsets(sftp, home):
    (home / "f").write_bytes(b"start ")
    handle = sftp.open("/f", s.F_WRITE | s.F_APPEND)
    sftp.write(handle, 0, b"one ")
    sftp.write(handle, 6, b"two")
    sftp.close(handle)
    assert (home / "f").read_bytes() == b"start one two"


def test_open_read_write(sftp, home):
    handle = sftp.open("/f", s.F_READ | s.F_WRITE | s.F_CREAT | s.F_TRUNC)
    sftp.write(handle, 0, b"hello world")
    assert sftp.read(handle, 6, 5) == b"world"
    sftp.write(handle, 6, b"WORLD")
    assert sftp.read(handle, 0, 100) == b"hello WORLD"
    sftp.close(handle)


@ours
def test_read_of_a_write_handle_and_write_to_a_read_handle(sftp, home):
    (home / "f").write_bytes(b"data")
    handle = sftp.open("/f", s.F_READ)
    assert sftp.status(s.WRITE, string(handle), u64(0), string(b"x")) in (s.FAILURE, s.PERMISSION_DENIED)
    sftp.close(handle)
    handle = sftp.open("/f", s.F_WRITE)
    assert sftp.status(s.READ, string(handle), u64(0), u32(4)) in (s.FAILURE, s.PERMISSION_DENIED)
    sftp.close(handle)
    assert (home / "f").read_bytes() == b"data"


def test_open_of_a_directory(sftp, home):
    (home / "d").mkdir()
    assert sftp.status(s.OPEN, string("/d"), u32(s.F_WRITE | s.F_CREAT), u32(0)) in (s.FAILURE, s.OP_UNSUPPORTED)


@ours
def test_open_without_direction_is_refused(sftp, home):
    (home / "f").write_bytes(b"data")
    refused(s.FAILURE, sftp.open, "/f", 0)


def test_open_sets_permissions_of_a_new_file(sftp, home):
    sftp.close(sftp.open("/f", s.F_WRITE | s.F_CREAT, Attrs(permissions=0o600)))
    assert stat.S_IMODE((home / "f").stat().st_mode) == 0o600


def test_sparse_write(sftp, home):
    handle = sftp.open("/f", s.F_WRITE | s.F_CREAT)
    sftp.write(handle, 1 << 33, b"end")
    sftp.close(handle)
    assert (home / "f").stat().st_size == (1 << 33) + 3
    assert sftp.stat("/f").size == (1 << 33) + 3


# -- STAT family

def test_attributes(sftp, home):
    (home / "f").write_bytes(b"12345")
    os.chmod(home / "f", 0o4751)
    os.utime(home / "f", (1_000_000, 2_000_000))
    want = (home / "f").stat()
    for attrs in (sftp.stat("/f"), sftp.lstat("/f"), sftp.fstat(sftp.open("/f", s.F_READ))):
        assert attrs == Attrs(5, want.st_uid, want.st_gid, want.st_mode, 1_000_000, 2_000_000)
    (home / "d").mkdir()
    assert stat.S_ISDIR(sftp.stat("/d").permissions) and stat.S_ISDIR(sftp.stat("/").permissions)


def test_stat_follows_links_and_lstat_does_not(sftp, home):
    (home / "f").write_bytes(b"12345")
    (home / "link").symlink_to("f")
    (home / "dangling").symlink_to("none")
    assert stat.S_ISREG(sftp.stat("/link").permissions) and sftp.stat("/link").size == 5
    assert stat.S_ISLNK(sftp.lstat("/link").permissions)
    assert stat.S_ISLNK(sftp.lstat("/dangling").permissions)
    refused(s.NO_SUCH_FILE, sftp.stat, "/dangling")
    refused(s.NO_SUCH_FILE, sftp.stat, "/none")
    refused(s.NO_SUCH_FILE, sftp.lstat, "/none")


def test_setstat_of_everything_at_once(sftp, home):
    (home / "f").write_bytes(b"0123456789")
    owner = (home / "f").stat()
    sftp.setstat("/f", Attrs(4, owner.st_uid, owner.st_gid, 0o600, 111_111, 222_222))
    got = (home / "f").stat()
    assert (got.st_size, stat.S_IMODE(got.st_mode), got.st_atime, got.st_mtime) == (4, 0o600, 111_111, 222_222)
    assert (home / "f").read_bytes() == b"0123"


def test_setstat_grows_a_file(sftp, home):
    (home / "f").write_bytes(b"abc")
    sftp.setstat("/f", Attrs(size=10))
    assert (home / "f").read_bytes() == b"abc" + bytes(7)


def test_setstat_of_a_missing_path(sftp):
    refused(s.NO_SUCH_FILE, sftp.setstat, "/none", Attrs(permissions=0o600))
    refused(s.NO_SUCH_FILE, sftp.setstat, "/none", Attrs(atime=1, mtime=1))
    refused(s.NO_SUCH_FILE, sftp.setstat, "/none", Attrs(size=1))


@ours
def test_setstat_of_special_bits_and_directories(sftp, home):
    (home / "d").mkdir()
    sftp.setstat("/d", Attrs(permissions=0o1770, atime=5, mtime=7))
    assert stat.S_IMODE((home / "d").stat().st_mode) == 0o770  # special bits are dropped, as ever
    assert (home / "d").stat().st_mtime == 7


def test_setstat_follows_links_and_lsetstat_does_not(sftp, home):
    (home / "f").write_bytes(b"x")
    os.chmod(home / "f", 0o640)
    (home / "link").symlink_to("f")
    sftp.setstat("/link", Attrs(permissions=0o600, atime=10, mtime=20))
    assert stat.S_IMODE((home / "f").stat().st_mode) == 0o600 and (home / "f").stat().st_mtime == 20
    sftp.extended("lsetstat@openssh.com", string("/link"), Attrs(atime=30, mtime=40).encode())
    assert (home / "link").lstat().st_mtime == 40 and (home / "f").stat().st_mtime == 20


def test_fsetstat(sftp, home):
    handle = sftp.open("/f", s.F_WRITE | s.F_CREAT | s.F_TRUNC)
    sftp.write(handle, 0, b"0123456789")
    sftp.call(s.FSETSTAT, string(handle), Attrs(size=6).encode())
    sftp.call(s.FSETSTAT, string(handle), Attrs(permissions=0o604).encode())
    sftp.call(s.FSETSTAT, string(handle), Attrs(atime=1000, mtime=2000).encode())
    assert sftp.fstat(handle).size == 6
    sftp.close(handle)
    got = (home / "f").stat()
    assert (got.st_size, stat.S_IMODE(got.st_mode), got.st_mtime) == (6, 0o604, 2000)


# -- names

def test_mkdir_rmdir_remove(sftp, home):
    sftp.call(s.MKDIR, string("/d"), Attrs(permissions=0o700).encode())
    assert stat.S_IMODE((home / "d").stat().st_mode) == 0o700
    refused(s.FAILURE, sftp.call, s.MKDIR, string("/d"), u32(0))
    refused(s.NO_SUCH_FILE, sftp.call, s.MKDIR, string("/none/d"), u32(0))
    (home / "d/f").write_text("x")
    refused(s.FAILURE, sftp.call, s.RMDIR, string("/d"))
    refused(s.FAILURE, sftp.call, s.REMOVE, string("/d"))
    sftp.call(s.REMOVE, string("/d/f"))
    sftp.call(s.RMDIR, string("/d"))
    refused(s.NO_SUCH_FILE, sftp.call, s.REMOVE, string("/d/f"))
    refused(s.NO_SUCH_FILE, sftp.call, s.RMDIR, string("/d"))
    assert not list(home.iterdir())


@ours
def test_rmdir_of_a_file_and_readlink_of_no_link(sftp, home):
    (home / "f").write_text("x")
    (home / "link").symlink_to("f")
    refused(s.FAILURE, sftp.call, s.RMDIR, string("/f"))
    refused(s.FAILURE, sftp.call, s.RMDIR, string("/link"))
    refused(s.FAILURE, sftp.name, s.READLINK, "/f")
    assert (home / "f").exists()


def test_remove_takes_the_link_and_not_its_target(sftp, home):
    (home / "d").mkdir()
    (home / "f").write_text("x")
    (home / "to-dir").symlink_to("d")
    (home / "to-file").symlink_to("f")
    (home / "dangling").symlink_to("none")
    for link in ("to-dir", "to-file", "dangling"):
        sftp.call(s.REMOVE, string("/" + link))
    assert {p.name for p in home.iterdir()} == {"d", "f"}


def test_the_root_cannot_be_removed_or_renamed(sftp, home):
    for request in ((s.RMDIR, string("/")), (s.REMOVE, string("/")), (s.RENAME, string("/"), string("/x")),
                    (s.RMDIR, string("/..")), (s.SYMLINK, string("/x"), string("/"))):
        assert sftp.status(*request) in (s.PERMISSION_DENIED, s.FAILURE)
    assert home.is_dir()


def test_rename_refuses_an_existing_target_and_posix_rename_replaces_it(sftp, home):
    (home / "a").write_text("a")
    (home / "b").write_text("b")
    refused(s.FAILURE, sftp.call, s.RENAME, string("/a"), string("/b"))
    assert (home / "b").read_text() == "b" and (home / "a").exists()
    sftp.extended("posix-rename@openssh.com", string("/a"), string("/b"))
    assert (home / "b").read_text() == "a" and not (home / "a").exists()
    refused(s.NO_SUCH_FILE, sftp.call, s.RENAME, string("/a"), string("/c"))
    refused(s.NO_SUCH_FILE, sftp.extended, "posix-rename@openssh.com", string("/a"), string("/c"))
    (home / "d").mkdir()
    refused(s.FAILURE, sftp.extended, "posix-rename@openssh.com", string("/b"), string("/d"))
    sftp.call(s.RENAME, string("/d"), string("/e"))
    assert (home / "e").is_dir()


def test_realpath(sftp, home):
    (home / "a/b").mkdir(parents=True)
    for path, want in (("", "/"), (".", "/"), ("/", "/"), ("..", "/"), ("/../..", "/"), ("a", "/a"), ("/a/./b/..", "/a"),
                       ("/a//b/", "/a/b")):
        assert sftp.name(s.REALPATH, path).decode() == want, path


def test_readlink_and_symlink_use_virtual_paths(sftp, home):
    (home / "d").mkdir()
    (home / "d/f").write_text("content")
    for target, link in (("/d/f", "/abs"), ("d/f", "/rel"), ("f", "/d/near"), ("../d/f", "/d/up"), ("/none", "/dangling"),
                         ("/d", "/to-dir")):
        sftp.call(s.SYMLINK, string(target), string(link))
        assert sftp.name(s.READLINK, link).decode() == target, link
    for link in ("/abs", "/rel", "/d/near", "/d/up", "/to-dir/f", "/to-dir/near"):
        assert sftp.read_file(link) == b"content", link
    refused(s.FAILURE, sftp.call, s.SYMLINK, string("/d/f"), string("/abs"))
    refused(s.NO_SUCH_FILE, sftp.name, s.READLINK, "/none")


# -- READDIR

def test_readdir(sftp, home):
    (home / "file").write_bytes(b"12345")
    os.chmod(home / "file", 0o640)
    os.utime(home / "file", (0, time.time()))
    (home / "dir").mkdir()
    (home / "link").symlink_to("file")
    found = {name: (longname.decode(), attrs) for name, longname, attrs in sftp.entries("/") if name not in (b".", b"..")}
    assert set(found) == {b"file", b"dir", b"link"}
    longname, attrs = found[b"file"]
    assert longname.startswith("-rw-r-----") and longname.endswith(" file") and longname.split()[4] == "5"
    assert attrs.size == 5 and stat.S_ISREG(attrs.permissions)
    assert stat.S_ISLNK(found[b"link"][1].permissions) and found[b"link"][0].startswith("l")
    assert stat.S_ISDIR(found[b"dir"][1].permissions) and found[b"dir"][0].startswith("d")
    refused(s.NO_SUCH_FILE, sftp.entries, "/none")
    assert sftp.status(s.OPENDIR, string("/file")) in (s.FAILURE, s.NO_SUCH_FILE)


def test_readdir_of_20000_entries(sftp, home):
    want = {f"{i:05}-name-of-some-length".encode() for i in range(20_000)}
    for name in want:
        os.close(os.open(os.path.join(os.fsencode(home), name), os.O_CREAT | os.O_WRONLY))
    got = [name for name, _, _ in sftp.entries("/") if name not in (b".", b"..")]
    assert len(got) == 20_000 and set(got) == want


def test_readdir_keeps_saying_eof(sftp):
    handle = sftp.call(s.OPENDIR, string("/"), wanted=s.HANDLE).string()
    while sftp.status(s.READDIR, string(handle)) != s.EOF:
        pass
    assert sftp.status(s.READDIR, string(handle)) == s.EOF
    sftp.close(handle)
