#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every known answer of the perf stat recordings, through `slotwise import` and
`slotwise report --format json`: the values of EXPECTED.tsv, and what README.md next to it says must
happen with files that hold no values. Damaged variants are made here, never kept."""

import argparse
import csv
import json
import os
import re
import subprocess
import sys
import tempfile

# EXPECTED.tsv allows this much between formulas, in percent points or, for fractions, of 1.
SAME_FORMULA = 0.001

# The CPU of a file, from its SOURCE.txt. Two models: one for each kind of core.
MODELS = {
    "keithjh-zen4/": "zen4",
    "lkml/adl_perf63_default_L2.txt": "perf_metrics",
    "lkml/adl_": {"core": "alderlake_p", "atom": "alderlake_e"},
    "lkml/spr_default_L2_sleep.txt": "perf_metrics",
    "perf-wiki/tgl_": "tigerlake",
    "lkml/tgl_": "tigerlake",
    "lkml/skl_": "skylake",
    "lkml/n2_": "neoverse_n2_2023",
}

# The same metric under the name of another version of the formulas.
NAMES = {"branch_mispredict": "branch_mispredicts"}
ATOM_NAMES = {
    "fetch_latency": "ifetch_latency",
    "fetch_bandwidth": "ifetch_bandwidth",
    "core_bound": "nonmemory_bound",  # backend_bound - memory_bound then
    "resource_bound": "backend_bound",  # the whole of it then
}

failures = []


def check(condition, text):
    if not condition:
        failures.append(text)


class Slotwise:
    def __init__(self, program, scratch):
        self.program, self.scratch, self.count = program, scratch, 0
        self.reports = {}

    def run(self, *args):
        return subprocess.run([self.program, *args], capture_output=True, text=True, timeout=60,
                              errors="replace")

    def import_file(self, path, *options):
        self.count += 1
        name = os.path.join(self.scratch, f"run{self.count}")
        return name, self.run("import", path, "-o", name, *options)

    def report(self, path, model=None):
        key = (path, model)
        if key not in self.reports:
            name, done = self.import_file(path, *(["--model", model] if model else []))
            if done.returncode != 0:
                raise SystemExit(f"{path}: import failed: {done.stderr}")
            done = self.run("report", name, "--format", "json")
            if done.returncode != 0:
                raise SystemExit(f"{path}: report failed: {done.stderr}")
            self.reports[key] = json.loads(done.stdout)
            check_sane(path, self.reports[key], done.stdout)
        return self.reports[key]

    def refuses(self, path, why, *options):
        """A clean error that names a line and a column."""
        _, done = self.import_file(path, *options)
        where = re.search(r"where: .*:\d+:\d+", done.stderr)
        check(done.returncode == 65 and where,
              f"{why}: status {done.returncode}, {done.stderr.strip()!r}")
        return done.stderr


def check_sane(path, report, text):
    check(not re.search(r"\b(nan|inf|infinity)\b", text, re.IGNORECASE), f"{path}: NaN in report")
    for count in report["counts"]:
        check(count["imported"], f"{path}: {count['event']} is not marked imported")
    for node in report["topdown"]["nodes"]:
        if node["value"] is not None and node["level"] > 0 and not node["mismeasured"]:
            check(0 <= node["value"] <= 1, f"{path}: {node['name']} is {node['value']}")
            check(node["imported"], f"{path}: {node['name']} is not marked imported")


def node_of(report, name):
    for node in report["topdown"]["nodes"]:
        if node["name"] == name:
            return node
    return None


def value_of(report, name):
    node = node_of(report, name)
    return node["value"] if node else None


def notes(report, code):
    return [n["text"] for n in report["notes"] if n["code"] == code]


def counted(report, event):
    return [c["value"] for c in report["counts"] if c["event"] == event]


def model_for(path, core):
    best = max((k for k in MODELS if path.startswith(k)), key=len)
    model = MODELS[best]
    return model[core] if isinstance(model, dict) else model


def printed_tolerance(text):
    return 0.5 * 10 ** -len(text.partition(".")[2])


def check_expected(slotwise, folder):
    rows = list(csv.DictReader(open(os.path.join(folder, "EXPECTED.tsv")), delimiter="\t"))
    files = set()
    for row in rows:
        core, _, metric = row["metric"].rpartition(":")
        name = metric.lower().replace(" ", "_").removeprefix("tma_")
        name = ATOM_NAMES.get(name, name) if core == "atom" else NAMES.get(name, name)
        report = slotwise.report(os.path.join(folder, row["file"]), model_for(row["file"], core))
        value = value_of(report, name)
        label = f"{row['file']} {row['metric']}"
        if value is None:
            node = node_of(report, name)
            check(False, f"{label}: no value: {node['absent'] if node else 'no such node'}")
            continue
        files.add(row["file"])
        if "fraction" not in row["note"]:
            value *= 100
        expected, printed = float(row["recomputed_from_raw"]), row["reported_by_tool"]
        check(abs(value - expected) <= SAME_FORMULA, f"{label}: {value:.4f}, expected {expected}")
        check(abs(value - float(printed)) <= printed_tolerance(printed) + 1e-9,
              f"{label}: {value:.4f}, perf printed {printed}")
    print(f"{len(rows)} values of {len(files)} files")
    check(len(rows) >= 173 and len(files) >= 23, "EXPECTED.tsv is shorter than it was")


def check_both_kinds_at_once(slotwise, folder):
    """One import of a hybrid file, without naming a model, gives the values of both kinds of core,
    each from its own counts."""
    pmus = {"core": ("cpu_core", "P-cores"), "atom": ("cpu_atom", "E-cores")}
    checked = {"core": 0, "atom": 0}
    for row in csv.DictReader(open(os.path.join(folder, "EXPECTED.tsv")), delimiter="\t"):
        kind, _, metric = row["metric"].rpartition(":")
        if not row["file"].startswith("lkml/adl_Topdown"):
            continue
        report = slotwise.report(os.path.join(folder, row["file"]))
        cores = {c["pmu"]: c for c in report["cores"]}
        check(set(cores) == {"cpu_core", "cpu_atom"}, f"{row['file']}: kinds {set(cores)}")
        core = cores.get(pmus[kind][0], {"topdown": {"nodes": []}, "title": None})
        name = metric.lower().replace(" ", "_").removeprefix("tma_")
        name = ATOM_NAMES.get(name, name) if kind == "atom" else NAMES.get(name, name)
        value = value_of(core, name)
        expected = float(row["recomputed_from_raw"]) / 100
        check(core["title"] == pmus[kind][1], f"{row['file']}: called {core['title']}")
        check(value is not None and abs(value - expected) <= SAME_FORMULA / 100,
              f"{row['file']} {kind}:{metric}: {value}, expected {expected}")
        check("P-cores" in report["verdict"] and "E-cores" in report["verdict"],
              f"{row['file']}: {report['verdict']}")
        check(not notes(report, "printed-differs"), f"{row['file']}: differs")
        checked[kind] += 1
    check(min(checked.values()) >= 11, f"too few values: {checked}")
    report = slotwise.report(os.path.join(folder, "lkml/adl_perf63_default_L2.txt"))
    shares = {c["pmu"]: c["cycles_share"]["value"] for c in report["cores"]}
    check(abs(shares["cpu_core"] - 21257199 / (21257199 + 2162192)) < 1e-9, f"shares {shares}")


def check_multiplexed(slotwise, folder):
    path = os.path.join(folder, "lkml/skl_TopDownL1_before_multiplexed_sums_110pct.txt")
    report = slotwise.report(path, "skylake")
    for name, percent in (("backend_bound", 48.2), ("bad_speculation", 6.7),
                          ("frontend_bound", 36.4), ("retiring", 10.5)):
        node = node_of(report, name)
        check(abs(node["value"] * 100 - percent) < 0.05, f"{path}: {name} {node['value']}")
        check(0.16 <= node["coverage"] <= 0.34 and node["thin"], f"{path}: {name} coverage")
    check(abs(report["topdown"]["level1_sum"] - 1.018) < 0.0005, f"{path}: sum")
    check(report["topdown"]["status"] == "undecided", f"{path}: a verdict")
    text = " ".join(notes(report, "counted-apart"))
    check("different times" in text and "do not add up" in text and "101.8 %" in text,
          f"{path}: no warning: {text}")


def check_not_counted(slotwise, folder):
    path = os.path.join(folder, "lkml/icl_group_unschedulable.csv")
    for model in (None, "icelake"):
        report = slotwise.report(path, model)
        check(all(n["value"] is None for n in report["topdown"]["nodes"]), f"{path}: a number")
        check(all(c["absent"] == "not counted" and c["value"] is None for c in report["counts"]),
              f"{path}: reasons")
    path = os.path.join(folder, "lkml/clx_nonroot_not_counted.txt")
    for model in (None, "cascadelake"):
        report = slotwise.report(path, model)
        check(all(n["value"] is None for n in report["topdown"]["nodes"] if n["level"] > 0),
              f"{path}: a number")
        check(counted(report, "cycles") == [3601662523], f"{path}: cycles")
        check(counted(report, "instructions") == [9241811003], f"{path}: instructions")
        check(counted(report, "branches") == [2238848485], f"{path}: branches")
        check(all(c["mode"] == "user" for c in report["counts"] if c["event"] == "cycles"),
              f"{path}: mode")
        reasons = {c["event"]: c["absent"] for c in report["counts"]}
        check(reasons["int_misc.recovery_cycles_any"] == "not supported", f"{path}: reason")
        check(reasons["uops_issued.any"] == "not counted", f"{path}: reason")
    check(abs(value_of(slotwise.report(path, "cascadelake"), "ipc") - 2.566) < 0.001,
          f"{path}: ipc")


def check_partial_json(slotwise, folder):
    path = os.path.join(folder, "lkml/icl_or_tgl_TopdownL1_partial.json")
    for model in ("icelake", "tigerlake"):
        report = slotwise.report(path, model)
        check(abs(value_of(report, "retiring") * 100 - 20.4228) < 0.001, f"{path}: retiring")
        for name in ("frontend_bound", "backend_bound", "bad_speculation"):
            check(value_of(report, name) is None, f"{path}: {name} has a value")
    report = slotwise.report(path)
    check(not report["topdown"]["nodes"], f"{path}: a model was assumed")
    check("icelake" in " ".join(notes(report, "import-model")), f"{path}: models not named")
    check_printed(path, report, {"tma_backend_bound": "43.226002", "tma_frontend_bound": "29.212267",
                                 "tma_bad_speculation": "7.138972", "tma_retiring": "20.422759"})


def check_printed(path, report, wanted):
    printed = {p["name"]: p["value"] for p in report["printed"]}
    for name, value in wanted.items():
        check(printed.get(name) == value, f"{path}: {name} printed as {printed.get(name)}")


def check_metric_rows(slotwise, folder):
    path = os.path.join(folder, "lkml/spr_default.csv")
    report = slotwise.report(path)
    check_printed(path, report, {"tma_backend_bound": "70.1", "tma_bad_speculation": "2.7",
                                 "tma_frontend_bound": "12.5", "tma_retiring": "14.6",
                                 "tma_memory_bound": "50.5"})
    check(counted(report, "cycles") == [52288305], f"{path}: cycles")
    check(counted(report, "cpu-clock") == [225851200000], f"{path}: cpu-clock")
    path = os.path.join(folder, "lkml/spr_default.json")
    report = slotwise.report(path)
    check_printed(path, report, {"tma_backend_bound": "69.950631", "tma_bad_speculation": "2.771783",
                                 "tma_frontend_bound": "12.026074", "tma_retiring": "15.251513"})
    check(counted(report, "cpu-clock") == [225904823297], f"{path}: cpu-clock")
    for name in ("lkml/spr_default.csv", "lkml/spr_default.json"):
        report = slotwise.report(os.path.join(folder, name))
        check(not any(n["level"] for n in report["topdown"]["nodes"]), f"{name}: a tree")


def check_interval(slotwise, folder):
    path = os.path.join(folder, "lkml/tgl_TopdownL1_interval.csv")
    report = slotwise.report(path, "tigerlake")
    check(counted(report, "uops_decoded.dec0:c1") == [26472844], f"{path}: comma in a name")
    check(report["time"]["wall_ns"]["value"] == 1000103288, f"{path}: length")
    check([p["threshold"] for p in report["printed"]] == ["bad", "bad", "good", "good"],
          f"{path}: thresholds")


def check_generic(slotwise, folder):
    for name in sorted(os.listdir(os.path.join(folder, "keithjh-zen4"))):
        if not name.endswith("_ddd.txt"):
            continue
        path = os.path.join(folder, "keithjh-zen4", name)
        for model in (None, "zen4"):
            report = slotwise.report(path, model)
            check(all(n["value"] is None for n in report["topdown"]["nodes"] if n["level"] > 0),
                  f"{path}: a split of slots")
            check(report["topdown"]["status"] == "none", f"{path}: a verdict on the pipeline")
            check(value_of(report, "ipc") is not None, f"{path}: no IPC")


def check_two_kinds(slotwise, folder):
    path = os.path.join(folder, "perf-wiki/tgl_L1_memcpy.txt")
    report = slotwise.report(path, "tigerlake")
    check(not notes(report, "printed-differs"), f"{path}: {notes(report, 'printed-differs')}")
    check(notes(report, "printed-agrees"), f"{path}: nothing was checked")


def check_agreement(slotwise):
    """With the model that made them, no printed metric disagrees."""
    checked = 0
    for (path, model), report in list(slotwise.reports.items()):
        if model:
            differs = notes(report, "printed-differs")
            check(not differs, f"{path} with {model}: {differs}")
            checked += bool(notes(report, "printed-agrees"))
    check(checked >= 23, f"only {checked} reports could be checked against perf")


def write(slotwise, name, data):
    path = os.path.join(slotwise.scratch, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def read(folder, name):
    with open(os.path.join(folder, name), "rb") as f:
        return f.read()


def check_bad_input(slotwise, folder):
    tgl, spr = read(folder, "lkml/tgl_TopdownL1_interval.csv"), read(folder, "lkml/spr_default.csv")
    broken = read(folder, "lkml/icl_or_tgl_TopdownL1_partial.json")
    skl = read(folder, "lkml/skl_M_four_metrics_one_group.txt")
    zen = read(folder, "keithjh-zen4/BenchPiCalc_SSE2Pi_72_pipeL2.txt")
    cut = tgl[: tgl.index(b"INT_MISC.CLEARS_COUNT") - 3]
    slotwise.refuses(write(slotwise, "cut.csv", cut), "truncated CSV")
    slotwise.refuses(write(slotwise, "cut.json", broken[:-40]), "truncated JSON")
    slotwise.refuses(write(slotwise, "long.csv", spr + b"1" * 10_000_000), "10 MB on one line")
    slotwise.refuses(write(slotwise, "long.txt", zen + b" " * 10_000_000), "10 MB on one line")
    slotwise.refuses(write(slotwise, "long.json", broken + b" " * 10_000_000 + b"{"),
                     "10 MB on one line")
    slotwise.refuses(write(slotwise, "twice.csv", spr + spr), "CSV that repeats its events")
    slotwise.refuses(write(slotwise, "twice.json", broken + broken), "JSON that repeats its events")
    slotwise.refuses(write(slotwise, "twice.txt", zen + zen), "text that repeats its events")
    slotwise.refuses(write(slotwise, "back.csv", tgl + tgl), "intervals that go back")
    mixed = skl + b"       608,066,701      ex_ret_ops\n"
    text = slotwise.refuses(write(slotwise, "mixed.txt", mixed), "two vendors in one file")
    check("mixes" in text, f"mixed: {text}")
    slotwise.refuses(write(slotwise, "share.csv", spr.replace(b"100.00", b"100.01", 1)),
                     "more than 100 % of the time")
    for length in range(0, len(broken), 7):
        _, done = slotwise.import_file(write(slotwise, "short.json", broken[:length]))
        check(done.returncode in (0, 65), f"JSON cut at {length}: status {done.returncode}")


def check_locales(slotwise, folder):
    """The same files as other locales and separators write them give the same counts."""
    def counts(path, model):
        return [(c["event"], c["value"], c["coverage"])
                for c in slotwise.report(path, model)["counts"]]

    name, model = "keithjh-zen4/BenchPiCalc_SSE2Pi_71_ddd.txt", "zen4"
    want = counts(os.path.join(folder, name), model)
    text = read(folder, name).decode()
    german = text.replace(",", "\0").replace(".", ",").replace("\0", ".")
    french = text.replace(",", "\u202f").replace(".", ",")
    swiss = text.replace(",", "\u2019")
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    for label, variant in (("de", german), ("fr", french), ("ch", swiss), ("C", plain)):
        path = write(slotwise, f"locale_{label}.txt", variant.encode())
        check(counts(path, model) == want, f"{name} in locale {label}: other counts")
    name = "lkml/spr_default.csv"
    want = counts(os.path.join(folder, name), None)
    for i, separator in enumerate((";", "|", "\t", "::", "~", "^")):
        data = read(folder, name).decode().replace(",", separator)
        path = write(slotwise, f"separator_{i}.csv", data.encode())
        check(counts(path, None) == want, f"{name} separated by {separator!r}: other counts")
    decimal = read(folder, name).decode().replace(",", ";").replace(".", ",")
    path = write(slotwise, "separator_decimal.csv", decimal.encode())
    check(counts(path, None) == want, f"{name} with decimal commas: other counts")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--slotwise", required=True)
    parser.add_argument("--recordings", required=True)
    args = parser.parse_args()
    if not os.path.exists(os.path.join(args.recordings, "EXPECTED.tsv")):
        print("skipped: no ../shared (the recordings of ../shared/pmu-data)")
        return 77
    with tempfile.TemporaryDirectory() as scratch:
        slotwise = Slotwise(args.slotwise, scratch)
        for test in (check_expected, check_both_kinds_at_once, check_multiplexed, check_not_counted, check_partial_json,
                     check_metric_rows, check_interval, check_generic, check_two_kinds,
                     check_bad_input, check_locales):
            test(slotwise, args.recordings)
        check_agreement(slotwise)
    for failure in failures:
        print("failed:", failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
