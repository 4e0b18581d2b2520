/* SPDX-License-Identifier: MIT */
/* The HTML report as a reader meets it: a file opened in a browser. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertQuiet, cleanUp, launch, makePage, open, openPage, writeFile } from "./helpers.mjs";
import { comparison, history, sweep } from "./page_data.mjs";

let browser;
before(async () => { browser = await launch(); });
after(async () => {
  await browser.close();
  cleanUp();
});

const titles = (page) => page.locator("main > section > h2").allTextContents();
const leftOut = (page) => page.locator(".leftout li").allTextContents();
const openRun = (options, ...making) => openPage(browser, "run", null, options, ...making);
const openComparison = (options, data = {}, ...making) =>
  openPage(browser, "comparison", comparison(data), options, "--rounds", "6", "--seconds", "3", ...making);

describe("a run", () => {
  test("has its sections, loads nothing and complains of nothing", async () => {
    const shown = await openRun();
    assert.deepEqual(await titles(shown.page), ["Verdict", "Findings", "What a request costs",
      "Top-down: what the pipeline did", "Where the wall time of its threads goes", "Time line", "Latency",
      "When it was sampled", "Flame graph", "Functions", "Provenance", "How to reproduce", "Not in this report"]);
    assert.match(await shown.page.locator(".verdict").textContent(), /Frontend Bound/);
    assert.match(await shown.page.locator("#reproduce pre").textContent(), /slotwise profile -- client --rows '1000 000'/);
    assert.match((await leftOut(shown.page)).join("\n"), /Stages: the client marked no stages/);
    assertQuiet(shown);
    await shown.page.close();
  });

  test("says why of everything it has not", async () => {
    const shown = await openRun({}, "--empty");
    const why = (await leftOut(shown.page)).join("\n");
    for (const words of [/Latency: no latency was observed/, /Flame graph: .*no samples/, /When it was sampled: .*no samples/,
      /Top-down.*: no pipeline slots/, /Functions: there are no samples/])
      assert.match(why, words);
    assert.doesNotMatch(await shown.page.locator("main").innerText(), /\bNaN\b|undefined|\bnull\b|\[object/);
    assertQuiet(shown);
    await shown.page.close();
  });

  test("shows absent values as words and marks what is not hardware", async () => {
    const { page } = await openRun();
    const row = page.locator("#per-request tbody tr", { hasText: "major-faults" });
    assert.match(await row.textContent(), /not supported/);
    const clock = page.locator("#per-request tbody tr", { hasText: "task-clock" });
    assert.equal(await clock.locator(".mark").textContent(), "software");
    assert.doesNotMatch(await page.locator("main").innerText(), /\bNaN\b|undefined|\[object/);
    await page.close();
  });

  test("is told without scripts where to read it", async () => {
    const { page } = await open(browser, writeFile("run.html", makePage("run")), { javaScriptEnabled: false });
    assert.match(await page.locator("body").innerText(), /drawn by the script inside this file/);
    await page.close();
  });

  test("forbids every load", async () => {
    const { page } = await openRun();
    const blocked = await page.evaluate(async () => {
      const tried = [];
      document.addEventListener("securitypolicyviolation", (event) => tried.push(event.effectiveDirective));
      const image = document.createElement("img");
      image.src = "file:///nowhere.png";
      document.body.append(image);
      const script = document.createElement("script");
      script.textContent = "window.pwned = 1";
      document.body.append(script);
      await fetch("http://127.0.0.1:1/x").catch(() => null);
      await new Promise((done) => setTimeout(done, 100));
      return tried.sort();
    });
    assert.deepEqual(blocked, ["connect-src", "img-src", "script-src-elem"]);
    assert.equal(await page.evaluate(() => window.pwned), undefined);
    await page.close();
  });
});

describe("tables", () => {
  test("sort by any heading, both ways, what is unknown last", async () => {
    const { page } = await openRun();
    const table = page.locator("#per-request table");
    const first = (n = 0) => table.locator("tbody tr th").nth(n).textContent();
    const heading = table.locator("thead th", { hasText: "in all" });
    const last = () => table.locator("tbody tr").last().textContent();
    await heading.locator("button").click();
    assert.equal(await heading.getAttribute("aria-sort"), "descending");
    assert.equal(await first(), "wall time");
    assert.match(await last(), /does not tell|not supported/);
    await heading.locator("button").click();
    assert.equal(await heading.getAttribute("aria-sort"), "ascending");
    assert.equal(await first(), "rows received");
    assert.match(await last(), /does not tell|not supported/);
    await table.locator("thead th", { hasText: "what" }).locator("button").press("Enter");
    assert.equal(await heading.getAttribute("aria-sort"), "none");
    assert.equal(await first(), "bad");
    await page.close();
  });

  test("show a part, and all when asked", async () => {
    const { page } = await openRun();
    const rows = page.locator("#functions tbody tr");
    assert.equal(await rows.count(), 25);
    await page.locator("#functions .tablefoot button").click();
    assert.ok(await rows.count() > 25);
    await page.close();
  });
});

describe("flame graph", () => {
  const zoomed = (page) => page.evaluate(() => slw.nameOf(slw.flame.zoomed));
  const focused = (page) => page.evaluate(() => slw.nameOf(slw.flame.focused));

  test("adds up to the samples", async () => {
    const { page } = await openRun();
    assert.deepEqual(await page.evaluate(() => [slw.tree().total[0][0], slw.moments(0).count > 0,
      slw.moments(0).weight.reduce((a, b) => a + b, 0)]), [4000 * 1000000, true, 4000 * 1000000]);
    assert.match(await page.locator(".flamestatus").textContent(), /all: 4\u00a0s of CPU time/);
    await page.close();
  });

  test("zooms where it is clicked, and tells what is under the pointer", async () => {
    const shown = await openRun();
    const { page } = shown;
    const place = await page.evaluate(() => {
      const view = slw.flame.views[0];
      const row = view.rows.findIndex((r) => r && r.some((b) => b.node >= 0 && slw.nameOf(b.node) === "PQgetResult"));
      const box = view.rows[row].find((b) => b.node >= 0 && slw.nameOf(b.node) === "PQgetResult");
      return { x: box.x + box.w / 2, y: row * slw.paint.ROW + 8 };
    });
    await page.locator(".flame").hover({ position: place });
    assert.match(await page.locator(".tip .name").textContent(), /^PQgetResult$/);
    assert.match(await page.locator(".tip").textContent(), /a request/);
    await page.locator(".flame").click({ position: place });
    assert.equal(await zoomed(page), "PQgetResult");
    assert.match(await page.locator(".flamestatus").textContent(), /zoomed to PQgetResult/);
    await page.click(".toolbar .reset");
    assert.equal(await zoomed(page), "all");
    assertQuiet(shown);
    await page.close();
  });

  test("searches text and regular expressions, each sample once", async () => {
    const { page } = await openRun();
    const status = () => page.locator(".flamestatus").textContent();
    await page.fill(".search", "main");
    assert.match(await status(), /matched: 100.00\u00a0%/);
    await page.fill(".search", "/^pq/i");
    const both = await page.evaluate(() => slw.flame.hits.reduce((a, b) => a + b, 0));
    assert.ok(both >= 4);
    await page.fill(".search", "/(/");
    assert.match(await page.locator(".searchstatus").textContent(), /Not a regular expression/);
    await page.click(".clear");
    assert.doesNotMatch(await status(), /matched/);
    await page.close();
  });

  test("is walked with the keyboard alone", async () => {
    const shown = await openRun();
    const { page } = shown;
    const press = async (...keys) => {
      for (const key of keys)
        await page.keyboard.press(key);
    };
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.className), "search");
    await page.keyboard.type("tcp_recvmsg");
    await page.keyboard.press("Enter");
    assert.equal(await focused(page), "tcp_recvmsg");
    await press("Escape");
    for (let i = 0; i < 8 && !await page.evaluate(() => document.activeElement.classList.contains("flame")); i++)
      await press("Tab");
    await press("Home", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown");
    assert.equal(await focused(page), "PQsendQueryPrepared");
    await press("ArrowLeft");
    assert.equal(await focused(page), "PQgetResult");
    assert.match(await page.locator("body > .offscreen").textContent(), /PQgetResult/);
    await press("Enter");
    assert.equal(await zoomed(page), "PQgetResult");
    await press("ArrowUp");
    assert.equal(await focused(page), "run_loop");
    await press("Escape");
    assert.equal(await zoomed(page), "all");
    assertQuiet(shown);
    await page.close();
  });

  test("is a table as well", async () => {
    const { page } = await openRun();
    await page.locator("summary", { hasText: "The zoomed frame as a table" }).click();
    for (const name of ["client", "main", "run_loop"])
      await page.locator("#flame tbody button", { hasText: name }).click();
    assert.match(await page.locator("#flame caption").textContent(), /What run_loop calls/);
    assert.equal(await page.locator("#flame tbody tr").first().locator("th").textContent(), "PQsendQueryPrepared");
    await page.close();
  });
});

describe("heat map", () => {
  test("filters the flame graph by what is selected", async () => {
    const shown = await openRun();
    const { page } = shown;
    const box = page.locator(".heatbox canvas");
    await box.scrollIntoViewIfNeeded();
    const area = await box.boundingBox();
    const at = await page.evaluate(() => ({ w: slw.heat.maps[0].cw, h: slw.heat.maps[0].ch, columns: slw.heat.maps[0].grid.columns }));
    assert.equal(at.columns, 30);
    await page.mouse.move(area.x + 58 + at.w * 2.5, area.y + 1);
    await page.mouse.down();
    await page.mouse.move(area.x + 58 + at.w * 4.5, area.y + 199);
    await page.mouse.up();
    const expected = await page.evaluate(() => {
      const m = slw.moments(0);
      let sum = 0;
      for (let i = 0; i < m.count; i++)
        if (m.bucket[i] >= 200 && m.bucket[i] < 500)
          sum += m.weight[i];
      return [slw.flame.views[0].sizes()[0], sum];
    });
    assert.ok(expected[0] > 0 && expected[0] < 4e9);
    assert.equal(expected[0], expected[1]);
    assert.match(await page.locator(".heatfoot").textContent(), /selected: 2\u00a0s to/);
    assert.match(await page.locator(".flamestatus").textContent(), /^selected/);
    await page.locator(".heatfoot button").click();
    assert.equal(await page.evaluate(() => slw.flame.views[0].sizes()[0]), 4e9);
    assertQuiet(shown);
    await page.close();
  });

  test("works with the keyboard alone", async () => {
    const { page } = await openRun();
    await page.locator(".heatbox").focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    for (let i = 0; i < 3; i++)
      await page.keyboard.press("ArrowRight");
    assert.match(await page.locator("body > .offscreen").textContent(), /^4\u00a0s, /);
    await page.keyboard.press("Enter");
    const part = await page.evaluate(() => slw.flame.views[0].sizes()[0]);
    assert.ok(part > 0 && part < 2e9, String(part));
    await page.keyboard.press("Escape");
    assert.equal(await page.evaluate(() => slw.flame.views[0].sizes()[0]), 4e9);
    await page.keyboard.press("Shift+ArrowRight");
    assert.ok(await page.evaluate(() => slw.flame.views[0].sizes()[0]) < 4e9);
    await page.close();
  });
});

describe("a comparison", () => {
  test("has its sections and the words of the comparison", async () => {
    const shown = await openComparison();
    const { page } = shown;
    assert.deepEqual(await titles(page), ["Verdict", "Why", "What is not the same", "What a request costs: A against B",
      "Top-down: what the pipeline did", "Where the wall time of its threads goes", "Round by round", "Latency",
      "When it was sampled", "Flame graph", "Functions that explain the difference", "Findings", "Notes", "How it was measured",
      "Provenance", "How to reproduce"]);
    assert.match(await page.locator("#verdict").textContent(), /gate failed/);
    const words = await page.locator("#what-changed tbody .word").allTextContents();
    for (const word of ["improved", "regressed", "inconclusive", "no change", "unknown"])
      assert.ok(words.includes(word), word);
    assert.match(await page.locator("#what-changed tbody").textContent(), /one side did not count it/);
    assert.match(await page.locator("#reproduce pre").textContent(),
      /slotwise compare --a 'client --batch 1' --b 'client --batch 16' --prepare 'redis-cli flushall' --rounds auto/);
    assert.equal(await page.locator("#topdown .bar").count(), 2);
    assertQuiet(shown);
    await page.close();
  });

  test("draws each interval where it lies, against the margin", async () => {
    const { page } = await openComparison();
    const places = await page.locator("#what-changed svg.interval").evaluateAll((list) => list.map((svg) => {
      const x = (selector, name) => Number(svg.querySelector(selector).getAttribute(name));
      return { zero: x(".zero", "x1"), low: x(".span", "x1"), high: x(".span", "x2"), dot: x("circle", "cx"), zone: x(".zone", "x") };
    }));
    assert.ok(places.length >= 6);
    const [cpu, p99, p50] = places;
    assert.ok(cpu.high < cpu.zone, "an improvement lies left of the margin");
    assert.ok(p99.low > p99.zero, "a regression right of 0");
    assert.ok(p50.low < p50.zero && p50.high > p50.zero, "what is inconclusive holds 0");
    for (const p of places)
      assert.ok(p.low <= p.dot && p.dot <= p.high + 2);
    await page.close();
  });

  test("zooms and searches three graphs together, to one scale", async () => {
    const shown = await openComparison();
    const { page } = shown;
    assert.equal(await page.locator(".flame").count(), 3);
    const state = () => page.evaluate(() => slw.flame.views.map((v) => v.rows.flat().find((b) => b.node === slw.flame.zoomed)?.w || 0));
    const [a, b, both] = await state();
    assert.ok(a > 0 && b > 0 && both >= Math.max(a, b));
    await page.locator(".onescale").uncheck();
    assert.ok((await state()).every((w) => Math.abs(w - both) < 1), "each takes all of the width");
    await page.locator(".onescale").check();
    await page.evaluate(() => {
      const tree = slw.tree();
      slw.flame.zoom(Array.from({ length: tree.count }, (_, i) => i).find((i) => slw.nameOf(i) === "encode_row"));
    });
    const [a2, b2, both2] = await state();
    assert.ok(b2 > a2 && both2 >= b2, "B does more of it");
    assert.equal((await page.locator(".flamestatus").allTextContents()).filter((t) => /zoomed to encode_row/.test(t)).length, 3);
    await page.fill(".search", "Buffer");
    assert.equal((await page.locator(".flamestatus").allTextContents()).filter((t) => /matched/.test(t)).length, 3);
    assertQuiet(shown);
    await page.close();
  });

  test("marks new and gone code, fades noise, and never tells the way by colour alone", async () => {
    const { page } = await openComparison();
    const looks = await page.evaluate(() => {
      const tree = slw.tree(), view = slw.flame.views[2];
      const of = (name) => {
        const node = Array.from({ length: tree.count }, (_, i) => i).filter((i) => slw.nameOf(i) === name)
          .sort((x, y) => view.sizes()[y] - view.sizes()[x])[0];
        return { ...view.look(node), tip: view.tip(node).join("\n") };
      };
      return { more: of("Buffer::append"), less: of("tcp_sendmsg"), fresh: of("Socket::writev"), gone: of("Socket::write"),
        noise: of("memcpy"), faded: slw.paint.plain().faded };
    });
    assert.match(looks.more.label, /^\+.*Buffer::append/);
    assert.match(looks.more.tip, /itself: \+.*B costs MORE/);
    assert.match(looks.less.label, /^\u2212.*tcp_sendmsg/);
    assert.match(looks.less.tip, /itself: \u2212.*B costs LESS/);
    assert.match(looks.fresh.label, /^\u25b2new /);
    assert.match(looks.gone.label, /^\u25bcgone /);
    assert.equal(looks.fresh.hatch, -looks.gone.hatch);
    assert.equal(looks.noise.fill, looks.faded);
    assert.match(looks.noise.tip, /inside the noise/);
    const legend = await page.locator(".legend.difference").innerText();
    assert.match(legend, /\u2212 B costs less than A[\s\S]*inside the noise, not judged[\s\S]*\+ B costs more than A[\s\S]*new only in B[\s\S]*gone only in A/);
    await page.close();
  });

  test("says so when no function was judged", async () => {
    const { page } = await openComparison({}, { functions: [], functions_absent: "the times of samples were not kept" });
    assert.match(await page.locator("#flame").textContent(), /No function was judged against the noise \(the times of samples were not kept\)/);
    assert.match((await leftOut(page)).join(), /Functions that explain the difference: the times of samples were not kept/);
    await page.close();
  });

  test("shows a thousand metrics", async () => {
    const one = comparison().metrics[2];
    const many = Array.from({ length: 1000 }, (_, i) => ({ ...one, metric: `m${i}`, title: `metric ${i}`, headline: false }));
    const shown = await openComparison({}, { metrics: [...comparison().metrics, ...many] });
    await shown.page.locator("#what-changed .tablefoot button").click();
    assert.equal(await shown.page.locator("#what-changed tbody tr").count(), 1009);
    assertQuiet(shown);
    await shown.page.close();
  });
});

describe("a sweep", () => {
  test("draws cost against the batch, the fit and the knee", async () => {
    const shown = await openPage(browser, "sweep", sweep());
    const { page } = shown;
    assert.match(await page.locator(".verdict").textContent(), /batching removed/);
    assert.equal(await page.locator("#curves svg.chart").count(), 3);
    assert.equal(await page.locator("#curves path.fit").count(), 2);
    assert.equal(await page.locator("#curves line.knee").count(), 2);
    assert.equal(await page.locator("#curves .dot").count(), 21);
    assert.match(await page.locator("#curves").innerText(), /The model fixed\/B \+ marginal does not fit/);
    assert.match(await page.locator("#prices").innerText(), /at the knee p99 is 425 us/);
    assertQuiet(shown);
    await page.close();
  });
});

describe("a history", () => {
  test("draws values, levels and changes, and says which way is good", async () => {
    const shown = await openPage(browser, "history", history());
    const { page } = shown;
    assert.match(await page.locator(".verdict").textContent(), /CPU time per request over 40 runs: 1 change of level\./);
    assert.equal(await page.locator("#trend .dot").count(), 40);
    assert.equal(await page.locator("#trend .level-line").count(), 3);
    assert.equal(await page.locator("#trend .changeline").count(), 1);
    assert.match(await page.locator("#runs").textContent(), /\u221230.0\u00a0%, improved/);
    assert.match(await page.locator("#runs").textContent(), /unlike the run before: CPU/);
    assertQuiet(shown);
    await page.close();
  });
});
