# SPDX-License-Identifier: Apache-2.0
"""What tests of hooks share: programs as files, an HTTP service that remembers what it was asked, logins in one line,
accounts as they are stored. Knows no test."""
import contextlib
import http.server
import json
import os
import sqlite3
import threading
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import paramiko
import pytest

import rawsftp as s
from util import wait_for


def program(directory, name, text):
    """An executable file; without a first line of its own it is a shell script."""
    path = Path(directory) / name
    path.write_text(text if text.startswith("#!") else "#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


@pytest.fixture
def run(make_server):
    """run(accounts, section={...}) gives a started server; all are stopped at the end, and must end well."""
    started = []

    def make(accounts=(), **config):
        instance = make_server(config=config)
        for name in accounts:
            instance.add_account(name)
        started.append(instance)
        return instance.start()
    yield make
    for instance in started:
        instance.stop()


def recorder(tmp_path, answer, name="external", before=""):
    """A program that appends its SFTPGO_ variables to a file, and writes `answer`."""
    return program(tmp_path, name, f"""{before}
env -0 | grep -z '^SFTPGO_AUTHD\\|^SFTPGO_LOGIND' | sort -z >> {tmp_path}/{name}.seen
printf '\\0' >> {tmp_path}/{name}.seen
cat <<'END'
{answer}
END
""")


def seen(tmp_path, name="external"):
    """The variables of each run."""
    text = (tmp_path / f"{name}.seen").read_text() if (tmp_path / f"{name}.seen").exists() else ""
    return [dict(entry.split("=", 1) for entry in one.split("\0") if entry) for one in text.split("\0\0") if one]


def user_json(name, home, **members):
    """A user as an external program writes it."""
    return {"status": 1, "username": name, "expiration_date": 0, "home_dir": str(home), "uid": 0, "gid": 0, "max_sessions": 0,
            "quota_size": 0, "quota_files": 0, "permissions": {"/": ["*"]}, "upload_bandwidth": 0, "download_bandwidth": 0,
            "filters": {"allowed_ip": [], "denied_ip": []}, "public_keys": [], **members}


def stored(server, name):
    """The account's row; None when there is none."""
    with contextlib.closing(sqlite3.connect(server.config_dir / "sallyport.db")) as database:
        database.row_factory = sqlite3.Row
        row = database.execute("SELECT * FROM users WHERE username = ?", (name,)).fetchone()
        return dict(row) if row else None


def refusal_or_in(login):
    try:
        login()
        return "in"
    except paramiko.SSHException as refusal:
        return type(refusal).__name__


def by_password(server, user, password):
    with s.transport(server, None, login=False) as link:
        return refusal_or_in(lambda: link.auth_password(user, password, fallback=False))


def by_key(server, user, key):
    with s.transport(server, None, login=False) as link:
        return refusal_or_in(lambda: link.auth_publickey(user, paramiko.Ed25519Key.from_private_key_file(str(key))))


def by_questions(server, user, *rounds):
    """(outcome, what was asked: instruction and prompts with echo flags of each round)."""
    asked, left = [], list(rounds)

    def reply(title, instruction, prompts):
        assert title == "", "nothing is said about the server"
        asked.append((instruction, prompts))
        return left.pop(0) if left else [""] * len(prompts)

    with s.transport(server, None, login=False) as link:
        return refusal_or_in(lambda: link.auth_interactive(user, reply)), asked


def failure(server, start, user):
    """The one line about a login that failed."""
    wait_for("the line about the refusal", lambda: failures(server, start, user))
    lines = failures(server, start, user)
    assert len(lines) == 1, lines
    return lines[0]


def failures(server, start, user):
    return [line["error"] for line in server.log_lines(start)
            if line.get("sender") == "connection_failed" and line["username"] == user]


def processes_with(word):
    """Programs that run with this word in their arguments or environment."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            text = Path(f"/proc/{entry}/cmdline").read_bytes() + Path(f"/proc/{entry}/environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(word) in text:
            found.append(int(entry))
    return found


def children(pid):
    """All that the process has as children, zombies included."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError):
            found += Path(f"/proc/{pid}/task/{task}/children").read_text().split()
    return found


@dataclass
class Asked:
    method: str
    path: str
    raw_query: str
    headers: dict
    body: str

    @property
    def query(self):
        return dict(parse_qsl(self.raw_query, keep_blank_values=True))

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Service:
    """answers: path -> function of an Asked that gives (status, text); a path that is not there gives 404."""
    url: str = ""
    asked: list = field(default_factory=list)
    answers: dict = field(default_factory=dict)


@contextlib.contextmanager
def service(tls=None):
    """`tls`: an ssl.SSLContext; then it is one of https, by name."""
    made = Service()

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            asked = Asked(self.command, parts.path, parts.query, dict(self.headers), body)
            made.asked.append(asked)
            status, text = made.answers.get(parts.path, lambda _: (404, ""))(asked)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())
        do_GET = do_POST = answer

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # who refuses our certificate is expected
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    if tls is not None:
        # The handshake is for the thread of the connection.
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        made.url = f"https://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
