# SPDX-License-Identifier: MIT
"""What sampling costs a client that switches: CPU time of its own for each time it wakes another
process on its CPU, which nobody measures, and waits for the answer. Next to perf record, which sets
timers of tasks, and perf record -a, which has one for each CPU, as slotwise has by default.

CPU time of one process on one CPU says the same on a busy machine as on a quiet one, but for caches."""
import os
import statistics
import subprocess

import measure

HERE = os.path.dirname(os.path.abspath(__file__))


def arms(slotwise, perf, folder):
    run, data = folder("run.slotwise"), folder("perf.data")
    record = [perf, "record", "-q", "-F", "997", "-g", "-o", data]
    ours = [slotwise, "profile", "-q", "-F", "997", "--call-graph", "fp", "--wire", "no", "--offcpu", "no",
            "--no-flamegraph", "-o", run]
    return {
        "alone": [],
        "perf": [*record, "--"],
        "perf -a": [*record, "-a", "--"],
        "timers of tasks": [*ours, "--timers", "task", "--"],
        "timers of CPUs": [*ours, "--timers", "cpu", "--"],
        "counts only": [slotwise, "profile", "-q", "--no-sampling", "--wire", "no", "--offcpu", "no", "-o",
                        run, "--"],
    }


def one(program, prefix, trips, folder):
    """us of CPU time a trip"""
    fifos = folder("there"), folder("back")
    for fifo in fifos:
        os.mkfifo(fifo)
    server = subprocess.Popen([program, "serve", str(trips), *fifos])
    try:
        cost = measure.must(measure.run([*prefix, program, str(trips), *fifos]), "ping")
        return int(cost.stdout.split()[-1]) / trips / 1e3
    finally:
        server.kill()
        server.wait()


def main():
    options = measure.arguments(__doc__, rounds=5, trips=40000)
    claims = measure.Claims()
    with measure.Folder() as folder, measure.Folder() as programs:
        program = programs("ping")
        measure.must(measure.run(["cc", "-O2", "-o", program, os.path.join(HERE, "clients", "ping.c")]), "cc")
        chosen = arms(options.slotwise, measure.need("perf"), folder)
        results = {name: [] for name in chosen}
        for _ in range(options.rounds):
            for name, prefix in chosen.items():
                folder.clear()
                results[name].append(one(program, prefix, options.trips, folder))
    print("\nCPU time of the client, for each time it wakes another process and waits")
    for name, times in results.items():
        print(f"  {name:16} {measure.spread(times, unit=' us', digits=2)}")
    middle = {name: statistics.median(times) for name, times in results.items()}
    added = {name: time - middle["alone"] for name, time in middle.items()}
    print(f"  what timers of CPUs add is {added['timers of CPUs'] / added['perf']:.2f} of what perf record adds")
    claims.state("sampling adds less than perf record does", added["timers of CPUs"] < added["perf"])
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
