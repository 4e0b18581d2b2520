# SPDX-License-Identifier: MIT
"""profile, compare and report of clients on a described core: exact, repeatable, marked as what they are."""
import gzip
import json
import os
import re

import fleet
from harness import Case, main

BUILD = os.environ.get("SLW_BUILD_DIR", "")
STAGE_CLIENT = os.path.join(BUILD, "tests/system/system_stage_client")
WHERE = "reference core HASWELL, user mode"
SCRIPT = ("create table t(a integer primary key, b text);"
          "insert into t select value, 'row '||value from generate_series(1,300);"
          "select count(*), sum(length(b)) from t where a % 7 = 3;")


class Simulated(Case):
    def setUp(self):
        super().setUp()
        if not os.path.exists(os.path.join(BUILD, "sim/valgrind/slotwise-simulate")):
            self.missing("no Valgrind carrier in this build")
        self.need("valgrind")

    def simulate(self, *command, options=("--full",), name="run", status=0, **kw):
        run = self.path(name + ".slotwise")
        done = self.slotwise("profile", "--simulate", "--core", "haswell", *options, "-o", run, "--",
                             *command, status=status, **kw)
        with open(os.path.join(run, "run.json"), encoding="utf-8") as f:
            return json.load(f), done

    def counts(self, document):
        return {c["event"]: c["raw"] for c in document["counts"] if c["from"]["source"] == "simulated"}


class Profile(Simulated):
    def test_sqlite_is_told_whole(self):
        sqlite = self.need("sqlite3")
        document, done = self.simulate(sqlite, ":memory:", SCRIPT)
        self.assertEqual(done.stdout, "43|286\n")
        told = re.sub(r"\s+", " ", done.stderr)
        self.assertIn(f"[simulated: {WHERE}]", told)  # the verdict, pasted alone
        self.assertIn(f"simulated: {WHERE}; computed by a model of that core", told)
        for part in ("TOP-DOWN ", "TOP-DOWN BY FUNCTION", "HOTTEST FUNCTIONS", "REQUESTS ", "sqlite3VdbeExec"):
            self.assertIn(part, told)
        self.assertNotRegex(told, r"latency of requests +p50")
        counts = self.counts(document)
        slots = {k: n for k, n in counts.items() if k.startswith("slots.")}
        self.assertEqual(len(slots), 15)
        self.assertEqual(sum(slots.values()), counts["slots"])
        self.assertEqual(counts["slots"], 4 * counts["cycles"])
        for c in document["counts"]:
            self.assertEqual(c["from"]["source"],
                             "software" if c["event"] in ("kernel-time", "waits-in-kernel", "bytes-read",
                                                          "bytes-written") else "simulated")
        self.assertEqual(document["requests"], 3)  # create, insert, select
        self.assertIn("absent", document["wall_ns"])
        self.assertEqual(document["command"]["argv"][:2], [sqlite, ":memory:"])
        # The library that counted them is in no number and no stack.
        with gzip.open(self.path("run.slotwise/profile.pb.gz")) as f:
            profile = f.read()
        self.assertFalse(b"libslotwise-wire" in profile)
        self.assertTrue(b"sqlite3_step" in profile)
        self.assertTrue(os.path.getsize(self.path("run.slotwise/flamegraph.svg")) > 1000)
        self.assertFalse(os.path.exists(self.path("run.slotwise/carrier")))

    def test_what_is_pushed_says_that_it_is_simulated(self):
        self.need("protoc")
        server = fleet.Server()
        self.addCleanup(server.stop)
        gateway = fleet.push_gateway(self)
        document, _ = self.simulate(self.need("sqlite3"), ":memory:", SCRIPT, options=(
            "--full", "--push", server.url, "--push-gateway", gateway, "--push-spool",
            self.path("spool")))
        self.assertEqual(server.refused, [])
        profile, = (pushed.profile for pushed in server.pushed)
        self.assertRegex("\n".join(profile.comments), "simulated")
        counts = self.counts(document)
        names = [name for name, _ in profile.sample_types]
        self.assertEqual(profile.totals()[names.index("instructions")], counts["instructions"])
        told = re.findall(r'(?m)^slotwise_counted\{(.*)\} (\S+)$', fleet.get(gateway + "/metrics"))
        sources = {}
        for labels, value in told:
            labels = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            sources[labels["event"]] = labels["source"], float(value)
        self.assertEqual(sources["instructions"], ("simulated", counts["instructions"]))
        self.assertEqual({event for event, (source, _) in sources.items() if source == "simulated"},
                         set(counts))

    def test_a_client_that_is_ended_from_outside_is_partial(self):
        document, _ = self.simulate("/bin/sh", "-c", "kill -TERM $$")
        notes = {n["code"]: n["text"] for n in document["notes"]}
        self.assertRegex(notes["simulation-partial"], "^partial: 1 of 1 programs")

    def test_report_json_has_exact_functions(self):
        self.simulate(self.need("sqlite3"), ":memory:", SCRIPT)
        done = self.slotwise("report", "--format", "json", self.path("run.slotwise"))
        report = json.loads(done.stdout)
        text = json.dumps(report)
        self.assertIn(WHERE, text)
        nodes = {n["name"]: n for n in report["topdown"]["nodes"]} if "nodes" in report["topdown"] else {}
        for name, node in nodes.items():
            self.assertEqual(node.get("source"), "simulated", name)

    def test_the_tap_changes_nothing(self):
        """What the preloaded library adds is its part of the dynamic linker's work, and nothing per request."""
        sqlite = self.need("sqlite3")
        many = SCRIPT + "select a from t where a < 0;" * 200
        tapped = self.counts(self.simulate(sqlite, ":memory:", many)[0])
        plain = self.counts(self.simulate(sqlite, ":memory:", many, options=("--full", "--no-wire"), name="plain")[0])
        self.assertLess(abs(tapped["instructions"] - plain["instructions"]), 2000)

    def test_two_runs_are_bit_identical(self):
        sqlite = self.need("sqlite3")
        runs = [self.simulate(sqlite, ":memory:", SCRIPT, options=(), name=n)[0] for n in ("a", "b")]
        self.assertEqual(self.counts(runs[0]), self.counts(runs[1]))
        self.assertGreater(self.counts(runs[0])["instructions"], 100000)
        self.assertIn("simulation-short", [n["code"] for n in runs[0]["notes"]])  # it is, for a sample
        done = self.slotwise("compare", self.path("a.slotwise"), self.path("b.slotwise"))
        told = re.sub(r"\s+", " ", done.stdout)
        self.assertIn("use identical cycles per request", told)
        self.assertNotIn("95 %", told)
        self.assertNotIn("measured apart", told)

    def test_children_are_in_it(self):
        whole = ("--full", "--start", "whole")
        alone = self.counts(self.simulate("/bin/sh", "-c", ":", options=whole, name="alone")[0])
        document, _ = self.simulate("/bin/sh", "-c", f"{STAGE_CLIENT} nested 10; {STAGE_CLIENT} nested 10",
                                    options=whole)
        self.assertGreater(self.counts(document)["instructions"], alone["instructions"] + 20000)
        self.assertEqual({s["name"]: s["calls"] for s in document["stages"]}, {"outer": 20, "inner": 60})

    def test_a_client_that_is_killed_is_told(self):
        document, done = self.simulate("/bin/sh", "-c", "kill -SEGV $$")
        self.assertIn("killed by signal 11", done.stderr)
        self.assertGreater(self.counts(document)["instructions"], 1000)


class Stages(Simulated):
    CARRIER = "valgrind"

    def stages(self, what, count, options=("--full",), **kw):
        document, done = self.simulate(STAGE_CLIENT, what, str(count), options=(*options, "--carrier", self.CARRIER), **kw)
        return {s["name"]: s for s in document["stages"]}, done

    def test_calls_and_batches_are_exact(self):
        stages, done = self.stages("nested", 100)
        outer, inner = stages["outer"], stages["inner"]
        self.assertEqual((outer["calls"], outer["requests"], outer["max_batch"]), (100, 5050, 100))
        self.assertEqual((inner["calls"], inner["requests"], inner["max_batch"]), (300, 600, 2))
        for s in (outer, inner):
            self.assertEqual(s["from"]["source"], "simulated")
            self.assertEqual(s["slots"], 4 * s["cycles"] if s["slots"] % 4 == 0 else s["slots"])
            self.assertEqual((s["missed_begins"], s["missed_ends"]), (0, 0))
        self.assertIn("IPC", done.stderr)

    def test_instructions_are_those_between_the_marks(self):
        """Ten times the calls are ten times the instructions, to the instruction."""
        few, _ = self.stages("nested", 10)
        many, _ = self.stages("nested", 100, name="many")
        for name in ("outer", "inner"):
            self.assertEqual(10 * few[name]["instructions"], many[name]["instructions"], name)

    def test_threads_have_stages_of_their_own(self):
        stages, _ = self.stages("threads", 10)
        self.assertEqual((stages["outer"]["calls"], stages["inner"]["calls"]), (40, 120))

    def test_a_fork_counts_nothing_twice(self):
        stages, _ = self.stages("late_fork", 10)
        self.assertEqual((stages["outer"]["calls"], stages["inner"]["calls"]), (30, 90))

    def test_counting_begins_with_the_first_stage(self):
        """Everything before it is in no number; --start whole has it all."""
        stages, _ = self.stages("nested", 100)
        begun = self.counts(self.load_run("run"))["instructions"]
        self.stages("nested", 100, options=("--full", "--start", "whole"), name="whole")
        whole = self.counts(self.load_run("whole"))["instructions"]
        self.assertGreater(whole, begun + 20000)  # the dynamic linker alone
        inside = sum(s["instructions"] for s in stages.values())
        self.assertGreater(begun, inside)
        self.assertLess(begun, inside + 20000)

    def load_run(self, name):
        with open(self.path(name + ".slotwise/run.json"), encoding="utf-8") as f:
            return json.load(f)


class StagesOnQemu(Stages):
    CARRIER = "qemu"

    def setUp(self):
        super().setUp()
        if not os.path.exists(os.path.join(BUILD, "sim/qemu/slotwise-simulate-qemu")):
            self.missing("no QEMU carrier in this build")
        self.need("qemu-x86_64")

    def test_carriers_agree_on_them(self):
        here, _ = self.stages("nested", 100)
        self.CARRIER = "valgrind"
        there, _ = self.stages("nested", 100, name="valgrind")
        for name in ("outer", "inner"):
            for number in ("calls", "requests", "max_batch", "instructions"):
                self.assertEqual(here[name][number], there[name][number], (name, number))


class Compare(Simulated):
    def compare(self, a, b, *options, status=0):
        return self.slotwise("compare", "--simulate", "--core", "haswell", "-o", self.path("c"), *options,
                             "--a", f"{STAGE_CLIENT} nested {a}", "--b", f"{STAGE_CLIENT} nested {b}", status=status)

    def test_identical_is_said_to_be_identical(self):
        told = re.sub(r"\s+", " ", self.compare(100, 100).stdout)
        self.assertRegex(told, r"use identical simulated cycles \([0-9,]+, exact\): no change")
        self.assertIn("identical in every round", told)
        self.assertNotIn("inconclusive", told)

    def test_what_is_exact_is_told_without_chance(self):
        sqlite = self.need("sqlite3")
        told = self.slotwise("compare", "--simulate", "--core", "haswell", "-o", self.path("c"),
                             "--a", f"{sqlite} :memory: 'select 1'", "--b", f"{sqlite} :memory: 'select 1, 2, 3'",
                             status=None).stdout
        for words in ("self slots per request", "of the change in slots", "\n  instructions per request ",
                      "\n  Fetch Bandwidth slots per request ", "\n  icache_mpki "):
            self.assertIn(words, told)
        for words in ("inconclusive", "one outlier", "sampled time", "may be noise", "Holm", "change*"):
            self.assertNotIn(words, told)
        self.assertRegex(told, r"\n  requests per flush +1ˢ +1ˢ +equal no change\n")

    def test_a_sample_has_an_interval(self):
        """Two clients that differ in a few instructions are timed in other places."""
        sqlite = self.need("sqlite3")
        rows = ("create table t(a); with recursive n(i) as (select 1 union all select i+1 from n where i<{}) "
                "insert into t select i*7919%1007 from n; select count(distinct a) from t")
        told = {}
        for how in ("--full", "--sampled"):
            done = self.slotwise("compare", "--simulate", "--core", "haswell", how, "-o", self.path("c" + how),
                                 "--format", "json", "--a", f"{sqlite} :memory: '{rows.format(5000)}'",
                                 "--b", f"{sqlite} :memory: '{rows.format(5001)}'", status=None)
            told[how] = {row["metric"]: row for row in json.loads(done.stdout)["metrics"]}
        full, sampled = (told[how]["cycles_per_request"] for how in ("--full", "--sampled"))
        self.assertEqual(full["difference"]["low"], full["difference"]["high"])
        self.assertLess(sampled["difference"]["low"], full["difference"]["estimate"])
        self.assertGreater(sampled["difference"]["high"], full["difference"]["estimate"])
        self.assertEqual(told["--sampled"]["instructions_per_request"], told["--full"]["instructions_per_request"])
        for node in ("frontend_bound", "bad_speculation", "backend_bound", "retiring"):
            for metric in ("share." + node, "slots." + node):
                full, part = (told[how][metric]["difference"] for how in ("--full", "--sampled"))
                self.assertEqual(full["low"], full["high"], metric)
                self.assertLess(part["low"], part["high"], metric)
                self.assertLess(abs(part["estimate"] - full["estimate"]), part["high"] - part["low"], metric)

    def test_both_ways_at_once_are_refused(self):
        done = self.slotwise("compare", "--simulate", "--full", "--sampled", "--a", "true", "--b", "true", status=64)
        self.assertIn("--sampled a part of them", done.stderr)

    def test_more_work_fails_the_gate(self):
        told = self.compare(1000, 2000, status=10).stdout
        self.assertIn("regressed", told)
        self.assertIn("exact", told)


class Refusals(Simulated):
    def refuse(self, *args, status, words, **kw):
        done = self.slotwise("profile", *args, status=status, **kw)
        self.assertIn(words, done.stderr)
        self.assertEqual([f for f in os.listdir(self.dir) if f.endswith(".slotwise")], [])

    def test_a_carrier_that_is_missing(self):
        for carrier, words in (("valgrind", "valgrind is not installed"), ("qemu", "qemu-x86_64 is not installed")):
            self.refuse("--simulate", "--carrier", carrier, "--", "/bin/true", status=69, words=words,
                        env={"PATH": "/nowhere"})

    def test_options(self):
        self.refuse("--core", "haswell", "--", "/bin/true", status=64, words="--core needs --simulate")
        self.refuse("--simulate", "-p", "1", status=64, words="--pid does not go with it")
        self.refuse("--simulate", "--core", "haswel", "--", "/bin/true", status=65, words="did you mean haswell?")
        self.refuse("--simulate", "--", "no-such-program", status=69, words="there is no program")

    def test_a_core_of_ones_own(self):
        with open(self.path("mine.json"), "w", encoding="utf-8") as f:
            f.write("{}")
        self.refuse("--simulate", "--core", self.path("mine.json"), "--", "/bin/true", status=65, words="")

    def test_a_carrier_that_leaves_nothing(self):
        """Valgrind itself fails: it is told to read options that there are not."""
        done = self.slotwise("profile", "--simulate", "--", "/bin/true", status=65,
                             env=dict(os.environ, VALGRIND_OPTS="--no-such-option"))
        self.assertIn("left no counts", done.stderr)


if __name__ == "__main__":
    main()
