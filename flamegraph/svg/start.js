/* SPDX-License-Identifier: MIT */
/* The width there is, what screen readers are told, and who listens to what. The end of the
 * function that frames.js opens. */
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
