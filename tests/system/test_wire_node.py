# SPDX-License-Identifier: MIT
"""Clients in another language, with a network layer of their own: the drivers of Node.js."""
import os

import harness
import test_wire

MODULES = os.path.join(harness.ROOT, "tests", "clients", "node_modules")


class Node(test_wire.Wire):
    def encrypted(self):
        """The drivers' options for a connection with TLS to a server nobody vouches for, or none."""
        return "{rejectUnauthorized: false}" if self.tls else "undefined"

    def tap(self, *command, options=(), **kw):
        """Without TLS by the library, which is not what is chosen for Node; test_socket_tls takes that."""
        return super().tap(*command, options=options if self.tls else ("--wire", "preload"), **kw)

    def client(self, text, driver):
        """A program that requires a driver: the command that runs it."""
        node = self.need("node")
        if not os.path.isdir(os.path.join(MODULES, driver)):
            self.missing(f"no {driver} (npm ci in tests/clients)")
        program = self.path("load.js")
        with open(program, "w", encoding="ascii") as f:
            f.write(f"const driver = require('{MODULES}/{driver}');\n"
                    f"async function main() {{\n{text}}}\n"
                    "main().catch((e) => { console.error(e); process.exit(1); });\n")
        return [node, program]


class Postgresql(Node, test_wire.PostgresqlServer):
    def test_pg(self):
        document = self.check(*self.client(f"""
    const c = new driver.Client({{host: '127.0.0.1', port: {self.port}, user: 'slotwise',
                                 database: 'postgres', ssl: {self.encrypted()}}});
    await c.connect();
    for (let i = 0; i < 200; i++) await c.query('select ' + i);
    for (let i = 0; i < 200; i++) await c.query('select $1::int', [i]);
    for (let i = 0; i < 200; i++)
        await c.query({{name: 'named', text: 'select $1::int + 1', values: [i]}});
    await Promise.all(Array.from({{length: 100}}, (_, i) => c.query('select $1::int + 2', [i])));
    await c.end();
""", "pg"), requests=700)
        self.assertEqual(self.total(document, "flushes", "PostgreSQL"), 700)
        self.assertEqual(self.total(document, "prepares", "PostgreSQL"), 200 + 1 + 100)


class Redis(Node, test_wire.RedisServer):
    def test_ioredis(self):
        document = self.check(*self.client(f"""
    const r = new driver({{port: {self.port}, host: '127.0.0.1', enableReadyCheck: false,
                          tls: {self.encrypted()}}});
    for (let i = 0; i < 300; i++) await r.set('k' + i, 'x'.repeat(i));
    const p = r.pipeline();
    for (let i = 0; i < 1000; i++) p.get('k' + i % 300);
    if ((await p.exec()).length !== 1000) throw new Error('answers are missing');
    await Promise.all(Array.from({{length: 500}}, (_, i) => r.incr('n')));
    await r.quit();
""", "ioredis"))
        self.assertEqual(document["requests"], 300 + 1000 + 500 + 1)


class Mariadb(Node, test_wire.MariadbServer):
    def test_mysql2(self):
        document = self.check(*self.client(f"""
    const c = await require('{MODULES}/mysql2/promise').createConnection(
        {{host: '127.0.0.1', port: {self.port}, user: 'root', ssl: {self.encrypted()}}});
    for (let i = 0; i < 200; i++) await c.query('select ' + i);
    for (let i = 0; i < 300; i++) await c.execute('select ? + 1', [i]);
    await c.end();
""", "mysql2"))
        self.assertEqual(document["requests"], 200 + 300 + 1)
        self.assertEqual(self.total(document, "rows", "MySQL"), 500)


if __name__ == "__main__":
    harness.main()
