import assert from "node:assert/strict";
import { test } from "node:test";
import { between } from "../src/clock.js";
import { colourAt } from "../src/colours.js";
import { readArray } from "../src/data.js";
import { gif, stl } from "../src/exports.js";
import { readPerson, writePerson } from "../src/link.js";
import { phenotypes } from "../src/model.js";
import { middle90 } from "../src/normal.js";
import { normals } from "../src/random.js";

test("the same seed gives the same numbers, and they are N(0, 1)", () => {
  const drawn = normals(7, 20000);
  assert.deepEqual(normals(7, 20000), drawn);
  assert.notDeepEqual(normals(8, 4), drawn.subarray(0, 4));
  const mean = drawn.reduce((a, b) => a + b) / drawn.length;
  const variance = drawn.reduce((a, b) => a + (b - mean) ** 2, 0) / drawn.length;
  assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.04);
  assert.deepEqual([...normals(0, 3)], [0, 0, 0], "seed 0 is the mean");
});

test("a person goes into the link and comes back", () => {
  const conditions = [
    { name: "age", levels: [], range: [18, 73] },
    { name: "sex", levels: ["F", "M"], range: [0, 0] },
  ];
  const mean = { conditions: { age: 40, sex: "F" }, seed: 0, coordinates: [0, 0] };
  const person = { conditions: { age: 63, sex: "M" }, seed: 123, coordinates: [1.25, -2] };
  const text = writePerson(person, ["age", "sex"]);
  assert.deepEqual(readPerson(text, mean, conditions), person);
  const odd = { conditions: { age: 73, sex: "F" }, seed: 0, coordinates: [4, 0] };
  assert.deepEqual(readPerson("900,Q;x;99", mean, conditions), odd);
  assert.deepEqual(readPerson(undefined, mean, conditions), mean);
});

test("phenotypes of curves", () => {
  const found = phenotypes({ lv: [150, 60, 100], myo: [100, 101, 102], rv: [160, 70, 90] });
  assert.equal(found.es, 1);
  assert.equal(found.lvef, 60);
  assert.equal(found.lvm, 105);
});

test("the middle 90 % of 0 to 100", () => {
  const values = Array.from({ length: 101 }, (_, i) => 100 - i);
  assert.deepEqual(middle90(values), { low: 5, middle: 50, high: 95 });
});

test("a beat closes", () => {
  const frames = [Float32Array.of(0), Float32Array.of(4)];
  const out = new Float32Array(1);
  assert.equal(between(frames, 0.25, out)[0], 2);
  assert.equal(between(frames, 0.75, out)[0], 2, "between the last frame and the first");
});

test("arrays are read, whole numbers times a step too", async () => {
  const data = Buffer.from(Int16Array.of(1, -2, 300).buffer).toString("base64");
  const read = await readArray({ type: "int16", shape: [3], data, scale: 0.5 });
  assert.deepEqual([...read.values], [0.5, -1, 150]);
});

test("an STL file has a head and 50 bytes a face; its normals are units", async () => {
  const blob = stl(Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0), [Uint16Array.of(0, 1, 2)], "one");
  const view = new DataView(await blob.arrayBuffer());
  assert.equal(view.byteLength, 84 + 50);
  assert.equal(view.getUint32(80, true), 1);
  assert.equal(view.getFloat32(84 + 8, true), 1);
});

test("a GIF begins as one", async () => {
  const data = new Uint8ClampedArray(4 * 16).map((_, i) => (i * 7) % 256);
  const blob = gif([{ data, width: 4, height: 4 }], 50);
  assert.equal(
    Buffer.from(await blob.arrayBuffer())
      .subarray(0, 6)
      .toString(),
    "GIF89a",
  );
});

test("colours stay within the scale", () => {
  const rgb = new Float32Array(3);
  for (const value of [-1, 0, 0.5, 1, 2, Number.NaN]) {
    colourAt(value, rgb, 0);
    assert.ok(rgb.every((v) => v >= 0 && v <= 1));
  }
});
