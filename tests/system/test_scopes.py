# SPDX-License-Identifier: MIT
"""Threads, processes and intervals of real clients: the parts make the whole, exactly."""
import json
import os
import re
import subprocess

import harness


class Scopes(harness.Case):
    def counts(self, document, event):
        """-> the whole, and a list of (task, count)."""
        found = [c for c in document["counts"] if c["event"] == event]
        parts = [c for c in found if "pid" in c]
        whole = [c for c in found if "pid" not in c]
        self.assertEqual(len(whole), 1, event)
        return whole[0], parts

    def assert_parts_make_the_whole(self, document):
        for event in ("task-clock", "page-faults", "minor-faults"):
            whole, parts = self.counts(document, event)
            if "tasks-untold" not in self.notes(document):
                self.assertEqual(len(parts), len(document["tasks"]), event)
            for key in ("raw", "enabled_ns", "running_ns"):
                self.assertEqual(sum(c[key] for c in parts), whole[key], f"{key} of {event}")

    def told_apart(self, document):
        """Kernels from 5.13 on do not all tell what a thread had counted when it ends."""
        if "tasks-not-counted" in self.notes(document):
            self.assertNotIn("tasks", document)
            self.skipTest("this kernel leaves no record of a thread's counts")
        return document["tasks"]

    def test_threads_make_the_whole(self):
        document, run = self.profile(harness.CLIENT, "threads", "200", options=["--per-thread"])
        tasks = self.told_apart(document)
        self.assertEqual([t["task_count"] for t in tasks], [1] * 5)
        self.assertEqual({t["pid"] for t in tasks}, {document["command"]["pid"]})
        self.assert_parts_make_the_whole(document)
        _, clocks = self.counts(document, "task-clock")
        for c in clocks[:4]:  # each spins until its own clock says so
            self.assertGreater(c["raw"], 190_000_000)
        self.assertEqual(clocks[4]["tid"], document["command"]["pid"])
        report = json.loads(self.slotwise("report", run, "--format", "json").stdout)
        self.assertEqual(report["tasks"]["unaccounted_most"], 0)
        self.assertAlmostEqual(sum(t["share"]["value"] for t in report["tasks"]["list"]), 1, 9)
        self.assertEqual(report["tasks"]["list"][0]["comm"], "system_client")

    def test_known_page_faults_of_each_thread(self):
        """A number that is known beforehand and does not depend on any clock."""
        document, _ = self.profile(harness.CLIENT, "touch", "300", options=["--per-thread"])
        self.told_apart(document)
        self.assert_parts_make_the_whole(document)
        _, faults = self.counts(document, "minor-faults")
        main = document["command"]["pid"]
        mine = sorted(c["raw"] for c in faults if c["tid"] != main)
        self.assertEqual(len(mine), 3)
        # Thread i touches (i + 1) * 300 pages, and a few of its own stack.
        for i, raw in enumerate(mine):
            self.assertGreaterEqual(raw, (i + 1) * 300)
            self.assertLess(raw, (i + 1) * 300 + 50)

    def test_processes_make_the_whole(self):
        document, _ = self.profile(harness.CLIENT, "forks", "150", options=["--per-process"])
        tasks = self.told_apart(document)
        self.assertEqual(len({t["pid"] for t in tasks}), 4)
        self.assertTrue(all("tid" not in t for t in tasks))
        self.assert_parts_make_the_whole(document)

    def test_many_short_threads(self):
        document, _ = self.profile(harness.CLIENT, "brief", "2000", options=["--per-thread"])
        self.told_apart(document)
        self.assert_parts_make_the_whole(document)
        # On a busy machine the records of some may find no room; then the run says so.
        if "tasks-untold" not in self.notes(document):
            self.assertEqual(sum(t["task_count"] for t in document["tasks"]), 2001)
        self.assertEqual(document["tasks"][-1]["tid"], 0)  # the smallest, together

    def test_threads_that_still_run_are_told_together(self):
        document, _ = self.profile(harness.CLIENT, "threads", "1500",
                                   options=["--per-thread", "--duration", "400ms"])
        self.assertEqual(len(document["tasks"]), 1)
        self.assertEqual(document["tasks"][0]["task_count"], 5)
        self.assert_parts_make_the_whole(document)

    def test_threads_of_a_running_process(self):
        client = subprocess.Popen([harness.CLIENT, "threads", "60000"])
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        harness.wait_until(lambda: len(os.listdir(f"/proc/{client.pid}/task")) == 5)
        run = self.path("attached.slotwise")
        self.slotwise("profile", "-o", run, "--per-thread", "--duration", "300ms", "-p",
                      client.pid)
        document = self.load(run)
        self.assertIn("tasks-inherited", self.notes(document))
        self.assertGreaterEqual(len(document["tasks"]), 4)  # the main thread sleeps
        self.assertTrue(all(t["comm"] == "system_client" for t in document["tasks"]))
        for event in ("task-clock", "page-faults"):
            whole, parts = self.counts(document, event)
            self.assertEqual(sum(c["raw"] for c in parts), whole["raw"])

    def test_intervals_make_the_whole(self):
        document, run = self.profile(harness.CLIENT, "spin", "500",
                                     options=["--interval", "50ms", "--per-thread"])
        intervals = document["intervals"]
        self.assertGreater(len(intervals), 5)
        for before, after in zip(intervals, intervals[1:]):
            self.assertEqual(before["start_ns"] + before["length_ns"], after["start_ns"])
        self.assertTrue(document["series"])
        for series in document["series"]:
            count = document["counts"][series["count_index"]]
            for key in ("raw", "enabled_ns", "running_ns"):
                self.assertEqual(sum(series[key]), count[key], f"{key} of {count['event']}")
        text = self.slotwise("report", run).stdout
        self.assertRegex(text, r"TIME LINE")
        self.assertRegex(text, rf"{len(intervals)} intervals, the last of")
        md = self.slotwise("report", run, "--format", "md").stdout
        self.assertEqual(len(re.findall(r"^\| `[^|]*s \+ [^|]*s` \|", md, re.M)),
                         min(len(intervals), 60))

    def test_an_interval_too_short(self):
        done = self.slotwise("profile", "--interval", "1ms", "--", "true", status=harness.USAGE)
        self.assertIn("10 ms", done.stderr)

    def test_samples_of_one_mode_only(self):
        for mode in ("user", "kernel"):
            document, run = self.profile(harness.CLIENT, "spin", "200", options=["--mode", mode],
                                         name=mode)
            self.assertEqual(document["samplings"][0]["mode"], mode)
            if mode == "user": # a client that only computes may be sampled nowhere in the kernel
                self.assertGreater(document["samplings"][0]["samples"], 100)
                self.assertTrue(self.folded(run))

    def test_a_split_without_a_pmu_says_so(self):
        document, _ = self.profile(harness.CLIENT, "spin", "50",
                                   options=["--mode", "split", "--backend", "swclock"])
        self.assertIn("modes-not-split", self.notes(document))


if __name__ == "__main__":
    harness.main()
