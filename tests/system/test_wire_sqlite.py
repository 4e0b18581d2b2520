# SPDX-License-Identifier: MIT
"""Statements executed by SQLite are what the client executed, and what the database says it changed."""
import os
import subprocess

import harness
import test_wire

ROWS = 200


class Sqlite(test_wire.Wire):
    def check(self, *command, requests, flushes, status=0):
        document = self.tap(*command, status=status)
        self.followed(document, "SQLite")
        self.assertEqual(document["requests"], requests)
        self.assertEqual(self.total(document, "responses", "SQLite"), requests)
        self.assertEqual(self.total(document, "flushes", "SQLite"), flushes)
        self.assertEqual(self.total(document, "batch_count", "SQLite"), flushes)
        return document

    def script(self, *lines):
        name = self.path("script.sql")
        with open(name, "w", encoding="ascii") as f:
            f.write("".join(line + ";\n" for line in lines))
        return name

    def shell(self, *lines, requests, flushes):
        """The sqlite3 program: its own count of changes, and the run."""
        sqlite3 = self.need("sqlite3")
        database = self.path("test.db")
        document = self.check(sqlite3, database, f".read {self.script(*lines)}", requests=requests,
                              flushes=flushes)
        return document, int(subprocess.run([sqlite3, database, "select count(*) from t"], check=True,
                                            capture_output=True, text=True, timeout=60).stdout)

    def python(self, text):
        program = self.path("load.py")
        with open(program, "w", encoding="ascii") as f:
            f.write("import sqlite3, sys\n"
                    f"c = sqlite3.connect({self.path('test.db')!r}, isolation_level=None)\n"
                    "c.execute('create table t(a integer primary key, b text)')\n"
                    "k = c.cursor()\n" + text)
        return test_wire.SYSTEM_PYTHON, program

    INSERTS = [f"insert into t values({i}, 'x')" for i in range(ROWS)]
    TABLE = "create table t(a integer primary key, b text)"

    def test_shell_with_a_transaction_for_each_row(self):
        document, changed = self.shell(self.TABLE, *self.INSERTS, requests=1 + ROWS,
                                       flushes=1 + ROWS)
        self.assertEqual(changed, ROWS)
        self.assertRegex(self.report, r"batch factor +1 requests per flush")
        self.assertEqual(document["connections"][0]["connections"], 1)

    def test_shell_with_one_transaction(self):
        document, changed = self.shell(self.TABLE, "begin", *self.INSERTS, "commit",
                                       requests=1 + ROWS + 2, flushes=2)
        self.assertEqual(changed, ROWS)
        self.assertEqual(max(c["max_batch"] for c in document["connections"]), ROWS + 2)

    def test_shell_with_rows_and_a_rollback(self):
        document, changed = self.shell(
            self.TABLE, "begin", *self.INSERTS, "rollback", "insert into t values(1, 'y'), (2, 'z')",
            "select * from t", "select a from t where a > 5", requests=1 + ROWS + 2 + 3, flushes=4)
        self.assertEqual(changed, 2)
        self.assertEqual(self.total(document, "rows", "SQLite"), 2)

    def test_shell_with_an_error(self):
        sqlite3 = self.need("sqlite3")
        document = self.check(sqlite3, ":memory:", "create table t(a primary key); insert into t values(1);"
                              "insert into t values(1)", requests=3, flushes=2, status=19)
        self.assertEqual(self.total(document, "errors", "SQLite"), 1)

    def test_triggers_and_full_text_belong_to_their_statement(self):
        self.shell(self.TABLE, "create table log(a)",
                   "create trigger g after insert on t begin insert into log values(new.a); end",
                   "create virtual table f using fts5(b)",
                   "insert into t values(1, 'x'), (2, 'y')", "insert into f values('some words')",
                   "select * from f where f match 'words'", requests=7, flushes=7)

    def test_python(self):
        program = self.python(
            f"for i in range({ROWS}): k.execute('insert into t values(?, ?)', (i, str(i)))\n"
            "k.execute('begin')\n"
            f"k.executemany('update t set b = ? where a = ?', (('y', i) for i in range({ROWS})))\n"
            "k.execute('commit')\n"
            f"assert len(k.execute('select * from t').fetchall()) == {ROWS}\n"
            "k.execute('select * from t').fetchone()\n"
            "k.execute('select a from t')\n"
            "k.close()\n"
            f"assert c.total_changes == 2 * {ROWS}, c.total_changes\n")
        document = self.check(*program, requests=1 + ROWS + 1 + ROWS + 1 + 3,
                              flushes=1 + ROWS + 1 + 3)
        self.assertEqual(self.total(document, "errors", "SQLite"), 0)
        self.assertGreaterEqual(self.total(document, "rows", "SQLite"), ROWS + 2)
        self.assertEqual(subprocess.run(program[:1] + ("-c", "import sqlite3, sys; print(sqlite3."
                                        f"connect({self.path('test.db')!r}).execute('select count(*) "
                                        "from t where b = \"y\"').fetchone()[0])"), check=True,
                                        capture_output=True, text=True, timeout=60).stdout.strip(),
                         str(ROWS))

    def test_python_that_leaves_transactions_to_the_module(self):
        program = self.path("load.py")
        with open(program, "w", encoding="ascii") as f:
            f.write(f"import sqlite3\nc = sqlite3.connect({self.path('test.db')!r})\n"
                    "c.execute('create table t(a)')\n"
                    "for i in range(50): c.execute('insert into t values(?)', (i,))\n"
                    "c.commit()\nassert c.total_changes == 50\n")
        # The module begins the transaction by itself.
        self.check(test_wire.SYSTEM_PYTHON, program, requests=1 + 1 + 50 + 1, flushes=2)

    CLIENT = r"""
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static int row(void *db, int count, char **values, char **names)
{
    (void)count, (void)values, (void)names;
    return sqlite3_exec(db, "insert into log values(1)", NULL, NULL, NULL);
}

int main(int argc, char **argv)
{
    sqlite3 *db;
    sqlite3_stmt *s;
    char **table;
    int rows, columns;

    if (argc != 2 || sqlite3_open(argv[1], &db) ||
        sqlite3_exec(db, "create table t(a); create table log(a)", NULL, NULL, NULL) ||
        sqlite3_exec(db, "begin; insert into t values(1); insert into t values(2); commit", NULL,
                     NULL, NULL) ||
        sqlite3_exec(db, "select * from t", row, db, NULL) || sqlite3_exec(db, " ", NULL, NULL, NULL) ||
        sqlite3_get_table(db, "select * from t", &table, &rows, &columns, NULL) || rows != 2)
        return 1;
    sqlite3_free_table(table);
    if (sqlite3_prepare(db, "select 1", -1, &s, NULL) || sqlite3_step(s) != SQLITE_ROW ||
        sqlite3_reset(s) || sqlite3_step(s) != SQLITE_ROW || sqlite3_step(s) != SQLITE_DONE ||
        sqlite3_finalize(s))
        return 2;
    if (sqlite3_prepare_v3(db, "select 2", -1, SQLITE_PREPARE_PERSISTENT, &s, NULL) ||
        sqlite3_step(s) != SQLITE_ROW || sqlite3_finalize(s))
        return 3;
    if (sqlite3_prepare_v2(db, "nonsense", -1, &s, NULL) != SQLITE_ERROR || sqlite3_step(NULL) == 0)
        return 4;
    printf("%d\n", sqlite3_total_changes(db));
    return sqlite3_close(db) == SQLITE_OK ? 0 : 5;
}
"""

    def test_the_other_functions(self):
        """sqlite3_exec with several statements and a callback that executes, get_table, prepare_v3."""
        source, program = self.path("c.c"), self.path("client")
        with open(source, "w", encoding="ascii") as f:
            f.write(self.CLIENT)
        done = subprocess.run([os.environ.get("SLW_CC", "cc"), "-o", program, source, "-lsqlite3"],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.missing("cannot build with -lsqlite3")
        database = self.path("test.db")
        requests = 2 + 4 + (1 + 2) + 0 + 1 + 2 + 1
        # One transaction of four; the select that runs on while the first insert is committed is
        # part of that batch.
        document = self.check(program, database, requests=requests, flushes=requests - 3 - 1)
        self.assertEqual(self.total(document, "errors", "SQLite"), 1)
        os.unlink(database)
        self.assertEqual(subprocess.run([program, database], capture_output=True, text=True, timeout=60,
                                        check=True).stdout, "4\n")


if __name__ == "__main__":
    harness.main()
