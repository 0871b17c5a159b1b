# SPDX-License-Identifier: Apache-2.0
"""The scp protocol itself, by clients that still speak it and by hand."""
import asyncio
import json
import os
import random
import re
import threading

import asyncssh
import paramiko
import pytest

import rawsftp as s
from client_programs import Curl, OpenSshScp
from util import run, seconds, tree

pytestmark = pytest.mark.ours
NAMES = ["plain", "with space", "quo'te", 'dou"ble', "back\\slash", "*star", "ünï", "-dash", "[x]"]


@pytest.fixture(scope="module")
def server(make_server):
    instance = make_server(config={"sftpd": {"enabled_ssh_commands": ["scp", "md5sum"]}})
    instance.add_account("alice")
    record = instance.directory / "ruth.json"
    shared = instance.directory / "shared"
    shared.mkdir()
    record.write_text(json.dumps({
        "permissions": {"/": ["*"], "/readonly": ["list", "download"], "/drop": ["upload"], "/noowner": ["upload", "download", "list", "create_dirs"]},
        "filters": {"file_extensions": [{"path": "/", "denied_extensions": [".exe"]}]},
        "virtual_folders": [{"virtual_path": "/v", "mapped_path": str(shared)}], "quota_size": 5_000_000}))
    instance.add_account("ruth", options=["--json", record])
    instance.shared = shared
    instance.start()
    yield instance
    instance.stop()


@pytest.fixture
def scp(server, home):
    return OldScp(server, server.accounts["alice"])


@pytest.fixture
def ruth(server):
    account = server.accounts["ruth"]
    for name in ("readonly", "drop", "noowner"):
        (account.home / name).mkdir(exist_ok=True)
    (account.home / "readonly/r").write_text("r")
    return OldScp(server, account)


class OldScp(OpenSshScp):
    def copy(self, *words, timeout=120):
        super().copy("-O", *words, timeout=timeout)

    def fails(self, *words):
        """What it said."""
        with pytest.raises(AssertionError) as failure:
            self.copy(*words)
        return str(failure.value)


def quoted(path):
    """For the shell that old clients believe to be there."""
    return "'" + path.replace("'", "'\\''") + "'"


@pytest.mark.parametrize("size", [0, 1, 32767, 262144, 3_000_001])
def test_there_and_back(scp, home, tmp_path, size):
    data = random.Random(size).randbytes(size)
    (tmp_path / "up").write_bytes(data)
    scp.put(tmp_path / "up", "/f")
    assert (home / "f").read_bytes() == data
    scp.get("/f", tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == data


@pytest.mark.parametrize("name", NAMES)
def test_names(scp, home, tmp_path, name):
    (tmp_path / "up").write_text(name)
    scp.copy(tmp_path / "up", scp.at(quoted("/" + name)))
    assert (home / name).read_text() == name
    (tmp_path / "there").mkdir()
    # The client checks names against the pattern it asked for, without undoing our quoting: -T switches that off.
    scp.copy("-T", scp.at(quoted("/" + name)), tmp_path / "there")
    assert [entry.name for entry in (tmp_path / "there").iterdir()] == [name]


def test_several_sources(scp, home, tmp_path):
    for name in "abc":
        (tmp_path / name).write_text(name)
    (home / "d").mkdir()
    scp.copy(*(tmp_path / name for name in "abc"), scp.at("/d"))
    assert sorted(os.listdir(home / "d")) == ["a", "b", "c"]
    (tmp_path / "back").mkdir()
    scp.copy(scp.at("/d/a"), scp.at("/d/b"), tmp_path / "back")
    assert sorted(os.listdir(tmp_path / "back")) == ["a", "b"]
    (tmp_path / "one").mkdir()
    scp.copy("-T", scp.at("'/d/a' /d/c"), tmp_path / "one")
    assert sorted(os.listdir(tmp_path / "one")) == ["a", "c"]


def test_wildcards(scp, home, tmp_path):
    (home / "d").mkdir()
    for name in ("a.txt", "b.txt", ".hidden.txt", "c.log", "lit*ral"):
        (home / "d" / name).write_text(name)
    scp.copy(scp.at("/d/*.txt"), tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "b.txt"]
    scp.copy("-T", scp.at("/d/lit\\*ral"), tmp_path)
    assert (tmp_path / "lit*ral").exists()
    assert "o such file" in scp.fails(scp.at("/d/*.none"), tmp_path)


@pytest.fixture
def local_tree(tmp_path):
    root = tmp_path / "tree"
    for name in ("a", "sub/b", "sub/deep er/c"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name * 100)
    (root / "empty").mkdir()
    return root


def test_trees_into_new_and_existing_targets(scp, home, tmp_path, local_tree):
    scp.copy("-r", local_tree, scp.at("/new"))
    assert tree(home / "new") == tree(local_tree)
    (home / "old").mkdir()
    scp.copy("-r", local_tree, scp.at("/old"))
    assert tree(home / "old/tree") == tree(local_tree)
    scp.copy("-r", scp.at("/new"), tmp_path / "back")
    assert tree(tmp_path / "back") == tree(local_tree)
    (tmp_path / "all").mkdir()
    scp.copy("-r", scp.at("/"), tmp_path / "all")
    assert tree(tmp_path / "all") == tree(home)


def test_times_and_modes(scp, home, tmp_path, local_tree):
    os.chmod(local_tree / "a", 0o604)
    os.chmod(local_tree / "sub", 0o750)
    for name in ("a", "sub/b", "sub", "."):
        os.utime(local_tree / name, (1_500_000_000, 1_600_000_000))
    scp.copy("-rp", local_tree, scp.at("/t"))
    for name in ("a", "sub/b", "sub", "."):
        assert (home / "t" / name).stat().st_mtime == 1_600_000_000
        assert (home / "t" / name).stat().st_mode == (local_tree / name).stat().st_mode
    scp.copy("-r", "-p", scp.at("/t"), tmp_path / "back")
    for name in ("a", "sub/b", "sub", "."):
        assert (tmp_path / "back" / name).stat().st_mtime == 1_600_000_000
        assert (tmp_path / "back" / name).stat().st_mode == (local_tree / name).stat().st_mode
    (home / "s").write_text("setuid")
    os.chmod(home / "s", 0o4711)
    assert b"C4711 6 s\n" in by_hand(scp, "scp -f /s", b"\0")


def test_without_p_new_files_get_the_mode_less_the_umask(scp, home, tmp_path):
    (tmp_path / "f").write_text("f")
    os.chmod(tmp_path / "f", 0o777)
    scp.put(tmp_path / "f", "/f")
    assert (home / "f").stat().st_mode & 0o777 == 0o755


def test_between_two_accounts(server, scp, home, ruth):
    (home / "f").write_text("three")
    scp.copy("-3", scp.at("/f"), ruth.at("/three"))
    assert (ruth.account.home / "three").read_text() == "three"


def by_hand(scp, command, data, status=None):
    """What the server says to a client that sends `data` at once and then no more; and the exit status, when wanted."""
    with s.transport(scp.server, scp.account) as link:
        channel = link.open_session()
        channel.settimeout(seconds(20))
        channel.exec_command(command)
        channel.sendall(data)
        channel.shutdown_write()
        said = b""
        while part := channel.recv(65536):
            said += part
        if status is not None:
            assert channel.recv_exit_status() == status, said
        return said


def test_broken_conversations(scp, home):
    (home / "d").mkdir()
    for data in (b"X\n", b"C0644 1\n", b"C0644 x f\n", b"C0999 1 f\nx\0", b"C0644 1 ../f\nx\0", b"C0644 1 a/b\nx\0", b"C0644 1 ..\nx\0",
                 b"D0755 0 d\n", b"E\n", b"T1\n", b"C0644 99999999999999999999 f\n", b"C0644 10 f\nshort", b"\2bye\n", b"C" + b"9" * 20000):
        by_hand(scp, "scp -t /d", data, status=1)
    assert os.listdir(home / "d") in ([], ["f"])
    for line in ("scp", "scp -t", "scp -t 'open", "scp -t /a /b", "scp -x -t /a", "rm -rf /", "sh", "/bin/sh -c id", "scp -t /a; id > /tmp/x", ""):
        with s.transport(scp.server, scp.account) as link:
            channel = link.open_session()
            with pytest.raises(paramiko.SSHException):
                channel.exec_command(line)


def test_errors_name_the_clients_path_and_the_rest_goes_on(scp, home, tmp_path):
    (tmp_path / "f").write_text("f")
    said = scp.fails(tmp_path / "f", scp.at("/none/f"))
    assert re.search(r"/none/f: no such file", said, re.I) and str(home) not in said
    said = scp.fails(scp.at("/none"), tmp_path)
    assert re.search(r"/none: no such file", said, re.I) and str(home) not in said
    (home / "d").mkdir()
    assert "not a regular file" in scp.fails(scp.at("/d"), tmp_path)
    (home / "ok").write_text("ok")
    scp.fails("-T", scp.at("/none /ok"), tmp_path)
    assert (tmp_path / "ok").read_text() == "ok"
    scp.fails(tmp_path / "missing", scp.at("/x"))
    assert not (home / "x").exists()


def test_permissions_filters_folders_and_quota_hold(ruth, tmp_path):
    home = ruth.account.home
    (tmp_path / "f").write_text("f")
    (tmp_path / "t.exe").write_text("exe")
    (tmp_path / "big").write_bytes(b"x" * 6_000_000)
    ruth.fails(tmp_path / "f", ruth.at("/readonly/f"))
    ruth.fails(tmp_path / "t.exe", ruth.at("/t.exe"))
    assert not (home / "readonly/f").exists() and not (home / "t.exe").exists()
    ruth.put(tmp_path / "f", "/drop/f")
    ruth.fails(tmp_path / "f", ruth.at("/drop/f"))  # there is no overwrite
    ruth.fails(ruth.at("/drop/f"), tmp_path / "got")
    ruth.fails("-r", tmp_path, ruth.at("/drop/dir"))
    assert "quota" in ruth.fails(tmp_path / "big", ruth.at("/big"))
    ruth.put(tmp_path / "f", "/v/f")
    assert (ruth.server.shared / "f").read_text() == "f"
    ruth.copy("-r", ruth.at("/v"), tmp_path / "folder")
    assert (tmp_path / "folder/f").read_text() == "f"
    (home / "gone").mkdir(exist_ok=True)
    (home / "gone/secret.exe").write_text("exe")
    (home / "gone/plain").write_text("plain")
    ruth.fails("-r", ruth.at("/gone"), tmp_path / "gone")
    assert os.listdir(tmp_path / "gone") == ["plain"]


def test_no_link_leads_out(scp, home, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (home / "out").symlink_to(tmp_path / "secret")
    (home / "dir").symlink_to(tmp_path)
    scp.fails(scp.at("/out"), tmp_path / "got")
    scp.fails(scp.at("/dir/secret"), tmp_path / "got")
    (tmp_path / "f").write_text("f")
    scp.fails(tmp_path / "f", scp.at("/dir/new"))
    scp.fails(tmp_path / "f", scp.at("/out"))
    assert (tmp_path / "secret").read_text() == "secret" and not (tmp_path / "new").exists()


def test_log_lines(scp, home, server, tmp_path):
    (tmp_path / "f").write_text("12345")
    mark = server.mark()
    scp.put(tmp_path / "f", "/f")
    line = server.wait_log(lambda l: l.get("sender") == "SSHCommand", start=mark)
    assert (line["protocol"], line["file_path"], line["username"]) == ("SSH", "/f", "alice") and "-t" in line["ssh_command"]
    upload = server.wait_log(lambda l: l.get("sender") == "Upload", start=mark)
    assert (upload["protocol"], upload["size_bytes"], upload["file_path"]) == ("SCP", 5, str(home / "f"))


def test_a_client_that_goes_away(scp, home, server):
    with s.transport(server, scp.account) as link:
        channel = link.open_session()
        channel.exec_command("scp -t /f")
        assert channel.recv(1) == b"\0"
        channel.sendall(b"C0644 1000000 f\n")
        assert channel.recv(1) == b"\0"
        mark = server.mark()
        channel.sendall(b"x" * 50_000)
        link.sock.close()
        server.wait_log(lambda l: "interrupted" in l.get("message", ""), start=mark)


def test_a_client_that_reads_nothing_costs_little_memory(scp, home, server):
    with open(home / "big", "wb") as file:
        file.truncate(1 << 30)
    with s.transport(server, scp.account, default_window_size=65536) as link:
        channel = link.open_session()
        channel.exec_command("scp -f /big")
        channel.sendall(b"\0\0\0")
        # A second channel is served beside it, whatever waits in the first.
        assert s.subsystem(link).stat("/big").size == 1 << 30
        assert int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{server.pid}/status").read())[1]) < 300_000


def test_many_at_once(scp, home, tmp_path):
    data = os.urandom(2_000_000)
    (tmp_path / "f").write_bytes(data)
    threads = [threading.Thread(target=scp.put, args=(tmp_path / "f", f"/{n}")) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((home / str(n)).read_bytes() == data for n in range(8))


def test_pscp(server, scp, home, tmp_path):
    fingerprint = run(["ssh-keygen", "-lf", server.keyring.host("ed25519").with_suffix(".pub")]).stdout.split()[1]
    pscp = ["pscp", "-scp", "-batch", "-P", server.port, "-i", server.keyring.ppk(), "-hostkey", fingerprint]
    (tmp_path / "t/u").mkdir(parents=True)
    (tmp_path / "t/u/f").write_text("pscp")
    run([*pscp, "-r", "-p", tmp_path / "t", scp.at("/")], env=server.env())
    assert (home / "t/u/f").read_text() == "pscp"
    run([*pscp, scp.at("/t/u/f"), tmp_path / "got"], env=server.env())
    assert (tmp_path / "got").read_text() == "pscp"


def test_curl(server, scp, home, tmp_path):
    curl = Curl(server, scp.account)
    url = f"scp://127.0.0.1:{server.port}/f"
    (tmp_path / "f").write_bytes(b"curl" * 100_000)
    curl.curl("-T", tmp_path / "f", url)
    assert (home / "f").read_bytes() == b"curl" * 100_000
    curl.curl("-o", tmp_path / "got", url)
    assert (tmp_path / "got").read_bytes() == b"curl" * 100_000


def test_asyncssh(server, scp, home, tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t/f").write_bytes(b"asyncssh" * 50_000)

    async def work():
        async with asyncssh.connect("127.0.0.1", server.port, username="alice", known_hosts=None,
                                    client_keys=[str(scp.account.keys[0])]) as connection:
            await asyncssh.scp(str(tmp_path / "t"), (connection, "/"), recurse=True, preserve=True)
            await asyncssh.scp((connection, "/t/f"), str(tmp_path / "got"))

    asyncio.run(work())
    assert (home / "t/f").read_bytes() == (tmp_path / "got").read_bytes() == b"asyncssh" * 50_000
