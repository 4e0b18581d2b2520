/* SPDX-License-Identifier: MIT */
/* Source and instructions of the hot functions of a run, with what each line weighs. Drawn when a
 * function is opened: instructions are many. */
(() => {
  "use strict";
  const { h } = slw;
  const f = slw.format;
  const HOT = 0.05; /* of the function: such a line is marked, not only by colour */

  const share = (weight, of) => Number(weight) > 0 && Number(of) > 0 ? Number(weight) / Number(of) : null;
  const cell = (value) => value === null ? "" : f.percent(value);
  const base = (path) => path.replace(/^.*\//, "");

  function row(code, weights, place, text) {
    const self = share(weights.self, code.self);
    return h("tr", { class: self !== null && self >= HOT ? "hot" : null }, h("td", { class: "number" }, cell(self)),
      h("td", { class: "number" }, cell(share(weights.total, code.total))), h("td", { class: "number" }, place),
      h("td", {}, h("code", {}, text)));
  }

  function table(caption, place, rows) {
    return h("div", { class: "tablebox", tabindex: "0", role: "region", "aria-label": caption }, h("table", { class: "listing" },
      h("caption", {}, caption), h("thead", {}, h("tr", {}, ["self", "with callees", place].map((t) =>
        h("th", { scope: "col", class: "number" }, t)), h("th", { scope: "col" }, "text"))), h("tbody", {}, rows)));
  }

  const gap = () => h("tr", {}, h("td", { colspan: "4", class: "soft" }, "\u2026"));

  function sourceTable(code, source) {
    const rows = [];
    source.lines.forEach((line, i) => {
      if (i > 0 && line.line > source.lines[i - 1].line + 1)
        rows.push(gap());
      rows.push(row(code, line, String(line.line), line.text === null ? "" : line.text));
    });
    const why = source.absent ? " (" + source.absent + ")"
      : source.newer_than_program ? " (changed since the program was built)" : "";
    return table(source.path + why, "line", rows);
  }

  function placeRow(code, one) {
    const text = base(code.sources[one.source].path) + ":" + one.line + (one.inlined ? " in " + one.inlined : "");
    return h("tr", {}, h("td", { colspan: "3" }), h("td", { class: "soft" }, text));
  }

  function instructionTable(code) {
    const rows = [];
    let before = null;
    for (const one of code.instructions) {
      if (before && Number(before.address) + before.bytes !== Number(one.address)) {
        rows.push(gap());
        before = null;
      }
      if (one.source !== null && !(before && before.source === one.source && before.line === one.line &&
          before.inlined === one.inlined))
        rows.push(placeRow(code, one));
      rows.push(row(code, one, Number(one.address).toString(16), one.text));
      before = one;
    }
    return table("Instructions near samples", "address", rows);
  }

  function functionDetails(code) {
    const box = h("div");
    const details = h("details", { class: "more", on: { toggle: () => {
      if (details.open && !box.childNodes.length)
        slw.refill(box, code.build_unchecked ? h("p", {}, "The recording does not say which build ran: the program " +
          "that was read may be another.") : null, code.sources.length ? code.sources.map((s) => sourceTable(code, s))
          : h("p", {}, "No source lines: the program has no DWARF that could be found."), instructionTable(code));
    } } }, h("summary", {}, h("code", {}, code.function), " in ", slw.moduleName(code.module), ": ",
      cell(share(code.self, code.all)) || "0 %", " self"), box);
    return details;
  }

  slw.section("code", "Source and code", 82, () => {
    if (slw.kind !== "run" || !slw.page.code)
      return null;
    if (!slw.page.code.length)
      return "no program or library with hot functions can be read here";
    return h("div", {}, h("p", { class: "soft" }, "Shares of each function's own weight. An interrupt may come some " +
      "instructions late: weight can stand behind what caused it."), slw.page.code.map(functionDetails));
  });
})();
