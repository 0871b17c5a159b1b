# SPDX-License-Identifier: Apache-2.0
"""A server, all its descendants, and what they cost.

One supervisor process per server is made a child subreaper, so that orphans (the internal-sftp children of sshd) come
back to it and not to init. CPU time is then
    what the supervisor has reaped (RUSAGE_CHILDREN, which includes what the reaped ones had reaped themselves)
  + for every live descendant, its own time and that of the children it has waited for.
A process is in exactly one of the two, provided nothing is reaped between the readings; see cpu_seconds().

The supervisor runs nothing else, reads commands (JSON lines) on stdin and kills the tree when stdin ends, so nothing
outlives the harness even when that is killed.
"""
import ctypes
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36
TICKS = os.sysconf("SC_CLK_TCK")
OPEN_FILES = 65536


class TreeError(Exception):
    """The process tree did something that makes a reading impossible."""


def become_subreaper():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _read_stat(pid):
    """(parent, start time, ticks of the process and of its waited-for children), None if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # Fields from the state on (proc(5)): ppid 1, utime 11, stime 12, cutime 13, cstime 14, starttime 19.
    return int(fields[1]), int(fields[19]), sum(int(field) for field in fields[11:15])


def live_descendants(root):
    """{(pid, start time): ticks} of every process below `root`, zombies included."""
    stats = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            stat = _read_stat(name)
            if stat:
                stats[int(name)] = stat
    children = {}
    for pid, (parent, _, _) in stats.items():
        children.setdefault(parent, []).append(pid)
    found, queue = {}, list(children.get(root, []))
    while queue:
        pid = queue.pop()
        found[(pid, stats[pid][1])] = stats[pid][2]
        queue.extend(children.get(pid, []))
    return found


def thread_seconds(pid, names):
    """CPU time of the live threads of a process whose names begin with one of `names`."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/comm", encoding="utf-8") as file:
                wanted = file.read().startswith(names)
            with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="utf-8") as file:
                total += int(file.read().split()[0]) if wanted else 0
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended meanwhile
    return total / 1e9


def _reaped_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Supervisor:
    """Runs in the supervising process only."""

    def __init__(self):
        become_subreaper()
        self.main_pid = None
        self.exit_status = None
        self.baseline = set()

    def start(self, argv, env, log_path):
        limit = min(OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        with open(log_path, "ab") as log:
            self.main_pid = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log).pid
        return self.main_pid

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.main_pid:
                self.exit_status = os.waitstatus_to_exitcode(status)

    def cpu_seconds(self, attempts=200):
        """Reaping moves time from the live to the reaped side, also inside the tree; a reading counts only if the set of
        processes and the reaped time were the same before and after it."""
        for _ in range(attempts):
            self.reap()
            before, reaped_before = set(live_descendants(os.getpid())), _reaped_seconds()
            live = live_descendants(os.getpid())
            if set(live) == before and set(live_descendants(os.getpid())) == before and _reaped_seconds() == reaped_before:
                return reaped_before + sum(live.values()) / TICKS
            time.sleep(0.005)
        raise TreeError("processes come and go all the time")

    def mark_baseline(self):
        self.settle_cpu(3)
        self.baseline = set(live_descendants(os.getpid()))

    def settle(self, seconds):
        """Until every process that a session brought is gone and the rest is quiet."""
        deadline = time.monotonic() + seconds
        while True:
            self.reap()
            extra = set(live_descendants(os.getpid())) - self.baseline
            if not extra:
                break
            if time.monotonic() > deadline:
                raise TreeError(f"{len(extra)} session processes still there after {seconds} s")
            time.sleep(0.01)
        self.settle_cpu(3)

    def settle_cpu(self, seconds):
        deadline = time.monotonic() + seconds
        last = self.cpu_seconds()
        while time.monotonic() < deadline:
            time.sleep(0.1)
            now = self.cpu_seconds()
            if now - last < 1.5 / TICKS:
                return
            last = now

    def pss_kb(self):
        total = 0
        for pid, _ in live_descendants(os.getpid()):
            try:
                with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
                    total += next(int(line.split()[1]) for line in file if line.startswith(b"Pss:"))
            except (FileNotFoundError, ProcessLookupError, StopIteration):
                continue  # gone, or a zombie without memory
        return total

    def stop(self, seconds):
        """SIGTERM to the server, then SIGKILL to whatever is left. Returns the server's exit code."""
        if self.main_pid is not None and self.exit_status is None:
            os.kill(self.main_pid, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while True:
            self.reap()
            left = live_descendants(os.getpid())
            if not left:
                return self.exit_status
            if time.monotonic() > deadline or self.exit_status is not None:
                for pid, _ in left:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
            time.sleep(0.01)

    def answer(self, command, arguments):
        if command == "exit_status":
            self.reap()
            return self.exit_status
        return {"start": self.start, "cpu_seconds": self.cpu_seconds, "mark_baseline": self.mark_baseline,
                "settle": self.settle, "pss_kb": self.pss_kb, "stop": self.stop}[command](*arguments)


def supervise():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the harness, which then closes our stdin
    supervisor = Supervisor()
    try:
        while True:
            readable, _, _ = select.select([sys.stdin], [], [], 0.2)
            supervisor.reap()
            if not readable:
                continue
            line = sys.stdin.readline()
            if not line:
                return
            command, *arguments = json.loads(line)
            try:
                answer = {"ok": supervisor.answer(command, arguments)}
            except (TreeError, OSError) as error:
                answer = {"error": str(error)}
            print(json.dumps(answer), flush=True)
    finally:
        supervisor.stop(1)


class ProcessTree:
    """The harness's handle on a supervised server."""

    def __init__(self, argv, log_path, env=None):
        # A session of its own: with autogroup scheduling every server then competes on equal terms.
        self._supervisor = subprocess.Popen([sys.executable, os.path.abspath(__file__)], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.pid = self._call("start", argv, env if env is not None else dict(os.environ), log_path)

    def _call(self, *command):
        self._supervisor.stdin.write(json.dumps(command) + "\n")
        self._supervisor.stdin.flush()
        line = self._supervisor.stdout.readline()
        if not line:
            raise TreeError("the supervisor died")
        answer = json.loads(line)
        if "error" in answer:
            raise TreeError(answer["error"])
        return answer["ok"]

    def exit_status(self):
        return self._call("exit_status")

    def cpu_seconds(self):
        return self._call("cpu_seconds")

    def mark_baseline(self):
        self._call("mark_baseline")

    def settle(self, seconds=15):
        self._call("settle", seconds)

    def pss_kb(self):
        return self._call("pss_kb")

    def stop(self, seconds=15):
        """Safe to call twice."""
        if self._supervisor.stdin.closed:
            return None
        try:
            return self._call("stop", seconds)
        finally:
            self._supervisor.stdin.close()
            self._supervisor.wait(30)
            self._supervisor.stdout.close()


if __name__ == "__main__":
    supervise()
