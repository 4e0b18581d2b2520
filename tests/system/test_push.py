# SPDX-License-Identifier: MIT
"""'slotwise profile --push' and '--push-gateway': what arrives at servers that check it, and what
becomes of it on bad days. Continuous measuring is in test_continuous.py."""
import gzip
import json
import os
import re
import ssl
import stat
import subprocess
import threading
import time

import fleet
import harness
import pprof

SECRET, TOKEN = "correct-horse", "battery-staple"


class Case(harness.Case):
    def setUp(self):
        super().setUp()
        self.need("protoc")
        self.spool = self.path("spool")
        self.runs = 0

    def server(self, **kw):
        server = fleet.Server(**kw)
        self.addCleanup(server.stop)
        return server

    def push(self, *options, status=harness.DONE, spin="20", env=None):
        """Profile a client with these options: (what was said, the run's folder)."""
        self.runs += 1
        run = self.path(f"run{self.runs}.slotwise")
        if "--push-spool" not in options:
            options = ("--push-spool", self.spool, *options)
        done = self.slotwise("profile", "--offcpu", "no", "--wire", "no", "--stages", "no", "-o",
                             run, *options, "--", harness.CLIENT, "spin", spin, status=status,
                             env=env)
        self.load(run)
        return done.stderr, run

    def kept(self):
        return sorted(os.listdir(self.spool)) if os.path.isdir(self.spool) else []

    def count(self, expression, result):
        self.assertEqual(len(expression), result, expression)


def same_stacks(one, other):
    """Functions and weights, whatever the columns are called."""
    return sorted(([f.function for f in s.frames], s.values) for s in one.samples) == sorted(
        ([f.function for f in s.frames], s.values) for s in other.samples)


class Arrives(Case):
    def check(self, pushed, run, **labels):
        ours = pprof.Profile(os.path.join(run, "profile.pb.gz"))
        self.assertEqual(pushed.profile.totals(), ours.totals())
        self.assertTrue(same_stacks(pushed.profile, ours))
        self.assertGreater(ours.totals()[0], 0)
        self.assertEqual(pushed.profile.comments[:1], ours.comments[:1], "where numbers are from")
        expected = {"__name__": "process_cpu", "service_name": "system_client",
                    "instance": os.uname().nodename, **labels}
        self.assertEqual(pushed.labels, expected)

    def test_at_pyroscope(self):
        server = self.server()
        hostile = 'q"\\ \u00fc,{}='
        said, run = self.push("--push", server.url, "--label", "env=prod", "--label",
                              f"odd={hostile}", spin="60")
        pushed, = server.pushed
        self.check(pushed, run, env="prod", odd=hostile)
        types = [name for name, _ in pushed.profile.sample_types]
        self.assertEqual(types, ["samples", types[1]])
        self.assertIn("sent to " + server.url, said)
        self.assertEqual(self.kept(), [])
        # What the kernel's clock was asked for, and nothing invented.
        if types[1] == "cpu_clock":
            self.assertRegex(pushed.text, rf"(?m)^period: {10**9 // 997}$")

    def test_at_ingest(self):
        server = self.server()
        said, run = self.push("--push", server.url + "/ingest", "--label", "service_name=shop.api",
                              "--label", "region=eu-west-1")
        self.check(server.pushed[0], run, service_name="shop.api", region="eu-west-1")
        self.assertEqual(server.refused, [])
        self.assertIn("/ingest", said)

    def test_at_parca(self):
        parca = fleet.Parca(self)
        _, run = self.push("--push", parca.url, "--push-to", "parca", "--label", "env=test")
        pushed, = parca.pushed(self.dir)
        self.check(pushed, run, env="test")
        for status, calls, kept in (("UNAVAILABLE", 2, 1), ("INVALID_ARGUMENT", 1, 1)):
            with self.subTest(status):
                bad = fleet.Parca(self, status)
                said, _ = self.push("--push", bad.url + bad.method, "--push-tries", "2",
                                    status=harness.DONE if calls > 1 else harness.INTERNAL)
                self.assertEqual((len(bad.requests), len(self.kept())), (calls, kept), said)
                self.assertIn("as it was told to", said)

    def test_at_parca_over_tls(self):
        pair = fleet.certificate(self)
        parca = fleet.Parca(self, tls=pair)
        said, _ = self.push("--push", parca.url, "--push-to", "parca")
        self.assertRegex(said, "(?i)certificate")
        self.assertEqual((parca.requests, len(self.kept())), ([], 1))
        _, run = self.push("--push", parca.url, "--push-to", "parca", "--push-ca", pair[1],
                           "--label", "env=test")
        pushed, earlier = parca.pushed(self.dir)
        self.check(pushed, run, env="test")
        self.assertNotIn("env", earlier.labels)
        self.assertEqual(self.kept(), [])

    def test_a_server_that_does_not_speak_http_2(self):
        """Behind TLS the two agree on what both have; gRPC is not to be had there."""
        key, certificate = fleet.certificate(self)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        server = self.server(tls=tls)
        said, _ = self.push("--push", server.url, "--push-to", "parca", "--push-ca", certificate,
                            status=harness.INTERNAL)
        self.assertEqual((server.pushed, self.kept()), ([], []))
        self.assertRegex(said, "refused by .*HTTP 400")

    def test_at_the_push_gateway_and_from_there_in_prometheus(self):
        gateway = fleet.push_gateway(self)
        prometheus = fleet.prometheus(self, gateway)
        self.push("--push-gateway", gateway, "--label", "env=old/one")
        said, run = self.push("--push-gateway", gateway + "/metrics", "--label", "env=a/b", "--label",
                              "source=hardware")
        document = self.load(run)
        counted = {c["event"]: c for c in document["counts"] if "absent" not in c}
        self.assertIn("task-clock", counted)
        matching = '{event="task-clock",env="a/b",job="slotwise",service_name="system_client"}'
        result, = harness.wait_until(
            lambda: fleet.query(prometheus, "slotwise_counted" + matching), 30, "scrape")
        self.assertEqual(float(result["value"][1]), counted["task-clock"]["raw"], said)
        self.assertEqual(result["metric"]["source"], "software")
        self.assertEqual(result["metric"]["exported_source"], "hardware", "a label, no provenance")
        self.assertEqual(result["metric"]["instance"], os.uname().nodename)
        window, = fleet.query(prometheus, 'slotwise_window_seconds{env="a/b"}')
        self.assertAlmostEqual(float(window["value"][1]), document["wall_ns"] / 1e9, places=6)
        self.assertTrue(fleet.query(prometheus, 'slotwise_metric_wall_seconds{env="a/b"}')
                        or fleet.query(prometheus, '{__name__=~"slotwise_metric_.*",env="a/b"}'))
        # Where nothing was measured there is the reason, and no number.
        for absent in fleet.query(prometheus, 'slotwise_counted_absent{env="a/b"}'):
            self.assertTrue(absent["metric"]["reason"])
            self.assertNotIn(absent["metric"]["event"], counted)
        # The command line may hold passwords.
        self.assertNotIn("spin", fleet.get(gateway + "/metrics"))

    def test_a_newer_push_of_metrics_replaces_the_one_before(self):
        gateway = fleet.push_gateway(self)
        for label in ("run=1", "run=1"):
            self.push("--push-gateway", gateway, "--label", label)
        groups = json.loads(fleet.get(gateway + "/api/v1/metrics"))["data"]
        self.assertEqual(len(groups), 1)
        self.assertTrue(groups[0]["last_push_successful"])


class Down(Case):
    def test_what_cannot_be_sent_waits_and_goes_with_the_next_run(self):
        port = fleet.free_port()
        url = f"http://127.0.0.1:{port}"
        for run in (1, 2):
            said, _ = self.push("--push", url, "--push-tries", "1", "--label", f"run={run}")
            self.assertRegex(said, "not sent to .*the next run sends it")
        self.count(self.kept(), 2)
        mode = os.stat(os.path.join(self.spool, self.kept()[0])).st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)
        elsewhere = self.server()
        self.push("--push", elsewhere.url)
        self.assertEqual((len(elsewhere.pushed), len(self.kept())), (1, 2), "not for them")
        back = self.server(port=port)
        said, _ = self.push("--push", url, "--label", "run=3")
        self.assertIn("2 pushes kept by earlier runs were sent", said)
        self.assertEqual([p.labels["run"] for p in back.pushed], ["3", "1", "2"])
        self.assertEqual(self.kept(), [])

    def test_a_run_that_is_killed_while_it_sends_loses_nothing(self):
        gone = threading.Event()
        self.addCleanup(gone.set)
        server = self.server(behave=lambda _, n: n == 1 and (gone.wait(60) or True))
        process = self.start("profile", "-o", self.path("killed.slotwise"), "--push", server.url,
                             "--push-spool", self.spool, "--label", "run=killed", "--",
                             harness.CLIENT, "spin", "20")
        harness.wait_until(lambda: server.requests, 60, "a request")
        process.kill()
        process.wait(60)
        self.count(self.kept(), 1)
        self.push("--push", server.url, "--label", "run=next")
        self.assertEqual([p.labels["run"] for p in server.pushed], ["next", "killed"])
        self.assertEqual(self.kept(), [])

    def test_of_metrics_only_the_last_waits(self):
        port = fleet.free_port()
        for _ in range(2):
            self.push("--push-gateway", f"http://127.0.0.1:{port}", "--push-tries", "1")
        self.count(self.kept(), 1)

    def test_two_runs_never_send_the_same_twice(self):
        port = fleet.free_port()
        url = f"http://127.0.0.1:{port}"
        for _ in range(3):
            self.push("--push", url, "--push-tries", "1")
        server = self.server(port=port, behave=lambda *_: time.sleep(0.1))
        threads = [threading.Thread(target=self.slotwise, args=(
            "profile", "-q", "-o", self.path(f"both{i}.slotwise"), "--push", url, "--push-spool",
            self.spool, "--", harness.CLIENT, "spin", "20")) for i in range(2)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(server.refused, [])
        self.count(server.pushed, 5)
        self.count({p.raw for p in server.pushed}, 5)
        self.assertEqual(self.kept(), [])

    def test_the_spool_is_bounded_and_says_what_had_to_go(self):
        url = f"http://127.0.0.1:{fleet.free_port()}"
        options = ("--push", url, "--push-tries", "1", "--push-spool-size", "5000")
        said = ""
        for _ in range(20):  # how long a profile is depends on where the samples fell
            said += self.push(*options)[0]
            if "were dropped" in said:
                break
        sizes = [os.path.getsize(os.path.join(self.spool, name)) for name in self.kept()]
        self.assertTrue(0 < sum(sizes) <= 5000, sizes)
        self.assertIn("were dropped: there is no room", said)
        for option, why in ((("--push-spool-size", "300"), "larger than all that may be kept"),
                            (("--no-push-spool",), "turned off")):
            said, _ = self.push("--push", url, "--push-tries", "1", *option,
                                status=harness.INTERNAL)
            self.assertIn(why, said)

    def test_full_disk_under_the_spool(self):
        self.need_root("a small tmpfs has to be mounted")
        os.mkdir(self.spool)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", self.spool],
                              capture_output=True, check=False)
        if done.returncode != 0:
            self.skipTest(f"cannot mount a tmpfs: {done.stderr.decode()}")
        self.addCleanup(subprocess.run, ["umount", "-l", self.spool], check=False)
        harness.fill(self.spool)
        server = self.server()
        self.push("--push", server.url)
        self.count(server.pushed, 1)  # what cannot be kept is sent all the same
        said, _ = self.push("--push", f"http://127.0.0.1:{fleet.free_port()}", "--push-tries", "1",
                            status=harness.INTERNAL)
        self.assertRegex(said, r"(?i)nor kept: .*No space left")
        self.assertEqual(self.kept(), ["ballast"])

    def test_foreign_and_broken_files_in_the_spool(self):
        port = fleet.free_port()
        url = f"http://127.0.0.1:{port}"
        self.push("--push", url, "--push-tries", "1")
        good = harness.read_bytes(os.path.join(self.spool, self.kept()[0]))
        for name, data in (("a.push", b""), ("b.push", good[:-1]), ("c.push", os.urandom(500)),
                           ("d.push", good[:-2] + b"!}"), ("notes.txt", b"mine"),
                           ("e.push", good.replace(b'"schema":1', b'"schema":9', 1))):
            with open(os.path.join(self.spool, name), "wb") as f:
                f.write(data)
        os.symlink("/etc/hostname", os.path.join(self.spool, "f.push"))
        os.mkfifo(os.path.join(self.spool, "g.push"))
        server = self.server(port=port)
        said, _ = self.push("--push", url)
        self.assertEqual((len(server.pushed), server.refused), (2, []))
        self.assertIn("4 pushes kept by earlier runs were refused by", said)
        self.assertEqual(self.kept(), ["e.push", "f.push", "g.push", "notes.txt"])


class Answers(Case):
    """One bad day of a server after the other."""

    def answers(self, *statuses, headers=(), text="because"):
        """A server that gives these answers, then takes what it is sent."""
        def behave(handler, n):
            if n > len(statuses):
                return False
            handler.answer(statuses[n - 1], text, headers)
            return True
        return self.server(behave=behave)

    def test_overloaded_servers_are_asked_again(self):
        server = self.answers(503, 429, headers=[("Retry-After", "0")])
        said, _ = self.push("--push", server.url)
        self.assertEqual((len(server.requests), len(server.pushed)), (3, 1), said)
        self.assertEqual(self.kept(), [])

    def test_a_server_that_asks_for_more_patience_than_we_have(self):
        server = self.answers(503, headers=[("Retry-After", "3000")])
        said, _ = self.push("--push", server.url)
        self.assertEqual((len(server.requests), len(self.kept())), (1, 1), said)

    def test_what_the_server_finds_fault_with_is_not_tried_again(self):
        for status in (400, 404, 413, 422, 501):
            with self.subTest(status):
                server = self.answers(status, text="\x1b[31mno\nway")
                said, run = self.push("--push", server.url, status=harness.INTERNAL)
                self.assertRegex(said, rf"refused by http.*HTTP {status}: \[31mno way")
                self.assertEqual((len(server.requests), self.kept()), (1, []))
                self.assertTrue(os.path.exists(os.path.join(run, "profile.pb.gz")))

    def test_bad_credentials_are_kept_for_better_ones(self):
        server = self.answers(401)
        self.push("--push", server.url)
        self.assertEqual((len(server.requests), len(self.kept())), (1, 1))
        self.push("--push", server.url)
        self.assertEqual((len(server.pushed), self.kept()), (2, []))

    def test_redirects_are_told_and_not_followed(self):
        other = self.server()
        server = self.answers(301, headers=[("Location", other.url + "/ingest")])
        said, _ = self.push("--push", server.url, status=harness.INTERNAL)
        self.assertIn("redirected (HTTP 301)", said)
        self.assertEqual((other.requests, self.kept()), ([], []))

    def test_answers_without_end(self):
        def behave(handler, _):
            handler.send_response(status)
            handler.end_headers()
            for _ in range(2000):
                handler.wfile.write(b"x" * 65536)
            return True
        for status, kept in ((200, 0), (500, 1)):
            with self.subTest(status):
                server = self.server(behave=behave)
                said, _ = self.push("--push", server.url, "--push-tries", "1")
                self.assertLess(len(said), 20000)
                self.count(self.kept(), kept)

    def test_slow_and_silent_servers(self):
        gone = threading.Event()
        self.addCleanup(gone.set)

        def slow(handler, _):
            return gone.wait(60) or True

        def half(handler, _):
            handler.wfile.write(b"HTTP/1.1 20")
            handler.wfile.flush()
            return gone.wait(60) or True

        def nonsense(handler, _):
            handler.wfile.write(b"\0\xff" * 1000)
            handler.close_connection = True
            return True
        for n, behave in enumerate((slow, half, nonsense), 1):
            with self.subTest(behave.__name__):
                server = self.server(behave=behave)
                said, _ = self.push("--push", server.url, "--push-tries", "2", "--push-timeout",
                                    "300ms")
                self.assertIn("tried 2 times", said)
                self.count(self.kept(), n)

    def test_tls_is_checked(self):
        key, certificate = fleet.certificate(self)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        server = self.server(tls=tls)
        said, _ = self.push("--push", server.url)
        self.assertRegex(said, "(?i)certificate")
        self.assertEqual((server.pushed, len(self.kept())), ([], 1))
        self.push("--push", server.url, "--push-ca", certificate)
        self.assertEqual((len(server.pushed), self.kept()), (2, []))


class Secrets(Case):
    def everything(self, folder):
        for at, _, names in os.walk(folder):
            for name in names:
                data = harness.read_bytes(os.path.join(at, name))
                yield gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data

    def test_are_sent_and_nowhere_else(self):
        headers = self.path("headers")
        with open(headers, "w", encoding="ascii") as f:
            f.write(f"# for the proxy\n\nX-Scope-OrgID: tenant-7\r\nX-Token: Bearer {TOKEN}\n")

        def echo(handler, n):
            """The worst: a server that answers with what it was told."""
            if n == 1:
                handler.answer(401, f"{handler.headers} {SECRET}")
            return n == 1
        server = self.server(behave=echo)
        url = server.url.replace("//", f"//user:{SECRET}@")
        said, run = self.push("--push", url, "--push-headers", headers)
        _, _, sent = server.requests[0]
        self.assertEqual(sent["X-Token"], f"Bearer {TOKEN}")
        self.assertEqual(sent["X-Scope-OrgID"], "tenant-7")
        basic = sent["Authorization"].split()[1]
        self.assertIn("HTTP 401", said)
        for text in (said.encode(), *self.everything(run), *self.everything(self.spool)):
            for secret in (SECRET, TOKEN, basic):
                self.assertNotIn(secret.encode(), text)
        self.assertTrue(self.kept())
        # The next run's credentials go with what was kept.
        self.push("--push", url, "--push-headers", headers)
        self.assertEqual([r[2].get("Authorization") for r in server.requests],
                         [sent["Authorization"]] * 3)

    def test_are_not_repeated_by_errors(self):
        broken = self.path("broken")
        with open(broken, "w", encoding="ascii") as f:
            f.write(f"X-Ok: 1\nno header {TOKEN}\n")
        for options in ((f"http://u:{SECRET}@/",), (f"http://u:{SECRET}@host/?q",),
                        (f"u:{SECRET}@host",), (f"http://u:{SECRET}%zz@host",),
                        ("http://host", "--push-headers", broken)):
            done = self.slotwise("profile", "-o", self.path("no"), "--push", *options, "--", "true",
                                 status=None)
            self.assertIn(done.returncode, (harness.USAGE, harness.BAD_DATA))
            self.assertNotRegex(done.stderr, f"{SECRET}|{TOKEN}")
            self.assertFalse(os.path.exists(self.path("no")), "nothing is measured first")
        self.assertIn("broken:2", done.stderr)


class Usage(Case):
    def test_what_no_server_takes_is_said_before_anything_is_measured(self):
        url = "http://127.0.0.1:1"
        for options in (("--push-to", "ingest"), ("--push-ca", "x"), ("--push-headers", "x"),
                        ("--push-tries", "2"), ("--push-spool-size", "1M"),
                        ("--push", "ftp://host"), ("--push", "http://ho st"),
                        ("--push", url, "--no-sampling"),
                        ("--push", url, "--push-timeout", "0ms"),
                        ("--push", url, "--push-tries", "0"),
                        ("--push", url, "--label", "a-b=1"), ("--push", url, "--label", "__x=1"),
                        ("--push", url, "--label", "a="), ("--push", url, "--label", "a=1\n2"),
                        ("--push", url, "--label", "a=1", "--label", "a=2"),
                        ("--push", url, "--label", "a=" + "x" * 2049),
                        ("--push", url + "/ingest", "--label", "a=b,c")):
            done = self.slotwise("profile", "-o", self.path("no"), *options, "--", "true",
                                 status=harness.USAGE)
            self.assertFalse(os.path.exists(self.path("no")), options)
            self.assertRegex(done.stderr, re.compile("push|label|ingest"))

    def test_labels_are_not_restricted_where_nothing_is_pushed(self):
        self.slotwise("profile", "-q", "-o", self.path("yes"), "--label", "a b=", "--", "true")


if __name__ == "__main__":
    harness.main()
