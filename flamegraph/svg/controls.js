/* SPDX-License-Identifier: MIT */
/* The bar of controls, and the help. A part of the function that frames.js opens. */
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
