# SPDX-License-Identifier: Apache-2.0
"""What is measured, and how: one function per scenario, one call per peer, case and round.

Each returns a flat dictionary of metrics, or raises. CPU is the whole process tree of the server, read when its session
processes are gone; the harness has made sure that the server is quiet before the call. Every result is checked for being
right (sizes, contents, counts) before it counts.
"""
import json
import os
import time
from dataclasses import dataclass, field

import http_load
from clients import DelayProxy, MeasurementError
from process_tree import thread_seconds

CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com",
           "aes128-ctr+hmac-sha2-256-etm@openssh.com")
FAST_CIPHER = CIPHERS[0]
MIB, GIB = 1 << 20, 1 << 30
# Their copies stay until the end: ext4 looks at every inode that was freed within the last seconds before it takes a new
# one, which makes files after a large removal several times as expensive, for whichever server comes next.
SMALL_DIRECTORIES, SMALL_PER_DIRECTORY = 20, 100
FILES_AT_ONCE, SMALL_SESSIONS = 16, 5
LIST_ENTRIES = 100_000
ONE_WAY_MS = 20
LOAD_SECONDS = 120
REST_CLIENTS = 50
REST_THREADS = ("http", "log")  # of the server: those that answer, and the one that writes the access log
CROWD_LOGINS, CROWD_SECONDS = 200, 5
LIMITED, UNLIMITED = "limited to 100 MB/s", "as fast as it can"


@dataclass
class Sizes:
    """How much work one round is."""
    bulk_bytes: int = GIB
    delayed_bytes: int = 128 * MIB
    logins: dict = field(default_factory=lambda: {"sshd": 160, "": 800})
    idle_sessions: dict = field(default_factory=lambda: {"sshd": 200, "": 1000})
    beside_logins: int = 60
    quiet_ops: int = 200
    rest_seconds: int = 30

    @classmethod
    def quick(cls):
        return cls(bulk_bytes=256 * MIB, delayed_bytes=64 * MIB, logins={"sshd": 64, "": 320}, beside_logins=30, quiet_ops=100, rest_seconds=4)

    @staticmethod
    def of(peer, table):
        return table.get(peer.name, table[""])


class Bench:
    """What the scenarios share: the test data, the clients, the sizes."""

    def __init__(self, directory, clients, sizes):
        self.directory, self.clients, self.sizes = directory, clients, sizes
        self.files = os.path.join(directory, "files")
        self.local = os.path.join(directory, "local")
        self.serial = 0

    def prepare(self, scenarios):
        os.makedirs(self.files)
        os.makedirs(self.local)
        if set(scenarios) & {"get", "scp", "beside", "fairness", "rest", "hooks"}:
            self.clients.make_file(os.path.join(self.files, "big"), self.sizes.bulk_bytes)
        if "scp" in scenarios:
            self.clients.make_file(os.path.join(self.local, "big"), self.sizes.bulk_bytes)
        if "small" in scenarios:
            self._make_small_tree(os.path.join(self.files, "small"))
            self._make_small_tree(os.path.join(self.local, "small"))
            self._make_flat_directory(os.path.join(self.files, "small-flat"))
        if "list" in scenarios:
            many = os.path.join(self.files, "many")
            os.mkdir(many)
            for number in range(LIST_ENTRIES):
                os.close(os.open(os.path.join(many, f"entry-{number:06d}.dat"), os.O_CREAT | os.O_WRONLY, 0o644))

    @staticmethod
    def _make_small_tree(top):
        for directory in range(SMALL_DIRECTORIES):
            path = os.path.join(top, f"d{directory:02d}")
            os.makedirs(path)
            for number in range(SMALL_PER_DIRECTORY):
                with open(os.path.join(path, f"f{number:03d}"), "wb") as file:
                    file.write(f"{directory} {number} ".encode().ljust(1024, b"."))

    def _make_flat_directory(self, path):
        os.mkdir(path)
        self.clients.make_file(os.path.join(path, "0"), 1024)
        with open(os.path.join(path, "0"), "rb") as file:
            self.small_content = file.read()
        for number in range(1, SMALL_DIRECTORIES * SMALL_PER_DIRECTORY):
            with open(os.path.join(path, str(number)), "wb") as file:
                file.write(self.small_content)

    def check_small_file(self, path):
        with open(path, "rb") as file:
            if file.read() != self.small_content:
                raise MeasurementError(f"{path} has other bytes")

    def new_name(self, prefix):
        self.serial += 1
        return f"{prefix}-{self.serial}"


def same_tree(one, other):
    """Both small trees hold the same files with the same bytes."""
    for directory, _, names in os.walk(one):
        twin = os.path.join(other, os.path.relpath(directory, one))
        if not os.path.isdir(twin) or sorted(os.listdir(directory)) != sorted(os.listdir(twin)):
            return False
        for name in names:
            with open(os.path.join(directory, name), "rb") as left, open(os.path.join(twin, name), "rb") as right:
                if left.read() != right.read():
                    return False
    return True


def measure_transfer(bench, peer, cipher, write, name, size):
    if peer.name != "sallyport":  # we must offer all of them
        bench.clients.require_cipher(peer, cipher)
        peer.tree.settle()
    with bench.clients.start(peer, "put" if write else "get", name, "--bytes", size, cipher=cipher) as client:
        before = peer.tree.cpu_seconds()  # after the login, which is measured elsewhere
        result = client.go()
    peer.tree.settle()
    cpu = peer.tree.cpu_seconds() - before
    if result["bytes"] != size:
        raise MeasurementError(f"{result['bytes']} of {size} bytes moved")
    return {"wall_s": result["wall_s"], "mb_per_s": size / result["wall_s"] / 1e6, "cpu_s_per_gib": cpu * GIB / size}


def measure_get(bench, peer, cipher):
    return measure_transfer(bench, peer, cipher, False, "big", bench.sizes.bulk_bytes)


def measure_put(bench, peer, cipher):
    name = bench.new_name("put")
    metrics = measure_transfer(bench, peer, cipher, True, name, bench.sizes.bulk_bytes)
    bench.clients.check_file(os.path.join(bench.files, name), bench.sizes.bulk_bytes)
    bench.clients.openssh(peer, f"rm {name}")
    return metrics


def measure_scp(bench, peer, direction):
    """The old protocol by OpenSSH's scp, login included on both sides."""
    size, name = bench.sizes.bulk_bytes, bench.new_name("scp")
    there = os.path.join(bench.files, "big" if direction == "get" else name)
    local = os.path.join(bench.local, "big" if direction == "put" else name)
    before, start = peer.tree.cpu_seconds(), time.monotonic()
    bench.clients.scp(peer, direction, os.path.relpath(there, bench.files), local)
    wall = time.monotonic() - start
    peer.tree.settle()
    cpu = peer.tree.cpu_seconds() - before
    bench.clients.check_file(there if direction == "put" else local, size)
    os.unlink(there if direction == "put" else local)
    return {"wall_s": wall, "mb_per_s": size / wall / 1e6, "cpu_s_per_gib": cpu * GIB / size}


def measure_login(bench, peer, _):
    count = bench.sizes.of(peer, bench.sizes.logins)
    before = peer.tree.cpu_seconds()
    result = bench.clients.run(peer, "login", "--count", count, "--parallel", 8)
    peer.tree.settle()
    cpu = peer.tree.cpu_seconds() - before
    return {"per_second": result["per_second"], "cpu_ms_per_login": cpu * 1000 / count, "p50_ms": result["p50_ms"]}


def measure_idle(bench, peer, _):
    """On a server started for this: memory freed by earlier work must not hide what sessions need."""
    count = bench.sizes.of(peer, bench.sizes.idle_sessions)
    before = peer.tree.pss_kb()
    with bench.clients.start(peer, "idle", "--count", count) as client:
        time.sleep(1)
        after = peer.tree.pss_kb()
        client.go()
    return {"pss_kb_per_session": (after - before) / count, "pss_kb_without_sessions": before}


def measure_small(bench, peer, case):
    direction, how = case.split(" ", 1)
    if how == "-r":
        return measure_small_openssh(bench, peer, direction)
    if how == "one by one":
        return measure_small_session(bench, peer, direction, 1)
    # One session lasts a tenth of a second: what else the machine does meanwhile would decide.
    sessions = [measure_small_session(bench, peer, direction, FILES_AT_ONCE) for _ in range(SMALL_SESSIONS)]
    wall, count = sum(each["wall_s"] for each in sessions), SMALL_DIRECTORIES * SMALL_PER_DIRECTORY
    return {"files_per_s": count * SMALL_SESSIONS / wall, "wall_s": wall,
            "cpu_ms_per_file": sum(each["cpu_ms_per_file"] for each in sessions) / SMALL_SESSIONS}


def measure_small_session(bench, peer, direction, at_once):
    """One session, so many files under way at a time. One at a time measures mostly how soon the system wakes up those who
    wait, client included; several, what the server does."""
    count = SMALL_DIRECTORIES * SMALL_PER_DIRECTORY
    name = bench.new_name("small") if direction == "put" else "small-flat"
    directory = os.path.join(bench.files, name)
    if direction == "put":
        os.mkdir(directory)
    before = peer.tree.cpu_seconds()
    result = bench.clients.run(peer, "small", name, "--count", count, "--parallel", at_once, *(["--write"] if direction == "put" else []))
    peer.tree.settle()
    cpu = peer.tree.cpu_seconds() - before
    if direction == "put":
        for number in range(count):
            bench.check_small_file(os.path.join(directory, str(number)))
    return {"files_per_s": count / result["wall_s"], "wall_s": result["wall_s"], "cpu_ms_per_file": cpu * 1000 / count}


def measure_small_openssh(bench, peer, direction):
    count = SMALL_DIRECTORIES * SMALL_PER_DIRECTORY
    source = os.path.join(bench.local if direction == "put" else bench.files, "small")
    name = bench.new_name("small")
    target = os.path.join(bench.files if direction == "put" else bench.local, name)
    before, start = peer.tree.cpu_seconds(), time.monotonic()
    # The whole command, connection included, is what its user waits for.
    bench.clients.openssh(peer, f"put -r small {name}" if direction == "put" else f"get -r small {name}", cwd=bench.local)
    wall = time.monotonic() - start
    peer.tree.settle()
    cpu = peer.tree.cpu_seconds() - before
    if not same_tree(source, target):
        raise MeasurementError("the copied tree differs")
    return {"files_per_s": count / wall, "wall_s": wall, "cpu_ms_per_file": cpu * 1000 / count}


def measure_list(bench, peer, _):
    before = peer.tree.cpu_seconds()
    result = bench.clients.run(peer, "list", "many")
    peer.tree.settle()
    cpu = peer.tree.cpu_seconds() - before
    if result["entries"] - LIST_ENTRIES not in (0, 2):  # "." and ".." are optional
        raise MeasurementError(f"{result['entries']} entries listed")
    return {"wall_ms": result["wall_s"] * 1000, "cpu_ms": cpu * 1000}


def measure_delay(bench, peer, _):
    name, size = bench.new_name("delayed"), bench.sizes.delayed_bytes
    with DelayProxy(peer.port, ONE_WAY_MS) as proxy:
        with bench.clients.start(peer, "put", name, "--bytes", size, "--in-flight-bytes", 16 * MIB, port=proxy.port) as client:
            result = client.go()
        peer.tree.settle()
    bench.clients.check_file(os.path.join(bench.files, name), size)
    bench.clients.openssh(peer, f"rm {name}")
    return {"mb_per_s": size / result["wall_s"] / 1e6, "wall_s": result["wall_s"]}


class Load:
    """Endless transfers by one user while a block runs; `mb_per_s` afterwards."""

    def __init__(self, bench, peer, sessions, write):
        self.bench, self.peer, self.sessions, self.mb_per_s = bench, peer, sessions, None
        self.name = bench.new_name("load") if write else "big"
        self.client = bench.clients.start(peer, "bulk", self.name, "--bytes", bench.sizes.bulk_bytes, "--parallel", sessions,
                                          "--seconds", LOAD_SECONDS, *(["--write"] if write else []))

    def __enter__(self):
        self.client.__enter__()
        time.sleep(1)
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                if not self.client.alive():
                    raise MeasurementError("the load ended before the measurement did")
                result = self.client.go()
                self.mb_per_s = result["bytes"] / result["wall_s"] / 1e6
        finally:
            self.client.__exit__()
        self.peer.tree.settle()
        if self.name != "big":
            self.bench.clients.openssh(self.peer, f"rm {self.name}.*")


def measure_beside(bench, peer, direction):
    with Load(bench, peer, 1, direction == "put") as load:
        login = bench.clients.run(peer, "login", "--count", bench.sizes.beside_logins, "--interval-ms", 20, user=peer.quiet_user)
    return {"login_p50_ms": login["p50_ms"], "login_p95_ms": login["p95_ms"], "login_max_ms": login["max_ms"], "load_mb_per_s": load.mb_per_s}


def measure_fairness(bench, peer, _):
    name = bench.new_name("quiet")
    with Load(bench, peer, 8, False) as load:
        login = bench.clients.run(peer, "login", "--count", bench.sizes.beside_logins, "--interval-ms", 20, user=peer.quiet_user)
        ops = bench.clients.run(peer, "smallops", name, "--count", bench.sizes.quiet_ops, "--interval-ms", 10, user=peer.quiet_user)
    bench.clients.openssh(peer, f"rm {name}.*")
    metrics = {f"login_{key}": login[key] for key in ("p50_ms", "p95_ms", "max_ms")}
    metrics.update({f"{op}_{key}": ops[f"{op}_{key}"] for op in ("put", "get") for key in ("p50_ms", "p95_ms", "max_ms")})
    metrics["load_mb_per_s"] = load.mb_per_s
    return metrics


def beside_requests(bench, peer, port, rate, seconds):
    """SFTP's speed, and what the clients of a REST server at `port` saw, while both are at work."""
    with http_load.Helper("load", port, REST_CLIENTS, rate) as requests:
        with Load(bench, peer, 1, False) as transfers:
            time.sleep(seconds - 1)
        seen = json.loads(requests.end())
    if seen["errors"] or not seen["requests"]:
        raise MeasurementError(f"{seen['errors']} of {seen['requests']} requests failed")
    return transfers.mb_per_s, seen


def measure_rest(bench, peer, case):
    """The clients take processors from SFTP whoever answers them, so what counts is our server beside one of another process
    that repeats its answers. Both take turns."""
    rate, seconds = float(case.split("/")[0]), bench.sizes.rest_seconds / 2
    answers = os.path.join(peer.directory, "answers.json")
    with open(answers, "w", encoding="utf-8") as file:
        json.dump(http_load.bodies_of(peer.http_port), file)
    ours, others, cpu, requests, worst = 0, 0, 0, 0, 0
    with http_load.Helper("serve", answers) as control:
        for port in (int(control.first_line), peer.http_port, peer.http_port, int(control.first_line)):
            before = thread_seconds(peer.tree.pid, REST_THREADS)
            speed, seen = beside_requests(bench, peer, port, rate, seconds)
            if port == peer.http_port:
                cpu += thread_seconds(peer.tree.pid, REST_THREADS) - before
                ours, requests, worst = ours + speed / 2, requests + seen["requests"], max(worst, seen["p99_ms"])
                per_second = seen["per_second"]
            else:
                others += speed / 2
    return {"sftp_ratio": ours / others, "mb_per_s": ours, "mb_per_s_beside_control": others, "requests_per_s": per_second,
            "cpu_us_per_request": cpu * 1e6 / requests, "http_p99_ms": worst}


def crowd_beside_download(bench, peer, user, *where):
    return bench.clients.run(peer, "crowd", "big", "--bytes", bench.sizes.bulk_bytes, "--count", CROWD_LOGINS,
                             "--crowd-user", "crowd", *where, "--seconds", CROWD_SECONDS, user=user)


def measure_hooks(bench, peer, case):
    """A download before, beside and after a crowd that logs in through a program which takes a second (bench/README.md)."""
    result = crowd_beside_download(bench, peer, peer.limited_user if case == LIMITED else peer.user)
    peer.tree.settle()  # fails when a program or a zombie is left
    metrics = {"kept": result["beside_per_s"] / result["alone_per_s"], "alone_mb_per_s": result["alone_per_s"] / 1e6,
               "beside_mb_per_s": result["beside_per_s"] / 1e6, "crowd_s": result["crowd_s"]}
    if case == UNLIMITED:
        twin = peer.twin()
        try:
            twin.start()
            control = crowd_beside_download(bench, peer, peer.user, "--crowd-port", twin.port)
        finally:
            twin.stop()
        metrics["kept_beside_control"] = control["beside_per_s"] / control["alone_per_s"]
        metrics["kept_ratio"] = metrics["kept"] / metrics["kept_beside_control"]
    return metrics


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    measure: object
    cases: tuple = ("",)
    instance: str = "shared"  # "shared", "fresh" per measurement, "one-io-thread", "rest" or "hooks"
    peers: tuple = ("sallyport", "sshd", "rclone")


SCENARIOS = (
    Scenario("get", "Download of one file, fast client", measure_get, CIPHERS),
    Scenario("put", "Upload of one file, fast client", measure_put, CIPHERS),
    Scenario("scp", "One file by OpenSSH's scp -O", measure_scp, ("get", "put"), peers=("sallyport", "sshd")),
    Scenario("login", "Logins: ed25519 key, curve25519, 8 in parallel, up to a working SFTP channel", measure_login),
    Scenario("idle", "Memory of an idle session", measure_idle, instance="fresh"),
    Scenario("small", f"2,000 files of 1 KiB: fast client with {FILES_AT_ONCE} under way, one by one, OpenSSH's sftp -r (whole command)", measure_small,
             ("put fast", "get fast", "put one by one", "get one by one", "put -r", "get -r")),
    Scenario("list", "Listing of 100,000 entries, one READDIR at a time", measure_list),
    Scenario("delay", "Upload at 40 ms round trip", measure_delay),
    Scenario("beside", "Login of another user beside one bulk transfer (sallyport: one group of I/O threads)", measure_beside, ("get", "put"),
             instance="one-io-thread"),
    Scenario("fairness", "Another user beside 8 bulk downloads", measure_fairness),
    Scenario("rest", f"One bulk get beside {REST_CLIENTS} clients of the REST API, compared with the same clients at another process", measure_rest,
             ("50/s", "200/s", "1000/s"), instance="rest", peers=("sallyport",)),
    Scenario("hooks", f"A download beside {CROWD_LOGINS} logins through a program that takes a second", measure_hooks,
             (LIMITED, UNLIMITED), instance="hooks", peers=("sallyport",)),
)
