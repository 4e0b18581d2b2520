# SPDX-License-Identifier: MIT
"""Database clients under `slotwise profile --simulate` in its default mode (one instruction in 25
timed): wall time against the same command natively, and the most memory the carrier held. Servers are
private; what they wait for is in both. The peer is Valgrind's callgrind with its caches and branch
predictor on, in the same rounds; where it has no time, dependencies or ports.

Start-up is in it (Valgrind and the dynamic linker translate for some tenths of a second, slotwise names
functions afterwards), so the factor of a short client is larger: the natives here run for 0.3 to 2 s."""
import glob
import statistics
import subprocess

import carrier
import measure

MOST_BYTES, MOST_TIMES = 300_000_000, 15


def real_program(name):
    """Debian's psql and pgbench are a script that chooses a release and executes that one's."""
    own = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    return own[-1] if own else measure.need(name)


def clients(port, redis_port):
    pgbench, psql = real_program("pgbench"), real_program("psql")
    at = ["-h", "127.0.0.1", "-p", port, "-U", "slotwise"]
    rows = "select i, md5(i::text), i * 0.5 from generate_series(1, 400000) i"
    yield "pgbench -S -c1", [pgbench, *at, "-S", "-n", "-t", "10000", "postgres"]
    yield "pgbench -S -c4 -j2", [pgbench, *at, "-S", "-n", "-c", "4", "-j", "2", "-t", "4000", "postgres"]
    yield "pgbench, TPC-B", [pgbench, *at, "-n", "-t", "400", "postgres"]
    yield "psql, 400,000 rows", [psql, *at, "-At", "-o", "/dev/null", "-c", rows, "postgres"]
    redis = [measure.need("redis-benchmark"), "-p", redis_port, "-q", "-t", "set"]
    yield "redis-benchmark", [*redis, "-n", "60000"]
    yield "redis-benchmark -P16", [*redis, "-n", "400000", "-P", "16"]
    yield "redis-benchmark --threads 2", [*redis, "-n", "60000", "--threads", "2"]


def carried(options, argv, folder):
    """The carrier alone: its memory. It becomes the client, so its process is the one that is watched."""
    begin = carrier.words(options, options.core, folder("out"), "--start=auto", "--period=50000",
                          "--detail=2000")
    return measure.must(measure.run([*begin, *argv]), carrier.NAME)


def simulated(options, argv, folder):
    run = folder("run.slotwise")
    subprocess.run(["rm", "-rf", run], check=True)
    return measure.must(measure.run([options.slotwise, "profile", "--simulate", "--core", options.core, "-o",
                                     run, "--", *argv]), "slotwise profile --simulate")


def callgrind(argv, folder):
    return measure.must(measure.run(["valgrind", "-q", "--tool=callgrind", "--cache-sim=yes", "--branch-sim=yes",
                                     "--callgrind-out-file=" + folder("callgrind"), *argv]), "callgrind")


def measure_client(options, name, argv, folder, claims):
    native, ours, peer, peak = [], [], [], []
    for _ in range(options.rounds):
        native.append(measure.must(measure.run(argv), name).wall_s)
        ours.append(simulated(options, argv, folder).wall_s)
        peer.append(callgrind(argv, folder).wall_s)
        peak.append(carried(options, argv, folder).peak_bytes)
    times = statistics.median(measure.ratios(ours, native))
    print(f"{name}: natively {measure.spread(native, 1, ' s', 2)}, simulated "
          f"{measure.spread(ours, 1, ' s', 2)}, callgrind {measure.spread(peer, 1, ' s', 2)}, "
          f"carrier at most {max(peak) / 1e6:.0f} MB")
    claims.state(f"{name}: {times:.1f} times the native wall time, at most {MOST_TIMES}", times <= MOST_TIMES)
    claims.state(f"{name}: {max(peak) / 1e6:.0f} MB, less than {MOST_BYTES / 1e6:.0f}", max(peak) < MOST_BYTES)
    slower = statistics.median(measure.ratios(ours, peer))
    claims.state(f"{name}: {slower:.2f} of callgrind's time, not more than it", slower <= 1)


def main():
    options = measure.arguments(__doc__, rounds=3, core="haswell")
    if not carrier.is_built(options):
        return 0
    claims = measure.Claims()
    postgres, port = measure.server("postgresql")
    redis, redis_port = measure.server("redis")
    try:
        subprocess.run([real_program("pgbench"), "-i", "-q", "-s", "1", "-h", "127.0.0.1", "-p", port, "-U",
                        "slotwise", "postgres"], check=True, capture_output=True, timeout=120)
        with measure.Folder() as folder:
            for name, argv in clients(port, redis_port):
                measure_client(options, name, argv, folder, claims)
    finally:
        measure.stop_server(postgres)
        measure.stop_server(redis)
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
