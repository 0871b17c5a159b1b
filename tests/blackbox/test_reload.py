# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: the log goes on in a new file, the configuration is taken over where that is safe, accounts are read anew."""
import json
import signal
import socket

import paramiko
import pytest

import rawsftp as s
from hooks import by_password, program, run  # noqa: F401  (a fixture)
from util import seconds, wait_for

pytestmark = pytest.mark.ours


@pytest.fixture
def server(make_server):
    instance = make_server()
    instance.add_account("alice")
    instance.start()
    yield instance
    instance.stop()


def reload(server, outcome="the configuration was reloaded"):
    """Sends SIGHUP; the lines that came of it."""
    mark = server.mark()
    server.process.send_signal(signal.SIGHUP)
    server.wait_log(lambda l: outcome in l.get("message", ""), start=mark)
    server.wait_log(lambda l: "accounts" in l.get("message", "") or "nothing to reload" in l.get("message", ""), start=mark)
    return server.log_lines(mark)


def change(server, section="sftpd", **values):
    server.config.setdefault(section, {}).update(values)
    server.write_config()


def waiting(lines):
    return [l["message"].split()[0] for l in lines if "next start" in l.get("message", "")]


def made_with(sftp, home, name):
    sftp.write_file("/" + name, b"x")
    return (home / name).stat().st_mode & 0o777


def test_new_connections_get_the_new_settings(server):
    account = server.accounts["alice"]
    (server.config_dir / "hello").write_text("Hello there")
    with s.session(server, account) as old:
        assert made_with(old, account.home, "a") == 0o644
        change(server, umask="0077", setstat_mode=1, login_banner_file="hello", max_auth_tries=1)
        lines = reload(server)
        taken = next(l["message"] for l in lines if "was reloaded" in l.get("message", ""))
        for key in ("sftpd.umask", "sftpd.setstat_mode", "sftpd.login_banner_file", "sftpd.max_auth_tries"):
            assert key in taken
        assert waiting(lines) == []
        with s.transport(server, account) as link:
            assert link.get_banner() == b"Hello there"
            new = s.subsystem(link)
            assert made_with(new, account.home, "b") == 0o600
            new.setstat("/b", s.Attrs(permissions=0o640))
            assert (account.home / "b").stat().st_mode & 0o777 == 0o600
        assert made_with(old, account.home, "c") == 0o644, "who is there already keeps the old ones"
    with s.transport(server, account, login=False) as link:
        with pytest.raises(paramiko.SSHException):
            link.auth_password("alice", "wrong", fallback=False)
        wait_for("one try is all", lambda: not link.is_active())


def test_banner_file_is_read_again(server):
    file = server.config_dir / "hello"
    change(server, login_banner_file="hello")
    for text in ("one", "two"):
        file.write_text(text)
        reload(server)
        with s.transport(server, server.accounts["alice"]) as link:
            assert link.get_banner() == text.encode()


def test_lists_of_addresses(server):
    change(server, "defender", enabled=True, allowed=[], denied=["127.0.0.3"])
    reload(server)
    with pytest.raises((paramiko.SSHException, EOFError, OSError)):
        with s.transport(server, server.accounts["alice"], source="127.0.0.3"):
            pass
    change(server, "defender", denied=[])
    change(server, proxy_protocol=2, proxy_allowed=["127.0.0.4"])
    reload(server)
    header = b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"
    with s.transport(server, server.accounts["alice"], source="127.0.0.4", ahead=header):
        pass
    with pytest.raises((paramiko.SSHException, EOFError, OSError)):
        with s.transport(server, server.accounts["alice"], source="127.0.0.3", ahead=header):
            pass


def test_keys_that_wait_for_a_start_are_told(server):
    change(server, banner="Other", umask="0027")
    change(server, "data_provider", pool_size=5)
    for _ in range(2):  # as long as it is so
        lines = reload(server)
        assert sorted(waiting(lines)) == ["data_provider.pool_size", "sftpd.banner"]
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds(10)) as sock:
        assert sock.makefile("rb").readline().startswith(b"SSH-2.0-Sallyport")
    change(server, banner="")
    change(server, "data_provider", pool_size=0)
    assert waiting(reload(server)) == []


BROKEN = {"json": ('{"sftpd": ', ["sallyport.json"]),
          "value": ({"umask": "0077", "idle_timeout": "long"}, ["sallyport.json", "sftpd.idle_timeout", "long"]),
          "two-values": ({"umask": "0077", "idle_timeout": "long", "bind_port": -1}, ["sftpd.idle_timeout", "sftpd.bind_port"]),
          "list": ({"umask": "0077", "proxy_allowed": ["here"]}, ["sftpd.proxy_allowed", "here"]),
          "banner-file": ({"umask": "0077", "login_banner_file": "missing"}, ["sftpd.login_banner_file", "missing"]),
          "gone": (None, ["sallyport.json"])}


@pytest.mark.parametrize("content, mentions", BROKEN.values(), ids=BROKEN)
def test_broken_configuration_is_refused_as_a_whole(server, content, mentions):
    file = server.config_dir / "sallyport.json"
    if content is None:
        file.unlink()
    elif isinstance(content, str):
        file.write_text(content)
    else:
        server.write_config(config={**server.config, "sftpd": {**server.config["sftpd"], **content}})
    lines = reload(server, "the configuration was not reloaded")
    errors = [l["message"] for l in lines if l["level"] in ("warn", "error")]
    assert len(errors) == 1 and all(word in errors[0] for word in mentions), errors
    account = server.accounts["alice"]
    with s.session(server, account) as sftp:
        assert made_with(sftp, account.home, "f") == 0o644
    server.write_config()
    assert not [l for l in reload(server) if l["level"] in ("warn", "error")]


def test_the_lines_of_one_reload_do_not_contradict_each_other(server):
    """What is said at each reload, whole."""
    def story():
        return [(l["level"], l["message"]) for l in reload(server, "configuration was")]
    nothing = ("debug", "the data provider has nothing to reload")
    assert story() == [("info", "the configuration was reloaded, no key has changed"), nothing]
    change(server, banner="Other")
    waits = ("warn", "sftpd.banner has changed since the start and waits for the next start")
    assert story() == [("info", "the configuration was reloaded, no key has changed that holds without a start"), waits, nothing]
    change(server, umask="0077", setstat_mode=1)
    assert story() == [("info", "the configuration was reloaded, for new connections: sftpd.umask, sftpd.setstat_mode"), waits, nothing]
    server.write_config(config={**server.config, "sftp": {"umask": "0022"}, "sftpd": {**server.config["sftpd"], "umask": "8"}})
    lines = story()
    assert lines[0][0] == "error" and lines[0][1].startswith("the configuration was not reloaded, the old one stays: ") and lines[1:] == [nothing]


@pytest.mark.parametrize("section, key", [("data_provider", "external_auth_program"), ("data_provider", "pre_login_program"),
                                          ("sftpd", "keyboard_interactive_auth_program")])
def test_a_login_program_that_cannot_be_run_is_told(run, tmp_path, section, key):
    """It is still asked: nobody is let in without it."""
    hook = program(tmp_path, "hook", "exit 0\n")
    server = run(["alice"], **{section: {key: str(hook)}})

    def complaints():
        return [(l["level"], l["message"]) for l in reload(server) if l["level"] in ("warn", "error")]
    assert complaints() == []
    hook.chmod(0o644)
    cannot = f"{section}.{key}: {hook} cannot be run: Permission denied"
    for _ in range(2):  # as long as it is so
        assert complaints() == [("error", cannot + "; logins that ask it are refused")]
    if key == "pre_login_program":
        assert by_password(server, "alice", server.accounts["alice"].password) == "AuthenticationException"
    other = tmp_path / "other"
    change(server, section, **{key: str(other)})
    assert complaints()[1:] == [("error", cannot + "; logins that ask it are refused"),
                                ("error", f"{section}.{key}: {other} cannot be run: No such file or directory; the next start would fail")]
    change(server, section, **{key: str(hook)})
    hook.chmod(0o755)
    assert complaints() == []
    if key == "pre_login_program":
        assert by_password(server, "alice", server.accounts["alice"].password) == "in"


def test_an_action_s_program_that_went_is_told(run, tmp_path):
    hook = program(tmp_path, "hook", "exit 0\n")
    server = run(sftpd={"actions": {"execute_on": ["upload"], "command": str(hook)}})
    hook.unlink()
    told = [(l["level"], l["message"]) for l in reload(server) if l["level"] in ("warn", "error")]
    assert told == [("warn", f"sftpd.actions.command: {hook} cannot be run: No such file or directory")]


def test_log_goes_on_in_a_new_file(make_server):
    """As logrotate does it: rename, then SIGHUP."""
    server = make_server()
    try:
        account = server.add_account("alice")
        server.log_path = server.config_dir / "my.log"
        server.initialise()
        server.start("-l", "my.log")
        old = server.log_path.rename(server.config_dir / "my.log.1")
        before = old.read_text()
        with s.session(server, account) as sftp:
            sftp.write_file("/f", b"x")
        wait_for("the old file grows", lambda: '"Upload"' in old.read_text()[len(before):])
        assert not server.log_path.exists()
        server.process.send_signal(signal.SIGHUP)
        server.wait_log(lambda l: "configuration was reloaded" in l.get("message", ""))
        size = old.stat().st_size
        with s.session(server, account) as sftp:
            sftp.write_file("/g", b"x")
        server.wait_log(lambda l: l["sender"] == "Upload")
        assert old.stat().st_size == size
        assert server.log_path.stat().st_mode & 0o777 == 0o640
        server.process.send_signal(signal.SIGHUP)  # without a rename: nothing is lost or torn
        server.wait_log(lambda l: "configuration was reloaded" in l.get("message", ""), start=server.mark())
        assert [l for l in server.log_lines() if l["sender"] == "Upload"]
    finally:
        server.stop()


def test_accounts_in_a_file(make_server):
    donor = make_server()
    account = donor.add_account("alice")
    record = json.loads(donor.cli("user", "show", "alice").stdout)
    server = make_server(config={"data_provider": {"driver": "memory", "name": "users.json"}})
    server.initialised = True
    users = server.config_dir / "users.json"
    users.write_text(json.dumps({"users": []}))
    try:
        server.start()
        with pytest.raises(paramiko.AuthenticationException):
            with s.transport(server, account):
                pass
        users.write_text(json.dumps({"users": [record]}))
        reload(server)
        with s.transport(server, account):
            pass
        bob = {**record, "username": "bob"}
        for text, place in [('{"users": [\n{"username": nobody}]}', "line 2, column 15"), ("{", "line 1, column 2"), (None, str(users)),
                            (json.dumps({"users": [bob, {**record, "uid": "0"}]}), "users entry 2 (alice)"),
                            (json.dumps({"user": [bob]}), 'holds no "users"')]:
            users.unlink() if text is None else users.write_text(text)
            lines = reload(server)
            told = [l["message"] for l in lines if l["level"] in ("warn", "error")]
            assert len(told) == 1 and place in told[0] and str(users) in told[0], told
            assert told[0].startswith("accounts could not be reloaded, the old ones stay: ")
            assert not any("accounts were" in l.get("message", "") for l in lines)
            with s.transport(server, account):
                pass
        users.write_text(json.dumps({"users": [record, {**bob, "permissions": {"/": ["lsit"]}, "filter": {}}]}))
        messages = [l["message"] for l in reload(server)]
        assert "accounts were reloaded: 1; further 1 cannot be used, the lines above say why" in messages
        assert any('user "bob"' in m and "lsit" in m for m in messages)
        assert any("members that mean nothing were left out: filter" in m for m in messages)
        with s.transport(server, account):
            pass
    finally:
        server.stop()
