import assert from "node:assert/strict";
import { test } from "node:test";
import { apart, brushed, brushOf, cutWithin, placeOn, readBrushes, scaleOf, ticksOf, within } from "../src/scales";

test("numbers over magnitudes get a logarithmic axis, texts one of words", () => {
  const rate = scaleOf("hparam:lr", "lr", [0.1, 0.001, undefined, 0.01]);
  assert.equal(rate.kind, "log");
  assert.ok(Math.abs((placeOn(rate, 0.01) ?? 0) - 0.5) < 1e-12);
  assert.equal(scaleOf("a", "a", [1, 2, -3]).kind, "linear");
  const words = scaleOf("o", "o", ["SGD", "Adam", 3, true]);
  assert.deepEqual([words.kind, words.words], ["words", ["3", "Adam", "SGD", "true"]]);
  assert.equal(placeOn(words, "SGD"), 2 / 3);
  for (const value of [undefined, null, NaN, "gone"]) assert.equal(placeOn(rate, value), null);
  assert.equal(placeOn(scaleOf("c", "c", [5, 5]), 5), 0.5);
  assert.equal(ticksOf(scaleOf("n", "n", [])).length, 0);
});

test("a brush holds exactly the values between its ends", () => {
  const values = Array.from({ length: 50 }, (_, at) => 10 ** (-at / 10));
  const scale = scaleOf("hparam:lr", "lr", values);
  const brush = brushOf(scale, 0.7, 0.2);
  for (const value of values) {
    const place = placeOn(scale, value) ?? -1;
    assert.equal(within(brush, value), place >= 0.2 - 1e-9 && place <= 0.7 + 1e-9, String(value));
  }
  const [low, high] = brushed(scale, brush);
  assert.ok(Math.abs(low - 0.2) < 1e-9 && Math.abs(high - 0.7) < 1e-9);
  assert.equal(within(brush, undefined), false);
  const words = scaleOf("o", "o", ["a", "b", "c"]);
  assert.deepEqual(brushOf(words, 0.4, 1).words, ["b", "c"]);
  assert.equal(within(brushOf(words, 0.4, 1), "a"), false);
});

test("brushes survive an address, and what is none is passed over", () => {
  const good = [{ key: "hparam:lr", low: 1, high: 2 }, { key: "o", words: ["运"] }];
  assert.deepEqual(readBrushes(good.map((one) => JSON.stringify(one))), good);
  assert.deepEqual(readBrushes(["{", "1", "null", '{"key":1}', '{"key":"a","low":"1","high":2}', '{"key":"a","words":[1]}']), []);
});

test("texts of an axis that would lie on each other are left out", () => {
  const few = scaleOf("best:loss", "loss", [0.0048387, 0.0078197, 0.15005]); // few values: each is a tick
  assert.equal(ticksOf(few).length, 3);
  assert.deepEqual(apart(ticksOf(few), 0.06).map((tick) => tick.text), ["0.0048387", "0.15005"]);
  assert.deepEqual(apart(ticksOf(few), 0), ticksOf(few));
  assert.deepEqual(apart([], 0.5), []);
});

test("long names are cut in their middle", () => {
  assert.equal(cutWithin("hyper parameter 12", 10), "hyper…r 12");
  assert.equal(cutWithin("loss", 4), "loss");
  assert.equal(cutWithin("losses", 4), "lo…s");
});
