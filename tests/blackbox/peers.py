# SPDX-License-Identifier: Apache-2.0
"""OpenSSH's own server as a stand-in (`pytest --peer=sshd`): a client test that fails against both is a broken test.
Needs root: it runs in a private mount namespace with its own passwd and shadow, every account chrooted to its home."""
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from server import HOST_KEY_NAMES, Server
from util import die_with_parent, run, wait_for

SETUP = """
mount --make-rprivate / && mount -t tmpfs -o mode=755 none /mnt && mount --bind "$1/passwd" /etc/passwd &&
mount --bind "$1/shadow" /etc/shadow && exec /usr/sbin/sshd -D -f "$1/sshd_config" -E "$1/log"
"""


class OpenSshd(Server):
    kind = "sshd"

    def __init__(self, directory, keyring, **_):
        super().__init__(directory, keyring)
        if os.geteuid() != 0 or not Path("/usr/sbin/sshd").exists():
            pytest.skip("--peer=sshd needs root and an installed openssh-server")
        if os.stat("/").st_mode & 0o022:
            pytest.skip("sshd refuses to chroot while / is writable for others than root")
        Path("/run/sshd").mkdir(exist_ok=True)
        for name in ("passwd", "shadow"):
            (self.directory / name).write_text(Path("/etc", name).read_text())

    def _add(self, account, **_):
        """Works before and after the start: the files are bind-mounted and the mount is made in the namespace."""
        crypted = run(["openssl", "passwd", "-6", "-stdin"], input=account.password).stdout.strip()
        with open(self.directory / "passwd", "a") as passwd, open(self.directory / "shadow", "a") as shadow:
            passwd.write(f"{account.name}:x:0:0::/:/bin/sh\n")
            shadow.write(f"{account.name}:{crypted}:19000:0:99999:7:::\n")
        keys = "".join(key.with_suffix(".pub").read_text() for key in account.keys)
        (self.directory / f"{account.name}.keys").write_text(keys)
        account.home.chmod(0o755)
        if self.process:
            self._mount(account)

    def _mount(self, account):
        script = 'mkdir -p "/mnt/$1" && mount --bind "$2" "/mnt/$1"'
        run(["nsenter", "-m", "-t", self.pid, "sh", "-c", script, "-", account.name, account.home])

    def start(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        lines = [f"Port {self.port}", "ListenAddress 127.0.0.1", f"AuthorizedKeysFile {self.directory}/%u.keys",
                 "StrictModes no", "UsePAM no", "PermitRootLogin yes", "PidFile none", "MaxStartups 200",
                 "LogLevel VERBOSE", "Subsystem sftp internal-sftp", "ForceCommand internal-sftp",
                 "ChrootDirectory /mnt/%u", *(f"HostKey {self.keyring.host(kind)}" for kind in HOST_KEY_NAMES)]
        (self.directory / "sshd_config").write_text("\n".join(lines) + "\n")
        self.process = subprocess.Popen(["unshare", "-m", "sh", "-c", SETUP, "-", os.fspath(self.directory)],
                                        preexec_fn=die_with_parent)
        log = self.directory / "log"
        wait_for("sshd listens", lambda: self.alive() and log.exists() and "Server listening" in log.read_text())
        for account in self.accounts.values():
            self._mount(account)
        self.pin_host_keys()
        return self

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)
            self.process = None
