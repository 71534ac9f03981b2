import assert from "node:assert/strict";
import { test } from "node:test";
import { type EmbeddedCurve, labels, linesOf } from "../src/embedded/data";
import { exponential } from "../src/embedded/smoothing";
import { luminance } from "../src/embedded/luminance";

function curve(changes: Partial<EmbeddedCurve>): EmbeddedCurve {
  const [x, y] = [Float64Array.of(0, 1, 2), Float64Array.of(1, 3, 2)];
  return { key: "a", name: "a", tag: "loss", color: "#102030", dash: 0, n: 3, members: 0, thinned: false, line: { x, y }, odd: { x: y, y }, counts: null, band: null, smooth: new Map(), ...changes };
}

test("an exponential average is debiased, and values that are not finite do not count", () => {
  const found = exponential(Float64Array.of(1, NaN, 3, Infinity, 2), 0.5);
  assert.deepEqual([...found], [1, NaN, (0.5 * 1 + 3) / 1.5, Infinity, (0.25 * 1 + 0.5 * 3 + 2) / 1.75]);
  assert.deepEqual([...exponential(Float64Array.of(5, 7), 0)], [5, 7]);
});

test("a run's smoothed curve stands before its raw one, a mean is smoothed itself", () => {
  const panel = { title: "", tags: ["loss"], band: "", curves: [curve({}), curve({ key: "b", name: "b", members: 2, counts: Float64Array.of(2, 2, 1), band: { x: Float64Array.of(0, 1, 2), low: Float64Array.of(0, 2, 1), high: Float64Array.of(2, 4, 3) } })] };
  const [run, mean] = linesOf(panel, "0.5", new Set(), false);
  assert.deepEqual([...(run?.y ?? [])], [1, 3, 2]);
  assert.deepEqual([...(run?.smooth?.y ?? [])], [...exponential(Float64Array.of(1, 3, 2), 0.5)]);
  assert.equal(mean?.smooth, null);
  assert.deepEqual([...(mean?.y ?? [])], [...exponential(Float64Array.of(1, 3, 2), 0.5)]);
  assert.deepEqual([...(mean?.band?.low ?? [])], [...exponential(Float64Array.of(0, 2, 1), 0.5)]);
});

test("extremes of stretches are not smoothed in the page", () => {
  const given = { line: { x: Float64Array.of(0), y: Float64Array.of(9) }, band: null, counts: null };
  const panel = { title: "", tags: ["loss"], band: "", curves: [curve({ thinned: true, smooth: new Map([["0.9", given]]) })] };
  assert.equal(linesOf(panel, "0.5", new Set(), false)[0]?.smooth, null);
  assert.deepEqual([...(linesOf(panel, "0.9", new Set(), false)[0]?.smooth?.y ?? [])], [9]);
});

test("hidden curves are not drawn, names tell the others apart", () => {
  const curves = [curve({}), curve({ key: "b", tag: "acc" })];
  assert.deepEqual(labels(curves), ["loss", "acc"]);
  assert.deepEqual(labels([...curves, curve({ key: "c", name: "c" })]), ["a · loss", "a · acc", "c · loss"]);
  assert.deepEqual(linesOf({ title: "", tags: [], band: "", curves }, "0", new Set(["b"]), true).map((line) => line.key), ["a"]);
});

test("a page's colour is dark or light", () => {
  assert.ok(luminance("rgb(17, 17, 17)") < 0.1 && luminance("rgb(255, 255, 255)") > 0.99);
});
