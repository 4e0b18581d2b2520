# SPDX-License-Identifier: MIT
"""Symbolizing a client of 500 MB of debug information: what is not hot is not read.

The client is a small program linked with many copies of an object that is nearly all DWARF; one copy's
functions run. Shown: time and peak memory of naming the samples with source lines and inlined calls,
beside the same program without DWARF, whose symbol table is as large."""
import os
import statistics

import measure

FUNCTIONS = 4000  # of one object: with their types some 12 MB of DWARF
HOT = """
#include <stdint.h>
extern uint64_t SLW_COLD(uint64_t);
static inline __attribute__((always_inline)) uint64_t mix(uint64_t x, uint64_t i) { return x * 5 + i; }
__attribute__((noinline)) uint64_t hot_loop(uint64_t n) {
    uint64_t x = n;
    for (uint64_t i = 0; i < n; i++)
        x = mix(x, i) ^ (x >> 3);
    return x;
}
int main(void) { volatile uint64_t sink = hot_loop(400000000u) + SLW_COLD(1); (void)sink; return 0; }
"""


def cold_source(path):
    with open(path, "w", encoding="ascii") as f:
        f.write("#include <stdint.h>\n")
        for i in range(FUNCTIONS):
            members = " ".join(f"uint64_t member_{i}_{j}; struct s{max(i - j, 0)} *link_{i}_{j};"
                               for j in range(24))
            f.write(f"struct s{i} {{ {members} }};\n"
                    f"uint64_t cold_{i}(uint64_t x) {{ struct s{i} v = {{0}}; v.member_{i}_0 = x; "
                    f"for (uint64_t k = 0; k < x; k++) {{ uint64_t inner_{i} = k; "
                    f"v.member_{i}_1 += inner_{i}; }} return v.member_{i}_1; }}\n")


def build(folder, megabytes):
    cc, objcopy = measure.need("cc"), measure.need("objcopy")

    def run(*argv):
        measure.must(measure.run(list(argv)), argv[0])

    cold_source(folder("cold.c"))
    run(cc, "-O1", "-g", "-c", "-o", folder("cold.o"), folder("cold.c"))
    with open(folder("hot.c"), "w", encoding="ascii") as f:
        f.write(HOT)
    run(cc, "-O2", "-g", "-DSLW_COLD=c0_cold_1", "-c", "-o", folder("hot.o"), folder("hot.c"))
    objects = []

    def link(copies):
        for i in range(len(objects), copies):
            objects.append(folder(f"cold{i}.o"))
            run(objcopy, f"--prefix-symbols=c{i}_", folder("cold.o"), objects[-1])
        run(cc, "-o", folder("client"), folder("hot.o"), *objects)
        return os.path.getsize(folder("client"))

    # Strings are shared and relocations go: what a copy adds shows when two are linked.
    one, two = link(1), link(2)
    link(max(2, 1 + -(-(megabytes * 2**20 - one) // (two - one))))
    run(objcopy, "--strip-debug", folder("client"), folder("bare"))
    for name in objects:
        os.unlink(name)
    return folder("client"), folder("bare")


def main():
    options = measure.arguments(__doc__, rounds=5, megabytes=500)
    claims = measure.Claims()
    perf = measure.need("perf")
    with measure.Folder() as folder:
        client, bare = build(folder, options.megabytes)
        costs = {}
        for name, program in (("with DWARF", client), ("without", bare)):
            data = folder(name.replace(" ", "-") + ".data")
            measure.must(measure.run([perf, "record", "-q", "-e", "cpu-clock", "-g", "-o", data, "--",
                                      program]), "perf record")
            svg = folder("graph.svg")
            costs[name] = [measure.must(measure.run([options.slotwise, "flamegraph", "--inline", data,
                                                     "-o", svg]), name)
                           for _ in range(options.rounds)]
            with open(svg, encoding="utf-8") as f:
                inlined = "mix" in f.read()
            print(f"{name:12} {os.path.getsize(program) / 2**20:6.0f} MiB  "
                  f"{measure.spread([c.wall_s for c in costs[name]], 1e3, ' ms', 0):30} "
                  f"peak {measure.spread([c.peak_bytes for c in costs[name]], 2**-20, ' MiB')}")
            claims.state(f"inlined call found: {name == 'with DWARF'}",
                         inlined == (name == "with DWARF"))
        more = (statistics.median(c.peak_bytes for c in costs["with DWARF"]) -
                statistics.median(c.peak_bytes for c in costs["without"]))
        dwarf = os.path.getsize(client) - os.path.getsize(bare)
        print(f"DWARF {dwarf / 2**20:.0f} MiB; memory it costs {more / 2**20:.1f} MiB")
        claims.state("less than a twentieth of the DWARF is in memory", more < dwarf / 20)
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
