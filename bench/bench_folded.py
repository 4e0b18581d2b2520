# SPDX-License-Identifier: MIT
"""From perf.data to folded stacks: `slotwise export --format folded` next to `perf script` piped into
a stack collapser, by wall time of the whole pipe and by peak memory (perf's alone, without the
collapser's); and a perf.data of a gibibyte, which must not need a gibibyte of memory.

Collapsers are those found: inferno-collapse-perf and stackcollapse-perf.pl on PATH, the script
`stackcollapse` that comes with perf, and one in awk that does the least a collapser can do. The claim
is against the fastest; `perf script` runs with --no-inline, its faster way, though slotwise names
inlined functions too. slotwise keeps what it found out about binaries: its first round is a cold one."""
import os
import shlex
import shutil
import statistics
import struct

import bench_analysis
import measure

OWN_COLLAPSER = "/usr/lib/perf-core/scripts/python/stackcollapse.py"

# The least work: names of a stack joined and counted. FlameGraph's does this and much more.
AWK = r"""
/^[^ \t#]/ { comm = $1; stack = ""; period = 1
             for (i = 2; i < NF; i++) if ($i ~ /:$/) { period = $(i + 1); break } next }
/^$/       { if (comm != "") { sum[comm stack] += period; comm = "" } next }
           { sub(/^[ \t]*[0-9a-f]+ /, ""); sub(/ \([^ ]*\)$/, ""); sub(/\+0x[0-9a-f]+$/, "")
             stack = ";" $0 stack }
END        { for (s in sum) print s, sum[s] }
"""


def collapsers(perf, data, awk):
    """{name: shell pipeline} that writes folded stacks."""
    quoted = shlex.quote(data)
    script = f"{shlex.quote(perf)} script -f --no-inline -i {quoted} 2>/dev/null"
    found = {"perf script | awk": f"{script} | awk -f {shlex.quote(awk)}"}
    for name in ("inferno-collapse-perf", "stackcollapse-perf.pl"):
        if shutil.which(name):
            found[f"perf script | {name}"] = f"{script} | {name}"
    if os.path.exists(OWN_COLLAPSER):
        found["perf script -s stackcollapse.py"] = (
            f"{shlex.quote(perf)} script -f --no-inline -i {quoted} -s {OWN_COLLAPSER} 2>/dev/null")
    return found


def total(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return sum(int(line.rpartition(" ")[2]) for line in f if line.strip())


def compare(title, make, options, folder, claims):
    data, awk = folder("perf.data"), folder("collapse.awk")
    with open(awk, "w", encoding="ascii") as f:
        f.write(AWK)
    samples = make(data, options.samples)
    print(f"\n{title}: {samples} samples, {os.path.getsize(data) / 2**20:.1f} MiB of perf.data")
    arms = {name: ["sh", "-c", f"{line} > {shlex.quote(folder('theirs.folded'))}"]
            for name, line in collapsers(measure.need("perf"), data, awk).items()}
    ours, alone = "slotwise export", "perf script, printing only"
    arms[alone] = [measure.need("perf"), "script", "-f", "--no-inline", "-i", data]
    arms[ours] = [options.slotwise, "export", data, "--format", "folded", "-o",
                  folder("ours.folded")]
    costs = {name: [] for name in arms}
    for _ in range(options.rounds):
        for name, argv in arms.items():
            costs[name].append(measure.must(measure.run(argv), name))
            if name == "perf script | awk":
                weight = total(folder("theirs.folded"))
    for name, rounds in costs.items():
        print(f"  {name:38} {measure.spread([c.wall_s for c in rounds], 1e3, ' ms', 0):34}"
              f"  peak {measure.spread([c.peak_bytes for c in rounds], 2**-20, ' MiB')}")
    peer = min((n for n in arms if n not in (ours, alone)),
               key=lambda n: statistics.median(c.wall_s for c in costs[n]))
    times = measure.ratios([c.wall_s for c in costs[peer]], [c.wall_s for c in costs[ours]])
    memory = measure.ratios([c.peak_bytes for c in costs[ours]],
                            [c.peak_bytes for c in costs[alone]])
    cpu = measure.ratios([c.tree_cpu_s for c in costs[peer]], [c.tree_cpu_s for c in costs[ours]])
    print(f"  time, {peer} / slotwise    {measure.spread(times, digits=1)}")
    print(f"  CPU time, {peer} / slotwise    {measure.spread(cpu, digits=1)}")
    print(f"  peak memory, slotwise / perf   {measure.spread(memory, digits=2)}")
    claims.state("folded stacks at least 15 times faster", statistics.median(times) >= 15)
    claims.state("in less memory", statistics.median(memory) < 1)
    claims.state("of the same total weight", weight == total(folder("ours.folded")))
    return data


# ---- a large file -----------------------------------------------------------------------------

ATTRS, DATA = 24, 40  # struct perf_file_header: offset and size of the attrs, and of the records
SAMPLE_TYPE = 24      # in struct perf_event_attr
SAMPLE = 9
# Bits of sample_type: what stands before the time in a sample.
IDENTIFIER, IP, TID = 1 << 16, 1, 2


def samples_of(records, sample_type):
    """The samples among them, as bytes, and where in those their times stand: [(offset, time)]."""
    before = 8 + 8 * sum(bool(sample_type & bit) for bit in (IDENTIFIER, IP, TID))
    samples, places, at = bytearray(), [], 0
    while at < len(records):
        kind, _, size = struct.unpack_from("<IHH", records, at)
        if kind == SAMPLE:
            time, = struct.unpack_from("<Q", records, at + before)
            places.append((len(samples) + before, time))
            samples += records[at:at + size]
        at += size
    return samples, places


def grow(source, path, wanted_bytes):
    """The records, and their samples over and over, each time later, until the file has that many
    bytes. How often the samples are there."""
    with open(source, "rb") as f:
        head = bytearray(f.read())
    attrs, = struct.unpack_from("<Q", head, ATTRS)
    offset, size = struct.unpack_from("<QQ", head, DATA)
    sample_type, = struct.unpack_from("<Q", head, attrs + SAMPLE_TYPE)
    samples, places = samples_of(head[offset:offset + size], sample_type)
    span = max(time for _, time in places) - min(time for _, time in places) + 1
    copies = max(0, -(-(wanted_bytes - size) // len(samples)))
    struct.pack_into("<Q", head, DATA + 8, size + copies * len(samples))
    # Feature sections follow the records and hold offsets of the file: none is left.
    head[DATA + 32:DATA + 64] = bytes(32)
    with open(path, "wb") as f:
        f.write(head[:offset + size])
        for i in range(copies):
            for place, time in places:
                struct.pack_into("<Q", samples, place, time + (i + 1) * span)
            f.write(samples)
    return copies + 1


def large(data, options, folder, claims):
    path, small = folder("large.data"), folder("small.data")
    times = grow(data, path, options.mib << 20)
    grow(data, small, 1)
    argv = [options.slotwise, "export", "--format", "folded", "-o", folder("large.folded")]
    one = measure.must(measure.run([*argv[:2], small, *argv[2:]]), "slotwise export")
    base = total(folder("large.folded"))
    cost = measure.must(measure.run([*argv[:2], path, *argv[2:]]), "slotwise export")
    print(f"\n{os.path.getsize(path) / 2**20:.0f} MiB of perf.data: {cost.wall_s:.1f} s, "
          f"{os.path.getsize(path) / 2**20 / cost.wall_s:.0f} MiB/s, peak "
          f"{cost.peak_bytes / 2**20:.1f} MiB; the same records once: "
          f"{one.peak_bytes / 2**20:.1f} MiB")
    claims.state("a large perf.data in at most 64 MiB more than a small one",
                 cost.peak_bytes - one.peak_bytes <= 64 << 20)
    claims.state(f"and {times} times the weight", total(folder("large.folded")) == times * base)
    os.unlink(path)


def main():
    options = measure.arguments(__doc__, rounds=5, samples=100_000, mib=1024)
    claims = measure.Claims()
    with measure.Folder() as folder:
        data = compare("client with frame pointers", bench_analysis.record_framed, options, folder,
                       claims)
        large(data, options, folder, claims)
        compare("sqlite3", bench_analysis.record_sqlite3, options, folder, claims)
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
