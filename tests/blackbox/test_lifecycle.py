# SPDX-License-Identifier: Apache-2.0
"""Starting, refusing to start, and stopping: configuration, host keys, ports, signals, broken surroundings."""
import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import time

import pytest

import clients
import rawsftp as s
from server import binary
from util import run, seconds, sha256, wait_for, write_pattern


@pytest.fixture
def fresh(make_server):
    """fresh(...) gives unstarted servers that come to a clean end after the test, unless it has seen how they ended."""
    made = []

    def make(**options):
        made.append(make_server(**options))
        return made[-1]
    with contextlib.ExitStack() as stack:
        yield make
        for server in made:
            stack.callback(server.stop)


def refused_start(server, *mentions):
    """`serve` must end by itself with code 1 and one clear message with those words on stderr."""
    server.spawn()
    server.ended(1)
    stderr = server.stderr_text()
    for word in mentions:
        assert str(word) in stderr, f"no {word!r} in: {stderr}"
    errors = [line for line in stderr.splitlines() if line.strip()]
    assert len(errors) == 1, f"one clear message, not: {stderr}"
    return errors[0]


# -- configuration

WRONG = {
    "type": ({"sftpd": {"bind_port": "abc"}}, ["sallyport.json", "bind_port", "abc"]),
    "range": ({"sftpd": {"bind_port": 70000}}, ["sallyport.json", "bind_port", "70000"]),
    "address": ({"sftpd": {"bind_address": "not-an-address"}}, ["bind_address", "not-an-address"]),
    "section": ({"sftpd": []}, ["sallyport.json", "sftpd"]),
    "bool": ({"sftpd": {"enable_scp": "maybe"}}, ["enable_scp", "maybe"]),
    "proxy": ({"sftpd": {"proxy_allowed": ["10.0.0.0/33"]}}, ["sallyport.json", "proxy_allowed", "10.0.0.0/33", "CIDR"]),
    "defender": ({"defender": {"denied": ["somewhere"]}}, ["sallyport.json", "defender.denied", "somewhere", "CIDR"]),
    "driver": ({"data_provider": {"driver": "oracle"}}, ["driver", "oracle"]),
    "umask": ({"sftpd": {"umask": "0999"}}, ["umask", "0999"]),
    "cipher": ({"sftpd": {"ciphers": ["rot13"]}}, ["ciphers", "rot13"]),
    "plugin-missing": ({"plugins": {"paths": ["/nonexistent/fs-x.so"]}}, ["/nonexistent/fs-x.so"]),
    "plugin-directory": ({"plugins": {"directory": "/nonexistent/plugins"}}, ["/nonexistent/plugins"]),
    "plugin-pin": ({"plugins": {"sha256": {"fs-local": "0" * 64}}}, ["fs-local"]),
}


@pytest.mark.parametrize("config, mentions", WRONG.values(), ids=WRONG.keys())
def test_wrong_configuration_stops_the_start(fresh, config, mentions):
    server = fresh()
    server.initialise()
    merged = {**server.config, **{k: ({**server.config.get(k, {}), **v} if isinstance(v, dict) else v) for k, v in config.items()}}
    server.write_config(config=merged)
    refused_start(server, *mentions)


@pytest.mark.parametrize("text", ["", "{", "[]", "{\"sftpd\": {\"bind_port\": 0,}}", "\0\0\0", "null"])
def test_file_that_is_no_json_object(fresh, text):
    server = fresh()
    server.initialise()
    (server.config_dir / "sallyport.json").write_text(text)
    refused_start(server, "sallyport.json")


def test_unknown_key_only_warns(fresh):
    server = fresh(config={"sftpd": {"bind_prot": 1}, "no_such_section": {"x": 1}})
    server.start()
    warnings = [l["message"] for l in server.log_lines() if l["level"] == "warn"]
    assert any("bind_prot" in text for text in warnings) and any("no_such_section" in text for text in warnings), warnings


def test_broken_plugins(fresh, tmp_path):
    """Corrupt, no library at all, the wrong symbol, and one that anybody may write: refused by name, no crash."""
    good = binary().parent.parent / "lib/sallyport/plugins/fs-local.so"
    cases = {"text.so": b"this is no library", "empty.so": b"", "cut.so": good.read_bytes()[:5000]}
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        server = fresh(config={"plugins": {"paths": [str(tmp_path / name)]}})
        server.config["plugins"]["paths"], paths = [], server.config["plugins"]["paths"]
        server.write_config()
        server.initialise()
        server.config["plugins"]["paths"] = paths
        server.write_config()
        refused_start(server, name)


def test_world_writable_plugin(fresh, tmp_path):
    good = binary().parent.parent / "lib/sallyport/plugins"
    shutil.copytree(good, tmp_path / "plugins")
    server = fresh()
    server.initialise()
    server.config["plugins"] = {"directory": str(tmp_path / "plugins")}
    server.write_config()
    (tmp_path / "plugins/fs-local.so").chmod(0o777)
    refused_start(server, "fs-local.so", "writable")
    (tmp_path / "plugins/fs-local.so").chmod(0o755)
    server.start()


def test_missing_provider_table(fresh):
    """The reference's first trap: serve before initprovider. Ours either says what to do or prepares the database."""
    server = fresh()
    server.initialised = True
    server.spawn()
    wait_for("an outcome", lambda: not server.alive() or "listening on" in server.log_text(), 20)
    if not server.alive():
        server.ended(1)
        assert "initprovider" in server.stderr_text()


def test_port_in_use(fresh):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = fresh(config={"sftpd": {"bind_port": port}})
        server.initialise()
        refused_start(server, port)


def test_directory_that_cannot_be_written(fresh):
    """No host keys and no place to put them. Without CAP_DAC_OVERRIDE root is an ordinary user."""
    wrapper = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    server = fresh(wrapper=wrapper, host_keys=False)
    server.initialise()
    server.config_dir.chmod(0o500)
    try:
        refused_start(server, str(server.config_dir))
    finally:
        server.config_dir.chmod(0o700)


@pytest.mark.parametrize("name", ["sallyport.json", "sftpgo.json"])
def test_default_config_names(fresh, name):
    server = fresh(config={"sftpd": {"banner": "Named"}})
    (server.config_dir / "sallyport.json").rename(server.config_dir / name)
    server.start()
    assert banner(server) == b"SSH-2.0-Named\r\n"


def test_sallyport_json_comes_before_sftpgo_json(fresh):
    server = fresh(config={"sftpd": {"banner": "First"}})
    server.write_config("sftpgo.json", {"sftpd": {"banner": "Second", "bind_port": 0}})
    server.start()
    assert banner(server) == b"SSH-2.0-First\r\n"


def test_config_file_flag(fresh):
    server = fresh()
    server.initialise()
    server.write_config("other.json", {**server.config, "sftpd": {**server.config["sftpd"], "banner": "Other"}})
    server.start("-f", "other")
    assert banner(server) == b"SSH-2.0-Other\r\n"


def banner(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds(10)) as sock:
        return sock.makefile("rb").readline()


@pytest.mark.parametrize("in_file", [True, False], ids=["key-in-file", "key-not-in-file"])
def test_environment_overrides(fresh, in_file):
    server = fresh(config={"sftpd": {"banner": "FromFile"}} if in_file else {},
                   env={"SFTPGO_SFTPD__BANNER": "FromEnvironment", "SFTPGO_SFTPD__BIND_PORT": "0"})
    if not in_file:
        del server.config["sftpd"]["bind_port"]
        server.write_config()
    server.start()
    assert banner(server) == b"SSH-2.0-FromEnvironment\r\n"


def test_wrong_environment_value_stops_the_start(fresh):
    server = fresh()
    server.initialise()
    server.extra_env = {"SFTPGO_SFTPD__BIND_PORT": "many"}
    refused_start(server, "SFTPGO_SFTPD__BIND_PORT", "many")


# -- host keys

def test_host_keys_are_made_once(fresh):
    server = fresh(host_keys=False)
    server.initialise()
    server.spawn()
    server.wait_log(lambda l: l.get("message", "").startswith("listening on "), timeout=60)
    keys = {"id_rsa": ("4096", "RSA"), "id_ecdsa": ("256", "ECDSA"), "id_ed25519": ("256", "ED25519")}
    for name, (bits, kind) in keys.items():
        path = server.config_dir / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        shown = run(["ssh-keygen", "-lf", path]).stdout.split()
        assert (shown[0], shown[-1]) == (bits, f"({kind})")
        derived = run(["ssh-keygen", "-yf", path]).stdout.split()[:2]
        assert path.with_suffix(".pub").read_text().split()[:2] == derived
    before = {name: (server.config_dir / name).read_bytes() for name in keys}
    server.stop()
    server.start()
    assert {name: (server.config_dir / name).read_bytes() for name in keys} == before


def test_host_key_that_is_broken_stops_the_start(fresh):
    server = fresh()
    server.initialise()
    (server.config_dir / "id_ecdsa").write_text("-----BEGIN EC PRIVATE KEY-----\nnonsense\n-----END EC PRIVATE KEY-----\n")
    refused_start(server, "id_ecdsa")


# -- the end

def test_stop_lets_a_running_transfer_finish(fresh, tmp_path):
    server = fresh(config={"sftpd": {"drain_timeout": 60}})
    account = server.add_account("alice")
    server.start()
    want = write_pattern(account.home / "f", 24 << 20)
    client = clients.OpenSshSftp(server, account)
    argv = ["sftp", "-l", "100000", *client.ssh_options(), "-P", str(server.port), "-b", "-", "alice@127.0.0.1"]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=server.env())
    process.stdin.write(f'get /f "{tmp_path}/down"\n'.encode())
    process.stdin.close()
    wait_for("data flows", lambda: (tmp_path / "down").exists() and (tmp_path / "down").stat().st_size > 1 << 20, 20)
    server.process.send_signal(signal.SIGTERM)
    wait_for("no new connections", lambda: not connects(server.port))
    process.wait(seconds(60))
    assert sha256(tmp_path / "down") == want, process.stderr.read()
    server.ended(0, timeout=10)


def connects(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def test_idle_sessions_do_not_hold_the_stop(fresh):
    server = fresh(config={"sftpd": {"drain_timeout": 60}})
    account = server.add_account("alice")
    server.start()
    with s.session(server, account) as sftp:
        sftp.name(s.REALPATH, ".")
        start = time.monotonic()
        server.stop()
        assert time.monotonic() - start < seconds(10)


def test_drain_timeout_and_second_signal(fresh):
    server = fresh(config={"sftpd": {"drain_timeout": 60}})
    account = server.add_account("alice")
    server.start()
    with s.session(server, account) as sftp:
        handle = sftp.open("/f", s.F_WRITE | s.F_CREAT)
        sftp.write(handle, 0, b"unfinished")
        server.process.send_signal(signal.SIGTERM)
        wait_for("no new connections", lambda: not connects(server.port))
        assert server.alive(), "the open upload should hold the stop"
        start = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.ended(0, timeout=10)
        assert time.monotonic() - start < seconds(10)


def test_drain_timeout_that_expires(fresh):
    server = fresh(config={"sftpd": {"drain_timeout": 1}})
    account = server.add_account("alice")
    server.start()
    with s.session(server, account) as sftp:
        handle = sftp.open("/f", s.F_WRITE | s.F_CREAT)
        sftp.write(handle, 0, b"unfinished")
        server.process.send_signal(signal.SIGTERM)
        server.ended(0, timeout=10)
    assert (account.home / "f").exists(), "what had arrived stays"


def test_login_grace(fresh):
    server = fresh(config={"sftpd": {"login_grace_time": 2}})
    account = server.add_account("alice")
    server.start()
    start = time.monotonic()
    with s.session(server, account) as logged_in, socket.create_connection(("127.0.0.1", server.port), timeout=seconds(20)) as silent, \
            s.transport(server, account, login=False) as half:
        while silent.recv(1000):
            pass
        wait_for("the half-open login ends", lambda: not half.is_active())
        assert 1.5 < time.monotonic() - start < seconds(10)
        assert logged_in.name(s.REALPATH, ".") == b"/", "a login that is complete stays"


# -- surroundings that break

def test_missing_home_is_made_at_login(fresh):
    server = fresh()
    account = server.add_account("alice", create_home=False)
    server.start()
    assert not account.home.exists()
    with s.session(server, account) as sftp:
        sftp.write_file("/f", b"x")
    assert (account.home / "f").read_bytes() == b"x"


def test_home_that_vanishes(fresh):
    server = fresh()
    account = server.add_account("alice")
    server.start()
    with s.session(server, account) as sftp:
        shutil.rmtree(account.home)
        mark = server.mark()
        for number, request in enumerate([(s.OPEN, s.string("/f"), s.u32(s.F_WRITE | s.F_CREAT), s.u32(0)),
                                          (s.MKDIR, s.string("/d"), s.u32(0)), (s.STAT, s.string("/")), (s.STAT, s.string("/f")),
                                          (s.OPENDIR, s.string("/"))], start=1):
            assert sftp.status(*request) == s.FAILURE, "neither a missing file nor an empty directory"
            assert all("the home directory has been removed" in line["message"] for line in server.complaints(mark, number))
    with s.session(server, account) as sftp:
        sftp.write_file("/f", b"x")


def test_full_disk(fresh, tmp_path):
    """The home is a file system of 1 MiB that only this server sees."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    home = tmp_path / "small"
    home.mkdir()
    wrapper = ["unshare", "-m", "--propagation", "private", "sh", "-c", 'mount -t tmpfs -o size=1m none "$0" && exec "$@"', home]
    server = fresh(wrapper=wrapper)
    account = server.add_account("alice", home=home)
    server.start()
    with s.session(server, account) as sftp:
        mark = server.mark()
        handle = sftp.open("/big", s.F_WRITE | s.F_CREAT)
        codes = [sftp.status(s.WRITE, s.string(handle), s.u64(n << 15), s.string(bytes(1 << 15))) for n in range(64)]
        assert codes[0] == s.OK and codes[-1] == s.FAILURE
        assert sftp.status(s.CLOSE, s.string(handle)) == s.FAILURE, "not all of it was stored"
        told = server.complaints(mark, 1)
        assert len(told) == 1 and "No space left" in told[0]["message"] and told[0]["connection_id"]
        sftp.call(s.REMOVE, s.string("/big"))
        sftp.write_file("/small", b"fits again")
        assert sftp.read_file("/small") == b"fits again"


def test_unreadable_file_and_directory(fresh):
    wrapper = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    server = fresh(wrapper=wrapper)
    account = server.add_account("alice")
    (account.home / "f").write_text("x")
    (account.home / "d").mkdir()
    (account.home / "f").chmod(0)
    (account.home / "d").chmod(0)
    server.start()
    with s.session(server, account) as sftp:
        mark = server.mark()
        for number, (request, path) in enumerate([
                ((s.OPEN, s.string("/f"), s.u32(s.F_READ), s.u32(0)), "/f"), ((s.OPENDIR, s.string("/d")), "/d"),
                ((s.OPEN, s.string("/d/x"), s.u32(s.F_WRITE | s.F_CREAT), s.u32(0)), "/d/x")], start=1):
            assert sftp.status(*request) == s.PERMISSION_DENIED
            told = server.complaints(mark, number)
            assert f'"{account.home}{path}"' in told[-1]["message"] and told[-1]["connection_id"]
        assert sftp.stat("/f").size == 1
        assert len(server.complaints(mark, 3)) == 3, "one line each"


# -- the same database and directory again

def test_restart_keeps_users(fresh):
    server = fresh()
    account = server.add_account("alice")
    for _ in range(2):
        server.start()
        with s.session(server, account) as sftp:
            assert sftp.name(s.REALPATH, ".") == b"/"
        server.stop()


def test_memory_provider(fresh):
    """No database at all; without users nobody gets in, and the start says nothing of errors."""
    server = fresh(config={"data_provider": {"driver": "memory", "name": ""}})
    server.initialised = True
    server.start()
    assert banner(server).startswith(b"SSH-2.0-")
