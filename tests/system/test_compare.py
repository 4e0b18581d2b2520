# SPDX-License-Identifier: MIT
"""slotwise compare: commands measured in turn, saved comparisons, baselines, and bad days."""
import json
import os
import shutil
import signal
import subprocess

import harness

REGRESSED, INCONCLUSIVE = 10, 11
# What experiments do with rounds, whatever is measured in them: to begin and end the taps takes ten
# times as long as all else. Clients, below, have them.
BARE = ("--no-sampling", "--offcpu", "no", "--wire", "no", "-q")
QUICK = (*BARE, "--aa", "no")


class Compare(harness.Case):
    def setUp(self):
        super().setUp()
        self.env = dict(os.environ, XDG_CACHE_HOME=self.path("cache"))

    def compare(self, *args, status=harness.DONE, name="x.compare", **kw):
        done = self.slotwise("compare", "-o", self.path(name), *args, status=status, env=self.env,
                             **kw)
        return done

    def experiment(self, name="x.compare"):
        with open(self.path(name, "experiment.json"), encoding="utf-8") as f:
            return json.load(f)

    def arm(self, letter, name="x.compare"):
        return self.load(self.path(name, f"{letter}.slotwise"))

    def json_of(self, *args, status=None):
        return json.loads(self.slotwise("compare", *args, "--format", "json", status=status,
                                        env=self.env).stdout)

    def values(self, document, metric):
        return next(o for o in document["observations"] if o["metric"] == metric)["values"]

    def script(self, name, text):
        path = self.path(name)
        with open(path, "w", encoding="ascii") as f:
            f.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path


class Verdicts(Compare):
    def spin(self, ms):
        return f"{harness.CLIENT} spin {ms}"

    def test_twice_the_work_is_a_regression_and_half_of_it_is_none(self):
        self.compare(*QUICK, "--rounds", "8", "--ops", "10", "--a", self.spin(20), "--b",
                     self.spin(60), status=REGRESSED)
        self.compare(*QUICK, "--rounds", "8", "--ops", "10", "--a", self.spin(60), "--b",
                     self.spin(20), name="y.compare")
        for letter, low in (("a", 20), ("b", 60)):
            for value in self.values(self.arm(letter), "cpu_per_request"):
                self.assertGreater(value * 10 / 1e6, low * 0.9)
        # The saved pair says the same, as often as it is asked, and so do its runs as baselines.
        x = self.path("x.compare")
        first = self.slotwise("report", x).stdout
        self.assertEqual(first, self.slotwise("report", x).stdout)
        self.assertEqual(first, self.slotwise("compare", x, status=REGRESSED).stdout)
        shutil.copy(self.path("x.compare", "a.slotwise", "run.json"), self.path("base.json"))
        self.slotwise("compare", self.path("base.json"), self.path("x.compare", "b.slotwise"),
                      status=REGRESSED)
        # Another gate, another word.
        self.slotwise("compare", x, "--fail-on", "cpu_per_request>+900%")
        self.slotwise("compare", x, "--fail-on", "no_such_metric>+1%", status=harness.USAGE)

    def test_too_few_rounds_are_inconclusive(self):
        self.compare(*QUICK, "--rounds", "1", "--ops", "10", "--a", self.spin(5), "--b",
                     self.spin(20), status=INCONCLUSIVE)
        self.slotwise("compare", self.path("x.compare"), "--inconclusive", "pass")

    def test_auto_stops_at_a_look(self):
        self.compare(*QUICK, "--rounds", "auto", "--ops", "10", "--a", self.spin(5), "--b",
                     self.spin(40), status=REGRESSED)
        document = self.experiment()
        self.assertTrue(document["automatic"])
        self.assertEqual(document["stopped"], "settled")
        self.assertIn(len(document["order"]), (8, 10, 12, 15, 19, 24, 31, 40))

    def test_the_order_is_that_of_the_seed(self):
        orders = []
        for name, seed in (("x", 5), ("y", 5), ("z", 6)):
            self.compare(*QUICK, "--rounds", "8", "--warmup", "0", "--seed", seed, "--a", "true",
                         "--b", "true", status=None, name=name + ".compare")
            orders.append(self.experiment(name + ".compare")["order"])
        self.assertEqual(orders[0], orders[1])
        self.assertNotEqual(orders[0], orders[2])
        document = self.experiment("z.compare")
        for letter, index in (("a", 0), ("b", 1)):
            run = self.arm(letter, "z.compare")
            self.assertEqual(run["experiment"], document["id"])
            self.assertEqual([r["round"] for r in run["rounds"]], list(range(1, 9)))
        firsts = [a["started_ns"] < b["started_ns"] for a, b in
                  zip(self.arm("a", "z.compare")["rounds"], self.arm("b", "z.compare")["rounds"])]
        self.assertEqual([0 if first else 1 for first in firsts],
                         [block[0] for block in document["order"]])

    def test_plain_words_take_no_shell_and_pipes_do(self):
        self.compare(*QUICK, "--rounds", "1", "--warmup", "0", "--a", "echo 'one word' two",
                     "--b", "echo three | cat", status=None)
        self.assertEqual(self.arm("a")["command"]["argv"], ["echo", "one word", "two"])
        self.assertNotIn("shell", self.notes(self.arm("a")))
        self.assertEqual(self.arm("b")["command"]["argv"][1:], ["-c", "echo three | cat"])
        self.assertIn("shell", self.notes(self.arm("b")))
        with open(self.path("x.compare", "b.slotwise", "client.out"), encoding="ascii") as f:
            self.assertEqual(f.read(), "three\n")
        self.assertEqual(self.experiment()["arms"][0]["command"], "echo 'one word' two")

    def test_a_workload_is_measured_and_not_what_starts_it(self):
        self.compare(*QUICK, "--rounds", "1", "--warmup", "0", "--a",
                     f"{harness.SLOTWISE} workload run shards --help", "--b", "true", status=None)
        argv = self.arm("a")["command"]["argv"]
        self.assertTrue(argv[0].endswith("slotwise-workload"))
        self.assertEqual(argv[1:], ["run", "shards", "--help"])


class Failures(Compare):
    def test_a_round_that_fails_takes_its_pair_along(self):
        log = self.path("log")
        client = self.script("client", f"echo . >>{log}; echo said\n"
                                       f"[ $(wc -l <{log}) -ne 3 ] || exit 7\n")
        done = self.compare(*QUICK, "--rounds", "4", "--warmup", "0", "--ops", "1", "--a",
                            "echo fine", "--b", client, status=None)
        for letter in "ab":
            run = self.arm(letter)
            self.assertEqual([("left_out" in r) for r in run["rounds"]],
                             [False, False, True, False])
            self.assertEqual(self.values(run, "wall_time")[2], "absent")
            self.assertIn("round-left-out", self.notes(run))
            self.assertNotIn(3, [c["round"] for c in run["counts"]])
        self.assertIn("exit status 7", self.arm("b")["rounds"][2]["left_out"])
        self.assertEqual(harness.read_bytes(self.path("x.compare", "b.slotwise", "failed-3.out")),
                         b"said\n")
        self.assertFalse(os.path.exists(self.path("x.compare", "a.slotwise", "failed-3.out")))
        self.assertIn("3 pairs", done.stdout.replace("\n", " "))

    def test_commands_that_cannot_be_measured(self):
        self.compare("--a", "true", "--b", "/nonexistent/client", status=harness.CANNOT)
        self.assertFalse(os.path.exists(self.path("x.compare")))
        done = self.compare("--a", "sh -c 'echo why; exit 2'", "--b", "true",
                            status=harness.BAD_DATA)
        self.assertIn("exit status 2", done.stderr)
        self.assertIn("why", harness.read_bytes(
            self.path("x.compare", "aa-1", "failed-1.out")).decode())

    def test_an_interrupt_reports_what_was_measured(self):
        log = self.path("log")
        client = self.script("client", f"echo . >>{log}; sleep 0.1\n")
        process = self.start("compare", *QUICK, "-o", self.path("x.compare"), "--rounds", "200",
                             "--cleanup", f"echo cleaned >>{log}", "--ops", "1", "--a", client,
                             "--b", client)
        harness.wait_until(lambda: os.path.exists(log) and
                           harness.read_bytes(log).count(b".") >= 9, 60, "four blocks")
        process.send_signal(signal.SIGINT)
        done = self.finish(process, status=None)
        self.assertIn(done.returncode, (0, REGRESSED, INCONCLUSIVE))
        self.assertRegex(done.stdout, r"CPU time")
        document = self.experiment()
        self.assertEqual(document["stopped"], "interrupted")
        self.assertGreaterEqual(len(document["order"]), 3)
        self.assertEqual(len(document["order"]), len(self.arm("a")["rounds"]))
        self.assertEqual(len(document["order"]), len(self.arm("b")["rounds"]))
        self.assertTrue(harness.read_bytes(log).endswith(b"cleaned\n"))

    def test_hooks_run_once_around_all_of_it_and_before_every_round(self):
        log = self.path("log")
        args = [*BARE, "--aa", "1", "--rounds", "2", "--warmup", "1",
                "--setup", f"echo setup >>{log}", "--prepare", f"echo $SLOTWISE_ARM >>{log}",
                "--cleanup", f"echo cleanup >>{log}"]
        self.compare(*args, "--a", "true", "--b", "true", status=None)
        words = harness.read_bytes(log).decode().split()
        self.assertEqual((words[0], words[-1]), ("setup", "cleanup"))
        self.assertEqual(sorted(words[1:-1]), ["A"] * 9 + ["B"] * 3)
        os.unlink(log)
        self.compare(*args, "--a", "true", "--b", "false", status=harness.BAD_DATA,
                     name="y.compare")
        words = harness.read_bytes(log).decode().split()
        self.assertEqual((words[0], words[-1]), ("setup", "cleanup"))
        self.assertEqual(words.count("cleanup"), 1)
        os.unlink(log)
        self.compare(*args, "--a", "false", "--b", "true", status=harness.BAD_DATA,
                     name="z.compare")
        words = harness.read_bytes(log).decode().split()
        self.assertEqual(words.count("cleanup"), 1)
        self.assertNotIn("B", words)

    def test_the_budget_is_kept(self):
        self.compare(*QUICK, "--rounds", "400", "--budget", "2s", "--a", "sleep 0.1", "--b",
                     "sleep 0.1", status=None)
        self.assertEqual(self.experiment()["stopped"], "budget")
        self.assertLess(len(self.experiment()["order"]), 200)  # of 0.2 s at least: 40 s
        self.assertEqual(self.experiment()["budget_ms"], 2000)

    def test_a_file_on_standard_input_is_read_in_every_round(self):
        with open(self.path("input"), "w", encoding="ascii") as f:
            f.write("line\n")
        with open(self.path("input"), encoding="ascii") as f:
            subprocess.run([harness.SLOTWISE, "compare", *QUICK, "-o", self.path("x.compare"),
                            "--rounds", "3", "--a", "grep line", "--b", "cat"], stdin=f,
                           timeout=60, capture_output=True, check=False)
        for letter in "ab":
            self.assertEqual(harness.read_bytes(
                self.path("x.compare", f"{letter}.slotwise", "client.out")), b"line\n")
            self.assertFalse([r for r in self.arm(letter)["rounds"] if "left_out" in r])


class NoiseFloor(Compare):
    ARGS = (*BARE, "--rounds", "6", "--warmup", "0", "--ops", "1", "--a", "echo a", "--b", "echo b")

    def stored(self):
        folder = self.path("cache", "slotwise", "aa")
        return [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names]

    def test_a_test_is_made_kept_and_taken_again(self):
        self.compare(*self.ARGS, status=None)
        first = self.experiment()
        made = len(self.stored())
        self.assertIn(made, (1, 2))  # one of twenty excludes 0, and is repeated
        self.assertNotIn("floor_reused", first)
        floor = next(f for f in first["floors"] if f["metric"] == "cpu_per_request")
        self.assertEqual((floor["pairs"], floor["tests"]), (6, made))
        self.assertTrue(os.path.exists(self.path("x.compare", "aa-1", "run.json")))
        self.compare(*self.ARGS, status=None, name="y.compare")
        again = self.experiment("y.compare")
        self.assertTrue(again["floor_reused"])
        self.assertFalse(os.path.exists(self.path("y.compare", "aa-1")))
        self.assertEqual(len(self.stored()), made)
        taken = next(f for f in again["floors"] if f["metric"] == "cpu_per_request")
        self.assertEqual((taken["low"], taken["high"]), (floor["low"], floor["high"]))
        # Another number of rounds is another test.
        self.compare(*self.ARGS, "--rounds", "7", status=None, name="z.compare")
        self.assertNotIn("floor_reused", self.experiment("z.compare"))

    def test_what_is_old_or_broken_in_the_cache_is_not_taken(self):
        self.compare(*self.ARGS, status=None)
        for path in self.stored():
            with open(path, "r+b") as f:
                f.truncate(100)
        self.compare(*self.ARGS, status=None, name="y.compare")
        self.assertNotIn("floor_reused", self.experiment("y.compare"))
        folder = os.path.dirname(self.stored()[0])
        for path in self.stored():
            os.rename(path, os.path.join(folder, "1000000000000000000.json"))
        self.compare(*self.ARGS, status=None, name="z.compare")
        self.assertNotIn("floor_reused", self.experiment("z.compare"))
        self.assertFalse(os.path.exists(os.path.join(folder, "1000000000000000000.json")))

    def test_several_tests_make_a_floor_that_is_not_weak(self):
        self.compare(*self.ARGS, "--aa", "3", status=None)
        floors = {f["metric"]: f for f in self.experiment()["floors"]}
        self.assertGreaterEqual(floors["cpu_per_request"]["tests"], 2)

    def test_none_is_made_when_none_is_wanted(self):
        self.compare(*self.ARGS, "--aa", "no", status=None)
        self.assertIn("--aa no", self.experiment()["floor_absent"])
        self.assertNotIn("floors", self.experiment())


class BadInput(Compare):
    def setUp(self):
        super().setUp()
        self.compare(*QUICK, "--rounds", "2", "--warmup", "0", "--a", "true", "--b", "true",
                     status=None)
        self.x = self.path("x.compare")
        self.a, self.b = (self.path("x.compare", f"{letter}.slotwise") for letter in "ab")

    def test_what_is_not_there_or_no_run(self):
        self.slotwise("compare", self.a, self.path("none"), status=harness.BAD_DATA)
        self.slotwise("compare", self.path("none.compare"), status=harness.USAGE)
        foreign = self.path("foreign")
        with open(foreign, "wb") as f:
            f.write(b"\x00\xffnot a run" * 100)
        self.slotwise("compare", foreign, self.b, status=harness.BAD_DATA)

    def test_files_that_are_cut_off(self):
        for name in ("experiment.json", "a.slotwise/run.json"):
            path = self.path("x.compare", name)
            whole = harness.read_bytes(path)
            with open(path, "wb") as f:
                f.write(whole[:len(whole) // 2])
            self.slotwise("compare", self.x, status=harness.BAD_DATA)
            self.slotwise("report", self.x, status=harness.BAD_DATA)
            with open(path, "wb") as f:
                f.write(whole)
        shutil.rmtree(self.b)
        self.slotwise("report", self.x, status=harness.BAD_DATA)

    def test_a_directory_put_together_from_two(self):
        self.compare(*QUICK, "--rounds", "2", "--warmup", "0", "--a", "true", "--b", "true",
                     status=None, name="y.compare")
        shutil.rmtree(self.b)
        shutil.copytree(self.path("y.compare", "b.slotwise"), self.b)
        done = self.slotwise("report", self.x, status=harness.BAD_DATA)
        self.assertIn("another experiment", done.stderr)

    def test_no_requests_are_no_numbers(self):
        run = self.arm("a")
        self.assertIn("absent", run["requests"])
        for o in run["observations"]:
            if o["metric"].endswith("per_request"):
                self.assertEqual(set(o["values"]), {"absent"}, o["metric"])
        for format_name in ("term", "md", "json", "csv", "junit"):
            text = self.slotwise("report", self.x, "--format", format_name).stdout
            self.assertNotRegex(text, r"(?i)\bnan\b|\binf\b")

    def test_another_host_is_refused_unless_forced(self):
        path = os.path.join(self.b, "run.json")
        with open(path, encoding="utf-8") as f:
            document = json.load(f)
        document["host"]["cpu"]["name"] = "Another CPU"
        document["host"]["kernel"] = "9.9.9"
        other = self.path("other.json")
        with open(other, "w", encoding="utf-8") as f:
            json.dump(document, f)
        done = self.slotwise("compare", self.a, other, status=None)
        told = done.stdout + done.stderr
        self.assertRegex(told, r"CPU|kernel")
        self.slotwise("compare", self.a, other, "--force", status=None)

    def test_hostile_words_are_shown_as_what_they_are(self):
        bad = "echo '\x1b[31m<script>alert(1)</script>|x|' '=1+1'"
        self.compare(*QUICK, "--rounds", "2", "--warmup", "0", "--a", bad, "--b", "true",
                     status=None, name="h.compare")
        for format_name in ("term", "md", "json", "csv", "junit"):
            text = self.slotwise("report", self.path("h.compare"), "--format", format_name).stdout
            self.assertNotIn("\x1b", text, format_name)
            if format_name in ("md", "junit"):
                self.assertNotIn("<script>", text, format_name)


class Clients(Compare):
    def test_sqlite(self):
        sqlite3 = self.need("sqlite3")
        rows = "".join(f"insert into t values({i});" for i in range(2000))
        for name, extra in (("a", ""), ("b", "select sum(a*b) from (select a from t), "
                                             "(select a as b from t limit 1000);")):
            with open(self.path(name + ".sql"), "w", encoding="ascii") as f:
                f.write(f"create table t(a int);begin;{rows}commit;{extra}")
        self.compare("--aa", "no", "-q", "--rounds", "8", "--a", f"{sqlite3} :memory: '.read a.sql'",
                     "--b", f"{sqlite3} :memory: '.read b.sql'", status=REGRESSED)
        run = self.arm("a")
        self.assertAlmostEqual(run["requests"], 2003, delta=5)  # of one round
        self.assertEqual(sum(c["requests"] for c in run["connections"]), run["requests"])
        samples = sum(s["samples"] for s in run["samplings"])
        self.assertGreater(samples, 0)
        self.assertTrue(os.path.exists(self.path("x.compare", "a.slotwise", "moments.pb.gz")))

    def test_redis_pipelines(self):
        redis = self.need("redis-benchmark")
        _, port = self.server("redis")
        client = f"{redis} -p {port} -t set -n 4000 -c 1"
        self.compare("--aa", "no", "-q", "--rounds", "8", "--a", f"{client} -P 1", "--b",
                     f"{client} -P 16", timeout=200)
        a, b = self.arm("a"), self.arm("b")
        for run in (a, b):
            self.assertAlmostEqual(run["requests"] / 4000, 1, delta=0.01)
            self.assertNotIn("requests-disagree", self.notes(run))
        self.assertLess(max(self.values(b, "cpu_per_request")),
                        min(self.values(a, "cpu_per_request")))
        rows = {row["metric"]: row for row in self.json_of(self.path("x.compare"))["metrics"]}
        self.assertEqual(rows["cpu_per_request"]["judgement"]["word"], "improved")


if __name__ == "__main__":
    harness.main()
