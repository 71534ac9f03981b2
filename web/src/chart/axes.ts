// The axes of a chart: where their ticks are, and what is written there.
import type uPlot from "uplot";
import { betweenTicks, distances, logTicks, multiples, secondTexts, tickTexts } from "../ticks";
import { type Axes, FONT, INK } from "./line";

const GRID = { light: "#e8ebef", dark: "#2a3037" };
/** Distances of ticks in seconds, up to a thousand days. */
const SECONDS = [...[-6, -5, -4, -3, -2, -1, 0].flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power)), 10, 15, 30, ...[1, 2, 5, 10, 15, 30].map((minutes) => 60 * minutes), ...[1, 2, 3, 6, 12].map((hours) => 3600 * hours), ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].map((days) => 86400 * days)];

/** Both axes. `axes` tells what is shown whenever it is asked; the kinds of axes stay what they are at first. */
export function axesOf(axes: () => Axes): uPlot.Axis[] {
  const ink = () => (axes().dark ? INK.dark : INK.light);
  const grid = { stroke: () => (axes().dark ? GRID.dark : GRID.light), width: 1 };
  const axis = { stroke: ink, grid, ticks: { ...grid, size: 4 }, font: FONT };
  const places = { incrs: (_: uPlot, __: number, low: number, high: number) => distances(low, high), splits: (_: uPlot, __: number, low: number, high: number, by: number) => multiples(low, high, by) };
  const rounds = (plot: uPlot, low: number, high: number, side: number, space: number) => logTicks(low, high, Math.max(2, Math.floor((side ? plot.bbox.height : plot.bbox.width) / devicePixelRatio / space)));
  // Ticks with texts, and lines between them.
  const logarithmic = (side: number, space: number): Partial<uPlot.Axis> => ({
    splits: (plot, _, low, high) => [...new Set([...betweenTicks(low, high), ...rounds(plot, low, high, side, space)])].sort((a, b) => a - b),
    filter: (_, splits) => splits,
    values: (plot, splits) => {
      const { min = 1, max = 1 } = plot.scales[side ? "y" : "x"] ?? {};
      const written = rounds(plot, min, max, side, space);
      const texts = new Map(tickTexts(written).map((text, at) => [written[at], text]));
      return splits.map((place) => texts.get(place) ?? "");
    },
  });
  const numbers = (log: boolean, side: number, space: number): Partial<uPlot.Axis> => (log ? logarithmic(side, space) : { ...places, values: (_: uPlot, splits: (number | null)[]) => tickTexts(splits) });
  return [
    { ...axis, size: 26, space: 60, ...(axes().kind === "seconds" ? { incrs: SECONDS, space: 84, values: (_: uPlot, splits: (number | null)[]) => secondTexts(splits) } : axes().kind === "clock" ? { values: clock(axes().language) } : numbers(axes().xlog, 0, 60)) },
    { ...axis, size: (_, values) => 14 + 7 * Math.max(axes().aligned ? 7 : 2, ...(values ?? []).map((text) => text?.length ?? 0)), space: 28, ...numbers(axes().ylog, 1, 28) },
  ];
}

/** The places and texts of the ticks that have a text. */
export function writtenTicks(plot: uPlot): { x: [number, string][]; y: [number, string][] } {
  const [x, y] = plot.axes.map((axis) => {
    const { _splits: splits, _values: values } = axis as unknown as { _splits?: (number | null)[]; _values?: (string | null)[] };
    return (splits ?? []).flatMap((place, at): [number, string][] => (place !== null && values?.[at] ? [[place, values[at]]] : []));
  });
  return { x: x ?? [], y: y ?? [] };
}

function clock(language: string): (plot: uPlot, splits: number[]) => string[] {
  return (_, splits) => {
    const spread = (splits.at(-1) ?? 0) - (splits[0] ?? 0);
    const parts: Intl.DateTimeFormatOptions = spread > 2 * 86400 ? { month: "short", day: "numeric" } : spread > 300 ? { hour: "2-digit", minute: "2-digit" } : { minute: "2-digit", second: "2-digit" };
    return splits.map((at) => new Date(at * 1000).toLocaleString(language, parts));
  };
}
