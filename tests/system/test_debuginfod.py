# SPDX-License-Identifier: MIT
"""Debug files from servers: those of Debian's debuginfod, and of servers on their bad days."""
import collections
import http.server
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import harness
import pprof

SOURCE = os.path.join(harness.HERE, "inlined.cc")
NAMED = {"db::Client::run", "db::decode_rows"}  # the second one is inlined into the first


class Server(http.server.ThreadingHTTPServer):
    """Answers as it is told to, and remembers who was asked for."""
    daemon_threads = True

    def __init__(self, answer):
        self.answer, self.asked = answer, collections.Counter()
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # pylint: disable=invalid-name
        self.server.asked[self.path.split("/")[2]] += 1
        self.server.answer(self)

    def log_message(self, *args):
        pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def send(handler, body, length=None):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)


class Debuginfod(harness.Case):
    def setUp(self):
        super().setUp()
        self.program = self.path("client")
        self.files = self.path("files")
        os.mkdir(self.files)
        self.build()
        self.environment = dict(os.environ, DEBUGINFOD_CACHE_PATH=self.path("cache"),
                                XDG_CACHE_HOME=self.path("own"), DEBUGINFOD_URLS="")
        for name in ("DEBUGINFOD_MAXSIZE", "DEBUGINFOD_MAXTIME", "DEBUGINFOD_TIMEOUT"):
            self.environment.pop(name, None)

    def build(self, *flags):
        objcopy = self.need("objcopy")
        subprocess.run([self.need("g++"), "-O2", "-g", *flags, "-Wl,--build-id=sha1", "-o", self.program,
                        SOURCE], check=True, timeout=60)
        subprocess.run([objcopy, "--only-keep-debug", self.program,
                        os.path.join(self.files, "client.debug")], check=True)
        subprocess.run([objcopy, "--strip-all", self.program], check=True)

    def build_id(self, path):
        notes = subprocess.run([self.need("readelf"), "-n", path], check=True, capture_output=True,
                               text=True).stdout
        return re.search(r"Build ID: ([0-9a-f]+)", notes).group(1)

    def debuginfod(self):
        """Debian's, on our files; its URL once it has them."""
        program, port = self.need("debuginfod"), free_port()
        process = subprocess.Popen([program, "-F", "-d", self.path("index.sqlite"), "-p", str(port),
                                    "-t", "1", self.files], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        self.addCleanup(harness.end_group, process)
        url = f"http://127.0.0.1:{port}"
        wanted = f"{url}/buildid/{self.build_id(self.program)}/debuginfo"
        harness.wait_until(lambda: self.answers(wanted), 30, "debuginfod")
        return url, process

    @staticmethod
    def answers(url):
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def fake(self, answer):
        server = Server(answer)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def measure(self, *options, url="", name="run"):
        self.environment["DEBUGINFOD_URLS"] = url
        return self.profile(self.program, "100", options=options, name=name, env=self.environment)

    def functions(self, run):
        profile = pprof.Profile(os.path.join(run, "profile.pb.gz"))
        return {frame.function for sample in profile.samples for frame in sample.frames}

    def nameless(self, run):
        self.assertFalse(NAMED & self.functions(run))

    def test_names_and_inlined_calls_come_from_debians_server(self):
        url, server = self.debuginfod()
        document, run = self.measure("--debuginfod", url=url)
        self.assertLessEqual(NAMED, self.functions(run))
        self.assertIn("debug-files-fetched", self.notes(document))
        harness.end_group(server)
        _, again = self.measure("--debuginfod", url=url, name="again")
        self.assertLessEqual(NAMED, self.functions(again))  # kept by the library

    def test_nobody_is_asked_unasked(self):
        server = self.fake(lambda handler: handler.send_error(404))
        document, run = self.measure(url=server.url)
        self.assertFalse(server.asked)
        self.nameless(run)
        self.assertFalse([n for n in self.notes(document) if n.startswith("debug-files")])

    def test_only_hot_files_are_asked_for(self):
        server = self.fake(lambda handler: handler.send_error(404))
        document, run = self.measure("--debuginfod", url=server.url)
        self.nameless(run)
        self.assertIn("debug-files-nowhere", self.notes(document))
        self.assertIn(self.build_id(self.program), server.asked)
        loader = os.path.realpath(re.search(r"interpreter: (\S+)]", subprocess.run(
            [self.need("readelf"), "-l", self.program], check=True, capture_output=True,
            text=True).stdout).group(1))
        self.assertNotIn(self.build_id(loader), server.asked)

    def test_another_file_under_that_number_is_not_believed(self):
        with open(shutil.which("sh"), "rb") as f:
            other = f.read()
        server = self.fake(lambda handler: send(handler, other))
        document, run = self.measure("--debuginfod", url=server.url)
        self.nameless(run)
        self.assertIn("debug-files-unreachable", self.notes(document))

    def test_garbage(self):
        server = self.fake(lambda handler: send(handler, b"\x7fELF" + bytes(range(256)) * 99))
        document, run = self.measure("--debuginfod", url=server.url)
        self.nameless(run)
        self.assertIn("debug-files-unreachable", self.notes(document))

    def test_a_server_that_never_ends_costs_the_time_that_was_given(self):
        def drip(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", "1000000")
            handler.end_headers()
            for _ in range(300):
                try:
                    handler.wfile.write(b"x")
                    handler.wfile.flush()
                except OSError:
                    return
                time.sleep(0.1)
        server = self.fake(drip)
        document, run = self.measure("--debuginfod", "--debuginfod-time", "1s", url=server.url)
        self.nameless(run)
        self.assertIn("debug-files-limit", self.notes(document))
        self.assertEqual(sum(server.asked.values()), 1)  # what is left is not asked for at all

    def test_no_more_bytes_than_were_given(self):
        server = self.fake(lambda handler: send(handler, b"x" * 100000))
        document, run = self.measure("--debuginfod", "--debuginfod-size", "64K", url=server.url)
        self.nameless(run)
        self.assertIn("debug-files-limit", self.notes(document))

    def test_a_server_that_does_not_say_how_much_it_sends(self):
        def endless(handler):
            handler.send_response(200)
            handler.end_headers()
            for _ in range(4000):
                try:
                    handler.wfile.write(b"x" * 65536)
                except OSError:
                    return
        server = self.fake(endless)
        document, run = self.measure("--debuginfod", "--debuginfod-size", "1M", url=server.url)
        self.nameless(run)
        self.assertIn("debug-files-limit", self.notes(document))

    def test_a_server_that_is_down(self):
        document, run = self.measure("--debuginfod", url="http://127.0.0.1:1")
        self.nameless(run)
        self.assertIn("debug-files-unreachable", self.notes(document))

    def test_a_recording_from_elsewhere_is_named_without_its_programs(self):
        _, run = self.measure()
        os.rename(self.program, os.path.join(self.files, "client"))
        shutil.copy(os.path.join(self.files, "client"), self.program)  # for its build id
        url, _ = self.debuginfod()
        os.unlink(self.program)
        self.environment["DEBUGINFOD_URLS"] = url
        imported = self.path("imported")
        self.slotwise("import", os.path.join(run, "perf.data"), "--debuginfod", "-o", imported,
                      env=self.environment)
        self.assertLessEqual(NAMED, self.functions(imported))

    def ends(self, recording, *options, url=""):
        """How its copied stacks end: (all, complete ones, by cause)."""
        self.environment["DEBUGINFOD_URLS"] = url
        imported = self.path("imported")
        shutil.rmtree(imported, ignore_errors=True)
        self.slotwise("import", recording, *options, "-o", imported, env=self.environment)
        told = self.load(imported)["unwindings"][0]
        ends = {k: v for k, v in told.items() if k not in ("event", "copy_bytes", "by_frame_pointer")}
        return sum(ends.values()), ends.get("complete", 0), ends

    def test_a_program_that_comes_mends_stacks(self):
        _, run = self.measure("--call-graph", "dwarf", "--offcpu", "no")
        recording = os.path.join(run, "perf.data")
        os.rename(self.program, os.path.join(self.files, "client"))
        shutil.copy(os.path.join(self.files, "client"), self.program)  # for its build id
        url, _ = self.debuginfod()
        os.unlink(self.program)
        every, whole, ends = self.ends(recording)
        self.assertLess(whole, 0.05 * every)
        self.assertGreater(ends["no_file"], 0.9 * every)
        every, whole, ends = self.ends(recording, "--debuginfod", url=url)
        self.assertGreater(whole, 0.95 * every, ends)
        # Nor is more asked for than may be spent.
        shutil.rmtree(self.path("cache"))
        _, whole, _ = self.ends(recording, "--debuginfod", "--debuginfod-size", "1K", url=url)
        self.assertLess(whole, 0.05 * every)

    def test_a_debug_file_that_comes_mends_stacks(self):
        """Compiled without .eh_frame; stripping takes .debug_frame along."""
        self.build("-fno-asynchronous-unwind-tables", "-fno-exceptions", "-fomit-frame-pointer")
        _, run = self.measure("--call-graph", "dwarf", "--offcpu", "no")
        recording = os.path.join(run, "perf.data")
        every, whole, ends = self.ends(recording)
        self.assertLess(whole, 0.05 * every)
        self.assertGreater(ends["no_cfi"], 0.9 * every)
        url, _ = self.debuginfod()
        every, whole, ends = self.ends(recording, "--debuginfod", url=url)
        self.assertGreater(whole, 0.95 * every, ends)

    def test_no_server_named(self):
        done = self.slotwise("profile", "--debuginfod", "--", "true", status=69,
                             env=self.environment)
        self.assertIn("DEBUGINFOD_URLS", done.stderr)
        done = self.slotwise("profile", "--debuginfod-time", "1s", "--", "true", status=64,
                             env=self.environment)
        self.assertIn("--debuginfod", done.stderr)


if __name__ == "__main__":
    harness.main()
