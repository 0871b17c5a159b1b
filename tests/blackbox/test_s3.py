# SPDX-License-Identifier: Apache-2.0
"""Files in a real S3 server: what clients see, what is in the bucket afterwards, and what the server was asked."""
import json
import os
import random
import sqlite3
import ssl
import stat
import urllib.parse

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import rawsftp as s
from rgw import ACCESS_KEY, SECRET, Proxy, Rgw
from util import pattern, run, wait_for

pytestmark = pytest.mark.ours
MIB = 1 << 20
PART = 5 * MIB
PUT = s.F_WRITE | s.F_CREAT | s.F_TRUNC
ODD_NAMES = ["with space", "plus+plus", "per%20cent", "a&b=c", "ümläut €", "quote'\"", "semi;colon", "#hash?query", "ätsch.txt",
             "~tilde", "[1]*", "back\\slash", "<tag>"]


@pytest.fixture(scope="module")
def rgw(work_dir):
    instance = Rgw(work_dir / "rgw")
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def proxy(rgw):
    instance = Proxy(rgw.port)
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def tls(work_dir, rgw):
    """The same over TLS, with a certificate that holds for 127.0.0.1 and for no name."""
    certificate, key = work_dir / "s3.pem", work_dir / "s3.key"
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=store",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    instance = Proxy(rgw.port, context)
    instance.certificate = certificate
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def bucket(rgw):
    return rgw.bucket("files")


def s3config(rgw, **changes):
    settings = {"bucket": "files", "region": "default", "endpoint": rgw.url, "access_key": ACCESS_KEY, "access_secret": SECRET}
    settings.update(changes)
    return {"provider": 1, "s3config": {name: value for name, value in settings.items() if value is not None}}


def sealed_by_the_replaced_system(secret):
    key, nonce = os.urandom(16).hex(), os.urandom(12)
    return f"$aes${key}${(nonce + AESGCM(key.encode()).encrypt(nonce, secret.encode(), None)).hex()}"


def add(server, name, filesystem, **fields):
    record = server.directory / f"{name}.json"
    record.write_text(json.dumps({"filesystem": filesystem, **fields}))
    return server.add_account(name, options=["--json", record], create_home=False)


@pytest.fixture(scope="module")
def server(make_server, rgw, proxy, tls, bucket):
    plugins = {"storage": {"fs-s3": {"ca_file": str(tls.certificate), "part_size_mib": 5, "download_chunk_mib": 1, "timeout": 5, "rename_max_keys": 20}}}
    instance = make_server(config={"plugins": plugins, "data_provider": {"track_quota": 1}})
    add(instance, "alice", s3config(rgw))
    add(instance, "ann", s3config(rgw, endpoint=proxy.url, key_prefix="team/ann"))
    add(instance, "bob", s3config(rgw, endpoint=proxy.url, key_prefix="team/bob/"))
    add(instance, "counted", s3config(rgw, key_prefix="counted"), quota_size=50_000, quota_files=5)
    add(instance, "cold", s3config(rgw, storage_class="STANDARD_IA", key_prefix="cold"))
    add(instance, "tls", s3config(rgw, endpoint=tls.url))
    add(instance, "wrongname", s3config(rgw, endpoint=tls.url.replace("127.0.0.1", "localhost")))
    add(instance, "inherited", s3config(rgw, access_secret=sealed_by_the_replaced_system(SECRET)))
    add(instance, "wrongsecret", s3config(rgw, access_secret="wrong"))
    add(instance, "unknownkey", s3config(rgw, access_key="NOBODY"))
    add(instance, "nobucket", s3config(rgw, bucket="missing"))
    add(instance, "noclass", s3config(rgw, storage_class="NO_SUCH_CLASS"))
    instance.start()
    yield instance
    instance.stop()


@pytest.fixture
def empty(bucket):
    bucket.clear()
    return bucket


def client(server, name="alice"):
    return s.session(server, server.accounts[name])


def refused(sftp, *request):
    with pytest.raises(s.StatusError) as error:
        sftp.call(*request)
    return error.value.code


def listing(sftp, path):
    found = [(name.decode(), attrs) for name, _, attrs in sftp.entries(path)]
    assert len(dict(found)) == len(found)
    return dict(found)


def test_openssh_puts_lists_renames_and_removes(server, empty, tmp_path):
    data = pattern(100_000)
    (tmp_path / "local").write_bytes(data)
    batch = tmp_path / "batch"
    batch.write_text("mkdir dir\nput local dir/one\nls -l dir\nrename dir/one dir/two\nget dir/two back\nrm dir/two\nrmdir dir\nls -la\n")
    account = server.accounts["alice"]
    done = run(["sftp", "-q", "-b", batch, "-P", server.port, "-i", account.keys[0], "-o", "IdentitiesOnly=yes",
                "-o", f"UserKnownHostsFile={server.known_hosts}", f"{account.name}@127.0.0.1"], env=server.env(), cwd=tmp_path)
    assert "one" in done.stdout and "100000" in done.stdout
    assert (tmp_path / "back").read_bytes() == data
    assert empty.keys() == []


def test_odd_names_come_back_as_they_are(server, empty):
    with client(server) as sftp:
        for i, name in enumerate(ODD_NAMES):
            sftp.call(s.MKDIR, s.string(f"/{name}"), s.Attrs().encode())
            sftp.write_file(f"/{name}/{name}", pattern(i, i))
        assert sorted(listing(sftp, "/")) == sorted(ODD_NAMES)
        for i, name in enumerate(ODD_NAMES):
            assert list(listing(sftp, f"/{name}")) == [name]
            assert sftp.stat(f"/{name}/{name}").size == i
            sftp.call(s.RENAME, s.string(f"/{name}/{name}"), s.string(f"/{name}/{name} 2"))
            assert sftp.read_file(f"/{name}/{name} 2") == pattern(i, i)
    assert sorted(empty.keys()) == sorted(key for name in ODD_NAMES for key in (f"{name}/", f"{name}/{name} 2"))


def test_large_files_go_in_parts_and_are_read_anywhere(server, empty):
    data = pattern(3 * PART + 12345)
    with client(server) as sftp:
        sftp.write_file("/large.txt", data)
        info = empty.head("large.txt")
        assert info["ETag"].endswith('-4"') and info["ContentType"] == "text/plain"
        assert empty.get("large.txt") == data
        assert empty.unfinished() == []
        handle = sftp.open("/large.txt", s.F_READ)
        choose = random.Random(3)
        for _ in range(40):
            offset, length = choose.randrange(len(data)), choose.randrange(1, 40_000)
            assert sftp.read(handle, offset, length) == data[offset:offset + length]
        with pytest.raises(s.StatusError) as end:
            sftp.read(handle, len(data), 10)
        assert end.value.code == s.EOF
        sftp.close(handle)
        assert sftp.read_file("/large.txt") == data


def test_an_object_replaced_while_it_is_read_is_no_mixture(server, empty):
    with client(server) as sftp:
        empty.put("file", pattern(3 * MIB, 1))
        handle = sftp.open("/file", s.F_READ)
        assert sftp.read(handle, 0, 1000) == pattern(3 * MIB, 1)[:1000]
        empty.put("file", pattern(3 * MIB, 2))
        assert refused(sftp, s.READ, s.string(handle), s.u64(2 * MIB), s.u32(1000)) == s.FAILURE


def test_requests_that_overtake_each_other_are_put_in_order(server, empty):
    data = pattern(300_000)
    steps = [(at, data[at:at + 10_000]) for at in range(0, len(data), 10_000)]
    with client(server) as sftp:
        handle = sftp.open("/shuffled", PUT)
        random.Random(5).shuffle(steps)
        for request in [sftp.send(s.WRITE, s.string(handle), s.u64(at), s.string(part)) for at, part in steps]:
            sftp.expect(request, s.STATUS)
        sftp.close(handle)
        assert empty.get("shuffled") == data
        handle = sftp.open("/gap", PUT)
        sftp.write(handle, 10, b"behind a gap")
        assert refused(sftp, s.CLOSE, s.string(handle)) == s.FAILURE
        assert "gap" not in empty.keys()


def test_an_upload_cut_off_leaves_what_was_there(server, empty):
    with client(server) as sftp:
        sftp.write_file("/kept", b"old")
    for size in (1000, 2 * PART + 1000):
        mark = server.mark()
        with client(server) as sftp:
            for path in ("/kept", "/fresh"):
                handle = sftp.open(path, PUT)
                for at in range(0, size, 200_000):
                    sftp.write(handle, at, pattern(min(200_000, size - at)))
        wait_for("both uploads to be given up", lambda: sum("interrupted" in str(line.get("message")) for line in server.log_lines(mark)) == 2)
        assert empty.get("kept") == b"old"
        assert empty.keys() == ["kept"]
        assert empty.unfinished() == []


def test_directories(server, empty):
    empty.put("implied/deep/file", b"x")
    empty.put("odd//key", b"x")
    with client(server) as sftp:
        for path in ("/implied", "/implied/deep"):
            assert stat.S_ISDIR(sftp.stat(path).permissions)
        assert sorted(listing(sftp, "/")) == ["implied", "odd"]
        assert listing(sftp, "/odd") == {}, "no path leads to a key with an empty name"
        assert refused(sftp, s.OPENDIR, s.string("/none")) == s.NO_SUCH_FILE
        assert refused(sftp, s.STAT, s.string("/impl")) == s.NO_SUCH_FILE
        assert refused(sftp, s.MKDIR, s.string("/implied"), s.Attrs().encode()) == s.FAILURE
        assert refused(sftp, s.RMDIR, s.string("/implied")) == s.FAILURE
        assert refused(sftp, s.REMOVE, s.string("/implied")) == s.FAILURE
        assert refused(sftp, s.REMOVE, s.string("/none")) == s.NO_SUCH_FILE
        with pytest.raises(s.StatusError):
            sftp.open("/implied", PUT)
        sftp.call(s.MKDIR, s.string("/made"), s.Attrs().encode())
        assert listing(sftp, "/made") == {}
        sftp.call(s.RMDIR, s.string("/made"))
    assert empty.keys() == ["implied/deep/file", "odd//key"]


def test_a_long_listing_is_whole(server, empty):
    names = {f"file{i:05}" for i in range(1234)}
    empty.put_all([f"many/{name}" for name in names], b"12")
    with client(server) as sftp:
        found = listing(sftp, "/many")
        assert set(found) == names
        assert {attrs.size for attrs in found.values()} == {2}


def test_renames(server, empty):
    with client(server) as sftp:
        sftp.write_file("/a", b"first")
        sftp.write_file("/b", b"second")
        assert refused(sftp, s.RENAME, s.string("/a"), s.string("/b")) == s.FAILURE
        sftp.extended("posix-rename@openssh.com", s.string("/a"), s.string("/b"))
        assert (empty.keys(), empty.get("b")) == (["b"], b"first")
        for i in range(15):
            empty.put(f"tree/{i % 3}/{i}", bytes([i]))
        sftp.call(s.RENAME, s.string("/tree"), s.string("/moved"))
        assert {key: empty.get(key) for key in empty.keys("moved/")} == {f"moved/{i % 3}/{i}": bytes([i]) for i in range(15)}
        assert empty.keys("tree/") == []
        assert refused(sftp, s.RENAME, s.string("/moved"), s.string("/moved/in")) == s.FAILURE
        for i in range(21):
            empty.put(f"big/{i}")
        assert refused(sftp, s.RENAME, s.string("/big"), s.string("/bigger")) == s.OP_UNSUPPORTED
        assert (len(empty.keys("big/")), empty.keys("bigger/")) == (21, [])


def test_a_renamed_object_keeps_its_class_and_type(server, empty):
    with client(server, "cold") as sftp:
        sftp.write_file("/a.json", b"{}")
        sftp.call(s.RENAME, s.string("/a.json"), s.string("/b.bin"))
    info = empty.head("cold/b.bin")
    assert (info["StorageClass"], info["ContentType"]) == ("STANDARD_IA", "application/json")


def test_what_a_store_cannot_do(server, empty):
    with client(server) as sftp:
        sftp.write_file("/file", b"content")
        sftp.setstat("/file", s.Attrs(permissions=0o600))
        sftp.setstat("/file", s.Attrs(uid=1, gid=1))
        assert refused(sftp, s.SETSTAT, s.string("/file"), s.Attrs(atime=1, mtime=1).encode()) == s.OP_UNSUPPORTED
        assert refused(sftp, s.SETSTAT, s.string("/file"), s.Attrs(size=3).encode()) == s.OP_UNSUPPORTED
        assert refused(sftp, s.SYMLINK, s.string("file"), s.string("/link")) == s.OP_UNSUPPORTED
        for flags in (s.F_WRITE, s.F_WRITE | s.F_APPEND, s.F_WRITE | s.F_CREAT | s.F_APPEND, s.F_READ | s.F_WRITE):
            assert refused(sftp, s.OPEN, s.string("/file"), s.u32(flags), s.Attrs().encode()) == s.OP_UNSUPPORTED
        assert refused(sftp, s.OPEN, s.string("/file"), s.u32(PUT | s.F_EXCL), s.Attrs().encode()) == s.FAILURE
        assert sftp.read_file("/file") == b"content"


def test_nothing_outside_the_prefix_is_ever_asked_for(server, empty, proxy):
    del proxy.requests[:]
    with client(server, "ann") as ann, client(server, "bob") as bob:
        for sftp in (ann, bob):
            sftp.call(s.MKDIR, s.string("/d"), s.Attrs().encode())
            sftp.write_file("/d/file", b"mine")
            sftp.write_file("/large", pattern(PART + 1))
        bob.write_file("/bobs", b"x")
        for path in ("/../bob/bobs", "/bobs", "/../../team/bob/bobs", "/d/../../bob/bobs"):
            assert refused(ann, s.STAT, s.string(path)) == s.NO_SUCH_FILE
        assert sorted(listing(ann, "/")) == sorted(listing(ann, "/..")) == ["d", "large"]
        ann.call(s.RENAME, s.string("/d"), s.string("/../e"))
        ann.call(s.REMOVE, s.string("/large"))
        ann.call(s.REMOVE, s.string("/e/file"))
    assert empty.keys() == ["team/ann/e/", "team/bob/bobs", "team/bob/d/", "team/bob/d/file", "team/bob/large"]
    assert len(proxy.requests) > 20
    for method, target in proxy.requests:
        path, _, query = target.partition("?")
        named = urllib.parse.unquote(path).removeprefix("/files").removeprefix("/")
        prefix = dict(urllib.parse.parse_qsl(query)).get("prefix", "")
        assert (named or prefix).startswith(("team/ann/", "team/bob/")), f"{method} {target}"


def counters(server, name):
    with sqlite3.connect(f"file:{server.config_dir / 'sallyport.db'}?mode=ro", uri=True) as database:
        return database.execute("SELECT used_quota_size, used_quota_files FROM users WHERE username = ?", (name,)).fetchone()


def counted(server, bucket):
    stored = [size for key, size in zip(bucket.keys("counted/"), bucket.sizes("counted/")) if not key.endswith("/")]
    wanted = (sum(stored), len(stored))
    wait_for(lambda: f"counters {counters(server, 'counted')} to be {wanted}", lambda: counters(server, "counted") == wanted)


def test_quota_follows_what_is_stored(server, empty):
    with client(server, "counted") as sftp:
        sftp.write_file("/a", b"x" * 10_000)
        counted(server, empty)
        sftp.write_file("/a", b"x" * 3_000)  # replaced by less
        sftp.write_file("/b", b"x" * 20_000)
        counted(server, empty)
        handle = sftp.open("/b", PUT)  # nothing changes before the end
        sftp.write(handle, 0, b"y" * 100)
        counted(server, empty)
        sftp.close(handle)
        counted(server, empty)
        with pytest.raises(s.StatusError):
            sftp.write_file("/toolarge", b"x" * 60_000)
        assert "counted/toolarge" not in empty.keys()
        sftp.extended("posix-rename@openssh.com", s.string("/a"), s.string("/b"))
        counted(server, empty)
        with client(server, "counted") as lost:
            lost.write(lost.open("/lost", PUT), 0, b"z" * 1000)
            lost.write(lost.open("/b", PUT), 0, b"z" * 1000)
        for name in ("c", "d", "e", "f"):
            sftp.write_file(f"/{name}", b"1")
        assert refused(sftp, s.OPEN, s.string("/g"), s.u32(PUT), s.Attrs().encode()) == s.FAILURE
        counted(server, empty)
        for name in "bcdef":
            sftp.call(s.REMOVE, s.string(f"/{name}"))
    counted(server, empty)
    assert counters(server, "counted") == (0, 0)


@pytest.mark.parametrize("name, status, code", [("wrongsecret", s.PERMISSION_DENIED, "403"), ("unknownkey", s.PERMISSION_DENIED, "403"),
                                                ("nobucket", s.FAILURE, "NoSuchBucket")])
def test_accounts_that_the_store_refuses(server, empty, name, status, code):
    mark = server.mark()
    with client(server, name) as sftp:
        assert refused(sftp, s.OPENDIR, s.string("/")) == status
        lines = [line["message"] for line in server.log_lines(mark) if line.get("level") == "warn"]
        assert len(lines) == 1 and code in lines[0] and "bucket" in lines[0]
    assert SECRET not in server.log_text()


def test_a_refused_end_reaches_the_client(server, empty):
    for size in (1000, PART + 1000):
        mark = server.mark()
        with client(server, "noclass") as sftp:
            with pytest.raises(s.StatusError) as error:
                sftp.write_file("/file", pattern(size))
            assert error.value.code == s.FAILURE
        lines = [line["message"] for line in server.log_lines(mark) if line.get("level") == "warn"]
        assert len(lines) == 1 and "400 Invalid" in lines[0] and "NO_SUCH_CLASS" in lines[0], lines
    assert (empty.keys(), empty.unfinished()) == ([], [])


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


def test_tls(server, empty):
    data = pattern(MIB)
    with client(server, "tls") as sftp:
        sftp.write_file("/file", data)
        assert sftp.read_file("/file") == data
    mark = server.mark()
    with client(server, "wrongname") as sftp:
        assert refused(sftp, s.STAT, s.string("/file")) == s.FAILURE
    assert any("no answer from localhost" in str(line.get("message")) for line in server.log_lines(mark))


def test_secrets_are_sealed_and_those_of_the_replaced_system_are_read(server, empty):
    with client(server, "inherited") as sftp:
        sftp.write_file("/file", b"mine")
    with sqlite3.connect(f"file:{server.config_dir / 'sallyport.db'}?mode=ro", uri=True) as database:
        for name in ("alice", "inherited"):
            stored = json.loads(database.execute("SELECT filesystem FROM users WHERE username = ?", (name,)).fetchone()[0])
            sealed = stored["s3config"]["access_secret"]
            _, mark, key, text = sealed.split("$")
            assert (mark, len(key)) == ("aes", 32)
            shown = json.loads(server.cli("user", "show", name).stdout)
            assert shown["filesystem"]["s3config"]["access_secret"] == f"$aes${text}"
            assert AESGCM(key.encode()).decrypt(bytes.fromhex(text)[:12], bytes.fromhex(text)[12:], None) == SECRET.encode()


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
