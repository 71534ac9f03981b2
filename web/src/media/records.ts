// Images, histograms, curves of classes, texts and sound, as the server has them.
import { LANGUAGE, Refusal } from "../api";

export interface Place {
  step: number;
  /** milliseconds since 1970. */
  walltime: number | null;
  /** of the content, for good. */
  address: string;
  /** of the layers of an image; null if it has none. */
  layers: string | null;
  /** of the image without them. */
  bare: string;
}

/** Masks and boxes over an image. */
export interface Layers {
  /** height and width of the image; 0 without layers. */
  size: [number, number];
  /** names of masks. */
  masks: string[];
  boxes: Record<string, { place: number[]; color: string; text: string; score: number | null }[]>;
  classes: { number: number; name: string; color: string }[];
  threshold: number;
}

export interface Places {
  kind: string;
  /** the last image has layers. */
  layers: boolean;
  /** records, of which not all may be here. */
  total: number;
  records: Place[];
}

export interface Histogram {
  step: number;
  /** one more than counts, or none. */
  edges: number[];
  counts: number[];
  nan: number;
  above: number;
  below: number;
}

export interface Histograms {
  total: number;
  records: Histogram[];
}

export interface ClassCurve {
  y: (number | null)[];
  x: (number | null)[];
  tp: number[];
  fp: number[];
  tn: number[];
  fn: number[];
  thresholds: number[];
  /** of all scores; NaN if it was not recorded. */
  area: number;
}

export interface Found {
  run: string;
  tag: string;
  step: number;
  excerpt: string;
}

const known = new Map<string, { fresh: string; answer: Promise<unknown> }>();
const MOST_KNOWN = 600;

async function json(got: Response): Promise<unknown> {
  const content = (await got.json().catch(() => ({}))) as { message?: string };
  if (!got.ok) throw new Refusal(content.message ?? got.statusText);
  return content;
}

/** Ask for something of runs; asked again once they have new records. */
function ask(address: string, fresh: string): Promise<unknown> {
  const before = known.get(address);
  if (before?.fresh === fresh) return before.answer;
  const answer = fetch(address, { headers: LANGUAGE }).then(json);
  remember(address, fresh, answer);
  return answer;
}

function remember(address: string, fresh: string, answer: Promise<unknown>): void {
  known.delete(address);
  known.set(address, { fresh, answer });
  if (known.size > MOST_KNOWN) known.delete(known.keys().next().value as string);
  answer.catch(() => { if (known.get(address)?.answer === answer) known.delete(address); });
}

interface RawPlaces {
  runs: { run: string; kind: string; total: number; steps: number[]; walltimes: (number | null)[]; places: number[]; names: string[]; layers: boolean }[];
}

/** Path of a run -> the places of its records of a tag. */
export async function placesOf(tag: string, runs: readonly string[], fresh: string): Promise<Map<string, Places>> {
  if (!runs.length) return new Map();
  const query = new URLSearchParams([["tag", tag], ...runs.map((run) => ["run", run])]);
  const found = (await ask(`api/records?${query}`, fresh)) as RawPlaces;
  return new Map(found.runs.map(({ run, kind, total, steps, walltimes, places, names, layers }) => [run, {
    kind,
    layers,
    total,
    records: steps.map((step, at) => {
      const query = new URLSearchParams([["run", run], ["tag", tag], ["place", String(places[at])], ["name", names[at] ?? ""]]);
      const address = `api/content?${query}`;
      const over = layers ? `api/layers?${query}` : null;
      return { step, walltime: walltimes[at] ?? null, address, layers: over, bare: over ? layerAddress(over, BARE) : address };
    }),
  }]));
}

/** The content at an address, which never changes. */
export function contentOf<Content>(address: string, read: (got: Response) => Promise<Content>): Promise<Content> {
  const before = known.get(address);
  if (before) return before.answer as Promise<Content>;
  const answer = fetch(address, { headers: LANGUAGE }).then(async (got) => {
    if (!got.ok) await json(got);
    return await read(got);
  });
  remember(address, "", answer);
  return answer;
}

export async function histogramsOf(run: string, tag: string, fresh: string): Promise<Histograms> {
  return (await ask(`api/histograms?${new URLSearchParams({ run, tag })}`, fresh)) as Histograms;
}

/** The texts that hold some words. */
export async function search(text: string, runs: readonly string[], signal: AbortSignal): Promise<{ found: Found[]; complete: boolean }> {
  const query = new URLSearchParams([["text", text], ...runs.map((run) => ["run", run])]);
  return (await json(await fetch(`api/search?${query}`, { headers: LANGUAGE, signal }))) as { found: Found[]; complete: boolean };
}

export async function readCurve(got: Response): Promise<ClassCurve> {
  const raw = (await got.json()) as ClassCurve & { area: number | string };
  return { ...raw, area: Number(raw.area) };
}

/** The names of an image's layers, in the order in which they are drawn. */
export function layerNames({ masks, boxes }: Layers): string[] {
  return [...new Set([...masks, ...Object.keys(boxes)])];
}

/** The layers of an image that are drawn: those chosen; of none of them, those that show most. */
export function layersShown(layers: Layers, chosen: readonly string[]): string[] {
  const names = layerNames(layers);
  if (!chosen.includes(ANY)) return names.filter((name) => chosen.includes(name));
  const masks = layers.masks.includes("prediction") ? ["prediction"] : layers.masks.slice(0, 1);
  return names.filter((name) => masks.includes(name) || name in layers.boxes);
}

/** Stands for the layers that the page chooses. */
export const ANY = "any";
/** Stands for the image itself, without any layer. */
export const BARE = "image";

/** The address of the picture of a layer. */
export function layerAddress(layers: string, layer: string): string {
  return `${layers.replace("layers?", "layer?")}&${new URLSearchParams({ layer })}`;
}

/** The address of an image that has so many pixels on its longer side, if it has more. */
export function smallAddress(address: string, pixels: number): string {
  const side = 2 ** Math.ceil(Math.log2(Math.max(pixels, 64)));
  return side > MOST_SIDE ? address : `${address}&side=${side}`;
}

const MOST_SIDE = 1024; // pixels; a larger one is sent as it is

export async function readLayers(got: Response): Promise<Layers> {
  return (await got.json()) as Layers;
}

export const readText = (got: Response): Promise<string> => got.text();
export const readBytes = (got: Response): Promise<ArrayBuffer> => got.arrayBuffer();

/** Index of the record whose step is nearest; of two equally near the earlier, of equal steps the last. */
export function nearestStep(records: readonly { step: number }[], step: number): number {
  let found = -1;
  for (const [at, { step: own }] of records.entries()) {
    const before = records[found];
    if (!before || Math.abs(own - step) < Math.abs(before.step - step) || own === before.step) found = at;
  }
  return found;
}

/** The steps of several runs, sorted, each once. */
export function stepsOf(all: Iterable<{ records: readonly { step: number }[] }>): number[] {
  const found = new Set<number>();
  for (const { records } of all) for (const { step } of records) found.add(step);
  return [...found].sort((a, b) => a - b);
}

/** Area under a curve through its points, by trapezia. */
export function area(x: readonly (number | null)[], y: readonly (number | null)[]): number {
  const points = x.map((at, index) => [at ?? NaN, y[index] ?? NaN] as const).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let sum = 0;
  for (let at = 1; at < points.length; at += 1) {
    const [[x0, y0], [x1, y1]] = [points[at - 1] ?? [NaN, NaN], points[at] ?? [NaN, NaN]];
    sum += ((x1 - x0) * (y0 + y1)) / 2;
  }
  return sum;
}

/** The value below which a share of a histogram's values lies, evenly spread within each bin; NaN without values. */
export function quantile({ edges, counts }: Pick<Histogram, "edges" | "counts">, share: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (!total) return NaN;
  let rest = share * total;
  let last = NaN;
  for (const [at, count] of counts.entries()) {
    if (!count) continue;
    const [left, right] = [edges[at] ?? NaN, edges[at + 1] ?? NaN];
    if (rest <= count) return left + (right - left) * (rest / count);
    rest -= count;
    last = right;
  }
  return last;
}

/** Tags with a common beginning and the ends of each: `eval/pr/cat` and `eval/pr/and/or` are two of `eval/pr`. */
export function classesOf(tags: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const tag of tags) {
    const parent = /^(?:.*?\/)?(?:pr|roc)(?=\/)/u.exec(tag)?.[0] ?? tag.slice(0, Math.max(tag.lastIndexOf("/"), 0)); // a class's name may hold a slash
    found.set(parent, [...(found.get(parent) ?? []), tag]);
  }
  for (const [parent, members] of [...found]) {
    if (parent && members.length > 1) continue;
    found.delete(parent);
    for (const tag of members) found.set(tag, [tag]);
  }
  return found;
}
