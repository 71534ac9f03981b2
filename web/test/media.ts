import assert from "node:assert/strict";
import { test } from "node:test";
import { cellOf, eceOf, mistakesOf, readConfusion, readReliability, sumsOf } from "../src/media/counts";
import { extent, valueTicks } from "../src/media/drawings";
import { fitted, magnified, moved, pixelAt, PLAIN_LENS, type Size } from "../src/media/lens";
import { differenceOf } from "../src/media/pixels";
import { columnsOf, isAligned } from "../src/media/tables";
import { extremesOf, readWave } from "../src/media/wave";

const MATRIX = "true \\ predicted\tcat\tdog\towl\ncat\t8\t2\t0\ndog\t1\t9\t0\nowl\t0\t0\t0";

test("a confusion matrix is read, and its rates are those of rows and columns", () => {
  const found = readConfusion(MATRIX);
  assert.ok(found);
  const sums = sumsOf(found);
  assert.deepEqual([sums.rows, sums.columns, sums.total, sums.right], [[10, 10, 0], [9, 11, 0], 20, 17]);
  assert.equal(cellOf(found, sums, 0, 1, "counts"), 2);
  assert.equal(cellOf(found, sums, 0, 1, "true"), 0.2);
  assert.equal(cellOf(found, sums, 0, 1, "predicted"), 2 / 11);
  assert.ok(Number.isNaN(cellOf(found, sums, 2, 0, "true")));
  assert.deepEqual(mistakesOf(found, 9), [{ row: 0, column: 1, count: 2, share: 0.2 }, { row: 1, column: 0, count: 1, share: 0.1 }]);
  assert.equal(mistakesOf(found, 1).length, 1);
  for (const other of ["", "some text", "a\tb\nb\t1\t2", "x\ta\na\tmany", "x\ta\na\t-1"]) assert.equal(readConfusion(other), null, other);
});

test("of many classes a matrix holds what is not zero", () => {
  const found = readConfusion("true \\ predicted\ta\tb\tc\na\t0=5\t2=1\nb\nc\t2=0.5");
  assert.deepEqual(found, { names: ["a", "b", "c"], counts: [[5, 0, 1], [0, 0, 0], [0, 0, 0.5]] });
  for (const other of ["x\ta\na\t1=2", "x\ta\na\t-1=2", "x\ta\na\t0=", "x\ta\na\t=", "x\ta\na\t0=x"]) assert.equal(readConfusion(other), null, other);
});

test("a reliability diagram is read, and its error is weighted by samples", () => {
  const found = readReliability("from\tto\tsamples\tconfidence\taccuracy\n0\t0.5\t0\tnan\tnan\n0.5\t0.75\t3\t0.6\t0.9\n0.75\t1\t1\t0.9\t0.8");
  assert.ok(found);
  assert.deepEqual(found.axes, ["confidence", "accuracy"]);
  assert.ok(Math.abs(eceOf(found) - (3 * 0.3 + 0.1) / 4) < 1e-12);
  assert.ok(Number.isNaN(eceOf({ ...found, bins: [] })));
  assert.equal(readReliability("class\tsamples\n1\t2"), null);
});

test("an image is magnified around a place that stays, and never smaller than its box", () => {
  const [size, box]: [Size, Size] = [[40, 20], [200, 200]];
  assert.deepEqual(fitted(size, box, PLAIN_LENS), { zoom: 5, width: 200, height: 100, left: 0, top: 50 });
  const near = magnified(PLAIN_LENS, 4, size, box, 50, 75);
  assert.deepEqual(pixelAt(size, box, PLAIN_LENS, 50, 75), [10, 5]);
  const place = fitted(size, box, near);
  assert.equal(place.zoom, 20);
  assert.ok(Math.abs(place.left + 10 * 20 - 50) < 1e-9 && Math.abs(place.top + 5 * 20 - 75) < 1e-9);
  assert.deepEqual(magnified(near, 0.01, size, box, 0, 0), PLAIN_LENS);
  const right = moved(near, size, box, 20, 0); // by one pixel of the image
  assert.ok(Math.abs(fitted(size, box, right).left - place.left - 20) < 1e-9);
  assert.equal(moved(near, size, box, 1e9, 0).x, 0);
  assert.equal(pixelAt(size, box, PLAIN_LENS, 50, 10), null);
});

test("the difference of two images counts pixels, also those that one lacks", () => {
  const image = (width: number, height: number, ...data: number[]) => ({ width, height, data: Uint8ClampedArray.from(data) });
  const found = differenceOf(image(2, 1, 10, 20, 30, 255, 1, 1, 1, 255), image(2, 1, 13, 20, 20, 255, 1, 1, 1, 255), 5);
  assert.deepEqual([found.differing, found.most], [1, 10]);
  assert.deepEqual([...found.data], [15, 0, 50, 255, 0, 0, 0, 255]);
  assert.equal(differenceOf(image(1, 1, 0, 0, 0, 255), image(1, 2, 0, 0, 0, 255, 9, 9, 9, 255), 1).differing, 1);
});

test("a text of tab-separated columns is a table", () => {
  assert.deepEqual(columnsOf("a\tb\n1\t2\n"), [["a", "b"], ["1", "2"]]);
  assert.deepEqual(columnsOf("a\tb\n1\t2\n... 1,290 more rows"), [["a", "b"], ["1", "2"], ["... 1,290 more rows"]]);
  for (const other of ["a b", "a\tb", "a\tb\n1", "a\tb\n1\t2\n...", "a\tb\n... 2 more rows", "a\n\tb"]) assert.equal(columnsOf(other), null, other);
});

test("aligned columns keep their spaces", () => {
  assert.ok(isAligned("layer    type   output\nfc       Linear   10"));
  for (const other of ["# a\n\n- b   c", "one  two\nthree  four", "```\na    b\nc    d\n```", "    code\n    code"]) assert.ok(!isAligned(other), other);
});

function wave(samples: number[], channels = 1): ArrayBuffer {
  const file = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const word = (at: number, text: string) => [...text].forEach((letter, place) => file.setUint8(at + place, letter.charCodeAt(0)));
  word(0, "RIFF"); word(8, "WAVEfmt "); word(36, "data");
  file.setUint32(16, 16, true); file.setUint16(20, 1, true); file.setUint16(22, channels, true); file.setUint32(24, 8000, true);
  file.setUint16(34, 16, true); file.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, at) => file.setInt16(44 + 2 * at, sample, true));
  return file.buffer;
}

test("a WAV file is read, and its extremes are those of all samples", () => {
  const found = readWave(wave([0, 16384, -32768, 8192, 0, 0]));
  assert.ok(found);
  assert.deepEqual([found.rate, found.channels, found.seconds, [...found.samples]], [8000, 1, 6 / 8000, [0, 0.5, -1, 0.25, 0, 0]]);
  assert.deepEqual([...extremesOf(found.samples, 2)], [-1, 0.5, 0, 0.25]);
  assert.deepEqual([...extremesOf(found.samples, 12)].length, 24);
  assert.deepEqual([...(readWave(wave([100, 1, 200, 1], 2))?.samples ?? [])], [100 / 32768, 200 / 32768]);
  for (const size of [0, 11, 20, 43]) assert.equal(readWave(wave([1]).slice(0, size)), null, String(size));
});

test("one step that exploded does not flatten the others, if that is asked for", () => {
  const records = Array.from({ length: 10 }, (_, step) => ({ step, edges: step === 7 ? [-1e6, 1e6] : [-1, 1], counts: [100], nan: 0, above: 0, below: 0 }));
  assert.deepEqual(extent(records, false), [-1e6, 1e6]);
  const [low, high] = extent(records, true);
  assert.ok(low > -2 && high < 2);
  assert.deepEqual(extent([], false), [0, 1]);
});

test("axes of histograms have round numbers, or the ends of a range without any", () => {
  assert.deepEqual(valueTicks(-11.51, 10.626, 5).map((tick) => tick.text), ["-10", "-5", "0", "5", "10"]);
  assert.deepEqual(valueTicks(0.13, 0.17, 5).map((tick) => tick.place), [0.13, 0.14, 0.15, 0.16, 0.17]);
  assert.deepEqual(valueTicks(3, 3, 5).map((tick) => tick.place), [3, 3]);
});
