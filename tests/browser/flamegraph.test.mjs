/* SPDX-License-Identifier: MIT */
/* The flame graph as a reader meets it: a file opened in a browser. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertQuiet, cleanUp, draw, launch, open, openGraph, writeFile } from "./helpers.mjs";

const SMALL = `client;main;send;write_[k] 20
client;main;send;encode 10
client;main;recv;read_[k] 40
client;main;recv;decode;encode 20
client;main 5
other;main 5
`;

let browser;
before(async () => { browser = await launch(); });
after(async () => {
  await browser.close();
  cleanUp();
});

describe("the drawing", () => {
  test("fills the window and shows every frame", async () => {
    const shown = await openGraph(browser, SMALL);
    assert.ok(Math.abs(await shown.graph.width("all") - 1179.5) < 0.1);
    assert.ok(Math.abs(await shown.graph.width("recv") - (1180 * 0.6 - 0.5)) < 0.1);
    assert.equal(await shown.graph.text("recv"), "recv");
    await shown.page.setViewportSize({ width: 800, height: 600 });
    await shown.page.waitForFunction(() =>
      Number(document.documentElement.getAttribute("width")) === 800);
    assert.ok(Math.abs(await shown.graph.width("all") - 779.5) < 0.1);
    assertQuiet(shown);
    await shown.page.close();
  });

  test("is complete without scripts", async () => {
    const shown = await openGraph(browser, SMALL, { javaScriptEnabled: false });
    const titles = await shown.page.locator(".frames > g > title").allTextContents();
    assert.equal(titles.length, 12);
    assert.ok(titles.includes("recv\n60 samples, 60.00%"));
    assert.equal(await shown.page.locator("text.off").count(), 1);
    await shown.page.close();
  });

  test("cuts names to the frame, and shows more when it grows", async () => {
    const long = "std::vector<std::pair<int, std::string>>::emplace_back(int&&, char const*)";
    const { page, graph } = await openGraph(browser, `m;${long} 10\nm;rest 90\n`);
    const cut = await graph.text(long.split(",")[0]);
    assert.ok(cut.endsWith("\u2026") && long.startsWith(cut.slice(0, -1)), cut);
    await graph.click(long.split(",")[0]);
    assert.equal(await graph.text(long.split(",")[0]), long);
    await page.close();
  });

  test("tells kernel, user, inlined and other frames apart", async () => {
    const { page, graph } = await openGraph(browser, "u;k_[k];i_[i];o_[j] 5\n");
    const fills = [];
    for (const name of ["u", "k", "i", "o"])
      fills.push(await graph.frame(name).locator("rect").evaluate((r) => getComputedStyle(r).fill));
    assert.equal(new Set(fills).size, 4);
    await page.close();
  });

  test("tells what bounds a function apart, in colour and in words", async () => {
    const names = ["few", "undecided", "frontend", "backend", "speculation", "retiring"];
    for (const colorScheme of ["light", "dark"]) {
      const { page, graph } = await openGraph(browser, names.map((name) => `main;${name} 5\n`).join(""),
        { colorScheme }, "--topdown");
      const fill = (name) => graph.frame(name).locator("rect").evaluate((r) => getComputedStyle(r).fill);
      const fills = await Promise.all(names.map(fill));
      assert.equal(new Set(fills).size, names.length);
      assert.equal(await fill("main"), fills[0]);
      const words = await page.locator(".legend").textContent();
      for (const word of ["front-end bound", "back-end bound", "bad speculation", "retiring", "undecided",
        "too few samples"])
        assert.ok(words.includes(word), word);
      await page.close();
    }
  });

  test("has a dark side", async () => {
    const fill = (selector) => (page) => page.locator(selector).first()
      .evaluate((element) => getComputedStyle(element).fill);
    const light = await openGraph(browser, SMALL, { colorScheme: "light" });
    const dark = await openGraph(browser, SMALL, { colorScheme: "dark" });
    const brightness = (color) => color.match(/\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b);
    for (const what of [".bg", ".frames > g > rect"]) {
      const [bright, dim] = [await fill(what)(light.page), await fill(what)(dark.page)];
      assert.ok(brightness(bright) > brightness(dim), `${what}: ${bright} ${dim}`);
    }
    const text = brightness(await fill(".frames > g > text")(dark.page));
    assert.ok(text > 600, "light text on dark frames");
    assertQuiet(dark);
    await light.page.close();
    await dark.page.close();
  });

  test("says that there is nothing when there is nothing", async () => {
    const shown = await openGraph(browser, "a 0\n");
    assert.match(await shown.page.locator("text.empty").textContent(), /No samples/);
    await shown.graph.search("a");
    await shown.page.keyboard.press("Escape");
    assertQuiet(shown);
    await shown.page.close();
  });
});

describe("zoom", () => {
  test("gives a frame the whole width and dims its callers", async () => {
    const shown = await openGraph(browser, SMALL);
    const { graph, page } = shown;
    await graph.click("send");
    for (const name of ["all", "client", "main", "send"])
      assert.ok(Math.abs(await graph.width(name) - 1179.5) < 0.1, name);
    assert.ok(Math.abs(await graph.width("write") - (1180 * 2 / 3 - 0.5)) < 0.1);
    assert.equal(await graph.width("recv"), 0);
    assert.deepEqual(await Promise.all(["main", "send", "write"].map((n) => graph.has(n, "dim"))),
      [true, false, false]);
    await graph.click("main"); /* a dimmed caller zooms back out to itself */
    assert.ok(await graph.width("recv") > 500);
    assert.equal(await graph.has("main", "dim"), false);
    assertQuiet(shown);
    await page.close();
  });

  test("is reset by the button and by Escape", async () => {
    const { graph, page } = await openGraph(browser, SMALL);
    const before = await graph.width("send");
    assert.equal(await page.locator(".bar .reset").isDisabled(), true);
    for (const how of ["button", "Escape"]) {
      await graph.click("send");
      assert.notEqual(await graph.width("send"), before);
      if (how === "button")
        await page.click(".bar .reset");
      else
        await page.keyboard.press("Escape");
      assert.equal(await graph.width("send"), before);
      assert.equal(await graph.has("main", "dim"), false);
    }
    await page.close();
  });
});

describe("search", () => {
  test("counts what lies under a match once", async () => {
    const { graph, page } = await openGraph(browser, SMALL);
    await graph.search("code"); /* encode under send 10, decode 20 with encode inside it */
    assert.equal(await graph.status(), "Matched: 30.00%");
    assert.deepEqual((await graph.hits()).sort(), ["decode", "encode", "encode"]);
    await graph.click("recv");
    assert.equal(await graph.status(), "Matched: 30.00% of total, 33.33% of the zoomed");
    await page.click(".bar .clear");
    assert.deepEqual(await graph.hits(), []);
    assert.equal(await graph.status(), "");
    await page.close();
  });

  test("takes text as it is and /text/ as a regular expression", async () => {
    const { graph, page } = await openGraph(browser, "a;f(int*) 1\na;F(INT*) 2\na;g.x 3\na;gxx 4\n");
    await graph.search("f(int*)");
    assert.equal(await graph.status(), "Matched: 30.00%");
    await graph.search("/^F/");
    assert.deepEqual(await graph.hits(), ["F(INT*)"]);
    await graph.search("/^f/i");
    assert.equal(await graph.status(), "Matched: 30.00%");
    await graph.search("g.x");
    assert.deepEqual(await graph.hits(), ["g.x"]);
    await graph.search("/(/");
    assert.match(await graph.status(), /Not a regular expression/);
    assert.deepEqual(await graph.hits(), []);
    await graph.search("nowhere");
    assert.equal(await graph.status(), "Matched: 0.00%");
    await page.close();
  });

  test("owns up to what is not drawn", async () => {
    const { graph, page } = await openGraph(browser, "m;a 1\nm;b 99999\n");
    await graph.search("a");
    assert.match(await graph.status(), /\+ at most 0\.00% not drawn/);
    await page.close();
  });
});

describe("tooltip", () => {
  test("names the frame and its numbers", async () => {
    const { graph, page } = await openGraph(browser, SMALL);
    assert.equal(await graph.tooltip(), null);
    await graph.frame("recv").hover();
    assert.deepEqual(await graph.tooltip(), ["recv", "60 samples", "60.00% of total"]);
    await graph.click("recv");
    await graph.frame("decode").hover();
    assert.deepEqual(await graph.tooltip(),
      ["decode", "20 samples", "20.00% of total", "33.33% of the zoomed recv"]);
    await page.mouse.move(600, 5);
    assert.equal(await graph.tooltip(), null);
    await page.close();
  });

  test("shows time as time, and the samples behind it", async () => {
    const { graph, page } = await openGraph(browser, SMALL, {}, "--clock");
    assert.match(await page.locator("text.sub").first().textContent(),
      /^Total: 100\.100 ms of CPU time in 100 samples; event cpu-clock; software, live$/);
    await graph.frame("recv").hover();
    assert.deepEqual(await graph.tooltip(),
      ["recv", "60.060 ms of CPU time", "60 samples", "60.00% of total"]);
    await page.close();
  });

  test("stays inside the drawing", async () => {
    const { graph, page } = await openGraph(browser, SMALL);
    const place = await graph.frame("other").boundingBox();
    await page.mouse.move(place.x + place.width - 2, place.y + 8);
    const tip = await page.locator(".tip rect").boundingBox();
    assert.ok(tip.x + tip.width <= 1200 && tip.y >= 0);
    await page.close();
  });
});

describe("keyboard", () => {
  test("walks, zooms and comes back without a mouse", async () => {
    const shown = await openGraph(browser, SMALL);
    const { graph, page } = shown;
    const press = async (...keys) => {
      for (const key of keys)
        await page.keyboard.press(key);
    };
    await press("ArrowUp", "ArrowUp", "ArrowUp"); /* from the root, always the widest callee */
    assert.equal(await graph.focused(), "recv");
    assert.deepEqual((await graph.tooltip()).slice(0, 2), ["recv", "60 samples"]);
    await press("ArrowRight");
    assert.equal(await graph.focused(), "send");
    await press("ArrowLeft", "ArrowDown");
    assert.equal(await graph.focused(), "main");
    await press("ArrowUp", "Enter");
    assert.ok(Math.abs(await graph.width("recv") - 1179.5) < 0.1);
    await press("Escape");
    assert.ok(await graph.width("recv") < 800);
    assertQuiet(shown);
    await page.close();
  });

  test("follows the drawing when it hangs from the top", async () => {
    const { graph, page } = await openGraph(browser, SMALL, {}, "--icicle");
    await page.keyboard.press("ArrowDown"); /* inverted: leaves first, the widest of them */
    assert.equal(await graph.focused(), "read");
    await page.keyboard.press("ArrowDown");
    assert.equal(await graph.focused(), "recv");
    await page.keyboard.press("ArrowUp");
    assert.equal(await graph.focused(), "read");
    const [upper, lower] = [await graph.frame("all").boundingBox(),
      await graph.frame("recv").boundingBox()];
    assert.ok(upper.y < lower.y);
    await page.close();
  });

  test("reaches everything with Tab, the graph in one stop", async () => {
    const { graph, page } = await openGraph(browser, SMALL);
    const stops = [];
    for (let i = 0; i < 3; i++) {
      await page.keyboard.press("Tab");
      stops.push(await page.evaluate(() =>
        document.activeElement ? document.activeElement.localName : "none"));
    }
    assert.deepEqual(stops, ["input", "button", "g"]); /* two buttons are disabled */
    assert.equal(await page.locator(".frames > g[tabindex]").count(), 1);
    assert.equal(await graph.frame("all").getAttribute("role"), "treeitem");
    assert.equal(await graph.frame("recv").getAttribute("aria-level"), "4");
    await page.close();
  });

  test("searches with / and Ctrl-F, steps with n, clears with Escape", async () => {
    const { graph, page } = await openGraph(browser, SMALL);
    await page.keyboard.press("/");
    await page.keyboard.type("encode");
    assert.equal(await graph.status(), "Matched: 30.00%");
    await page.keyboard.press("Enter");
    assert.equal(await graph.focused(), "encode");
    await page.keyboard.press("n");
    const second = await page.evaluate(() => document.activeElement.dataset.f);
    await page.keyboard.press("N");
    assert.notEqual(await page.evaluate(() => document.activeElement.dataset.f), second);
    await page.keyboard.press("Control+f");
    assert.equal(await page.evaluate(() => document.activeElement.localName), "input");
    await page.keyboard.press("Escape");
    assert.deepEqual(await graph.hits(), []);
    await page.close();
  });

  test("explains itself with ?", async () => {
    const { page } = await openGraph(browser, SMALL);
    const help = page.locator(".help");
    assert.equal(await help.isVisible(), false);
    await page.keyboard.press("?");
    assert.equal(await help.isVisible(), true);
    assert.match(await help.textContent(), /Escape/);
    await page.keyboard.press("Escape");
    assert.equal(await help.isVisible(), false);
    await page.close();
  });
});

describe("hostile names", () => {
  const HOSTILE = [
    "<script>window.pwned=1</script>", "</title><script>window.pwned=2</script>",
    "]]><script>window.pwned=3</script>", "\"><image href=x onerror=window.pwned=4>",
    "</svg><img src=x onerror='window.pwned=5'>", "&lt & <b> 'quoted' \"twice\"",
    "javascript:window.pwned=6", "\u202egnp.exe", "a\x01\x02\x7f\tb", "__proto__", "constructor",
    "T".repeat(4096),
  ];
  const folded = Buffer.concat([
    Buffer.from(HOSTILE.map((name) => `client;${name} 5\n`).join("")),
    Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0x20, 0x35, 0x0a])]);

  for (const inlined of [false, true]) {
    test(inlined ? "stay text in a page" : "stay text in a file", async () => {
      const svg = draw(folded, "--title", "</title><script>window.pwned=7</script>",
        "--subtitle", "<script>window.pwned=8</script>");
      const file = inlined ? writeFile("page.html", `<!doctype html><meta charset=utf-8>${svg}`)
        : writeFile("graph.svg", svg);
      const shown = await open(browser, file);
      const { graph, page } = shown;
      assert.equal(await page.locator(".frames > g").count(), HOSTILE.length + 3);
      for (const name of HOSTILE.slice(0, 6)) {
        const label = await page.locator(".frames > g").evaluateAll((list, wanted) =>
          list.map((g) => g.getAttribute("aria-label")).filter((l) => l.startsWith(wanted)), name);
        assert.equal(label.length, 1, name);
        const frame = page.locator(".frames > g").nth(await page.locator(".frames > g")
          .evaluateAll((list, wanted) => list.findIndex((g) =>
            g.getAttribute("aria-label").startsWith(wanted)), name));
        await frame.hover();
        assert.equal((await graph.tooltip())[0], name);
        await frame.locator("rect").click();
        await graph.search(name);
        assert.match(await graph.status(), /Matched/);
        await page.click(".bar .reset");
      }
      await graph.search("__proto__");
      assert.deepEqual(await graph.hits(), ["__proto__"]);
      assert.equal(await page.evaluate(() => window.pwned), undefined);
      assert.equal(await page.locator("script").count(), 1);
      assertQuiet(shown);
      await page.close();
    });
  }
});

describe("inside a page", () => {
  test("two graphs live side by side and leave the page alone", async () => {
    const page1 = `<!doctype html><meta charset=utf-8><title>t</title>
      <style>body{margin:0}</style><p class="u0 t0 hit">text <input id=own></p>
      <div id=a style="width:900px">${draw(SMALL)}</div>
      <div id=b style="width:600px;padding:0 50px">${draw("x;y 1\nx;z 1\n")}</div>`;
    const shown = await open(browser, writeFile("page.html", page1));
    const { page } = shown;
    const width = (id, name) => page.locator(`#${id} .frames > g[aria-label^="${name},"] rect`)
      .first().evaluate((r) => Number(r.getAttribute("width")));
    assert.ok(Math.abs(await width("a", "all") - 879.5) < 0.1);
    assert.ok(Math.abs(await width("b", "all") - 579.5) < 0.1);
    await page.locator('#a .frames > g[aria-label^="recv,"] rect').click();
    assert.ok(await width("a", "recv") > 800);
    assert.ok(Math.abs(await width("b", "y") - 289.5) < 0.1, "the other graph did not zoom");
    await page.focus("#own"); /* keys of the page stay the page's */
    await page.keyboard.type("/n?");
    assert.equal(await page.inputValue("#own"), "/n?");
    assert.ok(await width("a", "recv") > 800);
    assert.equal(await page.locator("p").evaluate((p) => getComputedStyle(p).color), "rgb(0, 0, 0)");
    await page.locator("#a").evaluate((div) => { div.style.width = "700px"; });
    await page.waitForFunction(() =>
      document.querySelector("#a svg").getAttribute("width") === "700");
    assertQuiet(shown);
    await page.close();
  });
});

describe("a million samples", () => {
  /* 50,000 distinct stacks with a long tail, from a fixed seed. */
  function many() {
    let seed = 12345;
    const below = (limit) => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      return (seed >>> 8) % limit;
    };
    const lines = [];
    let left = 1000000;
    for (let i = 0; i < 50000; i++) {
      const depth = 5 + below(30);
      const stack = ["client"];
      for (let d = 0; d < depth; d++)
        stack.push(`ns::Class${d}::method_${below(d < 10 ? 2 : 4)}`);
      const count = i === 49999 ? left : 1 + below(i % 500 === 0 ? 3000 : 12);
      left -= count;
      lines.push(`${stack.join(";")};leaf_${i} ${count}`);
    }
    return `${lines.join("\n")}\n`;
  }

  test("load, search and zoom within seconds", async () => {
    const svg = draw(many());
    assert.ok(svg.length < 20e6, `${svg.length} bytes`);
    assert.match(svg, /data-total="1000000"/);
    const file = writeFile("many.svg", svg);
    let since = Date.now();
    const lap = () => -(since - (since = Date.now()));
    const shown = await open(browser, file);
    const load = lap();
    const { page, graph } = shown;
    const frames = await page.locator(".frames > g").count();
    lap();
    await graph.search("method_1");
    assert.match(await graph.status(), /Matched: \d/);
    const search = lap();
    await page.locator('.frames > g[aria-label^="ns::Class2"] rect').first().click();
    assert.equal(await page.locator(".bar .reset").isDisabled(), false);
    const zoom = lap();
    console.log(`${svg.length} bytes, ${frames} frames: load ${load} ms, search ${search} ms, ` +
      `zoom ${zoom} ms`);
    assert.ok(load < 20000 && search < 10000 && zoom < 10000);
    assertQuiet(shown);
    await page.close();
  });
});
