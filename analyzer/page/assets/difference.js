/* SPDX-License-Identifier: MIT */
/* Flame graphs of a comparison: A, B, and the difference, in the same places and to the same scale,
 * per request. The words "more" and "less" are always said of B against A, with a sign, so that a
 * colour alone never tells which way it is; what the comparison judged to be noise is grey. */
(() => {
  "use strict";
  const { h } = slw;
  const f = slw.format;
  const NEW = 1, GONE = -1;
  const NO_MODULE = "[unknown]"; /* as analyzer/hot.h */

  let cached = null; /* what does not depend on zoom, search or time */

  /* [function, module] -> what the comparison says of it */
  function judgements() {
    const map = new Map();
    for (const x of (slw.page.data && slw.page.data.functions) || [])
      map.set(slw.clean(x.function || "") + "\u0000" + slw.clean(x.module || ""), x);
    return map;
  }

  function prepare() {
    if (cached)
      return cached;
    const tree = slw.tree();
    const sides = [0, 1].map(slw.weights);
    const each = sides.every((w) => w.requests > 0);
    const divisors = sides.map((w, i) => each ? w.requests : tree.total[i][0] || 1);
    const self = [0, 1].map((i) => tree.self[i].map((v) => v / divisors[i]));
    const total = self.map((s) => slw.summed(tree, s));
    const wide = slw.summed(tree, self[0].map((v, n) => Math.max(v, self[1][n])));
    cached = { tree, each, divisors, self, total, wide, unit: sides[0].unit,
      judged: judgements(), judgedAtAll: Boolean(slw.page.data && slw.page.data.functions && slw.page.data.functions.length),
      why: sides.map((w) => w.why).find(Boolean) };
    cached.largest = tree.count ? self[0].reduce((most, a, n) => Math.max(most, Math.abs(self[1][n] - a)), 0) : 0;
    return cached;
  }

  const amount = (v) => prepare().each ? f.value(v, prepare().unit) : f.percent(v, 2);
  const signed = (v) => (v > 0 ? "+" : "") + amount(v);
  const per = () => prepare().each ? " a request" : " of its total";

  function judgementOf(node) {
    const d = prepare();
    return d.judged.get(slw.nameOf(node) + "\u0000" + (slw.moduleOf(node) || NO_MODULE));
  }

  /* What a frame of the difference is: new, gone, more, less, noise, same. */
  function stateOf(node) {
    const d = prepare();
    const [a, b] = [d.total[0][node], d.total[1][node]];
    const own = d.self[1][node] - d.self[0][node];
    const j = judgementOf(node);
    const way = a === 0 && b > 0 ? NEW : b === 0 && a > 0 ? GONE : 0;
    /* A new caller that does nothing itself has nothing to be judged. */
    const real = j && j.real && own * (j.b - j.a) >= 0;
    return { way, noise: d.judgedAtAll && !real && !(way && own === 0), own };
  }
  slw.differenceState = stateOf; /* tests ask it */

  function label(node, s) {
    const name = slw.nameOf(node);
    if (s.way === NEW)
      return "\u25b2new " + name;
    if (s.way === GONE)
      return "\u25bcgone " + name;
    if (s.noise || s.own === 0)
      return name;
    return signed(s.own) + " " + name;
  }

  function look(node) {
    const s = stateOf(node);
    const plain = slw.paint.plain();
    if (s.noise || (s.own === 0 && !s.way))
      return { fill: plain.faded, ink: plain.fadedInk, label: label(node, s), hatch: s.way };
    const delta = s.own || s.way;
    const strength = Math.sqrt(Math.abs(s.own) / (prepare().largest || 1));
    return { fill: slw.paint.changeColor(delta, strength), label: label(node, s), hatch: s.way };
  }

  function changeWords(a, b, what) {
    const delta = b - a;
    if (delta === 0)
      return what + ": the same in both";
    return what + ": " + signed(delta) + per() + (a > 0 ? " (" + f.change(delta / a) + ")" : "") + ": B costs " +
      (delta > 0 ? "MORE" : "LESS");
  }

  function tip(node) {
    const d = prepare();
    const s = stateOf(node), j = judgementOf(node);
    const lines = slw.tipHead(node);
    lines.push("A " + amount(d.total[0][node]) + per() + ", B " + amount(d.total[1][node]) + per() + " with callees");
    lines.push(changeWords(d.total[0][node], d.total[1][node], "with callees"));
    lines.push(changeWords(d.self[0][node], d.self[1][node], "itself"));
    if (s.way)
      lines.push(s.way === NEW ? "new: only in B" : "gone: only in A");
    if (d.judgedAtAll)
      lines.push(j ? j.real ? "The change of this function is real: its interval excludes 0."
        : j.judged === false ? "Too few samples or rounds to judge this function."
          : "The change of this function is inside the noise." : "This function was not judged.");
    return lines;
  }

  /* ---- the three views ---- */

  function sideView(i) {
    const d = prepare();
    const filtered = () => slw.weights(i).filter;
    return slw.flame.newView({
      title: "Flame graph of " + slw.sideName(i), name: slw.sideName(i), column: slw.sideName(i),
      heading: h("h3", { class: "arm " + slw.sideClass(i) }, slw.sideName(i)),
      sizes: () => filtered() ? filtered().total : d.total[i],
      scale: (zoomed) => filtered() ? filtered().total[zoomed] : slw.flame.ownScale ? d.total[i][zoomed] : d.wide[zoomed],
      text: (v) => filtered() ? f.value(v, d.unit) : amount(v) + per(),
      look: (node) => ({ fill: slw.paint.kindColor(slw.tree(), node), label: slw.nameOf(node) }),
      tip: (node) => filtered() ? [...slw.tipHead(node), f.value(filtered().total[node], d.unit) + " in the selection"] : tip(node),
      summary: () => filtered() ? filtered().text + ": " + f.value(filtered().total[0], d.unit) + " (not to the scale of the others)"
        : "all: " + amount(d.total[i][0]) + per() + (slw.flame.ownScale ? " (not to the scale of the others)" : ""),
    });
  }

  function differenceView() {
    const d = prepare();
    return slw.flame.newView({
      title: "Difference, B against A", name: "either", column: "B \u2212 A",
      heading: h("div", {}, h("h3", { class: "arm" }, "Difference: B \u2212 A", d.each ? " per request" : ""), legend()),
      sizes: () => d.wide,
      scale: (zoomed) => d.wide[zoomed],
      text: (v) => amount(v) + per(),
      cell: (n) => signed(d.total[1][n] - d.total[0][n]),
      key: (n) => d.total[1][n] - d.total[0][n],
      look, tip,
      summary: () => changeWords(d.total[0][0], d.total[1][0], "all"),
    });
  }

  slw.differenceViews = () => [sideView(0), sideView(1), differenceView()];

  function ramp(way) {
    const list = slw.paint.change[slw.dark() ? "dark" : "light"][way];
    return h("span", { class: "ramp", "aria-hidden": "true" }, (way === "less" ? [...list].reverse() : list).map((c) =>
      h("span", { style: { background: c } })));
  }

  function legend() {
    const d = prepare();
    const list = h("ul", { class: "legend inline difference" });
    const fill = () => slw.refill(list,
      h("li", {}, ramp("less"), h("b", {}, "\u2212 B costs less"), " than A"),
      slw.swatch(slw.paint.plain().faded, d.judgedAtAll ? "inside the noise, not judged, or no change" : "no change"),
      h("li", {}, ramp("more"), h("b", {}, "+ B costs more"), " than A"),
      h("li", {}, h("span", { class: "swatch hatchnew", "aria-hidden": "true" }), h("b", {}, "\u25b2new"), " only in B"),
      h("li", {}, h("span", { class: "swatch hatchgone", "aria-hidden": "true" }), h("b", {}, "\u25bcgone"), " only in A"));
    slw.onRedraw(fill);
    fill();
    return h("div", {}, list, h("p", { class: "soft" },
      d.each ? "All three are per request and, as long as the box above says so, to one scale: a pixel is the same cost in each. "
        : "Not per request (" + (d.why || "unknown") + "): each side is 100 % of its own samples. ",
      "In the difference a frame is as wide as the side where it costs more, so that gone code stays visible; its " +
      "colour and its number are of the function itself, without what it calls. ",
      !d.judgedAtAll && "No function was judged against the noise (" +
        ((slw.page.data && slw.page.data.functions_absent) || "no judgement was made") + "): colours show plain differences."));
  }
})();
