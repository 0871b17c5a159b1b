# SPDX-License-Identifier: Apache-2.0
"""REST API: quota scans, dumps and restores."""
import json
import os
import stat
import time
from pathlib import Path

import paramiko
import pytest

import rawsftp as s
from rest import HASH, Rest
from server import binary
from util import seconds, wait_for

pytestmark = pytest.mark.ours
SLOW_STORAGE = Path(os.environ.get("SALLYPORT_TEST_PLUGINS") or binary().parent.parent / "test-plugins").resolve() / "fs-slow.so"


@pytest.fixture
def user(rest, rest_server):
    made = rest.add(rest_server, "scanned")
    yield made
    rest.delete(f"user/{made['id']}")
    for file in (rest_server.directory / "homes/scanned").iterdir():
        file.unlink()


class TestScans:
    def test_counts_files(self, rest, rest_server, user):
        (rest_server.directory / "homes/scanned/a").write_bytes(b"x" * 1000)
        (rest_server.directory / "homes/scanned/b").write_bytes(b"x" * 234)
        assert rest.post("quota_scan", {"username": "scanned"}).said == (201, "", "Scan started")
        rest.wait_for_scans()
        after = rest.user("scanned")
        assert (after["used_quota_size"], after["used_quota_files"]) == (1234, 2) and after["last_quota_update"] > 0

    @pytest.mark.parametrize("name", ["", "nobody"])
    def test_unknown_user(self, rest, name):
        said = rest.post("quota_scan", {"username": name}).said
        assert said == (404, f"Not found: username {name} does not exist", "")

    @pytest.mark.parametrize("body", ["", "{", "[]", '{"username": 3}'])
    def test_bad_body(self, rest, body):
        status, error, _ = rest.post("quota_scan", body).said
        assert status == 400 and error

    def test_one_at_a_time_for_a_user(self, make_server):
        """On a storage that takes its time. The stop does not wait for the scan."""
        server = make_server(config={"httpd": {"bind_port": -1}, "plugins": {
            "paths": [str(SLOW_STORAGE)], "storage": {"fs-slow": {"delay_ms": 500}}}})
        server.start()
        rest = Rest(server.rest_url)
        for name in ("slow", "other"):
            rest.add(server, name, filesystem={"provider": "fs-slow"})
        start = {"username": "slow"}
        assert rest.post("quota_scan", start).said == (201, "", "Scan started")
        assert [scan["username"] for scan in rest.get("quota_scan").json] == ["slow"]
        assert abs(rest.get("quota_scan").json[0]["start_time"] / 1000 - time.time()) < seconds(30)
        assert rest.post("quota_scan", start).said == (409, "", "Another scan is already in progress")
        assert rest.post("quota_scan", {"username": "other"}).status == 201
        rest.wait_for_scans()
        assert rest.post("quota_scan", start).status == 201
        server.stop()


class TestDump:
    @pytest.mark.parametrize("name, error", [
        ("", "Invalid or missing output_file"), ("/tmp/x", "relative path"), ("../x", '".."'), ("a..b", '".."'),
    ])
    def test_bad_names(self, rest, name, error):
        status, said, message = rest.get("dumpdata", output_file=name).said
        assert status == 400 and error in said and not message
        assert rest.get("dumpdata").said == (400, "Invalid or missing output_file", "")

    def test_holds_all_and_is_private(self, rest, rest_server, user):
        assert rest.get("dumpdata", output_file="d/one.json").said == (200, "", "Data saved")
        file = rest_server.config_dir / "backups/d/one.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == stat.S_IMODE(file.parent.parent.stat().st_mode) == 0o700
        dump = json.loads(file.read_text())
        assert [u["username"] for u in dump["users"]] == ["scanned"] and dump["users"][0]["password"] == HASH
        assert file.read_text().count("\n") == 1
        rest.get("dumpdata", output_file="d/one.json", indent=1)
        assert json.loads(file.read_text()) == dump and file.read_text().splitlines()[1] == '  "users": ['
        assert os.listdir(file.parent) == ["one.json"]

    @pytest.mark.parametrize("query, error", [({"indent": 7}, "Invalid indent"), ({"indent": "yes"}, "Invalid indent"),
                                              ({"output_file": "taken"}, "is a directory"),
                                              ({"output_file": "taken/"}, "names a directory")], ids=str)
    def test_bad_parameters(self, rest, rest_server, query, error):
        (rest_server.config_dir / "backups/taken").mkdir(parents=True, exist_ok=True)
        status, said, message = rest.get("dumpdata", **{"output_file": "x.json", **query}).said
        assert status == 400 and error in said and not message

    def test_a_disk_that_refuses(self, rest, rest_server):
        (rest_server.config_dir / "backups").mkdir(exist_ok=True)
        (rest_server.config_dir / "backups/file").write_text("")
        status, error, _ = rest.get("dumpdata", output_file="file/below").said
        assert status == 500 and error


class TestRestore:
    def load(self, rest, server, users, **query):
        file = server.directory / "restore.json"
        file.write_text(users if isinstance(users, str) else json.dumps({"users": users}))
        return rest.get("loaddata", input_file=file, **query)

    @pytest.fixture
    def record(self, rest_server):
        home = rest_server.directory / "homes/restored"
        home.mkdir(parents=True, exist_ok=True)
        (home / "f").write_text("12345")
        return {"username": "restored", "password": HASH, "home_dir": str(home), "status": 1, "permissions": {"/": ["*"]},
                "used_quota_size": 99, "last_login": 99, "id": 99999}

    @pytest.fixture(autouse=True)
    def clean(self, rest):
        yield
        for user in rest.get("user").json:
            rest.delete(f"user/{user['id']}")

    def test_adds_and_updates(self, rest, rest_server, record):
        answer = self.load(rest, rest_server, [record])
        assert answer.said == (200, "", "Data restored")
        assert answer.json["summary"] == {"added": 1, "updated": 0, "skipped": 0, "refused": 0, "refusals": []}
        first = rest.user("restored")
        assert first["used_quota_size"] == first["last_login"] == 0 and first["id"] != 99999
        assert self.load(rest, rest_server, [{**record, "max_sessions": 7}], mode=1).json["summary"]["skipped"] == 1
        assert rest.user("restored") == first
        assert self.load(rest, rest_server, [{**record, "max_sessions": 7}], mode=0).json["summary"]["updated"] == 1
        assert rest.user("restored") == {**first, "max_sessions": 7}

    def test_a_dump_comes_back_whole(self, rest, rest_server):
        users = [rest.add(rest_server, name, quota_files=5) for name in ("d1", "d2")]
        rest.get("dumpdata", output_file="all.json")
        for user in users:
            rest.delete(f"user/{user['id']}")
        file = rest_server.config_dir / "backups/all.json"
        assert rest.get("loaddata", input_file=file).said == (200, "", "Data restored")
        for user in users:
            back = rest.user(user["username"])
            assert back == {**user, "id": back["id"]}

    def test_good_ones_are_taken_and_bad_ones_named(self, rest, rest_server, record):
        answer = self.load(rest, rest_server, [{**record, "username": "bad", "status": 5}, record])
        status, error, _ = answer.said
        assert status == 400 and "invalid user status: 5" in error and "bad" in error
        assert answer.json["summary"]["added"] == 1 and answer.json["summary"]["refused"] == 1
        assert answer.json["summary"]["refusals"] == [{"username": "bad", "reason": "Validation error: invalid user status: 5"}]
        assert rest.user("restored")["status"] == 1 and rest.get("user", username="bad").json == []

    @pytest.mark.parametrize("scan, limit, counted", [(0, 5, 0), (1, 0, 5), (2, 0, 0), (2, 5, 5)])
    def test_scans(self, rest, rest_server, record, scan, limit, counted):
        mark = rest_server.mark()
        assert self.load(rest, rest_server, [{**record, "quota_files": limit}], scan_quota=scan).status == 200
        if counted:
            rest_server.wait_log(lambda l: "quota scan found" in l.get("message", ""), start=mark)
        rest.wait_for_scans()
        assert rest.user("restored")["used_quota_size"] == counted

    @pytest.mark.parametrize("query", [{}, {"input_file": "restore.json"}, {"input_file": "/nonexistent"}, {"input_file": "/"},
                                       {"input_file": "/dev/zero"}, {"input_file": "/x", "mode": "a"},
                                       {"input_file": "/x", "scan_quota": "a"}], ids=str)
    def test_bad_parameters(self, rest, query):
        status, error, message = rest.get("loaddata", **query).said
        assert status == 400 and error and not message

    @pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"users": 3}', '{"users": {}}', '{"users": [{"username": "x"}'], ids=repr)
    def test_bad_files(self, rest, rest_server, text):
        status, error, _ = self.load(rest, rest_server, text).said
        assert status == 400 and "restore.json" in error and error.endswith('; wanted is what dumpdata writes, a JSON object with a list "users"')

    @pytest.mark.parametrize("text", ["{}", '{"user": []}', '{"httpd": {"bind_port": 8080}}'], ids=repr)
    def test_files_of_something_else(self, rest, rest_server, text):
        status, error, _ = self.load(rest, rest_server, text).said
        assert status == 400 and 'restore.json holds no accounts: it has no list "users"; wanted is ' in error

    @pytest.mark.parametrize("text", ['{"users": []}', '{"users": null}'], ids=repr)
    def test_lists_of_nobody(self, rest, rest_server, text):
        answer = self.load(rest, rest_server, text)
        assert answer.said == (200, "", "Data restored")
        assert answer.json["summary"] == {"added": 0, "updated": 0, "skipped": 0, "refused": 0, "refusals": []}

    @pytest.mark.parametrize("entry", [None, 1, "x", [], {}, {"username": []}, {"username": None}], ids=repr)
    def test_entries_that_are_no_accounts(self, rest, rest_server, record, entry):
        answer = self.load(rest, rest_server, [entry, record])
        status, error, _ = answer.said
        assert status == 400 and error and (answer.json["summary"]["refused"], answer.json["summary"]["added"]) == (1, 1)

    def test_a_file_that_is_too_large(self, rest, tmp_path):
        with open(tmp_path / "large", "wb") as file:
            file.truncate(64 * 1024 * 1024 + 1)
        status, error, _ = rest.get("loaddata", input_file=tmp_path / "large").said
        assert status == 400 and "more than 67108864 bytes" in error

    @pytest.mark.parametrize("query", [{"mode": 9}, {"mode": -1}, {"mode": "0.5"}, {"scan_quota": 3}, {"scan_quota": -1}], ids=str)
    def test_numbers_that_mean_nothing(self, rest, rest_server, record, query):
        status, error, _ = self.load(rest, rest_server, [record], **query).said
        assert status == 400 and error.startswith(f"Invalid {list(query)[0]}")
        assert rest.get("user", username="restored").json == []


def test_life_of_a_user(rest, rest_server):
    """From being added to being back from a backup, as an administrator sees it."""
    user = rest.add(rest_server, "liv", password="first password", quota_files=10)

    def put(name):
        with s.transport(rest_server, None, login=False) as link:
            link.auth_password("liv", "first password")
            with paramiko.SFTPClient.from_transport(link) as sftp, sftp.open(name, "wb") as file:
                file.write(b"x" * 100)
    put("one")
    assert rest.user("liv")["used_quota_files"] == 1
    with s.transport(rest_server, None, login=False) as link:
        link.auth_password("liv", "first password")
        sftp = s.subsystem(link)
        sftp.write(sftp.open("/cut", s.F_WRITE | s.F_CREAT), 0, b"x" * 50)
        (shown,) = [each for each in rest.get("connection").json if each["username"] == "liv"]
        assert [(each["path"], each["size"]) for each in shown["active_transfers"]] == [("/cut", 50)]
        assert rest.delete(f"connection/{shown['connection_id']}").said == (200, "", "Connection closed")
        wait_for("the client to see the end", lambda: not link.is_active())
    wait_for("its entry to go", lambda: not [each for each in rest.get("connection").json if each["username"] == "liv"])
    (rest_server.directory / "homes/liv/two").write_text("by hand")
    assert rest.post("quota_scan", {"username": "liv"}).status == 201
    rest.wait_for_scans()
    assert (rest.user("liv")["used_quota_files"], rest.user("liv")["used_quota_size"]) == (3, 157)
    assert rest.get("dumpdata", output_file="liv.json").status == 200
    assert rest.delete(f"user/{user['id']}").status == 200
    with pytest.raises(paramiko.AuthenticationException):
        put("three")
    file = rest_server.config_dir / "backups/liv.json"
    mark = rest_server.mark()
    assert rest.get("loaddata", input_file=file, scan_quota=2).said == (200, "", "Data restored")
    rest_server.wait_log(lambda l: "quota scan found" in l.get("message", ""), start=mark)
    put("four")
    after = rest.user("liv")
    assert after["used_quota_files"] == 4
    wait_for("the login to be recorded", lambda: rest.user("liv")["last_login"] > 0)
    rest.delete(f"user/{after['id']}")
