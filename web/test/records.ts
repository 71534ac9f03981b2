import assert from "node:assert/strict";
import { test } from "node:test";
import { area, classesOf, nearestStep, quantile, stepsOf } from "../src/media/records";

test("the record of the nearest step is shown, of equal steps the last", () => {
  const records = [0, 20, 20, 50].map((step) => ({ step }));
  const wanted: [number, number][] = [[-1, 0], [10, 0], [11, 2], [35, 2], [36, 3], [99, 3]];
  for (const [step, at] of wanted) assert.equal(nearestStep(records, step), at, String(step));
  assert.equal(nearestStep([], 1), -1);
});

test("the steps of several runs are there once, sorted", () => {
  const of = (...steps: number[]) => ({ records: steps.map((step) => ({ step })) });
  assert.deepEqual(stepsOf([of(10, 0.5), of(9, 10, 100)]), [0.5, 9, 10, 100]);
});

test("the area under a curve, whatever the order of its points", () => {
  assert.equal(area([0, 1], [0, 1]), 0.5);
  assert.equal(area([1, 0, 0, 1], [1, 0, 1, 1]), 1);
});

test("percentiles lie evenly within a bin, and empty bins hold none", () => {
  const histogram = { edges: [0, 1, 2, 4, 8], counts: [0, 10, 0, 10] };
  assert.equal(quantile(histogram, 0), 1);
  assert.equal(quantile(histogram, 0.25), 1.5);
  assert.equal(quantile(histogram, 0.5), 2);
  assert.equal(quantile(histogram, 0.75), 6);
  assert.equal(quantile(histogram, 1), 8);
  assert.ok(Number.isNaN(quantile({ edges: [0, 1], counts: [0] }, 0.5)));
});

test("classes share the beginning of their tags; a tag without others stands alone", () => {
  assert.deepEqual([...classesOf(["eval/pr/cat", "train/pr", "eval/pr/dog", "pr"])], [["eval/pr", ["eval/pr/cat", "eval/pr/dog"]], ["train/pr", ["train/pr"]], ["pr", ["pr"]]]);
  const slashes = ["a/pr/and/or", "a/pr/cat", "a/pr/<b>x</b>"]; // a class's name may hold a slash
  assert.deepEqual([...classesOf(slashes)], [["a/pr", slashes]]);
});
