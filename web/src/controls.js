// Controls that pages share.
import { fill, h } from "./dom.js";

/** A slider with its name and its value: {element, set(value)}. */
export function slider({ title, unit = "", low, high, step, value, digits = 0, oninput, hint }) {
  const shown = h("output", {}, "");
  const input = h("input", { type: "range", min: low, max: high, step, value, "aria-label": title });
  const say = (v) => {
    const text = Number(v).toFixed(digits);
    fill(
      shown,
      `${digits && v > 0 && low < 0 ? "+" : ""}${text}`,
      unit ? h("span", { class: "unit" }, ` ${unit}`) : null,
    );
    input.setAttribute("aria-valuetext", `${text} ${unit}`);
    input.style.setProperty("--part", `${(100 * (v - low)) / (high - low)}%`);
  };
  input.addEventListener("input", () => {
    say(Number(input.value));
    oninput(Number(input.value));
  });
  say(value);
  const element = h(
    "label",
    { class: "slider", title: hint },
    h("span", { class: "name" }, title),
    shown,
    input,
  );
  const set = (v) => {
    if (document.activeElement !== input || Math.abs(input.value - v) > step) input.value = v;
    say(v);
  };
  return { element, set };
}

/** A choice of a few: {element, set(value)}. */
export function choice({ title, options, value, onchange }) {
  const buttons = options.map(([key, words]) =>
    h("button", { type: "button", role: "radio", onclick: () => pick(key) }, words),
  );
  const set = (now) =>
    options.forEach(([key], i) => {
      buttons[i].setAttribute("aria-checked", key === now ? "true" : "false");
    });
  const pick = (key) => {
    set(key);
    onchange(key);
  };
  set(value);
  return { element: h("div", { class: "choice", role: "radiogroup", "aria-label": title }, buttons), set };
}

/** A switch: {element, set(value)}. */
export function toggle({ title, value, onchange, hint }) {
  const button = h("button", { type: "button", class: "toggle", title: hint, onclick: () => turn() }, title);
  let now = value;
  const set = (v) => {
    now = v;
    button.setAttribute("aria-pressed", v ? "true" : "false");
  };
  const turn = () => {
    set(!now);
    onchange(now);
  };
  set(value);
  return { element: button, set };
}

const ICONS = { play: "M8 5v14l11-7z", pause: "M7 5h4v14H7zM13 5h4v14h-4z" };

/** Play, and a place in the cycle: {element, show(phase, playing)}. */
export function transport(clock, frames) {
  const path = h("path", { d: ICONS.play });
  const play = h(
    "button",
    { type: "button", class: "round", "aria-label": "Play or pause", title: "Play or pause (space)" },
    h("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, path),
  );
  play.addEventListener("click", () => {
    clock.playing = !clock.playing;
    clock.redraw();
  });
  const place = h("input", {
    type: "range",
    min: 0,
    max: frames - 1,
    step: 1,
    value: 0,
    "aria-label": "Frame",
  });
  place.addEventListener("input", () => {
    clock.playing = false;
    clock.set((Number(place.value) + 1e-6) / frames);
  });
  const time = h("span", { class: "time" }, "");
  const element = h("div", { class: "transport" }, play, place, time);
  const show = (phase) => {
    path.setAttribute("d", clock.playing ? ICONS.pause : ICONS.play);
    const frame = Math.min(Math.floor(phase * frames), frames - 1);
    place.value = frame;
    place.style.setProperty("--part", `${(100 * frame) / (frames - 1)}%`);
    time.textContent = `frame ${frame}`;
  };
  return { element, show };
}

/** Keys that work everywhere but in fields: {key: action}. */
export function keys(actions) {
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const field = event.target.closest?.("input, button, select, a");
    if (field && (event.key === " " || event.key.startsWith("Arrow") || event.key === "Enter")) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

/** Arrow keys turn the camera while the canvas has the focus. */
export function turnByKeys(canvas, stage, redraw) {
  const turn = { ArrowLeft: [0.12, 0], ArrowRight: [-0.12, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] };
  canvas.addEventListener("keydown", (event) => {
    const zoom = { "+": 0.9, "=": 0.9, "-": 1.1 }[event.key];
    if (!turn[event.key] && !zoom) return;
    event.preventDefault();
    event.stopPropagation();
    stage.orbit(...(turn[event.key] ?? [0, 0]), zoom ?? 1);
    redraw();
  });
}

/** A card with a heading. */
export function card(title, note, ...children) {
  const head = h(
    "div",
    { class: "head" },
    h("h2", {}, title),
    note ? h("span", { class: "small" }, note) : null,
  );
  return h("section", { class: "card" }, head, ...children);
}
