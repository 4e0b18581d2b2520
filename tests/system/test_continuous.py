# SPDX-License-Identifier: MIT
"""'slotwise profile --every --for': windows of something that goes on, for as long as it does, in a
footprint that does not grow. Nothing here depends on how long a window takes."""
import os
import re
import signal
import subprocess
import time

import cgroups
import fleet
import harness
import pprof

WINDOW = re.compile(r"\d{8}T\d{6}Z\.slotwise")


class Continuous(harness.Case):
    def setUp(self):
        super().setUp()
        self.client = subprocess.Popen([harness.CLIENT, "spin", "120000"],
                                       stdin=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(harness.end_group, self.client)
        self.windows = self.path("w")

    def series(self, *options, target=()):
        return self.start("profile", "--every", "1s", "--for", "200ms", "--offcpu", "no", "--wire",
                          "no", "--stages", "no", *(target or ("-p", self.client.pid)), "-o",
                          self.windows, *options)

    def pushed(self, count, *target):
        """What a server got of so many windows or more of a target, and what was said."""
        server = fleet.Server()
        self.addCleanup(server.stop)
        process = self.series("--push", server.url, "--push-spool", self.path("spool"),
                              target=target)
        harness.wait_until(lambda: len(server.pushed) >= count or process.poll() is not None, 90,
                           "pushes")
        process.send_signal(signal.SIGTERM)
        done = self.finish(process)
        self.assertEqual(server.refused, [])
        self.assertGreaterEqual(len(server.pushed), count, done.stderr)
        return server.pushed, done

    def measured(self):
        """The windows that are saved."""
        return [name for name in (os.listdir(self.windows) if os.path.isdir(self.windows) else [])
                if os.path.exists(os.path.join(self.windows, name, "run.json"))]

    def processes(self, pushed):
        return {sample.labels["pid"] for sample in pushed.profile.samples}

    def memory(self, process):
        """KiB of the process that waits between windows; what is of files comes and goes."""
        with open(f"/proc/{process.pid}/status", encoding="ascii") as f:
            return int(re.search(r"RssAnon:\s+(\d+) kB", f.read())[1])

    def disk(self, *folders):
        return [os.path.getsize(os.path.join(at, name))
                for folder in folders for at, _, names in os.walk(folder) for name in names]

    def test_windows_are_pushed_until_it_is_stopped(self):
        server = fleet.Server()
        self.addCleanup(server.stop)
        process = self.series("--push", server.url, "--push-spool", self.path("spool"),
                              "--keep", "2", "--label", "env=x")
        harness.wait_until(lambda: len(server.pushed) >= 1, 60, "a first push")
        first = self.memory(process)
        harness.wait_until(lambda: len(server.pushed) >= 4, 60, "four pushes")
        self.assertLessEqual(self.memory(process), first + 512)
        process.send_signal(signal.SIGTERM)
        done = self.finish(process)
        self.assertEqual(server.refused, [])
        self.assertEqual(len({p.raw for p in server.pushed}), len(server.pushed))
        for pushed in server.pushed:
            self.assertEqual(pushed.labels["service_name"], "system_client")
            self.assertEqual(pushed.labels["env"], "x")
        times = [int(re.search(r"(?m)^time_nanos: (\d+)", p.text)[1]) for p in server.pushed]
        self.assertEqual(times, sorted(times))
        for earlier, later in zip(times, times[1:]):
            self.assertGreater(later - earlier, 2e8, "windows do not overlap")
        kept = sorted(os.listdir(self.windows))
        self.assertEqual(len(kept), 2)
        for name in kept:
            self.assertRegex(name, WINDOW)
            run = os.path.join(self.windows, name)
            self.load(run)
            self.assertFalse(os.path.exists(os.path.join(run, "perf.data")), os.listdir(run))
        # The last window was cut short, perhaps before its first sample.
        profiles = [path for path in (os.path.join(self.windows, name, "profile.pb.gz")
                                      for name in kept) if os.path.exists(path)]
        self.assertTrue(profiles)
        for path in profiles:
            self.assertIn(pprof.Profile(path).totals(),
                          [p.profile.totals() for p in server.pushed])
        said = re.search(r"(\d+) windows, (\d+) of them not", done.stderr)
        self.assertIn(int(said[1]) - len(server.pushed), (0, 1), done.stderr)
        self.assertEqual(int(said[2]), 0, done.stderr)

    def test_windows_of_the_whole_machine(self):
        self.need_root("all processes are looked at")
        pushed, _ = self.pushed(3, "-a")
        names = set()
        for one in pushed:
            self.assertEqual(one.labels["service_name"], "system")
            names |= {f.function for s in one.profile.samples for f in s.frames
                      if s.labels["pid"] == self.client.pid}
        self.assertIn("main", names)

    def test_windows_of_a_control_group(self):
        group = cgroups.Group(self)
        inside = subprocess.Popen([harness.CLIENT, "spin", "120000"], stdin=subprocess.DEVNULL,
                                  start_new_session=True, preexec_fn=group.enter)
        self.addCleanup(harness.end_group, inside)
        pushed, _ = self.pushed(2, "--cgroup", group.name)
        for one in pushed[:2]:
            self.assertEqual(one.labels["service_name"], group.name)
            self.assertEqual(self.processes(one), {inside.pid}, "and not the one outside")
        for name in os.listdir(self.windows):
            self.assertEqual(self.load(os.path.join(self.windows, name))["command"]["cgroup"],
                             group.name)

    def test_a_control_group_that_goes_away(self):
        """A window that fails is told and the next one comes, but not for ever."""
        group = cgroups.Group(self)
        inside = subprocess.Popen([harness.CLIENT, "spin", "120000"], stdin=subprocess.DEVNULL,
                                  start_new_session=True, preexec_fn=group.enter)
        self.addCleanup(harness.end_group, inside)
        process = self.series("--keep", "1", "-q", target=("--cgroup", group.name))
        harness.wait_until(self.measured, 60, "a first window")
        harness.end_group(inside)
        harness.wait_until(group.remove, what="the group is empty")
        done = self.finish(process, status=None)
        self.assertNotEqual(done.returncode, 0)
        self.assertGreaterEqual(done.stderr.count(group.name), 10, done.stderr)

    def test_windows_of_one_second_have_names_of_their_own(self):
        process = self.series("--keep", "100", "-q")
        harness.wait_until(lambda: os.path.isdir(self.windows) and os.listdir(self.windows), 60,
                           "a first window")
        taken = {time.strftime("%Y%m%dT%H%M%SZ.slotwise", time.gmtime(time.time() + i))
                 for i in range(1, 30)}
        for name in taken:
            os.makedirs(os.path.join(self.windows, name), exist_ok=True)

        def later():
            return sorted(name for name in os.listdir(self.windows) if name > max(taken))
        harness.wait_until(lambda: len(later()) >= 2, 60, "windows with other names")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(process).stderr, "")
        for name in later()[:1]:
            self.load(os.path.join(self.windows, name))

    def test_the_disk_stays_bounded_while_nobody_takes_what_is_pushed(self):
        url = f"http://127.0.0.1:{fleet.free_port()}"
        process = self.series("--push", url, "--push-tries", "1", "--push-spool-size", "3000",
                              "--push-spool", self.path("spool"), "--keep", "1")

        def dropped():
            return b"were dropped" in harness.read_bytes(self.path("stderr"))
        harness.wait_until(dropped, 90, "a spool that is full")
        process.send_signal(signal.SIGTERM)
        self.finish(process)
        self.assertLessEqual(sum(self.disk(self.path("spool"))), 3000)
        self.assertEqual(len(os.listdir(self.windows)), 1)

    def test_it_ends_with_what_it_watches(self):
        process = self.series("--keep", "0", "-q")
        harness.wait_until(lambda: os.path.isdir(self.windows) and os.listdir(self.windows), 60,
                           "a first window")
        harness.end_group(self.client)
        done = self.finish(process)
        self.assertEqual(done.stderr, "")
        self.assertFalse(os.path.exists(self.windows), "nothing was to be kept")

    def test_what_cannot_be_measured_is_said_once(self):
        harness.end_group(self.client)
        done = self.slotwise("profile", "--every", "1s", "--for", "200ms", "-p", self.client.pid,
                             "-o", self.windows, status=harness.CANNOT)
        self.assertRegex(done.stderr, "there is no process")
        self.assertFalse(os.path.exists(self.windows))
        done = self.slotwise("profile", "--every", "1s", "--for", "200ms", "--backend", "hwpmu",
                             "--cgroup", "no/such/group", "-o", self.windows, status=None)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stderr.count("slotwise profile:"), 1, done.stderr)

    def test_usage(self):
        watch = ("-p", str(self.client.pid))
        for options in (("--every", "1s", *watch), ("--for", "1s", *watch), ("--keep", "1", *watch),
                        ("--every", "1s", "--for", "2s", *watch),
                        ("--every", "100ms", "--for", "50ms", *watch),
                        ("--every", "2s", "--for", "0ms", *watch),
                        ("--every", "2s", "--for", "1s", "--duration", "1s", *watch),
                        ("--every", "2s", "--for", "1s", "--rounds", "2", *watch),
                        ("--every", "2s", "--for", "1s", "--", "true"),
                        ("--every", "2s", "--for", "1s", *watch, "--label", "a-b=1", "--push",
                         "http://127.0.0.1:1")):
            self.slotwise("profile", "-o", self.windows, *options, status=harness.USAGE)
            self.assertFalse(os.path.exists(self.windows), options)


if __name__ == "__main__":
    harness.main()
