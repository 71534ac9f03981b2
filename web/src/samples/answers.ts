// Tables of runs, as the server has them.
import { get } from "../api";

export type Cell = string | number | boolean | null;

export interface TablePlace {
  run: string;
  table: string;
  steps: number[];
}

export interface Column {
  name: string;
  kind: "whole" | "number" | "bool" | "text" | "category" | "input";
}

/** The samples of two runs, counted. */
export interface Pairs {
  mended: number | null;
  broken: number | null;
  both_wrong: number | null;
  both_right: number | null;
  only_a: number;
  only_b: number;
  repeated: number;
  unnamed: number;
  /** which run is better; empty where nothing tells. */
  verdict: string;
}

/** Images and texts that rows refer to. */
export interface Inputs {
  /** digest of an image or of layers -> the run that has it. */
  images: Record<string, string>;
  /** digest of a text -> its beginning. */
  texts: Record<string, string>;
}

export interface RowsOf extends Inputs {
  step: number;
  steps: number[];
  other_step: number | null;
  total: number;
  found: number;
  columns: Column[];
  rows: Cell[][];
  places: number[];
  pairs: Pairs | null;
}

export interface RowGroup {
  values: Cell[];
  /** an expression that selects its rows. */
  where: string;
  n: number;
  correct: number | null;
  loss: number | null;
}

/** Rows on a plane. */
export interface PointsOf {
  found: number;
  x: number[];
  y: number[];
  ids: Cell[];
  /** of each point, the place of its label. */
  groups: number[];
  names: Cell[];
  colors: string[];
  inputs: Cell[];
  images: Record<string, string>;
}

export interface SampleOf extends Inputs {
  rows: { run: string; step: number; cells: Record<string, Cell> }[];
  complete: boolean;
}

type Query = [string, string][];

async function json<Answer>(path: string, query: Query, signal?: AbortSignal): Promise<Answer> {
  return (await (await get(path, query, signal)).json()) as Answer;
}

export function tablesOf(runs: readonly string[], signal: AbortSignal): Promise<{ tables: TablePlace[]; more: number }> {
  return json("tables", runs.map((run): [string, string] => ["run", run]), signal);
}

export function rowsOf(query: Query, start: number, most: number, signal?: AbortSignal): Promise<RowsOf> {
  return json("rows", [...query, ["start", String(start)], ["most", String(most)]], signal);
}

export function groupsOf(query: Query, by: readonly string[], most: number, signal: AbortSignal): Promise<{ groups: RowGroup[]; more: number }> {
  return json("row-groups", [...query, ...by.map((name): [string, string] => ["by", name]), ["most", String(most)]], signal);
}

export function pointsOf(query: Query, signal: AbortSignal): Promise<PointsOf> {
  return json("row-points", query, signal);
}

export function sampleOf(table: string, id: string, runs: readonly string[], signal: AbortSignal): Promise<SampleOf> {
  return json("sample", [["table", table], ["id", id], ...runs.map((run): [string, string] => ["run", run])], signal);
}

/** An image of a cell. */
export interface InputImage {
  address: string;
  /** the address of its layers; null if it has none. */
  layers: string | null;
}

/** The image of a cell with so many pixels on its longer side, 0 for all; null if it is none, or gone. */
export function imageOf({ images }: Inputs, cell: Cell, side: number): InputImage | null {
  const [digest = "", over = ""] = typeof cell === "string" ? cell.split(" ") : [];
  const [run, other] = [images[digest], images[over]];
  if (run === undefined) return null;
  return {
    address: `api/input?${new URLSearchParams([["run", run], ["digest", digest], ...(side ? [["side", String(side)]] : [])])}`,
    layers: other === undefined ? null : `api/input-layers?${new URLSearchParams({ run: other, digest: over })}`,
  };
}

/** The text of a cell. */
export function textOf({ texts }: Inputs, cell: Cell): string | undefined {
  return typeof cell === "string" ? texts[cell.split(" ")[0] ?? ""] : undefined;
}

export function csvAddress(query: Query): string {
  return `api/rows.csv?${new URLSearchParams(query)}`;
}

/** A column's name as expressions have it. */
export function quoted(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) && !["and", "or", "not", "in", "is", "None", "True", "False"].includes(name) ? name : `\`${name.replaceAll("`", "``")}\``;
}
