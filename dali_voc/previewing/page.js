"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const sections = [...document.querySelectorAll("main section")];
const items = [...document.querySelectorAll("#legend button")];
const places = [...document.querySelectorAll("#list button")];
const slider = document.getElementById("opacity");
const readout = document.getElementById("readout");
const classes = new Map(data.classes.map((entry) => [entry.code, entry]));
const hint = readout.textContent;
const decoded = new Map(); // figure -> class of each pixel
let current = 0;
let hovered = null; // code of a class, or null
let pinned = null;

// base64 of pairs (code, length of its run), both as numbers of 7 bits a byte, low ones first
function decodeRuns(text, size) {
  const bytes = atob(text);
  const codes = new Int32Array(size);
  let at = 0;
  const number = () => {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = bytes.charCodeAt(at++);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
  };
  for (let filled = 0; filled < size; ) {
    const code = number() - data.offset;
    const length = number();
    codes.fill(code, filled, filled + length);
    filled += length;
  }
  return codes;
}

function codesOf(figure) {
  if (!decoded.has(figure)) {
    const canvas = figure.querySelector("canvas");
    decoded.set(figure, decodeRuns(data.maps[figure.dataset.map], canvas.width * canvas.height));
  }
  return decoded.get(figure);
}

function paint(figure) {
  const canvas = figure.querySelector("canvas");
  const { width, height } = canvas;
  const codes = codesOf(figure);
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  const opacity = Math.round((255 * slider.value) / 100);
  const shown = hovered ?? pinned;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    const color = classes.get(code).color;
    const lit = shown === null || shown === code;
    const gray = ((i % width) + Math.floor(i / width)) & 4 ? 198 : 238;
    for (let channel = 0; channel < 3; channel++) {
      pixels.data[4 * i + channel] = lit ? (color ? color[channel] : gray) : 0;
    }
    pixels.data[4 * i + 3] = shown === null ? opacity : lit ? Math.max(opacity, 150) : 170;
  }
  context.putImageData(pixels, 0, 0);
}

function paintAll() {
  sections[current].querySelectorAll("figure").forEach(paint);
}

function percent(share) {
  if (share === 0 || share >= 0.095) return `${(100 * share).toFixed(0)} %`;
  return share >= 0.0005 ? `${(100 * share).toFixed(1)} %` : "< 0.1 %";
}

function count() {
  const figures = sections[current].querySelectorAll("figure");
  const codes = codesOf(figures[figures.length - 1]);
  const counts = new Map();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  for (const item of items) {
    const share = (counts.get(Number(item.dataset.code)) ?? 0) / codes.length;
    item.querySelector(".share").textContent = percent(share);
    item.classList.toggle("absent", share === 0);
  }
}

function light() {
  const shown = hovered ?? pinned;
  for (const item of items) {
    const code = Number(item.dataset.code);
    item.classList.toggle("lit", code === shown);
    item.setAttribute("aria-pressed", String(code === pinned));
  }
  readout.textContent = shown === null ? hint : classes.get(shown).name;
}

function highlight(code) {
  if (code === hovered) return;
  hovered = code;
  light();
  paintAll();
}

function pin(code) {
  pinned = pinned === code ? null : code;
  light();
  paintAll();
}

function show(number) {
  current = (number + sections.length) % sections.length;
  sections.forEach((section, i) => section.classList.toggle("current", i === current));
  places.forEach((place, i) => place.setAttribute("aria-current", String(i === current)));
  document.getElementById("position").textContent = `${current + 1} of ${sections.length}`;
  count();
  paintAll();
}

function fade(change) {
  slider.value = Number(slider.value) + change;
  paintAll();
}

for (const figure of document.querySelectorAll("figure")) {
  const canvas = figure.querySelector("canvas");
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * canvas.width);
    const y = Math.floor(((event.clientY - box.top) / box.height) * canvas.height);
    if (x < 0 || y < 0 || x >= canvas.width || y >= canvas.height) return;
    // naming is enough: a flicker of the whole picture with every step of the mouse is not wanted
    const code = codesOf(figure)[y * canvas.width + x];
    readout.textContent = classes.get(code).name;
    for (const item of items) item.classList.toggle("lit", Number(item.dataset.code) === code);
  });
  canvas.addEventListener("pointerleave", light);
}
for (const item of items) {
  const code = Number(item.dataset.code);
  item.addEventListener("pointerenter", () => highlight(code));
  item.addEventListener("pointerleave", () => highlight(null));
  item.addEventListener("focus", () => item.matches(":focus-visible") && highlight(code));
  item.addEventListener("blur", () => highlight(null));
  item.addEventListener("click", () => pin(code));
}
places.forEach((place, i) => place.addEventListener("click", () => show(i)));
document.getElementById("previous").addEventListener("click", () => show(current - 1));
document.getElementById("next").addEventListener("click", () => show(current + 1));
slider.addEventListener("input", paintAll);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target === slider) return;
  const moves = {
    ArrowLeft: () => show(current - 1),
    ArrowRight: () => show(current + 1),
    ArrowUp: () => fade(10),
    ArrowDown: () => fade(-10),
    Home: () => show(0),
    End: () => show(sections.length - 1),
  };
  if (!(event.key in moves)) return;
  event.preventDefault();
  moves[event.key]();
});
document.querySelector(".controls").hidden = false;
document.body.classList.add("live");
show(0);
light();
