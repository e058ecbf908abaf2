"use strict";
// Draws the timeline on one canvas of the window's size, from typed arrays. All text from the record is set as
// text, never as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const steps = data.steps, actions = data.actions, TICKS = 10000;
  const count = steps.action.length, whole = Math.max(data.seconds * TICKS, 1);
  const $ = (id) => document.getElementById(id);
  const scroller = $("scroller"), canvas = $("canvas"), spacer = $("spacer"), panel = $("details");
  const pen = canvas.getContext("2d");
  const GUTTER = 76, SLOT_H = 18, THIN_H = 4, GAP = 8;

  // --- names ---
  const modules = data.modules;
  const packageOf = (n) => actions.name[n][0] === "=" ? actions.name[n].slice(1)
    : modules[actions.module[n]] + actions.name[n];
  const nameOf = (n) => data.kinds[actions.kind[n]] + " " + packageOf(n);
  const needs = actions.needs.map((each, n) => each.map((back) => n - back));
  const wanted = needs.map(() => []);
  needs.forEach((each, n) => each.forEach((other) => wanted[other] && wanted[other].push(n)));
  const stepOf = new Int32Array(needs.length).fill(-1);
  for (let s = 0; s < count; s++) stepOf[steps.action[s]] = s;

  // --- lanes: of each node its slots, then what is staged, then what is published ---
  const lanes = [], firstLane = [];
  let total = 0;
  const most = (column, node) => {
    let found = -1;
    for (let s = 0; s < count; s++) if (steps.node[s] === node) found = Math.max(found, column[s]);
    return found + 1;
  };
  const slotHeight = data.nodes.reduce((sum, node) => sum + node[1], 0) > 64 ? 6 : SLOT_H;
  data.nodes.forEach(([name, slots], node) => {
    const kinds = [["slot", Math.max(slots, most(steps.slot, node)), slotHeight],
      ["staging", most(steps.staging_lane, node), THIN_H], ["publishing", most(steps.publishing_lane, node), THIN_H]];
    firstLane.push({});
    for (const [kind, number, height] of kinds) {
      firstLane[node][kind] = lanes.length;
      for (let at = 0; at < number; at++) {
        lanes.push({ kind, node, y: total, height, label: kind === "slot" && at === 0 ? name : "", ids: [] });
        total += height;
      }
    }
    total += GAP;
  });
  const put = (kind, s, lane, from, to) => {
    if (lane < 0 || from < 0 || to < from) return;
    lanes[firstLane[steps.node[s]][kind] + lane].ids.push([from, to, s]);
  };
  for (let s = 0; s < count; s++) {
    put("slot", s, steps.slot[s], steps.started[s], steps.slot_end[s]);
    put("staging", s, steps.staging_lane[s], steps.given[s], steps.staged[s]);
    put("publishing", s, steps.publishing_lane[s], steps.slot_end[s], steps.ended[s]);
  }
  for (const lane of lanes) {
    lane.ids.sort((a, b) => a[0] - b[0]);
    lane.from = Float64Array.from(lane.ids, (each) => each[0]);
    lane.to = Float64Array.from(lane.ids, (each) => each[1]);
    lane.step = Int32Array.from(lane.ids, (each) => each[2]);
    delete lane.ids;
  }

  // --- colours and patterns: no meaning by colour alone ---
  let fills = [], ink = "#000", paper = "#fff", faint = "#ddd", byModule = false;
  const SHAPES = [[], [[0, 8, 8, 0]], [[0, 4, 8, 4]], [[0, 0, 8, 8], [0, 8, 8, 0]], [[4, 0, 4, 8]]];
  const pattern = (colour, shape, line) => {
    if (!shape.length) return colour;
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const brush = tile.getContext("2d");
    brush.fillStyle = colour;
    brush.fillRect(0, 0, 8, 8);
    brush.strokeStyle = line;
    for (const [x0, y0, x1, y1] of shape) { brush.beginPath(); brush.moveTo(x0, y0); brush.lineTo(x1, y1); brush.stroke(); }
    return pen.createPattern(tile, "repeat");
  };
  const readColours = () => {
    const style = getComputedStyle(document.documentElement);
    const value = (name) => style.getPropertyValue(name).trim();
    ink = value("--ink"); paper = value("--paper"); faint = value("--faint");
    const colours = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => value("--c" + n));
    fills = byModule
      ? modules.map((_, n) => pattern(colours[n % 8], SHAPES[Math.floor(n / 8) % SHAPES.length], paper))
      : data.outcomes.map((_, n) => pattern(colours[n], SHAPES[n], paper));
    const keys = $("keys");
    keys.replaceChildren(...(byModule ? modules : data.outcomes).slice(0, 12).map((name, n) => {
      const key = document.createElement("span"), chip = document.createElement("canvas");
      chip.width = chip.height = 12;
      const brush = chip.getContext("2d");
      brush.fillStyle = fills[n];
      brush.fillRect(0, 0, 12, 12);
      key.className = "key";
      key.append(chip, " " + (name || "other"));
      return key;
    }));
  };
  const fillOf = (s) => fills[byModule ? actions.module[steps.action[s]] : steps.outcome[s]];

  // --- the view ---
  let left = 0, right = whole, width = 0, height = 0, asked = false;
  let selected = -1;
  const marks = new Uint8Array(count);            // 1 chosen, 2 it waited for this, 3 this waited for it, 4 found, 5 chain
  const xOf = (tick) => GUTTER + (tick - left) / (right - left) * (width - GUTTER);
  const tickOf = (x) => left + (x - GUTTER) / (width - GUTTER) * (right - left);
  const ask = () => { if (!asked) { asked = true; requestAnimationFrame(draw); } };
  const resize = () => {
    const ratio = devicePixelRatio || 1;
    width = scroller.clientWidth;
    height = Math.min(total + 24, scroller.clientHeight);
    canvas.width = Math.max(1, Math.round(width * ratio));
    canvas.height = Math.max(1, Math.round(height * ratio));
    canvas.style.width = width + "px";
    canvas.style.height = height + "px";
    spacer.style.height = Math.max(0, total + 24 - height) + "px";
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    ask();
  };
  const firstAt = (ends, tick) => {
    let low = 0, high = ends.length;
    while (low < high) { const middle = (low + high) >> 1; if (ends[middle] < tick) low = middle + 1; else high = middle; }
    return low;
  };
  const spot = (s) => lanes[firstLane[steps.node[s]].slot + steps.slot[s]];

  function draw() {
    asked = false;
    const top = scroller.scrollTop - 20;
    pen.fillStyle = paper;
    pen.fillRect(0, 0, width, height);
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    for (const lane of lanes) {
      const y = lane.y - top;
      if (y + lane.height < 20 || y > height) continue;
      if (lane.label) { pen.fillStyle = ink; pen.fillText(lane.label.slice(0, 11), 2, y + Math.max(lane.height / 2, 5)); }
      pen.fillStyle = faint;
      pen.fillRect(GUTTER, y + lane.height - 1, width - GUTTER, 0.5);
      drawLane(lane, y);
    }
    drawAxis();
  }
  function drawLane(lane, y) {
    const thin = lane.kind !== "slot";
    let painted = -1;
    for (let at = firstAt(lane.to, left); at < lane.from.length && lane.from[at] <= right; at++) {
      const x = Math.max(GUTTER, xOf(lane.from[at])), end = Math.min(width, xOf(lane.to[at]));
      const s = lane.step[at], mark = marks[s];
      if (end - x < 0.5 && x < painted && !mark) continue;   // another stands on this pixel
      const wide = Math.max(0.75, end - x - (end - x > 3 ? 0.5 : 0));
      painted = x + wide;
      pen.globalAlpha = thin ? 0.55 : 1;
      pen.fillStyle = fillOf(s);
      pen.fillRect(x, y, wide, lane.height - 1);
      pen.globalAlpha = 1;
      if (mark && !thin) {
        pen.strokeStyle = ink;
        pen.lineWidth = mark === 1 ? 3 : 1.5;
        pen.setLineDash(mark === 2 ? [4, 2] : mark === 3 ? [1, 2] : []);
        pen.strokeRect(x + 1, y + 1, Math.max(2, wide - 2), lane.height - 3);
        pen.setLineDash([]);
      }
      if (!thin && lane.height > 12 && wide > 40) {
        pen.save();
        pen.beginPath(); pen.rect(x, y, wide - 2, lane.height); pen.clip();
        const label = packageOf(steps.action[s]);
        pen.fillStyle = paper; pen.globalAlpha = 0.8;
        pen.fillRect(x + 3, y + 2, Math.min(wide - 6, pen.measureText(label).width + 4), lane.height - 5);
        pen.globalAlpha = 1; pen.fillStyle = ink;
        pen.fillText(label, x + 5, y + lane.height / 2);
        pen.restore();
      }
    }
  }
  function drawAxis() {
    pen.fillStyle = paper;
    pen.fillRect(0, 0, width, 20);
    pen.fillStyle = ink;
    const span = (right - left) / TICKS, rough = span / Math.max(2, width / 110);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
    for (let second = Math.ceil(left / TICKS / step) * step; second <= right / TICKS; second += step) {
      const x = xOf(second * TICKS);
      pen.fillRect(x, 15, 1, 5);
      pen.fillText(Number(second.toPrecision(8)) + " s", x + 3, 10);
    }
  }
  const show = (from, to) => {
    const span = Math.min(whole, Math.max(to - from, 20));
    left = Math.min(Math.max(0, from), whole - span);
    right = left + span;
    ask();
  };
  const zoom = (factor, x = (width + GUTTER) / 2) => {
    const tick = tickOf(x);
    show(tick - (tick - left) * factor, tick + (right - tick) * factor);
  };
  const pan = (share) => { const by = (right - left) * share; if (by < 0) show(Math.max(0, left + by), Math.max(0, left + by) + right - left); else show(left + by, right + by); };

  // --- choosing one, and all that is known of it ---
  const seconds = (tick) => tick < 0 ? "–" : (tick / TICKS).toFixed(4) + " s";
  const span = (from, to) => from < 0 || to < 0 ? "–" : ((to - from) / TICKS).toFixed(4) + " s";
  const line = (list, name, value) => {
    const key = document.createElement("dt"), what = document.createElement("dd");
    key.textContent = name; what.textContent = value;
    list.append(key, what);
  };
  const links = (title, numbers) => {
    const part = document.createElement("div"), head = document.createElement("h4");
    head.textContent = title + " (" + numbers.length + ")";
    part.append(head);
    for (const n of numbers.slice(0, 200)) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = nameOf(n) + (n in actions.hit ? " (cached)" : "");
      button.disabled = stepOf[n] < 0;
      button.addEventListener("click", () => choose(stepOf[n], true));
      part.append(button);
    }
    if (numbers.length > 200) part.append(" and " + (numbers.length - 200) + " more");
    return part;
  };
  function choose(s, move) {
    marks.fill(0);
    selected = s;
    panel.replaceChildren();
    if (s < 0) { ask(); return; }
    const n = steps.action[s];
    for (const each of needs[n]) if (stepOf[each] >= 0) marks[stepOf[each]] = 2;
    for (const each of wanted[n]) if (stepOf[each] >= 0) marks[stepOf[each]] = 3;
    marks[s] = 1;
    const head = document.createElement("h3"), list = document.createElement("dl");
    head.textContent = nameOf(n);
    line(list, "outcome", data.outcomes[steps.outcome[s]]);
    line(list, "where", data.nodes[steps.node[s]][0] + ", slot " + steps.slot[s]);
    for (const name of ["ready", "given", "staged", "started", "tools_started", "tools_ended", "ended"])
      line(list, name.replace("_", " "), seconds(steps[name][s]));
    line(list, "waited", span(steps.ready[s], steps.started[s]));
    line(list, "took", span(steps.started[s], steps.ended[s]));
    line(list, "processor", (steps.cpu[s] / 1000).toFixed(3) + " s");
    line(list, "peak memory", steps.peak[s] + " MB");
    if (modules[actions.module[n]]) line(list, "module", modules[actions.module[n]]);
    panel.append(head, list);
    if (steps.said[s]) {
      const said = document.createElement("pre");
      said.textContent = steps.said[s];
      panel.append(said);
    }
    panel.append(links("It waited for (dashed)", needs[n]), links("These waited for it (dotted)", wanted[n]));
    if (move) reveal(s);
    ask();
  }
  function reveal(s) {
    const from = steps.started[s], to = Math.max(steps.ended[s], from + 1);
    if (from < left || to > right) { const half = (right - left) / 2; show((from + to) / 2 - half, (from + to) / 2 + half); }
    const lane = spot(s);
    if (lane) scroller.scrollTop = Math.max(0, lane.y - height / 2);
    ask();
  }
  const at = (x, y) => {
    const place = y + scroller.scrollTop - 20, tick = tickOf(x), slack = (right - left) / width * 3;
    const lane = lanes.find((each) => place >= each.y && place < each.y + each.height);
    if (!lane) return -1;
    for (let n = Math.max(0, firstAt(lane.to, tick - slack)); n < lane.from.length && lane.from[n] <= tick + slack; n++)
      return lane.step[n];
    return -1;
  };

  // --- search, chains, the view as a table ---
  let found = [], next = 0;
  const search = () => {
    const words = $("search").value.trim().toLowerCase();
    choose(-1);
    found = [];
    if (words) for (let s = 0; s < count; s++) if (nameOf(steps.action[s]).toLowerCase().includes(words)) found.push(s);
    for (const s of found) marks[s] = 4;
    $("found").textContent = words ? found.length + " found" : "";
    next = 0;
    ask();
  };
  const goOn = () => { if (found.length) { const s = found[next++ % found.length]; choose(s, true); } };
  const chain = (ids) => { choose(-1); for (const s of ids) if (s >= 0) marks[s] = 5; ask(); };
  const list = () => {
    const body = $("inview");
    const seen = [];
    for (let s = 0; s < count && seen.length < 500; s++)
      if (steps.started[s] >= 0 && steps.ended[s] >= left && steps.started[s] <= right) seen.push(s);
    body.replaceChildren(...seen.map((s) => {
      const row = document.createElement("tr");
      for (const value of [nameOf(steps.action[s]), data.outcomes[steps.outcome[s]], data.nodes[steps.node[s]][0],
        steps.slot[s], seconds(steps.started[s]), span(steps.started[s], steps.ended[s])]) {
        const cell = document.createElement("td");
        cell.textContent = value;
        row.append(cell);
      }
      return row;
    }));
    $("inviewtable").hidden = false;
    $("inviewnote").textContent = seen.length === 500 ? "The first 500 in view." : seen.length + " in view.";
  };

  // --- fingers, mouse and keys: one finger scrolls the page, two zoom ---
  const fingers = new Map();
  let dragged = 0;
  const placeOf = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  canvas.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, placeOf(event));
    dragged = 0;
    if (event.pointerType === "mouse") canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const before = fingers.get(event.pointerId), now = placeOf(event);
    if (event.pointerType === "mouse") {
      const by = (before[0] - now[0]) / (width - GUTTER);
      if (by) pan(by);
      scroller.scrollTop += before[1] - now[1];
    }
    dragged += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
    fingers.set(event.pointerId, now);
  });
  const lift = (event) => {
    if (event.type === "pointerup" && dragged < 5 && fingers.size === 1) choose(at(...placeOf(event)), false);
    fingers.delete(event.pointerId);
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  let apart = 0;
  const pinch = (event) => {
    if (event.touches.length !== 2) { apart = 0; return; }
    event.preventDefault();
    const [one, two] = event.touches, is = Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY);
    if (apart > 8 && is > 8) zoom(apart / is, (one.clientX + two.clientX) / 2 - canvas.getBoundingClientRect().left);
    apart = is;
  };
  for (const name of ["touchstart", "touchmove", "touchend"]) canvas.addEventListener(name, pinch, { passive: false });
  canvas.addEventListener("wheel", (event) => {
    if (event.ctrlKey || event.metaKey) { event.preventDefault(); zoom(Math.exp(event.deltaY / 300), placeOf(event)[0]); }
    else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      pan((event.deltaX || event.deltaY) / width);
    }
  }, { passive: false });
  const inOrder = (by) => {
    let best = -1;
    for (let s = 0; s < count; s++) {
      if (steps.started[s] < 0 || s === selected) continue;
      const off = selected < 0 ? (steps.started[s] - left) : by * (steps.started[s] - steps.started[selected]);
      if (off < 0 || (off === 0 && selected >= 0 && by * (s - selected) < 0)) continue;
      if (best < 0 || by * (steps.started[s] - steps.started[best]) < 0) best = s;
    }
    if (best >= 0) choose(best, true);
  };
  const KEYS = { ArrowLeft: () => pan(-0.1), ArrowRight: () => pan(0.1), "+": () => zoom(0.7), "=": () => zoom(0.7),
    "-": () => zoom(1.4), 0: () => show(0, whole), n: () => inOrder(1), p: () => inOrder(-1), Escape: () => choose(-1) };
  scroller.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !(event.key in KEYS)) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  scroller.addEventListener("scroll", ask, { passive: true });
  $("zoomin").addEventListener("click", () => zoom(0.6));
  $("zoomout").addEventListener("click", () => zoom(1 / 0.6));
  $("wholeview").addEventListener("click", () => show(0, whole));
  $("search").addEventListener("input", search);
  $("search").addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); goOn(); } });
  $("longestchain").addEventListener("click", () => chain(data.longest.map((n) => stepOf[n])));
  $("happenedchain").addEventListener("click", () => chain(data.happened));
  $("asmodules").addEventListener("change", (event) => { byModule = event.target.checked; readColours(); ask(); });
  $("listview").addEventListener("click", list);
  const restyle = () => { readColours(); resize(); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
  addEventListener("beforeprint", () => { document.documentElement.classList.add("printing"); restyle(); draw(); });
  addEventListener("afterprint", () => { document.documentElement.classList.remove("printing"); restyle(); });
  new ResizeObserver(resize).observe(scroller);
  scroller.style.height = Math.min(total + 26, Math.max(200, innerHeight * 0.7)) + "px";
  restyle();
  // For who drives the page: what is chosen, what is in view, and a frame drawn at once.
  window.timeline = { draw, zoom, pan, show, choose, view: () => [left, right], selected: () => selected, count, place: (s) => {
    const lane = spot(s), box = canvas.getBoundingClientRect();
    return [box.left + (xOf(steps.started[s]) + xOf(steps.slot_end[s])) / 2, box.top + lane.y - scroller.scrollTop + 20 + lane.height / 2];
  } };
})();
