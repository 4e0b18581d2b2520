# SPDX-License-Identifier: MIT
"""How long a person waits for `slotwise doctor`: wall time of the whole command."""
import statistics

import measure


def main():
    options = measure.arguments(__doc__, rounds=50)
    claims = measure.Claims()
    for args in (["doctor"], ["doctor", "--json"]):
        costs = [measure.run([options.slotwise, *args]) for _ in range(options.rounds)]
        floor = [measure.run(["true"]) for _ in range(options.rounds)]
        for cost in costs:
            measure.must(cost, " ".join(args))
        print(f"\nslotwise {' '.join(args)}: "
              f"{measure.spread([c.wall_s for c in costs], 1e3, ' ms')}"
              f"   (starting `true`: {measure.spread([c.wall_s for c in floor], 1e3, ' ms')})")
        claims.state("under 20 ms", statistics.median(c.wall_s for c in costs) < 0.020)
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
