# SPDX-License-Identifier: Apache-2.0
"""`sallyport portable` as a process: started with flags, read until it says what it serves, ended."""
import contextlib
import json
import os
import random
import selectors
import signal
import socket
import subprocess
import time
from pathlib import Path

import paramiko

from server import binary
from util import assert_no_sanitizer_report, clean_env, die_with_parent, seconds

AT_HOME = ["--bind-address", "127.0.0.1"]


def quiet_port():
    """A free one below those that the system gives to whoever asks for any."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("0.0.0.0", port))
            return port


class Portable:
    """A context manager. `ready` is the line it said; with json=True also `info`. stdin is a pipe that `hang_up` closes."""

    def __init__(self, cwd, *args, json=True, home=AT_HOME, env=None):
        self.cwd, self.json = Path(cwd), json
        self.argv = [os.fspath(a) for a in (binary(), "portable", *home, *(["--json"] if json else []), *args)]
        # Whatever the default is, no test tells anybody's network about a server that is gone again.
        self.env = clean_env(self.cwd, **{"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent", **(env or {})})
        self.stderr_path = Path(cwd).parent / f"{Path(cwd).name}.stderr"
        self.info = {}

    def spawn(self):
        self.begun = time.monotonic()
        with open(self.stderr_path, "wb") as stderr:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, cwd=self.cwd,
                                            env=self.env, preexec_fn=die_with_parent)
        return self

    def wait_ready(self, timeout=20):
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            assert selector.select(seconds(timeout)), f"not ready: {self.stderr()}"
            self.ready = self.process.stdout.readline().decode().removesuffix("\n")
        self.took = time.monotonic() - self.begun
        assert self.ready, f"ended with {self.process.wait(seconds(10))}: {self.stderr()}"
        if self.json:
            self.info = json.loads(self.ready)
            self.port = self.info["port"]
        return self

    def __enter__(self):
        return self.spawn().wait_ready()

    def __exit__(self, *failure):
        with contextlib.suppress(AssertionError) if failure[0] else contextlib.nullcontext():  # what failed first says more
            self.stop()

    def stderr(self):
        return self.stderr_path.read_text(errors="replace")

    def hang_up(self):
        self.process.stdin.close()

    def stop(self, codes=(0,), number=signal.SIGTERM):
        """Once: what was stopped before is left alone."""
        if self.process.stdout.closed:
            return
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.wait()
        rest = self.process.stdout.read()
        self.process.stdout.close()
        self.process.stdin.close()
        assert_no_sanitizer_report(self.stderr())
        assert code in codes and rest == b"", (code, rest, self.stderr())

    def wait(self, timeout=20):
        try:
            return self.process.wait(seconds(timeout))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def known_hosts(self, path):
        path.write_text("".join(f"[127.0.0.1]:{self.port} {key['type']} {key['key']}\n" for key in self.info["host_keys"]))
        return path

    def transport(self, username=None, password=None, key=None):
        link = paramiko.Transport(("127.0.0.1", self.port))
        try:
            link.connect(username=self.info["username"] if username is None else username,
                         password=self.info.get("password") if password is None and key is None else password, pkey=key)
        except BaseException:
            link.close()
            raise
        return link

    def sftp(self, **login):
        """A paramiko client; close it, and its connection goes with it."""
        link = self.transport(**login)
        client = paramiko.SFTPClient.from_transport(link)
        client.close = link.close
        return client
