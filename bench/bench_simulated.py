# SPDX-License-Identifier: MIT
"""The built-in workload `stages` on described cores (docs/simulated.md): request by request against
runs of 8, 16 and 58 requests. Per request: instructions, cycles, instruction-cache misses, and which
part of the slots the front end left empty. Simulated, user mode only; nothing here is a measurement of
this machine, and the numbers do not depend on what else runs on it. Two executions of different length
are subtracted, so that start and end cancel.

The peer is the workload itself with a batch of 1; published for ScyllaDB 1.7 on the same idea: 0.81 to
1.31 instructions per cycle."""
import collections
import glob
import os

import carrier
import measure

BATCHES = (1, 8, 16, 58)
FEW, MANY = 1000, 3000  # requests of the two executions
FEWER_MISSES = 2.0      # on a first level of 32 KiB; the others too
MORE_IPC, LESS_FRONTEND = 1.3, 0.1
CORES_OF_32_KIB = ("haswell",)


def counts_of(path):
    """Sums over the threads of one output file; refuses one that is not whole."""
    found = collections.Counter()
    with open(path, encoding="ascii", errors="replace") as f:
        lines = [line.split() for line in f]
    if not lines or lines[0][:1] != ["slotwise-sim"] or lines[-1][0] != "end":
        raise SystemExit(f"{path}: not a whole output of the carrier")
    for words in lines:
        if words[0] in ("event", "slots"):
            found[words[1]] += int(words[2])
        elif words[0] == "thread":
            found["cycles"] += int(words[2])
            found["detailed"] += int(words[3])
        elif words[0] == "width":
            found["width"] = int(words[1])
    return found


def simulate(options, core, batch, requests):
    with measure.Folder() as folder:
        measure.must(measure.run([
            *carrier.words(options, core, folder("out.%p")),
            os.path.join(os.path.dirname(options.slotwise), "slotwise-workload"), "run", "stages",
            "--requests", str(requests), "--warm-up", "500", "--batch", str(batch), "--op",
            options.op]), carrier.NAME)
        files = glob.glob(folder("out.*"))
        if len(files) != 1:
            raise SystemExit(f"one output was expected: {files}")
        return counts_of(files[0])


def a_request(options, core, batch):
    few, many = (simulate(options, core, batch, n) for n in (FEW, MANY))
    more = collections.Counter({key: (many[key] - few[key]) / (MANY - FEW) for key in many})
    more["width"] = many["width"]
    slots = more["width"] * more["cycles"]
    frontend = sum(value for key, value in more.items() if key.startswith("frontend."))
    return more, frontend / slots


def main():
    options = measure.arguments(__doc__, rounds=1, cores="haswell,zen5", op="mixed")
    if not carrier.is_built(options):
        return 0
    claims = measure.Claims()
    for core in options.cores.split(","):
        print(f"\nsimulated: reference core {core.upper()}, user mode; per request")
        first = first_frontend = None
        for batch in BATCHES:
            one, frontend = a_request(options, core, batch)
            first, first_frontend = first or one, first_frontend or frontend
            print(f"  batch {batch:3}: {one['instructions']:8.0f} instructions, {one['cycles']:7.0f} "
                  f"cycles ({first['cycles'] / one['cycles']:.2f} times as fast), IPC "
                  f"{one['instructions'] / one['cycles']:.2f}, {one['l1i.misses']:6.0f} L1i misses, "
                  f"front-end bound {100 * frontend:.1f} %", flush=True)
        factor = first["l1i.misses"] / one["l1i.misses"]
        if core in CORES_OF_32_KIB:
            claims.state(f"{factor:.1f} times fewer instruction-cache misses at a batch of {BATCHES[-1]}, "
                         f"at least {FEWER_MISSES}", factor >= FEWER_MISSES)
            ipc = (one["instructions"] / one["cycles"]) / (first["instructions"] / first["cycles"])
            claims.state(f"{ipc:.2f} times the instructions per cycle, at least {MORE_IPC}", ipc >= MORE_IPC)
            claims.state(f"front-end bound down by {100 * (first_frontend - frontend):.1f} points, at least "
                         f"{100 * LESS_FRONTEND:.0f}", first_frontend - frontend >= LESS_FRONTEND)
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
