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

    GNUTLS = r"""
#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>

/* Of gnutls/gnutls.h: its library is everywhere, its headers are not. */
enum { CLIENT = 2, CERTIFICATE = 1, SHUT_WRITE = 1, AGAIN = -28, INTERRUPTED = -52 };
struct range {
    size_t low, high;
};
int gnutls_init(void **session, unsigned flags);
int gnutls_certificate_allocate_credentials(void **credentials);
int gnutls_set_default_priority(void *session);
int gnutls_credentials_set(void *session, int type, void *credentials);
void gnutls_transport_set_int2(void *session, int from, int to);
int gnutls_handshake(void *session);
int gnutls_error_is_fatal(int error);
ssize_t gnutls_record_send(void *session, const void *from, size_t size);
ssize_t gnutls_record_send_range(void *session, const void *from, size_t size, const struct range *range);
ssize_t gnutls_record_recv(void *session, void *to, size_t size);
int gnutls_bye(void *session, int how);
void gnutls_deinit(void *session);

static const char ping[] = "*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n";

int main(int argc, char **argv)
{
    void *credentials, *s;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char answer[4096];
    int fd = socket(AF_INET, SOCK_STREAM, 0), rc;

    to.sin_port = htons((unsigned short)atoi(argv[1]));
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) || gnutls_init(&s, CLIENT) ||
        gnutls_certificate_allocate_credentials(&credentials) || gnutls_set_default_priority(s) ||
        gnutls_credentials_set(s, CERTIFICATE, credentials))
        return 1;
    gnutls_transport_set_int2(s, fd, fd);
    while ((rc = gnutls_handshake(s)) < 0)
        if (gnutls_error_is_fatal(rc))
            return 2;
    for (int i = 0; i < 100; i++) {
        size_t requests = 1 + (size_t)i % 3, got = 0;

        if (gnutls_record_send(s, ping, 14 * requests) != (ssize_t)(14 * requests))
            return 3;
        while (got < 7 * requests) {
            /* Less than there is: the rest comes out of the library without a look at the socket. */
            ssize_t n = argc > 2 ? gnutls_record_recv(s, answer, sizeof(answer))
                                 : gnutls_record_recv(s, answer, 3);
            if (n > 0)
                got += (size_t)n;
            else if (n != AGAIN && n != INTERRUPTED)
                return 4;
        }
    }
    if (argc > 2 && gnutls_record_send_range(s, ping, 14, &(struct range){14, 14}) != 14)
        return 5;
    gnutls_bye(s, SHUT_WRITE);
    gnutls_deinit(s);
    return close(fd);
}
"""

    def gnutls(self):
        source, program = self.path("client.c"), self.path("client")
        with open(source, "w", encoding="ascii") as f:
            f.write(self.GNUTLS)
        if subprocess.run([os.environ.get("SLW_CC", "cc"), "-o", program, source, "-l:libgnutls.so.30"],
                          capture_output=True, check=False).returncode != 0:
            self.missing("no libgnutls.so.30")
        return program

    def test_gnutls(self):
        document = self.check(self.gnutls(), self.port, flushes=100)
        self.assertEqual(document["requests"], 199)
        self.assertEqual(self.total(document, "latency_count", "Redis"), 199)

    def test_gnutls_by_a_function_that_is_not_looked_at(self):
        document = self.tap(self.gnutls(), self.port, "range")
        self.assertRegex(document["requests"]["absent"], "unseen|not be followed")
        self.assertIn("wire-lost", self.notes(document))

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
