// The page, alive: filters and sorts tables, draws plots, and unfolds a result into its launches.

const LABELS = 60; // that a plot has at most
const ERRORS = 1; // alone are logged by the library
const CATEGORIES = ["#0072b2", "#d55e00", "#009e73", "#c4699b", "#8a6fd1", "#7d7d7d", "#b8860b"];
const CONFIG = {
  background: null,
  range: { category: CATEGORIES },
  legend: { orient: "top", labelLimit: 320 },
  view: { stroke: null },
  axisQuantitative: { tickCount: 8 },
};

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

/** An element with attributes and children; texts are texts, whatever is in them. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** The bytes of a packed text. */
async function unpacked(id) {
  const bytes = Uint8Array.from(atob($(`#${id}`).textContent), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const payload = JSON.parse(new TextDecoder().decode(await unpacked("payload")));
payload.launches = launchesOf(payload.launches);
const packedTimes = await unpacked("times");
const views = new Map();
let visible = new Set(payload.results.keys());

/** Windows of every launch of a result: [{role, steps, images, seconds, started, speed}]. */
function windowsOf(launch) {
  const spread = (runs) => runs.flatMap(([value, count]) => Array(count).fill(value));
  const [roles, steps, images] = [launch.roles, launch.steps, launch.images].map(spread);
  const ranges = launch.roles.flatMap(([, count], run) => Array(count).fill(launch.ranges[run]));
  let started = 0;
  return roles.map((role, index) => {
    const [low, high = low] = ranges[index];
    const seconds = low * (high / low) ** (timeAt(launch.offset + index) / 4095);
    const window = { index, role, steps: steps[index], images: images[index], seconds, started };
    started += seconds;
    return { ...window, speed: window.images / seconds };
  });
}

/** The launches of each result, which are packed by column. */
function launchesOf({ counts, columns }) {
  let at = 0;
  const one = () => {
    const launch = Object.fromEntries(Object.entries(columns).map(([name, own]) => [name, own[at]]));
    at += 1;
    return launch;
  };
  return counts.map((count) => Array.from({ length: count }, one));
}

/** The 12 bits of a window: 8 of one plane, 4 of the other. */
function timeAt(window) {
  const pair = packedTimes[total + (window >> 1)];
  return (packedTimes[window] << 4) | (window & 1 ? pair & 15 : pair >> 4);
}

let offset = 0;
for (const launch of payload.launches.flat()) {
  launch.offset = offset;
  offset += launch.roles.reduce((sum, [, count]) => sum + count, 0);
}
const total = offset;

// Later rows of long tables are packed.
for (const table of $$("table[data-rest]")) {
  table.tBodies[0].insertAdjacentHTML("beforeend", payload.rest[table.dataset.rest]);
}

/** Rows of a plot that are to be seen: of visible results, and of the first labels of them. */
function shown(rows, labels) {
  return rows.filter(
    (row) =>
      (row.result === undefined || visible.has(row.result)) &&
      (labels === undefined || row.label === undefined || labels.has(row.label)),
  );
}

/** The data of a plot as it is to be drawn, and what is said of it. */
function filtered(plot) {
  const rows = Object.values(plot.data).flat();
  const all = [...new Set(shown(rows).map((row) => row.label))];
  const labels = new Set(all.slice(0, LABELS));
  const data = Object.entries(plot.data).map(([name, own]) => [name, shown(own, labels)]);
  const note = all.length > LABELS ? ` (${LABELS} of ${all.length}: filter to see others)` : "";
  return [Object.fromEntries(data), all.length ? note : " (nothing of it is shown by this filter)"];
}

/** Draw a plot into its place; labels of axes take less than half of it. */
async function draw(place, spec, data) {
  const limit = Math.min(420, Math.max(90, place.clientWidth * 0.42));
  const text = JSON.stringify(spec).replaceAll('"labelLimit":420', `"labelLimit":${limit}`);
  const made = JSON.parse(text);
  made.datasets = { ...made.datasets, ...data };
  const options = { actions: false, renderer: "svg", config: CONFIG, logLevel: ERRORS };
  return (await window.vegaEmbed(place, made, options)).view;
}

async function show(place) {
  const plot = payload.plots[place.dataset.plot];
  const [data, note] = filtered(plot);
  $(".shown", place.closest("figure")).textContent = note;
  if (views.has(place)) {
    const view = await views.get(place);
    for (const [name, rows] of Object.entries(data)) view.data(name, rows);
    await view.resize().runAsync();
  } else {
    views.set(place, draw(place, plot.spec, data));
    await views.get(place);
  }
}

// Plots are drawn when they come near: a page of thousands of results opens at once.
const near = new IntersectionObserver(
  (entries) => entries.filter((one) => one.isIntersecting).forEach((one) => show(one.target)),
  { rootMargin: "600px" },
);
$$(".plot[data-plot]").forEach((place) => near.observe(place));
window.addEventListener("beforeprint", () => $$(".plot[data-plot]").forEach(show));

/* Filtering */

const form = $("#filter");

function chosen() {
  const asked = Object.fromEntries([...new FormData(form)].filter(([, value]) => value));
  const words = (asked.words ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  delete asked.words;
  return { asked, words };
}

function filter() {
  const { asked, words } = chosen();
  const matches = (result) =>
    Object.entries(asked).every(([axis, value]) => result.axes[axis] === value) &&
    words.every((word) => result.text.includes(word));
  visible = new Set([...payload.results.keys()].filter((at) => matches(payload.results[at])));
  for (const row of $$("tr[data-r]")) {
    row.hidden = !visible.has(Number(row.dataset.r));
    if (row.nextElementSibling?.classList.contains("detail")) {
      row.nextElementSibling.hidden = row.hidden;
    }
  }
  $("output", form).textContent = `${visible.size} of ${payload.results.length} results`;
  views.forEach((_, place) => show(place));
  const said = new URLSearchParams([...new FormData(form)].filter(([, value]) => value)).toString();
  if (said || location.hash.startsWith("#?")) history.replaceState(null, "", `#?${said}`);
}

/** Set the form as the address says. */
function restore() {
  if (!location.hash.startsWith("#?")) return;
  for (const [name, value] of new URLSearchParams(location.hash.slice(2))) {
    if (form.elements[name]) form.elements[name].value = value;
  }
}

if (payload.results.length > 1) {
  form.hidden = false;
  payload.results.forEach((result) => {
    result.text = [result.title, result.verdict, result.notes].join(" ").toLowerCase();
  });
  form.addEventListener("input", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
  restore();
  filter();
}

/* Sorting */

function sort(heading) {
  const table = heading.closest("table");
  const column = [...heading.parentElement.children].indexOf(heading);
  const direction = heading.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
  $$("th", table.tHead).forEach((other) => other.removeAttribute("aria-sort"));
  heading.setAttribute("aria-sort", direction);
  $$("tr.detail", table).forEach((row) => fold($(".more", row.previousElementSibling)));
  const key = (row) => row.cells[column].dataset.text ?? row.cells[column].textContent.trim();
  const number = (text) => Number.parseFloat(text.replaceAll(",", ""));
  const order = (one, other) => {
    const [a, b] = [key(one), key(other)];
    const [x, y] = [number(a), number(b)];
    if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
    if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1; // words last
    return a.localeCompare(b);
  };
  const rows = [...table.tBodies[0].rows].sort(order);
  table.tBodies[0].append(...(direction === "ascending" ? rows : rows.reverse()));
}

for (const heading of $$("main thead th")) {
  const button = element("button", { type: "button" }, heading.textContent);
  button.addEventListener("click", () => sort(heading));
  heading.replaceChildren(button);
}

/* A result's launches, and their windows */

for (const row of $$("tr[data-r]")) {
  const title = payload.results[row.dataset.r].title;
  row.cells[0].dataset.text = row.cells[0].textContent.trim();
  const button = { class: "more", type: "button", "aria-expanded": "false" };
  row.cells[0].prepend(element("button", { ...button, "aria-label": `Launches of ${title}` }, "+"));
}

$("main").addEventListener("click", (event) => {
  const button = event.target.closest(".more");
  if (!button) return;
  if (button.getAttribute("aria-expanded") === "true") fold(button);
  else unfold(button);
});

function fold(button) {
  button.setAttribute("aria-expanded", "false");
  button.textContent = "+";
  button.closest("tr").nextElementSibling?.remove();
}

function unfold(button) {
  const row = button.closest("tr");
  const result = payload.results[row.dataset.r];
  const launches = payload.launches[row.dataset.r];
  const cell = element("td", { colspan: row.cells.length });
  row.after(element("tr", { class: "detail" }, cell));
  button.setAttribute("aria-expanded", "true");
  button.textContent = "\u2212";
  const said = [result.verdict, result.reason, result.notes].filter(Boolean).join("; ");
  cell.append(
    element("p", {}, element("strong", {}, result.title), element("br"), said),
    element("p", {}, "Measure it again: ", element("code", {}, result.command)),
  );
  const told = launches.map((launch) => ({ launch, windows: windowsOf(launch) }));
  if (told.some(({ windows }) => windows.length)) trace(cell, told);
  cell.append(launchTable(told));
}

/** Plot the windows of all launches, those that do not count shaded. */
function trace(cell, told) {
  const rows = told.flatMap(({ launch, windows }) =>
    windows.map((window) => ({
      ...window,
      launch: `launch ${launch.number}`,
      end: window.started + window.seconds,
      counts: window.role === "steady" && !launch.why ? "counts" : "left out",
    })),
  );
  const about = `Images per second of each window of ${told.length} launches over time; the table below has them.`;
  const place = element("div", { class: "plot", role: "group", "aria-label": about });
  const caption = "Windows: images/s over seconds of training; what is shaded does not count";
  cell.append(element("figure", {}, element("figcaption", {}, caption), place));
  draw(place, payload.trace, { windows: rows });
}

function launchTable(told) {
  const stages = [...new Set(told.flatMap(({ launch }) => Object.keys(launch.stages)))];
  const names = ["Launch", "Started (UTC)", "images/s", "Counts", "Windows", ...stages.map((name) => `${name} (s)`), "Peak memory (GiB)", "Seed"];
  const table = element("table", {}, element("caption", {}, "Launches"));
  table.append(element("thead", {}, element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name)))));
  const body = element("tbody");
  for (const { launch, windows } of told) {
    const cells = [
      `${launch.number} (${launch.id})`,
      launch.started.slice(0, 19).replace("T", " "),
      launch.speed === null ? "" : launch.speed.toPrecision(4),
      launch.why || "yes",
      windows.length ? unfolding(windows) : "",
      ...stages.map((name) => launch.stages[name]?.toPrecision(3) ?? ""),
      launch.memory ? (launch.memory / 2 ** 30).toFixed(2) : "",
      String(launch.seed),
    ];
    body.append(element("tr", {}, ...cells.map((value) => element("td", {}, value))));
  }
  table.append(body);
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Launches" }, table);
}

/** Windows behind a line; their table is made when it is asked for. */
function unfolding(windows) {
  const details = element("details", {}, element("summary", {}, String(windows.length)));
  const make = () => {
    const names = ["Window", "Role", "Steps", "Images", "Seconds", "images/s"];
    const head = element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name)));
    const rows = windows.map((one) => {
      const cells = [one.index, one.role, one.steps, one.images, one.seconds.toPrecision(5), one.speed.toPrecision(5)];
      return element("tr", {}, ...cells.map((value) => element("td", { class: "n" }, String(value))));
    });
    details.append(element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
  };
  details.addEventListener("toggle", make, { once: true });
  return details;
}

/* A page that is served while a campaign runs looks whether there is more. */

if (document.body.dataset.live) {
  const known = document.body.dataset.live;
  setInterval(async () => {
    const now = await fetch("stamp").then((answer) => answer.text(), () => known);
    if (now !== known && !$("[aria-expanded=true]")) location.reload();
  }, 3000);
}

document.body.dataset.ready = "yes";
