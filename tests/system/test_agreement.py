# SPDX-License-Identifier: MIT
"""The same perf.data through perf and through slotwise: samples and weights agree exactly, per comm,
per module and per function, whoever of the two wrote it."""
import collections
import os

import harness
import peers
import pprof

BPF = "bpf_prog_"  # how the kernel names a program's code: bpf_prog_TAG_NAME


def ours(run, key):
    """{key(sample): Totals} of profile.pb.gz: column 0 counts samples, column 1 weighs them."""
    profile = pprof.Profile(os.path.join(run, "profile.pb.gz"))
    types = [name for name, _ in profile.sample_types]
    count = types.index("samples")
    weight = next(i for i, name in enumerate(types) if i != count)
    sums = collections.defaultdict(lambda: peers.Totals(0, 0))
    for sample in profile.samples:
        totals = peers.Totals(sample.values[count], sample.values[weight])
        sums[key(sample)] = peers.added(sums[key(sample)], totals)
    return dict(sums)


def comm(sample):
    return (sample.labels.get("comm", peers.NAMELESS),)


def module(sample):
    frame = sample.frames[0]
    return (os.path.basename(frame.module) or "[unknown]",)


def function(sample):
    """What was inlined into a function is a part of it, as in perf report's own column."""
    frame = next((f for f in sample.frames if not f.inlined), sample.frames[0])
    return module(sample) + (frame.function.split("@@")[0],)


class Agreement(harness.Case):
    """What a reader of both tools would compare."""

    maxDiff = None

    def setUp(self):
        super().setUp()
        self.need("perf")

    def agree(self, data, run):
        self.assertEqual(ours(run, lambda s: ()), self.theirs(data, ""), "in total")
        self.assertEqual(ours(run, comm), self.named(data, self.theirs(data, "comm")), "per comm")
        theirs = self.theirs(data, "dso,sym")
        modules = collections.defaultdict(lambda: peers.Totals(0, 0))
        for (name, _), totals in theirs.items():
            modules[(name,)] = peers.added(modules[(name,)], totals)
        self.assertEqual(ours(run, module), dict(modules), "per module")
        mine = ours(run, function)
        # perf prints a bare address where it knows no symbol, slotwise the module. slotwise names the
        # stubs of every linkage table, perf some of them (none of .plt.got): they count as unnamed.
        for table in (theirs, mine):
            for key in [k for k in table if not k[1] or k[1].endswith("@plt") or
                        k[1].startswith(("0x", "[", "00000", BPF))]:
                unnamed = (key[0], "")
                table[unnamed] = peers.added(table.pop(key), table.get(unnamed, peers.Totals(0, 0)))
        differing = {key: (mine.get(key), theirs.get(key)) for key in mine.keys() | theirs.keys()
                     if mine.get(key) != theirs.get(key)}
        self.assertEqual(differing, {}, "per function: (ours, perf's)")

    def theirs(self, data, sort):
        table = collections.defaultdict(lambda: peers.Totals(0, 0))
        for key, totals in peers.report(data, sort or "comm").items():
            key = key if sort else ()
            if "sym" in sort:
                # Code that came into the kernel meanwhile, as another test's BPF programs: perf has
                # no module for it, or one for each program.
                beyond = (key[0] == "[unknown]" and key[-1].startswith("0xffff")
                          or key[0].startswith(BPF))
                key = ("[kernel.kallsyms]" if beyond else key[0], key[-1].split("@@")[0])
            table[key] = peers.added(table[key], totals)
        return dict(table)

    def named(self, data, comms):
        """To perf a thread that is nearly gone, and has no number any more, has no name either."""
        table = dict(comms)
        if table.pop((peers.NAMELESS,), None):
            for name, totals in peers.without_thread(data).items():
                table[(name,)] = peers.added(table.get((name,), peers.Totals(0, 0)), totals)
        return table

    def json_total(self, run):
        return sum(s["samples"] for s in self.load(run)["samplings"])

    def test_our_samples_of_one_thread(self):
        _, run = self.profile(harness.CLIENT, "spin", "1000")
        self.agree(os.path.join(run, "perf.data"), run)

    def test_our_samples_of_threads_and_children(self):
        for what, how_much in (("threads", "400"), ("forks", "400"), ("brief", "20000")):
            with self.subTest(what):
                _, run = self.profile(harness.CLIENT, what, how_much, name=what)
                self.agree(os.path.join(run, "perf.data"), run)

    def test_our_samples_of_sqlite(self):
        query = ("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n "
                 "WHERE x < 1000000) SELECT sum(x) FROM n;")
        _, run = self.profile(self.need("sqlite3"), ":memory:", query)
        self.agree(os.path.join(run, "perf.data"), run)

    def test_samples_that_perf_recorded(self):
        for name, options in (("frames", ("-F", "997", "-g")), ("flat", ("-F", "1999")),
                              ("period", ("-e", "cpu-clock", "-c", "700000", "-g"))):
            with self.subTest(name):
                data, run = self.path(name + ".data"), self.path(name + ".slotwise")
                peers.record(data, harness.CLIENT, "forks", "300", options=options)
                self.slotwise("import", data, "-o", run)
                self.agree(data, run)

    def test_perf_script_prints_every_sample_of_ours(self):
        _, run = self.profile(harness.CLIENT, "spin", "500")
        script = peers.perf("script", "-f", "-i", os.path.join(run, "perf.data"), "-F",
                            "comm,tid,time,period,ip,sym").stdout
        headers = [line for line in script.splitlines() if line and not line[0].isspace()]
        self.assertEqual(len(headers), self.json_total(run))

    def test_no_warning_from_perf(self):
        _, run = self.profile(harness.CLIENT, "forks", "200")
        done = peers.perf("report", "-f", "-i", os.path.join(run, "perf.data"), "--stdio")
        # Without a matching kernel image perf says so about any file; nothing else may be wrong.
        wrong = [line for line in done.stderr.splitlines() if "WARNING" in line or "rror" in line]
        self.assertEqual(wrong, [])

    def test_folded_and_pprof_hold_the_same_weight(self):
        _, run = self.profile(harness.CLIENT, "threads", "300")
        profile = pprof.Profile(os.path.join(run, "profile.pb.gz"))
        self.assertIn(sum(self.folded(run).values()), profile.totals())

    def test_shares_of_known_work(self):
        """The client does three times as much in hot as in warm; sampling may not bend that."""
        _, run = self.profile(harness.CLIENT, "spin", "3000")
        weights = harness.self_weights(self.folded(run))
        ratio = weights["slw_client_hot"] / weights["slw_client_warm"]
        self.assertGreater(ratio, 2.4)  # 3000 samples: six standard deviations are about 0.5
        self.assertLess(ratio, 3.7)


class Formats(harness.Case):
    def test_protoc_decodes_the_profile(self):
        protoc = self.need("protoc")
        proto = self.find_proto()
        _, run = self.profile(harness.CLIENT, "spin", "200")
        import gzip
        raw = gzip.open(os.path.join(run, "profile.pb.gz")).read()
        done = harness.subprocess.run(
            [protoc, f"--proto_path={os.path.dirname(proto)}",
             "--decode=perftools.profiles.Profile", os.path.basename(proto)],
            input=raw, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        text = done.stdout.decode("utf-8", "replace")
        self.assertIn("slw_client_hot", text)
        self.assertNotRegex(text, r"(?m)^\d+:", "fields the layout does not know")

    def find_proto(self):
        for folder, _, names in os.walk(harness.ROOT):
            if "/build" not in folder and "profile.proto" in names:
                return os.path.join(folder, "profile.proto")
        self.fail("no profile.proto in the tree")


if __name__ == "__main__":
    harness.main()
