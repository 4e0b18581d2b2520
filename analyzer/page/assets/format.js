/* SPDX-License-Identifier: MIT */
/* Numbers as people read them. What is unknown is a word, never a number. */
(() => {
  "use strict";
  const { h } = slw;
  const MINUS = "\u2212";
  const TIMES = [[1, "ns"], [1e3, "\u00b5s"], [1e6, "ms"], [1e9, "s"]];
  const BYTES = [[1, "B"], [1024, "KiB"], [1048576, "MiB"], [1073741824, "GiB"]];
  const COUNTS = [[1, ""], [1e3, "k"], [1e6, "M"], [1e9, "G"]];

  function grouped(text) {
    const parts = text.split(".");
    parts[0] = parts[0].replace(/\B(?=(\d{3})+$)/g, "\u2009");
    return parts.join(".");
  }

  /* Three digits that mean something; small whole numbers stay whole. */
  function digits(value, count = 3) {
    const size = Math.abs(value);
    if (!Number.isFinite(value))
      return "unknown";
    if (size === 0)
      return "0";
    if (Number.isInteger(value) && size < 1e6)
      return sign(value) + grouped(String(size));
    if (size < 1e-4 || size >= 1e15)
      return sign(value) + size.toExponential(2);
    const after = Math.max(0, Math.min(6, count - 1 - Math.floor(Math.log10(size) + 1e-9)));
    return sign(value) + grouped(size.toFixed(after));
  }

  function sign(value) {
    return value < 0 ? MINUS : "";
  }

  function scaled(value, steps, by) {
    const size = Math.abs(by === undefined ? value : by);
    let step = steps[0];
    for (const s of steps)
      if (size >= s[0])
        step = s;
    return { value: value / step[0], unit: step[1] };
  }

  const kindOf = (unit) => unit === "ns" || unit === "nanoseconds" ? TIMES
    : unit === "bytes" ? BYTES : null;

  /* As slw_format_is_share: what is told in percent. */
  const isShare = (unit) => unit === "slots" || unit === "clocks" || unit === "share" || unit === "metric";

  /* "12.6 us", "16.0", "2.1 KiB"; `by`: the size that decides the unit, for values in one column. */
  function value(number, unit, by, count) {
    if (number === null || number === undefined)
      return "unknown";
    const steps = kindOf(unit);
    if (steps) {
      const s = scaled(number, steps, by);
      return digits(s.value, count) + "\u00a0" + s.unit;
    }
    if (isShare(unit))
      return percent(number);
    if (unit === "%")
      return digits(number, count) + "\u00a0%";
    if (!unit || unit === "1" || unit === "count")
      return digits(number, count);
    return digits(number, count) + "\u00a0" + unit;
  }

  function percent(part, after = 1) {
    if (part === null || part === undefined || !Number.isFinite(part))
      return "unknown";
    const p = Math.abs(100 * part);
    const shown = p !== 0 && p < 0.5 * Math.pow(10, -after) ? p.toExponential(0) : p.toFixed(after);
    return sign(part) + shown + "\u00a0%";
  }

  /* With a sign that is never left out: "+3.2 %". */
  function change(part, after = 1) {
    if (part === null || part === undefined)
      return "unknown";
    return (part > 0 ? "+" : "") + percent(part, after);
  }

  function signedValue(number, unit) {
    return (number > 0 ? "+" : "") + value(number, unit);
  }

  function compact(number) {
    const s = scaled(number, COUNTS);
    return digits(s.value, 3) + s.unit;
  }

  /* {value, absent, unit} or {value, absent}: the value, or the word for why there is none. */
  function figure(f, unit) {
    if (!f)
      return absent("not measured");
    return f.value === null || f.value === undefined ? absent(f.absent || "unknown")
      : value(Number(f.value), f.unit || unit);
  }

  function absent(why) {
    return h("span", { class: "absent" }, why);
  }

  /* "simulated", "software", "imported": every number that no counter of the CPU gave says so. */
  function provenance(o) {
    const words = [];
    if (!o || !o.source)
      return null;
    if (o.source !== "hardware")
      words.push(o.source);
    if (o.imported)
      words.push("imported");
    if (!words.length)
      return null;
    const text = words.join(", ");
    return h("span", { class: "mark mark-" + o.source, title: (o.source_detail ? o.source_detail + "; " : "") +
      "where this number comes from: " + text }, text);
  }

  function interval(pair, unit) {
    if (!pair || pair[0] === null || pair[1] === null)
      return null;
    const by = Math.max(Math.abs(pair[0]), Math.abs(pair[1]));
    return value(pair[0], unit, by) + " \u2026 " + value(pair[1], unit, by);
  }

  function seconds(ns) {
    return (ns / 1e9).toFixed(ns % 1e9 === 0 ? 0 : 2) + "\u00a0s";
  }

  function date(ns) {
    return ns ? new Date(ns / 1e6).toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC") : "unknown";
  }

  const plural = (n, word) => digits(n) + " " + word + (n === 1 ? "" : "s");

  slw.format = { value, percent, change, signedValue, compact, figure, absent, provenance, interval, digits,
    seconds, date, plural, grouped, isShare };
})();
