# SPDX-License-Identifier: Apache-2.0
"""Settings of accounts in S3 that cannot work are refused where they are given, not at the first login."""
import json
import sqlite3

import pytest

from portable import Portable
from rest import HASH, Rest

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
        assert f'user "ann": filesystem fs-s3: {NAME}: found "foo bar"' in server.cli("check-config").stdout
    finally:
        server.stop()


def ends(cwd, endpoint, *more):
    """What portable mode says on standard error when it ends before it is ready."""
    portable = Portable(cwd, "-f", "1", "--s3-bucket", "files", "--s3-region", "r", "--s3-access-key", "k", "--s3-access-secret", "topsecret",
                        "--s3-endpoint", endpoint, *more).spawn()
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
