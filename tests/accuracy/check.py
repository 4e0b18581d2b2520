#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Known work against the counters of the machine at hand.

    check.py CASE SLOTWISE LOOP KERNELS     CASE: the name of a function without "case_"

Exit status 77 with the reason where no PMU is to be had. The bounds are wide: what a kernel is bound
by must come out, not by how much, which every CPU decides for itself.
"""
import json
import os
import subprocess
import sys
import tempfile

ROUND = 4  # instructions of a round of the loop in tests/pmu/loop.c


class Skip(Exception):
    pass


class Machine:
    def __init__(self, slotwise, loop, kernels):
        self.slotwise, self.loop, self.kernels = slotwise, loop, kernels

    def require_pmu(self):
        text = subprocess.run([self.slotwise, "doctor", "--json"], capture_output=True, text=True,
                              check=False).stdout
        doctor = json.loads(text)
        if doctor["tier"] != "hardware":
            raise Skip(doctor["reason"])

    def profile(self, *command, options=()):
        """-> (run, report) of a command."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "run.slotwise")
            subprocess.run([self.slotwise, "profile", "-q", "--backend", "hwpmu",
                            "--no-flamegraph", "-o", path, *options, "--", *command], check=True)
            with open(os.path.join(path, "run.json"), encoding="utf-8") as f:
                run = json.load(f)
            report = subprocess.run([self.slotwise, "report", path, "--format", "json"],
                                    check=True, capture_output=True, text=True).stdout
        return run, json.loads(report)

    def kernel(self, name, rounds):
        run, report = self.profile(self.kernels, name, str(rounds), options=["--no-sampling"])
        return run, {n["name"]: n["value"] for n in report["topdown"]["nodes"]}


def scaled(run, *names):
    """The count of the first of these events that was counted."""
    for c in run["counts"]:
        if c["event"] in names and "absent" not in c and c["running_ns"] > 0:
            return c["raw"] * c["enabled_ns"] / c["running_ns"]
    raise Skip(f"no {names[0]} event here")


def instructions(run):
    return scaled(run, "instructions", "inst_retired", "inst_retired.any", "ex_ret_instr")


def above(values, name, low):
    if values.get(name) is None:
        return None
    assert values[name] > low, f"{name} is {values[name]}, not above {low}"
    return True


def dominant(values, expected):
    """The largest of the first level; None when this CPU has no top-down."""
    level1 = {n: values.get(n) for n in
              ("frontend_bound", "bad_speculation", "backend_bound", "retiring")}
    if None in level1.values():
        return None
    largest = max(level1, key=level1.get)
    assert largest == expected, f"{largest} is largest, not {expected}: {level1}"
    return True


def some(*results):
    if not any(results):
        raise Skip("this CPU has none of the metrics that would tell")


def case_instructions_of_a_loop(machine):
    small, _ = machine.profile(machine.loop, "10000000", options=["--no-sampling", "--level", "0"])
    large, _ = machine.profile(machine.loop, "110000000", options=["--no-sampling", "--level", "0"])
    difference = instructions(large) - instructions(small)
    expected = 100_000_000 * ROUND
    # Interrupts execute instructions too where kernel mode is counted, and scaling guesses.
    assert abs(difference - expected) < expected * 0.005, f"{difference}, not {expected}"


def case_samples_are_in_the_loop(machine):
    run, report = machine.profile(machine.loop, "400000000", options=["--period", "1000003"])
    cycles = scaled(run, "cycles", "cpu_cycles", "cpu_clk_unhalted.thread",
                    "cpu_clk_unhalted.distributed", "cpu_clk_unhalted.core", "ls_not_halted_cyc")
    samples = run["samplings"][0]["samples"]
    assert abs(samples - cycles / 1000003) < 0.02 * samples + 2, f"{samples} of {cycles} cycles"
    functions = {f["function"]: f for f in report["functions"]}
    assert "hot_loop" in functions, list(functions)


def case_independent_adds_retire(machine):
    _, values = machine.kernel("adds", 20_000_000)
    some(dominant(values, "retiring"), above(values, "ipc", 1.5))


def case_pointer_chase_waits_for_memory(machine):
    _, values = machine.kernel("chase", 10_000_000)
    some(dominant(values, "backend_bound"), above(values, "l2_mpki", 5))


def case_random_branches_are_mispredicted(machine):
    _, values = machine.kernel("branches", 100_000_000)
    some(dominant(values, "bad_speculation"), above(values, "branch_mpki", 20))


def case_huge_code_starves_the_front_end(machine):
    _, values = machine.kernel("footprint", 100_000_000)
    some(dominant(values, "frontend_bound"), above(values, "icache_mpki", 20))


def case_divide_chain_waits_for_the_core(machine):
    _, values = machine.kernel("divide", 50_000_000)
    if values.get("ipc") is not None:
        assert values["ipc"] < 1.5, values["ipc"]
    some(dominant(values, "backend_bound"), values.get("ipc") is not None)


def main():
    machine = Machine(*sys.argv[2:])
    try:
        machine.require_pmu()
        globals()["case_" + sys.argv[1]](machine)
    except Skip as e:
        print(f"skipped: {e}")
        return 77
    except AssertionError as e:
        print(f"FAILED {sys.argv[1]}: {e}")
        return 1
    print(f"ok {sys.argv[1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
