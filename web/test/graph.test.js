import assert from "node:assert/strict";
import { test } from "node:test";
import { matrix, run } from "../src/graph.js";

const tensors = {
  w: { shape: [2, 3], values: Float32Array.from([1, 0, 0, 0, 1, 1]) },
  b: { shape: [2], values: Float32Array.from([0.5, -10]) },
  waves: { shape: [2, 1], values: Float32Array.from([0, 2]) },
};

test("linear, relu, concat, take and add", () => {
  const steps = [
    { op: "linear", from: ["x"], to: "y", weight: "w", bias: "b" },
    { op: "relu", from: ["y"], to: "r" },
    { op: "concat", from: ["r", "y"], to: "c" },
    { op: "take", from: ["c"], to: "t", start: 1, stop: 3 },
    { op: "add", from: ["t", "t"], to: "s" },
  ];
  const found = run(steps, tensors, { x: matrix(1, 3, Float32Array.from([1, 2, 3])) });
  assert.deepEqual([...found.y.values], [1.5, -5]);
  assert.deepEqual([...found.c.values], [1.5, 0, 1.5, -5]);
  assert.deepEqual([...found.s.values], [0, 3]);
});

test("motion goes on from the start, a row a frame", () => {
  const steps = [{ op: "motion", from: ["start", "amplitudes"], to: "m", waves: "waves" }];
  const start = matrix(1, 2, Float32Array.from([1, 2]));
  const amplitudes = matrix(1, 3, Float32Array.from([10, 20, 30]));
  assert.deepEqual([...run(steps, tensors, { start, amplitudes }).m.values], [1, 2, 0, 21, 42, 60]);
});
