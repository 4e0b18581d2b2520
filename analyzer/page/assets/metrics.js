/* SPDX-License-Identifier: MIT */
/* What a request cost: the table of a run. (That of a comparison: compare.js.) */
(() => {
  "use strict";
  const { h } = slw;
  const f = slw.format;

  const NAMES = {
    wall_time: "wall time", thread_time: "wall time of all threads", system_calls: "system calls",
    times_off_cpu: "times off-CPU", bytes_sent: "bytes sent", bytes_received: "bytes received", sends: "sends",
    reads: "reads", flushes: "flushes", rows_received: "rows received", slots: "pipeline slots",
  };

  function costRows(report) {
    return report.per_request.rows.map((row) => ({
      name: NAMES[row.key] || row.key.replace(/^slots\./, "slots: ").replace(/_/g, " "), from: row,
      unit: row.total.unit, total: row.total, each: row.per_request, interval: row.interval }));
  }

  function countRows(report) {
    return report.counts.map((c) => ({
      name: c.event + (c.pmu ? " (" + c.pmu + ")" : "") + (c.mode === "all" ? "" : ", " + c.mode), from: c,
      unit: c.unit, total: { value: c.value, absent: c.absent, unit: c.unit }, each: c.per_request,
      interval: c.per_request.interval, coverage: c.coverage }));
  }

  const plain = (unit) => ["events", "requests", "count", "slots"].includes(unit) ? "" : unit;

  function cell(figure, unit) {
    if (figure.value === null)
      return f.absent(figure.absent || "unknown");
    return f.value(Number(figure.value), plain(unit));
  }

  const number = (v) => v === null || v === undefined ? null : Number(v);

  function columns(withInterval) {
    const list = [
      { title: "what", cell: (r) => r.name, key: (r) => r.name },
      { title: "per request", number: true, cell: (r) => r.each.absent && r.each.absent === r.total.absent
        ? f.absent("unknown") : cell(r.each, r.unit), key: (r) => number(r.each.value) },
      { title: "in all", number: true, cell: (r) => cell(r.total, r.unit), key: (r) => number(r.total.value) },
      { title: "from", cell: (r) => f.provenance(r.from) || "hardware", key: (r) => r.from.source },
      { title: "counted", number: true, hint: "part of the time it held a counter",
        cell: (r) => r.coverage === undefined || r.coverage === null ? "" : f.percent(r.coverage, 0),
        key: (r) => r.coverage },
    ];
    if (withInterval)
      list.splice(2, 0, { title: "95 % interval", number: true, cell: (r) => f.interval(r.interval, plain(r.unit)) ||
        f.absent("none") });
    return list;
  }

  slw.section("per-request", "What a request costs", 20, () => {
    if (slw.kind !== "run")
      return null;
    const rows = costRows(slw.report).concat(countRows(slw.report));
    if (!rows.length)
      return "nothing was counted";
    const why = slw.report.per_request.absent;
    return h("div", {}, why && h("p", {}, "Not divided by requests: ", why, "."),
      slw.table(columns(rows.some((r) => r.interval)), rows, { caption: "Cost per request and in all" }));
  });

  /* ---- stages the client marked ---- */

  const STAGES = [
    { title: "stage", cell: (s) => s.name, key: (s) => s.name },
    { title: "calls", number: true, cell: (s) => f.digits(Number(s.calls)), key: (s) => Number(s.calls) },
    { title: "requests per call", number: true, cell: (s) => f.figure({ ...s.mean_batch, unit: "" }),
      key: (s) => s.mean_batch.value },
    { title: "self time per request", number: true, cell: (s) => f.figure(s.per_request, "ns"),
      key: (s) => s.per_request.value },
    { title: "CPU per request", number: true, cell: (s) => f.figure(s.cpu_per_request, "ns"),
      key: (s) => s.cpu_per_request.value },
    { title: "share", number: true, cell: (s) => s.share.value === null ? f.absent(s.share.absent) :
      f.percent(s.share.value), key: (s) => s.share.value },
    { title: "IPC", number: true, cell: (s) => f.figure({ ...s.ipc, unit: "" }), key: (s) => s.ipc.value },
  ];

  slw.section("stages", "Stages", 28, () => {
    if (slw.kind !== "run")
      return null;
    return slw.report.stages.length ? slw.table(STAGES, slw.report.stages, { caption: "Stages the client marked" })
      : "the client marked no stages";
  });
})();
