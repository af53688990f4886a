"use strict";
const map = document.querySelector(".map"), ring = document.querySelector(".ring");
const tip = document.querySelector(".tip"), figure = tip.parentElement;
// The browser's own tooltips serve where no script runs.
const songs = [...map.querySelectorAll("path")].map((path) => {
  const { e: x, f: y } = path.transform.baseVal[0].matrix;
  const lines = path.firstChild.textContent.split("\n");
  path.firstChild.remove();
  return { x, y, lines, group: path.parentElement };
});

function show(event) {
  const scale = map.viewBox.baseVal.width / map.clientWidth;
  const box = map.getBoundingClientRect();
  const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
  let best = null, least = 22 * scale;
  for (const song of songs) {
    const distance = Math.hypot(song.x - x, song.y - y);
    if (distance < least && !song.group.classList.contains("hidden")) {
      best = song;
      least = distance;
    }
  }
  tip.hidden = best === null;
  ring.setAttribute("visibility", best ? "visible" : "hidden");
  if (!best) return;
  ring.setAttribute("cx", best.x);
  ring.setAttribute("cy", best.y);
  [...tip.children].forEach((part, i) => { part.textContent = best.lines[i]; });
  const left = best.x / scale + 14, top = best.y / scale + 14;
  tip.style.left = `${Math.max(0, Math.min(left, figure.clientWidth - tip.offsetWidth))}px`;
  tip.style.top = `${top + tip.offsetHeight > box.height ? top - tip.offsetHeight - 28 : top}px`;
}

map.addEventListener("pointermove", show);
map.addEventListener("pointerdown", show);
map.addEventListener("pointerleave", (event) => {
  if (event.pointerType === "mouse") {
    tip.hidden = true;
    ring.setAttribute("visibility", "hidden");
  }
});
for (const button of document.querySelectorAll(".key button")) {
  button.addEventListener("click", () => {
    const shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", shown);
    map.querySelector(`g[data-group="${button.dataset.group}"]`).classList.toggle("hidden", !shown);
    tip.hidden = true;
    ring.setAttribute("visibility", "hidden");
  });
}
