# SPDX-License-Identifier: MIT
"""The kernel's symbols that are kept between runs change no name, whatever becomes of the file."""
import collections
import os
import shutil
import stat
import struct

import harness


NOWHERE = 0xfffffffffe000000  # behind the kernel and its modules, where BPF programs may be as well


def lead_nowhere(data):
    """Have samples of one place in the kernel come from where nothing is kept of."""
    content = harness.read_bytes(data)
    words = collections.Counter(word for word, in struct.iter_unpack("<Q", content[:len(content) & ~7])
                                if 0xffffffff80000000 <= word < NOWHERE)
    most, _ = words.most_common(1)[0]
    with open(data, "wb") as f:
        f.write(content.replace(struct.pack("<Q", most), struct.pack("<Q", NOWHERE)))


class Cache(harness.Case):
    def setUp(self):
        super().setUp()
        self.cache = self.path("home/.cache")
        self.file = os.path.join(self.cache, "slotwise", "kernel-symbols")
        os.mkdir(self.path("home"))

    def folded(self, data, **environment):
        out = self.path("out.folded")
        if os.path.exists(out):
            os.unlink(out)
        self.slotwise("export", data, "--format", "folded", "-o", out,
                      env={**os.environ, "HOME": self.path("home"), **environment})
        # Programs in the kernel come and go (BPF, of whoever measures beside this), and their names.
        return [line for line in harness.read_bytes(out).splitlines()
                if b"bpf_" not in line and b"[kernel.kallsyms]_[k]" not in line]

    def record(self):
        """Samples of which most are in the kernel."""
        run = self.path("run.slotwise")
        self.slotwise("profile", "--keep-raw", "-o", run, "--", "dd", "if=/dev/zero", "of=/dev/null",
                      "bs=1", "count=1500000")
        return os.path.join(run, "perf.data")

    def test_names_are_the_same_with_it(self):
        data = self.record()
        first = self.folded(data, XDG_CACHE_HOME="")
        if not any(b"_[k]" in line for line in first):
            self.missing("kernel addresses are hidden here")
        mode = os.stat(self.file).st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(self.file)).st_mode), 0o700)
        before = os.stat(self.file).st_ino
        self.assertEqual(self.folded(data, XDG_CACHE_HOME=""), first)
        self.assertEqual(os.stat(self.file).st_ino, before, "written although it was right")

    def test_what_it_does_not_cover_is_asked_for(self):
        data = self.record()
        first = self.folded(data, XDG_CACHE_HOME=self.cache)
        if not os.path.exists(self.file):
            self.missing("kernel addresses are hidden here")
        before = os.stat(self.file).st_ino
        lead_nowhere(data)
        self.assertNotEqual(self.folded(data, XDG_CACHE_HOME=self.cache), first)
        self.assertEqual(os.stat(self.file).st_ino, before, "written although it was right")

    def test_damage_costs_nothing_but_time(self):
        data = self.record()
        first = self.folded(data, XDG_CACHE_HOME=self.cache)
        if not os.path.exists(self.file):
            self.missing("kernel addresses are hidden here")
        whole = harness.read_bytes(self.file)
        for damaged in (b"", whole[:100], whole[:-1], whole[:5000] + b"\0" + whole[5001:]):
            with open(self.file, "wb") as f:
                f.write(damaged)
            self.assertEqual(self.folded(data, XDG_CACHE_HOME=self.cache), first)
            self.assertEqual(harness.read_bytes(self.file), whole, "not mended")

    def test_nowhere_to_keep_it(self):
        data = self.record()
        first = self.folded(data, XDG_CACHE_HOME=self.cache)
        shutil.rmtree(self.cache, ignore_errors=True)
        with open(self.cache, "wb") as f:
            f.write(b"no folder")
        self.assertEqual(self.folded(data, XDG_CACHE_HOME=self.cache), first)
        self.assertEqual(self.folded(data, XDG_CACHE_HOME="relative"), first)
        self.assertFalse(os.path.exists(os.path.join(self.dir, "relative")))
        self.assertEqual(self.folded(data, XDG_CACHE_HOME="/dev/full"), first)


if __name__ == "__main__":
    harness.main()
