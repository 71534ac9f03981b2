// The server's answers; see api/openapi.json.

export interface Metric {
  n: number;
  nan: number;
  last: number;
  last_step: number;
  best: number | null;
  best_step: number | null;
  mode: "min" | "max" | null;
}

export interface RunInfo {
  /** names it in queries. */
  path: string;
  name: string;
  position: number;
  color: string;
  dash: number;
  status: string;
  /** seconds since 1970. */
  started: number | null;
  seconds: number | null;
  hparams: Record<string, unknown>;
  metrics: Record<string, Metric>;
  scalars: string[];
  kinds: Record<string, string[]>;
  problems: string[];
  labels: string[];
  note: string;
  archived: boolean;
}

export interface RunsAnswer {
  cursor: string;
  /** runs that are still to be read. */
  unread: number;
  runs: RunInfo[];
}

export interface Points {
  x: Float64Array;
  y: Float64Array;
}

export interface Curve extends Points {
  tag: string;
  /** name of the run, or label of the group. */
  key: string;
  /** names of the runs behind it. */
  paths: string[];
  smooth: Points | null;
  band: { x: Float64Array; low: Float64Array; high: Float64Array } | null;
  /** number of runs in each point of a group. */
  counts: Float64Array | null;
  /** values that are not finite, and their places. */
  marks: Points;
  /** points in the window. */
  n: number;
  /** only the extremes of each pixel column are here. */
  thinned: boolean;
}

export interface Question {
  tag: string;
  runs: string[];
  x: string;
  from: number | null;
  to: number | null;
  width: number;
  smooth: string;
  group: string[];
  centre: string;
  band: string;
}

export interface Answer {
  curves: Curve[];
  /** the way in which bands were computed. */
  band: string;
  /** runs without a curve -> the reason. */
  without: Record<string, string>;
}

/** The server's reason for not answering. */
export class Refusal extends Error {}

async function get(path: string, query: Iterable<[string, string]>, signal?: AbortSignal): Promise<Response> {
  const answer = await fetch(`api/${path}?${new URLSearchParams([...query])}`, signal ? { signal } : {});
  if (answer.ok) return answer;
  if (answer.status >= 500) throw new Error(answer.statusText);
  throw new Refusal(((await answer.json().catch(() => ({}))) as { message?: string }).message ?? answer.statusText);
}

/** A number of a JSON answer. */
function number(value: number | string | null): number | null {
  if (typeof value !== "string") return value;
  return value === "nan" ? NaN : value === "inf" ? Infinity : -Infinity;
}

interface Raw {
  n: number;
  nan: number;
  last: number | string;
  last_step: number;
  least: number | string | null;
  least_step: number | null;
  greatest: number | string | null;
  greatest_step: number | null;
  better: "" | "min" | "max";
}

function metricOf(raw: Raw): Metric {
  const mode = raw.better || null;
  const [best, step] = mode === "max" ? [raw.greatest, raw.greatest_step] : mode === "min" ? [raw.least, raw.least_step] : [null, null];
  return { n: raw.n, nan: raw.nan, last: number(raw.last) ?? NaN, last_step: raw.last_step, best: number(best), best_step: step, mode };
}

type RawRun = Omit<RunInfo, "path" | "name" | "dash" | "scalars" | "kinds" | "metrics"> & { name: string; shown: string; dash?: number; tags: Record<string, string[]>; metrics: Record<string, Raw> };

function runOf(raw: RawRun): RunInfo {
  const { name, shown, tags, metrics, ...rest } = raw;
  return {
    ...rest,
    path: name,
    name: shown,
    dash: raw.dash ?? Math.floor(raw.position / 10),
    started: raw.started === null ? null : raw.started / 1000,
    scalars: tags.scalar ?? [],
    kinds: tags,
    metrics: Object.fromEntries(Object.entries(metrics).map(([tag, metric]) => [tag, metricOf(metric)])),
  };
}

/** Some runs, or all. */
export async function runs(names: readonly string[] = []): Promise<RunsAnswer> {
  const answer = await get("runs", names.map((name): [string, string] => ["run", name]));
  const found = (await answer.json()) as { cursor: string; unread: number; runs: RawRun[] };
  return { cursor: found.cursor, unread: found.unread, runs: found.runs.map(runOf) };
}

/** Names of the runs that a filter selects. */
export async function matching(filter: string): Promise<Set<string>> {
  const answer = await get("runs", [["filter", filter]]);
  return new Set(((await answer.json()) as { runs: RawRun[] }).runs.map((run) => run.name));
}

/** Wait until there is something new since a cursor. */
export async function changes(since: string): Promise<{ cursor: string; layout: boolean; changed: string[]; unread: number }> {
  return (await (await get("changes", [["since", since]])).json()) as { cursor: string; layout: boolean; changed: string[]; unread: number };
}

type Places = Record<string, { type: "float64" | "uint32"; offset: number; count: number }>;

interface Head {
  band: string;
  without: Record<string, string>;
  curves: { run: string; kind: "points" | "columns"; n: number; arrays: Places; smooth: Places | null }[];
  groups: { label: string; runs: string[]; kind: "points" | "columns"; arrays: Places }[];
}

/** Curves of one tag in a window. */
export async function curves(question: Question, signal: AbortSignal): Promise<Answer> {
  const query: [string, string][] = [["tag", question.tag], ["x", question.x], ["width", String(question.width)], ["smooth", question.smooth], ["center", question.centre], ["band", question.band]];
  if (question.from !== null) query.push(["start", String(question.from)]);
  if (question.to !== null) query.push(["end", String(question.to)]);
  for (const name of question.group) query.push(["group", name]);
  for (const name of question.runs) query.push(["run", name]);
  const body = await (await get("curves", query, signal)).arrayBuffer();
  return readCurves(body, question.tag);
}

/** Read a binary answer: the length of its head, the head as JSON, and the arrays. */
export function readCurves(body: ArrayBuffer, tag: string): Answer {
  const length = new DataView(body).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(body, 4, length))) as Head;
  const start = 4 + length;
  const array = (places: Places, name: string): Float64Array => {
    const place = places[name];
    if (!place) return EMPTY;
    return place.type === "float64" ? new Float64Array(body, start + place.offset, place.count) : Float64Array.from(new Uint32Array(body, start + place.offset, place.count));
  };
  const line = (places: Places): Points => {
    const x = array(places, "x");
    if (places.y) return { x, y: array(places, "y") };
    return through(x, array(places, "first"), array(places, "least"), array(places, "greatest"), array(places, "last"));
  };
  const runs = head.curves.map((curve): Curve => {
    const drawn = line(curve.arrays);
    const [x0, y0, x1, y1] = array(curve.arrays, "around");
    return {
      tag,
      key: curve.run,
      paths: [curve.run],
      ...joined(drawn, [x0 ?? NaN, y0 ?? NaN], [x1 ?? NaN, y1 ?? NaN]),
      smooth: curve.smooth && line(curve.smooth),
      band: null,
      counts: null,
      marks: curve.arrays.y ? oddOf(drawn) : oddColumns(array(curve.arrays, "x"), array(curve.arrays, "nan"), array(curve.arrays, "above"), array(curve.arrays, "below")),
      n: curve.n,
      thinned: curve.kind === "columns",
    };
  });
  const groups = head.groups.map((group): Curve => {
    const drawn = line(group.arrays);
    const reach = array(group.arrays, "reach");
    const times = reach.length ? drawn.x.length / reach.length : 1;
    return {
      tag,
      key: group.label,
      paths: group.runs,
      ...drawn,
      smooth: null,
      band: group.arrays.low ? { x: array(group.arrays, "x"), low: array(group.arrays, "low"), high: array(group.arrays, "high") } : null,
      counts: Float64Array.from(drawn.x, (_, at) => reach[Math.floor(at / times)] ?? 0),
      marks: { x: EMPTY, y: EMPTY },
      n: drawn.x.length,
      thinned: group.kind === "columns",
    };
  });
  return { curves: [...runs, ...groups], band: head.band, without: head.without };
}

const EMPTY = new Float64Array();

/** The line through first, least, greatest and last of each pixel column: it covers the pixels that all points do. */
function through(x: Float64Array, first: Float64Array, least: Float64Array, greatest: Float64Array, last: Float64Array): Points {
  const [xs, ys] = [new Float64Array(4 * x.length), new Float64Array(4 * x.length)];
  for (let at = 0; at < x.length; at += 1) {
    const finite = (value: number) => (Number.isFinite(value) ? value : (least[at] as number)); // what is odd has its mark
    xs.fill(x[at] as number, 4 * at, 4 * at + 4);
    ys.set([finite(first[at] as number), least[at] as number, greatest[at] as number, finite(last[at] as number)], 4 * at);
  }
  return { x: xs, y: ys };
}

/** A line with the points next to its window, where there are some. */
function joined(line: Points, before: [number, number], after: [number, number]): Points {
  const has = [before, after].map(([x]) => !Number.isNaN(x));
  if (!has[0] && !has[1]) return line;
  const grow = (values: Float64Array, which: 0 | 1) => Float64Array.from([...(has[0] ? [before[which]] : []), ...values, ...(has[1] ? [after[which]] : [])]);
  return { x: grow(line.x, 0), y: grow(line.y, 1) };
}

function oddOf(line: Points): Points {
  const odd = line.y.map((value, at) => (Number.isFinite(value) ? -1 : at)).filter((at) => at >= 0);
  return { x: odd.map((at) => line.x[at] as number), y: odd.map((at) => line.y[at] as number) };
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
