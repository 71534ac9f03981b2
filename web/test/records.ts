import assert from "node:assert/strict";
import { test } from "node:test";
import { area, nearestStep } from "../src/media/records";

test("the record of the nearest step is shown, of equal steps the last", () => {
  const records = [0, 20, 20, 50].map((step) => ({ step }));
  const wanted: [number, number][] = [[-1, 0], [10, 0], [11, 2], [35, 2], [36, 3], [99, 3]];
  for (const [step, at] of wanted) assert.equal(nearestStep(records, step), at, String(step));
  assert.equal(nearestStep([], 1), -1);
});

test("the area under a curve, whatever the order of its points", () => {
  assert.equal(area([0, 1], [0, 1]), 0.5);
  assert.equal(area([1, 0, 0, 1], [1, 0, 1, 1]), 1);
});
