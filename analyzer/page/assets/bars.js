/* SPDX-License-Identifier: MIT */
/* Bars whose parts make a whole: where the wall time of a thread went, and what the pipeline did
 * with its slots. One bar a side, so that they can be read below each other. */
(() => {
  "use strict";
  const { h } = slw;
  const f = slw.format;

  /* Of record/waits.def, and the two halves of the first. */
  const WAITS = { on_cpu: "on-CPU", user: "on-CPU: user", kernel: "on-CPU: kernel", runnable: "runnable, no free CPU",
    answer: "answer (socket)", sending: "sending (socket)", event_loop: "event loop", lock: "lock (futex)",
    pipe: "pipe or terminal", child: "child process", other: "other, in the kernel", unsplit: "off-CPU, cause unknown" };
  const words = (key) => WAITS[key] || key.replace(/_/g, " ");

  /* parts: {label, share, text (the number in words), hue (0..9), flagged} */
  function bar(parts, label) {
    const shown = parts.filter((p) => p.share > 0);
    return h("div", { class: "bar", role: "img", "aria-label": label + ": " +
      shown.map((p) => p.label + " " + f.percent(p.share)).join(", ") },
    shown.map((p) => h("span", { class: "part hue" + p.hue, style: { width: (100 * p.share).toFixed(3) + "%" },
      title: p.label + ": " + p.text }, h("span", { class: "partname" }, p.label + " " + f.percent(p.share, 0)))));
  }

  function legend(parts) {
    return h("ul", { class: "legend" }, parts.map((p) => h("li", {},
      h("span", { class: "swatch hue" + p.hue, "aria-hidden": "true" }),
      h("span", { class: "what" }, p.label), " ", h("b", {}, f.percent(p.share)), " ",
      h("span", { class: "soft" }, p.text), p.flagged && h("span", { class: "badge badge-likely" }, "above its threshold"),
      p.from)));
  }

  function block(name, parts, more, sideIndex) {
    return h("div", { class: "barblock" }, name && h("h3", { class: "arm " + slw.sideClass(sideIndex) }, name),
      bar(parts, name || "share"), legend(parts), more);
  }

  /* ---- top-down ---- */

  const HUES = [["frontend", 0], ["bad_spec", 2], ["backend", 1], ["retiring", 3]];
  function hueOf(name, i) {
    const found = HUES.find(([part]) => name.toLowerCase().replace(/[^a-z]/g, "_").includes(part));
    return found ? found[1] : 4 + i % 4;
  }

  function level1(topdown) {
    return topdown.nodes.filter((n) => n.level === 1);
  }

  function nodeText(n) {
    const range = n.interval ? f.percent(n.interval[0]) + " \u2026 " + f.percent(n.interval[1]) : "";
    return [range, n.thin ? "too little counted to judge by" : "", n.errata ? "errata: " + n.errata : ""]
      .filter(Boolean).join("; ");
  }

  function topdownParts(topdown) {
    return level1(topdown).filter((n) => n.value !== null).map((n, i) => ({ label: n.title || n.name, share: n.value,
      text: nodeText(n), hue: hueOf(n.name, i), flagged: n.flagged, from: f.provenance(n) }));
  }

  const NODES = [
    { title: "node", cell: (n) => h("span", { class: "level level" + n.level }, n.title || n.name), key: (n) => n.name },
    { title: "value", number: true, cell: (n) => f.figure(n), key: (n) => n.value },
    { title: "interval", number: true, cell: (n) => f.interval(n.interval, n.unit) || "" },
    { title: "remarks", cell: (n) => [n.flagged && "above its threshold", n.thin && "too little counted",
      n.apart && "counted at different times", n.errata].filter(Boolean).join("; ") },
    { title: "from", cell: (n) => f.provenance(n) || "hardware", key: (n) => n.source },
  ];

  function topdownOf(report, name, i) {
    const t = report.topdown;
    const parts = topdownParts(t);
    if (!parts.length)
      return h("div", { class: "barblock" }, name && h("h3", { class: "arm " + slw.sideClass(i) }, name),
        h("p", { class: "absentline" }, "No pipeline slots: ", t.reason || "none were counted", "."));
    const sum = t.level1_sum !== null && Math.abs(t.level1_sum - 1) > 0.01
      ? h("p", { class: "soft" }, "Level 1 accounts for " + f.percent(t.level1_sum) + " of the slots.") : null;
    return block(name, parts, [sum, slw.lazy("All nodes, as a table", () => slw.table(NODES, t.nodes,
      { caption: "Top-down tree" + (name ? " of " + name : "") + (t.model ? ", model " + t.model : "") }))], i);
  }

  function coresOf(report, name, i) {
    if (report.cores.length < 2)
      return topdownOf(report, name, i);
    return report.cores.map((c) => topdownOf(c, (name ? name + ": " : "") + (c.title || c.pmu), i));
  }

  slw.section("topdown", "Top-down: what the pipeline did", 30, () => {
    const sides = slw.sides.map((s, i) => [s.report, slw.sideName(i), i]).filter(([r]) => r);
    if (!sides.length)
      return slw.kind === "run" || slw.kind === "comparison" ? "neither side has a report" : null;
    if (sides.every(([r]) => !level1(r.topdown).some((n) => n.value !== null))) {
      const reasons = [...new Set(sides.map(([r]) => r.topdown.reason || "none were counted"))];
      return "no pipeline slots: " + reasons.join("; ");
    }
    return h("div", {}, sides.map(([r, name, i]) => coresOf(r, name, i)));
  });

  /* ---- wall time ---- */

  const WALL_HUES = ["on_cpu", "user", "kernel"];
  function wallParts(wall) {
    return wall.parts.map((p, i) => ({ label: p.on_cpu && !words(p.part).startsWith("on-CPU")
      ? "on-CPU: " + words(p.part) : words(p.part), share: p.share,
    text: wall.per_request.value === null ? f.value(p.ns, "ns") : f.value(p.per_request_ns, "ns") + " a request",
    hue: p.on_cpu ? (WALL_HUES.includes(p.part) ? [3, 3, 1][WALL_HUES.indexOf(p.part)] : hueOf(p.part, i)) : 4 + i % 5 }));
  }

  slw.section("wall", "Where the wall time of its threads goes", 35, () => {
    const sides = slw.sides.map((s, i) => [s.report, slw.sideName(i), i]).filter(([r]) => r);
    if (!sides.length)
      return null;
    const have = sides.filter(([r]) => r.wall_bar && !r.wall_bar.absent && r.wall_bar.parts.length);
    if (!have.length)
      return sides[0][0].wall_bar && sides[0][0].wall_bar.absent || "it was not measured";
    return h("div", {}, have.map(([r, name, i]) => block(name, wallParts(r.wall_bar),
      h("p", { class: "soft" }, f.plural(r.wall_bar.threads, "thread") + ", " + f.value(r.wall_bar.wall.value, "ns") +
        " one after the other", r.wall_bar.per_request.value !== null &&
        "; " + f.value(r.wall_bar.per_request.value, "ns") + " of thread time for each request"), i)));
  });
})();
