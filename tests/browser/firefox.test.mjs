/* SPDX-License-Identifier: MIT */
/* The Firefox Profiler's own code, in its form for the command line, reads what `slotwise export`
 * writes: it brings the file to its newest version, draws its conclusions, and finds our numbers. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { cleanUp, folder, writeFile } from "./helpers.mjs";

const cli = fileURLToPath(new URL("node_modules/@firefox-devtools/profiler-cli/dist/profiler-cli.js",
  import.meta.url));
const FOLDED = 'main;parse 30\nmain;send;write_[k];copy_[k] 45\nmain;send 5\nmain;fold;fold;fold 7\n' +
  'main;<b>"x\\y</b>\u{1F600};operator<< (int) [clone .cold] 13\n';
const EXPECTED = { main: [100, 0], parse: [30, 30], send: [50, 5], write: [45, 0], copy: [45, 45],
  fold: [7, 7], '<b>"x\\y</b>\u{1F600}': [13, 0], "operator<< (int) [clone .cold]": [13, 13] };

/* Each profile has a process that answers questions about it. */
const sessions = path.join(folder, "sessions");
const env = { ...process.env, PROFILER_CLI_SESSION_DIR: sessions };
const daemons = [];

after(() => {
  for (const daemon of daemons)
    daemon.kill("SIGKILL");
  cleanUp();
});

function ask(session, ...args) {
  return JSON.parse(execFileSync(process.execPath, [cli, ...args, "--json", "--session", session],
    { env, timeout: 60000, stdio: ["ignore", "pipe", "pipe"] }).toString("utf8"));
}

function exported(input, format) {
  return execFileSync(process.env.SLW_BIN, ["export", input, "--format", format]);
}

/* A daemon writes down its session once it listens. */
function isPublished(session) {
  try {
    JSON.parse(fs.readFileSync(path.join(sessions, `${session}.json`), "utf8"));
    return true;
  } catch {
    return false;
  }
}

/* What its command "load" does, without that one's half a second of patience. Who asks for a session
 * that is not written down yet removes what there is of it (profiler-cli 0.10), and when the daemon
 * writes it just then, it is lost for good: so nobody asks before. */
async function load(session, name, bytes) {
  const daemon = spawn(process.execPath, [cli, "--daemon", writeFile(name, bytes), "--session", session],
    { env, stdio: ["ignore", "ignore", "inherit"] });
  daemons.push(daemon);
  const deadline = Date.now() + 120000;
  for (;;) {
    assert.equal(daemon.exitCode ?? daemon.signalCode, null, "the daemon ended");
    assert.ok(Date.now() < deadline, "the daemon neither ended nor answered");
    try {
      if (isPublished(session))
        return ask(session, "profile", "info");
    } catch (error) {
      if (!/still loading/.test(error.stderr))
        throw error;
    }
    await setTimeout(100);
  }
}

/* name -> [total, self] of the first thread, or of another */
function functions(session, ...options) {
  const { functions: rows } = ask(session, "thread", "functions", ...options);
  return Object.fromEntries(rows.map((row) => [row.name, [row.totalSamples, row.selfSamples]]));
}

test("weights of all functions are ours", async () => {
  await load("ours", "x.json", exported(writeFile("in.folded", FOLDED), "firefox"));
  assert.deepEqual(functions("ours"), EXPECTED);
  assert.match(JSON.stringify(ask("ours", "profile", "meta")), /slotwise/);
});

test("what perf script prints and folded stacks are read too", async () => {
  const input = writeFile("in.folded", FOLDED);
  await load("script", "x.txt", exported(input, "perf-script"));
  assert.deepEqual(functions("script"), EXPECTED);
  await load("folded", "y.txt", exported(input, "folded"));
  const unmarked = Object.entries(functions("folded")).map(([name, row]) =>
    [name.replace(/_\[k\]$/, ""), row]);
  assert.deepEqual(Object.fromEntries(unmarked), EXPECTED);
});

/* Two threads, time as weight, a library, and calls inlined into each other twice. */
const SCRIPT = `client 10/10 1.000000: 250000 cpu-clock:
\t    1020 inner (inlined)
\t    1020 middle (inlined)
\t    1020 outer+0x20 (/opt/db/libclient.so)
\t    2000 main+0x0 (/opt/db/client)

client 10/11 1.000001: 750000 cpu-clock:
\t    3000 worker+0x0 (/opt/db/client)

`;

test("threads, libraries and times are told as they were", async () => {
  const { processes } = await load("threads", "x.json", exported(writeFile("in.txt", SCRIPT), "firefox"));
  const [{ pid, threads }] = processes;
  assert.equal(pid, "10");
  assert.deepEqual(threads.map((thread) => [thread.name, thread.tid]).sort(),
    [["client", 10], ["client", 11]]);
  const of = (tid) => ["--thread", threads.find((thread) => thread.tid === tid).threadHandle];
  assert.deepEqual(functions("threads", ...of(10)),
    { inner: [0.25, 0.25], middle: [0.25, 0], outer: [0.25, 0], main: [0.25, 0] });
  assert.deepEqual(functions("threads", ...of(11)), { worker: [0.75, 0.75] });
  const { functions: rows } = ask("threads", "thread", "functions", ...of(11));
  assert.equal(rows[0].library, "client");
});
