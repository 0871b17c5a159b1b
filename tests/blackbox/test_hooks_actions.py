# SPDX-License-Identifier: Apache-2.0
"""Actions: what commands and services are told about files and accounts, in which order, and that nothing waits for them."""
import json
import os
import threading
import time
from base64 import b64decode

import paramiko
import pytest

import hooks
import rawsftp as s
from hooks import program, run  # noqa: F401
from rest import HASH, Rest
from util import seconds, wait_for

pytestmark = pytest.mark.ours
FILE_EVENTS = ["upload", "download", "delete", "rename", "ssh_cmd"]
FILE_VARIABLES = ["ACTION", "ACTION_USERNAME", "ACTION_PATH", "ACTION_TARGET", "ACTION_SSH_CMD", "ACTION_FILE_SIZE",
                  "ACTION_LOCAL_FILE"]
USER_VARIABLES = ["USER_" + name for name in (
    "ACTION USERNAME PASSWORD ID STATUS EXPIRATION_DATE HOME_DIR UID GID QUOTA_FILES QUOTA_SIZE UPLOAD_BANDWIDTH "
    "DOWNLOAD_BANDWIDTH MAX_SESSIONS FS_PROVIDER").split()]


def recorder(tmp_path, rest=""):
    """A command that writes its arguments and SFTPGO_ variables to a file of its own, whole or not at all."""
    return program(tmp_path, "action", f"""
out=$(mktemp {tmp_path}/run.XXXXXX)
{{ printf '%s\\0' "$#" "$@"; env -0 | grep -z ^SFTPGO_; date +%s.%N; umask; }} > $out
{rest}
mv $out {tmp_path}/done.$(date +%s%N).$$
""")


def runs(tmp_path):
    """(arguments, variables) of each run, in their order."""
    found = []
    for path in sorted(tmp_path.glob("done.*")):
        parts = path.read_text().split("\0")
        count = int(parts[0])
        found.append((parts[1:count + 1], dict(part.split("=", 1) for part in parts[count + 1:-1])))
    return found


def wait_runs(tmp_path, count):
    wait_for(lambda: f"{count} runs, there are {runs(tmp_path)}", lambda: len(runs(tmp_path)) >= count, 20)
    got = runs(tmp_path)
    assert len(got) == count, got
    return got


def sftp_of(link):
    return paramiko.SFTPClient.from_transport(link)


def put(sftp, path, data):
    with sftp.open(path, "wb") as file:
        file.write(data)


def get(sftp, path):
    with sftp.open(path, "rb") as file:
        return file.read()


def all_events(server, link, alice):
    """One of each; what each event should say: arguments and size."""
    sftp, home = sftp_of(link), alice.home
    put(sftp, "/a b&ü", b"x" * 18)
    with sftp.open("/a b&ü", "ab") as file:
        file.write(b"y" * 2)
    assert len(get(sftp, "/a b&ü")) == 20
    sftp.rename("/a b&ü", "/moved")
    sftp.remove("/moved")
    put(sftp, "/empty", b"")
    for command, good in (("pwd", True), ("md5sum /none", False), ("md5sum /empty", True), ("cd /", True)):
        channel = link.open_session()
        channel.exec_command(command)
        assert (channel.recv_exit_status() == 0) == good
    a = f"{home}/a b&ü"
    return [(["upload", "alice", a, "", ""], "18"), (["upload", "alice", a, "", ""], "20"),
            (["download", "alice", a, "", ""], "20"), (["rename", "alice", a, f"{home}/moved", ""], ""),
            (["delete", "alice", f"{home}/moved", "", ""], "20"), (["upload", "alice", f"{home}/empty", "", ""], ""),
            (["ssh_cmd", "alice", "", "", "pwd"], ""), (["ssh_cmd", "alice", f"{home}/empty", "", "md5sum"], ""),
            (["ssh_cmd", "alice", str(home), "", "cd"], "")]


def test_commands_about_files(run, tmp_path):
    server = run(["alice"], sftpd={"actions": {"execute_on": FILE_EVENTS, "command": str(recorder(tmp_path))}})
    alice = server.accounts["alice"]
    with s.transport(server, alice) as link:
        wanted = all_events(server, link, alice)
    got = wait_runs(tmp_path, len(wanted))
    assert [(arguments, variables["SFTPGO_ACTION_FILE_SIZE"]) for arguments, variables in got] == wanted, "in their order"
    for arguments, variables in got:
        assert sorted(variables) == sorted("SFTPGO_" + name for name in FILE_VARIABLES)
        assert [variables["SFTPGO_" + name] for name in FILE_VARIABLES[:5]] == arguments
        assert variables["SFTPGO_ACTION_LOCAL_FILE"] == "true"
    assert "0022" in next(iter(tmp_path.glob("done.*"))).read_text(), "the umask is the configured one"


def test_scp_is_a_transfer_and_no_command(run, tmp_path):
    server = run(["alice"], sftpd={"enabled_ssh_commands": ["*"],
                                   "actions": {"execute_on": FILE_EVENTS, "command": str(recorder(tmp_path))}})
    alice = server.accounts["alice"]

    def talk(command, *rounds):
        channel = link.open_session()
        channel.settimeout(seconds(20))
        channel.exec_command(command)
        for awaited, said in rounds:
            got = b""
            while len(got) < len(awaited):
                part = channel.recv(len(awaited) - len(got))
                assert part, "the server ended it"
                got += part
            assert got == awaited
            channel.sendall(said)
        channel.close()

    with s.transport(server, alice) as link:
        talk("scp -t /f", (b"\0", b"C0644 1 f\n"), (b"\0", b"x\0"), (b"\0", b""))
        wait_runs(tmp_path, 1)
        talk("scp -f /f", (b"", b"\0"), (b"C0644 1 f\n", b"\0"), (b"x\0", b"\0"))
        got = wait_runs(tmp_path, 2)
    assert [arguments for arguments, _ in got] == [[kind, "alice", f"{alice.home}/f", "", ""] for kind in ("upload", "download")]


def test_requests_about_files(run, tmp_path):
    with hooks.service() as service:
        service.answers["/n"] = lambda _: (200, "")
        url = service.url.replace("://", "://hook:s%40cret@") + "/n?zone=1&key=a%20b"
        server = run(["alice"], sftpd={"actions": {"execute_on": FILE_EVENTS, "http_notification_url": url}})
        alice = server.accounts["alice"]
        with s.transport(server, alice) as link:
            wanted = all_events(server, link, alice)
        wait_for("all were told", lambda: len(service.asked) == len(wanted), 20)
        for asked, ((action, user, path, target, command), size) in zip(service.asked, wanted):
            query = {"action": action, "username": user, "path": path, "local_file": "true", "zone": "1", "key": "a b"}
            query.update({k: v for k, v in (("target_path", target), ("ssh_cmd", command), ("file_size", size)) if v})
            assert asked.method == "GET" and asked.query == query
            assert b64decode(asked.headers["Authorization"].removeprefix("Basic ")) == b"hook:s@cret"
            names = [pair.split("=")[0] for pair in asked.raw_query.split("&")]
            assert names == sorted(names)
        assert f"path={alice.home}/a b&ü".replace("/", "%2F").replace(" b", "+b").replace("&", "%26").replace("ü", "%C3%BC") \
            in service.asked[0].raw_query
        assert "cret" not in server.log_text()


def test_the_command_runs_beside_the_request(run, tmp_path):
    """Each waits for the other to have begun."""
    command = program(tmp_path, "both", f"echo > {tmp_path}/begun; until [ -e {tmp_path}/asked ]; do sleep 0.02; done; echo > {tmp_path}/ended")

    def answer(_):
        wait_for("the command runs", (tmp_path / "begun").exists)
        (tmp_path / "asked").touch()
        return 200, ""

    with hooks.service() as service:
        service.answers["/n"] = answer
        server = run(["alice"], sftpd={"actions": {"execute_on": ["upload"], "command": str(command),
                                                   "http_notification_url": service.url + "/n"}})
        with s.transport(server, server.accounts["alice"]) as link:
            put(sftp_of(link), "/f", b"1")
        wait_for("both are over", (tmp_path / "ended").exists)


def test_only_the_events_that_are_named_and_only_what_went_well(run, tmp_path):
    command = recorder(tmp_path)
    server = run(["alice"], sftpd={"actions": {"execute_on": ["delete"], "command": str(command)}})
    alice = server.accounts["alice"]
    with s.transport(server, alice) as link:
        sftp = sftp_of(link)
        put(sftp, "/a", b"1")
        sftp.mkdir("/d")
        sftp.rmdir("/d")
        with pytest.raises(OSError):
            sftp.remove("/none")
        sftp.symlink("a", "/link")
        sftp.remove("/link")
        sftp.remove("/a")
    got = wait_runs(tmp_path, 2)
    assert [(arguments[0], arguments[2], variables["SFTPGO_ACTION_FILE_SIZE"]) for arguments, variables in got] == \
        [("delete", f"{alice.home}/link", "1"), ("delete", f"{alice.home}/a", "1")]


def test_failures_are_told_to_who_asks_for_them(run, tmp_path):
    server = run(["alice"], sftpd={"actions": {"execute_on": ["upload", "upload-failed", "download-failed"],
                                               "command": str(recorder(tmp_path))}})
    alice = server.accounts["alice"]
    (alice.home / "big").write_bytes(bytes(100_000))
    for mode, path in (("wb", "/cut"), ("rb", "/big")):
        with s.transport(server, alice) as link:
            file = sftp_of(link).open(path, mode)
            file.write(b"x" * 10) if mode == "wb" else file.read(10)
            file.flush()
            if mode == "wb":
                file.stat()
    got = wait_runs(tmp_path, 2)
    assert sorted(arguments[0] for arguments, _ in got) == ["download-failed", "upload-failed"]


@pytest.mark.parametrize("way", ["command", "service"])
def test_what_is_about_to_happen_may_be_refused(run, tmp_path, way):
    with hooks.service() as service:
        service.answers["/ask"] = lambda asked: (403 if "secret" in asked.query["path"] else 200, "")
        command = program(tmp_path, "ask", "case \"$3\" in *secret*) exit 1;; esac")
        how = {"command": str(command)} if way == "command" else {"http_notification_url": service.url + "/ask"}
        server = run(["alice"], sftpd={"actions": {"execute_on": ["pre-upload", "pre-download", "pre-delete"], **how}})
        alice = server.accounts["alice"]
        for name in ("secret", "open"):
            (alice.home / name).write_text("content")
        with s.transport(server, alice) as link:
            sftp = sftp_of(link)
            for attempt in (lambda: get(sftp, "/secret"), lambda: put(sftp, "/secret", b"x"), lambda: sftp.remove("/secret"),
                            lambda: put(sftp, "/secret2", b"x")):
                with pytest.raises(PermissionError):
                    attempt()
            assert (alice.home / "secret").read_text() == "content" and not (alice.home / "secret2").exists()
            assert get(sftp, "/open") == b"content"
            put(sftp, "/open", b"new")
            sftp.remove("/open")


def test_many_who_are_asked_at_once_all_get_their_turn_and_hold_up_nobody(run, tmp_path):
    """More of them than a storage has workers: they wait, and whoever is asked nothing does not."""
    command = program(tmp_path, "ask", f"until [ -e {tmp_path}/go ]; do sleep 0.05; done")
    server = run(["alice", "bob"], sftpd={"actions": {"execute_on": ["pre-delete"], "command": str(command)}})
    alice, bob = server.accounts["alice"], server.accounts["bob"]
    for n in range(40):
        (alice.home / str(n)).touch()
    with s.transport(server, alice) as one, s.transport(server, alice) as two, s.transport(server, alice) as three, \
            s.transport(server, bob) as other:
        clients = [sftp_of(link) for link in (one, two, three) for _ in range(14)][:40]
        threads = [threading.Thread(target=client.remove, args=(f"/{n}",)) for n, client in enumerate(clients)]
        for thread in threads:
            thread.start()
        try:
            wait_for("8 are asked", lambda: len(hooks.children(server.pid)) == 8)
            sftp = sftp_of(other)
            for n in range(10):
                put(sftp, f"/{n}", b"1")
            assert len(sftp.listdir("/")) == 10 and len(list(alice.home.iterdir())) == 40
        finally:
            (tmp_path / "go").touch()
            for thread in threads:
                thread.join()
    assert not list(alice.home.iterdir())


def test_names_come_byte_by_byte(run, tmp_path):
    command = program(tmp_path, "bytes", f"cd {tmp_path}; printf %s \"$3\" > path; printf %s \"$SFTPGO_ACTION_PATH\" > variable")
    with hooks.service() as service:
        service.answers["/n"] = lambda _: (200, "")
        server = run(["alice"], sftpd={"actions": {"execute_on": ["delete"], "command": str(command),
                                                   "http_notification_url": service.url + "/n"}})
        alice = server.accounts["alice"]
        path = bytes(alice.home) + b"/caf\xe9"
        with open(path, "wb"):
            pass
        with s.transport(server, alice) as link:
            sftp_of(link).remove(b"/caf\xe9")
        wait_for("both are told", lambda: (tmp_path / "variable").exists() and service.asked)
        wait_for("the program is done", lambda: not hooks.children(server.pid))
        assert (tmp_path / "path").read_bytes() == (tmp_path / "variable").read_bytes() == path
        assert service.asked[0].raw_query.count("caf%E9") == 1


def test_who_is_asked_and_not_there_refuses(run, tmp_path):
    server = run(["alice"], sftpd={"actions": {"execute_on": ["pre-delete"], "command": f"{tmp_path}/none"}})
    alice = server.accounts["alice"]
    (alice.home / "f").touch()
    with s.transport(server, alice) as link, pytest.raises(PermissionError):
        sftp_of(link).remove("/f")
    server.wait_log(lambda line: "refused by actions" in str(line.get("message")) and "No such file" in line["message"])


def test_a_command_that_is_not_there_is_told_at_the_start(run, tmp_path):
    server = run(sftpd={"actions": {"execute_on": ["upload"], "command": f"{tmp_path}/none"}})
    wanted = f"sftpd.actions.command: {tmp_path}/none cannot be run: No such file or directory"
    assert [line["level"] for line in server.log_lines() if line.get("message") == wanted] == ["warn"]
    checked = server.cli("check-config")
    assert checked.stderr.count(wanted) == 1 and "configuration is good" in checked.stdout


def test_requests_are_repeated_and_commands_are_not(run, tmp_path):
    left = [500, 500, 200, 404, 302]
    with hooks.service() as service:
        service.answers["/n"] = lambda _: (left.pop(0), "")
        server = run(["alice"], sftpd={"actions": {"execute_on": ["upload"], "http_notification_url": service.url + "/n"}},
                     plugins={"notifier": {"actions": {"retry_milliseconds": 10}}})
        with s.transport(server, server.accounts["alice"]) as link:
            put(sftp_of(link), "/a", b"1")
            put(sftp_of(link), "/b", b"1")
            put(sftp_of(link), "/c", b"1")
        wait_for("all answers", lambda: not left)
        for status in (404, 302):
            server.wait_log(lambda line: line.get("sender") == "events" and f"{service.url}: the service answers {status}" in line["message"])
        assert [asked.query["path"][-1] for asked in service.asked] == ["a", "a", "a", "b", "c"]


def test_nothing_waits_for_a_command(run, tmp_path):
    command = program(tmp_path, "slow", f"export MARK={tmp_path}/slow; echo > {tmp_path}/began.$$; sleep 1000 & exec sleep 1000")
    server = run(["alice"], sftpd={"actions": {"execute_on": ["upload"], "command": str(command)}})
    begun = time.monotonic()
    with s.transport(server, server.accounts["alice"]) as link:
        sftp = sftp_of(link)
        for n in range(50):
            put(sftp, f"/{n}", b"1")
    wait_for("one runs", lambda: list(tmp_path.glob("began.*")))
    assert time.monotonic() - begun < 30
    server.stop()
    assert "50 events were dropped: the server stops" in server.log_text()
    wait_for("it is gone, and what it had started", lambda: not hooks.processes_with(f"{tmp_path}/slow"))


def test_what_a_command_has_left_behind_goes_on(run, tmp_path):
    command = program(tmp_path, "leaves", f"MARK={tmp_path}/leaves sleep 1000 & echo > {tmp_path}/done")
    server = run(["alice"], sftpd={"actions": {"execute_on": ["upload"], "command": str(command)}})
    with s.transport(server, server.accounts["alice"]) as link:
        put(sftp_of(link), "/f", b"1")
    wait_for("it is over", lambda: (tmp_path / "done").exists() and not hooks.children(server.pid))
    server.stop()
    left = hooks.processes_with(f"{tmp_path}/leaves")
    for pid in left:
        os.kill(pid, 9)
    assert len(left) == 1


def test_accounts(run, tmp_path):
    command = recorder(tmp_path)
    with hooks.service() as service:
        service.answers["/u"] = lambda _: (200, "")
        server = run(httpd={"bind_port": -1}, data_provider={"actions": {
            "execute_on": ["add", "update", "delete"], "command": str(command), "http_notification_url": service.url + "/u?k=v"}})
        rest = Rest(server.rest_url)
        user = {"username": "bob", "status": 1, "home_dir": f"{tmp_path}/bob", "password": HASH, "uid": 5, "gid": 6,
                "permissions": {"/": ["*"]}, "quota_files": 2, "quota_size": 1, "upload_bandwidth": 3, "download_bandwidth": 4,
                "max_sessions": 8, "expiration_date": 4102444800000,
                "filesystem": {"provider": 0}}
        made = rest.call("POST", "/api/v1/user", user).json
        assert rest.call("PUT", f"/api/v1/user/{made['id']}", {"quota_files": 3}).status == 200
        assert rest.call("DELETE", f"/api/v1/user/{made['id']}").status == 200
        got = wait_runs(tmp_path, 3)
        wait_for("all were told", lambda: len(service.asked) == 3)
        for (arguments, variables), asked, action, files in zip(got, service.asked, ["add", "update", "delete"], ["2", "3", "3"]):
            assert arguments == [action, "bob", str(made["id"]), "1", "4102444800000", f"{tmp_path}/bob", "5", "6"]
            wanted = [action, "bob", HASH, str(made["id"]), "1", "4102444800000", f"{tmp_path}/bob", "5", "6", files, "1", "3",
                      "4", "8", "0"]
            assert variables == dict(zip(("SFTPGO_" + name for name in USER_VARIABLES), wanted))
            assert asked.method == "POST" and asked.query == {"k": "v", "action": action}
            assert asked.headers["Content-Type"] == "application/json"
            assert asked.json["username"] == "bob" and asked.json["quota_files"] == int(files)
            assert HASH not in asked.body and "password" not in asked.json


@pytest.mark.parametrize("how", ["external_auth_program", "pre_login_program"])
def test_logins_that_store_users_tell_nobody(run, tmp_path, how):
    hook = program(tmp_path, "hook", f"echo '{json.dumps(hooks.user_json('ext', tmp_path / 'home'))}'")
    server = run(httpd={"bind_port": -1}, data_provider={
        how: str(hook), "actions": {"execute_on": ["add", "update"], "command": str(recorder(tmp_path))}})
    if how == "pre_login_program":
        server.add_account("ext", password="x")
    assert hooks.by_password(server, "ext", "x") == "in"
    assert hooks.by_password(server, "ext", "x" if how == "pre_login_program" else "y") == "in"
    user = hooks.user_json("bob", tmp_path / "bob", password=HASH)
    assert Rest(server.rest_url).call("POST", "/api/v1/user", user).status == 200
    assert [arguments[:2] for arguments, _ in wait_runs(tmp_path, 1)] == [["add", "bob"]]


def test_restored_accounts_are_told_and_logins_are_not(run, tmp_path):
    server = run(["alice"], httpd={"bind_port": -1},
                 data_provider={"actions": {"execute_on": ["add", "update"], "command": str(recorder(tmp_path))}})
    alice = server.accounts["alice"]
    with s.transport(server, alice):
        pass
    users = [{"username": name, "status": 1, "home_dir": f"{tmp_path}/{name}", "password": HASH, "permissions": {"/": ["*"]}}
             for name in ("alice", "carol")]
    (tmp_path / "dump.json").write_text(json.dumps({"users": users}))
    assert Rest(server.rest_url).call("GET", f"/api/v1/loaddata?input_file={tmp_path}/dump.json").status == 200
    assert sorted(arguments[:2] for arguments, _ in wait_runs(tmp_path, 2)) == [["add", "carol"], ["update", "alice"]]


def test_commands_have_their_time(run, tmp_path):
    """30 seconds about files, 15 about accounts: who takes longer is killed."""
    command = program(tmp_path, "endless", f"echo $$ > {tmp_path}/$1.pid; exec sleep 1000")
    actions = {"execute_on": ["add", "upload"], "command": str(command)}
    server = run(["alice"], httpd={"bind_port": -1}, sftpd={"actions": {**actions, "execute_on": ["upload"]}},
                 data_provider={"actions": {**actions, "execute_on": ["add"]}})
    begun = time.monotonic()
    with s.transport(server, server.accounts["alice"]) as link:
        put(sftp_of(link), "/f", b"x")
    Rest(server.rest_url).call("POST", "/api/v1/user", hooks.user_json("bob", tmp_path / "bob", password=HASH))
    for event, time_allowed in (("add", 15), ("upload", 30)):
        pid = int(wait_for("its number", lambda: (tmp_path / f"{event}.pid").exists() and (tmp_path / f"{event}.pid").read_text().strip()))
        wait_for("its end", lambda: not os.path.exists(f"/proc/{pid}"), 40)
        assert time_allowed - 1 < time.monotonic() - begun < time_allowed + seconds(10)
