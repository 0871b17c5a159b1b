# SPDX-License-Identifier: Apache-2.0
"""Somebody who guesses passwords keeps nobody else out: logins by key do not wait for hashes, passwords wait by address."""
import asyncio
import contextlib
import os
import sqlite3

import asyncssh
import pytest

from util import seconds, wait_for

pytestmark = pytest.mark.ours
GUESSES = min(180, 60 * max(1, (os.cpu_count() or 2) - 1))  # for each that hashes; one address may have 200 logins under way


def connect(server, user, source, **options):
    return asyncssh.connect("127.0.0.1", server.port, username=user, known_hosts=None, config=None, agent_path=None,
                            local_addr=(source, 0), kex_algs=["curve25519-sha256"], login_timeout=seconds(100),
                            connect_timeout=seconds(100), **options)


class Guesser(asyncssh.SSHClient):
    """Waits until all are there, then offers a wrong password, once."""

    def __init__(self, ready, go):
        self.ready, self.go = ready, go

    async def password_auth_requested(self):
        if self.ready is None:
            return None
        ready, self.ready = self.ready, None
        ready.release()
        await self.go.wait()
        return "wrong"


async def guess(server, ready, go):
    try:
        async with connect(server, "alice", "127.0.0.2", client_keys=[], preferred_auth="password",
                           client_factory=lambda: Guesser(ready, go)):
            return "in"
    except asyncssh.PermissionDenied:
        return "refused"


@pytest.mark.parametrize("how", ["key", "password"])
def test_guesses_of_one_address_keep_nobody_out(server, alice, how):
    async def log_in():
        proof = {"client_keys": [str(alice.keys[0])], "preferred_auth": "publickey"} if how == "key" else \
            {"client_keys": [], "password": alice.password, "preferred_auth": "password"}
        async with connect(server, "alice", "127.0.0.3", **proof):
            return "in"

    async def all_of_them():
        ready, go = asyncio.Semaphore(0), asyncio.Event()
        guesses = [asyncio.create_task(guess(server, ready, go)) for _ in range(GUESSES)]
        for _ in guesses:
            await ready.acquire()
        go.set()
        await asyncio.wait(guesses, return_when=asyncio.FIRST_COMPLETED)
        outcome = await log_in()
        unanswered = sum(not each.done() for each in guesses)
        return outcome, unanswered, await asyncio.gather(*guesses)

    outcome, unanswered, guessed = asyncio.run(all_of_them())
    assert outcome == "in" and guessed == ["refused"] * GUESSES
    assert unanswered > GUESSES / 2, "it had to wait for the guesses"


def test_a_database_that_is_being_written_holds_up_no_login(make_server):
    """Other programs may hold its lock for long: then nobody can record a login, but anybody can log in."""
    server = make_server(config={"plugins": {"provider": {"provider-sqlite": {"busy_timeout_ms": 600_000}}}})
    alice = server.add_account("alice")

    async def log_in():
        async with connect(server, "alice", "127.0.0.3", client_keys=[str(alice.keys[0])], preferred_auth="publickey"):
            return "in"

    async def many():
        return await asyncio.gather(*(log_in() for _ in range(20)))

    def last_login():
        with contextlib.closing(sqlite3.connect(server.config_dir / "sallyport.db")) as connection:
            return connection.execute("select last_login from users where username = 'alice'").fetchone()[0]

    server.start()
    try:
        with contextlib.closing(sqlite3.connect(server.config_dir / "sallyport.db", isolation_level=None)) as writer:
            writer.execute("begin immediate")
            assert asyncio.run(many()) == ["in"] * 20
            assert last_login() == 0
            writer.execute("rollback")
        wait_for("the last login is recorded", lambda: last_login() > 0)
    finally:
        server.stop()
