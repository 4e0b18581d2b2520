# SPDX-License-Identifier: MIT
"""What `cmake --install` puts on a machine works from there."""
import os
import stat

import harness


class Install(harness.Case):
    def setUp(self):
        super().setUp()
        build = os.environ.get("SLW_BUILD_DIR", os.path.join(harness.ROOT, "build/gcc"))
        harness.subprocess.run(["cmake", "--install", build, "--prefix", self.path("usr")],
                               check=True, capture_output=True, timeout=60)

    def test_the_program_runs_without_the_tree(self):
        program = self.path("usr", "bin", "slotwise")
        done = harness.subprocess.run([program, "--version"], capture_output=True, text=True,
                                      timeout=20, cwd="/", check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^slotwise \d+\.\d+\.\d+")
        self.assertEqual(stat.S_IMODE(os.stat(program).st_mode) & 0o022, 0)

    def test_the_workloads_are_found(self):
        done = harness.subprocess.run(
            [self.path("usr", "bin", "slotwise"), "workload", "run", "shards", "--requests", "100"],
            capture_output=True, text=True, timeout=20, cwd="/", check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"throughput +\d")

    def test_the_program_carries_no_path_of_the_build(self):
        data = harness.read_bytes(self.path("usr", "bin", "slotwise"))
        self.assertNotIn(os.path.join(harness.ROOT, "").encode(), data)

    def test_the_man_page_is_clean(self):
        mandoc = self.need("mandoc")
        page = self.path("usr", "share", "man", "man1", "slotwise.1")
        self.assertTrue(os.path.exists(page), "no man page")
        done = harness.subprocess.run([mandoc, "-T", "lint", "-W", "warning", page],
                                      capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_completions_are_installed_and_parse(self):
        bash = self.path("usr", "share", "bash-completion", "completions", "slotwise")
        self.assertTrue(os.path.exists(bash), "no bash completion")
        harness.subprocess.run(["bash", "-n", bash], check=True)
        self.assertTrue(os.path.exists(self.path("usr", "share", "zsh", "site-functions",
                                                 "_slotwise")), "no zsh completion")


if __name__ == "__main__":
    harness.main()
