# SPDX-License-Identifier: Apache-2.0
"""Programs and services that ask the questions of keyboard-interactive logins."""
import json
import threading

import pytest

import hooks
import rawsftp as s
from hooks import by_questions, failure, program, recorder, run, seen, stored, user_json  # noqa: F401
from util import seconds, wait_for

pytestmark = pytest.mark.ours

TWO_ROUNDS = """
echo '{"questions":["Question1: ","Question2: "],"instruction":"This is a sample","echos":[true,false]}'
read ANSWER1
read ANSWER2
echo '{"questions":["Question3: "],"instruction":"","echos":[true]}'
read ANSWER3
echo "$SFTPGO_AUTHD_USERNAME|$ANSWER1|$ANSWER2|$ANSWER3|$SFTPGO_AUTHD_PASSWORD" > %s
if test "$ANSWER3" = "answer3"; then
  echo '{"auth_result":1}'
else
  echo '{"auth_result":-1}'
fi
"""
CHECKED = """
echo '{"questions":["Password: "],"instruction":"","echos":[false],"check_password":1}'
read ANSWER1
echo "$ANSWER1" > %s
if test "$ANSWER1" != "OK"; then
  exit 1
fi
echo '{"questions":["One time token: "],"instruction":"","echos":[false]}'
read ANSWER2
if test "$ANSWER2" = "token"; then
  echo '{"auth_result":1}'
else
  echo '{"auth_result":-1}'
fi
"""


def asks(run, tmp_path, text, **config):
    hook = program(tmp_path, "questions", text.replace("%s", f"{tmp_path}/said"))
    return run(["alice"], sftpd={"keyboard_interactive_auth_program": str(hook)}, **config)


def test_two_rounds(run, tmp_path):
    server = asks(run, tmp_path, TWO_ROUNDS)
    asked = [("This is a sample", [("Question1: ", True), ("Question2: ", False)]), ("", [("Question3: ", True)])]
    assert by_questions(server, "alice", ["one", "t w o"], ["answer3"]) == ("in", asked)
    assert (tmp_path / "said").read_text().strip() == f"alice|one|t w o|answer3|{stored(server, 'alice')['password']}"
    assert by_questions(server, "alice", ["one", "two"], ["wrong"]) == ("AuthenticationException", asked)


@pytest.mark.parametrize("text", [TWO_ROUNDS, CHECKED], ids=["questions", "password"])
def test_names_cannot_be_probed(run, tmp_path, text):
    """Whoever has no account is asked what the others are asked, and gets in with no answer."""
    server = asks(run, tmp_path, text)
    wrong, right = ((["1", "2"], ["wrong"]), (["1", "2"], ["answer3"])) if text == TWO_ROUNDS else ((["wrong"],), (["correct horse"],))
    assert by_questions(server, "nobody", *wrong) == by_questions(server, "alice", *wrong)
    mark = server.mark()
    assert by_questions(server, "nobody", *right)[0] == "AuthenticationException"
    assert "unknown user" in failure(server, mark, "nobody")
    assert stored(server, "nobody") is None
    wait_for("no process is left", lambda: not hooks.children(server.pid))


def test_names_that_a_shell_could_take_for_something_else_reach_no_program(run, tmp_path):
    server = asks(run, tmp_path, f"echo \"$SFTPGO_AUTHD_USERNAME\" >> {tmp_path}/names\n" + TWO_ROUNDS)
    server.add_account("it's $HOME")
    for name in ("a b", "-n", "../x", "$(id)", "x;y", "é", "", "nobody"):
        assert by_questions(server, name, ["1", "2"], ["answer3"])[0] == "AuthenticationException", name
    assert by_questions(server, "it's $HOME", ["1", "2"], ["answer3"])[0] == "in", "an account may be called anything"
    assert (tmp_path / "names").read_text().splitlines() == ["nobody", "it's $HOME"]


def test_unknown_names_may_be_refused_at_once(run, tmp_path):
    server = asks(run, tmp_path, TWO_ROUNDS, plugins={"authenticator": {"auth-external": {"ask_unknown_users": False}}})
    mark = server.mark()
    assert by_questions(server, "nobody", ["1", "2"], ["answer3"]) == ("AuthenticationException", [])
    assert "unknown user" in failure(server, mark, "nobody")


def test_the_password_is_compared_and_not_handed_on(run, tmp_path):
    server = asks(run, tmp_path, CHECKED)
    password = server.accounts["alice"].password
    assert by_questions(server, "alice", [password], ["token"])[0] == "in"
    assert (tmp_path / "said").read_text() == "OK\n"
    assert by_questions(server, "alice", [password], ["wrong"])[0] == "AuthenticationException"
    (tmp_path / "said").unlink()
    outcome, asked = by_questions(server, "alice", ["wrong"], ["token"])
    assert outcome == "AuthenticationException" and len(asked) == 1
    wait_for("the program to be gone", lambda: not hooks.processes_with(f"{tmp_path}/questions"))
    assert not (tmp_path / "said").exists()
    assert by_questions(server, "alice", ["OK\nOK"], ["token"])[0] == "AuthenticationException"


@pytest.mark.parametrize("text", [
    "", "echo nonsense", "echo '{}'", "echo '{\"questions\": [], \"echos\": []}'", "echo '{\"questions\": [\"a\"], \"echos\": []}'",
    "echo '{\"questions\": [\"a\"], \"echos\": [true]'", "echo '{\"auth_result\": 2}'", "printf '{\"questions\": [\"\\377\"], \"echos\": [true]}\\n'",
    "exit 3", "echo '{\"questions\": [\"a\", \"b\"], \"echos\": [true, true], \"check_password\": 1}'",
])
def test_what_is_no_question_denies(run, tmp_path, text):
    server = asks(run, tmp_path, text)
    mark = server.mark()
    assert by_questions(server, "alice", ["x"]) == ("AuthenticationException", [])
    assert failure(server, mark, "alice")


def test_a_result_without_questions(run, tmp_path):
    server = asks(run, tmp_path, "echo '{\"auth_result\": 1}'")
    assert by_questions(server, "alice") == ("in", [])


def test_the_usual_checks_follow(run, tmp_path):
    server = asks(run, tmp_path, "echo '{\"auth_result\": 1}'")
    record = tmp_path / "record.json"
    for name, change in (("off", {"status": 0}), ("late", {"expiration_date": 1}),
                         ("denied", {"filters": {"denied_login_methods": ["keyboard-interactive"]}})):
        record.write_text(json.dumps(change))
        server.add_account(name, options=["--json", record])
        assert by_questions(server, name)[0] == "AuthenticationException", name


def test_bans_hold_for_questions(run, tmp_path):
    server = asks(run, tmp_path, f"echo >> {tmp_path}/runs; echo '{{\"questions\": [\"a\"], \"echos\": [true]}}'; read A; "
                                 "echo '{\"auth_result\": 1}'",
                  defender={"enabled": True, "max_failures": 50, "max_failures_per_user": 2, "ban_time": 3600, "allowed": []})
    assert by_questions(server, "alice", ["x"])[0] == "in"

    def spoil(_title, _instruction, _prompts):
        for _ in range(2):
            assert hooks.by_password(server, "alice", "wrong") == "AuthenticationException"
        return ["x"]

    mark = server.mark()
    with s.transport(server, None, login=False) as link:
        assert hooks.refusal_or_in(lambda: link.auth_interactive("alice", spoil)) == "AuthenticationException"
    wait_for("the refusal in the log", lambda: "refused for" in hooks.failures(server, mark, "alice")[-1])
    ran = len((tmp_path / "runs").read_text().splitlines())
    assert by_questions(server, "alice", ["x"]) == ("AuthenticationException", [])
    assert len((tmp_path / "runs").read_text().splitlines()) == ran == 2


def test_chained_to_external_authentication(run, tmp_path):
    external = recorder(tmp_path, json.dumps(user_json("ext", tmp_path / "home", password="made up", quota_files=3)))
    server = asks(run, tmp_path, TWO_ROUNDS, data_provider={"external_auth_program": str(external), "external_auth_scope": 4})
    assert by_questions(server, "ext", ["1", "2"], ["answer3"])[0] == "in"
    assert seen(tmp_path) == [{"SFTPGO_AUTHD_USERNAME": "ext", "SFTPGO_AUTHD_PASSWORD": "", "SFTPGO_AUTHD_PUBLIC_KEY": "",
                               "SFTPGO_AUTHD_KEYBOARD_INTERACTIVE": "1"}]
    assert stored(server, "ext")["quota_files"] == 3
    external.write_text("#!/bin/sh\necho '{}'\n")
    assert by_questions(server, "ext", ["1", "2"], ["answer3"]) == ("AuthenticationException", [])


def test_a_client_that_leaves_ends_the_program(run, tmp_path):
    server = asks(run, tmp_path, TWO_ROUNDS)

    def leave(_title, _instruction, _prompts):
        wait_for("it runs", lambda: hooks.processes_with(f"{tmp_path}/questions"))
        raise RuntimeError("left")

    with s.transport(server, None, login=False) as link, pytest.raises(RuntimeError):
        link.auth_interactive("alice", leave)
    wait_for("it is gone", lambda: not hooks.processes_with(f"{tmp_path}/questions"))
    wait_for("no child is left", lambda: not hooks.children(server.pid))


@pytest.mark.parametrize("of_one", [1, 2])
def test_neither_one_address_nor_strangers_have_all_places(run, tmp_path, of_one):
    """A quarter each, which is one here, unless something else is said about addresses."""
    server = asks(run, tmp_path, "echo '{\"questions\": [\"a\"], \"echos\": [true]}'; read A; echo '{\"auth_result\": 1}'",
                  plugins={"authenticator": {"auth-external": {"max_conversations": 4, **({"max_conversations_per_address": 2} if of_one == 2 else {})}}})
    release = threading.Event()

    def login(source, user, reply=lambda *_: ["x"]):
        with s.transport(server, None, login=False, source=source) as link:
            return hooks.refusal_or_in(lambda: link.auth_interactive(user, reply))

    def hold(source, user, outcomes):
        asked = threading.Event()

        def reply(*_):
            asked.set()
            release.wait(seconds(50))
            return ["x"]
        thread = threading.Thread(target=lambda: outcomes.append(login(source, user, reply)))
        thread.start()
        assert asked.wait(seconds(20))
        return thread

    outcomes, mark = [], server.mark()
    threads = [*(hold("127.0.0.1", "alice", outcomes) for _ in range(of_one)), hold("127.0.0.2", "nobody", outcomes)]
    try:
        assert login("127.0.0.1", "alice") == "AuthenticationException"
        assert "too many conversations are open (max_conversations, max_conversations_per_address)" in failure(server, mark, "alice")
        assert login("127.0.0.3", "nobody") == "AuthenticationException"
        assert "too many conversations" in failure(server, mark, "nobody")
        assert login("127.0.0.3", "alice") == "in"
    finally:
        release.set()
        for thread in threads:
            thread.join()
    assert sorted(outcomes) == ["AuthenticationException", *["in"] * of_one], "of nobody, and of alice"
    wait_for("its place is free again", lambda: login("127.0.0.1", "alice") == "in")


def test_a_service_asks(run, tmp_path):
    def answer(asked):
        said = asked.json.get("answers")
        if said is None:
            return 200, json.dumps({"questions": ["Token: "], "echos": [False], "instruction": "hello"})
        return 200, json.dumps({"auth_result": 1 if said == ["42"] else -1})

    with hooks.service() as service:
        service.answers["/ask"] = answer
        server = run(["alice"], sftpd={"keyboard_interactive_auth_program": service.url + "/ask"})
        assert by_questions(server, "alice", ["42"]) == ("in", [("hello", [("Token: ", False)])])
        assert by_questions(server, "alice", ["41"])[0] == "AuthenticationException"
        first, second = service.asked[:2]
        assert first.json["username"] == "alice" and first.json["password"] == stored(server, "alice")["password"]
        assert second.json["request_id"] == first.json["request_id"] and second.json["questions"] == ["Token: "]
