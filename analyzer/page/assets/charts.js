/* SPDX-License-Identifier: MIT */
/* Axes and frames of the drawn charts. Charts are SVG that scales with the page; every one of them
 * has a table of the same numbers below it. */
(() => {
  "use strict";
  const { s } = slw;

  /* About `count` round numbers between low and high. */
  function ticks(low, high, count) {
    const span = high - low;
    if (!(span > 0))
      return [low];
    const rough = span / count;
    const power = Math.pow(10, Math.floor(Math.log10(rough)));
    const step = [1, 2, 5, 10].map((m) => m * power).find((x) => x >= rough);
    const list = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9 && list.length < 50; i++)
      list.push(i * step);
    return list;
  }

  function decades(low, high) {
    const list = [];
    for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)) && list.length < 60; e++)
      list.push(Math.pow(10, e));
    const inside = list.filter((v) => v >= low * 0.999 && v <= high * 1.001);
    return inside.length >= 2 ? inside : ticks(low, high, 4).filter((v) => v > 0);
  }

  /* From values to places. log: decades; log2 has its ticks given. */
  slw.scale = (low, high, from, to, log) => {
    const f = log ? Math.log : (v) => v;
    const span = f(high) - f(low) || 1;
    const place = (v) => from + (f(v) - f(low)) / span * (to - from);
    place.back = (x) => log ? Math.exp(f(low) + (x - from) / (to - from) * span) : low + (x - from) / (to - from) * span;
    place.ticks = (count) => log ? decades(low, high) : ticks(low, high, count || 5);
    place.low = low;
    place.high = high;
    return place;
  };

  /* On a phone a smaller drawing, so that its letters keep their size. */
  const BOX = window.innerWidth < 700 ? { width: 380, height: 230, left: 56, right: 14, top: 14, bottom: 44 }
    : { width: 720, height: 260, left: 68, right: 16, top: 14, bottom: 44 };
  slw.chartBox = BOX;

  /* options: label (for who cannot see it), x, y (scales), xText(v), yText(v), xTitle, yTitle, xTicks */
  slw.chart = (options) => {
    const b = { ...BOX, ...options.box };
    const right = b.width - b.right, bottom = b.height - b.bottom;
    const root = s("svg", { class: "chart", viewBox: "0 0 " + b.width + " " + b.height, role: "img",
      "aria-label": options.label });
    for (const v of options.y.ticks(5)) {
      const y = options.y(v).toFixed(1);
      root.append(s("line", { class: "grid", x1: b.left, x2: right, y1: y, y2: y }),
        s("text", { class: "tick", x: b.left - 8, y: Number(y) + 4, "text-anchor": "end" }, options.yText(v)));
    }
    for (const v of options.xTicks || options.x.ticks(BOX.width < 500 ? 4 : 6)) {
      const x = options.x(v).toFixed(1);
      root.append(s("line", { class: "tickline", x1: x, x2: x, y1: bottom, y2: bottom + 5 }),
        s("text", { class: "tick", x, y: bottom + 18, "text-anchor": "middle" }, options.xText(v)));
    }
    root.append(s("line", { class: "axis", x1: b.left, x2: right, y1: bottom, y2: bottom }),
      s("text", { class: "axistitle", x: right, y: b.height - 8, "text-anchor": "end" }, options.xTitle || ""),
      s("text", { class: "axistitle", x: 4, y: b.top - 2 }, options.yTitle || ""));
    return root;
  };

  /* Of an axis: no zeros that say nothing, and no unit that the title says. */
  slw.tick = (v, unit, by) => {
    const scaled = ["ns", "nanoseconds", "bytes"].includes(unit) || slw.format.isShare(unit);
    return scaled ? slw.format.value(v, unit, by).replace(/\.(\d*?)0+(?=\D|$)/, (_, kept) => kept ? "." + kept : "")
      : slw.format.digits(Number(v.toPrecision(3))).replace(/\.(\d*?)0+$/, (_, kept) => kept ? "." + kept : "");
  };
  slw.unitTitle = (title, unit) => !unit || unit === "1" || ["ns", "nanoseconds", "bytes"].includes(unit) ||
    slw.format.isShare(unit) ? title : title + ", " + unit;

  slw.path = (points) => points.map((p, i) => (i ? "L" : "M") + p[0].toFixed(1) + " " + p[1].toFixed(1)).join("");

  /* A value with its interval, standing up. */
  slw.whisker = (x, low, high, className) => slw.s("g", { class: "whisker " + className },
    s("line", { x1: x, x2: x, y1: low, y2: high }), s("line", { x1: x - 4, x2: x + 4, y1: low, y2: low }),
    s("line", { x1: x - 4, x2: x + 4, y1: high, y2: high }));

  slw.figureBox = (chart, ...rest) => slw.h("figure", { class: "chartbox" }, chart, ...rest);
})();
