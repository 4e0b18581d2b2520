/* SPDX-License-Identifier: MIT */
/* Where the frames of a flame graph are: only those wide enough to be seen are placed, so that the
 * number of samples does not matter. And which of them a search finds. Draws nothing. */
(() => {
  "use strict";
  const MIN = 0.7; /* px: what is narrower is drawn as one grey box with its neighbours */

  /* sizes[node]: with callees. Returns rows of boxes {node, x, w}, node -1: several narrow ones.
   * perPixel: size of a pixel; ancestors of the zoomed frame take all of the width. */
  slw.layout = (tree, sizes, zoomed, width, perPixel) => {
    const rows = [];
    const put = (depth, box) => (rows[depth] || (rows[depth] = [])).push(box);
    const above = [];
    for (let n = zoomed; n > 0; n = tree.parent[n])
      above.push(tree.parent[n]);
    for (const n of above)
      put(tree.depth[n], { node: n, x: 0, w: width, above: true });
    const first = Math.min(width, sizes[zoomed] / perPixel);
    if (!(first > 0))
      return rows;
    put(tree.depth[zoomed], { node: zoomed, x: 0, w: first });
    const waiting = [[zoomed, 0]];
    while (waiting.length > 0)
      placeCallees(tree, sizes, perPixel, waiting.pop(), put, waiting);
    /* Callees of one caller come in order; those of several do not. */
    rows.forEach((row) => row.sort((a, b) => a.x - b.x));
    return rows;
  };

  function placeCallees(tree, sizes, perPixel, [caller, from], put, waiting) {
    const depth = tree.depth[caller] + 1;
    let x = from, narrow = null;
    for (let n = caller + 1; n < tree.end[caller]; n = tree.end[n]) {
      const w = sizes[n] / perPixel;
      if (w >= MIN) {
        put(depth, { node: n, x, w });
        waiting.push([n, x]);
        narrow = null;
      } else if (w > 0) {
        if (!narrow)
          narrow = { node: -1, x, w: 0, caller };
        narrow.w = x + w - narrow.x;
        if (narrow.w >= MIN && !narrow.placed) {
          narrow.placed = true;
          put(depth, narrow);
        }
      }
      x += w;
    }
  }

  /* The box of a row at x, or null. */
  slw.boxAt = (row, x) => {
    let low = 0, high = row ? row.length - 1 : -1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const box = row[middle];
      if (x < box.x)
        high = middle - 1;
      else if (x >= box.x + box.w)
        low = middle + 1;
      else
        return box;
    }
    return null;
  };

  /* ---- search ---- */

  /* Text is looked for as it is, in any case; /x/ is a regular expression. Throws SyntaxError. */
  slw.matcher = (text) => {
    const parts = /^\/(.+)\/(i?)$/.exec(text);
    if (!parts) {
      const wanted = text.toLowerCase();
      return (name) => name.toLowerCase().includes(wanted);
    }
    const expression = new RegExp(parts[1], parts[2]);
    return (name) => expression.test(name);
  };

  /* hits[frame]: 1 where its name matches; null: nothing is looked for. */
  slw.hitsOf = (tree, matches) => {
    if (!matches)
      return null;
    const hits = new Uint8Array(tree.frames.count);
    for (let i = 0; i < hits.length; i++)
      hits[i] = matches(tree.frames.names[i]) ? 1 : 0;
    return hits;
  };

  /* Size under matching frames below `top`; a match inside a match counts once. */
  slw.matched = (tree, sizes, hits, top) => {
    let sum = 0;
    for (let n = top; n < tree.end[top];) {
      if (hits[tree.frame[n]]) {
        sum += sizes[n];
        n = tree.end[n];
      } else {
        n++;
      }
    }
    return sum;
  };

  /* The next node that matches and has a size, from `from` on (step 1 or -1), around the end. */
  slw.nextHit = (tree, sizes, hits, from, step) => {
    for (let i = 1; i <= tree.count; i++) {
      const n = ((from + step * i) % tree.count + tree.count) % tree.count;
      if (hits[tree.frame[n]] && sizes[n] > 0)
        return n;
    }
    return -1;
  };
})();
