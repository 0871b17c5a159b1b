# SPDX-License-Identifier: Apache-2.0
"""A database that SFTPGo 0.9.5 made serves all its accounts unchanged, and opening it loses nothing."""
import json
import sqlite3
from pathlib import Path

import paramiko
import pytest

import rawsftp as s
from test_auth import load, try_key
from test_cli import login

DATA = Path(__file__).parent / "data"
PASSWORD = "pass w0rd"
OLD_HASHES = ["bcrypt", "md5crypt", "sha512crypt", "apr1", "pbkdf2_sha1", "pbkdf2_sha256", "pbkdf2_sha512"]


def rows(server):
    with sqlite3.connect(server.config_dir / "sftpgo.db") as db:
        db.row_factory = sqlite3.Row
        return {row["username"]: dict(row) for row in db.execute("select * from users")}


@pytest.fixture(scope="module", params=[1, 2], ids=["version-1", "version-2"])
def inherited(request, make_server):
    """A started server over such a database; its rows before the start are in .before, what came of them, before anybody
    used it, in .opened and .shown."""
    server = make_server(config={"data_provider": {"name": "sftpgo.db"}})
    homes = server.directory / "homes"
    text = (DATA / f"reference-v{request.param}.sql").read_text().replace("@HOME@", str(homes))
    for kind in ("ed25519", "ecdsa", "rsa"):
        words = server.keyring.user(kind).with_suffix(".pub").read_text().split()
        text = text.replace(f"@{kind.upper()}@", " ".join(words[:2]))
    with sqlite3.connect(server.config_dir / "sftpgo.db") as db:
        db.executescript(text)
    server.version, server.homes, server.before, server.initialised = request.param, homes, rows(server), True
    for place in ("in", "none", "own", "photos"):
        (homes / "full" / place).mkdir(parents=True)
    (homes / "full/f").write_text("read me")
    server.start()
    server.opened = rows(server)
    server.shown = {name: json.loads(server.cli("user", "show", name).stdout) for name in server.before}
    yield server
    server.stop()


def by_password(server, name, password=PASSWORD):
    return login(server, name, password)


def test_opening_keeps_every_column(inherited):
    now = inherited.opened
    assert set(now) == set(inherited.before)
    for name, before in inherited.before.items():
        for column, value in before.items():
            if column != "last_login":
                assert now[name][column] == value, (name, column)
        assert "virtual_folders" in now[name]
    with sqlite3.connect(inherited.config_dir / "sftpgo.db") as db:
        assert db.execute("select version from schema_version").fetchall() == [(2,)]


@pytest.mark.parametrize("name", OLD_HASHES + ["before094", "negative"])
def test_passwords_of_every_kind(inherited, name):
    assert by_password(inherited, name)
    assert not by_password(inherited, name, "wrong")


def test_who_was_kept_out_stays_out(inherited):
    for name in ("disabled", "expired", "keyonly"):
        assert not by_password(inherited, name)


@pytest.mark.parametrize("name, kind, welcome", [("full", "ed25519", True), ("full", "ecdsa", True), ("full", "rsa", True), ("keyonly", "rsa", True),
                                                 ("keyonly", "ed25519", True), ("keyonly", "ecdsa", False), ("md5crypt", "rsa", False)])
def test_keys(inherited, name, kind, welcome):
    assert (try_key(inherited, name, load(inherited.keyring.user(kind))) == "in") == welcome


def test_an_account_with_everything(inherited):
    assert by_password(inherited, "full", "password")
    with s.transport(inherited, None, login=False) as link:
        link.auth_publickey("full", load(inherited.keyring.user()))
        sftp = s.subsystem(link)
        assert sftp.read_file("/f") == b"read me"
        denied = lambda *request: sftp.status(*request) == s.PERMISSION_DENIED  # noqa: E731
        create = s.F_WRITE | s.F_CREAT
        assert denied(s.OPEN, s.string("/new"), s.u32(create), s.u32(0)) and denied(s.REMOVE, s.string("/f"))
        sftp.write_file("/in/new", b"x", create)
        assert denied(s.OPEN, s.string("/in/new"), s.u32(s.F_READ), s.u32(0)) and denied(s.OPEN, s.string("/in/new"), s.u32(s.F_WRITE), s.u32(0))
        assert denied(s.OPENDIR, s.string("/none"))
        sftp.write_file("/own/new", b"x")
        sftp.call(s.REMOVE, s.string("/own/new"))
        sftp.write_file("/photos/a.JPG", b"x")
        assert denied(s.OPEN, s.string("/photos/a.txt"), s.u32(create), s.u32(0))
        assert denied(s.OPEN, s.string("/photos/a.exe"), s.u32(create), s.u32(0))


def test_its_address_and_method_filters(inherited):
    key = load(inherited.keyring.user())
    with s.transport(inherited, None, login=False, source="127.0.0.9") as link:
        with pytest.raises(paramiko.AuthenticationException):
            link.auth_publickey("full", key)
    with s.transport(inherited, None, login=False) as link:
        with pytest.raises(paramiko.AuthenticationException):
            link.auth_interactive("full", lambda *_: ["password"])


def test_lists_of_rights_from_before_0_9_4(inherited):
    account = inherited.homes / "before094"
    account.mkdir(parents=True, exist_ok=True)
    (account / "f").write_text("x")
    with s.transport(inherited, None, login=False) as link:
        link.auth_password("before094", PASSWORD, fallback=False)
        sftp = s.subsystem(link)
        assert sftp.read_file("/f") == b"x"
        assert sftp.status(s.REMOVE, s.string("/f")) == s.PERMISSION_DENIED


def test_records_are_shown_as_they_are(inherited):
    for name, before in inherited.before.items():
        shown = inherited.shown[name]
        for column, value in before.items():
            if column in ("password", "last_login"):
                continue
            if column in ("permissions", "filters", "public_keys", "virtual_folders", "filesystem"):
                empty = {"filesystem": {"provider": 0, "s3config": {}, "gcsconfig": {}}, "filters": {}}.get(column, [])
                value = json.loads(value) if value else empty
            if column == "permissions":
                value = value if isinstance(value, dict) else {"/": value}
                value, shown[column] = ({place: sorted(rights) for place, rights in form.items()} for form in (value, shown[column]))
            if column == "filesystem" and name == "cloud":
                assert shown[column]["provider"] == 1, "its settings are the plugin's, which is not here"
                continue
            assert shown.get(column, []) == value, (name, column)


def test_a_change_keeps_what_it_is_not_about(inherited):
    before = rows(inherited)["full"]
    inherited.cli("user", "update", "full", "--status", "0")
    inherited.cli("user", "update", "full", "--status", "1")
    after = rows(inherited)["full"]
    for column, value in before.items():
        if column == "virtual_folders" and value is None:
            value = "[]"
        if column in ("permissions", "filters", "public_keys", "virtual_folders", "filesystem"):
            value, after[column] = json.loads(value), json.loads(after[column])
        if column == "permissions":
            value, after[column] = ({place: sorted(rights) for place, rights in form.items()} for form in (value, after[column]))
        assert after[column] == value, column
