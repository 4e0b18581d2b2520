/* SPDX-License-Identifier: MIT */
/* cost(B) of a sweep: what was measured at each batch with its interval, the fitted curve, and the
 * knee; and the latency that is paid for it. */
(() => {
  "use strict";
  const { h, s } = slw;
  const f = slw.format;
  const data = slw.kind === "sweep" ? slw.page.data || {} : {};
  const xName = () => data.observed_x ? "requests per flush, observed" : data.parameter;

  slw.section("verdict", "Verdict", 10, () => {
    if (slw.kind !== "sweep")
      return null;
    return h("div", {}, h("p", { class: "verdict" }, data.verdict), h("p", { class: "basis" }, data.verdict_basis),
      data.x_basis && !data.verdict_basis.includes(data.x_basis) && h("p", { class: "soft" }, data.x_basis));
  });

  /* ---- one curve ---- */

  /* fixed/x + marginal where the fit has them; else lines between what was fitted at the points. */
  function fitted(curve) {
    const fit = curve.fit;
    if (!fit || !fit.fits || !fit.fixed || !fit.marginal)
      return null;
    return (x) => fit.fixed.value / x + fit.marginal.value;
  }

  function samplesOf(from, to) {
    const list = [];
    for (let i = 0; i <= 80; i++)
      list.push(from * Math.pow(to / from, i / 80));
    return list;
  }

  function range(curve, points) {
    const values = points.flatMap((p) => [p.value, p.low, p.high]).filter((v) => v !== null);
    const f0 = fitted(curve);
    if (f0)
      values.push(f0(points[0].x), f0(points[points.length - 1].x));
    return [0, Math.max(...values, 0) * 1.08 || 1];
  }

  function knee(chart, curve, x, b) {
    const k = curve.knee;
    if (!k || k.state !== "known" || k.at === null)
      return;
    const clamp = (v) => Math.max(x.low, Math.min(x.high, v));
    const top = b.top, bottom = b.height - b.bottom;
    if (k.low !== null && k.high !== null)
      chart.append(s("rect", { class: "kneeband", x: x(clamp(k.low)), y: top, height: bottom - top,
        width: Math.max(1, x(clamp(k.high)) - x(clamp(k.low))) }));
    if (k.at <= x.high && k.at >= x.low)
      chart.append(s("line", { class: "knee", x1: x(k.at), x2: x(k.at), y1: top, y2: bottom }),
        s("text", { class: "kneetext", x: x(k.at) + 5, y: top + 10 }, "knee " + f.digits(k.at)));
  }

  function drawn(curve) {
    const b = { ...slw.chartBox, width: Math.min(540, slw.chartBox.width), height: 250 };
    const points = curve.points.filter((p) => p.value !== null && p.x > 0);
    if (points.length < 2)
      return null;
    const [low, high] = range(curve, points);
    const x = slw.scale(points[0].x / 1.15, points[points.length - 1].x * 1.15, b.left, b.width - b.right, true);
    const y = slw.scale(low, high, b.height - b.bottom, b.top + 6);
    const by = high;
    const chart = slw.chart({ x, y, xTicks: points.map((p) => p.x), xText: (v) => slw.tick(v), xTitle: xName() + ", logarithmic",
      yText: (v) => slw.tick(v, curve.unit, by), yTitle: slw.unitTitle(curve.title, curve.unit), box: b,
      label: curve.title + " against " + xName() + ": " + points.map((p) => "at " + f.digits(p.x) + " " + f.value(p.value, curve.unit)).join(", ") });
    knee(chart, curve, x, b);
    const f0 = fitted(curve);
    if (f0) {
      chart.append(s("line", { class: "floor", x1: x(points[0].x), x2: x(points[points.length - 1].x),
        y1: y(Math.max(0, curve.fit.marginal.value)), y2: y(Math.max(0, curve.fit.marginal.value)) }),
      s("path", { class: "fit", d: slw.path(samplesOf(points[0].x, points[points.length - 1].x).map((v) => [x(v), y(f0(v))])) }));
    }
    for (const p of points) {
      if (p.low !== null && p.high !== null)
        chart.append(slw.whisker(x(p.x), y(p.low), y(p.high), "point"));
      chart.append(s("circle", { class: "dot", cx: x(p.x), cy: y(p.value), r: 3.6 }));
    }
    return chart;
  }

  function triple(t, unit) {
    if (!t || t.value === null)
      return f.absent("unknown");
    return f.value(t.value, unit) + (t.low !== null ? " (" + f.interval([t.low, t.high], unit) + ")" : "");
  }

  function fitWords(curve) {
    if (curve.absent)
      return (curve.text || "").includes(curve.absent) ? null : h("p", { class: "absentline" }, "No fit: ", curve.absent, ".");
    if (!curve.fit.fits)
      return h("p", {}, h("strong", {}, "The model fixed/B + marginal does not fit"),
        curve.fit.lack_p !== null ? " (p = " + f.digits(curve.fit.lack_p, 2) + ")" : "", ".");
    return slw.facts([["Fixed, for each batch", triple(curve.fit.fixed, curve.unit)],
      ["Marginal, for each request", triple(curve.fit.marginal, curve.unit)],
      ["Knee", curve.knee.state === "known" ? f.digits(curve.knee.at) + (curve.knee.low !== null ? " (" + f.digits(curve.knee.low) +
        " \u2026 " + f.digits(curve.knee.high) + ")" : "") + (curve.knee.extrapolated ? ", beyond what was measured" : "")
        : curve.knee.state.replace(/-/g, " ")],
      ["Removed by the largest batch", curve.removed.value === null ? null : f.percent(curve.removed.value) +
        (curve.removed.low !== null ? " (" + f.percent(curve.removed.low) + " \u2026 " + f.percent(curve.removed.high) + ")" : "")]]);
  }

  function pointTable(curve) {
    return slw.table([{ title: xName(), number: true, cell: (p) => f.digits(p.x), key: (p) => p.x },
      { title: "cost", number: true, cell: (p) => f.figure(p, curve.unit), key: (p) => p.value },
      { title: "95 % interval", number: true, cell: (p) => p.low === null ? f.absent("none") : f.interval([p.low, p.high], curve.unit) },
      { title: "fitted", number: true, cell: (p) => p.fitted === null ? f.absent("no fit") : f.value(p.fitted, curve.unit) }],
    curve.points, { caption: curve.title + (curve.series ? ", " + curve.series : "") });
  }

  function one(curve) {
    return h("div", { class: "curve" }, h("h3", {}, curve.title, curve.series && ", " + curve.series, " ", f.provenance(curve)),
      curve.text && h("p", {}, curve.text), slw.figureBox(drawn(curve)), fitWords(curve),
      slw.lazy("The points as a table", () => pointTable(curve)));
  }

  slw.section("curves", "Cost of a request against the batch", 20, () => {
    if (slw.kind !== "sweep")
      return null;
    if (!data.curves || !data.curves.length)
      return "no metric was measured at enough points";
    return h("div", {}, h("p", { class: "soft" }, "Points: medians over the rounds with 95 % intervals. Line: fixed/B + marginal. " +
      "Dashed: what is left however large the batch. Green: the knee with its interval."), h("div", { class: "curves" }, data.curves.map(one)));
  });

  /* ---- points and prices ---- */

  slw.section("points", "What was run", 30, () => {
    if (slw.kind !== "sweep")
      return null;
    const figure = (name) => (p) => f.figure(p[name]);
    const key = (name) => (p) => p[name].value;
    return slw.table([{ title: "arm", cell: (p) => p.arm, key: (p) => p.parameter },
      { title: "requests per flush", number: true, cell: (p) => f.figure({ ...p.requests_per_flush, unit: "" }), key: key("requests_per_flush") },
      { title: "requests per second", number: true, cell: (p) => f.figure({ ...p.requests_per_second, unit: "" }), key: key("requests_per_second") },
      { title: "p50", number: true, cell: figure("p50"), key: key("p50") },
      { title: "p99", number: true, cell: figure("p99"), key: key("p99") }],
    data.points || [], { caption: "Arms, medians over the rounds" });
  });

  slw.section("prices", "The price in latency", 40, () => {
    if (slw.kind !== "sweep")
      return null;
    const prices = (data.latency_prices || []).filter((p) => p.text);
    return prices.length ? h("ul", {}, prices.map((p) => h("li", {}, p.text))) : "no latency was observed at both ends";
  });

  slw.section("how", "How it was measured", 105, () => slw.kind === "sweep" && data.experiment
    ? h("div", {}, slw.experimentFacts({ ...data.experiment, blocks: data.blocks }), data.host && slw.facts([["Host", data.host.hostname],
      ["CPU", data.host.cpu], ["Kernel", data.host.kernel], ["Hypervisor", data.host.hypervisor]])) : null);

  slw.section("reproduce", "How to reproduce", 120, () => {
    if (slw.kind !== "sweep")
      return null;
    return h("div", {}, h("p", {}, "The arms, each run once in every round:"),
      (data.points || []).map((p) => p.command && slw.command(p.command)));
  });
})();
