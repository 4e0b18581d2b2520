# SPDX-License-Identifier: MIT
"""The built-in workloads as a person runs them: what they print, what they leave in the database,
also when they are killed, what slotwise sees of them, and what they say to bad input."""
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import harness

SEED = int(os.environ.get("SLW_SEED", "5"))

# Workloads that store rows, with options that make them do so quickly; the rest come from --help.
STORING = {
    "submit": ("--dimensions", "16"),
    "coalesce": ("--callers", "8"),
    "shards": ("--execute", "--threads", "2"),
}


class Workloads(harness.Case):
    def listed(self):
        """{name: None, or what it was built without} of workloads and of drivers."""
        parts = self.slotwise("workload", "list").stdout.split("\nDrivers:\n")
        found = []
        for part in parts:
            rows = [line.split(None, 1) for line in part.splitlines()
                    if line.startswith("  ") and not line.startswith("   ")]
            found.append({name: text.removeprefix("built without ")
                          if text.startswith("built without ") else None for name, text in rows})
        return found

    def run_json(self, workload, *options, **kw):
        done = self.slotwise("workload", "run", workload, "--format", "json", *options, **kw)
        return json.loads(done.stdout)

    def verify(self, log, *where, status=harness.DONE):
        done = self.slotwise("workload", "verify", "--acknowledged", log, *where, status=status)
        return {line.rsplit(None, 1)[0]: int(line.rsplit(None, 1)[1])
                for line in done.stdout.splitlines()}

    def acknowledged_is_stored(self, workload, *where):
        log = self.path("acknowledged")
        result = self.run_json(workload, "--requests", "400", "--warm-up", "50", "--acknowledged",
                               log, *STORING[workload], *where)
        run = result["runs"][0]
        self.assertEqual(run["requests"], 400)
        self.assertEqual(run["outcomes"]["done"], 400)
        self.assertEqual(run["latency_ns"]["count"], 400)
        self.assertGreater(run["user_ns"] + run["system_ns"], 0)
        found = self.verify(log, *where)
        self.assertEqual(found, {"acknowledged": 450, "stored": 450, "found": 450, "missing": 0,
                                 "stored twice": 0})
        os.unlink(log)

    def killed_in_the_middle(self, workload, *where):
        """Everything acknowledged before a SIGKILL is there; more may be."""
        print(f"seed {SEED}", flush=True)
        rng = random.Random(SEED)
        log = self.path("log")
        for _ in range(3):
            if os.path.exists(log):
                os.unlink(log)
            process = self.start("workload", "run", workload, "--requests", "100000000",
                                 "--warm-up", "0", "--acknowledged", log, *STORING[workload], *where)
            wanted = rng.randint(50, 800)
            harness.wait_until(lambda: process.poll() is not None or os.path.exists(log) and
                               harness.read_bytes(log).count(b"\n") >= wanted, 90, "rows")
            self.assertIsNone(process.poll(), harness.read_bytes(self.path("stderr")))
            process.send_signal(signal.SIGKILL)
            process.wait()
            found = self.verify(log, *where)
            self.assertGreaterEqual(found["acknowledged"], wanted)
            self.assertEqual((found["missing"], found["stored twice"]), (0, 0))


class Sqlite(Workloads):
    def test_all_are_listed_and_built(self):
        workloads, drivers = self.listed()
        self.assertLessEqual({"submit", "shards"}, set(workloads))
        self.assertIn("sqlite", drivers)
        for name, missing in [*workloads.items(), *drivers.items()]:
            if missing:
                self.missing(f"{name} was built without {missing}")

    def test_every_workload_explains_itself(self):
        workloads, drivers = self.listed()
        for name in workloads:
            for driver in drivers:
                told = self.slotwise("workload", "run", name, "--driver", driver, "--help").stdout
                self.assertIn("Published", told, f"{name} names no ancestor")
                self.assertIn("--requests", told)

    def test_every_workload_runs_without_a_server(self):
        for name, missing in self.listed()[0].items():
            if missing is None:
                run = self.run_json(name, "--requests", "300", "--warm-up", "30")["runs"][0]
                self.assertEqual(run["requests"], 300, name)
                self.assertGreater(run["requests_per_second"], 0, name)

    def test_acknowledged_is_stored(self):
        for workload in STORING:
            self.acknowledged_is_stored(workload, "--connect", self.path("db"))

    def test_killed_in_the_middle(self):
        for workload in STORING:
            self.killed_in_the_middle(workload, "--connect", self.path("db"), "--durable", "normal")

    def test_a_lost_row_is_found(self):
        """verify itself has to be able to fail."""
        log, db = self.path("log"), self.path("db")
        self.run_json("shards", "--execute", "--requests", "50", "--warm-up", "0", "--connect", db,
                      "--acknowledged", log)
        subprocess.run([self.need("sqlite3"), db, "DELETE FROM slotwise_requests WHERE id = 17"],
                       check=True, timeout=60)
        done = self.slotwise("workload", "verify", "--connect", db, "--acknowledged", log,
                             status=harness.BAD_DATA)
        self.assertIn("missing 1\n", done.stdout)
        self.assertIn("the first is 17", done.stderr)

    def test_the_same_seed_is_the_same_load(self):
        entries = [self.run_json("shards", "--threads", "1", "--requests", "2000", "--warm-up", "0",
                                 "--seed", seed)["runs"][0]["extras"]["entries of the map"]["value"]
                   for seed in ("7", "7", "8")]
        self.assertEqual(entries[0], entries[1])

    def test_several_runs(self):
        result = self.run_json("shards", "--requests", "1000", "--runs", "3")
        self.assertEqual([run["requests"] for run in result["runs"]], [1000] * 3)
        told = self.slotwise("workload", "run", "shards", "--requests", "1000", "--runs", "3").stdout
        self.assertRegex(told, r"best +mean +worst")

    def test_nothing_is_left_behind(self):
        env = dict(os.environ, TMPDIR=self.path("tmp"))
        os.mkdir(self.path("tmp"))
        self.slotwise("workload", "run", "submit", "--requests", "100", env=env)
        self.assertEqual(os.listdir(self.path("tmp")), [])

    def test_open_loop_counts_from_when_it_was_due(self):
        """More arrives than can be done: latency grows with the run, which a closed loop hides."""
        slow = ("--connect", self.path("db"), "--durable", "off", "--dimensions", "16384",
                "--requests", "2000", "--warm-up", "0")
        closed = self.run_json("submit", *slow, "--concurrency", "1")["runs"][0]
        rate = 10 * closed["requests_per_second"]
        flooded = self.run_json("submit", *slow, "--concurrency", "1", "--rate", str(rate))["runs"][0]
        # Nearly as long as the run, as nine of ten requests wait for the others.
        self.assertGreater(flooded["latency_ns"]["max"], flooded["elapsed_ns"] / 4)
        self.assertLess(closed["latency_ns"]["p50"], flooded["latency_ns"]["p50"])

    def test_stopped_by_a_signal(self):
        process = self.start("workload", "run", "shards", "--requests", "100000000000")
        harness.wait_until(lambda: harness.cpu_seconds(process.pid) > 0.3, 60, "some work")
        process.send_signal(signal.SIGINT)
        done = self.finish(process)
        self.assertRegex(done.stdout, r"throughput +\d")

    def test_profiled_by_name(self):
        run = self.path("run")
        done = self.slotwise("profile", "-o", run, "--workload", "shards", "--", "--execute",
                             "--requests", "500", "--warm-up", "0", "--threads", "1", "--format",
                             "json", "--durable", "off")
        self.assertEqual(json.loads(done.stdout)["runs"][0]["requests"], 500)
        document = self.load(run)
        self.assertEqual(sum(c["requests"] for c in document["connections"]
                             if c["protocol"] == "SQLite"), document["requests"])
        self.assertGreaterEqual(document["requests"], 500)
        stages = {stage["name"] for stage in document.get("stages", [])}
        if not any(note["code"].startswith("stage") for note in document["notes"]):
            self.assertLessEqual({"look_up", "serialize", "execute"}, stages)

    def test_stages_are_seen_as_they_batch(self):
        """What slotwise sees of the stages is what the workload says of itself."""
        missing = self.listed()[0]["stages"]
        if missing:
            self.skipTest(f"stages was built without {missing}")
        run = self.path("run")
        done = self.slotwise("profile", "-o", run, "--workload", "stages", "--", "--stages",
                             "select,seal", "--batch", "20", "--concurrency", "100", "--quota", "0",
                             "--requests", "2000", "--warm-up", "0", "--format", "json")
        told = json.loads(done.stdout)["runs"][0]
        self.assertEqual(told["batch"]["mean"], 20)
        document = self.load(run)
        if any(note["code"].startswith("stage") for note in document["notes"]):
            self.skipTest("no stages are seen here")
        seen = {stage["name"]: stage for stage in document["stages"]}
        for name, calls in (("select", 100), ("seal", 100), ("decode", 2000), ("send", 2000)):
            self.assertEqual((seen[name]["calls"], seen[name]["requests"]), (calls, 2000), name)

    def test_bad_command_lines(self):
        for args, told in (
                (("workload",), "list, run, verify or endpoint"),
                (("workload", "rnu"), "unknown word"),
                (("workload", "run"), "which workload"),
                (("workload", "run", "shard"), "did you mean shards"),
                (("workload", "run", "shards", "--driver", "sqlit"), "did you mean sqlite"),
                (("workload", "run", "shards", "--thread", "4"), "did you mean --threads"),
                (("workload", "run", "shards", "--threads", "0"), "--threads"),
                (("workload", "run", "shards", "--threads", "99999999999999999999"), "--threads"),
                (("workload", "run", "shards", "--requests", "0"), "--requests"),
                (("workload", "run", "shards", "--zipf", "nan"), "--zipf"),
                (("workload", "run", "shards", "--map", "one"), "--map"),
                (("workload", "run", "shards", "extra"), "extra"),
                (("workload", "run", "submit", "--submit", "callback", "--rate", "5"), "callback"),
                (("workload", "run", "submit", "--concurrency", "60000"), "--concurrency"),
                (("workload", "run", "stages", "--stages", "decode,sned"), "'sned'"),
                (("workload", "run", "stages", "--batch", "0"), "--batch"),
                (("workload", "run", "stages", "--acknowledged", self.path("log")), "stores nothing"),
                (("workload", "verify"), "--acknowledged"),
                (("profile", "--workload", "shards", "-p", "1"), "not both"),
                (("profile", "--workload", "shards", "--", "--threads", "x"), "")):
            done = self.slotwise(*args, status=None if "--threads" in args and args[0] == "profile"
                                 else harness.USAGE)
            self.assertIn(told, done.stderr, args)

    def test_bad_places(self):
        for where in ("/nowhere/at/all", self.dir):
            done = self.slotwise("workload", "run", "submit", "--connect", where, "--requests", "10",
                                 status=harness.INTERNAL)
            self.assertIn(where, done.stderr)
        with open(self.path("text"), "w", encoding="ascii") as f:
            f.write("this is no database\n" * 100)
        self.slotwise("workload", "run", "submit", "--connect", self.path("text"), "--requests",
                      "10", status=harness.INTERNAL)
        done = self.slotwise("workload", "verify", "--acknowledged", self.path("none"), "--connect",
                             self.path("db"), status=harness.INTERNAL)
        self.assertIn("none", done.stderr)

    def test_full_disk(self):
        self.need_root("mounts a small file system")
        folder = self.path("small")
        os.mkdir(folder)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder],
                          capture_output=True, timeout=60).returncode:
            self.skipTest("mounting is not permitted")
        self.addCleanup(subprocess.run, ["umount", "-l", folder], timeout=60)
        log, db = self.path("log"), os.path.join(folder, "db")
        result = self.run_json("submit", "--connect", db, "--requests", "2000", "--warm-up", "0",
                               "--acknowledged", log)["runs"][0]
        self.assertGreater(result["outcomes"]["rejected"], 0)
        found = self.verify(log, "--connect", db)
        self.assertEqual(found["missing"], 0)
        self.assertEqual(found["acknowledged"], result["outcomes"]["done"])


class OnServers:
    """The same on a private server of each kind."""
    driver = kind = None
    options = login = refusing = ()
    together = True  # what is submitted is written together

    @classmethod
    def setUpClass(cls):
        cls.folder, cls.port = harness.start_server(cls, cls.kind, *cls.options)
        cls.where = ("--driver", cls.driver, "--connect", f"127.0.0.1:{cls.port}", *cls.login)

    def test_1_acknowledged_is_stored(self):
        for workload in STORING:
            self.acknowledged_is_stored(workload, *self.where)

    def test_2_killed_in_the_middle(self):
        for workload in STORING:
            self.killed_in_the_middle(workload, *self.where)

    def test_3_requests_are_those_on_the_wire(self):
        """What the workload counted is what slotwise saw it send, and all of it is answered."""
        run = self.path("run")
        done = self.slotwise("profile", "-o", run, "--workload", "submit", "--", *self.where,
                             *STORING["submit"], "--requests", "1000", "--warm-up", "0", "--format",
                             "json")
        self.assertEqual(json.loads(done.stdout)["runs"][0]["requests"], 1000)
        document = self.load(run)
        # Where several statements travel as one request (MariaDB) they are what is counted.
        own = [c for c in document["connections"]
               if max(c["requests"], c.get("statements") or 0) >= 1000]
        self.assertEqual(len(own), 1, document["connections"])
        sent = max(own[0]["requests"], own[0].get("statements") or 0)
        # Besides the rows: what opens a connection, prepares a statement and asks for durability.
        self.assertLessEqual(sent, 1020)
        if self.together:
            self.assertGreater(sent / own[0]["flushes"], 1.5, "sent one by one")

    def test_4_a_row_that_is_there(self):
        """A row the database refuses is told, and hurts no other."""
        self.run_json("submit", *self.where, *STORING["submit"], "--requests", "50", "--warm-up", "0")
        run = self.run_json("submit", *self.where, *STORING["submit"], "--requests", "80",
                            "--warm-up", "0", "--keep", "--first-id", "31", *self.refusing)["runs"][0]
        self.assertEqual((run["outcomes"]["rejected"], run["outcomes"]["done"]), (20, 60))

    def test_5_nobody_answers(self):
        done = self.slotwise("workload", "run", "submit", "--driver", self.driver, "--connect",
                             "127.0.0.1:1", *self.login, status=harness.CANNOT)
        self.assertRegex(done.stderr, r'127\.0\.0\.1"?,?( port |:)1\b')

    def started(self, workload, log, *more):
        """Run without an end; back when hundreds of rows are acknowledged."""
        process = self.start("workload", "run", workload, *self.where, *STORING[workload],
                             "--requests", "100000000", "--warm-up", "0", "--acknowledged", log, *more)
        self.acknowledge(process, log, 300)
        return process

    def acknowledge(self, process, log, count):
        harness.wait_until(lambda: process.poll() is not None or os.path.exists(log) and
                           harness.read_bytes(log).count(b"\n") >= count, 90, what="rows")

    def crash(self):
        """End the server; a function that starts it and waits until it answers."""
        server = harness.CrashedServer(self.folder)

        def again():
            server.start_again(self)
            harness.wait_until(lambda: self.slotwise(
                "workload", "run", "submit", *self.where, "--table", "other", "--requests", "1",
                "--warm-up", "0", status=None).returncode == 0, 60, "server")
        return again

    def nothing_is_lost(self, log):
        found = self.verify(log, *self.where)
        self.assertGreaterEqual(found["acknowledged"], 300)
        self.assertEqual((found["missing"], found["stored twice"]), (0, 0))

    def test_8_server_killed(self):
        """A clear end; everything acknowledged is there when the server is back."""
        for workload in ("submit", "shards"):
            with self.subTest(workload):
                log = self.path(workload)
                process = self.started(workload, log)
                again = self.crash()
                done = self.finish(process, status=harness.CANNOT)
                self.assertRegex(done.stderr, "connection|server")
                again()
                self.nothing_is_lost(log)

    def test_9_server_back(self):
        """The one that has callers to answer connects again and goes on."""
        log = self.path("log")
        process = self.started("coalesce", log, "--patience", "60")
        again = self.crash()
        before = harness.read_bytes(log).count(b"\n")
        again()
        self.acknowledge(process, log, before + 500)
        self.assertIsNone(process.poll(), harness.read_bytes(self.path("stderr")))
        process.send_signal(signal.SIGTERM)
        self.finish(process)
        self.nothing_is_lost(log)


class OnPostgresql(OnServers, Workloads):
    driver, kind = "postgres", "postgresql"
    login = ("--user", "slotwise", "--database", "postgres")
    together = False  # libpq before 17 writes each request by itself


class OnMariadb(OnServers, Workloads):
    driver, kind, login = "mariadb", "mariadb", ("--user", "root")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        subprocess.run([harness.find_tool("mariadb"), "-h", "127.0.0.1", "-P", cls.port, "-u", "root",
                        "-e", "CREATE DATABASE test"], check=True, timeout=60)


class OnRedis(OnServers, Workloads):
    driver, kind = "redis", "redis"
    options = ("--appendonly", "yes", "--appendfsync", "always", "--set-proc-title", "no")


class OnCql(OnServers, Workloads):
    """Against the endpoint, whose log is what survives it."""
    driver = "cql"
    refusing = ("--conditional",)  # plain INSERT of CQL replaces a row that is there

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="slotwise-test-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            cls.port = s.getsockname()[1]
        process = subprocess.Popen(
            [harness.SLOTWISE, "workload", "endpoint", "--port", str(cls.port), "--durable",
             os.path.join(cls.folder, "log.cql")], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            start_new_session=True)
        cls.addClassCleanup(harness.end_group, process)
        cls.addClassCleanup(process.stdout.close)
        if process.stdout.readline().decode() != f"127.0.0.1:{cls.port}\n":
            raise AssertionError("the endpoint did not start")
        with open(os.path.join(cls.folder, "server.pid"), "w", encoding="ascii") as f:
            f.write(f"{process.pid}\n")
        cls.where = ("--driver", cls.driver, "--connect", f"127.0.0.1:{cls.port}", *cls.login)


if __name__ == "__main__":
    harness.main()
