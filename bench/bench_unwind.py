# SPDX-License-Identifier: MIT
"""Whole stacks from copies: at least 50,000 samples of `perf record --call-graph dwarf` of pgbench over
TLS to a finished SVG, next to `perf script` alone printing that file; how many stacks each completes, and
on how many they agree; and what tables of unwind information cost the first time and the second.

`perf script` unrolls inlined functions unless told not to; the claim is against the faster way."""
import collections
import json
import os
import re
import statistics
import subprocess

import measure
import test_unwind  # measure puts tests/system on the path

COPY_BYTES = 16384


def binary(name):
    """Not Debian's wrapper, which starts the program from perl."""
    base = "/usr/lib/postgresql"
    for version in sorted(os.listdir(base), reverse=True) if os.path.isdir(base) else []:
        path = os.path.join(base, version, "bin", name)
        if os.access(path, os.X_OK):
            return path
    return measure.need(name)


def record(data, wanted):
    perf, pgbench, seconds = measure.need("perf"), binary("pgbench"), 10.0
    script = os.path.join(measure.ROOT, "scripts", "server")
    done = subprocess.run([script, "start", "--tls", "postgresql"], capture_output=True, text=True,
                          timeout=120, check=True)
    folder, port, _ = done.stdout.split()
    login = f"sslmode=require host=127.0.0.1 port={port} user=slotwise dbname=postgres"
    try:
        measure.must(measure.run([pgbench, "-i", "-q", login]), "pgbench -i")
        for _ in range(8):
            # Larger rings than perf's own, so that little is lost: 16 KiB a sample.
            measure.must(measure.run([
                perf, "record", "-q", "-m", "4096", "-F", "4999", "-e", "cpu-clock", "--call-graph",
                f"dwarf,{COPY_BYTES}", "-o", data, "--", pgbench, "-S", "-n", "-c", "8", "-j", "2",
                "-T", str(int(seconds)), login]), "perf record")
            listed = measure.must(measure.run([perf, "report", "-f", "-i", data, "--stats"]),
                                  "perf report")
            samples = int(re.search(r"SAMPLE events:\s*(\d+)", listed.stdout).group(1))
            if samples >= wanted:
                return samples
            seconds *= max(1.3, 1.2 * wanted / max(samples, 1))
        raise SystemExit(f"could not record {wanted} samples, got {samples}")
    finally:
        measure.stop_server(folder)


def time_both(options, folder, data, claims):
    perf = measure.need("perf")
    cache = folder("cache")
    os.environ["XDG_CACHE_HOME"] = cache
    arms = {
        "perf script": [perf, "script", "-f", "-i", data],
        "perf script --no-inline": [perf, "script", "-f", "--no-inline", "-i", data],
        "slotwise flamegraph": [options.slotwise, "flamegraph", data, "-o", folder("graph.svg")],
    }
    costs = collections.defaultdict(list)
    for _ in range(options.rounds):
        for name, argv in arms.items():
            costs[name].append(measure.must(measure.run(argv), name))
    for name, rounds in costs.items():
        print(f"  {name:24} {measure.spread([c.wall_s for c in rounds], 1e3, ' ms', 0):34}"
              f"  peak {measure.spread([c.peak_bytes for c in rounds], 2**-20, ' MiB')}")
    peer = min(("perf script", "perf script --no-inline"),
               key=lambda n: statistics.median(c.wall_s for c in costs[n]))
    ours = costs["slotwise flamegraph"]
    times = measure.ratios([c.wall_s for c in costs[peer]], [c.wall_s for c in ours])
    cpu = measure.ratios([c.tree_cpu_s for c in costs[peer]], [c.tree_cpu_s for c in ours])
    memory = measure.ratios([c.peak_bytes for c in ours], [c.peak_bytes for c in costs[peer]])
    print(f"  time, {peer} / slotwise      {measure.spread(times, digits=1)}")
    print(f"  CPU time, {peer} / slotwise  {measure.spread(cpu, digits=1)}")
    print(f"  peak memory, slotwise / {peer}  {measure.spread(memory, digits=2)}")
    claims.state("finished SVG at least 10 times faster than perf script prints",
                 statistics.median(times) >= 10)
    claims.state("in less memory", statistics.median(memory) < 1)


def compare_stacks(options, folder, data, claims):
    run = folder("run.slotwise")
    measure.must(measure.run([options.slotwise, "import", data, "-o", run]), "slotwise import")
    ours, perfs = test_unwind.our_stacks(run), test_unwind.perf_stacks(data)
    whole = collections.Counter({k: n for k, n in perfs.items() if test_unwind.is_complete(k[1])})
    mine = sum(n for key, n in ours.items() if test_unwind.is_complete(key[1]))
    theirs = sum(whole.values())
    both = sum(min(n, ours[key]) for key, n in whole.items())
    with open(os.path.join(run, "run.json"), encoding="utf-8") as f:
        print(f"  run.json: {json.load(f)['unwindings'][0]}")
    print(f"  stacks that reach a start with a name: slotwise {mine}, perf {theirs}; of perf's, "
          f"{100 * both / theirs:.2f} % are the same here, function by function")
    claims.state("at least as many complete stacks as perf", mine >= theirs)
    claims.state("the same functions in at least 99 % of those both complete", both >= 0.99 * theirs)


def time_tables(options, folder, claims):
    program = os.path.join(os.path.dirname(os.path.dirname(options.slotwise)), "bench", "unwind",
                           "bench_unwind_tables")
    if not os.access(program, os.X_OK):
        print(f"no {program}: built with the tests")
        return
    client = binary("pgbench")
    listed = subprocess.run(["ldd", client], capture_output=True, text=True, check=True).stdout
    files = [client] + re.findall(r"(/\S+\.so\S*)", listed)
    ratios, first, second = [], [], []
    for i in range(options.rounds):
        done = measure.must(measure.run([program, folder(f"tables{i}"), *files]), "tables")
        rows = [row for row in map(json.loads, done.stdout.splitlines()) if row["kept"]]
        first.append(sum(row["make_ns"] + row["keep_ns"] for row in rows))
        second.append(sum(row["load_ns"] for row in rows))
        ratios.append(sum(row["make_ns"] for row in rows) / second[-1])
    print(f"\n{os.path.basename(client)} and its libraries: {len(rows)} tables kept, "
          f"{sum(row['rows'] for row in rows)} rows")
    print(f"  first use, made and kept  {measure.spread(first, 1e-6, ' ms')}")
    print(f"  second use, loaded        {measure.spread(second, 1e-6, ' ms', 2)}")
    print(f"  made / loaded             {measure.spread(ratios)}")
    claims.state("second use of the cache at least 5 times faster than the first",
                 statistics.median(ratios) >= 5)


def main():
    options = measure.arguments(__doc__, rounds=5, samples=50_000)
    claims = measure.Claims()
    with measure.Folder() as folder:
        data = folder("perf.data")
        samples = record(data, options.samples)
        print(f"\npgbench -S over TLS: {samples} samples, "
              f"{os.path.getsize(data) / 2**20:.1f} MiB of perf.data")
        time_both(options, folder, data, claims)
        compare_stacks(options, folder, data, claims)
        time_tables(options, folder, claims)
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
