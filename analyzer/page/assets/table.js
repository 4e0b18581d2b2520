/* SPDX-License-Identifier: MIT */
/* Tables that sort by their headings, scroll inside themselves on a narrow screen, and print whole.
 * A column: {title, cell(row), key(row) (what it is sorted by; none: it is not), number, hint}. */
(() => {
  "use strict";
  const { h } = slw;
  const LONGEST = 240; /* characters of a text in a cell */

  /* What is unknown comes last, whichever way. */
  function compare(a, b) {
    const none = (v) => v === null || v === undefined || Number.isNaN(v);
    if (none(a) || none(b))
      return none(a) - none(b);
    return typeof a === "string" ? a.localeCompare(b) : a - b;
  }

  function sorted(rows, key, down) {
    return rows.map((row, i) => ({ row, i, k: key(row) })).sort((x, y) => {
      const unknown = (v) => v === null || v === undefined || Number.isNaN(v);
      const order = compare(x.k, y.k);
      return (down && !unknown(x.k) && !unknown(y.k) ? -order : order) || x.i - y.i;
    }).map((x) => x.row);
  }

  function heading(column, sortBy) {
    const attributes = { scope: "col", class: column.number ? "number" : null, title: column.hint };
    if (!column.key)
      return h("th", attributes, column.title);
    const button = h("button", { type: "button", class: "sort", on: { click: () => sortBy(column, th) } },
      column.title);
    const th = h("th", { ...attributes, "aria-sort": "none" }, button);
    return th;
  }

  /* Both ends of a name that is pages long tell more than its middle; the tooltip has all of it. */
  function shortened(cell) {
    if (cell.textContent.length <= LONGEST)
      return cell;
    const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    for (let text = walker.nextNode(); text; text = walker.nextNode())
      if (text.data.length > LONGEST) {
        text.parentElement.title = text.data;
        text.data = text.data.slice(0, 2 * LONGEST / 3) + "\u2026" + text.data.slice(-LONGEST / 3);
      }
    return cell;
  }

  function body(table, columns, rows) {
    return rows.map((row) => h("tr", { class: table.rowClass ? table.rowClass(row) : null },
      columns.map((c, i) => shortened(h(i === 0 ? "th" : "td", { scope: i === 0 ? "row" : null,
        class: [c.number ? "number" : "", c.class || ""].join(" ").trim() || null }, c.cell(row))))));
  }

  /* options: caption, rowClass(row), limit (rows before "show all"), none (text for no rows) */
  slw.table = (columns, rows, options = {}) => {
    const tbody = h("tbody");
    const more = h("p", { class: "tablefoot" });
    let order = rows, whole = false;

    function show() {
      const shown = whole || !options.limit ? order : order.slice(0, options.limit);
      slw.refill(tbody, body(options, columns, shown));
      slw.refill(more, shown.length < order.length && h("button",
        { type: "button", on: { click: () => { whole = true; show(); } } },
        "Show all " + slw.format.digits(order.length)));
    }

    function sortBy(column, th) {
      const first = column.number ? "descending" : "ascending";
      const now = th.getAttribute("aria-sort");
      const next = now === "none" ? first : now === "ascending" ? "descending" : "ascending";
      for (const other of th.parentElement.children)
        if (other.hasAttribute("aria-sort"))
          other.setAttribute("aria-sort", "none");
      th.setAttribute("aria-sort", next);
      order = sorted(rows, column.key, next === "descending");
      show();
      slw.say("sorted by " + column.title + ", " + next);
    }

    const head = h("tr", {}, columns.map((c) => heading(c, sortBy)));
    const node = h("div", { class: "tablebox", tabindex: "0", role: "region", "aria-label": options.caption },
      h("table", { class: options.class }, options.caption && h("caption", {}, options.caption),
        h("thead", {}, head), tbody));
    show();
    const box = h("div", { class: "table" }, node, more);
    box.slwShowAll = () => { whole = true; show(); };
    return box;
  };

  /* Pairs of words, for facts. */
  slw.facts = (pairs) => h("dl", { class: "facts" }, pairs.filter((p) => p && p[1] !== null && p[1] !== undefined)
    .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
})();
