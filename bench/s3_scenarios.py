# SPDX-License-Identifier: Apache-2.0
"""What is measured of files in S3, and the two servers that are compared: ours with fs-s3, and `rclone serve sftp` over
rclone's S3 backend, both before the same store. Shapes as in scenarios.py."""
import contextlib
import json
import os
import threading
import time
from dataclasses import dataclass

from clients import MeasurementError
from peers import Rclone, Sallyport, run_quietly
from s3_store import BUCKET
from scenarios import GIB, MIB, Scenario

CIPHER = "aes128-gcm@openssh.com"
MANY = "many/"
SESSIONS = 64  # of the load beside a local user: half of them upload
LIMITED_USER = "limited"
SAMPLE_SECONDS = 0.05


@dataclass
class Sizes:
    bulk_bytes: int = GIB
    memory_seconds: float = 10
    entries: int = 100_000
    beside_bytes: int = 16 * MIB
    beside_kb_per_s: int = 10_000  # in each direction, of all sessions together
    beside_seconds: float = 10

    @classmethod
    def quick(cls):
        return cls(bulk_bytes=256 * MIB, memory_seconds=4, entries=10_000, beside_bytes=8 * MIB, beside_seconds=4)


class SallyportS3(Sallyport):
    """The account `bulk` has its files in the store, so has `limited`, with limits; those of `quiet` are local."""

    def __init__(self, directory, files, key, program, store, sizes):
        super().__init__(directory, files, key, program)
        self.store, self.sizes = store, sizes

    def command(self):
        first = not os.path.exists(os.path.join(self.directory, "sallyport.db"))  # a start may be tried again
        argv = super().command()
        if not first:
            return argv
        self._add(self.user, {"filesystem": self.store.account()}, "update")
        limits = {name: self.sizes.beside_kb_per_s for name in ("upload_bandwidth", "download_bandwidth")}
        self._add(LIMITED_USER, {"filesystem": self.store.account(), **limits}, "add")
        return argv

    def _add(self, name, fields, verb):
        record = os.path.join(self.directory, f"{name}.json")
        with open(record, "w", encoding="utf-8") as file:
            json.dump(fields, file)
        words = ["--home-dir", self.files, "--public-key-file", self.client_key + ".pub"] if verb == "add" else []
        run_quietly([self.program, "user", verb, name, "-c", self.directory, "--json", record, *words])


class RcloneS3(Rclone):
    def __init__(self, directory, files, key, store):
        super().__init__(directory, files, key)
        self.store = store

    def command(self):
        with open(os.path.join(self.directory, "rclone.conf"), "w", encoding="utf-8") as file:
            file.write(self.store.rclone_config())
        argv = super().command()
        argv[argv.index(self.files)] = f"store:{BUCKET}"
        return argv


class Bench:
    def __init__(self, directory, clients, sizes, store):
        self.directory, self.clients, self.sizes, self.store = directory, clients, sizes, store
        self.files = os.path.join(directory, "files")
        self.serial = 0

    def prepare(self, scenarios):
        os.makedirs(self.files)
        big = os.path.join(self.files, "big")
        if set(scenarios) & {"s3-put", "s3-get", "s3-memory", "s3-beside"}:
            self.clients.make_file(big, self.sizes.bulk_bytes)
            self.store.warm(big)
            self.store.put_file("big", big)
        if "s3-beside" in scenarios:
            small = os.path.join(self.files, "small")
            self.clients.make_file(small, self.sizes.beside_bytes)
            self.store.put_file("down/0", small)
        if "s3-list" in scenarios:
            self.store.put_many(MANY, self.sizes.entries)

    def new_name(self, prefix):
        self.serial += 1
        return f"{prefix}-{self.serial}"


class PeakMemory:
    """How much a server grows while a block runs. Nothing else may ask its process tree meanwhile."""

    def __init__(self, tree):
        self.tree, self.over = tree, threading.Event()
        self.before = self.peak = tree.pss_kb()
        self.thread = threading.Thread(target=self._watch)

    def _watch(self):
        while not self.over.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, self.tree.pss_kb())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def grown_mib(self):
        return (self.peak - self.before) / 1024


def move(bench, peer, write, name):
    size = bench.sizes.bulk_bytes
    with bench.clients.start(peer, "put" if write else "get", name, "--bytes", size, cipher=CIPHER) as client:
        before = peer.tree.cpu_seconds()
        result = client.go()
    peer.tree.settle()
    if result["bytes"] != size:
        raise MeasurementError(f"{result['bytes']} of {size} bytes moved")
    return {"mb_per_s": size / result["wall_s"] / 1e6, "wall_s": result["wall_s"], "cpu_s_per_gib": (peer.tree.cpu_seconds() - before) * GIB / size}


def measure_get(bench, peer, _):
    return move(bench, peer, False, "big")


def measure_put(bench, peer, _):
    name = bench.new_name("put")
    metrics = move(bench, peer, True, name)
    if bench.store.size_of(name) != bench.sizes.bulk_bytes:
        raise MeasurementError("the object has another size")
    move(bench, peer, False, name)  # the client looks at every block
    bench.store.remove(name)
    return metrics


def measure_memory(bench, peer, case):
    """On a server that was just started: what earlier transfers left would hide what these need."""
    direction, sessions = case.split(" ")
    name = bench.new_name("memory") if direction == "put" else "big"
    words = ["--parallel", sessions, "--seconds", 600, *(["--write"] if direction == "put" else [])]
    with bench.clients.start(peer, "bulk", name, "--bytes", bench.sizes.bulk_bytes, *words) as client:
        with PeakMemory(peer.tree) as memory:
            time.sleep(bench.sizes.memory_seconds)
        alive, result = client.alive(), client.go()
    if not alive:
        raise MeasurementError("the load ended before the measurement did")
    if direction == "put":
        bench.store.remove(name)
    return {"growth_mib_per_transfer": memory.grown_mib() / int(sessions), "mb_per_s": result["bytes"] / result["wall_s"] / 1e6}


def measure_list(bench, peer, _):
    before = peer.tree.cpu_seconds()
    result = bench.clients.run(peer, "list", MANY.rstrip("/"))
    peer.tree.settle()
    if result["entries"] - bench.sizes.entries not in (0, 2):  # "." and ".." are optional
        raise MeasurementError(f"{result['entries']} entries listed")
    return {"first_ms": result["first_s"] * 1000, "wall_ms": result["wall_s"] * 1000, "cpu_ms": (peer.tree.cpu_seconds() - before) * 1000}


@contextlib.contextmanager
def through_us(bench, peer):
    """Two clients of one account whose speed is limited, half of the sessions in each direction."""
    half, size = SESSIONS // 2, bench.sizes.beside_bytes
    words = ["--parallel", half, "--seconds", 600]
    with bench.clients.start(peer, "bulk", "down/0", "--bytes", size, *words, user=LIMITED_USER) as down, \
            bench.clients.start(peer, "bulk", "up", "--bytes", size, *words, "--write", user=LIMITED_USER) as up:
        time.sleep(2)
        yield
        if not (down.alive() and up.alive()):
            raise MeasurementError("the load ended before the measurement did")


@contextlib.contextmanager
def through_another(bench, peer):
    """The same through a second server of ours: the machine does all the same, but none of it in that process."""
    other = SallyportS3(os.path.join(bench.directory, bench.new_name("other")), bench.files, peer.client_key, peer.program, bench.store, bench.sizes)
    other.start()
    try:
        with through_us(bench, other):
            yield
    finally:
        other.stop()


def measure_beside(bench, peer, case):
    """The speed of a user whose files are local."""
    load = {"alone": lambda *_: contextlib.nullcontext(), "64 through us": through_us, "64 through another": through_another}[case]
    with load(bench, peer):
        with bench.clients.start(peer, "bulk", "big", "--bytes", bench.sizes.bulk_bytes, "--parallel", 1, "--seconds", 600, user=peer.quiet_user) as client:
            time.sleep(bench.sizes.beside_seconds)
            result = client.go()
    peer.tree.settle()
    bench.store.remove("up")
    return {"mb_per_s": result["bytes"] / result["wall_s"] / 1e6}


PEERS = ("sallyport", "rclone")
SCENARIOS = (
    Scenario("s3-put", "Upload of one file into S3", measure_put, peers=PEERS),
    Scenario("s3-get", "Download of one file from S3", measure_get, peers=PEERS),
    Scenario("s3-memory", "Memory of transfers, on a server just started", measure_memory, ("put 1", "get 1", "put 8", "get 8"), "fresh", PEERS),
    Scenario("s3-list", "Listing of many keys by a server just started", measure_list, instance="fresh", peers=PEERS),
    Scenario("s3-beside", "A local user's download beside 64 limited transfers with the store", measure_beside, ("alone", "64 through us", "64 through another"),
             peers=("sallyport",)),
)
