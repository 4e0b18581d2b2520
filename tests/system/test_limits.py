# SPDX-License-Identifier: MIT
"""Machines that are short of something: disk, descriptors, locked memory, permissions."""
import os
import pwd
import resource
import shutil

import harness


class Disk(harness.Case):
    def setUp(self):
        super().setUp()
        self.need_root("a small tmpfs has to be mounted")
        self.small = self.path("small")
        os.mkdir(self.small)
        done = harness.subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none",
                                       self.small], capture_output=True, check=False)
        if done.returncode != 0:
            self.skipTest(f"cannot mount a tmpfs: {done.stderr.decode()}")
        self.addCleanup(harness.subprocess.run, ["umount", "-l", self.small], check=False)

    def test_full_disk_under_the_spool(self):
        run = os.path.join(self.small, "run.slotwise")
        done = self.slotwise("profile", "-F", "9000", "--keep-raw", "-o", run, "--", harness.CLIENT,
                             "spin", "3000", status=harness.INTERNAL)
        self.assertRegex(done.stderr, r"(?i)space")

    def test_what_was_measured_before_the_disk_filled_is_kept(self):
        run = os.path.join(self.small, "run.slotwise")
        self.slotwise("profile", "-F", "9000", "--keep-raw", "-o", run, "--", harness.CLIENT, "spin",
                      "3000", status=harness.INTERNAL)
        # What to look for first is what a person would: does anything there still open?
        data = os.path.join(run, "perf.data")
        self.assertTrue(os.path.exists(data), os.listdir(self.small))
        saved = self.path("rescued.slotwise")
        self.slotwise("import", data, "-o", saved)
        self.assertGreater(sum(s["samples"] for s in self.load(saved)["samplings"]), 0)

    def test_disk_that_is_full_before_the_start(self):
        harness.fill(self.small)
        run = os.path.join(self.small, "run.slotwise")
        done = self.slotwise("profile", "-o", run, "--", harness.CLIENT, "spin", "50", status=None)
        self.assertNotEqual(done.returncode, 0)

    def test_report_to_a_full_disk(self):
        _, run = self.profile(harness.CLIENT, "spin", "200")
        with open("/dev/full", "wb") as full:
            done = harness.subprocess.run([harness.SLOTWISE, "report", run], stdout=full,
                                          stderr=harness.subprocess.PIPE, timeout=60, check=False)
        self.assertEqual(done.returncode, harness.INTERNAL, done.stderr)

    def test_graph_to_a_full_disk(self):
        _, run = self.profile(harness.CLIENT, "spin", "200")
        self.slotwise("flamegraph", run, "-o", "/dev/full", status=None)
        target = os.path.join(self.small, "g.svg")
        harness.fill(self.small)
        self.slotwise("flamegraph", run, "-o", target, status=harness.INTERNAL)
        self.assertFalse(os.path.exists(target), "half a graph was left")


class Descriptors(harness.Case):
    def limited(self, count):
        def set_limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))
        return set_limit

    def test_too_few_descriptors(self):
        """From hopeless to enough: each either works or says what failed. The client inherits the
        limit, so it is one that needs few itself."""
        worked = []
        for count in (4, 5, 6, 8, 10, 12, 16, 24, 32, 64):
            loads = harness.subprocess.run([harness.SLOTWISE, "--version"], capture_output=True,
                                           preexec_fn=self.limited(count), check=False)
            if loads.returncode == 127:
                continue  # not even the libraries could be opened; nothing of ours ran
            run = self.path(f"run{count}.slotwise")
            done = self.slotwise("profile", "-o", run, "--", harness.CLIENT, "spin", "60",
                                 status=None, preexec_fn=self.limited(count))
            worked.append(done.returncode == 0)
            if done.returncode == 0:
                self.load(run)
            else:
                self.assertRegex(done.stderr, r"(?i)open files|descriptor|shared librar")
        self.assertTrue(worked[-1], "64 descriptors are enough for two CPUs")


class Permissions(harness.Case):
    """As somebody without privileges."""

    def setUp(self):
        super().setUp()
        self.need_root("another user has to be become")
        self.user = pwd.getpwnam("nobody")
        # The tree may be where nobody else may look.
        self.program = self.path("slotwise")
        self.client = self.path("client")
        shutil.copy(harness.SLOTWISE, self.program)
        shutil.copy(harness.CLIENT, self.client)
        self.out = self.path("out")
        os.mkdir(self.out)
        os.chown(self.out, self.user.pw_uid, self.user.pw_gid)

    def as_nobody(self, *args, memlock=None, status=None):
        def become():
            if memlock is not None:
                resource.setrlimit(resource.RLIMIT_MEMLOCK, (memlock, memlock))
            os.setgroups([])
            os.setgid(self.user.pw_gid)
            os.setuid(self.user.pw_uid)
        done = harness.subprocess.run([self.program, *args], stdin=harness.subprocess.DEVNULL,
                                      capture_output=True, text=True, timeout=60, cwd=self.out,
                                      preexec_fn=become, check=False)
        self.check_status(done, status)
        return done

    def paranoid(self):
        with open("/proc/sys/kernel/perf_event_paranoid", encoding="ascii") as f:
            return int(f.read())

    def test_profile_without_privileges(self):
        run = os.path.join(self.out, "run.slotwise")
        self.as_nobody("profile", "-o", run, "--", self.client, "spin", "500", status=0)
        document = self.load(run)
        if self.paranoid() <= 2:
            self.assertGreater(sum(s["samples"] for s in document["samplings"]), 100)
        if self.paranoid() > 1:
            # The kernel's half was not measured; the run has to say so, per number.
            for sampling in document["samplings"]:
                self.assertEqual(sampling["mode"], "user")
            self.assertTrue(document["notes"])

    def test_small_memlock_takes_a_smaller_ring(self):
        """perf_event_mlock_kb comes on top; a ring larger than both has to shrink, noted."""
        run = os.path.join(self.out, "run.slotwise")
        self.as_nobody("profile", "-o", run, "--ring-size", "16M", "--", self.client, "spin", "500",
                       memlock=65536, status=0)
        document = self.load(run)
        self.assertTrue(any("ring" in code for code in self.notes(document)), document["notes"])
        self.assertLess(document["self"]["ring_bytes"], 16 << 20)
        self.assertGreater(sum(s["samples"] for s in document["samplings"]), 100)

    def test_somebody_elses_process(self):
        other = harness.subprocess.Popen([harness.CLIENT, "spin", "5000"], start_new_session=True)
        self.addCleanup(harness.end_group, other)
        run = os.path.join(self.out, "r.slotwise")
        done = self.as_nobody("profile", "-o", run, "--duration", "500ms", "-p", str(other.pid))
        if done.returncode == 0:  # what /proc tells everybody, said to be that
            document = self.load(run)
            self.assertFalse(sum(s["samples"] for s in document["samplings"]))
            told = " ".join(note["text"] for note in document["notes"])
        else:
            self.assertEqual(done.returncode, harness.CANNOT)
            told = done.stderr
        self.assertRegex(told, r"(?i)permi|allow")

    def test_doctor_without_privileges(self):
        done = self.as_nobody("doctor", status=0)
        self.assertRegex(done.stdout, r"paranoid")


class Losses(harness.Case):
    def test_lost_samples_are_counted_and_shown(self):
        """A ring of one page and a stopped reader: the kernel drops samples and tells how many."""
        run = self.path("run.slotwise")
        process = self.start("profile", "-F", "20000", "--ring-size", "4K", "-o", run, "--",
                             harness.CLIENT, "threads", "1500")
        self.wait_for_work(process, 0.2)
        os.kill(process.pid, harness.signal.SIGSTOP)
        harness.time.sleep(0.7)
        os.kill(process.pid, harness.signal.SIGCONT)
        done = self.finish(process)
        losses = self.load(run)["losses"]
        self.assertGreater(losses["lost_records"] + losses["lost_samples"], 0)
        self.assertRegex(done.stdout + done.stderr, r"(?i)lost")


class Pipes(harness.Case):
    def test_reader_that_goes_away(self):
        """slotwise report RUN | head -1"""
        _, run = self.profile(harness.CLIENT, "spin", "300")
        for args in (("report", run, "--format", "json"), ("export", run, "--format", "folded")):
            read, write = os.pipe()
            os.close(read)
            try:
                done = harness.subprocess.run([harness.SLOTWISE, *args], stdout=write,
                                              stderr=harness.subprocess.PIPE, timeout=60,
                                              check=False)
            finally:
                os.close(write)
            self.assertIn(done.returncode, (*harness.DOCUMENTED, -harness.signal.SIGPIPE))
            self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    harness.main()
