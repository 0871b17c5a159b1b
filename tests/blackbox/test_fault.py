# SPDX-License-Identifier: Apache-2.0
"""The storage fs-fault as clients meet it, and that docs/testing-clients.md tells the truth."""
import contextlib
import json
import os
import re
import subprocess
import sys
import time

import paramiko
import pytest

import rawsftp as s
from portable import AT_HOME, Portable
from server import REPOSITORY, binary
from util import clean_env, die_with_parent, pattern, run, seconds

pytestmark = pytest.mark.ours
PAGE = (REPOSITORY / "docs/testing-clients.md").read_text()
DATA = pattern(100_000)


@pytest.fixture
def shared(tmp_path):
    directory = tmp_path / "shared"
    directory.mkdir()
    (directory / "data").write_bytes(DATA)
    return directory


def faulty(shared, *rules, more=()):
    return Portable(shared, "-g", "*", *more, *(word for rule in rules for word in ("--fault", rule)))


def test_without_a_fault_that_fits_all_works(shared):
    with faulty(shared, "read:1000:error=EIO") as portable, portable.sftp() as sftp:
        with sftp.open("/data") as file:
            assert file.read() == DATA
        sftp.open("/new", "w").write("x")
        sftp.rename("/new", "/newer")
        assert sorted(sftp.listdir("/")) == ["data", "newer"]
        sftp.symlink("newer", "/link")
        assert sftp.readlink("/link") == "newer"
    assert (shared / "newer").read_bytes() == b"x"


def test_an_error_on_the_third_read_and_never_again(shared):
    with faulty(shared, "read:3:error=EIO") as portable, contextlib.closing(portable.transport()) as link:
        assert answers(s.subsystem(link), 5) == [DATA[:10], DATA[:10], s.FAILURE, DATA[:10], DATA[:10]]


def answers(raw, count):
    """The data, or the status, that each of some equal READs gets."""
    handle, found = raw.open("/data", s.F_READ), []
    for _ in range(count):
        try:
            found.append(raw.read(handle, 0, 10))
        except s.StatusError as refusal:
            found.append(refusal.code)
    raw.status(s.CLOSE, s.string(handle))  # tells of the failure once more
    return found


def test_short_reads_lose_nothing(shared, tmp_path):
    with faulty(shared, "read:short=1000") as portable:
        with contextlib.closing(portable.transport()) as link:
            raw = s.subsystem(link)
            handle = raw.open("/data", s.F_READ)
            assert raw.read(handle, 0, 32768) == DATA[:1000]
            assert raw.read(handle, 1000, 500) == DATA[1000:1500]
            assert raw.read(handle, 99_500, 32768) == DATA[99_500:]
            raw.close(handle)
        with portable.sftp() as sftp:
            sftp.get("/data", tmp_path / "whole")
    assert (tmp_path / "whole").read_bytes() == DATA


def test_a_failed_commit_is_told_at_the_end(shared):
    """paramiko would not notice: it takes no interest in what CLOSE says."""
    with faulty(shared, "commit:1:error=EDQUOT") as portable, contextlib.closing(portable.transport()) as link:
        raw = s.subsystem(link)
        handle = raw.open("/new", s.F_WRITE | s.F_CREAT)
        raw.write(handle, 0, b"x" * 1000)
        with pytest.raises(s.StatusError):
            raw.close(handle)
        raw.write_file("/newer", b"y")
    assert (shared / "newer").read_bytes() == b"y"


def test_a_dropped_session_and_its_successor(shared):
    with faulty(shared, "open:1:drop") as portable:
        with portable.sftp() as sftp, pytest.raises((OSError, EOFError, paramiko.SSHException)) as caught:
            sftp.open("/data")
        assert "Server connection dropped" in str(caught.value) or isinstance(caught.value, EOFError), caught.value
        with portable.sftp() as sftp, sftp.open("/data") as file:
            assert file.read() == DATA


def test_delays(shared):
    with faulty(shared, "stat:2:delay=700ms") as portable, portable.sftp() as sftp:
        def timed():
            begun = time.monotonic()
            sftp.stat("/data")
            return time.monotonic() - begun
        took = [timed() for _ in range(3)]
        assert took[1] >= 0.7 and min(took[0], took[2]) < 0.7, took


def test_a_login_that_leads_nowhere(shared):
    with faulty(shared, "mount:1:error=EBUSY") as portable:
        with pytest.raises((paramiko.SSHException, EOFError)):
            portable.sftp()
        portable.sftp().close()


def test_long_delays_do_not_hold_up_the_end(shared):
    with faulty(shared, "opendir:delay=600s") as portable:
        with contextlib.closing(portable.transport()) as link:
            s.subsystem(link).send(s.OPENDIR, s.string("/"))


@pytest.mark.parametrize("rule", ["read", "reads:error=EIO", "read:0:error=EIO", "read:error=EWHAT", "write:short=3", "read:delay=5"])
def test_a_rule_that_is_none_stops_the_start(shared, rule):
    done = run([binary(), "portable", *AT_HOME, "--fault", rule], check=False, cwd=shared, env=clean_env(shared))
    assert done.returncode == 1 and done.stdout == "" and rule in done.stderr and "allowed" in done.stderr.lower(), done


def test_faults_are_for_local_files(shared):
    done = run([binary(), "portable", "--fs-provider", "1", "--fault", "read:drop"], check=False, cwd=shared, env=clean_env(shared))
    assert done.returncode == 1 and "--fault" in done.stderr


def test_an_account_of_a_configured_server(make_server):
    server = make_server(config={"plugins": json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])["plugins"]})
    record = server.directory / "fay.json"
    record.write_text(json.dumps({"filesystem": {"provider": "fs-fault"}}))
    account = server.add_account("fay", options=["--json", record])
    (account.home / "data").write_bytes(DATA)
    server.start()
    try:
        with paramiko.Transport(("127.0.0.1", server.port)) as link:
            link.connect(username="fay", password=account.password)
            assert answers(s.subsystem(link), 4) == [DATA[:10], DATA[:10], s.FAILURE, DATA[:10]]
    finally:
        server.stop()


def test_every_rule_of_the_page_is_one(shared):
    rules = re.findall(r"^\| `([a-z]+:\S+)` \| \w", PAGE, re.MULTILINE)
    assert len(rules) == 8
    with faulty(shared, *rules):
        pass


def test_every_name_of_the_page_is_known(shared):
    operations = re.search(r"\| OPERATION \|.*?\n\n", PAGE, re.DOTALL)[0]
    named = re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in operations.splitlines()[2:-1]))
    errors = re.findall(r"\bE[A-Z]{2,}\b", re.search(r"\| `error=EIO` .*", PAGE)[0])
    assert len(named) == 22 and len(errors) == 17
    with faulty(shared, *(f"{name}:99:drop" for name in named), *(f"read:99:error={name}" for name in errors)):
        pass


def test_the_example_of_the_page(shared, tmp_path):
    script = tmp_path / "example.py"
    script.write_text(re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1])
    env = clean_env(tmp_path, PATH=f"{binary().parent}:{os.environ['PATH']}")
    run([sys.executable, "-W", "ignore", script], cwd=shared, env=env)
    command = re.search(r"^    (sallyport portable --any.*)$", PAGE, re.MULTILINE)[1].replace("fixtures", ".")
    process = subprocess.Popen(command, shell=True, cwd=shared, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               preexec_fn=die_with_parent)
    try:
        assert json.loads(process.stdout.readline())["any_credentials"]
    finally:
        process.stdin.close()
        process.stdout.close()
        assert process.wait(seconds(20)) == 0
