/* SPDX-License-Identifier: MIT */
/* One metric over saved runs: values with intervals, the levels they lie on, where the level
 * changes, and where the machine is so different that runs are not compared. */
(() => {
  "use strict";
  const { h, s } = slw;
  const f = slw.format;
  const data = slw.kind === "history" ? slw.page.data || {} : {};
  const points = (data.points || []).map((p, i) => ({ ...p, i }));
  const labelText = (labels) => (labels || []).map((l) => l.key + "=" + l.value).join(", ");
  const day = (p) => p.started_realtime_ns ? f.date(Number(p.started_realtime_ns)).slice(0, 16) : f.absent("unknown");

  /* What changed, in words; of a metric with a good direction also whether that is good. */
  function changeWord(p) {
    if (!p.change)
      return p.apart ? h("span", { class: "word" }, "another machine") : "";
    const good = data.better === "neither" || p.shift === null ? null : (p.shift < 0) === (data.better === "lower");
    const text = p.shift === null ? "changed" : f.change(p.shift);
    return h("span", { class: "word " + (good === null ? "" : good ? "word-improved" : "word-regressed") }, text,
      good === null ? "" : good ? ", improved" : ", regressed");
  }

  slw.section("verdict", "Verdict", 10, () => {
    if (slw.kind !== "history")
      return null;
    const last = points[points.length - 1];
    const changes = points.filter((p) => p.change);
    return h("div", {}, h("p", { class: "verdict" }, data.title, " over ", f.plural(points.length, "run"), ": ",
      changes.length ? f.plural(changes.length, "change") + " of level" : "no change of level", "."),
    h("p", { class: "basis" }, [labelText(data.labels) && "runs with " + labelText(data.labels),
      data.runs_without && f.plural(data.runs_without, "run") + " without it",
      data.runs_with_other_labels && f.plural(data.runs_with_other_labels, "run") + " with other labels",
      data.apart && f.plural(data.apart, "time") + " the machine is another one"].filter(Boolean).join("; ")),
    last && h("dl", { class: "tiles" }, h("div", { class: "tile" }, h("dt", {}, "Last value"), h("dd", {},
      h("span", { class: "big" }, f.value(last.value, data.unit)), f.provenance(last),
      last.interval && h("span", { class: "small" }, f.interval([last.interval.low, last.interval.high], data.unit)))),
    changes.length > 0 && h("div", { class: "tile" }, h("dt", {}, "Last change"), h("dd", {},
      changeWord(changes[changes.length - 1]), h("span", { class: "small" }, changes[changes.length - 1].path)))));
  });

  /* ---- the drawing: runs in order, as far apart as their number, not their time ---- */

  function levels(chart, x, y) {
    let start = 0;
    for (let i = 1; i <= points.length; i++) {
      if (i < points.length && !points[i].change && !points[i].apart)
        continue;
      chart.append(s("line", { class: "level-line", x1: x(start + 0.6), x2: x(i + 0.4), y1: y(points[start].level), y2: y(points[start].level) }));
      start = i;
    }
  }

  function boundary(chart, p, x, b) {
    if (!p.change && !p.apart)
      return;
    const at = x(p.i + 0.5);
    chart.append(s("line", { class: p.change ? "changeline" : "floor", x1: at, x2: at, y1: b.top, y2: b.height - b.bottom }),
      s("text", { class: p.change ? "changetext" : "tick", x: at + 4, y: b.top + 10 },
        p.change ? p.shift === null ? "change" : f.change(p.shift) : "another machine"));
  }

  function drawn() {
    const b = slw.chartBox;
    const values = points.flatMap((p) => [p.value, p.interval && p.interval.low, p.interval && p.interval.high])
      .filter((v) => v !== null && v !== undefined);
    const low = Math.min(...values), high = Math.max(...values), room = (high - low) * 0.12 || Math.abs(high) * 0.05 || 1;
    const x = slw.scale(0.4, points.length + 0.6, b.left, b.width - b.right);
    const y = slw.scale(low - room, high + room, b.height - b.bottom, b.top + 12);
    const chart = slw.chart({ x, y, xTicks: x.ticks(8).filter((v) => Number.isInteger(v) && v > 0), xText: String, xTitle: "run",
      yText: (v) => slw.tick(v, data.unit, high), yTitle: slw.unitTitle(data.title, data.unit),
      label: data.title + " over " + points.length + " runs, from " + f.value(low, data.unit) + " to " + f.value(high, data.unit) });
    levels(chart, x, y);
    for (const p of points) {
      boundary(chart, p, x, b);
      if (p.interval)
        chart.append(slw.whisker(x(p.i + 1), y(p.interval.low), y(p.interval.high), "point"));
      chart.append(s("circle", { class: "dot", cx: x(p.i + 1), cy: y(p.value), r: points.length > 150 ? 1.6 : 3.4 },
        s("title", {}, p.path + ": " + f.value(p.value, data.unit))));
    }
    return chart;
  }

  slw.section("trend", "Trend", 20, () => {
    if (slw.kind !== "history")
      return null;
    if (!points.length)
      return "no run has a value";
    return h("div", {}, slw.figureBox(drawn()), h("p", { class: "soft" }, "Points: medians over the rounds of a run, with 95 % ",
      "intervals where there are enough rounds. Lines: the levels. Runs stand in the order of their start."));
  });

  slw.section("runs", "Runs", 30, () => slw.kind !== "history" ? null : slw.table([
    { title: "run", cell: (p) => [p.path, p.arm && h("span", { class: "under" }, "arm " + p.arm)], key: (p) => p.path },
    { title: "no.", number: true, cell: (p) => String(p.i + 1), key: (p) => p.i },
    { title: "started", cell: day, key: (p) => p.started_realtime_ns === null ? null : Number(p.started_realtime_ns) },
    { title: data.title, number: true, cell: (p) => [f.value(p.value, data.unit), " ", f.provenance(p)], key: (p) => p.value },
    { title: "95 % interval", number: true, cell: (p) => p.interval ? f.interval([p.interval.low, p.interval.high], data.unit)
      : f.absent("too few rounds") },
    { title: "change", cell: changeWord, key: (p) => p.shift },
    { title: "remarks", cell: (p) => [p.unlike && "unlike the run before: " + p.unlike, labelText(p.labels)].filter(Boolean).join("; ") },
  ], points, { caption: "Runs by their start", limit: 100 }));
})();
