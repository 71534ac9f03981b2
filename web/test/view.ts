import assert from "node:assert/strict";
import { test } from "node:test";
import { PLAIN, readView, toggled, type View, writeView } from "../src/view";

test("a view survives its address", () => {
  const view: View = { ...PLAIN, tab: "table", filter: "a & `b?` #1", group: ["lr", "batch size"], from: -1.5, to: 2e9, shared: false, hidden: ["运行/1", "a+b"], smooth: "ema", amount: 0 };
  assert.deepEqual(readView(`?${writeView(view)}`), view);
  assert.equal(writeView(PLAIN), "");
  assert.deepEqual(readView(""), PLAIN);
});

test("what makes no sense in an address counts as not given", () => {
  assert.deepEqual(readView("?tab=nowhere&band=x&smooth=&from=a&to=&amount=NaN&unknown=1&__proto__=2"), PLAIN);
  const swapped = readView("?from=5&to=1");
  assert.equal(swapped.from, null);
});

test("an element is put in a list, and taken out", () => {
  assert.deepEqual(toggled(["a"], "b"), ["a", "b"]);
  assert.deepEqual(toggled(["a", "b"], "a"), ["b"]);
});
