// The one mesh of all hearts: volumes, thickness, and what a plane cuts out of it.

/** Volume in mL that closed faces enclose. `vertices` are x, y, z in mm. */
export function volume(vertices, faces) {
  let six = 0;
  const v = vertices;
  for (let f = 0; f < faces.length; f += 3) {
    const a = 3 * faces[f];
    const b = 3 * faces[f + 1];
    const c = 3 * faces[f + 2];
    six +=
      v[a] * (v[b + 1] * v[c + 2] - v[b + 2] * v[c + 1]) +
      v[a + 1] * (v[b + 2] * v[c] - v[b] * v[c + 2]) +
      v[a + 2] * (v[b] * v[c + 1] - v[b + 1] * v[c]);
  }
  return six / 6000;
}

/** The template as pages need it: faces of each part, and the surfaces that are drawn. */
export class Template {
  constructor(faces, part, regions, spans) {
    this.spans = spans; // [[first, end] of LV endocardium, LV epicardium, RV endocardium]
    const of = (k, wall) => {
      const out = [];
      for (let f = 0; f < part.length; f += 1) {
        if (part[f] === k && (!wall || regions[f] === 0))
          out.push(faces[3 * f], faces[3 * f + 1], faces[3 * f + 2]);
      }
      return Uint16Array.from(out);
    };
    this.closed = [of(0), of(1), of(2)];
    this.walls = [of(0, true), of(1, true), of(2, true)];
    this.rim = this.annulus();
  }

  /** The ring of faces that joins the rims of endocardium and epicardium, whose vertices go in pairs. */
  annulus() {
    const shift = this.spans[1][0] - this.spans[0][0];
    const edges = new Map();
    const wall = this.walls[0];
    for (let f = 0; f < wall.length; f += 3) {
      for (let i = 0; i < 3; i += 1) {
        const a = wall[f + i];
        const b = wall[f + ((i + 1) % 3)];
        if (!edges.delete(`${b},${a}`)) edges.set(`${a},${b}`, [a, b]);
      }
    }
    const out = [];
    for (const [a, b] of edges.values()) out.push(a, b, b + shift, a, b + shift, a + shift);
    return Uint16Array.from(out);
  }

  volumes(vertices) {
    const [lv, outer, rv] = this.closed.map((faces) => volume(vertices, faces));
    return { lv, myo: outer - lv, rv };
  }

  /** Length in mm of the column through the wall at each vertex; nan on the right. */
  thickness(vertices, out = new Float32Array(vertices.length / 3)) {
    const [first, end] = this.spans[0];
    const shift = this.spans[1][0] - first;
    out.fill(Number.NaN);
    for (let i = first; i < end; i += 1) {
      const a = 3 * i;
      const b = 3 * (i + shift);
      const mm = Math.hypot(
        vertices[b] - vertices[a],
        vertices[b + 1] - vertices[a + 1],
        vertices[b + 2] - vertices[a + 2],
      );
      out[i] = mm;
      out[i + shift] = mm;
    }
    return out;
  }
}

/** Distance in mm of each vertex from where it is in another frame. */
export function displacement(vertices, first, out = new Float32Array(vertices.length / 3)) {
  for (let i = 0; i < out.length; i += 1) {
    const k = 3 * i;
    out[i] = Math.hypot(
      vertices[k] - first[k],
      vertices[k + 1] - first[k + 1],
      vertices[k + 2] - first[k + 2],
    );
  }
  return out;
}

/**
 * The closed lines along which a surface meets the plane on which one coordinate has a value.
 * @param {number} axis 0, 1 or 2
 * @returns {number[][]} lines as [u, v, u, v, …], the other two coordinates in their order
 */
export function section(vertices, faces, axis, level) {
  const u = axis === 0 ? 1 : 0;
  const w = axis === 2 ? 1 : 2;
  const onward = new Map(); // from the edge that a line comes in by to the point there and the edge it leaves by
  const key = (a, b) => (a < b ? a * 65536 + b : b * 65536 + a);
  for (let f = 0; f < faces.length; f += 3) {
    let from = -1;
    let to = -1;
    let x = 0;
    let y = 0;
    for (let i = 0; i < 3; i += 1) {
      const a = faces[f + i];
      const b = faces[f + ((i + 1) % 3)];
      const za = vertices[3 * a + axis] - level;
      const zb = vertices[3 * b + axis] - level;
      if (za >= 0 === zb >= 0) continue;
      if (za >= 0) {
        const t = za / (za - zb);
        from = key(a, b);
        x = vertices[3 * a + u] + t * (vertices[3 * b + u] - vertices[3 * a + u]);
        y = vertices[3 * a + w] + t * (vertices[3 * b + w] - vertices[3 * a + w]);
      } else to = key(a, b);
    }
    if (from >= 0) onward.set(from, { to, x, y });
  }
  const lines = [];
  for (const start of [...onward.keys()]) {
    const line = [];
    for (let at = start; onward.has(at); ) {
      const { to, x, y } = onward.get(at);
      onward.delete(at);
      line.push(x, y);
      at = to;
    }
    if (line.length >= 6) lines.push(line);
  }
  return lines;
}
