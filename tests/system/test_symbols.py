# SPDX-License-Identifier: MIT
"""Names of compiled code, from wherever they can be had: as people wrote them, with what was inlined,
from the program, from what was split off it, and from what its container calls /usr/lib."""
import os
import shutil
import subprocess

import harness
import pprof

SOURCE = os.path.join(harness.HERE, "inlined.cc")


class Symbols(harness.Case):
    def compile(self, *options, compiler="g++", name="client"):
        program = self.path(name)
        subprocess.run([self.need(compiler), "-O2", "-g", "-fno-omit-frame-pointer", *options, "-o",
                        program, SOURCE], check=True, timeout=60)
        return program

    def frames(self, run, program):
        """The distinct frames of the program in the profile: {address: [Frame, leaf first]}."""
        places = {}
        for sample in pprof.Profile(os.path.join(run, "profile.pb.gz")).samples:
            here = {}
            for frame in sample.frames:
                if frame.module == program:
                    here.setdefault(frame.address, []).append(frame)
            places.update(here)
        return places

    def functions(self, run):
        return {frame.function for sample in
                pprof.Profile(os.path.join(run, "profile.pb.gz")).samples for frame in sample.frames}

    def symbolizer(self, program, address):
        """What LLVM says of an address: [(linkage, file, line)], leaf first. addr2line of binutils
        2.40 overlooks calls whose ranges are a list of DWARF 5."""
        out = subprocess.run([self.need("llvm-symbolizer"), "--no-demangle", "--inlines", "-f", "-e",
                              program, hex(address)], check=True, capture_output=True, text=True,
                             timeout=60).stdout
        lines = out.strip().splitlines()
        for function, place in zip(lines[::2], lines[1::2]):
            file, line, _ = place.rsplit(":", 2)
            yield function, os.path.basename(file), int(line)

    def check_inlined(self, program):
        _, run = self.profile(program)
        places = self.frames(run, program)
        deepest = 0
        for address, frames in places.items():
            # In main, the one frame that is returned to, both may look at either instruction.
            if frames[-1].function != "db::Client::run":
                continue
            told = [(f.linkage, os.path.basename(f.file), f.line) for f in frames]
            self.assertEqual(told, list(self.symbolizer(program, address)), hex(address))
            deepest = max(deepest, len(frames))
        self.assertGreaterEqual(deepest, 2, "nothing is inlined")
        functions = self.functions(run)
        self.assertLessEqual({"db::Client::run", "db::decode_rows"}, functions)
        self.assertFalse([f for f in functions if f.startswith("_Z")])
        return run

    def test_inlined_calls_are_those_that_llvm_finds(self):
        run = self.check_inlined(self.compile())
        stacks = self.folded(run)
        self.assertTrue(any("db::Client::run;db::decode_rows_[i];db::mix<unsigned long>_[i]" in s
                            for s in stacks), stacks)
        self.assertIn("db::mix&lt;unsigned long&gt;", self.svg(run))
        # Only hot addresses tell what was inlined there: tables count it for its function.
        report = self.slotwise("report", run).stdout
        self.assertIn("db::Client::run", report)
        self.assertNotIn("db::mix", report)

    def test_inlined_calls_without_a_table_of_units(self):
        """clang writes no .debug_aranges."""
        self.check_inlined(self.compile(compiler="clang++"))

    def test_inlined_calls_from_compressed_dwarf_4(self):
        self.check_inlined(self.compile("-gdwarf-4", "-gz"))

    def test_plain_graphs_ask_for_them(self):
        """Of perf.data, flamegraph reads DWARF only when told to: it is fast otherwise."""
        _, run = self.profile(self.compile(), "100")
        raw = os.path.join(run, "perf.data")
        self.slotwise("flamegraph", raw, "-o", self.path("plain.svg"))
        self.slotwise("flamegraph", raw, "--inline", "-o", self.path("inline.svg"))
        self.assertNotIn("db::decode_rows", harness.read_bytes(self.path("plain.svg")).decode())
        self.assertIn("db::decode_rows", harness.read_bytes(self.path("inline.svg")).decode())

    def test_separate_debug_file_has_the_lines_and_inlined_calls(self):
        program = self.compile()
        shutil.copy(program, self.path("whole"))
        objcopy = self.need("objcopy")
        debug = program + ".debug"
        subprocess.run([objcopy, "--only-keep-debug", program, debug], check=True)
        subprocess.run([objcopy, "--strip-all", f"--add-gnu-debuglink={debug}", program], check=True)
        _, run = self.profile(program, "100")
        self.assertLessEqual({"db::Client::run", "db::decode_rows"}, self.functions(run))

    def test_symbols_packed_into_the_program(self):
        """.gnu_debugdata, as Fedora's programs have it: names, but neither lines nor inlined calls."""
        program = self.compile()
        objcopy, strip, xz = self.need("objcopy", "strip", "xz")
        mini = self.path("mini")
        subprocess.run([objcopy, "--only-keep-debug", program, mini], check=True)
        subprocess.run([strip, "--strip-debug", mini], check=True)
        subprocess.run([xz, mini], check=True)
        subprocess.run([objcopy, "--strip-all", "--add-section", f".gnu_debugdata={mini}.xz",
                        program], check=True)
        _, run = self.profile(program, "100")
        functions = self.functions(run)
        self.assertIn("db::Client::run", functions)
        self.assertNotIn("db::decode_rows", functions)

    def attach(self, pid):
        run = self.path("run.slotwise")
        self.slotwise("profile", "-o", run, "-p", pid, "--duration", "400ms")
        return run

    def client(self, *command):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(harness.end_group, process)
        return process

    def test_files_of_the_clients_own_mounts(self):
        """As in a container: by this name we have another program, and the client its own."""
        self.need_root("unshares a namespace")
        inside = self.compile(name="inside")
        outside = self.path("program")
        with open(self.path("other.c"), "w", encoding="ascii") as f:
            f.write("int main(void) { return 0; }\n")
        subprocess.run([self.need("cc"), "-o", outside, self.path("other.c")], check=True)
        self.client(self.need("unshare"), "--mount", "sh", "-c",
                    f"mount --bind {inside} {outside} && echo $$ >{self.path('pid')} && "
                    f"exec {outside} 100000")
        pid = harness.wait_until(lambda: self.running(outside), 10, "client in its namespace")
        functions = self.functions(self.attach(pid))
        self.assertLessEqual({"db::Client::run", "db::decode_rows"}, functions)

    def running(self, program):
        """The process that has come to run it."""
        if not os.path.exists(self.path("pid")) or not harness.read_bytes(self.path("pid")).strip():
            return None
        pid = int(harness.read_bytes(self.path("pid")))
        # In a chroot the name begins with its place.
        return pid if os.readlink(f"/proc/{pid}/exe").endswith(program) else None

    def test_program_that_was_replaced_and_still_runs(self):
        program = self.compile()
        process = self.client(program, "100000")
        harness.wait_until(lambda: os.readlink(f"/proc/{process.pid}/exe") == program, 10, "exec")
        os.unlink(program)
        functions = self.functions(self.attach(process.pid))
        self.assertLessEqual({"db::Client::run", "db::decode_rows"}, functions)


if __name__ == "__main__":
    harness.main()
