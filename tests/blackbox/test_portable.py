# SPDX-License-Identifier: Apache-2.0
"""Portable mode: its flags and defaults, what it says, how it ends, and that it leaves nothing behind."""
import hashlib
import json
import os
import re
import signal
import stat
import subprocess

import paramiko
import pytest

from portable import AT_HOME, Portable, quiet_port
from server import binary
from util import clean_env, run, seconds, wait_for

pytestmark = pytest.mark.ours
DEFAULT_COMMANDS = ["md5sum", "sha1sum", "cd", "pwd"]


@pytest.fixture
def shared(tmp_path):
    """A directory to serve, also where the server is started."""
    directory = tmp_path / "shared"
    directory.mkdir()
    (directory / "hello.txt").write_text("hello")
    return directory


def refused(cwd, *args, env=None):
    done = run([binary(), "portable", *args], check=False, cwd=cwd, env=clean_env(cwd, **(env or {})))
    assert done.returncode == 1 and done.stdout == "" and "Traceback" not in done.stderr, done
    return done.stderr


def execute(portable, command):
    link = portable.transport()
    try:
        channel = link.open_session()
        channel.settimeout(seconds(20))
        channel.exec_command(command)
        channel.shutdown_write()
        return channel.makefile("rb").read().decode(), channel.recv_exit_status()
    finally:
        link.close()


def names(directory):
    return sorted(os.listdir(directory))


def test_the_line_that_scripts_know(shared):
    with Portable(shared, "-s", "0", "-u", "ann", "-p", "pa\"ss", "-g", "list,download,upload", json=False) as portable:
        found = re.fullmatch(r'Portable mode ready, SFTP port: (\d+), user: "ann", password: "pa\\"ss", public keys: \[\], '
                             rf'directory: "{re.escape(str(shared))}", permissions: map\[/:\[list download upload\]\], '
                             r"enabled ssh commands: \[md5sum sha1sum cd pwd\]", portable.ready)
        assert found and 49152 <= int(found[1]) <= 64151, portable.ready
        portable.port, portable.info = int(found[1]), {"username": "ann", "password": 'pa"ss'}
        with portable.sftp() as sftp:
            assert sftp.listdir("/") == ["hello.txt"]


def test_the_line_is_one_whatever_is_in_it(tmp_path, keyring):
    """A key as its file has it, and a directory that somebody named so."""
    directory = tmp_path / "a\nb\x1b"
    directory.mkdir()
    key = keyring.user().with_suffix(".pub").read_text()
    assert key.endswith("\n")
    with Portable(directory, "-s", "0", "-u", "a\nb", "-p", "pw", "-k", key, json=False) as portable:
        assert f'user: "a\\x0ab", password: "pw", public keys: [{key[:-1]}\\x0a], directory: "{tmp_path}/a\\x0ab\\x1b"' in portable.ready
        assert portable.ready.endswith("]"), portable.ready


def test_every_flag_of_the_reference_is_there(shared):
    shown = run([binary(), "portable", "--help"], env=clean_env(shared)).stdout
    for short, name in zip("dscupkglSCf", ("directory", "sftpd-port", "ssh-commands", "username", "password", "public-key", "permissions",
                                           "log-file-path", "advertise-service", "advertise-credentials", "fs-provider")):
        assert re.search(rf"-{short},--{name}\b", shown), name
    for name in ("s3-bucket", "s3-region", "s3-access-key", "s3-access-secret", "s3-endpoint", "s3-storage-class", "s3-key-prefix", "gcs-bucket",
                 "gcs-storage-class", "gcs-key-prefix", "gcs-credentials-file", "gcs-automatic-credentials"):
        assert f"--{name} " in shown, name


def test_values_behind_an_equals_sign(shared):
    with Portable(shared, "-S=false", "-u=ann", "--password=x=y", "-g=*") as portable:
        assert (portable.info["username"], portable.info["password"], portable.info["permissions"]) == ("ann", "x=y", {"/": ["*"]})


def test_defaults(shared):
    with Portable(shared, home=[]) as portable:
        info = portable.info
        assert info["username"] == "user" and re.fullmatch("[A-Za-z0-9]{8}", info["password"])
        assert info["address"] == "" and 49152 <= info["port"] <= 64151
        assert info["public_keys"] == [] and info["permissions"] == {"/": ["list", "download"]}
        assert info["ssh_commands"] == DEFAULT_COMMANDS and info["directory"] == str(shared)
        assert {key["type"] for key in info["host_keys"]} == {"ssh-ed25519", "ecdsa-sha2-nistp256"}
        assert info["pid"] == portable.process.pid and not info["any_credentials"]
        with portable.sftp() as sftp:
            assert sftp.open("/hello.txt").read() == b"hello"
            for attempt in (lambda: sftp.open("/new", "w"), lambda: sftp.remove("/hello.txt"), lambda: sftp.mkdir("/d"),
                            lambda: sftp.open("/hello.txt", "w"), lambda: sftp.rename("/hello.txt", "/b")):
                with pytest.raises(PermissionError):
                    attempt()
        with pytest.raises(paramiko.AuthenticationException):
            portable.transport(password="wrong")
        with pytest.raises(paramiko.AuthenticationException):
            portable.transport(username="somebody")
    assert names(shared) == ["hello.txt"], "it left something where it was started"


def test_two_runs_have_nothing_in_common(shared):
    with Portable(shared) as one, Portable(shared) as other:
        for key in ("port", "password"):
            assert one.info[key] != other.info[key]
        fingerprints = {key["fingerprint"] for portable in (one, other) for key in portable.info["host_keys"]}
        assert len(fingerprints) == 4


def test_another_directory(shared, tmp_path):
    with Portable(tmp_path, "-d", "shared/") as portable:
        assert portable.info["directory"] == str(shared)
        with portable.sftp() as sftp:
            assert sftp.listdir("/") == ["hello.txt"]
    assert "no such directory" in refused(tmp_path, "--directory", "missing")
    assert "--s3-bucket: wants --fs-provider 1" in refused(tmp_path, "--s3-bucket", "b")
    (tmp_path / "file").touch()
    assert refused(tmp_path, "--directory", "file") == f"Error: --directory: {tmp_path}/file: not a directory\n"


def test_what_it_serves_must_reach_somebody(shared):
    for flags in ([], ["--json"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([binary(), "portable", *AT_HOME, *flags], cwd=shared, stdout=full, stderr=subprocess.PIPE, text=True,
                                  stdin=subprocess.DEVNULL, env=clean_env(shared), timeout=seconds(30))
        assert (done.returncode, done.stderr) == (1, "sallyport cannot start: standard output cannot be written: No space left on device\n")


def test_a_fixed_port_and_one_that_is_taken(shared):
    port = quiet_port()
    with Portable(shared, "-s", str(port)) as portable:
        assert portable.port == port
        assert str(port) in refused(shared, *AT_HOME, "--sftpd-port", str(port))


def test_permissions_and_extensions(shared):
    (shared / "sub").mkdir()
    with Portable(shared, "-g", "*", "--denied-extensions", ".exe,.com", "--allowed-extensions", "/sub=.jpg") as portable:
        with portable.sftp() as sftp:
            sftp.mkdir("/d")
            for name, works in (("/a.txt", True), ("/a.EXE", False), ("/d/a.com", False), ("/sub/a.jpg", True), ("/sub/a.txt", False)):
                if works:
                    sftp.open(name, "w").close()
                else:
                    with pytest.raises(PermissionError):
                        sftp.open(name, "w")
    assert names(shared / "sub") == ["a.jpg"]
    assert "no-such-right" in refused(shared, "--permissions", "list,no-such-right")


@pytest.mark.parametrize("args, commands", [([], DEFAULT_COMMANDS), (["-c", "sha512sum"], ["sha512sum"]), (["--ssh-commands", "*"], ["*"])])
def test_ssh_commands(shared, args, commands):
    digest = hashlib.sha512(b"hello").hexdigest()
    with Portable(shared, *args) as portable:
        assert portable.info["ssh_commands"] == commands
        for command in ("md5sum", "sha512sum"):
            if command in commands or "*" in commands:
                assert execute(portable, f"{command} hello.txt")[1] == 0
            else:
                with pytest.raises(paramiko.SSHException):
                    execute(portable, f"{command} hello.txt")
        if commands == ["sha512sum"]:
            assert execute(portable, "sha512sum /hello.txt") == (f"{digest}  /hello.txt\n", 0)


def test_an_unknown_ssh_command(shared):
    assert "frobnicate" in refused(shared, "-c", "md5sum,frobnicate")


def test_public_keys_instead_of_a_password(shared, keyring):
    ours, other = (keyring.user(kind).with_suffix(".pub").read_text().strip() for kind in ("ed25519", "ecdsa"))
    with Portable(shared, "-k", ours, "--public-key-file", keyring.user("ecdsa").with_suffix(".pub")) as portable:
        assert portable.info["public_keys"] == [ours, other] and "password" not in portable.info
        for kind, read in (("ed25519", paramiko.Ed25519Key), ("ecdsa", paramiko.ECDSAKey)):
            portable.sftp(key=read.from_private_key_file(keyring.user(kind))).close()
        with pytest.raises(paramiko.AuthenticationException):
            portable.transport(password="")
    assert "key nr. 0" in refused(shared, "-k", "nonsense")


@pytest.mark.parametrize("way", ["file", "environment"])
def test_a_password_that_is_not_an_argument_is_not_shown(shared, tmp_path, way):
    (tmp_path / "secret").write_text("open sesame\n")
    args, env = (["--password-file", tmp_path / "secret"], {}) if way == "file" else ([], {"SFTPGO_PORTABLE_PASSWORD": "open sesame"})
    with Portable(shared, *args, env=env) as portable:
        assert "password" not in portable.info and "sesame" not in portable.ready
        portable.sftp(password="open sesame").close()
    with Portable(shared, *args, env=env, json=False) as portable:
        assert 'password: "[redacted]"' in portable.ready


def test_a_password_that_looks_like_a_hash_is_a_password(shared):
    with Portable(shared, "-p", "$6$rounds=5000$usesomesillystri$x") as portable:
        portable.sftp().close()


def test_host_keys_of_ones_own(shared, keyring):
    with Portable(shared, "--host-key", keyring.host("ecdsa")) as portable:
        assert portable.info["host_keys"] == []
        link = portable.transport()
        assert link.get_remote_server_key().asbytes() == paramiko.ECDSAKey.from_private_key_file(keyring.host("ecdsa")).asbytes()
        link.close()
    assert names(shared) == ["hello.txt"]


def openssh(portable, tmp_path, key):
    options = ["StrictHostKeyChecking=yes", f"UserKnownHostsFile={portable.known_hosts(tmp_path / 'known_hosts')}",
               "GlobalKnownHostsFile=/dev/null", "IdentitiesOnly=yes", "BatchMode=yes", "LogLevel=ERROR"]
    return ["-F", "none", *(word for option in options for word in ("-o", option)), "-i", key, "-P", portable.port]


def test_clients(shared, tmp_path, keyring):
    """OpenSSH's programs know the host by the keys that --json tells; lftp takes the password."""
    key = keyring.user()
    pub = key.with_suffix(".pub").read_text().strip()
    env = clean_env(tmp_path)
    with Portable(shared, "-k", pub, "-p", "secret", "-g", "*", "-c", "*") as portable:
        options = openssh(portable, tmp_path, key)
        run(["sftp", *options, "-b", "-", "user@127.0.0.1"], input="put hello.txt one.txt\nget one.txt got.txt\n", cwd=shared, env=env)
        run(["scp", *options, "user@127.0.0.1:/hello.txt", tmp_path / "two.txt"], env=env)
        run(["scp", "-O", *options, "user@127.0.0.1:/hello.txt", tmp_path / "three.txt"], env=env)
        run(["lftp", "--norc", "-c", f"set net:max-retries 1; set sftp:auto-confirm yes; open -p {portable.port} -u user,secret sftp://127.0.0.1; "
             f"get /hello.txt -o {tmp_path}/four.txt"], env=env)
    assert (shared / "got.txt").read_text() == "hello"
    assert [(tmp_path / f"{n}.txt").read_text() for n in ("two", "three", "four")] == ["hello"] * 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_well(shared, number):
    with Portable(shared) as portable:
        portable.stop(number=number)


def test_sighup_changes_nothing(shared):
    with Portable(shared) as portable:
        portable.process.send_signal(signal.SIGHUP)
        portable.sftp().close()


def test_exit_after(shared):
    with Portable(shared, "--exit-after", "400ms") as portable:
        assert portable.wait() == 0
    assert "--exit-after" in refused(shared, "--exit-after", "soon")


def test_with_parent(shared):
    with Portable(shared, "--with-parent") as portable:
        portable.process.stdin.write(b"ignored\n")
        portable.process.stdin.flush()
        client = portable.sftp()
        assert client.listdir("/") == ["hello.txt"] and portable.process.poll() is None
        portable.hang_up()
        assert portable.wait() == 0
    with Portable(shared) as portable:
        portable.hang_up()
        portable.sftp().close()
        assert portable.process.poll() is None


def test_log(shared, tmp_path):
    with Portable(shared, "-l", tmp_path / "log.jsonl") as portable:
        portable.sftp().close()
        wait_for("the login in the log", lambda: "logged in" in (tmp_path / "log.jsonl").read_text())
    assert {"level", "time", "sender"} <= set(json.loads((tmp_path / "log.jsonl").read_text().splitlines()[0]))
    with Portable(shared) as portable:
        portable.sftp().close()
    assert portable.stderr() == ""
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_any_credentials(shared, keyring):
    with Portable(shared, "--any-credentials", home=[]) as portable:
        assert portable.info["address"] == "127.0.0.1" and portable.info["any_credentials"]
        stranger = paramiko.Ed25519Key.from_private_key_file(keyring.directory / "other_ed25519")
        for login in ({"username": "ann", "password": "x"}, {"username": "bob", "password": ""}, {"username": "user", "password": "$1$"},
                      {"username": "ann", "key": stranger}):
            with portable.sftp(**login) as sftp:
                assert sftp.listdir("/") == ["hello.txt"]
                with pytest.raises(PermissionError):
                    sftp.open("/new", "w")


def test_any_credentials_stay_on_this_machine(shared):
    for address in ("0.0.0.0", "::", "192.0.2.1"):
        assert "--allow-insecure" in refused(shared, "--any-credentials", "--bind-address", address)
    with Portable(shared, "--any-credentials", home=["--bind-address", "0.0.0.0", "--allow-insecure", "-S=false"]) as portable:
        portable.sftp(username="x", password="y").close()


def test_cloud_storage_is_named_when_it_cannot_be_used(shared, tmp_path):
    assert "fs-s3" in refused(shared, *AT_HOME, "-f", "1", "--s3-region", "r", "--s3-access-key", "k", "--s3-access-secret", "s", "--s3-endpoint", "e",
                              "--s3-storage-class", "c", "--s3-key-prefix", "/p")
    (tmp_path / "credentials.json").write_text("{}")
    assert "fs-gcs" in refused(shared, *AT_HOME, "--fs-provider", "2", "--gcs-storage-class", "c", "--gcs-key-prefix", "/p",
                               "--gcs-automatic-credentials", "1", "--gcs-credentials-file", tmp_path / "credentials.json")
    (tmp_path / "credentials.json").write_bytes(b"x" * 1048577)
    assert "1048576" in refused(shared, "-f", "2", "--gcs-credentials-file", tmp_path / "credentials.json")


@pytest.mark.parametrize("args", [["--no-such-flag"], ["extra"], ["-s", "70000"], ["-f", "3"], ["--bind-address", "nowhere"],
                                  ["--password-file", "missing"], ["--public-key-file", "missing"], ["--host-key", "missing"],
                                  ["-l", "hello.txt/x"]], ids=" ".join)
def test_what_is_refused(shared, args):
    assert refused(shared, *args).strip()
    assert "hello.txt" in names(shared)


def processor_time(portable):
    """Seconds that it has computed so far."""
    with open(f"/proc/{portable.process.pid}/stat") as file:
        words = file.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def test_it_is_ready_soon(shared):
    """From exec to the line, which comes when the port is open. On a busy machine what it has computed counts."""
    took, computed = [], []
    for _ in range(5):
        with Portable(shared) as portable:
            took.append(portable.took)
            computed.append(processor_time(portable))
    assert min(took) < seconds(0.1) or min(computed) < seconds(0.05), (took, computed)


def test_fifty_side_by_side(shared):
    """As test-suites of clients start them: each with a port and keys of its own, all ready within 2 s. On a busy machine
    what they have computed counts."""
    took, computed = [], []
    for _ in range(2):
        servers = [Portable(shared, "--any-credentials") for _ in range(50)]
        try:
            for server in servers:
                server.stderr_path = shared.parent / f"{id(server)}.stderr"
                server.spawn()
            for server in servers:
                server.wait_ready()
            took.append(max(server.begun + server.took for server in servers) - servers[0].begun)
            computed.append(sum(map(processor_time, servers)) / os.cpu_count())
            assert len({server.port for server in servers}) == 50
            assert len({key["fingerprint"] for server in servers for key in server.info["host_keys"]}) == 100
            for server in servers[::10]:
                server.sftp(username="x", password="y").close()
        finally:
            for server in servers:
                server.stop()
        if took[-1] < seconds(2):
            break
    assert min(took) < seconds(2) or min(computed) < seconds(1), (took, computed)


def open_sockets(pid):
    found = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except FileNotFoundError:
            pass
    return {int(name[8:-1]) for name in found if name.startswith("socket:[")}


def sockets_of(kind):
    lines = [line.split() for name in (kind, kind + "6") for line in open(f"/proc/net/{name}").read().splitlines()[1:]]
    return {int(words[9]): words[1] for words in lines}


def test_bound_to_loopback_it_says_nothing_to_the_network(shared):
    """One TCP socket that listens, no UDP socket at all, and no attempt to advertise."""
    with Portable(shared) as portable:
        portable.sftp().close()
        wait_for("the connection is gone", lambda: len(open_sockets(portable.process.pid) & set(sockets_of("tcp"))) == 1)
        mine = open_sockets(portable.process.pid)
        assert not mine & set(sockets_of("udp"))
        assert [place for inode, place in sockets_of("tcp").items() if inode in mine] == [f"0100007F:{portable.port:04X}"]
    assert portable.stderr() == ""
