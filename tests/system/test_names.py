# SPDX-License-Identifier: MIT
"""Programs whose names are hostile or missing: no byte of them may break a report, a graph or a
file, and none may be lost on the way."""
import contextlib
import json
import os
import shutil
import xml.etree.ElementTree as ElementTree

import harness
import pprof

# Placeholders of the same length are compiled, then replaced in the program's string table: no
# assembler takes these bytes as a name, but any reader of an ELF file can meet them.
HOSTILE = {
    "quotes": b"say \"hello\" & 'bye'",
    "markup": b"</text><script>x()</script>",
    "folded": b"a;b;c 17",
    "lines": b"first\nsecond\tthird\r",
    "utf8": "größe_数据库_🐘".encode(),
    "broken": b"bad\xff\xfeutf8\xc3",
    "control": b"esc\x1b[31mred\x07",
}


class Names(harness.Case):
    def compile(self, functions, *options):
        """A program that spins in each of `functions` (assembler names) for the same time."""
        source, program = self.path("odd.c"), self.path("odd")
        with open(source, "w", encoding="ascii") as f:
            f.write("unsigned long sink;\n")
            for i, name in enumerate(functions):
                f.write(f'__attribute__((noinline)) void f{i}(void) __asm__("{name}");\n')
                f.write(f"void f{i}(void) {{ for (unsigned long i = 0; i < 90000000; i++) "
                        f"sink = sink * 5 + i + {i}; }}\n")
            f.write("int main(void) {\n")
            f.writelines(f"f{i}();\n" for i in range(len(functions)))
            f.write("return 0; }\n")
        compiler = os.environ.get("SLW_CC", "cc")
        harness.subprocess.run([compiler, "-O1", "-fno-omit-frame-pointer", *options, "-o", program,
                                source], check=True, timeout=60)
        return program

    def compile_hostile(self):
        placeholders = {}
        for name, wanted in HOSTILE.items():
            placeholders[name] = ("slw_" + name).ljust(len(wanted), "_")[:len(wanted)]
        self.assertEqual(len(set(placeholders.values())), len(HOSTILE))
        program = self.compile(list(placeholders.values()))
        data = harness.read_bytes(program)
        for name, placeholder in placeholders.items():
            old = b"\0" + placeholder.encode() + b"\0"
            self.assertEqual(data.count(old), 1, placeholder)
            data = data.replace(old, b"\0" + HOSTILE[name] + b"\0")
        with open(program, "wb") as f:
            f.write(data)
        return program

    def leaves(self, run):
        profile = pprof.Profile(os.path.join(run, "profile.pb.gz"))
        return {sample.frames[0].function for sample in profile.samples if sample.frames}

    def test_hostile_names_survive_everywhere(self):
        _, run = self.profile(self.compile_hostile())
        leaves = self.leaves(run)
        for name in ("quotes", "markup", "folded", "utf8"):
            self.assertIn(HOSTILE[name].decode(), leaves, name)
        text = self.svg(run)
        self.assertNotIn("<script>x()", text)
        titles = "".join(ElementTree.fromstring(text).itertext())
        self.assertIn("größe_数据库_🐘", titles)

    def test_hostile_names_in_the_reports(self):
        _, run = self.profile(self.compile_hostile())
        for kind in ("term", "md", "json"):
            out = self.slotwise("report", run, "--format", kind).stdout
            self.assertNotIn("\x1b[31m", out, "an escape sequence of a symbol reached the terminal")
            self.assertNotIn("\x07", out)
            out.encode("utf-8")  # broken UTF-8 was repaired or escaped
        harness.json.loads(self.slotwise("report", run, "--format", "json").stdout)

    def test_folded_lines_stay_one_line_a_stack(self):
        _, run = self.profile(self.compile_hostile())
        total = sum(self.folded(run).values())  # a name with a newline would not parse
        profile = pprof.Profile(os.path.join(run, "profile.pb.gz"))
        self.assertIn(total, profile.totals())
        for frames in self.folded(run):
            self.assertNotIn("a;b;c 17", frames)  # would read as three frames

    def test_hostile_names_of_programs_and_folders(self):
        for name in ('we"ird <&> name', "semi;colon", "new\nline", "größe"):
            with self.subTest(name):
                program = self.path(name)
                shutil.copy(harness.CLIENT, program)
                document, run = self.profile(program, "spin", "100", name="run " + name)
                self.assertEqual(document["command"]["argv"][0], program)
                self.svg(run)
                self.folded(run)
                self.slotwise("report", run)
                self.assertTrue(self.slotwise("report", run, "--format", "json").stdout)

    def test_a_name_of_4_kilobytes(self):
        long_name = "_ZN" + "".join(f"{len(part)}{part}" for part in
                                    (f"namespace_{i:04d}" for i in range(256))) + "3runEv"
        self.assertGreater(len(long_name), 4096)
        _, run = self.profile(self.compile([long_name]))
        self.assertTrue(any("namespace_0255" in leaf for leaf in self.leaves(run)),
                        {leaf[:80] for leaf in self.leaves(run)})
        self.svg(run)
        self.folded(run)
        term = self.slotwise("report", run).stdout
        self.assertLess(max(map(len, term.splitlines())), 400, "one name filled the terminal")

    def test_stripped_program(self):
        """No symbols: the module is named, and a finding says what would help."""
        program = self.path("stripped")
        shutil.copy(harness.CLIENT, program)
        harness.subprocess.run([self.need("strip"), program], check=True)
        _, run = self.profile(program, "spin", "300")
        self.assertTrue(any("stripped" in frames for frames in self.folded(run)))
        self.assertNotIn("slw_client_hot", "".join(self.folded(run)))
        self.svg(run)
        report = self.slotwise("report", run).stdout
        self.assertIn("stripped", report)
        findings = json.loads(self.slotwise("report", run, "--format", "json").stdout)["findings"]
        self.assertIn("no-symbols", [finding["id"] for finding in findings])

    def spinning(self, slotwise, program):
        """Wait until the client is the program, and some samples are there."""
        def is_there():
            for pid in harness.children_of(slotwise.pid):
                with contextlib.suppress(OSError):
                    if os.readlink(f"/proc/{pid}/exe") == program:
                        return True
            return False
        harness.wait_until(is_there, 60, "start of the client")
        self.wait_for_work(slotwise, 0.3)

    def test_program_replaced_while_running(self):
        """An upgrade during the run: the new file's symbols are not the old code's."""
        program = self.path("upgraded")
        shutil.copy(harness.CLIENT, program)
        other = self.compile(["completely_different_function"])
        run = self.path("run.slotwise")
        process = self.start("profile", "--keep-raw", "-o", run, "--", program, "spin", "1500")
        self.spinning(process, program)
        os.replace(other, program)
        self.finish(process)
        document = self.load(run)
        frames = "".join(self.folded(run))
        self.assertNotIn("completely_different_function", frames, "symbols of another program")
        if "slw_client_hot" not in frames:
            self.assertTrue(document["notes"], "symbols are missing and nothing says why")
        self.assertGreater(sum(s["samples"] for s in document["samplings"]), 500)

    def test_program_deleted_while_running(self):
        program = self.path("deleted")
        shutil.copy(harness.CLIENT, program)
        run = self.path("run.slotwise")
        process = self.start("profile", "-o", run, "--", program, "spin", "1500")
        self.spinning(process, program)
        os.unlink(program)
        self.finish(process)
        self.assertGreater(sum(s["samples"] for s in self.load(run)["samplings"]), 300)
        self.assertTrue(any("deleted" in frames for frames in self.folded(run)))


if __name__ == "__main__":
    harness.main()
