# SPDX-License-Identifier: MIT
"""What the wire tap costs a client: CPU time with it, next to without, in interleaved rounds.

The loop of clients/wire_loop.c speaks to itself over loopback and does no database work: per round
two calls that are watched and two that are not, so that the difference of a batch of 1 is two calls,
and what a batch of 64 adds beyond that is 63 requests with their answers. redis-benchmark and pgbench
are whole clients with real servers."""
import json
import os
import statistics

import measure

HERE = os.path.dirname(os.path.abspath(__file__))


def cpu_ns(options, folder, tapped, command):
    """CPU time of the client in ns, as slotwise counts it in either arm, and its output."""
    run = folder("wire.slotwise")
    folder.clear()
    words = [options.slotwise, "profile", "-q", "--no-sampling", "-o", run]
    cost = measure.must(measure.run([*words, *([] if tapped else ["--no-wire"]), "--", *command]),
                        "slotwise profile")
    with open(os.path.join(run, "run.json"), encoding="utf-8") as f:
        document = json.load(f)
    total = sum(count["raw"] for count in document["counts"]
                if count["event"] in ("user-time", "system-time"))
    return total, cost.stdout


def paired(options, folder, command, value):
    """Rounds of both arms in turning order: {tapped: [value]}."""
    results = {True: [], False: []}
    for i in range(options.rounds):
        for tapped in ((True, False) if i % 2 else (False, True)):
            results[tapped].append(value(*cpu_ns(options, folder, tapped, command)))
    return results


def loop(options, folder, program, batch):
    found = paired(options, folder, [program, str(batch), str(options.loops // batch)],
                   lambda _, text: float(text))
    print(f"  batch of {batch}: alone {measure.spread(found[False], unit=' ns')} a round, "
          f"with the tap {measure.spread(found[True], unit=' ns')}")
    # The smallest of many is the cost without what else ran on the machine.
    return min(found[True]) - min(found[False]), min(found[True]) / min(found[False])


def loops(options, folder, programs, claims):
    program = programs("wire_loop")
    measure.must(measure.run([os.environ.get("CC", "cc"), "-O2", "-D_GNU_SOURCE", "-o", program,
                              os.path.join(HERE, "clients", "wire_loop.c")]), "cc")
    print("\nclient that speaks to itself")
    one, one_ratio = loop(options, folder, program, 1)
    many, many_ratio = loop(options, folder, program, 64)
    call, request = one / 2, (many - one) / 63
    print(f"  {call:.0f} ns per watched call, {request:.1f} ns per further request of a batch; "
          f"ratios {one_ratio:.3f} and {many_ratio:.3f}")
    claims.state("at most 150 ns per watched call", call <= 150)
    claims.state("at most 15 ns per request in a batch of 64", request <= 15)


def whole(title, options, folder, command, claims, claim):
    found = paired(options, folder, command, lambda ns, _: ns)
    ratios = measure.ratios(found[True], found[False])
    noise = (max(found[False]) - min(found[False])) / statistics.median(found[False])
    print(f"\n{title}\n  CPU alone {measure.spread(found[False], 1e-6, ' ms')}, with the tap "
          f"{measure.spread(found[True], 1e-6, ' ms')}\n  ratio {measure.spread(ratios, digits=3)}; "
          f"alone differs by {noise:.1%} between rounds")
    limit = 1.08 if claim else 1 + max(noise, 0.02)
    claims.state(claim or "nothing outside of the noise", statistics.median(ratios) <= limit)


def servers(options, folder, claims):
    data, port = measure.server("redis")
    try:
        for pipeline, requests in ((64, 3000000), (1, 60000)):
            whole(f"redis-benchmark SET -P {pipeline}", options, folder,
                  [measure.need("redis-benchmark"), "-p", port, "-t", "set", "-q", "-P",
                   str(pipeline), "-n", str(requests)], claims,
                  "under 8 % of redis-benchmark -P 64" if pipeline == 64 else None)
    finally:
        measure.stop_server(data)
    data, port = measure.server("postgresql")
    try:
        login = ["-h", "127.0.0.1", "-p", port, "-U", "slotwise"]
        pgbench = measure.need("pgbench")
        measure.must(measure.run([pgbench, *login, "-i", "-q", "-s", "1", "postgres"]), "pgbench -i")
        whole("pgbench -S -M prepared", options, folder,
              [pgbench, *login, "-n", "-S", "-M", "prepared", "-c", "4", "-t", "5000", "postgres"],
              claims, None)
    finally:
        measure.stop_server(data)


def main():
    options = measure.arguments(__doc__, rounds=7, loops=200000)
    claims = measure.Claims()
    with measure.Folder() as folder, measure.Folder() as programs:
        loops(options, folder, programs, claims)
        servers(options, folder, claims)
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
