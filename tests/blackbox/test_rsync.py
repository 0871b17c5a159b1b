# SPDX-License-Identifier: Apache-2.0
"""rsync's own client against its remote side, started by ours: what works, and every way out of the home that is shut."""
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

import rawsftp as s
from programs import add, children, execute, needs_views, none_left, rsync, ssh_command
from util import make_tree, on_disk, pattern, seconds, tree, wait_for

pytestmark = [pytest.mark.ours, needs_views]
SERVER = "rsync --server -logDtpre.LsfxCIvu"
SECRET = "secret of somebody else"


@pytest.fixture(scope="module")
def server(make_server):
    instance = make_server(config={"sftpd": {"enabled_ssh_commands": ["rsync"]}, "data_provider": {"track_quota": 1}})
    instance.add_account("alice")
    (instance.directory / "shared").mkdir()
    add(instance, "vera", virtual_folders=[{"virtual_path": "/v", "mapped_path": str(instance.directory / "shared")}])
    add(instance, "fred", filters={"file_extensions": [{"path": "/filtered", "denied_extensions": [".exe"]}]})
    rights = ["list", "download", "upload", "overwrite", "rename", "delete", "create_dirs"]
    add(instance, "part", permissions={"/": rights, "/less": rights[:-1]})
    add(instance, "small", quota_size=100_000)
    add(instance, "few", quota_files=3)
    add(instance, "slow", upload_bandwidth=400, download_bandwidth=400)
    add(instance, "owner", uid=4242, gid=4242)
    instance.start()
    yield instance
    instance.stop()


@pytest.fixture
def outside(server):
    """A directory beside the homes, which nobody must reach; unchanged after the test."""
    path = server.directory / "outside"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    (path / "secret").write_text(SECRET)
    (path / "secret").chmod(0o600)
    os.utime(path / "secret", (10**9, 10**9))
    yield path
    assert list(path.iterdir()) == [path / "secret"]
    status = (path / "secret").stat()
    assert (path / "secret").read_text() == SECRET and status.st_mtime == 10**9 and status.st_mode & 0o777 == 0o600


def at(account, path):
    return f"{account.name}@127.0.0.1:{path}"


def counters(server, name):
    with sqlite3.connect(f"file:{server.config_dir / 'sallyport.db'}?mode=ro", uri=True) as database:
        return database.execute("SELECT used_quota_size, used_quota_files FROM users WHERE username = ?", (name,)).fetchone()


@pytest.mark.big
def test_ten_thousand_files_twice(server, home, tmp_path):
    alice = server.accounts["alice"]
    make_tree(tmp_path / "t", 100, 100)
    rsync(server, alice, "-a", f"{tmp_path}/t", at(alice, "/"))
    assert tree(home / "t") == tree(tmp_path / "t")
    again = rsync(server, alice, "-ai", "--stats", f"{tmp_path}/t", at(alice, "/")).stdout
    assert "Number of regular files transferred: 0" in again and "file0001" not in again
    wait_for("the counters to equal what is there", lambda: counters(server, "alice") == on_disk(home))


@pytest.mark.parametrize("options", [[], ["-z"], ["--partial"], ["--inplace"], ["-c", "--delete-after"], ["--partial-dir=.part"], ["-W", "-vv"],
                                     ["--compress-level=9", "-z"], ["--bwlimit=100000"], ["--timeout=60"], ["-S"], ["-H"]])
def test_there_and_back(server, home, tmp_path, options):
    alice = server.accounts["alice"]
    make_tree(tmp_path / "t", 3, 5)
    (tmp_path / "t/big").write_bytes(pattern(2_000_000))
    (tmp_path / "t/a name 'with' \"quotes\" é").write_bytes(b"x")
    (tmp_path / "t/link").symlink_to("big")
    rsync(server, alice, "-a", *options, f"{tmp_path}/t/", at(alice, "/sub dir/"))
    assert tree(home / "sub dir") == tree(tmp_path / "t")
    rsync(server, alice, "-a", *options, at(alice, "/sub dir/"), tmp_path / "back")
    assert tree(tmp_path / "back") == tree(tmp_path / "t")
    none_left(server)


def test_delete_and_backup_and_link_dest(server, home, tmp_path):
    alice = server.accounts["alice"]
    make_tree(tmp_path / "t", 2, 3)
    rsync(server, alice, "-a", f"{tmp_path}/t/", at(alice, "day1"))
    rsync(server, alice, "-a", "--link-dest=../day1", f"{tmp_path}/t/", at(alice, "day2"))
    rsync(server, alice, "-a", "--link-dest=/day1", f"{tmp_path}/t/", at(alice, "deep/day3"), "--mkpath")
    for copy in ("day2", "deep/day3"):
        assert (home / copy / "dir001/file0001.txt").stat().st_ino == (home / "day1/dir001/file0001.txt").stat().st_ino
    (tmp_path / "t/dir001/file0001.txt").unlink()
    (tmp_path / "t/dir001/file0002.txt").write_text("changed")
    rsync(server, alice, "-a", "--delete", "--backup", "--backup-dir=/old", f"{tmp_path}/t/", at(alice, "day1"))
    assert tree(home / "day1") == tree(tmp_path / "t")
    assert (home / "old/dir001/file0001.txt").exists() and (home / "old/dir001/file0002.txt").exists()


def test_exit_codes_and_texts(server, home):
    alice = server.accounts["alice"]
    missing = rsync(server, alice, "-a", at(alice, "/none"), "x", check=False)
    assert missing.returncode == 23 and "none" in missing.stderr and str(home) not in missing.stderr
    refused = rsync(server, alice, "-a", "-M--log-file=/x", at(alice, "/"), "x", check=False)
    assert "rsync: the option --log-file=/x is not allowed here" in refused.stderr
    assert execute(server, alice, SERVER + " . /x", b"nonsense", eof=True)[2] not in (0, -1)


def test_what_comes_belongs_to_the_account_and_is_harmless(server, home, tmp_path):
    alice = server.accounts["alice"]
    (tmp_path / "tool").write_text("x")
    (tmp_path / "tool").chmod(0o6755)
    if os.geteuid() == 0:
        os.chown(tmp_path / "tool", 1234, 1234)
        os.mknod(tmp_path / "null", 0o20666, os.makedev(1, 3))
    rsync(server, alice, "-a", f"{tmp_path}/", at(alice, "/in/"), check=False)
    status = (home / "in/tool").stat()
    assert status.st_mode & 0o7777 == 0o755 and status.st_uid == os.geteuid()
    assert not (home / "in/null").exists()


def test_uid_and_gid(server, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    account = server.accounts["owner"]
    os.chown(account.home, 4242, 4242)
    (tmp_path / "f").write_text("x")
    rsync(server, account, "-a", f"{tmp_path}/f", at(account, "/f"))
    assert (account.home / "f").stat().st_uid == (account.home / "f").stat().st_gid == 4242


def test_links(server, home, tmp_path, outside):
    """With create_symlinks only those that stay inside arrive; without it none works."""
    (tmp_path / "t").mkdir()
    (tmp_path / "t/f").write_text("x")
    for name, target in (("good", "f"), ("absolute", str(outside)), ("climbing", "../../outside/secret")):
        (tmp_path / "t" / name).symlink_to(target)
    alice, part = server.accounts["alice"], server.accounts["part"]
    rsync(server, alice, "-a", f"{tmp_path}/t", at(alice, "/"))
    assert os.readlink(home / "t/good") == "f" and not (home / "t/absolute").is_symlink() and not (home / "t/climbing").is_symlink()
    rsync(server, part, "-a", f"{tmp_path}/t", at(part, "/in/"))
    for name in ("good", "absolute", "climbing"):
        assert os.readlink(part.home / "in/t" / name).startswith("/rsyncd-munged/")
    rsync(server, part, "-a", at(part, "/in/t"), tmp_path / "back")
    assert os.readlink(tmp_path / "back/t/good") == "f"


def content(root):
    """All that the files below `root` hold, links aside."""
    files = [Path(parent, name) for parent, _, names in os.walk(root) for name in names] + [Path(root)]
    return "".join(path.read_text() for path in files if path.is_file() and not path.is_symlink())


@pytest.fixture
def laid(home, outside):
    """A home in which links lead out already."""
    (home / "dirlink").symlink_to(outside)
    (home / "d").mkdir()
    (home / "d/filelink").symlink_to(outside / "secret")
    (home / "d/uplink").symlink_to("../../../outside")
    return home


@pytest.mark.parametrize("path", ["/dirlink/", "/dirlink/secret", "/d/filelink", "/d/uplink/"])
def test_no_link_leads_out_by_the_path(server, laid, tmp_path, path):
    alice = server.accounts["alice"]
    down = rsync(server, alice, "-aL", at(alice, path), tmp_path / "got", check=False)
    assert down.returncode != 0 and "Permission denied" in down.stderr
    (tmp_path / "secret").write_text("overwritten")
    assert rsync(server, alice, "-a", tmp_path / "secret", at(alice, path), check=False).returncode != 0
    assert SECRET not in content(tmp_path / "got")


@pytest.mark.parametrize("options", [["-aL"], ["-ak"], ["-a", "--copy-unsafe-links"], ["-rLR"], ["-aRk"]])
def test_no_link_is_followed_out_to_read(server, laid, tmp_path, options):
    alice = server.accounts["alice"]
    rsync(server, alice, *options, at(alice, "/"), tmp_path / "got", check=False)
    assert SECRET not in content(tmp_path / "got")


@pytest.mark.parametrize("options", [["-a"], ["-rR"], ["-a", "--inplace"], ["-a", "--append"], ["-aI", "--existing"], ["-a", "--delete"]])
def test_no_link_is_followed_out_to_write(server, laid, tmp_path, options):
    alice = server.accounts["alice"]
    for name in ("dirlink", "d/uplink"):
        (tmp_path / "t" / name).mkdir(parents=True)
        (tmp_path / "t" / name / "secret").write_text("overwritten")
        (tmp_path / "t" / name / "secret").chmod(0o777)
    (tmp_path / "t/d/filelink").write_text("overwritten")
    rsync(server, alice, *options, f"{tmp_path}/t/", at(alice, "/"), check=False)


@pytest.mark.parametrize("option", [
    "--daemon", "--config=/etc/rsyncd.conf", "-e sh", "--rsh=sh", "--log-file=/tmp/x", "--write-batch=/tmp/x", "--read-batch=/tmp/x",
    "--only-write-batch=/tmp/x", "--files-from=-", "--files-from=/etc/passwd", "-s", "-K", "--no-implied-dirs", "--super", "--copy-devices",
    "--remote-option=--daemon", "-M--daemon", "--partial-dir=../../x", "--temp-dir=../x", "--backup-dir ../x", "--link-dest=../x",
    "--copy-dest=a/../../x", "--compare-dest=..", "--password-file=/etc/passwd", "--fake-super", "--chmod=u+s"])
def test_refused_options(server, home, option):
    for command in (f"{SERVER} {option} . /", f"rsync --server --sender -logDtpre.LsfxCIvu {option} . /"):
        said, complaint, status = execute(server, server.accounts["alice"], command)
        assert (said, status) == (b"", 1) and complaint.startswith("rsync: "), complaint
    assert not list(home.iterdir()) and not children(server)


def test_absolute_paths_and_dots_start_at_the_home(server, home, tmp_path, outside):
    alice = server.accounts["alice"]
    (home / "f").write_text("mine")
    for path in ("/../f", "../../f", "/./f", "//f"):
        rsync(server, alice, "-a", at(alice, path), tmp_path / "got")
        assert (tmp_path / "got").read_text() == "mine"
    assert rsync(server, alice, "-a", at(alice, outside / "secret"), tmp_path / "none", check=False).returncode == 23
    for option in ("--link-dest", "--copy-dest"):
        rsync(server, alice, "-a", f"{option}={outside}", tmp_path / "got", at(alice, "/sub/"), check=False)
    rsync(server, alice, "-a", "--temp-dir=/", tmp_path / "got", at(alice, "/sub/"))
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("name, path, reason", [("vera", "/", "unsupported"), ("vera", "/v", "unsupported"), ("vera", "/d", "unsupported"),
                                                ("fred", "/d", "unsupported"), ("part", "/less", "Permission denied"),
                                                ("part", "/", "Permission denied")])
def test_who_may_not(server, name, path, reason):
    for direction in ("", "--sender "):
        said, complaint, status = execute(server, server.accounts[name], f"rsync --server {direction}-re.LsfxCIvu . {path}")
        assert (said, status) == (b"", 1) and complaint.startswith(f"rsync: {path} ") and reason in complaint


def test_quota(server, tmp_path):
    small, few = server.accounts["small"], server.accounts["few"]
    (tmp_path / "f").write_bytes(os.urandom(60_000))
    (tmp_path / "g").write_bytes(os.urandom(60_000))
    rsync(server, small, "-a", tmp_path / "f", at(small, "/"))
    wait_for("the counters to equal what is there", lambda: counters(server, "small") == (60_000, 1))
    refused = rsync(server, small, "-a", tmp_path / "g", at(small, "/"), check=False)
    assert refused.returncode != 0 and "denying write due to space limit" in refused.stderr
    none_left(server)
    assert not (small.home / "g").exists()
    wait_for("the counters to equal what is there", lambda: counters(server, "small") == on_disk(small.home))
    rsync(server, small, "-a", at(small, "/f"), tmp_path / "back")
    make_tree(tmp_path / "t", 1, 3)
    rsync(server, few, "-a", f"{tmp_path}/t/", at(few, "/"))
    wait_for("the counters to equal what is there", lambda: counters(server, "few")[1] == 3)
    assert rsync(server, few, "-a", tmp_path / "f", at(few, "/"), check=False).returncode != 0
    rsync(server, few, "-a", at(few, "/"), tmp_path / "all")


def test_bandwidth(server, tmp_path):
    slow = server.accounts["slow"]
    (tmp_path / "f").write_bytes(os.urandom(600_000))
    for source, target in ((tmp_path / "f", at(slow, "/")), (at(slow, "/f"), tmp_path / "back")):
        begun = time.monotonic()
        rsync(server, slow, "-a", source, target)
        assert 1.0 < time.monotonic() - begun < seconds(30)


def test_killed_in_the_middle(server, home):
    """A client that goes away before it sends its list: no process, no descriptor stays."""
    alice = server.accounts["alice"]
    before = server.fd_count()
    with s.transport(server, alice) as link:
        channel = link.open_session()
        channel.settimeout(seconds(20))
        channel.exec_command(SERVER + " . /")
        channel.sendall(b"\x1f\x00\x00\x00")
        assert channel.recv(4)
        assert children(server)
    none_left(server)
    wait_for("its descriptors are gone", lambda: server.fd_count() <= before)


def test_a_client_killed_halfway(server, home, tmp_path):
    """Some files are there, and counted; no process, no descriptor stays."""
    alice = server.accounts["alice"]
    rsync(server, alice, "-a", at(alice, "/"), tmp_path / "first")  # what the first program opens stays
    before = server.fd_count()
    make_tree(tmp_path / "t", 5, 20)
    for number in range(20):
        (tmp_path / f"t/big{number:02}").write_bytes(os.urandom(200_000))
    client = subprocess.Popen(["rsync", "-a", "--bwlimit=1000", "-e", ssh_command(server, alice), f"{tmp_path}/t", at(alice, "/")],
                              env=server.env(), start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        wait_for("some files to have arrived", lambda: (home / "t/big02").exists())
        assert client.poll() is None
    finally:
        os.killpg(client.pid, signal.SIGKILL)
        client.wait()
    none_left(server)
    wait_for("its descriptors are gone", lambda: server.fd_count() <= before)
    size, count = on_disk(home)
    assert 3 <= count < 120 and size > 0
    wait_for("the counters to equal what is there", lambda: counters(server, "alice") == on_disk(home))


def test_what_is_removed_after_reading_is_counted(server, home, tmp_path):
    alice = server.accounts["alice"]
    make_tree(tmp_path / "t", 2, 5)
    rsync(server, alice, "-a", f"{tmp_path}/t", at(alice, "/"))
    wait_for("the counters to equal what is there", lambda: counters(server, "alice") == on_disk(home) != (0, 0))
    rsync(server, alice, "-a", "--remove-source-files", at(alice, "/t"), tmp_path / "got")
    assert on_disk(home) == (0, 0)
    wait_for("the counters to equal what is there", lambda: counters(server, "alice") == (0, 0))


def test_nothing_runs_without_a_view_of_its_own(make_server):
    """As root in a container often is: Landlock alone would let modes and times of others' files be changed."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    server = make_server(config={"sftpd": {"enabled_ssh_commands": ["*"]}}, wrapper=["setpriv", "--bounding-set=-sys_admin"])
    alice = server.add_account("alice")
    server.start()
    (alice.home / "r.git").mkdir()
    for command in (SERVER + " . /", "rsync --server --sender -re.LsfxCIvu . /", "git-receive-pack /r.git", "git-upload-pack /r.git"):
        name = command.split()[0]
        assert execute(server, alice, command) == (b"", f"{name}: command unsupported for this configuration\n", 1)
    server.wait_log(lambda line: "a view of the file system of its own" in str(line.get("message")))
    server.stop()


def test_a_server_without_roots_rights(make_server, tmp_path):
    """A name space of users takes root's place; readable for all is what lies outside. Nobody is served as somebody else."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    server = make_server(config={"sftpd": {"enabled_ssh_commands": ["*"]}},
                         wrapper=["setpriv", "--reuid=4242", "--regid=4242", "--clear-groups"])
    alice = server.add_account("alice")
    other, same = add(server, "other", uid=4243, gid=4243), add(server, "same", uid=4242, gid=4242)
    secret = server.directory / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o666)
    (alice.home / "link").symlink_to(secret)
    (alice.home / "dirlink").symlink_to(server.directory)
    for parent, directories, files in os.walk(server.directory):
        for name in [".", *directories, *files]:
            os.lchown(os.path.join(parent, name), 4242, 4242)
    server.start()
    try:
        make_tree(tmp_path / "t", 2, 5)
        rsync(server, alice, "-a", f"{tmp_path}/t", at(alice, "/"))
        assert tree(alice.home / "t") == tree(tmp_path / "t")
        rsync(server, alice, "-aL", at(alice, "/"), tmp_path / "got", check=False)
        assert tree(tmp_path / "got/t") == tree(tmp_path / "t") and SECRET not in content(tmp_path / "got")
        (tmp_path / "u/dirlink").mkdir(parents=True)
        (tmp_path / "u/dirlink/secret").write_text("overwritten")
        rsync(server, alice, "-rR", "--inplace", f"{tmp_path}/u/./dirlink/secret", at(alice, "/"), check=False)
        assert execute(server, other, SERVER + " . /") == (b"", "rsync: command unsupported for this configuration\n", 1)
        server.wait_log(lambda line: "becoming the account's uid and gid" in str(line.get("message")))
        rsync(server, same, "-a", f"{tmp_path}/t", at(same, "/"))
        missing = rsync(server, alice, "-a", at(alice, "/none"), "x", check=False)
        assert missing.returncode == 23 and str(server.directory) not in missing.stderr
        assert secret.read_text() == SECRET
    finally:
        server.stop()
