# SPDX-License-Identifier: MIT
"""Instructions per second of CPU time under the simulation: sqlite3 in memory and python3, every
instruction in detail and in the default mode (one in 25 of them, everything followed), beside callgrind
with caches and branches, in turning order and in the same rounds. Start-up and translation are part of
it, as they are part of every run. A shared machine makes all of them slower: the ratios are what
compares, the rates are of the fastest round."""
import os
import shutil

import bench_simulated
import carrier
import measure

SQL = ("create table t(a integer primary key, b text, c int); with recursive n(i) as (select 1 union all "
       "select i+1 from n where i<60000) insert into t select i, 'row'||i, i*7919%10007 from n; "
       "create index ti on t(c); select count(*), sum(c), max(b) from t where c between 100 and 5000; "
       "select c%10, count(*), max(b) from t group by 1; update t set b=b||'x' where a%3=0;")
SCRIPT = ("import json\nrows=[{'a':i,'b':str(i*7919),'c':[i%7]*3} for i in range(12000)]\n"
          "text=json.dumps(rows)\nsorted(json.loads(text),key=lambda r:r['b'])\n")
PERIOD, DETAIL = 50000, 2000  # of slotwise profile --simulate without --full
WANTED = {"full": 60, "default": 120}


def commands(folder):
    sqlite = shutil.which("sqlite3")
    if sqlite:
        yield "sqlite3", [sqlite, ":memory:", SQL]
    python = "/usr/bin/python3"
    if os.access(python, os.X_OK):
        script = folder("work.py")
        with open(script, "w", encoding="ascii") as f:
            f.write(SCRIPT)
        yield "python3", [python, "-S", "-E", script]


def arms(options, folder):
    ours = carrier.words(options, options.core, folder("out"))
    return {"full": ours,
            "default": [*ours, f"--period={PERIOD}", f"--detail={DETAIL}"],
            "callgrind": [measure.need("valgrind"), "--tool=callgrind", "-q", "--cache-sim=yes",
                          "--branch-sim=yes", "--callgrind-out-file=" + folder("callgrind")]}


def measure_one(options, folder, command):
    seconds, instructions = {}, 0
    for i in range(options.rounds):
        turn = list(arms(options, folder).items())
        for name, arm in turn[i % 3:] + turn[:i % 3]:
            cost = measure.must(measure.run(arm + command), name)
            seconds.setdefault(name, []).append(cost.own_cpu_s)
        instructions = bench_simulated.counts_of(folder("out"))["instructions"]
    return seconds, instructions


def main():
    options = measure.arguments(__doc__, rounds=3, core="haswell")
    if not carrier.is_built(options):
        return 0
    claims = measure.Claims()
    with measure.Folder() as folder:
        for name, command in commands(folder):
            seconds, instructions = measure_one(options, folder, command)
            print(f"\n{name}, {instructions / 1e6:.0f} million instructions, core {options.core}")
            for arm, spent in seconds.items():
                print(f"  {arm:9} {instructions / 1e6 / min(spent):6.1f} M instructions/s of CPU; time "
                      f"by callgrind's {measure.spread(measure.ratios(spent, seconds['callgrind']), digits=2)}")
            for arm, wanted in WANTED.items():
                claims.state(f"{name}, {arm}: at least {wanted} M instructions/s",
                             instructions / 1e6 / min(seconds[arm]) >= wanted)
            claims.state(f"{name}: the default mode is not slower than callgrind",
                         min(seconds["default"]) <= min(seconds["callgrind"]))
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
