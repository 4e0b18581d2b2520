# SPDX-License-Identifier: MIT
"""The example workflow of docs/ci: its steps, run by scripts/ci-example on a real client, judge pull
requests that cost more, cost less, and that nobody can tell; and what keeps it safe for forks."""
import glob
import json
import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import harness

REGRESSED, INCONCLUSIVE = 10, 11
SCRIPT = os.path.join(harness.ROOT, "scripts", "ci-example")
WORKFLOWS = os.path.join(harness.ROOT, "docs", "ci")
SYSTEM_PYTHON = "/usr/bin/python3"  # the distribution's yaml belongs to it
ARTIFACTS = ["bencher.json", "bigger-is-better.json", "comment.md",
             "comparison.html", "comparison.json", "junit.xml", "openmetrics.txt", "rounds.csv",
             "smaller-is-better.json", "status", "summary.md"]


class Ci(harness.Case):
    def workflow(self, name):
        done = subprocess.run([SYSTEM_PYTHON, "-c", "import json, sys, yaml; json.dump("
                               "yaml.load(sys.stdin, yaml.BaseLoader), sys.stdout)"],
                              input=harness.read_bytes(os.path.join(WORKFLOWS, name)),
                              capture_output=True, check=False)
        if b"No module named" in done.stderr:
            self.missing("no python3-yaml")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def steps(self, name):
        return [step for job in self.workflow(name)["jobs"].values() for step in job["steps"]]


class Steps(Ci):
    """A pull request is a git project of two commits, whose client is sqlite3."""

    ROWS = 300

    def statements(self, searches):
        rows = [f"insert into t values({i}, 'row {i}');" for i in range(self.ROWS)]
        look = ["select count(*) from t a, t b where a.b like b.b;"] * searches
        return "create table t(a integer primary key, b text);\n" + "\n".join(rows + look) + "\n"

    def git(self, *args):
        subprocess.run(["git", "-C", self.path("project"), "-c", "user.name=test",
                        "-c", "user.email=test@example.invalid", *args], check=True,
                       capture_output=True, timeout=60)

    def project(self, base, candidate):
        self.need("git", "sqlite3")
        os.mkdir(self.path("project"))
        self.git("init", "-q")
        for searches in (base, candidate):
            with open(self.path("project", "bench.sql"), "w", encoding="ascii") as f:
                f.write(self.statements(searches))
            self.git("add", "bench.sql")
            self.git("commit", "-q", "-m", f"look {searches} times")

    def run_ci(self, *args, rounds=7, **more):
        env = dict(os.environ, PATH=os.path.dirname(harness.SLOTWISE) + ":" + os.environ["PATH"],
                   XDG_CACHE_HOME=self.path("cache"), ROUNDS=str(rounds),
                   OPTIONS="--aa no --no-sampling --warmup 0 --offcpu no --quiet", **more)
        return subprocess.run([SCRIPT, *args, self.path("project")], env=env, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, timeout=300, check=False)

    def report(self, name):
        return harness.read_bytes(self.path("project", "report", name)).decode()

    def check(self, done, status, judged):
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertEqual(self.report("status"), f"{judged}\n")
        files = {os.path.basename(p) for p in glob.glob(self.path("project", "report", "*"))}
        self.assertEqual(files, {*ARTIFACTS, "pull-request.compare"})
        comment = self.report("comment.md")
        self.assertEqual(comment, self.report("summary.md"))
        self.assertRegex(comment, r"\A<!-- slotwise:compare [0-9a-f]{16} -->\n### slotwise: ")
        self.assertLess(len(comment.encode()), 65000)
        for name in ("bencher.json", "bigger-is-better.json", "comparison.json",
                     "smaller-is-better.json"):
            json.loads(self.report(name))
        return ElementTree.fromstring(self.report("junit.xml"))

    def test_a_pull_request_that_costs_more_fails(self):
        self.project(base=1, candidate=10)
        suites = self.check(self.run_ci(), REGRESSED, REGRESSED)
        self.assertEqual(suites.get("failures"), "1")
        self.assertIn("**failed**", self.report("comment.md"))
        self.assertIn("::error::", self.run_step("Verdict").stdout)

    def test_a_pull_request_that_costs_less_passes(self):
        self.project(base=10, candidate=1)
        suites = self.check(self.run_ci(), harness.DONE, harness.DONE)
        self.assertEqual((suites.get("tests"), suites.get("failures")), ("1", "0"))
        self.assertEqual(suites.findall(".//skipped"), [])

    def test_what_cannot_be_told_passes_with_a_warning_or_fails(self):
        self.project(base=1, candidate=10)
        done = self.run_ci(rounds=2)
        suites = self.check(done, harness.DONE, INCONCLUSIVE)
        self.assertIn("::warning::", done.stdout)
        self.assertEqual(len(suites.findall(".//skipped")), 1)
        self.assertEqual(self.run_step("Verdict", INCONCLUSIVE="fail").returncode, INCONCLUSIVE)

    def test_a_client_that_cannot_run_is_no_pass(self):
        self.project(base=1, candidate=2)
        done = self.run_ci(CANDIDATE_COMMAND="./no-such-client")
        self.assertNotIn(done.returncode, (harness.DONE, REGRESSED, INCONCLUSIVE), done.stderr)
        self.assertIn("step 'Compare' ended", done.stderr)

    def run_step(self, name, **env):
        """One step again, as its commands stand in the workflow."""
        step = next(s for s in self.steps("pull-request.yml") if s.get("name") == name)
        return subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c",
                               step["run"]], cwd=self.path("project"), capture_output=True,
                              text=True, timeout=60, check=False,
                              env=dict(os.environ, INCONCLUSIVE="pass") | env)


class Workflow(Ci):
    def test_the_script_runs_every_step_and_sets_every_variable(self):
        """Found in the file by a reader of YAML and by the script's own few lines of awk."""
        commands = [s for s in self.steps("pull-request.yml") if "run" in s]
        listed = subprocess.run([SCRIPT, "--list"], capture_output=True, text=True, check=True)
        self.assertEqual(listed.stdout.splitlines(), [s["name"] for s in commands])
        self.assertGreater(len(commands), 3)
        for step in commands:
            with self.subTest(step["name"]):
                text = subprocess.run([SCRIPT, "--print", step["name"]], capture_output=True,
                                      text=True, check=True).stdout
                self.assertEqual(text.strip(), step["run"].strip())
        variables = subprocess.run([SCRIPT, "--variables"], capture_output=True, text=True,
                                   check=True).stdout.splitlines()
        self.assertEqual(dict(line.split("=", 1) for line in variables),
                         {name: value for name, value in self.workflow("pull-request.yml")["env"]
                          .items() if "${{" not in value})

    def test_forks_get_no_token_and_no_code_of_theirs_is_trusted(self):
        for name in os.listdir(WORKFLOWS):
            with self.subTest(name):
                text = harness.read_bytes(os.path.join(WORKFLOWS, name)).decode()
                self.assertNotRegex(text, r"pull_request_target|secrets\.")
                for step in self.steps(name):
                    # What somebody else may choose (a branch's name) would be run as a command.
                    self.assertNotIn("${{", step.get("run", ""))
                    if "uses" in step:
                        self.assertRegex(text, re.escape(f"uses: {step['uses']}") + r" # v\d")
                        self.assertRegex(step["uses"], r"^[\w-]+/[\w-]+@[0-9a-f]{40}$")
        workflow = self.workflow("pull-request.yml")
        self.assertEqual(workflow["permissions"], {"contents": "read"})
        checkout = next(s for s in self.steps("pull-request.yml") if "checkout" in
                        s.get("uses", ""))
        self.assertEqual(checkout["with"]["persist-credentials"], "false")
        # The one that may write comments takes text from the other's artifact and nothing else.
        self.assertFalse([s for s in self.steps("comment.yml") if "uses" in s])
        self.assertEqual(self.workflow("comment.yml")["permissions"],
                         {"actions": "read", "pull-requests": "write"})

    def test_the_commands_are_good_shell(self):
        shellcheck = self.need("shellcheck")
        for name in os.listdir(WORKFLOWS):
            for step in self.steps(name):
                if "run" in step:
                    done = subprocess.run([shellcheck, "--shell=bash", "-"], input=step["run"],
                                          capture_output=True, text=True, check=False)
                    self.assertEqual(done.returncode, 0, f"{name}: {done.stdout}")


class Comment(Ci):
    """The commenting job against a `gh` that only remembers what it was asked."""

    GH = r"""#!/bin/sh
case "$*" in
"run download"*) mkdir artifact && cp "$COMMENT" artifact/comment.md ;;
*"/pulls --method GET"*) printf '[{"number": 7, "head": {"sha": "%s"}}]' "$PULL_SHA" ;;
*"/issues/7/comments --paginate") cat "$COMMENTS" ;;
*) printf '%s\n' "$*" >>asked ;;
esac
"""

    def comment(self, text, comments, sha="1" * 40):
        self.need("jq")
        for name, content in (("gh", self.GH), ("comment.md", text),
                              ("comments", json.dumps(comments))):
            with open(self.path(name), "w", encoding="utf-8") as f:
                f.write(content)
        os.chmod(self.path("gh"), 0o755)
        env = dict(os.environ, PATH=self.dir + ":" + os.environ["PATH"], GH_REPO="o/r", RUN_ID="1",
                   HEAD="fork:branch", HEAD_SHA="1" * 40, PULL_SHA=sha,
                   COMMENT=self.path("comment.md"), COMMENTS=self.path("comments"))
        step, = self.steps("comment.yml")
        work = self.path("work")
        os.mkdir(work)
        done = subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c",
                               step["run"]], cwd=work, env=env, capture_output=True, text=True,
                              timeout=60, check=False)
        asked = os.path.join(work, "asked")
        return done, harness.read_bytes(asked).decode() if os.path.exists(asked) else ""

    MARKER = "<!-- slotwise:compare 0123456789abcdef -->\n"

    def test_a_first_comment_is_posted(self):
        other = {"id": 1, "user": {"login": "github-actions[bot]"}, "body": "something else"}
        theirs = {"id": 2, "user": {"login": "someone"}, "body": self.MARKER + "not ours"}
        done, asked = self.comment(self.MARKER + "text", [other, theirs])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("repos/o/r/issues/7/comments --method POST", asked)

    def test_the_next_one_updates_it(self):
        ours = {"id": 5, "user": {"login": "github-actions[bot]"}, "body": self.MARKER + "old"}
        done, asked = self.comment(self.MARKER + "new", [ours])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("repos/o/r/issues/comments/5 --method PATCH", asked)

    def test_what_slotwise_did_not_write_is_not_posted(self):
        for i, text in enumerate(("hello\n", self.MARKER[:-5] + "\n", self.MARKER + "x" * 70000)):
            with self.subTest(i):
                done, asked = self.comment(text, [])
                self.assertNotEqual(done.returncode, 0)
                self.assertEqual(asked, "")
                os.rename(self.path("work"), self.path(f"work-{i}"))

    def test_a_pull_request_that_moved_on_gets_none(self):
        done, asked = self.comment(self.MARKER, [], sha="2" * 40)
        self.assertEqual((done.returncode, asked), (0, ""))


if __name__ == "__main__":
    harness.main()
