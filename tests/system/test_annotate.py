# SPDX-License-Identifier: MIT
"""Source and instructions of a function with their weights: no sample is lost or invented, and the
code is that of the program that ran."""
import json
import os
import re
import subprocess

import harness

SOURCE = os.path.join(harness.HERE, "inlined.cc")
FUNCTION = "db::Client::run"


class Annotate(harness.Case):
    def compile(self, *options):
        program = self.path("client")
        subprocess.run([self.need("g++"), "-O2", "-g", "-fno-omit-frame-pointer", *options, "-o",
                        program, SOURCE], check=True, timeout=60)
        return program

    def annotate(self, run, *options, function=FUNCTION, **kw):
        return self.slotwise("annotate", run, function, *options, **kw)

    def document(self, run, *options, **kw):
        return json.loads(self.annotate(run, "--format", "json", *options, **kw).stdout)

    def objdump(self, program, linkage):
        """{address: (bytes, mnemonic)} of a function as binutils decodes it."""
        out = subprocess.run([self.need("objdump"), "-d", "-M", "intel", f"--disassemble={linkage}",
                              program], check=True, capture_output=True, text=True).stdout
        rows = re.findall(r"^ +([0-9a-f]+):\t((?:[0-9a-f]{2} )+) *\t?(\S*)", out, re.M)
        return {int(address, 16): (len(code.split()), name) for address, code, name in rows}

    def test_weights_add_up_and_code_is_that_of_objdump(self):
        program = self.compile()
        _, run = self.profile(program)
        document = self.document(run)
        weights = harness.self_weights(self.folded(run))
        own = sum(weights.get(name, 0) for name in (FUNCTION, "db::decode_rows",
                                                    "db::mix<unsigned long>"))
        code = document["instructions"]
        self.assertGreater(own, 0)
        self.assertEqual(document["self"], own)
        self.assertEqual(sum(i["self"] for i in code), own)
        self.assertEqual(document["all"], sum(self.folded(run).values()))
        lines = [line for source in document["sources"] for line in source["lines"]]
        self.assertEqual(sum(line["self"] for line in lines), own)
        self.assertEqual(document["linkage"], "_ZN2db6Client3runEm")
        theirs = self.objdump(program, document["linkage"])
        self.assertEqual({i["address"]: (i["bytes"], i["text"].split()[0]) for i in code}, theirs)

    def test_lines_are_those_of_the_source(self):
        _, run = self.profile(self.compile())
        with open(SOURCE, encoding="ascii") as f:
            source = f.read().splitlines()
        [told] = self.document(run)["sources"]
        self.assertEqual(told["path"], SOURCE)
        for line in told["lines"]:
            self.assertEqual(line["text"], source[line["line"] - 1])
        loop = {"return x * 5 + i;", "for (uint64_t i = 0; i < rows; i++)",
                "x = mix<uint64_t>(x, i) ^ (x >> 3);"}
        own = sum(line["self"] for line in told["lines"])
        self.assertGreater(sum(line["self"] for line in told["lines"] if line["text"].strip() in loop),
                           0.9 * own)  # now and then a sample is of what leads there, or back
        text = self.annotate(run).stdout
        self.assertIn("in db::mix<unsigned long>", text)
        self.assertRegex(text, r" \d+\.\d\d +\d+\.\d\d +\d+ +return x \* 5 \+ i;")

    def test_page_has_the_code_of_hot_functions(self):
        _, run = self.profile(self.compile())
        page, bare = self.path("page.html"), self.path("bare.html")
        self.slotwise("report", run, "--format", "html", "-o", page)
        self.slotwise("report", run, "--format", "html", "--no-code", "-o", bare)
        self.assertIn("x * 5 + i;", harness.read_bytes(page).decode())
        self.assertNotIn("x * 5 + i;", harness.read_bytes(bare).decode())
        private = self.path("private.cc")  # no part of a page, although the program names it
        with open(SOURCE, encoding="ascii") as f, open(private, "w", encoding="ascii") as g:
            g.write(f.read())
        if os.geteuid() == 0:
            program = self.path("theirs")
            subprocess.run(["g++", "-O2", "-g", "-o", program, private], check=True)
            os.chmod(private, 0o600)
            os.chown(program, 65534, 65534)
            _, run = self.profile(program, name="theirs")
            self.slotwise("report", run, "--format", "html", "-o", page)
            self.assertNotIn("x * 5 + i;", harness.read_bytes(page).decode())
            self.assertIn("not for everybody to read", harness.read_bytes(page).decode())

    def test_what_cannot_be_shown_says_why(self):
        program = self.compile()
        _, run = self.profile(program)
        inlined = self.annotate(run, function="db::decode_rows", status=harness.BAD_DATA)
        self.assertIn(FUNCTION, inlined.stderr)
        self.annotate(run, function="no_such_function", status=harness.BAD_DATA)
        self.annotate(run, "--module", "libc.so.6", status=harness.BAD_DATA)
        subprocess.run([self.need("strip"), program], check=True)
        self.assertIn("no symbol", self.annotate(run, status=None).stderr)
        self.compile("-DOTHER", "-O1")
        self.assertIn("not the program that ran", self.annotate(run, status=None).stderr)
        os.unlink(program)
        self.assertIn("not here", self.annotate(run, status=None).stderr)

    def test_hostile_source_and_names(self):
        """What a terminal is shown of a source file steers nothing."""
        source = self.path("odd.c")
        with open(source, "wb") as f:
            f.write(b"unsigned long s;\n__attribute__((noinline)) void spin(void) {\n"
                    b"for (unsigned long i = 0; i < 300000000; i++) /* \x1b[31m \xff\xe2\x80\xae */\n"
                    b"s = s * 5 + i; }\nint main(void) { spin(); return 0; }")
        program = self.path("odd")
        subprocess.run([self.need("cc"), "-O1", "-g", "-o", program, source], check=True)
        _, run = self.profile(program)
        done = self.annotate(run, function="spin")
        self.assertNotIn("\x1b", done.stdout)
        self.assertIn("\\x1b[31m", done.stdout)
        self.document(run, function="spin")


if __name__ == "__main__":
    harness.main()
