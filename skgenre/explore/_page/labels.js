"use strict";
// Labels that look wrong, one after the other, by the keyboard.

let checked = null; // what the server found
let queue = []; // entries { number, genre, confidence }
let place = -1;

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

function fillGenres() {
  element("genres").replaceChildren(...songs.genreNames.map((name) => {
    const option = make("option");
    option.value = name;
    return option;
  }));
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
  options.push(["none", "without a label"], ["selection", "the selection"]);
  if (heard.genres) songs.genres.forEach((genre, i) => options.push([`genre ${i}`, `most like ${genre}`]));
  const before = element("which").value;
  fillSelect(element("which"), options);
  if (!checked && options.some(([value]) => value === before)) element("which").value = before;
}

function showQueue() {
  const which = element("which").value;
  const all = songs.titles.map((_, number) => number);
  if (which.startsWith("pair")) {
    const pair = checked.pairs[Number(which.slice(5))];
    queue = pair.numbers.map((number) => ({ number, genre: pair.genre }));
  } else if (which === "none") queue = all.filter((n) => !songs.labels[n]).map((number) => ({ number }));
  else if (which === "selection") queue = [...selection].map((number) => ({ number }));
  else if (which.startsWith("genre")) queue = mostLike(Number(which.slice(6)));
  else queue = checked.suspects;
  if (which === "unchecked") queue = queue.filter(({ number }) => !songs.checked.has(number));
  place = -1;
  paintQueue();
}

function mostLike(genre) {
  return heard.numbers
    .map((number, i) => ({ number, genre: songs.genres[heard.genres[i]], confidence: heard.confidence[i] }))
    .filter((_, i) => heard.genres[i] === genre)
    .sort((a, b) => b.confidence - a.confidence);
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
