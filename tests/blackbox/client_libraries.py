# SPDX-License-Identifier: Apache-2.0
"""Drivers of clients used in-process or as a mount: paramiko, asyncssh, sshfs."""
import asyncio
import contextlib
import functools
import os
import shutil
import stat
import subprocess
import warnings

import pytest

from client_base import Client
from util import seconds, wait_for

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import asyncssh
    import paramiko


MIB = 1 << 20


class Paramiko(Client):
    """rekey_bytes: after how much it asks for new keys."""
    name = "paramiko"
    # Its get() asks for a whole file from a second thread, and reads answers only until nothing is asked for. Whenever that
    # thread is late once, nobody reads any more, and from about 2 GiB the requests fill the channel's window: it stands still.
    AT_ONCE = 256 * MIB

    def __init__(self, *args, rekey_bytes=None, **kw):
        super().__init__(*args, **kw)
        self.rekey_bytes = rekey_bytes

    @contextlib.contextmanager
    def sftp(self):
        link = paramiko.SSHClient()
        link.load_host_keys(os.fspath(self.server.known_hosts))
        secret = ({"password": self.account.password} if self.login == "password" else
                  {"pkey": paramiko.Ed25519Key.from_private_key_file(os.fspath(self.key))})
        link.connect("127.0.0.1", self.server.port, self.account.name, **secret, look_for_keys=False, allow_agent=False,
                     timeout=seconds(20), banner_timeout=seconds(20), auth_timeout=seconds(20))
        if self.rekey_bytes:
            link.get_transport().packetizer.REKEY_BYTES = self.rekey_bytes
        try:
            with link.open_sftp() as sftp:
                sftp.get_channel().settimeout(seconds(60))
                yield sftp
        finally:
            link.close()

    def do(self, verb, *args):
        with self.sftp() as sftp:
            return getattr(sftp, verb)(*args)

    def put(self, local, remote, timeout=120):
        self.do("put", os.fspath(local), remote)

    def get(self, remote, local, timeout=120):
        with self.sftp() as sftp:
            size = sftp.stat(remote).st_size
            if size <= self.AT_ONCE:
                sftp.get(remote, os.fspath(local))
                return
            with sftp.open(remote, "rb") as data, open(local, "wb") as out:
                for start in range(0, size, self.AT_ONCE):
                    end = min(start + self.AT_ONCE, size)
                    for part in data.readv([(at, min(MIB, end - at)) for at in range(start, end, MIB)]):
                        out.write(part)

    def put_tree(self, local, remote, timeout=300):
        with self.sftp() as sftp:
            for folder, _, files in os.walk(local):
                there = os.path.normpath(os.path.join(remote, os.path.relpath(folder, local)))
                sftp.mkdir(there)
                for name in files:
                    sftp.put(os.path.join(folder, name), f"{there}/{name}")

    def get_tree(self, remote, local, timeout=300):
        def fetch(sftp, there, here):
            os.mkdir(here)
            for entry in sftp.listdir_attr(there):
                verb = functools.partial(fetch, sftp) if stat.S_ISDIR(entry.st_mode) else sftp.get
                verb(f"{there}/{entry.filename}", os.path.join(here, entry.filename))
        with self.sftp() as sftp:
            fetch(sftp, remote, local)

    def resume_put(self, local, remote):
        with self.sftp() as sftp, sftp.open(remote, "ab") as out, open(local, "rb") as data:
            data.seek(sftp.stat(remote).st_size)
            out.write(data.read())

    def resume_get(self, remote, local):
        with self.sftp() as sftp, sftp.open(remote, "rb") as data, open(local, "ab") as out:
            data.seek(out.tell())
            out.write(data.read())

    def list(self, path):
        return set(self.do("listdir", path))

    def rename(self, old, new):
        self.do("rename", old, new)

    def mkdir(self, path):
        self.do("mkdir", path)

    def rmdir(self, path):
        self.do("rmdir", path)

    def chmod(self, path, mode):
        self.do("chmod", path, mode)

    def symlink(self, target, link):
        self.do("symlink", target, link)

    def delete(self, path):
        self.do("remove", path)


class AsyncSsh(Client):
    """options: more of asyncssh.connect's."""
    name = "asyncssh"

    def __init__(self, *args, options=None, **kw):
        super().__init__(*args, **kw)
        self.options = options or {}

    def do(self, verb, *args, timeout=120, **kw):
        async def work():
            secret = ({"password": self.account.password, "client_keys": None} if self.login == "password" else
                      {"client_keys": [os.fspath(self.key)]})
            async with asyncssh.connect("127.0.0.1", self.server.port, username=self.account.name, config=None,
                                        known_hosts=os.fspath(self.server.known_hosts), agent_path=None, **secret,
                                        **self.options) as link:
                async with link.start_sftp_client() as sftp:
                    work = verb(sftp, *args) if callable(verb) else getattr(sftp, verb)(*args, **kw)
                    return await asyncio.wait_for(work, seconds(timeout))
        return asyncio.run(work())

    def put(self, local, remote, timeout=120):
        self.do("put", os.fsencode(local), remote, timeout=timeout)

    def get(self, remote, local, timeout=120):
        self.do("get", remote, os.fsencode(local), follow_symlinks=True, timeout=timeout)

    def put_tree(self, local, remote, timeout=300):
        self.do("put", os.fspath(local), remote, recurse=True, timeout=timeout)

    def get_tree(self, remote, local, timeout=300):
        self.do("get", remote, os.fspath(local), recurse=True, timeout=timeout)

    def resume_put(self, local, remote):
        async def work(sftp):
            with open(local, "rb") as data:
                data.seek((await sftp.stat(remote)).size)
                async with sftp.open(remote, "ab") as out:
                    await out.write(data.read())
        self.do(work)

    def resume_get(self, remote, local):
        async def work(sftp):
            with open(local, "ab") as out:
                async with sftp.open(remote, "rb") as data:
                    await data.seek(out.tell())
                    out.write(await data.read())
        self.do(work)

    def list(self, path):
        return set(self.do("listdir", path)) - {".", "..", b".", b".."}

    def rename(self, old, new):
        self.do("rename", old, new)

    def mkdir(self, path):
        self.do("mkdir", path)

    def rmdir(self, path):
        self.do("rmdir", path)

    def chmod(self, path, mode):
        self.do("chmod", path, mode)

    def symlink(self, target, link):
        self.do("symlink", target, link)

    def delete(self, path):
        self.do("remove", path)


class Sshfs(Client):
    """A mount for as long as the driver is entered; the verbs are ordinary file operations on it."""
    name, program = "sshfs", "sshfs"

    def __enter__(self):
        if not os.access("/dev/fuse", os.R_OK | os.W_OK):
            pytest.skip("/dev/fuse is not accessible here")
        self.mount = self.server.directory / f"mount-{self.account.name}"
        self.mount.mkdir(exist_ok=True)
        options = ["StrictHostKeyChecking=yes", f"UserKnownHostsFile={self.server.known_hosts}", "dir_cache=no", "transform_symlinks"]
        options.append(f"ssh_command={self.ssh}")
        options += ["password_stdin"] if self.login == "password" else [f"IdentityFile={self.key}", "IdentitiesOnly=yes"]
        argv = ["sshfs", f"{self.account.name}@127.0.0.1:/", self.mount, "-p", self.server.port, "-F", "/dev/null",
                *(part for option in options for part in ("-o", option))]
        self.run(argv, input=self.account.password + "\n", timeout=30)
        wait_for("sshfs is mounted", lambda: os.path.ismount(self.mount))
        return self

    def __exit__(self, *_):
        for flags in (["-u"], ["-u", "-z"]):
            if subprocess.run(["fusermount3", *flags, self.mount], capture_output=True, timeout=seconds(20)).returncode == 0:
                break
        wait_for("sshfs is unmounted", lambda: not os.path.ismount(self.mount))

    def local(self, path):
        return os.path.join(self.mount, path.lstrip("/"))

    def put(self, local, remote, timeout=120):
        shutil.copyfile(local, self.local(remote))

    def get(self, remote, local, timeout=120):
        shutil.copyfile(self.local(remote), local)

    def put_tree(self, local, remote, timeout=300):
        shutil.copytree(local, self.local(remote))

    def get_tree(self, remote, local, timeout=300):
        shutil.copytree(self.local(remote), local)

    def resume_put(self, local, remote):
        with open(local, "rb") as data, open(self.local(remote), "ab") as out:
            data.seek(out.tell())
            shutil.copyfileobj(data, out)

    def resume_get(self, remote, local):
        with open(self.local(remote), "rb") as data, open(local, "ab") as out:
            data.seek(out.tell())
            shutil.copyfileobj(data, out)

    def list(self, path):
        return set(os.listdir(self.local(path)))

    def rename(self, old, new):
        os.rename(self.local(old), self.local(new))

    def mkdir(self, path):
        os.mkdir(self.local(path))

    def rmdir(self, path):
        os.rmdir(self.local(path))

    def chmod(self, path, mode):
        os.chmod(self.local(path), mode)

    def symlink(self, target, link):
        os.symlink(target, self.local(link))

    def delete(self, path):
        os.remove(self.local(path))
