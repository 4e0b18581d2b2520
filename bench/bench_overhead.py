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
    results = {name: [] for name in chosen}
    names, chance = list(chosen), random.Random(options.seed)
    for _ in range(options.rounds):
        chance.shuffle(names)  # an order that repeats would follow whatever drifts in step with it
        for name in names:
            one(kind, name, chosen[name], command, folder, results)
    return results


def tell(title, results, claims):
    print(f"\n{title}")
    column = {name: list(zip(*rows)) for name, rows in results.items()}
    for name, (speed, own, collecting, spooled) in column.items():
        print(f"  {name:12} {measure.spread(speed, unit='/s', digits=0):38}"
              + ("" if name == "alone" else f"  CPU {measure.spread(own, 1e3, ' ms')}"
                 f"  collecting {measure.spread(collecting, 1e3, ' ms')}"
                 f"  wrote {statistics.median(spooled) / 1e6:.1f} MB"))
    faster = measure.ratios(column["slotwise"][0], column["perf"][0])
    cheaper = measure.ratios(column["slotwise"][1], column["perf"][1])
    collect = measure.ratios(column["slotwise"][2], column["perf -B -N"][2])
    print(f"  throughput, slotwise / perf                    {measure.spread(faster, digits=3)}")
    print(f"  throughput, with taps / perf                   "
          f"{measure.spread(measure.ratios(column['with taps'][0], column['perf'][0]), digits=3)}")
    for what, field in (("throughput", 0), ("CPU while collecting", 2), ("bytes written", 3)):
        pair = measure.ratios(column["stacks"][field], column["perf dwarf"][field])
        print(f"  {what + ', stacks / perf dwarf':46} {measure.spread(pair, digits=3)}")
    print(f"  throughput, slotwise / alone                   "
          f"{measure.spread(measure.ratios(column['slotwise'][0], column['alone'][0]), digits=3)}")
    print(f"  CPU of the whole profiler, slotwise / perf     {measure.spread(cheaper, digits=2)}")
    print(f"  CPU while collecting, slotwise / perf -B -N    {measure.spread(collect, digits=2)}")
    low, high = measure.median_interval(faster)
    claims.state(f"client throughput not below perf's by more than {MARGIN:.0%}: the median ratio lies in "
                 f"{low:.3f} .. {high:.3f} (95 %)",
                 True if low > 1 - MARGIN else False if high < 1 - MARGIN else None)
    claims.state("collector CPU time not above perf's", statistics.median(collect) <= 1)
    copied = [measure.ratios(column["stacks"][i], column["perf dwarf"][i]) for i in (0, 2)]
    low, high = measure.median_interval(copied[0])
    claims.state(f"the same with copied stacks: {low:.3f} .. {high:.3f}",
                 True if low > 1 - MARGIN else False if high < 1 - MARGIN else None)
    claims.state("and their CPU time", statistics.median(copied[1]) <= 1)


def postgresql(options, folder, claims):
    pgbench = measure.need("pgbench")
    data, port = measure.server("postgresql")
    try:
        login = ["-h", "127.0.0.1", "-p", port, "-U", "slotwise"]
        measure.must(measure.run([pgbench, *login, "-i", "-q", "-s", "10", "postgres"]), "pgbench -i")
        for title, extra in (("pgbench -S", ["-S"]), ("pgbench, TPC-B", [])):
            command = [pgbench, *login, "-n", *extra, "-c", "4", "-T", str(options.seconds),
                       "postgres"]
            tell(f"{title}, {options.seconds} s a round", rounds("pgbench", command, options, folder),
                 claims)
    finally:
        measure.stop_server(data)


def redis(options, folder, claims):
    tool = measure.need("redis-benchmark")
    data, port = measure.server("redis")
    try:
        for pipeline, requests in (("1", 50000), ("16", 500000)):
            command = [tool, "-h", "127.0.0.1", "-p", port, "-t", "set", "-P", pipeline, "-n",
                       str(requests * options.seconds), "-q"]
            tell(f"redis-benchmark SET -P {pipeline}", rounds("redis", command, options, folder),
                 claims)
    finally:
        measure.stop_server(data)


def main():
    options = measure.arguments(__doc__, rounds=40, seconds=2, seed=1)
    claims = measure.Claims()
    with measure.Folder() as folder:
        redis(options, folder, claims)
        postgresql(options, folder, claims)
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
