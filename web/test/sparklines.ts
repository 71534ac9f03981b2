import assert from "node:assert/strict";
import { test } from "node:test";
import { rowOf } from "../src/rows";
import { pathOf, together } from "../src/sparklines";
import { movedTo } from "../src/table";
import { searched } from "../src/views";

const of = (...values: number[]) => Float64Array.from(values);

test("a sparkline spans its box and has gaps at values that are not finite", () => {
  assert.equal(pathOf({ x: of(0, 1, 2), y: of(1, 3, 2) }, 102, 12), "M1.0 11.0L51.0 1.0L101.0 6.0");
  assert.equal(pathOf({ x: of(0, 1, 2, 3, 4), y: of(1, 1, NaN, 1, Infinity) }, 102, 12), "M1.0 6.0L26.0 6.0M76.0 6.0h1");
  assert.equal(pathOf({ x: of(5), y: of(7) }, 102, 12), "M1.0 6.0h1");
  assert.equal(pathOf({ x: of(), y: of() }, 102, 12), "");
  const huge = pathOf({ x: of(0, 1), y: of(-1.7e308, 1.7e308) }, 102, 12);
  assert.equal(huge, "M1.0 11.0L101.0 1.0");
});

test("a column moves to the place of another", () => {
  assert.deepEqual(movedTo(["a", "b", "c", "d"], "a", "c"), ["b", "c", "a", "d"]);
  assert.deepEqual(movedTo(["a", "b", "c", "d"], "d", "b"), ["a", "d", "b", "c"]);
  assert.deepEqual(movedTo(["a", "b"], "b", "b"), ["a", "b"]);
});

test("curves of about one length are asked for together", () => {
  assert.equal(together("loss", 1000), together("loss", 600));
  assert.notEqual(together("loss", 1000), together("loss", 20));
  assert.notEqual(together("loss", 1000), together("acc", 1000));
  assert.equal(together("loss", 0), together("loss", 1));
});

test("views are found by words of their names and addresses", () => {
  const views = [{ name: "Losses, smoothed", query: "tags=loss&smooth=ema" }, { name: "Adam", query: "filter=optimizer+%3D%3D+%27Adam%27" }];
  const names = (search: string) => searched(views, search).map((one) => one.name);
  assert.deepEqual(names(""), ["Losses, smoothed", "Adam"]);
  assert.deepEqual(names("LOSS  smooth"), ["Losses, smoothed"]);
  assert.deepEqual(names("optimizer =="), ["Adam"]);
  assert.deepEqual(names("loss adam"), []);
});

test("an element of a list keeps its row while that is in view", () => {
  const shown = (first: number) => Array.from({ length: 5 }, (_, slot) => rowOf(slot, first, 5));
  assert.deepEqual(shown(0), [0, 1, 2, 3, 4]);
  assert.deepEqual(shown(2), [5, 6, 2, 3, 4]);
  assert.deepEqual(shown(1003), [1005, 1006, 1007, 1003, 1004]);
});
