# SPDX-License-Identifier: MIT
"""Profile real database clients and find the functions that perf finds hot on the same workload."""
import html
import json
import os

import harness
import peers
import pprof

# A function is hot that held this share of perf's samples or more both before our run and after it:
# what a busy machine adds to one run, pages to clear for example, is not of the client. All of the
# hot ones have to be in our profile, of which so many samples have to be expected in each that chance
# leaves none of them out (Poisson: one in 10^10).
HOT_SHARE = 0.01
EXPECTED = 25
FREQUENCY = 3989  # some clients wait most of their time


class Clients(harness.Case):
    def check(self, *command, before=lambda: None):
        """Profile `command`; it has to show what perf shows."""
        self.need("perf")
        theirs = [self.perfs_shares(command, before)]
        before()
        document, run = self.profile(*command, options=("-F", FREQUENCY))
        self.complete(document, run)
        theirs.append(self.perfs_shares(command, before))
        self.same_hot_functions(document, run, *theirs)
        return document

    def perfs_shares(self, command, before):
        before()
        data = self.path("peer.data")
        peers.record(data, *command, options=("-F", FREQUENCY, "-g"))
        functions = peers.report(data, "sym")
        samples = sum(totals.samples for totals in functions.values())
        return {symbol: totals.samples / samples for (symbol,), totals in functions.items()}

    def complete(self, document, run):
        for name in ("run.json", "profile.pb.gz", "perf.data"):
            self.assertGreater(os.path.getsize(os.path.join(run, name)), 0, name)
        self.assertEqual(document["command"]["exit"], "status")
        self.assertEqual(document["command"]["exit_value"], 0)
        self.assertGreater(sum(s["samples"] for s in document["samplings"]), 100)
        # Every number says where it is from.
        for number in document["counts"] + document["samplings"]:
            self.assertIn(number["from"]["source"], ("hardware", "software"))
        for kind in ("term", "md"):
            self.assertRegex(self.slotwise("report", run, "--format", kind).stdout, r"\w+")
        json.loads(self.slotwise("report", run, "--format", "json").stdout)

    def same_hot_functions(self, document, run, earlier, later):
        enough = EXPECTED / sum(s["samples"] for s in document["samplings"])
        # Where interrupts come back on, cpu-clock bills the time they were off: that is the load of
        # the machine at the moment, not the client, and differs from run to run.
        hot = {symbol for symbol, share in earlier.items()
               if min(share, later.get(symbol, 0)) >= max(HOT_SHARE, enough)
               and not symbol.startswith(("0x", "_raw_spin_unlock_irq"))}
        self.assertTrue(hot, "perf found nothing hot: the workload is no test")
        stacks = self.folded(run)
        ours = {strip_version(name) for frames in stacks for name in frames.split(";")}
        missing = {symbol for symbol in hot if strip_version(symbol) not in ours}
        self.assertFalse(missing, "hot for perf, not in our profile")
        graph = self.svg(run)
        self.assertFalse({s for s in hot if html.escape(strip_version(s)) not in graph})
        functions = {frame.function for sample in
                     pprof.Profile(os.path.join(run, "profile.pb.gz")).samples
                     for frame in sample.frames}
        self.assertFalse({s for s in hot if strip_version(s) not in map(strip_version, functions)})


def strip_version(symbol):
    """pthread_mutex_lock@@GLIBC_2.2.5 and pthread_mutex_lock are one function; so is the _[k] mark."""
    symbol = symbol[:-4] if symbol[-4:-2] == "_[" else symbol
    return symbol.split("@@")[0] if "@plt" not in symbol else symbol


class Sqlite(Clients):
    def test_inserts_one_transaction_per_row(self):
        sqlite3 = self.need("sqlite3")
        rows = self.path("rows.sql")
        with open(rows, "w", encoding="ascii") as f:
            f.write("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, amount REAL);\n")
            f.write("CREATE INDEX t_name ON t(name);\n")
            for i in range(1500):
                f.write(f"INSERT INTO t(name, amount) VALUES('client {i * 7919 % 997}', {i / 7});\n")
        database = self.path("t.db")

        def fresh():
            for name in (database, database + "-journal"):
                if os.path.exists(name):
                    os.unlink(name)

        self.check(sqlite3, database, f".read {rows}", before=fresh)

    def test_query_in_memory(self):
        sqlite3 = self.need("sqlite3")
        self.check(sqlite3, ":memory:", "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 "
                   "FROM n WHERE x < 2000000) SELECT sum(x) FROM n;")


class Postgresql(Clients):
    @classmethod
    def setUpClass(cls):
        cls.folder, cls.port = harness.start_server(cls, "postgresql")
        cls.login = ("-h", "127.0.0.1", "-p", cls.port, "-U", "slotwise")
        pgbench = harness.find_tool("pgbench")
        harness.subprocess.run([pgbench, *cls.login, "-i", "-q", "-s", "2", "postgres"], check=True,
                               capture_output=True, timeout=120)

    def test_pgbench_select_only(self):
        self.check(self.need("pgbench"), *self.login, "-n", "-S", "-c", "4", "-T", "3", "postgres")

    def test_pgbench_tpc_b(self):
        self.check(self.need("pgbench"), *self.login, "-n", "-c", "4", "-T", "5", "postgres")

    def test_psql_inserts(self):
        psql = self.need("psql")
        rows = self.path("rows.sql")
        with open(rows, "w", encoding="ascii") as f:
            f.write("CREATE TEMP TABLE t(id int, name text);\n")
            f.writelines(f"INSERT INTO t VALUES ({i}, 'row {i}');\n" for i in range(10000))
        self.check(psql, *self.login, "-q", "-d", "postgres", "-f", rows)

    def test_psql_copy(self):
        psql = self.need("psql")
        rows = self.path("rows.tsv")
        with open(rows, "w", encoding="ascii") as f:
            f.writelines(f"{i}\trow {i} of a copy that is long enough to be seen\n"
                         for i in range(1500000))
        self.check(psql, *self.login, "-q", "-d", "postgres", "-c",
                   "CREATE TEMP TABLE t(id int, name text)", "-c", f"\\copy t FROM '{rows}'")


class Redis(Clients):
    @classmethod
    def setUpClass(cls):
        cls.folder, cls.port = harness.start_server(cls, "redis")

    def set(self, pipeline, requests):
        tool = self.need("redis-benchmark")
        self.check(tool, "-h", "127.0.0.1", "-p", self.port, "-t", "set", "-P", pipeline, "-n",
                   requests, "-q")

    def test_one_request_at_a_time(self):
        self.set("1", "60000")

    def test_pipeline_of_16(self):
        self.set("16", "1500000")

    def test_attach_to_a_running_client(self):
        tool = self.need("redis-benchmark")
        client = harness.subprocess.Popen(
            [tool, "-h", "127.0.0.1", "-p", self.port, "-t", "set", "-n", "100000000", "-q"],
            stdout=harness.subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(harness.end_group, client)
        run = self.path("attached.slotwise")
        self.slotwise("profile", "-o", run, "--duration", "2s", "-p", client.pid)
        self.assertIsNone(client.poll(), "attaching ended the client")
        document = self.load(run)
        self.assertEqual(document["command"]["kind"], "pid")
        self.assertGreater(sum(s["samples"] for s in document["samplings"]), 100)


if __name__ == "__main__":
    harness.main()
