// The hand: what the fields say is asked for, one question at a time; what comes while one is answered replaces
// what waited. What is drawn is what the server drew.

const form = document.getElementById("fields"), place = name => document.getElementById(name);
const exact = () => [...form.querySelectorAll("[data-name], [data-term]")].filter(field => field.type !== "range");
let applied = 0, busy = false, waiting = false, settling = 0, latest = 0;

function value(field) {
  if (field.type === "checkbox") return field.checked;
  return field.type === "number" && field.value !== "" ? Number(field.value) : field.value;
}

function wanted() {
  const values = [], terms = {};
  for (const field of exact()) {
    if ("term" in field.dataset) terms[field.dataset.term] = value(field);
    else (values[+field.dataset.which] ??= {})[field.dataset.name] = value(field);
  }
  for (let i = 0; i < form.querySelectorAll("fieldset").length - 1; i++) values[i] ??= {};
  return { values, terms, linear: place("linear").checked, applied };
}

async function ask(door, body) {
  try {
    const answer = await fetch(door, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(answer.statusText);
    return door === "picture" && answer.headers.get("Content-Type") === "image/png" ? answer.blob() : answer.json();
  } catch {
    return { error: "rotation explore has ended; start it anew" };
  }
}

function fault(sentence) {
  place("fault").hidden = !sentence;
  place("fault").textContent = sentence ?? "";
  for (const name of ["figure", "numbers"]) place(name).classList.toggle("stale", Boolean(sentence));
}

function draw(answer) {
  fault(answer.error);
  for (const [name, html] of Object.entries(answer.parts ?? {})) {
    place(name).innerHTML = html;
    for (const box of place(name).querySelectorAll(".box")) if (!box.closest("details") && name === "switches") sortable(box);
  }
  if (answer.cells) {
    const rows = place("numbers").querySelectorAll("tbody tr");
    answer.cells.forEach((texts, row) => texts.forEach((text, column) => { rows[row].cells[column].textContent = text; }));
  }
  if (answer.figure) {
    place("figure").innerHTML = answer.figure;
    chart(place("figure").querySelector("figure"));
  } else if (answer.plots) {
    const figure = place("figure").querySelector("figure"), plots = figure.querySelectorAll(".plot");
    for (const [at, html] of Object.entries(answer.plots)) plots[at].outerHTML = html;
    if (Object.keys(answer.plots).length) figure.dispatchEvent(new Event("redrawn"));
  }
  if (answer.answer) applied = answer.answer;
}

// One question at a time; of those that come meanwhile the last one is asked next.
async function move() {
  waiting = true;
  if (busy) return;
  busy = true;
  while (waiting) {
    waiting = false;
    latest += 1;
    for (const name of ["verdict", "switches"]) place(name).classList.add("stale");
    draw(await ask("move", wanted()));
    await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
  }
  busy = false;
  keepAddress();
  clearTimeout(settling);
  settling = setTimeout(settle, 150);
}

async function settle() {
  if (!place("fault").hidden) return;
  const mine = latest, answer = await ask("settle", wanted());
  if (mine === latest && !busy) {
    draw(answer);
    for (const name of ["verdict", "switches"]) place(name).classList.remove("stale");
    document.body.dataset.settled = String(mine);
  }
}

// A link to the position: its fields that are not as they began, behind the #.
function state() {
  const said = new URLSearchParams();
  for (const field of [...exact(), place("linear")]) {
    const name = field.id === "linear" ? "linear" : field.dataset.term ?? `${field.dataset.which}.${field.dataset.name}`;
    const now = String(value(field));
    if (now !== field.dataset.began) said.set(name, now);
  }
  return said.toString();
}

function keepAddress() {
  const said = state();
  history.replaceState(null, "", said ? "#" + said : location.pathname);
}

function restore() {
  const said = new URLSearchParams(location.hash.slice(1));
  for (const field of [...exact(), place("linear")]) {
    field.dataset.began = String(value(field));
    const name = field.id === "linear" ? "linear" : field.dataset.term ?? `${field.dataset.which}.${field.dataset.name}`;
    if (said.has(name)) put(field, said.get(name));
  }
}

function put(field, text) {
  if (field.type === "checkbox") field.checked = text === "true";
  else field.value = text;
  beside(field);
}

// A slider and its field say the same; the field also takes what lies between two steps.
function beside(field) {
  const other = [...(field.closest("label")?.querySelectorAll("input") ?? [])].find(each => each !== field);
  if (other && (other.type === "range" || field.type === "range")) other.value = field.value;
}

form.addEventListener("submit", event => event.preventDefault());
form.addEventListener("input", event => {
  const field = event.target;
  beside(field);
  const bad = field.type === "number" && field.value === "";
  field.setAttribute("aria-invalid", String(bad));
  if (!bad) move();
});
place("again").addEventListener("click", () => {
  for (const field of [...exact(), place("linear")]) put(field, field.dataset.began);
  move();
});
place("whole").addEventListener("click", () => {
  for (const name of ["start", "end"]) put(form.querySelector(`[data-term=${name}]`), "");
  move();
});

// A stretch of time is chosen by dragging across the figure with a mouse or a pen; a finger reads out values.
let begun = null;
place("figure").addEventListener("pointerdown", event => {
  const area = event.target.closest(".area");
  if (area && event.pointerType !== "touch" && event.button === 0) begun = { area, x: event.clientX };
});
addEventListener("pointermove", event => {
  if (!begun) return;
  const box = begun.area.getBoundingClientRect(), ends = [begun.x, event.clientX].map(x => Math.max(box.left, Math.min(x, box.right)));
  begun.mark ??= begun.area.appendChild(Object.assign(document.createElement("i"), { className: "stretch" }));
  begun.mark.style.left = Math.min(...ends) - box.left + "px";
  begun.mark.style.width = Math.abs(ends[1] - ends[0]) + "px";
});
addEventListener("pointerup", event => {
  if (!begun) return;
  const { area, x, mark } = begun, box = area.getBoundingClientRect(), figure = area.closest("figure");
  begun = null;
  mark?.remove();
  if (Math.abs(event.clientX - x) < 8) return;
  const length = area.querySelector("svg").viewBox.baseVal.width, first = Date.parse(JSON.parse(figure.dataset.x).first);
  const days = [x, event.clientX].sort((a, b) => a - b).map(at => Math.max(0, Math.min(1, (at - box.left) / box.width)) * length);
  const written = days.map(day => new Date(first + Math.round(day) * DAY).toISOString().slice(0, 10));
  put(form.querySelector("[data-term=start]"), written[0]);
  put(form.querySelector("[data-term=end]"), written[1]);
  move();
});

// The plane.
place("plane-look")?.addEventListener("click", async () => {
  const [which, across, up] = place("plane-pair").value.split(":");
  place("plane").textContent = "Measuring; the first plane after an installation takes some seconds.";
  const answer = await ask("plane", { wanted: wanted(), which: +which, across, up, objective: place("plane-measure").value });
  if (answer.error) place("plane").textContent = answer.error;
  else {
    draw(answer);
    chart(place("plane").querySelector("figure"));
  }
  settle();
});

place("plane").addEventListener("click", event => {
  const figure = event.target.closest("figure"), at = figure?.dataset.at?.split(",");
  if (!at || !event.target.closest(".area")) return;
  const { which, across, up } = place("plane").querySelector("[data-which]").dataset;
  for (const [name, text] of [[across, JSON.parse(figure.dataset.x).names[at[1]]], [up, figure.querySelector(".area").dataset.words.split("|")[at[0]]]]) {
    put(exact().find(field => field.dataset.which === which && field.dataset.name === name), text);
  }
  move();
});

// What is kept.
const said = sentence => { place("said").textContent = sentence; };

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    said("Copied.");
  } catch {
    said(text);
  }
}

place("copy").addEventListener("click", () => copy(place("kept").textContent.trim()));
place("link").addEventListener("click", () => { keepAddress(); copy(location.href); });
place("report").addEventListener("click", async () => {
  said("Writing.");
  const answer = await ask("keep", wanted());
  said(answer.error ?? `Written: ${answer.places.join(", ")}`);
});
place("picture").addEventListener("click", async () => {
  const answer = await ask("picture", wanted());
  if (answer.error) return said(answer.error);
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(answer), download: "position.png" });
  link.click();
  URL.revokeObjectURL(link.href);
});
place("reveal")?.addEventListener("click", async () => {
  const answer = await ask("reveal", wanted());
  draw(answer);
  if (!answer.error) place("reveal").remove();
  move();
});

// The stream that tells of changed scripts also tells the server that the page is open.
new EventSource("news").addEventListener("message", event => {
  const news = JSON.parse(event.data);
  if (news) fault(news);
  else location.reload();
});

restore();
if (innerWidth <= 800) form.querySelector("details").open = false;
move();
