# SPDX-License-Identifier: MIT
"""Requests counted on the wire are the server's own count, exactly, and a client that is watched does
what it does alone."""
import json
import os
import re
import signal
import socket
import subprocess
import threading

import harness

WIRE_CLIENT = os.environ.get("SLW_WIRE_CLIENT", "")
SYSTEM_PYTHON = "/usr/bin/python3"  # the distribution's drivers belong to it


class Wire(harness.Case):
    def tap(self, *command, status=0, options=()):
        """Profile without samples: the run. The client's own exit status is `status`."""
        run = self.path("wire.slotwise")
        self.slotwise("profile", "--no-sampling", "--propagate", "-o", run, *options, "--", *command,
                      status=status)
        document = self.load(run)
        self.report = self.slotwise("report", run).stdout
        self.run_folder = run
        return document

    def rows(self, document, protocol):
        return [c for c in document.get("connections", []) if c.get("protocol") == protocol]

    def total(self, document, key, protocol):
        return sum(c[key] for c in self.rows(document, protocol))

    def followed(self, document, protocol, racing=False):
        """Nothing was lost, and every request has its answer and its latency; but where one thread
        sends and another receives, an answer may be decoded before its request."""
        rows = self.rows(document, protocol)
        self.assertTrue(rows, document["requests"])
        for row in rows:
            self.assertEqual(row["lost"], 0, row)
            if not racing:
                self.assertEqual(row["unmatched"], 0, row)
        self.assertEqual(document["requests"], sum(c["requests"] for c in rows))
        requests = sum(l["count"] for l in document.get("latencies", []) if l["of"] == "request")
        self.assertEqual(requests, self.total(document, "latency_count", protocol))
        self.assertIn("REQUESTS  counted on the wire", self.report)


class RedisServer(Wire):
    tls = False
    options = ()  # of redis-cli and redis-benchmark

    @classmethod
    def setUpClass(cls):
        cls.folder, cls.port = harness.start_server(cls, "redis", tls=cls.tls)

    def cli(self, *args):
        return subprocess.run(["redis-cli", "-p", self.port, *self.options, *args], check=True, timeout=60,
                              capture_output=True, text=True).stdout

    def server_count(self):
        stats = self.cli("INFO", "commandstats")
        ours = ("info", "config|resetstat", "client")
        return sum(int(calls) for name, calls in re.findall(r"cmdstat_(\S+?):calls=(\d+)", stats)
                   if name not in ours)

    def check(self, *command, flushes=None, protocol="Redis"):
        self.cli("CONFIG", "RESETSTAT")
        document = self.tap(*command)
        self.followed(document, protocol)
        self.assertEqual(document["requests"], self.server_count())
        self.assertEqual(self.total(document, "responses", "Redis"), document["requests"])
        if flushes is not None:
            self.assertEqual(self.total(document, "flushes", "Redis"), flushes)
        return document

    def benchmark(self, *args, flushes=None):
        return self.check(self.need("redis-benchmark"), "-p", self.port, *self.options, "-q", "-t",
                          "set,get", *args, flushes=flushes)

    def python(self, text):
        """A program that imports redis: its path."""
        if subprocess.run([SYSTEM_PYTHON, "-c", "import redis"], capture_output=True,
                          check=False).returncode != 0:
            self.missing("no python3-redis")
        program = self.path("load.py")
        with open(program, "w", encoding="ascii") as f:
            f.write(text)
        return program


class Redis(RedisServer):

    # redis-benchmark asks CONFIG GET save and appendonly in one flush before it starts.
    def test_one_request_per_flush(self):
        self.benchmark("-P", "1", "-n", "10000", flushes=20001)

    def test_pipeline_of_16(self):
        document = self.benchmark("-P", "16", "-n", "160000", flushes=20001)
        self.assertEqual(max(c["max_batch"] for c in document["connections"]), 16)
        self.assertRegex(self.report, r"batch factor +16\.0 requests per flush")
        self.assertRegex(self.report, r"in all +a request\n")
        self.assertRegex(self.report, r"task-clock +[\d.,]+ \S+ +[\d.,]+ \S+\n")

    def test_pipeline_of_64_and_long_values(self):
        self.benchmark("-P", "64", "-n", "64000", "-d", "300", flushes=2001)

    def test_two_threads(self):
        self.benchmark("-P", "64", "-n", "128000", "--threads", "2", flushes=4001)

    def test_a_connection_for_each_request(self):
        document = self.benchmark("-k", "0", "-n", "3000")
        self.assertGreaterEqual(self.total(document, "connections", "Redis"), 6000)

    def test_redis_cli(self):
        self.check("redis-cli", "-p", self.port, "-r", "50", "lrange", "mylist", "0", "10", flushes=50)

    def test_resp3(self):
        """Answers are maps; HELLO 3 is a request."""
        self.cli("hset", "h", "a", "1", "b", "2")
        document = self.check("redis-cli", "-3", "-p", self.port, "-r", "20", "hgetall", "h", flushes=21)
        self.assertEqual(document["requests"], 21)

    def test_subscribers_end_the_matching_only(self):
        self.check("sh", "-c", f"timeout 1 redis-cli -p {self.port} subscribe a; true")

    def test_python(self):
        program = self.python(
            f"import redis\nr = redis.Redis(port={self.port})\n"
            "for i in range(500): r.set(i, 'x' * i)\n"
            "p = r.pipeline(transaction=False)\n"
            "for i in range(1000): p.get(i)\n"
            "assert len(p.execute()) == 1000\n"
            "with r.pipeline() as t: t.incr('a'); t.incr('a'); t.execute()\n")
        document = self.check(SYSTEM_PYTHON, program)
        self.assertEqual(document["requests"], 500 + 1000 + 4)

    def case(self, name, requests, status=0, racing=False):
        self.cli("CONFIG", "RESETSTAT")
        alone = subprocess.run([WIRE_CLIENT, name, self.port], capture_output=True, timeout=60,
                               check=False)
        self.assertEqual(self.server_count(), requests, alone.stderr)
        self.cli("CONFIG", "RESETSTAT")
        document = self.tap(WIRE_CLIENT, name, self.port, status=status)
        self.assertEqual(self.server_count(), requests)
        self.assertEqual(document["requests"], requests, document["notes"])
        self.followed(document, "Redis", racing)
        return document

    def test_fork(self):
        document = self.case("fork", 25)
        self.assertEqual(sorted(c["requests"] for c in document["connections"]), [7, 8, 10])

    def test_vfork(self):
        self.case("vfork", 8)

    def test_posix_spawn(self):
        self.case("spawn", 8)

    def test_duplicated_descriptors(self):
        self.case("dup", 9)

    def test_descriptors_used_again(self):
        document = self.case("reuse", 1001)
        self.assertEqual(self.total(document, "connections", "Redis"), 501)

    def test_peek(self):
        self.case("peek", 5)

    def test_errno(self):
        self.case("errno", 3)

    def test_scattered_buffers(self):
        document = self.case("vectors", 6)
        self.assertEqual(self.total(document, "flushes", "Redis"), 6)

    def test_a_sender_and_a_receiver(self):
        document = self.case("threads", 20000, racing=True)
        self.assertEqual(self.total(document, "responses", "Redis"), 20000)
        self.assertEqual(self.total(document, "latency_count", "Redis") +
                         self.total(document, "unmatched", "Redis"), 20000)

    def test_two_hundred_threads(self):
        document = self.case("crowd", 2000)
        self.assertEqual(self.total(document, "connections", "Redis"), 200)

    def test_signal_handlers(self):
        self.case("signals", 120)

    def test_close_range(self):
        self.case("close_range", 4)

    def test_the_descriptors_of_the_client_are_its_own(self):
        self.case("descriptors", 3)

    def test_killed(self):
        self.case("kill", 100, status=128 + signal.SIGKILL)

    def test_its_own_cost_is_told(self):
        """Of the client's samples, those in the library."""
        run = self.path("cost.slotwise")
        self.slotwise("profile", "-q", "-o", run, "--", self.need("redis-benchmark"), "-p", self.port,
                      "-q", "-t", "set", "-P", "64", "-n", "300000")
        report = json.loads(self.slotwise("report", run, "--format", "json").stdout)
        inside = sum(m["self"]["samples"] for m in report["modules"]
                     if m["module"].endswith("/libslotwise-wire.so"))
        text = " ".join(self.slotwise("report", run).stdout.split())
        self.assertIn(f"the wire tap, in the client's own CPU time: {inside} of "
                      f"{report['samples']['count']:,} samples (", text)

    def test_turned_off(self):
        document = self.tap("redis-cli", "-p", self.port, "ping", options=("--no-wire",))
        self.assertIn("--no-wire", document["requests"]["absent"])
        self.assertNotIn("connections", document)

    def test_output_and_environment(self):
        """What the client prints is what it prints alone; its environment gains our two variables."""
        out = subprocess.run([harness.SLOTWISE, "profile", "-q", "-o", self.path("r.slotwise"), "--",
                              "sh", "-c", "echo out; echo err >&2; env; exit 3"], check=False,
                             capture_output=True, text=True, timeout=60,
                             env={"PATH": os.environ["PATH"], "LD_PRELOAD": ""})
        lines = out.stdout.splitlines()
        self.assertEqual(lines[0], "out")
        self.assertEqual(out.stderr, "err\n")
        added = {line.split("=")[0] for line in lines[1:]} - {"PATH", "PWD", "SHLVL", "_", "OLDPWD"}
        self.assertEqual(added, {"LD_PRELOAD", "SLOTWISE_WIRE"})


class Clients(Wire):
    """Clients that cannot be preloaded work as ever, and the run says why nothing was counted."""

    def build(self, *options):
        source, program = self.path("c.c"), self.path("client")
        with open(source, "w", encoding="ascii") as f:
            f.write('#include <stdio.h>\nint main(void){return puts("hello") < 0;}\n')
        done = subprocess.run([os.environ.get("SLW_CC", "cc"), *options, "-o", program, source],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.missing(f"cannot build with {options}")
        return program

    def refused(self, program, words):
        run = self.path("refused.slotwise")
        done = self.slotwise("profile", "--no-sampling", "--wire", "preload", "-o", run, "--", program,
                             status=harness.CANNOT)
        self.assertRegex(done.stderr, words)
        self.assertFalse(os.path.exists(run))

    def test_static(self):
        self.refused(self.build("-static"), "statically linked")

    def test_setuid(self):
        self.need_root("makes a setuid program")
        program = self.build()
        os.chown(program, 65534, 65534)
        os.chmod(program, 0o6755)
        self.refused(program, "setuid")

    def test_child_with_another_loader(self):
        """A musl program would not start with our library in LD_PRELOAD: it gets no such variable."""
        program = self.build()
        loader = self.path("ld-musl-test.so")
        os.symlink(os.path.realpath(self.loader_of(program)), loader)
        done = subprocess.run([os.environ.get("SLW_CC", "cc"), f"-Wl,--dynamic-linker={loader}", "-o",
                               self.path("child"), self.path("env.c")], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        for start in ("exec", "env", "command"):
            out = self.slotwise("profile", "-q", "-o", self.path(start), "--", "sh", "-c",
                                f"{start} {self.path('child')}; true")
            self.assertEqual(out.stdout, "none\n", start)
        run = self.path("direct.slotwise")
        out = self.slotwise("profile", "-q", "-o", run, "--", self.path("child"))
        self.assertEqual(out.stdout, "none\n")
        told = [n["text"] for n in self.load(run)["notes"] if n["code"] in ("wire-bpf", "no-wire")]
        self.assertEqual(len(told), 1)
        self.assertIn("not glibc", told[0])

    def loader_of(self, program):
        with open(self.path("env.c"), "w", encoding="ascii") as f:
            f.write('#include <stdio.h>\n#include <stdlib.h>\nint main(void){const char *p = '
                    'getenv("LD_PRELOAD");return puts(p && *p ? p : "none") < 0;}\n')
        with open(program, "rb") as f:
            return re.search(rb"/[^\0]*/ld-linux[^\0]*", f.read()).group().decode()

    def test_nothing_to_count(self):
        document = self.tap("true")
        self.assertIn("no connection", document["requests"]["absent"])

    def test_a_server_that_speaks_garbage(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        port = listener.getsockname()[1]
        script = (f"import socket\ns = socket.create_connection(('127.0.0.1', {port}))\n"
                  "s.sendall(b'*1\\r\\n$4\\r\\nPING\\r\\n')\n"
                  "print(len(s.recv(100)))\n"
                  "s.sendall(b'*1\\r\\n$4\\r\\nPING\\r\\n')\n")

        def serve():
            peer, _ = listener.accept()
            peer.recv(100)
            peer.sendall(b"\xff" * 20)
            peer.recv(100)
            peer.close()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        document = self.tap(SYSTEM_PYTHON, "-c", script)
        thread.join(20)
        self.assertRegex(document["requests"]["absent"], "could not be followed to the end.*allow")
        self.assertIn("wire-lost", self.notes(document))
        self.assertEqual(document["connections"][0]["sent_bytes"], 28)


class PostgresqlServer(Wire):
    tls = False

    @classmethod
    def setUpClass(cls):
        cls.folder, cls.port = harness.start_server(
            cls, "postgresql", "-c", "shared_preload_libraries=pg_stat_statements", tls=cls.tls)
        cls.login = ("-h", "127.0.0.1", "-p", cls.port, "-U", "slotwise")
        cls.sql("CREATE EXTENSION pg_stat_statements")
        subprocess.run([harness.find_tool("pgbench"), *cls.login, "-i", "-q", "-s", "1", "postgres"],
                       check=True, capture_output=True, timeout=120)

    @classmethod
    def sql(cls, text):
        return subprocess.run([harness.find_tool("psql"), *cls.login, "-Atqc", text, "postgres"],
                              check=True, capture_output=True, text=True, timeout=60).stdout.strip()

    def check(self, *command, requests=None, server=None):
        """`requests`: the client's own known count, where it is not the server's."""
        self.sql("SELECT pg_stat_statements_reset()")
        document = self.tap(*command)
        counted = int(self.sql("SELECT coalesce(sum(calls), 0) FROM pg_stat_statements "
                               "WHERE query NOT LIKE '%pg_stat_statements%'"))
        self.followed(document, "PostgreSQL")
        self.assertEqual(counted, server if server is not None else document["requests"])
        if requests is not None:
            self.assertEqual(document["requests"], requests)
        self.assertEqual(self.total(document, "responses", "PostgreSQL"), document["requests"])
        return document


class Postgresql(PostgresqlServer):
    def pgbench(self, *args, **kw):
        return self.check(self.need("pgbench"), *self.login, "-n", *args, "postgres", **kw)

    # pgbench itself asks twice: for its tables and their partitions.
    def test_select_only(self):
        for mode in ("simple", "extended", "prepared"):
            with self.subTest(mode):
                self.pgbench("-S", "-M", mode, "-c", "4", "-j", "2", "-t", "500", requests=2002)
                harness.shutil.rmtree(self.run_folder)

    def test_tpc_b(self):
        for mode in ("simple", "extended"):
            with self.subTest(mode):
                self.pgbench("-M", mode, "-c", "2", "-t", "100", requests=1402)
                harness.shutil.rmtree(self.run_folder)

    def test_tpc_b_prepared(self):
        """The server counts a prepared BEGIN and END only the first time in each connection."""
        self.pgbench("-M", "prepared", "-c", "2", "-t", "100", requests=1402, server=1402 - 2 * 2 * 99)

    def test_pipelines(self):
        script = self.path("pipeline.sql")
        with open(script, "w", encoding="ascii") as f:
            f.write("\\startpipeline\n" + "".join(f"select {i};\n" for i in range(5)) +
                    "\\endpipeline\n")
        for mode in ("extended", "prepared"):
            with self.subTest(mode):
                document = self.pgbench("-f", script, "-M", mode, "-c", "4", "-t", "200",
                                        requests=4000)
                self.assertEqual(self.total(document, "flushes", "PostgreSQL"), 800)
                self.assertEqual(self.total(document, "batch_count", "PostgreSQL"), 800)
                harness.shutil.rmtree(self.run_folder)

    def test_psql_and_copy(self):
        script = self.path("script.sql")
        with open(script, "w", encoding="ascii") as f:
            f.write("create temp table t(a int);\n\\copy t from program 'seq 100000'\n"
                    "select 1\\; select 2\\; select 3;\nselect 1/0;\n\\copy t to '/dev/null'\n")
        # Three statements in one request; the failed one is not among the server's calls.
        document = self.check("psql", *self.login, "-f", script, "postgres", requests=5, server=6)
        self.assertEqual(self.total(document, "statements", "PostgreSQL"), 6)
        self.assertEqual(self.total(document, "errors", "PostgreSQL"), 1)

    def test_psql_command_by_unix_socket(self):
        document = self.check("psql", "-h", os.path.join(self.folder, "socket"), "-p", self.port, "-U",
                              "slotwise", "-c", "select 1", "postgres", requests=1)
        self.assertTrue(document["connections"][0]["peer"].startswith("unix:"))

    def test_shell_with_several_clients(self):
        psql = f"psql {' '.join(self.login)} -c"
        self.check("sh", "-c", f"{psql} 'select 1' postgres & {psql} 'select 2' postgres; "
                   f"{psql} 'select 3' postgres; wait", requests=3)

    def test_python(self):
        if subprocess.run([SYSTEM_PYTHON, "-c", "import psycopg2"], capture_output=True,
                          check=False).returncode != 0:
            self.missing("no python3-psycopg2")
        program = self.path("load.py")
        with open(program, "w", encoding="ascii") as f:
            f.write("import psycopg2\n"
                    f"c = psycopg2.connect(host='127.0.0.1', port={self.port}, user='slotwise', "
                    f"dbname='postgres', sslmode='{'require' if self.tls else 'disable'}')\n"
                    "c.autocommit = True\nk = c.cursor()\n"
                    "for i in range(300): k.execute('select %s', (i,)); k.fetchall()\n"
                    "k.executemany('select %s', [(i,) for i in range(100)])\n")
        self.check(SYSTEM_PYTHON, program, requests=400)


class MariadbServer(Wire):
    tls = False

    @classmethod
    def setUpClass(cls):
        options = ["--require-secure-transport=ON"] if cls.tls else []
        cls.folder, cls.port = harness.start_server(cls, "mariadb", "--local-infile=1", *options,
                                                    tls=cls.tls)
        cls.login = ("-h", "127.0.0.1", "-P", cls.port, "-u", "root", *(["--ssl"] if cls.tls else []))
        cls.sql("CREATE DATABASE IF NOT EXISTS t")

    @classmethod
    def sql(cls, text):
        return subprocess.run(["mariadb", *cls.login, "-N", "-e", text], check=True,
                              capture_output=True, text=True, timeout=60).stdout

    def status(self):
        rows = self.sql("SHOW GLOBAL STATUS WHERE variable_name IN ('Questions', 'Com_stmt_prepare', "
                        "'Rows_sent', 'Connections')")
        return {name: int(value) for name, value in map(str.split, rows.splitlines())}

    def check(self, *command, status=0):
        before = self.status()
        document = self.tap(*command, status=status)
        after = self.status()
        self.followed(document, "MySQL")
        connections = self.total(document, "connections", "MySQL")
        # Questions: every command but PREPARE and CLOSE, also QUIT; and our own SHOW and two QUITs.
        # The server adds them when a connection ends, so only the QUIT of the first status is late.
        prepares = after["Com_stmt_prepare"] - before["Com_stmt_prepare"]
        self.assertEqual(after["Connections"] - before["Connections"], connections + 1)
        self.assertEqual(document["requests"] - prepares + connections + 2,
                         after["Questions"] - before["Questions"])
        self.assertEqual(self.total(document, "prepares", "MySQL"), prepares)
        # The rows of the first status itself were not yet in it.
        self.assertEqual(self.total(document, "rows", "MySQL"),
                         after["Rows_sent"] - before["Rows_sent"] - len(before))
        return document


class Mariadb(MariadbServer):
    def test_mysqlslap(self):
        self.need("mysqlslap")
        self.check("mysqlslap", *self.login, "--concurrency=4", "--number-of-queries=1000",
                   "--auto-generate-sql")

    def test_statements_and_an_error(self):
        document = self.check("mariadb", *self.login, "-e",
                              "select 1; select 2 union select 3; select * from no.table_", status=1)
        self.assertEqual(document["requests"], 3)
        self.assertEqual(self.total(document, "errors", "MySQL"), 1)

    def test_local_file_and_many_rows(self):
        rows = self.path("rows.txt")
        with open(rows, "w", encoding="ascii") as f:
            f.write("".join(f"line {i}\n" for i in range(200000)))
        document = self.check("mariadb", *self.login, "--local-infile=1", "t", "-e",
                              f"create or replace table x(a text); load data local infile '{rows}' "
                              "into table x; select * from x limit 50000; select 1")
        self.assertEqual(document["requests"], 4)


    CLIENT = r"""
#include <mysql.h>
#include <stdlib.h>
#include <string.h>

static int all_results(MYSQL *m)
{
    int sets = 0, more;

    do {
        mysql_free_result(mysql_store_result(m));
        sets++;
    } while ((more = mysql_next_result(m)) == 0);
    return more < 0 ? sets : -1;
}

int main(int argc, char **argv)
{
    MYSQL *m = mysql_init(NULL);
    my_bool on = 0;
    unsigned rows = 100;
    int values[100];

    for (int i = 0; i < 100; i++)
        values[i] = i;
    mysql_options(m, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
    on = argc > 2;
    if (on)
        mysql_options(m, MYSQL_OPT_SSL_ENFORCE, &on);
    if (!mysql_real_connect(m, "127.0.0.1", "root", "", "t", (unsigned)atoi(argv[1]), NULL,
                            CLIENT_MULTI_STATEMENTS) ||
        mysql_query(m, "create or replace table y(a int); insert into y values(1), (2); select * from y") ||
        all_results(m) != 3)
        return 1;
    MYSQL_STMT *s = mysql_stmt_init(m);
    MYSQL_BIND b = {.buffer_type = MYSQL_TYPE_LONG, .buffer = values};
    static const char text[] = "insert into y values(?)";
    if (mysql_stmt_prepare(s, text, sizeof(text) - 1) ||
        mysql_stmt_attr_set(s, STMT_ATTR_ARRAY_SIZE, &rows) || mysql_stmt_bind_param(s, &b) ||
        mysql_stmt_execute(s) || mysql_stmt_affected_rows(s) != 100 || mysql_stmt_close(s))
        return 2;
    mysql_close(m);
    return 0;
}
"""

    def test_several_statements_and_bulk(self):
        """One request of three statements; a prepared one for a hundred rows is one request, too."""
        source, program = self.path("c.c"), self.path("client")
        with open(source, "w", encoding="ascii") as f:
            f.write(self.CLIENT)
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libmariadb"], capture_output=True,
                               text=True, check=False).stdout.split()
        if subprocess.run([os.environ.get("SLW_CC", "cc"), "-o", program, source, *flags],
                          capture_output=True, check=False).returncode != 0:
            self.missing("cannot build with libmariadb")
        document = self.tap(program, self.port, *(["tls"] if self.tls else []))
        self.followed(document, "MySQL")
        self.assertEqual(document["requests"], 1 + 1 + 1)
        self.assertEqual(self.total(document, "statements", "MySQL"), 3 + 1)
        self.assertEqual(self.total(document, "prepares", "MySQL"), 1)
        self.assertEqual(self.total(document, "rows", "MySQL"), 2)
        self.assertEqual(self.sql("select count(*) from t.y").strip(), "102")


if __name__ == "__main__":
    harness.main()
