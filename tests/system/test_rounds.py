# SPDX-License-Identifier: MIT
"""profile --rounds: the same measurement several times, as one run."""
import json
import os
import signal
import time

import harness


class Rounds(harness.Case):
    def rounds(self, document):
        return [r["round"] for r in document["rounds"] if "round" in r]

    def clocks(self, document):
        """Round -> task-clock in ms."""
        return {c["round"]: c["raw"] / 1e6 for c in document["counts"]
                if c["event"] == "task-clock" and "round" in c}

    def codes(self, document):
        return {n["code"] for n in document["notes"]}

    def report(self, run):
        return json.loads(self.slotwise("report", run, "--format", "json").stdout)

    def test_a_command_is_run_as_often_as_asked_for(self):
        log = self.path("log")
        script = f"echo . >>{log}; exec {harness.CLIENT} spin 100"
        document, run = self.profile("sh", "-c", script, options=["--rounds", "3"])
        with open(log, encoding="ascii") as f:
            self.assertEqual(len(f.read().split()), 4)  # and once for the samples
        self.assertEqual(self.rounds(document), [1, 2, 3])
        clocks = self.clocks(document)
        self.assertEqual(sorted(clocks), [1, 2, 3])
        for ms in clocks.values():
            self.assertGreater(ms, 90)  # the client spins until it has used 100 ms
        row = next(c for c in self.report(run)["counts"] if c["event"] == "task-clock")
        self.assertEqual(row["executions"], 3)
        self.assertEqual(row["interval_from"], "rounds")
        self.assertLessEqual(row["interval"][0], row["value"])
        self.assertGreaterEqual(row["interval"][1], row["value"])
        self.assertAlmostEqual(row["value"] / 1e6, sum(clocks.values()) / 3, places=3)
        self.assertEqual(len(document["samplings"]), 1)

    def test_without_sampling_there_is_no_execution_beside_the_rounds(self):
        document, _ = self.profile_counts("--rounds", "2")
        self.assertEqual(len(document["rounds"]), 2)
        self.assertEqual(document["samplings"], [])

    def profile_counts(self, *options):
        run = self.path("counts.slotwise")
        self.slotwise("profile", "--no-sampling", "-o", run, *options, "--", harness.CLIENT,
                      "spin", "20")
        return self.load(run), run

    def test_no_multiplex_needs_no_rounds(self):
        document, run = self.profile_counts("--no-multiplex")
        self.assertGreaterEqual(len(document["rounds"]), 1)
        self.assertEqual({r["round"] for r in document["rounds"]}, {1})
        self.report(run)

    def test_a_file_on_standard_input_is_read_in_every_round(self):
        self.write("input", "line\n")
        script = f"cat >>{self.path('output')}"
        with open(self.path("input"), encoding="ascii") as f:
            done = harness.subprocess.run(
                [harness.SLOTWISE, "profile", "-q", "--no-sampling", "--rounds", "3", "-o",
                 self.path("r.slotwise"), "--", "sh", "-c", script], stdin=f, check=False,
                timeout=60)
        self.assertEqual(done.returncode, 0)
        with open(self.path("output"), encoding="ascii") as f:
            self.assertEqual(f.read(), "line\n" * 3)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as f:
            f.write(text)

    def test_rounds_that_fail_are_left_out(self):
        mark = self.path("mark")
        script = f"if [ -e {mark} ]; then rm {mark}; exit 3; fi; : >{mark}"
        run = self.path("failing.slotwise")
        self.slotwise("profile", "--no-sampling", "--rounds", "4", "-o", run, "--", "sh", "-c",
                      script)
        document = self.load(run)
        left = {r["round"]: r.get("left_out") for r in document["rounds"]}
        self.assertEqual(sorted(r for r, why in left.items() if why), [2, 4])
        self.assertIn("exit status 3", left[2])
        self.assertEqual(sorted(self.clocks(document)), [1, 3])
        self.assertIn("round-left-out", self.codes(document))

    def client(self, *args):
        process = harness.subprocess.Popen([harness.CLIENT, *args], start_new_session=True)
        self.addCleanup(harness.end_group, process)
        return process

    def test_windows_of_a_running_process(self):
        process = self.client("spin", "20000")
        run = self.path("run.slotwise")
        self.slotwise("profile", "-o", run, "--rounds", "2", "--duration", "200ms", "-p",
                      process.pid)
        document = self.load(run)
        self.assertEqual(self.rounds(document), [1, 2])
        for r in document["rounds"]:
            self.assertGreaterEqual(r["wall_ns"], 200_000_000)

    def test_ctrl_c_keeps_the_rounds_that_ended(self):
        run, log = self.path("run.slotwise"), self.path("log")
        script = f"echo . >>{log}; exec {harness.CLIENT} spin 200"
        process = self.start("profile", "--no-sampling", "--rounds", "1000", "-o", run, "--", "sh",
                             "-c", script)
        for _ in range(600):
            if os.path.exists(log) and os.path.getsize(log) >= 8:
                break  # the fourth round has begun
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        self.finish(process)
        document = self.load(run)
        kept = sorted(self.clocks(document))
        self.assertGreaterEqual(len(kept), 3)
        self.assertEqual(kept, list(range(1, len(kept) + 1)))
        self.assertLess(len(document["rounds"]), 1000)


if __name__ == "__main__":
    harness.main()
