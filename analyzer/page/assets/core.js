/* SPDX-License-Identifier: MIT */
/* What every part of the page stands on: the data, elements made of text (never of markup), and the
 * list of sections. The parts come after this one in one script and meet in `slw`. */
const slw = { sections: [], redraws: [] };

(() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  /* Controls, and what reorders or hides text: names are other people's. */
  const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

  slw.clean = (text) => String(text).replace(UNSAFE, (c) =>
    "\\u{" + c.codePointAt(0).toString(16).padStart(4, "0") + "}");

  function set(node, key, value) {
    if (value === null || value === undefined || value === false)
      return;
    if (key === "on")
      Object.keys(value).forEach((name) => node.addEventListener(name, value[name]));
    else if (key === "style")
      Object.keys(value).forEach((name) => node.style.setProperty(name, value[name]));
    else
      node.setAttribute(key, value === true ? "" : slw.clean(value));
  }

  function fill(node, children) {
    for (const child of children.flat(Infinity)) {
      if (child === null || child === undefined || child === false)
        continue;
      node.append(child instanceof Node ? child : document.createTextNode(slw.clean(child)));
    }
    return node;
  }

  function make(node, attributes, children) {
    for (const key of Object.keys(attributes || {}))
      set(node, key, attributes[key]);
    return fill(node, children);
  }

  /* h("p", {class: "x", on: {click: f}}, "text", node, [more]) */
  slw.h = (name, attributes, ...children) => make(document.createElement(name), attributes, children);
  slw.s = (name, attributes, ...children) => make(document.createElementNS(SVG, name), attributes, children);
  slw.refill = (node, ...children) => {
    node.replaceChildren();
    return fill(node, children);
  };

  const data = JSON.parse(document.getElementById("slw-data").textContent);
  slw.page = data;
  slw.kind = data.kind;
  slw.sides = data.sides;
  slw.report = data.kind === "run" && data.sides.length ? data.sides[0].report : null;
  slw.compared = data.kind === "comparison";
  /* What the sides are called, and how they are told apart in every graphic. */
  slw.sideName = (i) => data.sides[i] && data.sides[i].name || (data.sides.length > 1 ? "AB"[i] : "");
  slw.sideClass = (i) => i === 0 ? "side-a" : "side-b";

  /* draw() gives a node; text: why there is nothing to show; null: the kind of page has no such
   * section. Sections stand in the order of `at`. */
  slw.section = (id, title, at, draw) => slw.sections.push({ id, title, at, draw });

  /* Things that are not markup (canvases) are drawn again when the theme or the size changes. */
  slw.onRedraw = (draw) => slw.redraws.push(draw);
  slw.redraw = () => slw.redraws.forEach((draw) => draw());

  slw.dark = () => {
    const chosen = document.documentElement.dataset.theme;
    if (slw.printing)
      return false;
    return chosen ? chosen === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
  };
  slw.color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

  let ids = 0;
  slw.id = (prefix) => prefix + "-" + (++ids);

  /* Says what happened to who cannot see it. */
  slw.live = slw.h("div", { class: "offscreen", role: "status", "aria-live": "polite" });
  slw.say = (text) => { slw.live.textContent = slw.clean(text); };

  slw.details = (summary, ...content) =>
    slw.h("details", { class: "more" }, slw.h("summary", {}, summary), ...content);
  /* Content that is made only when somebody looks, or prints. */
  slw.lazy = (summary, make) => {
    const node = slw.details(summary);
    node.slwFill = () => {
      if (!node.dataset.filled) {
        node.dataset.filled = "1";
        node.append(make());
      }
    };
    node.addEventListener("toggle", () => node.open && node.slwFill());
    return node;
  };
})();
