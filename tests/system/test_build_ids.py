# SPDX-License-Identifier: MIT
"""Which build of a program ran: in the profile and in the raw samples, and without harm to other
profilers of the machine."""
import os
import re
import shutil
import signal
import subprocess

import harness
import pprof
from test_socket import taken


class BuildIds(harness.Case):
    def setUp(self):
        super().setUp()
        self.program = self.path("client")
        shutil.copy(harness.CLIENT, self.program)
        self.build_id = self.build_id_of(self.program)

    def build_id_of(self, path):
        notes = subprocess.run([self.need("readelf"), "-n", path], check=True, capture_output=True,
                               text=True).stdout
        return re.search(r"Build ID: ([0-9a-f]+)", notes).group(1)

    def told(self, run, path):
        """What the profile of a run says of a program's build."""
        return pprof.Profile(os.path.join(run, "profile.pb.gz")).build_ids.get(path)

    def perfs(self, run):
        """What perf finds in the raw samples: {path: build id}."""
        done = subprocess.run([self.need("perf"), "buildid-list", "-i", os.path.join(run, "perf.data")],
                              check=True, capture_output=True, text=True, timeout=60)
        # Of the whole machine: there are paths with blanks and line ends among them.
        lines = re.findall(r"^([0-9a-f]{40}) (.*)$", done.stdout, re.MULTILINE)
        return {path: build_id for build_id, path in lines}

    def test_a_command(self):
        _, run = self.profile(self.program, "spin", "300")
        self.assertEqual(self.told(run, self.program), {self.build_id})
        self.assertEqual(self.perfs(run)[self.program], self.build_id)
        shown = subprocess.run([self.need("perf"), "report", "-i", os.path.join(run, "perf.data"),
                                "--stdio", "-g", "none"], check=True, capture_output=True, text=True,
                               timeout=60).stdout
        self.assertIn("slw_client_hot", shown)

    def test_a_process_that_runs_already(self):
        client = subprocess.Popen([self.program, "spin", "60000"], stdout=subprocess.DEVNULL,
                                  start_new_session=True)
        self.addCleanup(harness.end_group, client)
        harness.wait_until(lambda: os.readlink(f"/proc/{client.pid}/exe") == self.program, 10, "exec")
        run = self.path("run.slotwise")
        self.slotwise("profile", "-q", "-o", run, "-p", client.pid, "--duration", "500ms")
        self.assertEqual(self.told(run, self.program), {self.build_id})

    def test_the_raw_samples_tell_it_elsewhere(self):
        _, run = self.profile(self.program, "spin", "300")
        os.unlink(self.program)
        imported = self.path("imported.slotwise")
        self.slotwise("import", os.path.join(run, "perf.data"), "-o", imported)
        self.assertEqual(self.told(imported, self.program), {self.build_id})

    def test_a_program_written_over_since_has_none(self):
        """In place: it is still the same inode, and nothing of it is what ran."""
        other = self.path("other")
        shutil.copy(harness.SLOTWISE, other)
        document, run = self.profile("sh", "-c", f"{self.program} spin 300 && cat {other} >"
                                     f"{self.program}")
        self.assertIn("binary-replaced", self.notes(document))
        self.assertEqual(self.told(run, self.program), {""})
        self.assertNotIn(self.program, self.perfs(run))

    def test_a_program_written_before_it_ran_has_one(self):
        """While the recording goes on, as `slotwise profile -- make` would see it."""
        made = self.path("made")
        document, run = self.profile("sh", "-c", f"cp {self.program} {made} && {made} spin 300")
        self.assertNotIn("binary-replaced", self.notes(document))
        self.assertEqual(self.told(run, made), {self.build_id})

    def test_perf_beside_a_profile_of_the_whole_machine(self):
        """The kernel tells both the same mappings; what one asks for may not change the other's."""
        self.need_root("the whole machine")
        perf, fifo, run = self.need("perf"), self.path("ctl"), self.path("run.slotwise")
        os.mkfifo(fifo)
        ours = self.start("profile", "-q", "-a", "-o", run, "--keep-raw", "--control", fifo,
                          "--start-stopped")
        control = os.open(fifo, os.O_RDWR)
        self.addCleanup(os.close, control)
        os.write(control, b"start\n")
        harness.wait_until(lambda: taken(control), what="slotwise reads the FIFO")
        harness.time.sleep(0.2)
        theirs = subprocess.run([perf, "record", "-q", "-F", "3989", "-g", "-o", self.path("theirs"),
                                 "--", self.program, "spin", "300"], capture_output=True, text=True,
                                timeout=60, check=False)
        ours.send_signal(signal.SIGINT)
        self.finish(ours)
        self.assertEqual(theirs.returncode, 0, theirs.stderr)
        shown = subprocess.run([perf, "report", "-i", self.path("theirs"), "--stdio", "-g", "none"],
                               check=True, capture_output=True, text=True, timeout=60).stdout
        self.assertIn("slw_client_hot", shown)
        self.assertEqual(self.told(run, self.program), {self.build_id})
        self.assertEqual(self.perfs(run)[self.program], self.build_id)


if __name__ == "__main__":
    harness.main()
