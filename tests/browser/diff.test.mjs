/* SPDX-License-Identifier: MIT */
/* The differential flame graph in a browser: which way it is read, what is faded, new and gone. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertQuiet, cleanUp, draw, launch, open, writeFile } from "./helpers.mjs";

const BASE = `client;main;steady 1500
client;main;grows 1000
client;main;shrinks 1500
client;main;old;deep 1400
client;main;rare 2
`;
const CANDIDATE = `client;main;steady 1510
client;main;grows 1500
client;main;shrinks 1000
client;main;young;deep 1500
client;main;rare 3
`;

let browser;
before(async () => { browser = await launch(); });
after(async () => {
  await browser.close();
  cleanUp();
});

function drawing(base, candidate, ...options) {
  return draw(candidate, "--diff", writeFile("base.folded", base), "--requests", "1000", ...options);
}

function openDiff(base, candidate, options = {}, ...more) {
  return open(browser, writeFile("diff.svg", drawing(base, candidate, ...more)), options);
}

/* Name, class, place and size of every frame. */
function frames(page) {
  return page.locator(".frames > g").evaluateAll((list) => list.map((g) => {
    const rect = g.querySelector("rect");
    return { name: g.getAttribute("aria-label").split(",")[0], shade: g.getAttribute("class"),
      x: rect.getAttribute("x"), width: rect.getAttribute("width"), y: rect.getAttribute("y") };
  }));
}

function fill(graph, name) {
  return graph.frame(name).locator("rect").evaluate((r) => getComputedStyle(r).fill);
}

function lightness(colour) {
  const [r, g, b] = colour.match(/\d+/g).map(Number);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

describe("the legend", () => {
  test("names both runs in every direction", async () => {
    const shown = await openDiff(BASE, CANDIDATE);
    const words = await shown.page.locator(".legend text").allTextContents();
    const more = words.find((line) => line.startsWith("red, +: "));
    const less = words.find((line) => line.startsWith("blue, -: "));
    assert.match(more, /B \(candidate: .*in\.folded\) costs more per request than A \(base: .*base\.folded\)/);
    assert.match(less, /B \(candidate: .*in\.folded\) costs less per request than A \(base: .*base\.folded\)/);
    const head = (await shown.page.locator("text.sub").allTextContents()).join("\n");
    assert.ok(head.includes("Width: what A and B cost together"));
    assert.ok(head.includes("colour is no proof"), head);
    assertQuiet(shown);
    await shown.page.close();
  });

  test("has the colours of the graph", async () => {
    const { page, graph } = await openDiff(BASE, CANDIDATE);
    const swatches = await page.locator(".legend g rect").evaluateAll((list) =>
      list.map((r) => getComputedStyle(r).fill));
    for (const name of ["steady", "grows", "shrinks", "old", "young", "rare"])
      assert.ok(swatches.includes(await fill(graph, name)), name);
    await page.close();
  });
});

describe("the frames", () => {
  test("say how much, which way, and whether it may be noise", async () => {
    const { page, graph } = await openDiff(BASE, CANDIDATE);
    assert.equal(await graph.text("grows"), "+0.50  grows");
    assert.equal(await graph.text("shrinks"), "-0.50  shrinks");
    assert.equal(await graph.text("steady"), "steady");
    assert.equal(await graph.text("young"), "+1.50 new  young");
    assert.equal(await graph.text("old"), "-1.40 gone  old");
    await graph.frame("grows").hover();
    assert.deepEqual(await graph.tooltip(), ["grows", "A 1, B 1.50 per request",
      "B - A: +0.50 (+50.0 % of A); beyond the noise of sampling",
      "95 % interval of B - A: +0.40 to +0.60", "samples: A 1,000, B 1,500"]);
    await graph.frame("steady").hover();
    assert.match((await graph.tooltip())[2], /inside the noise$/);
    assert.match(await graph.frame("rare").getAttribute("aria-label"), /not judged: too few samples,/);
    await page.close();
  });

  test("more is darker than less on paper, noise has no hue", async () => {
    const { page, graph } = await openDiff(BASE, CANDIDATE, { colorScheme: "light" });
    const light = {};
    for (const name of ["grows", "shrinks", "young", "old"])
      light[name] = lightness(await fill(graph, name));
    assert.ok(light.grows < light.shrinks && light.young < light.old);
    const [r, g, b] = (await fill(graph, "steady")).match(/\d+/g);
    assert.ok(r === g && g === b);
    await page.close();
  });

  test("of both runs are there, however they are turned", async () => {
    for (const options of [[], ["--icicle"]]) {
      const { page, graph } = await openDiff(BASE, CANDIDATE, {}, ...options);
      for (const name of ["old", "young", "grows"])
        assert.ok(await graph.width(name) > 20, name);
      await page.close();
    }
  });

  test("swap sign and colour with the runs, and nothing else", async () => {
    const there = await openDiff(BASE, CANDIDATE), back = await openDiff(CANDIDATE, BASE);
    const turned = (shade) => shade.replace(/[ud]$/, (end) => ({ u: "d", d: "u" })[end])
      .replace(/^dnew$|^dgone$/, (whole) => ({ dnew: "dgone", dgone: "dnew" })[whole]);
    const expected = (await frames(there.page)).map((f) => ({ ...f, shade: turned(f.shade) }));
    assert.deepEqual(await frames(back.page), expected);
    await there.page.close();
    await back.page.close();
  });

  test("keep their marks when zoomed, and their sign when narrow", async () => {
    const { page, graph } = await openDiff(BASE, CANDIDATE, { viewport: { width: 700, height: 600 } });
    assert.match(await graph.text("young"), /^\+ young$/);
    await graph.click("young");
    assert.equal(await graph.text("young"), "+1.50 new  young");
    await page.keyboard.press("Escape");
    assert.match(await graph.text("young"), /^\+ young$/);
    await page.close();
  });

  test("are found by name", async () => {
    const { page, graph } = await openDiff(BASE, CANDIDATE);
    await graph.search("deep");
    assert.deepEqual(await graph.hits(), ["deep", "deep"]);
    await page.close();
  });
});

describe("one-sided widths", () => {
  test("say what cannot be seen", async () => {
    const { page, graph } = await openDiff(BASE, CANDIDATE, {}, "--diff-width", "candidate");
    const head = (await page.locator("text.sub").allTextContents()).join("\n");
    assert.ok(head.includes("code that only A has cannot be seen"));
    assert.equal(await graph.frame("old").count(), 0);
    assert.ok(await graph.width("young") > 20);
    await page.close();
  });
});

describe("without scripts", () => {
  test("every number is there", async () => {
    const { page } = await openDiff(BASE, CANDIDATE, { javaScriptEnabled: false });
    const titles = await page.locator(".frames > g > title").allTextContents();
    assert.ok(titles.some((t) => t.startsWith("grows\n\nA 1, B 1.50 per request\nB - A: +0.50")));
    await page.close();
  });
});

describe("hostile names", () => {
  test("stay names", async () => {
    const hostile = "client;main;<img src=x onerror=alert(1)>\"'& 900\nclient;main;\x1b[31mred 800\n";
    const shown = await openDiff(BASE + hostile, CANDIDATE + hostile.replaceAll("900", "100"));
    assert.equal(await shown.page.locator("img").count(), 0);
    assertQuiet(shown);
    await shown.page.close();
  });
});
