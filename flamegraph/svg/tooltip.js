/* SPDX-License-Identifier: MIT */
/* What a frame is, beside the pointer and in the line of details. A part of the function that
 * frames.js opens. */
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
