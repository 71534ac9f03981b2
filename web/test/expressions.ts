import assert from "node:assert/strict";
import { test } from "node:test";
import { has, partsOf, tagsOf } from "../src/expressions";
import { pythonCode } from "../src/export";
import { PLAIN } from "../src/view";

test("the tags of an expression are those in braces", () => {
  assert.deepEqual(tagsOf("{eval/loss} - {train/loss} / {eval/loss}"), ["eval/loss", "train/loss"]);
  assert.deepEqual(tagsOf("log({a}}b}) + 2"), ["a}b"]);
  for (const text of ["train/loss", "x{2}", "x{2,}", "x{2,30}", "\\p{L}+", "{", "{}", "a}"]) assert.deepEqual(tagsOf(text), [], text);
});

test("a run has an expression if it has all of its tags", () => {
  assert.ok(has(["a", "b"], "{a} - {b}"));
  assert.ok(!has(["a"], "{a} - {b}"));
  assert.ok(has(["{a} - {b}"], "{a} - {b}"));
  assert.ok(!has(["a"], "b") && !has([], "x{2}"));
});

test("commas in braces and parentheses part nothing", () => {
  assert.deepEqual(partsOf("a, min({b, c}, {d}),(e)"), ["a", "min({b, c}, {d})", "(e)"]);
  assert.deepEqual(partsOf("{a(}, b"), ["{a(}", "b"]);
});

test("a panel's code has what the view shows", () => {
  const view = { ...PLAIN, x: "train/loss", smooth: "gaussian" as const, amount: 5, group: ["lr"], ylog: true, robust: true };
  const code = pythonCode("log", ["{a} - {b}"], view);
  assert.ok(code.endsWith('vizkit.load("log").plot("{a} - {b}", x="train/loss", smooth="gaussian:5", by="lr", band="ci", log=True, outliers=False)\n'), code);
});
