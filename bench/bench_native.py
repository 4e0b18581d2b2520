# SPDX-License-Identifier: MIT
"""Cycles of a described core against cycles of this machine, on 20 programs: ten loops of known
behaviour, the workload `stages` at four batches and two kinds of request, sqlite3 and gzip. There may be
no PMU: native cycles are user CPU time times a frequency, and the frequency is that at which a chain of
additions, one cycle each, runs in turn with them. Of each point the least counts: what else the machine
does makes times longer only, and each runs before everything else where that is allowed. Of programs two executions of different length are subtracted, so that start
and end cancel, and both sides repeat the same work; kernel time is taken out by its share of the ticks of
all rounds. Libraries are told to choose the code they choose on the CPU the carrier shows (no AVX-512, no
SHA instructions).

What differs between machines with this core (the sources of its description call it "machine", and page
walks, which in a guest go through two levels of tables) is measured beside, by loops that are not
among the points, and takes the place of what the description says; --described yes leaves it.

Says something only where the described core is the one of this machine (--core), and only about the sum
of cycles: where they go cannot be checked without a PMU."""
import collections
import json
import os
import shutil
import statistics

import bench_simulated
import carrier
import measure

BATCHES = (1, 8, 16, 58)
OPS = ("mixed", "read")
KERNELS = {  # rounds natively, at a time; simulated
    "adds": (100000, 20000), "chase": (20000, 20000), "branches": (100000, 100000), "code": (15, 15),
    "divide": (20000, 20000), "multiply": (50000, 50000), "stores": (20000, 50000),
    "pages": (12288, 60000), "decode": (12, 12), "forward": (50000, 50000)}
PROBES = {"walks": 10000, "third": 32768, "memory": 20000}
TIMES = 40  # of which the lower ones count
RUNS = 10   # in one execution of the workload
SQL = ("create table t(a integer primary key, b text, c int); with recursive n(i) as (select 1 union all "
       "select i+1 from n where i<3000) insert into t select i, 'row'||i, i*7919%10007 from n; "
       "create index ti on t(c); select count(*), sum(c), max(b) from t where c between 100 and 5000; "
       "drop table t;")
FILE_BYTES = 120000  # of what gzip compresses
# What the carrier's CPU does not have: SHA, AVX-512, ADX, and the vector forms of AES and multiplication.
LIKE_THE_CARRIERS = {
    "OPENSSL_ia32cap": ":~0xffffffff%08x" % (1 << 29 | 1 << 16 | 1 << 17 | 1 << 19 | 1 << 21 | 1 << 28 |
                                              1 << 30 | 1 << 31),
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-FSRM"}
WANTED, WITHIN = 14, 0.2
GAINS_WITHIN = 10  # points of a per cent of what a batch of 1 takes


class Loop:
    """A loop of known behaviour, which times itself."""

    def __init__(self, options, name, native, simulated=0):
        self.name, self.native, self.simulated = name, native, simulated
        self.program = os.path.join(carrier.build_of(options), "tests", "simulated", "simulated_kernels")
        self.ns, self.ghz, self.share = float("inf"), [], ""

    def run(self):
        words = measure.must(measure.run([self.program, self.name, str(self.native), str(TIMES)],
                                         alone=True), self.name).stdout.split()
        self.ns = min(self.ns, float(words[0]))
        self.ghz.append(float(words[2]))

    def native_cycles(self, ghz):
        return self.ns * ghz

    def model_cycles(self, options, core):
        argv = [self.program, self.name, str(self.simulated)]
        return cycles(options, core, argv, "request") / self.simulated


class Program:
    """name; argv of so many rounds; rounds natively (few, many) and simulated."""

    def __init__(self, name, argv, native, simulated):
        self.name, self.argv, self.native, self.simulated = name, argv, native, simulated
        self.seconds = {n: [] for n in native}
        self.user = self.all = 0.0

    def run(self):
        for n in self.native:
            cost = measure.must(measure.run(self.argv(n), alone=True), self.name)
            self.seconds[n].append(cost.own_cpu_s)
        self.user += cost.user_cpu_s
        self.all += cost.tree_cpu_s

    def user_share(self):
        return self.user / self.all

    @property
    def share(self):
        return f"  ({100 * self.user_share():.0f} % of CPU time was user's)"

    def native_cycles(self, ghz):
        few, many = self.native
        least = min(self.seconds[many]) - min(self.seconds[few])
        return least * self.user_share() / (many - few) * ghz * 1e9

    def model_cycles(self, options, core):
        few, many = self.simulated
        return (cycles(options, core, self.argv(many)) -
                cycles(options, core, self.argv(few))) / (many - few)


class Stages(Program):
    """The workload `stages`, which says itself what its requests took; many short runs of it. Batches of all
    sizes make the same system calls, so the share of the kernel is that of all of them."""

    def __init__(self, name, argv, native, simulated, ticks):
        super().__init__(name, argv, (), simulated)
        self.requests, self.times, self.ticks = native, [], ticks

    def run(self):
        argv = [*self.argv(self.requests), "--runs", str(RUNS), "--format", "json"]
        for one in json.loads(measure.must(measure.run(argv, alone=True), self.name).stdout)["runs"]:
            self.times.append(one["cpu_ns_per_request"])
            self.ticks.update(user=one["user_ns"], system=one["system_ns"])

    def user_share(self):
        return self.ticks["user"] / (self.ticks["user"] + self.ticks["system"])

    def native_cycles(self, ghz):
        return sorted(self.times)[len(self.times) // 10] * self.user_share() * ghz


def cycles(options, core, argv, start="whole"):
    with measure.Folder() as folder:
        measure.must(measure.run([
            *carrier.words(options, options.core, folder("out"), "--start=" + start, described=core),
            *argv]), carrier.NAME)
        return bench_simulated.counts_of(folder("out"))["cycles"]


def points(options, folder):
    workload = os.path.join(os.path.dirname(options.slotwise), "slotwise-workload")
    for name, (native, simulated) in KERNELS.items():
        yield Loop(options, name, native, simulated)
    for op in OPS:
        ticks = collections.Counter()
        for batch in BATCHES:
            yield Stages(f"stages {op} {batch}", lambda n, op=op, batch=batch: [
                workload, "run", "stages", "--requests", str(n), "--warm-up", "500", "--batch",
                str(batch), "--op", op], 2000, (1000, 3000), ticks)
    if shutil.which("sqlite3"):
        yield Program("sqlite3", lambda n: [shutil.which("sqlite3"), ":memory:", *[SQL] * n],
                    (4, 24), (1, 3))
    if shutil.which("gzip"):
        path = folder("bytes")
        with open(options.slotwise, "rb") as f, open(path, "wb") as to:
            f.seek(os.path.getsize(options.slotwise) // 3) # code, not the table of symbols
            to.write(f.read(FILE_BYTES))
        yield Program("gzip", lambda n: [shutil.which("gzip"), "-c", *[path] * n], (3, 15), (1, 3))


def described(options):
    path = carrier.core_file(options, options.core)
    with open(path, encoding="ascii") as f:
        return {name: int(value) for name, value in (line.split() for line in f if line.strip())}


def frequency(all_points):
    """What else the machine does makes a chain slower, hardly ever faster."""
    found = [ghz for p in all_points if isinstance(p, Loop) for ghz in p.ghz]
    return statistics.quantiles(found, n=4)[2]


def of_this_machine(core, probes, ghz):
    """The parameters that differ between machines, from loops in which one load waits for the next."""
    hop = {name: p.native_cycles(ghz) for name, p in probes.items()}
    third, memory = round(hop["third"]), round(hop["memory"] - hop["third"])
    walk = round(hop["walks"] - core["l2_latency"] - core["stlb_latency"])
    return {"l3_latency": min(512, max(1, third)), "memory_latency": min(4096, max(1, memory)),
            "walk_latency": min(1024, max(1, walk))}


def gains(claims, op, both):
    """How much faster runs of requests are than request by request, natively and in the model."""
    one, many = (both.get(f"stages {op} {batch}") for batch in (BATCHES[0], BATCHES[-1]))
    if not one or not many:
        return
    native, model = (100 * (before / after - 1) for before, after in zip(one, many))
    claims.state(f"stages {op}: {native:+.0f} % natively and {model:+.0f} % in the model at a batch of "
                 f"{BATCHES[-1]}, within {GAINS_WITHIN} points", abs(native - model) <= GAINS_WITHIN)


def main():
    os.environ.update(LIKE_THE_CARRIERS)
    options = measure.arguments(__doc__, rounds=5, core="zen4", described="no", only="")
    if not carrier.is_built(options):
        return 0
    claims = measure.Claims()
    with measure.Folder() as folder:
        all_points = [p for p in points(options, folder) if options.only in p.name]
        probes = {name: Loop(options, name, n) for name, n in PROBES.items()}
        for _ in range(options.rounds):
            for p in (*probes.values(), *all_points):
                p.run()
        ghz = frequency([*probes.values(), *all_points])
        core = described(options)
        own = of_this_machine(core, probes, ghz) if options.described == "no" else {}
        path = folder("core")
        with open(path, "w", encoding="ascii") as f:
            f.writelines(f"{name} {value}\n" for name, value in {**core, **own}.items())
        print(f"{ghz:.2f} GHz by a chain of additions; {options.core}; cycles of a "
              "round, a request, a script or a file")
        for name, value in own.items():
            print(f"  {name} {core[name]} described, {value} of this machine")
        near, both = 0, {}
        for p in all_points:
            native, model = p.native_cycles(ghz), p.model_cycles(options, path)
            both[p.name] = native, model
            ratio = model / native if native > 0 else float("nan")
            near += abs(ratio - 1) <= WITHIN
            print(f"  {p.name:16} native {native:12.2f}  model {model:12.2f}  ratio {ratio:5.2f}{p.share}",
                  flush=True)
    for op in OPS:
        gains(claims, op, both)
    claims.state(f"{near} of {len(all_points)} points within {100 * WITHIN:.0f} %, at least {WANTED}",
                 near >= WANTED)
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
