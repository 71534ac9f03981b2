import assert from "node:assert/strict";
import { test } from "node:test";
import type { Line } from "../src/chart/line";
import { csv } from "../src/export";

const of = (...values: number[]) => Float64Array.from(values);

function line(name: string, x: Float64Array, y: Float64Array, columns?: [number, number]): Line {
  const none = { x: of(), y: of() };
  return { key: name, runs: [name], name, color: "", dash: [], width: 1, faint: false, x, y, columns, smooth: null, band: null, marks: none, counts: null, members: 1 };
}

test("points are rows, and names are cells", () => {
  const rows = csv([line('a, "b"', of(0, 1), of(0.1, NaN)), line("=1+1", of(2), of(-Infinity))], "step");
  assert.deepEqual(rows.split("\r\n"), ["run,step,value", '"a, ""b""",0,0.1', '"a, ""b""",1,NaN', "'=1+1,2,-inf", ""]);
});

test("no name is a formula of a spreadsheet, in any width", () => {
  for (const sign of ["=", "+", "-", "@", "\t", "＝", "＋", "－", "＠"]) {
    assert.equal(csv([line(`${sign}1`, of(0), of(1))], "step").split("\r\n")[1], `'${sign}1,0,1`);
  }
});

test("what is drawn of a column of pixels is not taken for its points", () => {
  const thinned = line("a", of(-1, 0, 0, 0, 9, 10, 10, 10, 19, 20), of(0, 3, 1, 8, 2, 5, 4, 7, 6, 0), [1, 9]);
  const rows = csv([thinned, line("b", of(0), of(1))], "step");
  assert.deepEqual(rows.split("\r\n"), [
    "run,step,value,of pixel column", "a,-1,0,",
    "a,0,3,first", "a,0,1,least", "a,0,8,greatest", "a,9,2,last",
    "a,10,5,first", "a,10,4,least", "a,10,7,greatest", "a,19,6,last",
    "a,20,0,", "b,0,1,", "",
  ]);
});
