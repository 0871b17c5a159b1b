# SPDX-License-Identifier: Apache-2.0
"""REST API: who may come in, and TLS."""
import os
import re
import signal
import socket
import ssl

import pytest

from rest import Rest, operations
from util import run, wait_for

pytestmark = pytest.mark.ours


def openssl_hash(kind, password):
    return run(["openssl", "passwd", f"-{kind}", password]).stdout.strip()


def write(path, text):
    """As htpasswd does it: the file is replaced as a whole."""
    new = path.with_suffix(".new")
    new.write_text(text)
    os.replace(new, path)


def certificate(directory, name):
    key, cert = directory / "key.pem", directory / "cert.pem"
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
         f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{key}.new", "-out", f"{cert}.new"])
    os.replace(f"{key}.new", key)
    os.replace(f"{cert}.new", cert)


@pytest.fixture(scope="module")
def guarded(make_server):
    server = make_server(config={"httpd": {"bind_port": -1, "auth_user_file": "admins", "certificate_file": "cert.pem",
                                           "certificate_key_file": "key.pem", "bind_address": "0.0.0.0"}})
    write(server.config_dir / "admins", "".join([
        "# administrators\n", "\n", f"md5:{openssl_hash('1', 'one')}\n", f"apr:{openssl_hash('apr1', 'two')}\n",
        # bcrypt of "secret", by the names of its variants
        *(f"b{kind}:${kind}$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n" for kind in ("2y", "2a", "2b")),
        "plain:plain\n", "empty:\n"]))
    certificate(server.config_dir, "first")
    server.start()
    server.rest_url = server.rest_url.replace("0.0.0.0", "127.0.0.1")
    yield server
    server.stop()


@pytest.fixture
def client(guarded):
    return lambda *who: Rest(guarded.rest_url, *who, trust=guarded.config_dir / "cert.pem")


def common_name(server):
    context = ssl.create_default_context(cafile=server.config_dir / "cert.pem")
    port = int(server.rest_url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as link, context.wrap_socket(link, server_hostname="127.0.0.1") as tls:
        return dict(pair[0] for pair in tls.getpeercert()["subject"])["commonName"]


@pytest.mark.parametrize("who", [("md5", "one"), ("apr", "two"), ("b2y", "secret"), ("b2a", "secret"), ("b2b", "secret")], ids=str)
def test_those_who_are_listed_come_in(client, who):
    for _ in range(2):
        assert client(*who).get("version").status == 200
    assert client(who[0], "wrong").get("version").status == 401


@pytest.mark.parametrize("who", [(), ("", ""), ("md5", ""), ("md5", "two"), ("nobody", "one"), ("plain", "plain"), ("empty", ""),
                                 ("MD5", "one")], ids=str)
def test_others_do_not(client, who):
    answer = client(*who).get("user")
    assert answer.said == (401, "Unauthorized", "") and answer.headers["www-authenticate"] == 'Basic realm="SFTPGo Web"'


@pytest.mark.parametrize("header", ["Basic", "Basic ", "Basic !!!!", "Basic bWQ1", "Bearer bWQ1Om9uZQ==", "bWQ1Om9uZQ==", "Basic " + "A" * 8000])
def test_malformed_credentials(client, header):
    assert client().call("GET", "version", headers={"Authorization": header}).status in (400, 401)


def test_what_is_protected(client):
    assert client().get("health").status == 200
    assert client().call("GET", "/metrics").text == "Unauthorized\n"
    assert client().call("GET", "/nothing").status == 404
    assert client().call("DELETE", "user").status == 405
    assert client().post("user", b" " * 1048577).status == 401  # nobody's body is read before that
    for method, path, guarded in operations():
        assert (client().call(method, path).status == 401) == guarded, f"{method} {path}"


def test_changes_of_the_file_count_at_once(client, guarded):
    admins = guarded.config_dir / "admins"
    before = admins.read_text()
    try:
        write(admins, f"new:{openssl_hash('1', 'new')}\n")
        assert client("md5", "one").get("version").status == 401
        assert client("new", "new").get("version").status == 200
        write(admins, f"new:{openssl_hash('1', 'new')}\nnonsense\n")
        assert client("new", "new").get("version").status == 401
        admins.unlink()
        assert client("new", "new").get("version").status == 401
    finally:
        write(admins, before)
    assert client("md5", "one").get("version").status == 200


def test_plain_http_and_old_tls_are_refused(client, guarded):
    port = int(guarded.rest_url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            assert not link.recv(1000).startswith(b"HTTP/1.1 2")
        except OSError:
            pass
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", port)) as link, pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(link)
    assert client("md5", "one").get("version").status == 200


def test_certificates_change_with_sighup(client, guarded):
    assert common_name(guarded) == "first"
    rest = client("md5", "one")
    connection = rest.connect()
    rest.call("GET", "version", connection=connection)
    certificate(guarded.config_dir, "second")
    guarded.process.send_signal(signal.SIGHUP)
    guarded.wait_log(lambda l: l.get("sender") == "httpd" and "certificate was read again" in l.get("message", ""))
    assert common_name(guarded) == "second"
    assert rest.call("GET", "version", connection=connection).status == 200  # goes on with what it has
    connection.close()
    key = guarded.config_dir / "key.pem"
    good, mark = key.read_text(), guarded.mark()
    write(key, "nonsense")
    guarded.process.send_signal(signal.SIGHUP)
    line = guarded.wait_log(lambda l: l.get("sender") == "httpd" and "not reloaded" in l.get("message", ""), start=mark)
    assert "key.pem" in line["message"]
    assert common_name(guarded) == "second"
    write(key, good)


def test_a_client_that_never_shakes_hands_holds_up_nobody(client, guarded):
    port = int(guarded.rest_url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)):
        wait_for("an answer beside a silent client", lambda: client("md5", "one").get("version").status == 200)


def test_a_password_file_that_nobody_reads_out_does_not_hold_up_a_stop(make_server):
    server = make_server(config={"httpd": {"bind_port": -1, "auth_user_file": "admins"}})
    admins = server.config_dir / "admins"
    write(admins, f"md5:{openssl_hash('1', 'one')}\n")
    server.start()
    os.mkfifo(server.config_dir / "pipe")
    os.replace(server.config_dir / "pipe", admins)
    stuck, ends = Rest(server.rest_url, "md5", "one").connect(), []
    stuck.request("GET", "/api/v1/version", headers={"Authorization": "Basic bWQ1Om9uZQ=="})

    def is_read():
        try:
            ends.append(os.open(admins, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return False
        return True
    wait_for("it is being read", is_read)
    server.process.send_signal(signal.SIGTERM)
    server.ended(1)
    assert re.search(r"not stopped: still being carried out: login for \d+ s", server.log_text())
    stuck.close()
    os.close(ends.pop())
