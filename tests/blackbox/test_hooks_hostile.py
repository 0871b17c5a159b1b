# SPDX-License-Identifier: Apache-2.0
"""Hooks that hang, flood, fork, or answer nonsense: the login is denied with one clear line, and nothing stays behind."""
import contextlib
import json
import math
import os
import socket
import threading
import time

import paramiko
import pytest

import hooks
import rawsftp as s
from hooks import by_password, by_questions, failure, program, run  # noqa: F401
from util import seconds, wait_for

pytestmark = pytest.mark.ours
SECRET = f"a-very-secret-password-{os.getpid()}"  # looked for among all processes, and suites may run side by side

SHORT = {"authenticator": {"auth-external": {"seconds": 1}}}  # for what never answers; others must not hurry
BAD = {
    "hangs": ("exec sleep 1000", "it took too long"),
    "hangs in other groups": ("setsid sleep 1000 & timeout 900 sleep 1000 & sleep 1000", "it took too long"),
    "hangs with children": ("sleep 1000 & sleep 1000 & sleep 1000", "it took too long"),
    "ignores signals": ("trap '' TERM INT HUP; while :; do sleep 1000; done", "it took too long"),
    "floods": ("exec cat /dev/zero", "says too much"),
    "leaves a child with its output": ("sleep 1000 & echo '{\"username\": \"\"}'", "refused by auth-external"),
    "says nothing": ("exit 0", "not a user as JSON"),
    "half a JSON": ("printf '{\"username\": \"ext\", \"status\"'", "not a user as JSON"),
    "not UTF-8": ("printf '{\"username\": \"e\\377t\"}'", "not a user as JSON"),
    "nests": ("i=0; while [ $i -lt 5000 ]; do printf '['; i=$((i+1)); done", "not a user as JSON"),
    "fails": ("exit 9", "exit code 9"),
    "dies": ("kill -SEGV $$", "signal 11"),
    "is no program": ("#!/no/such/interpreter\n", "its interpreter /no/such/interpreter is missing"),
}


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.replace(" ", "-"))
def test_external_program(run, tmp_path, case):
    text, why = BAD[case]
    hook = program(tmp_path, "hook", "exit 0")
    plugins = SHORT if "too long" in why else {}
    server = run(data_provider={"external_auth_program": str(hook)}, plugins=plugins)
    program(tmp_path, "hook", text)  # now, since a script without its interpreter stops the start
    with s.transport(server, None, login=False):
        before = server.fd_count()
    mark = server.mark()
    assert by_password(server, "ext", SECRET) == "AuthenticationException"
    assert why in failure(server, mark, "ext")
    wait_for("no process is left", lambda: not hooks.processes_with(SECRET) and not hooks.children(server.pid))
    wait_for(lambda: f"descriptors: {before} before, {server.fd_count()} now", lambda: server.fd_count() <= before)
    assert SECRET not in server.log_text()


OTHERS = {
    "pre-login": {**BAD, "leaves a child with its output": ("sleep 1000 & echo '[]'", "not a user as JSON"),
                  "says nothing": ("exit 5", "exit code 5")},
    "keyboard": {**BAD, "says nothing": ("exit 0", "without a result"), "nests": (BAD["nests"][0], "questions as JSON"),
                 "half a JSON": ("printf '{\"questions\": [\"a\"'", "questions as JSON"),
                 "not UTF-8": ("printf '{\"questions\": [\"\\377\"], \"echos\": [true]}\\n'", "questions as JSON"),
                 "leaves a child with its output": ("sleep 1000 & echo '{\"auth_result\": 2}'", "refused by auth-external")},
}


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.replace(" ", "-"))
@pytest.mark.parametrize("hook", OTHERS)
def test_programs_of_the_other_hooks(run, tmp_path, hook, case):
    text, why = OTHERS[hook][case]
    path = program(tmp_path, "hook", "exit 0")
    where = {"data_provider": {"pre_login_program": str(path)}} if hook == "pre-login" else \
        {"sftpd": {"keyboard_interactive_auth_program": str(path)}}
    server = run(["alice"], **where, plugins=SHORT if "too long" in why else {})
    program(tmp_path, "hook", text if text.startswith("#!") else f"export MARK={tmp_path}/mark\n{text}")
    with s.transport(server, None, login=False):
        before = server.fd_count()
    mark = server.mark()
    if hook == "pre-login":
        assert by_password(server, "alice", server.accounts["alice"].password) == "AuthenticationException"
    else:
        assert by_questions(server, "alice", ["x"]) == ("AuthenticationException", [])
    line = failure(server, mark, "alice")
    assert why in line and ("refused by" in why or f"{hook} hook: " in line), line
    wait_for("no process is left", lambda: not hooks.processes_with(f"{tmp_path}/mark") and not hooks.children(server.pid))
    wait_for(lambda: f"descriptors: {before} before, {server.fd_count()} now", lambda: server.fd_count() <= before)


STATUSES = {f"the service answers {status}": status for status in (302, 400, 401, 403, 404, 405, 429, 500)}
BROKEN = ["half a JSON", "not UTF-8", "dies", "is no program", "exit code 127", "floods", "the service is not there", "no account",
          *(case for case, status in STATUSES.items() if status not in (401, 403))]


@pytest.mark.parametrize("case", BROKEN + ["fails", "says nothing", "the service answers 401", "the service answers 403"],
                         ids=lambda case: case.replace(" ", "-"))
def test_whose_fault_it_is(run, tmp_path, case):
    """A hook that is broken gets no client banned; one that refuses does."""
    defender = {"enabled": True, "max_failures": 50, "max_failures_per_user": 2, "ban_time": 3600, "allowed": []}
    home = tmp_path / "home"
    with hooks.service() as service:
        service.answers["/hook"] = lambda _: (STATUSES[case], "")
        text = {"exit code 127": "exec /no/such/program", "no account": f"echo '{json.dumps({'username': 'ext', 'home_dir': '-'})}'",
                **{name: BAD[name][0] for name in BAD}}.get(case)
        path = program(tmp_path, "hook", "exit 0")
        url = service.url + "/hook"
        if case == "the service is not there":
            with socket.create_server(("127.0.0.1", 0)) as closed:
                url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        server = run(data_provider={"external_auth_program": str(path) if text else url}, defender=defender)
        if text:
            program(tmp_path, "hook", text)
        for _ in range(3):
            assert by_password(server, "ext", SECRET) == "AuthenticationException"
        mark = server.mark()
        if text:
            program(tmp_path, "hook", f"echo '{json.dumps(hooks.user_json('ext', home))}'")
        else:
            service.answers["/hook"] = lambda _: (200, json.dumps(hooks.user_json("ext", home)))
        outcome = by_password(server, "ext", SECRET)
    if case == "the service is not there":
        assert "refused for" not in failure(server, mark, "ext")
    else:
        assert outcome == ("in" if case in BROKEN else "AuthenticationException")


def test_a_program_that_vanishes(run, tmp_path):
    hook = program(tmp_path, "hook", "exit 0")
    server = run(data_provider={"external_auth_program": str(hook)})
    hook.unlink()
    mark = server.mark()
    assert by_password(server, "ext", SECRET) == "AuthenticationException"
    assert f"{hook}: No such file or directory" in failure(server, mark, "ext")


def test_questions_that_never_come_and_answers_that_never_come(run, tmp_path):
    hook = program(tmp_path, "hook", "echo '{\"questions\": [\"a\"], \"echos\": [true]}'; exec sleep 1000")
    server = run(["alice"], sftpd={"keyboard_interactive_auth_program": str(hook)},
                 plugins=SHORT)
    mark = server.mark()
    assert by_questions(server, "alice", ["x"])[0] == "AuthenticationException"
    assert "took too long" in failure(server, mark, "alice")

    def dawdle(_title, _instruction, _prompts):
        wait_for("it is killed while nobody waits for it, and no zombie is left",
                 lambda: not hooks.children(server.pid), 20)
        return ["x"]

    with s.transport(server, None, login=False) as link:
        assert hooks.refusal_or_in(lambda: link.auth_interactive("alice", dawdle)) == "AuthenticationException"
    wait_for("no process is left", lambda: not hooks.children(server.pid))


@pytest.mark.parametrize("answer", ["never", "slowly", "no HTTP", "cut off", "nobody"])
def test_services(run, tmp_path, answer):
    listener = socket.create_server(("127.0.0.1", 0))
    port, stop = listener.getsockname()[1], threading.Event()

    def serve():
        listener.settimeout(0.1)
        while not stop.is_set():
            try:
                peer, _ = listener.accept()
            except TimeoutError:
                continue
            with peer:
                if answer == "slowly":
                    for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000:
                        if stop.wait(0.1):
                            break
                        try:
                            peer.send(bytes([byte]))
                        except OSError:
                            break
                elif answer == "no HTTP":
                    peer.sendall(b"hello\r\n\r\n")
                elif answer == "cut off":
                    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"username\": \"ext\"}")
                else:
                    stop.wait()

    thread = threading.Thread(target=serve)
    if answer == "nobody":
        listener.close()
    else:
        thread.start()
    try:
        late = answer in ("never", "slowly")
        server = run(data_provider={"external_auth_program": f"http://127.0.0.1:{port}/"}, plugins=SHORT if late else {})
        mark, begun = server.mark(), time.monotonic()
        assert by_password(server, "ext", SECRET) == "AuthenticationException"
        assert time.monotonic() - begun < seconds(20)
        assert ("no answer in time" in failure(server, mark, "ext")) == late
    finally:
        stop.set()
        if thread.is_alive():
            thread.join()
        listener.close()


def test_secrets_are_in_no_argument_and_no_log(run, tmp_path):
    hook = program(tmp_path, "hook", f"tr '\\0' ' ' < /proc/$$/cmdline >> {tmp_path}/words; set >&2; echo '{{}}'")
    server = run(["alice"], data_provider={"external_auth_program": str(hook)})
    by_password(server, "alice", SECRET)
    assert SECRET not in (tmp_path / "words").read_text() and "hook" in (tmp_path / "words").read_text()
    assert SECRET not in server.log_text() + server.stderr_text()


@pytest.mark.parametrize("way", ["program", "service", "questions of a service"])
def test_a_stop_does_not_wait_for_hooks(run, tmp_path, way):
    asked, release = threading.Event(), threading.Event()

    def dawdle(_):
        asked.set()
        release.wait(seconds(60))
        return 200, "{}"

    with hooks.service() as service:
        service.answers["/slow"] = dawdle
        hook = program(tmp_path, "hook", "exec sleep 1000") if way == "program" else service.url + "/slow"
        if way == "questions of a service":
            server = run(["ext"], sftpd={"keyboard_interactive_auth_program": hook})
            login = lambda: hooks.by_questions(server, "ext", ["x"])  # noqa: E731
        else:
            server = run(data_provider={"external_auth_program": str(hook)})
            login = lambda: hooks.by_password(server, "ext", SECRET)  # noqa: E731
        thread = threading.Thread(target=login)
        thread.start()
        try:
            wait_for("it is asked", lambda: asked.is_set() or hooks.children(server.pid))
            begun = time.monotonic()
            server.stop()
            assert time.monotonic() - begun < seconds(10)
        finally:
            release.set()
            thread.join()


def test_a_client_that_leaves_ends_the_program_that_checks_it(run, tmp_path):
    hook = program(tmp_path, "hook", "exec sleep 1000")
    server = run(data_provider={"external_auth_program": str(hook)})
    mark = server.mark()
    with s.transport(server, None, login=False) as link:
        thread = threading.Thread(target=lambda: hooks.refusal_or_in(lambda: link.auth_password("ext", SECRET, fallback=False)))
        thread.start()
        wait_for("it runs", lambda: hooks.children(server.pid))
    thread.join()
    wait_for("it is gone", lambda: not hooks.children(server.pid))
    assert "the client has left" in failure(server, mark, "ext")


@pytest.mark.parametrize("way", ["password", "questions"])
def test_login_grace_ends_a_check_that_hangs(run, tmp_path, way):
    """Whatever the hook may take: its client's time includes it."""
    hook = program(tmp_path, "hook", f"echo >> {tmp_path}/runs; exec sleep 1000")
    hooked = {"data_provider": {"external_auth_program": str(hook)}} if way == "password" else \
        {"sftpd": {"keyboard_interactive_auth_program": str(hook)}}
    grace = math.ceil(seconds(2))
    server = run(["alice"], **{**hooked, "sftpd": {**hooked.get("sftpd", {}), "login_grace_time": grace}})
    begun = time.monotonic()
    with s.transport(server, None, login=False) as link:
        def login():
            with contextlib.suppress(paramiko.SSHException, EOFError):
                link.auth_password("alice", SECRET, fallback=False) if way == "password" else \
                    link.auth_interactive("alice", lambda *_: [])
        attempt = threading.Thread(target=login)
        attempt.start()
        wait_for("the hook runs", (tmp_path / "runs").exists)
        assert link.is_active()
        wait_for("the client's time is over", lambda: not link.is_active())
        assert grace - 0.5 < time.monotonic() - begun < grace + seconds(8)
        attempt.join()
    wait_for("so is the hook's", lambda: not hooks.children(server.pid))


def test_who_waits_too_long_for_a_place_is_refused(run, tmp_path):
    hook = program(tmp_path, "hook", f"echo >> {tmp_path}/runs; exec sleep 50")
    server = run(data_provider={"external_auth_program": str(hook)}, plugins={"login_concurrency": 1})

    def login(user):
        with s.transport(server, None, login=False) as link:
            link.auth_timeout = seconds(100)
            assert hooks.refusal_or_in(lambda: link.auth_password(user, SECRET, fallback=False)) == "AuthenticationException"

    mark = server.mark()
    first = threading.Thread(target=login, args=("first",))
    first.start()
    wait_for("it runs", lambda: hooks.children(server.pid))
    login("second")
    first.join()
    assert "no free place in time, plugins.login_concurrency logins are under way" in failure(server, mark, "second")
    assert len((tmp_path / "runs").read_text()) == 1
