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
    if (!path.dataset.name && kind !== "dots") continue;
    const entries = KINDS[kind](path, scale), counts = entries.every(each => Math.abs(each.value - Math.round(each.value)) < 1e-6);
    names.push({ path, kind, name: path.dataset.name, entries, counts });
  }
  const line = document.createElement("i"), output = document.createElement("output"), cells = area.dataset.read?.split(";").map(row => row.split("|"));
  line.className = cells ? "cell" : "at";
  for (const each of [line, output]) { each.hidden = true; area.append(each); }
  return { area, names, cells, line, output, unit: area.dataset.unit, words: area.dataset.words?.split("|"), x, across: JSON.parse(x) };
}

// Where the plots over the same stretch stop: at cells, else at what lines are drawn of, at boxes, or at single points.
function stops(plots) {
  if (plots[0].cells) {
    return plots[0].cells.flatMap((row, i) => row.map((value, j) => ({ at: 2 * j, middle: 2 * j, y: 2 * i, row: i, column: j })))
      .filter(({ row, column }) => plots.some(plot => plot.cells[row][column]));
  }
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

  function said(plot, { at: place, y, row, column }) {
    if (plot.cells) {
      const words = { row: plot.words[row], column: plot.across.names[column], value: plot.cells[row][column] }, { says, same } = plot.area.dataset;
      return words.value && (words.row === words.column && same ? same : says).replace(/{(\w+)}/g, (_, name) => words[name]);
    }
    const rows = [], ranges = value => (plot.words ? plot.words[Math.round(value)] : written(value, plot.unit));
    for (const { path, kind, name, entries, counts } of plot.names) {
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
        : kind === "band" ? `${ranges(entry.low)} to ${ranges(entry.value)}` : counts && !plot.words && !plot.unit ? String(Math.round(entry.value)).replace("-", "\u2212") : ranges(entry.value);
      rows.push({ value: entry.value, text: `${name} ${value}` });
    }
    rows.sort((a, b) => b.value - a.value);
    if (rows.length > MOST) rows.splice(MOST / 2, rows.length - MOST, { text: `\u2026 ${rows.length - MOST} more` });
    return rows.map(row => row.text).join("\n");
  }

  // What is written above the values: where they stand.
  function head(plot, stop) {
    const label = plot.across.label ? `${plot.across.label} ` : "";
    if (plot.words && stop.y !== undefined) return ""; // its row says it
    const box = plot.across.part && plot.names.find(each => each.kind === "boxes")?.entries.find(each => each.at === stop.at);
    return label + placed(plot.across, stop.at) + (box ? ` to ${placed(plot.across, box.end)}` : "");
  }

  function show(place) {
    clear();
    if (!group.stops.length || place < 0 && group.plots[0].cells) return;
    at = Math.max(0, Math.min(group.stops.length - 1, place));
    const stop = group.stops[at];
    if (stop.column !== undefined) figure.dataset.at = [stop.row, stop.column];
    for (const plot of group.plots) {
      const { x, y, width, height } = plot.area.querySelector("svg").viewBox.baseVal;
      const left = 100 * (stop.middle - x) / width, top = stop.y === undefined ? 0 : 100 * (-stop.y - y) / height;
      const half = plot.cells ? 100 / width : 0, tall = plot.cells ? 100 / height : 0, text = said(plot, stop), first = head(plot, stop);
      plot.line.style.left = left - half + "%";
      if (plot.cells) Object.assign(plot.line.style, { top: `${top - tall}%`, width: `${2 * half}%`, height: `${2 * tall}%` });
      plot.output.style.left = left < 50 ? `calc(${left + half}% + 6px)` : "auto";
      plot.output.style.right = left < 50 ? "auto" : `calc(${100 - left + half}% + 6px)`;
      plot.output.style.top = top < 50 ? `${top + tall}%` : "auto";
      plot.output.style.bottom = top < 50 ? "auto" : `${100 - top + tall}%`;
      plot.output.textContent = plot.area.clientHeight < 40 ? text.replaceAll("\n", ", ") : [first, text].filter(Boolean).join("\n");
      plot.output.hidden = !plot.output.textContent;
      plot.line.hidden = plot.cells ? plot.output.hidden : false;
      plot.output.style.transform = "";
      const box = plot.output.getBoundingClientRect(), beyond = Math.max(0, box.right - document.documentElement.clientWidth + 2) || Math.min(0, box.left - 2);
      if (beyond) plot.output.style.transform = `translateX(${-beyond}px)`;
    }
  }

  function clear() {
    at = -1;
    figure.dataset.at = "";
    for (const plot of plots ?? []) plot.line.hidden = plot.output.hidden = true;
  }

  function pointed(event) {
    const area = event.target.closest(".area");
    if (!area) return clear();
    prepare();
    group = groups.find(each => each.plots.some(plot => plot.area === area));
    const box = area.getBoundingClientRect(), view = area.querySelector("svg").viewBox.baseVal;
    const x = view.x + (event.clientX - box.left) / box.width * view.width, y = view.y + (event.clientY - box.top) / box.height * view.height;
    if (group.plots[0].cells) return show(cellAt(Math.round(-y / 2), Math.round(x / 2)));
    const far = stop => Math.hypot((stop.middle - x) / view.width * box.width, stop.y === undefined ? 0 : (-stop.y - y) / view.height * box.height);
    let best = 0, least = Infinity;
    group.stops.forEach((stop, i) => {
      const distance = far(stop);
      if (distance < least) [best, least] = [i, distance];
    });
    show(best);
  }

  // The place of a cell's stop, one too few where nothing is known of it.
  const cellAt = (row, column) => group.stops.findIndex(stop => stop.row === row && stop.column === column);

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
    if (group.plots[0].cells) {
      const cell = group.stops[at], steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0] };
      for (const [key, [up, right]] of Object.entries(steps)) {
        const to = cell ? cellAt(cell.row + up, cell.column + right) : all - 1;
        moves[key] = to < 0 ? at : to;
      }
    } else if (group.stops[0]?.y !== undefined) Object.assign(moves, { ArrowUp: next, ArrowDown: from - far }); // the lowest row is the first
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
document.querySelectorAll(".box").forEach(box => { if (!box.closest("details")) sortable(box); });
