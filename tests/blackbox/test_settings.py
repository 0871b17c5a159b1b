# SPDX-License-Identifier: Apache-2.0
"""Keys of the configuration whose effect a client sees: banners, umask, setstat_mode, tries, host keys, algorithms."""
import json
import shutil
import socket
import stat

import paramiko
import pytest

import rawsftp as s
from server import binary
from test_lifecycle import fresh, refused_start  # noqa: F401  (a fixture)
from util import seconds


def identification(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds(10)) as link:
        return link.makefile("rb").readline()


def try_transport(server, **wanted):
    """Does a client that knows only these algorithms get a session key?"""
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=seconds(20))
    link = paramiko.Transport(sock)
    options = link.get_security_options()
    for name, values in wanted.items():
        setattr(options, name, tuple(values))
    try:
        link.start_client(timeout=seconds(30))
        return link.get_remote_server_key().get_name()
    except (paramiko.SSHException, EOFError):
        return None
    finally:
        link.close()
        sock.close()


@pytest.mark.parametrize("banner, wanted", [("", b"SSH-2.0-Sallyport_"), ("   ", b"SSH-2.0-Sallyport_"), ("Files here", b"SSH-2.0-Files here\r\n")])
def test_banner(fresh, banner, wanted):
    server = fresh(config={"sftpd": {"banner": banner}}).start()
    assert identification(server).startswith(wanted)


def test_login_banner_comes_before_the_login(fresh):
    server = fresh(config={"sftpd": {"login_banner_file": "banner.txt"}})
    (server.config_dir / "banner.txt").write_text("Authorised people only.\nEverything is logged.\n")
    account = server.add_account("alice")
    server.start()
    with s.transport(server, account, login=False) as link:
        with pytest.raises(paramiko.BadAuthenticationType):
            link.auth_none("alice")
        assert link.get_banner().decode().replace("\r\n", "\n") == "Authorised people only.\nEverything is logged.\n"


def test_login_banner_that_is_missing_stops_the_start(fresh):
    server = fresh(config={"sftpd": {"login_banner_file": "missing.txt"}})
    server.initialise()
    refused_start(server, "login_banner_file", "missing.txt")
    assert server.cli("check-config", check=False).returncode == 1


@pytest.mark.parametrize("umask, file_mode, dir_mode", [("0022", 0o644, 0o755), ("0077", 0o600, 0o700), ("0", 0o666, 0o777)])
def test_umask(fresh, umask, file_mode, dir_mode):
    server = fresh(config={"sftpd": {"umask": umask}})
    account = server.add_account("alice", create_home=False)
    server.start()
    with s.session(server, account) as sftp:
        sftp.write_file("/f", b"x")
        sftp.call(s.MKDIR, s.string("/d"), s.u32(0))
    modes = [stat.S_IMODE((account.home / name).stat().st_mode) for name in ("f", "d", ".")]
    assert modes == [file_mode, dir_mode, dir_mode]


def test_setstat_mode_1_answers_and_does_nothing(fresh):
    server = fresh(config={"sftpd": {"setstat_mode": 1}})
    account = server.add_account("alice", options=["--permissions", "/=list,upload"])
    (account.home / "f").write_text("content")
    before = (account.home / "f").stat()
    server.start()
    with s.session(server, account) as sftp:
        for values in ({"permissions": 0o600}, {"uid": 1, "gid": 1}, {"atime": 1, "mtime": 1}):
            for path in ("/f", "/missing"):
                assert sftp.status(s.SETSTAT, s.string(path), s.Attrs(**values).encode()) == s.OK, (path, values)
        assert sftp.status(s.SETSTAT, s.string("/f"), s.Attrs(size=0).encode()) == s.PERMISSION_DENIED, "the size is data"
    assert (account.home / "f").stat() == before


@pytest.mark.parametrize("tries, limit", [(0, 6), (-1, None)])
def test_max_auth_tries(fresh, tries, limit):
    server = fresh(config={"sftpd": {"max_auth_tries": tries}})
    account = server.add_account("alice", password="")  # a hash would cost time
    server.start()
    other = paramiko.Ed25519Key.from_private_key_file(str(server.keyring.directory / "other_ed25519"))
    with s.transport(server, account, login=False) as link:
        made = 0
        try:
            for made in range(1, 15):
                with pytest.raises(paramiko.AuthenticationException):
                    link.auth_publickey("alice", other)
        except (paramiko.SSHException, EOFError, OSError):
            pass
        if limit is None:
            assert made == 14
            link.auth_publickey("alice", paramiko.Ed25519Key.from_private_key_file(str(account.keys[0])))
            assert link.is_authenticated()
        else:
            assert limit <= made <= limit + 1


def test_configured_keys_are_the_only_ones(fresh):
    server = fresh(config={"sftpd": {"keys": [{"private_key": "sub/only_one"}]}}, host_keys=False)
    (server.config_dir / "sub").mkdir()
    shutil.copy(server.keyring.host("ecdsa"), server.config_dir / "sub/only_one")
    server.add_account("alice")
    server.start()
    assert try_transport(server) == "ecdsa-sha2-nistp256"
    assert try_transport(server, key_types=["ssh-ed25519"]) is None
    assert not list(server.config_dir.glob("id_*")), "none is made beside it"


CHOSEN = {"kex_algorithms": ("kex", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521"), "ciphers": ("ciphers", "aes256-ctr", "aes128-ctr"),
          "macs": ("digests", "hmac-sha2-512", "hmac-sha2-256")}


@pytest.mark.parametrize("key", CHOSEN)
def test_configured_algorithms_are_the_only_ones(fresh, key):
    kind, chosen, other = CHOSEN[key]
    server = fresh(config={"sftpd": {key: [chosen]}})
    server.add_account("alice")
    server.start()
    fixed = {} if kind != "digests" else {"ciphers": ["aes128-ctr"]}
    assert try_transport(server, **{kind: [chosen]}, **fixed)
    assert try_transport(server, **{kind: [other]}, **fixed) is None


@pytest.mark.parametrize("key", CHOSEN)
def test_an_unknown_algorithm_stops_the_start_and_check_config_says_so_first(fresh, key):
    server = fresh(config={"sftpd": {key: [CHOSEN[key][1], "rot13"]}})
    server.initialise()
    refusal = refused_start(server, f"sftpd.{key}", "rot13")
    done = server.cli("check-config", check=False)
    assert done.returncode == 1 and done.stderr.removeprefix("Error: ").strip() in refusal


def test_check_config_finds_what_serve_would(fresh):
    server = fresh()
    missing = server.cli("check-config", check=False)
    assert missing.returncode == 1 and "sallyport initprovider" in missing.stderr
    server.initialise()
    assert server.cli("check-config").returncode == 0
    (server.config_dir / "id_rsa").write_text("no key")
    broken = server.cli("check-config", check=False)
    assert broken.returncode == 1 and "id_rsa" in broken.stderr
    (server.config_dir / "id_rsa").unlink()
    assert server.cli("check-config").returncode == 0
    assert not (server.config_dir / "id_rsa").exists(), "a check makes nothing"
    server.config["sftpd"]["keys"] = ["missing_key"]
    server.write_config()
    assert "missing_key" in server.cli("check-config", check=False).stderr
    server.config["sftpd"]["keys"] = []
    shutil.copy(server.keyring.host("rsa"), server.config_dir / "cert.pem")
    (server.config_dir / "admins").write_text("no line of htpasswd\n")
    for httpd, key in [({"auth_user_file": "admins"}, "httpd.auth_user_file"), ({"auth_user_file": "none"}, "httpd.auth_user_file"),
                       ({"certificate_file": "cert.pem", "certificate_key_file": "cert.pem"}, "httpd.certificate_file")]:
        server.config["httpd"] = {"bind_port": -1, **httpd}
        server.write_config()
        assert key in server.cli("check-config", check=False).stderr
    server.config["httpd"] = {"bind_port": 0}
    for text, problem in [("{", "line 1, column 2: the file ends too early"), ("{x", "is not valid JSON"), (None, "dump.json"), ('{"users": 1}', "dump.json")]:
        server.config["data_provider"] = {"driver": "memory", "name": "dump.json"}
        server.write_config()
        dump = server.config_dir / "dump.json"
        dump.unlink(missing_ok=True) if text is None else dump.write_text(text)
        told = server.cli("check-config", check=False)
        assert told.returncode == 1 and told.stderr.count(problem) == 1 and told.stderr.count("\n") == 1
    shutil.rmtree(server.config_dir)
    gone = server.cli("check-config", check=False)
    assert gone.returncode == 1 and "no such configuration directory" in gone.stderr


@pytest.fixture
def plugins(tmp_path):
    """A plugin directory of one's own, of links: to be spoilt."""
    directory = tmp_path / "plugins"
    directory.mkdir(mode=0o755)
    for plugin in (binary().parent / "../lib/sallyport/plugins").resolve().glob("*.so"):
        (directory / plugin.name).symlink_to(plugin)
    return directory


# what is asked for: (the configuration, the file that is broken or missing)
ASKED = {"path": lambda there: ({"plugins": {"paths": [str(there / "more/extra.so")]}}, "more/extra.so"),
         "storage": lambda there: ({"plugins": {"storage": {"fs-s3": {}}}}, "fs-s3.so"),
         "default": lambda there: ({}, "fs-local.so"),
         "provider": lambda there: ({}, "provider-sqlite.so"),
         "authenticator": lambda there: ({"plugins": {"authenticators": ["who"]}}, "who.so"),
         "login-program": lambda there: ({"data_provider": {"pre_login_program": "/bin/true"}}, "auth-external.so"),
         "actions": lambda there: ({"sftpd": {"actions": {"execute_on": ["upload"], "command": "/bin/true"}}}, "actions.so"),
         "service": lambda there: ({"httpd": {"bind_port": -1}}, "admin-http.so")}


@pytest.mark.parametrize("broken", [True, False], ids=["broken", "missing"])
@pytest.mark.parametrize("asked", ASKED)
def test_a_plugin_that_does_not_load_is_named_before_the_start(fresh, plugins, asked, broken):
    wanted, name = ASKED[asked](plugins)
    server = fresh(config=wanted)
    server.initialise()
    server.config.setdefault("plugins", {})["directory"] = str(plugins)
    server.write_config()
    file = plugins / name
    file.unlink(missing_ok=True)
    file.parent.mkdir(exist_ok=True, mode=0o755)
    if broken:
        file.write_text("no library")
    done = server.cli("check-config", check=False)
    reason = "no shared library" if broken else "found no"
    assert done.returncode == 1 and "good" not in done.stdout
    assert len([line for line in done.stderr.splitlines() if line.startswith("Error: ") and str(file) in line and reason in line]) == 1, done.stderr
    refused_start(server, str(file), reason)


def test_a_storage_of_accounts_that_does_not_load_is_a_note(fresh, plugins):
    """The server starts, and these accounts cannot log in."""
    server = fresh(config={"plugins": {"directory": str(plugins)}})
    server.add_account("alice")
    bucket = json.dumps({"username": "bob", "status": 1, "home_dir": "/srv/bob", "permissions": {"/": ["*"]}, "filesystem": {
        "provider": 1, "s3config": {"bucket": "b", "region": "r", "access_key": "a", "access_secret": "s"}}})
    (server.directory / "bob.json").write_text(bucket)
    server.cli("user", "add", "bob", "--json", server.directory / "bob.json", "--password-stdin", input="secret\n")
    assert "Note" not in server.cli("check-config").stdout
    (plugins / "fs-s3.so").unlink()
    (plugins / "fs-s3.so").write_text("no library")
    told = server.cli("check-config").stdout
    assert f"Note: data provider sqlite: accounts with files on fs-s3 cannot log in: cannot load plugin {plugins}/fs-s3.so: " in told
    server.start()


def test_events_that_nobody_is_told_of_are_named(fresh):
    server = fresh(config={"sftpd": {"actions": {"execute_on": ["upload"]}}, "data_provider": {"actions": {"execute_on": ["add"]}}})
    server.start()
    checked = server.cli("check-config").stderr
    for key in ("sftpd.actions", "data_provider.actions"):
        wanted = f"{key}.execute_on has no effect: neither {key}.command nor {key}.http_notification_url is set"
        assert [line["level"] for line in server.log_lines() if line.get("message") == wanted] == ["warn"]
        assert checked.count(f"Warning: {wanted}\n") == 1
