# SPDX-License-Identifier: Apache-2.0
"""Portable mode tells the network about itself: what it asks of the Avahi daemon (a stand-in on a private bus), what happens
without one, and, in a network of its own, what the real one makes of it."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from portable import Portable, quiet_port
from server import binary
from util import clean_env, die_with_parent, require, run, seconds, wait_for

pytestmark = pytest.mark.ours
ANYWHERE = ["--bind-address", "0.0.0.0"]
BUS = """<busconfig><type>system</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth><policy context="default">
<allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_type="signal"/><allow send_requested_reply="true"/>
<allow receive_type="method_call"/><allow receive_type="signal"/><allow receive_type="method_return"/><allow receive_type="error"/>
</policy></busconfig>"""


@pytest.fixture
def shared(tmp_path):
    directory = tmp_path / "shared"
    directory.mkdir()
    return directory


@pytest.fixture
def bus(tmp_path):
    """The environment of a private system bus."""
    require("dbus-daemon")
    socket = tmp_path / "bus"
    (tmp_path / "bus.conf").write_text(BUS.format(socket=socket))
    daemon = subprocess.Popen(["dbus-daemon", f"--config-file={tmp_path}/bus.conf", "--nofork"], stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
    wait_for("the bus", socket.exists)
    yield {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={socket}"}
    daemon.terminate()
    daemon.wait(seconds(10))


@pytest.fixture
def avahi(bus, tmp_path):
    """start(NAME...) starts the stand-in, to which these names are taken; heard() is all that it was asked for."""
    run([sys.executable, "-c", "import dbus, gi"])  # python3-dbus, python3-gi
    said, daemons = tmp_path / "avahi.jsonl", []

    def heard(what):
        return [line for line in map(json.loads, said.read_text().splitlines()) if what in line]

    def start(*taken):
        with open(said, "wb") as out:
            daemons.append(subprocess.Popen([sys.executable, Path(__file__).with_name("fake_avahi.py"), *taken], stdout=out,
                                            env=clean_env(tmp_path, **bus), preexec_fn=die_with_parent))
        wait_for("the stand-in", lambda: heard("ready"))
        return heard
    yield start
    for daemon in daemons:
        daemon.kill()
        daemon.wait()


def version(cwd):
    return run([binary(), "--version"], env=clean_env(cwd)).stdout.split(": ")[1].strip()


@pytest.mark.parametrize("flags, texts", [([], []), (["-p", "secret", "-C"], ["password=secret", "user=ann"]),
                                          (["-C", "KEY"], ["user=ann"]), (["-p", "secret"], [])],
                         ids=["plain", "credentials", "no-password", "not-asked-for"])
def test_what_is_advertised(shared, avahi, bus, keyring, flags, texts):
    heard = avahi()
    flags = ["-C", "--public-key-file", keyring.user().with_suffix(".pub")] if flags[1:] == ["KEY"] else flags
    with Portable(shared, "-u", "ann", *flags, home=ANYWHERE, env=bus) as portable:
        added, = wait_for("an advertisement", lambda: heard("added"))
        assert (added["added"], added["type"], added["port"]) == (f"Sallyport portable {portable.port}", "_sftp-ssh._tcp", portable.port)
        assert (added["domain"], added["host"], added["interface"], added["protocol"]) == ("", "", -1, -1)
        assert added["texts"] == [*texts, f"version={version(shared)}"]
        assert not heard("freed")
    wait_for("it is taken back", lambda: heard("freed"))
    assert portable.stderr() == ""


def test_a_name_that_is_taken(shared, avahi, bus):
    port = quiet_port()
    name = f"Sallyport portable {port}"
    heard = avahi(name)
    with Portable(shared, "-s", str(port), home=ANYWHERE, env=bus):
        wait_for("another name", lambda: [line["added"] for line in heard("added")] == [name, name + " #2"])


@pytest.mark.parametrize("flags, home", [(["-S=false"], ANYWHERE), (["--advertise-service=false"], ANYWHERE), ([], ["--bind-address", "127.0.0.1"]),
                                         ([], ["--bind-address", "::1"]), (["--any-credentials"], [])], ids=" ".join)
def test_when_nothing_is_advertised(shared, avahi, bus, flags, home):
    heard = avahi()
    with Portable(shared, *flags, home=home, env=bus) as portable:
        assert portable.info["port"]
    assert not heard("added") and portable.stderr() == ""


def test_on_loopback_when_asked_for(shared, avahi, bus):
    heard = avahi()
    with Portable(shared, "-S", env=bus):
        wait_for("an advertisement", lambda: heard("added"))


def test_without_a_daemon_there_is_a_warning(shared, bus):
    for env in (bus, {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent"}):
        with Portable(shared, "-p", "x", home=ANYWHERE, env=env) as portable:
            wait_for("a warning", lambda: "Warning: the service is not advertised: " in portable.stderr())
            assert "Avahi" in portable.stderr()
            portable.sftp().close()


ISOLATED = r"""
mount --make-rprivate / && mount -t tmpfs none /run && mkdir -p /run/dbus /run/avahi-daemon
ip link set lo up multicast on && ip route add 224.0.0.0/4 dev lo
dbus-daemon --config-file="$1/bus.conf" --fork
printf '[server]\nuse-ipv6=no\n' >"$1/avahi.conf"
avahi-daemon --daemonize --no-drop-root --no-chroot --no-rlimits -f "$1/avahi.conf"
"$2" portable --json --advertise-credentials -u ann -p secret -d "$1" >"$1/said" &
until [ -s "$1/said" ]; do sleep 0.05; done
for _ in $(seq 50); do avahi-browse -rtp _sftp-ssh._tcp >"$1/seen"; grep -q '^=' "$1/seen" && break; sleep 0.1; done
"""


def test_avahi_resolves_it(shared, tmp_path):
    """In a network of its own, so that nothing is told to anybody else's."""
    require("avahi-daemon", "avahi-browse", "dbus-daemon", "ip", "unshare")
    if subprocess.run(["unshare", "-n", "-m", "true"], capture_output=True).returncode != 0:
        pytest.skip("network namespaces are not permitted")
    (tmp_path / "bus.conf").write_text(BUS.format(socket=tmp_path / "bus"))
    env = clean_env(tmp_path, DBUS_SYSTEM_BUS_ADDRESS=f"unix:path={tmp_path}/bus", PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
    subprocess.run(["unshare", "-n", "-m", "-p", "-f", "--kill-child", "sh", "-c", ISOLATED, "-", tmp_path, binary()],
                   env=env, stdin=subprocess.DEVNULL, timeout=seconds(60), preexec_fn=die_with_parent)
    port = json.loads((tmp_path / "said").read_text())["port"]
    resolved = [line.split(";") for line in (tmp_path / "seen").read_text().splitlines() if line.startswith("=")]
    assert resolved, (tmp_path / "seen").read_text()
    assert resolved[0][8] == str(port)
    assert {'"user=ann"', '"password=secret"', f'"version={version(shared)}"'} <= set(resolved[0][9].split(" "))
