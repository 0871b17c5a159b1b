# SPDX-License-Identifier: Apache-2.0
"""Plugins before and after the hooks, and the samples of docs/hooks."""
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import paramiko
import pytest

import rawsftp as s
from hooks import by_key, by_password, by_questions, program, run, stored, user_json  # noqa: F401
from server import REPOSITORY, binary
from util import seconds, wait_for

pytestmark = pytest.mark.ours
PLUGIN = Path(os.environ.get("SALLYPORT_TEST_PLUGINS") or binary().parent.parent / "test-plugins").resolve() / "third.so"
SAMPLES = REPOSITORY / "docs/hooks"


@pytest.mark.parametrize("order", [["third", "auth-external"], ["auth-external", "third"], ["third"]])
def test_the_first_who_decides_decides(run, tmp_path, order):
    """third lets allow-X in and refuses deny-X; the program knows everybody, or nobody."""
    hook = program(tmp_path, "hook", f"""echo run >> {tmp_path}/runs
case "$SFTPGO_AUTHD_PASSWORD" in
  good) echo '{json.dumps(user_json("NAME", tmp_path / "home"))}' | sed "s/NAME/$SFTPGO_AUTHD_USERNAME/" ;;
  *) echo '{{"username": ""}}' ;;
esac
""")
    server = run(["allow-ada"], data_provider={"external_auth_program": str(hook), "external_auth_scope": 1},
                 plugins={"paths": [str(PLUGIN)], "authenticators": order})
    third_first = order == ["third", "auth-external"]
    outcome = {True: "in", False: "AuthenticationException"}
    assert by_password(server, "allow-ada", "bad") == outcome[third_first]
    assert by_password(server, "deny-bob", "good") == outcome[not third_first]
    assert by_password(server, "eve", "good") == "in", "the third has no opinion"
    assert by_password(server, "eve", "bad") == "AuthenticationException"
    assert by_password(server, "allow-nobody", "bad") == "AuthenticationException", "let in is not the same as there"
    assert len((tmp_path / "runs").read_text().split()) == (2 if third_first else 5)


def test_a_third_notifier(run, tmp_path, monkeypatch):
    monkeypatch.setenv("SALLYPORT_TEST_EVENTS", str(tmp_path / "events"))
    command = program(tmp_path, "action", f"echo \"$3\" >> {tmp_path}/action.seen")
    server = run(["alice"], sftpd={"actions": {"execute_on": ["upload"], "command": str(command)}},
                 plugins={"paths": [str(PLUGIN)], "notifiers": ["third", "actions"]})
    alice = server.accounts["alice"]
    with s.transport(server, alice) as link, paramiko.SFTPClient.from_transport(link) as sftp:
        for name in ("/keep", "/drop"):
            with sftp.open(name, "wb") as file:
                file.write(b"123")
        sftp.remove("/drop")
        with pytest.raises(PermissionError):
            sftp.remove("/keep")
    wait_for("both were told", lambda: all((tmp_path / name).exists() and (tmp_path / name).read_text().count("\n") == 2
                                           for name in ("events", "action.seen")))
    events = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    assert [(event["kind"], event["path"], event["virtual_path"], event["file_size"], event["protocol"]) for event in events] == \
        [("upload", f"{alice.home}/{name}", f"/{name}", 3, "SFTP") for name in ("keep", "drop")]


def test_sample_external_auth_shell(run, tmp_path, monkeypatch):
    users = tmp_path / "users"
    users.write_text("ada:pass:word\nbob:x\n")
    monkeypatch.setenv("SALLYPORT_SAMPLE_USERS", str(users))
    monkeypatch.setenv("SALLYPORT_SAMPLE_HOMES", str(tmp_path))
    server = run(data_provider={"external_auth_program": str(SAMPLES / "external_auth.sh")})
    assert by_password(server, "ada", "pass:word") == "in"
    for name, password in (("ada", "pass"), ("ada", "x"), ("eve", "x"), ("a.a", "pass:word"), ("ada:pass", "word"),
                           ("ada", "guess\nbob:x"), ("bob", "guess\nada:pass:word"), ("ada", "pass:word\n")):
        assert by_password(server, name, password) == "AuthenticationException", (name, password)
    assert stored(server, "ada")["home_dir"] == f"{tmp_path}/ada"


def test_sample_external_auth_python(run, tmp_path, monkeypatch, keyring):
    users = tmp_path / "users.json"
    key = keyring.user().with_suffix(".pub").read_text()
    users.write_text(json.dumps({"ada": {"password": "secret", "public_keys": [key], "home_dir": f"{tmp_path}/ada"}}))
    monkeypatch.setenv("SALLYPORT_SAMPLE_USERS", str(users))
    server = run(data_provider={"external_auth_program": str(SAMPLES / "external_auth.py")})
    assert by_password(server, "ada", "secret") == "in"
    assert by_key(server, "ada", keyring.user()) == "in"
    assert by_password(server, "ada", "other") == "AuthenticationException"
    assert by_key(server, "ada", keyring.directory / "other_ed25519") == "AuthenticationException"


def test_sample_pre_login(run, tmp_path, monkeypatch):
    monkeypatch.setenv("SALLYPORT_SAMPLE_FREEZE", str(tmp_path / "freeze"))
    server = run(["alice"], data_provider={"pre_login_program": str(SAMPLES / "pre_login.sh")})
    alice = server.accounts["alice"]
    (tmp_path / "freeze").touch()
    with s.transport(server, alice) as link, paramiko.SFTPClient.from_transport(link) as sftp:
        assert sftp.listdir("/") == []
        with pytest.raises(PermissionError):
            sftp.mkdir("/d")
    (tmp_path / "freeze").unlink()
    with s.transport(server, alice) as link, paramiko.SFTPClient.from_transport(link) as sftp:
        sftp.mkdir("/d")


def test_sample_questions_shell(run, tmp_path, monkeypatch):
    (tmp_path / "token").write_text("4711\n")
    monkeypatch.setenv("SALLYPORT_SAMPLE_TOKEN", str(tmp_path / "token"))
    server = run(["alice"], sftpd={"keyboard_interactive_auth_program": str(SAMPLES / "questions.sh")})
    password = server.accounts["alice"].password
    assert by_questions(server, "alice", [password], ["4711"])[0] == "in"
    assert by_questions(server, "alice", [password], ["4712"])[0] == "AuthenticationException"
    assert by_questions(server, "alice", ["wrong"], ["4711"])[0] == "AuthenticationException"
    (tmp_path / "token").write_text("\n")
    assert by_questions(server, "alice", [password], [""])[0] == "AuthenticationException"
    (tmp_path / "token").unlink()
    assert by_questions(server, "alice", [password], [""])[0] == "AuthenticationException"


def test_sample_questions_python(run):
    server = run(["alice"], sftpd={"keyboard_interactive_auth_program": str(SAMPLES / "questions.py")})

    def reply(_title, _instruction, prompts):
        texts = [prompt for prompt, _ in prompts]
        if len(texts) == 2:
            return ["Ada", "blue"]
        a, _, b, _ = texts[0].split()
        return [str(int(a) + int(b))]

    with s.transport(server, None, login=False) as link:
        assert link.auth_interactive("alice", reply) == []
    assert by_questions(server, "alice", ["0"], ["Ada", "blue"])[0] == "AuthenticationException"


def test_sample_actions(run, tmp_path, monkeypatch):
    def lines():
        return (tmp_path / "log").read_text().splitlines()

    monkeypatch.setenv("SALLYPORT_SAMPLE_LOG", str(tmp_path / "log"))
    service = subprocess.Popen([sys.executable, SAMPLES / "event_service.py", "0"], stdout=subprocess.PIPE, text=True)
    try:
        port = service.stdout.readline().split()[-1]
        server = run(["alice"], sftpd={"actions": {"execute_on": ["upload", "pre-delete"], "command": str(SAMPLES / "on_upload.sh"),
                                                   "http_notification_url": f"http://127.0.0.1:{port}/"}})
        alice = server.accounts["alice"]
        (tmp_path / "precious").write_text("not the user's")
        with s.transport(server, alice) as link, paramiko.SFTPClient.from_transport(link) as sftp:
            (alice.home / "keep.sha256").symlink_to(tmp_path / "precious")
            for name in ("keep", "drop"):
                with sftp.open(name, "wb") as file:
                    file.write(b"123")
            with pytest.raises(PermissionError):
                sftp.remove("/keep")
            sftp.remove("/drop")
            wait_for("the first is written", lambda: (tmp_path / "log").exists() and (tmp_path / "log").read_text())
            with sftp.open("two\nlines", "wb") as file:
                file.write(b"123")
        wait_for("all are written", lambda: len(lines()) >= 2 and "two" in lines()[-1])
        digest = hashlib.sha256(b"123").hexdigest()
        assert lines()[0] == f"alice 3 {digest}  {alice.home}/keep"
        assert lines()[-1] == f"alice 3 \\{digest}  {alice.home}/two\\nlines", "a name cannot make lines of its own"
        assert (tmp_path / "precious").read_text() == "not the user's"
    finally:
        service.kill()
        said = service.communicate(timeout=seconds(10))[0].splitlines()
    assert sorted(
        line.split()[0] for line in said if line.startswith(("pre-delete", "upload"))) == ["pre-delete"] * 2 + ["upload"] * 3
