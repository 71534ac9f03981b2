import assert from "node:assert/strict";
import test from "node:test";
import { distances, logTexts, logTicks, multiples, roundTicks, tickTexts } from "../src/ticks";

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
  assert.deepEqual(logTexts([0.37567, 0.5, 1]), ["", "0.5", "1"]);
});
