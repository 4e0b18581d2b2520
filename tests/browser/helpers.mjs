/* SPDX-License-Identifier: MIT */
/* One browser for a test file, folded text made into a drawing, and what a test asks of a page. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export const folder = fs.mkdtempSync(path.join(os.tmpdir(), "slw-browser-"));

/* Playwright gives every launch a fresh profile folder and removes it again. */
export function launch() {
  return chromium.launch({ executablePath: process.env.SLW_CHROMIUM || "/usr/bin/chromium", args: FLAGS });
}

export function cleanUp() {
  fs.rmSync(folder, { recursive: true, force: true });
}

let files = 0;

export function writeFile(name, bytes) {
  const file = path.join(folder, `${++files}-${name}`);
  fs.writeFileSync(file, bytes);
  return file;
}

/* folded: text or bytes; returns the drawing as text */
export function draw(folded, ...options) {
  const input = writeFile("in.folded", folded);
  return execFileSync(process.env.SLW_MAKE_SVG, [input, ...options],
    { maxBuffer: 1 << 30, stdio: ["ignore", "pipe", "ignore"] }).toString("utf8");
}

/* A page as text; data: what a json renderer would write, or nothing */
export function makePage(kind, data, ...options) {
  const given = data ? ["--data", writeFile("data.json", JSON.stringify(data))] : [];
  return execFileSync(process.env.SLW_MAKE_PAGE, [kind, ...given, ...options],
    { maxBuffer: 1 << 30, stdio: ["ignore", "pipe", "ignore"] }).toString("utf8");
}

/* Open a file; every request, console message and uncaught error is kept. */
export async function open(browser, file, options = {}) {
  const page = await browser.newPage({ viewport: { width: 1200, height: 800 }, ...options });
  const seen = { requests: [], errors: [] };
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning")
      seen.errors.push(message.text());
  });
  page.on("pageerror", (error) => seen.errors.push(error.message));
  await page.goto(pathToFileURL(file).href);
  return { page, seen, graph: new Graph(page), url: pathToFileURL(file).href };
}

export async function openGraph(browser, folded, options = {}, ...drawing) {
  return open(browser, writeFile("graph.svg", draw(folded, ...drawing)), options);
}

export async function openPage(browser, kind, data, options = {}, ...making) {
  const shown = await open(browser, writeFile(`${kind}.html`, makePage(kind, data, ...making)), options);
  await shown.page.waitForFunction(() => document.documentElement.dataset.ready === "1");
  return shown;
}

/* Nothing was fetched but the page itself, and nothing went wrong. */
export function assertQuiet({ seen, url }) {
  assert.deepEqual(seen.requests, [url]);
  assert.deepEqual(seen.errors, []);
}

/* What a reader sees and does, in the words of the tests. Frames are named by their label. */
class Graph {
  constructor(page) {
    this.page = page;
  }

  frame(name) {
    return this.page.locator(`.frames > g[aria-label^=${JSON.stringify(name + ",")}]`).first();
  }

  async width(name) {
    const frame = this.frame(name);
    return await frame.getAttribute("display") === "none"
      ? 0 : Number(await frame.locator("rect").getAttribute("width"));
  }

  async has(name, className) {
    return (await this.frame(name).getAttribute("class")).split(" ").includes(className);
  }

  text(name) {
    return this.frame(name).locator("text").textContent();
  }

  /* The middle of the part of a frame that can be seen. */
  async click(name) {
    await this.frame(name).locator("rect").click();
  }

  async search(text) {
    await this.page.fill(".bar input", text);
  }

  status() {
    return this.page.locator(".bar .status").textContent();
  }

  async tooltip() {
    const tip = this.page.locator(".tip");
    return await tip.getAttribute("display") === "none"
      ? null : tip.locator("text").allTextContents();
  }

  /* The name of the frame that has the keyboard. */
  focused() {
    return this.page.evaluate(() => {
      const label = document.activeElement && document.activeElement.getAttribute("aria-label");
      return label ? label.split(",")[0] : null;
    });
  }

  hits() {
    return this.page.locator(".frames > g.hit").evaluateAll((list) =>
      list.map((g) => g.getAttribute("aria-label").split(",")[0]));
  }
}
