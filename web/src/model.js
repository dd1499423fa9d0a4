// A person, and the heart that the model makes for them: conditions and latent to vertices and volumes.
import { matrix, run } from "./graph.js";
import { Template, volume } from "./mesh.js";
import { normals } from "./random.js";

const STRUCTURES = ["lv", "myo", "rv"];

/** Volume–time curves of three structures to phenotypes; end-diastole is frame 0, end-systole that of least LV. */
export function phenotypes(curves) {
  const es = curves.lv.indexOf(Math.min(...curves.lv));
  const lvedv = curves.lv[0];
  const lvesv = curves.lv[es];
  const rvedv = curves.rv[0];
  const rvesv = curves.rv[es];
  return {
    lvedv,
    lvesv,
    lvsv: lvedv - lvesv,
    lvef: (100 * (lvedv - lvesv)) / lvedv,
    lvm: 1.05 * curves.myo[0],
    rvedv,
    rvesv,
    rvef: (100 * (rvedv - rvesv)) / rvedv,
    es,
  };
}

export class Model {
  /** @param about the page's JSON; @param arrays its arrays (see cheart/pages/atlas.py) */
  constructor(about, arrays) {
    this.about = about;
    this.tensors = arrays;
    this.frames = about.frames;
    this.latent = about.latent;
    const { faces, part, regions } = arrays;
    this.template = new Template(faces.values, part.values, regions.values, about.spans);
    this.mean = arrays["mesh.mean"].values;
    this.modes = arrays["mesh.modes"].values;
    this.count = arrays["mesh.modes"].shape[0];
    this.directions = arrays.directions; // [D, latent], orthonormal: EF first, then the leading modes
  }

  /** Conditions as the network takes them. */
  encode(person) {
    const row = this.about.columns.map(({ name, level, centre, scale }) => {
      const value = person[name];
      if (level === "missing") return value === undefined || value === null ? 1 : 0;
      if (level) return value === level ? 1 : 0;
      return value === undefined || value === null ? 0 : (value - centre) / scale;
    });
    return matrix(1, row.length, Float32Array.from(row));
  }

  /** Everything that the layers leave, for a person and a latent. */
  layers(person, latent) {
    const inputs = { conditions: this.encode(person), latent: matrix(1, this.latent, latent) };
    return run(this.about.steps, this.tensors, inputs);
  }

  /** Scores of the mesh's modes, [T, M]. */
  scores(person, latent) {
    return this.layers(person, latent).scores;
  }

  /** Vertices x, y, z in mm of one frame. */
  vertices(scores, frame, out = new Float32Array(this.mean.length)) {
    out.set(this.mean);
    for (let m = 0; m < this.count; m += 1) {
      const s = scores.values[frame * this.count + m];
      const at = m * out.length;
      for (let i = 0; i < out.length; i += 1) out[i] += s * this.modes[at + i];
    }
    return out;
  }

  /** The whole beat: vertices of every frame, volume curves, phenotypes. */
  beat(person, latent) {
    const scores = this.scores(person, latent);
    const vertices = Array.from({ length: this.frames }, (_, t) => this.vertices(scores, t));
    const curves = { lv: [], myo: [], rv: [] };
    for (const frame of vertices) {
      const volumes = this.template.volumes(frame);
      for (const name of STRUCTURES) curves[name].push(volumes[name]);
    }
    return { vertices, curves, phenotypes: phenotypes(curves) };
  }

  /** Volume curves without the vertices: a regression on the scores, for many hearts in little time. */
  quickCurves(scores) {
    const { values, shape } = this.tensors["mesh.volumes"]; // [3, 1 + M + q (q + 1) / 2]
    const q = this.about.quadratic;
    const curves = { lv: [], myo: [], rv: [] };
    for (let t = 0; t < scores.rows; t += 1) {
      const s = scores.values.subarray(t * this.count, (t + 1) * this.count);
      for (let k = 0; k < 3; k += 1) {
        let at = k * shape[1];
        let sum = values[at++];
        for (let m = 0; m < this.count; m += 1) sum += values[at++] * s[m];
        for (let i = 0; i < q; i += 1) for (let j = i; j < q; j += 1) sum += values[at++] * s[i] * s[j];
        curves[STRUCTURES[k]].push(sum);
      }
    }
    return curves;
  }

  quickPhenotypes(person, latent) {
    return phenotypes(this.quickCurves(this.scores(person, latent)));
  }

  /** Coordinates of a latent along the directions that have sliders. */
  along(latent) {
    const [count, size] = this.directions.shape;
    return Array.from({ length: count }, (_, d) => {
      let sum = 0;
      for (let i = 0; i < size; i += 1) sum += this.directions.values[d * size + i] * latent[i];
      return sum;
    });
  }

  /** The latent of a seed, with the directions' coordinates replaced by others. */
  place(seed, coordinates) {
    const latent = normals(seed, this.latent);
    const own = this.along(latent);
    const [count, size] = this.directions.shape;
    for (let d = 0; d < count; d += 1) {
      const step = coordinates[d] - own[d];
      for (let i = 0; i < size; i += 1) latent[i] += step * this.directions.values[d * size + i];
    }
    return latent;
  }

  /** The first coordinate at which the heart has an ejection fraction, as near as ±4 SD come to it. */
  solveEf(person, seed, coordinates, target) {
    const cavity = (scores, t) => volume(this.vertices(scores, t), this.template.closed[0]);
    const ef = (c) => {
      const scores = this.scores(person, this.place(seed, [c, ...coordinates.slice(1)]));
      const { es } = phenotypes(this.quickCurves(scores));
      return 100 * (1 - cavity(scores, es) / cavity(scores, 0));
    };
    let low = -4;
    let high = 4;
    const rising = ef(high) > ef(low);
    for (let i = 0; i < 12; i += 1) {
      const middle = (low + high) / 2;
      if (ef(middle) < target === rising) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  }
}
