# SPDX-License-Identifier: MIT
"""Requests of clients whose TLS library nothing preloaded can stand in front of: its functions are
looked at by BPF, and the counts are the server's own."""
import subprocess

import harness
import test_socket
import test_wire
import test_wire_node
from test_wire import SYSTEM_PYTHON

INSIDE = ("the client has a TLS library inside of its executable",
          "the client is Node, whose TLS works in memory")  # Debian's is linked with it


class Redis(test_socket.TappedRedis):
    tls = True
    options = ("--tls", "--insecure")

    def node(self, text):
        program = self.path("load.js")
        with open(program, "w", encoding="ascii") as f:
            f.write(text.replace("PORT", str(self.port)))
        return [self.need("node"), program]

    def test_pipeline_of_16(self):
        self.benchmark("-P", "16", "-n", "16000", flushes=2001)

    def test_a_library_that_is_loaded_later(self):
        document = self.check(SYSTEM_PYTHON, self.python(
            f"import redis\nr = redis.Redis(port={self.port}, ssl=True, ssl_cert_reqs=None)\n"
            "for i in range(300): r.set(i, 'x' * i * 100)\n"
            "p = r.pipeline(transaction=False)\n"
            "for i in range(1000): p.get(i)\n"
            "assert len(p.execute()) == 1000\n"))
        self.assertEqual(document["requests"], 1300)

    def test_sessions_in_memory(self):
        document = self.check(SYSTEM_PYTHON, self.python(
            "import asyncio, redis.asyncio as redis\n"
            "async def work(i):\n"
            f"    r = redis.Redis(port={self.port}, ssl=True, ssl_cert_reqs=None)\n"
            "    for k in range(50): await r.set(k, 'x' * k * i)\n"
            "    await r.close()\n"
            "async def main(): await asyncio.gather(*(work(i) for i in range(8)))\n"
            "asyncio.run(main())\n"))
        self.assertEqual(document["requests"], 400)
        self.assertEqual(self.total(document, "connections", "Redis"), 8)

    NODE = """
const tls = require('tls'), ping = '*1\\r\\n$4\\r\\nPING\\r\\n';
for (let k = 0; k < 4; k++) {
    let bytes = 0, sent = 0;
    const s = tls.connect({port: PORT, host: '127.0.0.1', rejectUnauthorized: false},
                          () => { s.write(ping); sent = 1; });
    s.on('data', (d) => {
        for (bytes += d.length; bytes >= 7; bytes -= 7)
            if (sent < 100) { s.write(ping); sent++; } else s.end();
    });
}
"""

    def test_inside_of_the_client(self):
        """Without a word about the route."""
        document = self.check(*self.node(self.NODE), options=())
        self.assertEqual(document["requests"], 400)
        self.assertEqual(self.total(document, "connections", "Redis"), 4)
        self.assertEqual(self.total(document, "latency_count", "Redis"), 400)
        told = " ".join(n["text"] for n in document["notes"])
        self.assertTrue(any(reason in told for reason in INSIDE), told)

    def test_gnutls(self):
        """GnuTLS through its C API, answers and requests of several to a flush."""
        try:
            subprocess.run([SYSTEM_PYTHON, "-c", "import ctypes; ctypes.CDLL('libgnutls.so.30')"],
                           check=True, capture_output=True)
        except subprocess.CalledProcessError:
            self.missing("no libgnutls.so.30")
        document = self.check(SYSTEM_PYTHON, self.python(
            "import ctypes, socket\n"
            "g = ctypes.CDLL('libgnutls.so.30')\n"
            "for f in (g.gnutls_record_send, g.gnutls_record_recv):\n"
            "    f.restype = ctypes.c_ssize_t\n"
            "    f.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]\n"
            "credentials, session = ctypes.c_void_p(), ctypes.c_void_p()\n"
            "g.gnutls_certificate_allocate_credentials(ctypes.byref(credentials))\n"
            "g.gnutls_init(ctypes.byref(session), 2)\n"
            "g.gnutls_set_default_priority(session)\n"
            "g.gnutls_credentials_set(session, 1, credentials)\n"
            f"s = socket.create_connection(('127.0.0.1', {self.port}))\n"
            "s.settimeout(None)\n"
            "g.gnutls_transport_set_int2(session, s.fileno(), s.fileno())\n"
            "assert g.gnutls_handshake(session) == 0\n"
            "to = ctypes.create_string_buffer(4096)\n"
            "for i in range(100):\n"
            "    text = b'*1\\r\\n$4\\r\\nPING\\r\\n' * (1 + i % 3)\n"
            "    assert g.gnutls_record_send(session, text, len(text)) == len(text)\n"
            "    got = 0\n"
            "    while got < 7 * (1 + i % 3):\n"
            "        n = g.gnutls_record_recv(session, to, 4096)\n"
            "        assert n > 0 or n == -28, n\n"
            "        got += max(n, 0)\n"
            "g.gnutls_bye(session, 1)\n"), flushes=100)
        self.assertEqual(document["requests"], 199)

    def test_attached_to_a_session_that_was_there(self):
        document = self.attach([SYSTEM_PYTHON], self.path("client.py"))
        self.assertEqual(document["requests"], 50)

    def attach(self, program, *words, name="attached"):
        with open(words[0], "w", encoding="ascii") as f:
            f.write("import socket, ssl, sys\n"
                    "c = ssl.create_default_context()\n"
                    "c.check_hostname, c.verify_mode = False, ssl.CERT_NONE\n"
                    f"s = c.wrap_socket(socket.create_connection(('127.0.0.1', {self.port})))\n"
                    "def ping(n):\n"
                    "    for _ in range(n):\n"
                    "        s.sendall(b'*1\\r\\n$4\\r\\nPING\\r\\n')\n"
                    "        assert s.recv(100) == b'+PONG\\r\\n'\n"
                    "ping(10)\n"
                    "print('ready', flush=True)\n"
                    "sys.stdin.readline()\n"
                    "ping(50)\n")
        return super().attach(program, *words, name=name)


class ByBpf(test_wire_node.Node):
    """The drivers of Node.js, with whatever they do without TLS, and no word about the route."""
    tls = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        test_socket.skip_without_bpf(cls)

    def followed(self, document, *words, **kw):
        super().followed(document, *words, **kw)
        self.assertIn("wire-bpf", self.notes(document))


class Postgresql(ByBpf, test_wire_node.Postgresql):
    pass


class Ioredis(ByBpf, test_wire_node.Redis):
    options = ("--tls", "--insecure")


class Mariadb(ByBpf, test_wire_node.Mariadb):
    pass


if __name__ == "__main__":
    harness.main()
