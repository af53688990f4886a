"use strict";
// Labels that look wrong, one after the other, by the keyboard.

let checked = null; // what the server found
let queue = []; // entries { number, genre, confidence }
let place = -1;
let isWanted = () => true; // what the filter lets through, by number

async function changeLabel(number, genre) {
  const { label } = await askJson("labels", { number, genre });
  songs.labels[number] = label;
  songs.checked.add(number);
  if (!songs.genreNames.includes(label)) {
    songs.genreNames.push(label);
    fillGenres();
  }
  if (song.number === number) {
    element("label").value = label;
    showFacts();
  }
  recolor("label");
}

function fillList(id, names) {
  element(id).replaceChildren(...names.map((name) => {
    const option = make("option");
    option.value = name;
    return option;
  }));
}

function fillGenres() {
  fillList("genres", songs.genreNames);
}

async function findSuspects() {
  const button = element("check"), note = element("label-note");
  button.disabled = true;
  note.textContent = "Comparing …";
  try {
    checked = await askJson("suspects");
    const { suspects, n_checked: n, agreement } = checked;
    note.textContent = `${suspects.length} of ${n} labels look wrong; predictions for artists not trained on agree with ${Math.round(100 * agreement)} % of them.`;
    fillWhich();
    element("which").value = "suspects";
    showQueue();
  } catch (error) {
    note.textContent = error.message;
  }
  button.disabled = false;
}

function fillWhich() {
  const options = [];
  if (checked) {
    options.push(["suspects", `all that look wrong (${checked.suspects.length})`], ["unchecked", "those not looked at yet"]);
    checked.pairs.slice(0, 20).forEach((pair, i) => {
      options.push([`pair ${i}`, `${pair.label} heard as ${pair.genre} (${pair.numbers.length})`]);
    });
  }
  options.push(["none", "without a label"], ["all", "all songs"], ["selection", "the selection"]);
  if (heard.genres) songs.genres.forEach((genre, i) => options.push([`genre ${i}`, `most like ${genre}`]));
  const before = element("which").value;
  fillSelect(element("which"), options);
  if (options.some(([value]) => value === before)) element("which").value = before;
}

// A song with what it is heard as, if it has been.
function asHeard(number) {
  const i = map.placeOf?.get(number);
  if (i === undefined || !heard.genres) return { number };
  return { number, genre: songs.genres[heard.genres[i]], confidence: heard.confidence[i] };
}

function showQueue() {
  const which = element("which").value;
  const all = songs.titles.map((_, number) => number);
  if (which.startsWith("pair")) {
    const pair = checked.pairs[Number(which.slice(5))];
    queue = pair.numbers.map((number) => ({ number, genre: pair.genre }));
  } else if (which === "all") queue = all.map(asHeard);
  else if (which === "none") queue = all.filter((number) => !songs.labels[number]).map(asHeard);
  else if (which === "selection") queue = [...selection].map(asHeard);
  else if (which.startsWith("genre")) queue = mostLike(Number(which.slice(6)));
  else queue = checked ? checked.suspects : []; // before the first map, there is no choice
  if (which === "unchecked") queue = queue.filter(({ number }) => !songs.checked.has(number));
  queue = queue.filter(({ number }) => isWanted(number));
  element("n-queued").textContent = queue.length === 1 ? "1 song" : `${queue.length.toLocaleString("en")} songs`;
  place = -1;
  paintQueue();
}

function mostLike(genre) {
  return heard.numbers
    .filter((_, i) => heard.genres[i] === genre)
    .map(asHeard)
    .sort((a, b) => b.confidence - a.confidence);
}

// The filter: any column that can be a colour of the map.

async function valuesBySong(column) {
  const values = songs.titles.map((_, number) => valueOf(column, number));
  if (["prediction", "confidence", "cluster"].includes(column)) {
    const found = (await valuesOnMap(column)) || [];
    heard.numbers.forEach((number, i) => {
      values[number] = found[i];
    });
  }
  return values;
}

async function chooseFilter() {
  const column = element("filter-column").value;
  let values = [];
  try {
    if (column) values = await valuesBySong(column);
  } catch (error) {
    element("label-note").textContent = error.message;
  }
  const isNumber = values.some((value) => typeof value === "number");
  for (const [id, isShown] of [["text", column && !isNumber], ["low", isNumber], ["high", isNumber]]) {
    element(`filter-${id}`).value = "";
    element(`filter-${id}`).parentElement.hidden = !isShown;
  }
  const names = isNumber ? [] : [...new Set(values.filter(Boolean))].sort();
  fillList("filter-values", names.slice(0, MOST_SHOWN));
  isWanted = () => true;
  showQueue();
}

async function applyFilter() {
  const column = element("filter-column").value;
  const values = await valuesBySong(column);
  const text = element("filter-text").value.trim().toLowerCase();
  const [low, high] = ["low", "high"].map((end) => element(`filter-${end}`).value);
  isWanted = (number) => {
    const value = values[number];
    if (text) return typeof value === "string" && value.toLowerCase().includes(text);
    if (!low && !high) return true;
    return typeof value === "number" && (!low || value >= Number(low)) && (!high || value <= Number(high));
  };
  showQueue();
}

const MOST_SHOWN = 500;

function paintQueue() {
  element("queue").replaceChildren(...queue.slice(0, MOST_SHOWN).map((entry, i) => {
    const { number, genre, confidence } = entry;
    const label = songs.labels[number] || "none";
    const note = [`label ${label}`, genre && `heard as ${genre}`, confidence && `${Math.round(100 * confidence)} % sure`];
    const line = songLine(number, {
      note: note.filter(Boolean).join(", "),
      kind: i === place ? "current" : "",
      on: () => goTo(i),
    });
    if (songs.checked.has(number)) line.append(make("span", { kind: "number", text: "✓ checked" }));
    return line;
  }));
  element("queue").children[place]?.scrollIntoView({ block: "nearest" });
}

function goTo(i) {
  if (i < 0 || i >= queue.length) return;
  place = i;
  openSong(queue[i].number);
  paintQueue();
}

async function decide(genre) {
  const entry = queue[place];
  if (!entry || !genre) return;
  try {
    await changeLabel(entry.number, genre);
    if (place + 1 < queue.length) goTo(place + 1);
    else paintQueue();
  } catch (error) {
    element("label-note").textContent = error.message;
  }
}

const KEYS = {
  " ": () => (audio.paused ? audio.play() : audio.pause()),
  k: () => decide(songs.labels[queue[place]?.number]),
  h: () => decide(queue[place]?.genre),
  l: () => element("label").focus(),
  n: () => goTo(place + 1),
  p: () => goTo(place - 1),
  ArrowDown: () => goTo(place + 1),
  ArrowUp: () => goTo(place - 1),
};

document.addEventListener("keydown", (event) => {
  if (element("view-labels").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea, audio, [role=tab]")) return;
  if (event.key === " " && event.target.closest("button:not(.go)")) return;
  const act = KEYS[event.key];
  if (!act || (saved && "khl".includes(event.key))) return;
  event.preventDefault();
  act();
});

element("check").addEventListener("click", findSuspects);
element("which").addEventListener("change", showQueue);
element("filter-column").addEventListener("change", chooseFilter);
for (const end of ["text", "low", "high"]) element(`filter-${end}`).addEventListener("input", applyFilter);
element("label-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const number = song.number, genre = element("label").value;
  try {
    await changeLabel(number, genre);
    showProblem("");
    const isQueued = queue[place]?.number === number && !element("view-labels").hidden;
    if (isQueued) {
      element("label").blur();
      if (place + 1 < queue.length) goTo(place + 1);
      else paintQueue();
    }
  } catch (error) {
    showProblem(error.message);
  }
});
