# SPDX-License-Identifier: MIT
"""perf, the peer: what it says about a perf.data, as numbers to compare with."""
import collections
import re
import subprocess

NAMELESS = ":-1"
Totals = collections.namedtuple("Totals", "samples weight")


def perf(*args, timeout=120, check=True):
    done = subprocess.run(["perf", *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=timeout, text=True, errors="surrogateescape")
    if check and done.returncode != 0:
        raise AssertionError(f"perf {args}: {done.stderr}")
    return done


def record(data, *command, options=("-F", "997", "-g"), timeout=120):
    # Debian's perf prefers hardware cycles; where there is no PMU it falls back to cpu-clock, as
    # slotwise does.
    perf("record", "-q", *options, "-o", data, "--", *command, timeout=timeout)


def report(data, sort):
    """{sort key: Totals}, as `perf report` prints them, every row."""
    keys = sort.split(",")
    out = perf("report", "-f", "-i", data, "--no-children", "--no-inline", "-g", "none", "--stdio",
               "-t", "|", "--percent-limit", "0", "--sort", sort,
               "-F", "sample,period," + sort).stdout
    rows = {}
    for line in out.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split("|", 1 + len(keys))]
        key = tuple(re.sub(r"^\[[.kguH]\] ", "", part) for part in parts[2:])
        rows[key] = added(rows.get(key, Totals(0, 0)), Totals(int(parts[0]), int(parts[1])))
    return rows


def added(a, b):
    return Totals(a.samples + b.samples, a.weight + b.weight)


def without_thread(data):
    """{comm of the process: Totals} of samples whose thread had given its number back (tid -1), as
    a reaped process has, too: ":-1"."""
    comms, lost = {}, collections.defaultdict(lambda: Totals(0, 0))
    for line in perf("script", "-f", "-i", data, "-F", "comm,pid,tid,period").stdout.splitlines():
        comm, pid, tid, period = re.match(r"\s*(.*\S)\s+(-?\d+)/(-?\d+)\s+(\d+)", line).groups()
        if tid == "-1":
            lost[pid] = added(lost[pid], Totals(1, int(period)))
        elif tid == pid or pid not in comms:
            comms[pid] = comm
    named = collections.defaultdict(lambda: Totals(0, 0))
    for pid, totals in lost.items():
        named[comms.get(pid, NAMELESS)] = added(named[comms.get(pid, NAMELESS)], totals)
    return named


def hottest(data, limit):
    """The `limit` functions with the most samples of their own: [(dso, symbol)]."""
    rows = report(data, "dso,sym")
    return [key for key, _ in sorted(rows.items(), key=lambda row: -row[1].samples)[:limit]]
