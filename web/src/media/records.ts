// Images, histograms, curves of classes, texts and sound.
import { LANGUAGE, Refusal } from "../api";

export interface Place {
  step: number;
  /** milliseconds since 1970. */
  walltime: number | null;
}

export interface Single extends Place {
  address: string;
}

export interface Histogram extends Place {
  /** left edge, right edge, count. */
  bins: [number, number, number][];
}

export interface ClassCurve extends Place {
  y: number[];
  x: number[];
  tp: number[];
  fp: number[];
  tn: number[];
  fn: number[];
  thresholds: number[];
}

const known = new Map<string, { fresh: number; answer: Promise<unknown> }>();

/** Ask for something of a run; asked again once the run has new records. */
function ask(address: string, fresh: number): Promise<unknown> {
  const before = known.get(address);
  if (before && before.fresh >= fresh) return before.answer;
  const answer = fetch(address, { headers: LANGUAGE }).then(async (got) => {
    const content = (await got.json().catch(() => ({}))) as { message?: string };
    if (!got.ok) throw new Refusal(content.message ?? got.statusText);
    return content as unknown;
  });
  known.set(address, { fresh, answer });
  if (known.size > 500) known.delete(known.keys().next().value as string);
  answer.catch(() => known.delete(address));
  return answer;
}

interface Records {
  records: Single[];
  contents: string;
}

function recordsOf(run: string, tag: string, fresh: number): Promise<Records> {
  return ask(`api/records?${new URLSearchParams({ run, tag })}`, fresh) as Promise<Records>;
}

/** Images, texts or sounds: each has an address of its own. */
export async function singles(run: string, tag: string, fresh: number): Promise<Single[]> {
  return (await recordsOf(run, tag, fresh)).records;
}

async function contentsOf(run: string, tag: string, fresh: number): Promise<unknown[][]> {
  const { contents } = await recordsOf(run, tag, fresh);
  return ((await ask(contents, fresh)) as { data: unknown[][] }).data;
}

export async function histograms(run: string, tag: string, fresh: number): Promise<Histogram[]> {
  const found = (await contentsOf(run, tag, fresh)) as [number | null, number, [number, number, number][]][];
  return found.map(([walltime, step, bins]) => ({ walltime, step, bins }));
}

export async function classCurves(run: string, tag: string, fresh: number): Promise<ClassCurve[]> {
  const found = (await contentsOf(run, tag, fresh)) as [number | null, number, ...number[][]][];
  return found.map(([walltime, step, y, x, tp, fp, tn, fn, thresholds]) => ({ walltime, step, y: y ?? [], x: x ?? [], tp: tp ?? [], fp: fp ?? [], tn: tn ?? [], fn: fn ?? [], thresholds: thresholds ?? [] }));
}

/** Index of the record whose step is nearest; of two equally near the earlier, of equal steps the last. */
export function nearestStep(records: readonly { step: number }[], step: number): number {
  let found = -1;
  for (const [at, { step: own }] of records.entries()) {
    const before = records[found];
    if (!before || Math.abs(own - step) < Math.abs(before.step - step) || own === before.step) found = at;
  }
  return found;
}

/** Area under a curve through its points, by trapezia. */
export function area(x: readonly number[], y: readonly number[]): number {
  const points = x.map((at, index) => [at, y[index] ?? NaN] as const).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let sum = 0;
  for (let at = 1; at < points.length; at += 1) {
    const [[x0, y0], [x1, y1]] = [points[at - 1] ?? [NaN, NaN], points[at] ?? [NaN, NaN]];
    sum += ((x1 - x0) * (y0 + y1)) / 2;
  }
  return sum;
}
