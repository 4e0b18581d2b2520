# SPDX-License-Identifier: MIT
"""What the readers find in the output of real clients: their numbers, and requests that agree with
what the wire tap counts of the same execution."""
import os
import re
import subprocess

import harness

OUTPUT_READER = os.environ.get("SLW_OUTPUT_READER", "")


class Reading(harness.Case):
    """Profiles a client and reads what it printed."""

    def measure(self, *command):
        """Numbers of the client, requests on the wire, and all it printed."""
        self.runs = getattr(self, "runs", 0) + 1
        run, script = self.path(f"{self.runs}.slotwise"), self.path("client.sh")
        with open(script, "w", encoding="ascii") as f:
            f.write('exec "$@" >"$SLW_OUT" 2>&1\n')
        environment = dict(os.environ, SLW_OUT=self.path("output"))
        self.slotwise("profile", "--no-sampling", "--propagate", "-o", run, "--", "sh", script,
                      *command, env=environment)
        self.text = harness.read_bytes(self.path("output")).decode()
        return self.read(*command), self.load(run)["requests"]

    def read(self, *command):
        found = subprocess.run([OUTPUT_READER, self.path("output"), *command], check=True, text=True,
                               capture_output=True, timeout=60).stdout
        rows = [line.split(" ") for line in found.splitlines()]
        self.reader = rows[0][1]
        return {key: float(value) for key, value, _ in rows[1:]}

    def printed(self, pattern, scale=1):
        """The last number the client printed there."""
        found = re.findall(pattern, self.text)
        self.assertTrue(found, self.text)
        return float(found[-1]) * scale


class Pgbench(Reading):
    @classmethod
    def setUpClass(cls):
        _, port = harness.start_server(cls, "postgresql")
        cls.at = ["-h", "127.0.0.1", "-p", port, "-U", "slotwise"]
        program = harness.find_tool("pgbench")
        if program:
            subprocess.run([program, "-i", "-q", *cls.at, "postgres"], check=True, timeout=60,
                           capture_output=True)

    def pgbench(self, *options):
        numbers, wire = self.measure(self.need("pgbench"), *self.at, "-n", *options, "postgres")
        self.assertEqual(self.reader, "pgbench")
        tps = self.printed(r"tps = ([\d.]+)")
        self.assertEqual(numbers["client_transactions_per_second"], tps)
        self.assertAlmostEqual(numbers["client_latency_mean"],
                               self.printed(r"latency average = ([\d.]+)", 1e6), delta=.01)
        return numbers, wire

    # pgbench asks for the number of branches and of partitions before it starts.
    def test_select_only(self):
        for mode in ("simple", "extended", "prepared"):
            numbers, wire = self.pgbench("-S", "-t", "500", "-M", mode)
            self.assertEqual(numbers["requests"], 500)
            self.assertEqual(wire, 502, mode)

    def test_by_time_with_two_clients(self):
        numbers, wire = self.pgbench("-S", "-T", "1", "-c", "2", "-P", "1")
        self.assertEqual(wire, numbers["requests"] + 2)

    def test_statements_of_the_scripts(self):
        for script, statements in (("tpcb-like", 7), ("simple-update", 5)):
            numbers, wire = self.pgbench("-b", script, "-t", "40", "-r")
            self.assertEqual(numbers["requests"], 40 * statements)
            self.assertEqual(wire, 40 * statements + 2)
            self.assertEqual(numbers["client_transactions"], 40)

    def test_a_script_of_ones_own_is_not_counted(self):
        with open(self.path("own.sql"), "w", encoding="ascii") as f:
            f.write("SELECT 1;\nSELECT 2;\n")
        numbers, _ = self.pgbench("-f", self.path("own.sql"), "-t", "10")
        self.assertNotIn("requests", numbers)
        self.assertEqual(numbers["client_transactions"], 10)


class RedisBenchmark(Reading):
    @classmethod
    def setUpClass(cls):
        _, cls.redis = harness.start_server(cls, "redis")

    def benchmark(self, *options):
        numbers, wire = self.measure(self.need("redis-benchmark"), "-p", self.redis, *options)
        self.assertEqual(self.reader, "redis_benchmark")
        return numbers, wire

    # redis-benchmark asks for two settings of the server before it starts.
    def test_one_test(self):
        for pipeline in (1, 16):
            numbers, wire = self.benchmark("-t", "get", "-n", "16000", "-P", str(pipeline))
            self.assertEqual(wire, numbers["requests"] + 2)
            self.assertEqual(numbers["client_requests_per_second"],
                             self.printed(r"throughput summary: ([\d.]+)"))
            summary = re.search(r"avg +min +p50 +p95 +p99 +max\s+([\d. ]+)", self.text).group(1).split()
            for key, number in zip(("latency_mean", "latency_min", "p50", "p95", "p99", "latency_max"),
                                   summary):
                self.assertAlmostEqual(numbers["client_" + key], float(number) * 1e6, delta=.01)

    def test_two_tests_and_other_formats(self):
        numbers, wire = self.benchmark("-t", "set,get", "-n", "4000")
        self.assertEqual((numbers["requests"], wire), (8000, 8002))
        self.assertIn("client_set_p99", numbers)
        self.assertNotIn("client_p99", numbers)
        numbers, _ = self.benchmark("-t", "get", "-n", "4000", "-q")
        self.assertEqual(numbers["client_requests_per_second"],
                         self.printed(r"GET: ([\d.]+) requests per second"))
        numbers, _ = self.benchmark("-t", "get", "-n", "4000", "--csv")
        self.assertEqual(numbers["client_requests_per_second"], self.printed(r'"GET","([\d.]+)"'))
        self.assertEqual(len(numbers), 7)

    def test_behind_wrappers(self):
        line = f"env A=b nice {self.need('redis-benchmark')} -p {self.redis} -t get -n 100"
        numbers, wire = self.measure("sh", "-c", line)
        self.assertEqual((self.reader, numbers["requests"], wire), ("redis_benchmark", 100, 102))

    # Connections and the table are some requests more.
    def test_workload_counts_what_is_on_the_wire(self):
        for form in ("text", "json"):
            numbers, wire = self.measure(harness.SLOTWISE, "workload", "run", "coalesce", "--mode", "pool",
                                         "--driver", "redis", "--connect", f"127.0.0.1:{self.redis}",
                                         "--requests", "3000", "--warm-up", "200", "--format", form)
            self.assertEqual(self.reader, "slotwise_workload")
            self.assertEqual(numbers["requests"], 3200)
            self.assertTrue(3200 <= wire <= 3230, wire)
            self.assertGreaterEqual(numbers["client_p99"], numbers["client_p50"])
            self.assertGreater(numbers["client_requests_per_second"], 0)


class Mariadb(Reading):
    @classmethod
    def setUpClass(cls):
        _, cls.mariadb = harness.start_server(cls, "mariadb")
        cls.at = ["-h", "127.0.0.1", "-P", cls.mariadb, "-u", "root"]

    def test_mysqlslap(self):
        program = self.need("mysqlslap")
        numbers, wire = self.measure(program, *self.at, "--auto-generate-sql", "--number-of-queries=300")
        self.assertEqual(self.reader, "mysqlslap")
        self.assertNotIn("requests", numbers)  # it also makes a table and fills it
        self.assertGreater(wire, 300)
        self.assertEqual(numbers["client_queries_per_client"], 300)
        self.assertAlmostEqual(numbers["client_run_mean"],
                               self.printed(r"Average number of seconds.*: ([\d.]+)", 1e9), delta=1)
        numbers, _ = self.measure(program, *self.at, "--auto-generate-sql", "--number-of-queries=40", "--csv",
                                  "--concurrency=1,4")
        self.assertAlmostEqual(numbers["client_4_clients_run_mean"],
                               self.printed(r",mixed,([\d.]+),[\d.]+,[\d.]+,4,10", 1e9), delta=1)

    def test_sysbench(self):
        program = self.need("sysbench")
        options = ["--db-driver=mysql", "--mysql-host=127.0.0.1", f"--mysql-port={self.mariadb}",
                   "--mysql-user=root", "--tables=1", "--table-size=100"]
        subprocess.run(["mariadb", *self.at, "-e", "CREATE DATABASE IF NOT EXISTS sbtest"], check=True,
                       timeout=60, capture_output=True)
        subprocess.run([program, "oltp_read_write", *options, "prepare"], check=True, timeout=60,
                       capture_output=True)
        for script, prepared in (("oltp_read_write", 11), ("oltp_point_select", 1)):
            run = [program, script, *options, "--events=40", "--time=0"]
            numbers, wire = self.measure(*run, "--db-ps-mode=disable", "run")
            self.assertEqual(numbers["requests"], self.printed(r"total: +(\d+)"))
            self.assertEqual(wire, numbers["requests"])
            self.assertAlmostEqual(numbers["client_p95"], self.printed(r"95th percentile: +([\d.]+)", 1e6),
                                   delta=.01)
            numbers, wire = self.measure(*run, "run")
            self.assertEqual(wire, numbers["requests"] + prepared)  # preparing is a request here


if __name__ == "__main__":
    harness.main()
