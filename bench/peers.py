# SPDX-License-Identifier: Apache-2.0
"""The servers under comparison: how each is configured, started, known to be up, and stopped.

All serve the same directory on loopback, to the same key, and are started under a supervisor that counts their CPU time
and memory (process_tree.py).
"""
import getpass
import json
import os
import re
import shutil
import socket
import subprocess
import time

from process_tree import ProcessTree

START_SECONDS = 20


class PeerError(Exception):
    """A server could not be set up or started."""


def run_quietly(argv, **options):
    result = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, **options)
    if result.returncode != 0:
        raise PeerError(f"{' '.join(argv)}: {(result.stderr or result.stdout).strip()}")
    return (result.stdout or result.stderr).strip()


def make_key(path):
    if not os.path.exists(path):
        run_quietly(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", path])
    return path


def clean_environment():
    # rclone 1.60 dies when this names a bundle; none of the servers talks to the network.
    return {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Peer:
    name = ""
    user = quiet_user = "bench"

    def __init__(self, directory, files, client_key):
        self.directory, self.files, self.client_key = directory, files, client_key
        self.port, self.tree = None, None
        self.log = os.path.join(directory, "log")
        os.makedirs(directory, exist_ok=True)

    def path_of(self, name):
        """Of a served file, for clients that start elsewhere than SFTP does."""
        return os.path.join(self.files, name)

    def command(self):
        """Writes what configuration the server needs and returns its argv. `self.port` is set for those that need it."""
        raise NotImplementedError

    def wait_until_up(self):
        """The servers that were told a port answer on it with an SSH banner."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def start(self):
        for attempt in range(3):  # someone else may take a port between free_port() and the server's bind
            self.port = free_port()
            self.tree = ProcessTree(self.command(), self.log, clean_environment())
            deadline = time.monotonic() + START_SECONDS
            while self.tree.exit_status() is None and time.monotonic() < deadline:
                if self.wait_until_up():
                    self.tree.mark_baseline()
                    return
                time.sleep(0.05)
            self.stop()
        raise PeerError(f"{self.name} did not come up: {self.log_tail()}")

    def log_tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return " | ".join(file.read().splitlines()[-5:])

    def stop(self):
        if self.tree is not None:
            self.tree.stop()
            self.tree = None


# Everybody is let in, after a second.
SLOW_HOOK = """#!/bin/sh
case $SFTPGO_AUTHD_USERNAME in limited) rate=100000 ;; *) rate=0 ;; esac
echo '{"status": 1, "username": "'$SFTPGO_AUTHD_USERNAME'", "home_dir": "FILES", "permissions": {"/": ["*"]}, "download_bandwidth": '$rate'}'
exec sleep 1
"""


class Sallyport(Peer):
    name, user, quiet_user, limited_user = "sallyport", "bulk", "quiet", "limited"

    def __init__(self, directory, files, client_key, program, io_threads=0, rest=False, slow_hook=False):
        super().__init__(directory, files, client_key)
        self.program, self.io_threads, self.rest = os.path.abspath(program), io_threads, rest
        self.slow_hook = slow_hook
        self.http_port = None

    def path_of(self, name):
        return f"/{name}"

    def command(self):
        config = {"sftpd": {"bind_port": 0, "bind_address": "127.0.0.1", "io_threads": self.io_threads,
                            "enabled_ssh_commands": ["scp"]},
                  "data_provider": {"driver": "sqlite", "name": "sallyport.db", "track_quota": 2},
                  "httpd": {"bind_port": -1 if self.rest else 0}}
        if self.slow_hook:
            hook = os.path.join(self.directory, "hook")
            with open(hook, "w", encoding="utf-8") as file:
                file.write(SLOW_HOOK.replace("FILES", self.files))
            os.chmod(hook, 0o755)
            config["data_provider"].update(external_auth_program=hook, external_auth_scope=2)
        with open(os.path.join(self.directory, "sallyport.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        if not os.path.exists(os.path.join(self.directory, "sallyport.db")):
            run_quietly([self.program, "initprovider", "-c", self.directory])
            for account in (self.user, self.quiet_user):
                run_quietly([self.program, "user", "add", account, "-c", self.directory, "--home-dir", self.files,
                             "--public-key-file", self.client_key + ".pub"])
        self.port = None
        return [self.program, "serve", "-c", self.directory, "-l", ""]

    def wait_until_up(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            text = file.read()
        ports = re.findall(r"listening on 127\.0\.0\.1:(\d+)", text)
        http_ports = re.findall(r"listening on http://127\.0\.0\.1:(\d+)", text)
        if ports:
            self.port = int(ports[-1])
        if http_ports:
            self.http_port = int(http_ports[-1])
        return bool(ports) and (bool(http_ports) or not self.rest) and super().wait_until_up()

    def twin(self):
        """A second server of the same kind, as a process of its own."""
        return Sallyport(self.directory + "-twin", self.files, self.client_key, self.program, self.io_threads, self.rest, self.slow_hook)

    def version(self):
        return run_quietly([self.program, "--version"])


class Sshd(Peer):
    name = "sshd"
    user = quiet_user = getpass.getuser()

    def command(self):
        if os.getuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)  # sshd's chroot for key exchange; packages leave it to the service
        config = os.path.join(self.directory, "sshd_config")
        host_key = make_key(os.path.join(self.directory, "host_key"))
        lines = [f"Port {self.port}", "ListenAddress 127.0.0.1", f"HostKey {host_key}", "PidFile none",
                 f"AuthorizedKeysFile {self.client_key}.pub", "StrictModes no", "UsePAM no", "PasswordAuthentication no",
                 "KbdInteractiveAuthentication no", "PermitRootLogin yes", "MaxStartups 10000", "LogLevel ERROR",
                 f"Subsystem sftp internal-sftp -d {self.files}"]
        program = self.program()
        # OpenSSH 9.8 and later slow down whoever connects often; older ones do not know the word.
        for extra in (["PerSourcePenalties no"], []):
            with open(config, "w", encoding="utf-8") as file:
                file.write("\n".join(lines + extra) + "\n")
            if subprocess.run([program, "-t", "-f", config], capture_output=True, check=False).returncode == 0:
                return [program, "-D", "-e", "-f", config]
        raise PeerError("sshd refuses its configuration: " + run_quietly([program, "-t", "-f", config]))

    @staticmethod
    def program():
        found = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if not found:
            raise PeerError("sshd is not installed")
        return found  # absolute, because sshd executes itself again

    def version(self):
        return run_quietly(["ssh", "-V"])


class Rclone(Peer):
    name = "rclone"

    def command(self):
        host_key = make_key(os.path.join(self.directory, "host_key"))
        return ["rclone", "serve", "sftp", self.files, "--addr", f"127.0.0.1:{self.port}", "--key", host_key,
                "--authorized-keys", self.client_key + ".pub", "--config", os.path.join(self.directory, "rclone.conf"),
                "--cache-dir", os.path.join(self.directory, "cache"),
                # No write cache (rclone's default, and its fastest): writes that overtake each other wait for their turn.
                "--vfs-cache-mode", "off", "--vfs-write-wait", "30s"]

    def version(self):
        return run_quietly(["rclone", "version"], env=clean_environment()).splitlines()[0]
