# SPDX-License-Identifier: MIT
"""What the intervals and words of comparisons are worth: coverage, false alarms, power, looking
often, by simulation beside the values docs/statistics.md states, and the time a look takes. Measures
no program: the simulations are build/.../bench/statistics/bench_statistics, next to slotwise."""
import os
import subprocess

import measure


def main():
    options = measure.arguments(__doc__, rounds=2000)
    build = os.path.dirname(os.path.dirname(options.slotwise))
    program = os.path.join(build, "bench", "statistics", "bench_statistics")
    if not os.access(program, os.X_OK):
        print(f"skipped: no {program} (it is built with the tests)")
        return 0
    status = subprocess.run([program, str(options.rounds)], check=False).returncode
    return 1 if options.check and status else 0


if __name__ == "__main__":
    raise SystemExit(main())
