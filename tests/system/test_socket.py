# SPDX-License-Identifier: MIT
"""Requests of clients nothing can be preloaded into: what BPF sees of their system calls gives the
server's own count, exactly; and where something was not seen, the run says how much."""
import fcntl
import os
import pwd
import re
import signal
import subprocess
import termios

import harness
from test_wire import SYSTEM_PYTHON, WIRE_CLIENT, RedisServer, Wire

STATIC_CLIENT = os.environ.get("SLW_STATIC_CLIENT", "")


def skip_without_bpf(case):
    """One look for each class: may this user load our programs at all?"""
    probe = subprocess.run([harness.SLOTWISE, "profile", "-q", "--no-sampling", "--offcpu", "no", "--wire",
                            "bpf", "-o", os.path.join(case.folder, "probe"), "--", "true"],
                           capture_output=True, text=True, timeout=60, check=False)
    if probe.returncode == harness.CANNOT and re.search("BPF|BTF", probe.stderr):
        raise harness.unittest.SkipTest(probe.stderr.strip())
    if probe.returncode != 0:
        raise AssertionError(probe.stderr)


def taken(fifo):
    return fcntl.ioctl(fifo, termios.FIONREAD, bytes(4)) == bytes(4)


class Tapped(Wire):
    def by_bpf(self, *command, options=("--wire", "bpf"), **kw):
        document = self.tap(*command, options=options, **kw)
        self.check_route(document)
        return document

    def check_route(self, document):
        cost = document["self"]
        self.assertTrue(cost.get("bpf_ns") or cost.get("bpf_absent"), cost)
        for row in document["connections"]:
            self.assertEqual(row["from"].get("detail"), "BPF on socket calls")

    def attach(self, program, *words, name="attached"):
        """Profile a process that runs already: it prints a line when it waits to be profiled, goes
        on when it is sent one, and ends."""
        client = subprocess.Popen([*program, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(client.stdout.close)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        self.assertEqual(client.stdout.readline(), b"ready\n")
        run = self.path(name + ".slotwise")
        fifo = self.path(name + ".control")
        os.mkfifo(fifo)
        # Read and write: nobody waits for the other to open it.
        control = os.open(fifo, os.O_RDWR)
        self.addCleanup(os.close, control)
        tap = self.start("profile", "--no-sampling", "-p", client.pid, "-o", run, "--control", fifo,
                         "--start-stopped")
        for _ in range(2):  # when the second one is read, the first is obeyed
            os.write(control, b"start\n")
            harness.wait_until(lambda: taken(control), what="slotwise reads the FIFO")
        client.stdin.write(b"go\n")
        client.stdin.close()
        self.assertEqual(client.wait(60), 0)
        self.finish(tap)
        self.report = self.slotwise("report", run).stdout
        document = self.load(run)
        self.check_route(document)
        return document


class TappedRedis(RedisServer, Tapped):
    """All that a client moves in a test with equality fits into the ring, so that it does not matter
    how long slotwise waits for a CPU."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        skip_without_bpf(cls)

    def reset(self):
        self.cli("CONFIG", "RESETSTAT")

    def check(self, *command, flushes=None, options=("--wire", "bpf"), **kw):
        self.reset()
        document = self.by_bpf(*command, options=options, **kw)
        self.followed(document, "Redis")
        self.assertEqual(document["requests"], self.server_count())
        self.assertEqual(self.total(document, "responses", "Redis"), document["requests"])
        self.assertFalse(any(c.get("bytes_unseen") for c in document["connections"]))
        if flushes is not None:
            self.assertEqual(self.total(document, "flushes", "Redis"), flushes)
        return document


class Redis(TappedRedis):
    # redis-benchmark asks CONFIG GET save and appendonly in one flush before it starts.
    def test_one_request_per_flush(self):
        self.benchmark("-P", "1", "-n", "10000", flushes=20001)

    def test_pipeline_of_16(self):
        document = self.benchmark("-P", "16", "-n", "80000", flushes=10001)
        self.assertEqual(max(c["max_batch"] for c in document["connections"]), 16)

    def test_pipeline_of_64(self):
        self.benchmark("-P", "64", "-n", "64000", flushes=2001)

    def test_pipeline_of_longer_values(self):
        self.benchmark("-P", "64", "-n", "12800", "-d", "300", flushes=401)

    def test_two_threads(self):
        self.benchmark("-P", "64", "-n", "128000", "--threads", "2", flushes=4001)

    def test_a_connection_for_each_request(self):
        document = self.benchmark("-k", "0", "-n", "3000")
        self.assertEqual(self.total(document, "connections", "Redis"), 6001)

    def test_long_values(self):
        for size, requests in (("300", "100"), ("100000", "100"), ("5000000", "5")):
            with self.subTest(size):
                self.check(self.need("redis-benchmark"), "-p", self.port, "-q", "-t", "set", "-c", "1",
                           "-n", requests, "-d", size)
                harness.shutil.rmtree(self.run_folder)

    def static(self, name, requests, options=(), **kw):
        """Without a word about the route: nothing can be preloaded into a static program."""
        if not STATIC_CLIENT or not os.access(STATIC_CLIENT, os.X_OK):
            self.missing("no static libc to link with")
        document = self.check(STATIC_CLIENT, name, self.port, options=options, **kw)
        self.assertEqual(document["requests"], requests)
        return document

    def test_static_client(self):
        document = self.static("ping", 1000)
        self.assertIn("wire-bpf", self.notes(document))
        self.assertEqual(self.total(document, "flushes", "Redis"), 1000)
        self.assertEqual(self.total(document, "latency_count", "Redis"), 1000)

    def test_io_uring_is_told(self):
        """What goes through it is not seen, and never taken for nothing."""
        if not STATIC_CLIENT or not os.access(STATIC_CLIENT, os.X_OK):
            self.missing("no static libc to link with")
        if b"btf_trace_io_uring_submit_req\0" not in harness.read_bytes("/sys/kernel/btf/vmlinux"):
            self.skipTest("the kernel does not tell what io_uring does (Linux 6.4)")
        if subprocess.run([STATIC_CLIENT, "ring", self.port], check=False).returncode == 77:
            self.skipTest("io_uring is not allowed here")
        document = self.by_bpf(STATIC_CLIENT, "ring", self.port)
        self.assertRegex(document["requests"]["absent"], "not be followed.*io_uring")
        self.assertEqual([c["lost"] for c in document["connections"]], [1])

    def test_many_messages_in_a_call(self):
        document = self.static("messages", 30)
        self.assertEqual(self.total(document, "flushes", "Redis"), 30)

    def test_stdio(self):
        self.static("stdio", 20)

    def test_raw_system_calls(self):
        self.static("raw", 10)

    def case(self, name, requests, connections=1, racing=False, status=0):
        self.reset()
        document = self.by_bpf(WIRE_CLIENT, name, self.port, status=status)
        self.followed(document, "Redis", racing)
        self.assertEqual(document["requests"], requests)
        self.assertEqual(self.server_count(), requests)
        self.assertEqual(self.total(document, "connections", "Redis"), connections)
        return document

    def test_fork(self):
        self.case("fork", 25, connections=2)

    def test_vfork(self):
        self.case("vfork", 8)

    def test_posix_spawn(self):
        self.case("spawn", 8)

    def test_duplicated_descriptors(self):
        self.case("dup", 9)

    def test_descriptors_used_again(self):
        self.case("reuse", 1001, connections=501)

    def test_closed_by_range(self):
        self.case("close_range", 4, connections=3)

    def test_peek(self):
        self.case("peek", 5)

    def test_errno(self):
        self.case("errno", 3)

    def test_scattered_buffers(self):
        document = self.case("vectors", 6)
        self.assertEqual(self.total(document, "flushes", "Redis"), 6)

    def test_a_sender_and_a_receiver(self):
        document = self.case("threads", 20000, racing=True)
        self.assertEqual(self.total(document, "responses", "Redis"), 20000)

    def test_two_hundred_threads(self):
        self.case("crowd", 2000, connections=200)

    def test_signal_handlers(self):
        self.case("signals", 120, connections=2)

    def test_killed_when_all_was_answered(self):
        self.case("kill", 100, status=128 + signal.SIGKILL)

    def test_only_the_command_is_seen(self):
        """Another client of the same server, at the same time, is in no number."""
        other = subprocess.Popen(["redis-benchmark", "-p", self.port, "-q", "-t", "ping_mbulk", "-l"],
                                 stdout=subprocess.DEVNULL)
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        if not STATIC_CLIENT:
            self.missing("no static libc to link with")
        document = self.by_bpf(STATIC_CLIENT, "ping", self.port, options=())
        self.assertEqual(document["requests"], 1000)

    def test_setuid(self):
        self.need_root("makes a setuid program")
        program = self.path("client")
        harness.shutil.copy(WIRE_CLIENT, program)
        os.chown(program, 65534, 65534)
        os.chmod(program, 0o6755)
        document = self.check(program, "reuse", self.port, options=())
        self.assertEqual(document["requests"], 1001)

    def test_killed(self):
        """Every request that left the client is counted, whether answered or not. The server may not
        have read them all: what it has not when the connection is reset, it never will."""
        if not STATIC_CLIENT:
            self.missing("no static libc to link with")
        document = self.tap(STATIC_CLIENT, "killed", self.port, status=128 + signal.SIGKILL)
        self.assertEqual(document["requests"], 5000)
        self.assertEqual(self.total(document, "lost", "Redis"), 0)

    def net_input(self):
        return int(re.search(r"total_net_input_bytes:(\d+)", self.cli("INFO", "stats")).group(1))

    def test_overrun(self):
        """A ring that is far too small: the count is a lower bound that says so, bytes are exact."""
        words = [self.need("redis-benchmark"), "-p", self.port, "-q", "-t", "set", "-c", "4", "-P", "16",
                 "-n", "320000", "-d", "20"]
        base = self.net_input()
        asking = self.net_input() - base
        document = self.by_bpf(*words, options=("--wire", "bpf", "--ring-size", "4K"))
        moved = self.net_input() - base - 2 * asking
        rows = self.rows(document, "Redis")
        self.assertEqual(len(rows), len(document["connections"]))
        self.assertEqual(self.total(document, "sent_bytes", "Redis"), moved)
        self.assertEqual(self.total(document, "sends", "Redis"), 20000 + 1)
        self.assertGreater(self.total(document, "lost", "Redis"), 0)
        seen = self.total(document, "requests", "Redis")
        unseen = sum(c.get("bytes_unseen", 0) for c in rows)
        self.assertGreater(unseen, 0)
        self.assertLess(unseen, moved)
        self.assertLess(seen, 320002)
        # All SETs are of one length: what was seen and what was not are all of it.
        length = len("*3\r\n$3\r\nSET\r\n$16\r\nkey:__rand_int__\r\n$20\r\n\r\n") + 20
        self.assertEqual(seen * length + unseen, moved + 2 * length - self.asked_first())
        words = document["requests"]["absent"]
        self.assertRegex(words, rf"; {seen} requests were seen in \d+\.\d\d % .*lower bound")
        self.assertIn("wire-lost", self.notes(document))

    def asked_first(self):
        return len("*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$4\r\nsave\r\n"
                   "*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$10\r\nappendonly\r\n")

    LATE = """
import socket, sys
port, old, new = map(int, sys.argv[1:])
def connect():
    return socket.create_connection(('127.0.0.1', port))
def ask(s, n):
    for i in range(n):
        s.sendall(b'*2\\r\\n$4\\r\\nECHO\\r\\n$2\\r\\nhi\\r\\n')
        assert s.recv(100) == b'$2\\r\\nhi\\r\\n'
s = connect()
ask(s, 10)
print('ready', flush=True)
sys.stdin.readline()
ask(s, old)
if new:
    ask(connect(), new)
"""

    def late(self, old, new):
        program = self.path("late.py")
        with open(program, "w", encoding="ascii") as f:
            f.write(self.LATE)
        return self.attach((SYSTEM_PYTHON, program), self.port, str(old), str(new))

    def test_attached_before_it_connects(self):
        document = self.late(0, 300)
        self.assertEqual(document["requests"], 300)
        self.followed(document, "Redis")

    def test_attached_to_a_connection_that_was_there(self):
        """Joined where a request begins: all of them are counted, but no answer is matched."""
        document = self.late(500, 0)
        self.assertEqual(document["requests"], 500)
        self.assertEqual(self.total(document, "responses", "Redis"), 500)
        self.assertEqual(self.total(document, "latency_count", "Redis"), 0)

    def test_attached_to_both(self):
        document = self.late(200, 100)
        self.assertEqual(document["requests"], 300)
        self.assertEqual(self.total(document, "latency_count", "Redis"), 100)

    def test_go(self):
        go = harness.find_tool("go")
        if not go:
            self.skipTest("no go: a compiler of half a GiB for one client")
        program = self.path("client.go")
        with open(program, "w", encoding="ascii") as f:
            f.write(GO)
        built = subprocess.run([go, "build", "-o", self.path("client"), program], capture_output=True,
                               text=True, timeout=300, check=False,
                               env=dict(os.environ, CGO_ENABLED="0", GOFLAGS="-mod=mod", HOME=self.dir))
        self.assertEqual(built.returncode, 0, built.stderr)
        document = self.check(self.path("client"), self.port, options=())
        self.assertEqual(document["requests"], 8 * 100)


GO = """
package main

import ("bufio"; "net"; "os"; "sync")

func main() {
	var all sync.WaitGroup
	for i := 0; i < 8; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			c, err := net.Dial("tcp", "127.0.0.1:"+os.Args[1])
			if err != nil { panic(err) }
			r := bufio.NewReader(c)
			for k := 0; k < 100; k++ {
				c.Write([]byte("*1\\r\\n$4\\r\\nPING\\r\\n"))
				if s, err := r.ReadString('\\n'); err != nil || s != "+PONG\\r\\n" { panic(s) }
			}
			c.Close()
		}()
	}
	all.Wait()
}
"""


class Refused(harness.Case):
    """Without privileges: measuring goes on, and requests are absent with the reason."""

    def setUp(self):
        super().setUp()
        self.need_root("becomes an ordinary user")
        if not STATIC_CLIENT:
            self.missing("no static libc to link with")
        self.user = pwd.getpwnam("nobody")
        # The tree may be where nobody else may look.
        self.program, self.client = self.path("slotwise"), self.path("client")
        harness.shutil.copy(harness.SLOTWISE, self.program)
        harness.shutil.copy(STATIC_CLIENT, self.client)
        self.out = self.path("out")
        os.mkdir(self.out)
        os.chown(self.out, self.user.pw_uid, self.user.pw_gid)

    def as_nobody(self, *options, status=0):
        def become():
            os.setgroups([])
            os.setgid(self.user.pw_gid)
            os.setuid(self.user.pw_uid)
        run = os.path.join(self.out, "run.slotwise")
        words = [self.program, "profile", "--no-sampling", *options, "-o", run, "--", self.client]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, cwd=self.out, preexec_fn=become, check=False)
        self.check_status(done, status)
        return done, run

    def test_a_note_where_it_was_not_asked_for(self):
        _, run = self.as_nobody()
        document = self.load(run)
        self.assertRegex(document["requests"]["absent"], "BPF")
        note = [n for n in document["notes"] if n["code"] == "no-wire"]
        self.assertEqual(len(note), 1)
        self.assertIn("CAP_BPF", note[0]["hint"])

    def test_an_error_where_it_was(self):
        done, run = self.as_nobody("--wire", "bpf", status=harness.CANNOT)
        self.assertRegex(done.stderr, "BPF")
        self.assertFalse(os.path.exists(run))

    def test_turned_off(self):
        for options in (("--wire", "no"), ("--no-wire",)):
            _, run = self.as_nobody(*options)
            document = self.load(run)
            self.assertIn(" ".join(options), document["requests"]["absent"])
            self.assertNotIn("no-wire", self.notes(document))
            harness.shutil.rmtree(run)

    def test_a_process_cannot_be_preloaded(self):
        done = self.slotwise("profile", "--wire", "preload", "-p", os.getpid(), status=harness.CANNOT)
        self.assertIn("only a command", done.stderr)


class Postgresql(Tapped):
    @classmethod
    def setUpClass(cls):
        cls.folder, cls.port = harness.start_server(
            cls, "postgresql", "-c", "shared_preload_libraries=pg_stat_statements")
        skip_without_bpf(cls)
        cls.login = ("-h", "127.0.0.1", "-p", cls.port, "-U", "slotwise")
        cls.sql("CREATE EXTENSION pg_stat_statements")
        subprocess.run([harness.find_tool("pgbench"), *cls.login, "-i", "-q", "-s", "1", "postgres"],
                       check=True, capture_output=True, timeout=120)

    @classmethod
    def sql(cls, text):
        return subprocess.run([harness.find_tool("psql"), *cls.login, "-Atqc", text, "postgres"],
                              check=True, capture_output=True, text=True, timeout=60).stdout.strip()

    def counted(self):
        return int(self.sql("SELECT coalesce(sum(calls), 0) FROM pg_stat_statements "
                            "WHERE query NOT LIKE '%pg_stat_statements%'"))

    def check(self, *command, requests, server=None):
        self.sql("SELECT pg_stat_statements_reset()")
        document = self.by_bpf(*command)
        self.assertEqual(self.counted(), server if server is not None else requests)
        self.followed(document, "PostgreSQL")
        self.assertEqual(document["requests"], requests)
        self.assertEqual(self.total(document, "responses", "PostgreSQL"), requests)
        return document

    # pgbench itself asks twice: for its tables and their partitions.
    def test_pgbench(self):
        for mode in ("simple", "extended", "prepared"):
            with self.subTest(mode):
                self.check(self.need("pgbench"), *self.login, "-n", "-S", "-M", mode, "-c", "4", "-j", "2",
                           "-t", "500", "postgres", requests=2002)
                harness.shutil.rmtree(self.run_folder)

    def test_psql_and_copy(self):
        script = self.path("script.sql")
        with open(script, "w", encoding="ascii") as f:
            f.write("create temp table t(a int);\n\\copy t from program 'seq 100000'\n"
                    "select 1\\; select 2\\; select 3;\nselect 1/0;\n\\copy t to '/dev/null'\n")
        # Three statements in one request; the failed one is not among the server's calls.
        document = self.check("psql", *self.login, "-f", script, "postgres", requests=5, server=6)
        self.assertEqual(self.total(document, "errors", "PostgreSQL"), 1)

    def test_psql_by_unix_socket(self):
        document = self.check("psql", "-h", os.path.join(self.folder, "socket"), "-p", self.port, "-U",
                              "slotwise", "-c", "select 1", "postgres", requests=1)
        self.assertTrue(document["connections"][0]["peer"].startswith("unix:"))

    LATE = """
import psycopg2, sys
def connect():
    c = psycopg2.connect(host=sys.argv[1], port=sys.argv[2], user='slotwise', dbname='postgres',
                         sslmode='disable')
    c.autocommit = True
    return c.cursor()
def ask(k, n):
    for i in range(n):
        k.execute('select %s', (i,))
        assert k.fetchone() == (i,)
old = connect()
ask(old, 10)
print('ready', flush=True)
sys.stdin.readline()
ask(old, 70)
ask(connect(), 30)
"""

    def test_attached_to_sessions(self):
        """One that is connected already is joined at its next query, one that connects is followed."""
        if subprocess.run([SYSTEM_PYTHON, "-c", "import psycopg2"], capture_output=True,
                          check=False).returncode != 0:
            self.missing("no python3-psycopg2")
        program = self.path("late.py")
        with open(program, "w", encoding="ascii") as f:
            f.write(self.LATE)
        for place in ("127.0.0.1", os.path.join(self.folder, "socket")):
            with self.subTest(place):
                document = self.attach((SYSTEM_PYTHON, program, place, self.port),
                                       name="unix" if "/" in place else "tcp")
                self.assertEqual(document["requests"], 100)
                self.assertEqual(self.total(document, "responses", "PostgreSQL"), 100)
                self.assertEqual(self.total(document, "latency_count", "PostgreSQL"), 30)


class Mariadb(Tapped):
    LATE = """
import socket, struct, sys
def packet(s):
    head = b''
    while len(head) < 4:
        head += s.recv(4 - len(head))
    left = head[0] | head[1] << 8 | head[2] << 16
    while left:
        left -= len(s.recv(left))
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
packet(s)
login = struct.pack('<IIB23x', 0x8200 | 0x80000 | 1, 1 << 24, 45) + b'root\\0' + b'\\0' + b'mysql_native_password\\0'
s.sendall(struct.pack('<I', len(login) | 1 << 24) + login)
packet(s)
print('ready', flush=True)
sys.stdin.readline()
for i in range(20):
    s.sendall(b'\\1\\0\\0\\0\\x0e')
    packet(s)
"""

    @classmethod
    def setUpClass(cls):
        cls.folder, cls.port = harness.start_server(cls, "mariadb")
        skip_without_bpf(cls)
        cls.login = ("-h", "127.0.0.1", "-P", cls.port, "-u", "root")

    def test_statements(self):
        document = self.by_bpf("mariadb", *self.login, "-e", "select 1; select 2 union select 3; select 4")
        self.followed(document, "MySQL")
        self.assertEqual(document["requests"], 3)
        self.assertEqual(self.total(document, "rows", "MySQL"), 4)

    def test_a_session_cannot_be_joined(self):
        """What was agreed on at its beginning is not known: no number, and the reason."""
        program = self.path("late.py")
        with open(program, "w", encoding="ascii") as f:
            f.write(self.LATE.replace("\\\\", "\\"))
        document = self.attach((SYSTEM_PYTHON, program, self.port))
        self.assertRegex(document["requests"]["absent"], "in use before it could be watched")
        self.assertEqual(sum(c["requests"] for c in document["connections"]), 0)
        self.assertEqual(sum(c["sent_bytes"] for c in document["connections"]), 100)
        self.assertEqual(sum(c["bytes_unseen"] for c in document["connections"]), 100)


if __name__ == "__main__":
    harness.main()
