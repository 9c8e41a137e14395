"use strict";
// Reads out dates and values under the pointer in all plots of a figure at once, hides curves by their key, and
// sorts tables. The page says all it has to say without it. What is read is what is drawn: a curve's path counts
// days since the figure's first date, and whole parts of a value.

const DAY = 86400000;

// The points of a curve, as day and value, from a path of "Mx,y" and "ldx,dy,dx,dy..."; a gap begins with M again.
function points(path, scale) {
  const found = [];
  let x = 0, y = 0;
  for (const [, letter, pairs] of path.getAttribute("d").matchAll(/([Ml])([^Ml]+)/g)) {
    if (letter === "M") x = y = 0;
    for (const [, a, b] of pairs.matchAll(/(-?\d+),?(-?\d+)/g)) {
      x += +a;
      y += +b;
      found.push({ day: x, value: scale(y) });
    }
  }
  return found;
}

// The boxes of bars or holdings, as first day, day after the last, and height.
function boxes(path, scale) {
  const each = path.getAttribute("d").matchAll(/M(-?\d+) -?\d+h(\d+)v(-?\d+)/g);
  return [...each].map(([, x, dx, dy]) => ({ day: +x, end: +x + +dx, value: scale(+dy) }));
}

// The place of the last entry that begins on or before a day; -1 where there is none.
function upTo(entries, day) {
  let low = 0, high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle].day <= day) low = middle + 1; else high = middle;
  }
  return low - 1;
}

function written(value, unit) {
  const size = Math.abs(value), digits = unit === "%" ? 1 : size >= 100 ? 1 : size >= 0.1 || size === 0 ? 2 : 4;
  return value.toFixed(digits).replace(/^-(?=0*\.?0*$)/, "").replace("-", "\u2212") + (unit === "%" ? "%" : "");
}

function read(area) {
  const part = +area.dataset.part, log = "log" in area.dataset;
  const scale = y => (log ? 10 ** (y / part) : y / part);
  const names = [];
  for (const path of area.querySelectorAll("path[data-name]")) {
    const box = path.classList.contains("boxes");
    names.push({ path, box, name: path.dataset.name, entries: (box ? boxes : points)(path, scale) });
  }
  const line = document.createElement("i"), output = document.createElement("output");
  line.className = "at";
  for (const each of [line, output]) { each.hidden = true; area.append(each); }
  return { area, names, line, output, unit: area.dataset.unit };
}

function timeline(figure) {
  const first = Date.parse(figure.dataset.first), step = figure.dataset.step;
  let plots = null, days = [], at = -1;

  // All dates at which anything is drawn; boxes are asked only where there are no lines.
  function prepare() {
    if (plots) return;
    plots = [...figure.querySelectorAll(".area")].map(read);
    const own = plots.flatMap(plot => plot.names), lines = own.filter(each => !each.box);
    days = [...new Set((lines.length ? lines : own).flatMap(each => each.entries.map(entry => entry.day)))];
    days.sort((a, b) => a - b);
  }

  function said(plot, day) {
    const held = plot.names.every(each => each.box) && step !== "year", rows = [];
    for (const { path, box, name, entries } of plot.names) {
      if (path.classList.contains("hidden")) continue;
      const entry = entries[upTo(entries, day)];
      // The last date begins no box: what is said of it is what was held until then.
      if (!entry || (box ? day > entry.end || (day === entry.end && day < days.at(-1)) : entry.day !== day)) continue;
      const value = held ? Math.round(100 * entry.value) + "%" : written(entry.value, plot.unit);
      rows.push({ value: entry.value, text: `${name} ${value}` });
    }
    return rows.sort((a, b) => b.value - a.value).map(row => row.text).join("\n");
  }

  function show(place) {
    at = Math.max(0, Math.min(days.length - 1, place));
    const day = days[at], date = new Date(first + day * DAY).toISOString().slice(0, step === "year" ? 4 : 10);
    for (const plot of plots) {
      const width = plot.area.querySelector("svg").viewBox.baseVal.width;
      const left = 100 * (day + (step === "year" ? 182 : 0)) / width, text = said(plot, day);
      plot.line.style.left = left + "%";
      plot.output.style.left = left < 50 ? `calc(${left}% + 6px)` : "auto";
      plot.output.style.right = left < 50 ? "auto" : `calc(${100 - left}% + 6px)`;
      plot.output.textContent = plot.area.clientHeight < 40 ? text.replaceAll("\n", ", ") : date + (text && "\n" + text);
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
    const box = area.getBoundingClientRect(), width = area.querySelector("svg").viewBox.baseVal.width;
    const day = (event.clientX - box.left) / box.width * width - (step === "year" ? 182 : 0);
    const after = upTo(days.map(each => ({ day: each })), day);
    show(after + 1 < days.length && (after < 0 || days[after + 1] - day < day - days[after]) ? after + 1 : after);
  }

  // Plots were drawn anew: what was hidden stays so, and what was read out is read again at its date.
  function again() {
    const day = days[at];
    plots = null;
    for (const key of figure.querySelectorAll(".keys [aria-pressed=false]")) shows(key.dataset.name, false);
    if (at < 0) return;
    prepare();
    show(upTo(days.map(each => ({ day: each })), day));
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
    const far = event.shiftKey ? 12 : 1, from = at < 0 ? days.length : at;
    const moves = { ArrowLeft: from - far, ArrowRight: at < 0 ? 0 : at + far, Home: 0, End: days.length - 1 };
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

document.querySelectorAll("figure.timeline").forEach(timeline);
document.querySelectorAll("figure.cells").forEach(cells);
document.querySelectorAll(".box").forEach(box => { if (!box.closest("details")) sortable(box); });
