# SPDX-License-Identifier: Apache-2.0
"""The load: our bench client and OpenSSH's sftp, run against a peer. Nothing is tried twice."""
import json
import os
import subprocess
import sys

TIMEOUT_SECONDS = 120


class MeasurementError(Exception):
    """The load failed; there is no figure."""


class NotOffered(Exception):
    """The server has no such feature, and says so in its handshake."""


def close_gently(process):
    """Ends a client that is not needed any more, whatever state it is in."""
    if process.poll() is None:
        process.kill()
    process.communicate()


class RunningClient:
    """A bench client that waits for us: between login and transfer, or under load until we end it."""

    def __init__(self, argv):
        # Every client is a session of its own, as if it ran elsewhere: with autogroup scheduling the load does not starve
        # the client whose latency is measured.
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        start_new_session=True)

    def __enter__(self):
        line = self.process.stdout.readline()
        if '"ready"' not in line:
            raise MeasurementError(self._reason())
        return self

    def __exit__(self, *_):
        close_gently(self.process)

    def _reason(self):
        _, errors = self.process.communicate()
        return errors.strip() or f"the client ended with {self.process.returncode}"

    def alive(self):
        return self.process.poll() is None

    def go(self):
        """Start the transfer, or end the load; returns the client's result."""
        try:
            output, errors = self.process.communicate("\n", timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise MeasurementError(f"the client did not end within {TIMEOUT_SECONDS} s") from error
        if self.process.returncode != 0:
            raise MeasurementError(errors.strip())
        return json.loads(output.splitlines()[-1])


class Clients:
    def __init__(self, program, key, known_hosts):
        self.program, self.key, self.known_hosts = program, key, known_hosts
        self.offered = {}

    def _argv(self, peer, command, cipher, user, port):
        cipher_name, _, mac = cipher.partition("+")
        return ([self.program, "--port", str(port or peer.port), "--user", user or peer.user, "--key", self.key, "--cipher", cipher_name]
                + (["--mac", mac] if mac else []) + [str(word) for word in command])

    def run(self, peer, *command, cipher="aes128-gcm@openssh.com", user=None, port=None):
        return self._finish(self._argv(peer, command, cipher, user, port))

    def start(self, peer, *command, cipher="aes128-gcm@openssh.com", user=None, port=None):
        return RunningClient(self._argv(peer, command, cipher, user, port))

    def make_file(self, path, size):
        self._finish([self.program, "make-file", path, "--bytes", str(size)])

    def check_file(self, path, size):
        self._finish([self.program, "check-file", path, "--bytes", str(size)])

    @staticmethod
    def _finish(argv):
        try:
            result = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False,
                                    start_new_session=True)
        except subprocess.TimeoutExpired as error:
            raise MeasurementError(f"the client did not end within {TIMEOUT_SECONDS} s") from error
        if result.returncode != 0:
            raise MeasurementError(result.stderr.strip() or f"the client ended with {result.returncode}")
        return json.loads(result.stdout.splitlines()[-1])

    def _openssh_options(self, cipher, log_level):
        options = [f"Ciphers={cipher}", "BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=no",
                   f"UserKnownHostsFile={self.known_hosts}", f"LogLevel={log_level}"]
        return ["-F", "none", "-i", self.key] + [word for option in options for word in ("-o", option)]

    def require_cipher(self, peer, cipher):
        """Other servers may lack a cipher (old Go libraries know no aes256-gcm); that is no failed measurement."""
        name = cipher.partition("+")[0]
        if (peer.name, name) not in self.offered:
            argv = ["ssh", "-N", "-p", str(peer.port), *self._openssh_options(name, "INFO"), "-o", "PreferredAuthentications=none",
                    f"{peer.user}@127.0.0.1"]
            result = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
            self.offered[(peer.name, name)] = "no matching cipher" not in result.stderr
        if not self.offered[(peer.name, name)]:
            raise NotOffered(f"{peer.name} does not offer {name}")

    def openssh(self, peer, *batch, cwd=None):
        """OpenSSH's sftp with a batch; the first failing command is a failure."""
        self._openssh(["sftp", "-q", "-b", "-", "-P", str(peer.port), *self._openssh_options("aes128-gcm@openssh.com", "ERROR"),
                       f"{peer.user}@127.0.0.1"], "".join(line + "\n" for line in batch), cwd)

    def scp(self, peer, direction, name, local):
        there = f"{peer.user}@127.0.0.1:{peer.path_of(name)}"
        self._openssh(["scp", "-O", "-q", "-P", str(peer.port), *self._openssh_options("aes128-gcm@openssh.com", "ERROR"),
                       *((there, local) if direction == "get" else (local, there))])

    @staticmethod
    def _openssh(argv, text="", cwd=None):
        try:
            result = subprocess.run(argv, input=text, capture_output=True, text=True, cwd=cwd, timeout=TIMEOUT_SECONDS, check=False,
                                    start_new_session=True)
        except subprocess.TimeoutExpired as error:
            raise MeasurementError(f"{argv[0]} did not end within {TIMEOUT_SECONDS} s") from error
        if result.returncode != 0:
            raise MeasurementError(f"{argv[0]}: {result.stderr.strip()}")


class DelayProxy:
    def __init__(self, target_port, one_way_ms):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "delay_proxy.py")
        self.process = subprocess.Popen([sys.executable, script, str(target_port), str(one_way_ms)], stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        close_gently(self.process)
