import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, exact, natural, setting, short, tint } from "../src/format";

test("numbers are short in charts, and exact where they are read", () => {
  const shown: [number, string][] = [[0, "0"], [-0.00001, "-1e-5"], [1234567, "1.235e6"], [0.1 + 0.2, "0.3"], [12, "12"], [1e-320, "1e-320"], [NaN, "NaN"], [-Infinity, "−∞"], [123.456789, "123.46"]];
  for (const [value, text] of shown) assert.equal(short(value), text);
  for (const value of [0.1 + 0.2, 1e300, -7, 5e-324]) assert.equal(Number(exact(value)), value);
});

test("durations have two units at most", () => {
  const shown: [number, string][] = [[0.034, "0.03 s"], [59, "59 s"], [61, "1 min 1 s"], [3600, "1 h"], [4800, "1 h 20 min"], [90000, "1 d 1 h"], [-5, "−5 s"]];
  for (const [seconds, text] of shown) assert.equal(duration(seconds), text);
  assert.equal(duration(null), "");
});

test("names are sorted as people count", () => {
  const names = ["run10", "run2", "lr0.01", "lr0.001", "lr1e-4", "a", "run2b", ""];
  assert.deepEqual([...names].sort(natural), ["", "a", "lr1e-4", "lr0.001", "lr0.01", "run2", "run2b", "run10"]);
});

test("settings are texts, and colours are lighter on a dark page", () => {
  assert.equal(setting({ a: [1, null] }), '{"a":[1,null]}');
  assert.equal(setting(undefined), "");
  assert.equal(setting("<b>"), "<b>");
  assert.equal(tint("#000000", true), "#4d4d4d");
  assert.equal(tint("#5790fc", false), "#5790fc");
});
