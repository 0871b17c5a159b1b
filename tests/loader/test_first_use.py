# SPDX-License-Identifier: Apache-2.0
"""A storage is made when somebody first logs in to it. However long that takes, only its own accounts wait.

Needs SALLYPORT_BIN and SALLYPORT_TEST_PLUGINS as test_loader.py does; server and clients are those of tests/blackbox.
"""
import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "blackbox"))

from client_programs import OpenSshSftp  # noqa: E402
from server import KeyRing, Sallyport  # noqa: E402
from util import seconds, wait_for  # noqa: E402

TEST_PLUGINS = Path(os.environ["SALLYPORT_TEST_PLUGINS"])
LOGINS = 12  # more than the login pool has threads


def test_a_storage_whose_making_hangs_stops_no_login_to_another(tmp_path):
    (tmp_path / "keys").mkdir()
    gate = tmp_path / "gate"
    server = Sallyport(tmp_path / "server", KeyRing(tmp_path / "keys"), env={"FS_SLOW_CREATE_WAITS_FOR": str(gate)},
                       config={"plugins": {"paths": [str(TEST_PLUGINS / "fs-slow.so")]}})
    record = tmp_path / "held.json"
    record.write_text(json.dumps({"filesystem": {"provider": "fs-slow"}}))
    held, quick = server.add_account("held", options=["--json", record]), server.add_account("quick")
    gate.touch()
    clients = []
    try:
        server.start()
        argv = ["sftp", *OpenSshSftp(server, held).ssh_options(), "-P", str(server.port), "-b", "-", "held@127.0.0.1"]
        for _ in range(LOGINS):
            clients.append(subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                            env=server.env(), start_new_session=True))
        wait_for("each login has a thread to wait on",
                 lambda: sum(name.startswith("auth-") for name in server.threads()) >= LOGINS, 30)
        (quick.home / "file").touch()
        assert "file" in OpenSshSftp(server, quick).list("/")
        assert all(client.poll() is None for client in clients), "they wait"
        gate.unlink()
        assert [client.wait(seconds(60)) for client in clients] == [0] * LOGINS
        told = [line for line in server.log_lines() if line.get("message") == "every call will sleep"]
        assert len(told) == 1, "it was made once"
    finally:
        gate.unlink(missing_ok=True)
        for client in clients:
            client.kill()
            client.wait()
        server.stop()
