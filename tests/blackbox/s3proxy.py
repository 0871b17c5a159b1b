# SPDX-License-Identifier: Apache-2.0
"""A proxy before an S3 server that understands requests one by one, also as the HTTP proxy of a client: it keeps the head of
each, and may answer by itself or break what it passes on. Runs on a thread of its own; knows nothing of SFTP."""
import asyncio
import contextlib
import itertools
import random
import socket
import struct
import threading
import urllib.parse
from dataclasses import dataclass, field

STEP = 64 * 1024
HEAD_LIMIT = 1 << 20


@dataclass
class Request:
    method: str
    target: str
    headers: dict  # names in lower case
    body: bytes = b""  # of a POST; other bodies are not kept
    status: int = 0  # of the answer; 0: there was none

    @property
    def path(self):
        """Bucket and key, decoded."""
        path = urllib.parse.unquote(self.target.partition("?")[0], errors="surrogateescape").removeprefix("/")
        bucket, in_host, _ = self.headers.get("host", "").partition(".localhost")
        return f"{bucket}/{path}" if in_host else path

    @property
    def query(self):
        return dict(urllib.parse.parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def kind(self):
        """What is asked for, in S3's words as far as they matter here."""
        key = self.path.partition("/")[2]
        query = self.query
        if "uploads" in query:
            return "ListMultipartUploads" if self.method == "GET" else "CreateMultipartUpload"
        if "uploadId" in query:
            part = "UploadPartCopy" if "x-amz-copy-source" in self.headers else "UploadPart"
            return {"PUT": part, "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload", "GET": "ListParts"}[self.method]
        if not key:
            return {"GET": "ListObjects", "HEAD": "HeadBucket", "POST": "DeleteObjects"}[self.method]
        copied = "CopyObject" if "x-amz-copy-source" in self.headers else "PutObject"
        return {"GET": "GetObject", "HEAD": "HeadObject", "PUT": copied, "DELETE": "DeleteObject"}[self.method]

    def names(self):
        """Everything in it that names keys or beginnings of keys, without the bucket."""
        key, query = self.path.partition("/")[2], self.query
        found = [query[name] for name in ("prefix", "start-after", "marker", "key-marker") if query.get(name)]
        if key:
            found.append(key)
        if "x-amz-copy-source" in self.headers:
            found.append(urllib.parse.unquote(self.headers["x-amz-copy-source"]).removeprefix("/").partition("/")[2])
        return found


@dataclass
class Answer:
    """Instead of the server's; the connection stays, the server sees nothing."""
    status: int
    code: str = ""
    headers: dict = field(default_factory=dict)

    def encode(self, head_only):
        body = f"<Error><Code>{self.code}</Code><Message>made up</Message><RequestId>tx-made-up</RequestId></Error>".encode()
        headers = {"Content-Type": "application/xml", "Content-Length": str(len(body)), "x-amz-request-id": "tx-made-up", **self.headers}
        head = f"HTTP/1.1 {self.status} Answer\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return head.encode() + b"\r\n" + (b"" if head_only else body)


@dataclass
class Fault:
    """What is done to a request: after so many of its bytes ("up") or of its answer's ("down"), heads included, the
    connection is "reset", or ended as if that were all ("end"), or nothing moves for so many seconds and then it is reset
    ("stall"). "slow": from there on no more than so many bytes per second. "hold": it goes on when the Event `value` is set."""
    direction: str
    after: int
    how: str
    value: object = 0


class Broken(Exception):
    pass


class Link:
    """One direction of one request on its way, with the fault that is meant for it."""

    def __init__(self, reader, writer, fault):
        self.reader, self.writer, self.fault, self.moved = reader, writer, fault, 0

    async def send(self, data):
        fault = self.fault
        if not fault or self.moved + len(data) <= fault.after:
            self.moved += len(data)
            self.writer.write(data)
            return await self.writer.drain()
        first = max(0, fault.after - self.moved)
        self.writer.write(data[:first])
        await self.writer.drain()
        self.moved += len(data)
        if fault.how == "slow":
            for at in range(first, len(data), 4096):
                self.writer.write(data[at:at + 4096])
                await self.writer.drain()
                await asyncio.sleep(4096 / fault.value)
            return None
        if fault.how == "hold":
            while not fault.value.is_set():
                await asyncio.sleep(0.02)
            self.writer.write(data[first:])
            return await self.writer.drain()
        if fault.how == "stall":
            await asyncio.sleep(fault.value)
        raise Broken("reset" if fault.how == "stall" else fault.how)

    async def pass_on(self, count):
        while count > 0:
            data = await self.reader.read(min(count, STEP))
            if not data:
                raise Broken("end")
            count -= len(data)
            await self.send(data)

    async def pass_chunks(self):
        while True:
            line = await self.reader.readuntil(b"\n")
            await self.send(line)
            length = int(line.split(b";")[0], 16)
            if length == 0:
                return await self.send(await self.reader.readuntil(b"\n"))
            await self.pass_on(length + 2)

    async def pass_to_the_end(self):
        while data := await self.reader.read(STEP):
            await self.send(data)


def parse_head(data):
    first, *lines = data.decode("latin-1").split("\r\n")
    return first.split(" ", 2), {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}


class S3Proxy:
    """`decide(request)` gives None, an Answer, or a Fault. Change it at any time."""

    def __init__(self, target_port):
        self.target_port = target_port
        self.decide = lambda request: None
        self.requests = []
        self.links = set()
        self.loop = asyncio.new_event_loop()
        self.server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEAD_LIMIT))
        self.port = self.server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def _call(self, function):
        async def work():
            return function()
        return asyncio.run_coroutine_threadsafe(work(), self.loop).result(30)

    def stop(self):
        def end():
            self.server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
        self._call(end)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(30)
        self.loop.close()

    def take(self):
        """The requests so far, and forgets them."""
        taken, self.requests = self.requests, []
        return taken

    def connections(self):
        return len(self.links)

    def drop(self, how="end"):
        """Ends all connections, as a server does with those that nobody uses."""
        self._call(lambda: [self._end(writer, how) for writer in list(self.links)])

    @staticmethod
    def _end(writer, how):
        if how == "reset":
            with contextlib.suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        else:
            writer.close()

    async def _serve(self, reader, writer):
        self.links.add(writer)
        server, how = None, "end"
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if server is None:
                    server = await asyncio.open_connection("127.0.0.1", self.target_port, limit=HEAD_LIMIT)
                await self._one(head, reader, writer, *server)
        except Broken as broken:
            how = str(broken)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.links.discard(writer)
            self._end(writer, how)
            if server:
                self._end(server[1], "reset")

    async def _one(self, head, reader, writer, from_server, to_server):
        (method, target, _), headers = parse_head(head)
        length = int(headers.get("content-length", 0))
        if target.startswith("http://"):  # the client takes this for its proxy; a server is told the path only
            whole, target = target, "/" + target.removeprefix("http://").partition("/")[2]
            head = head.replace(whole.encode("latin-1"), target.encode("latin-1"), 1)
        request = Request(method, target, headers)
        self.requests.append(request)
        what = self.decide(request)
        if isinstance(what, Answer):
            request.body = await reader.readexactly(length)
            request.status = what.status
            writer.write(what.encode(method == "HEAD"))
            return await writer.drain()
        fault = {what.direction: what} if what else {}
        up = Link(reader, to_server, fault.get("up"))
        down = Link(from_server, writer, fault.get("down"))
        await self._while_there(reader, writer, self._ask(request, head, length, up))
        return await self._while_there(reader, writer, self._answer(request, from_server, down))

    @staticmethod
    async def _while_there(reader, writer, work):
        """Done, or given up as soon as the client has gone: a stall need not outlive it."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=0.2)
                if not task.done() and (writer.transport.is_closing() or reader.at_eof()):
                    raise Broken("reset")
            return task.result()
        finally:
            task.cancel()

    @staticmethod
    async def _ask(request, head, length, up):
        await up.send(head)
        if request.method == "POST":
            request.body = await up.reader.readexactly(length)
            await up.send(request.body)
        else:
            await up.pass_on(length)

    @staticmethod
    async def _answer(request, from_server, down):
        head = await from_server.readuntil(b"\r\n\r\n")
        (_, status, _), headers = parse_head(head)
        await down.send(head)
        if request.method == "HEAD" or status in ("204", "304"):
            pass
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            await down.pass_chunks()
        elif "content-length" in headers:
            await down.pass_on(int(headers["content-length"]))
        else:
            await down.pass_to_the_end()
            raise Broken("end")
        request.status = int(status)
        if headers.get("connection", "").lower() == "close":
            raise Broken("end")


class Weather:
    """A `decide` that breaks a share of all requests, the same ones in every run: each attempt of each request has its own
    dice. `share(request)` says how much goes wrong of what is like it."""
    KINDS = ("busy", "error", "reset up", "reset before the answer", "reset amid the answer", "cut off", "stall up", "stall down", "slow", "slow up")

    def __init__(self, seed, share, stall_seconds):
        self.seed, self.share, self.stall_seconds = seed, share, stall_seconds
        self.seen = {}
        self.done = dict.fromkeys(self.KINDS, 0)

    def __call__(self, request):
        name = (request.method, request.path, request.query.get("partNumber", ""), request.kind, request.headers.get("range", ""))
        count = self.seen.setdefault(name, itertools.count())
        dice = random.Random(f"{self.seed}/{name}/{next(count)}")
        if dice.random() >= self.share(request):
            return None
        kind = dice.choice(self.KINDS)
        self.done[kind] += 1
        sent, amid = int(request.headers.get("content-length", 0)), dice.random()
        return {"busy": Answer(503, "SlowDown"), "error": Answer(500, "InternalError"),
                "reset up": Fault("up", int(sent * amid), "reset"),
                "reset before the answer": Fault("down", 0, "reset"),
                "reset amid the answer": Fault("down", int(amid * 3000), "reset"),
                "cut off": Fault("down", int(amid * 3000), "end"),
                "stall up": Fault("up", int(sent * amid), "stall", self.stall_seconds),
                "stall down": Fault("down", int(amid * 1000), "stall", self.stall_seconds),
                "slow": Fault("down", 0, "slow", 2e6),
                "slow up": Fault("up", 0, "slow", 2e6)}[kind]
