# SPDX-License-Identifier: MIT
"""The database drivers against real servers: what driver.h promises (tests/conformance/test_drivers),
and on bad days: refused, locked out, the table gone, the server killed while requests are under way
and started again. What was acknowledged has to be there, what was not asked for may not.

SQLite needs no server: its bad days are with the workloads'."""
import os
import signal
import socket
import subprocess

import harness

BUILD = os.environ.get("SLW_BUILD_DIR", os.path.join(harness.ROOT, "build"))
CLIENT = os.path.join(BUILD, "tests/system/system_driver_client")
CONFORMANCE = os.path.join(BUILD, "tests/test_drivers")
ENOUGH = 2000  # requests that are answered before the server is killed


class Server:
    """What every driver of a server is put through; one server for all of it."""
    driver = kind = settings = None
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.folder, cls.port = harness.start_server(cls, cls.kind, *cls.options)
        cls.where = f"127.0.0.1:{cls.port}"
        cls.prepare()

    @classmethod
    def prepare(cls):
        pass

    # -- the client -----------------------------------------------------------------------------
    def client(self, *args, where=None, settings=None):
        done = subprocess.run(
            [CLIENT, self.driver, where or self.where,
             self.settings if settings is None else settings, *args],
            capture_output=True, text=True, timeout=60)
        if done.returncode == 77:
            self.missing(done.stderr.strip())
        self.assertEqual(done.returncode, 0, done)
        return done.stdout.splitlines()

    def spawn(self, *args):
        process = subprocess.Popen(
            [CLIENT, self.driver, self.where, self.settings, *args], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.addCleanup(harness.end_group, process)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stdin.close)
        return process

    def expect_error(self, lines, code, *words):
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[0].startswith(f"ERROR {code} "), lines)
        self.assertRegex(lines[0], r"\| \S", "no hint")
        for word in words:
            self.assertIn(word, lines[0])

    # -- the server -----------------------------------------------------------------------------
    def restart(self):
        """End it as a crash would, start it again as it was."""
        harness.CrashedServer(self.folder).start_again(self)
        harness.wait_until(lambda: self.client("open") == ["OPENED"], 60, "server")

    # -- the cases, in the order of their names: those that do harm come last ----------------------
    def test_1_conformance(self):
        # Thousands of commits, of which none has to outlive anything: not synced, if that can be.
        settings = self.relax()
        environment = dict(os.environ, SLW_DRIVER=self.driver, SLW_DRIVER_WHERE=self.where,
                           SLW_DRIVER_SETTINGS=settings)
        done = subprocess.run([CONFORMANCE], env=environment, capture_output=True, text=True,
                              timeout=120)
        if done.returncode == 77:
            self.missing(done.stdout.strip())
        told = [line for line in (done.stdout + done.stderr).splitlines()
                if " OK " not in line and " RUN " not in line and "SKIPPED" not in line]
        self.assertEqual(done.returncode, 0, "\n".join(told))
        self.assertRegex(done.stdout, rf"durability: .*{self.relaxed}")

    def test_2_nobody_answers(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))  # and does not listen
            self.expect_error(self.client("open", where="127.0.0.1:%d" % s.getsockname()[1]),
                              "GONE", "--connect")
        self.expect_error(self.client("open", where=self.path("no-socket")), "GONE")
        for bad in ("127.0.0.1:0", "127.0.0.1:99999", "[::1", ":", "a b"):
            self.expect_error(self.client("open", where=bad), "INVAL")

    def test_3_locked_out(self):
        self.expect_error(self.client("open", settings=self.wrong_password()), "PERM", "--password")

    def test_4_table_is_missing(self):
        self.assertEqual(self.client("create"), ["OPENED"])
        self.drop_table()
        process = self.spawn("missing")
        before = self.read_until(process, "ready")
        self.assertEqual(self.client("create"), ["OPENED"])
        process.stdin.write("\n")
        process.stdin.flush()
        after = process.stdout.read().splitlines()
        self.assertEqual(process.wait(30), 0)
        self.assertEqual([line.split()[0] for line in before[1:]], ["REJECTED"] * 8)
        for line in before[1:]:
            self.assertIn("slotwise_client", line)
        self.assertEqual([line.split()[0] for line in after], ["DONE"] * 8, after)
        # And when it goes while statements are prepared for it.
        process = self.spawn("missing")
        before = self.read_until(process, "ready")
        self.assertEqual([line.split()[0] for line in before[1:]], ["DONE"] * 8, before)
        self.drop_table()
        process.stdin.write("\n")
        process.stdin.flush()
        after = process.stdout.read().splitlines()
        self.assertEqual([line.split()[0] for line in after], ["REJECTED"] * 8, after)

    def read_until(self, process, word):
        lines = []
        for line in process.stdout:
            if line.strip() == word:
                return lines
            lines.append(line.strip())
        self.fail(f"no {word}: {lines}")
        return lines

    def fill_hundred(self, how):
        """{id: outcome} of 100 inserts in one call into an empty table, and what is stored."""
        answers = {}
        for line in self.client("fill", how, "100"):
            self.note(line, answers)
        self.assertEqual(set(answers), set(range(1, 101)))
        return answers, set(map(int, self.client("list")[1:]))

    def test_5_server_refuses_one(self):
        """The server is made to fail row 50: the others are not touched, or none is there."""
        for n, (code, outcome) in enumerate(self.refusals.items()):
            for how in ("none", "pipeline", "statement", "transaction") if n == 0 else ("pipeline",):
                with self.subTest(code=code, how=how):
                    self.assertEqual(self.client("create"), ["OPENED"])
                    self.refuse_row(50, code)
                    answers, stored = self.fill_hundred(how)
                    alone = how in ("none", "pipeline")
                    for i, answer in answers.items():
                        self.assertEqual(answer, "DONE" if alone and i != 50 else outcome)
                    self.assertEqual(stored, set(range(1, 101)) - {50} if alone else set())

    def test_6_server_is_killed(self):
        for how in (("submit", "-"), ("fill", "pipeline"), ("fill", "statement"),
                    ("fill", "transaction")):
            with self.subTest(how=how):
                self.one_crash(how)

    def one_crash(self, how):
        self.assertIn(self.durable, self.client("durability")[1])
        self.assertEqual(self.client("create"), ["OPENED"])
        process = self.spawn(*how, "10000000")
        answers = {}
        for line in process.stdout:
            self.note(line, answers)
            if len(answers) == ENOUGH:
                self.restart()
        self.assertEqual(process.wait(30), 0)
        lost = {i for i, outcome in answers.items() if outcome == "LOST"}
        done = {i for i, outcome in answers.items() if outcome == "DONE"}
        self.assertEqual(set(answers), set(range(1, len(answers) + 1)), "one answer each")
        self.assertEqual(lost | done, set(answers))
        self.assertGreaterEqual(len(done), ENOUGH)
        stored = self.client("list")[1:]
        self.assertEqual(len(stored), len(set(stored)), "stored twice")
        stored = set(map(int, stored))
        self.assertLessEqual(done, stored, "acknowledged and not there")
        self.assertLessEqual(stored - done, lost, "there and neither acknowledged nor lost")

    def note(self, line, answers):
        word, *rest = line.split()
        if word == "OPEN":
            self.assertEqual(rest, ["0"], "requests that were never answered")
        elif word == "ERROR":
            self.assertEqual(rest[0], "GONE", line)
        elif word != "OPENED":
            self.assertNotIn(int(rest[0]), answers, "answered twice")
            answers[int(rest[0])] = word


class Postgres(Server, harness.Case):
    driver, kind, settings = "postgres", "postgresql", "user=slotwise,database=postgres"
    durable, relaxed = "synchronous_commit=on", "synchronous_commit=off"

    refusals = {"40001": "TRANSIENT", "40P01": "TRANSIENT", "55P03": "TRANSIENT",
                "53100": "TRANSIENT", "57014": "TRANSIENT", "23514": "REJECTED",
                "22001": "REJECTED"}

    def relax(self):
        return self.settings + ",durable=off"

    def psql(self, sql):
        subprocess.run([self.need("psql"), "-h", "127.0.0.1", "-p", self.port, "-U", "slotwise",
                        "-q", "-c", sql, "postgres"], check=True, timeout=30, stdout=subprocess.DEVNULL)

    def drop_table(self):
        self.psql("DROP TABLE slotwise_client")

    def refuse_row(self, row, code):
        self.psql(f"""CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN IF NEW.id = {row} THEN RAISE EXCEPTION 'made' USING ERRCODE = '{code}'; END IF;
            RETURN NEW; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON slotwise_client FOR EACH ROW
            EXECUTE FUNCTION refuse()""")

    def wrong_password(self):
        path = os.path.join(self.folder, "data/pg_hba.conf")
        rules = harness.read_bytes(path)
        with open(path, "wb") as f:
            f.write(b"host all locked 127.0.0.1/32 scram-sha-256\n" + rules)
        self.psql("SELECT pg_reload_conf()")
        return "user=locked,password=wrong,database=postgres"

    def test_3_other_ways_in(self):
        socket_folder = os.path.join(self.folder, "socket")
        for where in (socket_folder + "/.s.PGSQL." + self.port,
                      f"host={socket_folder} port={self.port}",
                      f"postgresql://127.0.0.1:{self.port}/postgres"):
            self.assertEqual(self.client("open", where=where), ["OPENED"])
        self.expect_error(self.client("open", where="host=127.0.0.1 nonsense=1"), "INVAL")
        self.expect_error(self.client("open", settings="user=slotwise,database=none"), "PERM")


class Redis(Server, harness.Case):
    driver, kind, settings = "redis", "redis", ""
    # With a title of its own its command line would be gone.
    options = ("--appendonly", "yes", "--appendfsync", "always", "--set-proc-title", "no")
    durable, relaxed = "appendfsync=always", "appendfsync=everysec"

    def relax(self):
        self.cli("CONFIG", "SET", "appendfsync", "everysec")
        self.addCleanup(self.cli, "CONFIG", "SET", "appendfsync", "always")
        return self.settings

    def cli(self, *args):
        subprocess.run([self.need("redis-cli"), "-h", "127.0.0.1", "-p", self.port, *args],
                       check=True, timeout=30, stdout=subprocess.DEVNULL)

    def wrong_password(self):
        self.cli("CONFIG", "SET", "requirepass", "right")
        self.addCleanup(self.cli, "-a", "right", "--no-auth-warning", "CONFIG", "SET", "requirepass",
                        "")
        self.expect_error(self.client("open"), "PERM")
        self.assertEqual(self.client("open", settings="password=right"), ["OPENED"])
        return "password=wrong"

    test_4_table_is_missing = None  # it has no tables

    def test_5_server_refuses_one(self):
        """It has no triggers: all are refused, for want of memory or as in a replica."""
        for name, bad, good in (("maxmemory", "1", "0"), ("min-replicas-to-write", "1", "0")):
            for how in ("none", "pipeline", "statement", "transaction"):
                with self.subTest(name=name, how=how):
                    self.assertEqual(self.client("create"), ["OPENED"])
                    self.cli("CONFIG", "SET", name, bad)
                    try:
                        answers, stored = self.fill_hundred(how)
                    finally:
                        self.cli("CONFIG", "SET", name, good)
                    self.assertEqual(set(answers.values()), {"TRANSIENT"})
                    self.assertEqual(stored, set())


class MariaDB(Server, harness.Case):
    driver, kind, settings = "mariadb", "mariadb", "user=root"
    durable, relaxed = "innodb_flush_log_at_trx_commit=1", "innodb_flush_log_at_trx_commit=2"

    refusals = {1213: "TRANSIENT", 1205: "TRANSIENT", 1021: "TRANSIENT", 1290: "TRANSIENT",
                1644: "REJECTED", 1406: "REJECTED"}

    @classmethod
    def mariadb(cls, sql, *options):
        subprocess.run(["mariadb", "-h", "127.0.0.1", "-P", cls.port, "-u", "root", *options, "-e",
                        sql], check=True, timeout=30)

    @classmethod
    def prepare(cls):
        cls.mariadb("CREATE DATABASE test")

    def relax(self):
        self.mariadb("SET GLOBAL innodb_flush_log_at_trx_commit=2")
        self.addCleanup(self.mariadb, "SET GLOBAL innodb_flush_log_at_trx_commit=1")
        return self.settings

    def drop_table(self):
        self.mariadb("DROP TABLE test.slotwise_client")

    def refuse_row(self, row, code):
        self.mariadb(f"""CREATE TRIGGER test.refuse BEFORE INSERT ON test.slotwise_client
            FOR EACH ROW IF NEW.id = {row} THEN SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = {code},
            MESSAGE_TEXT = 'made'; END IF""", "--delimiter=//")

    def wrong_password(self):
        self.expect_error(self.client("open", settings="user=root,database=none"), "PERM",
                          "--database")
        self.assertEqual(self.client("open", where=os.path.join(self.folder, "socket")), ["OPENED"])
        return "user=root,password=wrong"


if __name__ == "__main__":
    harness.main()
