# SPDX-License-Identifier: Apache-2.0
"""A tiny SFTP v3 client over a paramiko channel that can also send what no sane client sends. Requests and replies are
visible one by one, so that a test can say exactly which status it wants. Draft: filexfer-02."""
import contextlib
import socket
import struct
from dataclasses import dataclass

import paramiko

from util import seconds

INIT, VERSION, OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT, SETSTAT, FSETSTAT, OPENDIR, READDIR = range(1, 13)
REMOVE, MKDIR, RMDIR, REALPATH, STAT, RENAME, READLINK, SYMLINK = range(13, 21)
STATUS, HANDLE, DATA, NAME, ATTRS, EXTENDED, EXTENDED_REPLY = 101, 102, 103, 104, 105, 200, 201
OK, EOF, NO_SUCH_FILE, PERMISSION_DENIED, FAILURE, BAD_MESSAGE, NO_CONNECTION, CONNECTION_LOST, OP_UNSUPPORTED = range(9)
F_READ, F_WRITE, F_APPEND, F_CREAT, F_TRUNC, F_EXCL = 1, 2, 4, 8, 16, 32
A_SIZE, A_UIDGID, A_PERMISSIONS, A_TIMES, A_EXTENDED = 1, 2, 4, 8, 0x80000000


def string(value):
    if isinstance(value, str):
        value = value.encode()
    return struct.pack(">I", len(value)) + value


def u32(value):
    return struct.pack(">I", value)


def u64(value):
    return struct.pack(">Q", value)


@dataclass
class Attrs:
    size: int = None
    uid: int = None
    gid: int = None
    permissions: int = None
    atime: int = None
    mtime: int = None

    def encode(self):
        flags, body = 0, b""
        if self.size is not None:
            flags, body = flags | A_SIZE, body + u64(self.size)
        if self.uid is not None:
            flags, body = flags | A_UIDGID, body + u32(self.uid) + u32(self.gid)
        if self.permissions is not None:
            flags, body = flags | A_PERMISSIONS, body + u32(self.permissions)
        if self.mtime is not None:
            flags, body = flags | A_TIMES, body + u32(self.atime) + u32(self.mtime)
        return u32(flags) + body


class Fields:
    """Reads the fields of a reply; `rest` is what nobody read."""

    def __init__(self, data):
        self.rest = data

    def take(self, count):
        assert len(self.rest) >= count, f"reply too short: {self.rest!r}"
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def u32(self):
        return struct.unpack(">I", self.take(4))[0]

    def u64(self):
        return struct.unpack(">Q", self.take(8))[0]

    def string(self):
        return self.take(self.u32())

    def attrs(self):
        flags, attrs = self.u32(), Attrs()
        if flags & A_SIZE:
            attrs.size = self.u64()
        if flags & A_UIDGID:
            attrs.uid, attrs.gid = self.u32(), self.u32()
        if flags & A_PERMISSIONS:
            attrs.permissions = self.u32()
        if flags & A_TIMES:
            attrs.atime, attrs.mtime = self.u32(), self.u32()
        if flags & A_EXTENDED:
            for _ in range(self.u32()):
                self.string(), self.string()
        return attrs


class StatusError(Exception):
    def __init__(self, code, text):
        super().__init__(f"status {code}: {text}")
        self.code, self.text = code, text


class Closed(Exception):
    """The server closed the channel."""


class RawSftp:
    def __init__(self, channel, init=True):
        self.channel = channel
        self.next_id = 1
        self.buffer = bytearray()
        self.early = {}  # replies that arrived before somebody waited for them
        self.extensions = {}
        if init:
            self.send_raw(u32(5) + bytes([INIT]) + u32(3))
            kind, payload = self.receive_packet()
            assert kind == VERSION, f"answer to INIT has type {kind}"
            fields = Fields(payload)
            self.version = fields.u32()
            while fields.rest:
                name = fields.string().decode()
                self.extensions[name] = fields.string().decode()

    # -- packets
    def send_raw(self, data):
        try:
            self.channel.sendall(data)
        except (OSError, EOFError) as error:
            raise Closed(str(error)) from error

    def send(self, kind, *fields):
        """Sends a request without waiting; returns its id."""
        request = self.next_id
        self.next_id += 1
        body = bytes([kind]) + u32(request) + b"".join(fields)
        self.send_raw(u32(len(body)) + body)
        return request

    def _exactly(self, count):
        while len(self.buffer) < count:
            try:
                data = self.channel.recv(262144)
            except socket.timeout:
                raise AssertionError("no answer from the server within the deadline") from None
            if not data:
                raise Closed("end of channel")
            self.buffer += data
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def receive_packet(self):
        length = struct.unpack(">I", self._exactly(4))[0]
        assert 1 <= length <= 1 << 20, f"reply of {length} bytes"
        data = self._exactly(length)
        return data[0], data[1:]

    def receive(self, request):
        """Waits for the reply to that request; replies may come in any order."""
        while request not in self.early:
            kind, payload = self.receive_packet()
            fields = Fields(payload)
            self.early[fields.u32()] = (kind, fields)
        return self.early.pop(request)

    def expect(self, request, wanted):
        """The fields of the reply of type `wanted`; a status instead becomes StatusError."""
        kind, fields = self.receive(request)
        if kind == STATUS:
            code = fields.u32()
            text = fields.string().decode() if fields.rest else ""
            if wanted == STATUS and code == OK:
                return fields
            raise StatusError(code, text)
        assert kind == wanted, f"reply of type {kind}, wanted {wanted}"
        return fields

    def call(self, kind, *fields, wanted=STATUS):
        return self.expect(self.send(kind, *fields), wanted)

    def status(self, kind, *fields):
        """The status code a request gets; OK also stands for an answer of any other type."""
        answer, reply = self.receive(self.send(kind, *fields))
        return reply.u32() if answer == STATUS else OK

    # -- requests
    def open(self, path, flags, attrs=Attrs()):
        return self.call(OPEN, string(path), u32(flags), attrs.encode(), wanted=HANDLE).string()

    def close(self, handle):
        self.call(CLOSE, string(handle))

    def read(self, handle, offset, length):
        return self.call(READ, string(handle), u64(offset), u32(length), wanted=DATA).string()

    def write(self, handle, offset, data):
        self.call(WRITE, string(handle), u64(offset), string(data))

    def stat(self, path, kind=STAT):
        return self.call(kind, string(path), wanted=ATTRS).attrs()

    def lstat(self, path):
        return self.stat(path, LSTAT)

    def fstat(self, handle):
        return self.call(FSTAT, string(handle), wanted=ATTRS).attrs()

    def setstat(self, path, attrs):
        self.call(SETSTAT, string(path), attrs.encode())

    def name(self, kind, path):
        """REALPATH and READLINK: exactly one name."""
        fields = self.call(kind, string(path), wanted=NAME)
        assert fields.u32() == 1
        return fields.string()

    def extended(self, name, *fields, wanted=STATUS):
        return self.call(EXTENDED, string(name), *fields, wanted=wanted)

    def entries(self, path):
        """[(name, longname, attrs)] of a directory, read to its end."""
        handle = self.call(OPENDIR, string(path), wanted=HANDLE).string()
        found = []
        try:
            while True:
                fields = self.call(READDIR, string(handle), wanted=NAME)
                found += [(fields.string(), fields.string(), fields.attrs()) for _ in range(fields.u32())]
        except StatusError as end:
            if end.code != EOF:
                raise
        self.close(handle)
        return found

    def read_file(self, path):
        handle, data = self.open(path, F_READ), b""
        try:
            while True:
                data += self.read(handle, len(data), 32768)
        except StatusError as end:
            if end.code != EOF:
                raise
        finally:
            self.close(handle)
        return data

    def write_file(self, path, data, flags=F_WRITE | F_CREAT | F_TRUNC):
        handle = self.open(path, flags)
        for offset in range(0, len(data), 32768):
            self.write(handle, offset, data[offset:offset + 32768])
        self.close(handle)


@contextlib.contextmanager
def transport(server, account, login=True, source="127.0.0.1", port=None, ahead=b"", **options):
    """An SSH connection that is logged in by key (or not at all), closed at the end. source: the client's own address;
    port: of something before the server; ahead: bytes before SSH."""
    sock = socket.create_connection(("127.0.0.1", port or server.port), timeout=seconds(20), source_address=(source, 0))
    sock.sendall(ahead)
    link = paramiko.Transport(sock, **options)
    link.banner_timeout = link.auth_timeout = link.handshake_timeout = seconds(30)
    try:
        link.start_client(timeout=seconds(30))
        if login:
            link.auth_publickey(account.name, paramiko.Ed25519Key.from_private_key_file(str(account.keys[0])))
        yield link
    finally:
        link.close()
        sock.close()


def subsystem(link, init=True):
    """A new sftp channel on a logged-in connection."""
    channel = link.open_session(timeout=seconds(20))
    channel.settimeout(seconds(20))
    channel.invoke_subsystem("sftp")
    return RawSftp(channel, init)


@contextlib.contextmanager
def session(server, account, init=True):
    with transport(server, account) as link:
        yield subsystem(link, init)
