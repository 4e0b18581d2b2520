# SPDX-License-Identifier: MIT
"""Batching off against on in the built-in workloads: throughput, latency, CPU time and context switches
of a request, on SQLite and on private servers. The two arms of a round run back to back, in an order
that alternates; a ratio is of one round, and the interval is that of the median of the ratios, with
95 % confidence. The workload `stages` has a bench of its own (bench_stages.py)."""
import json
import statistics

import measure

SERVERS = {"postgres": "postgresql", "mariadb": "mariadb", "redis": "redis"}
DRIVERS = ("sqlite", *SERVERS)
ALL_SLOW = ("--submit", "callback", "--event", "eager", "--callbacks", "two-locks", "--parameters",
            "separate", "--vector", "elements")

# family, what is switched, drivers, requests, options of both, off, on, claimed ratio of throughput
COMPARISONS = (
    ("coalesce", "a blocking call each, against a worker", DRIVERS, 4000,
     ("--callers", "64", "--op", "insert"), ("--mode", "blocking"), ("--mode", "worker"), 5),
    ("coalesce", "8 connections, against a worker", DRIVERS, 4000,
     ("--callers", "64", "--op", "insert"), ("--mode", "pool", "--connections", "8"),
     ("--mode", "worker"), None),
    ("submit", "from the callback, against from a thread", DRIVERS, 20000, (),
     ("--submit", "callback"), ("--submit", "thread"), 1),
    ("submit", "all of the ancestor's changes", DRIVERS, 20000, (), ALL_SLOW, (), 1),
    *(("shards", f"one lock held, against sharded and released, {n} thread{'s' * (n > 1)}", (None,),
       1000000, ("--threads", str(n)), ("--map", "one-lock", "--lock", "held"),
       ("--map", "sharded", "--lock", "released"), 1 if n > 1 else None) for n in (1, 2, 4, 8)),
    ("shards", "one lock, against sharded, both released, 4 threads", (None,), 1000000,
     ("--threads", "4"), ("--map", "one-lock"), ("--map", "sharded"), None),
    ("shards", "serialized twice, against once", (None,), 1000000, ("--threads", "2"),
     ("--serialize", "twice"), ("--serialize", "once"), 1),
)


class Places:
    """Where each driver connects to; servers are started when they are first needed."""

    def __init__(self, folder):
        self.folder, self.running = folder, {}

    def options(self, driver):
        if driver is None:
            return ()
        if driver == "sqlite":  # on a disk, so that syncing costs what it costs
            return ("--driver", driver, "--connect", self.folder("database"))
        if driver not in self.running:
            self.running[driver] = measure.server(SERVERS[driver])
        user = {"postgres": ("--user", "slotwise", "--database", "postgres"),
                "mariadb": ("--user", "root")}
        return ("--driver", driver, "--connect", "127.0.0.1:" + self.running[driver][1],
                *user.get(driver, ()))

    def stop(self):
        for folder, _ in self.running.values():
            measure.stop_server(folder)


def run(options, family, requests, *words):
    cost = measure.must(measure.run([options.slotwise, "workload", "run", family, "--format", "json",
                                     "--requests", str(requests), *words]), f"{family} {words}")
    return json.loads(cost.stdout)["runs"][0]


def compare(options, family, requests, both, off, on):
    """[(run of off, run of on), ...]"""
    rounds = []
    for n in range(options.rounds):
        arms = [(0, off), (1, on)]
        pair = [None, None]
        for place, words in arms[::-1] if n % 2 else arms:
            pair[place] = run(options, family, requests, *both, *words)
        rounds.append(pair)
    return rounds


def middle(runs, *path, scale=1.0):
    values = []
    for r in runs:
        for key in path:
            r = r.get(key) if r else None
        if r is not None:
            values.append(r * scale)
    return statistics.median(values) if values else None


def told(value, digits=1):
    return "-" if value is None else f"{value:.{digits}f}"


def print_arm(name, runs):
    print(f"    {name:4} {told(middle(runs, 'requests_per_second'), 0):>9}/s"
          f"  p50 {told(middle(runs, 'latency_ns', 'p50', scale=1e-3)):>9} us"
          f"  p99 {told(middle(runs, 'latency_ns', 'p99', scale=1e-3)):>9} us"
          f"  CPU {told(middle(runs, 'cpu_ns_per_request', scale=1e-3), 2):>7} us"
          f"  switches {told(middle(runs, 'switches_per_request'), 2):>5}"
          f"  batch {told(middle(runs, 'batch', 'mean')):>6}")


def show(rounds, driver, claimed, what, claims):
    off, on = ([pair[i] for pair in rounds] for i in (0, 1))
    ratios = measure.ratios([r["requests_per_second"] for r in on],
                            [r["requests_per_second"] for r in off])
    low, high = measure.median_interval(ratios)
    cpu = measure.ratios([r["cpu_ns_per_request"] for r in on], [r["cpu_ns_per_request"] for r in off])
    print(f"  {driver or 'client only'}: throughput {statistics.median(ratios):.2f} "
          f"[{low:.2f} .. {high:.2f}], CPU time {statistics.median(cpu):.2f}")
    print_arm("off", off)
    print_arm("on", on)
    durability = on[0].get("durability")
    if durability:
        print(f"    acknowledged means: {durability}")
    if claimed is not None:
        met = True if low >= claimed else False if high < claimed else None
        claims.state(f"{what} on {driver or 'the client'}: at least {claimed} times", met)


def main():
    options = measure.arguments(__doc__, rounds=7, only="", drivers="")
    claims = measure.Claims()
    with measure.Folder() as folder:
        places = Places(folder)
        try:
            for family, what, drivers, requests, both, off, on, claimed in COMPARISONS:
                if options.only and options.only != family:
                    continue
                print(f"\n{family}: {what}", flush=True)
                for driver in drivers:
                    if options.drivers and driver and driver not in options.drivers.split(","):
                        continue
                    rounds = compare(options, family, requests, (*places.options(driver), *both), off,
                                     on)
                    show(rounds, driver, claimed, what, claims)
        finally:
            places.stop()
    raise SystemExit(1 if options.check and claims.unmet else 0)


if __name__ == "__main__":
    main()
