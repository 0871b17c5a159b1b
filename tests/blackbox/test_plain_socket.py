# SPDX-License-Identifier: Apache-2.0
"""Without the accelerator below libssh, which other tests have: libssh then takes in packets whenever it is asked for
anything, and none of them may be left unserved. Clients that wait for one answer at a time notice at once."""
import pytest

import clients
import rawsftp as s
from util import pattern


@pytest.fixture
def server(make_server):
    instance = make_server(config={"sftpd": {"fast_socket": False}})
    instance.add_account("alice")
    instance.start()
    yield instance
    instance.stop()


@pytest.mark.parametrize("kind", [clients.OpenSshSftp, clients.Rclone], ids=lambda kind: kind.name)
def test_many_short_sessions(server, tmp_path, kind):
    account = server.accounts["alice"]
    data = pattern(100_000)
    (tmp_path / "up").write_bytes(data)
    with kind(server, account) as client:
        for n in range(15):
            client.put(tmp_path / "up", f"/file{n}")
            client.get(f"/file{n}", tmp_path / "down")
            assert (tmp_path / "down").read_bytes() == data


def test_many_short_requests(server):
    with s.session(server, server.accounts["alice"]) as sftp:
        sftp.write_file("/f", b"x" * 1000)
        for _ in range(2000):
            sftp.stat("/f")
