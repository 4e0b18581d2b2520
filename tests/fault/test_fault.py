# SPDX-License-Identifier: MIT
"""Make the n-th call fail, for n = 1, 2, ... until none is left, under every command that matters.

Whatever fails, slotwise never crashes, never ends with an undocumented status, and never says 0 over
a result that is not the whole one: then there is a note in the run or a word on stderr. A short
transfer or EINTR is no failure at all, so there the result has to be the same.
The injector is inject.c. Past the first calls n grows by a seeded step, which SLW_SEED moves: by up
to n, with SLW_FAULT_DENSE=1 (scripts/test --all) by up to a quarter; with SLW_FAULT_EVERY=1
every call of every command is made to fail, which takes long. The allocations of commands that are
fast are each made to fail always."""
import gzip
import json
import os
import random
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
import fleet  # noqa: E402
import harness  # noqa: E402

INJECT = os.environ.get("SLW_INJECT", os.path.join(harness.ROOT,
                                                   "build/gcc/tests/fault/libslw_inject.so"))
SEED = int(os.environ.get("SLW_SEED", "20"))

FAILURES = ("alloc", "open-emfile", "open-eacces", "read-eio", "write-enospc", "mmap-enomem")
HARMLESS = ("read-eintr", "read-short", "write-eintr", "write-short")
EVERY = os.environ.get("SLW_FAULT_EVERY") == "1"
DENSE = os.environ.get("SLW_FAULT_DENSE") == "1"
FIRST = 25 if DENSE else 8  # every one of the first calls, then steps
PART = 4 if DENSE else 1
MOST = 110  # runs per command and kind; past it the steps were too small, which is an error
MOST_EVERY = 20000


def steps(rng, every):
    n = 0
    for i in range(MOST_EVERY if every else MOST):
        n += 1 if every or i < FIRST else rng.randint(1, max(1, n // PART))
        yield n


def content(path):
    """What a file says, without what differs between two runs of the same command."""
    data = harness.read_bytes(path)
    if path.endswith(".json"):
        document = json.loads(data)
        for key in ("started_realtime_ns", "notes", "self"):
            document.pop(key, None)
        return json.dumps(document, sort_keys=True).encode()
    return gzip.decompress(data) if path.endswith(".gz") else data


def notes(run):
    path = os.path.join(run, "run.json")
    if not os.path.exists(path):
        return []
    return json.loads(harness.read_bytes(path).decode())["notes"]


class Faults(harness.Case):
    """One run is prepared per test; each command writes to `out`, which is looked at."""

    def setUp(self):
        super().setUp()
        print(f"seed {SEED}", flush=True)
        self.rng = random.Random(SEED)
        self.out = self.path("out")
        _, self.run_dir = self.profile(harness.CLIENT, "forks", "40")

    FROM = None  # faults begin where a path with this in it is opened

    def once(self, args, fault):
        """Run with `fault`; (done, fired)."""
        shutil.rmtree(self.out, ignore_errors=True)
        os.mkdir(self.out)
        fired = self.path("fired")
        if os.path.exists(fired):
            os.unlink(fired)
        env = dict(os.environ, LD_PRELOAD=INJECT, SLW_FAULT=fault, SLW_FAULT_FIRED=fired)
        if self.FROM:
            env["SLW_FAULT_FROM"] = self.FROM
        done = self.slotwise(*args, status=None, timeout=60, env=env)
        return done, os.path.exists(fired)

    def result(self, done):
        files = {"stdout": done.stdout.encode("utf-8", "surrogateescape")}
        for folder, _, names in os.walk(self.out):
            for name in names:
                path = os.path.join(folder, name)
                files[os.path.relpath(path, self.out)] = content(path)
        return files

    def nothing_half_written(self, fault):
        for folder, _, names in os.walk(self.out):
            for name in names:
                self.assertIn(name, ("run.json", "profile.pb.gz", "moments.pb.gz", "perf.data",
                                     "graph.svg", "flamegraph.svg"), f"{fault} left a temporary")

    def loop(self, args, kinds, check, every=EVERY):
        for kind in kinds:
            for n in steps(self.rng, every):
                fault = f"{kind}:{n}"
                with self.subTest(fault):
                    done, fired = self.once(args, fault)
                    if not fired:
                        break
                    self.nothing_half_written(fault)
                    check(done, fault)
            else:
                self.fail(f"{kind}: still failing at n = {n}; raise MOST")


class Commands(Faults):
    """Commands with the same result every time, through every fault."""

    def honest(self, reference, reference_notes):
        def check(done, fault):
            if done.returncode != 0:
                return
            same = self.result(done) == reference
            told = done.stderr.strip() or len(notes(os.path.join(self.out, "run"))) > reference_notes
            self.assertTrue(same or told, f"{fault}: another result, and not a word about it")
        return check

    def unchanged(self, reference):
        def check(done, fault):
            self.assertEqual(done.returncode, 0, f"{fault}: {done.stderr}")
            self.assertTrue(self.result(done) == reference, f"{fault} changed the result")
        return check

    def command(self, *args, fast=False):
        done, _ = self.once(args, "alloc:0")
        self.assertEqual(done.returncode, 0, done.stderr)
        reference = self.result(done)
        reference_notes = len(notes(os.path.join(self.out, "run")))
        honest = self.honest(reference, reference_notes)
        self.loop(args, ("alloc",), honest, every=fast or EVERY)
        self.loop(args, FAILURES[1:], honest)
        self.loop(args, HARMLESS, self.unchanged(reference))
        for kind in HARMLESS:
            with self.subTest(kind + ", always"):
                done, _ = self.once(args, kind + ":1:always")
                self.unchanged(reference)(done, kind)

    def test_report(self):
        self.command("report", self.run_dir, fast=True)

    def test_report_json(self):
        self.command("report", self.run_dir, "--format", "json")

    def test_flamegraph(self):
        self.command("flamegraph", self.run_dir, "-o", os.path.join(self.out, "graph.svg"),
                     fast=True)

    def test_flamegraph_of_a_difference(self):
        self.command("flamegraph", self.run_dir, "--diff", self.run_dir, "-o",
                     os.path.join(self.out, "graph.svg"))

    def test_import(self):
        self.command("import", os.path.join(self.run_dir, "perf.data"), "-o",
                     os.path.join(self.out, "run"))

    def test_export(self):
        self.command("export", self.run_dir, "--format", "folded", fast=True)

    def test_explain(self):
        self.command("explain", "frontend_bound", fast=True)


class Profiling(Faults):
    """Two profiles are never the same; what has to hold is that a loss is said."""

    def args(self):
        return ("profile", "--keep-raw", "-o", os.path.join(self.out, "run"), "--", harness.CLIENT,
                "spin", "40")

    def measured(self, done, fault):
        run = os.path.join(self.out, "run")
        if done.returncode != 0:
            return
        document = self.load(run)
        self.assertTrue(document["counts"] or document["notes"], fault)
        self.assertTrue(document["samplings"] or document["notes"],
                        f"{fault}: no samples, and not a word about it")
        sampled = sum(s["samples"] for s in document["samplings"])
        self.assertTrue(sampled > 0 or document["notes"] or done.stderr.strip(), fault)
        self.assertEqual(document["command"]["exit"], "status", fault)
        self.slotwise("report", run)

    def test_failures(self):
        self.loop(self.args(), FAILURES + ("mmap-eperm", "perf-emfile", "perf-eacces",
                                           "perf-enosys"), self.measured)

    def test_perf_event_open_never_works(self):
        for kind in ("perf-eacces", "perf-enosys", "perf-emfile"):
            with self.subTest(kind):
                done, fired = self.once(self.args(), kind + ":1:always")
                self.assertTrue(fired)
                if done.returncode == 0:
                    document = self.load(os.path.join(self.out, "run"))
                    self.assertTrue(document["notes"], "counted by other means without a word")
                    self.assertTrue(document["counts"], "getrusage is always there")
                else:
                    self.assertIn(done.returncode, (harness.CANNOT, harness.INTERNAL), done.stderr)

    def test_harmless(self):
        def check(done, fault):
            self.assertEqual(done.returncode, 0, f"{fault}: {done.stderr}")
            self.measured(done, fault)
        self.loop(self.args(), HARMLESS, check)

    def test_disk_that_stays_full(self):
        """From the n-th write on nothing can be written: an error, never a crash or a 0."""
        for n in (1, 2, 3, 5, 8, 13, 21):
            done, fired = self.once(self.args(), f"write-enospc:{n}:always")
            if fired:
                self.assertEqual(done.returncode, harness.INTERNAL, f"{n}: {done.stderr}")


class Pushing(Faults):
    """A run whose push fails is saved; what it was to push is with the server, or waits for the next
    run, or it is said that it is lost. Faults begin with the push: those of measuring are above."""
    FROM = "push-spool"

    def setUp(self):
        super().setUp()
        self.need("protoc")
        self.spool = self.path("push-spool")
        self.server = fleet.Server()
        self.addCleanup(self.server.stop)

    def args(self):
        return ("profile", "-q", "--offcpu", "no", "--wire", "no", "--stages", "no", "--push",
                self.server.url, "--push-tries", "1", "--push-spool", self.spool, "-o",
                os.path.join(self.out, "run"), "--", harness.CLIENT, "spin", "20")

    def once(self, args, fault):
        shutil.rmtree(self.spool, ignore_errors=True)
        self.server.pushed.clear()
        return super().once(args, fault)

    def told(self, done, fault):
        self.assertIn(done.returncode, (0, harness.CANNOT, harness.INTERNAL), done.stderr)
        self.load(os.path.join(self.out, "run"))
        self.assertEqual(self.server.refused, [], fault)
        kept = [name for name in os.listdir(self.spool) if name.endswith(".push")] \
            if os.path.isdir(self.spool) else []
        if done.returncode == 0:
            self.assertTrue(self.server.pushed or kept, f"{fault}: {done.stderr}")
        self.assertTrue(self.server.pushed or done.stderr.strip(), f"{fault}: not a word about it")

    def nothing_half_written(self, fault):
        super().nothing_half_written(fault)
        for name in os.listdir(self.spool) if os.path.isdir(self.spool) else []:
            self.assertFalse(name.startswith("."), f"{fault} left {name}")

    def test_failures(self):
        self.loop(self.args(), FAILURES, self.told)

    def test_harmless(self):
        def check(done, fault):
            self.assertEqual(done.returncode, 0, f"{fault}: {done.stderr}")
            self.assertEqual(len(self.server.pushed), 1, fault)
        for kind in HARMLESS:
            check(self.once(self.args(), kind + ":1:always")[0], kind)


class Comparing(Faults):
    """A comparison is there as a whole, or there is a word about why it is not."""

    def args(self):  # without the taps, which Profiling has
        client = f"{harness.CLIENT} spin 5"
        return ("compare", "-q", "--aa", "no", "--offcpu", "no", "--wire", "no", "--rounds", "1",
                "--warmup", "0", "--ops", "1", "--seed", "1", "-o",
                os.path.join(self.out, "x.compare"), "--a", client, "--b", client)

    def nothing_half_written(self, fault):
        for folder, _, names in os.walk(self.out):
            for name in names:
                self.assertFalse(name.endswith((".tmp", ".part", ".XXXXXX")) or
                                 name == "perf.data", f"{fault} left {folder}/{name}")

    def measured(self, done, fault):
        saved = os.path.join(self.out, "x.compare")
        if not os.path.exists(os.path.join(saved, "experiment.json")):
            self.assertNotIn(done.returncode, (0, 10, 11), fault)
            return
        for arm in ("a.slotwise", "b.slotwise"):
            document = self.load(os.path.join(saved, arm))
            sampled = sum(s["samples"] for s in document["samplings"])
            self.assertTrue(sampled > 0 or document["notes"], fault)
        self.assertIn("inconclusive", self.slotwise("report", saved).stdout)

    def test_measuring(self):
        self.loop(self.args(), ("alloc", "open-eacces", "write-enospc", "read-eio"), self.measured)

    def test_harmless(self):
        def check(done, fault):
            self.assertEqual(done.returncode, 11, f"{fault}: {done.stderr}")
            self.measured(done, fault)
        for kind in HARMLESS:
            check(self.once(self.args(), kind + ":1:always")[0], kind)

    def test_rendering(self):
        x = self.path("x.compare")
        client = f"{harness.CLIENT} spin 20"
        self.slotwise("compare", "-q", "--aa", "no", "--rounds", "2", "--ops", "1", "-o", x, "--a",
                      client, "--b", client, status=None)
        done, _ = self.once(("report", x), "alloc:0")
        reference = done.stdout

        def check(done, fault):
            if done.returncode == 0:
                self.assertTrue(done.stdout == reference or done.stderr.strip(), fault)
        self.loop(("report", x), ("alloc", "open-eacces", "read-eio", "write-enospc"), check)


class Workloads(Faults):
    """A client of a database under faults: what it calls done is stored, and it never crashes."""
    WORKLOAD = os.path.join(os.path.dirname(harness.SLOTWISE), "slotwise-workload")
    ROWS = 60

    def setUp(self):
        super().setUp()
        self.log, self.db = self.path("log"), self.path("out", "database")

    def nothing_half_written(self, fault):
        pass  # a database keeps its log

    def slotwise(self, *args, **kw):
        program, harness.SLOTWISE = harness.SLOTWISE, self.program or harness.SLOTWISE
        try:
            return super().slotwise(*args, **kw)
        finally:
            harness.SLOTWISE = program

    program = None

    def once(self, args, fault):
        if os.path.exists(self.log):
            os.unlink(self.log)
        self.program = self.WORKLOAD
        try:
            return super().once(args, fault)
        finally:
            self.program = None

    def stored(self, done, fault):
        lines = []
        if os.path.exists(self.log):
            lines = harness.read_bytes(self.log).decode().split("\n")[:-1]
        if done.returncode == 0:
            run = json.loads(done.stdout)["runs"][0]
            self.assertEqual(run["requests"], self.ROWS, fault)
            self.assertEqual(run["outcomes"]["done"], len(lines), fault)
        if lines:
            self.slotwise("workload", "verify", "--connect", self.db, "--acknowledged", self.log)

    def test_every_workload(self):
        for workload, *options in (("submit", "--dimensions", "8", "--concurrency", "4"),
                                   ("coalesce", "--callers", "2"),
                                   ("shards", "--execute", "--threads", "1")):
            self.loop(("run", workload, "--requests", str(self.ROWS), "--warm-up", "0", "--connect",
                       self.db, "--durable", "off", "--format", "json", "--acknowledged", self.log,
                       *options), FAILURES, self.stored)


if __name__ == "__main__":
    harness.main()
