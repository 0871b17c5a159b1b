# SPDX-License-Identifier: Apache-2.0
"""/metrics: the names that dashboards ask for, the form that Prometheus reads, and counts that are right to the byte."""
import re
import sqlite3

import paramiko
import pytest

import rawsftp as s
from rest import Rest
from util import require, run, seconds, wait_for

pytestmark = pytest.mark.ours

CLOUD = [*(f"{kind}_{what}" for kind in ("upload", "download") for what in ("errors_total", "size")), "uploads_total",
         "downloads_total", *(f"{call}{end}" for call in ("list_objects", "copy_object", "delete_object", "head_bucket")
                              for end in ("", "_errors"))]
OF_THE_REFERENCE = {f"sftpgo_{name}" for name in [
    "dataprovider_availability", "active_connections", "uploads_total", "downloads_total", "upload_errors_total",
    "download_errors_total", "upload_size", "download_size", "ssh_commands_total", "ssh_command_errors_total",
    *(f"{method}login_{what}_total" for method in ("", "password_", "public_key_", "keyboard_interactive_")
      for what in ("attempts", "ok", "ko")),
    "http_req_total", "http_req_ok_total", "http_client_errors_total", "http_server_errors_total",
    *(f"{store}_{name}" for store in ("s3", "gcs") for name in CLOUD)]}


@pytest.fixture(scope="module")
def server(make_server):
    instance = make_server(config={"httpd": {"bind_port": -1}, "sftpd": {"enabled_ssh_commands": ["*"]}})
    instance.add_account("alice")
    instance.start()
    instance.api = Rest(instance.rest_url)
    yield instance
    instance.stop()


def text_of(server):
    answer = server.api.call("GET", "/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return answer.text


def scrape(server):
    """Values by name and labels, as written; every line must be one that Prometheus reads."""
    values, kinds = {}, {}
    for line in text_of(server).splitlines():
        if line.startswith("# HELP "):
            assert re.fullmatch(r"# HELP [a-z_0-9]+ .+", line), line
        elif line.startswith("# TYPE "):
            name, kind = re.fullmatch(r"# TYPE ([a-z_0-9]+) (counter|gauge|histogram)", line).groups()
            assert name not in kinds, f"{name} comes twice"
            kinds[name] = kind
        else:
            series, name, value = re.fullmatch(r'(([a-z_0-9]+)(?:{(?:[a-z_]+="[^"]*",?)+})?) (\S+)', line).groups()
            family = re.sub("_(bucket|sum|count)$", "", name) if kinds.get(name) is None else name
            assert family in kinds and series not in values, line
            values[series] = float(value)
    return values


def changes(before, after):
    return {name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name, 0)}


def test_every_name_of_the_reference_from_the_start(make_server):
    instance = make_server(config={"httpd": {"bind_port": -1}})
    instance.start()
    instance.api = Rest(instance.rest_url)
    try:
        values = scrape(instance)
        assert len(OF_THE_REFERENCE) == 54
        assert {name for name in values if name.startswith("sftpgo_")} == OF_THE_REFERENCE
        assert values["sftpgo_dataprovider_availability"] == 1
        assert sum(values[name] for name in OF_THE_REFERENCE - {"sftpgo_dataprovider_availability"}) == 0
    finally:
        instance.stop()


def test_promtool_has_no_complaint(server):
    """But for names of the reference, which counted before there were rules for names."""
    with s.session(server, server.accounts["alice"]) as sftp:
        sftp.write_file("/p", b"x" * 1000)
    require("promtool")
    done = run(["promtool", "check", "metrics"], input=text_of(server), check=False)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.split(" ")[0] not in OF_THE_REFERENCE]
    assert lines == [], done


def test_the_process(server):
    values = scrape(server)
    assert values["process_resident_memory_bytes"] > 1e6 and values["process_cpu_seconds_total"] > 0
    assert abs(values["process_open_fds"] - server.fd_count()) < 20 <= values["process_max_fds"]
    assert values["process_virtual_memory_bytes"] > values["process_resident_memory_bytes"]
    with open(f"/proc/{server.pid}/stat", encoding="ascii") as file:
        ticks = int(file.read().rsplit(")", 1)[1].split()[19])
    with open("/proc/stat", encoding="ascii") as file:
        boot = next(int(line.split()[1]) for line in file if line.startswith("btime"))
    assert abs(values["process_start_time_seconds"] - (boot + ticks / 100)) < 2


def test_logins_and_transfers_to_the_byte(server):
    wait_for("earlier connections to go", lambda: scrape(server)["sftpgo_active_connections"] == 0)
    before = scrape(server)
    with s.transport(server, None, login=False) as link:
        with pytest.raises(paramiko.AuthenticationException):
            link.auth_password("alice", "wrong")
        link.auth_password("alice", "correct horse")
        sftp = s.subsystem(link)
        sftp.write_file("/f", b"x" * 123456)
        assert sftp.read_file("/f") == b"x" * 123456
        sftp.write(sftp.open("/lost", s.F_WRITE | s.F_CREAT), 0, b"x" * 77)
        during = scrape(server)
        assert during["sftpgo_active_connections"] == 1
    wait_for("the lost upload to be counted",
             lambda: scrape(server)["sftpgo_upload_errors_total"] > before["sftpgo_upload_errors_total"])
    wait_for("the connection to go", lambda: scrape(server)["sftpgo_active_connections"] == 0)
    seen = changes(before, scrape(server))
    labels = 'protocol="SFTP",storage="fs-local"'
    expected = {"sftpgo_uploads_total": 1, "sftpgo_upload_size": 123456 + 77, "sftpgo_upload_errors_total": 1,
                "sftpgo_downloads_total": 1, "sftpgo_download_size": 123456, "sftpgo_login_attempts_total": 2,
                "sftpgo_login_ok_total": 1, "sftpgo_login_ko_total": 1, "sftpgo_password_login_attempts_total": 2,
                "sftpgo_password_login_ok_total": 1, "sftpgo_password_login_ko_total": 1,
                f'sallyport_transfer_bytes_total{{direction="upload",{labels}}}': 123456 + 77,
                f'sallyport_transfer_bytes_total{{direction="download",{labels}}}': 123456,
                f'sallyport_transfers_total{{direction="upload",{labels},result="ok"}}': 1,
                f'sallyport_transfers_total{{direction="upload",{labels},result="failed"}}': 1,
                f'sallyport_transfers_total{{direction="download",{labels},result="ok"}}': 1}
    counted = {name: value for name, value in seen.items()
               if name.startswith(("sftpgo_", "sallyport_transfer")) and "http" not in name}
    assert counted == expected


def of_the_reference(before, after):
    return {name.removeprefix("sftpgo_"): value for name, value in changes(before, after).items()
            if name.startswith("sftpgo_") and "http" not in name}


def settled(server):
    """A scrape with nobody there."""
    wait_for("all connections to go", lambda: scrape(server)["sftpgo_active_connections"] == 0)
    return scrape(server)


def test_a_download_that_is_given_up(server):
    with s.session(server, server.accounts["alice"]) as sftp:
        sftp.write_file("/half", b"x" * 100000)
    before = settled(server)
    with s.transport(server, server.accounts["alice"]) as link:
        sftp = s.subsystem(link)
        assert len(sftp.read(sftp.open("/half", s.F_READ), 0, 1000)) == 1000
    wait_for("it to be counted", lambda: scrape(server)["sftpgo_download_errors_total"] > before["sftpgo_download_errors_total"])
    seen = of_the_reference(before, settled(server))
    assert (seen["download_errors_total"], seen["download_size"]) == (1, 1000) and "downloads_total" not in seen


def login_counters(method, attempts, ok, ko):
    counts = {f"{kind}login_{what}_total": value for kind in ("", f"{method}_") for what, value in
              (("attempts", attempts), ("ok", ok), ("ko", ko))}
    return {name: value for name, value in counts.items() if value}


def test_logins_by_key(server):
    before = settled(server)
    with s.transport(server, None, login=False) as link:
        with pytest.raises(paramiko.AuthenticationException):
            link.auth_publickey("alice", paramiko.ECDSAKey.generate())
        link.auth_publickey("alice", paramiko.Ed25519Key.from_private_key_file(str(server.accounts["alice"].keys[0])))
    assert of_the_reference(before, settled(server)) == login_counters("public_key", 2, 1, 1)


def test_logins_by_questions(server):
    before = settled(server)
    with s.transport(server, None, login=False) as link:
        with pytest.raises(paramiko.AuthenticationException):
            link.auth_interactive("alice", lambda *asked: ["wrong"])
        link.auth_interactive("alice", lambda *asked: ["correct horse"])
    assert of_the_reference(before, settled(server)) == login_counters("keyboard_interactive", 2, 1, 1)


def test_transfers_by_scp(server):
    before = settled(server)
    with s.transport(server, server.accounts["alice"]) as link:
        channel = link.open_session()
        channel.settimeout(seconds(20))
        channel.exec_command("scp -t /s")
        for message in (b"", b"C0644 321 s\n", b"x" * 321 + b"\0"):
            channel.sendall(message)
            assert channel.recv(1) == b"\0"
        channel.shutdown_write()
        assert channel.recv_exit_status() == 0
    with s.transport(server, server.accounts["alice"]) as link:
        channel = link.open_session()
        channel.settimeout(seconds(20))
        channel.exec_command("scp -f /s")
        channel.sendall(b"\0" * 3)
        got = b""
        while data := channel.recv(1000):
            got += data
        assert got == b"C0644 321 s\n" + b"x" * 321 + b"\0"
    after = settled(server)
    seen = of_the_reference(before, after)
    assert (seen["uploads_total"], seen["upload_size"], seen["downloads_total"], seen["download_size"]) == (1, 321, 1, 321)
    assert seen["ssh_commands_total"] == 2 and "ssh_command_errors_total" not in seen
    labels = 'protocol="SCP",storage="fs-local"'
    seen = changes(before, after)
    for direction in ("upload", "download"):
        assert seen[f'sallyport_transfer_bytes_total{{direction="{direction}",{labels}}}'] == 321
        assert seen[f'sallyport_transfers_total{{direction="{direction}",{labels},result="ok"}}'] == 1


def calls(values, operation):
    return values.get(f'sallyport_storage_call_seconds_count{{operation="{operation}",storage="fs-local"}}', 0)


def test_calls_of_a_storage_and_its_workers(server):
    with s.session(server, server.accounts["alice"]) as sftp:
        sftp.write_file("/h", b"x" * 100000)  # four writes
        before = scrape(server)
        sftp.write_file("/h", b"x" * 100000)
        sftp.read_file("/h")
        after = scrape(server)
    assert calls(after, "write") - calls(before, "write") == 4
    assert calls(after, "open") - calls(before, "open") == 2
    assert calls(after, "close") - calls(before, "close") == 2
    assert calls(after, "read") - calls(before, "read") >= 4
    series = 'sallyport_storage_call_seconds_bucket{operation="write",storage="fs-local",le="%s"}'
    buckets = [value for name, value in after.items() if name.startswith(series.split('le="')[0])]
    assert buckets == sorted(buckets) and after[series % "+Inf"] == calls(after, "write")
    assert after['sallyport_storage_call_seconds_sum{operation="write",storage="fs-local"}'] > 0
    assert after['sallyport_storage_failures_total{operation="write",storage="fs-local"}'] == 0
    assert after['sallyport_pool_wait_seconds_count{pool="fs-local"}'] > before['sallyport_pool_wait_seconds_count{pool="fs-local"}']
    assert after['sallyport_pool_threads{pool="fs-local"}'] >= 1
    assert {'sallyport_pool_queued{pool="fs-local"}', 'sallyport_pool_busy{pool="auth"}'} <= set(after)


def run_command(server, line):
    with s.transport(server, server.accounts["alice"]) as link:
        channel = link.open_session()
        channel.settimeout(seconds(20))
        channel.exec_command(line)
        channel.shutdown_write()
        while channel.recv(1000):
            pass
        return channel.recv_exit_status()


def test_commands_and_scans(server):
    with s.session(server, server.accounts["alice"]) as sftp:
        sftp.write_file("/c", b"x")
    before = scrape(server)
    assert run_command(server, "md5sum c") == 0
    assert run_command(server, "pwd") == 0
    assert run_command(server, "md5sum missing") != 0
    assert server.api.post("quota_scan", {"username": "alice"}).status == 201
    server.api.wait_for_scans()
    seen = changes(before, scrape(server))
    assert (seen["sftpgo_ssh_commands_total"], seen["sftpgo_ssh_command_errors_total"]) == (2, 1)
    assert seen["sallyport_quota_scans_total"] == 1 and "sallyport_quota_scan_errors_total" not in seen
    assert scrape(server)["sallyport_quota_scans_running"] == 0


def test_requests(server):
    before = scrape(server)
    assert server.api.get("version").status == 200
    assert server.api.get("nothing").status == 404
    seen = changes(before, scrape(server))
    assert seen["sftpgo_http_req_total"] == 3 and seen["sftpgo_http_req_ok_total"] == 2  # with the first scrape
    assert seen["sftpgo_http_client_errors_total"] == 1 and "sftpgo_http_server_errors_total" not in seen


def test_a_broken_database(make_server):
    """Before the first scrape: a verdict on the database is good for half a minute."""
    instance = make_server(config={"httpd": {"bind_port": -1}})
    instance.start()
    instance.api = Rest(instance.rest_url)
    try:
        with sqlite3.connect(instance.config_dir / "sallyport.db") as database:
            database.execute("ALTER TABLE users RENAME TO gone")
        assert instance.api.get("user").status == 500
        values = scrape(instance)
        assert values["sftpgo_dataprovider_availability"] == 0
        assert values["sftpgo_http_server_errors_total"] == 1 and values["sftpgo_http_client_errors_total"] == 0
    finally:
        instance.stop()
