# SPDX-License-Identifier: MIT
"""Real clients, simulated from end to end on each carrier: they do their work and are counted.

usage: real_clients.py Valgrind|Qemu    (ctest runs both with scripts/test --all)
"""
import os
import subprocess
import unittest

from replay_clients import BUILD, Replaying
from harness import main

CLIENT = os.path.join(BUILD, "tests/simulated/simulated_client")


class Clients:
    CARRIER = None

    def run_client(self, *command, status=0, says="", env=None, least=100000, options=(), name="run"):
        command = [self.need(command[0]), *command[1:]]
        done, counts, *_, document = self.simulate(name, *command, options=options, env=env)
        self.assertEqual(document["command"]["exit_value"], status, done.stderr)
        self.assertIn(says, done.stdout)
        self.assertGreater(counts["instructions"], least)
        self.assertEqual(sum(n for e, n in counts.items() if e.startswith("slots.")), counts["slots"])
        return document, done

    def postgres(self):
        port, _ = self.own_server("postgresql")
        return {"PGHOST": "127.0.0.1", "PGPORT": port, "PGUSER": "slotwise", "PGDATABASE": "postgres"}

    def test_psql(self):
        document, _ = self.run_client("psql", "-c", "select 40 + 2", says="42", env=self.postgres())
        self.assertEqual(document["requests"], 1)

    def test_pgbench_with_threads(self):
        env = self.postgres()
        subprocess.run([self.need("pgbench"), "-i", "-q"], check=True, capture_output=True, timeout=120,
                       env=dict(os.environ, **env))
        document, _ = self.run_client("pgbench", "-S", "-n", "-c", "4", "-j", "2", "-t", "50", says="200/200", env=env)
        self.assertGreaterEqual(document["requests"], 200)

    def test_redis_benchmark_with_threads(self):
        port, _ = self.own_server("redis")
        document, _ = self.run_client("redis-benchmark", "-p", port, "-n", "500", "-t", "set", "--threads", "2", "-q",
                                      says="SET")
        self.assertGreaterEqual(document["requests"], 500)

    def test_mysqlslap(self):
        port, _ = self.own_server("mariadb")
        self.run_client("mysqlslap", "--host=127.0.0.1", "--port=" + port, "--user=root", "--query=select 1",
                        "--concurrency=2", "--iterations=2", says="Average")

    def test_python_with_psycopg2(self):
        self.run_client("/usr/bin/python3", "-c", "import psycopg2; c = psycopg2.connect(''); k = c.cursor(); "
                        "k.execute('select 40 + 2'); print(k.fetchone()[0])", says="42", env=self.postgres())

    def test_python_with_cassandra(self):
        self.run_client("/usr/bin/python3", "-c", "import cassandra.cluster; print(40 + 2)", says="42")

    def test_node(self):
        self.run_client("node", "-e", "let s = 0; for (let i = 0; i < 300000; i++) s += i % 7; console.log(s)",
                        says="899997")

    def test_java(self):
        with open(self.path("Sum.java"), "w", encoding="ascii") as f:
            f.write("public class Sum { public static void main(String[] a) { long s = 0; "
                    "for (int i = 0; i < 300000; i++) s += i % 7; System.out.println(s); } }")
        subprocess.run([self.need("javac"), self.path("Sum.java")], check=True, capture_output=True, timeout=300)
        self.run_client("java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", self.dir, "Sum", says="899997")

    def test_go(self):
        """Its threads wait for each other in loops. The toolchain keeps debug information compressed."""
        go = self.need("go")
        with open(self.path("m.go"), "w", encoding="ascii") as f:
            f.write("package main\n\nimport (\n\t\"fmt\"\n\t\"runtime\"\n\t\"sort\"\n)\n\n"
                    "func main() {\n\tx := []string{}\n"
                    "\tfor i := 0; i < 5000; i++ {\n\t\tx = append(x, fmt.Sprint(i*7919%10007))\n\t}\n"
                    "\tsort.Strings(x)\n\tc := make(chan int)\n"
                    "\tfor g := 0; g < 4; g++ {\n\t\tgo func() {\n\t\t\ts := 0\n"
                    "\t\t\tfor _, t := range x {\n\t\t\t\ts += len(t)\n\t\t\t}\n\t\t\tc <- s\n\t\t}()\n\t}\n"
                    "\tfor i := 0; i < 3; i++ {\n\t\t<-c\n\t}\n\truntime.GC()\n\tfmt.Println(<-c, x[3])\n}\n")
        subprocess.run([go, "build", "-o", self.path("sorts"), self.path("m.go")], check=True, capture_output=True,
                       timeout=300, env=dict(os.environ, HOME=self.path("home"), GOFLAGS="-mod=mod"))
        document, _ = self.run_client(self.path("sorts"), says="19450 10004", least=3000000)
        counts = {c["event"]: c["raw"] for c in document["counts"] if c["from"]["source"] == "simulated"}
        self.assertLess(counts["instructions"], 60000000)  # of which loops that wait are not the most

    def test_bad_habits(self):
        """Each does its work, to the last instruction and no error of its own, and is counted."""
        for habit in ("threads", "fork", "vfork", "exec", "faults", "deep", "makes_code", "dlopen", "avx2"):
            with self.subTest(habit=habit):
                document, _ = self.run_client(CLIENT, habit, options=("--start", "whole"), name=habit, least=50000)
                notes = {n["code"]: n["text"] for n in document["notes"]}
                self.assertNotIn("simulation-partial", notes)
                if habit == "deep":  # of 10,000 calls 4,096 are followed
                    self.assertIn("too deep", notes["simulation-calls"])

    def test_a_client_that_crashes(self):
        document, done = self.run_client(CLIENT, "crash", status=6, least=10000)
        self.assertIn("killed by signal 6", done.stderr)
        notes = {n["code"]: n["text"] for n in document["notes"]}
        self.assertRegex(notes["simulation-partial"], "^partial: 1 of 1 programs")

    def test_a_client_that_is_killed(self):
        """Outright, so that nobody writes anything: what was kept before is told, and called partial."""
        document, _ = self.run_client("sh", "-c", CLIENT + " endless & sleep 4; kill -9 $!; wait", least=1000000)
        notes = {n["code"]: n["text"] for n in document["notes"]}
        self.assertRegex(notes["simulation-partial"], "^partial: 1 of [0-9]+ programs")


class Valgrind(Clients, Replaying):
    CARRIER = "valgrind"

    def test_a_carrier_that_ends_itself(self):
        """For want of memory for code, which the client forbids: an error or a partial result, and never an answer."""
        run = self.path("run.slotwise")
        script = "all=$(compgen -b); ulimit -v 1; for i in $all; do help $i; done >/dev/null; echo $((4096 * 4096))"
        done = self.slotwise("profile", "--simulate", "--carrier", self.CARRIER, "--core", "zen5", "-o", run, "--",
                             "bash", "-c", script, status=None)
        self.assertNotIn("16777216", done.stdout)
        self.assertRegex(done.stderr, "left no counts|partial")


class Qemu(Clients, Replaying):
    CARRIER = "qemu"

    def test_a_program_that_is_in_valgrinds_way_is_left_to_qemu(self):
        with open(self.path("m.c"), "w", encoding="ascii") as f:
            f.write('#include <stdio.h>\nint main(void) { return puts("hello") < 0; }\n')
        subprocess.run([self.need("cc"), "-no-pie", "-Wl,-Ttext-segment=0x58100000", "-o", self.path("hello"),
                        self.path("m.c")], check=True, capture_output=True, timeout=60)
        self.CARRIER = None  # the choice is slotwise's
        done, _, _, _, document = self.simulate("run", self.path("hello"))
        self.assertIn("hello", done.stdout)
        notes = [n["text"] for n in document["notes"] if n["code"] == "simulated-carrier"]
        self.assertTrue(any("qemu" in n and "where Valgrind is" in n for n in notes), notes)


if __name__ == "__main__":
    unittest.TestCase.maxDiff = None
    main()
