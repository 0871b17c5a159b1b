# SPDX-License-Identifier: Apache-2.0
"""SSH commands over the account's files: checksums, cd, pwd; and everything else, which is refused."""
import hashlib
import json

import paramiko
import pytest

import rawsftp as s
from util import seconds

pytestmark = pytest.mark.ours
SUMS = {"md5sum": "md5", "sha1sum": "sha1", "sha256sum": "sha256", "sha384sum": "sha384", "sha512sum": "sha512"}
DATA = b"some content " * 400_000


@pytest.fixture(scope="module")
def server(make_server):
    instance = make_server(config={"sftpd": {"enabled_ssh_commands": ["*"]}})
    instance.add_account("alice")
    record = instance.directory / "eve.json"
    record.write_text(json.dumps({"permissions": {"/": ["download"], "/seen": ["list"]},
                                  "filters": {"file_extensions": [{"path": "/", "denied_extensions": [".exe"]}]}}))
    instance.add_account("eve", options=["--json", record])
    instance.start()
    yield instance
    instance.stop()


def execute(server, name, command, data=b""):
    with s.transport(server, server.accounts[name]) as link:
        channel = link.open_session()
        channel.settimeout(seconds(20))
        channel.exec_command(command)
        channel.sendall(data)
        channel.shutdown_write()
        said = b""
        while part := channel.recv(65536):
            said += part
        return said.decode(), channel.recv_exit_status()


@pytest.mark.parametrize("command", SUMS)
def test_sums(server, home, command):
    (home / "f").write_bytes(DATA)
    (home / "with space").write_bytes(b"")
    digest = hashlib.new(SUMS[command], DATA).hexdigest()
    empty = hashlib.new(SUMS[command]).hexdigest()
    assert execute(server, "alice", f"{command} f") == (f"{digest}  /f\n", 0)
    assert execute(server, "alice", f"{command} /f '/with space'") == (f"{digest}  /f\n{empty}  /with space\n", 0)
    assert execute(server, "alice", command, DATA) == (f"{digest}  -\n", 0)
    assert execute(server, "alice", command) == (f"{empty}  -\n", 0)


def test_what_cannot_be_summed(server, home):
    (home / "d").mkdir()
    for path in ("/none", "/d"):
        said, status = execute(server, "alice", f"md5sum {path}")
        assert said.startswith(f"md5sum: {path} ") and said.endswith("\n") and status == 1 and str(home) not in said
    (home / "f").write_bytes(b"x")
    said, status = execute(server, "alice", "md5sum /none /f")
    assert status == 1 and hashlib.md5(b"x").hexdigest() + "  /f\n" in said


def test_rights(server):
    """`list` on the path itself, and no more; filters hold."""
    home = server.accounts["eve"].home
    (home / "seen").mkdir(exist_ok=True)
    for name in ("f", "seen/f", "seen/t.exe"):
        (home / name).write_bytes(b"x")
    mark = server.mark()
    assert execute(server, "eve", "md5sum /f")[1] == 1
    assert execute(server, "eve", "md5sum /seen/t.exe")[1] == 1
    assert execute(server, "eve", "md5sum /seen/f") == (f"{hashlib.md5(b'x').hexdigest()}  /seen/f\n", 0)
    line = server.wait_log(lambda l: l.get("sender") == "SSHCommand", start=mark)
    assert (line["ssh_command"], line["file_path"], line["protocol"]) == ("md5sum /seen/f", "/seen/f", "SSH")
    assert not [l for l in server.log_lines(mark) if l.get("sender") == "Download"]


def test_cd_and_pwd(server):
    assert execute(server, "alice", "pwd") == ("/\n", 0)
    assert execute(server, "alice", "cd /anywhere") == ("", 0)


@pytest.mark.parametrize("command", ["ls", "sh -c id", "", "md5sum 'open", "sftp-server", "MD5SUM /f", "/usr/bin/md5sum /f", "git", "git-shell", "git upload-pack /r", "/usr/bin/rsync --server ."])
def test_everything_else_is_refused_and_the_connection_stays(server, command):
    with s.transport(server, server.accounts["alice"]) as link:
        with pytest.raises(paramiko.SSHException):
            link.open_session().exec_command(command)
        for attempt in (lambda c: c.get_pty(), lambda c: c.invoke_shell(), lambda c: c.invoke_subsystem("netconf")):
            with pytest.raises(paramiko.SSHException):
                attempt(link.open_session())
        assert s.subsystem(link).stat("/").permissions


@pytest.mark.parametrize("enabled, works", [([], set()), (["pwd"], {"pwd"}), (["md5sum", "cd"], {"md5sum", "cd"})])
def test_the_list_means_exactly_what_it_says(make_server, enabled, works):
    server = make_server(config={"sftpd": {"enabled_ssh_commands": enabled}})
    server.add_account("alice")
    server.start()
    try:
        for command in ("md5sum", "sha1sum", "cd", "pwd", "scp -t /x"):
            if command in works:
                execute(server, "alice", command)
            else:
                with pytest.raises(paramiko.SSHException):
                    execute(server, "alice", command)
    finally:
        server.stop()
