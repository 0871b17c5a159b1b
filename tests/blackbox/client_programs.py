# SPDX-License-Identifier: Apache-2.0
"""Drivers of clients that are command-line programs: OpenSSH sftp and scp, lftp, psftp, curl, rclone."""
import os
import re
import urllib.parse
from pathlib import Path

from client_base import Client
from util import run

# As servers write it: mode, links, owner, group, size, three words of date, one space, name.
LONG_NAME = r"^([-dl])[rwxsStT-]{9}\S?(?:\s+\S+){7} (.*)$"


class OpenSshSftp(Client):
    name, program = "openssh-sftp", "sftp"
    passwords = False

    def __init__(self, *args, extra=(), **kw):
        super().__init__(*args, **kw)
        self.extra = list(extra)

    @staticmethod
    def quote(name):
        """For its own command language: inside double quotes a backslash protects quotes, itself and glob characters."""
        return '"' + re.sub(r'(["\\])', r"\\\1", os.fspath(name)) + '"'

    def batch(self, *lines, timeout=120):
        argv = ["sftp", "-S", self.ssh, *self.ssh_options(), *self.extra, "-P", self.server.port, "-b", "-",
                f"{self.account.name}@127.0.0.1"]
        return self.run(argv, input="\n".join(lines) + "\n", timeout=timeout).stdout

    def put(self, local, remote, timeout=120):
        self.batch(f"put {self.quote(local)} {self.quote(remote)}", timeout=timeout)

    def get(self, remote, local, timeout=120):
        self.batch(f"get {self.quote(remote)} {self.quote(local)}", timeout=timeout)

    def put_tree(self, local, remote, timeout=300):
        self.batch(f"put -r {self.quote(local)} {self.quote(remote)}", timeout=timeout)

    def get_tree(self, remote, local, timeout=300):
        self.batch(f"get -r {self.quote(remote)} {self.quote(local)}", timeout=timeout)

    def resume_put(self, local, remote):
        self.batch(f"reput {self.quote(local)} {self.quote(remote)}")

    def resume_get(self, remote, local):
        self.batch(f"reget {self.quote(remote)} {self.quote(local)}")

    def list(self, path):
        shown = self.batch(f"ls -1a {self.quote(path)}").splitlines()
        shown = [os.path.basename(line) for line in shown if not line.startswith("sftp>")]
        return {line for line in shown if line not in ("", ".", "..")}

    def rename(self, old, new):
        self.batch(f"rename {self.quote(old)} {self.quote(new)}")

    def mkdir(self, path):
        self.batch(f"mkdir {self.quote(path)}")

    def rmdir(self, path):
        self.batch(f"rmdir {self.quote(path)}")

    def chmod(self, path, mode):
        self.batch(f"chmod {mode:o} {self.quote(path)}")

    def symlink(self, target, link):
        self.batch(f"ln -s {self.quote(target)} {self.quote(link)}")

    def delete(self, path):
        self.batch(f"rm {self.quote(path)}")


class OpenSshScp(Client):
    """scp in its default mode since 9.0, which speaks SFTP."""
    name, program = "openssh-scp", "scp"
    passwords = False

    def copy(self, *words, timeout=120):
        self.run(["scp", "-S", self.ssh, *self.ssh_options(), "-P", str(self.server.port), *words], timeout=timeout)

    def at(self, path):
        return f"{self.account.name}@127.0.0.1:{path}"

    def put(self, local, remote, timeout=120):
        self.copy(os.fspath(local), self.at(remote), timeout=timeout)

    def get(self, remote, local, timeout=120):
        self.copy(self.at(re.sub(r"([\[\]*?\\])", r"\\\1", remote)), os.fspath(local), timeout=timeout)

    def put_tree(self, local, remote, timeout=300):
        self.copy("-r", os.fspath(local), self.at(remote), timeout=timeout)

    def get_tree(self, remote, local, timeout=300):
        self.copy("-r", self.at(remote), os.fspath(local), timeout=timeout)


class Lftp(Client):
    name, program = "lftp", "lftp"

    @staticmethod
    def quote(name):
        return '"' + re.sub(r'(["\\])', r"\\\1", os.fspath(name)) + '"'

    def script(self, *lines, timeout=120):
        ssh = " ".join([self.ssh, "-a", "-x", *self.ssh_options()])
        password = self.account.password if self.login == "password" else "unused"
        setup = ["set net:max-retries 1", "set net:timeout 20", "set sftp:charset UTF-8", "set file:charset UTF-8",
                 "set cmd:fail-exit yes", "set xfer:clobber yes", f'set sftp:connect-program "{ssh}"',
                 f"open -p {self.server.port} -u {self.account.name},{self.quote(password)} sftp://127.0.0.1"]
        return self.run(["lftp", "--norc", "-f", "/dev/stdin"], input="\n".join([*setup, *lines]) + "\n", timeout=timeout).stdout

    def put(self, local, remote, timeout=120):
        self.script(f"put {self.quote(local)} -o {self.quote(remote)}", timeout=timeout)

    def get(self, remote, local, timeout=120):
        self.script(f"get {self.quote(remote)} -o {self.quote(local)}", timeout=timeout)

    def put_tree(self, local, remote, timeout=300):
        self.script(f"mirror -R {self.quote(local)} {self.quote(remote)}", timeout=timeout)

    def get_tree(self, remote, local, timeout=300):
        self.script(f"mirror {self.quote(remote)} {self.quote(local)}", timeout=timeout)

    def resume_put(self, local, remote):
        self.script(f"put -c {self.quote(local)} -o {self.quote(remote)}")

    def resume_get(self, remote, local):
        self.script(f"get -c {self.quote(remote)} -o {self.quote(local)}")

    def list(self, path):
        shown = self.script(f"cd {self.quote(path)}", "cls -1a --quiet").splitlines()
        return {line.rstrip("/@") for line in shown} - {"", ".", ".."}

    def rename(self, old, new):
        self.script(f"mv {self.quote(old)} {self.quote(new)}")

    def mkdir(self, path):
        self.script(f"mkdir {self.quote(path)}")

    def rmdir(self, path):
        self.script(f"rmdir {self.quote(path)}")

    def chmod(self, path, mode):
        self.script(f"chmod {mode:o} {self.quote(path)}")

    def symlink(self, target, link):
        self.script(f"ln -s {self.quote(target)} {self.quote(link)}")

    def delete(self, path):
        self.script(f"rm {self.quote(path)}")


class Psftp(Client):
    """saved: settings of a saved session, for what no option says. `said`: PuTTY's event log of the last run."""
    name, program = "psftp", "psftp"

    def __init__(self, *args, saved=None, **kw):
        super().__init__(*args, **kw)
        self.saved, self.said = saved, ""

    @staticmethod
    def quote(name):
        return '"' + os.fspath(name).replace('"', '""') + '"'

    @staticmethod
    def wild(name):
        """rm, mv, rmdir and chmod expand wildcards; a backslash protects."""
        return Psftp.quote(re.sub(r"([*?\[\]\\])", r"\\\1", os.fspath(name)))

    def session(self):
        if not self.saved:
            return []
        sessions = self.server.client_home / ".putty/sessions"
        sessions.mkdir(parents=True, exist_ok=True)
        name = f"saved{os.getpid()}"  # another process may be reading its own
        (sessions / name).write_text("".join(f"{key}={value}\n" for key, value in self.saved.items()))
        return ["-load", name, "-v"]

    def script(self, *lines, timeout=120):
        fingerprint = run(["ssh-keygen", "-lf", self.server.keyring.host("ed25519").with_suffix(".pub")]).stdout.split()[1]
        login = ["-pw", self.account.password] if self.login == "password" else ["-i", self.server.keyring.ppk()]
        argv = ["psftp", "-batch", *self.session(), "-P", self.server.port, *login, "-hostkey", fingerprint, "-b", "/dev/stdin",
                f"{self.account.name}@127.0.0.1"]
        done = self.run(argv, input="\n".join(lines) + "\n", timeout=timeout)
        self.said = done.stderr
        return done.stdout

    def put(self, local, remote, timeout=120):
        self.script(f"put {self.quote(local)} {self.quote(remote)}", timeout=timeout)

    def get(self, remote, local, timeout=120):
        self.script(f"get {self.quote(remote)} {self.quote(local)}", timeout=timeout)

    def put_tree(self, local, remote, timeout=300):
        self.script(f"put -r {self.quote(local)} {self.quote(remote)}", timeout=timeout)

    def get_tree(self, remote, local, timeout=300):
        self.script(f"get -r {self.quote(remote)} {self.quote(local)}", timeout=timeout)

    def resume_put(self, local, remote):
        self.script(f"reput {self.quote(local)} {self.quote(remote)}")

    def resume_get(self, remote, local):
        self.script(f"reget {self.quote(remote)} {self.quote(local)}")

    def list(self, path):
        lines = re.findall(LONG_NAME, self.script(f"ls {self.quote(path)}"), re.MULTILINE)  # it shows the server's own
        return {name.split(" -> ")[0] if kind == "l" else name for kind, name in lines} - {".", ".."}

    def rename(self, old, new):
        self.script(f"mv {self.wild(old)} {self.quote(new)}")

    def mkdir(self, path):
        self.script(f"mkdir {self.quote(path)}")

    def rmdir(self, path):
        self.script(f"rmdir {self.wild(path)}")

    def chmod(self, path, mode):
        self.script(f"chmod {mode:o} {self.wild(path)}")

    def delete(self, path):
        self.script(f"rm {self.wild(path)}")


class Curl(Client):
    name, program = "curl", "curl"

    def url(self, path):
        return f"sftp://127.0.0.1:{self.server.port}{urllib.parse.quote(os.fspath(path))}"

    def curl(self, *words, **options):
        login = (["-u", f"{self.account.name}:{self.account.password}"] if self.login == "password" else
                 ["-u", f"{self.account.name}:", "--key", self.key, "--pubkey", self.key.with_suffix(".pub")])
        # From a known_hosts with several kinds it picks ssh-rsa, by which libssh2 means the SHA-1 signature: name one kind.
        known = self.server.client_home / ".ssh/known_hosts"
        known.parent.mkdir(exist_ok=True)
        one = known.with_name(f"known_hosts.{os.getpid()}")  # another process may be reading it
        one.write_text("".join(line for line in open(self.server.known_hosts) if " ssh-ed25519 " in line))
        one.replace(known)
        return self.run(["curl", "-sS", "--disable", "--globoff", *login, *words], **options).stdout

    def files(self, words, pairs, timeout):
        """Many transfers on one connection: pairs of (local file, remote path); words: the option for the file, and more."""
        option, *more = words
        lines = [f"{option} = {self.quote(local)}\nurl = {self.quote(self.url(remote))}\n" for local, remote in pairs]
        self.curl("--fail-early", *more, "-K", "-", input="".join(lines), timeout=timeout)

    @staticmethod
    def quote(name):
        return '"' + re.sub(r'(["\\])', r"\\\1", os.fspath(name)) + '"'

    def command(self, *words):
        self.curl("-o", "/dev/null", "-Q", " ".join(words), self.url("/"))

    def put(self, local, remote, timeout=120):
        self.curl("-T", local, self.url(remote), timeout=timeout)

    def get(self, remote, local, timeout=120):
        self.curl("-o", local, self.url(remote), timeout=timeout)

    def put_tree(self, local, remote, timeout=300):
        files = [path.relative_to(local) for path in Path(local).rglob("*") if not path.is_dir()]
        self.files(["upload-file", "--ftp-create-dirs"], [(local / name, f"{remote}/{name}") for name in files], timeout)

    def get_tree(self, remote, local, timeout=300):
        """It walks no trees: one listing per directory, then all files at once."""
        folders, files = [""], []
        for folder in folders:
            lines = re.findall(LONG_NAME, self.curl(self.url(f"{remote}{folder}/")), re.MULTILINE)
            folders += [f"{folder}/{name}" for kind, name in lines if kind == "d" and name not in (".", "..")]
            files += [f"{folder}/{name}" for kind, name in lines if kind == "-"]
        self.files(["output", "--create-dirs"], [(f"{local}{name}", f"{remote}{name}") for name in files], timeout)

    def resume_put(self, local, remote):
        self.curl("-C", "-", "-T", local, self.url(remote))

    def resume_get(self, remote, local):
        self.curl("-C", "-", "-o", local, self.url(remote))

    def list(self, path):
        return set(self.curl("-l", self.url(path.rstrip("/") + "/")).splitlines()) - {".", "..", ""}

    def rename(self, old, new):
        self.command("rename", self.quote(old), self.quote(new))

    def mkdir(self, path):
        self.command("mkdir", self.quote(path))

    def rmdir(self, path):
        self.command("rmdir", self.quote(path))

    def chmod(self, path, mode):
        self.command("chmod", f"{mode:o}", self.quote(path))

    def symlink(self, target, link):
        self.command("symlink", self.quote(target), self.quote(link))

    def delete(self, path):
        self.command("rm", self.quote(path))


class Rclone(Client):
    name, program = "rclone", "rclone"

    def rclone(self, *words, timeout=120):
        remote = {"TYPE": "sftp", "HOST": "127.0.0.1", "PORT": str(self.server.port), "USER": self.account.name,
                  "SHELL_TYPE": "none", "KNOWN_HOSTS_FILE": os.fspath(self.server.known_hosts)}
        if self.login == "password":
            remote["PASS"] = run(["rclone", "obscure", "-"], input=self.account.password,
                                 env=self.server.env()).stdout.strip()
        else:
            remote["KEY_FILE"] = os.fspath(self.key)
        env = {f"RCLONE_CONFIG_T_{key}": value for key, value in remote.items()}
        return self.run(["rclone", "--config", "/dev/null", "--retries", "1", "--ignore-times", *words], env=env, timeout=timeout).stdout

    def put(self, local, remote, timeout=120):
        self.rclone("copyto", os.fspath(local), f"T:{remote}", timeout=timeout)

    def get(self, remote, local, timeout=120):
        self.rclone("copyto", f"T:{remote}", os.fspath(local), timeout=timeout)

    def put_tree(self, local, remote, timeout=300):
        self.rclone("copy", os.fspath(local), f"T:{remote}", timeout=timeout)

    def get_tree(self, remote, local, timeout=300):
        self.rclone("copy", f"T:{remote}", os.fspath(local), timeout=timeout)

    def list(self, path):
        return {line.rstrip("/") for line in self.rclone("lsf", f"T:{path}").splitlines()}

    def rename(self, old, new):
        self.rclone("moveto", f"T:{old}", f"T:{new}")

    def mkdir(self, path):
        self.rclone("mkdir", f"T:{path}")

    def rmdir(self, path):
        self.rclone("rmdir", f"T:{path}")

    def delete(self, path):
        self.rclone("deletefile", f"T:{path}")
