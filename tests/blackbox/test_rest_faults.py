# SPDX-License-Identifier: Apache-2.0
"""A broken administration service: SFTP goes on while its handlers throw, and after it has ended."""
import os
import re
import signal
from pathlib import Path

import pytest

import rawsftp as s
from rest import Rest
from server import binary
from util import pattern, wait_for

pytestmark = pytest.mark.ours
PLUGINS = Path(os.environ.get("SALLYPORT_TEST_PLUGINS") or binary().parent.parent / "test-plugins").resolve()
FAULTY = PLUGINS / "faulty/admin-http.so"


@pytest.fixture
def server(make_server):
    if not FAULTY.exists():
        pytest.fail(f"no broken service to test with: {FAULTY} does not exist (set SALLYPORT_TEST_PLUGINS)")
    instance = make_server(config={"httpd": {"bind_port": -1}, "plugins": {"paths": [str(FAULTY)]}})
    instance.add_account("alice")
    instance.start()
    yield instance
    instance.stop()


def call(rest, path):
    """Not held against the description, which knows nothing of these endpoints."""
    connection = rest.connect()
    connection.request("GET", "/api/v1/" + path)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def answers(rest):
    try:
        return call(rest, "health")[0] == 200
    except OSError:
        return False


def test_sftp_goes_on(server):
    rest = Rest(server.rest_url)
    data = pattern(3 * 65536)
    with s.session(server, server.accounts["alice"]) as sftp:
        handle = sftp.open("/live", s.F_WRITE | s.F_CREAT)
        for number, path in enumerate(["test/throw", "test/throw_number", "test/throw"]):
            status, text = call(rest, path)
            assert status == 500 and text == '{"error":"internal error","message":"","status":500}\n'
            sftp.write(handle, number * 65536, data[number * 65536:(number + 1) * 65536])
        assert answers(rest), "other requests are answered"
        assert len(rest.get("connection").json) == 1
        try:
            call(rest, "test/end")
        except OSError:  # its own connection may be cut off first
            pass
        wait_for("the end of the service", lambda: not answers(rest))
        sftp.write(handle, len(data), data)
        sftp.close(handle)
        handle = sftp.open("/live", s.F_READ)
        assert sftp.read(handle, len(data), 65536) == data[:65536]
        sftp.close(handle)
    assert (server.accounts["alice"].home / "live").read_bytes() == data + data
    with s.transport(server, server.accounts["alice"]) as link:
        assert s.subsystem(link).stat("/live").size == 2 * len(data)


def test_a_request_that_never_returns_does_not_hold_up_the_stop(server):
    """Its thread is left behind with the process, everything else comes to its end first."""
    with s.transport(server, server.accounts["alice"]) as link:
        sftp = s.subsystem(link)
        sftp.close(sftp.open("/f", s.F_WRITE | s.F_CREAT))
    stuck = Rest(server.rest_url).connect()
    stuck.request("GET", "/api/v1/test/hang")
    wait_for("it hangs", lambda: answers(Rest(server.rest_url)))
    server.process.send_signal(signal.SIGTERM)
    server.ended(1)
    text = server.log_text()
    assert re.search(r"not stopped: still being carried out: GET /api/v1/test/hang for \d+ s", text), text[-2000:]
    assert "the process ends without it" in text
    stuck.close()
