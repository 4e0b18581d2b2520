# SPDX-License-Identifier: MIT
"""The same counts when the connections are encrypted: seen where the client hands its plain text to
OpenSSL, and told to be missing where that is inside of the client."""
import os
import subprocess

import harness
import test_wire


class Redis(test_wire.RedisServer):
    tls = True
    options = ("--tls", "--insecure")

    def test_pipeline_of_16(self):
        document = self.benchmark("-P", "16", "-n", "32000", flushes=4001)
        self.assertEqual(max(c["max_batch"] for c in document["connections"]), 16)
        self.assertRegex(self.report, r"batch factor +16\.0 requests per flush")

    def test_one_request_per_flush_and_threads(self):
        self.benchmark("-P", "1", "-n", "4000", "--threads", "2", flushes=8001)

    def test_redis_cli(self):
        document = self.check("redis-cli", "-p", self.port, *self.options, "-r", "50", "get", "x",
                              flushes=50)
        # What went over the socket is more than what was said.
        self.assertGreater(self.total(document, "sent_bytes", "Redis"),
                           self.total(document, "flush_bytes", "Redis"))

    def test_python(self):
        document = self.check(test_wire.SYSTEM_PYTHON, self.python(
            f"import redis\nr = redis.Redis(port={self.port}, ssl=True, ssl_cert_reqs=None)\n"
            "for i in range(300): r.set(i, 'x' * i * 100)\n"
            "p = r.pipeline(transaction=False)\n"
            "for i in range(1000): p.get(i)\n"
            "assert len(p.execute()) == 1000\n"))
        self.assertEqual(document["requests"], 1300)

    def test_sessions_in_memory(self):
        """asyncio encrypts in memory and sends the result itself; several at the same time."""
        document = self.check(test_wire.SYSTEM_PYTHON, self.python(
            "import asyncio, redis.asyncio as redis\n"
            "async def work(i):\n"
            f"    r = redis.Redis(port={self.port}, ssl=True, ssl_cert_reqs=None)\n"
            "    for k in range(100): await r.set(k, 'x' * k * i)\n"
            "    await r.close()\n"
            "async def main(): await asyncio.gather(*(work(i) for i in range(8)))\n"
            "asyncio.run(main())\n"))
        self.assertEqual(document["requests"], 800)
        self.assertEqual(self.total(document, "connections", "Redis"), 8)

    def test_openssl_inside_of_the_client(self):
        """The library sees nothing of it, and says so; BPF does: test_socket_tls."""
        node = self.need("node")
        program = self.path("load.js")
        with open(program, "w", encoding="ascii") as f:
            f.write("const s = require('tls').connect({port: %s, host: '127.0.0.1', "
                    "rejectUnauthorized: false}, () => s.write('*1\\r\\n$4\\r\\nPING\\r\\n'));\n"
                    "s.on('data', (d) => { console.log(String(d).trim()); s.end(); });\n" % self.port)
        document = self.tap(node, program, options=("--wire", "preload"))
        self.assertRegex(document["requests"]["absent"], r"encrypted \(TLS\)")
        self.assertEqual([c["lost"] for c in document["connections"]], [1])
        self.assertNotIn("REQUESTS", self.report.split("not counted")[0])
        self.assertEqual(subprocess.run([node, program], capture_output=True, text=True, timeout=60,
                                        check=True).stdout, "+PONG\n")


class Postgresql(test_wire.Postgresql):
    tls = True

    @classmethod
    def setUpClass(cls):
        os.environ["PGSSLMODE"] = "require"
        cls.addClassCleanup(os.environ.pop, "PGSSLMODE")
        super().setUpClass()


class Mariadb(test_wire.Mariadb):
    tls = True


if __name__ == "__main__":
    harness.main()
