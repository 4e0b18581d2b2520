# SPDX-License-Identifier: MIT
"""Cycles of a described core against cycles of this machine, on 20 programs: ten loops of known
behaviour, the workload `stages` at four batches and two kinds of request, sqlite3 and gzip. There may be
no PMU: native cycles are CPU time times a frequency, and the frequency is that at which a chain of
multiplications, 3 cycles each, runs in the same rounds. Of each point the least of all rounds counts;
two executions of different length are subtracted, so that start and end cancel. CPU time has the
kernel's in it, which the model does not: page faults of `stores`, the sockets of `stages`.

Says something only where the described core is the one of this machine (--core), and only about the sum
of cycles: where they go cannot be checked without a PMU."""
import os
import shutil

import bench_simulated
import measure

BATCHES = (1, 8, 16, 58)
KERNELS = {  # rounds natively, about 30 ms; simulated
    "adds": (8000000, 20000), "chase": (200000, 20000), "branches": (3000000, 100000),
    "code": (1500, 15), "divide": (2500000, 20000), "multiply": (3000000, 50000),
    "stores": (20000, 50000), "pages": (1500000, 60000), "decode": (1200, 12),
    "forward": (4000000, 50000)}
MULTIPLICATIONS, LATENCY = 4, 3  # of a round of `multiply`
WARM = 1.1                       # rounds with those that warm
SQL = ("create table t(a integer primary key, b text, c int); with recursive n(i) as (select 1 union all "
       "select i+1 from n where i<%d) insert into t select i, 'row'||i, i*7919%%10007 from n; "
       "create index ti on t(c); select count(*), sum(c), max(b) from t where c between 100 and 5000;")
WANTED, WITHIN = 14, 0.2


class Point:
    """name; argv of so many rounds; rounds natively (few, many) and simulated."""

    def __init__(self, name, argv, native, simulated, warm=1.0, roi=False):
        self.name, self.argv, self.native, self.simulated = name, argv, native, simulated
        self.warm, self.roi = warm, roi
        self.seconds = {n: [] for n in native}

    def run(self):
        for n in self.native:
            self.seconds[n].append(measure.must(measure.run(self.argv(n)), self.name).own_cpu_s)

    def native_seconds(self):
        few, many = self.native
        least = min(self.seconds[many]) - min(self.seconds[few])
        return least / (self.warm * (many - few))

    def model_cycles(self, options):
        if self.roi:
            return cycles(options, self.argv(self.simulated[0]), "request") / self.simulated[0]
        few, many = self.simulated
        return (cycles(options, self.argv(many)) - cycles(options, self.argv(few))) / (many - few)


def cycles(options, argv, start="whole"):
    build = os.path.dirname(os.path.dirname(options.slotwise))
    with measure.Folder() as folder:
        measure.must(measure.run([
            os.path.join(build, "sim", "valgrind", "slotwise-simulate"), "--tool=slotwise", "-q",
            "--core=" + os.path.join(build, "models", "cores", options.core + ".core"),
            "--core-name=" + options.core, "--out=" + folder("out"), "--det=yes", "--start=" + start,
            *argv]), "slotwise-simulate")
        return bench_simulated.counts_of(folder("out"))["cycles"]


def points(options, folder):
    build = os.path.dirname(os.path.dirname(options.slotwise))
    kernels = os.path.join(build, "tests", "simulated", "simulated_kernels")
    workload = os.path.join(os.path.dirname(options.slotwise), "slotwise-workload")
    for name, (native, simulated) in KERNELS.items():
        yield Point(name, lambda n, name=name: [kernels, name, str(n)], (native // 3, native),
                    (simulated,), WARM, True)
    for op in ("mixed", "read"):
        for batch in BATCHES:
            yield Point(f"stages {op} {batch}", lambda n, op=op, batch=batch: [
                workload, "run", "stages", "--requests", str(n), "--warm-up", "500", "--batch",
                str(batch), "--op", op], (2000, 8000), (500, 1500))
    if shutil.which("sqlite3"):
        yield Point("sqlite3", lambda n: [shutil.which("sqlite3"), ":memory:", SQL % n],
                    (50000, 150000), (1000, 6000))
    if shutil.which("gzip"):
        def file_of(n):
            path = folder("bytes%d" % n)
            if not os.path.exists(path):
                with open(options.slotwise, "rb") as f, open(path, "wb") as to:
                    to.write(f.read(n))
            return [shutil.which("gzip"), "-c", path]
        yield Point("gzip", file_of, (200000, 900000), (50000, 250000))


def main():
    options = measure.arguments(__doc__, rounds=5, core="zen4")
    build = os.path.dirname(os.path.dirname(options.slotwise))
    if not os.access(os.path.join(build, "sim", "valgrind", "slotwise-simulate"), os.X_OK):
        print("skipped: built without the simulated tier (the package valgrind)")
        return 0
    claims = measure.Claims()
    with measure.Folder() as folder:
        all_points = list(points(options, folder))
        for _ in range(options.rounds):
            for p in all_points:
                p.run()
        chain = next(p for p in all_points if p.name == "multiply")
        hz = MULTIPLICATIONS * LATENCY / chain.native_seconds()
        print(f"{hz / 1e9:.2f} GHz by a chain of multiplications; {options.core}; cycles of a "
              "round, a request, a row or a byte")
        near = 0
        for p in all_points:
            native, model = p.native_seconds() * hz, p.model_cycles(options)
            ratio = model / native if native > 0 else float("nan")
            near += abs(ratio - 1) <= WITHIN
            print(f"  {p.name:16} native {native:10.2f}  model {model:10.2f}  ratio {ratio:5.2f}",
                  flush=True)
    claims.state(f"{near} of {len(all_points)} points within {100 * WITHIN:.0f} %, at least {WANTED}",
                 near >= WANTED)
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
