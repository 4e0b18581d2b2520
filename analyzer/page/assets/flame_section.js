/* SPDX-License-Identifier: MIT */
/* The flame graphs as a section: toolbar, legend, the table of what a frame calls, and what a frame
 * of one side weighs: of everything, or of the stretch of time that is selected in its heat map. */
(() => {
  "use strict";
  const { h } = slw;
  const f = slw.format;
  const KIND_WORDS = ["", "thread", "user code", "inlined by the compiler", "kernel", "other (JIT, vdso)"];

  /* ---- what a side weighs ---- */

  const filters = []; /* of each side: {self, total, text} or nothing */

  slw.weights = (side) => {
    const report = slw.sides[side].report;
    const samples = report && report.samples;
    const run = slw.sides[side].run;
    const requests = run && run.sampled_requests.value !== null ? Number(run.sampled_requests.value) : null;
    return {
      total: filters[side] ? filters[side].total : slw.tree().total[side],
      self: filters[side] ? filters[side].self : slw.tree().self[side],
      filter: filters[side] || null,
      requests,
      why: run ? run.sampled_requests.absent : "there is no report",
      unit: samples ? samples.unit : "events",
      what: samples ? (samples.unit === "nanoseconds" ? "CPU time" : samples.event) : "samples",
    };
  };

  /* keep(i): is moment i selected? null: all of them. */
  slw.filter = (side, keep, text) => {
    filters[side] = null;
    if (keep) {
      const moments = slw.moments(side);
      const self = new Float64Array(slw.tree().count);
      for (let i = 0; i < moments.count; i++)
        if (keep(i))
          self[moments.node[i]] += moments.weight[i];
      filters[side] = { self, total: slw.summed(slw.tree(), self), text };
    }
    if (slw.flame.views.length)
      slw.flame.update();
  };

  /* ---- toolbar ---- */

  function toolbar() {
    const input = h("input", { type: "search", class: "search", placeholder: "Search: text or /regex/",
      spellcheck: "false", autocomplete: "off", "aria-label": "Search frames by text, or by /regular expression/" });
    const reset = h("button", { type: "button", class: "reset" }, "Reset zoom");
    const clear = h("button", { type: "button", class: "clear" }, "Clear search");
    const status = h("span", { class: "searchstatus", role: "status" });
    const search = () => lookFor(input.value, status);
    input.addEventListener("input", search);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && slw.flame.hits)
        slw.flame.found(slw.flame.active || slw.flame.views[0], event.shiftKey ? -1 : 1);
      else if (event.key === "Escape")
        slw.flame.toolbar.clear();
      else
        return;
      event.preventDefault();
    });
    slw.flame.toolbar = {
      focus: () => input.focus(),
      clear: () => { input.value = ""; search(); },
      search: (text) => { input.value = text; search(); },
      update: () => { reset.disabled = !slw.flame.zoomed; clear.disabled = !input.value; },
    };
    clear.addEventListener("click", () => slw.flame.toolbar.clear());
    reset.addEventListener("click", () => slw.flame.zoom(0));
    return h("div", { class: "toolbar", role: "toolbar", "aria-label": "Flame graphs" }, input, clear, reset,
      slw.sides.length > 1 && scaleBox(), status,
      slw.details("Keys", h("ul", { class: "keys" },
        h("li", {}, h("kbd", {}, "Tab"), " into a graph, ", h("kbd", {}, "\u2190 \u2191 \u2192 \u2193"), " from frame to frame"),
        h("li", {}, h("kbd", {}, "Enter"), " zooms, ", h("kbd", {}, "Escape"), " resets the zoom, then the search"),
        h("li", {}, h("kbd", {}, "/"), " searches, ", h("kbd", {}, "n"), " and ", h("kbd", {}, "N"), " step through what was found"),
        h("li", {}, h("kbd", {}, "Home"), " goes back to the zoomed frame"))));
  }

  /* One that costs a tenth is a tenth as wide; without the box both can be read. */
  function scaleBox() {
    const box = h("input", { type: "checkbox", class: "onescale", on: { change: () => {
      slw.flame.ownScale = !box.checked;
      slw.flame.update();
    } } });
    box.checked = true;
    return h("label", {}, box, "A and B to one scale");
  }

  function lookFor(text, status) {
    const flame = slw.flame;
    let matches = null;
    status.classList.remove("bad");
    slw.refill(status);
    try {
      matches = text ? slw.matcher(text) : null;
    } catch (error) {
      status.classList.add("bad");
      slw.refill(status, "Not a regular expression");
    }
    flame.text = text;
    flame.hits = slw.hitsOf(slw.tree(), matches);
    if (flame.hits)
      slw.refill(status, f.plural(flame.hits.reduce((a, b) => a + b, 0), "function") + " found");
    flame.update();
  }

  /* ---- what a frame calls, as a table: for who cannot see the graph ---- */

  function callees(node) {
    const tree = slw.tree();
    const list = [];
    for (let n = node + 1; n < tree.end[node] && list.length < 500; n = tree.end[n])
      list.push(n);
    return list;
  }

  function calleeTable() {
    const box = h("div");
    const fill = () => {
      const flame = slw.flame;
      const columns = [{ title: "calls", cell: (n) => h("button", { type: "button", class: "link",
        on: { click: () => flame.zoom(n) } }, slw.nameOf(n)), key: slw.nameOf }];
      flame.views.forEach((view) => columns.push({ title: view.column, number: true,
        cell: (n) => view.cell ? view.cell(n) : view.text(view.sizes()[n]), key: (n) => view.key ? view.key(n) : view.sizes()[n] }));
      const main = flame.views[flame.views.length - 1].sizes();
      const rows = callees(flame.zoomed).filter((n) => main[n] > 0).sort((a, b) => main[b] - main[a]);
      slw.refill(box, flame.zoomed !== 0 && h("p", {}, h("button", { type: "button",
        on: { click: () => flame.zoom(slw.tree().parent[flame.zoomed]) } }, "Up to the caller")),
      rows.length ? slw.table(columns, rows, { caption: "What " + slw.nameOf(flame.zoomed) + " calls", limit: 30 })
        : h("p", {}, slw.nameOf(flame.zoomed) + " calls nothing."));
    };
    (slw.flame.onUpdate = slw.flame.onUpdate || []).push(() => details.open && fill());
    const details = slw.lazy("The zoomed frame as a table", () => { fill(); return box; });
    details.addEventListener("toggle", () => details.open && fill());
    return details;
  }

  /* ---- the graph of one side ---- */

  slw.tipHead = (node) => {
    const tree = slw.tree();
    const kind = KIND_WORDS[tree.frames.kind[tree.frame[node]]];
    const module = slw.moduleOf(node);
    return [slw.nameOf(node), [module && "in " + module, kind].filter(Boolean).join(", ")];
  };

  function oneView() {
    const w = () => slw.weights(0);
    const text = (size) => f.value(size, w().unit);
    return slw.flame.newView({
      title: "Flame graph", column: "with callees", name: "",
      sizes: () => w().total,
      scale: (zoomed) => w().total[zoomed],
      text,
      look: (node) => ({ fill: slw.paint.kindColor(slw.tree(), node), label: slw.nameOf(node) }),
      tip: (node) => tipOfOne(node, w()),
      summary: () => {
        const all = w();
        return (all.filter ? all.filter.text + ": " : "all: ") + text(all.total[0]) + " of " + all.what;
      },
    });
  }

  function tipOfOne(node, w) {
    const total = w.total[node];
    const lines = slw.tipHead(node);
    lines.push(f.value(total, w.unit) + " with callees, " + f.value(w.self[node], w.unit) + " itself");
    lines.push(f.percent(w.total[0] ? total / w.total[0] : 0, 2) + " of " + (w.filter ? "the selection" : "all"));
    if (slw.flame.zoomed)
      lines.push(f.percent(total / w.total[slw.flame.zoomed], 2) + " of the zoomed frame");
    if (w.requests && !w.filter)
      lines.push(f.value(total / w.requests, w.unit) + " a request");
    return lines;
  }

  const swatch = (color, text) => h("li", {}, h("span", { class: "swatch", style: { background: color },
    "aria-hidden": "true" }), h("span", { class: "what" }, text));
  slw.swatch = swatch;

  function kindLegend() {
    const kinds = [[2, "user code"], [3, "inlined into its caller"], [4, "kernel"], [5, "other: JIT, vdso"], [1, "thread"]];
    const list = h("ul", { class: "legend inline" });
    const fill = () => slw.refill(list, kinds.map(([k, text]) =>
      swatch(slw.paint.kinds[slw.dark() ? "dark" : "light"][k][0], text)), swatch(slw.paint.plain().hit, "found by a search"));
    slw.onRedraw(fill);
    fill();
    return list;
  }

  function draw() {
    if (!slw.sides.length)
      return null;
    if (!slw.sides.some((_, i) => slw.hasSamples(i)))
      return "there are no samples: " + (slw.sides[0].absent || "none weighs anything");
    const bar = toolbar(); /* first: views look at it */
    const compared = slw.sides.length > 1;
    slw.flame.views = compared ? slw.differenceViews() : [oneView()];
    return h("div", {}, h("p", { class: "soft" }, "A frame is a function, below its caller; its width is what was " +
      "measured while it or anything it calls was running. Left to right is alphabetical, not time."),
    bar, kindLegend(),
    slw.flame.views.map((v) => v.node), slw.flame.tip, calleeTable());
  }

  slw.section("flame", "Flame graph", 70, draw);
})();
