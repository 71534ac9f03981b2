// Small pictures of whole curves, in the table: asked for together, for the rows in view, and kept.
import { signal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { curves } from "./api";
import type { Points } from "./arrays";
import { scrolling } from "./rows";
import { freshness } from "./freshness";

const [WIDTH, HEIGHT] = [112, 26];
const COLUMNS = 56; // pairs of pixels
const TOGETHER = 60; // milliseconds in which rows come into view that are asked for at once
const MOST = 4000; // curves that are kept

interface Kept {
  /** as the path of a drawing; empty before it came. */
  line: Signal<string>;
  /** of the records that were asked for; -1 before. */
  fresh: number;
}

const kept = new Map<string, Kept>();
const waiting = new Map<string, { tag: string; paths: Set<string> }>();
let timer = 0;

function keptOf(tag: string, path: string): Kept {
  const key = `${path}\0${tag}`;
  const found = kept.get(key) ?? { line: signal(""), fresh: -1 };
  kept.delete(key); // the newest are the last
  kept.set(key, found);
  if (kept.size > MOST) kept.delete(kept.keys().next().value ?? "");
  return found;
}

function askSoon(): void {
  timer ||= window.setTimeout(() => void ask(), TOGETHER);
}

async function ask(): Promise<void> {
  timer = 0;
  if (scrolling.peek()) return askSoon(); // what passes by is not asked for
  const asked = [...waiting];
  waiting.clear();
  await Promise.all(
    asked.map(async ([, { tag, paths }]) => {
      if (!paths.size) return;
      const fresh = freshness.peek();
      for (const path of paths) keptOf(tag, path).fresh = fresh.get(path) ?? 0;
      try {
        const answer = await curves({ tag, runs: [...paths], x: "step", xlog: false, from: null, to: null, width: COLUMNS, smooth: "0", group: [], centre: "mean", band: "none" });
        for (const { key, x, y } of answer.curves) keptOf(tag, key).line.value = pathOf({ x, y }, WIDTH, HEIGHT);
      } catch {
        for (const path of paths) keptOf(tag, path).fresh = -1; // asked for again when it comes into view
      }
    }),
  );
}

/** The line of a curve through its points, as the path of a drawing; gaps where values are not finite. */
export function pathOf({ x, y }: Points, width: number, height: number): string {
  let [low, high] = [Infinity, -Infinity];
  for (const value of y) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const [first, last] = [x[0] ?? 0, x.at(-1) ?? 0];
  const across = last > first ? (width - 2) / (last - first) : 0;
  const half = high > low ? high / 2 - low / 2 : 0; // halves: the difference of two huge values is infinite
  let path = "";
  let pen = false;
  for (let at = 0; at < x.length; at += 1) {
    const value = y[at] as number;
    if (Number.isFinite(value)) {
      const top = half ? height - 1 - ((value / 2 - low / 2) / half) * (height - 2) : height / 2;
      path += `${pen ? "L" : "M"}${(1 + ((x[at] as number) - first) * across).toFixed(1)} ${top.toFixed(1)}`;
      if (!pen && !Number.isFinite(y[at + 1] ?? NaN)) path += "h1"; // a point alone
    }
    pen = Number.isFinite(value);
  }
  return path;
}

/**
 * Curves that are asked for together have a window in common, in which a much shorter one would have few points:
 * those of about one length.
 */
export function together(tag: string, length: number): string {
  return `${Math.floor(Math.log2(Math.max(length, 1)))} ${tag}`;
}

/** A run's curve over its own steps and values: the shape of each can be seen, its length and height are in other columns. */
export function Sparkline({ tag, path, length, color, about }: { tag: string; path: string; length: number; color: string; about: string }) {
  const fresh = freshness.value.get(path) ?? 0;
  const found = keptOf(tag, path);
  useEffect(() => {
    if (found.fresh === fresh) return;
    const key = together(tag, length);
    const { paths } = waiting.get(key) ?? { paths: new Set<string>() };
    waiting.set(key, { tag, paths: paths.add(path) });
    askSoon();
    return () => void paths.delete(path); // scrolled away
  }, [tag, path, fresh]);
  // A row that comes into view while the list is scrolled has its line when it rests: drawing takes longer than all texts.
  const drawn = useRef("");
  const passing = drawn.current !== path && scrolling.value;
  if (!passing) drawn.current = path;
  return (
    <svg class="spark" width={WIDTH} height={HEIGHT} role="img" aria-label={about}>
      <path d={passing ? "" : found.line.value} fill="none" stroke={color} stroke-width="1.25" />
    </svg>
  );
}
