#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seed inputs: short SFTP sessions that reach every request and PROXY headers of every form, with a few that
break the rules; command lines and lines of scp.

For SFTP an input is one byte of options, one byte for the size of the pieces (its lower six bits N: 4N - 3 bytes, 0: all at
once) and two more options, then the client's bytes.
Handles are predictable in a fresh channel: slot number and generation, four bytes each. For PROXY it is one byte for the
size of the pieces less one, then the bytes.
"""
import pathlib
import struct

CORPUS = pathlib.Path(__file__).parent / "corpus"
LANES, WOULD_BLOCK, SERIAL, ASCENDING, FULL, LAZY, EARLY_END, NO_FEATURES = (1 << bit for bit in range(8))
ALONE, LIMITED = 1 << 6, 1 << 7  # in the second byte


def u32(value):
    return struct.pack(">I", value)


def u64(value):
    return struct.pack(">Q", value)


def text(value):
    value = value.encode() if isinstance(value, str) else value
    return u32(len(value)) + value


def packet(kind, request, *fields):
    body = bytes([kind]) + u32(request) + b"".join(fields)
    return u32(len(body)) + body


def extended(request, name, *fields):
    return packet(200, request, text(name), *fields)


def handle(slot, generation):
    return text(u32(slot) + u32(generation))


INIT = packet(1, 3)
H1, H2 = handle(0, 1), handle(1, 2)
NO_ATTRS = u32(0)
ALL_ATTRS = u32(0x8000000F) + u64(100) + u32(1) + u32(2) + u32(0o644) + u32(3) + u32(4) + u32(1) + text("a@b") + text("c")


def open_file(request, path, flags):
    return packet(3, request, text(path), u32(flags), NO_ATTRS)


def read(request, which, offset, length):
    return packet(5, request, which, u64(offset), u32(length))


def write(request, which, offset, data):
    return packet(6, request, which, u64(offset), text(data))


def close(request, which):
    return packet(4, request, which)


PUT = INIT + open_file(1, "/new", 26) + b"".join(write(2 + n, H1, n * 700, b"w" * 700) for n in range(8)) + close(20, H1)
GET = INIT + open_file(1, "/f", 1) + b"".join(read(2 + n, H1, n * 1000, 1000) for n in range(5)) + close(20, H1)
MIXED = INIT + open_file(1, "/f", 3) + b"".join(
    write(2 * n, H1, n * 10, b"overlapping bytes") + read(2 * n + 1, H1, n * 15, 30) for n in range(10)) + close(40, H1)
SEEDS = {
    "init": (0, 0, INIT),
    "init-split": (0, 1, INIT + packet(16, 1, text("."))),
    "put": (0, 0, PUT),
    "put-lanes": (LANES, 50, PUT),
    "put-ascending": (LANES | ASCENDING, 0, PUT),
    "put-full-pool": (FULL, 23, PUT),
    "get": (0, 0, GET),
    "get-would-block": (WOULD_BLOCK | LANES, 9, GET),
    "get-lazy": (LAZY, 0, GET),
    "mixed": (0, 0, MIXED),
    "mixed-lanes": (LANES | WOULD_BLOCK, 16, MIXED),
    "mixed-serial": (LANES | SERIAL | WOULD_BLOCK, 0, MIXED),
    "put-alone": (WOULD_BLOCK, ALONE | 50, PUT),
    "put-limited": (LANES, LIMITED | 50, PUT),
    "get-alone": (WOULD_BLOCK, ALONE, GET),
    "get-limited": (0, LIMITED | 9, GET),
    "mixed-alone-limited": (LANES | WOULD_BLOCK, ALONE | LIMITED | 16, MIXED),
    "early-end-limited": (EARLY_END, LIMITED | 25, MIXED),
    "flood": (LAZY, 0, INIT + packet(99, 1) * 1200),
    "early-end": (EARLY_END | LANES | WOULD_BLOCK, 25, MIXED),
    "append": (LANES, 0, INIT + open_file(1, "/f", 6) + write(2, H1, 0, b"a") + write(3, H1, 0, b"b") + close(4, H1)),
    "two-files": (LANES, 0, INIT + open_file(1, "/f", 1) + open_file(2, "/g", 26) + read(3, H1, 0, 50)
                  + write(4, H2, 0, b"g") + close(5, H1) + close(6, H2)),
    "list": (0, 0, INIT + packet(11, 1, text("/d")) + packet(12, 2, H1) + packet(12, 3, H1) + close(4, H1)),
    "stat": (0, 0, INIT + packet(7, 1, text("/f")) + packet(17, 2, text("/d/1")) + packet(17, 3, text("/none"))),
    "fstat": (0, 0, INIT + open_file(1, "/f", 1) + packet(8, 2, H1) + packet(10, 3, H1, ALL_ATTRS)),
    "setstat": (0, 0, INIT + packet(9, 1, text("/f"), ALL_ATTRS) + extended(2, "lsetstat@openssh.com", text("/f"), NO_ATTRS)),
    "tree": (0, 0, INIT + packet(14, 1, text("/n"), NO_ATTRS) + packet(18, 2, text("/f"), text("/n/f"))
             + packet(13, 3, text("/n/f")) + packet(15, 4, text("/n"))),
    "links": (0, 0, INIT + packet(20, 1, text("f"), text("/l")) + packet(19, 2, text("/l"))
              + extended(3, "hardlink@openssh.com", text("/f"), text("/h"))),
    "rename": (0, 0, INIT + extended(1, "posix-rename@openssh.com", text("/f"), text("/d/1"))),
    "statvfs": (0, 0, INIT + open_file(1, "/f", 1) + extended(2, "statvfs@openssh.com", text("/"))
                + extended(3, "fstatvfs@openssh.com", H1) + extended(4, "fsync@openssh.com", H1)),
    "paths": (0, 0, INIT + extended(1, "expand-path@openssh.com", text("~/a/../b")) + extended(2, "home-directory", text(""))
              + extended(3, "limits@openssh.com") + packet(16, 4, text("//a/./../.."))),
    "names": (0, 0, INIT + extended(1, "users-groups-by-id@openssh.com", text(u32(1) + u32(999)), text(u32(0)))),
    "copy": (0, 0, INIT + open_file(1, "/f", 3) + open_file(2, "/g", 26)
             + extended(3, "copy-data", H1, u64(5), u64(0), H2, u64(1)) + extended(4, "copy-data", H1, u64(0), u64(9), H1, u64(4))),
    "no-features": (NO_FEATURES, 0, INIT + extended(1, "statvfs@openssh.com", text("/")) + packet(19, 2, text("/l"))),
    "huge-offsets": (0, 0, INIT + open_file(1, "/f", 3) + read(2, H1, 2**63 - 1, 2) + write(3, H1, 2**64 - 1, b"xx")
                     + read(4, H1, 2**62, 0xFFFFFFFF)),
    "stale-handle": (0, 0, INIT + open_file(1, "/f", 1) + close(2, H1) + read(3, H1, 0, 1) + close(4, H1)),
    "unknown": (0, 0, INIT + packet(99, 1, b"??") + extended(2, "who@example.com", b"??") + packet(101, 3, u32(0))),
    "before-init": (0, 0, packet(17, 1, text("/"))),
    "second-init": (0, 0, INIT + INIT),
    "length-zero": (0, 0, INIT + u32(0)),
    "length-huge": (0, 1, INIT + u32(2**32 - 1) + b"x" * 40),
    "cut-off": (0, 0, INIT + packet(17, 1, u32(100) + b"/") + write(2, H1, 0, b"abc")[:-2]),
    "http": (0, 0, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
}


def binary(command, family, block=b"", length=None):
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack(">BBH", command, family, len(block) if length is None else length) + block


SSH = b"SSH-2.0-client\r\n"
FOUR, SIX, TLVS = bytes(range(1, 13)), bytes(range(1, 37)), b"\x03\0\4abcd\x05\0\2id"
PROXY_SEEDS = {
    "tcp4": b"PROXY TCP4 192.0.2.1 203.0.113.1 4711 22\r\n" + SSH,
    "tcp6": b"PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 4711 22\r\n" + SSH,
    "unknown": b"PROXY UNKNOWN\r\n" + SSH,
    "unknown-long": b"PROXY UNKNOWN a b c d\r\n" + SSH,
    "v2-tcp4": binary(0x21, 0x11, FOUR) + SSH,
    "v2-tcp6-tlvs": binary(0x21, 0x21, SIX + TLVS) + SSH,
    "v2-unix": binary(0x21, 0x31, bytes(216)) + SSH,
    "v2-unspecified": binary(0x21, 0x00, TLVS) + SSH,
    "v2-local": binary(0x20, 0x00) + SSH,
    "no-header": SSH,
    "line-endless": b"PROXY UNKNOWN " + b"x" * 120,
    "line-lf": b"PROXY TCP4 192.0.2.1 203.0.113.1 4711 22\n",
    "line-port": b"PROXY TCP4 192.0.2.1 203.0.113.1 65536 22\r\n",
    "cut-off": binary(0x21, 0x11, FOUR)[:-1],
    "v2-short": binary(0x21, 0x21, SIX, 35),
    "v2-long": binary(0x21, 0x11, FOUR, 65535),
}


COMMAND_LINE_SEEDS = {
    "scp-sink": b"scp -v -r -p -d -t -- '/it''s here'",
    "scp-source": b'scp -rpf "/a b/*.[ch]" /x\\ y/?',
    "scp-bad": b"scp -f -t /a",
    "git": b"git-upload-pack '/repo.git'",
    "rsync": b"rsync --server --sender -vlogDtpre.iLsfxCIvu . /",
    "digest": b"sha256sum -- -a '*' # comment",
    "open-quote": b"md5sum 'a",
    "last-backslash": b"md5sum a\\",
    "file": b"0644 12 name with blanks",
    "directory": b"0755 0 d",
    "outside": b"0644 1 ../x",
    "times": b"1700000000 0 1700000001 0",
    "large": b"7777 9223372036854775808 x",
}


def write_seeds(folder, inputs):
    (CORPUS / folder).mkdir(parents=True, exist_ok=True)
    for name, content in inputs.items():
        (CORPUS / folder / name).write_bytes(content)
    print(f"{len(inputs)} seeds in {CORPUS / folder}")


def main():
    write_seeds("sftp_channel", {name: bytes([options, step]) + stream for name, (options, step, stream) in SEEDS.items()})
    write_seeds("proxy_header", {name: bytes([step]) + stream for step, (name, stream) in enumerate(PROXY_SEEDS.items())})
    write_seeds("command_line", COMMAND_LINE_SEEDS)


if __name__ == "__main__":
    main()
