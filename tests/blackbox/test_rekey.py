# SPDX-License-Identifier: Apache-2.0
"""New keys in the middle of transfers, asked for by each client that can be told to and by the server. Contents are
compared, and what the client says about its key exchanges proves that there were any."""
import logging
import os

import pytest

import clients
from client_base import ssh_program
from util import assert_same_content, pattern, side_by_side, write_pattern

MIB = 1 << 20
SIZE, EVERY = 300 * MIB, 64 * MIB
AT_LEAST = SIZE // EVERY  # exchanges in one direction after the first
CANNOT = {
    clients.Curl: "curl has no option for it and libssh2 never asks by itself",
    clients.AsyncSsh: "asyncssh 2.10.1-2+deb12u2 lost what holds data back after KEXINIT (RFC 4253 section 7.1); libssh refuses them",
    clients.Rclone: "rclone 1.60 has no option for it and Go's ssh asks by itself after 64 GiB of AES",
}


@pytest.fixture(scope="module")
def data(server):
    path = server.directory / "data"
    write_pattern(path, SIZE)
    return path


def put_and_get(client, data, home, tmp_path):
    """Yields after each transfer."""
    client.put(data, "/up", timeout=180)
    assert_same_content(home / "up", data)
    yield "put"
    os.link(data, home / "source")
    client.get("/source", tmp_path / "down", timeout=180)
    assert_same_content(tmp_path / "down", data)
    yield "get"


@pytest.mark.parametrize("kind", [clients.OpenSshSftp, clients.OpenSshScp, clients.Lftp, clients.Sshfs, *CANNOT],
                         ids=lambda kind: kind.name)
def test_every_64_mib(kind, server, alice, home, tmp_path, data):
    if kind in CANNOT:
        pytest.skip(CANNOT[kind])
    log = tmp_path / "ssh.log"
    ssh = ssh_program(tmp_path / "ssh", f"RekeyLimit={EVERY}", "LogLevel=DEBUG1", log=log)
    with kind(server, alice, ssh=ssh) as client:
        seen = 0
        for verb in put_and_get(client, data, home, tmp_path):
            now = log.read_text().count("SSH2_MSG_NEWKEYS received")
            assert now - seen >= AT_LEAST, f"key exchanges of {verb}: {now - seen}"
            seen = now


def test_every_64_mib_with_psftp(server, alice, home, tmp_path, data):
    client = clients.Psftp(server, alice, saved={"RekeyBytes": EVERY, "RekeyTime": 0})
    for verb in put_and_get(client, data, home, tmp_path):
        assert client.said.count("Initiating key re-exchange (too much data") >= AT_LEAST, f"{verb}: {client.said}"


def test_every_64_mib_with_paramiko(server, alice, home, tmp_path, data, caplog):
    caplog.set_level(logging.DEBUG, "paramiko.transport")
    client = clients.Paramiko(server, alice, rekey_bytes=EVERY)
    for verb in put_and_get(client, data, home, tmp_path):
        assert caplog.text.count("Switch to new keys") > AT_LEAST, verb
        caplog.clear()


@pytest.mark.parametrize("cipher", ["aes128-gcm@openssh.com", "aes128-ctr"])
def test_other_ciphers(cipher, server, alice, home, tmp_path, data):
    """chacha20-poly1305 is what OpenSSH takes by itself, above."""
    ssh = ssh_program(tmp_path / "ssh", f"RekeyLimit={EVERY}", f"Ciphers={cipher}")
    list(put_and_get(clients.OpenSshSftp(server, alice, ssh=ssh), data, home, tmp_path))


@pytest.fixture(scope="module")
def asking(make_server):
    """Wants new keys as often as the clients above do: those that cannot ask must answer."""
    server = make_server(config={"sftpd": {"rekey_data": EVERY // MIB}})
    server.start()
    yield server
    server.stop()


@pytest.mark.ours
@pytest.mark.parametrize("kind", [kind for kind in clients.ALL if kind is not clients.AsyncSsh], ids=lambda kind: kind.name)
def test_server_asks_every_64_mib(kind, asking, data, tmp_path):
    account = asking.add_account(kind.name)
    with kind(asking, account) as client:
        list(put_and_get(client, data, account.home, tmp_path))


@pytest.mark.ours
def test_how_often_the_server_asks(asking, data, tmp_path):
    account = asking.add_account("counting")
    client = clients.Psftp(asking, account, saved={"RekeyBytes": 0, "RekeyTime": 0})
    for verb in put_and_get(client, data, account.home, tmp_path):
        assert client.said.count("Remote side initiated key re-exchange") >= AT_LEAST, f"{verb}: {client.said}"


@pytest.mark.ours
def test_server_asks(server, alice, home, tmp_path):
    """With chacha20-poly1305 the server wants new keys after 1 GiB, and this client never."""
    data = home / "source"
    with open(data, "wb") as out:
        for offset in range(0, 1200 * MIB, 16 * MIB):
            out.seek(offset)
            out.write(pattern(65_537, offset))
    client = clients.Psftp(server, alice, saved={"Cipher": "chacha20,aesgcm,aes,WARN", "RekeyBytes": 0, "RekeyTime": 0})

    def put():
        client.put(data, "/up", timeout=180)
        assert_same_content(home / "up", data)
        asked_by_server(client.said)

    def get():
        client.get("/source", tmp_path / "down", timeout=180)
        assert_same_content(tmp_path / "down", data)
        asked_by_server(client.said)
    side_by_side(put, get)


def asked_by_server(said):
    assert "ChaCha20" in said, said
    assert said.count("Remote side initiated key re-exchange") == 1, said
    assert "Initiating key re-exchange" not in said, said
