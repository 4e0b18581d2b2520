# SPDX-License-Identifier: MIT
"""What a mark of slotwise/stage.h costs the client that has it: while nobody looks, while slotwise
looks.

The client calls a stage that does nothing in a loop: a begin and an end. It tells the time of a turn
by its own clock, and that of the loop without marks; the best of five rounds in one execution. A turn
has two marks and is told as such: the loop is not taken off, because the CPU does both at once. Arms
run interleaved; the lowest of each is the least disturbed."""
import os
import re
import statistics

import measure

IDLE_NS, LOOKED_AT_NS = 1.0, 1000.0  # a mark


def one(prefix, client, trips):
    """ns: half a turn with two marks, and half a turn without"""
    cost = measure.run([*prefix, client, "cost", str(trips)])
    words = re.search(r"^([0-9.]+) ([0-9.]+)$", cost.stdout, re.M)
    if cost.status != 0 or not words:
        return None
    return [float(word) / 2 for word in words.groups()]


def main():
    options = measure.arguments(__doc__, rounds=5, trips=200000)
    client = os.path.abspath(os.path.join(os.path.dirname(options.slotwise), "..", "tests", "system",
                                          "system_stage_client"))
    claims = measure.Claims()
    with measure.Folder() as folder:
        look = [options.slotwise, "profile", "-q", "--no-sampling", "--offcpu", "no", "-o",
                folder("run.slotwise"), "--"]
        results = {"no mark": [], "nobody looks": [], "slotwise looks": []}
        for _ in range(options.rounds):
            for name, prefix in (("nobody looks", []), ("slotwise looks", look)):
                folder.clear()
                times = one(prefix, client, options.trips)
                if times:
                    results[name].append(times[0])
                    results["no mark"].append(times[1])
        print("\na mark of a stage, with its half of a turn of the loop")
        for name, times in results.items():
            if times:
                print(f"  {name:14} {measure.spread(times, digits=2)} ns, lowest {min(times):.2f}")
        if all(results.values()):
            none, idle, looked = (statistics.median(times) for times in results.values())
            print(f"  to no mark: {idle / none:.1f} while nobody looks, {looked / none:.0f} while "
                  "slotwise looks")
            claims.state(f"at most {IDLE_NS} ns while nobody looks", idle <= IDLE_NS)
            claims.state(f"at most {LOOKED_AT_NS:.0f} ns while slotwise looks", looked <= LOOKED_AT_NS)
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
