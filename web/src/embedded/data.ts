// The numbers that a chart carries along; see vizkit/charts/embedding.py.
import { EMPTY, type Places, type Points, spread, unpacked } from "../arrays";
import { DASHES, type Line } from "../chart/line";
import { tint } from "../format";
import { exponential } from "./smoothing";

interface RawCurve {
  name: string;
  tag: string;
  color: string;
  dash: number;
  kind: "points" | "columns";
  n: number;
  /** runs of a group; 0 for a run. */
  members: number;
  arrays: Places;
  smooth: Record<string, Places>;
}

interface Head {
  title: string;
  language: string;
  words: Record<string, string>;
  x: string;
  xlog: boolean;
  ylog: boolean;
  robust: boolean;
  smooth: string;
  running: boolean;
  status: string;
  stretches: number;
  levels: string[];
  panels: { title: string; tags: string[]; band: string; curves: RawCurve[] }[];
}

export interface EmbeddedCurve {
  key: string;
  name: string;
  tag: string;
  color: string;
  dash: number;
  n: number;
  members: number;
  /** only the extremes of stretches are here. */
  thinned: boolean;
  line: Points;
  odd: Points;
  counts: Float64Array | null;
  band: Line["band"];
  /** level -> the smoothed curve, where the page does not compute it itself. */
  smooth: Map<string, Smoothed>;
}

type Smoothed = Pick<EmbeddedCurve, "line" | "band" | "counts">;

export interface Panel {
  title: string;
  tags: string[];
  band: string;
  curves: EmbeddedCurve[];
}

export interface Data extends Omit<Head, "panels"> {
  panels: Panel[];
}

/** Read what a chart carries along. */
export function readData(body: ArrayBuffer): Data {
  const { head, array, line, odd } = unpacked<Head>(body);
  const band = (places: Places): Line["band"] => (places.low ? { x: array(places, "x"), low: array(places, "low"), high: array(places, "high") } : null);
  const panels = head.panels.map((panel) => ({
    ...panel,
    curves: panel.curves.map((curve): EmbeddedCurve => {
      const whole = (places: Places): Smoothed => {
        const points = line(places);
        return { line: points, band: band(places), counts: curve.members ? spread(array(places, "reach"), points.x.length) : null };
      };
      return {
        key: `${curve.name} ${curve.tag}`,
        name: curve.name,
        tag: curve.tag,
        color: curve.color,
        dash: curve.dash,
        n: curve.n,
        members: curve.members,
        thinned: curve.kind === "columns",
        ...whole(curve.arrays),
        odd: curve.members ? { x: EMPTY, y: EMPTY } : odd(curve.arrays),
        smooth: new Map(Object.entries(curve.smooth).map(([level, places]) => [level, whole(places)])),
      };
    }),
  }));
  return { ...head, panels };
}

/** Names that tell curves apart: of runs, or of tags, or of both. */
export function labels(curves: readonly EmbeddedCurve[]): string[] {
  const [names, tags] = [new Set(curves.map((curve) => curve.name)), new Set(curves.map((curve) => curve.tag))];
  return curves.map((curve) => (tags.size < 2 ? curve.name : names.size < 2 ? curve.tag : `${curve.name} · ${curve.tag}`));
}

/** The lines to draw, smoothed by a level such as `0.6` or `gaussian:20`; `0` is none. */
export function linesOf(panel: Panel, level: string, hidden: ReadonlySet<string>, dark: boolean): Line[] {
  const names = labels(panel.curves);
  return panel.curves.flatMap((curve, at): Line[] => {
    if (hidden.has(curve.key)) return [];
    const smoothed = level === "0" ? null : smooth(curve, level);
    const mean = curve.members > 0; // a mean is drawn smoothed alone, as in plots
    const { line, counts } = mean && smoothed ? smoothed : curve;
    return [
      {
        key: curve.key,
        runs: [curve.key],
        name: names[at] ?? curve.name,
        color: tint(curve.color, dark),
        dash: DASHES[curve.dash % DASHES.length] ?? [],
        width: mean ? 2.2 : 1.5,
        faint: false,
        ...line,
        smooth: mean ? null : (smoothed?.line ?? null),
        band: (smoothed ?? curve).band,
        marks: curve.odd,
        counts,
        members: curve.members,
      },
    ];
  });
}

function smooth(curve: EmbeddedCurve, level: string): Smoothed | null {
  const known = curve.smooth.get(level);
  if (known) return known;
  if (curve.thinned) return null; // it would take all points
  const weight = Number(level);
  const { band } = curve;
  return {
    counts: curve.counts,
    line: { x: curve.line.x, y: exponential(curve.line.y, weight) },
    band: band && { x: band.x, low: exponential(band.low, weight), high: exponential(band.high, weight) },
  };
}
