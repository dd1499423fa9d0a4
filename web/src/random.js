// The same seed, the same heart: a small generator and normal numbers of it.

/** Mulberry32: numbers in [0, 1) from a seed of 32 bits. */
export function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** So many N(0, 1) numbers of a seed (Box and Muller); seed 0 is the mean, all zeros. */
export function normals(seed, count) {
  const out = new Float32Array(count);
  if (seed === 0) return out;
  const next = uniform(seed);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - next()));
    const angle = 2 * Math.PI * next();
    out[i] = radius * Math.cos(angle);
    if (i + 1 < count) out[i + 1] = radius * Math.sin(angle);
  }
  return out;
}
