# SPDX-License-Identifier: Apache-2.0
"""Facts about the machine and the builds, without which a figure means nothing."""
import os
import platform
import re
import resource
import subprocess
import time


def _first_match(path, pattern):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            match = re.search(pattern, file.read(), re.MULTILINE)
    except OSError:
        return None
    return match.group(1).strip() if match else None


def _output(argv):
    try:
        result = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return None
    return result.stdout.strip() if result.returncode == 0 and result.stdout.strip() else None


def busy_seconds():
    """CPU time of all processes since boot: user, nice, system and what a hypervisor took (steal)."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = [int(field) for field in file.readline().split()[1:]]
    return (sum(fields[:3]) + (fields[7] if len(fields) > 7 else 0)) / os.sysconf("SC_CLK_TCK")


def own_seconds():
    """CPU time of this process and all it has waited for, directly or through the supervisors."""
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def facts(build_dir, versions):
    here = os.path.dirname(os.path.abspath(__file__))
    memory_kb = _first_match("/proc/meminfo", r"^MemTotal:\s+(\d+)")
    return {
        "date": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "cpu": _first_match("/proc/cpuinfo", r"^model name\s*:\s*(.+)$") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(memory_kb) / (1 << 20), 1) if memory_kb else None,
        "kernel": platform.release(),
        "system": _first_match("/etc/os-release", r'^PRETTY_NAME="?([^"\n]+)'),
        "commit": _output(["git", "-C", here, "rev-parse", "--short", "HEAD"]),
        "build_type": _first_match(os.path.join(build_dir, "CMakeCache.txt"), r"^CMAKE_BUILD_TYPE:\w+=(\w+)"),
        "libssh": _output(["pkg-config", "--modversion", "libssh"]),
        "versions": versions,
    }
