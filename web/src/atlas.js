// The atlas: a model with its conditions and modes as sliders; one person, or two beside each other.
import { between, Clock } from "./clock.js";
import { COLOURS, gradient, TITLES } from "./colours.js";
import { card, choice, keys, slider, toggle, transport, turnByKeys } from "./controls.js";
import { curvesChart, DASHES } from "./curves.js";
import { fill, h } from "./dom.js";
import { download, gif, pixels, stl } from "./exports.js";
import { readLink, readPerson, writeLink, writePerson } from "./link.js";
import { section } from "./mesh.js";
import { Model } from "./model.js";
import { normalRanges } from "./normal.js";
import { normals } from "./random.js";
import { Stage } from "./scene.js";
import { sectionPicture } from "./sections.js";

const ROWS = [
  ["lvedv", "LV end-diastolic volume", "LV EDV", "mL", 0],
  ["lvesv", "LV end-systolic volume", "LV ESV", "mL", 0],
  ["lvsv", "LV stroke volume", "LV SV", "mL", 0],
  ["lvef", "LV ejection fraction", "LV EF", "%", 0],
  ["lvm", "LV mass", "LV mass", "g", 0],
  ["rvedv", "RV end-diastolic volume", "RV EDV", "mL", 0],
  ["rvesv", "RV end-systolic volume", "RV ESV", "mL", 0],
  ["rvef", "RV ejection fraction", "RV EF", "%", 0],
];
const RANGES = { thickness: [2, 16], displacement: [0, 18] };
const LETTERS = ["A", "B"];
const PARTS = { lv_endocardium: 0, lv_epicardium: 1, rv_endocardium: 2 };

class Atlas {
  constructor(app, data, arrays) {
    this.data = data;
    this.model = new Model(data, arrays);
    this.names = data.conditions.map((c) => c.name);
    const mean = {
      conditions: { ...data.person },
      seed: 0,
      coordinates: Array(data.fractions.length).fill(0),
    };
    this.people = [mean, this.another(mean)];
    this.style = { colour: "tissue", glass: true, cutting: false, level: 0, range: [0, 1] };
    this.pair = false;
    this.active = 0;
    this.read();
    this.buffers = this.people.map(() => new Float32Array(this.model.mean.length));
    this.build(app);
    this.stage = new Stage(this.canvas, this.model.template, this.model.mean.length / 3);
    this.stage.resize(this.shown.length);
    turnByKeys(this.canvas, this.stage, () => this.clock.redraw());
    this.stage.controls.addEventListener("change", () => this.clock?.redraw());
    this.clock = new Clock(data.cycle, (phase) => this.draw(phase));
    this.transport = transport(this.clock, data.frames);
    this.bar.prepend(this.transport.element);
    for (const k of this.people.keys()) this.make(k);
    this.face();
    this.refresh();
    new ResizeObserver(() => this.fit()).observe(this.canvas);
    keys({
      " ": () => {
        this.clock.playing = !this.clock.playing;
        this.clock.redraw();
      },
      ",": () => this.step(-1),
      ".": () => this.step(1),
      n: () => this.newHeart(),
      m: () => this.average(),
      b: () => this.setPair(!this.pair),
      c: () => this.restyle({ cutting: !this.style.cutting }),
    });
    window.addEventListener("hashchange", () => {
      this.read();
      for (const k of this.people.keys()) this.make(k);
      this.refresh();
    });
  }

  /** Someone to stand beside: older, and of the other sex. */
  another(person) {
    const conditions = { ...person.conditions };
    for (const { name, levels, range } of this.data.conditions) {
      if (name === "age") conditions.age = Math.min(range[1], 68);
      else if (levels.length) conditions[name] = levels[levels.length - 1];
    }
    return { ...person, conditions, coordinates: [...person.coordinates] };
  }

  read() {
    const { a, b, v } = readLink();
    if (a) this.people[0] = readPerson(a, this.people[0], this.data.conditions);
    if (b) this.people[1] = readPerson(b, this.people[1], this.data.conditions);
    const [colour, glass, cutting, level, pair] = (v || "").split(",");
    if (colour in { tissue: 1, ...RANGES }) {
      const style = { colour, glass: glass === "1", cutting: cutting === "1", level: Number(level) || 0 };
      this.style = { ...this.style, ...style, range: RANGES[colour] ?? [0, 1] };
      this.pair = pair === "1";
    }
  }

  write() {
    const { colour, glass, cutting, level } = this.style;
    clearTimeout(this.writing);
    this.writing = setTimeout(() => {
      const words = { a: writePerson(this.people[0], this.names) };
      if (this.pair) words.b = writePerson(this.people[1], this.names);
      words.v = [colour, +glass, +cutting, Math.round(level), +this.pair].join(",");
      writeLink(words);
    }, 250);
  }

  // -- hearts --------------------------------------------------------------------------------------------

  get shown() {
    return this.pair ? [0, 1] : [0];
  }

  /** Make the heart of a person anew, and count what is normal for their like if that changed. */
  make(k) {
    const person = this.people[k];
    person.latent = this.model.place(person.seed, person.coordinates);
    person.beat = this.model.beat(person.conditions, person.latent);
    const like = JSON.stringify(person.conditions);
    if (person.like !== like) {
      person.like = like;
      person.normal = null;
      person.stop?.();
      person.stop = normalRanges(this.model, person.conditions, (ranges) => {
        person.normal = ranges;
        this.table();
      });
    }
  }

  change(k) {
    this.make(k);
    this.refresh();
  }

  newHeart() {
    const person = this.people[this.active];
    person.seed = 1 + Math.floor(Math.random() * 4294967294);
    person.coordinates = this.model
      .along(normals(person.seed, this.model.latent))
      .map((v) => Math.round(v * 100) / 100);
    this.change(this.active);
  }

  average() {
    const person = this.people[this.active];
    person.seed = 0;
    person.coordinates = person.coordinates.map(() => 0);
    this.change(this.active);
  }

  setPair(pair) {
    this.pair = pair;
    this.active = pair ? 1 : 0;
    this.fit();
    this.refresh();
  }

  step(by) {
    this.clock.playing = false;
    const frame = Math.floor(this.clock.phase * this.data.frames + 1e-6) + by;
    this.clock.set((frame + 1e-6) / this.data.frames);
  }

  restyle(changes) {
    Object.assign(this.style, changes);
    this.style.range = RANGES[this.style.colour] ?? [0, 1];
    this.refresh();
  }

  // -- the page ------------------------------------------------------------------------------------------

  build(app) {
    const { data } = this;
    this.canvas = h("canvas", {
      class: "view",
      tabindex: 0,
      "aria-label": "Beating heart in 3-D; arrow keys turn it",
    });
    this.tags = h("div", { class: "tags" });
    this.legend = h("div", { class: "legend" });
    this.bar = h("div", { class: "bar" });
    this.looks = h("div", { class: "bar looks" });
    this.panel = h("aside", { class: "panel card" });
    this.chart = h("div", {});
    this.numbers = h("div", {});
    this.sections = h("div", { class: "sections" });
    this.buildLooks();
    this.buildPanel();
    fill(
      app,
      h(
        "header",
        { class: "top" },
        h("h1", {}, "Beating hearts"),
        h("span", { class: "badge" }, data.simulated ? "simulated" : "generated"),
        h("span", { class: "small" }, `by a model trained on ${data.trained}`),
      ),
      h(
        "main",
        { class: "atlas" },
        h("section", { class: "stage card" }, this.canvas, this.tags, this.legend, this.bar, this.looks),
        this.panel,
        h(
          "div",
          { class: "column" },
          card("Volumes over one beat", "LV red, RV blue; click to go there", this.chart),
          card("Short axis", "seen from the apex", this.sections),
        ),
        h(
          "div",
          { class: "column" },
          card("Phenotypes", "bar: 90 % of simulated people like this", this.numbers),
          card("Take away", "nothing leaves this machine", this.downloads()),
        ),
      ),
      h(
        "footer",
        {},
        h(
          "p",
          {},
          data.simulated
            ? "Every heart here is simulated: it is drawn from a model of simulated people, and no one's. "
            : "Every heart here is drawn from a model, and no one's. ",
          "Research; not a medical device.",
        ),
        h(
          "p",
          { class: "small" },
          `cheart ${data.version}, model ${data.fingerprint}. Keys: space plays, , and . step, n new heart, `,
          "m average heart, b two people, c cut; arrow keys turn the heart that has the focus.",
        ),
      ),
    );
  }

  buildLooks() {
    const { style } = this;
    const template = this.model.template;
    const z = (k) =>
      this.model.mean.filter(
        (_, i) => i % 3 === 2 && i >= 3 * template.spans[k][0] && i < 3 * template.spans[k][1],
      );
    const heights = z(1);
    const low = Math.ceil(Math.min(...heights)) - 4;
    const high = Math.floor(Math.max(...heights)) + 4;
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
    const reset = h(
      "button",
      {
        type: "button",
        onclick: () => {
          this.face();
          this.clock.redraw();
        },
      },
      "Reset view",
    );
    this.looks.append(this.colour.element, this.glass.element, this.cut.element, this.level.element, reset);
  }

  buildPanel() {
    const { data } = this;
    const person = () => this.people[this.active];
    this.who = choice({
      title: "Person",
      options: LETTERS.map((letter, k) => [k, `Person ${letter}`]),
      value: this.active,
      onchange: (k) => {
        this.active = k;
        this.refresh();
      },
    });
    this.two = toggle({
      title: "Two people",
      value: this.pair,
      onchange: (pair) => this.setPair(pair),
      hint: "b",
    });
    this.given = data.conditions.map(({ name, title, unit, levels, range }) => {
      const put = (value) => {
        person().conditions[name] = value;
        this.later();
      };
      const value = data.person[name];
      const control = levels.length
        ? choice({ title, options: levels.map((l) => [l, WORDS[l] ?? l]), value, onchange: put })
        : slider({
            title,
            unit,
            low: Math.ceil(range[0]),
            high: Math.floor(range[1]),
            step: 1,
            value,
            oninput: put,
          });
      return { name, control, element: levels.length ? labelled(title, control.element) : control.element };
    });
    this.ef = slider({
      title: "LV ejection fraction",
      unit: "%",
      low: 30,
      high: 80,
      step: 0.5,
      digits: 0,
      value: 60,
      oninput: (target) => {
        const { conditions, seed, coordinates } = person();
        coordinates[0] = this.model.solveEf(conditions, seed, coordinates, target);
        this.later();
      },
    });
    this.modes = data.fractions.slice(1).map((fraction, i) =>
      slider({
        title: `Mode ${i + 1}`,
        unit: "SD",
        low: -3,
        high: 3,
        step: 0.1,
        digits: 1,
        value: 0,
        hint: `${(100 * fraction).toFixed(0)} % of how hearts of such people differ`,
        oninput: (value) => {
          person().coordinates[i + 1] = value;
          this.later();
        },
      }),
    );
    fill(
      this.panel,
      h("div", { class: "row" }, this.who.element, this.two.element),
      h("h2", {}, "Who"),
      this.given.map((g) => g.element),
      h("h2", {}, "Which heart"),
      h(
        "div",
        { class: "row" },
        h(
          "button",
          { type: "button", class: "primary", title: "n", onclick: () => this.newHeart() },
          "New heart",
        ),
        h("button", { type: "button", title: "m", onclick: () => this.average() }, "Average heart"),
      ),
      this.ef.element,
      this.modes.map((m) => m.element),
    );
  }

  downloads() {
    const name = (suffix) => `cheart-simulated.${suffix}`;
    const button = (words, action) => h("button", { type: "button", onclick: action }, words);
    const copied = button("Copy link", async () => {
      await navigator.clipboard?.writeText(location.href).catch(() => {});
      copied.textContent = "Copied";
      setTimeout(() => fill(copied, "Copy link"), 1500);
    });
    const moving = button("GIF", async () => {
      fill(moving, "…");
      download(await this.animation(), name("gif"));
      fill(moving, "GIF");
    });
    return h(
      "div",
      { class: "row wrap" },
      button("PNG", () => {
        this.draw(this.clock.phase);
        this.canvas.toBlob((blob) => download(blob, name("png")));
      }),
      moving,
      Object.entries(PARTS).map(([part, k]) =>
        button(`STL ${part.replace("_", " ").replace(/^(.)v/, (_, s) => `${s.toUpperCase()}V`)}`, () =>
          download(this.surface(k), `cheart-simulated-${part}.stl`),
        ),
      ),
      copied,
    );
  }

  /** A closed surface of the person at hand, at this moment. */
  surface(k) {
    const vertices = this.buffers[this.active];
    return stl(vertices, [this.model.template.closed[k]], "cheart: simulated heart, research only");
  }

  async animation() {
    const { playing, phase } = this.clock;
    this.clock.playing = false;
    const pictures = [];
    for (let t = 0; t < this.data.frames; t += 1) {
      this.draw(t / this.data.frames);
      pictures.push(pixels(this.canvas));
      await new Promise((done) => setTimeout(done));
    }
    Object.assign(this.clock, { playing, phase });
    this.clock.redraw();
    return gif(pictures, Math.round((1000 * this.data.cycle) / this.data.frames));
  }

  // -- drawing -------------------------------------------------------------------------------------------

  face() {
    this.stage.look(this.shown.map((k) => this.people[k].beat.vertices[0]));
  }

  fit() {
    this.stage.resize(this.shown.length);
    this.clock.redraw();
  }

  /** Once a frame at most, however fast a slider is moved. */
  later() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.change(this.active);
    });
  }

  refresh() {
    const person = this.people[this.active];
    this.who.element.hidden = !this.pair;
    this.who.set(this.active);
    this.two.set(this.pair);
    for (const { name, control } of this.given) control.set(person.conditions[name]);
    this.ef.set(person.beat.phenotypes.lvef);
    this.modes.forEach((mode, i) => {
      mode.set(person.coordinates[i + 1]);
    });
    const { style } = this;
    this.colour.set(style.colour);
    this.glass.set(style.glass);
    this.cut.set(style.cutting);
    this.level.set(style.level);
    this.scale();
    this.curves = curvesChart(
      this.shown.map((k) => this.curvesOf(k)),
      (phase) => {
        this.clock.playing = false;
        this.clock.set(phase);
      },
    );
    fill(this.chart, this.curves.element, this.pair ? dashes() : null);
    this.table();
    fill(this.tags, this.pair ? LETTERS.map((letter) => h("span", {}, letter)) : null);
    this.write();
    this.clock.redraw();
  }

  curvesOf(k) {
    const { curves } = this.people[k].beat;
    return {
      cycle: this.data.cycle,
      times: curves.lv.map((_, t) => t / curves.lv.length),
      lv: curves.lv,
      rv: curves.rv,
    };
  }

  scale() {
    const { colour, range } = this.style;
    const words = { thickness: "wall thickness, mm", displacement: "displacement from end-diastole, mm" };
    fill(
      this.legend,
      colour === "tissue"
        ? Object.entries(TITLES).map(([n, title]) =>
            h("span", {}, h("i", { style: `background:${COLOURS[n]}` }), title),
          )
        : [
            h("span", {}, words[colour]),
            h("span", {}, `${range[0]}`),
            h("b", { style: `background:${gradient()}` }),
            h("span", {}, `${range[1]}`),
          ],
    );
  }

  table() {
    const row = ([key, title, short, unit, digits]) =>
      h(
        "tr",
        {},
        h("th", { scope: "row", title }, this.pair ? short : title),
        this.shown.map((k) => {
          const { beat, normal } = this.people[k];
          const value = beat.phenotypes[key];
          return [
            h("td", { class: "value" }, value.toFixed(digits), h("span", { class: "unit" }, ` ${unit}`)),
            h("td", {}, normal ? rangeBar(value, normal[key], unit) : h("span", { class: "waiting" }, "…")),
          ];
        }),
      );
    const head = this.pair
      ? h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", {}),
            LETTERS.map((l) => h("th", { colspan: 2, scope: "col" }, `Person ${l}`)),
          ),
        )
      : null;
    fill(this.numbers, h("table", { class: "phenotypes" }, head, h("tbody", {}, ROWS.map(row))));
  }

  draw(phase) {
    const moments = this.shown.map((k) => {
      const { vertices } = this.people[k].beat;
      return { vertices: between(vertices, phase, this.buffers[k]), first: vertices[0] };
    });
    this.stage.adapt(this.clock);
    this.stage.draw(moments, this.style);
    this.transport.show(phase);
    this.curves?.point(phase);
    const cuts = moments.map(({ vertices }) =>
      this.model.template.closed.map((faces) => section(vertices, faces, 2, this.style.level)),
    );
    fill(
      this.sections,
      cuts.map((lines, k) => sectionPicture(lines, this.pair ? LETTERS[k] : "")),
    );
  }
}

const WORDS = { F: "Female", M: "Male" };

function labelled(title, element) {
  return h("div", { class: "labelled" }, h("span", { class: "name" }, title), element);
}

function dashes() {
  const key = (letter, k) =>
    h(
      "span",
      {},
      h(
        "svg",
        { viewBox: "0 0 28 6", width: 28, height: 6 },
        h("path", { d: "M0 3H28", class: "curve", stroke: "currentColor", "stroke-dasharray": DASHES[k] }),
      ),
      ` Person ${letter}`,
    );
  return h("div", { class: "legend plain" }, LETTERS.map(key));
}

/** The middle 90 % of a model's hearts as a bar, and a dot for this one. */
function rangeBar(value, { low, high, middle }, unit) {
  const from = Math.min(low - 0.6 * (high - low), value);
  const to = Math.max(high + 0.6 * (high - low), value);
  const x = (v) => 2 + (96 * (v - from)) / (to - from);
  const words = `${low.toFixed(0)} to ${high.toFixed(0)} ${unit}`;
  const outside = value < low || value > high;
  return h(
    "svg",
    {
      viewBox: "0 0 100 14",
      class: "range",
      role: "img",
      "aria-label": `90 % are ${words}`,
    },
    h("title", {}, `90 % are ${words}`),
    h("line", { x1: 2, x2: 98, y1: 7, y2: 7, class: "track" }),
    h("rect", { x: x(low), width: x(high) - x(low), y: 3.5, height: 7, rx: 3.5, class: "usual" }),
    h("line", { x1: x(middle), x2: x(middle), y1: 3.5, y2: 10.5, class: "middle" }),
    h("circle", { cx: x(value), cy: 7, r: 4, class: outside ? "dot outside" : "dot" }),
  );
}

export function atlas(app, data, arrays) {
  return new Atlas(app, data, arrays);
}
