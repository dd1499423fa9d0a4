import assert from "node:assert/strict";
import { test } from "node:test";
import { displacement, section, Template, volume } from "../src/mesh.js";

// a cube of 20 mm, outward-facing
const CUBE = Float32Array.from([
  0, 0, 0, 20, 0, 0, 20, 20, 0, 0, 20, 0, 0, 0, 20, 20, 0, 20, 20, 20, 20, 0, 20, 20,
]);
const FACES = Uint16Array.from(
  [
    [0, 2, 1, 0, 3, 2],
    [4, 5, 6, 4, 6, 7],
    [0, 1, 5, 0, 5, 4],
    [1, 2, 6, 1, 6, 5],
    [2, 3, 7, 2, 7, 6],
    [3, 0, 4, 3, 4, 7],
  ].flat(),
);

test("a cube of 20 mm holds 8 mL", () => {
  assert.ok(Math.abs(volume(CUBE, FACES) - 8) < 1e-6);
});

test("a plane cuts one closed line out of a cube, all of it on the faces", () => {
  const lines = section(CUBE, FACES, 2, 7);
  assert.equal(lines.length, 1);
  const [line] = lines;
  let area = 0;
  for (let i = 0; i < line.length; i += 2) {
    const j = (i + 2) % line.length;
    area += (line[i] * line[j + 1] - line[j] * line[i + 1]) / 2;
  }
  assert.ok(Math.abs(Math.abs(area) - 400) < 1e-3);
  assert.deepEqual(section(CUBE, FACES, 2, 30), []);
});

test("displacement and thickness are distances", () => {
  const moved = CUBE.map((v, i) => v + [3, 4, 0][i % 3]);
  assert.deepEqual([...displacement(moved, CUBE)], Array(8).fill(5));
  const spans = [
    [0, 3],
    [3, 6],
    [6, 9],
  ];
  const faces = Uint16Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  const template = new Template(faces, Uint8Array.from([0, 1, 2]), Uint8Array.from([0, 0, 0]), spans);
  const at = Float32Array.from([
    0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 2, 0, 1, 2, 5, 5, 5, 6, 5, 5, 5, 6, 5,
  ]);
  const thickness = template.thickness(at);
  assert.deepEqual([...thickness.subarray(0, 6)], Array(6).fill(2));
  assert.ok(Number.isNaN(thickness[7]));
  assert.equal(template.rim.length, 3 * 6, "three edges of the rim, two faces each");
});
