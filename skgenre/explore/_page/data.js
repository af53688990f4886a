"use strict";
// What the page knows of the songs, and how it asks the server for more. Every text of
// a file reaches the page by textContent only.

const songs = { titles: [], columns: {}, labels: [], checked: new Set(), place: new Map() };
const selection = new Set();

// A page that was saved has all that it can answer with in itself, and no server.
const saved = element("saved") && JSON.parse(element("saved").textContent);
document.documentElement.classList.toggle("is-saved", Boolean(saved));

async function ask(path, body) {
  if (saved) {
    if (path in saved) return { json: async () => saved[path] };
    throw new Error("A saved page does not have this.");
  }
  const options = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(`api/${path}`, options);
  if (!response.ok) throw new Error(await reason(response));
  return response;
}

async function reason(response) {
  try {
    return (await response.json()).error;
  } catch {
    return `The server says ${response.status}. Is skgenre still running?`;
  }
}

async function askJson(path, body) {
  return (await ask(path, body)).json();
}

function element(id) {
  return document.getElementById(id);
}

function make(tag, { text, kind, title, on } = {}) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  if (title) made.title = title;
  if (tag === "button") made.type = "button";
  if (on) made.addEventListener("click", on);
  return made;
}

function isolated(text) {
  return make("bdi", { text });
}

function valueOf(column, number) {
  if (column === "label") return songs.labels[number];
  const packed = songs.columns[column];
  if (!packed) return null;
  if (packed.values) return packed.values[number];
  return packed.codes[number] < 0 ? null : packed.names[packed.codes[number]];
}

function songLine(number, { note, kind, on } = {}) {
  const line = make("li");
  const button = make("button", { kind: "go", on });
  button.append(isolated(songs.titles[number]));
  const about = [valueOf("artist", number), note].filter(Boolean).join(" · ");
  if (about) {
    const small = make("small");
    small.append(isolated(about));
    button.append(small);
  }
  line.append(button);
  if (kind) line.classList.add(kind);
  line.dataset.number = number;
  return line;
}

function download(text, name) {
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
