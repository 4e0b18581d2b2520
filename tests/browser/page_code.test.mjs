/* SPDX-License-Identifier: MIT */
/* Source and instructions of hot functions in the report of a run. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertQuiet, cleanUp, launch, makePage, open, writeFile } from "./helpers.mjs";

let browser;
before(async () => { browser = await launch(); });
after(async () => {
  await browser.close();
  cleanUp();
});

const CODE = {
  schema: 1, function: "db::run<int>", linkage: "_ZN2db3runIiEEv", module: "/opt/client", event: "cpu-clock",
  unit: "nanoseconds", self: 1000, total: 1500, all: 4000, build_unchecked: false,
  sources: [{ path: "/src/</script><b>run.cc", absent: null, newer_than_program: true, lines: [
    { line: 7, self: 0, total: 0, text: "{" }, { line: 8, self: 750, total: 750, text: "\treturn x < 5 && \"\u202e\";" },
    { line: 12, self: 250, total: 750, text: "}" }] }],
  instructions: [
    { address: 4096, bytes: 4, text: "add rax, rbx", inlined: "mix", source: 0, line: 8, self: 750, total: 750 },
    { address: 4100, bytes: 1, text: "ret", inlined: null, source: null, line: null, self: 0, total: 0 },
    { address: 8192, bytes: 5, text: "call 0x10", inlined: null, source: 0, line: 12, self: 250, total: 750 }],
};

/* The page of a run, with code as slotwise would have put it in. */
async function openWith(code) {
  const escaped = JSON.stringify(code).replace(/</g, "\\u003c");
  const text = makePage("run");
  assert.equal(text.split('"code":null').length, 2);
  const shown = await open(browser, writeFile("run.html", text.replace('"code":null', () => `"code":${escaped}`)));
  await shown.page.waitForFunction(() => document.documentElement.dataset.ready === "1");
  return shown;
}

describe("source and code", () => {
  test("are shown when a function is opened", async () => {
    const shown = await openWith([CODE]);
    const section = shown.page.locator("#code");
    assert.match(await section.locator("summary").textContent(), /db::run<int> in client: 25(\.0)?\s% self/);
    assert.equal(await section.locator("table").count(), 0);
    await section.locator("summary").click();
    await section.locator("table").first().waitFor();
    assert.deepEqual(await section.locator("caption").allTextContents(),
      ["/src/</script><b>run.cc (changed since the program was built)", "Instructions near samples"]);
    const hot = section.locator("table").first().locator("tr.hot");
    assert.equal(await hot.count(), 2);
    assert.match(await hot.first().textContent(), /75(\.0)?\s%.*50(\.0)?\s%8.*return x < 5 && "\\u\{202e\}";/);
    const code = await section.locator("table").nth(1).locator("tbody").innerText();
    assert.match(code, /run\.cc:8 in mix/);
    assert.match(code, /1000\s+add rax, rbx/);
    assert.match(code, /\u2026/); /* the part that was moved away stands apart */
    assertQuiet(shown);
    await shown.page.close();
  });

  test("say why there is none", async () => {
    const { page } = await openWith([]);
    assert.match((await page.locator(".leftout li").allTextContents()).join("\n"),
      /Source and code: no program or library with hot functions can be read here/);
    await page.close();
  });
});
