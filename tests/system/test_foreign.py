# SPDX-License-Identifier: MIT
"""Recordings of other machines: a perf.data of an arm64 client, written here byte by byte around a
program that the cross compiler made, and one of a machine that counts its bytes the other way."""
import os
import re
import struct
import subprocess

import harness
import pprof

SOURCE = """
volatile long result;
__attribute__((noipa)) long decode_rows(long x) { return x * 5 + 3; }
__attribute__((noipa)) long send_batch(long x) { return decode_rows(x) + 1; }
__attribute__((noipa)) long run_client(long x) { return send_batch(x) + 1; }
void _start(void) { for (;;) result = run_client(result); }
"""
CONTEXT_USER = (1 << 64) - 512
USER, EXEC = 2, 0x2000
BASE, STACK = 0x400000, 0x7ff000
IP, TID, TIME, CALLCHAIN, PERIOD, REGS, BYTES = 1, 2, 4, 32, 256, 4096, 8192
ARM_REGISTERS = 33  # x0 to x30, sp, pc


class Recording:
    """perf's pipe format."""

    def __init__(self, order, arch, sample_type):
        self.order = order
        self.out = struct.pack(order + "QQ", 0x32454C4946524550, 16)
        registers = (1 << ARM_REGISTERS) - 1 if sample_type & REGS else 0
        attr = struct.pack(order + "IIQQQQ", 1, 112, 0, 1000000, sample_type, 0)
        flags = (1 << 8 | 1 << 18 | 1 << 23 | 1 << 34).to_bytes(8, "little")  # mmap, sample_id_all,
        if order == ">":  # mmap2, build_id; the first bit of a big-endian machine is its top one
            flags = bytes(int(f"{byte:08b}"[::-1], 2) for byte in flags)
        attr += flags
        attr += bytes(24) + struct.pack(order + "QQIIQQ", 0, registers, 4096 if registers else 0, 0, 0,
                                        0)
        self.add(64, 0, attr.ljust(112, b"\0") + self.words(1))
        text = arch.encode() + b"\0"
        self.add(80, 0, self.words(6) + struct.pack(order + "I", len(text)) + text)

    def words(self, *values):
        return struct.pack(f"{self.order}{len(values)}Q", *values)

    def add(self, kind, misc, body):
        body = body.ljust(-(-len(body) // 8) * 8, b"\0")
        self.out += struct.pack(self.order + "IHH", kind, misc, 8 + len(body)) + body

    def trailer(self, time):
        return struct.pack(self.order + "II", 7, 7) + self.words(time)

    def begin(self, path, length, build_id):
        who = struct.pack(self.order + "II", 7, 7)
        self.add(3, EXEC, who + b"client\0\0" + self.trailer(1))
        name = path.encode() + b"\0"
        self.add(10, USER | 1 << 14, who + self.words(BASE, length, 0) +
                 struct.pack("B3x", len(build_id)) + build_id.ljust(20, b"\0") +
                 struct.pack(self.order + "II", 5, 2) + name.ljust(-(-len(name) // 8) * 8, b"\0") +
                 self.trailer(2))

    def sample(self, addresses, copied=b""):
        self.add(9, USER, self.words(addresses[0]) + struct.pack(self.order + "II", 7, 7) +
                 self.words(10, 1000000, 1 + len(addresses), CONTEXT_USER, *addresses) + copied)

    def write(self, path):
        with open(path, "wb") as f:
            f.write(self.out)


class Foreign(harness.Case):
    def compile(self):
        compiler, self.objdump, readelf = self.need("aarch64-linux-gnu-gcc",
                                                    "aarch64-linux-gnu-objdump", "readelf")
        with open(self.path("client.c"), "w", encoding="ascii") as f:
            f.write(SOURCE)
        program = self.path("client")
        subprocess.run([compiler, "-O1", "-g", "-nostdlib", "-static", "-fno-optimize-sibling-calls",
                        "-Wl,--build-id=sha1", f"-Wl,-Ttext={BASE + 0x1000:#x}", "-o", program,
                        self.path("client.c")], check=True, timeout=60)
        notes = subprocess.run([readelf, "-nlW", program], check=True, capture_output=True,
                               text=True).stdout
        self.build_id = bytes.fromhex(re.search(r"Build ID: ([0-9a-f]+)", notes).group(1))
        # The segment of the code; what is mapped is the file from its beginning.
        offset, address = re.search(r"LOAD +0x([0-9a-f]+) 0x([0-9a-f]+) .* R E", notes).groups()
        self.bias = BASE + int(offset, 16) - int(address, 16)
        return program

    def code(self, program):
        """{function: address}, {function: where its call returns to}, as they were mapped."""
        text = subprocess.run([self.objdump, "-d", program], check=True, capture_output=True,
                              text=True).stdout
        begins, returns, function = {}, {}, None
        for line in text.splitlines():
            if head := re.match(r"([0-9a-f]+) <(\w+)>:", line):
                function = head.group(2)
                begins[function] = int(head.group(1), 16) + self.bias
            elif re.search(r"\tbl\t", line):
                returns[function] = int(line.split(":")[0], 16) + 4 + self.bias
        return begins, returns

    def imported(self, recording):
        recording.write(self.path("perf.data"))
        run = self.path("run.slotwise")
        self.slotwise("import", self.path("perf.data"), "-o", run)
        return self.load(run), run

    def test_names_lines_and_chains_of_an_arm64_program(self):
        program = self.compile()
        begins, returns = self.code(program)
        recording = Recording("<", "aarch64", IP | TID | TIME | PERIOD | CALLCHAIN)
        recording.begin(program, os.path.getsize(program), self.build_id)
        recording.sample([begins["decode_rows"] + 4, returns["send_batch"], returns["run_client"]])
        document, run = self.imported(recording)
        self.assertEqual(list(self.folded(run)), ["client;run_client;send_batch;decode_rows"])
        self.assertEqual(document["host"]["cpu"]["arch"], "aarch64")
        leaf = pprof.Profile(os.path.join(run, "profile.pb.gz")).samples[0].frames[0]
        self.assertEqual((os.path.basename(leaf.file), leaf.line), ("client.c", 3))

    def test_copied_stack_of_an_arm64_program(self):
        program = self.compile()
        begins, returns = self.code(program)
        recording = Recording("<", "aarch64", IP | TID | TIME | PERIOD | CALLCHAIN | REGS | BYTES)
        recording.begin(program, os.path.getsize(program), self.build_id)
        # At its first instruction, where the caller stands in x30 and nothing is saved yet. The two
        # callers have saved x29 and x30 and nothing else.
        registers = [0] * 30 + [returns["send_batch"], STACK, begins["decode_rows"]]
        stack = recording.words(STACK + 16, returns["run_client"], STACK + 32, returns["_start"])
        copied = recording.words(2, *registers) + recording.words(4096) + stack.ljust(4096, b"\0") + \
            recording.words(len(stack))
        recording.sample([begins["decode_rows"]], copied)
        _, run = self.imported(recording)
        self.assertEqual(list(self.folded(run)),
                         ["client;_start;run_client;send_batch;decode_rows"])

    def test_a_machine_of_the_other_byte_order(self):
        recording = Recording(">", "s390x", IP | TID | TIME | PERIOD | CALLCHAIN)
        recording.begin("/opt/client", 0x10000, bytes(range(20)))
        recording.sample([BASE + 0x100, BASE + 0x200])
        document, run = self.imported(recording)
        self.assertEqual(list(self.folded(run).values()), [1000000])
        self.assertEqual(document["host"]["cpu"]["arch"], "s390x")
        self.assertIn("binary-missing", self.notes(document))
        frames = pprof.Profile(os.path.join(run, "profile.pb.gz")).samples[0].frames
        self.assertEqual([(f.function, f.module, f.address) for f in frames],
                         [("", "/opt/client", 0x100), ("", "/opt/client", 0x200)])

    def test_our_own_program_by_that_name_is_not_theirs(self):
        recording = Recording("<", "aarch64", IP | TID | TIME | PERIOD | CALLCHAIN)
        recording.begin(harness.CLIENT, 0x100000, bytes(range(20)))
        recording.sample([BASE + 0x1100])
        document, run = self.imported(recording)
        self.assertIn("binary-replaced", self.notes(document))
        self.assertEqual(list(self.folded(run)), ["client;[system_client]"])


if __name__ == "__main__":
    harness.main()
