# SPDX-License-Identifier: MIT
"""What 'slotwise export' writes, through the tools and by the rules of who reads it. speedscope
itself is in tests/browser; pprof's readers in tests/unit/test_pprof_go.c and test_pprof_protoc.c."""
import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import harness
import pprof

FOLDED = ("main;parse 30\n"
          "main;send;write_[k];copy_[k] 45\n"
          "main;send 5\n"
          "main;fold;fold;fold 7\n"
          'main;<b>"x\\y</b>;operator<< (int) [clone .cold] 13\n')
TOTAL = 100
STACKCOLLAPSE = ("stackcollapse-perf.pl", "inferno-collapse-perf")


def run(*command, **kw):
    return subprocess.run(command, check=True, capture_output=True, timeout=60, **kw)


class Formats(harness.Case):

    def setUp(self):
        super().setUp()
        self.input = self.path("in.folded")
        with open(self.input, "w", encoding="utf-8") as f:
            f.write(FOLDED)

    def export(self, name, source=None, *options):
        path = self.path("out." + name)
        self.slotwise("export", source or self.input, "--format", name, *options, "-o", path)
        return path

    # -- callgrind ------------------------------------------------------------------------------
    def annotate(self, path, *options):
        done = run(self.need("callgrind_annotate"), "--show-percs=no", "--threshold=100", *options,
                   path, text=True)
        self.assertEqual(done.stderr, "", "callgrind_annotate understood all of it")
        return done.stdout

    def test_callgrind_annotate_reads_own_and_inclusive_costs(self):
        path = self.export("callgrind")
        own = self.annotate(path, "--inclusive=no")
        self.assertRegex(own, rf"(?m)^ *{TOTAL}\s+PROGRAM TOTALS")
        self.assertRegex(own, r"(?m)^ *45\s+\?\?\?:copy")
        self.assertRegex(own, r"(?m)^ *7\s+\?\?\?:fold")
        inclusive = self.annotate(path, "--inclusive=yes")
        for name, cost in (("main", TOTAL), ("send", 50), ("fold", 7), ("write", 45)):
            self.assertRegex(inclusive, rf"(?m)^ *{cost}\s+\?\?\?:{name}\b", name)

    # -- perf script ----------------------------------------------------------------------------
    def test_perf_script_is_read_by_stack_collapsers(self):
        tools = [tool for tool in map(shutil.which, STACKCOLLAPSE) if tool]
        if not tools: # neither comes from Debian
            self.skipTest(f"none of {', '.join(STACKCOLLAPSE)}")
        path = self.export("perf-script")
        for tool in tools:
            with self.subTest(tool):
                folded = run(tool, path, text=True).stdout
                counts = {}
                for line in folded.splitlines():
                    stack, _, count = line.rpartition(" ")
                    counts[stack.split(";", 1)[1]] = int(count)
                self.assertEqual(sum(counts.values()), TOTAL)
                self.assertEqual(counts["main;send"], 5)
                self.assertEqual(counts["main;fold;fold;fold"], 7)

    def test_perf_script_is_of_the_shape_perf_prints(self):
        head = re.compile(r"^(\S.*?)\s+(\d+)/(\d+)\s+\d+\.\d{6}:\s+(\d+) (\S+): $")
        frame = re.compile(r"^\t\s*[0-9a-f]+ (.+) \((.*)\)$")
        with open(self.export("perf-script"), encoding="utf-8") as f:
            blocks = f.read().split("\n\n")
        self.assertEqual(blocks.pop(), "")
        total = 0
        for block in blocks:
            first, *rest = block.split("\n")
            self.assertRegex(first, head)
            total += int(head.match(first).group(4))
            for line in rest:
                self.assertRegex(line, frame)
        self.assertEqual(total, TOTAL)

    # -- OTLP -----------------------------------------------------------------------------------
    def test_protoc_decodes_every_field_of_otlp_profiles(self):
        with open(self.export("otlp"), "rb") as f:
            text = run(self.need("protoc"), "--decode=otlp.ProfilesData",
                       "--proto_path=" + harness.HERE, "otlp_profiles.proto",
                       stdin=f).stdout.decode()
        self.assertNotRegex(text, r"(?m)^\s*\d+[: ]", "a field that is not of the format")
        values = [int(v) for v in re.findall(r"(?m)^\s+values: (\d+)$", text)]
        self.assertEqual(sum(values), TOTAL)
        tables = {name: len(re.findall(rf"(?m)^  {name}_table[ :]", text))
                  for name in ("mapping", "location", "function", "string", "attribute", "stack")}
        self.check_indices(text, "stack_index", tables["stack"])
        self.check_indices(text, "location_indices", tables["location"])
        self.check_indices(text, "function_index", tables["function"])
        self.check_indices(text, r"\w+_strindex", tables["string"])
        self.check_indices(text, "attribute_indices", tables["attribute"])
        self.assertIn('string_table: "parse"', text)
        # The null entries, first in their tables.
        for name in ("mapping", "location", "function", "link", "stack"):
            self.assertRegex(text, rf"(?m)^  {name}_table {{\n  }}$")

    def check_indices(self, text, field, count):
        found = [int(i) for i in re.findall(rf"(?m)^\s+{field}: (\d+)$", text)]
        self.assertTrue(found, field)
        self.assertTrue(all(0 < i < count for i in found), f"{field}: {found} of {count}")

    # -- Firefox Profiler -----------------------------------------------------------------------
    def test_firefox_profile_follows_its_types(self):
        """src/types/profile.js of the profiler at format version 48, where types are exact: nothing
        is missing and nothing else is there. The profiler itself reads it in tests/browser."""
        with open(self.export("firefox"), encoding="utf-8") as f:
            profile = json.load(f)
        meta = profile["meta"]
        for key, kind in (("interval", (int, float)), ("startTime", (int, float)),
                          ("processType", int), ("product", str), ("stackwalk", int),
                          ("version", int), ("markerSchema", list), ("categories", list)):
            self.assertIsInstance(meta[key], kind, key)
        self.assertEqual(meta["preprocessedProfileVersion"], 48)
        self.assertEqual(set(profile), {"meta", "libs", "threads"})
        self.assertLessEqual(set(meta), self.META)
        for category in meta["categories"]:
            self.assertEqual(set(category), {"name", "color", "subcategories"})
            self.assertIn(category["color"], self.COLORS)
            self.assertEqual(category["subcategories"][0], "Other")
        self.assertIn("grey", [c["color"] for c in meta["categories"]])
        for lib in profile["libs"]:
            self.assertEqual(set(lib), {"arch", "name", "path", "debugName", "debugPath",
                                        "breakpadId", "codeId"})
        total = 0
        for thread in profile["threads"]:
            self.check_thread(thread, profile)
            total += sum(thread["samples"]["weight"])
        self.assertEqual(total, TOTAL)

    META = {"interval", "startTime", "processType", "product", "importedFrom", "stackwalk", "version",
            "preprocessedProfileVersion", "symbolicated", "symbolicationNotSupported", "markerSchema",
            "usesOnlyOneStackType", "sourceCodeIsNotOnSearchfox", "categories", "extra"}
    COLORS = {"transparent", "purple", "green", "orange", "yellow", "lightblue", "blue", "brown",
              "magenta", "red", "lightred", "darkgrey", "grey"}
    THREAD = {"processType", "processStartupTime", "processShutdownTime", "registerTime",
              "unregisterTime", "pausedRanges", "name", "isMainThread", "pid", "tid", "samples",
              "markers", "stackTable", "frameTable", "stringArray", "funcTable", "resourceTable",
              "nativeSymbols"}
    TABLES = {
        "samples": ("stack", "time", "weight"),
        "stackTable": ("frame", "prefix", "category", "subcategory"),
        "frameTable": ("address", "inlineDepth", "category", "subcategory", "func", "nativeSymbol",
                       "innerWindowID", "implementation", "line", "column"),
        "funcTable": ("name", "isJS", "relevantForJS", "resource", "fileName", "lineNumber",
                      "columnNumber"),
        "resourceTable": ("lib", "name", "host", "type"),
        "nativeSymbols": ("libIndex", "address", "name", "functionSize"),
        "markers": ("data", "name", "startTime", "endTime", "phase", "category"),
    }

    def check_thread(self, thread, profile):
        self.assertEqual(set(thread), self.THREAD)
        for table, columns in self.TABLES.items():
            self.assertEqual(set(thread[table]) - {"weightType"}, {*columns, "length"}, table)
            for column in columns:
                self.assertEqual(len(thread[table][column]), thread[table]["length"], (table, column))
        for key, kind in (("name", str), ("pid", str), ("isMainThread", bool), ("tid", int),
                          ("processType", str), ("pausedRanges", list)):
            self.assertIsInstance(thread[key], kind, key)
        self.assertIn(thread["samples"]["weightType"], ("samples", "tracing-ms", "bytes"))
        self.assertEqual(thread["samples"]["time"], sorted(thread["samples"]["time"]))
        strings = len(thread["stringArray"])
        for indices, limit in (
                (thread["samples"]["stack"], thread["stackTable"]["length"]),
                (thread["stackTable"]["frame"], thread["frameTable"]["length"]),
                (thread["stackTable"]["category"], len(profile["meta"]["categories"])),
                (thread["frameTable"]["func"], thread["funcTable"]["length"]),
                (thread["funcTable"]["name"], strings),
                (thread["funcTable"]["fileName"], strings),
                (thread["resourceTable"]["name"], strings),
                (thread["resourceTable"]["lib"], len(profile["libs"]))):
            self.assertTrue(all(i is None or 0 <= i < limit for i in indices), (indices, limit))
        for row, prefix in enumerate(thread["stackTable"]["prefix"]):
            self.assertTrue(prefix is None or prefix < row, "callers come first")

    # -- SVG ------------------------------------------------------------------------------------
    def test_svg_is_xml_and_tells_the_total(self):
        root = ElementTree.parse(self.export("svg")).getroot()
        self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
        text = " ".join(root.itertext())
        self.assertIn("100 samples", text)

    # -- all of them ----------------------------------------------------------------------------
    def test_a_recording_keeps_its_events_and_threads(self):
        self.need("perf")
        data = self.path("perf.data")
        done = subprocess.run(["perf", "record", "-q", "-g", "-F", "997", "-e",
                               "cpu-clock,task-clock", "-o", data, harness.CLIENT, "spin", "200"],
                              capture_output=True, timeout=60, check=False)
        if done.returncode != 0 or not os.path.exists(data):
            self.skipTest("perf cannot record here")
        with open(self.export("speedscope", data), encoding="utf-8") as f:
            file = json.load(f)
        names = [p["name"] for p in file["profiles"]]
        self.assertIn("task-clock (nanoseconds; software, imported)", names)
        with open(self.export("speedscope", data, "--event", "task-clock"), encoding="utf-8") as f:
            one = json.load(f)
        self.assertEqual(len(one["profiles"]), 2)
        active = one["profiles"][one["activeProfileIndex"]]
        self.assertEqual(active["unit"], "nanoseconds")
        self.assertEqual(sum(active["weights"]), active["endValue"])
        self.annotate(self.export("callgrind", data))


class Recordings(harness.Case):
    """perf.data as perf leaves it in its various ways, not only in files of one event."""

    def check(self, event, *options, pipe=False):
        self.need("perf")
        data = self.path("perf.data")
        with open(data if pipe else os.devnull, "wb") as out:
            done = subprocess.run(["perf", "record", "-q", "-g", "-F", "997", *options, "-o",
                                   "-" if pipe else data, harness.CLIENT, "spin", "100"],
                                  stdout=out, stderr=subprocess.PIPE, timeout=60, check=False)
        if done.returncode != 0 or os.path.getsize(data) < 1000:
            self.skipTest(f"perf cannot record so here: {done.stderr.decode()[-200:]}")
        told = run(self.need("perf"), "script", "-f", "-i", data, "-F", "event,period",
                   text=True).stdout
        periods = [int(p) for p in re.findall(rf"(?m)^ *(\d+) +{event}:", told)]
        self.assertGreater(len(periods), 20, told[:500])
        folder = self.path("run.slotwise")
        self.slotwise("import", data, "-o", folder)
        profile = pprof.Profile(os.path.join(folder, "profile.pb.gz"))
        column = profile.sample_types.index((event, "nanoseconds"))
        self.assertEqual(sum(s.values[column] for s in profile.samples), sum(periods))
        samplings = {s["event"]: s["samples"] for s in self.load(folder)["samplings"]}
        self.assertEqual(samplings[event], len(periods))
        self.assertIn("main", {f.function for s in profile.samples for f in s.frames})
        return folder, sum(periods)

    def test_through_a_pipe(self):
        folder, weight = self.check("cpu-clock", "-e", "cpu-clock", pipe=True)
        for name in ("folded", "pprof", "speedscope", "firefox", "perf-script", "callgrind"):
            with self.subTest(name):
                path, back = self.path("out." + name), self.path(name + ".slotwise")
                self.slotwise("export", folder, "--format", name, "--event", "cpu-clock", "--unit",
                              "nanoseconds", "-o", path)
                self.slotwise("import", path, "-o", back)
                self.assertIn(weight, pprof.Profile(os.path.join(back, "profile.pb.gz")).totals())

    def test_compressed(self):
        self.check("cpu-clock", "-e", "cpu-clock", "-z")

    def test_a_group_that_is_read_with_its_leader(self):
        self.check("cpu-clock", "-e", "{cpu-clock,context-switches}:S")


class Valgrind(harness.Case):
    """What Valgrind's tools write, in their various ways, adds up to what they say it does."""

    def check(self, tool, *options, total="totals"):
        path, folder = self.path(tool), self.path("run.slotwise")
        run(self.need("valgrind"), "-q", f"--tool={tool}", f"--{tool}-out-file={path}", *options,
            "/bin/true")
        text = harness.read_bytes(path).decode()
        events, totals = (re.search(rf"(?m)^{key}: (.*)$", text)[1].split()
                          for key in ("events", total))
        self.slotwise("import", path, "-o", folder)
        profile = pprof.Profile(os.path.join(folder, "profile.pb.gz"))
        self.assertEqual([name for name, _ in profile.sample_types], events)
        self.assertEqual(profile.totals(), [int(n) for n in totals])
        self.assertGreater(profile.totals()[0], 10000)
        self.assertNotIn("partial-import", self.notes(self.load(folder)))

    def test_callgrind(self):
        self.check("callgrind")

    def test_callgrind_by_instruction_with_jumps_and_caches(self):
        self.check("callgrind", "--dump-instr=yes", "--collect-jumps=yes", "--cache-sim=yes",
                   "--branch-sim=yes")

    def test_callgrind_without_its_abbreviations(self):
        self.check("callgrind", "--compress-strings=no", "--compress-pos=no")

    def test_cachegrind(self):
        self.check("cachegrind", "--branch-sim=yes", total="summary")


if __name__ == "__main__":
    harness.main()
