/* SPDX-License-Identifier: MIT */
/* Puts the page together: bar, sections, what is left out and why; theme, print, size. Last. */
(() => {
  "use strict";
  const { h } = slw;
  const THEMES = [["", "Auto"], ["light", "Light"], ["dark", "Dark"]];

  function themeButtons() {
    const buttons = THEMES.map(([value, text]) => h("button", { type: "button", "aria-pressed": String(value === ""),
      on: { click: () => choose(value) } }, text));
    function choose(value) {
      if (value)
        document.documentElement.dataset.theme = value;
      else
        delete document.documentElement.dataset.theme;
      buttons.forEach((b, i) => b.setAttribute("aria-pressed", String(THEMES[i][0] === value)));
      slw.redraw();
    }
    return h("div", { class: "themes", role: "group", "aria-label": "Colours" }, buttons);
  }

  function header(shown) {
    return h("header", { class: "bar-top" }, h("div", { class: "bar-inner" },
      h("a", { class: "skip", href: "#main" }, "Skip to the report"),
      h("span", { class: "brand" }, "slotwise"),
      h("nav", { "aria-label": "Sections", tabindex: "-1" }, h("ul", {}, shown.map((s) =>
        h("li", {}, h("a", { href: "#" + s.id }, s.short || s.title))))), themeButtons()));
  }

  const SHORT = { "per-request": "Requests", topdown: "Top-down", wall: "Wall time", timeline: "Time line", heat: "Heat map",
    flame: "Flame graph", reproduce: "Reproduce", "what-changed": "Metrics",
    mismatches: "Mismatches", rounds: "Rounds", curves: "Curves", points: "Arms", prices: "Latency", how: "How", notes: "Notes" };

  function drawn(section) {
    const id = section.id;
    return h("section", { id, "aria-labelledby": id + "-title" },
      h("h2", { id: id + "-title" }, section.title), section.node);
  }

  function leftOut(sections) {
    if (!sections.length)
      return null;
    return h("section", { id: "left-out", "aria-labelledby": "left-out-title" },
      h("h2", { id: "left-out-title" }, "Not in this report"), h("ul", { class: "leftout" }, sections.map((s) =>
        h("li", { id: s.id }, h("b", {}, s.title), ": ", s.why, "."))));
  }

  /* One section that cannot be drawn must not take the others with it. */
  function attempt(section) {
    try {
      return section.draw();
    } catch (error) {
      console.error(section.id + ": " + error.message);
      return "it cannot be drawn (" + error.message + ")";
    }
  }

  function build() {
    const shown = [], without = [];
    for (const section of [...slw.sections].sort((a, b) => a.at - b.at)) {
      const result = attempt(section);
      if (typeof result === "string")
        without.push({ ...section, why: result.replace(/[.\s]+$/, "") });
      else if (result)
        shown.push({ ...section, node: result, short: SHORT[section.id] });
    }
    document.body.append(header(shown), h("main", { id: "main", tabindex: "-1" },
      h("h1", {}, slw.page.title), shown.map(drawn), leftOut(without)), slw.live);
  }

  /* ---- print: everything unfolded, light ---- */

  let folded = [];
  function beforePrint() {
    slw.printing = true;
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const details of document.querySelectorAll("details")) {
      if (details.slwFill)
        details.slwFill();
      details.open = true;
    }
    slw.redraw();
  }
  function afterPrint() {
    slw.printing = false;
    folded.forEach((details) => { details.open = false; });
    slw.redraw();
  }

  let waiting = false;
  function soon() {
    if (waiting)
      return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      slw.redraw();
    });
  }

  build();
  slw.heat.maps.forEach((map) => map && map.start());
  slw.redraw();
  window.addEventListener("resize", soon);
  window.addEventListener("beforeprint", beforePrint);
  window.addEventListener("afterprint", afterPrint);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", slw.redraw);
  window.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.nodeName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && slw.flame.toolbar) {
      event.preventDefault();
      document.getElementById("flame").scrollIntoView();
      slw.flame.toolbar.focus();
    }
  });
  document.documentElement.dataset.ready = "1";
})();
