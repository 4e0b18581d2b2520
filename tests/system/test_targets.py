# SPDX-License-Identifier: MIT
"""Clients that fail, vanish, multiply or outlive us, and people who press Ctrl-C."""
import collections
import contextlib
import os
import signal
import time

import harness
import pprof


class Ending(harness.Case):
    """However the client ends, the run says so and what was measured is kept."""

    def sampled(self, document):
        return sum(s["samples"] for s in document["samplings"])

    def test_client_that_fails(self):
        document, _ = self.profile(harness.CLIENT, "exit", "3")
        self.assertEqual((document["command"]["exit"], document["command"]["exit_value"]),
                         ("status", 3))

    def test_client_that_fails_with_its_own_status(self):
        self.profile(harness.CLIENT, "exit", "3", options=["--propagate"], status=3)
        self.profile(harness.CLIENT, "exit", "0", options=["--propagate"], name="good")

    def test_client_that_is_not_found(self):
        run = self.path("none.slotwise")
        done = self.slotwise("profile", "-o", run, "--", "no-such-client-anywhere",
                             status=harness.CANNOT)
        self.assertIn("no-such-client-anywhere", done.stderr)
        self.assertFalse(os.path.exists(run), "left a run of nothing")

    def test_client_that_is_not_executable(self):
        script = self.path("plain.txt")
        with open(script, "w", encoding="ascii") as f:
            f.write("no program\n")
        done = self.slotwise("profile", "-o", self.path("r.slotwise"), "--", script,
                             status=harness.CANNOT)
        self.assertIn("plain.txt", done.stderr)

    def test_client_that_is_killed(self):
        document, _ = self.profile(harness.CLIENT, "die", str(int(signal.SIGKILL)))
        self.assertEqual((document["command"]["exit"], document["command"]["exit_value"]),
                         ("signal", signal.SIGKILL))
        self.assertGreater(self.sampled(document), 0)

    def test_client_that_crashes(self):
        document, _ = self.profile(harness.CLIENT, "die", str(int(signal.SIGSEGV)))
        self.assertEqual((document["command"]["exit"], document["command"]["exit_value"]),
                         ("signal", signal.SIGSEGV))

    def test_children_are_followed(self):
        _, run = self.profile(harness.CLIENT, "forks", "400")
        samples = collections.Counter()
        for sample in pprof.Profile(os.path.join(run, "profile.pb.gz")).samples:
            samples[sample.labels["pid"]] += sample.values[0]
        # Three children of 400 ms at about a thousand samples a second; a virtual machine loses some.
        self.assertEqual(len([count for count in samples.values() if count > 200]), 3, samples)
        self.assertTrue(any("slw_client_hot" in frames for frames in self.folded(run)))

    def test_client_that_daemonizes(self):
        """The command ended, its child spins on: we may not wait for it for ever."""
        command = [harness.CLIENT, "daemon", "60000"]
        self.addCleanup(lambda: [os.kill(pid, signal.SIGKILL) for pid in running_as(command)])
        self.finish(self.start("profile", "-o", self.path("run.slotwise"), "--", *command))
        self.assertEqual(len(running_as(command)), 1, "waited for the daemon")
        document = self.load(self.path("run.slotwise"))
        self.assertEqual(document["command"]["exit"], "status")

    def test_client_that_outlives_the_duration(self):
        """Our time is up before the client's: it is not ours to kill."""
        marker = "7654"
        process = self.start("profile", "-o", self.path("run.slotwise"), "--duration", "500ms",
                             "--", harness.CLIENT, "spin", marker)
        self.finish(process, status=None, timeout=30)
        document = self.load(self.path("run.slotwise"))
        self.assertLess(harness.clock_ms(document), 2000)
        sampled_all_the_time(self, document)

    def test_client_that_does_nothing(self):
        """Zero samples are a result, not an error and not a division by zero."""
        document, run = self.profile("sleep", "0.2")
        self.slotwise("report", run)
        done = self.slotwise("report", run, "--format", "json")
        self.assertNotRegex(done.stdout, r"(?i)\bnan\b|\binf\b")
        self.svg_or_reason(run)
        self.assertEqual(document["command"]["exit_value"], 0)

    def svg_or_reason(self, run):
        done = self.slotwise("flamegraph", run, "-o", self.path("g.svg"), status=None)
        self.assertTrue(done.returncode == 0 or done.stderr.strip())

    def test_existing_run_is_not_overwritten(self):
        self.profile(harness.CLIENT, "spin", "30")
        before = harness.read_bytes(self.path("run.slotwise", "run.json"))
        self.slotwise("profile", "-o", self.path("run.slotwise"), "--", harness.CLIENT, "spin", "30",
                      status=harness.BAD_DATA)
        self.assertEqual(harness.read_bytes(self.path("run.slotwise", "run.json")), before)


class Interrupted(harness.Case):
    """Stop, keep, report."""

    def interrupt(self, signal_number, what="spin"):
        run = self.path("run.slotwise")
        process = self.start("profile", "-o", run, "--", harness.CLIENT, what, "20000")
        self.wait_for_work(process, 0.8)
        self.assertIsNone(process.poll(), "ended before it was interrupted")
        os.kill(process.pid, signal_number)
        done = self.finish(process, status=None, timeout=20)
        document = self.load(run)
        self.assertGreater(sum(s["samples"] for s in document["samplings"]), 300)
        self.assertIn("slw_client_hot", done.stderr, "no report after the interrupt")
        self.slotwise("report", run)
        return document

    def test_ctrl_c_to_us(self):
        self.interrupt(signal.SIGINT)

    def test_sigterm_to_us(self):
        self.interrupt(signal.SIGTERM)

    def test_client_that_ignores_signals(self):
        self.interrupt(signal.SIGINT, what="stubborn")

    def test_ctrl_c_to_the_whole_terminal(self):
        run = self.path("run.slotwise")
        process = self.start("profile", "-o", run, "--", harness.CLIENT, "spin", "20000")
        self.wait_for_work(process, 0.6)
        os.killpg(process.pid, signal.SIGINT)
        self.finish(process, status=None, timeout=20)
        self.assertGreater(sum(s["samples"] for s in self.load(run)["samplings"]), 200)

    def test_no_client_is_left_behind(self):
        run = self.path("run.slotwise")
        command = [harness.CLIENT, "spin", "20000"]
        process = self.start("profile", "-o", run, "--", *command)
        client = harness.wait_until(lambda: child_of(process.pid, command), what="the client's start")
        os.kill(process.pid, signal.SIGTERM)
        self.finish(process, status=None, timeout=20)
        harness.wait_until(lambda: not running(client), 5, "the end of the interrupted client")


class Attached(harness.Case):
    def client(self, *args):
        process = harness.subprocess.Popen([harness.CLIENT, *args], start_new_session=True)
        self.addCleanup(harness.end_group, process)
        return process

    def test_pid_that_does_not_exist(self):
        process = self.client("exit", "0")
        process.wait()
        done = self.slotwise("profile", "-o", self.path("run.slotwise"), "-p", process.pid,
                             status=harness.CANNOT)
        self.assertIn(str(process.pid), done.stderr)

    def test_pid_that_vanishes(self):
        """What was measured until then is the run."""
        process = self.client("spin", "2500")
        run = self.path("run.slotwise")
        self.slotwise("profile", "-o", run, "-p", process.pid, timeout=60)
        samples = sum(s["samples"] for s in self.load(run)["samplings"])
        self.assertGreater(samples, 300)

    def test_pid_that_is_no_number(self):
        for pid in ("0", "-1", "12x", "99999999999999999999", ""):
            self.slotwise("profile", "-p", pid, status=harness.USAGE)

    def test_threads_started_before_and_after(self):
        process = self.client("threads", "2500")
        time.sleep(0.3)
        run = self.path("run.slotwise")
        self.slotwise("profile", "-o", run, "--duration", "1s", "-p", process.pid)
        self.assertTrue(any("slw_client_hot" in f for f in self.folded(run)))

    def test_control_fifo_measures_between_start_and_stop(self):
        fifo = self.path("control")
        os.mkfifo(fifo)
        run = self.path("run.slotwise")
        process = self.start("profile", "-o", run, "--control", fifo, "--start-stopped",
                             "--", harness.CLIENT, "spin", "4000")
        with open(fifo, "w", encoding="ascii") as control:
            time.sleep(0.5)
            control.write("start\n")
            control.flush()
            time.sleep(1)
            control.write("stop\n")
            control.flush()
            time.sleep(0.2)
        self.finish(process, timeout=60)
        document = self.load(run)
        self.assertLess(harness.clock_ms(document), 2500)  # of the client's 4000
        sampled_all_the_time(self, document)

    def test_delay_leaves_the_beginning_out(self):
        run = self.path("run.slotwise")
        self.slotwise("profile", "-o", run, "--delay", "1s", "--", harness.CLIENT, "spin", "2000")
        document = self.load(run)
        # All would be 2000; how much of the first second the client gets is up to the machine.
        self.assertLess(harness.clock_ms(document), 1990)
        sampled_all_the_time(self, document)

    def test_labels_are_kept(self):
        run = self.path("run.slotwise")
        self.slotwise("profile", "-o", run, "--label", "batch=16", "--label", "driver=a=b", "--",
                      harness.CLIENT, "spin", "30")
        labels = {label["key"]: label["value"] for label in self.load(run)["labels"]}
        self.assertEqual(labels, {"batch": "16", "driver": "a=b"})


def sampled_all_the_time(case, document):
    """About a thousand a second of CPU time; a virtual machine loses some."""
    clock, samples = harness.clock_ms(document), sum(s["samples"] for s in document["samplings"])
    case.assertGreater(clock, 40)
    case.assertGreater(samples, 0.6 * clock - 10)
    case.assertLess(samples, 1.2 * clock + 10)


def child_of(pid, command):
    """The one that runs these words: another one, before it, lists the client's libraries."""
    return next(iter(set(harness.children_of(pid)).intersection(running_as(command))), None)


def running_as(command):
    """The processes that were started by these words."""
    argv = b"".join(word.encode() + b"\0" for word in command)
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if harness.read_bytes(f"/proc/{name}/cmdline") == argv and running(int(name)):
                found.append(int(name))
    return found


def running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


if __name__ == "__main__":
    harness.main()
