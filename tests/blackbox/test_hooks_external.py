# SPDX-License-Identifier: Apache-2.0
"""External authentication and pre-login modification: what programs and services are told, what their answers do."""
import json
import resource
import sqlite3

import pytest

import hooks
from hooks import by_key, by_password, by_questions, failure, program, recorder, run, seen, stored, user_json  # noqa: F401
from util import wait_for

pytestmark = pytest.mark.ours
PASSWORD = "p\"a$s 'w`ord"


def test_a_password_is_asked_about_and_the_user_is_stored(run, tmp_path):
    home = tmp_path / "home"
    hook = recorder(tmp_path, json.dumps(user_json("ext", home, quota_files=7)))
    server = run(data_provider={"external_auth_program": str(hook)})
    assert by_password(server, "ext", PASSWORD) == "in"
    assert seen(tmp_path) == [{"SFTPGO_AUTHD_USERNAME": "ext", "SFTPGO_AUTHD_PASSWORD": PASSWORD, "SFTPGO_AUTHD_PUBLIC_KEY": "",
                               "SFTPGO_AUTHD_KEYBOARD_INTERACTIVE": ""}]
    row = stored(server, "ext")
    assert row["home_dir"] == str(home) and row["quota_files"] == 7 and row["status"] == 1
    assert row["password"].startswith("$argon2id$")
    assert PASSWORD not in server.log_text()
    # The program decides each time; what is stored does not.
    hook.write_text("#!/bin/sh\necho '{\"username\": \"\"}'\n")
    assert by_password(server, "ext", PASSWORD) == "AuthenticationException"


def test_a_login_that_changes_nothing_writes_nothing_of_the_account(run, tmp_path):
    hook = recorder(tmp_path, json.dumps(user_json("ext", tmp_path / "home")))
    server = run(data_provider={"external_auth_program": str(hook)})
    hashes = []
    for password in ("one", "one", "two", "two"):
        assert by_password(server, "ext", password) == "in"
        hashes.append(stored(server, "ext")["password"])
    assert hashes[0] == hashes[1] != hashes[2] == hashes[3]


def test_programs_find_the_end_of_their_input(run, tmp_path):
    hook = program(tmp_path, "hook", f"cat\necho '{json.dumps(user_json('ext', tmp_path / 'home'))}'\n")
    server = run(data_provider={"external_auth_program": str(hook), "pre_login_program": ""})
    assert by_password(server, "ext", PASSWORD) == "in"


def test_programs_do_not_see_the_configuration(make_server, tmp_path):
    """It may stand in the environment, the database's password and the master key with it."""
    home, seen_file = tmp_path / "home", tmp_path / "environment"
    hook = program(tmp_path, "hook", f"env > {seen_file}\necho '{json.dumps(user_json('ext', home))}'\n")
    server = make_server(config={"data_provider": {"external_auth_program": str(hook)}},
                         env={"SFTPGO_DATA_PROVIDER__MASTER_KEY": "11" * 32, "LIKE_THIS__ONE": "seen"})
    server.start()
    assert by_password(server, "ext", PASSWORD) == "in"
    server.stop()
    environment = seen_file.read_text()
    assert "LIKE_THIS__ONE=seen" in environment and "SFTPGO_AUTHD_USERNAME=ext" in environment
    assert "MASTER_KEY" not in environment and "11" * 32 not in environment


def test_a_key_is_asked_about_once_and_added(run, tmp_path, keyring):
    hook = recorder(tmp_path, json.dumps(user_json("ext", tmp_path / "home")))
    server = run(data_provider={"external_auth_program": str(hook), "external_auth_scope": 2})
    public = keyring.user().with_suffix(".pub").read_text().split()
    for _ in range(2):
        assert by_key(server, "ext", keyring.user()) == "in"
        assert json.loads(stored(server, "ext")["public_keys"]) == [" ".join(public[:2])]
    runs = seen(tmp_path)
    assert len(runs) == 2, "one run for each connection, though the client asks before it signs"
    assert runs[0]["SFTPGO_AUTHD_PUBLIC_KEY"] == " ".join(public[:2]) + "\n" and runs[0]["SFTPGO_AUTHD_PASSWORD"] == ""


@pytest.mark.parametrize("scope", [0, 1, 2, 4, 6])
def test_scope(run, tmp_path, scope):
    hook = recorder(tmp_path, '{"username": ""}')
    server = run(["alice"], data_provider={"external_auth_program": str(hook), "external_auth_scope": scope})
    alice = server.accounts["alice"]
    passwords, keys = scope in (0, 1), scope in (0, 2, 6)
    assert by_password(server, "alice", alice.password) == ("AuthenticationException" if passwords else "in")
    assert by_key(server, "alice", alice.keys[0]) == ("AuthenticationException" if keys else "in")
    # Without a program for questions, ours is for the password: another way to say it, no way around.
    outcome, _ = by_questions(server, "alice", [alice.password])
    assert outcome == ("AuthenticationException" if passwords else "in")
    assert len(seen(tmp_path)) == 2 * passwords + keys


def test_what_is_kept_of_a_user(run, tmp_path):
    """id, counters and last login stay; whatever else the program does not say gets its default."""
    hook = recorder(tmp_path, json.dumps(user_json("alice", tmp_path / "home")))
    server = run(["alice"], data_provider={"external_auth_program": str(hook)})
    server.stop()
    server.config["data_provider"]["manage_users"] = 0
    server.write_config()
    server.start()
    with sqlite3.connect(server.config_dir / "sallyport.db") as database:
        database.execute("UPDATE users SET used_quota_files = 3, last_login = 5, quota_size = 9 WHERE username = 'alice'")
    before = stored(server, "alice")
    assert by_password(server, "alice", PASSWORD) == "in"
    after = stored(server, "alice")
    assert (after["id"], after["used_quota_files"], after["last_login"]) == (before["id"], 3, 5)
    assert after["quota_size"] == 0 and json.loads(after["public_keys"]) == []


def test_programs_get_the_limits_of_the_start(make_server, tmp_path):
    """The server raises how many files may be open, for itself; and no core of a program that has a password is to lie about."""
    hook = program(tmp_path, "hook", f"grep -E 'core|open' /proc/$$/limits > {tmp_path}/limits\necho '{{}}'")
    server = make_server(config={"data_provider": {"external_auth_program": str(hook)}})
    files, core = resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (777, files[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (core[1], core[1]))
    try:
        server.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, files)
        resource.setrlimit(resource.RLIMIT_CORE, core)
    by_password(server, "ext", PASSWORD)
    server.stop()
    limits = [line.split()[-3:-1] for line in (tmp_path / "limits").read_text().splitlines()]
    assert limits == [["0", "0"], ["777", str(files[1])]], limits


@pytest.mark.parametrize("key", ["external_auth_program", "pre_login_program"])
def test_what_no_program_decides(run, tmp_path, key):
    """Its answer may name them all the same."""
    told = user_json("alice", tmp_path / "home", id=4711, used_quota_files=8, used_quota_size=9, last_login=10, quota_files=11)
    if key == "pre_login_program":
        told = {name: told[name] for name in ("id", "used_quota_files", "used_quota_size", "last_login", "quota_files")}
    server = run(["alice"], data_provider={key: str(recorder(tmp_path, json.dumps(told)))})
    before = stored(server, "alice")
    mark = server.mark()
    assert by_password(server, "alice", server.accounts["alice"].password) == "in", server.log_lines(mark)
    after = stored(server, "alice")
    assert [after[name] for name in ("id", "used_quota_files", "used_quota_size")] == \
        [before[name] for name in ("id", "used_quota_files", "used_quota_size")]
    assert after["last_login"] != 10 and after["quota_files"] == 11


def test_a_key_that_is_there_is_not_added_again(run, tmp_path, keyring):
    line = " ".join(keyring.user().with_suffix(".pub").read_text().split()[:2]) + " of ext"
    hook = recorder(tmp_path, json.dumps(user_json("ext", tmp_path / "home", public_keys=[line])))
    server = run(data_provider={"external_auth_program": str(hook)})
    assert by_key(server, "ext", keyring.user()) == "in"
    assert json.loads(stored(server, "ext")["public_keys"]) == [line]


@pytest.mark.parametrize("change, why", [
    ({"status": 0}, "disabled"), ({"expiration_date": 1}, "expired"), ({"filters": {"denied_ip": ["127.0.0.0/8"]}}, "not allowed"),
    ({"permissions": {}}, "Validation error: please grant some permissions"), ({"home_dir": "relative"}, "absolute"),
    ({"username": "other"}, "another user"), ({"quota_size": "much"}, "quota_size"),
])
def test_the_usual_checks_follow(run, tmp_path, change, why):
    hook = recorder(tmp_path, json.dumps({**user_json("ext", tmp_path / "home"), **change}))
    server = run(data_provider={"external_auth_program": str(hook)})
    mark = server.mark()
    assert by_password(server, "ext", PASSWORD) == "AuthenticationException"
    assert failure(server, mark, "ext")
    if why not in ("disabled", "expired", "not allowed"):
        assert why in failure(server, mark, "ext")
        assert stored(server, "ext") is None


def test_pre_login_changes_what_it_names(run, tmp_path, keyring):
    hook = recorder(tmp_path, '{"quota_files": 42}', "pre")
    server = run(["alice"], data_provider={"pre_login_program": str(hook)})
    alice = server.accounts["alice"]
    before = stored(server, "alice")
    assert by_password(server, "alice", alice.password) == "in"
    assert by_key(server, "alice", alice.keys[0]) == "in"
    assert by_password(server, "nobody", alice.password) == "AuthenticationException"
    after = stored(server, "alice")
    assert after["quota_files"] == 42
    assert {k: v for k, v in after.items() if k not in ("quota_files", "last_login")} == \
        {k: v for k, v in before.items() if k not in ("quota_files", "last_login")}
    runs = seen(tmp_path, "pre")
    assert [one["SFTPGO_LOGIND_METHOD"] for one in runs] == ["password", "publickey"], "only for users that are there"
    told = json.loads(runs[0]["SFTPGO_LOGIND_USER"])
    assert told["username"] == "alice" and told["password"] == before["password"] and told["id"] == before["id"]


def test_pre_login_is_told_of_questions(run, tmp_path):
    asks = program(tmp_path, "asks", """echo '{"questions":["Name? "],"echos":[true]}'; read X; echo '{"auth_result":1}'""")
    server = run(["alice"], sftpd={"keyboard_interactive_auth_program": str(asks)},
                 data_provider={"pre_login_program": str(recorder(tmp_path, "", "pre"))})
    assert by_questions(server, "alice", ["x"])[0] == "in"
    assert [one["SFTPGO_LOGIND_METHOD"] for one in seen(tmp_path, "pre")] == ["keyboard-interactive"]


@pytest.mark.parametrize("answer, outcome", [("", "in"), (" \n\n", "in"), ('{"status": 0}', "refused"), ('{"status": ', "refused"),
                                             ('{"status": 7}', "refused"), ("[]", "refused"), ('{"username": "alice"}', "in"),
                                             ('{"username": "bob", "status": 1}', "refused")])
def test_answers_of_pre_login(run, tmp_path, answer, outcome):
    server = run(["alice"], data_provider={"pre_login_program": str(recorder(tmp_path, answer, "pre"))})
    got = by_password(server, "alice", server.accounts["alice"].password)
    assert got == ("in" if outcome == "in" else "AuthenticationException")


def test_pre_login_that_fails_denies(run, tmp_path):
    server = run(["alice"], data_provider={"pre_login_program": str(program(tmp_path, "pre", "exit 1"))})
    mark = server.mark()
    assert by_password(server, "alice", server.accounts["alice"].password) == "AuthenticationException"
    assert "exit code 1" in failure(server, mark, "alice")


def test_where_both_are_set(run, tmp_path):
    external, pre = recorder(tmp_path, '{"username": ""}'), recorder(tmp_path, "", "pre")
    server = run(["alice"], data_provider={"external_auth_program": str(external), "external_auth_scope": 1,
                                           "pre_login_program": str(pre)})
    alice = server.accounts["alice"]
    assert by_password(server, "alice", alice.password) == "AuthenticationException"
    assert by_key(server, "alice", alice.keys[0]) == "in"
    assert len(seen(tmp_path)) == 1 and [one["SFTPGO_LOGIND_METHOD"] for one in seen(tmp_path, "pre")] == ["publickey"]


def test_programs_that_are_not_there_stop_the_start(make_server, tmp_path):
    for section, key in (("data_provider", "external_auth_program"), ("data_provider", "pre_login_program"),
                         ("sftpd", "keyboard_interactive_auth_program")):
        server = make_server(config={section: {key: f"{tmp_path}/none"}})
        server.initialise()
        server.spawn()
        server.ended(1)
        assert f"{tmp_path}/none is no program that can be run" in server.stderr_text(), server.stderr_text()


def test_a_script_without_its_interpreter_stops_the_start(make_server, tmp_path):
    script = tmp_path / "script"
    script.write_text("#!/opt/none/python3\n")
    script.chmod(0o755)
    server = make_server(config={"data_provider": {"external_auth_program": str(script)}})
    server.initialise()
    server.spawn()
    server.ended(1)
    assert f"{script} cannot be run: its interpreter /opt/none/python3 is missing" in server.stderr_text(), server.stderr_text()


def test_services_in_place_of_programs(run, tmp_path):
    with hooks.service() as service:
        service.answers["/auth"] = lambda asked: (200, json.dumps(user_json("ext", tmp_path / "home"))) \
            if asked.json["password"] == PASSWORD else (403, "")
        service.answers["/pre"] = lambda asked: (200, '{"quota_files": 5}') if asked.json["username"] == "alice" else (204, "")
        server = run(["alice"], data_provider={"external_auth_program": service.url + "/auth", "external_auth_scope": 1,
                                               "pre_login_program": service.url + "/pre?key=1"})
        assert by_password(server, "ext", PASSWORD) == "in"
        mark = server.mark()
        assert by_password(server, "ext", "wrong") == "AuthenticationException"
        assert "answers 403" in failure(server, mark, "ext")
        assert by_key(server, "alice", server.accounts["alice"].keys[0]) == "in"
        assert stored(server, "alice")["quota_files"] == 5
        auth, _, pre = service.asked
        assert auth.method == "POST" and auth.headers["Content-Type"] == "application/json"
        assert auth.json == {"username": "ext", "ip": "127.0.0.1", "password": PASSWORD, "public_key": "", "keyboard_interactive": ""}
        assert pre.query == {"key": "1", "login_method": "publickey"} and pre.json["username"] == "alice"
        assert PASSWORD not in server.log_text()


def test_accepted_passwords_may_be_kept_for_a_moment(run, tmp_path):
    hook = recorder(tmp_path, json.dumps(user_json("ext", tmp_path / "home")))
    server = run(data_provider={"external_auth_program": str(hook)},
                 plugins={"authenticator": {"auth-external": {"cache_seconds": 3600}}})
    for _ in range(3):
        assert by_password(server, "ext", PASSWORD) == "in"
    assert len(seen(tmp_path)) == 1
    assert by_password(server, "ext", PASSWORD + "x") == "in"
    assert len(seen(tmp_path)) == 2, "another password is another question"
    hook.write_text("#!/bin/sh\nexit 1\n")
    assert by_password(server, "ext", PASSWORD) == "in", "still kept"
    hook.write_text(f"#!/bin/sh\necho >> {tmp_path}/denials\necho '{{\"username\": \"\"}}'\n")
    for _ in range(2):
        assert by_password(server, "ext", PASSWORD + "y") == "AuthenticationException"
    assert len((tmp_path / "denials").read_text()) == 2, "denials are not kept"


@pytest.mark.parametrize("change", [{"status": 0}, {"expiration_date": 1}, {"username": "other"}, {"username": ""}],
                         ids=["disabled", "expired", "another", "nobody"])
def test_answers_that_let_nobody_in_are_not_kept(run, tmp_path, change):
    answer = user_json("ext", tmp_path / "home")
    server = run(data_provider={"external_auth_program": str(recorder(tmp_path, json.dumps({**answer, **change})))},
                 plugins={"authenticator": {"auth-external": {"cache_seconds": 3600}}})
    assert by_password(server, "ext", PASSWORD) == "AuthenticationException"
    recorder(tmp_path, json.dumps(answer))
    assert by_password(server, "ext", PASSWORD) == "in", "the program thinks better of it"


def test_what_is_kept_is_kept_no_longer(run, tmp_path):
    hook = recorder(tmp_path, json.dumps(user_json("ext", tmp_path / "home")))
    server = run(data_provider={"external_auth_program": str(hook)},
                 plugins={"authenticator": {"auth-external": {"cache_seconds": 1}}})
    assert by_password(server, "ext", PASSWORD) == "in"
    hook.write_text("#!/bin/sh\nexit 1\n")
    wait_for("the program to be asked again", lambda: by_password(server, "ext", PASSWORD) == "AuthenticationException")


def test_a_service_that_floods_denies(run):
    with hooks.service() as service:
        service.answers["/auth"] = lambda _: (200, "x" * 4_000_000)
        server = run(data_provider={"external_auth_program": service.url + "/auth"})
        mark = server.mark()
        assert by_password(server, "ext", PASSWORD) == "AuthenticationException"
        assert service.url in failure(server, mark, "ext")
