#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Golden tests: what slotwise prints and how it exits, word by word.

A case is a folder: `cmd` (shell, run in a copy of `input/`; $CASE is the folder itself), `why` (one
sentence: what would be broken if this changed), `expected` (standard output), `expected.err`
(standard error; absent: must be empty), `status` (exit status; absent: 0). What differs from run to
run is scrubbed. machines/ holds trees of /proc and /sys that the cases of doctor start from.
--bless rewrites the expectations; the diff is then reviewed like code.

usage: run.py [--bless] --slotwise PROGRAM CASE..."""
import argparse
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile

SCRUBBERS = [
    (re.compile(r"slotwise \d+\.\d+\.\d+"), "slotwise VERSION"),
    (re.compile(r"\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z\b"), "TIME"),
]


def scrub(text, directory):
    text = text.replace(directory, "DIR")
    for pattern, word in SCRUBBERS:
        text = pattern.sub(word, text)
    return text


def run_case(case, program):
    """(stdout, stderr, status) of one case, scrubbed."""
    with tempfile.TemporaryDirectory(prefix="slw-golden-") as directory:
        place = os.path.join(directory, "in")
        source = os.path.join(case, "input")
        if os.path.isdir(source):
            shutil.copytree(source, place, symlinks=True)
        else:
            os.mkdir(place)
        tools = os.path.join(directory, "bin")
        os.mkdir(tools)
        os.symlink(program, os.path.join(tools, "slotwise"))
        env = {"PATH": tools + ":/usr/bin:/bin", "HOME": directory, "LC_ALL": "C.UTF-8",
               "TERM": "dumb", "CASE": case}
        done = subprocess.run(["sh", os.path.join(case, "cmd")], cwd=place, env=env, timeout=60,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        return (scrub(done.stdout.decode("utf-8", "backslashreplace"), directory),
                scrub(done.stderr.decode("utf-8", "backslashreplace"), directory),
                f"{done.returncode}\n")


def read(case, name, default):
    path = os.path.join(case, name)
    if not os.path.exists(path):
        return default
    with open(path, encoding="utf-8") as f:
        return f.read()


def bless(case, name, text, default):
    path = os.path.join(case, name)
    if text != default:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    elif os.path.exists(path):
        os.unlink(path)


def check_case(case, program, blessing):
    if not read(case, "why", "").strip():
        print(f"{case}: no why")
        return False
    got = run_case(case, program)
    good = True
    for name, default, text in zip(("expected", "expected.err", "status"), ("", "", "0\n"), got):
        if blessing:
            bless(case, name, text, default)
            continue
        want = read(case, name, default)
        if want != text:
            good = False
            sys.stdout.writelines(difflib.unified_diff(
                want.splitlines(True), text.splitlines(True), f"{case}/{name}", "now"))
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bless", action="store_true")
    parser.add_argument("--slotwise", required=True)
    parser.add_argument("cases", nargs="+")
    args = parser.parse_args()
    program = os.path.abspath(args.slotwise)
    results = [check_case(os.path.abspath(case), program, args.bless) for case in args.cases]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
