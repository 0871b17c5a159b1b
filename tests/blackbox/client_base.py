# SPDX-License-Identifier: Apache-2.0
"""What the drivers of all real clients share. A driver knows how its program quotes names, logs in and reports errors; it
knows nothing of the server. Remote paths are absolute and virtual. A verb that a client does not have is not in its
class. Every verb is one connection."""
import os

from util import require, run


def ssh_program(path, *options, log=None):
    """An ssh with these options, which win over those of its caller; what it has to say goes to `log`."""
    words = [f"-o {option}" for option in options] + ([f'-E "{log}"'] if log else [])
    path.write_text(f'#!/bin/sh\nexec ssh {" ".join(words)} "$@"\n')
    path.chmod(0o755)
    return path


class Client:
    """login: 'key' or 'password'. ssh: what the clients that use OpenSSH's ssh call instead of it (see ssh_program).
    Subclasses that need a program name it in `program`."""
    program = None
    passwords = True  # can log in by password without a terminal

    def __init__(self, server, account, login="key", ssh="ssh"):
        if self.program:
            require(self.program)
        self.server, self.account, self.login, self.ssh = server, account, login, os.fspath(ssh)
        self.key = account.keys[0] if account.keys else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def can(self, verb):
        return hasattr(self, verb)

    def run(self, argv, **options):
        return run(argv, env=self.server.env(**options.pop("env", {})), cwd=self.server.client_home, **options)

    def ssh_options(self, log_level="ERROR"):
        """Options of OpenSSH's programs that keep the caller's own configuration out."""
        login = ["PubkeyAuthentication=no"] if self.login == "password" else ["IdentitiesOnly=yes", "BatchMode=yes"]
        options = ["StrictHostKeyChecking=yes", f"UserKnownHostsFile={self.server.known_hosts}",
                   "GlobalKnownHostsFile=/dev/null", f"LogLevel={log_level}", *login]
        identity = [] if self.login == "password" else ["-i", os.fspath(self.key)]
        return ["-F", "none", *(part for option in options for part in ("-o", option)), *identity]
