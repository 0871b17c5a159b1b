# SPDX-License-Identifier: Apache-2.0
"""Settings of accounts in S3 that cannot work are refused where they are given, not at the first login."""
import contextlib
import http.server
import json
import signal
import socket
import sqlite3
import threading
import time

import pytest

from portable import Portable
from rest import HASH, Rest
from util import seconds

pytestmark = pytest.mark.ours
NO_ADDRESS = ["foo bar", "ftp://x", "http://", "https://x:70000", "http://x/path", "http://user@x"]
ADDRESSES = ["", "store.example", "store.example:9000", "https://store.example", "http://[::1]:9000/", "HTTPS://127.0.0.1:1"]
NAME = "filesystem.config.endpoint"


def filesystem(endpoint):
    return {"provider": 1, "s3config": {"bucket": "files", "region": "r", "endpoint": endpoint, "access_key": "k", "access_secret": "topsecret"}}


def test_an_endpoint_is_an_address(make_server):
    server = make_server(config={"httpd": {"bind_port": -1}})
    server.start()
    try:
        rest = Rest(server.rest_url)
        ann = rest.add(server, "ann", filesystem=filesystem("http://127.0.0.1:9"))
        new = {"username": "eve", "password": HASH, "home_dir": "/srv/eve", "permissions": {"/": ["*"]}}
        file = server.directory / "eve.json"
        for endpoint in NO_ADDRESS:
            for answer in (rest.post("user", {**new, "filesystem": filesystem(endpoint)}),
                           rest.put(f"user/{ann['id']}", {"filesystem": filesystem(endpoint)})):
                status, error, _ = answer.said
                assert status == 400 and f'{NAME}: found "{endpoint}"' in error and "https://host:port" in error
            file.write_text(json.dumps({"filesystem": filesystem(endpoint)}))
            for command in (("add", "eve", "--home-dir", "/srv/eve", "--password-stdin"), ("update", "ann")):
                refused = server.cli("user", *command, "--json", file, input="secret\n", check=False)
                assert refused.returncode == 1 and f'{NAME}: found "{endpoint}"' in refused.stderr
        for endpoint in ADDRESSES:
            assert rest.put(f"user/{ann['id']}", {"filesystem": filesystem(endpoint)}).status == 200, endpoint
        assert "Note" not in server.cli("check-config").stdout
        with sqlite3.connect(server.config_dir / "sallyport.db") as database:
            database.execute("UPDATE users SET filesystem = replace(filesystem, 'HTTPS://127.0.0.1:1', 'foo bar')")
        assert f'user "ann": its settings are refused: filesystem fs-s3: {NAME}: found "foo bar"' in server.cli("check-config").stdout
        assert rest.put(f"user/{ann['id']}", {"status": 0}).status == 200, "as it is it can be disabled"
        assert rest.get(f"user/{ann['id']}").json["filesystem"]["s3config"]["endpoint"] == "foo bar"
    finally:
        server.stop()


@contextlib.contextmanager
def store(status, code):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            asked.append(self.path)
            body = f"<Error><Code>{code}</Code><Message>no such thing</Message></Error>".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


def begins(cwd, endpoint, *more):
    return Portable(cwd, "-f", "1", "--s3-bucket", "files", "--s3-region", "r", "--s3-access-key", "k", "--s3-access-secret", "topsecret",
                    "--s3-endpoint", endpoint, *more).spawn()


def ends(cwd, endpoint, *more):
    """What portable mode says on standard error when it ends before it is ready."""
    portable = begins(cwd, endpoint, *more)
    try:
        assert portable.process.stdout.read() == b"" and portable.wait() == 1
    finally:
        portable.stop(codes=(1,))
    assert "topsecret" not in portable.stderr()
    return portable.stderr()


@pytest.mark.parametrize("endpoint", NO_ADDRESS[:3])
def test_portable_mode_wants_an_address(tmp_path, endpoint):
    (tmp_path / "shared").mkdir()
    assert f'{NAME}: found "{endpoint}"' in ends(tmp_path / "shared", endpoint)


@pytest.mark.parametrize("status, code", [(403, "SignatureDoesNotMatch"), (404, "NoSuchBucket")])
def test_portable_mode_asks_its_store(tmp_path, status, code):
    (tmp_path / "shared").mkdir()
    with store(status, code) as (url, asked):
        said = ends(tmp_path / "shared", url, "--s3-key-prefix", "shown/")
    assert "s3://files/shown/ cannot be listed" in said and code in said
    assert len(asked) == 1


def test_portable_mode_does_not_wait_for_ever(tmp_path):
    (tmp_path / "shared").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        said = ends(tmp_path / "shared", f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert "s3://files/" in said and "no answer" in said
    assert time.monotonic() - begun < seconds(16)


def test_portable_mode_can_be_stopped_while_it_asks(tmp_path):
    (tmp_path / "shared").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(seconds(10))
        portable = begins(tmp_path / "shared", f"http://127.0.0.1:{silent.getsockname()[1]}")
        try:
            with silent.accept()[0]:
                begun = time.monotonic()
                portable.process.send_signal(signal.SIGTERM)
                assert portable.process.stdout.read() == b"" and portable.wait() == 0
                assert time.monotonic() - begun < seconds(5)
        finally:
            portable.stop()
    assert portable.stderr() == ""
