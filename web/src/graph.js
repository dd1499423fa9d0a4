// Plain layers, as cheart/models/layer_graph.py has them. A matrix is {rows, columns, values: Float32Array}.

export function matrix(rows, columns, values = new Float32Array(rows * columns)) {
  return { rows, columns, values };
}

function linear(step, tensors, x) {
  const weight = tensors[step.weight];
  const bias = step.bias ? tensors[step.bias].values : null;
  const [out, inputs] = weight.shape;
  const y = matrix(x.rows, out);
  for (let r = 0; r < x.rows; r += 1) {
    const at = r * inputs;
    for (let o = 0, w = 0; o < out; o += 1) {
      let sum = bias ? bias[o] : 0;
      for (let i = 0; i < inputs; i += 1, w += 1) sum += weight.values[w] * x.values[at + i];
      y.values[r * out + o] = sum;
    }
  }
  return y;
}

const each = (f) => (_step, _tensors, x) => matrix(x.rows, x.columns, x.values.map(f));

function add(_step, _tensors, ...parts) {
  const rows = Math.max(...parts.map((p) => p.rows));
  const y = matrix(rows, parts[0].columns);
  for (const part of parts) {
    const size = part.values.length;
    for (let i = 0; i < y.values.length; i += 1) y.values[i] += part.values[i % size];
  }
  return y;
}

function concat(_step, _tensors, ...parts) {
  const columns = parts.reduce((sum, p) => sum + p.columns, 0);
  const y = matrix(parts[0].rows, columns);
  for (let r = 0; r < y.rows; r += 1) {
    let at = r * columns;
    for (const part of parts) {
      y.values.set(part.values.subarray(r * part.columns, (r + 1) * part.columns), at);
      at += part.columns;
    }
  }
  return y;
}

function take(step, _tensors, x) {
  const y = matrix(x.rows, step.stop - step.start);
  for (let r = 0; r < x.rows; r += 1) {
    const at = r * x.columns;
    y.values.set(x.values.subarray(at + step.start, at + step.stop), r * y.columns);
  }
  return y;
}

function motion(step, tensors, start, amplitudes) {
  const waves = tensors[step.waves];
  const [frames, harmonics] = waves.shape;
  const size = amplitudes.columns / harmonics;
  const y = matrix(frames, size);
  for (let t = 0; t < frames; t += 1) {
    y.values.set(start.values, t * size);
    for (let k = 0; k < harmonics; k += 1) {
      const wave = waves.values[t * harmonics + k];
      for (let i = 0; i < size; i += 1) y.values[t * size + i] += wave * amplitudes.values[k * size + i];
    }
  }
  return y;
}

const OPS = {
  linear,
  add,
  concat,
  take,
  motion,
  relu: each((v) => Math.max(v, 0)),
  silu: each((v) => v / (1 + Math.exp(-v))),
  cos: each(Math.cos),
};

/** Run the steps; returns everything that they leave, by name. */
export function run(steps, tensors, inputs) {
  const found = { ...inputs };
  for (const step of steps) {
    const given = step.from.map((name) => found[name]);
    found[step.to] = OPS[step.op](step, tensors, ...given);
  }
  return found;
}
