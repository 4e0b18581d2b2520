/* SPDX-License-Identifier: MIT */
/* A comparison round by round: does a difference hold all along, or is it drift, or two regimes? And
 * how the experiment was made, and the command that makes it again. */
(() => {
  "use strict";
  const { h, s } = slw;
  const f = slw.format;
  const data = slw.compared ? slw.page.data || {} : {};

  function drawn(m) {
    const b = slw.chartBox;
    const sides = [m.a.values, m.b.values];
    const known = sides.flat().filter((v) => v !== null);
    const length = Math.max(...sides.map((v) => v.length));
    const low = Math.min(...known), high = Math.max(...known), room = (high - low) * 0.12 || Math.abs(high) * 0.05 || 1;
    const x = slw.scale(0.5, length + 0.5, b.left, b.width - b.right);
    const y = slw.scale(low - room, high + room, b.height - b.bottom, b.top + 8);
    const chart = slw.chart({ x, y, xTicks: x.ticks(8).filter((v) => Number.isInteger(v) && v > 0), xText: String,
      yText: (v) => slw.tick(v, m.unit, high), xTitle: "round", yTitle: slw.unitTitle(m.title, m.unit),
      label: m.title + " of both sides in " + length + " rounds; medians " + m.shown.a + " and " + m.shown.b });
    sides.forEach((values, i) => {
      const points = values.map((v, n) => v === null ? null : [x(n + 1), y(v)]).filter(Boolean);
      chart.append(s("path", { class: "rounds " + slw.sideClass(i), d: slw.path(points) }));
      points.forEach(([cx, cy]) => chart.append(i === 0 ? s("circle", { class: "point side-a", cx, cy, r: 3.2 })
        : s("rect", { class: "point side-b", x: cx - 3, y: cy - 3, width: 6, height: 6 })));
    });
    return chart;
  }

  function table(m) {
    const rows = m.a.values.map((a, i) => ({ round: i + 1, a, b: m.b.values[i] }));
    const cell = (v) => v === null || v === undefined ? f.absent("none") : f.value(v, m.unit);
    return slw.table([{ title: "round", number: true, cell: (r) => String(r.round), key: (r) => r.round },
      { title: slw.sideName(0), number: true, cell: (r) => cell(r.a), key: (r) => r.a },
      { title: slw.sideName(1), number: true, cell: (r) => cell(r.b), key: (r) => r.b },
      { title: "B against A", number: true, cell: (r) => r.a > 0 && r.b !== null ? f.change(r.b / r.a - 1) : f.absent("unknown"),
        key: (r) => r.a > 0 && r.b !== null ? r.b / r.a : null }],
    rows, { caption: m.title + ", round by round" });
  }

  slw.section("rounds", "Round by round", 40, () => {
    if (!slw.compared)
      return null;
    const choices = (data.metrics || []).filter((m) => m.rank !== "alias" && m.a.values.length > 1 && m.b.values.length > 1 &&
      [...m.a.values, ...m.b.values].some((v) => v !== null));
    if (!choices.length)
      return "there are fewer than two rounds on a side";
    const box = h("div");
    const show = (m) => slw.refill(box, slw.figureBox(drawn(m), h("figcaption", {}, [0, 1].map((i) => h("span", { class: "key" },
      h("span", { class: "line " + slw.sideClass(i), "aria-hidden": "true" }), i === 0 ? "\u25cf " : "\u25a0 ", slw.sideName(i))))),
    slw.lazy("The same as a table", () => table(m)));
    const id = slw.id("metric");
    const select = h("select", { id, on: { change: () => show(choices[select.selectedIndex]) } },
      choices.map((m) => h("option", {}, m.title)));
    const first = Math.max(0, choices.findIndex((m) => m.metric === data.main_metric));
    select.selectedIndex = first;
    show(choices[first]);
    return h("div", {}, h("p", { class: "pick" }, h("label", { for: id }, "Metric "), select), box);
  });

  /* ---- how it was done ---- */

  const STOPPED = { rounds: "as many rounds as were asked for", settled: "every gated metric had a word",
    budget: "the time was up", interrupted: "interrupted", failed: "a round could not be measured" };

  slw.experimentFacts = (e) => slw.facts([
    ["Experiment", e.id], ["Rounds", e.blocks === undefined ? null : f.digits(Number(e.blocks)) + (e.automatic ? " (automatic)" : "")],
    ["Warm-up rounds, dropped", f.digits(Number(e.warmup))], ["Seed of the order", String(e.seed)],
    ["Stopped because", STOPPED[e.stopped] || e.stopped], ["Started", f.date(Number(e.started_realtime_ns))],
    ["A/A floor", e.floor_absent ? f.absent(e.floor_absent) : e.floor_reused === undefined ? null
      : e.floor_reused ? "from A/A tests made before" : "measured with this comparison"],
    ["Setup", e.setup], ["Prepare", e.prepare], ["Cleanup", e.cleanup], ["Gates", e.gates]]);

  slw.section("how", "How it was measured", 105, () => {
    if (!slw.compared)
      return null;
    const parts = [h("p", {}, data.interleaved ? "The two sides were run in turn; a coin decided the order within each pair."
      : "The two sides were measured apart: what changed between the two times is part of the difference.")];
    if (data.forced)
      parts.push(h("p", {}, h("strong", {}, "Forced: "), "the sides differ in what should be the same, see above."));
    if (data.experiment)
      parts.push(slw.experimentFacts(data.experiment));
    return h("div", {}, parts);
  });

  function command() {
    const e = data.experiment;
    const words = ["slotwise", "compare", "--a", data.a.command, "--b", data.b.command];
    for (const key of ["setup", "prepare", "cleanup"])
      if (e[key])
        words.push("--" + key, e[key]);
    words.push("--rounds", e.automatic ? "auto" : String(e.blocks));
    if (e.gates)
      words.push("--fail-on", e.gates);
    return slw.shell(words);
  }

  slw.section("reproduce", "How to reproduce", 120, () => {
    if (!slw.compared)
      return null;
    if (data.experiment && data.a.command && data.b.command)
      return h("div", {}, slw.command(command()));
    const name = (side) => side.name || "RUN";
    return h("div", {}, h("p", {}, "Two saved runs were compared:"),
      slw.command(slw.shell(["slotwise", "compare", name(data.a), name(data.b)])),
      ["a", "b"].map((k, i) => data[k] && data[k].command && [h("h3", { class: "arm " + slw.sideClass(i) }, slw.sideName(i)),
        slw.command(data[k].command)]));
  });
})();
