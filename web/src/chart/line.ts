// What a chart shows: curves, and axes.

export interface Line {
  key: string;
  /** paths of its runs. */
  runs: readonly string[];
  name: string;
  color: string;
  dash: number[];
  width: number;
  /** a run behind the mean of its group. */
  faint: boolean;
  x: Float64Array;
  y: Float64Array;
  /** as of `Points`. */
  columns?: readonly [start: number, end: number] | undefined;
  /** the smoothed curve; the raw one is pale behind it. */
  smooth: { x: Float64Array; y: Float64Array } | null;
  /** a band around the curve. */
  band: { x: Float64Array; low: Float64Array; high: Float64Array } | null;
  /** values that are not finite. */
  marks: { x: Float64Array; y: Float64Array };
  /** number of runs behind each point of a group's curve, of `members` in all. */
  counts: Float64Array | null;
  members: number;
}

export interface Axes {
  kind: "number" | "seconds" | "clock";
  xlog: boolean;
  ylog: boolean;
  robust: boolean;
  /** the part of the x axis that is shown; null: all. */
  window: [number, number] | null;
  /** the part of the y axis that is shown; null: as the curves need. */
  yWindow: [number, number] | null;
  /** the drawings of all charts begin at the same place. */
  aligned: boolean;
  dark: boolean;
  language: string;
}

/** Dashes of lines that share a colour. */
export const DASHES: readonly number[][] = [[], [8, 4], [2, 3], [10, 3, 2, 3], [4, 2]];

export const INK = { light: "#5f6872", dark: "#9aa4af" };
export const PAPER = { light: "#fff", dark: "#15181c" };
export const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans SC", "WenQuanYi Micro Hei", sans-serif';
