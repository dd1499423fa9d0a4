// Hearts that are there, beside each other: in 3-D, as slices of their label maps, as curves; all at one moment.
import { Clock } from "./clock.js";
import { COLOURS, gradient, TITLES } from "./colours.js";
import { card, choice, keys, slider, toggle, transport, turnByKeys } from "./controls.js";
import { curvesChart, DASHES } from "./curves.js";
import { fill, h } from "./dom.js";
import { download, gif, pixels, stl } from "./exports.js";
import { readLink, writeLink } from "./link.js";
import { Template } from "./mesh.js";
import { Stage } from "./scene.js";
import { Slices } from "./slices.js";

const RANGES = { thickness: [2, 16], displacement: [0, 18] };
const ROWS = [
  ["lvedv", "LV end-diastolic volume", "mL"],
  ["lvesv", "LV end-systolic volume", "mL"],
  ["lvef", "LV ejection fraction", "%"],
  ["lvm", "LV mass", "g"],
  ["rvedv", "RV end-diastolic volume", "mL"],
  ["rvesv", "RV end-systolic volume", "mL"],
  ["rvef", "RV ejection fraction", "%"],
];

/** A heart as the page holds it: its frames that were imaged, and where they stand in the cycle. */
class Held {
  constructor(about, vertices, labels, halo) {
    Object.assign(this, about);
    const size = vertices.shape[1];
    this.meshes = this.imaged.map((_, k) => vertices.values.subarray(k * size, (k + 1) * size));
    this.halos = halo && this.imaged.map((_, k) => halo.values.subarray(k * size, (k + 1) * size));
    this.labels = labels;
    this.around = halo && new Float32Array(size);
    this.buffer = new Float32Array(size);
  }

  /** The number, among the frames that were imaged, of the last one before a moment. */
  at(phase) {
    const frame = Math.min(Math.floor(phase * this.frames + 1e-6), this.frames - 1);
    let last = 0;
    for (const [k, imaged] of this.imaged.entries()) if (imaged <= frame) last = k;
    return last;
  }

  /** Vertices at a moment: between neighbouring frames where both were imaged, else those of the last one. */
  vertices(phase) {
    const k = this.at(phase);
    const next = (k + 1) % this.imaged.length;
    const step = (this.imaged[next] - this.imaged[k] + this.frames) % this.frames;
    const part = step === 1 ? phase * this.frames - Math.floor(phase * this.frames + 1e-6) : 0;
    const mix = (frames, out) => {
      const [a, b] = [frames[k], frames[next]];
      for (let i = 0; i < out.length; i += 1) out[i] = a[i] + Math.max(part, 0) * (b[i] - a[i]);
    };
    mix(this.meshes, this.buffer);
    if (this.halos) mix(this.halos, this.around);
    return this.buffer;
  }
}

class View {
  constructor(app, data, arrays) {
    this.data = data;
    const { faces, part, regions } = arrays;
    this.template = new Template(faces.values, part.values, regions.values, data.spans);
    this.hearts = data.hearts.map(
      (about, k) => new Held(about, arrays[`vertices.${k}`], arrays[`labels.${k}`], arrays[`halo.${k}`]),
    );
    this.frames = Math.max(...this.hearts.map((heart) => heart.frames));
    this.style = { colour: "tissue", glass: true, cutting: false, level: 0, range: [0, 1] };
    this.chosen = 0;
    this.read();
    this.build(app);
    this.stage = new Stage(this.canvas, this.template, this.hearts[0].buffer.length / 3);
    this.stage.resize(this.hearts.length);
    turnByKeys(this.canvas, this.stage, () => this.clock.redraw());
    this.stage.controls.addEventListener("change", () => this.clock?.redraw());
    const cycle = this.hearts.find((heart) => heart.cycle)?.cycle ?? 1;
    this.clock = new Clock(cycle, (phase) => this.draw(phase));
    if (this.hearts.every((heart) => heart.imaged.length < 2)) this.clock.playing = false;
    this.transport = transport(this.clock, this.frames);
    this.bar.prepend(this.transport.element);
    this.face();
    this.refresh();
    new ResizeObserver(() => {
      this.stage.resize(this.hearts.length);
      this.clock.redraw();
    }).observe(this.canvas);
    keys({
      " ": () => {
        this.clock.playing = !this.clock.playing;
        this.clock.redraw();
      },
      ",": () => this.step(-1),
      ".": () => this.step(1),
      c: () => this.restyle({ cutting: !this.style.cutting }),
      PageUp: () => this.restyle({ level: this.style.level + 2 }),
      PageDown: () => this.restyle({ level: this.style.level - 2 }),
    });
  }

  read() {
    const [colour, glass, cutting, level] = (readLink().v || "").split(",");
    if (!["tissue", "thickness", "displacement"].includes(colour)) return;
    Object.assign(this.style, {
      colour,
      glass: glass === "1",
      cutting: cutting === "1",
      level: Number(level) || 0,
    });
    this.style.range = RANGES[colour] ?? [0, 1];
  }

  build(app) {
    const { data, hearts } = this;
    this.canvas = h("canvas", {
      class: "view",
      tabindex: 0,
      "aria-label": "Hearts in 3-D; arrow keys turn them",
    });
    this.tags = h(
      "div",
      { class: hearts.length > 1 ? "tags" : "tags alone" },
      hearts.map((heart) => h("span", {}, heart.title, h("em", {}, heart.kind))),
    );
    this.legend = h("div", { class: "legend" });
    this.bar = h("div", { class: "bar" });
    this.chart = h("div", {});
    this.slices = new Slices(hearts, (changes) => this.restyle(changes));
    const column = (...children) => h("div", { class: "column" }, children);
    const slices = card("Slices of the label map", "drag in one to move the others", this.slices.element);
    const cards = [
      card("Volumes over one beat", "LV red, RV blue; click to go there", this.chart),
      card("Phenotypes", null, this.table()),
      card("Take away", "nothing leaves this machine", this.downloads()),
    ];
    fill(
      app,
      h(
        "header",
        { class: "top" },
        h("h1", {}, data.title),
        [...new Set(hearts.map((heart) => heart.kind))].map((kind) => h("span", { class: "badge" }, kind)),
        data.caption ? h("span", { class: "small" }, data.caption) : null,
      ),
      h(
        "main",
        { class: "hearts" },
        h("section", { class: "stage card" }, this.canvas, this.tags, this.legend, this.bar, this.looks()),
        column(slices),
        column(cards),
      ),
      h(
        "footer",
        {},
        hearts.flatMap((heart) => heart.warnings.map((words) => h("p", {}, `${heart.title}: ${words}.`))),
        h("p", {}, "Research; not a medical device. Surfaces are one mesh brought onto each label map."),
        h(
          "p",
          { class: "small" },
          `cheart ${data.version}. Keys: space plays, , and . step, c cut, page up and page down move the slice; `,
          "arrow keys turn the hearts that have the focus.",
        ),
      ),
    );
  }

  looks() {
    const { style } = this;
    const heights = this.hearts.flatMap((heart) => heart.box.slice(4));
    const [low, high] = [Math.floor(Math.min(...heights)), Math.ceil(Math.max(...heights))];
    if (!style.level) style.level = Math.round(low + 0.55 * (high - low));
    this.colour = choice({
      title: "Colour by",
      options: [
        ["tissue", "Tissue"],
        ["thickness", "Wall thickness"],
        ["displacement", "Displacement"],
      ],
      value: style.colour,
      onchange: (colour) => this.restyle({ colour, glass: colour === "tissue" }),
    });
    this.glass = toggle({
      title: "Glass wall",
      value: style.glass,
      onchange: (glass) => this.restyle({ glass }),
    });
    this.cut = toggle({
      title: "Cut",
      value: style.cutting,
      onchange: (cutting) => this.restyle({ cutting }),
      hint: "c",
    });
    this.level = slider({
      title: "Short-axis level",
      unit: "mm",
      low,
      high,
      step: 1,
      value: style.level,
      oninput: (level) => this.restyle({ level }),
    });
    const reset = () => {
      this.face();
      this.clock.redraw();
    };
    return h(
      "div",
      { class: "bar looks" },
      this.colour.element,
      this.glass.element,
      this.cut.element,
      this.level.element,
      h("button", { type: "button", onclick: reset }, "Reset view"),
    );
  }

  table() {
    const value = (heart, key, unit) => {
      const v = heart.phenotypes[key];
      return h(
        "td",
        { class: "value" },
        v === null ? "n/a" : v.toFixed(0),
        h("span", { class: "unit" }, ` ${unit}`),
      );
    };
    const names = this.hearts.map((heart) => h("th", { scope: "col" }, heart.title));
    const rows = ROWS.map(([key, title, unit]) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, title),
        this.hearts.map((heart) => value(heart, key, unit)),
      ),
    );
    return h(
      "div",
      { class: "wide" },
      h(
        "table",
        { class: "phenotypes" },
        h("thead", {}, h("tr", {}, h("th", {}), names)),
        h("tbody", {}, rows),
      ),
    );
  }

  downloads() {
    const button = (words, action) => h("button", { type: "button", onclick: action }, words);
    const moving = button("GIF", async () => {
      fill(moving, "…");
      download(await this.animation(), "cheart-view.gif");
      fill(moving, "GIF");
    });
    const surfaces = this.hearts.map((heart, k) =>
      button(this.hearts.length > 1 ? `STL ${heart.title}` : "STL", () =>
        download(
          stl(heart.buffer, this.template.closed, `cheart: ${heart.kind} heart, research only`),
          `cheart-heart-${k}.stl`,
        ),
      ),
    );
    const still = () => {
      this.draw(this.clock.phase);
      this.canvas.toBlob((blob) => download(blob, "cheart-view.png"));
    };
    return h("div", { class: "row wrap" }, button("PNG", still), moving, surfaces);
  }

  async animation() {
    const { playing, phase } = this.clock;
    this.clock.playing = false;
    const pictures = [];
    for (let t = 0; t < this.frames; t += 1) {
      this.draw(t / this.frames);
      pictures.push(pixels(this.canvas));
      await new Promise((done) => setTimeout(done));
    }
    Object.assign(this.clock, { playing, phase });
    this.clock.redraw();
    return gif(pictures, Math.round((1000 * this.clock.cycle) / this.frames));
  }

  face() {
    this.stage.look(this.hearts.map((heart) => heart.meshes[0]));
  }

  step(by) {
    this.clock.playing = false;
    this.clock.set((Math.floor(this.clock.phase * this.frames + 1e-6) + by + 1e-6) / this.frames);
  }

  restyle(changes) {
    Object.assign(this.style, changes);
    this.style.range = RANGES[this.style.colour] ?? [0, 1];
    this.refresh();
  }

  refresh() {
    const { style } = this;
    this.colour.set(style.colour);
    this.glass.set(style.glass);
    this.cut.set(style.cutting);
    this.level.set(style.level);
    const words = { thickness: "wall thickness, mm", displacement: "displacement from end-diastole, mm" };
    const scale = () => [
      h("span", {}, words[style.colour]),
      h("span", {}, `${style.range[0]}`),
      h("b", { style: `background:${gradient()}` }),
      h("span", {}, `${style.range[1]}`),
    ];
    const tissues = () =>
      Object.entries(TITLES).map(([n, title]) =>
        h("span", {}, h("i", { style: `background:${COLOURS[n]}` }), title),
      );
    const sure = this.hearts.some((heart) => heart.band)
      ? h("span", {}, "bands and halos: the middle 90 % of what is possible")
      : null;
    fill(this.legend, style.colour === "tissue" ? tissues() : scale(), sure);
    const people = this.hearts.map((heart) => ({
      cycle: this.hearts.every((other) => other.cycle === heart.cycle) ? heart.cycle : null,
      times: heart.imaged.map((frame) => frame / heart.frames),
      lv: heart.curves.lv,
      rv: heart.curves.rv,
      band: heart.band,
      dots: heart.imaged.length < heart.frames,
    }));
    this.curves = curvesChart(people, (phase) => {
      this.clock.playing = false;
      this.clock.set(phase);
    });
    fill(this.chart, this.curves.element, this.hearts.length > 1 ? this.dashes() : null);
    writeLink({ v: [style.colour, +style.glass, +style.cutting, Math.round(style.level)].join(",") });
    this.clock?.redraw();
  }

  dashes() {
    const line = (k) =>
      h("path", { d: "M0 3H28", class: "curve", stroke: "currentColor", "stroke-dasharray": DASHES[k] });
    const key = (heart, k) =>
      h("span", {}, h("svg", { viewBox: "0 0 28 6", width: 28, height: 6 }, line(k)), ` ${heart.title}`);
    return h("div", { class: "legend plain" }, this.hearts.map(key));
  }

  draw(phase) {
    const moments = this.hearts.map((heart) => ({
      vertices: heart.vertices(phase),
      first: heart.meshes[0],
      halo: heart.around,
    }));
    this.stage.adapt(this.clock);
    this.stage.draw(moments, this.style);
    this.transport.show(phase);
    this.curves.point(phase);
    this.slices.draw(
      this.hearts.map((heart) => heart.at(phase)),
      this.style.level,
    );
  }
}

export function view(app, data, arrays) {
  return new View(app, data, arrays);
}
