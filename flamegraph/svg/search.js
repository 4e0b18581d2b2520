/* SPDX-License-Identifier: MIT */
/* Frames by text or regular expression, and what they weigh together. A part of the function
 * that frames.js opens. */
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
