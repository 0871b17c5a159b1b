# SPDX-License-Identifier: Apache-2.0
"""What the tests of git and rsync share: running them over OpenSSH, exec channels with standard error, what a server runs."""
import json
import os
import shlex
import subprocess

import pytest

import rawsftp as s
from util import run, seconds, wait_for


def _views():
    """Without a view of the file system of its own no program runs (docs/accounts.md)."""
    words = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Um"]
    return subprocess.run([*words, "true"], stderr=subprocess.DEVNULL).returncode == 0


needs_views = pytest.mark.skipif(not _views(), reason="no name spaces here")


def ssh_command(server, account):
    """The transport for GIT_SSH_COMMAND and rsync -e."""
    options = ["-F", "/dev/null", "-p", server.port, "-i", account.keys[0], "-l", account.name]
    for option in (f"UserKnownHostsFile={server.known_hosts}", "GlobalKnownHostsFile=/dev/null", "IdentitiesOnly=yes",
                   "BatchMode=yes", "StrictHostKeyChecking=yes", "LogLevel=ERROR"):
        options += ["-o", option]
    return shlex.join(["ssh", *map(str, options)])


def git(server, account, *words, cwd=None, check=True, input=None, timeout=120):
    env = server.env(GIT_SSH_COMMAND=ssh_command(server, account) if account else "false", GIT_CONFIG_NOSYSTEM="1",
                     GIT_AUTHOR_NAME="A", GIT_AUTHOR_EMAIL="a@x", GIT_COMMITTER_NAME="A", GIT_COMMITTER_EMAIL="a@x")
    return run(["git", "-c", "init.defaultBranch=main", "-c", "protocol.version=0", *words], cwd=cwd, check=check, input=input, env=env, timeout=timeout)


def rsync(server, account, *words, check=True, timeout=120):
    return run(["rsync", "-e", ssh_command(server, account), *words], check=check, env=server.env(), timeout=timeout)


def execute(server, account, command, data=b"", eof=True):
    """(standard output, standard error, exit status) of an exec channel."""
    with s.transport(server, account) as link:
        channel = link.open_session()
        channel.settimeout(seconds(30))
        channel.exec_command(command)
        try:
            channel.sendall(data)
        except OSError:
            pass  # it is over already
        if eof:
            channel.shutdown_write()
        said = b""
        while part := channel.recv(65536):
            said += part
        complaint = b""
        while part := channel.recv_stderr(65536):
            complaint += part
        return said, complaint.decode(errors="replace"), channel.recv_exit_status()


def none_left(server):
    wait_for(lambda: f"no process left: {children(server)}", lambda: not children(server), timeout=20)


def children(server):
    """Processes that the server has started, zombies included."""
    found = []
    for task in os.listdir(f"/proc/{server.pid}/task"):
        with open(f"/proc/{server.pid}/task/{task}/children") as file:
            found += map(int, file.read().split())
    return found


def history(commits):
    """For git fast-import: a chain of commits, each changing one of a few files."""
    text = []
    for number in range(1, commits + 1):
        body = f"commit {number}"
        content = f"{number}\n" * (number % 50)
        text.append(f"commit refs/heads/main\nmark :{number}\ncommitter A <a@x> {1700000000 + number} +0000\n"
                    f"data {len(body)}\n{body}\n" + (f"from :{number - 1}\n" if number > 1 else "") +
                    f"M 644 inline file{number % 20}\ndata {len(content)}\n{content}\n")
    return "".join(text)


def add(server, name, **fields):
    record = server.directory / f"{name}.json"
    record.write_text(json.dumps(fields))
    return server.add_account(name, options=["--json", record])
