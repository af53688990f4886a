"use strict";
// The map: points that are put into a picture one by one. For 20,000 of them that takes
// some milliseconds on any machine, where WebGL may be missing.

const RAMP = ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"]; // viridis
const N_STEPS = 15;

class SongMap {
  constructor(canvas, tip, { choose, lassoed }) {
    Object.assign(this, { canvas, tip, choose, lassoed });
    this.numbers = [];
    this.x = this.y = new Float32Array();
    this.codes = new Int16Array();
    this.groups = [];
    this.hidden = new Set();
    this.current = -1; // place, not number
    this.hovered = -1;
    this.near = [];
    this.view = { scale: 1, x: 0, y: 0 };
    this.pointers = new Map();
    this.isLasso = false;
    this.sprites = new Map();
    new ResizeObserver(() => this.redraw()).observe(canvas);
    for (const type of ["pointerdown", "pointermove", "pointerup", "pointercancel", "pointerleave"]) {
      canvas.addEventListener(type, (event) => this[type](event));
    }
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.keydown(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.sprites.clear();
      this.redraw();
    });
  }

  // To scale, in a square from -1 to 1.
  place(numbers, x, y) {
    const before = this.current < 0 ? -1 : this.numbers[this.current];
    const middle = (values) => {
      let low = Infinity, high = -Infinity;
      for (const value of values) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
      return [(low + high) / 2, (high - low) / 2];
    };
    const [cx, rx] = middle(x), [cy, ry] = middle(y);
    this.span = [rx || 1, ry || 1];
    const r = Math.max(rx, ry) || 1;
    this.numbers = numbers;
    this.x = Float32Array.from(x, (value) => (value - cx) / r);
    this.y = Float32Array.from(y, (value) => (cy - value) / r);
    this.extent = [rx / r || 1, ry / r || 1];
    this.placeOf = new Map(numbers.map((number, i) => [number, i]));
    this.current = this.placeOf.get(before) ?? -1;
    this.hovered = -1;
    this.redraw();
  }

  color(codes, groups) {
    this.codes = codes;
    this.groups = groups;
    this.hidden.clear();
    this.redraw();
  }

  toggle(group) {
    if (!this.hidden.delete(group)) this.hidden.add(group);
    this.redraw();
    return !this.hidden.has(group);
  }

  whole() {
    this.view = { scale: 1, x: 0, y: 0 };
    this.redraw();
  }

  get base() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const [ex, ey] = this.extent || [1, 1];
    return Math.min((width / 2 - 16) / ex, (height / 2 - 16) / ey);
  }

  at(i) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const scale = this.base * this.view.scale;
    return [width / 2 + (this.x[i] - this.view.x) * scale, height / 2 + (this.y[i] - this.view.y) * scale];
  }

  // Points and all.
  redraw() {
    this.isStale = true;
    this.draw();
  }

  // What is chosen among them.
  draw() {
    if (!this.isAsked) {
      this.isAsked = true;
      requestAnimationFrame(() => {
        this.isAsked = false;
        this.paint();
      });
    }
  }

  sprite(color, shape, radius, ratio) {
    const key = `${color} ${shape} ${radius} ${ratio}`;
    if (!this.sprites.has(key)) {
      const size = Math.ceil((2 * radius + 2) * ratio);
      const picture = document.createElement("canvas");
      picture.width = picture.height = size;
      const context = picture.getContext("2d");
      context.translate(size / 2, size / 2);
      context.scale((radius * ratio) / 6, (radius * ratio) / 6);
      const path = new Path2D(shape);
      context.fillStyle = color;
      context.globalAlpha = 0.85;
      context.fill(path);
      context.globalAlpha = 1;
      context.lineWidth = 0.5;
      context.strokeStyle = this.style("--surface");
      context.stroke(path);
      this.sprites.set(key, context.getImageData(0, 0, size, size));
    }
    return this.sprites.get(key);
  }

  style(name) {
    return getComputedStyle(this.canvas).getPropertyValue(name).trim();
  }

  get radius() {
    const some = 40 / Math.sqrt(this.numbers.length || 1);
    return Math.round(4 * Math.min(7, Math.max(2, some) * Math.min(2, this.view.scale ** 0.4))) / 4;
  }

  paint() {
    const { canvas } = this, ratio = devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width) return;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const context = canvas.getContext("2d");
    const { width: w, height: h } = canvas;
    const radius = this.radius;
    if (this.isStale || this.picture?.width !== w || this.picture?.height !== h) {
      this.picture = this.picturePoints(w, h, ratio, radius);
      this.isStale = false;
    }
    context.putImageData(this.picture, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.strokeStyle = this.style("--text");
    if (this.current >= 0) {
      const [x, y] = this.at(this.current);
      context.lineWidth = 1;
      context.globalAlpha = 0.55;
      for (const number of this.near) {
        if (!this.placeOf.has(number)) continue;
        context.beginPath();
        context.moveTo(x, y);
        context.lineTo(...this.at(this.placeOf.get(number)));
        context.stroke();
      }
      context.globalAlpha = 1;
      this.ring(context, this.current, radius + 4, 2.5);
    }
    for (const number of selection) {
      if (this.placeOf?.has(number)) this.ring(context, this.placeOf.get(number), radius + 1.5, 1.2);
    }
    if (this.hovered >= 0) this.ring(context, this.hovered, radius + 3, 1.5);
    if (this.outline?.length) {
      context.beginPath();
      for (const point of this.outline) context.lineTo(...point);
      context.closePath();
      context.stroke();
      context.globalAlpha = 0.12;
      context.fillStyle = this.style("--accent");
      context.fill();
      context.globalAlpha = 1;
    }
    this.painted = performance.now();
  }

  picturePoints(w, h, ratio, radius) {
    const isSame = this.picture?.width === w && this.picture?.height === h;
    const picture = isSame ? this.picture : new ImageData(w, h);
    const to = picture.data;
    const dot = new OffscreenCanvas(1, 1).getContext("2d");
    dot.fillStyle = this.style("--surface");
    dot.fillRect(0, 0, 1, 1);
    const [background] = new Uint32Array(dot.getImageData(0, 0, 1, 1).data.buffer);
    new Uint32Array(to.buffer).fill(background);
    const scale = this.base * this.view.scale * ratio;
    const left = w / 2 - this.view.x * scale, top = h / 2 - this.view.y * scale;
    const sprites = this.groups.map((group) => this.sprite(group.color, group.shape, radius, ratio));
    for (let i = 0; i < this.numbers.length; i++) {
      const code = this.codes[i], sprite = sprites[code];
      if (!sprite || this.hidden.has(code)) continue;
      const { width: size, data: from } = sprite;
      const x0 = Math.round(left + this.x[i] * scale - size / 2), y0 = Math.round(top + this.y[i] * scale - size / 2);
      if (x0 + size <= 0 || y0 + size <= 0 || x0 >= w || y0 >= h) continue;
      const xEnd = Math.min(size, w - x0), yEnd = Math.min(size, h - y0);
      for (let y = Math.max(0, -y0); y < yEnd; y++) {
        for (let x = Math.max(0, -x0); x < xEnd; x++) {
          const f = 4 * (y * size + x), alpha = from[f + 3];
          if (!alpha) continue;
          const t = 4 * ((y0 + y) * w + x0 + x), share = alpha / 255;
          to[t] += (from[f] - to[t]) * share;
          to[t + 1] += (from[f + 1] - to[t + 1]) * share;
          to[t + 2] += (from[f + 2] - to[t + 2]) * share;
        }
      }
    }
    return picture;
  }

  ring(context, i, radius, width) {
    context.lineWidth = width;
    context.beginPath();
    context.arc(...this.at(i), radius, 0, 2 * Math.PI);
    context.stroke();
  }

  nearest(x, y, most = 18) {
    let best = -1, least = most * most;
    const scale = this.base * this.view.scale;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const mx = (x - width / 2) / scale + this.view.x, my = (y - height / 2) / scale + this.view.y;
    for (let i = 0; i < this.numbers.length; i++) {
      const dx = (this.x[i] - mx) * scale, dy = (this.y[i] - my) * scale, distance = dx * dx + dy * dy;
      if (distance < least && !this.hidden.has(this.codes[i])) {
        best = i;
        least = distance;
      }
    }
    return best;
  }

  hover(i) {
    if (i !== this.hovered) {
      this.hovered = i;
      this.draw();
    }
    this.tip.hidden = i < 0;
    if (i < 0) return;
    const number = this.numbers[i], [title, artist, more] = this.tip.children;
    title.textContent = songs.titles[number];
    artist.textContent = valueOf("artist", number) || "";
    more.textContent = this.groups[this.codes[i]]?.name ?? "";
    const [x, y] = this.at(i), { offsetWidth: w, offsetHeight: h } = this.tip;
    this.tip.style.left = `${Math.max(0, Math.min(x + 14, this.canvas.clientWidth - w))}px`;
    this.tip.style.top = `${y + 14 + h > this.canvas.clientHeight ? Math.max(0, y - h - 14) : y + 14}px`;
  }

  where(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left - this.canvas.clientLeft, event.clientY - box.top - this.canvas.clientTop];
  }

  pointerdown(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.where(event));
    this.moved = 0;
    if (this.isLasso && this.pointers.size === 1) this.outline = [this.where(event)];
  }

  pointermove(event) {
    const now = this.where(event), before = this.pointers.get(event.pointerId);
    if (!before) {
      this.hover(this.nearest(...now));
      return;
    }
    const dx = now[0] - before[0], dy = now[1] - before[1];
    this.moved += Math.abs(dx) + Math.abs(dy);
    if (this.outline) {
      this.outline.push(now);
    } else if (this.pointers.size === 2) {
      const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
      const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
      this.zoom(distance(now, other) / distance(before, other), other);
    } else {
      this.view.x -= dx / (this.base * this.view.scale);
      this.view.y -= dy / (this.base * this.view.scale);
    }
    this.pointers.set(event.pointerId, now);
    if (this.outline) this.draw();
    else this.redraw();
  }

  pointerup(event) {
    this.pointers.delete(event.pointerId);
    if (this.outline) {
      const inside = this.inside(this.outline);
      this.outline = null;
      this.lassoed(inside);
      this.draw();
    } else if (this.moved < 6) {
      const i = this.nearest(...this.where(event), event.pointerType === "touch" ? 26 : 14);
      if (i >= 0) {
        this.hover(i);
        this.choose(this.numbers[i]);
      }
    }
  }

  pointercancel(event) {
    this.pointers.delete(event.pointerId);
    this.outline = null;
  }

  pointerleave(event) {
    if (event.pointerType === "mouse" && !this.pointers.size) this.hover(-1);
  }

  inside(outline) {
    const found = [];
    for (let i = 0; i < this.numbers.length; i++) {
      if (this.hidden.has(this.codes[i])) continue;
      const [x, y] = this.at(i);
      let isIn = false;
      for (let a = 0, b = outline.length - 1; a < outline.length; b = a++) {
        const [ax, ay] = outline[a], [bx, by] = outline[b];
        if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) isIn = !isIn;
      }
      if (isIn) found.push(this.numbers[i]);
    }
    return found;
  }

  zoom(factor, [x, y]) {
    const { clientWidth: width, clientHeight: height } = this.canvas, { view } = this;
    const before = this.base * view.scale;
    const scale = Math.min(200, Math.max(0.5, view.scale * factor));
    const after = this.base * scale;
    view.x += (x - width / 2) * (1 / before - 1 / after);
    view.y += (y - height / 2) * (1 / before - 1 / after);
    view.scale = scale;
    this.redraw();
  }

  wheel(event) {
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY / (event.deltaMode ? 20 : 400)), this.where(event));
  }

  keydown(event) {
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const middle = [this.canvas.clientWidth / 2, this.canvas.clientHeight / 2];
    if (direction) this.step(direction);
    else if (event.key === "Enter") {
      const i = this.hovered >= 0 ? this.hovered : this.nearest(...middle, Infinity);
      if (i >= 0) this.choose(this.numbers[i]);
    } else if (event.key === "+" || event.key === "=") this.zoom(1.4, middle);
    else if (event.key === "-") this.zoom(1 / 1.4, middle);
    else return;
    event.preventDefault();
  }

  step([dx, dy]) {
    const from = this.hovered >= 0 ? this.hovered : this.current;
    let best = -1, least = Infinity;
    for (let i = 0; i < this.numbers.length; i++) {
      if (this.hidden.has(this.codes[i]) || i === from) continue;
      const x = this.x[i] - (from < 0 ? this.view.x : this.x[from]);
      const y = this.y[i] - (from < 0 ? this.view.y : this.y[from]);
      const along = x * dx + y * dy, across = Math.abs(x * dy - y * dx);
      if (along <= 0) continue;
      const cost = along + 3 * across;
      if (cost < least) {
        best = i;
        least = cost;
      }
    }
    if (best < 0) return;
    this.hover(best);
    element("map").setAttribute("aria-label", `${songs.titles[this.numbers[best]]}. Enter plays it.`);
  }
}
