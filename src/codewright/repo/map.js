"use strict";
// Draws the data of the page as a treemap, and answers pointer, keyboard and search.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const stage = document.getElementById("map"), about = document.getElementById("about");
  const search = document.getElementById("search"), hits = document.getElementById("hits");
  const trail = document.getElementById("trail"), arrows = document.getElementById("arrows");
  const SVG = "http://www.w3.org/2000/svg";
  const defs = document.createElementNS(SVG, "defs");
  for (const kind of ["out", "in"]) {
    const marker = document.createElementNS(SVG, "marker");
    for (const [name, value] of Object.entries({ id: kind, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" })) marker.setAttribute(name, value);
    const tip = document.createElementNS(SVG, "path");
    tip.setAttribute("d", "M0,0 L8,4 L0,8 z");
    tip.setAttribute("class", "tip " + kind);
    marker.append(tip);
    defs.append(marker);
  }
  // A node: [name, lines, rank 0–1000, kind, children, line]. Files know what they import.
  const nodes = [], files = new Map();
  const grow = (raw, parent) => {
    const node = { name: raw[0], lines: raw[1], rank: raw[2], kind: raw[3], line: raw[5] || 0,
      parent, inner: [], id: nodes.length, file: raw[6] === undefined ? -1 : raw[6] };
    nodes.push(node);
    if (node.file >= 0) files.set(node.file, node);
    for (const child of raw[4] || []) node.inner.push(grow(child, node));
    return node;
  };
  const root = grow(data.tree, null);
  const inFile = (node) => node !== null && (node.file >= 0 || inFile(node.parent));
  const path = (node) => {
    if (!node.parent) return "";
    if (!node.parent.parent) return node.name;
    return path(node.parent) + (node.parent.file >= 0 ? ":" : inFile(node.parent) ? "." : "/") + node.name;
  };
  const fileOf = (node) => { while (node && node.file < 0) node = node.parent; return node; };

  // Squarified treemap: Bruls, Huizing and van Wijk, 2000.
  const squarify = (inner, x, y, w, h) => {
    const placed = [], total = inner.reduce((sum, node) => sum + node.lines, 0) || 1;
    const scale = (w * h) / total;
    const rest = inner.slice().sort((a, b) => b.lines - a.lines);
    const worst = (row, sum, side) => {
      const thick = sum / side;
      return Math.max(...[row[0], row[row.length - 1]].map((a) => Math.max(thick * thick / a, a / (thick * thick))));
    };
    let at = 0;
    while (at < rest.length && w > 0 && h > 0) {
      const side = Math.min(w, h), row = [];
      let sum = 0, best = Infinity, first = at;
      while (at < rest.length) {
        const area = Math.max(rest[at].lines * scale, 1e-9);
        const now = worst(row.concat(area), sum + area, side);
        if (row.length && now > best) break;
        row.push(area); sum += area; best = now; at++;
      }
      const thick = sum / side;
      let along = 0;
      row.forEach((area, i) => {
        const long = area / thick;
        placed.push(w >= h ? [rest[first + i], x, y + along, thick, long] : [rest[first + i], x + along, y, long, thick]);
        along += long;
      });
      if (w >= h) { x += thick; w -= thick; } else { y += thick; h -= thick; }
    }
    return placed;
  };

  let top = root, chosen = null, boxes = new Map();
  const colour = (node) => {
    const heat = Math.round(Math.sqrt(node.rank / 1000) * 100);
    return `color-mix(in oklab, var(--hot) ${heat}%, var(--cold))`;
  };
  const box = (node, x, y, w, h, level) => {
    const one = document.createElement("div");
    const open = node.inner.length > 0 && w > 46 && h > 34 && level < 5;
    one.className = open ? "box open" : "box";
    one.dataset.id = node.id;
    one.style.cssText = `left:${x}px;top:${y}px;width:${w}px;height:${h}px`;
    if (!open) one.style.background = colour(node);
    if (w > 34 && h > 15) {
      const label = document.createElement("span");
      label.textContent = node.name;
      one.append(label);
    }
    one.setAttribute("role", "treeitem");
    one.setAttribute("aria-label", `${path(node) || node.name}, ${node.lines} lines, rank ${node.rank / 10} per cent of the highest`);
    one.tabIndex = -1;
    stage.append(one);
    boxes.set(node.id, { one, x, y, w, h });
    if (open)
      for (const [inner, a, b, c, d] of squarify(node.inner, x + 2, y + 16, w - 4, h - 18))
        if (c > 2 && d > 2) box(inner, a, b, Math.max(c - 1, 1), Math.max(d - 1, 1), level + 1);
  };
  const draw = () => {
    stage.replaceChildren();
    arrows.replaceChildren(defs);
    boxes = new Map();
    const w = stage.clientWidth || 1000, h = stage.clientHeight || 600;
    const inner = top.inner.length ? top.inner : [top];
    for (const [node, a, b, c, d] of squarify(inner, 0, 0, w, h)) box(node, a, b, Math.max(c - 1, 1), Math.max(d - 1, 1), 0);
    arrows.setAttribute("viewBox", `0 0 ${w} ${h}`);
    trail.replaceChildren();
    for (let node = top; node; node = node.parent) {
      const step = document.createElement("button");
      step.type = "button";
      step.textContent = node.parent ? node.name : data.title;
      step.dataset.id = node.id;
      trail.prepend(step);
    }
    const start = boxes.get(chosen && boxes.has(chosen.id) ? chosen.id : inner[0].id);
    if (start) start.one.tabIndex = 0;
  };

  const shown = (node) => { while (node && !boxes.has(node.id)) node = node.parent; return node; };
  const line = (from, to, kind) => {
    const a = boxes.get(from.id), b = boxes.get(to.id);
    const x1 = a.x + a.w / 2, y1 = a.y + a.h / 2, x2 = b.x + b.w / 2, y2 = b.y + b.h / 2;
    const curve = document.createElementNS(SVG, "path");
    const bend = 0.18;
    curve.setAttribute("d", `M${x1},${y1} Q${(x1 + x2) / 2 + (y2 - y1) * bend},${(y1 + y2) / 2 - (x2 - x1) * bend} ${x2},${y2}`);
    curve.setAttribute("class", kind);
    curve.setAttribute("marker-end", `url(#${kind})`);
    arrows.append(curve);
  };
  const MOST = 150;
  const ties = (node) => {
    arrows.replaceChildren(defs);
    const file = fileOf(node);
    if (!file) return [0, 0];
    const out = data.imports[file.file] || [], into = data.importers[file.file] || [];
    const seen = new Set();
    for (const [list, kind] of [[out, "out"], [into, "in"]])
      for (const number of list.slice(0, MOST)) {
        const other = shown(files.get(number)), own = shown(file);
        if (!other || !own || other === own || seen.has(kind + other.id)) continue;
        seen.add(kind + other.id);
        if (kind === "out") line(own, other, kind); else line(other, own, kind);
      }
    return [out.length, into.length];
  };
  const tell = (node) => {
    const [out, into] = ties(node);
    const file = fileOf(node);
    about.textContent = `${path(node) || data.title}${node.line ? ", line " + node.line : ""} · ${node.lines.toLocaleString()} lines · rank ${(node.rank / 10).toFixed(1)} %`
      + (file ? ` · imports ${out}, imported by ${into}` : ` · ${node.inner.length} inside`);
  };
  const choose = (node, focus) => {
    if (chosen && boxes.has(chosen.id)) { boxes.get(chosen.id).one.classList.remove("chosen"); boxes.get(chosen.id).one.tabIndex = -1; }
    chosen = node;
    const at = boxes.get(node.id);
    if (at) { at.one.classList.add("chosen"); at.one.tabIndex = 0; if (focus) at.one.focus({ preventScroll: true }); }
    tell(node);
  };
  const enter = (node) => { top = node.inner.length ? node : node.parent || root; draw(); choose(node === top ? top.inner[0] : node, true); };
  const reveal = (node) => { if (!boxes.has(node.id)) { top = fileOf(node) && fileOf(node) !== node ? fileOf(node) : node.parent || root; draw(); } choose(node, true); };
  const of = (event) => { const one = event.target.closest("[data-id]"); return one ? nodes[+one.dataset.id] : null; };

  stage.addEventListener("pointerover", (event) => { const node = of(event); if (node) tell(node); });
  stage.addEventListener("pointerleave", () => { if (chosen) tell(chosen); else arrows.replaceChildren(defs); });
  stage.addEventListener("click", (event) => { const node = of(event); if (node) choose(node, true); });
  stage.addEventListener("dblclick", (event) => { const node = of(event); if (node) enter(node); });
  stage.addEventListener("focusin", (event) => { const node = of(event); if (node && node !== chosen) choose(node, false); });
  trail.addEventListener("click", (event) => { const node = of(event); if (node) { top = node; draw(); choose(top.inner[0] || top, true); } });
  stage.addEventListener("keydown", (event) => {
    const node = chosen || top.inner[0];
    if (!node) return;
    const around = (node.parent ? node.parent.inner : [node]).filter((one) => boxes.has(one.id)), at = around.indexOf(node);
    const inner = node.inner.find((one) => boxes.has(one.id));
    const go = { ArrowRight: around[at + 1], ArrowLeft: around[at - 1], Home: around[0], End: around[around.length - 1],
      ArrowDown: inner, ArrowUp: node.parent && boxes.has(node.parent.id) ? node.parent : null }[event.key];
    if (go) choose(go, true);
    else if (event.key === "Enter" || event.key === " ") enter(node);
    else if (event.key === "Escape" || event.key === "Backspace") { if (top.parent) { const old = top; top = top.parent; draw(); choose(old, true); } }
    else if (event.key === "/") search.focus();
    else return;
    event.preventDefault();
  });
  const FOUND = 40;
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    hits.replaceChildren();
    if (wanted.length < 2) return;
    const found = nodes.filter((node) => node.parent && node.name.toLowerCase().includes(wanted))
      .sort((a, b) => b.rank - a.rank).slice(0, FOUND);
    for (const node of found) {
      const one = document.createElement("button");
      one.type = "button";
      one.dataset.id = node.id;
      one.textContent = path(node);
      hits.append(one);
    }
    if (!found.length) hits.textContent = "nothing is called so";
  });
  hits.addEventListener("click", (event) => { const node = of(event); if (node) reveal(node); });
  addEventListener("resize", () => { draw(); if (chosen) choose(chosen, false); });

  draw();
  tell(root);
})();
