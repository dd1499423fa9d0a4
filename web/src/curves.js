// Volume–time curves as SVG: one can point at a moment.
import { COLOURS } from "./colours.js";
import { h } from "./dom.js";

const BOX = { left: 40, right: 10, top: 12, bottom: 28, width: 440, height: 210 };

/**
 * @param people [{name, cycle, times: [fraction], lv: [mL], rv: [mL], dots}] curves of one or more hearts
 * @param onpick called with a fraction of the cycle
 * @returns {element, point(fraction)}
 */
export function curvesChart(people, onpick) {
  const top = niceTop(Math.max(...people.flatMap((p) => [...p.lv, ...p.rv]).filter(Number.isFinite)));
  const inner = { w: BOX.width - BOX.left - BOX.right, h: BOX.height - BOX.top - BOX.bottom };
  const x = (f) => BOX.left + f * inner.w;
  const y = (v) => BOX.top + (1 - v / top) * inner.h;
  const marks = [0, 0.25, 0.5, 0.75, 1].map((f) => [f, Math.round(f * top)]);
  const lines = people.flatMap((person, k) =>
    ["rv", "lv"].map((name) => {
      const points = person.times
        .map((f, i) => [x(f), y(person[name][i])])
        .filter(([, v]) => Number.isFinite(v));
      if (person.times[0] === 0 && points.length) points.push([x(1), points[0][1]]);
      const path = points.map(([a, b], i) => `${i ? "L" : "M"}${a.toFixed(1)} ${b.toFixed(1)}`).join("");
      const dots = person.dots
        ? points.map(([a, b]) => h("circle", { cx: a, cy: b, r: 3, fill: COLOURS[name] }))
        : [];
      const edge = (side) => person.times.map((f, i) => [x(f), y(person.band[name][side][i])]);
      const area = person.band ? [...edge("low"), ...edge("high").reverse()] : [];
      const around = area.map(([a, b], i) => `${i ? "L" : "M"}${a.toFixed(1)} ${b.toFixed(1)}`).join("");
      return h(
        "g",
        {},
        person.band ? h("path", { d: `${around}Z`, fill: COLOURS[name], opacity: 0.16 }) : null,
        h("path", {
          d: path,
          class: "curve",
          stroke: COLOURS[name],
          "stroke-dasharray": DASHES[k % DASHES.length],
        }),
        dots,
      );
    }),
  );
  const cursor = h("line", { class: "cursor", x1: x(0), x2: x(0), y1: BOX.top, y2: BOX.height - BOX.bottom });
  const cycle = people[0].cycle;
  const svg = h(
    "svg",
    {
      viewBox: `0 0 ${BOX.width} ${BOX.height}`,
      class: "chart",
      role: "img",
      "aria-label": "Volumes over one beat",
    },
    marks.map(([f, v]) =>
      h(
        "g",
        {},
        h("line", { class: "grid", x1: BOX.left, x2: BOX.width - BOX.right, y1: y(f * top), y2: y(f * top) }),
        h("text", { class: "tick", x: BOX.left - 6, y: y(f * top) + 4, "text-anchor": "end" }, `${v}`),
      ),
    ),
    [0, 0.25, 0.5, 0.75, 1].map((f) =>
      h(
        "text",
        { class: "tick", x: x(f), y: BOX.height - 9, "text-anchor": f === 1 ? "end" : "middle" },
        cycle ? `${(f * cycle).toFixed(2)} s` : `${Math.round(100 * f)} %`,
      ),
    ),
    lines,
    cursor,
  );
  const pick = (event) => {
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * BOX.width;
    onpick(Math.min(Math.max((at - BOX.left) / inner.w, 0), 0.9999));
  };
  svg.addEventListener("pointerdown", (event) => {
    svg.setPointerCapture(event.pointerId);
    pick(event);
  });
  svg.addEventListener("pointermove", (event) => event.buttons && pick(event));
  const point = (fraction) => {
    cursor.setAttribute("x1", x(fraction));
    cursor.setAttribute("x2", x(fraction));
  };
  return { element: svg, point };
}

export const DASHES = ["none", "6 4", "2 3", "9 3 2 3", "1 5", "12 4"];

function niceTop(value) {
  const step = value > 400 ? 100 : value > 160 ? 40 : 20;
  return Math.max(step, Math.ceil((1.05 * value) / step) * step);
}
