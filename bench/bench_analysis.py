# SPDX-License-Identifier: MIT
"""From raw samples to something to look at: a perf.data of at least 100,000 samples to a finished SVG,
next to `perf script` alone printing that file; and how much smaller what slotwise keeps is.

`perf script` unrolls inlined functions unless told not to; both ways are shown, the claim is against
the faster."""
import os
import re
import shutil
import statistics

import measure

QUERY = ("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {rows}) "
         "SELECT count(*), sum(length(hex(x))) FROM n;")
# cpu-clock every 50 us: what perf falls back to without a PMU, at a rate kernels allow.
RECORD = ["record", "-q", "-e", "cpu-clock", "-c", "50000", "-g"]


def record(data, wanted, command, more):
    """Record `command(amount)` with a larger amount until there are `wanted` samples; how many."""
    perf, amount = measure.need("perf"), 1.0
    for _ in range(8):
        measure.must(measure.run([perf, *RECORD, *more, "-o", data, "--", *command(amount)]), "perf")
        listed = measure.must(measure.run([perf, "report", "-i", data, "--stats"]), "perf report")
        samples = int(re.search(r"SAMPLE events:\s*(\d+)", listed.stdout).group(1))
        if samples >= wanted:
            return samples
        amount *= max(1.3, 1.2 * wanted / max(samples, 1))
    raise SystemExit(f"could not record {wanted} samples, got {samples}")


def record_sqlite3(data, wanted):
    """An embedded client: a library without frame pointers, so shallow stacks."""
    sqlite3 = measure.need("sqlite3")
    return record(data, wanted, lambda amount: [sqlite3, ":memory:",
                                                QUERY.format(rows=int(3e6 * amount))], [])


def record_framed(data, wanted):
    """A client built with frame pointers: whole user stacks."""
    here = os.path.dirname(os.path.abspath(__file__))
    program = os.path.join(os.path.dirname(data), "framed")
    measure.must(measure.run([measure.need("cc"), "-O1", "-g", "-fno-omit-frame-pointer", "-o",
                              program, os.path.join(here, "clients", "framed.c")]), "cc")
    return record(data, wanted, lambda amount: [program, str(int(3e6 * amount))], [])


def record_pgbench(data, wanted):
    """A client and its server on the whole machine: deep kernel stacks, many processes."""
    pgbench = measure.need("pgbench")
    folder, port = measure.server("postgresql")
    login = ["-h", "127.0.0.1", "-p", port, "-U", "slotwise"]
    try:
        measure.must(measure.run([pgbench, *login, "-i", "-q", "-s", "5", "postgres"]), "pgbench -i")
        return record(data, wanted, lambda amount: [
            pgbench, *login, "-n", "-c", "4", "-T", str(int(4 * amount)), "postgres"], ["-a"])
    finally:
        measure.stop_server(folder)


def compare(title, make, options, folder, claims):
    data = folder("perf.data")
    samples = make(data, options.samples)
    print(f"\n{title}: {samples} samples, {os.path.getsize(data) / 2**20:.1f} MiB of perf.data")
    perf = measure.need("perf")
    arms = {
        "perf script": [perf, "script", "-f", "-i", data],
        "perf script --no-inline": [perf, "script", "-f", "--no-inline", "-i", data],
        "slotwise flamegraph": [options.slotwise, "flamegraph", data, "-o", folder("graph.svg")],
    }
    costs = {name: [] for name in arms}
    for i in range(options.rounds):
        for name, argv in arms.items():
            costs[name].append(measure.must(measure.run(argv), name))
    for name, rounds in costs.items():
        print(f"  {name:24} {measure.spread([c.wall_s for c in rounds], 1e3, ' ms', 0):34}"
              f"  peak {measure.spread([c.peak_bytes for c in rounds], 2**-20, ' MiB')}")
    faster_peer = min(("perf script", "perf script --no-inline"),
                      key=lambda n: statistics.median(c.wall_s for c in costs[n]))
    times = measure.ratios([c.wall_s for c in costs[faster_peer]],
                           [c.wall_s for c in costs["slotwise flamegraph"]])
    memory = measure.ratios([c.peak_bytes for c in costs["slotwise flamegraph"]],
                            [c.peak_bytes for c in costs[faster_peer]])
    cpu = measure.ratios([c.tree_cpu_s for c in costs[faster_peer]],
                         [c.tree_cpu_s for c in costs["slotwise flamegraph"]])
    print(f"  time, {faster_peer} / slotwise      {measure.spread(times, digits=1)}")
    print(f"  CPU time, {faster_peer} / slotwise  {measure.spread(cpu, digits=1)}")
    print(f"  peak memory, slotwise / {faster_peer}   {measure.spread(memory, digits=2)}")
    claims.state("finished SVG at least 10 times faster than perf script prints",
                 statistics.median(times) >= 10)
    claims.state("in less memory", statistics.median(memory) < 1)
    sizes(options, folder, data, claims)


def sizes(options, folder, data, claims):
    run = folder("run.slotwise")
    measure.must(measure.run([options.slotwise, "import", data, "-o", run]), "slotwise import")
    kept = {name: os.path.getsize(os.path.join(run, name)) for name in ("run.json", "profile.pb.gz")}
    ratio = os.path.getsize(data) / sum(kept.values())
    print("\n" + ", ".join(f"{name} {size / 1024:.1f} KiB" for name, size in kept.items())
          + f"; perf.data / both {ratio:.1f}")
    claims.state("run.json + profile.pb.gz at least 10 times smaller than perf.data", ratio >= 10)
    shutil.rmtree(run)


def main():
    options = measure.arguments(__doc__, rounds=5, samples=100_000)
    claims = measure.Claims()
    with measure.Folder() as folder:
        compare("client with frame pointers", record_framed, options, folder, claims)
        compare("sqlite3", record_sqlite3, options, folder, claims)
        compare("pgbench and PostgreSQL", record_pgbench, options, folder, claims)
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
