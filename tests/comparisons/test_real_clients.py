# SPDX-License-Identifier: MIT
"""A/Bs of real clients on real servers whose outcome a reviewer knows: batched against not. The words,
and the cause that is named, are the right ones. Minutes of measuring: scripts/test --all."""
import json
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))
import harness  # noqa: E402

PIPELINE = "\\startpipeline\n" + "SELECT abalance FROM pgbench_accounts WHERE aid = 1;\n" * 10 + \
    "\\endpipeline\n"
ONE_BY_ONE = "SELECT abalance FROM pgbench_accounts WHERE aid = 1;\n" * 10
BATCHED = ("batching",)


class RealClients(harness.Case):
    def compare(self, a, b, *options, rounds=12):
        done = self.slotwise("compare", "--rounds", rounds, "--seed", 7, "--aa", "no", "-o", "real.compare",
                             "--format", "json", *options, "--a", a, "--b", b, status=None, timeout=380)
        self.assertIn(done.returncode, (0, 10, 11), done.stderr)
        comparison = json.loads(done.stdout)
        print(f"\n  {comparison['verdict']}", *(cause["text"] for cause in comparison["causes"]),
              sep="\n    ", file=sys.stderr)
        return comparison, {row["metric"]: row for row in comparison["metrics"]}

    def check(self, outcome, causes, word="improved"):
        comparison, rows = outcome
        self.assertEqual(rows["cpu_per_request"]["judgement"]["word"], word)
        named = [cause["id"] for cause in comparison["causes"]]
        self.assertTrue(set(causes) & set(named), f"none of {causes} in {named}")
        return rows

    def pgbench(self, port, *words):
        return " ".join([self.need("pgbench"), "-h", "127.0.0.1", "-p", port, "-U", "slotwise", "-n", "-c",
                         "1", *words, "postgres"])

    def postgresql(self):
        _, port = self.server("postgresql")
        init = [self.need("pgbench"), "-h", "127.0.0.1", "-p", port, "-U", "slotwise", "-i", "-q",
                "postgres"]
        subprocess.run(init, check=True, capture_output=True, timeout=120)
        return port

    def script(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as f:
            f.write(text)
        return self.path(name)

    def test_redis_benchmark_with_a_pipeline_of_16(self):
        client = self.need("redis-benchmark")
        _, port = self.server("redis")
        common = f"{client} -p {port} -t set -n 30000 -c 4 -q"
        rows = self.check(self.compare(f"{common} -P 1", f"{common} -P 16"), BATCHED)
        self.assertGreater(rows["requests_per_flush"]["difference"]["ratio_low"], 15)
        self.assertEqual(rows["requests_per_second"]["judgement"]["word"], "improved")

    def test_pgbench_prepared_against_simple(self):
        port = self.postgresql()
        outcome = self.compare(self.pgbench(port, "-S", "-t", "3000", "-M", "simple"),
                               self.pgbench(port, "-S", "-t", "3000", "-M", "prepared"))
        comparison, rows = outcome
        # Preparing spares the server; of the client's own CPU time it may spare nothing.
        self.assertNotEqual(rows["bytes_sent_per_request"]["judgement"]["word"], "inconclusive")
        self.assertEqual(rows["requests_per_flush"]["difference"]["ratio"], 1)
        self.assertNotIn("batching", [cause["id"] for cause in comparison["causes"]])

    def test_pgbench_with_a_pipeline(self):
        port = self.postgresql()
        one = self.script("one.sql", ONE_BY_ONE)
        many = self.script("many.sql", PIPELINE)
        rows = self.check(self.compare(self.pgbench(port, "-t", "400", "-M", "extended", "-f", one),
                                       self.pgbench(port, "-t", "400", "-M", "extended", "-f", many)),
                          BATCHED)
        self.assertGreater(rows["requests_per_flush"]["difference"]["ratio_low"], 2)

    def workload(self, name, off, on, causes):
        common = f"slotwise workload run {name}"
        return self.check(self.compare(f"{common} {off}", f"{common} {on}"), causes)

    def test_workload_coalesce(self):
        self.workload("coalesce", "--mode blocking --requests 2000", "--mode worker --requests 2000",
                      ("batching", "sends", "switches"))

    def test_workload_stages(self):
        common = "slotwise workload run stages --requests 20000"
        _, rows = self.compare(f"{common} --batch 1", f"{common} --batch 58")
        # The cause is the instruction cache, which only a PMU or the simulated tier sees.
        self.assertIn(rows["cpu_per_request"]["judgement"]["word"], ("improved", "inconclusive"))
        self.assertLess(rows["cpu_per_request"]["difference"]["estimate"], 0)

    def test_workload_submit_on_redis(self):
        _, port = self.server("redis")
        driver = f"--driver redis --connect 127.0.0.1:{port} --requests 20000"
        comparison, rows = self.compare(f"slotwise workload run submit {driver} --submit callback",
                                        f"slotwise workload run submit {driver} --submit thread")
        self.assertIsNone(rows["cpu_per_request"]["absent"])
        self.assertTrue(comparison["verdict"])

    def test_workload_shards(self):
        common = "slotwise workload run shards --threads 2 --requests 200000"
        comparison, rows = self.compare(f"{common} --map one-lock --lock held",
                                        f"{common} --map sharded")
        self.assertIsNone(rows["cpu_per_request"]["absent"])
        self.assertTrue(comparison["verdict"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
