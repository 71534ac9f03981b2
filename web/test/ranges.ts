import assert from "node:assert/strict";
import { test } from "node:test";
import { flattening, matcher, nearest, panelTags, rangeOf, sections } from "../src/ranges";

const of = (...values: number[]) => Float64Array.from(values);

test("the nearest point is found, the earlier of two equally far", () => {
  const x = of(0, 10, 20, 20, 40);
  const wanted: [number, number][] = [[-5, 0], [4, 0], [5, 0], [6, 1], [19, 2], [30, 3], [31, 4], [1e9, 4]];
  for (const [place, at] of wanted) assert.equal(nearest(x, place), at, String(place));
  assert.equal(nearest(of(), 1), -1);
  assert.equal(nearest(of(7), 1), 0);
});

test("a range holds every finite value, with a margin", () => {
  const random = () => Math.tan(Math.random() * 3);
  for (let round = 0; round < 200; round += 1) {
    const values = Float64Array.from({ length: 50 }, random);
    const { low, high } = rangeOf([values], false, false);
    assert.ok(values.every((value) => low <= value && value <= high) && low < high);
  }
  assert.deepEqual(rangeOf([of(NaN, Infinity)], false, false), { low: 0, high: 1, outside: 0, refused: 0 });
  const huge = rangeOf([of(-1.7e308, 1.7e308)], false, false);
  assert.ok(Number.isFinite(huge.low) && Number.isFinite(huge.high) && huge.low <= -1.7e308);
  const flat = rangeOf([of(5, 5)], false, false);
  assert.ok(flat.low < 5 && flat.high > 5);
});

test("a logarithmic range counts what it cannot show", () => {
  const found = rangeOf([of(-1, 0, 1, 100, NaN)], true, false);
  assert.equal(found.refused, 2);
  assert.ok(found.low > 0 && found.low < 1 && found.high > 100);
  const tight = rangeOf([of(0.9, 2)], true, false);
  assert.ok(tight.low > 0.85 && tight.high < 2.1);
  const flat = rangeOf([of(3.7, 3.7)], true, false);
  assert.ok(flat.low > 3 && flat.high < 4.5);
  const wide = rangeOf([of(5e-324, 1.7e308)], true, false);
  assert.ok(wide.low > 0 && Number.isFinite(wide.high));
});

test("curves that flatten most of the others are counted", () => {
  const good = Array.from({ length: 8 }, (_, run) => Float64Array.from({ length: 100 }, (__, step) => Math.exp(-step / 50) + run * 0.01));
  const up = Float64Array.from({ length: 100 }, (_, step) => 10 ** (step / 5));
  const down = up.map((value) => -value);
  assert.equal(flattening([...good, up, of(NaN, Infinity), of()]), 1);
  assert.equal(flattening([up, ...good, down]), 2);
  assert.equal(flattening(good), 0);
  assert.equal(flattening([of(0, 1), up]), 0); // of two, which one is the other?
  assert.equal(flattening([of(0, 1), up, up.map((value) => value * 3)]), 0); // most of them
  assert.equal(flattening([of(1, 1), of(1, 1), of(5, 5)]), 0); // flat by themselves
  const short = Array.from({ length: 7 }, (_, run) => of(0.9 + run * 0.01, 0.905 + run * 0.01));
  assert.equal(flattening([...short, of(0.5, 0.5)]), 0); // each is short, but all together are not flat
});

test("one diverged curve is left out of the range on request, and counted", () => {
  const good = Array.from({ length: 8 }, (_, run) => Float64Array.from({ length: 100 }, (__, step) => Math.exp(-step / 50) + run * 0.01));
  const bad = Float64Array.from({ length: 100 }, (_, step) => 10 ** (step / 5));
  const all = rangeOf([...good, bad], false, false);
  const robust = rangeOf([...good, bad], false, true);
  assert.ok(all.high > 1e18);
  assert.ok(robust.high < 20 && robust.high > 1);
  assert.equal(robust.outside, 1);
  assert.deepEqual(rangeOf(good, false, true), { ...rangeOf(good, false, false), outside: 0 });
});

test("tags fall into sections by their first part", () => {
  assert.deepEqual(sections(["train/loss", "lr", "eval/acc", "train/acc", "/odd"]), [
    { name: "train", tags: ["train/loss", "train/acc"] },
    { name: "", tags: ["lr", "/odd"] },
    { name: "eval", tags: ["eval/acc"] },
  ]);
});

test("a panel names its tags by a list or a pattern", () => {
  const tags = ["train/loss", "eval/loss", "eval/acc", "a,b"];
  assert.deepEqual(panelTags("train/loss, eval/loss", tags), ["train/loss", "eval/loss"]);
  assert.deepEqual(panelTags("LOSS$", tags), ["train/loss", "eval/loss"]);
  assert.deepEqual(panelTags("eval/acc, gone", tags), []);
  assert.deepEqual(panelTags("(", tags), []);
  assert.deepEqual(panelTags("{eval/loss} - {train/loss}, train/loss, min({a, b}, {eval/loss})", tags), ["{eval/loss} - {train/loss}", "train/loss", "min({a, b}, {eval/loss})"]);
  assert.deepEqual(panelTags("(train|eval)/los{1,}", tags), ["train/loss", "eval/loss"]);
  assert.deepEqual(panelTags("\\p{L}+/acc", tags), tags.filter((tag) => tag.endsWith("/acc")));
  assert.deepEqual(panelTags("odd (, b)", [...tags, "odd (", "b)"]), ["odd (", "b)"]);
  assert.equal(matcher("("), null);
});
