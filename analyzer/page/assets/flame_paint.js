/* SPDX-License-Identifier: MIT */
/* Colours of frames, and boxes on a canvas. The hues are those of the SVG (flamegraph/svg/style.css),
 * after Okabe and Ito; text is black or white, whichever is easier to read on its frame. */
(() => {
  "use strict";
  const ROW = 18, CHAR = 6.65, PAD = 4, TEXT_MIN = 28;
  const FONT = "11px ui-monospace, \"DejaVu Sans Mono\", Menlo, Consolas, monospace";

  const KINDS = {
    light: [["#d5d5d5"], ["#c3c7cc", "#ced2d7"],
      ["#f2a93b", "#f5b24f", "#eda02a", "#f7bc66", "#f0ad55", "#f8c57a"],
      ["#f3e96b", "#efe35a", "#f4ec7d", "#ebdf62", "#f7f090", "#eee572"],
      ["#6fbdea", "#7cc3ec", "#62b5e5", "#8acaef", "#78b9e0", "#97d0f1"],
      ["#d99abb", "#dda5c3", "#d48fb3", "#e1b0ca", "#d89fc0", "#e5bbd2"]],
    dark: [["#454a52"], ["#555c66", "#4d545d"],
      ["#925a08", "#9c630f", "#885305", "#a36b1a", "#8f5d16", "#7c4f0d"],
      ["#6b6714", "#757019", "#625e0f", "#6f6b22", "#5a5712", "#7b761f"],
      ["#1f6795", "#27709e", "#1a5e8a", "#2e78a7", "#245f85", "#19557c"],
      ["#8c4a6c", "#965275", "#824263", "#9e5b7e", "#885070", "#783d5b"]],
  };
  const CHANGE = {
    light: { more: ["#fde0d2", "#fbbf9f", "#f5946c", "#e4653f", "#c23b1e"],
      less: ["#d7e8f7", "#aacff0", "#72aee3", "#3f86cc", "#1f5fa8"] },
    dark: { more: ["#5a3326", "#7d3a22", "#a3431f", "#c8532a", "#f08a5d"],
      less: ["#22384f", "#245079", "#2a69a3", "#3d86c9", "#7ab8ee"] },
  };
  const PLAIN = {
    light: { faded: "#ececec", fadedInk: "#595959", hit: "#8a0f5c", focus: "#003fbf", line: "#1a1a1a",
      narrow: "#dedede", paper: "#ffffff" },
    dark: { faded: "#2a2e35", fadedInk: "#a9afb8", hit: "#ff7ac8", focus: "#9cc4ff", line: "#f0f0f0",
      narrow: "#3a3f47", paper: "#16181c" },
  };

  const theme = () => slw.dark() ? "dark" : "light";

  function channel(hex, at) {
    const c = parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4);
  }
  const luminance = (hex) => 0.2126 * channel(hex, 1) + 0.7152 * channel(hex, 3) + 0.0722 * channel(hex, 5);
  const contrast = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)];
    return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
  };

  const inks = new Map();
  function ink(fill) {
    if (!inks.has(fill))
      inks.set(fill, contrast(fill, "#000000") >= contrast(fill, "#ffffff") ? "#000000" : "#ffffff");
    return inks.get(fill);
  }

  /* A function keeps its shade in every graph. */
  function shade(name, count) {
    let hash = 2166136261;
    for (let i = 0; i < name.length; i++)
      hash = Math.imul(hash ^ name.charCodeAt(i), 16777619);
    return (hash >>> 8) % count;
  }
  const shades = new Map();
  function kindColor(tree, node) {
    const frame = tree.frame[node];
    const list = KINDS[theme()][tree.frames.kind[frame]] || KINDS[theme()][0];
    if (!shades.has(frame))
      shades.set(frame, shade(tree.frames.names[frame], 60));
    return list[shades.get(frame) % list.length];
  }

  /* strength 0..1; what is judged to be noise is grey. */
  function changeColor(delta, strength) {
    const list = CHANGE[theme()][delta > 0 ? "more" : "less"];
    return list[Math.min(4, Math.floor(strength * 5))];
  }

  function fit(text, width) {
    const columns = Math.floor((width - 2 * PAD) / CHAR);
    if (text.length <= columns)
      return text;
    return columns < 2 ? "" : text.slice(0, columns - 1) + "\u2026";
  }

  /* New code leans one way, gone code the other: no colour is needed to see it. */
  function hatch(context, x, y, w, way) {
    context.save();
    context.beginPath();
    context.rect(x, y, w, ROW - 1);
    context.clip();
    context.beginPath();
    for (let at = x - ROW; at < x + w + ROW; at += 7) {
      context.moveTo(at, y + (way > 0 ? ROW : 0));
      context.lineTo(at + ROW, y + (way > 0 ? 0 : ROW));
    }
    context.lineWidth = 1;
    context.globalAlpha = 0.35;
    context.strokeStyle = PLAIN[theme()].line;
    context.stroke();
    context.restore();
  }

  /* look: {fill, ink, label, dim, hatch, focused} */
  function paintBox(context, box, y, look) {
    const w = box.w > 2 ? box.w - 0.6 : box.w;
    context.globalAlpha = look.dim ? 0.45 : 1;
    context.fillStyle = look.fill;
    context.fillRect(box.x, y, w, ROW - 1);
    context.globalAlpha = 1;
    if (look.hatch && w > 4)
      hatch(context, box.x, y, w, look.hatch);
    if (w >= TEXT_MIN && look.label) {
      const text = fit(look.label, w);
      if (look.hatch) { /* letters want a quiet ground */
        context.fillStyle = look.fill;
        context.fillRect(box.x + PAD - 1, y + 2, Math.min(w - 2, text.length * CHAR + 2), ROW - 5);
      }
      context.fillStyle = look.dim ? slw.dark() ? "#e8e8e8" : "#1a1a1a" : look.ink || ink(look.fill);
      context.fillText(text, box.x + PAD, y + 12.5);
    }
    if (look.focused) {
      context.strokeStyle = PLAIN[theme()].focus;
      context.lineWidth = 2;
      context.strokeRect(box.x + 1, y + 1, Math.max(2, w - 2), ROW - 3);
    }
  }

  /* Ready to draw in CSS pixels, sharp on any screen. */
  function begin(canvas, width, height) {
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    canvas.width = Math.max(1, Math.round(width * ratio));
    canvas.height = Math.max(1, Math.round(height * ratio));
    canvas.style.setProperty("width", width + "px");
    canvas.style.setProperty("height", height + "px");
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = FONT;
    return context;
  }

  slw.paint = { ROW, begin, paintBox, kindColor, changeColor, ink, contrast, plain: () => PLAIN[theme()],
    kinds: KINDS, change: CHANGE, plains: PLAIN };
})();
