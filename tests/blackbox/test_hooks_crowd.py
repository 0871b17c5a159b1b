# SPDX-License-Identifier: Apache-2.0
"""Two hundred logins at once through slow programs: all get in within what their places allow, nobody else waits for them,
and nothing of them stays. What they cost transfers is measured by bench/ (scenario hooks)."""
import asyncio
import contextlib
import json
import math
import os
import re
import time
from collections import Counter
from pathlib import Path

import asyncssh
import paramiko
import pytest

import hooks
import rawsftp as s
from hooks import by_key, program, run, user_json  # noqa: F401
from rest import Rest
from util import pattern, seconds, wait_for

pytestmark = pytest.mark.ours
CROWD, PLACES = 200, 50


def kinds_of_descriptors(server):
    """How many of each kind the server has open, files aside: workers open the database when they first need it."""
    kinds = Counter()
    for name in os.listdir(f"/proc/{server.pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            target = os.readlink(f"/proc/{server.pid}/fd/{name}")
            if not target.startswith("/"):
                kinds[re.sub(r"\d+", "", target)] += 1
    return kinds


def in_the_crowd(server, n, key=None, **options):
    """One of many connections, from several addresses, because one may not have so many under way."""
    return asyncssh.connect("127.0.0.1", server.port, username=f"ext{n % 10}", known_hosts=None, config=None, agent_path=None,
                            client_keys=[key] if key else None, local_addr=(f"127.0.0.{2 + n % 4}", 0),
                            kex_algs=["curve25519-sha256"], login_timeout=seconds(100), connect_timeout=seconds(100), **options)


def test_all_get_in_and_nothing_stays(run, tmp_path, keyring):
    """With keys, so that hashing, which has its own limit, does not hide what is measured."""
    hook = program(tmp_path, "hook", f"""echo '{json.dumps(user_json("NAME", tmp_path / "home"))}' | sed "s/NAME/$SFTPGO_AUTHD_USERNAME/"
exec sleep 1
""")
    server = run(data_provider={"external_auth_program": str(hook)}, plugins={"login_concurrency": PLACES})
    assert by_key(server, "ext0", keyring.user()) == "in"
    wait_for("that is over", lambda: not hooks.children(server.pid))
    before = kinds_of_descriptors(server)
    most = 0

    async def login(n):
        async with in_the_crowd(server, n, str(keyring.user()), preferred_auth="publickey"):
            return "in"

    async def watch():
        nonlocal most
        while True:
            most = max(most, len(hooks.children(server.pid)))
            await asyncio.sleep(0.02)

    async def all_of_them():
        watching = asyncio.create_task(watch())
        outcomes = await asyncio.gather(*(login(n) for n in range(CROWD)))
        watching.cancel()
        return outcomes

    begun = time.monotonic()
    assert asyncio.run(all_of_them()) == ["in"] * CROWD
    took = time.monotonic() - begun
    print(f"{CROWD} logins took {took:.1f} s, {most} programs at once")
    assert math.ceil(CROWD / PLACES) <= took < math.ceil(CROWD / PLACES) + seconds(60)
    assert most <= PLACES, "more programs at once than allowed"
    wait_for("no process is left", lambda: not hooks.children(server.pid))
    wait_for(lambda: f"descriptors: {before} before, {kinds_of_descriptors(server)} now",
             lambda: kinds_of_descriptors(server) <= before)


def test_slow_programs_slow_nobody_else(run, tmp_path):
    """The crowd waits for programs that hang; transfers under way, and logins that no program is asked about, go on as
    before. What is compared is the server's work, because its time is that of the machine; whoever had to wait for the
    programs would wait for most of the minute that they get."""
    hook = program(tmp_path, "hook", "exec sleep 1000")
    server = run(["alice"], httpd={"bind_port": -1},
                 data_provider={"external_auth_program": str(hook), "external_auth_scope": 1})
    alice = server.accounts["alice"]
    content = pattern(8 << 20)

    def work():
        """Seconds of the processor that the server has used, in user mode and in the kernel."""
        fields = Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def transfers(sftp):
        used, begun = work(), time.monotonic()
        with sftp.open("/f", "wb") as file:
            file.set_pipelined(True)
            file.write(content)
        with sftp.open("/f", "rb") as file:
            file.prefetch()
            assert file.read() == content
        return work() - used, time.monotonic() - begun

    def waiting():
        values = Rest(server.rest_url).call("GET", "/metrics").text.splitlines()
        return sum(float(line.split()[1]) for line in values
                   if line.startswith(('sallyport_pool_queued{pool="hook-auth-external"}',
                                       'sallyport_pool_busy{pool="hook-auth-external"}')))

    def look(sftp, alone):
        wait_for(lambda: f"logins with the hook: {waiting()}", lambda: waiting() == CROWD, 50)
        wait_for(lambda: f"programs: {len(hooks.children(server.pid))}", lambda: len(hooks.children(server.pid)) == 32)
        measured = [transfers(sftp) for _ in range(2)]
        assert min(used for used, _ in measured) < 2 * alone + seconds(0.5), (alone, measured)
        assert min(took for _, took in measured) < seconds(15), (alone, measured)
        begun = time.monotonic()
        assert by_key(server, "alice", alice.keys[0]) == "in"
        assert time.monotonic() - begun < seconds(15)

    async def login(n):
        with contextlib.suppress(asyncssh.Error, OSError):
            await in_the_crowd(server, n, password="x", preferred_auth="password")

    async def beside_the_crowd(sftp, alone):
        crowd = [asyncio.create_task(login(n)) for n in range(CROWD)]
        try:
            await asyncio.get_running_loop().run_in_executor(None, look, sftp, alone)
        finally:
            for each in crowd:
                each.cancel()
            await asyncio.gather(*crowd, return_exceptions=True)

    with s.transport(server, alice) as link, paramiko.SFTPClient.from_transport(link) as sftp:
        asyncio.run(beside_the_crowd(sftp, min(transfers(sftp)[0] for _ in range(2))))
        wait_for("who has left needs no program", lambda: not hooks.children(server.pid), 20)
