// What cheart wrote into the page: plain JSON, and arrays as base64.

const TYPES = { float32: Float32Array, int16: Int16Array, uint16: Uint16Array, uint8: Uint8Array };

function bytesOf(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** An array as cheart wrote it: `{type, shape, data}`, perhaps deflated, perhaps whole numbers times `scale`. */
export async function readArray({ type, shape, data, scale, deflated }) {
  const bytes = deflated ? await inflated(bytesOf(data)) : bytesOf(data);
  const values = new TYPES[type](
    bytes.buffer,
    bytes.byteOffset,
    bytes.byteLength / TYPES[type].BYTES_PER_ELEMENT,
  );
  if (!scale) return { shape, values };
  return { shape, values: Float32Array.from(values, (v) => v * scale) };
}

/** Every array of a page, by name. */
export async function readArrays(arrays) {
  const read = Object.entries(arrays).map(async ([name, array]) => [name, await readArray(array)]);
  return Object.fromEntries(await Promise.all(read));
}
