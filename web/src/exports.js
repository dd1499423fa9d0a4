// Files that a person takes away: STL, PNG, GIF. Nothing is sent anywhere.
import * as gifenc from "gifenc";

const { applyPalette, GIFEncoder, quantize } = gifenc.GIFEncoder ? gifenc : gifenc.default; // in Node it is CommonJS

/** Closed surfaces as binary STL; `parts` are [faces, …] of one array of vertices. */
export function stl(vertices, parts, title) {
  const count = parts.reduce((sum, faces) => sum + faces.length / 3, 0);
  const view = new DataView(new ArrayBuffer(84 + 50 * count));
  for (let i = 0; i < Math.min(title.length, 79); i += 1) view.setUint8(i, title.charCodeAt(i) & 0x7f);
  view.setUint32(80, count, true);
  let at = 84;
  for (const faces of parts) {
    for (let f = 0; f < faces.length; f += 3) {
      const corners = [0, 1, 2].map((i) => [...vertices.subarray(3 * faces[f + i], 3 * faces[f + i] + 3)]);
      for (const value of [...unitNormal(corners), ...corners.flat()]) {
        view.setFloat32(at, value, true);
        at += 4;
      }
      at += 2;
    }
  }
  return new Blob([view.buffer], { type: "model/stl" });
}

function unitNormal([a, b, c]) {
  const u = b.map((v, i) => v - a[i]);
  const w = c.map((v, i) => v - a[i]);
  const n = [u[1] * w[2] - u[2] * w[1], u[2] * w[0] - u[0] * w[2], u[0] * w[1] - u[1] * w[0]];
  const length = Math.hypot(...n) || 1;
  return n.map((v) => v / length);
}

/** Pictures [{data: RGBA, width, height}] as an animation; `delay` in ms. */
export function gif(pictures, delay) {
  const encoder = GIFEncoder();
  const palette = quantize(pictures[0].data, 128, { format: "rgb444" });
  for (const { data, width, height } of pictures) {
    encoder.writeFrame(applyPalette(data, palette, "rgb444"), width, height, { palette, delay });
  }
  encoder.finish();
  return new Blob([encoder.bytes()], { type: "image/gif" });
}

/** The pixels of a canvas, at most so wide. */
export function pixels(canvas, most = 640) {
  const scale = Math.min(1, most / canvas.width);
  const small = document.createElement("canvas");
  small.width = Math.round(canvas.width * scale);
  small.height = Math.round(canvas.height * scale);
  const context = small.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0, small.width, small.height);
  return context.getImageData(0, 0, small.width, small.height);
}

/** Hand a file to the person. */
export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
