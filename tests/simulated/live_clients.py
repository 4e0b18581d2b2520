# SPDX-License-Identifier: MIT
"""Clients of servers that live, executed again and again: what a server answers is the same, when it
answers is not. Counts of the executions are within 0.1 % of each other.

usage: live_clients.py Live    (ctest runs it with scripts/test --all)
"""
import os
import subprocess
import unittest

from replay_clients import Replaying
from harness import main

WITHIN = 0.001


class Live(Replaying):
    ROUNDS = 3

    def repeated(self, *command, env=None, events=("instructions", "cycles")):
        command = [self.need(command[0]), *command[1:]]
        found = []
        for i in range(self.ROUNDS):
            # All of it timed: of a sample, other windows are timed when one instruction more comes before.
            _, counts, *_ = self.simulate(f"round{i}", *command, options=("--full",), env=env)
            self.assertGreater(counts["instructions"], 300000)
            found.append(counts)
        for event in events:
            values = sorted(c[event] for c in found)
            off = values[-1] / values[0] - 1
            print(f"{command[0]}: {event} {values}: {100 * off:.4f} %")
            self.assertLessEqual(off, WITHIN, (event, values))

    def postgres(self):
        port, _ = self.own_server("postgresql")
        env = {"PGHOST": "127.0.0.1", "PGPORT": port, "PGUSER": "slotwise", "PGDATABASE": "postgres"}
        subprocess.run([self.need("pgbench"), "-i", "-q"], check=True, capture_output=True, timeout=120,
                       env=dict(os.environ, **env))
        return env

    def test_psql(self):
        self.repeated("psql", "-At", "-c", "select i, md5(i::text) from generate_series(1, 3000) i", env=self.postgres())

    def test_pgbench(self):
        self.repeated("pgbench", "-S", "-n", "-t", "500", env=self.postgres())

    def test_redis_cli(self):
        port, _ = self.own_server("redis")
        self.repeated("redis-cli", "-p", port, "-r", "300", "set", "key", "value")

    def test_redis_benchmark(self):
        port, _ = self.own_server("redis")
        self.repeated("redis-benchmark", "-p", port, "-n", "5000", "-t", "set", "-c", "1", "-q")


if __name__ == "__main__":
    unittest.TestCase.maxDiff = None
    main()
