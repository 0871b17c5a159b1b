# SPDX-License-Identifier: Apache-2.0
"""The management commands: initprovider, user, plugin, check-config, --version. A password is never an argument."""
import json
import sqlite3
import subprocess

import paramiko
import pytest

import rawsftp as s
from server import binary
from util import clean_env, run


@pytest.fixture
def idle(make_server):
    """A server that is set up; tests that need it running start it."""
    instance = make_server()
    yield instance
    instance.stop()


def sallyport(*args, home, check=True):
    return run([binary(), *args], check=check, env=clean_env(home))


def login(server, name, password):
    with s.transport(server, None, login=False) as link:
        try:
            link.auth_password(name, password, fallback=False)
            return True
        except paramiko.AuthenticationException:
            return False


def test_version(tmp_path):
    shown = sallyport("--version", home=tmp_path).stdout
    assert shown.count("\n") == 1 and "." in shown and "version" in shown.lower()


def test_help(tmp_path):
    shown = sallyport("--help", home=tmp_path).stdout
    for command in ("serve", "initprovider", "user", "plugin", "check-config"):
        assert command in shown


@pytest.mark.parametrize("args", [["no-such-command"], ["--no-such-flag"], ["serve", "--no-such-flag"], ["user", "add"],
                                  ["plugin", "show"]], ids=" ".join)
def test_usage_errors(tmp_path, args):
    done = sallyport(*args, home=tmp_path, check=False)
    assert done.returncode == 1 and done.stderr.strip()


def test_initprovider_twice(idle):
    first = idle.cli("initprovider")
    before = (idle.config_dir / "sallyport.db").read_bytes()
    second = idle.cli("initprovider")
    assert first.returncode == second.returncode == 0
    assert "already" in (second.stdout + second.stderr)
    assert (idle.config_dir / "sallyport.db").read_bytes() == before


def test_database_has_the_table_layout_of_the_reference(idle):
    idle.add_account("alice", password="correct horse")
    with sqlite3.connect(idle.config_dir / "sallyport.db") as db:
        columns = [row[1] for row in db.execute("pragma table_info(users)")]
        assert set(columns) >= {"id", "username", "password", "public_keys", "home_dir", "uid", "gid", "max_sessions", "quota_size",
                                "quota_files", "permissions", "used_quota_size", "used_quota_files", "last_quota_update",
                                "upload_bandwidth", "download_bandwidth", "expiration_date", "last_login", "status", "filters",
                                "filesystem", "virtual_folders"}
        assert db.execute("select count(*) from schema_version").fetchone() == (1,)
        password, keys, permissions = db.execute("select password, public_keys, permissions from users").fetchone()
    assert password.startswith("$argon2id$v=19$m=65536,t=3,p=2$")
    assert len(json.loads(keys)) == 1 and json.loads(permissions) == {"/": ["*"]}


def test_user_life(idle, tmp_path):
    add = ["user", "add", "bob", "--home-dir", tmp_path, "--password-stdin"]
    idle.cli("initprovider")
    idle.cli(*add, input="first secret\n")
    again = idle.cli(*add, input="x\n", check=False)
    assert again.returncode == 1 and "bob" in again.stderr
    idle.add_account("alice")
    idle.start()
    assert login(idle, "bob", "first secret")
    shown = json.loads(idle.cli("user", "show", "bob").stdout)
    assert (shown["username"], shown["home_dir"], shown["status"], shown["permissions"]) == ("bob", str(tmp_path), 1, {"/": ["*"]})
    assert "password" not in shown and "argon2" not in json.dumps(shown)
    listed = json.loads(idle.cli("user", "list", "--json").stdout)
    assert sorted(user["username"] for user in listed) == ["alice", "bob"]
    assert "bob" in idle.cli("user", "list").stdout
    idle.cli("user", "update", "bob", "--password-stdin", input="second secret\n")
    assert not login(idle, "bob", "first secret") and login(idle, "bob", "second secret")
    assert json.loads(idle.cli("user", "show", "bob").stdout)["home_dir"] == str(tmp_path)
    idle.cli("user", "update", "bob", "--status", "0")
    assert not login(idle, "bob", "second secret")
    idle.cli("user", "update", "bob", "--status", "1")
    assert login(idle, "bob", "second secret")
    assert "its files stay" in idle.cli("user", "delete", "bob").stdout
    assert not login(idle, "bob", "second secret")
    for command in (["show"], ["delete"], ["update"]):
        done = idle.cli("user", *command, "bob", *(["--status", "1"] if command == ["update"] else []), check=False)
        assert done.returncode == 1 and "bob" in done.stderr


def test_an_update_of_nothing_is_refused(idle):
    idle.add_account("alice")
    done = idle.cli("user", "update", "alice", check=False)
    assert done.returncode == 1 and "nothing to change" in done.stderr and done.stdout == ""


def test_long_lists_are_whole(idle):
    """More than are read at once, one of them damaged: the others are listed, and the exit code tells of it."""
    idle.add_account("alice")
    with sqlite3.connect(idle.config_dir / "sallyport.db") as db:
        names = [row[1] for row in db.execute("pragma table_info(users)") if row[1] not in ("id", "username")]
        for n in range(1200):
            db.execute(f"insert into users (username, {', '.join(names)}) select ?, {', '.join(names)} from users where username = 'alice'",
                       (f"user{n:04}",))
    for damage, missing in (("", []), ("user0003", ["user0003"])):
        with sqlite3.connect(idle.config_dir / "sallyport.db") as db:
            db.execute("update users set permissions = '{' where username = ?", (damage,))
        wanted = [name for name in ["alice", *(f"user{n:04}" for n in range(1200))] if name not in missing]
        for form in ([], ["--json"]):
            done = idle.cli("user", "list", *form, check=False)
            listed = [user["username"] for user in json.loads(done.stdout)] if form else [line.split()[0] for line in done.stdout.splitlines()[1:]]
            assert listed == wanted and done.returncode == len(missing)
            assert not missing or ("user0003" in done.stderr and "1 accounts are missing" in done.stderr)


def test_password_file_and_json(idle, tmp_path):
    idle.cli("initprovider")
    (tmp_path / "secret").write_text("from a file\n")
    idle.cli("user", "add", "carol", "--home-dir", tmp_path, "--password-file", tmp_path / "secret")
    record = {"username": "dave", "status": 1, "home_dir": str(tmp_path), "password": "from json", "permissions": {"/": ["list"]}}
    idle.cli("user", "add", "dave", "--json", "-", input=json.dumps(record))
    idle.start()
    assert login(idle, "carol", "from a file") and login(idle, "dave", "from json")
    assert json.loads(idle.cli("user", "show", "dave").stdout)["permissions"] == {"/": ["list"]}


BAD_USERS = {"no-credentials": ["--home-dir", "/tmp/x"], "bad-permission": ["--home-dir", "/tmp/x", "--password-stdin", "--permissions", "/=fly"],
             "bad-key": ["--home-dir", "/tmp/x", "--public-key", "ssh-rsa nonsense"], "no-home": ["--password-stdin"],
             "bad-status": ["--home-dir", "/tmp/x", "--password-stdin", "--status", "7"],
             "bad-date": ["--home-dir", "/tmp/x", "--password-stdin", "--expiration-date", "tomorrow"],
             "before-1970": ["--home-dir", "/tmp/x", "--password-stdin", "--expiration-date", "1969-12-31"]}


OPTIONS_NAMED = {"no-credentials": "--password-stdin", "bad-permission": "--permissions", "bad-key": "--public-key", "no-home": "--home-dir",
                 "bad-status": "--status", "bad-date": "--expiration-date", "before-1970": "--expiration-date"}


@pytest.mark.parametrize("case", BAD_USERS)
def test_wrong_users_are_refused(idle, case):
    idle.cli("initprovider")
    done = idle.cli("user", "add", "eve", *BAD_USERS[case], input="secret\n", check=False)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and OPTIONS_NAMED[case] in done.stderr
    assert json.loads(idle.cli("user", "list", "--json").stdout) == []


def test_permissions_are_obeyed(idle):
    account = idle.add_account("reader", options=["--permissions", "/=list,download", "--permissions", "/in=list,upload"])
    (account.home / "f").write_text("x")
    (account.home / "in").mkdir()
    idle.start()
    with s.session(idle, account) as sftp:
        assert sftp.read_file("/f") == b"x"
        assert sftp.status(s.OPEN, s.string("/g"), s.u32(s.F_WRITE | s.F_CREAT), s.u32(0)) == s.PERMISSION_DENIED
        for request in ((s.REMOVE, s.string("/f")), (s.MKDIR, s.string("/d"), s.u32(0)), (s.RENAME, s.string("/f"), s.string("/g")),
                        (s.SYMLINK, s.string("f"), s.string("/l")), (s.SETSTAT, s.string("/f"), s.Attrs(permissions=0o600).encode()),
                        (s.OPEN, s.string("/f"), s.u32(s.F_WRITE), s.u32(0))):
            assert sftp.status(*request) == s.PERMISSION_DENIED, request
        sftp.write_file("/in/new", b"new", s.F_WRITE | s.F_CREAT)
        assert sftp.status(s.OPEN, s.string("/in/new"), s.u32(s.F_READ), s.u32(0)) == s.PERMISSION_DENIED
    assert (account.home / "f").read_text() == "x"


def test_plugin_list_and_show(idle):
    listed = json.loads(idle.cli("plugin", "list", "--json").stdout)
    kinds = {plugin["name"]: plugin["kind"] for plugin in listed}
    assert (kinds["fs-local"], kinds["provider-sqlite"], kinds["provider-memory"]) == ("storage", "provider", "provider")
    text = idle.cli("plugin", "list").stdout
    assert all(name in text for name in kinds)
    shown = idle.cli("plugin", "show", "fs-local").stdout
    assert "storage" in shown and "version" in shown.lower()
    assert idle.cli("plugin", "show", "no-such-plugin", check=False).returncode == 1


@pytest.mark.parametrize("words", [["plugin", "list", "--json"], ["plugin", "list"], ["user", "list", "--json"], ["--version"], ["--help"],
                                   ["check-config", "--print"], ["check-config", "--reference"]], ids=" ".join)
def test_output_that_cannot_be_written_is_a_failure(idle, words):
    idle.initialise()
    with open("/dev/full", "w") as full:
        done = subprocess.run([binary(), *words], cwd=idle.config_dir, stdout=full, stderr=subprocess.PIPE, text=True,
                              env=clean_env(idle.config_dir))
    assert done.returncode == 1 and done.stderr.startswith("Error: standard output cannot be written") and done.stderr.count("\n") == 1


def test_the_configuration_directory_is_one(tmp_path):
    (tmp_path / "file").touch()
    for name, problem in (("file", "not a directory"), ("none", "no such configuration directory")):
        done = sallyport("check-config", "-c", tmp_path / name, home=tmp_path, check=False)
        assert done.returncode == 1 and done.stderr == f"Error: {tmp_path}/{name}: {problem}\n"


def test_check_config(idle):
    idle.initialise()
    assert idle.cli("check-config").returncode == 0
    idle.config["sftpd"]["bind_port"] = "abc"
    idle.write_config()
    done = idle.cli("check-config", check=False)
    assert done.returncode == 1 and "bind_port" in done.stdout + done.stderr and "abc" in done.stdout + done.stderr


def test_check_config_looks_into_the_database_and_changes_nothing(idle):
    file = idle.config_dir / "sallyport.db"

    def check():
        before = {path.name: path.read_bytes() for path in idle.config_dir.iterdir()}
        done = idle.cli("check-config", check=False)
        assert {path.name: path.read_bytes() for path in idle.config_dir.iterdir()} == before
        return done
    missing = check()
    assert missing.returncode == 1 and "sallyport initprovider" in missing.stderr and missing.stderr.count("\n") == 1
    idle.add_account("alice")
    good = check()
    assert good.returncode == 0 and "Note" not in good.stdout and good.stderr == ""
    db = sqlite3.connect(file)  # as the replaced system leaves it
    db.executescript("pragma journal_mode = delete; alter table users drop column virtual_folders; update schema_version set version = 1;")
    old = check()
    assert old.returncode == 0 and "the start brings them up to date" in old.stdout
    db.executescript("alter table users drop column filters;")
    assert "lacks the column filters" in check().stderr
    db.close()
    file.write_bytes(b"x" * 8192)
    assert "restore a backup" in check().stderr


def test_check_config_beside_a_running_server(idle):
    account = idle.add_account("alice")
    idle.start()
    done = idle.cli("check-config")
    assert "good" in done.stdout and done.stderr == ""
    with s.session(idle, account) as sftp:
        sftp.write_file("/f", b"x")


@pytest.mark.parametrize("name, advice", [("", "REST API"), ("users.json", "users.json (data_provider.name)")])
def test_accounts_in_a_server_s_memory_are_out_of_reach(make_server, name, advice):
    server = make_server(config={"data_provider": {"driver": "memory", "name": name}})
    (server.config_dir / "users.json").write_text('{"users": []}')
    done = server.cli("user", "add", "ann", "--home-dir", "/srv/ann", "--password-stdin", input="secret\n", check=False)
    assert done.returncode == 1 and advice in done.stderr and done.stdout == ""
    assert server.cli("user", "list").returncode == 0


def test_empty_password_is_refused(idle, tmp_path):
    idle.cli("initprovider")
    assert idle.cli("user", "add", "eve", "--home-dir", tmp_path, "--password-stdin", input="\n", check=False).returncode == 1
