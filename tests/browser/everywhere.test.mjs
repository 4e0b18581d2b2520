/* SPDX-License-Identifier: MIT */
/* The HTML report in the dark, on a phone, on paper, with hostile names and with many samples. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, describe, test } from "node:test";
import { assertQuiet, cleanUp, launch, makePage, open, openPage, writeFile } from "./helpers.mjs";
import { comparison, history, sweep } from "./page_data.mjs";

let browser;
before(async () => { browser = await launch(); });
after(async () => {
  await browser.close();
  cleanUp();
});

const KINDS = [["run", null], ["comparison", comparison()], ["sweep", sweep()], ["history", history()]];

/* WCAG 2: the smallest contrast of all text that is seen, against what is painted behind it. */
const worstContrast = (page) => page.evaluate(() => {
  const parse = (color) => (color.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const over = (top, below) => {
    const alpha = top.length > 3 ? top[3] : 1;
    return [0, 1, 2].map((i) => top[i] * alpha + below[i] * (1 - alpha));
  };
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, w, i) => {
    const v = c[i] / 255;
    return sum + w * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  }, 0);
  const ground = (node) => {
    const layers = [];
    for (let n = node; n; n = n.parentElement)
      layers.push(parse(getComputedStyle(n).backgroundColor));
    return layers.reverse().reduce((below, layer) => layer.length > 3 && layer[3] === 0 ? below : over(layer, below), [255, 255, 255]);
  };
  let worst = { ratio: 99, text: "" };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const node = text.parentElement;
    if (!text.textContent.trim() || !node.getClientRects().length || node.closest("script, .offscreen, noscript, :disabled"))
      continue;
    const style = getComputedStyle(node);
    const back = ground(node);
    const ink = over(parse(node.closest("svg") ? style.fill : style.color), back);
    const [x, y] = [light(ink), light(back)];
    const ratio = (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
    if (ratio < worst.ratio)
      worst = { ratio, text: `${text.textContent.slice(0, 40)} (${node.className || node.nodeName})` };
  }
  return worst;
});

/* What the first graph has painted there; through a copy, as reading back is slow. */
function pixelOf([x, y]) {
  const copy = document.createElement("canvas");
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(document.querySelector(".flame canvas"), -x, -y);
  return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
}

describe("colours", () => {
  for (const colorScheme of ["light", "dark"])
    for (const [kind, data] of KINDS)
      test(`text of a ${kind} can be read, ${colorScheme}`, async () => {
        const { page } = await openPage(browser, kind, data, { colorScheme });
        const worst = await worstContrast(page);
        assert.ok(worst.ratio >= 4.5, `${worst.ratio.toFixed(2)}: ${worst.text}`);
        await page.close();
      });

  for (const colorScheme of ["light", "dark"])
    test(`names on frames can be read, ${colorScheme}`, async () => {
      const { page } = await openPage(browser, "comparison", comparison(), { colorScheme });
      const worst = await page.evaluate((scheme) => {
        const p = slw.paint;
        const fills = [...p.kinds[scheme].flat(), ...p.change[scheme].more, ...p.change[scheme].less, p.plains[scheme].hit];
        return Math.min(p.contrast(p.plains[scheme].faded, p.plains[scheme].fadedInk), ...fills.map((f) => p.contrast(f, p.ink(f))));
      }, colorScheme);
      assert.ok(worst >= 4.5, String(worst));
      await page.close();
    });

  test("follow the reader's choice", async () => {
    const shown = await openPage(browser, "run", null, { colorScheme: "light" });
    const { page } = shown;
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const pixel = () => page.evaluate(pixelOf, [300, 40]);
    const [light, bright] = [await paper(), await pixel()];
    await page.locator(".themes button", { hasText: "Dark" }).click();
    assert.notEqual(await paper(), light);
    assert.notDeepEqual(await pixel(), bright);
    await page.locator(".themes button", { hasText: "Auto" }).click();
    assert.equal(await paper(), light);
    assert.deepEqual(await pixel(), bright);
    await page.emulateMedia({ colorScheme: "dark" });
    assert.notEqual(await paper(), light);
    assertQuiet(shown);
    await page.close();
  });

  test("keep still where motion is not wanted", async () => {
    const { page } = await openPage(browser, "run", null, { reducedMotion: "reduce" });
    assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior), "auto");
    await page.close();
  });
});

describe("a phone", () => {
  for (const [kind, data] of KINDS)
    test(`shows a ${kind} without scrolling sideways`, async () => {
      const shown = await openPage(browser, kind, data, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
      const { page } = shown;
      for (const summary of await page.locator("summary").all())
        await summary.click();
      const wide = await page.evaluate(() => {
        const inside = (node) => node.closest(".tablebox, .heatbox, nav, .flame, .offscreen, .skip, noscript") ||
          (node.closest("svg") && node.nodeName !== "svg");
        return { page: document.documentElement.scrollWidth,
          out: [...document.body.querySelectorAll("*")].filter((n) => !inside(n) && n.getBoundingClientRect().right > 361)
            .map((n) => n.className || n.nodeName) };
      });
      assert.equal(wide.page, 360);
      assert.deepEqual(wide.out, []);
      assertQuiet(shown);
      await page.close();
    });
});

describe("the keyboard", () => {
  test("reaches everything that can be operated, and shows where it is", async () => {
    const { page } = await openPage(browser, "comparison", comparison());
    const wanted = await page.evaluate(() => [...document.querySelectorAll("a[href], button:not(:disabled), input, select, summary, [tabindex='0']")]
      .filter((n) => n.getClientRects().length).length);
    const seen = new Set();
    let bare = 0;
    for (let i = 0; i < wanted + 5; i++) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(() => {
        const node = document.activeElement;
        if (!node || node === document.body)
          return null;
        if (!node.dataset.stop)
          node.dataset.stop = String(document.querySelectorAll("[data-stop]").length + 1);
        const style = getComputedStyle(node);
        return { stop: node.dataset.stop, visible: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 };
      });
      if (!at)
        continue;
      seen.add(at.stop);
      bare += at.visible ? 0 : 1;
    }
    assert.ok(seen.size >= wanted, `${seen.size} of ${wanted}`);
    assert.equal(bare, 0);
    await page.close();
  });

  test("meets a name on every control and graphic", async () => {
    for (const [kind, data] of KINDS) {
      const { page } = await openPage(browser, kind, data);
      const nameless = await page.evaluate(() => [...document.querySelectorAll("button, a, input, select, [role=img], [role=application]")]
        .filter((n) => !(n.getAttribute("aria-label") || n.textContent.trim() || (n.labels && n.labels.length))).map((n) => n.outerHTML.slice(0, 80)));
      assert.deepEqual(nameless, []);
      const ids = await page.evaluate(() => [...document.querySelectorAll("[id]")].map((n) => n.id));
      assert.equal(new Set(ids).size, ids.length);
      await page.close();
    }
  });
});

describe("paper", () => {
  test("has every section, unfolded and light", async () => {
    const shown = await openPage(browser, "comparison", comparison(), { colorScheme: "dark" });
    const { page } = shown;
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
    const state = await page.evaluate(() => ({ folded: document.querySelectorAll("details:not([open])").length,
      hidden: [...document.querySelectorAll("main > section")].filter((n) => !n.getClientRects().length).length,
      paper: getComputedStyle(document.body).backgroundColor, bar: document.querySelector(".bar-top").getClientRects().length,
    }));
    assert.deepEqual(state, { folded: 0, hidden: 0, paper: "rgb(255, 255, 255)", bar: 0 });
    assert.deepEqual(await page.evaluate(pixelOf, [3, 3]), [213, 213, 213]);
    await page.evaluate(() => window.dispatchEvent(new Event("afterprint")));
    assert.ok(await page.evaluate(() => document.querySelectorAll("details:not([open])").length) > 0);
    const pdf = await page.pdf({ format: "A4", printBackground: true });
    assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
    assert.ok((pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) || []).length >= 3);
    assertQuiet(shown);
    await page.close();
  });
});

describe("hostile names", () => {
  const BAD = ["</script><script>window.pwned=1</script>", "<img src=x onerror=window.pwned=2>", "\u2028window.pwned=3\u2029",
    "\u202egnp.exe", "__proto__", "T".repeat(5000), "<!--<script>", "'\"><svg onload=window.pwned=4>"];

  /* Every text of the data is a name of somebody else's. */
  function poison(value, n = { i: 0 }, key = "") {
    if (typeof value === "string" && !/^(kind|word|word_from|margin_from|rank|source|state|level|stopped|unit|better)$/.test(key))
      return BAD[n.i++ % BAD.length];
    if (Array.isArray(value))
      return value.map((v) => poison(v, n, key));
    if (value && typeof value === "object")
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, poison(v, n, k)]));
    return value;
  }

  for (const [kind, data] of KINDS)
    test(`in a ${kind} stay text`, async () => {
      const text = makePage(kind, data && poison(data), "--hostile");
      assert.equal(text.split("</script>").length, 3, "the scripts end where ours end");
      assert.doesNotMatch(text, /[\u2028\u2029\u202e]/);
      const shown = await open(browser, writeFile("hostile.html", text), { viewport: { width: 360, height: 700 } });
      const { page } = shown;
      await page.waitForFunction(() => document.documentElement.dataset.ready === "1");
      for (const summary of await page.locator("summary").all())
        await summary.click();
      if (await page.locator(".search").count())
        for (const name of BAD)
          await page.fill(".search", name);
      assert.equal(await page.evaluate(() => window.pwned), undefined);
      assert.equal(await page.locator("script").count(), 2);
      assert.equal(await page.locator("img, iframe, object, embed, main script").count(), 0);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
      assert.doesNotMatch(await page.locator("main").innerText(), /[\u2028\u202e]/);
      assertQuiet(shown);
      await page.close();
    });
});

describe("a million samples", () => {
  test("open, zoom, search and filter", async () => {
    const text = makePage("run", null, "--samples", "1000000", "--seconds", "60");
    const file = writeFile("many.html", text);
    let since = Date.now();
    const lap = () => -(since - (since = Date.now()));
    const shown = await open(browser, file);
    const { page } = shown;
    await page.waitForFunction(() => document.documentElement.dataset.ready === "1");
    const load = lap();
    assert.deepEqual(await page.evaluate(() => [slw.tree().samples[0].reduce((a, b) => a + b, 0), slw.tree().total[0][0],
      slw.moments(0).weight.reduce((a, b) => a + b, 0)]), [1000000, 1e12, 1e12]);
    lap();
    await page.fill(".search", "method_1");
    assert.match(await page.locator(".flamestatus").textContent(), /matched: \d/);
    const search = lap();
    await page.evaluate(() => slw.flame.zoom(slw.flame.views[0].rows[4].find((b) => b.node >= 0).node));
    const zoom = lap();
    await page.locator(".heatbox").focus();
    await page.keyboard.press("Shift+ArrowRight");
    assert.match(await page.locator(".flamestatus").textContent(), /^selected/);
    console.log(`${text.length} bytes, ${await page.evaluate(() => slw.tree().count)} frames: ready after ${load} ms, ` +
      `search ${search} ms, zoom ${zoom} ms, filter ${lap()} ms`);
    assertQuiet(shown);
    await page.close();
    assert.ok(fs.statSync(file).size < 64e6);
  });
});
