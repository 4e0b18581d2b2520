# SPDX-License-Identifier: MIT
"""What breaks things that stand between a client and its libraries: each client here does what it
does alone, and its requests are counted exactly or are absent with the reason."""
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import harness
import test_wire

CC = os.environ.get("SLW_CC", "cc")


class Breaks(test_wire.RedisServer):
    case = test_wire.Redis.case

    def compile(self, text, *options, compiler=CC, name="program"):
        source, program = self.path(name + ".c"), self.path(name)
        with open(source, "w", encoding="ascii") as f:
            f.write(text)
        done = subprocess.run([compiler, "-o", program, source, *options], capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            self.missing(f"cannot build with {compiler} {' '.join(options)}")
        return program

    def absent(self, requests, words, name):
        """The client makes so many requests, and the run gives no number of them."""
        self.cli("CONFIG", "RESETSTAT")
        document = self.tap(test_wire.WIRE_CLIENT, name, self.port)
        self.assertEqual(self.server_count(), requests)
        self.assertRegex(document["requests"]["absent"], words)
        return document

    def test_the_library_brings_no_other(self):
        """OpenSSL and SQLite are found where a client has them, and are nothing to other clients."""
        library = os.path.join(os.path.dirname(harness.SLOTWISE), "libslotwise-wire.so")
        text = subprocess.run([self.need("readelf"), "-d", library], capture_output=True, text=True,
                              check=True).stdout
        needed = re.findall(r"NEEDED.*\[(.*)\]", text)
        self.assertTrue(needed)
        for name in needed:
            self.assertRegex(name, r"^(libc|libdl|ld-linux.*)\.so\.\d+$")

    def test_system_calls_by_number(self):
        self.case("syscall", 8 + 2 + 2 + 3)

    def test_stdio(self):
        document = self.absent(11, "stdio.*1 requests were seen", "stdio")
        self.assertIn("wire-lost", self.notes(document))

    def test_bytes_that_nobody_sees(self):
        document = self.absent(6, "not be followed.*1 requests were seen", "unseen")
        self.assertIn("wire-lost", self.notes(document))

    def test_sandbox_without_open_and_mmap(self):
        self.case("seccomp", 7)

    def test_closing_what_one_does_not_own(self):
        self.case("close_all", 6)

    def test_signal_handlers_at_any_point(self):
        """Bytes of a handler that interrupted the tap are missed, and said to be; others are counted."""
        self.cli("CONFIG", "RESETSTAT")
        document = self.tap(test_wire.WIRE_CLIENT, "interrupts", self.port)
        self.assertEqual(self.server_count(), 2200)
        if isinstance(document["requests"], dict):
            self.assertIn("signal handler", document["requests"]["absent"])
        else:
            self.assertEqual(document["requests"], 2200)

    PRELOADED = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int sends, allocations;

ssize_t send(int fd, const void *from, size_t size, int flags)
{
    ssize_t (*next)(int, const void *, size_t, int);

    *(void **)&next = dlsym(RTLD_NEXT, "send");
    sends++;
    return next(fd, from, size, flags);
}

void *malloc(size_t size)
{
    static void *(*next)(size_t);

    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "malloc");
    allocations++;
    return next(size);
}

__attribute__((destructor)) static void tell(void)
{
    const char *text = sends >= 0 && allocations > 0 ? "hooks were called\n" : "nothing was called\n";

    (void)!write(2, text, strlen(text));
}
"""

    def test_a_client_with_a_preloaded_library_of_its_own(self):
        library = self.compile(self.PRELOADED, "-shared", "-fPIC", "-ldl", name="hooks.so")
        self.cli("CONFIG", "RESETSTAT")
        done = self.slotwise("profile", "-q", "--no-sampling", "-o", self.path("r.slotwise"), "--",
                             "redis-cli", "-p", self.port, "-r", "30", "incr", "n",
                             env={**os.environ, "LD_PRELOAD": library})
        self.assertEqual(done.stdout.splitlines(), [str(i + 1) for i in range(30)])
        document = self.load(self.path("r.slotwise"))
        self.assertEqual(document["requests"], 30)
        self.assertEqual(self.server_count(), 30)
        self.assertIn("hooks were called", done.stderr)

    def test_a_client_that_replaces_the_environment(self):
        self.cli("CONFIG", "RESETSTAT")
        document = self.tap("sh", "-c", f"env -i \"$(command -v redis-cli)\" -p {self.port} ping")
        self.assertEqual(self.server_count(), 1)
        self.assertRegex(document["requests"]["absent"], r"1 program\(s\).*could not be loaded")
        self.assertIn("wire-outside", self.notes(document))

    def test_a_client_that_becomes_another_user(self):
        """It may not open what it is counted in: nothing is counted, and the run says so."""
        self.need_root("becomes another user")
        self.need("runuser")
        document = self.tap("runuser", "-u", "nobody", "--", "redis-cli", "-p", self.port, "ping")
        self.assertRegex(document["requests"]["absent"], r"1 program\(s\).*could not be loaded")

    def test_programs_that_are_started_are_told_only_when_they_are_outside(self):
        ping = f"redis-cli -p {self.port} ping"
        document = self.tap("sh", "-c", f"{ping}; {ping} & wait; no-such-program; exec {ping}", status=0)
        self.assertEqual(document["requests"], 3)
        self.assertNotIn("wire-outside", self.notes(document))

    def test_a_musl_child(self):
        compiler = self.need("musl-gcc")
        child = self.compile("#include <stdio.h>\nint main(void){return puts(\"musl\") < 0;}\n",
                             compiler=compiler)
        for start in ("exec ", ""):
            document = self.tap("sh", "-c", f"redis-cli -p {self.port} ping; {start}{child}")
            self.assertEqual(document["requests"], 1)
            self.assertIn("wire-outside", self.notes(document))
            self.assertEqual(self.started(child, start).stdout, "PONG\nmusl\n")

    def test_a_musl_program_that_gets_the_library_after_all(self):
        """The environment is cleaned for it; if it were not, it would start all the same."""
        child = self.compile("#include <stdio.h>\nint main(void){return puts(\"musl\") < 0;}\n",
                             compiler=self.need("musl-gcc"))
        library = os.path.join(os.path.dirname(harness.SLOTWISE), "libslotwise-wire.so")
        done = subprocess.run([child], env={"LD_PRELOAD": library}, capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "musl\n", ""))

    def started(self, child, start=""):
        done = self.slotwise("profile", "-q", "-o", self.path("o.slotwise"), "--", "sh", "-c",
                             f"redis-cli -p {self.port} ping; {start}{child}")
        self.assertEqual(done.stderr, "")
        shutil.rmtree(self.path("o.slotwise"))
        if os.path.isdir(self.path("wire.slotwise")):
            shutil.rmtree(self.path("wire.slotwise"))
        return done

    def test_a_32_bit_child(self):
        child = self.compile("#include <stdio.h>\nint main(void){return puts(\"short\") < 0;}\n", "-m32")
        document = self.tap("sh", "-c", f"redis-cli -p {self.port} ping; {child}")
        self.assertEqual(document["requests"], 1)
        self.assertIn("wire-outside", self.notes(document))
        self.assertEqual(self.started(child).stdout, "PONG\nshort\n")

    def test_a_static_child(self):
        """Its requests are counted by BPF only; the library's run says that it was there."""
        static = os.environ.get("SLW_STATIC_CLIENT", "")
        if not static or not os.access(static, os.X_OK):
            self.missing("no static libc to link with")
        self.cli("CONFIG", "RESETSTAT")
        document = self.tap("sh", "-c", f"redis-cli -p {self.port} ping; {static} raw {self.port}")
        self.assertEqual(self.server_count(), 1 + 10)
        self.assertEqual(document["requests"], 1)
        self.assertIn("wire-outside", self.notes(document))

    def test_no_shared_memory_file_system(self):
        """What it is counted in needs no /dev/shm."""
        self.need_root("takes /dev/shm away")
        self.cli("CONFIG", "RESETSTAT")
        run = self.path("r.slotwise")
        done = subprocess.run(["unshare", "-m", "sh", "-c", "umount -l /dev/shm; exec \"$@\"", "sh",
                               harness.SLOTWISE, "profile", "-q", "-o", run, "--", "redis-cli", "-p",
                               self.port, "ping"], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, "PONG\n"), done.stderr)
        self.assertEqual(self.load(run)["requests"], self.server_count())

    def test_no_room_for_what_it_is_counted_in(self):
        """A slotwise with file capabilities counts in a file: on a full disk the run goes on without."""
        self.need_root("mounts a small file system")
        setcap = self.need("setcap")
        folder = tempfile.mkdtemp(prefix="slotwise-test-", dir="/var/tmp")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        os.chmod(folder, 0o777)
        for name in ("slotwise", "libslotwise-wire.so"):
            shutil.copy(os.path.join(os.path.dirname(harness.SLOTWISE), name), folder)
        program = os.path.join(folder, "slotwise")
        if subprocess.run([setcap, "cap_perfmon=ep", program], capture_output=True,
                          check=False).returncode != 0:
            self.missing("setcap does not work here")
        run = os.path.join(folder, "r.slotwise")
        done = subprocess.run(["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=1m,mode=1777 none "
                               "/dev/shm; exec \"$@\"", "sh", "runuser", "-u", "nobody", "--", program,
                               "profile", "-q", "-o", run, "--", "redis-cli", "-p", self.port, "ping"],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, "PONG\n"), done.stderr)
        document = self.load(run)
        self.assertIn("no room for the", document["requests"]["absent"])
        self.assertIn("no-wire", self.notes(document))


class Servers(test_wire.Wire):
    """Servers that nobody should have to talk to."""
    SCRIPT = ("import socket, sys\ns = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
              "s.settimeout(20)\n"
              "if sys.argv[2]: s.sendall(bytes.fromhex(sys.argv[2]))\n"
              "got = 0\n"
              "while True:\n"
              "    part = s.recv(100000)\n"
              "    if not part: break\n"
              "    got += len(part)\n"
              "print(got)\n")

    def talk(self, asked, answer):
        """One client that asks and reads until the server, which says `answer`, closes: the run."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve():
            peer, _ = listener.accept()
            peer.settimeout(20)
            if asked:
                peer.recv(100)
            peer.sendall(answer)
            time.sleep(0.05)
            peer.close()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        document = self.tap(test_wire.SYSTEM_PYTHON, "-c", self.SCRIPT,
                            listener.getsockname()[1], asked.hex())
        thread.join(20)
        self.assertFalse(thread.is_alive())
        shutil.rmtree(self.run_folder)
        self.assertEqual(document["connections"][0]["received_bytes"], len(answer))
        return document

    PING = b"*1\r\n$4\r\nPING\r\n"
    GREETING = (b"\x4a\0\0\0\x0a5.5.5-10.11.6-MariaDB\0\1\0\0\0saltsalt\0\xfe\xf7\x21\2\0\xff\x81\x15" +
                b"\0" * 6 + b"\x1d\0\0\0saltsaltsalt\0mysql_nat\0")

    def test_it_closes_in_the_middle_of_a_message(self):
        document = self.talk(self.PING, b"$100\r\nonly this")
        self.assertEqual(document["requests"], 1)
        self.assertEqual(document["connections"][0]["responses"], 0)

    def test_it_announces_a_gigabyte(self):
        for answer in (b"$1073741824\r\n" + b"x" * 5000, b"*1073741824\r\n+a\r\n"):
            document = self.talk(self.PING, answer)
            self.assertEqual(document["requests"], 1)
            self.assertEqual(document["connections"][0]["responses"], 0)
        start = b"\0\0\0\x0f\0\3\0\0user\0a\0"
        document = self.talk(start + b"Q\0\0\0\x0dselect 1\0", b"D\x40\0\0\0" + b"x" * 5000)
        self.assertEqual(document["requests"], 1)

    def test_it_speaks_garbage(self):
        for asked in (self.PING, b"\0\0\0\x0f\0\3\0\0user\0a\0Q\0\0\0\x0dselect 1\0", b"get a\r\n"):
            for answer in (b"\xff" * 5000, bytes(range(256)) * 20, b"\0" * 5000):
                document = self.talk(asked, answer)
                if asked.startswith(b"get"):  # any line could be an answer, or go on
                    self.assertTrue(document["requests"] == 1 or "absent" in document["requests"])
                else:
                    self.assertRegex(document["requests"]["absent"], "could not be followed", asked)

    def test_it_speaks_first_and_nonsense(self):
        self.assertEqual(self.talk(b"", self.GREETING[:20])["requests"], 0)
        document = self.talk(b"", b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.assertRegex(document["requests"]["absent"], "no protocol that is known")


if __name__ == "__main__":
    harness.main()
