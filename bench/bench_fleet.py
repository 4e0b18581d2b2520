# SPDX-License-Identifier: MIT
"""The footprint of measuring again and again: `slotwise profile --every --for --push` on a client
that keeps a core busy, with a server that takes the profiles, then with none. Memory of the process
that waits, peak of any, CPU time as a share of one core, bytes on the disk, over the windows."""
import os
import signal
import subprocess
import sys
import tempfile
import time

import measure

sys.path.insert(0, os.path.join(measure.ROOT, "tests", "system"))
import fleet  # noqa: E402
import harness  # noqa: E402

KEEP, SPOOL = 3, 20000
EVERY_S, FOR_S = 5, 1


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(next(line for line in f if line.startswith("VmRSS:")).split()[1]) * 1024


def disk(folder):
    total = 0
    for at, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.path.getsize(os.path.join(at, name))
            except OSError:
                pass  # gone since
    return total


def series(options, url, folder, client):
    """(seconds, CPU seconds, peak bytes, [(resident, disk) at each second])."""
    process = subprocess.Popen(
        [options.slotwise, "profile", "--every", f"{EVERY_S}s", "--for", f"{FOR_S}s", "-p",
         str(client.pid), "-o", os.path.join(folder, "w"), "--keep", str(KEEP), "--push", url,
         "--push-tries", "1", "--push-spool", os.path.join(folder, "spool"), "--push-spool-size",
         str(SPOOL)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    begin, seen = time.monotonic(), []
    while time.monotonic() < begin + options.rounds * EVERY_S:
        time.sleep(1)
        seen.append((resident(process.pid), disk(folder)))
    process.send_signal(signal.SIGTERM)
    said = process.stderr.read().decode().splitlines()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit("\n".join(said))
    print(f"  {said[-1]}")
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, seen


def tell(options, name, url, folder, client, claims):
    print(f"\n{name}")
    seconds, cpu, peak, seen = series(options, url, folder, client)
    first, last = seen[len(seen) // 2], seen[-1]
    print(f"  waiting process: {first[0] / 2**20:.1f} MiB half-way, "
          f"{last[0] / 2**20:.1f} MiB at the end; peak of a window: {peak / 2**20:.1f} MiB")
    print(f"  CPU time of all of it: {100 * cpu / seconds:.2f} % of a core "
          f"({cpu:.2f} s in {seconds:.0f} s)")
    print(f"  disk: at most {max(d for _, d in seen) / 1024:.0f} KiB, "
          f"of which pushes that wait {disk(os.path.join(folder, 'spool')) / 1024:.1f} KiB at the end")
    claims.state("the waiting process does not grow", last[0] <= first[0] + 65536)
    claims.state("pushes that wait stay within --push-spool-size",
                 disk(os.path.join(folder, "spool")) <= SPOOL)
    claims.state("runs stay within --keep", len(os.listdir(os.path.join(folder, "w"))) <= KEEP)


def main():
    options = measure.arguments(__doc__, rounds=12)
    claims = measure.Claims()
    client = subprocess.Popen(["sh", "-c", "while :; do :; done"], start_new_session=True)
    server = fleet.Server()
    try:
        with tempfile.TemporaryDirectory(prefix="slotwise-bench-") as folder:
            tell(options, "a server that takes what is pushed", server.url, folder, client, claims)
        claims.state("every window arrived", len(server.pushed) >= options.rounds - 1)
        with tempfile.TemporaryDirectory(prefix="slotwise-bench-") as folder:
            tell(options, "no server", f"http://127.0.0.1:{fleet.free_port()}", folder, client,
                 claims)
    finally:
        harness.end_group(client)
        server.stop()
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
