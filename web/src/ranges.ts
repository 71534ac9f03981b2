// Ranges of axes, and places in curves: pure functions.
import { partsOf, tagsOf } from "./expressions";

export interface Points {
  x: Float64Array;
  y: Float64Array;
}

/** Index of the point nearest to a place on the x axis, of ascending places; -1 for no points. */
export function nearest(x: Float64Array, place: number): number {
  let low = 0;
  let high = x.length - 1;
  if (high < 0) return -1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((x[middle] ?? 0) < place) low = middle + 1;
    else high = middle;
  }
  const before = low - 1;
  return before >= 0 && place - (x[before] ?? 0) <= (x[low] ?? 0) - place ? before : low;
}

export interface Range {
  low: number;
  high: number;
  /** curves with values outside of it. */
  outside: number;
  /** finite values that a logarithmic axis cannot show. */
  refused: number;
}

/** The range of values of some curves, with a margin.
 *
 * `robust` leaves out what lies more than three interquartile ranges beyond the quartiles of the curves' values
 * (Tukey's outer fences). `owners` are the numbers of the curves that the values belong to, where a curve has several:
 * its own, and the edges of its band.
 */
export function rangeOf(curves: readonly Float64Array[], log: boolean, robust: boolean, owners?: readonly number[]): Range {
  let low = Infinity;
  let high = -Infinity;
  let refused = 0;
  const kept: number[] = [];
  for (const values of curves) {
    for (let at = 0; at < values.length; at += 1) {
      const value = values[at] as number;
      if (value - value !== 0) continue; // not finite
      if (log && value <= 0) {
        refused += 1;
        continue;
      }
      if (value < low) low = value;
      if (value > high) high = value;
      if (robust) kept.push(log ? Math.log10(value) : value);
    }
  }
  if (low > high) return { low: log ? 0.1 : 0, high: 1, outside: 0, refused };
  let outside = 0;
  if (robust && kept.length > 8) {
    const sorted = Float64Array.from(kept).sort();
    const q1 = sorted[Math.floor((sorted.length - 1) * 0.25)] ?? 0;
    const q3 = sorted[Math.ceil((sorted.length - 1) * 0.75)] ?? 0;
    const reach = 3 * (q3 - q1);
    const [least, most] = log ? [10 ** (q1 - reach), 10 ** (q3 + reach)] : [q1 - reach, q3 + reach];
    if (q3 > q1) {
      const [first, last] = [Math.max(low, least), Math.min(high, most)];
      const beyond = (values: Float64Array) => values.some((value) => Number.isFinite(value) && (value < first || value > last) && !(log && value <= 0));
      outside = new Set(curves.flatMap((values, at) => (beyond(values) ? [owners?.[at] ?? at] : []))).size;
      [low, high] = [first, last];
    }
  }
  return { ...padded(low, high, log), outside, refused };
}

const FAR = 20; // times the extent of most curves

/** How many curves reach so far beyond the others that these, all together, look flat on a linear axis. */
export function flattening(curves: readonly Float64Array[]): number {
  const extents = curves.map(extent).filter(([low, high]) => low <= high);
  if (extents.length < 3) return 0;
  const [low, high] = [median(extents.map((one) => one[0])), median(extents.map((one) => one[1]))];
  const reach = FAR * (high - low);
  const near = extents.filter((one) => one[0] >= low - reach && one[1] <= high + reach);
  const far = extents.length - near.length;
  const flat = FAR * wide(near) < wide(extents); // together, too
  return reach > 0 && far < extents.length / 2 && flat ? far : 0;
}

/** Half of the range of some extents: the difference of two huge values is infinite. */
function wide(extents: readonly (readonly [number, number])[]): number {
  return Math.max(...extents.map((one) => one[1])) / 2 - Math.min(...extents.map((one) => one[0])) / 2;
}

function extent(values: Float64Array): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] as number;
    if (value - value !== 0) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

function median(values: number[]): number {
  return Float64Array.from(values).sort()[values.length >> 1] ?? NaN;
}

function padded(low: number, high: number, log: boolean): { low: number; high: number } {
  if (log) {
    const [first, last] = [Math.log10(low), Math.log10(high)];
    const margin = last > first ? (last - first) * 0.05 : Math.log10(1.1); // as of a linear axis
    return { low: Math.max(10 ** (first - margin), Number.MIN_VALUE), high: Math.min(10 ** (last + margin), Number.MAX_VALUE) };
  }
  const spread = high / 2 - low / 2; // halves: the difference of two huge values is infinite
  const margin = spread > 0 ? spread * 0.1 : Math.abs(high) * 0.1 || 1;
  return { low: Math.max(low - margin, -Number.MAX_VALUE), high: Math.min(high + margin, Number.MAX_VALUE) };
}

export interface Sections {
  name: string;
  tags: string[];
}

/** Tags by their first part, in order of appearance. */
export function sections(tags: readonly string[]): Sections[] {
  const found = new Map<string, string[]>();
  for (const tag of tags) {
    const at = tag.indexOf("/");
    const name = at > 0 ? tag.slice(0, at) : "";
    const known = found.get(name);
    if (known) known.push(tag);
    else found.set(name, [tag]);
  }
  return [...found].map(([name, members]) => ({ name, tags: members }));
}

/** The tags and expressions that a panel's text names: a list with commas, else a regular expression, else none. */
export function panelTags(text: string, tags: readonly string[]): string[] {
  const names = (one: string) => tags.includes(one) || tagsOf(one).length > 0;
  const named = [partsOf(text), text.split(",").map((one) => one.trim())].find((parts) => parts.every(names));
  if (named) return named;
  const pattern = matcher(text);
  return pattern ? tags.filter((tag) => pattern.test(tag)) : partsOf(text).filter(names);
}

/** A regular expression of what was typed, case ignored; null where it is not one. */
export function matcher(text: string): RegExp | null {
  try {
    return new RegExp(text, "iu");
  } catch {
    return null;
  }
}
