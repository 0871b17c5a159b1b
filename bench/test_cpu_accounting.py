# SPDX-License-Identifier: Apache-2.0
"""The CPU sum is checked on workloads whose cost the burning processes report themselves."""
import os
import sys
import tempfile
import textwrap
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from process_tree import ProcessTree, TreeError  # noqa: E402

BURN = "import time\nwhile time.process_time() < {seconds}: pass\n"

# What the tree does once; afterwards the main process waits, as a server between sessions does.
WORKLOADS = {
    "the server itself": "burn(0.5)",
    "a child that the server waits for": "wait(child(lambda: burn(0.5)))",
    "a child that is still alive": "child(lambda: (burn(0.5), time.sleep(60)))",
    # Double fork: the middle process ends at once, the grandchild is orphaned while it works and ends unseen by the server.
    "an orphan that ended": "wait(child(lambda: child(lambda: burn(0.5))))",
    "an orphan that is still alive": "wait(child(lambda: child(lambda: (burn(0.5), time.sleep(60)))))",
    # The session process waits for its helper, then is waited for: its cutime must not be counted twice.
    "a grandchild, both waited for": "wait(child(lambda: wait(child(lambda: burn(0.5)))))",
    "a zombie nobody waits for": "child(lambda: burn(0.5))",
}

SCRIPT = textwrap.dedent("""
    import os, sys, time
    def burn(seconds):
        while time.process_time() < seconds: pass
        os.write(done, b'x')
    def child(work):
        pid = os.fork()
        if pid == 0:
            work()
            os._exit(0)
        return pid
    def wait(pid):
        os.waitpid(pid, 0)
    done = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    {workload}
    time.sleep(60)
""")

# Four processes; the children leave the process group, as sshd's sessions do.
FAMILY = textwrap.dedent("""
    import os, sys, time
    main = os.getpid()
    os.fork()
    os.fork()
    if os.getpid() != main:
        os.setsid()
    with open(sys.argv[1], "a") as file:
        file.write(f"{os.getpid()}\\n")
    time.sleep(60)
""")


def words(path):
    try:
        with open(path, encoding="ascii") as file:
            return file.read().split()
    except FileNotFoundError:
        return []


class CpuAccounting(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def start(self, argv):
        tree = ProcessTree(argv, self.path("log"))
        self.addCleanup(tree.stop, 0)
        return tree

    def until(self, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, "the workload did not finish")
            time.sleep(0.02)

    def test_all_work_is_counted_once(self):
        for number, (name, workload) in enumerate(WORKLOADS.items()):
            with self.subTest(name):
                done = self.path(f"done{number}")
                tree = self.start([sys.executable, "-c", SCRIPT.format(workload=workload), done])
                self.until(lambda: os.path.exists(done) and os.path.getsize(done) == 1)
                time.sleep(0.1)  # let the burner exit where it does
                # Above what was burnt: interpreter start-up. Missed or doubled work is far outside.
                self.assertAlmostEqual(tree.cpu_seconds(), 0.55, delta=0.15)

    def test_settle_tells_when_a_session_stays(self):
        pids = self.path("pids")
        tree = self.start([sys.executable, "-c", FAMILY, pids])
        self.until(lambda: len(words(pids)) == 4)
        with self.assertRaises(TreeError):
            tree.settle(0.2)
        tree.mark_baseline()
        tree.settle(0.2)

    def test_everything_is_gone_after_stop(self):
        pids = self.path("pids")
        tree = self.start([sys.executable, "-c", FAMILY, pids])
        self.until(lambda: len(words(pids)) == 4)
        tree.stop(5)
        for pid in words(pids):
            self.assertFalse(os.path.exists(f"/proc/{pid}"))


if __name__ == "__main__":
    unittest.main()
