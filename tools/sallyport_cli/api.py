# SPDX-License-Identifier: Apache-2.0
"""Requests to the REST API and their answers. Knows HTTP, no commands."""
import base64
import http.client
import json
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request

TIMEOUT_S = 600  # restores and dumps of many accounts take their time
HIDDEN = ("password", "access_secret", "credentials")


class Unreachable(Exception):
    pass


def hide(value):
    """The same JSON without secrets, for the eyes of whoever debugs."""
    if isinstance(value, dict):
        return {name: "..." if name in HIDDEN else hide(member) for name, member in value.items()}
    return [hide(entry) for entry in value] if isinstance(value, list) else value


class Api:
    def __init__(self, base_url, user=None, password=None, auth_type="basic", insecure=False, debug=False):
        self.base_url, self.debug = base_url.rstrip("/"), debug
        self.headers, self.secret_headers = {"Content-Type": "application/json"}, {}
        context = ssl.create_default_context()
        if insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        handlers = [urllib.request.HTTPSHandler(context=context)]
        if user is not None and auth_type == "digest":
            known = urllib.request.HTTPPasswordMgrWithDefaultRealm()
            known.add_password(None, self.base_url, user, password)
            handlers.append(urllib.request.HTTPDigestAuthHandler(known))
        elif user is not None:
            words = base64.b64encode(f"{user}:{password}".encode()).decode()
            self.secret_headers["Authorization"] = f"Basic {words}"
        if urllib.parse.urlsplit(self.base_url).hostname in ("localhost", "127.0.0.1", "::1"):
            handlers.append(urllib.request.ProxyHandler({}))  # a proxy has no business between this machine and itself
        self.opener = urllib.request.build_opener(*handlers)

    def call(self, method, path, body=None, **query):
        """Status code and JSON of the answer; the text of a refusal that is none, as proxies send it."""
        query = {name: value for name, value in query.items() if value is not None}
        url = f"{self.base_url}/api/v1/{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        if self.debug:
            print(method, url, "" if body is None else json.dumps(hide(body)), file=sys.stderr)
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, self.headers, method=method)
        for name, value in self.secret_headers.items():
            request.add_unredirected_header(name, value)  # another server must not hear it
        try:
            try:
                answer = self.opener.open(request, timeout=TIMEOUT_S)
            except urllib.error.HTTPError as refused:
                answer = refused
            with answer:
                text = answer.read().decode("utf-8", "replace")
        except http.client.HTTPException as problem:
            raise Unreachable(f"no HTTP server answers at {self.base_url}, or its answer was cut off: "
                              f"{str(problem).strip() or type(problem).__name__}") from None
        except (OSError, ValueError) as problem:
            raise Unreachable(f"no answer from {self.base_url}: {getattr(problem, 'reason', problem)}") from None
        if self.debug:
            print(answer.status, dict(answer.headers), file=sys.stderr)
        try:
            return answer.status, json.loads(text)
        except ValueError:
            if 200 <= answer.status < 300:
                raise Unreachable(f"what answers at {self.base_url} is no administration server: the answer is not JSON") from None
            return answer.status, text


def segment(text):
    """A text as one part of a path."""
    return urllib.parse.quote(str(text), safe="")
