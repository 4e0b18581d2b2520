# SPDX-License-Identifier: MIT
"""Requests of memcached clients are the server's own count: the ones of libmemcached, and a script that
uses every kind of command."""
import re
import shutil
import socket

import harness
import test_wire


class Memcached(test_wire.Wire):
    SCRIPT = """
import socket, sys
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
f = s.makefile('rb')
def ask(text, end):
    s.sendall(text)
    while True:
        line = f.readline()
        if line.startswith(b'VALUE'):
            f.read(int(line.split()[3]) + 2)
        if line.startswith(end):
            return
for i in range(300):
    ask(b'set k%d 0 0 10\\r\\n0123456789\\r\\n' % i, b'STORED')
for i in range(200):
    ask(b'get k%d\\r\\n' % i, b'END')
batch = b''.join(b'get k%d\\r\\n' % i for i in range(64))
s.sendall(batch)
for i in range(64):
    while not f.readline().startswith(b'END'):
        pass
for i in range(10):
    s.sendall(b'set q%d 0 0 1 noreply\\r\\nx\\r\\n' % i)
ask(b'touch k1 100\\r\\n', b'TOUCHED')
ask(b'delete k1\\r\\n', b'DELETED')
ask(b'nonsense\\r\\n', b'ERROR')
ask(b'mg k2 v q\\r\\nmg none v q\\r\\nmn\\r\\n', b'MN')
s.sendall(b'quit\\r\\n')
"""

    def stats(self, port):
        with socket.create_connection(("127.0.0.1", int(port))) as s:
            s.sendall(b"stats\r\n")
            text = b""
            while b"END\r\n" not in text:
                text += s.recv(4096)
        return {name: int(value) for name, value in
                re.findall(r"STAT (cmd_\w+) (\d+)", text.decode())}

    def test_memcslap(self):
        """Clients of libmemcached, with threads; and one that speaks the protocol by itself."""
        _, port = self.server("memcached")
        self.need("memcslap")
        at = f"--servers=127.0.0.1:{port}"
        before = 0
        for command in (("memcslap", at, "--test=set", "--concurrency=4", "--execute-number=200"),
                        ("memcslap", at, "--test=get", "--concurrency=2", "--execute-number=100",
                         "--initial-load=50"),
                        (self.need("memcaslap"), at, "-x", "2000", "-T", "2", "-c", "8")):
            with self.subTest(command):
                document = self.tap(*command)
                self.followed(document, "memcached")
                served = sum(self.stats(port).values())
                self.assertEqual(document["requests"], served - before)
                self.assertEqual(self.total(document, "responses", "memcached"), served - before)
                before = served
                shutil.rmtree(self.run_folder)

    def test_counts(self):
        _, port = self.server("memcached")
        program = self.path("load.py")
        with open(program, "w", encoding="ascii") as f:
            f.write(self.SCRIPT)
        document = self.tap(test_wire.SYSTEM_PYTHON, program, port)
        self.followed(document, "memcached")
        stats = self.stats(port)
        known = 1 + 1 + 1  # delete, the one that is no command, and mn, which no counter of it has
        self.assertEqual(document["requests"],
                         stats["cmd_get"] + stats["cmd_set"] + stats["cmd_touch"] + known)
        self.assertEqual(document["requests"], 300 + 200 + 64 + 10 + 1 + 1 + 1 + 3)
        self.assertEqual(max(c["max_batch"] for c in document["connections"]), 64)
        self.assertEqual(self.total(document, "errors", "memcached"), 1)


if __name__ == "__main__":
    harness.main()
