# SPDX-License-Identifier: Apache-2.0
"""Fixtures: where servers live, how tests get one, and which tests a stand-in server may run."""
import shutil
import tempfile
import warnings
from pathlib import Path

import pytest

from util import QUICK

warnings.filterwarnings("ignore", message=".*has been deprecated.*")

# Tests that say something about SFTP clients and the protocol in general; the rest is about our server only.
PEER_FILES = {"test_clients.py", "test_client_names.py", "test_big.py", "test_trees.py", "test_rekey.py", "test_protocol.py",
              "test_protocol_extensions.py"}


def pytest_addoption(parser):
    parser.addoption("--peer", choices=["sshd"], default=None,
                     help="run the client and protocol tests against another server, to tell a broken test from a broken server")


def pytest_configure(config):
    config.addinivalue_line("markers", "big: gigabytes or ten thousands of files; skipped with SALLYPORT_TEST_QUICK=1")
    config.addinivalue_line("markers", "ours: promises only sallyport makes; skipped with --peer")


def pytest_collection_modifyitems(config, items):
    peer = config.getoption("--peer")
    for item in items:
        if QUICK and item.get_closest_marker("big"):
            item.add_marker(pytest.mark.skip(reason="SALLYPORT_TEST_QUICK=1 leaves out the big transfers"))
        if peer and (item.path.name not in PEER_FILES or item.get_closest_marker("ours")):
            item.add_marker(pytest.mark.skip(reason=f"says nothing about {peer}"))


def pytest_terminal_summary(terminalreporter):
    """Each by its own name, which -rs would fold; ./dev test collects these lines."""
    for report in terminalreporter.stats.get("skipped", []):
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        terminalreporter.write_line(f"SKIPPED {report.nodeid}: {why.removeprefix('Skipped: ')}")


@pytest.fixture(scope="session")
def work_dir():
    """One private directory per run, reachable for other uids (some tests drop privileges), removed at the end."""
    path = Path(tempfile.mkdtemp(prefix="sallyport-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def keyring(work_dir):
    from server import KeyRing
    (work_dir / "keys").mkdir()
    return KeyRing(work_dir / "keys")


@pytest.fixture(scope="session")
def make_server(request, work_dir, keyring):
    """make_server(config=...) gives an unstarted server in its own directory. The caller stops it."""
    from server import Sallyport
    if request.config.getoption("--peer") == "sshd":
        from peers import OpenSshd as kind
    else:
        kind = Sallyport
    count = 0

    def make(**options):
        nonlocal count
        count += 1
        return kind(work_dir / f"server{count}", keyring, **options)
    return make


@pytest.fixture(scope="module")
def server(make_server):
    """A started server with the account alice (password and all three key kinds), shared by the tests of a file."""
    instance = make_server()
    instance.add_account("alice", kinds=("ed25519", "ecdsa", "rsa"))
    instance.start()
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def rest_server(make_server):
    """A started server with the REST API on a free port and no accounts."""
    instance = make_server(config={"httpd": {"bind_port": -1}, "data_provider": {"track_quota": 1}})
    instance.start()
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def rest(rest_server):
    from rest import Rest
    return Rest(rest_server.rest_url)


@pytest.fixture(scope="module")
def alice(server):
    return server.accounts["alice"]


@pytest.fixture
def home(alice):
    """alice's home, emptied before each test."""
    for entry in alice.home.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    return alice.home
