# SPDX-License-Identifier: Apache-2.0
"""REST API: what is not about accounts. Information, mistakes in requests, access log, metrics, life of the server."""
import json
import re
import signal
import socket
import sqlite3
import threading
import urllib.parse

import pytest

import rawsftp as s
from rest import OPENAPI, Rest, description, jsonschema, yaml
from util import run, seconds
from server import binary

pytestmark = pytest.mark.ours


def connected(rest):
    return socket.create_connection((rest.host, rest.port), timeout=seconds(30))


def everything(link):
    """Until the server ends the connection."""
    text = b""
    while data := link.recv(65536):
        text += data
    return text


@pytest.fixture
def fresh(make_server):
    """Makes servers that are stopped at the end."""
    made = []

    def make(**httpd):
        made.append(make_server(config={"httpd": {"bind_port": -1, **httpd}}))
        return made[-1]
    yield make
    for server in made:
        server.stop()


class TestInformation:
    def test_version(self, rest):
        version = rest.get("version").json
        assert list(version) == ["version", "build_date", "commit_hash"]
        assert version["version"] in run([binary(), "--version"]).stdout

    def test_provider_status(self, rest):
        assert rest.get("providerstatus").said == (200, "", "Alive")

    def test_health(self, rest):
        assert rest.get("health").said == (200, "", "Alive")

    def test_plugins(self, rest):
        plugins = {plugin["name"]: plugin for plugin in rest.get("plugins").json}
        assert set(plugins) == {"fs-local", "provider-sqlite", "admin-http"}
        schema = plugins["admin-http"]["provides"][0]["config_schema"]
        assert schema["properties"]["bind_port"]["default"] == 8080

    def test_capabilities_are_left_out_until_somebody_used_the_storage(self, fresh):
        server = fresh()
        server.add_account("alice")
        server.start()
        rest = Rest(server.rest_url)

        def storage():
            (plugin,) = [each for each in rest.get("plugins").json if each["name"] == "fs-local"]
            return plugin["provides"][0]
        assert "capabilities" not in storage(), "an empty list would say that it can do nothing"
        with s.session(server, server.accounts["alice"]):
            assert "random-write" in storage()["capabilities"]

    def test_connections(self, rest):
        assert rest.get("connection").json == []
        assert rest.delete("connection/" + "ab" * 32).said == (404, "", "Not Found")

    def test_description(self, rest):
        served = rest.get("openapi.yaml").text
        assert served == OPENAPI.read_text()
        assert yaml.safe_load(served)["openapi"] == "3.1.0"
        for schema in description()["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)


class TestMistakes:
    @pytest.mark.parametrize("path", ["/", "/x", "/api", "/api/v1", "/api/v1/", "/api/v1/users", "/api/v1/user/", "/api/v1/user/1/2",
                                      "/api/v2/version", "/metrics/", "/api/v1/version/"])
    def test_unknown_routes(self, rest, path):
        answer = rest.call("GET", path)
        assert answer.said == (404, "", "Not Found")
        assert answer.text == '{"error":"","message":"Not Found","status":404}\n'

    @pytest.mark.parametrize("method, path", [("POST", "version"), ("PUT", "user"), ("PATCH", "user/1"), ("DELETE", "user"),
                                              ("POST", "dumpdata"), ("OPTIONS", "user"), ("POST", "/metrics")])
    def test_wrong_methods(self, rest, method, path):
        assert rest.call(method, path).said == (405, "", "Method not allowed")

    def test_head(self, rest, rest_server):
        full = rest.get("version")
        head = rest.call("HEAD", "version")
        assert head.status == 200
        for name in ("content-type", "content-length"):
            assert head.headers[name] == full.headers[name]
        assert rest.call("HEAD", "user/4711").status == 404
        assert rest.call("HEAD", "nothing").status == 404
        assert rest.call("HEAD", "dumpdata?output_file=head.json").status == 405
        assert not (rest_server.config_dir / "backups/head.json").exists()

    def test_large_bodies(self, rest):
        assert rest.post("user", b" " * 1048576).status == 400
        assert rest.post("user", b" " * 1048577).said == (413, "request body too large", "")
        assert rest.post("quota_scan", b" " * (8 * 1048576)).status == 413
        assert rest.put("user/1", b" " * 1048577).status == 413

    def test_a_body_without_a_known_length(self, rest):
        connection = rest.connect()
        connection.request("POST", "/api/v1/quota_scan", iter([b'{"user', b'name": "nobody"}']), encode_chunked=True,
                           headers={"Transfer-Encoding": "chunked"})
        answer = connection.getresponse()
        assert answer.status == 404 and answer.read()
        connection.request("POST", "/api/v1/user", (b" " * 65536 for _ in range(20)), encode_chunked=True,
                           headers={"Transfer-Encoding": "chunked"})
        assert connection.getresponse().status == 413

    def test_a_body_that_is_cut_off(self, rest, rest_server):
        user, whole = rest.add(rest_server, "whole"), b'{"status": 0}'
        with socket.create_connection((rest.host, rest.port), timeout=seconds(30)) as link:
            link.sendall(f"PUT /api/v1/user/{user['id']} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n".encode())
            link.sendall(whole)
            link.shutdown(socket.SHUT_WR)
            assert link.recv(65536).startswith(b"HTTP/1.1 400")
        for chunks in (b"d\r\n" + whole, b"d\r\n" + whole + b"\r\n", b"d\r\n" + whole + b"\r\n0\r\n", b"63\r\n" + whole, b"d\r\n" + whole + b"0\r\n\r\n",
                       b"d\n" + whole + b"\n0\n\n", b"xd\r\n" + whole + b"\r\n0\r\n\r\n", b"+d\r\n" + whole + b"\r\n0\r\n\r\n", b"d\r\n" + whole + b"\r\n-1\r\n\r\n",
                       b"1000000000000000d\r\n" + whole + b"\r\n0\r\n\r\n", b"d\r\n" + whole + b"\r\n0\r\n" + b"a: " + b"b" * 8190 + b"\r\n\r\n"):
            with connected(rest) as link:
                link.sendall(f"PUT /api/v1/user/{user['id']} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + chunks)
                link.shutdown(socket.SHUT_WR)
                assert link.recv(65536).startswith(b"HTTP/1.1 400"), chunks[:40]
        assert rest.user("whole") == user
        rest.delete(f"user/{user['id']}")

    def test_a_head_that_is_cut_off(self, rest, rest_server):
        user = rest.add(rest_server, "head")
        head = f"DELETE /api/v1/user/{user['id']} HTTP/1.1\r\nHost: x\r\n".encode()
        for part in (head, head[:-1], head[:-2], head + b"\r", head.replace(b"\r\n", b"\n"), head[:-2].replace(b"\r\n", b"\n")):
            with connected(rest) as link:
                link.sendall(part)
                link.shutdown(socket.SHUT_WR)
                assert everything(link).startswith(b"HTTP/1.1 400 "), part
        assert rest.user("head") == user
        with connected(rest) as link:
            link.sendall(head.replace(b"\r\n", b"\n") + b"Connection: close\n\n")
            assert everything(link).startswith(b"HTTP/1.1 200 "), "whole, though with bare line feeds"

    @pytest.mark.parametrize("framing", [
        b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked, chunked", b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked\r\nContent-Length: 5",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"Content-Length: 5\r\ncontent-length: 0", b"Content-Length: 5\r\nContent-Length: 5",
        b"Content-Length: 0,5", b"Content-Length: 5, 5", b"Content-Length: +5", b"Content-Length: 0x5", b"Content-Length: 5 5", b"Content-Length:",
        b"Content-Length : 5", b"Transfer-Encoding : chunked", b"Transfer-Encoding:"], ids=repr)
    def test_requests_whose_end_is_unclear_are_refused(self, rest, framing):
        """A proxy that sees another end would let its clients hide a request in the body."""
        with connected(rest) as link:
            link.sendall(b"POST /api/v1/quota_scan HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n0\r\n\r\nGET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
            text = everything(link)
        assert text.startswith(b"HTTP/1.1 400 ") and text.count(b"HTTP/1.1 ") == 1 and b"Connection: Close" in text

    def test_chunks_with_everything_that_may_be_there(self, rest):
        body = (b'00A;name="va;lue"\r\n{"username\r\n' b'B ; x\r\n": "nobody"\r\n' b'1\r\n}\r\n' b'000;last\r\nX-Trailer: a\r\nContent-Length: 7\r\n\r\n')
        with connected(rest) as link:
            link.sendall(b"POST /api/v1/quota_scan HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n" + body +
                         b"\r\nGET /api/v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            text = everything(link)
        assert text.startswith(b"HTTP/1.1 404 ") and b"HTTP/1.1 200 OK\r\n" in text, "the empty line between them is skipped"

    @pytest.mark.parametrize("line", [b"GET / FOO", b"GET /api/v1/health HTTP/1.2", b"GET /api/v1/health HTTP/2.0", b"GET /api/v1/health http/1.1",
                                      b"GET /api/v1/health"], ids=repr)
    def test_other_versions_are_refused_and_counted(self, rest, rest_server, line):
        def refused():
            return int(re.search(r"^sftpgo_http_client_errors_total (\d+)$", rest.get("/metrics").text, re.M)[1])
        before, mark = refused(), rest_server.mark()
        with connected(rest) as link:
            link.sendall(line + b"\r\nHost: x\r\n\r\n")
            assert everything(link).startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert rest_server.wait_log(lambda l: l.get("resp_status") == 400, start=mark)["sender"] == "httpd"
        assert refused() == before + 1

    @pytest.mark.parametrize("data", [b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/9.9\r\n\r\n",
                                      b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", b"x" * 100000,
                                      b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 1000 + b"\r\n",
                                      b"POST /api/v1/user HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
                                      b"POST /api/v1/user HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"],
                             ids=lambda data: repr(data[:30]))
    def test_what_is_no_request(self, rest, data):
        with socket.create_connection((rest.host, rest.port), timeout=seconds(30)) as link:
            try:
                link.sendall(data)
                link.shutdown(socket.SHUT_WR)
                answer = link.recv(65536)
            except OSError:
                answer = b""
            assert not answer.startswith(b"HTTP/1.1 2")
        assert rest.get("health").status == 200

    @pytest.mark.parametrize("length", [b"99999999999999999999", b"x", b"-5"])
    def test_a_length_that_is_none_is_refused(self, rest, length):
        with connected(rest) as link:
            link.sendall(b"POST /api/v1/user HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n")
            assert everything(link).startswith(b"HTTP/1.1 400 ")

    def test_requests_that_do_not_wait_for_each_other(self, rest):
        with connected(rest) as link:
            link.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n" * 3 + b"GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            text = everything(link)
        assert text.count(b"HTTP/1.1 200 OK\r\n") == 3 and text.count(b"Connection: Keep-Alive\r\n") == 3
        assert text.count(b"HTTP/1.1 404 Not Found\r\n") == 1 and text.count(b"Connection: Close\r\n") == 1

    def test_who_asks_before_it_sends_is_told_to(self, rest):
        with connected(rest) as link:
            link.sendall(b"POST /api/v1/quota_scan HTTP/1.1\r\nHost: x\r\nContent-Length: 22\r\nExpect: 100-continue\r\n"
                         b"Connection: close\r\n\r\n")
            assert link.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
            link.sendall(b'{"username": "nobody"}')
            assert everything(link).startswith(b"HTTP/1.1 404 ")
        with connected(rest) as link:
            link.sendall(b"POST /api/v1/quota_scan HTTP/1.0\r\nContent-Length: 22\r\nExpect: 100-continue\r\n\r\n{\"username\": \"nobody\"}")
            assert everything(link).startswith(b"HTTP/1.0 404 "), "who speaks 1.0 knows no such thing, and that connection ends"

    def test_a_connection_has_its_last_request(self, rest):
        connection, ends = rest.connect(), []
        while "close" not in ends:
            connection.request("GET", "/api/v1/health")
            answer = connection.getresponse()
            assert answer.status == 200 and answer.read()
            ends.append(answer.headers["Connection"].lower())
        connection.close()
        assert len(ends) == 1000

    def test_many_requests_on_one_connection(self, rest):
        connection = rest.connect()
        for _ in range(50):
            assert rest.call("GET", "version", connection=connection).status == 200
            assert rest.call("GET", "nothing", connection=connection).status == 404
        connection.close()


class TestAccessLog:
    def test_fields(self, rest, rest_server):
        mark = rest_server.mark()
        answer = rest.call("GET", "version?a=b", headers={"User-Agent": "tester/1 \"x\""})
        line = rest_server.wait_log(lambda l: l.get("user_agent") == "tester/1 \"x\"", start=mark)
        assert list(line) == ["level", "time", "sender", "method", "proto", "remote_addr", "request_id", "uri", "user_agent",
                              "resp_status", "resp_size", "elapsed_ms"]
        assert (line["level"], line["sender"], line["method"], line["proto"]) == ("info", "httpd", "GET", "HTTP/1.1")
        assert re.fullmatch(r"127\.0\.0\.1:\d+", line["remote_addr"])
        assert re.fullmatch(r".+/[A-Za-z0-9]{10}-\d{6}", line["request_id"])
        assert line["uri"] == f"http://127.0.0.1:{rest.port}/api/v1/version?a=b"
        assert (line["resp_status"], line["resp_size"]) == (200, len(answer.text)) and line["elapsed_ms"] >= 0

    def test_what_proxies_say(self, rest, rest_server):
        mark = rest_server.mark()
        rest.call("DELETE", "connection/x", headers={"X-Real-IP": "192.0.2.1", "X-Request-Id": "mine"})
        line = rest_server.wait_log(lambda l: l.get("request_id") == "mine", start=mark)
        assert (line["remote_addr"], line["resp_status"]) == ("192.0.2.1", 404)
        rest.call("GET", "version", headers={"X-Forwarded-For": "192.0.2.7, 198.51.100.1", "X-Request-Id": "several"})
        line = rest_server.wait_log(lambda l: l.get("request_id") == "several", start=mark)
        assert line["remote_addr"] == "192.0.2.7"


def test_parallel_clients(rest, rest_server):
    users = [rest.add(rest_server, f"p{i}") for i in range(3)]
    wrong = []

    def work(number):
        mine = users[number % len(users)]
        connection = rest.connect()
        for i in range(20):
            for answer in (rest.call("GET", f"user/{mine['id']}", connection=connection),
                           rest.call("PUT", f"user/{mine['id']}", json.dumps({"max_sessions": i}), connection=connection)):
                if answer.status != 200:
                    wrong.append(answer)
        connection.close()
    threads = [threading.Thread(target=work, args=(i,)) for i in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    for user in users:
        rest.delete(f"user/{user['id']}")


class TestLife:
    def test_off(self, make_server):
        server = make_server()
        server.start()
        assert not [line for line in server.log_lines() if line.get("sender") == "httpd"]
        server.stop()

    def test_a_port_that_is_taken(self, fresh):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            server = fresh(bind_port=port)
            server.initialise()
            server.spawn()
            server.ended(1)
        assert "cannot listen on 127.0.0.1:%d (httpd.bind_address, httpd.bind_port)" % port in server.stderr_text()

    def test_two_servers_do_not_share_a_port(self, fresh):
        first = fresh()
        first.start()
        second = fresh(bind_port=Rest(first.rest_url).port)
        second.initialise()
        second.spawn()
        second.ended(1)

    @pytest.mark.parametrize("httpd, key", [
        ({"bind_address": ""}, "httpd.auth_user_file"), ({"bind_address": "0.0.0.0"}, "httpd.auth_user_file"),
        ({"backups_path": ""}, "httpd.backups_path"), ({"backups_path": ".."}, "httpd.backups_path"),
        ({"certificate_file": "cert.pem"}, "httpd.certificate_key_file"), ({"auth_user_file": "none"}, "httpd.auth_user_file"),
        ({"certificate_file": "none", "certificate_key_file": "none"}, "httpd.certificate_file"),
    ], ids=str)
    def test_refused_starts(self, fresh, httpd, key):
        server = fresh(**httpd)
        server.initialise()
        server.spawn()
        server.ended(1)
        assert key in server.stderr_text()

    def test_open_to_the_network_when_told_so(self, fresh):
        server = fresh(bind_address="", allow_insecure=True)
        server.start()
        port = urllib.parse.urlsplit(server.rest_url).port
        assert Rest(f"http://127.0.0.1:{port}").get("version").status == 200
        line = server.wait_log(lambda l: "/api/v1/version" in l.get("uri", ""))
        assert re.fullmatch(r"127\.0\.0\.1:\d+", line["remote_addr"]), "as in every other log line"
        assert [line for line in server.log_lines() if line["level"] == "warn" and "allow_insecure" in line["message"]]

    def test_idle_and_half_written_requests_do_not_hold_up_a_stop(self, fresh):
        server = fresh()
        server.start()
        rest = Rest(server.rest_url)
        idle = rest.connect()
        rest.call("GET", "version", connection=idle)
        half = socket.create_connection((rest.host, rest.port))
        half.sendall(b"POST /api/v1/user HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
        server.process.send_signal(signal.SIGTERM)
        server.ended(0, timeout=5)
        idle.close(), half.close()

    def test_an_answer_that_nobody_takes_does_not_hold_up_a_stop(self, fresh):
        server = fresh()
        server.start()
        rest = Rest(server.rest_url)
        rest.add(server, "large")
        with sqlite3.connect(server.config_dir / "sallyport.db") as database:
            database.execute("UPDATE users SET home_dir = '/' || printf('%.*c', 32000000, 'a')")
        with socket.create_connection((rest.host, rest.port)) as link:
            link.sendall(b"GET /api/v1/user HTTP/1.1\r\nHost: x\r\n\r\n")
            assert link.recv(12) == b"HTTP/1.1 200"
            server.process.send_signal(signal.SIGTERM)
            server.process.send_signal(signal.SIGTERM)  # leaves 3 seconds
            server.ended(0, timeout=10)

    def test_more_clients_than_threads(self, fresh):
        """Silent clients take every thread; they are sent away in time, and SFTP does not notice."""
        server = fresh()
        server.add_account("alice")
        server.start()
        rest = Rest(server.rest_url)
        silent = [socket.create_connection((rest.host, rest.port)) for _ in range(100)]
        with s.transport(server, server.accounts["alice"]):
            pass
        try:
            assert rest.get("health").status == 200
        finally:
            for link in silent:
                link.close()
