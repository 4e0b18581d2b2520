# SPDX-License-Identifier: MIT
"""Stages: a client that marks a known number of calls and batches, built here in every way a client
may be, and what the run says of it. Counts are compared for equality. Times are compared with what
the client saw by its own clock, in the direction that holds on any machine however loaded."""
import fcntl
import os
import pwd
import re
import shutil
import subprocess
import sys
import termios

import harness

CC = os.environ.get("SLW_CC", "cc")
INCLUDE = os.path.join(harness.ROOT, "include")
SOURCE = os.path.join(harness.HERE, "stage_client.c")
LIBRARY = os.path.join(harness.HERE, "stage_lib.c")
CXX_SOURCE = os.path.join(harness.HERE, "stage_cxx.cc")
STRICT_FLAGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wnested-externs",
                "-Wredundant-decls", "-Werror")
# poll, ppoll
POLL_CALLS = {"x86_64": ("7", "271"), "aarch64": ("73",)}.get(os.uname().machine, ())
HAS_MARKS = os.uname().machine in ("x86_64", "aarch64")


def built(case, *flags, source=SOURCE, cc=CC, name="client"):
    """A client, compiled without a warning."""
    out = case.path(name)
    strict = [f for f in STRICT_FLAGS if f != "-Wnested-externs" or source.endswith(".c")]
    words = [cc, "-I", INCLUDE, *strict, source, *flags, "-o", out, "-pthread", "-ldl"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    case.assertEqual((done.returncode, done.stderr), (0, ""), words)
    return out


def serving(case, client):
    """A client that marks when it is told to."""
    process = subprocess.Popen([client, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for step in (process.stdout.close, process.stdin.close, process.wait, process.kill):
        case.addCleanup(step)
    process.stdout.readline()
    return process


def tell(process, word):
    process.stdin.write(word)
    process.stdin.flush()
    return int(process.stdout.readline())


class Stages(harness.Case):
    def staged(self, *command, options=(), name="run", quiet=True):
        """(run.json, {(provider, name): stage}) of a command."""
        run = self.path(name + ".slotwise")
        done = self.slotwise("profile", *(["-q"] if quiet else []), "--offcpu", "no", "-o", run,
                             *options, "--", *command)
        self.output = done.stdout
        return self.stages_of(run)

    def stages_of(self, run):
        document = self.load(run)
        for note in document["notes"]:
            if note["code"] == "no-stages" and re.search("BPF|BTF", note["text"]):
                self.missing(note["text"])
        return document, {(s.get("provider"), s["name"]): s for s in document.get("stages", [])}

    def assert_stage(self, stage, calls, requests, largest, missed=(0, 0)):
        self.assertEqual((stage["calls"], stage["requests"], stage["max_batch"]),
                         (calls, requests, largest), stage)
        self.assertEqual((stage["missed_begins"], stage["missed_ends"]), missed, stage)
        self.assertLessEqual(stage["cpu_ns"], stage["self_ns"])

    def assert_nested(self, stages, count, times=1):
        self.assertEqual(set(stages), {(None, "outer"), (None, "inner")})
        self.assert_stage(stages[None, "outer"], count * times, times * count * (count + 1) // 2, count)
        self.assert_stage(stages[None, "inner"], 3 * count * times, 6 * count * times, 2)


class Counts(Stages):
    def nested(self, *flags, count=20000):
        client = built(self, *flags)
        document, stages = self.staged(client, "nested", str(count))
        self.assert_nested(stages, count)
        self.assertNotIn("stage-unbalanced", self.notes(document))
        return client, document, stages

    def test_nested_stages_are_exact(self):
        _, document, stages = self.nested("-O2")
        outer, inner = stages[None, "outer"], stages[None, "inner"]
        # One within the other: the outer's time is its own and the inner's.
        self.assertGreaterEqual(outer["wall_ns"], outer["self_ns"] + inner["wall_ns"])
        self.assertEqual(inner["wall_ns"], inner["self_ns"])
        self.assertLessEqual(outer["wall_ns"], document["wall_ns"])

    def test_not_optimised(self):
        self.nested("-O0")

    def test_unrolled_and_without_position_independence(self):
        self.nested("-O3", "-funroll-loops", "-fno-pie", "-no-pie")

    def test_link_time_optimisation_and_dead_sections(self):
        self.nested("-O2", "-flto", "-ffunction-sections", "-Wl,--gc-sections", "-fPIE", "-pie")

    def test_static(self):
        """Nothing is preloaded: a static program is as good."""
        _, stages = self.staged(self.static_client(), "5000")
        self.assert_stage(stages[None, "only"], 5000, 5000 * 3, 3)

    def static_client(self):
        source = self.path("static.c")
        with open(source, "w", encoding="utf-8") as f:
            f.write('#include "slotwise/stage.h"\n#include <stdlib.h>\n'
                    "int main(int argc, char **argv)\n{\n"
                    "    for (int i = argc > 1 ? atoi(argv[1]) : 0; i > 0; i--) {\n"
                    "        SLOTWISE_STAGE_BEGIN(only, 3);\n        SLOTWISE_STAGE_END(only);\n"
                    "    }\n    return 0;\n}\n")
        return built(self, "-O2", "-static", source=source, name="static")

    def test_other_compiler(self):
        other = self.need("clang")
        client = built(self, "-O2", cc=other)
        _, stages = self.staged(client, "nested", "3000")
        self.assert_nested(stages, 3000)

    def test_stripped(self):
        client = built(self, "-O2")
        subprocess.run([self.need("strip"), client], check=True, timeout=60)
        _, stages = self.staged(client, "nested", "3000")
        self.assert_nested(stages, 3000)

    def test_threads(self):
        _, stages = self.staged(built(self, "-O2"), "threads", "10000")
        self.assert_nested(stages, 10000, times=4)

    def test_fork(self):
        _, stages = self.staged(built(self, "-O2"), "fork", "5000")
        self.assert_nested(stages, 5000, times=2)

    def test_child_of_a_shell_that_runs_the_same_program(self):
        """Marks are found in the program that is started; where its children run it, theirs count."""
        client = built(self, "-O2")
        _, stages = self.staged(client, "exec", client, "nested", "2000")
        self.assert_nested(stages, 2000)

    def test_only_the_target(self):
        """Others that run the same program meanwhile are in no number."""
        client = built(self, "-O2")
        other = serving(self, client)
        process = self.start("profile", "-q", "--offcpu", "no", "-o", self.path("run.slotwise"), "--",
                             client, "times")
        for _ in range(20):
            tell(other, b"g")
        self.finish(process)
        _, stages = self.stages_of(self.path("run.slotwise"))
        self.assertEqual(set(stages), {(None, "outer"), (None, "inner")})

    def test_scoped_form(self):
        _, stages = self.staged(built(self, "-O2"), "scoped", "1000")
        self.assertEqual(set(stages), {(None, "scoped")})
        self.assert_stage(stages[None, "scoped"], 2000, 1000 + 1000 * 1001 // 2, 1000)

    def test_a_stage_within_itself(self):
        document, stages = self.staged(built(self, "-O2"), "recursive", "10")
        stage = stages[None, "recursive"]
        self.assert_stage(stage, 10, 10, 1)
        self.assertGreaterEqual(stage["self_ns"], 10 * 100000)
        # Counted once, not for each call that it is in.
        self.assertLessEqual(stage["self_ns"], stage["wall_ns"])
        self.assertLessEqual(stage["wall_ns"], document["wall_ns"])

    def test_nested_too_deep_is_told(self):
        document, stages = self.staged(built(self, "-O0"), "deep", "20")
        self.assert_stage(stages[None, "deep"], 16, 16, 1)
        self.assertIn("stage-too-deep", self.notes(document))

    def test_missed_marks_are_told(self):
        document, stages = self.staged(built(self, "-O1"), "unbalanced", "100")
        self.assert_stage(stages[None, "outer"], 100, 100, 1)
        self.assert_stage(stages[None, "inner"], 0, 0, 0, missed=(0, 100))
        self.assert_stage(stages[None, "stray"], 0, 0, 0, missed=(100, 0))
        self.assert_stage(stages[None, "open"], 0, 0, 0, missed=(0, 1))
        self.assertIn("stage-unbalanced", self.notes(document))

    def test_library(self):
        library = built(self, "-O2", "-shared", "-fPIC", source=LIBRARY, name="libstage.so")
        client = built(self, "-O2", "-DWITH_LIBRARY", library, f"-Wl,-rpath,{self.dir}")
        _, stages = self.staged(client, "library", "3000")
        self.assertEqual(set(stages), {("stagelib", "library")})
        self.assert_stage(stages["stagelib", "library"], 3000, 3000 * 3001 // 2, 3000)

    def test_a_library_that_is_opened_later(self):
        """Named, it counts from its first call on, whatever its path; not named, it is told."""
        library = built(self, "-O2", "-shared", "-fPIC", source=LIBRARY, name="liblater.so")
        os.symlink(library, self.path("other.so"))
        opens = ("python3", "-c", f"import ctypes\nf = ctypes.CDLL('{library}').lib_work\n"
                 "for i in range(1, 301): f(ctypes.c_ulong(i))\n")
        document, stages = self.staged(*opens, options=("--stages-in", self.path("other.so"),
                                                        "--stages-in", library))
        self.assertEqual(set(stages), {("stagelib", "library")})
        self.assert_stage(stages["stagelib", "library"], 300, 300 * 301 // 2, 300)
        self.assertNotIn("stages-opened-later", self.notes(document))
        done = self.slotwise("profile", "--stages-in", self.path("none.so"), "--", "true",
                             status=harness.USAGE)
        self.assertIn("none.so", done.stderr)

    def test_a_named_library_without_stages_is_told(self):
        run = self.path("none.slotwise")
        self.slotwise("profile", "-q", "--no-sampling", "--stages-in", "/bin/true", "-o", run, "--", "true")
        self.assertIn("no-stages-in-file", self.notes(self.load(run)))

    def test_a_library_that_is_opened_later_is_told(self):
        library = built(self, "-O2", "-shared", "-fPIC", source=LIBRARY, name="liblater.so")
        run = self.path("later.slotwise")
        self.slotwise("profile", "-q", "--no-sampling", "-o", run, "--", "python3", "-c",
                      f"import ctypes, time; ctypes.CDLL('{library}'); time.sleep(0.5)")
        notes = [n["text"] for n in self.load(run)["notes"] if n["code"] == "stages-opened-later"]
        self.assertEqual(len(notes), 1)
        self.assertIn("liblater.so", notes[0])

    def test_cxx(self):
        cxx = self.need("c++")
        for standard in ("-std=c++11", "-std=c++20"):
            client = built(self, "-O2", standard, source=CXX_SOURCE, cc=cxx, name="cxx" + standard)
            _, stages = self.staged(client, "3000", name=standard)
            # Of three values the third throws in the first of the two calls.
            total = 3000 * 3001 // 2
            thrown = 3 * (1000 * 1001 // 2)
            self.assert_stage(stages[None, "generic"], 5000, 2 * total - thrown, 3000)
            self.assert_stage(stages[None, "plain"], 3000, total, 3000)

    def test_a_client_without_marks(self):
        document, stages = self.staged("/bin/true")
        self.assertEqual(stages, {})
        self.assertNotIn("stages", document)
        self.assertFalse([code for code in self.notes(document) if "stage" in code])


class Times(Stages):
    def test_times(self):
        document, stages = self.staged(built(self, "-O2"), "times")
        outer, inner = stages[None, "outer"], stages[None, "inner"]
        waited, total = (int(word) for word in self.output.split()[:2])
        self.assertGreaterEqual(inner["wall_ns"], 200_000_000)
        self.assertLessEqual(inner["wall_ns"], waited)
        self.assertLessEqual(outer["wall_ns"], total)
        self.assertGreaterEqual(outer["self_ns"], 100_000_000)
        self.assertEqual(outer["wall_ns"], outer["self_ns"] + inner["self_ns"])
        # It slept at least so long, and what it was on a CPU cannot be more than the rest.
        self.assertLessEqual(inner["cpu_ns"], inner["self_ns"] - 200_000_000)
        for event in ("cycles", "instructions", "icache_misses", "frontend_slots", "slots"):
            value = outer[event]
            self.assertTrue(isinstance(value, int) or value["absent"], event)

    def test_report(self):
        self.staged(built(self, "-O2"), "nested", "1000")
        run = self.path("run.slotwise")
        text = self.slotwise("report", run).stdout
        self.assertRegex(text, r"(?m)^STAGES ")
        self.assertRegex(text, r"(?m)^ +[0-9.]+%.* 1,000 +50[01] +1,000 +outer$")
        self.assertRegex(text, r"(?m)^ +[0-9.]+%.* 3,000 +2 +2 +inner$")
        self.assertRegex(self.slotwise("report", run, "--format", "md").stdout,
                         r"(?m)^\| outer \| .* \| 1,000 \| 50[01] \| 1,000 \|")


class Client(Stages):
    """What the client notices: nothing."""

    def test_a_leaf_keeps_its_variables(self):
        client = built(self, "-O2")
        alone = subprocess.run([client, "leaf", "20000"], capture_output=True, text=True, timeout=60,
                               check=True).stdout
        _, stages = self.staged(client, "leaf", "20000")
        self.assert_stage(stages[None, "leaf"], 20000, 20000 * 20001 // 2, 20000)
        self.assertEqual(self.output, alone)

    def test_batches_are_computed_only_when_somebody_looks(self):
        client = built(self, "-O2")
        alone = subprocess.run([client, "lazy", "1000"], capture_output=True, text=True, timeout=60,
                               check=True).stdout
        self.assertEqual(alone, "0 0\n")
        _, stages = self.staged(client, "lazy", "1000")
        self.assertEqual(self.output, "1000 1\n")
        self.assert_stage(stages[None, "lazy"], 1000, 1000 * 1001 // 2, 1000)
        # And nobody is left looking.
        after = subprocess.run([client, "lazy", "10"], capture_output=True, text=True, timeout=60,
                               check=True).stdout
        self.assertEqual(after, "0 0\n")

    def test_switched_off(self):
        client = built(self, "-O2", "-DSLOTWISE_NO_STAGES", "-Wno-unused-function")
        self.assertNotIn(b".note.stapsdt", harness.read_bytes(client))
        _, stages = self.staged(client, "nested", "10")
        self.assertEqual(stages, {})

    def test_a_mark_is_a_load_and_a_branch(self):
        """Where nobody looks, no other instruction of the mark is executed, and the site is a nop
        that the kernel can replace."""
        if os.uname().machine != "x86_64":
            self.skipTest("the listing is read as x86-64")
        source = self.path("one.c")
        with open(source, "w", encoding="utf-8") as f:
            f.write('#include "slotwise/stage.h"\nvoid one(unsigned long n);\n'
                    "void one(unsigned long n)\n{\n    SLOTWISE_STAGE_BEGIN(one, n);\n}\n")
        built(self, "-O2", "-c", source=source, name="one.o")
        listing = subprocess.run([self.need("objdump"), "-d", "--no-show-raw-insn", self.path("one.o")],
                                 capture_output=True, text=True, timeout=60, check=True).stdout
        code = re.findall(r"(?m)^ +[0-9a-f]+:\t(.*)$", listing)
        words = [line.split()[0] for line in code]
        until = words.index("ret")
        fast = [w for w in words[:until] if w not in ("endbr64", "nopw", "nopl", "xchg")]
        self.assertEqual(fast, ["movzwl", "test", "jne"], listing)
        self.assertTrue(any(line.startswith("nopl") and "0x0(%rax,%rax,1)" in line for line in code),
                        listing)

    def test_standard_tools_read_the_notes(self):
        client = built(self, "-O2")
        notes = subprocess.run([self.need("readelf"), "-n", client], capture_output=True, text=True,
                               timeout=60, check=True).stdout
        self.assertRegex(notes, r"Provider: slotwise\n +Name: outer__begin\n +Location: 0x[0-9a-f]+, "
                                r"Base: 0x[0-9a-f]+, Semaphore: 0x0*[1-9a-f][0-9a-f]*\n +Arguments: 8@")

    def test_perf_attaches(self):
        perf = self.need("perf")
        self.need_root("perf buildid-cache and probes")
        client = built(self, "-O2")
        env = dict(os.environ, HOME=self.dir)
        subprocess.run([perf, "--buildid-dir", self.path("cache"), "buildid-cache", "--add", client],
                       check=True, timeout=60, capture_output=True, env=env)
        listed = subprocess.run([perf, "--buildid-dir", self.path("cache"), "list", "sdt"],
                                capture_output=True, text=True, timeout=60, env=env).stdout
        self.assertIn("sdt_slotwise:outer__begin", listed)

    def test_arm64_header_compiles(self):
        cross = self.need("aarch64-linux-gnu-gcc")
        built(self, "-O2", cc=cross, name="arm64")
        notes = subprocess.run([self.need("readelf"), "-n", self.path("arm64")], capture_output=True,
                               text=True, timeout=60, check=True).stdout
        self.assertIn("Arguments: 8@x0", notes)


class Attach(Stages):
    def attach(self, process, *options):
        profile = self.start("profile", "-q", "--offcpu", "no", "-o", self.path("run.slotwise"),
                             *options, "-p", process.pid)
        harness.wait_until(lambda: self.is_watched(process), what="a uprobe on the marks")
        self.wait_until_it_polls(profile)
        return profile

    def wait_until_it_polls(self, profile):
        """Between attaching, or reading a command, and polling again, slotwise starts to measure."""
        def polls():
            with open(f"/proc/{profile.pid}/syscall", encoding="ascii") as f:
                return f.read().split()[0] in POLL_CALLS
        harness.wait_until(polls, what="slotwise waiting")

    def is_watched(self, process):
        """The counter of the stage in the memory of the client, found by its note."""
        notes = subprocess.run(["readelf", "-n", f"/proc/{process.pid}/exe"], capture_output=True,
                               text=True, timeout=60, check=True).stdout
        address = int(re.search(r"Name: served__begin\n.*Semaphore: (0x[0-9a-f]+)", notes).group(1), 16)
        with open(f"/proc/{process.pid}/maps", encoding="utf-8") as f:
            base = int(f.readline().split("-")[0], 16)
        with open(f"/proc/{process.pid}/mem", "rb") as f:
            f.seek(base + address)
            return int.from_bytes(f.read(2), sys.byteorder) > 0

    def quit(self, process, profile):
        process.stdin.write(b"q")
        process.stdin.flush()
        self.finish(profile)
        return self.stages_of(self.path("run.slotwise"))[1]

    def test_attach_in_the_middle_of_a_call(self):
        self.need_root("reading the memory of the client")
        process = serving(self, built(self, "-O2"))
        tell(process, b"g")
        tell(process, b"b")  # begins before anybody looks
        profile = self.attach(process)
        tell(process, b"e")
        for _ in range(3):
            tell(process, b"g")
        tell(process, b"b")  # and this one never ends
        stages = self.quit(process, profile)
        self.assert_stage(stages[None, "served"], 3000, 3 * 1000 * 1001 // 2, 1000, missed=(1, 1))

    def test_measuring_starts_and_stops(self):
        self.need_root("reading the memory of the client")
        process = serving(self, built(self, "-O2"))
        os.mkfifo(self.path("control"))
        profile = self.attach(process, "--control", self.path("control"), "--start-stopped")
        control = os.open(self.path("control"), os.O_RDWR)
        self.addCleanup(os.close, control)

        def command(word):
            os.write(control, word)
            harness.wait_until(lambda: fcntl.ioctl(control, termios.FIONREAD, bytes(4)) == bytes(4),
                               what="the command read")
            self.wait_until_it_polls(profile)

        tell(process, b"g")
        for _ in range(2):
            command(b"start\n")
            tell(process, b"g")
            tell(process, b"b")  # under way when it is stopped
            command(b"stop\n")
            tell(process, b"e")
            tell(process, b"g")
        stages = self.quit(process, profile)
        self.assert_stage(stages[None, "served"], 2000, 2 * 1000 * 1001 // 2, 1000, missed=(0, 2))


class WithoutPermission(Stages):
    def test_a_note_tells(self):
        self.need_root("another user has to be become")
        client, program, out = built(self, "-O2"), self.path("slotwise"), self.path("out")
        user = pwd.getpwnam("nobody")
        shutil.copy(harness.SLOTWISE, program)
        os.mkdir(out)
        os.chown(out, user.pw_uid, user.pw_gid)
        run = os.path.join(out, "run.slotwise")
        done = subprocess.run([program, "profile", "-q", "--offcpu", "no", "-o", run, "--", client,
                               "lazy", "10"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, cwd=out, check=False, user=user.pw_uid, group=user.pw_gid,
                              extra_groups=[])
        self.check_status(done, harness.DONE)
        self.assertIn("0 0\n", done.stdout)  # nobody looked
        document = self.load(run)
        note = [n for n in document["notes"] if n["code"] == "no-stages"]
        self.assertEqual(len(note), 1, document["notes"])
        self.assertRegex(note[0]["text"], "BPF|BTF")
        self.assertTrue(note[0]["hint"])
        self.assertNotIn("stages", document)


if __name__ == "__main__":
    if not HAS_MARKS or not shutil.which(CC):
        print("skipped: no marks on this architecture" if not HAS_MARKS else "skipped: no compiler")
        sys.exit(77)
    harness.main()
