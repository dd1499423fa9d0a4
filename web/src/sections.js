// What a plane cuts out of a heart, as a picture: the right ventricle on the left, as radiologists have it.
import { COLOURS } from "./colours.js";
import { h } from "./dom.js";

const pathOf = (lines) =>
  lines
    .map((line) => {
      let text = "";
      for (let i = 0; i < line.length; i += 2)
        text += `${i ? "L" : "M"}${(-line[i]).toFixed(1)} ${(-line[i + 1]).toFixed(1)}`;
      return `${text}Z`;
    })
    .join("");

/** @param lines closed lines [cavity, outer, right], each [u, v, …] in mm */
export function sectionPicture([cavity, outer, right], name) {
  const part = (lines, key) =>
    h("path", { d: pathOf(lines), fill: COLOURS[key], "fill-rule": "evenodd", class: "part" });
  return h(
    "svg",
    { viewBox: "-75 -58 150 116", class: "section", role: "img", "aria-label": `Short-axis cut ${name}` },
    part(right, "rv"),
    part(outer, "myo"),
    part(cavity, "lv"),
    name ? h("text", { x: -70, y: -44, class: "tick letter" }, name) : null,
    h("path", { d: "M45 52h20", class: "rule" }),
    h("text", { x: 55, y: 49, class: "tick", "text-anchor": "middle" }, "20 mm"),
  );
}
