/* SPDX-License-Identifier: MIT */
/* What a reader can do with a flame graph: zoom, search, tooltips, the keyboard. It reads the
 * frames from the drawing itself and asks nothing of anybody: no request, no eval, no markup made
 * from names (textContent only). Works alone and inside a page, several times if need be: all parts
 * are one function, joined when slotwise is built. It opens here, where the frames are read. */
(() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const XHTML = "http://www.w3.org/1999/xhtml";
  const ELLIPSIS = "\u2026";
  const TEXT_MIN = 26; /* px: narrower frames carry no text */
  const PAD = 3;
  const MARKED_COLUMNS = 8; /* of a name that there is room for, behind its whole mark */

  const script = document.currentScript;
  const svg = script && script.closest ? script.closest("svg.slw-fg") : null;
  if (!svg || svg.dataset.ready)
    return;
  svg.dataset.ready = "1";

  const alone = document.documentElement === svg;
  const number = (name) => Number(svg.dataset[name]) || 0;
  const total = number("total");
  const culled = number("culled");
  const scale = number("scale") || 1;
  const row = number("row");
  const charWidth = number("char");
  const margin = number("margin");
  const unit = svg.dataset.unit;
  const inverted = svg.dataset.inverted === "1";
  const wide = svg.dataset.wide; /* what width is, in words; then frames tell facts of their own */
  const height = Number(svg.getAttribute("height"));
  const box = svg.querySelector(".frames");
  const details = svg.querySelector("text.details");
  const detailsAtRest = details.textContent;

  /* ---- small helpers ---- */

  function makeIn(namespace, parent, name, attributes, text) {
    const node = document.createElementNS(namespace, name);
    for (const key of Object.keys(attributes))
      node.setAttribute(key, attributes[key]);
    if (text !== undefined)
      node.textContent = text;
    parent.appendChild(node);
    return node;
  }

  const make = makeIn.bind(null, SVG);
  const makeHtml = makeIn.bind(null, XHTML);

  /* Group the digits of a whole number given as text: exact beyond 2^53. */
  function grouped(digits) {
    return digits.replace(/\B(?=(\d{3})+$)/g, ",");
  }

  function amount(digits) {
    if (scale === 1)
      return grouped(digits) + " " + unit;
    const parts = (Number(digits) / scale).toFixed(3).split(".");
    return grouped(parts[0]) + "." + parts[1] + " " + unit;
  }

  function percent(part, whole) {
    return whole > 0 ? (100 * part / whole).toFixed(2) + "%" : "no samples";
  }

  function columnsOf(character) {
    const c = character.codePointAt(0);
    const wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
      (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) ||
      (c >= 0xff00 && c <= 0xff60) || (c >= 0x1f300 && c <= 0x1faff) || c >= 0x20000;
    return wide ? 2 : 1;
  }

  /* The text, or as much of it as fits and an ellipsis. */
  function fit(text, columns) {
    if (text.length * 2 <= columns)
      return text;
    let used = 0;
    let end = 0;
    let endWithEllipsis = 0;
    for (const character of text) {
      used += columnsOf(character);
      if (used > columns)
        return text.slice(0, endWithEllipsis) + ELLIPSIS;
      end += character.length;
      if (used < columns)
        endWithEllipsis = end;
    }
    return text;
  }

  /* Split into lines of at most `columns` characters, at most `limit` lines. */
  function wrap(text, columns, limit) {
    const lines = [];
    const characters = Array.from(text);
    for (let i = 0; i < characters.length && lines.length < limit; i += columns)
      lines.push(characters.slice(i, i + columns).join(""));
    if (characters.length > columns * limit)
      lines[limit - 1] = lines[limit - 1].slice(0, -1) + ELLIPSIS;
    return lines;
  }

  /* ---- the frames, read back from the drawing ---- */

  function readFrame(g, index) {
    const f = g.dataset.f.split(" ");
    const title = g.querySelector("title");
    const lines = title.textContent.split("\n");
    title.remove(); /* ours replaces the browser's slow tooltip */
    return {
      g, index,
      rect: g.querySelector("rect"),
      text: g.querySelector("text"),
      depth: Number(f[0]),
      start: Number(f[1]),
      weight: Number(f[2]),
      weightDigits: f[2],
      samplesDigits: f[3],
      name: lines[0],
      module: wide || lines.length > 2 ? lines[1] : "",
      mark: g.dataset.m || "",
      facts: wide ? lines.slice(2) : null,
      narrow: g.classList.contains("n"),
      parent: null,
      end: 0, /* index behind the last frame of its subtree */
      hidden: false, dim: false, hit: false,
    };
  }

  /* Depth-first order and depth give the tree back. */
  function linkFrames(list) {
    const open = [];
    for (const f of list) {
      while (open.length > 0 && open[open.length - 1].depth >= f.depth)
        open.pop().end = f.index;
      f.parent = open.length > 0 ? open[open.length - 1] : null;
      open.push(f);
    }
    for (const f of open)
      f.end = list.length;
  }

  /* The copy first: a live list is counted anew after every title that readFrame removes. */
  const frames = Array.from(box.children).map(readFrame);
  const frameOf = new Map(frames.map((f) => [f.g, f]));
  linkFrames(frames);
  const root = frames.length > 0 ? frames[0] : null;

  let width = Number(svg.getAttribute("width"));
  let zoomed = root;
  let focused = root;
  let searchText = "";

  function within(f, ancestor) {
    return f.index >= ancestor.index && f.index < ancestor.end;
  }
