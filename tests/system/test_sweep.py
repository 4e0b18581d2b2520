# SPDX-License-Identifier: MIT
"""Sweeps as a person runs them: a real client that batches, one that only says so, a built-in
workload that sends a batch as one statement, what is saved, and bad input."""
import json
import os

import harness

QUICK = ("--warmup", "0", "--no-sampling", "--offcpu", "no")


class Sweeps(harness.Case):
    def sweep(self, *args, status=harness.DONE, **kw):
        return self.slotwise("sweep", *QUICK, "-o", self.path("s.sweep"), *args, status=status,
                             **kw)

    def saved(self):
        done = self.slotwise("report", self.path("s.sweep"), "--format", "json")
        return json.loads(done.stdout)

    def redis(self, *options):
        self.need("redis-server", "redis-benchmark")
        _, port = self.server("redis")
        return ("redis-benchmark", "-p", port, "-t", "get", "-c", "1", "-n", "1000", "-q", *options)

    def codes(self, report):
        return {note["code"] for note in report["notes"]}

    # -- real clients ---------------------------------------------------------------------------
    def test_pipelines_of_redis_are_what_costs_are_told_against(self):
        done = self.sweep("-P", "pipeline=1..16", "--blocks", "6", "--seed", "7", "--",
                          *self.redis("-P", "{pipeline}"))
        report = self.saved()
        self.assertIn("CPU TIME PER REQUEST", done.stdout)
        self.assertTrue(report["observed_x"], report["x_basis"])
        self.assertEqual([p["parameter"] for p in report["points"]], [1, 2, 4, 8, 16])
        for point in report["points"]:
            self.assertAlmostEqual(point["x"] / point["parameter"], 1, delta=.05)
        cpu = report["curves"][0]
        self.assertEqual(cpu["metric"], "cpu_per_request")
        self.assertEqual(cpu["blocks"], 6)
        self.assertIsNone(cpu["absent"])
        # A request alone takes a send and a receive; one of sixteen takes a sixteenth of both.
        self.assertGreater(cpu["removed"]["low"], 0)
        self.assertIn("Batching removed", report["verdict"])
        self.assertEqual(report["experiment"]["seed"], 7)
        calls = [c for c in report["curves"] if c["metric"] == "sends_and_reads_per_request"][0]
        self.assertGreater(calls["removed"]["value"], .8)

    def test_a_saved_sweep_reads_the_same_every_time(self):
        self.sweep("-P", "pipeline=1,4", "-P", "size=3,30", "--blocks", "2", "--",
                   *self.redis("-P", "{pipeline}", "-d", "{size}"))
        for name in ("term", "md", "json", "csv"):
            first, second = (self.slotwise("report", self.path("s.sweep"), "--format", name).stdout
                             for _ in range(2))
            self.assertTrue(first)
            self.assertEqual(first, second)
        report = self.saved()
        self.assertEqual(report["series"], ["size=3", "size=30"])
        self.assertIn("too few", report["verdict"])
        self.assertIn("2 values of pipeline", report["curves"][0]["absent"])
        self.assertEqual(sorted(os.listdir(self.path("s.sweep")))[0], "experiment.json")

    def test_a_client_that_only_says_that_it_batches_is_told(self):
        client = " ".join(map(str, self.redis("-P", "1")))
        self.sweep("-P", "batch=1,2,4,..16", "--blocks", "6", "--",
                   "sh", "-c", f"exec {client} # {{batch}}")
        report = self.saved()
        self.assertFalse(report["observed_x"])
        self.assertIn("does-not-batch", self.codes(report))
        self.assertTrue(report["verdict"].startswith("It does not batch: batch=16 asked for"),
                        report["verdict"])

    def test_a_workload_that_merges_is_counted_by_itself(self):
        self.sweep("-P", "batch=1,4,16,64", "--blocks", "6", "--workload", "coalesce", "--",
                   "--batch", "{batch}", "--rows", "{batch}", "--requests", "1000", "--durable",
                   "off")
        report = self.saved()
        self.assertTrue(report["own_count"], report)
        self.assertGreater(report["points"][3]["requests_per_flush"]["value"], 2)
        self.assertNotIn("does-not-batch", self.codes(report))
        self.assertTrue(report["points"][0]["command"].startswith(
            "slotwise workload run coalesce --batch 1 "), report["points"][0]["command"])

    # -- bad input ------------------------------------------------------------------------------
    def test_mistakes_of_the_command_line_leave_nothing(self):
        cases = (
            ((), "no command"),
            (("--", "true", "{batch}"), "needs a parameter"),
            (("-P", "batch=1,2", "--", "true"), "the command has no {batch}"),
            (("-P", "batch=1,2", "--", "true", "{batsh}"), "did you mean '{batch}'"),
            (("-P", "batch=1,2", "--", "true", "{batch"), "not closed"),
            (("-P", "batch=1,2,..64", "--", "true", "{batch}"), "write a third value"),
            (("-P", "batch=1,2,4,..60", "--", "true", "{batch}"), "does not meet 60"),
            (("-P", "batch=0,1", "--", "true", "{batch}"), "no number above 0"),
            (("-P", "a=1,2,3,..64", "-P", "b=1,2,3,4,5", "--", "true", "{a}{b}"), "at most 256"),
            (("-P", "batch=1,2", "--blocks", "0", "--", "true", "{batch}"), "--blocks"),
            (("-P", "batch=1,2", "--workload", "coalesce", "{batch}"), "after '--'"),
            (("-P", "batch=1,2", "--format", "nothing", "--", "true", "{batch}"), "format"),
        )
        for args, words in cases:
            with self.subTest(args):
                done = self.sweep(*args, status=harness.USAGE)
                self.assertIn(words, done.stderr)
                self.assertFalse(os.path.exists(self.path("s.sweep")))

    def test_a_command_that_fails_is_told(self):
        done = self.sweep("-P", "batch=1,2", "--blocks", "2", "--", "sh", "-c", "exit {batch}",
                          status=harness.BAD_DATA)
        self.assertIn("no round could be used", done.stderr)

    def test_a_program_that_is_not_there_is_told(self):
        self.sweep("-P", "batch=1,2", "--", "./none", "{batch}", status=harness.CANNOT)

    def test_a_name_that_is_taken_is_left_alone(self):
        os.mkdir(self.path("s.sweep"))
        self.sweep("-P", "batch=1,2", "--", "true", "{batch}", status=harness.BAD_DATA)
        self.assertEqual(os.listdir(self.path("s.sweep")), [])

    def test_a_broken_saved_sweep_is_refused(self):
        self.sweep("-P", "batch=1,2", "--blocks", "1", "--ops", "10", "--", "true", "{batch}")
        path = self.path("s.sweep", "experiment.json")
        text = harness.read_bytes(path).decode()
        for broken in (text[:len(text) // 2], "{}", text.replace('"batch"', '"depth"', 1)):
            with open(path, "w", encoding="utf-8") as f:
                f.write(broken)
            self.slotwise("report", self.path("s.sweep"), status=harness.BAD_DATA)


if __name__ == "__main__":
    harness.main()
