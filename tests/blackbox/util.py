# SPDX-License-Identifier: Apache-2.0
"""Small things every test file needs: scaled deadlines, polling, file patterns, tree digests. Knows no server."""
import contextlib
import ctypes
import hashlib
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

# Sanitizer builds are slower: their presets raise this, and every deadline grows with it.
SLOWDOWN = float(os.environ.get("SALLYPORT_TEST_SLOWDOWN", "1"))
QUICK = os.environ.get("SALLYPORT_TEST_QUICK") == "1"
SANITIZED = SLOWDOWN > 1
SANITIZER_MARKS = ("AddressSanitizer", "ThreadSanitizer", "LeakSanitizer", "UndefinedBehaviorSanitizer", "runtime error:")


def seconds(n):
    """A deadline of n seconds on a normal build."""
    return n * SLOWDOWN


def wait_for(what, predicate, timeout=10):
    """Polls until predicate() is truthy and returns that value; fails with `what` after the (scaled) deadline."""
    deadline = time.monotonic() + seconds(timeout)
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds(timeout):g} s: {what() if callable(what) else what}")
        time.sleep(0.01)


def require(*programs):
    """A program that is not there fails the test: skipped for want of a package, it would be missed by nobody."""
    for program in programs:
        if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin:/usr/local/sbin") is None:
            table = (Path(__file__).resolve().parents[2] / "cmake/system-packages.txt").read_text()
            rows = [row.split() for row in table.splitlines() if row.startswith("test ")]
            packages = [row[2] for row in rows if row[1] == f"cmd:{program}"]
            raise AssertionError(f"{program} is not installed (Debian: {packages[0] if packages else 'see cmake/system-packages.txt'}); "
                                 "./dev test installs what tests need")


def assert_no_sanitizer_report(text):
    """Also where an exit code other than 0 is right: that of a report is one too."""
    text = text if isinstance(text, str) else text.decode(errors="replace")
    assert not any(mark in text for mark in SANITIZER_MARKS), text[-20000:]


def run(argv, *, timeout=120, check=True, env=None, input=None, cwd=None):
    """Runs a program to its end with captured text output; the failure message carries everything it said."""
    text = isinstance(input, str) or input is None
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=text, input=input, env=env, cwd=cwd,
                          stdin=subprocess.DEVNULL if input is None else None, timeout=seconds(timeout),
                          **({"errors": "surrogateescape"} if text else {}))
    assert_no_sanitizer_report(done.stderr)
    if check and done.returncode != 0:
        raise AssertionError(f"exit {done.returncode} of {argv}\nstdout: {done.stdout}\nstderr: {done.stderr}")
    return done


def on_disk(*roots):
    """Bytes and number of the files below. A temporary that goes while it is looked at is not there."""
    sizes = []
    for path in (os.path.join(parent, name) for root in roots for parent, _, names in os.walk(root) for name in names):
        with contextlib.suppress(FileNotFoundError):
            if not os.path.islink(path):
                sizes.append(os.lstat(path).st_size)
    return sum(sizes), len(sizes)


def side_by_side(*jobs):
    """Each in its own process, so that clients which are Python do not wait for each other either."""
    children = [multiprocessing.get_context("fork").Process(target=job) for job in jobs]
    for child in children:
        child.start()
    try:
        for child in children:
            child.join(seconds(600))
        assert [child.exitcode for child in children] == [0] * len(jobs), "see the captured stderr"
    finally:
        for child in children:
            child.kill()


def die_with_parent():
    """For preexec_fn: a test run that is killed leaves no server behind (Linux: PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def clean_env(home, **extra):
    """An environment without anything that could steer a client or the server by accident."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("SFTPGO_", "AWS_", "CURL_", "SSH_", "RCLONE_", "LFTP_", "XDG_")) and k != "DISPLAY"}
    env.update(HOME=os.fspath(home), LANG="C.UTF-8", LC_ALL="C.UTF-8", TZ="UTC", **extra)
    return env


def pattern(size, seed=0):
    """Reproducible bytes that no shift or swap of blocks leaves equal."""
    return random.Random(f"{size}/{seed}").randbytes(size)


def write_pattern(path, size, seed=0):
    """Writes a large reproducible file block by block; returns its SHA-256."""
    digest = hashlib.sha256()
    with open(path, "wb") as out:
        for index in range(0, size, 1 << 20):
            block = pattern(min(1 << 20, size - index), f"{seed}/{index}")
            digest.update(block)
            out.write(block)
    return digest.hexdigest()


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as data:
        buffer = bytearray(4 << 20)
        while count := data.readinto(buffer):
            digest.update(memoryview(buffer)[:count])
    return digest.hexdigest()


def holding_data(fd, size, block):
    """The numbers of all blocks of a file that are not holes from end to end."""
    found, offset = set(), 0
    while offset < size:
        try:
            offset = os.lseek(fd, offset, os.SEEK_DATA)
        except OSError:  # ENXIO: only a hole is left
            break
        end = os.lseek(fd, offset, os.SEEK_HOLE)
        found.update(range(offset // block, -(-end // block)))
        offset = end
    return found


def assert_same_content(path, wanted, block=1 << 20):
    """Byte by byte, but nothing is read where a file has a hole: quick for files of gigabytes that are mostly holes."""
    zeros = bytes(block)
    with open(path, "rb", buffering=0) as left, open(wanted, "rb", buffering=0) as right:
        size = os.fstat(right.fileno()).st_size
        assert os.fstat(left.fileno()).st_size == size, path
        files = [(f.fileno(), holding_data(f.fileno(), size, block)) for f in (left, right)]
        for index in sorted(files[0][1] | files[1][1]):
            offset = index * block
            one, other = (os.pread(fd, block, offset) if index in data else zeros[:size - offset] for fd, data in files)
            assert one == other, f"{path} differs from {wanted} between {offset} and {offset + len(other)}"


def tree(root):
    """{relative path: content digest | 'dir' | link target} of everything under root, names as bytes."""
    found = {}
    root = os.fsencode(root)
    for folder, dirs, files in os.walk(root):
        for name in dirs + files:
            path = os.path.join(folder, name)
            key = os.path.relpath(path, root)
            if os.path.islink(path):
                found[key] = b"-> " + os.readlink(path)
            elif os.path.isdir(path):
                found[key] = "dir"
            else:
                found[key] = hashlib.sha256(Path(os.fsdecode(path)).read_bytes()).hexdigest()
    return found


def make_tree(root, folders, files_each, seed=0):
    """A tree of folders*files_each small files of different sizes (0..~1200 bytes)."""
    for d in range(folders):
        folder = Path(root, f"dir {d:03}" if d % 7 == 0 else f"dir{d:03}")
        folder.mkdir(parents=True)
        for f in range(files_each):
            data = f"{seed}/{d}/{f}\n".encode() * ((d + f) % 100)
            (folder / f"file{f:04}.txt").write_bytes(data)
