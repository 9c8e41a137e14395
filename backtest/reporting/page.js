"use strict";
// Reads out what is under the pointer in all plots of a chart at once, hides curves by their key, and sorts tables.
// The page says all it has to say without it. What is read is what is drawn: a path counts whole parts of what lies
// across (over dates: days since the first) and of a value.

const DAY = 86400000;

// The points of a curve or a band, as places across and values, from a path of "Mx,y" and "ldx,dy,dx,dy..."; a gap
// begins with M again.
function points(path, scale) {
  const found = [];
  let x = 0, y = 0;
  for (const [, letter, pairs] of path.getAttribute("d").matchAll(/([Ml])([^Mlz]+)/g)) {
    if (letter === "M") x = y = 0;
    for (const [, a, b] of pairs.matchAll(/(-?\d+),?(-?\d+)/g)) {
      x += +a;
      y += +b;
      found.push({ at: x, value: scale(y) });
    }
  }
  return found;
}

// The points of a band, which goes forth along its lower edge and back along its upper one.
function band(path, scale) {
  const all = points(path, scale);
  return all.slice(0, all.length / 2).map((low, i) => ({ at: low.at, low: low.value, value: all.at(-1 - i).value }));
}

// The boxes of bars or holdings: from where to where, and how high.
function boxes(path, scale) {
  const each = path.getAttribute("d").matchAll(/M(-?\d+) -?\d+h(\d+)v(-?\d+)/g);
  return [...each].map(([, x, dx, dy]) => ({ at: +x, end: +x + +dx, value: scale(+dy) }));
}

// Single points, each with the ends of its interval where there is one.
function dots(path, scale) {
  const d = (from, pattern) => [...from.getAttribute("d").matchAll(pattern)], before = path.previousElementSibling;
  const reach = before?.matches(".reach") ? d(before, /M(-?\d+),-?\d+h(-?\d+)/g) : [];
  return d(path, /M(-?\d+),(-?\d+)/g).map(([, x, y], i) => {
    const [, low, wide] = reach[i] ?? [0, 0, 0];
    return { at: +x, y: +y, value: scale(+y), low: +low, high: +low + +wide };
  });
}

// The place of the last entry that begins at or before a place; -1 where there is none.
function upTo(entries, at) {
  let low = 0, high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle].at <= at) low = middle + 1; else high = middle;
  }
  return low - 1;
}

function written(value, unit) {
  const size = Math.abs(value), digits = unit === "%" ? 1 : size >= 100 ? 1 : size >= 0.1 || size === 0 ? 2 : 4;
  return value.toFixed(digits).replace(/^-(?=0*\.?0*$)/, "").replace("-", "\u2212") + (unit === "%" ? "%" : "");
}

// A place across in words: a date, a name or a number.
function placed(x, at) {
  if (x.first) return new Date(Date.parse(x.first) + at * DAY).toISOString().slice(0, x.step === "year" ? 4 : 10);
  const number = at / x.part;
  if (x.names) return x.names[Math.round(number)];
  return x.log ? written(10 ** number) : number.toFixed(x.digits).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "").replace("-", "\u2212");
}

const KINDS = { curve: points, band, boxes, dots };

function read(area, whole) {
  const part = +area.dataset.part, log = "log" in area.dataset, x = area.dataset.x ?? whole;
  const scale = y => (log ? 10 ** (y / part) : y / part), names = [];
  for (const path of area.querySelectorAll("path[data-name]")) {
    const kind = path.classList[0];
    if (path.dataset.name || kind === "dots") names.push({ path, kind, name: path.dataset.name, entries: KINDS[kind](path, scale) });
  }
  const line = document.createElement("i"), output = document.createElement("output");
  line.className = "at";
  for (const each of [line, output]) { each.hidden = true; area.append(each); }
  return { area, names, line, output, unit: area.dataset.unit, words: area.dataset.words?.split("|"), x, across: JSON.parse(x) };
}

// Where the plots over the same stretch stop: at what lines are drawn of, else at boxes, else at single points.
function stops(plots) {
  const own = plots.flatMap(plot => plot.names), of = (...kinds) => own.filter(each => kinds.includes(each.kind)).flatMap(each => each.entries);
  const lines = of("curve", "band"), found = lines.length ? lines : of("boxes");
  if (!found.length) return of("dots").map(dot => ({ ...dot, middle: dot.at }));
  const held = own.every(each => each.path.classList.contains("held"));
  const each = new Map(found.map(entry => [entry.at, { at: entry.at, middle: held || !entry.end ? entry.at : (entry.at + entry.end) / 2 }]));
  return [...each.values()].sort((a, b) => a.at - b.at);
}

const MOST = 16;

function chart(figure) {
  let plots = null, groups = [], group = null, at = -1;

  function prepare() {
    if (plots) return;
    plots = [...figure.querySelectorAll(".area")].map(area => read(area, figure.dataset.x));
    groups = [...new Set(plots.map(plot => plot.x))].map(x => {
      const own = plots.filter(plot => plot.x === x);
      return { plots: own, stops: stops(own) };
    });
    group = groups[0];
  }

  function said(plot, { at: place, y }) {
    const rows = [], ranges = value => (plot.words ? plot.words[Math.round(value)] : written(value, plot.unit));
    for (const { path, kind, name, entries } of plot.names) {
      if (path.classList.contains("hidden")) continue;
      if (kind === "dots") {
        const dot = y === undefined ? null : entries.find(each => each.at === place && each.y === y);
        if (!dot) continue;
        const ends = dot.low < dot.high ? ` (${placed(plot.across, dot.low)} to ${placed(plot.across, dot.high)})` : "";
        rows.push({ value: 0, text: plot.words ? `${ranges(dot.value)} ${placed(plot.across, place)}${ends}` : `${name} ${ranges(dot.value)}` });
        break;
      }
      const entry = entries[upTo(entries, place)], box = kind === "boxes", last = group.stops.at(-1).at;
      // The last date begins no box: what is said of it is what was held until then.
      if (!entry || (box ? place > entry.end || (place === entry.end && place < last) : entry.at !== place)) continue;
      const held = path.classList.contains("held"), stacked = path.classList.contains("stacked");
      const value = held ? Math.round(100 * entry.value) + "%" : stacked ? ranges(entry.value - entry.low)
        : kind === "band" ? `${ranges(entry.low)} to ${ranges(entry.value)}` : ranges(entry.value);
      rows.push({ value: entry.value, text: `${name} ${value}` });
    }
    rows.sort((a, b) => b.value - a.value);
    if (rows.length > MOST) rows.splice(MOST / 2, rows.length - MOST, { text: `\u2026 ${rows.length - MOST} more` });
    return rows.map(row => row.text).join("\n");
  }

  // What is written above the values: where they stand.
  function head(plot, stop) {
    const label = plot.across.label ? `${plot.across.label} ` : "";
    if (plot.words && stop.y !== undefined) return "";
    const box = plot.across.part && plot.names.find(each => each.kind === "boxes")?.entries.find(each => each.at === stop.at);
    return label + placed(plot.across, stop.at) + (box ? ` to ${placed(plot.across, box.end)}` : "");
  }

  function show(place) {
    clear();
    if (!group.stops.length) return;
    at = Math.max(0, Math.min(group.stops.length - 1, place));
    const stop = group.stops[at];
    for (const plot of group.plots) {
      const { x, y, width, height } = plot.area.querySelector("svg").viewBox.baseVal;
      const left = 100 * (stop.middle - x) / width, text = said(plot, stop), first = head(plot, stop);
      plot.line.style.left = left + "%";
      plot.output.style.left = left < 50 ? `calc(${left}% + 6px)` : "auto";
      plot.output.style.right = left < 50 ? "auto" : `calc(${100 - left}% + 6px)`;
      plot.output.style.top = stop.y === undefined ? "" : Math.min(85, Math.max(0, 100 * (-stop.y - y) / height)) + "%";
      plot.output.textContent = plot.area.clientHeight < 40 ? text.replaceAll("\n", ", ") : [first, text].filter(Boolean).join("\n");
      plot.line.hidden = false;
      plot.output.hidden = !plot.output.textContent;
    }
  }

  function clear() {
    at = -1;
    for (const plot of plots ?? []) plot.line.hidden = plot.output.hidden = true;
  }

  function pointed(event) {
    const area = event.target.closest(".area");
    if (!area) return clear();
    prepare();
    group = groups.find(each => each.plots.some(plot => plot.area === area));
    const box = area.getBoundingClientRect(), view = area.querySelector("svg").viewBox.baseVal;
    const far = stop => {
      const across = (stop.middle - view.x) / view.width * box.width - (event.clientX - box.left);
      return stop.y === undefined ? Math.abs(across) : Math.hypot(across, (-stop.y - view.y) / view.height * box.height - (event.clientY - box.top));
    };
    let best = 0, least = Infinity;
    group.stops.forEach((stop, i) => {
      const distance = far(stop);
      if (distance < least) [best, least] = [i, distance];
    });
    show(best);
  }

  // Plots were drawn anew: what was hidden stays so, and what was read out is read again at its date.
  function again() {
    const stop = group?.stops[at];
    plots = null;
    for (const key of figure.querySelectorAll(".keys [aria-pressed=false]")) shows(key.dataset.name, false);
    if (!stop) return;
    prepare();
    show(upTo(group.stops, stop.at));
  }

  // A sleeve's line may go; what was held of it stays, unless there is nothing else of that name.
  function shows(name, shown) {
    const own = [...figure.querySelectorAll(".area [data-name]")].filter(part => part.dataset.name === name);
    const lines = own.filter(part => !part.matches(".boxes"));
    for (const part of lines.length ? lines : own) part.classList.toggle("hidden", !shown);
  }

  figure.tabIndex = 0;
  figure.addEventListener("redrawn", again);
  figure.addEventListener("pointermove", pointed);
  figure.addEventListener("pointerdown", pointed);
  figure.addEventListener("pointerleave", event => { if (event.pointerType === "mouse") clear(); });
  figure.addEventListener("blur", clear);
  figure.addEventListener("keydown", event => {
    if (event.target !== figure) return;
    prepare();
    const far = event.shiftKey ? 12 : 1, all = group.stops.length, from = at < 0 ? all : at, next = at < 0 ? 0 : at + far;
    const moves = { ArrowLeft: from - far, ArrowRight: next, Home: 0, End: all - 1 };
    // Rows are listed from the lowest; between plots over different stretches the other two arrows lead.
    if (group.stops[0]?.y !== undefined) Object.assign(moves, { ArrowUp: next, ArrowDown: from - far });
    else if (groups.length > 1 && ["ArrowUp", "ArrowDown"].includes(event.key)) {
      group = groups[(groups.indexOf(group) + (event.key === "ArrowUp" ? -1 : 1) + groups.length) % groups.length];
      moves[event.key] = 0;
    }
    if (event.key === "Escape") clear();
    else if (event.key in moves) show(moves[event.key]);
    else return;
    event.preventDefault();
  });
  for (const key of figure.querySelectorAll(".keys [data-name]")) {
    key.tabIndex = 0;
    key.setAttribute("role", "button");
    key.setAttribute("aria-pressed", "true");
    const turn = () => {
      const shown = key.getAttribute("aria-pressed") !== "true";
      key.setAttribute("aria-pressed", String(shown));
      shows(key.dataset.name, shown);
      if (at >= 0) show(at);
    };
    key.addEventListener("click", turn);
    key.addEventListener("keydown", event => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); turn(); }
    });
  }
}

// Cells: what is under the pointer or the arrow keys is read out in all panels at once; data-at is its row and column.
function cells(figure) {
  const { rows, columns, says, same } = figure.dataset, up = rows.split("|"), across = columns.split("|");
  const m = up.length, n = across.length, place = row => ("rising" in figure.dataset ? m - 1 - row : row);
  const panels = [...figure.querySelectorAll(".area")].map(area => {
    const cell = area.appendChild(document.createElement("i")), output = cell.appendChild(document.createElement("output"));
    cell.hidden = true;
    return { cell, output, read: area.dataset.read.split(";").map(row => row.split("|")) };
  });
  let at = null;

  function show(row, column) {
    const known = panels.some(({ read }) => read[row]?.[column]);
    at = known ? [row, column] : null;
    figure.dataset.at = known ? at.join() : "";
    const left = column / n, top = place(row) / m;
    for (const { cell, output, read } of panels) {
      const value = read[row]?.[column];
      cell.hidden = !value;
      if (!value) continue;
      cell.className = `cell${left < 0.5 ? "" : " right"}${top < 0.5 ? "" : " low"}`;
      cell.style.cssText = `left: ${100 * left}%; top: ${100 * top}%; width: ${100 / n}%; height: ${100 / m}%`;
      const words = { row: up[row], column: across[column], value };
      output.textContent = (up[row] === across[column] && same ? same : says).replace(/{(\w+)}/g, (_, name) => words[name]);
    }
  }

  function pointed(event) {
    const box = event.target.closest(".area")?.getBoundingClientRect();
    if (box) show(place(Math.floor((event.clientY - box.top) / box.height * m)), Math.floor((event.clientX - box.left) / box.width * n));
    else show(-1, -1);
  }

  figure.tabIndex = 0;
  for (const name of ["pointermove", "pointerdown"]) figure.addEventListener(name, pointed);
  figure.addEventListener("pointerleave", event => { if (event.pointerType === "mouse") show(-1, -1); });
  figure.addEventListener("blur", () => show(-1, -1));
  figure.addEventListener("keydown", event => {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }, next = moves[event.key];
    if (event.key === "Escape") return show(-1, -1);
    if (!next) return;
    event.preventDefault();
    const to = at ? [place(place(at[0]) + next[0]), at[1] + next[1]] : [place(0), n - 1];
    if (panels.some(({ read }) => read[to[0]]?.[to[1]])) show(...to);
  });
}

// What a cell is sorted by: a number where it begins with one, else its words; nothing comes last.
function rank(cell) {
  const text = cell.textContent.trim().replaceAll("\u2212", "-");
  if (text === "" || text === "\u2013") return null;
  const number = /^[+-]?[\d,]*\.?\d+(?![\d-])/.exec(text);
  return number ? parseFloat(number[0].replaceAll(",", "")) : text;
}

function compared(a, b) {
  if (a === null || b === null) return (a === null) - (b === null);
  if (typeof a === typeof b) return typeof a === "number" ? a - b : a.localeCompare(b);
  return typeof a === "number" ? -1 : 1;
}

// A long table is two: what is seen at once, and what is folded; they are sorted as one.
function sortable(box) {
  const folded = box.nextElementSibling?.matches("details") ? box.nextElementSibling.querySelector("table") : null;
  const tables = [box.querySelector("table"), folded].filter(Boolean), bodies = tables.map(table => table.tBodies[0]);
  if (!tables[0].tHead || bodies.every(body => body.rows.length < 3)) return;
  tables.forEach(table => [...table.tHead.rows[0].cells].forEach((head, column) => {
    head.setAttribute("aria-sort", "none");
    head.tabIndex = 0;
    const sort = () => {
      const up = head.getAttribute("aria-sort") === "descending", sign = up ? 1 : -1;
      const rows = bodies.flatMap(body => [...body.rows]).map(row => ({ row, by: rank(row.cells[column]) }));
      rows.sort((a, b) => (a.by === null || b.by === null ? 1 : sign) * compared(a.by, b.by));
      const first = bodies[0].rows.length;
      rows.forEach(({ row }, place) => bodies[place < first ? 0 : 1].append(row));
      for (const each of tables) {
        [...each.tHead.rows[0].cells].forEach((other, i) =>
          other.setAttribute("aria-sort", i === column ? (up ? "ascending" : "descending") : "none"));
      }
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", event => { if (event.key === "Enter") sort(); });
  }));
}

document.querySelectorAll("figure.chart").forEach(chart);
document.querySelectorAll("figure.cells").forEach(cells);
document.querySelectorAll(".box").forEach(box => { if (!box.closest("details")) sortable(box); });
