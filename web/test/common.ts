import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunInfo } from "../src/api";
import { commonFirst, ofMost } from "../src/common";

const run = (...tags: string[]) => ({ metrics: Object.fromEntries(tags.map((tag) => [tag, {}])) }) as unknown as RunInfo;

test("a tag of few runs is no default, and the others keep their order", () => {
  const runs = [run("eval/ap", "loss"), run("loss"), run("acc", "loss"), run("acc", "loss")];
  assert.deepEqual(commonFirst(["eval/ap", "acc", "loss"], runs), ["acc", "loss", "eval/ap"]); // half of them evaluated
  assert.deepEqual(commonFirst(["b", "a"], []), ["b", "a"]);
});

test("tags that most ended runs have come first, and few runs' are left out", () => {
  const live = { ...run("loss"), status: "running" } as RunInfo;
  const runs = [run("loss", "eval/acc"), run("eval/acc", "loss"), run("eval/acc", "train/acc"), live, live];
  assert.deepEqual(ofMost(["train/acc", "loss", "eval/acc"], runs), ["eval/acc", "loss"]);
  assert.deepEqual(ofMost(["b", "loss"], [live]), ["loss"]);
  assert.deepEqual(ofMost([], []), []);
});
