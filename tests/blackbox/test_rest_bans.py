# SPDX-License-Identifier: Apache-2.0
"""REST API: who the defender refuses, and letting them in again."""
import pytest

from rest import Rest
from test_defender import login

pytestmark = pytest.mark.ours


@pytest.fixture(scope="module")
def guarded(make_server):
    server = make_server(config={
        "httpd": {"bind_port": -1}, "sftpd": {"proxy_protocol": 1},
        "defender": {"enabled": True, "max_failures": 5, "max_failures_per_user": 2, "ban_time": 3600, "allowed": []}})
    server.add_account("alice")
    server.add_account("bob")
    server.start()
    server.api = Rest(server.rest_url)
    yield server
    server.stop()


def fail(server, client, user, times):
    for _ in range(times):
        login(server, client, user, "wrong")


def test_a_name_at_an_address(guarded):
    assert guarded.api.get("ban").json == []
    fail(guarded, "192.0.2.1", "alice", 2)
    (ban,) = guarded.api.get("ban").json
    assert (ban["network"], ban["username"]) == ("192.0.2.1", "alice") and 3500 < ban["seconds_left"] <= 3600
    assert login(guarded, "192.0.2.1", "alice") is False
    assert guarded.api.delete("ban?network=192.0.2.1&username=bob").said == (404, "", "Not Found")
    mark = guarded.mark()
    assert guarded.api.delete("ban?network=192.0.2.1&username=alice").said == (200, "", "Ban lifted")
    guarded.wait_log(lambda l: l["sender"] == "defender" and "let in again" in l["message"], start=mark)
    assert login(guarded, "192.0.2.1", "alice") and guarded.api.get("ban").json == []


def test_everybody_in_a_network(guarded):
    for number in range(5):
        fail(guarded, f"2001:db8::{number}", f"guess{number}", 1)
    (ban,) = guarded.api.get("ban").json
    assert (ban["network"], ban["username"]) == ("2001:db8::/64", "")
    assert login(guarded, "2001:db8::ffff", "bob") is None
    assert guarded.api.delete("ban?network=2001:db8::ffff").said == (200, "", "Ban lifted")
    assert login(guarded, "2001:db8::ffff", "bob")
    assert guarded.api.delete("ban?network=2001:db8::ffff").status == 404


@pytest.mark.parametrize("query, status", [("", 400), ("?network=", 400), ("?username=alice", 400), ("?network=nonsense", 404)])
def test_bad_parameters(guarded, query, status):
    assert guarded.api.delete("ban" + query).status == status
