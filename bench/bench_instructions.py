# SPDX-License-Identifier: MIT
"""Chains of one kind of instruction each (tests/simulated/chains.c): cycles of one natively, timed in turn with
a chain of additions, and on a described core. Says something only where that core is the one of this machine.
What its description calls measured comes from here."""
import os
import subprocess

import bench_native
import carrier
import measure

IN_A_ROUND = 16
ROUNDS = 2000
WITHIN = 0.05


class Chain(bench_native.Loop):
    def __init__(self, options, name):
        super().__init__(options, name, ROUNDS, ROUNDS)
        self.program = program(options)


def program(options):
    return os.path.join(carrier.build_of(options), "tests", "simulated", "simulated_chains")


def main():
    options = measure.arguments(__doc__, rounds=3, core="zen4")
    if not carrier.is_built(options):
        return 0
    claims = measure.Claims()
    names = subprocess.run([program(options)], check=True, capture_output=True, text=True).stdout.split()
    chains = [Chain(options, name) for name in names]
    for _ in range(options.rounds):
        for chain in chains:
            chain.run()
    ghz = bench_native.frequency(chains)
    for chain in chains:
        native = chain.native_cycles(ghz) / IN_A_ROUND
        model = chain.model_cycles(options, carrier.core_file(options, options.core)) / IN_A_ROUND
        claims.state(f"{chain.name:26} {native:6.2f} cycles natively, {model:6.2f} in the model",
                     abs(model / native - 1) <= WITHIN)
    return 1 if options.check and claims.unmet else 0


if __name__ == "__main__":
    raise SystemExit(main())
