# SPDX-License-Identifier: Apache-2.0
"""The server under test behind one small interface: `Sallyport` is ours; `peers.OpenSshd` is the stand-in that tells
a broken test from a broken server. Users, ports, host keys, log and process life are here; no SFTP."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from util import assert_no_sanitizer_report, clean_env, die_with_parent, run, seconds, wait_for

REPOSITORY = Path(__file__).resolve().parents[2]
HOST_KEY_NAMES = {"rsa": "id_rsa", "ecdsa": "id_ecdsa", "ed25519": "id_ed25519"}


def binary():
    return Path(os.environ.get("SALLYPORT_BIN") or REPOSITORY / "build/bin/sallyport").resolve()


class KeyRing:
    """Key pairs made once per run: users' keys of three kinds, and host keys so that no start waits for RSA 4096."""

    def __init__(self, directory):
        self.directory = Path(directory)
        for kind, bits in (("rsa", ["-b", "3072"]), ("ecdsa", ["-b", "256"]), ("ed25519", [])):
            for owner in ("user", "host", "other"):
                shape = ["-m", "PEM"] if owner == "host" and kind != "ed25519" else []
                run(["ssh-keygen", "-q", "-t", kind, *bits, *shape, "-N", "", "-C", f"{owner} {kind}",
                     "-f", self.directory / f"{owner}_{kind}"])

    def user(self, kind="ed25519"):
        return self.directory / f"user_{kind}"

    def host(self, kind):
        return self.directory / f"host_{kind}"

    def ppk(self, kind="ed25519"):
        """The same key for PuTTY's tools."""
        path = self.directory / f"user_{kind}.ppk"
        if not path.exists():
            run(["puttygen", self.user(kind), "-O", "private", "-o", path])
        return path


@dataclass
class Account:
    name: str
    password: str
    home: Path
    keys: list = field(default_factory=list)


class Server:
    """What tests may use of any server: accounts, address, known_hosts, life."""
    kind = ""

    def __init__(self, directory, keyring):
        self.directory = Path(directory)
        self.keyring = keyring
        self.accounts = {}
        self.port = 0
        self.process = None
        self.known_hosts = self.directory / "known_hosts"
        self.client_home = self.directory / "client-home"
        self.client_home.mkdir(parents=True)

    def add_account(self, name="alice", password="correct horse", home=None, kinds=("ed25519",), **options):
        home = Path(home or self.directory / "homes" / name)
        if options.pop("create_home", True):
            home.mkdir(parents=True, exist_ok=True)
        account = Account(name, password, home, [self.keyring.user(kind) for kind in kinds])
        self._add(account, **options)
        self.accounts[name] = account
        return account

    def env(self, **extra):
        """Environment for clients."""
        return clean_env(self.client_home, **extra)

    def pin_host_keys(self):
        keys = [self.keyring.host(kind).with_suffix(".pub").read_text().split()[:2] for kind in HOST_KEY_NAMES]
        self.known_hosts.write_text("".join(f"[127.0.0.1]:{self.port} {kind} {blob}\n" for kind, blob in keys))

    @property
    def pid(self):
        return self.process.pid

    def threads(self):
        """Names of its threads."""
        names = []
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                names.append((task / "comm").read_text().strip())
        return names

    def waits_in(self, thread):
        """The kernel's function in which the thread of that name sleeps; None: there is none, or it runs."""
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                if (task / "comm").read_text().strip() == thread:
                    where = (task / "wchan").read_text()
                    return None if where == "0" else where
        return None

    def fd_count(self):
        """Without the three descriptors of each event loop that was started for busy sessions and stays for the next."""
        return len(os.listdir(f"/proc/{self.pid}/fd")) - 3 * sum(name.startswith("own-") for name in self.threads())

    def alive(self):
        return self.process is not None and self.process.poll() is None


class Sallyport(Server):
    """`sallyport serve` in a private directory: generated configuration, SQLite users, log on stdout into a file."""
    kind = "sallyport"

    def __init__(self, directory, keyring, config=None, wrapper=(), env=None, host_keys=True):
        super().__init__(directory, keyring)
        if not binary().exists():
            pytest.fail(f"no server to test: {binary()} does not exist (set SALLYPORT_BIN)")
        self.config_dir = self.directory / "config"
        self.config_dir.mkdir()
        self.stdout_path = self.log_path = self.directory / "log.jsonl"
        self.stderr_path = self.directory / "stderr.txt"
        self.wrapper = list(wrapper)
        self.extra_env = env or {}
        self.initialised = False
        self.rest_url = None  # of the administration server, for those who configure "httpd": {"bind_port": -1}
        self.config = {"sftpd": {"bind_port": 0, "bind_address": "127.0.0.1", "drain_timeout": 2},
                       "data_provider": {"driver": "sqlite", "name": "sallyport.db", "track_quota": 2},
                       "httpd": {"bind_port": 0}}
        for section, values in (config or {}).items():
            self.config.setdefault(section, {}).update(values)
        self.write_config()
        if host_keys:
            for kind, name in HOST_KEY_NAMES.items():
                shutil.copy(keyring.host(kind), self.config_dir / name)
                shutil.copy(keyring.host(kind).with_suffix(".pub"), self.config_dir / f"{name}.pub")

    def write_config(self, name="sallyport.json", config=None):
        (self.config_dir / name).write_text(json.dumps(self.config if config is None else config, indent=1))

    def cli(self, *args, input=None, check=True, env=None):
        """Runs a management command on this server's configuration."""
        words = list(args)
        split = 2 if words[0] in ("user", "plugin") else 1
        argv = [binary(), *words[:split], "-c", self.config_dir, *words[split:]]
        return run(argv, input=input, check=check, env=clean_env(self.client_home, **{**self.extra_env, **(env or {})}))

    def _add(self, account, options=()):
        self.initialise()
        args = ["user", "add", account.name, "--home-dir", account.home]
        for key in account.keys:
            args += ["--public-key-file", key.with_suffix(".pub")]
        if account.password:
            args.append("--password-stdin")
        self.cli(*args, *options, input=account.password + "\n" if account.password else None)

    def initialise(self):
        if not self.initialised:
            self.cli("initprovider")
            self.initialised = True

    def spawn(self, *args):
        """Starts `serve` without waiting for it: tests of refused starts look at the outcome themselves."""
        log_to = [] if "-l" in args else ["-l", ""]
        argv = [*self.wrapper, binary(), "serve", "-c", self.config_dir, *log_to, *args]
        with open(self.stdout_path, "ab") as log, open(self.stderr_path, "ab") as err:
            self.process = subprocess.Popen([os.fspath(a) for a in argv], stdout=log, stderr=err,
                                            stdin=subprocess.DEVNULL, cwd=self.directory, preexec_fn=die_with_parent,
                                            env=clean_env(self.client_home, **self.extra_env))
        return self.process

    def start(self, *args):
        self.initialise()
        seen = len(self.log_text())
        self.spawn(*args)
        line = self.wait_listening("sftpd", seen)
        self.port = int(line.rsplit(":", 1)[1])
        if self.config["httpd"]["bind_port"] != 0:
            self.rest_url = self.wait_listening("httpd", seen).removeprefix("listening on ")
        self.pin_host_keys()
        return self

    def wait_listening(self, sender, start):
        line = self.wait_log(lambda l: l.get("sender") == sender and str(l.get("message", "")).startswith("listening on "),
                             timeout=20, start=start)
        return line["message"]

    def stop(self, codes=(0,)):
        """SIGTERM, then the promised clean end: exit code 0 (or of `codes`) and no sanitizer report."""
        if self.process is None:
            return
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        self.ended(*codes)

    def ended(self, *codes, timeout=20):
        """It must end by itself within the deadline, with one of these exit codes and without a sanitizer report."""
        process, self.process = self.process, None
        try:
            code = process.wait(seconds(timeout))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = "no end within the deadline"
        report = self.stderr_text()
        assert_no_sanitizer_report(report)
        assert code in codes, f"exit code of serve: {code}\nstderr: {report[-4000:]}\nlog: {self.log_text()[-4000:]}"

    def kill(self):
        """The end that no server can prepare for; what sanitizers saw until then counts."""
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait()
            assert_no_sanitizer_report(self.stderr_text())

    def log_text(self):
        return self.log_path.read_text(errors="surrogateescape") if self.log_path.exists() else ""

    def stderr_text(self):
        return self.stderr_path.read_text(errors="replace") if self.stderr_path.exists() else ""

    def log_lines(self, start=0):
        """Complete lines after position `start` of the log, parsed; a line that is not JSON fails the test."""
        text = self.log_text()[start:]
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]

    def mark(self):
        """Position to give to log_lines/wait_log as `start`."""
        return len(self.log_text())

    def complaints(self, start, count):
        """The warnings and errors since `start`, at least so many."""
        def told():
            return [line for line in self.log_lines(start) if line["level"] in ("warn", "error")]
        wait_for(lambda: f"{count} lines for the operator; there are {told()}", lambda: len(told()) >= count)
        return told()

    def wait_log(self, predicate, timeout=10, start=0):
        def look():
            for line in self.log_lines(start):
                if predicate(line):
                    return line
            if not self.alive():
                raise AssertionError(f"the server ended ({self.process and self.process.returncode}) before the awaited "
                                     f"log line\nstderr: {self.stderr_text()[-4000:]}\nlog: {self.log_text()[-4000:]}")
            return None
        return wait_for(lambda: f"log line; log so far:\n{self.log_text()[start:][-4000:]}", look, timeout)
