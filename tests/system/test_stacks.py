# SPDX-License-Identifier: MIT
"""Live recordings of real clients: nearly all stacks, of samples and of waits, reach main's caller or
the start of their thread, although Debian's libraries keep no frame pointers. Without marks of
stages: the probes that they take stand in the way of one stack or the other."""
import os
import re
import sys

import harness

# Where a thread or a process begins: nothing calls these. Stripped programs have no name for _start;
# then its callee tells.
ROOT = re.compile(r"_start|_?_?clone3?|_dl_start_user|__libc_start_main|ret_from_fork\w*")
WHOLE = 0.95
WORKLOAD = os.path.join(os.path.dirname(harness.SLOTWISE), "slotwise-workload")
QUERIES = ("import sys, psycopg2\n"
           "c = psycopg2.connect(host='127.0.0.1', port=sys.argv[1], user='slotwise',\n"
           "                     dbname='postgres').cursor()\n"
           "for i in range(4000):\n"
           "    c.execute('SELECT %s', (i,)); c.fetchall()\n")
NODE_QUERIES = """
const { Client } = require(process.argv[2] + '/node_modules/pg');
(async () => {
  const client = new Client({ host: '127.0.0.1', port: +process.argv[3], user: 'slotwise',
                              database: 'postgres' });
  await client.connect();
  for (let i = 0; i < 4000; i++) await client.query('SELECT $1::int', [i]);
  await client.end();
})();
"""


def node_modules(case):
    folder = os.environ.get("SLW_CLIENT_MODULES", os.path.join(harness.ROOT, "tests", "clients"))
    if not os.path.isdir(os.path.join(folder, "node_modules", "pg")):
        case.missing("no node module pg")
    return folder


class Stacks(harness.Case):
    def share_whole(self, run, event, unit="count"):
        done = self.slotwise("export", run, "--format", "folded", "--event", event, "--unit", unit)
        total, whole = 0, 0
        for line in done.stdout.splitlines():
            frames, weight = line.rsplit(" ", 1)
            # The thread comes first, then the outermost function.
            names = [re.sub(r"_\[[a-z]\]$", "", name).split("@@")[0] for name in frames.split(";")]
            total += int(weight)
            whole += int(weight) * any(ROOT.fullmatch(name) for name in names[1:3])
        self.assertGreater(total, 20, f"{event}: too little to tell")  # on a busy machine waits are fewer
        return whole / total

    def check(self, *command, waits=True):
        run = self.path("run.slotwise")
        self.slotwise("profile", "-q", "--stages", "no", "--offcpu", "stacks" if waits else "no",
                      "-o", run, "--", *command)
        document = self.load(run)
        if not document["samplings"]:
            self.missing("nothing can be sampled here")
        events = [s["event"] for s in document["samplings"]]
        self.assertEqual(document["losses"]["lost_records"], 0)
        self.assertEqual({s["call_graph"] for s in document["samplings"]}, {"dwarf"})
        for event in events:
            share = self.share_whole(run, event)
            print(f"{event} {share:.1%}", end=" ", file=sys.stderr)
            self.assertGreater(share, WHOLE, (event, command))

class Workload(Stacks):
    def test_a_workload_of_ours(self):
        self.check(WORKLOAD, "run", "stages", "--requests", "30000", waits=False)


class Postgresql(Stacks):
    @classmethod
    def setUpClass(cls):
        cls.folder, cls.port = harness.start_server(cls, "postgresql")
        cls.login = ("-h", "127.0.0.1", "-p", cls.port, "-U", "slotwise")
        harness.subprocess.run([harness.find_tool("pgbench"), *cls.login, "-i", "-q", "postgres"],
                               check=True, capture_output=True, timeout=120)

    def test_pgbench(self):
        self.check(self.need("pgbench"), *self.login, "-n", "-S", "-c", "4", "-j", "2", "-T", "2",
                   "postgres")

    def test_psql(self):
        rows = self.path("rows.sql")
        with open(rows, "w", encoding="ascii") as f:
            f.writelines(f"SELECT {i}, 'row {i}';\n" for i in range(5000))
        self.check(self.need("psql"), *self.login, "-q", "-o", "/dev/null", "-d", "postgres", "-f",
                   rows)

    def test_psycopg2(self):
        python = "/usr/bin/python3"
        probe = harness.subprocess.run([python, "-c", "import psycopg2"], capture_output=True,
                                       check=False)
        if probe.returncode != 0:
            self.missing("no python3-psycopg2")
        self.check(python, "-c", QUERIES, self.port)

    def test_node_pg(self):
        node, modules = self.need("node"), node_modules(self)
        script = self.path("queries.js")
        with open(script, "w", encoding="ascii") as f:
            f.write(NODE_QUERIES)
        self.check(node, script, modules, self.port)


class Redis(Stacks):
    @classmethod
    def setUpClass(cls):
        cls.folder, cls.port = harness.start_server(cls, "redis")

    def test_redis_benchmark(self):
        self.check(self.need("redis-benchmark"), "-h", "127.0.0.1", "-p", self.port, "-t", "set",
                   "-n", "40000", "-c", "1", "-q")


if __name__ == "__main__":
    harness.main()
