# SPDX-License-Identifier: Apache-2.0
"""A client of the REST API that holds every answer against openapi.yaml (with python3-jsonschema, which knows nothing of
us) and adds users in the API's terms. Knows HTTP, no tests."""
import base64
import http.client
import json
import re
import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import jsonschema
import yaml

from util import seconds, wait_for

OPENAPI = Path(__file__).resolve().parents[2] / "plugins/admin-http/openapi.yaml"

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


@lru_cache(maxsize=None)
def description():
    return yaml.safe_load(OPENAPI.read_text())


def resolve(node):
    """What a reference into the description leads to."""
    while "$ref" in node:
        target = description()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def operations():
    """Method, path with something in its holes, and whether it needs a password: each endpoint of the description."""
    for template, item in description()["paths"].items():
        for method in set(item) & {"get", "post", "put", "delete"}:
            yield method.upper(), re.sub(r"{\w+}", "1", template), item[method].get("security") != []


def operation_of(method, path):
    path = urlsplit(path).path
    for template, item in description()["paths"].items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template.replace(".", "[.]")), path):
            return item.get(method.lower())
    return None


def check_described(method, path, answer):
    """An endpoint's answer must be one of those that the description promises, in status, content type and content."""
    operation = operation_of(method, path)
    if operation is None:
        assert answer.status in (404, 405), f"{method} {path} answers {answer.status} and is not described"
        return
    assert str(answer.status) in operation["responses"], f"{method} {path}: {answer.status} is not described"
    content = resolve(operation["responses"][str(answer.status)])["content"]
    kind = answer.headers["content-type"].split(";")[0]
    assert kind in content, f"{method} {path}: content type {kind} is not described"
    if kind == "application/json":
        schema = {**content[kind]["schema"], "components": description()["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json)


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
        if method != "HEAD":
            check_described(method, path, answer)
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
