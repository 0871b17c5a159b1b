# SPDX-License-Identifier: Apache-2.0
"""REST API: a database that another process has locked, or that cannot be written."""
import json
import shutil
import sqlite3

import pytest

import rawsftp as s
from rest import HASH, Rest

pytestmark = pytest.mark.ours
NEW = {"username": "new", "password": HASH, "home_dir": "/tmp/new", "permissions": {"/": ["*"]}}


@pytest.fixture
def backup(tmp_path):
    file = tmp_path / "backup.json"
    file.write_text(json.dumps({"users": [NEW]}))
    return file


def test_a_locked_database_may_be_asked_again(make_server, backup):
    server = make_server(config={"httpd": {"bind_port": -1}, "plugins": {"provider": {"provider-sqlite": {"busy_timeout_ms": 20}}}})
    server.start()
    try:
        rest = Rest(server.rest_url)
        ann = rest.add(server, "ann")
        other = sqlite3.connect(server.config_dir / "sallyport.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        restored = rest.get("loaddata", input_file=backup)
        for answer in (rest.post("user", NEW), rest.put(f"user/{ann['id']}", {"status": 0}), rest.delete(f"user/{ann['id']}"), restored):
            status, error, message = answer.said
            assert status == 503 and "locked" in error and message == ""
        assert restored.json["summary"]["refused"] == 1 and restored.json["summary"]["added"] == 0
        assert rest.user("ann") == ann, "reading goes on"
        other.execute("ROLLBACK")
        other.close()
        assert rest.post("user", NEW).status == 200 and rest.delete(f"user/{ann['id']}").status == 200
    finally:
        server.stop()


def test_a_database_that_cannot_be_written_is_no_refusal(make_server, backup):
    """403 would say that the server does not manage accounts, and usage would be forgotten."""
    server = make_server(config={"httpd": {"bind_port": -1}})
    server.add_account("alice")
    server.config["data_provider"]["track_quota"] = 1
    server.config["data_provider"]["connection_string"] = f"file:{server.config_dir / 'sallyport.db'}?mode=ro"
    server.write_config()
    server.start()
    try:
        rest = Rest(server.rest_url)
        alice = rest.user("alice")
        for answer in (rest.post("user", NEW), rest.put(f"user/{alice['id']}", {"status": 0}), rest.delete(f"user/{alice['id']}"),
                       rest.get("loaddata", input_file=backup)):
            status, error, message = answer.said
            assert status == 500 and "readonly" in error and message == ""
        with s.session(server, server.accounts["alice"]) as sftp:
            sftp.write_file("/f", b"x" * 100)
        server.wait_log(lambda l: l.get("sender") == "quota" and "tried again" in l["message"] and "readonly" in l["message"])
    finally:
        server.stop()


def test_a_database_that_was_replaced_takes_nothing(make_server):
    """What would be stored would go into a file that nobody finds any more."""
    server = make_server(config={"httpd": {"bind_port": -1}})
    server.start()
    try:
        rest = Rest(server.rest_url)
        ann = rest.add(server, "ann")
        file = server.config_dir / "sallyport.db"
        other = server.directory / "other"
        other.mkdir()
        shutil.copy(file, other / file.name)
        aside = file.rename(file.with_suffix(".aside"))
        (other / file.name).rename(file)
        mark = server.mark()
        for answer in (rest.get("providerstatus"), rest.post("user", NEW), rest.put(f"user/{ann['id']}", {"status": 0}),
                       rest.delete(f"user/{ann['id']}")):
            status, error, message = answer.said
            assert status == 500 and f"{file}: another file has its name" in error and message == ""
        lines = [l for l in server.log_lines(mark) if f"database {file} was replaced" in l.get("message", "")]
        assert [l["level"] for l in lines] == ["error"]
        aside.rename(file)
        assert rest.get("providerstatus").status == rest.post("user", NEW).status == 200
        assert rest.user("ann") == ann
    finally:
        server.stop()
