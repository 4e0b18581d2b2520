# SPDX-License-Identifier: MIT
"""What the emulated machine left behind, to be asked by check.py, and what its answers are compared
with."""
import json
import os
import subprocess

import perfdata


class Guest:
    def __init__(self, output, slotwise, loop):
        self.output, self.slotwise, self.loop = output, slotwise, loop

    def path(self, name, machine="main"):
        return os.path.join(self.output, machine, name)

    def text(self, name, machine="main"):
        with open(self.path(name, machine), encoding="utf-8") as f:
            return f.read()

    def status(self, name, machine="main"):
        return int(self.text(name + ".rc", machine))

    def run(self, name, machine="main"):
        assert self.status(name, machine) == 0, self.text(name + ".out", machine)
        return Run(json.loads(self.text(name + ".slotwise/run.json", machine)))

    def report(self, name, machine="main", model=None):
        """What the native slotwise says about a run of the other machine."""
        options = ["--model", os.path.join(os.path.dirname(__file__), model)] if model else []
        text = subprocess.run(
            [self.slotwise, "report", self.path(name + ".slotwise", machine), "--format", "json",
             *options], check=True, capture_output=True, text=True).stdout
        assert "NaN" not in text and "inf" not in text.split(), text
        return json.loads(text)

    def samples(self, name, machine="main"):
        return perfdata.read(self.path(name + ".slotwise/perf.data", machine))

    def function(self, symbol):
        """-> range of addresses."""
        lines = subprocess.run(["aarch64-linux-gnu-nm", "-S", self.loop], check=True,
                               capture_output=True, text=True).stdout.split("\n")
        for line in lines:
            words = line.split()
            if len(words) == 4 and words[3] == symbol:
                return range(int(words[0], 16), int(words[0], 16) + int(words[1], 16))
        raise AssertionError(f"no symbol {symbol}")


class Run:
    def __init__(self, document):
        self.document = document
        self.counts = {c["event"]: c for c in document["counts"]
                       if "pid" not in c and "tid" not in c}
        self.notes = {n["code"]: n for n in document["notes"]}

    def count(self, event):
        c = self.counts[event]
        assert "absent" not in c, c
        return c["raw"]

    def scaled(self, event):
        c = self.counts[event]
        assert "absent" not in c and c["running_ns"] > 0, c
        return c["raw"] * c["enabled_ns"] / c["running_ns"]

    def absent(self, event):
        c = self.counts[event]
        assert "absent" in c and "raw" not in c, c
        return c["absent"]

    @property
    def sampling(self):
        assert len(self.document["samplings"]) == 1, self.document["samplings"]
        return self.document["samplings"][0]


def equal(got, expected, what):
    assert got == expected, f"{what}: {got}, not {expected}"


def near(got, expected, tolerance, what):
    assert abs(got - expected) <= tolerance, \
        f"{what}: {got}, not {expected} within {tolerance} (off by {got - expected})"


def between(got, low, high, what):
    assert low <= got <= high, f"{what}: {got}, not from {low} to {high}"


def node(report, name):
    found = [n for n in report["topdown"]["nodes"] if n["name"] == name]
    equal(len(found), 1, f"nodes called {name}")
    return found[0]


def tasks(run, event, key):
    """-> counts of one event by thread or process, largest first; their sum is the whole."""
    counts = [c for c in run.document["counts"] if c["event"] == event and key in c]
    equal(len(run.document["tasks"]), len(counts), f"tasks with {event}")
    raw = sorted((c["raw"] for c in counts), reverse=True)
    equal(sum(raw), run.count(event), f"{event} of all tasks")
    for time in ("enabled_ns", "running_ns"):
        equal(sum(c[time] for c in counts), run.counts[event][time], f"{time} of all tasks")
    return raw


def told_apart(run):
    """Linux 6.1 leaves no record of a thread that ends; then the run says so."""
    if "tasks" not in run.document:
        assert "tasks-not-counted" in run.notes, run.notes
    return "tasks" in run.document


def series(run, event):
    for s in run.document["series"]:
        if run.document["counts"][s["count_index"]]["event"] == event:
            return s
    raise AssertionError(f"no time line of {event}")


def folded(guest, run, event, machine):
    """-> weight by the innermost function."""
    text = subprocess.run([guest.slotwise, "export", guest.path(run + ".slotwise", machine),
                           "--format", "folded", "--event", event],
                          check=True, capture_output=True, text=True).stdout
    weights = {}
    for line in text.splitlines():
        stack, weight = line.rsplit(" ", 1)
        leaf = stack.rsplit(";", 1)[-1]
        weights[leaf] = weights.get(leaf, 0) + int(weight)
    return weights
