"use strict";
// What moves on the page: charts are unpacked and drawn when they come into view, in the colours
// of the theme; columns are paged; the table of measures is sorted and filtered.

const root = document.documentElement;
root.classList.add("js");
const find = (id) => document.getElementById(id);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const PAGE = 24;
const SMALL_LEVELS = 8;

// --- theme ---------------------------------------------------------------------------------

const systemDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches);

function colours() {
  const style = getComputedStyle(root);
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  const names = ["real", "real-fill", "holdout", "synthetic", "floor", "baseline", "chance", "ink",
    "muted", "line", "surface", "low", "middle", "high", "share", "hole"];
  const found = Object.fromEntries(names.map((name) => [name, read(name)]));
  found.series = read("series").split(",").map((colour) => colour.trim());
  return found;
}

function nameTheme() {
  find("theme").textContent = isDark() ? "Light" : "Dark";
  find("theme").setAttribute("aria-pressed", String(isDark()));
}

function setTheme(theme) {
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
  nameTheme();
  redraw();
}

// --- charts --------------------------------------------------------------------------------

const drawn = new Set();
const scales = {
  signed: (c) => [[0, c.low], [0.5, c.middle], [1, c.high]],
  share: (c) => [[0, c.middle], [1, c.share]],
};

function paintTrace(trace, c) {
  const { role, place } = trace.meta ?? {};
  if (trace.type === "heatmap") {
    trace.colorscale = scales[role](c);
    trace.colorbar = { ...trace.colorbar, tickfont: { color: c.muted, size: 10 } };
    return;
  }
  const colour = role === "series" ? c.series[place % c.series.length] : c[role] ?? c.ink;
  if (trace.type === "bar") {
    const isOutline = role === "real";
    trace.marker = { ...trace.marker, color: isOutline ? c["real-fill"] : role === "baseline" ? c.surface : colour, line: { color: colour, width: isOutline ? 1 : 1.5 } };
    if (role === "floor") trace.marker.color = c["real-fill"];
    if (trace.error_x) trace.error_x.color = c.ink;
    return;
  }
  trace.line = { ...trace.line, color: colour };
  trace.marker = { ...trace.marker, color: colour };
  if (trace.fill) trace.fillcolor = c["real-fill"];
}

function paint(figure, size) {
  const c = colours();
  const isSmall = size === "small";
  figure.data.forEach((trace) => paintTrace(trace, c));
  const layout = figure.layout;
  const { levels, upright, hover } = layout.meta ?? {};
  const isMap = figure.data.some((trace) => trace.type === "heatmap");
  layout.font = { family: getComputedStyle(document.body).fontFamily, size: isSmall ? 10.5 : 12, color: c.muted };
  layout.paper_bgcolor = "rgba(0,0,0,0)";
  layout.plot_bgcolor = isMap ? c.hole : "rgba(0,0,0,0)";
  layout.hoverlabel = { bgcolor: c.surface, bordercolor: c.line, font: { color: c.ink, size: 12 }, align: "left" };
  layout.legend = { ...layout.legend, font: { color: c.ink, size: 12 } };
  for (const name of Object.keys(layout).filter((key) => /^[xy]axis/.test(key))) {
    Object.assign(layout[name], { gridcolor: c.line, linecolor: c.line, zerolinecolor: c.line, tickcolor: c.line, showspikes: false });
    if (!isMap) layout[name].fixedrange = true;
    if (hover) layout[name].unifiedhovertitle = { text: hover };
  }
  if (isSmall && levels > SMALL_LEVELS && !upright) layout.yaxis.range = [SMALL_LEVELS - 0.4, -0.6];
  if (!isSmall && levels && !upright) layout.yaxis.tickfont = { size: 11 };
  return figure;
}

function figureOf(name, size) {
  return paint(JSON.parse(find(`figure-${name}`).textContent), size);
}

// Newer plotly offers to upload a chart to its makers' cloud: no button and no address for that.
const OFFLINE = { plotlyServerURL: "", displaylogo: false, modeBarButtons: [["toImage"]] };
const coarse = matchMedia("(pointer: coarse)");

function draw(chart) {
  if (!window.Plotly || !chart.clientWidth) return;
  const figure = figureOf(chart.dataset.figure, chart.closest(".column") ? "small" : "full");
  if (coarse.matches) figure.layout.dragmode = false; // a finger scrolls the page
  const config = { ...OFFLINE, displayModeBar: false, responsive: true, doubleClick: "reset", showTips: false };
  window.Plotly.react(chart, figure.data, figure.layout, config);
  if (!drawn.has(chart)) nameOnZoom(chart, figure.layout.meta ?? {});
  drawn.add(chart);
}

function nameOnZoom(chart, { names, readable }) {
  if (!names || names <= readable) return;
  chart.on("plotly_relayout", (change) => {
    if (!Object.keys(change).some((key) => /range/.test(key))) return;
    const { xaxis, yaxis } = chart._fullLayout;
    const shown = (axis) => Math.abs(axis.range[1] - axis.range[0]) <= readable;
    const wanted = { "xaxis.showticklabels": shown(xaxis), "yaxis.showticklabels": shown(yaxis) };
    const isNew = wanted["xaxis.showticklabels"] !== xaxis.showticklabels || wanted["yaxis.showticklabels"] !== yaxis.showticklabels;
    if (isNew) window.Plotly.relayout(chart, wanted);
  });
}

function erase(chart) {
  if (drawn.delete(chart)) window.Plotly.purge(chart);
}

function redraw() {
  drawn.forEach(draw);
}

let resizing = 0;
addEventListener("resize", () => {
  clearTimeout(resizing);
  resizing = setTimeout(() => drawn.forEach((chart) => {
    if (chart.clientWidth) window.Plotly.Plots.resize(chart);
  }), 100);
});

const waiting = new Set();
let isBusy = false;

function drawNext() {
  const [chart] = waiting;
  isBusy = chart !== undefined;
  if (!isBusy) return;
  waiting.delete(chart);
  if (!drawn.has(chart)) draw(chart);
  setTimeout(drawNext);
}

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.isIntersecting && !drawn.has(entry.target)) waiting.add(entry.target);
  }
  if (!isBusy) drawNext();
}, { rootMargin: "400px" });

async function unpack() {
  const packed = Uint8Array.from(atob(find("plotly").textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(stream).text();
  document.head.append(script);
  if (!window.Plotly) throw new Error("the script did not run");
}

async function start() {
  try {
    await unpack();
  } catch (error) {
    const trouble = find("trouble");
    trouble.textContent = `The charts could not be unpacked (${error.message}): a browser of 2023 or later is needed. All figures are in the text and the tables.`;
    trouble.hidden = false;
    return;
  }
  all(".chart").forEach((chart) => watcher.observe(chart));
  root.dataset.ready = "";
}

// --- columns -------------------------------------------------------------------------------

const grid = find("column-grid");
const cards = grid ? all(".column", grid) : [];
let page = 0;

function chosenColumns() {
  const wanted = find("column-search").value.trim().toLowerCase();
  const order = find("column-order").value;
  const compare = order === "name"
    ? (a, b) => a.dataset.name.localeCompare(b.dataset.name)
    : (a, b) => a.dataset[order === "table" ? "place" : "worst"] - b.dataset[order === "table" ? "place" : "worst"];
  return cards.filter((card) => card.dataset.name.toLowerCase().includes(wanted)).sort(compare);
}

function showColumns() {
  const chosen = chosenColumns();
  const pages = Math.max(Math.ceil(chosen.length / PAGE), 1);
  page = Math.min(Math.max(page, 0), pages - 1);
  const shown = chosen.slice(page * PAGE, (page + 1) * PAGE);
  cards.forEach((card) => {
    card.hidden = !shown.includes(card);
    if (card.hidden) erase(card.querySelector(".chart"));
  });
  grid.append(...shown);
  find("page-words").textContent = chosen.length
    ? `${page * PAGE + 1} to ${page * PAGE + shown.length} of ${chosen.length}` : "none";
  find("page-back").disabled = page === 0;
  find("page-on").disabled = page === pages - 1;
  find("no-column").hidden = chosen.length > 0;
}

function turn(step) {
  page += step;
  showColumns();
  find("columns").scrollIntoView();
}

function enlarge(card) {
  const dialog = find("enlarged");
  find("enlarged-title").textContent = card.dataset.name;
  dialog.showModal();
  const figure = figureOf(card.querySelector(".chart").dataset.figure, "full");
  window.Plotly.newPlot(find("enlarged-chart"), figure.data, figure.layout, { ...OFFLINE, responsive: true });
}

function startColumns() {
  if (!grid) return;
  for (const id of ["column-search", "column-order"]) find(id).addEventListener("input", () => { page = 0; showColumns(); });
  find("page-back").addEventListener("click", () => turn(-1));
  find("page-on").addEventListener("click", () => turn(1));
  grid.addEventListener("click", (event) => {
    const button = event.target.closest(".enlarge");
    if (button && window.Plotly) enlarge(button.closest(".column"));
  });
  find("enlarged-close").addEventListener("click", () => find("enlarged").close());
  find("enlarged").addEventListener("close", () => window.Plotly.purge(find("enlarged-chart")));
  showColumns();
}

// --- table of all measures -----------------------------------------------------------------

const lines = all("#lines tbody tr");

function filterLines() {
  const wanted = find("line-search").value.trim().toLowerCase();
  const about = find("line-about").value;
  let count = 0;
  for (const line of lines) {
    line.hidden = (about && line.dataset.about !== about) || !line.textContent.toLowerCase().includes(wanted);
    count += !line.hidden;
  }
  find("lines").classList.toggle("whole", about === "table");
  find("line-words").textContent = `${count} of ${lines.length} lines`;
}

function sortLines(head, place) {
  const isUp = head.getAttribute("aria-sort") !== "ascending";
  all("#lines th").forEach((other) => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
  const sign = isUp ? 1 : -1;
  const value = (line) => Number(line.cells[place].dataset.value);
  const compare = head.classList.contains("number")
    ? (a, b) => {
      const [x, y] = [value(a), value(b)];
      return Number.isNaN(x) || Number.isNaN(y) ? Number.isNaN(x) - Number.isNaN(y) : sign * (x - y);
    }
    : (a, b) => sign * a.cells[place].textContent.localeCompare(b.cells[place].textContent);
  find("lines").tBodies[0].append(...lines.sort(compare));
}

function startLines() {
  all("#lines th").forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sortLines(head, place));
    head.replaceChildren(button);
  });
  for (const id of ["line-search", "line-about"]) find(id).addEventListener("input", filterLines);
  filterLines();
}

// --- print ---------------------------------------------------------------------------------

let before = null;

function expand() {
  if (before) return;
  before = {
    theme: root.dataset.theme,
    shut: all("details:not([open])"),
    hidden: all(".column[hidden], #lines tr[hidden]"),
    drawn: [...drawn],
  };
  root.classList.add("printing");
  root.dataset.theme = "light";
  find("lines").classList.remove("whole");
  before.shut.forEach((each) => { each.open = true; });
  before.hidden.forEach((each) => { each.hidden = false; });
  before.drawn.forEach(erase); // a chart takes its size when it is drawn
  all(".chart").forEach(draw);
}

function restore() {
  if (!before) return;
  const { theme, shut, hidden, drawn: wanted } = before;
  before = null;
  drawn.forEach(erase);
  root.classList.remove("printing");
  shut.forEach((each) => { each.open = false; });
  hidden.forEach((each) => { each.hidden = true; });
  filterLines();
  setTheme(theme);
  wanted.forEach(draw);
}

// --- links ---------------------------------------------------------------------------------

function openTerm() {
  const target = location.hash && find(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

function markSection() {
  const sections = all("main > section");
  const watch = new IntersectionObserver(() => {
    const isEnd = scrollY + innerHeight > root.scrollHeight - 8;
    const current = isEnd ? sections.at(-1) : sections.filter((each) => each.getBoundingClientRect().top < innerHeight / 3).pop();
    all(".bar a").forEach((link) => {
      if (current && link.hash === `#${current.id}`) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  }, { rootMargin: "-30% 0px -60%" });
  sections.forEach((each) => watch.observe(each));
}

find("theme").addEventListener("click", () => setTheme(isDark() ? "light" : "dark"));
systemDark.addEventListener("change", () => { nameTheme(); redraw(); });
find("print").addEventListener("click", () => window.print());
addEventListener("beforeprint", expand);
addEventListener("afterprint", restore);
addEventListener("hashchange", openTerm);
nameTheme();
startColumns();
startLines();
openTerm();
markSection();
start();
