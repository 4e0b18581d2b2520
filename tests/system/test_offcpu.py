# SPDX-License-Identifier: MIT
"""The off-CPU tap against a client that waits in a known way and tells how long by its own clock.

What is asserted holds on any machine however loaded, because it follows from what the client did:
a wait cannot be longer than the client saw it take, and what it saw is this wait or the thread was
on a CPU or had none. Only `most` is a margin: a wait of 5 x 60 ms may lose half of it, and half of its
rounds, to a thread that is preempted on its way to sleep."""
import ctypes
import errno
import os
import pwd
import re
import shutil
import struct

import harness
from test_socket import taken

WAITER = os.environ.get("SLW_WAITER", "")
ROUND_NS, ROUNDS = 60_000_000, 5
WAIT_NS = ROUND_NS * ROUNDS
STATES = ("on_cpu", "runnable", "answer", "sending", "event_loop", "lock", "disk", "sleep", "pipe",
          "child", "other", "unsplit")


def ns(row, *states):
    return sum(row.get(state + "_ns", 0) for state in states)


class Tapped(harness.Case):
    def tapped(self, *words, options=("--offcpu", "syscalls")):
        """run.json, the row of the first thread, and what the client told: (wait, total) ns."""
        run = self.path("run.slotwise")
        done = self.slotwise("profile", "-q", "-o", run, *options, "--", WAITER, *words, status=None)
        if done.returncode == harness.CANNOT and re.search("BPF|BTF", done.stderr):
            self.missing(done.stderr.strip())
        self.assertEqual(done.returncode, 0, done.stderr)
        document = self.load(run)
        _, wait, total = done.stdout.split()
        first = [row for row in document["waiting"] if row.get("tid") == document["command"]["pid"]]
        self.assertEqual(len(first), 1)
        self.check_sums(document)
        self.assertGreaterEqual(first[0]["wall_ns"], int(total))
        return document, first[0], (int(wait), int(total))

    def check_sums(self, document):
        """On-CPU, runnable and waits by cause are all of the time, exactly, for each thread."""
        for row in document["waiting"]:
            self.assertEqual(ns(row, *STATES), row["wall_ns"], row)
            self.assertTrue(row["by_cause"])
        whole, *threads = document["waiting"]
        self.assertEqual(whole["thread_count"], len(threads))
        self.assertEqual(whole["lost_threads"], 0)
        cost = document["self"]
        self.assertNotEqual("bpf_ns" in cost, "bpf_absent" in cost, cost)
        self.assertGreater(cost.get("bpf_ns", 1), 0)
        for state in STATES:
            self.assertEqual(ns(whole, state), sum(ns(row, state) for row in threads))
        self.assertLessEqual(threads[0]["wall_ns"], document["wall_ns"])

    def waits_for(self, state, *words, rounds=ROUNDS):
        document, row, (wait, total) = self.tapped(*words)
        self.assertGreater(ns(row, state), WAIT_NS / 2, row)
        self.assertLessEqual(ns(row, state), total)
        # What the client saw of its waiting is this state, or not waiting at all.
        self.assertGreaterEqual(ns(row, state, "on_cpu", "runnable"), wait - self.foreign(row, state))
        self.assertGreater(row[state + "_waits"], rounds / 2)
        self.assertGreater(row["syscalls"], rounds)
        return document

    def foreign(self, row, state):
        """Time in states that a program also enters while it starts and ends."""
        return sum(ns(row, s) for s in STATES if s not in (state, "on_cpu", "runnable"))


class Causes(Tapped):
    def test_sleep(self):
        self.waits_for("sleep", "sleep")

    def test_lock(self):
        rounds = 25
        document = self.waits_for("lock", "lock", str(rounds), rounds=rounds)
        # Which one: a variable of the client's, which the tap has to look at while the client lives.
        # It does every 250 ms; the client waits for 1500.
        first = document["waited_for"][0]
        self.assertEqual((first["state"], first["what"]), ("lock", "lock (system_waiter)"))
        self.assertEqual(first["pid"], document["command"]["pid"])
        whole = document["waiting"][0]
        self.assertLessEqual(first["ns"], whole["lock_ns"])
        self.assertGreater(first["ns"], WAIT_NS / 2)
        self.assertGreater(first["waits"], rounds / 2)

    def test_answer_by_read(self):
        self.waits_for("answer", "answer-r")

    def test_answer_by_recv(self):
        self.waits_for("answer", "answer-c")

    def test_answer_by_poll_of_one_socket(self):
        self.waits_for("answer", "answer-p")

    def test_event_loop(self):
        self.waits_for("event_loop", "answer-e")

    def test_pipe(self):
        self.waits_for("pipe", "pipe", rounds=1)

    def test_child(self):
        self.waits_for("child", "child", rounds=1)

    def test_the_child_sleeps_meanwhile(self):
        document, row, _ = self.tapped("child")
        children = [r for r in document["waiting"][1:] if r["tid"] != row["tid"]]
        self.assertEqual(len(children), 1)
        self.assertGreater(ns(children[0], "sleep"), WAIT_NS / 2)

    def test_disk(self):
        """However long the disk takes: fsync is disk, a lock of the file system, or no wait."""
        _, row, (wait, _) = self.tapped("disk")
        self.assertGreaterEqual(ns(row, "disk", "other", "on_cpu", "runnable"), wait)
        self.assertFalse(ns(row, "answer", "sending", "lock", "sleep", "event_loop"))

    def test_competing_threads_are_runnable(self):
        """Each of two threads on one CPU needs 300 ms of it: the other waits as long."""
        document, _, _ = self.tapped("compete")
        whole = document["waiting"][0]
        self.assertGreater(ns(whole, "runnable"), 250_000_000)
        self.assertGreater(ns(whole, "on_cpu"), 590_000_000)
        self.assertGreater(whole["runnable_waits"], 0)

    def test_switches_and_calls_of_a_ping_pong(self):
        """4 system calls a round trip, and at most 2 switches and a preemption per wake-up."""
        rounds = 5000
        document, _, _ = self.tapped("pingpong", str(rounds))
        whole = document["waiting"][0]
        self.assertGreaterEqual(whole["syscalls"], 4 * rounds)
        self.assertLess(whole["syscalls"], 4 * rounds + 1000)
        # One CPU: each thread has to leave it for the other to run, by itself or not.
        self.assertGreaterEqual(whole["pipe_waits"] + whole["runnable_waits"], 2 * rounds - 2)

    def test_switches_agree_with_the_kernel(self):
        """A wait is one switch; being woken from it and waiting for a CPU then is none."""
        rounds = 5000
        document, _, _ = self.tapped("pingpong", str(rounds))
        counted = {c["event"]: c["raw"] for c in document["counts"] if "raw" in c}
        whole = document["waiting"][0]
        mine = sum(whole.get(state + "_waits", 0) for state in STATES)
        # The kernel counts the last switch of each thread too, and what is outside our window.
        self.assertLess(abs(mine - counted["context-switches"]), 100)
        self.assertGreater(mine, rounds)

    def test_on_cpu_agrees_with_the_kernel(self):
        """Of a command and its threads; the kernel's own sum, from getrusage."""
        document, _, _ = self.tapped("compete")
        usage = {c["event"]: c["raw"] for c in document["counts"] if "raw" in c}
        kernel = usage["user-time"] + usage["system-time"]
        mine = ns(document["waiting"][0], "on_cpu")
        # getrusage holds fork as well; it may leave out interrupts and what a hypervisor took.
        self.assertGreater(mine, 0.9 * kernel - 20_000_000)
        self.assertLessEqual(mine, document["wall_ns"], "all on one CPU")


class Windows(Tapped):
    def test_attached_to_a_thread_that_waits_all_the_time(self):
        """It never runs in the window: its wait is known from /proc alone."""
        client = harness.subprocess.Popen(["sleep", "60"], start_new_session=True)
        self.addCleanup(harness.end_group, client)
        harness.wait_until(lambda: harness.read_bytes(f"/proc/{client.pid}/comm") == b"sleep\n" and
                           b") S" in harness.read_bytes(f"/proc/{client.pid}/stat"))
        run = self.path("run.slotwise")
        done = self.slotwise("profile", "-q", "-o", run, "--offcpu", "yes", "-p", client.pid,
                             "--duration", "300ms", status=None)
        if done.returncode == harness.CANNOT:
            self.missing(done.stderr.strip())
        document = self.load(run)
        row = document["waiting"][1]
        self.assertEqual(row["tid"], client.pid)
        self.assertEqual(row["comm"], "sleep")
        self.assertEqual(ns(row, "sleep"), row["wall_ns"])
        self.assertGreaterEqual(row["wall_ns"], 299_000_000)

    def test_target_vanishes(self):
        client = harness.subprocess.Popen([WAITER, "sleep"], stdout=harness.subprocess.DEVNULL,
                                          start_new_session=True)
        self.addCleanup(harness.end_group, client)
        run = self.path("run.slotwise")
        done = self.slotwise("profile", "-q", "-o", run, "--offcpu", "yes", "--duration", "20s",
                             "-p", client.pid, status=None)
        self.assertEqual(client.wait(), 0)
        if done.returncode == 0:
            document = self.load(run)
            if "waiting" in document:  # else it was gone before it could be followed
                self.check_sums(document)
        else:  # gone before anything could be opened, or nothing can be had here
            self.assertEqual(done.returncode, harness.CANNOT, done.stderr)

    def test_two_windows_leave_out_what_is_between(self):
        fifo = self.path("ctl")
        os.mkfifo(fifo)
        run = self.path("run.slotwise")
        process = self.start("profile", "-q", "-o", run, "--offcpu", "yes", "--control", fifo,
                             "--start-stopped", "--", "sleep", "60")
        control = os.open(fifo, os.O_RDWR)  # nobody waits for the other to open it
        self.addCleanup(os.close, control)
        for word in ("start", "stop", "start", "stop", "quit"):
            os.write(control, word.encode() + b"\n")
            harness.wait_until(lambda: taken(control), what="slotwise reads the FIFO")
            harness.time.sleep(0.15)
        process.wait(60)
        if process.returncode == harness.CANNOT:
            self.missing("no BPF")
        self.assertEqual(process.returncode, 0)
        document = self.load(run)
        self.check_sums(document)
        first = document["waiting"][1]
        self.assertLessEqual(first["wall_ns"], document["wall_ns"])
        self.assertGreater(first["wall_ns"], 0.5 * document["wall_ns"])


class Refused(harness.Case):
    def setUp(self):
        super().setUp()
        self.need_root("another user has to be become")
        self.user = pwd.getpwnam("nobody")
        self.program, self.client = self.path("slotwise"), self.path("waiter")
        shutil.copy(harness.SLOTWISE, self.program)
        shutil.copy(WAITER, self.client)
        self.out = self.path("out")
        os.mkdir(self.out)
        os.chown(self.out, self.user.pw_uid, self.user.pw_gid)

    def as_nobody(self, *options, status=0):
        def become():
            os.setgroups([])
            os.setgid(self.user.pw_gid)
            os.setuid(self.user.pw_uid)
        run = os.path.join(self.out, "run.slotwise")
        done = harness.subprocess.run(
            [self.program, "profile", "-o", run, *options, "--", self.client, "sleep"],
            stdin=harness.subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
            cwd=self.out, preexec_fn=become, check=False)
        self.check_status(done, status)
        return done, run

    def test_by_default_a_note_tells(self):
        _, run = self.as_nobody()
        document = self.load(run)
        self.assertTrue({"no-offcpu", "no-offcpu-causes"} & self.notes(document), document["notes"])
        if "no-offcpu-causes" not in self.notes(document):
            return  # perf events are refused as well
        for row in document["waiting"]:
            self.assertFalse(row["by_cause"])
            self.assertIn(row["from"]["detail"], ("context-switch records",
                                                  "getrusage: wall time less CPU time"))
            self.assertEqual(ns(row, "on_cpu", "unsplit"), row["wall_ns"])
        self.assertGreater(ns(document["waiting"][1], "unsplit"), WAIT_NS / 2)
        self.assertGreaterEqual(document["waiting"][1]["unsplit_waits"], ROUNDS)

    def without_events(self, *words):
        """Run the client under slotwise where bpf(2) and perf_event_open(2) are refused: the run."""
        numbers = {"x86_64": (321, 298), "aarch64": (280, 241)}[os.uname().machine]
        refuse = 0x00050000 | errno.EPERM  # SECCOMP_RET_ERRNO
        code = [(0x20, 0, 0, 0), (0x15, 1, 0, numbers[0]), (0x15, 0, 1, numbers[1]),
                (0x06, 0, 0, refuse), (0x06, 0, 0, 0x7fff0000)]
        text = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *c) for c in code))
        filter_ = struct.pack("HxxxxxxP", len(code), ctypes.addressof(text))
        libc = ctypes.CDLL(None, use_errno=True)

        def become():
            if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, filter_, 0, 0) != 0:
                os._exit(99)
        run = self.path("run.slotwise")
        done = self.slotwise("profile", "-o", run, "--", WAITER, *words, preexec_fn=become)
        return self.load(run), [int(n) for n in done.stdout.split("\n")[0].split()[1:]]

    def test_without_events_getrusage_tells(self):
        document, (wait, total) = self.without_events("sleep")
        self.assertIn("no-offcpu-causes", self.notes(document))
        whole, first = document["waiting"]
        self.assertEqual(whole["from"]["detail"], "getrusage: wall time less CPU time")
        self.assertEqual(first["tid"], document["command"]["pid"])
        for row in whole, first:
            self.assertFalse(row["by_cause"])
            self.assertEqual(ns(row, "on_cpu", "unsplit"), row["wall_ns"])
            self.assertGreaterEqual(row["wall_ns"], total)
            self.assertGreater(ns(row, "unsplit"), WAIT_NS / 2)
            self.assertGreaterEqual(row["unsplit_waits"], ROUNDS)
        self.assertLessEqual(wait, total)

    def test_of_several_threads_it_cannot(self):
        document, _ = self.without_events("compete")
        self.assertNotIn("waiting", document)
        self.assertIn("no-offcpu-threads", self.notes(document))

    def test_asked_for_it_is_an_error(self):
        done, run = self.as_nobody("--offcpu", "yes", status=harness.CANNOT)
        self.assertRegex(done.stderr, r"(?i)BPF")
        self.assertFalse(os.path.exists(os.path.join(run, "run.json")))

    def test_not_wanted_it_is_not_mentioned(self):
        _, run = self.as_nobody("--offcpu", "no")
        document = self.load(run)
        self.assertFalse({"no-offcpu", "no-offcpu-causes"} & self.notes(document))
        self.assertNotIn("waiting", document)


if __name__ == "__main__":
    harness.main()
