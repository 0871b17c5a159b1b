# SPDX-License-Identifier: Apache-2.0
"""Hooks as services over https: whose certificates count, and what a wrong one does."""
import datetime
import ipaddress
import json
import socket
import ssl
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import hooks
import rawsftp as s
from hooks import by_key, by_password, by_questions, failure, run, user_json  # noqa: F401
from test_hooks_actions import put, sftp_of
from util import seconds, wait_for

pytestmark = pytest.mark.ours
SECRET = "a-very-secret-password"
DAY = datetime.timedelta(days=1)


class Authority:
    """Signs certificates of servers."""

    def __init__(self, directory, name):
        self.directory, self.name = directory, name
        self.key, self.count = ec.generate_private_key(ec.SECP256R1()), 0
        self.certificate = self._sign(name, self.key, [], x509.BasicConstraints(ca=True, path_length=None))
        self.file = directory / f"{name}.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(self, name, key, names, constraints, end=2 * DAY):
        now = datetime.datetime.utcnow()
        subject, issuer = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, each)]) for each in (name, self.name))
        made = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number(), now - 3 * DAY, now + end)
        made = made.add_extension(constraints, critical=True)
        if names:
            made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return made.sign(self.key, hashes.SHA256())

    def server(self, name="localhost", end=2 * DAY):
        """What a server of that name needs, and of 127.0.0.1 for localhost."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(name)] + ([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))] if name == "localhost" else [])
        certificate = self._sign(name, key, names, x509.BasicConstraints(ca=False, path_length=None), end)
        self.count += 1
        file = self.directory / f"{self.name}-{self.count}.pem"
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "ours")


def trusting(authority):
    settings = {"ca_file": str(authority.file)}
    return {"authenticator": {"auth-external": settings}, "notifier": {"actions": settings}}


def answer_all(service, home):
    service.answers.update({
        "/auth": lambda asked: (200, json.dumps(user_json("ext", home)) if asked.json["password"] == SECRET else "{}"),
        "/pre": lambda _: (204, ""),
        "/ask": lambda asked: (200, json.dumps({"auth_result": 1} if asked.json.get("answers") == ["42"] else
                                               {"questions": ["Token: "], "echos": [False]})),
        "/told": lambda _: (200, ""),
        "/may": lambda _: (200, "")})


def test_every_hook(run, tmp_path, authority):
    with hooks.service(authority.server()) as service:
        answer_all(service, tmp_path / "home")
        numbers = service.url.replace("localhost", "127.0.0.1")
        server = run(["alice"], plugins=trusting(authority),
                     sftpd={"keyboard_interactive_auth_program": service.url + "/ask",
                            "actions": {"execute_on": ["upload", "pre-upload"], "http_notification_url": service.url + "/told"}},
                     data_provider={"external_auth_program": service.url + "/auth", "external_auth_scope": 1,
                                    "pre_login_program": numbers + "/pre"})
        alice = server.accounts["alice"]
        assert by_password(server, "ext", SECRET) == "in"
        assert by_password(server, "ext", "wrong") == "AuthenticationException"
        assert by_key(server, "alice", alice.keys[0]) == "in"
        assert by_questions(server, "alice", ["42"])[0] == "in"
        with s.transport(server, alice) as link:
            put(sftp_of(link), "/f", b"1")
        wait_for("it is told", lambda: any(asked.query.get("action") == "upload" for asked in service.asked))
        assert {asked.path for asked in service.asked} == {"/auth", "/pre", "/ask", "/told"}
        assert SECRET not in server.log_text()


def test_the_roots_of_the_system(run, tmp_path, authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with hooks.service(authority.server()) as service:
        answer_all(service, tmp_path / "home")
        server = run(data_provider={"external_auth_program": service.url + "/auth"})
        assert by_password(server, "ext", SECRET) == "in"


@pytest.mark.parametrize("case", ["another authority", "another name", "over"])
def test_a_wrong_certificate_denies(run, tmp_path, authority, case):
    """One clear line, and nothing is said to whom it is not meant for."""
    context = {"another authority": lambda: Authority(tmp_path, "theirs").server(),
               "another name": lambda: authority.server("elsewhere.test"),
               "over": lambda: authority.server(end=-DAY)}[case]()
    with hooks.service(context) as service:
        answer_all(service, tmp_path / "home")
        server = run(["alice"], plugins=trusting(authority),
                     sftpd={"keyboard_interactive_auth_program": service.url + "/ask",
                            "actions": {"execute_on": ["pre-upload"], "http_notification_url": service.url + "/may"}},
                     data_provider={"external_auth_program": service.url + "/auth", "external_auth_scope": 1})
        alice = server.accounts["alice"]
        for hook, user, login in (("external", "ext", lambda: by_password(server, "ext", SECRET)),
                                  ("keyboard", "alice", lambda: by_questions(server, "alice", ["42"])[0])):
            mark = server.mark()
            assert login() == "AuthenticationException"
            line = failure(server, mark, user)
            assert f"{hook} hook: {service.url}: " in line and "ertificate" in line, line
        with s.transport(server, alice) as link, pytest.raises(PermissionError):
            put(sftp_of(link), "/f", b"1")
        server.wait_log(lambda line: line.get("sender") == "events" and service.url in line["message"] and "ertificate" in line["message"])
        assert not service.asked and not list(alice.home.iterdir())
        assert SECRET not in server.log_text()


@pytest.mark.parametrize("end", ["its time is over", "the server stops", "the client leaves"])
def test_a_handshake_that_never_comes(run, end):
    """Somebody accepts, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://localhost:{silent.getsockname()[1]}"
        late = end == "its time is over"
        server = run(data_provider={"external_auth_program": url + "/auth"},
                     plugins={"authenticator": {"auth-external": {"seconds": 1 if late else 60}}})
        mark, begun = server.mark(), time.monotonic()
        with s.transport(server, None, login=False) as link:
            login = threading.Thread(target=lambda: hooks.refusal_or_in(lambda: link.auth_password("ext", SECRET, fallback=False)))
            login.start()
            silent.settimeout(seconds(20))
            with silent.accept()[0]:
                if end == "the server stops":
                    server.stop()
                elif end == "the client leaves":
                    link.close()
                else:
                    assert f"{url}: no answer in time" in failure(server, mark, "ext")
                login.join()
                if not late:
                    wait_for("nobody waits for it", lambda: server.process is None or not waits(silent.getsockname()[1]))
                assert time.monotonic() - begun < seconds(20)


def waits(port):
    """Is there an established connection of somebody to this port?"""
    with open("/proc/net/tcp", encoding="ascii") as table:
        return any(line.split()[2].endswith(f":{port:04X}") and line.split()[3] == "01" for line in table.readlines()[1:])
