# SPDX-License-Identifier: MIT
"""What coalesce acknowledged is stored, once: also when the client is killed in the middle of a
batch, when the server is, and when requests are made to fail. What is stored is asked of the
database's own client, not of slotwise."""
import contextlib
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import unittest

import harness
from harness import Case, read_bytes, wait_until

MODES = ("worker", "blocking", "pool")
SEED = 20261122


class Coalesce(Case):
    def acknowledged(self):
        """Ids in the log; a last line without its end was being written when its writer died."""
        with contextlib.suppress(FileNotFoundError):
            return [int(line) for line in read_bytes(self.path("log")).split(b"\n")[:-1]]
        return []

    def start_run(self, *options):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path("log"))
        return self.start("workload", "run", "coalesce", "--acknowledged", self.path("log"),
                          "--warm-up", "0", "--format", "json", *options)

    def kill_after(self, process, count):
        """SIGKILL, to the program and the one it executes, when so many ids are acknowledged."""
        wait_until(lambda: process.poll() is not None or len(self.acknowledged()) >= count,
                   seconds=60, what=f"{count} acknowledged ids")
        self.assertIsNone(process.poll(), read_bytes(self.path("stderr")))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def check_stored(self, stored):
        acknowledged = self.acknowledged()
        self.assertGreater(len(acknowledged), 0)
        self.assertEqual(len(acknowledged), len(set(acknowledged)), "acknowledged twice")
        self.assertEqual(len(stored), len(set(stored)), "stored twice")
        self.assertEqual(set(acknowledged) - set(stored), set(), "acknowledged and lost")

    def result(self, process, timeout=60):
        done = self.finish(process, timeout=timeout)
        return json.loads(done.stdout)["runs"][0]


class OnSqlite(Coalesce):
    def setUp(self):
        super().setUp()
        self.file = self.path("rows.db")

    def stored(self):
        with contextlib.closing(sqlite3.connect(self.file)) as db:
            return [row[0] for row in db.execute("SELECT id FROM slotwise_requests")]

    def rows_of(self, *options):
        return self.start_run("--driver", "sqlite", "--connect", self.file, *options)

    def test_client_killed_in_the_middle(self):
        at = random.Random(SEED)
        print(f"seed {SEED}", end=" ")
        for mode in (*MODES, "worker"):
            process = self.rows_of("--mode", mode, "--requests", "10000000")
            self.kill_after(process, at.randrange(1, 1000))
            with self.subTest(mode=mode):
                self.check_stored(self.stored())

    def test_poison_and_failures_on_purpose(self):
        for mode in MODES:
            with self.subTest(mode=mode):
                run = self.result(self.rows_of("--mode", mode, "--requests", "2000", "--poison",
                                               "50", "--fail", "9", "--keys", "100"))
                self.assertEqual(run["outcomes"]["rejected"], 40)
                self.assertEqual(run["outcomes"]["done"], 1960)
                self.assertGreater(run["retries"], 0)
                stored = self.stored()
                self.check_stored(stored)
                self.assertEqual(len(self.acknowledged()), 1960)
                self.assertEqual(len(stored), 1960 + 100)

    def test_retries_that_end(self):
        run = self.result(self.rows_of("--requests", "200", "--fail", "1", "--retries", "2",
                                       "--callers", "10"))
        self.assertEqual(run["outcomes"]["transient"], 200)
        self.assertEqual(self.stored(), [])
        self.assertEqual(self.acknowledged(), [])

    def test_stopped_by_a_signal_tells_what_was_done(self):
        process = self.rows_of("--requests", "10000000")
        wait_until(lambda: len(self.acknowledged()) >= 100, seconds=60,
                   what="100 acknowledged ids")
        os.killpg(process.pid, signal.SIGTERM)
        run = self.result(process)
        self.assertEqual(run["outcomes"]["done"], len(self.acknowledged()))
        self.check_stored(self.stored())

    def test_settings_that_make_no_sense_together(self):
        for options in (("--mode", "pool", "--cache", "10"), ("--connections", "2"),
                        ("--merge", "pipeline"), ("--op", "read", "--poison", "3"),
                        ("--reads", "10"), ("--batch", "0"), ("--callers", "100000")):
            with self.subTest(options=options):
                self.slotwise("workload", "run", "coalesce", *options, status=harness.USAGE)


class OnPostgres(Coalesce):
    @classmethod
    def setUpClass(cls):
        listed = subprocess.run([harness.SLOTWISE, "workload", "list"], capture_output=True,
                                timeout=60, check=True).stdout.decode()
        if not re.search(r"^  postgres +(?!built without)", listed, re.M):
            raise unittest.SkipTest("no driver for PostgreSQL in this build")
        cls.folder, cls.port = harness.start_server(cls, "postgresql")
        cls.options = ("--driver", "postgres", "--connect", f"127.0.0.1:{cls.port}", "--user",
                       "slotwise", "--database", "postgres")

    def setUp(self):
        super().setUp()
        self.psql = self.need("psql")

    def stored(self):
        out = subprocess.run([self.psql, "-h", "127.0.0.1", "-p", self.port, "-U", "slotwise",
                              "-d", "postgres", "-Atc", "SELECT id FROM slotwise_requests"],
                             capture_output=True, check=True, timeout=60)
        return [int(line) for line in out.stdout.split()]

    def answers(self):
        return subprocess.run([self.psql, "-h", "127.0.0.1", "-p", self.port, "-U", "slotwise", "-d",
                               "postgres", "-Atc", "SELECT 1"], capture_output=True, check=False,
                              timeout=60).returncode == 0

    def test_client_killed_in_the_middle(self):
        at = random.Random(SEED)
        print(f"seed {SEED}", end=" ")
        for mode in MODES:
            process = self.start_run(*self.options, "--mode", mode, "--requests", "10000000")
            self.kill_after(process, at.randrange(1, 1500))
            with self.subTest(mode=mode):
                self.check_stored(self.stored())

    def test_server_killed_and_started_again(self):
        for mode in ("worker", "pool"):
            with self.subTest(mode=mode):
                process = self.start_run(*self.options, "--mode", mode, "--requests", "10000000",
                                         "--patience", "60")
                wait_until(lambda: len(self.acknowledged()) >= 500, seconds=60,
                           what="500 acknowledged ids")
                server = harness.CrashedServer(self.folder)
                before = len(self.acknowledged())
                server.start_again(self)
                wait_until(lambda: len(self.acknowledged()) > before + 1000, seconds=90,
                           what="1000 more ids after the server was started again")
                os.killpg(process.pid, signal.SIGTERM)
                run = self.result(process)
                self.check_stored(self.stored())
                self.assertEqual(run["outcomes"]["lost"], 0)
                self.assertEqual(run["outcomes"]["done"], len(self.acknowledged()))
                self.assertGreaterEqual(run["extras"]["reconnects"]["value"], 1)

    def test_server_that_stays_away(self):
        for mode in ("worker", "blocking"):  # whose callers do not wait one after the other
            process = self.start_run(*self.options, "--mode", mode, "--requests", "10000000",
                                     "--patience", "1")
            wait_until(lambda: len(self.acknowledged()) >= 100, seconds=60,
                       what="100 acknowledged ids")
            server = harness.CrashedServer(self.folder)
            done = self.finish(process, status=harness.CANNOT)
            self.assertIn("did not come back", done.stderr)
            server.start_again(self)
            wait_until(self.answers, seconds=60, what="the server again")
            self.check_stored(self.stored())

    def test_poison_is_isolated(self):
        run = self.result(self.start_run(*self.options, "--requests", "3000", "--poison", "100",
                                         "--keys", "100"))
        self.assertEqual(run["outcomes"]["rejected"], 30)
        self.assertEqual(run["outcomes"]["done"], 2970)
        self.check_stored(self.stored())


if __name__ == "__main__":
    harness.main()
