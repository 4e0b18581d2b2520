/* SPDX-License-Identifier: MIT */
/* The functions of a run as a table; a name leads to the flame graph. (Those that explain a
 * difference: compare.js.) */
(() => {
  "use strict";
  const { h } = slw;
  const f = slw.format;

  slw.moduleName = (path) => path ? path.replace(/^.*\/(?=[^/])/, "") : "";

  /* A name that searches for itself, where there is a graph to search. */
  slw.functionLink = (name) => {
    if (!slw.flame.views.length && !slw.sides.some((_, i) => slw.hasSamples(i)))
      return h("code", {}, name);
    return h("button", { type: "button", class: "link code", title: "find it in the flame graph", on: { click: () => {
      slw.flame.toolbar.search(name);
      document.getElementById("flame").scrollIntoView();
    } } }, name);
  };

  const weight = (sum) => Number(sum.weight);

  function columns(report) {
    const unit = report.samples ? report.samples.unit : "events";
    const requests = slw.sides[0].run.sampled_requests.value;
    const list = [
      { title: "function", cell: (x) => slw.functionLink(x.function), key: (x) => x.function, class: "name" },
      { title: "self", number: true, cell: (x) => f.percent(x.self.share.value), key: (x) => weight(x.self) },
      { title: "95 % interval", number: true, cell: (x) => x.self.share.low === null ? f.absent("unknown")
        : f.percent(x.self.share.low) + " \u2026 " + f.percent(x.self.share.high) },
      { title: "with callees", number: true, cell: (x) => f.percent(x.total.share.value), key: (x) => weight(x.total) },
      { title: "module", cell: (x) => h("span", { title: x.module }, slw.moduleName(x.module)), key: (x) => x.module },
    ];
    if (requests !== null && Number(requests) > 0)
      list.splice(3, 0, { title: "self per request", number: true,
        cell: (x) => f.value(weight(x.self) / Number(requests), unit), key: (x) => weight(x.self) });
    if (report.functions.some((x) => x.topdown))
      list.splice(4, 0, { title: "bound by", cell: (x) => !x.topdown ? "" : x.topdown.absent ? f.absent(x.topdown.absent)
        : x.topdown.category || "", key: (x) => x.topdown && x.topdown.category });
    return list;
  }

  slw.section("functions", "Functions", 80, () => {
    if (slw.kind !== "run")
      return null;
    const r = slw.report;
    if (!r.functions.length)
      return "there are no samples";
    return h("div", {}, h("p", { class: "soft" }, f.digits(Number(r.samples.count)), " samples of ", r.samples.event, " ",
      f.provenance(r.samples)), slw.table(columns(r), r.functions, { caption: "Functions by self weight", limit: 25 }));
  });
})();
