# SPDX-License-Identifier: Apache-2.0
"""Rights row by row: an account that has only one right in /d, one that has all others, and where each is looked up."""
import os

import pytest

import rawsftp as s

RIGHTS = ["list", "download", "upload", "overwrite", "rename", "delete", "create_dirs", "create_symlinks", "chmod", "chown", "chtimes"]


def opening(path, flags):
    return s.OPEN, s.string(path), s.u32(flags), s.u32(0)


def attributes(path, **values):
    return s.SETSTAT, s.string(path), s.Attrs(**values).encode()


# operation: (the right it needs in /d, the request)
OPERATIONS = {
    "read": ("download", opening("/d/f", s.F_READ)),
    "write-new": ("upload", opening("/d/new", s.F_WRITE | s.F_CREAT)),
    "write-existing": ("overwrite", opening("/d/f", s.F_WRITE)),
    "truncate": ("overwrite", attributes("/d/f", size=1)),
    "opendir": ("list", (s.OPENDIR, s.string("/d"))),
    "stat": ("list", (s.STAT, s.string("/d/f"))),
    "lstat": ("list", (s.LSTAT, s.string("/d/f"))),
    "readlink": ("list", (s.READLINK, s.string("/d/link"))),
    "mkdir": ("create_dirs", (s.MKDIR, s.string("/d/made"), s.u32(0))),
    "rmdir": ("delete", (s.RMDIR, s.string("/d/sub"))),
    "remove": ("delete", (s.REMOVE, s.string("/d/f"))),
    "rename": ("rename", (s.RENAME, s.string("/d/f"), s.string("/d/g"))),
    "symlink": ("create_symlinks", (s.SYMLINK, s.string("f"), s.string("/d/other"))),
    "chmod": ("chmod", attributes("/d/f", permissions=0o600)),
    "chown": ("chown", attributes("/d/f", uid=os.getuid(), gid=os.getgid())),
    "chtimes": ("chtimes", attributes("/d/f", atime=1000, mtime=1000)),
}


def add(server, name, permissions, home=None):
    options = [word for place, rights in permissions.items() for word in ("--permissions", f"{place}={','.join(rights)}")]
    return server.add_account(name, password="", home=home, options=options)


@pytest.fixture(scope="module")
def accounts(server):
    made = {}
    for right in RIGHTS:
        made["only", right] = add(server, f"only_{right}", {"/": ["list"], "/d": [right]})
        made["without", right] = add(server, f"without_{right}", {"/": ["*"], "/d": [r for r in RIGHTS if r != right]})
    return made


def fill(home):
    (home / "d/sub").mkdir(parents=True, exist_ok=True)
    (home / "d/f").write_text("content")
    if not (home / "d/link").is_symlink():
        (home / "d/link").symlink_to("f")
    for name in ("new", "g", "other"):
        (home / "d" / name).unlink(missing_ok=True)
    if (home / "d/made").exists():
        (home / "d/made").rmdir()


def status(server, account, request):
    fill(account.home)
    with s.session(server, account) as sftp:
        return sftp.status(*request)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_needs_its_right_and_no_other(server, accounts, operation):
    right, request = OPERATIONS[operation]
    assert status(server, accounts["only", right], request) == s.OK
    assert status(server, accounts["without", right], request) == s.PERMISSION_DENIED


def test_a_refused_operation_does_nothing(server, accounts):
    for right, request in OPERATIONS.values():
        account = accounts["without", right]
        assert status(server, account, request) == s.PERMISSION_DENIED
        assert sorted(os.listdir(account.home / "d")) == ["f", "link", "sub"]
        assert (account.home / "d/f").read_text() == "content"


def test_directories_are_listed_by_their_own_entry_and_seen_by_their_parents(server):
    account = add(server, "places", {"/": ["list"], "/d": ["download"], "/d/sub": ["list"]})
    fill(account.home)
    with s.session(server, account) as sftp:
        assert sftp.status(s.STAT, s.string("/")) == s.OK
        assert sftp.status(s.STAT, s.string("/d")) == s.OK
        assert sftp.status(s.OPENDIR, s.string("/d")) == s.PERMISSION_DENIED
        assert sftp.status(s.STAT, s.string("/d/sub")) == s.PERMISSION_DENIED
        assert sftp.status(s.OPENDIR, s.string("/d/sub")) == s.OK
        assert sftp.status(s.OPENDIR, s.string("/d/sub/../sub/.")) == s.OK
        handle = sftp.open("/d/f", s.F_READ)
        assert sftp.status(s.FSTAT, s.string(handle)) == s.PERMISSION_DENIED


def test_attributes_of_a_file_by_its_own_entry_of_a_directory_by_its_parents(server):
    account = add(server, "attributes", {"/": ["*"], "/d/f": ["list"], "/d/sub": ["list"]})
    fill(account.home)
    with s.session(server, account) as sftp:
        for values in ({"permissions": 0o700}, {"uid": os.getuid(), "gid": os.getgid()}, {"atime": 1000, "mtime": 1000}):
            assert sftp.status(*attributes("/d/f", **values)) == s.PERMISSION_DENIED, values
            assert sftp.status(*attributes("/d/sub", **values)) == s.OK, values


def test_the_nearest_entry_replaces_those_above(server):
    account = add(server, "nearest", {"/": ["*"], "/d": ["list"], "/d/sub/deep": ["*"]})
    fill(account.home)
    (account.home / "d/sub/deep").mkdir()
    (account.home / "dd").mkdir()
    with s.session(server, account) as sftp:
        assert sftp.status(*opening("/d/sub/f", s.F_WRITE | s.F_CREAT)) == s.PERMISSION_DENIED
        assert sftp.status(*opening("/d/sub/deep/f", s.F_WRITE | s.F_CREAT)) == s.OK
        assert sftp.status(*opening("/dd/f", s.F_WRITE | s.F_CREAT)) == s.OK, "whole names, not prefixes"


def sides(server, name, **permissions):
    account = add(server, name, {"/": ["list"], **{f"/{place}": rights for place, rights in permissions.items()}})
    for place in ("from", "to"):
        (account.home / place).mkdir(exist_ok=True)
    (account.home / "from/f").write_text("moved")
    (account.home / "from/g").write_text("moved")
    (account.home / "to/there").write_text("there")
    return account


def rename(sftp, old, new):
    return sftp.status(s.RENAME, s.string(old), s.string(new))


def replace(sftp, old, new):
    return sftp.status(s.EXTENDED, s.string("posix-rename@openssh.com"), s.string(old), s.string(new))


def test_rename_needs_its_right_on_both_sides_and_overwrite_to_replace(server):
    for name, of_from, of_to in (("source", ["list"], ["rename"]), ("target", ["rename"], ["upload", "overwrite"])):
        with s.session(server, sides(server, f"no_{name}", **{"from": of_from, "to": of_to})) as sftp:
            assert rename(sftp, "/from/f", "/to/f") == s.PERMISSION_DENIED
            assert replace(sftp, "/from/f", "/to/f") == s.PERMISSION_DENIED
    account = sides(server, "mover", **{"from": ["rename", "overwrite"], "to": ["rename"]})
    with s.session(server, account) as sftp:
        assert rename(sftp, "/from/f", "/to/f") == s.OK
        assert replace(sftp, "/from/g", "/to/there") == s.PERMISSION_DENIED
        assert (account.home / "to/there").read_text() == "there"
    account = sides(server, "replacer", **{"from": ["rename"], "to": ["rename", "overwrite"]})
    with s.session(server, account) as sftp:
        assert rename(sftp, "/from/f", "/to/there") == s.FAILURE
        assert replace(sftp, "/from/f", "/to/there") == s.OK
        assert (account.home / "to/there").read_text() == "moved"


def test_rename_mode_1_is_the_rule_of_the_reference(make_server):
    server = make_server(config={"sftpd": {"rename_mode": 1}})
    try:
        account = sides(server, "mover", **{"from": ["list"], "to": ["rename"]})
        server.start()
        with s.session(server, account) as sftp:
            assert rename(sftp, "/from/f", "/to/f") == s.OK
            assert rename(sftp, "/from/g", "/to/there") == s.OK
            assert (account.home / "to/there").read_text() == "moved"
            assert rename(sftp, "/to/f", "/from/f") == s.PERMISSION_DENIED
            assert rename(sftp, "/", "/to/root") == s.PERMISSION_DENIED
    finally:
        server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_uid_and_gid_own_what_the_account_makes(server):
    owner = os.stat(server.config_dir)
    for name, uid, gid, expected in (("mapped", 12345, 23456, (12345, 23456)), ("half", 0, 23456, (owner.st_uid, 23456)),
                                     ("beyond", 70000, -1, (owner.st_uid, owner.st_gid))):
        account = server.add_account(name, password="", create_home=False, options=["--uid", uid, f"--gid={gid}"])
        with s.session(server, account) as sftp:
            sftp.write_file("/f", b"x")
            sftp.call(s.MKDIR, s.string("/made"), s.u32(0))
            sftp.call(s.SYMLINK, s.string("f"), s.string("/link"))
            for path in ("", "f", "made", "link"):
                info = os.lstat(account.home / path)
                assert (info.st_uid, info.st_gid) == expected, (name, path)
