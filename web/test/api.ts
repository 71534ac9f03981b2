import assert from "node:assert/strict";
import { test } from "node:test";
import { readCurves } from "../src/api";

/** An answer as the server packs it. */
function packed(head: (put: (values: number[], whole?: boolean) => object) => object): ArrayBuffer {
  const parts: Uint8Array[] = [];
  let size = 0;
  const made = head((values, whole = false) => {
    const array = whole ? Uint32Array.from(values) : Float64Array.from(values);
    const place = { type: whole ? "uint32" : "float64", offset: size, count: values.length };
    const bytes = new Uint8Array(Math.ceil(array.byteLength / 8) * 8);
    bytes.set(new Uint8Array(array.buffer));
    parts.push(bytes);
    size += bytes.length;
    return place;
  });
  let text = JSON.stringify(made);
  while ((new TextEncoder().encode(text).length + 4) % 8) text += " ";
  const encoded = new TextEncoder().encode(text);
  const whole = new Uint8Array(4 + encoded.length + size);
  new DataView(whole.buffer).setUint32(0, encoded.length, true);
  whole.set(encoded, 4);
  let at = 4 + encoded.length;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole.buffer;
}

const NONE = { band: "", without: {}, curves: [], groups: [] };

test("all points of a window, and those next to it", () => {
  const body = packed((put) => ({
    ...NONE,
    curves: [{ run: "运行", kind: "points", n: 3, arrays: { x: put([1, 2, 3]), y: put([5, NaN, Infinity]), around: put([0, 4, NaN, NaN]) }, smooth: { x: put([1, 2, 3]), y: put([5, 5, 6]) } }],
  }));
  const [curve] = readCurves(body, "loss").curves;
  assert.ok(curve);
  assert.deepEqual([curve.key, curve.paths, curve.tag], ["运行", ["运行"], "loss"]);
  assert.deepEqual([...curve.x], [0, 1, 2, 3]);
  assert.deepEqual([...curve.y], [4, 5, NaN, Infinity]);
  assert.deepEqual([...(curve.smooth?.y ?? [])], [5, 5, 6]);
  assert.deepEqual([[...curve.marks.x], [...curve.marks.y]], [[2, 3], [NaN, Infinity]]);
});

test("runs with the same steps share their places, with those next to the window", () => {
  const body = packed((put) => {
    const x = put([1, 2, 3]);
    const of = (run: string, around: number[]) => ({ run, kind: "points", n: 3, arrays: { x, y: put([5, 6, 7]), around: put(around) }, smooth: null });
    return { ...NONE, curves: [of("a", [0, 4, 4, 8]), of("b", [0, 3, 4, 9]), of("c", [NaN, NaN, 4, 9])] };
  });
  const [a, b, c] = readCurves(body, "loss").curves;
  assert.deepEqual([[...(a?.x ?? [])], [...(a?.y ?? [])]], [[0, 1, 2, 3, 4], [4, 5, 6, 7, 8]]);
  assert.equal(a?.x, b?.x);
  assert.deepEqual([...(b?.y ?? [])], [3, 5, 6, 7, 9]);
  assert.deepEqual([[...(c?.x ?? [])], [...(c?.y ?? [])]], [[1, 2, 3, 4], [5, 6, 7, 9]]);
});

test("a window without points lies between those next to it", () => {
  const body = packed((put) => ({ ...NONE, curves: [{ run: "a", kind: "points", n: 0, arrays: { x: put([]), y: put([]), around: put([1, 2, NaN, NaN]) }, smooth: null }] }));
  const [curve] = readCurves(body, "loss").curves;
  assert.deepEqual([[...(curve?.x ?? [])], [...(curve?.y ?? [])]], [[1], [2]]);
});

test("numbers come in the smallest type that holds them", () => {
  const body = packed((put) => {
    const ramp = { type: "ramp", offset: 0, count: 4, start: 10, step: 0.5 };
    const single = { ...put([0, 0]), type: "float32", count: 4 }; // the bytes of four zeros
    const one = { kind: "points", n: 4, arrays: { x: ramp, y: single, around: put([NaN, NaN, NaN, NaN]) }, smooth: null };
    return { ...NONE, curves: [{ run: "a", ...one }, { run: "b", ...one }] };
  });
  const [a, b] = readCurves(body, "loss").curves;
  assert.deepEqual([...(a?.x ?? [])], [10, 10.5, 11, 11.5]);
  assert.deepEqual([...(a?.y ?? [])], [0, 0, 0, 0]);
  assert.equal(a?.x, b?.x); // of the same steps
  assert.equal(a?.marks.x.length, 0);
});

test("a pixel column is drawn through its extremes, and what is not finite is marked", () => {
  const body = packed((put) => ({
    ...NONE,
    curves: [{ run: "a", kind: "columns", n: 9, arrays: { x: put([0, 10]), x_last: put([4, 19]), first: put([1, NaN]), least: put([-3, 0]), greatest: put([8, 2]), last: put([2, 1]), n: put([5, 4], true), nan: put([0, 2], true), around: put([NaN, NaN, 20, 7]) }, smooth: null }],
  }));
  const [curve] = readCurves(body, "loss").curves;
  assert.ok(curve);
  assert.deepEqual([...curve.x], [0, 0, 0, 4, 10, 10, 10, 19, 20]);
  assert.deepEqual([...curve.y], [1, -3, 8, 2, 0, 0, 2, 1, 7]);
  assert.deepEqual([[...curve.marks.x], [...curve.marks.y]], [[10], [NaN]]);
});

test("a group has its band, and the number of runs at each point", () => {
  const body = packed((put) => ({
    ...NONE,
    band: "95 % interval",
    groups: [{ label: "lr = 1", runs: ["a", "b"], kind: "points", arrays: { x: put([1, 2]), y: put([3, 4]), low: put([2, 4]), high: put([5, 4]), reach: put([2, 1], true) } }],
  }));
  const { curves, band } = readCurves(body, "loss");
  assert.equal(band, "95 % interval");
  assert.deepEqual([...(curves[0]?.counts ?? [])], [2, 1]);
  assert.deepEqual([...(curves[0]?.band?.high ?? [])], [5, 4]);
  assert.deepEqual(curves[0]?.paths, ["a", "b"]);
});
