import assert from "node:assert/strict";
import test from "node:test";
import { betweenTicks, distances, logTicks, multiples, roundTicks, secondTexts, tickTexts } from "../src/ticks";

test("ticks are round numbers, so many at most", () => {
  assert.deepEqual(roundTicks(0.13, 0.77, 4), [0.2, 0.4, 0.6]);
  assert.deepEqual(roundTicks(-3, 3, 6), [-2, 0, 2]);
  assert.deepEqual(multiples(0, 3e307, 1e307), [0, 1e307, 2e307, 3e307]);
  assert.ok(distances(-1.7e308, 1.7e308).length > 0);
  assert.deepEqual(logTicks(1.1e-4, 0.09, 6), [3e-4, 1e-3, 3e-3, 1e-2, 3e-2]);
  assert.deepEqual(logTicks(0.5, 20, 6), [0.5, 1, 2, 5, 10, 20]);
  assert.ok(logTicks(1e-30, 1e30, 6).length >= 3);
});

test("texts of ticks tell neighbours apart", () => {
  assert.deepEqual(tickTexts([0.2, 0.4, null]), ["0.2", "0.4", ""]);
  assert.deepEqual(tickTexts([1, 1.00000000002, 1.00000000004]), ["1", "1.00000000002", "1.00000000004"]);
  assert.deepEqual(tickTexts([1e6, 1.0001e6]), ["1e6", "1.0001e6"]);
  assert.deepEqual(tickTexts([10_000_000, 10_000_010]), ["1e7", "1.000001e7"]);
});

test("a part of a decade on a logarithmic axis has round ticks", () => {
  assert.deepEqual(logTicks(0.87, 2.08, 7), [1, 1.2, 1.4, 1.6, 1.8, 2]);
  assert.deepEqual(logTicks(1.045, 1.155, 7), [1.06, 1.08, 1.1, 1.12, 1.14]);
  assert.deepEqual(logTicks(1.8, 9, 7), [2, 4, 6, 8]);
  for (const [low, high] of [[0.9, 2], [3.5, 4.1], [1e-9, 1.001e-9], [40, 390], [0.02, 1.7]] as const) {
    const ticks = logTicks(low, high, 8);
    assert.ok(ticks.length >= 3 && ticks.length <= 8, `${low} ${high} ${ticks}`);
    assert.ok(ticks.every((tick) => tick >= low * 0.999 && tick <= high * 1.001));
  }
  assert.deepEqual(betweenTicks(0.9, 2), []);
  assert.deepEqual(betweenTicks(0.5, 30), [0.5, 0.6, 0.7, 0.8, 0.9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30]);
  assert.deepEqual(betweenTicks(1e-12, 1), []);
  assert.deepEqual([...betweenTicks(0, 30), ...logTicks(0, 30, 5), ...logTicks(-1, 0, 5)], []);
});

test("ticks in seconds can be told apart at any zoom", () => {
  assert.deepEqual(secondTexts([0, 60, null, 120]), ["0 s", "1 min", "", "2 min"]);
  assert.deepEqual(secondTexts([0, 0.002, 0.004]), ["0 s", "0.002 s", "0.004 s"]);
  assert.deepEqual(secondTexts([1000.25, 1000.5]), ["1000.25 s", "1000.5 s"]);
});
