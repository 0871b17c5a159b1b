# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmark of files in S3: fs-s3 beside rclone before the same store, one interleaved run, a JSON file and a
Markdown table at the end. As run.py does: nothing is retried and nothing is left out."""
import argparse
import json
import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass

import machine
import report
from clients import Clients, MeasurementError
from peers import PeerError, make_key
from process_tree import TreeError
from s3_scenarios import PEERS, SCENARIOS, Bench, RcloneS3, SallyportS3, Sizes
from s3_store import Store

HERE = os.path.dirname(os.path.abspath(__file__))
FAILURES = (MeasurementError, PeerError, TreeError, OSError)
STORE_BYTES = 6 << 30
US, OTHER = PEERS


@dataclass(frozen=True)
class Threshold:
    """What our figure must be; `of`: as a ratio to that peer's, or to our own in that case."""
    what: str
    scenario: str
    case: str
    metric: str
    limit: float
    at_least: bool = False
    of: str = ""


THRESHOLDS = (
    Threshold("put: speed", "s3-put", "", "mb_per_s", 2, True, OTHER),
    Threshold("get: speed", "s3-get", "", "mb_per_s", 2, True, OTHER),
    *(Threshold(f"memory of a transfer, MiB: {case}", "s3-memory", case, "growth_mib_per_transfer", 64)
      for case in ("put 1", "get 1", "put 8", "get 8")),
    Threshold("first entry of a long listing, ms", "s3-list", "", "first_ms", 500),
    Threshold("a local user beside 64 transfers, to the same through another process", "s3-beside", "64 through us", "mb_per_s", 0.9, True, "64 through another"),
)


def parse_arguments(arguments):
    names = [scenario.name.removeprefix("s3-") for scenario in SCENARIOS]
    parser = argparse.ArgumentParser(prog="./dev bench s3", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="less data and one round, for orientation only")
    parser.add_argument("--only", default=",".join(names), metavar="LIST", help="some of " + ",".join(names))
    parser.add_argument("--peers", default=",".join(PEERS), metavar="LIST", help="some of " + ",".join(PEERS))
    parser.add_argument("--runs", type=int, help="rounds (default 3, quick 1)")
    parser.add_argument("--out", default=os.path.join(HERE, "results"), metavar="DIR")
    parser.add_argument("--build-dir", default=os.path.join(os.path.dirname(HERE), "build"), metavar="DIR")
    parser.add_argument("--check", action="store_true", help="exit with 2 when a threshold is missed")
    options = parser.parse_args(arguments)
    options.only, options.peers = options.only.split(","), options.peers.split(",")
    if not set(options.only) <= set(names) or not set(options.peers) <= set(PEERS):
        parser.error("--only or --peers names what there is not")
    options.runs = options.runs or (1 if options.quick else 3)
    return options


class Harness:
    def __init__(self, options, directory, store):
        self.options, self.directory, self.store = options, directory, store
        self.key = make_key(os.path.join(directory, "client_key"))
        clients = Clients(os.path.join(options.build_dir, "bin", "sallyport-bench-client"), self.key, os.path.join(directory, "known_hosts"))
        self.sizes = Sizes.quick() if options.quick else Sizes()
        self.bench = Bench(directory, clients, self.sizes, store)
        self.scenarios = [scenario for scenario in SCENARIOS if scenario.name.removeprefix("s3-") in options.only]
        self.running, self.samples, self.made = {}, [], 0

    def make_peer(self, name):
        self.made += 1
        directory = os.path.join(self.directory, f"{name}-{self.made}")
        if name == OTHER:
            return RcloneS3(directory, self.bench.files, self.key, self.store)
        return SallyportS3(directory, self.bench.files, self.key, os.path.join(self.options.build_dir, "bin", "sallyport"), self.store, self.sizes)

    def peer(self, name):
        if name not in self.running:
            peer = self.make_peer(name)
            peer.start()
            self.running[name] = peer
            self.bench.clients.run(peer, "login", "--count", 2)
        self.running[name].tree.settle()
        return self.running[name]

    def stop(self, name):
        if name in self.running:
            self.running.pop(name).stop()

    def measure(self, scenario, case, name, number):
        sample = {"scenario": scenario.name, "case": case, "peer": name, "round": number, "at": round(time.time(), 1)}
        if scenario.instance == "fresh":
            self.stop(name)
        try:
            sample["metrics"] = scenario.measure(self.bench, self.peer(name), case)
        except FAILURES as error:
            sample["error"] = str(error) or type(error).__name__
        if scenario.instance == "fresh" or "error" in sample:
            self.stop(name)
        self.samples.append(sample)
        print(report.sample_line(sample), flush=True)

    def run(self):
        self.bench.prepare([scenario.name for scenario in self.scenarios])
        for scenario in self.scenarios:
            print(f"-- {scenario.title}", flush=True)
            for number in range(self.options.runs):
                for case in scenario.cases:
                    for name in report.in_turn([peer for peer in self.options.peers if peer in scenario.peers], number):
                        self.measure(scenario, case, name, number)

    def versions(self):
        return {name: self.make_peer(name).version() for name in self.options.peers}


def judge(rows):
    index = {(row["scenario"], row["case"], row["peer"], row["metric"]): row["median"] for row in rows}
    for wanted in THRESHOLDS:
        found = index.get((wanted.scenario, wanted.case, US, wanted.metric))
        other = {"": 1, OTHER: index.get((wanted.scenario, wanted.case, OTHER, wanted.metric))}.get(
            wanted.of, index.get((wanted.scenario, wanted.of, US, wanted.metric)))
        if not found or not other:
            continue
        value = found / other
        good = value >= wanted.limit if wanted.at_least else value <= wanted.limit
        yield {"what": wanted.what, "found": value, "good": good,
               "wanted": f"{'>=' if wanted.at_least else '<='} {wanted.limit:g}" + (f" x {wanted.of}" if wanted.of else "")}


def markdown(facts, checks, failures, rows, scenarios):
    settings = facts["settings"]
    yield "# Benchmark: files in S3\n"
    yield (f"{facts['date']} · {facts['cpu']}, {facts['cores']} cores shared by servers, clients and the store (Ceph RGW over memory, {settings['allocator']}) · "
           f"{facts['system']}, kernel {facts['kernel']}\n")
    yield (f"commit {facts['commit']}, build type {facts['build_type']} · " + " · ".join(f"{name}: {text}" for name, text in facts["versions"].items())
           + f" · {settings['rounds']} interleaved rounds{' (quick: for orientation only)' if settings['quick'] else ''}, {facts['duration_s']} s · "
           f"other processes took {facts['foreign_cpu_share']:.0%} of the machine, which includes the store\n")
    yield "| what | wanted | found, by medians | |\n|---|---|---|---|"
    for check in checks:
        yield f"| {check['what']} | {check['wanted']} | {report.number(check['found'])} | {'pass' if check['good'] else '**MISS**'} |"
    for failure in failures:
        yield f"\nfailed: {failure['peer']}, {failure['scenario']} {failure['case']}: {failure['rounds']} x, first: {failure['reason']}"
    for scenario in scenarios:
        yield f"\n## {scenario.title}\n\n| case | metric | {US} | {OTHER} | ratio |\n|---|---|---|---|---|"
        cells = {}
        for row in rows:
            if row["scenario"] == scenario.name:
                cells.setdefault((row["case"], row["metric"]), {})[row["peer"]] = row
        for (case, metric), found in cells.items():
            line = [f"{report.number(found[peer]['median'])} ({report.number(found[peer]['best'])})" if peer in found else "-" for peer in PEERS]
            both = len(found) == 2 and found[OTHER]["median"]
            yield f"| {case} | {metric} | {line[0]} | {line[1]} | {report.number(found[US]['median'] / found[OTHER]['median']) if both else '-'} |"


def main(arguments):
    options = parse_arguments(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that everything is stopped and removed
    started, busy_before = time.monotonic(), machine.busy_seconds()
    with tempfile.TemporaryDirectory(prefix="sallyport-bench-s3-") as directory:
        os.chmod(directory, 0o755)
        store, harness = None, None
        try:
            store = Store(os.path.join(directory, "store"), STORE_BYTES)
            harness = Harness(options, directory, store)
            facts = machine.facts(options.build_dir, harness.versions())
            harness.run()
        except FAILURES as error:
            print(error, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
        finally:
            for name in PEERS if harness else ():
                harness.stop(name)
            if store:
                store.stop()
    duration = time.monotonic() - started
    facts["foreign_cpu_share"] = max(0.0, machine.busy_seconds() - busy_before - machine.own_seconds()) / duration / os.cpu_count()
    facts["duration_s"] = round(duration)
    facts["settings"] = {"quick": options.quick, "rounds": options.runs, "allocator": os.path.basename(store.allocator) or "malloc of the C library", **vars(harness.sizes)}
    rows, failures = report.make_rows(harness.samples), report.collect_notes(harness.samples, "error")
    checks = list(judge(rows))
    text = "\n".join(markdown(facts, checks, failures, rows, harness.scenarios)) + "\n"
    print("\n" + text)
    os.makedirs(options.out, exist_ok=True)
    stem = os.path.join(options.out, time.strftime("bench-s3-%Y%m%d-%H%M%S"))
    with open(stem + ".json", "w", encoding="utf-8") as file:
        json.dump({"machine": facts, "checks": checks, "failures": failures, "rows": rows, "samples": harness.samples}, file, indent=1)
    with open(stem + ".md", "w", encoding="utf-8") as file:
        file.write(text)
    print(f"written: {stem}.json\nwritten: {stem}.md")
    if failures:
        return 1
    return 2 if options.check and not all(check["good"] for check in checks) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
