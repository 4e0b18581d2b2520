# SPDX-License-Identifier: MIT
"""History over runs that were really measured, and over folders as people have them."""
import csv
import io
import json
import os
import time

import harness


class History(harness.Case):
    def measure(self, name, *options):
        run = self.path("runs", name + ".slotwise")
        os.makedirs(os.path.dirname(run), exist_ok=True)
        self.slotwise("profile", "--no-sampling", "-o", run, *options, "--", "/bin/true")
        return run

    def rows(self, *args, status=0):
        done = self.slotwise("history", *args, "--format", "csv", status=status)
        return list(csv.DictReader(io.StringIO(done.stdout)))

    def test_runs_in_the_order_they_were_measured(self):
        for name in ("c", "sub/folder/a", "b"):
            self.measure(name, "--label", f"name={name}")
        rows = self.rows(self.path("runs"), "--metric", "cpu_time")
        self.assertEqual([row["labels"] for row in rows], ["name=c", "name=sub/folder/a", "name=b"])
        for row in rows:
            with open(os.path.join(row["run"], "run.json"), encoding="utf-8") as f:
                self.assertGreater(json.load(f)["started_realtime_ns"], 0)
            self.assertGreater(float(row["value"]), 0)
            self.assertEqual(row["low"], "")  # one execution has no interval
        rows = self.rows(self.path("runs"), "-m", "cpu_time", "--label", "name=b")
        self.assertEqual(len(rows), 1)

    def test_runs_without_requests_say_what_they_do_have(self):
        """The metric that is drawn unless another is asked for is a cost per request."""
        self.measure("quiet")
        self.measure("silent")
        done = self.slotwise("history", self.path("runs"), status=harness.BAD_DATA)
        self.assertRegex(done.stderr, "none of the 2 runs has a value of 'cpu_per_request': .*connection")
        self.assertIn("-m cpu_time", done.stderr)
        self.assertNotIn("did you mean", done.stderr)
        self.assertEqual(len(self.rows(self.path("runs"), "-m", "cpu_time")), 2)
        done = self.slotwise("history", self.path("runs"), "-m", "cpu_tyme", status=harness.BAD_DATA)
        self.assertIn("did you mean cpu_time", done.stderr)

    def test_rounds_have_an_interval(self):
        run = self.measure("rounds", "--rounds", "7")
        row, = self.rows(run, "-m", "wall_time")
        self.assertEqual(row["rounds"], "7")
        self.assertLessEqual(float(row["low"]), float(row["value"]))
        self.assertGreaterEqual(float(row["high"]), float(row["value"]))

    def test_a_run_counts_once(self):
        run = self.measure("once")
        os.link(os.path.join(run, "run.json"), self.path("runs", "linked.json"))
        os.symlink(run, self.path("runs", "symbolic"))
        os.symlink("..", self.path("runs", "round"))
        found = self.rows(self.path("runs"), run, os.path.join(run, "run.json"), "-m", "wall_time")
        self.assertEqual(len(found), 1)

    def test_what_is_no_file_is_not_opened(self):
        self.measure("real")
        os.mkfifo(self.path("runs", "pipe.json"))
        begin = time.monotonic()
        self.assertEqual(len(self.rows(self.path("runs"), "-m", "wall_time")), 1)
        self.assertLess(time.monotonic() - begin, 60)

    def test_a_broken_run_is_named_and_the_rest_is_drawn(self):
        run = self.measure("good")
        bad = self.measure("bad")
        os.truncate(os.path.join(bad, "run.json"), 200)
        done = self.slotwise("history", self.path("runs"), "-m", "wall_time", status=harness.BAD_DATA)
        self.assertIn(bad, done.stderr)
        self.assertIn(os.path.basename(run), done.stdout)

    def test_an_experiment_has_a_run_for_each_arm(self):
        for arm in ("A", "B"):
            folder = self.path("runs", "x.compare", arm)
            os.makedirs(os.path.dirname(folder), exist_ok=True)
            self.slotwise("profile", "--no-sampling", "-o", folder, "--", "/bin/true")
        with open(self.path("runs", "x.compare", "experiment.json"), "w", encoding="ascii") as f:
            f.write("{}")
        self.assertEqual(len(self.rows(self.path("runs"), "-m", "wall_time")), 2)


if __name__ == "__main__":
    harness.main()
