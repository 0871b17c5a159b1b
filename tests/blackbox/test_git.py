# SPDX-License-Identifier: Apache-2.0
"""git's own client against its server side, started by ours: real repositories, and none that runs anything."""
import os
import shutil
import sqlite3
from contextlib import ExitStack
from pathlib import Path

import pytest

import rawsftp as s
from programs import add, children, execute, git, history, needs_views, none_left
from util import run, seconds, tree, wait_for

pytestmark = [pytest.mark.ours, needs_views]
COMMITS = 2000
EVERY_RIGHT = ["list", "download", "upload", "overwrite", "rename", "delete", "create_dirs"]


@pytest.fixture(scope="module")
def server(make_server):
    instance = make_server(config={"sftpd": {"enabled_ssh_commands": ["*"]}, "data_provider": {"track_quota": 1}})
    instance.add_account("alice")
    (instance.directory / "shared").mkdir()
    add(instance, "vera", virtual_folders=[{"virtual_path": "/v/folder", "mapped_path": str(instance.directory / "shared")}])
    add(instance, "fred", filters={"file_extensions": [{"path": "/filtered", "denied_extensions": [".exe"]}]})
    add(instance, "part", permissions={"/": EVERY_RIGHT, "/less": EVERY_RIGHT[:-1], "/x.git": ["list"], "/deep/er": []})
    add(instance, "keen", permissions={"/": ["*"], "/private": ["list"]},
        filters={"file_extensions": [{"path": "/filtered", "denied_extensions": [".exe"]}]})
    for number in range(4):
        instance.add_account(f"idle{number}")
    add(instance, "small", quota_size=200_000)
    add(instance, "owner", uid=4242, gid=4242)
    instance.start()
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def source(server):
    """A repository with a long history, on the client's side."""
    path = server.client_home / "source"
    git(server, None, "init", "-q", path)
    git(server, None, "fast-import", "--quiet", cwd=path, input=history(COMMITS))
    git(server, None, "reset", "-q", "--hard", "main", cwd=path)
    return path


def bare(account, name="r.git"):
    path = account.home / name
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    run(["git", "-c", "init.defaultBranch=main", "init", "-q", "--bare", path])
    return path


def url(server, account, path="r.git"):
    return f"{account.name}@127.0.0.1:{path}"


def test_clone_push_and_pull(server, source, tmp_path):
    alice = server.accounts["alice"]
    remote = bare(alice)
    git(server, alice, "push", "-q", url(server, alice), "main", cwd=source)
    head = git(server, None, "rev-parse", "main", cwd=source).stdout
    assert git(server, None, f"--git-dir={remote}", "-c", "safe.directory=*", "rev-parse", "main").stdout == head
    git(server, alice, "clone", "-q", url(server, alice, "/r.git"), tmp_path / "copy")
    assert git(server, None, "rev-list", "--count", "main", cwd=tmp_path / "copy").stdout.strip() == str(COMMITS)
    git(server, None, "commit", "-q", "--allow-empty", "-m", "more", cwd=tmp_path / "copy")
    git(server, alice, "push", "-q", cwd=tmp_path / "copy")
    git(server, alice, "pull", "-q", "--ff-only", url(server, alice), "main", cwd=source)
    assert git(server, None, "log", "-1", "--format=%s", cwd=source).stdout == "more\n"
    git(server, None, "reset", "-q", "--hard", head.strip(), cwd=source)
    archive = git(server, alice, "archive", f"--remote={url(server, alice)}", "main", "file1").stdout
    assert "file1" in archive
    mark = server.mark()
    git(server, alice, "ls-remote", url(server, alice))
    line = server.wait_log(lambda l: l.get("sender") == "SSHCommand", start=mark)
    assert (line["ssh_command"], line["protocol"]) == ("git-upload-pack 'r.git'", "SSH")
    none_left(server)


def test_errors_reach_the_client_without_paths_of_the_server(server, source):
    alice = server.accounts["alice"]
    said, complaint, status = execute(server, alice, "git-upload-pack '/none'")
    assert (said, complaint, status) == (b"", "git-upload-pack: /none does not exist\n", 1)
    (alice.home / "plain").mkdir(exist_ok=True)
    said, complaint, status = execute(server, alice, "git-upload-pack '/plain'")
    assert status == 128 and "not appear to be a git repository" in complaint and str(alice.home) not in complaint and said == b""
    bare(alice)
    git(server, alice, "push", "-q", url(server, alice), "main", cwd=source)
    refused = git(server, alice, "push", url(server, alice), "main~5:main", cwd=source, check=False)
    assert refused.returncode == 1 and "non-fast-forward" in refused.stderr
    for command in ("git-upload-pack", "git-upload-pack --strict /r.git", "git-receive-pack /r.git /r.git"):
        said, complaint, status = execute(server, alice, command)
        assert (said, status) == (b"", 1) and complaint.startswith(command.split()[0] + ": ")


def test_nothing_of_the_repository_runs(server, source):
    """Hooks and configuration that name programs: whoever may upload files must not get to run any."""
    alice = server.accounts["alice"]
    proof = alice.home / "proof"
    evil = alice.home / "evil.sh"
    remote = bare(alice)
    script = f"#!/bin/sh\ncat >/dev/null\ntouch {proof} /mnt/proof proof ../proof\nexit 0\n"
    names = ["pre-receive", "update", "post-receive", "post-update", "proc-receive", "reference-transaction", "push-to-checkout",
             "pre-auto-gc", "fsmonitor", "post-index-change"]
    (remote / "hooks").mkdir(exist_ok=True)
    for path in [evil] + [remote / "hooks" / name for name in names]:
        path.write_text(script)
        path.chmod(0o755)
    for name, value in (("core.hooksPath", str(remote / "hooks")), ("core.fsmonitor", str(evil)), ("core.sshCommand", str(evil)),
                        ("uploadpack.packObjectsHook", str(evil)), ("core.alternateRefsCommand", str(evil)), ("core.pager", str(evil)),
                        ("receive.procReceiveRefs", "refs/for"), ("gc.auto", "1"), ("receive.autogc", "true"),
                        ("tar.tgz.command", str(evil)), ("tar.tgz.remote", "true"), ("diff.external", str(evil))):
        git(server, None, f"--git-dir={remote}", "-c", "safe.directory=*", "config", name, value)
    git(server, alice, "push", "-q", url(server, alice), "main", cwd=source, check=False)
    git(server, alice, "push", "-q", url(server, alice), "main:refs/heads/b", cwd=source, check=False)
    git(server, alice, "ls-remote", url(server, alice), check=False)
    git(server, alice, "archive", "--format=tgz", f"--remote={url(server, alice)}", "main", check=False)
    none_left(server)
    assert not list(alice.home.rglob("proof"))
    assert git(server, None, f"--git-dir={remote}", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "rev-parse", "b").returncode == 0


def test_nothing_outside_the_home_is_read(server, source, tmp_path):
    """Links and files that name other repositories: alternates, gitdir, commondir."""
    alice = server.accounts["alice"]
    other = server.directory / "other.git"
    shutil.rmtree(other, ignore_errors=True)
    git(server, None, "clone", "-q", "--bare", source, other)
    head = git(server, None, "rev-parse", "main", cwd=source).stdout.strip()
    (alice.home / "link.git").unlink(missing_ok=True)
    (alice.home / "link.git").symlink_to(other)
    said, complaint, status = execute(server, alice, "git-upload-pack /link.git")
    assert status == 1 and "Permission denied" in complaint and said == b""
    inside = alice.home / "work"
    shutil.rmtree(inside, ignore_errors=True)
    inside.mkdir()
    (inside / ".git").write_text(f"gitdir: {other}\n")
    said, complaint, status = execute(server, alice, "git-upload-pack /work")
    assert status != 0 and head.encode() not in said
    remote = bare(alice)
    (remote / "objects/info/alternates").write_text(f"{other}/objects\n")
    (remote / "refs/heads/main").write_text(head + "\n")
    assert git(server, alice, "clone", "-q", url(server, alice), tmp_path / "copy", check=False).returncode != 0
    remote = bare(alice, "common.git")
    (remote / "commondir").write_text(f"{other}\n")
    said, complaint, status = execute(server, alice, "git-upload-pack /common.git")
    assert head.encode() not in said
    said, complaint, status = execute(server, alice, f"git-upload-pack {other}")
    assert status == 1 and head.encode() not in said


@pytest.fixture
def keen(server, source):
    """An account with a repository where it may only list, and the hash of what is in that."""
    account = server.accounts["keen"]
    for path in account.home.iterdir():
        path.unlink() if path.is_symlink() else shutil.rmtree(path)
    git(server, None, "clone", "-q", "--bare", source, account.home / "private/x.git")
    assert "Permission denied" in execute(server, account, "git-upload-pack /private/x.git")[1]
    account.head = git(server, None, "rev-parse", "main", cwd=source).stdout.strip()
    return account


@pytest.mark.parametrize("absolute", [False, True])
def test_a_gitdir_leads_to_no_other_repository(server, source, keen, absolute):
    (keen.home / "work").mkdir()
    (keen.home / "work/.git").write_text(f"gitdir: {keen.home if absolute else '..'}/private/x.git\n")
    (keen.home / "link.git").symlink_to("private/x.git")
    before = tree(keen.home / "private")
    for path in ("work", "link.git"):
        said, complaint, status = execute(server, keen, f"git-upload-pack /{path}", b"0000")
        assert status != 0 and keen.head.encode() not in said, path
        assert git(server, keen, "push", url(server, keen, path), "main~1:refs/heads/new", cwd=source, check=False).returncode != 0
    assert tree(keen.home / "private") == before


def test_no_working_tree_is_written(server, source, keen):
    for name, where in (("outside.git", "../filtered"), ("inside.git", "tree")):
        remote = bare(keen, name)
        target = remote / where
        target.mkdir(exist_ok=True)
        for key, value in (("core.bare", "false"), ("core.worktree", where), ("receive.denyCurrentBranch", "updateInstead")):
            git(server, None, f"--git-dir={remote}", "-c", "safe.directory=*", "-c", "core.bare=true", "config", key, value)
        refused = git(server, keen, "push", url(server, keen, name), "main", cwd=source, check=False)
        assert not list(target.iterdir()) and refused.returncode != 0, refused.stderr


def test_alternates_lead_to_no_other_repository(server, keen, tmp_path):
    for number, objects in enumerate(("../../private/x.git/objects", f"{keen.home}/private/x.git/objects")):
        remote = bare(keen, f"alt{number}.git")
        (remote / "objects/info/alternates").write_text(f"{objects}\n")
        (remote / "refs/heads/main").write_text(keen.head + "\n")
        assert git(server, keen, "clone", "-q", url(server, keen, f"alt{number}.git"), tmp_path / f"copy{number}", check=False).returncode != 0


@pytest.mark.parametrize("name, path, reason", [
    ("vera", "/v/folder/r.git", "unsupported"), ("vera", "/v", "unsupported"), ("vera", "/", "unsupported"),
    ("fred", "/filtered/r.git", "unsupported"), ("fred", "/", "unsupported"),
    ("part", "/less/r.git", "Permission denied"), ("part", "/x", "Permission denied"), ("part", "/deep", "Permission denied")])
def test_who_may_not(server, name, path, reason):
    for command in ("git-upload-pack", "git-receive-pack", "git-upload-archive"):
        said, complaint, status = execute(server, server.accounts[name], f"{command} '{path}'")
        assert (said, status) == (b"", 1) and complaint.startswith(f"{command}: {path} ") and reason in complaint


@pytest.mark.parametrize("name, path", [("vera", "r.git"), ("fred", "r.git"), ("part", "sub/r.git")])
def test_who_may(server, source, name, path):
    account = server.accounts[name]
    bare(account, path)
    git(server, account, "push", "-q", url(server, account, path), "main", cwd=source)


def test_quota(server, source):
    account = server.accounts["small"]
    remote = bare(account)

    def counted():
        files = [each for each in account.home.rglob("*") if each.is_file() and not each.is_symlink()]
        with sqlite3.connect(f"file:{server.config_dir / 'sallyport.db'}?mode=ro", uri=True) as database:
            row = database.execute("SELECT used_quota_size, used_quota_files FROM users WHERE username = 'small'").fetchone()
        return row == (sum(each.stat().st_size for each in files), len(files))

    git(server, account, "push", "-q", url(server, account), "main~1990:refs/heads/main", cwd=source)
    wait_for("the counters to equal what is there", counted)
    # Bytes that do not shrink.
    noise = server.client_home / "noise"
    shutil.rmtree(noise, ignore_errors=True)
    git(server, None, "init", "-q", noise)
    (noise / "f").write_bytes(os.urandom(2_000_000))
    git(server, None, "add", "f", cwd=noise)
    git(server, None, "commit", "-q", "-m", "noise", cwd=noise)
    refused = git(server, account, "push", url(server, account), "main:refs/heads/noise", cwd=noise, check=False)
    assert refused.returncode != 0 and "denying write due to space limit" in refused.stderr
    wait_for("the counters to equal what is there", counted)
    assert not (remote / "refs/heads/noise").exists()
    (account.home / "filler").write_bytes(b"x" * 300_000)
    server.cli("user", "scan-quota", "small")
    refusal = (b"", "git-receive-pack: /r.git denying write due to space limit\n", 1)
    wait_for("the account to be full", lambda: execute(server, account, "git-receive-pack /r.git", b"0000") == refusal)
    assert execute(server, account, "git-upload-pack /r.git", b"0000")[2] == 0
    (account.home / "filler").unlink()
    server.cli("user", "scan-quota", "small")


def test_uid_and_gid_own_what_comes(server, source):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    account = server.accounts["owner"]
    remote = bare(account)
    for path in [account.home, remote, *remote.rglob("*")]:
        os.chown(path, 4242, 4242)
    git(server, account, "push", "-q", url(server, account), "main", cwd=source)
    assert {path.stat().st_uid for path in remote.rglob("*")} == {4242}
    assert {path.stat().st_gid for path in remote.rglob("*")} == {4242}


def test_a_client_that_goes_away_leaves_no_process(server, source):
    alice = server.accounts["alice"]
    bare(alice)
    git(server, alice, "push", "-q", url(server, alice), "main", cwd=source)
    before = server.fd_count()
    with s.transport(server, alice) as link:
        channel = link.open_session()
        channel.settimeout(seconds(20))
        channel.exec_command("git-upload-pack /r.git")
        assert channel.recv(4)
        assert len(children(server)) == 1
    none_left(server)
    wait_for("its descriptors are gone", lambda: server.fd_count() <= before)


def test_many_idle_sessions_cost_no_worker(server, source):
    """A hundred that wait for their clients, and everything else goes on."""
    alice = server.accounts["alice"]
    bare(alice)
    git(server, alice, "push", "-q", url(server, alice), "main", cwd=source)
    channels = []

    def begin(link):
        channel = link.open_session()
        channels.append(channel)
        channel.settimeout(seconds(30))
        channel.exec_command("git-upload-pack /r.git")
        return channel

    with ExitStack() as stack:
        for number in range(4):
            account = server.accounts[f"idle{number}"]
            shutil.copytree(alice.home / "r.git", account.home / "r.git", dirs_exist_ok=True)
            for _ in range(4):
                link = stack.enter_context(s.transport(server, account))
                for _ in range(8):
                    assert begin(link).recv(4)
        assert len(children(server)) == 128
        link = stack.enter_context(s.transport(server, account))
        assert begin(link).recv_stderr(1000) == b"git-upload-pack: too many commands are running, try again later\n"
        threads = [Path(f"/proc/{server.pid}/task/{task}/comm").read_text() for task in os.listdir(f"/proc/{server.pid}/task")]
        assert sum(name.startswith("programs") for name in threads) <= 5
        assert sum(name.startswith("after-programs") for name in threads) <= 2
        git(server, alice, "ls-remote", url(server, alice))
    none_left(server)


@pytest.mark.parametrize("kind", ["pre-upload", "pre-download", "pre-delete"])
def test_who_wants_to_be_asked_is_not_passed_by(make_server, kind):
    server = make_server(config={"sftpd": {"enabled_ssh_commands": ["*"], "actions": {"execute_on": [kind], "command": "/bin/true"}}})
    alice = server.add_account("alice")
    server.start()
    bare(alice)
    for command in ("git-upload-pack /r.git", "git-receive-pack /r.git", "git-upload-archive /r.git", "rsync --server -re.LsfxCIvu . /"):
        said, complaint, status = execute(server, alice, command)
        assert (said, status) == (b"", 1) and "command unsupported for this configuration" in complaint
    server.wait_log(lambda line: kind in str(line.get("message")) and "was refused" in line["message"])
    server.stop()


def test_stop_ends_them(make_server):
    server = make_server(config={"sftpd": {"enabled_ssh_commands": ["git-upload-pack"], "drain_timeout": 1}})
    alice = server.add_account("alice")
    server.start()
    bare(alice)
    with s.transport(server, alice) as link:
        channel = link.open_session()
        channel.settimeout(seconds(20))
        channel.exec_command("git-upload-pack /r.git")
        assert channel.recv(4)
        [child] = children(server)
        server.stop()
    assert not Path(f"/proc/{child}").exists()
