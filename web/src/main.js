// Which page this is, and what to do where a browser cannot draw it.
import { atlas } from "./atlas.js";
import { readArrays } from "./data.js";
import { fill, h } from "./dom.js";
import { view } from "./view.js";

const PAGES = { atlas, view };

function canDraw() {
  try {
    return Boolean(document.createElement("canvas").getContext("webgl2"));
  } catch {
    return false;
  }
}

function sorry(app, data, words) {
  fill(
    app,
    h(
      "main",
      { class: "sorry" },
      h("h1", {}, data.title),
      h("p", {}, words),
      data.picture ? h("img", { src: data.picture, alt: `${data.title}: a still picture` }) : null,
      h("p", { class: "small" }, "Research; not a medical device."),
    ),
  );
}

async function start() {
  const app = document.getElementById("app");
  const data = JSON.parse(document.getElementById("cheart-data").textContent);
  if (!canDraw()) {
    sorry(app, data, "This browser draws nothing in three dimensions (WebGL 2), so here is a still picture.");
    return;
  }
  const arrays = await readArrays(data.arrays);
  data.arrays = null;
  window.cheart = PAGES[data.kind](app, data, arrays); // for tests, and for who is curious
}

start();
