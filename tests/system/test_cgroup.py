# SPDX-License-Identifier: MIT
"""A control group as the target: the requests of its processes, also of those they start, are the
server's own count, and their waits are told; what runs outside of it is in no number."""
import os
import subprocess

import cgroups
import harness
import test_socket
from test_wire import SYSTEM_PYTHON

CLIENT = """import os, socket, sys, time
def ping(n):
    s = socket.create_connection(('127.0.0.1', PORT))
    for _ in range(n):
        s.sendall(b'*1\\r\\n$4\\r\\nPING\\r\\n')
        assert s.recv(100) == b'+PONG\\r\\n'
print('ready', flush=True)
sys.stdin.readline()
ping(40)
child = os.fork()
if child == 0:
    ping(25)
    os._exit(0)
os.waitpid(child, 0)
time.sleep(0.2)
"""


class Cgroup(test_socket.TappedRedis):
    def setUp(self):
        super().setUp()
        self.group = cgroups.Group(self)

    def client(self, inside):
        process = subprocess.Popen([SYSTEM_PYTHON, "-c", CLIENT.replace("PORT", self.port)],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   preexec_fn=self.group.enter if inside else None)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process

    def test_requests_and_waits(self):
        inside, outside = self.client(True), self.client(False)
        run, fifo = self.path("group.slotwise"), self.path("control")
        os.mkfifo(fifo)
        control = os.open(fifo, os.O_RDWR)
        self.addCleanup(os.close, control)
        tap = self.start("profile", "--cgroup", self.group.name, "-o", run, "--offcpu", "yes", "--control",
                         fifo, "--start-stopped")
        for _ in range(2):  # when the second one is read, the first is obeyed
            os.write(control, b"start\n")
            harness.wait_until(lambda: test_socket.taken(control), what="slotwise reads the FIFO")
        for process in inside, outside:
            process.stdin.write(b"go\n")
            process.stdin.close()
        self.assertEqual((inside.wait(60), outside.wait(60)), (0, 0))
        os.write(control, b"quit\n")
        self.finish(tap)
        document = self.load(run)
        self.check_route(document)
        self.assertEqual(document["command"]["cgroup"], self.group.name)
        self.assertEqual(document["requests"], 40 + 25)
        self.assertEqual(self.total(document, "responses", "Redis"), 40 + 25)
        self.assertEqual(sum(r["connections"] for r in document["connections"]), 2)
        # What was waited for on a socket is called as its connection is.
        peers = {w["what"] for w in document["waited_for"] if w["state"] == "answer"}
        self.assertEqual(peers, {c["peer"] for c in document["connections"]})
        whole, *threads = document["waiting"]
        self.assertEqual({t["comm"] for t in threads}, {"python3"})
        self.assertEqual(len(threads), 2)
        self.assertGreater(whole["sleep_ns"], 190_000_000)
        self.assertGreater(whole["child_waits"], 0)


if __name__ == "__main__":
    harness.main()
