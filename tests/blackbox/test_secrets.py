# SPDX-License-Identifier: Apache-2.0
"""Secrets of accounts: encrypted under the server's master key wherever they lie, shown to nobody, and still the account's
own after dumps, restores and new keys. No store is needed: mounting an account opens its secret and asks no one."""
import json
import os
import sqlite3
import stat

import paramiko
import pytest

import hooks
import rawsftp as s
from hooks import run  # noqa: F401
from rest import HASH, Rest
from s3 import sealed_by_the_replaced_system
from util import wait_for

pytestmark = pytest.mark.ours
SECRET = "TopSecretAccessKey/0123456789"
KEY_ONE, KEY_TWO = "11" * 32, "22" * 32


def filesystem(secret=SECRET):
    return {"provider": 1, "s3config": {"bucket": "files", "region": "r", "endpoint": "http://127.0.0.1:9", "access_key": "AKIAEXAMPLE",
                                        "access_secret": secret}}


@pytest.fixture
def server(make_server):
    instance = make_server(config={"httpd": {"bind_port": -1}})
    instance.start()
    instance.api = Rest(instance.rest_url)
    yield instance
    instance.stop()


def logs_in(server, name):
    with s.transport(server, None, login=False) as link:
        try:
            link.auth_password(name, "secret")
            return True
        except paramiko.AuthenticationException:
            return False


def stored(server, name):
    with sqlite3.connect(f"file:{server.config_dir / 'sallyport.db'}?mode=ro", uri=True) as database:
        row = database.execute("SELECT filesystem FROM users WHERE username = ?", (name,)).fetchone()
    return json.loads(row[0])["s3config"]["access_secret"]


def test_secrets_lie_encrypted_and_nobody_is_shown_them(server):
    key_file = server.config_dir / "master.key"
    assert not key_file.exists()
    answers = [json.dumps(server.api.add(server, "ann", filesystem=filesystem()))]
    user = server.api.user("ann")
    answers.append(json.dumps([user, server.api.get(f"user/{user['id']}").json]))
    answers += [server.cli("user", "show", "ann").stdout, server.cli("user", "list", "--json").stdout]
    assert server.api.get("dumpdata", output_file="d.json").status == 200
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert logs_in(server, "ann")
    text = stored(server, "ann")
    assert text.startswith("$aes256gcm$")
    for answer in answers:
        assert "$aes$" + text.rsplit("$", 1)[1] in answer and text not in answer and SECRET not in answer
    assert text in (server.config_dir / "backups/d.json").read_text()
    for directory, _, names in os.walk(server.directory):
        for name in names:
            assert SECRET.encode() not in open(os.path.join(directory, name), "rb").read(), name


def test_what_was_shown_comes_back_and_changes_nothing(server):
    server.api.add(server, "ann", filesystem=filesystem())
    before, user = stored(server, "ann"), server.api.user("ann")
    for body in (user, {"filesystem": user["filesystem"]}, {"filesystem": {"s3config": {"access_key": "AKIAOTHER", "access_secret": ""}}}):
        assert server.api.put(f"user/{user['id']}", body).status == 200
        assert stored(server, "ann") == before
    new = {"username": "eve", "password": HASH, "home_dir": "/srv/eve", "permissions": {"/": ["*"]}, "filesystem": user["filesystem"]}
    status, error, _ = server.api.post("user", new).said
    assert status == 400 and "access_secret" in error
    shown = json.loads(server.cli("user", "show", "ann").stdout)
    file = server.directory / "ann.json"
    file.write_text(json.dumps({"filesystem": shown["filesystem"]}))
    server.cli("user", "update", "ann", "--json", file)
    assert stored(server, "ann") == before and logs_in(server, "ann")


def test_a_secret_of_the_replaced_system_is_read_and_encrypted_anew(server):
    user = server.api.add(server, "ann", filesystem=filesystem())
    old = sealed_by_the_replaced_system(SECRET)
    with sqlite3.connect(server.config_dir / "sallyport.db") as database:
        database.execute("UPDATE users SET filesystem = replace(filesystem, ?, ?)", (stored(server, "ann"), old))
    assert stored(server, "ann") == old and logs_in(server, "ann")
    assert server.api.put(f"user/{user['id']}", {"max_sessions": 3}).status == 200
    assert stored(server, "ann").startswith("$aes256gcm$") and logs_in(server, "ann")


def test_dumps_come_back_where_the_key_is(server):
    user = server.api.add(server, "ann", filesystem=filesystem())
    server.api.get("dumpdata", output_file="d.json")
    assert server.api.delete(f"user/{user['id']}").status == 200
    dump = server.config_dir / "backups/d.json"
    assert server.api.get("loaddata", input_file=dump).said == (200, "", "Data restored")
    assert logs_in(server, "ann")
    # As somebody would who can write the database: ann's secret for an account of one's own.
    text = json.loads(dump.read_text())
    text["users"][0]["username"] = "eve"
    stolen = server.directory / "stolen.json"
    stolen.write_text(json.dumps(text))
    mark = server.mark()
    assert server.api.get("loaddata", input_file=stolen).status == 200
    server.wait_log(lambda l: 'user "eve" cannot log in' in l["message"] and "another account" in l["message"], start=mark)
    assert not logs_in(server, "eve") and logs_in(server, "ann")


def test_another_key(server):
    """The login fails, one line says why, the rest of the account works, and nothing is lost."""
    user = server.api.add(server, "ann", filesystem=filesystem())
    server.api.add(server, "bob")
    key_file = server.config_dir / "master.key"
    old = key_file.read_text().splitlines()[-1]

    def set_keys(*keys):
        new = key_file.with_suffix(".new")
        new.write_text("\n".join(keys) + "\n")
        new.chmod(0o600)
        os.replace(new, key_file)
    set_keys(KEY_ONE)
    mark, before = server.mark(), stored(server, "ann")
    assert not logs_in(server, "ann") and logs_in(server, "bob")
    lines = [line["message"] for line in server.log_lines(mark) if "master key (" in str(line.get("message"))]
    assert lines and all(f"({before.split('$')[2]}), which {key_file} does not hold" in line for line in lines)
    assert server.api.put(f"user/{user['id']}", {"max_sessions": 2}).status == 200
    assert stored(server, "ann") == before
    done = server.cli("user", "reseal", check=False)
    assert done.returncode == 1 and "0 accounts had" in done.stdout and "1 accounts could not" in done.stderr
    set_keys(KEY_ONE, old)
    assert logs_in(server, "ann") and stored(server, "ann") == before
    assert "1 accounts had" in server.cli("user", "reseal").stdout
    set_keys(KEY_ONE)
    assert stored(server, "ann") != before and logs_in(server, "ann")


def test_a_key_that_was_lost(server):
    """The start is not refused: most accounts need no key. Whose secret it was is told which key is meant and what helps."""
    server.api.add(server, "ann", filesystem=filesystem())
    key_file = server.config_dir / "master.key"
    copy = key_file.rename(server.config_dir / "copy")
    server.stop()
    server.start()
    mark = server.mark()
    assert not logs_in(server, "ann")
    key = stored(server, "ann").split("$")[2]
    line = server.wait_log(lambda l: "master key" in str(l.get("message")), start=mark)["message"]
    assert f"({key}), which {key_file} does not hold, as there is no such file: put its copy back; if it is lost, make a new one" in line
    assert not key_file.exists(), "another key would not help"
    copy.rename(key_file)
    assert logs_in(server, "ann")


def test_no_key_is_made_in_place_of_one_that_was_lost(server):
    """Secrets would lie under two keys, of which nobody has the first, and nobody would notice until the logins of others fail."""
    user = server.api.add(server, "ann", filesystem=filesystem())
    server.api.add(server, "bob")
    key_file = server.config_dir / "master.key"
    copy = key_file.rename(server.config_dir / "copy")
    before = stored(server, "ann")
    server.stop()
    server.start()
    server.api = Rest(server.rest_url)
    new = {"username": "eve", "status": 1, "password": HASH, "home_dir": "/srv/eve", "permissions": {"/": ["*"]},
           "filesystem": filesystem("another")}
    file = server.directory / "secret.json"
    file.write_text(json.dumps({"filesystem": filesystem("another")}))
    mark = server.mark()
    for answer in (server.api.post("user", new), server.api.put(f"user/{user['id']}", {"filesystem": filesystem("another")})):
        status, error, _ = answer.said
        assert status == 500 and f"there is no {key_file}" in error
    line = server.wait_log(lambda l: "1 account (ann)" in str(l.get("message")), start=mark)
    assert line["level"] == "error" and "put its copy back" in line["message"] and "openssl rand -hex 32" in line["message"]
    refused = server.cli("user", "add", "eve", "--home-dir", "/srv/eve", "--json", file, "--password-stdin", input="secret\n", check=False)
    assert refused.returncode == 1 and f"there is no {key_file}" in refused.stderr and "1 account (ann)" in refused.stderr
    refused = server.cli("user", "update", "bob", "--json", file, check=False)
    assert refused.returncode == 1 and "1 account (ann)" in refused.stderr
    assert not key_file.exists() and stored(server, "ann") == before
    assert server.api.put(f"user/{user['id']}", {"max_sessions": 2}).status == 200, "what needs no key goes on"
    copy.rename(key_file)
    assert server.api.post("user", new).status == 200 and logs_in(server, "ann") and logs_in(server, "eve")


def refusal(server):
    server.spawn()
    server.ended(1)
    checked = server.cli("check-config", check=False)
    assert checked.returncode == 1
    return server.stderr_text() + checked.stderr + checked.stdout


def test_keys_that_are_not_private_or_not_there_stop_the_start(make_server):
    server = make_server()
    server.initialise()
    key_file = server.config_dir / "master.key"
    key_file.write_text(KEY_ONE)
    key_file.chmod(0o644)
    assert refusal(server).count("master.key has mode 0644, others may read or change it: chmod 600 it") == 2
    key_file.chmod(0o600)
    server.config["data_provider"]["master_key_file"] = "none.key"
    server.write_config()
    assert refusal(server).count("data_provider.master_key_file: cannot read") == 2
    server.extra_env["SFTPGO_DATA_PROVIDER__MASTER_KEY"] = KEY_TWO
    assert "one of them is allowed" in refusal(server)


def test_a_key_of_the_environment(make_server):
    server = make_server(config={"httpd": {"bind_port": -1}}, env={"SFTPGO_DATA_PROVIDER__MASTER_KEY": f"{KEY_ONE},{KEY_TWO}"})
    server.start()
    try:
        server.api = Rest(server.rest_url)
        server.api.add(server, "ann", filesystem=filesystem())
        assert logs_in(server, "ann") and not (server.config_dir / "master.key").exists()
        assert KEY_ONE not in server.cli("check-config", "--print").stdout
    finally:
        server.stop()


def test_actions_are_told_of_accounts_without_them(run):
    with hooks.service() as service:
        service.answers["/u"] = lambda _: (200, "")
        server = run(httpd={"bind_port": -1}, data_provider={
            "actions": {"execute_on": ["add", "update"], "http_notification_url": service.url + "/u"}})
        user = hooks.user_json("bob", "/srv/bob", password=HASH, filesystem={"provider": 1, "s3config": {
            "bucket": "b", "region": "r", "access_key": "k", "access_secret": SECRET}})
        made = Rest(server.rest_url).call("POST", "/api/v1/user", user)
        assert made.status == 200
        assert Rest(server.rest_url).call("PUT", f"/api/v1/user/{made.json['id']}", {"quota_files": 1}).status == 200
        wait_for("both were told", lambda: len(service.asked) == 2)
        for asked in service.asked:
            assert asked.json["filesystem"]["s3config"]["bucket"] == "b"
            assert SECRET not in asked.body
            assert asked.json["filesystem"] == made.json["filesystem"], "as the REST API shows it: what cannot be opened again"
