# SPDX-License-Identifier: MIT
"""The three modes of the workload coalesce - a blocking call for each request, a pool of connections, a
coalescing worker - on SQLite and on a private PostgreSQL, with every commit synced to disk: as fast as
answers come, at a fixed rate, and with reads among the writes.

Arms of one round run back to back and in turning order. Throughput, latency, CPU time and context
switches are those the workload prints; CPU time and switches are the client's alone (SQLite is in the
client). At a fixed rate requests arrive whether answers came or not, and latency counts from when they
were due."""
import collections
import json

import measure

Bench = collections.namedtuple("Bench", "title arms claims")
# claims: arm -> how many times the base's throughput it has to reach

DRIVERS, BASE = ("sqlite", "postgres"), "blocking"
BENCHES = (
    Bench("inserts of 64 callers, as fast as answers come", {
        "blocking": ("--mode", "blocking", "--requests", "4000"),
        "pool of 8": ("--mode", "pool", "--connections", "8", "--requests", "6000"),
        "worker": ("--mode", "worker", "--requests", "60000"),
    }, {"worker": 5.0}),
    Bench("inserts that arrive at 2,000/s", {
        "blocking": ("--mode", "blocking", "--rate", "2000", "--requests", "3000"),
        "pool of 8": ("--mode", "pool", "--connections", "8", "--rate", "2000", "--requests",
                      "3000"),
        "worker": ("--mode", "worker", "--rate", "2000", "--requests", "3000"),
    }, {}),
    Bench("half reads, half updates, uneven choice of 10,000 rows", {
        "blocking": ("--mode", "blocking", "--op", "mixed", "--requests", "6000"),
        "pool of 8": ("--mode", "pool", "--connections", "8", "--op", "mixed", "--requests",
                      "6000"),
        "worker": ("--mode", "worker", "--op", "mixed", "--requests", "30000"),
    }, {}),
)

COLUMNS = (  # heading, key of run(), digits, whether a ratio tells something
    ("requests/s", "rate", 0, True),
    ("half wait at most us", "p50", 0, False),
    ("99 % wait at most us", "p99", 0, False),
    ("CPU us a request", "cpu", 1, True),
    ("switches a request", "switches", 2, True),
    ("mean batch", "batch", 1, False),
)


def run(slotwise, bench, arm, where):
    argv = [slotwise, "workload", "run", "coalesce", "--format", "json", *where, *bench.arms[arm]]
    document = json.loads(whole(argv))["runs"][0]
    done = document["outcomes"]["done"] + document["outcomes"]["not found"]
    if done != document["requests"]:
        raise SystemExit(f"{' '.join(argv)}: not all is done: {document['outcomes']}")
    return {"rate": document["requests_per_second"],
            "p50": document["latency_ns"]["p50"] / 1e3,
            "p99": document["latency_ns"]["p99"] / 1e3,
            "cpu": document["cpu_ns_per_request"] / 1e3,
            "switches": document["switches_per_request"],
            "batch": document["batch"]["mean"]}


def whole(argv):
    return measure.must(measure.run(argv), " ".join(argv)).stdout


def measure_all(slotwise, bench, where, rounds, folder):
    """arm -> [numbers of one round]"""
    results, names = {arm: [] for arm in bench.arms}, list(bench.arms)
    for turn in range(rounds):
        for arm in names[turn % len(names):] + names[:turn % len(names)]:
            folder.clear()
            results[arm].append(run(slotwise, bench, arm, where))
    return results


def tell(bench, results, claims):
    for heading, key, digits, compared in COLUMNS:
        print(f"  {heading}")
        for arm, runs in results.items():
            values = [r[key] for r in runs]
            told = f"    {arm:10} {measure.spread(values, digits=digits)}"
            if compared and arm != BASE:
                bases = [r[key] for r in results[BASE]]
                told += f"; to {BASE} {measure.spread(measure.ratios(values, bases), digits=2)}"
            print(told)
    for arm, times in bench.claims.items():
        ratios = measure.ratios([r["rate"] for r in results[arm]],
                                [r["rate"] for r in results[BASE]])
        low, high = measure.median_interval(ratios)
        met = True if low >= times else False if high < times else None
        claims.state(f"{arm} at least {times:.0f} times {BASE}", met)


def main():
    options = measure.arguments(__doc__, rounds=7, only="")
    claims = measure.Claims()
    pg_folder, port = measure.server("postgresql")
    try:
        with measure.Folder() as folder:
            places = {"sqlite": ("--connect", folder("rows.db"), "--durable", "full"),
                      "postgres": ("--connect", f"127.0.0.1:{port}", "--user", "slotwise",
                                   "--database", "postgres", "--durable", "on")}
            for bench in BENCHES:
                for driver in DRIVERS:
                    title = f"{bench.title}, {driver}"
                    if options.only not in title:
                        continue
                    print(f"\n{title}", flush=True)
                    where = ("--driver", driver, *places[driver])
                    tell(bench, measure_all(options.slotwise, bench, where, options.rounds, folder),
                         claims)
    finally:
        measure.stop_server(pg_folder)
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
