# SPDX-License-Identifier: MIT
"""The CQL endpoint as a client of others sees it: the DataStax driver of the distribution, in both
versions, compressed or not; mishaps that were asked for; and a log that outlives a kill."""
import os
import shutil
import signal
import subprocess
import sys
import unittest

import harness

ENDPOINT = os.environ.get("SLW_CQL_ENDPOINT",
                          os.path.join(harness.ROOT, "build/gcc/tests/system/system_cql_endpoint"))
CONFORMANCE = os.path.join(os.environ.get("SLW_BUILD_DIR", os.path.join(harness.ROOT, "build/gcc")),
                           "tests/test_drivers")
SYSTEM_PYTHON = "/usr/bin/python3"  # the distribution's drivers belong to it

# Runs in SYSTEM_PYTHON: argv is port, version, lz4 or plain. Whatever is wrong ends it.
CLIENT = r"""
import logging, sys, uuid
from cassandra import InvalidRequest, AlreadyExists
from cassandra.cluster import Cluster, ExecutionProfile, EXEC_PROFILE_DEFAULT
from cassandra.policies import RoundRobinPolicy
from cassandra.protocol import SyntaxException
from cassandra.query import BatchStatement, BatchType, SimpleStatement, ValueSequence
logging.basicConfig(level=logging.ERROR)
port, version, lz4 = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "lz4"
profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), request_timeout=30)
more = {"protocol_version": version} if version else {}
cluster = Cluster(["127.0.0.1"], port=port, compression="lz4" if lz4 else False,
                  execution_profiles={EXEC_PROFILE_DEFAULT: profile}, **more)
s = cluster.connect()
assert cluster.protocol_version == (version or 5), cluster.protocol_version

def refused(kind, statement, *values):
    try:
        s.execute(statement, *values)
    except kind as e:
        return str(e)
    raise AssertionError(f"{statement} was not refused")

refused(InvalidRequest, "SELECT * FROM t")
make = ("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', "
        "'replication_factor': '1'} AND durable_writes = true")
s.execute(make)
refused(AlreadyExists, make)
s.set_keyspace("k")
s.execute("CREATE TABLE t (id bigint PRIMARY KEY, payload blob, name text, ok boolean, n int, "
          "x double, u uuid) WITH comment = 'x'")
columns = cluster.metadata.keyspaces["k"].tables["t"].columns
assert {c: str(v.cql_type) for c, v in columns.items()} == {
    "id": "bigint", "payload": "blob", "name": "text", "ok": "boolean", "n": "int", "x": "double",
    "u": "uuid"}, columns

put = s.prepare("INSERT INTO t (id, payload, name) VALUES (?, ?, ?)")
assert put.routing_key_indexes == [0], put.routing_key_indexes
get = s.prepare("SELECT id, payload, name FROM t WHERE id = ?")
payloads = {i: bytes(range(256)) * (i % 3) + b"%d" % i for i in range(300)}
payloads[7] = b"z" * 500000  # several frames
for future in [s.execute_async(put, (i, p, f"n\u00e4me {i}")) for i, p in payloads.items()]:
    future.result()
for i, row in [(i, s.execute_async(get, (i,))) for i in payloads]:
    assert row.result().one() == (i, payloads[i], f"n\u00e4me {i}"), i
assert s.execute(get, (12345,)).one() is None

batch = BatchStatement(BatchType.LOGGED)
for i in range(300, 400):
    batch.add(put, (i, b"b", None))
batch.add(SimpleStatement("UPDATE t SET n = %s, ok = true, x = 1.5 WHERE id = %s"), (-3, 300))
batch.add("DELETE FROM t WHERE id = 0")
s.execute(batch)
bad = BatchStatement()
bad.add(put, (1000, b"", ""))
bad.add(SimpleStatement("INSERT INTO t (id, nope) VALUES (1001, 1)"))
try:
    s.execute(bad)
    raise AssertionError("a bad batch was not refused")
except InvalidRequest:
    pass
assert s.execute("SELECT COUNT(*) FROM t").one()[0] == 399  # nothing of it

u = uuid.uuid4()
s.execute("INSERT INTO t (id, u, name) VALUES (%s, %s, %s)", (300, u, "it's"))
row = s.execute("SELECT * FROM t WHERE id = 300").one()
assert (row.n, row.ok, row.x, row.u, row.name, row.payload) == (-3, True, 1.5, u, "it's", b"b"), row
pages = s.execute(SimpleStatement("SELECT id FROM t", fetch_size=7))
seen = []
while True:
    assert len(pages.current_rows) <= 7
    seen += [row.id for row in pages.current_rows]
    if not pages.has_more_pages:
        break
    pages.fetch_next_page()
assert sorted(seen) == list(range(1, 400)) and len(seen) == 399, seen
few = s.execute(SimpleStatement("SELECT id FROM t LIMIT 10", fetch_size=4))
assert len(list(few)) == 10
many = s.prepare("SELECT id FROM t WHERE id IN ?")
many.fetch_size = 3
found = [row.id for row in s.execute(many, ([9, 1, 5000, 8, 3, 2],))]
assert sorted(found) == [1, 2, 3, 8, 9], found
some = s.execute("SELECT id FROM t WHERE id IN %s", (ValueSequence([4, 5]),))
assert sorted(row.id for row in some) == [4, 5]

first = s.execute("INSERT INTO t (id, name) VALUES (1, 'no') IF NOT EXISTS").one()
assert first.applied is False and first.payload == payloads[1], first
assert s.execute("INSERT INTO t (id) VALUES (5000) IF NOT EXISTS").one().applied
assert not s.execute("UPDATE t SET n = 1 WHERE id = 6000 IF EXISTS").one().applied
assert s.execute("SELECT id FROM t WHERE id = 6000").one() is None

assert "line 1:7" in refused(SyntaxException, "CREATE NONSENSE x")
refused(SyntaxException, "SELECT * FROM t WHERE id = ")
refused(InvalidRequest, "SELECT * FROM nope")
refused(InvalidRequest, "SELECT * FROM t WHERE n = 1")
refused(InvalidRequest, "INSERT INTO t (id, n) VALUES (1, 'x')")
refused(InvalidRequest, "INSERT INTO t (n) VALUES (1)")
refused(InvalidRequest, "INSERT INTO t (id, n) VALUES (1, 99999999999)")
assert s.execute("SELECT id FROM t WHERE n = -3 ALLOW FILTERING").one().id == 300

s.execute("TRUNCATE t")
assert s.execute("SELECT COUNT(*) FROM t").one()[0] == 0
s.execute("DROP TABLE t")
s.execute("CREATE TABLE t (payload blob, id bigint, name text, PRIMARY KEY (id))")
s.execute(put, (1, b"again", "prepared anew by the driver"))
assert s.execute("SELECT name FROM t").one().name == "prepared anew by the driver"
s.execute("DROP KEYSPACE k")
cluster.shutdown()
print("all of it")
"""

# Writes ids until it is killed or nobody answers; prints each that was acknowledged.
WRITER = r"""
import sys
from cassandra.cluster import Cluster, ExecutionProfile, EXEC_PROFILE_DEFAULT
from cassandra.policies import RoundRobinPolicy
profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), request_timeout=2)
cluster = Cluster(["127.0.0.1"], port=int(sys.argv[1]), protocol_version=5, compression=False,
                  execution_profiles={EXEC_PROFILE_DEFAULT: profile})
s = cluster.connect()
s.execute("CREATE KEYSPACE IF NOT EXISTS k WITH replication = {'class': 'SimpleStrategy', "
          "'replication_factor': 1}")
s.execute("CREATE TABLE IF NOT EXISTS k.t (id bigint PRIMARY KEY, payload blob)")
put = s.prepare("INSERT INTO k.t (id, payload) VALUES (?, ?)")
i = 0
try:
    while i < 1000000:
        for id, f in [(id, s.execute_async(put, (id, b"x" * 100))) for id in range(i, i + 20)]:
            f.result()
            print(id, flush=True)
        i += 20
except Exception:
    pass
sys.stdout.flush()
import os
os._exit(0)
"""


class Endpoint(harness.Case):
    def setUp(self):
        super().setUp()
        if subprocess.run([SYSTEM_PYTHON, "-c", "import cassandra"], capture_output=True,
                          check=False).returncode != 0:
            self.missing("no python3-cassandra")

    def begin(self, *options):
        process = subprocess.Popen([ENDPOINT, *options], stdout=subprocess.PIPE, text=True,
                                   start_new_session=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(harness.end_group, process)
        return process, int(process.stdout.readline())

    def client(self, text, *arguments):
        return subprocess.run([SYSTEM_PYTHON, "-c", text, *map(str, arguments)], text=True,
                              capture_output=True, timeout=60, check=False)

    def check_client(self, version, packing, *options):
        _, port = self.begin(*options)
        done = self.client(CLIENT, port, version, packing)
        self.assertEqual(done.stdout.strip(), "all of it", done.stderr)

    def need_lz4(self):
        if subprocess.run([SYSTEM_PYTHON, "-c", "import lz4.block"], capture_output=True,
                          check=False).returncode != 0:
            self.missing("no python3-lz4")

    def test_version_4(self):
        self.check_client(4, "plain")

    def test_version_5(self):
        self.check_client(5, "plain")

    def test_version_4_packed(self):
        self.need_lz4()
        self.check_client(4, "lz4")

    def test_version_5_packed(self):
        self.need_lz4()
        self.check_client(5, "lz4")

    def test_the_version_is_negotiated(self):
        self.check_client(0, "plain", "--durable", self.path("log"))

    def test_our_driver_keeps_its_promises(self):
        _, port = self.begin("--durable", self.path("log"))
        for settings in ("protocol=5", "protocol=4,lz4=1"):
            done = subprocess.run([CONFORMANCE], capture_output=True, text=True, timeout=60,
                                  check=False,
                                  env={**os.environ, "SLW_DRIVER": "cql",
                                       "SLW_DRIVER_WHERE": f"127.0.0.1:{port}",
                                       "SLW_DRIVER_SETTINGS": settings})
            if done.returncode == 77:
                self.missing(done.stdout.strip())
            self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-3000:])

    def test_nothing_acknowledged_is_lost_by_a_kill(self):
        log = self.path("log")
        endpoint, port = self.begin("--durable", log)
        writer = subprocess.Popen([SYSTEM_PYTHON, "-c", WRITER, str(port)], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  start_new_session=True)
        self.addCleanup(harness.end_group, writer)
        acknowledged = [int(writer.stdout.readline()) for _ in range(200)]
        endpoint.send_signal(signal.SIGKILL)
        rest, _ = writer.communicate(timeout=30)
        acknowledged += [int(line) for line in rest.split()]
        with open(log, "ab") as f:
            f.write(b"\0\0\1\0cut")  # a record that was being written
        _, port = self.begin("--durable", log)
        stored = self.stored(port)
        self.assertEqual(len(stored), len(set(stored)))
        self.assertFalse(set(acknowledged) - set(stored))
        self.assertLessEqual(max(stored), max(acknowledged) + 40)

    def stored(self, port):
        done = self.client("import sys\nfrom cassandra.cluster import Cluster\n"
                           "c = Cluster(['127.0.0.1'], port=int(sys.argv[1]), protocol_version=5)\n"
                           "print(*[r.id for r in c.connect().execute('SELECT id FROM k.t')])\n"
                           "c.shutdown()", port)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [int(word) for word in done.stdout.split()]

    def test_a_file_that_is_no_log_is_left_alone(self):
        for name, content in (("words", b"dear diary, today I measured a database\n" * 5),
                              ("short", b"0123456789"), ("tiny", b"ab")):
            path = self.path(name)
            with open(path, "wb") as f:
                f.write(content)
            done = subprocess.run([ENDPOINT, "--durable", path], capture_output=True, timeout=20,
                                  text=True, check=False)
            self.assertEqual(done.returncode, harness.BAD_DATA, done.stderr)
            self.assertIn("damaged, or none", done.stderr)
            self.assertEqual(harness.read_bytes(path), content)

    def test_a_full_disk_acknowledges_nothing(self):
        self.need_root("mounts a small file system")
        mount = self.path("small")
        os.mkdir(mount)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", mount],
                          capture_output=True, check=False).returncode != 0:
            self.skipTest("cannot mount a file system")
        self.addCleanup(subprocess.run, ["umount", "-l", mount], check=False)
        endpoint, port = self.begin("--durable", os.path.join(mount, "log"))
        writer = self.client(WRITER, port)
        acknowledged = {int(line) for line in writer.stdout.split()}
        self.assertEqual(endpoint.wait(20), harness.INTERNAL)
        self.assertGreater(len(acknowledged), 50)
        shutil.copy(os.path.join(mount, "log"), self.path("log"))
        _, port = self.begin("--durable", self.path("log"))
        self.assertFalse(acknowledged - set(self.stored(port)))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.util._MAX_LENGTH = 2000
    harness.main()
