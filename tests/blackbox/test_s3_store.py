# SPDX-License-Identifier: Apache-2.0
"""The server and its S3 store: whose keys it uses, what it makes of a store in trouble, what is kept secret."""
import json
import sqlite3

import pytest

import rawsftp as s
from portable import Portable
from rgw import ACCESS_KEY, SECRET
from s3 import MIB, PART, add, client, refused, s3config
from s3 import bucket, empty, proxy, rgw, server, tls  # noqa: F401  (fixtures)
from util import pattern, wait_for

pytestmark = pytest.mark.ours


@pytest.mark.parametrize("size, faults", [
    (3 * MIB, [("up", 200, "answered")] * 3), (3 * MIB, [("up", 200, "cut")] * 3), (3 * MIB, [("down", 10, "cut")] * 3),
    (3 * MIB, [None, None, ("up", 300_000, "cut"), ("up", 2 * MIB, "cut"), ("down", 300_000, "cut")]),
    (PART + 10, [None, ("up", 200, "answered"), ("up", 200, "answered"), None, ("up", 200, "answered")])],
    ids=["busy", "cut before the request", "cut before the answer", "cut amid the data", "busy, in parts"])
def test_a_store_in_trouble_is_asked_again(server, empty, proxy, size, faults):
    data = pattern(size)
    with client(server, "ann") as sftp:
        for write in (True, False):
            proxy.drop()
            proxy.faults[:] = faults
            if write:
                sftp.write_file("/file", data)
            else:
                assert sftp.read_file("/file") == data
            assert len(proxy.faults) < len(faults)
            del proxy.faults[:]
    assert empty.get("team/ann/file") == data
    assert empty.unfinished() == []


def test_a_rename_whose_copy_is_not_confirmed_deletes_nothing(server, empty, proxy):
    for faults, done in (([("down", 0, "cut off")], True), ([("down", 0, "cut off")] * 20, False)):
        empty.put("team/ann/from", b"precious")
        empty.put("team/ann/to", b"old")
        with client(server, "ann") as sftp:
            proxy.drop()
            proxy.faults[:] = faults
            del proxy.requests[:]
            rename = "posix-rename@openssh.com", s.string("/from"), s.string("/to")
            if done:
                sftp.extended(*rename)
            else:
                assert refused(sftp, s.EXTENDED, s.string(rename[0]), *rename[1:]) == s.FAILURE
            del proxy.faults[:]
            proxy.drop()
        methods = [method for method, _ in proxy.requests]
        assert (methods.count("PUT") > 1, "DELETE" in methods) == (True, done), methods
        assert empty.keys() == (["team/ann/to"] if done else ["team/ann/from", "team/ann/to"])
        assert empty.get(empty.keys()[0]) == b"precious"


def test_portable_mode_serves_a_prefix(rgw, empty, tmp_path):
    empty.put("other/file", b"not theirs")
    (tmp_path / "shared").mkdir()
    flags = {"bucket": "files", "region": "default", "access-key": ACCESS_KEY, "access-secret": SECRET, "endpoint": rgw.url,
             "storage-class": "STANDARD", "key-prefix": "shown/"}
    with Portable(tmp_path / "shared", "-f", "1", "-g", "*", *(part for name, value in flags.items() for part in (f"--s3-{name}", value))) as portable:
        assert portable.info["directory"] == "s3://files/shown/"
        sftp = portable.sftp()
        data = pattern(100_000)
        with sftp.open("/file", "wb") as file:
            file.write(data)
        with sftp.open("/file", "rb") as file:
            assert file.read() == data
        assert sftp.listdir("/") == ["file"] and sftp.listdir("/../other/..") == ["file"]
        sftp.close()
    assert empty.keys() == ["other/file", "shown/file"]
    assert SECRET not in portable.stderr()


def test_tls(server, empty):
    data = pattern(MIB)
    with client(server, "tls") as sftp:
        sftp.write_file("/file", data)
        assert sftp.read_file("/file") == data
    mark = server.mark()
    with client(server, "wrongname") as sftp:
        assert refused(sftp, s.STAT, s.string("/file")) == s.FAILURE
    wait_for("the line", lambda: any("no answer from localhost" in str(line.get("message")) for line in server.log_lines(mark)))


def test_secrets_are_sealed_and_those_of_the_replaced_system_are_read(server, empty):
    with client(server, "inherited") as sftp:
        sftp.write_file("/file", b"mine")
    with sqlite3.connect(f"file:{server.config_dir / 'sallyport.db'}?mode=ro", uri=True) as database:
        for name in ("alice", "inherited"):
            stored = json.loads(database.execute("SELECT filesystem FROM users WHERE username = ?", (name,)).fetchone()[0])
            assert stored["s3config"]["access_secret"].startswith("$aes256gcm$")


def test_keys_of_the_environment(make_server, rgw, empty):
    environment = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    instance = make_server(env=environment)
    add(instance, "machine", s3config(rgw, access_key=None, access_secret=None))
    instance.start()
    try:
        with client(instance, "machine") as sftp:
            sftp.write_file("/file", b"mine")
        assert empty.get("file") == b"mine"
    finally:
        instance.stop()


@pytest.mark.parametrize("changes, text", [({"bucket": None}, "bucket"), ({"region": None}, "region"), ({"key_prefix": "/x"}, "key_prefix"),
                                           ({"access_secret": None}, "access_secret"), ({"access_key": ""}, "access_key")])
def test_settings_that_make_no_sense_are_refused(server, rgw, changes, text):
    record = server.directory / "refused.json"
    record.write_text(json.dumps({"filesystem": s3config(rgw, **changes)}))
    done = server.cli("user", "add", "refused", "--home-dir", "/tmp/x", "--password-stdin", "--json", record, input="pw\n", check=False)
    assert done.returncode != 0 and text in done.stderr
    assert SECRET not in done.stderr + done.stdout
