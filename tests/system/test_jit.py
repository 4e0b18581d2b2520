# SPDX-License-Identifier: MIT
"""Code that a JIT compiler made is named by what the compiler left, and by nothing else."""
import contextlib
import glob
import os
import re
import shutil
import signal
import subprocess
import time

import harness

CLIENT = os.environ.get("SLW_JIT_CLIENT",
                        os.path.join(harness.ROOT, "build/gcc/tests/system/system_jit_client"))
SCRIPT = """
function decodeRows(n, x) { for (let i = 0; i < n; i++) x = (Math.imul(x, 5) + i) | 0; return x; }
function runClient(left) { let x = 1; while (left-- > 0) x = decodeRows(1e6, x); return x; }
console.log(runClient(400));
"""

JAVA = """
public class Rows {
    static long decodeRows(long n, long x) {
        for (long i = 0; i < n; i++)
            x = x * 5 + (x >> 3) + i;
        return x;
    }
    public static void main(String[] argv) {
        long x = 1;
        for (int left = 3 * Integer.parseInt(argv[0]); left > 0; left--)
            x = decodeRows(1000000, x);
        System.out.println(x);
    }
}
"""
PHP = """<?php
function decode_rows(int $n, int $x): int {
    for ($i = 0; $i < $n; $i++) $x = ($x * 5 + $i) & 0xffffff;
    return $x;
}
function run_client(int $left): int {
    $x = 1;
    while ($left-- > 0) $x = decode_rows(100000, $x);
    return $x;
}
echo run_client(6 * (int)$argv[1]);
"""
LUA = """
local function decode_rows(n, x) for i = 1, n do x = (x * 5 + i) % 1000003 end return x end
local x = 1
for _ = 1, tonumber(arg[1]) do x = decode_rows(500000, x) end
print(x)
"""
PYTHON = """
import sys
def decode_rows(n, x):
    for i in range(n):
        x = (x * 5 + i) & 0xffffff
    return x
x = 1
for _ in range(int(sys.argv[1]) // 3):
    x = decode_rows(100000, x)
"""


class Jit(harness.Case):
    def weights(self, run):
        return harness.self_weights(self.folded(run))

    def check_named(self, run, name):
        weights = self.weights(run)
        self.assertGreater(weights.get(name, 0), 0.8 * sum(weights.values()), weights)

    def own(self, path):
        """A file in /tmp that a client of this test has written: it goes with the test."""
        self.addCleanup(lambda: os.path.exists(path) and os.unlink(path))

    def profile_client(self, *argv):
        document, run = self.profile(CLIENT, "400", *argv)
        self.own(f"/tmp/perf-{self.pid(run)}.map")
        return document, run

    def pid(self, run):
        import pprof
        samples = pprof.Profile(os.path.join(run, "profile.pb.gz")).samples
        return {sample.labels["pid"] for sample in samples}.pop()

    def test_names_of_a_map(self):
        _, run = self.profile_client("map", "Query::decode row;1 <b>")
        self.check_named(run, "Query::decode row:1 <b>")  # a ';' would be two frames

    def test_names_of_a_jitdump(self):
        _, run = self.profile_client("dump", "decode_rows", self.dir)
        self.check_named(run, "decode_rows")

    def test_an_address_that_two_functions_had_in_turns(self):
        document, run = self.profile_client("dump", "parse_rows", self.dir, "send_rows")
        weights = self.weights(run)
        for name in ("parse_rows", "send_rows"):
            self.assertGreater(weights.get(name, 0), 0.3 * sum(weights.values()), weights)
        self.assertNotIn("jit-reused", self.notes(document))

    def test_nothing_left_nothing_named(self):
        _, run = self.profile_client("none", "decode_rows")
        self.assertNotIn("decode_rows", "".join(self.folded(run)))

    def attach(self, process_pid):
        run = self.path("run.slotwise")
        self.slotwise("profile", "-o", run, "-p", process_pid, "--duration", "400ms")
        return self.load(run), run

    def client(self, *command):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(harness.end_group, process)
        return process

    def test_map_of_an_earlier_process_of_that_number(self):
        process = self.client(CLIENT, "20000", "none", "x")
        path = f"/tmp/perf-{process.pid}.map"
        self.own(path)
        with open(path, "w", encoding="ascii") as f:
            f.write("0 ffffffffffffffff everything\n")
        os.utime(path, (time.time() - 3600,) * 2)
        document, run = self.attach(process.pid)
        self.assertNotIn("everything", "".join(self.folded(run)))
        self.assertIn("jit-map-stale", self.notes(document))

    def test_map_of_somebody_else(self):
        self.need_root("gives a file to another user")
        process = self.client(CLIENT, "20000", "none", "x")
        path = f"/tmp/perf-{process.pid}.map"
        self.own(path)
        with open(path, "w", encoding="ascii") as f:
            f.write("0 ffffffffffffffff everything\n")
        os.chown(path, 65534, 65534)
        document, run = self.attach(process.pid)
        self.assertNotIn("everything", "".join(self.folded(run)))
        self.assertIn("jit-map-foreign", self.notes(document))

    def test_mount_and_pid_namespaces_of_the_client(self):
        """As in a container: another /tmp, and it calls itself 2 or so."""
        self.need_root("unshares namespaces")
        process = self.client(self.need("unshare"), "--mount", "--pid", "--fork", "sh", "-c",
                              f"exec 3<{CLIENT}; mount -t tmpfs none /tmp && cat <&3 >/tmp/inside && "
                              "chmod 755 /tmp/inside && /tmp/inside 20000 map decode_inside")
        inside = harness.wait_until(lambda: self.inside(process.pid), 10, "client in its namespace")
        _, run = self.attach(inside)
        self.check_named(run, "decode_inside")
        os.kill(inside, signal.SIGTERM)

    def inside(self, pid):
        for child in harness.children_of(pid):
            with contextlib.suppress(OSError):  # those that prepare it come and go
                # In a chroot the name begins with its place.
                if os.readlink(f"/proc/{child}/exe").endswith("/tmp/inside"):
                    return child
            found = self.inside(child)
            if found:
                return found
        return None

    def test_hostile_maps(self):
        process = self.client(CLIENT, "20000", "none", "x")
        path = f"/tmp/perf-{process.pid}.map"
        self.own(path)
        with open(path, "wb") as f:
            f.write(b"\0\n0 0 \nzz 10 x\n7fffffffffffffff 7fffffffffffffff over\n" +
                    b"1 2 " + b"\xff" * 100000 + b"\n" + b"10 20\n" * 1000 + b"\x1b[31m 1 1 x")
        document, run = self.attach(process.pid)
        self.assertGreater(sum(s["samples"] for s in document["samplings"]), 0)
        self.svg(run)

    def node(self, *options):
        node = self.need("node")
        with open(self.path("client.js"), "w", encoding="ascii") as f:
            f.write(SCRIPT)
        _, run = self.profile(node, *options, self.path("client.js"))
        self.own(f"/tmp/perf-{self.pid(run)}.map")
        hot = sum(w for name, w in self.weights(run).items() if "decodeRows" in name)
        self.assertGreater(hot, 0.3 * sum(self.weights(run).values()), self.weights(run))
        return run

    def test_node_with_a_map(self):
        run = self.node("--perf-basic-prof", "--interpreted-frames-native-stack")
        # What V8 compiled when it was built has names in some builds only: Debian's has none.
        self.assertTrue(any(re.search("__libc_start_main.*decodeRows", frames)
                            for frames in self.folded(run)))

    def test_node_with_a_jitdump(self):
        self.node("--perf-prof")  # writes to where it is run

    def runtime(self, name, text, *command, options=()):
        """Profile a program in a language of its own; the run, and the share of frames by name."""
        program = self.path(name)
        with open(program, "w", encoding="ascii") as f:
            f.write(text)
        document, run = self.profile(*command, program, "150", options=options)
        for pattern in ("/tmp/perf-{}.map", "/tmp/jit-{}.dump"):
            self.own(pattern.format(self.pid(run)))
        return document, run

    def check_leaf(self, run, part):
        """No function weighs more; the start of a runtime may weigh more than the program."""
        weights = self.weights(run)
        hottest = sorted(weights, key=weights.get)[-3:]
        self.assertIn(part, hottest[-1], hottest)

    def test_java_writes_a_map_when_it_ends(self):
        java = self.need("java", "javac")[0]
        version = subprocess.run([java, "-version"], capture_output=True, text=True,
                                 timeout=60).stderr
        if int(re.search(r'version "(\d+)', version).group(1)) < 17:
            self.skipTest("Java before 17 needs an agent to write a map")
        _, run = self.runtime("Rows.java", JAVA, java, "-XX:+UnlockDiagnosticVMOptions",
                              "-XX:+DumpPerfMapAtExit", "-XX:+PreserveFramePointer")
        self.check_leaf(run, "Rows.decodeRows")

    def php(self, debug):
        _, run = self.runtime("rows.php", PHP, self.need("php"), "-dopcache.enable_cli=1",
                              "-dopcache.jit_buffer_size=32M", "-dopcache.jit=tracing",
                              "-dopcache.file_update_protection=0",  # it is new
                              f"-dopcache.jit_debug={debug}")
        self.check_leaf(run, "$decode_rows$")

    def test_php_with_a_map(self):
        self.php(0x10)

    def test_php_with_a_jitdump(self):
        self.php(0x20)

    def test_luajit_of_debian_tells_nothing(self):
        document, run = self.runtime("rows.lua", LUA, self.need("luajit"))
        self.assertNotIn("decode_rows", "".join(self.folded(run)))
        self.assertIn("jit-unnamed", self.notes(document))

    def python(self, least):
        """An interpreter of at least this version, from wherever people keep several."""
        places = [shutil.which(f"python3.{minor}") for minor in range(least, least + 8)]
        places += sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python3")))
        for place in filter(None, places):
            told = subprocess.run([place, "-c", "import sys; print(sys.version_info.minor,"
                                   " hasattr(sys, 'activate_stack_trampoline'))"],
                                  capture_output=True, text=True, timeout=60)
            words = told.stdout.split()
            if told.returncode == 0 and int(words[0]) >= least and words[1] == "True":
                return place
        return self.skipTest(f"no Python 3.{least} or later")  # Debian 12 has none

    def test_python_functions_by_trampolines(self):
        _, run = self.runtime("rows.py", PYTHON, self.python(12), "-X", "perf")
        stacks = self.folded(run)
        for part in ("py::decode_rows:", r"_start;.*;py::<module>:.*;py::decode_rows:"):
            hot = sum(w for frames, w in stacks.items() if re.search(part, frames))
            self.assertGreater(hot, 0.3 * sum(stacks.values()), part)

    def test_python_without_them_is_told(self):
        python = self.need("python3")
        document, run = self.runtime("rows.py", PYTHON, python)
        self.assertNotIn("decode_rows", "".join(self.folded(run)))
        self.assertIn("interpreted-frames", self.notes(document))


if __name__ == "__main__":
    harness.main()
