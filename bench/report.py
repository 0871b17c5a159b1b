# SPDX-License-Identifier: Apache-2.0
"""From samples to figures: medians, best values, ratios to sshd, verdicts, JSON and Markdown. Pure but for save()."""
import json
import os
import statistics
import time
from dataclasses import dataclass

from scenarios import FAST_CIPHER, LIMITED, SCENARIOS, UNLIMITED

HIGHER_IS_BETTER = ("mb_per_s", "per_second", "files_per_s", "load_mb_per_s", "sftp_ratio", "requests_per_s", "alone_mb_per_s",
                    "beside_mb_per_s", "kept", "kept_ratio")
HMAC_CIPHER = "aes128-ctr+hmac-sha2-256-etm@openssh.com"
US, REFERENCE = "sallyport", "sshd"
BUSY_SHARE = 0.1


@dataclass(frozen=True)
class Threshold:
    """What our figure, or its ratio to sshd's, must be."""
    scenario: str
    case: str
    metric: str
    limit: float
    ratio: bool
    at_least: bool = False
    what: str = ""


THRESHOLDS = (
    Threshold("get", FAST_CIPHER, "cpu_s_per_gib", 0.62, True, what="get: server CPU per GiB, aes128-gcm"),
    Threshold("put", FAST_CIPHER, "cpu_s_per_gib", 0.70, True, what="put: server CPU per GiB, aes128-gcm"),
    Threshold("get", FAST_CIPHER, "mb_per_s", 1.4, True, True, "get: speed, aes128-gcm"),
    Threshold("put", FAST_CIPHER, "mb_per_s", 1.4, True, True, "put: speed, aes128-gcm"),
    Threshold("get", HMAC_CIPHER, "cpu_s_per_gib", 1.1, True, what="get: server CPU per GiB, aes128-ctr + hmac"),
    Threshold("put", HMAC_CIPHER, "cpu_s_per_gib", 1.1, True, what="put: server CPU per GiB, aes128-ctr + hmac"),
    Threshold("scp", "get", "cpu_s_per_gib", 0.75, True, what="scp get: server CPU per GiB"),
    Threshold("scp", "put", "cpu_s_per_gib", 0.75, True, what="scp put: server CPU per GiB"),
    Threshold("login", "", "cpu_ms_per_login", 2, False, what="server CPU per login, ms"),
    Threshold("login", "", "per_second", 8, True, True, "logins per second"),
    Threshold("idle", "", "pss_kb_per_session", 32, False, what="memory per idle session, kB"),
    *(Threshold("small", f"{direction} {how}", "files_per_s", 1.5, True, True, f"small files, {direction}, {words}")
      for how, words in (("fast", "16 under way"), ("one by one", "one by one"), ("-r", "OpenSSH's sftp -r")) for direction in ("put", "get")),
    Threshold("delay", "", "mb_per_s", 2, True, True, "put at 40 ms round trip"),
    Threshold("beside", "get", "login_p50_ms", 30, False, what="login beside one bulk get, one group of I/O threads, median ms"),
    Threshold("beside", "put", "login_p50_ms", 30, False, what="login beside one bulk put, one group of I/O threads, median ms"),
    Threshold("fairness", "", "login_p95_ms", 100, False, what="login beside 8 bulk gets, p95 ms"),
    Threshold("fairness", "", "put_p95_ms", 5, False, what="1 KiB put beside 8 bulk gets, p95 ms"),
    Threshold("fairness", "", "get_p95_ms", 5, False, what="1 KiB get beside 8 bulk gets, p95 ms"),
    *(Threshold("rest", rate, "sftp_ratio", 0.95, False, True, f"part of its speed that a download keeps beside 50 REST clients, {rate}")
      for rate in ("50/s", "200/s", "1000/s")),
    Threshold("hooks", LIMITED, "kept", 0.95, False, True, "part of its speed that a download keeps beside 200 logins with a hook"),
    Threshold("hooks", UNLIMITED, "kept_ratio", 0.95, False, True, "the same without limit, compared with 200 logins at another process"),
)


def in_turn(peers, number):
    """What one leaves behind may be to another's good or harm: each is the first as often as the others."""
    first = number % len(peers) if peers else 0
    return peers[first:] + peers[:first]


def best_of(metric, values):
    return max(values) if metric in HIGHER_IS_BETTER else min(values)


def make_rows(samples):
    """One row per scenario, case, peer and metric, in order of first appearance."""
    values = {}
    for sample in samples:
        for metric, value in sample.get("metrics", {}).items():
            values.setdefault((sample["scenario"], sample["case"], sample["peer"], metric), []).append(value)
    rows = [{"scenario": scenario, "case": case, "peer": peer, "metric": metric, "rounds": len(found), "median": statistics.median(found),
             "best": best_of(metric, found), "values": found} for (scenario, case, peer, metric), found in values.items()]
    index = {(row["scenario"], row["case"], row["peer"], row["metric"]): row for row in rows}
    for row in rows:
        reference = index.get((row["scenario"], row["case"], REFERENCE, row["metric"]))
        for kind in ("median", "best"):
            row[f"{kind}_ratio"] = row[kind] / reference[kind] if reference and reference[kind] else None
    return rows


def collect_notes(samples, key):
    """What stands in place of metrics, once per scenario, case and peer."""
    notes = {}
    for sample in samples:
        if key in sample:
            place = (sample["scenario"], sample["case"], sample["peer"])
            notes.setdefault(place, {"scenario": place[0], "case": place[1], "peer": place[2], "reason": sample[key], "rounds": 0})["rounds"] += 1
    return list(notes.values())


def judge(threshold, rows, failures):
    """Medians decide. The best values are shown with their own verdict, because sshd's cost has two modes."""
    check = {"what": threshold.what, "scenario": threshold.scenario, "case": threshold.case, "metric": threshold.metric,
             "wanted": f"{'>=' if threshold.at_least else '<='} {threshold.limit:g}{' x sshd' if threshold.ratio else ''}"}
    for failure in failures:
        if (failure["scenario"], failure["case"]) == (threshold.scenario, threshold.case) and failure["peer"] in (US, REFERENCE):
            # A figure from the rounds that happened to work would hide the ones that did not.
            return {**check, "verdict": "miss", "found": None, "note": f"{failure['peer']} failed in {failure['rounds']} round(s)"}
    row = next((row for row in rows if (row["scenario"], row["case"], row["metric"], row["peer"]) ==
                (threshold.scenario, threshold.case, threshold.metric, US)), None)
    suffix = "_ratio" if threshold.ratio else ""
    if row is None or row["median" + suffix] is None:
        return None
    for kind in ("median", "best"):
        found = row[kind + suffix]
        good = found >= threshold.limit if threshold.at_least else found <= threshold.limit
        check[{"median": "found", "best": "found_best"}[kind]] = found
        check[{"median": "verdict", "best": "verdict_best"}[kind]] = "pass" if good else "miss"
    return check


def summarise(facts, samples):
    rows, failures = make_rows(samples), collect_notes(samples, "error")
    checks = [check for check in (judge(threshold, rows, failures) for threshold in THRESHOLDS) if check]
    return {"machine": facts, "checks": checks, "failures": failures, "not_offered": collect_notes(samples, "not_offered"),
            "rows": rows, "samples": samples}


def number(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def sample_line(sample):
    head = f"{sample['round'] + 1}  {sample['peer']:<10}{sample['scenario']} {sample['case']}"
    if "metrics" not in sample:
        return f"{head:<62} " + (sample.get("not_offered") or "FAILED: " + sample["error"])
    return f"{head:<62} " + "  ".join(f"{metric} {number(value)}" for metric, value in sample["metrics"].items())


def _machine_lines(facts):
    settings = facts["settings"]
    yield (f"{facts['date']} · {facts['cpu']}, {facts['cores']} cores, {facts['memory_gib']} GiB · {facts['system']}, "
           f"kernel {facts['kernel']} · libssh {facts['libssh']}")
    yield (f"commit {facts['commit']}, build type {facts['build_type']} · " +
           " · ".join(f"{name}: {text}" for name, text in facts["versions"].items()))
    yield (f"{settings['rounds']} interleaved rounds{' (quick: for orientation only)' if settings['quick'] else ''}, {facts['duration_s']} s · "
           f"other processes took {facts['foreign_cpu_share']:.0%} of the machine")
    if facts["foreign_cpu_share"] > BUSY_SHARE:
        yield "**The machine was busy with something else meanwhile: do not trust these figures.**"
    if facts["build_type"] == "Debug":
        yield "**sallyport is a debug build: its figures say nothing.**"


def _check_lines(checks):
    yield "## Thresholds\n"
    yield "| what | wanted | by medians | | by best values | |\n|---|---|---|---|---|---|"
    for check in checks:
        yield (f"| {check['what']} | {check['wanted']} | {number(check['found'])} | {shown(check['verdict'])} | "
               f"{number(check.get('found_best'))} | {check.get('note') or shown(check['verdict_best'])} |")


def shown(verdict):
    return "**MISS**" if verdict == "miss" else verdict


def _scenario_lines(scenario, rows):
    """Per case and metric one line; every server's cell is its median and, in brackets, its best round."""
    cells = {(row["case"], row["metric"], row["peer"]): row for row in rows}
    peers = [peer for peer in scenario.peers if any(row["peer"] == peer for row in rows)]
    compared = [peer for peer in peers if peer != REFERENCE] if REFERENCE in peers else []
    yield f"\n## {scenario.title}\n"
    yield "| case | metric | " + " | ".join(peers + [f"{peer} / sshd" for peer in compared]) + " |"
    yield "|---" * (2 + len(peers) + len(compared)) + "|"
    places = list(dict.fromkeys((row["case"], row["metric"]) for row in rows))
    for case in dict.fromkeys(case for case, _ in places):
        for metric in (metric for of, metric in places if of == case):
            found = [cells.get((case, metric, peer)) for peer in peers]
            ratios = [cells.get((case, metric, peer)) for peer in compared]
            line = [f"{number(row['median'])} ({number(row['best'])})" if row else "-" for row in found]
            line += [f"{number(row['median_ratio'])} ({number(row['best_ratio'])})" if row else "-" for row in ratios]
            yield f"| {case} | {metric} | " + " | ".join(line) + " |"


def _note_lines(title, notes):
    if notes:
        yield f"\n## {title}\n"
    for note in notes:
        yield f"- {note['peer']}, {note['scenario']} {note['case']}: {note['rounds']} x, first: {note['reason']}"


def markdown(result):
    lines = ["# Benchmark\n", "\n\n".join(_machine_lines(result["machine"])), ""]
    if result["checks"]:
        lines.extend(_check_lines(result["checks"]))
    lines.extend(_note_lines("Failed measurements", result["failures"]))
    lines.extend(_note_lines("Not offered", result["not_offered"]))
    for scenario in SCENARIOS:
        rows = [row for row in result["rows"] if row["scenario"] == scenario.name]
        if rows:
            lines.extend(_scenario_lines(scenario, rows))
    return "\n".join(lines) + "\n"


def save(result, directory):
    os.makedirs(directory, exist_ok=True)
    stem = os.path.join(directory, time.strftime("bench-%Y%m%d-%H%M%S"))
    with open(stem + ".json", "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
    with open(stem + ".md", "w", encoding="utf-8") as file:
        file.write(markdown(result))
    return stem + ".json", stem + ".md"
