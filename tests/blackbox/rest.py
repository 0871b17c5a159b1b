# SPDX-License-Identifier: Apache-2.0
"""A client of the REST API that checks the form of every answer, and users in the API's terms. Knows HTTP, no tests."""
import base64
import http.client
import json
import ssl
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from util import seconds, wait_for

HASH = "$1$saltsalt$9xy1btjgzLYfb7hivXtC//"  # of "secret", quick to check


@dataclass
class Answer:
    status: int
    headers: dict
    text: str

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def said(self):
        """Status, error and message of an envelope, whose form must be right."""
        body = self.json
        assert list(body)[:3] == ["error", "message", "status"] and body["status"] == self.status, self.text
        return self.status, body["error"], body["message"]


class Rest:
    def __init__(self, url, user=None, password=None, trust=None):
        parts = urlsplit(url)
        self.host, self.port, self.tls = parts.hostname, parts.port, parts.scheme == "https"
        self.headers = {}
        self.context = None
        if user is not None:
            self.headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        if self.tls:
            self.context = ssl.create_default_context(cafile=trust)
            self.context.check_hostname = False

    def connect(self):
        if self.tls:
            return http.client.HTTPSConnection(self.host, self.port, timeout=seconds(30), context=self.context)
        return http.client.HTTPConnection(self.host, self.port, timeout=seconds(30))

    def call(self, method, path, body=None, headers=None, connection=None):
        """`body`: bytes and texts go as they are, anything else as JSON. Paths without a leading slash are below /api/v1/."""
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        path = path if path.startswith("/") else "/api/v1/" + path
        used = connection or self.connect()
        try:
            used.request(method, path, body, {**self.headers, **(headers or {})})
            response = used.getresponse()
            answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()},
                            "" if method == "HEAD" else response.read().decode())
            if method == "HEAD":
                response.read()
        finally:
            if connection is None:
                used.close()
        if answer.headers.get("content-type", "").startswith("application/json") and method != "HEAD":
            assert answer.headers["content-type"] == "application/json; charset=utf-8"
            assert answer.text.endswith("\n") and answer.text.count("\n") == 1, answer.text
            assert not set("<>&") & set(answer.text), answer.text
        return answer

    def get(self, path, **query):
        return self.call("GET", path + ("?" + urlencode(query) if query else ""))

    def post(self, path, body):
        return self.call("POST", path, body)

    def put(self, path, body):
        return self.call("PUT", path, body)

    def delete(self, path):
        return self.call("DELETE", path)

    def add(self, server, name, **fields):
        """A new account that may do everything in its own home."""
        home = server.directory / "homes" / name
        home.mkdir(parents=True, exist_ok=True)
        answer = self.post("user", {"username": name, "password": HASH, "home_dir": str(home), "status": 1,
                                    "permissions": {"/": ["*"]}, **fields})
        assert answer.status == 200, answer.text
        return answer.json

    def user(self, name):
        found = self.get("user", username=name).json
        assert len(found) == 1
        return found[0]

    def wait_for_scans(self):
        wait_for("the end of all quota scans", lambda: self.get("quota_scan").json == [])
