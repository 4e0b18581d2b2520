# SPDX-License-Identifier: MIT
"""Requests of the DataStax driver, in both versions of the protocol, are what the driver sent by its own
count."""
import json
import shutil
import subprocess

import harness
import test_cql
import test_wire

COUNTED = r"""
from cassandra.connection import Connection
sent, send_msg = {}, Connection.send_msg
def send(self, message, *more, **named):
    kind = type(message).__name__
    sent[kind] = sent.get(kind, 0) + 1
    return send_msg(self, message, *more, **named)
Connection.send_msg = send
"""
TOLD = r"""
import json
cluster.shutdown()
print(json.dumps(sent))
"""
REQUESTS = ("QueryMessage", "PrepareMessage", "ExecuteMessage", "BatchMessage")


class Driver(test_wire.Wire):
    begin = test_cql.Endpoint.begin
    need_lz4 = test_cql.Endpoint.need_lz4

    def run_client(self, version, packing):
        """The run, and how many messages of each kind the driver sent."""
        if subprocess.run([test_wire.SYSTEM_PYTHON, "-c", "import cassandra"], capture_output=True,
                          check=False).returncode != 0:
            self.missing("no python3-cassandra")
        _, port = self.begin()
        program, out = self.path("client.py"), self.path("sent.json")
        with open(program, "w", encoding="utf-8") as f:
            f.write(COUNTED + test_cql.CLIENT + TOLD.replace("print(json.dumps(sent))",
                                                             f"json.dump(sent, open({out!r}, 'w'))"))
        document = self.tap(test_wire.SYSTEM_PYTHON, program, port, version, packing,
                            options=("--wire", "preload"))
        with open(out, encoding="ascii") as f:
            return document, json.load(f)

    def check(self, version):
        document, sent = self.run_client(version, "plain")
        self.followed(document, "CQL", racing=True)
        self.assertEqual(document["requests"], sum(sent.get(kind, 0) for kind in REQUESTS), sent)
        self.assertEqual(self.total(document, "responses", "CQL"), document["requests"])
        self.assertEqual(self.total(document, "prepares", "CQL"), sent["PrepareMessage"])
        self.assertGreater(sent["BatchMessage"], 0)
        # A batch is one request of several statements.
        self.assertGreater(self.total(document, "statements", "CQL"),
                           document["requests"] - sent["PrepareMessage"])

    def test_version_4(self):
        self.check(4)

    def test_version_5(self):
        self.check(5)

    def test_compressed(self):
        """Version 4 compresses what is in a message, version 5 the messages, too."""
        self.need_lz4()
        document, sent = self.run_client(4, "lz4")
        self.followed(document, "CQL", racing=True)
        self.assertEqual(document["requests"], sum(sent.get(kind, 0) for kind in REQUESTS), sent)
        shutil.rmtree(self.run_folder)
        document, _ = self.run_client(5, "lz4")
        self.assertRegex(document["requests"]["absent"], "compressed")


if __name__ == "__main__":
    harness.main()
