"use strict";
// A model that is trained on the selection, which goes on without the page.

const RECIPES = { best: "best: musicnn and logistic regression", fast: "fast: MFCCs and a support vector machine" };

function trainingText({ phase, n_songs: n, n_read: read, failure, result }) {
  switch (phase) {
    case "reading": return `Songs are read: ${read.toLocaleString("en")} of ${n.toLocaleString("en")} …`;
    case "checking": return "The accuracy is measured on songs by artists not trained on …";
    case "training": return "The model is trained on all songs …";
    case "stopped": return "The training was stopped; no model was written.";
    case "failed": return `No model was written. ${failure}`;
    case "done": return trainedText(result);
    default: return "";
  }
}

function trainedText({ path, n_songs: n, n_left_out: out, genres, accuracy, interval, n_checked: checked, unchecked, artists_are_known: areKnown }) {
  const left = out ? ` (${out} could not be used)` : "";
  const made = `Trained on ${n} songs of ${genres.length} genres${left}. The model is in ${path}; skgenre predict takes it.`;
  if (accuracy === undefined) return `${made} How accurate it is can't be said: ${unchecked}`;
  const percent = (share) => Math.round(100 * share);
  const whose = areKnown ? "songs by artists not trained on" : "songs not trained on, of which some artists are unknown";
  const limits = interval.map(percent).join(" to ");
  return `${made} For ${checked} ${whose}, ${percent(accuracy)} % of the predictions are right (95 % interval: ${limits} %).`;
}

let isTraining = false;

function showTraining(state) {
  isTraining = ["reading", "checking", "training"].includes(state.phase);
  element("training-note").textContent = trainingText(state);
  element("stop-training").hidden = !isTraining;
  element("train").disabled = isTraining || !selection.size;
  if (isTraining) setTimeout(followTraining, 500);
}

async function followTraining() {
  try {
    showTraining(await askJson("training"));
  } catch (error) {
    element("training-note").textContent = error.message;
    if (isTraining) setTimeout(followTraining, 5000);
  }
}

async function askForTraining(path, body) {
  try {
    const state = await askJson(path, body);
    if (!isTraining) showTraining(state);
  } catch (error) {
    element("training-note").textContent = error.message;
  }
}

element("train").addEventListener("click", () => askForTraining("training", { numbers: [...selection], recipe: element("recipe").value }));
element("stop-training").addEventListener("click", () => askForTraining("training/stop", {}));
