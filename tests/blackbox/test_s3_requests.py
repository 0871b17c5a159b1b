# SPDX-License-Identifier: Apache-2.0
"""What the store is asked for, request by request: never a key beyond an account's prefix, no more requests than needed, and
what becomes of its refusals, of connections it closes, of clocks that differ and of credentials that end."""
import contextlib
import datetime
import email.utils
import http.server
import json
import re
import threading
import time
from collections import Counter

import pytest

import rawsftp as s
from rest import Rest
from rgw import ACCESS_KEY, SECRET
from s3 import PART, PUT, add, client, listing, refused, s3config
from s3 import bucket, empty, rgw  # noqa: F401  (fixtures)
from s3proxy import Answer, Fault, S3Proxy
from util import pattern, wait_for

pytestmark = pytest.mark.ours


@pytest.fixture(scope="module")
def doors(rgw):
    """One proxy for each account, so that it is known who asked."""
    made = {name: S3Proxy(rgw.port) for name in ("ann", "anna", "expired")}
    yield made
    for door in made.values():
        door.stop()


@pytest.fixture
def door(doors):
    """ann's."""
    doors["ann"].take()
    yield doors["ann"]
    doors["ann"].decide = lambda request: None


@pytest.fixture(scope="module")
def server(make_server, rgw, doors, bucket):
    plugins = {"storage": {"fs-s3": {"part_size_mib": 5, "timeout": 5, "attempts": 3}}}
    instance = make_server(config={"plugins": plugins, "httpd": {"bind_port": -1}})
    # The beginning of one is the name of the other.
    for name in ("ann", "anna"):
        add(instance, name, s3config(rgw, endpoint=doors[name].url, key_prefix=f"team/{name}"))
    add(instance, "expired", s3config(rgw, endpoint=doors["expired"].url))
    add(instance, "denied", s3config(rgw, key_prefix="denied/"))
    add(instance, "wrongsecret", s3config(rgw, access_secret="wrong-" + SECRET))
    add(instance, "unknownkey", s3config(rgw, access_key="NOBODY"))
    add(instance, "nobucket", s3config(rgw, bucket="missing"))
    add(instance, "noclass", s3config(rgw, storage_class="NO_SUCH_CLASS"))
    instance.start()
    yield instance
    instance.stop()


def upload_that_breaks_off(server, name, path):
    with client(server, name) as sftp:
        handle = sftp.open(path, PUT)
        for at in range(0, PART + 1000, 200_000):
            sftp.write(handle, at, pattern(200_000))


def everything(server, name, other):
    """All operations, some of them on names that lead to the other's keys when followed."""
    with client(server, name) as sftp:
        sftp.call(s.MKDIR, s.string("/d"), s.Attrs().encode())
        sftp.write_file("/d/file", name.encode())
        sftp.write_file("/large", pattern(PART + 1, name))
        assert sftp.read_file("/d/file") == name.encode()
        assert sftp.read_file("/large") == pattern(PART + 1, name)
        assert sorted(listing(sftp, "/")) == ["d", "large"]
        sftp.call(s.RENAME, s.string("/d/file"), s.string("/d/renamed"))
        sftp.write_file("/d/file", b"again")
        sftp.extended("posix-rename@openssh.com", s.string("/d/file"), s.string("/d/renamed"))
        sftp.call(s.RENAME, s.string("/d"), s.string("/../e"))
        sftp.setstat("/e/renamed", s.Attrs(permissions=0o600))
        for beyond in (f"/../{other}", f"/../../team/{other}/large", f"/e/../../../files/team/{other}/large", f"/%2e%2e/{other}/large",
                       f"/..\\{other}\\large"):
            for kind in (s.STAT, s.OPENDIR, s.REMOVE, s.RMDIR, s.READLINK):
                assert refused(sftp, kind, s.string(beyond)) != s.OK
            assert refused(sftp, s.OPEN, s.string(beyond), s.u32(s.F_READ), s.Attrs().encode()) == s.NO_SUCH_FILE
            assert refused(sftp, s.RENAME, s.string(beyond), s.string("/mine")) == s.NO_SUCH_FILE
            assert refused(sftp, s.SYMLINK, s.string(beyond), s.string("/link")) == s.OP_UNSUPPORTED
            with contextlib.suppress(s.StatusError):
                sftp.extended("hardlink@openssh.com", s.string(beyond), s.string("/mine"))
        sftp.write_file(f"/../{other}-copy", b"mine")  # lands in one's own root
        assert listing(sftp, "/").keys() == listing(sftp, "/../..").keys() == {"e", "large", f"{other}-copy"}
        assert sftp.name(s.REALPATH, f"/../{other}/..") == b"/"
        assert refused(sftp, s.RMDIR, s.string("/e")) == refused(sftp, s.REMOVE, s.string("/e")) == s.FAILURE
        source, target = sftp.open("/large", s.F_READ), sftp.open("/copied", PUT)
        with contextlib.suppress(s.StatusError):
            sftp.extended("copy-data", s.string(source), s.u64(0), s.u64(0), s.string(target), s.u64(0))
        sftp.close(target)
        sftp.call(s.REMOVE, s.string("/copied"))
        sftp.call(s.REMOVE, s.string("/large"))
        sftp.call(s.REMOVE, s.string("/e/renamed"))
        sftp.call(s.RMDIR, s.string("/e"))


def test_no_key_beyond_the_prefix_is_ever_named(server, empty, doors):
    rest = Rest(server.rest_url)
    for name, other in (("ann", "anna"), ("anna", "ann")):
        theirs = {f"team/{other}/{key}": f"{other}'s".encode() for key in ("large", "e/renamed", "deep/er/file")}
        for key, data in {**theirs, f"team/{name}-copy": b"nobody's", "large": b"at the root"}.items():
            empty.put(key, data)
        before = {key: empty.get(key) for key in empty.keys() if not key.startswith(f"team/{name}/")}
        for key in empty.keys(f"team/{name}/"):
            empty.s3.delete_object(Bucket="files", Key=key)
        for door in doors.values():
            door.take()
        mark = server.mark()
        upload_that_breaks_off(server, name, "/lost")
        everything(server, name, other)
        assert rest.post("quota_scan", {"username": name}).status == 201
        rest.wait_for_scans()
        user = rest.user(name)
        assert (user["used_quota_size"], user["used_quota_files"]) == (4, 1)
        wait_for("the lost upload to be taken back", lambda: any("interrupted" in str(line.get("message")) for line in server.log_lines(mark)))
        requests = doors[name].take()
        for request in requests:
            names = request.names() + re.findall("<Key>(.*?)</Key>", request.body.decode())
            assert names and request.path.startswith("files"), request
            assert all(key.startswith(f"team/{name}/") for key in names), request
        assert {"ListObjects", "HeadObject", "GetObject", "PutObject", "CopyObject", "DeleteObject", "UploadPart", "AbortMultipartUpload"} <= {
            request.kind for request in requests}
        # The other one's lost upload may be looked at again, should a part of it have arrived late.
        assert [request for request in doors[other].take() if request.names() != [f"team/{other}/lost"]] == []
        assert {key: empty.get(key) for key in empty.keys() if not key.startswith(f"team/{name}/")} == before
        assert empty.keys(f"team/{name}/") == [f"team/{name}/{other}-copy"]
    assert empty.unfinished() == []


def deny(rgw, prefix):
    def statement(action, resource, **more):
        return {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": f"arn:aws:s3:::files{resource}", **more}
    rules = [statement("s3:*", f"/{prefix}*"), statement("s3:ListBucket", "", Condition={"StringLike": {"s3:prefix": f"{prefix}*"}})]
    rgw.s3.put_bucket_policy(Bucket="files", Policy=json.dumps({"Version": "2012-10-17", "Statement": rules}))


def warnings(server, mark):
    return [line["message"] for line in server.log_lines(mark) if line.get("level") in ("warn", "error")]


def put_file(sftp, path, data):
    handle = sftp.open(path, PUT)
    for at in range(0, len(data), 200_000):
        sftp.write(handle, at, data[at:at + 200_000])
    sftp.close(handle)


def put(sftp, size=1000):
    """The status that the first of its requests gets which is refused."""
    with pytest.raises(s.StatusError) as error:
        put_file(sftp, "/file", pattern(size))
    return error.value.code


OPERATIONS = {
    "list": lambda sftp: refused(sftp, s.OPENDIR, s.string("/")),
    "stat": lambda sftp: refused(sftp, s.STAT, s.string("/file")),
    "open": lambda sftp: refused(sftp, s.OPEN, s.string("/file"), s.u32(s.F_READ), s.Attrs().encode()),
    "create": lambda sftp: refused(sftp, s.OPEN, s.string("/file"), s.u32(PUT), s.Attrs().encode()),
    "put": put,
    "put in parts": lambda sftp: put(sftp, PART + 1000)}


@pytest.mark.parametrize("name, code, status, operations", [
    ("wrongsecret", "403 SignatureDoesNotMatch", s.PERMISSION_DENIED, ("list", "stat", "open", "create")),
    ("unknownkey", "403 InvalidAccessKeyId", s.PERMISSION_DENIED, ("list", "stat", "open", "create")),
    ("denied", "403 AccessDenied", s.PERMISSION_DENIED, ("list", "stat", "open", "create")),
    ("expired", "400 ExpiredToken", s.PERMISSION_DENIED, ("list", "stat", "open", "create")),
    ("nobucket", "404 NoSuchBucket", s.FAILURE, ("list", "stat", "open", "create")),
    ("noclass", "400 Invalid", s.FAILURE, ("put", "put in parts"))])
def test_a_refusal_has_its_status_and_one_line_that_says_why(server, rgw, empty, doors, name, code, status, operations):
    deny(rgw, "denied/")
    doors["expired"].decide = lambda request: Answer(400, "ExpiredToken")
    for operation in operations:
        mark = server.mark()
        with client(server, name) as sftp:
            assert OPERATIONS[operation](sftp) == status, operation
        lines = wait_for(f"a line about {operation}", lambda: warnings(server, mark))
        assert len(lines) == 1, (operation, lines)
        bucket = "missing" if name == "nobucket" else "files"
        assert re.search(rf'^\w[\w ]+ "/.*" failed: S3 \w+ in bucket "{bucket}" is answered {code}\w* \(request tx[-\w]+\)', lines[0]), lines[0]
        assert name != "noclass" or "NO_SUCH_CLASS" in lines[0]
    assert (empty.keys(), empty.unfinished()) == ([], [])
    text = server.log_text()
    assert not any(word in text for word in (SECRET, "AWS4-HMAC", "Signature=")), "the log holds a secret"


LOOK, NOTHING_THERE = ["HeadObject"], ["HeadObject", "ListObjects"]
# In plugins/fs-s3/README.md, too.
COSTS = {
    "stat of a file": (lambda sftp: sftp.stat("/file"), LOOK),
    "stat of a directory": (lambda sftp: sftp.stat("/dir"), NOTHING_THERE),
    "stat of nothing": (lambda sftp: refused(sftp, s.STAT, s.string("/none")), NOTHING_THERE),
    "get of a small file": (lambda sftp: sftp.read_file("/file"), [*LOOK, "GetObject"]),
    "put of a small file": (lambda sftp: put_file(sftp, "/new", b"x" * 1000), [*NOTHING_THERE, "PutObject"]),
    "put over a file": (lambda sftp: put_file(sftp, "/file", b"x" * 1000), [*LOOK, "PutObject"]),
    "put in two parts": (lambda sftp: put_file(sftp, "/parts", b"x" * (PART + 1)),
                         [*NOTHING_THERE, "CreateMultipartUpload", "UploadPart", "UploadPart", "CompleteMultipartUpload"]),
    "listing": (lambda sftp: listing(sftp, "/dir"), ["ListObjects"]),
    "rename of a file": (lambda sftp: sftp.call(s.RENAME, s.string("/file"), s.string("/renamed")),
                         [*LOOK, *NOTHING_THERE, "CopyObject", *LOOK, "DeleteObject"]),
    "remove": (lambda sftp: sftp.call(s.REMOVE, s.string("/file")), [*LOOK, "DeleteObject"]),
    "mkdir": (lambda sftp: sftp.call(s.MKDIR, s.string("/made"), s.Attrs().encode()), [*NOTHING_THERE, "PutObject"]),
    "rmdir": (lambda sftp: sftp.call(s.RMDIR, s.string("/bare")), [*NOTHING_THERE, "ListObjects", "DeleteObject"]),
}


@pytest.mark.parametrize("operation", COSTS)
def test_requests_of_an_operation(server, empty, door, operation):
    for key in ("file", "dir/file", "dir/other", "bare/"):
        empty.put(f"team/ann/{key}", b"12345")
    with client(server, "ann") as sftp:
        door.take()
        do, wanted = COSTS[operation]
        do(sftp)
        asked = door.take()
    assert Counter(request.kind for request in asked) == Counter(wanted)
    assert all("if-match" in request.headers for request in asked if request.kind == "GetObject")


@pytest.mark.parametrize("path", ["/from", "/from/deep"])
def test_what_comes_under_the_old_name_during_a_rename_stays(server, empty, door, path):
    def meanwhile(request):
        if request.kind == "HeadObject" and "CopyObject" in [earlier.kind for earlier in door.requests]:
            empty.put(f"team/ann{path}", b"newer")
    empty.put(f"team/ann{path}", b"old")
    door.decide = meanwhile
    with client(server, "ann") as sftp:
        assert refused(sftp, s.RENAME, s.string("/from"), s.string("/to")) == s.FAILURE
    assert empty.get(f"team/ann{path}") == b"newer"
    assert empty.get(f"team/ann{path.replace('from', 'to')}") == b"old"


def test_a_rename_that_fails_leaves_no_copy_of_which_nobody_heard(server, empty, door):
    for name in "abc":
        empty.put(f"team/ann/from/{name}", name.encode())
    lost = lambda request: request.kind == "CopyObject" and request.path.endswith("/to/b")
    door.decide = lambda request: Fault("down", 0, "reset") if lost(request) else None
    with client(server, "ann") as sftp:
        assert refused(sftp, s.RENAME, s.string("/from"), s.string("/to")) == s.FAILURE
    assert any(lost(request) for request in door.requests)
    assert empty.keys() == [f"team/ann/from/{name}" for name in "abc"]


@pytest.mark.parametrize("how", ["end", "reset"])
def test_connections_that_the_store_has_closed_meanwhile(server, empty, door, how):
    data = pattern(PART + 1)
    empty.put("team/ann/file", b"x")
    with client(server, "ann") as sftp:
        sftp.stat("/file")
        mark = server.mark()
        for work in (lambda: sftp.stat("/file"), lambda: put_file(sftp, "/file", b"y"), lambda: put_file(sftp, "/large", data),
                     lambda: sftp.extended("posix-rename@openssh.com", s.string("/file"), s.string("/renamed")),
                     lambda: sftp.call(s.RENAME, s.string("/renamed"), s.string("/file"))):
            assert door.connections() > 0
            door.drop(how)
            work()
        assert warnings(server, mark) == []
    assert empty.get("team/ann/large") == data
    assert empty.unfinished() == []


def asked_at(request):
    then = datetime.datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
    return then.replace(tzinfo=datetime.timezone.utc).timestamp()


def test_a_clock_that_differs_is_set_right_once(server, empty, door):
    """By ten minutes, which the store behind still takes, and which one that is stricter does not."""
    ahead = 600

    def strict(request):
        theirs = time.time() + ahead
        return None if abs(asked_at(request) - theirs) < 120 else Answer(403, "RequestTimeTooSkewed", {"Date": email.utils.formatdate(theirs, usegmt=True)})
    empty.put("team/ann/file", b"x")
    with client(server, "ann") as sftp:
        door.decide = strict
        assert sftp.stat("/file").size == 1
        assert [request.status for request in door.take()] == [403, 200]
        put_file(sftp, "/file", b"yy")
        assert {request.status for request in door.take()} == {200}
        ahead = -600
        put_file(sftp, "/new", b"zz")
        assert [request.status for request in door.take()].count(403) == 1
        # A store that is never content is not asked for ever.
        door.decide = lambda request: Answer(403, "RequestTimeTooSkewed", {"Date": email.utils.formatdate(asked_at(request) + 3600, usegmt=True)})
        assert refused(sftp, s.OPENDIR, s.string("/")) == s.PERMISSION_DENIED
        assert len(door.take()) == 2
    assert empty.get("team/ann/new") == b"zz"


class Container:
    """The endpoint where a container gets credentials."""

    def __init__(self):
        self.given, self.asked = {}, 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                body = json.dumps(outer.given).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/credentials"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def give(self, lasting, token=""):
        until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=lasting)
        self.given = {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET, "Token": token, "Expiration": until.strftime("%Y-%m-%dT%H:%M:%SZ")}
        self.asked = 0


def test_credentials_of_a_container_are_renewed_in_time(make_server, rgw, empty, door):
    """A token is all that tells old ones from new ones here: the store behind knows no tokens, so the good ones have none."""
    container = Container()
    instance = make_server(env={"AWS_CONTAINER_CREDENTIALS_FULL_URI": container.url})
    add(instance, "machine", s3config(rgw, endpoint=door.url, access_key=None, access_secret=None))
    empty.put("file", b"x")
    container.give(3600)
    instance.start()
    try:
        with client(instance, "machine") as sftp:
            for _ in range(3):
                sftp.stat("/file")
            assert container.asked == 1, "those that last are kept"
        def first_is_refused(request, seen=[]):
            seen.append(request)
            return Answer(400, "ExpiredToken") if len(seen) < 3 or "x-amz-security-token" in request.headers else None
        door.decide = first_is_refused
        container.give(60)
        with client(instance, "machine") as sftp:
            assert sftp.stat("/file").size == 1
            assert container.asked == 1, "those that are refused are replaced, and the request goes on"
            sftp.stat("/file")
            assert container.asked == 2, "they end within minutes: time for others"
            container.give(3600, "stale")
            mark = instance.mark()
            assert refused(sftp, s.OPENDIR, s.string("/")) == s.PERMISSION_DENIED
            assert container.asked == 2, "asked for others once, no more"
            lines = wait_for("a line", lambda: warnings(instance, mark))
            assert len(lines) == 1 and "400 ExpiredToken" in lines[0]
        assert SECRET not in instance.log_text()
    finally:
        instance.stop()
        container.server.shutdown()
