# SPDX-License-Identifier: MIT
"""What the off-CPU tap costs a client per context switch, next to perf recording the same switches.

A ping-pong over two pipes, both ends on one CPU: a round trip is 2 switches, 2 wake-ups and 4 system
calls and nothing else, which is the worst a client can do. Arms run interleaved; what an arm adds is
taken per round against the arm named beside it. Time is CPU time of both ends, so that other work on
the machine disturbs less; the lowest of each arm is the least disturbed. The client stands on 32 KiB
of stack, so that every copy is as long as it can be (20 KiB)."""
import os
import statistics

import measure


def arms(slotwise, folder):
    """name -> (words before the client's, the arm it is compared with)"""
    perf = measure.need("perf")
    count = [slotwise, "profile", "-q", "--no-sampling", "-o", folder("run.slotwise")]
    sample = [slotwise, "profile", "-q", "-o", folder("run.slotwise"), "--call-graph"]
    return {
        "alone": ([], None),
        "counting": ([*count, "--offcpu", "no", "--"], "alone"),
        "by cause": ([*count, "--offcpu", "yes", "--"], "counting"),
        "and syscalls": ([*count, "--offcpu", "syscalls", "--"], "counting"),
        "sampling": ([*sample, "auto", "--offcpu", "no", "--"], "alone"),
        "stacks": ([*sample, "auto", "--offcpu", "stacks", "--"], "sampling"),
        "fp stacks": ([*sample, "fp", "--offcpu", "stacks", "--"], "sampling"),
        "perf switches": ([perf, "record", "-q", "-e", "dummy:u", "--switch-events", "-o",
                           folder("perf.data"), "--"], "alone"),
        "perf fp stacks": ([perf, "record", "-q", "-e", "sched:sched_switch", "-g", "-o",
                            folder("perf.data"), "--"], "alone"),
        "perf stacks": ([perf, "record", "-q", "-e", "sched:sched_switch", "--call-graph",
                         "dwarf,16384", "-o", folder("perf.data"), "--"], "alone"),
    }


def one(prefix, waiter, trips, folder):
    folder.clear()
    cost = measure.run([*prefix, waiter, "pingpong", str(trips)])
    if cost.status != 0:
        return None  # perf without tracefs, a kernel without BPF: said below
    words = cost.stdout.split()
    return int(words[1]) / trips / 1000  # us a round trip


def tell(chosen, results, claims):
    for name, (_, base) in chosen.items():
        times = results[name]
        if len(times) < len(results["alone"]):
            print(f"  {name:14} does not work here")
            continue
        line = f"  {name:14} {measure.spread(times, digits=2)} us a round trip"
        if base:
            added = [(t - b) / 2 for t, b in zip(times, results[base])]
            least = (min(times) - min(results[base])) / 2
            line += (f"; adds {measure.spread(added, digits=2)} us a switch to {base}, lowest to "
                     f"lowest {least:.2f}")
        print(line)
        if name in ("by cause", "stacks"):
            limit = 0.5 if name == "by cause" else 2.0
            claims.state(f"{name}: at most {limit} us a switch", statistics.median(added) <= limit)


def main():
    options = measure.arguments(__doc__, rounds=9, trips=100000)
    waiter = os.path.join(os.path.dirname(options.slotwise), "..", "tests", "system",
                          "system_waiter")
    claims = measure.Claims()
    with measure.Folder() as folder:
        chosen = arms(options.slotwise, folder)
        results = {name: [] for name in chosen}
        names = list(chosen)
        for i in range(options.rounds):
            for name in names[i % len(names):] + names[:i % len(names)]:
                time = one(chosen[name][0], waiter, options.trips, folder)
                if time is not None:
                    results[name].append(time)
        print("\nping-pong on one CPU")
        tell(chosen, results, claims)
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
