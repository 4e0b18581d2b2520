# SPDX-License-Identifier: MIT
"""What every system test needs: the built slotwise, a folder of its own, real peers, honest skips.

A test that cannot run here says why and is skipped; with SLW_REQUIRE_TOOLS=1 (CI) a missing tool is
a failure, so that nothing is silently left out. Everything started is bounded and stopped.
Not for: the benches' timing (bench/measure.py)."""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree as ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SLOTWISE = os.environ.get("SLW_BIN", os.path.join(ROOT, "build/gcc/cli/slotwise"))
CLIENT = os.environ.get("SLW_CLIENT", os.path.join(ROOT, "build/gcc/tests/system/system_client"))
STRICT = os.environ.get("SLW_REQUIRE_TOOLS", "0") != "0"

# Who is started in the background by a script ignores it, and so would all that is started here.
signal.signal(signal.SIGINT, signal.default_int_handler)

# architecture.md section 6. Anything else, and above all a signal, is a bug.
DONE, USAGE, BAD_DATA, CANNOT, INTERNAL = 0, 64, 65, 69, 70
DOCUMENTED = (0, 10, 11, USAGE, BAD_DATA, CANNOT, INTERNAL)


def find_tool(name):
    """Path of a program; PostgreSQL's are not on Debian's PATH."""
    found = shutil.which(name)
    base = "/usr/lib/postgresql"
    if not found and os.path.isdir(base):
        for version in sorted(os.listdir(base), key=float, reverse=True):
            candidate = os.path.join(base, version, "bin", name)
            if os.access(candidate, os.X_OK):
                return candidate
    return found


def read_bytes(path):
    with open(path, "rb") as f:
        return f.read()


def fill(folder):
    """Leave no byte of a small file system unused."""
    fd = os.open(os.path.join(folder, "ballast"), os.O_CREAT | os.O_WRONLY)
    with contextlib.suppress(OSError):
        for size in (65536, 4096, 1):
            with contextlib.suppress(OSError):
                while os.write(fd, b"\0" * size) > 0:
                    pass
    os.close(fd)


class Case(unittest.TestCase):
    """One folder per test, readable by the unprivileged users some tests become."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="slotwise-test-")
        os.chmod(self.dir, 0o755)
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.addCleanup(self.tell_time, time.monotonic())

    def tell_time(self, begin):
        print(f"[{time.monotonic() - begin:.1f} s]", end=" ", file=sys.stderr, flush=True)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    # -- what this machine has ------------------------------------------------------------------
    def need(self, *tools):
        found = [find_tool(tool) for tool in tools]
        for tool, place in zip(tools, found):
            if place is None:
                self.missing(f"no {tool}")
        return found if len(found) > 1 else found[0]

    def missing(self, reason):
        if STRICT:
            self.fail(f"{reason}, and SLW_REQUIRE_TOOLS is set")
        self.skipTest(reason)

    def need_root(self, why):
        if os.geteuid() != 0:
            self.skipTest(f"not root: {why}")

    # -- running --------------------------------------------------------------------------------
    def slotwise(self, *args, status=DONE, timeout=120, cwd=None, **kw):
        """Run slotwise, check that its exit status is `status` (None: any documented one)."""
        done = subprocess.run([SLOTWISE, *map(str, args)], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=timeout, cwd=cwd or self.dir, **kw)
        done.stdout = done.stdout.decode("utf-8", "surrogateescape")
        done.stderr = done.stderr.decode("utf-8", "surrogateescape")
        self.check_status(done, status)
        return done

    def check_status(self, done, status):
        told = f"{done.args}\nstdout: {done.stdout}\nstderr: {done.stderr}"
        self.assertGreaterEqual(done.returncode, 0, f"killed by a signal: {told}")
        self.assertNotRegex(done.stderr, r"AddressSanitizer|runtime error|Assertion", told)
        if status is None:
            self.assertIn(done.returncode, DOCUMENTED, told)
        else:
            self.assertEqual(done.returncode, status, told)
        if done.returncode not in (0, 10, 11):
            self.assertRegex(done.stderr, r"\S", f"failed without a word: {told}")

    def start(self, *args, **kw):
        """A slotwise that runs on; killed at the end of the test if it still does."""
        # Files, not pipes: a client that outlives slotwise holds its end of a pipe open.
        with open(self.path("stdout"), "wb") as out, open(self.path("stderr"), "wb") as err:
            process = subprocess.Popen([SLOTWISE, *map(str, args)], stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=err, cwd=self.dir,
                                       start_new_session=True, **kw)
        self.addCleanup(end_group, process)
        return process

    def finish(self, process, status=DONE, timeout=60):
        process.wait(timeout)
        stdout, stderr = (read_bytes(self.path(name)).decode("utf-8", "surrogateescape")
                          for name in ("stdout", "stderr"))
        done = subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)
        self.check_status(done, status)
        return done

    def server(self, kind, *options):
        """Start a private server: (folder, port). Stopped at the end of the test or class."""
        return start_server(self, kind, *options)

    def wait_for_work(self, process, seconds):
        """Until the client of a started slotwise has used so much CPU time, however busy the machine."""
        wait_until(lambda: sum(map(cpu_seconds, children_of(process.pid))) >= seconds, 60,
                   f"{seconds} s of the client's work")

    # -- what came out --------------------------------------------------------------------------
    def profile(self, *command, options=(), status=DONE, name="run", **kw):
        """Profile a command with the raw samples kept; the loaded run and its folder."""
        run = self.path(name + ".slotwise")
        self.slotwise("profile", "--keep-raw", "-o", run, *options, "--", *command, status=status,
                      **kw)
        return self.load(run), run

    def load(self, run):
        """run.json of a folder that has to be complete: also its profile opens and has frames."""
        with open(os.path.join(run, "run.json"), encoding="utf-8") as f:
            document = json.load(f)
        self.assertIsInstance(document["schema"], int)
        self.assertFalse([name for name in os.listdir(run) if name.endswith((".tmp", ".XXXXXX"))])
        return document

    def notes(self, document):
        return {note["code"] for note in document.get("notes", [])}

    def folded(self, run):
        """Stacks of a run in Brendan Gregg's format: {tuple of frames: weight}."""
        stacks = {}
        for line in self.slotwise("export", run, "--format", "folded").stdout.splitlines():
            frames, weight = line.rsplit(" ", 1)
            stacks[frames] = stacks.get(frames, 0) + int(weight)
        return stacks

    def svg(self, run):
        """The flame graph: checked to be well-formed and free of scripts from elsewhere."""
        out = self.path("graph.svg")
        self.slotwise("flamegraph", run, "-o", out)
        text = read_bytes(out).decode()
        ElementTree.fromstring(text)
        self.assertNotRegex(text, r"(?:href|src)\s*=\s*[\"'](?:https?:)?//")
        return text


def start_server(case, kind, *options, tls=False):
    script = os.path.join(ROOT, "scripts", "server")
    done = subprocess.run([script, "start", *(["--tls"] if tls else []), kind, *options], capture_output=True, text=True, timeout=120)
    if done.returncode == CANNOT:
        if STRICT:
            raise AssertionError(done.stderr)
        raise unittest.SkipTest(done.stderr.strip())
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    folder, port, _ = done.stdout.split()
    cleanup = case.addCleanup if isinstance(case, unittest.TestCase) else case.addClassCleanup
    cleanup(subprocess.run, [script, "stop", folder], timeout=60, check=False)
    return folder, port


class CrashedServer:
    """Kill a server of start_server as a crash would, all its processes; start_again as it was."""

    def __init__(self, folder):
        self.folder = folder
        self.pid = int(read_bytes(os.path.join(folder, "server.pid")))
        self.argv = read_bytes(f"/proc/{self.pid}/cmdline").rstrip(b"\0").split(b"\0")
        self.owner = os.stat(f"/proc/{self.pid}")
        everybody = [self.pid, *children_of(self.pid)]
        for pid in everybody:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        # PostgreSQL does not start while one of them is there, be it dead and not waited for.
        wait_until(lambda: all(map(is_gone, everybody)), 30, "end of the server")

    def start_again(self, case):
        """It may take a while until it answers."""
        with open(os.path.join(self.folder, "log"), "ab") as log:
            process = subprocess.Popen(self.argv, cwd=self.folder, stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, user=self.owner.st_uid,
                                       group=self.owner.st_gid, extra_groups=[],
                                       start_new_session=True)
        case.addClassCleanup(process.wait, 30)
        case.addClassCleanup(process.terminate)
        with open(os.path.join(self.folder, "server.pid"), "w", encoding="ascii") as f:
            f.write(f"{process.pid}\n")


def children_of(parent):
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as f:
                if int(f.read().rsplit(")", 1)[1].split()[1]) == parent:
                    yield int(name)


def cpu_seconds(pid):
    """What a process has used so far; 0: it is not there."""
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            user, system = f.read().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return 0


def clock_ms(document):
    """CPU time of the client while it was measured, as the kernel counts it."""
    return next(c["raw"] for c in document["counts"] if c["event"] == "task-clock") / 1e6


def is_gone(pid):
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # one that was started again is ours
    return not os.path.exists(f"/proc/{pid}")


def end_group(process):
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until(condition, seconds=60, what="condition"):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} not within {seconds} s")


def self_weights(stacks):
    """{leaf function: weight} of folded stacks, without the marks of kernel and inlined frames."""
    leaves = {}
    for frames, weight in stacks.items():
        leaf = re.sub(r"_\[[a-z]\]$", "", frames.rsplit(";", 1)[-1])
        leaves[leaf] = leaves.get(leaf, 0) + weight
    return leaves


def main():
    """unittest, with 77 for ctest when nothing but skips was left."""
    program = unittest.main(module="__main__", verbosity=2, exit=False)
    result = program.result
    if not result.wasSuccessful() or result.testsRun == 0:
        sys.exit(1)
    sys.exit(77 if len(result.skipped) == result.testsRun else 0)
