# SPDX-License-Identifier: Apache-2.0
"""No path leaves a home: not by "..", not by links of anybody, not by a link swapped in mid-operation, not into a sibling
whose name begins like the home's. What lies outside is compared before and after, and its content must never be seen."""
import os
import stat
import threading
import time

import pytest

import clients
import rawsftp as s
from rawsftp import Attrs, string, u32, u64
from util import tree

SECRET = b"secret outside the home"


class Maze:
    """base/home is the account's; everything else under base is outside."""

    def __init__(self, base):
        self.base, self.home, self.outside, self.sibling = base, base / "home", base / "outside", base / "home-of-another"
        for folder in (self.home, self.outside / "dir", self.sibling):
            folder.mkdir(parents=True)
        (self.outside / "secret").write_bytes(SECRET)
        (self.outside / "dir/secret").write_bytes(SECRET)
        (self.sibling / "secret").write_bytes(SECRET)

    def snapshot(self):
        found = tree(self.outside) | {b"sibling/" + k: v for k, v in tree(self.sibling).items()} | tree_names(self.base)
        for folder in (self.outside, self.sibling, self.outside / "dir"):
            for path in [folder, *folder.iterdir()]:
                info = path.lstat()
                found[os.fsencode(path)] = (info.st_mode, info.st_uid, info.st_gid, info.st_size, info.st_mtime_ns, info.st_nlink)
        for path in (self.base, *self.base.parents):  # what ".." and "/" would reach
            info = path.lstat()
            found[os.fsencode(path)] = (info.st_mode, info.st_uid, info.st_gid)
        return found


def tree_names(base):
    return {b"base/" + os.fsencode(p.name): "" for p in base.iterdir()}


@pytest.fixture
def maze(server, tmp_path_factory):
    base = tmp_path_factory.mktemp("maze")
    name = base.name
    maze = Maze(base)
    maze.account = server.add_account(name, home=maze.home)
    before = maze.snapshot()
    yield maze
    assert maze.snapshot() == before, "something outside the home changed"


def requests_on(path):
    """Every request that could touch `path` or something under it."""
    flags = [s.F_READ, s.F_WRITE, s.F_READ | s.F_WRITE, s.F_WRITE | s.F_CREAT, s.F_WRITE | s.F_CREAT | s.F_TRUNC,
             s.F_WRITE | s.F_APPEND, s.F_WRITE | s.F_CREAT | s.F_EXCL]
    p = string(path)
    yield from ((s.OPEN, p, u32(f), u32(0)) for f in flags)
    yield from ((kind, p) for kind in (s.OPENDIR, s.RMDIR, s.STAT, s.REALPATH))
    for attrs in (Attrs(size=0), Attrs(permissions=0o777), Attrs(atime=1, mtime=1), Attrs(uid=1, gid=1)):
        yield s.SETSTAT, p, attrs.encode()
    yield s.MKDIR, p, u32(0)
    yield s.RENAME, p, string("/stolen")
    yield s.RENAME, string("/mine"), p
    yield s.SYMLINK, string("/mine"), p
    for name in ("posix-rename@openssh.com", "hardlink@openssh.com"):
        yield s.EXTENDED, string(name), p, string("/stolen-" + name[:4])
        yield s.EXTENDED, string(name), string("/mine"), p
    yield s.EXTENDED, string("statvfs@openssh.com"), p
    yield s.EXTENDED, string("lsetstat@openssh.com"), p, Attrs(atime=1, mtime=1).encode()
    yield s.REMOVE, p


def attack(maze, sftp, path, names_base=False):
    """Runs every request; whatever handle comes back is read from and written to. Nothing secret may come back, and no
    path of the server either (names_base: the client said one itself and may hear it again)."""
    for request in requests_on(path):
        if not (maze.home / "mine").exists():
            (maze.home / "mine").write_bytes(b"mine")
        kind, reply = sftp.receive(sftp.send(*request))
        answer = reply.rest
        assert SECRET not in answer, (request, answer)
        assert names_base or os.fsencode(maze.base) not in answer, (request, answer)
        if kind != s.HANDLE:
            continue
        handle = reply.string()
        for use in ((s.READ, string(handle), u64(0), u32(1000)), (s.WRITE, string(handle), u64(0), string("overwritten")),
                    (s.FSETSTAT, string(handle), Attrs(size=1, permissions=0o777).encode()), (s.READDIR, string(handle)),
                    (s.CLOSE, string(handle))):
            _, reply = sftp.receive(sftp.send(*use))
            assert SECRET not in reply.rest and b"secret" not in reply.rest, (request, use, reply.rest)


def make_links(maze):
    """Links an administrator (or an old server) left in the home."""
    links = {"abs-file": maze.outside / "secret", "abs-dir": maze.outside, "rel-file": "../outside/secret", "rel-dir": "../outside",
             "dangling": maze.outside / "new-file", "rel-dangling": "../outside/new-file2", "sibling": maze.sibling,
             "rel-sibling": "../home-of-another", "proc": "/proc/self/root", "root": "/", "up": "..", "chain": "rel-dir",
             "into-dir": "../outside/dir"}
    for name, target in links.items():
        (maze.home / name).symlink_to(target)
    return links


DOTS = ["/../outside/secret", "../outside/secret", "../../outside/secret", "/x/../../outside/secret", "/./../outside/secret",
        "//..//outside//secret", "/mine/../../outside/secret", "../home-of-another/secret", "/../home-of-another", "..", "/.."]


def test_dots(server, maze):
    with s.session(server, maze.account) as sftp:
        for path in DOTS:
            attack(maze, sftp, path)


def test_real_path_of_a_file_outside(server, maze):
    with s.session(server, maze.account) as sftp:
        attack(maze, sftp, os.fspath(maze.outside / "secret"), names_base=True)
        attack(maze, sftp, os.fspath(maze.sibling / "secret"), names_base=True)


def test_links_an_administrator_made(server, maze):
    with s.session(server, maze.account) as sftp:
        for name in make_links(maze):
            for rest in ("", "/secret", "/new", "/.", "/dir/secret", "/../outside/secret"):
                attack(maze, sftp, f"/{name}{rest}")
                if not (maze.home / name).is_symlink():
                    make_one(maze, name)


LOOKS = (s.LSTAT, s.READLINK)


def answers(sftp, maze, requests):
    """[(request, status)]; what a request takes or removes of the home's own is put back before the next."""
    for request in requests:
        if not (maze.home / "mine").exists():
            (maze.home / "mine").write_bytes(b"mine")
        yield request, sftp.status(*request)


def refused_behind(path):
    """Whatever exists there: nobody learns even that. REALPATH looks at nothing but the words."""
    yield from ((kind, string(path)) for kind in LOOKS)
    yield from (request for request in requests_on(path) if request[0] != s.REALPATH)


def refused_through(link):
    """What follows a link that is the last part of a path; what is about the link itself is its owner's right."""
    flags = [s.F_READ, s.F_WRITE, s.F_READ | s.F_WRITE, s.F_WRITE | s.F_CREAT, s.F_WRITE | s.F_CREAT | s.F_TRUNC, s.F_WRITE | s.F_APPEND]
    p = string(link)
    yield from ((s.OPEN, p, u32(f), u32(0)) for f in flags)
    yield from ((kind, p) for kind in (s.OPENDIR, s.STAT))
    for attrs in (Attrs(size=0), Attrs(permissions=0o777), Attrs(atime=1, mtime=1), Attrs(uid=1, gid=1)):
        yield s.SETSTAT, p, attrs.encode()
    yield s.EXTENDED, string("statvfs@openssh.com"), p


def refused_onto(link):
    """What would make something of that name, or through it something outside: the name is taken."""
    p = string(link)
    yield s.OPEN, p, u32(s.F_WRITE | s.F_CREAT | s.F_EXCL), u32(0)
    yield s.MKDIR, p, u32(0)
    yield s.RENAME, string("/mine"), p
    yield s.SYMLINK, string("/mine"), p
    yield s.EXTENDED, string("hardlink@openssh.com"), string("/mine"), p


def test_everything_behind_a_link_is_refused(server, maze):
    """That nothing secret comes back is not enough: times, sizes and the mere existence of what lies outside are nobody's business."""
    base = os.fspath(maze.base)
    with s.session(server, maze.account) as sftp:
        for name in make_links(maze):
            for rest in ("/secret", "/dir", "/dir/secret", "/outside", "/outside/secret", "/new", f"{base}/outside", f"{base}/outside/secret"):
                for request, status in answers(sftp, maze, refused_behind(f"/{name}{rest}")):
                    assert status == s.PERMISSION_DENIED, (name, rest, request, status)
            for request, status in answers(sftp, maze, refused_through(f"/{name}")):
                assert status == s.PERMISSION_DENIED, (name, request, status)
            for request, status in answers(sftp, maze, refused_onto(f"/{name}")):
                assert status == s.FAILURE, (name, request, status)


def test_dots_lead_to_nothing(server, maze):
    """They end at the root of the home, where there is nothing of these names."""
    with s.session(server, maze.account) as sftp:
        for path in [*DOTS, os.fspath(maze.outside / "secret"), os.fspath(maze.sibling)]:
            if os.path.basename(path) == "..":  # the root itself
                continue
            p = string(path)
            for request, status in answers(sftp, maze, [
                    *((kind, p) for kind in (*LOOKS, s.STAT, s.OPENDIR, s.REMOVE, s.RMDIR)), (s.OPEN, p, u32(s.F_READ), u32(0)),
                    (s.SETSTAT, p, Attrs(permissions=0o777).encode()), (s.RENAME, p, string("/stolen")), (s.MKDIR, string(path + "/new"), u32(0)),
                    (s.RENAME, string("/mine"), string(path + "/new")), (s.SYMLINK, string("/mine"), string(path + "/new")),
                    (s.EXTENDED, string("statvfs@openssh.com"), p), (s.EXTENDED, string("hardlink@openssh.com"), p, string("/stolen"))]):
                assert status == s.NO_SUCH_FILE, (path, request, status)
        assert [entry.name for entry in maze.home.iterdir()] == ["mine"]


def make_one(maze, name):
    """A request may rightly have removed or renamed the link itself: put it back."""
    for left in list(maze.home.iterdir()):
        if left.is_dir() and not left.is_symlink():
            left.rmdir()
        else:
            left.unlink()
    make_links(maze)
    assert (maze.home / name).is_symlink()


def test_links_the_client_made(server, maze):
    up = os.path.relpath(maze.outside / "secret", "/")
    targets = ["../outside/secret", "../outside", "/../outside", "../" * 40 + up, "/proc/self/root",
               os.fspath(maze.outside / "secret"), os.fspath(maze.outside), "../home-of-another", "../outside/new-file",
               os.fspath(maze.outside / "new-file"), "..", "/"]
    with s.session(server, maze.account) as sftp:
        for n, target in enumerate(targets):
            link = f"/link{n}"
            for rest in ("", "/secret", "/new"):
                if sftp.status(s.LSTAT, string(link)) != s.OK:
                    sftp.status(s.SYMLINK, string(target), string(link))
                attack(maze, sftp, link + rest, names_base=True)


def test_readlink_never_names_the_server(server, maze):
    make_links(maze)
    (maze.home / "inside").symlink_to(maze.home / "mine")
    with s.session(server, maze.account) as sftp:
        for entry in list(maze.home.iterdir()):
            kind, reply = sftp.receive(sftp.send(s.READLINK, string(entry.name)))
            assert os.fsencode(maze.base) not in reply.rest, (entry.name, reply.rest)


def test_an_escaping_link_can_be_removed(server, maze):
    """Unlike in the replaced system: the link itself is inside, so its owner may see and delete it."""
    make_links(maze)
    with s.session(server, maze.account) as sftp:
        for entry in list(maze.home.iterdir()):
            assert stat.S_ISLNK(sftp.lstat("/" + entry.name).permissions)
            sftp.call(s.REMOVE, string("/" + entry.name))
    assert not list(maze.home.iterdir())


def test_real_clients_cannot_leave(server, maze, tmp_path):
    make_links(maze)
    (tmp_path / "up").write_bytes(b"overwritten")
    client = clients.OpenSshSftp(server, maze.account)
    for line in ("get /abs-file", "get /rel-file", "get -r /abs-dir", "put {} /dangling", "put {} /rel-dangling", "put {} /abs-file",
                 "put {} /abs-dir/new", "rm /abs-dir/secret", "mkdir /rel-dir/new", "chmod 777 /abs-file", "get /sibling/secret"):
        client.batch(f'-lcd "{tmp_path}"', "-" + line.format(f'"{tmp_path}/up"'))
    assert SECRET not in b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())


RACE_SECONDS = 3


def race(maze, flip, work, server):
    """Flips something in the home as fast as it can while the client works for some seconds."""
    stop, rounds = threading.Event(), [0]

    def flipping():
        while not stop.is_set():
            flip()
            rounds[0] += 1
    thread = threading.Thread(target=flipping)
    thread.start()
    attempts = 0
    try:
        with s.session(server, maze.account) as sftp:
            end = time.monotonic() + RACE_SECONDS
            while time.monotonic() < end:
                work(sftp)
                attempts += 1
    finally:
        stop.set()
        thread.join()
    assert attempts > 20 and rounds[0] > 100, f"{attempts} attempts, {rounds[0]} flips: this raced nothing"


def use_all(sftp, path):
    """The requests that matter in a race, all in flight together; returns nothing, asserts that nothing secret came."""
    p = string(path)
    sent = [sftp.send(s.OPEN, p, u32(s.F_READ), u32(0)), sftp.send(s.OPEN, p, u32(s.F_WRITE | s.F_CREAT | s.F_TRUNC), u32(0)),
            sftp.send(s.SETSTAT, p, Attrs(permissions=0o777).encode()), sftp.send(s.SETSTAT, p, Attrs(size=0).encode()),
            sftp.send(s.SETSTAT, p, Attrs(atime=1, mtime=1).encode()), sftp.send(s.MKDIR, string(path + "-d"), u32(0)),
            sftp.send(s.RMDIR, string(path + "-d")), sftp.send(s.SYMLINK, string("x"), string(path + "-l")),
            sftp.send(s.REMOVE, string(path + "-l")), sftp.send(s.OPENDIR, string(os.path.dirname(path))),
            sftp.send(s.RENAME, string("/mine"), string(path + "-r")), sftp.send(s.RENAME, string(path + "-r"), string("/mine")),
            sftp.send(s.REMOVE, p)]
    for request in sent:
        kind, reply = sftp.receive(request)
        if kind != s.HANDLE:
            assert SECRET not in reply.rest
            continue
        handle = string(reply.string())
        for use in ((s.READ, handle, u64(0), u32(1000)), (s.WRITE, handle, u64(0), string("overwritten")), (s.READDIR, handle),
                    (s.CLOSE, handle)):
            _, reply = sftp.receive(sftp.send(*use))
            assert SECRET not in reply.rest


def test_directory_swapped_for_a_link(server, maze):
    home = maze.home
    (home / "mine").write_bytes(b"mine")
    (home / "x").mkdir()
    (home / "link").symlink_to(maze.outside)

    def flip():
        os.rename(home / "x", home / "dir")
        os.rename(home / "link", home / "x")
        os.rename(home / "x", home / "link")
        os.rename(home / "dir", home / "x")
    race(maze, flip, lambda sftp: use_all(sftp, "/x/secret"), server)


def test_file_swapped_for_a_link(server, maze):
    home = maze.home
    (home / "mine").write_bytes(b"mine")

    def flip():
        for make in (lambda: (home / "new").write_bytes(b"harmless"), lambda: (home / "new").symlink_to(maze.outside / "secret"),
                     lambda: (home / "new").symlink_to("../outside/secret"), lambda: (home / "new").symlink_to(maze.outside / "made")):
            make()
            os.rename(home / "new", home / "x")
    race(maze, flip, lambda sftp: use_all(sftp, "/x"), server)


def test_parent_moved_out_during_the_walk(server, maze):
    """A deep directory is moved so that ".." inside it would mean something else."""
    home = maze.home
    (home / "mine").write_bytes(b"mine")
    (home / "a/b/c").mkdir(parents=True)

    def flip():
        os.rename(home / "a/b", home / "b2")
        os.rename(home / "b2", home / "a/b")
    (home / "a/b/c/up").symlink_to("../../../outside")
    race(maze, flip, lambda sftp: use_all(sftp, "/a/b/c/up/secret"), server)
