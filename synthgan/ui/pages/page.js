"use strict";
// A file that is dropped, and the job under way. All else works without a script.

const drop = document.getElementById("drop");
if (drop) {
  const input = drop.querySelector("input");
  const form = drop.closest("form");
  for (const kind of ["dragenter", "dragover"])
    drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files.length === 1) {
      input.files = event.dataTransfer.files;
      form.requestSubmit();
    }
  });
  form.addEventListener("submit", () => {
    const button = form.querySelector("button");
    button.disabled = true;
    button.textContent = "Copying the file …";
  });
}

const job = document.getElementById("job");
const SVG = "http://www.w3.org/2000/svg";

// Losses fall steeply at first: the axis spans the last nine tenths of the curve.
function chart(name, points) {
  const figure = document.createElement("figure");
  const svg = figure.appendChild(document.createElementNS(SVG, "svg"));
  svg.setAttribute("viewBox", "0 0 100 100");
  svg.setAttribute("preserveAspectRatio", "none");
  const shown = points.slice(Math.floor(points.length / 10)).map(([, loss]) => loss);
  const low = Math.min(...shown), high = Math.max(...shown), last = points[points.length - 1];
  const height = (loss) => 96 - 92 * (high > low ? (Math.min(loss, high) - low) / (high - low) : 0.5);
  const line = svg.appendChild(document.createElementNS(SVG, "polyline"));
  line.setAttribute("points", points.map(([step, loss]) => `${(100 * step) / last[0]},${height(loss)}`).join(" "));
  const caption = figure.appendChild(document.createElement("figcaption"));
  caption.textContent = `${name} ${last[1].toPrecision(4)} at step ${last[0].toLocaleString("en")}`;
  return figure;
}

function show(found) {
  document.getElementById("line").textContent = found.line;
  const share = document.getElementById("share");
  if (share) {
    if (found.share === null) share.removeAttribute("value");
    else share.value = found.share;
  }
  const drawn = Object.entries(found.curves).filter(([, points]) => points.length > 1);
  document.getElementById("curves").replaceChildren(...drawn.map(([name, points]) => chart(name, points)));
}

async function watch() {
  try {
    const found = await (await fetch(job.dataset.url)).json();
    show(found);
    if (found.state !== "running") {
      if (job.dataset.state === "running") location.reload();
      return;
    }
  } catch {
    document.getElementById("line").textContent = "The server does not answer: was 'synthgan ui' stopped?";
  }
  setTimeout(watch, 700);
}
if (job) watch();
