// Axes of hyper-parameters and metrics: numbers, linear or logarithmic, or words.
import { natural, setting, short } from "./format";
import { logTicks, roundTicks, tickTexts } from "./ticks";

export interface Scale {
  key: string;
  title: string;
  kind: "linear" | "log" | "words";
  /** ends of the axis, of numbers. */
  low: number;
  high: number;
  words: string[];
  /** the numbers there are, if few. */
  marks: number[];
}

const MOST_TICKS = 6;

/** An axis for some values; logarithmic if they are positive and span more than a factor of 50. */
export function scaleOf(key: string, title: string, values: readonly unknown[]): Scale {
  const given = values.filter((value) => value !== undefined && value !== null);
  const numbers = given.filter((value): value is number => typeof value === "number" && Number.isFinite(value));
  const plain = given.every((value) => typeof value === "number");
  if (!plain || !numbers.length) {
    return { key, title, kind: "words", low: 0, high: 1, marks: [], words: [...new Set(given.map(setting))].sort(natural) };
  }
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const distinct = [...new Set(numbers)].sort((a, b) => a - b);
  const marks = distinct.length <= 7 ? distinct : [];
  const log = low > 0 && high / low > 50;
  if (low === high) return { key, title, kind: "linear", low: low - (Math.abs(low) || 1) * 0.5, high: high + (Math.abs(high) || 1) * 0.5, words: [], marks };
  return { key, title, kind: log ? "log" : "linear", low, high, words: [], marks };
}

/** Place of a value on an axis, from 0 at its low end to 1; null where it has none. */
export function placeOn(scale: Scale, value: unknown): number | null {
  if (value === undefined || value === null) return null;
  if (scale.kind === "words") {
    const at = scale.words.indexOf(setting(value));
    return at < 0 ? null : scale.words.length === 1 ? 0.5 : at / (scale.words.length - 1);
  }
  if (typeof value !== "number" || !Number.isFinite(value)) return null;
  const f = scale.kind === "log" ? Math.log : (x: number) => x;
  const [low, high] = [f(scale.low), f(scale.high)];
  return (f(value) - low) / (high - low);
}

/** Texts at places of an axis. */
export function ticksOf(scale: Scale): { place: number; text: string }[] {
  if (scale.kind === "words") {
    const every = Math.max(1, Math.ceil(scale.words.length / 12));
    return scale.words.map((text, at) => ({ place: scale.words.length === 1 ? 0.5 : at / (scale.words.length - 1), text })).filter((_, at) => at % every === 0);
  }
  const round = scale.kind === "log" ? logTicks(scale.low, scale.high, MOST_TICKS) : roundTicks(scale.low, scale.high, MOST_TICKS);
  const values = scale.marks.length ? scale.marks : round.length > 1 ? round : [scale.low, scale.high];
  const texts = tickTexts(values);
  return values.map((value, at) => ({ place: placeOn(scale, value) ?? 0, text: scale.kind === "log" ? short(value) : (texts[at] ?? "") }));
}

/** The texts that have room: those nearer than a share of the axis to the one before are left out. */
export function apart<Tick extends { place: number }>(ticks: readonly Tick[], share: number): Tick[] {
  const kept: Tick[] = [];
  for (const tick of [...ticks].sort((a, b) => a.place - b.place)) {
    if (tick.place - (kept.at(-1)?.place ?? -Infinity) >= share) kept.push(tick);
  }
  return kept;
}

/** A name of so many letters at most, without some from its middle: names often begin, or end, alike. */
export function cutWithin(name: string, most: number): string {
  const letters = [...name];
  if (letters.length <= most) return name;
  const end = Math.floor((most - 1) / 2);
  return `${letters.slice(0, most - 1 - end).join("")}…${letters.slice(letters.length - end).join("")}`;
}

/** Hues of a value's place on an axis: dark blue, violet, red, orange. */
const RAMP = [[13, 8, 135], [126, 3, 168], [204, 71, 120], [248, 149, 64]] as const;

/** The colour of a place on an axis, from 0 to 1, as #rrggbb. */
export function hueAt(place: number): string {
  const at = Math.min(Math.max(place, 0), 1) * (RAMP.length - 1);
  const first = Math.min(Math.floor(at), RAMP.length - 2);
  const channel = (one: 0 | 1 | 2) => Math.round((RAMP[first]?.[one] ?? 0) + ((RAMP[first + 1]?.[one] ?? 0) - (RAMP[first]?.[one] ?? 0)) * (at - first));
  return `#${[channel(0), channel(1), channel(2)].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

export interface Brush {
  key: string;
  /** ends, of numbers. */
  low?: number;
  high?: number;
  /** the values chosen, of words. */
  words?: string[];
}

/** The part of an axis between two places, as a condition on values. */
export function brushOf(scale: Scale, from: number, to: number): Brush {
  const [first, last] = [Math.min(from, to), Math.max(from, to)];
  if (scale.kind === "words") {
    return { key: scale.key, words: scale.words.filter((word) => { const place = placeOn(scale, word) ?? -1; return place >= first && place <= last; }) };
  }
  const value = (place: number) => (scale.kind === "log" ? scale.low * (scale.high / scale.low) ** place : scale.low + (scale.high - scale.low) * place);
  return { key: scale.key, low: value(first), high: value(last) };
}

/** The places of a brush on its axis. */
export function brushed(scale: Scale, brush: Brush): [number, number] {
  if (brush.words) {
    const places = brush.words.map((word) => placeOn(scale, word)).filter((place): place is number => place !== null);
    return places.length ? [Math.min(...places) - 0.02, Math.max(...places) + 0.02] : [0, 0];
  }
  return [placeOn(scale, brush.low) ?? 0, placeOn(scale, brush.high) ?? 1];
}

/** True if a value satisfies a brush; a missing value does not. */
export function within(brush: Brush, value: unknown): boolean {
  if (brush.words) return value !== undefined && value !== null && brush.words.includes(setting(value));
  return typeof value === "number" && value >= (brush.low ?? -Infinity) && value <= (brush.high ?? Infinity);
}

/** Brushes of texts as they stand in an address; what is none is passed over. */
export function readBrushes(texts: readonly string[]): Brush[] {
  return texts.flatMap((text) => {
    try {
      const brush = JSON.parse(text) as Brush;
      const numbers = typeof brush.low === "number" && typeof brush.high === "number";
      const words = Array.isArray(brush.words) && brush.words.every((word) => typeof word === "string");
      return typeof brush.key === "string" && (numbers || words) ? [brush] : [];
    } catch {
      return [];
    }
  });
}
