"use strict";
// The page as a whole: progress, the map's colours, finding, selecting, dropping.

const map = new SongMap(element("map"), element("tip"), {
  choose: (number) => openSong(number),
  lassoed: (numbers) => select(numbers),
});
const MOST_GROUPS = 28;
let heard = { numbers: [], genres: null, confidence: null };
let clusters = null;
let nOnMap = 0;

function showView(name) {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const isShown = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", isShown);
    tab.tabIndex = isShown ? 0 : -1;
    element(tab.getAttribute("aria-controls")).hidden = !isShown;
  }
  if (name === "map") map.redraw();
  if (name === "network") showNetwork();
  if (name === "labels" && !queue.length) showQueue();
}

for (const tab of document.querySelectorAll("[role=tab]")) {
  tab.addEventListener("click", () => showView(tab.id.slice(4)));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const tabs = [...document.querySelectorAll("[role=tab]:not([hidden])")];
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    showView(next.id.slice(4));
    next.focus();
  });
}

function fillSelect(select, options) {
  select.replaceChildren(...options.map(([value, text]) => {
    const option = make("option", { text });
    option.value = value;
    return option;
  }));
}

const REDUCTIONS = { pca: "PCA, at once", umap: "UMAP, keeps neighbours" };

async function start() {
  const known = await askJson("songs");
  Object.assign(songs, known, { checked: new Set(known.checked) });
  document.title = `Explore ${songs.title}`;
  element("title").textContent = `Explore ${songs.title}`;
  element("file").textContent = songs.file;
  element("meaning").textContent = songs.meaning;
  element("tab-network").hidden = !songs.has_network || Boolean(saved);
  songs.genreNames = [...new Set([...songs.labels.filter(Boolean), ...songs.genres])].sort();
  fillGenres();
  const own = Object.keys(songs.columns).map((name) => [name, name]);
  const predicted = songs.genres.length ? [["prediction", "prediction"], ["confidence", "confidence"]] : [];
  const columns = [...predicted.slice(0, 1), ["label", "label"], ["cluster", "cluster"], ...predicted.slice(1), ...own];
  fillSelect(element("color"), columns);
  fillSelect(element("filter-column"), [["", "any"], ...columns]);
  if (songs.labels.some(Boolean)) element("color").value = "label";
  fillSelect(element("reduction"), songs.reductions.map((name) => [name, REDUCTIONS[name] || name]));
  if (!saved) {
    fillSelect(element("recipe"), songs.recipes.map((name) => [name, RECIPES[name] || name]));
    followTraining();
  }
  await poll();
}

async function poll() {
  let state;
  try {
    state = await askJson("state");
  } catch (error) {
    element("progress").textContent = "The server does not answer: skgenre may have been stopped.";
    setTimeout(poll, 5000);
    return;
  }
  showState(state);
  const isOver = state.phase !== "listening";
  const isWorthIt = state.n_heard >= 2 && (state.n_heard > 1.3 * nOnMap || (isOver && state.n_heard > nOnMap));
  if (isWorthIt) await showMap();
  if (!isOver) setTimeout(poll, 1000);
}

function showState(state) {
  const { phase, n_songs: n, n_heard: done, n_left_out: out } = state;
  const counts = `${done.toLocaleString("en")} of ${n.toLocaleString("en")} songs`;
  const left = out ? `, ${out} left out` : "";
  element("progress").textContent = {
    listening: `Listening: ${counts}${left} …`,
    done: `${counts}${left}`,
    stopped: `Stopped: ${counts}${left}`,
    failed: `Failed after ${counts}: ${state.failure}`,
  }[phase];
  element("n-problems").textContent = state.n_problems || "";
  element("no-problems").hidden = state.n_problems > 0;
  const lines = state.problems.map(({ number, path, text }) => songLine(number, {
    note: `${path}: ${text}`,
    on: () => openSong(number),
  }));
  if (state.n_problems > lines.length) lines.push(make("li", { text: `and ${state.n_problems - lines.length} more` }));
  element("problems").replaceChildren(...lines);
}

async function showMap() {
  const reduction = element("reduction").value || "pca";
  const note = element("axes");
  if (reduction === "umap") note.textContent = "UMAP is computed …";
  try {
    const found = await askJson(`map/${reduction}`);
    heard = found;
    clusters = null;
    nOnMap = found.numbers.length;
    map.place(found.numbers, found.x, found.y);
    fillWhich();
    await paintColors();
    note.textContent = `Across: ${found.axes[0]}; upwards: ${found.axes[1]}.`;
    showTruth(reduction);
  } catch (error) {
    note.textContent = error.message;
  }
}

async function showTruth(reduction) {
  const { trust, n_neighbors: k, n_sampled: sampled, note } = await askJson(`truth/${reduction}`);
  const of = sampled ? ` of a sample of ${sampled.toLocaleString("en")} songs` : "";
  const value = trust === null ? "There are too few songs to say how true the map is." :
    `Trustworthiness ${trust.toFixed(2)}${of}, where 1 means that songs that are near on the map (the ${k} nearest of each) sound most alike, too, and 0.5 is chance.`;
  element("truth").textContent = `${value} ${note} The list beside a chosen song has its true neighbours; lines on the map lead to them.`;
}

async function valuesOnMap(column) {
  if (column === "prediction") return heard.genres?.map((i) => songs.genres[i]);
  if (column === "confidence") return heard.confidence;
  if (column === "cluster") {
    if (!clusters) {
      const found = await askJson("clusters");
      const of = new Map(found.numbers.map((number, i) => [number, found.clusters[i]]));
      clusters = heard.numbers.map((number) => of.get(number) ?? null);
    }
    return clusters;
  }
  return heard.numbers.map((number) => valueOf(column, number));
}

async function paintColors() {
  const column = element("color").value;
  let values;
  try {
    values = (await valuesOnMap(column)) || heard.numbers.map(() => null);
  } catch (error) {
    element("axes").textContent = error.message;
    return;
  }
  if (values.some((value) => typeof value === "number")) colorByNumber(values);
  else colorByName(values);
}

function recolor(column) {
  if (element("color").value === column) paintColors();
}

function colorByName(values) {
  const counts = new Map();
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) || 0) + 1);
  const names = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, MOST_GROUPS).map(([name]) => name);
  const codeOf = new Map(names.map((name, i) => [name, i]));
  const groups = names.map((name, i) => ({
    name,
    n: counts.get(name),
    color: songs.colors[i % songs.colors.length],
    shape: songs.shapes[i % songs.shapes.length],
  }));
  const codes = Int16Array.from(values, (value) => codeOf.get(value) ?? names.length);
  const nRest = codes.reduce((n, code) => n + (code === names.length), 0);
  if (nRest) {
    const nRare = counts.size - names.length;
    const name = nRare ? `none, or ${nRare} rarer ones` : "none";
    groups.push({ name, n: nRest, color: "#9aa5b1", shape: songs.shapes[0] });
  }
  map.color(codes, groups);
  element("key").replaceChildren(...groups.map((group, code) => {
    const button = make("button", { on: () => button.setAttribute("aria-pressed", map.toggle(code)) });
    button.setAttribute("aria-pressed", "true");
    const sign = make("canvas");
    sign.width = sign.height = 26;
    const context = sign.getContext("2d");
    context.translate(13, 13);
    context.scale(2, 2);
    context.fillStyle = group.color;
    context.fill(new Path2D(group.shape));
    const line = make("li");
    button.append(sign, isolated(group.name), make("small", { text: group.n.toLocaleString("en") }));
    line.append(button);
    return line;
  }));
}

function mixed(share) {
  const at = share * (RAMP.length - 1), i = Math.min(Math.floor(at), RAMP.length - 2);
  const parts = (color) => [1, 3, 5].map((c) => parseInt(color.slice(c, c + 2), 16));
  const [a, b] = [parts(RAMP[i]), parts(RAMP[i + 1])];
  return `rgb(${a.map((value, c) => Math.round(value + (b[c] - value) * (at - i))).join(" ")})`;
}

function colorByNumber(values) {
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    if (value === null) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const groups = Array.from({ length: N_STEPS }, (_, i) => ({
    name: `about ${(low + ((i + 0.5) / N_STEPS) * (high - low)).toPrecision(3)}`,
    color: mixed(i / (N_STEPS - 1)),
    shape: songs.shapes[0],
  }));
  groups.push({ name: "not known", color: "#9aa5b1", shape: songs.shapes[0] });
  const codes = Int16Array.from(values, (value) => (
    value === null ? N_STEPS : Math.min(N_STEPS - 1, Math.floor((N_STEPS * (value - low)) / (high - low || 1)))
  ));
  map.color(codes, groups);
  const line = make("li", { kind: "range" }), scale = make("canvas", { kind: "scale" });
  scale.width = N_STEPS;
  scale.height = 1;
  const context = scale.getContext("2d");
  groups.slice(0, N_STEPS).forEach((group, i) => {
    context.fillStyle = group.color;
    context.fillRect(i, 0, 1, 1);
  });
  line.append(make("span", { text: low.toPrecision(3) }), scale, make("span", { text: high.toPrecision(3) }));
  element("key").replaceChildren(line);
}

const MOST_FOUND = 50;

element("find").addEventListener("input", () => {
  const wanted = element("find").value.trim().toLowerCase();
  const found = [];
  for (let number = 0; wanted && number < songs.titles.length && found.length < MOST_FOUND; number++) {
    const text = `${songs.titles[number]} ${valueOf("artist", number) || ""}`.toLowerCase();
    if (text.includes(wanted)) found.push(number);
  }
  element("found").hidden = !wanted;
  const lines = found.map((number) => songLine(number, { on: () => openSong(number) }));
  element("found").replaceChildren(...(lines.length ? lines : [make("li", { text: "Nothing found." })]));
});
element("color").addEventListener("change", paintColors);
element("reduction").addEventListener("change", showMap);
element("whole").addEventListener("click", () => map.whole());
element("lasso").addEventListener("click", () => {
  map.isLasso = !map.isLasso;
  element("lasso").setAttribute("aria-pressed", map.isLasso);
});

// The selection

let disliked = new Set();

function select(numbers) {
  numbers.forEach((number) => selection.add(number));
  showSelection();
}

function showSelection(note = "") {
  element("n-selected").textContent = selection.size === 1 ? "1 song" : `${selection.size || "No"} songs`;
  element("selection-note").textContent = note;
  for (const id of ["save-m3u", "save-csv", "save-train", "more", "clear"]) element(id).disabled = !selection.size;
  element("train").disabled = isTraining || !selection.size;
  element("path").disabled = selection.size !== 2;
  element("selected").replaceChildren(...[...selection].slice(0, MOST_FOUND).map((number) => {
    const line = songLine(number, { on: () => openSong(number) });
    const remove = make("button", { text: "×", on: () => {
      selection.delete(number);
      showSelection();
    } });
    remove.setAttribute("aria-label", `Remove ${songs.titles[number]}`);
    line.append(remove);
    return line;
  }));
  map.draw();
}

async function replaceSelection(path, body, what) {
  try {
    const found = await askJson(path, body);
    found.forEach(({ number }) => selection.add(number));
    if (path === "path") {
      const order = found.map(({ number }) => number);
      selection.clear();
      order.forEach((number) => selection.add(number));
    }
    showSelection(what(found));
  } catch (error) {
    element("selection-note").textContent = error.message;
  }
}

function like(liked) {
  const body = { liked, disliked: [...disliked], k: 10, other_artists: false };
  return replaceSelection("like", body, (found) => `${found.length} songs like ${liked.length === 1 ? "it" : "these"} were added.`);
}

element("select-one").addEventListener("click", () => select([song.number]));
element("like").addEventListener("click", () => {
  disliked.delete(song.number);
  select([song.number]);
  like([song.number]);
});
element("dislike").addEventListener("click", () => {
  disliked.add(song.number);
  selection.delete(song.number);
  showSelection(`Songs nearer to ${songs.titles[song.number]} will be left out of "more like these".`);
});
element("more").addEventListener("click", () => like([...selection]));
element("path").addEventListener("click", () => replaceSelection(
  "path",
  { ends: [...selection], k: 10 },
  (found) => `A path of ${found.length} songs, in order.`,
));
element("clear").addEventListener("click", () => {
  selection.clear();
  disliked = new Set();
  showSelection();
});
for (const [format, name] of [["m3u", "selection.m3u8"], ["csv", "selection.csv"], ["train", "labels.csv"]]) {
  element(`save-${format}`).addEventListener("click", async () => {
    try {
      const response = await ask("export", { numbers: [...selection], format });
      download(await response.text(), name);
      element("selection-note").textContent = `Saved as ${name}.`;
    } catch (error) {
      element("selection-note").textContent = error.message;
    }
  });
}

// A song from elsewhere

async function drop(file) {
  const note = element("drop-note");
  if (file.size > songs.most_bytes) {
    note.textContent = `The file is larger than ${songs.most_bytes >> 20} MiB. Drop a smaller one.`;
    return;
  }
  note.textContent = `Listening to ${file.name} …`;
  try {
    const response = await fetch("api/drop", {
      method: "POST",
      headers: { "X-Name": encodeURIComponent(file.name) },
      body: file,
    });
    if (!response.ok) throw new Error(await reason(response));
    const found = await response.json();
    note.textContent = `${file.name} was heard.`;
    openSong(found.key, { found });
  } catch (error) {
    note.textContent = error.message;
  }
}

element("drop").addEventListener("change", (event) => {
  if (event.target.files.length) drop(event.target.files[0]);
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  if (!saved) document.body.classList.add("dropping");
});
document.addEventListener("dragleave", () => document.body.classList.remove("dropping"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  if (event.dataTransfer.files.length && !saved) drop(event.dataTransfer.files[0]);
});

showSelection();
start().catch((error) => {
  element("progress").textContent = error.message;
});
