/* SPDX-License-Identifier: MIT */
/* speedscope itself opens what `slotwise export --format speedscope` writes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { cleanUp, launch, writeFile } from "./helpers.mjs";

const release = new URL("node_modules/speedscope/dist/release/", import.meta.url);
let browser;

before(async () => { browser = await launch(); });
after(async () => {
  await browser?.close();
  cleanUp();
});

function exported(folded, format = "speedscope") {
  return execFileSync(process.env.SLW_BIN,
    ["export", writeFile("in.folded", folded), "--format", format]);
}

/* The table of functions, as a reader sees it: name -> [total, self]. */
async function sandwich(page) {
  await page.keyboard.press("3");
  const rows = page.locator("table tbody tr, table tr").filter({ hasText: "%" });
  await rows.first().waitFor();
  const table = new Map();
  for (const cells of await rows.evaluateAll((all) =>
    all.map((row) => [...row.querySelectorAll("td")].map((cell) => cell.textContent.trim()))))
    table.set(cells[2], [cells[0], cells[1]]);
  return table;
}

/* As speedscope's own command opens a file: a script that hands over the bytes. */
async function show(bytes, name = "x.speedscope.json") {
  const page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
  const errors = [];
  const script = writeFile("profile.js",
    `speedscope.loadFileFromBase64('${name}', ${JSON.stringify(Buffer.from(bytes).toString("base64"))})`);
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(`${new URL("index.html", release).href}#localProfilePath=${script}`);
  await page.waitForFunction(() => document.title.includes("speedscope"));
  await page.locator("canvas").first().waitFor();
  return { page, errors };
}

test("speedscope shows our totals and names", async () => {
  const { page, errors } = await show(exported("main;parse 30\nmain;send;write_[k] 50\nmain 20\n"));
  const table = await sandwich(page);

  assert.deepEqual(table.get("main"), ["100 (100%)", "20 (20%)"]);
  assert.deepEqual(table.get("parse"), ["30 (30%)", "30 (30%)"]);
  assert.deepEqual(table.get("send"), ["50 (50%)", "0 (<0.01%)"]); /* its word for 0 */
  assert.deepEqual(table.get("write"), ["50 (50%)", "50 (50%)"]);
  assert.deepEqual(errors, []);
  await page.close();
});

/* Formats of other tools that speedscope reads too. What it calls the kernel's side differs. */
for (const [format, name] of [["folded", "x.folded"], ["pprof", "x.pb.gz"],
  ["perf-script", "x.linux-perf.txt"], ["callgrind", "callgrind.out.x"]])
  test(`speedscope reads our ${format}`, async () => {
    const { page, errors } = await show(exported("main;parse 30\nmain;send;copy 50\nmain 20\n", format), name);
    const table = await sandwich(page);
    /* Of text of perf it knows when samples were taken, not what they weigh: the first and the last
     * count for half. */
    const near = (row, expected) => table.get(row).forEach((cell, i) => {
      const share = Number(/\(<?(.*)%\)/.exec(cell)[1]);
      assert.ok(Math.abs(share - expected[i]) <= 1.1, `${row}: ${share} and not ${expected[i]}`);
    });

    near("main", [100, 20]);
    near("parse", [30, 30]);
    near("send", [50, 0]);
    near("copy", [50, 50]);
    assert.deepEqual(errors, []);
    await page.close();
  });

test("hostile names stay names", async () => {
  const { page, errors } = await show(exported('main;<b>"x\\y</b>\u{1F600} 7\nmain;\x01 3\n'));
  const table = await sandwich(page);

  assert.deepEqual(table.get('<b>"x\\y</b>\u{1F600}'), ["7 (70%)", "7 (70%)"]);
  assert.deepEqual(errors, []);
  await page.close();
});

test("every field is of the published schema", () => {
  const schema = JSON.parse(fs.readFileSync(fileURLToPath(new URL("file-format-schema.json", release))));
  const file = JSON.parse(exported("a;b 1\n"));
  const of = (name) => schema.definitions[name];
  const check = (object, definition) => {
    for (const key of definition.required)
      assert.ok(key in object, key);
    for (const key of Object.keys(object))
      assert.ok(key in definition.properties, key);
  };

  check(file, of("FileFormat.File"));
  assert.equal(file.$schema, of("FileFormat.File").properties.$schema.const);
  for (const profile of file.profiles) {
    check(profile, of("FileFormat.SampledProfile"));
    assert.ok(of("FileFormat.ValueUnit").enum.includes(profile.unit));
    assert.equal(profile.samples.length, profile.weights.length);
    for (const stack of profile.samples)
      for (const frame of stack)
        assert.ok(frame >= 0 && frame < file.shared.frames.length);
  }
  for (const frame of file.shared.frames)
    check(frame, of("FileFormat.Frame"));
});
