"use strict";
// One song: what it sounds like, what it looks like, and what is near it.

const audio = element("audio");
let song = { key: null, number: -1 };
let timeline = null;
let why = null; // what speaks for the genre: octaves, or parts of the spectrogram
const OTHERS = "#9aa5b1";

// Plays from the middle: there, a song is itself.
function play(key) {
  delete audio.dataset.wav;
  audio.dataset.key = key;
  if (saved && !saved[`songs/${key}/sound`]) {
    audio.removeAttribute("src");
    return;
  }
  audio.src = saved ? saved[`songs/${key}/sound`] : `api/songs/${key}/sound`;
  audio.play().catch(() => {}); // an error is an event, too
}

audio.addEventListener("loadedmetadata", () => {
  if (audio.dataset.key !== audio.dataset.begun && Number.isFinite(audio.duration)) {
    audio.dataset.begun = audio.dataset.key;
    if (audio.duration > 20) audio.currentTime = audio.duration / 2;
  }
});
audio.addEventListener("error", () => {
  if (!audio.dataset.key || audio.dataset.wav || saved) return;
  audio.dataset.wav = "yes"; // a form that browsers don't play
  audio.src = `api/songs/${audio.dataset.key}/sound?as=wav`;
  audio.play().catch((error) => showProblem(`It can't be played: ${error.message}`));
});

function showProblem(text) {
  element("song-problem").hidden = !text;
  element("song-problem").textContent = text || "";
}

async function openSong(key, { found, isPlayed = true } = {}) {
  const number = typeof key === "number" ? key : -1;
  song = { key, number };
  if (isPlayed) play(key);
  showProblem("");
  const title = number < 0 ? found.title : songs.titles[number];
  element("song-title").replaceChildren(isolated(title));
  showFacts();
  for (const id of ["heard", "near", "song-path"]) element(id).replaceChildren();
  element("near-title").hidden = true;
  element("sight").hidden = true;
  element("song-actions").hidden = element("label-form").hidden = number < 0 || Boolean(saved);
  element("label").value = number < 0 ? "" : songs.labels[number] || "";
  why = null;
  element("why-box").hidden = !songs.genres.length;
  element("why-note").textContent = "";
  element("only").checked = false;
  element("only").disabled = true;
  markCurrent();
  try {
    found = found || (await askJson(`songs/${key}`));
    if (song.key !== key) return;
    showHeard(found);
    if (saved) return;
    const picture = await askJson(`songs/${key}/spectrogram`);
    if (song.key !== key) return;
    showSpectrogram(picture);
    if (found.tags === null) {
      const tags = await askJson(`songs/${key}/tags`);
      if (song.key !== key) return;
      showShares("Tags", tags);
    }
    const genres = await askJson(`songs/${key}/timeline`);
    if (song.key === key) showTimeline(genres);
  } catch (error) {
    if (song.key === key) showProblem(error.message);
  }
}

function showFacts() {
  const { number } = song;
  const facts = number < 0 ? ["not in the collection"] : ["artist", "album", "year"].map((name) => valueOf(name, number));
  if (number >= 0) facts.push(songs.labels[number] && `label: ${songs.labels[number]}`);
  element("song-facts").replaceChildren(isolated(facts.filter(Boolean).join(" · ")));
}

function showHeard(found) {
  element("song-path").replaceChildren(isolated(found.path || ""));
  if (found.problem) showProblem(found.problem);
  element("heard").replaceChildren();
  showShares("Genres", found.genres);
  showShares("Tags", found.tags || []);
  const near = element("near");
  const copies = found.copies.map((number) => ({ number, distance: 0, reasons: ["the same recording"] }));
  near.replaceChildren(...[...copies, ...found.near].map((each) => songLine(each.number, {
    note: [`distance ${each.distance.toFixed(2)}`, ...each.reasons].join(" · "),
    on: () => openSong(each.number),
  })));
  element("near-title").hidden = !found.near.length;
  map.near = found.near.map((each) => each.number);
  map.draw();
}

function showShares(heading, shares) {
  if (!shares.length) return;
  const group = make("div");
  group.append(make("h3", { text: heading }));
  for (const [name, share] of shares) {
    const line = make("div", { kind: "share" });
    const bar = make("meter");
    bar.value = share;
    bar.setAttribute("aria-label", name);
    line.append(isolated(name), bar, make("span", { text: `${Math.round(100 * share)} %` }));
    group.append(line);
  }
  element("heard").append(group);
}

const HEAT = [[0, 0, 4], [59, 15, 112], [140, 41, 129], [222, 73, 104], [254, 159, 109], [252, 253, 191]]; // magma

function heat(share) {
  const at = share * (HEAT.length - 1), i = Math.min(Math.floor(at), HEAT.length - 2);
  return HEAT[i].map((low, c) => low + (HEAT[i + 1][c] - low) * (at - i));
}

let seen = null; // the spectrogram without the line

function spectrogramCanvas(picture) {
  return pixelCanvas(picture, Array.from({ length: 256 }, (_, i) => [...heat(i / 255), 255]));
}

function pixelCanvas({ columns, bands, values }, colors) {
  const bytes = Uint8Array.from(atob(values), (c) => c.charCodeAt(0));
  const canvas = make("canvas");
  canvas.width = columns;
  canvas.height = bands;
  const context = canvas.getContext("2d"), pixels = context.createImageData(columns, bands);
  for (let column = 0; column < columns; column++) {
    for (let band = 0; band < bands; band++) {
      pixels.data.set(colors[bytes[column * bands + band]], 4 * ((bands - 1 - band) * columns + column));
    }
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

function showSpectrogram(found) {
  element("sight").hidden = false;
  element("timeline").hidden = true;
  element("timeline-note").textContent = "";
  element("timeline-key").replaceChildren();
  timeline = null;
  seen = spectrogramCanvas(found);
  seen.seconds = found.seconds;
  paintSight();
}

function showTimeline(found) {
  timeline = found.times.length ? found : null;
  element("timeline").hidden = !timeline;
  if (timeline) {
    chooseColors(timeline);
    const last = found.proba.map((row) => found.genres[row.indexOf(Math.max(...row))]);
    const runs = last.filter((genre, i) => genre !== last[i - 1]);
    element("timeline-note").textContent = `By ${found.by}: ${runs.slice(0, 12).join(" → ")}${runs.length > 12 ? " …" : ""}`;
    element("timeline").setAttribute("aria-label", `Genres through the song: ${runs.slice(0, 30).join(", then ")}`);
  }
  paintSight();
}

// The genres that fill most of this song have a colour each, and the others one.
function chooseColors(found) {
  const sums = found.genres.map((_, genre) => found.proba.reduce((sum, row) => sum + row[genre], 0));
  const order = sums.map((_, genre) => genre).sort((a, b) => sums[b] - sums[a]);
  const named = order.slice(0, songs.colors.length - 1);
  found.colors = sums.map((_, genre) => songs.colors[named.indexOf(genre)] || OTHERS);
  found.order = order;
  const chips = named.map((genre) => [found.genres[genre], found.colors[genre]]);
  if (order.length > named.length) chips.push(["others", OTHERS]);
  element("timeline-key").replaceChildren(...chips.map(([name, color]) => {
    const chip = make("canvas"), line = make("li");
    chip.width = chip.height = 1;
    const context = chip.getContext("2d");
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    line.append(chip, isolated(name));
    return line;
  }));
}

function fitted(canvas) {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(canvas.clientWidth * ratio);
  canvas.height = Math.round(canvas.clientHeight * ratio);
  return canvas.getContext("2d");
}

function paintSight() {
  if (!seen || element("sight").hidden) return;
  const seconds = Math.max(seen.seconds, 0.01);
  for (const id of ["spectrogram", "timeline"]) {
    const canvas = element(id);
    if (canvas.hidden) continue;
    const context = fitted(canvas);
    if (id === "spectrogram") context.drawImage(seen, 0, 0, canvas.width, canvas.height);
    else paintTimeline(context, canvas.width, canvas.height, seconds);
    if (id === "spectrogram" && why?.shade) {
      context.drawImage(why.shade, 0, 0, (why.salience.seconds / seconds) * canvas.width, canvas.height);
    }
    if (id === "spectrogram" && why?.bands) {
      for (const { from, to, weight } of why.bands) {
        context.fillStyle = `rgb(0 0 0 / ${0.85 * (1 - weight)})`;
        context.fillRect(0, (1 - to) * canvas.height, canvas.width, (to - from) * canvas.height);
      }
    }
    if (audio.dataset.key === String(song.key)) {
      const x = (audio.currentTime / seconds) * canvas.width;
      context.fillStyle = id === "spectrogram" ? "#ffffff" : getComputedStyle(canvas).getPropertyValue("--text");
      context.fillRect(x - 1, 0, 2 * (devicePixelRatio || 1), canvas.height);
    }
  }
}

function paintTimeline(context, width, height, seconds) {
  timeline.times.forEach(([start, end], i) => {
    const next = timeline.times[i + 1];
    const until = next ? Math.min(end, next[0]) : end;
    let below = height;
    // Of a model that gives several genres at once, the sum may be more than 1.
    const sum = Math.max(1, timeline.proba[i].reduce((a, b) => a + b, 0));
    timeline.order.forEach((genre) => {
      const tall = (timeline.proba[i][genre] / sum) * height;
      context.fillStyle = timeline.colors[genre];
      context.fillRect((start / seconds) * width, below - tall, ((until - start) / seconds) * width + 1, tall);
      below -= tall;
    });
  });
  context.font = `${Math.round(11 * (devicePixelRatio || 1))}px system-ui, sans-serif`;
  let from = 0;
  const best = timeline.proba.map((row) => row.indexOf(Math.max(...row)));
  for (let i = 1; i <= best.length; i++) {
    if (i < best.length && best[i] === best[from]) continue;
    const name = timeline.genres[best[from]];
    const left = (timeline.times[from][0] / seconds) * width;
    const wide = context.measureText(name).width + 8;
    if ((timeline.times[i - 1][1] / seconds) * width - left > wide) {
      context.fillStyle = "rgb(255 255 255 / .88)";
      context.fillRect(left + 3, 3, wide, height / 3.2);
      context.fillStyle = "#18212c";
      context.fillText(name, left + 7, 3 + height / 4.3);
    }
    from = i;
  }
}

for (const id of ["spectrogram", "timeline"]) {
  element(id).addEventListener("click", (event) => {
    if (!seen) return;
    if (audio.dataset.key !== String(song.key)) play(song.key);
    const share = event.offsetX / event.currentTarget.clientWidth;
    audio.currentTime = share * seen.seconds;
  });
}

element("why").addEventListener("click", async () => {
  const { key } = song, note = element("why-note");
  note.textContent = "It is looked for what speaks for the genre …";
  try {
    const found = await askJson(`songs/${key}/why`);
    if (song.key !== key) return;
    why = found;
    const genre = `${found.genre} (${Math.round(100 * found.probability)} %)`;
    note.textContent = found.bands ? showOctaves(found.bands, genre) : showSalience(found, genre);
    paintSight();
  } catch (error) {
    if (song.key === key) note.textContent = error.message;
  }
});

function showOctaves(bands, genre) {
  const kept = bands.filter((band) => band.is_kept).map(({ low, high }) => `${low}–${Math.round(high)} Hz`);
  element("only").disabled = !kept.length;
  return kept.length ?
    `It would be less ${genre} without ${kept.join(", ")}. What matters less is dark in the spectrogram.` :
    `No octave by itself makes it ${genre}.`;
}

function showSalience(found, genre) {
  found.shade = shadeCanvas(found.salience);
  element("only").disabled = false;
  return `To the network, what stays bright in the spectrogram makes it ${genre}.`;
}

// Black where nothing speaks for the genre.
function shadeCanvas(picture) {
  return pixelCanvas(picture, Array.from({ length: 256 }, (_, i) => [0, 0, 0, 0.85 * (255 - i)]));
}

element("only").addEventListener("change", () => {
  const { key } = song, at = audio.currentTime, isOnly = element("only").checked;
  delete audio.dataset.wav;
  if (isOnly) audio.dataset.wav = "yes"; // there is no other form of it
  audio.dataset.key = audio.dataset.begun = key;
  audio.src = `api/songs/${key}/${isOnly ? "why/sound" : "sound"}`;
  audio.currentTime = at;
  audio.play().catch((error) => {
    if (isOnly && error.name !== "AbortError") showProblem(`It can't be played: ${error.message}`);
  });
});

let isMoving = false;

function follow() {
  paintSight();
  isMoving = !audio.paused && !audio.ended;
  if (isMoving) requestAnimationFrame(follow);
}

audio.addEventListener("play", () => {
  if (!isMoving) follow();
});
audio.addEventListener("seeked", paintSight);
new ResizeObserver(paintSight).observe(element("sight"));

function markCurrent() {
  for (const line of document.querySelectorAll(".songs li")) {
    line.classList.toggle("current", line.dataset.number === String(song.number));
  }
  map.current = map.placeOf?.get(song.number) ?? -1;
  map.near = [];
  map.draw();
}
