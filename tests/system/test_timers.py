# SPDX-License-Identifier: MIT
"""One timer for each CPU, and a program in the kernel that keeps the client's samples: they are the
client's, all of the client's, and as many as its CPU time says; where that is refused, the kernel's
timers of tasks stand in, and the run says so."""
import collections
import os
import pwd
import shutil
import subprocess

import cgroups
import harness
import peers

NAME = os.path.basename(harness.CLIENT)[:15]
NOWHERE = ("--wire", "no", "--offcpu", "no")  # nothing else that could need BPF


def sampling(document):
    return document["samplings"][0]


class Timers(harness.Case):
    checked = None  # why there are no such timers here; "": there are

    def setUp(self):
        super().setUp()
        if Timers.checked is None:
            Timers.checked = self.check()
        if Timers.checked:
            self.skipTest(Timers.checked)

    def check(self):
        run = self.path("try.slotwise")
        done = self.slotwise("profile", "--timers", "cpu", *NOWHERE, "-o", run, "--", "true",
                             status=None)
        if done.returncode == harness.CANNOT:
            return f"no timers of CPUs here: {done.stderr.strip().splitlines()[-1]}"
        self.assertEqual(done.returncode, 0, done.stderr)
        return "" if "timers" in sampling(self.load(run)) else "the CPU clock is not sampled here"

    def measure(self, *command, options=("--timers", "cpu"), name="run"):
        document, run = self.profile(*command, options=[*NOWHERE, *options], name=name)
        return document, self.tasks(run)

    def tasks(self, run):
        """How many samples each task has, by (pid, tid), as perf reads them."""
        self.need("perf")
        out = peers.perf("script", "-f", "-i", os.path.join(run, "perf.data"), "-F", "pid,tid").stdout
        return collections.Counter(tuple(map(int, line.split("/"))) for line in out.split())

    def busy(self):
        """Somebody else on every CPU, for as long as the test runs."""
        for cpu in os.sched_getaffinity(0):
            process = subprocess.Popen([harness.CLIENT, "spin", "60000"], start_new_session=True,
                                       preexec_fn=lambda cpu=cpu: os.sched_setaffinity(0, {cpu}))
            self.addCleanup(harness.end_group, process)

    def clock_ns(self, document):
        return next(c["raw"] for c in document["counts"] if c["event"] == "task-clock")


class Agreement(Timers):
    def test_weights_are_the_cpu_time(self):
        """By both kinds of timers. A machine that is itself scheduled loses ticks of both."""
        for kind in ("cpu", "task"):
            document, tasks = self.measure(harness.CLIENT, "forks", "500", name=kind,
                                           options=("--timers", kind))
            found, clock = sampling(document), self.clock_ns(document)
            self.assertEqual(found["timers"], kind)
            self.assertNotIn("timers_reason", found)
            self.assertEqual(found["samples"], sum(tasks.values()))
            # 1500 samples, each there or not by chance: six standard deviations are 230.
            self.assertLess(found["weight"], clock * 1.16, kind)
            self.assertGreater(found["weight"], clock * 0.7, kind)

    def test_nobody_elses_samples(self):
        self.busy()
        document, tasks = self.measure(harness.CLIENT, "spin", "400")
        self.assertEqual({pid for pid, _ in tasks}, {document["command"]["pid"]})
        self.assertGreater(sum(tasks.values()), 200)
        self.assertLess(sampling(document)["weight"], self.clock_ns(document) * 1.35)

    def test_perf_and_we_agree_by_both(self):
        for kind in ("cpu", "task"):
            _, run = self.profile(harness.CLIENT, "threads", "150", name=kind,
                                  options=["--timers", kind])
            totals = peers.report(os.path.join(run, "perf.data"), "comm")
            found = sampling(self.load(run))
            # A thread that is nearly gone has no number any more, and to perf no name: ":-1".
            self.assertLessEqual(set(totals), {(NAME,), (peers.NAMELESS,)}, kind)
            self.assertEqual((sum(t.samples for t in totals.values()),
                              sum(t.weight for t in totals.values())),
                             (found["samples"], found["weight"]), kind)
            self.assertGreater(totals[(NAME,)].samples, 0.98 * found["samples"], kind)

    def test_threads_that_end_all_the_time(self):
        """What is sampled of a thread that has given back its number is still its process's."""
        document, tasks = self.measure(harness.CLIENT, "brief", "20000")
        pid = document["command"]["pid"]
        self.assertEqual({p for p, _ in tasks}, {pid})
        self.assertGreater(tasks[(pid, -1)], 0)
        names = {line.split(";")[0] for line in
                 self.slotwise("export", self.path("run.slotwise"), "-f", "folded").stdout.splitlines()}
        self.assertEqual(names, {NAME})


class Followed(Timers):
    def test_threads(self):
        document, tasks = self.measure(harness.CLIENT, "threads", "200")
        pid = document["command"]["pid"]
        self.assertEqual({p for p, _ in tasks}, {pid})
        self.assertGreaterEqual(len([t for t, n in tasks.items() if n > 60 and t[1] != pid]), 4)

    def test_children(self):
        document, tasks = self.measure(harness.CLIENT, "forks", "200")
        children = [pid for (pid, _), n in tasks.items() if n > 60]
        self.assertEqual(len(children), 3)
        self.assertNotIn(document["command"]["pid"], children)

    def test_a_daemon(self):
        """Its parent has ended, and its session is its own; the command is still there."""
        _, tasks = self.measure("sh", "-c", f"'{harness.CLIENT}' daemon 300; sleep 2")
        self.assertGreater(max(tasks.values()), 100)

    def test_exec_by_another_thread_than_the_first(self):
        """Which takes over the first one's number."""
        python = self.need("python3")
        code = ("import os, sys, threading\n"
                "t = threading.Thread(target=os.execv, args=(sys.argv[1], sys.argv[1:]))\n"
                "t.start(); t.join()")
        document, tasks = self.measure(python, "-c", code, harness.CLIENT, "spin", "300")
        pid = document["command"]["pid"]
        self.assertGreater(tasks[(pid, pid)], 150)

    def test_a_running_process_and_what_it_starts(self):
        process = subprocess.Popen(["sh", "-c", f"read word; '{harness.CLIENT}' forks 200"],
                                   stdin=subprocess.PIPE, start_new_session=True)
        self.addCleanup(harness.end_group, process)
        self.addCleanup(process.stdin.close)
        self.busy()
        run = self.path("run.slotwise")
        profile = self.start("profile", "--timers", "cpu", *NOWHERE, "--keep-raw", "-o", run, "-p",
                             process.pid)
        spool = os.path.join(run, "perf.data")  # begun when all is in place
        harness.wait_until(lambda: os.path.exists(spool) and os.path.getsize(spool) > 0)
        process.stdin.write(b"go\n")
        process.stdin.flush()
        self.finish(profile)
        tasks = self.tasks(run)
        self.assertEqual(len([t for t, n in tasks.items() if n > 60]), 3)
        theirs = {pid for pid, _ in tasks}
        self.assertLessEqual(len(theirs), 5)  # the shell, the client and its children

    def test_numbers_of_a_pid_namespace(self):
        """Where the client's number is another one than the kernel's own, and was somebody else's."""
        self.need("unshare")
        self.busy()
        run = self.path("inner.slotwise")
        done = subprocess.run(
            ["unshare", "--pid", "--fork", "--mount-proc", harness.SLOTWISE, "profile", "--timers",
             "cpu", *NOWHERE, "--keep-raw", "-o", run, "--", harness.CLIENT, "spin", "300"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        if done.returncode and b"unshare" in done.stderr:
            self.skipTest(done.stderr.decode(errors="replace").strip())
        self.assertEqual(done.returncode, 0, done.stderr)
        tasks, pid = self.tasks(run), self.load(run)["command"]["pid"]
        self.assertLess(pid, 100)
        self.assertEqual(set(tasks), {(pid, pid)})
        self.assertGreater(tasks[(pid, pid)], 150)

    def test_a_control_group(self):
        group = cgroups.Group(self)
        self.busy()
        inside = subprocess.Popen([harness.CLIENT, "spin", "60000"], preexec_fn=group.enter,
                                  start_new_session=True)
        self.addCleanup(harness.end_group, inside)
        run = self.path("group.slotwise")
        self.slotwise("profile", "--timers", "cpu", *NOWHERE, "--keep-raw", "-o", run, "--duration",
                      "500ms", "--cgroup", group.name)
        document, tasks = self.load(run), self.tasks(run)
        self.assertEqual(set(tasks), {(inside.pid, inside.pid)})
        self.assertLess(sampling(document)["weight"], 600e6)

    def test_only_what_is_measured(self):
        document, _ = self.measure(harness.CLIENT, "spin", "1500",
                                   options=("--delay", "500ms", "--duration", "400ms"))
        found, clock = sampling(document), self.clock_ns(document)
        self.assertEqual(found["timers"], "cpu")
        self.assertLess(found["weight"], clock * 1.5 + 20e6)
        self.assertGreater(found["samples"], 0)


class StandIn(Timers):
    def test_many_interruptions(self):
        document, _ = self.measure(harness.CLIENT, "spin", "100", options=("-F", "50000"))
        self.assertEqual(sampling(document)["timers"], "task")
        self.assertRegex(sampling(document)["timers_reason"], r"interrupted \d+ times a second")
        done = self.slotwise("profile", "--timers", "cpu", "-F", "50000", "--", "true",
                             status=harness.CANNOT)
        self.assertIn("times a second", done.stderr)

    def test_counters_with_every_sample(self):
        document, _ = self.measure(harness.CLIENT, "spin", "100", options=("--per-function",))
        self.assertEqual(sampling(document)["timers"], "task")
        self.assertIn("counters", sampling(document)["timers_reason"])

    def test_without_privileges(self):
        self.need_root("another user has to be become")
        user = pwd.getpwnam("nobody")
        program, client, out = self.path("slotwise"), self.path("client"), self.path("out")
        shutil.copy(harness.SLOTWISE, program)
        shutil.copy(harness.CLIENT, client)
        os.mkdir(out)
        os.chown(out, user.pw_uid, user.pw_gid)

        def run(*args):
            return subprocess.run([program, "profile", *NOWHERE, *args, "--", client, "spin", "200"],
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=60, cwd=out,
                                  user=user.pw_uid, group=user.pw_gid, extra_groups=[], check=False)
        done = run("-o", os.path.join(out, "run.slotwise"))
        self.assertEqual(done.returncode, 0, done.stderr)
        document = self.load(os.path.join(out, "run.slotwise"))
        if document["samplings"]:
            self.assertEqual(sampling(document)["timers"], "task")
            self.assertIn("refuses", sampling(document)["timers_reason"])
            self.assertGreater(sampling(document)["samples"], 50)
        done = run("-o", os.path.join(out, "asked.slotwise"), "--timers", "cpu")
        self.assertEqual(done.returncode, harness.CANNOT, done.stderr)
        self.assertIn(b"BPF", done.stderr)


if __name__ == "__main__":
    harness.main()
