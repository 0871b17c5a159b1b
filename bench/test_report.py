# SPDX-License-Identifier: Apache-2.0
"""Verdicts must not be kinder than the samples."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import report  # noqa: E402
from scenarios import FAST_CIPHER, SCENARIOS  # noqa: E402


def sample(peer, scenario="get", case=FAST_CIPHER, **result):
    return {"scenario": scenario, "case": case, "peer": peer, "round": 0, **(result if "error" in result else {"metrics": result})}


def verdicts(samples):
    return {check["what"]: (check["verdict"], check.get("verdict_best")) for check in report.summarise({}, samples)["checks"]}


class Verdicts(unittest.TestCase):
    CPU = "get: server CPU per GiB, aes128-gcm"
    SPEED = "get: speed, aes128-gcm"

    def test_ratio_to_sshd_decides_in_the_right_direction(self):
        good = [sample("sallyport", cpu_s_per_gib=0.62, mb_per_s=140.0), sample("sshd", cpu_s_per_gib=1.0, mb_per_s=100.0)]
        bad = [sample("sallyport", cpu_s_per_gib=0.63, mb_per_s=139.0), sample("sshd", cpu_s_per_gib=1.0, mb_per_s=100.0)]
        self.assertEqual(verdicts(good), {self.CPU: ("pass", "pass"), self.SPEED: ("pass", "pass")})
        self.assertEqual(verdicts(bad), {self.CPU: ("miss", "miss"), self.SPEED: ("miss", "miss")})

    def test_medians_decide_and_best_values_are_judged_apart(self):
        samples = [sample("sallyport", cpu_s_per_gib=value) for value in (0.5, 0.7, 0.8)]
        samples += [sample("sshd", cpu_s_per_gib=value) for value in (1.0, 1.0, 5.0)]
        self.assertEqual(verdicts(samples), {self.CPU: ("miss", "pass")})

    def test_absolute_limit_needs_no_sshd(self):
        wanted = "memory per idle session, kB"
        self.assertEqual(verdicts([sample("sallyport", "idle", "", pss_kb_per_session=32.0)]), {wanted: ("pass", "pass")})
        self.assertEqual(verdicts([sample("sallyport", "idle", "", pss_kb_per_session=32.1)]), {wanted: ("miss", "miss")})

    def test_one_failed_round_is_a_miss(self):
        for peer in ("sallyport", "sshd"):
            samples = [sample("sallyport", cpu_s_per_gib=0.1), sample("sshd", cpu_s_per_gib=1.0), sample(peer, error="lost")]
            self.assertEqual(verdicts(samples)[self.CPU], ("miss", None))

    def test_a_failing_bystander_changes_nothing(self):
        samples = [sample("sallyport", cpu_s_per_gib=0.1), sample("sshd", cpu_s_per_gib=1.0), sample("rclone", error="lost")]
        self.assertEqual(verdicts(samples), {self.CPU: ("pass", "pass")})

    def test_every_threshold_names_a_case_that_is_measured(self):
        cases = {(scenario.name, case) for scenario in SCENARIOS for case in scenario.cases}
        for threshold in report.THRESHOLDS:
            self.assertIn((threshold.scenario, threshold.case), cases)


if __name__ == "__main__":
    unittest.main()
