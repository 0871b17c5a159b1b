# SPDX-License-Identifier: Apache-2.0
"""REST API: backups that hold everybody or do not exist, restores that are interrupted, and both with many accounts."""
import json
import os
import signal
import sqlite3
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest

from rest import HASH, Rest
from server import binary
from util import SANITIZED, seconds, wait_for

pytestmark = pytest.mark.ours
SLOW_STORAGE = Path(os.environ.get("SALLYPORT_TEST_PLUGINS") or binary().parent.parent / "test-plugins").resolve() / "fs-slow.so"
LIMIT = 64 * 1024 * 1024  # of a file to restore
COLUMNS = "password, public_keys, home_dir, uid, gid, max_sessions, quota_size, quota_files, permissions, used_quota_size, " \
          "used_quota_files, last_quota_update, upload_bandwidth, download_bandwidth, expiration_date, last_login, status, filters, " \
          "filesystem, virtual_folders"


@pytest.fixture
def server(make_server):
    instance = make_server(config={"httpd": {"bind_port": -1}})
    instance.start()
    instance.api = Rest(instance.rest_url)
    yield instance
    instance.stop()


def sql(server, *words):
    with sqlite3.connect(server.config_dir / "sallyport.db", timeout=seconds(10)) as database:
        return database.execute(*words).fetchall()


def patiently(server, path, **query):
    """As Rest.get, for what takes long where others have processors first: the threads of the service are nice."""
    connection = server.api.connect()
    connection.timeout = seconds(300)
    try:
        return server.api.call("GET", f"{path}?{urlencode(query)}", connection=connection)
    finally:
        connection.close()


def multiply(server, name, count):
    """As many accounts like that one as make `count` with it."""
    sql(server, f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO users (username, {COLUMNS}) "
                f"SELECT printf('u%06d', i), {COLUMNS} FROM n, users WHERE username = ?", (count - 1, name))


def test_a_dump_without_somebody_is_none(server):
    for name in ("ann", "bob", "cem"):
        server.api.add(server, name)
    file = server.config_dir / "backups/all.json"
    assert server.api.get("dumpdata", output_file="all.json").said == (200, "", "Data saved")
    before = file.read_text()
    sql(server, "UPDATE users SET filters = '{torn' WHERE username = 'bob'")
    mark = server.mark()
    status, error, message = server.api.get("dumpdata", output_file="all.json").said
    assert status == 500 and '"bob"' in error and "1 of the users" in error and message == ""
    server.wait_log(lambda l: l["level"] == "error" and "1 of the users" in l.get("message", ""), start=mark)
    server.wait_log(lambda l: l["level"] == "error" and "filters cannot be read" in l.get("message", ""), start=mark)
    assert file.read_text() == before and os.listdir(file.parent) == ["all.json"]
    sql(server, "UPDATE users SET filters = '{}' WHERE username = 'bob'")
    assert server.api.get("dumpdata", output_file="all.json").status == 200


def test_what_a_crash_left_is_removed(server):
    directory = server.config_dir / "backups"
    directory.mkdir()
    left, others = directory / ".sallyport-dump-aB3xYz", directory / ".sallyport-dump-others"
    for file in (left, others):
        file.write_text("secrets")
    os.utime(left, times=(time.time() - 3700,) * 2)
    assert server.api.get("dumpdata", output_file="all.json").status == 200
    assert sorted(os.listdir(directory)) == [others.name, "all.json"], "one that is being written is another server's"


def peak_kib(server):
    lines = Path(f"/proc/{server.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def test_ten_thousand_accounts_come_back(server):
    """In a file that is larger than what the replaced system took, without a memory that grows as much."""
    server.api.add(server, "ann", home_dir="/tmp/" + "a" * 1000, quota_files=7)
    multiply(server, "ann", 10000)
    assert patiently(server, "dumpdata", output_file="all.json", indent=1).status == 200
    file = server.config_dir / "backups/all.json"
    assert 10485760 < file.stat().st_size < LIMIT
    before = sql(server, f"SELECT username, {COLUMNS} FROM users ORDER BY username")
    sql(server, "DELETE FROM users")
    memory = peak_kib(server)
    answer = patiently(server, "loaddata", input_file=file)
    assert answer.said == (200, "", "Data restored") and answer.json["summary"]["added"] == 10000
    assert sql(server, f"SELECT username, {COLUMNS} FROM users ORDER BY username") == before
    if not SANITIZED:
        assert (peak_kib(server) - memory) * 1024 < 2 * file.stat().st_size + 16 * 1024 * 1024


def test_a_dump_that_no_restore_takes_is_warned_of(server):
    server.api.add(server, "ann")
    sql(server, "UPDATE users SET home_dir = '/' || printf('%.*c', 1000000, 'a')")
    multiply(server, "ann", 68)
    mark = server.mark()
    assert patiently(server, "dumpdata", output_file="all.json").status == 200
    server.wait_log(lambda l: l["level"] == "warn" and f"more than the {LIMIT} bytes" in l.get("message", ""), start=mark)
    status, error, _ = patiently(server, "loaddata", input_file=server.config_dir / "backups/all.json").said
    assert status == 400 and f"more than {LIMIT} bytes" in error


@pytest.mark.parametrize("text, why", [
    ('{"users": [\n {"username": "ann", "password": "hush', " ends too early at line 2, column 39"),
    ("ann:x:1107:0::/home/ann:/bin/sh\n", " is not valid JSON at line 1, column 1"), ("[]", " is JSON, but not an object"), ("", " is empty")])
def test_a_file_that_is_no_backup_is_told_from_one(server, tmp_path, text, why):
    file = tmp_path / "some.json"
    file.write_text(text)
    wanted = f'{file}{why}; wanted is what dumpdata writes, a JSON object with a list "users"'
    status, error, _ = patiently(server, "loaddata", input_file=file).said
    assert status == 400 and wanted in error and "hush" not in error


def test_a_restore_that_the_stop_interrupts_says_how_far_it_came(server, tmp_path):
    count = 20000
    file = tmp_path / "many.json"
    file.write_text(json.dumps({"users": [{"username": f"u{number:05d}", "password": HASH, "home_dir": "/tmp/u", "status": 1,
                                           "permissions": {"/": ["*"]}} for number in range(count)]}))
    answers = []
    client = threading.Thread(target=lambda: answers.append(patiently(server, "loaddata", input_file=file, scan_quota=1)))
    client.start()
    server.wait_log(lambda l: "1000 users read from" in l.get("message", ""), timeout=60)
    server.process.send_signal(signal.SIGTERM)
    client.join(seconds(30))
    server.stop()
    (answer,) = answers
    added = answer.json["summary"]["added"]
    assert 1000 <= added < count
    assert answer.said == (503, f"the server stops; users after the first {added} are not restored", "")
    assert [name for name, in sql(server, "SELECT username FROM users ORDER BY username")] == [f"u{number:05d}" for number in range(added)]
    assert [line for line in server.log_lines() if line["level"] == "warn" and f"after the first {added} are not" in line.get("message", "")]


def test_scans_of_a_restore_are_listed_until_all_are_done(make_server):
    """On a storage that takes its time for each of them."""
    server = make_server(config={"httpd": {"bind_port": -1}, "plugins": {
        "paths": [str(SLOW_STORAGE)], "storage": {"fs-slow": {"delay_ms": 300}}}})
    server.start()
    try:
        rest, names = Rest(server.rest_url), {"s1", "s2", "s3"}
        for name in names:
            rest.add(server, name, filesystem={"provider": "fs-slow"})
            (server.directory / "homes" / name / "f").write_text("12345")
        rest.get("dumpdata", output_file="all.json")
        assert rest.get("loaddata", input_file=server.config_dir / "backups/all.json", scan_quota=1).status == 200
        assert {scan["username"] for scan in rest.get("quota_scan").json} == names
        assert rest.post("quota_scan", {"username": "s3"}).said == (409, "", "Another scan is already in progress")
        rest.wait_for_scans()
        assert [user["used_quota_size"] for user in rest.get("user").json] == [5, 5, 5]
        wait_for("a scan to be possible again", lambda: rest.post("quota_scan", {"username": "s3"}).status == 201)
    finally:
        server.stop()
