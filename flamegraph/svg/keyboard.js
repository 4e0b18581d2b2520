/* SPDX-License-Identifier: MIT */
/* Zoom, the frame that has the focus, and the keys. A part of the function that frames.js
 * opens. */
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
