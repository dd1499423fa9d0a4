// Slices of label maps, linked: one short axis and one long axis of each heart, with a line where the other one is.
import { COLOURS } from "./colours.js";
import { h } from "./dom.js";

const RGB = ["#f4f2ee", COLOURS.lv, COLOURS.myo, COLOURS.rv].map((hex) =>
  [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)),
);

/** One heart's two canvases. The label map is [frames, z, y, x]; `box` is [x0, x1, y0, y1, z0, z1], middles in mm. */
class Pair {
  constructor(heart, onmove) {
    this.heart = heart;
    const [, nz, ny, nx] = heart.labels.shape;
    this.size = { nx, ny, nz };
    this.short = h("canvas", {
      width: nx,
      height: ny,
      class: "slice",
      "aria-label": `${heart.title}: short axis`,
    });
    this.long = h("canvas", {
      width: nx,
      height: nz,
      class: "slice",
      "aria-label": `${heart.title}: long axis`,
    });
    const [x0, x1, y0, y1, z0, z1] = heart.box;
    const mm = {
      x: (x1 - x0) / Math.max(nx - 1, 1),
      y: (y1 - y0) / Math.max(ny - 1, 1),
      z: (z1 - z0) / Math.max(nz - 1, 1),
    };
    this.mm = mm;
    this.short.style.aspectRatio = `${nx * mm.x} / ${ny * mm.y}`;
    this.long.style.aspectRatio = `${nx * mm.x} / ${nz * mm.z}`;
    this.rule = h("div", { class: "across" });
    this.rule2 = h("div", { class: "across" });
    this.row = Math.floor(ny / 2);
    this.element = h(
      "figure",
      { class: "pair" },
      h("figcaption", {}, heart.title, h("span", { class: "small" }, " ")),
      h(
        "div",
        { class: "two" },
        h("div", { class: "frame" }, this.short, this.rule2),
        h("div", { class: "frame" }, this.long, this.rule),
      ),
    );
    this.note = this.element.querySelector(".small");
    this.drag(this.long, (fraction) => onmove({ level: z1 - fraction * (z1 - z0) }));
    this.drag(this.short, (fraction) => {
      this.row = Math.round((1 - fraction) * (ny - 1));
      onmove({});
    });
  }

  drag(canvas, ondrag) {
    const move = (event) => {
      const box = canvas.getBoundingClientRect();
      ondrag(Math.min(Math.max((event.clientY - box.top) / box.height, 0), 1));
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      move(event);
    });
    canvas.addEventListener("pointermove", (event) => event.buttons && move(event));
  }

  draw(k, level) {
    const { nx, ny, nz } = this.size;
    const [, , , , z0] = this.heart.box;
    const plane = Math.min(Math.max(Math.round((level - z0) / this.mm.z), 0), nz - 1);
    const values = this.heart.labels.values;
    const frame = k * nz * ny * nx;
    // +y is anterior and stands up, the right ventricle (+x) stands left, as one sees it from the apex
    paint(this.short, (x, y) => values[frame + (plane * ny + (ny - 1 - y)) * nx + (nx - 1 - x)]);
    paint(this.long, (x, z) => values[frame + ((nz - 1 - z) * ny + this.row) * nx + (nx - 1 - x)]);
    this.rule.style.top = `${(100 * (nz - 1 - plane + 0.5)) / nz}%`;
    this.rule2.style.top = `${(100 * (ny - 1 - this.row + 0.5)) / ny}%`;
    this.note.textContent = ` frame ${this.heart.imaged[k]}`;
  }
}

function paint(canvas, label) {
  const context = canvas.getContext("2d");
  const { width, height } = canvas;
  const image = context.createImageData(width, height);
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, at += 4) {
      const [r, g, b] = RGB[label(x, y)];
      image.data[at] = r;
      image.data[at + 1] = g;
      image.data[at + 2] = b;
      image.data[at + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
}

export class Slices {
  constructor(hearts, onmove) {
    this.pairs = hearts.map((heart) => new Pair(heart, onmove));
    this.element = h(
      "div",
      { class: "pairs" },
      this.pairs.map((pair) => pair.element),
    );
    this.drawn = "";
  }

  /** @param frames the number of each heart's frame among those that were imaged */
  draw(frames, level) {
    const now = JSON.stringify([frames, level, this.pairs.map((pair) => pair.row)]);
    if (now === this.drawn) return;
    this.drawn = now;
    for (const [i, pair] of this.pairs.entries()) pair.draw(frames[i], level);
  }
}
