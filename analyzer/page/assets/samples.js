/* SPDX-License-Identifier: MIT */
/* The samples of the page, decoded: one call tree for all sides, in the order it is drawn in, and
 * the moments of each side in the order of time. The bytes are those of analyzer/page/samples.c. */
(() => {
  "use strict";

  function bytesOf(text) {
    if (Uint8Array.fromBase64)
      return Uint8Array.fromBase64(text);
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < bytes.length; i++)
      bytes[i] = binary.charCodeAt(i);
    return bytes;
  }

  /* A reader of LEB128 numbers; exact to 2^53, which is a hundred days of nanoseconds. */
  function reader(text) {
    const bytes = bytesOf(text);
    let at = 0;
    return () => {
      let byte = bytes[at++];
      if (byte < 0x80)
        return byte;
      let value = byte & 0x7f;
      for (let factor = 128; byte >= 0x80; factor *= 128) {
        byte = bytes[at++];
        value += (byte & 0x7f) * factor;
      }
      return value;
    };
  }

  function readFrames(coded) {
    const next = reader(coded.of);
    const count = coded.names.length;
    const module = new Uint32Array(count);
    const kind = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      const both = next();
      module[i] = both >>> 3;
      kind[i] = both & 7;
    }
    return { count, names: coded.names.map(slw.clean), modules: coded.modules.map(slw.clean), module, kind };
  }

  function readTree(coded, sideCount) {
    const count = coded.count;
    const tree = {
      count,
      frames: readFrames(coded.frames),
      frame: new Uint32Array(count),
      parent: new Uint32Array(count),
      depth: new Uint16Array(count),
      end: new Uint32Array(count), /* behind the last node of the subtree */
      self: [], samples: [], total: [],
      deepest: 0,
    };
    for (let s = 0; s < sideCount; s++) {
      tree.self.push(new Float64Array(count));
      tree.samples.push(new Float64Array(count));
      tree.self[s][0] = Number(coded.root[2 * s]) * coded.units[s];
      tree.samples[s][0] = Number(coded.root[2 * s + 1]);
    }
    readNodes(tree, reader(coded.tree), coded.units);
    for (let s = 0; s < sideCount; s++)
      tree.total.push(summed(tree, tree.self[s]));
    return tree;
  }

  function readNodes(tree, next, units) {
    const open = new Uint32Array(tree.count + 1); /* open[depth]: the node whose subtree is read */
    let depth = 0;
    for (let i = 1; i < tree.count; i++) {
      const level = depth + 1 - next();
      for (let d = depth; d >= level; d--)
        tree.end[open[d]] = i;
      open[level] = i;
      tree.parent[i] = open[level - 1];
      tree.depth[i] = depth = level;
      tree.deepest = Math.max(tree.deepest, level);
      tree.frame[i] = next();
      for (let s = 0; s < units.length; s++) {
        tree.self[s][i] = next() * units[s];
        tree.samples[s][i] = next();
      }
    }
    for (let d = depth; d >= 0; d--)
      tree.end[open[d]] = tree.count;
  }

  /* Own weights to weights with everything that was called. */
  function summed(tree, self) {
    const total = Float64Array.from(self);
    for (let i = tree.count - 1; i > 0; i--)
      total[tree.parent[i]] += total[i];
    return total;
  }

  /* Moments as columns; start[i]: where the time of round i begins in buckets from the first. */
  function readMoments(coded) {
    const next = reader(coded.data);
    const count = coded.count;
    const m = { count, bucket_ns: coded.bucket_ns, round: new Uint32Array(count),
      bucket: new Uint32Array(count), node: new Uint32Array(count), weight: new Float64Array(count) };
    let round = 0, bucket = 0, node = 0;
    for (let i = 0; i < count; i++) {
      const rounds = next();
      round += rounds;
      bucket = (rounds ? 0 : bucket) + next();
      const step = next();
      node += step % 2 ? -(step + 1) / 2 : step / 2;
      m.round[i] = round;
      m.bucket[i] = bucket;
      m.node[i] = node;
      m.weight[i] = next() * coded.unit;
    }
    return m;
  }

  let tree = null;
  slw.tree = () => {
    if (!tree)
      tree = readTree(slw.page.samples, slw.sides.length);
    return tree;
  };
  slw.summed = summed;

  const moments = [];
  slw.moments = (side) => {
    const coded = slw.sides[side].moments;
    if (!moments[side] && !coded.absent)
      moments[side] = readMoments(coded);
    return moments[side] || null;
  };

  slw.nameOf = (node) => slw.tree().frames.names[slw.tree().frame[node]];
  slw.moduleOf = (node) => {
    const t = slw.tree();
    return t.frames.modules[t.frames.module[t.frame[node]]];
  };
  slw.hasSamples = (side) => Boolean(slw.sides[side]) && !slw.sides[side].absent && slw.tree().total[side][0] > 0;
})();
