# SPDX-License-Identifier: Apache-2.0
"""What the S3 storage does when it is told to: keeps times, continues uploads, has the bucket in the host's name. And what the
store does itself: copies. What all that costs in requests is seen at a proxy and counted for monitoring."""
import urllib.parse

import pytest

import rawsftp as s
from hooks import program
from rest import Rest
from s3 import MIB, ODD_NAMES, PART, PUT, add, client, listing, refused, s3config
from s3 import bucket, empty, proxy, rgw  # noqa: F401  (fixtures)
from s3proxy import S3Proxy
from util import pattern, wait_for

pytestmark = pytest.mark.ours


@pytest.fixture(scope="module")
def server(make_server, rgw, proxy, bucket):
    storage = {"part_size_mib": 5, "mtime_in_metadata": "list", "resume_uploads": True}
    instance = make_server(config={"plugins": {"storage": {"fs-s3": storage}}, "sftpd": {"upload_mode": 2, "enabled_ssh_commands": ["*"]},
                                   "data_provider": {"track_quota": 1}, "httpd": {"bind_port": -1}})
    add(instance, "alice", s3config(rgw, endpoint=proxy.url))
    add(instance, "counted", s3config(rgw, endpoint=proxy.url, key_prefix="counted"), quota_size=100 * MIB, quota_files=10)
    instance.start()
    instance.api = Rest(instance.rest_url)
    yield instance
    instance.stop()


def fill(sftp, handle, data, at=0):
    for step in range(at, len(data), 200_000):
        sftp.write(handle, step, data[step:step + 200_000])


def lost(server, name, path, data):
    """An upload whose client goes away."""
    mark = server.mark()
    with client(server, name) as sftp:
        fill(sftp, sftp.open(path, PUT), data)
    wait_for("the upload to be given up", lambda: any("interrupted" in str(line.get("message")) for line in server.log_lines(mark)))


class TestTimes:
    def test_are_kept_with_an_upload_and_shown_everywhere(self, server, empty):
        with client(server) as sftp:
            for path, size in (("/small.txt", 10), ("/large.txt", PART + 10)):
                handle = sftp.open(path, PUT)
                fill(sftp, handle, pattern(size))
                sftp.call(s.FSETSTAT, s.string(handle), s.Attrs(atime=5, mtime=1_000_000_000).encode())
                sftp.close(handle)
                assert sftp.stat(path).mtime == 1_000_000_000
                info = empty.head(path[1:])
                assert (info["Metadata"], info["ContentType"]) == ({"mtime": "1000000000"}, "text/plain")
                assert empty.get(path[1:]) == pattern(size)
            assert {name: attrs.mtime for name, attrs in listing(sftp, "/").items()} == {"small.txt": 1_000_000_000, "large.txt": 1_000_000_000}

    def test_can_be_set_later_and_go_along_with_a_rename(self, server, empty):
        empty.s3.put_object(Bucket="files", Key="a", Body=b"x", ContentType="text/x", Metadata={"other": "1"})
        with client(server) as sftp:
            sftp.setstat("/a", s.Attrs(atime=5, mtime=1234567890))
            assert empty.head("a")["Metadata"] == {"other": "1", "mtime": "1234567890"} and empty.head("a")["ContentType"] == "text/x"
            sftp.call(s.RENAME, s.string("/a"), s.string("/b"))
            assert sftp.stat("/b").mtime == 1234567890
            sftp.call(s.MKDIR, s.string("/d"), s.Attrs().encode())
            assert refused(sftp, s.SETSTAT, s.string("/d"), s.Attrs(atime=1, mtime=1).encode()) == s.OP_UNSUPPORTED


class TestResume:
    @pytest.mark.parametrize("name", ["alice", "counted"])
    def test_what_a_lost_upload_brought_is_there_to_be_continued(self, server, empty, name):
        data = pattern(2 * PART + 123_456)
        lost(server, name, "/file", data[:PART + 700_000])
        with client(server, name) as sftp:
            have = sftp.stat("/file").size
            assert have == PART + 700_000
            handle = sftp.open("/file", s.F_WRITE)
            fill(sftp, handle, data, have)
            sftp.close(handle)
            assert sftp.stat("/file").size == len(data)
        assert empty.get("file" if name == "alice" else "counted/file") == data
        assert empty.unfinished() == []

    def test_a_small_beginning_too(self, server, empty):
        empty.put("log", b"one ")
        with client(server) as sftp:
            handle = sftp.open("/log", s.F_WRITE | s.F_APPEND)
            sftp.write(handle, 4, b"two")
            sftp.close(handle)
            assert refused(sftp, s.OPEN, s.string("/log"), s.u32(s.F_READ | s.F_WRITE), s.Attrs().encode()) == s.OP_UNSUPPORTED
        assert empty.get("log") == b"one two"

    def test_an_upload_lost_before_any_data_leaves_what_was_there(self, server, empty):
        empty.put("file", b"old")
        lost(server, "alice", "/file", b"")
        assert empty.get("file") == b"old"


def copy_data(sftp, source, offset, length, target, at):
    sftp.extended("copy-data", s.string(source), s.u64(offset), s.u64(length), s.string(target), s.u64(at))


class TestCopies:
    def test_no_byte_comes_here(self, server, empty, proxy):
        data = pattern(4 * PART)
        empty.put("source", data)
        with client(server) as sftp:
            source, whole, parts = sftp.open("/source", s.F_READ), sftp.open("/whole", PUT), sftp.open("/parts", PUT)
            del proxy.requests[:]
            copy_data(sftp, source, 0, 0, whole, 0)
            sftp.close(whole)
            fill(sftp, parts, b"h" * PART)
            copy_data(sftp, source, 100, 3 * PART, parts, PART)
            sftp.write(parts, 4 * PART, b"tail")
            sftp.close(parts)
            assert not [target for method, target in proxy.requests if method == "GET" and "source" in target]
        assert empty.get("whole") == data
        assert empty.get("parts") == b"h" * PART + data[100:3 * PART + 100] + b"tail"

    def test_small_pieces_are_read(self, server, empty):
        empty.put("source", b"0123456789")
        with client(server) as sftp:
            source, target = sftp.open("/source", s.F_READ), sftp.open("/target", PUT)
            sftp.write(target, 0, b"ab")
            copy_data(sftp, source, 2, 5, target, 2)
            copy_data(sftp, source, 0, 3, target, 7)
            sftp.write(target, 10, b"z")
            sftp.close(target)
            assert refused(sftp, s.EXTENDED, s.string("copy-data"), s.string(source), s.u64(0), s.u64(1), s.string(source), s.u64(0)) == s.FAILURE
        assert empty.get("target") == b"ab23456012z"


def test_what_the_server_refuses_replaces_nothing(server, empty):
    """A part takes a name for its client to come back to, but not from a file."""
    data = pattern(2 * MIB)
    with client(server, "counted") as sftp:
        for path in ("/old", "/new"):
            if path == "/old":
                sftp.write_file(path, data)
            mark = server.mark()
            handle = sftp.open(path, PUT)
            sftp.write(handle, 0, b"1")
            sftp.write(handle, 10, b"behind a gap")
            assert refused(sftp, s.CLOSE, s.string(handle)) == s.FAILURE
            server.wait_log(lambda line: f'{path}" failed: the file has a gap' in str(line.get("message")), start=mark)
        fill(sftp, handle := sftp.open("/old", PUT), data[:MIB])
        assert refused(sftp, s.WRITE, s.string(handle), s.u64(100 * MIB), s.string(b"beyond the quota")) == s.FAILURE
        assert refused(sftp, s.CLOSE, s.string(handle)) == s.FAILURE
    assert empty.get("counted/old") == data and empty.get("counted/new") == b"1"


@pytest.mark.parametrize("command", ["rsync --server -re.LsfxCIvu . /", "git-upload-pack /r.git"])
def test_programs_say_that_they_need_local_files(server, command):
    mark = server.mark()
    with s.transport(server, server.accounts["alice"]) as link:
        channel = link.open_session()
        channel.exec_command(command)
        said = channel.makefile_stderr().read().decode()
        assert "and this account's are in another storage; use sftp or scp" in said and channel.recv_exit_status() == 1
    server.wait_log(lambda line: "was refused: the files of its account are not on this machine's disk" in str(line.get("message")), start=mark)


def test_a_quota_scan_asks_for_all_keys_at_once(server, empty, proxy):
    empty.put_all([f"counted/{i % 7}/{i % 5}/{i}" for i in range(300)], b"12")
    empty.put_all(["counted/empty/", "counted/odd//key", "other"], b"")
    del proxy.requests[:]
    assert server.api.post("quota_scan", {"username": "counted"}).status == 201
    server.api.wait_for_scans()
    user = server.api.user("counted")
    assert (user["used_quota_size"], user["used_quota_files"]) == (600, 300)
    assert len([target for method, target in proxy.requests if method == "GET"]) == 1, proxy.requests


def test_requests_are_counted(server, empty):
    def metric(name):
        text = server.api.call("GET", "/metrics").text
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))

    names = ("sftpgo_s3_copy_object ", "sftpgo_s3_list_objects ", 'sallyport_request_seconds_count{plugin="fs-s3",request="PutObject"}')
    before = [metric(name) for name in names]
    with client(server) as sftp:
        sftp.write_file("/a", b"x")
        sftp.call(s.RENAME, s.string("/a"), s.string("/b"))
    after = [metric(name) for name in names]
    assert after[0] == before[0] + 1 and after[1] > before[1] and after[2] == before[2] + 1


def test_a_file_written_in_place_is_replaced_or_stays(server, empty):
    """Where uploads can be continued and a lost one keeps its part, too."""
    empty.put("f", b"old content")
    with client(server) as sftp:
        sftp.write(handle := sftp.open("/f", s.F_WRITE), 0, b"new")
        assert refused(sftp, s.CLOSE, s.string(handle)) == s.OP_UNSUPPORTED
        assert empty.get("f") == b"old content"
    mark = server.mark()
    with client(server) as sftp:
        sftp.write(sftp.open("/f", s.F_WRITE), 0, b"new")
    wait_for("the upload to be given up", lambda: any("interrupted" in str(line.get("message")) for line in server.log_lines(mark)))
    with client(server) as sftp:
        assert empty.get("f") == b"old content"
        sftp.write(handle := sftp.open("/f", s.F_WRITE | s.F_CREAT), 0, b"new and longer")
        sftp.close(handle)
        assert empty.get("f") == b"new and longer"


def test_actions_are_told_of_keys(make_server, rgw, empty, tmp_path):
    command = program(tmp_path, "action", f"echo \"$*|$SFTPGO_ACTION_LOCAL_FILE|$SFTPGO_ACTION_FILE_SIZE\" >> {tmp_path}/told")
    server = make_server(config={"sftpd": {"actions": {"execute_on": ["upload", "download", "rename", "delete"], "command": str(command)}}})
    add(server, "ann", s3config(rgw, key_prefix="team/ann"))
    server.start()
    try:
        with client(server, "ann") as sftp:
            fill(sftp, handle := sftp.open("/f", PUT), b"12345")
            sftp.close(handle)
            handle = sftp.open("/f", s.F_READ)
            assert sftp.read(handle, 0, 100) == b"12345"
            sftp.close(handle)
            sftp.call(s.RENAME, s.string("/f"), s.string("/g"))
            sftp.call(s.REMOVE, s.string("/g"))
        told = tmp_path / "told"
        wait_for("four events", lambda: told.exists() and len(told.read_text().splitlines()) == 4)
        assert told.read_text().splitlines() == [
            "upload ann /team/ann/f  |false|5", "download ann /team/ann/f  |false|5",
            "rename ann /team/ann/f /team/ann/g |false|", "delete ann /team/ann/g  |false|5"]
    finally:
        server.stop()


def test_the_bucket_may_be_in_the_name_of_the_host(make_server, rgw, empty):
    door = S3Proxy(rgw.port)
    # Not every resolver knows the names below localhost. A proxy is told them.
    server = make_server(config={"plugins": {"storage": {"fs-s3": {"virtual_host": True, "part_size_mib": 5}}}},
                         env={"http_proxy": door.url, "no_proxy": "", "NO_PROXY": ""})
    add(server, "alice", s3config(rgw, endpoint=f"http://localhost:{rgw.port}"))
    server.start()
    names, data = [*ODD_NAMES, "files"], pattern(PART + 1000)  # one has the name of the bucket
    try:
        with client(server) as sftp:
            for i, name in enumerate(names):
                sftp.call(s.MKDIR, s.string(f"/{name}"), s.Attrs().encode())
                sftp.write_file(f"/{name}/{name}", pattern(i, i))
                assert list(listing(sftp, f"/{name}")) == [name]
                sftp.call(s.RENAME, s.string(f"/{name}/{name}"), s.string(f"/{name}/{name} 2"))
                assert sftp.read_file(f"/{name}/{name} 2") == pattern(i, i)
            assert sorted(listing(sftp, "/")) == sorted(names)
            assert {key: empty.get(key) for key in empty.keys() if not key.endswith("/")} == {
                f"{name}/{name} 2": pattern(i, i) for i, name in enumerate(names)}
            fill(sftp, handle := sftp.open("/files/large", PUT), data)
            sftp.close(handle)
            assert sftp.read_file("/files/large") == empty.get("files/large") == data
            for name in names:
                sftp.call(s.REMOVE, s.string(f"/{name}/{name} 2"))
            sftp.call(s.REMOVE, s.string("/files/large"))
            for name in names:
                sftp.call(s.RMDIR, s.string(f"/{name}"))
        assert (empty.keys(), empty.unfinished()) == ([], [])
        requests = door.take()
        assert {request.headers["host"] for request in requests} == {f"files.localhost:{rgw.port}"}
        keys = {"", "files/large"} | {key for name in names for key in (name, f"{name}/", f"{name}/{name}", f"{name}/{name} 2")}
        wrong = [request for request in requests if urllib.parse.unquote(request.target.partition("?")[0])[1:] not in keys]
        assert wrong == []
        assert {"ListObjects", "HeadObject", "GetObject", "PutObject", "CopyObject", "DeleteObject", "CreateMultipartUpload", "UploadPart",
                "CompleteMultipartUpload"} <= {request.kind for request in requests if request.status in (200, 204, 206)}
    finally:
        server.stop()
        door.stop()
