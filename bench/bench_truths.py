# SPDX-License-Identifier: MIT
"""Is what `slotwise compare` says true? A client of Redis whose cost, latency and batching are known
(tests/system/truth_client.c) is compared with a version of itself that differs in a known way, again
and again with another seed; how often each word was said, and how often the interval held the truth,
beside what docs/statistics.md promises. The client keeps Redis' own cost out of its CPU time; what
is noisy is the machine. The peer is the truth: no word may be said the other way.

`--rounds` is comparisons per truth, `--pairs` rounds of each command in one of them."""
import collections
import json
import math
import os
import shutil
import subprocess
import tempfile

import measure

TURNS, REQUESTS, BATCH = 24000, 2400, 16
Truth = collections.namedtuple("Truth", "title a b metric change wanted never options")
# change: what B/A is, None where nobody knows it exactly; wanted: the right word; never: wrong words

COST = "cpu_per_request"


def added(percent, wanted):
    """More work in a request. Starting the client and its system calls are the same in both, so that
    its CPU time rises by a little less: nothing beside 5 %, too much to be the truth at 20 %. On the
    margin itself each word may be said in one comparison of forty."""
    return Truth(f"{percent} % more work", {}, {"extra": percent}, COST,
                 1 + percent / 100 if percent <= 5 else None, wanted,
                 ("improved",) if percent >= 2 else ("improved", "regressed"), ())


TRUTHS = (
    Truth("the same client twice", {}, {}, COST, 1.0, "no-change", ("regressed", "improved"), ()),
    added(1, "no-change"),
    added(2, "inconclusive"),
    added(5, "regressed"),
    added(20, "regressed"),
    Truth("20 % more, half of all runs work 30 % more", {"modes": 30}, {"modes": 30, "extra": 20}, COST,
          None, "regressed", ("improved",), ()),
    Truth("the same, and each run works 1 % more than the one before", {"drift": "runs"},
          {"drift": "runs"}, COST, 1.0, "no-change", ("regressed", "improved"), ()),
    Truth("batches of 16 against one by one", {"batch": 1, "says": 16}, {}, "requests_per_flush", 16.0,
          "improved", ("regressed", "no-change"), ()),
    Truth("says it batches, and does not", {"batch": 1}, {"batch": 1, "says": 16},
          "requests_per_flush", 1.0, "no-change", ("regressed", "improved"), ()),
)
# 3 % of the answers take 600 us, or 1200 us with the others faster by as much.
SLOW_A, SLOW_B = ("30", "300", "600"), ("30", "281", "1200")
P99 = Truth("p99 doubled, the same mean", {"work": 100, "requests": 2200, "batch": 1},
            {"work": 100, "requests": 2200, "batch": 1}, "p99", None, "regressed", ("improved",), ())


def command(client, port, folder, settings):
    words = {"requests": REQUESTS, "batch": BATCH, "work": TURNS} | settings
    if "drift" in words:
        words["drift"] = os.path.join(folder, "runs")
    return " ".join([client, port, *(f"{name}={value}" for name, value in words.items())])


def compare(options, truth, ports, seed):
    """The row of the truth's metric in one comparison."""
    with tempfile.TemporaryDirectory() as folder:
        argv = [options.slotwise, "compare", "--rounds", str(options.pairs), "--seed", str(seed),
                "--aa", "no", "--no-sampling", "--format", "json", "-o",
                os.path.join(folder, "truth.compare"), *truth.options,
                "--a", command(options.client, ports[0], folder, truth.a),
                "--b", command(options.client, ports[1], folder, truth.b)]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=600, check=False)
        if done.returncode not in (0, 10, 11):
            raise SystemExit(f"{' '.join(argv)}: exit status {done.returncode}\n{done.stderr}")
        rows = json.loads(done.stdout)["metrics"]
        return next(row for row in rows if row["metric"] == truth.metric)


def holds(row, change):
    low, high = row["difference"]["ratio_low"], row["difference"]["ratio_high"]
    return low * (1 - 1e-9) <= change <= high * (1 + 1e-9)


def state(options, claims, truth, ports):
    words, held, halves = collections.Counter(), 0, []
    for i in range(options.rounds):
        row = compare(options, truth, ports, 1000 + i)
        words[row["judgement"]["word"]] += 1
        held += truth.change is not None and holds(row, truth.change)
        halves.append(math.log(row["difference"]["ratio_high"] / row["difference"]["ratio_low"]) / 2)
    said = ", ".join(f"{word} {count}" for word, count in words.most_common())
    truth_held = "" if truth.change is None else f"; the interval held the truth {held} times"
    print(f"  {truth.title}: {said} of {options.rounds}{truth_held}; half width "
          f"{measure.spread(halves, 100, ' %')}")
    claims.state(f"{truth.title}: never called {' or '.join(truth.never)}",
                 not any(words[word] for word in truth.never))


def with_slow_answers(options, claims):
    servers = [subprocess.Popen([options.client, "serve", *slow], stdout=subprocess.PIPE, text=True)
               for slow in (SLOW_A, SLOW_B)]
    try:
        state(options, claims, P99, [server.stdout.readline().strip() for server in servers])
    finally:
        for server in servers:
            server.kill()
            server.wait()


def main():
    options = measure.arguments(__doc__, rounds=20, pairs=12)
    build = os.path.dirname(os.path.dirname(options.slotwise))
    options.client = os.path.join(build, "tests", "system", "system_truth_client")
    if not os.access(options.client, os.X_OK):
        print(f"skipped: no {options.client} (it is built with the tests)")
        return 0
    if shutil.which("redis-server") is None:
        print("skipped: no redis-server")
        return 0
    claims = measure.Claims()
    folder, port = measure.server("redis")
    print(f"{options.rounds} comparisons of {options.pairs} pairs each; margin 2 %")
    try:
        for truth in TRUTHS:
            state(options, claims, truth, (port, port))
        with_slow_answers(options, claims)
    finally:
        measure.stop_server(folder)
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
