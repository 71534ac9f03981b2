import assert from "node:assert/strict";
import test from "node:test";
import { uprights } from "../src/chart/uprights";

const of = (points: [number, number][], thick = 1, dash: number[] = []) => uprights(Float64Array.from(points, ([left]) => left), Float64Array.from(points, ([, top]) => top), thick, dash);

test("the points of a pixel are one stroke from the least to the greatest", () => {
  const { strokes, links } = of([[3.2, 5], [3.2, 2], [3.9, 9], [4.1, 8], [4.5, 4]]);
  assert.deepEqual(strokes, [3, 1.5, 9.5, 4, 3.5, 8.5]);
  assert.deepEqual(links, []); // from 9 to 8: each half lies in a stroke
});

test("strokes that do not touch are linked by their own points", () => {
  assert.deepEqual(of([[0.5, 1], [0.5, 2], [1.5, 40], [1.5, 41]]).links, [0.5, 2, 1.5, 40]);
  assert.deepEqual(of([[0.5, 1], [7.5, 1]]).links, [0.5, 1, 7.5, 1]); // pixels without points between them
});

test("gaps stay, and a point between two is a dot", () => {
  const { strokes, links, dots } = of([[0, 1], [1, 1], [2, NaN], [3, 4], [4, NaN], [5, 8], [6, 8]]);
  assert.deepEqual(dots, [3, 4]);
  assert.deepEqual(links, []);
  assert.equal(strokes.length, 15);
});

test("all pixels of a line are covered, whatever its points", () => {
  let seed = 7;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const points = Array.from({ length: 400 }, (_, at): [number, number] => [at / 4, 200 * random() * (at % 90 === 0 ? 5 : 1)]);
  const { strokes, links } = of(points);
  for (let at = 1; at < points.length; at += 1) {
    const [[x0, y0], [x1, y1]] = [points[at - 1], points[at]] as [[number, number], [number, number]];
    for (const share of [0.1, 0.4, 0.6, 0.9]) {
      const [x, y] = [x0 + share * (x1 - x0), y0 + share * (y1 - y0)];
      const linked = links.some((_, link) => link % 4 === 0 && links[link] === x0 && links[link + 2] === x1);
      const covered = strokes.some((pixel, stroke) => stroke % 3 === 0 && Math.abs(pixel - Math.floor(x)) <= 1 && (strokes[stroke + 1] as number) <= y && y <= (strokes[stroke + 2] as number));
      assert.ok(linked || covered, `${x} ${y}`);
    }
  }
});

test("dashes are gaps along the pixels, but no spike is lost", () => {
  const points = Array.from({ length: 12 }, (_, at): [number, number] => [at, 5]);
  const pixels = (strokes: number[]) => strokes.filter((_, at) => at % 3 === 0);
  assert.deepEqual(pixels(of(points, 1, [3, 2]).strokes), [0, 1, 2, 5, 6, 7, 10, 11]);
  assert.ok(pixels(of([...points.slice(0, 4), [3.5, 60], ...points.slice(4)], 1, [3, 2]).strokes).includes(3));
});
