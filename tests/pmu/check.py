#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Look at what the emulated machine left behind: one function per case.

    check.py CASE GUEST_OUTPUT SLOTWISE LOOP     CASE: the name of a function without "case_"

Numbers are exact where the machine is: instructions of the loop, cycles of an instruction. The few
hundred instructions of tolerance are for the C library's start and for a newer kernel of Debian.
"""
import os
import subprocess
import sys

from guest import (between, equal, folded, Guest, near, node, series, tasks, told_apart)

ROUND = 4           # instructions of a round of hot_loop
START = 40_000      # more than the C library takes to start and end a static program
CYCLES = 4          # cycles of an instruction: -icount shift=2
PERIOD = 1_000_003  # of most samplings in cases.sh
MANY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "many.json")


# ---- threads, modes, intervals ----

def case_each_thread_has_its_own_count(guest):
    for name, few, many in (("per_thread", 1_000_000, 3_000_000),
                            ("per_thread_sampled", 4_000_000, 8_000_000)):
        run = guest.run(name)
        if not told_apart(run):
            continue
        first, second, main = tasks(run, "inst_retired", "tid")
        near(first - second, (many - few) * ROUND, 500, f"{name}: one thread less the other")
        between(second, few * ROUND, few * ROUND + START, f"{name}: the smaller thread")
        between(main, 1, START, f"{name}: the thread that waits")
        equal(tasks(run, "cpu_cycles", "tid"), [n * CYCLES for n in (first, second, main)],
              f"{name}: cycles")


def case_each_process_has_its_own_count(guest):
    run = guest.run("per_process")
    if not told_apart(run):
        return
    raw = tasks(run, "inst_retired", "pid")
    equal(len({t["pid"] for t in run.document["tasks"]}), 4, "processes")
    for n in raw[:3]:
        between(n, 5_000_000 * ROUND, 5_000_000 * ROUND + START, "a child")


def case_threads_of_a_running_process_are_exact(guest):
    run = guest.run("threads_attached")
    first, second, main = tasks(run, "inst_retired", "tid")
    near(first - second, 2_000_000 * ROUND, 200, "one thread less the other")
    between(second, 1_000_000 * ROUND, 1_000_000 * ROUND + 20_000, "the smaller thread")
    between(main, 1, 20_000, "the thread that waits")
    report = guest.report("threads_attached", model="pair.json")
    equal(report["tasks"]["unaccounted_most"], 0.0, "what no thread has")
    for i in range(2):
        near(report["tasks"]["list"][i]["ipc"]["value"], 1 / CYCLES, 0.002, f"IPC of thread {i}")
        near(report["tasks"]["list"][i]["level1"]["retiring"]["value"], 1 / CYCLES, 0.002,
             f"a level-1 node of thread {i}")
        equal(report["tasks"]["list"][i]["comm"], "loop", f"name of thread {i}")


def case_threads_whose_events_take_turns(guest):
    run = guest.run("threads_attached_turns")
    whole = run.counts["inst0"]
    between(whole["running_ns"] / whole["enabled_ns"], 0.1, 0.95, "time on a counter")
    tasks(run, "inst0", "tid")
    scaled = sorted((c["raw"] * c["enabled_ns"] / c["running_ns"]
                     for c in run.document["counts"]
                     if c["event"] == "inst0" and "tid" in c and c["running_ns"] > 0),
                    reverse=True)
    near(scaled[0] / scaled[1], 2, 0.1, "one thread to the other, scaled")


def case_user_and_kernel_are_apart(guest):
    run = guest.run("split")
    instructions = {c["mode"]: c for c in run.document["counts"] if c["event"] == "inst_retired"}
    equal(sorted(instructions), ["kernel", "user"], "modes")
    user, plain = instructions["user"]["raw"], guest.run("ten_million").count("inst_retired")
    near(user, plain, 500, "user mode instructions, as without the split")
    between(instructions["kernel"]["raw"], 1000, 5_000_000, "kernel mode instructions")
    for count in instructions.values():
        equal(count["running_ns"], count["enabled_ns"], "both modes at once")
    report = guest.report("split", model="pair.json")
    equal(sorted(report["modes"]), ["kernel", "user"], "modes of the report")
    for mode in ("user", "kernel"):
        near(report["modes"][mode]["ipc"]["value"], 1 / CYCLES, 1e-3, f"IPC in {mode} mode")
        near(report["modes"][mode]["level1"]["backend_bound"]["value"], 1 - 1 / CYCLES, 1e-3,
             f"a level-1 node in {mode} mode")
    near(node(report, "ipc")["value"], 1 / CYCLES, 1e-3, "IPC of the tree")
    assert "modes-split" in run.notes, run.notes
    turns = [c for c in guest.run("split_turns").document["counts"]
             if c["event"] == "inst_retired" and c["mode"] == "user"]
    equal(len(turns), 1, "user mode counts")
    assert turns[0]["running_ns"] < turns[0]["enabled_ns"], "eight events on seven counters"
    near(turns[0]["raw"] * turns[0]["enabled_ns"] / turns[0]["running_ns"] / 160_000_000, 1, 0.02,
         "user mode instructions, scaled")
    refused = guest.run("split_refused")
    for c in refused.document["counts"]:
        if c["mode"] == "kernel":
            assert "paranoid" in c["absent"], c
    equal(guest.report("split_refused")["modes"], {}, "modes when the kernel is hidden")


def case_kernel_mode_alone(guest):
    run = guest.run("kernel")
    equal(run.counts["inst_retired"]["mode"], "kernel", "mode")
    equal(run.sampling["mode"], "kernel", "mode of the samples")
    between(run.count("inst_retired"), 1000, 5_000_000, "kernel mode instructions")


def case_intervals_sum_to_the_whole(guest):
    for name in ("timeline", "timeline_turns"):
        run = guest.run(name)
        intervals = run.document["intervals"]
        between(len(intervals), 12, 20, f"{name}: intervals of 1.6 s")
        for before, after in zip(intervals, intervals[1:]):
            equal(after["start_ns"], before["start_ns"] + before["length_ns"], "no gap")
        for s in run.document["series"]:
            count = run.document["counts"][s["count_index"]]
            for key in ("raw", "enabled_ns", "running_ns"):
                equal(sum(s[key]), count[key], f"{name}: {key} of {count['event']}")


def case_an_interval_is_what_came_in_it(guest):
    run = guest.run("timeline")
    cycles, instructions = series(run, "cpu_cycles"), series(run, "inst_retired")
    for i, interval in enumerate(run.document["intervals"]):
        equal(cycles["raw"][i], CYCLES * instructions["raw"][i], f"cycles of interval {i}")
        # A cycle is a nanosecond here; the kernel's share is not counted.
        assert cycles["raw"][i] <= interval["length_ns"], (i, interval, cycles["raw"][i])
        if 0 < i < len(run.document["intervals"]) - 1:
            assert cycles["raw"][i] > 0.9 * interval["length_ns"], (i, interval, cycles["raw"][i])
    report = guest.report("timeline", model="pair.json")
    for i, interval in enumerate(report["intervals"][1:-1]):
        near(interval["ipc"]["value"], 1 / CYCLES, 1e-9, f"IPC of interval {i + 1}")
        near(interval["level1"]["retiring"]["value"], 1 / CYCLES, 1e-9, f"retiring, {i + 1}")


# ---- counting ----

def case_exact_counts(guest):
    ten, twenty = guest.run("ten_million"), guest.run("twenty_million")
    near(twenty.count("inst_retired") - ten.count("inst_retired"), 10_000_000 * ROUND, 500,
         "instructions of ten million rounds more")
    between(ten.count("inst_retired"), 10_000_000 * ROUND, 10_000_000 * ROUND + START,
            "instructions of ten million rounds and the start of a program")
    equal(ten.counts["inst_retired"]["mode"], "user", "mode")
    equal(ten.counts["inst_retired"]["from"]["source"], "hardware", "source")


def case_enable_on_exec(guest):
    """Nothing of slotwise's own child before exec is counted, and everything after."""
    one, thousand = guest.run("one"), guest.run("thousand")
    near(thousand.count("inst_retired") - one.count("inst_retired"), 999 * ROUND, 100,
         "instructions of 999 rounds more")
    between(one.count("inst_retired"), 1000, START, "instructions of a program that does nothing")


def case_cycles_of_an_instruction(guest):
    for name in ("one", "ten_million", "samples", "threads", "throttled"):
        run = guest.run(name)
        near(run.count("cpu_cycles"), run.count("inst_retired") * CYCLES, 16, f"cycles of {name}")
        ipc = node(guest.report(name), "ipc")
        near(ipc["value"], 0.25, 1e-6, f"IPC of {name}")


def case_group_reads(guest):
    """All events of a group are counted over the same time, and all of the time if they fit."""
    for name in ("ten_million", "turns", "held", "attached"):
        groups = {}
        for c in guest.run(name).document["counts"]:
            if "raw" in c and c.get("group", -1) >= 0:
                groups.setdefault(c["group"], []).append((c["enabled_ns"], c["running_ns"]))
        assert len(groups) >= 2, groups
        for group, times in groups.items():
            equal(len(set(times)), 1, f"different times in group {group} of {name}")
    full = guest.run("ten_million").counts["inst_retired"]
    equal(full["enabled_ns"], full["running_ns"], "time on the counters without taking turns")


def case_threads_are_followed(guest):
    run = guest.run("threads")
    between(run.count("inst_retired"), 4 * 10_000_000 * ROUND,
            4 * 10_000_000 * ROUND + 2 * START, "instructions of four threads")
    samples, _ = guest.samples("threads")
    tids = {}
    for s in samples:
        tids[s.tid] = tids.get(s.tid, 0) + 1
    busy = {t: n for t, n in tids.items() if n > 100}
    equal(len(busy), 4, f"threads with samples ({tids})")
    equal(len({s.pid for s in samples}), 1, "processes")


def case_children_are_followed(guest):
    run = guest.run("children")
    between(run.count("inst_retired"), 4 * 10_000_000 * ROUND,
            4 * 10_000_000 * ROUND + 4 * START, "instructions of four children")
    samples, _ = guest.samples("children")
    busy = {p for p in {s.pid for s in samples} if sum(s.pid == p for s in samples) > 100}
    equal(len(busy), 4, "children with samples")


def case_kernel_mode_is_counted_for_root(guest):
    run = guest.run("everything")
    equal(run.counts["inst_retired"]["mode"], "all", "mode")
    between(run.count("inst_retired"), 10_000_000 * ROUND + START // 2,
            10_000_000 * ROUND + 3_000_000, "instructions in user and kernel mode")
    assert "kernel-hidden" not in run.notes, run.notes
    equal(run.counts["context-switches"].get("absent"), None, "absence of context switches")


def case_attached_counts_its_phase_only(guest):
    run = guest.run("attached")
    # The rest of the one CPU's time is slotwise's own.
    between(run.count("cpu_cycles"), 180_000_000, 201_000_000, "cycles of 200 ms at 1 GHz")
    near(run.count("cpu_cycles"), run.count("inst_retired") * CYCLES, 500_000, "cycles attached")
    # Counters begin one after the other, and the one CPU is slow.
    near(run.sampling["samples"], run.count("cpu_cycles") / PERIOD, 6, "samples")


def case_the_whole_machine(guest):
    run = guest.run("machine")
    between(run.count("cpu_cycles"), 150_000_000, 210_000_000, "cycles of 200 ms at 1 GHz")
    equal(run.sampling["event"], "cycles", "sampled event")
    equal(run.sampling["from"]["source"], "hardware", "source of the samples")


# ---- sampling ----

def case_samples_are_a_period_apart(guest):
    run = guest.run("samples")
    samples, throttled = guest.samples("samples")
    cycles = run.count("cpu_cycles")
    near(len(samples), cycles / PERIOD, 1, "number of samples")
    equal(run.sampling["samples"], len(samples), "samples in the run")
    equal({s.period for s in samples}, {PERIOD}, "periods")
    equal(run.sampling["weight"], PERIOD * len(samples), "weight of the samples")
    equal(throttled, 0, "throttle records")
    # One cycle is one nanosecond. The counters stand still while the kernel handles an overflow, some
    # 10 us, the same every time; a tick now and then makes a distance longer.
    gaps = sorted(b.time_ns - a.time_ns for a, b in zip(samples, samples[1:]))
    between(gaps[0], PERIOD, PERIOD + 50_000, "shortest distance in time")
    near(gaps[len(gaps) // 2], gaps[0], 2_000, "usual distance in time")


def case_every_ip_is_in_the_loop(guest):
    loop = guest.function("hot_loop")
    for name in ("samples", "threads", "children"):
        samples, _ = guest.samples(name)
        outside = [hex(s.ip) for s in samples if s.ip not in loop]
        # A program's start takes far less than a period.
        assert len(outside) <= 4, f"{name}: {outside} of {len(samples)}"
        assert all(s.user for s in samples), f"{name}: kernel samples in a user-mode run"
    spread = {s.ip for s in guest.samples("samples")[0] if s.ip in loop}
    between(len(spread), ROUND, ROUND + 2, "instructions of the loop that were hit")


def case_every_call_chain_is_whole(guest):
    functions = [guest.function(f) for f in ("hot_loop", "inner", "middle", "outer", "main")]
    samples, _ = guest.samples("samples")
    for s in samples:
        if s.ip in functions[0]:
            for depth, function in enumerate(functions):
                assert s.chain[depth] in function, f"frame {depth} of {[hex(a) for a in s.chain]}"


def case_symbols_and_stacks_of_another_machine(guest):
    """profile.pb.gz, made in the machine, holds names: folded here by the native program."""
    text = subprocess.run([guest.slotwise, "export", guest.path("samples.slotwise"), "--format",
                           "folded"], check=True, capture_output=True, text=True).stdout
    total = hot = 0
    for line in text.splitlines():
        stack, weight = line.rsplit(" ", 1)
        total += int(weight)
        if stack.endswith("main;outer;middle;inner;hot_loop"):
            hot += int(weight)
    assert total > 0 and hot >= total - 2 * PERIOD, text
    equal(total, guest.run("samples").sampling["weight"], "weight of all stacks")


# ---- counters read with the samples ----

FUNCTION_PERIOD = 500_009
TURNS, HOT, LONG = 200, 250_000 * 4, 75_379 * 6  # instructions of the two loops of a turn


def newer(guest):
    """A kernel from Linux 6.12 on, which not every mirror has."""
    if not os.path.isdir(guest.path("", "newer")):
        print("skipped: no kernel that reads counters with inherited samples")
        sys.exit(1 if os.environ.get("SLW_REQUIRE_PMU") == "1" else 77)


def case_sampled_group_reads(guest):
    """In a thread the leader's values of successive samples are a period apart, to the instruction
    (of four cycles), and those of instructions a quarter: all are read at one instant."""
    newer(guest)
    for name, threads in (("functions", 1), ("functions_threads", 4)):
        samples, _ = guest.samples(name, "newer")
        reads = {}
        for s in samples:
            equal(len(s.read), 2, "counters in a sample")
            reads.setdefault(s.tid, []).append((max(s.read.values()), min(s.read.values())))
        busy = {tid: found for tid, found in reads.items() if len(found) > 200}
        equal(len(busy), threads, f"threads with samples of {name}")
        for found in busy.values():
            for number, (cycles, instructions) in enumerate(found):
                near(cycles - found[0][0], number * FUNCTION_PERIOD, CYCLES,
                     f"cycles after {number} samples of {name}")
                near(instructions * CYCLES, cycles, CYCLES, f"instructions of {name}")


def case_functions_get_their_own_instructions(guest):
    newer(guest)
    weights = folded(guest, "functions", "inst_retired", "newer")
    for function, expected in (("hot_loop", TURNS * HOT), ("long_loop", TURNS * LONG)):
        near(weights[function], expected, expected * 0.005, f"instructions of {function}")
    # Nothing is lost: what came after the last sample is a row of its own.
    between(sum(weights.values()), TURNS * (HOT + LONG), TURNS * (HOT + LONG) + START,
            "instructions of all rows")
    notes = guest.run("functions", "newer").notes
    assert "no-per-function" not in notes, notes


def case_functions_beside_counts_are_not_more(guest):
    """The group takes its turn with the counting groups: part of the whole, never above it."""
    newer(guest)
    weights = folded(guest, "functions_and_counts", "inst_retired", "newer")
    run = guest.run("functions_and_counts", "newer")
    assert weights["hot_loop"] > weights["long_loop"] > 0, weights
    between(sum(weights.values()), 1, run.scaled("inst_retired") * 1.005, "instructions of all rows")


def case_the_function_table(guest):
    """Shares within a point, and the IPC of every row that of the machine, to the last digit."""
    newer(guest)
    report = guest.report("functions", "newer", "functions.json")
    rows = {f["function"]: f for f in report["functions"]}
    for function, expected in (("hot_loop", HOT), ("long_loop", LONG)):
        row = rows[function]
        near(row["self"]["share"]["value"], expected / (HOT + LONG), 0.01, f"share of {function}")
        assert row["topdown"]["absent"] is None, row["topdown"]
        between(row["topdown"]["reads"], 500, row["self"]["samples"], f"reads of {function}")
        near(row["topdown"]["ipc"]["value"], 1 / CYCLES, 1e-5, f"IPC of {function}")
        # The emulated core has no slots: no top-down category is made up.
        equal(row["topdown"]["frontend_bound"]["value"], None, "front-end bound")
        equal(row["topdown"]["category"], None, "category")


def case_an_older_kernel_samples_without_counters(guest):
    run = guest.run("functions_old")
    assert "no-per-function" in run.notes, run.notes
    text = run.notes["no-per-function"]["text"]
    assert "does not read counters with the samples of inherited events" in text, text
    assert "6.12" in run.notes["no-per-function"]["hint"], run.notes["no-per-function"]
    rows = {f["function"]: f for f in guest.report("functions_old")["functions"]}
    for function, expected in (("hot_loop", HOT), ("long_loop", LONG)):
        equal(rows[function]["topdown"], None, f"counters of {function}")
        near(rows[function]["self"]["share"]["value"], expected / (HOT + LONG), 0.02,
             f"share of {function}")


def case_frequency_mode(guest):
    run = guest.run("frequency")
    samples, _ = guest.samples("frequency")
    seconds = run.document["wall_ns"] / 1e9
    between(len(samples), 0.7 * 997 * seconds, 1.3 * 997 * seconds, "samples at 997 Hz")
    near(run.sampling["weight"], run.count("cpu_cycles"), run.count("cpu_cycles") * 0.02,
         "weight of the samples against the count")


def case_throttling_is_counted_and_shown(guest):
    run = guest.run("throttled")
    between(run.document["losses"]["throttled"], 1, 10_000, "throttled")
    # Samples are lost by it, counts are not: they are other events.
    between(run.count("inst_retired"), 10_000_000 * ROUND, 10_000_000 * ROUND + START,
            "instructions")
    assert run.sampling["weight"] < run.count("cpu_cycles"), "no sample was lost"
    assert "throttled" in guest.text("throttled.out")


# ---- counters that are not enough ----

def case_taking_turns_is_scaled(guest):
    run = guest.run("turns")
    for i in range(6):
        count = run.counts[f"inst{i}"]
        between(count["running_ns"] / count["enabled_ns"], 0.3, 0.7, "share of the time")
        near(run.scaled(f"inst{i}"), 400_000_000, 2_000_000, f"instructions by inst{i}")
        near(run.scaled(f"cycles{i}"), 1_600_000_000, 8_000_000, f"cycles by cycles{i}")


def case_passes_are_exact_where_turns_are_estimates(guest):
    """More events than counters: each group in an execution of its own counts all of it."""
    run, rounds = guest.run("passes"), {}
    for c in run.document["counts"]:
        if c["event"].startswith(("inst", "cycles")):
            equal(c["enabled_ns"], c["running_ns"], f"time of {c['event']} on a counter")
            rounds.setdefault(c["event"], {})[c["round"]] = c["raw"]
    equal(len(rounds), 12, "events")
    for event, counts in rounds.items():
        expected = 20_000_000 * ROUND * (CYCLES if event.startswith("cycles") else 1)
        equal(sorted(counts), [1, 2], f"rounds of {event}")
        for count in counts.values():
            between(count, expected, expected + START * CYCLES, f"exact count of {event}")
        near(counts[1], counts[2], 400, f"{event} of one round and the other")
    passes = [r["pass"] for r in run.document["rounds"]]
    equal(passes, passes[:len(passes) // 2] * 2, "passes of the rounds")
    assert len(passes) >= 4, passes
    assert not {"passes-differ", "rounds-differ", "work-unchecked"} & set(run.notes), run.notes
    assert any(guest.run("turns").counts[f"inst{i}"]["running_ns"] <
               guest.run("turns").counts[f"inst{i}"]["enabled_ns"] for i in range(6))
    report = guest.report("passes", model=MANY)
    for i in range(6):
        ipc = node(report, f"ipc{i}")
        near(ipc["value"], 0.25, 1e-6, f"ipc{i}")
        equal((ipc["interval_from"], ipc["rounds"]), ("rounds", 2), f"interval of ipc{i}")
        near(ipc["interval"][1] - ipc["interval"][0], 0, 1e-4, f"width of the interval of ipc{i}")


def case_rounds_take_turns_each(guest):
    run, report = guest.run("rounds"), guest.report("rounds", model=MANY)
    equal([r["round"] for r in run.document["rounds"]], [1, 2, 3], "rounds")
    for i in range(6):
        counts = [c for c in run.document["counts"] if c["event"] == f"inst{i}"]
        equal([c["round"] for c in counts], [1, 2, 3], f"rounds of inst{i}")
        assert all(c["running_ns"] < c["enabled_ns"] for c in counts), counts
        ipc = node(report, f"ipc{i}")
        equal((ipc["interval_from"], ipc["rounds"]), ("rounds", 3), f"interval of ipc{i}")
        between(0.25, ipc["interval"][0] - 0.001, ipc["interval"][1] + 0.001, "IPC")
    # One execution that takes turns knows how much it did not see.
    ipc = node(guest.report("turns", model=MANY), "ipc0")
    equal(ipc["interval_from"], "coverage", "what the interval of one execution is from")
    between(0.25, *ipc["interval"], "IPC")


def case_samples_of_rounds_are_of_one_execution(guest):
    run = guest.run("rounds_sampled")
    listed = [(r.get("round"), r.get("sampled", False)) for r in run.document["rounds"]]
    equal(listed, [(None, True), (1, False), (2, False)], "executions")
    samples, _ = guest.samples("rounds_sampled")
    near(len(samples), 10_000_000 * ROUND * CYCLES / PERIOD, 2, "samples of one execution")
    counts = [c["raw"] for c in run.document["counts"] if c["event"] == "inst_retired"]
    for count in counts:
        between(count, 10_000_000 * ROUND, 10_000_000 * ROUND + START, "instructions of a round")


def case_samples_do_not_take_turns(guest):
    """However many groups take turns, no sample is missing."""
    run = guest.run("turns_sampled")
    count = run.counts["inst0"]
    between(count["running_ns"] / count["enabled_ns"], 0.2, 0.5, "share of the time of a group")
    near(run.sampling["samples"], 40_000_000 * ROUND * CYCLES / PERIOD, 2, "samples")
    assert "sampling-part-time" not in run.notes, run.notes


def case_an_oversized_group_is_noticed(guest):
    """A model that claims twelve counters: its group opens and would never run."""
    run = guest.run("wide")
    assert "counters-held" in run.notes, run.notes
    for i in range(6):
        near(run.scaled(f"inst{i}"), 80_000_000, 1_600_000, f"instructions by inst{i}")


def case_held_counters_shrink_the_groups(guest):
    run = guest.run("held")
    assert "counters-held" in run.notes, run.notes
    for i in range(6):
        near(run.scaled(f"inst{i}"), 160_000_000, 8_000_000, f"instructions by inst{i}")
    # Not the number of samples: off the cycle counter, which is held, QEMU sees overflows late.
    assert run.sampling["samples"] > 100, run.sampling


def case_never_scheduled_is_absent(guest):
    run = guest.run("none_left")
    for event in ("cpu_cycles", "inst_retired"):
        assert "never scheduled" in run.absent(event), run.absent(event)
    assert "sampling-part-time" in run.notes, run.notes
    ipc = node(guest.report("none_left"), "ipc")
    equal(ipc["value"], None, "IPC")
    assert "never scheduled" in ipc["absent"], ipc


# ---- what is not there ----

def case_events_that_would_read_zero_are_absent(guest):
    """The kernel opens any raw number; the CPU tells which it counts."""
    listed = guest.text("events").split()
    run = guest.run("ten_million")
    assert "l1i_cache_refill" not in listed and "inst_retired" in listed, listed
    for event in ("l1i_cache_refill", "l2d_cache_refill", "itlb_walk", "br_mis_pred_retired"):
        equal(run.absent(event), "not supported: the CPU does not count it", event)
    equal(node(guest.report("ten_million"), "icache_mpki")["value"], None, "icache_mpki")


def case_no_slots(guest):
    """A model of slots where caps/slots is 0 and slot events count nothing: no top-down."""
    equal(int(guest.text("caps_slots"), 16), 0, "caps/slots")
    run = guest.run("no_slots")
    assert "not supported" in run.absent("stall_slot")
    report = guest.report("no_slots")
    for name in ("frontend_bound", "backend_bound", "bad_speculation", "retiring"):
        equal(node(report, name)["value"], None, name)
        assert "not supported" in node(report, name)["absent"]
    near(node(report, "ipc")["value"], 0.25, 1e-6, "IPC")


def case_generic_events(guest):
    run = guest.run("no_model")
    assert "not supported" in run.absent("branch_misses")
    full = run.counts["cycles"]
    equal(full["running_ns"], full["enabled_ns"], "time on the counters (absent events hold none)")
    near(run.count("cycles"), run.count("instructions") * CYCLES, 16, "cycles")


def case_a_core_without_stall_events(guest):
    run = guest.run("a72_n1", "a72")
    for event in ("stall_frontend", "stall_backend"):
        assert "not supported" in run.absent(event)
    between(run.count("inst_retired"), 10_000_000 * ROUND, 10_000_000 * ROUND + START,
            "instructions")
    report = guest.report("a72_n1", "a72")
    equal(node(report, "frontend_stall_ratio")["value"], None, "frontend_stall_ratio")


def case_an_unknown_core_gets_generic_events(guest):
    run = guest.run("a72_known", "a72")
    equal(run.document["model"].get("name"), "generic", "model")
    assert "stalled_cycles_frontend" in run.counts
    assert "not supported" in run.absent("stalled_cycles_frontend")
    near(run.count("cycles"), run.count("instructions") * CYCLES, 16, "cycles")
    assert any("0xd08" in n["text"] for n in run.notes.values()), run.notes


def case_no_instructions_event(guest):
    run = guest.run("plain", "plain")
    assert "not supported" in run.absent("inst_retired")
    assert run.count("cpu_cycles") > 0
    assert run.sampling["samples"] > 0
    ipc = node(guest.report("plain", "plain"), "ipc")
    equal(ipc["value"], None, "IPC")
    assert "inst_retired" in ipc["absent"], ipc


# ---- not permitted ----

def case_refused(guest):
    equal(guest.status("refused"), 69, "exit status")
    text = guest.text("refused.out")
    assert "perf_event_paranoid=3" in text and "slotwise doctor" in text, text
    assert not os.path.exists(guest.path("refused.slotwise")), "a run was written"


def case_functions_are_refused_too(guest):
    equal(guest.status("refused_functions"), 69, "exit status")
    assert "perf_event_paranoid=3" in guest.text("refused_functions.out")


def case_refused_falls_back_and_says_so(guest):
    run = guest.run("fallen_back")
    assert "perf-refused" in run.notes, run.notes
    assert "paranoid=3" in run.notes["perf-refused"]["text"], run.notes
    assert "cpu_cycles" not in run.counts
    assert run.count("user-time") > 0


def main():
    name, output, slotwise, loop = sys.argv[1:]
    if not os.path.isdir(output):
        print("skipped: the machine did not run")
        return 1 if os.environ.get("SLW_REQUIRE_PMU") == "1" else 77
    guest = Guest(output, slotwise, loop)
    try:
        globals()["case_" + name](guest)
    except AssertionError as e:
        print(f"FAILED {name}: {e}")
        return 1
    print(f"ok {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
