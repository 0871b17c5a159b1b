# SPDX-License-Identifier: Apache-2.0
"""The programs of the replaced system's documentation, letter by letter."""
import json

import pytest

from hooks import by_key, by_password, by_questions, program, run, stored  # noqa: F401

pytestmark = pytest.mark.ours

EXTERNAL = r"""#!/bin/sh
if test "$SFTPGO_AUTHD_USERNAME" = "test_user"; then
  echo '{"status":1,"username":"test_user","expiration_date":0,"home_dir":"/tmp/test_user","uid":0,"gid":0,"max_sessions":0,"quota_size":0,"quota_files":100000,"permissions":{"/":["*"],"/somedir":["list","download"]},"upload_bandwidth":0,"download_bandwidth":0,"filters":{"allowed_ip":[],"denied_ip":[]},"public_keys":[]}'
else
  echo '{"username":""}'
fi
"""
PRE_LOGIN = r"""#!/bin/bash
CURRENT_TIME=`date +%H:%M`
if [[ "$SFTPGO_LOGIND_USER" =~ "\"test_user\"" ]]
then
  if [[ $CURRENT_TIME > "18:00" || $CURRENT_TIME < "10:00" ]]
  then
    echo '{"status":0}'
  else
    echo '{"status":1}'
  fi
fi
"""
QUESTIONS = r"""#!/bin/sh
echo '{"questions":["Question1: ","Question2: "],"instruction":"This is a sample for keyboard interactive authentication","echos":[true,false]}'
read ANSWER1
read ANSWER2
echo '{"questions":["Question3: "],"instruction":"","echos":[true]}'
read ANSWER3
if test "$ANSWER3" = "answer3"; then
	echo '{"auth_result":1}'
else
	echo '{"auth_result":-1}'
fi
"""
CHECKED_QUESTIONS = r"""#!/bin/sh
echo '{"questions":["Password: "],"instruction":"This is a sample for keyboard interactive authentication","echos":[false],"check_password":1}'
read ANSWER1
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
REFUSED = "AuthenticationException"
SAMPLE = "This is a sample for keyboard interactive authentication"


def test_external_authentication(run, tmp_path, keyring):
    server = run(data_provider={"external_auth_program": str(program(tmp_path, "hook", EXTERNAL))})
    assert by_password(server, "test_user", "anything") == "in"
    assert by_key(server, "test_user", keyring.user()) == "in"
    assert by_password(server, "other", "anything") == REFUSED
    row = stored(server, "test_user")
    assert json.loads(row["permissions"]) == {"/": ["*"], "/somedir": ["list", "download"]}
    assert row["quota_files"] == 100000 and row["home_dir"] == "/tmp/test_user"


def test_before_the_login(run, tmp_path, monkeypatch):
    """Its clock is a program in the server's PATH, which hooks inherit."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin", prepend=":")
    server = run(["test_user", "other"], data_provider={"pre_login_program": str(program(tmp_path, "hook", PRE_LOGIN))})
    for time, outcome, status in (("12:00", "in", 1), ("18:01", REFUSED, 0), ("09:59", REFUSED, 0), ("10:00", "in", 1)):
        program(tmp_path / "bin", "date", f"echo {time}")
        for name in ("test_user", "other"):
            account = server.accounts[name]
            wanted = outcome if name == "test_user" else "in"
            assert by_password(server, name, account.password) == wanted, (time, name)
            assert by_key(server, name, account.keys[0]) == wanted, (time, name)
        assert (stored(server, "test_user")["status"], stored(server, "other")["status"]) == (status, 1)


def test_two_sets_of_questions(run, tmp_path):
    server = run(["alice"], sftpd={"keyboard_interactive_auth_program": str(program(tmp_path, "hook", QUESTIONS))})
    asked = [(SAMPLE, [("Question1: ", True), ("Question2: ", False)]), ("", [("Question3: ", True)])]
    assert by_questions(server, "alice", ["1", "2"], ["answer3"]) == ("in", asked)
    assert by_questions(server, "alice", ["1", "2"], ["answer4"]) == (REFUSED, asked)


def test_a_password_that_is_checked_and_a_token(run, tmp_path):
    server = run(["alice"], sftpd={"keyboard_interactive_auth_program": str(program(tmp_path, "hook", CHECKED_QUESTIONS))})
    password = server.accounts["alice"].password
    asked = [(SAMPLE, [("Password: ", False)]), ("", [("One time token: ", False)])]
    assert by_questions(server, "alice", [password], ["token"]) == ("in", asked)
    assert by_questions(server, "alice", [password], ["other"]) == (REFUSED, asked)
    assert by_questions(server, "alice", ["wrong"], ["token"]) == (REFUSED, asked[:1])
