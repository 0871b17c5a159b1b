# SPDX-License-Identifier: Apache-2.0
"""sallyport-cli: its subcommands against a running server, and that no password ever stands in a command line."""
import json
import socket
import threading

import paramiko
import pytest

import rawsftp as s
from rest import HASH
from server import REPOSITORY
from test_rest_auth import certificate, openssl_hash, write
from util import clean_env, run

pytestmark = pytest.mark.ours
CLI = REPOSITORY / "tools/sallyport-cli"


@pytest.fixture
def cli(rest_server):
    def call(*words, input=None, check=True, url=rest_server.rest_url, **env):
        done = run([CLI, "-b", url, *words], input=input or "", check=False, env=clean_env(rest_server.client_home, **env))
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done
    return call


def answer(done):
    return json.loads(done.stdout)


def test_life_of_an_account(cli, rest, rest_server):
    home = rest_server.directory / "homes/cara"
    made = answer(cli("add-user", "cara", "-P", "-H", home, "-G", "list", "download", "--subdirs-permissions", "/in::list,upload",
                      "--virtual-folders", "/v::/srv/v", "-C", "2", "-S", "1000", "-F", "10", "-U", "30", "-D", "40",
                      "--uid", "1000", "--gid", "1001", "-E", "2030-01-02", "-L", "publickey", "-Y", "127.0.0.0/8", "-N",
                      "203.0.113.0/24", "--denied-extensions", "/::.exe,.bat", "--allowed-extensions", "/in::.txt",
                      input="cara's password\n"))
    stored = rest.user("cara")
    assert stored == made
    wanted = {"status": 1, "home_dir": str(home), "permissions": {"/": ["list", "download"], "/in": ["list", "upload"]},
              "virtual_folders": [{"virtual_path": "/v", "mapped_path": "/srv/v"}], "max_sessions": 2, "quota_size": 1000,
              "quota_files": 10, "upload_bandwidth": 30, "download_bandwidth": 40, "uid": 1000, "gid": 1001,
              "expiration_date": 1893542400000, "filesystem": {"provider": 0, "s3config": {}, "gcsconfig": {}}}
    assert {name: stored[name] for name in wanted} == wanted
    filters = stored["filters"]
    assert (filters["denied_login_methods"], filters["allowed_ip"], filters["denied_ip"]) == (
        ["publickey"], ["127.0.0.0/8"], ["203.0.113.0/24"])
    assert sorted(filters["file_extensions"], key=lambda each: each["path"]) == [
        {"path": "/", "denied_extensions": [".exe", ".bat"]}, {"path": "/in", "allowed_extensions": [".txt"]}]
    with s.transport(rest_server, None, login=False) as link:
        link.auth_password("cara", "cara's password")

    answer(cli("update-user", stored["id"], "--max-sessions", "5", "-Y", "--virtual-folders"))
    after = answer(cli("get-user-by-id", stored["id"]))
    assert after["max_sessions"] == 5 and "allowed_ip" not in after["filters"] and "virtual_folders" not in after
    assert after["home_dir"] == str(home) and after["filters"]["denied_ip"] == ["203.0.113.0/24"]
    assert [each["username"] for each in answer(cli("get-users", "-L", "5", "-O", "0", "-S", "DESC", "-U", "cara"))] == ["cara"]
    assert answer(cli("delete-user", stored["id"]))["message"] == "User deleted"
    gone = cli("get-user-by-id", stored["id"], check=False)
    assert gone.returncode == 1 and answer(gone)["status"] == 404


@pytest.mark.parametrize("source", ["standard input", "file", "environment"])
def test_where_a_password_comes_from(cli, rest, rest_server, tmp_path, source):
    (tmp_path / "secret").write_text("the word\n")
    words, extra = {"standard input": (["-P"], {"input": "the word\n"}), "file": (["--password-file", tmp_path / "secret"], {}),
                    "environment": ([], {"SALLYPORT_CLI_PASSWORD": "the word"})}[source]
    made = answer(cli("add-user", "dan", *words, "-H", rest_server.directory / "homes/dan", "-G", "*", **extra))
    try:
        with s.transport(rest_server, None, login=False) as link:
            link.auth_password("dan", "the word")
    finally:
        rest.delete(f"user/{made['id']}")


@pytest.mark.parametrize("words", [["add-user", "x", "-P", "tell-tale"], ["add-user", "x", "--password=tell-tale"],
                                   ["add-user", "x", "-Ptell-tale"], ["update-user", "1", "x", "--s3-access-secret", "tell-tale"],
                                   ["-u", "admin", "-p", "tell-tale", "get-users"], ["-u", "admin", "-ptell-tale", "get-users"],
                                   ["--auth-password=tell-tale", "get-users"]], ids=" ".join)
def test_a_password_in_the_command_line_is_refused(cli, rest, words):
    done = cli(*words, check=False)
    assert done.returncode == 2 and "takes no value" in done.stderr
    assert "tell-tale" not in done.stdout + done.stderr and rest.get("user", username="x").json == []


def test_debugging_shows_no_secrets(cli, rest, rest_server):
    done = cli("-d", "add-user", "eli", "-P", "-H", rest_server.directory / "homes/eli", "-G", "*", input="tell-tale\n")
    assert "POST" in done.stderr and "tell-tale" not in done.stderr
    rest.delete(f"user/{answer(done)['id']}")


def test_connections(cli, rest, rest_server):
    user = rest.add(rest_server, "fay", password="fay")
    with s.transport(rest_server, None, login=False) as link:
        link.auth_password("fay", "fay")
        s.subsystem(link)
        (shown,) = [each for each in answer(cli("get-connections")) if each["username"] == "fay"]
        assert answer(cli("close-connection", shown["connection_id"]))["message"] == "Connection closed"
    assert cli("close-connection", "no/such one", check=False).returncode == 1
    assert answer(cli("close-connections", "nobody"))["message"] == "0 connections closed"
    rest.delete(f"user/{user['id']}")


def test_scans_dumps_and_the_rest(cli, rest, rest_server):
    user = rest.add(rest_server, "gil", password=HASH)
    assert answer(cli("start-quota-scan", "gil"))["message"] == "Scan started"
    assert isinstance(answer(cli("get-quota-scans")), list)
    rest.wait_for_scans()
    assert answer(cli("dumpdata", "cli.json", "-I", "1"))["message"] == "Data saved"
    rest.delete(f"user/{user['id']}")
    file = rest_server.config_dir / "backups/cli.json"
    assert answer(cli("loaddata", file, "-Q", "0", "-M", "1"))["summary"]["added"] == 1
    rest.delete(f"user/{rest.user('gil')['id']}")
    assert answer(cli("get-version"))["version"] and answer(cli("get-provider-status"))["message"] == "Alive"
    assert answer(cli("get-bans")) == []
    assert cli("lift-ban", "192.0.2.1", check=False).returncode == 1


def test_colours_only_when_wanted(cli):
    assert "\033[" not in cli("get-version").stdout
    coloured = cli("-c", "get-version").stdout
    assert "\033[" in coloured
    assert "\033[" not in cli("-t", "get-version").stdout


def test_a_server_that_is_not_there(cli):
    done = cli("get-version", url="http://127.0.0.1:1", check=False)
    assert done.returncode == 1 and "no answer from http://127.0.0.1:1" in done.stderr


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1", "http://", "http://127.0.0.1:99999", "http://[::1"])
def test_an_address_that_is_none(cli, url):
    done = cli("get-version", url=url, check=False)
    assert done.returncode == 2 and f"--base-url: {url!r} is not http://HOST[:PORT]" in done.stderr


def test_a_server_that_speaks_something_else(cli, rest_server):
    done = cli("get-version", url=f"http://127.0.0.1:{rest_server.port}", check=False)
    assert done.returncode == 1 and f"no HTTP server answers at http://127.0.0.1:{rest_server.port}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"version\"",
                                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n{", b"HTTP/1.1 two OK\r\n\r\n",
                                    b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n",
                                    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\xff{]"], ids=lambda answer: repr(answer[:40]))
def test_half_an_answer(cli, answer):
    def serve(listener):
        link, _ = listener.accept()
        with link:
            while not link.recv(65536).endswith(b"\r\n\r\n"):
                pass
            link.sendall(answer)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        done = cli("get-version", url="http://127.0.0.1:%d" % listener.getsockname()[1], check=False)
        thread.join()
    assert done.returncode == 1 and "127.0.0.1" in done.stderr and done.stdout == ""
    assert "Traceback" not in done.stderr


def test_authentication_and_https(cli, make_server, tmp_path):
    server = make_server(config={"httpd": {"bind_port": -1, "auth_user_file": "admins", "certificate_file": "cert.pem",
                                           "certificate_key_file": "key.pem"}})
    write(server.config_dir / "admins", f"root:{openssl_hash('1', 'tell-tale')}\n")
    certificate(server.config_dir, "box")
    server.start()
    try:
        (tmp_path / "secret").write_text("tell-tale")
        assert cli("get-version", url=server.rest_url, check=False).returncode == 1, "a certificate that nobody vouches for"
        assert cli("-i", "get-version", url=server.rest_url, check=False).returncode == 1
        for words, extra in ((["-p"], {"input": "tell-tale\n"}), ([], {"input": "tell-tale\n"}),
                             (["--auth-password-file", tmp_path / "secret"], {}),
                             ([], {"SALLYPORT_CLI_AUTH_PASSWORD": "tell-tale"})):
            assert answer(cli("-i", "-u", "root", *words, "get-version", url=server.rest_url, **extra))["version"]
        assert cli("-i", "-u", "root", "-p", "get-version", url=server.rest_url, input="wrong\n", check=False).returncode == 1
    finally:
        server.stop()
