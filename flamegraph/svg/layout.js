/* SPDX-License-Identifier: MIT */
/* Where frames stand: the zoomed subtree has the whole width, its ancestors stay below it.
 * A part of the function that frames.js opens. */
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
