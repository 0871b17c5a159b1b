# SPDX-License-Identifier: Apache-2.0
"""A store behind a bad network: what was said to be stored is there whole, what failed is not there at all, and nobody else
waits for it."""
import queue
import random
import socket
import ssl
import threading
import time

import pytest

import rawsftp as s
from rest import Rest
from s3 import PART, PUT, add, client, s3config
from s3 import bucket, empty, proxy, rgw, tls  # noqa: F401  (fixtures)
from s3proxy import Fault, S3Proxy, Weather
from util import pattern, seconds, wait_for

pytestmark = pytest.mark.ours
TRANSFERS, SESSIONS, SEED = 200, 8, 7
SIZES = [0, 1000, 40_000, 300_000, 1_000_000, PART + 1, 2 * PART + 77]
STALL = 30
BLOCK = 128 * 1024
# What matters of a transfer that is meant to fail is that it fails late.
LATE = ("PutObject", "UploadPart", "CompleteMultipartUpload", "GetObject")


@pytest.fixture(scope="module")
def door(rgw):
    instance = S3Proxy(rgw.port)
    yield instance
    instance.stop()


def make(make_server, rgw, door, **settings):
    plugins = {"storage": {"fs-s3": {"part_size_mib": 5, "download_chunk_mib": 1, **settings}}}
    instance = make_server(config={"plugins": plugins, "httpd": {"bind_port": -1}})
    add(instance, "alice", s3config(rgw, endpoint=door.url))
    instance.add_account("local")
    instance.start()
    return instance


class Transfer:
    """One put of a new name or over a file, or one get, or a put that the client gives up."""

    def __init__(self, number):
        dice = random.Random(f"{SEED}/{number}")
        self.what = dice.choice(["put new", "put over", "get", "get", "put given up"])
        self.size = dice.choices(SIZES, [1, 4, 4, 4, 3, 2, 1])[0]
        self.doomed = dice.random() < 0.2
        self.key = f"{'doomed' if self.doomed else 'fair'}/{number} {self.what}"
        self.data, self.before = pattern(self.size, number), pattern(self.size // 2, -number)
        self.done = None

    def prepare(self, bucket):
        if self.what != "put new":
            bucket.put(self.key, self.data if self.what == "get" else self.before)

    def run(self, server, sftp):
        """Answers with the session for the next one."""
        try:
            if self.what == "get":
                self.get(sftp)
            else:
                handle = sftp.open("/" + self.key, PUT)
                for at in range(0, self.size, BLOCK):
                    sftp.write(handle, at, self.data[at:at + BLOCK])
                if self.what == "put given up":
                    sftp.channel.close()
                else:
                    sftp.close(handle)
            self.done = self.what != "put given up"
        except s.StatusError as error:
            assert error.code in (s.FAILURE, s.PERMISSION_DENIED), error
            self.done = False
        return s.subsystem(sftp.link) if sftp.channel.closed else sftp

    def get(self, sftp):
        handle, got = sftp.open("/" + self.key, s.F_READ), 0
        try:
            while got < self.size:
                block = sftp.read(handle, got, BLOCK)
                assert block == self.data[got:got + len(block)], f"{self.key}: other bytes at {got}"
                got += len(block)
            with pytest.raises(s.StatusError) as end:
                sftp.read(handle, got, 10)
            assert end.value.code == s.EOF
        finally:
            sftp.close(handle)

    def check(self, bucket):
        stored = bucket.get(self.key) if self.key in bucket.keys(self.key) else None
        if self.what == "get":
            wanted = self.data
        elif self.done:
            wanted = self.data
        else:
            wanted = None if self.what == "put new" else self.before
        if stored != wanted:
            def name(data):
                known = {self.data: "what was sent", self.before: "what was there before", None: "nothing"}
                return known.get(data, "something else")
            return f"{self.key}, {self.size} bytes, {'done' if self.done else 'failed'}: the store has {name(stored)}"
        return None


def in_threads(server, jobs, work):
    """work(sftp, job) with a session for each thread; the first exception is raised here."""
    waiting, failures = queue.Queue(), []
    for job in jobs:
        waiting.put(job)

    def loop():
        try:
            with s.transport(server, server.accounts["alice"]) as link:
                sftp = s.subsystem(link)
                sftp.link = link
                sftp.channel.settimeout(seconds(90))
                while not failures:
                    job = waiting.get_nowait()
                    following = work(sftp, job)
                    following.link = link
                    following.channel.settimeout(seconds(90))
                    sftp = following
        except queue.Empty:
            pass
        except BaseException as error:
            failures.append(error)
    threads = [threading.Thread(target=loop) for _ in range(SESSIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds(300))
    if failures:
        raise failures[0]


def left_though_known(bucket, door):
    """Uploads that are in the store, of which the server knew: it has sent a part, or wanted their end."""
    known = {request.query["uploadId"] for request in door.requests if "uploadId" in request.query and request.method != "GET"}
    return [upload["Key"] for upload in bucket.unfinished() if upload["UploadId"] in known]


def test_two_hundred_transfers_are_whole_or_absent(make_server, rgw, empty, door):
    server = make(make_server, rgw, door, timeout=2, connect_timeout=2, attempts=4)
    transfers = [Transfer(number) for number in range(TRANSFERS)]
    for transfer in transfers:
        transfer.prepare(empty)
    def share(request):
        if "doomed" in request.path:
            return 0.95 if request.kind in LATE else 0
        return 0.6 if request.kind == "CreateMultipartUpload" else 0.2  # there are few of these
    weather = Weather(SEED, share, STALL)
    door.decide = weather
    try:
        in_threads(server, transfers, lambda sftp, transfer: transfer.run(server, sftp))
        door.decide = lambda request: None
        wait_for(lambda: f"uploads to be taken back: {left_though_known(empty, door)}", lambda: left_though_known(empty, door) == [], timeout=30)
        wrong = [found for found in (transfer.check(empty) for transfer in transfers) if found]
        assert wrong == [], "\n".join(wrong)
        counts = [sum(transfer.done for transfer in transfers if transfer.doomed == doomed) for doomed in (False, True)]
        print(f"{counts[0]} fair and {counts[1]} doomed transfers of {TRANSFERS} were done; {weather.done}")
        assert all(count > 5 for count in weather.done.values()), weather.done
        assert counts[0] > TRANSFERS * 0.4 and sum(counts) < TRANSFERS * 0.95
        # No worker is held by what failed: as many at once as there are, and the end is quick.
        start = time.monotonic()
        in_threads(server, range(100), lambda sftp, _: sftp.stat("/" + transfers[0].key) and sftp)
        assert time.monotonic() - start < seconds(20)
        # A beginning whose answer got lost has no part, and is looked for when so much time has passed that it can be nobody
        # else's. Until then the server has it on its list, and says so when it stops.
        server.stop()
        told = [line for line in server.log_lines() if "may stay in the store: the server stops" in str(line.get("message"))]
        left = [(upload["Key"], upload["UploadId"]) for upload in empty.unfinished()]
        print(f"{len(left)} beginnings have got lost; the server knows of {len(told)} that may have")
        assert 0 < len(left) <= len(told)
        for key, upload in left:
            assert "Parts" not in empty.s3.list_parts(Bucket=empty.name, Key=key, UploadId=upload)
            empty.s3.abort_multipart_upload(Bucket=empty.name, Key=key, UploadId=upload)
    finally:
        door.decide = lambda request: None
        server.stop()


@pytest.mark.parametrize("size, last", [(1000, "PutObject"), (2 * PART + 77, "CompleteMultipartUpload")])
def test_who_closes_a_file_and_leaves_has_stored_it(make_server, rgw, empty, door, size, last):
    """As sshfs does, which does not wait for the answer to CLOSE."""
    server, go_on = make(make_server, rgw, door), threading.Event()
    rest = Rest(server.rest_url)
    door.take()
    door.decide = lambda request: Fault("up", 0, "hold", go_on) if request.kind == last else None
    try:
        mark = server.mark()
        with s.transport(server, server.accounts["alice"]) as link:
            sftp = s.subsystem(link)
            handle = sftp.open("/file", PUT)
            for at in range(0, size, BLOCK):
                sftp.write(handle, at, pattern(size)[at:at + BLOCK])
            sftp.send(s.CLOSE, s.string(handle))
            wait_for(f"{last} on its way", lambda: last in [request.kind for request in door.requests])
        wait_for("the session to be gone", lambda: rest.get("connection").json == [])
        go_on.set()
        wait_for("the upload's line", lambda: [line for line in server.log_lines(mark) if line.get("sender") == "Upload"])
        assert empty.get("file") == pattern(size)
        assert [request.kind for request in door.requests].count(last) == 1
    finally:
        go_on.set()
        door.decide = lambda request: None
        server.stop()


def test_a_stop_does_not_wait_for_a_store_that_ends_no_upload(make_server, rgw, empty, door):
    """The client has left after CLOSE; that gets some seconds, and no forced end of the process."""
    server, go_on = make(make_server, rgw, door), threading.Event()
    door.take()
    door.decide = lambda request: Fault("down", 0, "hold", go_on) if request.kind == "PutObject" else None
    try:
        with s.transport(server, server.accounts["alice"]) as link:
            sftp = s.subsystem(link)
            handle = sftp.open("/file", PUT)
            sftp.write(handle, 0, pattern(BLOCK))
            sftp.send(s.CLOSE, s.string(handle))
            wait_for("it is on its way", lambda: "PutObject" in [request.kind for request in door.requests])
        server.stop()
        assert "does not return" not in server.log_text()
    finally:
        go_on.set()
        door.decide = lambda request: None


def test_a_stop_amid_an_upload_leaves_no_parts(make_server, rgw, empty, door):
    server = make(make_server, rgw, door)
    door.take()
    # The second part trickles: what is on its way must not be waited for.
    door.decide = lambda request: Fault("up", 1000, "slow", 20_000) if request.query.get("partNumber") == "2" else None
    try:
        with s.transport(server, server.accounts["alice"]) as link:
            sftp = s.subsystem(link)
            handle = sftp.open("/file", PUT)
            for at in range(0, 2 * PART + BLOCK, BLOCK):
                sftp.write(handle, at, pattern(BLOCK))
            wait_for("the second part on its way", lambda: "2" in [request.query.get("partNumber") for request in door.requests])
            start = time.monotonic()
            server.stop()
        assert time.monotonic() - start < seconds(8)
        assert (empty.keys(), empty.unfinished()) == ([], [])
    finally:
        door.decide = lambda request: None
        server.stop()


def test_a_stop_does_not_wait_for_an_answer_through_tls(make_server, rgw, tls):
    """TLS sends tickets after its handshake: what can be read is no answer yet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.certificate, tls.certificate.with_suffix(".key"))
    asked, over = threading.Event(), threading.Event()

    def serve(listener):
        with context.wrap_socket(listener.accept()[0], server_side=True) as link:
            link.recv(1000)
            asked.set()
            over.wait(seconds(60))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        store = threading.Thread(target=serve, args=(listener,))
        store.start()
        settings = {"plugins": {"storage": {"fs-s3": {"ca_file": str(tls.certificate)}}}}
        server = make_server(config=settings)
        add(server, "alice", s3config(rgw, endpoint=f"https://127.0.0.1:{listener.getsockname()[1]}"))
        server.start()
        try:
            with s.transport(server, server.accounts["alice"]) as link:
                s.subsystem(link).send(s.STAT, s.string("/file"))
                assert asked.wait(seconds(20))
                start = time.monotonic()
                server.stop()
            assert time.monotonic() - start < seconds(8)
        finally:
            over.set()
            server.stop()
            store.join()


def test_a_store_that_stands_still_holds_up_no_local_user_and_no_stop(make_server, rgw, empty, door):
    """With the time-outs that are usual, which are longer than anybody here waits."""
    server = make(make_server, rgw, door)
    empty.put("file", pattern(1_000_000))
    sessions = [s.transport(server, server.accounts["alice"]) for _ in range(20)]
    links = [session.__enter__() for session in sessions]
    try:
        door.decide = lambda request: Fault("down", 0, "stall", 300)
        for number, link in enumerate(links):
            sftp = s.subsystem(link)
            for _ in range(4):
                sftp.send(s.OPEN, s.string("/file" if number % 2 else f"/new{number}"), s.u32(s.F_READ if number % 2 else PUT), s.Attrs().encode())
        wait_for("requests on their way", lambda: len(door.requests) >= 8)
        start = time.monotonic()
        with client(server, "local") as local:
            local.write_file("/file", pattern(300_000))
            assert local.read_file("/file") == pattern(300_000)
        assert time.monotonic() - start < seconds(5)
        start = time.monotonic()
        server.stop(codes=(0, 1))  # by force, if need be
        assert time.monotonic() - start < seconds(18)
    finally:
        door.decide = lambda request: None
        for session in sessions:
            session.__exit__(None, None, None)
        server.stop()
