// The server's answers; see api/openapi.json.
import { EMPTY, type Places, type Points, spread, unpacked } from "./arrays";
import { language } from "./language";

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
  /** there may be more than are listed. */
  problem_count: number;
  labels: string[];
  note: string;
  archived: boolean;
}

export interface RunsAnswer {
  cursor: string;
  /** runs that are still to be read. */
  unread: number;
  /** run that is not served -> the reason. */
  refused: Record<string, string>;
  runs: RunInfo[];
}

export interface Session {
  status: string;
  /** seconds since 1970. */
  started: number | null;
  ended: number | null;
  error: string;
}

export interface FileInfo {
  path: string;
  size: number;
  /** seconds since 1970. */
  changed: number;
}

/** A scalar of a run in a few numbers. */
export interface Numbers extends Metric {
  least: number | null;
  least_step: number | null;
  greatest: number | null;
  greatest_step: number | null;
  mean: number | null;
}

/** What is known of one run beside what the list of runs says. */
export interface RunDetails {
  directory: string;
  ended: number | null;
  /** seconds from its start to its last record. */
  last_second: number | null;
  sessions: Session[];
  environment: Record<string, unknown>;
  diff: string;
  scalars: Record<string, Numbers>;
  superseded: Record<string, number>;
  problems: string[];
  files: FileInfo[];
  more_files: boolean;
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
  xlog: boolean;
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

/** The server's messages come in the page's language. */
export const LANGUAGE = { "Accept-Language": language };

/** The server's reason for not answering. */
export class Refusal extends Error {}

/** The server's answer to a query. */
export async function get(path: string, query: Iterable<[string, string]>, signal?: AbortSignal): Promise<Response> {
  const answer = await fetch(`api/${path}?${new URLSearchParams([...query])}`, { headers: LANGUAGE, ...(signal ? { signal } : {}) });
  if (answer.ok) return answer;
  if (answer.status >= 500) throw new Error(answer.statusText);
  throw new Refusal(((await answer.json().catch(() => ({}))) as { message?: string }).message ?? answer.statusText);
}

/** A number of a JSON answer. */
export function number(value: number | string | null): number | null {
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
    started: seconds(raw.started),
    scalars: tags.scalar ?? [],
    kinds: tags,
    metrics: Object.fromEntries(Object.entries(metrics).map(([tag, metric]) => [tag, metricOf(metric)])),
  };
}

/** Some runs, or all. */
export async function runs(names: readonly string[] = []): Promise<RunsAnswer> {
  const answer = await get("runs", names.map((name): [string, string] => ["run", name]));
  const found = (await answer.json()) as Omit<RunsAnswer, "runs"> & { runs: RawRun[] };
  return { cursor: found.cursor, unread: found.unread, refused: found.refused, runs: found.runs.map(runOf) };
}

/** What runs have of scalar tags, in a few numbers: run -> tag -> these. */
export async function summaries(tags: readonly string[], names: readonly string[]): Promise<Record<string, Record<string, Metric>>> {
  const query = [...tags.map((tag): [string, string] => ["tag", tag]), ...names.map((name): [string, string] => ["run", name])];
  const found = (await (await get("summaries", query)).json()) as { runs: Record<string, Record<string, Raw>> };
  return Object.fromEntries(Object.entries(found.runs).map(([run, own]) => [run, Object.fromEntries(Object.entries(own).map(([tag, raw]) => [tag, metricOf(raw)]))]));
}

/** What is known of one run. */
export async function details(run: string, signal: AbortSignal): Promise<RunDetails> {
  const found = (await (await get("run", [["run", run]], signal)).json()) as Omit<RunDetails, "scalars"> & { scalars: Record<string, Raw & { mean: number | string | null }> };
  const numbers = (raw: Raw & { mean: number | string | null }): Numbers => ({ ...metricOf(raw), least: number(raw.least), least_step: raw.least_step, greatest: number(raw.greatest), greatest_step: raw.greatest_step, mean: number(raw.mean) });
  return {
    ...found,
    ended: seconds(found.ended),
    sessions: found.sessions.map((one) => ({ ...one, started: seconds(one.started), ended: seconds(one.ended) })),
    scalars: Object.fromEntries(Object.entries(found.scalars).map(([tag, raw]) => [tag, numbers(raw)])),
    files: found.files.map((file) => ({ ...file, changed: file.changed / 1000 })),
  };
}

function seconds(milliseconds: number | null): number | null {
  return milliseconds === null ? null : milliseconds / 1000;
}

/** The address of a file of a run; `tail`: of so many of its last bytes, as a text. */
export function fileAddress(run: string, path: string, tail = 0): string {
  return `api/file?${new URLSearchParams({ run, path, ...(tail ? { tail: String(tail) } : {}) })}`;
}

/** Names of the runs that a filter selects. */
export async function matching(filter: string): Promise<Set<string>> {
  const answer = await get("matching", [["filter", filter]]);
  return new Set(((await answer.json()) as { runs: string[] }).runs);
}

/** Wait for something new since a cursor, for so many seconds. */
export async function changes(since: string, wait: number): Promise<{ cursor: string; layout: boolean; changed: string[]; unread: number }> {
  return (await (await get("changes", [["since", since], ["wait", String(wait)]])).json()) as { cursor: string; layout: boolean; changed: string[]; unread: number };
}

interface Head {
  band: string;
  without: Record<string, string>;
  curves: { run: string; kind: "points" | "columns"; n: number; arrays: Places; smooth: Places | null }[];
  groups: { label: string; runs: string[]; kind: "points" | "columns"; arrays: Places }[];
}

/** Curves of one tag in a window. */
export async function curves(question: Question, signal?: AbortSignal): Promise<Answer> {
  const query: [string, string][] = [["tag", question.tag], ["x", question.x], ["width", String(question.width)], ["scale", question.xlog ? "log" : "linear"], ["smooth", question.smooth], ["center", question.centre], ["band", question.band]];
  if (question.from !== null) query.push(["start", String(question.from)]);
  if (question.to !== null) query.push(["end", String(question.to)]);
  for (const name of question.group) query.push(["group", name]);
  for (const name of question.runs) query.push(["run", name]);
  const body = await (await get("curves", query, signal)).arrayBuffer();
  return readCurves(body, question.tag);
}

/** Read a binary answer: the length of its head, the head as JSON, and the arrays. */
export function readCurves(body: ArrayBuffer, tag: string): Answer {
  const { head, array, line, odd } = unpacked<Head>(body);
  const join = joiner();
  const runs = head.curves.map((curve): Curve => {
    const drawn = line(curve.arrays);
    const [x0, y0, x1, y1] = array(curve.arrays, "around");
    return {
      tag,
      key: curve.run,
      paths: [curve.run],
      ...join(drawn, [x0 ?? NaN, y0 ?? NaN], [x1 ?? NaN, y1 ?? NaN]),
      smooth: curve.smooth && line(curve.smooth),
      band: null,
      counts: null,
      marks: odd(curve.arrays),
      n: curve.n,
      thinned: curve.kind === "columns",
    };
  });
  const groups = head.groups.map((group): Curve => {
    const drawn = line(group.arrays);
    const reach = array(group.arrays, "reach");
    return {
      tag,
      key: group.label,
      paths: group.runs,
      ...drawn,
      smooth: null,
      band: group.arrays.low ? { x: array(group.arrays, "x"), low: array(group.arrays, "low"), high: array(group.arrays, "high") } : null,
      counts: spread(reach, drawn.x.length),
      marks: { x: EMPTY, y: EMPTY },
      n: drawn.x.length,
      thinned: group.kind === "columns",
    };
  });
  return { curves: [...runs, ...groups], band: head.band, without: head.without };
}

/** Makes lines with the points next to their window, where there are some; those at the same places share these. */
function joiner(): (line: Points, before: [number, number], after: [number, number]) => Points {
  const known = new Map<Float64Array, { from: number; to: number; x: Float64Array }>();
  return (line, before, after) => {
    const [from, to] = [before[0], after[0]];
    const [shift, more] = [Number(!Number.isNaN(from)), Number(!Number.isNaN(to))];
    if (!shift && !more) return line;
    const grown = (values: Float64Array, first: number, last: number) => {
      const found = new Float64Array(shift + values.length + more);
      if (shift) found[0] = first;
      found.set(values, shift);
      if (more) found[found.length - 1] = last;
      return found;
    };
    let places = known.get(line.x);
    if (!places || !Object.is(places.from, from) || !Object.is(places.to, to)) known.set(line.x, (places = { from, to, x: grown(line.x, from, to) }));
    return { x: places.x, y: grown(line.y, before[1], after[1]), columns: line.columns && [line.columns[0] + shift, line.columns[1] + shift] };
  };
}
