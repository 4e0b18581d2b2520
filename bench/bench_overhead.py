# SPDX-License-Identifier: MIT
"""What profiling costs a client: `slotwise profile` next to `perf record -F 997`, both around pgbench
against a real PostgreSQL and around redis-benchmark, in rounds of random order. Like is compared with
like: callers by frame pointers with -g, copied stacks with --call-graph dwarf and as many bytes.

Throughput is what the client itself prints. Collector CPU is the profiler's own process, whole: for
slotwise that includes symbolizing and the report, for perf writing build ids. `collecting` is
slotwise's own account between start and stop, next to a perf that leaves build ids out."""
import json
import os
import random
import re
import statistics

import measure

# "Not below" needs a margin: no number of rounds shows two things equal. This one is a third of what one
# round of one arm varies by here.
MARGIN = 0.03
STACK_BYTES = 24576  # slotwise's default
SLOTWISE = ("slotwise", "stacks", "with taps")
# Rows of the report: what, arm, the arm it is divided by, its place in a result.
COMPARED = (
    ("throughput", "slotwise", "perf", 0),
    ("throughput", "stacks", "perf dwarf", 0),
    ("throughput", "with taps", "perf", 0),
    ("throughput", "slotwise", "alone", 0),
    ("CPU of the whole profiler", "slotwise", "perf", 1),
    ("CPU while collecting", "slotwise", "perf -B -N", 2),
    ("CPU while collecting", "stacks", "perf dwarf", 2),
    ("bytes written", "stacks", "perf dwarf", 3),
)
LIKE = (("slotwise", "perf"), ("stacks", "perf dwarf"))
LIKE_COLLECTING = (("slotwise", "perf -B -N"), ("stacks", "perf dwarf"))
THROUGHPUT = {"pgbench": r"tps = ([0-9.]+)", "redis": r"([0-9.]+) requests per second"}


def throughput(kind, text):
    found = re.findall(THROUGHPUT[kind], text.replace("\r", "\n"))
    if not found:
        raise SystemExit(f"{kind} printed no throughput:\n{text}")
    return float(found[-1])


def arms(slotwise, folder):
    """name -> (words before the client's, what to look at afterwards)"""
    run, data = folder("run.slotwise"), folder("perf.data")
    perf = measure.need("perf")
    return {
        "alone": [],
        "perf": [perf, "record", "-q", "-F", "997", "-g", "-o", data, "--"],
        "perf -B -N": [perf, "record", "-q", "-B", "-N", "-F", "997", "-g", "-o", data, "--"],
        "perf dwarf": [perf, "record", "-q", "-B", "-N", "-F", "997", "--call-graph",
                       f"dwarf,{STACK_BYTES}", "-o", data, "--"],
        # What perf record does, twice, and all that slotwise does by default.
        "slotwise": [slotwise, "profile", "-F", "997", "--call-graph", "fp", "--wire", "no",
                     "--offcpu", "no", "-o", run, "--"],
        "stacks": [slotwise, "profile", "-F", "997", "--call-graph", "dwarf", "--wire", "no",
                   "--offcpu", "no", "-o", run, "--"],
        "with taps": [slotwise, "profile", "-F", "997", "-o", run, "--"],
    }


def one(kind, name, prefix, command, folder, results):
    folder.clear()
    cost = measure.must(measure.run([*prefix, *command]), name)
    own = cost.own_cpu_s if prefix else 0.0
    collecting, spooled = own, 0
    if name in SLOTWISE:
        with open(folder("run.slotwise/run.json"), encoding="utf-8") as f:
            self_cost = json.load(f)["self"]
        spooled = self_cost["spool_bytes"]
        collecting = sum(measure.number(self_cost[key]) for key in ("user_ns", "system_ns")) / 1e9
    elif prefix:
        spooled = os.path.getsize(folder("perf.data"))
    results[name].append((throughput(kind, cost.stdout + cost.stderr), own, collecting, spooled))


def rounds(kind, command, options, folder):
    chosen = arms(options.slotwise, folder)
    wanted = options.arms.split(",") if options.arms else list(chosen)
    if unknown := [name for name in wanted if name not in chosen]:
        raise SystemExit(f"no arm {', '.join(unknown)}; there are: {', '.join(chosen)}")
    chosen = {name: chosen[name] for name in wanted}
    results = {name: [] for name in chosen}
    names, chance = list(chosen), random.Random(options.seed)
    for _ in range(options.rounds):
        chance.shuffle(names)  # an order that repeats would follow whatever drifts in step with it
        for name in names:
            one(kind, name, chosen[name], command, folder, results)
    return results


def tell(title, results, claims, together):
    print(f"\n{title}")
    column = {name: list(zip(*rows)) for name, rows in results.items()}
    for name, (speed, own, collecting, spooled) in column.items():
        print(f"  {name:12} {measure.spread(speed, unit='/s', digits=0):38}"
              + ("" if name == "alone" else f"  CPU {measure.spread(own, 1e3, ' ms')}"
                 f"  collecting {measure.spread(collecting, 1e3, ' ms')}"
                 f"  wrote {statistics.median(spooled) / 1e6:.1f} MB"))
    for what, one_arm, other, field in COMPARED:
        if one_arm in column and other in column:
            pair = measure.ratios(column[one_arm][field], column[other][field])
            low, high = measure.median_interval(pair)
            print(f"  {f'{what}, {one_arm} / {other}':50} {measure.spread(pair, digits=3)}"
                  f"  median in {low:.3f} .. {high:.3f}")
            judge(what, one_arm, other, pair, claims, together)


def judge(what, one_arm, other, pair, claims, together):
    """Claims are for like against like; the other rows are there to be read. together gets the ratios of
    this client's rounds: {(arm, other): [ratio]}."""
    if (one_arm, other) in LIKE and what == "throughput":
        together.setdefault((one_arm, other), []).extend(pair)
        not_below(f"client throughput under {one_arm}", other, pair, claims)
    if (one_arm, other) in LIKE_COLLECTING and what == "CPU while collecting":
        claims.state(f"CPU time of {one_arm} not above that of {other}", statistics.median(pair) <= 1)


def not_below(what, other, pair, claims):
    low, high = measure.median_interval(pair)
    claims.state(f"{what} not below that under {other} by more than {MARGIN:.0%}: {low:.3f} .. {high:.3f}",
                 True if low > 1 - MARGIN else False if high < 1 - MARGIN else None)


def tell_all_clients(together, claims):
    """One client's rounds often cannot tell 3 %; those of all together can."""
    print("\nall clients together")
    for (one_arm, other), pair in together.items():
        print(f"  {f'throughput, {one_arm} / {other}':50} {measure.spread(pair, digits=3)}")
        not_below(f"client throughput under {one_arm}", other, pair, claims)


def postgresql(options, folder, claims, together):
    pgbench = measure.need("pgbench")
    data, port = measure.server("postgresql")
    try:
        login = ["-h", "127.0.0.1", "-p", port, "-U", "slotwise"]
        measure.must(measure.run([pgbench, *login, "-i", "-q", "-s", "10", "postgres"]), "pgbench -i")
        for title, extra in (("pgbench -S", ["-S"]), ("pgbench, TPC-B", [])):
            command = [pgbench, *login, "-n", *extra, "-c", "4", "-T", str(options.seconds),
                       "postgres"]
            tell(f"{title}, {options.seconds} s a round", rounds("pgbench", command, options, folder),
                 claims, together)
    finally:
        measure.stop_server(data)


def redis(options, folder, claims, together):
    tool = measure.need("redis-benchmark")
    data, port = measure.server("redis")
    try:
        for pipeline, requests in (("1", 50000), ("16", 500000)):
            command = [tool, "-h", "127.0.0.1", "-p", port, "-t", "set", "-P", pipeline, "-n",
                       str(requests * options.seconds), "-q"]
            tell(f"redis-benchmark SET -P {pipeline}", rounds("redis", command, options, folder),
                 claims, together)
    finally:
        measure.stop_server(data)


def main():
    options = measure.arguments(__doc__, rounds=40, seconds=2, seed=1, arms="")
    claims, together = measure.Claims(), {}
    with measure.Folder() as folder:
        redis(options, folder, claims, together)
        postgresql(options, folder, claims, together)
    tell_all_clients(together, claims)
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
