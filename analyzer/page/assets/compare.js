/* SPDX-License-Identifier: MIT */
/* What a comparison says: verdict, reasons, what differs between the sides that should not, and the
 * table of metrics. Values and intervals are told in the words of the comparison itself ("shown"),
 * so that this page and the other formats say the same. */
(() => {
  "use strict";
  const { h, s } = slw;
  const f = slw.format;
  const data = slw.compared ? slw.page.data || {} : {};
  const MARGIN_WORDS = { asked: "the margin asked for", floor: "the A/A floor", resolution: "the resolution of the values" };

  const metricOf = (name) => (data.metrics || []).find((m) => m.metric === name);
  const wordClass = (word) => "word word-" + (word || "absent").replace(/[^a-z]/g, "-");

  function word(m) {
    if (!m.judgement)
      return h("span", { class: "word" }, "unknown");
    return h("span", { class: wordClass(m.judgement.word) }, m.shown.word);
  }

  /* ---- the interval against the margin ---- */

  const BAR = { width: 190, height: 22 };

  function hue(m) {
    const w = m.judgement.word;
    return w === "no-change" ? "same" : w;
  }

  function barLabel(m) {
    const zone = m.difference.kind === "log-ratio" ? f.percent(Math.exp(m.judgement.margin) - 1) : f.value(m.judgement.margin, m.unit);
    return m.shown.change + (m.shown.interval ? ", 95 % " + m.shown.interval : "") + "; margin " + zone + " (" +
      (MARGIN_WORDS[m.judgement.margin_from] || m.judgement.margin_from) + ")";
  }

  /* Each has a scale of its own; the grey zone, the margin, is the yardstick in all of them. */
  slw.intervalBar = (m) => {
    const d = m.difference;
    if (!d || d.low === null || d.high === null || !d.enough)
      return null;
    const margin = m.judgement.margin;
    const most = Math.max(3 * margin, Math.abs(d.low), Math.abs(d.high)) * 1.08 || 1;
    const x = slw.scale(-most, most, 2, BAR.width - 2);
    const y = BAR.height / 2;
    return s("svg", { class: "interval", viewBox: "0 0 " + BAR.width + " " + BAR.height, role: "img", "aria-label": barLabel(m) },
      s("title", {}, barLabel(m)),
      s("rect", { class: "zone", x: x(-margin), y: 2, width: Math.max(1, x(margin) - x(-margin)), height: BAR.height - 4 }),
      s("line", { class: "zero", x1: x(0), x2: x(0), y1: 0, y2: BAR.height }),
      s("line", { class: "span " + hue(m), x1: x(d.low), x2: Math.max(x(d.high), x(d.low) + 2), y1: y, y2: y }),
      s("circle", { class: hue(m), cx: x(d.estimate), cy: y, r: 4.5 }));
  };

  /* ---- verdict ---- */

  const GATES = { passed: ["improved", "gate passed"], regressed: ["regressed", "gate failed"],
    inconclusive: ["inconclusive", "gate inconclusive"] };

  function headline(m) {
    const pair = (i, side) => h("div", { class: "tile" }, h("dt", {}, h("span", { class: "arm " + slw.sideClass(i) },
      slw.sideName(i)), ", median"), h("dd", {}, h("span", { class: "big" }, m.shown[side]),
    f.provenance(m[side])));
    return h("dl", { class: "tiles headline" }, pair(0, "a"), pair(1, "b"),
      h("div", { class: "tile" }, h("dt", {}, m.title + ", B against A"), h("dd", {},
        h("span", { class: "big" }, m.shown.change), h("span", { class: "small" }, m.shown.interval && "95 % " + m.shown.interval))),
      m.difference && h("div", { class: "tile" }, h("dt", {}, "against the margin"), h("dd", {}, slw.intervalBar(m), word(m))));
  }

  function armFacts() {
    return slw.facts([data.a, data.b].map((side, i) => side && [h("span", { class: "arm " + slw.sideClass(i) }, slw.sideName(i)),
      side.command ? h("code", {}, side.command) : side.name]));
  }

  slw.section("verdict", "Verdict", 10, () => {
    if (!slw.compared)
      return null;
    const main = metricOf(data.main_metric);
    const gate = data.gate && data.gate.asked ? GATES[data.gate.word] : null;
    return h("div", {}, h("p", { class: "verdict" }, gate && [h("span", { class: "word word-" + gate[0] }, gate[1]), " "],
      data.verdict), h("p", { class: "basis" }, data.basis), armFacts(), main && headline(main),
    data.gate && data.gate.asked && h("p", {}, data.gate.reason));
  });

  slw.section("causes", "Why", 15, () => {
    if (!slw.compared)
      return null;
    if (!data.causes || !data.causes.length)
      return "nothing that was measured explains a change";
    return h("ol", { class: "causes" }, data.causes.map((c) => h("li", {}, c.text,
      c.share !== null && !/of the change/.test(c.text) && h("span", { class: "weight" }, f.percent(c.share, 0) + " of the change"))));
  });

  slw.section("mismatches", "What is not the same", 18, () => {
    if (!slw.compared)
      return null;
    if (!data.mismatches || !data.mismatches.length)
      return "host, CPU, kernel, client and tier are the same in both";
    return slw.table([{ title: "what", cell: (m) => m.what }, { title: slw.sideName(0), cell: (m) => m.a || f.absent("unknown") },
      { title: slw.sideName(1), cell: (m) => m.b || f.absent("unknown") },
      { title: "what it means", cell: (m) => m.severe ? "the comparison was forced" : m.downgrades
        ? "no word is more than inconclusive" : "said, not held against it" }],
    data.mismatches, { caption: "Differences between the sides that are not what was compared" });
  });

  /* ---- the table ---- */

  const number = (side) => side.value === null ? null : Number(side.value);

  /* What is exact has no interval, and no chance in it that a correction could be for. */
  const hasStar = (m) => m.starred && !(m.difference && m.difference.low === m.difference.high);

  function remarks(m) {
    const list = [m.shown.remark];
    if (m.gate && m.gate.rule)
      list.push("gate " + m.gate.rule + ": " + m.gate.word);
    else if (m.gate)
      list.push("decides the exit status: " + m.gate.word);
    if (hasStar(m))
      list.push("real also after Holm's correction for all metrics");
    if (m.alias_of)
      list.push(m.alias_of + " in other words");
    if (m.regimes_a || m.regimes_b)
      list.push("two regimes in " + [m.regimes_a && slw.sideName(0), m.regimes_b && slw.sideName(1)].filter(Boolean).join(" and "));
    if (m.drift_sure)
      list.push("drifted by " + f.change(Math.exp(m.drift) - 1) + " over the rounds");
    return [...new Set(list.filter(Boolean))].join("; ");
  }

  function floorText(m) {
    if (!m.floor)
      return f.absent("none");
    const text = m.difference && m.difference.kind === "difference" ? f.value(m.floor.floor, m.unit)
      : f.percent(Math.exp(m.floor.floor) - 1);
    return [text, (m.floor.weak || m.floor.differs) && h("span", { class: "under", title: "it rests on " +
      f.plural(m.floor.tests, "A/A test") }, [m.floor.weak && "weak", m.floor.differs && "A/As differed"].filter(Boolean).join("; "))];
  }

  const sameSource = (m) => m.a.source === m.b.source && m.a.imported === m.b.imported;

  /* Where it comes from stands at the metric, unless the sides differ in it. */
  function sideCell(m, side) {
    return m[side].value === null ? f.absent(m[side].absent || "unknown")
      : [m.shown[side], " ", !sameSource(m) && (f.provenance(m[side]) || h("span", { class: "mark" }, "hardware"))];
  }

  const WORDS = ["regressed", "improved", "inconclusive", "no-change"];
  const COLUMNS = [
    { title: "metric", class: "metric", cell: (m) => [h("span", { title: m.metric }, m.title), " ",
      sameSource(m) && f.provenance(m.a), h("span", { class: "under" }, remarks(m))], key: (m) => m.title },
    { title: "A", number: true, cell: (m) => sideCell(m, "a"), key: (m) => number(m.a) },
    { title: "B", number: true, cell: (m) => sideCell(m, "b"), key: (m) => number(m.b) },
    { title: "B against A", number: true, cell: (m) => m.absent ? f.absent(m.absent) : [h("b", {}, m.shown.change),
      m.shown.interval && h("span", { class: "under" }, m.shown.interval)],
    key: (m) => m.difference ? m.difference.estimate : null },
    { title: "against the margin", cell: slw.intervalBar },
    { title: "word", cell: word, key: (m) => m.judgement ? WORDS.indexOf(m.judgement.word) : null, number: false },
    { title: "noise floor", number: true, hint: "how far two arms of the same command lie apart (A/A)", cell: floorText,
      key: (m) => m.floor ? m.floor.floor : null },
  ];

  const important = (m) => m.rank === "gated" || m.metric === data.main_metric || (m.rank === "shown" && (m.headline ||
    hasStar(m) || (m.judgement && (m.judgement.word === "regressed" || m.judgement.word === "improved"))));

  slw.section("what-changed", "What a request costs: A against B", 20, () => {
    if (!slw.compared)
      return null;
    const all = data.metrics || [];
    if (!all.length)
      return "the runs share no metric";
    const first = all.filter(important), rest = all.filter((m) => !important(m));
    return h("div", {}, h("p", { class: "soft" }, "Values are medians over the rounds. The grey zone is the margin, within ",
      "which a change does not matter; the bar is the interval, its point the estimate. Each row has its own scale."),
    slw.table(COLUMNS, [...first, ...rest], { caption: "Metrics, B against A", limit: Math.max(8, Math.min(40, first.length)),
      rowClass: (m) => m.metric === data.main_metric ? "row-main" : m.rank === "alias" ? "row-alias" : null }));
  });

  /* ---- functions ---- */

  function functionWord(x) {
    const more = x.b > x.a;
    const way = x.only_b ? "new in B" : x.only_a ? "gone in B" : more ? "costs more" : "costs less";
    if (!x.judged)
      return [h("span", { class: "word" }, "not judged"), " ", x.only_a || x.only_b ? way : null];
    return x.real ? h("span", { class: "word word-" + (more ? "regressed" : "improved") }, way)
      : h("span", { class: "word" }, "inside the noise");
  }

  slw.section("functions", "Functions that explain the difference", 80, () => {
    if (!slw.compared)
      return null;
    if (!data.functions || !data.functions.length)
      return data.functions_absent || "there are no samples on both sides";
    const report = slw.sides[0] && slw.sides[0].report;
    const unit = report && report.samples ? report.samples.unit : "";
    const signed = (v) => (v > 0 ? "+" : "") + f.value(v, unit);
    return slw.table([
      { title: "function", class: "name", cell: (x) => slw.functionLink(x.function), key: (x) => x.function },
      { title: "A", number: true, cell: (x) => x.only_b ? f.absent("none") : f.value(x.a, unit), key: (x) => x.a },
      { title: "B", number: true, cell: (x) => x.only_a ? f.absent("none") : f.value(x.b, unit), key: (x) => x.b },
      { title: "B \u2212 A", number: true, cell: (x) => [h("b", {}, signed(x.b - x.a)), x.judged && x.low !== null &&
        h("span", { class: "under" }, signed(x.low) + " \u2026 " + signed(x.high))], key: (x) => x.b - x.a },
      { title: "word", cell: functionWord, key: (x) => x.real ? 0 : x.judged ? 1 : 2 },
      { title: "module", cell: (x) => h("span", { title: x.module }, slw.moduleName(x.module)), key: (x) => x.module },
    ], data.functions, { caption: "Self cost per request, by size of the change", limit: 25 });
  });
})();
