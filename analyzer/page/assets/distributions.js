/* SPDX-License-Identifier: MIT */
/* How long requests took: a distribution for each side over a logarithmic axis. The heights are
 * shares of requests for equal factors of time, so that buckets of different widths compare. */
(() => {
  "use strict";
  const { h, s } = slw;
  const f = slw.format;
  const QUANTILES = [["p50", 0.5], ["p90", 0.9], ["p99", 0.99], ["p999", 0.999]];
  const shown = (name) => name === "p999" ? "p99.9" : name;

  function sideOf(index, what) {
    const run = slw.sides[index].run;
    const buckets = run ? run.latencies[what].filter((b) => b[1] > 0) : [];
    const count = buckets.reduce((sum, b) => sum + b[2], 0);
    return count ? { index, buckets, count, name: slw.sideName(index),
      quantiles: slw.sides[index].report.traffic[what + "_latency"] } : null;
  }

  /* Points of equal factors: neighbours joined until they are so wide that a bucket is a step, not
   * a needle. */
  function density(side, low, high, steps) {
    const weights = new Float64Array(steps);
    const span = Math.log(high / low) / steps;
    for (const [from, to, count] of side.buckets) {
      const a = Math.log(Math.max(from, low) / low) / span, b = Math.log(Math.min(to, high) / low) / span;
      const first = Math.max(0, Math.min(steps - 1, Math.floor(a))), last = Math.max(first, Math.min(steps - 1, Math.ceil(b) - 1));
      for (let i = first; i <= last; i++) {
        const part = b > a ? (Math.min(b, i + 1) - Math.max(a, i)) / (b - a) : 1;
        weights[i] += count * Math.max(0, part);
      }
    }
    return Array.from(weights, (w) => w / side.count);
  }

  function outline(side, x, y, low, high, steps) {
    const shares = density(side, low, high, steps);
    const at = (i) => low * Math.pow(high / low, i / steps);
    const points = [[x(at(0)), y(0)]];
    shares.forEach((v, i) => points.push([x(at(i)), y(v)], [x(at(i + 1)), y(v)]));
    points.push([x(at(steps)), y(0)]);
    return slw.path(points);
  }

  /* Names that would run into each other are left to the table. */
  function marks(side, x, row) {
    const b = slw.chartBox;
    let free = 0;
    return QUANTILES.map(([name]) => {
      const v = side.quantiles[name];
      if (!v || v.value === null)
        return null;
      const at = x(v.value), top = b.top + 14 + 13 * row, text = (side.name ? side.name + " " : "") + shown(name);
      const long = 7 * text.length, left = at + long > b.width ? at - long : at + 3;
      const room = left >= free;
      free = room ? left + long : free;
      return s("g", { class: "quantile " + slw.sideClass(side.index) },
        s("line", { x1: at, x2: at, y1: top - 8, y2: b.height - b.bottom }), room && s("text", { x: left, y: top }, text));
    });
  }

  function drawn(sides, what) {
    const b = slw.chartBox, steps = 60;
    const low = Math.max(1, Math.min(...sides.map((d) => d.buckets[0][0] || d.buckets[0][1] / 2)));
    const high = Math.max(low * 2, ...sides.map((d) => {
      const last = d.buckets[d.buckets.length - 1];
      const max = d.quantiles.max;
      return max && max.value !== null ? Math.max(max.value, last[0]) : last[1];
    }));
    const top = Math.max(...sides.map((d) => Math.max(...density(d, low, high, steps))));
    const x = slw.scale(low, high, b.left, b.width - b.right, true);
    const y = slw.scale(0, top * 1.05, b.height - b.bottom, b.top + 14 + 13 * sides.length);
    const chart = slw.chart({ x, y, xText: (v) => f.value(v, "ns"), yText: (v) => slw.tick(v, "share"),
      xTitle: what === "request" ? "latency of requests, logarithmic" : "latency of batches, logarithmic",
      yTitle: "share of " + (what === "request" ? "requests" : "batches"),
      label: "Distribution of the latency of " + what + (what === "batch" ? "es" : "s") + ": " + sides.map((d) =>
        (d.name ? d.name + " " : "") + QUANTILES.map(([q]) => shown(q) + " " +
          (d.quantiles[q].value === null ? "unknown" : f.value(d.quantiles[q].value, "ns"))).join(", ")).join("; ") });
    sides.forEach((d, row) => chart.append(s("path", { class: "density " + slw.sideClass(d.index),
      d: outline(d, x, y, low, high, steps) }), ...marks(d, x, row).filter(Boolean)));
    return chart;
  }

  function table(sides, what) {
    const names = ["mean", "p50", "p90", "p99", "p999", "max"];
    const columns = [{ title: "latency of " + what + (what === "batch" ? "es" : "s"), cell: (n) => shown(n) }];
    for (const d of sides)
      columns.push({ title: d.name || "value", number: true, cell: (n) => f.figure(d.quantiles[n], "ns") });
    if (sides.length === 2)
      columns.push({ title: "difference", number: true, cell: (n) => {
        const [a, b] = sides.map((d) => d.quantiles[n].value);
        return a > 0 && b !== null ? f.change(b / a - 1) : f.absent("unknown");
      } });
    return slw.table(columns, names, { caption: "Quantiles: the middle of the bucket they fall into" });
  }

  function part(what) {
    const sides = slw.sides.map((_, i) => sideOf(i, what)).filter(Boolean);
    if (!sides.length)
      return null;
    return slw.h("div", { class: "beside" + (sides.length > 1 ? " wide" : "") }, slw.figureBox(drawn(sides, what), sides.length > 1 && h("figcaption", {}, sides.map((d) => h("span",
      { class: "key" }, h("span", { class: "line " + slw.sideClass(d.index), "aria-hidden": "true" }), d.name, ": ",
      f.digits(d.count), " ", what, what === "batch" ? "es" : "s")))), table(sides, what));
  }

  /* Flushes of one request each have the latencies of their requests. */
  function same() {
    return slw.sides.every((side) => !side.run ||
      JSON.stringify(side.run.latencies.request) === JSON.stringify(side.run.latencies.batch));
  }

  slw.section("latency", "Latency", 50, () => {
    if (!slw.sides.some((side) => side.run))
      return slw.kind === "run" || slw.kind === "comparison" ? "there is no run to take latencies from" : null;
    const parts = [part("request"), same() ? null : part("batch")].filter(Boolean);
    return parts.length ? h("div", {}, parts) : "no latency was observed on the wire";
  });
})();
