/* SPDX-License-Identifier: MIT */
/* What was counted interval by interval (profile --interval): CPUs busy, IPC and level 1 over time. */
(() => {
  "use strict";
  const { h, s } = slw;
  const f = slw.format;

  const value = (figure) => figure && figure.value !== null && figure.value !== undefined ? figure.value : null;

  /* Lines break where a value is unknown. */
  function pieces(intervals, get, x, y) {
    const list = [];
    let open = null;
    for (const i of intervals) {
      const v = get(i);
      if (v === null) {
        open = null;
        continue;
      }
      if (!open)
        list.push(open = []);
      open.push([x(i.start_ns), y(v)], [x(i.start_ns + i.length_ns), y(v)]);
    }
    return list.map((points) => slw.path(points)).join("");
  }

  function one(intervals, title, get, text, className) {
    const values = intervals.map(get).filter((v) => v !== null);
    if (!values.length)
      return null;
    const b = { ...slw.chartBox, height: 130 };
    const last = intervals[intervals.length - 1];
    const x = slw.scale(0, last.start_ns + last.length_ns, b.left, b.width - b.right);
    const y = slw.scale(0, Math.max(...values) * 1.1 || 1, b.height - b.bottom, b.top + 6);
    y.ticks = () => [0, Math.max(...values)];
    const chart = slw.chart({ box: b, x, y, xText: (v) => f.seconds(v), yText: text, xTitle: "time", yTitle: title,
      label: title + " over time, from " + text(Math.min(...values)) + " to " + text(Math.max(...values)) });
    chart.append(s("path", { class: "line " + className, d: pieces(intervals, get, x, y) }));
    return chart;
  }

  function charts(intervals) {
    const level1 = [...new Set(intervals.flatMap((i) => Object.keys(i.level1 || {})))];
    return [one(intervals, "CPUs busy", (i) => value(i.cpus_busy), (v) => f.digits(v, 3), "hue0"),
      one(intervals, "IPC", (i) => value(i.ipc), (v) => f.digits(v, 3), "hue1"),
      level1.map((name, n) => one(intervals, name, (i) => value(i.level1[name]), (v) => f.percent(v, 0), "hue" + n))];
  }

  function table(intervals) {
    const columns = [{ title: "from", number: true, cell: (i) => f.seconds(i.start_ns), key: (i) => i.start_ns },
      { title: "CPUs busy", number: true, cell: (i) => f.figure({ ...i.cpus_busy, unit: "" }), key: (i) => value(i.cpus_busy) },
      { title: "CPU time", number: true, cell: (i) => f.figure(i.cpu_ns, "ns"), key: (i) => value(i.cpu_ns) },
      { title: "IPC", number: true, cell: (i) => f.figure({ ...i.ipc, unit: "" }), key: (i) => value(i.ipc) },
      { title: "context switches", number: true, cell: (i) => f.figure({ ...i.context_switches, unit: "" }),
        key: (i) => value(i.context_switches) }];
    return slw.table(columns, intervals, { caption: "Intervals", limit: 100 });
  }

  slw.section("timeline", "Time line", 40, () => {
    if (slw.kind !== "run")
      return null;
    const intervals = slw.report.intervals;
    if (!intervals.length)
      return "nothing was counted interval by interval (profile --interval 100ms does)";
    return h("div", {}, h("figure", { class: "chartbox" }, charts(intervals)),
      slw.lazy("The same as a table", () => table(intervals)));
  });
})();
