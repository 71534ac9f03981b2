import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunInfo } from "../src/api";
import { chosenSides, groupsOf, singlesOf } from "../src/sides";

const run = (path: string, hparams: Record<string, unknown>) => ({ path, name: path, hparams }) as unknown as RunInfo;
const RUNS = [run("a", { rate: 0.1, seed: 0 }), run("b", { rate: 0.1, seed: 1 }), run("c", { rate: 0.2, seed: 2 }), run("d", { rate: 0.2 }), run("e", { rate: 0.3, seed: 3 })];

test("groups have two runs or more, in the order of their values", () => {
  const groups = groupsOf(RUNS, ["seed", "rate"]);
  assert.deepEqual(groups.map((side) => [side.title, side.runs]), [["rate = 0.1", ["a", "b"]], ["rate = 0.2", ["c", "d"]]]);
});

test("sides are those chosen; else two groups of one hyper-parameter, or the first two runs", () => {
  const [groups, singles] = [groupsOf(RUNS, ["rate"]), singlesOf(RUNS)];
  const titles = (a: string, b: string, some = groups) => chosenSides(some, singles, a, b).map((side) => side?.title);
  assert.deepEqual(titles("", ""), ["rate = 0.1", "rate = 0.2"]);
  assert.deepEqual(titles('["rate","0.2"]', '["e"]'), ["rate = 0.2", "e"]);
  assert.deepEqual(titles('["gone"]', ""), ["rate = 0.1", "rate = 0.2"]);
  assert.deepEqual(titles("", '["rate","0.1"]'), ["rate = 0.2", "rate = 0.1"]);
  assert.deepEqual(titles("", "", []), ["a", "b"]);
  assert.deepEqual(chosenSides([], singlesOf(RUNS.slice(0, 1)), "", "").map((side) => side?.title), ["a", undefined]);
});
