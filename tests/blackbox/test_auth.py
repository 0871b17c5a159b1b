# SPDX-License-Identifier: Apache-2.0
"""Logins: what is accepted, what is refused, that refusals tell nothing, and the algorithms on offer."""
import json
import os
import re
import sqlite3
import statistics
import time

import paramiko
import pytest

import clients
import rawsftp as s
from util import SLOWDOWN, wait_for

PASSWORD = "correct horse"


@pytest.fixture(scope="module", autouse=True)
def accounts(server):
    """Accounts that must look the same to whoever has not logged in, and one for each way to log in."""
    server.add_account("disabled", options=["--status", "0"])
    server.add_account("expired", options=["--expiration-date", "2020-01-01"])
    server.add_account("future", options=["--expiration-date", "2199-12-31"])
    server.add_account("keyonly", password="", kinds=("ed25519", "ecdsa", "rsa"))
    server.add_account("passonly", kinds=())


def try_password(server, user, password):
    """(outcome, seconds the server took to answer) of one password attempt on its own connection."""
    with s.transport(server, None, login=False) as link:
        start = time.monotonic()
        try:
            link.auth_password(user, password, fallback=False)
            return "in", time.monotonic() - start
        except paramiko.SSHException as refusal:
            return (type(refusal).__name__, str(refusal), tuple(getattr(refusal, "allowed_types", ()))), time.monotonic() - start


def try_key(server, user, key):
    with s.transport(server, None, login=False) as link:
        try:
            link.auth_publickey(user, key)
            return "in"
        except paramiko.SSHException as refusal:
            return type(refusal).__name__, str(refusal)


def load(path):
    kinds = {"ed25519": paramiko.Ed25519Key, "ecdsa": paramiko.ECDSAKey, "rsa": paramiko.RSAKey}
    return kinds[path.name.split("_")[1]].from_private_key_file(os.fspath(path))


@pytest.mark.parametrize("user", ["alice", "passonly", "future"])
def test_right_password(server, user):
    assert try_password(server, user, PASSWORD)[0] == "in"


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("user", ["alice", "keyonly"])
def test_each_of_several_keys(server, user, kind):
    assert try_key(server, user, load(server.keyring.user(kind))) == "in"


@pytest.mark.parametrize("algorithm", ["rsa-sha2-256", "rsa-sha2-512", "ssh-ed25519", "ecdsa-sha2-nistp256"])
def test_key_algorithms_with_openssh(server, alice, home, algorithm):
    kind = {"rsa-sha2-256": "rsa", "rsa-sha2-512": "rsa", "ssh-ed25519": "ed25519"}.get(algorithm, "ecdsa")
    client = clients.OpenSshSftp(server, alice, extra=["-o", f"PubkeyAcceptedAlgorithms={algorithm}"])
    client.key = server.keyring.user(kind)
    client.mkdir("/made")
    assert (home / "made").is_dir()


def test_rsa_with_sha1_is_refused(server, alice, monkeypatch):
    """A client that ignores what the server says it accepts and signs with SHA-1; the same client with SHA-2 gets in."""
    for algorithm, welcome in (("ssh-rsa", False), ("rsa-sha2-256", True)):
        monkeypatch.setattr(paramiko.auth_handler.AuthHandler, "_finalize_pubkey_algorithm", lambda *_: algorithm)
        with s.transport(server, alice, login=False) as link:
            try:
                link.auth_publickey(alice.name, load(server.keyring.user("rsa")))
            except (paramiko.SSHException, EOFError):
                pass
            assert link.is_authenticated() == welcome, algorithm


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_key_of_somebody_else_is_refused(server, kind):
    assert try_key(server, "alice", load(server.keyring.directory / f"other_{kind}")) != "in"


@pytest.mark.parametrize("user", ["disabled", "expired", "passonly", "nobody-of-this-name"])
def test_a_good_key_does_not_open_these(server, user):
    key = load(server.keyring.user())
    assert try_key(server, user, key) == try_key(server, "alice", load(server.keyring.directory / "other_ed25519"))


WRONG = {"wrong": ("alice", "wrong"), "unknown": ("nobody-of-this-name", PASSWORD), "disabled": ("disabled", PASSWORD),
         "expired": ("expired", PASSWORD), "disabled-wrong": ("disabled", "wrong"), "no-password": ("keyonly", "wrong")}


def test_refusals_look_the_same(server):
    outcomes = {name: try_password(server, *attempt)[0] for name, attempt in WRONG.items()}
    assert "in" not in outcomes.values()
    assert len(set(outcomes.values())) == 1, outcomes


def assert_same_time(attempts):
    """Of each, by name, the seconds it took: interleaved, medians."""
    times = {name: [] for name in attempts}
    for _ in range(7):
        for name, attempt in attempts.items():
            times[name].append(attempt())
    medians = {name: statistics.median(values) for name, values in times.items()}
    slack = 0.03 * SLOWDOWN  # noise of a busy machine; a hash costs more than that
    assert max(medians.values()) < 2 * min(medians.values()) + slack, medians


def test_refusals_take_the_same_time(server):
    """A user that does not exist, is disabled or has expired costs one hash like a real one."""
    assert_same_time({name: lambda attempt=attempt: try_password(server, *attempt)[1] for name, attempt in WRONG.items()})


def test_refused_keys_take_the_same_time(server):
    """Whether there is such a user, whether it has keys, and whether this one would have been right."""
    key, other = load(server.keyring.user()), load(server.keyring.directory / "other_ed25519")

    def attempt(user, offered):
        with s.transport(server, None, login=False) as link:
            begun = time.monotonic()
            with pytest.raises(paramiko.SSHException):
                link.auth_publickey(user, offered)
            return time.monotonic() - begun
    assert_same_time({f"{user}-{kind}": lambda user=user, offered=offered: attempt(user, offered)
                      for user, kind, offered in [("alice", "other", other), ("nobody-of-this-name", "other", other),
                                                  ("disabled", "right", key), ("passonly", "other", other)]})


@pytest.mark.parametrize("password", ["", " ", PASSWORD + " ", PASSWORD[:-1], PASSWORD.upper(), "x" * 100_000, "\0", "\n"],
                         ids=["empty", "space", "one-more", "one-less", "upper", "100000-bytes", "nul", "newline"])
def test_wrong_passwords(server, password):
    assert try_password(server, "alice", password)[0] != "in"


@pytest.mark.parametrize("user", ["", " alice", "alice ", "ALICE", "a" * 10_000, "../alice", "alice' OR '1'='1", "%s%n"],
                         ids=["empty", "space-before", "space-after", "upper", "10000-bytes", "path", "sql", "format"])
def test_odd_user_names(server, user):
    assert try_password(server, user, PASSWORD)[0] != "in"


def test_failures_are_logged_for_fail2ban(server):
    """Field order and spelling that existing filters match."""
    mark = server.mark()
    try_password(server, "alice", "wrong")
    try_password(server, "nobody-of-this-name", "wrong")
    for user in ("alice", "nobody-of-this-name"):
        server.wait_log(lambda line: line.get("sender") == "connection_failed" and line.get("username") == user, start=mark)
    lines = [line for line in server.log_text()[mark:].splitlines()
             if '"connection_failed"' in line and json.loads(line)["username"] in ("alice", "nobody-of-this-name")]
    assert len(lines) == 2
    for line, user in zip(lines, ("alice", "nobody-of-this-name")):
        assert re.match(r'\{"level":"\w+","time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}","sender":"connection_failed",'
                        rf'"client_ip":"127\.0\.0\.1","username":"{user}","login_type":"password","error":"[^"]+"}}$', line), line


@pytest.mark.parametrize("way", ["password", "publickey"])
def test_a_storage_that_fails_gets_nobody_banned(server, way):
    """The credentials are right: an error for the operator, and nothing that fail2ban counts."""
    name = f"homeless-{way}"
    account = server.add_account(name)
    account.home.rmdir()
    account.home.write_text("no directory")
    mark = server.mark()
    outcome = try_password(server, name, PASSWORD)[0] if way == "password" else try_key(server, name, load(account.keys[0]))
    assert outcome[0] == "AuthenticationException"
    line = server.wait_log(lambda l: l["level"] == "error" and l["sender"] == "sftpd", start=mark)
    for part in (f'"{name}" at 127.0.0.1', way, "cannot open the user's files: ", "; see whether the storage"):
        assert part in line["message"], line
    assert line["connection_id"]
    with s.transport(server, None, login=False):
        pass
    server.wait_log(lambda l: l["sender"] == "connection_failed" and l["login_type"] == "no_auth_tryed", start=mark)
    assert not [l for l in server.log_lines(mark) if l["sender"] == "connection_failed" and l["login_type"] != "no_auth_tryed"]


def test_a_database_that_fails_gets_nobody_banned(make_server):
    """Whoever comes meanwhile is refused, and fail2ban hears nothing of it."""
    server = make_server()
    try:
        account = server.add_account("alice")
        server.start()
        with sqlite3.connect(server.config_dir / "sallyport.db") as database:
            database.execute("ALTER TABLE users RENAME TO gone")
        mark = server.mark()
        assert try_password(server, "alice", PASSWORD)[0][0] == "AuthenticationException"
        assert try_key(server, "alice", load(account.keys[0]))[0] == "AuthenticationException"
        wait_for("both lines", lambda: len([l for l in server.log_lines(mark) if l["level"] == "error" and l["sender"] == "sftpd" and
                                            '"alice" at 127.0.0.1' in l["message"] and "the data provider failed" in l["message"]]) == 2)
        assert '"connection_failed"' not in server.log_text()[mark:]
    finally:
        server.stop()


def test_failed_key_is_logged(server):
    mark = server.mark()
    try_key(server, "alice", load(server.keyring.directory / "other_ed25519"))
    line = server.wait_log(lambda l: l.get("sender") == "connection_failed" and l.get("login_type") == "publickey", start=mark)
    assert list(line) == ["level", "time", "sender", "client_ip", "username", "login_type", "error"]
    assert line["username"] == "alice"


def test_client_that_only_connects_is_logged(server):
    mark = server.mark()
    with s.transport(server, None, login=False):
        pass
    line = server.wait_log(lambda l: l.get("sender") == "connection_failed", start=mark)
    assert (line["login_type"], line["username"]) == ("no_auth_tryed", "")


def test_no_secret_is_logged(server):
    try_password(server, "alice", "a-secret-that-nobody-may-log")
    try_password(server, "alice", PASSWORD)
    wait_for("login is logged", lambda: "alice" in server.log_text())
    assert "a-secret-that-nobody-may-log" not in server.log_text() + server.stderr_text()
    assert PASSWORD not in server.log_text()


# -- what is on offer

@pytest.fixture(scope="module")
def offer(server, alice):
    """{topic: [names]} of the server's KEXINIT as OpenSSH's client saw it."""
    argv = ["ssh", *clients.OpenSshSftp(server, alice).ssh_options(log_level="DEBUG3"), "-p", server.port,
            f"{alice.name}@127.0.0.1", "-s", "sftp"]
    log = clients.OpenSshSftp(server, alice).run(argv, check=False).stderr
    proposal = log[log.index("peer server KEXINIT proposal"):]
    topics = ["KEX algorithms", "host key algorithms", "ciphers ctos", "ciphers stoc", "MACs ctos", "MACs stoc", "compression ctos",
              "compression stoc"]
    found = {topic: re.search(rf"debug2: {topic}: (\S*)", proposal)[1].split(",") for topic in topics}
    found["log"] = log
    return found


def test_nothing_weak_is_offered(offer):
    names = [name for topic, names in offer.items() if topic != "log" for name in names]
    weak = [name for name in names if re.search(r"sha1|md5|cbc|arcfour|3des|zlib|group1-|group-exchange|dss|umac-64|-96|^ssh-rsa$|^$",
                                                name)]
    assert not weak
    assert offer["compression ctos"] == offer["compression stoc"] == ["none"]


def test_modern_algorithms_are_offered(offer):
    assert {"curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "diffie-hellman-group14-sha256",
            "diffie-hellman-group16-sha512"} <= set(offer["KEX algorithms"])
    assert {"ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-256", "rsa-sha2-512"} <= set(offer["host key algorithms"])
    for way in ("ctos", "stoc"):
        assert {"chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr",
                "aes256-ctr"} <= set(offer[f"ciphers {way}"])
        aead = [name for name in offer[f"ciphers {way}"] if "gcm" in name or "chacha20" in name]
        assert offer[f"ciphers {way}"][:len(aead)] == aead, "AEAD first"
        assert {"hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"} <= set(offer[f"MACs {way}"])


def test_strict_key_exchange(offer):
    assert "kex-strict-s-v00@openssh.com" in offer["KEX algorithms"]
    assert "strict KEX" in offer["log"] or "kex-strict-c" not in offer["log"]


def test_accepted_key_kinds_are_announced(offer):
    accepted = re.search(r"server-sig-algs=<([^>]*)>", offer["log"])[1].split(",")
    assert {"ssh-ed25519", "rsa-sha2-256", "rsa-sha2-512"} <= set(accepted)
    assert "ssh-rsa" not in accepted and "ssh-dss" not in accepted


def test_methods_on_offer(server):
    with s.transport(server, None, login=False) as link:
        with pytest.raises(paramiko.BadAuthenticationType) as refusal:
            link.auth_none("alice")
        assert set(refusal.value.allowed_types) == {"password", "publickey", "keyboard-interactive"}


def try_interactive(server, user, *answers):
    """(outcome, prompts with their echo flags) of one keyboard-interactive attempt that gives the answers in turn."""
    asked, left = [], list(answers)

    def reply(_title, _instructions, prompts):
        asked.append(prompts)
        return left.pop(0) if left else [""] * len(prompts)

    with s.transport(server, None, login=False) as link:
        try:
            link.auth_interactive(user, reply)
            return "in", asked
        except paramiko.SSHException as refusal:
            return type(refusal).__name__, asked


@pytest.mark.parametrize("user", ["alice", "passonly"])
def test_keyboard_interactive_asks_for_the_password(server, user):
    assert try_interactive(server, user, [PASSWORD]) == ("in", [[("Password: ", False)]])


@pytest.mark.parametrize("user", ["alice", "disabled", "keyonly", "nobody-of-this-name", ""])
@pytest.mark.parametrize("answer", [["wrong"], [""], [PASSWORD, PASSWORD], []], ids=["wrong", "empty", "two", "none"])
def test_keyboard_interactive_refusals_look_alike(server, user, answer):
    assert try_interactive(server, user, answer) == ("AuthenticationException", [[("Password: ", False)]])


def test_keyboard_interactive_can_be_denied_alone(server, tmp_path):
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"filters": {"denied_login_methods": ["keyboard-interactive"]}}))
    server.add_account("nokbd", options=["--json", record])
    assert try_interactive(server, "nokbd", [PASSWORD])[0] == "AuthenticationException"
    assert try_password(server, "nokbd", PASSWORD)[0] == "in"
    wait_for("the refusal is in the log", lambda: any(
        '"connection_failed"' in line and json.loads(line)["username"] == "nokbd" and
        json.loads(line)["login_type"] == "keyboard-interactive" for line in server.log_text().splitlines()))


def test_who_denies_passwords_denies_them_as_an_answer_too(server, tmp_path):
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"filters": {"denied_login_methods": ["password"]}}))
    server.add_account("nopass", options=["--json", record])
    assert try_password(server, "nopass", PASSWORD)[0][0] == "AuthenticationException"
    assert try_interactive(server, "nopass", [PASSWORD])[0] == "AuthenticationException"


def test_max_sessions(server, tmp_path):
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"max_sessions": 2}))
    pair = server.add_account("pair", options=["--json", record])
    with s.transport(server, pair) as first, s.transport(server, pair):
        paramiko.SFTPClient.from_transport(first)
        paramiko.SFTPClient.from_transport(first)  # another channel is no other session
        assert try_password(server, "pair", PASSWORD)[0][0] == "AuthenticationException"
        assert try_key(server, "pair", load(pair.keys[0]))[0] == "AuthenticationException"
        assert try_password(server, "alice", PASSWORD)[0] == "in"
    wait_for("the sessions have ended", lambda: try_password(server, "pair", PASSWORD)[0] == "in")


def test_openssh_answers_the_question(server, alice):
    client = clients.OpenSshSftp(server, alice, login="password", extra=["-o", "PreferredAuthentications=keyboard-interactive"])
    argv = ["sshpass", "-e", "sftp", *client.ssh_options(), *client.extra, "-P", server.port, f"{alice.name}@127.0.0.1"]
    assert "Remote working directory: /" in client.run(argv, input="pwd\n", env={"SSHPASS": alice.password}).stdout


CIPHERS = ["chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr"]
KEXES = ["curve25519-sha256", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521", "diffie-hellman-group14-sha256",
         "diffie-hellman-group16-sha512"]
MACS = ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512"]
CHOICES = [["-c", c] for c in CIPHERS] + [["-o", f"KexAlgorithms={k}"] for k in KEXES] + \
          [["-o", f"MACs={m}", "-c", "aes128-ctr"] for m in MACS] + \
          [["-o", f"HostKeyAlgorithms={h}"] for h in ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-256", "rsa-sha2-512")]


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice[1])
def test_each_algorithm_works(server, alice, home, tmp_path, choice):
    data = os.urandom(200_000)
    (tmp_path / "up").write_bytes(data)
    client = clients.OpenSshSftp(server, alice, extra=choice)
    client.batch(f'put "{tmp_path}/up" /f', f'get /f "{tmp_path}/down"')
    assert (tmp_path / "down").read_bytes() == data
