# SPDX-License-Identifier: MIT
"""Files that are damaged, cut short or something else altogether."""
import gzip
import json
import os
import random
import shutil

import harness
import peers

SEED = int(os.environ.get("SLW_SEED", "20"))


class Inputs(harness.Case):
    def setUp(self):
        super().setUp()
        print(f"seed {SEED}", flush=True)
        self.random = random.Random(SEED)
        _, self.run_dir = self.profile(harness.CLIENT, "forks", "60")
        self.data = harness.read_bytes(os.path.join(self.run_dir, "perf.data"))

    def import_bytes(self, data, status=None, name="x"):
        source, run = self.path("input.data"), self.path(name + ".slotwise")
        shutil.rmtree(run, ignore_errors=True)
        with open(source, "wb") as f:
            f.write(data)
        done = self.slotwise("import", source, "-o", run, status=status, timeout=60)
        if done.returncode != 0:
            self.assertEqual(done.returncode, harness.BAD_DATA, done.stderr)
            self.assertIn("input.data", done.stderr, "does not say which file")
            return None
        return self.load(run)

    def whole(self):
        return sum(s["samples"] for s in self.load(self.run_dir)["samplings"])

    def test_not_a_perf_data(self):
        for data in (b"", b"P", b"PERFILE2", b"\0" * 4096, b"%PDF-1.4\n" * 100, os.urandom(5000),
                     harness.read_bytes(harness.SLOTWISE)[:100000], b"\x7fELF" + b"\1" * 200):
            self.import_bytes(data, status=harness.BAD_DATA)

    def test_cut_short(self):
        """A perf that was killed leaves such files. Whatever is readable counts, and the rest is
        said to be missing; nothing readable is an error."""
        places = self.random.sample(range(1, len(self.data)), 60)
        for cut in sorted(places + [8, 104, len(self.data) - 200, len(self.data) - 1]):
            document = self.import_bytes(self.data[:cut])
            if document is None:
                continue
            self.assertLessEqual(sum(s["samples"] for s in document["samplings"]), self.whole())
            self.assertTrue(document["notes"] or document["losses"]["unreadable_bytes"],
                            f"cut at {cut} of {len(self.data)} and not a word about it")

    def test_flipped_bytes(self):
        for _ in range(80):
            data = bytearray(self.data)
            for _ in range(self.random.choice((1, 4, 64))):
                data[self.random.randrange(len(data))] = self.random.randrange(256)
            self.import_bytes(bytes(data))

    def test_header_that_lies(self):
        for offset in range(8, 104, 8):
            for value in (0, 1, 2 ** 31, 2 ** 63, 2 ** 64 - 1, len(self.data)):
                data = bytearray(self.data)
                data[offset:offset + 8] = value.to_bytes(8, "little")
                self.import_bytes(bytes(data))

    def test_perf_archive_of_another_kind_of_machine(self):
        data = bytearray(self.data)
        data[:8] = b"2ELIFREP"  # the magic of a machine of the other byte order
        self.import_bytes(bytes(data), status=harness.BAD_DATA)

    def test_folder_and_missing_file(self):
        self.slotwise("import", self.dir, "-o", self.path("x.slotwise"), status=harness.BAD_DATA)
        self.slotwise("import", self.path("nothing"), "-o", self.path("x.slotwise"),
                      status=harness.BAD_DATA)
        for command in ("report", "flamegraph"):
            self.slotwise(command, self.path("nothing"), status=harness.BAD_DATA)

    def test_perf_reads_the_file_we_damaged_as_badly(self):
        """Guard of this test file: perf refuses an input that we refuse."""
        self.need("perf")
        with open(self.path("zeros"), "wb") as f:
            f.write(b"\0" * 4096)
        self.assertNotEqual(peers.perf("report", "-i", self.path("zeros"), check=False).returncode, 0)


class RunFolders(harness.Case):
    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.document, self.run_dir = self.profile(harness.CLIENT, "spin", "120")

    def damage(self, name, change):
        """A copy of the run with one file changed, through every command that reads runs."""
        copy = self.path("damaged.slotwise")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.run_dir, copy)
        path = os.path.join(copy, name)
        data = change(harness.read_bytes(path))
        if data is None:
            os.unlink(path)
        else:
            with open(path, "wb") as f:
                f.write(data)
        results = []
        for args in (("report", copy), ("report", copy, "--format", "json"),
                     ("flamegraph", copy, "-o", self.path("g.svg")),
                     ("export", copy, "--format", "folded")):
            done = self.slotwise(*args, status=None)
            self.assertIn(done.returncode, (0, harness.BAD_DATA), done.stderr)
            results.append(done.returncode)
        return results

    def test_without_run_json(self):
        """The stacks alone are worth a report, but not without saying what is missing."""
        results = self.damage("run.json", lambda data: None)
        if results[1] == 0:
            report = self.slotwise("report", self.path("damaged.slotwise"), "--format", "json")
            self.assertIn("run.json", report.stdout + report.stderr)

    def test_without_a_profile(self):
        """Counting without sampling leaves none; the report works, the graph cannot."""
        results = self.damage("profile.pb.gz", lambda data: None)
        self.assertEqual(results[0], 0)
        self.assertEqual(results[2], harness.BAD_DATA)

    def test_run_json_cut_short(self):
        for cut in (0, 1, 10, 500):
            self.assertNotIn(0, self.damage("run.json", lambda data, cut=cut: data[:cut]))

    def test_profile_cut_short(self):
        for cut in (0, 5, 20, 100):
            results = self.damage("profile.pb.gz", lambda data, cut=cut: data[:cut])
            self.assertNotIn(0, results, f"cut at {cut}: an unreadable profile is an error")

    def test_profile_without_its_checksum(self):
        self.assertNotIn(0, self.damage("profile.pb.gz", lambda data: data[:-4]))

    def test_profile_with_flipped_bytes(self):
        for _ in range(40):
            def change(data):
                raw = bytearray(gzip.decompress(data))
                raw[self.random.randrange(len(raw))] = self.random.randrange(256)
                return gzip.compress(bytes(raw))
            self.damage("profile.pb.gz", change)

    def test_newer_schema_is_refused(self):
        def newer(data):
            document = json.loads(data)
            document["schema"] += 1
            return json.dumps(document).encode()
        self.assertEqual(set(self.damage("run.json", newer)), {harness.BAD_DATA})

    def test_values_of_the_wrong_kind(self):
        for key in list(self.document):
            for wrong in (None, [], {}, "x", -1, 1e300, True):
                def change(data, key=key, wrong=wrong):
                    document = json.loads(data)
                    document[key] = wrong
                    return json.dumps(document).encode()
                self.damage("run.json", change)

    def test_json_that_nests_for_ever(self):
        self.assertNotIn(0, self.damage("run.json", lambda data: b"[" * 200000))


class Usage(harness.Case):
    def test_every_wrong_command_line_is_usage(self):
        for args in ((), ("no-such-command",), ("report",), ("profile",), ("profile", "--"),
                     ("profile", "--no-such-option", "--", "true"), ("flamegraph",), ("export",),
                     ("profile", "-F", "zero", "--", "true"), ("profile", "-F", "0", "--", "true"),
                     ("report", "x", "--format", "no-such-format"), ("import",)):
            done = self.slotwise(*args, status=harness.USAGE)
            self.assertRegex(done.stderr, r"help|usage|Usage")

    def test_help_of_every_command(self):
        for command in ("doctor", "profile", "report", "flamegraph", "import", "export", "models"):
            done = self.slotwise(command, "--help")
            self.assertIn(command, done.stdout)


if __name__ == "__main__":
    harness.main()
