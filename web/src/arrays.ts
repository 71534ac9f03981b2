// Binary answers: a JSON head, and arrays behind it.

export interface Points {
  x: Float64Array;
  y: Float64Array;
  /** the places of those that are not points but first, least, greatest and last of a column of pixels, by turns. */
  columns?: readonly [start: number, end: number] | undefined;
}

interface Place {
  type: "float64" | "uint32" | "float32" | "ramp";
  offset: number;
  count: number;
  /** of a ramp: its first value, and the difference of each two. */
  start?: number;
  step?: number;
}

/** Where the arrays of a curve are. */
export type Places = Record<string, Place>;

export const EMPTY = new Float64Array();

export interface Unpacked<Head> {
  head: Head;
  /** an array; empty if there is none of this name. */
  array(places: Places, name: string): Float64Array;
  /** all points of a curve, or the line through the extremes of its pixel columns. */
  line(places: Places): Points;
  /** values that are not finite, and their places. */
  odd(places: Places): Points;
}

/** Read the length of the head, the head as JSON, and the arrays. */
export function unpacked<Head>(body: ArrayBuffer): Unpacked<Head> {
  const length = new DataView(body).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(body, 4, length))) as Head;
  const known = new Map<string, Float64Array>(); // curves of the same steps share them: they are nowhere written to
  const read = ({ type, offset, count, start = 0, step = 0 }: Place): Float64Array => {
    if (type === "ramp") {
      const found = new Float64Array(count);
      for (let at = 0; at < count; at += 1) found[at] = start + step * at;
      return found;
    }
    const at = 4 + length + offset;
    if (type === "float64") return new Float64Array(body, at, count);
    return new Float64Array(type === "uint32" ? new Uint32Array(body, at, count) : new Float32Array(body, at, count));
  };
  const array = (places: Places, name: string): Float64Array => {
    const place = places[name];
    if (!place) return EMPTY;
    const key = `${place.type} ${place.offset} ${place.count} ${place.start} ${place.step}`;
    let found = known.get(key);
    if (!found) known.set(key, (found = read(place)));
    return found;
  };
  const spans = new Map<Float64Array, readonly [end: Float64Array, xs: Float64Array]>();
  const spanned = (x: Float64Array, end: Float64Array): Float64Array => {
    let found = spans.get(x);
    if (found?.[0] !== end) spans.set(x, (found = [end, placesOf(x, end)]));
    return found[1];
  };
  return {
    head,
    array,
    line(places) {
      const x = array(places, "x");
      if (places.y) return { x, y: array(places, "y") };
      return through(spanned(x, array(places, "x_last")), array(places, "first"), array(places, "least"), array(places, "greatest"), array(places, "last"));
    },
    odd(places) {
      if (places.y) return oddOf({ x: array(places, "x"), y: array(places, "y") });
      return oddColumns(array(places, "x"), array(places, "nan"), array(places, "above"), array(places, "below"));
    },
  };
}

/** A value for each of some points that come in equal groups. */
export function spread(values: Float64Array, points: number): Float64Array {
  const times = values.length ? points / values.length : 1;
  return Float64Array.from({ length: points }, (_, at) => values[Math.floor(at / times)] ?? 0);
}

/** The places of first, least, greatest and last of each pixel column. */
function placesOf(x: Float64Array, end: Float64Array): Float64Array {
  const xs = new Float64Array(4 * x.length);
  for (let at = 0; at < x.length; at += 1) {
    xs[4 * at] = xs[4 * at + 1] = xs[4 * at + 2] = x[at] as number;
    xs[4 * at + 3] = end[at] as number;
  }
  return xs;
}

/** The line through first, least, greatest and last of each pixel column: it covers the pixels that all points do. */
function through(x: Float64Array, first: Float64Array, least: Float64Array, greatest: Float64Array, last: Float64Array): Points {
  const y = new Float64Array(x.length);
  for (let at = 0; at < first.length; at += 1) {
    const [begin, low, end] = [first[at] as number, least[at] as number, last[at] as number];
    y[4 * at] = begin - begin === 0 ? begin : low; // what is not finite has its mark
    y[4 * at + 1] = low;
    y[4 * at + 2] = greatest[at] as number;
    y[4 * at + 3] = end - end === 0 ? end : low;
  }
  return { x, y, columns: [0, x.length] };
}

function oddOf(line: Points): Points {
  const odd: number[] = [];
  for (let at = 0; at < line.y.length; at += 1) {
    const value = line.y[at] as number;
    if (value - value !== 0) odd.push(at);
  }
  if (!odd.length) return { x: EMPTY, y: EMPTY };
  return { x: Float64Array.from(odd, (at) => line.x[at] as number), y: Float64Array.from(odd, (at) => line.y[at] as number) };
}

function oddColumns(x: Float64Array, nan: Float64Array, above: Float64Array, below: Float64Array): Points {
  const found: [number, number][] = [];
  for (const [counts, value] of [[nan, NaN], [above, Infinity], [below, -Infinity]] as const) {
    counts.forEach((count, at) => {
      if (count) found.push([x[at] as number, value]);
    });
  }
  return { x: Float64Array.from(found, ([at]) => at), y: Float64Array.from(found, ([, value]) => value) };
}
