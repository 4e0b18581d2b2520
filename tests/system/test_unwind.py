# SPDX-License-Identifier: MIT
"""Stacks that were copied: whole ones of real clients, the same as perf's, frame by frame, and as
gdb's at the same stops; and what reports say of those that could not be followed."""
import collections
import os
import re
import signal
import subprocess
import time

import harness
import peers
import pprof
import test_stacks

ROOTS = {"_start", "clone3", "__clone", "clone", "thread_start"}
PYTHON = "/usr/bin/python3"  # Debian's, which has Debian's drivers


def is_complete(frames):
    """frames: [(function, module)], leaf first. What starts a program may have no name."""
    names = [name for name, _ in frames]
    return bool(names) and (names[-1] in ROOTS or
                            (len(names) > 1 and names[-2].startswith("__libc_start_main")))


def plain(name, module):
    """perf calls unnamed what we call by the module, and has no names for some linkage stubs."""
    name = re.sub(r"@@.*|@GLIBC.*", "", name)
    unnamed = name.startswith("[") or name.endswith("@plt")
    return ("" if unnamed else name, os.path.basename(module))


def perf_stacks(data):
    """How often perf saw each (thread, user frames)."""
    stacks, frames, tid = collections.Counter(), None, None
    out = peers.perf("script", "-f", "-i", data, "--no-inline", "-F", "tid,ip,sym,dso").stdout
    for line in out.splitlines() + ["end"]:
        found = re.match(r"\s+([0-9a-f]+) (.*) \((.*)\)$", line)
        if found and frames is not None:
            if int(found[1], 16) < 1 << 63:
                frames.append(plain(found[2], found[3]))
        elif line.strip():
            if frames is not None:
                stacks[tid, tuple(frames)] += 1
            frames, tid = [], line.strip()
    return stacks


def our_stacks(run):
    """The same; without what was inlined, as perf was told not to look for it."""
    stacks = collections.Counter()
    for sample in pprof.Profile(os.path.join(run, "profile.pb.gz")).samples:
        user = tuple(plain(f.function, f.module) for f in sample.frames if not f.inlined and
                     (not f.module.startswith("[") or f.module in ("[vdso]", "[unknown]")))
        stacks[str(sample.labels["tid"]), user] += sample.values[0]
    return stacks


def stacks_of(told):
    """But those that return through somebody else's probe of the same library."""
    return sum(n for name, n in told.items()
               if name not in ("event", "copy_bytes", "by_frame_pointer", "probed"))


class Clients(harness.Case):
    def postgres(self):
        folder, port = harness.start_server(self, "postgresql", tls=True)
        return folder, f"sslmode=require host=127.0.0.1 port={port} user=slotwise dbname=postgres"

    def binary(self, name):
        """Not Debian's wrapper, which starts the program from perl."""
        for folder in sorted(os.listdir("/usr/lib/postgresql")
                             if os.path.isdir("/usr/lib/postgresql") else []):
            path = f"/usr/lib/postgresql/{folder}/bin/{name}"
            if os.access(path, os.X_OK):
                return path
        return self.need(name)

    def psycopg2(self, queries):
        if subprocess.run([PYTHON, "-c", "import psycopg2"], capture_output=True,
                          check=False).returncode != 0:
            self.missing("no psycopg2")
        _, login = self.postgres()
        return [PYTHON, "-c",
                "import psycopg2\n"
                f"c = psycopg2.connect('{login}').cursor()\n"
                f"for i in range({queries}):\n"
                "    c.execute('select %s, g from generate_series(1, 50) g', (i,))\n"
                "    c.fetchall()\n"]


class Recorded(Clients):
    """`perf record --call-graph dwarf` of real clients."""

    def setUp(self):
        super().setUp()
        self.need("perf")

    def follow(self, command, copy=16384, frequency=997, **kw):
        """(ours, perf's, what run.json says of the first event)"""
        data, run = self.path("perf.data"), self.path("run.slotwise")
        peers.record(data, *command, options=("-F", frequency, "-e", "cpu-clock", "--call-graph",
                                              f"dwarf,{copy}"), **kw)
        self.slotwise("import", data, "-o", run)
        return our_stacks(run), perf_stacks(data), self.load(run)["unwindings"][0]

    def agree(self, command, **kw):
        ours, perfs, told = self.follow(command, **kw)
        whole = collections.Counter({k: n for k, n in perfs.items() if is_complete(k[1])})
        both = sum(min(n, ours[key]) for key, n in whole.items())
        every = stacks_of(told)
        ours_whole = sum(n for key, n in ours.items() if is_complete(key[1]))
        self.assertGreater(sum(perfs.values()), 100)
        self.assertGreaterEqual(told["complete"], 0.95 * every, told)
        self.assertGreaterEqual(ours_whole, 0.99 * sum(whole.values()))
        self.assertGreaterEqual(both, 0.99 * sum(whole.values()),
                                [(whole - ours).most_common(3), (ours - whole).most_common(3)])
        return ours

    def test_pgbench(self):
        _, login = self.postgres()
        pgbench = self.binary("pgbench")
        subprocess.run([pgbench, "-i", "-q", login], check=True, capture_output=True, timeout=60)
        self.agree([pgbench, "-S", "-c", "4", "-j", "2", "-T", "1", "-n", login], frequency=2999)

    def test_psql(self):
        _, login = self.postgres()
        query = "select * from generate_series(1, 1000000)"
        self.agree([self.binary("psql"), login, "-Atqc", query, "-o", "/dev/null"], frequency=4999)

    def test_psycopg2(self):
        self.agree(self.psycopg2(1500))

    def test_redis_benchmark(self):
        benchmark = self.need("redis-benchmark")
        _, port = self.server("redis")
        # Its frames are up to 16 KiB large.
        self.agree([benchmark, "-p", port, "-n", "60000", "-c", "20", "-q", "-t", "get"],
                   copy=32768)

    def test_node_leaves_compiled_code(self):
        """V8's code has no unwind information; perf stops there."""
        program = ("const crypto = require('crypto'), begin = Date.now(); let s = 0;"
                   "while (Date.now() - begin < 1000) for (let i = 0; i < 1000; i++)"
                   "  s += crypto.createHash('sha256').update('x' + i).digest()[0];")
        _, _, told = self.follow([self.need("node"), "-e", program])
        self.assertGreaterEqual(told["complete"], 0.95 * stacks_of(told), told)
        self.assertGreater(told["by_frame_pointer"], 0)

    def test_signals_vdso_and_odd_frames(self):
        ours = self.agree([os.environ["SLW_STACK_CLIENT"], "mixed", "1"], copy=32768)
        names = [[name for name, _ in frames] for _, frames in ours]
        handled = [f for f in names if "on_alarm" in f]
        self.assertTrue(handled)
        for frames in handled:  # through the trampoline, to what was interrupted
            self.assertIn(frames[-1], ROOTS, frames)
            self.assertGreater(len(frames), frames.index("on_alarm") + 2, frames)

    def test_a_separate_debug_file_describes_code_that_its_program_does_not(self):
        """Compiled without .eh_frame; stripping takes .debug_frame along."""
        client, debug = self.path("client"), self.path("client.debug")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stack_client.c")
        for command in (
                [self.need("cc"), "-O2", "-g", "-fomit-frame-pointer", "-pthread", source,
                 "-fno-asynchronous-unwind-tables", "-o", client],
                [self.need("objcopy"), "--only-keep-debug", client, debug],
                ["objcopy", "--strip-all", f"--add-gnu-debuglink={debug}", client]):
            subprocess.run(command, check=True, capture_output=True, timeout=60)
        ours, _, told = self.follow([client, "mixed", "1"], copy=32768, frequency=2999)
        self.assertGreater(sum(ours.values()), 20)
        self.assertGreaterEqual(told["complete"], 0.95 * stacks_of(told), told)
        os.unlink(debug)
        self.slotwise("import", self.path("perf.data"), "-o", self.path("without.slotwise"))
        told = self.load(self.path("without.slotwise"))["unwindings"][0]
        self.assertGreater(told["no_cfi"], 0.9 * stacks_of(told), told)

    def test_what_is_cut_off_is_told(self):
        _, _, told = self.follow([os.environ["SLW_STACK_CLIENT"], "deep", "0.5"], copy=8192)
        self.assertGreater(told["truncated"], 0.8 * (told.get("complete", 0) + told["truncated"]))
        report = self.slotwise("report", self.path("run.slotwise")).stdout
        self.assertIn("truncated-stacks", report)
        self.assertRegex(report, r"go on beyond the\s+8 KiB that were copied")
        self.assertIn("--stack-size", report)
        for form in ("md", "json", "html"):
            self.slotwise("report", self.path("run.slotwise"), "--format", form, "-o",
                          self.path("report"))
            self.assertIn("go on beyond the bytes that were copied",
                          harness.read_bytes(self.path("report")).decode(), form)


class Stopped(Clients):
    """gdb at the same stops."""

    ASK = ("python\n"
           "frame = gdb.newest_frame()\n"
           "while frame:\n"
           "    if frame.type() not in (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME):\n"
           "        print('PC 0x%x' % frame.pc())\n"
           "    frame = frame.older()\n"
           "end\n")

    def setUp(self):
        super().setUp()
        self.gdb = self.need("gdb")

    def gdbs(self, pid):
        with open(self.path("ask"), "w", encoding="ascii") as f:
            f.write("set backtrace past-main on\nset debuginfod enabled off\n" + self.ASK)
        done = subprocess.run([self.gdb, "-nx", "-batch", "-p", str(pid), "-x", self.path("ask")],
                              capture_output=True, text=True, timeout=60, check=False,
                              stdin=subprocess.DEVNULL)
        frames = re.findall(r"^PC (0x[0-9a-f]+)$", done.stdout, re.M)
        if not frames:
            self.missing(f"gdb cannot look: {done.stderr[-300:]}")
        return frames

    def stop_and_ask(self, client):
        """(ours, how it ended, gdb's)"""
        client.send_signal(signal.SIGSTOP)
        harness.wait_until(lambda: self.state(client.pid) in "tT", what="stop")
        done = subprocess.run([os.environ["SLW_STACK_PEEK"], str(client.pid)],
                              capture_output=True, text=True, timeout=30, check=True)
        *ours, end = done.stdout.split()
        theirs = self.gdbs(client.pid)
        client.send_signal(signal.SIGCONT)
        return ours, end, theirs

    def compare(self, *command, stops, tries=None):
        """`tries`, if one of us may lose its way in some of the stops: so often at most."""
        client = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        compared = 0
        for i in range(tries or stops):
            time.sleep(0.15 + 0.037 * i)  # somewhere else each time
            ours, end, theirs = self.stop_and_ask(client)
            if tries and (end != "complete" or theirs[-1] != ours[-1]):
                continue
            compared += 1
            with self.subTest(stop=i):
                self.assertEqual(end, "complete")
                self.assertEqual(ours, theirs)
            if compared == stops:
                break
        self.assertEqual(compared, stops)

    def state(self, pid):
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0]

    def test_odd_frames(self):
        self.compare(os.environ["SLW_STACK_CLIENT"], "mixed", "60", stops=4)

    def test_deep_frames(self):
        self.compare(os.environ["SLW_STACK_CLIENT"], "deep", "60", stops=1)

    def test_sqlite(self):
        query = ("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 2e9) "
                 "SELECT sum(x), group_concat(hex(x)) FROM n;")
        self.compare(self.need("sqlite3"), ":memory:", query, stops=3)

    # The clients of test_stacks.py, which counts how many of their stacks are whole.
    def test_pgbench(self):
        _, login = self.postgres()
        pgbench = self.binary("pgbench")
        subprocess.run([pgbench, "-i", "-q", login], check=True, capture_output=True, timeout=60)
        self.compare(pgbench, "-S", "-c", "4", "-j", "1", "-T", "60", "-n", login, stops=2)

    def test_psql(self):
        _, login = self.postgres()
        self.compare(self.binary("psql"), login, "-v", "FETCH_COUNT=100", "-Atqc",
                     "select generate_series(1, 1000000000)", "-o", "/dev/null", stops=2)

    def test_psycopg2(self):
        self.compare(*self.psycopg2(10**9), stops=2)

    def test_node_pg(self):
        """gdb takes the code of V8's compiler and interpreter for frames it is not."""
        node, modules = self.need("node"), test_stacks.node_modules(self)
        _, port = harness.start_server(self, "postgresql")
        script = self.path("queries.js")
        with open(script, "w", encoding="ascii") as f:
            f.write(test_stacks.NODE_QUERIES.replace("4000", "1e9"))
        self.compare(node, script, modules, port, stops=2, tries=20)

    def test_redis_benchmark(self):
        benchmark = self.need("redis-benchmark")
        _, port = self.server("redis")
        self.compare(benchmark, "-p", port, "-n", "1000000000", "-c", "20", "-q", "-t", "get",
                     stops=2)

    def test_a_workload_of_ours(self):
        workload = os.path.join(os.path.dirname(harness.SLOTWISE), "slotwise-workload")
        self.compare(workload, "run", "stages", "--requests", "1000000000", stops=2)


if __name__ == "__main__":
    harness.main()
