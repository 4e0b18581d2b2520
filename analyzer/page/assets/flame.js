/* SPDX-License-Identifier: MIT */
/* The flame graphs of a page: of a run one, of a comparison A, B and the difference, which zoom and
 * search together. What the frames of the difference look like is in difference.js. */
(() => {
  "use strict";
  const { h } = slw;
  const f = slw.format;
  const MAX_HEIGHT = 620; /* px; deeper graphs scroll inside themselves */
  const PRINT_ROWS = 50;

  const state = { zoomed: 0, focused: 0, hits: null, text: "", views: [] };
  slw.flame = state; /* tests and the functions table look here */

  /* ---- one view: a canvas and the sizes of its frames ---- */

  /* look(node) -> what a frame looks like; tip(node) -> lines; sizes() with callees; scale() -> the
   * size the full width stands for; unit text of a size. */
  function newView(spec) {
    const canvas = h("canvas", { "aria-hidden": "true" });
    const spacer = h("div", { class: "spacer" }, canvas);
    const box = h("div", { class: "flame", tabindex: "0", role: "application", "aria-roledescription": "flame graph",
      "aria-label": spec.title + ". Arrow keys walk the frames, Enter zooms, Escape resets, slash searches." }, spacer);
    const status = h("p", { class: "flamestatus" });
    const view = { ...spec, canvas, spacer, box, status, rows: [], width: 0 };
    box.addEventListener("scroll", () => paint(view), { passive: true });
    box.addEventListener("pointermove", (event) => pointed(view, event));
    box.addEventListener("pointerleave", hideTip);
    box.addEventListener("click", (event) => clicked(view, event));
    box.addEventListener("keydown", (event) => pressed(view, event));
    box.addEventListener("focus", () => { state.active = view; paint(view); tellFocus(view); });
    box.addEventListener("blur", () => { paint(view); hideTip(); });
    view.node = h("div", { class: "flameview" }, spec.heading, box, status);
    return view;
  }

  function layout(view) {
    const tree = slw.tree();
    view.width = Math.max(50, view.box.clientWidth || view.width);
    const whole = view.scale(state.zoomed);
    view.rows = slw.layout(tree, view.sizes(), state.zoomed, view.width, whole > 0 ? whole / view.width : 1);
    const rows = Math.min(view.rows.length || 1, slw.printing ? PRINT_ROWS : Infinity);
    view.height = rows * slw.paint.ROW + 2;
    view.shownHeight = slw.printing ? view.height : Math.min(view.height, MAX_HEIGHT);
    view.spacer.style.setProperty("height", view.height + "px");
    view.box.style.setProperty("height", view.shownHeight + "px");
  }

  function lookOf(view, box) {
    const tree = slw.tree();
    const plain = slw.paint.plain();
    if (box.node < 0)
      return { fill: plain.narrow, label: "" };
    const look = view.look(box.node);
    look.dim = Boolean(box.above);
    if (state.hits && state.hits[tree.frame[box.node]]) {
      look.fill = plain.hit;
      look.ink = slw.paint.ink(plain.hit);
      look.dim = false;
    } else if (state.hits) {
      look.dim = true;
    }
    look.focused = box.node === state.focused && document.activeElement === view.box;
    return look;
  }

  function paint(view) {
    const top = slw.printing ? 0 : view.box.scrollTop;
    const context = slw.paint.begin(view.canvas, view.width, view.shownHeight);
    const first = Math.floor(top / slw.paint.ROW);
    const last = Math.min(view.rows.length - 1, Math.ceil((top + view.shownHeight) / slw.paint.ROW));
    let focused = null;
    for (let row = first; row <= last; row++)
      for (const box of view.rows[row] || []) {
        const look = lookOf(view, box);
        slw.paint.paintBox(context, box, row * slw.paint.ROW - top, look);
        if (look.focused)
          focused = [box, row * slw.paint.ROW - top, look];
      }
    if (focused)
      slw.paint.paintBox(context, ...focused);
    if (!view.rows.length || !(view.sizes()[state.zoomed] > 0)) {
      context.fillStyle = slw.color("soft");
      context.fillText("not in " + (view.name || "this selection"), 6, (slw.tree().depth[state.zoomed] + 1) * slw.paint.ROW - 5);
    }
  }

  function update() {
    for (const view of state.views) {
      layout(view);
      paint(view);
      describe(view);
    }
    if (state.toolbar)
      state.toolbar.update();
    if (state.onUpdate)
      state.onUpdate.forEach((call) => call());
  }
  state.update = update;

  /* The line below a graph: what it is zoomed to, and what a search found. */
  function describe(view) {
    const sizes = view.sizes();
    const parts = [view.summary()];
    if (state.zoomed)
      parts.push("zoomed to " + slw.nameOf(state.zoomed) + ", " + view.text(sizes[state.zoomed]));
    if (state.hits) {
      const found = slw.matched(slw.tree(), sizes, state.hits, 0);
      parts.push("matched: " + f.percent(sizes[0] ? found / sizes[0] : 0, 2));
    }
    slw.refill(view.status, parts.filter(Boolean).join("; "));
  }

  /* ---- pointer ---- */

  const tip = h("div", { class: "tip", "aria-hidden": "true" });
  tip.hidden = true;
  state.tip = tip;

  function hideTip() {
    tip.hidden = true;
  }

  function showTip(view, node, x, y) {
    slw.refill(tip, view.tip(node).filter(Boolean).map((line, i) => h("div", { class: i === 0 ? "name" : null }, line)));
    tip.hidden = false;
    const size = tip.getBoundingClientRect();
    const left = Math.max(4, Math.min(x + 14, document.documentElement.clientWidth - size.width - 6));
    const top = y + 18 + size.height > window.innerHeight ? y - size.height - 12 : y + 18;
    tip.style.setProperty("left", left + "px");
    tip.style.setProperty("top", Math.max(4, top) + "px");
  }

  function boxUnder(view, event) {
    const area = view.canvas.getBoundingClientRect();
    const row = Math.floor((event.clientY - area.top + view.box.scrollTop) / slw.paint.ROW);
    return slw.boxAt(view.rows[row], event.clientX - area.left);
  }

  function pointed(view, event) {
    const box = boxUnder(view, event);
    if (!box || box.node < 0) {
      hideTip();
      view.box.classList.remove("pointing");
      return;
    }
    view.box.classList.add("pointing");
    showTip(view, box.node, event.clientX, event.clientY);
  }

  function clicked(view, event) {
    const box = boxUnder(view, event);
    if (box && box.node >= 0)
      zoom(box.node);
  }

  /* ---- zoom and focus: of all views at once ---- */

  function zoom(node) {
    state.zoomed = node;
    state.focused = node;
    hideTip();
    update();
    slw.say("zoomed to " + slw.nameOf(node));
  }
  state.zoom = zoom;

  function tellFocus(view) {
    slw.say(view.tip(state.focused).filter(Boolean).join(", "));
  }

  function focusOn(view, node) {
    if (node < 0)
      return;
    state.focused = node;
    const top = slw.tree().depth[node] * slw.paint.ROW;
    if (top < view.box.scrollTop || top + slw.paint.ROW > view.box.scrollTop + view.shownHeight)
      view.box.scrollTop = Math.max(0, top - view.shownHeight / 2);
    state.views.forEach(paint);
    tellFocus(view);
    const box = (view.rows[slw.tree().depth[node]] || []).find((b) => b.node === node);
    if (box) {
      const area = view.canvas.getBoundingClientRect();
      showTip(view, node, area.left + Math.max(0, box.x), area.top + top - view.box.scrollTop + 6);
    }
  }

  function widestCallee(view, node) {
    const row = view.rows[slw.tree().depth[node] + 1] || [];
    const own = row.filter((b) => b.node >= 0 && slw.tree().parent[b.node] === node);
    return own.length ? own.reduce((a, b) => b.w > a.w ? b : a).node : -1;
  }

  function neighbour(view, node, step) {
    const row = (view.rows[slw.tree().depth[node]] || []).filter((b) => b.node >= 0);
    const at = row.findIndex((b) => b.node === node);
    return at >= 0 && row[at + step] ? row[at + step].node : -1;
  }

  function found(view, step) {
    if (!state.hits)
      return;
    const node = slw.nextHit(slw.tree(), view.sizes(), state.hits, state.focused, step);
    if (node < 0)
      return;
    if (!(view.rows[slw.tree().depth[node]] || []).some((b) => b.node === node))
      zoom(node); /* too narrow to be seen from here */
    focusOn(view, node);
  }

  const KEYS = {
    ArrowDown: (view) => focusOn(view, widestCallee(view, state.focused)),
    ArrowUp: (view) => focusOn(view, state.focused ? slw.tree().parent[state.focused] : -1),
    ArrowRight: (view) => focusOn(view, neighbour(view, state.focused, 1)),
    ArrowLeft: (view) => focusOn(view, neighbour(view, state.focused, -1)),
    Home: (view) => focusOn(view, state.zoomed),
    Enter: (view) => { zoom(state.focused); focusOn(view, state.focused); },
    " ": (view) => { zoom(state.focused); focusOn(view, state.focused); },
    n: (view) => found(view, 1),
    N: (view) => found(view, -1),
    "/": () => state.toolbar.focus(),
    Escape: () => state.zoomed ? zoom(0) : state.toolbar.clear(),
  };

  function pressed(view, event) {
    if (event.ctrlKey || event.altKey || event.metaKey || !KEYS[event.key])
      return;
    event.preventDefault();
    KEYS[event.key](view);
  }

  state.found = found;
  state.newView = newView;
  slw.onRedraw(() => state.views.length && update());
})();
