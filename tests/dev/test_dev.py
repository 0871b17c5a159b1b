# SPDX-License-Identifier: Apache-2.0
"""The developer's entrance. Needs SALLYPORT_BIN (default: that of build/)."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests/blackbox"))

from server import binary  # noqa: E402
from util import clean_env, die_with_parent, pattern, run, seconds, wait_for  # noqa: E402

COMMANDS = {"run", "test", "build", "bench", "lint", "format"}


def dev(*words, root=REPOSITORY, check=True, **env):
    return run([root / "dev", *words], check=check, env={**os.environ, "SALLYPORT_SKIP_PACKAGES": "1", **env})


def test_help_tells_every_command():
    listed = dev("--help").stdout
    assert set(re.findall(r"^  (\w+)  ", listed, re.MULTILINE)) == COMMANDS
    assert dev().stdout == dev("help").stdout == listed
    refused = dev("nonsense", check=False)
    assert refused.returncode == 1 and refused.stderr == listed


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_help_of_a_command(command):
    told = dev(command, "--help")
    assert f"./dev {command}" in told.stdout and told.stderr == ""


@pytest.mark.parametrize("command", sorted(COMMANDS - {"bench"}))  # whose programs know what there is, after the build
def test_unknown_arguments_are_refused_before_anything_is_done(command):
    refused = dev(command, "--nonsense", check=False)
    assert refused.returncode == 1 and "--nonsense" in refused.stderr and refused.stdout == ""


@pytest.fixture
def clone(tmp_path):
    """The script with what it reads, and the server under test as if it had been built; asked(clone): what CMake was told."""
    root = tmp_path / "clone"
    for file in ("dev", "cmake/system-packages.txt"):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / file, root / file)
    (root / "build").mkdir()
    (root / "build/build.ninja").touch()
    (root / "build/bin").symlink_to(binary().parent)
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("cmake", "ctest"):
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >>"{tmp_path}/asked"\n')
        (programs / name).chmod(0o755)
    return root


def asked(clone):
    file = clone.parent / "asked"
    return re.sub("-j [0-9]+", "-j N", file.read_text()).splitlines() if file.exists() else []


@pytest.mark.parametrize("words, wanted", [
    (["build"], ["cmake --build build -j N --target product"]),
    (["build", "--preset", "asan", "--all"], ["cmake --preset asan", "cmake --build build-asan -j N --target all"]),
    (["test", "--unit", "-R", "Store"], ["cmake --build build -j N --target unit_tests",
     "ctest --test-dir build -j N --output-on-failure --no-tests=error -L ^unit$ -R Store"]),
])
def test_what_is_built_and_run(clone, words, wanted):
    dev(*words, root=clone, PATH=f"{clone.parent}/programs:{os.environ['PATH']}")
    assert asked(clone) == wanted


LOG = """1/3 Testing: fs-local
1/3 Test: fs-local
fs_test.cpp:299: Skipped
nothing is unreadable for root

[  SKIPPED ] Fs.Unreadable (0 ms)
[  SKIPPED ] 1 test, listed below:
[  SKIPPED ] Fs.Unreadable
2/3 Testing: blackbox.git
SKIPPED test_git.py::test_uid[a b]: needs root
3/3 Testing: blackbox.cli
3 passed
"""


@pytest.mark.parametrize("log, told", [
    (LOG, "Skipped, 2:\n  blackbox.git: test_git.py::test_uid[a b]: needs root\n  fs-local: Fs.Unreadable: nothing is unreadable for root\n"),
    ("1/1 Testing: core\nTest Passed.\n", "Nothing was skipped.\n"),
], ids=["some", "none"])
@pytest.mark.parametrize("code", [0, 8])
def test_what_was_skipped_is_listed(clone, log, told, code):
    folder = clone / "build/Testing/Temporary"
    folder.mkdir(parents=True)
    (clone.parent / "log").write_text(log)
    (clone.parent / "programs/ctest").write_text(f'#!/bin/sh\ncp "{clone.parent}/log" "{folder}/LastTest.log"\nexit {code}\n')
    done = dev("test", root=clone, check=False, PATH=f"{clone.parent}/programs:{os.environ['PATH']}")
    assert done.returncode == code and done.stdout.endswith(told), done


def test_what_goes_in_is_tested_in_full(tmp_path):
    (tmp_path / ".ci").mkdir()
    shutil.copy(REPOSITORY / ".ci/run", tmp_path / ".ci/run")
    (tmp_path / "dev").write_text('#!/bin/sh\necho "$* ${SALLYPORT_TEST_QUICK-in full}"\n')
    (tmp_path / "dev").chmod(0o755)
    said = run([tmp_path / ".ci/run"], env={**os.environ, "SALLYPORT_TEST_QUICK": "1"}).stdout
    assert "test in full\n" in said and "test --asan --unit in full\n" in said, said


class DevRun:
    """`./dev run` from start to Ctrl-C, and what it said."""

    def __init__(self, clone, directory, *words):
        self.home = clone.parent / "home"
        self.home.mkdir(exist_ok=True)
        env = clean_env(self.home, SALLYPORT_SKIP_PACKAGES="1")
        env["PATH"] = f"{clone.parent}/programs:{env['PATH']}"
        self.process = subprocess.Popen([clone / "dev", "run", "--dir", directory, *words], env=env, cwd=clone.parent,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        preexec_fn=die_with_parent)
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if line.startswith("Stop with"):
                break
        found = re.search(r"^  Connect +(sftp -P (\d+) demo@127\.0\.0\.1)$", self.said, re.MULTILINE)
        assert found, self.said + (f"exit {self.process.wait(seconds(10))}" if not self.said.endswith("\n") else "")
        self.argv, self.port = found[1].split(), int(found[2])
        self.password, self.host_key = self.told("Password"), self.told("Host key").split()[0]
        wait_for("it listens", self.listens, 20)

    def told(self, what):
        return re.search(rf"^  {what} +(.+)$", self.said, re.MULTILINE)[1]

    def listens(self):
        assert self.process.poll() is None, self.said + self.process.stdout.read()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def sftp(self, *lines):
        """OpenSSH's client with the line that was printed; it fails when one of the commands does."""
        options = ["-F", "none", "-o", "BatchMode=no", "-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1",
                   "-o", "StrictHostKeyChecking=accept-new", "-o", f"UserKnownHostsFile={self.home}/known_hosts",
                   "-o", "GlobalKnownHostsFile=/dev/null", "-o", "HostKeyAlgorithms=ssh-ed25519", "-b", "-"]
        return run(["sshpass", "-e", self.argv[0], *options, *self.argv[1:]], input="\n".join(lines) + "\n",
                   env=clean_env(self.home, SSHPASS=self.password)).stdout

    def stop(self):
        """Ctrl-C; what it said after its greeting."""
        self.process.send_signal(signal.SIGINT)
        try:
            more = self.process.communicate(timeout=seconds(20))[0]
        finally:
            self.process.kill()
        assert self.process.returncode == 0, more
        return more


@pytest.fixture
def start(clone):
    running = []

    def begin(directory, *words):
        running.append(DevRun(clone, directory, *words))
        return running[-1]
    yield begin
    for one in running:
        one.process.kill()
        one.process.wait()


def test_run_gives_a_server_to_log_in_to_and_keeps_it(clone, start, tmp_path):
    directory = tmp_path / "mine"
    first = start("mine")  # a relative one, from where it was called
    assert asked(clone) == ["cmake --build build -j N --target product"]
    assert first.told("Files") == str(directory / "demo") and first.told("Everything").startswith(f"{directory} (")
    assert first.host_key == run(["ssh-keygen", "-lf", directory / "id_ed25519.pub"]).stdout.split()[1]
    private = [directory, *(directory / name for name in ("sallyport.json", "sallyport.db", "demo-password", "id_rsa"))]
    assert [path for path in private if path.stat().st_mode & 0o077] == []

    (tmp_path / "sent").write_bytes(pattern(3_000_001))
    first.sftp(f"put {tmp_path}/sent /file", f"get /file {tmp_path}/received")
    assert (directory / "demo/file").read_bytes() == (tmp_path / "received").read_bytes() == pattern(3_000_001)
    assert first.stop() == "" and "listening on" in (directory / "sallyport.log").read_text()

    second = start("mine", "--", "-l", "")
    assert (second.password, second.host_key) == (first.password, first.host_key)
    assert "/file" in second.sftp("ls /file")
    assert '"listening on ' in second.stop(), "the log, as the flag says"


def test_run_makes_a_new_password_when_it_is_lost(clone, start, tmp_path):
    first = start("mine")
    first.stop()
    (tmp_path / "mine/demo-password").unlink()
    second = start("mine")
    assert second.password != first.password
    second.sftp("pwd")


def test_run_leaves_a_directory_of_something_else_alone(clone, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").touch()
    refused = dev("run", "--dir", tmp_path / "other", root=clone, check=False)
    assert refused.returncode == 1 and "holds something else" in refused.stderr
    assert os.listdir(tmp_path / "other") == ["file"] and asked(clone) == []
