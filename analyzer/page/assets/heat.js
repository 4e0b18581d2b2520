/* SPDX-License-Identifier: MIT */
/* The sub-second heat map, after FlameScope (Gregg and Spier 2018): a column is a second, a row a
 * part of it, a cell as dark as what was sampled in it. A selection filters the flame graph. */
(() => {
  "use strict";
  const { h } = slw;
  const f = slw.format;
  const ROWS = 50, MAX_COLUMNS = 400, HEIGHT = 200, LEFT = 58, BOTTOM = 22;
  const LIGHT = [[255, 247, 236], [253, 212, 158], [252, 141, 89], [215, 48, 31], [127, 0, 0]];
  const DARK = [[42, 34, 30], [95, 52, 28], [168, 84, 30], [234, 140, 60], [255, 230, 190]];

  /* ---- from moments to a grid ---- */

  function roundsOf(m, report) {
    const list = [];
    for (let i = 0; i < m.count; i++) {
      if (!list.length || list[list.length - 1].round !== m.round[i])
        list.push({ round: m.round[i], buckets: 0 });
      const last = list[list.length - 1];
      last.buckets = Math.max(last.buckets, m.bucket[i] + 1);
    }
    for (const r of list) {
      const known = r.round ? report.rounds.find((x) => x.round === r.round && x.sampled) : { wall_ns: report.time.wall_ns };
      if (known && known.wall_ns.value)
        r.buckets = Math.max(r.buckets, Math.ceil(Number(known.wall_ns.value) / m.bucket_ns));
    }
    return list;
  }

  /* The time of a column: a second; less for short runs, more for long ones. */
  function columnTime(total_ns) {
    const times = [1e8, 2e8, 5e8, 1e9, 2e9, 5e9, 1e10, 3e10, 6e10, 3e11, 6e11, 36e11];
    if (total_ns >= 15e9 && total_ns <= MAX_COLUMNS * 1e9)
      return 1e9;
    return times.find((t) => total_ns < 15e9 ? total_ns / t <= 80 : total_ns / t <= MAX_COLUMNS) || 36e11;
  }

  function gridOf(side) {
    const m = slw.moments(side);
    const rounds = roundsOf(m, slw.sides[side].report);
    const total = rounds.reduce((sum, r) => sum + r.buckets, 0) * m.bucket_ns;
    const perColumn = Math.max(1, Math.round(columnTime(total) / m.bucket_ns));
    const perCell = Math.max(1, Math.ceil(perColumn / ROWS));
    const rows = Math.ceil(perColumn / perCell);
    let columns = 0;
    for (const r of rounds) {
      r.column = columns;
      r.columns = Math.ceil(r.buckets / perColumn);
      columns += r.columns;
    }
    const grid = { m, rounds, perColumn, perCell, rows, columns, cells: new Float64Array(columns * rows),
      inside: new Uint8Array(columns * rows), cellOf: new Uint32Array(m.count), most: 0,
      cell_ns: perCell * m.bucket_ns, column_ns: perColumn * m.bucket_ns };
    for (const r of rounds)
      for (let b = 0; b < r.buckets; b += perCell)
        grid.inside[place(grid, r, b)] = 1;
    let at = 0;
    for (let i = 0; i < m.count; i++) {
      while (rounds[at].round !== m.round[i])
        at++;
      const cell = grid.cellOf[i] = place(grid, rounds[at], m.bucket[i]);
      grid.cells[cell] += m.weight[i];
    }
    grid.most = grid.cells.reduce((a, b) => Math.max(a, b), 0);
    return grid;
  }

  /* Cells are numbered in the order of time. */
  function place(grid, round, bucket) {
    return (round.column + Math.floor(bucket / grid.perColumn)) * grid.rows +
      Math.floor((bucket % grid.perColumn) / grid.perCell);
  }

  function timeOf(grid, cell) {
    const column = Math.floor(cell / grid.rows);
    const round = grid.rounds.filter((r) => r.column <= column).pop();
    return { round: round.round, ns: (column - round.column) * grid.column_ns + (cell % grid.rows) * grid.cell_ns };
  }

  function words(grid, cell) {
    const t = timeOf(grid, cell);
    return (t.round ? "round " + t.round + ", " : "") + f.seconds(t.ns);
  }

  /* ---- drawing ---- */

  function mixed(steps, part) {
    const at = Math.min(steps.length - 1.001, Math.max(0, part) * (steps.length - 1));
    const i = Math.floor(at), t = at - i;
    return "rgb(" + steps[i].map((c, k) => Math.round(c + (steps[i + 1][k] - c) * t)).join(",") + ")";
  }
  const heat = (part) => mixed(slw.dark() ? DARK : LIGHT, part);

  function measure(map) {
    const { grid } = map;
    const room = Math.max(120, map.box.clientWidth - 2) - LEFT;
    map.cw = Math.max(2, Math.min(26, room / grid.columns));
    map.ch = HEIGHT / grid.rows;
    map.width = LEFT + map.cw * grid.columns + 1;
  }

  function labels(map, context) {
    const { grid } = map;
    context.fillStyle = slw.color("soft");
    context.textAlign = "right";
    context.fillText("0", LEFT - 6, 10);
    context.fillText(f.value(grid.column_ns / 2, "ns"), LEFT - 6, HEIGHT / 2 + 4);
    context.fillText(f.value(grid.column_ns, "ns"), LEFT - 6, HEIGHT);
    context.textAlign = "left";
    let free = 0;
    for (const r of grid.rounds) {
      const step = grid.rounds.length > 1 ? r.columns : Math.max(1, Math.ceil(64 / map.cw));
      for (let c = 0; c < r.columns; c += step) {
        const x = LEFT + (r.column + c) * map.cw;
        const text = r.round && c === 0 ? (free ? "" : "round ") + r.round : f.seconds(c * grid.column_ns);
        const w = context.measureText(text).width;
        if (x < free || x + w > map.width)
          continue;
        context.fillText(text, x, HEIGHT + 16);
        free = x + w + 14;
      }
    }
  }

  function paint(map) {
    const { grid } = map;
    measure(map);
    const context = slw.paint.begin(map.canvas, map.width, HEIGHT + BOTTOM);
    const range = map.range();
    for (let cell = 0; cell < grid.cells.length; cell++) {
      if (!grid.inside[cell] && !grid.cells[cell])
        continue;
      const x = LEFT + Math.floor(cell / grid.rows) * map.cw, y = (cell % grid.rows) * map.ch;
      context.globalAlpha = range && (cell < range[0] || cell > range[1]) ? 0.3 : 1;
      context.fillStyle = heat(grid.most ? grid.cells[cell] / grid.most : 0);
      context.fillRect(x, y, map.cw > 5 ? map.cw - 0.7 : map.cw, map.ch > 5 ? map.ch - 0.7 : map.ch + 0.05);
    }
    context.globalAlpha = 1;
    context.strokeStyle = slw.color("line");
    for (const r of grid.rounds.slice(1))
      context.strokeRect(LEFT + r.column * map.cw - 0.5, 0, 0, HEIGHT);
    labels(map, context);
    if (document.activeElement === map.box) {
      context.strokeStyle = slw.color("focus");
      context.lineWidth = 2;
      context.strokeRect(LEFT + Math.floor(map.cursor / grid.rows) * map.cw, (map.cursor % grid.rows) * map.ch,
        Math.max(3, map.cw), Math.max(3, map.ch));
    }
  }

  /* ---- selecting ---- */

  function apply(map) {
    const { grid } = map;
    const range = map.range();
    if (!range) {
      slw.filter(map.side, null);
      slw.refill(map.status, "All of the time. Drag over the map, or press Enter at the first and at the last cell, " +
        "to filter the flame graph.");
    } else {
      let weight = 0;
      for (let c = range[0]; c <= range[1]; c++)
        weight += grid.cells[c];
      const text = "selected: " + words(grid, range[0]) + " to " + words(grid, range[1] + 1 < grid.cells.length
        && (range[1] + 1) % grid.rows ? range[1] + 1 : range[1]);
      slw.filter(map.side, (i) => grid.cellOf[i] >= range[0] && grid.cellOf[i] <= range[1], text);
      const whole = grid.cells.reduce((a, b) => a + b, 0);
      slw.refill(map.status, text, ": ", f.value(weight, slw.weights(map.side).unit), ", ",
        f.percent(whole ? weight / whole : 0), " of all. The flame graph shows this.");
    }
    map.reset.disabled = !range;
    paint(map);
  }

  function cellUnder(map, event) {
    const area = map.canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - area.left - LEFT) / map.cw);
    const row = Math.floor((event.clientY - area.top) / map.ch);
    const inside = (v, most) => Math.max(0, Math.min(most - 1, v));
    return inside(column, map.grid.columns) * map.grid.rows + inside(row, map.grid.rows);
  }

  function move(map, by, extend) {
    const next = map.cursor + by;
    if (next < 0 || next >= map.grid.cells.length)
      return;
    if (extend && map.from === null)
      map.from = map.cursor;
    map.cursor = next;
    if (extend) {
      map.to = next;
      apply(map);
    }
    paint(map);
    slw.say(words(map.grid, next) + ", " + f.value(map.grid.cells[next], slw.weights(map.side).unit));
  }

  function mark(map) {
    if (map.from === null || map.to !== null) {
      map.from = map.cursor;
      map.to = null;
      slw.say("selection starts at " + words(map.grid, map.cursor));
      slw.refill(map.status, "From ", words(map.grid, map.from), ": go to the last cell and press Enter.");
      paint(map);
    } else {
      map.to = map.cursor;
      apply(map);
    }
  }

  function clear(map) {
    map.from = map.to = null;
    apply(map);
  }

  function pressed(map, event) {
    const steps = { ArrowLeft: -map.grid.rows, ArrowRight: map.grid.rows, ArrowUp: -1, ArrowDown: 1 };
    if (steps[event.key])
      move(map, steps[event.key], event.shiftKey);
    else if (event.key === "Enter" || event.key === " ")
      mark(map);
    else if (event.key === "Escape")
      clear(map);
    else
      return;
    event.preventDefault();
  }

  function wire(map) {
    let dragging = false;
    map.canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0)
        return;
      dragging = true;
      map.from = map.cursor = cellUnder(map, event);
      map.to = map.from;
      map.canvas.setPointerCapture(event.pointerId);
      paint(map);
    });
    map.canvas.addEventListener("pointermove", (event) => {
      const cell = cellUnder(map, event);
      map.canvas.title = words(map.grid, cell) + ": " + f.value(map.grid.cells[cell], slw.weights(map.side).unit);
      if (dragging && cell !== map.to) {
        map.to = cell;
        paint(map);
      }
    });
    map.canvas.addEventListener("pointerup", () => {
      if (dragging)
        apply(map);
      dragging = false;
    });
    map.box.addEventListener("keydown", (event) => pressed(map, event));
    map.box.addEventListener("focus", () => paint(map));
    map.box.addEventListener("blur", () => paint(map));
    map.reset.addEventListener("click", () => clear(map));
  }

  function table(grid, side) {
    const columns = [];
    for (let c = 0; c < grid.columns; c++)
      columns.push({ at: words(grid, c * grid.rows), i: c,
        weight: grid.cells.subarray(c * grid.rows, (c + 1) * grid.rows).reduce((a, b) => a + b, 0) });
    return slw.table([{ title: "from", cell: (c) => c.at, key: (c) => c.i },
      { title: "sampled", number: true, cell: (c) => f.value(c.weight, slw.weights(side).unit), key: (c) => c.weight }],
    columns, { caption: "Columns of the heat map", limit: 60 });
  }

  function build(side) {
    const grid = gridOf(side);
    const canvas = h("canvas", { "aria-hidden": "true" });
    const name = slw.sideName(side);
    const box = h("div", { class: "heatbox", tabindex: "0", role: "application", "aria-roledescription": "heat map",
      "aria-label": "Heat map" + (name ? " of " + name : "") + ". Arrow keys move, Enter marks the first and the last " +
      "cell of a selection, Escape selects everything." }, canvas);
    const map = { side, grid, box, canvas, cursor: 0, from: null, to: null,
      status: h("p", { class: "soft", role: "status" }), reset: h("button", { type: "button" }, "Whole run") };
    map.range = () => map.from === null || map.to === null ? null : [Math.min(map.from, map.to), Math.max(map.from, map.to)];
    wire(map);
    slw.onRedraw(() => paint(map));
    slw.heat.maps[side] = map;
    map.start = () => apply(map);
    return h("div", { class: "heat" }, name && h("h3", { class: "arm " + slw.sideClass(side) }, name), box,
      h("div", { class: "heatfoot" }, map.reset, map.status),
      h("p", { class: "soft" }, "A column is " + f.value(grid.column_ns, "ns") + ", a cell " + f.value(grid.cell_ns, "ns") +
        "; time runs down a column, then right. The darkest cell has " + f.value(grid.most, slw.weights(side).unit) + "."),
      slw.lazy("The same as a table", () => table(grid, side)));
  }
  slw.heat = { maps: [] };

  slw.section("heat", "When it was sampled", 60, () => {
    if (!slw.sides.length)
      return null;
    const have = slw.sides.map((_, i) => i).filter((i) => !slw.sides[i].moments.absent && slw.sides[i].report &&
      slw.hasSamples(i));
    return have.length ? h("div", {}, have.map(build)) : slw.sides[0].moments.absent || "there are no samples";
  });
})();
