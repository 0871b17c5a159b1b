# SPDX-License-Identifier: Apache-2.0
"""REST API: what a browser sends for a page from elsewhere is refused, what programs send is not."""
import pytest

from rest import Rest, operations
from test_rest_auth import openssl_hash, write

pytestmark = pytest.mark.ours
FOREIGN = [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1"},
           {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Referer": "http://evil.example/page"}]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_pages_from_elsewhere_change_and_read_nothing(rest, rest_server, headers):
    user = rest.add(rest_server, "kept")
    for method, path, body in [("PUT", f"user/{user['id']}", '{"status": 0}'), ("POST", "user", '{"username": "evil"}'),
                               ("DELETE", f"user/{user['id']}", None), ("GET", "user", None), ("GET", "/metrics", None),
                               ("GET", "dumpdata?output_file=stolen.json", None), ("POST", "quota_scan", '{"username": "kept"}')]:
        status, error, _ = rest.call(method, path, body, {**headers, "Content-Type": "text/plain"}).said
        assert status == 403 and "other sites" in error, (method, path)
    assert rest.user("kept") == user and not (rest_server.config_dir / "backups/stolen.json").exists()
    assert rest.call("GET", "health", headers=headers).status == 200, "it tells nothing"
    rest.delete(f"user/{user['id']}")


def test_no_endpoint_is_forgotten(rest):
    for method, path, guarded in operations():
        status = rest.call(method, path, headers={"Origin": "http://evil.example"}).status
        assert status == (403 if guarded else 200), f"{method} {path}"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example"])
def test_names_that_are_made_to_point_here(rest, host):
    """DNS rebinding: for the browser the page is of the same origin."""
    status, error, _ = rest.call("GET", "user", headers={"Host": host, "Origin": f"http://{host}"}).said
    assert status == 403 and "httpd.allowed_hosts" in error


@pytest.mark.parametrize("headers", [
    {}, {"Content-Type": "application/x-www-form-urlencoded"}, {"Host": "localhost:8080"}, {"Host": "sallyport"},
    {"Host": "[::1]:8080"}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"},
    {"Host": "localhost:8080", "Origin": "http://localhost:8080"},
    {"Host": "localhost:8080", "Referer": "http://localhost:8080/web"}], ids=str)
def test_programs_and_own_pages(rest, headers):
    assert rest.call("PUT", "user/4711", "{}", headers).status == 404
    assert rest.call("GET", "version", headers=headers).status == 200


def test_names_that_are_allowed(make_server):
    server = make_server(config={"httpd": {"bind_port": -1, "allowed_hosts": ["files.example", "admin.example:8443"]}})
    server.start()
    try:
        rest = Rest(server.rest_url)
        for host in ("files.example", "files.example:1", "admin.example:8443"):
            assert rest.call("GET", "version", headers={"Host": host}).status == 200
        assert rest.call("GET", "version", headers={"Host": "admin.example"}).status == 403
        assert rest.call("GET", "version", headers={"Origin": "https://files.example"}).status == 200
    finally:
        server.stop()


def test_with_a_password_any_name_will_do(make_server):
    """No page knows the password, but a browser adds it to requests of any page."""
    server = make_server(config={"httpd": {"bind_port": -1, "auth_user_file": "admins"}})
    write(server.config_dir / "admins", f"root:{openssl_hash('1', 'one')}\n")
    server.start()
    try:
        rest = Rest(server.rest_url, "root", "one")
        assert rest.call("GET", "version", headers={"Host": "any.example"}).status == 200
        assert rest.call("GET", "version", headers={"Origin": "http://evil.example"}).status == 403
        assert Rest(server.rest_url).call("GET", "version", headers={"Host": "any.example"}).status == 401
    finally:
        server.stop()
