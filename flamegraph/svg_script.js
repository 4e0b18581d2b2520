/* SPDX-License-Identifier: MIT */
/* What a reader can do with a flame graph: zoom, search, tooltips, the keyboard. It reads the
 * frames from the drawing itself and asks nothing of anybody: no request, no eval, no markup made
 * from names (textContent only). Works alone and inside a page, several times if need be. */
(() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const XHTML = "http://www.w3.org/1999/xhtml";
  const ELLIPSIS = "\u2026";
  const TEXT_MIN = 26; /* px: narrower frames carry no text */
  const PAD = 3;
  const MARKED_COLUMNS = 8; /* of a name that there is room for, behind its whole mark */

  const script = document.currentScript;
  const svg = script && script.closest ? script.closest("svg.slw-fg") : null;
  if (!svg || svg.dataset.ready)
    return;
  svg.dataset.ready = "1";

  const alone = document.documentElement === svg;
  const number = (name) => Number(svg.dataset[name]) || 0;
  const total = number("total");
  const culled = number("culled");
  const scale = number("scale") || 1;
  const row = number("row");
  const charWidth = number("char");
  const margin = number("margin");
  const unit = svg.dataset.unit;
  const inverted = svg.dataset.inverted === "1";
  const wide = svg.dataset.wide; /* what width is, in words; then frames tell facts of their own */
  const height = Number(svg.getAttribute("height"));
  const box = svg.querySelector(".frames");
  const details = svg.querySelector("text.details");
  const detailsAtRest = details.textContent;

  /* ---- small helpers ---- */

  function make(parent, name, attributes, text) {
    const node = document.createElementNS(SVG, name);
    for (const key of Object.keys(attributes))
      node.setAttribute(key, attributes[key]);
    if (text !== undefined)
      node.textContent = text;
    parent.appendChild(node);
    return node;
  }

  function makeHtml(parent, name, attributes, text) {
    const node = document.createElementNS(XHTML, name);
    for (const key of Object.keys(attributes))
      node.setAttribute(key, attributes[key]);
    if (text !== undefined)
      node.textContent = text;
    parent.appendChild(node);
    return node;
  }

  /* Group the digits of a whole number given as text: exact beyond 2^53. */
  function grouped(digits) {
    return digits.replace(/\B(?=(\d{3})+$)/g, ",");
  }

  function amount(digits) {
    if (scale === 1)
      return grouped(digits) + " " + unit;
    const parts = (Number(digits) / scale).toFixed(3).split(".");
    return grouped(parts[0]) + "." + parts[1] + " " + unit;
  }

  function percent(part, whole) {
    return whole > 0 ? (100 * part / whole).toFixed(2) + "%" : "no samples";
  }

  function columnsOf(character) {
    const c = character.codePointAt(0);
    const wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
      (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) ||
      (c >= 0xff00 && c <= 0xff60) || (c >= 0x1f300 && c <= 0x1faff) || c >= 0x20000;
    return wide ? 2 : 1;
  }

  /* The text, or as much of it as fits and an ellipsis. */
  function fit(text, columns) {
    if (text.length * 2 <= columns)
      return text;
    let used = 0;
    let end = 0;
    let endWithEllipsis = 0;
    for (const character of text) {
      used += columnsOf(character);
      if (used > columns)
        return text.slice(0, endWithEllipsis) + ELLIPSIS;
      end += character.length;
      if (used < columns)
        endWithEllipsis = end;
    }
    return text;
  }

  /* Split into lines of at most `columns` characters, at most `limit` lines. */
  function wrap(text, columns, limit) {
    const lines = [];
    const characters = Array.from(text);
    for (let i = 0; i < characters.length && lines.length < limit; i += columns)
      lines.push(characters.slice(i, i + columns).join(""));
    if (characters.length > columns * limit)
      lines[limit - 1] = lines[limit - 1].slice(0, -1) + ELLIPSIS;
    return lines;
  }

  /* ---- the frames, read back from the drawing ---- */

  function readFrame(g, index) {
    const f = g.dataset.f.split(" ");
    const title = g.querySelector("title");
    const lines = title.textContent.split("\n");
    title.remove(); /* ours replaces the browser's slow tooltip */
    return {
      g, index,
      rect: g.querySelector("rect"),
      text: g.querySelector("text"),
      depth: Number(f[0]),
      start: Number(f[1]),
      weight: Number(f[2]),
      weightDigits: f[2],
      samplesDigits: f[3],
      name: lines[0],
      module: wide || lines.length > 2 ? lines[1] : "",
      mark: g.dataset.m || "",
      facts: wide ? lines.slice(2) : null,
      narrow: g.classList.contains("n"),
      parent: null,
      end: 0, /* index behind the last frame of its subtree */
      hidden: false, dim: false, hit: false,
    };
  }

  /* Depth-first order and depth give the tree back. */
  function linkFrames(list) {
    const open = [];
    for (const f of list) {
      while (open.length > 0 && open[open.length - 1].depth >= f.depth)
        open.pop().end = f.index;
      f.parent = open.length > 0 ? open[open.length - 1] : null;
      open.push(f);
    }
    for (const f of open)
      f.end = list.length;
  }

  /* The copy first: a live list is counted anew after every title that readFrame removes. */
  const frames = Array.from(box.children).map(readFrame);
  const frameOf = new Map(frames.map((f) => [f.g, f]));
  linkFrames(frames);
  const root = frames.length > 0 ? frames[0] : null;

  let width = Number(svg.getAttribute("width"));
  let zoomed = root;
  let focused = root;
  let searchText = "";

  function within(f, ancestor) {
    return f.index >= ancestor.index && f.index < ancestor.end;
  }

  /* ---- drawing ---- */

  function show(f, shown) {
    if (f.hidden === !shown)
      return;
    f.hidden = !shown;
    if (shown)
      f.g.removeAttribute("display");
    else
      f.g.setAttribute("display", "none");
  }

  function setDim(f, dim) {
    if (f.dim === dim)
      return;
    f.dim = dim;
    f.g.classList.toggle("dim", dim);
  }

  /* The mark, or its sign alone, or nothing: what leaves room for the name. */
  function fittingMark(f, columns) {
    if (f.mark === "" || f.mark.length + MARKED_COLUMNS <= columns)
      return f.mark;
    return columns < 4 ? "" : f.mark[0] + " ";
  }

  function placeText(f, x, w) {
    if (w < TEXT_MIN || f.narrow) {
      if (f.text) {
        f.text.remove();
        f.text = null;
      }
      return;
    }
    if (!f.text)
      f.text = make(f.g, "text", {y: Number(f.rect.getAttribute("y")) + 12});
    f.text.setAttribute("x", (x + PAD).toFixed(2));
    const columns = Math.floor((w - 2 * PAD) / charWidth);
    const shown = fit(fittingMark(f, columns) + f.name, columns);
    if (f.text.textContent !== shown)
      f.text.textContent = shown;
  }

  function place(f, x, w) {
    const drawn = w > 1.5 ? w - 0.5 : w;
    f.rect.setAttribute("x", x.toFixed(2));
    f.rect.setAttribute("width", drawn.toFixed(2));
    placeText(f, x, drawn);
  }

  /* Frames of the zoomed subtree share the width; its ancestors stay below it, dimmed and full. */
  function layout() {
    const inner = width - 2 * margin;
    for (const f of frames) {
      if (within(f, zoomed)) {
        show(f, true);
        setDim(f, false);
        place(f, margin + (f.start - zoomed.start) / zoomed.weight * inner,
          f.weight / zoomed.weight * inner);
      } else if (within(zoomed, f)) {
        show(f, true);
        setDim(f, true);
        place(f, margin, inner);
      } else {
        show(f, false);
      }
    }
  }

  /* ---- tooltip ---- */

  const tip = make(svg, "g", {class: "tip", display: "none"});
  const tipBox = make(tip, "rect", {rx: 3});

  function tipLines(f) {
    const columns = Math.max(20, Math.min(100, Math.floor((width - 40) / charWidth)));
    const lines = wrap(f.name, columns, 8).map((text) => ({text, name: true}));
    const add = (text) => lines.push({text, name: false});
    if (f.module)
      wrap("in " + f.module, columns, 2).forEach(add);
    if (f.facts) {
      f.facts.forEach((fact) => wrap(fact, columns, 2).forEach(add));
      return lines;
    }
    add(amount(f.weightDigits));
    if (f.samplesDigits !== undefined)
      add(grouped(f.samplesDigits) + " samples");
    add(percent(f.weight, total) + " of total");
    if (zoomed !== root && within(f, zoomed))
      add(percent(f.weight, zoomed.weight) + " of the zoomed " + fit(zoomed.name, 40));
    return lines;
  }

  function placeTip(x, y) {
    const size = tipBox.getBBox();
    const left = Math.max(2, Math.min(x + 12, width - size.width - 4));
    const below = y + 18;
    const top = below + size.height > height ? y - size.height - 10 : below;
    tip.setAttribute("transform", "translate(" + left.toFixed(1) + " " +
      Math.max(2, top).toFixed(1) + ")");
  }

  function showTip(f, x, y) {
    while (tip.lastChild !== tipBox)
      tip.lastChild.remove();
    const lines = tipLines(f);
    lines.forEach((line, i) =>
      make(tip, "text", {class: line.name ? "name" : "fact", x: 8, y: 18 + 15 * i}, line.text));
    const longest = Math.max(...lines.map((line) =>
      Array.from(line.text).reduce((sum, c) => sum + columnsOf(c), 0)));
    tipBox.setAttribute("width", (longest * charWidth + 18).toFixed(1));
    tipBox.setAttribute("height", 15 * lines.length + 11);
    tip.removeAttribute("display");
    placeTip(x, y);
    details.textContent = fit(f.name, Math.max(20, Math.floor((width - 420) / charWidth))) +
      "  " + (f.facts ? f.facts.slice(0, 2).join(", ")
        : amount(f.weightDigits) + ", " + percent(f.weight, total));
  }

  function hideTip() {
    tip.setAttribute("display", "none");
    details.textContent = detailsAtRest;
  }

  function pointOf(event) {
    const area = svg.getBoundingClientRect();
    return {x: event.clientX - area.left, y: event.clientY - area.top};
  }

  function frameAt(event) {
    const g = event.target.closest ? event.target.closest(".frames > g") : null;
    return g && svg.contains(g) ? frameOf.get(g) : undefined;
  }

  /* ---- controls ---- */

  const holder = make(svg, "foreignObject",
    {x: margin, y: svg.dataset.toolbar, width: width - 2 * margin, height: 28});
  svg.insertBefore(holder, box); /* the Tab key meets the controls first */
  const bar = makeHtml(holder, "div", {class: "bar", role: "toolbar", "aria-label": "Flame graph"});
  const input = makeHtml(bar, "input", {
    type: "search", class: "search", placeholder: "Search: text or /regex/", spellcheck: "false",
    autocomplete: "off", "aria-label": "Search frames by text, or by /regular expression/",
  });
  const clear = makeHtml(bar, "button", {type: "button", class: "clear"}, "Clear");
  const reset = makeHtml(bar, "button", {type: "button", class: "reset"}, "Reset zoom");
  const help = makeHtml(bar, "button",
    {type: "button", class: "ask", "aria-label": "Help: keys and colours"}, "?");
  const status = makeHtml(bar, "span", {class: "status", role: "status", "aria-live": "polite"});
  const off = svg.querySelector("text.off");
  if (off)
    off.remove();

  const HELP = [
    "Flame graph", "",
    "Wider is more of " + (wide || "what was measured") + ". Left to right is alphabetical, not time.",
    inverted ? "A frame is called by the frames below it." : "A frame calls the frames above it.", "",
    "Click, Enter      zoom to a frame; a dimmed parent zooms back out",
    "Escape            reset the zoom, then the search",
    "Tab               into the graph, arrows from frame to frame",
    "/ or Ctrl-F       search: text, or /regular expression/ (add i: any case)",
    "n, N              next, previous match",
    "?                 this help; any key closes it",
  ];
  const helpPanel = make(svg, "g", {class: "help", role: "dialog", "aria-label": "Help",
    display: "none"});
  make(helpPanel, "rect", {rx: 4, width: 530, height: 15 * HELP.length + 16});
  HELP.forEach((line, i) =>
    make(helpPanel, "text", {class: i === 0 ? "name" : "fact", x: 12, y: 20 + 15 * i}, line));

  function helpShown() {
    return !helpPanel.hasAttribute("display");
  }

  function toggleHelp(shown) {
    if (shown) {
      const left = Math.max(2, (width - 540) / 2);
      helpPanel.setAttribute("transform", "translate(" + left + " " +
        (Number(svg.dataset.toolbar) + 32) + ")");
      helpPanel.removeAttribute("display");
    } else {
      helpPanel.setAttribute("display", "none");
    }
  }

  /* ---- search ---- */

  /* Text is looked for as it is, in any case; /x/ is a regular expression. */
  function matcher(text) {
    const parts = /^\/(.+)\/(i?)$/.exec(text);
    if (!parts) {
      const wanted = text.toLowerCase();
      return (name) => name.toLowerCase().includes(wanted);
    }
    const expression = new RegExp(parts[1], parts[2]);
    return (name) => expression.test(name);
  }

  function markHits(matches) {
    const known = new Map(); /* many frames share a name */
    for (const f of frames) {
      let hit = false;
      if (matches && !f.narrow) {
        if (!known.has(f.name))
          known.set(f.name, matches(f.name));
        hit = known.get(f.name);
      }
      if (hit !== f.hit) {
        f.hit = hit;
        f.g.classList.toggle("hit", hit);
      }
    }
  }

  /* Weight under matching frames below `top`; a match inside a match counts once. */
  function matchedWeight(top) {
    let weight = 0;
    for (let i = top.index; i < top.end;) {
      if (frames[i].hit) {
        weight += frames[i].weight;
        i = frames[i].end;
      } else {
        i++;
      }
    }
    return weight;
  }

  function say(text, bad) {
    status.textContent = text;
    status.classList.toggle("bad", Boolean(bad));
  }

  function report() {
    if (!searchText || !root) {
      say("");
      return;
    }
    let text = "Matched: " + percent(matchedWeight(root), total);
    if (zoomed !== root)
      text += " of total, " + percent(matchedWeight(zoomed), zoomed.weight) + " of the zoomed";
    if (culled > 0)
      text += " (+ at most " + percent(culled, total) + " not drawn)";
    say(text);
  }

  function search(text) {
    let matches = null;
    try {
      matches = text ? matcher(text) : null;
    } catch (error) {
      searchText = "";
      markHits(null);
      box.classList.remove("searching");
      say("Not a regular expression: " + text, true);
      update();
      return;
    }
    searchText = text;
    markHits(matches);
    box.classList.toggle("searching", Boolean(matches));
    report();
    update();
  }

  function clearSearch() {
    input.value = "";
    search("");
  }

  /* ---- zoom and focus ---- */

  function update() {
    reset.disabled = zoomed === root;
    clear.disabled = input.value === "";
  }

  function zoom(f) {
    if (!f || f.narrow)
      return;
    zoomed = f;
    hideTip();
    layout();
    if (focused.hidden)
      setFocused(f);
    report();
    update();
  }

  /* One stop for the Tab key: the frame that has the focus, or had it last. */
  function setFocused(f) {
    focused.g.removeAttribute("tabindex");
    focused = f;
    f.g.setAttribute("tabindex", "0");
  }

  function focus(f) {
    if (!f || f.hidden)
      return;
    setFocused(f);
    f.g.focus();
  }

  function widestChild(f) {
    let widest = null;
    for (let i = f.index + 1; i < f.end; i = frames[i].end)
      if (!frames[i].narrow && !frames[i].hidden && (!widest || frames[i].weight > widest.weight))
        widest = frames[i];
    return widest;
  }

  /* The nearest shown frame before or behind `f` that `wanted` accepts. */
  function nearest(f, step, wanted) {
    for (let i = f.index + step; i >= 0 && i < frames.length; i += step)
      if (!frames[i].hidden && wanted(frames[i]))
        return frames[i];
    return null;
  }

  function moveFocus(key) {
    const beside = (other) => other.depth === focused.depth && !other.narrow;
    const hit = (other) => other.hit;
    switch (key) {
    case "ArrowUp":
      return focus(inverted ? focused.parent : widestChild(focused));
    case "ArrowDown":
      return focus(inverted ? widestChild(focused) : focused.parent);
    case "ArrowLeft":
      return focus(nearest(focused, -1, beside));
    case "ArrowRight":
      return focus(nearest(focused, 1, beside));
    case "Home":
      return focus(zoomed);
    case "n":
      return focus(nearest(focused, 1, hit));
    case "N":
      return focus(nearest(focused, -1, hit));
    }
    return undefined;
  }

  /* Is the keyboard in this element? Nobody may have it: then activeElement is null in an SVG. */
  function holdsFocus(element) {
    return element.contains(document.activeElement);
  }

  function escape() {
    if (holdsFocus(input) && input.value !== "")
      clearSearch();
    else if (zoomed !== root)
      zoom(root);
    else
      clearSearch();
  }

  const MOVES = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "n", "N"];

  function keyInInput(event) {
    if (event.key === "Enter") {
      const first = frames.find((f) => f.hit && !f.hidden);
      focus(first);
    } else if (event.key === "Escape") {
      escape();
    } else {
      return;
    }
    event.preventDefault();
  }

  function keyElsewhere(event) {
    const onFrame = holdsFocus(box);
    if (event.key === "Escape")
      escape();
    else if (event.key === "/")
      input.focus();
    else if (event.key === "?")
      toggleHelp(true);
    else if (onFrame && (event.key === "Enter" || event.key === " "))
      zoom(focused);
    else if (MOVES.includes(event.key) && root && (onFrame || (alone && !holdsFocus(bar))))
      moveFocus(event.key);
    else
      return;
    event.preventDefault();
  }

  function onKey(event) {
    if (event.defaultPrevented || event.altKey)
      return;
    if (helpShown()) {
      toggleHelp(false);
      if (event.key === "?" || event.key === "Escape") {
        event.preventDefault();
        return;
      }
    }
    if (event.ctrlKey || event.metaKey) {
      /* The second time the browser's own search opens. */
      if (event.key.toLowerCase() === "f" && !holdsFocus(input)) {
        input.focus();
        input.select();
        event.preventDefault();
      }
      return;
    }
    if (holdsFocus(input))
      keyInInput(event);
    else
      keyElsewhere(event);
  }

  /* ---- the window ---- */

  function available() {
    if (alone)
      return document.documentElement.clientWidth || window.innerWidth;
    const style = window.getComputedStyle(svg.parentElement);
    return svg.parentElement.clientWidth - parseFloat(style.paddingLeft) -
      parseFloat(style.paddingRight);
  }

  /* Use the room there is. A page that hides us gives none: keep what was drawn. */
  function resize() {
    const room = Math.floor(available());
    if (!(room >= 200) || room === width)
      return;
    width = room;
    svg.setAttribute("width", width);
    svg.setAttribute("viewBox", "0 0 " + width + " " + height);
    holder.setAttribute("width", width - 2 * margin);
    hideTip();
    if (root)
      layout();
  }

  let pending = false;
  function resizeSoon() {
    if (pending)
      return;
    pending = true;
    window.requestAnimationFrame(() => {
      pending = false;
      resize();
    });
  }

  /* ---- wiring ---- */

  box.setAttribute("role", "tree");
  box.setAttribute("aria-label", "Call tree");
  for (const f of frames) {
    f.g.setAttribute("role", "treeitem");
    f.g.setAttribute("aria-level", f.depth + 1);
    f.g.setAttribute("aria-label", f.name + (f.module ? " in " + f.module : "") + ", " +
      (f.facts ? f.facts.join(", ")
        : amount(f.weightDigits) + ", " + percent(f.weight, total) + " of total"));
  }
  if (root)
    setFocused(root);

  box.addEventListener("click", (event) => {
    const f = frameAt(event);
    if (f && !f.narrow) {
      setFocused(f);
      zoom(f);
    }
  });
  box.addEventListener("pointermove", (event) => {
    const f = frameAt(event);
    const at = pointOf(event);
    if (f)
      showTip(f, at.x, at.y);
  });
  box.addEventListener("pointerleave", hideTip);
  box.addEventListener("focusin", (event) => {
    const f = frameAt(event);
    if (f && f.g.matches(":focus-visible"))
      showTip(f, Number(f.rect.getAttribute("x")), Number(f.rect.getAttribute("y")) + row);
  });
  box.addEventListener("focusout", hideTip);
  input.addEventListener("input", () => search(input.value));
  clear.addEventListener("click", clearSearch);
  reset.addEventListener("click", () => zoom(root));
  help.addEventListener("click", () => toggleHelp(!helpShown()));
  (alone ? document : svg).addEventListener("keydown", onKey);
  window.addEventListener("resize", resizeSoon);
  if (!alone && window.ResizeObserver)
    new ResizeObserver(resizeSoon).observe(svg.parentElement);
  svg.appendChild(tip); /* above everything, whatever was made after it */
  update();
  resize();
})();
