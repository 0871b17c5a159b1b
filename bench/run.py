# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmark: all servers on loopback, one interleaved run, a JSON file and a Markdown table at the end.

Nothing is retried and nothing is left out: a measurement that fails is a row that says so, and the exit code is 1.
"""
import argparse
import os
import signal
import sys
import tempfile
import time

import machine
import report
from clients import Clients, MeasurementError, NotOffered
from peers import PeerError, Rclone, Sallyport, Sshd, make_key
from process_tree import TreeError
from scenarios import SCENARIOS, Bench, Sizes

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = ("sallyport", "sshd", "rclone")
FAILURES = (MeasurementError, PeerError, TreeError, OSError)


def parse_arguments(arguments):
    names = [scenario.name for scenario in SCENARIOS]

    def some_of(allowed):
        def parse(text):
            chosen = text.split(",")
            for word in chosen:
                if word not in allowed:
                    raise argparse.ArgumentTypeError(f"{word!r} is not one of {', '.join(allowed)}")
            return chosen
        return parse

    def positive(text):
        value = int(text)
        if value < 1:
            raise argparse.ArgumentTypeError("must be at least 1")
        return value

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="less data and fewer rounds: about 2 minutes, for orientation only")
    parser.add_argument("--only", type=some_of(names), default=names, metavar="LIST", help="some of " + ",".join(names))
    parser.add_argument("--peers", type=some_of(PEERS), default=list(PEERS), metavar="LIST", help="some of " + ",".join(PEERS))
    parser.add_argument("--runs", type=positive, help="rounds (default 5, quick 1)")
    parser.add_argument("--out", default=os.path.join(HERE, "results"), metavar="DIR")
    parser.add_argument("--build-dir", default=os.path.join(os.path.dirname(HERE), "build"), metavar="DIR")
    parser.add_argument("--check", action="store_true", help="exit with 2 when a threshold is missed")
    options = parser.parse_args(arguments)
    options.runs = options.runs or (1 if options.quick else 5)
    return options


class Harness:
    def __init__(self, options, directory):
        self.options, self.directory = options, directory
        self.key = make_key(os.path.join(directory, "client_key"))
        clients = Clients(os.path.join(options.build_dir, "bin", "sallyport-bench-client"), self.key, os.path.join(directory, "known_hosts"))
        self.bench = Bench(directory, clients, Sizes.quick() if options.quick else Sizes())
        self.running = {}
        self.samples = []

    def make_peer(self, name, instance):
        arguments = (os.path.join(self.directory, f"{name}-{instance}-{len(os.listdir(self.directory))}"), self.bench.files, self.key)
        if name == "sallyport":
            program = os.path.join(self.options.build_dir, "bin", "sallyport")
            return Sallyport(*arguments, program, io_threads=1 if instance == "one-io-thread" else 0, rest=instance == "rest",
                             slow_hook=instance == "hooks")
        return {"sshd": Sshd, "rclone": Rclone}[name](*arguments)

    @staticmethod
    def instance_of(scenario, name):
        """Only ours has threads to configure."""
        return "shared" if scenario.instance in ("one-io-thread", "rest") and name != "sallyport" else scenario.instance

    def peer(self, name, instance):
        """A running, quiet server."""
        if (name, instance) not in self.running:
            peer = self.make_peer(name, instance)
            peer.start()
            self.running[(name, instance)] = peer
            self.bench.clients.run(peer, "login", "--count", 2)
        self.running[(name, instance)].tree.settle()
        return self.running[(name, instance)]

    def stop(self, name, instance):
        peer = self.running.pop((name, instance), None)
        if peer:
            peer.stop()

    def stop_all(self):
        for name, instance in list(self.running):
            self.stop(name, instance)

    def measure(self, scenario, case, name, number):
        sample = {"scenario": scenario.name, "case": case, "peer": name, "round": number, "at": round(time.time(), 1)}
        instance = self.instance_of(scenario, name)
        try:
            sample["metrics"] = scenario.measure(self.bench, self.peer(name, instance), case)
        except NotOffered as error:
            sample["not_offered"] = str(error)
        except FAILURES as error:
            sample["error"] = str(error) or type(error).__name__
        if instance == "fresh" or "error" in sample:
            # After a failure the server's state is unknown, and it must not colour the next measurement.
            self.stop(name, instance)
        self.samples.append(sample)
        print(report.sample_line(sample), flush=True)

    def run(self):
        for scenario in SCENARIOS:
            if scenario.name not in self.options.only:
                continue
            print(f"-- {scenario.title}", flush=True)
            for number in range(self.options.runs):
                for case in scenario.cases:
                    for name in report.in_turn([peer for peer in self.options.peers if peer in scenario.peers], number):
                        self.measure(scenario, case, name, number)
            for instance in ("one-io-thread", "rest", "hooks"):
                self.stop("sallyport", instance)

    def versions(self):
        return {name: self.make_peer(name, "version").version() for name in self.options.peers}


def main(arguments):
    options = parse_arguments(arguments)
    for program in ["sallyport-bench-client"] + (["sallyport"] if "sallyport" in options.peers else []):
        if not os.access(os.path.join(options.build_dir, "bin", program), os.X_OK):
            print(f"{options.build_dir}/bin/{program} is missing: build first (./dev build)", file=sys.stderr)
            return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that everything is stopped and removed
    started, busy_before = time.monotonic(), machine.busy_seconds()
    with tempfile.TemporaryDirectory(prefix="sallyport-bench-") as directory:
        os.chmod(directory, 0o755)
        harness = Harness(options, directory)
        try:
            facts = machine.facts(options.build_dir, harness.versions())
            harness.bench.prepare(options.only)
            harness.run()
        except (PeerError, MeasurementError) as error:
            print(error, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
        finally:
            harness.stop_all()
    duration = time.monotonic() - started
    # Everything we started has been waited for by now, so what is left of the busy time is somebody else's.
    facts["foreign_cpu_share"] = max(0.0, machine.busy_seconds() - busy_before - machine.own_seconds()) / duration / os.cpu_count()
    facts["duration_s"] = round(duration)
    facts["settings"] = {"quick": options.quick, "rounds": options.runs, **vars(harness.bench.sizes)}
    result = report.summarise(facts, harness.samples)
    print("\n" + report.markdown(result))
    for path in report.save(result, options.out):
        print(f"written: {path}")
    if any("error" in sample for sample in harness.samples):
        return 1
    return 2 if options.check and any(check["verdict"] != "pass" for check in result["checks"]) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
