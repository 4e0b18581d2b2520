# SPDX-License-Identifier: MIT
"""What the benches share: run a command and learn its time, CPU and memory; medians with their
spread; private servers. Not for tests: nothing here passes or fails."""
import argparse
import collections
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "system"))
from harness import find_tool  # noqa: E402

Cost = collections.namedtuple("Cost", "wall_s own_cpu_s tree_cpu_s peak_bytes status stdout stderr user_cpu_s")


MAX_OUTPUT_BYTES = 1 << 16  # of what a command printed; its numbers are at the end


def before_others():
    """Of this process, and what it executes: nothing else runs on its CPU. Where that is not allowed it
    takes its turn."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError:
        pass


def run(argv, timeout=600, cwd=None, alone=False):
    """Run to the end. own_cpu_s is the program's alone, tree_cpu_s with the children it waited for and
    user_cpu_s that part of it which the kernel's ticks found outside the kernel, peak_bytes its largest
    resident set."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.monotonic()
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=cwd,
                                   preexec_fn=before_others if alone else None)
        peak = wait_for_end(process, begin + timeout)
        wall = time.monotonic() - begin
        own = self_cpu_seconds(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return Cost(wall, own, usage.ru_utime + usage.ru_stime, peak, process.returncode, tail(out),
                    tail(err), usage.ru_utime)


def tail(file):
    file.seek(max(0, file.seek(0, os.SEEK_END) - MAX_OUTPUT_BYTES))
    return file.read().decode("utf-8", "replace")


def self_cpu_seconds(pid):
    """CPU time of a process that ended and is not reaped, without its children.

    /proc/PID/stat counts all its threads in ticks of 10 ms; schedstat counts the first thread in
    ns. Where the two agree to the tick there was no other thread worth counting."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    coarse = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    try:
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as f:
            fine = int(f.read().split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        return coarse
    return fine if abs(fine - coarse) <= 0.03 else coarse


def wait_for_end(process, deadline):
    """Wait without reaping: a dead process still tells its own CPU time, a reaped one does not.
    Returns the high-water mark of its memory as last seen. ru_maxrss would be wrong: it starts at
    the size of the process that forked, which is ours."""
    peak = 0
    while not os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
        if time.monotonic() > deadline:
            process.kill()
            raise SystemExit(f"{process.args} did not end in time")
        peak = max(peak, high_water_bytes(process.pid))
        time.sleep(0.001)
    return peak


def high_water_bytes(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
            found = re.search(r"VmHWM:\s*(\d+) kB", f.read())
    except OSError:
        return 0
    return int(found.group(1)) * 1024 if found else 0


def must(cost, what):
    if cost.status != 0:
        raise SystemExit(f"{what}: exit status {cost.status}\n{cost.stderr}")
    return cost


def number(maybe):
    """A number of run.json that may be absent with a reason; a bench cannot go on without it."""
    if not isinstance(maybe, int):
        raise SystemExit(f"run.json has no number: {maybe}")
    return maybe


def need(*tools):
    found = [find_tool(tool) for tool in tools]
    for tool, place in zip(tools, found):
        if not place:
            raise SystemExit(f"no {tool}: scripts/setup.sh build test installs it")
    return found if len(found) > 1 else found[0]


def server(kind):
    script = os.path.join(ROOT, "scripts", "server")
    done = subprocess.run([script, "start", kind], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise SystemExit(done.stderr)
    folder, port, _ = done.stdout.split()
    return folder, port


def stop_server(folder):
    subprocess.run([os.path.join(ROOT, "scripts", "server"), "stop", folder], timeout=60, check=False)


def spread(values, scale=1.0, unit="", digits=1):
    """median [smallest .. largest] of n"""
    low, middle, high = (x * scale for x in (min(values), statistics.median(values), max(values)))
    return f"{middle:.{digits}f}{unit} [{low:.{digits}f} .. {high:.{digits}f}] of {len(values)}"


def ratios(values, bases):
    """One ratio per round, so that what drifts between rounds cancels."""
    return [v / b for v, b in zip(values, bases) if b > 0]


def median_interval(values, confidence=0.95):
    """The pair of order statistics that holds the median with at least this confidence, whatever the
    distribution (the sign test turned round; Conover, Practical Nonparametric Statistics, 3.2).
    Infinite where there are too few values for any."""
    ordered, n = sorted(values), len(values)
    outside, k = 0.0, 0
    while k < n // 2 and outside + math.comb(n, k) / 2**n <= (1 - confidence) / 2:
        outside += math.comb(n, k) / 2**n
        k += 1
    return (ordered[k - 1], ordered[n - k]) if k else (-math.inf, math.inf)


class Claims:
    """Lines of "claim: met or not", and an exit status for --check."""

    def __init__(self):
        self.unmet = 0

    def state(self, what, met):
        """met: true, false, or None where the rounds do not tell."""
        self.unmet += not met
        word = {True: "met", False: "NOT met", None: "cannot tell"}[met]
        print(f"  {word:11}  {what}", flush=True)


def arguments(description, **defaults):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--slotwise", default=os.path.join(ROOT, "build/release/cli/slotwise"))
    parser.add_argument("--check", action="store_true",
                        help="exit 1 when a claim is not met (for people; never in the tests)")
    for name, value in defaults.items():
        parser.add_argument("--" + name, type=type(value), default=value)
    chosen = parser.parse_args()
    chosen.slotwise = os.path.abspath(chosen.slotwise)
    if not os.access(chosen.slotwise, os.X_OK):
        raise SystemExit(f"no program at {chosen.slotwise}: scripts/demo builds it")
    print(machine(), flush=True)
    return chosen


def machine():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        model = re.search(r"model name\s*:\s*(.*)", f.read())
    load = os.getloadavg()[0]
    return (f"machine: {model.group(1) if model else os.uname().machine}, {os.cpu_count()} CPUs, "
            f"Linux {os.uname().release}, load {load:.2f}")


class Folder:
    """A temporary folder on the file system of the tree: a tmpfs would flatter writers."""

    def __enter__(self):
        os.makedirs(os.path.join(ROOT, "build"), exist_ok=True)
        self.path = tempfile.mkdtemp(prefix="bench-", dir=os.path.join(ROOT, "build"))
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def __call__(self, name):
        return os.path.join(self.path, name)

    def clear(self):
        for name in os.listdir(self.path):
            path = os.path.join(self.path, name)
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
