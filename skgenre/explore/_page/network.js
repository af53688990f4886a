"use strict";
// What the model's network has learned. Its filters are computed when somebody asks.

let layers = null; // name and number of filters of each
let shownFilters = 0;

async function showNetwork() {
  const note = element("network-note");
  try {
    const { curves, most_like: most } = await askJson("network");
    element("most-like").replaceChildren(...most.map(({ genre, songs: found }) => {
      const group = make("div"), list = make("ol", { kind: "songs" });
      list.append(...found.map(({ number, probability }) => songLine(number, {
        note: `${Math.round(100 * probability)} %`,
        on: () => openSong(number),
      })));
      const heading = make("h3");
      heading.append(isolated(genre));
      group.append(heading, list);
      return group;
    }));
    element("curves").replaceChildren(...curves.map(curveFigure));
    if (layers) return;
    note.textContent = "The network is loaded …";
    layers = await askJson("network/layers");
    fillSelect(element("layer"), layers.map(({ name, n_filters: n }, i) => [i, `${name} (${n})`]));
    note.textContent = "Choose a layer.";
    element("show-filters").disabled = false;
  } catch (error) {
    note.textContent = error.message;
  }
}

const SVG = "http://www.w3.org/2000/svg";
const WIDE = 240, TALL = 130, LEFT = 38, BELOW = 18;

function drawn(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// Training and validation, epoch by epoch.
function curveFigure({ title, training, validation }) {
  const known = [...training, ...validation].filter((value) => value !== null);
  const low = Math.min(...known), high = Math.max(...known), n = training.length;
  const x = (i) => LEFT + (n > 1 ? i / (n - 1) : 0.5) * (WIDE - LEFT - 6);
  const y = (value) => 6 + (1 - (value - low) / (high - low || 1)) * (TALL - BELOW - 12);
  const last = (values) => values.at(-1)?.toPrecision(3) ?? "unknown";
  const about = [`training ${last(training)}`, ...(validation.length ? [`validation ${last(validation)}`] : [])];
  const plot = drawn("svg", { viewBox: `0 0 ${WIDE} ${TALL}`, role: "img", "aria-label": `${title} over ${n} epochs; in the end ${about.join(", ")}` });
  plot.append(
    drawn("path", { class: "axis", d: `M${LEFT} 4V${TALL - BELOW}H${WIDE}` }),
    drawn("text", { x: LEFT - 4, y: 14, "text-anchor": "end" }, high.toPrecision(2)),
    drawn("text", { x: LEFT - 4, y: TALL - BELOW, "text-anchor": "end" }, low.toPrecision(2)),
    drawn("text", { x: WIDE, y: TALL - 4, "text-anchor": "end" }, `epoch ${n}`),
  );
  [["training", training], ["validation", validation]].forEach(([kind, values]) => {
    const points = values.map((value, i) => value !== null && `${x(i).toFixed(1)} ${y(value).toFixed(1)}`).filter(Boolean);
    if (points.length) plot.append(drawn("path", { class: kind, d: `M${points.length > 1 ? points.join("L") : `${points[0]}h.1`}` }));
  });
  const figure = make("figure"), caption = make("figcaption", { text: `${title}: ${about.join(", ")}` });
  figure.append(plot, caption);
  return figure;
}

async function showFilters(isMore) {
  const note = element("network-note"), layer = Number(element("layer").value);
  const first = isMore ? shownFilters : 0;
  const controls = ["show-filters", "more-filters", "layer"].map(element);
  for (const control of controls) control.disabled = true;
  note.textContent = "Sounds are looked for to which the filters respond most …";
  try {
    const found = await askJson(`network/layers/${layer}/${first}`);
    const figures = found.filters.map((each) => filterFigure(layer, each, found.is_heard));
    if (isMore) element("filters").append(...figures);
    else element("filters").replaceChildren(...figures);
    shownFilters = first + found.filters.length;
    const isGenre = layer === layers.length - 1;
    note.textContent = isGenre ?
      "What the network would like to hear more of, for each genre; it is no music." :
      "What each filter responds to most, and its mean response before and after. Time goes to the right, pitch upwards.";
  } catch (error) {
    note.textContent = error.message;
  }
  for (const control of controls) control.disabled = false;
  element("more-filters").hidden = shownFilters >= layers[layer].n_filters || !element("filters").children.length;
}

function filterFigure(layer, found, isHeard) {
  const figure = make("figure"), caption = make("figcaption");
  const sight = spectrogramCanvas(found);
  sight.setAttribute("role", "img");
  sight.setAttribute("aria-label", `Spectrogram that ${found.name} responds to most`);
  caption.append(isolated(found.name), make("small", { text: ` ${found.active.map((value) => value.toPrecision(2)).join(" → ")}` }));
  figure.append(sight, caption);
  if (isHeard) {
    const button = make("button", { text: "Hear", on: () => hearFilter(layer, found) });
    button.setAttribute("aria-label", `Hear what ${found.name} responds to`);
    caption.append(button);
  }
  return figure;
}

async function hearFilter(layer, { number, name }) {
  const note = element("network-note"), key = `filter ${number} of ${layer}`;
  if (audio.dataset.key === key && !audio.paused) {
    audio.pause();
    return;
  }
  note.textContent = `A sound is made of what ${name} responds to …`;
  audio.dataset.key = audio.dataset.begun = key;
  audio.dataset.wav = "yes"; // there is no other form of it
  audio.src = `api/network/layers/${layer}/${number}/sound`;
  try {
    await audio.play();
    note.textContent = `This is what ${name} responds to most.`;
  } catch (error) { // of another sound that is played instead, too
    if (error.name !== "AbortError") note.textContent = `It can't be played: ${error.message}`;
  }
}

element("show-filters").addEventListener("click", () => showFilters(false));
element("more-filters").addEventListener("click", () => showFilters(true));
element("layer").addEventListener("change", () => {
  element("more-filters").hidden = true;
});
