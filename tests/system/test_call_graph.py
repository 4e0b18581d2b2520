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
        self.assertGreater(len(chains), 50)
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


if __name__ == "__main__":
    harness.main()
