# SPDX-License-Identifier: Apache-2.0
"""What an account must look like: the refusals of `user add` word by word where the reference's clients know them."""
import json
import sqlite3

import paramiko
import pytest

import rawsftp as s
from test_cli import login
from util import wait_for

GOOD = {"username": "eve", "status": 1, "home_dir": "/srv/eve", "password": "secret", "permissions": {"/": ["*"]}}


def changed(**members):
    return {**GOOD, **members}


def filters(**members):
    return changed(filters=members)


def folders(*pairs):
    return changed(virtual_folders=[{"virtual_path": virtual, "mapped_path": mapped} for virtual, mapped in pairs])


# name: (record, the refusal after "Error: Validation error: ", whole unless it ends with "...")
REFUSED = {
    "home-empty": (changed(home_dir=""), "mandatory parameters missing: home_dir"),
    "home-relative": (changed(home_dir="srv/eve"), "home_dir must be an absolute path, actual value: srv/eve"),
    "no-credentials": (changed(password=""), "please set a password or at least a public_key"),
    "no-root": (changed(permissions={"/x": ["*"]}), 'permissions for the root dir "/" must be set'),
    "root-empty": (changed(permissions={"/": []}), 'no permissions granted for the directory: "/"'),
    "13-permissions": (changed(permissions={"/": ["list"] * 13}), "invalid permissions"),
    "unknown-permission": (changed(permissions={"/": ["list", "foo"]}), 'invalid permission: "foo"'),
    "relative-permission": (changed(permissions={"/": ["*"], "x": ["*"]}), "permissions need an absolute path..."),
    "root-in-disguise": (changed(permissions={"/": ["*"], "/x/..": ["list"]}), "permissions for..."),
    "status": (changed(status=2), "invalid user status: 2"),
    "first-key": (changed(public_keys=["nonsense"]), "could not parse key nr. 0: ssh: no key found (the first key is nr. 0)"),
    "plain-ip": (filters(allowed_ip=["192.0.2.1"]), "could not parse..."),
    "bad-ip": (filters(denied_ip=["192.0.2.0/33"]), "could not parse..."),
    "all-methods-denied": (filters(denied_login_methods=["publickey", "password", "keyboard-interactive"]), "invalid denied_login_methods"),
    "three-times-the-same": (filters(denied_login_methods=["password"] * 3), "invalid denied_login_methods"),
    "unknown-method": (filters(denied_login_methods=["telnet"]), 'invalid login method: "telnet"'),
    "extensions-relative": (filters(file_extensions=[{"path": "x", "denied_extensions": [".a"]}]), "invalid file_extensions path..."),
    "extensions-twice": (filters(file_extensions=[{"path": p, "denied_extensions": [".a"]} for p in ("/x", "/y/../x")]), "duplicate..."),
    "extensions-empty": (filters(file_extensions=[{"path": "/x"}]), "file_extensions for..."),
    "folder-relative": (folders(("v", "/mnt/v")), "invalid virtual folder..."),
    "folder-root": (folders(("/v/..", "/mnt/v")), "invalid virtual folder..."),
    "folder-mapped-relative": (folders(("/v", "mnt/v")), "invalid mapped folder..."),
    "folder-in-home": (folders(("/v", "/srv/eve/v")), "invalid mapped folder..."),
    "folder-around-home": (folders(("/v", "/srv")), "invalid mapped folder..."),
    "folder-is-home": (folders(("/v", "/srv/eve/")), "invalid mapped folder..."),
    "folders-nested": (folders(("/v", "/mnt/v"), ("/w", "/mnt/v/w")), "invalid mapped folder..."),
    "folders-nested-virtually": (folders(("/v", "/mnt/v"), ("/v/w", "/mnt/w")), "invalid virtual folder..."),
    "unknown-member": (changed(permission={"/": []}), 'unknown member "permission"...'),
    "unknown-filter": (filters(denied_ips=["192.0.2.0/24"]), 'unknown member "filters.denied_ips", known here are allowed_ip, denied_ip, '
                       "denied_login_methods, file_extensions"),
    "unknown-extension-list": (filters(file_extensions=[{"path": "/", "denied_extension": [".exe"]}]),
                               'unknown member "filters.file_extensions.denied_extension"...'),
    "unknown-folder-member": (changed(virtual_folders=[{"virtual": "/v", "mapped_path": "/mnt/v"}]), 'unknown member "virtual_folders.virtual"...'),
    "unknown-storage-member": (changed(filesystem={"provider": 0, "s3": {}}), 'unknown member "filesystem.s3"...'),
    "wrong-type": (changed(uid="0"), 'field "uid" must be...'),
}


@pytest.fixture(scope="module")
def store(make_server):
    """A server that is set up and does not run."""
    instance = make_server()
    instance.initialise()
    return instance


def add(server, record, name="eve", check=False):
    return server.cli("user", "add", name, "--json", "-", input=json.dumps(record), check=check)


def shown(server, name="eve"):
    return json.loads(server.cli("user", "show", name).stdout)


@pytest.fixture
def clean(store):
    yield store
    store.cli("user", "delete", "eve", check=False)


@pytest.mark.parametrize("case", REFUSED)
def test_refused(clean, case):
    record, text = REFUSED[case]
    done = add(clean, record)
    assert done.returncode == 1
    said = done.stderr.removeprefix("Error: Validation error: ").rstrip("\n")
    assert said == text or (text.endswith("...") and said.startswith(text[:-3])), done.stderr
    assert "eve" not in clean.cli("user", "list").stdout


def test_refused_changes_leave_the_account_as_it_was(clean):
    add(clean, GOOD, check=True)
    before = shown(clean)
    for record, _ in REFUSED.values():
        partial = {key: value for key, value in record.items() if GOOD.get(key) != value}
        assert clean.cli("user", "update", "eve", "--json", "-", input=json.dumps(partial), check=False).returncode == 1 \
            or partial == {"password": ""}, partial
    assert shown(clean) == before


# name: (record, members as they must be stored)
ACCEPTED = {
    "negative-numbers": (changed(uid=-1, gid=-5, quota_size=-1, quota_files=-1, max_sessions=-1, upload_bandwidth=-1, download_bandwidth=-1),
                         {"uid": -1, "gid": -5, "quota_size": -1, "max_sessions": -1}),
    "home-stays": (changed(home_dir="/srv/../srv/eve/"), {"home_dir": "/srv/../srv/eve/"}),
    "star-wins": (changed(permissions={"/": ["list", "*"], "/x/": [], "/y//z": ["upload", "list"]}),
                  {"permissions": {"/": ["*"], "/x": [], "/y/z": ["list", "upload"]}}),
    "every-right": (changed(permissions={"/": ["list", "download", "upload", "overwrite", "rename", "delete", "create_dirs", "create_symlinks",
                                               "chmod", "chown", "chtimes"]}), {}),
    "host-bits": (filters(allowed_ip=["192.0.2.7/24"], denied_ip=["2001:db8::1/64"]),
                  {"filters": {"allowed_ip": ["192.0.2.7/24"], "denied_ip": ["2001:db8::1/64"]}}),
    "two-methods": (filters(denied_login_methods=["publickey", "password"]), {"filters": {"denied_login_methods": ["publickey", "password"]}}),
    "extensions-cleaned": (filters(file_extensions=[{"path": "/x/../y/", "allowed_extensions": [".JPG"]}]),
                           {"filters": {"file_extensions": [{"path": "/y", "allowed_extensions": [".JPG"]}]}}),
    "folders-cleaned": (folders(("/v//a/", "/mnt/./v/"), ("/w", "/srv/eve2")),
                        {"virtual_folders": [{"virtual_path": "/v/a", "mapped_path": "/mnt/v"}, {"virtual_path": "/w", "mapped_path": "/srv/eve2"}]}),
    "status-0": (changed(status=0), {"status": 0}),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepted(clean, case):
    record, wanted = ACCEPTED[case]
    add(clean, record, check=True)
    stored = shown(clean)
    for member, value in wanted.items():
        if member == "permissions":
            value = {place: sorted(rights) for place, rights in value.items()}
            stored[member] = {place: sorted(rights) for place, rights in stored[member].items()}
        assert stored[member] == value, member


def test_names_have_no_syntax(clean):
    name = "a/b c:é"
    add(clean, {key: value for key, value in GOOD.items() if key != "username"}, name=name, check=True)
    assert shown(clean, name)["username"] == name
    clean.cli("user", "delete", name)


def test_what_is_shown_can_be_added_again(clean):
    add(clean, filters(denied_ip=["192.0.2.0/24"]), check=True)
    record = {**shown(clean), "password": "secret"}
    clean.cli("user", "delete", "eve")
    add(clean, record, check=True)
    assert {**shown(clean), "id": 0} == {**{k: v for k, v in record.items() if k != "password"}, "id": 0}


def test_ids_beyond_the_range_are_warned_of(clean):
    done = add(clean, changed(uid=70000, gid=1000), check=True)
    assert done.stderr.count('user "eve": uid 70000 is above') == 1 and "gid" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert 'user "eve": gid 65536 is above' in clean.cli("user", "update", "eve", "--gid", "65536", "--uid", "-1").stderr


def test_limits_that_limit_nothing_are_warned_of(clean):
    """The replaced system stores negative ones, which have no effect; who types one means something else."""
    members = ("max_sessions", "quota_size", "quota_files", "upload_bandwidth", "download_bandwidth", "expiration_date")
    done = add(clean, changed(**{member: -2 for member in members}), check=True)
    assert [line.split('user "eve": ')[1].split(" is negative: ")[0] for line in done.stderr.splitlines()] == [f"{m} -2" for m in members]
    assert clean.cli("user", "update", "eve", "--json", "-", input=json.dumps({member: 0 for member in members})).stderr == ""


def test_users_base_dir(make_server, tmp_path):
    server = make_server(config={"data_provider": {"users_base_dir": str(tmp_path / "homes")}})
    try:
        server.initialise()
        for name in ("anna", "otto"):
            server.cli("user", "add", name, "--password-stdin", *(["--home-dir", tmp_path / "own"] if name == "otto" else []), input="secret\n")
        assert shown(server, "anna")["home_dir"] == str(tmp_path / "homes/anna") and shown(server, "otto")["home_dir"] == str(tmp_path / "own")
        assert server.cli("user", "add", "../evil", "--password-stdin", input="secret\n", check=False).returncode == 1
        server.start()
        assert login(server, "anna", "secret")
        wait_for("the home is made at login", (tmp_path / "homes/anna").is_dir)
    finally:
        server.stop()


def test_manage_users_0_reads_only(make_server):
    server = make_server()
    try:
        account = server.add_account("alice")
        server.config["data_provider"]["manage_users"] = 0
        server.write_config()
        server.start()
        with s.session(server, account) as sftp:
            sftp.write_file("/f", b"files are no accounts")
        for words in (["add", "bob", "--home-dir", "/srv/bob", "--password-stdin"], ["update", "alice", "--status", "0"], ["delete", "alice"]):
            done = server.cli("user", *words, input="secret\n", check=False)
            assert done.returncode == 1 and done.stderr.startswith("Error: Method disabled error: "), done.stderr
    finally:
        server.stop()
    with sqlite3.connect(server.config_dir / "sallyport.db") as db:
        assert db.execute("select username, status, last_login from users").fetchall() == [("alice", 1, 0)]


def test_a_record_frozen_at_login(make_server):
    """What changes in the database counts from the next login on."""
    server = make_server()
    try:
        account = server.add_account("alice")
        server.start()
        with s.session(server, account) as sftp:
            server.cli("user", "update", "alice", "--permissions", "/=list", "--status", "0")
            sftp.write_file("/f", b"x")
        assert not login(server, "alice", account.password)
    finally:
        server.stop()


def test_last_login_is_recorded(make_server):
    server = make_server()
    try:
        account = server.add_account("alice")
        server.start()
        with s.session(server, account):
            wait_for("last_login", lambda: shown(server, "alice")["last_login"] > 1_700_000_000_000)
    finally:
        server.stop()


def test_a_database_that_is_taken_away_is_told(make_server):
    """What is written would go into a file that nobody finds any more."""
    server = make_server()
    try:
        account = server.add_account("alice")
        server.start()
        file = server.config_dir / "sallyport.db"
        aside = file.rename(file.with_suffix(".aside"))
        mark = server.mark()

        def told():
            with s.transport(server, account):
                return [l for l in server.log_lines(mark) if f"database {file} was deleted or moved away" in l.get("message", "")]
        (line,) = wait_for("a line about it", told)
        assert line["level"] == "error" and "put the file back" in line["message"]
        aside.rename(file)
    finally:
        server.stop()


def test_a_home_that_is_no_directory_ends_the_connection(make_server):
    """The login itself was right, so it is answered; nothing can be done with it."""
    server = make_server()
    try:
        account = server.add_account("alice", create_home=False)
        account.home.parent.mkdir(exist_ok=True)
        account.home.write_text("a file")
        server.start()
        with pytest.raises((paramiko.SSHException, EOFError, OSError, s.Closed)):
            with s.session(server, account):
                pass
        server.wait_log(lambda line: line.get("level") == "warn" and "alice" in line.get("message", "") and str(account.home) in line["message"])
    finally:
        server.stop()
