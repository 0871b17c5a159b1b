# SPDX-License-Identifier: Apache-2.0
"""The operator's log: one JSON object per line, with the fields and the order that existing parsers know."""
import json
import os
import re

import pytest

import clients
import rawsftp as s
from rawsftp import Attrs, string, u32, u64

APP = ["level", "time", "sender", "connection_id", "message"]
TRANSFER = ["level", "time", "sender", "elapsed_ms", "size_bytes", "username", "file_path", "connection_id", "protocol"]
COMMAND = ["level", "time", "sender", "username", "file_path", "target_path", "filemode", "uid", "gid", "access_time",
           "modification_time", "ssh_command", "connection_id", "protocol"]
FAILED = ["level", "time", "sender", "client_ip", "username", "login_type", "error"]
COMMANDS = {"Rename", "Rmdir", "Mkdir", "Symlink", "Remove", "Chmod", "Chown", "Chtimes", "SSHCommand"}


@pytest.fixture
def logged(server, alice, home):
    """logged(action) runs action(sftp) on a fresh connection; gives the command and transfer lines that it caused."""
    def act(action, count=1):
        mark = server.mark()
        with s.session(server, alice) as sftp:
            action(sftp)
        lines = []

        def enough(_):
            lines[:] = [l for l in server.log_lines(mark) if l["sender"] in COMMANDS | {"Upload", "Download"}]
            return len(lines) >= count
        server.wait_log(enough, start=mark)
        assert len(lines) == count, lines
        return lines if count > 1 else lines[0]
    return act


def test_every_line_has_a_known_shape(server, alice, home):
    """After a bit of everything, also with names that need escaping."""
    with s.session(server, alice) as sftp:
        for name in ('/quo"te', "/back\\slash", "/new\nline", "/tab\t", "/\x01", "/é", b"/not-utf8-\xff\xfe", "/<&>"):
            sftp.write_file(name, b"x")
            sftp.read_file(name)
            sftp.call(s.REMOVE, string(name))
    client = clients.Paramiko(server, alice, login="password")
    client.list("/")
    alice.password, right = "wrong\n\"", alice.password
    with pytest.raises(Exception):
        client.list("/")
    alice.password = right
    server.wait_log(lambda l: l["sender"] == "connection_failed")
    shapes = {tuple(APP), tuple(TRANSFER), tuple(COMMAND), tuple(FAILED)}
    for text in server.log_text().splitlines():
        line = json.loads(text)
        assert tuple(line) in shapes, text
        assert line["level"] in ("debug", "info", "warn", "error")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}", line["time"])


def test_names_cannot_forge_lines(server):
    """A client chooses names; it must not be able to forge lines."""
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", server.log_text())


@pytest.mark.parametrize("size", [0, 100_000])
def test_upload_and_download(logged, home, alice, size):
    data = os.urandom(size)
    line = logged(lambda sftp: sftp.write_file("/sub dir f", data))
    assert list(line) == TRANSFER
    assert (line["level"], line["sender"], line["size_bytes"], line["username"], line["file_path"], line["protocol"]) == \
           ("info", "Upload", size, alice.name, str(home / "sub dir f"), "SFTP")
    assert line["elapsed_ms"] >= 0 and line["connection_id"]
    line = logged(lambda sftp: sftp.read_file("/sub dir f"))
    assert (line["sender"], line["size_bytes"], line["file_path"]) == ("Download", size, str(home / "sub dir f"))


def test_lines_of_one_connection_share_its_id(logged, home):
    lines = logged(lambda sftp: (sftp.write_file("/a", b"x"), sftp.call(s.REMOVE, string("/a"))), count=2)
    assert lines[0]["connection_id"] == lines[1]["connection_id"] != ""


def command(line, sender, home, path, **more):
    assert list(line) == COMMAND
    want = {"level": "info", "sender": sender, "username": "alice", "file_path": str(home / path), "target_path": "",
            "filemode": "", "uid": -1, "gid": -1, "access_time": "", "modification_time": "", "ssh_command": "", "protocol": "SFTP"}
    assert {k: line[k] for k in want} == {**want, **more}


def test_rename(logged, home):
    (home / "a").write_text("x")
    command(logged(lambda sftp: sftp.call(s.RENAME, string("/a"), string("/b"))), "Rename", home, "a", target_path=str(home / "b"))
    line = logged(lambda sftp: sftp.extended("posix-rename@openssh.com", string("/b"), string("/c")))
    command(line, "Rename", home, "b", target_path=str(home / "c"))


def test_mkdir_rmdir_remove(logged, home):
    command(logged(lambda sftp: sftp.call(s.MKDIR, string("/d"), u32(0))), "Mkdir", home, "d")
    command(logged(lambda sftp: sftp.call(s.RMDIR, string("/d"))), "Rmdir", home, "d")
    (home / "f").write_text("x")
    command(logged(lambda sftp: sftp.call(s.REMOVE, string("/f"))), "Remove", home, "f")


def test_symlink(logged, home):
    line = logged(lambda sftp: sftp.call(s.SYMLINK, string("/target"), string("/link")))
    assert list(line) == COMMAND and line["sender"] == "Symlink"
    assert {line["file_path"], line["target_path"]} == {str(home / "target"), str(home / "link")}


def test_chmod_chown_chtimes(logged, home):
    (home / "f").write_text("x")
    owner = (home / "f").stat()
    command(logged(lambda sftp: sftp.setstat("/f", Attrs(permissions=0o600))), "Chmod", home, "f", filemode="-rw-------")
    command(logged(lambda sftp: sftp.setstat("/f", Attrs(uid=owner.st_uid, gid=owner.st_gid))), "Chown", home, "f",
            uid=owner.st_uid, gid=owner.st_gid)
    line = logged(lambda sftp: sftp.setstat("/f", Attrs(atime=1_000_000_000, mtime=1_100_000_000)))
    command(line, "Chtimes", home, "f", access_time="2001-09-09T01:46:40", modification_time="2004-11-09T11:33:20")


def test_refused_operations_are_no_command_lines(server, alice, home, logged):
    mark = server.mark()
    with s.session(server, alice) as sftp:
        assert sftp.status(s.REMOVE, string("/none")) == s.NO_SUCH_FILE
        assert sftp.status(s.RMDIR, string("/none")) == s.NO_SUCH_FILE
        assert sftp.status(s.RENAME, string("/none"), string("/x")) == s.NO_SUCH_FILE
    logged(lambda sftp: sftp.call(s.MKDIR, string("/d"), u32(0)))  # whatever came before it is written by now
    assert [l["sender"] for l in server.log_lines(mark) if l["sender"] in COMMANDS] == ["Mkdir"]


def test_lost_upload_is_no_upload_line(server, alice, home, logged):
    """The client vanishes without CLOSE: the operator sees it, but not as a finished upload."""
    mark = server.mark()
    with s.session(server, alice) as sftp:
        handle = sftp.open("/part", s.F_WRITE | s.F_CREAT)
        sftp.call(s.WRITE, string(handle), u64(0), string("data"))
        sftp.channel.transport.sock.close()
    server.complaints(mark, 1)
    logged(lambda sftp: sftp.call(s.MKDIR, string("/d"), u32(0)))
    told = [(l["level"], l["message"]) for l in server.complaints(mark, 1)]
    assert told == [("warn", f'upload "{home}/part" interrupted after 4 bytes')]
    assert not [l for l in server.log_lines(mark) if l["sender"] == "Upload"]
    assert (home / "part").read_bytes() == b"data", "what arrived stays"


def test_log_file_instead_of_stdout(make_server):
    server = make_server()
    try:
        account = server.add_account("alice")
        server.log_path = server.config_dir / "my.log"
        server.initialise()
        server.spawn("-l", "my.log")
        line = server.wait_log(lambda l: l.get("message", "").startswith("listening on "))
        server.port = int(line["message"].rsplit(":", 1)[1])
        with s.session(server, account) as sftp:
            sftp.write_file("/f", b"x")
        server.wait_log(lambda l: l["sender"] == "Upload")
        assert server.log_path.stat().st_mode & 0o777 == 0o640
        assert server.stdout_path.read_bytes() == b""
    finally:
        server.stop()
