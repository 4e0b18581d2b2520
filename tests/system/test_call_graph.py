# SPDX-License-Identifier: MIT
"""Whole stacks from live recordings: what --call-graph records can be unwound, by perf too."""
import os
import re
import subprocess
import sys

import harness

# Where a thread or a process begins. Nothing calls these.
ROOTS = re.compile(r"\b(_start|__?clone3?|clone3|_dl_relocate_static_pie|ret_from_fork\w*)\b")
BURN = ("import hashlib, time\n"
        "def inner(end):\n"
        "    while time.process_time() < end: hashlib.sha256(b'x' * 4096).digest()\n"
        "def outer(end): inner(end)\n"
        "outer(0.3)\n")


class CallGraph(harness.Case):
    def profile(self, *options, client=(sys.executable, "-S", "-c", BURN), **kw):
        run = self.path("run.slotwise")
        self.slotwise("profile", "-q", "--keep-raw", "--offcpu", "no", "-o", run, *options, *(
            ("--", *client) if client else ()), **kw)
        document = self.load(run)
        if not document["samplings"]:
            self.missing("nothing can be sampled here")
        return document, os.path.join(run, "perf.data")

    def chains(self, spool):
        """User stacks as perf unwinds them, leaf first."""
        perf = self.need("perf")
        done = subprocess.run([perf, "script", "-i", spool, "--no-inline", "-F", "ip,sym"],
                              capture_output=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [chain.splitlines() for chain in
                done.stdout.decode("utf-8", "replace").split("\n\n") if chain.strip()]

    def check_whole(self, document, spool):
        self.assertEqual(document["samplings"][0]["call_graph"], "dwarf")
        self.assertEqual(document["losses"]["lost_records"], 0)
        self.assertEqual(document["losses"]["lost_samples"], 0)
        chains = self.chains(spool)
        self.assertGreater(len(chains), 10)  # on a busy machine the client runs for a part of the time
        whole = sum(1 for chain in chains if ROOTS.search(chain[-1]))
        self.assertGreater(whole / len(chains), 0.9, chains[:3])

    def test_perf_unwinds_the_spool_of_a_command(self):
        document, spool = self.profile("--call-graph", "auto")
        self.check_whole(document, spool)
        self.assertLess(os.path.getsize(spool), 16384 * document["samplings"][0]["samples"])

    def test_perf_unwinds_the_spool_of_a_running_process(self):
        client = subprocess.Popen([sys.executable, "-S", "-c", BURN.replace("0.3", "60")])
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        document, spool = self.profile("-p", client.pid, "--duration", "400ms", "--call-graph",
                                       "dwarf", client=None)
        self.check_whole(document, spool)

    def test_a_small_copy_is_as_small_as_asked_for(self):
        document, spool = self.profile("--call-graph", "dwarf", "--stack-size", "1K")
        samples = document["samplings"][0]["samples"]
        self.assertLess(os.path.getsize(spool), samples * 2048 + 100_000)

    def test_samples_without_copies_are_as_before(self):
        for how in ("fp", "none"):
            document, spool = self.profile("--call-graph", how)
            self.assertEqual(document["samplings"][0]["call_graph"], how)
            self.assertLess(os.path.getsize(spool),
                            document["samplings"][0]["samples"] * 1200 + 100_000)
            os.rename(self.path("run.slotwise"), self.path(how))

    def test_what_cannot_be_had_is_an_error_and_auto_is_not(self):
        run = self.path("lbr.slotwise")
        done = self.slotwise("profile", "-q", "-o", run, "--call-graph", "lbr", "--", "true",
                             status=None)
        if done.returncode == harness.DONE:
            self.missing("this CPU has branch records with call stacks")
        self.assertEqual(done.returncode, harness.CANNOT)
        self.assertIn("--call-graph lbr", done.stderr)
        self.assertFalse(os.path.exists(run))

    def test_sizes_are_checked(self):
        for option, value in (("--stack-size", "32"), ("--stack-size", "1M"),
                              ("--spool-size", "4K"), ("--stack-size", "x")):
            done = self.slotwise("profile", option, value, "--", "true", status=harness.USAGE)
            self.assertIn(option, done.stderr)


WAITS = ("import threading, time\n"
         "def often():\n"
         "    for i in range(200): time.sleep(0.0005)\n"
         "never = threading.Event()\n"
         "threading.Thread(target=never.wait, daemon=True).start()\n"
         "often(); time.sleep(0.1)\n")
WAIT_STATES = ("answer", "sending", "event_loop", "lock", "disk", "sleep", "pipe", "child", "other",
               "unsplit")


class OffCpu(harness.Case):
    """Where threads wait, by copies of their stacks."""

    def profile(self, call_graph):
        run = self.path(call_graph)
        done = self.slotwise("profile", "-q", "--keep-raw", "--offcpu", "stacks", "--call-graph",
                             call_graph, "-o", run, "--", sys.executable, "-S", "-c", WAITS,
                             status=None)
        if done.returncode == harness.CANNOT and re.search("BPF|BTF", done.stderr):
            self.missing(done.stderr.strip())
        self.assertEqual(done.returncode, harness.DONE, done.stderr)
        return self.load(run), os.path.join(run, "perf.data")

    def samples(self, spool):
        """(thread, ns, frames) of each stack of a wait."""
        perf = self.need("perf")
        done = subprocess.run([perf, "script", "-i", spool, "--no-inline", "-F",
                               "event,tid,period,ip,sym"], capture_output=True, timeout=120,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        samples = []
        for line in done.stdout.decode("utf-8", "replace").splitlines():
            head = re.match(r"\s*(\d+)\s+(\d+)\s+(\S+):(.*)", line)
            if head:
                samples.append((head[3], int(head[1]), int(head[2]), []))
            if samples and (line if not head else head[4]).strip():
                samples[-1][3].append(line if not head else head[4])
        return [sample[1:] for sample in samples if sample[0] == "offcpu-time"]

    def test_every_nanosecond_of_waiting_has_a_whole_stack(self):
        document, spool = self.profile("auto")
        waited, whole, count = {}, 0, 0
        for tid, ns, frames in self.samples(spool):
            waited[tid] = waited.get(tid, 0) + ns
            whole += bool(frames and ROOTS.search(frames[-1]))
            count += 1
        self.assertGreater(count, 20)
        self.assertGreater(whole / count, 0.9)
        threads = [row for row in document["waiting"] if "tid" in row]
        self.assertEqual(len(threads), 2)
        for row in threads:
            self.assertEqual(waited.get(row["tid"], 0),
                             sum(row.get(state + "_ns", 0) for state in WAIT_STATES), row)
        self.assertNotIn("offcpu-stacks-lost", [note["code"] for note in document["notes"]])

    def test_frame_pointers_and_the_kernel_alone_carry_the_same_time(self):
        for how in ("fp", "none"):
            document, spool = self.profile(how)
            total = sum(ns for _, ns, _ in self.samples(spool))
            whole = document["waiting"][0]
            self.assertEqual(total, sum(whole.get(state + "_ns", 0) for state in WAIT_STATES))


if __name__ == "__main__":
    harness.main()
