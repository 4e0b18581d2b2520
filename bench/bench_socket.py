# SPDX-License-Identifier: MIT
"""What the socket tap (--wire bpf) costs a client, next to the preloaded library and to neither: CPU time
of the client in interleaved rounds, and of slotwise itself, which decodes what was copied."""
import json
import os
import statistics

import measure

ROUTES = ("no", "preload", "bpf")


def cpu_ns(options, folder, route, command):
    """CPU time of the client and of slotwise in ns, and the requests that were counted."""
    run = folder("wire.slotwise")
    folder.clear()
    measure.must(measure.run([options.slotwise, "profile", "-q", "--no-sampling", "--offcpu", "no", "-o", run,
                              "--wire", route, "--", *command]), "slotwise profile")
    with open(os.path.join(run, "run.json"), encoding="utf-8") as f:
        document = json.load(f)
    client = sum(count["raw"] for count in document["counts"]
                 if count["event"] in ("user-time", "system-time"))
    own = document["self"]["user_ns"] + document["self"]["system_ns"]
    return client, own, document["requests"]


def routes(title, options, folder, command, claims):
    found = {route: [] for route in ROUTES}
    for i in range(options.rounds):
        for route in ROUTES[i % len(ROUTES):] + ROUTES[:i % len(ROUTES)]:
            found[route].append(cpu_ns(options, folder, route, command))
    print(f"\n{title}: CPU time of the client")
    none = [client for client, _, _ in found["no"]]
    for route in ROUTES:
        client = [c for c, _, _ in found[route]]
        ratio = measure.ratios(client, none)
        own = statistics.median(o for _, o, _ in found[route])
        print(f"  --wire {route:8}{measure.spread(client, 1e-6, ' ms')}; ratio "
              f"{measure.spread(ratio, digits=3)}; slotwise itself {own * 1e-6:.1f} ms")
    exact = found["preload"][0][2]
    claims.state("both routes count the same, in each round",
                 all(r == exact for route in ROUTES[1:] for _, _, r in found[route]))


def main():
    options = measure.arguments(__doc__, rounds=5)
    claims = measure.Claims()
    with measure.Folder() as folder:
        data, port = measure.server("redis")
        try:
            for pipeline, requests in ((64, 1000000), (16, 500000), (1, 40000)):
                routes(f"redis-benchmark SET -P {pipeline}", options, folder,
                       [measure.need("redis-benchmark"), "-p", port, "-t", "set", "-q", "-P",
                        str(pipeline), "-n", str(requests)], claims)
        finally:
            measure.stop_server(data)
        data, port = measure.server("postgresql")
        try:
            login = ["-h", "127.0.0.1", "-p", port, "-U", "slotwise"]
            pgbench = measure.need("pgbench")
            measure.must(measure.run([pgbench, *login, "-i", "-q", "-s", "1", "postgres"]), "pgbench -i")
            routes("pgbench -S -M prepared", options, folder,
                   [pgbench, *login, "-n", "-S", "-M", "prepared", "-c", "4", "-t", "5000", "postgres"],
                   claims)
        finally:
            measure.stop_server(data)
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
