# SPDX-License-Identifier: MIT
"""Clients of real servers, recorded once and replayed without the server: the same counts every time.

usage: replay_clients.py [Replay|TenTimes|OnQemu]    (ctest runs the last two with scripts/test --all)
"""
import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))
from harness import ROOT, Case, main  # noqa: E402  (its folder has to be known first)

BUILD = os.environ.get("SLW_BUILD_DIR", "")


class Replaying(Case):
    ROUNDS = 2
    CARRIER = "valgrind"
    WITHIN = 0  # of what the rounds count

    def setUp(self):
        super().setUp()
        if not os.path.exists(os.path.join(BUILD, "sim/valgrind/slotwise-simulate")):
            self.missing("no Valgrind carrier in this build")
        self.need("valgrind")

    def own_server(self, kind, *options):
        """A server that is stopped by the test itself: (port, stop)."""
        script = os.path.join(ROOT, "scripts", "server")
        done = subprocess.run([script, "start", *options, kind], capture_output=True, text=True, timeout=120)
        if done.returncode == 69:
            self.missing(done.stderr.strip())
        self.assertEqual(done.returncode, 0, done.stderr)
        folder, port, _ = done.stdout.split()

        def stop():
            subprocess.run([script, "stop", folder], timeout=60, check=False)
        self.addCleanup(stop)
        return port, stop

    def simulate(self, name, *command, options=(), env=None, status=0):
        run = self.path(name + ".slotwise")
        carrier = ("--carrier", self.CARRIER) if self.CARRIER else ()
        done = self.slotwise("profile", "--simulate", "--core", "zen5", *carrier, *options, "-o", run, "--", *command,
                             status=status, env=dict(os.environ, **(env or {})), timeout=600)
        with open(os.path.join(run, "run.json"), encoding="utf-8") as f:
            document = json.load(f)
        counts = {c["event"]: c["raw"] for c in document["counts"] if c["from"]["source"] == "simulated"}
        notes = [n["text"] for n in document["notes"] if n["code"] == "simulated-replay"]
        return done, counts, self.folded(run), notes, document

    def replayed(self, command, kind, *server_options, env=None):
        """Record with a server, replay without. Each time under a name of another length: what slotwise adds to
        the environment lies above the client's stack."""
        port, stop = self.own_server(kind, *server_options)
        env = dict(env or {}, PGHOST="127.0.0.1", PGPORT=port, PGUSER="slotwise", PGDATABASE="postgres")
        command = [self.need(command[0]), *(c.replace("PORT", port) for c in command[1:])]
        tape = self.path("tape")
        if command[0].endswith("pgbench"):
            subprocess.run([command[0], "-i", "-q"], check=True, capture_output=True, timeout=120,
                           env=dict(os.environ, **env))
        recorded = self.simulate("recorded", *command, options=("--record-server", tape), env=env)
        stop()
        seen, found = set(), []
        for i in range(self.ROUNDS):
            done, counts, stacks, notes, document = self.simulate("replay" + i * "y", *command, options=("--replay", tape), env=env)
            self.assertEqual(len(notes), 1, notes)
            self.assertIn("no server answered", notes[0])
            self.assertEqual(document["requests"], recorded[4]["requests"], document["requests"])
            if "pgbench" not in command[0]:  # which prints times
                self.assertEqual(done.stdout, recorded[0].stdout)
            seen.add((tuple(sorted(counts.items())), tuple(sorted(stacks.items()))))
            found.append(counts["instructions"])
        self.assertLessEqual(max(found) / min(found) - 1, self.WITHIN, found)
        self.assertTrue(self.WITHIN > 0 or len(seen) == 1)
        self.assertGreater(counts["instructions"], 10000)


class Replay(Replaying):
    def test_psql(self):
        self.replayed(["psql", "-c", "select count(*) from pg_class", "-c", "select 7"], "postgresql")

    def test_something_else_is_told(self):
        port, _ = self.own_server("redis")
        redis, tape = self.need("redis-cli"), self.path("tape")
        self.simulate("recorded", redis, "-p", port, "get", "one", options=("--record-server", tape))
        *_, notes, _ = self.simulate("other", redis, "-p", port, "get", "two", options=("--replay", tape))
        self.assertTrue(any("sends something else" in n for n in notes), notes)
        again = self.slotwise("profile", "--simulate", "--record-server", tape, "--", redis, status=64)
        self.assertIn("not empty", again.stderr)
        none = self.slotwise("profile", "--simulate", "--replay", self.path("nowhere"), "--", redis, status=None)
        self.assertIn("no recorded server", none.stderr)


class TenTimes(Replaying):
    ROUNDS = 10

    def test_psql(self):
        self.replayed(["psql", "-c", "select relname, relkind from pg_class", "-c", "select 7"], "postgresql")

    def test_redis_cli(self):
        self.replayed(["redis-cli", "-p", "PORT", "-r", "5", "incr", "hello"], "redis")

    def test_pgbench(self):
        self.replayed(["pgbench", "-S", "-n", "-t", "100"], "postgresql")

    def test_pgbench_of_several_connections(self):
        self.ROUNDS = 3
        self.replayed(["pgbench", "-S", "-n", "-c", "3", "-t", "30"], "postgresql")

    def test_psql_over_tls(self):
        """Its random bytes are fixed, so that the recorded handshake is the one it makes."""
        self.replayed(["psql", "-c", "select relname, relkind from pg_class", "-c", "select 7"], "postgresql", "--tls",
                      env={"PGSSLMODE": "require"})


class OnQemu(Replaying):
    """The library that answers is left out there too: the counts repeat but for what rdtsc reads."""
    CARRIER = "qemu"
    WITHIN = 0.001

    def test_psql(self):
        self.replayed(["psql", "-c", "select count(*) from pg_class", "-c", "select 7"], "postgresql")

    def test_redis_cli(self):
        self.replayed(["redis-cli", "-p", "PORT", "-r", "50", "incr", "hello"], "redis")


if __name__ == "__main__":
    unittest.TestCase.maxDiff = None
    main()
