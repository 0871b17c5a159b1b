# SPDX-License-Identifier: Apache-2.0
"""Logins against hashes that independent programs made, and what becomes of passwords in the database.

The password is always "pass w0rd"; the command behind each row made its hash once."""
import json
import sqlite3

import pytest

import rawsftp as s
from test_cli import login
from util import wait_for

PASSWORD = "pass w0rd"
HASHES = {
    # mkpasswd -m bcrypt-a (whois 5.5.17); $2y$ is $2b$ under the name htpasswd and PHP use
    "bcrypt-2a": "$2a$05$SVh18CM3BdOrlyro8sku0ebGc8NzmLOtDW5kf/LYPTtsOA7PWoST2",
    "bcrypt-2b": "$2b$05$GJEbzzV2/j19ju/ObepgDeIWuVmgtuKkuLDxIlvF0otPl05xJ/xVq",
    "bcrypt-2y": "$2y$05$GJEbzzV2/j19ju/ObepgDeIWuVmgtuKkuLDxIlvF0otPl05xJ/xVq",
    # mkpasswd -m md5crypt, sha256crypt, sha512crypt, sha512crypt -R 2000
    "md5crypt": "$1$im.kzOzg$9UGsNjg7ezCH4lquOE0mJ0",
    "sha256crypt": "$5$96CtlRihCYPEDIvJ$dbE7F0SXkE.JOm2pa9XymrS7bZOuPX6XitdQ6WSBKO4",
    "sha512crypt": "$6$u0IZas569Tmj2Dtk$VQK3tW4vFjbDZkRjmOA37AeblX.CEoDBwEOKX1UFQX5iYBlrzUnZPCIcSAjekoTgEGYoHXH1vJ/qraz296s86/",
    "sha512crypt-rounds": "$6$rounds=2000$yiRfv7GcM9p7kGx9$9OWAnv6eI1pcwWbXkI73OF7X6hAf22.1neQZozKbmB31Gs7KF/WEasuLaOhx.wRCvG4L.4hreE3eio6bOMfrC.",
    # mkpasswd -m yescrypt
    "yescrypt": "$y$j9T$2oDvfT8h7T75ZS349F57X1$C.qp2lOnV0SUS8DGv8J7yyBWbs6Xpq4E11aFq.dTdY7",
    # openssl passwd -apr1 -salt Xy12Zq90 'pass w0rd'
    "apr1": "$apr1$Xy12Zq90$saKO2D5REVQP9Z0z5vzEQ/",
    # python3: base64.b64encode(hashlib.pbkdf2_hmac("sha1", b"pass w0rd", b"Na/Cl.1234", 1200)), also sha256, sha512
    "pbkdf2-sha1": "$pbkdf2-sha1$1200$Na/Cl.1234$kgvF+kJcU/cNaB1tqmoraYKGF58=",
    "pbkdf2-sha256": "$pbkdf2-sha256$1200$Na/Cl.1234$QZINE616cYlshScx1sbAl5G4WngwkHSTWHVdJdOJ2Pc=",
    "pbkdf2-sha512": "$pbkdf2-sha512$1200$Na/Cl.1234$cRrq0QhGUSQILSg0vpLQ2l8COpx9cKTMdwVZXAtiJPGO2ZNlZRZmwYPxaMa7lrxTRYCglmMssJUziAM59DIpJw==",
}
OWN = "$argon2id$v=19$m=65536,t=3,p=2$"


def add_with(server, name, password, tmp_path):
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"password": password}))
    return server.add_account(name, password="", kinds=(), options=["--json", record])


def stored(server, name):
    with sqlite3.connect(server.config_dir / "sallyport.db") as db:
        return db.execute("select password from users where username = ?", (name,)).fetchone()[0]


@pytest.mark.parametrize("scheme", HASHES)
def test_hashes_of_other_programs_let_in_and_stay(server, tmp_path, scheme):
    add_with(server, scheme, HASHES[scheme], tmp_path)
    assert login(server, scheme, PASSWORD)
    for wrong in (PASSWORD + "x", PASSWORD[:-1], HASHES[scheme]):
        assert not login(server, scheme, wrong)
    assert stored(server, scheme) == HASHES[scheme]


def test_plain_passwords_are_hashed_on_save(server, tmp_path):
    add_with(server, "plain", PASSWORD, tmp_path)
    first = stored(server, "plain")
    assert first.startswith(OWN) and PASSWORD not in first
    assert login(server, "plain", PASSWORD) and not login(server, "plain", first)
    server.cli("user", "update", "plain", "--password-stdin", input="second\n")
    assert stored(server, "plain").startswith(OWN) and stored(server, "plain") != first
    assert login(server, "plain", "second") and not login(server, "plain", PASSWORD)


def test_a_hash_that_is_malformed_lets_nobody_in(server, tmp_path):
    for number, text in enumerate(("$2a$", "$6$x", "$1$", "$argon2id$v=18$m=1,t=1,p=1$YQ$YQ", "$pbkdf2-sha1$1$s$YQ==")):
        add_with(server, f"malformed{number}", text, tmp_path)
        assert stored(server, f"malformed{number}") == text
        assert not login(server, f"malformed{number}", PASSWORD) and not login(server, f"malformed{number}", text)


def test_hashes_are_upgraded_at_login_when_asked_for(make_server, tmp_path):
    server = make_server(config={"data_provider": {"upgrade_password_hashes": True}})
    try:
        add_with(server, "old", HASHES["md5crypt"], tmp_path)
        own = server.add_account("own", password=PASSWORD)
        before = stored(server, "own")
        server.start()
        assert not login(server, "old", "wrong")
        assert stored(server, "old") == HASHES["md5crypt"]
        assert login(server, "old", PASSWORD)
        wait_for("the hash is argon2id", lambda: stored(server, "old").startswith(OWN))
        assert login(server, "old", PASSWORD) and not login(server, "old", "wrong")
        assert login(server, "own", PASSWORD)
        with s.session(server, own):
            pass
    finally:
        server.stop()
    assert stored(server, "own") == before


def test_manage_users_0_keeps_old_hashes(make_server, tmp_path):
    server = make_server()
    try:
        add_with(server, "old", HASHES["md5crypt"], tmp_path)
        server.config["data_provider"].update(manage_users=0, upgrade_password_hashes=True)
        server.write_config()
        server.start()
        assert login(server, "old", PASSWORD)
    finally:
        server.stop()
    assert stored(server, "old") == HASHES["md5crypt"]
