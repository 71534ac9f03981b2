// Places and texts of an axis's ticks.
import { duration, short } from "./format";

const STEPS = [1, 2, 2.5, 5];

/** Distances of ticks that fit a range, the smallest first: 1, 2, 2.5 or 5 times a power of ten. */
export function distances(low: number, high: number): number[] {
  const power = Math.floor(Math.log10(high / 2 - low / 2)); // halves: the difference of two huge values is infinite
  if (!Number.isFinite(power)) return [1];
  return [-3, -2, -1, 0, 1].flatMap((by) => STEPS.map((step) => Number(`${step}e${power + by}`))).filter((one) => one > 0 && Number.isFinite(one));
}

/** The multiples of a distance in a range. */
export function multiples(low: number, high: number, distance: number): number[] {
  const found: number[] = [];
  for (let at = Math.ceil(low / distance); at <= Math.floor(high / distance) && found.length < 1000; at += 1) found.push(Number((at * distance).toPrecision(15)));
  return found;
}

/** Round numbers of a range, so many at most. */
export function roundTicks(low: number, high: number, most: number): number[] {
  const found = distances(low, high).map((distance) => multiples(low, high, distance));
  return found.find((ticks) => ticks.length <= most) ?? [];
}

/** Round numbers of a range of positive numbers on a logarithmic axis: powers of ten, or 1, 2 and 5 times those, or any. */
export function logTicks(low: number, high: number, most: number): number[] {
  const inside = (digits: number[], every: number) => powersOf(low, high).filter((power) => power % every === 0).flatMap((power) => digits.map((digit) => Number(`${digit}e${power}`))).filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
  const found = [inside([1, 2, 5], 1), inside([1, 3], 1), ...[1, 2, 3, 5, 10, 20, 50].map((every) => inside([1], every))];
  const ticks = found.find((some) => some.length <= most) ?? [];
  if (ticks.length > 2 || high > 10 * low) return ticks;
  const round = roundTicks(low, high, most); // of a part of a decade
  return round.length > ticks.length ? round : ticks;
}

/** The powers of ten around a range of positive numbers; none for another range, as before curves have come. */
function powersOf(low: number, high: number): number[] {
  if (!(low > 0 && high > 0)) return [];
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

const MOST_DECADES = 6;

/** Places of the lines between the ticks of a logarithmic axis, which tell where in a decade one is. */
export function betweenTicks(low: number, high: number): number[] {
  const powers = powersOf(low, high);
  if (high <= 10 * low || powers.length > MOST_DECADES + 2) return [];
  return powers.flatMap((power) => [1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => Number(`${digit}e${power}`))).filter((place) => place >= low && place <= high);
}

/** The texts of an axis's ticks, with as many digits as tell neighbours apart. */
export function tickTexts(places: readonly (number | null)[]): string[] {
  const known = places.filter((place): place is number => place !== null);
  const [first, second] = known;
  const step = first === undefined || second === undefined ? 0 : Math.abs(second - first);
  const size = Math.max(...known.map(Math.abs));
  const digits = step > 0 && Number.isFinite(size / step) ? Math.min(Math.max(Math.ceil(Math.log10(size / step)) + 2, 5), 15) : 5;
  return places.map((place) => (place === null ? "" : short(place, digits)));
}

/** Seconds of an axis's ticks as durations; where these hide a part that differs, as seconds with all digits needed. */
export function secondTexts(places: readonly (number | null)[]): string[] {
  const texts = places.map((place) => (place === null ? "" : duration(place)));
  const shown = texts.filter(Boolean);
  const rounded = places.some((place) => place !== null && Math.abs(place) >= 10 && !Number.isInteger(place));
  return !rounded && new Set(shown).size === shown.length ? texts : tickTexts(places).map((text) => text && `${text} s`);
}
