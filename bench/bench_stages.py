# SPDX-License-Identifier: MIT
"""What batching by stages changes in the built-in workload `stages`: request by request (a batch of
1) against runs of 8, 16 and 58 requests. Native throughput and CPU time, latency at a rate that is
the same for all arms, and instruction-cache misses per request as cachegrind models them (caches
only, no prefetching, no kernel; not a measurement), in larger caches too: what misses there tells
how much code a request goes through.

Arms of one round run back to back and in turning order; a ratio is of one round, and the interval is
that of the median of the ratios, with 95 % confidence."""
import json
import os
import re
import statistics

import measure

BATCHES = (1, 8, 16, 58)
LOAD = 0.8  # of what a batch of 1 reaches: the fixed rate
NO_WORSE, FEWER_MISSES = 1.0, 1.5
CACHES_KIB = (32, 64, 128)  # of the first level; the first is for the claim
OTHER_CACHES = ("--D1=32768,8,64", "--LL=8388608,16,64")


def arm(options, batch, *more):
    """One run of the workload, as its JSON says it."""
    cost = measure.must(measure.run([options.slotwise, "workload", "run", "stages", "--requests",
                                     str(options.requests), "--batch", str(batch), "--op",
                                     options.op, "--format", "json", *more]), f"batch of {batch}")
    return json.loads(cost.stdout)["runs"][0]


def turned(arms, n):
    return arms[n % len(arms):] + arms[:n % len(arms)]


def interval(values, digits=3):
    low, high = measure.median_interval(values)
    return f"{statistics.median(values):.{digits}f} [{low:.{digits}f} .. {high:.{digits}f}]"


def same_answers(runs):
    digests = {run["extras"]["digest of all answers"]["value"] for run in runs}
    if len(digests) != 1:
        raise SystemExit(f"the arms do not give the same answers: {digests}")


def throughput(options):
    """Prints; returns the ratios of the largest batch, and the requests/s of a batch of 1."""
    runs = {batch: [] for batch in BATCHES}
    for n in range(options.rounds):
        for batch in turned(BATCHES, n):
            runs[batch].append(arm(options, batch))
    same_answers([run for batch in BATCHES for run in runs[batch]])
    per_second = {b: [run["requests_per_second"] for run in runs[b]] for b in BATCHES}
    cpu = {b: [run["cpu_ns_per_request"] for run in runs[b]] for b in BATCHES}
    print(f"\nclosed loop, {options.requests} requests, {options.rounds} rounds; ratios to a batch of 1")
    for batch in BATCHES:
        wall = [1e9 / value for value in per_second[batch]]
        reached = statistics.mean(run["batch"]["mean"] for run in runs[batch])
        print(f"  batch {batch:3}: reached {reached:5.1f}, {measure.spread(wall, digits=0)} ns a request, "
              f"lowest {min(wall):.0f}")
        if batch != 1:
            print(f"             throughput {interval(measure.ratios(per_second[batch], per_second[1]))}, "
                  f"CPU time {interval(measure.ratios(cpu[batch], cpu[1]))}")
    return (measure.ratios(per_second[BATCHES[-1]], per_second[1]), statistics.median(per_second[1]))


def latency(options, rate):
    times = {batch: {"p50": [], "p99": []} for batch in (1, BATCHES[-1])}
    reached = {batch: [] for batch in times}
    for n in range(options.rounds):
        for batch in turned(tuple(times), n):
            run = arm(options, batch, "--rate", str(rate))
            for name, values in times[batch].items():
                values.append(run["latency_ns"][name] / 1000)
            reached[batch].append(run["batch"]["mean"])
    print(f"\nopen loop, {rate} requests/s arrive; latency counts from when a request was due")
    for batch, quantiles in times.items():
        print(f"  batch {batch:3}: reached {statistics.mean(reached[batch]):5.1f}, "
              + ", ".join(f"{name} {interval(values, 0)} us" for name, values in quantiles.items()))


def misses(options, valgrind, folder, cache_kib, batch, requests):
    """Instructions, and misses of the first-level instruction cache, of a whole execution"""
    program = os.path.join(os.path.dirname(options.slotwise), "slotwise-workload")
    if not os.access(program, os.X_OK):
        raise SystemExit(f"no program at {program}")
    cost = measure.must(measure.run([valgrind, "--tool=cachegrind", "--cache-sim=yes",
                                     f"--I1={cache_kib << 10},8,64", *OTHER_CACHES,
                                     "--cachegrind-out-file=" + folder("cachegrind.out"), program,
                                     "run", "stages", "--requests", str(requests), "--warm-up", "500",
                                     "--batch", str(batch), "--op", options.op]), "cachegrind")
    found = [re.search(pattern, cost.stderr) for pattern in (r"I\s+refs:\s+([\d,]+)",
                                                             r"I1\s+misses:\s+([\d,]+)")]
    if not all(found):
        raise SystemExit(f"cachegrind did not say it:\n{cost.stderr}")
    return [int(match.group(1).replace(",", "")) for match in found]


def a_request(options, valgrind, folder, cache_kib, batch):
    """Instructions and misses: two executions of different length, so that start and end cancel."""
    few, many = 2000, 6000
    pairs = zip(misses(options, valgrind, folder, cache_kib, batch, few),
                misses(options, valgrind, folder, cache_kib, batch, many))
    return [(more - less) / (many - few) for less, more in pairs]


def modelled(options):
    valgrind = measure.find_tool("valgrind")
    if not valgrind:
        print("\ninstruction cache: no valgrind")
        return None
    found = {}
    print("\ncachegrind's model of an 8-way first-level instruction cache, user mode, per request")
    with measure.Folder() as folder:
        for cache_kib in CACHES_KIB:
            for batch in BATCHES if cache_kib == CACHES_KIB[0] else (1, BATCHES[-1]):
                instructions, missed = a_request(options, valgrind, folder, cache_kib, batch)
                found[cache_kib, batch] = missed
                print(f"  {cache_kib:3} KiB, batch {batch:3}: {instructions:.0f} instructions, "
                      f"{missed:.0f} misses, {missed / instructions * 1000:.1f} per thousand",
                      flush=True)
    return found[CACHES_KIB[0], 1] / found[CACHES_KIB[0], BATCHES[-1]]


def main():
    options = measure.arguments(__doc__, rounds=15, requests=60000, rate=0, op="mixed")
    ratios, capacity = throughput(options)
    latency(options, options.rate or int(LOAD * capacity / 1000) * 1000)
    factor = modelled(options)
    claims = measure.Claims()
    low, high = measure.median_interval(ratios)
    print()
    claims.state(f"batches of {BATCHES[-1]} are no slower than request by request",
                 True if low >= NO_WORSE else False if high < NO_WORSE else None)
    if factor is not None:
        claims.state(f"{factor:.1f} times fewer modelled instruction-cache misses, at least "
                     f"{FEWER_MISSES}", factor >= FEWER_MISSES)
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
