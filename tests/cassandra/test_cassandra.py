# SPDX-License-Identifier: MIT
"""Apache Cassandra on loopback: our CQL driver has to keep its promises there, and what a foreign
client does on our endpoint has to come out the same on Cassandra. What was fetched stays in the
build tree for the next time. Not for: speed."""
import contextlib
import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))
import harness  # noqa: E402
import test_cql  # noqa: E402

BUILD = os.environ.get("SLW_BUILD_DIR", os.path.join(harness.ROOT, "build/gcc"))
CONFORMANCE = os.environ.get("SLW_CONFORMANCE", "")
FETCH_SECONDS, START_SECONDS = 600, 180
SCYLLA_DRIVER = ["scylla-driver==3.29.12", "lz4==4.4.5"]

# As conf/jvm17-server.options of Cassandra 5.0 has them.
EXPORTS = ("java.base/jdk.internal.misc java.base/java.lang.ref java.rmi/sun.rmi.registry "
           "java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.server "
           "java.rmi/sun.rmi.transport java.rmi/sun.rmi.transport.tcp java.sql/java.sql "
           "jdk.unsupported/sun.misc jdk.attach/sun.tools.attach "
           "jdk.compiler/com.sun.tools.javac.api").split()
OPENS = ("java.base/java.lang.module java.base/jdk.internal.loader java.base/jdk.internal.ref "
         "java.base/jdk.internal.reflect java.base/jdk.internal.math java.base/jdk.internal.module "
         "java.base/jdk.internal.util.jar jdk.management/com.sun.management.internal "
         "java.base/sun.nio.ch java.base/java.io java.base/java.lang java.base/java.lang.reflect "
         "java.base/java.util java.base/java.util.concurrent "
         "java.base/java.util.concurrent.atomic java.base/java.nio "
         "java.rmi/sun.rmi.transport.tcp").split()

# batch_size_fail_threshold: the conformance test has batches of a megabyte.
CONFIGURATION = """
cluster_name: slotwise
num_tokens: 1
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
listen_address: 127.0.0.1
rpc_address: 127.0.0.1
native_transport_port: {port}
storage_port: {storage}
endpoint_snitch: SimpleSnitch
commitlog_sync: batch
commitlog_directory: {dir}/commitlog
data_file_directories: ["{dir}/data"]
hints_directory: {dir}/hints
saved_caches_directory: {dir}/saved
cdc_raw_directory: {dir}/cdc
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters: [{{seeds: "127.0.0.1:{storage}"}}]
memtable_heap_space: 64MiB
memtable_offheap_space: 64MiB
auto_snapshot: false
batch_size_fail_threshold: 100MiB
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def skip(reason):
    raise unittest.SkipTest(reason)


def fetch(folder):
    """Cassandra and what it needs, with Maven; the same folder next time."""
    if not glob.glob(os.path.join(folder, "cassandra-all-*.jar")):
        with tempfile.TemporaryDirectory() as work:
            shutil.copy(os.path.join(HERE, "pom.xml"), work)
            done = subprocess.run(["mvn", "-q", "-B", "dependency:copy-dependencies",
                                   f"-DoutputDirectory={folder}"], cwd=work, text=True,
                                  capture_output=True, timeout=FETCH_SECONDS, check=False)
        if done.returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            skip("no cassandra-all: " + (done.stdout.strip().splitlines() or ["?"])[0])
    return folder


def foreign_python():
    """A Python with the foreign client."""
    folder = os.path.join(BUILD, "scylla-driver")
    python = os.path.join(folder, "bin", "python")
    works = [python, "-c", "import cassandra, lz4.block"]
    if not os.path.exists(python) or subprocess.run(works, check=False,
                                                    capture_output=True).returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        for command in ([sys.executable, "-m", "venv", folder],
                        [python, "-m", "pip", "-q", "install", *SCYLLA_DRIVER]):
            done = subprocess.run(command, capture_output=True, text=True, check=False,
                                  timeout=FETCH_SECONDS)
            if done.returncode != 0:
                skip("no scylla-driver: " + done.stderr.strip()[-200:])
    return python


class Cassandra(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for tool in ("java", "mvn"):
            if not harness.find_tool(tool):
                skip(f"no {tool}")
        jars = fetch(os.path.join(BUILD, "cassandra-all"))
        cls.dir = tempfile.mkdtemp(prefix="slotwise-cassandra-")
        cls.addClassCleanup(shutil.rmtree, cls.dir, ignore_errors=True)
        cls.port = free_port()
        cls.start(jars)

    @classmethod
    def start(cls, jars):
        configuration = os.path.join(cls.dir, "cassandra.yaml")
        with open(configuration, "w", encoding="utf-8") as f:
            f.write(CONFIGURATION.format(port=cls.port, storage=free_port(), dir=cls.dir))
        modules = [word for m in EXPORTS for word in ("--add-exports", m + "=ALL-UNNAMED")]
        modules += [word for m in OPENS for word in ("--add-opens", m + "=ALL-UNNAMED")]
        log = os.path.join(cls.dir, "log")
        with open(log, "wb") as out:
            process = subprocess.Popen(
                ["java", "-Xms512m", "-Xmx768m", "-XX:+UseSerialGC", *modules,
                 "-cp", f"{HERE}:{jars}/*", f"-Dcassandra.config=file://{configuration}",
                 f"-Dcassandra.storagedir={cls.dir}", "-Dcassandra-foreground=yes",
                 "-Dcassandra.skip_wait_for_gossip_to_settle=0", "-Dcassandra.ring_delay_ms=100",
                 "org.apache.cassandra.service.CassandraDaemon"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        cls.addClassCleanup(harness.end_group, process)
        deadline = time.monotonic() + START_SECONDS
        while not answers(cls.port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(harness.read_bytes(log).decode(errors="replace")[-3000:])
            time.sleep(0.5)

    def conformance(self, settings):
        if not CONFORMANCE:
            self.skipTest("no conformance test of drivers in this build")
        done = subprocess.run([CONFORMANCE], capture_output=True, text=True, timeout=400,
                              check=False,
                              env={**os.environ, "SLW_DRIVER": "cql",
                                   "SLW_DRIVER_WHERE": f"127.0.0.1:{self.port}",
                                   "SLW_DRIVER_SETTINGS": settings})
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-3000:])

    def test_the_driver_keeps_its_promises_in_version_5(self):
        self.conformance("protocol=5")

    def test_the_driver_keeps_its_promises_in_version_4_packed(self):
        self.conformance("protocol=4,lz4=1")

    def workload(self, *words):
        done = subprocess.run([harness.SLOTWISE, "workload", *words, "--driver", "cql", "--connect",
                               f"127.0.0.1:{self.port}"], capture_output=True, text=True,
                              timeout=200, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_workloads_store_what_they_acknowledge(self):
        for workload, *settings in (("submit", "--dimensions", "64"),
                                    ("coalesce", "--callers", "32")):
            with self.subTest(workload):
                log = os.path.join(self.dir, workload)
                run = json.loads(self.workload("run", workload, "--requests", "3000", "--warm-up",
                                               "300", "--acknowledged", log, "--format", "json",
                                               *settings))["runs"][0]
                self.assertEqual(run["outcomes"]["done"], 3000)
                print(f"{workload}: {run['requests_per_second']:.0f} requests/s, mean batch "
                      f"{run['batch']['mean']:.1f}", file=sys.stderr)
                self.assertIn("acknowledged 3300\nstored 3300\nfound 3300\n",
                              self.workload("verify", "--acknowledged", log))

    def foreign(self, python, port, version, packing):
        done = subprocess.run([python, "-c", test_cql.CLIENT, str(port), str(version), packing],
                              capture_output=True, text=True, timeout=200, check=False)
        self.assertEqual(done.stdout.strip(), "all of it", done.stderr[-3000:])

    def test_a_foreign_client_finds_both_servers_the_same(self):
        python = foreign_python()
        endpoint = subprocess.Popen([test_cql.ENDPOINT], stdout=subprocess.PIPE, text=True,
                                    start_new_session=True)
        self.addCleanup(endpoint.stdout.close)
        self.addCleanup(harness.end_group, endpoint)
        for port in (int(endpoint.stdout.readline()), self.port):
            for version, packing in ((4, "plain"), (5, "lz4")):
                with self.subTest(port=port, version=version, packing=packing):
                    self.foreign(python, port, version, packing)


if __name__ == "__main__":
    harness.main()
