# SPDX-License-Identifier: Apache-2.0
"""A server whose accounts have their files in S3, and what tests of it share. Fixtures: import them by name."""
import json
import os
import ssl

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import rawsftp as s
from rgw import ACCESS_KEY, SECRET, Proxy, Rgw
from util import run

MIB = 1 << 20
PART = 5 * MIB
PUT = s.F_WRITE | s.F_CREAT | s.F_TRUNC
ODD_NAMES = ["with space", "plus+plus", "per%20cent", "a&b=c", "ümläut €", "quote'\"", "semi;colon", "#hash?query", "ätsch.txt",
             "~tilde", "[1]*", "back\\slash", "<tag>"]
# XML has none of these characters, or changes them.
CONTROL_NAMES = ["soh\x01", "\x0b vertical", "new\nline", "return\r", "both\r\n", "esc\x1b[1m", "\ttab", "us\x1f", "del\x7f", "\ue000private",
                 "\ufffenone", "&#x01;"]


@pytest.fixture(scope="module")
def rgw(request, work_dir):
    instance = Rgw(work_dir / f"rgw-{request.module.__name__}-")
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def proxy(rgw):
    instance = Proxy(rgw.port)
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def tls(work_dir, rgw):
    """The same over TLS, with a certificate that holds for 127.0.0.1 and for no name."""
    certificate, key = work_dir / "s3.pem", work_dir / "s3.key"
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=store",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    instance = Proxy(rgw.port, context)
    instance.certificate = certificate
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def bucket(rgw):
    return rgw.bucket("files")


def s3config(rgw, **changes):
    settings = {"bucket": "files", "region": "default", "endpoint": rgw.url, "access_key": ACCESS_KEY, "access_secret": SECRET}
    settings.update(changes)
    return {"provider": 1, "s3config": {name: value for name, value in settings.items() if value is not None}}


def sealed_by_the_replaced_system(secret):
    key, nonce = os.urandom(16).hex(), os.urandom(12)
    return f"$aes${key}${(nonce + AESGCM(key.encode()).encrypt(nonce, secret.encode(), None)).hex()}"


def add(server, name, filesystem, **fields):
    record = server.directory / f"{name}.json"
    record.write_text(json.dumps({"filesystem": filesystem, **fields}))
    return server.add_account(name, options=["--json", record], create_home=False)


@pytest.fixture(scope="module")
def server(make_server, rgw, proxy, tls, bucket):
    plugins = {"storage": {"fs-s3": {"ca_file": str(tls.certificate), "part_size_mib": 5, "download_chunk_mib": 1, "timeout": 5, "rename_max_keys": 20}}}
    instance = make_server(config={"plugins": plugins, "data_provider": {"track_quota": 1}})
    add(instance, "alice", s3config(rgw))
    add(instance, "ann", s3config(rgw, endpoint=proxy.url, key_prefix="team/ann"))
    add(instance, "counted", s3config(rgw, key_prefix="counted"), quota_size=50_000, quota_files=5)
    add(instance, "cold", s3config(rgw, storage_class="STANDARD_IA", key_prefix="cold"))
    add(instance, "tls", s3config(rgw, endpoint=tls.url))
    add(instance, "wrongname", s3config(rgw, endpoint=tls.url.replace("127.0.0.1", "localhost")))
    add(instance, "inherited", s3config(rgw, access_secret=sealed_by_the_replaced_system(SECRET)))
    instance.start()
    yield instance
    instance.stop()


@pytest.fixture
def empty(bucket):
    bucket.clear()
    return bucket


def client(server, name="alice"):
    return s.session(server, server.accounts[name])


def openssh(server, directory, *commands, name="alice"):
    """OpenSSH's sftp, with that as its local directory."""
    (directory / "batch").write_text("".join(f"{command}\n" for command in commands))
    account = server.accounts[name]
    return run(["sftp", "-q", "-b", directory / "batch", "-P", server.port, "-i", account.keys[0], "-o", "IdentitiesOnly=yes",
                "-o", f"UserKnownHostsFile={server.known_hosts}", f"{account.name}@127.0.0.1"], env=server.env(), cwd=directory)


def refused(sftp, *request):
    with pytest.raises(s.StatusError) as error:
        sftp.call(*request)
    return error.value.code


def listing(sftp, path):
    found = [(name.decode(), attrs) for name, _, attrs in sftp.entries(path)]
    assert len(dict(found)) == len(found)
    return dict(found)
