# SPDX-License-Identifier: MIT
"""Comparisons of clients that differ in a known way, on a real Redis: the words, the gate, the causes
and the functions are the right ones. Effects are large and few rounds are enough; how small ones fare
is bench/bench_truths.py."""
import json
import os
import unittest

import harness

CLIENT = os.environ.get("SLW_TRUTH_CLIENT", "")
PASSED, REGRESSED, INCONCLUSIVE = 0, 10, 11


class Truths(harness.Case):
    @classmethod
    def setUpClass(cls):
        if not os.access(CLIENT, os.X_OK):
            raise unittest.SkipTest("no system_truth_client")
        cls.folder, cls.port = harness.start_server(cls, "redis")

    def client(self, **settings):
        words = {"requests": 1600, "batch": 16, "work": 12000} | settings
        return " ".join([CLIENT, self.port, *(f"{name}={value}" for name, value in words.items())])

    def compare(self, a, b, *options, status=None, rounds=8):
        """Measure both in turn; the comparison and its rows by metric."""
        done = self.slotwise("compare", "--rounds", rounds, "--seed", 1, "--aa", "no", "-o", "truth.compare",
                             "--format", "json", *options, "--a", a, "--b", b, status=status)
        comparison = json.loads(done.stdout)
        return comparison, {row["metric"]: row for row in comparison["metrics"]}

    def word(self, rows, metric):
        return rows[metric]["judgement"]["word"]

    def test_twice_the_work_regresses_and_the_function_is_named(self):
        comparison, rows = self.compare(self.client(requests=3200), self.client(requests=3200, extra=100),
                                        status=REGRESSED)
        self.assertEqual(self.word(rows, "cpu_per_request"), "regressed")
        self.assertGreater(rows["cpu_per_request"]["difference"]["ratio_low"], 1.02)
        self.assertEqual(rows["requests_per_flush"]["difference"]["ratio"], 1)
        self.assertTrue(comparison["interleaved"])
        self.assertIn("user-time", [cause["id"] for cause in comparison["causes"]])
        self.assertNotIn("batching", [cause["id"] for cause in comparison["causes"]])
        changed = {f["function"]: f for f in comparison["functions"]}
        self.assertTrue(changed["slw_truth_added"]["only_b"])
        self.assertEqual(comparison["functions"][0]["function"], "slw_truth_added")
        values = rows["requests"]["a"]["values"] + rows["requests"]["b"]["values"]
        self.assertEqual(set(values), {3200})  # as the wire tap counted them, in every round

    def test_the_same_client_twice_does_not_regress(self):
        comparison, rows = self.compare(self.client(), self.client(), "--fail-on",
                                        "cpu_per_request>+60%,requests_per_flush<-1%", rounds=10)
        self.assertNotEqual(comparison["gate"]["word"], "regressed")
        self.assertNotIn(self.word(rows, "requests_per_flush"), ("regressed", "improved"))

    def test_batching_is_the_cause_that_is_named(self):
        comparison, rows = self.compare(self.client(batch=1), self.client(batch=16), status=PASSED)
        self.assertEqual(self.word(rows, "cpu_per_request"), "improved")
        self.assertEqual(rows["requests_per_flush"]["a"]["value"], 1)
        self.assertEqual(rows["requests_per_flush"]["b"]["value"], 16)
        self.assertEqual(comparison["causes"][0]["id"], "batching")
        self.assertRegex(comparison["causes"][0]["text"], r"16(\.0)? requests per flush")

    def test_a_client_that_says_it_batches_is_not_believed(self):
        comparison, rows = self.compare(
            self.client(batch=1), self.client(batch=1, says=16), "--metric",
            "batch[requests]>=batch ([0-9]+)", "--fail-on", "requests_per_flush<-10%", status=PASSED)
        self.assertEqual(self.word(rows, "requests_per_flush"), "no-change")
        self.assertEqual(rows["batch"]["b"]["value"], 16)  # what it says
        self.assertNotIn("batching", [cause["id"] for cause in comparison["causes"]])

    def test_batching_that_is_lost_fails_its_gate(self):
        self.compare(self.client(batch=16), self.client(batch=1, says=16), "--fail-on",
                     "requests_per_flush<-10%", status=REGRESSED)

    def test_a_baseline_of_rounds_is_compared_per_request(self):
        for name, batch in (("base", 1), ("new", 16)):
            self.slotwise("profile", "--rounds", 6, "-q", "--no-sampling", "-o", f"{name}.slotwise", "--",
                          *self.client(batch=batch).split())
            run = self.load(self.path(f"{name}.slotwise"))
            self.assertEqual([r["requests"] for r in run["rounds"]], [1600] * 6)
            self.assertEqual(run["requests"], 1600)
        done = self.slotwise("compare", "base.slotwise/run.json", "new.slotwise", "--format", "json",
                             status=None)
        comparison = json.loads(done.stdout)
        row = next(row for row in comparison["metrics"] if row["metric"] == "cpu_per_request")
        self.assertFalse(comparison["interleaved"])
        self.assertEqual(row["pairs"]["used"], 6)
        self.assertLess(row["difference"]["estimate"], 0)

    def test_requests_that_are_merged_are_counted_as_they_were_asked_for(self):
        common = "slotwise workload run coalesce --requests 600 --callers 16 --durable off"
        _, rows = self.compare(f"{common} --mode pool", f"{common} --mode worker", "--no-sampling",
                               rounds=6)
        self.assertEqual(set(rows["requests"]["a"]["values"]), set(rows["requests"]["b"]["values"]))
        self.assertGreaterEqual(rows["requests"]["b"]["value"], 600)
        self.assertLess(rows["flushes_per_request"]["b"]["value"], 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
