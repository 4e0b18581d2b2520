/* SPDX-License-Identifier: MIT */
/* What a page says in words: the verdict with its main figures, the findings of a run, its notes. */
(() => {
  "use strict";
  const { h } = slw;
  const f = slw.format;

  /* ---- verdict of a run ---- */

  function tile(name, value, more) {
    return h("div", { class: "tile" }, h("dt", {}, name), h("dd", {}, h("span", { class: "big" }, value),
      more && h("span", { class: "small" }, more)));
  }

  function costOf(report, key) {
    const count = report.counts.find((c) => c.event === key && !c.pmu);
    if (count)
      return { ...count, per_request: count.per_request };
    return report.per_request.rows.find((row) => row.key === key);
  }

  function cpuTile(report) {
    const row = costOf(report, "task-clock") || costOf(report, "cpu-clock");
    if (!row || row.per_request.value === null)
      return tile("CPU time per request", f.absent(row ? row.per_request.absent || "unknown" : "not counted"));
    return tile("CPU time per request", [f.value(row.per_request.value, "ns"), " ", f.provenance(row)],
      f.interval(row.per_request.interval, "ns"));
  }

  function tiles(report) {
    const t = report.traffic;
    const requests = report.requests;
    const list = [tile("Requests", requests.value === null ? f.absent(requests.absent)
      : f.compact(Number(requests.value)), requests.value === null ? null : f.digits(Number(requests.value)))];
    list.push(cpuTile(report));
    if (t.present) {
      list.push(tile("Requests per flush", f.figure({ ...t.batch_factor, unit: "" }), "batch factor, observed"));
      list.push(tile("Throughput", t.per_second.value === null ? f.absent(t.per_second.absent)
        : f.compact(t.per_second.value) + "/s", "requests"));
      list.push(tile("Latency p50", f.figure(t.request_latency.p50), "of requests"));
      list.push(tile("Latency p99", f.figure(t.request_latency.p99), "of requests"));
    }
    const busy = report.time.cpus_busy;
    list.push(tile("CPUs busy", busy === null ? f.absent("unknown") : f.digits(busy, 3),
      ["over ", f.figure(report.time.wall_ns, "ns")]));
    return h("dl", { class: "tiles" }, list);
  }

  function side(report) {
    const words = { client: "The client is the limit", server: "The server is the limit",
      "cannot-tell": "Client or server: cannot be told" };
    if (!report.side || !report.side.text)
      return null;
    return h("p", {}, h("strong", {}, words[report.side.side] || report.side.side), ": ", report.side.text);
  }

  slw.section("verdict", "Verdict", 10, () => {
    if (slw.kind !== "run")
      return null;
    const r = slw.report;
    return h("div", {}, h("p", { class: "verdict" }, r.verdict), h("p", { class: "basis" }, r.verdict_basis),
      tiles(r), side(r));
  });

  /* ---- findings of a run ---- */

  function finding(x) {
    return h("li", { class: "finding" },
      h("h3", {}, x.title, " ", h("span", { class: "badge badge-" + x.sure }, x.sure),
        x.weight !== null && h("span", { class: "weight" }, "about " + f.percent(x.weight, 0) + " of its time")),
      x.evidence && h("p", {}, x.evidence),
      x.advice && h("p", { class: "advice" }, h("strong", {}, "Try: "), x.advice));
  }

  function findingsOf(report, name) {
    if (!report || !report.findings.length)
      return null;
    return h("div", { class: "findings" }, name && h("h3", { class: "arm" }, name),
      h("ol", { class: "plain" }, report.findings.map(finding)));
  }
  slw.findingsOf = findingsOf;

  slw.section("findings", "Findings", slw.kind === "run" ? 15 : 90, () => {
    if (slw.kind === "run")
      return findingsOf(slw.report) || "no rule found anything to say about this run";
    if (slw.kind !== "comparison")
      return null;
    const lists = slw.sides.map((s, i) => findingsOf(s.report, slw.sideName(i))).filter(Boolean);
    return lists.length ? h("div", { class: "pair" }, lists) : "no rule found anything to say about either side";
  });

  /* ---- notes ---- */

  slw.note = (n) => h("li", { class: "note note-" + n.level },
    h("p", {}, h("strong", {}, n.level === "warning" ? "Warning: " : "Note: "), n.text),
    n.hint && h("p", { class: "advice" }, h("strong", {}, "Try: "), n.hint));

  function notesOf(list, name) {
    if (!list || !list.length)
      return null;
    return [name && h("h3", { class: "arm" }, name), h("ul", { class: "plain" }, list.map(slw.note))];
  }

  function losses(report) {
    const l = report.losses;
    const words = [["lost_records", "records lost"], ["lost_samples", "samples lost"],
      ["throttled", "times sampling was throttled"], ["unreadable_bytes", "bytes not readable"],
      ["no_user_stack", "samples without a user stack"]];
    const lost = words.filter(([key]) => Number(l[key]) > 0).map(([key, text]) => f.digits(Number(l[key])) + " " + text);
    return lost.length ? h("p", {}, h("strong", {}, "Losses: "), lost.join(", ")) : null;
  }

  /* Of the stacks that were copied: how many were followed to their start, and what became of the rest. */
  function stacks(report) {
    return (report.unwinding || []).map((u) => {
      const all = Number(u.stacks);
      const share = (n) => n === all ? "100 %" : Math.min(100 * n / all, 99.9).toFixed(1) + " %";
      const rest = u.failures.map((e) => f.digits(Number(e.stacks)) + " (" + share(Number(e.stacks)) + ") " + e.words);
      return h("p", {}, h("strong", {}, "Stacks: "), f.digits(all) + " copied with " + u.event + " (" +
        f.digits(Number(u.copy_bytes) / 1024) + " KiB each), " + share(Number(u.complete)) + " complete" +
        (rest.length ? "; " + rest.join(", ") : ""));
    });
  }

  slw.section("notes", "Notes", 100, () => {
    const parts = [];
    if (slw.page.data && slw.page.data.notes)
      parts.push(notesOf(slw.page.data.notes));
    slw.sides.forEach((s, i) => {
      if (s.report)
        parts.push(notesOf(s.report.notes, slw.sideName(i)), losses(s.report), stacks(s.report));
    });
    const shown = parts.flat(Infinity).filter(Boolean);
    return shown.length ? h("div", {}, shown) : "there is nothing to note, and nothing was lost";
  });
})();
